/* Confinement of a service process: what it may no longer do (Landlock, seccomp, no dumps, its own user). Private to
 * the room. */
#ifndef SR_HOST_CONFINE_H
#define SR_HOST_CONFINE_H

#include "base/result.h"

#include <stdint.h>

enum { SR_CONFINE_PORTS_MAX = 16, SR_CONFINE_PATHS_MAX = 16 };

struct sr_confinement {
	const char *service;
	const char *state_dir;                        /* which the service's own user must be able to pass through */
	const char *write_dir;                        /* everything below it may be read and written */
	const char *more_dir;                         /* another one like it; NULL or "": none */
	const char *own_file;                         /* besides, a file of the service's own user; NULL: none */
	const char *own_dir;                          /* besides write_dir, a folder that it writes; NULL: none */
	const char *device;                           /* a device that it reads, writes and controls; NULL: none */
	const char *read_paths[SR_CONFINE_PATHS_MAX]; /* ended by NULL; missing ones are passed over */
	uint16_t bind_ports[SR_CONFINE_PORTS_MAX];    /* ended by 0 */
	uint16_t connect_ports[SR_CONFINE_PORTS_MAX]; /* ended by 0 */
};
/*
 * First stage, before any thread exists (Landlock binds only the calling thread and those it starts): its own user
 * where root started it, no core dumps, not dumpable, no new privileges, Landlock, seccomp. What the kernel lacks is
 * logged, anything else that fails is an error.
 */
SR_MUST struct sr_result sr_confine_start(const struct sr_confinement *confinement);
/* Second stage, once it listens: no further bind or listen, on all threads. */
SR_MUST struct sr_result sr_confine_listening(void);

#endif
