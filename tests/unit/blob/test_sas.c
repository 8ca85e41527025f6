/* Shared access signatures: the strings that Azure's own SDK signed, and each rule's yes and no. */
#include "blob/sas.h"

#include "check.h"
#include "seal/crypto.h"
#include "seal/file.h"
#include "wire/json.h"
#include "wire/time.h"

#include <unistd.h>

static int set_up(void **state)
{
	*state = sr_arena_new();
	return 0;
}

static int tear_down(void **state)
{
	sr_arena_free(*state);
	return 0;
}

static int group_set_up(void **state)
{
	(void)state;
	return sr_is_ok(sr_seal_init()) ? 0 : -1;
}

static struct sr_parameters parse_query(struct sr_arena *arena, const char *text)
{
	struct sr_parameters query;
	expect_ok(sr_parameters_parse(arena, sr_bytes_str(text), false, &query));
	return query;
}

/* The target that a signed string names: the line "/blob/ACCOUNT/CONTAINER[/BLOB]". */
static struct sr_blob_target target_of(struct sr_arena *arena, const char *string_to_sign)
{
	struct sr_blob_target target = {.account = "vecaccount", .container = SR_LITERAL("c1")};
	const char *line = strstr(string_to_sign, "\n/blob/vecaccount/c1/");
	if (line) {
		const char *blob = line + strlen("\n/blob/vecaccount/c1/");
		target.blob = sr_bytes_str(sr_arena_text(arena, sr_bytes_of(blob, strcspn(blob, "\n"))));
	}
	return target;
}

static void check_vector(struct sr_arena *arena, const json_t *vector, const struct sr_secret *key)
{
	const char *query = json_string_value(json_object_get(vector, "query"));
	const char *wanted = json_string_value(json_object_get(vector, "stringToSign"));
	struct sr_parameters parameters = parse_query(arena, query);
	struct sr_sas sas;
	struct sr_result read = sr_sas_read(&parameters, &sas);
	/* snapshots, and encryption scopes, are refused as a whole */
	if (strstr(query, "sr=bs") || strstr(query, "ses=")) {
		expect_reason(read, SR_DENIED, "AuthenticationFailed");
		return;
	}
	expect_ok(read);
	struct sr_blob_target target = target_of(arena, wanted);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(4096);
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(64);
	uint8_t mac[SR_SHA256_LEN];
	sr_sas_string(&sas, &target, &text);
	assert_string_equal(sr_buf_text(&text), wanted);
	expect_ok(sr_hmac_sha256(key, sr_buf_bytes(&text), mac));
	sr_base64_encode(&signature, sr_bytes_of(mac, sizeof mac));
	assert_string_equal(sr_buf_text(&signature), sas.sig);
}

static void strings_are_those_that_the_sdk_signed(void **state)
{
	const char *shared = getenv("SR_SHARED");
	char path[1024];
	snprintf(path, sizeof path, "%s/specs/blob/auth-vectors-sdk.json", shared ? shared : "");
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(1 << 20);
	if (!shared || access(shared, F_OK)) {
		skip(); /* a checkout without the shared folder */
	}
	expect_ok(sr_file_read(path, 1 << 20, &file));
	SR_CLEANUP(sr_json) json_t *vectors = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf key_bytes = SR_BUF(64);
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_json_parse(sr_buf_bytes(&file), &vectors));
	expect_ok(sr_base64_decode(sr_bytes_str(json_string_value(json_object_get(vectors, "keyBase64"))), &key_bytes));
	expect_ok(sr_secret_from_bytes(sr_buf_bytes(&key_bytes), &key));
	static const char *const kinds[] = {"service", "account_sas"};
	size_t checked = 0;
	for (size_t k = 0; k < 2; k++) {
		size_t at;
		json_t *vector;
		json_array_foreach(json_object_get(vectors, kinds[k]), at, vector)
		{
			check_vector(*state, vector, key);
			checked++;
		}
	}
	assert_true(checked > 40);
	size_t at;
	json_t *vector;
	json_array_foreach(json_object_get(vectors, "userDelegation"), at, vector)
	{
		struct sr_parameters query = parse_query(*state, json_string_value(json_object_get(vector, "query")));
		struct sr_sas sas;
		expect_reason(sr_sas_read(&query, &sas), SR_DENIED, "AuthenticationFailed");
	}
}

