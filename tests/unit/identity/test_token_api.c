/* Tokens from request to signature, checked by OpenSSL itself, and who gets none. */
#include "identity/api.h"

#include "fixture.h"
#include "identity/oauth_error.h"
#include "wire/jwt.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#define SCOPE "https%3A%2F%2Fvault.azure.net%2F.default"

/* A principal made for the test; the caller owns it. */
static json_t *new_principal(struct fixture *fixture)
{
	return call(fixture, sr_principals_create, "", "{\"name\":\"app\",\"roles\":[]}");
}

static const char *form_of(struct fixture *fixture, const char *client_id, const char *secret, const char *rest)
{
	return sr_arena_printf(fixture->arena, "grant_type=client_credentials&client_id=%s&client_secret=%s&%s", client_id,
	                       secret, rest);
}

static const char *good_form(struct fixture *fixture, const json_t *principal)
{
	return form_of(fixture, text_of(principal, "clientId"), text_of(principal, "secret"), "scope=" SCOPE);
}

static BIGNUM *number_of(const json_t *jwk, const char *name)
{
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(1024);
	expect_ok(sr_base64url_decode(sr_bytes_str(text_of(jwk, name)), &bytes));
	return BN_bin2bn(bytes.data, (int)bytes.len, NULL);
}

static EVP_PKEY *public_key(const json_t *jwk)
{
	BIGNUM *n = number_of(jwk, "n");
	BIGNUM *e = number_of(jwk, "e");
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	EVP_PKEY_fromdata_init(making);
	assert_int_equal(EVP_PKEY_fromdata(making, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(making);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return key;
}

/* True if the token's signature verifies under a key that the keys endpoint publishes now. */
static bool verifies(struct fixture *fixture, const char *token)
{
	SR_CLEANUP(sr_json) json_t *published = call(fixture, sr_discovery_keys, fixture->store->tenant, "");
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(token), &jwt));
	bool is_valid = false;
	size_t at;
	json_t *jwk;
	json_array_foreach(json_object_get(published, "keys"), at, jwk)
	{
		if (strcmp(text_of(jwk, "kid"), text_of(jwt.header, "kid")) == 0) {
			EVP_PKEY *key = public_key(jwk);
			EVP_MD_CTX *context = EVP_MD_CTX_new();
			EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key);
			is_valid = EVP_DigestVerify(context, jwt.signature.data, jwt.signature.len, jwt.signed_part.data,
			                            jwt.signed_part.len) == 1;
			EVP_MD_CTX_free(context);
			EVP_PKEY_free(key);
		}
	}
	return is_valid;
}

static void a_token_has_entras_claims_and_a_signature_that_openssl_takes(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	SR_CLEANUP(sr_json)
	json_t *answer = call(fixture, sr_token_v2, fixture->store->tenant, good_form(fixture, principal));
	assert_string_equal(text_of(answer, "token_type"), "Bearer");
	assert_int_equal(json_integer_value(json_object_get(answer, "expires_in")), TOKEN_S - 1);
	assert_int_equal(json_integer_value(json_object_get(answer, "ext_expires_in")), TOKEN_S - 1);
	const char *token = text_of(answer, "access_token");
	assert_true(verifies(fixture, token));

	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(token), &jwt));
	assert_string_equal(text_of(jwt.header, "typ"), "JWT");
	assert_string_equal(text_of(jwt.header, "alg"), "RS256");
	const char *issuer = sr_arena_printf(fixture->arena, "https://127.0.0.1:8441/%s/v2.0", fixture->store->tenant);
	assert_string_equal(text_of(jwt.claims, "iss"), issuer);
	assert_string_equal(text_of(jwt.claims, "aud"), "https://vault.azure.net");
	assert_string_equal(text_of(jwt.claims, "tid"), fixture->store->tenant);
	assert_string_equal(text_of(jwt.claims, "oid"), text_of(principal, "objectId"));
	assert_string_equal(text_of(jwt.claims, "sub"), text_of(principal, "objectId"));
	assert_string_equal(text_of(jwt.claims, "azp"), text_of(principal, "clientId"));
	assert_string_equal(text_of(jwt.claims, "appid"), text_of(principal, "clientId"));
	assert_string_equal(text_of(jwt.claims, "appidacr"), "1");
	assert_string_equal(text_of(jwt.claims, "idtyp"), "app");
	assert_string_equal(text_of(jwt.claims, "ver"), "2.0");
	assert_int_equal(strlen(text_of(jwt.claims, "uti")), 22);
	assert_int_equal(json_integer_value(json_object_get(jwt.claims, "iat")), NOW_S);
	assert_int_equal(json_integer_value(json_object_get(jwt.claims, "nbf")), NOW_S);
	assert_int_equal(json_integer_value(json_object_get(jwt.claims, "exp")), NOW_S + TOKEN_S);
}

