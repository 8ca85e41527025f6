/* Rows of federated credentials and of outside issuers. JWKS are read in jwks.c. */
#include "identity/federation.h"

#include "identity/jwks.h"
#include "identity/oauth_error.h"
#include "identity/revoked.h"
#include "wire/time.h"

#include <string.h>

static struct sr_result check_text(const char *what, const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > SR_FEDERATED_TEXT_MAX || !sr_is_utf8(sr_bytes_str(text))) {
		return sr_fail(SR_INVALID, "the %s of a federated credential is UTF-8 of 1 to %d bytes", what,
		               SR_FEDERATED_TEXT_MAX);
	}
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			return sr_fail(SR_INVALID, "the %s of a federated credential has no control characters", what);
		}
	}
	return sr_ok();
}

static struct sr_result check_count(struct sr_connection *connection, const char *object_id)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT count(*) FROM federated_credential WHERE principal = ?1", &select));
	sr_bind_text(select, 1, object_id);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (sr_column_int(select, 0) >= SR_FEDERATED_MAX) {
		return sr_fail(SR_CONFLICT, "the principal has %d federated credentials already: remove one first",
		               SR_FEDERATED_MAX);
	}
	return sr_ok();
}

struct sr_result sr_federated_make(struct sr_connection *connection, const char *object_id,
                                   const struct sr_federated *federated, int64_t now_s,
                                   char ret_id[static SR_GUID_TEXT_LEN])
{
	SR_TRY(check_text("issuer", federated->issuer));
	SR_TRY(check_text("subject", federated->subject));
	SR_TRY(check_text("audience", federated->audience));
	SR_TRY(check_count(connection, object_id));
	struct sr_id id = sr_id_random();
	char id_text[SR_GUID_TEXT_LEN];
	sr_guid_text(&id, id_text);
	SR_CLEANUP(sr_statement) struct sr_statement *insert = NULL;
	SR_TRY(
	    sr_prepare(connection,
	               "INSERT INTO federated_credential (credential_id, principal, issuer, subject, audience, created_s)"
	               " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	               &insert));
	sr_bind_text(insert, 1, id_text);
	sr_bind_text(insert, 2, object_id);
	sr_bind_text(insert, 3, federated->issuer);
	sr_bind_text(insert, 4, federated->subject);
	sr_bind_text(insert, 5, federated->audience);
	sr_bind_int(insert, 6, now_s);
	struct sr_result inserted = sr_run(insert);
	if (sr_result_code(inserted) == SR_EXISTS) {
		sr_ignore(inserted);
		return sr_fail(SR_EXISTS, "the principal has this federated credential already");
	}
	SR_TRY(inserted);
	memcpy(ret_id, id_text, sizeof id_text);
	return sr_ok();
}

struct sr_result sr_federated_remove(struct sr_connection *connection, const char *object_id, const char *id,
                                     int64_t now_s)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM federated_credential WHERE principal = ?1 AND credential_id = lower(?2)",
	                  &remove));
	sr_bind_text(remove, 1, object_id);
	sr_bind_text(remove, 2, id);
	SR_TRY(sr_run(remove));
	if (!sr_changes(connection)) {
		return sr_fail(SR_NOT_FOUND, "the principal has no federated credential '%.100s'", id);
	}
	return sr_revoke(connection, id, now_s);
}

static void set_column(json_t *object, const char *name, struct sr_statement *select, int column)
{
	struct sr_bytes text = sr_column_text(select, column);
	sr_json_set(object, name, json_stringn((const char *)text.data, text.len));
}

static void set_time(json_t *object, const char *name, int64_t unix_s)
{
	char text[SR_ISO_TIME_LEN];
	sr_iso_time(unix_s, text);
	sr_json_set_string(object, name, text);
}

static struct sr_result prepare_of(struct sr_connection *connection, const char *object_id,
                                   struct sr_statement **ret_select)
{
	SR_TRY(sr_prepare(connection,
	                  "SELECT credential_id, issuer, subject, audience, created_s FROM federated_credential"
	                  " WHERE principal = ?1 ORDER BY created_s, credential_id",
	                  ret_select));
	sr_bind_text(*ret_select, 1, object_id);
	return sr_ok();
}

struct sr_result sr_federated_list(struct sr_connection *connection, const char *object_id, json_t **ret_array)
{
	SR_CLEANUP(sr_json) json_t *array = json_array();
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(prepare_of(connection, object_id, &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			break;
		}
		json_t *item = json_object();
		set_column(item, "credentialId", select, 0);
		set_column(item, "issuer", select, 1);
		set_column(item, "subject", select, 2);
		set_column(item, "audience", select, 3);
		set_time(item, "created", sr_column_int(select, 4));
		json_array_append_new(array, item);
	}
	*ret_array = SR_TAKE(array);
	return sr_ok();
}

static bool is_text(struct sr_statement *select, int column, const char *text)
{
	return sr_equal_public(sr_column_text(select, column), sr_bytes_str(text));
}

static bool is_for(struct sr_statement *select, const struct sr_assertion *assertion)
{
	for (size_t i = 0; i < assertion->audience_count; i++) {
		if (is_text(select, 3, assertion->audiences[i])) {
			return true;
		}
	}
	return false;
}

