/*
 * A server to test against: a CA, a TLS port on 127.0.0.1, a Unix socket for raw bytes, and a handler whose paths each
 * do one thing a handler may do. Made anew by each test that needs other limits.
 */
#ifndef SR_TEST_NET_RIG_H
#define SR_TEST_NET_RIG_H

#include "check.h"

#include "base/thread.h"
#include "net/client.h"
#include "net/server.h"

#include <stdatomic.h>

struct rig {
	struct sr_certificate *ca;
	struct sr_certificate *own;
	struct sr_tls *tls;
	struct sr_tls *client_tls; /* trusts the CA, shows nothing */
	struct sr_server *server;
	uint16_t port;
	char dir[64];
	char path[96];
	_Atomic(struct sr_exchange *) held; /* by /held and /held-upload, until is_released */
	atomic_bool is_released;
	atomic_int last_code; /* of the handler that ended last, of those that note it; -1 before */
	atomic_int running;   /* handlers now */
};

void rig_start(struct rig *rig, const struct sr_server_options *limits, enum sr_tls_peer peer);
void rig_stop(struct rig *rig, uint64_t grace_ms);
/* A certificate of the rig's CA for 127.0.0.1 and `service`. */
struct sr_certificate *rig_issue(const struct sr_certificate *ca, const char *service);

/* A connection to the Unix socket, whose reads end after 5 s. */
int rig_dial(const struct rig *rig);
void rig_say(int fd, const char *bytes, size_t len);
/* All that comes until the server closes, NUL-terminated; the caller frees with free. *ret_len may be NULL. Closes fd.
 */
char *rig_hear(int fd, size_t *ret_len);
/* Reads until `text` has been seen. */
void rig_hear_until(int fd, const char *text);
/* Waits up to 5 s until *flag is `value`. */
bool rig_wait(atomic_int *flag, int value);
struct sr_exchange *rig_wait_held(struct rig *rig);

#endif
