/*
 * The main file of a sealed database: a prefix that belongs to seal/database_file.h, then pages, each as
 * nonce ‖ ciphertext ‖ tag in exactly its own length (SQLite leaves the last SR_AEAD_OVERHEAD bytes of a page free).
 */
#include "seal/vfs_file.h"

#include <string.h>

/*
 * SQLite reads the head of page 1 before it looks at the log: 100 bytes for the page's length, 16 for the version of
 * its cache. It bears a short answer to both, and reads the whole page before it uses anything in it.
 */
enum { PROBE_LEN = 100 };

static sqlite3_int64 disk_offset(const struct sr_vfs *vfs, uint32_t page)
{
	return SR_VFS_PREFIX_LEN + (sqlite3_int64)(page - 1) * vfs->page_len;
}

static struct sr_page_place place_of(uint32_t page)
{
	return (struct sr_page_place){.kind = SR_PAGE_MAIN, .page = page};
}

/* Reads and opens a whole page into `to`, the reserved bytes as zeros. */
static struct sr_result read_page(struct sr_vfs_file *file, uint32_t page, uint8_t *to)
{
	const struct sr_vfs *vfs = file->vfs;
	int outcome = file->base->pMethods->xRead(file->base, file->sealed, (int)vfs->page_len, disk_offset(vfs, page));
	if (outcome == SQLITE_IOERR_SHORT_READ) {
		return sr_fail(SR_CORRUPT, "page %u of the database is cut off", page);
	}
	if (outcome != SQLITE_OK) {
		return sr_fail(SR_IO, "read page %u of the database: %s", page, sqlite3_errstr(outcome));
	}
	struct sr_page_place place = place_of(page);
	struct sr_result result = sr_page_open(&vfs->seal, &place, sr_bytes_of(file->sealed, vfs->page_len), to);
	if (sr_result_code(result) == SR_CORRUPT) {
		sr_result_free(result);
		return sr_fail(SR_CORRUPT, "page %u of the database does not open: changed, or not its own", page);
	}
	memset(to + vfs->page_len - SR_AEAD_OVERHEAD, 0, SR_AEAD_OVERHEAD);
	return result;
}

static int main_read(sqlite3_file *native, void *to, int len, sqlite3_int64 offset)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	uint32_t page = (uint32_t)(offset / file->vfs->page_len) + 1;
	uint32_t within = (uint32_t)(offset % file->vfs->page_len);
	if (within + (uint32_t)len > file->vfs->page_len) {
		return sr_vfs_fail(file, SR_INTERNAL, "SQLite reads across pages");
	}
	bool whole = (uint32_t)len == file->vfs->page_len;
	struct sr_result result = read_page(file, page, whole ? to : file->plain);
	if (sr_result_code(result) == SR_CORRUPT && page == 1 && len <= PROBE_LEN) {
		/* The file is new; or a checkpoint has torn page 1, and the log, which SQLite reads next, has it whole. */
		sr_result_free(result);
		memset(to, 0, (size_t)len);
		return SQLITE_IOERR_SHORT_READ;
	}
	if (!sr_is_ok(result)) {
		memset(to, 0, (size_t)len);
		return sr_vfs_fail_result(file, result);
	}
	if (!whole) {
		memcpy(to, file->plain + within, (size_t)len);
	}
	return SQLITE_OK;
}

static int main_write(sqlite3_file *native, const void *from, int len, sqlite3_int64 offset)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	const struct sr_vfs *vfs = file->vfs;
	if ((uint32_t)len != vfs->page_len || offset % vfs->page_len != 0) {
		return sr_vfs_fail(file, SR_INTERNAL, "SQLite writes a part of a page");
	}
	struct sr_page_place place = place_of((uint32_t)(offset / vfs->page_len) + 1);
	struct sr_result result =
	    sr_page_close(&vfs->seal, &place, sr_bytes_of(from, vfs->page_len - SR_AEAD_OVERHEAD), file->sealed);
	if (!sr_is_ok(result)) {
		return sr_vfs_fail_result(file, result);
	}
	return sr_vfs_base_outcome(
	    file, file->base->pMethods->xWrite(file->base, file->sealed, len, disk_offset(vfs, place.page)),
	    "write a page of the database");
}

