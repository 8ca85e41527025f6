/* OpenSSL's errors as results: the one place that reads its error queue. Private to src/seal and src/net. */
#ifndef SR_SEAL_OPENSSL_ERROR_H
#define SR_SEAL_OPENSSL_ERROR_H

#include "base/result.h"

/* An error that says what was being done and OpenSSL's first reason for it; empties the thread's error queue. */
#define sr_fail_openssl(code, ...) sr_failure(sr_error_of_openssl((code), __VA_ARGS__))
SR_PRINTF(2, 3) struct sr_error *sr_error_of_openssl(enum sr_code code, const char *format, ...) SR_NONNULL;
/* Empties the queue after a failure whose reason must not be told (padding, tags). */
void sr_forget_openssl_errors(void);

#endif
