/* Scopes and rights. */
#include "workspace/authorization.h"

#include <string.h>
#include <strings.h>

#define SUBSCRIPTIONS "/subscriptions/"

struct sr_result sr_authorization_scope(struct sr_arm_call *call, const char **ret_scope)
{
	const char *scope = call->parts[0];
	const size_t prefix_len = sizeof SUBSCRIPTIONS - 1;
	if (strncasecmp(scope, SUBSCRIPTIONS, prefix_len) == 0) {
		const char *id = scope + prefix_len;
		const size_t len = strcspn(id, "/");
		if (len != strlen(call->installation.subscription) ||
		    strncasecmp(id, call->installation.subscription, len) != 0) {
			return sr_fail_as(SR_NOT_FOUND, "SubscriptionNotFound", "The subscription '%.64s' could not be found.", id);
		}
	}
	*ret_scope = scope;
	return sr_ok();
}

struct sr_result sr_authorization_check(struct sr_arm_call *call, const char *action, const char *scope)
{
	return sr_arm_authorise(call, sr_arena_printf(call->arena, "Microsoft.Authorization/%s", action), scope);
}

const char *sr_authorization_id(struct sr_arena *arena, const char *scope, const char *type, const char *name)
{
	return sr_arena_printf(arena, "%s" SR_AUTHORIZATION "%s/%s", strcmp(scope, "/") == 0 ? "" : scope, type, name);
}

struct sr_result sr_authorization_is_shown(struct sr_arm_call *call, const char *at, const char *scope,
                                           bool is_at_scope, bool *ret_is_shown)
{
	struct sr_access *access = call->workspace->access;
	SR_TRY(sr_access_covers(access, at, scope, ret_is_shown));
	return *ret_is_shown || is_at_scope ? sr_ok() : sr_access_covers(access, scope, at, ret_is_shown);
}

const char *sr_authorization_name_of(const char *id)
{
	const char *slash = strrchr(id, '/');
	return slash ? slash + 1 : id;
}
