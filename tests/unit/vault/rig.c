/* The tests' vault: what vault.c starts, without the parts that need other processes. */
#include "rig.h"

#include "base/clock.h"
#include "base/memory.h"
#include "vault/root_key.h"
#include "vault/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CACHE_MAX = 4 };

static char *path_of(struct rig *rig, const char *name)
{
	return sr_arena_printf(rig->arena, "%s/%s", rig->folder, name);
}

static struct sr_result insert_default(struct sr_connection *connection, void *context)
{
	(void)context;
	const struct sr_vault_record record = {.name = SR_DEFAULT_VAULT,
	                                       .resource_group = SR_DEFAULT_GROUP,
	                                       .created = sr_unix_s(),
	                                       .retention_days = 90,
	                                       .is_by_roles = true};
	struct sr_result result = sr_vault_insert(connection, &record);
	if (sr_result_code(result) == SR_EXISTS) {
		sr_ignore(result);
		return sr_ok();
	}
	return result;
}

void rig_open(struct rig *rig)
{
	rig->arena = sr_arena_new();
	if (!rig->folder[0]) {
		const char *base = getenv("TMPDIR");
		snprintf(rig->folder, sizeof rig->folder, "%s/vault-test-XXXXXX", base ? base : "/tmp");
		assert_non_null(mkdtemp(rig->folder));
		expect_ok(sr_root_key_create(path_of(rig, "root.key")));
	}
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	struct sr_vault *vault = &rig->vault;
	*vault = (struct sr_vault){0};
	expect_ok(sr_root_key_read(path_of(rig, "root.key"), &root));
	expect_ok(sr_vault_master_open(path_of(rig, "master"), root, true, &vault->master));
	const struct sr_database_options options = {.path = path_of(rig, "vault.db"),
	                                            .id = vault->master.database_id,
	                                            .schema = sr_vault_schema,
	                                            .upgrades = sr_vault_upgrades};
	expect_ok(sr_database_open(&options, vault->master.database_key, &vault->state.database));
	vault->state.records = vault->master.records;
	vault->state.cache = sr_key_cache_new(vault->master.records, CACHE_MAX);
	expect_ok(sr_database_write(vault->state.database, insert_default, NULL));
	expect_ok(sr_audit_signer_open(vault->state.database, vault->state.records, "vault", &vault->master.database_id,
	                               sr_unix_s(), &vault->audit));
}

void rig_close(struct rig *rig)
{
	json_decref(rig->answer.body);
	rig->answer = (struct sr_vault_answer){0};
	sr_audit_signer_close(rig->vault.audit);
	sr_key_cache_free(rig->vault.state.cache);
	sr_database_close(rig->vault.state.database);
	sr_vault_master_free(&rig->vault.master);
	sr_arena_free(rig->arena);
}

void rig_end(struct rig *rig)
{
	rig_close(rig);
	SR_CLEANUP(sr_string) char *command = sr_strdupf("rm -rf '%s'", rig->folder);
	assert_int_equal(system(command), 0);
	rig->folder[0] = '\0';
}

static struct sr_result find_default(struct sr_connection *connection, void *context)
{
	struct sr_vault_call *call = context;
	return sr_vault_find(connection, call->arena, SR_DEFAULT_VAULT, &call->record);
}

static struct sr_result run(struct rig *rig, struct sr_vault_call *call, const char *method, const char *path,
                            const char *body)
{
	const char *query = strchr(path, '?');
	const struct sr_bytes raw = sr_bytes_of(path, query ? (size_t)(query - path) : strlen(path));
	struct sr_segments segments;
	SR_TRY(sr_segments_parse(rig->arena, raw, &segments));
	SR_TRY(sr_vault_route_find(method, &segments, &call->route, &call->name, &call->version));
	SR_TRY(sr_parameters_parse(rig->arena, sr_bytes_str(query ? query + 1 : ""), false, &call->query));
	SR_TRY(sr_database_read(rig->vault.state.database, find_default, call));
	if (body) {
		SR_TRY(sr_json_parse(sr_bytes_str(body), &call->body));
	} else {
		call->body = json_object();
	}
	struct sr_result result = call->route->handler(call, &rig->answer);
	if (call->is_announced) {
		sr_database_retract(rig->vault.state.database);
	}
	if (call->check && sr_is_ok(result)) {
		result = sr_database_read(rig->vault.state.database, call->check, call->check_context);
	}
	return result;
}

