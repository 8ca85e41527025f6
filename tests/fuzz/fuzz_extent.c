/*
 * Sealed extents: whatever lies in the file, reading gives the bytes that were written or says damage. The input is
 * a file of an extent whose id and key are known (first byte even), or damage to one of two chunks.
 */
#include "ground.h"

#include "base/memory.h"
#include "seal/extent_format.h"

enum { PLAIN_LEN = SR_EXTENT_CHUNK_LEN + 1000, SMALL_LEN = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct sr_extent_store *store;
static struct sr_extent_key *key;
static struct sr_id id;
static uint8_t plain[PLAIN_LEN];
static struct sr_buf whole; /* the file of `plain` */
static char path[sizeof ground_folder + 100];

static void make_extent(const struct sr_secret *dek)
{
	SR_CLEANUP(sr_extent_writer) struct sr_extent_writer *writer = NULL;
	uint64_t written;
	for (size_t i = 0; i < sizeof plain; i++) {
		plain[i] = (uint8_t)(i * 31 + i / 251);
	}
	require_ok(sr_extent_writer_known(store, &id, dek, &writer));
	require_ok(sr_extent_writer_write(writer, sr_bytes_of(plain, sizeof plain)));
	require_ok(sr_extent_writer_commit(writer, &written));
	require(written == sizeof plain);
}

static void set_up(void)
{
	static const uint8_t dek_bytes[SR_KEY_LEN] = "fuzz: the extents' well-known DE";
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	ground_make();
	require_ok(sr_seal_init());
	memset(id.bytes, 7, sizeof id.bytes);
	require_ok(sr_secret_from_bytes(sr_bytes_of(dek_bytes, sizeof dek_bytes), &dek));
	char text[SR_ID_TEXT_LEN];
	sr_id_text(&id, text);
	snprintf(path, sizeof path, "%s/extents", ground_folder);
	require_ok(sr_extent_store_open(path, &store));
	make_extent(dek);
	snprintf(path, sizeof path, "%s/extents/%.2s/%s", ground_folder, text, text);
	whole = ground_read(path);
	require_ok(sr_extent_key_new(&id, dek, &key));
}

/* Reads all there is; nothing but what was written may come. */
static void read_all(struct sr_extent_reader *reader, uint64_t plain_len)
{
	static uint8_t out[PLAIN_LEN];
	for (uint64_t at = 0; at < plain_len;) {
		size_t got = 0;
		struct sr_result read = sr_extent_reader_read(reader, at, out, sizeof out, &got);
		if (!sr_is_ok(read)) {
			require_damage(read);
			return;
		}
		require(got > 0 && at + got <= sizeof plain && memcmp(out, plain + at, got) == 0);
		at += got;
	}
}

static void try_file(struct sr_bytes file, uint64_t plain_len)
{
	ground_write(path, file);
	SR_CLEANUP(sr_extent_reader) struct sr_extent_reader *reader = NULL;
	struct sr_result opened = sr_extent_reader_new(store, &id, key, plain_len, &reader);
	if (!sr_is_ok(opened)) {
		require_damage(opened);
		return;
	}
	read_all(reader, plain_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!store) {
		set_up();
	}
	if (len == 0) {
		return 0;
	}
	if (data[0] % 2 == 0) {
		try_file(sr_bytes_of(data + 1, len - 1), SMALL_LEN);
		return 0;
	}
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(1 << 20);
	sr_buf_append(&file, sr_buf_bytes(&whole));
	struct sr_reader steps = sr_reader_of(sr_bytes_of(data + 1, len - 1));
	while (damage(&file, &steps)) {
	}
	try_file(sr_buf_bytes(&file), sizeof plain);
	return 0;
}
