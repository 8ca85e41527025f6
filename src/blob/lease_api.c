/* Lease operations on the wire. */
#include "blob/lease_api.h"

#include <stdlib.h>
#include <strings.h>

static const struct {
	const char *name;
	enum sr_blob_lease_action action;
	int status;
	bool needs_id, needs_proposed_id;
} actions[] = {
    {"acquire", SR_BLOB_LEASE_ACQUIRE, 201, false, false}, {"renew", SR_BLOB_LEASE_RENEW, 200, true, false},
    {"change", SR_BLOB_LEASE_CHANGE, 200, true, true},     {"release", SR_BLOB_LEASE_RELEASE, 200, true, false},
    {"break", SR_BLOB_LEASE_BREAK, 202, false, false},
};

/* A lease id as a header carries it: a GUID, in braces or without. NULL where absent. */
static struct sr_result id_header(const struct sr_blob_request *request, const char *name, bool is_needed,
                                  const char **ret_id)
{
	const char *id = sr_blob_header(request, name);
	if (!id && is_needed) {
		return sr_fail_as(SR_INVALID, "MissingRequiredHeader", "%s is missing", name);
	}
	if (id && !sr_is_guid(sr_bytes_str(id))) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "%s is no GUID", name);
	}
	*ret_id = id;
	return sr_ok();
}

/* Seconds from `min` to `max`; `absent` where there is no header. -1 is written out. */
static struct sr_result seconds_header(const struct sr_blob_request *request, const char *name, long min, long max,
                                       int32_t absent, int32_t *ret_seconds)
{
	const char *text = sr_blob_header(request, name);
	*ret_seconds = absent;
	if (!text) {
		return sr_ok();
	}
	char *end = NULL;
	long seconds = strtol(text, &end, 10);
	bool is_right = end != text && *end == '\0' && seconds >= min && seconds <= max;
	if (!is_right && !(min > 0 && strcasecmp(text, "-1") == 0)) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "%s is out of range", name);
	}
	*ret_seconds = (int32_t)seconds;
	return sr_ok();
}

struct sr_result sr_blob_lease_request_read(const struct sr_blob_request *request,
                                            struct sr_blob_lease_request *ret_wish)
{
	const char *name = sr_blob_header(request, "x-ms-lease-action");
	if (!name) {
		return sr_fail_as(SR_INVALID, "MissingRequiredHeader", "x-ms-lease-action is missing");
	}
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		if (strcasecmp(name, actions[i].name) != 0) {
			continue;
		}
		struct sr_blob_lease_request wish = {.action = actions[i].action};
		SR_TRY(id_header(request, "x-ms-lease-id", actions[i].needs_id, &wish.id));
		SR_TRY(id_header(request, "x-ms-proposed-lease-id", actions[i].needs_proposed_id, &wish.proposed_id));
		SR_TRY(seconds_header(request, "x-ms-lease-duration", 15, 60, SR_BLOB_LEASE_INFINITE, &wish.duration_s));
		SR_TRY(seconds_header(request, "x-ms-lease-break-period", 0, 60, -1, &wish.break_period_s));
		if (wish.action == SR_BLOB_LEASE_ACQUIRE && !sr_blob_header(request, "x-ms-lease-duration")) {
			return sr_fail_as(SR_INVALID, "MissingRequiredHeader", "x-ms-lease-duration is missing");
		}
		*ret_wish = wish;
		return sr_ok();
	}
	return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "x-ms-lease-action is no action");
}

static int status_of(enum sr_blob_lease_action action)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
		if (actions[i].action == action) {
			return actions[i].status;
		}
	}
	return 200;
}

struct sr_result sr_blob_lease_respond(struct sr_blob_request *request, const struct sr_blob_lease_request *wish,
                                       const struct sr_blob_lease *lease, int32_t left_s)
{
	if (wish->action == SR_BLOB_LEASE_BREAK) {
		sr_exchange_add_header_format(request->exchange, "x-ms-lease-time", "%d", (int)left_s);
	} else if (wish->action != SR_BLOB_LEASE_RELEASE) {
		sr_exchange_add_header(request->exchange, "x-ms-lease-id", lease->id);
	}
	return sr_blob_respond(request, status_of(wish->action));
}
