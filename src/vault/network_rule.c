/* Ranges of addresses. Reading of the addresses themselves is the C library's. */
#include "vault/network_rule.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { MAPPED_BITS = 96 };

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool read_address(const char *text, uint8_t address[static SR_ADDRESS_LEN], bool *ret_is_v4)
{
	memcpy(address, mapped, sizeof mapped);
	if (inet_pton(AF_INET, text, address + sizeof mapped) == 1) {
		*ret_is_v4 = true;
		return true;
	}
	*ret_is_v4 = false;
	return inet_pton(AF_INET6, text, address) == 1;
}

/* What is before `end`, if that is short enough for an address. */
static bool copy_address(const char *text, const char *end, char to[static INET6_ADDRSTRLEN])
{
	const size_t len = (size_t)(end - text);
	if (len >= INET6_ADDRSTRLEN) {
		return false;
	}
	memcpy(to, text, len);
	to[len] = '\0';
	return true;
}

/* Sets `last` to the end of the range; false where `first` has bits beyond the prefix. */
static bool spread(struct sr_network_range *range, unsigned bits)
{
	for (unsigned i = 0; i < SR_ADDRESS_LEN; i++) {
		const unsigned fixed = bits > 8 * i ? bits - 8 * i : 0;
		const uint8_t free = (uint8_t)(fixed >= 8 ? 0 : 0xff >> fixed);
		if (range->first[i] & free) {
			return false;
		}
		range->last[i] = range->first[i] | free;
	}
	return true;
}

struct sr_result sr_network_range_parse(const char *text, struct sr_network_range *ret_range)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	struct sr_network_range range = {0};
	bool is_v4 = false;
	if (!copy_address(text, slash ? slash : text + strlen(text), address) ||
	    !read_address(address, range.first, &is_v4)) {
		return sr_fail(SR_INVALID, "\"%.64s\" is no address and no range of addresses (10.1.2.0/24, fd00::/8)", text);
	}
	const uint64_t most = is_v4 ? 32 : 128;
	uint64_t bits = most;
	if (slash) {
		SR_CLEANUP(sr_result) struct sr_result number = sr_parse_u64(sr_bytes_str(slash + 1), most, &bits);
		if (!sr_is_ok(number)) {
			return sr_fail(SR_INVALID, "\"%.64s\": a prefix of 0 to %u bits is expected behind the '/'", text,
			               (unsigned)most);
		}
	}
	if (!spread(&range, (unsigned)bits + (is_v4 ? MAPPED_BITS : 0))) {
		return sr_fail(SR_INVALID, "\"%.64s\": the address has bits beyond its prefix; write the first address", text);
	}
	char canonical[INET6_ADDRSTRLEN];
	inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? range.first + sizeof mapped : range.first, canonical,
	          sizeof canonical);
	snprintf(range.text, sizeof range.text, "%s/%u", canonical, (unsigned)bits);
	*ret_range = range;
	return sr_ok();
}

struct sr_result sr_address_parse(const char *text, uint8_t ret_address[static SR_ADDRESS_LEN])
{
	const char *zone = strchr(text, '%');
	char plain[INET6_ADDRSTRLEN];
	uint8_t address[SR_ADDRESS_LEN];
	bool is_v4;
	if (!copy_address(text, zone ? zone : text + strlen(text), plain) || !read_address(plain, address, &is_v4)) {
		return sr_fail(SR_INVALID, "what should be an address is none");
	}
	memcpy(ret_address, address, sizeof address);
	return sr_ok();
}

/* -1, 0, 1 as the first is before, at or after the second. */
static int compare(const uint8_t a[static SR_ADDRESS_LEN], const uint8_t b[static SR_ADDRESS_LEN])
{
	for (size_t i = 0; i < SR_ADDRESS_LEN; i++) {
		if (a[i] != b[i]) {
			return a[i] < b[i] ? -1 : 1;
		}
	}
	return 0;
}

bool sr_network_range_holds(const struct sr_network_range *range, const uint8_t address[static SR_ADDRESS_LEN])
{
	return compare(range->first, address) <= 0 && compare(address, range->last) <= 0;
}
