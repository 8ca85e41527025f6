/* audit: a service's log of who did what, shown, checked, exported and checked elsewhere. */
#include "cli/command.h"

#include "audit/line.h"
#include "base/clock.h"
#include "seal/file.h"
#include "seal/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 65536, CHUNK_LEN = 1 << 16, FOLLOW_MS = 300 };

static const char *service_of(const struct sr_cli *cli)
{
	const char *service = sr_cli_option(cli, "service");
	return service ? service : "vault";
}

/* Whose log the command is about; SR_INVALID for a service that keeps none. */
static struct sr_result read_service(const struct sr_cli *cli, const char **ret_service)
{
	const char *service = service_of(cli);
	if (strcmp(service, "vault") != 0 && strcmp(service, "identity") != 0 && strcmp(service, "workspace") != 0) {
		return sr_fail(SR_INVALID, "--service %s: vault, identity and workspace keep an audit log", service);
	}
	*ret_service = service;
	return sr_ok();
}

/* Prints an entry's own members with its place in the chain. */
struct showing {
	uint64_t last; /* shown */
	bool is_any;
};

static struct sr_result show_line(const json_t *line, void *context)
{
	struct showing *showing = context;
	json_t *entry = json_object_get(line, "entry");
	if (!json_is_object(entry)) {
		return sr_ok();
	}
	showing->last = (uint64_t)sr_cli_int(line, "seq");
	showing->is_any = true;
	json_object_set(entry, "seq", json_object_get(line, "seq"));
	json_object_set(entry, "hash", json_object_get(line, "hash"));
	json_dumpf(entry, stdout, JSON_COMPACT);
	putchar('\n');
	return sr_ok();
}

static const char *const filters[] = {"since", "until", "who", "operation", "object", "outcome", NULL};

/* The query that asks for what the options say; `after` is left out where it is NULL. */
static const char *show_target(struct sr_cli *cli, const uint64_t *after, uint64_t limit)
{
	const char *target =
	    sr_arena_printf(cli->arena, "/_strongroom/audit/entries?limit=%llu", (unsigned long long)limit);
	if (after) {
		target = sr_arena_printf(cli->arena, "%s&after=%llu", target, (unsigned long long)*after);
	}
	for (const char *const *filter = filters; *filter; filter++) {
		const char *value = sr_cli_option(cli, *filter);
		if (value) {
			target = sr_arena_printf(cli->arena, "%s&%s=%s", target, *filter, sr_cli_escaped(cli, value));
		}
	}
	return target;
}

/* Shows what comes, until the service is gone or the terminal says stop. */
static struct sr_result follow(struct sr_cli *cli, const char *service, struct showing *showing)
{
	for (;;) {
		fflush(stdout);
		sr_sleep_ms(FOLLOW_MS);
		SR_TRY(sr_cli_call_lines(cli, service, "GET", show_target(cli, &showing->last, INT64_MAX), show_line, showing));
	}
}

static struct sr_result audit_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *service;
	uint64_t after, limit;
	struct showing showing = {0};
	SR_TRY(read_service(cli, &service));
	SR_TRY(sr_cli_number(cli, "after", 0, &after));
	SR_TRY(sr_cli_number(cli, "limit", 50, &limit));
	const bool has_after = sr_cli_option(cli, "after");
	SR_TRY(sr_cli_call_lines(cli, service, "GET", show_target(cli, has_after ? &after : NULL, limit), show_line,
	                         &showing));
	if (!showing.is_any) {
		fprintf(stderr, "No entry of %s's log fits.\n", service);
	}
	return sr_cli_option(cli, "follow") ? follow(cli, service, &showing) : sr_ok();
}

/* What a check came to, from a service or from this process. */
static void print_verdict(struct sr_cli *cli, const json_t *verdict, int *ret_status)
{
	const bool is_whole = strcmp(sr_cli_text(verdict, "result"), "ok") == 0;
	*ret_status = is_whole ? 0 : 1;
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(verdict);
	} else if (is_whole) {
		printf("the audit log is whole: %lld entries, %lld checkpoints; signed up to entry %lld\n",
		       (long long)sr_cli_int(verdict, "entries"), (long long)sr_cli_int(verdict, "checkpoints"),
		       (long long)sr_cli_int(verdict, "covered"));
	} else {
		printf("the audit log is broken at entry %lld: %s\n", (long long)sr_cli_int(verdict, "at"),
		       sr_cli_text(verdict, "why"));
	}
}

static json_t *verdict_json(const struct sr_audit_verdict *verdict)
{
	json_t *value = json_object();
	sr_json_set_int(value, "entries", (int64_t)verdict->entries);
	sr_json_set_int(value, "checkpoints", (int64_t)verdict->checkpoints);
	sr_json_set_int(value, "covered", (int64_t)verdict->covered);
	sr_json_set_string(value, "result", verdict->broken_at ? "broken" : "ok");
	if (verdict->broken_at) {
		sr_json_set_int(value, "at", (int64_t)verdict->broken_at);
		sr_json_set_string(value, "why", verdict->why);
	}
	return value;
}

