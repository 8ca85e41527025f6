/* Makes OpenSSL's and SQLite's heaps wipe what they free: they hold key schedules and plaintext pages. Private. */
#ifndef SR_SEAL_WIPING_HEAP_H
#define SR_SEAL_WIPING_HEAP_H

#include "base/result.h"

/* Before either library has allocated anything; SR_INTERNAL if that is too late. */
SR_MUST struct sr_result sr_wiping_heap_install(void);

#endif
