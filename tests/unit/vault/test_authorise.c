/*
 * Who may do what in a vault: every role and every permission of access policies against every operation of the
 * program's own tables, over the code that requests go through (a real database, a real directory), held against
 * access.tsv, which was written from Azure's documentation. Then scopes, groups, the firewall, and the texts.
 */
#include "rig.h"

#include "../access/identity_double.h"

#include "vault/access_store.h"
#include "vault/api_error.h"
#include "vault/authorise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERSON  "99999999-0000-4000-8000-00000000000"
#define NOBODY_ PERSON "1"
#define MEMBER  PERSON "2"
#define GROUP   PERSON "3"
#define NARROW  PERSON "4" /* Crypto User of one key */
#define WHOLE   PERSON "5" /* Key Vault Administrator of another vault alone */
#define VAULT   "/subscriptions/" SUBSCRIPTION "/resourceGroups/default/providers/Microsoft.KeyVault/vaults/"

enum { ROWS_MAX = 256, ROLES_MAX = 64 };

/* One line of access.tsv. */
struct row {
	char method[8], path[64], permissions[128], roles[16];
	bool is_met;
};

static struct row rows[ROWS_MAX];
static size_t row_count;
static struct rig rig;
static struct identity_double *identity;
static struct sr_access *access_room;

static void read_rows(void)
{
	const char *path = getenv("ACCESS_TABLE");
	assert_non_null(path);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	char line[512];
	while (fgets(line, sizeof line, file)) {
		struct row *row = &rows[row_count];
		if (line[0] != '#' &&
		    sscanf(line, "%7s %63s %127s %15s", row->method, row->path, row->permissions, row->roles) == 4) {
			assert_true(++row_count < ROWS_MAX);
		}
	}
	fclose(file);
	assert_true(row_count > 70);
}

static struct row *row_of(const struct sr_vault_route *route)
{
	for (size_t i = 0; i < row_count; i++) {
		if (strcmp(rows[i].method, route->method) == 0 && strcmp(rows[i].path, route->pattern) == 0) {
			return &rows[i];
		}
	}
	fail_msg("access.tsv has no line for %s %s", route->method, route->pattern);
	return NULL;
}

/* A role's letter in access.tsv; '-' for roles that may do nothing in a vault. */
static char letter_of(const struct sr_role *role)
{
	static const struct {
		const char *name;
		char letter;
	} letters[] = {
	    {"Key Vault Administrator", 'A'},
	    {"Strongroom Administrator", 'A'},
	    {"Key Vault Reader", 'R'},
	    {"Key Vault Crypto Officer", 'O'},
	    {"Key Vault Crypto User", 'U'},
	    {"Key Vault Crypto Service Encryption User", 'S'},
	    {"Key Vault Crypto Service Release User", 'L'},
	    {"Key Vault Secrets Officer", 'E'},
	    {"Key Vault Secrets User", 'G'},
	    {"Key Vault Certificates Officer", 'C'},
	    {"Key Vault Certificate User", 'V'},
	};
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
		if (strcmp(role->name, letters[i].name) == 0) {
			return letters[i].letter;
		}
	}
	return '-';
}

static void principal_of_role(size_t index, char to[static SR_GUID_TEXT_LEN])
{
	snprintf(to, SR_GUID_TEXT_LEN, "%08zx-0000-4000-8000-000000000000", index + 1);
}

static void append_principal(struct sr_buf *text, const char *object_id)
{
	sr_buf_printf(text, "%s{\"oid\":\"%s\",\"appId\":\"%s\",\"name\":\"p\",\"enabled\":true}",
	              text->data[text->len - 1] == '[' ? "" : ",", object_id, object_id);
}

static void append_assignment(struct sr_buf *text, unsigned number, const char *object_id, const char *role,
                              const char *scope)
{
	sr_buf_printf(text,
	              "%s{\"id\":\"dddddddd-0000-4000-8000-%012u\",\"principal\":\"%s\",\"role\":\"%s\",\"scope\":\"%s\"}",
	              text->data[text->len - 1] == '[' ? "" : ",", number, object_id, role, scope);
}

