/* The vault as a resource of the resource manager: making, changing, listing, deleting, recovering and purging vaults,
 * their policies; who may come by the provider's door; and what a purge leaves. */
#include "rig.h"

#include "../access/identity_double.h"
#include "service_certificate.h"

#include "base/clock.h"
#include "base/memory.h"
#include "net/client.h"
#include "vault/access_store.h"
#include "vault/audit.h"
#include "vault/provider.h"
#include "vault/schema.h"
#include "vault/system_vault.h"
#include "vault/vault_removal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CRASHES = 15 };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SLOW = 1 };
#else
enum { IS_SLOW = 0 };
#endif

#define OBJECT  "99999999-0000-4000-8000-000000000001"
#define GROUP_  "/subscriptions/" SUBSCRIPTION "/resourceGroups/rg1/providers/Microsoft.KeyVault/"
#define VAULTS  GROUP_ "vaults"
#define IN_SUB  "/subscriptions/" SUBSCRIPTION "/providers/Microsoft.KeyVault/"
#define DELETED IN_SUB "locations/west/deletedVaults/"
#define VERSION "?api-version=2023-07-01"
#define BODY(more)                                                  \
	"{\"location\":\"west\",\"properties\":{\"tenantId\":\"" TENANT \
	"\",\"sku\":{\"family\":\"A\",\"name\":\"standard\"}" more "}}"
#define BY_ROLES BODY(",\"enableRbacAuthorization\":true")
#define POLICY(who, permissions) \
	"{\"tenantId\":\"" TENANT "\",\"objectId\":\"" who "\",\"permissions\":{" permissions "}}"

static struct rig rig;
static struct identity_double *identity;
static struct sr_access *access_room;
static struct sr_vault_provider_answer answer;

static int set_up_all(void **state)
{
	(void)state;
	identity = identity_double_start();
	access_room = follow(identity);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	sr_access_stop(access_room);
	identity_double_stop(identity);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	rig.vault.access = access_room;
	return 0;
}

static void forget_answer(void)
{
	json_decref(answer.body);
	answer = (struct sr_vault_provider_answer){0};
}

static int tear_down(void **state)
{
	(void)state;
	forget_answer();
	rig_end(&rig);
	return 0;
}

static struct sr_result call_as(const char *service, const char *object_id, const char *method, const char *path,
                                const char *body)
{
	forget_answer();
	struct sr_vault_provider_call call = {.vault = &rig.vault,
	                                      .arena = rig.arena,
	                                      .object_id = object_id,
	                                      .service = service,
	                                      .from = "127.0.0.1",
	                                      .request_id = "test",
	                                      .text = sr_bytes_str(body)};
	const char *query = strchr(path, '?');
	struct sr_result result =
	    sr_vault_provider_perform(&call, method, sr_bytes_of(path, query ? (size_t)(query - path) : strlen(path)),
	                              sr_bytes_str(query ? query + 1 : ""), &answer);
	json_decref(call.body);
	return result;
}

static struct sr_result call(const char *method, const char *path, const char *body)
{
	return call_as("workspace", OBJECT, method, path, body);
}

/* A member of the answer by its path ("properties.sku.name"). */
static const json_t *at(const char *path)
{
	const json_t *value = answer.body;
	for (const char *rest = path; rest && value;) {
		char name[64];
		const size_t len = strcspn(rest, ".");
		snprintf(name, sizeof name, "%.*s", (int)len, rest);
		value = name[0] >= '0' && name[0] <= '9' ? json_array_get(value, strtoul(name, NULL, 10))
		                                         : json_object_get(value, name);
		rest = rest[len] ? rest + len + 1 : NULL;
	}
	return value;
}

static const char *text(const char *path)
{
	const char *value = json_string_value(at(path));
	return value ? value : "";
}

static void a_vault_is_made_shown_and_listed(void **state)
{
	(void)state;
	expect_ok(call("PUT", VAULTS "/First" VERSION,
	               "{\"location\":\"west\",\"tags\":{\"a\":\"b\"},\"properties\":{\"tenantId\":\"" TENANT
	               "\",\"sku\":{\"family\":\"A\",\"name\":\"Premium\"},\"enabledForDeployment\":true,"
	               "\"accessPolicies\":[" POLICY(OBJECT, "\"keys\":[\"Get\"]") "],"
	                                                                           "\"softDeleteRetentionInDays\":7}}"));
	assert_int_equal(answer.status, 201);
	expect_ok(call(
	    "GET", "/SUBSCRIPTIONS/" SUBSCRIPTION "/resourcegroups/RG1/providers/microsoft.keyvault/vaults/first" VERSION,
	    NULL));
	assert_string_equal(text("id"), VAULTS "/First");
	assert_string_equal(text("name"), "First");
	assert_string_equal(text("type"), "Microsoft.KeyVault/vaults");
	assert_string_equal(text("location"), "west");
	assert_string_equal(text("tags.a"), "b");
	assert_string_equal(text("properties.sku.name"), "premium");
	assert_string_equal(text("properties.tenantId"), TENANT);
	assert_string_equal(text("properties.vaultUri"), "https://First.vault.localhost:8442/");
	assert_string_equal(text("properties.provisioningState"), "Succeeded");
	assert_string_equal(text("properties.publicNetworkAccess"), "Enabled");
	assert_string_equal(text("properties.networkAcls.defaultAction"), "Allow");
	assert_string_equal(text("properties.accessPolicies.0.permissions.keys.0"), "get");
	assert_string_equal(text("systemData.createdBy"), OBJECT);
	assert_true(json_is_true(at("properties.enabledForDeployment")));
	assert_true(json_is_false(at("properties.enableRbacAuthorization")));
	assert_true(json_is_true(at("properties.enableSoftDelete")));
	assert_null(at("properties.enablePurgeProtection"));
	assert_int_equal(json_integer_value(at("properties.softDeleteRetentionInDays")), 7);
	expect_ok(call("GET", VAULTS VERSION, NULL));
	assert_int_equal(json_array_size(at("value")), 1);
	expect_ok(call("GET", IN_SUB "vaults" VERSION, NULL));
	assert_int_equal(json_array_size(at("value")), 2); /* with the default vault */
	expect_reason(call("GET",
	                   "/subscriptions/" TENANT "/resourceGroups/rg1/providers/Microsoft.KeyVault/vaults/First" VERSION,
	                   NULL),
	              SR_NOT_FOUND, "ResourceNotFound");
	expect_ok(call("GET", IN_SUB "deletedManagedHSMs" VERSION, NULL));
	assert_int_equal(json_array_size(at("value")), 0);
	assert_true(json_is_array(at("value")));
	expect_reason(call("GET", GROUP_ "vaults/none" VERSION, NULL), SR_NOT_FOUND, "ResourceNotFound");
}

