/* The internal CA: what it signs chains to it, says what the profile says, and survives sealing. */
#include "vectors.h"

#include "seal/certificate_native.h"
#include "seal/keypair.h"

#include "base/clock.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { DER_MAX = 8192 };

static struct sr_aead *new_master(void)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	struct sr_aead *master;
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	expect_ok(sr_aead_new(key, &master));
	return master;
}

/* A service's certificate by `ca`, joined. */
static struct sr_certificate *issue(const struct sr_certificate *ca, const struct sr_certificate_profile *profile)
{
	SR_CLEANUP(sr_certificate_request) struct sr_certificate_request *request = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(DER_MAX);
	struct sr_certificate *certificate;
	expect_ok(sr_certificate_request_new("a wish that is ignored", &request));
	expect_ok(sr_certificate_sign(ca, sr_certificate_request_der(request), profile, &der));
	expect_ok(sr_certificate_der(ca, &ca_der));
	expect_ok(sr_certificate_join(request, sr_buf_bytes(&der), sr_buf_bytes(&ca_der), &certificate));
	return certificate;
}

static bool chains_to(const struct sr_certificate *certificate, const struct sr_certificate *ca, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, sr_certificate_x509(ca));
	X509_STORE_CTX_init(context, store, sr_certificate_x509(certificate), NULL);
	X509_STORE_CTX_set_purpose(context, purpose);
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
	bool is_valid = X509_verify_cert(context) == 1;
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return is_valid;
}

static const char *const names[] = {"vault.example", "*.blob.example", NULL};
static const char *const addresses[] = {"127.0.0.1", "::1", NULL};
static const struct sr_certificate_profile profile = {"blob", "blob", names, addresses, 30};

static void test_a_signed_certificate_chains_to_its_ca_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *other = NULL;
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &other));
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = issue(ca, &profile);
	assert_true(chains_to(certificate, ca, X509_PURPOSE_SSL_SERVER));
	assert_true(chains_to(certificate, ca, X509_PURPOSE_SSL_CLIENT));
	assert_false(chains_to(certificate, other, X509_PURPOSE_SSL_SERVER));
	assert_int_equal(sk_X509_num(sr_certificate_chain(certificate)), 1);
	assert_non_null(sr_certificate_key(certificate));
	int64_t left_s = sr_certificate_not_after(certificate) - sr_unix_s();
	assert_true(left_s > 30 * 86400 - 60 && left_s <= 30 * 86400);
}

static void test_a_certificate_says_what_the_profile_says(void **state)
{
	(void)state;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = issue(ca, &profile);
	X509 *x509 = sr_certificate_x509(certificate);
	char name[64];
	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, sizeof name);
	assert_string_equal(name, "blob");
	assert_int_equal(X509_check_host(x509, "vault.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x509, "acme.blob.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x509, "blob.example", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x509, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x509, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x509, "127.0.0.2", 0), 0);
	GENERAL_NAMES *all = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	const GENERAL_NAME *uri = sk_GENERAL_NAME_value(all, 0);
	assert_int_equal(uri->type, GEN_URI);
	assert_string_equal((const char *)ASN1_STRING_get0_data(uri->d.uniformResourceIdentifier),
	                    "strongroom://service/blob");
	GENERAL_NAMES_free(all);
	assert_int_equal(X509_check_ca(x509), 0);
	assert_int_equal(X509_check_ca(sr_certificate_x509(ca)), 1);
}

static void test_a_certificate_does_not_outlive_its_ca(void **state)
{
	(void)state;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	expect_ok(sr_certificate_new_ca("Strongroom CA", 1, &ca));
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = issue(ca, &profile);
	assert_int_equal(sr_certificate_not_after(certificate), sr_certificate_not_after(ca));
}

