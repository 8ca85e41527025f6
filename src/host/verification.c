/* The lines of a verification's report. */
#include "host/verification.h"

#include "base/clock.h"

enum { LINE_MAX_LEN = 8 * 1024 * 1024, LISTED_MAX = 10000, PROGRESS_MS = 250 };

static void send_line(struct sr_verification *verification, const json_t *line)
{
	if (!sr_is_ok(verification->sent)) {
		return;
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(LINE_MAX_LEN);
	struct sr_result written = sr_json_write(line, &text);
	sr_buf_append_str(&text, "\n");
	verification->sent = sr_first_error(written, sr_buf_result(&text));
	if (sr_is_ok(verification->sent)) {
		verification->sent = sr_exchange_write(verification->exchange, sr_buf_bytes(&text));
	}
}

struct sr_result sr_verification_begin(struct sr_exchange *exchange, struct sr_verification *ret_verification)
{
	sr_exchange_add_header(exchange, "Content-Type", "application/x-ndjson");
	SR_TRY(sr_exchange_begin(exchange, 200, -1));
	*ret_verification =
	    (struct sr_verification){.exchange = exchange, .findings = json_array(), .skipped = json_array()};
	return sr_ok();
}

void sr_verification_cleanup(struct sr_verification *verification)
{
	sr_json_cleanup(&verification->findings);
	sr_json_cleanup(&verification->skipped);
	sr_result_cleanup(&verification->sent);
}

void sr_verification_progress(struct sr_verification *verification, const char *what, uint64_t done, uint64_t all)
{
	uint64_t now_ms = sr_boottime_ms();
	if (done < all && now_ms < verification->progress_at_ms) {
		return;
	}
	verification->progress_at_ms = now_ms + PROGRESS_MS;
	SR_CLEANUP(sr_json) json_t *line = json_object();
	sr_json_set_string(line, "what", what);
	sr_json_set_int(line, "done", (int64_t)done);
	sr_json_set_int(line, "all", (int64_t)all);
	send_line(verification, line);
}

void sr_verification_pages(uint64_t done, uint64_t all, void *context)
{
	sr_verification_progress(context, "database", done, all);
}

bool sr_verification_is_heard(const struct sr_verification *verification)
{
	return sr_is_ok(verification->sent);
}

static void list(json_t *items, struct sr_verified what, struct sr_result why)
{
	if (json_array_size(items) < LISTED_MAX) {
		json_t *item = json_object();
		sr_json_set_string(item, "account", what.account);
		sr_json_set_string(item, "kind", what.kind);
		sr_json_set_string(item, "id", what.id);
		sr_json_set_string(item, "reason", sr_result_message(why));
		json_array_append_new(items, item);
	}
	sr_result_free(why);
}

void sr_verification_find(struct sr_verification *verification, struct sr_verified what, struct sr_result why)
{
	list(verification->findings, what, why);
}

void sr_verification_skip(struct sr_verification *verification, struct sr_verified what, struct sr_result why)
{
	list(verification->skipped, what, why);
}

struct sr_result sr_verification_finish(struct sr_verification *verification)
{
	SR_CLEANUP(sr_json) json_t *last = json_object();
	sr_json_set_string(last, "result", json_array_size(verification->findings) ? "damaged" : "ok");
	sr_json_set(last, "findings", SR_TAKE(verification->findings));
	sr_json_set(last, "skipped", SR_TAKE(verification->skipped));
	send_line(verification, last);
	SR_TRY(sr_result_take(&verification->sent));
	return sr_exchange_end(verification->exchange);
}
