/* Reading identity's directory document (GET /directory) into a snapshot. Strict: it comes from one of ours. */
#include "access/directory_parts.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 64 };

/* A custom role of the document. */
struct custom_role {
	struct sr_id id;
	struct sr_role role;
};

struct reading {
	struct sr_directory *directory;
	const json_t *document;
	struct custom_role *roles;
	size_t role_count;
};

struct sr_result sr_document_string(const json_t *object, const char *name, const char **ret_text)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(object, name, &text));
	if (!text) {
		return sr_fail(SR_INVALID, "member '%s' is missing", name);
	}
	*ret_text = text;
	return sr_ok();
}

struct sr_result sr_document_guid(const json_t *object, const char *name, const char **ret_text, struct sr_id *ret_id)
{
	const char *text = NULL;
	SR_TRY(sr_document_string(object, name, &text));
	if (!sr_guid_read(text, ret_id)) {
		return sr_fail(SR_INVALID, "member '%s' is no GUID", name);
	}
	*ret_text = text;
	return sr_ok();
}

struct sr_result sr_document_array(const json_t *object, const char *name, const json_t **ret_array, size_t *ret_count)
{
	const json_t *array = NULL;
	SR_TRY(sr_json_get_array(object, name, &array));
	*ret_array = array;
	*ret_count = json_array_size(array);
	return sr_ok();
}

static struct sr_result copy_number(struct sr_bytes number, uint8_t *to, size_t max, size_t *ret_len)
{
	while (number.len && number.data[0] == 0) {
		number = sr_bytes_of(number.data + 1, number.len - 1);
	}
	if (number.len == 0 || number.len > max) {
		return sr_fail(SR_INVALID, "a key's number has %zu bytes", number.len);
	}
	memcpy(to, number.data, number.len);
	*ret_len = number.len;
	return sr_ok();
}

static struct sr_result read_rsa(struct sr_arena *arena, const json_t *jwk, struct sr_key_public *ret_public)
{
	struct sr_bytes n = {0};
	struct sr_bytes e = {0};
	SR_TRY(sr_json_get_base64url(arena, jwk, "n", &n));
	SR_TRY(sr_json_get_base64url(arena, jwk, "e", &e));
	struct sr_key_public public_parts = {.spec.type = SR_KEY_RSA};
	SR_TRY(copy_number(n, public_parts.n, sizeof public_parts.n, &public_parts.n_len));
	SR_TRY(copy_number(e, public_parts.e, sizeof public_parts.e, &public_parts.e_len));
	public_parts.spec.bits = (unsigned)(public_parts.n_len * 8);
	*ret_public = public_parts;
	return sr_ok();
}

static struct sr_result read_p256(struct sr_arena *arena, const json_t *jwk, struct sr_key_public *ret_public)
{
	const char *curve = "";
	struct sr_bytes x = {0};
	struct sr_bytes y = {0};
	SR_TRY(sr_json_get_string(jwk, "crv", &curve));
	SR_TRY(sr_json_get_base64url(arena, jwk, "x", &x));
	SR_TRY(sr_json_get_base64url(arena, jwk, "y", &y));
	if (strcmp(curve, "P-256") != 0 || x.len != 32 || y.len != 32) {
		return sr_fail(SR_INVALID, "a key is on no curve that tokens are signed with");
	}
	struct sr_key_public public_parts = {.spec = {.type = SR_KEY_EC, .curve = SR_CURVE_P256}, .xy_len = x.len};
	memcpy(public_parts.x, x.data, x.len);
	memcpy(public_parts.y, y.data, y.len);
	*ret_public = public_parts;
	return sr_ok();
}

/* The kinds of key that sign tokens. A key has one algorithm, whatever a token's header says. */
static const struct {
	const char *type;
	enum sr_alg alg;
	struct sr_result (*read)(struct sr_arena *arena, const json_t *jwk, struct sr_key_public *ret_public);
} key_kinds[] = {
    {"RSA", SR_ALG_RS256, read_rsa},
    {"EC", SR_ALG_ES256, read_p256},
};

