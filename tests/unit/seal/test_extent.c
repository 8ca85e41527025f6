/*
 * Sealed extents: ranges, durability of names, and that no damage, cut, swap or foreign key lets a
 * byte of plaintext out. The format is read here once more, from its description alone.
 */
#include "vectors.h"

#include "seal/extent_format.h"
#include "seal/hmac.h"
#include "seal/secret_bytes.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

/* The store of all tests, in a folder of its own. */
struct fixture {
	char *folder;
	struct sr_extent_store *store;
};

/* One extent as a row refers to it. */
struct extent {
	struct sr_id id;
	struct sr_secret *dek;
	struct sr_extent_key *key;
	uint64_t len;
	uint8_t *plain;
};

static void extent_cleanup(struct extent *extent)
{
	sr_secret_free(extent->dek);
	sr_extent_key_free(extent->key);
	free(extent->plain);
}

static int set_up(void **state)
{
	if (init_seal(state) != 0) {
		return -1;
	}
	const char *root = getenv("TMPDIR");
	struct fixture *fixture = sr_alloc(sizeof *fixture);
	fixture->folder = sr_strdupf("%s/extent-XXXXXX", root ? root : "/tmp");
	if (!mkdtemp(fixture->folder)) {
		return -1;
	}
	char *path = sr_strdupf("%s/store", fixture->folder);
	expect_ok(sr_extent_store_open(path, &fixture->store));
	sr_free(path);
	*state = fixture;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	sr_extent_store_close(fixture->store);
	nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	sr_free(fixture->folder);
	sr_free(fixture);
	return 0;
}

static char *path_of(const struct fixture *fixture, const struct sr_id *id)
{
	char text[SR_ID_TEXT_LEN];
	sr_id_text(id, text);
	return sr_strdupf("%s/store/%.2s/%s", fixture->folder, text, text);
}

/* The file's bytes; the caller frees. */
static uint8_t *slurp(const struct fixture *fixture, const struct sr_id *id, size_t *ret_len)
{
	SR_CLEANUP(sr_string) char *path = path_of(fixture, id);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	*ret_len = (size_t)ftell(file);
	rewind(file);
	uint8_t *bytes = malloc(*ret_len);
	assert_int_equal(fread(bytes, 1, *ret_len, file), *ret_len);
	fclose(file);
	return bytes;
}

/* Not by truncating first: filesystems take that for a file being replaced, and flush it. */
static void spill(const struct fixture *fixture, const struct sr_id *id, const uint8_t *bytes, size_t len)
{
	SR_CLEANUP(sr_string) char *path = path_of(fixture, id);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	assert_int_equal(close(fd), 0);
}

/* Writes an extent of `len` random bytes in pieces of `piece_len`. */
static struct extent write_extent(const struct fixture *fixture, size_t len, size_t piece_len)
{
	struct extent extent = {.plain = malloc(len + 1)};
	sr_random(extent.plain, len);
	SR_CLEANUP(sr_extent_writer) struct sr_extent_writer *writer = NULL;
	expect_ok(sr_extent_writer_new(fixture->store, &extent.id, &extent.dek, &writer));
	for (size_t at = 0; at < len; at += piece_len) {
		size_t piece = len - at < piece_len ? len - at : piece_len;
		expect_ok(sr_extent_writer_write(writer, sr_bytes_of(extent.plain + at, piece)));
	}
	expect_ok(sr_extent_writer_commit(writer, &extent.len));
	assert_int_equal(extent.len, len);
	expect_ok(sr_extent_key_new(&extent.id, extent.dek, &extent.key));
	return extent;
}

/* Opens the extent and reads `len` bytes at `offset`; whatever was not given must not be in the buffer. */
static enum sr_code read_range(const struct fixture *fixture, const struct extent *extent, uint64_t offset, size_t len)
{
	SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *reader = NULL;
	struct sr_result result = sr_extent_reader_new(fixture->store, &extent->id, extent->key, extent->len, &reader);
	uint8_t *to = malloc(len + 1);
	memset(to, 0xEE, len + 1);
	size_t got = 0;
	if (sr_is_ok(result)) {
		result = sr_extent_reader_read(reader, offset, to, len, &got);
		if (sr_is_ok(result)) {
			assert_int_equal(got, len < extent->len - offset ? len : extent->len - offset);
			assert_memory_equal(to, extent->plain + offset, got);
		} else {
			assert_int_equal(got, 0);
			for (size_t i = 0; i < len; i++) {
				assert_true(to[i] == 0 || to[i] == 0xEE);
			}
		}
	}
	assert_int_equal(to[len], 0xEE);
	enum sr_code code = sr_result_code(result);
	sr_result_free(result);
	free(to);
	return code;
}

