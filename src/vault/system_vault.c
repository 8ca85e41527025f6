/* Versions of our own certificates, from DER to rows. Signing is authority.c's. */
#include "vault/system_vault.h"

#include "base/clock.h"
#include "vault/audit.h"
#include "vault/certificate_make.h"
#include "vault/vault_store.h"

#include <string.h>
#include <strings.h>

enum { VERSIONS_KEPT = 100 };
#define RESOURCE_GROUP "strongroom"
/* What is said of them as policies: signed by the internal CA, renewed by their services and not by the vault. */
#define POLICY "{\"issuer\":{\"name\":\"Internal\"},\"key_props\":{\"exportable\":false},\"lifetime_actions\":[]}"

bool sr_is_system_vault(const char *name)
{
	return strcasecmp(name, SR_SYSTEM_VAULT) == 0;
}

struct sr_result sr_system_vault_check(const char *vault, const char *method)
{
	if (!sr_is_system_vault(vault) || strcmp(method, "GET") == 0) {
		return sr_ok();
	}
	return sr_fail_as(SR_DENIED, "ForbiddenInSystemVault",
	                  "The vault " SR_SYSTEM_VAULT " shows Strongroom's own certificates and is only read. `strongroom "
	                  "certificate renew SERVICE` renews one of them.");
}

struct sr_result sr_system_vault_make(struct sr_connection *connection, void *context)
{
	(void)context;
	const struct sr_vault_record record = {.name = SR_SYSTEM_VAULT,
	                                       .resource_group = RESOURCE_GROUP,
	                                       .created = sr_unix_s(),
	                                       .retention_days = SR_RETENTION_DAYS,
	                                       .is_by_roles = true};
	struct sr_result result = sr_vault_insert(connection, &record);
	if (sr_result_code(result) == SR_EXISTS) {
		sr_ignore(result);
		return sr_ok();
	}
	return result;
}

/* A version on its way into the database. */
struct showing {
	struct sr_arena *arena;
	struct sr_certificate_policy policy;
	struct sr_certificate_record certificate;
	const char *service; /* NULL: the CA itself, which nobody has asked for */
};

static struct sr_result prepare(struct showing *showing, const char *name, const struct sr_x509_chain *chain)
{
	const struct sr_key_spec spec = {.type = SR_KEY_EC, .curve = SR_CURVE_P256};
	struct sr_arena *arena = showing->arena;
	struct sr_x509_facts facts;
	SR_CLEANUP(sr_json) json_t *given = NULL;
	SR_TRY(sr_x509_read(arena, chain->own, &facts));
	SR_TRY(sr_json_parse(SR_LITERAL(POLICY), &given));
	SR_TRY(sr_certificate_policy_imported(arena, given, &facts, &spec, false, &showing->policy));
	const int64_t now = sr_unix_s();
	showing->certificate = (struct sr_certificate_record){
	    .head = {.vault = SR_SYSTEM_VAULT, .name = name, .deleted_at = SR_NO_TIME, .purge_at = SR_NO_TIME},
	    .version = sr_certificate_new_version(arena),
	    .is_enabled = true,
	    .nbf = facts.not_before,
	    .exp = facts.not_after,
	    .created = now,
	    .updated = now,
	    .renew_at = SR_NO_TIME,
	    .notice_at = SR_NO_TIME,
	    .thumbprint = sr_arena_copy(arena, sr_bytes_of(facts.thumbprint, sizeof facts.thumbprint)),
	    .cer = chain->own,
	};
	return sr_certificate_chain_write(arena, chain, &showing->certificate.chain);
}

static struct sr_result forget_old(struct sr_connection *connection, const char *name)
{
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection,
	                  "DELETE FROM certificate_version WHERE vault = ?1 AND certificate = ?2 AND number <= (SELECT "
	                  "max(number) FROM certificate_version WHERE vault = ?1 AND certificate = ?2) - ?3",
	                  &statement));
	sr_bind_text(statement, 1, SR_SYSTEM_VAULT);
	sr_bind_text(statement, 2, name);
	sr_bind_int(statement, 3, VERSIONS_KEPT);
	return sr_run(statement);
}

static struct sr_result is_shown(struct sr_connection *connection, const struct showing *showing, bool *ret_is_shown)
{
	struct sr_certificate_record current;
	struct sr_result found =
	    sr_vault_certificate_find(connection, showing->arena, SR_SYSTEM_VAULT, showing->certificate.head.name, NULL,
	                              SR_CERTIFICATE_LIVE, &current);
	*ret_is_shown = sr_is_ok(found) && sr_equal_public(current.cer, showing->certificate.cer);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	return found;
}

static struct sr_result show_work(struct sr_connection *connection, void *context)
{
	const struct showing *showing = context;
	const struct sr_certificate_record *certificate = &showing->certificate;
	const char *name = certificate->head.name;
	bool is_there;
	SR_TRY(is_shown(connection, showing, &is_there));
	if (is_there) {
		return sr_ok();
	}
	SR_TRY(
	    sr_vault_certificate_set_policy(connection, SR_SYSTEM_VAULT, name, showing->policy.json, certificate->created));
	SR_TRY(sr_vault_certificate_insert(connection, certificate));
	SR_TRY(forget_old(connection, name));
	const struct sr_audit_event event = {
	    .service = showing->service ? showing->service : "vault",
	    .operation = "CertificateSign",
	    .object = sr_arena_printf(showing->arena, SR_SYSTEM_VAULT "/certificates/%s/%s", name, certificate->version),
	    .detail = sr_arena_printf(showing->arena, "exp=%lld", (long long)certificate->exp)};
	return sr_audit_append(connection, &event);
}

static struct sr_result show(struct sr_vault_state *state, const char *name, const char *service,
                             const struct sr_x509_chain *chain)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct showing showing = {.arena = arena, .service = service};
	SR_TRY(prepare(&showing, name, chain));
	return sr_database_write(state->database, show_work, &showing);
}

struct sr_result sr_system_certificate_signed(struct sr_vault_state *state, const char *service, struct sr_bytes der,
                                              struct sr_bytes ca_der)
{
	return show(state, service, service, &(struct sr_x509_chain){.own = der, .issuers = {ca_der}, .count = 1});
}

struct sr_result sr_system_certificate_show_ca(struct sr_vault_state *state, struct sr_bytes ca_der)
{
	return show(state, SR_SYSTEM_CA, NULL, &(struct sr_x509_chain){.own = ca_der});
}