/* A directory with a principal for each role, and some more. */
static void publish(void)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	const struct sr_role *role;
	char id[SR_GUID_TEXT_LEN];
	sr_buf_append_str(&text, "{\"revision\":1000,\"tenant\":\"" TENANT "\",\"subscription\":\"" SUBSCRIPTION
	                         "\",\"keys\":[],\"roles\":[],\"principals\":[");
	for (size_t i = 0; (role = sr_role_at(i)); i++) {
		principal_of_role(i, id);
		append_principal(&text, id);
	}
	append_principal(&text, NOBODY_);
	append_principal(&text, MEMBER);
	append_principal(&text, NARROW);
	append_principal(&text, WHOLE);
	sr_buf_append_str(&text, "],\"groups\":[{\"id\":\"" GROUP "\",\"name\":\"g\",\"members\":[\"" MEMBER
	                         "\"]}],\"assignments\":[");
	unsigned number = 1;
	for (size_t i = 0; (role = sr_role_at(i)); i++) {
		principal_of_role(i, id);
		append_assignment(&text, number++, id, role->id, VAULT "default");
	}
	append_assignment(&text, number++, NARROW, "12338af0-0e69-4776-bea7-57ae8d297424", VAULT "default/keys/mine");
	append_assignment(&text, number++, WHOLE, "00482a5a-887f-4fb3-b363-3b7fe8e74483", VAULT "defaults");
	sr_buf_append_str(&text, "]}");
	identity_double_publish(identity, &(struct directory_wish){.raw = sr_buf_text(&text)});
}

static int set_up(void **state)
{
	(void)state;
	read_rows();
	identity = identity_double_start();
	publish();
	access_room = follow(identity);
	rig_open(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sr_access_stop(access_room);
	identity_double_stop(identity);
	rig_end(&rig);
	return 0;
}

struct question {
	struct sr_principal who;
	struct sr_vault_request request;
	struct sr_vault_admission admission;
};

static struct sr_result read_admission(struct sr_connection *connection, void *context)
{
	struct question *question = context;
	return sr_vault_admission_read(connection, rig.arena, SR_DEFAULT_VAULT, &question->request, &question->admission);
}

/* What a request comes to, from a token's principal to the verdict. */
static struct sr_result ask_from(const char *object_id, const struct sr_vault_route *route, const char *object,
                                 const char *from)
{
	struct question question = {
	    .who = {.object_id = object_id, .app_id = object_id, .tenant = TENANT, .name = "p"},
	    .request = {.from = from, .route = route, .object = object},
	};
	question.request.who = &question.who;
	const char *assignment;
	SR_TRY(sr_database_read(rig.vault.state.database, read_admission, &question));
	return sr_vault_admit(access_room, rig.arena, &question.request, &question.admission, &assignment);
}

/* Is it allowed? A refusal must be for this reason. */
static bool may(const char *object_id, const struct sr_vault_route *route, const char *reason)
{
	SR_CLEANUP(sr_result) struct sr_result outcome = ask_from(object_id, route, "x", "127.0.0.1");
	if (!sr_is_ok(outcome)) {
		assert_int_equal(sr_result_code(outcome), SR_DENIED);
		assert_string_equal(sr_result_reason(outcome), reason);
		const struct sr_vault_error answer = sr_vault_error_of(outcome);
		assert_int_equal(answer.status, 403);
		assert_string_equal(answer.code, "Forbidden");
		assert_string_equal(answer.inner, reason);
	}
	return sr_is_ok(outcome);
}

static const struct sr_vault_route *route_of(const char *operation)
{
	const struct sr_vault_route *route;
	for (size_t i = 0; (route = sr_vault_route_at(i)); i++) {
		if (strcmp(route->operation, operation) == 0) {
			return route;
		}
	}
	fail_msg("no operation %s", operation);
	return NULL;
}

/* Every line of a collection that the program serves at all must be served. */
static void every_operation_of_the_reference_is_served(void **state)
{
	(void)state;
	const struct sr_vault_route *route;
	bool has[SR_POLICY_COLLECTIONS] = {false};
	for (size_t i = 0; (route = sr_vault_route_at(i)); i++) {
		enum sr_policy_collection collection;
		uint64_t mask;
		assert_true(sr_policy_requirement(route->permission, &collection, &mask));
		has[collection] = true;
		row_of(route)->is_met = true;
	}
	assert_true(has[SR_POLICY_KEYS]);
	for (size_t i = 0; i < row_count; i++) {
		enum sr_policy_collection collection;
		uint64_t mask;
		char first[128];
		snprintf(first, sizeof first, "%.*s", (int)strcspn(rows[i].permissions, "|"), rows[i].permissions);
		assert_true(sr_policy_requirement(first, &collection, &mask));
		if (has[collection] && !rows[i].is_met) {
			fail_msg("nothing serves %s %s", rows[i].method, rows[i].path);
		}
	}
}

static void by_roles_every_role_may_do_what_azure_says_and_nothing_else(void **state)
{
	(void)state;
	const struct sr_role *role;
	const struct sr_vault_route *route;
	unsigned cells = 0, allowed = 0, letters = 0;
	rig_sql(&rig, "UPDATE vault SET by_roles = 1");
	for (size_t r = 0; (role = sr_role_at(r)); r++) {
		char id[SR_GUID_TEXT_LEN];
		const char letter = letter_of(role);
		letters += letter != '-';
		principal_of_role(r, id);
		for (size_t i = 0; (route = sr_vault_route_at(i)); i++, cells++) {
			const bool expected = strchr(row_of(route)->roles, letter) != NULL;
			if (may(id, route, "ForbiddenByRbac") != expected) {
				fail_msg("%s %s %s %s", role->name, expected ? "must be allowed" : "must not be allowed", route->method,
				         route->pattern);
			}
			allowed += expected;
		}
	}
	assert_int_equal(letters, 11);
	print_message("%u cells, %u allowed\n", cells, allowed);
	assert_true(cells > 700 && allowed > 100);
}

static struct sr_result write_policies(struct sr_connection *connection, void *context)
{
	return sr_access_policies_write(connection, SR_DEFAULT_VAULT, context, 1);
}

/* The vault's only policy grants `object_id` one permission. */
static void grant(const char *object_id, const char *application_id, int collection, size_t bit)
{
	struct sr_access_policy policy = {.object_id = object_id, .application_id = application_id};
	policy.permissions[collection] = UINT64_C(1) << bit;
	expect_ok(sr_database_write(rig.vault.state.database, write_policies, &policy));
}

/* Is a permission, "keys/get", among those of a line, or "all" of its collection? */
static bool is_enough(const char *permissions, const char *collection, const char *name)
{
	char wanted[64];
	snprintf(wanted, sizeof wanted, "%s/%s", collection, name);
	const size_t len = strlen(wanted);
	for (const char *at = permissions; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, wanted, len) == 0 && (at[len] == '|' || !at[len])) {
			return true;
		}
	}
	return strcmp(name, "all") == 0 && strncmp(permissions, collection, strlen(collection)) == 0 &&
	       permissions[strlen(collection)] == '/' && !strstr(permissions, "/purge");
}

