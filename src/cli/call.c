/* Calls to the services over their Unix sockets, with the same protocols that clients use plus /_strongroom. */
#include "cli/command.h"
#include "cli/root.h"

#include "base/memory.h"
#include "net/client.h"
#include "wire/url.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 1 << 28, LINE_MAX_LEN = 1 << 20, CALL_TIMEOUT_MS = 60000, LONG_CALL_TIMEOUT_MS = 24 * 3600 * 1000 };

static struct sr_result connect_to(struct sr_cli *cli, const char *service, struct sr_client **ret_client)
{
	char *path = sr_arena_printf(cli->arena, "%s/%s/control.sock", cli->config.state, service);
	return sr_client_new_unix(path, ret_client);
}

static bool is_name(const char *text)
{
	return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(text);
}

/* What a client would call the vault that is meant, so that the ids in answers are addresses that lead there. */
static const char *vault_host(struct sr_cli *cli)
{
	const char *vault = sr_cli_option(cli, "vault");
	const unsigned long long port = (unsigned long long)cli->config.vault_port;
	const char *domain = strstr(cli->config.names, "*.vault.");
	if (!vault || strcmp(vault, "default") == 0 || !is_name(vault) || !domain) {
		return sr_arena_printf(cli->arena, "127.0.0.1:%llu", port);
	}
	domain++; /* the star */
	return sr_arena_printf(cli->arena, "%s%.*s:%llu", vault, (int)strcspn(domain, ", "), domain, port);
}

/* An error's message, in whichever shape the service speaks. */
static struct sr_result failure(int status, const struct sr_buf *body)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_buf_bytes(body), &answer);
	const json_t *error = sr_is_ok(parsed) ? json_object_get(answer, "error") : NULL;
	const char *message = json_string_value(json_object_get(error, "message"));
	if (!message && sr_is_ok(parsed)) {
		message = json_string_value(json_object_get(answer, "error_description"));
	}
	enum sr_code code = status == 404 ? SR_NOT_FOUND : status == 409 ? SR_CONFLICT : SR_INTERNAL;
	return message ? sr_fail(code, "%s", message) : sr_fail(code, "the service answered with status %d", status);
}

static struct sr_result explain(struct sr_cli *cli, const char *service, struct sr_result outcome)
{
	enum sr_code code = sr_result_code(outcome);
	if (code == SR_NOT_FOUND || code == SR_UNAVAILABLE || code == SR_CLOSED) {
		sr_result_free(outcome);
		return sr_fail(SR_UNAVAILABLE,
		               "%s does not answer in %s; is `strongroom serve` running with this state directory?", service,
		               cli->config.state);
	}
	return outcome;
}

static struct sr_result call_with(struct sr_cli *cli, const char *service, const char *method, const char *target,
                                  const char *type, struct sr_bytes body, struct sr_buf *answer)
{
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	SR_TRY(connect_to(cli, service, &client));
	const char *host = strcmp(service, "vault") == 0 ? vault_host(cli) : "local";
	const char *const headers[][2] = {{"Content-Type", type}, {"Host", host}, {NULL, NULL}};
	const struct sr_client_request request = {
	    .method = method, .target = target, .headers = headers, .body = body, .timeout_ms = CALL_TIMEOUT_MS};
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	struct sr_result outcome = sr_client_exchange(client, &request, &response);
	if (!sr_is_ok(outcome)) {
		return explain(cli, service, outcome);
	}
	if (response.status >= 300) {
		return failure(response.status, &response.body);
	}
	sr_buf_append(answer, sr_buf_bytes(&response.body));
	return sr_buf_result(answer);
}

struct sr_result sr_cli_call_text(struct sr_cli *cli, const char *service, const char *method, const char *target,
                                  const json_t *body, struct sr_buf *answer)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	if (body) {
		SR_TRY(sr_json_write(body, &text));
	}
	return call_with(cli, service, method, target, "application/json", sr_buf_bytes(&text), answer);
}

struct sr_result sr_cli_call_secret(struct sr_cli *cli, const char *method, const char *target, struct sr_bytes body,
                                    struct sr_buf *answer)
{
	return call_with(cli, "vault", method, target, "text/plain", body, answer);
}

