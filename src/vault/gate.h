/*
 * The gate: whether the vault is open, and what opens it. A vault starts sealed where a person must give something for
 * its root key, or where it was sealed by order (STATE/vault/sealed, which outlives a restart); it serves nothing then
 * but its health. Shares given so far are kept in memory only. Thread-safe.
 */
#ifndef SR_VAULT_GATE_H
#define SR_VAULT_GATE_H

#include "vault/root.h"
#include "wire/json.h"

struct sr_gate;

/* Reads the master file at `path`, borrowed as `settings` is. SR_NOT_FOUND, SR_CORRUPT. */
SR_MUST struct sr_result sr_gate_new(const struct sr_root_settings *settings, const char *path,
                                     struct sr_gate **ret_gate);
void sr_gate_free(struct sr_gate *gate);

/* Whether it must wait for a person now. */
bool sr_gate_is_shut(struct sr_gate *gate);
/* Opens what needs nobody. The caller frees the master. */
SR_MUST struct sr_result sr_gate_open_alone(struct sr_gate *gate, struct sr_vault_master *ret_master);
/*
 * What somebody gave to unseal: a passphrase, a PIN, shares, or nothing where nothing is needed. When it is enough, the
 * waiting thread goes on and this returns once the vault serves, or could not. SR_WRONG_KEY and SR_INVALID: it is
 * refused and forgotten; "TooManyRequests": after some wrong attempts the next must wait. Shares that are right are
 * kept, and dropped when nobody adds one for a while or all together turn out wrong.
 */
SR_MUST struct sr_result sr_gate_unseal(struct sr_gate *gate, struct sr_bytes text);
/* How many attempts were wrong since the last right one, for the audit log. */
unsigned sr_gate_wrong_attempts(struct sr_gate *gate);
/* Drops the shares given so far. */
void sr_gate_forget(struct sr_gate *gate);

/* For the vault's main thread: waits until it was unsealed, at most `timeout_ms`; false: not yet. Moves the master to
 * the caller. */
bool sr_gate_wait(struct sr_gate *gate, uint64_t timeout_ms, struct sr_vault_master *ret_master);
/* What became of the start: the vault serves, or it could not (`why` is borrowed). */
void sr_gate_opened(struct sr_gate *gate);
void sr_gate_failed(struct sr_gate *gate, struct sr_result why);

/* Whether requests are served. About 1 ns. */
bool sr_gate_is_open(const struct sr_gate *gate);
/* Shuts it for good: no request is served any more, and the next start finds the order. SR_CONFLICT: it is shut. */
SR_MUST struct sr_result sr_gate_shut(struct sr_gate *gate);

/* Adds "sealed", "root" (the provider), "given", "needed" and, of shares, "total" to an object. */
void sr_gate_report(struct sr_gate *gate, json_t *object);
/* The master file has another provider now. */
SR_MUST struct sr_result sr_gate_reread(struct sr_gate *gate);
/* "a passphrase (scrypt, N = 2^17)". */
void sr_gate_describe(struct sr_gate *gate, struct sr_buf *text);

#endif