static enum sr_code read_all(const struct fixture *fixture, const struct extent *extent)
{
	return read_range(fixture, extent, 0, extent->len + 10);
}

enum { CHUNK = SR_EXTENT_CHUNK_LEN };

static void test_what_is_written_is_read_at_every_awkward_length(void **state)
{
	struct fixture *fixture = *state;
	static const size_t lens[] = {1,         2,         4096,          CHUNK - 1,     CHUNK,           CHUNK + 1,
	                              2 * CHUNK, 4 * CHUNK, 4 * CHUNK + 1, 5 * CHUNK - 1, 9 * CHUNK + 777, 70 * CHUNK + 5};
	static const size_t pieces[] = {1000, CHUNK, CHUNK + 1, 3 * CHUNK, SIZE_MAX / 2};
	enum { PIECE_COUNT = sizeof pieces / sizeof *pieces };
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		for (size_t j = i % 2; j < PIECE_COUNT; j += 2) { /* each commit waits for the disk: half of the pairs do */
			SR_CLEANUP(extent) struct extent extent = write_extent(fixture, lens[i], pieces[j]);
			assert_int_equal(read_all(fixture, &extent), SR_OK);
			expect_ok(sr_extent_remove(fixture->store, &extent.id));
		}
	}
}

static void test_an_empty_extent_is_checked_too(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 0, 1);
	SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *reader = NULL;
	expect_ok(sr_extent_reader_new(fixture->store, &extent.id, extent.key, 0, &reader));
	size_t got = 99;
	uint8_t byte;
	expect_ok(sr_extent_reader_read(reader, 0, &byte, 0, &got));
	assert_int_equal(got, 0);
	expect_code(sr_extent_reader_read(reader, 0, &byte, 1, &got), SR_RANGE);
	size_t len;
	uint8_t *file = slurp(fixture, &extent.id, &len);
	assert_int_equal(len, SR_EXTENT_HEADER_LEN + SR_GCM_TAG_LEN);
	for (size_t i = 0; i < len; i++) {
		file[i] ^= 4;
		spill(fixture, &extent.id, file, len);
		file[i] ^= 4;
		SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *none = NULL;
		struct sr_result result = sr_extent_reader_new(fixture->store, &extent.id, extent.key, 0, &none);
		assert_int_equal(sr_result_code(result), SR_CORRUPT);
		sr_result_free(result);
	}
	free(file);
}

static void test_ranges_are_what_was_written_there(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 5 * CHUNK + 123, 100000);
	SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *reader = NULL;
	expect_ok(sr_extent_reader_new(fixture->store, &extent.id, extent.key, extent.len, &reader));
	uint8_t *to = malloc(extent.len);
	for (int i = 0; i < 3000; i++) {
		uint64_t offset = sr_random_u64() % extent.len;
		size_t len = 1 + sr_random_u64() % (i % 2 ? extent.len : 200);
		if (i % 5 == 0) {
			offset -= offset % CHUNK;
		}
		size_t got;
		expect_ok(sr_extent_reader_read(reader, offset, to, len, &got));
		assert_int_equal(got, len < extent.len - offset ? len : extent.len - offset);
		assert_memory_equal(to, extent.plain + offset, got);
	}
	size_t got;
	expect_code(sr_extent_reader_read(reader, extent.len, to, 1, &got), SR_RANGE);
	expect_code(sr_extent_reader_read(reader, UINT64_MAX, to, 1, &got), SR_RANGE);
	free(to);
}

static void test_every_flipped_byte_is_detected_and_nothing_released(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 300, 300);
	size_t len;
	uint8_t *file = slurp(fixture, &extent.id, &len);
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit += 7) {
			file[i] ^= (uint8_t)(1 << bit);
			spill(fixture, &extent.id, file, len);
			assert_int_equal(read_all(fixture, &extent), SR_CORRUPT);
			file[i] ^= (uint8_t)(1 << bit);
		}
	}
	spill(fixture, &extent.id, file, len);
	assert_int_equal(read_all(fixture, &extent), SR_OK);
	free(file);
}

