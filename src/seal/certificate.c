/*
 * Certificates as objects: from and to DER, PEM and the sealed form, what can be asked of them.
 * Making them (CA, requests, signing) is in certificate_authority.c.
 */
#include "seal/certificate.h"

#include "seal/certificate_parts.h"
#include "seal/keypair_parts.h"
#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#include "base/memory.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <limits.h>
#include <string.h>
#include <time.h>

struct sr_certificate {
	unsigned references; /* atomic */
	X509 *own;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
};

enum { SEALED_VERSION = 1, CERTIFICATES_MAX = 1 << 16, CHAIN_MAX = 16 };

static void bio_cleanup(BIO **bio)
{
	BIO_free(*bio);
}

X509 *sr_certificate_x509(const struct sr_certificate *certificate)
{
	return certificate->own;
}

STACK_OF(X509) * sr_certificate_chain(const struct sr_certificate *certificate)
{
	return certificate->chain;
}

EVP_PKEY *sr_certificate_key(const struct sr_certificate *certificate)
{
	return certificate->key;
}

struct sr_certificate *sr_certificate_share(struct sr_certificate *certificate)
{
	__atomic_fetch_add(&certificate->references, 1, __ATOMIC_RELAXED);
	return certificate;
}

void sr_certificate_free(struct sr_certificate *certificate)
{
	if (certificate && __atomic_sub_fetch(&certificate->references, 1, __ATOMIC_ACQ_REL) == 0) {
		X509_free(certificate->own);
		sk_X509_pop_free(certificate->chain, X509_free);
		EVP_PKEY_free(certificate->key);
		sr_free(certificate);
	}
}

void sr_certificate_cleanup(struct sr_certificate **certificate)
{
	sr_certificate_free(*certificate);
	*certificate = NULL;
}

struct sr_result sr_certificate_add_issuer(struct sr_certificate *certificate, X509 *issuer)
{
	if (sk_X509_num(certificate->chain) >= CHAIN_MAX) {
		return sr_fail(SR_INVALID, "certificate chain is longer than %d", CHAIN_MAX);
	}
	if (X509_up_ref(issuer) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "share a certificate");
	}
	if (sk_X509_push(certificate->chain, issuer) == 0) {
		X509_free(issuer);
		return sr_fail_openssl(SR_CRYPTO, "add to a certificate chain");
	}
	return sr_ok();
}

struct sr_result sr_certificate_make(X509 *own, X509 *issuer, EVP_PKEY *key, struct sr_certificate **ret_certificate)
{
	if (key && X509_check_private_key(own, key) != 1) {
		return sr_fail_openssl(SR_INVALID, "join a certificate with its private key");
	}
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = sr_alloc(sizeof *certificate);
	certificate->references = 1;
	certificate->chain = sk_X509_new_null();
	if (!certificate->chain || X509_up_ref(own) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "make a certificate");
	}
	certificate->own = own;
	if (key) {
		if (EVP_PKEY_up_ref(key) != 1) {
			return sr_fail_openssl(SR_CRYPTO, "share a key");
		}
		certificate->key = key;
	}
	if (issuer) {
		SR_TRY(sr_certificate_add_issuer(certificate, issuer));
	}
	/* Extensions are parsed lazily, and not under a lock in all of OpenSSL: do it before threads share it. */
	X509_check_purpose(own, -1, 0);
	*ret_certificate = SR_TAKE(certificate);
	return sr_ok();
}

struct sr_result sr_x509_parse(struct sr_bytes der, X509 **ret_x509)
{
	const uint8_t *at = der.data;
	SR_CLEANUP(x509) X509 *x509 = der.len <= CERTIFICATES_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
	if (!x509 || at != der.data + der.len) {
		return sr_fail_openssl(SR_INVALID, "parse a certificate of %zu bytes", der.len);
	}
	*ret_x509 = SR_TAKE(x509);
	return sr_ok();
}

struct sr_result sr_x509_append_der(X509 *x509, struct sr_buf *der)
{
	int len = i2d_X509(x509, NULL);
	uint8_t *at = len > 0 ? sr_buf_extend(der, (size_t)len) : NULL;
	if (!at) {
		return len > 0 ? sr_buf_result(der) : sr_fail_openssl(SR_CRYPTO, "encode a certificate");
	}
	return i2d_X509(x509, &at) == len ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "encode a certificate");
}

struct sr_result sr_certificate_from_der(struct sr_bytes der, struct sr_certificate **ret_certificate)
{
	SR_CLEANUP(x509) X509 *own = NULL;
	SR_TRY(sr_x509_parse(der, &own));
	return sr_certificate_make(own, NULL, NULL, ret_certificate);
}

/* The sealed form: version ‖ block: sealed blocks of DER, own first ‖ block: sealed private key, empty if it has none.
 */
