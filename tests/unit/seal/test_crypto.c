/* Symmetric primitives against published vectors (Wycheproof, C2SP, RFCs), and our forms made of them. */
#include "vectors.h"

#include "seal/aead.h"
#include "seal/context.h"
#include "seal/crc64.h"
#include "seal/gcm.h"
#include "seal/hmac.h"
#include "seal/kdf.h"
#include "seal/secret_bytes.h"
#include "seal/wrap.h"

#include "base/random.h"
#include "base/thread.h"

static struct sr_secret *secret_of(struct sr_bytes bytes)
{
	struct sr_secret *secret;
	expect_ok(sr_secret_from_bytes(bytes, &secret));
	return secret;
}

static struct sr_aead *aead_of(uint8_t byte)
{
	uint8_t key[SR_KEY_LEN];
	struct sr_aead *aead;
	memset(key, byte, sizeof key);
	SR_CLEANUP(sr_secret) struct sr_secret *secret = secret_of(sr_bytes_of(key, sizeof key));
	expect_ok(sr_aead_new(secret, &aead));
	return aead;
}

static void hkdf_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	(void)group;
	(void)context;
	SR_CLEANUP(hex) struct hex key = hex_of(test, "ikm");
	SR_CLEANUP(hex) struct hex salt = hex_of(test, "salt");
	SR_CLEANUP(hex) struct hex info = hex_of(test, "info");
	SR_CLEANUP(hex) struct hex okm = hex_of(test, "okm");
	SR_CLEANUP(sr_secret) struct sr_secret *derived = NULL;
	struct sr_result result =
	    sr_hkdf_sha256(hex_bytes(&key), hex_bytes(&salt), hex_bytes(&info), (size_t)number_of(test, "size"), &derived);
	bool is_derived = sr_is_ok(result);
	sr_result_free(result);
	vector_check(test, is_derived == is_valid);
	vector_check(test, !is_derived || sr_equal_ct(sr_secret_bytes(derived), hex_bytes(&okm)));
}

static void test_hkdf_agrees_with_wycheproof(void **state)
{
	(void)state;
	for_each_vector("hkdf_sha256_test.json", true, hkdf_vector, NULL);
}

static void hmac_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	(void)context;
	SR_CLEANUP(hex) struct hex key = hex_of(test, "key");
	SR_CLEANUP(hex) struct hex message = hex_of(test, "msg");
	SR_CLEANUP(hex) struct hex tag = hex_of(test, "tag");
	SR_CLEANUP(sr_secret) struct sr_secret *secret = secret_of(hex_bytes(&key));
	uint8_t mac[SR_SHA256_LEN];
	expect_ok(sr_hmac_sha256(secret, hex_bytes(&message), mac));
	size_t tag_len = (size_t)number_of(group, "tagSize") / 8;
	vector_check(test, sr_equal_ct(sr_bytes_of(mac, tag_len), hex_bytes(&tag)) == is_valid);
}

static void test_hmac_agrees_with_wycheproof(void **state)
{
	(void)state;
	for_each_vector("hmac_sha256_test.json", true, hmac_vector, NULL);
}

static enum sr_cipher wrap_kind(bool is_padded, long long bits)
{
	static const enum sr_cipher kinds[2][3] = {
	    {SR_CIPHER_AES128_KW, SR_CIPHER_AES192_KW, SR_CIPHER_AES256_KW},
	    {SR_CIPHER_AES128_KWP, SR_CIPHER_AES192_KWP, SR_CIPHER_AES256_KWP},
	};
	return kinds[is_padded][bits / 64 - 2];
}

static void wrap_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	enum sr_cipher cipher = wrap_kind(context != NULL, number_of(group, "keySize"));
	SR_CLEANUP(hex) struct hex key = hex_of(test, "key");
	SR_CLEANUP(hex) struct hex plain = hex_of(test, "msg");
	SR_CLEANUP(hex) struct hex wrapped = hex_of(test, "ct");
	uint8_t to[1024];
	size_t len = 0;
	bool opens;
	assert_true(wrapped.len <= sizeof to);
	expect_ok(sr_aes_unwrap(cipher, key.data, hex_bytes(&wrapped), to, &len, &opens));
	vector_check(test, opens == is_valid);
	if (is_valid) {
		vector_check(test, sr_equal_ct(sr_bytes_of(to, len), hex_bytes(&plain)));
		expect_ok(sr_aes_wrap(cipher, key.data, hex_bytes(&plain), to, &len));
		vector_check(test, sr_equal_ct(sr_bytes_of(to, len), hex_bytes(&wrapped)));
	}
}

