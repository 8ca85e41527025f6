/*
 * Writes extents: seals chunks as bytes come and writes several with one call. A full chunk waits
 * until it is known whether another follows, since the last one is sealed with a mark.
 */
#include "seal/extent.h"

#include "seal/context.h"
#include "seal/extent_format.h"
#include "seal/extent_store.h"
#include "seal/secret_bytes.h"

#include "base/memory.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Small enough to stay in a core's cache between sealing and writing. */
enum { BATCH_CHUNK_COUNT = 4, BATCH_LEN = SR_EXTENT_HEADER_LEN + BATCH_CHUNK_COUNT * SR_EXTENT_SEALED_CHUNK_LEN };

struct sr_extent_writer {
	struct sr_extent_store *store;
	struct sr_extent_key *key;
	EVP_CIPHER_CTX *context;
	int fd;
	bool has_failed;
	bool is_committed;
	uint64_t index;         /* of the chunk that is being filled */
	uint64_t plaintext_len; /* taken so far */
	uint8_t *batch;         /* sealed bytes that are not written yet, then the chunk that is being filled */
	size_t sealed_len;
	size_t filled_len; /* plaintext of the chunk at batch + sealed_len */
};

static struct sr_result write_batch(struct sr_extent_writer *writer)
{
	for (size_t done = 0; done < writer->sealed_len;) {
		ssize_t written = write(writer->fd, writer->batch + done, writer->sealed_len - done);
		if (written < 0 && errno != EINTR) {
			return sr_fail_errno(errno, "write an extent");
		}
		done += written > 0 ? (size_t)written : 0;
	}
	/* The disk may start at once, so that the fdatasync at the end finds little left; durable is only what that one
	 * says. */
	sync_file_range(writer->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	writer->sealed_len = 0;
	return sr_ok();
}

/* Seals one chunk into the batch, from the caller's bytes or in place. */
static struct sr_result seal_chunk(struct sr_extent_writer *writer, struct sr_bytes plaintext, bool is_last)
{
	uint8_t nonce[SR_GCM_NONCE_LEN];
	uint8_t *to = writer->batch + writer->sealed_len;
	sr_extent_nonce(writer->index, is_last, nonce);
	SR_TRY(sr_gcm_seal(writer->context, nonce, sr_extent_bound(writer->key), plaintext, to, to + plaintext.len));
	writer->index++;
	writer->filled_len = 0;
	writer->sealed_len += plaintext.len + SR_GCM_TAG_LEN;
	return writer->sealed_len + SR_EXTENT_SEALED_CHUNK_LEN > BATCH_LEN ? write_batch(writer) : sr_ok();
}

/* Seals what is filled, in place. */
static struct sr_result seal_filled(struct sr_extent_writer *writer, bool is_last)
{
	return seal_chunk(writer, sr_bytes_of(writer->batch + writer->sealed_len, writer->filled_len), is_last);
}

static struct sr_result take(struct sr_extent_writer *writer, struct sr_bytes plaintext)
{
	while (plaintext.len) {
		size_t len = SR_EXTENT_CHUNK_LEN - writer->filled_len;
		if (len == 0) {
			SR_TRY(seal_filled(writer, false));
			continue;
		}
		if (len == SR_EXTENT_CHUNK_LEN && plaintext.len > len) {
			SR_TRY(seal_chunk(writer, sr_bytes_of(plaintext.data, len), false));
		} else {
			len = plaintext.len < len ? plaintext.len : len;
			memcpy(writer->batch + writer->sealed_len + writer->filled_len, plaintext.data, len);
			writer->filled_len += len;
		}
		plaintext = sr_bytes_of(plaintext.data + len, plaintext.len - len);
	}
	return sr_ok();
}

static struct sr_result check_usable(const struct sr_extent_writer *writer)
{
	return writer->has_failed || writer->is_committed ? sr_fail(SR_INTERNAL, "use an extent's writer after its end")
	                                                  : sr_ok();
}

/* What failed once must not go on: bytes may be missing. */
static struct sr_result remember_failure(struct sr_extent_writer *writer, struct sr_result result)
{
	writer->has_failed = !sr_is_ok(result);
	return result;
}

struct sr_result sr_extent_writer_known(struct sr_extent_store *store, const struct sr_id *id,
                                        const struct sr_secret *dek, struct sr_extent_writer **ret_writer)
{
	SR_CLEANUP(sr_extent_writer) struct sr_extent_writer *writer = sr_alloc(sizeof *writer);
	writer->store = store;
	writer->fd = -1;
	SR_TRY(sr_extent_key_new(id, dek, &writer->key));
	SR_TRY(sr_cipher_context_take(SR_CIPHER_AES256_GCM, &writer->context));
	SR_TRY(sr_gcm_set_key(writer->context, sr_secret_bytes(writer->key->chunk_key).data));
	writer->batch = sr_try_alloc(BATCH_LEN);
	if (!writer->batch) {
		return sr_fail(SR_NO_MEMORY, "write an extent");
	}
	memcpy(writer->batch, writer->key->header, SR_EXTENT_HEADER_LEN);
	writer->sealed_len = SR_EXTENT_HEADER_LEN;
	SR_TRY(sr_extent_store_create(store, id, &writer->fd));
	*ret_writer = SR_TAKE(writer);
	return sr_ok();
}

struct sr_result sr_extent_writer_new(struct sr_extent_store *store, struct sr_id *ret_id, struct sr_secret **ret_dek,
                                      struct sr_extent_writer **ret_writer)
{
	struct sr_id id = sr_id_random();
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &dek));
	SR_TRY(sr_extent_writer_known(store, &id, dek, ret_writer));
	*ret_id = id;
	*ret_dek = SR_TAKE(dek);
	return sr_ok();
}

