/* What the files of x509.h share over OpenSSL's objects; private to the room. */
#ifndef SR_SEAL_X509_PARTS_H
#define SR_SEAL_X509_PARTS_H

#include "seal/certificate_parts.h"
#include "seal/keypair_parts.h"
#include "seal/x509.h"

#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

/* For SR_CLEANUP. */
static inline void bio_cleanup(BIO **bio)
{
	BIO_free(*bio);
}
static inline void x509_name_cleanup(X509_NAME **name)
{
	X509_NAME_free(*name);
}
static inline void general_names_cleanup(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

/* A distinguished name from its text (RFC 4514; quoted values and `;` as in RFC 1779, "E" and "S" as Windows has them).
 * The caller frees. SR_INVALID says where it breaks. */
SR_MUST struct sr_result sr_x509_name_parse(const char *text, X509_NAME **ret_name);
/* Its text, in the arena. */
SR_MUST struct sr_result sr_x509_name_text(struct sr_arena *arena, const X509_NAME *name, const char **ret_text);

#endif