static void the_old_endpoint_speaks_version_one(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	const char *form = form_of(fixture, text_of(principal, "clientId"), text_of(principal, "secret"),
	                           "resource=https://management.core.windows.net/");
	SR_CLEANUP(sr_json) json_t *answer = call(fixture, sr_token_v1, "common", form);
	assert_string_equal(text_of(answer, "expires_in"), "3599");
	assert_string_equal(text_of(answer, "expires_on"), "1795525200");
	assert_string_equal(text_of(answer, "not_before"), "1795521600");
	assert_string_equal(text_of(answer, "resource"), "https://management.core.windows.net/");
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(text_of(answer, "access_token")), &jwt));
	assert_string_equal(text_of(jwt.claims, "iss"),
	                    sr_arena_printf(fixture->arena, "https://127.0.0.1:8441/%s/", fixture->store->tenant));
	assert_string_equal(text_of(jwt.claims, "aud"), "https://management.core.windows.net/");
	assert_string_equal(text_of(jwt.claims, "ver"), "1.0");
}

static void the_adfs_endpoint_takes_either_parameter(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	SR_CLEANUP(sr_json) json_t *by_scope = call(fixture, sr_token_adfs, "", good_form(fixture, principal));
	SR_CLEANUP(sr_json)
	json_t *by_resource = call(fixture, sr_token_adfs, "",
	                           form_of(fixture, text_of(principal, "clientId"), text_of(principal, "secret"),
	                                   "resource=https://vault.azure.net"));
	assert_true(verifies(fixture, text_of(by_scope, "access_token")));
	assert_true(verifies(fixture, text_of(by_resource, "access_token")));
}

static void old_tokens_verify_after_rotation_until_they_end(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	SR_CLEANUP(sr_json)
	json_t *old = call(fixture, sr_token_v2, fixture->store->tenant, good_form(fixture, principal));
	SR_CLEANUP(sr_json) json_t *rotated = call(fixture, sr_identity_rotate, "", "{\"ahead_s\":0}");
	SR_CLEANUP(sr_json)
	json_t *fresh = call(fixture, sr_token_v2, fixture->store->tenant, good_form(fixture, principal));
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(text_of(fresh, "access_token")), &jwt));
	assert_string_equal(text_of(jwt.header, "kid"), text_of(rotated, "kid"));
	assert_true(verifies(fixture, text_of(old, "access_token")));
	assert_true(verifies(fixture, text_of(fresh, "access_token")));

	bool is_changed;
	expect_ok(sr_signing_keys_tend(fixture->store->signing_keys, NOW_S + TOKEN_S, &is_changed));
	assert_true(verifies(fixture, text_of(old, "access_token")));
	expect_ok(sr_signing_keys_tend(fixture->store->signing_keys, NOW_S + TOKEN_S + 300, &is_changed));
	assert_true(is_changed);
	assert_false(verifies(fixture, text_of(old, "access_token")));
	assert_true(verifies(fixture, text_of(fresh, "access_token")));
}

static void who_gets_no_token(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	const char *tenant = fixture->store->tenant;
	const char *id = text_of(principal, "clientId");
	const char *secret = text_of(principal, "secret");
	const struct {
		const char *tenant, *form, *reason;
	} refused[] = {
	    {tenant, form_of(fixture, id, "wrong", "scope=" SCOPE), SR_AADSTS_WRONG_SECRET},
	    {tenant, form_of(fixture, id, text_of(principal, "secretId"), "scope=" SCOPE), SR_AADSTS_WRONG_SECRET},
	    {tenant, form_of(fixture, "11111111-1111-4111-8111-111111111111", secret, "scope=" SCOPE),
	     SR_AADSTS_UNKNOWN_APP},
	    {tenant, form_of(fixture, text_of(principal, "objectId"), secret, "scope=" SCOPE), SR_AADSTS_UNKNOWN_APP},
	    {tenant, form_of(fixture, "app", secret, "scope=" SCOPE), SR_AADSTS_UNKNOWN_APP},
	    {"elsewhere.example", form_of(fixture, id, secret, "scope=" SCOPE), SR_AADSTS_UNKNOWN_TENANT},
	    {tenant, form_of(fixture, id, secret, "scope=https://elsewhere.example/.default"), SR_AADSTS_UNKNOWN_RESOURCE},
	    {tenant, form_of(fixture, id, secret, "scope=user.read"), SR_AADSTS_BAD_SCOPE},
	    {tenant, form_of(fixture, id, secret, ""), SR_AADSTS_MISSING_PARAMETER},
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct sr_identity_request request = request_at(fixture, refused[i].tenant, refused[i].form, NOW_S);
		struct sr_identity_answer answer = {0};
		SR_CLEANUP(sr_result) struct sr_result result = sr_token_v2(&request, &answer);
		assert_false(sr_is_ok(result));
		assert_string_equal(sr_result_reason(result), refused[i].reason);
		assert_null(answer.body);
		assert_null(strstr(sr_result_message(result), secret));
	}
	assert_int_equal(fixture->identity.tokens_refused, sizeof refused / sizeof *refused);
	assert_int_equal(fixture->identity.tokens_issued, 0);
}

