/* Root and master keys: made once, opened by the right root key alone, damage told. */
#include "rig.h"

#include "base/random.h"
#include "seal/file.h"
#include "vault/root_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig rig;

static char *path_of(const char *name)
{
	return sr_arena_printf(rig.arena, "%s/%s", rig.folder, name);
}

static void a_root_key_is_made_once_and_private(void **state)
{
	(void)state;
	struct stat status;
	assert_int_equal(stat(path_of("root.key"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	expect_code(sr_root_key_create(path_of("root.key")), SR_EXISTS);
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	expect_code(sr_root_key_read(path_of("none"), &key), SR_NOT_FOUND);
	expect_ok(sr_root_key_create(path_of("open.key")));
	assert_int_equal(chmod(path_of("open.key"), 0640), 0);
	expect_code(sr_root_key_read(path_of("open.key"), &key), SR_DENIED);
	const char *const bad[] = {"", "strongroom-root-key-v1 00\n", "strongroom-root-key-v2 ", "x"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect_ok(sr_file_write_durable(path_of("bad.key"), sr_bytes_str(bad[i])));
		expect_code(sr_root_key_read(path_of("bad.key"), &key), SR_INVALID);
	}
}

static void another_root_key_opens_nothing(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *other = NULL;
	expect_ok(sr_secret_random(SR_KEY_LEN, &other));
	struct sr_vault_master master;
	expect_code(sr_vault_master_open(path_of("master"), other, true, &master), SR_WRONG_KEY);
}

static void a_missing_master_file_is_not_made_anew_beside_a_database(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	expect_ok(sr_root_key_read(path_of("root.key"), &root));
	struct sr_vault_master master;
	expect_code(sr_vault_master_open(path_of("gone"), root, false, &master), SR_NOT_FOUND);
	assert_int_not_equal(access(path_of("gone"), F_OK), 0);
}

static void every_flipped_byte_of_the_master_file_is_refused(void **state)
{
	(void)state;
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	expect_ok(sr_root_key_read(path_of("root.key"), &root));
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(4096);
	expect_ok(sr_file_read(path_of("master"), 4096, &file));
	for (size_t i = 0; i < file.len; i++) {
		file.data[i] ^= 0x20;
		expect_ok(sr_file_write_durable(path_of("flipped"), sr_buf_bytes(&file)));
		file.data[i] ^= 0x20;
		struct sr_vault_master master;
		struct sr_result result = sr_vault_master_open(path_of("flipped"), root, false, &master);
		assert_true(sr_result_code(result) == SR_CORRUPT || sr_result_code(result) == SR_WRONG_KEY);
		sr_result_free(result);
	}
	struct sr_vault_master master;
	expect_ok(sr_file_write_durable(path_of("cut"), sr_bytes_of(file.data, file.len - 1)));
	expect_code(sr_vault_master_open(path_of("cut"), root, false, &master), SR_CORRUPT);
}

/* The bytes that a member of the vector tells in hex. */
static struct sr_bytes member(const json_t *vector, const char *name)
{
	const char *hex = json_string_value(json_object_get(vector, name));
	assert_non_null(hex);
	uint8_t *bytes = sr_arena_alloc(rig.arena, strlen(hex) / 2);
	expect_ok(sr_hex_decode(sr_bytes_str(hex), bytes, strlen(hex) / 2));
	return sr_bytes_of(bytes, strlen(hex) / 2);
}

/* tests/vectors/master_v2.json was computed by other code than ours. */
static void a_master_file_of_version_2_opens_for_ever(void **state)
{
	(void)state;
	const char *folder = getenv("SR_VECTORS");
	SR_CLEANUP(sr_json)
	json_t *vector =
	    json_load_file(sr_arena_printf(rig.arena, "%s/master_v2.json", folder ? folder : "tests/vectors"), 0, NULL);
	assert_non_null(vector);
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL, *database_key = NULL, *records_key = NULL;
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	expect_ok(sr_secret_from_bytes(member(vector, "root"), &root));
	expect_ok(sr_secret_from_bytes(member(vector, "database_key"), &database_key));
	expect_ok(sr_secret_from_bytes(member(vector, "records_key"), &records_key));
	expect_ok(sr_file_write_durable(path_of("version2"), member(vector, "file")));
	expect_ok(sr_vault_master_open(path_of("version2"), root, false, &master));
	assert_true(sr_equal_public(sr_id_bytes(&master.database_id), member(vector, "id")));
	assert_true(sr_secret_equal(master.database_key, database_key));
	assert_true(sr_secret_equal(master.records_key, records_key));
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	rig_open(&rig);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_root_key_is_made_once_and_private),
	    cmocka_unit_test(another_root_key_opens_nothing),
	    cmocka_unit_test(a_missing_master_file_is_not_made_anew_beside_a_database),
	    cmocka_unit_test(every_flipped_byte_of_the_master_file_is_refused),
	    cmocka_unit_test(a_master_file_of_version_2_opens_for_ever),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rig_end(&rig);
	return failed;
}
