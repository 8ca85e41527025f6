/*
 * One exchange from its head to its end: what handlers ask about the request, the order of steps, and the abort. Bodies
 * and responses have files of their own.
 */
#include "net/exchange.h"

#include "base/memory.h"
#include "seal/secret.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { OUT_MAX = 64 * 1024, OUT_USUAL = 20 * 1024, ADDED_MAX = 16 * 1024, ADDED_USUAL = 4 * 1024 };

/* A buffer that usually need not grow: growing costs a copy and a wipe. */
static struct sr_buf buf_with_room(size_t max, size_t usual)
{
	struct sr_buf buf = SR_BUF(max);
	(void)sr_buf_extend(&buf, usual);
	sr_buf_reset(&buf);
	return buf;
}

struct sr_result sr_exchange_new(struct sr_server *server, struct sr_exchange **ret_exchange)
{
	int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake_fd < 0) {
		return sr_fail_errno(errno, "make an eventfd");
	}
	struct sr_exchange *exchange = sr_alloc(sizeof *exchange);
	exchange->wake_fd = wake_fd;
	exchange->server = server;
	exchange->arena = sr_arena_new();
	exchange->added = buf_with_room(ADDED_MAX, ADDED_USUAL);
	exchange->out = buf_with_room(OUT_MAX, OUT_USUAL);
	sr_mutex_init(&exchange->mutex, SR_RANK_EXCHANGE);
	*ret_exchange = exchange;
	return sr_ok();
}

void sr_exchange_free(struct sr_exchange *exchange)
{
	if (exchange) {
		sr_arena_free(exchange->arena);
		sr_buf_free(&exchange->added);
		sr_buf_free(&exchange->out);
		sr_mutex_destroy(&exchange->mutex);
		close(exchange->wake_fd);
		sr_free(exchange);
	}
}

static void forget_abort(struct sr_exchange *exchange)
{
	SR_LOCKED(&exchange->mutex);
	exchange->has_begun = false;
	if (atomic_exchange(&exchange->is_aborted, false)) {
		eventfd_t count;
		eventfd_read(exchange->wake_fd, &count);
	}
	atomic_store(&exchange->is_cut, false);
}

static void reset(struct sr_exchange *exchange, struct sr_connection *connection, size_t head_len)
{
	exchange->connection = connection;
	exchange->path = (struct sr_bytes){0};
	exchange->query = (struct sr_bytes){0};
	exchange->authority = "";
	exchange->host = "";
	exchange->refused_status = 0;
	exchange->request_id[0] = '\0';
	exchange->head_len = head_len;
	exchange->credit_out = sr_exchange_first_credit(exchange);
	exchange->moved = 0;
	exchange->is_long = false;
	sr_exchange_drop_headers(exchange);
	sr_buf_reset(&exchange->out);
	exchange->response_left = 0;
	exchange->is_chunked = false;
	exchange->has_no_body = false;
	exchange->has_ended = false;
	exchange->has_failed = false;
	exchange->must_close = false;
	exchange->go_on = NULL;
	forget_abort(exchange);
}

/* RFC 9112, 3.2: origin form, absolute form (whose authority then stands for the Host header), or "*". */
static struct sr_result split_target(struct sr_exchange *exchange)
{
	struct sr_bytes target = exchange->head.target;
	static const char *const schemes[] = {"http://", "https://"};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t len = strlen(schemes[i]);
		if (target.len > len && strncasecmp((const char *)target.data, schemes[i], len) == 0) {
			target = sr_bytes_of(target.data + len, target.len - len);
			size_t authority_len = 0;
			while (authority_len < target.len && !strchr("/?", target.data[authority_len])) {
				authority_len++;
			}
			if (authority_len == 0) {
				return sr_fail(SR_PROTOCOL, "read HTTP head: the target is a URL without a host");
			}
			exchange->authority = sr_arena_text(exchange->arena, sr_bytes_of(target.data, authority_len));
			target = sr_bytes_of(target.data + authority_len, target.len - authority_len);
			target = target.len == 0 ? SR_LITERAL("/") : target;
			exchange->head.target = target;
		}
	}
	bool is_asterisk = sr_equal_public(target, SR_LITERAL("*")) && strcmp(exchange->head.method, "OPTIONS") == 0;
	if (target.data[0] != '/' && !is_asterisk) {
		return sr_fail(SR_PROTOCOL, "read HTTP head: the target is neither a path nor a URL");
	}
	const uint8_t *mark = memchr(target.data, '?', target.len);
	exchange->path = sr_bytes_of(target.data, mark ? (size_t)(mark - target.data) : target.len);
	if (mark) {
		exchange->query = sr_bytes_of(mark + 1, target.len - exchange->path.len - 1);
	}
	return sr_ok();
}