struct sr_result rig_call(struct rig *rig, const char *method, const char *path, const char *body)
{
	json_decref(rig->answer.body);
	rig->answer = (struct sr_vault_answer){0};
	struct sr_vault_call call = {.vault = &rig->vault,
	                             .arena = rig->arena,
	                             .who = {.object_id = "local", .is_local = true},
	                             .api_version = "7.5",
	                             .base_url = "https://vault.test",
	                             .from = "local",
	                             .request_id = "test"};
	struct sr_result result = run(rig, &call, method, path, body);
	json_decref(call.body);
	return result;
}

struct sr_result rig_callf(struct rig *rig, const char *method, const char *body, const char *path_format, ...)
{
	char path[512];
	va_list args;
	va_start(args, path_format);
	vsnprintf(path, sizeof path, path_format, args);
	va_end(args);
	return rig_call(rig, method, path, body);
}

static const json_t *at(const struct rig *rig, const char *path)
{
	const json_t *value = rig->answer.body;
	for (const char *rest = path; rest && value;) {
		const char *dot = strchr(rest, '.');
		const size_t len = dot ? (size_t)(dot - rest) : strlen(rest);
		char name[64];
		assert_true(len < sizeof name);
		memcpy(name, rest, len);
		name[len] = '\0';
		value = name[0] >= '0' && name[0] <= '9' ? json_array_get(value, strtoul(name, NULL, 10))
		                                         : json_object_get(value, name);
		rest = dot ? dot + 1 : NULL;
	}
	return value;
}

const char *rig_text(const struct rig *rig, const char *path)
{
	const char *text = json_string_value(at(rig, path));
	return text ? text : "";
}

int64_t rig_int(const struct rig *rig, const char *path)
{
	return json_integer_value(at(rig, path));
}

bool rig_bool(const struct rig *rig, const char *path)
{
	return json_is_true(at(rig, path));
}

const char *rig_version(struct rig *rig)
{
	const char *slash = strrchr(rig_text(rig, "key.kid"), '/');
	assert_non_null(slash);
	return sr_arena_strdup(rig->arena, slash + 1);
}

static struct sr_key_reference reference(const char *key, const char *version)
{
	struct sr_key_reference to = {.is_service_managed = !key, .follows_latest = key && !version};
	if (key) {
		snprintf(to.vault, sizeof to.vault, "%s", SR_DEFAULT_VAULT);
		snprintf(to.name, sizeof to.name, "%s", key);
		snprintf(to.version, sizeof to.version, "%s", version ? version : "");
	}
	return to;
}

struct sr_result rig_kek_create(struct rig *rig, const struct sr_id *resource, const char *key, const char *version)
{
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig->vault.state);
	const struct sr_key_reference to = reference(key, version);
	return store.create(store.context, "blob", resource, "storageAccount", "label", &to);
}

struct sr_result rig_kek_open(struct rig *rig, const struct sr_id *resource, struct sr_secret **ret_kek,
                              uint64_t *ret_revocation_epoch)
{
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig->vault.state);
	uint32_t kek_epoch;
	return store.open_kek(store.context, "blob", resource, ret_kek, &kek_epoch, ret_revocation_epoch);
}

struct sr_key_reference rig_kek_key(struct rig *rig, const struct sr_id *resource)
{
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig->vault.state);
	struct sr_key_reference key = {0};
	expect_ok(store.describe(store.context, "blob", resource, &key));
	return key;
}

static struct sr_result execute(struct sr_connection *connection, void *context)
{
	return sr_execute(connection, context);
}

void rig_sql(struct rig *rig, const char *sql)
{
	expect_ok(sr_database_write(rig->vault.state.database, execute, sr_arena_strdup(rig->arena, sql)));
}
