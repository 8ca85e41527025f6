/* The names of permissions, to be held against Azure's list line by line, and their reading and writing. */
#include "vault/access_policy.h"

#include "base/text.h"

#include <string.h>

/* Bits are positions and stand in the database: names are only ever added at the end. */
static const char *const key_permissions[] = {
    "all",
    "encrypt",
    "decrypt",
    "wrapKey",
    "unwrapKey",
    "sign",
    "verify",
    "get",
    "list",
    "create",
    "update",
    "import",
    "delete",
    "backup",
    "restore",
    "recover",
    "purge",
    "release",
    "rotate",
    "getrotationpolicy",
    "setrotationpolicy",
    NULL,
};
static const char *const secret_permissions[] = {
    "all", "get", "list", "set", "delete", "backup", "restore", "recover", "purge", NULL,
};
static const char *const certificate_permissions[] = {
    "all",        "get",         "list",       "delete",        "create",        "import",  "update", "managecontacts",
    "getissuers", "listissuers", "setissuers", "deleteissuers", "manageissuers", "recover", "purge",  "backup",
    "restore",    NULL,
};
static const char *const storage_permissions[] = {
    "all",   "get",    "list",    "delete", "set",     "update", "regeneratekey", "recover",
    "purge", "backup", "restore", "setsas", "listsas", "getsas", "deletesas",     NULL,
};

static const struct {
	const char *name;
	const char *const *permissions;
} collections[SR_POLICY_COLLECTIONS] = {
    [SR_POLICY_KEYS] = {"keys", key_permissions},
    [SR_POLICY_SECRETS] = {"secrets", secret_permissions},
    [SR_POLICY_CERTIFICATES] = {"certificates", certificate_permissions},
    [SR_POLICY_STORAGE] = {"storage", storage_permissions},
};

/* "This operation requires the certificates/manageissuers/getissuers permission": either will do. */
static const struct {
	enum sr_policy_collection collection;
	const char *permission, *also;
} alternatives[] = {
    {SR_POLICY_CERTIFICATES, "getissuers", "manageissuers"},
    {SR_POLICY_CERTIFICATES, "listissuers", "manageissuers"},
    {SR_POLICY_CERTIFICATES, "listissuers", "getissuers"},
    {SR_POLICY_CERTIFICATES, "deleteissuers", "manageissuers"},
};

const char *sr_policy_collection_name(enum sr_policy_collection collection)
{
	return collections[collection].name;
}

const char *sr_policy_permission_at(enum sr_policy_collection collection, size_t index)
{
	for (size_t i = 0; collections[collection].permissions[i]; i++) {
		if (i == index) {
			return collections[collection].permissions[i];
		}
	}
	return NULL;
}

/* The bit of a name in either case; 0 for none. */
static uint64_t bit_of(enum sr_policy_collection collection, const char *name)
{
	const struct sr_bytes wanted = sr_bytes_str(name);
	const char *permission;
	for (size_t i = 0; (permission = sr_policy_permission_at(collection, i)); i++) {
		if (sr_equal_nocase(sr_bytes_str(permission), wanted)) {
			return UINT64_C(1) << i;
		}
	}
	return 0;
}

bool sr_policy_requirement(const char *permission, enum sr_policy_collection *ret_collection, uint64_t *ret_mask)
{
	const char *slash = strchr(permission, '/');
	if (!slash) {
		return false;
	}
	const struct sr_bytes wanted = sr_bytes_of(permission, (size_t)(slash - permission));
	for (int i = 0; i < SR_POLICY_COLLECTIONS; i++) {
		if (!sr_equal_public(sr_bytes_str(collections[i].name), wanted)) {
			continue;
		}
		uint64_t mask = bit_of(i, slash + 1);
		if (!mask || mask == 1) {
			return false;
		}
		for (size_t k = 0; k < sizeof alternatives / sizeof *alternatives; k++) {
			if (alternatives[k].collection == (enum sr_policy_collection)i &&
			    strcmp(alternatives[k].permission, slash + 1) == 0) {
				mask |= bit_of(i, alternatives[k].also);
			}
		}
		*ret_mask = strcmp(slash + 1, "purge") == 0 ? mask : mask | 1;
		*ret_collection = i;
		return true;
	}
	return false;
}

static struct sr_result read_set(const json_t *permissions, enum sr_policy_collection collection, uint64_t *ret_set)
{
	const json_t *names = NULL;
	SR_TRY(sr_json_get_array(permissions, collections[collection].name, &names));
	uint64_t set = 0;
	size_t at;
	const json_t *name;
	json_array_foreach(names, at, name)
	{
		const char *text = json_string_value(name);
		const uint64_t bit = text ? bit_of(collection, text) : 0;
		if (!bit) {
			return sr_fail(SR_INVALID, "\"%.32s\" is no permission to %s; Azure's names are taken (get, list, …)",
			               text ? text : "", collections[collection].name);
		}
		set |= bit;
	}
	*ret_set = set;
	return sr_ok();
}

