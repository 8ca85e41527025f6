/*
 * The link: one thread that connects to the vault, greets it, and reads what it says until the stream breaks;
 * then again. Leases do not hang on the stream: they last until their deadline whatever happens here.
 */
#include "base/clock.h"
#include "keyring/state.h"
#include "seal/handover.h"

enum {
	CONNECT_TIMEOUT_MS = 500,
	GREET_TIMEOUT_MS = 1000,
	FIRST_PAUSE_MS = 10, /* doubles with each failure */
	LAST_PAUSE_MS = 500,
	LEAST_SILENCE_MS = 250,
	NS_PER_MS = 1000000
};

/* ---- greeting ---- */

static struct sr_result greet(struct sr_keyring *keyring, struct sr_stream *stream, uint32_t *ret_ttl_ms)
{
	struct sr_lease_message hello = {.kind = SR_LEASE_HELLO,
	                                 .lowest_version = SR_LEASE_VERSION,
	                                 .highest_version = SR_LEASE_VERSION,
	                                 .instance = keyring->instance};
	sr_handover_public(keyring->handover, hello.public_key);
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(SR_LEASE_FRAME_MAX);
	sr_lease_message_write(&hello, &frame);
	SR_TRY(sr_buf_result(&frame));
	SR_TRY(sr_stream_write_frame(stream, sr_buf_bytes(&frame), GREET_TIMEOUT_MS));
	sr_buf_reset(&frame);
	SR_TRY(sr_stream_read_frame(stream, SR_LEASE_FRAME_MAX, GREET_TIMEOUT_MS, &frame));
	struct sr_lease_message welcome;
	SR_TRY(sr_lease_message_read(sr_buf_bytes(&frame), &welcome));
	if (welcome.kind != SR_LEASE_WELCOME || welcome.version != SR_LEASE_VERSION) {
		return sr_fail(SR_PROTOCOL, "greet the vault: it does not speak version %d of the lease protocol",
		               SR_LEASE_VERSION);
	}
	*ret_ttl_ms = welcome.ttl_ms;
	return sr_ok();
}

/* Puts the stream where sr_keyring_stop can shut it; false if it has come already. */
static bool show_stream(struct sr_keyring *keyring, struct sr_stream *stream)
{
	SR_LOCKED(&keyring->mutex);
	keyring->stream = stream;
	return !keyring->is_cut;
}

static void ask_again(struct sr_lease *lease, void *context)
{
	(void)context;
	lease_ask_again(lease);
}

/* From here on others may post. What is held is renewed at once (a vault that restarted learns of it so), and what
 * requests wait for is asked for. */
static void begin(struct sr_keyring *keyring, struct sr_outbox *outbox, uint32_t ttl_ms)
{
	SR_LOCKED(&keyring->mutex);
	keyring->outbox = outbox;
	keyring->ttl_ms = ttl_ms;
	keyring->down_since_ns = 0;
	if (keyring->is_cut) {
		sr_outbox_end(outbox);
	}
	keyring_renew_all(keyring);
	keyring_each(keyring, ask_again, NULL);
	sr_cond_broadcast(&keyring->changed);
}

static void end(struct sr_keyring *keyring)
{
	sr_mutex_lock(&keyring->mutex);
	keyring->outbox = NULL;
	if (!keyring->down_since_ns) {
		keyring->down_since_ns = sr_boottime_ns();
	}
	sr_mutex_unlock(&keyring->mutex);
	keyring_fail_calls(keyring);
}

/* ---- reading ---- */

static struct sr_result on_grant(struct sr_keyring *keyring, const struct sr_lease_message *message)
{
	lease_granted(keyring_lease(keyring, &message->resource), message);
	return sr_ok();
}

static struct sr_result on_renewed(struct sr_keyring *keyring, const struct sr_lease_message *message)
{
	keyring_renewed(keyring, message);
	return sr_ok();
}

static struct sr_result on_recall(struct sr_keyring *keyring, const struct sr_lease_message *message)
{
	for (size_t i = 0; i < sr_lease_item_count(message); i++) {
		struct sr_id resource = sr_lease_item_at(message, i).resource;
		lease_recalled(keyring_lease(keyring, &resource), message->revocation_epoch, message->reason);
	}
	SR_LOCKED(&keyring->mutex);
	keyring->recalls++;
	return sr_ok();
}

