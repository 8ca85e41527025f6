/* AES key wrap (SP 800-38F; RFC 3394, RFC 5649), and the wrapped form of 32-byte keys under keys. */
#include "seal/wrap.h"

#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

enum { WRAPPED_MAX = SR_SECRET_MAX + 16 };

static bool pads(enum sr_cipher cipher)
{
	return cipher == SR_CIPHER_AES128_KWP || cipher == SR_CIPHER_AES192_KWP || cipher == SR_CIPHER_AES256_KWP;
}

struct sr_result sr_aes_wrap(enum sr_cipher cipher, const uint8_t *key, struct sr_bytes plaintext, uint8_t *to,
                             size_t *ret_len)
{
	bool is_padded = pads(cipher);
	if (plaintext.len > SR_SECRET_MAX || plaintext.len == 0 ||
	    (!is_padded && (plaintext.len % 8 || plaintext.len < 16))) {
		return sr_fail(SR_INVALID, "AES key wrap cannot wrap %zu bytes", plaintext.len);
	}
	EVP_CIPHER_CTX *context;
	SR_TRY(sr_cipher_context_take(cipher, &context));
	int len;
	bool is_wrapped = EVP_CipherInit_ex2(context, NULL, key, NULL, 1, NULL) == 1 &&
	                  EVP_CipherUpdate(context, to, &len, plaintext.data, (int)plaintext.len) == 1;
	sr_cipher_context_give(cipher, context);
	if (!is_wrapped) {
		return sr_fail_openssl(SR_CRYPTO, "wrap %zu bytes", plaintext.len);
	}
	*ret_len = (size_t)len;
	return sr_ok();
}

struct sr_result sr_aes_unwrap(enum sr_cipher cipher, const uint8_t *key, struct sr_bytes wrapped, uint8_t *to,
                               size_t *ret_len, bool *ret_opens)
{
	bool is_padded = pads(cipher);
	*ret_opens = false;
	if (wrapped.len > WRAPPED_MAX || wrapped.len % 8 || wrapped.len < (is_padded ? 16 : 24)) {
		return sr_ok();
	}
	EVP_CIPHER_CTX *context;
	SR_TRY(sr_cipher_context_take(cipher, &context));
	int len;
	*ret_opens = EVP_CipherInit_ex2(context, NULL, key, NULL, 0, NULL) == 1 &&
	             EVP_CipherUpdate(context, to, &len, wrapped.data, (int)wrapped.len) == 1;
	sr_cipher_context_give(cipher, context);
	if (*ret_opens) {
		*ret_len = (size_t)len;
	} else {
		sr_wipe(to, wrapped.len);
		sr_forget_openssl_errors();
	}
	return sr_ok();
}

struct sr_result sr_key_wrap(const struct sr_secret *kek, const struct sr_secret *key,
                             uint8_t ret_wrapped[static SR_WRAPPED_KEY_LEN])
{
	if (sr_secret_len(kek) != SR_KEY_LEN || sr_secret_len(key) != SR_KEY_LEN) {
		return sr_fail(SR_INVALID, "wrap a key of %zu bytes under one of %zu: both have %d", sr_secret_len(key),
		               sr_secret_len(kek), SR_KEY_LEN);
	}
	uint8_t wrapped[SR_WRAPPED_KEY_LEN + 16];
	size_t len;
	SR_TRY(sr_aes_wrap(SR_CIPHER_AES256_KWP, sr_secret_bytes(kek).data, sr_secret_bytes(key), wrapped, &len));
	for (size_t i = 0; i < SR_WRAPPED_KEY_LEN; i++) {
		ret_wrapped[i] = wrapped[i];
	}
	return sr_ok();
}

struct sr_result sr_key_unwrap(const struct sr_secret *kek, struct sr_bytes wrapped, struct sr_secret **ret_key)
{
	if (sr_secret_len(kek) != SR_KEY_LEN) {
		return sr_fail(SR_INVALID, "unwrap a key under one of %zu bytes", sr_secret_len(kek));
	}
	if (wrapped.len != SR_WRAPPED_KEY_LEN) {
		return sr_fail(SR_CORRUPT, "wrapped key of %zu bytes: it should have %d", wrapped.len, SR_WRAPPED_KEY_LEN);
	}
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_secret_new(SR_WRAPPED_KEY_LEN, &key));
	size_t len;
	bool opens;
	SR_TRY(sr_aes_unwrap(SR_CIPHER_AES256_KWP, sr_secret_bytes(kek).data, wrapped, sr_secret_fill(key), &len, &opens));
	if (!opens || len != SR_KEY_LEN) {
		return sr_fail(SR_WRONG_KEY, "unwrap a key: it is not wrapped under the key given, or damaged");
	}
	sr_secret_shorten(key, len);
	*ret_key = SR_TAKE(key);
	return sr_ok();
}