static void lists_come_in_pages(void **state)
{
	(void)state;
	char path[256];
	for (unsigned i = 0; i < 7; i++) {
		snprintf(path, sizeof path, VAULTS "/v%03u" VERSION, i);
		expect_ok(call("PUT", path, BY_ROLES));
	}
	snprintf(path, sizeof path, "%s", VAULTS VERSION "&$top=3");
	unsigned pages = 0, seen = 0;
	while (path[0]) {
		expect_ok(call("GET", path, NULL));
		for (size_t i = 0; i < json_array_size(at("value")); i++, seen++) {
			char name[64], expected[8];
			snprintf(name, sizeof name, "value.%zu.name", i);
			snprintf(expected, sizeof expected, "v%03u", seen);
			assert_string_equal(text(name), expected);
		}
		pages++;
		char next[256];
		snprintf(next, sizeof next, "%s", text("nextLink"));
		memcpy(path, next, sizeof path);
	}
	assert_int_equal(pages, 3);
	assert_int_equal(seen, 7);
	expect_code(call("GET", VAULTS VERSION "&$top=0", NULL), SR_INVALID);
	expect_code(call("GET", VAULTS VERSION "&$top=x", NULL), SR_INVALID);
}

static void updates_change_what_they_name(void **state)
{
	(void)state;
	expect_ok(call("PUT", VAULTS "/one" VERSION,
	               BODY(",\"enableRbacAuthorization\":true,\"enabledForDiskEncryption\":true,\"networkAcls\":{"
	                    "\"defaultAction\":\"Deny\",\"bypass\":\"None\",\"ipRules\":[{\"value\":\"1.2.3.4\"}]}")));
	expect_ok(call("PATCH", VAULTS "/one" VERSION, "{\"tags\":{\"x\":\"y\"},\"properties\":{}}"));
	assert_string_equal(text("tags.x"), "y");
	assert_string_equal(text("properties.networkAcls.defaultAction"), "Deny");
	assert_string_equal(text("properties.networkAcls.ipRules.0.value"), "1.2.3.4/32");
	expect_ok(call("PATCH", VAULTS "/one" VERSION,
	               "{\"properties\":{\"enablePurgeProtection\":true,\"publicNetworkAccess\":\"disabled\","
	               "\"enabledForDeployment\":true}}"));
	assert_true(json_is_true(at("properties.enablePurgeProtection")));
	assert_true(json_is_true(at("properties.enabledForDiskEncryption")));
	assert_string_equal(text("properties.publicNetworkAccess"), "Disabled");
	assert_string_equal(text("properties.networkAcls.bypass"), "None");
	/* A whole vault that says nothing of what guards it leaves that as it is; the rest is as it says. */
	expect_ok(call("PUT", VAULTS "/one" VERSION, BODY("")));
	assert_int_equal(answer.status, 0);
	assert_true(json_is_true(at("properties.enableRbacAuthorization")));
	assert_true(json_is_true(at("properties.enablePurgeProtection")));
	assert_true(json_is_false(at("properties.enabledForDeployment")));
	assert_string_equal(text("properties.networkAcls.defaultAction"), "Deny");
	assert_string_equal(text("properties.publicNetworkAccess"), "Disabled");
	assert_string_equal(text("tags.x"), "");
}

