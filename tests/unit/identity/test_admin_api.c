/* Administration: principals, secrets, assignments, status, and what of them is at rest in clear (nothing). */
#include "identity/api.h"

#include "fixture.h"

#define READER    "Key Vault Reader"
#define READER_ID "21090545-7ca7-4776-b22c-e363652d74d2"

static json_t *new_principal(struct fixture *fixture, const char *name)
{
	return call(fixture, sr_principals_create, "",
	            sr_arena_printf(fixture->arena, "{\"name\":\"%s\",\"roles\":[{\"role\":\"%s\",\"scope\":\"/\"}]}", name,
	                            READER));
}

static void a_new_principal_is_told_once_what_it_needs(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *made = new_principal(fixture, "trainer");
	assert_string_equal(text_of(made, "name"), "trainer");
	assert_string_equal(text_of(made, "tenant"), fixture->store->tenant);
	assert_string_equal(text_of(made, "subscription"), fixture->store->subscription);
	assert_true(sr_is_guid(sr_bytes_str(text_of(made, "clientId"))));
	assert_true(sr_is_guid(sr_bytes_str(text_of(made, "objectId"))));
	assert_true(sr_is_guid(sr_bytes_str(text_of(made, "secretId"))));
	assert_true(strlen(text_of(made, "secret")) >= 40);

	SR_CLEANUP(sr_json) json_t *got = call(fixture, sr_principals_get, text_of(made, "clientId"), "");
	assert_null(json_object_get(got, "secret"));
	assert_int_equal(json_array_size(json_object_get(got, "secrets")), 1);
	const json_t *role = json_array_get(json_object_get(got, "roles"), 0);
	assert_string_equal(text_of(role, "role"), READER_ID);
	assert_string_equal(text_of(role, "scope"), "/");
	SR_CLEANUP(sr_json) json_t *list = call(fixture, sr_principals_list, "", "");
	const json_t *item = json_array_get(json_object_get(list, "value"), 0);
	assert_string_equal(text_of(item, "objectId"), text_of(made, "objectId"));
	assert_true(json_is_true(json_object_get(item, "enabled")));
}

static void what_is_wrong_with_a_principal_is_said_and_nothing_is_left(void **state)
{
	struct fixture *fixture = *state;
	json_decref(new_principal(fixture, "taken"));
	static const struct {
		const char *body;
		enum sr_code code;
	} wrong[] = {
	    {"", SR_INVALID},
	    {"{", SR_INVALID},
	    {"[]", SR_INVALID},
	    {"{}", SR_INVALID},
	    {"{\"name\":7}", SR_INVALID},
	    {"{\"name\":\"\"}", SR_INVALID},
	    {"{\"name\":\" a\"}", SR_INVALID},
	    {"{\"name\":\"a\\nb\"}", SR_INVALID},
	    {"{\"name\":\"11111111-1111-4111-8111-111111111111\"}", SR_INVALID},
	    {"{\"name\":\"TAKEN\"}", SR_EXISTS},
	    {"{\"name\":\"x\",\"roles\":{}}", SR_INVALID},
	    {"{\"name\":\"x\",\"roles\":[{\"role\":\"No Such Role\",\"scope\":\"/\"}]}", SR_INVALID},
	    {"{\"name\":\"x\",\"roles\":[{\"role\":\"" READER "\"}]}", SR_INVALID},
	    {"{\"name\":\"x\",\"roles\":[{\"role\":\"" READER "\",\"scope\":\"subscriptions\"}]}", SR_INVALID},
	    {"{\"name\":\"x\",\"roles\":[{\"role\":\"" READER "\",\"scope\":\"/a/../b\"}]}", SR_INVALID},
	    {"{\"name\":\"x\",\"roles\":[{\"role\":\"" READER "\",\"scope\":\"/a//b\"}]}", SR_INVALID},
	    {"{\"name\":\"x\",\"expires_s\":-1}", SR_INVALID},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		call_fails(fixture, sr_principals_create, "", wrong[i].body, wrong[i].code, NULL);
	}
	SR_CLEANUP(sr_json) json_t *list = call(fixture, sr_principals_list, "", "");
	assert_int_equal(json_array_size(json_object_get(list, "value")), 1);
}

static void secrets_have_a_limit_and_can_be_removed(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *made = new_principal(fixture, "many");
	const char *id = text_of(made, "objectId");
	for (int i = 1; i < SR_PRINCIPAL_SECRETS_MAX; i++) {
		json_decref(call(fixture, sr_principals_add_secret, id, ""));
	}
	call_fails(fixture, sr_principals_add_secret, id, "", SR_CONFLICT, NULL);
	struct sr_identity_request removal = request_at(fixture, id, "", NOW_S);
	removal.parts[1] = text_of(made, "secretId");
	struct sr_identity_answer answer = {0};
	expect_ok(sr_principals_delete_secret(&removal, &answer));
	assert_int_equal(answer.status, 204);
	expect_code(sr_principals_delete_secret(&removal, &answer), SR_NOT_FOUND);
	json_decref(call(fixture, sr_principals_add_secret, id, ""));
}

