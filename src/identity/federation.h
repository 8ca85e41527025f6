/*
 * Federated credentials (workload identity): an application proves itself by a token of an outside issuer whose issuer,
 * subject and audience are exactly what was registered. And the issuers' keys, which the administrator registers. Rows
 * of identity's database; functions run on a connection, within the caller's transaction.
 */
#ifndef SR_IDENTITY_FEDERATION_H
#define SR_IDENTITY_FEDERATION_H

#include "base/arena.h"
#include "base/text.h"
#include "identity/assertion.h"
#include "seal/database.h"

#define SR_FEDERATED_AUDIENCE "api://AzureADTokenExchange"

enum { SR_FEDERATED_MAX = 20, SR_FEDERATED_TEXT_MAX = 600, SR_FEDERATED_LIFE_MAX_S = 86400 };

struct sr_federated {
	const char *issuer, *subject, *audience;
};
/* Registers one; SR_INVALID: an empty or overlong text; SR_EXISTS; SR_CONFLICT past SR_FEDERATED_MAX. */
SR_MUST struct sr_result sr_federated_make(struct sr_connection *connection, const char *object_id,
                                           const struct sr_federated *federated, int64_t now_s,
                                           char ret_id[static SR_GUID_TEXT_LEN]);
/* Tokens that were got by it end. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_federated_remove(struct sr_connection *connection, const char *object_id, const char *id,
                                             int64_t now_s);
/* The caller owns the array. */
SR_MUST struct sr_result sr_federated_list(struct sr_connection *connection, const char *object_id, json_t **ret_array);
/*
 * The credential that an assertion (whose signature is not yet checked) is for. SR_UNAUTHENTICATED with AADSTS700211,
 * 700213 or 700212: no credential of the principal has its issuer, its subject, its audience.
 */
SR_MUST struct sr_result sr_federated_match(struct sr_connection *connection, const char *object_id,
                                            const struct sr_assertion *assertion, char ret_id[static SR_GUID_TEXT_LEN]);

/* Sets an issuer's keys (a JWKS), in place of those that it had. SR_INVALID says what is wrong. */
SR_MUST struct sr_result sr_federation_issuer_set(struct sr_connection *connection, struct sr_arena *arena,
                                                  const char *issuer, struct sr_bytes keys, int64_t now_s);
/* SR_NOT_FOUND. */
SR_MUST struct sr_result sr_federation_issuer_remove(struct sr_connection *connection, const char *issuer);
SR_MUST struct sr_result sr_federation_issuer_list(struct sr_connection *connection, struct sr_arena *arena,
                                                   json_t **ret_array);
/* The issuer's key that an assertion names; the caller frees. SR_UNAUTHENTICATED with AADSTS700211. */
SR_MUST struct sr_result sr_federation_key(struct sr_connection *connection, struct sr_arena *arena,
                                           const struct sr_assertion *assertion, struct sr_keypair **ret_keypair);

#endif
