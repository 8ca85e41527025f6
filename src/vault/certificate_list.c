/* Lists of certificates, versions and deleted certificates, in pages of at most 25. A page's token is the last name or
 * number shown, so a list stays right while certificates come and go. */
#include "vault/certificate_handlers.h"

#include <strings.h>

enum { PAGE_MAX = 25, TOKEN_MAX = 256 };

enum list_kind { LIST_CERTIFICATES, LIST_DELETED, LIST_VERSIONS };

struct listing {
	struct sr_vault_call *call;
	enum list_kind kind;
	size_t limit;
	const char *after_name;
	int64_t after_number;
	bool with_pending;
	struct sr_certificate_page page;
};

/* Those that only wait are among the others by name; both pages are cut where the shorter knowledge ends. */
static struct sr_result merge_pending(struct sr_connection *connection, struct listing *listing)
{
	struct sr_vault_call *call = listing->call;
	struct sr_certificate_page waiting;
	SR_TRY(sr_vault_certificate_list_pending(connection, call->arena, call->record.name, listing->after_name,
	                                         listing->limit, &waiting));
	const struct sr_certificate_page made = listing->page;
	struct sr_certificate_page all = {.items = sr_arena_alloc(call->arena, listing->limit * sizeof *all.items)};
	size_t i = 0, k = 0;
	while (all.count < listing->limit && (i < made.count || k < waiting.count)) {
		bool takes_made = k == waiting.count ||
		                  (i < made.count && strcasecmp(made.items[i].head.name, waiting.items[k].head.name) < 0);
		all.items[all.count++] = takes_made ? made.items[i++] : waiting.items[k++];
	}
	all.has_more = i < made.count || k < waiting.count || made.has_more || waiting.has_more;
	listing->page = all;
	return sr_ok();
}

static struct sr_result read_work(struct sr_connection *connection, void *context)
{
	struct listing *listing = context;
	struct sr_vault_call *call = listing->call;
	if (listing->kind == LIST_VERSIONS) {
		return sr_vault_certificate_list_versions(connection, call->arena, call->record.name, call->name,
		                                          listing->after_number, listing->limit, &listing->page);
	}
	SR_TRY(sr_vault_certificate_list(connection, call->arena, call->record.name, listing->after_name,
	                                 listing->kind == LIST_DELETED ? SR_CERTIFICATE_DELETED : SR_CERTIFICATE_LIVE,
	                                 listing->limit, &listing->page));
	return listing->with_pending && listing->kind == LIST_CERTIFICATES ? merge_pending(connection, listing) : sr_ok();
}

static struct sr_result read_parameters(struct sr_vault_call *call, struct listing *listing)
{
	const char *limit_text = sr_parameter_get(&call->query, "maxresults");
	const char *pending = sr_parameter_get(&call->query, "includePending");
	const char *token = sr_parameter_get(&call->query, "$skiptoken");
	uint64_t limit = PAGE_MAX;
	if (limit_text) {
		SR_TRY(sr_parse_u64(sr_bytes_str(limit_text), PAGE_MAX, &limit));
	}
	if (limit == 0) {
		return sr_fail(SR_INVALID, "maxresults: 1 to %d", PAGE_MAX);
	}
	listing->limit = (size_t)limit;
	listing->with_pending = pending && strcasecmp(pending, "true") == 0;
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

static const char *next_link(const struct listing *listing)
{
	struct sr_vault_call *call = listing->call;
	const struct sr_certificate_record *last = &listing->page.items[listing->page.count - 1];
	const bool is_versions = listing->kind == LIST_VERSIONS;
	SR_CLEANUP(sr_buf) struct sr_buf link = SR_BUF(4096);
	sr_buf_printf(&link, "%s/%s", call->base_url,
	              listing->kind == LIST_DELETED ? "deletedcertificates" : "certificates");
	if (is_versions) {
		sr_buf_printf(&link, "/%s/versions", call->name);
	}
	sr_buf_printf(&link, "?api-version=%s&maxresults=%zu%s&$skiptoken=", call->api_version, listing->limit,
	              listing->with_pending ? "&includePending=true" : "");
	sr_base64url_encode(&link, sr_bytes_str(is_versions ? sr_arena_printf(call->arena, "%lld", (long long)last->number)
	                                                    : last->head.name));
	return sr_arena_strdup(call->arena, sr_buf_text(&link));
}

static struct sr_result list(struct sr_vault_call *call, enum list_kind kind, struct sr_vault_answer *answer)
{
	struct listing listing = {.call = call, .kind = kind, .after_name = ""};
	SR_TRY(read_parameters(call, &listing));
	SR_TRY(sr_database_read(call->vault->state.database, read_work, &listing));

	const struct sr_certificate_view view = sr_call_certificate_view(call);
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *items = json_array();
	sr_json_set(body, "value", items);
	for (size_t i = 0; i < listing.page.count; i++) {
		json_t *item;
		SR_TRY(sr_certificate_item(&view, &listing.page.items[i], kind == LIST_VERSIONS, &item));
		json_array_append_new(items, item);
	}
	sr_json_set(body, "nextLink", listing.page.has_more ? json_string(next_link(&listing)) : json_null());
	answer->body = SR_TAKE(body);
	return sr_ok();
}

struct sr_result sr_handle_certificates_list(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return list(call, LIST_CERTIFICATES, answer);
}

struct sr_result sr_handle_deleted_certificates_list(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return list(call, LIST_DELETED, answer);
}

struct sr_result sr_handle_certificate_versions_list(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	return list(call, LIST_VERSIONS, answer);
}
