/* Finding, giving and following the public certificate. How it travels is host's and seal's. */
#include "vault/public_certificate.h"

#include "base/clock.h"
#include "vault/audit.h"
#include "vault/certificate_make.h"
#include "vault/system_vault.h"
#include "vault/vault_store.h"

#include <string.h>

/* The certificate that the setting names, in the arena; `version` NULL where it cannot be shown now. */
struct named {
	struct sr_arena *arena;
	const char *vault, *name;
	int64_t now;
	struct sr_certificate_record certificate;
	struct sr_key_record key;
	bool is_usable;
};

/* "VAULT/NAME", or a name in the default vault. False where none is named. */
static bool read_setting(const struct sr_vault *vault, struct named *named)
{
	const char *setting = vault->host ? sr_host_config(vault->host)->public_certificate : "";
	const char *slash = strchr(setting, '/');
	named->vault =
	    slash ? sr_arena_text(named->arena, sr_bytes_of(setting, (size_t)(slash - setting))) : SR_DEFAULT_VAULT;
	named->name = slash ? slash + 1 : setting;
	return *setting;
}

static bool may_be_shown(const struct named *named, const struct sr_certificate_policy *policy)
{
	const struct sr_certificate_record *certificate = &named->certificate;
	return certificate->is_enabled && certificate->has_key && policy->is_exportable && certificate->nbf <= named->now &&
	       named->now < certificate->exp;
}

static struct sr_result find_work(struct sr_connection *connection, void *context)
{
	struct named *named = context;
	struct sr_vault_record record;
	struct sr_certificate_policy policy;
	SR_TRY(sr_vault_find(connection, named->arena, named->vault, &record)); /* not in a deleted vault */
	SR_TRY(sr_vault_certificate_find(connection, named->arena, named->vault, named->name, NULL, SR_CERTIFICATE_LIVE,
	                                 &named->certificate));
	SR_TRY(sr_certificate_policy_open(named->arena, named->certificate.head.policy, &policy));
	if (!may_be_shown(named, &policy)) {
		return sr_ok();
	}
	const struct sr_key_name name = {named->certificate.head.vault, named->certificate.head.name,
	                                 named->certificate.version};
	SR_TRY(sr_key_find(connection, named->arena, &name, SR_KEY_LIVE, &named->key));
	named->is_usable = true;
	return sr_ok();
}

static struct sr_result find(struct sr_vault *vault, struct named *named)
{
	struct sr_result found = sr_database_read(vault->state.database, find_work, named);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	return found;
}

static struct sr_result open_named(struct sr_vault *vault, const struct named *named, struct sr_keypair **ret_keypair,
                                   struct sr_x509_chain *ret_chain)
{
	const struct sr_key_name name = {named->key.vault, named->key.name, named->key.version};
	SR_TRY(sr_certificate_chain_read(named->certificate.cer, named->certificate.chain, ret_chain));
	return sr_key_unseal(vault->state.records, &name, named->key.sealed, ret_keypair);
}

struct sr_result sr_public_certificate_give(void *context, const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN],
                                            struct sr_buf *parcel)
{
	struct sr_vault *vault = context;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct named named = {.arena = arena, .now = sr_unix_s()};
	if (!read_setting(vault, &named)) {
		return sr_ok();
	}
	SR_TRY(find(vault, &named));
	if (!named.is_usable) {
		return sr_ok();
	}
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	struct sr_x509_chain chain;
	SR_TRY(open_named(vault, &named, &keypair, &chain));
	return sr_x509_hand_over(keypair, &chain, receiver, parcel);
}

/* The vault's own listener shows it, or its own certificate again. */
static struct sr_result show(struct sr_vault *vault, const struct named *named)
{
	if (!named->is_usable) {
		return sr_host_show(vault->host, NULL);
	}
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *shown = NULL;
	struct sr_x509_chain chain;
	SR_TRY(open_named(vault, named, &keypair, &chain));
	SR_TRY(sr_x509_join(keypair, &chain, &shown));
	return sr_host_show(vault->host, shown);
}

struct services {
	struct sr_arena *arena;
	struct sr_certificate_page page;
};

static struct sr_result list_services(struct sr_connection *connection, void *context)
{
	struct services *services = context;
	return sr_vault_certificate_list(connection, services->arena, SR_SYSTEM_VAULT, "", SR_CERTIFICATE_LIVE, 100,
	                                 &services->page);
}

/* All others ask anew; one that does not run now asks when it starts. */
static struct sr_result tell_services(struct sr_vault *vault, struct sr_arena *arena)
{
	struct services services = {.arena = arena};
	SR_TRY(sr_database_read(vault->state.database, list_services, &services));
	for (size_t i = 0; i < services.page.count; i++) {
		const char *name = services.page.items[i].head.name;
		if (strcmp(name, "vault") != 0 && strcmp(name, SR_SYSTEM_CA) != 0) {
			SR_TRY(sr_host_ask_renewal(vault->host, name));
		}
	}
	return sr_ok();
}

static struct sr_result audit(struct sr_vault *vault, const struct named *named)
{
	const char *version = named->is_usable ? named->certificate.version : NULL;
	const struct sr_audit_event event = {
	    .service = "vault",
	    .operation = "PublicCertificateShow",
	    .object = sr_arena_printf(named->arena, "%s/certificates/%s%s%s", named->vault, named->name, version ? "/" : "",
	                              version ? version : ""),
	    .outcome = version ? NULL : "CertificateNotUsable",
	    .detail =
	        version ? NULL : "missing, disabled, outside its dates or not exportable: the internal CA's is shown"};
	return sr_audit_write(vault->state.database, &event);
}

struct sr_result sr_show_public_certificate(struct sr_vault *vault, int64_t now)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct named named = {.arena = arena, .now = now};
	if (!read_setting(vault, &named)) {
		return sr_ok();
	}
	SR_TRY(find(vault, &named));
	const char *version = named.is_usable ? named.certificate.version : "-";
	if (strcmp(vault->shown_version, version) == 0) {
		return sr_ok();
	}
	SR_TRY(audit(vault, &named));
	SR_TRY(show(vault, &named));
	SR_TRY(tell_services(vault, arena));
	memcpy(vault->shown_version, version, strlen(version) + 1); /* 32 digits, or "-" */
	return sr_ok();
}