static struct sr_result read_key(struct sr_directory *directory, const json_t *jwk)
{
	const char *type = NULL;
	const char *kid;
	const char *alg = NULL;
	SR_TRY(sr_document_string(jwk, "kty", &type));
	SR_TRY(sr_document_string(jwk, "kid", &kid));
	SR_TRY(sr_json_get_string(jwk, "alg", &alg));
	for (size_t i = 0; i < sizeof key_kinds / sizeof *key_kinds; i++) {
		if (strcmp(type, key_kinds[i].type) != 0) {
			continue;
		}
		if (alg && strcmp(alg, sr_alg_name(key_kinds[i].alg)) != 0) {
			return sr_fail(SR_INVALID, "a key's algorithm does not fit its type");
		}
		struct sr_key_public public_parts;
		SR_TRY(key_kinds[i].read(directory->arena, jwk, &public_parts));
		struct sr_directory_key *key = &directory->keys[directory->key_count];
		SR_TRY(sr_keypair_from_public(&public_parts, &key->keypair));
		key->kid = sr_arena_strdup(directory->arena, kid);
		key->alg = key_kinds[i].alg;
		directory->key_count++;
		return sr_ok();
	}
	return sr_ok(); /* RFC 7517 5: a type that is not known is passed over */
}

static struct sr_result read_keys(struct reading *reading)
{
	const json_t *keys;
	size_t count;
	SR_TRY(sr_document_array(reading->document, "keys", &keys, &count));
	if (count > KEYS_MAX) {
		return sr_fail(SR_INVALID, "%zu keys", count);
	}
	reading->directory->keys = sr_arena_alloc(reading->directory->arena, count * sizeof *reading->directory->keys);
	for (size_t i = 0; i < count; i++) {
		SR_TRY(read_key(reading->directory, json_array_get(keys, i)));
	}
	return sr_ok();
}

/* A list of actions, ended by NULL. */
static struct sr_result read_actions(struct sr_arena *arena, const json_t *role, const char *name,
                                     const char *const **ret_actions)
{
	const json_t *array;
	size_t count;
	SR_TRY(sr_document_array(role, name, &array, &count));
	const char **actions = sr_arena_alloc(arena, (count + 1) * sizeof *actions);
	for (size_t i = 0; i < count; i++) {
		const char *action = json_string_value(json_array_get(array, i));
		if (!action) {
			return sr_fail(SR_INVALID, "'%s' holds what is no string", name);
		}
		actions[i] = sr_arena_strdup(arena, action);
	}
	*ret_actions = actions;
	return sr_ok();
}

struct sr_result sr_document_permission(struct sr_arena *arena, const json_t *object, struct sr_role *permission)
{
	SR_TRY(read_actions(arena, object, "actions", &permission->actions));
	SR_TRY(read_actions(arena, object, "notActions", &permission->not_actions));
	SR_TRY(read_actions(arena, object, "dataActions", &permission->data_actions));
	return read_actions(arena, object, "notDataActions", &permission->not_data_actions);
}

static struct sr_result read_roles(struct reading *reading)
{
	struct sr_arena *arena = reading->directory->arena;
	const json_t *roles;
	size_t count;
	SR_TRY(sr_document_array(reading->document, "roles", &roles, &count));
	reading->roles = sr_arena_alloc(arena, count * sizeof *reading->roles);
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(roles, i);
		struct custom_role *custom = &reading->roles[i];
		const char *id;
		const char *name;
		SR_TRY(sr_document_guid(item, "id", &id, &custom->id));
		SR_TRY(sr_document_string(item, "name", &name));
		custom->role.id = sr_arena_strdup(arena, id);
		custom->role.name = sr_arena_strdup(arena, name);
		SR_TRY(sr_document_permission(arena, item, &custom->role));
	}
	reading->role_count = count;
	return sr_ok();
}

/* A built-in role, else a custom one; NULL if the id names none, and such an assignment allows nothing. */
static const struct sr_role *role_of(const struct reading *reading, const char *id_text, const struct sr_id *id)
{
	const struct sr_role *role = sr_role_find(id_text);
	for (size_t i = 0; !role && i < reading->role_count; i++) {
		if (sr_id_equal(&reading->roles[i].id, id)) {
			role = &reading->roles[i].role;
		}
	}
	return role;
}

