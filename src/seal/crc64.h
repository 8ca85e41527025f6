/* CRC-64 as Azure Storage computes it (the same as CRC-64/NVME); private to the room, public through sr_digest. */
#ifndef SR_SEAL_CRC64_H
#define SR_SEAL_CRC64_H

#include "base/bytes.h"

/* The CRC of what `crc` (0 at first) was of, followed by `bytes`. Thread-safe. */
uint64_t sr_crc64(uint64_t crc, struct sr_bytes bytes);

#endif
