/* Rows of blobs and containers: what is put is found, counts and references stay true, names are free at once. */
#include "blob/sweep.h"
#include "fixture.h"

static struct sr_result open_work(struct sr_connection *connection, void *context)
{
	struct blob_work *work = context;
	return sr_blob_open(connection, work->fixture->arena, SR_LITERAL("cont"), work->name, &work->row, &work->piece);
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	struct blob_work *work = context;
	return sr_blob_delete(connection, work->fixture->volume, &work->row);
}

static void a_blob_that_was_put_is_found_with_its_bytes(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	put_blob(fixture, container, "name", "some bytes");
	put_blob(fixture, container, "empty", "");
	struct blob_work work = {.fixture = fixture, .name = SR_LITERAL("name")};
	in_read(fixture, open_work, &work);
	assert_int_equal(work.row.length, 10);
	assert_memory_equal(work.piece.bytes.data, "some bytes", 10);
	work.name = SR_LITERAL("empty");
	in_read(fixture, open_work, &work);
	assert_int_equal(work.row.length, 0);
	assert_int_equal(work.row.piece_number, 0);
	work.name = SR_LITERAL("absent");
	expect_reason(sr_database_read(fixture->volume->database, open_work, &work), SR_NOT_FOUND, "BlobNotFound");
}

static void a_missing_container_is_told_from_a_missing_blob(void **state)
{
	struct fixture *fixture = *state;
	struct blob_work work = {.fixture = fixture, .name = SR_LITERAL("x")};
	expect_reason(sr_database_read(fixture->volume->database, open_work, &work), SR_NOT_FOUND, "ContainerNotFound");
}

static void counts_follow_puts_overwrites_and_deletions(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	put_blob(fixture, container, "a", "12345");
	put_blob(fixture, container, "b", "123");
	struct blob_work a = put_blob(fixture, container, "a", "1");
	assert_int_equal(number_of(fixture, "SELECT objects FROM totals"), 2);
	assert_int_equal(number_of(fixture, "SELECT bytes FROM totals"), 4);
	assert_int_equal(number_of(fixture, "SELECT bytes FROM container"), 4);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM piece"), 2);
	in_write(fixture, delete_work, &a);
	assert_int_equal(number_of(fixture, "SELECT objects FROM totals"), 1);
	assert_int_equal(number_of(fixture, "SELECT objects FROM container"), 1);
	assert_int_equal(number_of(fixture, "SELECT bytes FROM totals"), 3);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM piece"), 1);
}

static void every_put_has_an_etag_of_its_own_even_after_reopening(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	uint64_t last = 0;
	for (int i = 0; i < 20; i++) {
		struct blob_work work = put_blob(fixture, container, "a", "x");
		assert_true(work.row.etag > last);
		last = work.row.etag;
		if (i == 10) {
			sr_volume_close(fixture->volume);
			fixture_open(fixture);
			assert_int_equal(fixture->volume->etag, last);
		}
	}
}

static struct sr_result delete_container_work(struct sr_connection *connection, void *context)
{
	struct fixture *fixture = context;
	struct sr_container_row row;
	SR_TRY(sr_container_find(connection, fixture->arena, SR_LITERAL("cont"), &row));
	return sr_container_delete(connection, &row);
}

static void sweep_all(struct fixture *fixture)
{
	bool is_done = false;
	while (!is_done) {
		expect_ok(sr_sweep_round(fixture->volume, 0, &is_done));
	}
}

static const char *numbered_name(size_t index, void *context)
{
	return sr_arena_printf(((struct fixture *)context)->arena, "b%zu", index);
}

static void a_deleted_containers_name_is_free_at_once_and_its_blobs_are_swept(void **state)
{
	struct fixture *fixture = *state;
	int64_t old = make_container(fixture, "cont");
	struct many many = {fixture, old, 1200, numbered_name, fixture};
	in_write(fixture, put_many_work, &many);
	in_write(fixture, delete_container_work, fixture);
	assert_int_equal(number_of(fixture, "SELECT objects + bytes FROM totals"), 0);
	int64_t fresh = make_container(fixture, "cont");
	assert_true(fresh > old);
	put_blob(fixture, fresh, "b1", "new");
	sweep_all(fixture);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM blob"), 1);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM piece"), 1);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM garbage"), 0);
	assert_int_equal(number_of(fixture, "SELECT objects FROM totals"), 1);
}

static void a_container_is_made_once(void **state)
{
	struct fixture *fixture = *state;
	make_container(fixture, "cont");
	struct making making = {.fixture = fixture, .row.name = SR_LITERAL("cont")};
	expect_reason(sr_database_write(fixture->volume->database, make_container_work, &making), SR_EXISTS,
	              "ContainerAlreadyExists");
}

static struct sr_result change_work(struct sr_connection *connection, void *context)
{
	struct blob_work *work = context;
	SR_TRY(open_work(connection, context));
	work->row.headers.content_type = "text/plain";
	work->row.headers.content_md5 = SR_LITERAL("0123456789abcdef");
	work->row.metadata = SR_LITERAL("packed");
	work->row.tier = SR_BLOB_TIER_COOL;
	work->row.tier_changed = 77;
	return sr_blob_update(connection, work->fixture->volume, &work->row, true);
}

static void a_change_of_properties_keeps_the_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct blob_work put = put_blob(fixture, make_container(fixture, "cont"), "a", "bytes");
	struct blob_work work = {.fixture = fixture, .name = SR_LITERAL("a")};
	in_write(fixture, change_work, &work);
	assert_true(work.row.etag > put.row.etag);
	in_read(fixture, open_work, &work);
	assert_string_equal(work.row.headers.content_type, "text/plain");
	assert_null(work.row.headers.cache_control);
	assert_int_equal(work.row.headers.content_md5.len, 16);
	assert_memory_equal(work.row.metadata.data, "packed", 6);
	assert_int_equal(work.row.tier, SR_BLOB_TIER_COOL);
	assert_int_equal(work.row.tier_changed, 77);
	assert_memory_equal(work.piece.bytes.data, "bytes", 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_blob_that_was_put_is_found_with_its_bytes),
	    TEST(a_missing_container_is_told_from_a_missing_blob),
	    TEST(counts_follow_puts_overwrites_and_deletions),
	    TEST(every_put_has_an_etag_of_its_own_even_after_reopening),
	    TEST(a_deleted_containers_name_is_free_at_once_and_its_blobs_are_swept),
	    TEST(a_container_is_made_once),
	    TEST(a_change_of_properties_keeps_the_bytes),
	};
	return cmocka_run_group_tests(tests, group_set_up, NULL);
}
