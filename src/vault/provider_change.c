/* What changes a vault: making, updating, recovering, its access policies, deleting and purging. Each is one durable
 * step with its audit entry. */
#include "vault/provider.h"

#include "base/clock.h"
#include "vault/access_store.h"
#include "vault/authorise.h"
#include "vault/hardware.h"
#include "vault/key_rules.h"
#include "vault/vault_removal.h"
#include "vault/vault_wishes.h"

#include <string.h>

/* One change on its way. */
struct change {
	struct sr_vault_provider_call *call;
	struct sr_vault_provider_answer *answer;
	struct sr_vault_wishes wishes;
	struct sr_vault_removal removal;
	bool is_gone; /* deleting what is not there */
};

static bool is_same(const char *a, const char *b)
{
	return sr_equal_nocase(sr_bytes_str(a), sr_bytes_str(b));
}

static void change_cleanup(struct change *change)
{
	sr_vault_wishes_cleanup(&change->wishes);
	sr_vault_removal_cleanup(&change->removal);
}

static struct sr_result write_lists(struct sr_connection *connection, const struct change *change, const char *vault)
{
	const struct sr_vault_wishes *wishes = &change->wishes;
	if (wishes->has_policies) {
		SR_TRY(sr_access_policies_write(connection, vault, wishes->policies, wishes->policy_count));
	}
	return wishes->has_rules ? sr_network_rules_write(connection, vault, wishes->rules, wishes->rule_count) : sr_ok();
}

static struct sr_result make(struct sr_connection *connection, struct change *change)
{
	struct sr_vault_provider_call *call = change->call;
	const bool is_default = is_same(call->subscription, call->installation.subscription);
	if (!sr_is_vault_name(call->name)) {
		return sr_fail_as(SR_INVALID, "VaultNameNotValid",
		                  "The vault name '%.127s' is invalid. A vault's name must be between 3-24 alphanumeric "
		                  "characters. The name must begin with a letter, end with a letter or digit, and not contain "
		                  "consecutive hyphens.",
		                  call->name);
	}
	struct sr_vault_record vault = {.name = call->name,
	                                .resource_group = call->group,
	                                .subscription = is_default ? NULL : call->subscription,
	                                .created = sr_unix_s(),
	                                .created_by = call->object_id};
	SR_TRY(sr_vault_wishes_begin(call->arena, &change->wishes, call->api_version, &vault));
	SR_TRY(sr_vault_insert(connection, &vault));
	SR_TRY(write_lists(connection, change, vault.name));
	change->answer->status = 201;
	SR_TRY(sr_vault_provider_find(connection, call, &vault));
	return sr_vault_provider_vault_json(connection, call, &vault, &change->answer->body);
}

static struct sr_result update(struct sr_connection *connection, struct change *change, struct sr_vault_record *vault,
                               bool is_whole)
{
	struct sr_vault_provider_call *call = change->call;
	SR_TRY(sr_vault_wishes_apply(call->arena, &change->wishes, is_whole, vault));
	if (is_whole && !vault->is_by_roles && !change->wishes.has_policies) {
		return sr_fail(SR_INVALID, "accessPolicies: needed, if only empty, where enableRbacAuthorization is not true");
	}
	vault->updated = sr_unix_s();
	vault->updated_by = call->object_id;
	SR_TRY(sr_vault_update(connection, vault));
	SR_TRY(write_lists(connection, change, vault->name));
	return sr_vault_provider_vault_json(connection, call, vault, &change->answer->body);
}

static struct sr_result recover(struct sr_connection *connection, struct change *change)
{
	struct sr_vault_provider_call *call = change->call;
	struct sr_vault_record vault;
	SR_TRY(sr_vault_provider_find_deleted(connection, call, &vault));
	if (!is_same(vault.resource_group, call->group)) {
		return sr_fail(SR_INVALID, "The deleted vault was in resource group '%s', where alone it can be recovered.",
		               vault.resource_group);
	}
	SR_TRY(sr_vault_mark_deleted(connection, vault.name, SR_NO_TIME, SR_NO_TIME));
	return sr_vault_provider_vault_json(connection, call, &vault, &change->answer->body);
}

/* Names are one for all groups and subscriptions, since they are hosts' names. */
static struct sr_result refuse_taken(const struct sr_vault_provider_call *call, const struct sr_vault_record *vault)
{
	if (vault->deleted_at != SR_NO_TIME) {
		return sr_fail_as(SR_CONFLICT, "ConflictError",
		                  "A vault with the same name already exists in deleted state. You need to either recover or "
		                  "purge existing key vault.");
	}
	return sr_fail_as(SR_CONFLICT, "VaultAlreadyExists",
	                  "The vault name '%.127s' is already in use. Vault names are unique in an installation, so it is "
	                  "in use by another group or subscription; choose another name.",
	                  call->name);
}

