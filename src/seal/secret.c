/*
 * Secrets: a length and a slot of protected memory (seal/secret_slab.c). Their making, copying,
 * comparing and wiping. Uses of their bytes are in the files that know a cipher.
 */
#include "seal/secret.h"

#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"
#include "seal/secret_slab.h"

#include "base/memory.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <string.h>

struct sr_secret {
	size_t len;
	struct sr_slot slot;
};

struct sr_result sr_secret_new(size_t len, struct sr_secret **ret_secret)
{
	struct sr_slot slot;
	SR_TRY(sr_slot_take(len, &slot));
	struct sr_secret *secret = sr_alloc(sizeof *secret);
	secret->len = len;
	secret->slot = slot;
	*ret_secret = secret;
	return sr_ok();
}

struct sr_bytes sr_secret_bytes(const struct sr_secret *secret)
{
	return sr_bytes_of(secret->slot.bytes, secret->len);
}

uint8_t *sr_secret_fill(struct sr_secret *secret)
{
	return secret->slot.bytes;
}

void sr_secret_shorten(struct sr_secret *secret, size_t len)
{
	if (len < secret->len) {
		OPENSSL_cleanse(secret->slot.bytes + len, secret->len - len);
		secret->len = len;
	}
}

struct sr_result sr_secret_random(size_t len, struct sr_secret **ret_secret)
{
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_TRY(sr_secret_new(len, &secret));
	if (RAND_priv_bytes_ex(NULL, secret->slot.bytes, len, 0) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "make %zu random bytes", len);
	}
	*ret_secret = SR_TAKE(secret);
	return sr_ok();
}

struct sr_result sr_secret_from_bytes(struct sr_bytes bytes, struct sr_secret **ret_secret)
{
	struct sr_secret *secret;
	SR_TRY(sr_secret_new(bytes.len, &secret));
	if (bytes.len) {
		memcpy(secret->slot.bytes, bytes.data, bytes.len);
	}
	*ret_secret = secret;
	return sr_ok();
}

struct sr_result sr_secret_copy(const struct sr_secret *secret, struct sr_secret **ret_secret)
{
	return sr_secret_from_bytes(sr_secret_bytes(secret), ret_secret);
}

size_t sr_secret_len(const struct sr_secret *secret)
{
	return secret->len;
}

void sr_secret_free(struct sr_secret *secret)
{
	if (secret) {
		sr_slot_give(&secret->slot);
		sr_free(secret);
	}
}

void sr_secret_cleanup(struct sr_secret **secret)
{
	sr_secret_free(*secret);
	*secret = NULL;
}

bool sr_secret_equal(const struct sr_secret *a, const struct sr_secret *b)
{
	return sr_equal_ct(sr_secret_bytes(a), sr_secret_bytes(b));
}

bool sr_equal_ct(struct sr_bytes a, struct sr_bytes b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void sr_wipe(void *bytes, size_t len)
{
	if (len) {
		explicit_bzero(bytes, len); /* of the C library: as sure as OPENSSL_cleanse, and not byte by byte */
	}
}
