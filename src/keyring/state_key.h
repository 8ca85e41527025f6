/*
 * Which key a service's own state is under: the resource whose KEK the vault keeps, and the database's DEK wrapped by
 * it. Kept in the small file STATE/SERVICE/resource, which holds ids and the wrapped key only.
 */
#ifndef SR_KEYRING_STATE_KEY_H
#define SR_KEYRING_STATE_KEY_H

#include "base/text.h"
#include "keyring/keyring.h"

struct sr_state_key {
	struct sr_id resource;
	struct sr_id database;
	uint32_t kek_epoch;
	bool is_wrapped; /* false between the first start's two steps */
	uint8_t wrapped[SR_WRAPPED_KEY_LEN];
};

/* The file's content and back. SR_CORRUPT for anything but a whole file of this version. */
void sr_state_key_write(const struct sr_state_key *key, struct sr_buf *bytes);
SR_MUST struct sr_result sr_state_key_read(struct sr_bytes bytes, struct sr_state_key *ret_key);

/*
 * Reads the file; at the first start asks the vault for a service-managed key of kind "service" for `label`, makes the
 * DEK and writes the file. May be repeated after any failure or crash: it goes on where it stopped. SR_UNAVAILABLE or
 * SR_REVOKED while the vault cannot be had.
 */
SR_MUST struct sr_result sr_state_key_load(struct sr_keyring *keyring, const char *path, const char *label,
                                           struct sr_state_key *ret_key);
/* Unwraps the database's DEK within a use of the resource's lease. */
SR_MUST struct sr_result sr_state_key_open(struct sr_lease_use *use, const struct sr_state_key *key,
                                           struct sr_secret **ret_dek);

#endif
