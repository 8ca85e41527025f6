/* Compact JWTs: RFC 7515's examples come apart, verify and go together again. */
#include "check.h"

#include "wire/jwt.h"

#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>

#define RFC7515_CLAIMS "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

/* A.1: HS256. */
static const char hs256_key[] =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
static const char hs256_token[] =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC7515_CLAIMS ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/* A.2: RS256, exponent 65537. */
static const char rs256_modulus[] =
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-"
    "pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
    "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
    "h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
static const char rs256_token[] =
    "eyJhbGciOiJSUzI1NiJ9." RFC7515_CLAIMS
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
    "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
    "eSN9383LcOLn6_dO--xi12jzDwusC-"
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

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

static enum sr_code parse_code(struct sr_arena *arena, struct sr_bytes token)
{
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_jwt_parse(arena, token, &jwt);
	assert_true(sr_is_ok(outcome) == (jwt.header != NULL && jwt.claims != NULL));
	return sr_result_code(outcome);
}

static void takes_rfc_7515_a1_apart_so_that_it_verifies(void **state)
{
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(*state, sr_bytes_str(hs256_token), &jwt));
	const char *text = NULL;
	expect_ok(sr_json_get_string(jwt.header, "alg", &text));
	assert_string_equal(text, "HS256");
	expect_ok(sr_json_get_string(jwt.claims, "iss", &text));
	assert_string_equal(text, "joe");
	int64_t expiry = 0;
	expect_ok(sr_json_get_int(jwt.claims, "exp", &expiry));
	assert_int_equal(expiry, 1300819380);

	SR_CLEANUP(sr_buf) struct sr_buf key = SR_BUF(100);
	expect_ok(sr_base64url_decode(sr_bytes_str(hs256_key), &key));
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	assert_non_null(
	    HMAC(EVP_sha256(), key.data, (int)key.len, jwt.signed_part.data, jwt.signed_part.len, mac, &mac_len));
	assert_true(sr_equal_public(jwt.signature, sr_bytes_of(mac, mac_len)));
}

/* A public RSA key of OpenSSL's with exponent 65537; the caller frees it. */
static EVP_PKEY *rsa_of(struct sr_bytes modulus)
{
	BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	assert_true(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n));
	assert_true(OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, 65537));
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	return key;
}

static void takes_rfc_7515_a2_apart_so_that_it_verifies(void **state)
{
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(*state, sr_bytes_str(rs256_token), &jwt));
	SR_CLEANUP(sr_buf) struct sr_buf modulus = SR_BUF(1000);
	expect_ok(sr_base64url_decode(sr_bytes_str(rs256_modulus), &modulus));
	EVP_PKEY *key = rsa_of(sr_buf_bytes(&modulus));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(
	    EVP_DigestVerify(context, jwt.signature.data, jwt.signature.len, jwt.signed_part.data, jwt.signed_part.len), 1);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

static void takes_an_unsecured_token_apart_with_an_empty_signature(void **state)
{
	/* RFC 7519 6.1; it is for access to refuse. */
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(*state, SR_LITERAL("eyJhbGciOiJub25lIn0." RFC7515_CLAIMS "."), &jwt));
	assert_int_equal(jwt.signature.len, 0);
}

static void refuses_what_is_no_token(void **state)
{
	static const char *const broken[] = {
	    "",
	    ".",
	    "..",
	    "a.b",
	    "eyJhbGciOiJub25lIn0",
	    "eyJhbGciOiJub25lIn0.e30",
	    "eyJhbGciOiJub25lIn0.e30.AA.AA",
	    "eyJhbGciOiJub25lIn0..AA",
	    ".e30.AA",
	    "e30=.e30.AA",
	    "e30.e30.AA==",
	    "e30.e30.A",
	    "e30.e30.A+A/",
	    "e31.e30.AA",                /* bits left over */
	    "W10.e30.AA",                /* an array */
	    "e30.MQ.AA",                 /* a number */
	    "e30.bnVsbA.AA",             /* null */
	    "e30.e30.AA ",               /* white space */
	    "e30.eyJhIjoxLCJhIjoyfQ.AA", /* {"a":1,"a":2} */
	};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		assert_int_equal(parse_code(*state, sr_bytes_str(broken[i])), SR_INVALID);
	}
	assert_int_equal(parse_code(*state, SR_LITERAL("e30.e30.AA")), SR_OK);
}

static void every_truncation_is_refused_or_has_another_signature(void **state)
{
	for (size_t len = 0; len < sizeof hs256_token - 1; len++) {
		SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
		SR_CLEANUP(sr_result)
		struct sr_result outcome = sr_jwt_parse(*state, sr_bytes_of(hs256_token, len), &jwt);
		assert_true(!sr_is_ok(outcome) || jwt.signature.len < 32);
	}
}

static void refuses_a_huge_token_at_once(void **state)
{
	static char huge[SR_JWT_MAX + 1];
	memset(huge, 'A', sizeof huge);
	assert_int_equal(parse_code(*state, sr_bytes_of(huge, sizeof huge)), SR_INVALID);
}

static void what_is_put_together_comes_apart_the_same(void **state)
{
	SR_CLEANUP(sr_json) json_t *header = json_object();
	SR_CLEANUP(sr_json) json_t *claims = json_object();
	sr_json_set_string(header, "alg", "RS256");
	sr_json_set_string(claims, "sub", "\xc3\xa9");
	SR_CLEANUP(sr_buf) struct sr_buf token = SR_BUF(SR_JWT_MAX);
	expect_ok(sr_jwt_signing_input(header, claims, &token));
	assert_string_equal(sr_buf_text(&token), "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiLDqSJ9");
	size_t signed_len = token.len;
	sr_jwt_append_signature(&token, SR_LITERAL("sig"));
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(*state, sr_buf_bytes(&token), &jwt));
	assert_true(json_equal(jwt.header, header) && json_equal(jwt.claims, claims));
	assert_int_equal(jwt.signed_part.len, signed_len);
	assert_true(sr_equal_public(jwt.signature, SR_LITERAL("sig")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(takes_rfc_7515_a1_apart_so_that_it_verifies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(takes_rfc_7515_a2_apart_so_that_it_verifies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(takes_an_unsecured_token_apart_with_an_empty_signature, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refuses_what_is_no_token, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(every_truncation_is_refused_or_has_another_signature, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(refuses_a_huge_token_at_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_put_together_comes_apart_the_same, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
