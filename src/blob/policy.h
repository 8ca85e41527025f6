/* Stored access policies of a container (Set Container ACL): at most five, named, each with a time span and
 * permissions that a shared access signature may take from it. Pure functions. */
#ifndef SR_BLOB_POLICY_H
#define SR_BLOB_POLICY_H

#include "base/arena.h"

#include <stdint.h>

struct sr_blob_policy {
	struct sr_bytes id;
	struct sr_bytes start, expiry, permission; /* text as it was set; empty where absent */
};
enum { SR_BLOB_POLICY_MAX = 5 };

/* From the XML document (an empty one: no policies), packed for the container's row. SR_INVALID: "InvalidXmlDocument",
 * "InvalidXmlNodeValue". */
SR_MUST struct sr_result sr_blob_policies_read(struct sr_arena *arena, struct sr_bytes document,
                                               struct sr_bytes *ret_packed);
/* Appends the document that Get Container ACL answers. */
SR_MUST struct sr_result sr_blob_policies_write(struct sr_bytes packed, struct sr_buf *xml);
/* Unpacks; *ret_count at most SR_BLOB_POLICY_MAX. Borrows from `packed`. SR_CORRUPT. */
SR_MUST struct sr_result sr_blob_policies_unpack(struct sr_bytes packed,
                                                 struct sr_blob_policy ret_policies[static SR_BLOB_POLICY_MAX],
                                                 size_t *ret_count);

#endif
