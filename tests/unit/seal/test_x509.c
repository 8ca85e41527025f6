/* Customers' certificates: what a plan says comes out, names parse as RFC 4514 has them, and what is written as PKCS#12
 * and PEM is read again; nonsense, foreign keys and costly files are refused. */
#include "seal_init.h"

#include "seal/x509_parts.h"

#include "base/clock.h"

enum { DER_MAX = 65536 };

static const char *const dns[] = {"a.example", "*.b.example", NULL};
static const char *const emails[] = {"c@example", NULL};
static const char *const upns[] = {"d@example", NULL};
static const char *const ekus[] = {"1.3.6.1.5.5.7.3.1", "1.2.3.4.5", NULL};
static const struct sr_key_spec p256 = {.type = SR_KEY_EC, .curve = SR_CURVE_P256};

static struct sr_keypair *new_key(const struct sr_key_spec *spec)
{
	struct sr_keypair *keypair;
	expect_ok(sr_keypair_generate(spec, &keypair));
	return keypair;
}

static struct sr_x509_plan plan_of(const char *subject)
{
	return (struct sr_x509_plan){.subject = subject,
	                             .dns_names = dns,
	                             .emails = emails,
	                             .upns = upns,
	                             .ekus = ekus,
	                             .key_usage = SR_USAGE_DIGITAL_SIGNATURE | SR_USAGE_DECIPHER_ONLY,
	                             .months = 12};
}

static void what_a_plan_says_is_read_again(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = new_key(&p256);
	SR_CLEANUP(sr_keypair) struct sr_keypair *other = new_key(&p256);
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
	const struct sr_x509_plan plan = plan_of("CN=x, O=\"Acme, Inc.\", C=DE");
	struct sr_x509_facts facts;
	expect_ok(sr_x509_self_sign(keypair, &plan, &der));
	expect_ok(sr_x509_read(arena, sr_buf_bytes(&der), &facts));
	assert_string_equal(facts.plan.subject, "CN=x, O=Acme\\, Inc., C=DE");
	for (size_t i = 0; dns[i]; i++) {
		assert_string_equal(facts.plan.dns_names[i], dns[i]);
	}
	assert_string_equal(facts.plan.emails[0], emails[0]);
	assert_string_equal(facts.plan.upns[0], upns[0]);
	assert_string_equal(facts.plan.ekus[1], ekus[1]);
	assert_null(facts.plan.ekus[2]);
	assert_int_equal(facts.plan.key_usage, plan.key_usage);
	assert_int_equal(facts.plan.months, 12);
	assert_true(facts.not_before <= sr_unix_s() && facts.not_after > sr_unix_s() + INT64_C(364) * 86400);
	expect_ok(sr_x509_check_key(sr_buf_bytes(&der), keypair));
	expect_code(sr_x509_check_key(sr_buf_bytes(&der), other), SR_INVALID);
	expect_code(sr_x509_read(arena, sr_bytes_of(der.data, der.len - 1), &facts), SR_INVALID);
}

static void subjects_parse_as_rfc_4514_has_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *again; /* NULL: refused */
	} cases[] = {
	    {"CN=a", "CN=a"},
	    {" CN = a b , O=c ", "CN=a b, O=c"},
	    {"cn=a;ou=b", "CN=a, OU=b"},
	    {"CN=\\4A\\C3\\A4", "CN=Jä"},
	    {"CN=a\\, b\\+c", "CN=a\\, b\\+c"},
	    {"CN=\"a \"\"b\"\"\"", "CN=a \\\"b\\\""},
	    {"CN=a\\ ", "CN=a\\ "},
	    {"OU=a+CN=b, O=c", "CN=b + OU=a, O=c"},
	    {"E=a@b, S=Bavaria, C=DE", "emailAddress=a@b, ST=Bavaria, C=DE"},
	    {"2.5.4.3=a", "CN=a"},
	    {"OID.2.5.4.10=a", "O=a"},
	    {"", ""},
	    {"CN", NULL},
	    {"CN=", NULL},
	    {"=a", NULL},
	    {"CN=a,", NULL},
	    {"CN=a,,O=b", NULL},
	    {"CN=\"a", NULL},
	    {"CN=\"a\"b", NULL},
	    {"CN=a\\", NULL},
	    {"CN=a\\q", NULL},
	    {"CN=#0403", NULL},
	    {"CN=\\C3", NULL},
	    {"NONSENSE=a", NULL},
	    {"9.9.9=a", NULL},
	    {"C=Germany", NULL},
	    {"CN=0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
	};
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		X509_NAME *name = NULL;
		struct sr_result parsed = sr_x509_name_parse(cases[i].text, &name);
		if (!cases[i].again) {
			expect_code(parsed, SR_INVALID);
			continue;
		}
		const char *again = "";
		expect_ok(parsed);
		expect_ok(sr_x509_name_text(arena, name, &again));
		assert_string_equal(again, cases[i].again);
		X509_NAME_free(name);
	}
}