/* "type" is Entra's: ServicePrincipal (if it is not said) or User. People have no application. */
static struct sr_result read_kind(const json_t *item, struct sr_principal_entry *principal)
{
	const char *type = "ServicePrincipal";
	const char *app_id = "";
	struct sr_id app;
	SR_TRY(sr_json_get_string(item, "type", &type));
	if (strcmp(type, "User") == 0) {
		principal->kind = SR_PRINCIPAL_PERSON;
		principal->app_id = app_id;
		return sr_ok();
	}
	principal->kind = SR_PRINCIPAL_APPLICATION;
	return sr_document_guid(item, "appId", &principal->app_id, &app);
}

static struct sr_result read_principal(struct sr_directory *directory, const json_t *item,
                                       struct sr_principal_entry *principal)
{
	const char *object_id;
	const char *name = "";
	SR_TRY(sr_document_guid(item, "oid", &object_id, &principal->object_id));
	SR_TRY(read_kind(item, principal));
	SR_TRY(sr_json_get_string(item, "name", &name));
	/* Whose state is not told is not let in. */
	SR_TRY(sr_json_get_bool(item, "enabled", &principal->is_enabled));
	principal->object_id_text = sr_arena_strdup(directory->arena, object_id);
	principal->app_id = sr_arena_strdup(directory->arena, principal->app_id);
	principal->name = sr_arena_strdup(directory->arena, name);
	return sr_ok();
}

static struct sr_result read_group(struct sr_directory *directory, const json_t *item, struct sr_principal_entry *group)
{
	const char *object_id;
	const char *name = "";
	SR_TRY(sr_document_guid(item, "id", &object_id, &group->object_id));
	SR_TRY(sr_json_get_string(item, "name", &name));
	group->kind = SR_PRINCIPAL_GROUP;
	group->is_enabled = true;
	group->object_id_text = sr_arena_strdup(directory->arena, object_id);
	group->app_id = "";
	group->name = sr_arena_strdup(directory->arena, name);
	return sr_ok();
}

static void make_slots(struct sr_directory *directory, size_t principal_count)
{
	directory->slot_count = 4;
	while (directory->slot_count < 2 * principal_count) {
		directory->slot_count *= 2;
	}
	directory->slots = sr_arena_alloc(directory->arena, directory->slot_count * sizeof *directory->slots);
}

/* Puts the principal that was read last where it is found. */
static struct sr_result take_slot(struct sr_directory *directory)
{
	size_t place = directory->principal_count;
	size_t slot = sr_directory_slot(directory, &directory->principals[place].object_id);
	if (directory->slots[slot]) {
		return sr_fail(SR_INVALID, "a principal stands there twice");
	}
	directory->slots[slot] = (uint32_t)(place + 1);
	directory->principal_count++;
	return sr_ok();
}

static struct sr_result read_principals(struct reading *reading)
{
	struct sr_directory *directory = reading->directory;
	const json_t *principals;
	const json_t *groups;
	size_t count;
	size_t group_count;
	SR_TRY(sr_document_array(reading->document, "principals", &principals, &count));
	SR_TRY(sr_document_array(reading->document, "groups", &groups, &group_count));
	if (count >= UINT32_MAX / 4 || group_count >= UINT32_MAX / 4) {
		return sr_fail(SR_INVALID, "%zu principals, %zu groups", count, group_count);
	}
	size_t all = count + group_count;
	directory->principals = sr_arena_alloc(directory->arena, all * sizeof *directory->principals);
	make_slots(directory, all);
	for (size_t i = 0; i < count; i++) {
		SR_TRY(read_principal(directory, json_array_get(principals, i), &directory->principals[i]));
		SR_TRY(take_slot(directory));
	}
	for (size_t i = 0; i < group_count; i++) {
		SR_TRY(read_group(directory, json_array_get(groups, i), &directory->principals[count + i]));
		SR_TRY(take_slot(directory));
	}
	return sr_document_memberships(directory, groups);
}

/* An assignment as it is read, before it is put beside its principal's others. */
struct loose_assignment {
	struct sr_principal_entry *principal; /* NULL: allows nobody anything */
	struct sr_assignment_entry entry;
};

