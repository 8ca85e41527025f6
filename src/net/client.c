/* The HTTP client: one kept connection, one exchange at a time, everything under one deadline. */
#include "net/client.h"

#include "net/chunked.h"
#include "net/dial.h"
#include "net/http_parse.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seal/secret.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { HEAD_MAX = 64 * 1024, PIECE_LEN = 32 * 1024, TIMEOUT_MS = 30000, RESPONSE_MAX = 16 * 1024 * 1024 };

struct sr_client {
	struct sr_tls *tls; /* borrowed; NULL for a Unix socket */
	char *host;         /* or the socket's path */
	uint16_t port;
	char *expect_service;
	struct sr_mutex mutex; /* guards is_cut, and that the socket is not closed while another thread cuts it */
	bool is_cut;
	bool is_open; /* set and cleared with the mutex held; the exchange's thread reads it without */
	struct sr_channel channel;
};

/* An exchange under way: what came in and is not used yet, and where the body goes. */
struct reply {
	struct sr_client *client;
	const struct sr_client_request *request;
	struct sr_client_response *response;
	uint64_t deadline_ms;
	size_t body_max;
	uint64_t body_seen;
	struct sr_http_head head;
	uint8_t in[HEAD_MAX];
	size_t in_len;
	size_t used; /* of `in` */
};

static struct sr_result client_new(struct sr_tls *tls, const char *host, uint16_t port, const char *expect_service,
                                   struct sr_client **ret_client)
{
	struct sr_client *client = sr_alloc(sizeof *client);
	client->tls = tls;
	client->host = sr_strdup(host);
	client->port = port;
	client->expect_service = expect_service ? sr_strdup(expect_service) : NULL;
	sr_mutex_init(&client->mutex, SR_RANK_LEAF);
	*ret_client = client;
	return sr_ok();
}

struct sr_result sr_client_new_unix(const char *path, struct sr_client **ret_client)
{
	return client_new(NULL, path, 0, NULL, ret_client);
}

struct sr_result sr_client_new(struct sr_tls *tls, const char *host, uint16_t port, const char *expect_service,
                               struct sr_client **ret_client)
{
	return client_new(tls, host, port, expect_service, ret_client);
}

static void hang_up(struct sr_client *client)
{
	SR_LOCKED(&client->mutex);
	if (client->is_open) {
		sr_channel_finish(&client->channel);
		sr_channel_close(&client->channel);
		client->is_open = false;
	}
}

void sr_client_cut(struct sr_client *client)
{
	SR_LOCKED(&client->mutex);
	client->is_cut = true;
	if (client->is_open) {
		shutdown(client->channel.fd, SHUT_RDWR); /* wakes a wait; nothing that was sent needs to be held back */
	}
}

/* A connection that has just been made is in use from here on, unless the client was cut meanwhile. */
static struct sr_result begin_use(struct sr_client *client)
{
	SR_LOCKED(&client->mutex);
	client->is_open = true;
	return client->is_cut ? sr_fail(SR_CLOSED, "send a request: the client is being stopped") : sr_ok();
}

void sr_client_free(struct sr_client *client)
{
	if (client) {
		hang_up(client);
		sr_mutex_destroy(&client->mutex);
		sr_free(client->host);
		sr_free(client->expect_service);
		sr_free(client);
	}
}

void sr_client_cleanup(struct sr_client **client)
{
	sr_client_free(*client);
	*client = NULL;
}

/* A kept connection on which the server has said nothing since; anything it says unasked is its end. */
static bool is_still_good(struct sr_client *client)
{
	uint8_t byte;
	size_t len = 0;
	return client->is_open && sr_channel_read(&client->channel, &byte, 1, &len) == SR_PROGRESS_WANT_READ;
}

static struct sr_result connect_anew(struct sr_client *client, uint64_t deadline_ms)
{
	if (is_still_good(client)) {
		return sr_ok();
	}
	hang_up(client);
	if (client->tls) {
		SR_TRY(sr_dial_tls(client->tls, client->host, client->port, client->expect_service, deadline_ms,
		                   &client->channel));
	} else {
		SR_TRY(sr_dial_unix(client->host, &client->channel));
	}
	return begin_use(client);
}

static bool is_one_line(const char *text)
{
	return text && !strpbrk(text, "\r\n");
}

static bool is_word(const char *text)
{
	return is_one_line(text) && text[0] && !strchr(text, ' ');
}

