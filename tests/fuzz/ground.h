/*
 * Ground for targets that read sealed files: a folder of their own, and damage that the input prescribes. Changing a
 * valid file is what reaches behind its first check, which no made-up bytes pass.
 */
#ifndef SR_TEST_FUZZ_GROUND_H
#define SR_TEST_FUZZ_GROUND_H

#include "base/bytes.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char ground_folder[256];

static inline void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static inline void require_ok(struct sr_result result)
{
	if (!sr_is_ok(result)) {
		fprintf(stderr, "%s\n", sr_result_message(result));
		abort();
	}
}

/* Damage is told as damage, and never as anything else. */
static inline void require_damage(struct sr_result result)
{
	enum sr_code code = sr_result_code(result);
	if (code != SR_CORRUPT && code != SR_WRONG_KEY) {
		fprintf(stderr, "code %d: %s\n", (int)code, sr_result_message(result));
		abort();
	}
	sr_result_free(result);
}

static inline int ground_remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline void ground_remove(void)
{
	nftw(ground_folder, ground_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* In memory where there is such a place: files are synced at every turn. */
static inline void ground_make(void)
{
	const char *under = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(ground_folder, sizeof ground_folder, "%s/strongroom-fuzz-XXXXXX", under);
	require(mkdtemp(ground_folder) != NULL);
	atexit(ground_remove);
}

static inline void ground_write(const char *path, struct sr_bytes bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
	close(fd);
}

/* The whole file; the caller owns the buffer. */
static inline struct sr_buf ground_read(const char *path)
{
	struct sr_buf bytes = SR_BUF(16 << 20);
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	require(fd >= 0 && fstat(fd, &status) == 0);
	uint8_t *space = sr_buf_extend(&bytes, (size_t)status.st_size);
	require(status.st_size == 0 || (space && read(fd, space, (size_t)status.st_size) == status.st_size));
	close(fd);
	return bytes;
}

/*
 * One step of damage from the input's front: flips bits, overwrites a run by another part, cuts off, or adds. Gives
 * false where the input is used up.
 */
static inline bool damage(struct sr_buf *file, struct sr_reader *steps)
{
	uint8_t kind = sr_reader_u8(steps);
	uint32_t at = sr_reader_u32(steps);
	uint8_t value = sr_reader_u8(steps);
	if (steps->failed) {
		return false;
	}
	size_t place = file->len ? at % file->len : 0;
	if (kind % 4 == 0 && file->len) {
		file->data[place] ^= value;
	} else if (kind % 4 == 1 && file->len) {
		size_t from = (place + (size_t)value * 256) % file->len;
		size_t room = file->len - (from > place ? from : place);
		memmove(file->data + place, file->data + from, room < 64 ? room : 64);
	} else if (kind % 4 == 2) {
		file->len = place;
	} else {
		sr_buf_append(file, sr_bytes_of(&value, 1));
	}
	return true;
}

#endif
