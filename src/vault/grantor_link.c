/*
 * A link: one holder's stream from its greeting to its end. It reads and hands each message to whoever
 * answers it (grantor_request.c); nothing here waits for the store or for the peer to read.
 */
#include "base/memory.h"
#include "vault/grantor_state.h"

#include <stdio.h>
#include <string.h>

enum { GREET_TIMEOUT_MS = 5000, LEAST_SILENCE_MS = 5000 };

/* ---- a link's life ---- */

void link_release(struct link *link)
{
	struct sr_grantor *grantor = link->grantor;
	sr_mutex_lock(&grantor->mutex);
	bool is_last = --link->references == 0;
	sr_mutex_unlock(&grantor->mutex);
	if (is_last) {
		sr_outbox_free(link->outbox);
		sr_free(link);
	}
}

/* The holder speaks on this link from now on. What it has not acknowledged, it is told again. */
static void attach(struct link *link)
{
	struct sr_grantor *grantor = link->grantor;
	SR_LOCKED(&grantor->mutex);
	struct holder *holder = holder_find_or_make(grantor, link->service, &link->instance);
	holder->link = link;
	holder->link_count++;
	link->holder = holder;
	sr_outbox_post(link->outbox, &(struct sr_lease_message){.kind = SR_LEASE_WELCOME,
	                                                        .version = SR_LEASE_VERSION,
	                                                        .instance = grantor->instance,
	                                                        .ttl_ms = grantor->options.ttl_ms});
	grantor_tell_again(grantor, holder);
}

/* The holder's leases stay: it may come back on another link, or they run out. */
static void detach(struct link *link)
{
	struct sr_grantor *grantor = link->grantor;
	SR_LOCKED(&grantor->mutex);
	struct holder *holder = SR_TAKE(link->holder);
	if (holder->link == link) {
		holder->link = NULL;
	}
	holder->link_count--;
	holder_drop_if_gone(grantor, holder);
}

/* ---- what holders may say ---- */

static struct sr_result (*const handlers[SR_LEASE_KIND_END])(struct link *link,
                                                             const struct sr_lease_message *message) = {
    [SR_LEASE_OPEN] = grantor_on_queued,       [SR_LEASE_RENEW] = grantor_on_renew,
    [SR_LEASE_RECALLED] = grantor_on_recalled, [SR_LEASE_RELEASE] = grantor_on_release,
    [SR_LEASE_CREATE] = grantor_on_queued,     [SR_LEASE_REKEY] = grantor_on_queued,
    [SR_LEASE_DESTROY] = grantor_on_queued,    [SR_LEASE_DESCRIBE] = grantor_on_queued,
    [SR_LEASE_NOTE] = grantor_on_queued,
};

static struct sr_result read_message(struct sr_stream *stream, uint64_t timeout_ms, struct sr_buf *frame,
                                     struct sr_lease_message *ret_message)
{
	sr_buf_reset(frame);
	SR_TRY(sr_stream_read_frame(stream, SR_LEASE_FRAME_MAX, timeout_ms, frame));
	return sr_lease_message_read(sr_buf_bytes(frame), ret_message);
}

/* Until the stream breaks, falls silent (a holder renews each ttl/3 even with nothing to renew), or breaks the
 * protocol. */
static struct sr_result listen_to_holder(struct link *link, struct sr_stream *stream)
{
	uint64_t silence_ms = (uint64_t)link->grantor->options.ttl_ms * 3;
	silence_ms = silence_ms < LEAST_SILENCE_MS ? LEAST_SILENCE_MS : silence_ms;
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(SR_LEASE_FRAME_MAX);
	for (;;) {
		struct sr_lease_message message;
		SR_TRY(read_message(stream, silence_ms, &frame, &message));
		if (!handlers[message.kind]) {
			return sr_fail(SR_PROTOCOL, "listen to a holder: message %d is not a holder's to send", (int)message.kind);
		}
		SR_TRY(handlers[message.kind](link, &message));
	}
}

static struct sr_result greet(struct sr_stream *stream, struct link *link)
{
	const char *service = sr_stream_peer(stream);
	if (!service[0] || strlen(service) >= sizeof link->service) {
		return sr_fail(SR_UNAUTHENTICATED, "greet a holder: its certificate names no service");
	}
	snprintf(link->service, sizeof link->service, "%s", service);
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(SR_LEASE_FRAME_MAX);
	struct sr_lease_message hello;
	SR_TRY(read_message(stream, GREET_TIMEOUT_MS, &frame, &hello));
	if (hello.kind != SR_LEASE_HELLO || hello.lowest_version > SR_LEASE_VERSION ||
	    hello.highest_version < SR_LEASE_VERSION) {
		return sr_fail(SR_PROTOCOL, "greet a holder: it does not speak version %d of the lease protocol",
		               SR_LEASE_VERSION);
	}
	link->instance = hello.instance;
	memcpy(link->public_key, hello.public_key, sizeof link->public_key);
	return sr_outbox_new(stream, &link->outbox);
}

void grantor_serve(struct sr_stream *stream, void *context)
{
	struct link *link = sr_alloc(sizeof *link);
	link->grantor = context;
	link->references = 1;
	struct sr_result greeted = greet(stream, link);
	if (sr_is_ok(greeted)) {
		attach(link);
		sr_ignore(listen_to_holder(link, stream));
		detach(link);
		sr_outbox_close(link->outbox);
	}
	sr_ignore(greeted);
	link_release(link);
}
