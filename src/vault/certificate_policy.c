/* Reading policies. Normalized JSON has every member that a policy can have, so that reading it again gives the same.
 */
#include "vault/certificate_policy.h"

#include <string.h>
#include <strings.h>

enum { POLICY_MAX = 65536, DEFAULT_MONTHS = 12, DEFAULT_PERCENTAGE = 80, DAY_S = 86400, DAYS_MAX = 36500 };
#define PKCS12_TYPE "application/x-pkcs12"
#define PEM_TYPE    "application/x-pem-file"

const char *sr_certificate_content_type(const struct sr_certificate_policy *policy)
{
	return policy->is_pem ? PEM_TYPE : PKCS12_TYPE;
}

bool sr_certificate_policy_signs(const struct sr_certificate_policy *policy)
{
	return strcmp(policy->issuer, SR_ISSUER_SELF) == 0 || strcmp(policy->issuer, SR_ISSUER_STRONGROOM) == 0;
}

int64_t sr_certificate_trigger_time(const struct sr_certificate_trigger *trigger, int64_t nbf, int64_t exp)
{
	if (!trigger->is_set) {
		return SR_NO_TIME;
	}
	return trigger->percentage ? nbf + (exp - nbf) / 100 * trigger->percentage : exp - trigger->days_before * DAY_S;
}

static struct sr_result read_key(const json_t *given, struct sr_certificate_policy *policy)
{
	const json_t *props = NULL;
	const char *kty = "RSA", *crv = NULL;
	int64_t size = 0;
	SR_TRY(sr_json_get_object(given, "key_props", &props));
	SR_TRY(sr_json_get_string(props, "kty", &kty));
	SR_TRY(sr_json_get_string(props, "crv", &crv));
	SR_TRY(sr_json_get_int(props, "key_size", &size));
	policy->is_exportable = true;
	SR_TRY(sr_json_get_bool(props, "exportable", &policy->is_exportable));
	SR_TRY(sr_json_get_bool(props, "reuse_key", &policy->reuses_key));
	if (strncasecmp(kty, "EC", 2) == 0) { /* SDKs send the curve's size beside it */
		if (!crv && size) {
			crv = size == 256 ? "P-256" : size == 384 ? "P-384" : size == 521 ? "P-521" : "";
		}
		size = 0;
	}
	SR_TRY(sr_key_spec_of(kty, size, crv, &policy->key));
	if (policy->key.is_in_token) {
		return sr_fail_as(SR_INVALID, "KeyTypeNotSupported",
		                  "key_props.kty: the keys of certificates are in software: use %s",
		                  policy->key.type == SR_KEY_RSA ? "RSA" : "EC");
	}
	return policy->key.type != SR_KEY_OCT ? sr_ok()
	                                      : sr_fail(SR_INVALID, "key_props.kty: a certificate's key is RSA or EC");
}

static struct sr_result read_secret(const json_t *given, struct sr_certificate_policy *policy)
{
	const json_t *props = NULL;
	const char *type = PKCS12_TYPE;
	SR_TRY(sr_json_get_object(given, "secret_props", &props));
	SR_TRY(sr_json_get_string(props, "contentType", &type));
	policy->is_pem = strcmp(type, PEM_TYPE) == 0;
	return policy->is_pem || strcmp(type, PKCS12_TYPE) == 0
	           ? sr_ok()
	           : sr_fail(SR_INVALID, "secret_props.contentType: " PKCS12_TYPE " or " PEM_TYPE);
}

/* An array of strings as a list ended by NULL, in the arena. */
static struct sr_result read_list(struct sr_arena *arena, const json_t *object, const char *name,
                                  const char *const **ret_list)
{
	const json_t *array = NULL;
	SR_TRY(sr_json_get_array(object, name, &array));
	size_t count = json_array_size(array);
	if (count > SR_X509_NAMES_MAX) {
		return sr_fail(SR_INVALID, "%s: more than %d", name, SR_X509_NAMES_MAX);
	}
	const char **list = sr_arena_alloc(arena, (count + 1) * sizeof *list);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(array, i));
		if (!text) {
			return sr_fail(SR_INVALID, "%s: strings are expected", name);
		}
		list[i] = sr_arena_strdup(arena, text);
	}
	*ret_list = list;
	return sr_ok();
}

