/* Times on the wire: HTTP dates (RFC 9110 5.6.7) and ISO 8601 as Storage and Key Vault write it. UTC only. */
#ifndef SR_WIRE_TIME_H
#define SR_WIRE_TIME_H

#include "base/bytes.h"

enum { SR_HTTP_DATE_LEN = 30, SR_ISO_TIME_LEN = 29 };

/* "Tue, 24 Nov 2026 12:00:00 GMT" and a NUL. */
void sr_http_date(int64_t unix_s, char ret_text[static SR_HTTP_DATE_LEN]);
/* Accepts the preferred form and the two obsolete ones. SR_INVALID. */
SR_MUST struct sr_result sr_http_date_parse(struct sr_bytes text, int64_t *ret_unix_s);
/* "2026-11-24T12:00:00Z", or with seven decimals for `unix_us` as Storage's snapshots have it. */
void sr_iso_time(int64_t unix_s, char ret_text[static SR_ISO_TIME_LEN]);
void sr_iso_time_us(int64_t unix_us, char ret_text[static SR_ISO_TIME_LEN]);
/* YYYY-MM-DD[THH:MM[:SS[.f{1,7}]]Z]; microseconds since the epoch. SR_INVALID. */
SR_MUST struct sr_result sr_iso_time_parse(struct sr_bytes text, int64_t *ret_unix_us);

#endif
