/* The order of refusals is Key Vault's: connection, firewall, permission. What cannot be decided is refused. */
#include "vault/authorise.h"

#include "vault/access_store.h"
#include "vault/api.h"

#include <string.h>

static struct sr_result read_address(struct sr_connection *connection, const struct sr_vault_request *request,
                                     struct sr_vault_admission *admission)
{
	uint8_t address[SR_ADDRESS_LEN];
	struct sr_result parsed = sr_address_parse(request->from, address);
	if (!sr_is_ok(parsed)) {
		sr_ignore(parsed); /* an address that is none is in no rule */
		return sr_ok();
	}
	return sr_network_rules_hold(connection, admission->vault.name, address, &admission->is_address_listed);
}

static struct sr_result read_policies(struct sr_connection *connection, struct sr_arena *arena,
                                      const struct sr_vault_request *request, struct sr_vault_admission *admission)
{
	struct sr_access_question question = {
	    .vault = admission->vault.name, .object_id = request->who->object_id, .app_id = request->who->app_id};
	if (!sr_policy_requirement(request->route->permission, &question.collection, &question.mask)) {
		return sr_ok();
	}
	SR_TRY(sr_access_policy_grants(connection, &question, &admission->is_granted));
	return admission->is_granted ? sr_ok() : sr_access_policy_others(connection, arena, &question, &admission->groups);
}

struct sr_result sr_vault_admission_read(struct sr_connection *connection, struct sr_arena *arena, const char *vault,
                                         const struct sr_vault_request *request,
                                         struct sr_vault_admission *ret_admission)
{
	static const char *const nobody[] = {NULL};
	struct sr_vault_admission admission = {.groups = nobody};
	SR_TRY(sr_vault_find(connection, arena, vault, &admission.vault));
	if (!request->who->is_local) {
		if (admission.vault.denies) {
			SR_TRY(read_address(connection, request, &admission));
		}
		if (!admission.vault.is_by_roles) {
			SR_TRY(read_policies(connection, arena, request, &admission));
		}
	}
	*ret_admission = admission;
	return sr_ok();
}

const char *sr_vault_resource_id(struct sr_arena *arena, const struct sr_vault_record *vault, const char *subscription)
{
	return sr_arena_printf(arena, "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.KeyVault/vaults/%s",
	                       vault->subscription ? vault->subscription : subscription, vault->resource_group,
	                       vault->name);
}

/* "appid=…;oid=…;iss=…", as the service names callers. */
static const char *caller_text(struct sr_access *access, struct sr_arena *arena, const struct sr_principal *who)
{
	return sr_arena_printf(arena, "appid=%s;oid=%s;iss=%s/%s/", who->app_id, who->object_id,
	                       sr_access_authority(access), who->tenant);
}

static const char *location_of(const struct sr_vault_record *vault)
{
	return vault->location ? vault->location : "local";
}

static struct sr_result check_network(struct sr_access *access, struct sr_arena *arena,
                                      const struct sr_vault_request *request,
                                      const struct sr_vault_admission *admission)
{
	const struct sr_vault_record *vault = &admission->vault;
	if (vault->is_closed) {
		return sr_fail_as(SR_DENIED, "ForbiddenByConnection",
		                  "Public network access is disabled and request is not from a trusted service nor via an "
		                  "approved private link.\r\nCaller: %s\r\nVault: %s;location=%s",
		                  caller_text(access, arena, request->who), vault->name, location_of(vault));
	}
	if (vault->denies && !admission->is_address_listed) {
		return sr_fail_as(SR_DENIED, "ForbiddenByFirewall",
		                  "Client address is not authorized and caller is not a trusted service.\r\nClient address: "
		                  "%s\r\nCaller: %s\r\nVault: %s;location=%s",
		                  request->from, caller_text(access, arena, request->who), vault->name, location_of(vault));
	}
	return sr_ok();
}

/*
 * Where a role must hold: roles can be given for one object ("…/vaults/V/keys/K"). The collection is what the pattern
 * has before the name; what is not an object of its own (an issuer, a list) is the vault's.
 */
