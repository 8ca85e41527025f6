/* Receiving bodies and reading contents. */
#include "blob/content.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum { SEGMENTS_AT_ONCE = 32 };

struct sr_result sr_room_new(size_t len, struct sr_room *ret_room)
{
	uint8_t *bytes = sr_try_alloc(len);
	if (!bytes) {
		return sr_fail(SR_NO_MEMORY, "making room for contents in transit");
	}
	*ret_room = (struct sr_room){bytes, len};
	return sr_ok();
}

void sr_room_cleanup(struct sr_room *room)
{
	if (room->bytes) {
		sr_wipe(room->bytes, room->len);
		sr_free(room->bytes);
	}
}

/* The digests of a body: what the client sent, and what is computed of it. */
struct digests {
	struct sr_bytes sent_md5, sent_crc64;
	struct sr_digest *md5, *crc64;
};

static void digests_cleanup(struct digests *digests)
{
	sr_digest_free(digests->md5);
	sr_digest_free(digests->crc64);
}

static struct sr_result digests_begin(struct sr_blob_request *request, unsigned wanted, struct digests *digests)
{
	SR_TRY(sr_blob_base64_header(request->exchange, request->arena, "content-md5", SR_MD5_LEN, &digests->sent_md5));
	SR_TRY(sr_blob_base64_header(request->exchange, request->arena, "x-ms-content-crc64", SR_CRC64_LEN,
	                             &digests->sent_crc64));
	if (digests->sent_md5.len && digests->sent_crc64.len) {
		return sr_fail_as(SR_INVALID, "InvalidInput", "a body has an MD5 or a CRC64, not both");
	}
	if ((wanted & SR_UPLOAD_MD5) || digests->sent_md5.len) {
		SR_TRY(sr_digest_new(SR_DIGEST_MD5, &digests->md5));
	}
	if ((wanted & SR_UPLOAD_CRC64) || digests->sent_crc64.len) {
		SR_TRY(sr_digest_new(SR_DIGEST_CRC64, &digests->crc64));
	}
	return sr_ok();
}

static void digests_update(struct digests *digests, struct sr_bytes bytes)
{
	if (digests->md5) {
		sr_digest_update(digests->md5, bytes);
	}
	if (digests->crc64) {
		sr_digest_update(digests->crc64, bytes);
	}
}

static struct sr_bytes finish_one(struct sr_digest *digest, struct sr_arena *arena)
{
	if (!digest) {
		return (struct sr_bytes){0};
	}
	uint8_t value[SR_DIGEST_MAX];
	size_t len = sr_digest_finish(digest, value);
	return sr_arena_copy(arena, sr_bytes_of(value, len));
}

static struct sr_result digests_finish(struct digests *digests, struct sr_arena *arena, struct sr_upload *upload)
{
	upload->md5 = finish_one(digests->md5, arena);
	upload->crc64 = finish_one(digests->crc64, arena);
	if (digests->sent_md5.len && !sr_equal_public(digests->sent_md5, upload->md5)) {
		return sr_fail_as(SR_INVALID, "Md5Mismatch", "the body's MD5 is another");
	}
	if (digests->sent_crc64.len && !sr_equal_public(digests->sent_crc64, upload->crc64)) {
		return sr_fail_as(SR_INVALID, "Crc64Mismatch", "the body's CRC64 is another");
	}
	return sr_ok();
}

/* A declared length within the limit: the service takes no body without one. */
static struct sr_result body_length(const struct sr_blob_request *request, uint64_t max, uint64_t *ret_len)
{
	int64_t declared = sr_exchange_body_len(request->exchange);
	if (declared < 0 || !sr_blob_header(request, "content-length")) {
		return sr_fail_as(SR_INVALID, "MissingContentLengthHeader", "the body's length is not declared");
	}
	if ((uint64_t)declared > max) {
		return sr_fail_as(SR_TOO_LARGE, "RequestBodyTooLarge", "the body is over the limit");
	}
	*ret_len = (uint64_t)declared;
	return sr_ok();
}

