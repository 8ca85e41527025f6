/* The table of conditional headers, row by row, for reads and for writes. */
#include "blob/condition.h"

#include "check.h"
#include "wire/time.h"

enum { ETAG = 0x8d };
#define SAME  "\"0x8D\""
#define OTHER "\"0x1\""
static const int64_t modified = 1700000000;

/* Dates around the resource's own. */
static const char *date(int64_t offset)
{
	static char texts[4][SR_HTTP_DATE_LEN];
	static unsigned next;
	char *text = texts[next++ % 4];
	sr_http_date(modified + offset, text);
	return text;
}

enum when { NONE, BEFORE, AT, AFTER };
static const char *when_text(enum when when)
{
	return when == NONE ? NULL : date(when == BEFORE ? -1 : when == AT ? 0 : 1);
}

struct row {
	const char *if_match, *if_none_match;
	enum when if_modified_since, if_unmodified_since;
	bool exists;
	const char *reason; /* NULL: holds */
};

static struct sr_result check(const struct row *row, bool is_write, bool creates)
{
	struct sr_blob_conditions conditions;
	expect_ok(sr_blob_conditions_parse(row->if_match, row->if_none_match, when_text(row->if_modified_since),
	                                   when_text(row->if_unmodified_since), &conditions));
	struct sr_blob_state state = {row->exists, ETAG, modified};
	return is_write ? sr_blob_conditions_check_write(&conditions, &state, creates)
	                : sr_blob_conditions_check_read(&conditions, &state);
}

static void check_rows(const struct row *rows, size_t count, bool is_write, bool creates)
{
	for (size_t i = 0; i < count; i++) {
		SR_CLEANUP(sr_result) struct sr_result result = check(&rows[i], is_write, creates);
		const char *got = sr_result_reason(result);
		if ((got == NULL) != (rows[i].reason == NULL) || (got && strcmp(got, rows[i].reason) != 0)) {
			fail_msg("row %zu: got %s, expected %s", i, got ? got : "holds", rows[i].reason ? rows[i].reason : "holds");
		}
	}
}

static void reads_follow_the_table(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {NULL, NULL, NONE, NONE, true, NULL},
	    {SAME, NULL, NONE, NONE, true, NULL},
	    {"0x8D", NULL, NONE, NONE, true, NULL},
	    {"*", NULL, NONE, NONE, true, NULL},
	    {OTHER, NULL, NONE, NONE, true, "ConditionNotMet"},
	    {OTHER ", " SAME, NULL, NONE, NONE, true, NULL},
	    {"*", NULL, NONE, NONE, false, "ConditionNotMet"},
	    {SAME, NULL, NONE, NONE, false, "ConditionNotMet"},
	    {NULL, SAME, NONE, NONE, true, "NotModified"},
	    {NULL, OTHER "," SAME, NONE, NONE, true, "NotModified"},
	    {NULL, OTHER, NONE, NONE, true, NULL},
	    {NULL, SAME, NONE, NONE, false, NULL},
	    {NULL, "*", NONE, NONE, true, "UnsatisfiableCondition"},
	    {NULL, "*", NONE, NONE, false, "UnsatisfiableCondition"},
	    {NULL, NULL, BEFORE, NONE, true, NULL},
	    {NULL, NULL, AT, NONE, true, "NotModified"},
	    {NULL, NULL, AFTER, NONE, true, "NotModified"},
	    {NULL, NULL, NONE, BEFORE, true, "ConditionNotMet"},
	    {NULL, NULL, NONE, AT, true, NULL},
	    {NULL, NULL, NONE, AFTER, true, NULL},
	    /* either of the "has changed" pair is enough */
	    {NULL, SAME, BEFORE, NONE, true, NULL},
	    {NULL, OTHER, AFTER, NONE, true, NULL},
	    {NULL, SAME, AFTER, NONE, true, "NotModified"},
	    /* both of the "is as I know it" pair must hold */
	    {SAME, NULL, NONE, BEFORE, true, "ConditionNotMet"},
	    {OTHER, NULL, NONE, AFTER, true, "ConditionNotMet"},
	    {SAME, OTHER, BEFORE, AFTER, true, NULL},
	};
	check_rows(rows, sizeof rows / sizeof rows[0], false, false);
}

