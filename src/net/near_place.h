/* Where something listens that is served a link away at most: "ADDRESS[:PORT]" separated by commas. Pure functions. */
#ifndef SR_NET_NEAR_PLACE_H
#define SR_NET_NEAR_PLACE_H

#include "net/near_address.h"

#include <stdbool.h>
#include <stdint.h>

struct sr_near_place {
	char address[SR_IP_TEXT_LEN];
	uint16_t port; /* 80 if it is not said */
	enum sr_reach reach;
};

/* Takes the next place off *at; *ret_is_end at the end. SR_INVALID says what is wrong: no IP address, no port, or an
 * address that reaches further than a link. */
SR_MUST struct sr_result sr_near_place_next(const char **at, struct sr_near_place *ret_place, bool *ret_is_end);

#endif
