/* The one number by which followers of the directory see that it has changed. */
#include "identity/revision.h"

struct sr_result sr_revision_read(struct sr_connection *connection, int64_t *ret_revision)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT revision FROM installation", &select));
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail(SR_CORRUPT, "read the directory's revision: there is none");
	}
	*ret_revision = sr_column_int(select, 0);
	return sr_ok();
}

struct sr_result sr_revision_grow(struct sr_connection *connection)
{
	SR_CLEANUP(sr_statement) struct sr_statement *update = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE installation SET revision = revision + 1", &update));
	return sr_run(update);
}