static void plans_of_which_nothing_can_be_made_are_refused(void **state)
{
	(void)state;
	static const char *const bad_name[] = {"a b", NULL}, *const bad_oid[] = {"serverAuth", NULL};
	const struct sr_x509_plan good = plan_of("CN=x");
	struct sr_x509_plan plan = good;
	expect_ok(sr_x509_check_plan(&plan));
	plan.subject = "";
	expect_ok(sr_x509_check_plan(&plan));
	plan = (struct sr_x509_plan){.subject = "", .months = 1};
	expect_code(sr_x509_check_plan(&plan), SR_INVALID);
	plan = good, plan.months = 0;
	expect_code(sr_x509_check_plan(&plan), SR_INVALID);
	plan = good, plan.dns_names = bad_name;
	expect_code(sr_x509_check_plan(&plan), SR_INVALID);
	plan = good, plan.ekus = bad_oid;
	expect_code(sr_x509_check_plan(&plan), SR_INVALID);
}

static void a_ca_signs_leaves_and_no_other_ca(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = new_key(&p256);
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
	struct sr_x509_plan plan = plan_of("CN=x");
	struct sr_x509_facts facts;
	expect_ok(sr_certificate_new_ca("CA", 100, &ca));
	expect_ok(sr_x509_issue(ca, keypair, &plan, &der));
	expect_ok(sr_x509_read(arena, sr_buf_bytes(&der), &facts));
	assert_int_equal(facts.not_after, sr_certificate_not_after(ca)); /* a year is more than the CA has left */
	SR_CLEANUP(x509) X509 *x509 = NULL;
	expect_ok(sr_x509_parse(sr_buf_bytes(&der), &x509));
	assert_int_equal(X509_verify(x509, X509_get0_pubkey(sr_certificate_x509(ca))), 1);
	plan.key_usage = SR_USAGE_CERT_SIGN;
	expect_code(sr_x509_issue(ca, keypair, &plan, &der), SR_INVALID);
}

static void bundles_of_every_kind_of_key_come_back(void **state)
{
	(void)state;
	static const struct sr_key_spec specs[] = {
	    {.type = SR_KEY_RSA, .bits = 2048},           {.type = SR_KEY_EC, .curve = SR_CURVE_P256},
	    {.type = SR_KEY_EC, .curve = SR_CURVE_P384},  {.type = SR_KEY_EC, .curve = SR_CURVE_P521},
	    {.type = SR_KEY_EC, .curve = SR_CURVE_P256K},
	};
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(DER_MAX);
	expect_ok(sr_certificate_new_ca("CA", 100, &ca));
	expect_ok(sr_certificate_der(ca, &ca_der));
	for (size_t i = 0; i < 2 * sizeof specs / sizeof *specs; i++) {
		const bool is_pem = i % 2;
		SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
		SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = new_key(&specs[i / 2]);
		SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
		SR_CLEANUP(sr_buf) struct sr_buf bundle = SR_BUF(DER_MAX);
		const struct sr_x509_plan plan = plan_of("CN=x");
		expect_ok(sr_x509_issue(ca, keypair, &plan, &der));
		const struct sr_x509_chain chain = {.own = sr_buf_bytes(&der), .issuers = {sr_buf_bytes(&ca_der)}, .count = 1};
		expect_ok(is_pem ? sr_x509_pem(keypair, &chain, &bundle) : sr_x509_pkcs12(keypair, &chain, &bundle));
		struct sr_x509_import import = {0};
		expect_ok(is_pem ? sr_x509_from_pem(arena, sr_buf_bytes(&bundle), "", &import)
		                 : sr_x509_from_pkcs12(arena, sr_buf_bytes(&bundle), "", &import));
		assert_true(sr_equal_public(import.chain.own, chain.own));
		assert_int_equal(import.chain.count, 1);
		assert_true(sr_equal_public(import.chain.issuers[0], chain.issuers[0]));
		assert_int_equal(EVP_PKEY_eq(import.keypair->pkey, keypair->pkey), 1);
		sr_keypair_free(import.keypair);

		sr_buf_reset(&bundle); /* without the private key */
		expect_ok(is_pem ? sr_x509_pem(NULL, &chain, &bundle) : sr_x509_pkcs12(NULL, &chain, &bundle));
		expect_code(is_pem ? sr_x509_from_pem(arena, sr_buf_bytes(&bundle), "", &import)
		                   : sr_x509_from_pkcs12(arena, sr_buf_bytes(&bundle), "", &import),
		            SR_INVALID);
	}
}