static int main_truncate(sqlite3_file *native, sqlite3_int64 size)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	return sr_vfs_base_outcome(file, file->base->pMethods->xTruncate(file->base, SR_VFS_PREFIX_LEN + size),
	                           "cut the database");
}

static int main_sync(sqlite3_file *native, int flags)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	return sr_vfs_base_outcome(file, file->base->pMethods->xSync(file->base, flags), "sync the database");
}

static int main_size(sqlite3_file *native, sqlite3_int64 *ret_size)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	sqlite3_int64 size;
	int outcome = file->base->pMethods->xFileSize(file->base, &size);
	if (outcome == SQLITE_OK) {
		*ret_size = size > SR_VFS_PREFIX_LEN ? size - SR_VFS_PREFIX_LEN : 0;
	}
	return sr_vfs_base_outcome(file, outcome, "ask for the database's size");
}

/* Hints on sizes are not for sealed offsets; nothing else is offered. */
static int main_control(sqlite3_file *native, int operation, void *argument)
{
	(void)native;
	(void)argument;
	return operation == SQLITE_FCNTL_SIZE_HINT ? SQLITE_OK : SQLITE_NOTFOUND;
}

const sqlite3_io_methods sr_vfs_main_methods = {
    .iVersion = 2,
    .xClose = sr_vfs_close,
    .xRead = main_read,
    .xWrite = main_write,
    .xTruncate = main_truncate,
    .xSync = main_sync,
    .xFileSize = main_size,
    .xLock = sr_vfs_lock,
    .xUnlock = sr_vfs_unlock,
    .xCheckReservedLock = sr_vfs_check_reserved,
    .xFileControl = main_control,
    .xSectorSize = sr_vfs_sector_size,
    .xDeviceCharacteristics = sr_vfs_device_characteristics,
    .xShmMap = sr_vfs_shm_map,
    .xShmLock = sr_vfs_shm_lock,
    .xShmBarrier = sr_vfs_shm_barrier,
    .xShmUnmap = sr_vfs_shm_unmap,
};

struct sr_result sr_vfs_page_count(struct sr_vfs *vfs, uint32_t *ret_count)
{
	SR_CLEANUP(sr_vfs_own_file) struct sr_vfs_file *file = NULL;
	SR_TRY(sr_vfs_open_own(vfs, SQLITE_OPEN_MAIN_DB, &file));
	sqlite3_int64 size = 0;
	if (main_size(&file->native, &size) != SQLITE_OK) {
		return sr_vfs_take_failure(file);
	}
	*ret_count = (uint32_t)(size / vfs->page_len);
	return sr_ok();
}

/*
 * SQLite leaves a page that was freed in the transaction that made it unwritten: a hole of zeros. It never reads it
 * (main_read would refuse), so a hole is fine where only the check meets it.
 */
struct sr_result sr_vfs_check_pages(struct sr_vfs *vfs, uint32_t first, uint32_t count)
{
	SR_CLEANUP(sr_vfs_own_file) struct sr_vfs_file *file = NULL;
	SR_TRY(sr_vfs_open_own(vfs, SQLITE_OPEN_MAIN_DB, &file));
	for (uint32_t page = first; page - first < count; page++) {
		struct sr_result result = read_page(file, page, file->plain);
		if (sr_result_code(result) == SR_CORRUPT && sr_bytes_are_zero(sr_bytes_of(file->sealed, vfs->page_len))) {
			sr_result_free(result);
			continue;
		}
		SR_TRY(result);
	}
	return sr_ok();
}
