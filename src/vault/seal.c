/* The order of things as the vault is sealed. */
#include "vault/seal.h"

#include "vault/audit.h"
#include "vault/service.h"

/* The resources under lease now. */
static void add_resource(const struct sr_lease_state *lease, void *context)
{
	sr_buf_append(context, sr_id_bytes(&lease->resource));
}

struct sr_result sr_vault_seal(struct sr_vault *vault, const char *request_id, struct sr_recall_outcome *ret_outcome)
{
	SR_CLEANUP(sr_buf) struct sr_buf resources = SR_BUF(SIZE_MAX);
	const struct sr_audit_event event = {.object_id = "local",
	                                     .from = "local",
	                                     .operation = "VaultSeal",
	                                     .object = "root",
	                                     .request_id = request_id,
	                                     .status = 200};
	SR_TRY(sr_gate_shut(vault->gate));
	atomic_store(&vault->state.is_sealing, true);
	struct sr_result recorded = sr_audit_write(vault->state.database, &event); /* whether or not it can be: seal */
	sr_grantor_each_lease(vault->state.grantor, add_resource, &resources);
	*ret_outcome = sr_grantor_recall(vault->state.grantor, (const struct sr_id *)(const void *)resources.data,
	                                 resources.len / SR_ID_LEN, 0, "VaultUnreachable");
	sr_ignore(recorded);
	return sr_ok();
}
