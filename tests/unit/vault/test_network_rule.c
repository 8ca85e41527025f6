/* Ranges of addresses: what is one, and what lies in it; random ones against a model that looks at each bit. */
#include "check.h"

#include "vault/network_rule.h"

#include <stdlib.h>

static void ranges_are_written_as_azure_answers_them(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	    {"124.56.78.91", "124.56.78.91/32"},
	    {"124.56.78.0/24", "124.56.78.0/24"},
	    {"0.0.0.0/0", "0.0.0.0/0"},
	    {"127.0.0.1/32", "127.0.0.1/32"},
	    {"10.0.0.0/8", "10.0.0.0/8"},
	    {"::1", "::1/128"},
	    {"fd00::/8", "fd00::/8"},
	    {"2001:DB8::/32", "2001:db8::/32"},
	    {"::/0", "::/0"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sr_network_range range;
		expect_ok(sr_network_range_parse(cases[i][0], &range));
		assert_string_equal(range.text, cases[i][1]);
	}
}

static void what_is_no_range_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
	    "",
	    "/",
	    "/8",
	    "10.0.0.0/",
	    "10.0.0.0/33",
	    "10.0.0.0/-1",
	    "10.0.0.0/8/8",
	    "10.0.0/8",
	    "10.0.0.1/24",
	    "10.0.0.256",
	    "010.0.0.1",
	    "'10.91.4.0/24'",
	    " 10.0.0.1",
	    "10.0.0.1 ",
	    "example",
	    "::1/129",
	    "fd00::1/8",
	    "fd00::/8x",
	    ":::",
	    "fe80::1%lo",
	    "10.0.0.0/08x",
	    "0x7f.0.0.1",
	    "127.1",
	    "1111:2222:3333:4444:5555:6666:7777:8888:9999",
	    "10.0.0.0/4294967304",
	    "1111:2222:3333:4444:5555:6666:7777:8888:1111:2222:3333:4444/64",
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sr_network_range range = {.text = "untouched"};
		expect_code(sr_network_range_parse(cases[i], &range), SR_INVALID);
		assert_string_equal(range.text, "untouched");
	}
}

static bool holds(const char *range_text, const char *address_text)
{
	struct sr_network_range range;
	uint8_t address[SR_ADDRESS_LEN];
	expect_ok(sr_network_range_parse(range_text, &range));
	expect_ok(sr_address_parse(address_text, address));
	return sr_network_range_holds(&range, address);
}

static void addresses_lie_in_their_ranges_alone(void **state)
{
	(void)state;
	assert_true(holds("10.1.2.0/24", "10.1.2.0") && holds("10.1.2.0/24", "10.1.2.255"));
	assert_false(holds("10.1.2.0/24", "10.1.3.0") || holds("10.1.2.0/24", "10.1.1.255"));
	assert_true(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
	assert_true(holds("::1", "::1") && !holds("::1", "127.0.0.1") && !holds("127.0.0.1", "::1"));
	assert_true(holds("10.0.0.0/8", "::ffff:10.9.8.7")); /* IPv4 that comes in over an IPv6 socket */
	assert_true(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
	assert_true(holds("fe80::/10", "fe80::1%eth0"));
	assert_true(holds("::/0", "10.0.0.1")); /* the whole of IPv6 has IPv4 in it */
	expect_code(sr_address_parse("local", (uint8_t[SR_ADDRESS_LEN]){0}), SR_INVALID);
	expect_code(sr_address_parse("", (uint8_t[SR_ADDRESS_LEN]){0}), SR_INVALID);
}

static unsigned bit_of(const uint8_t *address, unsigned index)
{
	return address[index / 8] >> (7 - index % 8) & 1;
}

static void random_ranges_hold_what_shares_their_prefix(void **state)
{
	(void)state;
	unsigned inside = 0, outside = 0;
	srandom(3);
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t address[4];
		for (unsigned i = 0; i < 4; i++) {
			address[i] = (uint8_t)random();
		}
		const unsigned bits = (unsigned)random() % 33;
		for (unsigned i = bits; i < 32; i++) {
			address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
		}
		uint8_t other[4] = {address[0], address[1], address[2], address[3]};
		for (unsigned flips = (unsigned)random() % 4; flips; flips--) {
			const unsigned at = (unsigned)random() % 32;
			other[at / 8] ^= (uint8_t)(0x80 >> at % 8);
		}
		bool is_same = true;
		for (unsigned i = 0; i < bits; i++) {
			is_same = is_same && bit_of(address, i) == bit_of(other, i);
		}
		char range[64], text[64];
		snprintf(range, sizeof range, "%u.%u.%u.%u/%u", address[0], address[1], address[2], address[3], bits);
		snprintf(text, sizeof text, "%u.%u.%u.%u", other[0], other[1], other[2], other[3]);
		assert_true(holds(range, text) == is_same);
		inside += is_same;
		outside += !is_same;
	}
	assert_true(inside > 2000 && outside > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges_are_written_as_azure_answers_them),
	    cmocka_unit_test(what_is_no_range_is_refused),
	    cmocka_unit_test(addresses_lie_in_their_ranges_alone),
	    cmocka_unit_test(random_ranges_hold_what_shares_their_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