static void what_never_changes_or_makes_no_sense_is_refused(void **state)
{
	(void)state;
	expect_ok(call("PUT", VAULTS "/one" VERSION, BY_ROLES));
	static const struct {
		const char *method, *path, *body, *reason, *words;
		enum sr_code code;
	} cases[] = {
	    {"PATCH", VAULTS "/one" VERSION, "{\"properties\":{\"enablePurgeProtection\":false}}", NULL,
	     "cannot be set to false", SR_INVALID},
	    {"PATCH", VAULTS "/one" VERSION, "{\"properties\":{\"enableSoftDelete\":false}}", NULL,
	     "cannot be set to false", SR_INVALID},
	    {"PATCH", VAULTS "/one" VERSION, "{\"properties\":{\"softDeleteRetentionInDays\":7}}", NULL,
	     "can't be modified", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, BODY(",\"enableRbacAuthorization\":true,\"softDeleteRetentionInDays\":6"), NULL,
	     "7 to 90", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, BODY(",\"enableRbacAuthorization\":true,\"softDeleteRetentionInDays\":91"), NULL,
	     "7 to 90", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, BODY(""), NULL, "accessPolicies", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, "{\"location\":\"west\",\"properties\":{\"sku\":{\"name\":\"standard\"}}}", NULL,
	     "tenantId", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, "{\"location\":\"west\",\"properties\":{\"tenantId\":\"" SUBSCRIPTION "\"}}",
	     NULL, "installation", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, BODY(",\"accessPolicies\":[],\"publicNetworkAccess\":\"maybe\""), NULL,
	     "publicNetworkAccess", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, BODY(",\"accessPolicies\":[],\"networkAcls\":{\"ipRules\":[{\"value\":\"\"}]}"),
	     NULL, "no address", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, BODY(",\"accessPolicies\":[],\"networkAcls\":{\"ipRules\":[\"1.2.3.4\"]}"), NULL,
	     "ipRules", SR_INVALID},
	    {"PUT", VAULTS "/two" VERSION, NULL, "InvalidRequestContent", "no content", SR_INVALID},
	    {"PUT", VAULTS "/1two" VERSION, BY_ROLES, "VaultNameNotValid", "1two", SR_INVALID},
	    {"PUT", VAULTS "/t--o" VERSION, BY_ROLES, "VaultNameNotValid", "", SR_INVALID},
	    {"PUT", VAULTS "/to-" VERSION, BY_ROLES, "VaultNameNotValid", "", SR_INVALID},
	    {"PUT", VAULTS "/abcdefghijklmnopqrstuvwxy" VERSION, BY_ROLES, "VaultNameNotValid", "", SR_INVALID},
	    {"PUT", "/subscriptions/" SUBSCRIPTION "/resourceGroups/rg2/providers/Microsoft.KeyVault/vaults/one" VERSION,
	     BY_ROLES, "VaultAlreadyExists", "in use", SR_CONFLICT},
	    {"PUT", VAULTS "/one" VERSION,
	     "{\"location\":\"east\",\"properties\":{\"tenantId\":\"" TENANT
	     "\",\"sku\":{\"family\":\"A\",\"name\":\"standard\"}}}",
	     "ConflictError", "does not move", SR_CONFLICT},
	    {"GET", VAULTS "/one", NULL, "MissingApiVersionParameter", "", SR_INVALID},
	    {"GET", VAULTS "/one?api-version=2014-01-01", NULL, "NoRegisteredProviderFound", "", SR_INVALID},
	    {"GET", IN_SUB "rockets" VERSION, NULL, "InvalidResourceType", "", SR_NOT_FOUND},
	    {"POST", VAULTS "/one" VERSION, NULL, "MethodNotAllowed", "", SR_INVALID},
	    {"PUT", VAULTS "/none" VERSION, BODY(",\"createMode\":\"recover\""), "DeletedVaultNotFound", "", SR_NOT_FOUND},
	    {"PUT", VAULTS "/one" VERSION, BODY(",\"createMode\":\"recover\""), "VaultAlreadyExists", "", SR_CONFLICT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SR_CLEANUP(sr_result) struct sr_result outcome = call(cases[i].method, cases[i].path, cases[i].body);
		if (!strstr(sr_result_message(outcome), cases[i].words)) {
			fail_msg("case %zu: \"%s\" does not say %s", i, sr_result_message(outcome), cases[i].words);
		}
		expect_reason(sr_result_take(&outcome), cases[i].code, cases[i].reason);
	}
	expect_ok(call("GET", VAULTS VERSION, NULL));
	assert_int_equal(json_array_size(at("value")), 1);
}

static void permission_models_default_by_the_version_of_the_api(void **state)
{
	(void)state;
	expect_ok(call("PUT", VAULTS "/old" VERSION, BODY(",\"accessPolicies\":[]")));
	assert_true(json_is_false(at("properties.enableRbacAuthorization")));
	expect_ok(call("PUT", VAULTS "/new?api-version=2026-02-01", BODY("")));
	assert_true(json_is_true(at("properties.enableRbacAuthorization")));
}

static void policies_are_added_replaced_and_removed(void **state)
{
	(void)state;
#define POLICIES(kind)  VAULTS "/one/accessPolicies/" kind VERSION
#define LIST_OF(policy) "{\"properties\":{\"accessPolicies\":[" policy "]}}"
#define OTHER           "99999999-0000-4000-8000-000000000002"
	expect_ok(call("PUT", VAULTS "/one" VERSION, BODY(",\"accessPolicies\":[]")));
	expect_ok(call("PUT", POLICIES("add"), LIST_OF(POLICY(OBJECT, "\"keys\":[\"get\",\"list\"]"))));
	assert_string_equal(text("type"), "Microsoft.KeyVault/vaults/accessPolicies");
	expect_ok(call("PUT", POLICIES("add"),
	               LIST_OF(POLICY(OBJECT, "\"keys\":[\"sign\"]") "," POLICY(OTHER, "\"secrets\":[\"get\"]"))));
	assert_int_equal(json_array_size(at("properties.accessPolicies")), 2);
	assert_int_equal(json_array_size(at("properties.accessPolicies.0.permissions.keys")), 3);
	expect_ok(call("PUT", POLICIES("remove"), LIST_OF(POLICY(OBJECT, "\"keys\":[\"get\"]"))));
	assert_int_equal(json_array_size(at("properties.accessPolicies.0.permissions.keys")), 2);
	expect_ok(call("PUT", POLICIES("REPLACE"), LIST_OF(POLICY(OBJECT, "\"secrets\":[\"set\"]"))));
	assert_int_equal(json_array_size(at("properties.accessPolicies.0.permissions.keys")), 0);
	assert_string_equal(text("properties.accessPolicies.0.permissions.secrets.0"), "set");
	expect_ok(call("PUT", POLICIES("remove"), LIST_OF(POLICY(OBJECT, "\"secrets\":[\"set\"]"))));
	assert_int_equal(json_array_size(at("properties.accessPolicies")), 1);
	expect_ok(call("PUT", POLICIES("remove"), LIST_OF(POLICY(OTHER, ""))));
	assert_int_equal(json_array_size(at("properties.accessPolicies")), 0);
	expect_code(call("PUT", POLICIES("merge"), LIST_OF(POLICY(OBJECT, ""))), SR_INVALID);
	expect_code(call("PUT", POLICIES("add"), "{}"), SR_INVALID);
	expect_reason(call("PUT", VAULTS "/none/accessPolicies/add" VERSION, LIST_OF(POLICY(OBJECT, ""))), SR_NOT_FOUND,
	              "ResourceNotFound");
}

/* A key in the default vault, and a KEK under it. */
static void put_key(struct sr_id *ret_resource)
{
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"oct\",\"key_size\":256}"));
	*ret_resource = sr_id_random();
	expect_ok(rig_kek_create(&rig, ret_resource, "k", NULL));
}

