/* Published vectors, checked as a process starts: a broken build of a cipher must not seal anything. */
#include "seal/known_answer.h"

#include "seal/aead.h"
#include "seal/hmac.h"
#include "seal/kdf.h"
#include "seal/secret_bytes.h"

#include "base/text.h"

static struct sr_result expect(struct sr_bytes given, const char *expected_hex, const char *what)
{
	uint8_t expected[64];
	SR_TRY(sr_hex_decode(sr_bytes_str(expected_hex), expected, given.len));
	return sr_equal_public(given, sr_bytes_of(expected, given.len))
	           ? sr_ok()
	           : sr_fail(SR_CRYPTO, "%s does not give its published answer", what);
}

static struct sr_result secret_of_hex(const char *hex, struct sr_secret **ret_secret)
{
	uint8_t bytes[SR_KEY_LEN];
	SR_TRY(sr_hex_decode(sr_bytes_str(hex), bytes, sizeof bytes));
	return sr_secret_from_bytes(sr_bytes_of(bytes, sizeof bytes), ret_secret);
}

/* FIPS 180-2, RFC 1321, and the check value of CRC-64/NVME. */
static struct sr_result check_digests(void)
{
	static const struct {
		enum sr_digest_kind kind;
		const char *name, *expected;
	} table[] = {
	    {SR_DIGEST_SHA256, "SHA-256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"},
	    {SR_DIGEST_MD5, "MD5", "25f9e794323b453885f5181f1b624d0b"},
	    {SR_DIGEST_CRC64, "CRC-64", "8898790a86148bae"},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		uint8_t digest[SR_DIGEST_MAX];
		size_t len = sr_digest_of(table[i].kind, SR_LITERAL("123456789"), digest);
		SR_TRY(expect(sr_bytes_of(digest, len), table[i].expected, table[i].name));
	}
	return sr_ok();
}

/* RFC 4231, test case 1; RFC 5869, test case 1. */
static struct sr_result check_derivation(void)
{
	static const uint8_t key[22] = {[0 ... 21] = 0x0b};
	static const uint8_t salt[13] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const uint8_t info[10] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
	uint8_t mac[SR_SHA256_LEN];
	SR_TRY(sr_hmac_two(sr_bytes_of(key, 20), SR_LITERAL("Hi "), SR_LITERAL("There"), mac));
	SR_TRY(expect(sr_bytes_of(mac, sizeof mac), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	              "HMAC-SHA-256"));
	SR_CLEANUP(sr_secret) struct sr_secret *derived = NULL;
	SR_TRY(sr_hkdf_sha256(sr_bytes_of(key, sizeof key), sr_bytes_of(salt, sizeof salt), sr_bytes_of(info, sizeof info),
	                      42, &derived));
	return expect(sr_secret_bytes(derived),
	              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
	              "HKDF-SHA-256");
}

/* C2SP XAES-256-GCM, "Test vectors": the second, whose key's subkey needs the reduction. It covers AES-256-GCM too. */
static struct sr_result check_aead(void)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
	SR_TRY(secret_of_hex("0303030303030303030303030303030303030303030303030303030303030303", &key));
	SR_TRY(sr_aead_new(key, &aead));
	static const uint8_t nonce[] = "ABCDEFGHIJKLMNOPQRSTUVWX";
	uint8_t sealed[12 + SR_AEAD_TAG_LEN];
	SR_TRY(sr_aead_seal_known(aead, nonce, SR_LITERAL("c2sp.org/XAES-256-GCM"), SR_LITERAL("XAES-256-GCM"), sealed,
	                          sealed + 12));
	return expect(sr_bytes_of(sealed, sizeof sealed), "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
	              "XAES-256-GCM");
}

/* Wycheproof, aes_kwp_test.json. */
static struct sr_result check_wrapping(void)
{
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(secret_of_hex("38e1b1d075d9d852b9a6c01c8ff6965af01bac457a4e339ae3e1d7b2ffacc0cd", &kek));
	SR_TRY(secret_of_hex("80ad6820f1c90981e2ca42b817a345c1179d0a11d8e23a8adc0505e13d87295a", &key));
	uint8_t wrapped[SR_WRAPPED_KEY_LEN];
	SR_TRY(sr_key_wrap(kek, key, wrapped));
	return expect(sr_bytes_of(wrapped, sizeof wrapped),
	              "b63b7e0fec7e315816233db6758fd3e744b9f6a40862bdf866487e53bcb950d8b2649269e51b4475", "AES-256-KWP");
}

struct sr_result sr_known_answers_check(void)
{
	SR_TRY(check_digests());
	SR_TRY(check_derivation());
	SR_TRY(check_aead());
	return check_wrapping();
}
