/* New versions of keys (create, import, rotate) with the KEKs that follow them, and updates with what they revoke. Each
 * is one durable write; leases are recalled after it and before the answer. */
#include "vault/key_handlers.h"

#include "base/clock.h"
#include "vault/hardware.h"
#include "vault/kek_rewrap.h"
#include "vault/key_json.h"
#include "vault/rotation_policy.h"

enum { SEALED_MAX = 32768 };

static struct sr_key_view view_of(const struct sr_vault_call *call)
{
	return (struct sr_key_view){call->base_url, &call->record};
}

/* A version on its way into the database. */
struct addition {
	struct sr_vault_call *call;
	struct sr_key_record key;
	struct sr_buf sealed;
	struct sr_rewrap_target target;
	struct sr_rewrap_plan plan;
	bool is_followed; /* KEKs that follow the latest version move to it */
	int64_t now;
	int64_t moved;
};

static struct sr_result addition_work(struct sr_connection *connection, void *context)
{
	struct addition *addition = context;
	SR_TRY(sr_key_insert(connection, &addition->key));
	if (addition->is_followed) {
		SR_TRY(sr_rewrap_apply(&addition->call->vault->state, connection, &addition->target, &addition->plan,
		                       &addition->moved));
	}
	addition->call->detail = sr_arena_printf(addition->call->arena, "rewrapped=%lld", (long long)addition->moved);
	return sr_ok();
}

/* Names, seals and prepares: everything that can be done before the write. */
static struct sr_result prepare(struct addition *addition, const struct sr_keypair *keypair)
{
	struct sr_vault_call *call = addition->call;
	const struct sr_id id = sr_id_random();
	char *version = sr_arena_alloc(call->arena, SR_ID_TEXT_LEN);
	sr_id_text(&id, version);

	struct sr_key_record *key = &addition->key;
	key->vault = call->record.name;
	key->name = call->name;
	key->version = version;
	key->created = key->updated = addition->now;
	key->deleted_at = key->purge_at = SR_NO_TIME;
	SR_TRY(sr_key_public_jwk(call->arena, keypair, &key->public_jwk));
	const struct sr_key_name name = {key->vault, key->name, key->version};
	SR_TRY(sr_key_seal(call->vault->state.records, &name, keypair, &addition->sealed));
	SR_TRY(sr_buf_result(&addition->sealed));
	key->sealed = sr_buf_bytes(&addition->sealed);
	key->token_id = sr_keypair_token_id(keypair);

	struct sr_result usable = sr_key_check_lease(&key->state, key->created);
	addition->is_followed = sr_is_ok(usable) && sr_key_can_wrap_secrets(&key->state.spec);
	sr_ignore(usable);
	addition->target = (struct sr_rewrap_target){name, keypair};
	return addition->is_followed ? sr_rewrap_prepare(&call->vault->state, &addition->target, &addition->plan) : sr_ok();
}

/* Adds `keypair` as the newest version of the call's key at `now`, with the state and tags that `key` holds already. */
static struct sr_result add_version_at(struct sr_vault_call *call, const struct sr_key_record *key,
                                       const struct sr_keypair *keypair, int64_t now, struct sr_vault_answer *answer)
{
	struct addition addition = {.call = call, .key = *key, .sealed = SR_BUF(SEALED_MAX), .now = now};
	struct sr_result result = prepare(&addition, keypair);
	if (sr_is_ok(result)) {
		result = sr_call_write(call, addition_work, &addition, &addition.key.version);
	}
	sr_rewrap_plan_cleanup(&addition.plan);
	if (!sr_is_ok(result)) {
		sr_hardware_abandon(&call->vault->state, keypair);
	}
	if (sr_is_ok(result)) {
		sr_tending_wake(call->vault->tending);
		const struct sr_key_view view = view_of(call);
		result = sr_key_bundle(&view, &addition.key, &answer->body);
	}
	sr_buf_free(&addition.sealed);
	return result;
}

static struct sr_result add_version(struct sr_vault_call *call, const struct sr_key_record *key,
                                    const struct sr_keypair *keypair, struct sr_vault_answer *answer)
{
	return add_version_at(call, key, keypair, sr_unix_s(), answer);
}

