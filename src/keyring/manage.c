/* Requests of management that the vault carries out: they travel on the leases' stream and wait for their answer. */
#include "base/clock.h"
#include "keyring/reference.h"
#include "keyring/state.h"

enum { CONNECT_PATIENCE_MS = 1000, ANSWER_PATIENCE_MS = 15000, NS_PER_MS = 1000000 };

static struct sr_result unavailable(void)
{
	return sr_fail(SR_UNAVAILABLE, "ask the vault: it does not answer");
}

/* With the keyring locked; false if there is no stream within a second. */
static bool wait_for_stream(struct sr_keyring *keyring)
{
	uint64_t deadline_ns = sr_boottime_ns() + (uint64_t)CONNECT_PATIENCE_MS * NS_PER_MS;
	while (!keyring->outbox && !keyring->is_stopping) {
		if (!sr_cond_wait_until(&keyring->changed, &keyring->mutex, deadline_ns)) {
			break;
		}
	}
	return keyring->outbox && !keyring->is_stopping;
}

static void unlist(struct sr_keyring *keyring, const struct keyring_call *call)
{
	for (struct keyring_call **link = &keyring->calls; *link; link = &(*link)->next) {
		if (*link == call) {
			*link = call->next;
			return;
		}
	}
}

static struct sr_result exchange(struct sr_keyring *keyring, struct sr_lease_message *request,
                                 struct keyring_call *call)
{
	SR_LOCKED(&keyring->mutex);
	if (!wait_for_stream(keyring)) {
		return unavailable();
	}
	call->request = request->request = ++keyring->last_request;
	call->next = keyring->calls;
	keyring->calls = call;
	sr_outbox_post(keyring->outbox, request);
	uint64_t deadline_ns = sr_boottime_ns() + (uint64_t)ANSWER_PATIENCE_MS * NS_PER_MS;
	while (!call->is_answered && sr_cond_wait_until(&keyring->changed, &keyring->mutex, deadline_ns)) {
	}
	unlist(keyring, call);
	return call->is_answered ? call->result : unavailable();
}

static struct sr_result ask(struct sr_keyring *keyring, struct sr_lease_message *request,
                            struct sr_key_reference *ret_key)
{
	struct keyring_call call = {0};
	sr_blocking_begin();
	struct sr_result result = exchange(keyring, request, &call);
	sr_blocking_end();
	SR_TRY(result);
	if (ret_key) {
		*ret_key = call.key;
	}
	return sr_ok();
}

void keyring_answered(struct sr_keyring *keyring, const struct sr_lease_message *answer)
{
	SR_LOCKED(&keyring->mutex);
	for (struct keyring_call *call = keyring->calls; call; call = call->next) {
		if (call->request == answer->request && !call->is_answered) {
			call->result = sr_lease_verdict_result(&answer->verdict);
			if (sr_is_ok(call->result)) {
				call->result = sr_key_reference_from_wire(&answer->key, &call->key);
			}
			call->is_answered = true;
			sr_cond_broadcast(&keyring->changed);
		}
	}
}

void keyring_fail_calls(struct sr_keyring *keyring)
{
	SR_LOCKED(&keyring->mutex);
	for (struct keyring_call *call = keyring->calls; call; call = call->next) {
		if (!call->is_answered) {
			call->result = unavailable();
			call->is_answered = true;
		}
	}
	sr_cond_broadcast(&keyring->changed);
}

struct sr_result sr_keyring_create(struct sr_keyring *keyring, const struct sr_id *resource, const char *kind,
                                   const char *label, const struct sr_key_reference *key)
{
	struct sr_lease_message request = {.kind = SR_LEASE_CREATE,
	                                   .resource = *resource,
	                                   .resource_kind = sr_bytes_str(kind),
	                                   .label = sr_bytes_str(label),
	                                   .key = sr_key_reference_to_wire(key)};
	if (request.resource_kind.len > SR_LEASE_NAME_MAX || request.label.len > SR_LEASE_TEXT_MAX) {
		return sr_fail(SR_INVALID, "create a key: its kind or label is too long");
	}
	return ask(keyring, &request, NULL);
}

struct sr_result sr_keyring_rekey(struct sr_keyring *keyring, const struct sr_id *resource,
                                  const struct sr_key_reference *key)
{
	struct sr_lease_message request = {
	    .kind = SR_LEASE_REKEY, .resource = *resource, .key = sr_key_reference_to_wire(key)};
	return ask(keyring, &request, NULL);
}

struct sr_result sr_keyring_destroy(struct sr_keyring *keyring, const struct sr_id *resource)
{
	struct sr_lease_message request = {.kind = SR_LEASE_DESTROY, .resource = *resource};
	return ask(keyring, &request, NULL);
}

struct sr_result sr_keyring_describe(struct sr_keyring *keyring, const struct sr_id *resource,
                                     struct sr_key_reference *ret_key)
{
	struct sr_lease_message request = {.kind = SR_LEASE_DESCRIBE, .resource = *resource};
	return ask(keyring, &request, ret_key);
}
