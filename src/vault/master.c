/*
 * The file "master" (integers big-endian), version 2:
 *    0   8  magic "SRmaster"
 *    8   2  version 2
 *   10   2  the root key's provider
 *   12   4  length n of its descriptor
 *   16  16  id, random; also the database's id
 *   32   n  descriptor
 *    …  40  master key, AES-KWP under HKDF(root key, salt = id, "vault/root")
 *    …  40  the database's DEK, AES-KWP under HKDF(master key, salt = id, "vault/keys")
 *    …  40  the records' key, under the same
 *    …  32  HMAC-SHA-256 under HKDF(root key, salt = id, "vault/root-mac") of all before
 *    …  32  SHA-256 of all before: tells damage from another root key before a device or a person is asked
 * Version 1 had the file provider alone and no descriptor: magic, version 1, 6 zero bytes, id, master key, database's
 * DEK; its records' key is HKDF(master key, salt = id, "vault/records"). What the keys seal is in key_store, kek_store
 * and authority.
 */
#include "vault/master.h"

#include "seal/file.h"
#include "vault/root_key.h"

#include <string.h>

enum {
	VERSION = 2,
	HEAD_LEN = 16,
	DESCRIPTOR_AT = HEAD_LEN + SR_ID_LEN,
	KEYS_LEN = 3 * SR_WRAPPED_KEY_LEN,
	TAIL_LEN = KEYS_LEN + 2 * SR_SHA256_LEN,
	V1_LEN = DESCRIPTOR_AT + 2 * SR_WRAPPED_KEY_LEN,
	FILE_MAX = DESCRIPTOR_AT + SR_ROOT_DESCRIPTOR_MAX + TAIL_LEN,
};
#define MAGIC "SRmaster"

/* The keys between the root key and what it protects. */
struct chain {
	struct sr_secret *root_kek, *mac_key, *master, *master_kek;
};

static void chain_cleanup(struct chain *chain)
{
	sr_secret_free(chain->root_kek);
	sr_secret_free(chain->mac_key);
	sr_secret_free(chain->master);
	sr_secret_free(chain->master_kek);
}

static struct sr_result derive(const struct sr_secret *from, const struct sr_id *id, const char *purpose,
                               struct sr_secret **ret_key)
{
	return sr_derive(from, sr_id_bytes(id), purpose, SR_KEY_LEN, ret_key);
}

/* ---- reading ---- */

void sr_master_file_cleanup(struct sr_master_file *file)
{
	sr_buf_free(&file->bytes);
	*file = (struct sr_master_file){0};
}

static struct sr_result no_master_file(void)
{
	return sr_fail(SR_CORRUPT,
	               "the vault's master file is damaged, or of a version that is not known: put it back from "
	               "your copy");
}

static bool is_v1(struct sr_bytes bytes)
{
	return bytes.len == V1_LEN && sr_bytes_start_with(bytes, SR_LITERAL(MAGIC "\0\1\0\0\0\0\0\0"));
}

static struct sr_result parse_v2(struct sr_master_file *file)
{
	const struct sr_bytes bytes = sr_buf_bytes(&file->bytes);
	if (bytes.len < DESCRIPTOR_AT + TAIL_LEN || !sr_bytes_start_with(bytes, SR_LITERAL(MAGIC "\0\2"))) {
		return no_master_file();
	}
	const size_t len = sr_load_u32(bytes.data + 12);
	uint8_t digest[SR_DIGEST_MAX];
	const size_t hashed_len = bytes.len - SR_SHA256_LEN;
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(bytes.data, hashed_len), digest);
	if (len != bytes.len - DESCRIPTOR_AT - TAIL_LEN ||
	    !sr_equal_public(sr_bytes_of(digest, SR_SHA256_LEN), sr_bytes_of(bytes.data + hashed_len, SR_SHA256_LEN))) {
		return no_master_file();
	}
	const uint16_t number = sr_load_u16(bytes.data + 10);
	file->provider = sr_root_provider_numbered(number);
	if (!file->provider) {
		return sr_fail(SR_CORRUPT, "the root key's provider %d is not known to this program", (int)number);
	}
	file->version = VERSION;
	file->descriptor = sr_bytes_of(bytes.data + DESCRIPTOR_AT, len);
	return sr_ok();
}