static void assignments_come_and_go(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *made = new_principal(fixture, "reader");
	const char *scope = "/subscriptions/s/resourceGroups/g";
	const char *body = sr_arena_printf(fixture->arena, "{\"principal\":\"reader\",\"role\":\"%s\",\"scope\":\"%s/\"}",
	                                   READER_ID, scope);
	SR_CLEANUP(sr_json) json_t *assigned = call(fixture, sr_assignments_create, "", body);
	assert_string_equal(text_of(assigned, "principal"), text_of(made, "objectId"));
	assert_string_equal(text_of(assigned, "role"), READER_ID);
	assert_string_equal(text_of(assigned, "scope"), scope);
	call_fails(fixture, sr_assignments_create, "", body, SR_EXISTS, NULL);
	SR_CLEANUP(sr_json) json_t *list = call(fixture, sr_assignments_list, "", "");
	assert_int_equal(json_array_size(json_object_get(list, "value")), 2);
	assert_null(call(fixture, sr_assignments_delete_matching, "", body));
	call_fails(fixture, sr_assignments_delete_matching, "", body, SR_NOT_FOUND, NULL);
	SR_CLEANUP(sr_json) json_t *again = call(fixture, sr_assignments_create, "", body);
	assert_null(call(fixture, sr_assignments_delete, text_of(again, "id"), ""));
	call_fails(fixture, sr_assignments_delete, text_of(again, "id"), "", SR_NOT_FOUND, NULL);
	assert_null(call(fixture, sr_principals_delete, "reader", ""));
	SR_CLEANUP(sr_json) json_t *none = call(fixture, sr_assignments_list, "", "");
	assert_int_equal(json_array_size(json_object_get(none, "value")), 0);
}

static void status_counts(void **state)
{
	struct fixture *fixture = *state;
	json_decref(new_principal(fixture, "one"));
	SR_CLEANUP(sr_json) json_t *status = call(fixture, sr_identity_status, "", "");
	assert_string_equal(text_of(status, "service"), "identity");
	assert_string_equal(text_of(status, "tenant"), fixture->store->tenant);
	assert_int_equal(json_integer_value(json_object_get(status, "principals")), 1);
	assert_int_equal(json_integer_value(json_object_get(status, "assignments")), 1);
	assert_int_equal(json_integer_value(json_object_get(status, "signing_keys")), 1);
}

static void tenant_and_principals_survive_a_restart(void **state)
{
	struct fixture *fixture = *state;
	char tenant[SR_GUID_TEXT_LEN];
	snprintf(tenant, sizeof tenant, "%s", fixture->store->tenant);
	json_decref(new_principal(fixture, "lasting"));
	fixture_reopen(fixture, NOW_S);
	assert_string_equal(fixture->store->tenant, tenant);
	SR_CLEANUP(sr_json) json_t *got = call(fixture, sr_principals_get, "LASTING", "");
	assert_string_equal(text_of(got, "name"), "lasting");
}

/* True if a file of the state holds the text. */
static bool lies_in_clear(struct fixture *fixture, const char *text)
{
	DIR *folder = opendir(fixture->folder);
	bool is_found = false;
	for (const struct dirent *entry; (entry = readdir(folder));) {
		char path[600];
		snprintf(path, sizeof path, "%s/%s", fixture->folder, entry->d_name);
		FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
		if (file) {
			static char content[4 << 20];
			size_t len = fread(content, 1, sizeof content, file);
			is_found = is_found || memmem(content, len, text, strlen(text));
			fclose(file);
		}
	}
	closedir(folder);
	return is_found;
}

static void nothing_lies_in_clear(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *made = new_principal(fixture, "canary-principal");
	static const char *const members[] = {"name", "clientId", "objectId", "secret", "secretId", "tenant"};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		assert_false(lies_in_clear(fixture, text_of(made, members[i])));
	}
	char *planted = sr_arena_printf(fixture->arena, "%s/planted", fixture->folder);
	FILE *file = fopen(planted, "wb");
	fputs(text_of(made, "secret"), file);
	fclose(file);
	assert_true(lies_in_clear(fixture, text_of(made, "secret")));
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_STORE(a_new_principal_is_told_once_what_it_needs),
	    WITH_STORE(what_is_wrong_with_a_principal_is_said_and_nothing_is_left),
	    WITH_STORE(secrets_have_a_limit_and_can_be_removed),
	    WITH_STORE(assignments_come_and_go),
	    WITH_STORE(status_counts),
	    WITH_STORE(tenant_and_principals_survive_a_restart),
	    WITH_STORE(nothing_lies_in_clear),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
