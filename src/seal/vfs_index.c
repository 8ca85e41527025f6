/*
 * Locks of a sealed database and the index of its log, in the process's heap: a database belongs to one
 * process at a time (seal/database_file.h holds it), so no lock here reaches the disk and no -shm file exists.
 */
#include "seal/vfs_file.h"

#include "base/memory.h"

#include <string.h>

int sr_vfs_lock(sqlite3_file *native, int level)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	struct sr_vfs *vfs = file->vfs;
	if (file->lock_level >= level) {
		return SQLITE_OK;
	}
	SR_LOCKED(&vfs->mutex);
	if ((vfs->exclusive && vfs->exclusive != file) ||
	    (level > SQLITE_LOCK_SHARED && vfs->reserved && vfs->reserved != file)) {
		return SQLITE_BUSY;
	}
	if (file->lock_level == SQLITE_LOCK_NONE) {
		vfs->shared_count++;
		file->lock_level = SQLITE_LOCK_SHARED;
	}
	if (level == SQLITE_LOCK_SHARED) {
		return SQLITE_OK;
	}
	vfs->reserved = file;
	file->lock_level = SQLITE_LOCK_RESERVED;
	if (level == SQLITE_LOCK_EXCLUSIVE) {
		if (vfs->shared_count > 1) {
			return SQLITE_BUSY;
		}
		vfs->exclusive = file;
	}
	file->lock_level = level;
	return SQLITE_OK;
}

int sr_vfs_unlock(sqlite3_file *native, int level)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	struct sr_vfs *vfs = file->vfs;
	if (file->lock_level <= level) {
		return SQLITE_OK;
	}
	SR_LOCKED(&vfs->mutex);
	if (vfs->exclusive == file) {
		vfs->exclusive = NULL;
	}
	if (vfs->reserved == file) {
		vfs->reserved = NULL;
	}
	if (level == SQLITE_LOCK_NONE) {
		vfs->shared_count--;
	}
	file->lock_level = level;
	return SQLITE_OK;
}

int sr_vfs_check_reserved(sqlite3_file *native, int *ret_is_reserved)
{
	struct sr_vfs *vfs = sr_vfs_file_of(native)->vfs;
	SR_LOCKED(&vfs->mutex);
	*ret_is_reserved = vfs->reserved != NULL;
	return SQLITE_OK;
}

/* Makes regions up to and including `region`, zeroed. */
static int extend_index(struct sr_vfs *vfs, int region, int region_len)
{
	void **regions = sr_try_realloc(vfs->regions, (size_t)(region + 1) * sizeof *regions);
	if (!regions) {
		return SQLITE_NOMEM;
	}
	vfs->regions = regions;
	vfs->region_len = region_len;
	while (vfs->region_count <= region) {
		void *bytes = sr_try_alloc((size_t)region_len);
		if (!bytes) {
			return SQLITE_NOMEM;
		}
		memset(bytes, 0, (size_t)region_len);
		vfs->regions[vfs->region_count++] = bytes;
	}
	return SQLITE_OK;
}

int sr_vfs_shm_map(sqlite3_file *native, int region, int region_len, int extend, void volatile **ret_region)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	struct sr_vfs *vfs = file->vfs;
	*ret_region = NULL;
	SR_LOCKED(&vfs->mutex);
	if (!file->has_index) {
		file->has_index = true;
		vfs->index_users++;
	}
	if (region >= vfs->region_count) {
		int outcome = extend ? extend_index(vfs, region, region_len) : SQLITE_OK;
		if (outcome != SQLITE_OK || !extend) {
			return outcome;
		}
	}
	*ret_region = vfs->regions[region];
	return SQLITE_OK;
}

static void release_shm(struct sr_vfs_file *file, uint16_t slots)
{
	for (int slot = 0; slot < SR_VFS_SHM_LOCKS; slot++) {
		uint16_t bit = (uint16_t)(1U << slot);
		if (slots & file->shm_shared & bit) {
			file->vfs->shm_locks[slot].shared_count--;
		}
		if (slots & file->shm_exclusive & bit) {
			file->vfs->shm_locks[slot].exclusive = false;
		}
	}
	file->shm_shared = (uint16_t)(file->shm_shared & ~slots);
	file->shm_exclusive = (uint16_t)(file->shm_exclusive & ~slots);
}

/* True if all slots can be had: a shared lock bears other shared ones, an exclusive one bears none. */
static bool shm_is_free(const struct sr_vfs_file *file, uint16_t slots, bool exclusive)
{
	for (int slot = 0; slot < SR_VFS_SHM_LOCKS; slot++) {
		uint16_t bit = (uint16_t)(1U << slot);
		if (!(slots & bit)) {
			continue;
		}
		unsigned own = file->shm_shared & bit ? 1 : 0;
		if ((file->vfs->shm_locks[slot].exclusive && !(file->shm_exclusive & bit)) ||
		    (exclusive && file->vfs->shm_locks[slot].shared_count > own)) {
			return false;
		}
	}
	return true;
}

static void take_shm(struct sr_vfs_file *file, uint16_t slots, bool exclusive)
{
	for (int slot = 0; slot < SR_VFS_SHM_LOCKS; slot++) {
		uint16_t bit = (uint16_t)(1U << slot);
		if ((slots & bit) && exclusive) {
			file->vfs->shm_locks[slot].exclusive = true;
		} else if ((slots & bit) && !(file->shm_shared & bit)) {
			file->vfs->shm_locks[slot].shared_count++;
		}
	}
	if (exclusive) {
		file->shm_exclusive = (uint16_t)(file->shm_exclusive | slots);
	} else {
		file->shm_shared = (uint16_t)(file->shm_shared | slots);
	}
}

int sr_vfs_shm_lock(sqlite3_file *native, int first, int count, int flags)
{
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	uint16_t slots = (uint16_t)(((1U << count) - 1U) << first);
	bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
	SR_LOCKED(&file->vfs->mutex);
	if (flags & SQLITE_SHM_UNLOCK) {
		release_shm(file, slots);
		return SQLITE_OK;
	}
	if (!shm_is_free(file, slots, exclusive)) {
		return SQLITE_BUSY;
	}
	take_shm(file, slots, exclusive);
	return SQLITE_OK;
}

/* SQLite publishes the index's header between two of these; the mutex makes the order hold for every reader. */
void sr_vfs_shm_barrier(sqlite3_file *native)
{
	struct sr_vfs *vfs = sr_vfs_file_of(native)->vfs;
	__sync_synchronize();
	SR_LOCKED(&vfs->mutex);
}

int sr_vfs_shm_unmap(sqlite3_file *native, int remove)
{
	(void)remove;
	struct sr_vfs_file *file = sr_vfs_file_of(native);
	struct sr_vfs *vfs = file->vfs;
	SR_LOCKED(&vfs->mutex);
	if (!file->has_index) {
		return SQLITE_OK;
	}
	release_shm(file, UINT16_MAX);
	file->has_index = false;
	if (--vfs->index_users > 0) {
		return SQLITE_OK;
	}
	for (int i = 0; i < vfs->region_count; i++) {
		sr_wipe(vfs->regions[i], (size_t)vfs->region_len);
		sr_free(vfs->regions[i]);
	}
	sr_free(vfs->regions);
	vfs->regions = NULL;
	vfs->region_count = 0;
	return SQLITE_OK;
}
