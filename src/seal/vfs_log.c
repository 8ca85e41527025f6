/*
 * The log (WAL) of a sealed database. SQLite sees a 32-byte header and frames of a 24-byte header and a page;
 * at rest each of the three is sealed by itself, since SQLite rewrites them by themselves (walRewriteChecksums).
 */
#include "seal/vfs_file.h"

#include <string.h>

enum {
	HEADER_LEN = 32, /* as SQLite sees it */
	HEADER_SALT = 16,
	FRAME_HEADER_LEN = 24,
	DURABLE_LEN = 4, /* ours, behind SQLite's frame header: frames of this log known durable as this one was written */
	SEALED_HEADER_LEN = HEADER_LEN + SR_AEAD_OVERHEAD,
	SEALED_FRAME_HEADER_LEN = FRAME_HEADER_LEN + DURABLE_LEN + SR_AEAD_OVERHEAD
};

/* A frame's header in clear. */
struct frame_header {
	uint8_t bytes[FRAME_HEADER_LEN + DURABLE_LEN];
};

static uint32_t page_in(const struct frame_header *header)
{
	return sr_load_u32(header->bytes);
}

static bool is_commit(const struct frame_header *header)
{
	return sr_load_u32(header->bytes + 4) != 0;
}

static uint32_t durable_in(const struct frame_header *header)
{
	return sr_load_u32(header->bytes + FRAME_HEADER_LEN);
}

/* Where a range that SQLite names lies: in the log's header (frame 0), or in a frame. */
struct range {
	uint32_t frame;
	uint32_t within;
};

static struct range range_of(const struct sr_vfs *vfs, sqlite3_int64 offset)
{
	if (offset < HEADER_LEN) {
		return (struct range){0, (uint32_t)offset};
	}
	sqlite3_int64 frame_len = FRAME_HEADER_LEN + (sqlite3_int64)vfs->page_len;
	sqlite3_int64 past = offset - HEADER_LEN;
	return (struct range){(uint32_t)(past / frame_len) + 1, (uint32_t)(past % frame_len)};
}

static sqlite3_int64 disk_offset(const struct sr_vfs *vfs, uint32_t frame)
{
	return SEALED_HEADER_LEN + (sqlite3_int64)(frame - 1) * (SEALED_FRAME_HEADER_LEN + (sqlite3_int64)vfs->page_len);
}

static struct sr_page_place place_of(const struct sr_vfs *vfs, enum sr_page_kind kind, uint32_t frame, uint32_t page)
{
	struct sr_page_place place = {.kind = kind, .frame = frame, .page = page};
	memcpy(place.salt, vfs->salt, SR_PAGE_SALT_LEN);
	return place;
}

static struct sr_result read_sealed(struct sr_vfs_file *file, uint8_t *to, uint32_t len, sqlite3_int64 offset)
{
	int outcome = file->base->pMethods->xRead(file->base, to, (int)len, offset);
	if (outcome == SQLITE_IOERR_SHORT_READ) {
		return sr_fail(SR_CORRUPT, "the log is cut off");
	}
	return outcome == SQLITE_OK ? sr_ok() : sr_fail(SR_IO, "read the log: %s", sqlite3_errstr(outcome));
}

static struct sr_result open_header(struct sr_vfs_file *file, uint8_t header[static HEADER_LEN])
{
	uint8_t sealed[SEALED_HEADER_LEN];
	SR_TRY(read_sealed(file, sealed, sizeof sealed, 0));
	struct sr_page_place place = {.kind = SR_PAGE_LOG_HEADER};
	struct sr_result result = sr_page_open(&file->vfs->seal, &place, sr_bytes_of(sealed, sizeof sealed), header);
	if (sr_result_code(result) == SR_CORRUPT) {
		sr_result_free(result);
		return sr_fail(SR_CORRUPT, "the log's header does not open: changed, or another database's");
	}
	return result;
}

static struct sr_result open_frame_header(struct sr_vfs_file *file, uint32_t frame, const uint8_t *sealed,
                                          struct frame_header *ret_header)
{
	struct sr_page_place place = place_of(file->vfs, SR_PAGE_FRAME_HEADER, frame, 0);
	struct sr_result result =
	    sr_page_open(&file->vfs->seal, &place, sr_bytes_of(sealed, SEALED_FRAME_HEADER_LEN), ret_header->bytes);
	if (sr_result_code(result) == SR_CORRUPT) {
		sr_result_free(result);
		return sr_fail(SR_CORRUPT, "the header of frame %u of the log does not open", frame);
	}
	return result;
}

