/* The rig's certificates, handler and raw connections. */
#include "rig.h"

#include "base/clock.h"
#include "seal/secret.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct sr_certificate *rig_issue(const struct sr_certificate *ca, const char *service)
{
	static const char *const names[] = {"localhost", NULL};
	static const char *const addresses[] = {"127.0.0.1", NULL};
	struct sr_certificate_profile profile = {"test", service, names, addresses, 30};
	struct sr_certificate_request *request = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(8192);
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(8192);
	struct sr_certificate *certificate = NULL;
	expect_ok(sr_certificate_request_new("test", &request));
	expect_ok(sr_certificate_sign(ca, sr_certificate_request_der(request), &profile, &der));
	expect_ok(sr_certificate_der(ca, &ca_der));
	expect_ok(sr_certificate_join(request, sr_buf_bytes(&der), sr_buf_bytes(&ca_der), &certificate));
	sr_certificate_request_free(request);
	return certificate;
}

static struct sr_result echo(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	struct sr_bytes body;
	SR_TRY(sr_exchange_read_all(exchange, 1024 * 1024, &body));
	return sr_exchange_send(exchange, 200, body);
}

static struct sr_result hello(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	return sr_exchange_send(exchange, 200, SR_LITERAL("hello"));
}

static struct sr_result request_told(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(65536);
	struct sr_bytes path = sr_exchange_path(exchange);
	struct sr_bytes query = sr_exchange_query(exchange);
	const char *twice = sr_exchange_header(exchange, "X-Twice");
	sr_buf_printf(&text, "%s path=%.*s query=%.*s host=%s authority=%s twice=%s\n", sr_exchange_method(exchange),
	              (int)path.len, (const char *)path.data, (int)query.len, (const char *)query.data,
	              sr_exchange_host(exchange), sr_exchange_authority(exchange), twice ? twice : "(none)");
	const char *value = NULL;
	for (size_t i = 0; sr_exchange_header_at(exchange, i, &value); i++) {
		sr_buf_printf(&text, "[%s=%s]", sr_exchange_header_at(exchange, i, &value), value);
	}
	return sr_exchange_send(exchange, 200, sr_buf_bytes(&text));
}

static struct sr_result chunks(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	SR_TRY(sr_exchange_begin(exchange, 200, -1));
	SR_TRY(sr_exchange_write(exchange, SR_LITERAL("one,")));
	SR_TRY(sr_exchange_write(exchange, SR_LITERAL("two")));
	return sr_exchange_end(exchange);
}

/* 5 MB in uneven writes, chunked or counted: every byte tells its place. */
static struct sr_result pattern(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	bool is_counted = sr_equal_public(sr_exchange_query(exchange), SR_LITERAL("counted"));
	enum { WHOLE = 5000000 };
	SR_TRY(sr_exchange_begin(exchange, 200, is_counted ? WHOLE : -1));
	size_t sizes[] = {1, 16383, 16384, 16385, 100000, 65536, 300001};
	uint8_t *piece = sr_arena_alloc(sr_exchange_arena(exchange), 300001);
	for (size_t at = 0, turn = 0; at < WHOLE; turn++) {
		size_t len = sizes[turn % (sizeof sizes / sizeof *sizes)];
		len = len < WHOLE - at ? len : WHOLE - at;
		for (size_t i = 0; i < len; i++) {
			piece[i] = (uint8_t)((at + i) * 2654435761U >> 16);
		}
		SR_TRY(sr_exchange_write(exchange, sr_bytes_of(piece, len)));
		at += len;
	}
	return sr_exchange_end(exchange);
}

static struct sr_result forever(struct sr_exchange *exchange, struct rig *rig)
{
	static const uint8_t piece[65536] = {'x'};
	SR_TRY(sr_exchange_begin(exchange, 200, -1));
	struct sr_result result = sr_ok();
	atomic_store(&rig->held, exchange);
	while (sr_is_ok(result)) {
		result = sr_exchange_write(exchange, sr_bytes_of(piece, sizeof piece));
	}
	atomic_store(&rig->held, NULL);
	atomic_store(&rig->last_code, (int)sr_result_code(result));
	return result;
}

/* Waits for the test's abort, then tries to answer with success, and says why it could not. */
static struct sr_result held(struct sr_exchange *exchange, struct rig *rig)
{
	atomic_store(&rig->held, exchange);
	sr_blocking_begin();
	while (!atomic_load(&rig->is_released)) {
		sr_sleep_ms(1);
	}
	sr_blocking_end();
	atomic_store(&rig->held, NULL);
	struct sr_result result = sr_exchange_send(exchange, 200, SR_LITERAL("unrevoked"));
	atomic_store(&rig->last_code, (int)sr_result_code(result));
	return result;
}

