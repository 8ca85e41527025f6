/* Random bytes, buffered in each thread so that an identifier does not cost a system call. */
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void fill(uint8_t *to, size_t len)
{
	while (len) {
		ssize_t got = getrandom(to, len > 256 ? 256 : len, 0);
		if (got < 0) {
			fputs("strongroom: the kernel gives no randomness\n", stderr);
			abort();
		}
		to += got;
		len -= (size_t)got;
	}
}

void sr_random(void *to, size_t len)
{
	static _Thread_local uint8_t pool[256];
	static _Thread_local size_t left;
	if (len > sizeof pool / 4) {
		fill(to, len);
		return;
	}
	if (left < len) {
		fill(pool, sizeof pool);
		left = sizeof pool;
	}
	left -= len;
	memcpy(to, pool + left, len);
	explicit_bzero(pool + left, len);
}

uint64_t sr_random_u64(void)
{
	uint64_t value;
	sr_random(&value, sizeof value);
	return value;
}
