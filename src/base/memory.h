/*
 * Plain heap memory. Small, fixed-size needs of ours go through sr_alloc, which ends the
 * process when memory is gone (the supervisor restarts it; every acknowledged write is
 * already durable). Sizes that a client chooses go through sr_try_alloc, which can say no.
 * Secrets do not live here: see seal/secret.h.
 */
#ifndef SR_BASE_MEMORY_H
#define SR_BASE_MEMORY_H

#include <stddef.h>

/* `len` zeroed bytes (at least one); the caller frees with sr_free. Ends the process on exhaustion. */
void *sr_alloc(size_t len) __attribute__((malloc, returns_nonnull));
/* `count` zeroed items of `len` bytes; overflow counts as exhaustion. */
void *sr_alloc_array(size_t count, size_t len) __attribute__((malloc, returns_nonnull));
/* As sr_alloc, but NULL on exhaustion; not zeroed. */
void *sr_try_alloc(size_t len) __attribute__((malloc));
/* Resizes a block of sr_try_alloc's; NULL on exhaustion, the old block then stays. */
void *sr_try_realloc(void *block, size_t len) __attribute__((warn_unused_result));
/* Frees a block; NULL is allowed. */
void sr_free(void *block);
/* A copy of a string that the caller frees with sr_free. */
char *sr_strdup(const char *text) __attribute__((malloc, returns_nonnull));
/* A formatted string that the caller frees with sr_free. */
char *sr_strdupf(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* For SR_CLEANUP(sr_string) char *s. */
void sr_string_cleanup(char **text);

#endif