static void by_policies_every_permission_allows_what_azure_says_and_nothing_else(void **state)
{
	(void)state;
	const struct sr_vault_route *route;
	unsigned cells = 0, allowed = 0;
	char administrator[SR_GUID_TEXT_LEN]; /* whose roles must not count */
	principal_of_role(0, administrator);
	rig_sql(&rig, "UPDATE vault SET by_roles = 0");
	for (int collection = 0; collection < SR_POLICY_COLLECTIONS; collection++) {
		const char *name;
		for (size_t bit = 0; (name = sr_policy_permission_at(collection, bit)); bit++) {
			grant(NOBODY_, "", collection, bit);
			for (size_t i = 0; (route = sr_vault_route_at(i)); i++, cells++) {
				const bool expected =
				    is_enough(row_of(route)->permissions, sr_policy_collection_name(collection), name);
				if (may(NOBODY_, route, "AccessDenied") != expected) {
					fail_msg("%s/%s %s %s %s", sr_policy_collection_name(collection), name,
					         expected ? "must allow" : "must not allow", route->method, route->pattern);
				}
				assert_false(may(MEMBER, route, "AccessDenied"));
				assert_false(may(administrator, route, "AccessDenied"));
				allowed += expected;
			}
		}
	}
	print_message("%u cells, %u allowed\n", cells, allowed);
	assert_true(cells > 1900 && allowed > 60);
}

static void policies_do_nothing_while_a_vault_goes_by_roles(void **state)
{
	(void)state;
	const struct sr_vault_route *route;
	rig_sql(&rig, "UPDATE vault SET by_roles = 1");
	for (int collection = 0; collection < SR_POLICY_COLLECTIONS; collection++) {
		grant(NOBODY_, "", collection, 0);
		for (size_t i = 0; (route = sr_vault_route_at(i)); i++) {
			assert_false(may(NOBODY_, route, "ForbiddenByRbac"));
		}
	}
}

static void a_groups_policy_counts_for_its_members(void **state)
{
	(void)state;
	const struct sr_vault_route *get = route_of("KeyGet");
	rig_sql(&rig, "UPDATE vault SET by_roles = 0");
	grant(GROUP, "", SR_POLICY_KEYS, 7);
	assert_true(may(MEMBER, get, "AccessDenied"));
	assert_false(may(NOBODY_, get, "AccessDenied"));
	assert_false(may(MEMBER, route_of("KeyCreate"), "AccessDenied"));
}

