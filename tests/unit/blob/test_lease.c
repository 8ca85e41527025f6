/* The lease states against the table of outcomes: every action in every state, with the right id and another. */
#include "blob/lease.h"

#include "check.h"

#define A "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
#define B "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"
enum { NOW = 1000000 };

static struct sr_blob_lease lease_in(enum sr_blob_lease_state state, int32_t duration)
{
	struct sr_blob_lease lease = {.state = state, .duration_s = duration, .until_ms = NOW + 20000};
	if (state != SR_BLOB_LEASE_AVAILABLE) {
		memcpy(lease.id, A, sizeof A);
	}
	if (state == SR_BLOB_LEASE_EXPIRED) { /* stored as leased: time made it so */
		lease.state = SR_BLOB_LEASE_LEASED;
		lease.until_ms = NOW - 1;
	}
	return lease;
}

static struct sr_blob_lease_request wish(enum sr_blob_lease_action action, const char *id)
{
	bool is_acquire = action == SR_BLOB_LEASE_ACQUIRE;
	return (struct sr_blob_lease_request){
	    .action = action,
	    .id = is_acquire ? NULL : id,
	    .proposed_id = is_acquire                       ? id
	                   : action == SR_BLOB_LEASE_CHANGE ? B
	                                                    : NULL,
	    .duration_s = 30,
	    .break_period_s = -1,
	};
}

enum { AVAILABLE, LEASED, EXPIRED, BREAKING, BROKEN, REFUSED };

struct row {
	enum sr_blob_lease_action action;
	const char *id;
	/* in order: available, leased, expired, breaking, broken; a state, or a refusal's symbol */
	struct {
		int state;
		const char *reason;
	} outcome[5];
};

#define TO(state)   \
	{               \
		state, NULL \
	}
#define NO(reason)      \
	{                   \
		REFUSED, reason \
	}
#define MISMATCH    NO("LeaseIdMismatchWithLeaseOperation")
#define NOT_PRESENT NO("LeaseNotPresentWithLeaseOperation")

static const struct row rows[] = {
    {SR_BLOB_LEASE_ACQUIRE,
     B,
     {TO(LEASED), NO("LeaseAlreadyPresent"), TO(LEASED), NO("LeaseAlreadyPresent"), TO(LEASED)}},
    {SR_BLOB_LEASE_ACQUIRE,
     A,
     {TO(LEASED), TO(LEASED), TO(LEASED), NO("LeaseIsBreakingAndCannotBeAcquired"), TO(LEASED)}},
    {SR_BLOB_LEASE_ACQUIRE,
     NULL,
     {TO(LEASED), NO("LeaseAlreadyPresent"), TO(LEASED), NO("LeaseAlreadyPresent"), TO(LEASED)}},
    {SR_BLOB_LEASE_RENEW,
     A,
     {MISMATCH, TO(LEASED), TO(LEASED), NO("LeaseIsBrokenAndCannotBeRenewed"), NO("LeaseIsBrokenAndCannotBeRenewed")}},
    {SR_BLOB_LEASE_RENEW, B, {MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH}},
    {SR_BLOB_LEASE_CHANGE,
     A,
     {NOT_PRESENT, TO(LEASED), NOT_PRESENT, NO("LeaseIsBreakingAndCannotBeChanged"), NOT_PRESENT}},
    {SR_BLOB_LEASE_CHANGE, B, {NOT_PRESENT, MISMATCH, NOT_PRESENT, MISMATCH, NOT_PRESENT}},
    {SR_BLOB_LEASE_RELEASE, A, {MISMATCH, TO(AVAILABLE), TO(AVAILABLE), TO(AVAILABLE), TO(AVAILABLE)}},
    {SR_BLOB_LEASE_RELEASE, B, {MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH}},
    {SR_BLOB_LEASE_BREAK, NULL, {NOT_PRESENT, TO(BREAKING), TO(BROKEN), TO(BREAKING), TO(BROKEN)}},
};

static void every_action_in_every_state_is_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int from = AVAILABLE; from <= BROKEN; from++) {
			struct sr_blob_lease lease = lease_in((enum sr_blob_lease_state)from, 30);
			struct sr_blob_lease_request request = wish(rows[i].action, rows[i].id);
			struct sr_blob_lease next = {0};
			int32_t left;
			SR_CLEANUP(sr_result) struct sr_result result = sr_blob_lease_apply(&lease, NOW, &request, &next, &left);
			int got = sr_is_ok(result) ? (int)next.state : REFUSED;
			const char *reason = sr_result_reason(result);
			const char *wanted = rows[i].outcome[from].reason;
			if (got != rows[i].outcome[from].state || (wanted && strcmp(wanted, reason) != 0)) {
				fail_msg("row %zu from state %d: got %d %s, expected %d %s", i, from, got, reason ? reason : "",
				         rows[i].outcome[from].state, wanted ? wanted : "");
			}
		}
	}
}

