/*
 * OpenSSL's objects inside certificates, for src/net's TLS alone. All are borrowed: they live as long
 * as the certificate, and whoever keeps one longer takes a reference of OpenSSL's.
 */
#ifndef SR_SEAL_CERTIFICATE_NATIVE_H
#define SR_SEAL_CERTIFICATE_NATIVE_H

#include "seal/certificate.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

X509 *sr_certificate_x509(const struct sr_certificate *certificate);
/* The certificates that lead to its root, without its own; never NULL, may be empty. */
STACK_OF(X509) * sr_certificate_chain(const struct sr_certificate *certificate);
/* NULL if it has no private key. */
EVP_PKEY *sr_certificate_key(const struct sr_certificate *certificate);

#endif