static struct sr_result open_kek(const struct sr_id *resource)
{
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	uint64_t epoch;
	return rig_kek_open(&rig, resource, &kek, &epoch);
}

#define DEFAULT_ID      "/subscriptions/" SUBSCRIPTION "/resourceGroups/default/providers/Microsoft.KeyVault/vaults/default"
#define DEFAULT_DELETED IN_SUB "locations/local/deletedVaults/default"

static void deletion_takes_the_keys_away_and_recovery_gives_them_back(void **state)
{
	(void)state;
	struct sr_id resource;
	put_key(&resource);
	expect_ok(open_kek(&resource));
	expect_ok(call("DELETE", DEFAULT_ID VERSION, NULL));
	assert_int_equal(answer.status, 0);
	assert_true(strncmp(answer.revocation, "took_us=", 8) == 0);
	expect_reason(open_kek(&resource), SR_REVOKED, "KeyNotFound");
	expect_reason(rig_call(&rig, "GET", "/keys/k", NULL), SR_NOT_FOUND, "VaultNotFound");
	struct sr_id another = sr_id_random();
	expect_reason(rig_kek_create(&rig, &another, "k", NULL), SR_REVOKED, "KeyNotFound");
	expect_ok(call("DELETE", DEFAULT_ID VERSION, NULL));
	assert_int_equal(answer.status, 204);
	expect_reason(call("GET", DEFAULT_ID VERSION, NULL), SR_NOT_FOUND, "ResourceNotFound");
	expect_reason(call("PUT", DEFAULT_ID VERSION, BY_ROLES), SR_CONFLICT, "ConflictError");
	expect_ok(call("GET", DEFAULT_DELETED VERSION, NULL));
	assert_string_equal(text("type"), "Microsoft.KeyVault/deletedVaults");
	assert_string_equal(text("properties.vaultId"), DEFAULT_ID);
	expect_ok(call("GET", IN_SUB "deletedVaults" VERSION, NULL));
	assert_int_equal(json_array_size(at("value")), 1);
	expect_reason(call("GET", IN_SUB "locations/east/deletedVaults/default" VERSION, NULL), SR_NOT_FOUND,
	              "DeletedVaultNotFound");
	expect_code(call("PUT",
	                 "/subscriptions/" SUBSCRIPTION
	                 "/resourceGroups/rg9/providers/Microsoft.KeyVault/vaults/default" VERSION,
	                 "{\"location\":\"local\",\"properties\":{\"createMode\":\"recover\"}}"),
	            SR_INVALID);
	expect_ok(call("PUT", DEFAULT_ID VERSION, "{\"location\":\"local\",\"properties\":{\"createMode\":\"recover\"}}"));
	assert_string_equal(text("id"), DEFAULT_ID);
	expect_ok(open_kek(&resource));
	expect_ok(rig_call(&rig, "GET", "/keys/k", NULL));
}

struct count {
	const char *sql;
	int64_t count;
};

static struct sr_result count_work(struct sr_connection *connection, void *context)
{
	struct count *count = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, count->sql, &statement));
	bool is_row;
	SR_TRY(sr_step(statement, &is_row));
	count->count = sr_column_int(statement, 0);
	return sr_ok();
}

static int64_t count_of(const char *sql)
{
	struct count count = {sql, -1};
	expect_ok(sr_database_read(rig.vault.state.database, count_work, &count));
	return count.count;
}

