/*
 * Errors as the Blob service answers them: one table from our reasons and codes to its codes, statuses and
 * sentences, and the XML body around them. Nothing else in this room knows a status of 400 or more.
 */
#ifndef SR_BLOB_ERROR_H
#define SR_BLOB_ERROR_H

#include "net/server.h"

struct sr_blob_error {
	const char *reason; /* of the result: the service's own symbol, or the keyring's; NULL: by code */
	enum sr_code code;  /* where the result has no reason */
	int status;
	const char *symbol; /* what x-ms-error-code says */
	const char *message;
};

/* Answers with the error; `challenge` (may be NULL) goes into WWW-Authenticate of a 401. Logs defects and damage, by
 * identifiers only. Borrows `error`. */
void sr_blob_error_send(struct sr_exchange *exchange, struct sr_result error, const char *challenge);
/* The same for the server's own complaints (a sr_error_handler). */
void sr_blob_error_on_server(struct sr_exchange *exchange, struct sr_result error, void *context);

#endif
