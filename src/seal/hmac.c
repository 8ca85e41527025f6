/* HMAC-SHA-256 (RFC 2104) and what is one HMAC: commitments to keys, hashes of generated client secrets. */
#include "seal/hmac.h"

#include "seal/context.h"
#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#include "base/random.h"

#include <string.h>

struct sr_result sr_hmac_two(struct sr_bytes key, struct sr_bytes a, struct sr_bytes b,
                             uint8_t ret_mac[static SR_SHA256_LEN])
{
	static const uint8_t no_key[SR_KEY_LEN];
	EVP_MAC_CTX *context = sr_hmac_context();
	size_t len;
	/* EVP takes a NULL key as "the one before". */
	if (!context || EVP_MAC_init(context, key.len ? key.data : no_key, key.len, NULL) != 1 ||
	    EVP_MAC_update(context, a.data, a.len) != 1 || EVP_MAC_update(context, b.data, b.len) != 1 ||
	    EVP_MAC_final(context, ret_mac, &len, SR_SHA256_LEN) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "compute an HMAC");
	}
	if (EVP_MAC_init(context, no_key, sizeof no_key, NULL) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "forget an HMAC's key");
	}
	return sr_ok();
}

struct sr_result sr_hmac_sha256(const struct sr_secret *key, struct sr_bytes bytes,
                                uint8_t ret_mac[static SR_SHA256_LEN])
{
	return sr_hmac_two(sr_secret_bytes(key), bytes, (struct sr_bytes){0}, ret_mac);
}

struct sr_result sr_key_commitment(const struct sr_secret *key, struct sr_bytes identity,
                                   uint8_t ret_commitment[static SR_SHA256_LEN])
{
	return sr_hmac_two(sr_secret_bytes(key), SR_LITERAL("strongroom/v1/commit"), identity, ret_commitment);
}

enum { SALT_LEN = SR_SECRET_HASH_LEN - SR_SHA256_LEN };

struct sr_result sr_secret_hash(struct sr_bytes presented, uint8_t ret_hash[static SR_SECRET_HASH_LEN])
{
	sr_random(ret_hash, SALT_LEN);
	return sr_hmac_two(sr_bytes_of(ret_hash, SALT_LEN), presented, (struct sr_bytes){0}, ret_hash + SALT_LEN);
}

bool sr_secret_hash_matches(struct sr_bytes presented, const uint8_t hash[static SR_SECRET_HASH_LEN])
{
	uint8_t mac[SR_SHA256_LEN];
	struct sr_result result = sr_hmac_two(sr_bytes_of(hash, SALT_LEN), presented, (struct sr_bytes){0}, mac);
	bool is_computed = sr_is_ok(result);
	sr_result_free(result);
	return is_computed && sr_equal_ct(sr_bytes_of(mac, sizeof mac), sr_bytes_of(hash + SALT_LEN, SR_SHA256_LEN));
}

struct sr_result sr_secret_text_new(size_t entropy_len, struct sr_buf *text)
{
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_TRY(sr_secret_random(entropy_len, &secret));
	sr_base64url_encode(text, sr_secret_bytes(secret));
	return sr_buf_result(text);
}
