/* A certificate with its issuers and its private key as PKCS#12 (RFC 7292) and PEM (RFC 7468), for whoever may take it
 * out of the vault. The bytes hold the private key in clear: buffers that carry them are wiped as they end. */
#include "seal/x509_parts.h"

#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#include <openssl/err.h>
#include <openssl/pem.h>

enum { ROUNDS = 2048, PFX_MAX = 1 << 20 };

static void pkcs12_cleanup(PKCS12 **pfx)
{
	PKCS12_free(*pfx);
}

static void certificates_cleanup(STACK_OF(X509) * *certificates)
{
	sk_X509_pop_free(*certificates, X509_free);
}

/* The issuers as OpenSSL's objects; the caller frees. */
static struct sr_result issuers_of(const struct sr_x509_chain *chain, STACK_OF(X509) * *ret_issuers)
{
	SR_CLEANUP(certificates) STACK_OF(X509) *issuers = sk_X509_new_null();
	for (size_t i = 0; i < chain->count; i++) {
		SR_CLEANUP(x509) X509 *x509 = NULL;
		SR_TRY(sr_x509_parse(chain->issuers[i], &x509));
		if (!issuers || sk_X509_push(issuers, x509) == 0) {
			return sr_fail_openssl(SR_CRYPTO, "collect a certificate's issuers");
		}
		x509 = NULL; /* the stack's now */
	}
	*ret_issuers = SR_TAKE(issuers);
	return sr_ok();
}

static struct sr_result check_is_private(const struct sr_keypair *keypair)
{
	return !keypair || (keypair->pkey && keypair->is_private)
	           ? sr_ok()
	           : sr_fail(SR_INVALID, "write out a key that has no private part");
}

struct sr_result sr_x509_pkcs12(const struct sr_keypair *keypair, const struct sr_x509_chain *chain, struct sr_buf *pfx)
{
	SR_TRY(check_is_private(keypair));
	SR_CLEANUP(x509) X509 *own = NULL;
	SR_CLEANUP(certificates) STACK_OF(X509) *issuers = NULL;
	SR_TRY(sr_x509_parse(chain->own, &own));
	SR_TRY(issuers_of(chain, &issuers));
	SR_CLEANUP(pkcs12)
	PKCS12 *native = PKCS12_create("", NULL, keypair ? keypair->pkey : NULL, own, issuers, NID_aes_256_cbc,
	                               NID_aes_256_cbc, ROUNDS, ROUNDS, 0);
	int len = native ? i2d_PKCS12(native, NULL) : -1;
	if (len <= 0 || len > PFX_MAX) {
		return sr_fail_openssl(SR_CRYPTO, "make a PKCS#12 file");
	}
	uint8_t *at = sr_buf_extend(pfx, (size_t)len);
	if (!at) {
		return sr_buf_result(pfx);
	}
	return i2d_PKCS12(native, &at) == len ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "encode a PKCS#12 file");
}

static struct sr_result append_bio(BIO *bio, struct sr_buf *to)
{
	char *text = NULL;
	long len = BIO_get_mem_data(bio, &text);
	sr_buf_append(to, sr_bytes_of(text, len > 0 ? (size_t)len : 0));
	return sr_buf_result(to);
}

/* PEM of one certificate. */
static struct sr_result append_certificate(struct sr_bytes der, struct sr_buf *pem)
{
	SR_CLEANUP(x509) X509 *x509 = NULL;
	SR_CLEANUP(bio) BIO *bio = BIO_new(BIO_s_mem());
	SR_TRY(sr_x509_parse(der, &x509));
	if (!bio || PEM_write_bio_X509(bio, x509) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "encode a certificate");
	}
	return append_bio(bio, pem);
}

struct sr_result sr_x509_pem(const struct sr_keypair *keypair, const struct sr_x509_chain *chain, struct sr_buf *pem)
{
	SR_TRY(check_is_private(keypair));
	if (keypair) {
		SR_CLEANUP(bio) BIO *bio = BIO_new(BIO_s_mem());
		if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, keypair->pkey, NULL, NULL, 0, NULL, NULL) != 1) {
			return sr_fail_openssl(SR_CRYPTO, "encode a private key");
		}
		SR_TRY(append_bio(bio, pem));
	}
	SR_TRY(append_certificate(chain->own, pem));
	for (size_t i = 0; i < chain->count; i++) {
		SR_TRY(append_certificate(chain->issuers[i], pem));
	}
	return sr_ok();
}
