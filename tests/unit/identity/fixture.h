/* What tests of identity's state share: a store in a folder of its own, and requests without sockets. */
#ifndef SR_TESTS_IDENTITY_FIXTURE_H
#define SR_TESTS_IDENTITY_FIXTURE_H

#include "check.h"

#include "base/memory.h"
#include "identity/api.h"
#include "identity/principal.h"
#include "identity/store.h"
#include "seal/secret.h"

#include <dirent.h>
#include <unistd.h>

enum { TOKEN_S = 3600, NOW_S = 1795521600 };

struct fixture {
	char folder[256];
	char path[300];
	struct sr_id id;
	struct sr_secret *dek;
	struct sr_identity identity; /* only what handlers read */
	struct sr_identity_store *store;
	struct sr_arena *arena;
};

static const char *const fixture_names[] = {"localhost", NULL};
static const char *const fixture_addresses[] = {"127.0.0.1", NULL};

static inline void fixture_reopen(struct fixture *fixture, int64_t now_s)
{
	sr_identity_store_close(fixture->store);
	fixture->store = NULL;
	expect_ok(sr_identity_store_open(fixture->path, &fixture->id, fixture->dek, TOKEN_S, 0, now_s, &fixture->store));
}

static inline int fixture_set_up(void **state)
{
	struct fixture *fixture = sr_alloc(sizeof *fixture);
	const char *base = getenv("TMPDIR");
	snprintf(fixture->folder, sizeof fixture->folder, "%s/sr-identity-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof fixture->path, "%s/identity.db", fixture->folder);
	fixture->id = sr_id_random();
	expect_ok(sr_secret_random(SR_KEY_LEN, &fixture->dek));
	fixture->arena = sr_arena_new();
	fixture->identity.options = (struct sr_identity_options){
	    .authority = "https://127.0.0.1:8441",
	    .own = {.dns_names = fixture_names, .addresses = fixture_addresses, .ports = {8441, 8442, 8443}},
	    .token_lifetime_s = TOKEN_S};
	fixture->identity.port = 8441;
	fixture->identity.rate_limit = sr_rate_limit_new(10, 6000);
	fixture->identity.metadata_limit = sr_rate_limit_new(20, 6000);
	fixture->identity.address_limit = sr_rate_limit_new(100, 1000);
	fixture->identity.device_flows = sr_device_flows_new();
	sr_password_unmatchable(fixture->identity.nobodys_password);
	sr_mutex_init(&fixture->identity.password_mutex, SR_RANK_SERVICE);
	sr_mutex_init(&fixture->identity.watch.mutex, SR_RANK_SERVICE);
	sr_cond_init(&fixture->identity.watch.cond);
	expect_ok(sr_page_sessions_new(&fixture->identity.page_sessions));
	fixture_reopen(fixture, NOW_S);
	*state = fixture;
	return 0;
}

static inline int fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;
	sr_identity_store_close(fixture->store);
	sr_rate_limit_free(fixture->identity.rate_limit);
	sr_rate_limit_free(fixture->identity.metadata_limit);
	sr_rate_limit_free(fixture->identity.address_limit);
	sr_device_flows_free(fixture->identity.device_flows);
	sr_page_sessions_free(fixture->identity.page_sessions);
	sr_cond_destroy(&fixture->identity.watch.cond);
	sr_mutex_destroy(&fixture->identity.watch.mutex);
	sr_mutex_destroy(&fixture->identity.password_mutex);
	sr_secret_free(fixture->dek);
	sr_arena_free(fixture->arena);
	DIR *folder = opendir(fixture->folder);
	for (const struct dirent *entry; folder && (entry = readdir(folder));) {
		unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
	rmdir(fixture->folder);
	sr_free(fixture);
	return 0;
}

static inline int fixture_init(void **state)
{
	(void)state;
	expect_ok(sr_seal_init());
	return 0;
}

static inline struct sr_identity_request request_at(struct fixture *fixture, const char *part, const char *body,
                                                    int64_t now_s)
{
	return (struct sr_identity_request){.identity = &fixture->identity,
	                                    .store = fixture->store,
	                                    .arena = fixture->arena,
	                                    .parts = {part, "", "", ""},
	                                    .body = sr_bytes_str(body),
	                                    .origin = "https://127.0.0.1:8441",
	                                    .peer_address = "127.0.0.1",
	                                    .request_id = "11111111-1111-4111-8111-111111111111",
	                                    .correlation_id = "22222222-2222-4222-8222-222222222222",
	                                    .now_s = now_s};
}

/* Runs a handler that must succeed; the caller owns the body. */
static inline json_t *call(struct fixture *fixture, sr_identity_handler handler, const char *part, const char *body)
{
	struct sr_identity_request request = request_at(fixture, part, body, NOW_S);
	struct sr_identity_answer answer = {0};
	expect_ok(handler(&request, &answer));
	return answer.body;
}

/* Runs a handler that must fail. */
static inline void call_fails(struct fixture *fixture, sr_identity_handler handler, const char *part, const char *body,
                              enum sr_code code, const char *reason)
{
	struct sr_identity_request request = request_at(fixture, part, body, NOW_S);
	struct sr_identity_answer answer = {0};
	expect_reason(handler(&request, &answer), code, reason);
	assert_null(answer.body);
}

static inline const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	assert_non_null(text);
	return text;
}

#endif