static void a_purge_leaves_nothing_and_shreds_what_was_wrapped(void **state)
{
	(void)state;
	struct sr_id resource;
	put_key(&resource);
	expect_ok(
	    call("PUT", VAULTS "/other" VERSION, BODY(",\"accessPolicies\":[" POLICY(OBJECT, "\"keys\":[\"get\"]") "]")));
	expect_ok(call("PATCH", DEFAULT_ID VERSION,
	               "{\"properties\":{\"accessPolicies\":[" POLICY(
	                   OBJECT, "\"keys\":[\"get\"]") "],\"networkAcls\":{\"ipRules\":[{\"value\":\"::1\"}]}}}"));
	expect_ok(call("PUT", VAULTS "/other" VERSION,
	               BODY(",\"accessPolicies\":[],\"networkAcls\":{\"ipRules\":[{\"value\":\"::1\"}]}")));
	/* A kind of thing that this test knows nothing of. */
	rig_sql(&rig, "CREATE TABLE rocket(vault TEXT, name TEXT)");
	rig_sql(&rig, "INSERT INTO rocket VALUES('DEFAULT', 'a'), ('other', 'b')");
	expect_reason(call("POST", DEFAULT_DELETED "/purge" VERSION, NULL), SR_NOT_FOUND, "DeletedVaultNotFound");
	expect_ok(call("DELETE", DEFAULT_ID VERSION, NULL));
	rig_sql(&rig, "UPDATE vault SET purge_protection = 1 WHERE name = 'default'");
	expect_reason(call("POST", DEFAULT_DELETED "/purge" VERSION, NULL), SR_INVALID, "MethodNotAllowed");
	rig_sql(&rig, "UPDATE vault SET purge_protection = 0 WHERE name = 'default'");
	rig_sql(&rig, "INSERT INTO hardware_object VALUES(x'000102030405060708090a0b0c0d0e0f', 1, 'default', 'k', 'v')");
	expect_ok(call("POST", DEFAULT_DELETED "/purge" VERSION, NULL));
	assert_int_equal(count_of("SELECT count(*) FROM hardware_object WHERE state = 2"), 1); /* to be destroyed */
	assert_int_equal(count_of("SELECT count(*) FROM key"), 0);
	assert_int_equal(count_of("SELECT count(*) FROM key_version"), 0);
	assert_int_equal(count_of("SELECT count(*) FROM access_policy"), 0);
	assert_int_equal(count_of("SELECT count(*) FROM network_rule"), 1);
	assert_int_equal(count_of("SELECT count(*) FROM rocket"), 1);
	assert_int_equal(count_of("SELECT count(*) FROM vault"), 1);
	assert_int_equal(count_of("SELECT count(*) FROM kek WHERE wrapped IS NULL"), 1);
	expect_reason(open_kek(&resource), SR_REVOKED, "KeyNotFound");
	expect_reason(call("GET", DEFAULT_DELETED VERSION, NULL), SR_NOT_FOUND, "DeletedVaultNotFound");
	/* The name is free again, and the KEK stays shredded under a vault and a key of the same names. */
	expect_ok(call("PUT", DEFAULT_ID VERSION, BY_ROLES));
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"oct\",\"key_size\":256}"));
	expect_reason(open_kek(&resource), SR_REVOKED, "KeyNotFound");
}

/* Rows of every table, but of those that outlive a vault. */
static struct sr_result count_rows(struct sr_connection *connection, void *context)
{
	const char **table_with_rows = context;
	static const char *const outliving[] = {"record", "kek", "hardware_object", "strongroom_anchor"};
	SR_CLEANUP(sr_statement) struct sr_statement *tables = NULL;
	SR_TRY(sr_prepare(connection, "SELECT name FROM sqlite_schema WHERE type = 'table'", &tables));
	for (;;) {
		bool is_row, is_outliving = false;
		SR_TRY(sr_step(tables, &is_row));
		if (!is_row) {
			return sr_ok();
		}
		const char *name = sr_arena_text(rig.arena, sr_column_text(tables, 0));
		for (size_t i = 0; i < sizeof outliving / sizeof *outliving; i++) {
			is_outliving = is_outliving || strcmp(name, outliving[i]) == 0;
		}
		/* The cache of statements goes by the literal's address: each of these lives in the arena. */
		SR_CLEANUP(sr_statement) struct sr_statement *rows = NULL;
		SR_TRY(sr_prepare(connection, sr_arena_printf(rig.arena, "SELECT 1 FROM \"%s\" LIMIT 1", name), &rows));
		bool has_rows;
		SR_TRY(sr_step(rows, &has_rows));
		if (has_rows && !is_outliving && strncmp(name, "sqlite_", 7) != 0 && strncmp(name, "audit", 5) != 0) {
			*table_with_rows = name;
		}
	}
}

