/*
 * A secret's way from the vault to one holder: an ephemeral X25519 key at each end, HKDF-SHA-256 with
 * both public keys as salt, XAES-256-GCM. Sealed form: sender's public key ‖ nonce ‖ ciphertext ‖ tag.
 */
#include "seal/handover.h"

#include "seal/crypto.h"
#include "seal/handover_parts.h"
#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#include "base/memory.h"

#include <openssl/evp.h>

#include <string.h>

struct sr_handover {
	EVP_PKEY *key;
	uint8_t public[SR_HANDOVER_PUBLIC_LEN];
};

static void pkey_cleanup(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void context_cleanup(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

/* Takes over `key`, which may be NULL when its making failed. */
static struct sr_result make(EVP_PKEY *key, struct sr_handover **ret_handover)
{
	SR_CLEANUP(sr_handover) struct sr_handover *handover = sr_alloc(sizeof *handover);
	size_t len = SR_HANDOVER_PUBLIC_LEN;
	handover->key = key;
	if (!key || EVP_PKEY_get_raw_public_key(key, handover->public, &len) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "make an X25519 key");
	}
	*ret_handover = SR_TAKE(handover);
	return sr_ok();
}

struct sr_result sr_handover_new(struct sr_handover **ret_handover)
{
	return make(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), ret_handover);
}

struct sr_result sr_handover_known(const struct sr_secret *secret, struct sr_handover **ret_handover)
{
	struct sr_bytes bytes = sr_secret_bytes(secret);
	return make(EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, bytes.data, bytes.len), ret_handover);
}

void sr_handover_free(struct sr_handover *handover)
{
	if (handover) {
		EVP_PKEY_free(handover->key);
		sr_free(handover);
	}
}

void sr_handover_cleanup(struct sr_handover **handover)
{
	sr_handover_free(*handover);
	*handover = NULL;
}

void sr_handover_public(const struct sr_handover *handover, uint8_t ret_public[static SR_HANDOVER_PUBLIC_LEN])
{
	memcpy(ret_public, handover->public, SR_HANDOVER_PUBLIC_LEN);
}

/* X25519. SR_CORRUPT for a peer's key that yields no secret (a point of small order). */
static struct sr_result agree(EVP_PKEY *own, const uint8_t peer_public[static SR_HANDOVER_PUBLIC_LEN],
                              struct sr_secret **ret_shared)
{
	SR_CLEANUP(sr_secret) struct sr_secret *shared = NULL;
	SR_TRY(sr_secret_new(SR_KEY_LEN, &shared));
	SR_CLEANUP(pkey)
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, peer_public, SR_HANDOVER_PUBLIC_LEN);
	SR_CLEANUP(context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t len = SR_KEY_LEN;
	if (!peer || !context || EVP_PKEY_derive_init(context) != 1 || EVP_PKEY_derive_set_peer(context, peer) != 1 ||
	    EVP_PKEY_derive(context, sr_secret_fill(shared), &len) != 1) {
		return sr_fail_openssl(SR_CORRUPT, "agree on a key with a peer");
	}
	*ret_shared = SR_TAKE(shared);
	return sr_ok();
}

/* The AEAD between two ends, of which `own` is one. */
static struct sr_result between(EVP_PKEY *own, const uint8_t peer[static SR_HANDOVER_PUBLIC_LEN],
                                const uint8_t sender[static SR_HANDOVER_PUBLIC_LEN],
                                const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN], struct sr_aead **ret_aead)
{
	SR_CLEANUP(sr_secret) struct sr_secret *shared = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	uint8_t salt[2 * SR_HANDOVER_PUBLIC_LEN];
	memcpy(salt, sender, SR_HANDOVER_PUBLIC_LEN);
	memcpy(salt + SR_HANDOVER_PUBLIC_LEN, receiver, SR_HANDOVER_PUBLIC_LEN);
	SR_TRY(agree(own, peer, &shared));
	SR_TRY(sr_derive(shared, sr_bytes_of(salt, sizeof salt), "handover", SR_KEY_LEN, &key));
	return sr_aead_new(key, ret_aead);
}

struct sr_result sr_handover_seal(const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN], struct sr_bytes aad,
                                  const struct sr_secret *secret, struct sr_buf *sealed)
{
	SR_CLEANUP(sr_handover) struct sr_handover *sender = NULL;
	SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
	SR_TRY(sr_handover_new(&sender));
	SR_TRY(between(sender->key, receiver, sender->public, receiver, &aead));
	sr_buf_append(sealed, sr_bytes_of(sender->public, SR_HANDOVER_PUBLIC_LEN));
	return sr_aead_seal_secret(aead, aad, secret, sealed);
}

struct sr_result sr_handover_open(const struct sr_handover *handover, struct sr_bytes aad, struct sr_bytes sealed,
                                  struct sr_secret **ret_secret)
{
	if (sealed.len < SR_HANDOVER_PUBLIC_LEN) {
		return sr_fail(SR_CORRUPT, "open a handed-over secret of %zu bytes", sealed.len);
	}
	SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
	SR_TRY(between(handover->key, sealed.data, sealed.data, handover->public, &aead));
	struct sr_bytes body = sr_bytes_of(sealed.data + SR_HANDOVER_PUBLIC_LEN, sealed.len - SR_HANDOVER_PUBLIC_LEN);
	return sr_aead_open_secret(aead, aad, body, ret_secret);
}
