/* Names of the one tenant. Its GUID is made in store.c. */
#include "identity/tenant.h"

#include "identity/oauth_error.h"

static const char *const names[] = {"strongroom", "common", "organizations"};

struct sr_result sr_tenant_check(const struct sr_identity_store *store, const char *name)
{
	struct sr_bytes text = sr_bytes_str(name);
	bool is_ours = sr_equal_nocase(text, sr_bytes_str(store->tenant));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		is_ours = is_ours || sr_equal_nocase(text, sr_bytes_str(names[i]));
	}
	if (!is_ours) {
		return sr_fail_as(SR_NOT_FOUND, SR_AADSTS_UNKNOWN_TENANT,
		                  "Tenant '%.100s' not found. Check that you have the right tenant id and authority.", name);
	}
	return sr_ok();
}