/* Streams 4 MB, then keeps its thread busy without a word to the pool, until it is released. */
static struct sr_result busy(struct sr_exchange *exchange, struct rig *rig)
{
	static const uint8_t piece[65536];
	SR_TRY(sr_exchange_begin(exchange, 200, -1));
	for (int i = 0; i < 64; i++) {
		SR_TRY(sr_exchange_write(exchange, sr_bytes_of(piece, sizeof piece)));
	}
	while (!atomic_load(&rig->is_released)) {
		sr_sleep_ms(1);
	}
	return sr_exchange_end(exchange);
}

static struct sr_result held_upload(struct sr_exchange *exchange, struct rig *rig)
{
	struct sr_bytes body;
	atomic_store(&rig->held, exchange);
	struct sr_result result = sr_exchange_read_all(exchange, 1024 * 1024, &body);
	atomic_store(&rig->held, NULL);
	atomic_store(&rig->last_code, (int)sr_result_code(result));
	SR_TRY(result);
	return sr_exchange_send(exchange, 200, body);
}

static struct sr_result nothing(struct sr_exchange *exchange, struct rig *rig)
{
	(void)exchange;
	(void)rig;
	return sr_ok();
}

static struct sr_result missing(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	sr_exchange_add_header(exchange, "X-Dropped", "yes");
	return sr_fail(SR_NOT_FOUND, "find %s", "it");
}

/* The later, the answer: "hello", an error, or another wait before. */
static struct sr_result answer_later(struct sr_exchange *exchange, void *context)
{
	(void)context;
	return sr_exchange_send(exchange, 200, sr_exchange_path(exchange));
}

static struct sr_result fail_later(struct sr_exchange *exchange, void *context)
{
	return missing(exchange, context);
}

static void *resume_soon(void *exchange)
{
	sr_sleep_ms(2);
	sr_exchange_resume(exchange);
	return NULL;
}

static struct sr_result hold_and_start(struct sr_exchange *exchange, struct rig *rig, sr_handler go_on)
{
	if (!sr_exchange_hold(exchange, go_on, rig)) {
		return go_on(exchange, rig);
	}
	pthread_t thread;
	if (pthread_create(&thread, NULL, resume_soon, exchange) == 0) {
		pthread_detach(thread);
	} else {
		sr_exchange_resume(exchange);
	}
	return sr_ok();
}

static struct sr_result later(struct sr_exchange *exchange, struct rig *rig)
{
	return hold_and_start(exchange, rig, answer_later);
}

static struct sr_result later_missing(struct sr_exchange *exchange, struct rig *rig)
{
	return hold_and_start(exchange, rig, fail_later);
}

static struct sr_result wait_again(struct sr_exchange *exchange, void *context)
{
	return hold_and_start(exchange, context, answer_later);
}

static struct sr_result later_twice(struct sr_exchange *exchange, struct rig *rig)
{
	return hold_and_start(exchange, rig, wait_again);
}

/* Resumed before its handler has returned. */
static struct sr_result at_once(struct sr_exchange *exchange, struct rig *rig)
{
	if (!sr_exchange_hold(exchange, answer_later, rig)) {
		return answer_later(exchange, rig);
	}
	sr_exchange_resume(exchange);
	return sr_ok();
}

static struct sr_result split_header(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	sr_exchange_add_header(exchange, "X-Name", "a\r\nSet-Cookie: b");
	return sr_exchange_send(exchange, 200, SR_LITERAL("split"));
}

static struct sr_result too_short(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	SR_TRY(sr_exchange_begin(exchange, 200, 10));
	SR_TRY(sr_exchange_write(exchange, SR_LITERAL("five!")));
	return sr_exchange_end(exchange);
}

static struct sr_result peer(struct sr_exchange *exchange, struct rig *rig)
{
	(void)rig;
	return sr_exchange_send(exchange, 200, sr_bytes_str(sr_exchange_peer_service(exchange)));
}

