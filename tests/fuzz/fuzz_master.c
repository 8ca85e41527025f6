/* The vault's master file under a known root key: it opens as what it says, or is told to be damaged. */
#include "ground.h"

#include "vault/master.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct sr_secret *root;
static char path[sizeof ground_folder + 20];

/* The outer hash of version 2 is made to fit, as somebody would who alters the file; what is inside must tell. */
static void write_whole(const uint8_t *data, size_t len)
{
	static uint8_t whole[65536];
	if (len < SR_SHA256_LEN || len > sizeof whole || data[9] != 2) {
		ground_write(path, sr_bytes_of(data, len));
		return;
	}
	uint8_t digest[SR_DIGEST_MAX];
	memcpy(whole, data, len);
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(whole, len - SR_SHA256_LEN), digest);
	memcpy(whole + len - SR_SHA256_LEN, digest, SR_SHA256_LEN);
	ground_write(path, sr_bytes_of(whole, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t root_bytes[SR_KEY_LEN] = "fuzz: the well-known root key...";
	if (!root) {
		ground_make();
		require_ok(sr_seal_init());
		require_ok(sr_secret_from_bytes(sr_bytes_of(root_bytes, sizeof root_bytes), &root));
		snprintf(path, sizeof path, "%s/master", ground_folder);
	}
	write_whole(data, len);
	struct sr_vault_master master = {0};
	struct sr_result opened = sr_vault_master_open(path, root, false, &master);
	if (!sr_is_ok(opened)) {
		if (sr_result_code(opened) == SR_TOO_LARGE) {
			sr_ignore(opened);
			return 0;
		}
		require_damage(opened);
		return 0;
	}
	require(memcmp(master.database_id.bytes, data + 16, SR_ID_LEN) == 0);
	require(sr_secret_len(master.database_key) == SR_KEY_LEN);
	sr_vault_master_free(&master);
	return 0;
}
