/* What the vault does with certificates by itself, for the table of chores (chores.c): pairs of functions as chore.h
 * says. */
#ifndef SR_VAULT_CERTIFICATE_CHORES_H
#define SR_VAULT_CERTIFICATE_CHORES_H

#include "vault/chore.h"

/* Renewal and notice by the certificates' policies. */
SR_MUST struct sr_result sr_tend_certificates_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_tend_certificates_run(struct sr_vault *vault, int64_t now);

/* Deleted certificates whose retention is over are gone for good, with their keys and secrets. Before the chores that
 * purge keys and secrets by themselves. */
SR_MUST struct sr_result sr_purge_certificates_next(struct sr_connection *connection, int64_t *ret_time);
SR_MUST struct sr_result sr_purge_certificates_run(struct sr_vault *vault, int64_t now);

#endif
