/* An application or an outside issuer of these tests: a key by OpenSSL itself, its certificate, and tokens signed by
 * it. */
#ifndef SR_TESTS_IDENTITY_SIGNER_H
#define SR_TESTS_IDENTITY_SIGNER_H

#include "fixture.h"
#include "wire/jwt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

struct signer {
	EVP_PKEY *key;
	char *pem; /* the certificate */
	char x5t[64], x5t_s256[64];
};

static inline void signer_cleanup(struct signer *signer)
{
	EVP_PKEY_free(signer->key);
	sr_free(signer->pem);
}

static inline void thumbprint_of(X509 *x509, const EVP_MD *md, char *to)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;
	assert_int_equal(X509_digest(x509, md, digest, &len), 1);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(64);
	sr_base64url_encode(&text, sr_bytes_of(digest, len));
	snprintf(to, 64, "%s", sr_buf_text(&text));
}

/* A key ("RSA" or "EC") with a self-signed certificate that is valid from a day before `now_s` for `days`. */
static inline struct signer signer_new(const char *type, int64_t now_s, int days)
{
	struct signer signer = {.key = strcmp(type, "EC") == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048)};
	X509 *x509 = X509_new();
	time_t from = (time_t)now_s;
	X509_set_pubkey(x509, signer.key);
	X509_time_adj_ex(X509_getm_notBefore(x509), -1, 0, &from);
	X509_time_adj_ex(X509_getm_notAfter(x509), days, 0, &from);
	assert_true(X509_sign(x509, signer.key, EVP_sha256()) > 0);
	thumbprint_of(x509, EVP_sha1(), signer.x5t);
	thumbprint_of(x509, EVP_sha256(), signer.x5t_s256);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	signer.pem = sr_strdupf("%.*s", (int)len, text);
	BIO_free(bio);
	X509_free(x509);
	return signer;
}

static inline void append_ec_signature(struct sr_buf *signature, const uint8_t *der, size_t len)
{
	ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)len);
	uint8_t *to = sr_buf_extend(signature, 64);
	BN_bn2binpad(ECDSA_SIG_get0_r(numbers), to, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(numbers), to + 32, 32);
	ECDSA_SIG_free(numbers);
}

/* Header and claims as JSON texts, signed by the algorithm that `alg` names, whatever the header says; in the arena. */
static inline const char *signed_token(struct fixture *fixture, const struct signer *signer, const char *alg,
                                       const char *header, const char *claims)
{
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(512);
	sr_base64url_encode(&token, sr_bytes_str(header));
	sr_buf_append_u8(&token, '.');
	sr_base64url_encode(&token, sr_bytes_str(claims));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options;
	uint8_t raw[512];
	size_t len = sizeof raw;
	assert_int_equal(EVP_DigestSignInit(context, &options, EVP_sha256(), NULL, signer->key), 1);
	if (strcmp(alg, "PS256") == 0) {
		EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
	}
	assert_int_equal(EVP_DigestSign(context, raw, &len, token.data, token.len), 1);
	EVP_MD_CTX_free(context);
	if (strcmp(alg, "ES256") == 0) {
		append_ec_signature(&signature, raw, len);
	} else {
		sr_buf_append(&signature, sr_bytes_of(raw, len));
	}
	sr_jwt_append_signature(&token, sr_buf_bytes(&signature));
	return sr_arena_strdup(fixture->arena, sr_buf_text(&token));
}

/* The key as a JWKS. */
static inline const char *jwks_of(struct fixture *fixture, const struct signer *signer, const char *kid)
{
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	uint8_t bytes[512];
	SR_CLEANUP(sr_buf) struct sr_buf n_text = SR_BUF(1024);
	SR_CLEANUP(sr_buf) struct sr_buf e_text = SR_BUF(64);
	assert_int_equal(EVP_PKEY_get_bn_param(signer->key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(signer->key, OSSL_PKEY_PARAM_RSA_E, &e), 1);
	sr_base64url_encode(&n_text, sr_bytes_of(bytes, (size_t)BN_bn2bin(n, bytes)));
	sr_base64url_encode(&e_text, sr_bytes_of(bytes, (size_t)BN_bn2bin(e, bytes)));
	BN_free(n);
	BN_free(e);
	return sr_arena_printf(fixture->arena,
	                       "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"%s\",\"n\":\"%s\","
	                       "\"e\":\"%s\"}]}",
	                       kid, sr_buf_text(&n_text), sr_buf_text(&e_text));
}

#endif
