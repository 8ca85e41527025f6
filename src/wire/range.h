/* Byte ranges of requests (RFC 9110 14): one range, "bytes=first-[last]" or "bytes=-suffix" where the service knows it.
 */
#ifndef SR_WIRE_RANGE_H
#define SR_WIRE_RANGE_H

#include "base/bytes.h"

struct sr_range {
	uint64_t first;
	uint64_t last; /* UINT64_MAX: to the end */
};
/* SR_INVALID for anything but one "bytes=first-[last]" with first <= last. */
SR_MUST struct sr_result sr_range_parse(struct sr_bytes text, struct sr_range *ret_range);
/* Cuts the range to a length; SR_RANGE if it starts at or past the end. */
SR_MUST struct sr_result sr_range_fit(struct sr_range range, uint64_t len, uint64_t *ret_offset, uint64_t *ret_len);

#endif
