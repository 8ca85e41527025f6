/* The double of identity: its server, keys and tokens. */
#include "identity_double.h"

#include "service_certificate.h"

#include "base/clock.h"
#include "base/memory.h"
#include "wire/jwt.h"
#include "wire/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number_of(const struct sr_parameters *query, const char *name)
{
	const char *text = sr_parameter_get(query, name);
	return text ? strtoull(text, NULL, 10) : 0;
}

/* A copy of the document, at once or when it is another than `known` or the time is up. */
static char *wait_for_document(struct identity_double *identity, bool knows, int64_t known, uint64_t wait_ms)
{
	uint64_t deadline_ns = sr_boottime_ns() + wait_ms * 1000000;
	sr_blocking_begin();
	sr_mutex_lock(&identity->mutex);
	identity->request_count++;
	while (knows && known == identity->revision && !identity->is_stopping &&
	       sr_cond_wait_until(&identity->cond, &identity->mutex, deadline_ns)) {
	}
	char *document = sr_strdup(identity->document);
	sr_mutex_unlock(&identity->mutex);
	sr_blocking_end();
	return document;
}

static struct sr_result answer(struct sr_exchange *exchange, void *context)
{
	struct identity_double *identity = context;
	if (!sr_equal_public(sr_exchange_path(exchange), SR_LITERAL("/directory")) ||
	    strcmp(sr_exchange_peer_service(exchange), "blob") != 0) {
		return sr_fail(SR_NOT_FOUND, "answer");
	}
	struct sr_parameters query;
	SR_TRY(sr_parameters_parse(sr_exchange_arena(exchange), sr_exchange_query(exchange), false, &query));
	bool knows = sr_parameter_get(&query, "revision");
	SR_CLEANUP(sr_string)
	char *document =
	    wait_for_document(identity, knows, (int64_t)number_of(&query, "revision"), number_of(&query, "wait"));
	return sr_exchange_send(exchange, 200, sr_bytes_str(document));
}

static void answer_error(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	(void)context;
	sr_ignore(sr_exchange_send(exchange, 500, sr_bytes_str(sr_result_message(error))));
}

void identity_double_come_back(struct identity_double *identity)
{
	const struct sr_server_options options = {.handler = answer, .on_error = answer_error, .context = identity};
	identity->is_stopping = false;
	expect_ok(sr_server_new(&options, &identity->server));
	expect_ok(sr_server_listen(identity->server, identity->server_tls, "127.0.0.1", identity->port, &identity->port));
	expect_ok(sr_server_start(identity->server));
}

void identity_double_go_down(struct identity_double *identity)
{
	sr_mutex_lock(&identity->mutex);
	identity->is_stopping = true;
	sr_cond_broadcast(&identity->cond);
	sr_mutex_unlock(&identity->mutex);
	sr_server_stop(identity->server, 100);
	identity->server = NULL;
}

struct identity_double *identity_double_start(void)
{
	expect_ok(sr_seal_init());
	struct identity_double *identity = sr_alloc(sizeof *identity);
	sr_mutex_init(&identity->mutex, SR_RANK_LEAF);
	sr_cond_init(&identity->cond);
	const struct sr_key_spec spec = {.type = SR_KEY_RSA, .bits = 2048};
	expect_ok(sr_keypair_generate(&spec, &identity->keys[0]));
	expect_ok(sr_keypair_generate(&spec, &identity->keys[1]));
	expect_ok(sr_certificate_new_ca("test CA", 30, &identity->ca));
	SR_CLEANUP(sr_certificate) struct sr_certificate *server = service_certificate(identity->ca, "identity");
	SR_CLEANUP(sr_certificate) struct sr_certificate *client = service_certificate(identity->ca, "blob");
	expect_ok(sr_tls_server_new(server, identity->ca, SR_TLS_MUST_SHOW, &identity->server_tls));
	expect_ok(sr_tls_client_new(client, identity->ca, &identity->client_tls));
	identity_double_publish(identity, &(struct directory_wish){0});
	identity_double_come_back(identity);
	return identity;
}

void identity_double_stop(struct identity_double *identity)
{
	if (identity->server) {
		identity_double_go_down(identity);
	}
	sr_tls_free(identity->server_tls);
	sr_tls_free(identity->client_tls);
	sr_certificate_free(identity->ca);
	sr_keypair_free(identity->keys[0]);
	sr_keypair_free(identity->keys[1]);
	sr_free(identity->document);
	sr_cond_destroy(&identity->cond);
	sr_mutex_destroy(&identity->mutex);
	sr_free(identity);
}