static void test_key_wrap_agrees_with_wycheproof(void **state)
{
	(void)state;
	for_each_vector("aes_wrap_test.json", false, wrap_vector, NULL);
	for_each_vector("aes_kwp_test.json", false, wrap_vector, &state);
}

static void gcm_vector(const json_t *group, const json_t *test, bool is_valid, void *context)
{
	(void)context;
	long long bits = number_of(group, "keySize");
	if (number_of(group, "ivSize") != 96 || number_of(group, "tagSize") != 128) {
		return;
	}
	enum sr_cipher cipher = bits == 128   ? SR_CIPHER_AES128_GCM
	                        : bits == 192 ? SR_CIPHER_AES192_GCM
	                                      : SR_CIPHER_AES256_GCM;
	SR_CLEANUP(hex) struct hex key = hex_of(test, "key");
	SR_CLEANUP(hex) struct hex nonce = hex_of(test, "iv");
	SR_CLEANUP(hex) struct hex aad = hex_of(test, "aad");
	SR_CLEANUP(hex) struct hex plain = hex_of(test, "msg");
	SR_CLEANUP(hex) struct hex sealed = hex_of(test, "ct");
	SR_CLEANUP(hex) struct hex tag = hex_of(test, "tag");
	EVP_CIPHER_CTX *cipher_context;
	uint8_t to[1024];
	uint8_t own_tag[SR_GCM_TAG_LEN];
	expect_ok(sr_cipher_context_take(cipher, &cipher_context));
	expect_ok(sr_gcm_set_key(cipher_context, key.data));
	memset(to, 0xEE, sizeof to);
	bool opens = sr_gcm_open(cipher_context, nonce.data, hex_bytes(&aad), hex_bytes(&sealed), tag.data, to);
	vector_check(test, opens == is_valid);
	for (size_t i = 0; i < sealed.len; i++) {
		vector_check(test, to[i] == (is_valid ? plain.data[i] : 0));
	}
	if (is_valid) {
		expect_ok(sr_gcm_seal(cipher_context, nonce.data, hex_bytes(&aad), hex_bytes(&plain), to, own_tag));
		vector_check(test, sr_equal_ct(sr_bytes_of(to, plain.len), hex_bytes(&sealed)));
		vector_check(test, sr_equal_ct(sr_bytes_of(own_tag, sizeof own_tag), hex_bytes(&tag)));
	}
	sr_cipher_context_give(cipher, cipher_context);
}

static void test_gcm_agrees_with_wycheproof_and_wipes_what_it_refuses(void **state)
{
	(void)state;
	for_each_vector("aes_gcm_test.json", false, gcm_vector, NULL);
}

