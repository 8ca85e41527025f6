/*
 * One request on its way through the service: filled in step by step by api.c (route, version, account,
 * authorization, lease) before a handler sees it. Belongs to the worker that runs the handler.
 */
#ifndef SR_BLOB_REQUEST_H
#define SR_BLOB_REQUEST_H

#include "blob/name.h"
#include "blob/sas.h"
#include "blob/service.h"
#include "wire/url.h"

struct sr_blob_request;

/* What an operation is and may: a row of the table of routes. */
struct sr_blob_operation {
	const char *method;
	enum sr_blob_resource resource;
	const char *restype; /* NULL: must be absent; "?" stands for either */
	const char *comp;    /* NULL: must be absent */
	/* Role-based action that it needs; relative to Microsoft.Storage/storageAccounts/blobServices/ */
	const char *action;
	bool is_data_action;
	/* SAS: any one of these letters allows it, for a blob or container and for an account; NULL: none does. */
	const char *service_permissions;
	const char *account_permissions;
	struct sr_result (*handle)(struct sr_blob_request *request);
};

struct sr_blob_request {
	struct sr_blob_service *service;
	struct sr_exchange *exchange;
	struct sr_arena *arena;
	const struct sr_blob_operation *operation;
	struct sr_blob_target target;
	struct sr_parameters query;
	unsigned version; /* 20260406 */
	struct sr_blob_account *account;
	struct sr_volume *volume;
	struct sr_lease_use use;
	const char *challenge;       /* for a 401; NULL where none fits */
	const struct sr_sas *sas;    /* the shared access signature that the request came with, or NULL */
	struct sr_bytes permissions; /* of the signature: its letters */
};

/* A query parameter's value or NULL. */
static inline const char *sr_blob_query(const struct sr_blob_request *request, const char *name)
{
	return sr_parameter_get(&request->query, name);
}
static inline const char *sr_blob_header(const struct sr_blob_request *request, const char *name)
{
	return sr_exchange_header(request->exchange, name);
}

/* Ends a response without body, after checking that the key may still be used. */
SR_MUST struct sr_result sr_blob_respond(struct sr_blob_request *request, int status);
/* The same with an XML document; *xml is checked for overflow. */
SR_MUST struct sr_result sr_blob_respond_xml(struct sr_blob_request *request, struct sr_buf *xml);
/* The request's body of at most `max` bytes, and as an XML document. SR_INVALID "InvalidXmlDocument". */
struct sr_xml_node;
SR_MUST struct sr_result sr_blob_request_xml(struct sr_blob_request *request, size_t max, struct sr_bytes *ret_body,
                                             const struct sr_xml_node **ret_root);
/* A whole number in the query, or `absent`. SR_INVALID: "InvalidQueryParameterValue", or
 * "OutOfRangeQueryParameterValue" outside min…max. */
SR_MUST struct sr_result sr_blob_query_number(const struct sr_blob_request *request, const char *name, uint64_t min,
                                              uint64_t max, uint64_t absent, uint64_t *ret_value);

#endif
