/* Put Block, Put Block List, Get Block List. */
#include "blob/blob_api.h"
#include "blob/block_list.h"
#include "blob/block_store.h"
#include "blob/container_store.h"
#include "blob/content.h"
#include "blob/write_rules.h"

#include "base/clock.h"
#include "wire/xml.h"

#include <string.h>
#include <strings.h>

enum { LIST_XML_MAX = 12 * 1024 * 1024 };

static const uint64_t mib = UINT64_C(1024) * 1024;

static uint64_t block_max(unsigned version)
{
	return version >= 20191212 ? 4000 * mib : version >= 20160531 ? 100 * mib : 4 * mib;
}

struct staging {
	struct sr_blob_request *request;
	const char *lease_id;
	struct sr_bytes id;
	struct sr_upload upload;
};

static void staging_cleanup(struct staging *staging)
{
	sr_upload_cleanup(&staging->upload);
}

static struct sr_result stage_in_transaction(struct sr_connection *connection, void *context)
{
	struct staging *staging = context;
	struct sr_blob_request *request = staging->request;
	struct sr_bytes name = request->target.blob;
	const struct sr_blob_conditions no_conditions = {0};
	int64_t container = 0;
	struct sr_blob_row old;
	bool exists = false;
	SR_TRY(sr_container_number(connection, request->target.container, &container));
	SR_TRY(sr_blob_find(connection, request->arena, container, name, &exists, &old));
	SR_TRY(sr_blob_check_write(exists ? &old : NULL, &no_conditions, staging->lease_id, false));
	if (exists && old.kind != SR_BLOB_KIND_BLOCK) {
		return sr_fail_as(SR_CONFLICT, "InvalidBlobType", "the blob is no block blob");
	}
	SR_TRY(sr_piece_insert(connection, &staging->upload.piece));
	SR_TRY(sr_block_stage(connection, container, name, staging->id, &staging->upload.piece));
	staging->upload.is_named = true;
	return sr_ok();
}

struct sr_result sr_blob_put_block(struct sr_blob_request *request)
{
	SR_CLEANUP(staging) struct staging staging = {.request = request};
	const char *id = sr_blob_query(request, "blockid");
	if (!id) {
		return sr_fail_as(SR_INVALID, "MissingRequiredQueryParameter", "blockid is missing");
	}
	staging.id = sr_bytes_str(id);
	staging.lease_id = sr_blob_header(request, "x-ms-lease-id");
	SR_TRY(sr_blob_check_block_id(staging.id));
	unsigned digests = sr_blob_header(request, "content-md5") ? SR_UPLOAD_MD5 : SR_UPLOAD_CRC64;
	SR_TRY(sr_upload_receive(request, block_max(request->version), digests, &staging.upload));
	if (staging.upload.piece.length == 0) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "a block is not empty");
	}
	SR_TRY(sr_database_write(request->volume->database, stage_in_transaction, &staging));
	if (staging.upload.md5.len) {
		sr_blob_add_base64_header(request->exchange, "Content-MD5", staging.upload.md5);
	} else {
		sr_blob_add_base64_header(request->exchange, "x-ms-content-crc64", staging.upload.crc64);
	}
	sr_exchange_add_header(request->exchange, "x-ms-request-server-encrypted", "true");
	return sr_blob_respond(request, 201);
}

struct commit {
	struct sr_blob_request *request;
	struct sr_blob_conditions conditions;
	const char *lease_id;
	struct sr_block_wanted *wanted;
	size_t wanted_count;
	struct sr_blob_row row;
};

static struct sr_result commit_in_transaction(struct sr_connection *connection, void *context)
{
	struct commit *commit = context;
	struct sr_blob_request *request = commit->request;
	struct sr_blob_row *row = &commit->row;
	struct sr_blob_row old = {0};
	bool exists = false;
	int64_t draft = 0;
	row->name = request->target.blob;
	SR_TRY(sr_container_number(connection, request->target.container, &row->container));
	SR_TRY(sr_blob_find(connection, request->arena, row->container, row->name, &exists, &old));
	SR_TRY(sr_blob_check_overwrite(request, exists));
	SR_TRY(sr_blob_check_write(exists ? &old : NULL, &commit->conditions, commit->lease_id, true));
	if (exists && old.kind != SR_BLOB_KIND_BLOCK) {
		return sr_fail_as(SR_CONFLICT, "InvalidBlobType", "the blob is no block blob");
	}
	SR_TRY(sr_draft_find(connection, row->container, row->name, &draft));
	SR_TRY(sr_block_list_make(connection, draft, old.list, commit->wanted, commit->wanted_count, &row->list,
	                          &row->length));
	row->created = exists ? old.created : sr_unix_s();
	row->lease = old.lease;
	return sr_blob_put(connection, request->volume, row, exists ? &old : NULL);
}

