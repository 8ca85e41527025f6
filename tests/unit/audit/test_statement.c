/* Statements of checkpoints, their signatures and keys, held against OpenSSL. */
#include "audit/statement.h"

#include "check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

static struct sr_keypair *make_key(struct sr_audit_key *ret_key)
{
	const struct sr_key_spec spec = {.type = SR_KEY_EC, .curve = SR_CURVE_P256};
	struct sr_keypair *keypair;
	expect_ok(sr_keypair_generate(&spec, &keypair));
	expect_ok(sr_audit_key_of(keypair, ret_key));
	return keypair;
}

static struct sr_audit_statement example(const struct sr_audit_key *next)
{
	struct sr_audit_statement statement = {.service = "vault", .number = 7, .time = 1795536000, .sequence = 123};
	memset(statement.log.bytes, 0xab, sizeof statement.log.bytes);
	memset(statement.hash, 0x12, sizeof statement.hash);
	memset(statement.previous, 0x34, sizeof statement.previous);
	memset(statement.key, 'e', sizeof statement.key - 1);
	if (next) {
		statement.has_next = true;
		statement.next = *next;
	}
	return statement;
}

static void the_text_is_what_the_format_says(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_AUDIT_STATEMENT_MAX);
	const struct sr_audit_statement statement = example(NULL);
	sr_audit_statement_write(&statement, &text);
	assert_string_equal(sr_buf_text(&text),
	                    "{\"type\":\"strongroom-audit-checkpoint\",\"version\":1,\"service\":\"vault\","
	                    "\"log\":\"abababababababababababababababab\",\"number\":7,\"time\":\"2026-11-24T16:00:00Z\","
	                    "\"sequence\":123,"
	                    "\"hash\":\"1212121212121212121212121212121212121212121212121212121212121212\","
	                    "\"previous\":\"3434343434343434343434343434343434343434343434343434343434343434\","
	                    "\"key\":\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\"}");
}

static void what_is_written_reads_and_any_other_byte_does_not_read_the_same(void **state)
{
	(void)state;
	struct sr_audit_key next;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&next);
	const struct sr_audit_statement statements[] = {example(NULL), example(&next)};
	for (size_t s = 0; s < 2; s++) {
		SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_AUDIT_STATEMENT_MAX);
		struct sr_audit_statement read;
		sr_audit_statement_write(&statements[s], &text);
		expect_ok(sr_audit_statement_read(sr_buf_bytes(&text), &read));
		assert_memory_equal(read.hash, statements[s].hash, sizeof read.hash);
		assert_int_equal(read.sequence, 123);
		assert_int_equal(read.has_next, s == 1);
		for (size_t i = 0; i < text.len; i++) {
			expect_code(sr_audit_statement_read(sr_bytes_of(text.data, i), &read), SR_INVALID);
		}
		sr_buf_append_str(&text, " ");
		expect_code(sr_audit_statement_read(sr_buf_bytes(&text), &read), SR_INVALID);
	}
}

static EVP_PKEY *openssl_key(const struct sr_audit_key *key)
{
	SR_CLEANUP(sr_buf) struct sr_buf pem = SR_BUF(4096);
	sr_audit_key_pem(key, &pem);
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	EVP_PKEY *native = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(native);
	return native;
}

static bool openssl_verifies(EVP_PKEY *key, const struct sr_buf *text, const struct sr_buf *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
	const int verified = EVP_DigestVerify(context, signature->data, signature->len, text->data, text->len);
	EVP_MD_CTX_free(context);
	return verified == 1;
}

static void signatures_hold_here_and_for_openssl(void **state)
{
	(void)state;
	struct sr_audit_key key, other;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&key), *stranger = make_key(&other);
	EVP_PKEY *native = openssl_key(&key);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_AUDIT_STATEMENT_MAX);
	const struct sr_audit_statement statement = example(NULL);
	sr_audit_statement_write(&statement, &text);
	for (unsigned i = 0; i < 600; i++) { /* enough for numbers that are short, and that begin with a set bit */
		SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(SR_AUDIT_SIGNATURE_MAX);
		bool holds;
		expect_ok(sr_audit_sign_text(keypair, sr_buf_bytes(&text), &signature));
		expect_ok(sr_audit_signature_holds(&key, sr_buf_bytes(&text), sr_buf_bytes(&signature), &holds));
		assert_true(holds);
		assert_true(openssl_verifies(native, &text, &signature));
		expect_ok(sr_audit_signature_holds(&other, sr_buf_bytes(&text), sr_buf_bytes(&signature), &holds));
		assert_false(holds);
	}
	EVP_PKEY_free(native);
}

static void no_flipped_or_cut_signature_holds(void **state)
{
	(void)state;
	struct sr_audit_key key;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&key);
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(SR_AUDIT_SIGNATURE_MAX);
	const struct sr_bytes text = SR_LITERAL("a text");
	bool holds;
	expect_ok(sr_audit_sign_text(keypair, text, &signature));
	for (size_t bit = 0; bit < 8 * signature.len; bit++) {
		signature.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_ok(sr_audit_signature_holds(&key, text, sr_buf_bytes(&signature), &holds));
		assert_false(holds);
		signature.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < signature.len; len++) {
		expect_ok(sr_audit_signature_holds(&key, text, sr_bytes_of(signature.data, len), &holds));
		assert_false(holds);
	}
}

static void pem_comes_back_and_what_is_none_does_not(void **state)
{
	(void)state;
	struct sr_audit_key key, read;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = make_key(&key);
	SR_CLEANUP(sr_buf) struct sr_buf pem = SR_BUF(4096);
	sr_buf_append_str(&pem, "a comment before it\r\n");
	sr_audit_key_pem(&key, &pem);
	expect_ok(sr_audit_key_from_pem(sr_buf_bytes(&pem), &read));
	assert_string_equal(read.id, key.id);
	for (size_t len = 0; len + 2 < pem.len; len++) {
		expect_code(sr_audit_key_from_pem(sr_bytes_of(pem.data, len), &read), SR_INVALID);
	}
	struct sr_audit_key wrong = key;
	wrong.spki[5] ^= 1;
	expect_code(sr_audit_key_from_spki(sr_bytes_of(wrong.spki, sizeof wrong.spki), &read), SR_INVALID);
	const struct sr_key_spec rsa = {.type = SR_KEY_EC, .curve = SR_CURVE_P384};
	SR_CLEANUP(sr_keypair) struct sr_keypair *other = NULL;
	expect_ok(sr_keypair_generate(&rsa, &other));
	expect_code(sr_audit_key_of(other, &read), SR_INVALID);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_text_is_what_the_format_says),
	    cmocka_unit_test(what_is_written_reads_and_any_other_byte_does_not_read_the_same),
	    cmocka_unit_test(signatures_hold_here_and_for_openssl),
	    cmocka_unit_test(no_flipped_or_cut_signature_holds),
	    cmocka_unit_test(pem_comes_back_and_what_is_none_does_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
