/*
 * Reads ranges of extents. Whole chunks are read into the caller's buffer and opened in place, many with
 * one call; a part of a chunk comes from the reader's own buffer, which keeps the chunk last opened.
 * What does not open is wiped from wherever it was read to.
 */
#include "seal/extent.h"

#include "seal/context.h"
#include "seal/extent_format.h"
#include "seal/extent_store.h"
#include "seal/secret_bytes.h"

#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RUN_MAX = 64 }; /* chunks read with one call: 4 MiB, two I/O vectors each */
static const uint64_t no_chunk = UINT64_MAX;

struct sr_extent_reader {
	struct sr_extent_key *key; /* borrowed */
	EVP_CIPHER_CTX *context;
	int fd;
	uint64_t plaintext_len;
	uint8_t *chunk;       /* the chunk last read in part, in clear; NULL until there was one */
	uint64_t chunk_index; /* which one it is, or no_chunk */
};

/* Reads all that the vectors have room for, at `offset`; the end of the file in between is SR_CORRUPT. */
static struct sr_result read_vectors(int fd, struct iovec *vectors, int count, uint64_t offset)
{
	while (count) {
		ssize_t got = preadv(fd, vectors, count, (off_t)offset);
		if (got < 0 && errno != EINTR) {
			return sr_fail_errno(errno, "read an extent");
		}
		if (got == 0) {
			return sr_fail(SR_CORRUPT, "extent ends too early");
		}
		size_t left = got > 0 ? (size_t)got : 0;
		offset += left;
		for (; count && left >= vectors->iov_len; vectors++, count--) {
			left -= vectors->iov_len;
		}
		if (count) {
			vectors->iov_base = (uint8_t *)vectors->iov_base + left;
			vectors->iov_len -= left;
		}
	}
	return sr_ok();
}

static bool open_chunk(struct sr_extent_reader *reader, uint64_t index, uint8_t *chunk,
                       const uint8_t tag[static SR_GCM_TAG_LEN])
{
	uint8_t nonce[SR_GCM_NONCE_LEN];
	sr_extent_nonce(index, index + 1 == sr_extent_chunk_count(reader->plaintext_len), nonce);
	struct sr_bytes ciphertext = sr_bytes_of(chunk, sr_extent_chunk_len(reader->plaintext_len, index));
	return sr_gcm_open(reader->context, nonce, sr_extent_bound(reader->key), ciphertext, tag, chunk);
}

/* Reads and opens `count` whole chunks from `index` into `to`; `to` holds no plaintext after a failure at its chunk. */
static struct sr_result read_chunks(struct sr_extent_reader *reader, uint64_t index, size_t count, uint8_t *to)
{
	uint8_t tags[RUN_MAX][SR_GCM_TAG_LEN];
	struct iovec vectors[2 * RUN_MAX];
	for (size_t i = 0; i < count; i++) {
		vectors[2 * i] =
		    (struct iovec){to + i * SR_EXTENT_CHUNK_LEN, sr_extent_chunk_len(reader->plaintext_len, index + i)};
		/* cppcheck-suppress legacyUninitvar; it is read into here */
		vectors[2 * i + 1] = (struct iovec){tags[i], SR_GCM_TAG_LEN};
	}
	SR_TRY(read_vectors(reader->fd, vectors, (int)(2 * count), sr_extent_chunk_offset(index)));
	for (size_t i = 0; i < count; i++) {
		if (!open_chunk(reader, index + i, to + i * SR_EXTENT_CHUNK_LEN, tags[i])) {
			return sr_fail(SR_CORRUPT, "chunk %llu of an extent does not open", (unsigned long long)(index + i));
		}
	}
	return sr_ok();
}

/* Makes chunk `index` the reader's own. */
static struct sr_result keep_chunk(struct sr_extent_reader *reader, uint64_t index)
{
	if (reader->chunk_index == index) {
		return sr_ok();
	}
	if (!reader->chunk) {
		reader->chunk = sr_try_alloc(SR_EXTENT_CHUNK_LEN);
		if (!reader->chunk) {
			return sr_fail(SR_NO_MEMORY, "read a chunk of an extent");
		}
	}
	reader->chunk_index = no_chunk;
	SR_TRY(read_chunks(reader, index, 1, reader->chunk));
	reader->chunk_index = index;
	return sr_ok();
}

/* How many chunks from `index` lie wholly within the next `len` bytes, at most RUN_MAX. */
static size_t whole_chunks(const struct sr_extent_reader *reader, uint64_t index, size_t len)
{
	size_t count = len / SR_EXTENT_CHUNK_LEN;
	uint64_t end = index * SR_EXTENT_CHUNK_LEN + len;
	if (end == reader->plaintext_len && len % SR_EXTENT_CHUNK_LEN) {
		count++;
	}
	return count < RUN_MAX ? count : RUN_MAX;
}