static void secrets_end_and_more_may_be_had(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	const char *tenant = fixture->store->tenant;
	SR_CLEANUP(sr_json)
	json_t *further = call(fixture, sr_principals_add_secret, text_of(principal, "objectId"), "{\"expires_s\":100}");
	const char *form = form_of(fixture, text_of(principal, "clientId"), text_of(further, "secret"), "scope=" SCOPE);
	SR_CLEANUP(sr_json) json_t *early = call(fixture, sr_token_v2, tenant, form);
	assert_true(verifies(fixture, text_of(early, "access_token")));
	struct sr_identity_request late = request_at(fixture, tenant, form, NOW_S + 100);
	struct sr_identity_answer answer = {0};
	expect_reason(sr_token_v2(&late, &answer), SR_UNAUTHENTICATED, SR_AADSTS_EXPIRED_SECRET);
	struct sr_identity_request first = request_at(fixture, tenant, good_form(fixture, principal), NOW_S + 100);
	expect_ok(sr_token_v2(&first, &answer));
	json_decref(answer.body);

	struct sr_identity_request removal = request_at(fixture, text_of(principal, "objectId"), "", NOW_S);
	removal.parts[1] = text_of(principal, "secretId");
	struct sr_identity_answer removed = {0};
	expect_ok(sr_principals_delete_secret(&removal, &removed));
	call_fails(fixture, sr_token_v2, tenant, good_form(fixture, principal), SR_UNAUTHENTICATED, SR_AADSTS_WRONG_SECRET);
}

static void a_disabled_or_deleted_principal_gets_none(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	const char *tenant = fixture->store->tenant;
	const char *id = text_of(principal, "objectId");
	json_decref(call(fixture, sr_principals_update, id, "{\"enabled\":false}"));
	call_fails(fixture, sr_token_v2, tenant, good_form(fixture, principal), SR_DENIED, SR_AADSTS_APP_DISABLED);
	/* Whether an application is disabled is only for who knows its secret. */
	call_fails(fixture, sr_token_v2, tenant, form_of(fixture, text_of(principal, "clientId"), "x", "scope=" SCOPE),
	           SR_UNAUTHENTICATED, SR_AADSTS_WRONG_SECRET);
	json_decref(call(fixture, sr_principals_update, id, "{\"enabled\":true}"));
	json_decref(call(fixture, sr_token_v2, tenant, good_form(fixture, principal)));
	assert_null(call(fixture, sr_principals_delete, id, ""));
	call_fails(fixture, sr_token_v2, tenant, good_form(fixture, principal), SR_UNAUTHENTICATED, SR_AADSTS_UNKNOWN_APP);
}

static void guessing_is_slowed_down(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_json) json_t *principal = new_principal(fixture);
	const char *tenant = fixture->store->tenant;
	const char *wrong = form_of(fixture, text_of(principal, "clientId"), "guess", "scope=" SCOPE);
	for (int i = 0; i < 10; i++) {
		call_fails(fixture, sr_token_v2, tenant, wrong, SR_UNAUTHENTICATED, SR_AADSTS_WRONG_SECRET);
	}
	struct sr_identity_request request = request_at(fixture, tenant, wrong, NOW_S);
	struct sr_identity_answer answer = {0};
	expect_reason(sr_token_v2(&request, &answer), SR_UNAVAILABLE, SR_AADSTS_THROTTLED);
	assert_in_range(answer.retry_after_s, 1, 6);
	/* Who comes from elsewhere is not held up. */
	struct sr_identity_request other = request_at(fixture, tenant, good_form(fixture, principal), NOW_S);
	other.peer_address = "127.0.0.2";
	struct sr_identity_answer good = {0};
	expect_ok(sr_token_v2(&other, &good));
	json_decref(good.body);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_STORE(a_token_has_entras_claims_and_a_signature_that_openssl_takes),
	    WITH_STORE(the_old_endpoint_speaks_version_one),
	    WITH_STORE(the_adfs_endpoint_takes_either_parameter),
	    WITH_STORE(old_tokens_verify_after_rotation_until_they_end),
	    WITH_STORE(who_gets_no_token),
	    WITH_STORE(secrets_end_and_more_may_be_had),
	    WITH_STORE(a_disabled_or_deleted_principal_gets_none),
	    WITH_STORE(guessing_is_slowed_down),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