static void a_policy_for_a_client_counts_by_way_of_it_alone(void **state)
{
	(void)state;
	const struct sr_vault_route *get = route_of("KeyGet");
	rig_sql(&rig, "UPDATE vault SET by_roles = 0");
	grant(NOBODY_, NOBODY_, SR_POLICY_KEYS, 7); /* the tests' principals come by clients of their own ids */
	assert_true(may(NOBODY_, get, "AccessDenied"));
	grant(NOBODY_, MEMBER, SR_POLICY_KEYS, 7);
	assert_false(may(NOBODY_, get, "AccessDenied"));
	grant(GROUP, MEMBER, SR_POLICY_KEYS, 7);
	assert_true(may(MEMBER, get, "AccessDenied"));
	grant(GROUP, NOBODY_, SR_POLICY_KEYS, 7);
	assert_false(may(MEMBER, get, "AccessDenied"));
}

static void roles_hold_where_they_were_given(void **state)
{
	(void)state;
	rig_sql(&rig, "UPDATE vault SET by_roles = 1");
	const struct {
		const char *operation, *object;
		enum sr_code code;
	} cases[] = {
	    {"KeyGet", "mine", SR_OK},        {"KeySign", "MINE", SR_OK},      {"KeyGet", "other", SR_DENIED},
	    {"KeyGet", "mine2", SR_DENIED},   {"KeyList", NULL, SR_DENIED},    {"KeyGetDeleted", "mine", SR_OK},
	    {"KeyCreate", "mine", SR_DENIED}, {"KeyRestore", NULL, SR_DENIED},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		expect_code(ask_from(NARROW, route_of(cases[i].operation), cases[i].object, "127.0.0.1"), cases[i].code);
	}
	expect_code(ask_from(WHOLE, route_of("KeyGet"), "x", "127.0.0.1"), SR_DENIED);
	expect_code(ask_from("12121212-0000-4000-8000-000000000000", route_of("KeyGet"), "x", "127.0.0.1"), SR_DENIED);
}

static struct sr_result write_rules(struct sr_connection *connection, void *context)
{
	return sr_network_rules_write(connection, SR_DEFAULT_VAULT, context, 2);
}

