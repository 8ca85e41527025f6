/* scrypt through OpenSSL's EVP; its working memory is wiped as it is freed (wiping_heap.c). */
#include "seal/passphrase.h"

#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum { BLOCK_FACTOR = 8, PARALLEL = 1, LEAST_LOG_N = 10 };

static bool derive(EVP_KDF_CTX *context, struct sr_bytes passphrase, const uint8_t *salt, uint64_t n, uint8_t *to)
{
	uint64_t max_memory = UINT64_C(128) * BLOCK_FACTOR * (n + PARALLEL + 2) + (1U << 20);
	uint32_t r = BLOCK_FACTOR, p = PARALLEL;
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)passphrase.data, passphrase.len),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, SR_PASSPHRASE_SALT_LEN),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max_memory),
	    OSSL_PARAM_construct_end(),
	};
	return EVP_KDF_derive(context, to, SR_KEY_LEN, params) == 1;
}

struct sr_result sr_passphrase_key(const struct sr_secret *passphrase,
                                   const uint8_t salt[static SR_PASSPHRASE_SALT_LEN], unsigned log_n,
                                   struct sr_secret **ret_key)
{
	if (log_n < LEAST_LOG_N || log_n > SR_PASSPHRASE_LOG_N_MOST) {
		return sr_fail(SR_INVALID, "a passphrase's cost of 2^%u is none of ours", log_n);
	}
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_secret_new(SR_KEY_LEN, &key));
	EVP_KDF *scrypt = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	EVP_KDF_CTX *context = scrypt ? EVP_KDF_CTX_new(scrypt) : NULL;
	bool is_derived =
	    context && derive(context, sr_secret_bytes(passphrase), salt, UINT64_C(1) << log_n, sr_secret_fill(key));
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(scrypt);
	if (!is_derived) {
		return sr_fail_openssl(SR_CRYPTO, "derive a key from a passphrase");
	}
	*ret_key = SR_TAKE(key);
	return sr_ok();
}
