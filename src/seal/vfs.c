/*
 * The sealing VFS as SQLite sees it: registration, opening of the two files that a sealed database has, and
 * the noting of failures. What is done to bytes is in vfs_main.c and vfs_log.c; locks are in vfs_index.c.
 */
#include "seal/vfs.h"

#include "seal/vfs_file.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A frame as it rests is the longest thing that is read at once: its header and SR_AEAD_OVERHEAD are well under this.
 */
enum { FRAME_MARGIN = 128 };

int sr_vfs_fail(struct sr_vfs_file *file, enum sr_code code, const char *format, ...)
{
	if (file->failure == SR_OK) {
		file->failure = code;
		va_list args;
		va_start(args, format);
		vsnprintf(file->failure_text, sizeof file->failure_text, format, args);
		va_end(args);
	}
	/* Not SQLITE_IOERR for what does not open: that would undo a whole transaction for one damaged page. */
	return code == SR_CORRUPT ? SQLITE_CORRUPT : SQLITE_IOERR;
}

int sr_vfs_fail_result(struct sr_vfs_file *file, struct sr_result result)
{
	int outcome = sr_vfs_fail(file, sr_result_code(result), "%s", sr_result_message(result));
	sr_result_free(result);
	return outcome;
}

int sr_vfs_base_outcome(struct sr_vfs_file *file, int outcome, const char *doing)
{
	if (outcome != SQLITE_OK) {
		enum sr_code code = (outcome & 0xff) == SQLITE_FULL ? SR_NO_SPACE : SR_IO;
		(void)sr_vfs_fail(file, code, "%s: %s", doing, sqlite3_errstr(outcome));
	}
	return outcome;
}

struct sr_result sr_vfs_take_failure(struct sr_vfs_file *file)
{
	enum sr_code code = file->failure;
	file->failure = SR_OK;
	return code == SR_OK ? sr_ok() : sr_fail(code, "%s", file->failure_text);
}

static bool is_ours(const sqlite3_file *file)
{
	return file && (file->pMethods == &sr_vfs_main_methods || file->pMethods == &sr_vfs_log_methods);
}

struct sr_result sr_vfs_failure(sqlite3 *connection)
{
	static const int files[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
	struct sr_result first = sr_ok();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		sqlite3_file *file = NULL;
		if (sqlite3_file_control(connection, "main", files[i], &file) == SQLITE_OK && is_ours(file)) {
			first = sr_first_error(first, sr_vfs_take_failure(sr_vfs_file_of(file)));
		}
	}
	return first;
}

int sr_vfs_close(sqlite3_file *native)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	sr_wipe(file->plain, file->vfs->page_len);
	sr_free(file->plain);
	sr_free(file->sealed);
	file->native.pMethods = NULL;
	return file->base->pMethods ? file->base->pMethods->xClose(file->base) : SQLITE_OK;
}

int sr_vfs_sector_size(sqlite3_file *native)
{
	(void)native;
	return 4096;
}

