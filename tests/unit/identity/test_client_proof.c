/* Applications that prove themselves by an assertion: which are believed, and the number of each refusal. */
#include "signer.h"

#include "identity/client_certificate.h"
#include "identity/federation.h"
#include "identity/oauth_error.h"
#include "identity/spent_assertion.h"

#define ISSUER  "https://kubernetes.default.svc.cluster.local"
#define SUBJECT "system:serviceaccount:train:runner"

static const char *new_client(struct fixture *fixture, const char *name)
{
	SR_CLEANUP(sr_json)
	json_t *made = call(fixture, sr_principals_create, "", sr_arena_printf(fixture->arena, "{\"name\":\"%s\"}", name));
	return sr_arena_strdup(fixture->arena, text_of(made, "clientId"));
}

static const char *json_text(struct fixture *fixture, const char *name, const char *value)
{
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:s}", name, value);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(65536);
	expect_ok(sr_json_write(body, &text));
	return sr_arena_strdup(fixture->arena, sr_buf_text(&text));
}

/* Registers the certificate; its id, in the arena. */
static const char *add_certificate(struct fixture *fixture, const char *client_id, const struct signer *signer)
{
	SR_CLEANUP(sr_json)
	json_t *added =
	    call(fixture, sr_credentials_add_certificate, client_id, json_text(fixture, "certificate", signer->pem));
	assert_string_equal(text_of(added, "thumbprint"), signer->x5t_s256);
	return sr_arena_strdup(fixture->arena, text_of(added, "certificateId"));
}

static const char *form_of(struct fixture *fixture, const char *client_id, const char *assertion)
{
	return sr_arena_printf(
	    fixture->arena,
	    "grant_type=client_credentials&client_id=%s&scope=https%%3A%%2F%%2Fvault.azure.net%%2F.default"
	    "&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-assertion-type%%3Ajwt-bearer"
	    "&client_assertion=%s",
	    client_id, assertion);
}

static const char *audience_of(struct fixture *fixture)
{
	return sr_arena_printf(fixture->arena, "https://127.0.0.1:8441/%s/oauth2/v2.0/token", fixture->store->tenant);
}

/* The claims of a good assertion with this jti. */
static const char *claims_of(struct fixture *fixture, const char *client_id, const char *jti)
{
	return sr_arena_printf(fixture->arena,
	                       "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"%s\",\"nbf\":%d,\"exp\":%d}",
	                       audience_of(fixture), client_id, client_id, jti, NOW_S, NOW_S + 600);
}

static const char *header_of(struct fixture *fixture, const struct signer *signer, const char *alg)
{
	bool is_old = strcmp(alg, "RS256") == 0;
	return sr_arena_printf(fixture->arena, "{\"alg\":\"%s\",\"%s\":\"%s\"}", alg, is_old ? "x5t" : "x5t#S256",
	                       is_old ? signer->x5t : signer->x5t_s256);
}

static const char *good_assertion(struct fixture *fixture, const struct signer *signer, const char *alg,
                                  const char *client_id, const char *jti)
{
	return signed_token(fixture, signer, alg, header_of(fixture, signer, alg), claims_of(fixture, client_id, jti));
}

static struct sr_result ask_from(struct fixture *fixture, const char *address, const char *client_id,
                                 const char *assertion, struct sr_identity_answer *answer)
{
	struct sr_identity_request request =
	    request_at(fixture, fixture->store->tenant, form_of(fixture, client_id, assertion), NOW_S);
	request.peer_address = address;
	return sr_token_v2(&request, answer);
}

static void expect_token(struct fixture *fixture, const char *client_id, const char *assertion, const char *credential)
{
	struct sr_identity_answer answer = {0};
	expect_ok(ask_from(fixture, "127.0.0.1", client_id, assertion, &answer));
	SR_CLEANUP(sr_jwt) struct sr_jwt jwt = {0};
	expect_ok(sr_jwt_parse(fixture->arena, sr_bytes_str(text_of(answer.body, "access_token")), &jwt));
	assert_string_equal(text_of(jwt.claims, "appidacr"), "2");
	assert_string_equal(text_of(jwt.claims, "sr_cred"), credential);
	json_decref(answer.body);
}

