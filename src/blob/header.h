/*
 * What the Blob service reads from request headers and repeats in responses: version, metadata, content headers,
 * transactional digests, ranges. Values are checked here, once; nothing below sees raw headers.
 */
#ifndef SR_BLOB_HEADER_H
#define SR_BLOB_HEADER_H

#include "base/arena.h"
#include "blob/condition.h"
#include "net/server.h"
#include "seal/crypto.h"

#include <stdint.h>

enum { SR_BLOB_METADATA_MAX = 8192, SR_BLOB_DEFAULT_VERSION = 20211202 };

/* "2021-12-02" as 20211202. SR_INVALID "InvalidHeaderValue" unless it is a date from 2009-09-19 on. */
SR_MUST struct sr_result sr_blob_version_parse(struct sr_bytes text, unsigned *ret_version);
/* The headers that every response bears: request id, version and client's request id as sent. */
void sr_blob_add_common_headers(struct sr_exchange *exchange);
/* ETag and Last-Modified. */
void sr_blob_add_state_headers(struct sr_exchange *exchange, uint64_t etag, int64_t modified);
/* A Base64 header. */
void sr_blob_add_base64_header(struct sr_exchange *exchange, const char *name, struct sr_bytes bytes);
/* An HTTP date header. */
void sr_blob_add_date_header(struct sr_exchange *exchange, const char *name, int64_t unix_s);

/*
 * x-ms-meta-* headers packed for a row: blocks of name and value in turn. Empty where there are none. SR_INVALID:
 * "InvalidMetadata", "EmptyMetadataKey", "MetadataTooLarge".
 */
SR_MUST struct sr_result sr_blob_metadata_read(const struct sr_exchange *exchange, struct sr_arena *arena,
                                               struct sr_bytes *ret_packed);
/* The next pair of packed metadata; false at the end. */
bool sr_blob_metadata_next(struct sr_reader *reader, struct sr_bytes *ret_name, struct sr_bytes *ret_value);
void sr_blob_add_metadata_headers(struct sr_exchange *exchange, struct sr_arena *arena, struct sr_bytes packed);
/* A name that metadata may have: a C# identifier in ASCII. */
bool sr_blob_is_metadata_name(struct sr_bytes name);

/* What a blob says of its content; NULL or empty where unset. */
struct sr_blob_content_headers {
	const char *content_type;
	const char *content_encoding;
	const char *content_language;
	const char *content_disposition;
	const char *cache_control;
	struct sr_bytes content_md5; /* 16 bytes */
};
/* From x-ms-blob-*; where `or_plain` is set, from the request's own Content-* where those are missing. */
SR_MUST struct sr_result sr_blob_content_headers_read(const struct sr_exchange *exchange, struct sr_arena *arena,
                                                      bool or_plain, struct sr_blob_content_headers *ret_headers);
/* As a response carries them; Content-MD5 under `md5_name`. */
void sr_blob_add_content_headers(struct sr_exchange *exchange, const struct sr_blob_content_headers *headers,
                                 const char *md5_name);

/* A header of exactly `len` bytes in Base64; empty where absent. SR_INVALID with `reason`'s meaning "InvalidMd5". */
SR_MUST struct sr_result sr_blob_base64_header(const struct sr_exchange *exchange, struct sr_arena *arena,
                                               const char *name, size_t len, struct sr_bytes *ret_bytes);
/* The four conditional headers. */
SR_MUST struct sr_result sr_blob_conditions_read(const struct sr_exchange *exchange,
                                                 struct sr_blob_conditions *ret_conditions);
/* SR_INVALID "UnsupportedHeader" if a header is there whose promise this service does not keep yet: to pass over it
 * would break it in silence. */
SR_MUST struct sr_result sr_blob_refuse_unsupported(const struct sr_exchange *exchange);
/* "true" or "false" (any case); false where absent. SR_INVALID "InvalidHeaderValue". */
SR_MUST struct sr_result sr_blob_bool_header(const struct sr_exchange *exchange, const char *name, bool *ret_value);

#endif
