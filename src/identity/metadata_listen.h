/* Where the metadata endpoint listens: the setting imds-listen, off if empty. */
#ifndef SR_IDENTITY_METADATA_LISTEN_H
#define SR_IDENTITY_METADATA_LISTEN_H

#include "net/server.h"

/* Listens at each place of the setting (net/near_place.h). */
SR_MUST struct sr_result sr_metadata_listen(struct sr_server *server, const char *setting);

#endif