static struct sr_result read_frame_header(struct sr_vfs_file *file, uint32_t frame, struct frame_header *ret_header)
{
	uint8_t sealed[SEALED_FRAME_HEADER_LEN];
	SR_TRY(read_sealed(file, sealed, sizeof sealed, disk_offset(file->vfs, frame)));
	return open_frame_header(file, frame, sealed, ret_header);
}

/* Opens a whole frame, header and page; the page's reserved bytes become zeros. */
static struct sr_result read_frame(struct sr_vfs_file *file, uint32_t frame, struct frame_header *ret_header,
                                   uint8_t *ret_page)
{
	const struct sr_vfs *vfs = file->vfs;
	SR_TRY(read_sealed(file, file->sealed, SEALED_FRAME_HEADER_LEN + vfs->page_len, disk_offset(vfs, frame)));
	SR_TRY(open_frame_header(file, frame, file->sealed, ret_header));
	struct sr_page_place place = place_of(vfs, SR_PAGE_FRAME, frame, page_in(ret_header));
	struct sr_bytes sealed = sr_bytes_of(file->sealed + SEALED_FRAME_HEADER_LEN, vfs->page_len);
	struct sr_result result = sr_page_open(&vfs->seal, &place, sealed, ret_page);
	if (sr_result_code(result) == SR_CORRUPT) {
		sr_result_free(result);
		return sr_fail(SR_CORRUPT, "page %u in frame %u of the log does not open", page_in(ret_header), frame);
	}
	memset(ret_page + vfs->page_len - SR_AEAD_OVERHEAD, 0, SR_AEAD_OVERHEAD);
	return result;
}

static int log_read_header(struct sr_vfs_file *file, void *to, uint32_t len, uint32_t within)
{
	uint8_t header[HEADER_LEN];
	struct sr_result result = open_header(file, header);
	if (!sr_is_ok(result)) {
		return sr_vfs_fail_result(file, result);
	}
	if (len == HEADER_LEN) { /* recovery, which excludes everybody else; shorter reads come from a writer */
		memcpy(file->vfs->salt, header + HEADER_SALT, SR_PAGE_SALT_LEN);
		file->vfs->committed_frame = 0;
		file->vfs->durable_frame = 0;
	}
	memcpy(to, header + within, len);
	return SQLITE_OK;
}

/* Recovery, and the writer's rewriting of checksums, read whole frames. A torn frame at the tail is no error to
 * recovery: it must look like what was never written. */
static int log_read_frame(struct sr_vfs_file *file, uint8_t *to, uint32_t frame)
{
	struct frame_header header;
	struct sr_result result = read_frame(file, frame, &header, to + FRAME_HEADER_LEN);
	if (sr_result_code(result) == SR_CORRUPT) {
		sr_result_free(result);
		memset(to, 0, FRAME_HEADER_LEN + file->vfs->page_len);
		return SQLITE_OK;
	}
	if (!sr_is_ok(result)) {
		return sr_vfs_fail_result(file, result);
	}
	memcpy(to, header.bytes, FRAME_HEADER_LEN);
	return SQLITE_OK;
}

static int log_read_page(struct sr_vfs_file *file, void *to, uint32_t len, uint32_t frame)
{
	bool whole = len == file->vfs->page_len;
	struct frame_header header;
	struct sr_result result = read_frame(file, frame, &header, whole ? to : file->plain);
	if (!sr_is_ok(result)) {
		memset(to, 0, len);
		return sr_vfs_fail_result(file, result);
	}
	if (!whole) {
		memcpy(to, file->plain, len);
	}
	return SQLITE_OK;
}

static int log_read_frame_header(struct sr_vfs_file *file, void *to, uint32_t len, struct range range)
{
	struct frame_header header;
	struct sr_result result = read_frame_header(file, range.frame, &header);
	if (!sr_is_ok(result)) {
		return sr_vfs_fail_result(file, result);
	}
	memcpy(to, header.bytes + range.within, len);
	return SQLITE_OK;
}

static int log_read(sqlite3_file *native, void *to, int signed_len, sqlite3_int64 offset)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	uint32_t len = (uint32_t)signed_len;
	struct range range = range_of(file->vfs, offset);
	if (range.frame == 0 && range.within + len <= HEADER_LEN) {
		return log_read_header(file, to, len, range.within);
	}
	if (range.frame > 0 && range.within == 0 && len == FRAME_HEADER_LEN + file->vfs->page_len) {
		return log_read_frame(file, to, range.frame);
	}
	if (range.frame > 0 && range.within + len <= FRAME_HEADER_LEN) {
		return log_read_frame_header(file, to, len, range);
	}
	if (range.frame > 0 && range.within == FRAME_HEADER_LEN && len <= file->vfs->page_len) {
		return log_read_page(file, to, len, range.frame);
	}
	return sr_vfs_fail(file, SR_INTERNAL, "SQLite reads the log in a way that is not known");
}