static struct sr_result handle(struct sr_exchange *exchange, void *context)
{
	static const struct {
		const char *path;
		struct sr_result (*act)(struct sr_exchange *exchange, struct rig *rig);
	} table[] = {
	    {"/echo", echo},
	    {"/hello", hello},
	    {"/told", request_told},
	    {"/chunks", chunks},
	    {"/forever", forever},
	    {"/held", held},
	    {"/held-upload", held_upload},
	    {"/nothing", nothing},
	    {"/missing", missing},
	    {"/split", split_header},
	    {"/short", too_short},
	    {"/peer", peer},
	    {"/pattern", pattern},
	    {"/busy", busy},
	    {"/later", later},
	    {"/at-once", at_once},
	    {"/later-missing", later_missing},
	    {"/later-twice", later_twice},
	};
	struct rig *rig = context;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (sr_equal_public(sr_exchange_path(exchange), sr_bytes_str(table[i].path))) {
			atomic_fetch_add(&rig->running, 1);
			struct sr_result result = table[i].act(exchange, rig);
			atomic_fetch_sub(&rig->running, 1);
			return result;
		}
	}
	return sr_exchange_send(exchange, 200, sr_exchange_target(exchange));
}

static void answer_error(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	(void)context;
	static const struct {
		enum sr_code code;
		int status;
	} table[] = {{SR_NOT_FOUND, 404}, {SR_REVOKED, 403}, {SR_TOO_LARGE, 413}, {SR_PROTOCOL, 400}, {SR_INVALID, 400}};
	int status = 500;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		status = sr_result_code(error) == table[i].code ? table[i].status : status;
	}
	sr_exchange_drop_headers(exchange);
	sr_ignore(sr_exchange_send(exchange, status, SR_LITERAL("error")));
}

void rig_start(struct rig *rig, const struct sr_server_options *limits, enum sr_tls_peer peer_kind)
{
	memset(rig, 0, sizeof *rig);
	atomic_store(&rig->last_code, -1);
	expect_ok(sr_seal_init());
	expect_ok(sr_certificate_new_ca("Test CA", 30, &rig->ca));
	rig->own = rig_issue(rig->ca, "server");
	expect_ok(sr_tls_server_new(rig->own, rig->ca, peer_kind, &rig->tls));
	expect_ok(sr_tls_client_new(NULL, rig->ca, &rig->client_tls));
	struct sr_server_options options = limits ? *limits : (struct sr_server_options){0};
	options.handler = handle;
	options.on_error = answer_error;
	options.context = rig;
	expect_ok(sr_server_new(&options, &rig->server));
	expect_ok(sr_server_listen(rig->server, rig->tls, "127.0.0.1", 0, &rig->port));
	snprintf(rig->dir, sizeof rig->dir, "/tmp/sr-net-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof rig->path, "%s/socket", rig->dir);
	expect_ok(sr_server_listen_unix(rig->server, rig->path));
	expect_ok(sr_server_start(rig->server));
}

void rig_stop(struct rig *rig, uint64_t grace_ms)
{
	sr_server_stop(rig->server, grace_ms);
	sr_tls_free(rig->tls);
	sr_tls_free(rig->client_tls);
	sr_certificate_free(rig->own);
	sr_certificate_free(rig->ca);
	assert_int_equal(rmdir(rig->dir), 0); /* the socket is gone */
}

int rig_dial(const struct rig *rig)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", rig->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	struct timeval limit = {.tv_sec = 5};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

void rig_say(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent <= 0) {
			return; /* the server may refuse before it has heard all */
		}
		bytes += sent;
		len -= (size_t)sent;
	}
}

char *rig_hear(int fd, size_t *ret_len)
{
	size_t cap = 65536;
	size_t len = 0;
	char *text = malloc(cap);
	ssize_t got;
	while ((got = recv(fd, text + len, cap - len - 1, 0)) > 0) {
		len += (size_t)got;
		if (len + 1 == cap) {
			cap *= 2;
			text = realloc(text, cap);
		}
	}
	if (got < 0 && errno != ECONNRESET) {
		fail_msg("the server did not close: %s; it said %.*s", strerror(errno), (int)len, text);
	}
	text[len] = '\0';
	close(fd);
	if (ret_len) {
		*ret_len = len;
	}
	return text;
}

void rig_hear_until(int fd, const char *wanted)
{
	char text[4096] = "";
	size_t len = 0;
	while (!strstr(text, wanted)) {
		ssize_t got = recv(fd, text + len, sizeof text - 1 - len, 0);
		if (got <= 0) {
			fail_msg("wanted %s, got %s", wanted, text);
		}
		len += (size_t)got;
		text[len] = '\0';
	}
}

bool rig_wait(atomic_int *flag, int value)
{
	for (int i = 0; i < 5000 && atomic_load(flag) != value; i++) {
		sr_sleep_ms(1);
	}
	return atomic_load(flag) == value;
}

struct sr_exchange *rig_wait_held(struct rig *rig)
{
	for (int i = 0; i < 5000 && !atomic_load(&rig->held); i++) {
		sr_sleep_ms(1);
	}
	struct sr_exchange *exchange = atomic_load(&rig->held);
	assert_non_null(exchange);
	return exchange;
}