static void a_purge_leaves_no_row_of_any_kind_of_thing(void **state)
{
	(void)state;
	struct sr_id resource;
	put_key(&resource);
	expect_ok(rig_call(&rig, "PUT", "/secrets/s", "{\"value\":\"one\"}"));
	expect_ok(rig_call(&rig, "PUT", "/secrets/s", "{\"value\":\"two\"}"));
	expect_ok(rig_call(&rig, "PUT", "/secrets/gone", "{\"value\":\"three\"}"));
	expect_ok(rig_call(&rig, "DELETE", "/secrets/gone", NULL));
	expect_ok(rig_call(&rig, "PUT", "/certificates/issuers/ca", "{\"provider\":\"Test\"}"));
	expect_ok(rig_call(&rig, "PUT", "/certificates/contacts", "{\"contacts\":[{\"email\":\"a@example.org\"}]}"));
	for (unsigned i = 0; i < 2; i++) {
		static const char *const issuers[] = {"Self", "Strongroom"};
		char body[256];
		snprintf(body, sizeof body,
		         "{\"policy\":{\"issuer\":{\"name\":\"%s\"},\"key_props\":{\"kty\":\"EC\",\"crv\":\"P-256\"},"
		         "\"x509_props\":{\"subject\":\"CN=x\"}}}",
		         issuers[i]);
		expect_ok(rig_callf(&rig, "POST", body, "/certificates/c%u/create", i));
	}
	expect_ok(call("PATCH", DEFAULT_ID VERSION,
	               "{\"properties\":{\"accessPolicies\":[" POLICY(
	                   OBJECT, "\"keys\":[\"get\"]") "],\"networkAcls\":{"
	                                                 "\"ipRules\":[{\"value\":\"::1\"}]}}}"));
	assert_true(count_of("SELECT count(*) FROM secret_version") >= 5);
	assert_true(count_of("SELECT count(*) FROM certificate_version") == 2);
	assert_true(count_of("SELECT count(*) FROM certificate_ca") == 1);
	expect_ok(call("DELETE", DEFAULT_ID VERSION, NULL));
	expect_ok(call("POST", DEFAULT_DELETED "/purge" VERSION, NULL));
	const char *table_with_rows = NULL;
	expect_ok(sr_database_read(rig.vault.state.database, count_rows, &table_with_rows));
	if (table_with_rows) {
		fail_msg("there are rows in %s", table_with_rows);
	}
}

static void deleted_vaults_are_purged_when_their_time_comes(void **state)
{
	(void)state;
	struct sr_id resource;
	put_key(&resource);
	expect_ok(call("PUT", VAULTS "/second" VERSION,
	               BODY(",\"enableRbacAuthorization\":true,\"enablePurgeProtection\":true")));
	expect_ok(call("DELETE", DEFAULT_ID VERSION, NULL));
	expect_ok(call("DELETE", VAULTS "/second" VERSION, NULL));
	const int64_t now = sr_unix_s();
	expect_ok(sr_purge_vaults_run(&rig.vault, now + 89 * 86400));
	assert_int_equal(count_of("SELECT count(*) FROM vault"), 2);
	expect_ok(sr_purge_vaults_run(&rig.vault, now + 91 * 86400));
	assert_int_equal(count_of("SELECT count(*) FROM vault"), 0);
	assert_int_equal(count_of("SELECT count(*) FROM key_version"), 0);
	assert_int_equal(count_of("SELECT count(*) FROM audit WHERE entry LIKE '%VaultPurge%'"), 2);
	expect_reason(open_kek(&resource), SR_REVOKED, "KeyNotFound");
}

static void names_are_checked(void **state)
{
	(void)state;
#define NAME(name) "{\"name\":\"" name "\",\"type\":\"Microsoft.KeyVault/vaults\"}"
#define CHECK      IN_SUB "checkNameAvailability" VERSION
	expect_ok(call("POST", CHECK, NAME("free-one")));
	assert_true(json_is_true(at("nameAvailable")));
	expect_ok(call("POST", CHECK, NAME("Default")));
	assert_true(json_is_false(at("nameAvailable")));
	assert_string_equal(text("reason"), "AlreadyExists");
	expect_ok(call("DELETE", DEFAULT_ID VERSION, NULL));
	expect_ok(call("POST", CHECK, NAME("default")));
	assert_string_equal(text("reason"), "AlreadyExists");
	expect_ok(call("POST", CHECK, NAME("a")));
	assert_string_equal(text("reason"), "AccountNameInvalid");
	expect_code(call("POST", CHECK, "{}"), SR_INVALID);
	expect_code(call("POST", CHECK, NULL), SR_INVALID);
}

static void the_systems_own_vault_is_only_read(void **state)
{
	(void)state;
#define SYSTEM \
	"/subscriptions/" SUBSCRIPTION "/resourceGroups/strongroom/providers/Microsoft.KeyVault/vaults/Strongroom"
	expect_ok(sr_database_write(rig.vault.state.database, sr_system_vault_make, NULL));
	expect_ok(call("GET", SYSTEM VERSION, NULL));
	expect_reason(call("PUT", SYSTEM VERSION, BY_ROLES), SR_CONFLICT, "ScopeLocked");
	expect_reason(call("PATCH", SYSTEM VERSION, "{}"), SR_CONFLICT, "ScopeLocked");
	expect_reason(call("PUT", SYSTEM "/accessPolicies/add" VERSION, "{}"), SR_CONFLICT, "ScopeLocked");
	expect_reason(call("DELETE", SYSTEM VERSION, NULL), SR_CONFLICT, "ScopeLocked");
	expect_reason(call("POST", IN_SUB "locations/local/deletedVaults/strongroom/purge" VERSION, NULL), SR_CONFLICT,
	              "ScopeLocked");
	expect_ok(call("GET", SYSTEM VERSION, NULL));
}

