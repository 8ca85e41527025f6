/*
 * XAES-256-GCM (https://c2sp.org/XAES-256-GCM): each message has a key of its own, derived from the
 * first half of its 192-bit nonce with CMAC (SP 800-108r1), so that random nonces are safe for ever. The second
 * half is the nonce of AES-256-GCM.
 */
#include "seal/aead.h"

#include "seal/context.h"
#include "seal/gcm.h"
#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"

#include <string.h>

enum { BLOCK_LEN = 16 };

/* The contexts of one message in work. */
struct pair {
	EVP_CIPHER_CTX *derivation; /* AES-256-ECB under the long-lived key */
	EVP_CIPHER_CTX *message;    /* AES-256-GCM under the key of the message last sealed or opened */
	struct pair *next;
};

struct sr_aead {
	struct sr_secret *key;
	uint8_t subkey[BLOCK_LEN]; /* CMAC's K1; wiped with the rest */
	struct sr_mutex mutex;     /* guards `idle` */
	struct pair *idle;
};

static void pair_free(struct pair *pair)
{
	if (pair) {
		EVP_CIPHER_CTX_free(pair->derivation);
		EVP_CIPHER_CTX_free(pair->message);
		sr_free(pair);
	}
}

static void pair_cleanup(struct pair **pair)
{
	pair_free(*pair);
}

static struct sr_result pair_new(const struct sr_secret *key, struct pair **ret_pair)
{
	SR_CLEANUP(pair) struct pair *pair = sr_alloc(sizeof *pair);
	SR_TRY(sr_cipher_context_take(SR_CIPHER_AES256_ECB, &pair->derivation));
	SR_TRY(sr_cipher_context_take(SR_CIPHER_AES256_GCM, &pair->message));
	if (EVP_EncryptInit_ex2(pair->derivation, NULL, sr_secret_bytes(key).data, NULL, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(pair->derivation, 0) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "set an AES key");
	}
	*ret_pair = SR_TAKE(pair);
	return sr_ok();
}

static struct sr_result pair_take(struct sr_aead *aead, struct pair **ret_pair)
{
	{
		SR_LOCKED(&aead->mutex);
		struct pair *pair = aead->idle;
		if (pair) {
			aead->idle = pair->next;
			*ret_pair = pair;
			return sr_ok();
		}
	}
	return pair_new(aead->key, ret_pair);
}

static void pair_give(struct sr_aead *aead, struct pair *pair)
{
	SR_LOCKED(&aead->mutex);
	pair->next = aead->idle;
	aead->idle = pair;
}

/* K1 of CMAC (SP 800-38B): the encrypted zero block, doubled in GF(2^128). */
static struct sr_result derive_subkey(struct sr_aead *aead, EVP_CIPHER_CTX *derivation)
{
	static const uint8_t zeros[BLOCK_LEN];
	uint8_t block[BLOCK_LEN];
	int len;
	if (EVP_EncryptUpdate(derivation, block, &len, zeros, BLOCK_LEN) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "derive CMAC's subkey");
	}
	for (int i = 0; i < BLOCK_LEN; i++) {
		uint8_t carry = i + 1 < BLOCK_LEN ? block[i + 1] >> 7 : 0;
		aead->subkey[i] = (uint8_t)(block[i] << 1 | carry);
	}
	aead->subkey[BLOCK_LEN - 1] ^= (uint8_t)(0x87 & -(block[0] >> 7));
	sr_wipe(block, sizeof block);
	return sr_ok();
}

struct sr_result sr_aead_new(const struct sr_secret *key, struct sr_aead **ret_aead)
{
	if (sr_secret_len(key) != SR_KEY_LEN) {
		return sr_fail(SR_INVALID, "XAES-256-GCM key of %zu bytes", sr_secret_len(key));
	}
	SR_CLEANUP(sr_aead) struct sr_aead *aead = sr_alloc(sizeof *aead);
	sr_mutex_init(&aead->mutex, SR_RANK_LEAF);
	SR_TRY(sr_secret_copy(key, &aead->key));
	SR_TRY(pair_new(aead->key, &aead->idle));
	SR_TRY(derive_subkey(aead, aead->idle->derivation));
	*ret_aead = SR_TAKE(aead);
	return sr_ok();
}

void sr_aead_free(struct sr_aead *aead)
{
	if (!aead) {
		return;
	}
	while (aead->idle) {
		struct pair *pair = aead->idle;
		aead->idle = pair->next;
		pair_free(pair);
	}
	sr_secret_free(aead->key);
	sr_mutex_destroy(&aead->mutex);
	sr_wipe(aead, sizeof *aead);
	sr_free(aead);
}

void sr_aead_cleanup(struct sr_aead **aead)
{
	sr_aead_free(*aead);
	*aead = NULL;
}

/* Keys the pair's GCM context for one message: AES(K, M1 ^ K1) ‖ AES(K, M2 ^ K1). */
static struct sr_result key_message(const struct sr_aead *aead, struct pair *pair,
                                    const uint8_t nonce[static SR_AEAD_NONCE_LEN])
{
	uint8_t blocks[2 * BLOCK_LEN] = {0, 1, 'X', 0, [BLOCK_LEN] = 0, 2, 'X', 0};
	memcpy(blocks + 4, nonce, 12);
	memcpy(blocks + BLOCK_LEN + 4, nonce, 12);
	for (int i = 0; i < 2 * BLOCK_LEN; i++) {
		blocks[i] ^= aead->subkey[i % BLOCK_LEN];
	}
	uint8_t key[SR_KEY_LEN];
	int len;
	struct sr_result result = EVP_EncryptUpdate(pair->derivation, key, &len, blocks, sizeof blocks) == 1
	                              ? sr_gcm_set_key(pair->message, key)
	                              : sr_fail_openssl(SR_CRYPTO, "derive a message's key");
	sr_wipe(key, sizeof key);
	sr_wipe(blocks, sizeof blocks);
	return result;
}

