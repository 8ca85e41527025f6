/*
 * TLS configurations: what is allowed, who is trusted, which certificate is shown. Reading and writing records is
 * channel.c's.
 */
#include "net/tls.h"

#include "net/tls_session.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seal/certificate_native.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* A context has its ticket keys in memory and dies with them: a stolen one opens no older TLS 1.2 sessions than these.
 */
enum { CONTEXT_LIFE_MS = 6 * 3600 * 1000 };

static const char SERVICE_URI[] = "strongroom://service/";

struct sr_tls {
	struct sr_certificate *ca;
	bool is_server;
	enum sr_tls_peer peer;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_certificate *own;
	SSL_CTX *context;
	uint64_t made_ms;
};

static struct sr_result fail_ssl(const char *doing)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	struct sr_result result = sr_fail(SR_CRYPTO, "%s: %s", doing, reason ? reason : "unknown reason");
	ERR_clear_error();
	return result;
}

/* Server side of ALPN (RFC 7301): HTTP/1.1 if it is offered; a client without it may go on. */
static int select_protocol(SSL *session, const unsigned char **ret_name, unsigned char *ret_len,
                           const unsigned char *offered, unsigned int offered_len, void *context)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen = NULL;
	(void)session;
	(void)context;
	if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof ours - 1, offered, offered_len) !=
	    OPENSSL_NPN_NEGOTIATED) {
		return SSL_TLSEXT_ERR_NOACK;
	}
	*ret_name = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool use_certificate(SSL_CTX *context, struct sr_certificate *own)
{
	return SSL_CTX_use_cert_and_key(context, sr_certificate_x509(own), sr_certificate_key(own),
	                                sr_certificate_chain(own), 1) == 1;
}

static bool use_ca(SSL_CTX *context, struct sr_certificate *ca)
{
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), sr_certificate_x509(ca)) == 1;
}

static bool restrict_protocol(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	                                 SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(context,
	                 SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	int groups[] = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1};
	return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	       SSL_CTX_set1_groups(context, groups, sizeof groups / sizeof *groups) == 1;
}

