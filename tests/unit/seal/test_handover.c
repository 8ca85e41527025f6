/* Handing a secret over: it arrives at its receiver, for its use, and nowhere else. */
#include "vectors.h"

#include "seal/handover_parts.h"
#include "seal/secret_bytes.h"

enum { SEALED_MAX = 1024 };

static void test_a_secret_arrives_at_its_receiver_alone(void **state)
{
	(void)state;
	SR_CLEANUP(sr_handover) struct sr_handover *receiver = NULL;
	SR_CLEANUP(sr_handover) struct sr_handover *other = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *arrived = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *none = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(SEALED_MAX);
	uint8_t public[SR_HANDOVER_PUBLIC_LEN];
	expect_ok(sr_handover_new(&receiver));
	expect_ok(sr_handover_new(&other));
	expect_ok(sr_secret_random(SR_KEY_LEN, &secret));
	sr_handover_public(receiver, public);
	expect_ok(sr_handover_seal(public, SR_LITERAL("lease 1"), secret, &sealed));
	expect_ok(sr_handover_seal(public, SR_LITERAL("lease 1"), secret, &again));
	assert_memory_not_equal(sealed.data, again.data, SR_HANDOVER_PUBLIC_LEN);
	expect_ok(sr_handover_open(receiver, SR_LITERAL("lease 1"), sr_buf_bytes(&sealed), &arrived));
	assert_true(sr_secret_equal(secret, arrived));
	expect_code(sr_handover_open(other, SR_LITERAL("lease 1"), sr_buf_bytes(&sealed), &none), SR_CORRUPT);
	expect_code(sr_handover_open(receiver, SR_LITERAL("lease 2"), sr_buf_bytes(&sealed), &none), SR_CORRUPT);
	assert_null(none);
}

static void test_every_flip_and_cut_is_detected(void **state)
{
	(void)state;
	SR_CLEANUP(sr_handover) struct sr_handover *receiver = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *none = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
	uint8_t public[SR_HANDOVER_PUBLIC_LEN];
	expect_ok(sr_handover_new(&receiver));
	expect_ok(sr_secret_random(SR_KEY_LEN, &secret));
	sr_handover_public(receiver, public);
	expect_ok(sr_handover_seal(public, (struct sr_bytes){0}, secret, &sealed));
	for (size_t i = 0; i < sealed.len * 8; i++) {
		sealed.data[i / 8] ^= (uint8_t)(1 << i % 8);
		/* The salt holds the key as it was sent, so even the bit that X25519 ignores counts. */
		expect_code(sr_handover_open(receiver, (struct sr_bytes){0}, sr_buf_bytes(&sealed), &none), SR_CORRUPT);
		sealed.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t len = 0; len < sealed.len; len++) {
		expect_code(sr_handover_open(receiver, (struct sr_bytes){0}, sr_bytes_of(sealed.data, len), &none), SR_CORRUPT);
	}
}

static void test_points_of_small_order_are_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
	expect_ok(sr_secret_random(SR_KEY_LEN, &secret));
	static const uint8_t points[2][SR_HANDOVER_PUBLIC_LEN] = {{0}, {1}};
	for (int i = 0; i < 2; i++) {
		expect_code(sr_handover_seal(points[i], (struct sr_bytes){0}, secret, &sealed), SR_CORRUPT);
	}
	assert_int_equal(sealed.len, 0);
}

static void test_known_handover_opens(void **state)
{
	(void)state;
	json_t *known = load_known("handover_v1.json");
	SR_CLEANUP(hex) struct hex private_key = hex_of(known, "receiver_private");
	SR_CLEANUP(hex) struct hex aad = hex_of(known, "aad");
	SR_CLEANUP(hex) struct hex sealed = hex_of(known, "sealed");
	SR_CLEANUP(hex) struct hex expected = hex_of(known, "secret");
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *secret = NULL;
	SR_CLEANUP(sr_handover) struct sr_handover *receiver = NULL;
	expect_ok(sr_secret_from_bytes(hex_bytes(&private_key), &key));
	expect_ok(sr_handover_known(key, &receiver));
	expect_ok(sr_handover_open(receiver, hex_bytes(&aad), hex_bytes(&sealed), &secret));
	assert_true(sr_equal_ct(sr_secret_bytes(secret), hex_bytes(&expected)));
	json_decref(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_secret_arrives_at_its_receiver_alone),
	    cmocka_unit_test(test_every_flip_and_cut_is_detected),
	    cmocka_unit_test(test_points_of_small_order_are_refused),
	    cmocka_unit_test(test_known_handover_opens),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