struct sr_result sr_federated_match(struct sr_connection *connection, const char *object_id,
                                    const struct sr_assertion *assertion, char ret_id[static SR_GUID_TEXT_LEN])
{
	bool has_issuer = false;
	bool has_subject = false;
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(prepare_of(connection, object_id, &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			break;
		}
		bool fits_issuer = is_text(select, 1, assertion->issuer);
		bool fits_subject = fits_issuer && is_text(select, 2, assertion->subject);
		struct sr_bytes id = sr_column_text(select, 0);
		if (fits_subject && is_for(select, assertion) && id.len < SR_GUID_TEXT_LEN) {
			memcpy(ret_id, id.data, id.len);
			ret_id[id.len] = 0;
			return sr_ok();
		}
		has_issuer = has_issuer || fits_issuer;
		has_subject = has_subject || fits_subject;
	}
	if (has_subject) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_FEDERATED_AUD,
		                  "No matching federated identity record found for presented assertion audience '%.200s'.",
		                  assertion->audience_count ? assertion->audiences[0] : "");
	}
	if (has_issuer) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_FEDERATED_SUBJECT,
		                  "No matching federated identity record found for presented assertion subject '%.200s'.",
		                  assertion->subject);
	}
	return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_FEDERATED_ISSUER,
	                  "No matching federated identity record found for presented assertion issuer '%.200s'.",
	                  assertion->issuer);
}

struct sr_result sr_federation_issuer_set(struct sr_connection *connection, struct sr_arena *arena, const char *issuer,
                                          struct sr_bytes keys, int64_t now_s)
{
	size_t count;
	SR_TRY(check_text("issuer", issuer));
	SR_TRY(sr_jwks_check(arena, keys, &count));
	SR_CLEANUP(sr_statement) struct sr_statement *upsert = NULL;
	SR_TRY(sr_prepare(connection,
	                  "INSERT INTO federation_issuer (issuer, keys, changed_s) VALUES (?1, ?2, ?3)"
	                  " ON CONFLICT (issuer) DO UPDATE SET keys = ?2, changed_s = ?3",
	                  &upsert));
	sr_bind_text(upsert, 1, issuer);
	sr_bind_bytes_as_text(upsert, 2, keys);
	sr_bind_int(upsert, 3, now_s);
	return sr_run(upsert);
}

struct sr_result sr_federation_issuer_remove(struct sr_connection *connection, const char *issuer)
{
	SR_CLEANUP(sr_statement) struct sr_statement *remove = NULL;
	SR_TRY(sr_prepare(connection, "DELETE FROM federation_issuer WHERE issuer = ?1", &remove));
	sr_bind_text(remove, 1, issuer);
	SR_TRY(sr_run(remove));
	return sr_changes(connection) ? sr_ok() : sr_fail(SR_NOT_FOUND, "there are no keys of the issuer '%.200s'", issuer);
}

struct sr_result sr_federation_issuer_list(struct sr_connection *connection, struct sr_arena *arena, json_t **ret_array)
{
	SR_CLEANUP(sr_json) json_t *array = json_array();
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT issuer, keys, changed_s FROM federation_issuer ORDER BY issuer", &select));
	for (;;) {
		bool has_row;
		SR_TRY(sr_step(select, &has_row));
		if (!has_row) {
			break;
		}
		size_t count;
		SR_TRY(sr_jwks_check(arena, sr_column_text(select, 1), &count));
		json_t *item = json_object();
		set_column(item, "issuer", select, 0);
		sr_json_set_int(item, "keys", (int64_t)count);
		set_time(item, "changed", sr_column_int(select, 2));
		json_array_append_new(array, item);
	}
	*ret_array = SR_TAKE(array);
	return sr_ok();
}

struct sr_result sr_federation_key(struct sr_connection *connection, struct sr_arena *arena,
                                   const struct sr_assertion *assertion, struct sr_keypair **ret_keypair)
{
	SR_CLEANUP(sr_statement) struct sr_statement *select = NULL;
	SR_TRY(sr_prepare(connection, "SELECT keys FROM federation_issuer WHERE issuer = ?1", &select));
	sr_bind_text(select, 1, assertion->issuer);
	bool has_row;
	SR_TRY(sr_step(select, &has_row));
	if (!has_row) {
		return sr_fail_as(SR_UNAUTHENTICATED, SR_AADSTS_FEDERATED_ISSUER,
		                  "The keys of the issuer '%.200s' are not known here. Register them: strongroom identity "
		                  "federation set.",
		                  assertion->issuer);
	}
	struct sr_result found =
	    sr_jwks_find(arena, sr_column_text(select, 0), assertion->kid, assertion->alg, ret_keypair);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_fail_as(
		    SR_UNAUTHENTICATED, SR_AADSTS_FEDERATED_ISSUER,
		    "The issuer '%.200s' has no key '%.100s' here. Register its present keys: strongroom identity "
		    "federation set.",
		    assertion->issuer, assertion->kid);
	}
	return found;
}
