/* What the blob service takes apart before it knows who asks, and what it reads back from rows: addresses, signatures,
 * conditions, stored access policies, leases. Each result keeps its promise; none reads outside its input. */
#include "blob/condition.h"
#include "blob/header.h"
#include "blob/lease.h"
#include "blob/policy.h"
#include "blob/sas.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_address(struct sr_arena *arena, struct sr_bytes input)
{
	struct sr_blob_target target;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_blob_target_parse(arena, "localhost", input, false, &target);
	if (!sr_is_ok(parsed)) {
		return;
	}
	if (!sr_blob_is_account_name(sr_bytes_str(target.account)) ||
	    (target.resource == SR_BLOB_BLOB) != (target.blob.len > 0)) {
		abort();
	}
	sr_ignore(sr_blob_target_check(&target));
}

static void check_signature(struct sr_arena *arena, struct sr_bytes input)
{
	struct sr_parameters query;
	struct sr_sas sas;
	SR_CLEANUP(sr_result) struct sr_result split = sr_parameters_parse(arena, input, false, &query);
	SR_CLEANUP(sr_result)
	struct sr_result read = sr_is_ok(split) ? sr_sas_read(&query, &sas) : sr_fail(SR_INVALID, "-");
	if (!sr_is_ok(read)) {
		return;
	}
	const struct sr_blob_target target = {.account = "acct", .container = SR_LITERAL("c"), .blob = SR_LITERAL("b")};
	const struct sr_sas_use use = {
	    .now_us = 1, .peer_address = "127.0.0.1", .resource = SR_BLOB_BLOB, .allowed_by = "r"};
	struct sr_bytes permissions = {0};
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	sr_sas_string(&sas, &target, &text);
	SR_CLEANUP(sr_result) struct sr_result allowed = sr_sas_check(&sas, &use, NULL, &permissions);
	if (sr_is_ok(allowed) && !memchr(permissions.data, 'r', permissions.len)) {
		abort();
	}
}

static void check_conditions(struct sr_arena *arena, struct sr_bytes input)
{
	const char *text = sr_arena_text(arena, input);
	const struct sr_blob_state state = {true, 0x8d, 1};
	struct sr_blob_conditions conditions;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_blob_conditions_parse(text, text, NULL, NULL, &conditions);
	if (sr_is_ok(parsed)) {
		sr_ignore(sr_blob_conditions_check_read(&conditions, &state));
		sr_ignore(sr_blob_conditions_check_write(&conditions, &state, true));
	}
}

/* What was read from a document unpacks to as many policies, and is written as a document again. */
static void check_policies(struct sr_arena *arena, struct sr_bytes input)
{
	struct sr_bytes packed;
	struct sr_blob_policy policies[SR_BLOB_POLICY_MAX];
	size_t count = 0;
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(1 << 20);
	SR_CLEANUP(sr_result) struct sr_result read = sr_blob_policies_read(arena, input, &packed);
	if (sr_is_ok(read)) {
		SR_CLEANUP(sr_result) struct sr_result unpacked = sr_blob_policies_unpack(packed, policies, &count);
		SR_CLEANUP(sr_result) struct sr_result written = sr_blob_policies_write(packed, &xml);
		if (!sr_is_ok(unpacked) || !sr_is_ok(written)) {
			abort();
		}
	}
	sr_ignore(sr_blob_policies_unpack(input, policies, &count));
}

static void check_rows(struct sr_arena *arena, struct sr_bytes input)
{
	struct sr_blob_lease lease;
	SR_CLEANUP(sr_result) struct sr_result unpacked = sr_blob_lease_unpack(input, &lease);
	if (sr_is_ok(unpacked) && lease.state != SR_BLOB_LEASE_AVAILABLE &&
	    !sr_equal_public(sr_blob_lease_pack(arena, &lease), input) && strlen(lease.id) + 17 == input.len) {
		abort();
	}
	struct sr_reader reader = sr_reader_of(input);
	struct sr_bytes name;
	struct sr_bytes value;
	while (sr_blob_metadata_next(&reader, &name, &value)) {
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const checks[])(struct sr_arena * arena, struct sr_bytes input) = {
	    check_address, check_signature, check_conditions, check_policies, check_rows};
	if (len == 0) {
		return 0;
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	checks[data[0] % (sizeof checks / sizeof checks[0])](arena, sr_bytes_of(data + 1, len - 1));
	return 0;
}
