/* Blocks: staging, committing from either source, discarding, and what sweeping leaves. */
#include "blob/block_store.h"

#include "blob/sweep.h"
#include "fixture.h"

struct staging {
	struct fixture *fixture;
	int64_t container;
	const char *name, *id;
	struct sr_bytes bytes;
	bool is_extent;
	struct sr_id extent;
};

static void write_extent(struct fixture *fixture, struct sr_bytes bytes, struct sr_id *ret_id)
{
	SR_CLEANUP(sr_extent_writer) struct sr_extent_writer *writer = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	uint64_t len;
	expect_ok(sr_extent_writer_new(fixture->volume->extents, ret_id, &dek, &writer));
	expect_ok(sr_extent_writer_write(writer, bytes));
	expect_ok(sr_extent_writer_commit(writer, &len));
	assert_int_equal(len, bytes.len);
}

static struct sr_result stage_work(struct sr_connection *connection, void *context)
{
	const struct staging *staging = context;
	struct sr_piece piece = {.length = staging->bytes.len,
	                         .bytes = staging->bytes,
	                         .is_extent = staging->is_extent,
	                         .extent = staging->extent,
	                         .kek_epoch = 1};
	SR_TRY(sr_piece_insert(connection, &piece));
	return sr_block_stage(connection, staging->container, sr_bytes_str(staging->name), sr_bytes_str(staging->id),
	                      &piece);
}

static struct sr_result stage(struct fixture *fixture, int64_t container, const char *id, const char *text)
{
	struct staging staging = {
	    .fixture = fixture, .container = container, .name = "b", .id = id, .bytes = sr_bytes_str(text)};
	return sr_database_write(fixture->volume->database, stage_work, &staging);
}

static void stage_extent(struct fixture *fixture, int64_t container, const char *id, const char *text)
{
	struct staging staging = {.fixture = fixture,
	                          .container = container,
	                          .name = "b",
	                          .id = id,
	                          .bytes = sr_bytes_str(text),
	                          .is_extent = true};
	write_extent(fixture, staging.bytes, &staging.extent);
	in_write(fixture, stage_work, &staging);
}

struct committing {
	struct fixture *fixture;
	int64_t container;
	const struct sr_block_wanted *wanted;
	size_t count;
	struct sr_blob_row row;
};

static struct sr_result commit_work(struct sr_connection *connection, void *context)
{
	struct committing *commit = context;
	struct sr_blob_row old = {0};
	bool exists = false;
	int64_t draft = 0;
	commit->row = (struct sr_blob_row){
	    .container = commit->container, .name = SR_LITERAL("b"), .kind = SR_BLOB_KIND_BLOCK, .tier = SR_BLOB_TIER_HOT};
	SR_TRY(sr_blob_find(connection, commit->fixture->arena, commit->container, commit->row.name, &exists, &old));
	SR_TRY(sr_draft_find(connection, commit->container, commit->row.name, &draft));
	SR_TRY(sr_block_list_make(connection, draft, old.list, commit->wanted, commit->count, &commit->row.list,
	                          &commit->row.length));
	return sr_blob_put(connection, commit->fixture->volume, &commit->row, exists ? &old : NULL);
}

static struct sr_result commit(struct fixture *fixture, int64_t container, const struct sr_block_wanted *wanted,
                               size_t count, struct sr_blob_row *ret_row)
{
	struct committing committing = {.fixture = fixture, .container = container, .wanted = wanted, .count = count};
	struct sr_result result = sr_database_write(fixture->volume->database, commit_work, &committing);
	*ret_row = committing.row;
	return result;
}

struct reading {
	struct fixture *fixture;
	int64_t list;
	uint64_t offset;
	struct sr_segment segments[4];
	size_t count;
};

static struct sr_result read_work(struct sr_connection *connection, void *context)
{
	struct reading *reading = context;
	return sr_segments_read(connection, reading->fixture->arena, reading->list, reading->offset, 4, reading->segments,
	                        &reading->count);
}