/* A page is sealed and written as one piece and no other piece is touched: SQLite must not split or pad writes. */
int sr_vfs_device_characteristics(sqlite3_file *native)
{
	(void)native;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static struct sr_vfs *vfs_of(sqlite3_vfs *native)
{
	return native->pAppData;
}

/* A sealed database has a main file and a log. Journals and temporary files would be in clear: they are refused. */
static const sqlite3_io_methods *methods_for(const struct sr_vfs *vfs, const char *name, int flags)
{
	if ((flags & SQLITE_OPEN_MAIN_DB) && name && strcmp(name, vfs->path) == 0) {
		return &sr_vfs_main_methods;
	}
	if ((flags & SQLITE_OPEN_WAL) && name && strcmp(name, vfs->log_path) == 0) {
		return &sr_vfs_log_methods;
	}
	return NULL;
}

static int vfs_open(sqlite3_vfs *native, const char *name, sqlite3_file *native_file, int flags, int *ret_flags)
{
	struct sr_vfs *vfs = vfs_of(native);
	struct sr_vfs_file *file = sr_vfs_file_of(native_file);
	memset(file, 0, sizeof *file);
	const sqlite3_io_methods *methods = methods_for(vfs, name, flags);
	if (!methods) {
		return SQLITE_CANTOPEN;
	}
	file->vfs = vfs;
	file->base = (sqlite3_file *)(file + 1);
	int outcome = vfs->base->xOpen(vfs->base, name, file->base, flags, ret_flags);
	if (outcome != SQLITE_OK) {
		return outcome;
	}
	file->plain = sr_try_alloc(vfs->page_len);
	file->sealed = sr_try_alloc(vfs->page_len + FRAME_MARGIN);
	if (!file->plain || !file->sealed) {
		sr_free(file->plain);
		sr_free(file->sealed);
		(void)file->base->pMethods->xClose(file->base);
		return SQLITE_NOMEM;
	}
	file->native.pMethods = methods;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *native, const char *name, int sync_folder)
{
	struct sr_vfs *vfs = vfs_of(native);
	if (strcmp(name, vfs->log_path) != 0) {
		return SQLITE_IOERR_DELETE;
	}
	return vfs->base->xDelete(vfs->base, name, sync_folder);
}

/* SQLite asks for a rollback journal beside the file: there is none of ours, and one that somebody put there is not
 * taken. */
static int vfs_access(sqlite3_vfs *native, const char *name, int flags, int *ret_answer)
{
	struct sr_vfs *vfs = vfs_of(native);
	if (strcmp(name, vfs->path) != 0 && strcmp(name, vfs->log_path) != 0) {
		*ret_answer = 0;
		return SQLITE_OK;
	}
	return vfs->base->xAccess(vfs->base, name, flags, ret_answer);
}

static int vfs_full_pathname(sqlite3_vfs *native, const char *name, int len, char *ret_name)
{
	(void)native;
	return snprintf(ret_name, (size_t)len, "%s", name) < len ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *native, int len, char *to)
{
	struct sr_vfs *vfs = vfs_of(native);
	return vfs->base->xRandomness(vfs->base, len, to);
}

static int vfs_sleep(sqlite3_vfs *native, int microseconds)
{
	struct sr_vfs *vfs = vfs_of(native);
	return vfs->base->xSleep(vfs->base, microseconds);
}

static int vfs_current_time(sqlite3_vfs *native, double *ret_days)
{
	struct sr_vfs *vfs = vfs_of(native);
	return vfs->base->xCurrentTime(vfs->base, ret_days);
}

static int vfs_current_time_ms(sqlite3_vfs *native, sqlite3_int64 *ret_ms)
{
	struct sr_vfs *vfs = vfs_of(native);
	return vfs->base->xCurrentTimeInt64(vfs->base, ret_ms);
}

static int vfs_last_error(sqlite3_vfs *native, int len, char *to)
{
	struct sr_vfs *vfs = vfs_of(native);
	return vfs->base->xGetLastError(vfs->base, len, to);
}

static void fill_native(struct sr_vfs *vfs)
{
	vfs->native = (sqlite3_vfs){
	    .iVersion = 2,
	    .szOsFile = (int)sizeof(struct sr_vfs_file) + vfs->base->szOsFile,
	    .mxPathname = vfs->base->mxPathname,
	    .zName = vfs->name,
	    .pAppData = vfs,
	    .xOpen = vfs_open,
	    .xDelete = vfs_delete,
	    .xAccess = vfs_access,
	    .xFullPathname = vfs_full_pathname,
	    .xRandomness = vfs_randomness,
	    .xSleep = vfs_sleep,
	    .xCurrentTime = vfs_current_time,
	    .xGetLastError = vfs_last_error,
	    .xCurrentTimeInt64 = vfs_current_time_ms,
	};
}

struct sr_result sr_vfs_new(const struct sr_vfs_options *options, const struct sr_secret *dek, struct sr_vfs **ret_vfs)
{
	if (sqlite3_initialize() != SQLITE_OK) {
		return sr_fail(SR_INTERNAL, "start SQLite");
	}
	sqlite3_vfs *base = sqlite3_vfs_find(options->base);
	if (!base) {
		return sr_fail(SR_INVALID, "no SQLite VFS is called %s", options->base ? options->base : "(default)");
	}
	SR_CLEANUP(sr_vfs) struct sr_vfs *vfs = sr_alloc(sizeof *vfs);
	sr_mutex_init(&vfs->mutex, SR_RANK_VFS);
	vfs->base = base;
	vfs->page_len = options->page_len;
	vfs->path = sr_strdup(options->path);
	vfs->log_path = sr_strdupf("%s-wal", options->path);
	struct sr_id unique = sr_id_random();
	char text[SR_ID_TEXT_LEN];
	sr_id_text(&unique, text);
	snprintf(vfs->name, sizeof vfs->name, "sealed-%s", text);
	fill_native(vfs);
	SR_TRY(sr_page_seal_init(&vfs->seal, options->id, dek));
	if (sqlite3_vfs_register(&vfs->native, 0) != SQLITE_OK) {
		return sr_fail(SR_INTERNAL, "register the sealing VFS");
	}
	*ret_vfs = SR_TAKE(vfs);
	return sr_ok();
}

void sr_vfs_free(struct sr_vfs *vfs)
{
	if (!vfs) {
		return;
	}
	(void)sqlite3_vfs_unregister(&vfs->native);
	sr_page_seal_clear(&vfs->seal);
	sr_mutex_destroy(&vfs->mutex);
	sr_free(vfs->path);
	sr_free(vfs->log_path);
	sr_free(vfs);
}

void sr_vfs_cleanup(struct sr_vfs **vfs)
{
	sr_vfs_free(*vfs);
	*vfs = NULL;
}

const char *sr_vfs_name(const struct sr_vfs *vfs)
{
	return vfs->name;
}

/* The name of a file opened through sqlite3_create_filename, which xOpen needs, lives in front of our own file. */
struct own_file {
	const char *name;
	struct sr_vfs_file file; /* last: the base VFS's file is behind it */
};

static struct own_file *own_of(struct sr_vfs_file *file)
{
	return (struct own_file *)(void *)((char *)file - offsetof(struct own_file, file));
}

struct sr_result sr_vfs_open_own(struct sr_vfs *vfs, int kind, struct sr_vfs_file **ret_file)
{
	struct own_file *own = sr_alloc(sizeof *own + (size_t)vfs->base->szOsFile);
	own->name = sqlite3_create_filename(vfs->path, "", vfs->log_path, 0, NULL);
	const char *name = kind == SQLITE_OPEN_WAL ? sqlite3_filename_wal(own->name) : own->name;
	int flags;
	int outcome = vfs_open(&vfs->native, kind == SQLITE_OPEN_WAL ? name : own->name, &own->file.native,
	                       SQLITE_OPEN_READWRITE | kind, &flags);
	if (outcome != SQLITE_OK) {
		sqlite3_free_filename(own->name);
		sr_free(own);
		return sr_fail(SR_IO, "open a file of the database: %s", sqlite3_errstr(outcome));
	}
	*ret_file = &own->file;
	return sr_ok();
}

static void close_own(struct sr_vfs_file *file)
{
	struct own_file *own = own_of(file);
	(void)sr_vfs_close(&file->native);
	sqlite3_free_filename(own->name);
	sr_free(own);
}

void sr_vfs_own_file_cleanup(struct sr_vfs_file **file)
{
	if (*file) {
		close_own(*file);
	}
	*file = NULL;
}
