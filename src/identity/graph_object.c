/* The four shapes, and walks over the tables that hold their objects. */
#include "identity/graph_object.h"

#include "identity/body.h"
#include "identity/group.h"
#include "identity/managed_identity.h"
#include "identity/person.h"

#include <string.h>
#include <strings.h>

struct walk {
	const struct sr_graph_scope *scope;
	enum sr_graph_kind kind;
	const struct sr_graph_filter *filter;
	json_t *list;
};

struct sr_result sr_graph_no_such(const char *id)
{
	return sr_fail_as(SR_NOT_FOUND, "Request_ResourceNotFound",
	                  "Resource '%.128s' does not exist or one of its queried reference-property objects are not "
	                  "present.",
	                  id);
}

/* Secrets as Graph lists them: without their text. */
static struct sr_result passwords_json(const struct sr_graph_scope *scope, const char *object_id, json_t **ret_list)
{
	SR_CLEANUP(sr_json) json_t *secrets = NULL;
	SR_TRY(sr_client_secret_list(scope->connection, object_id, &secrets));
	json_t *list = json_array();
	size_t index;
	json_t *secret;
	json_array_foreach(secrets, index, secret)
	{
		json_t *item = json_object();
		sr_json_set_string(item, "keyId", json_string_value(json_object_get(secret, "secretId")));
		sr_json_set_string(item, "startDateTime", json_string_value(json_object_get(secret, "created")));
		sr_json_set_string(item, "endDateTime", json_string_value(json_object_get(secret, "expires")));
		json_array_append_new(list, item);
	}
	*ret_list = list;
	return sr_ok();
}

struct sr_result sr_graph_application_json(const struct sr_graph_scope *scope, enum sr_graph_kind kind,
                                           const struct sr_application *application, json_t **ret_object)
{
	json_t *passwords;
	SR_TRY(passwords_json(scope, application->object_id, &passwords));
	json_t *body = json_object();
	sr_json_set_string(body, "id", application->object_id);
	sr_json_set_string(body, "appId", application->client_id);
	sr_json_set_string(body, "displayName", application->name);
	sr_body_set_time(body, "createdDateTime", application->created_s);
	sr_json_set(body, "passwordCredentials", passwords);
	sr_json_set(body, "keyCredentials", json_array());
	if (kind == SR_GRAPH_APPLICATION) {
		sr_json_set(body, "identifierUris", json_array());
		sr_json_set_string(body, "signInAudience", "AzureADMyOrg");
	} else {
		sr_json_set_string(body, "appDisplayName", application->name);
		sr_json_set_bool(body, "accountEnabled", application->is_enabled);
		sr_json_set_string(body, "servicePrincipalType", "Application");
		sr_json_set(body, "servicePrincipalNames", json_pack("[s]", application->client_id));
		sr_json_set(body, "alternativeNames", json_array());
		sr_json_set_string(body, "appOwnerOrganizationId", scope->tenant);
	}
	*ret_object = body;
	return sr_ok();
}

static json_t *managed_json(const struct sr_managed_identity *identity)
{
	const bool is_user = identity->kind == SR_MANAGED_USER;
	json_t *body = json_object();
	sr_json_set_string(body, "id", identity->object_id);
	sr_json_set_string(body, "appId", identity->client_id);
	sr_json_set_string(body, "displayName", identity->name);
	sr_body_set_time(body, "createdDateTime", identity->created_s);
	sr_json_set_bool(body, "accountEnabled", identity->is_enabled);
	sr_json_set_string(body, "servicePrincipalType", "ManagedIdentity");
	sr_json_set(body, "servicePrincipalNames", json_pack("[s]", identity->client_id));
	sr_json_set(body, "alternativeNames",
	            json_pack("[s,s]", is_user ? "isExplicit=True" : "isExplicit=False", identity->resource_id));
	sr_json_set(body, "passwordCredentials", json_array());
	sr_json_set(body, "keyCredentials", json_array());
	return body;
}

static json_t *person_json(const struct sr_person *person)
{
	json_t *body = json_object();
	sr_json_set_string(body, "id", person->object_id);
	sr_json_set_string(body, "displayName", person->display_name);
	sr_json_set_string(body, "userPrincipalName", person->user_name);
	sr_json_set_bool(body, "accountEnabled", person->is_enabled);
	sr_body_set_time(body, "createdDateTime", person->created_s);
	return body;
}

static json_t *group_json(const struct sr_group *group)
{
	json_t *body = json_object();
	sr_json_set_string(body, "id", group->id);
	sr_json_set_string(body, "displayName", group->name);
	sr_json_set_string(body, "description", group->description);
	sr_json_set_string(body, "mailNickname", group->name);
	sr_json_set_bool(body, "mailEnabled", false);
	sr_json_set_bool(body, "securityEnabled", true);
	sr_body_set_time(body, "createdDateTime", group->created_s);
	return body;
}

/* Takes the object. */
static void keep_if_fit(const struct walk *walk, json_t *object)
{
	if (sr_graph_filter_fits(walk->filter, object)) {
		json_array_append_new(walk->list, object);
	} else {
		json_decref(object);
	}
}

static struct sr_result add_application(const struct sr_application *application, void *context)
{
	const struct walk *walk = context;
	json_t *object;
	SR_TRY(sr_graph_application_json(walk->scope, walk->kind, application, &object));
	keep_if_fit(walk, object);
	return sr_ok();
}