static struct sr_result read_assignment(const struct reading *reading, const json_t *item,
                                        struct loose_assignment *assignment)
{
	struct sr_directory *directory = reading->directory;
	const char *id_text;
	const char *principal_text;
	const char *role_text;
	const char *scope;
	struct sr_id principal_id;
	struct sr_id role_id;
	SR_TRY(sr_document_guid(item, "id", &id_text, &assignment->entry.id));
	SR_TRY(sr_document_guid(item, "principal", &principal_text, &principal_id));
	SR_TRY(sr_document_guid(item, "role", &role_text, &role_id));
	SR_TRY(sr_document_string(item, "scope", &scope));
	uint32_t number = directory->slots[sr_directory_slot(directory, &principal_id)];
	assignment->entry.role = role_of(reading, role_text, &role_id);
	assignment->entry.scope = sr_document_scope(directory, scope);
	if (number && assignment->entry.role) {
		assignment->principal = &directory->principals[number - 1];
		assignment->principal->assignment_count++;
	}
	return sr_ok();
}

/* Gives each principal its assignments in one piece. */
static void group_assignments(struct sr_directory *directory, const struct loose_assignment *loose, size_t count)
{
	struct sr_assignment_entry *grouped = sr_arena_alloc(directory->arena, count * sizeof *grouped);
	for (size_t i = 0; i < directory->principal_count; i++) {
		directory->principals[i].assignments = grouped;
		grouped += directory->principals[i].assignment_count;
		directory->principals[i].assignment_count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct sr_principal_entry *principal = loose[i].principal;
		if (principal) {
			principal->assignments[principal->assignment_count++] = loose[i].entry;
		}
	}
}

static struct sr_result read_assignments(struct reading *reading)
{
	const json_t *assignments;
	size_t count;
	SR_TRY(sr_document_array(reading->document, "assignments", &assignments, &count));
	struct loose_assignment *loose = sr_arena_alloc(reading->directory->arena, count * sizeof *loose);
	for (size_t i = 0; i < count; i++) {
		SR_TRY(read_assignment(reading, json_array_get(assignments, i), &loose[i]));
	}
	group_assignments(reading->directory, loose, count);
	return sr_ok();
}

static struct sr_result read_revoked(struct reading *reading)
{
	struct sr_directory *directory = reading->directory;
	const json_t *revoked;
	size_t count;
	SR_TRY(sr_document_array(reading->document, "revoked", &revoked, &count));
	directory->revoked = sr_arena_alloc(directory->arena, count * sizeof *directory->revoked);
	for (size_t i = 0; i < count; i++) {
		const char *id = json_string_value(json_array_get(revoked, i));
		if (!id || !sr_guid_read(id, &directory->revoked[i])) {
			return sr_fail(SR_INVALID, "'revoked' holds what is no GUID");
		}
	}
	if (count) {
		qsort(directory->revoked, count, sizeof *directory->revoked, sr_id_order);
	}
	directory->revoked_count = count;
	return sr_ok();
}

static struct sr_result read_document(struct reading *reading)
{
	struct sr_directory *directory = reading->directory;
	const char *tenant;
	const char *subscription;
	struct sr_id id;
	directory->revision = -1;
	SR_TRY(sr_json_get_int(reading->document, "revision", &directory->revision));
	if (directory->revision < 0) {
		return sr_fail(SR_INVALID, "it has no revision");
	}
	SR_TRY(sr_document_guid(reading->document, "tenant", &tenant, &id));
	SR_TRY(sr_document_guid(reading->document, "subscription", &subscription, &id));
	memcpy(directory->tenant, tenant, sizeof directory->tenant);
	memcpy(directory->subscription, subscription, sizeof directory->subscription);
	SR_TRY(read_keys(reading));
	SR_TRY(read_roles(reading));
	SR_TRY(read_revoked(reading));
	SR_TRY(read_principals(reading));
	SR_TRY(sr_document_scopes(directory, reading->document));
	SR_TRY(read_assignments(reading));
	return sr_document_denials(directory, reading->document);
}

struct sr_result sr_directory_parse(struct sr_bytes document, struct sr_directory **ret_directory)
{
	SR_CLEANUP(sr_json) json_t *json = NULL;
	SR_CLEANUP(sr_directory) struct sr_directory *directory = sr_directory_new();
	struct reading reading = {.directory = directory};
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_json_parse(document, &json);
	if (sr_is_ok(outcome)) {
		reading.document = json;
		outcome = read_document(&reading);
	}
	if (!sr_is_ok(outcome)) {
		return sr_fail(SR_PROTOCOL, "read the directory: %s", sr_result_message(outcome));
	}
	*ret_directory = SR_TAKE(directory);
	return sr_ok();
}
