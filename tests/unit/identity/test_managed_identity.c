/* Managed identities: whose they are, who gets their tokens, and what ends that. */
#include "fixture.h"

#include "identity/identity_holder.h"
#include "identity/managed_identity.h"
#include "identity/metadata_error.h"
#include "identity/oauth_error.h"
#include "wire/jwt.h"

#define GROUP  "/subscriptions/99999999-0000-4000-8000-000000000001/resourceGroups/g/providers/"
#define USER   GROUP "Microsoft.ManagedIdentity/userAssignedIdentities/"
#define SYSTEM GROUP "Microsoft.MachineLearningServices/workspaces/"

static json_t *make(struct fixture *fixture, const char *resource, const char *kind)
{
	return call(fixture, sr_managed_create, "",
	            sr_arena_printf(fixture->arena, "{\"resourceId\":\"%s\",\"kind\":\"%s\"}", resource, kind));
}

static const char *member(struct fixture *fixture, const char *wanted, const char *name)
{
	SR_CLEANUP(sr_json) json_t *got = call(fixture, sr_managed_get, wanted, "");
	return sr_arena_strdup(fixture->arena, text_of(got, name));
}

static struct sr_identity_request metadata_request(struct fixture *fixture, const char *query)
{
	struct sr_identity_request request = request_at(fixture, "", "", NOW_S);
	expect_ok(sr_parameters_parse(fixture->arena, sr_bytes_str(query), false, &request.query));
	request.metadata = "True";
	request.has_peer_uid = true;
	request.peer_uid = 1000;
	return request;
}

#define VAULT "resource=https://vault.azure.net"
#define QUERY "api-version=2018-02-01&" VAULT

/* Whose token a request gets: its client id, or NULL and the result is checked. */
static const char *client_of(struct fixture *fixture, const struct sr_identity_request *request)
{
	struct sr_identity_answer answer = {0};
	expect_ok(sr_metadata_token(request, &answer));
	const char *client = sr_arena_strdup(fixture->arena, text_of(answer.body, "client_id"));
	json_decref(answer.body);
	return client;
}

static void refuses(const struct sr_identity_request *request, sr_identity_handler handler, enum sr_code code,
                    const char *reason)
{
	struct sr_identity_answer answer = {0};
	expect_reason(handler(request, &answer), code, reason);
	assert_null(answer.body);
}

static void bind_to(struct fixture *fixture, const char *address, int64_t uid, const char *identity)
{
	json_decref(call(fixture, sr_bindings_create, "",
	                 sr_arena_printf(fixture->arena, "{\"address\":\"%s\",\"uid\":%lld,\"identities\":[\"%s\"]}",
	                                 address, (long long)uid, identity)));
}

static void an_identity_is_its_resources(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *system = make(fixture, SYSTEM "ws", "SystemAssigned");
	assert_string_equal(text_of(system, "name"), "ws");
	assert_string_equal(text_of(system, "id"), SYSTEM "ws");
	SR_CLEANUP(sr_json) json_t *again = make(fixture, SYSTEM "WS", "SystemAssigned");
	assert_string_equal(text_of(again, "principalId"), text_of(system, "principalId"));
	SR_CLEANUP(sr_json) json_t *user = make(fixture, USER "worker", "UserAssigned");
	assert_string_equal(text_of(user, "name"), "worker");
	static const char *const wrong[][2] = {
	    {USER "worker", "SystemAssigned"}, {SYSTEM "ws", "UserAssigned"},  {USER "ab", "UserAssigned"},
	    {USER "-abc", "UserAssigned"},     {USER "a b c", "UserAssigned"}, {"/", "SystemAssigned"},
	    {GROUP "x", "SystemAssigned"},     {"worker", "UserAssigned"},     {USER "worker", "Both"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		call_fails(fixture, sr_managed_create, "",
		           sr_arena_printf(fixture->arena, "{\"resourceId\":\"%s\",\"kind\":\"%s\"}", wrong[i][0], wrong[i][1]),
		           SR_INVALID, NULL);
	}
	call_fails(fixture, sr_managed_create, "", "{\"resourceId\":\"" USER "tagged\",\"tags\":{\"a\":1}}", SR_INVALID,
	           NULL);
	SR_CLEANUP(sr_json)
	json_t *tagged = call(fixture, sr_managed_create, "", "{\"resourceId\":\"" USER "tagged\",\"tags\":{\"a\":\"b\"}}");
	assert_string_equal(text_of(json_object_get(tagged, "tags"), "a"), "b");
}

static void a_name_that_several_have_needs_an_id(void **state)
{
	struct fixture *fixture = *state;
	json_decref(make(fixture, SYSTEM "same", "SystemAssigned"));
	json_decref(make(fixture, USER "same", "UserAssigned"));
	call_fails(fixture, sr_managed_get, "same", "", SR_CONFLICT, NULL);
	assert_string_equal(member(fixture, USER "SAME", "kind"), "UserAssigned");
	const char *principal = member(fixture, SYSTEM "same", "principalId");
	assert_string_equal(member(fixture, principal, "id"), SYSTEM "same");
	json_decref(call(fixture, sr_managed_delete, principal, ""));
	assert_string_equal(member(fixture, "same", "kind"), "UserAssigned");
}

static void other_services_manage_none(void **state)
{
	struct fixture *fixture = *state;
	static const sr_identity_handler handlers[] = {sr_managed_list,    sr_managed_create, sr_managed_delete,
	                                               sr_bindings_create, sr_headers_create, sr_headers_delete,
	                                               sr_denials_create,  sr_denials_delete};
	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
		struct sr_identity_request request = request_at(fixture, "x", "{}", NOW_S);
		request.peer_service = "blob";
		refuses(&request, handlers[i], SR_DENIED, NULL);
	}
	struct sr_identity_request request =
	    request_at(fixture, "", "{\"resourceId\":\"" SYSTEM "ws\",\"kind\":\"SystemAssigned\"}", NOW_S);
	request.peer_service = "workspace";
	struct sr_identity_answer answer = {0};
	expect_ok(sr_managed_create(&request, &answer));
	assert_int_equal(answer.status, 201);
	assert_true(answer.is_change);
	json_decref(answer.body);
}

