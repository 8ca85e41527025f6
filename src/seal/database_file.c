/*
 * The header of a sealed database's main file, format version 1 (what follows it is vfs_main.c's):
 *
 *   0  8  magic "SRsqlite"          14  2  zero
 *   8  2  version 1                 16 16  database id
 *  10  1  log2 of the page length   32 32  commitment of the DEK to bytes 0-31
 *  11  1  suite 1 = XAES-256-GCM    64 32  SHA-256 of bytes 0-63: tells damage from another key
 *  12  2  reserved bytes of a page  96  …  zeros to SR_VFS_PREFIX_LEN
 */
#include "seal/database_file.h"

#include "seal/crypto.h"
#include "seal/file.h"
#include "seal/vfs_file.h"


#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	IDENTITY_LEN = 32, /* what the key is committed to */
	DIGEST_AT = 64,
	HEADER_LEN = 96,
	PAGE_LOG2_MIN = 12,
	PAGE_LOG2_MAX = 16
};

static const char magic[8] = {'S', 'R', 's', 'q', 'l', 'i', 't', 'e'};

static struct sr_result fill_header(const struct sr_id *id, const struct sr_secret *dek, uint32_t page_len,
                                    uint8_t header[static HEADER_LEN])
{
	memset(header, 0, HEADER_LEN);
	memcpy(header, magic, sizeof magic);
	sr_store_u16(header + 8, 1);
	header[10] = (uint8_t)__builtin_ctz(page_len);
	header[11] = 1;
	sr_store_u16(header + 12, SR_AEAD_OVERHEAD);
	memcpy(header + 16, id->bytes, SR_ID_LEN);
	SR_TRY(sr_key_commitment(dek, sr_bytes_of(header, IDENTITY_LEN), header + IDENTITY_LEN));
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(header, DIGEST_AT), digest);
	memcpy(header + DIGEST_AT, digest, SR_SHA256_LEN);
	return sr_ok();
}

/* What can be said without a key: whether it is a whole header of a version that we know, for this database. */
static struct sr_result check_form(const char *path, const struct sr_id *id, const uint8_t prefix[SR_VFS_PREFIX_LEN])
{
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(prefix, DIGEST_AT), digest);
	if (!sr_equal_public(sr_bytes_of(prefix, sizeof magic), sr_bytes_of(magic, sizeof magic)) ||
	    !sr_equal_public(sr_bytes_of(digest, SR_SHA256_LEN), sr_bytes_of(prefix + DIGEST_AT, SR_SHA256_LEN)) ||
	    !sr_bytes_are_zero(sr_bytes_of(prefix + HEADER_LEN, SR_VFS_PREFIX_LEN - HEADER_LEN))) {
		return sr_fail(SR_CORRUPT, "the header of the database %s is damaged", path);
	}
	if (sr_load_u16(prefix + 8) != 1 || prefix[10] < PAGE_LOG2_MIN || prefix[10] > PAGE_LOG2_MAX || prefix[11] != 1 ||
	    sr_load_u16(prefix + 12) != SR_AEAD_OVERHEAD || sr_load_u16(prefix + 14) != 0) {
		return sr_fail(SR_CORRUPT, "the header of the database %s is of a format that this version does not know",
		               path);
	}
	if (!sr_equal_public(sr_bytes_of(prefix + 16, SR_ID_LEN), sr_id_bytes(id))) {
		return sr_fail(SR_CORRUPT, "the file %s is another database's", path);
	}
	return sr_ok();
}

