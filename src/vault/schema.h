/* The tables of vault.db. */
#ifndef SR_VAULT_SCHEMA_H
#define SR_VAULT_SCHEMA_H

/* SQL that makes them, for sr_database_options.schema. */
extern const char sr_vault_schema[];
/* What later versions add, a noun a step, for sr_database_options.upgrades. */
extern const char *const sr_vault_upgrades[];

#endif
