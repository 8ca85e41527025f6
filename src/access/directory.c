/* Holding a snapshot: counting its owners, finding keys and principals. How it is read is in directory_document.c. */
#include "access/directory.h"

#include "access/directory_parts.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct sr_directory *sr_directory_new(void)
{
	struct sr_directory *directory = sr_alloc(sizeof *directory);
	directory->arena = sr_arena_new();
	directory->tokens = sr_token_cache_new();
	atomic_init(&directory->share_count, 1);
	return directory;
}

struct sr_directory *sr_directory_share(struct sr_directory *directory)
{
	atomic_fetch_add_explicit(&directory->share_count, 1, memory_order_relaxed);
	return directory;
}

void sr_directory_free(struct sr_directory *directory)
{
	if (!directory || atomic_fetch_sub_explicit(&directory->share_count, 1, memory_order_acq_rel) > 1) {
		return;
	}
	for (size_t i = 0; i < directory->key_count; i++) {
		sr_keypair_free(directory->keys[i].keypair);
	}
	sr_token_cache_free(directory->tokens);
	sr_arena_free(directory->arena);
	sr_free(directory);
}

void sr_directory_cleanup(struct sr_directory **directory)
{
	sr_directory_free(*directory);
	*directory = NULL;
}

int64_t sr_directory_revision(const struct sr_directory *directory)
{
	return directory->revision;
}

const char *sr_directory_tenant(const struct sr_directory *directory)
{
	return directory->tenant;
}

const char *sr_directory_subscription(const struct sr_directory *directory)
{
	return directory->subscription;
}

struct sr_token_cache *sr_directory_tokens(struct sr_directory *directory)
{
	return directory->tokens;
}

const struct sr_keypair *sr_directory_key(const struct sr_directory *directory, const char *kid, enum sr_alg *ret_alg)
{
	for (size_t i = 0; i < directory->key_count; i++) {
		if (strcmp(directory->keys[i].kid, kid) == 0) {
			*ret_alg = directory->keys[i].alg;
			return directory->keys[i].keypair;
		}
	}
	return NULL;
}

bool sr_guid_read(const char *text, struct sr_id *ret_id)
{
	if (!sr_is_guid(sr_bytes_str(text))) {
		return false;
	}
	char digits[SR_ID_TEXT_LEN];
	size_t len = 0;
	for (; *text; text++) {
		if (*text != '-') {
			digits[len++] = *text;
		}
	}
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_hex_decode(sr_bytes_of(digits, len), ret_id->bytes, SR_ID_LEN);
	return sr_is_ok(outcome);
}

int sr_id_order(const void *a, const void *b)
{
	const struct sr_id *left = a;
	const struct sr_id *right = b;
	for (size_t i = 0; i < SR_ID_LEN; i++) {
		if (left->bytes[i] != right->bytes[i]) {
			return left->bytes[i] < right->bytes[i] ? -1 : 1;
		}
	}
	return 0;
}

bool sr_directory_has_revoked(const struct sr_directory *directory, const char *credential_id)
{
	struct sr_id id;
	return directory->revoked_count && sr_guid_read(credential_id, &id) &&
	       bsearch(&id, directory->revoked, directory->revoked_count, sizeof id, sr_id_order);
}

/* Identifiers are chosen by identity, at random: their own bits spread well, if all of them count. */
static size_t hash_of(const struct sr_id *id)
{
	uint64_t mixed = (sr_load_u64(id->bytes) ^ sr_load_u64(id->bytes + 8)) * 0x9e3779b97f4a7c15U;
	return (size_t)(mixed >> 32);
}

size_t sr_directory_slot(const struct sr_directory *directory, const struct sr_id *object_id)
{
	size_t mask = directory->slot_count - 1;
	for (size_t slot = hash_of(object_id) & mask;; slot = (slot + 1) & mask) {
		uint32_t number = directory->slots[slot];
		if (!number || sr_id_equal(&directory->principals[number - 1].object_id, object_id)) {
			return slot;
		}
	}
}

static const struct sr_principal_entry *find(const struct sr_directory *directory, const char *object_id)
{
	struct sr_id id;
	if (!sr_guid_read(object_id, &id)) {
		return NULL;
	}
	uint32_t number = directory->slots[sr_directory_slot(directory, &id)];
	return number ? &directory->principals[number - 1] : NULL;
}

const struct sr_principal_entry *sr_directory_principal(const struct sr_directory *directory, const char *object_id)
{
	const struct sr_principal_entry *entry = find(directory, object_id);
	return entry && entry->kind != SR_PRINCIPAL_GROUP ? entry : NULL;
}

const struct sr_principal_entry *sr_directory_group(const struct sr_directory *directory, const char *object_id)
{
	const struct sr_principal_entry *entry = find(directory, object_id);
	return entry && entry->kind == SR_PRINCIPAL_GROUP ? entry : NULL;
}

const struct sr_principal_entry *sr_directory_at(const struct sr_directory *directory, uint32_t place)
{
	return &directory->principals[place];
}