static struct sr_result write_head(const struct sr_client *client, const struct sr_client_request *request,
                                   struct sr_buf *out)
{
	if (!is_word(request->method) || !is_word(request->target)) {
		return sr_fail(SR_INVALID, "send a request: its method or target is malformed");
	}
	sr_buf_printf(out, "%s %s HTTP/1.1\r\n", request->method, request->target);
	bool has_host = false;
	for (size_t i = 0; request->headers && request->headers[i][0]; i++) {
		const char *const *header = request->headers[i];
		if (!is_word(header[0]) || !is_one_line(header[1])) {
			return sr_fail(SR_INVALID, "send a request: header %zu is malformed", i + 1);
		}
		has_host = has_host || sr_equal_nocase(sr_bytes_str(header[0]), SR_LITERAL("host"));
		sr_buf_printf(out, "%s: %s\r\n", header[0], header[1]);
	}
	bool is_v6 = strchr(client->host, ':');
	if (!has_host && client->tls) {
		sr_buf_printf(out, "Host: %s%s%s:%u\r\n", is_v6 ? "[" : "", client->host, is_v6 ? "]" : "",
		              (unsigned)client->port);
	} else if (!has_host) {
		sr_buf_append(out, SR_LITERAL("Host: local\r\n"));
	}
	bool may_have_body = strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0;
	if (request->body.len > 0 || may_have_body) {
		sr_buf_printf(out, "Content-Length: %zu\r\n", request->body.len);
	}
	sr_buf_append(out, SR_LITERAL("\r\n"));
	return sr_buf_result(out);
}

static struct sr_result send_joined(struct sr_client *client, const struct sr_client_request *request,
                                    struct sr_buf *out, uint64_t deadline_ms)
{
	SR_TRY(write_head(client, request, out));
	if (request->body.len <= PIECE_LEN) {
		sr_buf_append(out, request->body); /* one write for small requests */
		return sr_channel_write_by(&client->channel, sr_buf_bytes(out), deadline_ms);
	}
	SR_TRY(sr_channel_write_by(&client->channel, sr_buf_bytes(out), deadline_ms));
	return sr_channel_write_by(&client->channel, request->body, deadline_ms);
}

static struct sr_result send_request(struct sr_client *client, const struct sr_client_request *request,
                                     uint64_t deadline_ms)
{
	/* With room for all, since what growing leaves behind on the heap is not wiped. */
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(HEAD_MAX + PIECE_LEN);
	(void)sr_buf_extend(&out, out.max);
	sr_buf_reset(&out);
	struct sr_result result = send_joined(client, request, &out, deadline_ms);
	sr_wipe(out.data, out.len);
	return result;
}

/* More bytes behind those that are there; *ret_is_end at the stream's end. */
static struct sr_result fill(struct reply *reply, bool *ret_is_end)
{
	if (reply->used == reply->in_len) {
		reply->used = 0;
		reply->in_len = 0;
	}
	if (reply->in_len == sizeof reply->in) {
		return sr_fail(SR_PROTOCOL, "read a response: its head is too long");
	}
	size_t got = 0;
	SR_TRY(sr_channel_read_by(&reply->client->channel, reply->in + reply->in_len, sizeof reply->in - reply->in_len,
	                          reply->deadline_ms, &got));
	reply->in_len += got;
	*ret_is_end = got == 0;
	return sr_ok();
}

static struct sr_result need_more(struct reply *reply)
{
	bool is_end = false;
	SR_TRY(fill(reply, &is_end));
	return is_end ? sr_fail(SR_CLOSED, "read a response: the server closed the connection") : sr_ok();
}

/* One head; `in` then holds what follows it. */
static struct sr_result read_head(struct reply *reply)
{
	size_t scanned = 0;
	size_t len = 0;
	for (;;) {
		SR_TRY(
		    sr_http_find_head_end(sr_bytes_of(reply->in + reply->used, reply->in_len - reply->used), &scanned, &len));
		if (len > 0) {
			break;
		}
		if (reply->used > 0) { /* a head behind an interim response: make room for all of it */
			memmove(reply->in, reply->in + reply->used, reply->in_len - reply->used);
			reply->in_len -= reply->used;
			reply->used = 0;
		}
		SR_TRY(need_more(reply));
	}
	sr_buf_reset(&reply->response->headers);
	sr_buf_append(&reply->response->headers, sr_bytes_of(reply->in + reply->used, len));
	SR_TRY(sr_http_parse_response(reply->in + reply->used, len, &reply->head));
	reply->used += len;
	return sr_ok();
}

/* An error's answer is kept whole, for whoever explains it. */
static bool is_streamed(const struct reply *reply)
{
	return reply->request->on_body && reply->head.status < 300;
}

static struct sr_result deliver(struct reply *reply, struct sr_bytes bytes)
{
	reply->body_seen += bytes.len;
	if (bytes.len == 0) {
		return sr_ok();
	}
	if (is_streamed(reply)) {
		return reply->request->on_body(bytes, reply->request->context);
	}
	sr_buf_append(&reply->response->body, bytes);
	return sr_buf_result(&reply->response->body);
}

