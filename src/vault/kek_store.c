/* The grantor's store: SQL on the table `kek`, with the rules of key_rules for the keys that wrap. Rewrapping by a
 * newer version is kek_rewrap's. */
#include "vault/kek_store.h"

#include "base/clock.h"
#include "base/memory.h"
#include "vault/audit.h"
#include "vault/kek_anchor.h"
#include "vault/vault_store.h"

#include <string.h>

enum { KEK_EPOCH_FIRST = 1, WRAPPED_MAX = 1024, LABEL_MAX = 256 };

#define COLUMNS                                                                                                   \
	"resource, service, kind, label, vault, key, version, follows_latest, kek_epoch, revocation_epoch, wrapped, " \
	"created, rewrapped"

static const char *column_text(struct sr_arena *arena, struct sr_statement *statement, int column)
{
	return sr_column_is_null(statement, column) ? NULL : sr_arena_text(arena, sr_column_text(statement, column));
}

static struct sr_result read_row(struct sr_arena *arena, struct sr_statement *statement, struct sr_kek_record *ret_kek)
{
	struct sr_kek_record kek = {
	    .service = column_text(arena, statement, 1),
	    .kind = column_text(arena, statement, 2),
	    .label = column_text(arena, statement, 3),
	    .vault = column_text(arena, statement, 4),
	    .key = column_text(arena, statement, 5),
	    .version = column_text(arena, statement, 6),
	    .follows_latest = sr_column_int(statement, 7) != 0,
	    .kek_epoch = (uint32_t)sr_column_int(statement, 8),
	    .revocation_epoch = (uint64_t)sr_column_int(statement, 9),
	    .is_shredded = sr_column_is_null(statement, 10),
	    .wrapped = sr_arena_copy(arena, sr_column_blob(statement, 10)),
	    .created = sr_column_int(statement, 11),
	    .rewrapped = sr_column_int(statement, 12),
	};
	SR_TRY(sr_column_id(statement, 0, &kek.resource));
	*ret_kek = kek;
	return sr_ok();
}

/* The KEK of a resource that `service` made; another's is as absent as none. */
static struct sr_result find(struct sr_connection *connection, struct sr_arena *arena, const char *service,
                             const struct sr_id *resource, struct sr_kek_record *ret_kek)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "SELECT " COLUMNS " FROM kek WHERE resource = ?1 AND service = ?2", &statement));
	sr_bind_id(statement, 1, resource);
	sr_bind_text(statement, 2, service);
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	if (!is_row) {
		return sr_fail(SR_NOT_FOUND, "the vault knows no such resource of this service");
	}
	return read_row(arena, statement, ret_kek);
}

/* What a service-managed KEK is sealed with: its resource. */
static struct sr_result seal_managed(struct sr_vault_state *state, const struct sr_id *resource,
                                     const struct sr_secret *kek, struct sr_buf *wrapped)
{
	return sr_aead_seal_secret(state->records, sr_id_bytes(resource), kek, wrapped);
}

/* Wraps a KEK by a key version. */
static struct sr_result wrap(struct sr_vault_state *state, const struct sr_key_record *key, const struct sr_secret *kek,
                             struct sr_buf *wrapped)
{
	const struct sr_key_name name = {key->vault, key->name, key->version};
	SR_CLEANUP(sr_open_key) struct sr_open_key *open = NULL;
	SR_TRY(sr_key_cache_open(state->cache, &name, key->sealed, &open));
	return sr_keypair_wrap_secret(sr_open_key_pair(open), kek, wrapped);
}

/* The key version that wraps a KEK; a purged one is revoked. */
static struct sr_result find_wrapping_key(struct sr_connection *connection, struct sr_arena *arena,
                                          const struct sr_kek_record *kek, struct sr_key_record *ret_key)
{
	const struct sr_key_name name = {kek->vault, kek->key, kek->version};
	struct sr_result result = kek->is_shredded ? sr_fail(SR_NOT_FOUND, "shredded")
	                                           : sr_key_find(connection, arena, &name, SR_KEY_EITHER, ret_key);
	if (sr_result_code(result) == SR_NOT_FOUND) {
		sr_ignore(result);
		return sr_fail_as(SR_REVOKED, "KeyNotFound", "the key was purged");
	}
	return result;
}

/* May the KEK be used now? `ret_key` stays empty for a service-managed one. */
static struct sr_result check(struct sr_connection *connection, struct sr_arena *arena, const struct sr_kek_record *kek,
                              struct sr_key_record *ret_key)
{
	*ret_key = (struct sr_key_record){0};
	if (!kek->vault) {
		return sr_ok();
	}
	SR_TRY(find_wrapping_key(connection, arena, kek, ret_key));
	SR_TRY(sr_vault_check_lease(connection, kek->vault));
	return sr_key_check_lease(&ret_key->state, sr_unix_s());
}

