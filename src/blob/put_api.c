/* Put Blob (of block blobs) and Delete Blob. */
#include "blob/blob_api.h"
#include "blob/container_store.h"
#include "blob/content.h"
#include "blob/write_rules.h"

#include "base/clock.h"

#include <string.h>

static const uint64_t mib = UINT64_C(1024) * 1024;

/* The largest single upload grew with the service's versions. */
static uint64_t put_max(unsigned version)
{
	return version >= 20191212 ? 5000 * mib : version >= 20160531 ? 256 * mib : 64 * mib;
}

struct put {
	struct sr_blob_request *request;
	struct sr_blob_conditions conditions;
	const char *lease_id;
	struct sr_blob_row row;
	struct sr_upload upload;
};

static struct sr_result put_in_transaction(struct sr_connection *connection, void *context)
{
	struct put *put = context;
	struct sr_blob_request *request = put->request;
	struct sr_blob_row old;
	bool exists = false;
	put->row.name = request->target.blob;
	SR_TRY(sr_container_number(connection, request->target.container, &put->row.container));
	SR_TRY(sr_blob_find(connection, request->arena, put->row.container, put->row.name, &exists, &old));
	SR_TRY(sr_blob_check_overwrite(request, exists));
	SR_TRY(sr_blob_check_write(exists ? &old : NULL, &put->conditions, put->lease_id, true));
	if (exists) {
		put->row.lease = old.lease;
	}
	if (put->upload.piece.length > 0) {
		SR_TRY(sr_piece_insert(connection, &put->upload.piece));
		put->row.piece_number = put->upload.piece.number;
	}
	SR_TRY(sr_blob_put(connection, request->volume, &put->row, exists ? &old : NULL));
	put->upload.is_named = true;
	return sr_ok();
}

static struct sr_result put_prepare(struct put *put)
{
	struct sr_blob_request *request = put->request;
	const char *kind = sr_blob_header(request, "x-ms-blob-type");
	if (!kind) {
		return sr_fail_as(SR_INVALID, "MissingRequiredHeader", "x-ms-blob-type is missing");
	}
	if (strcmp(kind, "BlockBlob") != 0) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "only block blobs are served here");
	}
	put->lease_id = sr_blob_header(request, "x-ms-lease-id");
	put->row.kind = SR_BLOB_KIND_BLOCK;
	put->row.created = sr_unix_s();
	SR_TRY(sr_blob_conditions_read(request->exchange, &put->conditions));
	SR_TRY(sr_blob_content_headers_read(request->exchange, request->arena, true, &put->row.headers));
	SR_TRY(sr_blob_metadata_read(request->exchange, request->arena, &put->row.metadata));
	SR_TRY(sr_blob_tier_read(request, &put->row));
	if (!put->row.headers.content_type) {
		put->row.headers.content_type = "application/octet-stream";
	}
	return sr_ok();
}

static void put_cleanup(struct put *put)
{
	sr_upload_cleanup(&put->upload);
}

struct sr_result sr_blob_put_whole(struct sr_blob_request *request)
{
	SR_CLEANUP(put) struct put put = {.request = request};
	SR_TRY(put_prepare(&put));
	SR_TRY(sr_upload_receive(request, put_max(request->version), SR_UPLOAD_MD5, &put.upload));
	put.row.length = put.upload.piece.length;
	if (!put.row.headers.content_md5.len) {
		put.row.headers.content_md5 = put.upload.md5;
	}
	SR_TRY(sr_database_write(request->volume->database, put_in_transaction, &put));
	sr_blob_add_state_headers(request->exchange, put.row.etag, put.row.modified);
	sr_blob_add_base64_header(request->exchange, "Content-MD5", put.upload.md5);
	if (put.upload.crc64.len) {
		sr_blob_add_base64_header(request->exchange, "x-ms-content-crc64", put.upload.crc64);
	}
	sr_exchange_add_header(request->exchange, "x-ms-request-server-encrypted", "true");
	return sr_blob_respond(request, 201);
}

struct deletion {
	struct sr_blob_request *request;
	struct sr_blob_conditions conditions;
	const char *lease_id;
};

static struct sr_result delete_in_transaction(struct sr_connection *connection, void *context)
{
	const struct deletion *deletion = context;
	struct sr_blob_request *request = deletion->request;
	struct sr_blob_row row;
	SR_TRY(sr_blob_open(connection, request->arena, request->target.container, request->target.blob, &row, NULL));
	SR_TRY(sr_blob_check_write(&row, &deletion->conditions, deletion->lease_id, false));
	return sr_blob_delete(connection, request->volume, &row);
}

struct sr_result sr_blob_delete_one(struct sr_blob_request *request)
{
	struct deletion deletion = {
	    .request = request,
	    .lease_id = sr_blob_header(request, "x-ms-lease-id"),
	};
	const char *snapshots = sr_blob_header(request, "x-ms-delete-snapshots");
	if (snapshots && strcmp(snapshots, "include") != 0 && strcmp(snapshots, "only") != 0) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "x-ms-delete-snapshots is neither include nor only");
	}
	if (snapshots && strcmp(snapshots, "only") == 0) {
		return sr_fail_as(SR_INVALID, "UnsupportedHeader", "there are no snapshots here to be deleted alone");
	}
	SR_TRY(sr_blob_conditions_read(request->exchange, &deletion.conditions));
	SR_TRY(sr_database_write(request->volume->database, delete_in_transaction, &deletion));
	sr_exchange_add_header(request->exchange, "x-ms-delete-type-permanent", "true");
	return sr_blob_respond(request, 202);
}