struct sr_result sr_master_file_read(const char *path, struct sr_master_file *ret_file)
{
	SR_CLEANUP(sr_master_file) struct sr_master_file file = {.bytes = SR_BUF(FILE_MAX + 1)};
	struct sr_result read = sr_file_read(path, FILE_MAX, &file.bytes);
	if (sr_result_code(read) == SR_TOO_LARGE) {
		sr_result_free(read);
		return no_master_file();
	}
	SR_TRY(read);
	if (is_v1(sr_buf_bytes(&file.bytes))) {
		file.version = 1;
		file.provider = &sr_root_file;
	} else {
		SR_TRY(parse_v2(&file));
	}
	*ret_file = file;
	file = (struct sr_master_file){0};
	return sr_ok();
}

/* ---- opening ---- */

static struct sr_bytes wrapped_at(const struct sr_master_file *file, size_t index)
{
	const size_t first = DESCRIPTOR_AT + file->descriptor.len;
	return sr_bytes_of(file->bytes.data + first + index * SR_WRAPPED_KEY_LEN, SR_WRAPPED_KEY_LEN);
}

static struct sr_result check_mac(const struct sr_master_file *file, const struct sr_secret *mac_key)
{
	const size_t len = file->bytes.len - (size_t)2 * SR_SHA256_LEN;
	uint8_t mac[SR_SHA256_LEN];
	SR_TRY(sr_hmac_sha256(mac_key, sr_bytes_of(file->bytes.data, len), mac));
	return sr_equal_ct(sr_bytes_of(mac, sizeof mac), sr_bytes_of(file->bytes.data + len, SR_SHA256_LEN))
	           ? sr_ok()
	           : sr_fail(SR_WRONG_KEY, "the root key is not the one of this master file, or the file was altered");
}

struct sr_result sr_master_file_open(const struct sr_master_file *file, const struct sr_secret *root,
                                     struct sr_vault_master *ret_master)
{
	__attribute__((cleanup(chain_cleanup))) struct chain chain = {0};
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	struct sr_id *id = &master.database_id;
	memcpy(id->bytes, file->bytes.data + HEAD_LEN, SR_ID_LEN);
	if (file->version != 1) {
		SR_TRY(derive(root, id, "vault/root-mac", &chain.mac_key));
		SR_TRY(check_mac(file, chain.mac_key));
	}
	SR_TRY(derive(root, id, "vault/root", &chain.root_kek));
	SR_TRY(sr_key_unwrap(chain.root_kek, wrapped_at(file, 0), &chain.master));
	SR_TRY(derive(chain.master, id, "vault/keys", &chain.master_kek));
	SR_TRY(sr_key_unwrap(chain.master_kek, wrapped_at(file, 1), &master.database_key));
	if (file->version == 1) {
		SR_TRY(derive(chain.master, id, "vault/records", &master.records_key));
	} else {
		SR_TRY(sr_key_unwrap(chain.master_kek, wrapped_at(file, 2), &master.records_key));
	}
	SR_TRY(sr_aead_new(master.records_key, &master.records));
	*ret_master = master;
	master = (struct sr_vault_master){0};
	return sr_ok();
}

/* ---- writing ---- */

static struct sr_result append_wrapped(struct sr_buf *file, const struct sr_secret *kek, const struct sr_secret *key)
{
	uint8_t wrapped[SR_WRAPPED_KEY_LEN];
	SR_TRY(sr_key_wrap(kek, key, wrapped));
	sr_buf_append(file, sr_bytes_of(wrapped, sizeof wrapped));
	return sr_ok();
}

