/*
 * The long poll: GET /directory?revision=N answers at once when N is not the current revision, else when it changes or
 * after a while. A lost connection is made anew, soon at first, then once a second; what is known stays in use
 * meanwhile.
 */
#include "access/follower.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "net/client.h"

#include <stdio.h>
#include <string.h>

enum {
	WAIT_MS = 10000,
	ANSWER_MS = 15000, /* the wait, and time to write and send a large directory */
	DOCUMENT_MAX = 64 << 20,
	RETRY_FIRST_MS = 20,
	RETRY_LAST_MS = 1000,
};

struct sr_follower {
	void (*publish)(void *context, struct sr_directory *directory);
	void *context;
	struct sr_client *client; /* owned */
	struct sr_thread thread;
	struct sr_mutex mutex; /* guards is_stopping */
	struct sr_cond cond;   /* of `mutex`: is_stopping was set */
	bool is_stopping;
	bool has_digest;
	uint8_t digest[SR_SHA256_LEN]; /* of the document that was published last; the thread's own, as is what follows */
	int64_t revision;
};

static bool is_stopping(struct sr_follower *follower)
{
	SR_LOCKED(&follower->mutex);
	return follower->is_stopping;
}

static struct sr_result ask(struct sr_follower *follower, struct sr_client_response *ret_response)
{
	char target[96] = "/directory";
	if (follower->has_digest) {
		snprintf(target, sizeof target, "/directory?revision=%lld&wait=%d", (long long)follower->revision, WAIT_MS);
	}
	const struct sr_client_request request = {
	    .method = "GET",
	    .target = target,
	    .timeout_ms = ANSWER_MS,
	    .max_response_len = DOCUMENT_MAX,
	};
	return sr_client_exchange(follower->client, &request, ret_response);
}

/* Publishes a document unless it is the one that is in use: by its bytes, since a directory that was restored from a
 * backup may bear an old revision again. */
static struct sr_result take(struct sr_follower *follower, struct sr_bytes document)
{
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, document, digest);
	struct sr_bytes last = sr_bytes_of(follower->digest, SR_SHA256_LEN);
	if (follower->has_digest && sr_equal_public(last, sr_bytes_of(digest, SR_SHA256_LEN))) {
		return sr_ok();
	}
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(sr_directory_parse(document, &directory));
	follower->revision = sr_directory_revision(directory);
	memcpy(follower->digest, digest, SR_SHA256_LEN);
	follower->has_digest = true;
	follower->publish(follower->context, SR_TAKE(directory));
	return sr_ok();
}

static struct sr_result follow_once(struct sr_follower *follower)
{
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	SR_TRY(ask(follower, &response));
	if (response.status != 200) {
		return sr_fail(SR_UNAVAILABLE, "ask identity for the directory: status %d", response.status);
	}
	return take(follower, sr_buf_bytes(&response.body));
}

static void pause_for(struct sr_follower *follower, uint64_t ms)
{
	uint64_t deadline_ns = sr_boottime_ns() + ms * 1000000;
	SR_LOCKED(&follower->mutex);
	while (!follower->is_stopping && sr_cond_wait_until(&follower->cond, &follower->mutex, deadline_ns)) {
	}
}

static void run(void *context)
{
	struct sr_follower *follower = context;
	uint64_t retry_ms = RETRY_FIRST_MS;
	while (!is_stopping(follower)) {
		SR_CLEANUP(sr_result) struct sr_result outcome = follow_once(follower);
		if (sr_is_ok(outcome)) {
			retry_ms = RETRY_FIRST_MS;
			continue;
		}
		pause_for(follower, retry_ms);
		retry_ms = retry_ms * 2 < RETRY_LAST_MS ? retry_ms * 2 : RETRY_LAST_MS;
	}
}

static void follower_free(struct sr_follower *follower)
{
	sr_client_free(follower->client);
	sr_cond_destroy(&follower->cond);
	sr_mutex_destroy(&follower->mutex);
	sr_free(follower);
}

static struct sr_result start(struct sr_follower *follower, const struct sr_access_options *options)
{
	SR_TRY(
	    sr_client_new(options->tls, options->identity_address, options->identity_port, "identity", &follower->client));
	return sr_thread_start("sr-directory", 0, run, follower, &follower->thread);
}

struct sr_result sr_follower_start(const struct sr_access_options *options,
                                   void (*publish)(void *context, struct sr_directory *directory), void *context,
                                   struct sr_follower **ret_follower)
{
	struct sr_follower *follower = sr_alloc(sizeof *follower);
	follower->publish = publish;
	follower->context = context;
	sr_mutex_init(&follower->mutex, SR_RANK_ACCESS);
	sr_cond_init(&follower->cond);
	struct sr_result result = start(follower, options);
	if (!sr_is_ok(result)) {
		follower_free(follower);
		return result;
	}
	*ret_follower = follower;
	return sr_ok();
}

void sr_follower_stop(struct sr_follower *follower)
{
	if (!follower) {
		return;
	}
	sr_mutex_lock(&follower->mutex);
	follower->is_stopping = true;
	sr_cond_broadcast(&follower->cond);
	sr_mutex_unlock(&follower->mutex);
	sr_client_cut(follower->client);
	sr_thread_join(follower->thread);
	follower_free(follower);
}