static void test_a_damaged_chunk_spares_the_others_and_is_named(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 4 * CHUNK, CHUNK);
	size_t len;
	uint8_t *file = slurp(fixture, &extent.id, &len);
	file[sr_extent_chunk_offset(2) + 5000] ^= 1;
	spill(fixture, &extent.id, file, len);
	free(file);
	assert_int_equal(read_range(fixture, &extent, 0, 2 * CHUNK), SR_OK);
	assert_int_equal(read_range(fixture, &extent, 3 * CHUNK, CHUNK), SR_OK);
	assert_int_equal(read_range(fixture, &extent, 2 * CHUNK + 60000, 10), SR_CORRUPT);
	assert_int_equal(read_all(fixture, &extent), SR_CORRUPT); /* chunks 0 and 1 are not released either */
	SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *reader = NULL;
	expect_ok(sr_extent_reader_new(fixture->store, &extent.id, extent.key, extent.len, &reader));
	uint8_t byte;
	size_t got;
	SR_CLEANUP(sr_result)
	struct sr_result result = sr_extent_reader_read(reader, 2 * CHUNK, &byte, 1, &got);
	assert_non_null(strstr(sr_result_message(result), "chunk 2"));
	/* A reader goes on after a failure, and does not take the damaged chunk for opened. */
	expect_code(sr_extent_reader_read(reader, 2 * CHUNK, &byte, 1, &got), SR_CORRUPT);
	expect_ok(sr_extent_reader_read(reader, 3 * CHUNK, &byte, 1, &got));
	assert_int_equal(byte, extent.plain[3 * CHUNK]);
}

static void test_a_cut_at_any_length_is_detected(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 300, 300);
	size_t len;
	uint8_t *file = slurp(fixture, &extent.id, &len);
	for (size_t cut = 0; cut < len; cut++) {
		spill(fixture, &extent.id, file, cut);
		assert_int_equal(read_all(fixture, &extent), SR_CORRUPT);
		/* Nor does a row that lies about the length help. */
		for (uint64_t lie = 0; lie < 300; lie += 37) {
			struct extent other = extent;
			other.len = lie;
			assert_int_equal(read_all(fixture, &other), SR_CORRUPT);
		}
	}
	file = realloc(file, len + 1);
	file[len] = 0;
	spill(fixture, &extent.id, file, len + 1);
	assert_int_equal(read_all(fixture, &extent), SR_CORRUPT);
	free(file);
}

static void test_a_cut_between_chunks_fails_by_the_last_mark_even_if_the_row_agrees(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 4 * CHUNK + 10, CHUNK);
	size_t len;
	uint8_t *file = slurp(fixture, &extent.id, &len);
	for (uint64_t chunks = 1; chunks <= 4; chunks++) {
		struct extent shorter = extent;
		shorter.len = chunks * CHUNK;
		spill(fixture, &extent.id, file, sr_extent_chunk_offset(chunks));
		assert_int_equal(read_all(fixture, &shorter), SR_CORRUPT);
		assert_int_equal(read_range(fixture, &shorter, (chunks - 1) * CHUNK, 1), SR_CORRUPT);
	}
	free(file);
}

static void test_swapped_and_repeated_chunks_are_detected(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 4 * CHUNK, CHUNK);
	size_t len;
	uint8_t *file = slurp(fixture, &extent.id, &len);
	for (uint64_t from = 0; from < 4; from++) {
		for (uint64_t to = 0; to < 4; to++) {
			uint8_t *changed = malloc(len);
			memcpy(changed, file, len);
			memcpy(changed + sr_extent_chunk_offset(to), file + sr_extent_chunk_offset(from),
			       SR_EXTENT_SEALED_CHUNK_LEN);
			spill(fixture, &extent.id, changed, len);
			assert_int_equal(read_range(fixture, &extent, to * CHUNK, CHUNK), from == to ? SR_OK : SR_CORRUPT);
			free(changed);
		}
	}
	free(file);
}

static void test_swapped_extents_are_detected(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent a = write_extent(fixture, 1000, 1000);
	SR_CLEANUP(extent) struct extent b = write_extent(fixture, 1000, 1000);
	size_t len;
	uint8_t *file_a = slurp(fixture, &a.id, &len);
	uint8_t *file_b = slurp(fixture, &b.id, &len);
	spill(fixture, &a.id, file_b, len);
	assert_int_equal(read_all(fixture, &a), SR_CORRUPT);
	/* With a forged header the other's chunk still does not open. */
	memcpy(file_b, file_a, SR_EXTENT_HEADER_LEN);
	spill(fixture, &a.id, file_b, len);
	assert_int_equal(read_all(fixture, &a), SR_CORRUPT);
	free(file_a);
	free(file_b);
}

