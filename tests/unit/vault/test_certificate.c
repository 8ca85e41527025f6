/* The certificates API's handlers over a real database: versions with their keys and secrets, requests and merging,
 * what a deletion takes along, renewal and notice by policy with a clock that the tests set; and the vault that shows
 * our own. */
#include "rig.h"

#include "base/clock.h"
#include "vault/audit.h"
#include "vault/certificate_chores.h"
#include "vault/certificate_make.h"
#include "vault/system_vault.h"

#include <stdio.h>

enum { DAY = 86400 };

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

#define EC_KEY "\"key_props\":{\"kty\":\"EC\",\"crv\":\"P-256\"}"

static void create(const char *name, const char *more)
{
	char body[1024];
	snprintf(body, sizeof body,
	         "{\"policy\":{\"issuer\":{\"name\":\"Self\"}," EC_KEY ",\"x509_props\":{\"subject\":\"CN=%s\"}%s}}", name,
	         more);
	expect_ok(rig_callf(&rig, "POST", body, "/certificates/%s/create", name));
	assert_string_equal(rig_text(&rig, "status"), "inProgress");
	expect_ok(rig_callf(&rig, "GET", NULL, "/certificates/%s/pending", name));
	assert_string_equal(rig_text(&rig, "status"), "completed");
}

/* The current version's id. */
static const char *current(const char *name)
{
	expect_ok(rig_callf(&rig, "GET", NULL, "/certificates/%s", name));
	return sr_arena_strdup(rig.arena, rig_text(&rig, "id"));
}

struct search {
	const char *text;
	unsigned count;
};

static struct sr_result count_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, void *context)
{
	(void)seq;
	(void)hash;
	struct search *search = context;
	search->count += memmem(entry.data, entry.len, search->text, strlen(search->text)) != NULL;
	return sr_ok();
}

static struct sr_result count_work(struct sr_connection *connection, void *context)
{
	return sr_audit_each(connection, 0, 100000, count_entry, context);
}

static unsigned audited(const char *text)
{
	struct search search = {text, 0};
	expect_ok(sr_database_read(rig.vault.state.database, count_work, &search));
	return search.count;
}

static void a_certificate_has_the_shape_that_the_service_gives_it(void **state)
{
	(void)state;
	create("My-Cert", "");
	assert_string_equal(rig_text(&rig, "id"), "https://vault.test/certificates/My-Cert/pending");
	assert_string_equal(rig_text(&rig, "target"), "https://vault.test/certificates/My-Cert");
	const char *id = current("my-cert"); /* case ignored */
	assert_memory_equal(id, "https://vault.test/certificates/My-Cert/", 40);
	assert_string_equal(rig_text(&rig, "kid") + strlen("https://vault.test/keys"),
	                    id + strlen("https://vault.test/certificates"));
	assert_string_equal(rig_text(&rig, "sid") + strlen("https://vault.test/secrets"),
	                    id + strlen("https://vault.test/certificates"));
	assert_int_equal(strlen(rig_text(&rig, "x5t")), 27);
	assert_true(rig_bool(&rig, "attributes.enabled"));
	assert_string_equal(rig_text(&rig, "attributes.recoveryLevel"), "Recoverable+Purgeable");
	assert_string_equal(rig_text(&rig, "policy.id"), "https://vault.test/certificates/My-Cert/policy");
	assert_string_equal(rig_text(&rig, "policy.key_props.crv"), "P-256");
	assert_string_equal(rig_text(&rig, "policy.secret_props.contentType"), "application/x-pkcs12");
	assert_int_equal(rig_int(&rig, "policy.lifetime_actions.0.trigger.lifetime_percentage"), 80);
	assert_string_equal(rig_text(&rig, "policy.lifetime_actions.0.action.action_type"), "AutoRenew");
	expect_ok(rig_call(&rig, "GET", "/keys/my-cert", NULL));
	assert_true(rig_bool(&rig, "managed"));
	expect_ok(rig_call(&rig, "GET", "/secrets/my-cert", NULL));
	assert_true(rig_bool(&rig, "managed"));
	assert_true(strlen(rig_text(&rig, "value")) > 1000);
	expect_ok(rig_call(&rig, "GET", "/certificates", NULL));
	assert_string_equal(rig_text(&rig, "value.0.id"), "https://vault.test/certificates/My-Cert");
}

