/* Bearer tokens: the right one is believed, each wrong one is refused for its own reason. */
#include "identity_double.h"

#include "base/clock.h"
#include "base/memory.h"
#include "wire/jwt.h"

#include <string.h>

static struct identity_double *identity;
static struct sr_access *access_room;

static int set_up(void **state)
{
	(void)state;
	identity = identity_double_start();
	access_room = follow(identity);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sr_access_stop(access_room);
	identity_double_stop(identity);
	return 0;
}

static const char *const audiences[] = {"https://vault.azure.net", AUDIENCE, NULL};

static struct sr_result authenticate(struct sr_bytes token)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_principal principal;
	return sr_access_authenticate(access_room, arena, token, audiences, &principal);
}

static void refused(struct sr_bytes token, const char *why)
{
	SR_CLEANUP(sr_result) struct sr_result outcome = authenticate(token);
	if (sr_result_code(outcome) != SR_UNAUTHENTICATED || !strstr(sr_result_message(outcome), why)) {
		fail_msg("expected \"%s\", found code %d: %s", why, (int)sr_result_code(outcome), sr_result_message(outcome));
	}
}

static void a_right_token_tells_who_asks(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	make_right_token(identity, &token);
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	for (int i = 0; i < 2; i++) { /* checked, then from the cache */
		struct sr_principal principal;
		expect_ok(sr_access_authenticate(access_room, arena, sr_buf_bytes(&token), audiences, &principal));
		assert_string_equal(principal.object_id, ALICE);
		assert_string_equal(principal.app_id, ALICE_APP);
		assert_string_equal(principal.tenant, TENANT);
		assert_string_equal(principal.name, "Alice");
		assert_false(principal.is_local);
	}
}

/* A claim or header member of a right token, replaced. */
static const struct spoilt {
	const char *what;
	bool in_header;
	const char *name;
	const char *value; /* JSON; NULL: the member is missing */
	const char *why;   /* NULL: it is believed nevertheless */
} spoilt[] = {
    {"the same", false, "aud", "\"" AUDIENCE "/\"", NULL},
    {"audience without slash", false, "aud", "\"" AUDIENCE "\"", NULL},
    {"another of the audiences", false, "aud", "\"https://vault.azure.net\"", NULL},
    {"version 2 issuer", false, "iss", "\"" AUTHORITY "/" TENANT "/v2.0\"", NULL},
    {"no typ", true, "typ", NULL, NULL},
    {"no nbf", false, "nbf", NULL, NULL},
    {"no application", false, "appid", NULL, NULL},
    {"a credential that stays", false, "sr_cred", "\"" ALICE "\"", NULL},
    {"a credential that was taken back", false, "sr_cred", "\"" GONE "\"", "taken back"},
    {"a credential that is no text", false, "sr_cred", "7", "sr_cred"},
    {"alg none", true, "alg", "\"none\"", "algorithm"},
    {"alg HS256", true, "alg", "\"HS256\"", "algorithm"},
    {"alg PS256", true, "alg", "\"PS256\"", "algorithm"},
    {"alg in another case", true, "alg", "\"rs256\"", "algorithm"},
    {"alg missing", true, "alg", NULL, "algorithm"},
    {"alg of another type", true, "alg", "5", "'alg'"},
    {"key of another", true, "kid", "\"key-1\"", "signature"},
    {"kid unknown", true, "kid", "\"key-9\"", "key that is not known"},
    {"kid missing", true, "kid", NULL, "key that is not known"},
    {"kid of another type", true, "kid", "[\"key-0\"]", "'kid'"},
    {"critical extension", true, "crit", "[\"b64\"]", "critical"},
    {"another audience", false, "aud", "\"https://management.azure.com\"", "another audience"},
    {"audience with ours in front", false, "aud", "\"" AUDIENCE ".example\"", "another audience"},
    {"audience missing", false, "aud", NULL, "audience"},
    {"a list of audiences", false, "aud", "[\"" AUDIENCE "\"]", "'aud'"},
    {"another issuer", false, "iss", "\"https://127.0.0.1:8442/" TENANT "/\"", "issuer"},
    {"issuer of another tenant", false, "iss", "\"" AUTHORITY "/" SUBSCRIPTION "/\"", "issuer"},
    {"issuer missing", false, "iss", NULL, "issuer"},
    {"tenant unknown", false, "tid", "\"" SUBSCRIPTION "\"", "tenant"},
    {"tenant missing", false, "tid", NULL, "tenant"},
    {"no expiry", false, "exp", NULL, "expir"},
    {"expiry null", false, "exp", "null", "expir"},
    {"expiry as text", false, "exp", "\"9999999999\"", "'exp'"},
    {"expiry as a fraction", false, "exp", "9999999999.5", "'exp'"},
    {"expired long ago", false, "exp", "1", "expir"},
    {"not valid for long", false, "nbf", "9999999998", "not valid yet"},
    {"principal unknown", false, "oid", "\"" NOBODY "\"", "principal is not known"},
    {"principal missing", false, "oid", NULL, "principal is not known"},
    {"principal no GUID", false, "oid", "\"alice\"", "principal is not known"},
    {"principal disabled", false, "oid", "\"" BOB "\"", "disabled"},
    {"another application", false, "appid", "\"" BOB_APP "\"", "application"},
    {"another application in azp", false, "azp", "\"" BOB_APP "\"", "application"},
};