/* Each refusal comes from an address of its own, so that the limit on failures is not what refuses. */
static void expect_refused(struct fixture *fixture, const char *client_id, const char *assertion, const char *reason)
{
	static unsigned count;
	struct sr_identity_answer answer = {0};
	expect_reason(
	    ask_from(fixture, sr_arena_printf(fixture->arena, "10.0.0.%u", count++ % 250), client_id, assertion, &answer),
	    SR_UNAUTHENTICATED, reason);
	assert_null(answer.body);
}

static void an_assertion_signed_with_a_registered_key_is_believed(void **state)
{
	struct fixture *fixture = *state;
	static const char *const algs[] = {"PS256", "RS256", "ES256"};
	for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
		SR_CLEANUP(signer) struct signer signer = signer_new(algs[i][0] == 'E' ? "EC" : "RSA", NOW_S, 30);
		const char *client_id = new_client(fixture, algs[i]);
		const char *credential = add_certificate(fixture, client_id, &signer);
		expect_token(fixture, client_id, good_assertion(fixture, &signer, algs[i], client_id, "one"), credential);
	}
}

static void audiences_of_every_endpoint_are_taken(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(signer) struct signer signer = signer_new("EC", NOW_S, 30);
	const char *client_id = new_client(fixture, "app");
	const char *credential = add_certificate(fixture, client_id, &signer);
	static const char *const paths[] = {"/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "/", ""};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const char *path = sr_arena_printf(fixture->arena, "%s%s", fixture->store->tenant, paths[i]);
		const char *claims =
		    sr_arena_printf(fixture->arena,
		                    "{\"aud\":[\"x\",\"https://127.0.0.1:8441/%s\"],\"iss\":\"%s\",\"sub\":\"%s\","
		                    "\"jti\":\"a%zu\",\"exp\":%d}",
		                    path, client_id, client_id, i, NOW_S + 600);
		expect_token(fixture, client_id,
		             signed_token(fixture, &signer, "ES256", header_of(fixture, &signer, "ES256"), claims), credential);
	}
}

