/* The tenant that a path names: this installation has one, with a GUID, a name, and Entra ID's names for any. */
#ifndef SR_IDENTITY_TENANT_H
#define SR_IDENTITY_TENANT_H

#include "identity/store.h"

/* SR_NOT_FOUND with AADSTS90002 unless `name` is the tenant's GUID, "strongroom", "common" or "organizations". */
SR_MUST struct sr_result sr_tenant_check(const struct sr_identity_store *store, const char *name);

#endif
