/* Symmetric keys of a vault: AES key wrap, AES-GCM and AES-CBC as Key Vault's algorithms use them. */
#include "seal/keypair_parts.h"

#include "seal/gcm.h"
#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"
#include "seal/wrap.h"

#include "base/random.h"

#include <string.h>

enum { CBC_BLOCK_LEN = 16, IV_MAX = 16, PLAINTEXT_MAX = 1 << 20 };

/* The caller's IV, or on encryption a new one, which is returned too. */
static struct sr_result choose_iv(size_t len, struct sr_bytes given, struct sr_buf *ret_iv, uint8_t iv[static IV_MAX])
{
	if (given.len != 0 && given.len != len) {
		return sr_fail(SR_INVALID, "initialisation vector of %zu bytes, not %zu", given.len, len);
	}
	if (given.len) {
		memcpy(iv, given.data, len);
	} else {
		sr_random(iv, len);
	}
	sr_buf_append(ret_iv, sr_bytes_of(iv, len));
	return sr_buf_result(ret_iv);
}

static struct sr_result encrypt_gcm(EVP_CIPHER_CTX *context, struct sr_bytes plaintext,
                                    const struct sr_cipher_parts *parts, struct sr_buf *ciphertext,
                                    struct sr_buf *ret_iv, struct sr_buf *ret_tag)
{
	uint8_t iv[IV_MAX];
	uint8_t tag[SR_GCM_TAG_LEN];
	SR_TRY(choose_iv(SR_GCM_NONCE_LEN, parts->iv, ret_iv, iv));
	uint8_t *to = sr_buf_extend(ciphertext, plaintext.len);
	SR_TRY(sr_buf_result(ciphertext));
	SR_TRY(sr_gcm_seal(context, iv, parts->aad, plaintext, to ? to : tag, tag));
	sr_buf_append(ret_tag, sr_bytes_of(tag, sizeof tag));
	return sr_buf_result(ret_tag);
}

static struct sr_result encrypt_cbc(EVP_CIPHER_CTX *context, bool is_padded, struct sr_bytes plaintext,
                                    const struct sr_cipher_parts *parts, struct sr_buf *ciphertext,
                                    struct sr_buf *ret_iv)
{
	if (!is_padded && plaintext.len % CBC_BLOCK_LEN) {
		return sr_fail(SR_INVALID, "%zu bytes are not whole blocks, and this algorithm does not pad", plaintext.len);
	}
	uint8_t iv[IV_MAX];
	SR_TRY(choose_iv(CBC_BLOCK_LEN, parts->iv, ret_iv, iv));
	size_t before = ciphertext->len;
	uint8_t *to = sr_buf_extend(ciphertext, plaintext.len + CBC_BLOCK_LEN);
	if (!to) {
		return sr_buf_result(ciphertext);
	}
	int len = 0;
	int end_len = 0;
	bool is_done = EVP_EncryptInit_ex2(context, NULL, NULL, iv, NULL) == 1 &&
	               EVP_CIPHER_CTX_set_padding(context, is_padded) == 1 &&
	               (!plaintext.len || EVP_EncryptUpdate(context, to, &len, plaintext.data, (int)plaintext.len) == 1) &&
	               EVP_EncryptFinal_ex(context, to + len, &end_len) == 1;
	ciphertext->len = is_done ? before + (size_t)(len + end_len) : before;
	return is_done ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "encrypt with AES-CBC");
}

static struct sr_result decrypt_gcm(EVP_CIPHER_CTX *context, struct sr_bytes ciphertext,
                                    const struct sr_cipher_parts *parts, struct sr_buf *plaintext)
{
	if (parts->iv.len != SR_GCM_NONCE_LEN || parts->tag.len != SR_GCM_TAG_LEN) {
		return sr_fail_decrypt();
	}
	size_t before = plaintext->len;
	uint8_t nothing;
	uint8_t *to = sr_buf_extend(plaintext, ciphertext.len);
	SR_TRY(sr_buf_result(plaintext));
	if (!sr_gcm_open(context, parts->iv.data, parts->aad, ciphertext, parts->tag.data, to ? to : &nothing)) {
		plaintext->len = before;
		return sr_fail_decrypt();
	}
	return sr_ok();
}

static struct sr_result decrypt_cbc(EVP_CIPHER_CTX *context, bool is_padded, struct sr_bytes ciphertext,
                                    const struct sr_cipher_parts *parts, struct sr_buf *plaintext)
{
	if (parts->iv.len != CBC_BLOCK_LEN || ciphertext.len % CBC_BLOCK_LEN) {
		return sr_fail_decrypt();
	}
	size_t before = plaintext->len;
	uint8_t *to = sr_buf_extend(plaintext, ciphertext.len + CBC_BLOCK_LEN);
	if (!to) {
		return sr_buf_result(plaintext);
	}
	int len = 0;
	int end_len = 0;
	bool opens = EVP_DecryptInit_ex2(context, NULL, NULL, parts->iv.data, NULL) == 1 &&
	             EVP_CIPHER_CTX_set_padding(context, is_padded) == 1 &&
	             (!ciphertext.len || EVP_DecryptUpdate(context, to, &len, ciphertext.data, (int)ciphertext.len) == 1) &&
	             EVP_DecryptFinal_ex(context, to + len, &end_len) == 1;
	if (!opens) {
		sr_wipe(to, ciphertext.len + CBC_BLOCK_LEN);
		sr_forget_openssl_errors();
	}
	plaintext->len = opens ? before + (size_t)(len + end_len) : before;
	return opens ? sr_ok() : sr_fail_decrypt();
}

