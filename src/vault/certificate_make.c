/* Versions of certificates, from key pair and policy to what is written. */
#include "vault/certificate_make.h"

#include "vault/certificate_ca.h"
#include "vault/key_json.h"

#include <string.h>

enum { SEALED_MAX = 32768, CHAIN_MAX = 1 << 19, VALUE_MAX = 1 << 20 };

const char *sr_certificate_new_version(struct sr_arena *arena)
{
	const struct sr_id id = sr_id_random();
	char *version = sr_arena_alloc(arena, SR_ID_TEXT_LEN);
	sr_id_text(&id, version);
	return version;
}

struct last_key {
	const struct sr_certificate_making *making;
	struct sr_key_record key;
	bool is_there;
};

static struct sr_result find_last_key(struct sr_connection *connection, void *context)
{
	struct last_key *last = context;
	const struct sr_certificate_making *making = last->making;
	const struct sr_key_name name = {making->vault, making->name, NULL};
	struct sr_result found = sr_key_find(connection, making->arena, &name, SR_KEY_LIVE, &last->key);
	if (sr_result_code(found) == SR_NOT_FOUND) {
		sr_ignore(found);
		return sr_ok();
	}
	SR_TRY(found);
	const struct sr_key_spec *spec = &last->key.state.spec, *wanted = &making->policy.key;
	last->is_there = last->key.is_managed && spec->type == wanted->type && spec->bits == wanted->bits &&
	                 spec->curve == wanted->curve;
	return sr_ok();
}

struct sr_result sr_certificate_keypair(const struct sr_certificate_making *making, struct sr_keypair **ret_keypair)
{
	struct last_key last = {.making = making};
	if (making->policy.reuses_key) {
		SR_TRY(sr_database_read(making->state->database, find_last_key, &last));
	}
	if (!last.is_there) {
		return sr_keypair_generate(&making->policy.key, ret_keypair);
	}
	const struct sr_key_name name = {last.key.vault, last.key.name, last.key.version};
	return sr_key_unseal(making->state->records, &name, last.key.sealed, ret_keypair);
}

struct sr_result sr_certificate_sign_by_policy(const struct sr_certificate_making *making,
                                               const struct sr_keypair *keypair, struct sr_x509_chain *ret_chain)
{
	struct sr_x509_chain chain = {0};
	SR_CLEANUP(sr_buf) struct sr_buf own = SR_BUF(SR_X509_MAX);
	if (strcmp(making->policy.issuer, SR_ISSUER_STRONGROOM) == 0) {
		SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
		SR_CLEANUP(sr_buf) struct sr_buf issuer = SR_BUF(SR_X509_MAX);
		SR_TRY(sr_certificate_ca_open(making->state, making->vault, &ca));
		SR_TRY(sr_x509_issue(ca, keypair, &making->policy.plan, &own));
		SR_TRY(sr_certificate_der(ca, &issuer));
		chain.issuers[chain.count++] = sr_arena_copy(making->arena, sr_buf_bytes(&issuer));
	} else {
		SR_TRY(sr_x509_self_sign(keypair, &making->policy.plan, &own));
	}
	chain.own = sr_arena_copy(making->arena, sr_buf_bytes(&own));
	*ret_chain = chain;
	return sr_ok();
}

struct sr_result sr_certificate_chain_write(struct sr_arena *arena, const struct sr_x509_chain *chain,
                                            struct sr_bytes *ret_bytes)
{
	SR_CLEANUP(sr_buf) struct sr_buf blocks = SR_BUF(CHAIN_MAX);
	for (size_t i = 0; i < chain->count; i++) {
		sr_buf_append_block(&blocks, chain->issuers[i]);
	}
	SR_TRY(sr_buf_result(&blocks));
	*ret_bytes = sr_arena_copy(arena, sr_buf_bytes(&blocks));
	return sr_ok();
}

struct sr_result sr_certificate_chain_read(struct sr_bytes cer, struct sr_bytes bytes, struct sr_x509_chain *ret_chain)
{
	struct sr_x509_chain chain = {.own = cer};
	struct sr_reader reader = sr_reader_of(bytes);
	while (reader.left && !reader.failed && chain.count < SR_X509_CHAIN_MAX) {
		chain.issuers[chain.count++] = sr_reader_block(&reader, SR_X509_MAX);
	}
	SR_TRY(sr_reader_finish(&reader, "a certificate's chain"));
	*ret_chain = chain;
	return sr_ok();
}