static void callers_are_known_and_audited(void **state)
{
	(void)state;
	expect_ok(call("PUT", VAULTS "/seen" VERSION, BY_ROLES));
	assert_int_equal(count_of("SELECT count(*) FROM audit WHERE entry LIKE '%" OBJECT "%VaultPut%seen%201%'"), 1);
	assert_int_equal(count_of("SELECT count(*) FROM audit WHERE entry LIKE '%\"service\":\"workspace\"%VaultPut%'"), 1);
	expect_ok(call("GET", VAULTS "/seen" VERSION, NULL));
	assert_int_equal(count_of("SELECT count(*) FROM audit WHERE entry LIKE '%VaultGet%seen%200%'"), 1);
	expect_reason(call("GET", VAULTS "/none" VERSION, NULL), SR_NOT_FOUND, "ResourceNotFound");
	assert_int_equal(count_of("SELECT count(*) FROM audit WHERE entry LIKE '%none%404%ResourceNotFound%'"), 1);
	expect_reason(call_as("blob", OBJECT, "DELETE", VAULTS "/seen" VERSION, NULL), SR_DENIED, "AuthorizationFailed");
	assert_int_equal(count_of("SELECT count(*) FROM audit WHERE entry LIKE '%blob%403%AuthorizationFailed%'"), 1);
	expect_reason(call("PUT", VAULTS "/broken" VERSION, "{"), SR_INVALID, "InvalidRequestContent");
	expect_reason(call("PUT", VAULTS "/broken" VERSION, "[]"), SR_INVALID, "InvalidRequestContent");
	assert_int_equal(count_of("SELECT count(*) FROM audit WHERE entry LIKE '%VaultPut%broken%400%'"), 2);
	expect_reason(call_as("workspace", NULL, "DELETE", VAULTS "/seen" VERSION, NULL), SR_INVALID,
	              "InvalidRequestContent");
	expect_ok(call("GET", VAULTS "/seen" VERSION, NULL));
}

/* By the wire: a server with mutual TLS, as the vault's. */
static int status_over(uint16_t port, const char *service, const char *method, const char *target, const char *body,
                       const char *object_id, struct sr_buf *text_of_answer)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *own = service_certificate(identity->ca, service);
	struct sr_tls *tls;
	expect_ok(sr_tls_client_new(own, identity->ca, &tls));
	struct sr_client *client;
	expect_ok(sr_client_new(tls, "127.0.0.1", port, "vault", &client));
	const char *const headers[][2] = {{object_id ? SR_CALLER_OBJECT_ID : "x-nothing", object_id ? object_id : "-"},
	                                  {NULL, NULL}};
	const struct sr_client_request request = {
	    .method = method, .target = target, .headers = headers, .body = sr_bytes_str(body)};
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	expect_ok(sr_client_exchange(client, &request, &response));
	sr_buf_reset(text_of_answer);
	sr_buf_append(text_of_answer, sr_buf_bytes(&response.body));
	const int status = response.status;
	sr_client_free(client);
	sr_tls_free(tls);
	return status;
}

static void the_door_is_the_workspaces_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_certificate) struct sr_certificate *own = service_certificate(identity->ca, "vault");
	SR_CLEANUP(sr_buf) struct sr_buf body = SR_BUF(1 << 20);
	struct sr_tls *tls;
	expect_ok(sr_tls_server_new(own, identity->ca, SR_TLS_MUST_SHOW, &tls));
	const struct sr_server_options options = {
	    .handler = sr_vault_api_handle, .on_error = sr_vault_api_error, .context = &rig.vault};
	struct sr_server *server;
	uint16_t port;
	expect_ok(sr_server_new(&options, &server));
	expect_ok(sr_server_listen(server, tls, "127.0.0.1", 0, &port));
	expect_ok(sr_server_start(server));
	const char *target = VAULTS "/wired" VERSION;
	assert_int_equal(status_over(port, "workspace", "PUT", target, BY_ROLES, OBJECT, &body), 201);
	assert_non_null(strstr(sr_buf_text(&body), "\"wired\""));
	assert_int_equal(status_over(port, "workspace", "GET", target, "", OBJECT, &body), 200);
	assert_int_equal(status_over(port, "workspace", "GET", target, "", NULL, &body), 400);
	assert_int_equal(status_over(port, "blob", "GET", target, "", OBJECT, &body), 403);
	assert_non_null(strstr(sr_buf_text(&body), "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":"));
	assert_int_equal(status_over(port, "workspace", "PUT", target, "{", OBJECT, &body), 400);
	assert_int_equal(status_over(port, "workspace", "GET", "/keys?api-version=7.4", "", OBJECT, &body), 404);
	assert_int_equal(status_over(port, "workspace", "GET", "/_strongroom/vaults", "", OBJECT, &body), 404);
	assert_int_equal(status_over(port, "workspace", "DELETE", target, "", OBJECT, &body), 200);
	sr_server_stop(server, 1000);
	sr_tls_free(tls);
}

/* What the first version kept, opened by this one: its vaults go by roles, as they did, and nothing is closed. */
static void vaults_of_the_first_version_go_by_roles(void **state)
{
	(void)state;
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/first.db", rig.folder);
	struct sr_database_options options = {.path = path, .id = sr_id_random(), .schema = sr_vault_schema};
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	struct sr_database *ours = rig.vault.state.database;
	expect_ok(sr_secret_random(SR_KEY_LEN, &dek));
	expect_ok(sr_database_open(&options, dek, &rig.vault.state.database));
	rig_sql(&rig, "INSERT INTO vault VALUES('default', 'default', 1, 30, 1)");
	sr_database_close(rig.vault.state.database);
	options.upgrades = sr_vault_upgrades;
	expect_ok(sr_database_open(&options, dek, &rig.vault.state.database));
	expect_ok(call("GET", DEFAULT_ID VERSION, NULL));
	assert_true(json_is_true(at("properties.enableRbacAuthorization")));
	assert_true(json_is_true(at("properties.enablePurgeProtection")));
	assert_int_equal(json_integer_value(at("properties.softDeleteRetentionInDays")), 30);
	assert_string_equal(text("properties.publicNetworkAccess"), "Enabled");
	assert_string_equal(text("properties.networkAcls.defaultAction"), "Allow");
	assert_string_equal(text("location"), "local");
	sr_database_close(rig.vault.state.database);
	rig.vault.state.database = ours;
}

/* One durable step of a vault's life, by the code that the operations use. */
static struct sr_result next_of_life(struct sr_connection *connection, void *context)
{
	struct sr_vault_removal *removal = context;
	struct sr_vault_record vault;
	struct sr_result found = sr_vault_find_any(connection, rig.arena, SR_DEFAULT_VAULT, SR_VAULT_EITHER, &vault);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		vault = (struct sr_vault_record){.name = SR_DEFAULT_VAULT,
		                                 .resource_group = SR_DEFAULT_GROUP,
		                                 .created = sr_unix_s(),
		                                 .retention_days = 7,
		                                 .is_by_roles = true};
		return sr_vault_insert(connection, &vault);
	}
	SR_TRY(found);
	return vault.deleted_at == SR_NO_TIME ? sr_vault_delete(connection, rig.arena, &vault, sr_unix_s(), removal)
	                                      : sr_vault_destroy(connection, rig.arena, &vault, removal);
}