/* A signature's query and a use, and what comes of it; NULL: allowed. */
struct rule {
	const char *query, *peer;
	enum sr_blob_resource resource;
	const char *allowed_by, *reason;
};

static struct sr_sas_use use_of(const struct rule *rule)
{
	struct sr_sas_use use = {.peer_address = rule->peer, .resource = rule->resource, .allowed_by = rule->allowed_by};
	expect_ok(sr_iso_time_parse(SR_LITERAL("2026-06-01T12:00:00Z"), &use.now_us));
	return use;
}

#define SERVICE "sv=2021-12-02&sr=b&sig=x&"
#define ACCOUNT "sv=2021-12-02&sig=x&se=2026-07-01&"

static void each_rule_allows_and_refuses(void **state)
{
	static const struct rule rules[] = {
	    {SERVICE "sp=r&se=2026-07-01", "10.0.0.1", SR_BLOB_BLOB, "r", NULL},
	    {SERVICE "sp=rw&se=2026-07-01", "10.0.0.1", SR_BLOB_BLOB, "cw", NULL},
	    {SERVICE "sp=r&se=2026-07-01", "10.0.0.1", SR_BLOB_BLOB, "cw", "AuthorizationPermissionMismatch"},
	    {SERVICE "sp=rwdlac&se=2026-07-01", "10.0.0.1", SR_BLOB_BLOB, "", "AuthorizationPermissionMismatch"},
	    {SERVICE "sp=r&se=2026-06-01T12:00:00Z", "10.0.0.1", SR_BLOB_BLOB, "r", "AuthenticationFailed"},
	    {SERVICE "sp=r&se=2026-06-01T12:00:01Z", "10.0.0.1", SR_BLOB_BLOB, "r", NULL},
	    {SERVICE "sp=r&st=2026-06-01T12:00:00Z&se=2026-07-01", "10.0.0.1", SR_BLOB_BLOB, "r", NULL},
	    {SERVICE "sp=r&st=2026-06-01T12:00:01Z&se=2026-07-01", "10.0.0.1", SR_BLOB_BLOB, "r", "AuthenticationFailed"},
	    {SERVICE "sp=r&se=soon", "10.0.0.1", SR_BLOB_BLOB, "r", "AuthenticationFailed"},
	    {SERVICE "sp=r&se=2026-07-01&spr=https", "10.0.0.1", SR_BLOB_BLOB, "r", NULL},
	    {SERVICE "sp=r&se=2026-07-01&spr=https,http", "10.0.0.1", SR_BLOB_BLOB, "r", NULL},
	    {SERVICE "sp=r&se=2026-07-01&spr=http", "10.0.0.1", SR_BLOB_BLOB, "r", "AuthorizationProtocolMismatch"},
	    {SERVICE "sp=r&se=2026-07-01&sip=10.0.0.1", "10.0.0.1", SR_BLOB_BLOB, "r", NULL},
	    {SERVICE "sp=r&se=2026-07-01&sip=10.0.0.1-10.0.0.9", "10.0.0.9", SR_BLOB_BLOB, "r", NULL},
	    {SERVICE "sp=r&se=2026-07-01&sip=10.0.0.1-10.0.0.9", "10.0.0.10", SR_BLOB_BLOB, "r",
	     "AuthorizationSourceIPMismatch"},
	    {SERVICE "sp=r&se=2026-07-01&sip=10.0.0.1", "::1", SR_BLOB_BLOB, "r", "AuthorizationSourceIPMismatch"},
	    {SERVICE "sp=r&se=2026-07-01&sip=x", "10.0.0.1", SR_BLOB_BLOB, "r", "AuthorizationSourceIPMismatch"},
	    {ACCOUNT "sp=rl&ss=b&srt=o", "10.0.0.1", SR_BLOB_BLOB, "r", NULL},
	    {ACCOUNT "sp=rl&ss=bqf&srt=sco", "10.0.0.1", SR_BLOB_SERVICE, "l", NULL},
	    {ACCOUNT "sp=rl&ss=q&srt=sco", "10.0.0.1", SR_BLOB_SERVICE, "l", "AuthorizationServiceMismatch"},
	    {ACCOUNT "sp=rl&ss=b&srt=o", "10.0.0.1", SR_BLOB_CONTAINER, "l", "AuthorizationResourceTypeMismatch"},
	    {ACCOUNT "sp=rl&ss=b&srt=sc", "10.0.0.1", SR_BLOB_BLOB, "r", "AuthorizationResourceTypeMismatch"},
	    {ACCOUNT "sp=l&ss=b&srt=o", "10.0.0.1", SR_BLOB_BLOB, "r", "AuthorizationPermissionMismatch"},
	};
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		struct sr_parameters query = parse_query(*state, rules[i].query);
		struct sr_sas sas;
		struct sr_bytes permissions;
		expect_ok(sr_sas_read(&query, &sas));
		struct sr_sas_use use = use_of(&rules[i]);
		SR_CLEANUP(sr_result) struct sr_result result = sr_sas_check(&sas, &use, NULL, &permissions);
		const char *got = sr_result_reason(result);
		if ((got == NULL) != (rules[i].reason == NULL) || (got && strcmp(got, rules[i].reason) != 0)) {
			fail_msg("rule %zu: got %s, expected %s", i, got ? got : "yes", rules[i].reason ? rules[i].reason : "yes");
		}
	}
}