static struct sr_result receive_inline(struct sr_blob_request *request, struct digests *digests,
                                       struct sr_upload *upload)
{
	SR_TRY(sr_exchange_read_all(request->exchange, SR_PIECE_INLINE_MAX, &upload->piece.bytes));
	upload->piece.length = upload->piece.bytes.len;
	digests_update(digests, upload->piece.bytes);
	return digests_finish(digests, request->arena, upload);
}

/* Fills `room` as far as the body goes, so that the extent's writer gets few, large runs. */
static struct sr_result fill(struct sr_exchange *exchange, struct sr_room room, size_t *ret_len)
{
	size_t len = 0;
	while (len < room.len) {
		size_t got = 0;
		SR_TRY(sr_exchange_read(exchange, room.bytes + len, room.len - len, &got));
		if (got == 0) {
			break;
		}
		len += got;
	}
	*ret_len = len;
	return sr_ok();
}

static struct sr_result pump(struct sr_blob_request *request, struct digests *digests, struct sr_extent_writer *writer)
{
	SR_CLEANUP(sr_room) struct sr_room room = {0};
	SR_TRY(sr_room_new(SR_CONTENT_ROOM, &room));
	for (;;) {
		size_t len = 0;
		SR_TRY(fill(request->exchange, room, &len));
		if (len == 0) {
			return sr_ok();
		}
		SR_TRY(sr_lease_check(&request->use));
		digests_update(digests, sr_bytes_of(room.bytes, len));
		SR_TRY(sr_extent_writer_write(writer, sr_bytes_of(room.bytes, len)));
	}
}

/* The digests are checked before the extent gets its name, so that a bad body leaves nothing. */
static struct sr_result receive_extent(struct sr_blob_request *request, struct digests *digests,
                                       struct sr_upload *upload)
{
	struct sr_piece *piece = &upload->piece;
	piece->is_extent = true;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_CLEANUP(sr_extent_writer) struct sr_extent_writer *writer = NULL;
	SR_TRY(sr_extent_writer_new(upload->volume->extents, &piece->extent, &dek, &writer));
	upload->registration.extent = piece->extent;
	sr_volume_upload_begin(upload->volume, &upload->registration);
	upload->is_registered = true;
	SR_TRY(pump(request, digests, writer));
	SR_TRY(digests_finish(digests, request->arena, upload));
	SR_TRY(sr_lease_wrap(&request->use, dek, piece->dek));
	piece->kek_epoch = sr_lease_kek_epoch(&request->use);
	sr_blocking_begin();
	struct sr_result result = sr_extent_writer_commit(writer, &piece->length);
	sr_blocking_end();
	return result;
}

struct sr_result sr_upload_receive(struct sr_blob_request *request, uint64_t max, unsigned digests,
                                   struct sr_upload *upload)
{
	uint64_t len = 0;
	SR_TRY(body_length(request, max, &len));
	upload->volume = request->volume;
	SR_CLEANUP(digests) struct digests running = {0};
	SR_TRY(digests_begin(request, digests, &running));
	return len <= SR_PIECE_INLINE_MAX ? receive_inline(request, &running, upload)
	                                  : receive_extent(request, &running, upload);
}

void sr_upload_cleanup(struct sr_upload *upload)
{
	if (upload->is_registered && !upload->is_named) {
		sr_ignore(sr_extent_remove(upload->volume->extents, &upload->piece.extent)); /* else the next start sweeps it */
	}
	if (upload->is_registered) {
		sr_volume_upload_end(upload->volume, &upload->registration);
	}
}

struct sr_result sr_content_reader_open(struct sr_blob_request *request, const struct sr_blob_row *row,
                                        const struct sr_piece *piece, uint64_t offset, uint64_t len,
                                        struct sr_content_reader *ret_reader)
{
	struct sr_content_reader reader = {
	    .request = request,
	    .list = row->list,
	    .offset = offset,
	    .end = offset + len,
	};
	if (!reader.list && len > 0) {
		reader.segments = sr_arena_alloc(request->arena, sizeof *reader.segments);
		reader.segments[0] = (struct sr_segment){.start = 0, .piece = *piece};
		reader.segment_count = 1;
	}
	*ret_reader = reader;
	return sr_ok();
}

