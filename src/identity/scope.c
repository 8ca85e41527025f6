/* Taking scopes apart. */
#include "identity/scope.h"

#include "base/text.h"

#include <string.h>

enum { SEGMENTS_MAX = 64, SUBSCRIPTION_SEGMENTS = 2, GROUP_SEGMENTS = 4, RESOURCE_SEGMENTS = 8 };

static struct sr_bytes segment_after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	if (strlen(text) < len || !sr_equal_nocase(sr_bytes_of(text, len), sr_bytes_str(prefix))) {
		return (struct sr_bytes){0};
	}
	return sr_bytes_of(text + len, strcspn(text + len, "/"));
}

struct sr_bytes sr_scope_management_group(const char *scope)
{
	return segment_after(scope, SR_MANAGEMENT_GROUP_PREFIX);
}

struct sr_bytes sr_scope_subscription(const char *scope)
{
	return segment_after(scope, "/subscriptions/");
}

static size_t segment_count(const char *scope)
{
	size_t count = 0;
	for (const char *at = scope; (at = strchr(at, '/')); at++) {
		count++;
	}
	return count;
}

/* True if the segment by its number (from 0) is `name`. */
static bool has_segment(const char *scope, size_t number, const char *name)
{
	const char *at = scope;
	for (size_t i = 0; at && i < number; i++) {
		at = strchr(at + 1, '/');
	}
	return at && sr_equal_nocase(sr_bytes_of(at + 1, strcspn(at + 1, "/")), sr_bytes_str(name));
}

enum sr_scope_kind sr_scope_kind(const char *scope)
{
	struct sr_bytes group = sr_scope_management_group(scope);
	if (strcmp(scope, "/") == 0) {
		return SR_SCOPE_ROOT;
	}
	if (group.len) {
		return strlen(scope) == strlen(SR_MANAGEMENT_GROUP_PREFIX) + group.len ? SR_SCOPE_MANAGEMENT_GROUP
		                                                                       : SR_SCOPE_OTHER;
	}
	size_t count = segment_count(scope);
	if (!sr_is_guid(sr_scope_subscription(scope)) || strstr(scope, "//") || scope[strlen(scope) - 1] == '/' ||
	    strchr(scope, '*')) {
		return SR_SCOPE_OTHER;
	}
	if (count == SUBSCRIPTION_SEGMENTS) {
		return SR_SCOPE_SUBSCRIPTION;
	}
	if (!has_segment(scope, 2, "resourceGroups")) {
		return SR_SCOPE_OTHER;
	}
	if (count == GROUP_SEGMENTS) {
		return SR_SCOPE_RESOURCE_GROUP;
	}
	return count >= RESOURCE_SEGMENTS && has_segment(scope, GROUP_SEGMENTS, "providers") ? SR_SCOPE_RESOURCE
	                                                                                     : SR_SCOPE_OTHER;
}
