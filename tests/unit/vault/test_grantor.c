/* What the grantor makes of holders that are slow, wrong, silent or false: each is a raw stream here. */
#include "house.h"

#include "seal/handover.h"
#include "wire/lease_message.h"

#include <stdio.h>

static struct house house;
static unsigned next_resource;

static int open_house(void **state)
{
	(void)state;
	house_open(&house);
	house_start_vault(&house);
	sr_sleep_ms(HOUSE_TTL_MS * 102 / 100);
	return 0;
}

static int close_house(void **state)
{
	(void)state;
	house_close(&house);
	return 0;
}

/* ---- a holder by hand ---- */

struct peer {
	struct sr_stream *stream;
	struct sr_handover *handover;
	struct sr_id instance;
	struct sr_buf frame;
};

static void say(struct peer *peer, const struct sr_lease_message *message)
{
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(SR_LEASE_FRAME_MAX);
	sr_lease_message_write(message, &frame);
	expect_ok(sr_stream_write_frame(peer->stream, sr_buf_bytes(&frame), 1000));
}

static struct sr_lease_message hear(struct peer *peer, enum sr_lease_kind kind)
{
	sr_buf_reset(&peer->frame);
	expect_ok(sr_stream_read_frame(peer->stream, SR_LEASE_FRAME_MAX, 2000, &peer->frame));
	struct sr_lease_message message;
	expect_ok(sr_lease_message_read(sr_buf_bytes(&peer->frame), &message));
	assert_int_equal(message.kind, kind);
	return message;
}

static bool hears_nothing_for(struct peer *peer, uint64_t ms)
{
	sr_buf_reset(&peer->frame);
	SR_CLEANUP(sr_result)
	struct sr_result result = sr_stream_read_frame(peer->stream, SR_LEASE_FRAME_MAX, ms, &peer->frame);
	return sr_result_code(result) == SR_TIMEOUT;
}

static void must_be_hung_up(struct peer *peer)
{
	sr_buf_reset(&peer->frame);
	expect_code(sr_stream_read_frame(peer->stream, SR_LEASE_FRAME_MAX, 2000, &peer->frame), SR_CLOSED);
}

static void peer_connect(struct peer *peer, struct sr_tls *tls)
{
	*peer = (struct peer){.frame = SR_BUF(SR_LEASE_FRAME_MAX), .instance = sr_id_random()};
	expect_ok(sr_handover_new(&peer->handover));
	expect_ok(sr_stream_connect(tls, "127.0.0.1", house.port, "vault", 1000, &peer->stream));
}

static void peer_greet(struct peer *peer)
{
	struct sr_lease_message hello = {.kind = SR_LEASE_HELLO,
	                                 .lowest_version = SR_LEASE_VERSION,
	                                 .highest_version = SR_LEASE_VERSION + 1,
	                                 .instance = peer->instance};
	sr_handover_public(peer->handover, hello.public_key);
	say(peer, &hello);
	struct sr_lease_message welcome = hear(peer, SR_LEASE_WELCOME);
	assert_int_equal(welcome.version, SR_LEASE_VERSION);
	assert_int_equal(welcome.ttl_ms, HOUSE_TTL_MS);
}

static void peer_open(struct peer *peer, struct sr_tls *tls)
{
	peer_connect(peer, tls);
	peer_greet(peer);
}

static void peer_close(struct peer *peer)
{
	sr_stream_free(peer->stream);
	sr_handover_free(peer->handover);
	sr_buf_free(&peer->frame);
}

/* Opens a resource; the lease's id. */
static struct sr_id ask(struct peer *peer, unsigned resource)
{
	say(peer, &(struct sr_lease_message){.kind = SR_LEASE_OPEN, .request = 1, .resource = *house_id(&house, resource)});
	struct sr_lease_message grant = hear(peer, SR_LEASE_GRANT);
	SR_CLEANUP(sr_buf) struct sr_buf aad = SR_BUF(128);
	sr_lease_handover_aad(&peer->instance, &grant, &aad);
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL;
	expect_ok(sr_handover_open(peer->handover, sr_buf_bytes(&aad), grant.sealed_kek, &kek));
	assert_true(sr_secret_equal(kek, house.resources[resource].kek));
	aad.data[0] ^= 1;
	expect_code(sr_handover_open(peer->handover, sr_buf_bytes(&aad), grant.sealed_kek, &(struct sr_secret *){NULL}),
	            SR_CORRUPT);
	return grant.lease;
}