static void each_refused_assertion_has_its_number(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(signer) struct signer signer = signer_new("RSA", NOW_S, 30);
	SR_CLEANUP(signer) struct signer other = signer_new("RSA", NOW_S, 30);
	const char *id = new_client(fixture, "app");
	const char *stranger = new_client(fixture, "stranger");
	add_certificate(fixture, id, &signer);
	const char *header = header_of(fixture, &signer, "PS256");
	const char *aud = audience_of(fixture);
	struct sr_arena *arena = fixture->arena;
	const char *good = claims_of(fixture, id, "good");
#define CLAIMS(...) sr_arena_printf(arena, __VA_ARGS__)
	const struct {
		const char *client, *assertion, *reason;
	} refused[] = {
	    {id, "a.b.c", SR_AADSTS_BAD_JWT},
	    {id, signed_token(fixture, &signer, "PS256", "{\"alg\":\"none\"}", good), SR_AADSTS_BAD_JWT},
	    {id, signed_token(fixture, &signer, "PS256", "{\"alg\":\"HS256\"}", good), SR_AADSTS_BAD_JWT},
	    {id,
	     signed_token(fixture, &signer, "PS256",
	                  CLAIMS("{\"alg\":\"PS256\",\"x5t#S256\":\"%s\",\"crit\":[\"b64\"]}", signer.x5t_s256), good),
	     SR_AADSTS_BAD_JWT},
	    {id, signed_token(fixture, &signer, "PS256", "{\"alg\":\"PS256\"}", good), SR_AADSTS_BAD_ASSERTION},
	    {id, signed_token(fixture, &other, "PS256", header_of(fixture, &other, "PS256"), good),
	     SR_AADSTS_BAD_ASSERTION},
	    {id, signed_token(fixture, &other, "PS256", header, good), SR_AADSTS_BAD_ASSERTION},
	    {id, signed_token(fixture, &signer, "RS256", header, good), SR_AADSTS_BAD_ASSERTION},
	    {stranger, good_assertion(fixture, &signer, "PS256", stranger, "x"), SR_AADSTS_BAD_ASSERTION},
	    {stranger, good_assertion(fixture, &signer, "PS256", id, "x"), SR_AADSTS_BAD_ASSERTION},
	    {"11111111-1111-4111-8111-111111111111", good_assertion(fixture, &signer, "PS256", id, "x"),
	     SR_AADSTS_UNKNOWN_APP},
	    {id,
	     signed_token(fixture, &signer, "PS256", header,
	                  CLAIMS("{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"x\",\"exp\":%d}", aud, id,
	                         stranger, NOW_S + 600)),
	     SR_AADSTS_WRONG_CLIENT},
	    {id,
	     signed_token(fixture, &signer, "PS256", header,
	                  CLAIMS("{\"aud\":\"https://elsewhere\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"x\",\"exp\":%d}",
	                         id, id, NOW_S + 600)),
	     SR_AADSTS_WRONG_AUDIENCE},
	    {id,
	     signed_token(fixture, &signer, "PS256", header,
	                  CLAIMS("{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"exp\":%d}", aud, id, id, NOW_S + 600)),
	     SR_AADSTS_BAD_JWT},
	    {id,
	     signed_token(fixture, &signer, "PS256", header,
	                  CLAIMS("{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"x\"}", aud, id, id)),
	     SR_AADSTS_ASSERTION_TIME},
	    {id,
	     signed_token(fixture, &signer, "PS256", header,
	                  CLAIMS("{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"x\",\"exp\":%d}", aud, id, id,
	                         NOW_S - SR_ASSERTION_SKEW_S)),
	     SR_AADSTS_ASSERTION_TIME},
	    {id,
	     signed_token(fixture, &signer, "PS256", header,
	                  CLAIMS("{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"x\",\"nbf\":%d,\"exp\":%d}", aud,
	                         id, id, NOW_S + SR_ASSERTION_SKEW_S + 1, NOW_S + 600)),
	     SR_AADSTS_ASSERTION_TIME},
	    {id,
	     signed_token(fixture, &signer, "PS256", header,
	                  CLAIMS("{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"x\",\"nbf\":%d,\"exp\":%d}", aud,
	                         id, id, NOW_S, NOW_S + SR_ASSERTION_LIFE_MAX_S + 1)),
	     SR_AADSTS_ASSERTION_TIME},
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		expect_refused(fixture, refused[i].client, refused[i].assertion, refused[i].reason);
	}
	struct sr_identity_answer answer = {0};
	expect_ok(ask_from(fixture, "127.0.0.1", id, signed_token(fixture, &signer, "PS256", header, good), &answer));
	json_decref(answer.body);
}

static void an_assertion_is_of_no_use_to_who_takes_it_elsewhere(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(signer) struct signer signer = signer_new("EC", NOW_S, 30);
	const char *id = new_client(fixture, "app");
	const char *credential = add_certificate(fixture, id, &signer);
	const char *assertion = good_assertion(fixture, &signer, "ES256", id, "once");
	expect_token(fixture, id, assertion, credential);
	/* Official clients present it for each resource. */
	expect_token(fixture, id, assertion, credential);
	expect_refused(fixture, id, assertion, SR_AADSTS_BAD_ASSERTION);
	/* The same jti in another assertion is a replay too. */
	const char *again = good_assertion(fixture, &signer, "ES256", id, "once");
	struct sr_identity_answer answer = {0};
	expect_reason(ask_from(fixture, "127.0.0.1", id, again, &answer), SR_UNAUTHENTICATED, SR_AADSTS_BAD_ASSERTION);
	/* It is not forgotten by a restart. */
	fixture_reopen(fixture, NOW_S);
	expect_refused(fixture, id, assertion, SR_AADSTS_BAD_ASSERTION);
}

static struct sr_result spend(struct sr_connection *connection, void *context)
{
	return sr_assertion_spend(connection, context, NOW_S);
}

static void uses_and_assertions_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	char token_id[16] = "first";
	struct sr_presented_assertion presented = {.object_id = "p",
	                                           .token_id = token_id,
	                                           .assertion = SR_LITERAL("a.b.c"),
	                                           .address = "::1",
	                                           .expires_s = NOW_S + 1};
	for (int i = 0; i < SR_ASSERTION_USES_MAX; i++) {
		expect_ok(sr_database_write(fixture->store->database, spend, &presented));
	}
	expect_reason(sr_database_write(fixture->store->database, spend, &presented), SR_UNAUTHENTICATED,
	              SR_AADSTS_BAD_ASSERTION);
}