static struct sr_result read_chunked(struct reply *reply)
{
	struct sr_chunked chunked;
	sr_chunked_init(&chunked);
	while (!sr_chunked_is_done(&chunked)) {
		if (reply->used == reply->in_len) {
			SR_TRY(need_more(reply));
		}
		size_t used = 0;
		struct sr_bytes data = {0};
		SR_TRY(
		    sr_chunked_next(&chunked, sr_bytes_of(reply->in + reply->used, reply->in_len - reply->used), &used, &data));
		reply->used += used;
		SR_TRY(deliver(reply, data));
	}
	return sr_ok();
}

static struct sr_result read_counted(struct reply *reply, uint64_t left)
{
	while (left > 0) {
		if (reply->used == reply->in_len) {
			SR_TRY(need_more(reply));
		}
		size_t here = reply->in_len - reply->used;
		size_t len = left < here ? (size_t)left : here;
		SR_TRY(deliver(reply, sr_bytes_of(reply->in + reply->used, len)));
		reply->used += len;
		left -= len;
	}
	return sr_ok();
}

static struct sr_result read_to_end(struct reply *reply)
{
	for (bool is_end = false; !is_end;) {
		SR_TRY(deliver(reply, sr_bytes_of(reply->in + reply->used, reply->in_len - reply->used)));
		reply->used = reply->in_len;
		SR_TRY(fill(reply, &is_end));
	}
	return sr_ok();
}

static struct sr_result read_body(struct reply *reply)
{
	const struct sr_http_head *head = &reply->head;
	if (strcmp(reply->request->method, "HEAD") == 0 || head->status == 204 || head->status == 304) {
		return sr_ok();
	}
	if (head->body_len < 0) {
		return read_chunked(reply);
	}
	if (head->has_body_len) {
		if (!is_streamed(reply) && (uint64_t)head->body_len > reply->body_max) {
			return sr_fail(SR_TOO_LARGE, "read a response: it is longer than %zu bytes", reply->body_max);
		}
		return read_counted(reply, (uint64_t)head->body_len);
	}
	reply->head.wants_close = true;
	return read_to_end(reply);
}

static struct sr_result read_response(struct reply *reply)
{
	do {
		SR_TRY(read_head(reply));
	} while (reply->head.status < 200); /* interim responses (RFC 9110, 15.2) are passed over */
	reply->response->status = reply->head.status;
	return read_body(reply);
}

static struct sr_result exchange(struct reply *reply)
{
	SR_TRY(connect_anew(reply->client, reply->deadline_ms));
	SR_TRY(send_request(reply->client, reply->request, reply->deadline_ms));
	return read_response(reply);
}

struct sr_result sr_client_exchange(struct sr_client *client, const struct sr_client_request *request,
                                    struct sr_client_response *ret_response)
{
	size_t body_max = request->max_response_len ? request->max_response_len : RESPONSE_MAX;
	struct sr_client_response response = {.headers = SR_BUF(HEAD_MAX), .body = SR_BUF(body_max)};
	struct reply *reply = sr_alloc(sizeof *reply);
	reply->client = client;
	reply->request = request;
	reply->response = &response;
	reply->deadline_ms = sr_boottime_ms() + (request->timeout_ms ? request->timeout_ms : TIMEOUT_MS);
	reply->body_max = body_max;
	struct sr_result result = exchange(reply);
	if (!sr_is_ok(result) || reply->head.wants_close || reply->used != reply->in_len) {
		hang_up(client);
	}
	sr_wipe(reply->in, sizeof reply->in);
	sr_free(reply);
	if (!sr_is_ok(result)) {
		sr_client_response_free(&response);
		return result;
	}
	*ret_response = response;
	return sr_ok();
}

void sr_client_response_free(struct sr_client_response *response)
{
	sr_buf_free(&response->headers);
	sr_buf_free(&response->body);
}

void sr_client_response_cleanup(struct sr_client_response *response)
{
	sr_client_response_free(response);
}

struct sr_bytes sr_client_response_header(const struct sr_client_response *response, const char *name)
{
	struct sr_bytes block = sr_buf_bytes(&response->headers);
	size_t name_len = strlen(name);
	while (block.len > 0) {
		const uint8_t *end = memchr(block.data, '\n', block.len);
		size_t line_len = end ? (size_t)(end - block.data) + 1 : block.len;
		struct sr_bytes line = sr_bytes_of(block.data, line_len);
		if (line.len > name_len && line.data[name_len] == ':' &&
		    sr_equal_nocase(sr_bytes_of(line.data, name_len), sr_bytes_str(name))) {
			line = sr_bytes_of(line.data + name_len + 1, line.len - name_len - 1);
			while (line.len > 0 && line.data[0] <= ' ') {
				line = sr_bytes_of(line.data + 1, line.len - 1);
			}
			while (line.len > 0 && line.data[line.len - 1] <= ' ') {
				line.len--;
			}
			return line;
		}
		block = sr_bytes_of(block.data + line_len, block.len - line_len);
	}
	return (struct sr_bytes){0};
}