static struct sr_result add_managed(const struct sr_managed_identity *identity, void *context)
{
	keep_if_fit(context, managed_json(identity));
	return sr_ok();
}

static struct sr_result add_person(const struct sr_person *person, void *context)
{
	keep_if_fit(context, person_json(person));
	return sr_ok();
}

static struct sr_result add_group(const struct sr_group *group, void *context)
{
	keep_if_fit(context, group_json(group));
	return sr_ok();
}

struct sr_result sr_graph_collect(const struct sr_graph_scope *scope, enum sr_graph_kind kind,
                                  const struct sr_graph_filter *filter, json_t *list)
{
	struct walk walk = {scope, kind, filter, list};
	switch (kind) {
	case SR_GRAPH_USER:
		return sr_person_each(scope->connection, add_person, &walk);
	case SR_GRAPH_GROUP:
		return sr_group_each(scope->connection, NULL, add_group, &walk);
	case SR_GRAPH_APPLICATION:
		return sr_application_each(scope->connection, add_application, &walk);
	case SR_GRAPH_SERVICE_PRINCIPAL:
	case SR_GRAPH_ANY:
		break;
	}
	SR_TRY(sr_application_each(scope->connection, add_application, &walk));
	return sr_managed_identity_each(scope->connection, scope->arena, add_managed, &walk);
}

static struct sr_result principal_of(const struct sr_graph_scope *scope, enum sr_graph_kind kind,
                                     const struct sr_object *object, json_t **ret_object)
{
	if (object->kind == SR_OBJECT_MANAGED_IDENTITY) {
		struct sr_managed_identity identity;
		SR_TRY(sr_managed_identity_find(scope->connection, scope->arena, object->id, &identity));
		*ret_object = managed_json(&identity);
		return sr_ok();
	}
	struct sr_application application;
	SR_TRY(sr_application_find(scope->connection, object->id, &application));
	return sr_graph_application_json(scope, kind, &application, ret_object);
}

static struct sr_result user_or_group(const struct sr_graph_scope *scope, const struct sr_object *object,
                                      json_t **ret_object)
{
	if (object->kind == SR_OBJECT_PERSON) {
		struct sr_person person;
		SR_TRY(sr_person_find(scope->connection, object->id, &person));
		*ret_object = person_json(&person);
		return sr_ok();
	}
	struct sr_group group;
	SR_TRY(sr_group_find(scope->connection, object->id, &group));
	*ret_object = group_json(&group);
	return sr_ok();
}

/* Is the object one of the kind that was asked for? */
static bool is_of_kind(const struct sr_object *object, enum sr_graph_kind kind)
{
	switch (kind) {
	case SR_GRAPH_SERVICE_PRINCIPAL:
		return object->kind == SR_OBJECT_APPLICATION || object->kind == SR_OBJECT_MANAGED_IDENTITY;
	case SR_GRAPH_APPLICATION:
		return object->kind == SR_OBJECT_APPLICATION;
	case SR_GRAPH_USER:
		return object->kind == SR_OBJECT_PERSON;
	case SR_GRAPH_GROUP:
		return object->kind == SR_OBJECT_GROUP;
	case SR_GRAPH_ANY:
		break;
	}
	return true;
}

static const char *odata_type(enum sr_object_kind kind)
{
	static const char *const types[] = {
	    [SR_OBJECT_APPLICATION] = "#microsoft.graph.servicePrincipal",
	    [SR_OBJECT_MANAGED_IDENTITY] = "#microsoft.graph.servicePrincipal",
	    [SR_OBJECT_PERSON] = "#microsoft.graph.user",
	    [SR_OBJECT_GROUP] = "#microsoft.graph.group",
	};
	return types[kind];
}

/* A user's name stands for its id, as in Graph. */
static struct sr_result find_object(const struct sr_graph_scope *scope, enum sr_graph_kind kind, const char *id,
                                    struct sr_object *ret_object)
{
	if (kind == SR_GRAPH_USER && !sr_is_guid(sr_bytes_str(id))) {
		struct sr_person person;
		SR_TRY(sr_person_find(scope->connection, id, &person));
		return sr_object_get(scope->connection, person.object_id, ret_object);
	}
	return sr_object_get(scope->connection, id, ret_object);
}

struct sr_result sr_graph_find(const struct sr_graph_scope *scope, enum sr_graph_kind kind, const char *id,
                               json_t **ret_object)
{
	struct sr_object object;
	struct sr_result found = find_object(scope, kind, id, &object);
	if (sr_result_code(found) == SR_NOT_FOUND || (sr_is_ok(found) && !is_of_kind(&object, kind))) {
		sr_ignore(found);
		return sr_graph_no_such(id);
	}
	SR_TRY(found);
	const bool is_principal = object.kind == SR_OBJECT_APPLICATION || object.kind == SR_OBJECT_MANAGED_IDENTITY;
	SR_TRY(is_principal ? principal_of(scope, kind, &object, ret_object) : user_or_group(scope, &object, ret_object));
	if (kind == SR_GRAPH_ANY) {
		sr_json_set_string(*ret_object, "@odata.type", odata_type(object.kind));
	}
	return sr_ok();
}
