/* SQL on the table `hardware_object`, and the order of its writes with the token's. */
#include "vault/hardware.h"

#include "base/log.h"
#include "base/random.h"
#include "vault/service.h"

#include <string.h>

enum { MAKING = 0, IN_USE = 1, DOOMED = 2, SWEEP_MAX = 64 };

struct sr_result sr_hardware_attach(const struct sr_config *config)
{
	if (!*config->pkcs11_module || sr_hsm_is_attached()) {
		return sr_ok();
	}
	const struct sr_hsm_options options = {
	    .module = config->pkcs11_module,
	    .label = config->pkcs11_token,
	    .pin_file = config->pkcs11_pin_file,
	    .environment = config->pkcs11_config,
	};
	return sr_hsm_attach(&options);
}

/* One object and the state that it comes into. */
struct step {
	const uint8_t *id;
	int state;
};

static struct sr_result intend(struct sr_connection *connection, void *context)
{
	const struct step *step = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "INSERT INTO hardware_object(id, state) VALUES(?1, ?2)", &statement));
	sr_bind_blob(statement, 1, sr_bytes_of(step->id, SR_HSM_ID_LEN));
	sr_bind_int(statement, 2, step->state);
	return sr_run(statement);
}

static struct sr_result mark(struct sr_connection *connection, void *context)
{
	const struct step *step = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "UPDATE hardware_object SET state = ?2 WHERE id = ?1 AND state <> 1", &statement));
	sr_bind_blob(statement, 1, sr_bytes_of(step->id, SR_HSM_ID_LEN));
	sr_bind_int(statement, 2, step->state);
	return sr_run(statement);
}

static struct sr_result forget(struct sr_connection *connection, void *context)
{
	const struct step *step = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM hardware_object WHERE id = ?1 AND state = ?2", &statement));
	sr_bind_blob(statement, 1, sr_bytes_of(step->id, SR_HSM_ID_LEN));
	sr_bind_int(statement, 2, step->state);
	return sr_run(statement);
}

/* Records the object that is about to be made. */
static struct sr_result begin(struct sr_vault_state *state, uint8_t id[static SR_HSM_ID_LEN])
{
	SR_TRY(sr_hsm_check());
	sr_random(id, SR_HSM_ID_LEN);
	struct step step = {id, MAKING};
	return sr_database_write(state->database, intend, &step);
}

/* What could not be made leaves nothing behind, or is swept later. */
static void undo(struct sr_vault_state *state, const uint8_t *id)
{
	struct step step = {id, DOOMED};
	struct sr_result marked = sr_database_write(state->database, mark, &step);
	if (sr_is_ok(marked)) {
		sr_hardware_sweep_soon(state);
	}
	sr_ignore(marked); /* a database that does not write: the next start sweeps what is marked as being made */
}

struct sr_result sr_hardware_make_key(struct sr_vault_state *state, const struct sr_key_spec *spec,
                                      struct sr_keypair **ret_keypair)
{
	if (!spec->is_in_token) {
		return sr_keypair_generate(spec, ret_keypair);
	}
	uint8_t id[SR_HSM_ID_LEN];
	SR_TRY(begin(state, id));
	struct sr_result made = sr_keypair_make_in_token(spec, id, ret_keypair);
	if (!sr_is_ok(made)) {
		undo(state, id);
	}
	return made;
}

struct sr_result sr_hardware_move_key(struct sr_vault_state *state, struct sr_keypair **keypair)
{
	uint8_t id[SR_HSM_ID_LEN];
	SR_TRY(begin(state, id));
	struct sr_keypair *moved;
	struct sr_result result = sr_keypair_move_into_token(*keypair, id, &moved);
	if (!sr_is_ok(result)) {
		undo(state, id);
		return result;
	}
	sr_keypair_free(*keypair);
	*keypair = moved;
	return sr_ok();
}

struct sr_result sr_hardware_settle(struct sr_connection *connection, const struct sr_key_record *key)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE hardware_object SET state = 1, vault = ?2, key = ?3, version = ?4 WHERE id = ?1 AND "
	                  "state = 0",
	                  &statement));
	sr_bind_blob(statement, 1, key->token_id);
	sr_bind_text(statement, 2, key->vault);
	sr_bind_text(statement, 3, key->name);
	sr_bind_text(statement, 4, key->version);
	SR_TRY(sr_run(statement));
	return sr_changes(connection) == 1
	           ? sr_ok()
	           : sr_fail(SR_CONFLICT, "the key that was made in the token is not there any more: try again");
}

void sr_hardware_abandon(struct sr_vault_state *state, const struct sr_keypair *keypair)
{
	struct sr_bytes id = sr_keypair_token_id(keypair);
	if (id.len) {
		undo(state, id.data);
	}
}

/* Ids of what is to be destroyed. */
struct list {
	uint8_t ids[SWEEP_MAX][SR_HSM_ID_LEN];
	size_t count;
};

static struct sr_result list_doomed(struct sr_connection *connection, void *context)
{
	struct list *list = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT id FROM hardware_object WHERE state = 2 LIMIT ?1", &statement));
	sr_bind_int(statement, 1, SWEEP_MAX);
	for (list->count = 0; list->count < SWEEP_MAX;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row) {
			break;
		}
		struct sr_bytes id = sr_column_blob(statement, 0);
		if (id.len != SR_HSM_ID_LEN) {
			return sr_fail(SR_CORRUPT, "the id of a token's object has %zu bytes", id.len);
		}
		memcpy(list->ids[list->count++], id.data, id.len);
	}
	return sr_ok();
}

/* Destroys what is marked; SR_UNAVAILABLE while the token is away, and then nothing is lost. */
static struct sr_result sweep(struct sr_vault_state *state)
{
	struct list list;
	do {
		SR_TRY(sr_database_read(state->database, list_doomed, &list));
		for (size_t i = 0; i < list.count; i++) {
			struct step step = {list.ids[i], DOOMED};
			SR_TRY(sr_hsm_destroy(list.ids[i]));
			SR_TRY(sr_database_write(state->database, forget, &step));
		}
	} while (list.count == SWEEP_MAX);
	return sr_ok();
}

void sr_hardware_sweep_soon(struct sr_vault_state *state)
{
	SR_CLEANUP(sr_result) struct sr_result swept = sweep(state);
	if (!sr_is_ok(swept)) {
		sr_log(SR_LOG_WARNING, "keys that are to be destroyed are still in the token: %s", sr_result_message(swept));
	}
}

static struct sr_result doom_unmade(struct sr_connection *connection, void *context)
{
	(void)context;
	return sr_execute(connection, "UPDATE hardware_object SET state = 2 WHERE state = 0");
}

struct sr_result sr_hardware_recover(struct sr_vault_state *state)
{
	SR_TRY(sr_database_write(state->database, doom_unmade, NULL));
	sr_hardware_sweep_soon(state);
	SR_CLEANUP(sr_result) struct sr_result checked = sr_hsm_is_attached() ? sr_hsm_check() : sr_ok();
	if (!sr_is_ok(checked)) {
		sr_log(SR_LOG_WARNING, "%s; keys in it fail until it is back", sr_result_message(checked));
	}
	return sr_ok();
}

struct sr_result sr_sweep_token_next(struct sr_connection *connection, int64_t *ret_time)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT 1 FROM hardware_object WHERE state = 2 LIMIT 1", &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	*ret_time = is_row ? 0 : SR_NO_TIME;
	return sr_ok();
}

struct sr_result sr_sweep_token_run(struct sr_vault *vault, int64_t now)
{
	(void)now;
	return sweep(&vault->state);
}
