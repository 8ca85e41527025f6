/*
 * What holders ask and say. Renewals and acknowledgements are answered on the link's own thread; what may take
 * long (opening, management, which may itself recall and so wait for this very link) goes to a crew.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "keyring/reference.h"
#include "seal/handover.h"
#include "vault/grantor_state.h"

/* ---- opening ---- */

/* A KEK as the store opened it, and the grant that would carry it. */
struct opened {
	struct sr_secret *kek;
	struct sr_lease_message grant;
	struct sr_buf sealed;
};

static void opened_cleanup(struct opened *opened)
{
	sr_secret_free(opened->kek);
	sr_buf_free(&opened->sealed);
}

static struct sr_result open_and_seal(struct link *link, const struct sr_lease_message *request, struct opened *opened)
{
	struct sr_grantor *grantor = link->grantor;
	const struct sr_grantor_store *store = &grantor->options.store;
	opened->grant = (struct sr_lease_message){.kind = SR_LEASE_GRANT,
	                                          .request = request->request,
	                                          .resource = request->resource,
	                                          .lease = sr_id_random(),
	                                          .ttl_ms = grantor->options.ttl_ms};
	SR_TRY(store->open_kek(store->context, link->service, &request->resource, &opened->kek, &opened->grant.kek_epoch,
	                       &opened->grant.revocation_epoch));
	if (store->least_anchor) {
		SR_TRY(store->least_anchor(store->context, link->service, &request->resource, &opened->grant.anchor));
	}
	SR_CLEANUP(sr_buf) struct sr_buf aad = SR_BUF(128);
	sr_lease_handover_aad(&link->instance, &opened->grant, &aad);
	SR_TRY(sr_buf_result(&aad));
	SR_TRY(sr_handover_seal(link->public_key, sr_buf_bytes(&aad), opened->kek, &opened->sealed));
	opened->grant.sealed_kek = sr_buf_bytes(&opened->sealed);
	return sr_ok();
}

/* Remembers the grant, then posts it, in one step under the lock: a recall either finds it in the table and is told to
 * the holder after it, or came before and has marked the inquiry. */
static void give(struct link *link, const struct sr_lease_message *grant)
{
	struct holder *holder = link->holder;
	if (!holder) {
		return; /* the stream has ended meanwhile: nobody is there to get it */
	}
	grant_sweep(link->grantor);
	struct grant *given = grant_add(link->grantor, holder, &grant->resource, &grant->lease);
	given->until_ns = grant_until_ns(sr_boottime_ns(), grant->ttl_ms);
	sr_outbox_post(link->outbox, grant);
}

/* False: a recall came in between, and the store is to be asked anew. */
static bool try_open(struct link *link, const struct sr_lease_message *request, struct sr_result *ret_result)
{
	struct sr_grantor *grantor = link->grantor;
	__attribute__((cleanup(opened_cleanup))) struct opened opened = {.sealed = SR_BUF(SR_LEASE_SEALED_MAX)};
	struct inquiry inquiry;
	sr_mutex_lock(&grantor->mutex);
	inquiry_begin(grantor, &inquiry, &request->resource);
	sr_mutex_unlock(&grantor->mutex);
	struct sr_result result = open_and_seal(link, request, &opened);
	SR_LOCKED(&grantor->mutex);
	inquiry_end(grantor, &inquiry);
	if (sr_is_ok(result) && inquiry.is_stale) {
		return false;
	}
	if (sr_is_ok(result)) {
		give(link, &opened.grant);
	}
	*ret_result = result;
	return true;
}

static struct sr_result open_kek(struct link *link, const struct sr_lease_message *request)
{
	for (int i = 0; i < GRANT_ATTEMPTS_MAX; i++) {
		struct sr_result result;
		if (try_open(link, request, &result)) {
			return result;
		}
	}
	return sr_fail(SR_UNAVAILABLE, "open a key: its state keeps changing");
}

/* ---- management ---- */

