/* Request-scoped memory in a chain of blocks, newest first. */
#include "base/arena.h"

#include "base/memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_LEN = 8192 - 64, ALIGN = alignof(max_align_t) };

struct block {
	struct block *older;
	size_t used;
	size_t len;
	alignas(max_align_t) uint8_t bytes[];
};

struct sr_arena {
	struct block *newest;
};

static struct block *block_new(struct block *older, size_t len)
{
	struct block *block = sr_alloc(sizeof *block + len);
	block->older = older;
	block->len = len;
	return block;
}

struct sr_arena *sr_arena_new(void)
{
	struct sr_arena *arena = sr_alloc(sizeof *arena);
	arena->newest = block_new(NULL, BLOCK_LEN);
	return arena;
}

/* Wipes the used part; what was never handed out is still zero. */
static void block_wipe(struct block *block)
{
	explicit_bzero(block->bytes, block->used);
	block->used = 0;
}

void sr_arena_reset(struct sr_arena *arena)
{
	while (arena->newest->older) {
		struct block *older = arena->newest->older;
		block_wipe(arena->newest);
		sr_free(arena->newest);
		arena->newest = older;
	}
	block_wipe(arena->newest);
}

void sr_arena_free(struct sr_arena *arena)
{
	if (!arena) {
		return;
	}
	sr_arena_reset(arena);
	sr_free(arena->newest);
	sr_free(arena);
}

void sr_arena_cleanup(struct sr_arena **arena)
{
	sr_arena_free(*arena);
	*arena = NULL;
}

void *sr_arena_alloc(struct sr_arena *arena, size_t len)
{
	size_t need = len;
	if (!sr_add_size(len, (ALIGN - len % ALIGN) % ALIGN, &need)) {
		need = SIZE_MAX / 2; /* cannot be had: sr_alloc ends the process */
	}
	if (need > arena->newest->len - arena->newest->used) {
		arena->newest = block_new(arena->newest, need > BLOCK_LEN ? need : BLOCK_LEN);
	}
	void *space = arena->newest->bytes + arena->newest->used;
	arena->newest->used += need;
	return space;
}

char *sr_arena_text(struct sr_arena *arena, struct sr_bytes bytes)
{
	char *text = sr_arena_alloc(arena, bytes.len + 1);
	if (bytes.len) {
		memcpy(text, bytes.data, bytes.len);
	}
	return text;
}

char *sr_arena_strdup(struct sr_arena *arena, const char *text)
{
	return sr_arena_text(arena, sr_bytes_str(text));
}

struct sr_bytes sr_arena_copy(struct sr_arena *arena, struct sr_bytes bytes)
{
	return sr_bytes_of(sr_arena_text(arena, bytes), bytes.len);
}

char *sr_arena_printf(struct sr_arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	size_t room = (len < 0 ? 0 : (size_t)len) + 1;
	char *text = sr_arena_alloc(arena, room);
	va_start(args, format);
	vsnprintf(text, room, format, args);
	va_end(args);
	return text;
}
