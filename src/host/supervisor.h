/*
 * The supervisor: starts the services as child processes, restarts one that dies (with back-off), relays signing
 * requests to the vault, stops all in order. It holds no key and no customer's socket. One thread.
 */
#ifndef SR_HOST_SUPERVISOR_H
#define SR_HOST_SUPERVISOR_H

#include "host/config.h"

struct sr_supervisor;

/* Who hears how things go; each may be NULL, and stops the supervisor by returning false. */
struct sr_supervision {
	bool (*on_serving)(void *context); /* once, when all serve for the first time */
	bool (*on_sealed)(void *context);  /* once, when the vault waits for a person for the first time */
	void *context;
};

/*
 * Runs the services named in `services` (ended by NULL), each started when those before it serve, by executing this
 * program again as "strongroom service NAME". Returns when it was told to stop (SIGINT, SIGTERM) and all have ended;
 * SR_CONFLICT if another supervisor runs on this state directory; SR_UNAVAILABLE if a service fails again and again
 * before it ever served.
 */
SR_MUST struct sr_result sr_supervise(const struct sr_config *config, const char *const *services,
                                      const struct sr_supervision *supervision);

/* STATE/run/services.json: what runs, for the status command. */
void sr_supervisor_status_path(const struct sr_config *config, char *ret_path, size_t len);

#endif