static void a_binding_says_who_is_meant(void **state)
{
	struct fixture *fixture = *state;
	json_decref(make(fixture, USER "one", "UserAssigned"));
	json_decref(make(fixture, USER "two", "UserAssigned"));
	static const char *const wrong[] = {
	    "{\"address\":\"127.0.0.1\",\"identities\":[\"one\"]}",
	    "{\"address\":\"::1\",\"identities\":[\"one\"]}",
	    "{\"address\":\"10.0.0.1\",\"uid\":1,\"identities\":[\"one\"]}",
	    "{\"address\":\"127.0.0.1\",\"uid\":-5,\"identities\":[\"one\"]}",
	    "{\"address\":\"host\",\"uid\":1,\"identities\":[\"one\"]}",
	    "{\"address\":\"10.0.0.1\",\"identities\":[]}",
	    "{\"address\":\"10.0.0.1\"}",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		call_fails(fixture, sr_bindings_create, "", wrong[i], SR_INVALID, NULL);
	}
	call_fails(fixture, sr_bindings_create, "", "{\"address\":\"10.0.0.1\",\"identities\":[\"none\"]}", SR_NOT_FOUND,
	           NULL);
	bind_to(fixture, "127.0.0.1", 1000, "one");
	bind_to(fixture, "127.0.0.1", 1001, "two");
	bind_to(fixture, "10.0.0.1", SR_ANY_UID, "two");
	const char *one = member(fixture, "one", "clientId");
	const char *two = member(fixture, "two", "clientId");
	struct sr_identity_request request = metadata_request(fixture, QUERY);
	assert_string_equal(client_of(fixture, &request), one);
	request.peer_uid = 1001;
	assert_string_equal(client_of(fixture, &request), two);
	request.peer_uid = 1002;
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
	request.has_peer_uid = false;
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
	request.peer_address = "10.0.0.1";
	assert_string_equal(client_of(fixture, &request), two);
	request.peer_address = "10.0.0.2";
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
}

static void the_identity_is_chosen_as_azure_chooses(void **state)
{
	struct fixture *fixture = *state;
	json_decref(make(fixture, USER "one", "UserAssigned"));
	json_decref(make(fixture, USER "two", "UserAssigned"));
	json_decref(make(fixture, SYSTEM "machine", "SystemAssigned"));
	bind_to(fixture, "127.0.0.1", 1000, "one");
	bind_to(fixture, "127.0.0.1", 1000, "two");
	struct sr_identity_request request = metadata_request(fixture, QUERY);
	refuses(&request, sr_metadata_token, SR_INVALID, NULL); /* one of several */
	bind_to(fixture, "127.0.0.1", 1000, "machine");
	assert_string_equal(client_of(fixture, &request), member(fixture, "machine", "clientId"));
	const char *two = member(fixture, "two", "clientId");
	const char *const ways[] = {
	    sr_arena_printf(fixture->arena, QUERY "&client_id=%s", two),
	    sr_arena_printf(fixture->arena, QUERY "&object_id=%s", member(fixture, "two", "principalId")),
	    sr_arena_printf(fixture->arena, QUERY "&principal_id=%s", member(fixture, "two", "principalId")),
	    QUERY "&msi_res_id=" USER "TWO",
	    QUERY "&mi_res_id=" USER "two",
	};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		request = metadata_request(fixture, ways[i]);
		assert_string_equal(client_of(fixture, &request), two);
	}
	request =
	    metadata_request(fixture, sr_arena_printf(fixture->arena, QUERY "&client_id=%s&msi_res_id=" USER "two", two));
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
	json_decref(call(fixture, sr_managed_update, "two", "{\"enabled\":false}"));
	request = metadata_request(fixture, ways[0]);
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
}

