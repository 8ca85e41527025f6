/* The way of a request: route, version, account, authorization, lease, handler; and of its error. */
#include "blob/api.h"

#include "blob/admin_api.h"
#include "blob/authorize.h"
#include "blob/error.h"
#include "blob/header.h"

#include <string.h>
#include <strings.h>

static struct sr_result read_version(struct sr_blob_request *request)
{
	const char *text = sr_blob_header(request, "x-ms-version");
	text = text ? text : sr_blob_query(request, "api-version");
	request->version = SR_BLOB_DEFAULT_VERSION;
	return text ? sr_blob_version_parse(sr_bytes_str(text), &request->version) : sr_ok();
}

static struct sr_result find_operation(struct sr_blob_request *request)
{
	/* As in forms, '+' is a space: Go's clients and Python's write it so, and sign the space. */
	struct sr_result parsed =
	    sr_parameters_parse(request->arena, sr_exchange_query(request->exchange), true, &request->query);
	if (!sr_is_ok(parsed)) {
		sr_result_free(parsed);
		return sr_fail_as(SR_INVALID, "InvalidUri", "the query holds a broken escape or too many parameters");
	}
	const char *restype = sr_blob_query(request, "restype");
	SR_TRY(sr_blob_target_parse(request->arena, sr_exchange_host(request->exchange),
	                            sr_exchange_path(request->exchange), restype && strcasecmp(restype, "container") == 0,
	                            &request->target));
	return sr_blob_route(sr_exchange_method(request->exchange), request->target.resource, restype,
	                     sr_blob_query(request, "comp"), &request->operation);
}

/* What would be passed over in silence is refused: a snapshot that is asked for is not the blob. */
static struct sr_result refuse_unsupported(struct sr_blob_request *request)
{
	static const char *const parameters[] = {"snapshot", "versionid", "prevsnapshot", "where"};
	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
		if (sr_blob_query(request, parameters[i])) {
			return sr_fail_as(SR_INVALID, "UnsupportedQueryParameter", "%s is not supported here", parameters[i]);
		}
	}
	return sr_blob_refuse_unsupported(request->exchange);
}

/* The server ends a request whose key is taken away. */
static void abort_exchange(void *exchange)
{
	sr_exchange_abort(exchange);
}

static struct sr_result serve_in_lease(struct sr_blob_request *request)
{
	SR_TRY(sr_blob_account_enter(request->service->accounts, request->account, abort_exchange, request->exchange,
	                             &request->use, &request->volume));
	SR_TRY(sr_blob_authorize_by_policy(request));
	sr_blob_add_common_headers(request->exchange);
	return request->operation->handle(request);
}

/* An exchange that is aborted ends in all kinds of errors; the reason is that the key is gone. */
static struct sr_result say_why(struct sr_blob_request *request, struct sr_result result)
{
	if (sr_is_ok(result) || !request->use.lease || sr_result_reason(result)) {
		return result;
	}
	struct sr_result lease = sr_lease_check(&request->use);
	if (sr_is_ok(lease)) {
		return result;
	}
	sr_result_free(result);
	return lease;
}

static struct sr_result serve(struct sr_blob_request *request)
{
	SR_TRY(read_version(request));
	SR_TRY(find_operation(request));
	request->account = sr_blob_accounts_find(request->service->accounts, request->target.account);
	if (!request->account) {
		return sr_fail_as(SR_NOT_FOUND, "ResourceNotFound", "there is no such storage account");
	}
	SR_TRY(sr_blob_authorize(request));
	SR_TRY(sr_blob_target_check(&request->target));
	SR_TRY(refuse_unsupported(request));
	struct sr_result result = say_why(request, serve_in_lease(request));
	sr_lease_leave(&request->use);
	return result;
}

struct sr_result sr_blob_handle(struct sr_exchange *exchange, void *context)
{
	struct sr_blob_service *service = context;
	if (sr_exchange_is_local(exchange)) {
		return sr_blob_admin_handle(exchange, service);
	}
	struct sr_blob_request request = {
	    .service = service,
	    .exchange = exchange,
	    .arena = sr_exchange_arena(exchange),
	};
	struct sr_result result = serve(&request);
	sr_blob_account_release(request.account);
	if (sr_is_ok(result) || sr_exchange_has_begun(exchange)) {
		return result;
	}
	sr_blob_error_send(exchange, result, request.challenge);
	sr_result_free(result);
	return sr_ok();
}
