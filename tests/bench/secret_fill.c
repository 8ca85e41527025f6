/* Fills the vault of a stopped installation through the vault's own store: seconds instead of minutes, and what lies on
 * the disk is what as many calls would have left. Names are scattered, so that neighbours in time are none by name.
 * usage: bench_secret_fill STATE COUNT */
#include "base/clock.h"
#include "vault/master.h"
#include "vault/root_key.h"
#include "vault/schema.h"
#include "vault/secret_store.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 5000 };

struct fill {
	struct sr_aead *records;
	uint64_t next, count;
};

/* The name of the number, as bench's scripts make it too: multiplication by an odd number is one to one. */
static void name_of(uint64_t number, char to[static 16])
{
	snprintf(to, 16, "s-%08x", (uint32_t)(number * 2654435761U));
}

static struct sr_result fill_work(struct sr_connection *connection, void *context)
{
	struct fill *fill = context;
	const uint64_t end = fill->next + BATCH < fill->count ? fill->next + BATCH : fill->count;
	for (; fill->next < end; fill->next++) {
		char name[16], version[SR_ID_TEXT_LEN];
		const struct sr_id id = sr_id_random();
		name_of(fill->next, name);
		sr_id_text(&id, version);
		const struct sr_secret_record secret = {.vault = "default",
		                                        .name = name,
		                                        .version = version,
		                                        .is_enabled = true,
		                                        .nbf = SR_NO_TIME,
		                                        .exp = SR_NO_TIME,
		                                        .created = sr_unix_s(),
		                                        .updated = sr_unix_s(),
		                                        .deleted_at = SR_NO_TIME,
		                                        .purge_at = SR_NO_TIME,
		                                        .value = SR_LITERAL("a secret of thirty-two characters")};
		SR_TRY(sr_vault_secret_insert(connection, fill->records, &secret));
	}
	return sr_ok();
}

static struct sr_result fill_database(struct sr_database *database, struct fill *fill)
{
	while (fill->next < fill->count) {
		SR_TRY(sr_database_write(database, fill_work, fill));
	}
	return sr_database_checkpoint(database);
}

static struct sr_result run(const char *state, uint64_t count)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	struct sr_vault_master master;
	SR_TRY(sr_seal_init());
	SR_TRY(sr_root_key_read(sr_arena_printf(arena, "%s/root/root.key", state), &root));
	SR_TRY(sr_vault_master_open(sr_arena_printf(arena, "%s/vault/master", state), root, false, &master));
	const struct sr_database_options options = {.path = sr_arena_printf(arena, "%s/vault/vault.db", state),
	                                            .id = master.database_id,
	                                            .schema = sr_vault_schema,
	                                            .upgrades = sr_vault_upgrades,
	                                            .cache_kib = 256 * 1024};
	struct sr_database *database = NULL;
	struct sr_result result = sr_database_open(&options, master.database_key, &database);
	if (sr_is_ok(result)) {
		struct fill fill = {.records = master.records, .count = count};
		result = fill_database(database, &fill);
	}
	sr_database_close(database);
	sr_vault_master_free(&master);
	return result;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: bench_secret_fill STATE COUNT\n", stderr);
		return 2;
	}
	SR_CLEANUP(sr_result) struct sr_result result = run(argv[1], strtoull(argv[2], NULL, 10));
	if (!sr_is_ok(result)) {
		fprintf(stderr, "bench_secret_fill: %s\n", sr_result_message(result));
	}
	return sr_is_ok(result) ? 0 : 1;
}