static struct sr_result read_range(struct sr_extent_reader *reader, uint64_t offset, uint8_t *to, size_t len)
{
	while (len) {
		uint64_t index = offset / SR_EXTENT_CHUNK_LEN;
		size_t within = offset % SR_EXTENT_CHUNK_LEN;
		size_t count = within ? 0 : whole_chunks(reader, index, len);
		size_t got;
		if (count) {
			SR_TRY(read_chunks(reader, index, count, to));
			got = count * SR_EXTENT_CHUNK_LEN;
		} else {
			SR_TRY(keep_chunk(reader, index));
			got = SR_EXTENT_CHUNK_LEN - within;
			memcpy(to, reader->chunk + within, got < len ? got : len);
		}
		got = got < len ? got : len;
		offset += got;
		to += got;
		len -= got;
	}
	return sr_ok();
}

struct sr_result sr_extent_reader_read(struct sr_extent_reader *reader, uint64_t offset, uint8_t *to, size_t len,
                                       size_t *ret_len)
{
	if (len == 0) {
		*ret_len = 0;
		return sr_ok();
	}
	if (offset >= reader->plaintext_len) {
		return sr_fail(SR_RANGE, "read an extent of %llu bytes at %llu", (unsigned long long)reader->plaintext_len,
		               (unsigned long long)offset);
	}
	uint64_t left = reader->plaintext_len - offset;
	len = left < len ? (size_t)left : len;
	struct sr_result result = read_range(reader, offset, to, len);
	if (!sr_is_ok(result)) {
		sr_wipe(to, len);
		return result;
	}
	*ret_len = len;
	return sr_ok();
}

static struct sr_result check_len(const struct sr_extent_reader *reader)
{
	struct stat status;
	if (fstat(reader->fd, &status) != 0) {
		return sr_fail_errno(errno, "look at an extent");
	}
	uint64_t expected = sr_extent_file_len(reader->plaintext_len);
	if ((uint64_t)status.st_size != expected) {
		return sr_fail(SR_CORRUPT, "extent's file has %llu bytes, not %llu", (unsigned long long)status.st_size,
		               (unsigned long long)expected);
	}
	return sr_ok();
}

/* A commitment that does not fit means another key, unless the key opens a chunk all the same: then it is damaged. */
static struct sr_result explain_commitment(struct sr_extent_reader *reader)
{
	struct sr_result opened = keep_chunk(reader, 0);
	bool is_right_key = sr_is_ok(opened);
	sr_result_free(opened);
	return is_right_key ? sr_fail(SR_CORRUPT, "extent's commitment to its key is damaged")
	                    : sr_fail(SR_WRONG_KEY, "extent is sealed under another key");
}

static struct sr_result check_header(struct sr_extent_reader *reader)
{
	uint8_t header[SR_EXTENT_HEADER_LEN];
	struct iovec vector = {header, sizeof header};
	SR_TRY(read_vectors(reader->fd, &vector, 1, 0));
	if (!sr_equal_public(sr_bytes_of(header, SR_EXTENT_BOUND_LEN), sr_extent_bound(reader->key))) {
		return sr_fail(SR_CORRUPT, "extent's header is damaged, or another extent's");
	}
	return sr_equal_ct(sr_bytes_of(header, sizeof header), sr_bytes_of(reader->key->header, sizeof header))
	           ? sr_ok()
	           : explain_commitment(reader);
}

struct sr_result sr_extent_reader_new(struct sr_extent_store *store, const struct sr_id *id, struct sr_extent_key *key,
                                      uint64_t plaintext_len, struct sr_extent_reader **ret_reader)
{
	if (!sr_extent_has_room(0, plaintext_len) || !sr_id_equal(id, &key->id)) {
		return sr_fail(SR_CORRUPT, "open an extent: its length or its key's identity cannot be");
	}
	SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *reader = sr_alloc(sizeof *reader);
	reader->fd = -1;
	reader->key = key;
	reader->plaintext_len = plaintext_len;
	reader->chunk_index = no_chunk;
	SR_TRY(sr_extent_store_open_file(store, id, &reader->fd));
	SR_TRY(check_len(reader));
	SR_TRY(sr_cipher_context_take(SR_CIPHER_AES256_GCM, &reader->context));
	SR_TRY(sr_gcm_set_key(reader->context, sr_secret_bytes(key->chunk_key).data));
	SR_TRY(check_header(reader));
	if (plaintext_len == 0) {
		SR_TRY(keep_chunk(reader, 0)); /* no read will come to check it */
	}
	*ret_reader = SR_TAKE(reader);
	return sr_ok();
}

void sr_extent_reader_free(struct sr_extent_reader *reader)
{
	if (!reader) {
		return;
	}
	if (reader->fd >= 0) {
		close(reader->fd);
	}
	if (reader->chunk) {
		sr_wipe(reader->chunk, SR_EXTENT_CHUNK_LEN);
		sr_free(reader->chunk);
	}
	sr_cipher_context_give(SR_CIPHER_AES256_GCM, reader->context);
	sr_free(reader);
}

void sr_extent_reader_cleanup(struct sr_extent_reader **reader)
{
	sr_extent_reader_free(*reader);
	*reader = NULL;
}