/* C2SP XAES-256-GCM, "Test vectors". */
static void test_xaes_gives_its_published_answers(void **state)
{
	(void)state;
	static const struct {
		uint8_t key;
		const char *aad, *expected;
	} table[] = {
	    {0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
	    {0x03, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	};
	for (size_t i = 0; i < 2; i++) {
		SR_CLEANUP(sr_aead) struct sr_aead *aead = aead_of(table[i].key);
		uint8_t sealed[28];
		char text[2 * sizeof sealed + 1];
		expect_ok(sr_aead_seal_known(aead, (const uint8_t *)"ABCDEFGHIJKLMNOPQRSTUVWX", sr_bytes_str(table[i].aad),
		                             SR_LITERAL("XAES-256-GCM"), sealed, sealed + 12));
		sr_hex_encode(sr_bytes_of(sealed, sizeof sealed), text);
		assert_string_equal(text, table[i].expected);
	}
}

/* The same page's accumulated test: 10,000 random cases out of SHAKE-128, their ciphertexts hashed into 32 bytes. */
static void test_xaes_gives_its_accumulated_answer(void **state)
{
	(void)state;
	enum { ROUNDS = 10000, STREAM_LEN = ROUNDS * (32 + 24 + 2 + 2 * 255) };
	uint8_t *stream = malloc(STREAM_LEN);
	EVP_MD *shake = EVP_MD_fetch(NULL, "SHAKE128", NULL);
	EVP_MD_CTX *input = EVP_MD_CTX_new();
	EVP_MD_CTX *output = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestInit_ex2(input, shake, NULL), 1);
	assert_int_equal(EVP_DigestFinalXOF(input, stream, STREAM_LEN), 1);
	assert_int_equal(EVP_DigestInit_ex2(output, shake, NULL), 1);
	struct sr_reader reader = sr_reader_of(sr_bytes_of(stream, STREAM_LEN));
	for (int i = 0; i < ROUNDS; i++) {
		SR_CLEANUP(sr_secret) struct sr_secret *key = secret_of(sr_reader_bytes(&reader, SR_KEY_LEN));
		struct sr_bytes nonce = sr_reader_bytes(&reader, SR_AEAD_NONCE_LEN);
		struct sr_bytes plain = sr_reader_bytes(&reader, sr_reader_u8(&reader));
		struct sr_bytes aad = sr_reader_bytes(&reader, sr_reader_u8(&reader));
		SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
		uint8_t sealed[255 + SR_AEAD_TAG_LEN];
		uint8_t opened[255];
		expect_ok(sr_aead_new(key, &aead));
		expect_ok(sr_aead_seal_known(aead, nonce.data, aad, plain, sealed, sealed + plain.len));
		expect_ok(sr_aead_open_at(aead, aad, nonce.data, sr_bytes_of(sealed, plain.len), sealed + plain.len, opened));
		assert_true(sr_equal_ct(sr_bytes_of(opened, plain.len), plain));
		EVP_DigestUpdate(output, sealed, plain.len + SR_AEAD_TAG_LEN);
	}
	uint8_t digest[32];
	char text[65];
	assert_int_equal(EVP_DigestFinalXOF(output, digest, sizeof digest), 1);
	sr_hex_encode(sr_bytes_of(digest, sizeof digest), text);
	assert_string_equal(text, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
	EVP_MD_CTX_free(input);
	EVP_MD_CTX_free(output);
	EVP_MD_free(shake);
	free(stream);
}

static void test_aead_refuses_every_flip_cut_and_foreign_aad(void **state)
{
	(void)state;
	SR_CLEANUP(sr_aead) struct sr_aead *aead = aead_of(7);
	SR_CLEANUP(sr_aead) struct sr_aead *other = aead_of(8);
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(1000);
	SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(1000);
	sr_buf_append_str(&plain, "before ");
	expect_ok(sr_aead_seal(aead, SR_LITERAL("row 1"), SR_LITERAL("a value"), &sealed));
	assert_int_equal(sealed.len, 7 + SR_AEAD_OVERHEAD);
	for (size_t i = 0; i < sealed.len * 8; i++) {
		sealed.data[i / 8] ^= (uint8_t)(1 << i % 8);
		expect_code(sr_aead_open(aead, SR_LITERAL("row 1"), sr_buf_bytes(&sealed), &plain), SR_CORRUPT);
		sealed.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t len = 0; len < sealed.len; len++) {
		expect_code(sr_aead_open(aead, SR_LITERAL("row 1"), sr_bytes_of(sealed.data, len), &plain), SR_CORRUPT);
	}
	expect_code(sr_aead_open(aead, SR_LITERAL("row 2"), sr_buf_bytes(&sealed), &plain), SR_CORRUPT);
	expect_code(sr_aead_open(other, SR_LITERAL("row 1"), sr_buf_bytes(&sealed), &plain), SR_CORRUPT);
	assert_string_equal(sr_buf_text(&plain), "before ");
	expect_ok(sr_aead_open(aead, SR_LITERAL("row 1"), sr_buf_bytes(&sealed), &plain));
	assert_string_equal(sr_buf_text(&plain), "before a value");
}

static void test_aead_keeps_secrets_and_empty_values(void **state)
{
	(void)state;
	SR_CLEANUP(sr_aead) struct sr_aead *aead = aead_of(7);
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(1000);
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *opened = NULL;
	expect_ok(sr_secret_random(100, &secret));
	expect_ok(sr_aead_seal_secret(aead, (struct sr_bytes){0}, secret, &sealed));
	expect_ok(sr_aead_open_secret(aead, (struct sr_bytes){0}, sr_buf_bytes(&sealed), &opened));
	assert_true(sr_secret_equal(secret, opened));
	SR_CLEANUP(sr_buf) struct sr_buf empty = SR_BUF(1000);
	SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(1000);
	expect_ok(sr_aead_seal(aead, SR_LITERAL("x"), (struct sr_bytes){0}, &empty));
	expect_ok(sr_aead_open(aead, SR_LITERAL("x"), sr_buf_bytes(&empty), &plain));
	assert_int_equal(plain.len, 0);
	expect_code(sr_aead_open(aead, SR_LITERAL("y"), sr_buf_bytes(&empty), &plain), SR_CORRUPT);
}

static void test_no_two_nonces_are_the_same(void **state)
{
	(void)state;
	enum { COUNT = 2000 };
	static uint8_t nonces[COUNT][SR_AEAD_NONCE_LEN];
	SR_CLEANUP(sr_aead) struct sr_aead *aead = aead_of(7);
	for (int i = 0; i < COUNT; i++) {
		SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(100);
		expect_ok(sr_aead_seal(aead, (struct sr_bytes){0}, SR_LITERAL("x"), &sealed));
		memcpy(nonces[i], sealed.data, SR_AEAD_NONCE_LEN);
		for (int j = 0; j < i; j++) {
			assert_memory_not_equal(nonces[i], nonces[j], SR_AEAD_NONCE_LEN);
		}
	}
}

static void seal_and_open_often(void *context)
{
	for (int i = 0; i < 2000; i++) {
		SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(1000);
		SR_CLEANUP(sr_buf) struct sr_buf plain = SR_BUF(1000);
		sr_ignore(sr_aead_seal(context, SR_LITERAL("a"), SR_LITERAL("many at once"), &sealed));
		struct sr_result result = sr_aead_open(context, SR_LITERAL("a"), sr_buf_bytes(&sealed), &plain);
		if (!sr_is_ok(result) || !sr_equal_public(sr_buf_bytes(&plain), SR_LITERAL("many at once"))) {
			abort();
		}
	}
}

static void test_aead_serves_many_threads(void **state)
{
	(void)state;
	SR_CLEANUP(sr_aead) struct sr_aead *aead = aead_of(9);
	struct sr_thread threads[4];
	for (int i = 0; i < 4; i++) {
		expect_ok(sr_thread_start("aead", 0, seal_and_open_often, aead, &threads[i]));
	}
	for (int i = 0; i < 4; i++) {
		sr_thread_join(threads[i]);
	}
}

static void test_an_unwrapped_key_is_the_one_wrapped_and_no_other_kek_opens_it(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *other = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *opened = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *none = NULL;
	uint8_t wrapped[SR_WRAPPED_KEY_LEN];
	expect_ok(sr_secret_random(SR_KEY_LEN, &kek));
	expect_ok(sr_secret_random(SR_KEY_LEN, &other));
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	expect_ok(sr_key_wrap(kek, key, wrapped));
	expect_ok(sr_key_unwrap(kek, sr_bytes_of(wrapped, sizeof wrapped), &opened));
	assert_true(sr_secret_equal(key, opened));
	expect_code(sr_key_unwrap(other, sr_bytes_of(wrapped, sizeof wrapped), &none), SR_WRONG_KEY);
	expect_code(sr_key_unwrap(kek, sr_bytes_of(wrapped, sizeof wrapped - 8), &none), SR_CORRUPT);
	for (size_t i = 0; i < sizeof wrapped; i++) {
		wrapped[i] ^= 0x10;
		expect_code(sr_key_unwrap(kek, sr_bytes_of(wrapped, sizeof wrapped), &none), SR_WRONG_KEY);
		wrapped[i] ^= 0x10;
	}
	SR_CLEANUP(sr_secret) struct sr_secret *small = secret_of(SR_LITERAL("sixteen bytes..."));
	expect_code(sr_key_wrap(kek, small, wrapped), SR_INVALID);
	expect_code(sr_key_wrap(small, key, wrapped), SR_INVALID);
	assert_null(none);
}

static void test_derived_keys_and_commitments_depend_on_all_they_are_of(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *from = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *again = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *other_salt = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *other_purpose = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &from));
	expect_ok(sr_derive(from, SR_LITERAL("a"), "x", 32, &key));
	expect_ok(sr_derive(from, SR_LITERAL("a"), "x", 32, &again));
	expect_ok(sr_derive(from, SR_LITERAL("b"), "x", 32, &other_salt));
	expect_ok(sr_derive(from, SR_LITERAL("a"), "y", 32, &other_purpose));
	assert_true(sr_secret_equal(key, again));
	assert_false(sr_secret_equal(key, other_salt));
	assert_false(sr_secret_equal(key, other_purpose));
	uint8_t one[SR_SHA256_LEN];
	uint8_t other[SR_SHA256_LEN];
	uint8_t under_other[SR_SHA256_LEN];
	expect_ok(sr_key_commitment(from, SR_LITERAL("a"), one));
	expect_ok(sr_key_commitment(from, SR_LITERAL("b"), other));
	expect_ok(sr_key_commitment(key, SR_LITERAL("a"), under_other));
	assert_memory_not_equal(one, other, sizeof one);
	assert_memory_not_equal(one, under_other, sizeof one);
}

