/* The child's side of supervision: configuration, control channel, certificates, readiness, stop. */
#include "host/host.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/thread.h"
#include "host/confine.h"
#include "host/control.h"
#include "net/near_place.h"
#include "seal/image.h"
#include "seal/secret.h"
#include "seal/x509.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LIST_MAX = 32,
	ALIVE_EVERY_MS = 1000,
	ENROL_TIMEOUT_MS = 60000,
	RENEW_RETRY_S = 60,
};

/* A comma-separated setting, split. */
struct list {
	char text[SR_CONFIG_TEXT_LEN];
	const char *items[LIST_MAX + 1];
};

struct sr_host {
	const char *service;
	struct sr_config config;
	char state_dir[SR_CONFIG_TEXT_LEN + 32];
	char socket_path[SR_CONFIG_TEXT_LEN + 64];
	char root_dir[SR_CONFIG_TEXT_LEN]; /* the root key's folder; the vault's */
	struct list listen, dns_names, addresses;

	struct sr_tls *public_tls, *internal_tls, *client_tls;

	struct sr_mutex mutex; /* guards all below */
	struct sr_cond changed;
	bool is_ready, is_stopping;
	struct sr_certificate_request *request; /* asked for, not yet answered */
	struct sr_certificate *certificate;     /* in use */
	bool was_refused;
	int64_t renew_at_s; /* 0: no renewal */
	struct sr_result (*sign)(void *context, const char *service, struct sr_bytes request_der, struct sr_buf *der);
	void *sign_context;
	struct sr_certificate *shown; /* to clients, where it is another than the one in use */
	struct sr_handover *handover; /* to which it is sealed on its way here; NULL: none is wanted */
	struct sr_result (*give)(void *context, const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN],
	                         struct sr_buf *parcel);
	void *give_context;
	struct sr_buf authority_der; /* the CA's certificate, where this is the vault */

	bool is_listening; /* the control thread runs; the main thread's */
	struct sr_thread control;
};

const struct sr_config *sr_host_config(const struct sr_host *host)
{
	return &host->config;
}

const char *sr_host_state_dir(const struct sr_host *host)
{
	return host->state_dir;
}

const char *sr_host_socket_path(const struct sr_host *host)
{
	return host->socket_path;
}

struct sr_tls *sr_host_public_tls(struct sr_host *host)
{
	return host->public_tls;
}

struct sr_tls *sr_host_internal_tls(struct sr_host *host)
{
	return host->internal_tls;
}

struct sr_tls *sr_host_client_tls(struct sr_host *host)
{
	return host->client_tls;
}

const char *const *sr_host_dns_names(const struct sr_host *host)
{
	return host->dns_names.items;
}

const char *const *sr_host_addresses(const struct sr_host *host)
{
	return host->addresses.items;
}

const char *const *sr_host_listen_addresses(const struct sr_host *host)
{
	return host->listen.items;
}

/* IP literals hold a colon, or digits and dots alone. */
static bool is_address(const char *name)
{
	return strchr(name, ':') || strspn(name, "0123456789.") == strlen(name);
}

static bool anything(const char *name)
{
	(void)name;
	return true;
}

static bool is_dns_name(const char *name)
{
	return !is_address(name);
}

/* Splits a setting at its commas and keeps what `wanted` wants. */
static void split(struct list *list, const char *text, bool (*wanted)(const char *))
{
	snprintf(list->text, sizeof list->text, "%s", text);
	size_t count = 0;
	char *rest = NULL;
	for (char *item = strtok_r(list->text, ", ", &rest); item && count < LIST_MAX; item = strtok_r(NULL, ", ", &rest)) {
		if (wanted(item)) {
			list->items[count++] = item;
		}
	}
	list->items[count] = NULL;
}

/* Sends a signing request for a fresh key; the answer comes on the control thread. */
static struct sr_result want_certificate(struct sr_host *host)
{
	struct sr_certificate_request *request;
	SR_TRY(sr_certificate_request_new(host->service, &request));
	sr_mutex_lock(&host->mutex);
	sr_certificate_request_free(host->request);
	host->request = request;
	host->was_refused = false;
	struct sr_bytes der = sr_certificate_request_der(request);
	uint8_t receiver[SR_HANDOVER_PUBLIC_LEN];
	struct sr_control_message want = {.kind = SR_CONTROL_WANT, .first = der};
	if (host->handover) {
		sr_handover_public(host->handover, receiver);
		want.second = sr_bytes_of(receiver, sizeof receiver);
	}
	struct sr_result sent = sr_control_send(SR_CONTROL_FD, &want);
	sr_mutex_unlock(&host->mutex);
	return sent;
}