static void a_request_must_be_meant_for_the_endpoint(void **state)
{
	struct fixture *fixture = *state;
	json_decref(make(fixture, USER "one", "UserAssigned"));
	bind_to(fixture, "127.0.0.1", 1000, "one");
	struct sr_identity_request request = metadata_request(fixture, QUERY);
	request.metadata = NULL;
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
	request = metadata_request(fixture, QUERY);
	request.forwarded_for = "";
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
	static const char *const versions[] = {VAULT, "api-version=2018-02-0&" VAULT, "api-version=2018-01-31&" VAULT,
	                                       "api-version=2018-02-01x&" VAULT, "api-version=&" VAULT};
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		request = metadata_request(fixture, versions[i]);
		refuses(&request, sr_metadata_token, SR_INVALID, SR_METADATA_VERSION);
	}
	request = metadata_request(fixture, "api-version=2018-02-01");
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
	request = metadata_request(fixture, "api-version=2018-02-01&resource=https://elsewhere.example");
	refuses(&request, sr_metadata_token, SR_INVALID, SR_AADSTS_UNKNOWN_RESOURCE);
	request = metadata_request(fixture, "api-version=2025-12-31&" VAULT);
	client_of(fixture, &request);
}

static void too_many_requests_have_to_wait(void **state)
{
	struct fixture *fixture = *state;
	struct sr_identity_request request = metadata_request(fixture, QUERY);
	enum sr_code code = SR_INVALID;
	for (int i = 0; i < 100 && code == SR_INVALID; i++) {
		struct sr_identity_answer answer = {0};
		SR_CLEANUP(sr_result) struct sr_result outcome = sr_metadata_token(&request, &answer);
		code = sr_result_code(outcome);
		if (code == SR_UNAVAILABLE) {
			int status;
			json_decref(sr_metadata_error_json(outcome, &status));
			assert_int_equal(status, 429);
			assert_true(answer.retry_after_s > 0);
		}
	}
	assert_int_equal(code, SR_UNAVAILABLE);
}

static void a_token_says_whose_it_is_and_how_it_was_got(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *made = make(fixture, SYSTEM "machine", "SystemAssigned");
	bind_to(fixture, "127.0.0.1", 1000, "machine");
	struct sr_identity_request request = metadata_request(fixture, QUERY);
	struct sr_identity_answer answer = {0};
	expect_ok(sr_metadata_token(&request, &answer));
	SR_CLEANUP(sr_json) json_t *body = answer.body;
	assert_true(answer.is_secret);
	assert_string_equal(text_of(body, "expires_on"), sr_arena_printf(fixture->arena, "%d", NOW_S + TOKEN_S));
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(text_of(body, "access_token")), &jwt));
	assert_string_equal(text_of(jwt.claims, "xms_mirid"), SYSTEM "machine");
	assert_string_equal(text_of(jwt.claims, "idtyp"), "app");
	assert_string_equal(text_of(jwt.claims, "oid"), text_of(made, "principalId"));
	assert_string_equal(text_of(jwt.claims, "appid"), text_of(made, "clientId"));
	assert_string_equal(text_of(jwt.claims, "aud"), "https://vault.azure.net");
}

/* Jobs' headers. */

static struct sr_identity_request job_request(struct fixture *fixture, const char *header, int64_t now_s)
{
	struct sr_identity_request request = request_at(fixture, "", "", now_s);
	expect_ok(sr_parameters_parse(fixture->arena, SR_LITERAL("api-version=2019-08-01&" VAULT), false, &request.query));
	request.identity_header = header;
	return request;
}

