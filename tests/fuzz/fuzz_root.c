/* What people and disks give for a root key: printed shares, and the descriptors of every provider. A share that is
 * read is written as it was meant; a descriptor is described without harm, and opens nothing. */
#include "ground.h"

#include "vault/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_share(struct sr_bytes text)
{
	struct sr_share share = {0}, again = {0};
	struct sr_result read = sr_share_read(text, &share);
	if (!sr_is_ok(read)) {
		require(sr_result_code(read) == SR_INVALID);
		sr_result_free(read);
		return;
	}
	struct sr_buf written = SR_BUF(SR_SHARE_TEXT_MAX);
	sr_share_write(&share, &written);
	require_ok(sr_share_read(sr_buf_bytes(&written), &again));
	require(share.number == again.number && share.threshold == again.threshold);
	require(sr_secret_equal(share.value, again.value));
	sr_buf_free(&written);
	sr_share_cleanup(&share);
	sr_share_cleanup(&again);
}

/* Providers that ask a device or spend time are described alone. */
static void try_descriptor(const struct sr_root_provider *provider, struct sr_bytes descriptor)
{
	static struct sr_config config;
	const struct sr_root_settings settings = {.config = &config};
	struct sr_buf text = SR_BUF(4096);
	const bool is_asked = provider->needs_person(&settings, descriptor);
	require(!is_asked || provider->pieces_needed(descriptor) > 0);
	provider->describe(descriptor, &text);
	sr_buf_free(&text);
	if (provider == &sr_root_shares) {
		struct sr_root_input nothing = {0};
		struct sr_secret *root = NULL;
		struct sr_result opened = provider->open(&settings, descriptor, &nothing, &root);
		require(sr_result_code(opened) == SR_CORRUPT || sr_result_code(opened) == SR_INVALID);
		sr_result_free(opened);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool is_ready;
	if (!is_ready) {
		require_ok(sr_seal_init());
		is_ready = true;
	}
	read_share(sr_bytes_of(data, len));
	for (size_t i = 0; sr_root_provider_at(i); i++) {
		try_descriptor(sr_root_provider_at(i), sr_bytes_of(data, len));
	}
	return 0;
}
