/* Thousands of random operations on a sealed database and on a plain SQLite database in memory: both must hold the
 * same rows all along, through failed works, spilled transactions, checkpoints and reopening. */
#include "database_fixture.h"

enum { ROUNDS = 160, OPERATIONS_MAX = 60, ID_MAX = 400, VALUE_MAX = 20000 };

struct lockstep {
	sqlite3 *plain;
	uint64_t seed;
	bool fails; /* this round ends in an error */
};

static uint64_t next_random(struct lockstep *lockstep)
{
	lockstep->seed ^= lockstep->seed << 13;
	lockstep->seed ^= lockstep->seed >> 7;
	lockstep->seed ^= lockstep->seed << 17;
	return lockstep->seed;
}

/* The same SQL on both sides; numbers and lengths are in the text, so that it says all. */
static struct sr_result run_both(struct sr_connection *sealed, struct lockstep *lockstep, const char *sql)
{
	SR_TRY(sr_execute(sealed, sql));
	return sqlite3_exec(lockstep->plain, sql, NULL, NULL, NULL) == SQLITE_OK
	           ? sr_ok()
	           : sr_fail(SR_INTERNAL, "plain: %s", sqlite3_errmsg(lockstep->plain));
}

static struct sr_result one_operation(struct sr_connection *sealed, struct lockstep *lockstep)
{
	unsigned id = (unsigned)(next_random(lockstep) % ID_MAX);
	unsigned to = id + (unsigned)(next_random(lockstep) % 20);
	unsigned len = (unsigned)(next_random(lockstep) % (next_random(lockstep) % 8 ? 600 : VALUE_MAX));
	char sql[300];
	switch (next_random(lockstep) % 5) {
	case 0:
	case 1:
		snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO canary_table VALUES (%u, 'name-%u', zeroblob(%u))", id, id,
		         len);
		break;
	case 2:
		snprintf(sql, sizeof sql, "UPDATE canary_table SET value=zeroblob(%u)||name WHERE id BETWEEN %u AND %u",
		         len / 4, id, to);
		break;
	case 3:
		snprintf(sql, sizeof sql, "DELETE FROM canary_table WHERE id BETWEEN %u AND %u", id, to);
		break;
	default:
		snprintf(sql, sizeof sql,
		         "INSERT OR IGNORE INTO canary_table SELECT id+%u, name||'-%u', value FROM canary_table"
		         " WHERE id BETWEEN %u AND %u",
		         ID_MAX, to, id, to);
		break;
	}
	return run_both(sealed, lockstep, sql);
}

static struct sr_result one_round(struct sr_connection *sealed, void *context)
{
	struct lockstep *lockstep = context;
	unsigned count = (unsigned)(next_random(lockstep) % OPERATIONS_MAX) + 1;
	for (unsigned i = 0; i < count; i++) {
		SR_TRY(one_operation(sealed, lockstep));
	}
	return lockstep->fails ? sr_fail(SR_PRECONDITION, "as the test wants") : sr_ok();
}

static const char digest_sql[] = "SELECT id, name, value FROM canary_table ORDER BY id";

/* FNV over all rows. */
static uint64_t mix(uint64_t digest, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		digest = (digest ^ ((const uint8_t *)bytes)[i]) * 1099511628211U;
	}
	return digest;
}

static struct sr_result digest_sealed(struct sr_connection *sealed, void *context)
{
	uint64_t *digest = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(sealed, digest_sql, &statement));
	bool row;
	SR_TRY(sr_step(statement, &row));
	while (row) {
		int64_t id = sr_column_int(statement, 0);
		struct sr_bytes name = sr_column_text(statement, 1);
		struct sr_bytes value = sr_column_blob(statement, 2);
		*digest = mix(mix(mix(*digest, &id, sizeof id), name.data, name.len), value.data, value.len);
		SR_TRY(sr_step(statement, &row));
	}
	return sr_ok();
}

static uint64_t digest_plain(sqlite3 *plain)
{
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_prepare_v2(plain, digest_sql, -1, &statement, NULL), SQLITE_OK);
	uint64_t digest = 1;
	while (sqlite3_step(statement) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(statement, 0);
		const void *name = sqlite3_column_text(statement, 1);
		digest = mix(mix(digest, &id, sizeof id), name, (size_t)sqlite3_column_bytes(statement, 1));
		const void *value = sqlite3_column_blob(statement, 2);
		digest = mix(digest, value, (size_t)sqlite3_column_bytes(statement, 2));
	}
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return digest;
}

static void compare(struct fixture *fixture, struct lockstep *lockstep, int round)
{
	uint64_t digest = 1;
	expect_ok(sr_database_read(fixture->database, digest_sealed, &digest));
	if (digest != digest_plain(lockstep->plain)) {
		fail_msg("contents differ after round %d", round);
	}
}

static void run_rounds(struct fixture *fixture, struct lockstep *lockstep)
{
	for (int round = 0; round < ROUNDS; round++) {
		lockstep->fails = next_random(lockstep) % 4 == 0;
		sqlite3_exec(lockstep->plain, "BEGIN", NULL, NULL, NULL);
		struct sr_result result = sr_database_write(fixture->database, one_round, lockstep);
		assert_int_equal(sr_result_code(result), lockstep->fails ? SR_PRECONDITION : SR_OK);
		sr_result_free(result);
		sqlite3_exec(lockstep->plain, lockstep->fails ? "ROLLBACK" : "COMMIT", NULL, NULL, NULL);
		compare(fixture, lockstep, round);
		if (round % 40 == 20) {
			expect_ok(sr_database_checkpoint(fixture->database));
		}
		if (round % 20 == 10) {
			fixture_close(fixture);
			struct sr_database_options options = fixture_options(fixture);
			options.cache_kib = 64; /* transactions spill */
			expect_ok(sr_database_open(&options, fixture->dek, &fixture->database));
			compare(fixture, lockstep, round);
		}
	}
	expect_ok(sr_database_verify(fixture->database, NULL, NULL));
}

static void a_sealed_and_a_plain_database_hold_the_same(void **state)
{
	struct lockstep lockstep = {.seed = sr_random_u64() | 1};
	print_message("seed %llu\n", (unsigned long long)lockstep.seed);
	assert_int_equal(sqlite3_open(":memory:", &lockstep.plain), SQLITE_OK);
	assert_int_equal(sqlite3_exec(lockstep.plain, fixture_schema, NULL, NULL, NULL), SQLITE_OK);
	run_rounds(*state, &lockstep);
	assert_int_equal(sqlite3_close(lockstep.plain), SQLITE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_sealed_and_a_plain_database_hold_the_same, fixture_make, fixture_end),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
