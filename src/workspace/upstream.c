/* Idle connections, newest first; one that failed is not kept. */
#include "workspace/upstream.h"

#include "base/memory.h"
#include "base/thread.h"

enum { IDLE_MAX = 16 };

struct sr_upstream {
	struct sr_tls *tls;
	char *address, *service;
	uint16_t port;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_client *idle[IDLE_MAX];
	size_t idle_count;
};

struct sr_upstream *sr_upstream_new(struct sr_tls *tls, const char *address, uint16_t port, const char *service)
{
	struct sr_upstream *upstream = sr_alloc(sizeof *upstream);
	upstream->tls = tls;
	upstream->address = sr_strdup(address);
	upstream->service = sr_strdup(service);
	upstream->port = port;
	sr_mutex_init(&upstream->mutex, SR_RANK_LEAF);
	return upstream;
}

void sr_upstream_free(struct sr_upstream *upstream)
{
	if (!upstream) {
		return;
	}
	for (size_t i = 0; i < upstream->idle_count; i++) {
		sr_client_free(upstream->idle[i]);
	}
	sr_mutex_destroy(&upstream->mutex);
	sr_free(upstream->address);
	sr_free(upstream->service);
	sr_free(upstream);
}

static struct sr_result take(struct sr_upstream *upstream, struct sr_client **ret_client)
{
	{
		SR_LOCKED(&upstream->mutex);
		if (upstream->idle_count > 0) {
			*ret_client = upstream->idle[--upstream->idle_count];
			return sr_ok();
		}
	}
	return sr_client_new(upstream->tls, upstream->address, upstream->port, upstream->service, ret_client);
}

static void give_back(struct sr_upstream *upstream, struct sr_client *client)
{
	{
		SR_LOCKED(&upstream->mutex);
		if (upstream->idle_count < IDLE_MAX) {
			upstream->idle[upstream->idle_count++] = client;
			return;
		}
	}
	sr_client_free(client);
}

struct sr_result sr_upstream_exchange(struct sr_upstream *upstream, const struct sr_client_request *request,
                                      struct sr_client_response *ret_response)
{
	struct sr_client *client;
	sr_blocking_begin();
	struct sr_result result = take(upstream, &client);
	if (sr_is_ok(result)) {
		result = sr_client_exchange(client, request, ret_response);
		if (sr_is_ok(result)) {
			give_back(upstream, client);
		} else {
			sr_client_free(client);
		}
	}
	sr_blocking_end();
	if (!sr_is_ok(result)) {
		SR_CLEANUP(sr_result) struct sr_result inner = result;
		return sr_fail(SR_UNAVAILABLE, "the service '%s' cannot be reached now: %s", upstream->service,
		               sr_result_message(inner));
	}
	return result;
}
