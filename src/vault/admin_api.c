/* The endpoints under /_strongroom but verification: a table like the customers' one, without tokens. */
#include "vault/admin_api.h"

#include "audit/audit_api.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seal/image.h"
#include "vault/api.h"
#include "vault/api_error.h"
#include "vault/audit.h"
#include "vault/authorise.h"
#include "vault/backup.h"
#include "vault/kek_anchor.h"
#include "vault/kek_store.h"
#include "vault/own_certificate.h"
#include "vault/vault_store.h"
#include "wire/json.h"
#include "wire/url.h"

#include <string.h>

#define PREFIX "/_strongroom/"
#define AUDIT  "audit/"

enum { BODY_MAX = 4096, ANSWER_MAX = 16 * 1024 * 1024, KEK_PAGE = 500, VAULT_PAGE = 100 };

bool sr_vault_admin_is_for(struct sr_exchange *exchange)
{
	return sr_exchange_is_local(exchange) && sr_bytes_start_with(sr_exchange_path(exchange), SR_LITERAL(PREFIX));
}

struct admin_call {
	struct sr_vault *vault;
	struct sr_exchange *exchange;
	struct sr_arena *arena;
	struct sr_parameters query;
};

static struct sr_result send_json(struct admin_call *call, const json_t *body)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(ANSWER_MAX);
	SR_TRY(sr_json_write(body, &text));
	SR_TRY(sr_buf_result(&text));
	sr_exchange_add_header(call->exchange, "Content-Type", "application/json");
	return sr_exchange_send(call->exchange, 200, sr_buf_bytes(&text));
}

/* Leases as they are when asked, in the arena. */
struct lease_list {
	struct sr_arena *arena;
	struct sr_lease_state *items;
	size_t count, cap;
};

static void add_lease(const struct sr_lease_state *lease, void *context)
{
	struct lease_list *list = context;
	if (list->count == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 64;
		struct sr_lease_state *larger = sr_arena_alloc(list->arena, cap * sizeof *larger);
		if (list->count) {
			memcpy(larger, list->items, list->count * sizeof *larger);
		}
		list->items = larger;
		list->cap = cap;
	}
	list->items[list->count] = *lease;
	list->items[list->count++].service = sr_arena_strdup(list->arena, lease->service);
}

static struct lease_list leases_now(struct admin_call *call)
{
	struct lease_list list = {.arena = call->arena};
	sr_grantor_each_lease(call->vault->state.grantor, add_lease, &list);
	return list;
}

/* The services that hold leases, each once. */
static json_t *holder_names(const struct lease_list *leases)
{
	json_t *names = json_array();
	for (size_t i = 0; i < leases->count; i++) {
		bool is_new = true;
		for (size_t k = 0; k < i && is_new; k++) {
			is_new = strcmp(leases->items[k].service, leases->items[i].service) != 0;
		}
		if (is_new) {
			json_array_append_new(names, json_string(leases->items[i].service));
		}
	}
	return names;
}

struct counts {
	struct sr_vault_counts vault;
	uint64_t audit_entries;
};

static struct sr_result count_work(struct sr_connection *connection, void *context)
{
	struct counts *counts = context;
	SR_TRY(sr_vault_count(connection, &counts->vault));
	return sr_audit_count(connection, &counts->audit_entries);
}

static struct sr_result handle_status(struct admin_call *call)
{
	struct counts counts;
	SR_TRY(sr_database_read(call->vault->state.database, count_work, &counts));
	const struct lease_list leases = leases_now(call);
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "service", "vault");
	if (call->vault->gate) {
		sr_gate_report(call->vault->gate, body);
	}
	sr_json_set_int(body, "uptime_s", (int64_t)((sr_boottime_ms() - call->vault->started_ms) / 1000));
	sr_json_set_int(body, "vaults", counts.vault.vaults);
	sr_json_set_int(body, "keys", counts.vault.keys);
	sr_json_set_int(body, "key_versions", counts.vault.key_versions);
	sr_json_set_int(body, "leases", (int64_t)leases.count);
	sr_json_set(body, "holders", holder_names(&leases));
	sr_json_set_int(body, "audit_entries", (int64_t)counts.audit_entries);
	return send_json(call, body);
}

static json_t *kek_holders(const struct lease_list *leases, const struct sr_id *resource)
{
	json_t *holders = json_array();
	for (size_t i = 0; i < leases->count; i++) {
		if (sr_id_equal(&leases->items[i].resource, resource)) {
			json_t *holder = json_object();
			sr_json_set_string(holder, "service", leases->items[i].service);
			sr_json_set_int(holder, "left_ms", (int64_t)leases->items[i].left_ms);
			json_array_append_new(holders, holder);
		}
	}
	return holders;
}