static enum sr_code renew(struct peer *peer, const struct sr_id *resource, const struct sr_id *lease)
{
	SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(64);
	sr_lease_item_append(&items, SR_LEASE_RENEW, &(struct sr_lease_item){.resource = *resource, .lease = *lease});
	say(peer, &(struct sr_lease_message){.kind = SR_LEASE_RENEW, .request = 5, .items = sr_buf_bytes(&items)});
	struct sr_lease_message renewed = hear(peer, SR_LEASE_RENEWED);
	assert_int_equal(renewed.request, 5);
	assert_int_equal(sr_lease_item_count(&renewed), 1);
	return sr_lease_item_at(&renewed, 0).code;
}

/* ---- a recall in a thread ---- */

struct recall {
	unsigned resource;
	struct sr_recall_outcome outcome;
	atomic_bool has_returned;
	struct sr_thread thread;
};

static void recall_main(void *context)
{
	struct recall *recall = context;
	recall->outcome = house_disable(&house, recall->resource);
	atomic_store(&recall->has_returned, true);
}

static void recall_begin(struct recall *recall, unsigned resource)
{
	*recall = (struct recall){.resource = resource};
	expect_ok(sr_thread_start("recall", 0, recall_main, recall, &recall->thread));
}

static void acknowledge(struct peer *peer, unsigned resource, uint64_t epoch)
{
	say(peer, &(struct sr_lease_message){
	              .kind = SR_LEASE_RECALLED, .resource = *house_id(&house, resource), .revocation_epoch = epoch});
}

/* ---- the tests ---- */

static void a_recall_waits_for_an_acknowledgement_of_its_own_epoch(void **state)
{
	(void)state;
	struct peer peer;
	unsigned resource = next_resource++;
	peer_open(&peer, house.blob_tls);
	ask(&peer, resource);
	struct recall recall;
	recall_begin(&recall, resource);
	struct sr_lease_message told = hear(&peer, SR_LEASE_RECALL);
	assert_int_equal(told.revocation_epoch, 2);
	assert_int_equal(told.reason, SR_LEASE_KEY_DISABLED);
	assert_int_equal(sr_lease_item_count(&told), 1);
	acknowledge(&peer, resource, 1); /* an old one, late */
	struct sr_id other = sr_id_random();
	say(&peer,
	    &(struct sr_lease_message){.kind = SR_LEASE_RELEASE, .resource = *house_id(&house, resource), .lease = other});
	sr_sleep_ms(50);
	assert_false(atomic_load(&recall.has_returned));
	acknowledge(&peer, resource, 2);
	acknowledge(&peer, resource, 2); /* twice does no harm */
	sr_thread_join(recall.thread);
	assert_int_equal(recall.outcome.holders_told, 1);
	assert_int_equal(recall.outcome.holders_silent, 0);
	assert_true(recall.outcome.took_us < HOUSE_TTL_MS * 1000);
	peer_close(&peer);
}

static void a_release_of_the_lease_counts_too(void **state)
{
	(void)state;
	struct peer peer;
	unsigned resource = next_resource++;
	peer_open(&peer, house.blob_tls);
	struct sr_id lease = ask(&peer, resource);
	struct recall recall;
	recall_begin(&recall, resource);
	hear(&peer, SR_LEASE_RECALL);
	say(&peer,
	    &(struct sr_lease_message){.kind = SR_LEASE_RELEASE, .resource = *house_id(&house, resource), .lease = lease});
	sr_thread_join(recall.thread);
	assert_int_equal(recall.outcome.holders_silent, 0);
	assert_true(recall.outcome.took_us < HOUSE_TTL_MS * 1000);
	peer_close(&peer);
}