/* A GUID in lowercase, in the arena. */
static struct sr_result read_guid(struct sr_arena *arena, const json_t *entry, const char *name, const char **ret_guid)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(entry, name, &text));
	if (!text || !*text) {
		return sr_ok();
	}
	if (!sr_is_guid(sr_bytes_str(text))) {
		return sr_fail(SR_INVALID, "%s of an access policy: \"%.64s\" is no GUID", name, text);
	}
	char *guid = sr_arena_strdup(arena, text);
	for (char *c = guid; *c; c++) {
		*c = (char)(*c >= 'A' && *c <= 'F' ? *c | 0x20 : *c);
	}
	*ret_guid = guid;
	return sr_ok();
}

static struct sr_result read_entry(struct sr_arena *arena, const json_t *entry, const char *tenant,
                                   struct sr_access_policy *ret_policy)
{
	const char *of_tenant = "";
	const char *object = NULL;
	const json_t *permissions = NULL;
	struct sr_access_policy policy = {.application_id = ""};
	if (!json_is_object(entry)) {
		return sr_fail(SR_INVALID, "an access policy is no JSON object");
	}
	SR_TRY(read_guid(arena, entry, "tenantId", &of_tenant));
	SR_TRY(read_guid(arena, entry, "objectId", &object));
	SR_TRY(read_guid(arena, entry, "applicationId", &policy.application_id));
	SR_TRY(sr_json_get_object(entry, "permissions", &permissions));
	if (!object || !permissions) {
		return sr_fail(SR_INVALID, "an access policy needs tenantId, objectId and permissions");
	}
	if (!sr_equal_nocase(sr_bytes_str(of_tenant), sr_bytes_str(tenant))) {
		return sr_fail(SR_INVALID, "an access policy's tenantId is \"%s\", not the vault's, %s", of_tenant, tenant);
	}
	for (int i = 0; i < SR_POLICY_COLLECTIONS; i++) {
		SR_TRY(read_set(permissions, i, &policy.permissions[i]));
	}
	policy.object_id = object;
	*ret_policy = policy;
	return sr_ok();
}

struct sr_result sr_access_policies_read(struct sr_arena *arena, const json_t *list, const char *tenant,
                                         struct sr_access_policy **ret_policies, size_t *ret_count)
{
	const size_t count = json_array_size(list);
	if (count > SR_ACCESS_POLICIES_MAX) {
		return sr_fail(SR_INVALID, "%zu access policies; a vault takes at most %d", count, SR_ACCESS_POLICIES_MAX);
	}
	struct sr_access_policy *policies = sr_arena_alloc(arena, (count + 1) * sizeof *policies);
	for (size_t i = 0; i < count; i++) {
		SR_TRY(read_entry(arena, json_array_get(list, i), tenant, &policies[i]));
		for (size_t k = 0; k < i; k++) {
			if (sr_access_policy_same_identity(&policies[i], &policies[k])) {
				return sr_fail(SR_INVALID, "%s has two access policies; put its permissions into one",
				               policies[i].object_id);
			}
		}
	}
	*ret_policies = policies;
	*ret_count = count;
	return sr_ok();
}

json_t *sr_access_policy_json(const struct sr_access_policy *policy, const char *tenant)
{
	json_t *entry = json_object(), *permissions = json_object();
	sr_json_set_string(entry, "tenantId", tenant);
	sr_json_set_string(entry, "objectId", policy->object_id);
	sr_json_set_string(entry, "applicationId", *policy->application_id ? policy->application_id : NULL);
	for (int i = 0; i < SR_POLICY_COLLECTIONS; i++) {
		json_t *names = json_array();
		const char *name;
		for (size_t bit = 0; (name = sr_policy_permission_at(i, bit)); bit++) {
			if (policy->permissions[i] >> bit & 1) {
				json_array_append_new(names, json_string(name));
			}
		}
		sr_json_set(permissions, collections[i].name, names);
	}
	sr_json_set(entry, "permissions", permissions);
	return entry;
}

bool sr_access_policy_same_identity(const struct sr_access_policy *a, const struct sr_access_policy *b)
{
	return strcmp(a->object_id, b->object_id) == 0 && strcmp(a->application_id, b->application_id) == 0;
}

bool sr_access_policy_is_empty(const struct sr_access_policy *policy)
{
	uint64_t all = 0;
	for (int i = 0; i < SR_POLICY_COLLECTIONS; i++) {
		all |= policy->permissions[i];
	}
	return !all;
}