/* Known answers, made once by another implementation of our forms; each must open for ever. */
static void test_known_values_open(void **state)
{
	(void)state;
	json_t *all = load_known("sealed_value_v1.json");
	const json_t *wrapped = json_array_get(json_object_get(all, "wrapped"), 0);
	const json_t *derived = json_array_get(json_object_get(all, "derived"), 0);
	const json_t *committed = json_array_get(json_object_get(all, "committed"), 0);
	SR_CLEANUP(hex) struct hex kek_bytes = hex_of(wrapped, "kek");
	SR_CLEANUP(hex) struct hex key_bytes = hex_of(wrapped, "key");
	SR_CLEANUP(hex) struct hex wrapped_bytes = hex_of(wrapped, "wrapped");
	SR_CLEANUP(sr_secret) struct sr_secret *kek = secret_of(hex_bytes(&kek_bytes));
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_ok(sr_key_unwrap(kek, hex_bytes(&wrapped_bytes), &key));
	assert_true(sr_equal_ct(sr_secret_bytes(key), hex_bytes(&key_bytes)));

	SR_CLEANUP(hex) struct hex salt = hex_of(derived, "salt");
	SR_CLEANUP(hex) struct hex expected = hex_of(derived, "derived");
	SR_CLEANUP(sr_secret) struct sr_secret *chunk_key = NULL;
	expect_ok(sr_derive(kek, hex_bytes(&salt), "extent", SR_KEY_LEN, &chunk_key));
	assert_true(sr_equal_ct(sr_secret_bytes(chunk_key), hex_bytes(&expected)));

	SR_CLEANUP(hex) struct hex identity = hex_of(committed, "identity");
	SR_CLEANUP(hex) struct hex commitment = hex_of(committed, "commitment");
	uint8_t mac[SR_SHA256_LEN];
	expect_ok(sr_key_commitment(kek, hex_bytes(&identity), mac));
	assert_true(sr_equal_ct(sr_bytes_of(mac, sizeof mac), hex_bytes(&commitment)));

	SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
	expect_ok(sr_aead_new(kek, &aead));
	size_t index;
	json_t *known;
	json_array_foreach(json_object_get(all, "sealed"), index, known)
	{
		SR_CLEANUP(hex) struct hex aad = hex_of(known, "aad");
		SR_CLEANUP(hex) struct hex plain = hex_of(known, "plaintext");
		SR_CLEANUP(hex) struct hex sealed = hex_of(known, "sealed");
		SR_CLEANUP(sr_buf) struct sr_buf opened = SR_BUF(1000);
		expect_ok(sr_aead_open(aead, hex_bytes(&aad), hex_bytes(&sealed), &opened));
		assert_true(sr_equal_ct(sr_buf_bytes(&opened), hex_bytes(&plain)));
	}
	assert_int_equal(index, 3);
	json_decref(all);
}

