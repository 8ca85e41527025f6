/* Administration on the Unix socket: status, rotation of signing keys, verification of what is at rest. */
#include "identity/api.h"

#include "base/clock.h"
#include "host/verification.h"
#include "identity/assignment.h"
#include "identity/principal.h"
#include "identity/signing_plan.h"
#include "seal/image.h"
#include "wire/time.h"

struct counts {
	int64_t principals, assignments;
	json_t *signing_keys;
};

static struct sr_result count_rows(struct sr_connection *connection, void *context)
{
	struct counts *counts = context;
	SR_TRY(sr_application_count(connection, &counts->principals));
	SR_TRY(sr_assignment_count(connection, &counts->assignments));
	return sr_signing_keys_jwks(connection, &counts->signing_keys);
}

struct sr_result sr_identity_status(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	struct sr_identity *identity = request->identity;
	struct counts counts;
	SR_TRY(sr_database_read(request->store->database, count_rows, &counts));
	json_t *body = json_object();
	sr_json_set_string(body, "service", "identity");
	sr_json_set_int(body, "uptime_s", (int64_t)((sr_boottime_ms() - identity->started_ms) / 1000));
	sr_json_set_string(body, "tenant", request->store->tenant);
	sr_json_set_string(body, "subscription", request->store->subscription);
	sr_json_set_int(body, "principals", counts.principals);
	sr_json_set_int(body, "assignments", counts.assignments);
	sr_json_set_int(body, "signing_keys", (int64_t)json_array_size(counts.signing_keys));
	sr_json_set_int(body, "tokens_issued", (int64_t)atomic_load(&identity->tokens_issued));
	sr_json_set_int(body, "tokens_refused", (int64_t)atomic_load(&identity->tokens_refused));
	json_decref(counts.signing_keys);
	answer->body = body;
	return sr_ok();
}

/* {"ahead_s": N}: from when on the new key signs; a day from now if it is not said. */
static struct sr_result read_ahead(struct sr_bytes body, int64_t *ret_ahead_s)
{
	if (!body.len) {
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *asked = NULL;
	SR_TRY(sr_json_parse(body, &asked));
	SR_TRY(sr_json_get_int(asked, "ahead_s", ret_ahead_s));
	if (*ret_ahead_s < 0 || *ret_ahead_s > SR_SIGNING_ROTATE_S) {
		return sr_fail(SR_INVALID, "'ahead_s' is 0 to %d seconds", SR_SIGNING_ROTATE_S);
	}
	return sr_ok();
}

struct sr_result sr_identity_rotate(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	int64_t ahead_s = SR_SIGNING_AHEAD_S;
	SR_TRY(read_ahead(request->body, &ahead_s));
	char kid[SR_KID_LEN];
	int64_t active_from_s;
	SR_TRY(sr_signing_keys_rotate(request->store->signing_keys, request->now_s, ahead_s, kid, &active_from_s));
	char when[SR_ISO_TIME_LEN];
	sr_iso_time(active_from_s, when);
	answer->is_change = true;
	answer->body = json_object();
	sr_json_set_string(answer->body, "kid", kid);
	sr_json_set_string(answer->body, "signsFrom", when);
	return sr_ok();
}

/* Damage is a finding; anything else (the key was taken away meanwhile) ends the walk. */
static struct sr_result note(struct sr_verification *report, const char *kind, const char *id, struct sr_result checked)
{
	enum sr_code code = sr_result_code(checked);
	if (code != SR_CORRUPT && code != SR_WRONG_KEY) {
		return checked;
	}
	sr_verification_find(report, (struct sr_verified){"identity", kind, id}, checked);
	return sr_ok();
}

static struct sr_result check_all(struct sr_verification *report, struct sr_identity_store *store)
{
	SR_TRY(note(report, "database", "identity.db", sr_database_verify(store->database, sr_verification_pages, report)));
	return note(report, "signing key", "signing keys", sr_signing_keys_verify(store->signing_keys));
}

static void abort_exchange(void *context)
{
	sr_exchange_abort(context);
}

struct sr_result sr_identity_verify(const struct sr_identity_request *request, struct sr_exchange *exchange)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_identity_store *store;
	SR_TRY(sr_identity_enter(request->identity, abort_exchange, exchange, &use, &store));
	SR_CLEANUP(sr_verification) struct sr_verification report = {0};
	SR_TRY(sr_verification_begin(exchange, &report));
	sr_blocking_begin(); /* others answer while this one reads everything */
	struct sr_result checked = check_all(&report, store);
	sr_blocking_end();
	SR_TRY(checked);
	return sr_verification_finish(&report);
}

/* The image of all that identity keeps, for a backup: there until it is deleted, or another is made. */
struct sr_result sr_identity_freeze(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	SR_CLEANUP(sr_image) struct sr_image *image = NULL;
	SR_TRY(sr_image_begin(request->identity->options.state_dir, &image));
	SR_TRY(sr_image_add_file(image, "resource"));
	SR_TRY(sr_image_add_database(image, "identity.db", request->store->database));
	answer->body = json_object();
	return sr_ok();
}

struct sr_result sr_identity_thaw(const struct sr_identity_request *request, struct sr_identity_answer *answer)
{
	answer->status = 204;
	return sr_image_remove(request->identity->options.state_dir);
}
