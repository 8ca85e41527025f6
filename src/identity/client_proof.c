/* Proofs of applications. Tokens are issued in token_api.c. */
#include "identity/client_proof.h"

#include "base/clock.h"
#include "identity/client_certificate.h"
#include "identity/federation.h"
#include "identity/oauth_error.h"
#include "identity/spent_assertion.h"
#include "seal/certificate.h"

#include <string.h>

struct lookup {
	const struct sr_identity_request *request;
	const struct sr_token_request *asked;
	bool is_known;
	struct sr_application application;
	struct sr_client_secrets secrets;
	/* Of an assertion: */
	struct sr_assertion assertion;
	bool is_own; /* signed by the application itself */
	struct sr_client_certificate certificate;
	bool has_certificate;
	struct sr_keypair *issuer_key;
	char credential_id[SR_GUID_TEXT_LEN];
};

static void lookup_cleanup(struct lookup *lookup)
{
	sr_assertion_cleanup(&lookup->assertion);
	sr_client_certificate_cleanup(&lookup->certificate);
	sr_keypair_free(lookup->issuer_key);
}

static struct sr_result find_application(struct sr_connection *connection, struct lookup *lookup)
{
	struct sr_result found = sr_application_of_client(connection, lookup->asked->client_id, &lookup->application);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	lookup->is_known = true;
	return sr_ok();
}

/* The same queries whether the application is known or not: an unknown one has no rows. */
static struct sr_result look_up_secrets(struct sr_connection *connection, void *context)
{
	struct lookup *lookup = context;
	SR_TRY(find_application(connection, lookup));
	return sr_client_secrets_read(connection, lookup->application.object_id, &lookup->secrets);
}

static struct sr_result find_certificate(struct sr_connection *connection, struct lookup *lookup)
{
	const struct sr_assertion *assertion = &lookup->assertion;
	if (!*assertion->x5t_s256 && !*assertion->x5t) {
		return sr_ok();
	}
	struct sr_result found = sr_client_certificate_find(connection, lookup->application.object_id, assertion->x5t_s256,
	                                                    assertion->x5t, &lookup->certificate);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	lookup->has_certificate = true;
	memcpy(lookup->credential_id, lookup->certificate.id, sizeof lookup->credential_id);
	return sr_ok();
}

static struct sr_result look_up_assertion(struct sr_connection *connection, void *context)
{
	struct lookup *lookup = context;
	SR_TRY(find_application(connection, lookup));
	if (!lookup->is_known) {
		return sr_ok();
	}
	if (lookup->is_own) {
		return find_certificate(connection, lookup);
	}
	SR_TRY(sr_federated_match(connection, lookup->application.object_id, &lookup->assertion, lookup->credential_id));
	return sr_federation_key(connection, lookup->request->arena, &lookup->assertion, &lookup->issuer_key);
}

static struct sr_result check_known(const struct lookup *lookup)
{
	if (!lookup->is_known) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_UNKNOWN_APP,
		                  "Application with identifier '%.64s' was not found in the directory '%s'.",
		                  lookup->asked->client_id, lookup->request->store->tenant);
	}
	return sr_ok();
}

/* Judges what was presented; the hashes are computed for unknown applications too. */
static struct sr_result by_secret(struct lookup *lookup)
{
	const struct sr_identity_request *request = lookup->request;
	SR_TRY(sr_database_read(request->store->database, look_up_secrets, lookup));
	size_t which = 0;
	enum sr_secret_verdict verdict =
	    sr_client_secrets_judge(&lookup->secrets, sr_bytes_str(lookup->asked->client_secret), request->now_s, &which);
	SR_TRY(check_known(lookup));
	if (verdict == SR_SECRET_EXPIRED) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_EXPIRED_SECRET,
		                  "The provided client secret keys for app '%s' are expired.", lookup->application.client_id);
	}
	if (verdict != SR_SECRET_RIGHT) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_WRONG_SECRET,
		                  "Invalid client secret provided. Ensure the secret being sent in the request is the client "
		                  "secret value, not the client secret ID, for a secret added to app '%s'.",
		                  lookup->application.client_id);
	}
	memcpy(lookup->credential_id, lookup->secrets.items[which].id, sizeof lookup->credential_id);
	return sr_ok();
}

static struct sr_result certificate_refused(const char *why)
{
	return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_BAD_ASSERTION, "Client assertion failed signature validation. %s.",
	                  why);
}

static struct sr_result check_signature(const struct lookup *lookup, const struct sr_keypair *key)
{
	bool is_valid = false;
	SR_TRY(sr_assertion_verify(&lookup->assertion, key, &is_valid));
	return is_valid ? sr_ok() : certificate_refused("The signature does not fit the key");
}

static struct sr_result check_own_signature(const struct lookup *lookup)
{
	if (!lookup->has_certificate) {
		return certificate_refused("The certificate that its header names ('x5t#S256' or 'x5t') is not registered on "
		                           "the application");
	}
	if (lookup->certificate.expires_s <= lookup->request->now_s) {
		return certificate_refused("The certificate has ended: register a new one");
	}
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
	SR_CLEANUP(sr_keypair) struct sr_keypair *key = NULL;
	SR_TRY(sr_certificate_from_der(sr_buf_bytes(&lookup->certificate.der), &certificate));
	SR_TRY(sr_certificate_public_key(certificate, &key));
	return check_signature(lookup, key);
}

