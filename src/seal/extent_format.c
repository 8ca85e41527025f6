/* The extent's header, keys and nonces. Files and their reading and writing are in extent_{store,writer,reader}.c. */
#include "seal/extent_format.h"

#include "seal/secret_bytes.h"

#include "base/memory.h"

#include <string.h>

void sr_extent_nonce(uint64_t index, bool is_last, uint8_t ret_nonce[static SR_GCM_NONCE_LEN])
{
	memset(ret_nonce, 0, 3);
	sr_store_u64(ret_nonce + 3, index);
	ret_nonce[11] = is_last;
}

struct sr_result sr_extent_key_new(const struct sr_id *id, const struct sr_secret *dek, struct sr_extent_key **ret_key)
{
	static const uint8_t start[16] = {'S', 'R', 'e', 'x', 't', 'e', 'n', 't', 0, 1, 1, 16};
	if (sr_secret_len(dek) != SR_KEY_LEN) {
		return sr_fail(SR_INVALID, "DEK of %zu bytes for an extent", sr_secret_len(dek));
	}
	SR_CLEANUP(sr_extent_key) struct sr_extent_key *key = sr_alloc(sizeof *key);
	key->id = *id;
	memcpy(key->header, start, sizeof start);
	memcpy(key->header + sizeof start, id->bytes, SR_ID_LEN);
	SR_TRY(sr_key_commitment(dek, sr_extent_bound(key), key->header + SR_EXTENT_BOUND_LEN));
	SR_TRY(sr_derive(dek, sr_id_bytes(id), "extent", SR_KEY_LEN, &key->chunk_key));
	*ret_key = SR_TAKE(key);
	return sr_ok();
}

void sr_extent_key_free(struct sr_extent_key *key)
{
	if (key) {
		sr_secret_free(key->chunk_key);
		sr_free(key);
	}
}

void sr_extent_key_cleanup(struct sr_extent_key **key)
{
	sr_extent_key_free(*key);
	*key = NULL;
}
