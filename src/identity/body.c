/* What bodies of the APIs have in common. */
#include "identity/body.h"

#include "wire/time.h"

struct sr_result sr_body_parse(const struct sr_identity_request *request, json_t **ret_body)
{
	SR_CLEANUP(sr_json) json_t *body = NULL;
	if (request->body.len) {
		SR_TRY(sr_json_parse(request->body, &body));
	} else {
		body = json_object();
	}
	if (!json_is_object(body)) {
		return sr_fail(SR_INVALID, "the body is no JSON object");
	}
	*ret_body = SR_TAKE(body);
	return sr_ok();
}

struct sr_result sr_body_need(const json_t *body, const char *name, const char **ret_text)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(body, name, &text));
	if (!text) {
		return sr_fail(SR_INVALID, "'%s' is missing", name);
	}
	*ret_text = text;
	return sr_ok();
}

void sr_body_set_time(json_t *body, const char *name, int64_t unix_s)
{
	char text[SR_ISO_TIME_LEN];
	sr_iso_time(unix_s, text);
	sr_json_set_string(body, name, text);
}