static struct sr_result read_usages(struct sr_arena *arena, const json_t *props, struct sr_certificate_policy *policy)
{
	static const char *const usual[] = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", NULL};
	const char *const *names = NULL;
	SR_TRY(read_list(arena, props, "key_usage", &names));
	for (; *names; names++) {
		unsigned bit = sr_key_usage_by_name(*names);
		if (!bit) {
			return sr_fail(SR_INVALID, "key_usage: '%.64s' is no usage of a key", *names);
		}
		policy->plan.key_usage |= bit;
	}
	const json_t *named = json_object_get(props, "key_usage");
	if (!named || json_is_null(named)) {
		policy->plan.key_usage =
		    SR_USAGE_DIGITAL_SIGNATURE | (policy->key.type == SR_KEY_RSA ? SR_USAGE_KEY_ENCIPHERMENT : 0U);
	}
	const json_t *ekus = json_object_get(props, "ekus");
	if (!ekus || json_is_null(ekus)) {
		policy->plan.ekus = usual;
		return sr_ok();
	}
	return read_list(arena, props, "ekus", &policy->plan.ekus);
}

static struct sr_result read_x509(struct sr_arena *arena, const json_t *given, struct sr_certificate_policy *policy)
{
	const json_t *props = NULL, *sans = NULL;
	const char *subject = "";
	int64_t months = DEFAULT_MONTHS;
	SR_TRY(sr_json_get_object(given, "x509_props", &props));
	SR_TRY(sr_json_get_string(props, "subject", &subject));
	SR_TRY(sr_json_get_object(props, "sans", &sans));
	SR_TRY(read_list(arena, sans, "dns_names", &policy->plan.dns_names));
	SR_TRY(read_list(arena, sans, "emails", &policy->plan.emails));
	SR_TRY(read_list(arena, sans, "upns", &policy->plan.upns));
	SR_TRY(sr_json_get_int(props, "validity_months", &months));
	SR_TRY(read_usages(arena, props, policy));
	policy->plan.subject = sr_arena_strdup(arena, subject);
	policy->plan.months = months >= 1 && months <= SR_X509_MONTHS_MAX ? (unsigned)months : 0;
	return sr_ok();
}

static struct sr_result read_trigger(const json_t *action, struct sr_certificate_trigger *trigger)
{
	const json_t *when = NULL;
	SR_TRY(sr_json_get_object(action, "trigger", &when));
	if (!when) {
		return sr_fail(SR_INVALID, "lifetime_actions: each has a trigger and an action");
	}
	trigger->is_set = true;
	SR_TRY(sr_json_get_int(when, "lifetime_percentage", &trigger->percentage));
	SR_TRY(sr_json_get_int(when, "days_before_expiry", &trigger->days_before));
	if ((trigger->percentage != 0) == (trigger->days_before != 0)) {
		return sr_fail(SR_INVALID, "lifetime_actions: a trigger has lifetime_percentage or days_before_expiry");
	}
	if (trigger->percentage ? trigger->percentage < 1 || trigger->percentage > 99
	                        : trigger->days_before < 1 || trigger->days_before > DAYS_MAX) {
		return sr_fail(SR_INVALID, "lifetime_actions: lifetime_percentage is 1 to 99, days_before_expiry at least 1");
	}
	return sr_ok();
}

