/*
 * Slots of protected memory that struct sr_secret's bytes live in (seal/secret.c); private to the
 * room. A slab is a run of pages between two guard pages, cut into equal slots. Thread-safe.
 */
#ifndef SR_SEAL_SECRET_SLAB_H
#define SR_SEAL_SECRET_SLAB_H

#include "base/result.h"

#include <stddef.h>
#include <stdint.h>

struct sr_slab;

struct sr_slot {
	uint8_t *bytes;
	struct sr_slab *slab;
	unsigned fork_count; /* how many forks lay before this process when the slot was taken */
};

/* Finds out how this kernel protects memory. SR_NO_MEMORY where it does not; says which limit to raise. */
SR_MUST struct sr_result sr_slab_init(void);
/* A zeroed slot of at least `len` bytes (at most SR_SECRET_MAX). */
SR_MUST struct sr_result sr_slot_take(size_t len, struct sr_slot *ret_slot);
/* Wipes a slot and gives it back. One that was taken before a fork is not this process's, and is let be. */
void sr_slot_give(struct sr_slot *slot);

#endif
