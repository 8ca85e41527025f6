/* OpenSSL's errors as results: the one place that reads its error queue. Private to src/seal and src/net. */
#ifndef SR_SEAL_OPENSSL_ERROR_H
#define SR_SEAL_OPENSSL_ERROR_H

#include "base/result.h"

/* An error that says what was being done and OpenSSL's first reason for it; empties the thread's error queue. */
SR_MUST struct sr_result sr_fail_openssl(enum sr_code code, const char *format, ...) SR_PRINTF(2, 3);
/* Empties the queue after a failure whose reason must not be told (padding, tags). */
void sr_forget_openssl_errors(void);

#endif