/* The state that a new key starts with. */
static struct sr_key_record fresh_record(struct sr_key_spec spec)
{
	return (struct sr_key_record){.state = {.is_enabled = true,
	                                        .nbf = SR_NO_TIME,
	                                        .exp = SR_NO_TIME,
	                                        .operations = sr_key_default_operations(spec.type),
	                                        .spec = spec}};
}

static struct sr_result read_create_spec(const json_t *body, struct sr_key_spec *ret_spec)
{
	const char *kty = NULL, *crv = NULL;
	int64_t key_size = 0, exponent = 65537;
	SR_TRY(sr_json_get_string(body, "kty", &kty));
	SR_TRY(sr_json_get_string(body, "crv", &crv));
	SR_TRY(sr_json_get_int(body, "key_size", &key_size));
	SR_TRY(sr_json_get_int(body, "public_exponent", &exponent));
	if (exponent != 65537) {
		return sr_fail(SR_INVALID, "public_exponent: only 65537 is made");
	}
	SR_TRY(sr_key_spec_of(kty, key_size, crv, ret_spec));
	return sr_key_check_hardware(ret_spec, sr_hsm_is_attached());
}

/* The name is checked before the costly making of a key; inserting checks it again. */
static struct sr_result check_name_is_free(struct sr_vault_call *call)
{
	struct sr_key_record found;
	struct sr_result result = sr_call_find_key(call, SR_KEY_EITHER, &found);
	if (sr_result_code(result) == SR_NOT_FOUND) {
		sr_ignore(result);
		return sr_ok();
	}
	SR_TRY(result);
	if (found.state.is_deleted) {
		return sr_fail_as(SR_CONFLICT, "ObjectIsDeletedButRecoverable",
		                  "Key %s is currently in a deleted but recoverable state, and its name cannot be reused; in "
		                  "this state, the key can only be recovered or purged.",
		                  call->name);
	}
	call->name = found.name; /* in the letters that it was made with */
	return sr_ok();
}

struct sr_result sr_handle_key_create(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct sr_key_spec spec;
	struct sr_key_wishes wishes;
	SR_TRY(read_create_spec(call->body, &spec));
	SR_TRY(sr_key_wishes_read(call->arena, call->body, json_object_get(call->body, "key_ops"), &wishes));
	struct sr_key_record key = fresh_record(spec);
	SR_TRY(sr_key_wishes_apply(&wishes, &key));
	SR_TRY(check_name_is_free(call));
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(sr_hardware_make_key(&call->vault->state, &spec, &keypair));
	return add_version(call, &key, keypair, answer);
}

struct sr_result sr_handle_key_import(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	const json_t *jwk = NULL;
	bool is_hardware = false;
	SR_TRY(sr_json_get_object(call->body, "key", &jwk));
	SR_TRY(sr_json_get_bool(call->body, "Hsm", &is_hardware));
	if (!jwk) {
		return sr_fail(SR_INVALID, "Property 'key' is required.");
	}
	struct sr_key_wishes wishes;
	SR_TRY(sr_key_wishes_read(call->arena, call->body, json_object_get(jwk, "key_ops"), &wishes));
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	bool is_of_hardware_type;
	SR_TRY(sr_key_import_jwk(call->arena, jwk, &keypair, &is_of_hardware_type));
	struct sr_key_spec spec = sr_keypair_spec(keypair);
	spec.is_in_token = is_hardware || is_of_hardware_type;
	SR_TRY(sr_key_check_hardware(&spec, sr_hsm_is_attached()));
	struct sr_key_record key = fresh_record(spec);
	SR_TRY(sr_key_wishes_apply(&wishes, &key));
	SR_TRY(check_name_is_free(call));
	if (spec.is_in_token) {
		SR_TRY(sr_hardware_move_key(&call->vault->state, &keypair));
	}
	return add_version(call, &key, keypair, answer);
}

struct policy_search {
	const struct sr_vault_call *call;
	struct sr_key_policy policy;
};

static struct sr_result find_policy(struct sr_connection *connection, void *context)
{
	struct policy_search *search = context;
	return sr_key_policy_get(connection, search->call->arena, search->call->record.name, search->call->name,
	                         &search->policy);
}