/* PKCS#12 of OpenSSL's own making. */
static void make_pfx(EVP_PKEY *key, X509 *own, const char *password, int rounds, int mac_rounds, struct sr_buf *pfx)
{
	PKCS12 *native =
	    PKCS12_create(password, NULL, key, own, NULL, NID_aes_256_cbc, NID_aes_256_cbc, rounds, mac_rounds, 0);
	uint8_t *der = NULL;
	int len = i2d_PKCS12(native, &der);
	assert_true(len > 0);
	sr_buf_append(pfx, sr_bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	PKCS12_free(native);
}

static void costly_and_foreign_files_are_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = new_key(&p256);
	SR_CLEANUP(sr_keypair) struct sr_keypair *other = new_key(&p256);
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf pfx = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf pem = SR_BUF(DER_MAX);
	SR_CLEANUP(x509) X509 *own = NULL;
	const struct sr_x509_plan plan = plan_of("CN=x");
	struct sr_x509_import import = {0};
	expect_ok(sr_x509_self_sign(keypair, &plan, &der));
	expect_ok(sr_x509_parse(sr_buf_bytes(&der), &own));

	make_pfx(keypair->pkey, own, "right", 2048, 2048, &pfx);
	expect_code(sr_x509_from_pkcs12(arena, sr_buf_bytes(&pfx), "wrong", &import), SR_INVALID);
	expect_ok(sr_x509_from_pkcs12(arena, sr_buf_bytes(&pfx), "right", &import));
	sr_keypair_free(import.keypair);
	for (size_t i = 0; i < pfx.len; i += 7) { /* cut anywhere */
		expect_code(sr_x509_from_pkcs12(arena, sr_bytes_of(pfx.data, i), "right", &import), SR_INVALID);
	}
	const uint64_t before_ms = sr_boottime_ms();
	sr_buf_reset(&pfx);
	make_pfx(keypair->pkey, own, "right", 1, 1000001, &pfx);
	const uint64_t made_ms = sr_boottime_ms();
	expect_code(sr_x509_from_pkcs12(arena, sr_buf_bytes(&pfx), "right", &import), SR_INVALID);
	assert_true(sr_boottime_ms() - made_ms <= (made_ms - before_ms) / 2 + 5); /* the rounds were not done */

	const struct sr_x509_chain chain = {.own = sr_buf_bytes(&der)};
	expect_ok(sr_x509_pem(other, &chain, &pem)); /* the certificate is another key's */
	expect_code(sr_x509_from_pem(arena, sr_buf_bytes(&pem), "", &import), SR_INVALID);
	expect_ok(sr_x509_pem(keypair, &chain, &pem)); /* two keys */
	expect_code(sr_x509_from_pem(arena, sr_buf_bytes(&pem), "", &import), SR_INVALID);
}

static void a_parcel_opens_for_its_receiver_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = new_key(&p256);
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf parcel = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_handover) struct sr_handover *receiver = NULL;
	SR_CLEANUP(sr_handover) struct sr_handover *other = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *received = NULL;
	const struct sr_x509_plan plan = plan_of("CN=x");
	uint8_t address[SR_HANDOVER_PUBLIC_LEN];
	expect_ok(sr_x509_self_sign(keypair, &plan, &der));
	expect_ok(sr_handover_new(&receiver));
	expect_ok(sr_handover_new(&other));
	sr_handover_public(receiver, address);
	const struct sr_x509_chain chain = {.own = sr_buf_bytes(&der), .issuers = {sr_buf_bytes(&der)}, .count = 1};
	expect_ok(sr_x509_hand_over(keypair, &chain, address, &parcel));
	expect_code(sr_x509_receive(other, sr_buf_bytes(&parcel), &received), SR_CORRUPT);
	for (size_t i = 0; i < parcel.len; i += 11) { /* cut anywhere */
		expect_code(sr_x509_receive(receiver, sr_bytes_of(parcel.data, i), &received), SR_CORRUPT);
	}
	expect_ok(sr_x509_receive(receiver, sr_buf_bytes(&parcel), &received));
	assert_int_equal(EVP_PKEY_eq(sr_certificate_key(received), keypair->pkey), 1);
	assert_int_equal(sk_X509_num(sr_certificate_chain(received)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_plan_says_is_read_again),
	    cmocka_unit_test(subjects_parse_as_rfc_4514_has_them),
	    cmocka_unit_test(plans_of_which_nothing_can_be_made_are_refused),
	    cmocka_unit_test(a_ca_signs_leaves_and_no_other_ca),
	    cmocka_unit_test(bundles_of_every_kind_of_key_come_back),
	    cmocka_unit_test(costly_and_foreign_files_are_refused),
	    cmocka_unit_test(a_parcel_opens_for_its_receiver_alone),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
