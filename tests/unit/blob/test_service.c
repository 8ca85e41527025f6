/*
 * The service over TLS and real leases: who may do what, what a key that is taken away leaves, what a restart keeps,
 * and that broken requests are answered in the service's shape.
 */
#include "premises.h"

#include "base/clock.h"
#include "blob/sas.h"

#include <stdio.h>
#include <sys/stat.h>

/* An account "acct" with a container "cont". */
static struct sr_secret *furnish(struct premises *premises)
{
	struct sr_secret *key = premises_account(premises, "acct");
	expect_status(premises, key, "PUT", "/acct/cont?restype=container", "", 201, "");
	return key;
}

static void a_signed_request_is_served_and_its_blob_comes_back(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	expect_status(premises, key, "PUT", "/acct/cont/a%20name", "the bytes", 201, "");
	struct call call = {.method = "GET", .target = "/acct/cont/a%20name", .key = key, .sign_as = "acct"};
	premises_call(premises, &call);
	assert_int_equal(call.status, 200);
	assert_string_equal(sr_buf_text(&call.response), "the bytes");
	assert_true(strncmp(call.etag, "\"0x8D", 5) == 0);
	call_end(&call);
	call.is_lite = true;
	premises_call(premises, &call);
	assert_int_equal(call.status, 200);
	call_end(&call);
}

