/* Operations that wait for a CA elsewhere: shown, cancelled, removed, or ended by merging the signed certificate. */
#include "vault/certificate_handlers.h"

#include "base/clock.h"
#include "vault/key_json.h"

#include <string.h>

enum { CERTIFICATE_MAX = 65536 };

struct pending {
	struct sr_vault_call *call;
	struct sr_certificate_head head;
	struct sr_certificate_operation operation;
};

static struct sr_result find_pending(struct sr_connection *connection, void *context)
{
	struct pending *pending = context;
	const struct sr_vault_call *call = pending->call;
	SR_TRY(sr_certificate_operation_find(connection, call->arena, call->record.name, call->name, &pending->operation));
	return sr_vault_certificate_find_head(connection, call->arena, call->record.name, call->name, SR_CERTIFICATE_LIVE,
	                                      &pending->head);
}

static struct sr_result answer_operation(struct sr_vault_call *call, const struct sr_certificate_operation *operation,
                                         struct sr_vault_answer *answer)
{
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_operation_json(&view, operation, &answer->body);
}

struct sr_result sr_handle_certificate_operation_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct pending pending = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_pending, &pending));
	return answer_operation(call, &pending.operation, answer);
}

static struct sr_result check_is_running(const struct sr_certificate_operation *operation)
{
	return strcmp(operation->status, SR_OPERATION_RUNNING) == 0
	           ? sr_ok()
	           : sr_fail(SR_INVALID, "The operation on certificate %s is over (%s): nothing waits for a certificate.",
	                     operation->name, operation->status);
}

static struct sr_result cancel_work(struct sr_connection *connection, void *context)
{
	struct pending *pending = context;
	SR_TRY(find_pending(connection, pending));
	if (strcmp(pending->operation.status, SR_OPERATION_CANCELLED) == 0) {
		return sr_ok();
	}
	SR_TRY(check_is_running(&pending->operation));
	pending->operation.status = SR_OPERATION_CANCELLED;
	return sr_certificate_operation_end(connection, pending->operation.vault, pending->operation.name,
	                                    SR_OPERATION_CANCELLED);
}

struct sr_result sr_handle_certificate_operation_update(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct pending pending = {.call = call};
	bool is_cancelled = false;
	SR_TRY(sr_json_get_bool(call->body, "cancellation_requested", &is_cancelled));
	if (!is_cancelled) {
		return sr_fail(SR_INVALID, "cancellation_requested: only true changes an operation");
	}
	SR_TRY(sr_call_write(call, cancel_work, &pending, NULL));
	return answer_operation(call, &pending.operation, answer);
}

static struct sr_result remove_work(struct sr_connection *connection, void *context)
{
	struct pending *pending = context;
	SR_TRY(find_pending(connection, pending));
	return sr_certificate_operation_remove(connection, pending->operation.vault, pending->operation.name);
}

struct sr_result sr_handle_certificate_operation_delete(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct pending pending = {.call = call};
	SR_TRY(sr_call_write(call, remove_work, &pending, NULL));
	return answer_operation(call, &pending.operation, answer);
}

/* One certificate of a merge: DER; or PEM or Base64 of it, as some clients send what they read from a file. */
static struct sr_result read_certificate(struct sr_arena *arena, struct sr_bytes bytes, struct sr_bytes *ret_der)
{
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(CERTIFICATE_MAX);
	if (sr_bytes_start_with(bytes, SR_LITERAL("-----BEGIN "))) {
		SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
		SR_TRY(sr_certificate_from_pem(bytes, (struct sr_bytes){0}, &certificate));
		SR_TRY(sr_certificate_der(certificate, &der));
	} else if (bytes.len && bytes.data[0] != 0x30) { /* no ASN.1 sequence */
		SR_TRY(sr_base64_decode(bytes, &der));
	} else {
		sr_buf_append(&der, bytes);
	}
	SR_TRY(sr_buf_result(&der));
	*ret_der = sr_arena_copy(arena, sr_buf_bytes(&der));
	return sr_ok();
}