static bool set_up_server(SSL_CTX *context, const struct sr_tls *tls)
{
	SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
	if (tls->peer == SR_TLS_MUST_SHOW) {
		/* No resumption: each connection proves its certificate anew. */
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(context, 0);
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
		return SSL_CTX_add_client_CA(context, sr_certificate_x509(tls->ca)) == 1;
	}
	/* Sessions live in the clients' tickets, not in our memory. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return true;
}

static struct sr_result context_new(const struct sr_tls *tls, struct sr_certificate *own, SSL_CTX **ret_context)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(tls->is_server ? TLS_server_method() : TLS_client_method());
	bool is_ready = context && restrict_protocol(context) && (!own || use_certificate(context, own)) &&
	                (!tls->ca || use_ca(context, tls->ca));
	if (is_ready && tls->is_server) {
		is_ready = set_up_server(context, tls);
	} else if (is_ready) {
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	}
	if (!is_ready) {
		SSL_CTX_free(context);
		return fail_ssl("set up TLS");
	}
	*ret_context = context;
	return sr_ok();
}

static struct sr_result tls_new(struct sr_certificate *own, struct sr_certificate *ca, bool is_server,
                                enum sr_tls_peer peer, struct sr_tls **ret_tls)
{
	struct sr_tls *tls = sr_alloc(sizeof *tls);
	tls->is_server = is_server;
	tls->peer = peer;
	tls->ca = ca ? sr_certificate_share(ca) : NULL;
	tls->own = own ? sr_certificate_share(own) : NULL;
	tls->made_ms = sr_boottime_ms();
	sr_mutex_init(&tls->mutex, SR_RANK_TLS);
	struct sr_result result = context_new(tls, own, &tls->context);
	if (!sr_is_ok(result)) {
		sr_tls_free(tls);
		return result;
	}
	*ret_tls = tls;
	return sr_ok();
}

struct sr_result sr_tls_server_new(struct sr_certificate *own, struct sr_certificate *ca, enum sr_tls_peer peer,
                                   struct sr_tls **ret_tls)
{
	if (peer == SR_TLS_MUST_SHOW && !ca) {
		return sr_fail(SR_INVALID, "set up mutual TLS: no CA to verify peers against");
	}
	return tls_new(own, ca, true, peer, ret_tls);
}

struct sr_result sr_tls_client_new(struct sr_certificate *own, struct sr_certificate *ca, struct sr_tls **ret_tls)
{
	return tls_new(own, ca, false, SR_TLS_MUST_SHOW, ret_tls);
}

struct sr_result sr_tls_replace(struct sr_tls *tls, struct sr_certificate *own)
{
	SSL_CTX *context = NULL;
	SR_TRY(context_new(tls, own, &context));
	struct sr_certificate *shared = sr_certificate_share(own);
	sr_mutex_lock(&tls->mutex);
	struct sr_certificate *old_own = tls->own;
	SSL_CTX *old_context = tls->context;
	tls->own = shared;
	tls->context = context;
	tls->made_ms = sr_boottime_ms();
	sr_mutex_unlock(&tls->mutex);
	SSL_CTX_free(old_context);
	sr_certificate_free(old_own);
	return sr_ok();
}

void sr_tls_free(struct sr_tls *tls)
{
	if (!tls) {
		return;
	}
	SSL_CTX_free(tls->context);
	sr_certificate_free(tls->own);
	sr_certificate_free(tls->ca);
	sr_mutex_destroy(&tls->mutex);
	sr_free(tls);
}

/* Called with the mutex held: gives up a context whose ticket keys are old. */
static struct sr_result renew_context(struct sr_tls *tls)
{
	uint64_t now_ms = sr_boottime_ms();
	if (!tls->is_server || now_ms - tls->made_ms < CONTEXT_LIFE_MS) {
		return sr_ok();
	}
	SSL_CTX *context = NULL;
	SR_TRY(context_new(tls, tls->own, &context));
	SSL_CTX_free(tls->context);
	tls->context = context;
	tls->made_ms = now_ms;
	return sr_ok();
}

static struct sr_result session_new(struct sr_tls *tls, SSL **ret_session)
{
	SR_LOCKED(&tls->mutex);
	SR_TRY(renew_context(tls));
	ERR_clear_error();
	SSL *session = SSL_new(tls->context);
	if (!session) {
		return fail_ssl("start a TLS session");
	}
	*ret_session = session;
	return sr_ok();
}

struct sr_result sr_tls_accept_session(struct sr_tls *tls, SSL **ret_session)
{
	SR_TRY(session_new(tls, ret_session));
	SSL_set_accept_state(*ret_session);
	return sr_ok();
}

static bool expect_host(SSL *session, const char *host)
{
	uint8_t address[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
	}
	char name[TLSEXT_MAXLEN_host_name + 1]; /* OpenSSL's macro wants it writable */
	int len = snprintf(name, sizeof name, "%s", host);
	SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return len > 0 && (size_t)len < sizeof name && SSL_set1_host(session, name) == 1 &&
	       SSL_set_tlsext_host_name(session, name) == 1;
}

struct sr_result sr_tls_connect_session(struct sr_tls *tls, const char *host, SSL **ret_session)
{
	SSL *session = NULL;
	SR_TRY(session_new(tls, &session));
	SSL_set_connect_state(session);
	if (host && !expect_host(session, host)) {
		SSL_free(session);
		return fail_ssl("name the TLS server");
	}
	*ret_session = session;
	return sr_ok();
}

static bool is_service_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
			return false;
		}
	}
	return len > 0 && len <= SR_SERVICE_NAME_MAX;
}

/* Copies the service's name out of one subject alternative name; false if it is something else. */
static bool read_service_name(const GENERAL_NAME *name, char ret_name[static SR_SERVICE_NAME_MAX + 1])
{
	if (name->type != GEN_URI) {
		return false;
	}
	const char *uri = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
	size_t len = (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier);
	size_t prefix_len = sizeof SERVICE_URI - 1;
	if (!sr_bytes_start_with(sr_bytes_of(uri, len), sr_bytes_of(SERVICE_URI, prefix_len)) ||
	    !is_service_name(uri + prefix_len, len - prefix_len)) {
		return false;
	}
	memcpy(ret_name, uri + prefix_len, len - prefix_len);
	ret_name[len - prefix_len] = '\0';
	return true;
}

void sr_tls_peer_service(const SSL *session, char ret_name[static SR_SERVICE_NAME_MAX + 1])
{
	ret_name[0] = '\0';
	X509 *peer = SSL_get0_peer_certificate(session);
	if (!peer || SSL_get_verify_result(session) != X509_V_OK) {
		return;
	}
	GENERAL_NAMES *names = X509_get_ext_d2i(peer, NID_subject_alt_name, NULL, NULL);
	int found = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		found += read_service_name(sk_GENERAL_NAME_value(names, i), ret_name);
	}
	GENERAL_NAMES_free(names);
	if (found != 1) {
		ret_name[0] = '\0';
	}
}