static json_t *kek_json(const struct sr_kek_record *kek, const struct lease_list *leases)
{
	char resource[SR_ID_TEXT_LEN];
	sr_id_text(&kek->resource, resource);
	json_t *item = json_object();
	sr_json_set_string(item, "resource", resource);
	sr_json_set_string(item, "service", kek->service);
	sr_json_set_string(item, "kind", kek->kind);
	sr_json_set_string(item, "label", kek->label);
	sr_json_set_int(item, "kek_epoch", kek->kek_epoch);
	sr_json_set_string(item, "vault", kek->vault);
	sr_json_set_string(item, "key", kek->key);
	sr_json_set_string(item, "version", kek->version);
	sr_json_set_bool(item, "follows_latest", kek->follows_latest);
	sr_json_set_bool(item, "service_managed", !kek->vault);
	sr_json_set_bool(item, "shredded", kek->is_shredded);
	sr_json_set_int(item, "created", kek->created);
	sr_json_set_int(item, "rewrapped", kek->rewrapped);
	sr_json_set(item, "holders", kek_holders(leases, &kek->resource));
	return item;
}

struct kek_listing {
	struct sr_arena *arena;
	struct sr_kek_filter filter;
	const struct lease_list *leases;
	json_t *items;
};

static struct sr_result list_keks(struct sr_connection *connection, void *context)
{
	struct kek_listing *listing = context;
	struct sr_kek_page page = {.has_more = true};
	struct sr_id after;
	while (page.has_more) {
		SR_TRY(sr_kek_list(connection, listing->arena, &listing->filter, page.items ? &after : NULL, KEK_PAGE, &page));
		for (size_t i = 0; i < page.count; i++) {
			json_array_append_new(listing->items, kek_json(&page.items[i], listing->leases));
			after = page.items[i].resource;
		}
	}
	return sr_ok();
}

static struct sr_result handle_keks(struct admin_call *call)
{
	const struct lease_list leases = leases_now(call);
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *items = json_array();
	sr_json_set(body, "value", items);
	struct kek_listing listing = {.arena = call->arena,
	                              .filter = {.vault = sr_parameter_get(&call->query, "vault"),
	                                         .key = sr_parameter_get(&call->query, "key"),
	                                         .version = sr_parameter_get(&call->query, "version")},
	                              .leases = &leases,
	                              .items = items};
	SR_TRY(sr_database_read(call->vault->state.database, list_keks, &listing));
	return send_json(call, body);
}

struct vault_creation {
	struct admin_call *call;
	struct sr_vault_record record;
};

static struct sr_result create_vault(struct sr_connection *connection, void *context)
{
	struct vault_creation *creation = context;
	SR_TRY(sr_vault_insert(connection, &creation->record));
	const struct sr_audit_event event = {.object_id = "local",
	                                     .from = "local",
	                                     .operation = "VaultCreate",
	                                     .object = creation->record.name,
	                                     .request_id = sr_exchange_request_id(creation->call->exchange),
	                                     .status = 200};
	return sr_audit_append(connection, &event);
}

static struct sr_result handle_vault_create(struct admin_call *call)
{
	struct sr_bytes text;
	SR_TRY(sr_exchange_read_all(call->exchange, BODY_MAX, &text));
	SR_CLEANUP(sr_json) json_t *request = NULL;
	SR_TRY(sr_json_parse(text, &request));
	struct sr_vault_record record = {.name = "",
	                                 .resource_group = SR_DEFAULT_GROUP,
	                                 .created = sr_unix_s(),
	                                 .retention_days = SR_RETENTION_DAYS,
	                                 .is_by_roles = true};
	SR_TRY(sr_json_get_string(request, "name", &record.name));
	SR_TRY(sr_json_get_string(request, "resource_group", &record.resource_group));
	SR_TRY(sr_json_get_int(request, "retention_days", &record.retention_days));
	SR_TRY(sr_json_get_bool(request, "purge_protection", &record.is_purge_protected));
	struct vault_creation creation = {call, record};
	SR_TRY(sr_database_write(call->vault->state.database, create_vault, &creation));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "name", record.name);
	return send_json(call, body);
}

/* All vaults, deleted ones too, with their ids; and what a new one's id begins with. */
struct vault_listing {
	struct admin_call *call;
	struct sr_installation installation;
	json_t *items;
};