/* What may follow a host: nothing, or a colon and a port, whose digits may be missing (RFC 3986, 3.2.3). */
static bool is_port(const char *text)
{
	uint64_t port;
	if (text[0] == '\0' || (text[0] == ':' && text[1] == '\0')) {
		return true;
	}
	SR_CLEANUP(sr_result)
	struct sr_result parsed = text[0] == ':' ? sr_parse_u64(sr_bytes_str(text + 1), UINT16_MAX, &port)
	                                         : sr_fail(SR_PROTOCOL, "no colon after the host");
	return sr_is_ok(parsed);
}

/* The host's part of an authority; an IPv6 literal has colons of its own, and one that is none ends at its bracket. */
static size_t host_len(const char *authority)
{
	if (authority[0] != '[') {
		return strcspn(authority, ":");
	}
	size_t inside = strspn(authority + 1, "0123456789abcdefABCDEF:.");
	return inside > 0 && authority[1 + inside] == ']' ? inside + 2 : 0;
}

/* The name in the Host header, lowercase, without port. */
static struct sr_result split_authority(struct sr_exchange *exchange)
{
	if (exchange->authority[0] == '\0') {
		const char *host = sr_exchange_header(exchange, "host");
		exchange->authority = host ? host : "";
	}
	size_t len = host_len(exchange->authority);
	if (strspn(exchange->authority, "/?#@\\ \t") > 0 || strcspn(exchange->authority, "/?#@\\, \t") < len ||
	    !is_port(exchange->authority + len)) {
		return sr_fail(SR_PROTOCOL, "read HTTP head: the Host header is malformed");
	}
	char *host = sr_arena_text(exchange->arena, sr_bytes_of(exchange->authority, len));
	for (char *c = host; *c; c++) {
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
	}
	exchange->host = host;
	return sr_ok();
}

static struct sr_result parse(struct sr_exchange *exchange)
{
	SR_TRY(sr_http_parse_request(exchange->connection->in, exchange->head_len, &exchange->head));
	SR_TRY(split_target(exchange));
	return split_authority(exchange);
}

/* Has the error answered in the protocol's own way; `error` stays ours. */
static void answer_error(struct sr_exchange *exchange, struct sr_result error)
{
	const struct sr_server_options *options = &exchange->server->options;
	options->on_error(exchange, error, options->context);
	if (!exchange->has_begun) {
		sr_exchange_drop_headers(exchange);
		sr_ignore(sr_exchange_send(exchange, 500, (struct sr_bytes){0}));
	}
}

/* Moves what follows the request to the front of the input, and wipes the rest. */
static void pass_input(struct sr_exchange *exchange)
{
	struct sr_connection *connection = exchange->connection;
	size_t left = connection->in_len - exchange->body_start;
	memmove(connection->in, connection->in + exchange->body_start, left);
	sr_wipe(connection->in + left, connection->in_len - left);
	connection->in_len = left;
	connection->scanned = 0;
}

/* Whether it was aborted; one that is under way ends first, so that none touches the connection later. */
static bool was_aborted(struct sr_exchange *exchange)
{
	SR_LOCKED(&exchange->mutex);
	return atomic_load(&exchange->is_aborted);
}

static enum sr_exchange_outcome conclude(struct sr_exchange *exchange)
{
	enum sr_exchange_outcome outcome = SR_EXCHANGE_KEEP;
	bool is_aborted = was_aborted(exchange);
	if (exchange->has_failed || !exchange->has_ended) {
		outcome = SR_EXCHANGE_CUT;
	} else if (is_aborted || !sr_request_body_drain(exchange)) {
		outcome = SR_EXCHANGE_LINGER;
	} else if (exchange->must_close) {
		outcome = exchange->connection->in_len == exchange->body_start ? SR_EXCHANGE_CLOSE : SR_EXCHANGE_LINGER;
	}
	pass_input(exchange);
	sr_buf_reset(&exchange->added); /* which wipes */
	sr_buf_reset(&exchange->out);
	sr_arena_reset(exchange->arena);
	if (exchange->is_long) {
		sr_blocking_end();
	}
	return outcome;
}

enum sr_exchange_outcome sr_exchange_refuse(struct sr_exchange *exchange, struct sr_connection *connection,
                                            struct sr_result error)
{
	reset(exchange, connection, connection->in_len);
	memset(&exchange->head, 0, offsetof(struct sr_http_head, headers));
	exchange->head.method = "";
	exchange->refused_status = 400;
	if (sr_result_reason(error) == SR_HTTP_TARGET_TOO_LONG) {
		exchange->refused_status = 414;
	} else if (sr_result_reason(error) == SR_HTTP_HEADERS_TOO_LARGE) {
		exchange->refused_status = 431;
	}
	sr_request_body_start(exchange);
	answer_error(exchange, error);
	sr_result_free(error);
	enum sr_exchange_outcome outcome = conclude(exchange);
	return outcome == SR_EXCHANGE_CUT ? SR_EXCHANGE_CUT : SR_EXCHANGE_LINGER;
}