static struct sr_result unwrap(struct sr_vault_state *state, const struct sr_kek_record *kek,
                               const struct sr_key_record *key, struct sr_secret **ret_secret)
{
	if (!kek->vault) {
		return sr_aead_open_secret(state->records, sr_id_bytes(&kek->resource), kek->wrapped, ret_secret);
	}
	const struct sr_key_name name = {key->vault, key->name, key->version};
	SR_CLEANUP(sr_open_key) struct sr_open_key *open = NULL;
	SR_TRY(sr_key_cache_open(state->cache, &name, key->sealed, &open));
	return sr_keypair_unwrap_secret(sr_open_key_pair(open), kek->wrapped, ret_secret);
}

/* One call of the grantor: who, about what, and what it needs on the way. */
struct request {
	struct sr_vault_state *state;
	struct sr_arena *arena;
	const char *service, *operation;
	const struct sr_id *resource;
	const struct sr_key_reference *key;
	const char *kind, *label;
	struct sr_kek_record kek;
	struct sr_key_record wrapping;
};

/* The audit entry of a call, with its outcome. */
static struct sr_result append_audit(struct sr_connection *connection, const struct request *request,
                                     const char *outcome)
{
	char resource[SR_ID_TEXT_LEN];
	sr_id_text(request->resource, resource);
	const struct sr_key_record *key = &request->wrapping;
	const struct sr_audit_event event = {
	    .service = request->service,
	    .operation = request->operation,
	    .object = resource,
	    .outcome = outcome,
	    .detail = key->vault ? sr_arena_printf(request->arena, "%s/keys/%s/%s", key->vault, key->name, key->version)
	                         : "service-managed",
	};
	return sr_audit_append(connection, &event);
}

struct refusal {
	const struct request *request;
	const char *outcome;
};

static struct sr_result refuse_work(struct sr_connection *connection, void *context)
{
	const struct refusal *refusal = context;
	return append_audit(connection, refusal->request, refusal->outcome);
}

/* Passes a call's result on; a refusal becomes an entry of its own first. */
static struct sr_result finish(struct request *request, struct sr_result result)
{
	if (sr_is_ok(result)) {
		return result;
	}
	const char *reason = sr_result_reason(result);
	struct refusal refusal = {request, reason ? reason : "refused"};
	return sr_first_error(result, sr_database_write(request->state->database, refuse_work, &refusal));
}

/* Opening: read and unwrap in a snapshot, so that state and epoch belong together; then the entry. */
static struct sr_result open_read(struct sr_connection *connection, void *context)
{
	struct request *request = context;
	SR_TRY(find(connection, request->arena, request->service, request->resource, &request->kek));
	return check(connection, request->arena, &request->kek, &request->wrapping);
}

static struct sr_result open_audit(struct sr_connection *connection, void *context)
{
	return append_audit(connection, context, NULL);
}

/* A vault that is being sealed gives nothing more out; to the holder it is as if it were gone. */
static struct sr_result refuse_if_sealing(struct sr_vault_state *state)
{
	return atomic_load(&state->is_sealing) ? sr_fail_as(SR_REVOKED, "VaultUnreachable", "the vault is being sealed")
	                                       : sr_ok();
}

static struct sr_result open_kek(void *context, const char *service, const struct sr_id *resource,
                                 struct sr_secret **ret_kek, uint32_t *ret_kek_epoch, uint64_t *ret_revocation_epoch)
{
	struct sr_vault_state *state = context;
	SR_TRY(refuse_if_sealing(state));
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct request request = {
	    .state = state, .arena = arena, .service = service, .operation = "KekOpen", .resource = resource};
	struct sr_result read = sr_database_read(state->database, open_read, &request);
	SR_TRY(finish(&request, read));
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	SR_TRY(unwrap(state, &request.kek, &request.wrapping, &kek));
	SR_TRY(sr_database_write(state->database, open_audit, &request));
	*ret_kek = SR_TAKE(kek);
	*ret_kek_epoch = request.kek.kek_epoch;
	*ret_revocation_epoch = request.kek.revocation_epoch;
	return sr_ok();
}

static struct sr_result may_renew(void *context, const char *service, const struct sr_id *resource)
{
	struct sr_vault_state *state = context;
	SR_TRY(refuse_if_sealing(state));
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct request request = {.state = state, .arena = arena, .service = service, .resource = resource};
	return sr_database_read(state->database, open_read, &request);
}