static struct sr_result manage(struct link *link, const struct sr_lease_message *request, struct sr_key_reference *key)
{
	const struct sr_grantor_store *store = &link->grantor->options.store;
	if (request->kind == SR_LEASE_NOTE) {
		return store->note_anchor
		           ? store->note_anchor(store->context, link->service, &request->resource, request->anchor)
		           : sr_ok();
	}
	SR_TRY(sr_key_reference_from_wire(&request->key, key));
	char kind[SR_LEASE_NAME_MAX + 1];
	char label[SR_LEASE_TEXT_MAX + 1];
	switch (request->kind) {
	case SR_LEASE_CREATE:
		SR_TRY(sr_lease_text_copy(request->resource_kind, sizeof kind, kind));
		SR_TRY(sr_lease_text_copy(request->label, sizeof label, label));
		return store->create(store->context, link->service, &request->resource, kind, label, key);
	case SR_LEASE_REKEY:
		return store->rekey(store->context, link->service, &request->resource, key);
	case SR_LEASE_DESTROY:
		return store->destroy(store->context, link->service, &request->resource);
	default:
		return store->describe(store->context, link->service, &request->resource, key);
	}
}

/* ---- jobs ---- */

struct job {
	struct sr_crew_job crew; /* first */
	struct link *link;
	struct sr_buf text; /* what the request borrows */
	struct sr_lease_message request;
};

static void post_answer(struct link *link, const struct sr_lease_message *request, struct sr_result result,
                        const struct sr_key_reference *key)
{
	sr_outbox_post(link->outbox, &(struct sr_lease_message){.kind = SR_LEASE_ANSWER,
	                                                        .request = request->request,
	                                                        .resource = request->resource,
	                                                        .verdict = sr_lease_verdict_of(result),
	                                                        .key = sr_key_reference_to_wire(key)});
}

static void end_job(struct job *job)
{
	sr_mutex_lock(&job->link->grantor->mutex);
	job->link->job_count--;
	sr_mutex_unlock(&job->link->grantor->mutex);
	link_release(job->link);
	sr_buf_free(&job->text);
	sr_free(job);
}

static void run_open(struct sr_crew_job *crew_job)
{
	struct job *job = (struct job *)(void *)crew_job;
	SR_CLEANUP(sr_result) struct sr_result result = open_kek(job->link, &job->request);
	if (!sr_is_ok(result)) {
		post_answer(job->link, &job->request, result, NULL);
	}
	end_job(job);
}

static void run_manage(struct sr_crew_job *crew_job)
{
	struct job *job = (struct job *)(void *)crew_job;
	struct sr_key_reference key = {0};
	SR_CLEANUP(sr_result) struct sr_result result = manage(job->link, &job->request, &key);
	post_answer(job->link, &job->request, result, &key);
	end_job(job);
}

/* A copy of the request that owns its text, by writing it and reading it again. */
static struct job *job_new(struct link *link, const struct sr_lease_message *request)
{
	struct job *job = sr_alloc(sizeof *job);
	job->link = link;
	job->text = SR_BUF(SR_LEASE_FRAME_MAX);
	sr_lease_message_write(request, &job->text);
	sr_ignore(sr_lease_message_read(sr_buf_bytes(&job->text), &job->request));
	return job;
}

/* False: the link has too much under way already. */
static bool admit_job(struct link *link)
{
	SR_LOCKED(&link->grantor->mutex);
	if (link->job_count == GRANT_JOBS_MAX) {
		return false;
	}
	link->job_count++;
	link->references++;
	return true;
}

struct sr_result grantor_on_queued(struct link *link, const struct sr_lease_message *message)
{
	bool is_open = message->kind == SR_LEASE_OPEN;
	if (admit_job(link)) {
		struct job *job = job_new(link, message);
		job->crew.run = is_open ? run_open : run_manage;
		if (sr_crew_post(is_open ? link->grantor->openers : link->grantor->managers, &job->crew)) {
			return sr_ok();
		}
		end_job(job);
	}
	SR_CLEANUP(sr_result) struct sr_result busy = sr_fail(SR_UNAVAILABLE, "ask the vault: it is too busy or stopping");
	post_answer(link, message, busy, NULL);
	return sr_ok();
}

/* ---- renewing ---- */

/* With the grantor locked; the store said yes, and no recall came in between. A lease that is not in the table was
 * given by this vault's forerunner: it is adopted. */
