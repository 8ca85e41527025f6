/* Whatever a peer sends as a lease message: it is refused, or reads to something that writes to the same bytes. */
#include "wire/lease_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sr_lease_message message;
	SR_CLEANUP(sr_result) struct sr_result result = sr_lease_message_read(sr_bytes_of(data, len), &message);
	if (!sr_is_ok(result)) {
		return 0;
	}
	for (size_t i = 0; i < sr_lease_item_count(&message); i++) {
		(void)sr_lease_item_at(&message, i);
	}
	SR_CLEANUP(sr_result) struct sr_result verdict = sr_lease_verdict_result(&message.verdict);
	/* Codes and reasons of a later version become known ones, so only the length stays for sure. */
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(2 * SR_LEASE_FRAME_MAX);
	sr_lease_message_write(&message, &again);
	if (again.len != len) {
		abort();
	}
	return 0;
}
