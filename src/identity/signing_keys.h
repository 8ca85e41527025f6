/*
 * The signing keys of an open store, and their rotation (signing_plan.h has its rule). Private keys are sealed in
 * the database under a key derived from its DEK, and open only as long as the store is. Thread-safe.
 */
#ifndef SR_IDENTITY_SIGNING_KEYS_H
#define SR_IDENTITY_SIGNING_KEYS_H

#include "identity/signing_key.h"
#include "seal/database.h"

#include <jansson.h>

struct sr_signing_keys;

/* Opens the database's keys and makes the first. Borrows the database; tokens will live `token_lifetime_s`. */
SR_MUST struct sr_result sr_signing_keys_open(struct sr_database *database, const struct sr_secret *dek,
                                              int64_t token_lifetime_s, int64_t now_s,
                                              struct sr_signing_keys **ret_keys);
/* Wipes; NULL is allowed. */
void sr_signing_keys_close(struct sr_signing_keys *keys);
/* Carries out what the plan asks for now; *ret_is_changed tells that the directory has changed. Call every minute or
 * so. */
SR_MUST struct sr_result sr_signing_keys_tend(struct sr_signing_keys *keys, int64_t now_s, bool *ret_is_changed);
/*
 * Rotation by hand: publishes a new key that signs from `now_s + ahead_s` on, or moves the one that waits forward to
 * that time. SR_CONFLICT while too many old keys still verify tokens.
 */
SR_MUST struct sr_result sr_signing_keys_rotate(struct sr_signing_keys *keys, int64_t now_s, int64_t ahead_s,
                                                char ret_kid[static SR_KID_LEN], int64_t *ret_active_from_s);
/* The key that signs at `now_s`; the caller gives its reference back. */
SR_MUST struct sr_result sr_signing_keys_current(struct sr_signing_keys *keys, int64_t now_s,
                                                 struct sr_signing_key **ret_key);
/* Opens every sealed key afresh and checks it against what is published; SR_CORRUPT names it. */
SR_MUST struct sr_result sr_signing_keys_verify(struct sr_signing_keys *keys);

/* The published keys as JWKs (RFC 7517) in a connection's snapshot; the caller owns the array. */
SR_MUST struct sr_result sr_signing_keys_jwks(struct sr_connection *connection, json_t **ret_array);

#endif
