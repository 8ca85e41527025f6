/* The handlers of all routes, by the file that holds them. */
#ifndef SR_IDENTITY_API_H
#define SR_IDENTITY_API_H

#include "identity/request.h"

#define SR_HANDLER(name) \
	SR_MUST struct sr_result name(const struct sr_identity_request *request, struct sr_identity_answer *answer)
#define SR_STREAMER(name) \
	SR_MUST struct sr_result name(const struct sr_identity_request *request, struct sr_exchange *exchange)

/* discovery_api.c: metadata and published keys. */
SR_HANDLER(sr_discovery_health);
SR_HANDLER(sr_discovery_v2);
SR_HANDLER(sr_discovery_v1);
SR_HANDLER(sr_discovery_adfs);
SR_HANDLER(sr_discovery_instance);
SR_HANDLER(sr_discovery_keys);
SR_HANDLER(sr_discovery_error);

/* token_api.c: OAuth 2.0 client credentials. */
SR_HANDLER(sr_token_v2);
SR_HANDLER(sr_token_v1);
SR_HANDLER(sr_token_adfs);

/* directory_api.c: what the other services follow. */
SR_STREAMER(sr_directory_follow);

/* admin_api.c: status, keys, verification; audited.c: the audit log. */
SR_HANDLER(sr_identity_status);
SR_HANDLER(sr_identity_rotate);
SR_STREAMER(sr_identity_verify);
SR_STREAMER(sr_identity_audit_log);

/* principal_api.c: principals and their secrets. */
SR_HANDLER(sr_principals_list);
SR_HANDLER(sr_principals_create);
SR_HANDLER(sr_principals_get);
SR_HANDLER(sr_principals_update);
SR_HANDLER(sr_principals_delete);
SR_HANDLER(sr_principals_add_secret);
SR_HANDLER(sr_principals_delete_secret);

/* assignment_api.c: role assignments. */
SR_HANDLER(sr_assignments_list);
SR_HANDLER(sr_assignments_create);
SR_HANDLER(sr_assignments_delete);
SR_HANDLER(sr_assignments_delete_matching);

#endif
