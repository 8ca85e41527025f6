/*
 * Hands a secret from the vault to one holder so that its bytes are in clear at neither end but in
 * secret memory: ephemeral X25519, HKDF-SHA-256 over the shared secret and both public keys,
 * XAES-256-GCM. Freshness and authenticity of the peers come from the TLS connection around it.
 */
#ifndef SR_SEAL_HANDOVER_H
#define SR_SEAL_HANDOVER_H

#include "seal/secret.h"

enum { SR_HANDOVER_PUBLIC_LEN = 32 };

struct sr_handover; /* the receiver's ephemeral key; may be used by many threads */

SR_MUST struct sr_result sr_handover_new(struct sr_handover **ret_handover);
void sr_handover_free(struct sr_handover *handover);
void sr_handover_cleanup(struct sr_handover **handover);
void sr_handover_public(const struct sr_handover *handover, uint8_t ret_public[static SR_HANDOVER_PUBLIC_LEN]);
/* Sender: appends its ephemeral public key ‖ sealed secret, tied to `aad`. */
SR_MUST struct sr_result sr_handover_seal(const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN], struct sr_bytes aad,
                                          const struct sr_secret *secret, struct sr_buf *sealed);
/* Receiver: SR_CORRUPT if it was not sealed for this receiver and `aad`. */
SR_MUST struct sr_result sr_handover_open(const struct sr_handover *handover, struct sr_bytes aad,
                                          struct sr_bytes sealed, struct sr_secret **ret_secret);

#endif