static struct sr_result seal_certificates(const struct sr_certificate *certificate, struct sr_aead *master,
                                          struct sr_bytes aad, struct sr_buf *sealed)
{
	SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(CERTIFICATES_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf part = SR_BUF(CERTIFICATES_MAX + SR_AEAD_OVERHEAD);
	for (int i = -1; i < sk_X509_num(certificate->chain); i++) {
		SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(CERTIFICATES_MAX);
		SR_TRY(sr_x509_append_der(i < 0 ? certificate->own : sk_X509_value(certificate->chain, i), &der));
		sr_buf_append_block(&plain, sr_buf_bytes(&der));
	}
	SR_TRY(sr_buf_result(&plain));
	SR_TRY(sr_aead_seal(master, aad, sr_buf_bytes(&plain), &part));
	sr_buf_append_block(sealed, sr_buf_bytes(&part));
	return sr_buf_result(sealed);
}

static struct sr_result seal_key(EVP_PKEY *key, struct sr_aead *master, struct sr_bytes aad, struct sr_buf *sealed)
{
	SR_CLEANUP(sr_secret) struct sr_secret *der = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf part = SR_BUF(SR_SECRET_MAX + SR_AEAD_OVERHEAD);
	int len = i2d_PrivateKey(key, NULL);
	if (len <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "encode a private key");
	}
	SR_TRY(sr_secret_new((size_t)len, &der));
	uint8_t *at = sr_secret_fill(der);
	if (i2d_PrivateKey(key, &at) != len) {
		return sr_fail_openssl(SR_CRYPTO, "encode a private key");
	}
	SR_TRY(sr_aead_seal_secret(master, aad, der, &part));
	sr_buf_append_block(sealed, sr_buf_bytes(&part));
	return sr_buf_result(sealed);
}

struct sr_result sr_certificate_seal(const struct sr_certificate *certificate, struct sr_aead *master,
                                     struct sr_bytes aad, struct sr_buf *sealed)
{
	sr_buf_append_u8(sealed, SEALED_VERSION);
	SR_TRY(seal_certificates(certificate, master, aad, sealed));
	if (certificate->key) {
		return seal_key(certificate->key, master, aad, sealed);
	}
	sr_buf_append_block(sealed, (struct sr_bytes){0});
	return sr_buf_result(sealed);
}

static struct sr_result open_key(struct sr_aead *master, struct sr_bytes aad, struct sr_bytes part, EVP_PKEY **ret_key)
{
	SR_CLEANUP(sr_secret) struct sr_secret *der = NULL;
	SR_TRY(sr_aead_open_secret(master, aad, part, &der));
	const uint8_t *at = sr_secret_bytes(der).data;
	*ret_key = d2i_AutoPrivateKey(NULL, &at, (long)sr_secret_len(der));
	return *ret_key ? sr_ok() : sr_fail_openssl(SR_CORRUPT, "parse a sealed private key");
}

static struct sr_result open_certificates(struct sr_bytes plain, EVP_PKEY *key, struct sr_certificate **ret_certificate)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
	struct sr_reader reader = sr_reader_of(plain);
	do {
		SR_CLEANUP(x509) X509 *x509 = NULL;
		SR_TRY(sr_x509_parse(sr_reader_block(&reader, CERTIFICATES_MAX), &x509));
		SR_TRY(certificate ? sr_certificate_add_issuer(certificate, x509)
		                   : sr_certificate_make(x509, NULL, key, &certificate));
	} while (reader.left && !reader.failed);
	SR_TRY(sr_reader_finish(&reader, "sealed certificate"));
	*ret_certificate = SR_TAKE(certificate);
	return sr_ok();
}

struct sr_result sr_certificate_open(struct sr_aead *master, struct sr_bytes aad, struct sr_bytes sealed,
                                     struct sr_certificate **ret_certificate)
{
	struct sr_reader reader = sr_reader_of(sealed);
	uint8_t version = sr_reader_u8(&reader);
	struct sr_bytes certificates = sr_reader_block(&reader, CERTIFICATES_MAX + SR_AEAD_OVERHEAD);
	struct sr_bytes sealed_key = sr_reader_block(&reader, SR_SECRET_MAX + SR_AEAD_OVERHEAD);
	if (version != SEALED_VERSION || reader.failed || reader.left) {
		return sr_fail(SR_CORRUPT, "sealed certificate is malformed");
	}
	SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(CERTIFICATES_MAX);
	SR_TRY(sr_aead_open(master, aad, certificates, &plain));
	SR_CLEANUP(pkey) EVP_PKEY *key = NULL;
	if (sealed_key.len) {
		SR_TRY(open_key(master, aad, sealed_key, &key));
	}
	return open_certificates(sr_buf_bytes(&plain), key, ret_certificate);
}

/* An encrypted PEM is refused rather than asked for on the terminal. */
static int no_passphrase(char *to, int len, int is_writing, void *context)
{
	(void)to;
	(void)len;
	(void)is_writing;
	(void)context;
	return -1;
}

