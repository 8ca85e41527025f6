/*
 * The bytes of blobs on their way in and out: a request's body into a piece, pieces into a response. Rows are
 * piece.c's and block_store.c's part.
 */
#ifndef SR_BLOB_CONTENT_H
#define SR_BLOB_CONTENT_H

#include "blob/blob_store.h"
#include "blob/block_store.h"
#include "blob/request.h"

/*
 * A body that was received and is durable where it is an extent, but named by no row yet. A transaction that names it
 * sets `is_named`; ended without that, nothing of it stays.
 */
struct sr_upload {
	struct sr_volume *volume;
	struct sr_volume_upload registration;
	bool is_registered;
	bool is_named;
	struct sr_piece piece;
	struct sr_bytes md5; /* computed; empty where nobody asked */
	struct sr_bytes crc64;
};

enum sr_upload_digests { SR_UPLOAD_MD5 = 1, SR_UPLOAD_CRC64 = 2 };
/*
 * Receives the body into *upload (zeroed before). `digests` are computed even where the client sent none; what it sent
 * in Content-MD5 or x-ms-content-crc64 is checked. SR_INVALID: "MissingContentLengthHeader", "Md5Mismatch",
 * "Crc64Mismatch", "InvalidMd5"; SR_TOO_LARGE "RequestBodyTooLarge".
 */
SR_MUST struct sr_result sr_upload_receive(struct sr_blob_request *request, uint64_t max, unsigned digests,
                                           struct sr_upload *upload);
void sr_upload_cleanup(struct sr_upload *upload);

/* Reading a run of a blob's bytes. */
struct sr_content_reader {
	struct sr_blob_request *request;
	int64_t list;
	uint64_t offset, end;   /* in the blob */
	struct sr_arena *batch; /* holds what of a list is at hand */
	struct sr_segment *segments;
	size_t segment_count, segment_index;
	struct sr_extent_key *key; /* of the extent that is open */
	struct sr_extent_reader *extent;
};
/* Prepares to read `len` bytes at `offset` of a row whose piece (if it has one) was read with it. */
SR_MUST struct sr_result sr_content_reader_open(struct sr_blob_request *request, const struct sr_blob_row *row,
                                                const struct sr_piece *piece, uint64_t offset, uint64_t len,
                                                struct sr_content_reader *ret_reader);
/* The next bytes, in `room` or borrowed from the row; empty at the end. The caller checks the lease before it lets them
 * go. */
SR_MUST struct sr_result sr_content_read(struct sr_content_reader *reader, uint8_t *room, size_t room_len,
                                         struct sr_bytes *ret_bytes);
void sr_content_reader_cleanup(struct sr_content_reader *reader);

/* Memory for plaintext in transit: wiped as it is freed. SR_NO_MEMORY. */
enum { SR_CONTENT_ROOM = 131072 };
struct sr_room {
	uint8_t *bytes;
	size_t len;
};
SR_MUST struct sr_result sr_room_new(size_t len, struct sr_room *ret_room);
void sr_room_cleanup(struct sr_room *room);

#endif