/* The list's bytes from `offset` on, as far as four segments go. */
static const char *text_of(struct fixture *fixture, int64_t list, uint64_t offset)
{
	struct reading reading = {.fixture = fixture, .list = list, .offset = offset};
	in_read(fixture, read_work, &reading);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1000);
	for (size_t i = 0; i < reading.count; i++) {
		sr_buf_append(&text, reading.segments[i].piece.bytes);
	}
	return sr_arena_strdup(fixture->arena, sr_buf_text(&text));
}

static struct sr_block_wanted from(enum sr_block_source source, const char *id)
{
	return (struct sr_block_wanted){source, sr_bytes_str(id)};
}

static void sweep_all(struct fixture *fixture)
{
	bool is_done = false;
	while (!is_done) {
		expect_ok(sr_sweep_round(fixture->volume, 0, &is_done));
	}
}

static void blocks_are_committed_in_the_order_of_the_list(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	expect_ok(stage(fixture, container, "AAAA", "one"));
	expect_ok(stage(fixture, container, "BBBB", "two!"));
	const struct sr_block_wanted wanted[] = {from(SR_BLOCK_LATEST, "BBBB"), from(SR_BLOCK_UNCOMMITTED, "AAAA"),
	                                         from(SR_BLOCK_LATEST, "BBBB")};
	struct sr_blob_row row;
	expect_ok(commit(fixture, container, wanted, 3, &row));
	assert_int_equal(row.length, 11);
	assert_string_equal(text_of(fixture, row.list, 0), "two!onetwo!");
	assert_string_equal(text_of(fixture, row.list, 4), "onetwo!");
	assert_string_equal(text_of(fixture, row.list, 6), "onetwo!");
	assert_string_equal(text_of(fixture, row.list, 7), "two!");
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM draft"), 0);
	sweep_all(fixture);
	assert_int_equal(number_of(fixture, "SELECT sum(reference_count) FROM piece"), 3);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM block"), 0);
	assert_string_equal(text_of(fixture, row.list, 0), "two!onetwo!");
}

static void sources_are_kept_apart(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	expect_ok(stage(fixture, container, "AAAA", "old"));
	const struct sr_block_wanted first[] = {from(SR_BLOCK_UNCOMMITTED, "AAAA")};
	struct sr_blob_row row;
	expect_ok(commit(fixture, container, first, 1, &row));
	expect_ok(stage(fixture, container, "AAAA", "new"));
	const struct sr_block_wanted both[] = {from(SR_BLOCK_COMMITTED, "AAAA"), from(SR_BLOCK_UNCOMMITTED, "AAAA"),
	                                       from(SR_BLOCK_LATEST, "AAAA")};
	expect_ok(commit(fixture, container, both, 3, &row));
	sweep_all(fixture);
	assert_string_equal(text_of(fixture, row.list, 0), "oldnewnew");
	const struct sr_block_wanted gone[] = {from(SR_BLOCK_UNCOMMITTED, "AAAA")};
	expect_reason(commit(fixture, container, gone, 1, &row), SR_INVALID, "InvalidBlockList");
	const struct sr_block_wanted unknown[] = {from(SR_BLOCK_LATEST, "ZZZZ")};
	expect_reason(commit(fixture, container, unknown, 1, &row), SR_INVALID, "InvalidBlockList");
}

static void a_refused_list_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	expect_ok(stage(fixture, container, "AAAA", "one"));
	const struct sr_block_wanted wanted[] = {from(SR_BLOCK_LATEST, "AAAA"), from(SR_BLOCK_LATEST, "BBBB")};
	struct sr_blob_row row;
	expect_reason(commit(fixture, container, wanted, 2, &row), SR_INVALID, "InvalidBlockList");
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM segment"), 0);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM blob"), 0);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM block"), 1);
	assert_int_equal(number_of(fixture, "SELECT sum(reference_count) FROM piece"), 1);
}

