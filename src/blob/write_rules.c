/* Rules that Put Blob, Put Block List, Set … and Delete share. */
#include "blob/write_rules.h"

#include "base/clock.h"

#include <string.h>

struct sr_result sr_blob_check_write(const struct sr_blob_row *old, const struct sr_blob_conditions *conditions,
                                     const char *lease_id, bool creates)
{
	struct sr_blob_lease none = {0};
	struct sr_blob_state state = sr_blob_row_state(old);
	SR_TRY(sr_blob_conditions_check_write(conditions, &state, creates));
	return sr_blob_lease_allows_write(old ? &old->lease : &none, sr_unix_us() / 1000, lease_id, false);
}

struct sr_result sr_blob_tier_read(const struct sr_blob_request *request, struct sr_blob_row *row)
{
	const char *text = sr_blob_header(request, "x-ms-access-tier");
	row->tier = SR_BLOB_TIER_HOT;
	if (!text) {
		return sr_ok();
	}
	row->tier = sr_blob_tier_of(text);
	if (!row->tier) {
		return sr_fail_as(SR_INVALID, "InvalidHeaderValue", "x-ms-access-tier is no tier of block blobs");
	}
	row->tier_changed = sr_unix_s();
	return sr_ok();
}

struct sr_result sr_blob_check_overwrite(const struct sr_blob_request *request, bool exists)
{
	bool is_limited = request->sas &&
	                  (!request->permissions.len || !memchr(request->permissions.data, 'w', request->permissions.len));
	return exists && is_limited
	           ? sr_fail_as(SR_DENIED, "UnauthorizedBlobOverwrite", "the signature grants creation, not overwriting")
	           : sr_ok();
}