static void a_policy_alone_makes_the_next_version_and_changes_in_parts(void **state)
{
	(void)state;
	create("p", "");
	const char *first = current("p");
	expect_ok(rig_call(&rig, "POST", "/certificates/p/create", "{}"));
	assert_string_not_equal(current("p"), first);
	expect_ok(rig_call(&rig, "PATCH", "/certificates/p/policy", "{\"x509_props\":{\"validity_months\":3}}"));
	assert_int_equal(rig_int(&rig, "x509_props.validity_months"), 3);
	assert_string_equal(rig_text(&rig, "x509_props.subject"), "CN=p");
	expect_ok(rig_call(&rig, "PATCH", "/certificates/p/policy", "{\"key_props\":{\"kty\":\"RSA\"}}"));
	assert_int_equal(rig_int(&rig, "key_props.key_size"), 2048);
	expect_code(rig_call(&rig, "PATCH", "/certificates/p/policy", "{\"issuer\":{\"name\":\"nobody\"}}"), SR_INVALID);
	expect_reason(rig_call(&rig, "GET", "/certificates/none/policy", NULL), SR_NOT_FOUND, "CertificateNotFound");
	expect_code(rig_call(&rig, "POST", "/certificates/none/create", "{}"), SR_INVALID);
}

static void an_update_reaches_key_and_secret(void **state)
{
	(void)state;
	create("u", "");
	expect_ok(
	    rig_call(&rig, "PATCH", "/certificates/u", "{\"attributes\":{\"enabled\":false},\"tags\":{\"a\":\"b\"}}"));
	expect_ok(rig_call(&rig, "GET", "/keys/u", NULL));
	assert_false(rig_bool(&rig, "attributes.enabled"));
	assert_string_equal(rig_text(&rig, "tags.a"), "b");
	expect_reason(rig_call(&rig, "GET", "/secrets/u", NULL), SR_DENIED, "SecretDisabled");
	expect_code(rig_call(&rig, "PATCH", "/certificates/u", "{\"attributes\":{\"exp\":5}}"), SR_INVALID);
	expect_ok(rig_call(&rig, "PATCH", "/certificates/u", "{\"attributes\":{\"enabled\":true}}"));
	expect_ok(rig_call(&rig, "GET", "/secrets/u", NULL));
}

static void what_a_certificate_manages_changes_with_it_alone(void **state)
{
	(void)state;
	create("m", "");
	expect_reason(rig_call(&rig, "DELETE", "/keys/m", NULL), SR_DENIED, "KeyManagedByKeyVault");
	expect_reason(rig_call(&rig, "PATCH", "/keys/m", "{\"attributes\":{\"enabled\":false}}"), SR_DENIED,
	              "KeyManagedByKeyVault");
	expect_reason(rig_call(&rig, "POST", "/keys/m/rotate", NULL), SR_DENIED, "KeyManagedByKeyVault");
	expect_reason(rig_call(&rig, "POST", "/keys/m/create", "{\"kty\":\"EC\"}"), SR_CONFLICT, "ObjectIsManaged");
	const struct sr_id resource = sr_id_random();
	expect_ok(rig_call(&rig, "POST", "/certificates/rsa/create",
	                   "{\"policy\":{\"issuer\":{\"name\":\"Self\"},\"x509_props\":{\"subject\":\"CN=r\"}}}"));
	expect_reason(rig_kek_create(&rig, &resource, "rsa", NULL), SR_INVALID, "KeyManagedByKeyVault");
	expect_ok(rig_call(&rig, "POST", "/keys/own/create", "{\"kty\":\"EC\"}"));
	expect_reason(rig_call(&rig, "POST", "/certificates/own/create",
	                       "{\"policy\":{\"issuer\":{\"name\":\"Self\"}," EC_KEY
	                       ",\"x509_props\":{\"subject\":\"CN=o\"}}}"),
	              SR_CONFLICT, "ObjectIsManaged");
	expect_reason(rig_call(&rig, "GET", "/certificates/own", NULL), SR_NOT_FOUND, "CertificateNotFound");
}

