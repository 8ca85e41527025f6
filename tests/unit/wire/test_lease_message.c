/* The lease protocol's messages: each kind survives the wire, and nothing but a whole message is one. */

#include "check.h"

#include "base/random.h"
#include "wire/lease_message.h"

static struct sr_lease_message example(enum sr_lease_kind kind, struct sr_buf *items)
{
	struct sr_lease_message message = {
	    .kind = kind,
	    .lowest_version = 1,
	    .highest_version = 3,
	    .version = 2,
	    .instance = sr_id_random(),
	    .ttl_ms = 2000,
	    .request = 0x0102030405060708,
	    .resource = sr_id_random(),
	    .lease = sr_id_random(),
	    .revocation_epoch = 1ULL << 40,
	    .kek_epoch = 7,
	    .anchor = 1ULL << 50,
	    .sealed_kek = SR_LITERAL("sealed"),
	    .reason = SR_LEASE_KEY_EXPIRED,
	    .verdict = {SR_REVOKED, SR_LEASE_KEY_DISABLED, SR_LITERAL("why")},
	    .resource_kind = SR_LITERAL("account"),
	    .label = SR_LITERAL("mine"),
	    .key = {.follows_latest = true, .vault = SR_LITERAL("v"), .name = SR_LITERAL("k"), .version = SR_LITERAL("1")}};
	for (int i = 0; i < 3; i++) {
		struct sr_lease_item item = {sr_id_random(), sr_id_random(), SR_REVOKED, SR_LEASE_KEY_FORBIDDEN};
		sr_lease_item_append(items, kind, &item);
	}
	message.items = sr_buf_bytes(items);
	return message;
}

static void every_kind_survives_the_wire(void **state)
{
	(void)state;
	for (int kind = 1; kind < SR_LEASE_KIND_END; kind++) {
		SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(1024);
		SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(4096);
		SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(4096);
		struct sr_lease_message message = example((enum sr_lease_kind)kind, &items);
		sr_lease_message_write(&message, &frame);
		struct sr_lease_message read;
		struct sr_result result = sr_lease_message_read(sr_buf_bytes(&frame), &read);
		assert_true(sr_is_ok(result));
		assert_int_equal(read.kind, kind);
		sr_lease_message_write(&read, &again);
		assert_true(sr_equal_public(sr_buf_bytes(&frame), sr_buf_bytes(&again)));
	}
}

static void members_arrive_as_they_were_sent(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(1024);
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(4096);
	struct sr_lease_message sent = example(SR_LEASE_RENEWED, &items);
	sr_lease_message_write(&sent, &frame);
	struct sr_lease_message read;
	expect_ok(sr_lease_message_read(sr_buf_bytes(&frame), &read));
	assert_int_equal(read.request, sent.request);
	assert_int_equal(read.ttl_ms, 2000);
	assert_int_equal(sr_lease_item_count(&read), 3);
	struct sr_lease_item item = sr_lease_item_at(&read, 2);
	assert_int_equal(item.code, SR_REVOKED);
	assert_int_equal(item.reason, SR_LEASE_KEY_FORBIDDEN);
	assert_memory_equal(item.resource.bytes, items.data + 2 * 34, SR_ID_LEN);
	assert_memory_equal(item.lease.bytes, items.data + 2 * 34 + SR_ID_LEN, SR_ID_LEN);

	struct sr_lease_message answer = example(SR_LEASE_ANSWER, &items);
	sr_buf_reset(&frame);
	sr_lease_message_write(&answer, &frame);
	expect_ok(sr_lease_message_read(sr_buf_bytes(&frame), &read));
	SR_CLEANUP(sr_result) struct sr_result verdict = sr_lease_verdict_result(&read.verdict);
	assert_int_equal(sr_result_code(verdict), SR_REVOKED);
	assert_string_equal(sr_result_reason(verdict), "KeyDisabled");
	assert_string_equal(sr_result_message(verdict), "why");
	assert_true(read.key.follows_latest);
	assert_false(read.key.is_service_managed);
}

