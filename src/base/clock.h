/* Clocks. Leases and deadlines count CLOCK_BOOTTIME; only what people read is wall-clock time. */
#ifndef SR_BASE_CLOCK_H
#define SR_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_BOOTTIME, which goes on during suspension and is never set. */
uint64_t sr_boottime_ns(void);
static inline uint64_t sr_boottime_ms(void)
{
	return sr_boottime_ns() / 1000000;
}
/* Unix time: seconds, and microseconds since the epoch. */
int64_t sr_unix_s(void);
int64_t sr_unix_us(void);
/* Sleeps `ms` milliseconds. */
void sr_sleep_ms(uint64_t ms);

#endif
