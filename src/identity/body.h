/* Reading an API's JSON body: an object whose members are there or named in the error. */
#ifndef SR_IDENTITY_BODY_H
#define SR_IDENTITY_BODY_H

#include "identity/request.h"

/* The request's body, which must be a JSON object; an empty body is an empty object. The caller owns it. */
SR_MUST struct sr_result sr_body_parse(const struct sr_identity_request *request, json_t **ret_body);
/* A string member that must be there; borrowed from the body. */
SR_MUST struct sr_result sr_body_need(const json_t *body, const char *name, const char **ret_text);
/* A time as APIs write it, set as a member. */
void sr_body_set_time(json_t *body, const char *name, int64_t unix_s);

#endif