/* When a certificate is to be renewed: after two thirds of what is left of its life. */
static int64_t renewal_time(const struct sr_certificate *certificate)
{
	int64_t now = sr_unix_s();
	return now + (sr_certificate_not_after(certificate) - now) * 2 / 3;
}

/* Puts a certificate to use: makes the configurations at first, replaces it in them later. */
static struct sr_result use_certificate(struct sr_host *host, struct sr_certificate *own, struct sr_certificate *ca)
{
	struct sr_certificate *shown = host->shown ? host->shown : own;
	if (host->internal_tls) {
		SR_TRY(sr_tls_replace(host->public_tls, shown));
		SR_TRY(sr_tls_replace(host->internal_tls, own));
		return sr_tls_replace(host->client_tls, own);
	}
	SR_TRY(host->public_tls ? sr_tls_replace(host->public_tls, shown)
	                        : sr_tls_server_new(shown, NULL, SR_TLS_ANYONE, &host->public_tls));
	SR_TRY(sr_tls_server_new(own, ca, SR_TLS_MUST_SHOW, &host->internal_tls));
	return sr_tls_client_new(own, ca, &host->client_tls);
}

/* What came along to be shown to clients. Without it, or where it does not open, they are shown the service's own. */
static void accept_shown(struct sr_host *host, struct sr_bytes parcel)
{
	struct sr_certificate *shown = NULL;
	SR_CLEANUP(sr_result)
	struct sr_result received =
	    host->handover && parcel.len ? sr_x509_receive(host->handover, parcel, &shown) : sr_ok();
	if (!sr_is_ok(received)) {
		sr_log(SR_LOG_ERROR, "public certificate: %s", sr_result_message(received));
	}
	sr_certificate_free(host->shown);
	host->shown = shown;
}

/* Joins the answer with the key that was made for it, and puts it to use. */
static struct sr_result accept_certificate(struct sr_host *host, const struct sr_control_message *message)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *own = NULL;
	SR_CLEANUP(sr_certificate) struct sr_certificate *ca = NULL;
	SR_TRY(sr_certificate_join(host->request, message->first, message->second, &own));
	SR_TRY(sr_certificate_from_der(message->second, &ca));
	accept_shown(host, message->text);
	SR_TRY(use_certificate(host, own, ca));
	sr_certificate_request_free(host->request);
	host->request = NULL;
	host->renew_at_s = renewal_time(own);
	sr_certificate_free(host->certificate);
	host->certificate = SR_TAKE(own);
	return sr_ok();
}

static void on_certificate(struct sr_host *host, const struct sr_control_message *message)
{
	SR_LOCKED(&host->mutex);
	if (!host->request) {
		return;
	}
	SR_CLEANUP(sr_result)
	struct sr_result accepted =
	    message->first.len ? accept_certificate(host, message) : sr_fail(SR_DENIED, "the vault refused to sign");
	if (!sr_is_ok(accepted)) {
		sr_log(SR_LOG_ERROR, "certificate: %s", sr_result_message(accepted));
		host->was_refused = true;
		host->renew_at_s = sr_unix_s() + RENEW_RETRY_S;
	}
	sr_cond_broadcast(&host->changed);
}

/* What another service shows to its clients, as the vault has it now. A failure costs it that alone. */
static void give_parcel(struct sr_host *host, struct sr_bytes receiver, struct sr_buf *parcel)
{
	sr_mutex_lock(&host->mutex);
	__typeof__(host->give) give = host->give;
	sr_mutex_unlock(&host->mutex);
	if (!give || receiver.len != SR_HANDOVER_PUBLIC_LEN) {
		return;
	}
	SR_CLEANUP(sr_result) struct sr_result given = give(host->give_context, receiver.data, parcel);
	if (!sr_is_ok(given)) {
		sr_log(SR_LOG_ERROR, "public certificate: %s", sr_result_message(given));
		sr_buf_reset(parcel);
	}
}

