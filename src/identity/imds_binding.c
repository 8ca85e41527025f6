/* Rows of bindings, and of what bindings and headers hold. */
#include "identity/identity_holder.h"

#include "identity/revoked.h"

#include <string.h>

static struct sr_result check(const char *address, int64_t uid, char ret_address[static SR_IP_TEXT_LEN])
{
	enum sr_reach reach;
	SR_TRY(sr_address_read(address, ret_address, &reach));
	if (uid < SR_ANY_UID || uid >= UINT32_MAX) {
		return sr_fail(SR_INVALID, "'%lld' is no user id", (long long)uid);
	}
	if (reach == SR_REACH_LOOPBACK && uid == SR_ANY_UID) {
		return sr_fail(SR_INVALID, "%s is every process of this machine: say whose processes are meant by a user id",
		               ret_address);
	}
	if (reach == SR_REACH_FAR && uid != SR_ANY_UID) {
		return sr_fail(SR_INVALID, "a user id counts on this machine only: the users at %s cannot be told apart",
		               ret_address);
	}
	return sr_ok();
}

static struct sr_result copy_text(struct sr_statement *statement, int column, char *to, size_t room)
{
	struct sr_bytes text = sr_column_text(statement, column);
	if (text.len >= room) {
		return sr_fail(SR_CORRUPT, "read a binding's row: a column is too long");
	}
	memcpy(to, text.data, text.len);
	to[text.len] = 0;
	return sr_ok();
}

/* From the columns binding_id, address, uid, created_s. */
static struct sr_result read_row(struct sr_statement *statement, struct sr_imds_binding *ret_binding)
{
	SR_TRY(copy_text(statement, 0, ret_binding->id, sizeof ret_binding->id));
	SR_TRY(copy_text(statement, 1, ret_binding->address, sizeof ret_binding->address));
	ret_binding->uid = sr_column_int(statement, 2);
	ret_binding->created_s = sr_column_int(statement, 3);
	return sr_ok();
}

struct sr_result sr_imds_binding_find(struct sr_connection *connection, const char *address, int64_t uid,
                                      struct sr_imds_binding *ret_binding)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT binding_id, address, uid, created_s FROM imds_binding WHERE address = ?1 AND uid = ?2",
	                  &select));
	sr_bind_text(select, 1, address);
	sr_bind_int(select, 2, uid);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	return has_row ? read_row(select, ret_binding) : sr_fail(SR_NOT_FOUND, "nothing is bound to %.64s", address);
}

struct sr_result sr_imds_binding_make(struct sr_connection *connection, const char *address, int64_t uid, int64_t now_s,
                                      struct sr_imds_binding *ret_binding)
{
	char kept[SR_IP_TEXT_LEN];
	SR_TRY(check(address, uid, kept));
	struct sr_id id = sr_id_random();
	char id_text[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, id_text);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO imds_binding (binding_id, address, uid, created_s) VALUES (?1, ?2, ?3, ?4)"
	                  " ON CONFLICT DO NOTHING",
	                  &insert));
	sr_bind_text(insert, 1, id_text);
	sr_bind_text(insert, 2, kept);
	sr_bind_int(insert, 3, uid);
	sr_bind_int(insert, 4, now_s);
	SR_TRY(sr_run(insert));
	return sr_imds_binding_find(connection, kept, uid, ret_binding);
}

static struct sr_result run_for(struct sr_connection *connection, const char *sql, const char *id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, sql, &statement));
	sr_bind_text(statement, 1, id);
	return sr_run(statement);
}

struct sr_result sr_imds_binding_remove(struct sr_connection *connection, const char *id, int64_t now_s)
{
	SR_TRY(run_for(connection, "DELETE FROM held_identity WHERE holder = lower(?1)", id));
	SR_TRY(run_for(connection, "DELETE FROM imds_binding WHERE binding_id = lower(?1)", id));
	return sr_changes(connection) ? sr_revoke(connection, id, now_s)
	                              : sr_fail(SR_NOT_FOUND, "there is no binding '%.64s'", id);
}

struct sr_result sr_imds_binding_each(struct sr_connection *connection,
                                      struct sr_result (*each)(const struct sr_imds_binding *binding, void *context),
                                      void *context)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT binding_id, address, uid, created_s FROM imds_binding ORDER BY address, uid",
	                  &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			return sr_ok();
		}
		struct sr_imds_binding binding;
		SR_TRY(read_row(select, &binding));
		SR_TRY(each(&binding, context));
	}
}

static struct sr_result count_held(struct sr_connection *connection, const char *holder, int64_t *ret_count)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM held_identity WHERE holder = ?1", &select));
	sr_bind_text(select, 1, holder);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	*ret_count = sr_column_int(select, 0);
	return sr_ok();
}

struct sr_result sr_holder_give(struct sr_connection *connection, const char *holder, const char *object_id)
{
	int64_t count;
	SR_TRY(count_held(connection, holder, &count));
	if (count >= SR_HELD_IDENTITIES_MAX) {
		return sr_fail(SR_TOO_LARGE, "at most %d identities can be used at once", SR_HELD_IDENTITIES_MAX);
	}
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO held_identity (holder, identity) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	                  &insert));
	sr_bind_text(insert, 1, holder);
	sr_bind_text(insert, 2, object_id);
	return sr_run(insert);
}

struct sr_result sr_holder_take_back(struct sr_connection *connection, const char *holder, const char *object_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM held_identity WHERE holder = ?1 AND identity = ?2", &remove));
	sr_bind_text(remove, 1, holder);
	sr_bind_text(remove, 2, object_id);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : sr_fail(SR_NOT_FOUND, "the identity is not bound there");
}
