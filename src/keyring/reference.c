/* A key reference on the wire and off it. */
#include "keyring/reference.h"

#include <string.h>

struct sr_lease_key sr_key_reference_to_wire(const struct sr_key_reference *key)
{
	if (!key || key->is_service_managed) {
		return (struct sr_lease_key){.is_service_managed = true};
	}
	return (struct sr_lease_key){.follows_latest = key->follows_latest,
	                             .vault = sr_bytes_str(key->vault),
	                             .name = sr_bytes_str(key->name),
	                             .version = sr_bytes_str(key->version)};
}

struct sr_result sr_lease_text_copy(struct sr_bytes from, size_t size, char *to)
{
	if (from.len >= size || (from.len && memchr(from.data, 0, from.len))) {
		return sr_fail(SR_PROTOCOL, "read a lease message: a name in it is none");
	}
	if (from.len) {
		memcpy(to, from.data, from.len);
	}
	to[from.len] = 0;
	return sr_ok();
}

struct sr_result sr_key_reference_from_wire(const struct sr_lease_key *wire, struct sr_key_reference *ret_key)
{
	struct sr_key_reference key = {.is_service_managed = wire->is_service_managed,
	                               .follows_latest = wire->follows_latest};
	SR_TRY(sr_lease_text_copy(wire->vault, sizeof key.vault, key.vault));
	SR_TRY(sr_lease_text_copy(wire->name, sizeof key.name, key.name));
	SR_TRY(sr_lease_text_copy(wire->version, sizeof key.version, key.version));
	*ret_key = key;
	return sr_ok();
}