/* The names that this installation's tenant has at this endpoint: token endpoints and issuers of both versions. */
static bool is_for_us(const struct lookup *lookup)
{
	static const char *const paths[] = {"/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "/", ""};
	const struct sr_identity_request *request = lookup->request;
	const char *origins[] = {request->origin, request->identity->options.authority};
	const char *tenants[] = {request->store->tenant, request->parts[0], "adfs"};
	for (size_t i = 0; i < sizeof origins / sizeof *origins * 3 * 5; i++) {
		const char *tenant = tenants[i / 5 % 3];
		const char *audience =
		    sr_arena_printf(request->arena, "%s/%s%s", origins[i / 15], tenant ? tenant : "", paths[i % 5]);
		if (tenant && *tenant && sr_assertion_is_for(&lookup->assertion, audience)) {
			return true;
		}
	}
	return false;
}

static struct sr_result check_own_claims(const struct lookup *lookup)
{
	const struct sr_assertion *assertion = &lookup->assertion;
	struct sr_bytes client_id = sr_bytes_str(lookup->application.client_id);
	if (!sr_equal_nocase(sr_bytes_str(assertion->subject), client_id) ||
	    !sr_equal_nocase(sr_bytes_str(assertion->issuer), client_id)) {
		return sr_fail_as(
		    SR_UNAUTHENTICATED, SR_AADSTS_WRONG_CLIENT,
		    "Client assertion application identifier doesn't match 'client_id' parameter: 'iss' and 'sub' "
		    "are both the client id.");
	}
	if (!is_for_us(lookup)) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_WRONG_AUDIENCE,
		                  "Client assertion audience claim does not match Realm issuer. 'aud' is the token endpoint.");
	}
	if (!*assertion->token_id) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_BAD_JWT, "Invalid JWT token. It has no identifier ('jti').");
	}
	return sr_assertion_check_times(assertion, lookup->request->now_s, SR_ASSERTION_LIFE_MAX_S);
}

static struct sr_result spend(struct sr_connection *connection, void *context)
{
	const struct lookup *lookup = context;
	struct sr_presented_assertion presented = {
	    .object_id = lookup->application.object_id,
	    .token_id = lookup->assertion.token_id,
	    .assertion = sr_bytes_str(lookup->asked->client_assertion),
	    .address = lookup->request->peer_address,
	    .expires_s = lookup->assertion.expires_s + SR_ASSERTION_SKEW_S,
	};
	return sr_assertion_spend(connection, &presented, lookup->request->now_s);
}

/* An assertion that names the client as its issuer or subject is the client's own; others are an outside issuer's. */
static bool is_own(const struct lookup *lookup)
{
	struct sr_bytes client_id = sr_bytes_str(lookup->asked->client_id);
	return sr_equal_nocase(sr_bytes_str(lookup->assertion.issuer), client_id) ||
	       sr_equal_nocase(sr_bytes_str(lookup->assertion.subject), client_id) ||
	       sr_is_guid(sr_bytes_str(lookup->assertion.issuer));
}

static struct sr_result by_assertion(struct lookup *lookup)
{
	const struct sr_identity_request *request = lookup->request;
	SR_TRY(sr_assertion_read(request->arena, lookup->asked->client_assertion, &lookup->assertion));
	lookup->is_own = is_own(lookup);
	SR_TRY(sr_database_read(request->store->database, look_up_assertion, lookup));
	SR_TRY(check_known(lookup));
	if (!lookup->is_own) {
		SR_TRY(check_signature(lookup, lookup->issuer_key));
		return sr_assertion_check_times(&lookup->assertion, request->now_s, SR_FEDERATED_LIFE_MAX_S);
	}
	SR_TRY(check_own_signature(lookup));
	SR_TRY(check_own_claims(lookup));
	return sr_database_write(request->store->database, spend, lookup);
}

struct sr_result sr_rate_check(const struct sr_identity_request *request, const char *name,
                               struct sr_identity_answer *answer)
{
	const struct sr_identity *identity = request->identity;
	uint64_t now_ms = sr_boottime_ms();
	if (!sr_rate_limit_allows(identity->rate_limit, name, request->peer_address, now_ms, &answer->retry_after_s) ||
	    !sr_rate_limit_allows(identity->address_limit, "", request->peer_address, now_ms, &answer->retry_after_s)) {
		return sr_fail_as(SR_UNAVAILABLE, SR_AADSTS_THROTTLED,
		                  "Too many failed attempts for this application from this address. Try again in %u seconds.",
		                  answer->retry_after_s);
	}
	return sr_ok();
}

void sr_rate_charge(const struct sr_identity_request *request, const char *name)
{
	const struct sr_identity *identity = request->identity;
	uint64_t now_ms = sr_boottime_ms();
	sr_rate_limit_charge(identity->rate_limit, name, request->peer_address, now_ms);
	sr_rate_limit_charge(identity->address_limit, "", request->peer_address, now_ms);
}

struct sr_result sr_client_prove(const struct sr_identity_request *request, const struct sr_token_request *asked,
                                 struct sr_identity_answer *answer, struct sr_client_proof *ret_proof)
{
	/* The limit holds before a secret is looked at, so that a guesser learns nothing more. */
	SR_TRY(sr_rate_check(request, asked->client_id, answer));
	SR_CLEANUP(lookup) struct lookup lookup = {.request = request, .asked = asked};
	struct sr_result proven = asked->client_assertion ? by_assertion(&lookup) : by_secret(&lookup);
	if (sr_result_code(proven) == SR_UNAUTHENTICATED) {
		sr_rate_charge(request, asked->client_id);
	}
	SR_TRY(proven);
	/* Only for who knows its secret. */
	if (!lookup.application.is_enabled) {
		return sr_fail_as(SR_DENIED, SR_AADSTS_APP_DISABLED, "Application '%s' is disabled.",
		                  lookup.application.client_id);
	}
	ret_proof->application = lookup.application;
	memcpy(ret_proof->credential_id, lookup.credential_id, sizeof ret_proof->credential_id);
	ret_proof->by_assertion = asked->client_assertion != NULL;
	return sr_ok();
}