static void ids_of_a_draft_have_one_length_and_a_repeated_one_replaces(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	expect_ok(stage(fixture, container, "AAAA", "one"));
	expect_reason(stage(fixture, container, "AAAAAAAA", "two"), SR_INVALID, "InvalidBlobOrBlock");
	expect_ok(stage(fixture, container, "AAAA", "other"));
	assert_int_equal(number_of(fixture, "SELECT block_count FROM draft"), 1);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM piece"), 1);
}

static void an_empty_list_makes_an_empty_blob(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	expect_ok(stage(fixture, container, "AAAA", "one"));
	struct sr_blob_row row;
	expect_ok(commit(fixture, container, NULL, 0, &row));
	assert_int_equal(row.length, 0);
	assert_int_equal(row.list, 0);
	sweep_all(fixture);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM piece"), 0);
}

struct files {
	size_t count;
};

static struct sr_result count_file(const struct sr_id *id, int64_t modified_s, void *context)
{
	(void)id;
	(void)modified_s;
	((struct files *)context)->count++;
	return sr_ok();
}

static size_t files_of(struct fixture *fixture)
{
	struct files files = {0};
	expect_ok(sr_extent_each(fixture->volume->extents, count_file, &files));
	return files.count;
}

static void extents_go_when_nothing_refers_to_them_and_no_reader_is_left(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	stage_extent(fixture, container, "AAAA", "one");
	stage_extent(fixture, container, "BBBB", "two");
	const struct sr_block_wanted wanted[] = {from(SR_BLOCK_LATEST, "AAAA")};
	struct sr_blob_row row;
	expect_ok(commit(fixture, container, wanted, 1, &row));
	sweep_all(fixture);
	assert_int_equal(files_of(fixture), 1);
	unsigned phase = sr_volume_reader_begin(fixture->volume);
	put_blob(fixture, container, "b", "overwritten");
	bool is_done = false;
	for (int i = 0; i < 3; i++) {
		expect_ok(sr_sweep_round(fixture->volume, 0, &is_done));
	}
	assert_int_equal(files_of(fixture), 1);
	sr_volume_reader_end(fixture->volume, phase);
	sweep_all(fixture);
	assert_int_equal(files_of(fixture), 0);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM piece"), 1);
}

static void orphans_are_removed_and_uploads_are_let_be(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	stage_extent(fixture, container, "AAAA", "named");
	struct sr_id orphan;
	write_extent(fixture, SR_LITERAL("orphan"), &orphan);
	struct sr_volume_upload upload;
	write_extent(fixture, SR_LITERAL("on its way"), &upload.extent);
	sr_volume_upload_begin(fixture->volume, &upload);
	expect_ok(sr_sweep_orphans(fixture->volume));
	assert_int_equal(files_of(fixture), 2);
	sr_volume_upload_end(fixture->volume, &upload);
	expect_ok(sr_sweep_orphans(fixture->volume));
	assert_int_equal(files_of(fixture), 1);
}

static void drafts_that_are_too_old_are_thrown_away(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	expect_ok(stage(fixture, container, "AAAA", "one"));
	sweep_all(fixture);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM block"), 1);
	bool is_done = false;
	while (!is_done) {
		expect_ok(sr_sweep_round(fixture->volume, INT64_MAX, &is_done));
	}
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM draft"), 0);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM block"), 0);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM piece"), 0);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM list"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(blocks_are_committed_in_the_order_of_the_list),
	    TEST(sources_are_kept_apart),
	    TEST(a_refused_list_changes_nothing),
	    TEST(ids_of_a_draft_have_one_length_and_a_repeated_one_replaces),
	    TEST(an_empty_list_makes_an_empty_blob),
	    TEST(extents_go_when_nothing_refers_to_them_and_no_reader_is_left),
	    TEST(orphans_are_removed_and_uploads_are_let_be),
	    TEST(drafts_that_are_too_old_are_thrown_away),
	};
	return cmocka_run_group_tests(tests, group_set_up, NULL);
}