static int write_sealed(struct sr_vfs_file *file, const struct sr_page_place *place, struct sr_bytes plaintext,
                        sqlite3_int64 offset)
{
	struct sr_result result = sr_page_close(&file->vfs->seal, place, plaintext, file->sealed);
	if (!sr_is_ok(result)) {
		return sr_vfs_fail_result(file, result);
	}
	int len = (int)(plaintext.len + SR_AEAD_OVERHEAD);
	return sr_vfs_base_outcome(file, file->base->pMethods->xWrite(file->base, file->sealed, len, offset),
	                           "write the log");
}

/* A new header begins a new generation: no frame of the old one opens from now on. */
static int log_write_header(struct sr_vfs_file *file, const uint8_t *header)
{
	memcpy(file->vfs->salt, header + HEADER_SALT, SR_PAGE_SALT_LEN);
	file->vfs->committed_frame = 0;
	file->vfs->durable_frame = 0;
	file->header_frame = 0;
	struct sr_page_place place = {.kind = SR_PAGE_LOG_HEADER};
	return write_sealed(file, &place, sr_bytes_of(header, HEADER_LEN), 0);
}

static int log_write_frame_header(struct sr_vfs_file *file, const uint8_t *from, uint32_t frame)
{
	struct frame_header header;
	struct sr_vfs *vfs = file->vfs;
	if (frame <= vfs->committed_frame) { /* that commit failed, or this frame would not be written again */
		vfs->committed_frame = frame - 1;
	}
	if (frame <= vfs->durable_frame) {
		vfs->durable_frame = frame - 1;
	}
	memcpy(header.bytes, from, FRAME_HEADER_LEN);
	sr_store_u32(header.bytes + FRAME_HEADER_LEN, vfs->durable_frame);
	if (is_commit(&header)) {
		vfs->committed_frame = frame;
	}
	file->header_frame = frame;
	file->header_page = page_in(&header);
	struct sr_page_place place = place_of(vfs, SR_PAGE_FRAME_HEADER, frame, 0);
	return write_sealed(file, &place, sr_bytes_of(header.bytes, sizeof header.bytes), disk_offset(vfs, frame));
}

/* A page comes behind its header, or alone, when a transaction changes a page that it has spilled already. */
static int log_write_page(struct sr_vfs_file *file, const uint8_t *from, uint32_t frame)
{
	const struct sr_vfs *vfs = file->vfs;
	if (file->header_frame != frame) {
		struct frame_header header;
		struct sr_result result = read_frame_header(file, frame, &header);
		if (!sr_is_ok(result)) {
			return sr_vfs_fail_result(file, result);
		}
		file->header_frame = frame;
		file->header_page = page_in(&header);
	}
	struct sr_page_place place = place_of(vfs, SR_PAGE_FRAME, frame, file->header_page);
	return write_sealed(file, &place, sr_bytes_of(from, vfs->page_len - SR_AEAD_OVERHEAD),
	                    disk_offset(vfs, frame) + SEALED_FRAME_HEADER_LEN);
}

static int log_write(sqlite3_file *native, const void *from, int len, sqlite3_int64 offset)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	struct range range = range_of(file->vfs, offset);
	if (range.frame == 0 && range.within == 0 && len == HEADER_LEN) {
		return log_write_header(file, from);
	}
	if (range.frame > 0 && range.within == 0 && len == FRAME_HEADER_LEN) {
		return log_write_frame_header(file, from, range.frame);
	}
	if (range.frame > 0 && range.within == FRAME_HEADER_LEN && (uint32_t)len == file->vfs->page_len) {
		return log_write_page(file, from, range.frame);
	}
	return sr_vfs_fail(file, SR_INTERNAL, "SQLite writes the log in a way that is not known");
}

static int log_truncate(sqlite3_file *native, sqlite3_int64 size)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	struct range range = range_of(file->vfs, size);
	sqlite3_int64 sealed_size = size == 0          ? 0
	                            : range.frame == 0 ? SEALED_HEADER_LEN
	                                               : disk_offset(file->vfs, range.frame + (range.within > 0 ? 1 : 0));
	return sr_vfs_base_outcome(file, file->base->pMethods->xTruncate(file->base, sealed_size), "cut the log");
}

