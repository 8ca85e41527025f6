/* Shared access signatures: fields, the string that is signed by version, and what they allow. */
#include "blob/sas.h"

#include "base/text.h"
#include "blob/header.h"
#include "wire/time.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The first versions whose strings have a field more. */
enum { OLDEST_VERSION = 20150405, WITH_RESOURCE = 20181109, WITH_SCOPE = 20201206 };

static struct sr_result failed(const char *why)
{
	return sr_fail_as(SR_DENIED, "AuthenticationFailed", "%s", why);
}

bool sr_sas_is_there(const struct sr_parameters *query)
{
	return sr_parameter_get(query, "sig");
}

static const char *field(const struct sr_parameters *query, const char *name)
{
	const char *value = sr_parameter_get(query, name);
	return value ? value : "";
}

static struct sr_result check_kind(const struct sr_sas *sas)
{
	if (sas->is_account) {
		return *sas->ss && *sas->se && *sas->sp ? sr_ok() : failed("the signature lacks a field");
	}
	if (strcmp(sas->sr, "b") != 0 && strcmp(sas->sr, "c") != 0) {
		return failed("the signature is for a kind of resource that is not known here");
	}
	return *sas->si || (*sas->se && *sas->sp) ? sr_ok() : failed("the signature lacks a field");
}

struct sr_result sr_sas_read(const struct sr_parameters *query, struct sr_sas *ret_sas)
{
	struct sr_sas sas = {
	    .sv = field(query, "sv"),
	    .sp = field(query, "sp"),
	    .st = field(query, "st"),
	    .se = field(query, "se"),
	    .si = field(query, "si"),
	    .sip = field(query, "sip"),
	    .spr = field(query, "spr"),
	    .sr = field(query, "sr"),
	    .ses = field(query, "ses"),
	    .ss = field(query, "ss"),
	    .srt = field(query, "srt"),
	    .rscc = field(query, "rscc"),
	    .rscd = field(query, "rscd"),
	    .rsce = field(query, "rsce"),
	    .rscl = field(query, "rscl"),
	    .rsct = field(query, "rsct"),
	    .sig = field(query, "sig"),
	};
	sas.is_account = *sas.srt;
	SR_CLEANUP(sr_result) struct sr_result version = sr_blob_version_parse(sr_bytes_str(sas.sv), &sas.version);
	if (!sr_is_ok(version) || sas.version < OLDEST_VERSION) {
		return failed("the signature's version is none");
	}
	if (sr_parameter_get(query, "skoid")) {
		return failed("signatures by user delegation keys are not known here");
	}
	if (*sas.ses) {
		return failed("encryption scopes are not known here");
	}
	SR_TRY(check_kind(&sas));
	*ret_sas = sas;
	return sr_ok();
}

static void add_line(struct sr_buf *text, const char *value)
{
	sr_buf_append_str(text, value);
	sr_buf_append_str(text, "\n");
}

static void add_account_string(const struct sr_sas *sas, const char *account, struct sr_buf *text)
{
	const char *const lines[] = {account, sas->sp, sas->ss, sas->srt, sas->st, sas->se, sas->sip, sas->spr, sas->sv};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		add_line(text, lines[i]);
	}
	if (sas->version >= WITH_SCOPE) {
		add_line(text, sas->ses);
	}
}

/* "/blob/account/container" or "/blob/account/container/blob", names decoded. */
static void add_resource(const struct sr_sas *sas, const struct sr_blob_target *target, struct sr_buf *text)
{
	sr_buf_printf(text, "/blob/%s/", target->account);
	sr_buf_append(text, target->container);
	if (strcmp(sas->sr, "b") == 0) {
		sr_buf_append_str(text, "/");
		sr_buf_append(text, target->blob);
	}
	sr_buf_append_str(text, "\n");
}

void sr_sas_string(const struct sr_sas *sas, const struct sr_blob_target *target, struct sr_buf *string_to_sign)
{
	struct sr_buf *text = string_to_sign;
	if (sas->is_account) {
		add_account_string(sas, target->account, text);
		return;
	}
	add_line(text, sas->sp);
	add_line(text, sas->st);
	add_line(text, sas->se);
	add_resource(sas, target, text);
	add_line(text, sas->si);
	add_line(text, sas->sip);
	add_line(text, sas->spr);
	add_line(text, sas->sv);
	if (sas->version >= WITH_RESOURCE) {
		add_line(text, sas->sr);
		add_line(text, ""); /* the snapshot's time, which no resource here has */
	}
	if (sas->version >= WITH_SCOPE) {
		add_line(text, sas->ses);
	}
	add_line(text, sas->rscc);
	add_line(text, sas->rscd);
	add_line(text, sas->rsce);
	add_line(text, sas->rscl);
	sr_buf_append_str(text, sas->rsct);
}