static void each_spoilt_token_is_refused_for_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		SR_CLEANUP(sr_json) json_t *header = right_header();
		SR_CLEANUP(sr_json) json_t *claims = right_claims();
		json_t *object = spoilt[i].in_header ? header : claims;
		json_t *value = NULL;
		if (spoilt[i].value) {
			expect_ok(sr_json_parse(sr_bytes_str(spoilt[i].value), &value));
			sr_json_set(object, spoilt[i].name, value);
		} else {
			json_object_del(object, spoilt[i].name);
		}
		SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
		make_token(header, claims, identity->keys[0], &token);
		print_message("%s\n", spoilt[i].what);
		if (spoilt[i].why) {
			refused(sr_buf_bytes(&token), spoilt[i].why);
		} else {
			expect_ok(authenticate(sr_buf_bytes(&token)));
		}
	}
}

static void times_are_exact_but_for_the_skew_at_the_start(void **state)
{
	(void)state;
	const struct {
		int64_t not_before_s, expires_s;
		const char *why;
	} cases[] = {{290, 600, NULL}, {310, 600, "not valid yet"}, {-10, 0, "expir"}, {-10, -1, "expir"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SR_CLEANUP(sr_json) json_t *header = right_header();
		SR_CLEANUP(sr_json) json_t *claims = right_claims();
		sr_json_set_int(claims, "nbf", sr_unix_s() + cases[i].not_before_s);
		sr_json_set_int(claims, "exp", sr_unix_s() + cases[i].expires_s);
		SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
		make_token(header, claims, identity->keys[0], &token);
		if (cases[i].why) {
			refused(sr_buf_bytes(&token), cases[i].why);
		} else {
			expect_ok(authenticate(sr_buf_bytes(&token)));
		}
	}
}

static void a_cached_token_ends_when_it_expires(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *header = right_header();
	SR_CLEANUP(sr_json) json_t *claims = right_claims();
	sr_json_set_int(claims, "exp", sr_unix_s() + 2);
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	make_token(header, claims, identity->keys[0], &token);
	expect_ok(authenticate(sr_buf_bytes(&token)));
	sr_sleep_ms(2100);
	refused(sr_buf_bytes(&token), "expir");
}

static void a_cached_token_is_not_believed_for_another_audience(void **state)
{
	(void)state;
	static const char *const others[] = {"https://vault.azure.net", NULL};
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	make_right_token(identity, &token);
	expect_ok(authenticate(sr_buf_bytes(&token)));
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_principal principal;
	SR_CLEANUP(sr_result)
	struct sr_result outcome = sr_access_authenticate(access_room, arena, sr_buf_bytes(&token), others, &principal);
	assert_int_equal(sr_result_code(outcome), SR_UNAUTHENTICATED);
}

static void an_unsigned_token_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *header = right_header();
	SR_CLEANUP(sr_json) json_t *claims = right_claims();
	sr_json_set_string(header, "alg", "none");
	SR_CLEANUP(sr_buf) struct sr_buf none = SR_BUF(SR_JWT_MAX);
	make_token(header, claims, NULL, &none);
	refused(sr_buf_bytes(&none), "algorithm");
	sr_json_set_string(header, "alg", "RS256");
	SR_CLEANUP(sr_buf) struct sr_buf stripped = SR_BUF(SR_JWT_MAX);
	make_token(header, claims, NULL, &stripped);
	refused(sr_buf_bytes(&stripped), "signature");
}

