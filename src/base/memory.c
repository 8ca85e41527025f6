/* Heap memory: the only place that calls the C library's allocator. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_end(void *block)
{
	if (!block) {
		fputs("strongroom: out of memory; stopping so that the supervisor can start afresh\n", stderr);
		abort();
	}
	return block;
}

void *sr_alloc(size_t len)
{
	return or_end(calloc(1, len ? len : 1));
}

void *sr_alloc_array(size_t count, size_t len)
{
	return or_end(calloc(count ? count : 1, len ? len : 1));
}

void *sr_try_alloc(size_t len)
{
	return malloc(len ? len : 1);
}

void *sr_try_realloc(void *block, size_t len)
{
	return realloc(block, len ? len : 1);
}

void sr_free(void *block)
{
	free(block);
}

char *sr_strdup(const char *text)
{
	return or_end(strdup(text));
}

char *sr_strdupf(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	return or_end(len < 0 ? NULL : text);
}

void sr_string_cleanup(char **text)
{
	free(*text);
	*text = NULL;
}