/* A new version of the same kind, with the operations and tags of the last, and the end that the policy sets. */
struct sr_result sr_key_rotate(struct sr_vault_call *call, int64_t now, struct sr_vault_answer *answer)
{
	struct sr_key_record last;
	SR_TRY(sr_call_find_key(call, SR_KEY_LIVE, &last));
	SR_TRY(sr_key_check_unmanaged(&last));
	call->name = last.name;
	struct policy_search search = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_policy, &search));
	struct sr_key_record key = fresh_record(last.state.spec);
	key.state.operations = last.state.operations;
	key.tags = last.tags;
	SR_TRY(sr_rotation_policy_end(search.policy.json, now, &key.state.exp));
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(sr_hardware_make_key(&call->vault->state, &last.state.spec, &keypair));
	return add_version_at(call, &key, keypair, now, answer);
}

struct sr_result sr_handle_key_rotate(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return sr_key_rotate(call, sr_unix_s(), answer);
}

struct update {
	struct sr_vault_call *call;
	struct sr_key_wishes wishes;
	struct sr_key_record key;
	struct sr_kek_set revoked;
	const char *reason; /* why leases are recalled; NULL: they are not */
};

/* KEKs that stayed behind while a version was disabled catch up with the latest one. */
static struct sr_result catch_up(struct sr_connection *connection, struct update *update)
{
	struct sr_vault_state *state = &update->call->vault->state;
	struct sr_key_record latest;
	const struct sr_key_name name = {update->key.vault, update->key.name, NULL};
	SR_TRY(sr_key_find(connection, update->call->arena, &name, SR_KEY_LIVE, &latest));
	struct sr_result usable = sr_key_check_lease(&latest.state, update->key.updated);
	const bool is_usable = sr_is_ok(usable) && sr_key_can_wrap_secrets(&latest.state.spec);
	sr_ignore(usable);
	if (!is_usable) {
		return sr_ok();
	}
	SR_CLEANUP(sr_open_key) struct sr_open_key *open = NULL;
	const struct sr_key_name of_latest = {latest.vault, latest.name, latest.version};
	SR_TRY(sr_key_cache_open(state->cache, &of_latest, latest.sealed, &open));
	const struct sr_rewrap_target target = {of_latest, sr_open_key_pair(open)};
	const struct sr_rewrap_plan nothing = {0};
	int64_t count;
	return sr_rewrap_apply(state, connection, &target, &nothing, &count);
}

static struct sr_result update_work(struct sr_connection *connection, void *context)
{
	struct update *update = context;
	const struct sr_key_name name = sr_call_key(update->call);
	SR_TRY(sr_key_find(connection, update->call->arena, &name, SR_KEY_LIVE, &update->key));
	SR_TRY(sr_key_check_unmanaged(&update->key));
	SR_TRY(sr_key_wishes_apply(&update->wishes, &update->key));
	update->key.updated = sr_unix_s();
	SR_TRY(sr_key_update(connection, &update->key));
	update->call->detail = update->key.state.is_enabled ? "enabled" : "disabled";

	/* Also where the version was unusable before: an earlier call's recall may not be over, and this answer too says
	 * that no reader is left. */
	SR_CLEANUP(sr_result) struct sr_result usable = sr_key_check_lease(&update->key.state, update->key.updated);
	update->reason = sr_result_reason(usable);
	if (update->reason) {
		const struct sr_key_name of_version = {update->key.vault, update->key.name, update->key.version};
		return sr_kek_revoke(connection, &of_version, &update->revoked);
	}
	return catch_up(connection, update);
}

struct sr_result sr_handle_key_update(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct update update = {.call = call};
	SR_TRY(sr_key_wishes_read(call->arena, call->body, json_object_get(call->body, "key_ops"), &update.wishes));
	struct sr_result result = sr_call_write(call, update_work, &update, &update.key.version);
	if (sr_is_ok(result) && update.reason) {
		const struct sr_key_name name = {update.key.vault, update.key.name, update.key.version};
		sr_key_cache_forget(call->vault->state.cache, &name);
		sr_call_recall(call, &update.revoked, update.reason, answer);
	}
	sr_kek_set_cleanup(&update.revoked);
	SR_TRY(result);
	sr_tending_wake(call->vault->tending);
	const struct sr_key_view view = view_of(call);
	return sr_key_bundle(&view, &update.key, &answer->body);
}
