/* systemd's notification protocol (sd_notify(3)): readiness, status, watchdog. Does nothing where NOTIFY_SOCKET is not
 * set. */
#ifndef SR_HOST_NOTIFY_H
#define SR_HOST_NOTIFY_H

#include "base/result.h"

/* Sends one assignment, "READY=1". */
void sr_notify(const char *assignment);
/* Sends a status line. */
void sr_notify_status(const char *format, ...) SR_PRINTF(1, 2);
/* Feeds the watchdog, at most twice a WATCHDOG_USEC. */
void sr_notify_alive(void);

#endif
