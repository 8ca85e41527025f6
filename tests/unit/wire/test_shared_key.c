/* Shared Key: requests that Azure's own JavaScript SDK signed are reproduced, string and signature. */
#include "check.h"

#include "wire/shared_key.h"

#include "base/memory.h"
#include "base/text.h"
#include "wire/json.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { HEADERS_MAX = 32 };

static struct sr_bytes read_vectors(struct sr_arena *arena)
{
	const char *shared = getenv("SR_SHARED");
	assert_non_null(shared);
	FILE *file = fopen(sr_arena_printf(arena, "%s/specs/blob/auth-vectors-sdk.json", shared), "rb");
	if (!file) {
		print_message("no vectors in %s\n", shared);
		skip();
	}
	enum { ROOM = 1 << 20 };
	uint8_t *text = sr_arena_alloc(arena, ROOM);
	size_t len = fread(text, 1, ROOM, file);
	fclose(file);
	return sr_bytes_of(text, len);
}

/* One request of the vectors as the function takes it. */
static struct sr_signed_request request_of(struct sr_arena *arena, const json_t *vector, const char *account,
                                           struct sr_parameters *query)
{
	struct sr_signed_header *headers = sr_arena_alloc(arena, HEADERS_MAX * sizeof *headers);
	struct sr_signed_request request = {.headers = headers, .query = query, .account = account};
	const char *target = NULL;
	const json_t *header_object = NULL;
	expect_ok(sr_json_get_string(vector, "method", &request.method));
	expect_ok(sr_json_get_string(vector, "rawTarget", &target));
	expect_ok(sr_json_get_object(vector, "headers", &header_object));
	const char *mark = strchr(target, '?');
	request.path = sr_bytes_of(target, mark ? (size_t)(mark - target) : strlen(target));
	expect_ok(sr_parameters_parse(arena, sr_bytes_str(mark ? mark + 1 : NULL), false, query));
	for (void *at = json_object_iter((json_t *)(uintptr_t)header_object); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)header_object, at)) {
		assert_true(request.header_count < HEADERS_MAX);
		headers[request.header_count++] =
		    (struct sr_signed_header){json_object_iter_key(at), json_string_value(json_object_iter_value(at))};
	}
	return request;
}

static void check_vector(struct sr_arena *arena, const json_t *vector, const char *account, struct sr_bytes key)
{
	struct sr_parameters query;
	struct sr_signed_request request = request_of(arena, vector, account, &query);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(100000);
	sr_shared_key_string(arena, &request, false, &text);
	const char *expected = NULL;
	expect_ok(sr_json_get_string(vector, "stringToSign", &expected));
	assert_string_equal(sr_buf_text(&text), expected);

	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	assert_non_null(HMAC(EVP_sha256(), key.data, (int)key.len, text.data, text.len, mac, &mac_len));
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(100);
	sr_base64_encode(&signature, sr_bytes_of(mac, mac_len));
	const json_t *headers = NULL;
	const char *authorization = NULL;
	expect_ok(sr_json_get_object(vector, "headers", &headers));
	expect_ok(sr_json_get_string(headers, "authorization", &authorization));
	bool is_lite;
	const char *signer;
	struct sr_bytes presented;
	expect_ok(sr_shared_key_parse(arena, authorization, &is_lite, &signer, &presented));
	assert_false(is_lite);
	assert_string_equal(signer, account);
	assert_true(sr_equal_public(presented, sr_buf_bytes(&signature)));
}

static void reproduces_what_the_sdk_signed(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *vectors = NULL;
	expect_ok(sr_json_parse(read_vectors(arena), &vectors));
	const char *account = NULL;
	const char *key_text = NULL;
	const json_t *requests = NULL;
	expect_ok(sr_json_get_string(vectors, "account", &account));
	expect_ok(sr_json_get_string(vectors, "keyBase64", &key_text));
	expect_ok(sr_json_get_array(vectors, "sharedKey", &requests));
	SR_CLEANUP(sr_buf) struct sr_buf key = SR_BUF(1000);
	expect_ok(sr_base64_decode(sr_bytes_str(key_text), &key));
	assert_true(json_array_size(requests) >= 10);
	for (size_t i = 0; i < json_array_size(requests); i++) {
		check_vector(arena, json_array_get(requests, i), account, sr_buf_bytes(&key));
	}
}