static void writes_follow_the_table(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {NULL, NULL, NONE, NONE, true, NULL},
	    {SAME, NULL, NONE, NONE, true, NULL},
	    {OTHER, NULL, NONE, NONE, true, "ConditionNotMet"},
	    {SAME, NULL, NONE, NONE, false, "ConditionNotMet"},
	    {NULL, SAME, NONE, NONE, true, "ConditionNotMet"},
	    {NULL, OTHER, NONE, NONE, true, NULL},
	    {NULL, SAME, NONE, NONE, false, NULL},
	    {NULL, NULL, AFTER, NONE, true, "ConditionNotMet"},
	    {NULL, NULL, AT, NONE, true, "ConditionNotMet"},
	    {NULL, NULL, BEFORE, NONE, true, NULL},
	    {NULL, NULL, NONE, BEFORE, true, "ConditionNotMet"},
	    {NULL, NULL, NONE, AT, true, NULL},
	    {NULL, NULL, NONE, BEFORE, false, NULL},
	    /* of a pair the tag decides */
	    {SAME, NULL, NONE, BEFORE, true, NULL},
	    {OTHER, NULL, NONE, AFTER, true, "ConditionNotMet"},
	    {NULL, OTHER, AFTER, NONE, true, NULL},
	    {NULL, SAME, BEFORE, NONE, true, "ConditionNotMet"},
	    /* what cannot be combined */
	    {SAME, OTHER, NONE, NONE, true, "MultipleConditionHeadersNotSupported"},
	    {SAME, NULL, BEFORE, NONE, true, "MultipleConditionHeadersNotSupported"},
	    {NULL, OTHER, NONE, AFTER, true, "MultipleConditionHeadersNotSupported"},
	    {OTHER "," SAME, NULL, NONE, NONE, true, "MultipleConditionHeadersNotSupported"},
	    {NULL, OTHER "," SAME, NONE, NONE, true, "MultipleConditionHeadersNotSupported"},
	};
	check_rows(rows, sizeof rows / sizeof rows[0], true, true);
	check_rows(rows, sizeof rows / sizeof rows[0], true, false);
}

static void a_star_guards_creation_and_nothing_else(void **state)
{
	(void)state;
	static const struct row existing = {NULL, "*", NONE, NONE, true, NULL};
	static const struct row absent = {NULL, "*", NONE, NONE, false, NULL};
	expect_reason(check(&existing, true, true), SR_EXISTS, "BlobAlreadyExists");
	expect_ok(check(&existing, true, false));
	expect_ok(check(&absent, true, true));
}

static void a_date_that_is_none_is_refused(void **state)
{
	(void)state;
	struct sr_blob_conditions conditions;
	expect_reason(sr_blob_conditions_parse(NULL, NULL, "yesterday", NULL, &conditions), SR_INVALID,
	              "InvalidHeaderValue");
	expect_reason(sr_blob_conditions_parse(NULL, NULL, NULL, "", &conditions), SR_INVALID, "InvalidHeaderValue");
}

static void tags_are_written_as_clients_know_them(void **state)
{
	(void)state;
	char text[SR_ETAG_TEXT_LEN];
	sr_blob_etag_text(0x8DE0123456789ABULL, text);
	assert_string_equal(text, "\"0x8DE0123456789AB\"");
	sr_blob_etag_text(UINT64_MAX, text);
	assert_string_equal(text, "\"0xFFFFFFFFFFFFFFFF\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_follow_the_table),
	    cmocka_unit_test(writes_follow_the_table),
	    cmocka_unit_test(a_star_guards_creation_and_nothing_else),
	    cmocka_unit_test(a_date_that_is_none_is_refused),
	    cmocka_unit_test(tags_are_written_as_clients_know_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
