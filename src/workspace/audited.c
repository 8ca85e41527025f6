/* What is recorded, and the log's endpoints. The chain is the room audit's. */
#include "workspace/audited.h"

#include "audit/audit_api.h"
#include "workspace/api.h"
#include "workspace/arm_error.h"
#include "workspace/resource_name.h"
#include "workspace/route.h"

#include <string.h>
#include <strings.h>

static bool is_read(const struct sr_arm_call *call)
{
	return strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
}

static bool is_recorded(const struct sr_arm_call *call, const struct sr_arm_error *error)
{
	if (!call->who.object_id || (call->route && call->route->is_local)) {
		return false;
	}
	return !is_read(call) || (error && error->status == 403);
}

/* "Microsoft.KeyVault/vaults/write", from what follows the last "/providers/"; else the route's action. */
static const char *operation_of(struct sr_arm_call *call)
{
	const char *rest = NULL;
	if (call->route && call->route->action) {
		return call->route->action;
	}
	for (const char *at = call->path ? call->path : ""; *at; at++) {
		rest = strncasecmp(at, "/providers/", 11) == 0 ? at + 11 : rest;
	}
	struct sr_resource_name name;
	const char *action = NULL;
	struct sr_result parsed = rest ? sr_resource_name_parse(call->arena, rest, &name) : sr_ok();
	if (rest && sr_is_ok(parsed)) {
		parsed = sr_resource_action(call->arena, &name, call->method, &action);
	}
	sr_ignore(parsed);
	return action ? action : sr_arena_printf(call->arena, "%s", call->method);
}

struct sr_result sr_workspace_audit(struct sr_arm_call *call, const struct sr_arm_answer *answer,
                                    struct sr_result outcome)
{
	struct sr_arm_error error = {0};
	if (!sr_is_ok(outcome)) {
		error = sr_arm_error_of(outcome);
	}
	if (!is_recorded(call, sr_is_ok(outcome) ? NULL : &error)) {
		return outcome;
	}
	const json_t *refusal = json_object_get(answer->body, "error"); /* a service's own, handed on */
	const char *code = json_string_value(json_object_get(refusal, "code"));
	const struct sr_audit_event event = {
	    .object_id = call->who.object_id,
	    .app_id = call->who.app_id,
	    .name = call->who.name,
	    .from = sr_exchange_peer_address(call->exchange),
	    .operation = operation_of(call),
	    .object = call->path ? call->path : sr_arena_text(call->arena, sr_exchange_path(call->exchange)),
	    .outcome = sr_is_ok(outcome) ? code : error.code,
	    .status = sr_is_ok(outcome) ? (answer->status ? answer->status : 200) : error.status,
	    .request_id = call->request_id,
	};
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_workspace_store *store;
	struct sr_result written = sr_workspace_enter(call->workspace, NULL, NULL, &use, &store);
	if (sr_is_ok(written)) {
		written = sr_audit_write(store->database, &event);
	}
	if (!sr_is_ok(written)) {
		sr_result_free(outcome);
		return written;
	}
	return outcome;
}

static void abort_exchange(void *context)
{
	sr_exchange_abort(context);
}

struct sr_result sr_workspace_audit_log(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_workspace_store *store;
	SR_TRY(sr_workspace_enter(call->workspace, abort_exchange, call->exchange, &use, &store));
	answer->is_sent = true;
	return sr_audit_api_handle(call->exchange, call->parts[0], store->audit);
}
