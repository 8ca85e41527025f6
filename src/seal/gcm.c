/* AES-GCM over EVP (NIST SP 800-38D). Who makes nonces unique, and how, is the caller's. */
#include "seal/gcm.h"

#include "seal/openssl_error.h"
#include "seal/secret.h"

#include <limits.h>

struct sr_result sr_gcm_set_key(EVP_CIPHER_CTX *context, const uint8_t *key)
{
	if (EVP_CipherInit_ex2(context, NULL, key, NULL, -1, NULL) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "set an AES-GCM key");
	}
	return sr_ok();
}

/* EVP counts in int; the pieces stay whole blocks. */
static bool update(EVP_CIPHER_CTX *context, uint8_t *to, struct sr_bytes from)
{
	enum { PIECE_LEN = 1 << 30 };
	while (from.len) {
		int len = from.len > PIECE_LEN ? PIECE_LEN : (int)from.len;
		int done;
		if (EVP_CipherUpdate(context, to, &done, from.data, len) != 1) {
			return false;
		}
		from.data += len;
		from.len -= (size_t)len;
		to = to ? to + len : NULL;
	}
	return true;
}

struct sr_result sr_gcm_seal(EVP_CIPHER_CTX *context, const uint8_t nonce[static SR_GCM_NONCE_LEN], struct sr_bytes aad,
                             struct sr_bytes plaintext, uint8_t *ciphertext, uint8_t ret_tag[static SR_GCM_TAG_LEN])
{
	int none;
	if (EVP_CipherInit_ex2(context, NULL, NULL, nonce, 1, NULL) != 1 || !update(context, NULL, aad) ||
	    !update(context, ciphertext, plaintext) || EVP_CipherFinal_ex(context, ciphertext, &none) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SR_GCM_TAG_LEN, ret_tag) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "seal %zu bytes with AES-GCM", plaintext.len);
	}
	return sr_ok();
}

bool sr_gcm_open(EVP_CIPHER_CTX *context, const uint8_t nonce[static SR_GCM_NONCE_LEN], struct sr_bytes aad,
                 struct sr_bytes ciphertext, const uint8_t tag[static SR_GCM_TAG_LEN], uint8_t *plaintext)
{
	uint8_t end[16];
	int none;
	uint8_t *expected = (uint8_t *)(uintptr_t)tag; /* EVP's control takes no const, and does not write */
	if (EVP_CipherInit_ex2(context, NULL, NULL, nonce, 0, NULL) == 1 && update(context, NULL, aad) &&
	    update(context, plaintext, ciphertext) &&
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SR_GCM_TAG_LEN, expected) == 1 &&
	    EVP_CipherFinal_ex(context, end, &none) == 1) {
		return true;
	}
	sr_wipe(plaintext, ciphertext.len);
	sr_forget_openssl_errors();
	return false;
}
