/*
 * Where the root key comes from. A provider is a row of a table: it makes a root key together with a descriptor, the
 * public parameters that tell how to get it again (a salt, a TPM's blobs, a token's key), and it opens what it made.
 * The descriptor lies in STATE/vault/master (master.h), authenticated under the root key, so that the change from one
 * provider to another is one durable rename of that file.
 */
#ifndef SR_VAULT_ROOT_PROVIDER_H
#define SR_VAULT_ROOT_PROVIDER_H

#include "base/bytes.h"
#include "host/config.h"
#include "seal/share.h"

enum { SR_ROOT_DESCRIPTOR_MAX = 8192, SR_ROOT_HANDOUT_MAX = 65536 };

/* What the installation says of its providers; all borrowed. */
struct sr_root_settings {
	const struct sr_config *config;
	unsigned threshold, share_count; /* for new shares: k of n */
};

/* What people gave: none, one or all of these, as the provider wants; borrowed. */
struct sr_root_input {
	const struct sr_secret *word; /* the passphrase; the PIN of a TPM's object or of a token */
	const struct sr_share *shares;
	size_t share_count;
};

struct sr_root_provider {
	const char *name; /* "file", as init --root and root migrate name it */
	uint16_t number;  /* in the master file, for ever: file 1, passphrase 2, shares 3, tpm 4, pkcs11 5 */
	/* Whether somebody must give something before it opens: the vault then starts sealed. A damaged descriptor counts
	 * as one that needs nobody, since opening it says what is wrong. */
	bool (*needs_person)(const struct sr_root_settings *settings, struct sr_bytes descriptor);
	/* How many pieces a person must give before `open` is tried: 1, or the threshold of shares. */
	unsigned (*pieces_needed)(struct sr_bytes descriptor);
	/* How many pieces were handed out; NULL: none are. */
	unsigned (*pieces_made)(struct sr_bytes descriptor);
	/*
	 * Makes a new root key of SR_KEY_LEN bytes: appends its descriptor, and to `handout` what people must keep (shares,
	 * a line each; nothing for the others), which is shown once. The old root key stays good: nothing of it is
	 * overwritten. The caller frees *ret_root. SR_INVALID: an input or setting is missing, the text says which.
	 */
	struct sr_result (*create)(const struct sr_root_settings *settings, const struct sr_root_input *input,
	                           struct sr_buf *descriptor, struct sr_buf *handout, struct sr_secret **ret_root);
	/*
	 * Gets the root key again. SR_WRONG_KEY: what was given is not it (a passphrase may give a wrong key instead: the
	 * master file's MAC tells); SR_CORRUPT: the descriptor is damaged; SR_UNAVAILABLE: the device cannot be reached.
	 */
	struct sr_result (*open)(const struct sr_root_settings *settings, struct sr_bytes descriptor,
	                         const struct sr_root_input *input, struct sr_secret **ret_root);
	/* After the master file names this provider durably (of a new descriptor), or names it no more: finishes what
	 * create left beside, or destroys what is of no use any more. Both may be NULL; both are safe to repeat. */
	struct sr_result (*settle)(const struct sr_root_settings *settings, struct sr_bytes descriptor);
	struct sr_result (*retire)(const struct sr_root_settings *settings, struct sr_bytes descriptor);
	/* One line for people, of the descriptor: "shares, 3 of 5, set 1f2e3d4c". */
	void (*describe)(struct sr_bytes descriptor, struct sr_buf *text);
};

extern const struct sr_root_provider sr_root_file, sr_root_passphrase, sr_root_shares, sr_root_tpm, sr_root_pkcs11;

/* The PIN that was given, else that of the file of the setting root-pin; the caller frees. SR_INVALID: there is none.
 */
SR_MUST struct sr_result sr_root_pin(const struct sr_root_settings *settings, const struct sr_root_input *input,
                                     struct sr_secret **ret_pin);

/* Whether a share belongs to those that the descriptor of `shares` tells of: SR_WRONG_KEY says why not; SR_CORRUPT. */
SR_MUST struct sr_result sr_root_check_share(struct sr_bytes descriptor, const struct sr_share *share);

/* The table, by position; NULL past the end. */
const struct sr_root_provider *sr_root_provider_at(size_t index);
/* SR_NOT_FOUND names the providers that there are. */
SR_MUST struct sr_result sr_root_provider_named(const char *name, const struct sr_root_provider **ret_provider);
/* NULL for a number that no provider has. */
const struct sr_root_provider *sr_root_provider_numbered(uint16_t number);

#endif