static void test_a_damaged_request_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_certificate_request) struct sr_certificate_request *request = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf damaged = SR_BUF(DER_MAX);
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	expect_ok(sr_certificate_request_new("x", &request));
	struct sr_bytes der = sr_certificate_request_der(request);
	sr_buf_append(&damaged, der);
	for (size_t i = 0; i < der.len; i++) {
		damaged.data[i] ^= 0x01;
		expect_code(sr_certificate_sign(ca, sr_buf_bytes(&damaged), &profile, &out), SR_INVALID);
		damaged.data[i] ^= 0x01;
	}
	for (size_t len = 0; len < der.len; len++) {
		expect_code(sr_certificate_sign(ca, sr_bytes_of(der.data, len), &profile, &out), SR_INVALID);
	}
	sr_buf_append_u8(&damaged, 0);
	expect_code(sr_certificate_sign(ca, sr_buf_bytes(&damaged), &profile, &out), SR_INVALID);
	assert_int_equal(out.len, 0);
}

static void test_bad_profiles_are_refused(void **state)
{
	(void)state;
	static const char *const bad_name[] = {"two words", NULL};
	static const char *const bad_address[] = {"300.0.0.1", NULL};
	char long_name[66];
	memset(long_name, 'x', 65);
	long_name[65] = 0;
	const struct sr_certificate_profile bad[] = {
	    {"x", NULL, bad_name, NULL, 1},
	    {"x", NULL, NULL, bad_address, 1},
	    {long_name, NULL, NULL, NULL, 1},
	};
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_certificate_request) struct sr_certificate_request *request = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(DER_MAX);
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	expect_ok(sr_certificate_request_new("x", &request));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		expect_code(sr_certificate_sign(ca, sr_certificate_request_der(request), &bad[i], &out), SR_INVALID);
	}
}

static void test_join_refuses_anothers_certificate(void **state)
{
	(void)state;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *other_ca = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *joined = NULL;
	SR_CLEANUP(sr_certificate_request) struct sr_certificate_request *mine = NULL;
	SR_CLEANUP(sr_certificate_request) struct sr_certificate_request *theirs = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf other_der = SR_BUF(DER_MAX);
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &other_ca));
	expect_ok(sr_certificate_request_new("mine", &mine));
	expect_ok(sr_certificate_request_new("theirs", &theirs));
	expect_ok(sr_certificate_sign(ca, sr_certificate_request_der(theirs), &profile, &der));
	expect_ok(sr_certificate_der(ca, &ca_der));
	expect_ok(sr_certificate_der(other_ca, &other_der));
	expect_code(sr_certificate_join(mine, sr_buf_bytes(&der), sr_buf_bytes(&ca_der), &joined), SR_INVALID);
	expect_code(sr_certificate_join(theirs, sr_buf_bytes(&der), sr_buf_bytes(&other_der), &joined), SR_INVALID);
	assert_null(joined);
}

