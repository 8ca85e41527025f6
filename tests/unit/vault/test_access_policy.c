/* Access policies as JSON: Azure's names and no others, one policy an identity, and what each permission is enough for.
 */
#include "check.h"

#include "seal/file.h"
#include "vault/access_policy.h"

#define TENANT "11111111-1111-4111-8111-111111111111"
#define OBJECT "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define ENTRY(permissions) \
	"[{\"tenantId\":\"" TENANT "\",\"objectId\":\"" OBJECT "\",\"permissions\":{" permissions "}}]"

struct reading {
	struct sr_arena *arena;
	json_t *list;
	struct sr_access_policy *policies;
	size_t count;
};

static struct sr_result read(struct reading *reading, const char *text)
{
	json_decref(reading->list);
	reading->list = NULL;
	expect_ok(sr_json_parse(sr_bytes_str(text), &reading->list));
	return sr_access_policies_read(reading->arena, reading->list, TENANT, &reading->policies, &reading->count);
}

static int set_up(void **state)
{
	static struct reading reading;
	reading = (struct reading){.arena = sr_arena_new()};
	*state = &reading;
	return 0;
}

static int tear_down(void **state)
{
	struct reading *reading = *state;
	json_decref(reading->list);
	sr_arena_free(reading->arena);
	return 0;
}

static void names_are_taken_in_either_case_and_given_as_azure_writes_them(void **state)
{
	struct reading *reading = *state;
	expect_ok(read(reading, ENTRY("\"keys\":[\"GET\",\"unwrapkey\",\"WrapKey\",\"get\"],\"secrets\":[\"All\"]")));
	assert_int_equal(reading->count, 1);
	SR_CLEANUP(sr_json) json_t *entry = sr_access_policy_json(&reading->policies[0], TENANT);
	SR_CLEANUP(sr_json)
	json_t *expected =
	    json_pack("{s:s,s:s,s:{s:[sss],s:[s],s:[],s:[]}}", "tenantId", TENANT, "objectId", OBJECT, "permissions",
	              "keys", "wrapKey", "unwrapKey", "get", "secrets", "all", "certificates", "storage");
	assert_true(json_equal(entry, expected));
}

static void what_is_no_policy_is_refused(void **state)
{
	struct reading *reading = *state;
	static const char *const cases[] = {
	    "[1]",
	    "[{}]",
	    "[{\"tenantId\":\"" TENANT "\",\"objectId\":\"" OBJECT "\"}]",
	    "[{\"objectId\":\"" OBJECT "\",\"permissions\":{}}]",
	    "[{\"tenantId\":\"22222222-2222-4222-8222-222222222222\",\"objectId\":\"" OBJECT "\",\"permissions\":{}}]",
	    "[{\"tenantId\":\"" TENANT "\",\"objectId\":\"me\",\"permissions\":{}}]",
	    "[{\"tenantId\":\"" TENANT "\",\"objectId\":\"" OBJECT "\",\"applicationId\":\"x\",\"permissions\":{}}]",
	    ENTRY("\"keys\":[\"fly\"]"),
	    ENTRY("\"keys\":[\"set\"]"),
	    ENTRY("\"secrets\":[\"wrapKey\"]"),
	    ENTRY("\"keys\":[1]"),
	    ENTRY("\"keys\":\"get\""),
	    ENTRY("\"keys\":[\"\"]"),
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		expect_code(read(reading, cases[i]), SR_INVALID);
	}
}

static void an_identity_has_one_policy_and_a_vault_1024(void **state)
{
	struct reading *reading = *state;
	expect_code(read(reading, "[{\"tenantId\":\"" TENANT "\",\"objectId\":\"" OBJECT "\",\"permissions\":{}},"
	                          "{\"tenantId\":\"" TENANT "\",\"objectId\":\"AAAAAAAA-aaaa-4aaa-8aaa-aaaaaaaaaaaa\","
	                          "\"permissions\":{}}]"),
	            SR_INVALID);
	expect_ok(read(reading, "[{\"tenantId\":\"" TENANT "\",\"objectId\":\"" OBJECT "\",\"permissions\":{}},"
	                        "{\"tenantId\":\"" TENANT "\",\"objectId\":\"" OBJECT "\",\"applicationId\":\"" OBJECT
	                        "\",\"permissions\":{}}]"));
	for (size_t count = SR_ACCESS_POLICIES_MAX; count <= SR_ACCESS_POLICIES_MAX + 1; count++) {
		SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
		for (size_t i = 0; i < count; i++) {
			sr_buf_printf(&text,
			              "%s{\"tenantId\":\"" TENANT "\",\"objectId\":\"%08zx-0000-4000-8000-000000000000\","
			              "\"permissions\":{\"keys\":[\"get\"]}}",
			              i ? "," : "[", i);
		}
		sr_buf_append_str(&text, "]");
		expect_code(read(reading, sr_buf_text(&text)), count > SR_ACCESS_POLICIES_MAX ? SR_INVALID : SR_OK);
	}
}

static void all_is_everything_but_purging(void **state)
{
	(void)state;
	for (int collection = 0; collection < SR_POLICY_COLLECTIONS; collection++) {
		const char *name;
		for (size_t bit = 1; (name = sr_policy_permission_at(collection, bit)); bit++) {
			char permission[64];
			snprintf(permission, sizeof permission, "%s/%s", sr_policy_collection_name(collection), name);
			enum sr_policy_collection found;
			uint64_t mask;
			assert_true(sr_policy_requirement(permission, &found, &mask));
			assert_int_equal(found, collection);
			assert_true(mask >> bit & 1);
			assert_true((mask & 1) == (strcmp(name, "purge") != 0));
		}
	}
	static const char *const none[] = {"keys", "keys/", "keys/all", "keys/fly", "/get", "secret/get", "", "keys/get/x"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		enum sr_policy_collection found;
		uint64_t mask;
		assert_false(sr_policy_requirement(none[i], &found, &mask));
	}
}

/* The names as the resource provider's specification has them, where it lies beside this checkout. */
static void names_are_the_specifications(void **state)
{
	(void)state;
	const char *shared = getenv("SR_SHARED");
	char path[512];
	snprintf(path, sizeof path, "%s/specs/arm/keyvault-2023-07-01.openapi.json", shared ? shared : ".");
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(8 << 20);
	struct sr_result read = sr_file_read(path, 8 << 20, &text);
	const bool is_there = sr_is_ok(read);
	sr_ignore(read);
	if (!is_there) {
		skip();
	}
	SR_CLEANUP(sr_json) json_t *spec = NULL;
	expect_ok(sr_json_parse(sr_buf_bytes(&text), &spec));
	const json_t *properties =
	    json_object_get(json_object_get(json_object_get(spec, "definitions"), "Permissions"), "properties");
	for (int collection = 0; collection < SR_POLICY_COLLECTIONS; collection++) {
		const json_t *names = json_object_get(
		    json_object_get(json_object_get(properties, sr_policy_collection_name(collection)), "items"), "enum");
		assert_true(json_array_size(names) > 5);
		size_t at;
		const json_t *name;
		json_array_foreach(names, at, name)
		{
			assert_string_equal(sr_policy_permission_at(collection, at), json_string_value(name));
		}
		assert_null(sr_policy_permission_at(collection, at));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names_are_taken_in_either_case_and_given_as_azure_writes_them, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(what_is_no_policy_is_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_identity_has_one_policy_and_a_vault_1024, set_up, tear_down),
	    cmocka_unit_test(all_is_everything_but_purging),
	    cmocka_unit_test(names_are_the_specifications),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
