/*
 * The newest anchors of the databases that resources' KEKs open (seal/database.h): what a service told last, given back
 * with its next lease, so that files which were set back do not open. An administrator who set them back by intent says
 * so here.
 */
#ifndef SR_VAULT_KEK_ANCHOR_H
#define SR_VAULT_KEK_ANCHOR_H

#include "vault/kek_store.h"

/* For struct sr_grantor_store; the context is the struct sr_vault_state. Another service's resource is SR_NOT_FOUND. */
SR_MUST struct sr_result sr_kek_least_anchor(void *context, const char *service, const struct sr_id *resource,
                                             uint64_t *ret_anchor);
/* Durable when it returns. An older one than is known changes nothing. */
SR_MUST struct sr_result sr_kek_note_anchor(void *context, const char *service, const struct sr_id *resource,
                                            uint64_t anchor);
/* Within a write: forgets all of them, as after the restoring of a whole installation. */
SR_MUST struct sr_result sr_kek_forget_anchors(struct sr_connection *connection);

/* What is known of one resource, within a read; text in the arena. */
struct sr_kek_anchor {
	struct sr_id resource;
	const char *service, *kind, *label;
	uint64_t anchor;
};
struct sr_kek_anchors {
	struct sr_kek_anchor *items;
	size_t count;
};
/* All that have one; those of a service, with an id or a label, where these are not NULL. */
SR_MUST struct sr_result sr_kek_list_anchors(struct sr_connection *connection, struct sr_arena *arena,
                                             const char *service, const char *name, struct sr_kek_anchors *ret_anchors);
/* Accepts the files of the one resource of the service that `name` (id or label) means as they are, audited as the
 * local administrator's, and has it leased anew. SR_NOT_FOUND; SR_CONFLICT where the label means several. */
SR_MUST struct sr_result sr_kek_accept_rollback(struct sr_vault_state *state, const char *service, const char *name,
                                                const char *request_id);

#endif
