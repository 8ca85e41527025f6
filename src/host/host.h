/*
 * What every service process does around its own work: takes its configuration and its control channel from the
 * supervisor, gets a certificate, confines itself, says that it is ready, waits to be told to stop. A service is one
 * function, `struct sr_result sr_NAME_serve(struct sr_host *host)`, that starts its threads, calls sr_host_ready,
 * sr_host_wait_for_stop, and ends what it started.
 */
#ifndef SR_HOST_HOST_H
#define SR_HOST_HOST_H

#include "host/config.h"
#include "net/tls.h"
#include "seal/certificate.h"
#include "seal/handover.h"

struct sr_host;

/* Runs one service in this process: takes configuration from the control channel, confines the process (Landlock,
 * seccomp, no dumps, its own user), calls `serve`, reports its error. Gives the exit status. */
int sr_host_run(const char *service, struct sr_result (*serve)(struct sr_host *host));

const struct sr_config *sr_host_config(const struct sr_host *host);
/* STATE/SERVICE, which exists (mode 0700) and is the only place that the process may write. Borrowed. */
const char *sr_host_state_dir(const struct sr_host *host);
/* STATE/SERVICE/control.sock: where this service listens for the command line. */
const char *sr_host_socket_path(const struct sr_host *host);

/*
 * For all but the vault: makes a key, has the vault's CA sign it (through the supervisor, which vouches for who asks;
 * waits for the vault to be up), renews it by itself in time. The configurations below use it and follow renewals.
 */
SR_MUST struct sr_result sr_host_enrol(struct sr_host *host);
/* For the vault: its own certificate, made by itself, and the function by which it signs others' requests that the
 * supervisor relays (appends DER), on a thread of the host's until sr_host_leave. Sets up the same configurations. */
SR_MUST struct sr_result
sr_host_enrol_as_authority(struct sr_host *host, struct sr_certificate *own, struct sr_certificate *ca,
                           struct sr_result (*sign)(void *context, const char *service, struct sr_bytes request_der,
                                                    struct sr_buf *certificate_der),
                           void *context);
/* For the vault: what services are given to show to their clients beside the certificate that is signed for them, each
 * time they ask for one: `give` appends a parcel sealed to the receiver's key, or nothing (x509.h). On the host's
 * thread. */
void sr_host_set_gift(struct sr_host *host,
                      struct sr_result (*give)(void *context, const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN],
                                               struct sr_buf *parcel),
                      void *context);
/* For the vault: shows clients this certificate (shared) instead of its own; NULL: its own again. */
SR_MUST struct sr_result sr_host_show(struct sr_host *host, struct sr_certificate *shown);
/* For the vault: has the supervisor tell a service to ask for a new certificate now. The service's SIGN follows. */
SR_MUST struct sr_result sr_host_ask_renewal(struct sr_host *host, const char *service);
/* TLS for clients, for internal listeners (mutual), and for calls to other services (mutual). Borrowed; live as long as
 * the host. */
struct sr_tls *sr_host_public_tls(struct sr_host *host);
struct sr_tls *sr_host_internal_tls(struct sr_host *host);
struct sr_tls *sr_host_client_tls(struct sr_host *host);

/* The DNS names and addresses that certificates for clients bear; ended by NULL. Borrowed. */
const char *const *sr_host_dns_names(const struct sr_host *host);
const char *const *sr_host_addresses(const struct sr_host *host);
/* The addresses to listen on for clients; ended by NULL. */
const char *const *sr_host_listen_addresses(const struct sr_host *host);

/*
 * Second stage of the confinement, after listening and before the first customer's byte: no thread may bind or listen
 * any more. The first stage (Landlock: STATE/SERVICE for writing, few paths for reading, TCP to the ports that it
 * needs; seccomp without exec, ptrace, mounts, modules, namespaces) was before `serve`.
 */
SR_MUST struct sr_result sr_host_confine(struct sr_host *host);
/* Tells the supervisor that clients are served. */
void sr_host_ready(struct sr_host *host);
/*
 * For a vault that waits for a person: sets up TLS for clients with a certificate of its own making, since its CA is
 * not open yet. sr_host_enrol_as_authority replaces the certificate.
 */
SR_MUST struct sr_result sr_host_serve_sealed(struct sr_host *host, struct sr_certificate *own);
/* Tells the supervisor that it waits, and that its health is served. */
void sr_host_sealed(struct sr_host *host);
/* Makes sr_host_wait_for_stop return, and has the supervisor start the service again at once. From any thread. */
void sr_host_restart(struct sr_host *host);
/* Blocks until the supervisor says stop, or goes away. Answers its watchdog meanwhile. */
void sr_host_wait_for_stop(struct sr_host *host);
/* True if stop was said; for loops. */
bool sr_host_is_stopping(struct sr_host *host);
/* Stops listening to the supervisor: `sign` runs no more and its context may be freed. The host does so itself after
 * `serve`. */
void sr_host_leave(struct sr_host *host);

#endif
