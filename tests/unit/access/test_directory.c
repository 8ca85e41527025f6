/*
 * What a snapshot concludes: memberships, scopes, denials. Small documents by hand; large random ones are held against
 * a model that is as naive as can be.
 */
#include "check.h"
#include "seal_init.h"

#include "access/directory.h"
#include "wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TENANT     "11111111-1111-4111-8111-111111111111"
#define ID(digit)  digit digit digit digit digit digit digit digit "-0000-4000-8000-000000000000"
#define HEAD       "{\"revision\":1,\"tenant\":\"" TENANT "\",\"subscription\":\"" TENANT "\",\"keys\":[]"
#define PERSON(d)  "{\"oid\":\"" ID(d) "\",\"type\":\"User\",\"name\":\"p" d "\",\"enabled\":true}"
#define READER     "acdd72a7-3385-48ef-bd42-f606fba81ae7"
#define OWNER      "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
#define MANAGEMENT "/providers/Microsoft.Management/managementGroups/"

static struct sr_directory *parse(const char *document)
{
	struct sr_directory *directory = NULL;
	expect_ok(sr_directory_parse(sr_bytes_str(document), &directory));
	return directory;
}

static bool is_member(const struct sr_directory *directory, const char *member, const char *group)
{
	const struct sr_principal_entry *entry = sr_directory_principal(directory, member);
	entry = entry ? entry : sr_directory_group(directory, member);
	assert_non_null(entry);
	assert_non_null(sr_directory_group(directory, group));
	return sr_directory_is_member(directory, entry, sr_directory_group(directory, group));
}

static bool allows(const struct sr_directory *directory, const char *who, const char *action, const char *scope)
{
	const struct sr_principal_entry *entry = sr_directory_principal(directory, who);
	assert_non_null(entry);
	struct sr_scope_place place = sr_directory_place(directory, scope);
	return !sr_directory_denying(directory, entry, action, false, &place) &&
	       sr_directory_allowing(directory, entry, action, false, &place);
}

static void membership_reaches_through_groups(void **state)
{
	(void)state;
	SR_CLEANUP(sr_directory)
	struct sr_directory *directory = parse(HEAD ",\"principals\":[" PERSON("1") "," PERSON(
	    "2") "],\"groups\":["
	         "{\"id\":\"" ID("a") "\",\"name\":\"a\",\"members\":[\"" ID(
	             "1") "\"]},"
	                  "{\"id\":\"" ID("b") "\",\"name\":\"b\",\"members\":[\"" ID("a") "\",\"" ID(
	                      "9") "\"]},"
	                           "{\"id\":\"" ID("c") "\",\"name\":\"c\",\"members\":[\"" ID("b") "\",\"" ID(
	                               "2") "\"]}],"
	                                    "\"assignments\":[{\"id\":\"" ID("d") "\",\"principal\":\"" ID(
	                                        "c") "\",\"role\":\"" READER "\",\"scope\":\"/subscriptions/S\"}]}");
	assert_true(is_member(directory, ID("1"), ID("a")));
	assert_true(is_member(directory, ID("1"), ID("c")));
	assert_true(is_member(directory, ID("a"), ID("c")));
	assert_false(is_member(directory, ID("2"), ID("a")));
	assert_false(is_member(directory, ID("c"), ID("a")));
	assert_false(is_member(directory, ID("a"), ID("a")));
	assert_true(allows(directory, ID("1"), "x/read", "/subscriptions/s/resourceGroups/g"));
	assert_true(allows(directory, ID("2"), "x/read", "/subscriptions/s"));
	assert_false(allows(directory, ID("2"), "x/write", "/subscriptions/s"));
	/* A group asks for nothing itself, and what is no group has no members. */
	assert_null(sr_directory_principal(directory, ID("a")));
	assert_null(sr_directory_group(directory, ID("1")));
}

static void a_ring_of_groups_is_walked_once_round(void **state)
{
	(void)state;
	SR_CLEANUP(sr_directory)
	struct sr_directory *directory =
	    parse(HEAD ",\"principals\":[" PERSON("1") "],\"groups\":["
	                                               "{\"id\":\"" ID("a") "\",\"members\":[\"" ID("b") "\",\"" ID(
	                                                   "1") "\"]},"
	                                                        "{\"id\":\"" ID("b") "\",\"members\":[\"" ID("a") "\"]}]}");
	assert_true(is_member(directory, ID("1"), ID("b")));
	assert_true(is_member(directory, ID("a"), ID("b")));
}