static void append_keys(const struct identity_double *identity, unsigned count, struct sr_buf *text)
{
	for (unsigned i = 0; i < count; i++) {
		struct sr_key_public public_parts;
		sr_keypair_public(identity->keys[i], &public_parts);
		sr_buf_printf(text,
		              "%s{\"kid\":\"key-%u\",\"kty\":\"RSA\",\"alg\":\"RS256\",\"use\":\"sig\",\"e\":\"AQAB\",\"n\":\"",
		              i ? "," : "", i);
		sr_base64url_encode(text, sr_bytes_of(public_parts.n, public_parts.n_len));
		sr_buf_append_str(text, "\"}");
	}
}

static void append_document(const struct identity_double *identity, const struct directory_wish *wish,
                            struct sr_buf *text)
{
	sr_buf_printf(text, "{\"revision\":%lld,\"tenant\":\"%s\",\"subscription\":\"%s\",\"keys\":[",
	              (long long)identity->revision, TENANT, SUBSCRIPTION);
	append_keys(identity, wish->key_count ? wish->key_count : 2, text);
	sr_buf_printf(text,
	              "],\"principals\":[{\"oid\":\"%s\",\"appId\":\"%s\",\"name\":\"Alice\",\"enabled\":%s},"
	              "{\"oid\":\"%s\",\"appId\":\"%s\",\"name\":\"Bob\",\"enabled\":false}],\"assignments\":",
	              ALICE, ALICE_APP, wish->alice_is_disabled ? "false" : "true", BOB, BOB_APP);
	sr_buf_append_str(text, wish->assignments
	                            ? wish->assignments
	                            : "[{\"id\":\"dddddddd-0000-4000-8000-000000000001\",\"principal\":\"" ALICE
	                              "\",\"role\":\"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1\","
	                              "\"scope\":\"/subscriptions/S/a/b\"}]");
	sr_buf_printf(text, ",\"revoked\":[\"" GONE "\",\"" NOBODY "\"],\"roles\":%s}", wish->roles ? wish->roles : "[]");
}

void identity_double_publish(struct identity_double *identity, const struct directory_wish *wish)
{
	SR_LOCKED(&identity->mutex);
	identity->revision++;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	if (wish->raw) {
		sr_buf_append_str(&text, wish->raw);
	} else {
		append_document(identity, wish, &text);
	}
	sr_free(identity->document);
	identity->document = sr_strdup(sr_buf_text(&text));
	sr_cond_broadcast(&identity->cond);
}

json_t *right_header(void)
{
	json_t *header = json_object();
	sr_json_set_string(header, "typ", "JWT");
	sr_json_set_string(header, "alg", "RS256");
	sr_json_set_string(header, "kid", "key-0");
	return header;
}

json_t *right_claims(void)
{
	json_t *claims = json_object();
	sr_json_set_string(claims, "aud", AUDIENCE "/");
	sr_json_set_string(claims, "iss", AUTHORITY "/" TENANT "/");
	sr_json_set_string(claims, "tid", TENANT);
	sr_json_set_string(claims, "oid", ALICE);
	sr_json_set_string(claims, "appid", ALICE_APP);
	sr_json_set_int(claims, "nbf", sr_unix_s());
	sr_json_set_int(claims, "exp", sr_unix_s() + 3600);
	return claims;
}

void make_token(const json_t *header, const json_t *claims, const struct sr_keypair *key, struct sr_buf *token)
{
	expect_ok(sr_jwt_signing_input(header, claims, token));
	SR_CLEANUP(sr_buf) struct sr_buf signature = SR_BUF(1024);
	if (key) {
		uint8_t digest[SR_DIGEST_MAX];
		size_t digest_len = sr_digest_of(SR_DIGEST_SHA256, sr_buf_bytes(token), digest);
		expect_ok(sr_keypair_sign(key, SR_ALG_RS256, sr_bytes_of(digest, digest_len), &signature));
	}
	sr_jwt_append_signature(token, sr_buf_bytes(&signature));
}

void make_right_token(const struct identity_double *identity, struct sr_buf *token)
{
	SR_CLEANUP(sr_json) json_t *header = right_header();
	SR_CLEANUP(sr_json) json_t *claims = right_claims();
	make_token(header, claims, identity->keys[0], token);
}

bool holds_soon(bool (*holds)(void *context), void *context)
{
	for (int i = 0; i < 2000; i++) {
		if (holds(context)) {
			return true;
		}
		sr_sleep_ms(1);
	}
	return false;
}

static bool is_ready(void *context)
{
	return sr_access_is_ready(context);
}

struct sr_access *follow(struct identity_double *identity)
{
	const struct sr_access_options options = {
	    .tls = identity->client_tls,
	    .identity_address = "127.0.0.1",
	    .identity_port = identity->port,
	    .authority = AUTHORITY "/",
	};
	struct sr_access *access = NULL;
	expect_ok(sr_access_start(&options, &access));
	assert_true(holds_soon(is_ready, access));
	return access;
}