static struct sr_result put_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_vault_provider_call *call = change->call;
	struct sr_vault_record any, vault;
	struct sr_result taken = sr_vault_find_any(connection, call->arena, call->name, SR_VAULT_EITHER, &any);
	if (sr_result_code(taken) == SR_NOT_FOUND) {
		sr_ignore(taken);
		return change->wishes.is_recovery
		           ? sr_fail_as(SR_NOT_FOUND, "DeletedVaultNotFound",
		                        "The specified deleted vault '%.127s' does not exist.", call->name)
		           : make(connection, change);
	}
	SR_TRY(taken);
	if (change->wishes.is_recovery && any.deleted_at != SR_NO_TIME) {
		return recover(connection, change);
	}
	struct sr_result found = sr_vault_provider_find(connection, call, &vault);
	const bool is_ours = sr_is_ok(found) && !change->wishes.is_recovery;
	sr_ignore(found);
	return is_ours ? update(connection, change, &vault, true) : refuse_taken(call, &any);
}

static struct sr_result read_wishes(struct sr_vault_provider_call *call, struct sr_vault_wishes *ret_wishes)
{
	if (!call->body) {
		return sr_fail_as(SR_INVALID, "InvalidRequestContent", "The request has no content.");
	}
	return sr_vault_wishes_read(call->arena, call->body, call->installation.tenant, ret_wishes);
}

struct sr_result sr_vault_provider_put(struct sr_vault_provider_call *call, struct sr_vault_provider_answer *answer)
{
	SR_CLEANUP(change) struct change change = {.call = call, .answer = answer};
	SR_TRY(read_wishes(call, &change.wishes));
	SR_TRY(sr_vault_provider_write(call, put_work, &change, answer));
	sr_tending_wake(call->vault->tending); /* keys of a recovered vault may have ended meanwhile */
	return sr_ok();
}

static struct sr_result patch_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_vault_record vault;
	SR_TRY(sr_vault_provider_find(connection, change->call, &vault));
	return update(connection, change, &vault, false);
}

struct sr_result sr_vault_provider_patch(struct sr_vault_provider_call *call, struct sr_vault_provider_answer *answer)
{
	SR_CLEANUP(change) struct change change = {.call = call, .answer = answer};
	SR_TRY(read_wishes(call, &change.wishes));
	return sr_vault_provider_write(call, patch_work, &change, answer);
}

/* The kinds of change to a list of policies: what becomes of an identity's permissions. */
static uint64_t add_to(uint64_t had, uint64_t named)
{
	return had | named;
}

static uint64_t replace(uint64_t had, uint64_t named)
{
	(void)had;
	return named;
}

static uint64_t take_from(uint64_t had, uint64_t named)
{
	return had & ~named;
}

static const struct {
	const char *kind;
	uint64_t (*combine)(uint64_t had, uint64_t named);
	bool is_removal;
} policy_changes[] = {{"add", add_to, false}, {"replace", replace, false}, {"remove", take_from, true}};

struct policy_change {
	struct sr_vault_provider_call *call;
	struct sr_vault_provider_answer *answer;
	uint64_t (*combine)(uint64_t had, uint64_t named);
	bool is_removal;
	struct sr_access_policy *named;
	size_t named_count;
};

/* One identity's permissions after the change; a removal that names no permission takes all. */
static struct sr_result change_policy(struct sr_connection *connection, const struct policy_change *change,
                                      const char *vault, const struct sr_access_policy *had,
                                      const struct sr_access_policy *named)
{
	struct sr_access_policy policy = *named;
	const bool is_all = change->is_removal && sr_access_policy_is_empty(named);
	for (int i = 0; i < SR_POLICY_COLLECTIONS; i++) {
		policy.permissions[i] = is_all ? 0 : change->combine(had ? had->permissions[i] : 0, named->permissions[i]);
	}
	return sr_access_policy_put(connection, vault, &policy);
}