static void management_groups_are_a_tree_over_subscriptions(void **state)
{
	(void)state;
	SR_CLEANUP(sr_directory)
	struct sr_directory *directory = parse(HEAD ",\"principals\":[" PERSON("1") "," PERSON("2") "," PERSON(
	    "3") "],"
	         "\"managementGroups\":[{\"name\":\"" TENANT "\"},{\"name\":\"Top\"},"
	         "{\"name\":\"Sub\",\"parent\":\"top\"},{\"name\":\"Other\"}],"
	         "\"subscriptions\":[{\"id\":\"S1\",\"managementGroup\":\"sub\"},"
	         "{\"id\":\"S2\",\"managementGroup\":\"other\"}],"
	         "\"assignments\":[{\"id\":\"" ID("d") "\",\"principal\":\"" ID(
	             "1") "\",\"role\":\"" READER "\",\"scope\":\"" MANAGEMENT
	                  "TOP\"},{\"id\":\"" ID("e") "\",\"principal\":\"" ID(
	                      "2") "\",\"role\":\"" READER "\",\"scope\":\"" MANAGEMENT TENANT
	                           "\"},{\"id\":\"" ID("f") "\",\"principal\":\"" ID("3") "\",\"role\":\"" READER
	                                                                                  "\",\"scope\":\"" MANAGEMENT
	                                                                                  "none\"}]}");
	static const struct {
		const char *scope;
		bool top, root;
	} cases[] = {
	    {MANAGEMENT "Top", true, true},
	    {MANAGEMENT "sub", true, true},
	    {MANAGEMENT "other", false, true},
	    {MANAGEMENT "unknown", false, false},
	    {"/subscriptions/s1", true, true},
	    {"/subscriptions/S1/resourceGroups/g/providers/P/r/n/keys/k", true, true},
	    {"/subscriptions/S2", false, true},
	    {"/subscriptions/unplaced", false, true},
	    {"/", false, false},
	    {"/providers/Microsoft.Authorization/x", false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(allows(directory, ID("1"), "x/read", cases[i].scope), cases[i].top);
		assert_int_equal(allows(directory, ID("2"), "x/read", cases[i].scope), cases[i].root);
	}
	assert_false(allows(directory, ID("3"), "x/read", "/subscriptions/s1"));
}

static void a_denial_wins_but_for_who_is_excluded(void **state)
{
	(void)state;
	SR_CLEANUP(sr_directory)
	struct sr_directory *directory = parse(HEAD ",\"principals\":[" PERSON("1") "," PERSON(
	    "2") "],\"groups\":["
	         "{\"id\":\"" ID("a") "\",\"members\":[\"" ID("1") "\",\"" ID(
	             "2") "\"]},"
	                  "{\"id\":\"" ID("b") "\",\"members\":[\"" ID(
	                      "2") "\"]}],"
	                           "\"assignments\":[{\"id\":\"" ID("d") "\",\"principal\":\"" ID(
	                               "a") "\",\"role\":\"" OWNER
	                                    "\",\"scope\":\"/\"}],\"denyAssignments\":[{\"id\":\"" ID(
	                                        "e") "\",\"name\":\"managed\",\"scope\":\"/subscriptions/S/resourceGroups/"
	                                             "M\",\"principals\":["
	                                             "\"00000000-0000-0000-0000-000000000000\"],\"excludePrincipals\":["
	                                             "\"" ID("b") "\"],\"actions\":[\"*\"],\"notActions\":[\"*/read\"]},"
	                                                          "{\"id\":\"" ID("f") "\",\"scope\":\"/subscriptions/S/"
	                                                                               "resourceGroups/"
	                                                                               "N\",\"principals\":[\"" ID(
	                                                                                   "1") "\"],\"actions\":[\"*/"
	                                                                                        "delete\"],"
	                                                                                        "\"doNotApplyToChildScopes"
	                                                                                        "\":true}]}");
	assert_false(allows(directory, ID("1"), "x/write", "/subscriptions/s/resourcegroups/m"));
	assert_false(allows(directory, ID("1"), "x/write", "/subscriptions/s/resourcegroups/m/providers/p/t/n"));
	assert_true(allows(directory, ID("1"), "x/read", "/subscriptions/s/resourcegroups/m"));
	assert_true(allows(directory, ID("1"), "x/write", "/subscriptions/s/resourcegroups/mm"));
	assert_true(allows(directory, ID("2"), "x/write", "/subscriptions/s/resourcegroups/m"));
	assert_false(allows(directory, ID("1"), "x/delete", "/subscriptions/s/resourcegroups/n"));
	assert_true(allows(directory, ID("1"), "x/delete", "/subscriptions/s/resourcegroups/n/providers/p/t/n"));
	assert_true(allows(directory, ID("2"), "x/delete", "/subscriptions/s/resourcegroups/n"));
}

static void what_is_not_agreed_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
	    HEAD ",\"groups\":[{\"id\":\"x\"}]}",
	    HEAD ",\"groups\":[{\"id\":\"" ID("a") "\",\"members\":[\"x\"]}]}",
	    HEAD ",\"groups\":[{\"id\":\"" ID("a") "\",\"members\":{}}]}",
	    HEAD ",\"principals\":[" PERSON("a") "],\"groups\":[{\"id\":\"" ID("a") "\"}]}",
	    HEAD ",\"principals\":[{\"oid\":\"" ID("a") "\",\"enabled\":true}]}",
	    HEAD ",\"managementGroups\":[{\"name\":\"r\"},{\"name\":\"a\",\"parent\":\"b\"}]}",
	    HEAD ",\"managementGroups\":[{}]}",
	    HEAD ",\"subscriptions\":[{\"id\":\"a\"}]}",
	    HEAD ",\"denyAssignments\":[{\"id\":\"" ID("a") "\"}]}",
	    HEAD ",\"denyAssignments\":[{\"id\":\"" ID("a") "\",\"scope\":\"/\",\"principals\":[\"x\"]}]}",
	    HEAD ",\"denyAssignments\":[{\"id\":\"" ID(
	        "a") "\",\"scope\":\"/\",\"excludePrincipals\":[\"00000000-0000-0000-0000-000000000000\"]}]}",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct sr_directory *directory = NULL;
		expect_code(sr_directory_parse(sr_bytes_str(wrong[i]), &directory), SR_PROTOCOL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(membership_reaches_through_groups),
	    cmocka_unit_test(a_ring_of_groups_is_walked_once_round),
	    cmocka_unit_test(management_groups_are_a_tree_over_subscriptions),
	    cmocka_unit_test(a_denial_wins_but_for_who_is_excluded),
	    cmocka_unit_test(what_is_not_agreed_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