/* The classic: the public key, which everybody knows, as the secret of an HMAC. */
static void the_public_key_is_no_hmac_secret(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *header = right_header();
	SR_CLEANUP(sr_json) json_t *claims = right_claims();
	sr_json_set_string(header, "alg", "HS256");
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	expect_ok(sr_jwt_signing_input(header, claims, &token));
	struct sr_key_public public_parts;
	sr_keypair_public(identity->keys[0], &public_parts);
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	expect_ok(sr_secret_from_bytes(sr_bytes_of(public_parts.n, public_parts.n_len), &secret));
	uint8_t mac[SR_SHA256_LEN];
	expect_ok(sr_hmac_sha256(secret, sr_buf_bytes(&token), mac));
	sr_jwt_append_signature(&token, sr_bytes_of(mac, sizeof mac));
	refused(sr_buf_bytes(&token), "algorithm");
}

static void a_token_by_another_key_under_a_known_kid_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *header = right_header();
	SR_CLEANUP(sr_json) json_t *claims = right_claims();
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	make_token(header, claims, identity->keys[1], &token);
	refused(sr_buf_bytes(&token), "signature");
}

static void every_truncated_or_flipped_token_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	make_right_token(identity, &token);
	for (size_t len = 0; len < token.len; len++) {
		refused(sr_bytes_of(token.data, len), "");
	}
	for (size_t i = 0; i < token.len; i++) {
		token.data[i] ^= 1;
		refused(sr_buf_bytes(&token), "");
		token.data[i] ^= 1;
	}
	sr_buf_append_u8(&token, 'A');
	refused(sr_buf_bytes(&token), "");
}

static void a_huge_token_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(1 << 20);
	make_right_token(identity, &token);
	memset(sr_buf_extend(&token, SR_JWT_MAX), 'A', SR_JWT_MAX);
	refused(sr_buf_bytes(&token), "characters");
}

static void duplicated_claims_are_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_json) json_t *header = right_header();
	SR_CLEANUP(sr_json) json_t *claims = right_claims();
	SR_CLEANUP(sr_buf) struct sr_buf header_text = SR_BUF(4096);
	SR_CLEANUP(sr_buf) struct sr_buf claims_text = SR_BUF(4096);
	expect_ok(sr_json_write(header, &header_text));
	expect_ok(sr_json_write(claims, &claims_text));
	claims_text.len--; /* the closing brace */
	sr_buf_append_str(&claims_text, ",\"oid\":\"" BOB "\"}");
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	sr_base64url_encode(&token, sr_buf_bytes(&header_text));
	sr_buf_append_str(&token, ".");
	sr_base64url_encode(&token, sr_buf_bytes(&claims_text));
	uint8_t digest[SR_DIGEST_MAX];
	size_t digest_len = sr_digest_of(SR_DIGEST_SHA256, sr_buf_bytes(&token), digest);
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(1024);
	expect_ok(sr_keypair_sign(identity->keys[0], SR_ALG_RS256, sr_bytes_of(digest, digest_len), &signature));
	sr_jwt_append_signature(&token, sr_buf_bytes(&signature));
	refused(sr_buf_bytes(&token), "repeats a name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_right_token_tells_who_asks),
	    cmocka_unit_test(each_spoilt_token_is_refused_for_its_reason),
	    cmocka_unit_test(times_are_exact_but_for_the_skew_at_the_start),
	    cmocka_unit_test(a_cached_token_ends_when_it_expires),
	    cmocka_unit_test(a_cached_token_is_not_believed_for_another_audience),
	    cmocka_unit_test(an_unsigned_token_is_refused),
	    cmocka_unit_test(the_public_key_is_no_hmac_secret),
	    cmocka_unit_test(a_token_by_another_key_under_a_known_kid_is_refused),
	    cmocka_unit_test(every_truncated_or_flipped_token_is_refused),
	    cmocka_unit_test(a_huge_token_is_refused),
	    cmocka_unit_test(duplicated_claims_are_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
