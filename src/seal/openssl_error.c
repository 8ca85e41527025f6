/* Translates OpenSSL's error queue. The text names operations and reasons, never data. */
#include "seal/openssl_error.h"

#include <openssl/err.h>

#include <stdarg.h>
#include <stdio.h>

struct sr_error *sr_error_of_openssl(enum sr_code code, const char *format, ...)
{
	char doing[256];
	va_list args;
	va_start(args, format);
	vsnprintf(doing, sizeof doing, format, args);
	va_end(args);
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	ERR_clear_error();
	return sr_error_new(code, NULL, "%s: %s", doing, reason ? reason : "refused by OpenSSL");
}

void sr_forget_openssl_errors(void)
{
	ERR_clear_error();
}
