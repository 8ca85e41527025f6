/* Which entries of an audit log somebody wants to see. Pure. */
#ifndef SR_AUDIT_FILTER_H
#define SR_AUDIT_FILTER_H

#include "wire/url.h"

/* Each may be NULL: then it does not matter. Borrowed. */
struct sr_audit_filter {
	int64_t since_us, until_us; /* INT64_MIN and INT64_MAX: no matter; `until` is left out */
	const char *who;            /* one of oid, appid, name, service */
	const char *operation;
	const char *object;  /* it and what is below it: "default/keys/k" for all its versions */
	const char *outcome; /* a code, "ok", or "refused" for all but that */
};
/* From a request's query: since, until, who, operation, object, outcome. SR_INVALID for a time that is none. */
SR_MUST struct sr_result sr_audit_filter_read(const struct sr_parameters *query, struct sr_audit_filter *ret_filter);
/* True for an entry that fits; letters in either case. An entry that does not read fits, so that it is seen. */
bool sr_audit_filter_fits(const struct sr_audit_filter *filter, struct sr_bytes entry);

#endif
