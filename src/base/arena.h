/*
 * Memory that ends with a request: allocated piecemeal, freed at once. Not thread-safe: one
 * arena belongs to one request. An arena is wiped as it ends, since requests carry tokens and plaintext.
 */
#ifndef SR_BASE_ARENA_H
#define SR_BASE_ARENA_H

#include "base/bytes.h"

struct sr_arena;

/* A new arena; the caller ends it with sr_arena_free. */
struct sr_arena *sr_arena_new(void);
/* Wipes and frees everything allocated from it; NULL is allowed. */
void sr_arena_free(struct sr_arena *arena);
void sr_arena_cleanup(struct sr_arena **arena);
/* Wipes everything and keeps the first block for the next request. */
void sr_arena_reset(struct sr_arena *arena);
/* `len` zeroed bytes, aligned for any type, until the arena ends. Ends the process on exhaustion, as sr_alloc. */
void *sr_arena_alloc(struct sr_arena *arena, size_t len) __attribute__((malloc, returns_nonnull));
/* Copies that live as long as the arena; the bytes copy has a NUL behind it that is not counted. */
char *sr_arena_strdup(struct sr_arena *arena, const char *text) __attribute__((returns_nonnull));
char *sr_arena_text(struct sr_arena *arena, struct sr_bytes bytes) __attribute__((returns_nonnull));
struct sr_bytes sr_arena_copy(struct sr_arena *arena, struct sr_bytes bytes);
char *sr_arena_printf(struct sr_arena *arena, const char *format, ...) SR_PRINTF(2, 3) __attribute__((returns_nonnull));

#endif