static const char *scope_of(struct sr_arena *arena, const struct sr_vault_request *request, const char *vault_id)
{
	static const char deleted[] = "deleted";
	const char *pattern = request->route->pattern;
	if (strncmp(pattern, deleted, sizeof deleted - 1) == 0) {
		pattern += sizeof deleted - 1;
	}
	const char *slash = strchr(pattern, '/');
	if (!request->object || !slash || strncmp(slash, "/{name}", 7) != 0) {
		return vault_id;
	}
	return sr_arena_printf(arena, "%s/%.*s/%s", vault_id, (int)(slash - pattern), pattern, request->object);
}

static struct sr_result check_roles(struct sr_access *access, struct sr_arena *arena,
                                    const struct sr_vault_request *request, const struct sr_vault_admission *admission,
                                    const char **ret_assignment)
{
	struct sr_installation installation;
	SR_TRY(sr_access_installation(access, &installation));
	const char *scope =
	    scope_of(arena, request, sr_vault_resource_id(arena, &admission->vault, installation.subscription));
	const char *action = sr_arena_printf(arena, "Microsoft.KeyVault/vaults/%s", request->route->data_action);
	struct sr_id assignment;
	struct sr_result result = sr_access_check(access, request->who, action, true, scope, &assignment);
	if (sr_result_code(result) == SR_DENIED) {
		sr_ignore(result);
		return sr_fail_as(SR_DENIED, "ForbiddenByRbac",
		                  "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny "
		                  "assignments or role definitions were changed recently, please observe propagation "
		                  "time.\r\nCaller: %s\r\nAction: '%s'\r\nResource: '%s'\r\nAssignment: (not "
		                  "found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC'\r\nVault: "
		                  "%s;location=%s\r\n",
		                  caller_text(access, arena, request->who), action, scope, admission->vault.name,
		                  location_of(&admission->vault));
	}
	SR_TRY(result);
	char guid[SR_GUID_TEXT_LEN];
	sr_guid_text(&assignment, guid);
	*ret_assignment = sr_arena_strdup(arena, guid);
	return sr_ok();
}

/* The permission's two words: "keys" and "get". */
static struct sr_result deny_by_policy(struct sr_access *access, struct sr_arena *arena,
                                       const struct sr_vault_request *request,
                                       const struct sr_vault_admission *admission)
{
	const char *permission = request->route->permission;
	const int collection_len = (int)strcspn(permission, "/");
	const char *verb = permission + collection_len + (permission[collection_len] == '/');
	return sr_fail_as(SR_DENIED, "AccessDenied",
	                  "The user, group or application '%s' does not have %.*s %s permission on key vault "
	                  "'%s;location=%s'. It is granted by: strongroom vault policy set %s --object-id %s --%.*s %s",
	                  caller_text(access, arena, request->who), collection_len, permission, verb, admission->vault.name,
	                  location_of(&admission->vault), admission->vault.name, request->who->object_id, collection_len,
	                  permission, verb);
}

static struct sr_result check_policies(struct sr_access *access, struct sr_arena *arena,
                                       const struct sr_vault_request *request,
                                       const struct sr_vault_admission *admission)
{
	bool is_granted = admission->is_granted;
	for (size_t i = 0; !is_granted && admission->groups[i]; i++) {
		SR_TRY(sr_access_is_member(access, request->who->object_id, admission->groups[i], &is_granted));
	}
	return is_granted ? sr_ok() : deny_by_policy(access, arena, request, admission);
}

struct sr_result sr_vault_admit(struct sr_access *access, struct sr_arena *arena,
                                const struct sr_vault_request *request, const struct sr_vault_admission *admission,
                                const char **ret_assignment)
{
	*ret_assignment = "";
	if (request->who->is_local) {
		return sr_ok();
	}
	SR_TRY(check_network(access, arena, request, admission));
	return admission->vault.is_by_roles ? check_roles(access, arena, request, admission, ret_assignment)
	                                    : check_policies(access, arena, request, admission);
}