static void nobody_acknowledges_in_anothers_name(void **state)
{
	(void)state;
	struct peer peer, false_peer;
	unsigned resource = next_resource++;
	peer_open(&peer, house.blob_tls);
	struct sr_id lease = ask(&peer, resource);
	peer_connect(&false_peer, house.cosmos_tls);
	false_peer.instance = peer.instance; /* another service that has learnt the instance's name */
	peer_greet(&false_peer);
	struct recall recall;
	recall_begin(&recall, resource);
	hear(&peer, SR_LEASE_RECALL);
	acknowledge(&false_peer, resource, 2);
	say(&false_peer,
	    &(struct sr_lease_message){.kind = SR_LEASE_RELEASE, .resource = *house_id(&house, resource), .lease = lease});
	assert_true(hears_nothing_for(&false_peer, 50));
	sr_thread_join(recall.thread);
	assert_int_equal(recall.outcome.holders_silent, 1);
	assert_true(recall.outcome.took_us > HOUSE_TTL_MS * 800);
	peer_close(&peer);
	peer_close(&false_peer);
}

static void a_recalled_lease_is_not_renewed_even_if_the_key_is_back(void **state)
{
	(void)state;
	struct peer peer;
	unsigned resource = next_resource++;
	peer_open(&peer, house.blob_tls);
	struct sr_id lease = ask(&peer, resource);
	assert_int_equal(renew(&peer, house_id(&house, resource), &lease), SR_OK);
	struct recall recall;
	recall_begin(&recall, resource);
	hear(&peer, SR_LEASE_RECALL);
	house_restore(&house, resource);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(renew(&peer, house_id(&house, resource), &lease), SR_REVOKED);
		sr_sleep_ms(40);
	}
	sr_thread_join(recall.thread);
	assert_int_equal(recall.outcome.holders_silent, 1);
	assert_true(recall.outcome.took_us < (HOUSE_TTL_MS * 101 / 100 + 60) * 1000 * (HOUSE_IS_SLOW ? 3 : 1));
	peer_close(&peer);
}

static void a_holder_that_comes_back_is_told_again(void **state)
{
	(void)state;
	struct peer peer;
	unsigned resource = next_resource++;
	peer_open(&peer, house.blob_tls);
	struct sr_id instance = peer.instance;
	ask(&peer, resource);
	peer_close(&peer);
	struct recall recall;
	recall_begin(&recall, resource);
	sr_sleep_ms(50);
	peer_connect(&peer, house.blob_tls);
	peer.instance = instance;
	peer_greet(&peer);
	struct sr_lease_message told = hear(&peer, SR_LEASE_RECALL);
	struct sr_lease_item item = sr_lease_item_at(&told, 0);
	assert_memory_equal(item.resource.bytes, house_id(&house, resource)->bytes, SR_ID_LEN);
	acknowledge(&peer, resource, told.revocation_epoch);
	sr_thread_join(recall.thread);
	assert_int_equal(recall.outcome.holders_silent, 0);
	assert_true(recall.outcome.took_us < HOUSE_TTL_MS * 900);
	peer_close(&peer);
}

static void a_deaf_holder_delays_nobody_elses_recall(void **state)
{
	(void)state;
	struct peer deaf, peer;
	unsigned resource = next_resource++;
	peer_open(&deaf, house.blob_tls);
	ask(&deaf, next_resource++);
	/* It asks and asks and never reads: its answers pile up. */
	SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(SR_LEASE_FRAME_MAX);
	for (unsigned i = 0; i < 4000; i++) {
		struct sr_id nobody = sr_id_random();
		sr_lease_item_append(&items, SR_LEASE_RENEW, &(struct sr_lease_item){.resource = nobody});
	}
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(SR_LEASE_FRAME_MAX);
	sr_lease_message_write(
	    &(struct sr_lease_message){.kind = SR_LEASE_RENEW, .request = 1, .items = sr_buf_bytes(&items)}, &frame);
	bool is_stuck = false;
	for (int i = 0; i < 100 && !is_stuck; i++) {
		struct sr_result result = sr_stream_write_frame(deaf.stream, sr_buf_bytes(&frame), 100);
		is_stuck = !sr_is_ok(result);
		sr_result_free(result);
	}
	peer_open(&peer, house.blob_tls);
	ask(&peer, resource);
	struct recall recall;
	recall_begin(&recall, resource);
	hear(&peer, SR_LEASE_RECALL);
	acknowledge(&peer, resource, 2);
	sr_thread_join(recall.thread);
	assert_true(recall.outcome.took_us < HOUSE_TTL_MS * 500);
	peer_close(&peer);
	peer_close(&deaf);
}

