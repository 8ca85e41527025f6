/* Directory objects in the shapes of Microsoft Graph. An application and its service principal are one principal here:
 * both have its object id. Functions run on a connection, within the caller's transaction. */
#ifndef SR_IDENTITY_GRAPH_OBJECT_H
#define SR_IDENTITY_GRAPH_OBJECT_H

#include "identity/graph_filter.h"
#include "identity/object.h"
#include "identity/principal.h"
#include "seal/database.h"

enum sr_graph_kind {
	SR_GRAPH_SERVICE_PRINCIPAL, /* applications and managed identities */
	SR_GRAPH_APPLICATION,
	SR_GRAPH_USER,
	SR_GRAPH_GROUP,
	SR_GRAPH_ANY /* any of them, an application as its service principal, told apart by @odata.type */
};

struct sr_graph_scope {
	struct sr_connection *connection;
	struct sr_arena *arena;
	const char *tenant;
};

/* The objects of a kind that fit, appended to `list`. */
SR_MUST struct sr_result sr_graph_collect(const struct sr_graph_scope *scope, enum sr_graph_kind kind,
                                          const struct sr_graph_filter *filter, json_t *list);
/* By object id (a user also by name). SR_NOT_FOUND "Request_ResourceNotFound". The caller owns it. */
SR_MUST struct sr_result sr_graph_find(const struct sr_graph_scope *scope, enum sr_graph_kind kind, const char *id,
                                       json_t **ret_object);
/* A principal of ours in one of its two shapes. */
SR_MUST struct sr_result sr_graph_application_json(const struct sr_graph_scope *scope, enum sr_graph_kind kind,
                                                   const struct sr_application *application, json_t **ret_object);
/* SR_NOT_FOUND in Graph's words. */
SR_MUST struct sr_result sr_graph_no_such(const char *id);

#endif