static void deletion_recovery_and_purging_take_all_three(void **state)
{
	(void)state;
	create("d", "");
	expect_ok(rig_call(&rig, "DELETE", "/certificates/d", NULL));
	assert_string_equal(rig_text(&rig, "recoveryId"), "https://vault.test/deletedcertificates/d");
	expect_reason(rig_call(&rig, "GET", "/certificates/d", NULL), SR_NOT_FOUND, "CertificateNotFound");
	expect_reason(rig_call(&rig, "GET", "/keys/d", NULL), SR_NOT_FOUND, "KeyNotFound");
	expect_reason(rig_call(&rig, "GET", "/secrets/d", NULL), SR_NOT_FOUND, "SecretNotFound");
	expect_reason(rig_call(&rig, "POST", "/certificates/d/create", "{}"), SR_CONFLICT, "ObjectIsDeletedButRecoverable");
	expect_reason(rig_call(&rig, "DELETE", "/deletedkeys/d", NULL), SR_DENIED, "KeyManagedByKeyVault");
	expect_ok(rig_call(&rig, "POST", "/deletedcertificates/d/recover", NULL));
	expect_ok(rig_call(&rig, "GET", "/keys/d", NULL));
	expect_ok(rig_call(&rig, "GET", "/secrets/d", NULL));
	expect_ok(rig_call(&rig, "DELETE", "/certificates/d", NULL));
	const int64_t purge_at = rig_int(&rig, "scheduledPurgeDate");
	rig_sql(&rig, "UPDATE vault SET purge_protection = 1");
	expect_reason(rig_call(&rig, "DELETE", "/deletedcertificates/d", NULL), SR_DENIED, "ForbiddenByPolicy");
	expect_ok(sr_purge_certificates_run(&rig.vault, purge_at - 1));
	expect_ok(rig_call(&rig, "GET", "/deletedcertificates/d", NULL));
	expect_ok(sr_purge_certificates_run(&rig.vault, purge_at));
	expect_reason(rig_call(&rig, "GET", "/deletedcertificates/d", NULL), SR_NOT_FOUND, "CertificateNotFound");
	expect_reason(rig_call(&rig, "GET", "/deletedkeys/d", NULL), SR_NOT_FOUND, "KeyNotFound");
	expect_reason(rig_call(&rig, "GET", "/deletedsecrets/d", NULL), SR_NOT_FOUND, "SecretNotFound");
	assert_int_equal(audited("CertificatePurge"), 1);
	create("d", "");
}

static void a_request_waits_over_a_restart_and_merges_once(void **state)
{
	(void)state;
	expect_ok(rig_call(&rig, "POST", "/certificates/w/create",
	                   "{\"policy\":{\"issuer\":{\"name\":\"Unknown\"}," EC_KEY
	                   ",\"x509_props\":{\"subject\":\"CN=w\"}}}"));
	assert_string_equal(rig_text(&rig, "status"), "inProgress");
	rig_close(&rig);
	rig_open(&rig);
	expect_ok(rig_call(&rig, "GET", "/certificates/w", NULL));
	assert_string_equal(rig_text(&rig, "pending.id"), "https://vault.test/certificates/w/pending");
	expect_reason(rig_call(&rig, "POST", "/certificates/w/create", "{}"), SR_CONFLICT, "PendingOperationExists");
	expect_code(rig_call(&rig, "POST", "/certificates/w/pending/merge", "{\"x5c\":[\"AAAA\"]}"), SR_INVALID);
	expect_code(rig_call(&rig, "POST", "/certificates/w/pending/merge", "{\"x5c\":[]}"), SR_INVALID);
	expect_code(rig_call(&rig, "PATCH", "/certificates/w/pending", "{}"), SR_INVALID);
	expect_ok(rig_call(&rig, "PATCH", "/certificates/w/pending", "{\"cancellation_requested\":true}"));
	assert_string_equal(rig_text(&rig, "status"), "cancelled");
	expect_code(rig_call(&rig, "POST", "/certificates/w/pending/merge", "{\"x5c\":[\"AAAA\"]}"), SR_INVALID);
	expect_ok(rig_call(&rig, "DELETE", "/certificates/w/pending", NULL));
	expect_reason(rig_call(&rig, "GET", "/certificates/w", NULL), SR_NOT_FOUND, "CertificateNotFound");
	expect_reason(rig_call(&rig, "GET", "/certificates/w/pending", NULL), SR_NOT_FOUND, "PendingCertificateNotFound");
}

static struct sr_result next_work(struct sr_connection *connection, void *context)
{
	return sr_tend_certificates_next(connection, context);
}

static int64_t next_action(void)
{
	int64_t time = 0;
	expect_ok(sr_database_read(rig.vault.state.database, next_work, &time));
	return time;
}

