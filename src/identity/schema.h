/* The tables of identity's database. */
#ifndef SR_IDENTITY_SCHEMA_H
#define SR_IDENTITY_SCHEMA_H

/* SQL for an empty database. GUIDs are lowercase text; times are Unix seconds. */
extern const char sr_identity_schema[];

#endif