/* The key that a reference names, if it can take KEKs now. */
static struct sr_result find_target(struct sr_connection *connection, struct request *request,
                                    struct sr_key_record *ret_key)
{
	const struct sr_key_reference *key = request->key;
	const bool is_latest = key->follows_latest || !key->version[0];
	const struct sr_key_name name = {key->vault, key->name, is_latest ? NULL : key->version};
	SR_TRY(sr_key_find(connection, request->arena, &name, SR_KEY_LIVE, ret_key));
	if (!sr_key_can_wrap_secrets(&ret_key->state.spec)) {
		return sr_fail(SR_INVALID, "data is put under RSA keys and 256-bit oct keys only");
	}
	if (ret_key->is_managed) { /* it would go with its certificate */
		return sr_fail_as(SR_INVALID, "KeyManagedByKeyVault",
		                  "the key belongs to a certificate, and data must not depend on that: make a key of its own");
	}
	SR_TRY(sr_vault_check_lease(connection, key->vault));
	return sr_key_check_lease(&ret_key->state, sr_unix_s());
}

/* Wraps `secret` as the request's reference says; request->wrapping becomes the key, empty for service-managed. */
static struct sr_result wrap_as_asked(struct sr_connection *connection, struct request *request,
                                      const struct sr_secret *secret, struct sr_buf *wrapped)
{
	if (!request->key || request->key->is_service_managed) {
		request->wrapping = (struct sr_key_record){0};
		return seal_managed(request->state, request->resource, secret, wrapped);
	}
	SR_TRY(find_target(connection, request, &request->wrapping));
	return wrap(request->state, &request->wrapping, secret, wrapped);
}

static bool follows_latest(const struct sr_key_reference *key)
{
	return key && !key->is_service_managed && (key->follows_latest || !key->version[0]);
}

static struct sr_result create_work(struct sr_connection *connection, void *context)
{
	struct request *request = context;
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(WRAPPED_MAX);
	SR_TRY(sr_secret_random(SR_KEY_LEN, &kek));
	SR_TRY(wrap_as_asked(connection, request, kek, &wrapped));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO kek(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, ?11)",
	                  &statement));
	sr_bind_id(statement, 1, request->resource);
	sr_bind_text(statement, 2, request->service);
	sr_bind_text(statement, 3, request->kind);
	sr_bind_text(statement, 4, request->label);
	sr_bind_text(statement, 5, request->wrapping.vault);
	sr_bind_text(statement, 6, request->wrapping.name);
	sr_bind_text(statement, 7, request->wrapping.version);
	sr_bind_int(statement, 8, follows_latest(request->key));
	sr_bind_int(statement, 9, KEK_EPOCH_FIRST);
	sr_bind_blob(statement, 10, sr_buf_bytes(&wrapped));
	sr_bind_int(statement, 11, sr_unix_s());
	SR_TRY(sr_run(statement));
	return append_audit(connection, request, NULL);
}

static struct sr_result create(void *context, const char *service, const struct sr_id *resource, const char *kind,
                               const char *label, const struct sr_key_reference *key)
{
	struct sr_vault_state *state = context;
	if (strlen(label) > LABEL_MAX || strlen(kind) > LABEL_MAX) {
		return sr_fail(SR_INVALID, "a resource's kind or label is too long");
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct request request = {.state = state,
	                          .arena = arena,
	                          .service = service,
	                          .operation = "KekCreate",
	                          .resource = resource,
	                          .key = key,
	                          .kind = kind,
	                          .label = label};
	return finish(&request, sr_database_write(state->database, create_work, &request));
}

/* Takes the KEK from the key that wraps it now (which must be usable) to the one that is asked for. */
static struct sr_result rekey_work(struct sr_connection *connection, void *context)
{
	struct request *request = context;
	SR_TRY(find(connection, request->arena, request->service, request->resource, &request->kek));
	SR_TRY(check(connection, request->arena, &request->kek, &request->wrapping));
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(WRAPPED_MAX);
	SR_TRY(unwrap(request->state, &request->kek, &request->wrapping, &kek));
	SR_TRY(wrap_as_asked(connection, request, kek, &wrapped));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "UPDATE kek SET vault = ?2, key = ?3, version = ?4, follows_latest = ?5, wrapped = ?6, "
	                  "rewrapped = ?7 WHERE resource = ?1",
	                  &statement));
	sr_bind_id(statement, 1, request->resource);
	sr_bind_text(statement, 2, request->wrapping.vault);
	sr_bind_text(statement, 3, request->wrapping.name);
	sr_bind_text(statement, 4, request->wrapping.version);
	sr_bind_int(statement, 5, follows_latest(request->key));
	sr_bind_blob(statement, 6, sr_buf_bytes(&wrapped));
	sr_bind_int(statement, 7, sr_unix_s());
	SR_TRY(sr_run(statement));
	return append_audit(connection, request, NULL);
}

