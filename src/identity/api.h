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
SR_HANDLER(sr_identity_freeze);
SR_HANDLER(sr_identity_thaw);

/* principal_api.c: principals and their secrets. */
SR_HANDLER(sr_principals_list);
SR_HANDLER(sr_principals_create);
SR_HANDLER(sr_principals_get);
SR_HANDLER(sr_principals_update);
SR_HANDLER(sr_principals_delete);
SR_HANDLER(sr_principals_add_secret);
SR_HANDLER(sr_principals_delete_secret);

/* device_api.c, device_page.c: device authorization, and the page where a person decides it. */
SR_HANDLER(sr_device_v2);
SR_HANDLER(sr_device_v1);
SR_HANDLER(sr_device_adfs);
SR_HANDLER(sr_device_page);
SR_HANDLER(sr_device_page_post);

/* person_api.c: people. */
SR_HANDLER(sr_people_list);
SR_HANDLER(sr_people_create);
SR_HANDLER(sr_people_get);
SR_HANDLER(sr_people_update);
SR_HANDLER(sr_people_delete);
SR_HANDLER(sr_people_reset_password);
SR_HANDLER(sr_people_unlock);
SR_HANDLER(sr_people_sign_out);

/* public_client_api.c: applications that hold no secret. */
SR_HANDLER(sr_public_clients_list);
SR_HANDLER(sr_public_clients_allow);
SR_HANDLER(sr_public_clients_remove);

/* credential_api.c: certificates, federated credentials, outside issuers. */
SR_HANDLER(sr_credentials_add_certificate);
SR_HANDLER(sr_credentials_remove_certificate);
SR_HANDLER(sr_credentials_add_federated);
SR_HANDLER(sr_credentials_remove_federated);
SR_HANDLER(sr_federation_set);
SR_HANDLER(sr_federation_list);
SR_HANDLER(sr_federation_remove);

/* assignment_api.c: role assignments. */
SR_HANDLER(sr_assignments_list);
SR_HANDLER(sr_assignments_create);
SR_HANDLER(sr_assignments_get);
SR_HANDLER(sr_assignments_delete);
SR_HANDLER(sr_assignments_delete_matching);

/* authorization_api.c: the same and role definitions, for Resource Manager's front. */
SR_HANDLER(sr_authorization_assignments);
SR_HANDLER(sr_authorization_assignment_get);
SR_HANDLER(sr_authorization_assignment_put);
SR_HANDLER(sr_authorization_assignment_delete);
SR_HANDLER(sr_authorization_definitions);
SR_HANDLER(sr_authorization_definition_put);
SR_HANDLER(sr_authorization_definition_delete);

/* graph_api.c, graph_change.c: the directory as Microsoft Graph shows it. */
SR_HANDLER(sr_graph_me);
SR_HANDLER(sr_graph_list);
SR_HANDLER(sr_graph_get);
SR_HANDLER(sr_graph_members);
SR_HANDLER(sr_graph_get_by_ids);
SR_HANDLER(sr_graph_application_create);
SR_HANDLER(sr_graph_application_update);
SR_HANDLER(sr_graph_application_delete);
SR_HANDLER(sr_graph_service_principal_create);
SR_HANDLER(sr_graph_add_password);
SR_HANDLER(sr_graph_remove_password);

/* group_api.c: groups and their members. */
SR_HANDLER(sr_groups_list);
SR_HANDLER(sr_groups_create);
SR_HANDLER(sr_groups_get);
SR_HANDLER(sr_groups_update);
SR_HANDLER(sr_groups_delete);
SR_HANDLER(sr_groups_add_member);
SR_HANDLER(sr_groups_remove_member);

/* role_api.c: role definitions and deny assignments. */
SR_HANDLER(sr_roles_list);
SR_HANDLER(sr_roles_create);
SR_HANDLER(sr_roles_get);
SR_HANDLER(sr_roles_update);
SR_HANDLER(sr_roles_delete);
SR_HANDLER(sr_denials_list);
SR_HANDLER(sr_denials_create);
SR_HANDLER(sr_denials_delete);

/* management_group_api.c: the tree over subscriptions. */
SR_HANDLER(sr_management_groups_list);
SR_HANDLER(sr_management_groups_create);
SR_HANDLER(sr_management_groups_get);
SR_HANDLER(sr_management_groups_update);
SR_HANDLER(sr_management_groups_delete);
SR_HANDLER(sr_management_groups_place);

/* managed_identity_api.c: principals without a secret. */
SR_HANDLER(sr_managed_list);
SR_HANDLER(sr_managed_create);
SR_HANDLER(sr_managed_get);
SR_HANDLER(sr_managed_update);
SR_HANDLER(sr_managed_delete);

/* holder_api.c: who may use them. */
SR_HANDLER(sr_bindings_list);
SR_HANDLER(sr_bindings_create);
SR_HANDLER(sr_bindings_delete);
SR_HANDLER(sr_headers_create);
SR_HANDLER(sr_headers_delete);

/* metadata_api.c: their tokens. */
SR_HANDLER(sr_metadata_token);
SR_HANDLER(sr_metadata_info);
SR_HANDLER(sr_job_token);

#endif
