/* Built-in roles, and the matching of actions and scopes. */
#include "access/role.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fnmatch.h>
#include <string.h>

#define KEYS      "Microsoft.KeyVault/vaults/keys/"
#define SECRETS   "Microsoft.KeyVault/vaults/secrets/"
#define CONTAINER "Microsoft.Storage/storageAccounts/blobServices/containers/"
#define BLOB      CONTAINER "blobs/"
#define DELEGATE  "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"

/* Every action that this installation's services ask for, and some that they must not confuse with them. */
static const struct action {
	const char *name;
	bool is_data;
} actions[] = {
    {KEYS "read", true},
    {KEYS "create/action", true},
    {KEYS "import/action", true},
    {KEYS "update/action", true},
    {KEYS "delete", true},
    {KEYS "recover/action", true},
    {KEYS "purge/action", true},
    {KEYS "backup/action", true},
    {KEYS "restore/action", true},
    {KEYS "encrypt/action", true},
    {KEYS "decrypt/action", true},
    {KEYS "wrap/action", true},
    {KEYS "unwrap/action", true},
    {KEYS "sign/action", true},
    {KEYS "verify/action", true},
    {KEYS "rotate/action", true},
    {SECRETS "getSecret/action", true},
    {SECRETS "setSecret/action", true},
    {SECRETS "readMetadata/action", true},
    {SECRETS "delete", true},
    {BLOB "read", true},
    {BLOB "write", true},
    {BLOB "delete", true},
    {BLOB "add/action", true},
    {BLOB "filter/action", true},
    {BLOB "tags/read", true},
    {BLOB "tags/write", true},
    {BLOB "move/action", true},
    {CONTAINER "read", false},
    {CONTAINER "write", false},
    {CONTAINER "delete", false},
    {DELEGATE, false},
    {"Microsoft.Storage/storageAccounts/listKeys/action", false},
    {"Microsoft.Storage/storageAccounts/write", false},
    {"Microsoft.KeyVault/vaults/write", false},
    {"Microsoft.KeyVault/vaults/read", false},
    {"Microsoft.KeyVault/locations/deletedVaults/purge/action", false},
    {"Microsoft.Authorization/roleAssignments/write", false},
    {"Microsoft.Authorization/roleAssignments/delete", false},
    {"Microsoft.Authorization/roleAssignments/read", false},
};
enum { ACTION_COUNT = sizeof actions / sizeof *actions };

