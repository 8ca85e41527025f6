/* The one table from results to Key Vault's statuses and codes. */
#ifndef SR_VAULT_API_ERROR_H
#define SR_VAULT_API_ERROR_H

#include "wire/json.h"

struct sr_vault_error {
	int status;
	const char *code;
	const char *inner; /* innererror.code, or NULL */
	bool is_ours;      /* the text is not for the customer */
};
/* What a failure is answered with. */
struct sr_vault_error sr_vault_error_of(struct sr_result error);
/* {"error":{"code","message","innererror":{"code"}}}; the caller owns it. */
json_t *sr_vault_error_body(const struct sr_vault_error *error, const char *message);

#endif
