/* The file that says which key the state is under, and its first making in two durable steps. */
#include "keyring/state_key.h"

#include "seal/file.h"

#include <string.h>

/*
 *  0   8  magic "SRstate1"
 *  8  16  resource id
 * 24  16  database id
 * 40   4  epoch of the KEK
 * 44   …  block (u32 length): the wrapped DEK, or empty until there is one
 */
enum { FILE_MAX = 128 };
#define MAGIC SR_LITERAL("SRstate1")

void sr_state_key_write(const struct sr_state_key *key, struct sr_buf *bytes)
{
	sr_buf_append(bytes, MAGIC);
	sr_buf_append(bytes, sr_id_bytes(&key->resource));
	sr_buf_append(bytes, sr_id_bytes(&key->database));
	sr_buf_append_u32(bytes, key->kek_epoch);
	sr_buf_append_block(bytes, sr_bytes_of(key->wrapped, key->is_wrapped ? sizeof key->wrapped : 0));
}

struct sr_result sr_state_key_read(struct sr_bytes bytes, struct sr_state_key *ret_key)
{
	struct sr_state_key key = {0};
	struct sr_reader reader = sr_reader_of(bytes);
	bool is_ours = sr_equal_public(sr_reader_bytes(&reader, MAGIC.len), MAGIC);
	sr_reader_copy(&reader, key.resource.bytes, SR_ID_LEN);
	sr_reader_copy(&reader, key.database.bytes, SR_ID_LEN);
	key.kek_epoch = sr_reader_u32(&reader);
	struct sr_bytes wrapped = sr_reader_block(&reader, sizeof key.wrapped);
	SR_CLEANUP(sr_result) struct sr_result finished = sr_reader_finish(&reader, "the state's key file");
	bool is_whole = sr_is_ok(finished) && (wrapped.len == 0 || wrapped.len == sizeof key.wrapped);
	if (!is_ours || !is_whole) {
		return sr_fail(SR_CORRUPT, "read the state's key file: %zu bytes are not what was written", bytes.len);
	}
	key.is_wrapped = wrapped.len != 0;
	if (key.is_wrapped) {
		memcpy(key.wrapped, wrapped.data, wrapped.len);
	}
	*ret_key = key;
	return sr_ok();
}

static struct sr_result save(const char *path, const struct sr_state_key *key)
{
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(FILE_MAX);
	sr_state_key_write(key, &bytes);
	SR_TRY(sr_buf_result(&bytes));
	return sr_file_write_durable(path, sr_buf_bytes(&bytes));
}

/* First step: the resource's id is durable before the vault hears of it, so that a crash leaves no key without owner.
 */
static struct sr_result name_resource(const char *path, struct sr_state_key *ret_key)
{
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(FILE_MAX);
	struct sr_result read = sr_file_read(path, FILE_MAX, &bytes);
	if (sr_is_ok(read)) {
		return sr_state_key_read(sr_buf_bytes(&bytes), ret_key);
	}
	if (sr_result_code(read) != SR_NOT_FOUND) {
		return read;
	}
	sr_ignore(read);
	struct sr_state_key key = {.resource = sr_id_random(), .database = sr_id_random()};
	SR_TRY(save(path, &key));
	*ret_key = key;
	return sr_ok();
}

/* Second step: a KEK at the vault (there already, if a crash came between), a DEK, and its wrapping in the file. */
static struct sr_result make_key(struct sr_keyring *keyring, const char *path, const char *label,
                                 struct sr_state_key *key)
{
	struct sr_result created = sr_keyring_create(keyring, &key->resource, "service", label, NULL);
	if (sr_result_code(created) == SR_EXISTS) {
		sr_ignore(created);
	} else {
		SR_TRY(created);
	}
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	SR_TRY(sr_lease_enter(keyring, &key->resource, NULL, NULL, &use));
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &dek));
	struct sr_state_key wrapped = *key;
	SR_TRY(sr_lease_wrap(&use, dek, wrapped.wrapped));
	wrapped.kek_epoch = sr_lease_kek_epoch(&use);
	wrapped.is_wrapped = true;
	SR_TRY(save(path, &wrapped));
	*key = wrapped;
	return sr_ok();
}

struct sr_result sr_state_key_load(struct sr_keyring *keyring, const char *path, const char *label,
                                   struct sr_state_key *ret_key)
{
	struct sr_state_key key;
	SR_TRY(name_resource(path, &key));
	if (!key.is_wrapped) {
		SR_TRY(make_key(keyring, path, label, &key));
	}
	*ret_key = key;
	return sr_ok();
}

struct sr_result sr_state_key_open(struct sr_lease_use *use, const struct sr_state_key *key, struct sr_secret **ret_dek)
{
	return sr_lease_unwrap(use, key->kek_epoch, sr_bytes_of(key->wrapped, sizeof key->wrapped), ret_dek);
}