static void a_policy_fills_what_the_signature_leaves_open(void **state)
{
	static const struct rule rule = {SERVICE "si=pol", "10.0.0.1", SR_BLOB_BLOB, "r", NULL};
	struct sr_parameters query = parse_query(*state, rule.query);
	struct sr_sas sas;
	struct sr_bytes permissions;
	expect_ok(sr_sas_read(&query, &sas));
	struct sr_sas_use use = use_of(&rule);
	struct sr_blob_policy policy = {
	    .id = SR_LITERAL("pol"), .expiry = SR_LITERAL("2026-07-01T00:00:00Z"), .permission = SR_LITERAL("r")};
	expect_ok(sr_sas_check(&sas, &use, &policy, &permissions));
	use.allowed_by = "w";
	expect_reason(sr_sas_check(&sas, &use, &policy, &permissions), SR_DENIED, "AuthorizationPermissionMismatch");
	use.allowed_by = "r";
	policy.expiry = SR_LITERAL("2026-05-01T00:00:00Z");
	expect_reason(sr_sas_check(&sas, &use, &policy, &permissions), SR_DENIED, "AuthenticationFailed");
	expect_reason(sr_sas_check(&sas, &use, NULL, &permissions), SR_DENIED, "AuthenticationFailed");
}

static void incomplete_signatures_are_refused(void **state)
{
	static const char *const queries[] = {
	    "sig=x",
	    "sig=x&sv=2021-12-02",
	    "sig=x&sv=2021-12-02&sr=b",
	    "sig=x&sv=2021-12-02&sr=b&sp=r",
	    "sig=x&sv=2021-12-02&sr=q&sp=r&se=2030-01-01",
	    "sig=x&sv=1999-01-01&sr=b&sp=r&se=2030-01-01",
	    "sig=x&sv=2012-02-12&sr=b&sp=r&se=2030-01-01",
	    "sig=x&sv=2021-12-02&srt=o&sp=r&se=2030-01-01",
	    "sig=x&sv=2021-12-02&sr=b&sp=r&se=2030-01-01&skoid=x",
	};
	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		struct sr_parameters query = parse_query(*state, queries[i]);
		struct sr_sas sas;
		expect_reason(sr_sas_read(&query, &sas), SR_DENIED, "AuthenticationFailed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(strings_are_those_that_the_sdk_signed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(each_rule_allows_and_refuses, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_policy_fills_what_the_signature_leaves_open, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(incomplete_signatures_are_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, group_set_up, NULL);
}
