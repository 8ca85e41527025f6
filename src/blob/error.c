/* The one table of errors, and its XML shape. */
#include "blob/error.h"

#include "base/clock.h"
#include "base/log.h"
#include "blob/header.h"
#include "wire/time.h"
#include "wire/xml.h"

#include <string.h>

#define KEY_NOT_FOUND "KeyVaultEncryptionKeyNotFound"

/* A reason that is its own symbol. */
#define SYMBOL(name, status, message)      \
	{                                      \
		name, SR_OK, status, name, message \
	}

static const struct sr_blob_error by_reason[] = {
    /* keyring's reasons */
    {"KeyDisabled", SR_OK, 403, KEY_NOT_FOUND, "The account's encryption key is disabled."},
    {"KeyExpired", SR_OK, 403, KEY_NOT_FOUND, "The account's encryption key has expired."},
    {"KeyNotYetValid", SR_OK, 403, KEY_NOT_FOUND, "The account's encryption key is not valid yet."},
    {"KeyNotFound", SR_OK, 403, KEY_NOT_FOUND, "The account's encryption key was not found."},
    {"KeyForbidden", SR_OK, 403, "KeyVaultAccessTokenCannotBeAcquired",
     "The account's access to its encryption key was taken away."},
    {"VaultUnreachable", SR_OK, 403, "KeyVaultVaultNotFound",
     "The vault of the account's encryption key does not answer."},
    /* the service's own */
    SYMBOL("AuthenticationFailed", 403,
           "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
           "including the signature."),
    SYMBOL("AuthorizationFailure", 403, "This request is not authorized to perform this operation."),
    SYMBOL("AuthorizationPermissionMismatch", 403,
           "This request is not authorized to perform this operation using this permission."),
    SYMBOL("AuthorizationProtocolMismatch", 403,
           "This request is not authorized to perform this operation using this protocol."),
    SYMBOL("AuthorizationResourceTypeMismatch", 403,
           "This request is not authorized to perform this operation using this resource type."),
    SYMBOL("AuthorizationServiceMismatch", 403,
           "This request is not authorized to perform this operation using this service."),
    SYMBOL("AuthorizationSourceIPMismatch", 403,
           "This request is not authorized to perform this operation using this source IP."),
    SYMBOL(
        "InvalidAuthenticationInfo", 401,
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."),
    SYMBOL(
        "NoAuthenticationInformation", 401,
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."),
    SYMBOL("AccessTierNotSupportedForBlobType", 400, "The access tier is not supported for this type of blob."),
    SYMBOL("BlobAlreadyExists", 409, "The specified blob already exists."),
    SYMBOL("BlobArchived", 409, "This operation is not permitted on an archived blob."),
    SYMBOL("BlobNotFound", 404, "The specified blob does not exist."),
    SYMBOL("BlockCountExceedsLimit", 409,
           "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks."),
    SYMBOL("BlockListTooLong", 400, "The block list may not contain more than 50,000 blocks."),
    SYMBOL("ConditionNotMet", 412, "The condition specified using HTTP conditional header(s) is not met."),
    {"NotModified", SR_OK, 304, "ConditionNotMet", ""},
    SYMBOL("ContainerAlreadyExists", 409, "The specified container already exists."),
    SYMBOL("ContainerNotFound", 404, "The specified container does not exist."),
    SYMBOL("Crc64Mismatch", 400,
           "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server."),
    SYMBOL("EmptyMetadataKey", 400, "The key for one of the metadata key-value pairs is empty."),
    SYMBOL("InvalidBlobOrBlock", 400, "The specified blob or block content is invalid."),
    SYMBOL("InvalidBlobTier", 400, "The specified blob tier is invalid."),
    SYMBOL("InvalidBlobType", 409, "The blob type is invalid for this operation."),
    SYMBOL("InvalidBlockList", 400, "The specified block list is invalid."),
    SYMBOL("InvalidHeaderValue", 400, "The value for one of the HTTP headers is not in the correct format."),
    SYMBOL("InvalidInput", 400, "One of the request inputs is not valid."),
    SYMBOL("InvalidMd5", 400,
           "The MD5 value specified in the request is invalid. The MD5 value must be 128 bits and Base64-encoded."),
    SYMBOL("InvalidMetadata", 400, "The specified metadata is invalid. It includes characters that are not permitted."),
    SYMBOL("InvalidQueryParameterValue", 400,
           "Value for one of the query parameters specified in the request URI is invalid."),
    SYMBOL("InvalidRange", 416, "The range specified is invalid for the current size of the resource."),
    SYMBOL("InvalidResourceName", 400, "The specified resource name contains invalid characters."),
    SYMBOL("InvalidUri", 400, "The requested URI does not represent any resource on the server."),
    SYMBOL("InvalidXmlDocument", 400, "XML specified is not syntactically valid."),
    SYMBOL("InvalidXmlNodeValue", 400,
           "The value provided for one of the XML nodes in the request body was not in the correct format."),
    SYMBOL("LeaseAlreadyBroken", 409, "The lease has already been broken and cannot be broken again."),
    SYMBOL("LeaseAlreadyPresent", 409, "There is already a lease present."),
    SYMBOL("LeaseIdMismatchWithBlobOperation", 412, "The lease ID specified did not match the lease ID for the blob."),
    SYMBOL("LeaseIdMismatchWithContainerOperation", 412,
           "The lease ID specified did not match the lease ID for the container."),
    SYMBOL("LeaseIdMismatchWithLeaseOperation", 409,
           "The lease ID specified did not match the lease ID for the resource with the specified lease operation."),
    SYMBOL("LeaseIdMissing", 412,
           "There is currently a lease on the resource and no lease ID was specified in the request."),
    SYMBOL("LeaseIsBreakingAndCannotBeAcquired", 409,
           "There is already a breaking lease, and the lease cannot be acquired until it is broken."),
    SYMBOL("LeaseIsBreakingAndCannotBeChanged", 409,
           "The lease ID matched, but the lease is currently in breaking state and cannot be changed."),
    SYMBOL("LeaseIsBrokenAndCannotBeRenewed", 409,
           "The lease ID matched, but the lease has been broken explicitly and cannot be renewed."),
    SYMBOL("LeaseNotPresentWithBlobOperation", 412, "There is currently no lease on the blob."),
    SYMBOL("LeaseNotPresentWithContainerOperation", 412, "There is currently no lease on the container."),
    SYMBOL("LeaseNotPresentWithLeaseOperation", 409, "There is currently no lease on the resource."),
    SYMBOL("Md5Mismatch", 400,
           "The MD5 value specified in the request did not match with the MD5 value calculated by the server."),
    SYMBOL("MetadataTooLarge", 400, "The size of the specified metadata exceeds the maximum size permitted."),
    SYMBOL("MissingContentLengthHeader", 411, "The Content-Length header was not specified."),
    SYMBOL("MissingRequiredHeader", 400, "An HTTP header that's mandatory for this request is not specified."),
    SYMBOL("MissingRequiredQueryParameter", 400,
           "A query parameter that's mandatory for this request is not specified."),
    SYMBOL("MultipleConditionHeadersNotSupported", 400, "Multiple condition headers are not supported."),
    SYMBOL("OutOfRangeInput", 400, "One of the request inputs is out of range."),
    SYMBOL("OutOfRangeQueryParameterValue", 400,
           "One of the query parameters specified in the request URI is outside the permissible range."),
    SYMBOL("RequestBodyTooLarge", 413, "The request body is too large and exceeds the maximum permissible limit."),
    SYMBOL("ResourceNotFound", 404, "The specified resource does not exist."),
    SYMBOL("UnauthorizedBlobOverwrite", 403, "This request is not authorized to perform blob overwrites."),
    SYMBOL("UnsatisfiableCondition", 400, "The request includes an unsatisfiable condition for this operation."),
    SYMBOL("UnsupportedHeader", 400, "One of the HTTP headers specified in the request is not supported."),
    SYMBOL("UnsupportedHttpVerb", 405, "The resource doesn't support specified Http Verb."),
    SYMBOL("UnsupportedQueryParameter", 400,
           "One of the query parameters specified in the request URI is not supported."),
};

static const struct sr_blob_error by_code[] = {
    {NULL, SR_NOT_FOUND, 404, "ResourceNotFound", "The specified resource does not exist."},
    {NULL, SR_EXISTS, 409, "ResourceAlreadyExists", "The specified resource already exists."},
    {NULL, SR_INVALID, 400, "InvalidInput", "One of the request inputs is not valid."},
    {NULL, SR_UNAUTHENTICATED, 401, "InvalidAuthenticationInfo", "Server failed to authenticate the request."},
    {NULL, SR_DENIED, 403, "AuthorizationFailure", "This request is not authorized to perform this operation."},
    {NULL, SR_CONFLICT, 409, "InvalidOperation", "The state of the resource does not allow this operation."},
    {NULL, SR_PRECONDITION, 412, "ConditionNotMet",
     "The condition specified using HTTP conditional header(s) is not met."},
    {NULL, SR_RANGE, 416, "InvalidRange", "The range specified is invalid for the current size of the resource."},
    {NULL, SR_TOO_LARGE, 413, "RequestBodyTooLarge",
     "The request body is too large and exceeds the maximum permissible limit."},
    {NULL, SR_REVOKED, 403, KEY_NOT_FOUND, "The account's encryption key may not be used now."},
    {NULL, SR_TIMEOUT, 500, "OperationTimedOut", "The operation could not be completed within the permitted time."},
    {NULL, SR_CLOSED, 400, "InvalidInput", "The request ended early."},
    {NULL, SR_UNAVAILABLE, 503, "ServerBusy", "A service that is needed does not answer at the moment."},
    {NULL, SR_NO_MEMORY, 503, "ServerBusy", "The server is out of memory at the moment."},
    {NULL, SR_NO_SPACE, 507, "InsufficientStorage", "The server's disk is full."},
    {NULL, SR_PROTOCOL, 400, "InvalidInput", "The request is malformed."},
    {NULL, SR_INTERNAL, 500, "InternalError", "The server encountered an internal error."},
};

/* What the result is answered with; never NULL. */
static const struct sr_blob_error *row_of(struct sr_result error)
{
	const char *reason = sr_result_reason(error);
	for (size_t i = 0; reason && i < sizeof by_reason / sizeof by_reason[0]; i++) {
		if (strcmp(reason, by_reason[i].reason) == 0) {
			return &by_reason[i];
		}
	}
	size_t last = sizeof by_code / sizeof by_code[0] - 1;
	for (size_t i = 0; i < last; i++) {
		if (sr_result_code(error) == by_code[i].code) {
			return &by_code[i];
		}
	}
	return &by_code[last]; /* damage, defects and failures of the system look alike from outside */
}

/* The library's message says what the client did wrong; it says nothing of a defect of ours. */
static bool is_for_client(const struct sr_blob_error *row)
{
	return row->status < 500;
}

static void write_body(struct sr_exchange *exchange, const struct sr_blob_error *row, struct sr_result error,
                       struct sr_buf *xml)
{
	char now[SR_ISO_TIME_LEN];
	sr_iso_time_us(sr_unix_us(), now);
	sr_xml_declaration(xml);
	sr_xml_open(xml, "Error");
	sr_xml_element_str(xml, "Code", row->symbol);
	sr_xml_open(xml, "Message"); /* its line ends stand as they are: clients show them */
	sr_xml_text(xml, sr_bytes_str(row->message));
	sr_buf_printf(xml, "\nRequestId:%s\nTime:%s", sr_exchange_request_id(exchange), now);
	sr_xml_close(xml, "Message");
	const char *detail = sr_result_message(error);
	if (is_for_client(row) && *detail && sr_xml_can_carry(sr_bytes_str(detail))) {
		bool is_about_login = row->status == 401 || strcmp(row->symbol, "AuthenticationFailed") == 0;
		sr_xml_element_str(xml, is_about_login ? "AuthenticationErrorDetail" : "Reason", detail);
	}
	sr_xml_close(xml, "Error");
}

void sr_blob_error_send(struct sr_exchange *exchange, struct sr_result error, const char *challenge)
{
	const struct sr_blob_error *row = row_of(error);
	if (row->status == 500) {
		sr_log(SR_LOG_ERROR, "request %s: code %d: %s", sr_exchange_request_id(exchange), (int)sr_result_code(error),
		       sr_result_message(error));
	}
	sr_exchange_drop_headers(exchange);
	sr_blob_add_common_headers(exchange);
	sr_exchange_add_header(exchange, "x-ms-error-code", row->symbol);
	if (row->status == 401 && challenge) {
		sr_exchange_add_header(exchange, "WWW-Authenticate", challenge);
	}
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(16384);
	if (row->status != 304) {
		sr_exchange_add_header(exchange, "Content-Type", "application/xml");
		write_body(exchange, row, error, &xml);
	}
	sr_ignore(sr_exchange_send(exchange, row->status, sr_buf_bytes(&xml)));
}

void sr_blob_error_on_server(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	(void)context;
	sr_blob_error_send(exchange, error, NULL);
}
