/*
 * What the Blob service reads of a request before anything else: target, signature, conditions, ranges, metadata and
 * content headers. The input is a head as net hands it on.
 */
#include "blob/header.h"
#include "blob/name.h"
#include "blob/sas.h"
#include "net/exchange.h"
#include "wire/range.h"
#include "wire/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* If-Match and If-None-Match of one text exclude each other on a thing that exists. */
static void check_tags(const char *tags, const struct sr_blob_state *state)
{
	const struct sr_blob_conditions same = {.if_match = tags};
	const struct sr_blob_conditions other = {.if_none_match = tags};
	SR_CLEANUP(sr_result) struct sr_result is_same = sr_blob_conditions_check_read(&same, state);
	SR_CLEANUP(sr_result) struct sr_result is_other = sr_blob_conditions_check_read(&other, state);
	require(!tags || sr_result_code(is_other) == SR_INVALID || sr_is_ok(is_same) != sr_is_ok(is_other));
}

static void check_conditions(const struct sr_exchange *exchange)
{
	static const struct sr_blob_state states[] = {
	    {false, 0, 0}, {true, 0x8DC0FFEE, 1700000000}, {true, UINT64_MAX, INT64_MAX / 2}};
	struct sr_blob_conditions conditions;
	SR_CLEANUP(sr_result) struct sr_result read = sr_blob_conditions_read(exchange, &conditions);
	for (size_t i = 0; sr_is_ok(read) && i < sizeof states / sizeof states[0]; i++) {
		SR_CLEANUP(sr_result) struct sr_result may_read = sr_blob_conditions_check_read(&conditions, &states[i]);
		SR_CLEANUP(sr_result)
		struct sr_result may_write = sr_blob_conditions_check_write(&conditions, &states[i], i % 2);
		require(sr_blob_conditions_any(&conditions) || (sr_is_ok(may_read) && sr_is_ok(may_write)));
		if (states[i].exists) {
			check_tags(conditions.if_match, &states[i]);
		}
	}
}

static void check_range(const struct sr_exchange *exchange)
{
	const char *text = sr_exchange_header(exchange, "x-ms-range");
	struct sr_range range;
	SR_CLEANUP(sr_result) struct sr_result read = sr_range_parse(sr_bytes_str(text), &range);
	uint64_t offset = 0;
	uint64_t len = 0;
	SR_CLEANUP(sr_result)
	struct sr_result fits = sr_is_ok(read) ? sr_range_fit(range, 1000, &offset, &len) : sr_ok();
	require(!sr_is_ok(read) || !sr_is_ok(fits) || (len > 0 && offset < 1000 && len <= 1000 - offset));
}

static void check_headers(struct sr_exchange *exchange, struct sr_arena *arena)
{
	struct sr_bytes packed = {0};
	SR_CLEANUP(sr_result) struct sr_result metadata = sr_blob_metadata_read(exchange, arena, &packed);
	struct sr_reader reader = sr_reader_of(packed);
	struct sr_bytes name;
	struct sr_bytes value;
	while (sr_blob_metadata_next(&reader, &name, &value)) {
		require(sr_blob_is_metadata_name(name));
	}
	require(!sr_is_ok(metadata) || (!reader.failed && reader.left == 0));
	struct sr_blob_content_headers content;
	SR_CLEANUP(sr_result) struct sr_result headers = sr_blob_content_headers_read(exchange, arena, true, &content);
	require(!sr_is_ok(headers) || content.content_md5.len == 0 || content.content_md5.len == SR_MD5_LEN);
	bool is_set = false;
	unsigned version = 0;
	SR_CLEANUP(sr_result)
	struct sr_result flag = sr_blob_bool_header(exchange, "x-ms-range-get-content-md5", &is_set);
	const char *version_text = sr_exchange_header(exchange, "x-ms-version");
	SR_CLEANUP(sr_result)
	struct sr_result versioned = sr_blob_version_parse(sr_bytes_str(version_text), &version);
	require(!sr_is_ok(versioned) || (version >= 20090919 && version <= 99991231));
	SR_CLEANUP(sr_result) struct sr_result refused = sr_blob_refuse_unsupported(exchange);
}

static void check_target(struct sr_arena *arena, struct sr_bytes path, struct sr_bytes query_text, const char *host)
{
	struct sr_blob_target target = {0};
	struct sr_parameters query = {0};
	SR_CLEANUP(sr_result)
	struct sr_result found = sr_blob_target_parse(arena, host, path, query_text.len % 2, &target);
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_parameters_parse(arena, query_text, false, &query);
	if (!sr_is_ok(found) || !sr_is_ok(parsed)) {
		return;
	}
	SR_CLEANUP(sr_result) struct sr_result checked = sr_blob_target_check(&target);
	require(!sr_is_ok(checked) || target.resource == SR_BLOB_SERVICE || target.container.len > 0);
	struct sr_sas sas;
	SR_CLEANUP(sr_result) struct sr_result read = sr_sas_read(&query, &sas);
	if (!sr_is_ok(read)) {
		return;
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	sr_sas_string(&sas, &target, &text);
	const struct sr_sas_use use = {
	    .now_us = 1700000000000000, .peer_address = "127.0.0.1", .resource = target.resource, .allowed_by = "r"};
	struct sr_bytes permissions = {0};
	SR_CLEANUP(sr_result) struct sr_result allowed = sr_sas_check(&sas, &use, NULL, &permissions);
	require(!sr_is_ok(allowed) || (permissions.len > 0 && memchr(permissions.data, 'r', permissions.len)));
}

static void read_request(struct sr_exchange *exchange)
{
	struct sr_bytes target = exchange->head.target;
	const uint8_t *mark = target.len ? memchr(target.data, '?', target.len) : NULL;
	size_t path_len = mark ? (size_t)(mark - target.data) : target.len;
	struct sr_bytes query =
	    mark ? sr_bytes_of(mark + 1, target.len - path_len - 1) : sr_bytes_of(target.data + path_len, 0);
	const char *host = sr_exchange_header(exchange, "host");
	check_conditions(exchange);
	check_range(exchange);
	check_headers(exchange, exchange->arena);
	check_target(exchange->arena, sr_bytes_of(target.data, path_len), query, host ? host : "127.0.0.1");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t scanned = 0;
	size_t head_len = 0;
	SR_CLEANUP(sr_result)
	struct sr_result found = sr_http_find_head_end(sr_bytes_of(data, len), &scanned, &head_len);
	if (!sr_is_ok(found) || head_len == 0) {
		return 0;
	}
	uint8_t *copy = malloc(head_len);
	struct sr_exchange *exchange = calloc(1, sizeof *exchange);
	require(copy && exchange);
	memcpy(copy, data, head_len);
	exchange->arena = sr_arena_new();
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_http_parse_request(copy, head_len, &exchange->head);
	if (sr_is_ok(parsed)) {
		read_request(exchange);
	}
	sr_arena_free(exchange->arena);
	free(exchange);
	free(copy);
	return 0;
}
