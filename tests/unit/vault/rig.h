/* A vault without processes or network for the tests: a folder of its own, root and master key, a real sealed database,
 * the default vault; and calls of the API by method, path and body. */
#ifndef TEST_VAULT_RIG_H
#define TEST_VAULT_RIG_H

#include "vault/api.h"
#include "vault/call.h"

#include "check.h"

struct rig {
	char folder[64];
	struct sr_vault vault;
	struct sr_arena *arena;
	struct sr_vault_answer answer; /* of the last call */
};

/* Makes the folder, or opens again what rig_close has left. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
/* Closes and removes the folder. */
void rig_end(struct rig *rig);

/* Calls as the local administrator; the answer's body is in rig->answer. `path` may carry a query. */
struct sr_result rig_call(struct rig *rig, const char *method, const char *path, const char *body);
/* The same, with a formatted path. */
struct sr_result rig_callf(struct rig *rig, const char *method, const char *body, const char *path_format, ...)
    SR_PRINTF(4, 5);
/* A text of the last answer by its path ("key.kid"), "" where there is none. */
const char *rig_text(const struct rig *rig, const char *path);
int64_t rig_int(const struct rig *rig, const char *path);
bool rig_bool(const struct rig *rig, const char *path);
/* The version in the last answer's key.kid, in the arena. */
const char *rig_version(struct rig *rig);

/* The grantor's store, as a service sees it. */
struct sr_result rig_kek_create(struct rig *rig, const struct sr_id *resource, const char *key, const char *version);
struct sr_result rig_kek_open(struct rig *rig, const struct sr_id *resource, struct sr_secret **ret_kek,
                              uint64_t *ret_revocation_epoch);
struct sr_key_reference rig_kek_key(struct rig *rig, const struct sr_id *resource);

/* Runs one SQL statement in a write. */
void rig_sql(struct rig *rig, const char *sql);

#endif
