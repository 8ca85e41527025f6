/* Fetched algorithms and each thread's spare contexts. What is done with them is in the files named after it. */
#include "seal/context.h"

#include "seal/openssl_error.h"

#include "base/memory.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <pthread.h>

static const char *const cipher_names[SR_CIPHER_COUNT] = {
    [SR_CIPHER_AES256_ECB] = "AES-256-ECB",      [SR_CIPHER_AES128_GCM] = "AES-128-GCM",
    [SR_CIPHER_AES192_GCM] = "AES-192-GCM",      [SR_CIPHER_AES256_GCM] = "AES-256-GCM",
    [SR_CIPHER_AES128_CBC] = "AES-128-CBC",      [SR_CIPHER_AES192_CBC] = "AES-192-CBC",
    [SR_CIPHER_AES256_CBC] = "AES-256-CBC",      [SR_CIPHER_AES128_KW] = "AES-128-WRAP",
    [SR_CIPHER_AES192_KW] = "AES-192-WRAP",      [SR_CIPHER_AES256_KW] = "AES-256-WRAP",
    [SR_CIPHER_AES128_KWP] = "AES-128-WRAP-PAD", [SR_CIPHER_AES192_KWP] = "AES-192-WRAP-PAD",
    [SR_CIPHER_AES256_KWP] = "AES-256-WRAP-PAD",
};

enum { MD_SHA1, MD_SHA256, MD_SHA384, MD_SHA512, MD_MD5, MD_COUNT };
static const char *const md_names[MD_COUNT] = {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512", "MD5"};

/* Written once by sr_context_init, before there are threads that read them. */
static EVP_CIPHER *ciphers[SR_CIPHER_COUNT];
static EVP_MD *mds[MD_COUNT];
static EVP_MAC *hmac;
static EVP_KDF *hkdf;
static pthread_key_t thread_end;

struct spares {
	EVP_CIPHER_CTX *ciphers[SR_CIPHER_COUNT];
	EVP_MAC_CTX *hmac;
	EVP_KDF_CTX *hkdf;
};

static void free_spares(void *argument)
{
	struct spares *spares = argument;
	for (int i = 0; i < SR_CIPHER_COUNT; i++) {
		EVP_CIPHER_CTX_free(spares->ciphers[i]);
	}
	EVP_MAC_CTX_free(spares->hmac);
	EVP_KDF_CTX_free(spares->hkdf);
	sr_free(spares);
}

static struct spares *my_spares(void)
{
	struct spares *spares = pthread_getspecific(thread_end);
	if (!spares) {
		spares = sr_alloc(sizeof *spares);
		pthread_setspecific(thread_end, spares);
	}
	return spares;
}

struct sr_result sr_context_init(void)
{
	for (int i = 0; i < SR_CIPHER_COUNT; i++) {
		ciphers[i] = EVP_CIPHER_fetch(NULL, cipher_names[i], NULL);
		if (!ciphers[i]) {
			return sr_fail_openssl(SR_CRYPTO, "fetch %s", cipher_names[i]);
		}
	}
	for (int i = 0; i < MD_COUNT; i++) {
		mds[i] = EVP_MD_fetch(NULL, md_names[i], NULL);
		if (!mds[i]) {
			return sr_fail_openssl(SR_CRYPTO, "fetch %s", md_names[i]);
		}
	}
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	if (!hmac || !hkdf) {
		return sr_fail_openssl(SR_CRYPTO, "fetch HMAC and HKDF");
	}
	int error_number = pthread_key_create(&thread_end, free_spares);
	return error_number ? sr_fail_errno(error_number, "watch for ends of threads") : sr_ok();
}

struct sr_result sr_cipher_context_take(enum sr_cipher cipher, EVP_CIPHER_CTX **ret_context)
{
	EVP_CIPHER_CTX **spare = &my_spares()->ciphers[cipher];
	if (*spare) {
		*ret_context = SR_TAKE(*spare);
		return sr_ok();
	}
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	if (context) {
		EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	}
	if (!context || EVP_CipherInit_ex2(context, ciphers[cipher], NULL, NULL, 1, NULL) != 1) {
		EVP_CIPHER_CTX_free(context);
		return sr_fail_openssl(SR_CRYPTO, "set up %s", cipher_names[cipher]);
	}
	*ret_context = context;
	return sr_ok();
}

void sr_cipher_context_give(enum sr_cipher cipher, EVP_CIPHER_CTX *context)
{
	static const unsigned char no_key[32];
	if (!context) {
		return;
	}
	EVP_CIPHER_CTX **spare = &my_spares()->ciphers[cipher];
	if (*spare || EVP_CipherInit_ex2(context, NULL, no_key, NULL, -1, NULL) != 1) {
		EVP_CIPHER_CTX_free(context);
		return;
	}
	*spare = context;
}

EVP_MAC_CTX *sr_hmac_context(void)
{
	struct spares *spares = my_spares();
	if (!spares->hmac) {
		char digest[] = "SHA2-256";
		OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		                       OSSL_PARAM_construct_end()};
		EVP_MAC_CTX *context = EVP_MAC_CTX_new(hmac);
		if (!context || EVP_MAC_CTX_set_params(context, params) != 1) {
			EVP_MAC_CTX_free(context);
			return NULL;
		}
		spares->hmac = context;
	}
	return spares->hmac;
}

EVP_KDF_CTX *sr_hkdf_context(void)
{
	struct spares *spares = my_spares();
	if (!spares->hkdf) {
		spares->hkdf = EVP_KDF_CTX_new(hkdf);
	}
	return spares->hkdf;
}

const EVP_MD *sr_md_sha1(void)
{
	return mds[MD_SHA1];
}

const EVP_MD *sr_md_sha256(void)
{
	return mds[MD_SHA256];
}

const EVP_MD *sr_md_sha384(void)
{
	return mds[MD_SHA384];
}

const EVP_MD *sr_md_sha512(void)
{
	return mds[MD_SHA512];
}

const EVP_MD *sr_md_md5(void)
{
	return mds[MD_MD5];
}
