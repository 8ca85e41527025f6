/* What lies in an account, and under which KEK epoch. */
#include "blob/census.h"

static struct sr_result read_one_row(struct sr_connection *connection, const char *sql, int64_t *first, int64_t *second)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	bool is_row = false;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail(SR_CORRUPT, "account database has no totals");
	}
	*first = sr_column_int(statement, 0);
	*second = sr_column_int(statement, 1);
	return sr_ok();
}

static struct sr_result read_totals(struct sr_connection *connection, void *context)
{
	struct sr_volume_figures *figures = context;
	int64_t objects = 0;
	int64_t bytes = 0;
	SR_TRY(read_one_row(connection, "SELECT objects, bytes FROM totals", &objects, &bytes));
	atomic_store(&figures->objects, objects);
	atomic_store(&figures->bytes, bytes);
	return sr_ok();
}

struct sr_result sr_blob_refresh_figures(struct sr_blob_accounts *accounts, struct sr_blob_account *account)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_volume *volume = NULL;
	SR_TRY(sr_blob_account_enter(accounts, account, NULL, NULL, &use, &volume));
	return sr_database_read(volume->database, read_totals, &account->figures);
}

struct census {
	uint32_t database_kek_epoch;
	json_t *json;
};

/*
 * Contents in rows are under the database's epoch, as are blobs without content; contents in extents under their own,
 * the oldest where a blob has several.
 */
static struct sr_result count_epochs(struct sr_connection *connection, const struct census *census, json_t *epochs)
{
	SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "SELECT epoch, count(*), sum(length) FROM (SELECT blob.length AS length, coalesce("
	               "(SELECT kek_epoch FROM piece WHERE number = blob.piece), (SELECT min(piece.kek_epoch) FROM segment"
	               " JOIN piece ON piece.number = segment.piece WHERE segment.list = blob.list), ?1) AS epoch"
	               " FROM container JOIN blob ON blob.container = container.number) GROUP BY epoch ORDER BY epoch",
	               &rows));
	sr_bind_int(rows, 1, census->database_kek_epoch);
	for (;;) {
		bool is_row = false;
		SR_TRY(sr_step(rows, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		json_t *epoch = json_object();
		sr_json_set_int(epoch, "kek_epoch", sr_column_int(rows, 0));
		sr_json_set_int(epoch, "objects", sr_column_int(rows, 1));
		sr_json_set_int(epoch, "bytes", sr_column_int(rows, 2));
		json_array_append_new(epochs, epoch);
	}
}

static struct sr_result count(struct sr_connection *connection, void *context)
{
	struct census *census = context;
	int64_t objects = 0;
	int64_t bytes = 0;
	int64_t containers = 0;
	int64_t unused = 0;
	SR_TRY(read_one_row(connection, "SELECT objects, bytes FROM totals", &objects, &bytes));
	SR_TRY(read_one_row(connection, "SELECT count(*), 0 FROM container", &containers, &unused));
	SR_CLEANUP(sr_json) json_t *epochs = json_array();
	SR_TRY(count_epochs(connection, census, epochs));
	census->json = json_object();
	sr_json_set_int(census->json, "containers", containers);
	sr_json_set_int(census->json, "objects", objects);
	sr_json_set_int(census->json, "bytes", bytes);
	sr_json_set(census->json, "by_kek_epoch", json_incref(epochs));
	return sr_ok();
}

struct sr_result sr_blob_census(struct sr_blob_accounts *accounts, struct sr_blob_account *account, json_t **ret_census)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_volume *volume = NULL;
	SR_TRY(sr_blob_account_enter(accounts, account, NULL, NULL, &use, &volume));
	struct census census = {.database_kek_epoch = volume->database_kek_epoch};
	SR_TRY(sr_database_read(volume->database, count, &census));
	*ret_census = census.json;
	return sr_ok();
}
