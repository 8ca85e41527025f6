/* The tables of vault.db. */
#ifndef SR_VAULT_SCHEMA_H
#define SR_VAULT_SCHEMA_H

/* SQL that makes them, for sr_database_options.schema. */
extern const char sr_vault_schema[];

#endif
