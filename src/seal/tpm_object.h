/* The form of a sealed object at rest, without a TPM; private to the room. */
#ifndef SR_SEAL_TPM_OBJECT_H
#define SR_SEAL_TPM_OBJECT_H

#include "seal/tpm.h"

enum { SR_TPM_PCR_COUNT = 24, SR_TPM_NAME_MAX = 68, SR_TPM_PUBLIC_MAX = 1024, SR_TPM_PRIVATE_MAX = 2048 };

/* Integers big-endian: version 1 (2), whether there is a PIN (1), the registers' bank as the TPM numbers hashes (2), a
 * bit for each register (4), then blocks: name of the storage key, public and private part, as the TPM marshals them.
 */
struct sr_tpm_object {
	bool has_pin;
	uint16_t bank;
	uint32_t pcrs;
	struct sr_bytes parent_name, public_part, private_part; /* borrowed */
};

void sr_tpm_object_write(const struct sr_tpm_object *object, struct sr_buf *bytes);
/* SR_CORRUPT for anything else. */
SR_MUST struct sr_result sr_tpm_object_read(struct sr_bytes bytes, struct sr_tpm_object *ret_object);
/* "sha256:0,2,7" (sha1, sha256, sha384, sha512); "" is none. SR_INVALID. */
SR_MUST struct sr_result sr_tpm_pcrs_parse(const char *text, uint16_t *ret_bank, uint32_t *ret_pcrs);

#endif
