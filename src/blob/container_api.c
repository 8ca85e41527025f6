/* Create, Get Properties, Set Metadata, ACL, Lease and Delete of containers. */
#include "blob/container_api.h"
#include "blob/blob_api.h"
#include "blob/container_store.h"
#include "blob/header.h"
#include "blob/lease_api.h"
#include "blob/policy.h"

#include "base/clock.h"
#include "wire/xml.h"

enum { ACL_MAX = 65536 };

/* One change of one container's row, or a look at it. */
struct work {
	struct sr_blob_request *request;
	struct sr_blob_conditions conditions;
	const char *lease_id;
	struct sr_container_row row; /* as it is or became */
	struct sr_bytes wanted;      /* metadata or policies to be set */
	struct sr_blob_lease_request wish;
	int32_t left_s;
};

static struct sr_result prepare(struct work *work, struct sr_blob_request *request)
{
	work->request = request;
	work->lease_id = sr_blob_header(request, "x-ms-lease-id");
	return sr_blob_conditions_read(request->exchange, &work->conditions);
}

static struct sr_result find(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	return sr_container_find(connection, work->request->arena, work->request->target.container, &work->row);
}

static struct sr_result check(const struct work *work)
{
	struct sr_blob_state state = {true, work->row.etag, work->row.modified};
	SR_TRY(sr_blob_conditions_check_write(&work->conditions, &state, false));
	/* A container's lease guards its deletion alone; elsewhere only a wrong id is refused. */
	return sr_blob_lease_allows_read(&work->row.lease, sr_unix_us() / 1000, work->lease_id, true);
}

static struct sr_result create(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	work->row.name = work->request->target.container;
	return sr_container_insert(connection, work->request->volume, &work->row);
}

struct sr_result sr_container_create(struct sr_blob_request *request)
{
	struct work work = {.request = request};
	SR_TRY(sr_blob_metadata_read(request->exchange, request->arena, &work.row.metadata));
	SR_TRY(sr_database_write(request->volume->database, create, &work));
	sr_blob_add_state_headers(request->exchange, work.row.etag, work.row.modified);
	return sr_blob_respond(request, 201);
}

struct sr_result sr_container_get_properties(struct sr_blob_request *request)
{
	struct work work = {0};
	SR_TRY(prepare(&work, request));
	SR_TRY(sr_database_read(request->volume->database, find, &work));
	SR_TRY(sr_blob_lease_allows_read(&work.row.lease, sr_unix_us() / 1000, work.lease_id, true));
	sr_blob_add_state_headers(request->exchange, work.row.etag, work.row.modified);
	sr_blob_add_metadata_headers(request->exchange, request->arena, work.row.metadata);
	sr_blob_add_lease_headers(request->exchange, &work.row.lease);
	sr_exchange_add_header(request->exchange, "x-ms-has-immutability-policy", "false");
	sr_exchange_add_header(request->exchange, "x-ms-has-legal-hold", "false");
	return sr_blob_respond(request, 200);
}

static struct sr_result set_metadata(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find(connection, context));
	SR_TRY(check(work));
	work->row.metadata = work->wanted;
	return sr_container_update(connection, work->request->volume, &work->row, true);
}

struct sr_result sr_container_set_metadata(struct sr_blob_request *request)
{
	struct work work = {0};
	SR_TRY(prepare(&work, request));
	SR_TRY(sr_blob_metadata_read(request->exchange, request->arena, &work.wanted));
	SR_TRY(sr_database_write(request->volume->database, set_metadata, &work));
	sr_blob_add_state_headers(request->exchange, work.row.etag, work.row.modified);
	return sr_blob_respond(request, 200);
}

static struct sr_result remove_row(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find(connection, context));
	struct sr_blob_state state = {true, work->row.etag, work->row.modified};
	SR_TRY(sr_blob_conditions_check_write(&work->conditions, &state, false));
	SR_TRY(sr_blob_lease_allows_write(&work->row.lease, sr_unix_us() / 1000, work->lease_id, true));
	return sr_container_delete(connection, &work->row);
}

struct sr_result sr_container_remove(struct sr_blob_request *request)
{
	struct work work = {0};
	SR_TRY(prepare(&work, request));
	SR_TRY(sr_database_write(request->volume->database, remove_row, &work));
	return sr_blob_respond(request, 202);
}

struct sr_result sr_container_get_acl(struct sr_blob_request *request)
{
	struct work work = {0};
	SR_TRY(prepare(&work, request));
	SR_TRY(sr_database_read(request->volume->database, find, &work));
	SR_TRY(sr_blob_lease_allows_read(&work.row.lease, sr_unix_us() / 1000, work.lease_id, true));
	sr_blob_add_state_headers(request->exchange, work.row.etag, work.row.modified);
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(ACL_MAX);
	SR_TRY(sr_blob_policies_write(work.row.acl, &xml));
	return sr_blob_respond_xml(request, &xml);
}

static struct sr_result set_acl(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find(connection, context));
	SR_TRY(check(work));
	work->row.acl = work->wanted;
	return sr_container_update(connection, work->request->volume, &work->row, true);
}

struct sr_result sr_container_set_acl(struct sr_blob_request *request)
{
	struct work work = {0};
	SR_TRY(prepare(&work, request));
	struct sr_bytes body;
	SR_TRY(sr_exchange_read_all(request->exchange, ACL_MAX, &body));
	SR_TRY(sr_blob_policies_read(request->arena, body, &work.wanted));
	SR_TRY(sr_database_write(request->volume->database, set_acl, &work));
	sr_blob_add_state_headers(request->exchange, work.row.etag, work.row.modified);
	return sr_blob_respond(request, 200);
}

static struct sr_result lease(struct sr_connection *connection, void *context)
{
	struct work *work = context;
	SR_TRY(find(connection, context));
	struct sr_blob_state state = {true, work->row.etag, work->row.modified};
	SR_TRY(sr_blob_conditions_check_write(&work->conditions, &state, false));
	SR_TRY(sr_blob_lease_apply(&work->row.lease, sr_unix_us() / 1000, &work->wish, &work->row.lease, &work->left_s));
	return sr_container_update(connection, work->request->volume, &work->row, false);
}

struct sr_result sr_container_lease_operation(struct sr_blob_request *request)
{
	struct work work = {0};
	SR_TRY(prepare(&work, request));
	SR_TRY(sr_blob_lease_request_read(request, &work.wish));
	SR_TRY(sr_database_write(request->volume->database, lease, &work));
	sr_blob_add_state_headers(request->exchange, work.row.etag, work.row.modified);
	return sr_blob_lease_respond(request, &work.wish, &work.row.lease, work.left_s);
}
