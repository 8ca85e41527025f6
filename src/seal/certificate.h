/*
 * X.509 certificates with their private keys (RFC 5280): the internal CA, services' own
 * certificates, signing requests (PKCS#10). Private keys stay inside; net reaches OpenSSL's objects
 * through seal/certificate_native.h. Objects are immutable after making and may be shared by threads.
 */
#ifndef SR_SEAL_CERTIFICATE_H
#define SR_SEAL_CERTIFICATE_H

#include "seal/crypto.h"

#include <stdint.h>

struct sr_certificate; /* a certificate, its chain, and its private key if it has one; counted references */

/* A new self-signed EC P-256 CA, valid `days`. */
SR_MUST struct sr_result sr_certificate_new_ca(const char *common_name, unsigned days, struct sr_certificate **ret_ca);
/* The CA with its private key sealed under `master`, and back. */
SR_MUST struct sr_result sr_certificate_seal(const struct sr_certificate *certificate, struct sr_aead *master,
                                             struct sr_bytes aad, struct sr_buf *sealed);
SR_MUST struct sr_result sr_certificate_open(struct sr_aead *master, struct sr_bytes aad, struct sr_bytes sealed,
                                             struct sr_certificate **ret_certificate);

/* A new EC P-256 key and a signing request (DER) for it. The request object keeps the key until the certificate comes.
 */
struct sr_certificate_request;
SR_MUST struct sr_result sr_certificate_request_new(const char *common_name,
                                                    struct sr_certificate_request **ret_request);
struct sr_bytes sr_certificate_request_der(const struct sr_certificate_request *request);
void sr_certificate_request_free(struct sr_certificate_request *request);
void sr_certificate_request_cleanup(struct sr_certificate_request **request);

/* What the CA puts into a certificate that it signs; the request's own wishes are ignored but for its key. */
struct sr_certificate_profile {
	const char *common_name;
	const char *service;          /* URI SAN strongroom://service/NAME, or NULL */
	const char *const *dns_names; /* ended by NULL; may be NULL */
	const char *const *addresses; /* IP SANs as text, ended by NULL; may be NULL */
	unsigned days;
};
/* Signs a request whose self-signature holds (SR_INVALID otherwise); appends the certificate in DER. */
SR_MUST struct sr_result sr_certificate_sign(const struct sr_certificate *ca, struct sr_bytes request_der,
                                             const struct sr_certificate_profile *profile,
                                             struct sr_buf *certificate_der);
/* Joins the request's key with the certificate and its CA's certificate (DER); the request may then be freed.
 * SR_INVALID if they do not match. */
SR_MUST struct sr_result sr_certificate_join(const struct sr_certificate_request *request,
                                             struct sr_bytes certificate_der, struct sr_bytes ca_der,
                                             struct sr_certificate **ret_certificate);
/* A certificate alone, without a private key (a CA to trust). SR_INVALID if it is none. */
SR_MUST struct sr_result sr_certificate_from_der(struct sr_bytes der, struct sr_certificate **ret_certificate);
/* From PEM files that an operator brings (certificate chain and private key; an empty key makes one without). */
SR_MUST struct sr_result sr_certificate_from_pem(struct sr_bytes chain_pem, struct sr_bytes key_pem,
                                                 struct sr_certificate **ret_certificate);

/* A certificate alone (the CA's), public, from DER. SR_INVALID. */
SR_MUST struct sr_result sr_certificate_from_der(struct sr_bytes der, struct sr_certificate **ret_certificate);

struct sr_certificate *sr_certificate_share(struct sr_certificate *certificate);
void sr_certificate_free(struct sr_certificate *certificate);
void sr_certificate_cleanup(struct sr_certificate **certificate);
/* The certificate alone, public. */
SR_MUST struct sr_result sr_certificate_pem(const struct sr_certificate *certificate, struct sr_buf *pem);
SR_MUST struct sr_result sr_certificate_der(const struct sr_certificate *certificate, struct sr_buf *der);
/* SHA-1 thumbprint, as x5t names it; SHA-256, as x5t#S256 does (RFC 7515 4.1.7, 4.1.8). */
void sr_certificate_thumbprint(const struct sr_certificate *certificate, uint8_t ret_sha1[static 20]);
void sr_certificate_thumbprint_sha256(const struct sr_certificate *certificate,
                                      uint8_t ret_sha256[static SR_SHA256_LEN]);
/* Unix time at which it ends, and from which it is valid. */
int64_t sr_certificate_not_after(const struct sr_certificate *certificate);
int64_t sr_certificate_not_before(const struct sr_certificate *certificate);
/* Its public key, for verifying and encrypting; the caller frees. SR_INVALID: not RSA of 2048 to 4096 bits, nor EC on a
 * curve that keys have here. */
struct sr_keypair; /* seal/keypair.h */
SR_MUST struct sr_result sr_certificate_public_key(const struct sr_certificate *certificate,
                                                   struct sr_keypair **ret_keypair);

#endif
