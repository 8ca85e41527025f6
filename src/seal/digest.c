/* Running digests of public or customer's bytes: SHA-1, SHA-2 and MD5 through EVP, CRC-64 by seal/crc64.c. */
#include "seal/crypto.h"

#include "seal/context.h"
#include "seal/crc64.h"
#include "seal/openssl_error.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

struct sr_digest {
	EVP_MD_CTX *context; /* NULL for CRC-64 */
	uint64_t crc;
};

/* NULL for CRC-64, which is no EVP digest. */
static const EVP_MD *md_of(enum sr_digest_kind kind)
{
	switch (kind) {
	case SR_DIGEST_SHA256:
		return sr_md_sha256();
	case SR_DIGEST_MD5:
		return sr_md_md5();
	case SR_DIGEST_SHA384:
		return sr_md_sha384();
	case SR_DIGEST_SHA512:
		return sr_md_sha512();
	case SR_DIGEST_SHA1:
		return sr_md_sha1();
	case SR_DIGEST_CRC64:
		return NULL;
	}
	return NULL;
}

/* Digests fail only when memory is gone or the library is broken; a wrong digest must never be given instead. */
static void must(int is_done)
{
	if (is_done != 1) {
		fputs("strongroom: the cryptographic library failed to compute a digest\n", stderr);
		abort();
	}
}

static size_t store_crc(uint64_t crc, uint8_t ret[static SR_CRC64_LEN])
{
	for (int i = 0; i < SR_CRC64_LEN; i++) {
		ret[i] = (uint8_t)(crc >> 8 * i);
	}
	return SR_CRC64_LEN;
}

struct sr_result sr_digest_new(enum sr_digest_kind kind, struct sr_digest **ret_digest)
{
	SR_CLEANUP(sr_digest) struct sr_digest *digest = sr_alloc(sizeof *digest);
	if (kind != SR_DIGEST_CRC64) {
		digest->context = EVP_MD_CTX_new();
		if (!digest->context || EVP_DigestInit_ex2(digest->context, md_of(kind), NULL) != 1) {
			return sr_fail_openssl(SR_CRYPTO, "start a digest");
		}
	}
	*ret_digest = SR_TAKE(digest);
	return sr_ok();
}

void sr_digest_update(struct sr_digest *digest, struct sr_bytes bytes)
{
	if (digest->context) {
		must(EVP_DigestUpdate(digest->context, bytes.data, bytes.len));
	} else {
		digest->crc = sr_crc64(digest->crc, bytes);
	}
}

size_t sr_digest_finish(struct sr_digest *digest, uint8_t ret[static SR_DIGEST_MAX])
{
	if (!digest->context) {
		return store_crc(digest->crc, ret);
	}
	unsigned len;
	must(EVP_DigestFinal_ex(digest->context, ret, &len));
	return len;
}

void sr_digest_free(struct sr_digest *digest)
{
	if (digest) {
		EVP_MD_CTX_free(digest->context);
		sr_free(digest);
	}
}

void sr_digest_cleanup(struct sr_digest **digest)
{
	sr_digest_free(*digest);
	*digest = NULL;
}

size_t sr_digest_of(enum sr_digest_kind kind, struct sr_bytes bytes, uint8_t ret[static SR_DIGEST_MAX])
{
	if (kind == SR_DIGEST_CRC64) {
		return store_crc(sr_crc64(0, bytes), ret);
	}
	unsigned len;
	must(EVP_Digest(bytes.data, bytes.len, ret, &len, md_of(kind), NULL));
	return len;
}