struct sr_result sr_cli_call(struct sr_cli *cli, const char *service, const char *method, const char *target,
                             const json_t *body, json_t **ret_answer)
{
	SR_CLEANUP(sr_buf) struct sr_buf answer = SR_BUF(ANSWER_MAX);
	SR_TRY(sr_cli_call_text(cli, service, method, target, body, &answer));
	*ret_answer = NULL;
	return answer.len ? sr_json_parse(sr_buf_bytes(&answer), ret_answer) : sr_ok();
}

/* Cuts a stream of bytes into lines. */
struct lines {
	struct sr_buf pending;
	struct sr_result (*each)(const json_t *line, void *context);
	void *context;
};

static struct sr_result take_line(struct lines *lines, struct sr_bytes line)
{
	if (line.len == 0) {
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *value = NULL;
	SR_TRY(sr_json_parse(line, &value));
	return lines->each(value, lines->context);
}

static struct sr_result take_bytes(struct sr_bytes bytes, void *context)
{
	struct lines *lines = context;
	while (bytes.len) {
		const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
		size_t len = end ? (size_t)(end - bytes.data) : bytes.len;
		sr_buf_append(&lines->pending, sr_bytes_of(bytes.data, len));
		SR_TRY(sr_buf_result(&lines->pending));
		if (!end) {
			return sr_ok();
		}
		SR_TRY(take_line(lines, sr_buf_bytes(&lines->pending)));
		sr_buf_reset(&lines->pending);
		bytes.data += len + 1;
		bytes.len -= len + 1;
	}
	return sr_ok();
}

/* A call that may take long and whose answer is taken as it comes. An error's answer is no part of it. */
struct long_call {
	const char *service, *method, *target;
	struct sr_bytes body;
	struct sr_result (*on_bytes)(struct sr_bytes bytes, void *context);
	void *context;
};

static struct sr_result call_long(struct sr_cli *cli, const struct long_call *call)
{
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	SR_TRY(connect_to(cli, call->service, &client));
	const struct sr_client_request request = {.method = call->method,
	                                          .target = call->target,
	                                          .body = call->body,
	                                          .timeout_ms = LONG_CALL_TIMEOUT_MS,
	                                          .on_body = call->on_bytes,
	                                          .context = call->context};
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	struct sr_result outcome = sr_client_exchange(client, &request, &response);
	if (!sr_is_ok(outcome)) {
		return explain(cli, call->service, outcome);
	}
	return response.status < 300 ? sr_ok() : failure(response.status, &response.body);
}

struct sr_result sr_cli_call_stream(struct sr_cli *cli, const char *service, const char *method, const char *target,
                                    struct sr_result (*on_bytes)(struct sr_bytes bytes, void *context), void *context)
{
	const struct long_call call = {
	    .service = service, .method = method, .target = target, .on_bytes = on_bytes, .context = context};
	return call_long(cli, &call);
}

struct sr_result sr_cli_call_long(struct sr_cli *cli, const char *service, const char *method, const char *target,
                                  struct sr_bytes body, struct sr_result (*each)(const json_t *line, void *context),
                                  void *context)
{
	struct lines lines = {.pending = SR_BUF(LINE_MAX_LEN), .each = each, .context = context};
	const struct long_call call = {service, method, target, body, take_bytes, &lines};
	struct sr_result outcome = call_long(cli, &call);
	if (sr_is_ok(outcome)) {
		outcome = take_line(&lines, sr_buf_bytes(&lines.pending));
	}
	sr_buf_free(&lines.pending);
	return outcome;
}

struct sr_result sr_cli_call_lines(struct sr_cli *cli, const char *service, const char *method, const char *target,
                                   struct sr_result (*each)(const json_t *line, void *context), void *context)
{
	return sr_cli_call_long(cli, service, method, target, (struct sr_bytes){0}, each, context);
}

const char *sr_cli_escaped(struct sr_cli *cli, const char *text)
{
	SR_CLEANUP(sr_buf) struct sr_buf escaped = SR_BUF(65536);
	sr_url_encode(&escaped, sr_bytes_str(text), "");
	return sr_arena_strdup(cli->arena, sr_buf_text(&escaped));
}

const char *sr_cli_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

int64_t sr_cli_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}
