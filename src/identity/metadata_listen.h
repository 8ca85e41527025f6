/* Where the metadata endpoint listens: the setting imds-listen, "ADDRESS[:PORT]" separated by commas, off if empty. */
#ifndef SR_IDENTITY_METADATA_LISTEN_H
#define SR_IDENTITY_METADATA_LISTEN_H

#include "net/near_address.h"
#include "net/server.h"

/* One place of the setting. */
struct sr_metadata_place {
	char address[SR_IP_TEXT_LEN];
	uint16_t port; /* 80 if it is not said */
	enum sr_reach reach;
};

/* Takes the next place off *at; *ret_is_end at the end. SR_INVALID says what is wrong: no IP address, no port, or an
 * address that reaches further than a link. */
SR_MUST struct sr_result sr_metadata_place_next(const char **at, struct sr_metadata_place *ret_place, bool *ret_is_end);
/* Listens at each place of the setting. */
SR_MUST struct sr_result sr_metadata_listen(struct sr_server *server, const char *setting);

#endif
