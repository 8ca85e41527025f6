/* The keys API's handlers over a real database: life cycle, versions, lists, operations, backup, refusals. */
#include "rig.h"

#include "vault/api_error.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_end(&rig);
	return 0;
}

static void a_key_has_the_shape_that_the_service_gives_it(void **state)
{
	(void)state;
	expect_ok(rig_call(&rig, "POST", "/keys/My-Key/create",
	                   "{\"kty\":\"RSA\",\"key_size\":2048,\"tags\":{\"a\":\"b\"},"
	                   "\"attributes\":{\"nbf\":1000,\"exp\":4000000000}}"));
	assert_memory_equal(rig_text(&rig, "key.kid"), "https://vault.test/keys/My-Key/", 31);
	assert_true(sr_is_key_version(rig_version(&rig)));
	assert_string_equal(rig_text(&rig, "key.kty"), "RSA");
	assert_string_equal(rig_text(&rig, "key.e"), "AQAB");
	assert_int_equal(strlen(rig_text(&rig, "key.n")), 342); /* 256 bytes as base64url */
	assert_string_equal(rig_text(&rig, "key.key_ops.0"), "encrypt");
	assert_string_equal(rig_text(&rig, "tags.a"), "b");
	assert_true(rig_bool(&rig, "attributes.enabled"));
	assert_int_equal(rig_int(&rig, "attributes.nbf"), 1000);
	assert_int_equal(rig_int(&rig, "attributes.exp"), 4000000000);
	assert_int_equal(rig_int(&rig, "attributes.recoverableDays"), 90);
	assert_string_equal(rig_text(&rig, "attributes.recoveryLevel"), "Recoverable+Purgeable");
	expect_ok(rig_call(&rig, "GET", "/keys/my-key/", NULL)); /* case ignored, empty version */
	assert_memory_equal(rig_text(&rig, "key.kid"), "https://vault.test/keys/My-Key/", 31);
	assert_string_equal(rig_text(&rig, "key.d"), "");
	expect_ok(rig_call(&rig, "POST", "/keys/ec/create", "{\"kty\":\"EC\",\"crv\":\"P-521\"}"));
	assert_string_equal(rig_text(&rig, "key.crv"), "P-521");
	assert_int_equal(strlen(rig_text(&rig, "key.x")), 88);
	expect_ok(rig_call(&rig, "POST", "/keys/o/create", "{\"kty\":\"oct\"}"));
	assert_string_equal(rig_text(&rig, "key.k"), "");
}

static void a_deleted_name_is_blocked_until_purged(void **state)
{
	(void)state;
	const char *create = "{\"kty\":\"EC\"}";
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", create));
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	assert_string_equal(rig_text(&rig, "recoveryId"), "https://vault.test/deletedkeys/k");
	assert_int_equal(rig_int(&rig, "scheduledPurgeDate") - rig_int(&rig, "deletedDate"), 90 * 86400);
	expect_reason(rig_call(&rig, "GET", "/keys/k", NULL), SR_NOT_FOUND, "KeyNotFound");
	expect_reason(rig_call(&rig, "DELETE", "/keys/k", NULL), SR_NOT_FOUND, "KeyNotFound");
	expect_reason(rig_call(&rig, "POST", "/keys/k/rotate", NULL), SR_NOT_FOUND, "KeyNotFound");
	expect_reason(rig_call(&rig, "POST", "/keys/k/create", create), SR_CONFLICT, "ObjectIsDeletedButRecoverable");
	expect_reason(rig_call(&rig, "POST", "/keys/K/create", create), SR_CONFLICT, "ObjectIsDeletedButRecoverable");
	expect_ok(rig_call(&rig, "GET", "/deletedkeys/k", NULL));
	expect_ok(rig_call(&rig, "GET", "/deletedkeys", NULL));
	assert_string_equal(rig_text(&rig, "value.0.kid"), "https://vault.test/keys/k");
	expect_ok(rig_call(&rig, "POST", "/deletedkeys/k/recover", NULL));
	expect_ok(rig_call(&rig, "GET", "/keys/k", NULL));
	expect_reason(rig_call(&rig, "DELETE", "/deletedkeys/k", NULL), SR_NOT_FOUND, "KeyNotFound");
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/deletedkeys/k", NULL));
	expect_reason(rig_call(&rig, "GET", "/deletedkeys/k", NULL), SR_NOT_FOUND, "KeyNotFound");
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", create));
}