static struct sr_result policies_work(struct sr_connection *connection, void *context)
{
	const struct policy_change *change = context;
	struct sr_vault_provider_call *call = change->call;
	struct sr_vault_record vault;
	struct sr_access_policy *had, *now;
	size_t had_count, now_count;
	SR_TRY(sr_vault_provider_find(connection, call, &vault));
	SR_TRY(sr_access_policies_list(connection, call->arena, vault.name, &had, &had_count));
	size_t added = 0;
	for (size_t i = 0; i < change->named_count; i++) {
		const struct sr_access_policy *before = NULL;
		for (size_t k = 0; k < had_count && !before; k++) {
			before = sr_access_policy_same_identity(&had[k], &change->named[i]) ? &had[k] : NULL;
		}
		added += !before && !change->is_removal;
		SR_TRY(change_policy(connection, change, vault.name, before, &change->named[i]));
	}
	if (had_count + added > SR_ACCESS_POLICIES_MAX) {
		return sr_fail(SR_INVALID, "accessPolicies: a vault takes at most %d", SR_ACCESS_POLICIES_MAX);
	}
	vault.updated = sr_unix_s();
	vault.updated_by = call->object_id;
	SR_TRY(sr_vault_update(connection, &vault));
	SR_TRY(sr_access_policies_list(connection, call->arena, vault.name, &now, &now_count));
	json_t *properties = json_object(), *list = json_array(), *body = json_object();
	for (size_t i = 0; i < now_count; i++) {
		json_array_append_new(list, sr_access_policy_json(&now[i], call->installation.tenant));
	}
	sr_json_set_string(body, "id",
	                   sr_arena_printf(call->arena, "%s/accessPolicies/",
	                                   sr_vault_resource_id(call->arena, &vault, call->installation.subscription)));
	sr_json_set_string(body, "type", "Microsoft.KeyVault/vaults/accessPolicies");
	sr_json_set(properties, "accessPolicies", list);
	sr_json_set(body, "properties", properties);
	change->answer->body = body;
	return sr_ok();
}

struct sr_result sr_vault_provider_policies(struct sr_vault_provider_call *call,
                                            struct sr_vault_provider_answer *answer)
{
	const json_t *properties = NULL, *list = NULL;
	struct policy_change change = {.call = call, .answer = answer};
	for (size_t i = 0; i < sizeof policy_changes / sizeof *policy_changes; i++) {
		if (is_same(policy_changes[i].kind, call->kind)) {
			change.combine = policy_changes[i].combine;
			change.is_removal = policy_changes[i].is_removal;
		}
	}
	if (!change.combine) {
		return sr_fail(SR_INVALID, "accessPolicies/%.32s: add, replace or remove is expected", call->kind);
	}
	SR_TRY(sr_json_get_object(call->body, "properties", &properties));
	SR_TRY(sr_json_get_array(properties, "accessPolicies", &list));
	if (!list) {
		return sr_fail(SR_INVALID, "properties.accessPolicies is expected");
	}
	SR_TRY(sr_access_policies_read(call->arena, list, call->installation.tenant, &change.named, &change.named_count));
	return sr_vault_provider_write(call, policies_work, &change, answer);
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_vault_record vault;
	struct sr_result found = sr_vault_provider_find(connection, change->call, &vault);
	change->is_gone = sr_result_code(found) == SR_NOT_FOUND;
	if (change->is_gone) {
		sr_ignore(found);
		change->answer->status = 204;
		return sr_ok();
	}
	SR_TRY(found);
	return sr_vault_delete(connection, change->call->arena, &vault, sr_unix_s(), &change->removal);
}

struct sr_result sr_vault_provider_delete(struct sr_vault_provider_call *call, struct sr_vault_provider_answer *answer)
{
	SR_CLEANUP(change) struct change change = {.call = call, .answer = answer};
	SR_TRY(sr_vault_provider_write(call, delete_work, &change, answer));
	if (!change.is_gone) {
		sr_vault_removal_forget(&call->vault->state, call->name, &change.removal);
		sr_vault_provider_recall(call, &change.removal.revoked, answer);
	}
	return sr_ok();
}

static struct sr_result purge_work(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_vault_record vault;
	SR_TRY(sr_vault_provider_find_deleted(connection, change->call, &vault));
	if (vault.is_purge_protected && sr_unix_s() < vault.purge_at) {
		return sr_fail_as(SR_INVALID, "MethodNotAllowed",
		                  "Operation 'DeletedVaultPurge' is not allowed: purge protection is on for this vault.");
	}
	return sr_vault_destroy(connection, change->call->arena, &vault, &change->removal);
}

struct sr_result sr_vault_provider_purge(struct sr_vault_provider_call *call, struct sr_vault_provider_answer *answer)
{
	SR_CLEANUP(change) struct change change = {.call = call, .answer = answer};
	SR_TRY(sr_vault_provider_write(call, purge_work, &change, answer));
	sr_vault_removal_forget(&call->vault->state, call->name, &change.removal);
	sr_vault_provider_recall(call, &change.removal.revoked, answer);
	sr_hardware_sweep_soon(&call->vault->state);
	return sr_kek_fold_log(&call->vault->state);
}