/* Lines of a file of any length, in the memory of one. */
struct line_feed {
	struct sr_audit_reader reader;
	struct sr_buf pending;
};

static struct sr_result feed(struct line_feed *feed, struct sr_bytes bytes)
{
	while (bytes.len) {
		const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
		const size_t len = end ? (size_t)(end - bytes.data) : bytes.len;
		sr_buf_append(&feed->pending, sr_bytes_of(bytes.data, len));
		if (!end) {
			return sr_ok();
		}
		if (feed->pending.failed) {
			sr_audit_verifier_break(feed->reader.verifier, "a line is too long");
		}
		SR_TRY(sr_audit_reader_line(&feed->reader, sr_buf_bytes(&feed->pending)));
		sr_buf_reset(&feed->pending);
		bytes.data += len + 1;
		bytes.len -= len + 1;
	}
	return sr_ok();
}

static struct sr_result feed_file(int file, const char *path, struct line_feed *lines)
{
	static uint8_t chunk[CHUNK_LEN];
	for (;;) {
		const ssize_t len = read(file, chunk, sizeof chunk);
		if (len < 0 && errno == EINTR) {
			continue;
		}
		if (len < 0) {
			return sr_fail_errno(errno, "read %s", path);
		}
		if (len == 0) {
			return sr_ok();
		}
		SR_TRY(feed(lines, sr_bytes_of(chunk, (size_t)len)));
	}
}

/* Checks an exported log; "-" is standard input. */
static struct sr_result verify_export(const char *path, const struct sr_audit_expectation *expectation,
                                      struct sr_audit_verdict *ret_verdict)
{
	const bool is_input = strcmp(path, "-") == 0;
	const int file = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		return sr_fail_errno(errno, "open %s", path);
	}
	SR_CLEANUP(sr_audit_verifier) struct sr_audit_verifier *verifier = sr_audit_verifier_new(expectation);
	struct line_feed lines = {.reader = {.verifier = verifier}, .pending = SR_BUF(SR_AUDIT_LINE_MAX)};
	struct sr_result fed = feed_file(file, path, &lines);
	if (sr_is_ok(fed)) {
		fed = sr_audit_reader_finish(&lines.reader, lines.pending.len > 0, ret_verdict);
	}
	sr_buf_free(&lines.pending);
	if (!is_input) {
		close(file);
	}
	return fed;
}

static struct sr_result read_key(const struct sr_cli *cli, struct sr_audit_key *ret_key)
{
	const char *path = sr_cli_option(cli, "public-key");
	SR_CLEANUP(sr_buf) struct sr_buf pem = SR_BUF(FILE_MAX);
	if (!path) {
		return sr_fail(SR_INVALID,
		               "--export needs --public-key PEM: the key of `strongroom audit public-key`, which you "
		               "took from the installation by a way that you trust");
	}
	SR_TRY(sr_file_read(path, FILE_MAX, &pem));
	return sr_audit_key_from_pem(sr_buf_bytes(&pem), ret_key);
}

static struct sr_result verify_elsewhere(struct sr_cli *cli, const struct sr_buf *anchor_file, int *ret_status)
{
	struct sr_audit_key key;
	struct sr_audit_anchor anchor;
	struct sr_audit_verdict verdict;
	SR_TRY(sr_seal_init());
	SR_TRY(read_key(cli, &key));
	struct sr_audit_expectation expectation = {.key = &key};
	if (anchor_file->len) {
		SR_TRY(sr_audit_anchor_read(sr_buf_bytes(anchor_file), &anchor));
		expectation.anchor = &anchor.statement;
		expectation.anchor_text = anchor.text;
	}
	SR_TRY(verify_export(sr_cli_option(cli, "export"), &expectation, &verdict));
	SR_CLEANUP(sr_json) json_t *value = verdict_json(&verdict);
	print_verdict(cli, value, ret_status);
	return sr_ok();
}

static struct sr_result keep_verdict(const json_t *line, void *context)
{
	json_t **verdict = context;
	json_decref(*verdict);
	*verdict = json_deep_copy(line);
	return sr_ok();
}

static struct sr_result audit_verify(struct sr_cli *cli, int *ret_status)
{
	const char *service, *anchor = sr_cli_option(cli, "anchor");
	SR_CLEANUP(sr_buf) struct sr_buf anchor_file = SR_BUF(FILE_MAX);
	SR_CLEANUP(sr_json) json_t *verdict = NULL;
	SR_TRY(read_service(cli, &service));
	if (anchor) {
		SR_TRY(sr_file_read(anchor, FILE_MAX, &anchor_file));
	}
	if (sr_cli_option(cli, "export")) {
		return verify_elsewhere(cli, &anchor_file, ret_status);
	}
	SR_TRY(sr_cli_call_long(cli, service, "POST", "/_strongroom/audit/verify", sr_buf_bytes(&anchor_file), keep_verdict,
	                        &verdict));
	if (!verdict) {
		return sr_fail(SR_PROTOCOL, "%s ended before it was done", service);
	}
	print_verdict(cli, verdict, ret_status);
	return sr_ok();
}

