/* Accepts streams: one thread each, at most so many, all ended together. */
#include "net/stream.h"

#include "net/socket.h"
#include "net/stream_parts.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HANDSHAKE_MS = 5000, PAUSE_MS = 100 };

enum slot_state { SLOT_FREE, SLOT_RUNNING, SLOT_OVER /* its thread is to be joined */ };

struct slot {
	struct sr_stream_listener *listener;
	enum slot_state state; /* with the listener's mutex held */
	struct sr_stream *stream;
	struct sr_thread thread; /* of the accepting thread alone */
};

struct sr_stream_listener {
	struct sr_tls *tls; /* borrowed */
	void (*serve)(struct sr_stream *stream, void *context);
	void *context;
	int fd;
	uint16_t port;
	int wake_fd;
	struct sr_thread thread;
	unsigned slot_count;
	struct slot *slots;
	struct sr_mutex mutex;
	bool is_stopping;
};

static void serve_slot(void *context)
{
	struct slot *slot = context;
	struct sr_stream_listener *listener = slot->listener;
	struct sr_result result = sr_stream_handshake(slot->stream, HANDSHAKE_MS);
	if (sr_is_ok(result)) {
		listener->serve(slot->stream, listener->context);
	}
	sr_result_free(result);
	sr_mutex_lock(&listener->mutex);
	struct sr_stream *stream = SR_TAKE(slot->stream);
	slot->state = SLOT_OVER;
	sr_mutex_unlock(&listener->mutex);
	sr_stream_free(stream);
}

static struct slot *find_slot(struct sr_stream_listener *listener)
{
	SR_LOCKED(&listener->mutex);
	for (unsigned i = 0; i < listener->slot_count && !listener->is_stopping; i++) {
		struct slot *slot = &listener->slots[i];
		if (slot->state != SLOT_RUNNING) {
			return slot;
		}
	}
	return NULL;
}

/* Takes `fd`. A connection past the limit is closed. */
static void start_stream(struct sr_stream_listener *listener, int fd)
{
	struct slot *slot = find_slot(listener);
	if (!slot) {
		close(fd);
		return;
	}
	if (slot->state == SLOT_OVER) {
		sr_thread_join(slot->thread);
		slot->state = SLOT_FREE;
	}
	struct sr_stream *stream = NULL;
	struct sr_result result = sr_stream_accept(listener->tls, fd, &stream);
	if (!sr_is_ok(result)) {
		sr_result_free(result);
		return;
	}
	sr_mutex_lock(&listener->mutex);
	slot->stream = stream;
	slot->state = SLOT_RUNNING;
	sr_mutex_unlock(&listener->mutex);
	result = sr_thread_start("stream", 0, serve_slot, slot, &slot->thread);
	if (!sr_is_ok(result)) {
		sr_result_free(result);
		sr_mutex_lock(&listener->mutex);
		slot->stream = NULL;
		slot->state = SLOT_FREE;
		sr_mutex_unlock(&listener->mutex);
		sr_stream_free(stream);
	}
}

static bool is_stopping(struct sr_stream_listener *listener)
{
	SR_LOCKED(&listener->mutex);
	return listener->is_stopping;
}

static void accept_streams(void *context)
{
	struct sr_stream_listener *listener = context;
	while (!is_stopping(listener)) {
		struct pollfd items[] = {{.fd = listener->fd, .events = POLLIN}, {.fd = listener->wake_fd, .events = POLLIN}};
		if (poll(items, 2, -1) <= 0 || !items[0].revents) {
			continue;
		}
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			start_stream(listener, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			sr_sleep_ms(PAUSE_MS); /* until others have closed */
		}
	}
}

static void listener_free(struct sr_stream_listener *listener)
{
	if (listener->fd >= 0) {
		close(listener->fd);
	}
	if (listener->wake_fd >= 0) {
		close(listener->wake_fd);
	}
	sr_mutex_destroy(&listener->mutex);
	sr_free(listener->slots);
	sr_free(listener);
}

static struct sr_result open_listener(struct sr_stream_listener *listener, const char *address, uint16_t port)
{
	listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (listener->wake_fd < 0) {
		return sr_fail_errno(errno, "make an eventfd");
	}
	SR_TRY(sr_socket_listen(address, port, &listener->fd, &listener->port));
	return sr_thread_start("streams", 0, accept_streams, listener, &listener->thread);
}

struct sr_result sr_stream_listen(struct sr_tls *tls, const char *address, uint16_t port, unsigned max_streams,
                                  void (*serve)(struct sr_stream *stream, void *context), void *context,
                                  struct sr_stream_listener **ret_listener)
{
	struct sr_stream_listener *listener = sr_alloc(sizeof *listener);
	listener->tls = tls;
	listener->serve = serve;
	listener->context = context;
	listener->fd = -1;
	listener->slot_count = max_streams;
	listener->slots = sr_alloc_array(max_streams, sizeof *listener->slots);
	for (unsigned i = 0; i < max_streams; i++) {
		listener->slots[i].listener = listener;
	}
	sr_mutex_init(&listener->mutex, SR_RANK_SERVER);
	struct sr_result result = open_listener(listener, address, port);
	if (!sr_is_ok(result)) {
		listener_free(listener);
		return result;
	}
	*ret_listener = listener;
	return sr_ok();
}

uint16_t sr_stream_listener_port(const struct sr_stream_listener *listener)
{
	return listener->port;
}

static void shut_all(struct sr_stream_listener *listener)
{
	SR_LOCKED(&listener->mutex);
	listener->is_stopping = true;
	for (unsigned i = 0; i < listener->slot_count; i++) {
		if (listener->slots[i].stream) {
			sr_stream_shut(listener->slots[i].stream);
		}
	}
}

void sr_stream_listener_stop(struct sr_stream_listener *listener)
{
	if (!listener) {
		return;
	}
	shut_all(listener);
	eventfd_write(listener->wake_fd, 1);
	sr_thread_join(listener->thread);
	shut_all(listener); /* one that was accepted meanwhile */
	for (unsigned i = 0; i < listener->slot_count; i++) {
		/* The accepting thread is gone, so that no slot starts again. */
		sr_mutex_lock(&listener->mutex);
		bool has_thread = listener->slots[i].state != SLOT_FREE;
		sr_mutex_unlock(&listener->mutex);
		if (has_thread) {
			sr_thread_join(listener->slots[i].thread);
		}
	}
	listener_free(listener);
}
