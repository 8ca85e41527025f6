/* URLs as requests carry them (RFC 3986): percent-encoding, query and form parameters. Pure functions on bytes. */
#ifndef SR_WIRE_URL_H
#define SR_WIRE_URL_H

#include "base/arena.h"
#include "base/bytes.h"

/* Decodes %XX (and '+' as a space where `plus_is_space`); SR_INVALID for a broken escape or a NUL. The result has a NUL
 * behind it and lives in the arena. */
SR_MUST struct sr_result sr_url_decode(struct sr_arena *arena, struct sr_bytes text, bool plus_is_space,
                                       struct sr_bytes *ret_decoded);
/* Appends text with everything but unreserved characters (and those in `keep`) percent-encoded. */
void sr_url_encode(struct sr_buf *buf, struct sr_bytes text, const char *keep);

/* One decoded parameter; both have a NUL behind them. */
struct sr_parameter {
	struct sr_bytes name;
	struct sr_bytes value;
};
/* Parsed query string or form body: names and values decoded, order kept. */
struct sr_parameters {
	const struct sr_parameter *items;
	size_t count;
};
enum { SR_PARAMETERS_MAX = 256 };
/* Splits at '&' and the first '='; empty pieces are passed over. SR_TOO_LARGE over SR_PARAMETERS_MAX. `form`: '+' is a
 * space (it is not in Azure's queries). */
SR_MUST struct sr_result sr_parameters_parse(struct sr_arena *arena, struct sr_bytes text, bool form,
                                             struct sr_parameters *ret_parameters);
/* The first value of a name (ASCII case ignored, as the services do), or NULL. */
const char *sr_parameter_get(const struct sr_parameters *parameters, const char *name);
/* The number of times that a name stands there. */
size_t sr_parameter_count(const struct sr_parameters *parameters, const char *name);

/* Splits a raw path at '/' into decoded segments (empty ones kept out; "." and ".." are SR_INVALID). */
enum { SR_SEGMENTS_MAX = 64 };
struct sr_segments {
	struct sr_bytes items[SR_SEGMENTS_MAX];
	size_t count;
};
SR_MUST struct sr_result sr_segments_parse(struct sr_arena *arena, struct sr_bytes path,
                                           struct sr_segments *ret_segments);

#endif