void sr_host_set_gift(struct sr_host *host,
                      struct sr_result (*give)(void *context, const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN],
                                               struct sr_buf *parcel),
                      void *context)
{
	SR_LOCKED(&host->mutex);
	host->give_context = context;
	host->give = give;
}

struct sr_result sr_host_show(struct sr_host *host, struct sr_certificate *shown)
{
	SR_LOCKED(&host->mutex);
	struct sr_certificate *now = shown ? shown : host->certificate;
	SR_TRY(now ? sr_tls_replace(host->public_tls, now) : sr_ok());
	sr_certificate_free(host->shown);
	host->shown = shown ? sr_certificate_share(shown) : NULL;
	return sr_ok();
}

/* The vault's part: signs another service's request. The supervisor vouches for who asks. */
static void on_sign(struct sr_host *host, const struct sr_control_message *message)
{
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(SR_CONTROL_MAX / 4), parcel = SR_BUF(SR_CONTROL_MAX / 4);
	char service[32];
	snprintf(service, sizeof service, "%.*s", (int)message->text.len, (const char *)message->text.data);
	sr_mutex_lock(&host->mutex);
	__typeof__(host->sign) sign = host->sign;
	sr_mutex_unlock(&host->mutex);
	SR_CLEANUP(sr_result)
	struct sr_result is_signed = sign ? sign(host->sign_context, service, message->first, &der)
	                                  : sr_fail(SR_PROTOCOL, "this service signs nothing");
	if (!sr_is_ok(is_signed)) {
		sr_log(SR_LOG_ERROR, "sign certificate of %s: %s", service, sr_result_message(is_signed));
		sr_buf_reset(&der);
	}
	give_parcel(host, message->second, &parcel);
	struct sr_control_message answer = {
	    .kind = SR_CONTROL_SIGNED,
	    .text = der.len ? sr_buf_bytes(&parcel) : (struct sr_bytes){0},
	    .number = message->number,
	    .first = sr_buf_bytes(&der),
	    .second = der.len ? sr_buf_bytes(&host->authority_der) : (struct sr_bytes){0},
	};
	sr_ignore(sr_control_send(SR_CONTROL_FD, &answer));
}

static void stop(struct sr_host *host)
{
	SR_LOCKED(&host->mutex);
	host->is_stopping = true;
	sr_cond_broadcast(&host->changed);
}

struct sr_result sr_host_ask_renewal(struct sr_host *host, const char *service)
{
	(void)host;
	const struct sr_control_message renew = {.kind = SR_CONTROL_RENEW, .text = sr_bytes_str(service)};
	return sr_control_send(SR_CONTROL_FD, &renew);
}

/* Where the time has come, or `must` be. */
static void renew_in_time(struct sr_host *host, bool must)
{
	sr_mutex_lock(&host->mutex);
	bool is_due = host->renew_at_s && (must || sr_unix_s() >= host->renew_at_s) && !host->sign;
	if (is_due) {
		host->renew_at_s = sr_unix_s() + RENEW_RETRY_S;
	}
	sr_mutex_unlock(&host->mutex);
	if (is_due) {
		SR_CLEANUP(sr_result) struct sr_result wanted = want_certificate(host);
		if (!sr_is_ok(wanted)) {
			sr_log(SR_LOG_WARNING, "renew certificate: %s", sr_result_message(wanted));
		}
	}
}

/* Serves the control channel until it says stop or ends with the supervisor. */
static void control_main(void *context)
{
	struct sr_host *host = context;
	SR_CLEANUP(sr_buf) struct sr_buf buf = SR_BUF(SR_CONTROL_MAX);
	const struct sr_control_message alive = {.kind = SR_CONTROL_ALIVE};
	for (;;) {
		struct sr_control_message message;
		SR_CLEANUP(sr_result)
		struct sr_result received = sr_control_receive(SR_CONTROL_FD, ALIVE_EVERY_MS, &buf, &message);
		sr_ignore(sr_control_send(SR_CONTROL_FD, &alive));
		renew_in_time(host, sr_is_ok(received) && message.kind == SR_CONTROL_RENEW);
		if (sr_result_code(received) == SR_TIMEOUT) {
			continue;
		}
		if (!sr_is_ok(received) || message.kind == SR_CONTROL_STOP) {
			stop(host);
			return;
		}
		if (message.kind == SR_CONTROL_SIGN) {
			on_sign(host, &message);
		} else if (message.kind == SR_CONTROL_CERTIFICATE) {
			on_certificate(host, &message);
		}
	}
}