static struct sr_result prepare_certificate(struct sr_certificate_making *making, const struct sr_x509_chain *chain)
{
	struct sr_x509_facts facts;
	SR_TRY(sr_x509_read(making->arena, chain->own, &facts));
	const struct sr_certificate_policy *policy = &making->policy;
	making->certificate = (struct sr_certificate_record){
	    .head = {.vault = making->vault, .name = making->name, .deleted_at = SR_NO_TIME, .purge_at = SR_NO_TIME},
	    .version = making->version,
	    .is_enabled = making->is_enabled,
	    .nbf = facts.not_before,
	    .exp = facts.not_after,
	    .created = making->now,
	    .updated = making->now,
	    .tags = making->tags,
	    .has_key = true,
	    .renew_at = sr_certificate_trigger_time(&policy->renew, facts.not_before, facts.not_after),
	    .notice_at = sr_certificate_trigger_time(&policy->notice, facts.not_before, facts.not_after),
	    .thumbprint = sr_arena_copy(making->arena, sr_bytes_of(facts.thumbprint, sizeof facts.thumbprint)),
	    .cer = chain->own,
	};
	return sr_certificate_chain_write(making->arena, chain, &making->certificate.chain);
}

static struct sr_result prepare_key(struct sr_certificate_making *making, const struct sr_keypair *keypair)
{
	const struct sr_certificate_record *certificate = &making->certificate;
	const struct sr_key_spec spec = sr_keypair_spec(keypair);
	making->key = (struct sr_key_record){
	    .vault = making->vault,
	    .name = making->name,
	    .version = making->version,
	    .state = {.is_enabled = making->is_enabled,
	              .nbf = certificate->nbf,
	              .exp = certificate->exp,
	              .operations = sr_key_default_operations(spec.type),
	              .spec = spec},
	    .created = making->now,
	    .updated = making->now,
	    .deleted_at = SR_NO_TIME,
	    .purge_at = SR_NO_TIME,
	    .tags = making->tags,
	    .is_managed = true,
	};
	SR_TRY(sr_key_public_jwk(making->arena, keypair, &making->key.public_jwk));
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(SEALED_MAX);
	const struct sr_key_name name = {making->vault, making->name, making->version};
	SR_TRY(sr_key_seal(making->state->records, &name, keypair, &sealed));
	making->key.sealed = sr_arena_copy(making->arena, sr_buf_bytes(&sealed));
	return sr_ok();
}

/* What the secret holds: the certificate in the policy's form, with the private key where that may leave. */
static struct sr_result write_value(const struct sr_certificate_making *making, const struct sr_keypair *keypair,
                                    const struct sr_x509_chain *chain, struct sr_buf *value)
{
	const struct sr_keypair *given_out = making->policy.is_exportable ? keypair : NULL;
	if (making->policy.is_pem) {
		return sr_x509_pem(given_out, chain, value);
	}
	SR_CLEANUP(sr_buf) struct sr_buf pfx = SR_BUF(VALUE_MAX);
	SR_TRY(sr_x509_pkcs12(given_out, chain, &pfx));
	sr_base64_encode(value, sr_buf_bytes(&pfx));
	return sr_buf_result(value);
}

static struct sr_result prepare_secret(struct sr_certificate_making *making, const struct sr_keypair *keypair,
                                       const struct sr_x509_chain *chain)
{
	const struct sr_certificate_record *certificate = &making->certificate;
	SR_CLEANUP(sr_buf) struct sr_buf value = SR_BUF(VALUE_MAX);
	SR_TRY(write_value(making, keypair, chain, &value));
	if (value.len > SR_SECRET_VALUE_MAX) {
		return sr_fail(SR_INVALID, "the certificate with its chain is larger than %d bytes: leave issuers out of it",
		               SR_SECRET_VALUE_MAX);
	}
	making->secret = (struct sr_secret_record){
	    .vault = making->vault,
	    .name = making->name,
	    .version = making->version,
	    .is_enabled = making->is_enabled,
	    .nbf = certificate->nbf,
	    .exp = certificate->exp,
	    .created = making->now,
	    .updated = making->now,
	    .deleted_at = SR_NO_TIME,
	    .purge_at = SR_NO_TIME,
	    .content_type = sr_certificate_content_type(&making->policy),
	    .tags = making->tags,
	    .is_managed = true,
	    .value = sr_arena_copy(making->arena, sr_buf_bytes(&value)),
	};
	return sr_ok();
}

struct sr_result sr_certificate_prepare(struct sr_certificate_making *making, const struct sr_keypair *keypair,
                                        const struct sr_x509_chain *chain)
{
	if (!making->version) {
		making->version = sr_certificate_new_version(making->arena);
	}
	SR_TRY(prepare_certificate(making, chain));
	SR_TRY(prepare_key(making, keypair));
	return prepare_secret(making, keypair, chain);
}

struct sr_result sr_certificate_write(struct sr_connection *connection, struct sr_certificate_making *making)
{
	SR_TRY(sr_vault_certificate_set_policy(connection, making->vault, making->name, making->policy.json, making->now));
	SR_TRY(sr_vault_certificate_insert(connection, &making->certificate));
	SR_TRY(sr_key_insert(connection, &making->key));
	SR_TRY(sr_vault_secret_insert(connection, making->state->records, &making->secret));
	/* As it is now in the database: its name in the letters that it was made with, its policy's dates. */
	return sr_vault_certificate_find(connection, making->arena, making->vault, making->name, making->version,
	                                 SR_CERTIFICATE_LIVE, &making->certificate);
}