static void purge_protection_refuses_to_purge(void **state)
{
	(void)state;
	rig_sql(&rig, "UPDATE vault SET purge_protection = 1");
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"EC\"}"));
	assert_string_equal(rig_text(&rig, "attributes.recoveryLevel"), "Recoverable");
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	expect_reason(rig_call(&rig, "DELETE", "/deletedkeys/k", NULL), SR_DENIED, "ForbiddenByPolicy");
	rig_sql(&rig, "UPDATE key SET purge_at = 1");
	expect_ok(rig_call(&rig, "DELETE", "/deletedkeys/k", NULL));
}

static void lists_come_in_pages_and_in_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		expect_ok(rig_callf(&rig, "POST", "{\"kty\":\"oct\"}", "/keys/k%02u/create", i));
	}
	expect_ok(rig_call(&rig, "POST", "/keys/k07/create", "{\"kty\":\"oct\"}"));
	char path[512] = "/keys";
	unsigned seen = 0, pages = 0;
	while (path[0]) {
		expect_ok(rig_call(&rig, "GET", path, NULL));
		const size_t count = json_array_size(json_object_get(rig.answer.body, "value"));
		assert_true(count <= 25);
		for (size_t i = 0; i < count; i++, seen++) {
			char at[32], expected[64];
			snprintf(at, sizeof at, "value.%zu.kid", i);
			snprintf(expected, sizeof expected, "https://vault.test/keys/k%02u", seen);
			assert_string_equal(rig_text(&rig, at), expected);
		}
		pages++;
		const char *next = rig_text(&rig, "nextLink");
		snprintf(path, sizeof path, "%s", next[0] ? next + strlen("https://vault.test") : "");
	}
	assert_int_equal(seen, 60);
	assert_int_equal(pages, 3);
	expect_ok(rig_call(&rig, "GET", "/keys/k07/versions?maxresults=1", NULL));
	assert_non_null(strstr(rig_text(&rig, "nextLink"), "$skiptoken="));
	expect_ok(rig_call(&rig, "GET", "/keys/k07/versions", NULL));
	assert_int_equal(json_array_size(json_object_get(rig.answer.body, "value")), 2);
	expect_ok(rig_call(&rig, "GET", "/keys/none/versions", NULL));
	assert_int_equal(json_array_size(json_object_get(rig.answer.body, "value")), 0);
	const char *const bad[] = {"/keys?maxresults=0", "/keys?maxresults=26", "/keys?maxresults=x",
	                           "/keys?$skiptoken=***", "/keys/k07/versions?$skiptoken=eA"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect_code(rig_call(&rig, "GET", bad[i], NULL), SR_INVALID);
	}
}

/* Does `first`, feeds its value to `second`, and gives the value that comes back. */
static const char *there_and_back(const char *key, const char *alg, const char *first, const char *second,
                                  const char *value)
{
	char body[8192];
	snprintf(body, sizeof body, "{\"alg\":\"%s\",\"value\":\"%s\",\"iv\":null}", alg, value);
	expect_ok(rig_callf(&rig, "POST", body, "/keys/%s/%s", key, first));
	snprintf(body, sizeof body, "{\"alg\":\"%s\",\"value\":\"%s\",\"iv\":\"%s\",\"tag\":\"%s\"}", alg,
	         rig_text(&rig, "value"), rig_text(&rig, "iv"), rig_text(&rig, "tag"));
	expect_ok(rig_callf(&rig, "POST", body, "/keys/%s//%s", key, second));
	return rig_text(&rig, "value");
}