/* A new master key over the same keys. */
static struct sr_result append_keys(struct sr_buf *file, const struct sr_secret *root,
                                    const struct sr_vault_master *master, struct chain *chain)
{
	const struct sr_id *id = &master->database_id;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &chain->master));
	SR_TRY(derive(root, id, "vault/root", &chain->root_kek));
	SR_TRY(derive(root, id, "vault/root-mac", &chain->mac_key));
	SR_TRY(derive(chain->master, id, "vault/keys", &chain->master_kek));
	SR_TRY(append_wrapped(file, chain->root_kek, chain->master));
	SR_TRY(append_wrapped(file, chain->master_kek, master->database_key));
	return append_wrapped(file, chain->master_kek, master->records_key);
}

struct sr_result sr_master_file_write(const char *path, const struct sr_root_provider *provider,
                                      struct sr_bytes descriptor, const struct sr_secret *root,
                                      const struct sr_vault_master *master)
{
	__attribute__((cleanup(chain_cleanup))) struct chain chain = {0};
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(FILE_MAX);
	uint8_t mac[SR_SHA256_LEN], digest[SR_DIGEST_MAX];
	sr_buf_append(&file, SR_LITERAL(MAGIC));
	sr_buf_append_u16(&file, VERSION);
	sr_buf_append_u16(&file, provider->number);
	sr_buf_append_u32(&file, (uint32_t)descriptor.len);
	sr_buf_append(&file, sr_id_bytes(&master->database_id));
	sr_buf_append(&file, descriptor);
	SR_TRY(append_keys(&file, root, master, &chain));
	SR_TRY(sr_buf_result(&file));
	SR_TRY(sr_hmac_sha256(chain.mac_key, sr_buf_bytes(&file), mac));
	sr_buf_append(&file, sr_bytes_of(mac, sizeof mac));
	sr_digest_of(SR_DIGEST_SHA256, sr_buf_bytes(&file), digest);
	sr_buf_append(&file, sr_bytes_of(digest, SR_SHA256_LEN));
	SR_TRY(sr_buf_result(&file));
	return sr_file_write_durable(path, sr_buf_bytes(&file));
}

/* ---- the keys ---- */

struct sr_result sr_vault_master_new(struct sr_vault_master *ret_master)
{
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {.database_id = sr_id_random()};
	SR_TRY(sr_secret_random(SR_KEY_LEN, &master.database_key));
	SR_TRY(sr_secret_random(SR_KEY_LEN, &master.records_key));
	SR_TRY(sr_aead_new(master.records_key, &master.records));
	*ret_master = master;
	master = (struct sr_vault_master){0};
	return sr_ok();
}

static struct sr_result create(const char *path, const struct sr_secret *root)
{
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	SR_CLEANUP(sr_buf) struct sr_buf descriptor = SR_BUF(SR_ROOT_DESCRIPTOR_MAX);
	SR_TRY(sr_vault_master_new(&master));
	SR_TRY(sr_root_key_describe(root, &descriptor));
	return sr_master_file_write(path, &sr_root_file, sr_buf_bytes(&descriptor), root, &master);
}

struct sr_result sr_vault_master_open(const char *path, const struct sr_secret *root, bool may_create,
                                      struct sr_vault_master *ret_master)
{
	SR_CLEANUP(sr_master_file) struct sr_master_file file = {0};
	struct sr_result read = sr_master_file_read(path, &file);
	if (sr_result_code(read) == SR_NOT_FOUND && may_create) {
		sr_ignore(read);
		SR_TRY(create(path, root));
		read = sr_master_file_read(path, &file);
	}
	SR_TRY(read);
	return sr_master_file_open(&file, root, ret_master);
}

void sr_vault_master_free(struct sr_vault_master *master)
{
	sr_secret_free(master->database_key);
	sr_secret_free(master->records_key);
	sr_aead_free(master->records);
	*master = (struct sr_vault_master){0};
}

void sr_vault_master_cleanup(struct sr_vault_master *master)
{
	sr_vault_master_free(master);
}