static void close_extent(struct sr_content_reader *reader)
{
	sr_extent_reader_free(reader->extent);
	reader->extent = NULL;
	if (reader->key) {
		sr_lease_extent_key_done(&reader->request->use, reader->key);
		reader->key = NULL;
	}
}

void sr_content_reader_cleanup(struct sr_content_reader *reader)
{
	close_extent(reader);
	sr_arena_free(reader->batch);
}

static struct sr_result read_more_segments(struct sr_connection *connection, void *context)
{
	struct sr_content_reader *reader = context;
	return sr_segments_read(connection, reader->batch, reader->list, reader->offset, SEGMENTS_AT_ONCE, reader->segments,
	                        &reader->segment_count);
}

static uint64_t segment_end(const struct sr_segment *segment)
{
	return segment->start + segment->piece.length;
}

static void start_batch(struct sr_content_reader *reader)
{
	if (!reader->batch) {
		reader->batch = sr_arena_new();
	}
	sr_arena_reset(reader->batch);
	reader->segments = sr_arena_alloc(reader->batch, SEGMENTS_AT_ONCE * sizeof *reader->segments);
}

/* Finds the segment that covers the reader's offset. Lists are immutable, so several transactions see the same one. */
static struct sr_result find_segment(struct sr_content_reader *reader, const struct sr_segment **ret_segment)
{
	while (reader->segment_index < reader->segment_count &&
	       segment_end(&reader->segments[reader->segment_index]) <= reader->offset) {
		reader->segment_index++;
		close_extent(reader);
	}
	if (reader->segment_index == reader->segment_count && reader->list) {
		start_batch(reader);
		SR_TRY(sr_database_read(reader->request->volume->database, read_more_segments, reader));
		reader->segment_index = 0;
	}
	if (reader->segment_index >= reader->segment_count ||
	    reader->segments[reader->segment_index].start > reader->offset ||
	    segment_end(&reader->segments[reader->segment_index]) <= reader->offset) {
		return sr_fail(SR_CORRUPT, "a blob's pieces are fewer than its length");
	}
	*ret_segment = &reader->segments[reader->segment_index];
	return sr_ok();
}

static struct sr_result open_extent(struct sr_content_reader *reader, const struct sr_piece *piece)
{
	SR_TRY(sr_lease_extent_key(&reader->request->use, &piece->extent, piece->kek_epoch,
	                           sr_bytes_of(piece->dek, sizeof piece->dek), &reader->key));
	return sr_extent_reader_new(reader->request->volume->extents, &piece->extent, reader->key, piece->length,
	                            &reader->extent);
}

struct sr_result sr_content_read(struct sr_content_reader *reader, uint8_t *room, size_t room_len,
                                 struct sr_bytes *ret_bytes)
{
	if (reader->offset >= reader->end) {
		*ret_bytes = (struct sr_bytes){0};
		return sr_ok();
	}
	const struct sr_segment *segment = NULL;
	SR_TRY(find_segment(reader, &segment));
	uint64_t from = reader->offset - segment->start;
	uint64_t here = segment_end(segment) < reader->end ? segment_end(segment) : reader->end;
	uint64_t left = here - reader->offset;
	if (!segment->piece.is_extent) {
		*ret_bytes = sr_bytes_of(segment->piece.bytes.data + from, (size_t)left);
		reader->offset += left;
		return sr_ok();
	}
	if (!reader->extent) {
		SR_TRY(open_extent(reader, &segment->piece));
	}
	size_t got = 0;
	size_t wanted = left < room_len ? (size_t)left : room_len;
	SR_TRY(sr_extent_reader_read(reader->extent, from, room, wanted, &got));
	reader->offset += got;
	*ret_bytes = sr_bytes_of(room, got);
	return sr_ok();
}