static void test_a_sealed_ca_signs_as_before_and_opens_for_its_use_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_aead) struct sr_aead *master = new_master();
	SR_CLEANUP(sr_aead) struct sr_aead *other = new_master();
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *opened = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(DER_MAX);
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	expect_ok(sr_certificate_seal(ca, master, SR_LITERAL("ca"), &sealed));
	expect_code(sr_certificate_open(other, SR_LITERAL("ca"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
	expect_code(sr_certificate_open(master, SR_LITERAL("cb"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 0x80;
		expect_code(sr_certificate_open(master, SR_LITERAL("ca"), sr_buf_bytes(&sealed), &opened), SR_CORRUPT);
		sealed.data[i] ^= 0x80;
		expect_code(sr_certificate_open(master, SR_LITERAL("ca"), sr_bytes_of(sealed.data, i), &opened), SR_CORRUPT);
	}
	expect_ok(sr_certificate_open(master, SR_LITERAL("ca"), sr_buf_bytes(&sealed), &opened));
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = issue(opened, &profile);
	assert_true(chains_to(certificate, ca, X509_PURPOSE_SSL_SERVER));
	uint8_t before[20];
	uint8_t after[20];
	sr_certificate_thumbprint(ca, before);
	sr_certificate_thumbprint(opened, after);
	assert_memory_equal(before, after, 20);
}

/* A known answer, made once by another implementation of the sealed form; it must open for ever. */
static void test_a_known_sealed_ca_opens_and_signs(void **state)
{
	(void)state;
	json_t *known = load_known("certificate_v1.json");
	SR_CLEANUP(hex) struct hex master_key = hex_of(known, "master");
	SR_CLEANUP(hex) struct hex aad = hex_of(known, "aad");
	SR_CLEANUP(hex) struct hex sealed = hex_of(known, "sealed");
	SR_CLEANUP(hex) struct hex thumbprint = hex_of(known, "sha1");
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_CLEANUP(sr_aead) struct sr_aead *master = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	expect_ok(sr_secret_from_bytes(hex_bytes(&master_key), &secret));
	expect_ok(sr_aead_new(secret, &master));
	expect_ok(sr_certificate_open(master, hex_bytes(&aad), hex_bytes(&sealed), &ca));
	uint8_t sha1[20];
	sr_certificate_thumbprint(ca, sha1);
	assert_memory_equal(sha1, thumbprint.data, sizeof sha1);
	assert_int_equal(sr_certificate_not_after(ca), number_of(known, "not_after"));
	json_decref(known);
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = issue(ca, &profile);
	assert_int_equal(X509_verify(sr_certificate_x509(certificate), X509_get0_pubkey(sr_certificate_x509(ca))), 1);
}

static void test_pem_of_an_operator_is_read_with_its_chain(void **state)
{
	(void)state;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *read = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf chain = SR_BUF(DER_MAX);
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	SR_CLEANUP(sr_certificate) struct sr_certificate *own = issue(ca, &profile);
	expect_ok(sr_certificate_pem(own, &chain));
	expect_ok(sr_certificate_pem(ca, &chain));
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(bio, sr_certificate_key(own), NULL, NULL, 0, NULL, NULL), 1);
	char *key;
	long key_len = BIO_get_mem_data(bio, &key);
	struct sr_bytes key_pem = sr_bytes_of(key, (size_t)key_len);
	expect_ok(sr_certificate_from_pem(sr_buf_bytes(&chain), key_pem, &read));
	assert_int_equal(sk_X509_num(sr_certificate_chain(read)), 1);
	assert_true(chains_to(read, ca, X509_PURPOSE_SSL_SERVER));

	SR_CLEANUP(sr_certificate) struct sr_certificate *public_only = NULL;
	expect_ok(sr_certificate_from_pem(sr_buf_bytes(&chain), (struct sr_bytes){0}, &public_only));
	assert_null(sr_certificate_key(public_only));
	SR_CLEANUP(sr_buf) struct sr_buf ca_pem = SR_BUF(DER_MAX);
	expect_ok(sr_certificate_pem(ca, &ca_pem));
	SR_CLEANUP(sr_certificate) struct sr_certificate *none = NULL;
	expect_code(sr_certificate_from_pem(sr_buf_bytes(&ca_pem), key_pem, &none), SR_INVALID);
	expect_code(sr_certificate_from_pem(SR_LITERAL("no PEM"), key_pem, &none), SR_INVALID);
	expect_code(sr_certificate_from_pem((struct sr_bytes){0}, key_pem, &none), SR_INVALID);
	expect_code(sr_certificate_from_pem(sr_buf_bytes(&chain), SR_LITERAL("no key"), &none), SR_INVALID);
	BIO_free(bio);
}

static void test_a_shared_certificate_lives_until_the_last_lets_go(void **state)
{
	(void)state;
	struct sr_certificate *ca;
	expect_ok(sr_certificate_new_ca("Strongroom CA", 365, &ca));
	struct sr_certificate *second = sr_certificate_share(ca);
	sr_certificate_free(ca);
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(DER_MAX);
	SR_CLEANUP(sr_certificate) struct sr_certificate *parsed = NULL;
	expect_ok(sr_certificate_der(second, &der));
	expect_ok(sr_certificate_from_der(sr_buf_bytes(&der), &parsed));
	assert_null(sr_certificate_key(parsed));
	sr_certificate_free(second);
}

static void check_rsa_signature(EVP_PKEY *key, const struct sr_keypair *public_key)
{
	uint8_t signature[512];
	size_t len = sizeof signature;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &len, (const uint8_t *)"said", 4), 1);
	EVP_MD_CTX_free(context);
	uint8_t digest[SR_DIGEST_MAX];
	size_t digest_len = sr_digest_of(SR_DIGEST_SHA256, SR_LITERAL("said"), digest);
	bool is_valid = false;
	expect_ok(sr_keypair_verify(public_key, SR_ALG_RS256, sr_bytes_of(digest, digest_len), sr_bytes_of(signature, len),
	                            &is_valid));
	assert_true(is_valid);
}

static void test_a_certificates_public_key_verifies_what_its_private_key_signed(void **state)
{
	(void)state;
	static const struct {
		const char *type, *group;
		unsigned bits;
		enum sr_alg alg;
	} kinds[] = {{"RSA", NULL, 2048, SR_ALG_PS256}, {"EC", "P-256", 0, SR_ALG_ES256}, {"EC", "P-384", 0, SR_ALG_ES384}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		EVP_PKEY *key = kinds[i].group ? EVP_EC_gen(kinds[i].group) : EVP_RSA_gen(kinds[i].bits);
		X509 *x509 = X509_new();
		X509_set_pubkey(x509, key);
		X509_gmtime_adj(X509_getm_notBefore(x509), -60);
		X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
		assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
		uint8_t *der = NULL;
		int der_len = i2d_X509(x509, &der);
		SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
		SR_CLEANUP(sr_keypair) struct sr_keypair *public_key = NULL;
		expect_ok(sr_certificate_from_der(sr_bytes_of(der, (size_t)der_len), &certificate));
		expect_ok(sr_certificate_public_key(certificate, &public_key));
		struct sr_key_spec spec = sr_keypair_spec(public_key);
		assert_true(sr_alg_fits(kinds[i].alg, &spec));
		if (spec.type == SR_KEY_RSA) {
			check_rsa_signature(key, public_key);
		}
		int64_t from_s = sr_certificate_not_before(certificate) - sr_unix_s();
		assert_true(from_s >= -65 && from_s <= -58);

		uint8_t thumbprint[SR_SHA256_LEN];
		uint8_t digest[SR_DIGEST_MAX];
		sr_certificate_thumbprint_sha256(certificate, thumbprint);
		sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(der, (size_t)der_len), digest);
		assert_memory_equal(thumbprint, digest, sizeof thumbprint);
		OPENSSL_free(der);
		X509_free(x509);
		EVP_PKEY_free(key);
	}
}