static void policies_renew_when_their_time_comes(void **state)
{
	(void)state;
	assert_true(next_action() == SR_NO_TIME);
	create(
	    "r",
	    ",\"lifetime_actions\":[{\"trigger\":{\"days_before_expiry\":20},\"action\":{\"action_type\":\"AutoRenew\"}}]");
	const char *first = current("r");
	const int64_t due = rig_int(&rig, "attributes.exp") - INT64_C(20) * DAY;
	assert_int_equal(next_action(), due);
	expect_ok(sr_tend_certificates_run(&rig.vault, due - 1));
	assert_string_equal(current("r"), first);
	expect_ok(sr_tend_certificates_run(&rig.vault, due));
	const char *second = current("r");
	assert_string_not_equal(second, first);
	assert_int_equal(audited("CertificateRenew"), 1);
	expect_ok(rig_call(&rig, "GET", "/secrets/r/versions", NULL));
	assert_string_not_equal(rig_text(&rig, "value.1.id"), "");
	assert_true(next_action() >= due); /* of the new version alone: made by the machine's clock, not the test's */

	expect_ok(rig_call(&rig, "PATCH", "/certificates/r", "{\"attributes\":{\"enabled\":false}}"));
	assert_true(next_action() == SR_NO_TIME); /* a disabled one is left alone */
	expect_ok(rig_call(&rig, "PATCH", "/certificates/r", "{\"attributes\":{\"enabled\":true}}"));
	expect_ok(rig_call(&rig, "PATCH", "/certificates/r/policy",
	                   "{\"lifetime_actions\":[{\"trigger\":{\"lifetime_percentage\":50},\"action\":{\"action_type\":"
	                   "\"EmailContacts\"}}]}"));
	expect_ok(rig_call(&rig, "GET", "/certificates/r", NULL));
	const int64_t nbf = rig_int(&rig, "attributes.nbf"), exp = rig_int(&rig, "attributes.exp");
	assert_int_equal(next_action(), nbf + (exp - nbf) / 100 * 50);
	expect_ok(rig_call(&rig, "PUT", "/certificates/contacts", "{\"contacts\":[{\"email\":\"someone@example\"}]}"));
	expect_ok(sr_tend_certificates_run(&rig.vault, next_action()));
	assert_int_equal(audited("CertificateNearExpiry"), 1);
	assert_int_equal(audited("someone@example"), 1);
	assert_true(next_action() == SR_NO_TIME); /* once */
	assert_string_equal(current("r"), second);
}

static void a_renewal_that_fails_is_recorded_and_tried_again(void **state)
{
	(void)state;
	create("f", "");
	const int64_t due = next_action();
	rig_sql(&rig, "UPDATE certificate SET policy = replace(policy, 'CN=f', 'nonsense')");
	expect_code(sr_tend_certificates_run(&rig.vault, due), SR_INVALID);
	assert_int_equal(audited("CertificateNotRenewed"), 1);
	assert_int_equal(next_action(), due + 3600);
	rig_sql(&rig, "UPDATE certificate SET policy = replace(policy, 'nonsense', 'CN=f')");
	expect_ok(sr_tend_certificates_run(&rig.vault, due + 3600));
	assert_int_equal(audited("CertificateRenew"), 2);
}

static void our_own_certificates_are_shown_and_kept_short(void **state)
{
	(void)state;
	static const char *const none[] = {NULL};
	struct sr_authority *authority;
	expect_ok(sr_database_write(rig.vault.state.database, sr_system_vault_make, NULL));
	expect_ok(sr_database_write(rig.vault.state.database, sr_system_vault_make, NULL));
	expect_ok(sr_authority_open(&rig.vault.state, none, none, &authority));
	for (int i = 0; i < 105; i++) {
		struct sr_certificate *certificate;
		expect_ok(sr_authority_issue(authority, "blob", &certificate));
		sr_certificate_free(certificate);
	}
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(16384);
	expect_ok(sr_certificate_der(sr_authority_certificate(authority), &der));
	expect_ok(sr_system_certificate_show_ca(&rig.vault.state, sr_buf_bytes(&der)));
	expect_ok(sr_system_certificate_show_ca(&rig.vault.state, sr_buf_bytes(&der)));
	sr_authority_free(authority);
	assert_int_equal(audited("strongroom/certificates/blob/"), 105);
	assert_int_equal(audited("strongroom/certificates/ca/"), 1);
	rig_sql(&rig, "DELETE FROM certificate_version WHERE certificate = 'ca'");
	rig_sql(&rig, "INSERT INTO record(name, sealed) SELECT 'count', count(*) FROM certificate_version");
	rig_sql(&rig, "UPDATE record SET name = CASE CAST(sealed AS TEXT) WHEN '100' THEN 'right' ELSE NULL END WHERE name "
	              "= 'count'");
	expect_ok(sr_system_vault_check("STRONGROOM", "GET"));
	expect_reason(sr_system_vault_check("Strongroom", "POST"), SR_DENIED, "ForbiddenInSystemVault");
	expect_ok(sr_system_vault_check("default", "POST"));
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_certificate_has_the_shape_that_the_service_gives_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_policy_alone_makes_the_next_version_and_changes_in_parts, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(an_update_reaches_key_and_secret, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_a_certificate_manages_changes_with_it_alone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(deletion_recovery_and_purging_take_all_three, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_request_waits_over_a_restart_and_merges_once, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(policies_renew_when_their_time_comes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_renewal_that_fails_is_recorded_and_tried_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(our_own_certificates_are_shown_and_kept_short, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
