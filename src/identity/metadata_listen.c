/* Listening in plain: the one place where that is done. */
#include "identity/metadata_listen.h"

#include "net/near_place.h"

struct sr_result sr_metadata_listen(struct sr_server *server, const char *setting)
{
	const char *at = setting ? setting : "";
	for (;;) {
		struct sr_near_place place;
		bool is_end;
		SR_TRY(sr_near_place_next(&at, &place, &is_end));
		if (is_end) {
			return sr_ok();
		}
		SR_TRY(sr_server_listen_plain(server, place.address, place.port, NULL));
	}
}
