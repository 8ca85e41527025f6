/*
 * Conditional requests: If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since as the Blob service
 * combines them, which is its own way for reads and another for writes. Pure functions.
 */
#ifndef SR_BLOB_CONDITION_H
#define SR_BLOB_CONDITION_H

#include "base/arena.h"

#include <stdint.h>

struct sr_blob_conditions {
	const char *if_match;      /* as sent; NULL where absent */
	const char *if_none_match; /* as sent */
	bool has_modified_since, has_unmodified_since;
	int64_t modified_since, unmodified_since; /* Unix seconds */
};

/* The state that conditions are held against. */
struct sr_blob_state {
	bool exists;
	uint64_t etag;
	int64_t modified;
};

/* From four header values, each NULL where absent. SR_INVALID "InvalidHeaderValue" for a date that is none. */
SR_MUST struct sr_result sr_blob_conditions_parse(const char *if_match, const char *if_none_match,
                                                  const char *if_modified_since, const char *if_unmodified_since,
                                                  struct sr_blob_conditions *ret_conditions);
static inline bool sr_blob_conditions_any(const struct sr_blob_conditions *conditions)
{
	return conditions->if_match || conditions->if_none_match || conditions->has_modified_since ||
	       conditions->has_unmodified_since;
}

/*
 * For reads: SR_PRECONDITION "ConditionNotMet" (412) or "NotModified" (304); SR_INVALID "UnsatisfiableCondition".
 * Holds on a thing that does not exist but for If-Match; the caller then says 404.
 */
SR_MUST struct sr_result sr_blob_conditions_check_read(const struct sr_blob_conditions *conditions,
                                                       const struct sr_blob_state *state);
/*
 * For writes. `creates` (Put Blob, Put Block List): If-None-Match "*" on what exists is SR_EXISTS "BlobAlreadyExists".
 * SR_PRECONDITION "ConditionNotMet"; SR_INVALID "MultipleConditionHeadersNotSupported".
 */
SR_MUST struct sr_result sr_blob_conditions_check_write(const struct sr_blob_conditions *conditions,
                                                        const struct sr_blob_state *state, bool creates);

/* The text of an ETag, quotes included. */
enum { SR_ETAG_TEXT_LEN = 22 };
void sr_blob_etag_text(uint64_t etag, char ret_text[static SR_ETAG_TEXT_LEN]);

#endif