static void what_is_encrypted_and_wrapped_comes_back(void **state)
{
	(void)state;
	const char *value = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"; /* 32 bytes */
	expect_ok(rig_call(&rig, "POST", "/keys/rsa/create", "{\"kty\":\"RSA\"}"));
	expect_ok(rig_call(&rig, "POST", "/keys/oct/create", "{\"kty\":\"oct\"}"));
	const struct {
		const char *key, *alg;
		bool encrypts, wraps;
	} cases[] = {
	    {"rsa", "RSA-OAEP", true, true},    {"rsa", "RSA-OAEP-256", true, true}, {"rsa", "RSA1_5", true, true},
	    {"oct", "A256GCM", true, false},    {"oct", "A256KW", false, true},      {"oct", "A256CBC", true, false},
	    {"oct", "A256CBCPAD", true, false}, {"oct", "A128GCM", false, false},    {"rsa", "A256KW", false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char body[256];
		snprintf(body, sizeof body, "{\"alg\":\"%s\",\"value\":\"%s\"}", cases[i].alg, value);
		if (cases[i].encrypts) {
			assert_string_equal(there_and_back(cases[i].key, cases[i].alg, "encrypt", "decrypt", value), value);
		} else {
			expect_code(rig_callf(&rig, "POST", body, "/keys/%s/encrypt", cases[i].key), SR_INVALID);
		}
		if (cases[i].wraps) {
			assert_string_equal(there_and_back(cases[i].key, cases[i].alg, "wrapkey", "unwrapkey", value), value);
		}
	}
	expect_code(rig_call(&rig, "POST", "/keys/oct/encrypt",
	                     "{\"alg\":\"A256GCM\",\"value\":\"AAAA\",\"iv\":\"AAAAAAAAAAAAAAAA\"}"),
	            SR_INVALID);
}

static void signatures_verify_and_changed_ones_do_not(void **state)
{
	(void)state;
	const char *digest = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
	expect_ok(rig_call(&rig, "POST", "/keys/rsa/create", "{\"kty\":\"RSA\"}"));
	expect_ok(rig_call(&rig, "POST", "/keys/ec/create", "{\"kty\":\"EC\"}"));
	const char *const cases[][2] = {{"rsa", "RS256"}, {"rsa", "PS256"}, {"ec", "ES256"}};
	for (size_t i = 0; i < 3; i++) {
		char body[4096], signature[2048];
		snprintf(body, sizeof body, "{\"alg\":\"%s\",\"value\":\"%s\"}", cases[i][1], digest);
		expect_ok(rig_callf(&rig, "POST", body, "/keys/%s/sign", cases[i][0]));
		snprintf(signature, sizeof signature, "%s", rig_text(&rig, "value"));
		for (int changed = 0; changed < 2; changed++) {
			signature[10] = changed ? (signature[10] == 'A' ? 'B' : 'A') : signature[10];
			snprintf(body, sizeof body, "{\"alg\":\"%s\",\"digest\":\"%s\",\"value\":\"%s\"}", cases[i][1], digest,
			         signature);
			expect_ok(rig_callf(&rig, "POST", body, "/keys/%s/verify", cases[i][0]));
			assert_int_equal(rig_bool(&rig, "value"), !changed);
		}
	}
	expect_code(rig_call(&rig, "POST", "/keys/rsa/sign", "{\"alg\":\"RS256\",\"value\":\"AAAA\"}"), SR_INVALID);
	expect_code(rig_call(&rig, "POST", "/keys/rsa/sign", "{\"alg\":\"RSA-OAEP\",\"value\":\"AAAA\"}"), SR_INVALID);
}

static void a_key_s_state_and_operations_bind_its_use(void **state)
{
	(void)state;
	const char *sign = "{\"alg\":\"RS256\",\"value\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}";
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"RSA\",\"key_ops\":[\"sign\",\"wrapKey\"]}"));
	const char *version = rig_version(&rig);
	expect_ok(rig_call(&rig, "POST", "/keys/k/sign", sign));
	expect_reason(rig_call(&rig, "POST", "/keys/k/encrypt", "{\"alg\":\"RSA-OAEP\",\"value\":\"AAAA\"}"), SR_DENIED,
	              "KeyOperationForbidden");
	expect_ok(rig_callf(&rig, "PATCH", "{\"attributes\":{\"enabled\":false}}", "/keys/k/%s", version));
	expect_reason(rig_call(&rig, "POST", "/keys/k/sign", sign), SR_DENIED, "KeyDisabled");
	expect_ok(rig_call(&rig, "GET", "/keys/k", NULL));
	assert_false(rig_bool(&rig, "attributes.enabled"));
	expect_ok(rig_call(&rig, "PATCH", "/keys/k", "{\"attributes\":{\"enabled\":true,\"exp\":1000}}"));
	expect_reason(rig_call(&rig, "POST", "/keys/k/sign", sign), SR_DENIED, "KeyExpired");
	expect_reason(rig_callf(&rig, "POST", "{}", "/keys/k/%s/release", version), SR_DENIED, "KeyNotExportable");
}

