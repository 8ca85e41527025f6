/* Configuration files: what is taken passes to a child process and comes back the same. */
#include "ground.h"

#include "host/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char path[sizeof ground_folder + 24];

static void check_exported(const struct sr_config *config)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(65536);
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(65536);
	static struct sr_config copy;
	sr_config_export(config, &text);
	require_ok(sr_buf_result(&text));
	require_ok(sr_config_import(sr_buf_bytes(&text), &copy));
	sr_config_export(&copy, &again);
	require(sr_equal_public(sr_buf_bytes(&text), sr_buf_bytes(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sr_config config;
	if (!*path) {
		ground_make();
		snprintf(path, sizeof path, "%s/strongroom.conf", ground_folder);
	}
	SR_CLEANUP(sr_result) struct sr_result imported = sr_config_import(sr_bytes_of(data, len), &config);
	ground_write(path, sr_bytes_of(data, len));
	sr_config_defaults(&config);
	SR_CLEANUP(sr_result) struct sr_result read = sr_config_read_file(&config, path);
	if (!sr_is_ok(read)) {
		require(*sr_result_message(read));
		return 0;
	}
	SR_CLEANUP(sr_result) struct sr_result finished = sr_config_finish(&config);
	if (sr_is_ok(finished)) {
		require(config.blob_port >= 1 && config.blob_port <= 65535 && config.lease_ttl_ms >= 200);
		check_exported(&config);
	}
	return 0;
}
