/* Reading the directory as clients of Microsoft Graph do: az looks up who is to get a role, and itself. */
#include "identity/api.h"

#include "identity/body.h"
#include "identity/graph_caller.h"
#include "identity/graph_object.h"
#include "identity/group.h"

#include <string.h>
#include <strings.h>

enum { IDS_MAX = 1000 };

struct work {
	const struct sr_identity_request *request;
	struct sr_principal who;
	bool may_read_all;
	enum sr_graph_kind kind;
	struct sr_graph_filter filter;
	struct sr_graph_scope scope;
	const json_t *ids;
	json_t *list; /* owned by the handler */
	json_t *found;
};

/* By the collection in the path: "/v1.0/users/…". */
static enum sr_graph_kind kind_of(const char *collection)
{
	static const struct {
		const char *name;
		enum sr_graph_kind kind;
	} kinds[] = {{"servicePrincipals", SR_GRAPH_SERVICE_PRINCIPAL},
	             {"applications", SR_GRAPH_APPLICATION},
	             {"users", SR_GRAPH_USER},
	             {"groups", SR_GRAPH_GROUP}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcasecmp(kinds[i].name, collection) == 0) {
			return kinds[i].kind;
		}
	}
	return SR_GRAPH_ANY;
}

static struct sr_result begin(const struct sr_identity_request *request, struct sr_identity_answer *answer,
                              struct work *work)
{
	work->request = request;
	answer->audit.object = sr_arena_text(request->arena, request->path);
	SR_TRY(sr_graph_authenticate(request, answer, &work->who));
	SR_TRY(sr_graph_may_read(request, &work->who, &work->may_read_all));
	work->scope.arena = request->arena;
	work->scope.tenant = request->store->tenant;
	return sr_ok();
}

static struct sr_result find(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	const char *id = work->request->parts[1] ? work->request->parts[1] : work->who.object_id;
	work->scope.connection = connection;
	return sr_graph_find(&work->scope, work->kind, id, &work->found);
}

struct sr_result sr_graph_me(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.kind = SR_GRAPH_USER};
	SR_TRY(begin(request, answer, &work));
	if (*work.who.app_id) {
		return sr_fail_as(SR_INVALID, "Request_BadRequest",
		                  "/me request is only valid with delegated authentication flow.");
	}
	SR_TRY(sr_database_read(request->store->database, find, &work));
	answer->body = work.found;
	return sr_ok();
}

/* Who may not read all sees itself, so that az finds the object id of who is signed in. */
static void keep_own(struct work *work)
{
	for (size_t i = json_array_size(work->list); !work->may_read_all && i > 0; i--) {
		const char *id = json_string_value(json_object_get(json_array_get(work->list, i - 1), "id"));
		if (strcasecmp(id, work->who.object_id) != 0) {
			json_array_remove(work->list, i - 1);
		}
	}
}

/* The same of a collection, without reading it all: that would be a lot of work for anyone who asks. */
static struct sr_result collect_own(struct work *work)
{
	SR_CLEANUP(sr_json) json_t *own = NULL;
	struct sr_result found = sr_graph_find(&work->scope, work->kind, work->who.object_id, &own);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	if (sr_graph_filter_fits(&work->filter, own)) {
		json_array_append(work->list, own);
	}
	return sr_ok();
}

static struct sr_result collect(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	work->scope.connection = connection;
	if (!work->may_read_all) {
		return collect_own(work);
	}
	return sr_graph_collect(&work->scope, work->kind, &work->filter, work->list);
}

static struct sr_result answer_list(struct work *work, struct sr_identity_answer *answer, sr_database_work read)
{
	SR_CLEANUP(sr_json) json_t *list = json_array();
	work->list = list;
	SR_TRY(sr_database_read(work->request->store->database, read, work));
	answer->body = json_object();
	sr_json_set_string(answer->body, "@odata.context",
	                   sr_arena_printf(work->request->arena, "%s/v1.0/$metadata", work->request->origin));
	sr_json_set(answer->body, "value", SR_TAKE(list));
	return sr_ok();
}

struct sr_result sr_graph_list(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.kind = kind_of(request->parts[0])};
	SR_TRY(begin(request, answer, &work));
	if (work.kind == SR_GRAPH_ANY) {
		return sr_graph_no_such(request->parts[0]);
	}
	SR_TRY(sr_graph_filter_parse(request->arena, sr_parameter_get(&request->query, "$filter"), &work.filter));
	return answer_list(&work, answer, collect);
}

struct sr_result sr_graph_get(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	const char *collection = request->parts[0];
	struct work work = {.kind = kind_of(collection)};
	SR_TRY(begin(request, answer, &work));
	if (work.kind == SR_GRAPH_ANY && strcasecmp(collection, "directoryObjects") != 0) {
		return sr_graph_no_such(collection);
	}
	if (!work.may_read_all && strcasecmp(request->parts[1], work.who.object_id) != 0) {
		return sr_graph_denied();
	}
	SR_TRY(sr_database_read(request->store->database, find, &work));
	answer->body = work.found;
	return sr_ok();
}

static struct sr_result add_member(const char *member, void *context)
{
	struct work *work = context;
	json_t *found;
	SR_TRY(sr_graph_find(&work->scope, SR_GRAPH_ANY, member, &found));
	json_array_append_new(work->list, found);
	return sr_ok();
}

static struct sr_result collect_members(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	struct sr_group group;
	work->scope.connection = connection;
	struct sr_result found = sr_group_find(connection, work->request->parts[0], &group);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_graph_no_such(work->request->parts[0]);
	}
	SR_TRY(found);
	return sr_group_each_member(connection, group.id, add_member, work);
}

struct sr_result sr_graph_members(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.kind = SR_GRAPH_ANY};
	SR_TRY(begin(request, answer, &work));
	if (!work.may_read_all) {
		return sr_graph_denied();
	}
	return answer_list(&work, answer, collect_members);
}

/* Ids that are nobody's are left out. */
static struct sr_result collect_by_ids(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	work->scope.connection = connection;
	for (size_t i = 0; i < json_array_size(work->ids); i++) {
		const char *id = json_string_value(json_array_get(work->ids, i));
		struct sr_result found = id ? add_member(id, work) : sr_ok();
		if (sr_result_code(found) == SR_NOT_FOUND) {
			sr_ignore(found);
			continue;
		}
		SR_TRY(found);
	}
	keep_own(work);
	return sr_ok();
}

/* {"ids": […]}; "types" are not asked: an id is unique. */
struct sr_result sr_graph_get_by_ids(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct work work = {.kind = SR_GRAPH_ANY};
	SR_TRY(begin(request, answer, &work));
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_body_parse(request, &asked));
	SR_TRY(sr_json_get_array(asked, "ids", &work.ids));
	if (!work.ids || json_array_size(work.ids) > IDS_MAX) {
		return sr_fail_as(SR_INVALID, "Request_BadRequest", "'ids' is an array of at most %d object ids.", IDS_MAX);
	}
	return answer_list(&work, answer, collect_by_ids);
}
