/*
 * The sealed extent, format version 1; private to the room. Integers are big-endian.
 *
 *	 0   8  magic "SRextent"
 *	 8   2  version 1
 *	10   1  suite 1: AES-256-GCM chunks
 *	11   1  log2 of a chunk's plaintext length: 16
 *	12   4  zero
 *	16  16  extent id, random; also its name at rest, in hex
 *	32  32  commitment of the DEK to bytes 0-31
 *	64   …  chunks: ciphertext ‖ 16-byte tag; each full but the last
 *
 * Chunk key = HKDF(DEK, salt = id, info "strongroom/v1/extent"). Nonce of chunk i = i in 11 bytes ‖ 1 on the last
 * chunk, else 0; AAD = bytes 0-31. An empty extent has one empty last chunk.
 */
#ifndef SR_SEAL_EXTENT_FORMAT_H
#define SR_SEAL_EXTENT_FORMAT_H

#include "seal/crypto.h"
#include "seal/extent.h"
#include "seal/gcm.h"

enum {
	SR_EXTENT_BOUND_LEN = 32, /* the part of the header that everything is bound to */
	SR_EXTENT_HEADER_LEN = SR_EXTENT_BOUND_LEN + SR_SHA256_LEN,
	SR_EXTENT_SEALED_CHUNK_LEN = SR_EXTENT_CHUNK_LEN + SR_GCM_TAG_LEN
};
static const uint64_t sr_extent_len_max = 1ULL << 40;

/* What one extent is sealed with: made from its id and DEK, the same for writing and reading. */
struct sr_extent_key {
	struct sr_id id;
	uint8_t header[SR_EXTENT_HEADER_LEN];
	struct sr_secret *chunk_key;
};

/* The part of the header that chunks are bound to. */
static inline struct sr_bytes sr_extent_bound(const struct sr_extent_key *key)
{
	return sr_bytes_of(key->header, SR_EXTENT_BOUND_LEN);
}

/* Chunks that hold `plaintext_len` bytes: at least one. */
static inline uint64_t sr_extent_chunk_count(uint64_t plaintext_len)
{
	return plaintext_len ? (plaintext_len - 1) / SR_EXTENT_CHUNK_LEN + 1 : 1;
}

/* The plaintext length of chunk `index` of an extent of `plaintext_len` bytes. */
static inline size_t sr_extent_chunk_len(uint64_t plaintext_len, uint64_t index)
{
	uint64_t left = plaintext_len - index * SR_EXTENT_CHUNK_LEN;
	return left < SR_EXTENT_CHUNK_LEN ? (size_t)left : SR_EXTENT_CHUNK_LEN;
}

/* Where chunk `index` begins in the file. */
static inline uint64_t sr_extent_chunk_offset(uint64_t index)
{
	return SR_EXTENT_HEADER_LEN + index * SR_EXTENT_SEALED_CHUNK_LEN;
}

/* The file's length. */
static inline uint64_t sr_extent_file_len(uint64_t plaintext_len)
{
	return SR_EXTENT_HEADER_LEN + plaintext_len + sr_extent_chunk_count(plaintext_len) * SR_GCM_TAG_LEN;
}

/* True if `more` bytes after `plaintext_len` stay within the format's limit. */
static inline bool sr_extent_has_room(uint64_t plaintext_len, uint64_t more)
{
	return more <= sr_extent_len_max && plaintext_len <= sr_extent_len_max - more;
}

/* The nonce of a chunk: never the same for two chunks of an extent, nor for one chunk as last and as another. */
void sr_extent_nonce(uint64_t index, bool is_last, uint8_t ret_nonce[static SR_GCM_NONCE_LEN]);

/* A writer of a given id under a given DEK: for known answers alone, since a DEK used twice repeats nonces. */
SR_MUST struct sr_result sr_extent_writer_known(struct sr_extent_store *store, const struct sr_id *id,
                                                const struct sr_secret *dek, struct sr_extent_writer **ret_writer);

#endif
