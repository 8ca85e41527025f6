/* Certificates with their private keys on the way from the vault to our services: block of the sealed key ‖ a block of
 * DER for each certificate, the service's own first. */
#include "seal/x509_parts.h"

#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#define PURPOSE "strongroom/v1/certificate"

enum { SEALED_MAX = 2 * SR_SECRET_MAX, CERTIFICATES_MAX = 1 << 17 };

static struct sr_result join(EVP_PKEY *key, const struct sr_x509_chain *chain, struct sr_certificate **ret_certificate)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
	SR_CLEANUP(x509) X509 *own = NULL;
	SR_TRY(sr_x509_parse(chain->own, &own));
	SR_TRY(sr_certificate_make(own, NULL, key, &certificate));
	for (size_t i = 0; i < chain->count; i++) {
		SR_CLEANUP(x509) X509 *issuer = NULL;
		SR_TRY(sr_x509_parse(chain->issuers[i], &issuer));
		SR_TRY(sr_certificate_add_issuer(certificate, issuer));
	}
	*ret_certificate = SR_TAKE(certificate);
	return sr_ok();
}

struct sr_result sr_x509_join(const struct sr_keypair *keypair, const struct sr_x509_chain *chain,
                              struct sr_certificate **ret_certificate)
{
	if (!keypair->pkey || !keypair->is_private) {
		return sr_fail(SR_INVALID, "join a certificate with a key that has no private part");
	}
	return join(keypair->pkey, chain, ret_certificate);
}

static struct sr_result private_der(const struct sr_keypair *keypair, struct sr_secret **ret_der)
{
	int len = keypair->pkey && keypair->is_private ? i2d_PrivateKey(keypair->pkey, NULL) : -1;
	if (len <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "encode a private key");
	}
	SR_CLEANUP(sr_secret) struct sr_secret *der = NULL;
	SR_TRY(sr_secret_new((size_t)len, &der));
	uint8_t *at = sr_secret_fill(der);
	if (i2d_PrivateKey(keypair->pkey, &at) != len) {
		return sr_fail_openssl(SR_CRYPTO, "encode a private key");
	}
	*ret_der = SR_TAKE(der);
	return sr_ok();
}

/* What the key is tied to: the purpose and the certificates' blocks, so that none can be changed or left out. */
static void write_aad(struct sr_bytes certificates, struct sr_buf *aad)
{
	sr_buf_append(aad, SR_LITERAL(PURPOSE));
	sr_buf_append(aad, certificates);
}

struct sr_result sr_x509_hand_over(const struct sr_keypair *keypair, const struct sr_x509_chain *chain,
                                   const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN], struct sr_buf *parcel)
{
	SR_CLEANUP(sr_secret) struct sr_secret *der = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf certificates = SR_BUF(CERTIFICATES_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf aad = SR_BUF(CERTIFICATES_MAX + sizeof PURPOSE);
	sr_buf_append_block(&certificates, chain->own);
	for (size_t i = 0; i < chain->count; i++) {
		sr_buf_append_block(&certificates, chain->issuers[i]);
	}
	write_aad(sr_buf_bytes(&certificates), &aad);
	SR_TRY(sr_buf_result(&aad));
	SR_TRY(private_der(keypair, &der));
	SR_TRY(sr_handover_seal(receiver, sr_buf_bytes(&aad), der, &sealed));
	sr_buf_append_block(parcel, sr_buf_bytes(&sealed));
	sr_buf_append(parcel, sr_buf_bytes(&certificates));
	return sr_buf_result(parcel);
}

static struct sr_result read_chain(struct sr_bytes certificates, struct sr_x509_chain *ret_chain)
{
	struct sr_reader reader = sr_reader_of(certificates);
	struct sr_x509_chain chain = {.own = sr_reader_block(&reader, SR_X509_MAX)};
	while (reader.left && !reader.failed && chain.count < SR_X509_CHAIN_MAX) {
		chain.issuers[chain.count++] = sr_reader_block(&reader, SR_X509_MAX);
	}
	SR_TRY(sr_reader_finish(&reader, "a certificate's parcel"));
	*ret_chain = chain;
	return sr_ok();
}

struct sr_result sr_x509_receive(const struct sr_handover *handover, struct sr_bytes parcel,
                                 struct sr_certificate **ret_certificate)
{
	struct sr_reader reader = sr_reader_of(parcel);
	const struct sr_bytes sealed = sr_reader_block(&reader, SEALED_MAX);
	const struct sr_bytes certificates = sr_bytes_of(reader.next, reader.left);
	SR_CLEANUP(sr_buf) struct sr_buf aad = SR_BUF(CERTIFICATES_MAX + sizeof PURPOSE);
	write_aad(certificates, &aad);
	if (reader.failed || aad.failed) {
		return sr_fail(SR_CORRUPT, "a certificate's parcel is malformed");
	}
	struct sr_x509_chain chain;
	SR_CLEANUP(sr_secret) struct sr_secret *der = NULL;
	SR_TRY(sr_handover_open(handover, sr_buf_bytes(&aad), sealed, &der));
	SR_TRY(read_chain(certificates, &chain));
	const uint8_t *at = sr_secret_bytes(der).data;
	SR_CLEANUP(pkey) EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)sr_secret_len(der));
	return key ? join(key, &chain, ret_certificate) : sr_fail_openssl(SR_CORRUPT, "parse a private key");
}