/* A field of the signature, or of the stored policy where the signature leaves it open. */
static struct sr_bytes either(const char *own, const struct sr_blob_policy *policy, struct sr_bytes of_policy)
{
	return *own || !policy ? sr_bytes_str(own) : of_policy;
}

static struct sr_result check_time(const struct sr_sas *sas, const struct sr_sas_use *use,
                                   const struct sr_blob_policy *policy)
{
	struct sr_bytes start = either(sas->st, policy, policy ? policy->start : (struct sr_bytes){0});
	struct sr_bytes expiry = either(sas->se, policy, policy ? policy->expiry : (struct sr_bytes){0});
	int64_t start_us = INT64_MIN;
	int64_t expiry_us = 0;
	SR_CLEANUP(sr_result) struct sr_result started = start.len ? sr_iso_time_parse(start, &start_us) : sr_ok();
	SR_CLEANUP(sr_result) struct sr_result expires = sr_iso_time_parse(expiry, &expiry_us);
	if (!sr_is_ok(started) || !sr_is_ok(expires)) {
		return failed("the signature's times are none");
	}
	return use->now_us >= start_us && use->now_us < expiry_us ? sr_ok()
	                                                          : failed("the signature is not valid at this time");
}

/* One IPv4 address, or two with '-' between them. */
static bool address_is_in(const char *peer, const char *range)
{
	char first[INET_ADDRSTRLEN] = "";
	const char *dash = strchr(range, '-');
	size_t first_len = dash ? (size_t)(dash - range) : strlen(range);
	if (first_len >= sizeof first) {
		return false;
	}
	snprintf(first, sizeof first, "%.*s", (int)first_len, range);
	struct in_addr low;
	struct in_addr high;
	struct in_addr own;
	if (inet_pton(AF_INET, first, &low) != 1 || inet_pton(AF_INET, dash ? dash + 1 : first, &high) != 1 ||
	    inet_pton(AF_INET, peer, &own) != 1) {
		return false;
	}
	return ntohl(own.s_addr) >= ntohl(low.s_addr) && ntohl(own.s_addr) <= ntohl(high.s_addr);
}

static struct sr_result check_kind_of_resource(const struct sr_sas *sas, enum sr_blob_resource resource)
{
	static const char letters[] = {[SR_BLOB_SERVICE] = 's', [SR_BLOB_CONTAINER] = 'c', [SR_BLOB_BLOB] = 'o'};
	if (!sas->is_account) {
		return sr_ok(); /* the signed string named the resource */
	}
	if (!strchr(sas->ss, 'b')) {
		return sr_fail_as(SR_DENIED, "AuthorizationServiceMismatch", "the signature is not for the blob service");
	}
	return strchr(sas->srt, letters[resource])
	           ? sr_ok()
	           : sr_fail_as(SR_DENIED, "AuthorizationResourceTypeMismatch", "the signature is for other resources");
}

static bool shares_a_letter(struct sr_bytes granted, const char *allowed_by)
{
	for (const char *letter = allowed_by ? allowed_by : ""; *letter; letter++) {
		if (granted.len && memchr(granted.data, *letter, granted.len)) {
			return true;
		}
	}
	return false;
}

struct sr_result sr_sas_check(const struct sr_sas *sas, const struct sr_sas_use *use,
                              const struct sr_blob_policy *policy, struct sr_bytes *ret_permissions)
{
	SR_TRY(check_time(sas, use, policy));
	if (*sas->spr && !strstr(sas->spr, "https")) {
		return sr_fail_as(SR_DENIED, "AuthorizationProtocolMismatch", "the signature is not for https");
	}
	if (*sas->sip && !address_is_in(use->peer_address, sas->sip)) {
		return sr_fail_as(SR_DENIED, "AuthorizationSourceIPMismatch", "the signature is for other addresses");
	}
	SR_TRY(check_kind_of_resource(sas, use->resource));
	struct sr_bytes granted = either(sas->sp, policy, policy ? policy->permission : (struct sr_bytes){0});
	if (!shares_a_letter(granted, use->allowed_by)) {
		return sr_fail_as(SR_DENIED, "AuthorizationPermissionMismatch", "the signature does not grant this");
	}
	*ret_permissions = granted;
	return sr_ok();
}