static void test_a_wrong_key_is_told_from_damage(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 1000, 1000);
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_CLEANUP(sr_extent_key) struct sr_extent_key *key = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &dek));
	expect_ok(sr_extent_key_new(&extent.id, dek, &key));
	struct extent under_other = extent;
	under_other.key = key;
	assert_int_equal(read_all(fixture, &under_other), SR_WRONG_KEY);
}

/*
 * GCM alone does not commit to its key: a chunk can be made that opens under two. Here a chunk is sealed by
 * another key altogether and its right header put before it; the header names one key, and the chunk another.
 */
static void test_an_extent_opens_under_the_committed_key_alone(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 1000, 1000);
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_CLEANUP(sr_extent_key) struct sr_extent_key *key = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &dek));
	expect_ok(sr_extent_key_new(&extent.id, dek, &key));
	size_t len;
	uint8_t *file = slurp(fixture, &extent.id, &len);
	memcpy(file + SR_EXTENT_BOUND_LEN, key->header + SR_EXTENT_BOUND_LEN, SR_SHA256_LEN);
	spill(fixture, &extent.id, file, len);
	free(file);
	assert_int_equal(read_all(fixture, &extent), SR_CORRUPT);
	struct extent under_other = extent;
	under_other.key = key;
	assert_int_equal(read_all(fixture, &under_other), SR_CORRUPT);
}

static void test_a_missing_extent_is_an_alarm(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent extent = write_extent(fixture, 10, 10);
	expect_ok(sr_extent_remove(fixture->store, &extent.id));
	expect_ok(sr_extent_remove(fixture->store, &extent.id));
	assert_int_equal(read_all(fixture, &extent), SR_CORRUPT);
}

static struct sr_result count_extent(const struct sr_id *id, int64_t modified_s, void *context)
{
	(void)id;
	assert_true(modified_s <= sr_unix_s() && modified_s > sr_unix_s() - 600);
	++*(int *)context;
	return sr_ok();
}

static struct sr_result stop_walk(const struct sr_id *id, int64_t modified_s, void *context)
{
	(void)id;
	(void)modified_s;
	(void)context;
	return sr_fail(SR_CONFLICT, "enough");
}

static void test_only_committed_extents_are_in_the_store(void **state)
{
	struct fixture *fixture = *state;
	int before = 0;
	int count = 0;
	struct sr_id id;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	struct sr_extent_writer *writer;
	expect_ok(sr_extent_each(fixture->store, count_extent, &before));
	SR_CLEANUP(extent) struct extent a = write_extent(fixture, 10, 10);
	SR_CLEANUP(extent) struct extent b = write_extent(fixture, 10, 10);
	expect_ok(sr_extent_writer_new(fixture->store, &id, &dek, &writer));
	expect_ok(sr_extent_writer_write(writer, SR_LITERAL("never committed")));
	expect_ok(sr_extent_each(fixture->store, count_extent, &count));
	assert_int_equal(count, before + 2);
	expect_code(sr_extent_each(fixture->store, stop_walk, NULL), SR_CONFLICT);
	SR_CLEANUP(sr_string) char *temporary = sr_strdupf("%s/store/temporary", fixture->folder);
	sr_extent_writer_free(writer);
	assert_int_equal(rmdir(temporary), 0); /* it was empty */
	assert_int_equal(mkdir(temporary, 0700), 0);
}

static void test_a_sweep_removes_what_a_crash_left(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(extent) struct extent kept = write_extent(fixture, 10, 10);
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/store/temporary/0123456789abcdef", fixture->folder);
	FILE *file = fopen(path, "wb");
	fclose(file);
	expect_ok(sr_extent_sweep_temporary(fixture->store));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(read_all(fixture, &kept), SR_OK);
}

static void test_a_writer_ends_with_its_first_failure(void **state)
{
	struct fixture *fixture = *state;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_CLEANUP(sr_extent_writer) struct sr_extent_writer *writer = NULL;
	struct sr_id id;
	uint64_t len;
	assert_true(sr_extent_has_room(sr_extent_len_max - 1, 1));
	assert_false(sr_extent_has_room(sr_extent_len_max, 1));
	assert_false(sr_extent_has_room(1, UINT64_MAX));
	expect_ok(sr_extent_writer_new(fixture->store, &id, &dek, &writer));
	static uint8_t byte;
	expect_code(sr_extent_writer_write(writer, sr_bytes_of(&byte, sr_extent_len_max + 1)), SR_TOO_LARGE);
	expect_code(sr_extent_writer_write(writer, SR_LITERAL("more")), SR_INTERNAL);
	expect_code(sr_extent_writer_commit(writer, &len), SR_INTERNAL);
}

