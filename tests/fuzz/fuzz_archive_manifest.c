/* A backup's manifest, which may have been written by anybody: it reads to its end, as files that a restore may make,
 * or is told to be damaged. What reads is written again to the same digest. */
#include "ground.h"

#include "seal/archive_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PATH_LEN_MAX = 512 };

static char path[sizeof ground_folder + 20], copy_path[sizeof ground_folder + 20];

static void check_file(const struct sr_manifest_file *file)
{
	require(file->path[0] && file->path[0] != '/' && !strstr(file->path, ".."));
	require((file->mode & ~0777U) == 0);
}

/* SR_CORRUPT ends it. */
static struct sr_result copy_blocks(struct sr_manifest_reader *reader, struct sr_manifest_writer *writer)
{
	for (bool is_block = true; is_block;) {
		char name[SR_BLOCK_NAME_LEN];
		SR_TRY(sr_manifest_next_block(reader, &is_block, name));
		if (is_block) {
			require(strlen(name) == SR_BLOCK_NAME_LEN - 1);
			require_ok(sr_manifest_put_block(writer, name));
		}
	}
	return sr_ok();
}

static struct sr_result copy_all(struct sr_manifest_reader *reader, struct sr_manifest_writer *writer)
{
	struct sr_manifest_file file;
	for (bool is_file = true; is_file;) {
		SR_TRY(sr_manifest_next_file(reader, &is_file, &file));
		if (is_file) {
			check_file(&file);
			require_ok(sr_manifest_put_file(writer, &file));
			SR_TRY(copy_blocks(reader, writer));
		}
	}
	return sr_ok();
}

static void read_manifest(void)
{
	SR_CLEANUP(sr_manifest_reader) struct sr_manifest_reader reader = {0};
	struct sr_result result = sr_manifest_open(path, &reader);
	if (!sr_is_ok(result)) {
		require_damage(result);
		return;
	}
	struct sr_manifest_writer writer = {0};
	uint8_t digest[32], again[32];
	unlink(copy_path);
	require_ok(sr_manifest_begin(copy_path, reader.time_s, &writer));
	result = copy_all(&reader, &writer);
	if (sr_is_ok(result)) {
		require(reader.has_ended);
		sr_manifest_digest(&reader, digest);
		require_ok(sr_manifest_end(&writer, again));
		/* Zeros before a number are read and not written. */
		struct stat one, other;
		require(stat(path, &one) == 0 && stat(copy_path, &other) == 0);
		require(one.st_size != other.st_size || memcmp(digest, again, sizeof digest) == 0);
	} else {
		require_damage(result);
	}
	sr_manifest_writer_free(&writer);
}

/* The first half against the second. */
static void compare(const uint8_t *data, size_t len)
{
	char a[PATH_LEN_MAX] = "", b[PATH_LEN_MAX] = "";
	const size_t half = len / 2 < sizeof a - 1 ? len / 2 : sizeof a - 1;
	memcpy(a, data, half);
	memcpy(b, data + half, half);
	const int one = sr_manifest_compare(a, b), other = sr_manifest_compare(b, a);
	require((one < 0) == (other > 0) && (one == 0) == (strcmp(a, b) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!path[0]) {
		ground_make();
		require_ok(sr_seal_init());
		snprintf(path, sizeof path, "%s/manifest", ground_folder);
		snprintf(copy_path, sizeof copy_path, "%s/copy", ground_folder);
	}
	ground_write(path, sr_bytes_of(data, len));
	read_manifest();
	compare(data, len);
	return 0;
}
