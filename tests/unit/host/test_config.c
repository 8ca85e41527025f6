/* Settings: each source, their order, and errors that name the setting and its line. */
#include "check.h"

#include "host/config.h"

#include <unistd.h>

static void fails_with(struct sr_result result, enum sr_code code, const char *text)
{
	assert_int_equal(sr_result_code(result), code);
	if (!strstr(sr_result_message(result), text)) {
		fail_msg("\"%s\" does not say \"%s\"", sr_result_message(result), text);
	}
	sr_result_free(result);
}

static void read_text(struct sr_config *config, const char *text, struct sr_result *ret_result)
{
	char path[] = "/tmp/sr-config-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	sr_config_defaults(config);
	*ret_result = sr_config_read_file(config, path);
	unlink(path);
}

static void a_hardware_module_needs_its_token_its_pin_and_absolute_paths(void **state)
{
	(void)state;
	struct sr_config config;
	sr_config_defaults(&config);
	expect_ok(sr_config_set(&config, "state", "/srv/x"));
	expect_ok(sr_config_set(&config, "pkcs11-module", "softhsm.so"));
	fails_with(sr_config_finish(&config), SR_INVALID, "pkcs11-module: 'softhsm.so' is not an absolute path");
	expect_ok(sr_config_set(&config, "pkcs11-module", "/usr/lib/softhsm.so"));
	fails_with(sr_config_finish(&config), SR_INVALID, "set pkcs11-token and pkcs11-pin-file too");
	expect_ok(sr_config_set(&config, "pkcs11-token", "hsm"));
	expect_ok(sr_config_set(&config, "pkcs11-pin-file", "/etc/pin"));
	expect_ok(sr_config_finish(&config));
	expect_ok(sr_config_set(&config, "pkcs11-config", "/etc/softhsm2.conf"));
	fails_with(sr_config_finish(&config), SR_INVALID, "is not NAME=/PATH/OF/FILE");
	expect_ok(sr_config_set(&config, "pkcs11-config", "SOFTHSM2_CONF=/etc/softhsm2.conf"));
	expect_ok(sr_config_finish(&config));
}

static void defaults_are_complete_and_fit_together(void **state)
{
	(void)state;
	struct sr_config config;
	sr_config_defaults(&config);
	expect_ok(sr_config_set(&config, "state", "/srv/x"));
	expect_ok(sr_config_finish(&config));
	assert_string_equal(config.root_key, "/srv/x/root/root.key");
	assert_string_equal(config.authority, "https://127.0.0.1:8441");
	assert_int_equal(config.lease_ttl_ms, 2000);
}

static void file_sets_and_passes_over_comments(void **state)
{
	(void)state;
	struct sr_config config;
	struct sr_result result;
	read_text(&config, "# a comment\n\n  vault-port =  9000 \nnames=a,b\n", &result);
	expect_ok(result);
	assert_int_equal(config.vault_port, 9000);
	assert_string_equal(config.names, "a,b");
}

static void bad_setting_is_named_with_its_line(void **state)
{
	(void)state;
	struct sr_config config;
	struct sr_result result;
	read_text(&config, "vault-port = 1\n\nvault-prot = 2\n", &result);
	fails_with(result, SR_INVALID, "line 3: there is no setting 'vault-prot'");
	read_text(&config, "vault-port = 70000\n", &result);
	fails_with(result, SR_INVALID, "line 1: vault-port: '70000' is not a number from 1 to 65535");
	read_text(&config, "just words\n", &result);
	fails_with(result, SR_INVALID, "line 1: expected NAME = VALUE");
	read_text(&config, "log-level = loud\n", &result);
	fails_with(result, SR_INVALID, "'loud'");
}

static void environment_wins_over_the_file(void **state)
{
	(void)state;
	struct sr_config config;
	struct sr_result result;
	read_text(&config, "lease-ttl-ms = 500\n", &result);
	expect_ok(result);
	setenv("STRONGROOM_LEASE_TTL_MS", "700", 1);
	expect_ok(sr_config_read_environment(&config));
	assert_int_equal(config.lease_ttl_ms, 700);
	setenv("STRONGROOM_LEASE_TTL_MS", "soon", 1);
	fails_with(sr_config_read_environment(&config), SR_INVALID, "STRONGROOM_LEASE_TTL_MS");
	unsetenv("STRONGROOM_LEASE_TTL_MS");
}

static void equal_ports_are_refused(void **state)
{
	(void)state;
	struct sr_config config;
	sr_config_defaults(&config);
	expect_ok(sr_config_set(&config, "state", "/srv/x"));
	expect_ok(sr_config_set(&config, "blob-port", "8442"));
	fails_with(sr_config_finish(&config), SR_INVALID, "vault-port and blob-port");
}

static void exported_settings_come_back(void **state)
{
	(void)state;
	struct sr_config config;
	struct sr_config copy;
	struct sr_buf text = SR_BUF(65536);
	sr_config_defaults(&config);
	expect_ok(sr_config_set(&config, "state", "/srv/with = sign and # mark"));
	expect_ok(sr_config_finish(&config));
	sr_config_export(&config, &text);
	expect_ok(sr_config_import(sr_buf_bytes(&text), &copy));
	assert_memory_equal(&config, &copy, sizeof config);
	sr_buf_free(&text);
}

static void default_file_changes_nothing(void **state)
{
	(void)state;
	struct sr_config config;
	struct sr_config defaults;
	struct sr_buf text = SR_BUF(65536);
	struct sr_result result;
	sr_config_write_default(&text);
	read_text(&config, sr_buf_text(&text), &result);
	expect_ok(result);
	sr_config_defaults(&defaults);
	assert_memory_equal(&config, &defaults, sizeof config);
	sr_buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_complete_and_fit_together),
	    cmocka_unit_test(file_sets_and_passes_over_comments),
	    cmocka_unit_test(bad_setting_is_named_with_its_line),
	    cmocka_unit_test(environment_wins_over_the_file),
	    cmocka_unit_test(equal_ports_are_refused),
	    cmocka_unit_test(a_hardware_module_needs_its_token_its_pin_and_absolute_paths),
	    cmocka_unit_test(exported_settings_come_back),
	    cmocka_unit_test(default_file_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