static void whoever_breaks_the_protocol_is_hung_up_on(void **state)
{
	(void)state;
	struct peer peer;
	peer_connect(&peer, house.blob_tls); /* asks before it greets */
	say(&peer, &(struct sr_lease_message){.kind = SR_LEASE_OPEN, .request = 1});
	must_be_hung_up(&peer);
	peer_close(&peer);

	peer_connect(&peer, house.blob_tls); /* speaks a version that is not known */
	say(&peer, &(struct sr_lease_message){.kind = SR_LEASE_HELLO, .lowest_version = SR_LEASE_VERSION + 1, .highest_version = SR_LEASE_VERSION + 2});
	must_be_hung_up(&peer);
	peer_close(&peer);

	peer_open(&peer, house.blob_tls); /* sends what is no message */
	expect_ok(sr_stream_write_frame(peer.stream, SR_LITERAL("\x05nonsense"), 1000));
	must_be_hung_up(&peer);
	peer_close(&peer);

	peer_open(&peer, house.blob_tls); /* says what is the vault's to say */
	say(&peer, &(struct sr_lease_message){.kind = SR_LEASE_RECALL, .revocation_epoch = 9});
	must_be_hung_up(&peer);
	peer_close(&peer);
}

static void sum_leases(const struct sr_lease_state *lease, void *context)
{
	unsigned *count = context;
	assert_string_equal(lease->service, "blob");
	assert_true(lease->left_ms <= HOUSE_TTL_MS * 101 / 100);
	(*count)++;
}

static void status_lists_the_leases_outstanding(void **state)
{
	(void)state;
	sr_sleep_ms(HOUSE_TTL_MS * 102 / 100); /* those of earlier tests run out */
	struct peer peer;
	peer_open(&peer, house.blob_tls);
	unsigned count = 0;
	sr_grantor_each_lease(house.grantor, sum_leases, &count);
	assert_int_equal(count, 0);
	ask(&peer, next_resource++);
	ask(&peer, next_resource++);
	sr_grantor_each_lease(house.grantor, sum_leases, &count);
	assert_int_equal(count, 2);
	peer_close(&peer);
}

static void a_young_grantor_waits_for_its_forerunners_leases(void **state)
{
	(void)state;
	house_stop_vault(&house);
	uint64_t started_ns = sr_boottime_ns();
	house_start_vault(&house);
	struct sr_recall_outcome outcome = house_disable(&house, next_resource++);
	assert_true(sr_boottime_ns() - started_ns >= HOUSE_TTL_MS * UINT64_C(1010000));
	assert_int_equal(outcome.holders_told, 0);
	outcome = house_disable(&house, next_resource++);
	assert_true(outcome.took_us < 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_recall_waits_for_an_acknowledgement_of_its_own_epoch),
	    cmocka_unit_test(a_release_of_the_lease_counts_too),
	    cmocka_unit_test(nobody_acknowledges_in_anothers_name),
	    cmocka_unit_test(a_recalled_lease_is_not_renewed_even_if_the_key_is_back),
	    cmocka_unit_test(a_holder_that_comes_back_is_told_again),
	    cmocka_unit_test(a_deaf_holder_delays_nobody_elses_recall),
	    cmocka_unit_test(whoever_breaks_the_protocol_is_hung_up_on),
	    cmocka_unit_test(status_lists_the_leases_outstanding),
	    cmocka_unit_test(a_young_grantor_waits_for_its_forerunners_leases),
	};
	return cmocka_run_group_tests(tests, open_house, close_house);
}