static void breaking_takes_the_shorter_of_what_is_left_and_what_is_asked(void **state)
{
	(void)state;
	static const struct {
		int32_t duration, period, left;
		enum sr_blob_lease_state state;
	} breaks[] = {
	    {30, -1, 20, SR_BLOB_LEASE_BREAKING}, {30, 0, 0, SR_BLOB_LEASE_BROKEN},  {30, 5, 5, SR_BLOB_LEASE_BREAKING},
	    {30, 60, 20, SR_BLOB_LEASE_BREAKING}, {-1, -1, 0, SR_BLOB_LEASE_BROKEN}, {-1, 0, 0, SR_BLOB_LEASE_BROKEN},
	    {-1, 45, 45, SR_BLOB_LEASE_BREAKING},
	};
	for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
		struct sr_blob_lease lease = lease_in(SR_BLOB_LEASE_LEASED, breaks[i].duration);
		struct sr_blob_lease_request request = wish(SR_BLOB_LEASE_BREAK, NULL);
		request.break_period_s = breaks[i].period;
		int32_t left;
		expect_ok(sr_blob_lease_apply(&lease, NOW, &request, &lease, &left));
		assert_int_equal(lease.state, breaks[i].state);
		assert_int_equal(left, breaks[i].left);
		assert_int_equal(sr_blob_lease_at(&lease, NOW + 60000).state, SR_BLOB_LEASE_BROKEN);
	}
}

static void writes_need_the_id_and_reads_only_not_a_wrong_one(void **state)
{
	(void)state;
	struct sr_blob_lease leased = lease_in(SR_BLOB_LEASE_LEASED, 30);
	struct sr_blob_lease expired = lease_in(SR_BLOB_LEASE_EXPIRED, 30);
	struct sr_blob_lease none = {0};
	expect_reason(sr_blob_lease_allows_write(&leased, NOW, NULL, false), SR_PRECONDITION, "LeaseIdMissing");
	expect_reason(sr_blob_lease_allows_write(&leased, NOW, B, false), SR_PRECONDITION,
	              "LeaseIdMismatchWithBlobOperation");
	expect_reason(sr_blob_lease_allows_write(&leased, NOW, B, true), SR_PRECONDITION,
	              "LeaseIdMismatchWithContainerOperation");
	expect_ok(sr_blob_lease_allows_write(&leased, NOW, A, false));
	expect_ok(sr_blob_lease_allows_write(&expired, NOW, NULL, false));
	expect_reason(sr_blob_lease_allows_write(&none, NOW, A, false), SR_PRECONDITION,
	              "LeaseNotPresentWithBlobOperation");
	expect_ok(sr_blob_lease_allows_read(&leased, NOW, NULL, false));
	expect_ok(sr_blob_lease_allows_read(&leased, NOW, A, false));
	expect_reason(sr_blob_lease_allows_read(&leased, NOW, B, false), SR_PRECONDITION,
	              "LeaseIdMismatchWithBlobOperation");
}

static void a_lease_survives_its_row(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_blob_lease lease = lease_in(SR_BLOB_LEASE_LEASED, SR_BLOB_LEASE_INFINITE);
	struct sr_blob_lease back;
	struct sr_bytes packed = sr_blob_lease_pack(arena, &lease);
	expect_ok(sr_blob_lease_unpack(packed, &back));
	assert_int_equal(back.state, lease.state);
	assert_int_equal(back.duration_s, SR_BLOB_LEASE_INFINITE);
	assert_int_equal(back.until_ms, lease.until_ms);
	assert_string_equal(back.id, A);
	expect_code(sr_blob_lease_unpack(sr_bytes_of(packed.data, packed.len - 1), &back), SR_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_action_in_every_state_is_as_the_table_says),
	    cmocka_unit_test(breaking_takes_the_shorter_of_what_is_left_and_what_is_asked),
	    cmocka_unit_test(writes_need_the_id_and_reads_only_not_a_wrong_one),
	    cmocka_unit_test(a_lease_survives_its_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
