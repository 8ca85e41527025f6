/* Lists of secrets, versions and deleted secrets, in pages of at most 25. A page's token is the last name or number
 * shown, so a list stays right while secrets come and go. */
#include "vault/secret_handlers.h"

#include "vault/secret_json.h"

enum { PAGE_MAX = 25, TOKEN_MAX = 256 };

enum list_kind { LIST_SECRETS, LIST_DELETED, LIST_VERSIONS };

struct listing {
	struct sr_vault_call *call;
	enum list_kind kind;
	size_t limit;
	const char *after_name;
	int64_t after_number;
	struct sr_secret_page page;
};

static struct sr_result read_work(struct sr_connection *connection, void *context)
{
	struct listing *listing = context;
	struct sr_vault_call *call = listing->call;
	if (listing->kind == LIST_VERSIONS) {
		return sr_vault_secret_list_versions(connection, call->arena, call->record.name, call->name,
		                                     listing->after_number, listing->limit, &listing->page);
	}
	return sr_vault_secret_list(connection, call->arena, call->record.name, listing->after_name,
	                            listing->kind == LIST_DELETED ? SR_SECRET_DELETED : SR_SECRET_LIVE, listing->limit,
	                            &listing->page);
}

static struct sr_result read_token(struct sr_vault_call *call, struct listing *listing)
{
	const char *token = sr_parameter_get(&call->query, "$skiptoken");
	if (!token) {
		return sr_ok();
	}
	SR_CLEANUP(sr_buf) struct sr_buf decoded = SR_BUF(TOKEN_MAX);
	SR_TRY(sr_base64url_decode(sr_bytes_str(token), &decoded));
	listing->after_name = sr_arena_text(call->arena, sr_buf_bytes(&decoded));
	if (listing->kind == LIST_VERSIONS) {
		uint64_t number;
		SR_TRY(sr_parse_u64(sr_buf_bytes(&decoded), INT64_MAX, &number));
		listing->after_number = (int64_t)number;
	}
	return sr_ok();
}

static struct sr_result read_limit(struct sr_vault_call *call, size_t *ret_limit)
{
	const char *text = sr_parameter_get(&call->query, "maxresults");
	uint64_t limit = PAGE_MAX;
	if (text) {
		SR_TRY(sr_parse_u64(sr_bytes_str(text), PAGE_MAX, &limit));
	}
	if (limit == 0) {
		return sr_fail(SR_INVALID, "maxresults: 1 to %d", PAGE_MAX);
	}
	*ret_limit = (size_t)limit;
	return sr_ok();
}

static const char *next_link(const struct listing *listing)
{
	struct sr_vault_call *call = listing->call;
	const struct sr_secret_record *last = &listing->page.items[listing->page.count - 1];
	SR_CLEANUP(sr_buf) struct sr_buf link = SR_BUF(4096);
	sr_buf_append_str(&link, call->base_url);
	switch (listing->kind) {
	case LIST_SECRETS:
		sr_buf_append_str(&link, "/secrets");
		break;
	case LIST_DELETED:
		sr_buf_append_str(&link, "/deletedsecrets");
		break;
	case LIST_VERSIONS:
		sr_buf_printf(&link, "/secrets/%s/versions", call->name);
		break;
	}
	const char *token =
	    listing->kind == LIST_VERSIONS ? sr_arena_printf(call->arena, "%lld", (long long)last->number) : last->name;
	sr_buf_printf(&link, "?api-version=%s&maxresults=%zu&$skiptoken=", call->api_version, listing->limit);
	sr_base64url_encode(&link, sr_bytes_str(token));
	return sr_arena_strdup(call->arena, sr_buf_text(&link));
}

static struct sr_result list(struct sr_vault_call *call, enum list_kind kind, struct sr_vault_answer *answer)
{
	struct listing listing = {.call = call, .kind = kind, .after_name = ""};
	SR_TRY(read_limit(call, &listing.limit));
	SR_TRY(read_token(call, &listing));
	SR_TRY(sr_database_read(call->vault->state.database, read_work, &listing));

	const struct sr_key_view view = {call->base_url, &call->record};
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *items = json_array();
	sr_json_set(body, "value", items);
	for (size_t i = 0; i < listing.page.count; i++) {
		json_t *item;
		SR_TRY(sr_secret_item(&view, &listing.page.items[i], kind == LIST_VERSIONS, &item));
		json_array_append_new(items, item);
	}
	sr_json_set(body, "nextLink", listing.page.has_more ? json_string(next_link(&listing)) : json_null());
	answer->body = SR_TAKE(body);
	return sr_ok();
}

struct sr_result sr_handle_secrets_list(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return list(call, LIST_SECRETS, answer);
}

struct sr_result sr_handle_deleted_secrets_list(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return list(call, LIST_DELETED, answer);
}

struct sr_result sr_handle_secret_versions_list(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return list(call, LIST_VERSIONS, answer);
}
