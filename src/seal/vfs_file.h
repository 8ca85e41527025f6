/*
 * What the parts of the sealing VFS share: the state of one database, and one open file of it.
 * Layout on disk: main file = prefix ‖ pages; log = sealed header ‖ frames, each a sealed frame header and a sealed
 * page.
 */
#ifndef SR_SEAL_VFS_FILE_H
#define SR_SEAL_VFS_FILE_H

#include "seal/vfs.h"

#include "base/thread.h"

enum {
	SR_VFS_PREFIX_LEN = 4096, /* before page 1: the file header (seal/database_file.h), so that pages stay aligned */
	SR_VFS_SHM_LOCKS = SQLITE_SHM_NLOCK,
	SR_VFS_FAILURE_LEN = 120
};

/* One database: shared by all its connections. */
struct sr_vfs {
	sqlite3_vfs native; /* first: SQLite knows us by it; its pAppData is this struct */
	sqlite3_vfs *base;
	char name[48];
	char *path;
	char *log_path;
	struct sr_page_seal seal;
	uint32_t page_len;
	/*
	 * The log's generation. Guarded by SQLite's own locks on the log: changed by the connection that restarts or
	 * recovers it, which excludes all others; they see it through `mutex`, by which they lock.
	 */
	uint8_t salt[SR_PAGE_SALT_LEN];
	/* For the connection that holds the log's write lock alone: the last commit frame written, and how many frames are
	 * known to be durable. */
	uint32_t committed_frame;
	uint32_t durable_frame;

	struct sr_mutex mutex; /* guards all below; rank SR_RANK_VFS */
	unsigned shared_count; /* connections that hold SHARED or more on the main file */
	const void *reserved;  /* the one that holds RESERVED or more, or NULL */
	const void *exclusive; /* the one that holds EXCLUSIVE, or NULL */
	struct {
		unsigned shared_count;
		bool exclusive;
	} shm_locks[SR_VFS_SHM_LOCKS];
	void **regions; /* of the log's index */
	int region_count;
	int region_len;
	unsigned index_users;
};

/* One open file. SQLite allocates it (szOsFile) with room for the base VFS's file behind it. */
struct sr_vfs_file {
	sqlite3_file native; /* first */
	struct sr_vfs *vfs;
	sqlite3_file *base;
	uint8_t *sealed;     /* scratch: a frame as it rests */
	uint8_t *plain;      /* scratch: a page in clear; wiped as the file closes */
	int lock_level;      /* main file: SQLITE_LOCK_… */
	uint16_t shm_shared; /* main file: locks on the log's index that this connection holds */
	uint16_t shm_exclusive;
	bool has_index;
	uint32_t header_frame; /* log: the frame whose header was written last through this file, 0 if none */
	uint32_t header_page;  /* log: and the page that it named */
	enum sr_code failure;  /* SR_OK: none since it was asked */
	char failure_text[SR_VFS_FAILURE_LEN];
};

extern const sqlite3_io_methods sr_vfs_main_methods;
extern const sqlite3_io_methods sr_vfs_log_methods;

static inline struct sr_vfs_file *sr_vfs_file_of(sqlite3_file *file)
{
	return (struct sr_vfs_file *)file;
}

/* Notes what failed for sr_vfs_failure and gives SQLite's code for it. The first failure since it was asked stays. */
int sr_vfs_fail(struct sr_vfs_file *file, enum sr_code code, const char *format, ...) SR_PRINTF(3, 4);
/* The same for an error of ours, which ends here; "what" is put before its text. */
int sr_vfs_fail_result(struct sr_vfs_file *file, struct sr_result result);
/* Passes on the base VFS's code and notes it where it is an error. */
int sr_vfs_base_outcome(struct sr_vfs_file *file, int outcome, const char *doing);

/* Opens one file of the database for a check of ours; the caller closes it. */
SR_MUST struct sr_result sr_vfs_open_own(struct sr_vfs *vfs, int kind, struct sr_vfs_file **ret_file);
void sr_vfs_own_file_cleanup(struct sr_vfs_file **file);
/* Takes a file's noted failure as an error, or gives success. */
SR_MUST struct sr_result sr_vfs_take_failure(struct sr_vfs_file *file);

/* Methods that both kinds of file share. */
int sr_vfs_close(sqlite3_file *native);
int sr_vfs_sector_size(sqlite3_file *native);
int sr_vfs_device_characteristics(sqlite3_file *native);

/* vfs_index.c: the main file's locks and the log's index in the heap. */
int sr_vfs_lock(sqlite3_file *native, int level);
int sr_vfs_unlock(sqlite3_file *native, int level);
int sr_vfs_check_reserved(sqlite3_file *native, int *ret_is_reserved);
int sr_vfs_shm_map(sqlite3_file *native, int region, int region_len, int extend, void volatile **ret_region);
int sr_vfs_shm_lock(sqlite3_file *native, int first, int count, int flags);
void sr_vfs_shm_barrier(sqlite3_file *native);
int sr_vfs_shm_unmap(sqlite3_file *native, int remove);

#endif