struct sr_result sr_aead_seal_known(struct sr_aead *aead, const uint8_t nonce[static SR_AEAD_NONCE_LEN],
                                    struct sr_bytes aad, struct sr_bytes plaintext, uint8_t *ciphertext,
                                    uint8_t ret_tag[static SR_AEAD_TAG_LEN])
{
	struct pair *pair;
	SR_TRY(pair_take(aead, &pair));
	struct sr_result result = key_message(aead, pair, nonce);
	if (sr_is_ok(result)) {
		result = sr_gcm_seal(pair->message, nonce + 12, aad, plaintext, ciphertext, ret_tag);
	}
	pair_give(aead, pair);
	return result;
}

struct sr_result sr_aead_seal_at(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes plaintext,
                                 uint8_t *ciphertext, uint8_t ret_nonce[static SR_AEAD_NONCE_LEN],
                                 uint8_t ret_tag[static SR_AEAD_TAG_LEN])
{
	sr_random(ret_nonce, SR_AEAD_NONCE_LEN);
	return sr_aead_seal_known(aead, ret_nonce, aad, plaintext, ciphertext, ret_tag);
}

struct sr_result sr_aead_open_at(struct sr_aead *aead, struct sr_bytes aad,
                                 const uint8_t nonce[static SR_AEAD_NONCE_LEN], struct sr_bytes ciphertext,
                                 const uint8_t tag[static SR_AEAD_TAG_LEN], uint8_t *plaintext)
{
	struct pair *pair;
	SR_TRY(pair_take(aead, &pair));
	struct sr_result result = key_message(aead, pair, nonce);
	if (sr_is_ok(result) && !sr_gcm_open(pair->message, nonce + 12, aad, ciphertext, tag, plaintext)) {
		result =
		    sr_fail(SR_CORRUPT, "open %zu sealed bytes: they are not what was sealed under this key and for this use",
		            ciphertext.len);
	}
	pair_give(aead, pair);
	return result;
}

struct sr_result sr_aead_seal(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes plaintext,
                              struct sr_buf *sealed)
{
	size_t len;
	size_t before = sealed->len;
	if (!sr_add_size(plaintext.len, SR_AEAD_OVERHEAD, &len)) {
		return sr_fail(SR_TOO_LARGE, "seal %zu bytes", plaintext.len);
	}
	uint8_t *nonce = sr_buf_extend(sealed, len);
	if (!nonce) {
		return sr_buf_result(sealed);
	}
	uint8_t *ciphertext = nonce + SR_AEAD_NONCE_LEN;
	struct sr_result result = sr_aead_seal_at(aead, aad, plaintext, ciphertext, nonce, ciphertext + plaintext.len);
	if (!sr_is_ok(result)) {
		sealed->len = before;
	}
	return result;
}

/* Takes nonce ‖ ciphertext ‖ tag apart and opens it into `to`, which has SR_AEAD_OVERHEAD less room. */
static struct sr_result open_whole(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes sealed, uint8_t *to)
{
	struct sr_bytes ciphertext = sr_bytes_of(sealed.data + SR_AEAD_NONCE_LEN, sealed.len - SR_AEAD_OVERHEAD);
	return sr_aead_open_at(aead, aad, sealed.data, ciphertext, ciphertext.data + ciphertext.len, to);
}

static struct sr_result check_sealed_len(struct sr_bytes sealed)
{
	return sealed.len < SR_AEAD_OVERHEAD
	           ? sr_fail(SR_CORRUPT, "open %zu sealed bytes: fewer than a nonce and a tag", sealed.len)
	           : sr_ok();
}

struct sr_result sr_aead_open(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes sealed,
                              struct sr_buf *plaintext)
{
	SR_TRY(check_sealed_len(sealed));
	size_t before = plaintext->len;
	uint8_t *to = sr_buf_extend(plaintext, sealed.len - SR_AEAD_OVERHEAD);
	SR_TRY(sr_buf_result(plaintext)); /* not `to`: room for nothing may be NULL, and still has a tag to check */
	struct sr_result result = open_whole(aead, aad, sealed, to);
	if (!sr_is_ok(result)) {
		plaintext->len = before;
	}
	return result;
}

struct sr_result sr_aead_seal_secret(struct sr_aead *aead, struct sr_bytes aad, const struct sr_secret *secret,
                                     struct sr_buf *sealed)
{
	return sr_aead_seal(aead, aad, sr_secret_bytes(secret), sealed);
}

struct sr_result sr_aead_open_secret(struct sr_aead *aead, struct sr_bytes aad, struct sr_bytes sealed,
                                     struct sr_secret **ret_secret)
{
	SR_TRY(check_sealed_len(sealed));
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_TRY(sr_secret_new(sealed.len - SR_AEAD_OVERHEAD, &secret));
	SR_TRY(open_whole(aead, aad, sealed, sr_secret_fill(secret)));
	*ret_secret = SR_TAKE(secret);
	return sr_ok();
}
