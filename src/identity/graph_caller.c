/* Tokens and roles, by the same snapshot of the directory as every service has. */
#include "identity/graph_caller.h"

#include "wire/credentials.h"

struct sr_result sr_graph_denied(void)
{
	return sr_fail_as(SR_DENIED, "Authorization_RequestDenied",
	                  "Insufficient privileges to complete the operation: reading others takes a role with "
	                  "Microsoft.Directory/directoryObjects/read at the subscription, changing principals the right to "
	                  "assign roles at '/'.");
}

struct sr_result sr_graph_authenticate(const struct sr_identity_request *request, struct sr_identity_answer *answer,
                                       struct sr_principal *ret_who)
{
	struct sr_identity *identity = request->identity;
	const char *const audiences[] = {request->origin, identity->options.authority, "https://graph.microsoft.com", NULL};
	const char *token = sr_credentials(request->authorization, "Bearer");
	if (!token) {
		return sr_fail_as(SR_UNAUTHENTICATED, "InvalidAuthenticationToken", "Access token is empty.");
	}
	if (!identity->access) {
		return sr_fail(SR_UNAVAILABLE, "the directory has not been read yet");
	}
	SR_TRY(sr_access_authenticate(identity->access, request->arena, sr_bytes_str(token), audiences, ret_who));
	answer->audit.object_id = ret_who->object_id;
	answer->audit.app_id = ret_who->app_id;
	answer->audit.name = ret_who->name;
	return sr_ok();
}

struct sr_result sr_graph_may_read(const struct sr_identity_request *request, const struct sr_principal *who,
                                   bool *ret_may)
{
	const char *scope = sr_arena_printf(request->arena, "/subscriptions/%s", request->store->subscription);
	struct sr_result checked = sr_access_check(request->identity->access, who, SR_GRAPH_READ, false, scope, NULL);
	*ret_may = sr_is_ok(checked);
	if (sr_result_code(checked) == SR_DENIED) {
		sr_ignore(checked);
		return sr_ok();
	}
	return checked;
}

struct sr_result sr_graph_check_write(const struct sr_identity_request *request, const struct sr_principal *who)
{
	struct sr_result checked = sr_access_check(request->identity->access, who,
	                                           "Microsoft.Authorization/roleAssignments/write", false, "/", NULL);
	if (sr_result_code(checked) == SR_DENIED) {
		sr_ignore(checked);
		return sr_graph_denied();
	}
	return checked;
}
