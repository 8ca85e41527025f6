/*
 * The log: one line an event on standard error. A log line names no customer's thing (no
 * account's content, container, blob, key, secret, token, principal's name): identifiers,
 * numbers and service names only. Under systemd lines carry its priority prefix.
 */
#ifndef SR_BASE_LOG_H
#define SR_BASE_LOG_H

#include "base/result.h"

enum sr_log_level { SR_LOG_ERROR = 3, SR_LOG_WARNING = 4, SR_LOG_NOTICE = 5, SR_LOG_INFO = 6, SR_LOG_DEBUG = 7 };

/* Names the process in its lines ("blob") and sets the least urgent level that is written. Call before threads start.
 */
void sr_log_setup(const char *process, enum sr_log_level level);
/* Writes one line; control characters are replaced. Thread-safe. Called by services, never by library rooms. */
void sr_log(enum sr_log_level level, const char *format, ...) SR_PRINTF(2, 3);

#endif