static struct sr_result read_action(const json_t *item, struct sr_certificate_policy *policy)
{
	const json_t *action = NULL;
	const char *type = "";
	SR_TRY(sr_json_get_object(item, "action", &action));
	if (!action) {
		return sr_fail(SR_INVALID, "lifetime_actions: each has a trigger and an action");
	}
	SR_TRY(sr_json_get_string(action, "action_type", &type));
	struct sr_certificate_trigger *trigger = strcasecmp(type, "AutoRenew") == 0       ? &policy->renew
	                                         : strcasecmp(type, "EmailContacts") == 0 ? &policy->notice
	                                                                                  : NULL;
	if (!trigger || trigger->is_set) {
		return sr_fail(SR_INVALID, "lifetime_actions: one AutoRenew and one EmailContacts at most, nothing else");
	}
	return read_trigger(item, trigger);
}

static struct sr_result read_actions(const json_t *given, struct sr_certificate_policy *policy)
{
	const json_t *actions = NULL;
	SR_TRY(sr_json_get_array(given, "lifetime_actions", &actions));
	if (!actions) {
		struct sr_certificate_trigger *usual = sr_certificate_policy_signs(policy) ? &policy->renew : &policy->notice;
		*usual = (struct sr_certificate_trigger){.is_set = true, .percentage = DEFAULT_PERCENTAGE};
		return sr_ok();
	}
	for (size_t i = 0; i < json_array_size(actions); i++) {
		SR_TRY(read_action(json_array_get(actions, i), policy));
	}
	if (policy->renew.is_set && !sr_certificate_policy_signs(policy)) {
		return sr_fail(SR_INVALID,
		               "lifetime_actions: AutoRenew needs an issuer that signs by itself (" SR_ISSUER_SELF
		               ", " SR_ISSUER_STRONGROOM "); with %.64s use EmailContacts",
		               policy->issuer);
	}
	const int64_t lifetime_days = (int64_t)policy->plan.months * 28;
	if (policy->renew.days_before >= lifetime_days || policy->notice.days_before >= lifetime_days) {
		return sr_fail(SR_INVALID, "lifetime_actions: days_before_expiry must be less than the lifetime");
	}
	return sr_ok();
}

/* The name of an issuer of every vault in its usual letters. */
static const char *usual_letters(struct sr_arena *arena, const char *name)
{
	static const char *const own[] = {SR_ISSUER_SELF, SR_ISSUER_UNKNOWN, SR_ISSUER_STRONGROOM};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (strcasecmp(own[i], name) == 0) {
			return own[i];
		}
	}
	return sr_arena_strdup(arena, name);
}

static struct sr_result read_issuer(struct sr_arena *arena, const json_t *given, struct sr_certificate_policy *policy)
{
	const json_t *issuer = NULL;
	const char *name = NULL;
	SR_TRY(sr_json_get_object(given, "issuer", &issuer));
	SR_TRY(sr_json_get_string(issuer, "name", &name));
	if (!name || !sr_is_key_name(name)) {
		return sr_fail(SR_INVALID,
		               "issuer.name is required: " SR_ISSUER_SELF " (the certificate's own key), " SR_ISSUER_STRONGROOM
		               " (this vault's CA), " SR_ISSUER_UNKNOWN " (a CA elsewhere) or an issuer of yours");
	}
	policy->issuer = usual_letters(arena, name);
	return sr_ok();
}

static json_t *list_json(const char *const *list)
{
	json_t *array = json_array();
	for (; list && *list; list++) {
		json_array_append_new(array, json_string(*list));
	}
	return array;
}

static json_t *key_json(const struct sr_certificate_policy *policy)
{
	json_t *object = json_object();
	sr_json_set_bool(object, "exportable", policy->is_exportable);
	sr_json_set_string(object, "kty", sr_key_kty(&policy->key));
	if (policy->key.type == SR_KEY_RSA) {
		sr_json_set_int(object, "key_size", policy->key.bits);
	}
	sr_json_set_string(object, "crv", sr_key_curve_name(policy->key.curve));
	sr_json_set_bool(object, "reuse_key", policy->reuses_key);
	return object;
}

