/* scrypt by OpenSSL's KDF. Cost as OWASP's Password Storage Cheat Sheet has it for 32 MiB. */
#include "seal/password.h"

#include "seal/crypto.h"
#include "seal/openssl_error.h"

#include "base/random.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum { VERSION = 1, LOG2_N = 15, R = 8, P = 3, HASH_LEN = 32, HEADER_LEN = 4, LOG2_N_MAX = 18, R_MAX = 16, P_MAX = 16 };

static void kdf_cleanup(EVP_KDF **kdf)
{
	EVP_KDF_free(*kdf);
}

static void context_cleanup(EVP_KDF_CTX **context)
{
	EVP_KDF_CTX_free(*context);
}

static OSSL_PARAM octets(const char *name, struct sr_bytes bytes)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)(bytes.data ? bytes.data : (const uint8_t *)""),
	                                         bytes.len);
}

/* `header` is version ‖ log2 N ‖ r ‖ p ‖ salt. */
static struct sr_result scrypt(struct sr_bytes password, const uint8_t *header, uint8_t ret[static HASH_LEN])
{
	SR_CLEANUP(kdf) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	SR_CLEANUP(context) EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	uint64_t n = UINT64_C(1) << header[1];
	uint64_t max_memory = UINT64_C(1) << 30;
	uint32_t r = header[2];
	uint32_t p = header[3];
	OSSL_PARAM params[] = {
	    octets(OSSL_KDF_PARAM_PASSWORD, password),
	    octets(OSSL_KDF_PARAM_SALT, sr_bytes_of(header + HEADER_LEN, SR_PASSWORD_SALT_LEN)),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max_memory),
	    OSSL_PARAM_construct_end(),
	};
	if (!context || EVP_KDF_derive(context, ret, HASH_LEN, params) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "hash a password");
	}
	return sr_ok();
}

/* Header and salt; the rest random too. */
static void begin(uint8_t hash[static SR_PASSWORD_HASH_LEN])
{
	hash[0] = VERSION;
	hash[1] = LOG2_N;
	hash[2] = R;
	hash[3] = P;
	sr_random(hash + HEADER_LEN, SR_PASSWORD_HASH_LEN - HEADER_LEN);
}

void sr_password_unmatchable(uint8_t ret_hash[static SR_PASSWORD_HASH_LEN])
{
	begin(ret_hash);
}

struct sr_result sr_password_hash(struct sr_bytes password, uint8_t ret_hash[static SR_PASSWORD_HASH_LEN])
{
	begin(ret_hash);
	return scrypt(password, ret_hash, ret_hash + HEADER_LEN + SR_PASSWORD_SALT_LEN);
}

struct sr_result sr_password_matches(struct sr_bytes password, const uint8_t hash[static SR_PASSWORD_HASH_LEN],
                                     bool *ret_matches)
{
	uint8_t again[HASH_LEN];
	if (hash[0] != VERSION || hash[1] == 0 || hash[1] > LOG2_N_MAX || hash[2] == 0 || hash[2] > R_MAX || hash[3] == 0 ||
	    hash[3] > P_MAX) {
		return sr_fail(SR_CORRUPT, "check a password: its hash has a form that is not known");
	}
	SR_TRY(scrypt(password, hash, again));
	*ret_matches =
	    sr_equal_ct(sr_bytes_of(again, HASH_LEN), sr_bytes_of(hash + HEADER_LEN + SR_PASSWORD_SALT_LEN, HASH_LEN));
	sr_wipe(again, sizeof again);
	return sr_ok();
}
