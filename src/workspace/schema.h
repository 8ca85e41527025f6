/* The tables of workspace.db. */
#ifndef SR_WORKSPACE_SCHEMA_H
#define SR_WORKSPACE_SCHEMA_H

/* SQL that makes them, for sr_database_options.schema. */
extern const char sr_workspace_schema[];
extern const char *const sr_workspace_upgrades[];

#endif