static struct sr_lease_verdict extend(struct link *link, const struct sr_lease_item *item)
{
	struct sr_grantor *grantor = link->grantor;
	struct grant *grant = grant_find(grantor, link->holder, &item->resource, &item->lease);
	if (grant && grant->is_recalled) {
		return (struct sr_lease_verdict){.code = SR_REVOKED, .reason = grant->recall_reason};
	}
	if (!grant) {
		grant = grant_add(grantor, link->holder, &item->resource, &item->lease);
	}
	grant->until_ns = grant_until_ns(sr_boottime_ns(), grantor->options.ttl_ms);
	return (struct sr_lease_verdict){.code = SR_OK};
}

static bool try_renew(struct link *link, const struct sr_lease_item *item, struct sr_lease_verdict *ret_verdict)
{
	struct sr_grantor *grantor = link->grantor;
	const struct sr_grantor_store *store = &grantor->options.store;
	struct inquiry inquiry;
	sr_mutex_lock(&grantor->mutex);
	inquiry_begin(grantor, &inquiry, &item->resource);
	sr_mutex_unlock(&grantor->mutex);
	SR_CLEANUP(sr_result) struct sr_result may = store->may_renew(store->context, link->service, &item->resource);
	SR_LOCKED(&grantor->mutex);
	inquiry_end(grantor, &inquiry);
	if (!sr_is_ok(may)) {
		*ret_verdict = sr_lease_verdict_of(may);
		return true;
	}
	if (inquiry.is_stale) {
		return false;
	}
	*ret_verdict = extend(link, item);
	return true;
}

static struct sr_lease_verdict renew(struct link *link, const struct sr_lease_item *item)
{
	struct sr_lease_verdict verdict = {.code = SR_UNAVAILABLE};
	for (int i = 0; i < GRANT_ATTEMPTS_MAX && !try_renew(link, item, &verdict); i++) {
	}
	return verdict;
}

struct sr_result grantor_on_renew(struct link *link, const struct sr_lease_message *message)
{
	SR_CLEANUP(sr_buf) struct sr_buf items = SR_BUF(SR_LEASE_FRAME_MAX);
	size_t count = sr_lease_item_count(message);
	for (size_t i = 0; i < count; i++) {
		struct sr_lease_item item = sr_lease_item_at(message, i);
		struct sr_lease_verdict verdict = renew(link, &item);
		item.code = verdict.code;
		item.reason = verdict.reason;
		sr_lease_item_append(&items, SR_LEASE_RENEWED, &item);
	}
	SR_TRY(sr_buf_result(&items));
	sr_outbox_post(link->outbox, &(struct sr_lease_message){.kind = SR_LEASE_RENEWED,
	                                                        .request = message->request,
	                                                        .ttl_ms = link->grantor->options.ttl_ms,
	                                                        .items = sr_buf_bytes(&items)});
	return sr_ok();
}

/* ---- letting go ---- */

struct farewell {
	const struct holder *holder;
	const struct sr_lease_message *message;
};

static bool was_recalled(const struct grant *grant, const void *context)
{
	const struct farewell *farewell = context;
	return grant->holder == farewell->holder && grant->is_recalled &&
	       grant->recall_epoch <= farewell->message->revocation_epoch;
}

static bool was_released(const struct grant *grant, const void *context)
{
	const struct farewell *farewell = context;
	return grant->holder == farewell->holder && sr_id_equal(&grant->lease, &farewell->message->lease);
}

/* The holder has let go of every grant of the resource from before this epoch and will adopt none. */
struct sr_result grantor_on_recalled(struct link *link, const struct sr_lease_message *message)
{
	SR_LOCKED(&link->grantor->mutex);
	struct farewell farewell = {link->holder, message};
	grant_remove_if(link->grantor, &message->resource, was_recalled, &farewell);
	return sr_ok();
}

/* The holder has let go of this grant, or never adopted it. */
struct sr_result grantor_on_release(struct link *link, const struct sr_lease_message *message)
{
	SR_LOCKED(&link->grantor->mutex);
	struct farewell farewell = {link->holder, message};
	grant_remove_if(link->grantor, &message->resource, was_released, &farewell);
	return sr_ok();
}