/* The headers of a request as a string to sign has them. */
static void check_header_order(const char *const *names, size_t count, const char *expected)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_signed_header headers[8];
	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++) {
		headers[i] = (struct sr_signed_header){names[i], "v"};
	}
	struct sr_parameters query = {0};
	struct sr_signed_request request = {"GET", SR_LITERAL("/"), &query, headers, count, "a"};
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(10000);
	sr_shared_key_string(arena, &request, true, &text);
	SR_CLEANUP(sr_string) char *whole = sr_strdupf("GET\n\n\n\n%s/a/", expected);
	assert_string_equal(sr_buf_text(&text), whole);
}

static void sorts_headers_as_the_service_does(void **state)
{
	(void)state;
	/* '-' weighs nothing but on a tie; '_' is before digits and letters. */
	static const char *const dashes[] = {"x-ms-a-b", "x-ms-ab", "x-ms-ab-", "x-ms-aa-c"};
	check_header_order(dashes, 4, "x-ms-aa-c:v\nx-ms-ab:v\nx-ms-ab-:v\nx-ms-a-b:v\n");
	static const char *const signs[] = {"x-ms-meta-a1", "x-ms-meta-a_b", "x-ms-meta-ab", "x-ms-meta-a"};
	check_header_order(signs, 4, "x-ms-meta-a:v\nx-ms-meta-a_b:v\nx-ms-meta-a1:v\nx-ms-meta-ab:v\n");
	static const char *const others[] = {"accept", "x-ms-z", "x-msz", "x-ms-date"};
	check_header_order(others, 4, "x-ms-date:v\nx-ms-z:v\n");
}

static void joins_repetitions_and_trims(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_signed_header headers[] = {{"x-ms-meta-k", " two\t"}, {"date", "D"},        {"x-ms-meta-k", "one"},
	                                           {"content-length", "0"},   {"x-ms-meta-e", " "}, {"range", "bytes=0-1"}};
	struct sr_parameters query;
	struct sr_bytes text = SR_LITERAL("b=2&B=1&comp=Metadata&a=x%0Ay&empty");
	expect_ok(sr_parameters_parse(arena, text, false, &query));
	struct sr_signed_request request = {"PUT", SR_LITERAL("/c%20/b"), &query, headers, 6, "acct"};
	SR_CLEANUP(sr_buf) struct sr_buf full = SR_BUF(10000);
	sr_shared_key_string(arena, &request, false, &full);
	assert_string_equal(sr_buf_text(&full), "PUT\n\n\n\n\n\nD\n\n\n\n\nbytes=0-1\nx-ms-meta-e:\nx-ms-meta-k:two,one\n"
	                                        "/acct/c%20/b\na:x\ny\nb:1,2\ncomp:Metadata\nempty:");
	SR_CLEANUP(sr_buf) struct sr_buf lite = SR_BUF(10000);
	sr_shared_key_string(arena, &request, true, &lite);
	assert_string_equal(sr_buf_text(&lite),
	                    "PUT\n\n\nD\nx-ms-meta-e:\nx-ms-meta-k:two,one\n/acct/c%20/b?comp=Metadata");
}

static void takes_authorization_apart(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	bool is_lite;
	const char *account;
	struct sr_bytes signature;
	expect_ok(sr_shared_key_parse(arena, "sharedkeylite acct:c2ln", &is_lite, &account, &signature));
	assert_true(is_lite);
	assert_string_equal(account, "acct");
	assert_string_equal((const char *)signature.data, "c2ln");
	static const char *const broken[] = {
	    "",           "SharedKey",      "SharedKey ",    "SharedKey acct", "SharedKey acct:", "SharedKey :x",
	    "Bearer a:b", "SharedKeys a:b", "SharedKey\ta:b"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		SR_CLEANUP(sr_result)
		struct sr_result outcome = sr_shared_key_parse(arena, broken[i], &is_lite, &account, &signature);
		assert_int_equal(sr_result_code(outcome), SR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reproduces_what_the_sdk_signed),
	    cmocka_unit_test(sorts_headers_as_the_service_does),
	    cmocka_unit_test(joins_repetitions_and_trims),
	    cmocka_unit_test(takes_authorization_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