struct sr_result sr_host_enrol(struct sr_host *host)
{
	if (host->config.public_certificate[0]) {
		SR_TRY(sr_handover_new(&host->handover));
	}
	SR_TRY(want_certificate(host));
	uint64_t deadline_ns = sr_boottime_ns() + (uint64_t)ENROL_TIMEOUT_MS * 1000000U;
	SR_LOCKED(&host->mutex);
	while (!host->certificate && !host->was_refused && !host->is_stopping) {
		if (!sr_cond_wait_until(&host->changed, &host->mutex, deadline_ns)) {
			return sr_fail(SR_TIMEOUT, "no certificate came from the vault");
		}
	}
	return host->certificate ? sr_ok() : sr_fail(SR_UNAVAILABLE, "no certificate from the vault");
}

struct sr_result sr_host_enrol_as_authority(struct sr_host *host, struct sr_certificate *own, struct sr_certificate *ca,
                                            struct sr_result (*sign)(void *context, const char *service,
                                                                     struct sr_bytes request_der,
                                                                     struct sr_buf *certificate_der),
                                            void *context)
{
	SR_LOCKED(&host->mutex);
	host->authority_der.max = SR_CONTROL_MAX / 4;
	if (!host->sign) {
		SR_TRY(sr_certificate_der(ca, &host->authority_der));
	}
	SR_TRY(use_certificate(host, own, ca));
	sr_certificate_free(host->certificate);
	host->certificate = sr_certificate_share(own);
	host->sign_context = context;
	host->sign = sign;
	return sr_ok();
}

struct sr_result sr_host_confine(struct sr_host *host)
{
	(void)host;
	return sr_confine_listening();
}

void sr_host_ready(struct sr_host *host)
{
	const struct sr_control_message ready = {.kind = SR_CONTROL_READY};
	sr_ignore(sr_control_send(SR_CONTROL_FD, &ready)); /* a supervisor that is gone is noticed by the control thread */
	SR_LOCKED(&host->mutex);
	host->is_ready = true;
}

struct sr_result sr_host_serve_sealed(struct sr_host *host, struct sr_certificate *own)
{
	return sr_tls_server_new(own, NULL, SR_TLS_ANYONE, &host->public_tls);
}

void sr_host_sealed(struct sr_host *host)
{
	(void)host;
	sr_ignore(sr_control_send(SR_CONTROL_FD, &(struct sr_control_message){.kind = SR_CONTROL_SEALED}));
}

void sr_host_restart(struct sr_host *host)
{
	sr_ignore(sr_control_send(SR_CONTROL_FD, &(struct sr_control_message){.kind = SR_CONTROL_RESTART}));
	stop(host);
}

void sr_host_wait_for_stop(struct sr_host *host)
{
	SR_LOCKED(&host->mutex);
	while (!host->is_stopping) {
		sr_cond_wait(&host->changed, &host->mutex);
	}
}

