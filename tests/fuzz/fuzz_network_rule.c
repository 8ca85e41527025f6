/* Ranges of addresses as clients write them: what is taken reads the same again, and holds both of its ends. */
#include "vault/network_rule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[256] = "";
	memcpy(text, data, len < sizeof text ? len : sizeof text - 1);
	struct sr_network_range range;
	struct sr_network_range again;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_network_range_parse(text, &range);
	if (sr_is_ok(parsed)) {
		SR_CLEANUP(sr_result) struct sr_result reread = sr_network_range_parse(range.text, &again);
		require(sr_is_ok(reread) && memcmp(&range, &again, sizeof range) == 0);
		require(sr_network_range_holds(&range, range.first) && sr_network_range_holds(&range, range.last));
	}
	uint8_t address[SR_ADDRESS_LEN];
	SR_CLEANUP(sr_result) struct sr_result read = sr_address_parse(text, address);
	require(!sr_is_ok(read) || !sr_is_ok(parsed) || strchr(text, '/') || sr_network_range_holds(&range, address));
	return 0;
}
