/*
 * A new version of a certificate with its managed key and secret: prepared outside of any write (making and wrapping
 * keys takes time), then written as one step. For creation, merging, import, renewal by policy and restoring.
 */
#ifndef SR_VAULT_CERTIFICATE_MAKE_H
#define SR_VAULT_CERTIFICATE_MAKE_H

#include "vault/certificate_policy.h"
#include "vault/certificate_store.h"
#include "vault/key_store.h"
#include "vault/secret_store.h"
#include "vault/state.h"

/* The upper part is the maker's, the lower one what it comes to; everything lies in the arena. */
struct sr_certificate_making {
	struct sr_vault_state *state;
	struct sr_arena *arena;
	const char *vault, *name;
	const char *version; /* NULL: a new one */
	struct sr_certificate_policy policy;
	bool is_enabled;
	const char *tags; /* JSON object or NULL */
	int64_t now;

	struct sr_certificate_record certificate;
	struct sr_key_record key;
	struct sr_secret_record secret; /* its value is wiped with the arena */
};

/* The key pair of the next version: the last one's where the policy reuses it, else a new one. The caller frees. */
SR_MUST struct sr_result sr_certificate_keypair(const struct sr_certificate_making *making,
                                                struct sr_keypair **ret_keypair);
/* Signs by the policy's issuer, Self or Strongroom; the chain lies in the arena. */
SR_MUST struct sr_result sr_certificate_sign_by_policy(const struct sr_certificate_making *making,
                                                       const struct sr_keypair *keypair,
                                                       struct sr_x509_chain *ret_chain);
/* Fills in the lower part from a key pair and its certificate. */
SR_MUST struct sr_result sr_certificate_prepare(struct sr_certificate_making *making, const struct sr_keypair *keypair,
                                                const struct sr_x509_chain *chain);
/* Within a write: the policy, the version, its key and its secret. SR_CONFLICT while the name is deleted or belongs to
 * a key or secret of its own. */
SR_MUST struct sr_result sr_certificate_write(struct sr_connection *connection, struct sr_certificate_making *making);

/* A chain as it is kept, and back (DER borrowed from `bytes`). */
SR_MUST struct sr_result sr_certificate_chain_write(struct sr_arena *arena, const struct sr_x509_chain *chain,
                                                    struct sr_bytes *ret_bytes);
SR_MUST struct sr_result sr_certificate_chain_read(struct sr_bytes cer, struct sr_bytes bytes,
                                                   struct sr_x509_chain *ret_chain);

/* 32 hex digits, in the arena. */
const char *sr_certificate_new_version(struct sr_arena *arena);

#endif