static void a_header_is_good_for_its_identities_and_its_time(void **state)
{
	struct fixture *fixture = *state;
	json_decref(make(fixture, USER "one", "UserAssigned"));
	SR_CLEANUP(sr_json)
	json_t *made =
	    call(fixture, sr_headers_create, "", "{\"identities\":[\"one\"],\"lifetime_s\":60,\"label\":\"train\"}");
	const char *header = text_of(made, "header");
	struct sr_identity_request request = job_request(fixture, header, NOW_S + 59);
	struct sr_identity_answer answer = {0};
	expect_ok(sr_job_token(&request, &answer));
	assert_string_equal(text_of(answer.body, "client_id"), member(fixture, "one", "clientId"));
	json_decref(answer.body);
	request = job_request(fixture, header, NOW_S + 60);
	refuses(&request, sr_job_token, SR_UNAUTHENTICATED, NULL);
	const char *const wrong[] = {NULL,
	                             "",
	                             "x",
	                             text_of(made, "id"),
	                             sr_arena_printf(fixture->arena, "%s.", text_of(made, "id")),
	                             sr_arena_printf(fixture->arena, "%sx", header),
	                             sr_arena_printf(fixture->arena, "%.*s", (int)strlen(header) - 1, header)};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		request = job_request(fixture, wrong[i], NOW_S);
		refuses(&request, sr_job_token, SR_UNAUTHENTICATED, NULL);
	}
	json_decref(call(fixture, sr_headers_delete, text_of(made, "id"), ""));
	request = job_request(fixture, header, NOW_S);
	refuses(&request, sr_job_token, SR_UNAUTHENTICATED, NULL);
	call_fails(fixture, sr_headers_delete, text_of(made, "id"), "", SR_NOT_FOUND, NULL);
}

static void a_header_needs_identities_and_an_end(void **state)
{
	struct fixture *fixture = *state;
	json_decref(make(fixture, USER "one", "UserAssigned"));
	static const char *const wrong[] = {
	    "{}",
	    "{\"identities\":[]}",
	    "{\"identities\":[\"one\"],\"lifetime_s\":0}",
	    "{\"identities\":[\"one\"],\"lifetime_s\":99999999}",
	    "{\"identities\":[\"one\"],\"label\":\"\"}",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		call_fails(fixture, sr_headers_create, "", wrong[i], SR_INVALID, NULL);
	}
	call_fails(fixture, sr_headers_create, "", "{\"identities\":[1]}", SR_NOT_FOUND, NULL);
}

static void what_goes_takes_its_uses_with_it(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *made = make(fixture, USER "one", "UserAssigned");
	bind_to(fixture, "127.0.0.1", 1000, "one");
	json_decref(call(fixture, sr_groups_create, "", "{\"name\":\"machines\"}"));
	json_decref(call(fixture, sr_groups_add_member, "machines", "{\"member\":\"one\"}"));
	json_decref(
	    call(fixture, sr_assignments_create, "", "{\"principal\":\"one\",\"role\":\"Reader\",\"scope\":\"/\"}"));
	json_decref(call(fixture, sr_managed_delete, text_of(made, "id"), ""));
	struct sr_identity_request request = metadata_request(fixture, QUERY);
	refuses(&request, sr_metadata_token, SR_INVALID, NULL);
	SR_CLEANUP(sr_json) json_t *assignments = call(fixture, sr_assignments_list, "", "");
	assert_int_equal(json_array_size(json_object_get(assignments, "value")), 0);
	SR_CLEANUP(sr_json) json_t *group = call(fixture, sr_groups_get, "machines", "");
	assert_int_equal(json_array_size(json_object_get(group, "members")), 0);
	SR_CLEANUP(sr_json) json_t *bindings = call(fixture, sr_bindings_list, "", "");
	const json_t *binding = json_array_get(json_object_get(bindings, "value"), 0);
	json_decref(call(fixture, sr_bindings_delete, text_of(binding, "id"), ""));
	call_fails(fixture, sr_bindings_delete, text_of(binding, "id"), "", SR_NOT_FOUND, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(an_identity_is_its_resources),
	    WITH(a_name_that_several_have_needs_an_id),
	    WITH(other_services_manage_none),
	    WITH(a_binding_says_who_is_meant),
	    WITH(the_identity_is_chosen_as_azure_chooses),
	    WITH(a_request_must_be_meant_for_the_endpoint),
	    WITH(too_many_requests_have_to_wait),
	    WITH(a_token_says_whose_it_is_and_how_it_was_got),
	    WITH(a_header_is_good_for_its_identities_and_its_time),
	    WITH(a_header_needs_identities_and_an_end),
	    WITH(what_goes_takes_its_uses_with_it),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
