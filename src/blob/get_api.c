/* Get Blob and Get Blob Properties: conditions, ranges, headers, and the stream of bytes under the lease. */
#include "blob/blob_api.h"
#include "blob/content.h"

#include "base/clock.h"
#include "wire/range.h"

#include <string.h>

enum { RANGE_DIGEST_MAX = 4 * 1024 * 1024 };

struct opening {
	struct sr_blob_request *request;
	struct sr_blob_row row;
	struct sr_piece piece;
};

static struct sr_result open_blob(struct sr_connection *connection, void *context)
{
	struct opening *opening = context;
	const struct sr_blob_target *target = &opening->request->target;
	return sr_blob_open(connection, opening->request->arena, target->container, target->blob, &opening->row,
	                    &opening->piece);
}

/* Finds the blob and holds the request's conditions and lease id against it. */
static struct sr_result find(struct opening *opening)
{
	struct sr_blob_request *request = opening->request;
	struct sr_blob_conditions conditions;
	SR_TRY(sr_blob_conditions_read(request->exchange, &conditions));
	struct sr_result result = sr_database_read(request->volume->database, open_blob, opening);
	if (sr_result_code(result) == SR_NOT_FOUND) {
		struct sr_blob_state nothing = {0};
		return sr_first_error(sr_blob_conditions_check_read(&conditions, &nothing), result);
	}
	SR_TRY(result);
	SR_TRY(sr_blob_lease_allows_read(&opening->row.lease, sr_unix_us() / 1000, sr_blob_header(request, "x-ms-lease-id"),
	                                 false));
	struct sr_blob_state state = sr_blob_row_state(&opening->row);
	return sr_blob_conditions_check_read(&conditions, &state);
}

void sr_blob_add_lease_headers(struct sr_exchange *exchange, const struct sr_blob_lease *stored)
{
	struct sr_blob_lease lease = sr_blob_lease_at(stored, sr_unix_us() / 1000);
	sr_exchange_add_header(exchange, "x-ms-lease-status", sr_blob_lease_status_text(&lease));
	sr_exchange_add_header(exchange, "x-ms-lease-state", sr_blob_lease_state_text(&lease));
	const char *duration = sr_blob_lease_duration_text(&lease);
	if (duration) {
		sr_exchange_add_header(exchange, "x-ms-lease-duration", duration);
	}
}

static void add_tier_headers(struct sr_exchange *exchange, const struct sr_blob_row *row)
{
	sr_exchange_add_header(exchange, "x-ms-access-tier", sr_blob_tier_text(row->tier));
	if (row->tier_changed) {
		sr_blob_add_date_header(exchange, "x-ms-access-tier-change-time", row->tier_changed);
	} else {
		sr_exchange_add_header(exchange, "x-ms-access-tier-inferred", "true");
	}
}

/* What a signature says of the response stands in place of what the blob says. */
static struct sr_blob_content_headers response_headers(const struct sr_blob_request *request,
                                                       const struct sr_blob_row *row)
{
	struct sr_blob_content_headers headers = row->headers;
	const struct sr_sas *sas = request->sas;
	if (sas && !sas->is_account) {
		headers.cache_control = *sas->rscc ? sas->rscc : headers.cache_control;
		headers.content_disposition = *sas->rscd ? sas->rscd : headers.content_disposition;
		headers.content_encoding = *sas->rsce ? sas->rsce : headers.content_encoding;
		headers.content_language = *sas->rscl ? sas->rscl : headers.content_language;
		headers.content_type = *sas->rsct ? sas->rsct : headers.content_type;
	}
	return headers;
}

static void add_headers(struct sr_blob_request *request, const struct sr_blob_row *row, bool is_partial)
{
	struct sr_exchange *exchange = request->exchange;
	const struct sr_blob_content_headers headers = response_headers(request, row);
	sr_blob_add_state_headers(exchange, row->etag, row->modified);
	sr_blob_add_content_headers(exchange, &headers, is_partial ? "x-ms-blob-content-md5" : "Content-MD5");
	sr_blob_add_metadata_headers(exchange, request->arena, row->metadata);
	sr_blob_add_date_header(exchange, "x-ms-creation-time", row->created);
	sr_exchange_add_header(exchange, "x-ms-blob-type", sr_blob_kind_text(row->kind));
	sr_blob_add_lease_headers(exchange, &row->lease);
	sr_exchange_add_header(exchange, "x-ms-server-encrypted", "true");
	sr_exchange_add_header(exchange, "Accept-Ranges", "bytes");
	add_tier_headers(exchange, row);
}

struct sr_result sr_blob_get_properties(struct sr_blob_request *request)
{
	struct opening opening = {.request = request};
	SR_TRY(find(&opening));
	SR_TRY(sr_lease_check(&request->use));
	add_headers(request, &opening.row, false);
	/* A HEAD: the body is not sent, only its length. */
	SR_TRY(sr_exchange_begin(request->exchange, 200, (int64_t)opening.row.length));
	return sr_exchange_end(request->exchange);
}

/* What is asked of the content. */
struct want {
	uint64_t offset, len;
	bool is_partial;
	bool wants_md5, wants_crc64; /* of the range */
};