static int log_sync(sqlite3_file *native, int flags)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	int outcome = file->base->pMethods->xSync(file->base, flags);
	if (outcome == SQLITE_OK) {
		file->vfs->durable_frame = file->vfs->committed_frame;
	}
	return sr_vfs_base_outcome(file, outcome, "sync the log");
}

/* Whole frames count; what is behind the last of them was torn. */
static struct sr_result frame_count(struct sr_vfs_file *file, sqlite3_int64 *ret_size, uint32_t *ret_count)
{
	sqlite3_int64 size;
	int outcome = file->base->pMethods->xFileSize(file->base, &size);
	if (outcome != SQLITE_OK) {
		return sr_fail(SR_IO, "ask for the log's size: %s", sqlite3_errstr(outcome));
	}
	*ret_size = size;
	*ret_count = size <= SEALED_HEADER_LEN
	                 ? 0
	                 : (uint32_t)((size - SEALED_HEADER_LEN) / (SEALED_FRAME_HEADER_LEN + file->vfs->page_len));
	return sr_ok();
}

static int log_size(sqlite3_file *native, sqlite3_int64 *ret_size)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	sqlite3_int64 size;
	uint32_t count;
	struct sr_result result = frame_count(file, &size, &count);
	if (!sr_is_ok(result)) {
		return sr_vfs_fail_result(file, result);
	}
	*ret_size = size < SEALED_HEADER_LEN
	                ? 0
	                : HEADER_LEN + (sqlite3_int64)count * (FRAME_HEADER_LEN + (sqlite3_int64)file->vfs->page_len);
	return SQLITE_OK;
}

static int log_lock(sqlite3_file *native, int level)
{
	(void)native;
	(void)level;
	return SQLITE_OK;
}

static int log_check_reserved(sqlite3_file *native, int *ret_is_reserved)
{
	(void)native;
	*ret_is_reserved = 0;
	return SQLITE_OK;
}

static int log_control(sqlite3_file *native, int operation, void *argument)
{
	(void)native;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

const sqlite3_io_methods sr_vfs_log_methods = {
    .iVersion = 1,
    .xClose = sr_vfs_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_lock,
    .xCheckReservedLock = log_check_reserved,
    .xFileControl = log_control,
    .xSectorSize = sr_vfs_sector_size,
    .xDeviceCharacteristics = sr_vfs_device_characteristics,
};

/*
 * Each frame says how many frames were durable as it was written. A frame that does not open although a later one
 * vouches for it was not torn by a crash: it was changed.
 */
static struct sr_result check_frames(struct sr_vfs_file *file, uint32_t count)
{
	uint32_t first_bad = 0;
	uint32_t durable = 0;
	for (uint32_t frame = 1; frame <= count; frame++) {
		struct frame_header header;
		struct sr_result result = read_frame(file, frame, &header, file->plain);
		if (sr_result_code(result) == SR_CORRUPT) {
			sr_result_free(result);
			first_bad = first_bad ? first_bad : frame;
			continue;
		}
		SR_TRY(result);
		durable = durable_in(&header) > durable ? durable_in(&header) : durable;
	}
	if (first_bad && first_bad <= durable) {
		return sr_fail(SR_CORRUPT, "frame %u of the log does not open: changed after it was durable", first_bad);
	}
	return sr_ok();
}

struct sr_result sr_vfs_check_log(struct sr_vfs *vfs)
{
	int is_there = 0;
	if (vfs->base->xAccess(vfs->base, vfs->log_path, SQLITE_ACCESS_EXISTS, &is_there) != SQLITE_OK || !is_there) {
		return sr_ok();
	}
	SR_CLEANUP(sr_vfs_own_file) struct sr_vfs_file *file = NULL;
	SR_TRY(sr_vfs_open_own(vfs, SQLITE_OPEN_WAL, &file));
	sqlite3_int64 size;
	uint32_t count;
	SR_TRY(frame_count(file, &size, &count));
	if (count == 0) {
		return sr_ok();
	}
	uint8_t header[HEADER_LEN];
	SR_TRY(open_header(file, header));
	if (!sr_equal_public(sr_bytes_of(vfs->salt, SR_PAGE_SALT_LEN),
	                     sr_bytes_of(header + HEADER_SALT, SR_PAGE_SALT_LEN))) { /* before SQLite has read it */
		memcpy(vfs->salt, header + HEADER_SALT, SR_PAGE_SALT_LEN);
	}
	return check_frames(file, count);
}
