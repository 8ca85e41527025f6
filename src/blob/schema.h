/*
 * The SQL schemas of the blob service: one control database for the service, one main database for each
 * account. What the rows mean is said beside them in schema.c; who may touch which is in the *_store.c files.
 */
#ifndef SR_BLOB_SCHEMA_H
#define SR_BLOB_SCHEMA_H

extern const char *const sr_blob_control_schema;
extern const char *const sr_blob_account_schema;

#endif