static struct sr_result list_vaults(struct sr_connection *connection, void *context)
{
	struct vault_listing *listing = context;
	const struct sr_vault_filter filter = {.default_subscription = listing->installation.subscription,
	                                       .presence = SR_VAULT_EITHER};
	struct sr_vault_page page = {.has_more = true};
	const char *after = "";
	while (page.has_more) {
		SR_TRY(sr_vault_list(connection, listing->call->arena, &filter, after, VAULT_PAGE, &page));
		for (size_t i = 0; i < page.count; i++) {
			const struct sr_vault_record *vault = &page.items[i];
			json_t *item = json_object();
			sr_json_set_string(item, "name", vault->name);
			sr_json_set_string(item, "id",
			                   sr_vault_resource_id(listing->call->arena, vault, filter.default_subscription));
			sr_json_set_string(item, "location", vault->location);
			sr_json_set_string(item, "access", vault->is_by_roles ? "roles" : "policies");
			sr_json_set_bool(item, "purge_protection", vault->is_purge_protected);
			sr_json_set_int(item, "created", vault->created);
			if (vault->deleted_at != SR_NO_TIME) {
				sr_json_set_int(item, "deleted", vault->deleted_at);
				sr_json_set_int(item, "purge", vault->purge_at);
			}
			json_array_append_new(listing->items, item);
			after = vault->name;
		}
	}
	return sr_ok();
}

static struct sr_result handle_vaults(struct admin_call *call)
{
	struct vault_listing listing = {.call = call};
	SR_TRY(sr_access_installation(call->vault->access, &listing.installation));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	listing.items = json_array();
	sr_json_set_string(body, "tenant", listing.installation.tenant);
	sr_json_set_string(body, "subscription", listing.installation.subscription);
	sr_json_set(body, "value", listing.items);
	SR_TRY(sr_database_read(call->vault->state.database, list_vaults, &listing));
	return send_json(call, body);
}

/* The table of operations with what each needs, as the program has it. */
static struct sr_result handle_operations(struct admin_call *call)
{
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *items = json_array();
	const struct sr_vault_route *route;
	for (size_t i = 0; (route = sr_vault_route_at(i)); i++) {
		json_t *item = json_object();
		sr_json_set_string(item, "method", route->method);
		sr_json_set_string(item, "path", route->pattern);
		sr_json_set_string(item, "operation", route->operation);
		sr_json_set_string(item, "permission", route->permission);
		sr_json_set_string(item, "dataAction",
		                   sr_arena_printf(call->arena, "Microsoft.KeyVault/vaults/%s", route->data_action));
		json_array_append_new(items, item);
	}
	sr_json_set(body, "value", items);
	return send_json(call, body);
}

static struct sr_result handle_ca(struct admin_call *call)
{
	SR_CLEANUP(sr_buf) struct sr_buf pem = SR_BUF(BODY_MAX);
	SR_TRY(sr_certificate_pem(sr_authority_certificate(call->vault->authority), &pem));
	SR_TRY(sr_buf_result(&pem));
	sr_exchange_add_header(call->exchange, "Content-Type", "application/x-pem-file");
	return sr_exchange_send(call->exchange, 200, sr_buf_bytes(&pem));
}

/* Renews a service's certificate now: ?service=NAME. */
static struct sr_result handle_renew(struct admin_call *call)
{
	const char *service = sr_parameter_get(&call->query, "service");
	struct sr_certificate_record certificate;
	SR_TRY(sr_service_certificate_renew(call->vault, call->arena, service ? service : "", &certificate));
	char thumbprint[2 * 20 + 1] = "";
	if (certificate.thumbprint.len == 20) {
		sr_hex_encode(certificate.thumbprint, thumbprint);
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "service", certificate.head.name);
	sr_json_set_string(body, "version", certificate.version);
	sr_json_set_string(body, "thumbprint", thumbprint);
	sr_json_set_int(body, "exp", certificate.exp);
	return send_json(call, body);
}

static struct sr_result handle_verify(struct admin_call *call)
{
	return sr_vault_admin_verify(call->exchange, call->vault);
}

static struct sr_result handle_freeze(struct admin_call *call)
{
	SR_TRY(sr_vault_freeze(call->vault));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	return send_json(call, body);
}

static struct sr_result handle_thaw(struct admin_call *call)
{
	SR_TRY(sr_image_remove(sr_host_state_dir(call->vault->host)));
	return sr_exchange_send(call->exchange, 204, (struct sr_bytes){0});
}

/* {"sha256"} in hex to {"seal"} in base64url. */
static struct sr_result handle_manifest_seal(struct admin_call *call)
{
	struct sr_bytes text;
	SR_TRY(sr_exchange_read_all(call->exchange, BODY_MAX, &text));
	SR_CLEANUP(sr_json) json_t *request = NULL;
	SR_TRY(sr_json_parse(text, &request));
	const char *hex = "";
	uint8_t sha256[SR_MANIFEST_DIGEST_LEN];
	SR_TRY(sr_json_get_string(request, "sha256", &hex));
	SR_TRY(sr_hex_decode(sr_bytes_str(hex), sha256, sizeof sha256));
	SR_CLEANUP(sr_buf) struct sr_buf seal = SR_BUF(SR_MANIFEST_SEAL_MAX);
	SR_TRY(sr_vault_manifest_seal(call->vault, sr_bytes_of(sha256, sizeof sha256), &seal));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_base64url(body, "seal", sr_buf_bytes(&seal));
	return send_json(call, body);
}

