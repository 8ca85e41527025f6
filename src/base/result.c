/* Errors: made once by whoever sees the failure first, carried by value, freed by whoever handles them. */
#include "base/result.h"

#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 1024 };

struct sr_error {
	enum sr_code code;
	const char *reason;
	char message[];
};

/* Stands in where not even an error can be allocated; never freed. */
static struct {
	struct sr_error error;
	char message[16];
} no_memory = {.error = {.code = SR_NO_MEMORY}, .message = "out of memory"};

static struct sr_error *make(enum sr_code code, const char *reason, const char *message)
{
	size_t len = strlen(message);
	struct sr_error *error = sr_try_alloc(sizeof *error + len + 1);
	if (!error) {
		return &no_memory.error;
	}
	error->code = code;
	error->reason = reason;
	memcpy(error->message, message, len + 1);
	return error;
}

struct sr_error *sr_error_new(enum sr_code code, const char *reason, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return make(code, reason, message);
}

static enum sr_code code_of_errno(int error_number)
{
	static const struct {
		int error_number;
		enum sr_code code;
	} table[] = {
	    {ENOENT, SR_NOT_FOUND},
	    {EEXIST, SR_EXISTS},
	    {EACCES, SR_DENIED},
	    {EPERM, SR_DENIED},
	    {ENOSPC, SR_NO_SPACE},
	    {EDQUOT, SR_NO_SPACE},
	    {ENOMEM, SR_NO_MEMORY},
	    {ETIMEDOUT, SR_TIMEOUT},
	    {EPIPE, SR_CLOSED},
	    {ECONNRESET, SR_CLOSED},
	    {ECONNREFUSED, SR_UNAVAILABLE},
	    {EHOSTUNREACH, SR_UNAVAILABLE},
	    {ENETUNREACH, SR_UNAVAILABLE},
	    {EADDRINUSE, SR_CONFLICT},
	    {EMFILE, SR_UNAVAILABLE},
	    {ENFILE, SR_UNAVAILABLE},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (table[i].error_number == error_number) {
			return table[i].code;
		}
	}
	return SR_IO;
}

struct sr_error *sr_error_of_errno(int error_number, const char *format, ...)
{
	char doing[MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(doing, sizeof doing, format, args);
	va_end(args);
	char why[128];
	char message[MESSAGE_MAX + sizeof why + 2];
	snprintf(message, sizeof message, "%s: %s", doing, strerror_r(error_number, why, sizeof why));
	return make(code_of_errno(error_number), NULL, message);
}

enum sr_code sr_result_code(struct sr_result result)
{
	return result.error ? result.error->code : SR_OK;
}

const char *sr_result_reason(struct sr_result result)
{
	return result.error ? result.error->reason : NULL;
}

const char *sr_result_message(struct sr_result result)
{
	return result.error ? result.error->message : "";
}

void sr_result_free(struct sr_result result)
{
	if (result.error && result.error != &no_memory.error) {
		sr_free(result.error);
	}
}

void sr_result_cleanup(struct sr_result *result)
{
	sr_result_free(*result);
	result->error = NULL;
}

struct sr_result sr_first_error(struct sr_result first, struct sr_result next)
{
	if (first.error) {
		sr_result_free(next);
		return first;
	}
	return next;
}
