/* Random bytes from the kernel (getrandom(2)); thread-safe. Keys are made in seal, not here. */
#ifndef SR_BASE_RANDOM_H
#define SR_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `to`; ends the process if the kernel has no randomness to give. */
void sr_random(void *to, size_t len);
uint64_t sr_random_u64(void);

#endif