struct anchor_listing {
	struct sr_arena *arena;
	struct sr_kek_anchors anchors;
};

static struct sr_result list_anchors(struct sr_connection *connection, void *context)
{
	struct anchor_listing *listing = context;
	return sr_kek_list_anchors(connection, listing->arena, NULL, NULL, &listing->anchors);
}

static struct sr_result handle_anchors(struct admin_call *call)
{
	struct anchor_listing listing = {.arena = call->arena};
	SR_TRY(sr_database_read(call->vault->state.database, list_anchors, &listing));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	json_t *items = json_array();
	sr_json_set(body, "value", items);
	for (size_t i = 0; i < listing.anchors.count; i++) {
		const struct sr_kek_anchor *anchor = &listing.anchors.items[i];
		char resource[SR_ID_TEXT_LEN];
		sr_id_text(&anchor->resource, resource);
		json_t *item = json_object();
		sr_json_set_string(item, "resource", resource);
		sr_json_set_string(item, "service", anchor->service);
		sr_json_set_string(item, "kind", anchor->kind);
		sr_json_set_string(item, "label", anchor->label);
		sr_json_set_int(item, "anchor", (int64_t)anchor->anchor);
		json_array_append_new(items, item);
	}
	return send_json(call, body);
}

static struct sr_result handle_anchor_accept(struct admin_call *call)
{
	struct sr_bytes text;
	const char *service = NULL, *name = NULL;
	SR_TRY(sr_exchange_read_all(call->exchange, BODY_MAX, &text));
	SR_CLEANUP(sr_json) json_t *request = NULL;
	SR_TRY(sr_json_parse(text, &request));
	SR_TRY(sr_json_get_string(request, "service", &service));
	SR_TRY(sr_json_get_string(request, "name", &name));
	if (!service || !name) {
		return sr_fail(SR_INVALID, "'service' and 'name' say what is accepted");
	}
	sr_blocking_begin();
	struct sr_result accepted =
	    sr_kek_accept_rollback(&call->vault->state, service, name, sr_exchange_request_id(call->exchange));
	sr_blocking_end();
	SR_TRY(accepted);
	SR_CLEANUP(sr_json) json_t *body = json_object();
	return send_json(call, body);
}

static const struct {
	const char *method, *path;
	struct sr_result (*handle)(struct admin_call *call);
} endpoints[] = {
    {"GET", "status", handle_status},
    {"GET", "keks", handle_keks},
    {"POST", "vaults", handle_vault_create},
    {"GET", "vaults", handle_vaults},
    {"GET", "operations", handle_operations},
    {"POST", "verify", handle_verify},
    {"GET", "ca", handle_ca},
    {"GET", "anchors", handle_anchors},
    {"POST", "anchors/accept", handle_anchor_accept},
    {"POST", "certificates/renew", handle_renew},
    {"POST", "image", handle_freeze},
    {"DELETE", "image", handle_thaw},
    {"POST", "manifest-seal", handle_manifest_seal},
};

struct sr_result sr_vault_admin_handle(struct sr_exchange *exchange, struct sr_vault *vault)
{
	const struct sr_bytes path = sr_exchange_path(exchange);
	const struct sr_bytes rest = sr_bytes_of(path.data + sizeof PREFIX - 1, path.len - (sizeof PREFIX - 1));
	struct admin_call call = {.vault = vault, .exchange = exchange, .arena = sr_exchange_arena(exchange)};
	SR_TRY(sr_parameters_parse(call.arena, sr_exchange_query(exchange), false, &call.query));
	if (sr_root_api_is_for(rest)) {
		return sr_root_api_handle(exchange, vault, rest, &call.query);
	}
	for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
		if (strcmp(endpoints[i].method, sr_exchange_method(exchange)) == 0 &&
		    sr_equal_public(sr_bytes_str(endpoints[i].path), rest)) {
			return endpoints[i].handle(&call);
		}
	}
	if (sr_bytes_start_with(rest, SR_LITERAL(AUDIT))) {
		const struct sr_bytes what = sr_bytes_of(rest.data + sizeof AUDIT - 1, rest.len - (sizeof AUDIT - 1));
		return sr_audit_api_handle(exchange, sr_arena_text(call.arena, what), vault->audit);
	}
	return sr_fail_as(SR_NOT_FOUND, "NotFound", "the vault has no such endpoint");
}