static void test_nonces_of_chunks_differ_in_index_and_mark(void **state)
{
	(void)state;
	static const uint64_t indices[] = {0, 1, 2, 255, 256, 65535, 65536, 1ULL << 24, (1ULL << 32) - 1};
	enum { COUNT = sizeof indices / sizeof *indices };
	uint8_t nonces[2 * COUNT][SR_GCM_NONCE_LEN];
	for (int i = 0; i < 2 * COUNT; i++) {
		sr_extent_nonce(indices[i / 2], i % 2, nonces[i]);
		for (int j = 0; j < i; j++) {
			assert_memory_not_equal(nonces[i], nonces[j], SR_GCM_NONCE_LEN);
		}
	}
}

/* Known answers, made once by another implementation of the format; each must open for ever. */
static void open_known(struct fixture *fixture, const json_t *known)
{
	SR_CLEANUP(hex) struct hex id = hex_of(known, "id");
	SR_CLEANUP(hex) struct hex dek_bytes = hex_of(known, "dek");
	SR_CLEANUP(hex) struct hex expected = hex_of(known, "file_sha256");
	SR_CLEANUP(extent) struct extent extent = {.len = (uint64_t)number_of(known, "plaintext_len")};
	memcpy(extent.id.bytes, id.data, SR_ID_LEN);
	expect_ok(sr_secret_from_bytes(hex_bytes(&dek_bytes), &extent.dek));
	expect_ok(sr_extent_key_new(&extent.id, extent.dek, &extent.key));
	extent.plain = malloc(extent.len + 1);
	for (size_t i = 0; i < extent.len; i++) {
		extent.plain[i] = (uint8_t)(i * 7 + i / 251);
	}
	if (json_object_get(known, "file")) {
		SR_CLEANUP(hex) struct hex file = hex_of(known, "file");
		spill(fixture, &extent.id, file.data, file.len);
	} else { /* too long to keep: the writer must make the very same one */
		SR_CLEANUP(sr_extent_writer) struct sr_extent_writer *writer = NULL;
		uint64_t len;
		expect_ok(sr_extent_writer_known(fixture->store, &extent.id, extent.dek, &writer));
		expect_ok(sr_extent_writer_write(writer, sr_bytes_of(extent.plain, extent.len)));
		expect_ok(sr_extent_writer_commit(writer, &len));
	}
	size_t file_len;
	uint8_t digest[SR_DIGEST_MAX];
	uint8_t *file = slurp(fixture, &extent.id, &file_len);
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(file, file_len), digest);
	assert_memory_equal(digest, expected.data, SR_SHA256_LEN);
	free(file);
	assert_int_equal(read_all(fixture, &extent), extent.len ? SR_OK : SR_RANGE);
}

static void test_known_extents_open(void **state)
{
	json_t *all = load_known("extent_v1.json");
	size_t index;
	json_t *known;
	json_array_foreach(json_object_get(all, "extents"), index, known)
	{
		open_known(*state, known);
	}
	assert_true(index >= 5);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_written_is_read_at_every_awkward_length),
	    cmocka_unit_test(test_an_empty_extent_is_checked_too),
	    cmocka_unit_test(test_ranges_are_what_was_written_there),
	    cmocka_unit_test(test_every_flipped_byte_is_detected_and_nothing_released),
	    cmocka_unit_test(test_a_damaged_chunk_spares_the_others_and_is_named),
	    cmocka_unit_test(test_a_cut_at_any_length_is_detected),
	    cmocka_unit_test(test_a_cut_between_chunks_fails_by_the_last_mark_even_if_the_row_agrees),
	    cmocka_unit_test(test_swapped_and_repeated_chunks_are_detected),
	    cmocka_unit_test(test_swapped_extents_are_detected),
	    cmocka_unit_test(test_a_wrong_key_is_told_from_damage),
	    cmocka_unit_test(test_an_extent_opens_under_the_committed_key_alone),
	    cmocka_unit_test(test_a_missing_extent_is_an_alarm),
	    cmocka_unit_test(test_only_committed_extents_are_in_the_store),
	    cmocka_unit_test(test_a_sweep_removes_what_a_crash_left),
	    cmocka_unit_test(test_a_writer_ends_with_its_first_failure),
	    cmocka_unit_test(test_nonces_of_chunks_differ_in_index_and_mark),
	    cmocka_unit_test(test_known_extents_open),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