/* What each role allows of them: written out by hand, '1' or '0' in the order above. */
static const struct {
	const char *role;
	const char *allowed;
} expectations[] = {
    /* Lines: keys, secrets, blobs, containers, management. */
    {"Owner", "0000000000000000"
              "0000"
              "00000000"
              "1111"
              "11111111"},
    {"Contributor", "0000000000000000"
                    "0000"
                    "00000000"
                    "1111"
                    "11111001"},
    {"Reader", "0000000000000000"
               "0000"
               "00000000"
               "1000"
               "00010001"},
    {"User Access Administrator", "0000000000000000"
                                  "0000"
                                  "00000000"
                                  "1000"
                                  "00010111"},
    {"Storage Account Contributor", "0000000000000000"
                                    "0000"
                                    "00000000"
                                    "1111"
                                    "11000001"},
    {"Storage Blob Data Owner", "0000000000000000"
                                "0000"
                                "11111111"
                                "1111"
                                "00000000"},
    {"Storage Blob Data Contributor", "0000000000000000"
                                      "0000"
                                      "11110001"
                                      "1111"
                                      "00000000"},
    {"Storage Blob Data Reader", "0000000000000000"
                                 "0000"
                                 "10000000"
                                 "1001"
                                 "00000000"},
    {"Storage Blob Delegator", "0000000000000000"
                               "0000"
                               "00000000"
                               "0001"
                               "00000000"},
    {"Key Vault Administrator", "1111111111111111"
                                "1111"
                                "00000000"
                                "0000"
                                "00000001"},
    {"Key Vault Certificates Officer", "0000000000000000"
                                       "0000"
                                       "00000000"
                                       "0000"
                                       "00000001"},
    {"Key Vault Crypto Officer", "1111111111111111"
                                 "0000"
                                 "00000000"
                                 "0000"
                                 "00000001"},
    {"Key Vault Crypto Service Encryption User", "1000000000011000"
                                                 "0000"
                                                 "00000000"
                                                 "0000"
                                                 "00000000"},
    {"Key Vault Crypto User", "1001000101111110"
                              "0000"
                              "00000000"
                              "0000"
                              "00000000"},
    {"Key Vault Reader", "1000000000000000"
                         "0010"
                         "00000000"
                         "0000"
                         "00000001"},
    {"Key Vault Secrets Officer", "0000000000000000"
                                  "1111"
                                  "00000000"
                                  "0000"
                                  "00000001"},
    {"Key Vault Secrets User", "0000000000000000"
                               "1010"
                               "00000000"
                               "0000"
                               "00000000"},
    {"Key Vault Contributor", "0000000000000000"
                              "0000"
                              "00000000"
                              "0000"
                              "00110001"},
    {"Key Vault Certificate User", "1000000000000000"
                                   "1010"
                                   "00000000"
                                   "0000"
                                   "00000000"},
    {"Key Vault Crypto Service Release User", "0000000000000000"
                                              "0000"
                                              "00000000"
                                              "0000"
                                              "00000000"},
    {"Key Vault Data Access Administrator", "0000000000000000"
                                            "0000"
                                            "00000000"
                                            "0000"
                                            "00000001"},
    {"Key Vault Purge Operator", "0000000000000000"
                                 "0000"
                                 "00000000"
                                 "0000"
                                 "00001000"},
    {"Strongroom Administrator", "1111111111111111"
                                 "1111"
                                 "11111111"
                                 "1111"
                                 "11111111"},
};

static void each_role_allows_exactly_what_is_expected(void **state)
{
	(void)state;
	size_t count = sizeof expectations / sizeof *expectations;
	assert_null(sr_role_at(count)); /* a role without expectations would pass unseen */
	for (size_t i = 0; i < count; i++) {
		const struct sr_role *role = sr_role_find(expectations[i].role);
		assert_non_null(role);
		assert_int_equal(strlen(expectations[i].allowed), ACTION_COUNT);
		for (size_t j = 0; j < ACTION_COUNT; j++) {
			bool expected = expectations[i].allowed[j] == '1';
			if (sr_role_allows(role, actions[j].name, actions[j].is_data) != expected) {
				fail_msg("%s: %s should be %s", role->name, actions[j].name, expected ? "allowed" : "refused");
			}
		}
	}
}

static void data_actions_are_not_granted_as_management_nor_the_other_way(void **state)
{
	(void)state;
	const struct sr_role *crypto_user = sr_role_find("Key Vault Crypto User");
	assert_true(sr_role_allows(crypto_user, KEYS "wrap/action", true));
	assert_false(sr_role_allows(crypto_user, KEYS "wrap/action", false));
	const struct sr_role *owner = sr_role_find("Owner");
	assert_true(sr_role_allows(owner, BLOB "read", false));
	assert_false(sr_role_allows(owner, BLOB "read", true));
}

static void roles_are_found_by_id_and_by_name_in_any_case(void **state)
{
	(void)state;
	const struct sr_role *role;
	for (size_t i = 0; (role = sr_role_at(i)); i++) {
		assert_true(sr_is_guid(sr_bytes_str(role->id)));
		assert_ptr_equal(sr_role_find(role->id), role);
		assert_ptr_equal(sr_role_find(role->name), role);
	}
	assert_string_equal(sr_role_find("KEY VAULT crypto user")->id, "12338af0-0e69-4776-bea7-57ae8d297424");
	assert_string_equal(sr_role_find("B24988AC-6180-42A0-AB88-20F7382DD24C")->name, "Contributor");
	assert_null(sr_role_find(""));
	assert_null(sr_role_find("Key Vault"));
}

