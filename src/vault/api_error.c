/* Results to HTTP: by the reason where one is given, else by the kind of failure. */
#include "vault/api_error.h"

#include <string.h>

static const struct {
	const char *reason;
	struct sr_vault_error error;
} by_reason[] = {
    {"KeyNotFound", {404, "KeyNotFound", NULL, false}},
    {"VaultNotFound", {404, "VaultNotFound", NULL, false}},
    {"NotFound", {404, "NotFound", NULL, false}},
    {"MethodNotAllowed", {405, "MethodNotAllowed", NULL, false}},
    {"KeyTypeNotSupported", {400, "KeyTypeNotSupported", NULL, false}},
    {"KeyDisabled", {403, "Forbidden", "KeyDisabled", false}},
    {"KeyNotYetValid", {403, "Forbidden", "KeyNotYetValid", false}},
    {"KeyExpired", {403, "Forbidden", "KeyExpired", false}},
    {"KeyOperationForbidden", {403, "Forbidden", "KeyOperationForbidden", false}},
    {"KeyNotExportable", {403, "Forbidden", "KeyNotExportable", false}},
    {"VaultSealed", {503, "ServiceUnavailable", "VaultSealed", false}},
    {"RootKeyUnavailable", {503, "ServiceUnavailable", "RootKeyUnavailable", false}},
    {"WrongRootKey", {403, "Forbidden", "WrongRootKey", false}},
    {"TooManyRequests", {429, "Throttled", "TooManyRequests", false}},
    {"ForbiddenByRbac", {403, "Forbidden", "ForbiddenByRbac", false}},
    {"ForbiddenByFirewall", {403, "Forbidden", "ForbiddenByFirewall", false}},
    {"ForbiddenByConnection", {403, "Forbidden", "ForbiddenByConnection", false}},
    {"AccessDenied", {403, "Forbidden", "AccessDenied", false}},
    {"ForbiddenByPolicy", {403, "Forbidden", "ForbiddenByPolicy", false}},
    {"ObjectIsDeletedButRecoverable", {409, "Conflict", "ObjectIsDeletedButRecoverable", false}},
    {"SecretNotFound", {404, "SecretNotFound", NULL, false}},
    {"SecretDisabled", {403, "Forbidden", "SecretDisabled", false}},
    {"SecretManagedByKeyVault", {403, "Forbidden", "SecretManagedByKeyVault", false}},
    {"SecretAlreadyExists", {409, "Conflict", "SecretAlreadyExists", false}},
    {"ObjectIsManaged", {409, "Conflict", "ObjectIsManaged", false}},
    {"CertificateNotFound", {404, "CertificateNotFound", NULL, false}},
    {"PendingCertificateNotFound", {404, "PendingCertificateNotFound", NULL, false}},
    {"ContactsNotFound", {404, "ContactsNotFound", NULL, false}},
    {"IssuerNotFound", {404, "CertificateIssuerNotFound", NULL, false}},
    {"PendingOperationExists", {409, "Conflict", "PendingOperationExists", false}},
    {"CertificateAlreadyExists", {409, "Conflict", "CertificateAlreadyExists", false}},
    {"KeyManagedByKeyVault", {403, "Forbidden", "KeyManagedByKeyVault", false}},
    {"ForbiddenInSystemVault", {403, "Forbidden", "ForbiddenByPolicy", false}},
    {"KeyAlreadyExists", {409, "Conflict", "KeyAlreadyExists", false}},
};

static const struct {
	enum sr_code code;
	struct sr_vault_error error;
} by_code[] = {
    {SR_INVALID, {400, "BadParameter", NULL, false}},       {SR_TOO_LARGE, {400, "BadParameter", NULL, false}},
    {SR_PROTOCOL, {400, "BadParameter", NULL, false}},      {SR_UNAUTHENTICATED, {401, "Unauthorized", NULL, false}},
    {SR_DENIED, {403, "Forbidden", "AccessDenied", false}}, {SR_NOT_FOUND, {404, "NotFound", NULL, false}},
    {SR_TIMEOUT, {408, "RequestTimeout", NULL, false}},     {SR_EXISTS, {409, "Conflict", NULL, false}},
    {SR_CONFLICT, {409, "Conflict", NULL, false}},          {SR_UNAVAILABLE, {503, "ServiceUnavailable", NULL, false}},
    {SR_NO_SPACE, {503, "ServiceUnavailable", NULL, true}}, {SR_NO_MEMORY, {503, "ServiceUnavailable", NULL, true}},
};

static const struct sr_vault_error defect = {500, "InternalServerError", NULL, true};

struct sr_vault_error sr_vault_error_of(struct sr_result error)
{
	const char *reason = sr_result_reason(error);
	for (size_t i = 0; reason && i < sizeof by_reason / sizeof by_reason[0]; i++) {
		if (strcmp(by_reason[i].reason, reason) == 0) {
			return by_reason[i].error;
		}
	}
	for (size_t i = 0; i < sizeof by_code / sizeof by_code[0]; i++) {
		if (by_code[i].code == sr_result_code(error)) {
			return by_code[i].error;
		}
	}
	return defect;
}

json_t *sr_vault_error_body(const struct sr_vault_error *error, const char *message)
{
	json_t *detail = json_object(), *body = json_object();
	sr_json_set_string(detail, "code", error->code);
	sr_json_set_string(detail, "message", message);
	if (error->inner) {
		json_t *inner = json_object();
		sr_json_set_string(inner, "code", error->inner);
		sr_json_set(detail, "innererror", inner);
	}
	sr_json_set(body, "error", detail);
	return body;
}