static void signatures_that_are_not_right_are_refused(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	SR_CLEANUP(sr_secret) struct sr_secret *other = premises_account(premises, "other");
	SR_CLEANUP(sr_secret) struct sr_secret *unknown = NULL;
	expect_ok(sr_secret_random(64, &unknown));
	const struct {
		struct call call;
		int status;
		const char *code;
	} rows[] = {
	    {{.key = unknown, .sign_as = "acct"}, 403, "AuthenticationFailed"},
	    {{.key = other, .sign_as = "acct"}, 403, "AuthenticationFailed"},
	    {{.key = other, .sign_as = "other"}, 403, "AuthenticationFailed"},
	    {{.key = key, .sign_as = "acct", .date_offset_s = -16 * 60}, 403, "AuthenticationFailed"},
	    {{.key = key, .sign_as = "acct", .date_offset_s = 16 * 60}, 403, "AuthenticationFailed"},
	    {{.key = key, .sign_as = "acct", .date_offset_s = 14 * 60}, 200, ""},
	    {{.key = NULL}, 401, "NoAuthenticationInformation"},
	    {{.headers = {{"authorization", "SharedKey"}}}, 401, "InvalidAuthenticationInfo"},
	    {{.headers = {{"authorization", "SharedKey acct:"}}}, 401, "InvalidAuthenticationInfo"},
	    {{.headers = {{"authorization", "SharedKey acct:AAAA"}}}, 403, "AuthenticationFailed"},
	    {{.headers = {{"authorization", "Basic YTpi"}}}, 401, "InvalidAuthenticationInfo"},
	    {{.headers = {{"authorization", "Bearer x.y.z"}}}, 503, "ServerBusy"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct call call = rows[i].call;
		call.method = "GET";
		call.target = "/acct/cont?restype=container";
		premises_call(premises, &call);
		if (call.status != rows[i].status || strcmp(call.error_code, rows[i].code) != 0) {
			fail_msg("row %zu: got %d %s, expected %d %s", i, call.status, call.error_code, rows[i].status,
			         rows[i].code);
		}
		call_end(&call);
	}
}

static void a_forged_signature_deletes_nothing(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	expect_status(premises, key, "PUT", "/acct/cont/a", "x", 201, "");
	struct call forged = {.method = "DELETE",
	                      .target = "/acct/cont/a",
	                      .headers = {{"authorization", "SharedKey acct:"
	                                                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}};
	premises_call(premises, &forged);
	assert_int_equal(forged.status, 403);
	call_end(&forged);
	expect_status(premises, key, "GET", "/acct/cont/a", "", 200, "");
}

/* A service signature for the blob "/acct/cont/a" with these letters. */
static const char *signed_target(struct sr_arena *arena, const struct sr_secret *key, const char *letters)
{
	const char *query = sr_arena_printf(arena, "sv=2021-12-02&sr=b&sp=%s&se=2999-01-01T00:00:00Z", letters);
	struct sr_parameters parameters;
	struct sr_sas sas;
	expect_ok(sr_parameters_parse(arena, sr_bytes_str(query), false, &parameters));
	expect_ok(sr_sas_read(&parameters, &sas));
	const struct sr_blob_target target = {.account = "acct", .container = SR_LITERAL("cont"), .blob = SR_LITERAL("a")};
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(4096);
	SR_CLEANUP(sr_buf) struct sr_buf base64 = SR_BUF(64);
	SR_CLEANUP(sr_buf) struct sr_buf encoded = SR_BUF(256);
	uint8_t mac[SR_SHA256_LEN];
	sr_sas_string(&sas, &target, &text);
	expect_ok(sr_hmac_sha256(key, sr_buf_bytes(&text), mac));
	sr_base64_encode(&base64, sr_bytes_of(mac, sizeof mac));
	sr_url_encode(&encoded, sr_buf_bytes(&base64), "");
	return sr_arena_printf(arena, "/acct/cont/a?%s&sig=%s", query, sr_buf_text(&encoded));
}

static void a_signature_of_a_url_allows_what_it_says_and_no_more(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const char *create = signed_target(arena, key, "c");
	const char *read = signed_target(arena, key, "r");
	const char *write = signed_target(arena, key, "rw");
	expect_status(premises, NULL, "GET", read, "", 404, "BlobNotFound");
	expect_status(premises, NULL, "PUT", create, "first", 201, "");
	expect_status(premises, NULL, "PUT", create, "second", 403, "UnauthorizedBlobOverwrite");
	expect_status(premises, NULL, "PUT", read, "third", 403, "AuthorizationPermissionMismatch");
	expect_status(premises, NULL, "PUT", write, "fourth", 201, "");
	expect_status(premises, NULL, "GET", read, "", 200, "");
	expect_status(premises, NULL, "DELETE", write, "", 403, "AuthorizationPermissionMismatch");
	char *tampered = sr_arena_strdup(arena, read);
	*(strstr(tampered, "/cont/a") + 6) = 'b';
	expect_status(premises, NULL, "GET", tampered, "", 403, "AuthenticationFailed");
	tampered = sr_arena_strdup(arena, read);
	memcpy(strstr(tampered, "sp=r"), "sp=d", 4);
	expect_status(premises, NULL, "DELETE", tampered, "", 403, "AuthenticationFailed");
}

static void a_key_that_is_taken_away_refuses_and_comes_back(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	SR_CLEANUP(sr_secret) struct sr_secret *other = premises_account(premises, "other");
	expect_status(premises, key, "PUT", "/acct/cont/a", "bytes", 201, "");
	premises_disable(premises, "acct");
	expect_status(premises, key, "GET", "/acct/cont/a", "", 403, "KeyVaultEncryptionKeyNotFound");
	expect_status(premises, key, "HEAD", "/acct/cont/a", "", 403, "KeyVaultEncryptionKeyNotFound");
	expect_status(premises, key, "PUT", "/acct/cont/b", "bytes", 403, "KeyVaultEncryptionKeyNotFound");
	expect_status(premises, key, "GET", "/acct/?comp=list", "", 403, "KeyVaultEncryptionKeyNotFound");
	struct call call = {.method = "GET", .target = "/other/?comp=list", .key = other, .sign_as = "other"};
	premises_call(premises, &call);
	assert_int_equal(call.status, 200);
	call_end(&call);
	premises_enable(premises, "acct");
	expect_status(premises, key, "GET", "/acct/cont/a", "", 200, "");
	expect_status(premises, key, "GET", "/acct/cont/b", "", 404, "BlobNotFound");
}

static void a_restart_keeps_accounts_keys_and_blobs(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	enum { LARGE = 200000 };
	SR_CLEANUP(sr_buf) struct sr_buf large = SR_BUF(LARGE);
	memset(sr_buf_extend(&large, LARGE), 'x', LARGE);
	struct call put = {.method = "PUT",
	                   .target = "/acct/cont/large",
	                   .headers = {{"x-ms-blob-type", "BlockBlob"}},
	                   .body = sr_buf_bytes(&large),
	                   .key = key,
	                   .sign_as = "acct"};
	premises_call(premises, &put);
	assert_int_equal(put.status, 201);
	call_end(&put);
	premises_restart(premises);
	struct call get = {.method = "GET", .target = "/acct/cont/large", .key = key, .sign_as = "acct"};
	premises_call(premises, &get);
	assert_int_equal(get.status, 200);
	assert_true(sr_equal_public(sr_buf_bytes(&get.response), sr_buf_bytes(&large)));
	call_end(&get);
}

static void a_deleted_account_is_gone_with_its_files(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	expect_status(premises, key, "PUT", "/acct/cont/a", "bytes", 201, "");
	char path[512];
	char id[SR_ID_TEXT_LEN];
	struct stat status;
	struct sr_blob_account *account = sr_blob_accounts_find(premises->service.accounts, "acct");
	sr_id_text(&account->record.id, id);
	sr_blob_account_release(account);
	snprintf(path, sizeof path, "%s/accounts/%s", premises->folder, id);
	assert_int_equal(stat(path, &status), 0);
	expect_ok(sr_blob_accounts_delete(premises->service.accounts, "acct"));
	assert_int_equal(stat(path, &status), -1);
	expect_status(premises, key, "GET", "/acct/cont/a", "", 404, "ResourceNotFound");
	expect_code(sr_blob_accounts_delete(premises->service.accounts, "acct"), SR_NOT_FOUND);
}

static void an_account_whose_key_is_absent_is_not_made(void **state)
{
	struct premises *premises = *state;
	const struct sr_key_reference absent = {.vault = "v", .name = "absent", .follows_latest = true};
	expect_reason(sr_blob_accounts_create(premises->service.accounts, "acct", "default", &absent), SR_NOT_FOUND,
	              "KeyNotFound");
	assert_null(sr_blob_accounts_find(premises->service.accounts, "acct"));
	SR_CLEANUP(sr_secret) struct sr_secret *key = premises_account(premises, "acct");
	expect_code(sr_blob_accounts_create(premises->service.accounts, "acct", "default", NULL), SR_EXISTS);
}

static void a_renewed_shared_key_replaces_the_old_one(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	expect_ok(sr_blob_accounts_renew_key(premises->service.accounts, "acct", 1));
	expect_status(premises, key, "GET", "/acct/cont?restype=container", "", 200, "");
	expect_ok(sr_blob_accounts_renew_key(premises->service.accounts, "acct", 0));
	expect_status(premises, key, "GET", "/acct/cont?restype=container", "", 403, "AuthenticationFailed");
}

static void broken_requests_are_answered_in_the_services_shape(void **state)
{
	struct premises *premises = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *key = furnish(premises);
	static const struct {
		const char *method, *target;
		int status;
		const char *code;
	} rows[] = {
	    {"GET", "/acct/Bad_Name?restype=container", 400, "InvalidResourceName"},
	    {"GET", "/acct/no?restype=container", 400, "OutOfRangeInput"},
	    {"GET", "/acct/cont/%zz", 400, "InvalidUri"},
	    {"GET", "/nobody/cont/x", 404, "ResourceNotFound"},
	    {"POST", "/acct/cont/x", 405, "UnsupportedHttpVerb"},
	    {"GET", "/acct/cont/x?comp=nonsense", 400, "InvalidQueryParameterValue"},
	    {"GET", "/acct/cont/x?snapshot=2026-01-01T00:00:00.0000000Z", 400, "UnsupportedQueryParameter"},
	    {"GET", "/acct/cont?restype=container&comp=list&maxresults=0", 400, "OutOfRangeQueryParameterValue"},
	    {"GET", "/acct/cont?restype=container&comp=list&maxresults=-1", 400, "OutOfRangeQueryParameterValue"},
	    {"GET", "/acct/cont?restype=container&comp=list&maxresults=x", 400, "InvalidQueryParameterValue"},
	    {"GET", "/acct/cont?restype=container&comp=list&marker=!!", 400, "InvalidQueryParameterValue"},
	    {"GET", "/acct/cont?restype=container&comp=list&include=everything", 400, "InvalidQueryParameterValue"},
	    {"PUT", "/acct/cont?restype=container", 409, "ContainerAlreadyExists"},
	    {"PUT", "/acct/cont/x?comp=block", 400, "MissingRequiredQueryParameter"},
	    {"PUT", "/acct/cont/x?comp=block&blockid=!", 400, "InvalidQueryParameterValue"},
	    {"PUT", "/acct/cont/x?comp=block&blockid=AAAA", 400, "InvalidHeaderValue"},
	    {"PUT", "/acct/cont/x?comp=blocklist", 400, "InvalidXmlDocument"},
	    {"PUT", "/acct/absent/x", 404, "ContainerNotFound"},
	    {"DELETE", "/acct/cont/x", 404, "BlobNotFound"},
	    {"GET", "/acct/cont/x?comp=blocklist", 404, "BlobNotFound"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		expect_status(premises, key, rows[i].method, rows[i].target, "", rows[i].status, rows[i].code);
	}
	struct call call = {.method = "PUT",
	                    .target = "/acct/cont/x",
	                    .key = key,
	                    .sign_as = "acct",
	                    .headers = {{"x-ms-blob-type", "BlockBlob"}, {"x-ms-encryption-key", "AAAA"}}};
	premises_call(premises, &call);
	assert_string_equal(call.error_code, "UnsupportedHeader");
	assert_non_null(strstr(sr_buf_text(&call.response), "<Error><Code>UnsupportedHeader</Code><Message>"));
	call_end(&call);
}

static int group_set_up(void **state)
{
	(void)state;
	return sr_is_ok(sr_seal_init()) ? 0 : -1;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, premises_set_up, premises_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_signed_request_is_served_and_its_blob_comes_back),
	    TEST(signatures_that_are_not_right_are_refused),
	    TEST(a_forged_signature_deletes_nothing),
	    TEST(a_signature_of_a_url_allows_what_it_says_and_no_more),
	    TEST(a_key_that_is_taken_away_refuses_and_comes_back),
	    TEST(a_restart_keeps_accounts_keys_and_blobs),
	    TEST(a_deleted_account_is_gone_with_its_files),
	    TEST(an_account_whose_key_is_absent_is_not_made),
	    TEST(a_renewed_shared_key_replaces_the_old_one),
	    TEST(broken_requests_are_answered_in_the_services_shape),
	};
	return cmocka_run_group_tests(tests, group_set_up, NULL);
}
