/* The directory that the other services follow by long poll: keys, principals, assignments, roles. */
#include "identity/api.h"

#include "base/clock.h"
#include "identity/assignment.h"
#include "identity/custom_role.h"
#include "identity/deny_assignment.h"
#include "identity/group.h"
#include "identity/managed_identity.h"
#include "identity/management_group.h"
#include "identity/person.h"
#include "identity/principal.h"
#include "identity/revision.h"
#include "identity/revoked.h"

enum { WAIT_MAX_MS = 60000, DIRECTORY_MAX = 64 * 1024 * 1024 };

struct document {
	const struct sr_identity_request *request;
	struct sr_identity_store *store;
	int64_t known_revision; /* -1: none */
	int64_t revision;
	json_t *principals, *assignments, *groups; /* borrowed from `body` */
	json_t *members;                           /* of the group that is being written */
	struct sr_connection *connection;
	json_t *body; /* owned; NULL where the known revision is the current one */
};

static struct sr_result add_principal(const struct sr_application *application, void *context)
{
	struct document *document = context;
	json_t *item = json_object();
	sr_json_set_string(item, "oid", application->object_id);
	sr_json_set_string(item, "appId", application->client_id);
	sr_json_set_string(item, "name", application->name);
	sr_json_set_bool(item, "enabled", application->is_enabled);
	json_array_append_new(document->principals, item);
	return sr_ok();
}

static struct sr_result add_person(const struct sr_person *person, void *context)
{
	struct document *document = context;
	json_t *item = json_object();
	sr_json_set_string(item, "type", "User");
	sr_json_set_string(item, "oid", person->object_id);
	sr_json_set_string(item, "name", person->user_name);
	sr_json_set_bool(item, "enabled", person->is_enabled);
	json_array_append_new(document->principals, item);
	return sr_ok();
}

static struct sr_result add_managed(const struct sr_managed_identity *identity, void *context)
{
	const struct document *document = context;
	json_t *item = json_object();
	sr_json_set_string(item, "oid", identity->object_id);
	sr_json_set_string(item, "appId", identity->client_id);
	sr_json_set_string(item, "name", identity->name);
	sr_json_set_bool(item, "enabled", identity->is_enabled);
	json_array_append_new(document->principals, item);
	return sr_ok();
}

static struct sr_result add_member(const char *member, void *context)
{
	struct document *document = context;
	json_array_append_new(document->members, json_string(member));
	return sr_ok();
}

static struct sr_result add_group(const struct sr_group *group, void *context)
{
	struct document *document = context;
	json_t *item = json_object();
	sr_json_set_string(item, "id", group->id);
	sr_json_set_string(item, "name", group->name);
	document->members = json_array();
	sr_json_set(item, "members", document->members);
	json_array_append_new(document->groups, item);
	return sr_group_each_member(document->connection, group->id, add_member, document);
}

static struct sr_result add_assignment(const struct sr_assignment *assignment, void *context)
{
	struct document *document = context;
	json_t *item = json_object();
	sr_json_set_string(item, "id", assignment->id);
	sr_json_set_string(item, "principal", assignment->principal);
	sr_json_set_string(item, "role", assignment->role);
	sr_json_set_string(item, "scope", assignment->scope);
	json_array_append_new(document->assignments, item);
	return sr_ok();
}

static struct sr_result add_revoked(struct sr_bytes credential_id, void *context)
{
	json_array_append_new(context, json_stringn((const char *)credential_id.data, credential_id.len));
	return sr_ok();
}

static json_t *set_array(json_t *body, const char *name)
{
	json_t *array = json_array();
	sr_json_set(body, name, array);
	return array;
}

static struct sr_result add_role(const struct sr_role_definition *definition, void *context)
{
	const struct sr_role *role = &definition->role;
	json_t *item = json_object();
	sr_json_set_string(item, "id", role->id);
	sr_json_set_string(item, "name", role->name);
	sr_json_set(item, "actions", sr_texts_json(role->actions));
	sr_json_set(item, "notActions", sr_texts_json(role->not_actions));
	sr_json_set(item, "dataActions", sr_texts_json(role->data_actions));
	sr_json_set(item, "notDataActions", sr_texts_json(role->not_data_actions));
	json_array_append_new(context, item);
	return sr_ok();
}

static struct sr_result add_denial(const struct sr_deny_assignment *denial, void *context)
{
	json_t *item = json_deep_copy(denial->body);
	sr_json_set_string(item, "id", denial->id);
	sr_json_set_string(item, "name", denial->name);
	sr_json_set_string(item, "scope", denial->scope);
	json_array_append_new(context, item);
	return sr_ok();
}

/* The root comes first and names no parent. */
static struct sr_result add_management_group(const struct sr_management_group_row *group, void *context)
{
	json_t *item = json_object();
	sr_json_set_string(item, "name", group->name);
	sr_json_set_string(item, "parent", group->parent);
	json_array_append_new(context, item);
	return sr_ok();
}

static struct sr_result add_subscription(const char *subscription, const char *group, void *context)
{
	json_t *item = json_object();
	sr_json_set_string(item, "id", subscription);
	sr_json_set_string(item, "managementGroup", group);
	json_array_append_new(context, item);
	return sr_ok();
}

