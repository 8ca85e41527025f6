/*
 * Names: which account, container and blob a request's host and path mean, and what names are allowed.
 * Pure functions. Names never become file names.
 */
#ifndef SR_BLOB_NAME_H
#define SR_BLOB_NAME_H

#include "base/arena.h"

enum sr_blob_resource { SR_BLOB_SERVICE, SR_BLOB_CONTAINER, SR_BLOB_BLOB };

/* What a request is about; text lives in the arena, with a NUL behind it. */
struct sr_blob_target {
	enum sr_blob_resource resource;
	const char *account;
	bool is_path_style; /* the account is the path's first segment, as with addresses and localhost */
	struct sr_bytes container;
	struct sr_bytes blob;
};

/*
 * Takes a request's host (without port, lowercase) and raw path apart. A single segment below the account is a
 * container where `wants_container` (restype=container) says so, else a blob of "$root". Names of containers and blobs
 * are taken as they are. SR_INVALID "InvalidUri".
 */
SR_MUST struct sr_result sr_blob_target_parse(struct sr_arena *arena, const char *host, struct sr_bytes path,
                                              bool wants_container, struct sr_blob_target *ret_target);

/* Whether the target's names are allowed, which only those are told who may ask. SR_INVALID: "InvalidResourceName",
 * "OutOfRangeInput", "InvalidUri". */
SR_MUST struct sr_result sr_blob_target_check(const struct sr_blob_target *target);

/* 3 to 24 lowercase letters and digits. */
bool sr_blob_is_account_name(struct sr_bytes name);
/* 3 to 63 of a-z, 0-9 and single '-' inside; or $root, $web, $logs, $blobchangefeed. SR_INVALID. */
SR_MUST struct sr_result sr_blob_check_container_name(struct sr_bytes name);
/* 1 to 1,024 characters of UTF-8 in at most 254 segments. SR_INVALID. */
SR_MUST struct sr_result sr_blob_check_blob_name(struct sr_bytes name);
/* The canonical Base64 of 1 to 64 bytes. SR_INVALID. */
SR_MUST struct sr_result sr_blob_check_block_id(struct sr_bytes id);

#endif
