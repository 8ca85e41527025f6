/* The server as its owner sees it: made, started, stopped, counted. What it does meanwhile is in the files beside. */
#include "net/server.h"

#include "net/exchange.h"
#include "net/server_core.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STOP_STEP_MS = 5, RETRY_MS = 50, HEADER_LEN_DEFAULT = 32 * 1024, HEADER_LEN_LIMIT = 64 * 1024 };

static void fill_in_defaults(struct sr_server_options *options)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	options->name = options->name ? options->name : "Strongroom";
	options->worker_count = options->worker_count ? options->worker_count : cores > 0 ? (unsigned)cores : 1;
	options->max_threads = options->max_threads ? options->max_threads : 256;
	options->max_connections = options->max_connections ? options->max_connections : 8192;
	options->max_header_len = options->max_header_len ? options->max_header_len : HEADER_LEN_DEFAULT;
	if (options->max_header_len > HEADER_LEN_LIMIT) {
		options->max_header_len = HEADER_LEN_LIMIT; /* http_parser has a limit of its own, above this */
	}
	options->header_timeout_ms = options->header_timeout_ms ? options->header_timeout_ms : 15000;
	options->idle_timeout_ms = options->idle_timeout_ms ? options->idle_timeout_ms : 120000;
	options->min_rate = options->min_rate ? options->min_rate : 1024;
	options->rate_grace_ms = options->rate_grace_ms ? options->rate_grace_ms : 15000;
}

static void close_listeners(struct sr_server *server)
{
	while (server->listeners) {
		struct sr_listener *listener = server->listeners;
		server->listeners = listener->next;
		sr_listener_free(listener);
	}
}

static void server_free(struct sr_server *server)
{
	close_listeners(server);
	for (unsigned i = 0; i < server->connection_count; i++) {
		sr_mutex_destroy(&server->connections[i]->mutex);
		sr_free(server->connections[i]);
	}
	sr_free(server->connections);
	sr_pool_free(server->pool);
	sr_owner_tables_close(&server->owners);
	if (server->epoll_fd >= 0) {
		close(server->epoll_fd);
	}
	if (server->wake_fd >= 0) {
		close(server->wake_fd);
	}
	if (server->resumed_fd >= 0) {
		close(server->resumed_fd);
	}
	while (server->spare_exchanges) {
		struct sr_exchange *spare = server->spare_exchanges;
		server->spare_exchanges = spare->next;
		sr_exchange_free(spare);
	}
	sr_mutex_destroy(&server->resumed_mutex);
	sr_mutex_destroy(&server->mutex);
	sr_free(server);
}

/* One worker: takes what epoll reports, one connection at a time, whenever it may run. */
static void work(void *context)
{
	struct sr_server *server = context;
	struct sr_worker worker = {.server = server};
	while (sr_pool_turn(server->pool)) {
		if (!worker.exchange) {
			struct sr_result result = sr_exchange_obtain(server, &worker.exchange);
			if (!sr_is_ok(result)) {
				sr_result_free(result);
				sr_sleep_ms(RETRY_MS); /* out of descriptors: others must end first */
				continue;
			}
		}
		struct sr_exchange *resumed = sr_resumed_take(server);
		if (resumed) {
			sr_connection_resume(&worker, resumed);
			continue;
		}
		struct epoll_event event;
		int count = epoll_wait(server->epoll_fd, &event, 1, -1);
		if (count == 1 && event.data.ptr && event.data.ptr != server) {
			sr_connection_work(&worker, event.data.ptr);
		}
	}
	sr_exchange_free(worker.exchange);
	while (worker.spare_count) {
		sr_free(worker.spare_in[--worker.spare_count]);
	}
}

struct sr_result sr_server_new(const struct sr_server_options *options, struct sr_server **ret_server)
{
	struct sr_server *server = sr_alloc(sizeof *server);
	server->options = *options;
	fill_in_defaults(&server->options);
	for (size_t i = 0; i < SR_OWNER_TABLES; i++) {
		server->owners.fds[i] = -1;
	}
	sr_mutex_init(&server->mutex, SR_RANK_SERVER);
	server->connections = sr_alloc_array(server->options.max_connections, sizeof(struct sr_connection *));
	server->pool = sr_pool_new(server->options.worker_count, server->options.max_threads, work, server);
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->resumed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->resumed_last = &server->resumed;
	sr_mutex_init(&server->resumed_mutex, SR_RANK_LEAF);
	/* Silent until the workers are to go, lest they spin while the last exchanges end. */
	struct epoll_event wake = {.events = 0, .data.ptr = NULL};
	struct epoll_event resumed = {.events = EPOLLIN, .data.ptr = server};
	if (server->epoll_fd < 0 || server->wake_fd < 0 || server->resumed_fd < 0 ||
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->wake_fd, &wake) != 0 ||
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->resumed_fd, &resumed) != 0) {
		struct sr_result result = sr_fail_errno(errno, "make the server's epoll");
		server_free(server);
		return result;
	}
	*ret_server = server;
	return sr_ok();
}

struct sr_result sr_server_start(struct sr_server *server)
{
	SR_TRY(sr_pool_start(server->pool));
	SR_TRY(sr_thread_start("keeper", 0, sr_keeper_run, server, &server->keeper));
	server->has_keeper = true;
	return sr_ok();
}

/* Ends each worker's wait, for good: the eventfd stays readable. */
static void wake_workers(struct sr_server *server)
{
	struct epoll_event wake = {.events = EPOLLIN, .data.ptr = NULL};
	epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, server->wake_fd, &wake);
}

void sr_server_stop(struct sr_server *server, uint64_t grace_ms)
{
	if (!server) {
		return;
	}
	atomic_store(&server->is_stopping, true);
	eventfd_write(server->wake_fd, 1);
	if (server->has_keeper) {
		sr_thread_join(server->keeper);
	}
	close_listeners(server);
	uint64_t deadline_ms = sr_boottime_ms() + grace_ms;
	sr_connections_expire(server, UINT64_MAX);
	while (atomic_load(&server->connections_now) > 0 && sr_boottime_ms() < deadline_ms) {
		sr_sleep_ms(STOP_STEP_MS);
		sr_connections_expire(server, UINT64_MAX);
	}
	sr_connections_cut(server);
	while (atomic_load(&server->held_count) > 0) { /* what they wait for comes, or fails, and workers end them */
		sr_sleep_ms(STOP_STEP_MS);
	}
	sr_pool_stop(server->pool);
	wake_workers(server);
	sr_pool_join(server->pool);
	sr_connections_expire(server, UINT64_MAX);
	server_free(server);
}

struct sr_server_counts sr_server_counts_now(struct sr_server *server)
{
	return (struct sr_server_counts){
	    .connections_now = atomic_load(&server->connections_now),
	    .connections_all = atomic_load(&server->connections_all),
	    .requests = atomic_load(&server->requests),
	    .threads_now = sr_pool_threads_now(server->pool),
	};
}
