/* How certificate.c and certificate_authority.c make certificate objects; private to the room. */
#ifndef SR_SEAL_CERTIFICATE_PARTS_H
#define SR_SEAL_CERTIFICATE_PARTS_H

#include "seal/certificate_native.h"

/* For SR_CLEANUP: OpenSSL's types by their own names. */
static inline void x509_cleanup(X509 **x509)
{
	X509_free(*x509);
}
static inline void pkey_cleanup(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/*
 * Joins a certificate with its issuer (may be NULL) and its key (may be NULL); takes a reference to each.
 * SR_INVALID if the key is another's.
 */
SR_MUST struct sr_result sr_certificate_make(X509 *own, X509 *issuer, EVP_PKEY *key,
                                             struct sr_certificate **ret_certificate);
/* Adds the next of those that lead to the root, before the certificate is shared; takes a reference. */
SR_MUST struct sr_result sr_certificate_add_issuer(struct sr_certificate *certificate, X509 *issuer);
/* One certificate in DER and nothing behind it; the caller frees. SR_INVALID. */
SR_MUST struct sr_result sr_x509_parse(struct sr_bytes der, X509 **ret_x509);
/* Appends a certificate's DER. */
SR_MUST struct sr_result sr_x509_append_der(X509 *x509, struct sr_buf *der);

#endif