static struct sr_result spend_many(struct sr_connection *connection, void *context)
{
	(void)context;
	char token_id[16];
	struct sr_presented_assertion presented = {.object_id = "q",
	                                           .token_id = token_id,
	                                           .assertion = SR_LITERAL("a.b.c"),
	                                           .address = "::1",
	                                           .expires_s = NOW_S + 1};
	for (int i = 0; i < SR_ASSERTIONS_LIVE_MAX; i++) {
		snprintf(token_id, sizeof token_id, "%d", i);
		SR_TRY(sr_assertion_spend(connection, &presented, NOW_S));
	}
	return sr_ok();
}

static void too_many_live_assertions_are_refused_until_some_have_ended(void **state)
{
	struct fixture *fixture = *state;
	expect_ok(sr_database_write(fixture->store->database, spend_many, NULL));
	struct sr_presented_assertion presented = {.object_id = "q",
	                                           .token_id = "more",
	                                           .assertion = SR_LITERAL("a.b.c"),
	                                           .address = "::1",
	                                           .expires_s = NOW_S + 1};
	expect_reason(sr_database_write(fixture->store->database, spend, &presented), SR_UNAUTHENTICATED,
	              SR_AADSTS_BAD_ASSERTION);
	presented.object_id = "another";
	expect_ok(sr_database_write(fixture->store->database, spend, &presented));
}

static void a_certificate_that_ended_or_was_removed_proves_nothing(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(signer) struct signer signer = signer_new("EC", NOW_S, 30);
	SR_CLEANUP(signer) struct signer ended = signer_new("EC", NOW_S, 0);
	const char *id = new_client(fixture, "app");
	call_fails(fixture, sr_credentials_add_certificate, id, json_text(fixture, "certificate", ended.pem), SR_INVALID,
	           NULL);
	call_fails(fixture, sr_credentials_add_certificate, id, json_text(fixture, "certificate", "no PEM"), SR_INVALID,
	           NULL);
	const char *credential = add_certificate(fixture, id, &signer);
	call_fails(fixture, sr_credentials_add_certificate, id, json_text(fixture, "certificate", signer.pem), SR_EXISTS,
	           NULL);
	expect_token(fixture, id, good_assertion(fixture, &signer, "ES256", id, "1"), credential);
	struct sr_identity_request removal = request_at(fixture, id, "", NOW_S);
	removal.parts[1] = signer.x5t_s256;
	struct sr_identity_answer removed = {0};
	expect_ok(sr_credentials_remove_certificate(&removal, &removed));
	assert_true(removed.is_change);
	expect_refused(fixture, id, good_assertion(fixture, &signer, "ES256", id, "2"), SR_AADSTS_BAD_ASSERTION);
	expect_code(sr_credentials_remove_certificate(&removal, &removed), SR_NOT_FOUND);
}

static void set_issuer(struct fixture *fixture, const struct signer *signer, const char *kid)
{
	struct sr_identity_request request = request_at(
	    fixture, "",
	    sr_arena_printf(fixture->arena, "{\"issuer\":\"" ISSUER "\",\"jwks\":%s}", jwks_of(fixture, signer, kid)),
	    NOW_S);
	struct sr_identity_answer answer = {0};
	expect_ok(sr_federation_set(&request, &answer));
}

static const char *outside_token(struct fixture *fixture, const struct signer *signer, const char *kid,
                                 const char *subject, const char *audience, int exp)
{
	return signed_token(
	    fixture, signer, "RS256", sr_arena_printf(fixture->arena, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid),
	    sr_arena_printf(fixture->arena,
	                    "{\"iss\":\"" ISSUER "\",\"sub\":\"%s\",\"aud\":[\"%s\"],\"iat\":%d,\"exp\":%d}", subject,
	                    audience, NOW_S, exp));
}

