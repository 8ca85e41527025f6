/* Policies of certificates as clients send them, and changes laid over a standing one. What is taken reads from its
 * normalized form to the same again, and its times are within the certificate's. */
#include "vault/certificate_policy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char standing[] = "{\"issuer\":{\"name\":\"Self\"},\"key_props\":{\"kty\":\"RSA\",\"key_size\":2048},"
                               "\"x509_props\":{\"subject\":\"CN=a\"}}";

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_trigger(const struct sr_certificate_trigger *trigger)
{
	const int64_t nbf = 1795521600, exp = nbf + 365 * 86400;
	const int64_t time = sr_certificate_trigger_time(trigger, nbf, exp);
	require(trigger->is_set ? time < exp : time == SR_NO_TIME);
	require(!trigger->percentage || time >= nbf);
}

static void check_policy(struct sr_arena *arena, const struct sr_certificate_policy *policy)
{
	struct sr_certificate_policy again;
	SR_CLEANUP(sr_result) struct sr_result read = sr_certificate_policy_open(arena, policy->json, &again);
	require(sr_is_ok(read) && strcmp(again.json, policy->json) == 0);
	require(again.plan.months == policy->plan.months && again.plan.key_usage == policy->plan.key_usage);
	require(strcmp(again.issuer, policy->issuer) == 0 && again.is_exportable == policy->is_exportable);
	check_trigger(&policy->renew);
	check_trigger(&policy->notice);
}

static void try_policy(struct sr_arena *arena, const json_t *given)
{
	struct sr_certificate_policy policy;
	SR_CLEANUP(sr_result) struct sr_result read = sr_certificate_policy_read(arena, given, &policy);
	if (!sr_is_ok(read)) {
		require(sr_result_code(read) == SR_INVALID || sr_result_code(read) == SR_TOO_LARGE);
		return;
	}
	check_policy(arena, &policy);
}

static void try_change(struct sr_arena *arena, const json_t *changes)
{
	struct sr_certificate_policy policy;
	SR_CLEANUP(sr_result) struct sr_result changed = sr_certificate_policy_change(arena, standing, changes, &policy);
	if (sr_is_ok(changed)) {
		check_policy(arena, &policy);
	}
}

static void try_imported(struct sr_arena *arena, const json_t *given)
{
	static const char *const names[] = {"a.example", NULL};
	const struct sr_x509_facts facts = {.plan = {.subject = "CN=a", .dns_names = names, .months = 12}};
	const struct sr_key_spec spec = {SR_KEY_EC, 0, SR_CURVE_P256};
	struct sr_certificate_policy policy;
	SR_CLEANUP(sr_result)
	struct sr_result read = sr_certificate_policy_imported(arena, given, &facts, &spec, false, &policy);
	if (sr_is_ok(read)) { /* what the certificate says stands */
		require(policy.key.type == SR_KEY_EC && strcmp(policy.plan.subject, "CN=a") == 0);
		check_policy(arena, &policy);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool is_ready;
	if (!is_ready && !sr_is_ok(sr_seal_init())) {
		abort();
	}
	is_ready = true;
	SR_CLEANUP(sr_json) json_t *given = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_bytes_of(data, len), &given);
	if (!sr_is_ok(parsed) || !json_is_object(given)) {
		return 0;
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	try_policy(arena, given);
	try_change(arena, given);
	try_imported(arena, given);
	return 0;
}