static void a_backup_restores_every_version(void **state)
{
	(void)state;
	const char *value = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";
	char body[16384], backup[12000], ciphertext[1024];
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"RSA\",\"tags\":{\"a\":\"b\"}}"));
	const char *first = rig_version(&rig);
	snprintf(body, sizeof body, "{\"alg\":\"RSA-OAEP\",\"value\":\"%s\"}", value);
	expect_ok(rig_call(&rig, "POST", "/keys/k/encrypt", body));
	snprintf(ciphertext, sizeof ciphertext, "%s", rig_text(&rig, "value"));
	expect_ok(rig_call(&rig, "POST", "/keys/k/rotate", NULL));
	const char *second = rig_version(&rig);
	expect_ok(rig_call(&rig, "POST", "/keys/k/backup", NULL));
	assert_true(strlen(rig_text(&rig, "value")) < sizeof backup);
	snprintf(backup, sizeof backup, "{\"value\":\"%s\"}", rig_text(&rig, "value"));
	expect_reason(rig_call(&rig, "POST", "/keys/restore", backup), SR_CONFLICT, "KeyAlreadyExists");
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	expect_reason(rig_call(&rig, "POST", "/keys/restore", backup), SR_CONFLICT, "ObjectIsDeletedButRecoverable");
	expect_ok(rig_call(&rig, "DELETE", "/deletedkeys/k", NULL));
	expect_ok(rig_call(&rig, "POST", "/keys/restore", backup));
	assert_string_equal(rig_version(&rig), second);
	snprintf(body, sizeof body, "{\"alg\":\"RSA-OAEP\",\"value\":\"%s\"}", ciphertext);
	expect_ok(rig_callf(&rig, "POST", body, "/keys/k/%s/decrypt", first));
	assert_string_equal(rig_text(&rig, "value"), value);
	backup[40] = backup[40] == 'A' ? 'B' : 'A';
	expect_ok(rig_call(&rig, "DELETE", "/keys/k", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/deletedkeys/k", NULL));
	expect_code(rig_call(&rig, "POST", "/keys/restore", backup), SR_INVALID);
	expect_code(rig_call(&rig, "POST", "/keys/restore", "{\"value\":\"AAAA\"}"), SR_INVALID);
	expect_code(rig_call(&rig, "POST", "/keys/restore", "{}"), SR_INVALID);
}

/* What this installation sealed itself, and another version of it may have written otherwise: nothing of it is believed
 * further than it goes. */
static void a_backup_that_is_cut_within_its_seal_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf blob = SR_BUF(1024);
	sr_buf_append_u8(&blob, 1);
	sr_buf_append_block(&blob, SR_LITERAL("default"));
	sr_buf_append_block(&blob, SR_LITERAL("k"));
	sr_buf_append_block(&blob, SR_LITERAL(""));
	sr_buf_append_u32(&blob, 1);
	const size_t head = blob.len;
	sr_buf_append_block(&blob, SR_LITERAL("0123456789abcdef0123456789abcdef"));
	sr_buf_append_block(&blob, SR_LITERAL("RSA"));
	const size_t whole = blob.len;
	for (size_t len = head; len <= whole; len++) {
		SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(1024);
		SR_CLEANUP(sr_buf) struct sr_buf body = SR_BUF(4096);
		const struct sr_bytes cut = sr_bytes_of(blob.data, len);
		expect_ok(sr_aead_seal(rig.vault.state.records, SR_LITERAL("key-backup"), cut, &sealed));
		sr_buf_append_str(&body, "{\"value\":\"");
		sr_base64url_encode(&body, sr_buf_bytes(&sealed));
		sr_buf_append_str(&body, "\"}");
		expect_code(rig_call(&rig, "POST", "/keys/restore", sr_buf_text(&body)), SR_INVALID);
	}
}