static struct sr_result check_header(const char *path, const struct sr_id *id, const struct sr_secret *dek,
                                     const struct sr_database_file *file, uint32_t *ret_page_len)
{
	uint8_t prefix[SR_VFS_PREFIX_LEN];
	ssize_t len = pread(file->descriptor, prefix, sizeof prefix, 0);
	if (len < 0) {
		return sr_fail_errno(errno, "read the header of the database %s", path);
	}
	if ((size_t)len < sizeof prefix) {
		return sr_fail(SR_CORRUPT, "the database %s is cut off within its header", path);
	}
	SR_TRY(check_form(path, id, prefix));
	uint8_t commitment[SR_SHA256_LEN];
	SR_TRY(sr_key_commitment(dek, sr_bytes_of(prefix, IDENTITY_LEN), commitment));
	if (!sr_equal_ct(sr_bytes_of(commitment, sizeof commitment), sr_bytes_of(prefix + IDENTITY_LEN, SR_SHA256_LEN))) {
		return sr_fail(SR_WRONG_KEY, "the database %s is sealed under another key", path);
	}
	uint32_t page_len = 1U << prefix[10];
	struct stat status;
	if (fstat(file->descriptor, &status) != 0) {
		return sr_fail_errno(errno, "look at the database %s", path);
	}
	if (status.st_size < SR_VFS_PREFIX_LEN + (off_t)page_len) { /* SQLite would take it for a new one */
		return sr_fail(SR_CORRUPT, "the database %s is cut off within its first page", path);
	}
	*ret_page_len = page_len;
	return sr_ok();
}

/* The lock goes with the open file, not with the process: it ends with it, and a second opening here meets it too. */
static struct sr_result lock(const struct sr_database_file *file, const char *path)
{
	if (flock(file->descriptor, LOCK_EX | LOCK_NB) == 0) {
		return sr_ok();
	}
	return errno == EWOULDBLOCK ? sr_fail(SR_CONFLICT, "the database %s is in use already", path)
	                            : sr_fail_errno(errno, "lock the database %s", path);
}

struct sr_result sr_database_file_open(const char *path, const struct sr_id *id, const struct sr_secret *dek,
                                       struct sr_database_file *ret_file)
{
	SR_CLEANUP(sr_database_file)
	struct sr_database_file file = {.descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
	if (file.descriptor < 0) {
		return errno == ENOENT ? sr_fail(SR_NOT_FOUND, "the database %s does not exist", path)
		                       : sr_fail_errno(errno, "open the database %s", path);
	}
	SR_TRY(lock(&file, path));
	SR_TRY(check_header(path, id, dek, &file, &file.page_len));
	*ret_file = file;
	file.descriptor = -1;
	return sr_ok();
}

struct sr_result sr_database_file_make(const char *path, const struct sr_id *id, const struct sr_secret *dek,
                                       uint32_t page_len, struct sr_database_file *ret_file)
{
	if (unlink(path) != 0 && errno != ENOENT) {
		return sr_fail_errno(errno, "remove the unfinished database %s", path);
	}
	SR_CLEANUP(sr_database_file)
	struct sr_database_file file = {
	    .descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600),
	    .page_len = page_len,
	};
	if (file.descriptor < 0) {
		return sr_fail_errno(errno, "make the database %s", path);
	}
	SR_TRY(lock(&file, path));
	uint8_t prefix[SR_VFS_PREFIX_LEN] = {0};
	SR_TRY(fill_header(id, dek, page_len, prefix));
	if (pwrite(file.descriptor, prefix, sizeof prefix, 0) != (ssize_t)sizeof prefix) {
		return sr_fail_errno(errno ? errno : EIO, "write the header of the database %s", path);
	}
	*ret_file = file;
	file.descriptor = -1;
	return sr_ok();
}

struct sr_result sr_database_file_publish(struct sr_database_file *file, const char *path, const char *final_path)
{
	if (fsync(file->descriptor) != 0) {
		return sr_fail_errno(errno, "sync the new database %s", path);
	}
	if (renameat2(AT_FDCWD, path, AT_FDCWD, final_path, RENAME_NOREPLACE) != 0) {
		return errno == EEXIST ? sr_fail(SR_CONFLICT, "the database %s was made meanwhile", final_path)
		                       : sr_fail_errno(errno, "name the new database %s", final_path);
	}
	return sr_file_sync_name(final_path);
}

void sr_database_file_close(struct sr_database_file *file)
{
	if (file->descriptor >= 0) {
		(void)close(file->descriptor);
	}
	file->descriptor = -1;
}

void sr_database_file_cleanup(struct sr_database_file *file)
{
	sr_database_file_close(file);
}