/* What the handler came to, answered where it did not answer. */
static enum sr_exchange_outcome end_handling(struct sr_exchange *exchange, struct sr_result result)
{
	if (exchange->go_on) {
		sr_ignore(result);
		return SR_EXCHANGE_HELD;
	}
	if (sr_is_ok(result) && !exchange->has_begun) {
		result = sr_fail(SR_INTERNAL, "answer a request: its handler sent nothing");
	}
	if (!sr_is_ok(result) && !exchange->has_begun) {
		answer_error(exchange, result);
	} else if (!sr_is_ok(result)) {
		exchange->has_failed = true;
	}
	sr_result_free(result);
	return conclude(exchange);
}

enum sr_exchange_outcome sr_exchange_run(struct sr_exchange *exchange, struct sr_connection *connection,
                                         size_t head_len)
{
	reset(exchange, connection, head_len);
	struct sr_result parsed = parse(exchange);
	if (!sr_is_ok(parsed)) {
		return sr_exchange_refuse(exchange, connection, parsed);
	}
	sr_request_body_start(exchange);
	struct sr_result result = exchange->server->options.handler(exchange, exchange->server->options.context);
	return end_handling(exchange, result);
}

enum sr_exchange_outcome sr_exchange_go_on(struct sr_exchange *exchange)
{
	sr_handler go_on = exchange->go_on;
	exchange->go_on = NULL;
	return end_handling(exchange, go_on(exchange, exchange->go_on_context));
}

void sr_exchange_abort(struct sr_exchange *exchange)
{
	SR_LOCKED(&exchange->mutex);
	if (atomic_exchange(&exchange->is_aborted, true)) {
		return;
	}
	if (exchange->has_begun) {
		atomic_store(&exchange->is_cut, true);
		sr_channel_cut(exchange->connection->channel.fd);
	}
	eventfd_write(exchange->wake_fd, 1);
}

const char *sr_exchange_method(const struct sr_exchange *exchange)
{
	return exchange->head.method;
}

struct sr_bytes sr_exchange_target(const struct sr_exchange *exchange)
{
	return exchange->head.target;
}

struct sr_bytes sr_exchange_path(const struct sr_exchange *exchange)
{
	return exchange->path;
}

struct sr_bytes sr_exchange_query(const struct sr_exchange *exchange)
{
	return exchange->query;
}

/* The next header of that name, in any case. */
static const struct sr_http_header *find_header(const struct sr_exchange *exchange, const char *name, size_t *index)
{
	size_t len = strlen(name);
	while (*index < exchange->head.header_count) {
		const struct sr_http_header *header = &exchange->head.headers[(*index)++];
		if (header->name_len == len && strcasecmp(header->name, name) == 0) {
			return header;
		}
	}
	return NULL;
}

const char *sr_exchange_header(const struct sr_exchange *exchange, const char *name)
{
	size_t index = 0;
	const struct sr_http_header *first = find_header(exchange, name, &index);
	const char *value = first ? first->value : NULL;
	for (const struct sr_http_header *next; first && (next = find_header(exchange, name, &index));) {
		value = sr_arena_printf(exchange->arena, "%s, %s", value, next->value);
	}
	return value;
}

const char *sr_exchange_header_at(const struct sr_exchange *exchange, size_t index, const char **ret_value)
{
	if (index >= exchange->head.header_count) {
		return NULL;
	}
	*ret_value = exchange->head.headers[index].value;
	return exchange->head.headers[index].name;
}

const char *sr_exchange_host(const struct sr_exchange *exchange)
{
	return exchange->host;
}

const char *sr_exchange_authority(const struct sr_exchange *exchange)
{
	return exchange->authority;
}

int64_t sr_exchange_body_len(const struct sr_exchange *exchange)
{
	return exchange->head.body_len;
}

const char *sr_exchange_peer_address(const struct sr_exchange *exchange)
{
	return exchange->connection->peer_address;
}

const char *sr_exchange_peer_service(const struct sr_exchange *exchange)
{
	return exchange->connection->peer_service;
}

bool sr_exchange_is_local(const struct sr_exchange *exchange)
{
	return exchange->connection->is_local;
}

bool sr_exchange_is_plain(const struct sr_exchange *exchange)
{
	return exchange->connection->is_plain;
}

bool sr_exchange_peer_uid(const struct sr_exchange *exchange, uint32_t *ret_uid)
{
	const struct sr_connection *connection = exchange->connection;
	return connection->is_plain && sr_owner_of_peer(&exchange->server->owners, connection->channel.fd, ret_uid);
}

struct sr_arena *sr_exchange_arena(struct sr_exchange *exchange)
{
	return exchange->arena;
}

const char *sr_exchange_request_id(struct sr_exchange *exchange)
{
	if (exchange->request_id[0] == '\0') {
		struct sr_id id = sr_id_random();
		sr_guid_text(&id, exchange->request_id);
	}
	return exchange->request_id;
}
