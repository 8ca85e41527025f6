/* One signing key. Which of them signs, and since when, is signing_keys.c's. */
#include "identity/signing_key.h"

#include "base/memory.h"

#include <stdatomic.h>
#include <string.h>

enum { THUMBPRINT_JWK_MAX = 2048 };

struct sr_signing_key {
	atomic_uint references;
	struct sr_keypair *keypair;
	struct sr_key_public parts;
	char kid[SR_KID_LEN];
};

/* SHA-256 over the JWK's required members in their order, in base64url. */
static void make_kid(const struct sr_key_public *parts, char ret_kid[static SR_KID_LEN])
{
	SR_CLEANUP(sr_buf) struct sr_buf jwk = SR_BUF(THUMBPRINT_JWK_MAX);
	sr_buf_append_str(&jwk, "{\"e\":\"");
	sr_base64url_encode(&jwk, sr_bytes_of(parts->e, parts->e_len));
	sr_buf_append_str(&jwk, "\",\"kty\":\"RSA\",\"n\":\"");
	sr_base64url_encode(&jwk, sr_bytes_of(parts->n, parts->n_len));
	sr_buf_append_str(&jwk, "\"}");
	uint8_t digest[SR_DIGEST_MAX];
	size_t len = sr_digest_of(SR_DIGEST_SHA256, sr_buf_bytes(&jwk), digest);
	SR_CLEANUP(sr_buf) struct sr_buf kid = SR_BUF(SR_KID_LEN - 1);
	sr_base64url_encode(&kid, sr_bytes_of(digest, len));
	memcpy(ret_kid, sr_buf_text(&kid), SR_KID_LEN);
}

/* Takes the keypair. */
static struct sr_signing_key *key_of(struct sr_keypair *keypair)
{
	struct sr_signing_key *key = sr_alloc(sizeof *key);
	atomic_init(&key->references, 1);
	key->keypair = keypair;
	sr_keypair_public(keypair, &key->parts);
	make_kid(&key->parts, key->kid);
	return key;
}

struct sr_result sr_signing_key_make(struct sr_signing_key **ret_key)
{
	struct sr_key_spec spec = {.type = SR_KEY_RSA, .bits = 2048};
	struct sr_keypair *keypair;
	SR_TRY(sr_keypair_generate(&spec, &keypair));
	*ret_key = key_of(keypair);
	return sr_ok();
}

struct sr_result sr_signing_key_seal(const struct sr_signing_key *key, struct sr_aead *aead, struct sr_buf *sealed)
{
	return sr_keypair_seal(key->keypair, aead, sr_bytes_str(key->kid), sealed);
}

struct sr_result sr_signing_key_open(struct sr_aead *aead, struct sr_bytes kid, struct sr_bytes sealed,
                                     struct sr_signing_key **ret_key)
{
	struct sr_keypair *keypair;
	SR_TRY(sr_keypair_open(aead, kid, sealed, &keypair));
	SR_CLEANUP(sr_signing_key) struct sr_signing_key *key = key_of(keypair);
	if (!sr_equal_public(kid, sr_bytes_str(key->kid))) {
		return sr_fail(SR_CORRUPT, "open a signing key: %s lies in another's place", key->kid);
	}
	*ret_key = SR_TAKE(key);
	return sr_ok();
}

struct sr_signing_key *sr_signing_key_share(struct sr_signing_key *key)
{
	atomic_fetch_add(&key->references, 1);
	return key;
}

void sr_signing_key_done(struct sr_signing_key *key)
{
	if (key && atomic_fetch_sub(&key->references, 1) == 1) {
		sr_keypair_free(key->keypair);
		sr_free(key);
	}
}

void sr_signing_key_cleanup(struct sr_signing_key **key)
{
	sr_signing_key_done(*key);
	*key = NULL;
}

const char *sr_signing_key_id(const struct sr_signing_key *key)
{
	return key->kid;
}

struct sr_bytes sr_signing_key_n(const struct sr_signing_key *key)
{
	return sr_bytes_of(key->parts.n, key->parts.n_len);
}

struct sr_bytes sr_signing_key_e(const struct sr_signing_key *key)
{
	return sr_bytes_of(key->parts.e, key->parts.e_len);
}

struct sr_result sr_signing_key_sign(const struct sr_signing_key *key, struct sr_bytes bytes, struct sr_buf *signature)
{
	uint8_t digest[SR_DIGEST_MAX];
	size_t len = sr_digest_of(SR_DIGEST_SHA256, bytes, digest);
	return sr_keypair_sign(key->keypair, SR_ALG_RS256, sr_bytes_of(digest, len), signature);
}
