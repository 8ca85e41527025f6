/*
 * Certificates by which applications prove themselves: rows of identity's database. Only the public part is kept.
 * Functions run on a connection, within the caller's transaction.
 */
#ifndef SR_IDENTITY_CLIENT_CERTIFICATE_H
#define SR_IDENTITY_CLIENT_CERTIFICATE_H

#include "base/text.h"
#include "seal/database.h"

#include <jansson.h>

enum { SR_CLIENT_CERTIFICATES_MAX = 8, SR_CERTIFICATE_DER_MAX = 16384, SR_THUMBPRINT_LEN = 44 };

/* One as it was found; `der` is the finder's to free. */
struct sr_client_certificate {
	char id[SR_GUID_TEXT_LEN];
	int64_t expires_s;
	struct sr_buf der;
};

/*
 * Registers the first certificate of a PEM (or one in DER) for a principal. SR_INVALID: none, one that has ended, or a
 * key that is neither RSA of 2048 to 4096 bits nor EC P-256; SR_EXISTS; SR_CONFLICT past SR_CLIENT_CERTIFICATES_MAX.
 * `ret_thumbprint` is its SHA-256 in base64url.
 */
SR_MUST struct sr_result sr_client_certificate_add(struct sr_connection *connection, const char *object_id,
                                                   struct sr_bytes certificate, int64_t now_s,
                                                   char ret_id[static SR_GUID_TEXT_LEN],
                                                   char ret_thumbprint[static SR_THUMBPRINT_LEN]);
/* By its id or thumbprint; tokens that were got by it end. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_client_certificate_remove(struct sr_connection *connection, const char *object_id,
                                                      const char *id_or_thumbprint, int64_t now_s);
/* Ids, thumbprints and times, as an array that the caller owns. */
SR_MUST struct sr_result sr_client_certificate_list(struct sr_connection *connection, const char *object_id,
                                                    json_t **ret_array);
/* By the thumbprint that an assertion names (x5t#S256, else x5t; padding is passed over). SR_NOT_FOUND. */
SR_MUST struct sr_result sr_client_certificate_find(struct sr_connection *connection, const char *object_id,
                                                    const char *x5t_s256, const char *x5t,
                                                    struct sr_client_certificate *ret_certificate);
void sr_client_certificate_cleanup(struct sr_client_certificate *certificate);

#endif
