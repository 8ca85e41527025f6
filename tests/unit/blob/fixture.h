/* A volume in a folder of its own under a fresh key, and shorthands for transactions on it. */
#ifndef SR_TESTS_BLOB_FIXTURE_H
#define SR_TESTS_BLOB_FIXTURE_H

#include "blob/blob_store.h"
#include "blob/container_store.h"
#include "blob/folder.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
	char folder[256];
	struct sr_id id;
	struct sr_secret *dek;
	struct sr_volume_figures figures;
	struct sr_volume *volume;
	struct sr_arena *arena;
};

static inline void fixture_open(struct fixture *fixture)
{
	expect_ok(sr_volume_open(fixture->folder, &fixture->id, fixture->dek, 1, 0, &fixture->figures, &fixture->volume));
}

static inline int fixture_set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	const char *tmp = getenv("TMPDIR");
	snprintf(fixture->folder, sizeof fixture->folder, "%s/sr-blob-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(fixture->folder));
	fixture->id = sr_id_random();
	fixture->arena = sr_arena_new();
	expect_ok(sr_secret_random(SR_KEY_LEN, &fixture->dek));
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static inline int fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;
	sr_volume_close(fixture->volume);
	expect_ok(sr_blob_folder_remove(fixture->folder));
	sr_secret_free(fixture->dek);
	sr_arena_free(fixture->arena);
	free(fixture);
	return 0;
}

static inline int group_set_up(void **state)
{
	(void)state;
	return sr_is_ok(sr_seal_init()) ? 0 : -1;
}

static inline void in_write(struct fixture *fixture, sr_database_work work, void *context)
{
	expect_ok(sr_database_write(fixture->volume->database, work, context));
}

static inline void in_read(struct fixture *fixture, sr_database_work work, void *context)
{
	expect_ok(sr_database_read(fixture->volume->database, work, context));
}

struct making {
	struct fixture *fixture;
	struct sr_container_row row;
};

static inline struct sr_result make_container_work(struct sr_connection *connection, void *context)
{
	struct making *making = context;
	SR_TRY(sr_container_insert(connection, making->fixture->volume, &making->row));
	return sr_container_number(connection, making->row.name, &making->row.number);
}

static inline int64_t make_container(struct fixture *fixture, const char *name)
{
	struct making making = {.fixture = fixture, .row.name = sr_bytes_str(name)};
	in_write(fixture, make_container_work, &making);
	return making.row.number;
}

/* One blob to be put, found or deleted. */
struct blob_work {
	struct fixture *fixture;
	int64_t container;
	struct sr_bytes name;
	struct sr_bytes bytes;
	bool exists;
	struct sr_blob_row row;
	struct sr_piece piece;
};

static inline struct sr_result put_blob_work(struct sr_connection *connection, void *context)
{
	struct blob_work *work = context;
	struct sr_blob_row old;
	bool exists = false;
	SR_TRY(sr_blob_find(connection, work->fixture->arena, work->container, work->name, &exists, &old));
	work->row = (struct sr_blob_row){.container = work->container,
	                                 .name = work->name,
	                                 .kind = SR_BLOB_KIND_BLOCK,
	                                 .length = work->bytes.len,
	                                 .tier = SR_BLOB_TIER_HOT};
	if (work->bytes.len) {
		work->piece = (struct sr_piece){.length = work->bytes.len, .bytes = work->bytes};
		SR_TRY(sr_piece_insert(connection, &work->piece));
		work->row.piece_number = work->piece.number;
	}
	return sr_blob_put(connection, work->fixture->volume, &work->row, exists ? &old : NULL);
}

static inline struct blob_work put_blob(struct fixture *fixture, int64_t container, const char *name, const char *text)
{
	struct blob_work work = {
	    .fixture = fixture, .container = container, .name = sr_bytes_str(name), .bytes = sr_bytes_str(text)};
	in_write(fixture, put_blob_work, &work);
	return work;
}

/* Many blobs in one transaction: each commit is a sync of the disk. */
struct many {
	struct fixture *fixture;
	int64_t container;
	size_t count;
	const char *(*name_of)(size_t index, void *context);
	void *context;
};

static inline struct sr_result put_many_work(struct sr_connection *connection, void *context)
{
	const struct many *many = context;
	for (size_t i = 0; i < many->count; i++) {
		struct blob_work work = {.fixture = many->fixture,
		                         .container = many->container,
		                         .name = sr_bytes_str(many->name_of(i, many->context)),
		                         .bytes = SR_LITERAL("x")};
		SR_TRY(put_blob_work(connection, &work));
	}
	return sr_ok();
}

struct counting {
	const char *sql;
	int64_t value;
};

static inline struct sr_result count_work(struct sr_connection *connection, void *context)
{
	struct counting *counting = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, counting->sql, &statement));
	bool is_row = false;
	SR_TRY(sr_step(statement, &is_row));
	counting->value = sr_column_int(statement, 0);
	return sr_ok();
}

/* The one number that a query of the test's gives; `sql` must be a literal. */
static inline int64_t number_of(struct fixture *fixture, const char *sql)
{
	struct counting counting = {sql, -1};
	in_read(fixture, count_work, &counting);
	return counting.value;
}

#endif