static struct sr_result wrap(const struct sr_secret *key, const struct sr_alg_traits *alg, struct sr_bytes plaintext,
                             struct sr_buf *ciphertext)
{
	size_t before = ciphertext->len;
	size_t len = 0;
	uint8_t *to = sr_buf_extend(ciphertext, sr_aes_wrap_room(plaintext.len));
	if (!to) {
		return sr_buf_result(ciphertext);
	}
	struct sr_result result = sr_aes_wrap(alg->cipher, sr_secret_bytes(key).data, plaintext, to, &len);
	ciphertext->len = sr_is_ok(result) ? before + len : before;
	return result;
}

static struct sr_result unwrap(const struct sr_secret *key, const struct sr_alg_traits *alg, struct sr_bytes ciphertext,
                               struct sr_buf *plaintext)
{
	size_t before = plaintext->len;
	size_t len = 0;
	bool opens = false;
	uint8_t *to = sr_buf_extend(plaintext, ciphertext.len + 1);
	if (!to) {
		return sr_buf_result(plaintext);
	}
	struct sr_result result = sr_aes_unwrap(alg->cipher, sr_secret_bytes(key).data, ciphertext, to, &len, &opens);
	plaintext->len = opens ? before + len : before;
	return sr_is_ok(result) && !opens ? sr_fail_decrypt() : result;
}

/* A context under the key, for one direction (AES's key schedule is another for CBC's decryption); to be given back. */
static struct sr_result take_context(const struct sr_secret *key, enum sr_cipher cipher, bool is_encrypting,
                                     EVP_CIPHER_CTX **ret_context)
{
	EVP_CIPHER_CTX *context;
	SR_TRY(sr_cipher_context_take(cipher, &context));
	if (EVP_CipherInit_ex2(context, NULL, sr_secret_bytes(key).data, NULL, is_encrypting, NULL) != 1) {
		sr_cipher_context_give(cipher, context);
		return sr_fail_openssl(SR_CRYPTO, "set an AES key");
	}
	*ret_context = context;
	return sr_ok();
}

struct sr_result sr_oct_encrypt(const struct sr_secret *key, const struct sr_alg_traits *alg, struct sr_bytes plaintext,
                                const struct sr_cipher_parts *parts, struct sr_buf *ciphertext, struct sr_buf *ret_iv,
                                struct sr_buf *ret_tag)
{
	if (plaintext.len > PLAINTEXT_MAX) {
		return sr_fail(SR_INVALID, "encrypt %zu bytes: more than %d", plaintext.len, PLAINTEXT_MAX);
	}
	if (alg->kind == SR_ALG_KIND_KW) {
		return wrap(key, alg, plaintext, ciphertext);
	}
	EVP_CIPHER_CTX *context;
	SR_TRY(take_context(key, alg->cipher, true, &context));
	struct sr_result result =
	    alg->kind == SR_ALG_KIND_GCM
	        ? encrypt_gcm(context, plaintext, parts, ciphertext, ret_iv, ret_tag)
	        : encrypt_cbc(context, alg->kind == SR_ALG_KIND_CBC_PADDED, plaintext, parts, ciphertext, ret_iv);
	sr_cipher_context_give(alg->cipher, context);
	return result;
}

struct sr_result sr_oct_decrypt(const struct sr_secret *key, const struct sr_alg_traits *alg,
                                struct sr_bytes ciphertext, const struct sr_cipher_parts *parts,
                                struct sr_buf *plaintext)
{
	if (ciphertext.len > PLAINTEXT_MAX + CBC_BLOCK_LEN) {
		return sr_fail_decrypt();
	}
	if (alg->kind == SR_ALG_KIND_KW) {
		return unwrap(key, alg, ciphertext, plaintext);
	}
	EVP_CIPHER_CTX *context;
	SR_TRY(take_context(key, alg->cipher, false, &context));
	struct sr_result result = alg->kind == SR_ALG_KIND_GCM ? decrypt_gcm(context, ciphertext, parts, plaintext)
	                                                       : decrypt_cbc(context, alg->kind == SR_ALG_KIND_CBC_PADDED,
	                                                                     ciphertext, parts, plaintext);
	sr_cipher_context_give(alg->cipher, context);
	return result;
}