/* Custom roles, denials, and the tree of scopes. */
static struct sr_result write_rules(struct sr_connection *connection, const struct document *document, json_t *body)
{
	struct sr_arena *arena = document->request->arena;
	SR_TRY(sr_custom_role_each(connection, arena, add_role, set_array(body, "roles")));
	SR_TRY(sr_deny_assignment_each(connection, arena, add_denial, set_array(body, "denyAssignments")));
	SR_TRY(sr_management_group_each(connection, arena, add_management_group, set_array(body, "managementGroups")));
	return sr_subscription_each(connection, arena, add_subscription, set_array(body, "subscriptions"));
}

/* All of it in one snapshot, so that the revision fits what it stands beside. */
static struct sr_result write_document(struct sr_connection *connection, struct document *document)
{
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_int(body, "revision", document->revision);
	sr_json_set_string(body, "tenant", document->store->tenant);
	sr_json_set_string(body, "subscription", document->store->subscription);
	json_t *keys;
	SR_TRY(sr_signing_keys_jwks(connection, &keys));
	sr_json_set(body, "keys", keys);
	SR_TRY(sr_revoked_each(connection, add_revoked, set_array(body, "revoked")));
	document->principals = set_array(body, "principals");
	SR_TRY(sr_application_each(connection, add_principal, document));
	SR_TRY(sr_person_each(connection, add_person, document));
	SR_TRY(sr_managed_identity_each(connection, document->request->arena, add_managed, document));
	document->connection = connection;
	document->groups = set_array(body, "groups");
	SR_TRY(sr_group_each(connection, NULL, add_group, document));
	document->assignments = set_array(body, "assignments");
	SR_TRY(sr_assignment_each(connection, document->request->arena, NULL, add_assignment, document));
	SR_TRY(write_rules(connection, document, body));
	document->body = SR_TAKE(body);
	return sr_ok();
}

static struct sr_result read_document(struct sr_connection *connection, void *context)
{
	struct document *document = context;
	SR_TRY(sr_revision_read(connection, &document->revision));
	return document->revision == document->known_revision ? sr_ok() : write_document(connection, document);
}

/* Looks once, within the lease. */
static struct sr_result look(struct document *document)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	SR_TRY(sr_identity_enter(document->request->identity, NULL, NULL, &use, &document->store));
	return sr_database_read(document->store->database, read_document, document);
}

static uint64_t changes_now(struct sr_directory_watch *watch)
{
	SR_LOCKED(&watch->mutex);
	return watch->change_count;
}

/* Waits, outside the lease, for a change after `seen`; false when there was none until the deadline, or the service
 * stops. */
static bool wait_for_change(struct sr_directory_watch *watch, uint64_t seen, uint64_t deadline_ns)
{
	sr_blocking_begin();
	sr_mutex_lock(&watch->mutex);
	while (watch->change_count == seen && !watch->is_stopping &&
	       sr_cond_wait_until(&watch->cond, &watch->mutex, deadline_ns)) {
	}
	bool has_changed = watch->change_count != seen && !watch->is_stopping;
	sr_mutex_unlock(&watch->mutex);
	sr_blocking_end();
	return has_changed;
}

static struct sr_result read_number(const struct sr_parameters *query, const char *name, uint64_t max, uint64_t *ret)
{
	const char *text = sr_parameter_get(query, name);
	return text ? sr_parse_u64(sr_bytes_str(text), max, ret) : sr_ok();
}

/* Waits until the document differs from what is known, or the time is up; then gives it whatever it is. */
static struct sr_result follow(struct document *document, uint64_t wait_ms)
{
	struct sr_directory_watch *watch = &document->request->identity->watch;
	uint64_t deadline_ns = sr_boottime_ns() + wait_ms * 1000000;
	for (;;) {
		uint64_t seen = changes_now(watch);
		SR_TRY(look(document));
		if (document->body) {
			return sr_ok();
		}
		if (!wait_for_change(watch, seen, deadline_ns)) {
			document->known_revision = -1;
		}
	}
}

static void document_cleanup(struct document *document)
{
	sr_json_cleanup(&document->body);
}

struct sr_result sr_directory_follow(const struct sr_identity_request *request, struct sr_exchange *exchange)
{
	uint64_t known = UINT64_MAX;
	uint64_t wait_ms = 0;
	SR_TRY(read_number(&request->query, "revision", INT64_MAX, &known));
	SR_TRY(read_number(&request->query, "wait", UINT32_MAX, &wait_ms));
	SR_CLEANUP(document)
	struct document document = {.request = request, .known_revision = known == UINT64_MAX ? -1 : (int64_t)known};
	SR_TRY(follow(&document, wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(DIRECTORY_MAX);
	SR_TRY(sr_json_write(document.body, &text));
	sr_exchange_add_header(exchange, "Content-Type", "application/json; charset=utf-8");
	sr_exchange_add_header(exchange, "Cache-Control", "no-store");
	return sr_exchange_send(exchange, 200, sr_buf_bytes(&text));
}