static BIO *bio_of(struct sr_bytes bytes)
{
	return bytes.len <= INT_MAX ? BIO_new_mem_buf(bytes.data ? (const void *)bytes.data : "", (int)bytes.len) : NULL;
}

static struct sr_result read_key_pem(struct sr_bytes pem, EVP_PKEY **ret_key)
{
	SR_CLEANUP(bio) BIO *bio = bio_of(pem);
	*ret_key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	return *ret_key ? sr_ok() : sr_fail_openssl(SR_INVALID, "read a private key from PEM (without passphrase)");
}

struct sr_result sr_certificate_from_pem(struct sr_bytes chain_pem, struct sr_bytes key_pem,
                                         struct sr_certificate **ret_certificate)
{
	SR_CLEANUP(pkey) EVP_PKEY *key = NULL;
	if (key_pem.len) {
		SR_TRY(read_key_pem(key_pem, &key));
	}
	SR_CLEANUP(bio) BIO *bio = bio_of(chain_pem);
	SR_CLEANUP(x509) X509 *own = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
	if (!own) {
		return sr_fail_openssl(SR_INVALID, "read a certificate from PEM");
	}
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
	SR_TRY(sr_certificate_make(own, NULL, key, &certificate));
	for (;;) {
		SR_CLEANUP(x509) X509 *issuer = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (!issuer) {
			break;
		}
		SR_TRY(sr_certificate_add_issuer(certificate, issuer));
	}
	sr_forget_openssl_errors(); /* the end of the file is one */
	*ret_certificate = SR_TAKE(certificate);
	return sr_ok();
}

struct sr_result sr_certificate_pem(const struct sr_certificate *certificate, struct sr_buf *pem)
{
	SR_CLEANUP(bio) BIO *bio = BIO_new(BIO_s_mem());
	if (!bio || PEM_write_bio_X509(bio, certificate->own) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "encode a certificate");
	}
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	sr_buf_append(pem, sr_bytes_of(text, (size_t)len));
	return sr_buf_result(pem);
}

struct sr_result sr_certificate_der(const struct sr_certificate *certificate, struct sr_buf *der)
{
	return sr_x509_append_der(certificate->own, der);
}

static void digest_of_der(const struct sr_certificate *certificate, enum sr_digest_kind kind, size_t len, uint8_t *to)
{
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(CERTIFICATES_MAX);
	uint8_t digest[SR_DIGEST_MAX];
	sr_ignore(sr_x509_append_der(certificate->own, &der)); /* it was parsed from or encoded to DER before */
	sr_digest_of(kind, sr_buf_bytes(&der), digest);
	memcpy(to, digest, len);
}

void sr_certificate_thumbprint(const struct sr_certificate *certificate, uint8_t ret_sha1[static 20])
{
	digest_of_der(certificate, SR_DIGEST_SHA1, 20, ret_sha1);
}

void sr_certificate_thumbprint_sha256(const struct sr_certificate *certificate,
                                      uint8_t ret_sha256[static SR_SHA256_LEN])
{
	digest_of_der(certificate, SR_DIGEST_SHA256, SR_SHA256_LEN, ret_sha256);
}

/* The curve of an EC key, SR_CURVE_NONE for one that is not ours. */
static enum sr_curve curve_of(EVP_PKEY *key)
{
	static const enum sr_curve curves[] = {SR_CURVE_P256, SR_CURVE_P384, SR_CURVE_P521, SR_CURVE_P256K};
	char group[64];
	size_t len;
	if (EVP_PKEY_get_group_name(key, group, sizeof group, &len) != 1) {
		return SR_CURVE_NONE;
	}
	for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
		if (strcmp(group, sr_curve_group(curves[i])) == 0) {
			return curves[i];
		}
	}
	return SR_CURVE_NONE;
}

struct sr_result sr_certificate_public_key(const struct sr_certificate *certificate, struct sr_keypair **ret_keypair)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate->own);
	struct sr_key_public parts = {0};
	int type = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
	if (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) <= (int)sizeof parts.n * 8) {
		SR_TRY(sr_rsa_public(key, &parts));
	} else if (type == EVP_PKEY_EC && curve_of(key) != SR_CURVE_NONE) {
		SR_TRY(sr_ec_public(key, curve_of(key), &parts));
	} else {
		sr_forget_openssl_errors();
		return sr_fail(SR_INVALID, "a certificate's key is RSA of 2048 to 4096 bits, or EC on P-256, P-384, P-521 or "
		                           "P-256K");
	}
	return sr_keypair_from_public(&parts, ret_keypair);
}

static int64_t unix_time(const ASN1_TIME *time)
{
	struct tm parts = {0};
	return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

int64_t sr_certificate_not_after(const struct sr_certificate *certificate)
{
	return unix_time(X509_get0_notAfter(certificate->own));
}

int64_t sr_certificate_not_before(const struct sr_certificate *certificate)
{
	return unix_time(X509_get0_notBefore(certificate->own));
}