/* RFC 7515 A.3's key, and RFC 7517 A.3's symmetric one. */
static void imported_keys_are_usable_and_inconsistent_ones_refused(void **state)
{
	(void)state;
	expect_ok(
	    rig_call(&rig, "PUT", "/keys/ec",
	             "{\"key\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	             "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
	             "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}}"));
	assert_string_equal(rig_text(&rig, "key.x"), "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
	assert_string_equal(rig_text(&rig, "key.d"), "");
	expect_ok(rig_call(&rig, "PUT", "/keys/oct", "{\"key\":{\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"}}"));
	const char *const bad[] = {
	    "{}",
	    "{\"key\":{}}",
	    "{\"key\":7}",
	    "{\"key\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}",
	    "{\"key\":{\"kty\":\"oct\"}}",
	    "{\"key\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
	    "{\"key\":{\"kty\":\"oct\",\"k\":\"***\"}}",
	    "{\"key\":{\"kty\":\"RSA\",\"n\":\"AAAA\",\"e\":\"AQAB\",\"d\":\"AAAA\"}}",
	    "{\"key\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
	    "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LJ\"}}",
	    "{\"Hsm\":true,\"key\":{\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"}}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect_code(rig_call(&rig, "PUT", "/keys/bad", bad[i]), SR_INVALID);
	}
	expect_code(rig_call(&rig, "GET", "/keys/bad", NULL), SR_NOT_FOUND);
}

static void create_refuses_what_makes_no_sense(void **state)
{
	(void)state;
	const char *const bad[] = {
	    "{}",
	    "{\"kty\":7}",
	    "{\"kty\":\"RSA\",\"key_size\":\"2048\"}",
	    "{\"kty\":\"RSA\",\"public_exponent\":3}",
	    "{\"kty\":\"RSA\",\"key_ops\":[\"fly\"]}",
	    "{\"kty\":\"RSA\",\"key_ops\":\"sign\"}",
	    "{\"kty\":\"RSA\",\"key_ops\":[7]}",
	    "{\"kty\":\"EC\",\"key_ops\":[\"encrypt\"]}",
	    "{\"kty\":\"RSA\",\"tags\":{\"a\":1}}",
	    "{\"kty\":\"RSA\",\"tags\":[]}",
	    "{\"kty\":\"RSA\",\"attributes\":{\"exp\":-1}}",
	    "{\"kty\":\"RSA\",\"attributes\":{\"exp\":9223372036854775807}}",
	    "{\"kty\":\"RSA\",\"attributes\":{\"nbf\":5,\"exp\":5}}",
	    "{\"kty\":\"RSA\",\"attributes\":{\"enabled\":\"yes\"}}",
	    "{\"kty\":\"RSA\",\"attributes\":{\"exportable\":true}}",
	    "{\"kty\":\"RSA\",\"release_policy\":{}}",
	    "{\"kty\":\"RSA-HSM\"}",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect_code(rig_call(&rig, "POST", "/keys/bad/create", bad[i]), SR_INVALID);
	}
	expect_code(rig_call(&rig, "POST", "/rng", "{\"count\":0}"), SR_INVALID);
	expect_code(rig_call(&rig, "POST", "/rng", "{\"count\":129}"), SR_INVALID);
	expect_ok(rig_call(&rig, "POST", "/rng", "{\"count\":128}"));
	assert_int_equal(strlen(rig_text(&rig, "value")), 171);
}