static json_t *x509_json(const struct sr_x509_plan *plan)
{
	json_t *object = json_object(), *sans = json_object(), *usages = json_array();
	sr_json_set_string(object, "subject", plan->subject);
	sr_json_set(sans, "dns_names", list_json(plan->dns_names));
	sr_json_set(sans, "emails", list_json(plan->emails));
	sr_json_set(sans, "upns", list_json(plan->upns));
	sr_json_set(object, "sans", sans);
	sr_json_set(object, "ekus", list_json(plan->ekus));
	for (unsigned bit = 1; sr_key_usage_name(bit); bit <<= 1) {
		if (plan->key_usage & bit) {
			json_array_append_new(usages, json_string(sr_key_usage_name(bit)));
		}
	}
	sr_json_set(object, "key_usage", usages);
	sr_json_set_int(object, "validity_months", plan->months);
	return object;
}

static void add_action(json_t *actions, const struct sr_certificate_trigger *trigger, const char *type)
{
	if (!trigger->is_set) {
		return;
	}
	json_t *item = json_object(), *when = json_object(), *action = json_object();
	sr_json_set_int(when, trigger->percentage ? "lifetime_percentage" : "days_before_expiry",
	                trigger->percentage ? trigger->percentage : trigger->days_before);
	sr_json_set(item, "trigger", when);
	sr_json_set_string(action, "action_type", type);
	sr_json_set(item, "action", action);
	json_array_append_new(actions, item);
}

/* `issuer` keeps what the client said besides its name (cty, cert_transparency). */
static struct sr_result write_normalized(struct sr_arena *arena, const json_t *given,
                                         struct sr_certificate_policy *policy)
{
	SR_CLEANUP(sr_json) json_t *object = json_object();
	json_t *secret = json_object(), *issuer = json_object(), *actions = json_array();
	sr_json_set(object, "key_props", key_json(policy));
	sr_json_set_string(secret, "contentType", sr_certificate_content_type(policy));
	sr_json_set(object, "secret_props", secret);
	sr_json_set(object, "x509_props", x509_json(&policy->plan));
	add_action(actions, &policy->renew, "AutoRenew");
	add_action(actions, &policy->notice, "EmailContacts");
	sr_json_set(object, "lifetime_actions", actions);
	const json_t *said = json_object_get(given, "issuer");
	const char *cty = NULL;
	bool is_transparent = false;
	sr_json_set_string(issuer, "name", policy->issuer);
	sr_json_set(object, "issuer", issuer);
	SR_TRY(sr_json_get_string(said, "cty", &cty));
	SR_TRY(sr_json_get_bool(said, "cert_transparency", &is_transparent));
	sr_json_set_string(issuer, "cty", cty);
	if (json_is_boolean(json_object_get(said, "cert_transparency"))) {
		sr_json_set_bool(issuer, "cert_transparency", is_transparent);
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(POLICY_MAX);
	SR_TRY(sr_json_write(object, &text));
	SR_TRY(sr_buf_result(&text));
	policy->json = sr_arena_text(arena, sr_buf_bytes(&text));
	return sr_ok();
}

/* A copy in which every section is there, be it empty. The caller frees. */
static struct sr_result fill_sections(const json_t *given, json_t **ret_full)
{
	static const char *const sections[] = {"key_props", "secret_props", "x509_props", "issuer"};
	SR_CLEANUP(sr_json) json_t *full = json_deep_copy(given);
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		const json_t *section = NULL;
		SR_TRY(sr_json_get_object(full, sections[i], &section));
		if (!section) {
			sr_json_set(full, sections[i], json_object());
		}
	}
	json_t *x509 = json_object_get(full, "x509_props");
	const json_t *sans = NULL;
	SR_TRY(sr_json_get_object(x509, "sans", &sans));
	if (!sans) {
		sr_json_set(x509, "sans", json_object());
	}
	*ret_full = SR_TAKE(full);
	return sr_ok();
}

