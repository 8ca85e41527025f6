/* The tables of identity's database. */
#ifndef SR_IDENTITY_SCHEMA_H
#define SR_IDENTITY_SCHEMA_H

/* SQL for an empty database. GUIDs are lowercase text; times are Unix seconds. */
extern const char sr_identity_schema[];
/* What later versions add, a noun a step, for sr_database_options.upgrades. */
extern const char *const sr_identity_upgrades[];

#endif
