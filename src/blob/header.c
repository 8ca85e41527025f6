/* Request headers in, response headers out; each header's rule stands beside its name. */
#include "blob/header.h"

#include "base/text.h"
#include "wire/time.h"

#include <stdio.h>
#include <string.h>

enum { OLDEST_VERSION = 20090919 };

#define META_PREFIX "x-ms-meta-"

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

struct sr_result sr_blob_version_parse(struct sr_bytes text, unsigned *ret_version)
{
	static const char form[] = "dddd-dd-dd";
	unsigned version = 0;
	bool is_right = text.len == sizeof form - 1;
	for (size_t i = 0; is_right && i < text.len; i++) {
		bool wants_digit = form[i] == 'd';
		is_right = wants_digit ? is_digit(text.data[i]) : text.data[i] == '-';
		version = wants_digit ? version * 10 + (unsigned)(text.data[i] - '0') : version;
	}
	unsigned month = version / 100 % 100;
	unsigned day = version % 100;
	if (!is_right || month < 1 || month > 12 || day < 1 || day > 31 || version < OLDEST_VERSION) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "x-ms-version is no version of the service");
	}
	*ret_version = version;
	return sr_ok();
}

void sr_blob_add_common_headers(struct sr_exchange *exchange)
{
	sr_exchange_add_header(exchange, "x-ms-request-id", sr_exchange_request_id(exchange));
	const char *version = sr_exchange_header(exchange, "x-ms-version");
	unsigned number;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_blob_version_parse(sr_bytes_str(version), &number);
	if (sr_is_ok(parsed)) {
		sr_exchange_add_header(exchange, "x-ms-version", version);
	}
	const char *client_id = sr_exchange_header(exchange, "x-ms-client-request-id");
	if (client_id && strlen(client_id) <= 1024) {
		sr_exchange_add_header(exchange, "x-ms-client-request-id", client_id);
	}
}

void sr_blob_add_date_header(struct sr_exchange *exchange, const char *name, int64_t unix_s)
{
	char date[SR_HTTP_DATE_LEN];
	sr_http_date(unix_s, date);
	sr_exchange_add_header(exchange, name, date);
}

void sr_blob_add_state_headers(struct sr_exchange *exchange, uint64_t etag, int64_t modified)
{
	char text[SR_ETAG_TEXT_LEN];
	sr_blob_etag_text(etag, text);
	sr_exchange_add_header(exchange, "ETag", text);
	sr_blob_add_date_header(exchange, "Last-Modified", modified);
}

void sr_blob_add_base64_header(struct sr_exchange *exchange, const char *name, struct sr_bytes bytes)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(256);
	sr_base64_encode(&text, bytes);
	sr_exchange_add_header(exchange, name, sr_buf_text(&text));
}

bool sr_blob_is_metadata_name(struct sr_bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		bool is_letter = c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_letter && (i == 0 || !is_digit(c))) {
			return false;
		}
	}
	return name.len > 0;
}

static struct sr_result check_metadata_pair(struct sr_bytes name, const char *value)
{
	if (name.len == 0) {
		return sr_fail_as(SR_INVALID, "EmptyMetadataKey", "a metadata header has no name");
	}
	if (!sr_blob_is_metadata_name(name)) {
		return sr_fail_as(SR_INVALID, "InvalidMetadata", "a metadata name is no identifier");
	}
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f) {
			return sr_fail_as(SR_INVALID, "InvalidMetadata", "a metadata value is not printable ASCII");
		}
	}
	return sr_ok();
}

struct sr_result sr_blob_metadata_read(const struct sr_exchange *exchange, struct sr_arena *arena,
                                       struct sr_bytes *ret_packed)
{
	SR_CLEANUP(sr_buf) struct sr_buf packed = SR_BUF((size_t)4 * SR_BLOB_METADATA_MAX);
	size_t counted = 0;
	const char *name;
	const char *value;
	for (size_t i = 0; (name = sr_exchange_header_at(exchange, i, &value)); i++) {
		if (strncmp(name, META_PREFIX, sizeof META_PREFIX - 1) != 0) {
			continue;
		}
		struct sr_bytes short_name = sr_bytes_str(name + sizeof META_PREFIX - 1);
		SR_TRY(check_metadata_pair(short_name, value));
		counted += short_name.len + strlen(value);
		sr_buf_append_block(&packed, short_name);
		sr_buf_append_block(&packed, sr_bytes_str(value));
	}
	if (counted > SR_BLOB_METADATA_MAX || packed.failed) {
		return sr_fail_as(SR_INVALID, "MetadataTooLarge", "metadata is over 8 KiB");
	}
	*ret_packed = packed.len ? sr_arena_copy(arena, sr_buf_bytes(&packed)) : (struct sr_bytes){0};
	return sr_ok();
}

bool sr_blob_metadata_next(struct sr_reader *reader, struct sr_bytes *ret_name, struct sr_bytes *ret_value)
{
	if (reader->left == 0) {
		return false;
	}
	*ret_name = sr_reader_block(reader, SR_BLOB_METADATA_MAX);
	*ret_value = sr_reader_block(reader, SR_BLOB_METADATA_MAX);
	return !reader->failed;
}