/* Without asking whether a certificate could be made of it: one from outside may say what ours cannot. */
static struct sr_result read_policy(struct sr_arena *arena, const json_t *given,
                                    struct sr_certificate_policy *ret_policy)
{
	struct sr_certificate_policy policy = {0};
	SR_CLEANUP(sr_json) json_t *full = NULL;
	SR_TRY(fill_sections(given, &full));
	SR_TRY(read_issuer(arena, full, &policy));
	SR_TRY(read_key(full, &policy));
	SR_TRY(read_secret(full, &policy));
	SR_TRY(read_x509(arena, full, &policy));
	SR_TRY(read_actions(full, &policy));
	SR_TRY(write_normalized(arena, full, &policy));
	*ret_policy = policy;
	return sr_ok();
}

struct sr_result sr_certificate_policy_read(struct sr_arena *arena, const json_t *given,
                                            struct sr_certificate_policy *ret_policy)
{
	struct sr_certificate_policy policy;
	SR_TRY(read_policy(arena, given, &policy));
	SR_TRY(sr_x509_check_plan(&policy.plan));
	*ret_policy = policy;
	return sr_ok();
}

struct sr_result sr_certificate_policy_open(struct sr_arena *arena, const char *json,
                                            struct sr_certificate_policy *ret_policy)
{
	SR_CLEANUP(sr_json) json_t *object = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(json), &object));
	struct sr_result read = read_policy(arena, object, ret_policy);
	if (sr_result_code(read) == SR_INVALID) {
		sr_ignore(read);
		return sr_fail(SR_CORRUPT, "a certificate's policy does not read");
	}
	return read;
}

/* Members of members: what a change names replaces what stands, a null leaves it. */
static void lay_over(json_t *standing, const json_t *changes)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)changes, name, value)
	{
		json_t *old = json_object_get(standing, name);
		if (json_is_object(value) && json_is_object(old)) {
			lay_over(old, value);
		} else if (!json_is_null(value)) {
			json_object_set(standing, name, value);
		}
	}
}

struct sr_result sr_certificate_policy_change(struct sr_arena *arena, const char *standing, const json_t *changes,
                                              struct sr_certificate_policy *ret_policy)
{
	SR_CLEANUP(sr_json) json_t *object = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(standing), &object));
	const json_t *key = json_object_get(changes, "key_props");
	if (json_object_get(key, "kty")) { /* another kind: the old one's size and curve mean nothing */
		json_object_del(json_object_get(object, "key_props"), "key_size");
		json_object_del(json_object_get(object, "key_props"), "crv");
	}
	lay_over(object, changes);
	return sr_certificate_policy_read(arena, object, ret_policy);
}

struct sr_result sr_certificate_policy_imported(struct sr_arena *arena, const json_t *given,
                                                const struct sr_x509_facts *facts, const struct sr_key_spec *spec,
                                                bool is_pem, struct sr_certificate_policy *ret_policy)
{
	const struct sr_certificate_policy imported = {.key = *spec, .is_exportable = true};
	SR_CLEANUP(sr_json) json_t *object = json_object();
	json_t *issuer = json_object(), *secret = json_object();
	sr_json_set_string(issuer, "name", SR_ISSUER_UNKNOWN);
	sr_json_set(object, "issuer", issuer);
	sr_json_set_string(secret, "contentType", is_pem ? PEM_TYPE : PKCS12_TYPE);
	sr_json_set(object, "secret_props", secret);
	if (given) {
		lay_over(object, given);
	}
	/* What the certificate says outranks what is said of it. */
	json_t *key = json_object_get(object, "key_props");
	SR_CLEANUP(sr_json) json_t *own_key = key_json(&imported);
	json_t *exportable = json_object_get(key, "exportable"), *reuse = json_object_get(key, "reuse_key");
	if (exportable) {
		json_object_set(own_key, "exportable", exportable);
	}
	if (reuse) {
		json_object_set(own_key, "reuse_key", reuse);
	}
	json_object_set(object, "key_props", own_key);
	sr_json_set(object, "x509_props", x509_json(&facts->plan));
	return read_policy(arena, object, ret_policy);
}