static struct sr_result on_answer(struct sr_keyring *keyring, const struct sr_lease_message *message)
{
	struct sr_lease *lease = keyring_lease(keyring, &message->resource);
	if (!lease_noted(lease, message) && !lease_denied(lease, message)) {
		keyring_answered(keyring, message);
	}
	return sr_ok();
}

/* What a vault may say. */
static struct sr_result (*const handlers[SR_LEASE_KIND_END])(struct sr_keyring *keyring,
                                                             const struct sr_lease_message *message) = {
    [SR_LEASE_GRANT] = on_grant,
    [SR_LEASE_RENEWED] = on_renewed,
    [SR_LEASE_RECALL] = on_recall,
    [SR_LEASE_ANSWER] = on_answer,
};

/* A stream that is silent while a renewal waits for its answer is dead, whatever TCP thinks: a third of the ttl is left
 * then to make a new one. */
static uint64_t longest_silence_ms(struct sr_keyring *keyring)
{
	SR_LOCKED(&keyring->mutex);
	uint64_t silence_ms = (uint64_t)keyring->ttl_ms * 2 / 3;
	return silence_ms < LEAST_SILENCE_MS ? LEAST_SILENCE_MS : silence_ms;
}

/* Until the stream breaks or the vault breaks the protocol. */
static struct sr_result listen_to_vault(struct sr_keyring *keyring, struct sr_stream *stream)
{
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(SR_LEASE_FRAME_MAX);
	for (;;) {
		sr_buf_reset(&frame);
		SR_TRY(sr_stream_read_frame(stream, SR_LEASE_FRAME_MAX, longest_silence_ms(keyring), &frame));
		struct sr_lease_message message;
		SR_TRY(sr_lease_message_read(sr_buf_bytes(&frame), &message));
		if (!handlers[message.kind]) {
			return sr_fail(SR_PROTOCOL, "listen to the vault: message %d is not the vault's to send",
			               (int)message.kind);
		}
		SR_TRY(handlers[message.kind](keyring, &message));
	}
}

static struct sr_result use_stream(struct sr_keyring *keyring, struct sr_stream *stream, bool *ret_was_up)
{
	uint32_t ttl_ms;
	SR_TRY(greet(keyring, stream, &ttl_ms));
	struct sr_outbox *outbox;
	SR_TRY(sr_outbox_new(stream, &outbox));
	*ret_was_up = true;
	begin(keyring, outbox, ttl_ms);
	struct sr_result heard = listen_to_vault(keyring, stream);
	end(keyring);
	sr_outbox_close(outbox);
	sr_outbox_free(outbox);
	return heard;
}

static struct sr_result connect_once(struct sr_keyring *keyring, bool *ret_was_up)
{
	struct sr_stream *stream;
	SR_TRY(sr_stream_connect(keyring->tls, keyring->vault_address, keyring->vault_port, "vault", CONNECT_TIMEOUT_MS,
	                         &stream));
	struct sr_result used = sr_ok();
	if (show_stream(keyring, stream)) {
		used = use_stream(keyring, stream, ret_was_up);
	}
	show_stream(keyring, NULL);
	sr_stream_free(stream);
	return used;
}

/* False: it is time to go. */
static bool pause_ms(struct sr_keyring *keyring, uint64_t ms)
{
	SR_LOCKED(&keyring->mutex);
	uint64_t until_ns = sr_boottime_ns() + ms * NS_PER_MS;
	while (!keyring->is_cut && sr_cond_wait_until(&keyring->changed, &keyring->mutex, until_ns)) {
	}
	return !keyring->is_cut;
}

void keyring_link_main(void *context)
{
	struct sr_keyring *keyring = context;
	uint64_t pause = FIRST_PAUSE_MS;
	do {
		bool was_up = false;
		sr_ignore(connect_once(keyring, &was_up));
		pause = was_up ? FIRST_PAUSE_MS : pause * 2;
		pause = pause > LAST_PAUSE_MS ? LAST_PAUSE_MS : pause;
	} while (pause_ms(keyring, pause));
}