void sr_blob_add_metadata_headers(struct sr_exchange *exchange, struct sr_arena *arena, struct sr_bytes packed)
{
	struct sr_reader reader = sr_reader_of(packed);
	struct sr_bytes name;
	struct sr_bytes value;
	while (sr_blob_metadata_next(&reader, &name, &value)) {
		const char *header = sr_arena_printf(arena, META_PREFIX "%.*s", (int)name.len, (const char *)name.data);
		sr_exchange_add_header(exchange, header, sr_arena_text(arena, value));
	}
}

struct sr_result sr_blob_base64_header(const struct sr_exchange *exchange, struct sr_arena *arena, const char *name,
                                       size_t len, struct sr_bytes *ret_bytes)
{
	const char *text = sr_exchange_header(exchange, name);
	if (!text) {
		*ret_bytes = (struct sr_bytes){0};
		return sr_ok();
	}
	SR_CLEANUP(sr_buf) struct sr_buf decoded = SR_BUF(64);
	SR_CLEANUP(sr_result) struct sr_result result = sr_base64_decode(sr_bytes_str(text), &decoded);
	if (!sr_is_ok(result) || decoded.failed || decoded.len != len) {
		return len == SR_MD5_LEN ? sr_fail_as(SR_INVALID, "InvalidMd5", "%s is not 16 bytes in Base64", name)
		                         : sr_fail_as(SR_INVALID, "InvalidHeaderValue", "%s is no Base64 of its length", name);
	}
	*ret_bytes = sr_arena_copy(arena, sr_buf_bytes(&decoded));
	return sr_ok();
}

/* x-ms-blob-NAME, else the plain header where that is allowed to stand for it. */
static const char *content_header(const struct sr_exchange *exchange, const char *own, const char *plain, bool or_plain)
{
	const char *value = sr_exchange_header(exchange, own);
	if (!value && or_plain) {
		value = sr_exchange_header(exchange, plain);
	}
	return value && *value ? value : NULL;
}

struct sr_result sr_blob_content_headers_read(const struct sr_exchange *exchange, struct sr_arena *arena, bool or_plain,
                                              struct sr_blob_content_headers *ret_headers)
{
	struct sr_blob_content_headers headers = {
	    .content_type = content_header(exchange, "x-ms-blob-content-type", "content-type", or_plain),
	    .content_encoding = content_header(exchange, "x-ms-blob-content-encoding", "content-encoding", or_plain),
	    .content_language = content_header(exchange, "x-ms-blob-content-language", "content-language", or_plain),
	    .content_disposition = content_header(exchange, "x-ms-blob-content-disposition", "", false),
	    .cache_control = content_header(exchange, "x-ms-blob-cache-control", "cache-control", or_plain),
	};
	SR_TRY(sr_blob_base64_header(exchange, arena, "x-ms-blob-content-md5", SR_MD5_LEN, &headers.content_md5));
	*ret_headers = headers;
	return sr_ok();
}

static void add_if_set(struct sr_exchange *exchange, const char *name, const char *value)
{
	if (value) {
		sr_exchange_add_header(exchange, name, value);
	}
}

void sr_blob_add_content_headers(struct sr_exchange *exchange, const struct sr_blob_content_headers *headers,
                                 const char *md5_name)
{
	add_if_set(exchange, "Content-Type", headers->content_type);
	add_if_set(exchange, "Content-Encoding", headers->content_encoding);
	add_if_set(exchange, "Content-Language", headers->content_language);
	add_if_set(exchange, "Content-Disposition", headers->content_disposition);
	add_if_set(exchange, "Cache-Control", headers->cache_control);
	if (headers->content_md5.len) {
		sr_blob_add_base64_header(exchange, md5_name, headers->content_md5);
	}
}

struct sr_result sr_blob_conditions_read(const struct sr_exchange *exchange, struct sr_blob_conditions *ret_conditions)
{
	return sr_blob_conditions_parse(sr_exchange_header(exchange, "if-match"),
	                                sr_exchange_header(exchange, "if-none-match"),
	                                sr_exchange_header(exchange, "if-modified-since"),
	                                sr_exchange_header(exchange, "if-unmodified-since"), ret_conditions);
}

struct sr_result sr_blob_refuse_unsupported(const struct sr_exchange *exchange)
{
	static const char *const names[] = {
	    "x-ms-encryption-key",
	    "x-ms-encryption-key-sha256",
	    "x-ms-encryption-scope",
	    "x-ms-default-encryption-scope",
	    "x-ms-tags",
	    "x-ms-if-tags",
	    "x-ms-legal-hold",
	    "x-ms-immutability-policy-until-date",
	    "x-ms-structured-body",
	    "x-ms-copy-source",
	    "x-ms-source-encryption-key",
	    "x-ms-blob-public-access",
	    "x-ms-immutability-policy-mode",
	};
	const char *name;
	const char *value;
	for (size_t i = 0; (name = sr_exchange_header_at(exchange, i, &value)); i++) {
		for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
			if (strcmp(name, names[n]) == 0) {
				return sr_fail_as(SR_INVALID, "UnsupportedHeader", "%s is not supported here", name);
			}
		}
	}
	return sr_ok();
}

struct sr_result sr_blob_bool_header(const struct sr_exchange *exchange, const char *name, bool *ret_value)
{
	const char *text = sr_exchange_header(exchange, name);
	bool is_true = text && sr_equal_nocase(sr_bytes_str(text), SR_LITERAL("true"));
	if (text && !is_true && !sr_equal_nocase(sr_bytes_str(text), SR_LITERAL("false"))) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "%s is neither true nor false", name);
	}
	*ret_value = is_true;
	return sr_ok();
}
