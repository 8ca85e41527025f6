/* What hangs on a lease: the cache of extents' keys, the attached thing, and management by the vault. */
#include "house.h"

#include <stdio.h>

static struct house house;
static struct sr_keyring *keyring;
static unsigned next_resource;

static int open_house(void **state)
{
	(void)state;
	house_open(&house);
	house_start_vault(&house);
	keyring = house_keyring(&house, house.port);
	sr_sleep_ms(HOUSE_TTL_MS * 102 / 100);
	return 0;
}

static int close_house(void **state)
{
	(void)state;
	sr_keyring_stop(keyring);
	house_close(&house);
	return 0;
}

/* ---- extents' keys ---- */

static void extent_keys_are_kept_up_to_a_bound_and_borrowed_ones_stay(void **state)
{
	(void)state;
	enum { EXTENTS = 700 };
	struct sr_lease_use use = {0};
	expect_ok(sr_lease_enter(keyring, house_id(&house, next_resource++), NULL, NULL, &use));
	struct sr_id *ids = sr_alloc_array(EXTENTS, sizeof *ids);
	uint8_t(*wrapped)[SR_WRAPPED_KEY_LEN] = sr_alloc_array(EXTENTS, sizeof *wrapped);
	for (unsigned i = 0; i < EXTENTS; i++) {
		SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
		expect_ok(sr_secret_random(SR_KEY_LEN, &dek));
		expect_ok(sr_lease_wrap(&use, dek, wrapped[i]));
		ids[i] = sr_id_random();
	}
	struct sr_extent_key *first, *key;
	expect_ok(sr_lease_extent_key(&use, &ids[0], 1, sr_bytes_of(wrapped[0], SR_WRAPPED_KEY_LEN), &first));
	expect_ok(sr_lease_extent_key(&use, &ids[0], 1, sr_bytes_of(wrapped[0], SR_WRAPPED_KEY_LEN), &key));
	assert_ptr_equal(key, first); /* from the cache */
	sr_lease_extent_key_done(&use, key);
	for (unsigned i = 1; i < EXTENTS; i++) {
		expect_ok(sr_lease_extent_key(&use, &ids[i], 1, sr_bytes_of(wrapped[i], SR_WRAPPED_KEY_LEN), &key));
		sr_lease_extent_key_done(&use, key);
	}
	expect_ok(sr_lease_extent_key(&use, &ids[0], 1, sr_bytes_of(wrapped[0], SR_WRAPPED_KEY_LEN), &key));
	assert_ptr_equal(key, first); /* borrowed all the while */
	sr_lease_extent_key_done(&use, key);
	sr_lease_extent_key_done(&use, first);
	/* Wrapped bytes are not looked at where the key is cached, and are where it was evicted. */
	uint8_t junk[SR_WRAPPED_KEY_LEN] = {0};
	expect_code(sr_lease_extent_key(&use, &ids[1], 1, sr_bytes_of(junk, sizeof junk), &key), SR_WRONG_KEY);
	expect_ok(sr_lease_extent_key(&use, &ids[EXTENTS - 1], 1, sr_bytes_of(junk, sizeof junk), &key));
	sr_lease_extent_key_done(&use, key);
	sr_lease_extent_key_done(&use, NULL); /* harmless */
	sr_lease_leave(&use);
	sr_free(ids);
	sr_free(wrapped);
}

static void extent_keys_end_with_the_lease(void **state)
{
	(void)state;
	unsigned resource = next_resource++;
	struct sr_lease_use use = {0};
	struct sr_id extent = sr_id_random();
	struct sr_extent_key *key;
	uint8_t wrapped[SR_WRAPPED_KEY_LEN], junk[SR_WRAPPED_KEY_LEN] = {0};
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &dek));
	expect_ok(sr_lease_enter(keyring, house_id(&house, resource), NULL, NULL, &use));
	expect_ok(sr_lease_wrap(&use, dek, wrapped));
	expect_ok(sr_lease_extent_key(&use, &extent, 1, sr_bytes_of(wrapped, sizeof wrapped), &key));
	sr_lease_extent_key_done(&use, key);
	sr_lease_leave(&use);
	house_disable(&house, resource);
	house_restore(&house, resource);
	sr_sleep_ms(60);
	expect_ok(sr_lease_enter(keyring, house_id(&house, resource), NULL, NULL, &use));
	expect_code(sr_lease_extent_key(&use, &extent, 1, sr_bytes_of(junk, sizeof junk), &key), SR_WRONG_KEY);
	sr_lease_leave(&use);
}

/* ---- the attached thing ---- */

struct thing {
	atomic_uint opened, closed;
	bool must_fail;
	uint64_t open_ms;
};

static struct sr_result open_thing(struct sr_lease_use *use, void *context, void **ret_thing)
{
	struct thing *thing = context;
	assert_null(sr_lease_attached(use));
	atomic_fetch_add(&thing->opened, 1);
	sr_sleep_ms(thing->open_ms);
	if (thing->must_fail) {
		return sr_fail_as(SR_CORRUPT, "Broken", "open the thing: it is broken");
	}
	*ret_thing = thing;
	return sr_ok();
}

