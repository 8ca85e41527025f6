/*
 * Exchanges that are held: their handlers have returned without an answer, and no thread waits for what they wait for.
 * Once that has come, whoever brought it resumes them, and a worker goes on. A held exchange is nobody's: its worker
 * takes another from the server's spares meanwhile.
 */
#include "net/exchange.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { HELD_MAX = 1024, SPARES_MAX = 128 };

bool sr_exchange_hold(struct sr_exchange *exchange, sr_handler go_on, void *context)
{
	struct sr_server *server = exchange->server;
	if (exchange->is_long || atomic_load(&server->is_stopping) || atomic_load(&server->held_count) >= HELD_MAX) {
		return false;
	}
	exchange->go_on = go_on;
	exchange->go_on_context = context;
	atomic_store(&exchange->arrivals, 0);
	atomic_fetch_add(&server->held_count, 1);
	return true;
}

/* Called twice: when the worker has let go of the exchange, and when it may go on. The later of the two queues it, for
 * only then is it nobody's. The eventfd is readable while the queue is not empty. */
static void arrive(struct sr_exchange *exchange)
{
	struct sr_server *server = exchange->server;
	if (atomic_fetch_add(&exchange->arrivals, 1) == 0) {
		return;
	}
	SR_LOCKED(&server->resumed_mutex);
	exchange->next = NULL;
	*server->resumed_last = exchange;
	server->resumed_last = &exchange->next;
	if (server->resumed == exchange) {
		atomic_store(&server->has_resumed, true);
		eventfd_write(server->resumed_fd, 1);
	}
}

void sr_exchange_let_go(struct sr_exchange *exchange)
{
	arrive(exchange);
}

void sr_exchange_resume(struct sr_exchange *exchange)
{
	arrive(exchange);
}

struct sr_exchange *sr_resumed_take(struct sr_server *server)
{
	if (!atomic_load_explicit(&server->has_resumed, memory_order_relaxed)) {
		return NULL;
	}
	SR_LOCKED(&server->resumed_mutex);
	struct sr_exchange *exchange = server->resumed;
	if (exchange) {
		server->resumed = exchange->next;
		if (!server->resumed) {
			eventfd_t count;
			server->resumed_last = &server->resumed;
			atomic_store(&server->has_resumed, false);
			eventfd_read(server->resumed_fd, &count);
		}
	}
	return exchange;
}

struct sr_result sr_exchange_obtain(struct sr_server *server, struct sr_exchange **ret_exchange)
{
	{
		SR_LOCKED(&server->resumed_mutex);
		struct sr_exchange *spare = server->spare_exchanges;
		if (spare) {
			server->spare_exchanges = spare->next;
			server->spare_count--;
			*ret_exchange = spare;
			return sr_ok();
		}
	}
	return sr_exchange_new(server, ret_exchange);
}

static bool keep(struct sr_exchange *exchange)
{
	struct sr_server *server = exchange->server;
	SR_LOCKED(&server->resumed_mutex);
	if (server->spare_count == SPARES_MAX) {
		return false;
	}
	exchange->next = server->spare_exchanges;
	server->spare_exchanges = exchange;
	server->spare_count++;
	return true;
}

void sr_exchange_give_back(struct sr_exchange *exchange)
{
	if (!keep(exchange)) {
		sr_exchange_free(exchange);
	}
}