static bool allows_pattern(const char *pattern, const char *action)
{
	const char *const granted[] = {pattern, NULL};
	const char *const nothing[] = {NULL};
	const struct sr_role role = {"id", "name", nothing, nothing, granted, nothing, NULL};
	return sr_role_allows(&role, action, true);
}

/* Every pattern and every action of up to five characters out of these; the C library's own matching is the judge. */
static void stars_match_as_the_c_library_has_it(void **state)
{
	(void)state;
	static const char pattern_characters[] = "*a/B";
	static const char action_characters[] = "a/b";
	for (int p = 0; p < 4 * 4 * 4 * 4 * 4; p++) {
		char pattern[6] = {0};
		for (int i = 0, rest = p; i < 5; i++, rest /= 4) {
			pattern[i] = pattern_characters[rest % 4];
		}
		for (int a = 0; a < 3 * 3 * 3 * 3 * 3; a++) {
			char action[6] = {0};
			for (int i = 0, rest = a; i < 5; i++, rest /= 3) {
				action[i] = action_characters[rest % 3];
			}
			for (size_t len = 0; len <= 5; len++) {
				bool expected = fnmatch(pattern, action + len, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
				assert_true(allows_pattern(pattern, action + len) == expected);
				expected = fnmatch(pattern + len, action, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
				assert_true(allows_pattern(pattern + len, action) == expected);
			}
		}
	}
}

static void not_actions_take_away_from_their_own_kind_only(void **state)
{
	(void)state;
	const char *const all[] = {"*", NULL};
	const char *const writes[] = {"*/write", "a/b/*", NULL};
	const char *const nothing[] = {NULL};
	const struct sr_role role = {"id", "name", all, nothing, all, writes, NULL};
	assert_false(sr_role_allows(&role, "x/Write", true));
	assert_false(sr_role_allows(&role, "a/b/read", true));
	assert_true(sr_role_allows(&role, "a/read", true));
	assert_true(sr_role_allows(&role, "x/write", false));
}

static void a_scope_covers_itself_and_what_is_below(void **state)
{
	(void)state;
	static const struct {
		const char *assigned, *scope;
		bool covers;
	} cases[] = {
	    {"/", "/a", true},         {"/", "/", true},        {"/a/b", "/a/b", true},    {"/a/b", "/a/b/c", true},
	    {"/A/b", "/a/B/c", true},  {"/a/b/", "/a/b", true}, {"/a/b/", "/a/b/c", true}, {"/a/b", "/a/b/", true},
	    {"/a/b", "/a/bc", false},  {"/a/b", "/a", false},   {"/a/b", "/", false},      {"/a/b", "/a/", false},
	    {"/a/b", "/x/a/b", false}, {"", "/a", false},       {"", "", false},           {"a", "a", false},
	    {"/", "a", false},         {"/", "", false},        {"//", "/a", true},        {"/a/b/c", "/a/b/cd/e", false},
	    {"/a%2Fb", "/a/b", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (sr_scope_covers(cases[i].assigned, cases[i].scope) != cases[i].covers) {
			fail_msg("'%s' and '%s'", cases[i].assigned, cases[i].scope);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_role_allows_exactly_what_is_expected),
	    cmocka_unit_test(data_actions_are_not_granted_as_management_nor_the_other_way),
	    cmocka_unit_test(roles_are_found_by_id_and_by_name_in_any_case),
	    cmocka_unit_test(stars_match_as_the_c_library_has_it),
	    cmocka_unit_test(not_actions_take_away_from_their_own_kind_only),
	    cmocka_unit_test(a_scope_covers_itself_and_what_is_below),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
