/* The cache of checked tokens: bounded, and silent about tokens that have ended. */
#include "access/token_cache.h"

#include "access/directory.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const struct sr_principal_entry somebody = {.is_enabled = true};

static void digest_of_number(uint32_t number, uint8_t ret_digest[static SR_SHA256_LEN])
{
	memset(ret_digest, 0, SR_SHA256_LEN);
	sr_store_u32(ret_digest, number * 2654435761U);
	sr_store_u32(ret_digest + 4, number);
}

static void put(struct sr_token_cache *cache, uint32_t number, int64_t expires_s)
{
	uint8_t digest[SR_SHA256_LEN];
	digest_of_number(number, digest);
	struct sr_token_facts facts = {&somebody, expires_s, "audience"};
	facts.audience[0] = (char)('a' + number % 26);
	sr_token_cache_put(cache, digest, &facts);
}

static bool get(struct sr_token_cache *cache, uint32_t number, int64_t now_s, struct sr_token_facts *ret_facts)
{
	uint8_t digest[SR_SHA256_LEN];
	digest_of_number(number, digest);
	return sr_token_cache_get(cache, digest, now_s, ret_facts);
}

static void gives_back_what_was_put_until_it_ends(void **state)
{
	(void)state;
	struct sr_token_cache *cache = sr_token_cache_new();
	struct sr_token_facts facts;
	assert_false(get(cache, 0, 50, &facts));
	put(cache, 0, 100);
	put(cache, 1, 200);
	assert_true(get(cache, 0, 99, &facts));
	assert_string_equal(facts.audience, "audience");
	assert_ptr_equal(facts.principal, &somebody);
	assert_false(get(cache, 0, 100, &facts));
	assert_true(get(cache, 1, 100, &facts));
	assert_string_equal(facts.audience, "budience");
	put(cache, 0, 300);
	assert_true(get(cache, 0, 100, &facts));
	sr_token_cache_free(cache);
}

static void keeps_a_bounded_number_and_mostly_the_latest(void **state)
{
	(void)state;
	struct sr_token_cache *cache = sr_token_cache_new();
	enum { MANY = 3 * SR_TOKEN_CACHE_MAX };
	for (uint32_t i = 0; i < MANY; i++) {
		put(cache, i, 100);
	}
	uint32_t kept = 0;
	uint32_t kept_of_latest = 0;
	for (uint32_t i = 0; i < MANY; i++) {
		struct sr_token_facts facts;
		bool is_there = get(cache, i, 0, &facts);
		assert_true(!is_there || facts.audience[0] == (char)('a' + i % 26));
		kept += is_there;
		kept_of_latest += is_there && i >= MANY - SR_TOKEN_CACHE_MAX / 2;
	}
	assert_true(kept <= SR_TOKEN_CACHE_MAX && kept > SR_TOKEN_CACHE_MAX / 2);
	assert_true(kept_of_latest > SR_TOKEN_CACHE_MAX / 4);
	sr_token_cache_free(cache);
}

static void digests_that_share_a_beginning_are_told_apart(void **state)
{
	(void)state;
	struct sr_token_cache *cache = sr_token_cache_new();
	uint8_t digest[SR_SHA256_LEN] = {0};
	struct sr_token_facts facts = {&somebody, 100, "one"};
	sr_token_cache_put(cache, digest, &facts);
	digest[SR_SHA256_LEN - 1] = 1;
	assert_false(sr_token_cache_get(cache, digest, 0, &facts));
	sr_token_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_back_what_was_put_until_it_ends),
	    cmocka_unit_test(keeps_a_bounded_number_and_mostly_the_latest),
	    cmocka_unit_test(digests_that_share_a_beginning_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
