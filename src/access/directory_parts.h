/* What a snapshot is made of; for directory.c, which holds it, and directory_document.c, which builds it. */
#ifndef SR_ACCESS_DIRECTORY_PARTS_H
#define SR_ACCESS_DIRECTORY_PARTS_H

#include "access/directory.h"
#include "base/arena.h"

#include <stdatomic.h>

struct sr_directory_key {
	const char *kid;
	enum sr_alg alg;
	struct sr_keypair *keypair; /* owned */
};

struct sr_directory {
	struct sr_arena *arena; /* owned; everything below that is not said to be owned lies in it */
	atomic_uint share_count;
	int64_t revision;
	char tenant[SR_GUID_TEXT_LEN];
	char subscription[SR_GUID_TEXT_LEN];
	struct sr_directory_key *keys;
	size_t key_count;
	struct sr_id *revoked; /* credentials and sign-ins, sorted */
	size_t revoked_count;
	struct sr_principal_entry *principals;
	size_t principal_count;
	/* Open addressing by object id: 1 + the principal's place, 0 for none. At most half are in use. */
	uint32_t *slots;
	size_t slot_count;             /* a power of two */
	struct sr_token_cache *tokens; /* owned */
};

struct sr_directory *sr_directory_new(void);
/* The order of `revoked`, for qsort and bsearch. */
int sr_id_order(const void *a, const void *b);
/* GUID text of either case as bytes; false if it is none. */
bool sr_guid_read(const char *text, struct sr_id *ret_id);
/* The slot that holds the principal, or the free one where it would go. */
size_t sr_directory_slot(const struct sr_directory *directory, const struct sr_id *object_id);

#endif