static void test_a_key_that_no_algorithm_of_ours_takes_is_refused(void **state)
{
	(void)state;
	EVP_PKEY *keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-224"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		X509 *x509 = X509_new();
		X509_set_pubkey(x509, keys[i]);
		X509_gmtime_adj(X509_getm_notBefore(x509), -60);
		X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
		assert_true(X509_sign(x509, keys[i], i == 2 ? NULL : EVP_sha256()) > 0);
		uint8_t *der = NULL;
		int der_len = i2d_X509(x509, &der);
		SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
		struct sr_keypair *public_key = NULL;
		expect_ok(sr_certificate_from_der(sr_bytes_of(der, (size_t)der_len), &certificate));
		expect_code(sr_certificate_public_key(certificate, &public_key), SR_INVALID);
		OPENSSL_free(der);
		X509_free(x509);
		EVP_PKEY_free(keys[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_signed_certificate_chains_to_its_ca_alone),
	    cmocka_unit_test(test_a_certificate_says_what_the_profile_says),
	    cmocka_unit_test(test_a_certificate_does_not_outlive_its_ca),
	    cmocka_unit_test(test_a_damaged_request_is_refused),
	    cmocka_unit_test(test_bad_profiles_are_refused),
	    cmocka_unit_test(test_join_refuses_anothers_certificate),
	    cmocka_unit_test(test_a_sealed_ca_signs_as_before_and_opens_for_its_use_alone),
	    cmocka_unit_test(test_a_known_sealed_ca_opens_and_signs),
	    cmocka_unit_test(test_pem_of_an_operator_is_read_with_its_chain),
	    cmocka_unit_test(test_a_shared_certificate_lives_until_the_last_lets_go),
	    cmocka_unit_test(test_a_certificates_public_key_verifies_what_its_private_key_signed),
	    cmocka_unit_test(test_a_key_that_no_algorithm_of_ours_takes_is_refused),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
