/* A key reference on the wire and off it, for both ends of the lease protocol. */
#ifndef SR_KEYRING_REFERENCE_H
#define SR_KEYRING_REFERENCE_H

#include "keyring/keyring.h"
#include "wire/lease_message.h"

/* Bytes of a message as text of at most `size` - 1 characters; SR_PROTOCOL if they are longer or hold a NUL. */
SR_MUST struct sr_result sr_lease_text_copy(struct sr_bytes from, size_t size, char *to);
/* Borrows the reference's text; NULL is a service-managed key. */
struct sr_lease_key sr_key_reference_to_wire(const struct sr_key_reference *key);
/* SR_PROTOCOL if a part is too long or holds a NUL. */
SR_MUST struct sr_result sr_key_reference_from_wire(const struct sr_lease_key *wire, struct sr_key_reference *ret_key);

#endif
