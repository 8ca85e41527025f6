/* The list of managing services. */
#include "identity/manager.h"

#include <string.h>

/* Resource Manager, and what runs compute. */
static const char *const managers[] = {"workspace", "compute"};

struct sr_result sr_manager_check(const struct sr_identity_request *request)
{
	if (!request->peer_service || !*request->peer_service) {
		return sr_ok();
	}
	for (size_t i = 0; i < sizeof managers / sizeof *managers; i++) {
		if (strcmp(request->peer_service, managers[i]) == 0) {
			return sr_ok();
		}
	}
	return sr_fail(SR_DENIED, "the service '%.64s' manages no identities", request->peer_service);
}

struct sr_result sr_front_check(const struct sr_identity_request *request)
{
	if (request->peer_service && strcmp(request->peer_service, "workspace") == 0) {
		return sr_ok();
	}
	return sr_fail(SR_DENIED, "only Resource Manager's front asks this");
}