/* x5c: Base64 with padding as the specification has it, or base64url as some clients write bytes. */
static struct sr_result read_entry(struct sr_arena *arena, const json_t *entry, struct sr_bytes *ret_der)
{
	const struct sr_bytes text = sr_bytes_str(json_string_value(entry));
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(CERTIFICATE_MAX);
	if (!text.len) {
		return sr_fail(SR_INVALID, "x5c: certificates in Base64 are expected");
	}
	struct sr_result decoded = sr_base64_decode(text, &bytes);
	if (!sr_is_ok(decoded)) {
		sr_ignore(decoded);
		sr_buf_reset(&bytes);
		SR_TRY(sr_base64url_decode(text, &bytes));
	}
	return read_certificate(arena, sr_buf_bytes(&bytes), ret_der);
}

/* The key's certificate first, the others as they come. */
static struct sr_result read_chain(struct sr_vault_call *call, const struct sr_keypair *keypair,
                                   struct sr_x509_chain *ret_chain)
{
	const json_t *x5c = NULL;
	SR_TRY(sr_json_get_array(call->body, "x5c", &x5c));
	if (!json_array_size(x5c) || json_array_size(x5c) > SR_X509_CHAIN_MAX) {
		return sr_fail(SR_INVALID, "x5c: 1 to %d certificates", SR_X509_CHAIN_MAX);
	}
	struct sr_x509_chain chain = {0};
	for (size_t i = 0; i < json_array_size(x5c); i++) {
		struct sr_bytes der;
		SR_TRY(read_entry(call->arena, json_array_get(x5c, i), &der));
		SR_CLEANUP(sr_result) struct sr_result owned = sr_x509_check_key(der, keypair);
		if (sr_is_ok(owned) && !chain.own.len) {
			chain.own = der;
		} else {
			chain.issuers[chain.count++] = der;
		}
	}
	if (!chain.own.len) {
		return sr_fail(SR_INVALID, "x5c: none of the certificates is for the pending request's key. Have the CA sign "
		                           "the csr of the pending operation.");
	}
	*ret_chain = chain;
	return sr_ok();
}

struct merge {
	struct sr_certificate_making making;
	const char *version; /* of the operation that it ends */
};

static struct sr_result merge_work(struct sr_connection *connection, void *context)
{
	struct merge *merge = context;
	struct sr_certificate_making *making = &merge->making;
	struct sr_certificate_operation operation;
	SR_TRY(sr_certificate_operation_find(connection, making->arena, making->vault, making->name, &operation));
	SR_TRY(check_is_running(&operation));
	if (strcmp(operation.version, merge->version) != 0) {
		return sr_fail_as(SR_CONFLICT, "PendingOperationExists",
		                  "Another operation has begun meanwhile: have its request signed.");
	}
	SR_TRY(sr_certificate_write(connection, making));
	return sr_certificate_operation_end(connection, making->vault, making->name, SR_OPERATION_DONE);
}

static struct sr_result begin_merge(struct sr_vault_call *call, const struct pending *pending, struct merge *merge)
{
	struct sr_key_wishes wishes;
	SR_TRY(sr_key_wishes_read(call->arena, call->body, NULL, &wishes));
	merge->version = pending->operation.version;
	merge->making = (struct sr_certificate_making){
	    .state = &call->vault->state,
	    .arena = call->arena,
	    .vault = call->record.name,
	    .name = pending->operation.name,
	    .version = pending->operation.version,
	    .is_enabled = wishes.has_enabled ? wishes.is_enabled : pending->operation.is_enabled,
	    .tags = wishes.has_tags ? wishes.tags : pending->operation.tags,
	    .now = sr_unix_s(),
	};
	return sr_certificate_policy_open(call->arena, pending->head.policy, &merge->making.policy);
}

struct sr_result sr_handle_certificate_merge(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct pending pending = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, find_pending, &pending));
	SR_TRY(check_is_running(&pending.operation));
	call->name = pending.operation.name;
	struct merge merge;
	SR_TRY(begin_merge(call, &pending, &merge));
	const struct sr_key_name name = {call->record.name, call->name, pending.operation.version};
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(sr_key_unseal(call->vault->state.records, &name, pending.operation.sealed, &keypair));
	struct sr_x509_chain chain;
	SR_TRY(read_chain(call, keypair, &chain));
	SR_TRY(sr_certificate_prepare(&merge.making, keypair, &chain));
	SR_TRY(sr_call_write(call, merge_work, &merge, &merge.version));
	sr_tending_wake(call->vault->tending);
	const struct sr_certificate_view view = sr_call_certificate_view(call);
	return sr_certificate_bundle(&view, &merge.making.certificate, &answer->body);
}