/* Content-MD5 and x-ms-content-crc64 of this request are of the document, not of the blob. */
static struct sr_result check_document_digest(struct sr_blob_request *request, struct sr_bytes body)
{
	static const struct {
		const char *header;
		enum sr_digest_kind kind;
		size_t len;
	} digests[] = {{"content-md5", SR_DIGEST_MD5, SR_MD5_LEN}, {"x-ms-content-crc64", SR_DIGEST_CRC64, SR_CRC64_LEN}};
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
		struct sr_bytes sent;
		uint8_t computed[SR_DIGEST_MAX];
		SR_TRY(sr_blob_base64_header(request->exchange, request->arena, digests[i].header, digests[i].len, &sent));
		size_t len = sr_digest_of(digests[i].kind, body, computed);
		if (sent.len && !sr_equal_public(sent, sr_bytes_of(computed, len))) {
			return digests[i].kind == SR_DIGEST_MD5
			           ? sr_fail_as(SR_INVALID, "Md5Mismatch", "the document's MD5 is another")
			           : sr_fail_as(SR_INVALID, "Crc64Mismatch", "the document's CRC64 is another");
		}
	}
	return sr_ok();
}

static struct sr_result commit_prepare(struct commit *commit)
{
	struct sr_blob_request *request = commit->request;
	commit->lease_id = sr_blob_header(request, "x-ms-lease-id");
	commit->row.kind = SR_BLOB_KIND_BLOCK;
	SR_TRY(sr_blob_conditions_read(request->exchange, &commit->conditions));
	SR_TRY(sr_blob_content_headers_read(request->exchange, request->arena, false, &commit->row.headers));
	SR_TRY(sr_blob_metadata_read(request->exchange, request->arena, &commit->row.metadata));
	SR_TRY(sr_blob_tier_read(request, &commit->row));
	if (!commit->row.headers.content_type) {
		commit->row.headers.content_type = "application/octet-stream";
	}
	const struct sr_xml_node *root = NULL;
	struct sr_bytes body;
	SR_TRY(sr_blob_request_xml(request, LIST_XML_MAX, &body, &root));
	SR_TRY(check_document_digest(request, body));
	return sr_block_list_read(request->arena, root, &commit->wanted, &commit->wanted_count);
}

struct sr_result sr_blob_put_block_list(struct sr_blob_request *request)
{
	struct commit commit = {.request = request};
	SR_TRY(commit_prepare(&commit));
	SR_TRY(sr_database_write(request->volume->database, commit_in_transaction, &commit));
	sr_blob_add_state_headers(request->exchange, commit.row.etag, commit.row.modified);
	sr_exchange_add_header(request->exchange, "x-ms-request-server-encrypted", "true");
	return sr_blob_respond(request, 201);
}

struct listing {
	struct sr_blob_request *request;
	bool wants_committed, wants_uncommitted;
	bool exists;
	struct sr_blob_row row;
	struct sr_buf *xml;
};

static struct sr_result write_block(struct sr_bytes id, uint64_t length, void *context)
{
	struct sr_buf *xml = context;
	sr_xml_open(xml, "Block");
	sr_xml_element(xml, "Name", id);
	sr_xml_element_int(xml, "Size", (int64_t)length);
	sr_xml_close(xml, "Block");
	return sr_ok();
}

static struct sr_result list_in_transaction(struct sr_connection *connection, void *context)
{
	struct listing *listing = context;
	struct sr_blob_request *request = listing->request;
	int64_t container = 0;
	int64_t draft = 0;
	SR_TRY(sr_container_number(connection, request->target.container, &container));
	SR_TRY(sr_blob_find(connection, request->arena, container, request->target.blob, &listing->exists, &listing->row));
	SR_TRY(sr_draft_find(connection, container, request->target.blob, &draft));
	if (!listing->exists && !draft) {
		return sr_fail_as(SR_NOT_FOUND, "BlobNotFound", "no such blob");
	}
	if (listing->wants_committed) {
		sr_xml_open(listing->xml, "CommittedBlocks");
		SR_TRY(sr_block_list_each(connection, listing->row.list, write_block, listing->xml));
		sr_xml_close(listing->xml, "CommittedBlocks");
	}
	if (listing->wants_uncommitted) {
		sr_xml_open(listing->xml, "UncommittedBlocks");
		SR_TRY(sr_draft_each(connection, draft, write_block, listing->xml));
		sr_xml_close(listing->xml, "UncommittedBlocks");
	}
	return sr_ok();
}

struct sr_result sr_blob_get_block_list(struct sr_blob_request *request)
{
	const char *which = sr_blob_query(request, "blocklisttype");
	which = which ? which : "committed";
	bool is_all = strcasecmp(which, "all") == 0;
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(LIST_XML_MAX * (size_t)4);
	struct listing listing = {
	    .request = request,
	    .wants_committed = is_all || strcasecmp(which, "committed") == 0,
	    .wants_uncommitted = is_all || strcasecmp(which, "uncommitted") == 0,
	    .xml = &xml,
	};
	if (!listing.wants_committed && !listing.wants_uncommitted) {
		return sr_fail_as(SR_INVALID, "InvalidQueryParameterValue", "blocklisttype is unknown");
	}
	sr_xml_declaration(&xml);
	sr_xml_open(&xml, "BlockList");
	SR_TRY(sr_database_read(request->volume->database, list_in_transaction, &listing));
	sr_xml_close(&xml, "BlockList");
	if (listing.exists) {
		sr_blob_add_state_headers(request->exchange, listing.row.etag, listing.row.modified);
		sr_exchange_add_header_format(request->exchange, "x-ms-blob-content-length", "%llu",
		                              (unsigned long long)listing.row.length);
	}
	return sr_blob_respond_xml(request, &xml);
}
