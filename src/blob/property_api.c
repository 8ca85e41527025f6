/* Changing what is said of a blob and not its bytes: properties, metadata, tier, lease. */
#include "blob/blob_api.h"
#include "blob/lease_api.h"
#include "blob/write_rules.h"

#include "base/clock.h"

/* A change of one blob's row: `apply` makes it, within the transaction. */
struct change {
	struct sr_blob_request *request;
	struct sr_blob_conditions conditions;
	const char *lease_id;
	void (*apply)(struct sr_blob_row *row, const struct change *change);
	bool renews_etag;
	struct sr_blob_content_headers headers;
	struct sr_bytes metadata;
	enum sr_blob_tier tier;
	struct sr_blob_row row; /* as it became */
	bool was_archived;
};

static struct sr_result change_in_transaction(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_blob_request *request = change->request;
	SR_TRY(
	    sr_blob_open(connection, request->arena, request->target.container, request->target.blob, &change->row, NULL));
	SR_TRY(sr_blob_check_write(&change->row, &change->conditions, change->lease_id, false));
	change->was_archived = change->row.tier == SR_BLOB_TIER_ARCHIVE;
	change->apply(&change->row, change);
	return sr_blob_update(connection, request->volume, &change->row, change->renews_etag);
}

static struct sr_result run(struct change *change)
{
	struct sr_blob_request *request = change->request;
	change->lease_id = sr_blob_header(request, "x-ms-lease-id");
	SR_TRY(sr_blob_conditions_read(request->exchange, &change->conditions));
	SR_TRY(sr_database_write(request->volume->database, change_in_transaction, change));
	sr_blob_add_state_headers(request->exchange, change->row.etag, change->row.modified);
	return sr_ok();
}

static void apply_headers(struct sr_blob_row *row, const struct change *change)
{
	row->headers = change->headers;
}

struct sr_result sr_blob_set_properties(struct sr_blob_request *request)
{
	struct change change = {.request = request, .apply = apply_headers, .renews_etag = true};
	SR_TRY(sr_blob_content_headers_read(request->exchange, request->arena, false, &change.headers));
	SR_TRY(run(&change));
	return sr_blob_respond(request, 200);
}

static void apply_metadata(struct sr_blob_row *row, const struct change *change)
{
	row->metadata = change->metadata;
}

struct sr_result sr_blob_set_metadata(struct sr_blob_request *request)
{
	struct change change = {.request = request, .apply = apply_metadata, .renews_etag = true};
	SR_TRY(sr_blob_metadata_read(request->exchange, request->arena, &change.metadata));
	SR_TRY(run(&change));
	sr_exchange_add_header(request->exchange, "x-ms-request-server-encrypted", "true");
	return sr_blob_respond(request, 200);
}

static void apply_tier(struct sr_blob_row *row, const struct change *change)
{
	row->tier = change->tier;
	row->tier_changed = sr_unix_s();
}

/* Rehydration takes no time here: the bytes never went anywhere. */
struct sr_result sr_blob_set_tier(struct sr_blob_request *request)
{
	struct change change = {.request = request, .apply = apply_tier};
	const char *text = sr_blob_header(request, "x-ms-access-tier");
	if (!text) {
		return sr_fail_as(SR_INVALID, "MissingRequiredHeader", "x-ms-access-tier is missing");
	}
	change.tier = sr_blob_tier_of(text);
	if (!change.tier) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "x-ms-access-tier is no tier of block blobs");
	}
	SR_TRY(run(&change));
	return sr_blob_respond(request, change.was_archived && change.tier != SR_BLOB_TIER_ARCHIVE ? 202 : 200);
}

struct lease_change {
	struct sr_blob_request *request;
	struct sr_blob_conditions conditions;
	struct sr_blob_lease_request wish;
	struct sr_blob_row row;
	int32_t left_s;
};

static struct sr_result lease_in_transaction(struct sr_connection *connection, void *context)
{
	struct lease_change *change = context;
	struct sr_blob_request *request = change->request;
	SR_TRY(
	    sr_blob_open(connection, request->arena, request->target.container, request->target.blob, &change->row, NULL));
	struct sr_blob_state state = sr_blob_row_state(&change->row);
	SR_TRY(sr_blob_conditions_check_write(&change->conditions, &state, false));
	SR_TRY(sr_blob_lease_apply(&change->row.lease, sr_unix_us() / 1000, &change->wish, &change->row.lease,
	                           &change->left_s));
	return sr_blob_update(connection, request->volume, &change->row, false);
}

struct sr_result sr_blob_lease_operation(struct sr_blob_request *request)
{
	struct lease_change change = {.request = request};
	SR_TRY(sr_blob_conditions_read(request->exchange, &change.conditions));
	SR_TRY(sr_blob_lease_request_read(request, &change.wish));
	SR_TRY(sr_database_write(request->volume->database, lease_in_transaction, &change));
	sr_blob_add_state_headers(request->exchange, change.row.etag, change.row.modified);
	return sr_blob_lease_respond(request, &change.wish, &change.row.lease, change.left_s);
}

static struct sr_result find_in_transaction(struct sr_connection *connection, void *context)
{
	struct change *change = context;
	struct sr_blob_request *request = change->request;
	return sr_blob_open(connection, request->arena, request->target.container, request->target.blob, &change->row,
	                    NULL);
}

struct sr_result sr_blob_get_metadata(struct sr_blob_request *request)
{
	struct change change = {.request = request};
	SR_TRY(sr_blob_conditions_read(request->exchange, &change.conditions));
	SR_TRY(sr_database_read(request->volume->database, find_in_transaction, &change));
	struct sr_blob_state state = sr_blob_row_state(&change.row);
	SR_TRY(sr_blob_conditions_check_read(&change.conditions, &state));
	sr_blob_add_state_headers(request->exchange, change.row.etag, change.row.modified);
	sr_blob_add_metadata_headers(request->exchange, request->arena, change.row.metadata);
	return sr_blob_respond(request, 200);
}