static void rotation_policies_are_kept_and_set_the_end(void **state)
{
	(void)state;
	expect_ok(rig_call(&rig, "POST", "/keys/k/create", "{\"kty\":\"EC\"}"));
	expect_ok(rig_call(&rig, "GET", "/keys/k/rotationpolicy", NULL));
	assert_string_equal(rig_text(&rig, "lifetimeActions.0.trigger.timeBeforeExpiry"), "P30D");
	expect_ok(
	    rig_call(&rig, "PUT", "/keys/k/rotationpolicy",
	             "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P90D\"},\"action\":{\"type\":\"Rotate\"}}]"
	             ",\"attributes\":{\"expiryTime\":\"P2Y\"}}"));
	assert_string_equal(rig_text(&rig, "id"), "https://vault.test/keys/k/rotationpolicy");
	assert_true(rig_int(&rig, "attributes.created") > 0);
	expect_ok(rig_call(&rig, "POST", "/keys/k/rotate", NULL));
	const int64_t span = rig_int(&rig, "attributes.exp") - rig_int(&rig, "attributes.created");
	assert_true(span >= 730 * 86400 && span <= 731 * 86400);
	expect_reason(rig_call(&rig, "GET", "/keys/none/rotationpolicy", NULL), SR_NOT_FOUND, "KeyNotFound");
}

static void errors_have_the_service_s_status_and_codes(void **state)
{
	(void)state;
	const struct {
		struct sr_result result;
		int status;
		const char *code, *inner;
	} cases[] = {
	    {sr_fail_as(SR_NOT_FOUND, "KeyNotFound", "x"), 404, "KeyNotFound", NULL},
	    {sr_fail_as(SR_DENIED, "KeyDisabled", "x"), 403, "Forbidden", "KeyDisabled"},
	    {sr_fail_as(SR_DENIED, "ForbiddenByRbac", "x"), 403, "Forbidden", "ForbiddenByRbac"},
	    {sr_fail_as(SR_CONFLICT, "ObjectIsDeletedButRecoverable", "x"), 409, "Conflict",
	     "ObjectIsDeletedButRecoverable"},
	    {sr_fail(SR_INVALID, "x"), 400, "BadParameter", NULL},
	    {sr_fail(SR_TOO_LARGE, "x"), 400, "BadParameter", NULL},
	    {sr_fail(SR_UNAUTHENTICATED, "x"), 401, "Unauthorized", NULL},
	    {sr_fail(SR_UNAVAILABLE, "x"), 503, "ServiceUnavailable", NULL},
	    {sr_fail(SR_CORRUPT, "x"), 500, "InternalServerError", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct sr_vault_error error = sr_vault_error_of(cases[i].result);
		sr_result_free(cases[i].result);
		assert_int_equal(error.status, cases[i].status);
		assert_string_equal(error.code, cases[i].code);
		assert_true(!error.inner == !cases[i].inner && (!error.inner || strcmp(error.inner, cases[i].inner) == 0));
	}
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_key_has_the_shape_that_the_service_gives_it),
	    TEST(a_deleted_name_is_blocked_until_purged),
	    TEST(purge_protection_refuses_to_purge),
	    TEST(lists_come_in_pages_and_in_order),
	    TEST(what_is_encrypted_and_wrapped_comes_back),
	    TEST(signatures_verify_and_changed_ones_do_not),
	    TEST(a_key_s_state_and_operations_bind_its_use),
	    TEST(a_backup_restores_every_version),
	    TEST(a_backup_that_is_cut_within_its_seal_is_refused),
	    TEST(imported_keys_are_usable_and_inconsistent_ones_refused),
	    TEST(create_refuses_what_makes_no_sense),
	    TEST(rotation_policies_are_kept_and_set_the_end),
	    TEST(errors_have_the_service_s_status_and_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
