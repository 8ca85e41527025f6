/*
 * The file "master" (integers big-endian):
 *    0   8  magic "SRmaster"
 *    8   2  version 1
 *   10   6  zero
 *   16  16  id, random; also the database's id
 *   32  40  master key, AES-KWP under HKDF(root key, salt = id, "vault/root")
 *   72  40  the database's DEK, AES-KWP under HKDF(master key, salt = id, "vault/keys")
 * What the keys seal is in key_store, kek_store and authority.
 */
#include "vault/master.h"

#include "seal/file.h"

#include <string.h>

enum { VERSION = 1, HEADER_LEN = 16, MASTER_FILE_LEN = HEADER_LEN + SR_ID_LEN + 2 * SR_WRAPPED_KEY_LEN };
#define MAGIC "SRmaster"

static struct sr_result derive(const struct sr_secret *from, const struct sr_id *id, const char *purpose,
                               struct sr_secret **ret_key)
{
	return sr_derive(from, sr_id_bytes(id), purpose, SR_KEY_LEN, ret_key);
}

/* What follows from the master key alone. */
static struct sr_result open_records(const struct sr_secret *master, const struct sr_id *id, struct sr_aead **ret_aead)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(derive(master, id, "vault/records", &key));
	return sr_aead_new(key, ret_aead);
}

static struct sr_result write_file(const char *path, const struct sr_id *id, const struct sr_secret *root,
                                   const struct sr_secret *master, const struct sr_secret *database_key)
{
	SR_CLEANUP(sr_secret) struct sr_secret *root_kek = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *master_kek = NULL;
	SR_TRY(derive(root, id, "vault/root", &root_kek));
	SR_TRY(derive(master, id, "vault/keys", &master_kek));
	uint8_t wrapped_master[SR_WRAPPED_KEY_LEN], wrapped_database_key[SR_WRAPPED_KEY_LEN];
	SR_TRY(sr_key_wrap(root_kek, master, wrapped_master));
	SR_TRY(sr_key_wrap(master_kek, database_key, wrapped_database_key));

	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(MASTER_FILE_LEN);
	sr_buf_append(&file, SR_LITERAL(MAGIC));
	sr_buf_append_u16(&file, VERSION);
	sr_buf_append(&file, sr_bytes_of("\0\0\0\0\0\0", 6));
	sr_buf_append(&file, sr_id_bytes(id));
	sr_buf_append(&file, sr_bytes_of(wrapped_master, sizeof wrapped_master));
	sr_buf_append(&file, sr_bytes_of(wrapped_database_key, sizeof wrapped_database_key));
	SR_TRY(sr_buf_result(&file));
	return sr_file_write_durable(path, sr_buf_bytes(&file));
}

static struct sr_result create(const char *path, const struct sr_secret *root)
{
	SR_CLEANUP(sr_secret) struct sr_secret *master = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *database_key = NULL;
	struct sr_id id = sr_id_random();
	SR_TRY(sr_secret_random(SR_KEY_LEN, &master));
	SR_TRY(sr_secret_random(SR_KEY_LEN, &database_key));
	return write_file(path, &id, root, master, database_key);
}

static struct sr_result check_header(struct sr_bytes file)
{
	struct sr_bytes expected = SR_LITERAL(MAGIC "\0\1\0\0\0\0\0\0");
	if (file.len != MASTER_FILE_LEN || !sr_bytes_start_with(file, expected)) {
		return sr_fail(SR_CORRUPT, "the vault's master file is no master file of a version that is known");
	}
	return sr_ok();
}

static struct sr_result open_file(struct sr_bytes file, const struct sr_secret *root,
                                  struct sr_vault_master *ret_master)
{
	SR_TRY(check_header(file));
	struct sr_id id;
	memcpy(id.bytes, file.data + HEADER_LEN, SR_ID_LEN);
	const uint8_t *wrapped = file.data + HEADER_LEN + SR_ID_LEN;

	SR_CLEANUP(sr_secret) struct sr_secret *root_kek = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *master = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *master_kek = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *database_key = NULL;
	SR_TRY(derive(root, &id, "vault/root", &root_kek));
	SR_TRY(sr_key_unwrap(root_kek, sr_bytes_of(wrapped, SR_WRAPPED_KEY_LEN), &master));
	SR_TRY(derive(master, &id, "vault/keys", &master_kek));
	SR_TRY(sr_key_unwrap(master_kek, sr_bytes_of(wrapped + SR_WRAPPED_KEY_LEN, SR_WRAPPED_KEY_LEN), &database_key));
	struct sr_aead *records;
	SR_TRY(open_records(master, &id, &records));
	*ret_master =
	    (struct sr_vault_master){.database_id = id, .database_key = SR_TAKE(database_key), .records = records};
	return sr_ok();
}

struct sr_result sr_vault_master_open(const char *path, const struct sr_secret *root, bool may_create,
                                      struct sr_vault_master *ret_master)
{
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(MASTER_FILE_LEN + 1);
	struct sr_result result = sr_file_read(path, MASTER_FILE_LEN, &file);
	if (sr_result_code(result) == SR_NOT_FOUND && may_create) {
		sr_ignore(result);
		SR_TRY(create(path, root));
		result = sr_file_read(path, MASTER_FILE_LEN, &file);
	}
	SR_TRY(result);
	return open_file(sr_buf_bytes(&file), root, ret_master);
}

void sr_vault_master_free(struct sr_vault_master *master)
{
	sr_secret_free(master->database_key);
	sr_aead_free(master->records);
	*master = (struct sr_vault_master){0};
}
