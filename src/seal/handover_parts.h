/* A receiver with a given key, for known answers alone; private to the room. */
#ifndef SR_SEAL_HANDOVER_PARTS_H
#define SR_SEAL_HANDOVER_PARTS_H

#include "seal/handover.h"

/* The receiver whose X25519 private key is `secret` (32 bytes). */
SR_MUST struct sr_result sr_handover_known(const struct sr_secret *secret, struct sr_handover **ret_handover);

#endif