static void close_thing(void *context)
{
	struct thing *thing = context;
	sr_sleep_ms(20);
	atomic_fetch_add(&thing->closed, 1);
}

struct opener {
	struct thing *thing;
	unsigned resource;
	enum sr_code code;
	struct sr_thread thread;
};

static void opener_main(void *context)
{
	struct opener *opener = context;
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	expect_ok(sr_lease_enter(keyring, house_id(&house, opener->resource), NULL, NULL, &use));
	void *attached = NULL;
	SR_CLEANUP(sr_result)
	struct sr_result result = sr_lease_attach_once(&use, open_thing, close_thing, opener->thing, &attached);
	opener->code = sr_result_code(result);
	if (sr_is_ok(result)) {
		assert_ptr_equal(attached, opener->thing);
		assert_ptr_equal(sr_lease_attached(&use), opener->thing);
	} else {
		assert_null(attached);
		assert_string_equal(sr_result_reason(result), "Broken");
	}
}

static void open_by_many(struct thing *thing, unsigned resource, enum sr_code code)
{
	enum { OPENERS = 20 };
	struct opener openers[OPENERS];
	for (unsigned i = 0; i < OPENERS; i++) {
		openers[i] = (struct opener){.thing = thing, .resource = resource};
		expect_ok(sr_thread_start("opener", 0, opener_main, &openers[i], &openers[i].thread));
	}
	for (unsigned i = 0; i < OPENERS; i++) {
		sr_thread_join(openers[i].thread);
		assert_int_equal(openers[i].code, code);
	}
}

static void a_thing_is_opened_once_and_closed_before_the_recall_returns(void **state)
{
	(void)state;
	struct thing thing = {.open_ms = 50};
	unsigned resource = next_resource++;
	open_by_many(&thing, resource, SR_OK);
	assert_int_equal(atomic_load(&thing.opened), 1);
	assert_int_equal(atomic_load(&thing.closed), 0);
	struct sr_recall_outcome outcome = house_disable(&house, resource);
	assert_int_equal(outcome.holders_silent, 0);
	assert_int_equal(atomic_load(&thing.closed), 1);
	house_restore(&house, resource);
	sr_sleep_ms(60);
	open_by_many(&thing, resource, SR_OK);
	assert_int_equal(atomic_load(&thing.opened), 2);
	house_disable(&house, resource);
	assert_int_equal(atomic_load(&thing.closed), 2);
}

static void a_failure_to_open_comes_to_all_who_waited_and_is_tried_again_later(void **state)
{
	(void)state;
	struct thing thing = {.open_ms = 150, .must_fail = true};
	unsigned resource = next_resource++;
	open_by_many(&thing, resource, SR_CORRUPT);
	assert_true(atomic_load(&thing.opened) <= (HOUSE_IS_SLOW ? 10 : 2));
	thing.must_fail = false;
	open_by_many(&thing, resource, SR_OK);
	house_disable(&house, resource);
	assert_int_equal(atomic_load(&thing.closed), 1);
}

static void a_thing_that_opens_during_a_recall_is_closed(void **state)
{
	(void)state;
	/* The renewal that is due while it opens is refused, which ends the lease just so. */
	struct thing thing = {.open_ms = HOUSE_TTL_MS / 3 + 100};
	unsigned resource = next_resource++;
	struct sr_lease_use use = {0};
	expect_ok(sr_lease_enter(keyring, house_id(&house, resource), NULL, NULL, &use));
	house_disable_only(&house, resource);
	void *attached = NULL;
	expect_reason(sr_lease_attach_once(&use, open_thing, close_thing, &thing, &attached), SR_REVOKED, "KeyDisabled");
	assert_null(attached);
	assert_int_equal(atomic_load(&thing.closed), 0);
	sr_lease_leave(&use);
	for (int i = 0; !atomic_load(&thing.closed); i++) {
		assert_true(i < 1000);
		sr_sleep_ms(1);
	}
}

/* ---- management ---- */