static struct sr_result write_out(struct sr_bytes bytes, void *context)
{
	(void)context;
	if (fwrite(bytes.data, 1, bytes.len, stdout) != bytes.len) {
		return sr_fail_errno(errno, "write the export");
	}
	return sr_ok();
}

static struct sr_result audit_export(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *service;
	SR_TRY(read_service(cli, &service));
	SR_TRY(sr_cli_call_stream(cli, service, "GET", "/_strongroom/audit/export", write_out, NULL));
	return fflush(stdout) ? sr_fail_errno(errno, "write the export") : sr_ok();
}

/* Prints an answer that is text. */
static struct sr_result print_answer(struct sr_cli *cli, const char *method, const char *target)
{
	const char *service;
	SR_CLEANUP(sr_buf) struct sr_buf answer = SR_BUF(FILE_MAX);
	SR_TRY(read_service(cli, &service));
	SR_TRY(sr_cli_call_text(cli, service, method, target, NULL, &answer));
	fputs(sr_buf_text(&answer), stdout);
	return sr_ok();
}

static struct sr_result audit_anchor(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return print_answer(cli, "GET", "/_strongroom/audit/anchor");
}

static struct sr_result audit_public_key(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return print_answer(cli, "GET", "/_strongroom/audit/public-key");
}

static struct sr_result audit_rotate_key(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return print_answer(cli, "POST", "/_strongroom/audit/rotate-key");
}

#define SERVICE_OPTION                                                  \
	{                                                                   \
		"service", "NAME", "vault (the default), identity or workspace" \
	}

const struct sr_command sr_audit_commands[] = {
    {
        .words = "audit show",
        .synopsis = "[--service S] [--after SEQ] [--limit N] [--since T] [--until T] [--who ID] [--operation NAME] "
                    "[--object PATH] [--outcome CODE] [--follow]",
        .summary = "show an audit log",
        .text = "Shows the newest entries that fit, oldest first, each a line of JSON with its place in the chain;\n"
                "with --after the first ones behind that entry. What is not said does not matter. See\n"
                "docs/audit.md.",
        .options = {SR_CLI_FORMAT,
                    SERVICE_OPTION,
                    {"after", "SEQ", "entries after this number"},
                    {"limit", "N", "at most so many (default 50)"},
                    {"since", "TIME", "from then on: 2026-11-24 or 2026-11-24T12:00:00Z"},
                    {"until", "TIME", "before then"},
                    {"who", "ID", "an object id, application id, name or service; local is the Unix socket"},
                    {"operation", "NAME", "KeyCreate, KekOpen, ..."},
                    {"object", "PATH", "it and what is below it: default/keys/mykey"},
                    {"outcome", "CODE", "ok, refused (all but ok), or an error's code"},
                    {"follow", NULL, "go on with what comes"}},
        .run = audit_show,
    },
    {
        .words = "audit verify",
        .synopsis = "[--service S] [--anchor FILE] [--export FILE --public-key PEM]",
        .summary = "check an audit log's chain and signatures",
        .text = "Exits 1 and names the first entry that does not fit if one was changed, removed or put in, or if\n"
                "the log is shorter than what was signed. With --anchor also if it does not contain that\n"
                "checkpoint: then it was rolled back. With --export it checks a file of `audit export` by the\n"
                "public key alone, on any machine; - is standard input.",
        .options = {SR_CLI_FORMAT,
                    SERVICE_OPTION,
                    {"anchor", "FILE", "what `audit anchor` printed at some time"},
                    {"export", "FILE", "check this file and not the installation"},
                    {"public-key", "PEM", "what `audit public-key` printed, at the time of the export or before"}},
        .run = audit_verify,
    },
    {
        .words = "audit export",
        .synopsis = "[--service S]",
        .summary = "write an audit log out, to be checked elsewhere",
        .text = "Writes the whole log as lines of JSON: entries with their hashes, signed checkpoints, public keys.",
        .options = {SERVICE_OPTION},
        .run = audit_export,
    },
    {
        .words = "audit anchor",
        .synopsis = "[--service S]",
        .summary = "print the newest checkpoint, to be kept elsewhere",
        .text = "Keep it where who runs this machine cannot change it; `audit verify --anchor` then tells a log\n"
                "that was set back.",
        .options = {SERVICE_OPTION},
        .run = audit_anchor,
    },
    {
        .words = "audit public-key",
        .synopsis = "[--service S]",
        .summary = "print the key that checks the log's signatures",
        .text = "Prints PEM, for `audit verify --export` and for openssl.",
        .options = {SERVICE_OPTION},
        .run = audit_public_key,
    },
    {
        .words = "audit rotate-key",
        .synopsis = "[--service S]",
        .summary = "change the key that signs the log",
        .text = "The old key signs for the new one and is destroyed. Prints the new public key.",
        .options = {SERVICE_OPTION},
        .run = audit_rotate_key,
    },
    {0},
};
