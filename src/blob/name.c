/* Names of accounts, containers, blobs and blocks, and the two styles of address that carry them. */
#include "blob/name.h"

#include "base/text.h"
#include "wire/url.h"

#include <string.h>

enum {
	ACCOUNT_MIN = 3,
	ACCOUNT_MAX = 24,
	CONTAINER_MIN = 3,
	CONTAINER_MAX = 63,
	BLOB_MAX = 1024,
	SEGMENT_MAX = 254,
	BLOCK_ID_MAX = 64
};

static bool is_lower_or_digit(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool sr_blob_is_account_name(struct sr_bytes name)
{
	if (name.len < ACCOUNT_MIN || name.len > ACCOUNT_MAX) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		if (!is_lower_or_digit(name.data[i])) {
			return false;
		}
	}
	return true;
}

static bool is_system_container(struct sr_bytes name)
{
	static const char *const names[] = {"$root", "$web", "$logs", "$blobchangefeed"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (sr_equal_public(name, sr_bytes_str(names[i]))) {
			return true;
		}
	}
	return false;
}

struct sr_result sr_blob_check_container_name(struct sr_bytes name)
{
	if (is_system_container(name)) {
		return sr_ok();
	}
	if (name.len < CONTAINER_MIN || name.len > CONTAINER_MAX) {
		return sr_fail_as(SR_INVALID, "OutOfRangeInput", "a container's name has 3 to 63 characters");
	}
	for (size_t i = 0; i < name.len; i++) {
		bool is_edge = i == 0 || i + 1 == name.len;
		bool is_single_dash = name.data[i] == '-' && !is_edge && name.data[i - 1] != '-';
		if (!is_lower_or_digit(name.data[i]) && !is_single_dash) {
			return sr_fail_as(SR_INVALID, "InvalidResourceName",
			                  "a container's name has lowercase letters, digits and single dashes between them");
		}
	}
	return sr_ok();
}

struct sr_result sr_blob_check_blob_name(struct sr_bytes name)
{
	if (!sr_is_utf8(name)) {
		return sr_fail_as(SR_INVALID, "InvalidUri", "a blob's name is not UTF-8");
	}
	size_t characters = 0;
	size_t segments = 1;
	for (size_t i = 0; i < name.len; i++) {
		characters += (name.data[i] & 0xc0) != 0x80;
		segments += name.data[i] == '/';
	}
	if (characters < 1 || characters > BLOB_MAX || segments > SEGMENT_MAX) {
		return sr_fail_as(SR_INVALID, "InvalidResourceName", "a blob's name has 1 to 1,024 characters in 254 segments");
	}
	return sr_ok();
}

struct sr_result sr_blob_check_block_id(struct sr_bytes id)
{
	SR_CLEANUP(sr_buf) struct sr_buf decoded = SR_BUF(BLOCK_ID_MAX);
	SR_CLEANUP(sr_result) struct sr_result result = sr_base64_decode(id, &decoded);
	if (!sr_is_ok(result) || decoded.failed || decoded.len == 0) {
		return sr_fail_as(SR_INVALID, "InvalidQueryParameterValue", "a block id is Base64 of 1 to 64 bytes");
	}
	return sr_ok();
}

/* Cuts the text up to the next '/' from the front of *path, and the '/' with it. */
static struct sr_bytes cut_segment(struct sr_bytes *path)
{
	const uint8_t *slash = path->len ? memchr(path->data, '/', path->len) : NULL;
	size_t len = slash ? (size_t)(slash - path->data) : path->len;
	struct sr_bytes segment = sr_bytes_of(path->data, len);
	size_t gone = slash ? len + 1 : len;
	*path = sr_bytes_of(path->data + gone, path->len - gone);
	return segment;
}

static struct sr_result decode(struct sr_arena *arena, struct sr_bytes text, struct sr_bytes *ret_decoded)
{
	SR_CLEANUP(sr_result) struct sr_result result = sr_url_decode(arena, text, false, ret_decoded);
	if (!sr_is_ok(result)) {
		return sr_fail_as(SR_INVALID, "InvalidUri", "the path holds a broken escape");
	}
	return sr_ok();
}

/* "account.blob.example" gives the account; anything else (an address, localhost) has it in the path. */
static bool account_of_host(struct sr_arena *arena, const char *host, const char **ret_account)
{
	const char *dot = strchr(host, '.');
	if (!dot || strncmp(dot, ".blob.", 6) != 0) {
		return false;
	}
	*ret_account = sr_arena_text(arena, sr_bytes_of(host, (size_t)(dot - host)));
	return true;
}

static struct sr_result parse_names(struct sr_arena *arena, struct sr_bytes rest, bool wants_container,
                                    struct sr_blob_target *target)
{
	bool is_single = !rest.len || !memchr(rest.data, '/', rest.len);
	struct sr_bytes first = cut_segment(&rest);
	if (first.len == 0 && rest.len == 0) {
		target->resource = SR_BLOB_SERVICE;
		return sr_ok();
	}
	bool is_in_root = is_single && !wants_container;
	struct sr_bytes container = SR_LITERAL("$root");
	if (!is_in_root) {
		SR_TRY(decode(arena, first, &container));
	}
	target->container = container;
	target->resource = SR_BLOB_CONTAINER;
	struct sr_bytes blob = is_in_root ? first : rest;
	if (blob.len == 0) {
		return sr_ok();
	}
	SR_TRY(decode(arena, blob, &target->blob));
	target->resource = SR_BLOB_BLOB;
	return sr_ok();
}

struct sr_result sr_blob_target_check(const struct sr_blob_target *target)
{
	if (target->resource != SR_BLOB_SERVICE) {
		SR_TRY(sr_blob_check_container_name(target->container));
	}
	return target->resource == SR_BLOB_BLOB ? sr_blob_check_blob_name(target->blob) : sr_ok();
}

struct sr_result sr_blob_target_parse(struct sr_arena *arena, const char *host, struct sr_bytes path,
                                      bool wants_container, struct sr_blob_target *ret_target)
{
	struct sr_blob_target target = {0};
	struct sr_bytes rest = path;
	if (rest.len == 0 || rest.data[0] != '/') {
		return sr_fail_as(SR_INVALID, "InvalidUri", "the path does not start with a slash");
	}
	cut_segment(&rest);
	if (!account_of_host(arena, host, &target.account)) {
		struct sr_bytes account;
		SR_TRY(decode(arena, cut_segment(&rest), &account));
		target.account = (const char *)account.data;
		target.is_path_style = true;
	}
	if (!sr_blob_is_account_name(sr_bytes_str(target.account))) {
		return sr_fail_as(SR_INVALID, "InvalidUri", "the address names no storage account");
	}
	SR_TRY(parse_names(arena, rest, wants_container, &target));
	*ret_target = target;
	return sr_ok();
}