static struct sr_result live_on(void)
{
	struct sr_vault_removal removal = {0};
	SR_TRY(sr_database_write(rig.vault.state.database, next_of_life, &removal));
	sr_vault_removal_forget(&rig.vault.state, SR_DEFAULT_VAULT, &removal);
	sr_vault_removal_cleanup(&removal);
	return sr_ok();
}

/* What the child does until it is killed: a vault with a key and data under it, deleted, destroyed, made again. A
 * process of its own, since secret memory does not survive a fork. */
static int live_and_die_forever(const char *folder)
{
	snprintf(rig.folder, sizeof rig.folder, "%s", folder);
	expect_ok(sr_seal_init());
	rig_open(&rig);
	raise(SIGSTOP); /* begins when the parent is ready to count its time */
	for (;;) {
		const struct sr_id resource = sr_id_random();
		struct sr_result result = rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"oct\"}");
		if (sr_is_ok(result)) {
			result = rig_kek_create(&rig, &resource, "k", NULL);
		}
		sr_ignore(result); /* refused where the last life ended in the middle */
		if (!sr_is_ok(live_on())) {
			return 1;
		}
	}
}

static pid_t start_living(void)
{
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		execl("/proc/self/exe", "test_provider", "--live", rig.folder, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	kill(child, SIGCONT);
	return child;
}

static void a_kill_leaves_a_vault_whole_or_gone(void **state)
{
	(void)state;
	int64_t shredded = 0;
	for (unsigned i = 0; i < CRASHES; i++) {
		rig_close(&rig);
		const pid_t child = start_living();
		usleep((5000 + (unsigned)random() % 50000) * (IS_SLOW ? 5 : 1));
		kill(child, SIGKILL);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		rig_open(&rig);
		rig.vault.access = access_room;
		assert_int_equal(count_of("SELECT count(*) FROM kek WHERE wrapped IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
		                          "key_version AS v WHERE v.vault = kek.vault AND v.key = kek.key AND v.version = "
		                          "kek.version)"),
		                 0);
		assert_int_equal(count_of("SELECT count(*) FROM kek WHERE wrapped IS NULL AND EXISTS (SELECT 1 FROM "
		                          "key_version AS v WHERE v.vault = kek.vault AND v.key = kek.key AND v.version = "
		                          "kek.version)"),
		                 0);
		assert_int_equal(count_of("SELECT count(*) FROM key WHERE NOT EXISTS (SELECT 1 FROM key_version AS v WHERE "
		                          "v.vault = key.vault AND v.key = key.name)"),
		                 0);
		shredded = count_of("SELECT count(*) FROM kek WHERE wrapped IS NULL");
	}
	assert_true(shredded > CRASHES);
	print_message("%lld lives ended\n", (long long)shredded);
	expect_ok(sr_database_verify(rig.vault.state.database, NULL, NULL));
}

int main(int count, char **words)
{
	if (count == 3 && strcmp(words[1], "--live") == 0) {
		return live_and_die_forever(words[2]);
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_vault_is_made_shown_and_listed),
	    TEST(lists_come_in_pages),
	    TEST(updates_change_what_they_name),
	    TEST(what_never_changes_or_makes_no_sense_is_refused),
	    TEST(permission_models_default_by_the_version_of_the_api),
	    TEST(policies_are_added_replaced_and_removed),
	    TEST(deletion_takes_the_keys_away_and_recovery_gives_them_back),
	    TEST(a_purge_leaves_nothing_and_shreds_what_was_wrapped),
	    TEST(a_purge_leaves_no_row_of_any_kind_of_thing),
	    TEST(deleted_vaults_are_purged_when_their_time_comes),
	    TEST(names_are_checked),
	    TEST(the_systems_own_vault_is_only_read),
	    TEST(callers_are_known_and_audited),
	    TEST(the_door_is_the_workspaces_alone),
	    TEST(vaults_of_the_first_version_go_by_roles),
	    TEST(a_kill_leaves_a_vault_whole_or_gone),
	};
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