bool sr_host_is_stopping(struct sr_host *host)
{
	SR_LOCKED(&host->mutex);
	return host->is_stopping;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* The device of "device:PATH". */
static const char *tpm_device(const char *tcti)
{
	static const char kind[] = "device:";
	return strncmp(tcti, kind, sizeof kind - 1) == 0 ? tcti + sizeof kind - 1 : NULL;
}

/* The port of "swtpm:host=HOST,port=PORT"; an emulator listens on the next one too. 0: it is no emulator. */
static uint16_t tpm_port(const char *tcti)
{
	const char *port = strstr(tcti, "port=");
	uint64_t number = 0;
	if ((strncmp(tcti, "swtpm:", 6) == 0 || strncmp(tcti, "mssim:", 6) == 0) && port) {
		sr_ignore(sr_parse_u64(sr_bytes_of(port + 5, strspn(port + 5, "0123456789")), 65534, &number));
	}
	return (uint16_t)number;
}

/* What the vault needs for its root key's provider. */
static void plan_root(struct sr_host *host, struct sr_confinement *confinement)
{
	const struct sr_config *config = &host->config;
	size_t paths = 0, ports = 0;
	while (confinement->read_paths[paths]) {
		paths++;
	}
	while (confinement->connect_ports[ports]) {
		ports++;
	}
	snprintf(host->root_dir, sizeof host->root_dir, "%s", config->root_key);
	*strrchr(host->root_dir, '/') = 0;
	if (is_below(host->root_dir, config->state)) {
		confinement->own_dir = host->root_dir; /* a new key is written beside the old one */
	}
	confinement->own_file = is_below(config->root_key, config->state) ? config->root_key : NULL;
	confinement->read_paths[paths++] = config->root_key;
	confinement->read_paths[paths] = *config->root_pin ? config->root_pin : NULL;
	confinement->device = tpm_device(config->tpm);
	const uint16_t port = tpm_port(config->tpm);
	if (port) {
		confinement->connect_ports[ports++] = port;
		confinement->connect_ports[ports] = (uint16_t)(port + 1);
	}
}

/* The ports that a service listens on and connects to; ended by 0. */
static void add_ports(const struct sr_host *host, struct sr_confinement *confinement)
{
	const struct sr_config *config = &host->config;
	const struct {
		const char *service;
		uint64_t bind[SR_CONFINE_PORTS_MAX], connect[SR_CONFINE_PORTS_MAX];
	} table[] = {
	    {"vault",
	     {config->vault_port, config->vault_internal_port, config->vault_provider_port},
	     {config->identity_internal_port}},
	    {"identity",
	     {config->identity_port, config->identity_internal_port},
	     {config->vault_internal_port, config->identity_internal_port}},
	    {"blob", {config->blob_port}, {config->identity_internal_port, config->vault_internal_port}},
	    {"workspace",
	     {config->workspace_port},
	     {config->identity_internal_port, config->vault_internal_port, config->vault_provider_port}},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		for (size_t j = 0; strcmp(table[i].service, host->service) == 0 && j < SR_CONFINE_PORTS_MAX - 1; j++) {
			confinement->bind_ports[j] = (uint16_t)table[i].bind[j];
			confinement->connect_ports[j] = (uint16_t)table[i].connect[j];
		}
	}
}

/* Where identity's metadata endpoint listens besides; the setting was checked with the configuration. */
static void add_metadata_ports(const struct sr_host *host, struct sr_confinement *confinement)
{
	const char *at = host->config.imds_listen;
	size_t count = 0;
	while (confinement->bind_ports[count]) {
		count++;
	}
	struct sr_near_place place;
	bool is_end = strcmp(host->service, "identity") != 0;
	while (!is_end && count < SR_CONFINE_PORTS_MAX - 1) {
		SR_CLEANUP(sr_result) struct sr_result read = sr_near_place_next(&at, &place, &is_end);
		if (!sr_is_ok(read)) {
			return;
		}
		if (!is_end) {
			confinement->bind_ports[count++] = place.port;
		}
	}
}

/* What the hardware module needs besides, where there is one. It is loaded after the confinement, and lives in it. */
static void plan_module(const struct sr_config *config, struct sr_confinement *confinement)
{
	const char *value = strchr(config->pkcs11_config, '=');
	const char *const paths[] = {config->pkcs11_module, config->pkcs11_pin_file, value ? value + 1 : ""};
	size_t count = 0;
	while (confinement->read_paths[count]) {
		count++;
	}
	for (size_t i = 0; *config->pkcs11_module && i < sizeof paths / sizeof *paths; i++) {
		if (*paths[i] && count < SR_CONFINE_PATHS_MAX - 1) {
			confinement->read_paths[count++] = paths[i];
		}
	}
	confinement->more_dir = *config->pkcs11_module ? config->pkcs11_directory : NULL;
}

/* What this service needs of files and ports; the table of section "Processes" in ARCHITECTURE.md. */
static void plan_confinement(struct sr_host *host, struct sr_confinement *ret_confinement)
{
	const struct sr_config *config = &host->config;
	bool is_vault = strcmp(host->service, "vault") == 0;
	*ret_confinement = (struct sr_confinement){
	    .service = host->service,
	    .state_dir = config->state,
	    .write_dir = host->state_dir,
	    .read_paths = {"/etc/ssl", "/usr/lib/ssl", "/usr/lib", "/lib", "/etc/localtime", "/usr/share/zoneinfo",
	                   "/dev/null", "/dev/urandom", "/sys/devices/system/cpu", "/proc/self"},
	};
	add_ports(host, ret_confinement);
	add_metadata_ports(host, ret_confinement);
	if (is_vault) {
		plan_root(host, ret_confinement);
		plan_module(config, ret_confinement);
	}
}

static struct sr_result take_configuration(struct sr_host *host)
{
	SR_CLEANUP(sr_buf) struct sr_buf buf = SR_BUF(SR_CONTROL_MAX);
	struct sr_control_message message;
	SR_TRY(sr_control_receive(SR_CONTROL_FD, ENROL_TIMEOUT_MS, &buf, &message));
	if (message.kind != SR_CONTROL_CONFIG) {
		return sr_fail(SR_PROTOCOL, "the supervisor did not begin with the configuration");
	}
	SR_TRY(sr_config_import(message.text, &host->config));
	snprintf(host->state_dir, sizeof host->state_dir, "%s/%s", host->config.state, host->service);
	snprintf(host->socket_path, sizeof host->socket_path, "%s/control.sock", host->state_dir);
	split(&host->listen, host->config.listen, anything);
	split(&host->dns_names, host->config.names, is_dns_name);
	split(&host->addresses, host->config.names, is_address);
	return sr_ok();
}

static enum sr_log_level log_level(const char *name)
{
	static const struct {
		const char *name;
		enum sr_log_level level;
	} levels[] = {
	    {"error", SR_LOG_ERROR}, {"warning", SR_LOG_WARNING}, {"notice", SR_LOG_NOTICE}, {"debug", SR_LOG_DEBUG}};
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		if (strcmp(levels[i].name, name) == 0) {
			return levels[i].level;
		}
	}
	return SR_LOG_INFO;
}

