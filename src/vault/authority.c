/* The internal CA: its record in the database and what it puts into certificates. X.509 itself is seal's. */
#include "vault/authority.h"

#include "base/memory.h"
#include "vault/system_vault.h"

enum { CA_DAYS = 3650, SERVICE_DAYS = 90, CERTIFICATE_MAX = 16384 };
#define CA_RECORD "ca"

struct sr_authority {
	struct sr_vault_state *state;
	const char *const *dns_names, *const *addresses;
	struct sr_certificate *ca;
};

struct ca_record {
	struct sr_buf sealed;
	bool is_there;
};

static struct sr_result read_record(struct sr_connection *connection, void *context)
{
	struct ca_record *record = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT sealed FROM record WHERE name = ?1", &statement));
	sr_bind_text(statement, 1, CA_RECORD);
	SR_TRY(sr_step(statement, &record->is_there));
	if (record->is_there) {
		sr_buf_append(&record->sealed, sr_column_blob(statement, 0));
	}
	return sr_buf_result(&record->sealed);
}

static struct sr_result write_record(struct sr_connection *connection, void *context)
{
	struct ca_record *record = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO record(name, sealed) VALUES(?1, ?2)", &statement));
	sr_bind_text(statement, 1, CA_RECORD);
	sr_bind_blob(statement, 2, sr_buf_bytes(&record->sealed));
	return sr_run(statement);
}

static struct sr_result create_ca(struct sr_vault_state *state, struct ca_record *record,
                                  struct sr_certificate **ret_ca)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_TRY(sr_certificate_new_ca("Strongroom internal CA", CA_DAYS, &ca));
	SR_TRY(sr_certificate_seal(ca, state->records, SR_LITERAL(CA_RECORD), &record->sealed));
	SR_TRY(sr_database_write(state->database, write_record, record));
	*ret_ca = SR_TAKE(ca);
	return sr_ok();
}

/* SR_NOT_FOUND where none was made yet. */
static struct sr_result open_ca(struct sr_vault_state *state, struct ca_record *record, struct sr_certificate **ret_ca)
{
	SR_TRY(sr_database_read(state->database, read_record, record));
	if (!record->is_there) {
		return sr_fail(SR_NOT_FOUND, "the vault has no internal CA");
	}
	return sr_certificate_open(state->records, SR_LITERAL(CA_RECORD), sr_buf_bytes(&record->sealed), ret_ca);
}

struct sr_result sr_authority_check(struct sr_vault_state *state)
{
	struct ca_record record = {.sealed = SR_BUF(CERTIFICATE_MAX)};
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	struct sr_result result = open_ca(state, &record, &ca);
	sr_buf_free(&record.sealed);
	return result;
}

struct sr_result sr_authority_open(struct sr_vault_state *state, const char *const *dns_names,
                                   const char *const *addresses, struct sr_authority **ret_authority)
{
	struct ca_record record = {.sealed = SR_BUF(CERTIFICATE_MAX)};
	struct sr_certificate *ca;
	struct sr_result result = open_ca(state, &record, &ca);
	if (sr_result_code(result) == SR_NOT_FOUND) {
		sr_ignore(result);
		result = create_ca(state, &record, &ca);
	}
	sr_buf_free(&record.sealed);
	SR_TRY(result);
	struct sr_authority *authority = sr_alloc(sizeof *authority);
	*authority = (struct sr_authority){.state = state, .dns_names = dns_names, .addresses = addresses, .ca = ca};
	*ret_authority = authority;
	return sr_ok();
}

void sr_authority_free(struct sr_authority *authority)
{
	if (authority) {
		sr_certificate_free(authority->ca);
		sr_free(authority);
	}
}

struct sr_certificate *sr_authority_certificate(const struct sr_authority *authority)
{
	return authority->ca;
}

struct sr_result sr_authority_sign(void *context, const char *service, struct sr_bytes request_der,
                                   struct sr_buf *certificate_der)
{
	struct sr_authority *authority = context;
	const struct sr_certificate_profile profile = {
	    .common_name = service,
	    .service = service,
	    .dns_names = authority->dns_names,
	    .addresses = authority->addresses,
	    .days = SERVICE_DAYS,
	};
	SR_TRY(sr_certificate_sign(authority->ca, request_der, &profile, certificate_der));
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(CERTIFICATE_MAX);
	SR_TRY(sr_certificate_der(authority->ca, &ca_der));
	return sr_system_certificate_signed(authority->state, service, sr_buf_bytes(certificate_der),
	                                    sr_buf_bytes(&ca_der));
}

/* Keeps the request until its certificate is joined to it. */
static void request_cleanup(struct sr_certificate_request **request)
{
	sr_certificate_request_free(*request);
}

struct sr_result sr_authority_issue(struct sr_authority *authority, const char *service,
                                    struct sr_certificate **ret_certificate)
{
	SR_CLEANUP(request) struct sr_certificate_request *request = NULL;
	SR_TRY(sr_certificate_request_new(service, &request));
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(CERTIFICATE_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(CERTIFICATE_MAX);
	SR_TRY(sr_authority_sign(authority, service, sr_certificate_request_der(request), &der));
	SR_TRY(sr_certificate_der(authority->ca, &ca_der));
	return sr_certificate_join(request, sr_buf_bytes(&der), sr_buf_bytes(&ca_der), ret_certificate);
}
