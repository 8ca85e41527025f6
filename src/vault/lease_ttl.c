/* The record "lease-ttl": four bytes, milliseconds, big-endian. A crash leaves the longer value, which only costs time.
 */
#include "vault/lease_ttl.h"

#define TTL_RECORD "lease-ttl"

static struct sr_result write_record(struct sr_connection *connection, uint32_t ttl_ms)
{
	uint8_t bytes[4];
	sr_store_u32(bytes, ttl_ms);
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT OR REPLACE INTO record(name, sealed) VALUES(?1, ?2)", &statement));
	sr_bind_text(statement, 1, TTL_RECORD);
	sr_bind_blob(statement, 2, sr_bytes_of(bytes, sizeof bytes));
	return sr_run(statement);
}

static struct sr_result read_record(struct sr_connection *connection, uint32_t *ret_ttl_ms)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT sealed FROM record WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, TTL_RECORD);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_ttl_ms = 0;
	if (!is_row) {
		return sr_ok();
	}
	struct sr_reader reader = sr_reader_of(sr_column_blob(statement, 0));
	*ret_ttl_ms = sr_reader_u32(&reader);
	return sr_reader_finish(&reader, "the record of the lease's length");
}

static struct sr_result begin_work(struct sr_connection *connection, void *context)
{
	uint32_t *ttl_ms = context, kept_ms;
	SR_TRY(read_record(connection, &kept_ms));
	if (kept_ms >= *ttl_ms) {
		*ttl_ms = kept_ms;
		return sr_ok();
	}
	return write_record(connection, *ttl_ms);
}

struct sr_result sr_lease_ttl_begin(struct sr_vault_state *state, uint32_t ttl_ms, uint32_t *ret_longest_ms)
{
	SR_TRY(sr_database_write(state->database, begin_work, &ttl_ms));
	*ret_longest_ms = ttl_ms;
	return sr_ok();
}

static struct sr_result settle_work(struct sr_connection *connection, void *context)
{
	const uint32_t *ttl_ms = context;
	return write_record(connection, *ttl_ms);
}

struct sr_result sr_lease_ttl_settle(struct sr_vault_state *state, uint32_t ttl_ms)
{
	return sr_database_write(state->database, settle_work, &ttl_ms);
}
