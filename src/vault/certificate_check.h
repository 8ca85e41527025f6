/* Verification of what the vault keeps of certificates: that waiting key pairs, issuing CAs and issuers' passwords
 * open, that each certificate is whole, and that its key and secret stand beside it. */
#ifndef SR_VAULT_CERTIFICATE_CHECK_H
#define SR_VAULT_CERTIFICATE_CHECK_H

#include "vault/certificate_store.h"
#include "vault/state.h"

/* Hears what was looked at and how it came out; takes the result. */
typedef void (*sr_certificate_note)(void *context, const char *kind, const char *id, struct sr_result result);

/* Within a read. `arena` grows by what is looked at. */
SR_MUST struct sr_result sr_certificate_check(struct sr_connection *connection, struct sr_arena *arena,
                                              struct sr_vault_state *state, sr_certificate_note note, void *context);

#endif