static void the_firewall_comes_before_permissions(void **state)
{
	(void)state;
	char administrator[SR_GUID_TEXT_LEN];
	const struct sr_role *role;
	for (size_t i = 0; (role = sr_role_at(i)); i++) {
		if (strcmp(role->name, "Key Vault Administrator") == 0) {
			principal_of_role(i, administrator);
		}
	}
	const struct sr_vault_route *get = route_of("KeyGet");
	struct sr_network_range ranges[2];
	expect_ok(sr_network_range_parse("10.0.0.0/8", &ranges[0]));
	expect_ok(sr_network_range_parse("::1", &ranges[1]));
	expect_ok(sr_database_write(rig.vault.state.database, write_rules, ranges));
	rig_sql(&rig, "UPDATE vault SET by_roles = 1, denies = 1");
	static const struct {
		const char *from;
		bool is_in;
	} cases[] = {{"10.255.0.1", true}, {"::ffff:10.0.0.1", true}, {"::1", true},
	             {"127.0.0.1", false}, {"11.0.0.1", false},       {"::2", false},
	             {"", false},          {"unknown", false},        {"local", false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (unsigned who = 0; who < 2; who++) {
			const char *reason = cases[i].is_in ? "ForbiddenByRbac" : "ForbiddenByFirewall";
			const bool is_allowed = cases[i].is_in && who == 0;
			expect_reason(ask_from(who ? NOBODY_ : administrator, get, "x", cases[i].from),
			              is_allowed ? SR_OK : SR_DENIED, is_allowed ? NULL : reason);
		}
	}
	rig_sql(&rig, "UPDATE vault SET denies = 0, is_public = 0");
	expect_reason(ask_from(administrator, get, "x", "10.0.0.1"), SR_DENIED, "ForbiddenByConnection");
	rig_sql(&rig, "UPDATE vault SET is_public = 1");
	expect_ok(ask_from(administrator, get, "x", "203.0.113.1"));
	struct question local = {.who = {.object_id = "local", .is_local = true},
	                         .request = {.from = "local", .route = get, .object = "x"}};
	local.request.who = &local.who;
	rig_sql(&rig, "UPDATE vault SET denies = 1, is_public = 0");
	const char *assignment;
	expect_ok(sr_database_read(rig.vault.state.database, read_admission, &local));
	expect_ok(sr_vault_admit(access_room, rig.arena, &local.request, &local.admission, &assignment));
	rig_sql(&rig, "UPDATE vault SET denies = 0, is_public = 1");
}

static void message_is(struct sr_result outcome, const char *expected)
{
	assert_string_equal(sr_result_message(outcome), expected);
	sr_result_free(outcome);
}

static void refusals_are_worded_as_key_vault_words_them(void **state)
{
	(void)state;
	const struct sr_vault_route *get = route_of("KeyGet");
#define CALLER "appid=" NOBODY_ ";oid=" NOBODY_ ";iss=" AUTHORITY "/" TENANT "/"
	rig_sql(&rig, "UPDATE vault SET by_roles = 1");
	message_is(ask_from(NOBODY_, get, "k1", "1.2.3.4"),
	           "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or "
	           "role definitions were changed recently, please observe propagation time.\r\nCaller: " CALLER
	           "\r\nAction: 'Microsoft.KeyVault/vaults/keys/read'\r\nResource: '" VAULT
	           "default/keys/k1'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: "
	           "'DeniedWithNoValidRBAC'\r\nVault: default;location=local\r\n");
	rig_sql(&rig, "UPDATE vault SET by_roles = 0");
	message_is(ask_from(NOBODY_, get, "k1", "1.2.3.4"),
	           "The user, group or application '" CALLER
	           "' does not have keys get permission on key vault 'default;location=local'. It is granted by: "
	           "strongroom vault policy set default --object-id " NOBODY_ " --keys get");
	rig_sql(&rig, "UPDATE vault SET denies = 1");
	message_is(ask_from(NOBODY_, get, "k1", "1.2.3.4"),
	           "Client address is not authorized and caller is not a trusted service.\r\nClient address: "
	           "1.2.3.4\r\nCaller: " CALLER "\r\nVault: default;location=local");
	rig_sql(&rig, "UPDATE vault SET is_public = 0");
	message_is(ask_from(NOBODY_, get, "k1", "1.2.3.4"),
	           "Public network access is disabled and request is not from a trusted service nor via an approved "
	           "private link.\r\nCaller: " CALLER "\r\nVault: default;location=local");
	rig_sql(&rig, "UPDATE vault SET is_public = 1, denies = 0, by_roles = 1");
}

static void a_deleted_vault_is_not_found(void **state)
{
	(void)state;
	rig_sql(&rig, "UPDATE vault SET deleted_at = 1, purge_at = 2");
	expect_reason(ask_from(NOBODY_, route_of("KeyGet"), "x", "127.0.0.1"), SR_NOT_FOUND, "VaultNotFound");
	rig_sql(&rig, "UPDATE vault SET deleted_at = NULL, purge_at = NULL");
}

static void who_may_give_only_some_roles_may_give_no_others(void **state)
{
	(void)state;
	const struct sr_role *giver = sr_role_find("Key Vault Data Access Administrator");
	const struct sr_role *owner = sr_role_find("Owner");
	const struct sr_role *role;
	unsigned given = 0;
	for (size_t i = 0; (role = sr_role_at(i)); i++) {
		static const char letters[] = "AOSURECG";
		const bool expected = strchr(letters, letter_of(role)) && strcmp(role->name, "Strongroom Administrator") != 0;
		assert_true(sr_role_may_assign(giver, role->id, false) == expected);
		assert_true(sr_role_may_assign(giver, role->id, true) == expected);
		assert_true(sr_role_may_assign(owner, role->id, false));
		assert_false(sr_role_may_assign(sr_role_find("Contributor"), role->id, false));
		given += expected;
	}
	assert_int_equal(given, 8);
	assert_false(sr_role_may_assign(giver, "no-such-role", false));
	assert_false(sr_role_allows(giver, "Microsoft.Authorization/roleAssignments/write", false));
	assert_false(sr_role_allows(giver, "microsoft.authorization/ROLEASSIGNMENTS/delete", false));
	assert_true(sr_role_allows(giver, "Microsoft.Authorization/roleAssignments/read", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_operation_of_the_reference_is_served),
	    cmocka_unit_test(by_roles_every_role_may_do_what_azure_says_and_nothing_else),
	    cmocka_unit_test(by_policies_every_permission_allows_what_azure_says_and_nothing_else),
	    cmocka_unit_test(policies_do_nothing_while_a_vault_goes_by_roles),
	    cmocka_unit_test(a_groups_policy_counts_for_its_members),
	    cmocka_unit_test(a_policy_for_a_client_counts_by_way_of_it_alone),
	    cmocka_unit_test(roles_hold_where_they_were_given),
	    cmocka_unit_test(the_firewall_comes_before_permissions),
	    cmocka_unit_test(refusals_are_worded_as_key_vault_words_them),
	    cmocka_unit_test(a_deleted_vault_is_not_found),
	    cmocka_unit_test(who_may_give_only_some_roles_may_give_no_others),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