struct sr_result sr_extent_writer_write(struct sr_extent_writer *writer, struct sr_bytes plaintext)
{
	SR_TRY(check_usable(writer));
	if (!sr_extent_has_room(writer->plaintext_len, plaintext.len)) {
		return remember_failure(writer, sr_fail(SR_TOO_LARGE, "write an extent of more than 2^40 bytes"));
	}
	writer->plaintext_len += plaintext.len;
	return remember_failure(writer, take(writer, plaintext));
}

static struct sr_result finish(struct sr_extent_writer *writer)
{
	SR_TRY(seal_filled(writer, true));
	SR_TRY(write_batch(writer));
	sr_blocking_begin();
	struct sr_result result = fdatasync(writer->fd) == 0 ? sr_ok() : sr_fail_errno(errno, "make an extent durable");
	if (sr_is_ok(result)) {
		result = sr_extent_store_publish(writer->store, &writer->key->id);
	}
	sr_blocking_end();
	return result;
}

struct sr_result sr_extent_writer_commit(struct sr_extent_writer *writer, uint64_t *ret_plaintext_len)
{
	SR_TRY(check_usable(writer));
	SR_TRY(remember_failure(writer, finish(writer)));
	writer->is_committed = true;
	*ret_plaintext_len = writer->plaintext_len;
	return sr_ok();
}

void sr_extent_writer_free(struct sr_extent_writer *writer)
{
	if (!writer) {
		return;
	}
	if (writer->fd >= 0) {
		close(writer->fd);
		if (!writer->is_committed) {
			sr_extent_store_discard(writer->store, &writer->key->id);
		}
	}
	if (writer->batch) {
		sr_wipe(writer->batch + writer->sealed_len, writer->filled_len);
		sr_free(writer->batch);
	}
	sr_cipher_context_give(SR_CIPHER_AES256_GCM, writer->context);
	sr_extent_key_free(writer->key);
	sr_free(writer);
}

void sr_extent_writer_cleanup(struct sr_extent_writer **writer)
{
	sr_extent_writer_free(*writer);
	*writer = NULL;
}