static struct sr_result prepare(struct sr_host *host)
{
	SR_TRY(take_configuration(host));
	sr_log_setup(host->service, log_level(host->config.log_level));
	struct sr_confinement confinement;
	plan_confinement(host, &confinement);
	SR_TRY(sr_confine_start(&confinement));
	SR_TRY(sr_seal_init());
	SR_TRY(sr_image_remove(host->state_dir)); /* what a backup that did not end has left */
	SR_TRY(sr_thread_start("control", 0, control_main, host, &host->control));
	host->is_listening = true;
	return sr_ok();
}

void sr_host_leave(struct sr_host *host)
{
	if (host->is_listening) {
		shutdown(SR_CONTROL_FD, SHUT_RD); /* to the control thread this is the channel's end */
		sr_thread_join(host->control);
		host->is_listening = false;
	}
}

static void host_free(struct sr_host *host)
{
	sr_host_leave(host);
	sr_tls_free(host->public_tls);
	sr_tls_free(host->internal_tls);
	sr_tls_free(host->client_tls);
	sr_certificate_request_free(host->request);
	sr_certificate_free(host->certificate);
	sr_certificate_free(host->shown);
	sr_handover_free(host->handover);
	sr_buf_free(&host->authority_der);
	sr_cond_destroy(&host->changed);
	sr_mutex_destroy(&host->mutex);
	sr_free(host);
}

/* Signals are the supervisor's business: a terminal's Ctrl-C reaches the whole group, and stop comes by the channel. */
static void ignore_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

int sr_host_run(const char *service, struct sr_result (*serve)(struct sr_host *host))
{
	ignore_signals();
	umask(077);
	fcntl(SR_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	sr_log_setup(service, SR_LOG_INFO);
	struct sr_host *host = sr_alloc(sizeof *host);
	host->service = service;
	sr_mutex_init(&host->mutex, SR_RANK_SUPERVISOR);
	sr_cond_init(&host->changed);
	struct sr_result outcome = prepare(host);
	bool is_prepared = sr_is_ok(outcome);
	outcome = is_prepared ? serve(host) : outcome;
	bool failed = !sr_is_ok(outcome);
	if (failed) {
		sr_log(SR_LOG_ERROR, "%s: %s", is_prepared ? "stopped" : "cannot start", sr_result_message(outcome));
	}
	sr_result_free(outcome);
	host_free(host);
	return failed ? 1 : 0;
}