/* Bit by bit, from the definition. */
static uint64_t slow_crc64(struct sr_bytes bytes)
{
	uint64_t crc = UINT64_MAX;
	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= bytes.data[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc & 1 ? crc >> 1 ^ 0x9A6C9329AC4BC9B5 : crc >> 1;
		}
	}
	return ~crc;
}

static void test_crc64_is_azure_storages_at_every_length_and_cut(void **state)
{
	(void)state;
	assert_true(sr_crc64(0, SR_LITERAL("123456789")) == 0xAE8B14860A799888);
	uint8_t bytes[1000];
	sr_random(bytes, sizeof bytes);
	for (size_t len = 0; len < sizeof bytes; len++) {
		uint64_t expected = slow_crc64(sr_bytes_of(bytes, len));
		assert_true(sr_crc64(0, sr_bytes_of(bytes, len)) == expected);
		size_t cut = len * 3 / 7;
		uint64_t first = sr_crc64(0, sr_bytes_of(bytes, cut));
		assert_true(sr_crc64(first, sr_bytes_of(bytes + cut, len - cut)) == expected);
	}
}

static void test_running_digests_equal_those_in_one_go(void **state)
{
	(void)state;
	static const struct {
		enum sr_digest_kind kind;
		size_t len;
		const char *of_abc;
	} table[] = {
	    {SR_DIGEST_SHA256, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {SR_DIGEST_MD5, 16, "900150983cd24fb0d6963f7d28e17f72"},
	    {SR_DIGEST_CRC64, 8, NULL},
	    {SR_DIGEST_SHA384, 48,
	     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
	    {SR_DIGEST_SHA512, 64,
	     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	    {SR_DIGEST_SHA1, 20, "a9993e364706816aba3e25717850c26c9cd0d89d"},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		uint8_t whole[SR_DIGEST_MAX];
		uint8_t running[SR_DIGEST_MAX];
		char text[2 * SR_DIGEST_MAX + 1];
		assert_int_equal(sr_digest_of(table[i].kind, SR_LITERAL("abc"), whole), table[i].len);
		sr_hex_encode(sr_bytes_of(whole, table[i].len), text);
		if (table[i].of_abc) {
			assert_string_equal(text, table[i].of_abc);
		}
		SR_CLEANUP(sr_digest) struct sr_digest *digest = NULL;
		expect_ok(sr_digest_new(table[i].kind, &digest));
		sr_digest_update(digest, SR_LITERAL("a"));
		sr_digest_update(digest, (struct sr_bytes){0});
		sr_digest_update(digest, SR_LITERAL("bc"));
		assert_int_equal(sr_digest_finish(digest, running), table[i].len);
		assert_memory_equal(whole, running, table[i].len);
	}
}

static void test_a_client_secret_matches_its_hash_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(100);
	SR_CLEANUP(sr_buf) struct sr_buf other = SR_BUF(100);
	uint8_t hash[SR_SECRET_HASH_LEN];
	uint8_t again[SR_SECRET_HASH_LEN];
	expect_ok(sr_secret_text_new(32, &text));
	expect_ok(sr_secret_text_new(32, &other));
	assert_int_equal(text.len, 43);
	expect_ok(sr_secret_hash(sr_buf_bytes(&text), hash));
	expect_ok(sr_secret_hash(sr_buf_bytes(&text), again));
	assert_memory_not_equal(hash, again, sizeof hash);
	assert_true(sr_secret_hash_matches(sr_buf_bytes(&text), hash));
	assert_true(sr_secret_hash_matches(sr_buf_bytes(&text), again));
	assert_false(sr_secret_hash_matches(sr_buf_bytes(&other), hash));
	assert_false(sr_secret_hash_matches(sr_bytes_of(text.data, text.len - 1), hash));
	assert_false(sr_secret_hash_matches((struct sr_bytes){0}, hash));
	hash[40] ^= 1;
	assert_false(sr_secret_hash_matches(sr_buf_bytes(&text), hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hkdf_agrees_with_wycheproof),
	    cmocka_unit_test(test_hmac_agrees_with_wycheproof),
	    cmocka_unit_test(test_key_wrap_agrees_with_wycheproof),
	    cmocka_unit_test(test_gcm_agrees_with_wycheproof_and_wipes_what_it_refuses),
	    cmocka_unit_test(test_xaes_gives_its_published_answers),
	    cmocka_unit_test(test_xaes_gives_its_accumulated_answer),
	    cmocka_unit_test(test_aead_refuses_every_flip_cut_and_foreign_aad),
	    cmocka_unit_test(test_aead_keeps_secrets_and_empty_values),
	    cmocka_unit_test(test_no_two_nonces_are_the_same),
	    cmocka_unit_test(test_aead_serves_many_threads),
	    cmocka_unit_test(test_an_unwrapped_key_is_the_one_wrapped_and_no_other_kek_opens_it),
	    cmocka_unit_test(test_derived_keys_and_commitments_depend_on_all_they_are_of),
	    cmocka_unit_test(test_known_values_open),
	    cmocka_unit_test(test_crc64_is_azure_storages_at_every_length_and_cut),
	    cmocka_unit_test(test_running_digests_equal_those_in_one_go),
	    cmocka_unit_test(test_a_client_secret_matches_its_hash_alone),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