static void the_vault_manages_keys_for_the_holder(void **state)
{
	(void)state;
	struct sr_id resource = sr_id_random();
	struct sr_key_reference key = {.vault = "v", .name = "k", .follows_latest = true};
	expect_ok(sr_keyring_create(keyring, &resource, "account", "mine", &key));
	expect_code(sr_keyring_create(keyring, &resource, "account", "mine", &key), SR_EXISTS);
	struct sr_key_reference told;
	expect_ok(sr_keyring_describe(keyring, &resource, &told));
	assert_string_equal(told.name, "k");
	assert_true(told.follows_latest);
	struct sr_key_reference pinned = {.vault = "v", .name = "k", .version = "0123456789abcdef0123456789abcdef"};
	expect_ok(sr_keyring_rekey(keyring, &resource, &pinned));
	expect_ok(sr_keyring_describe(keyring, &resource, &told));
	assert_string_equal(told.version, pinned.version);
	assert_false(told.follows_latest);
	expect_ok(sr_keyring_rekey(keyring, &resource, NULL));
	expect_ok(sr_keyring_describe(keyring, &resource, &told));
	assert_true(told.is_service_managed);
	struct sr_lease_use use = {0};
	expect_ok(sr_lease_enter(keyring, &resource, NULL, NULL, &use));
	sr_lease_leave(&use);
	uint64_t asked_ns = sr_boottime_ns();
	expect_ok(sr_keyring_destroy(keyring, &resource)); /* recalls this holder's own lease */
	assert_true(sr_boottime_ns() - asked_ns < HOUSE_TTL_MS * UINT64_C(1000000));
	sr_sleep_ms(60);
	expect_code(sr_lease_enter(keyring, &resource, NULL, NULL, &use), SR_NOT_FOUND);
	struct sr_id other = sr_id_random();
	struct sr_key_reference nowhere = {.vault = "nowhere", .name = "k"};
	expect_reason(sr_keyring_create(keyring, &other, "account", "mine", &nowhere), SR_NOT_FOUND, "KeyNotFound");
}

static void without_a_vault_management_is_unavailable(void **state)
{
	(void)state;
	struct sr_keyring *lonely = house_keyring(&house, 1); /* nobody listens there */
	struct sr_id resource = sr_id_random();
	expect_code(sr_keyring_destroy(lonely, &resource), SR_UNAVAILABLE);
	struct sr_lease_use use = {0};
	sr_sleep_ms(50);
	uint64_t asked_ns = sr_boottime_ns();
	expect_reason(sr_lease_enter(lonely, &resource, NULL, NULL, &use), SR_REVOKED, "VaultUnreachable");
	assert_true(sr_boottime_ns() - asked_ns < 100000000); /* down for long: nobody waits */
	sr_keyring_stop(lonely);
}

/* ---- freshness ---- */

static atomic_uint_least64_t anchor_now;

static uint64_t anchor_of(void *thing)
{
	(void)thing;
	return atomic_load(&anchor_now);
}

static struct sr_result open_anchored(struct sr_lease_use *use, void *context, void **ret_thing)
{
	*(uint64_t *)context = sr_lease_least_anchor(use);
	sr_lease_tell_anchors(use, anchor_of);
	*ret_thing = context;
	return sr_ok();
}

static void close_nothing(void *thing)
{
	(void)thing;
}

static uint64_t noted(unsigned resource)
{
	SR_LOCKED(&house.mutex);
	return house.resources[resource].anchor;
}

static void is_noted_within_a_ttl(unsigned resource, uint64_t anchor)
{
	for (unsigned i = 0; i < HOUSE_TTL_MS && noted(resource) != anchor; i++) {
		sr_sleep_ms(2);
	}
	assert_int_equal(noted(resource), anchor);
}

static void anchors_are_noted_with_renewals_and_come_with_the_next_lease(void **state)
{
	(void)state;
	const unsigned resource = next_resource++;
	uint64_t least = 99;
	void *thing;
	struct sr_lease_use use = {0};
	atomic_store(&anchor_now, 7);
	expect_ok(sr_lease_enter(keyring, house_id(&house, resource), NULL, NULL, &use));
	assert_int_equal(sr_lease_least_anchor(&use), 0);
	expect_ok(sr_lease_attach_once(&use, open_anchored, close_nothing, &least, &thing));
	assert_int_equal(least, 0); /* the vault knew of none */
	sr_lease_leave(&use);
	is_noted_within_a_ttl(resource, 7);
	/* One that could not be kept is said again. */
	atomic_store(&house.refuses_notes, true);
	atomic_store(&anchor_now, 8);
	sr_sleep_ms(HOUSE_TTL_MS);
	assert_int_equal(noted(resource), 7);
	atomic_store(&house.refuses_notes, false);
	is_noted_within_a_ttl(resource, 8);
	/* After a revocation the next lease has it. */
	house_disable(&house, resource);
	house_restore(&house, resource);
	expect_ok(sr_lease_enter(keyring, house_id(&house, resource), NULL, NULL, &use));
	expect_ok(sr_lease_attach_once(&use, open_anchored, close_nothing, &least, &thing));
	assert_int_equal(least, 8);
	sr_lease_leave(&use);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(extent_keys_are_kept_up_to_a_bound_and_borrowed_ones_stay),
	    cmocka_unit_test(extent_keys_end_with_the_lease),
	    cmocka_unit_test(a_thing_is_opened_once_and_closed_before_the_recall_returns),
	    cmocka_unit_test(a_failure_to_open_comes_to_all_who_waited_and_is_tried_again_later),
	    cmocka_unit_test(a_thing_that_opens_during_a_recall_is_closed),
	    cmocka_unit_test(anchors_are_noted_with_renewals_and_come_with_the_next_lease),
	    cmocka_unit_test(the_vault_manages_keys_for_the_holder),
	    cmocka_unit_test(without_a_vault_management_is_unavailable),
	};
	return cmocka_run_group_tests(tests, open_house, close_house);
}
