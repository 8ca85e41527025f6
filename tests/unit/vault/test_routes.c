/* The table of operations: paths that reach them, versions of the API, vaults by host. */
#include "vault/api.h"

#include "check.h"

static struct sr_result find(struct sr_arena *arena, const char *method, const char *path,
                             const struct sr_vault_route **ret_route, const char **ret_name, const char **ret_version)
{
	struct sr_segments segments;
	SR_TRY(sr_segments_parse(arena, sr_bytes_str(path), &segments));
	return sr_vault_route_find(method, &segments, ret_route, ret_name, ret_version);
}

#define V "0123456789abcdef0123456789abcdef"

static void paths_reach_their_operations(void **state)
{
	(void)state;
	const struct {
		const char *method, *path, *operation, *name, *version;
	} cases[] = {
	    {"POST", "/keys/k/create", "KeyCreate", "k", NULL},
	    {"POST", "/keys/create/create", "KeyCreate", "create", NULL},
	    {"POST", "/keys/restore", "KeyRestore", NULL, NULL},
	    {"POST", "/keys/restore/backup", "KeyBackup", "restore", NULL},
	    {"PUT", "/keys/k", "KeyImport", "k", NULL},
	    {"GET", "/keys", "KeyList", NULL, NULL},
	    {"GET", "/keys/", "KeyList", NULL, NULL},
	    {"GET", "/keys/k", "KeyGet", "k", NULL},
	    {"GET", "/keys/k/", "KeyGet", "k", NULL},
	    {"GET", "/keys/k/" V, "KeyGet", "k", V},
	    {"GET", "/Keys/k/Versions", "KeyListVersions", "k", NULL},
	    {"GET", "/keys/versions", "KeyGet", "versions", NULL},
	    {"GET", "/keys/k/rotationpolicy", "KeyRotationPolicyGet", "k", NULL},
	    {"PUT", "/keys/k/rotationpolicy", "KeyRotationPolicySet", "k", NULL},
	    {"PATCH", "/keys/k/" V, "KeyUpdate", "k", V},
	    {"PATCH", "/keys/k/", "KeyUpdate", "k", NULL},
	    {"POST", "/keys/k/" V "/wrapkey", "KeyWrap", "k", V},
	    {"POST", "/keys/k//wrapkey", "KeyWrap", "k", NULL},
	    {"POST", "/keys/k/unwrapkey", "KeyUnwrap", "k", NULL},
	    {"POST", "/keys/k/rotate", "KeyRotate", "k", NULL},
	    {"DELETE", "/keys/k", "KeyDelete", "k", NULL},
	    {"DELETE", "/deletedkeys/k", "KeyPurge", "k", NULL},
	    {"POST", "/deletedkeys/k/recover", "KeyRecover", "k", NULL},
	    {"GET", "/keys/a%2Db", "KeyGet", "a-b", NULL},
	};
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct sr_vault_route *route;
		const char *name, *version;
		expect_ok(find(arena, cases[i].method, cases[i].path, &route, &name, &version));
		assert_string_equal(route->operation, cases[i].operation);
		assert_string_equal(name ? name : "", cases[i].name ? cases[i].name : "");
		assert_string_equal(version ? version : "", cases[i].version ? cases[i].version : "");
	}
}

static void what_is_in_no_table_does_not_exist(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_vault_route *route;
	const char *name, *version;
	const char *const nowhere[] = {
	    "/", "/key", "/keys/k/" V "/fly", "/keys/k/" V "/sign/again", "/deletedkeys/k/x", "/_strongroom"};
	for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
		expect_reason(find(arena, "POST", nowhere[i], &route, &name, &version), SR_NOT_FOUND, "NotFound");
	}
	expect_reason(find(arena, "DELETE", "/keys", &route, &name, &version), SR_INVALID, "MethodNotAllowed");
	expect_reason(find(arena, "BREW", "/keys/k", &route, &name, &version), SR_INVALID, "MethodNotAllowed");
}

static void versions_of_the_api_are_taken_from_7_0_on(void **state)
{
	(void)state;
	const char *const good[] = {"7.0", "7.4",  "7.5",        "7.6-preview.1",
	                            "8.0", "10.0", "2025-07-01", "2025-06-01-preview"};
	const char *const bad[] = {"",      "7",    "7.",   ".4",        "6.9",     "banana", "2025-7-1", "2025-07-01x",
	                           "7.4.1", "07.4", "7.4 ", "2016-10-0", "99999.1", "7.x",    "-7.4"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(sr_vault_is_api_version(good[i]));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(sr_vault_is_api_version(bad[i]));
	}
}

static void a_host_names_its_vault(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *const cases[][2] = {
	    {"mine.vault.localhost", "mine"},
	    {"mine.vault.azure.net", "mine"},
	    {"127.0.0.1", "default"},
	    {"localhost", "default"},
	    {"vault.localhost", "default"},
	    {".vault.x", "default"},
	    {"mine.vault.", "default"},
	    {"::1", "default"},
	    {"", "default"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(sr_vault_of_host(arena, cases[i][0]), cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_reach_their_operations),
	    cmocka_unit_test(what_is_in_no_table_does_not_exist),
	    cmocka_unit_test(versions_of_the_api_are_taken_from_7_0_on),
	    cmocka_unit_test(a_host_names_its_vault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
