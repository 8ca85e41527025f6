/* The records of issuing CAs; X.509 itself is seal's. */
#include "vault/certificate_ca.h"

#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>

enum { CA_DAYS = 3650, RENEW_BEFORE_S = 730 * 86400, SEALED_MAX = 16384, NAME_MAX_LEN = 160 };

struct ca_record {
	const char *vault;
	char place[NAME_MAX_LEN]; /* what it is sealed to: "issuing-ca/VAULT" in small letters, since names ignore case */
	struct sr_buf sealed;
	bool is_there;
	bool is_old; /* there, and to be replaced */
};

static struct sr_result read_record(struct sr_connection *connection, void *context)
{
	struct ca_record *record = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT sealed FROM certificate_ca WHERE vault = ?1", &statement));
	sr_bind_text(statement, 1, record->vault);
	SR_TRY(sr_step(statement, &record->is_there));
	if (record->is_there) {
		sr_buf_reset(&record->sealed);
		sr_buf_append(&record->sealed, sr_column_blob(statement, 0));
	}
	return sr_buf_result(&record->sealed);
}

/* Another call may have been first: then its CA is the vault's. */
static struct sr_result write_record(struct sr_connection *connection, void *context)
{
	struct ca_record *record = context;
	{
		SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
		SR_TRY(sr_prepare(
		    connection,
		    "INSERT INTO certificate_ca(vault, sealed) VALUES(?1, ?2) ON CONFLICT(vault) DO UPDATE SET sealed = ?2 "
		    "WHERE ?3",
		    &statement));
		sr_bind_int(statement, 3, record->is_old);
		sr_bind_text(statement, 1, record->vault);
		sr_bind_blob(statement, 2, sr_buf_bytes(&record->sealed));
		SR_TRY(sr_run(statement));
	}
	return read_record(connection, record);
}

static struct sr_result make_ca(struct sr_vault_state *state, const char *vault, struct ca_record *record)
{
	char name[NAME_MAX_LEN];
	snprintf(name, sizeof name, "Strongroom CA of vault %.40s", vault);
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_TRY(sr_certificate_new_ca(name, CA_DAYS, &ca));
	sr_buf_reset(&record->sealed);
	SR_TRY(sr_certificate_seal(ca, state->records, sr_bytes_str(record->place), &record->sealed));
	return sr_database_write(state->database, write_record, record);
}

static struct sr_result open_sealed(struct sr_vault_state *state, const struct ca_record *record,
                                    struct sr_certificate **ret_ca)
{
	return sr_certificate_open(state->records, sr_bytes_str(record->place), sr_buf_bytes(&record->sealed), ret_ca);
}

/* A CA that ends soon is followed by a new one: no certificate outlives its CA. */
static struct sr_result open_record(struct sr_vault_state *state, const char *vault, struct ca_record *record,
                                    struct sr_certificate **ret_ca)
{
	SR_TRY(sr_database_read(state->database, read_record, record));
	if (record->is_there) {
		SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
		SR_TRY(open_sealed(state, record, &ca));
		record->is_old = sr_certificate_not_after(ca) - sr_unix_s() < RENEW_BEFORE_S;
		if (!record->is_old) {
			*ret_ca = SR_TAKE(ca);
			return sr_ok();
		}
	}
	SR_TRY(make_ca(state, vault, record));
	return open_sealed(state, record, ret_ca);
}

static void write_place(const char *vault, char place[static NAME_MAX_LEN])
{
	snprintf(place, NAME_MAX_LEN, "issuing-ca/%s", vault);
	for (char *c = place; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
}

struct sr_result sr_certificate_ca_check(struct sr_vault_state *state, const char *vault, struct sr_bytes sealed)
{
	char place[NAME_MAX_LEN];
	write_place(vault, place);
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	return sr_certificate_open(state->records, sr_bytes_str(place), sealed, &ca);
}

struct sr_result sr_certificate_ca_open(struct sr_vault_state *state, const char *vault, struct sr_certificate **ret_ca)
{
	struct ca_record record = {.vault = vault, .sealed = SR_BUF(SEALED_MAX)};
	write_place(vault, record.place);
	struct sr_result opened = open_record(state, vault, &record, ret_ca);
	sr_buf_free(&record.sealed);
	return opened;
}