static struct sr_result rekey(void *context, const char *service, const struct sr_id *resource,
                              const struct sr_key_reference *key)
{
	struct sr_vault_state *state = context;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct request request = {
	    .state = state, .arena = arena, .service = service, .operation = "KekRekey", .resource = resource, .key = key};
	return finish(&request, sr_database_write(state->database, rekey_work, &request));
}

static struct sr_result destroy_work(struct sr_connection *connection, void *context)
{
	struct request *request = context;
	SR_TRY(sr_execute(connection, "PRAGMA secure_delete = ON"));
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM kek WHERE resource = ?1 AND service = ?2", &statement));
	sr_bind_id(statement, 1, request->resource);
	sr_bind_text(statement, 2, request->service);
	SR_TRY(sr_run(statement));
	return sr_changes(connection) ? append_audit(connection, request, NULL) : sr_ok();
}

static struct sr_result destroy(void *context, const char *service, const struct sr_id *resource)
{
	struct sr_vault_state *state = context;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct request request = {
	    .state = state, .arena = arena, .service = service, .operation = "KekDestroy", .resource = resource};
	SR_TRY(sr_database_write(state->database, destroy_work, &request));
	struct sr_grantor *grantor = state->grantor;
	if (grantor) { /* ids are never used again, so no later grant is older than this recall */
		sr_grantor_recall(grantor, resource, 1, UINT64_MAX, "KeyNotFound");
	}
	return sr_kek_fold_log(state);
}

static struct sr_result describe_read(struct sr_connection *connection, void *context)
{
	struct request *request = context;
	return find(connection, request->arena, request->service, request->resource, &request->kek);
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t len = from ? strnlen(from, size - 1) : 0;
	memcpy(to, from ? from : "", len);
	to[len] = '\0';
}

static struct sr_result describe(void *context, const char *service, const struct sr_id *resource,
                                 struct sr_key_reference *ret_key)
{
	struct sr_vault_state *state = context;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct request request = {.state = state, .arena = arena, .service = service, .resource = resource};
	SR_TRY(sr_database_read(state->database, describe_read, &request));
	const struct sr_kek_record *kek = &request.kek;
	*ret_key = (struct sr_key_reference){.is_service_managed = !kek->vault, .follows_latest = kek->follows_latest};
	copy_text(ret_key->vault, sizeof ret_key->vault, kek->vault);
	copy_text(ret_key->name, sizeof ret_key->name, kek->key);
	copy_text(ret_key->version, sizeof ret_key->version, kek->version);
	return sr_ok();
}

struct sr_grantor_store sr_kek_grantor_store(struct sr_vault_state *state)
{
	return (struct sr_grantor_store){.context = state,
	                                 .open_kek = open_kek,
	                                 .may_renew = may_renew,
	                                 .least_anchor = sr_kek_least_anchor,
	                                 .note_anchor = sr_kek_note_anchor,
	                                 .create = create,
	                                 .rekey = rekey,
	                                 .destroy = destroy,
	                                 .describe = describe};
}

struct sr_result sr_kek_list(struct sr_connection *connection, struct sr_arena *arena,
                             const struct sr_kek_filter *filter, const struct sr_id *after, size_t limit,
                             struct sr_kek_page *ret_page)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "SELECT " COLUMNS " FROM kek WHERE (?1 IS NULL OR resource > ?1) AND (?2 IS NULL OR vault = ?2) "
	                  "AND (?3 IS NULL OR key = ?3) AND (?4 IS NULL OR version = ?4) ORDER BY resource LIMIT ?5",
	                  &statement));
	if (after) {
		sr_bind_id(statement, 1, after);
	} else {
		sr_bind_null(statement, 1);
	}
	sr_bind_text(statement, 2, filter->vault);
	sr_bind_text(statement, 3, filter->key);
	sr_bind_text(statement, 4, filter->version);
	sr_bind_int(statement, 5, (int64_t)limit + 1);
	struct sr_kek_page page = {.items = sr_arena_alloc(arena, limit * sizeof *page.items)};
	for (;;) {
		bool is_row;
		SR_TRY(sr_step(statement, &is_row));
		if (!is_row || page.count == limit) {
			page.has_more = is_row;
			*ret_page = page;
			return sr_ok();
		}
		SR_TRY(read_row(arena, statement, &page.items[page.count++]));
	}
}

struct sr_result sr_kek_try(struct sr_vault_state *state, struct sr_connection *connection, struct sr_arena *arena,
                            const struct sr_kek_record *kek)
{
	struct sr_key_record key = {0};
	if (kek->is_shredded) {
		return sr_ok();
	}
	if (kek->vault) {
		SR_TRY(find_wrapping_key(connection, arena, kek, &key));
	}
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	return unwrap(state, kek, &key, &secret);
}
