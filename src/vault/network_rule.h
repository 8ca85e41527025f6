/*
 * A vault's firewall: address ranges as Azure's ipRules write them (a single address or CIDR, IPv4 or IPv6), and
 * whether an address lies in one. Both families are kept as 16 bytes (IPv4 as RFC 4291 2.5.5.2 maps it), so that a
 * range is a pair of bounds that compare as bytes. Pure.
 */
#ifndef SR_VAULT_NETWORK_RULE_H
#define SR_VAULT_NETWORK_RULE_H

#include "base/bytes.h"

enum { SR_ADDRESS_LEN = 16, SR_NETWORK_RANGE_TEXT_LEN = 64 };

struct sr_network_range {
	uint8_t first[SR_ADDRESS_LEN], last[SR_ADDRESS_LEN];
	char text[SR_NETWORK_RANGE_TEXT_LEN]; /* as Azure answers it: "10.1.2.0/24", "10.1.2.3/32", "fd00::/8" */
};

/* "10.1.2.3", "10.1.2.0/24", "2001:db8::1", "2001:db8::/32". SR_INVALID: anything else, a prefix that is too long, and
 * a range whose address has bits beyond its prefix (10.1.2.3/24 is more likely a slip than a wish). */
SR_MUST struct sr_result sr_network_range_parse(const char *text, struct sr_network_range *ret_range);
/* An address as the server names its peer; an IPv4 address inside IPv6 counts as IPv4, a zone ("%eth0") is passed over.
 * SR_INVALID. */
SR_MUST struct sr_result sr_address_parse(const char *text, uint8_t ret_address[static SR_ADDRESS_LEN]);
bool sr_network_range_holds(const struct sr_network_range *range, const uint8_t address[static SR_ADDRESS_LEN]);

#endif