static void an_outside_token_is_believed_where_all_of_it_was_registered(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(signer) struct signer issuer = signer_new("RSA", NOW_S, 1);
	SR_CLEANUP(signer) struct signer other = signer_new("RSA", NOW_S, 1);
	const char *id = new_client(fixture, "runner");
	const char *good = outside_token(fixture, &issuer, "k1", SUBJECT, SR_FEDERATED_AUDIENCE, NOW_S + 3600);
	expect_refused(fixture, id, good, SR_AADSTS_FEDERATED_ISSUER);
	SR_CLEANUP(sr_json)
	json_t *made =
	    call(fixture, sr_credentials_add_federated, id, "{\"issuer\":\"" ISSUER "\",\"subject\":\"" SUBJECT "\"}");
	expect_refused(fixture, id, good, SR_AADSTS_FEDERATED_ISSUER); /* its keys are not known */
	set_issuer(fixture, &issuer, "k1");
	expect_token(fixture, id, good, text_of(made, "credentialId"));
	expect_token(fixture, id, good, text_of(made, "credentialId"));

	expect_refused(fixture, id, outside_token(fixture, &issuer, "k1", SUBJECT "x", SR_FEDERATED_AUDIENCE, NOW_S + 600),
	               SR_AADSTS_FEDERATED_SUBJECT);
	expect_refused(fixture, id, outside_token(fixture, &issuer, "k1", SUBJECT, "api://other", NOW_S + 600),
	               SR_AADSTS_FEDERATED_AUD);
	expect_refused(fixture, id, outside_token(fixture, &issuer, "k2", SUBJECT, SR_FEDERATED_AUDIENCE, NOW_S + 600),
	               SR_AADSTS_FEDERATED_ISSUER);
	expect_refused(fixture, id, outside_token(fixture, &other, "k1", SUBJECT, SR_FEDERATED_AUDIENCE, NOW_S + 600),
	               SR_AADSTS_BAD_ASSERTION);
	expect_refused(fixture, id, outside_token(fixture, &issuer, "k1", SUBJECT, SR_FEDERATED_AUDIENCE, NOW_S - 600),
	               SR_AADSTS_ASSERTION_TIME);
	expect_refused(fixture, new_client(fixture, "stranger"), good, SR_AADSTS_FEDERATED_ISSUER);

	set_issuer(fixture, &other, "k1"); /* the issuer has changed its keys */
	expect_refused(fixture, id, good, SR_AADSTS_BAD_ASSERTION);
	set_issuer(fixture, &issuer, "k1");
	struct sr_identity_request removal = request_at(fixture, id, "", NOW_S);
	removal.parts[1] = text_of(made, "credentialId");
	struct sr_identity_answer removed = {0};
	expect_ok(sr_credentials_remove_federated(&removal, &removed));
	expect_refused(fixture, id, good, SR_AADSTS_FEDERATED_ISSUER);
}

static void what_is_no_jwks_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const char *const wrong[] = {
	    "{\"issuer\":\"" ISSUER "\"}",
	    "{\"issuer\":\"\",\"jwks\":{\"keys\":[]}}",
	    "{\"issuer\":\"" ISSUER "\",\"jwks\":{}}",
	    "{\"issuer\":\"" ISSUER "\",\"jwks\":{\"keys\":[]}}",
	    "{\"issuer\":\"" ISSUER "\",\"jwks\":{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}}",
	    "{\"issuer\":\"" ISSUER "\",\"jwks\":{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}}",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		call_fails(fixture, sr_federation_set, "", wrong[i], SR_INVALID, NULL);
	}
	SR_CLEANUP(sr_json) json_t *list = call(fixture, sr_federation_list, "", "");
	assert_int_equal(json_array_size(json_object_get(list, "value")), 0);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_STORE(an_assertion_signed_with_a_registered_key_is_believed),
	    WITH_STORE(audiences_of_every_endpoint_are_taken),
	    WITH_STORE(each_refused_assertion_has_its_number),
	    WITH_STORE(an_assertion_is_of_no_use_to_who_takes_it_elsewhere),
	    WITH_STORE(uses_and_assertions_are_bounded),
	    WITH_STORE(too_many_live_assertions_are_refused_until_some_have_ended),
	    WITH_STORE(a_certificate_that_ended_or_was_removed_proves_nothing),
	    WITH_STORE(an_outside_token_is_believed_where_all_of_it_was_registered),
	    WITH_STORE(what_is_no_jwks_is_refused),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