static struct sr_result parse_want(struct sr_blob_request *request, uint64_t length, struct want *ret_want)
{
	struct want want = {.len = length};
	const char *text = sr_blob_header(request, "x-ms-range");
	if (!text) {
		text = sr_blob_header(request, "range");
	}
	struct sr_range range;
	SR_CLEANUP(sr_result)
	struct sr_result parsed = text ? sr_range_parse(sr_bytes_str(text), &range) : sr_fail(SR_INVALID, "no range");
	/* A Range that is none is passed over (RFC 9110 14.2); x-ms-range is the service's own and must be right. */
	if (text && !sr_is_ok(parsed) && sr_blob_header(request, "x-ms-range")) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "x-ms-range is no range");
	}
	if (sr_is_ok(parsed)) {
		struct sr_result fits = sr_range_fit(range, length, &want.offset, &want.len);
		if (sr_result_code(fits) == SR_RANGE) {
			sr_result_free(fits);
			return sr_fail_as(SR_RANGE, "InvalidRange", "the range starts behind the blob's end");
		}
		SR_TRY(fits);
		want.is_partial = true;
	}
	SR_TRY(sr_blob_bool_header(request->exchange, "x-ms-range-get-content-md5", &want.wants_md5));
	SR_TRY(sr_blob_bool_header(request->exchange, "x-ms-range-get-content-crc64", &want.wants_crc64));
	bool wants_digest = want.wants_md5 || want.wants_crc64;
	if (wants_digest && (!want.is_partial || (want.wants_md5 && want.wants_crc64))) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "one digest is given with a range");
	}
	if (wants_digest && want.len > RANGE_DIGEST_MAX) {
		return sr_fail_as(SR_INVALID, "OutOfRangeInput", "digests are given of ranges up to 4 MiB");
	}
	*ret_want = want;
	return sr_ok();
}

static void add_range_header(struct sr_exchange *exchange, const struct want *want, uint64_t length)
{
	sr_exchange_add_header_format(exchange, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)want->offset,
	                              (unsigned long long)(want->offset + want->len - 1), (unsigned long long)length);
}

/* Sends what is in one run of memory: a small blob, or a range whose digest had to come first. */
static struct sr_result send_whole(struct sr_blob_request *request, const struct want *want, struct sr_bytes bytes)
{
	uint8_t value[SR_DIGEST_MAX];
	if (want->wants_md5) {
		size_t len = sr_digest_of(SR_DIGEST_MD5, bytes, value);
		sr_blob_add_base64_header(request->exchange, "Content-MD5", sr_bytes_of(value, len));
	}
	if (want->wants_crc64) {
		size_t len = sr_digest_of(SR_DIGEST_CRC64, bytes, value);
		sr_blob_add_base64_header(request->exchange, "x-ms-content-crc64", sr_bytes_of(value, len));
	}
	SR_TRY(sr_lease_check(&request->use));
	return sr_exchange_send(request->exchange, want->is_partial ? 206 : 200, bytes);
}

static struct sr_result send_stream(struct sr_blob_request *request, const struct want *want,
                                    struct sr_content_reader *reader)
{
	SR_CLEANUP(sr_room) struct sr_room room = {0};
	SR_TRY(sr_room_new(SR_CONTENT_ROOM, &room));
	struct sr_bytes bytes;
	SR_TRY(sr_content_read(reader, room.bytes, room.len, &bytes)); /* while an error can still be answered */
	SR_TRY(sr_lease_check(&request->use));
	SR_TRY(sr_exchange_begin(request->exchange, want->is_partial ? 206 : 200, (int64_t)want->len));
	while (bytes.len > 0) {
		SR_TRY(sr_lease_check(&request->use));
		SR_TRY(sr_exchange_write(request->exchange, bytes));
		SR_TRY(sr_content_read(reader, room.bytes, room.len, &bytes));
	}
	return sr_exchange_end(request->exchange);
}

static struct sr_result send_gathered(struct sr_blob_request *request, const struct want *want,
                                      struct sr_content_reader *reader)
{
	SR_CLEANUP(sr_room) struct sr_room room = {0};
	SR_TRY(sr_room_new(want->len, &room));
	size_t filled = 0;
	while (filled < want->len) {
		struct sr_bytes bytes;
		SR_TRY(sr_content_read(reader, room.bytes + filled, room.len - filled, &bytes));
		if (bytes.data != room.bytes + filled) {
			memcpy(room.bytes + filled, bytes.data, bytes.len);
		}
		filled += bytes.len;
	}
	return send_whole(request, want, sr_bytes_of(room.bytes, room.len));
}

static struct sr_result send_content(struct sr_blob_request *request, const struct opening *opening,
                                     const struct want *want)
{
	if (!opening->row.list && !opening->piece.is_extent) {
		struct sr_bytes all = opening->piece.bytes;
		return send_whole(request, want, want->len ? sr_bytes_of(all.data + want->offset, want->len) : all);
	}
	SR_CLEANUP(sr_content_reader) struct sr_content_reader reader = {0};
	SR_TRY(sr_content_reader_open(request, &opening->row, &opening->piece, want->offset, want->len, &reader));
	return want->wants_md5 || want->wants_crc64 ? send_gathered(request, want, &reader)
	                                            : send_stream(request, want, &reader);
}

static struct sr_result get(struct sr_blob_request *request)
{
	struct opening opening = {.request = request};
	SR_TRY(find(&opening));
	if (opening.row.tier == SR_BLOB_TIER_ARCHIVE) {
		return sr_fail_as(SR_CONFLICT, "BlobArchived", "the blob is archived");
	}
	struct want want;
	SR_TRY(parse_want(request, opening.row.length, &want));
	add_headers(request, &opening.row, want.is_partial);
	if (want.is_partial) {
		add_range_header(request->exchange, &want, opening.row.length);
	}
	return send_content(request, &opening, &want);
}

struct sr_result sr_blob_get(struct sr_blob_request *request)
{
	/* What the transaction finds stays on disk until the last byte has left. */
	unsigned phase = sr_volume_reader_begin(request->volume);
	struct sr_result result = get(request);
	sr_volume_reader_end(request->volume, phase);
	return result;
}
