/*
 * Allocators for OpenSSL and SQLite over the plain heap. The allocator knows each block's size
 * (malloc_usable_size), so a wipe costs a memset and no header. Secrets of ours are not here: see secret_slab.c.
 */
#include "seal/wiping_heap.h"

#include "base/memory.h"

#include <openssl/crypto.h>
#include <sqlite3.h>

#include <malloc.h>
#include <string.h>

static void wipe_and_free(void *block)
{
	if (block) {
		explicit_bzero(block, malloc_usable_size(block));
		sr_free(block);
	}
}

/* The C library's realloc would leave the old bytes behind as it moves a block. */
static void *resize(void *block, size_t len)
{
	if (!block) {
		return sr_try_alloc(len);
	}
	size_t had_len = malloc_usable_size(block);
	if (len <= had_len && len >= had_len / 2) {
		return block;
	}
	void *moved = sr_try_alloc(len);
	if (moved) {
		memcpy(moved, block, had_len < len ? had_len : len);
		wipe_and_free(block);
	}
	return moved;
}

/* OpenSSL: `file` and `line` name the call, for debugging. */
static void *openssl_malloc(size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	return len ? sr_try_alloc(len) : NULL;
}

static void *openssl_realloc(void *block, size_t len, const char *file, int line)
{
	(void)file;
	(void)line;
	if (len == 0) {
		wipe_and_free(block);
		return NULL;
	}
	return resize(block, len);
}

static void openssl_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_and_free(block);
}

static void *sqlite_malloc(int len)
{
	return sr_try_alloc((size_t)len);
}

static void *sqlite_realloc(void *block, int len)
{
	return resize(block, (size_t)len);
}

static int sqlite_size(void *block)
{
	return block ? (int)malloc_usable_size(block) : 0;
}

static int sqlite_roundup(int len)
{
	return (len + 7) & ~7;
}

static int sqlite_init(void *context)
{
	(void)context;
	return SQLITE_OK;
}

static void sqlite_shutdown(void *context)
{
	(void)context;
}

struct sr_result sr_wiping_heap_install(void)
{
	static const sqlite3_mem_methods methods = {
	    .xMalloc = sqlite_malloc,
	    .xFree = wipe_and_free,
	    .xRealloc = sqlite_realloc,
	    .xSize = sqlite_size,
	    .xRoundup = sqlite_roundup,
	    .xInit = sqlite_init,
	    .xShutdown = sqlite_shutdown,
	};
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1) {
		return sr_fail(SR_INTERNAL, "make OpenSSL wipe what it frees: it was used before sr_seal_init");
	}
	/* without statistics SQLite takes no global lock for each allocation */
	if (sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) {
		return sr_fail(SR_INTERNAL, "make SQLite wipe what it frees: it was used before sr_seal_init");
	}
	return sr_ok();
}