static void a_cut_or_padded_message_is_refused(void **state)
{
	(void)state;
	for (int kind = 1; kind < SR_LEASE_KIND_END; kind++) {
		SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(1024);
		SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(4096);
		struct sr_lease_message message = example((enum sr_lease_kind)kind, &items);
		sr_lease_message_write(&message, &frame);
		struct sr_lease_message read;
		for (size_t len = 0; len < frame.len; len++) {
			struct sr_result result = sr_lease_message_read(sr_bytes_of(frame.data, len), &read);
			assert_int_equal(sr_result_code(result), SR_PROTOCOL);
			sr_result_free(result);
		}
		sr_buf_append_u8(&frame, 0);
		struct sr_result result = sr_lease_message_read(sr_buf_bytes(&frame), &read);
		assert_int_equal(sr_result_code(result), SR_PROTOCOL);
		sr_result_free(result);
	}
}

static void refuse_changed(struct sr_buf *frame, size_t at, uint8_t value)
{
	uint8_t before = frame->data[at];
	frame->data[at] = value;
	struct sr_lease_message read;
	struct sr_result result = sr_lease_message_read(sr_buf_bytes(frame), &read);
	assert_int_equal(sr_result_code(result), SR_PROTOCOL);
	sr_result_free(result);
	frame->data[at] = before;
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(1024);
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(4096);
	struct sr_lease_message hello = example(SR_LEASE_HELLO, &items);
	sr_lease_message_write(&hello, &frame);
	refuse_changed(&frame, 0, 0); /* no such kind */
	refuse_changed(&frame, 0, SR_LEASE_KIND_END);
	refuse_changed(&frame, 1, 'X'); /* another protocol */
	refuse_changed(&frame, 9, 9);   /* lowest version above the highest */
	struct sr_lease_message renew = example(SR_LEASE_RENEW, &items);
	renew.items.len--; /* not a whole number of items */
	sr_buf_reset(&frame);
	sr_lease_message_write(&renew, &frame);
	struct sr_lease_message read;
	struct sr_result result = sr_lease_message_read(sr_buf_bytes(&frame), &read);
	assert_int_equal(sr_result_code(result), SR_PROTOCOL);
	sr_result_free(result);
	struct sr_lease_message welcome = example(SR_LEASE_WELCOME, &items);
	welcome.ttl_ms = 0; /* a lease of no length */
	sr_buf_reset(&frame);
	sr_lease_message_write(&welcome, &frame);
	result = sr_lease_message_read(sr_buf_bytes(&frame), &read);
	assert_int_equal(sr_result_code(result), SR_PROTOCOL);
	sr_result_free(result);
}

static void reasons_have_the_names_that_keyring_promises(void **state)
{
	(void)state;
	static const char *const names[] = {"KeyDisabled", "KeyExpired",   "KeyNotYetValid",
	                                    "KeyNotFound", "KeyForbidden", "VaultUnreachable"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_string_equal(sr_lease_reason_name(sr_lease_reason_of(names[i])), names[i]);
	}
	assert_int_equal(sr_lease_reason_of("Whatever"), SR_LEASE_NO_REASON);
	assert_int_equal(sr_lease_reason_of(NULL), SR_LEASE_NO_REASON);
	assert_null(sr_lease_reason_name(SR_LEASE_NO_REASON));
}

static void the_handover_is_tied_to_every_part_of_the_grant(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(1024);
	struct sr_lease_message grant = example(SR_LEASE_GRANT, &items);
	struct sr_id instance = sr_id_random();
	SR_CLEANUP(sr_buf) struct sr_buf aad = SR_BUF(128);
	sr_lease_handover_aad(&instance, &grant, &aad);
	assert_int_equal(aad.len, 3 * SR_ID_LEN + 8 + 4);
	assert_memory_equal(aad.data, instance.bytes, SR_ID_LEN);
	assert_memory_equal(aad.data + SR_ID_LEN, grant.lease.bytes, SR_ID_LEN);
	assert_memory_equal(aad.data + 2 * SR_ID_LEN, grant.resource.bytes, SR_ID_LEN);
	assert_int_equal(sr_load_u64(aad.data + 48), grant.revocation_epoch);
	assert_int_equal(sr_load_u32(aad.data + 56), grant.kek_epoch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_survives_the_wire),
	    cmocka_unit_test(members_arrive_as_they_were_sent),
	    cmocka_unit_test(a_cut_or_padded_message_is_refused),
	    cmocka_unit_test(what_makes_no_sense_is_refused),
	    cmocka_unit_test(reasons_have_the_names_that_keyring_promises),
	    cmocka_unit_test(the_handover_is_tied_to_every_part_of_the_grant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
