/* Settings in one table, which the file, the environment, the flags and the documentation share. */
#include "host/config.h"

#include "base/text.h"
#include "net/near_place.h"
#include "seal/file.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_FILE_MAX = 65536 };

enum kind { TEXT, LOG_LEVEL, NUMBER, PORT };

struct row {
	struct sr_setting setting;
	enum kind kind;
	size_t offset;
	size_t len; /* of a text field */
	uint64_t least, most;
};

#define FIELD(member) offsetof(struct sr_config, member), sizeof(((struct sr_config *)0)->member)

static const struct row rows[] = {
    {{"state", "DIR", "where everything at rest lives, sealed", ""}, TEXT, FIELD(state), 0, 0},
    {{"root-key", "FILE", "the root key (keep a copy in a safe place); default STATE/root/root.key", ""},
     TEXT,
     FIELD(root_key),
     0,
     0},
    {{"root-pin", "FILE", "the PIN of a root key in a TPM or a token; without it a person gives it (strongroom unseal)",
      ""},
     TEXT,
     FIELD(root_pin),
     0,
     0},
    {{"tpm", "TCTI", "how the TPM is reached, as tpm2-tss names it", "device:/dev/tpmrm0"}, TEXT, FIELD(tpm), 0, 0},
    {{"tpm-pcrs", "BANK:PCRS", "registers to which a new root key in the TPM is bound, as sha256:0,2,7", ""},
     TEXT,
     FIELD(tpm_pcrs),
     0,
     0},
    {{"listen", "ADDRESSES", "addresses on which clients are served, separated by commas", "127.0.0.1,::1"},
     TEXT,
     FIELD(listen),
     0,
     0},
    {{"names", "NAMES", "DNS names and addresses that the servers' certificates bear, separated by commas",
      "localhost,*.vault.localhost,*.blob.localhost,127.0.0.1,::1"},
     TEXT,
     FIELD(names),
     0,
     0},
    {{"public-certificate", "VAULT/NAME",
      "certificate in a vault that clients are shown, followed as it renews; default: one of the internal CA", ""},
     TEXT,
     FIELD(public_certificate),
     0,
     0},
    {{"internal", "ADDRESS", "address of the services' own listeners (mutual TLS)", "127.0.0.1"},
     TEXT,
     FIELD(internal),
     0,
     0},
    {{"authority", "URL", "origin of the identity service as clients know it; default https://127.0.0.1:IDENTITY-PORT",
      ""},
     TEXT,
     FIELD(authority),
     0,
     0},
    {{"imds-listen", "ADDRESSES",
      "loopback or link-local ADDRESS:PORT of the metadata endpoint (plain HTTP; tokens of managed identities), "
      "separated by commas; default none",
      ""},
     TEXT,
     FIELD(imds_listen),
     0,
     0},
    {{"pkcs11-module", "FILE", "library of the hardware module (PKCS#11) in which keys of -HSM types live", ""},
     TEXT,
     FIELD(pkcs11_module),
     0,
     0},
    {{"pkcs11-token", "LABEL", "label of the module's token", ""}, TEXT, FIELD(pkcs11_token), 0, 0},
    {{"pkcs11-pin-file", "FILE", "file of mode 0600 that holds the PIN of the token's user", ""},
     TEXT,
     FIELD(pkcs11_pin_file),
     0,
     0},
    {{"pkcs11-config", "NAME=FILE", "environment variable that names the module's own settings (SOFTHSM2_CONF=FILE)",
      ""},
     TEXT,
     FIELD(pkcs11_config),
     0,
     0},
    {{"pkcs11-directory", "DIR", "where the module itself keeps files: the vault may then write there", ""},
     TEXT,
     FIELD(pkcs11_directory),
     0,
     0},
    {{"log-level", "LEVEL", "error, warning, notice, info or debug", "info"}, LOG_LEVEL, FIELD(log_level), 0, 0},
    {{"identity-port", "PORT", "where clients reach identity", "8441"}, PORT, FIELD(identity_port), 1, 65535},
    {{"vault-port", "PORT", "where clients reach the vault", "8442"}, PORT, FIELD(vault_port), 1, 65535},
    {{"blob-port", "PORT", "where clients reach blob storage", "8443"}, PORT, FIELD(blob_port), 1, 65535},
    {{"workspace-port", "PORT", "where clients reach Resource Manager", "8444"}, PORT, FIELD(workspace_port), 1, 65535},
    {{"identity-internal-port", "PORT", "where services follow the directory", "8451"},
     PORT,
     FIELD(identity_internal_port),
     1,
     65535},
    {{"vault-internal-port", "PORT", "where services lease keys", "8452"}, PORT, FIELD(vault_internal_port), 1, 65535},
    {{"vault-provider-port", "PORT", "where the workspace asks for vaults", "8453"},
     PORT,
     FIELD(vault_provider_port),
     1,
     65535},
    {{"lease-ttl-ms", "MILLISECONDS", "length of a key's lease: the bound on revocation when the network is cut",
      "2000"},
     NUMBER,
     FIELD(lease_ttl_ms),
     200,
     60000},
    {{"token-lifetime-s", "SECONDS", "how long an access token is good for", "3600"},
     NUMBER,
     FIELD(token_lifetime_s),
     300,
     86400},
    {{"workers", "COUNT", "requests that a service works on at once; 0: as many as cores", "0"},
     NUMBER,
     FIELD(workers),
     0,
     1024},
    {{"max-connections", "COUNT", "connections that a service holds at most", "8192"},
     NUMBER,
     FIELD(max_connections),
     16,
     1000000},
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

const struct sr_setting *sr_setting_at(size_t index)
{
	return index < ROW_COUNT ? &rows[index].setting : NULL;
}

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (strcmp(rows[i].setting.name, name) == 0) {
			return &rows[i];
		}
	}
	return NULL;
}

static char *text_field(struct sr_config *config, const struct row *row)
{
	return (char *)config + row->offset;
}

static uint64_t *number_field(struct sr_config *config, const struct row *row)
{
	return (uint64_t *)(void *)((char *)config + row->offset);
}

static bool is_log_level(const char *value)
{
	static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		if (strcmp(levels[i], value) == 0) {
			return true;
		}
	}
	return false;
}

struct sr_result sr_config_set(struct sr_config *config, const char *name, const char *value)
{
	const struct row *row = find(name);
	if (!row) {
		return sr_fail(SR_NOT_FOUND, "there is no setting '%s'", name);
	}
	if (row->kind == TEXT || row->kind == LOG_LEVEL) {
		if (row->kind == LOG_LEVEL && !is_log_level(value)) {
			return sr_fail(SR_INVALID, "%s: '%s' is not error, warning, notice, info or debug", name, value);
		}
		if (strlen(value) >= row->len) {
			return sr_fail(SR_INVALID, "%s: longer than %zu characters", name, row->len - 1);
		}
		for (const char *c = value; *c; c++) {
			if ((unsigned char)*c < 0x20) {
				return sr_fail(SR_INVALID, "%s: holds a control character", name);
			}
		}
		memcpy(text_field(config, row), value, strlen(value) + 1);
		return sr_ok();
	}
	uint64_t number;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_parse_u64(sr_bytes_str(value), row->most, &number);
	if (!sr_is_ok(parsed) || number < row->least) {
		return sr_fail(SR_INVALID, "%s: '%s' is not a number from %llu to %llu", name, value,
		               (unsigned long long)row->least, (unsigned long long)row->most);
	}
	*number_field(config, row) = number;
	return sr_ok();
}

void sr_config_defaults(struct sr_config *config)
{
	*config = (struct sr_config){0};
	for (size_t i = 0; i < ROW_COUNT; i++) {
		sr_ignore(sr_config_set(config, rows[i].setting.name, rows[i].setting.default_text));
	}
}

/* Cuts white space off both ends, in place. */
static char *trimmed(char *text)
{
	text += strspn(text, " \t\r");
	size_t len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1])) {
		text[--len] = 0;
	}
	return text;
}

/* One line of the file; empty lines and comments set nothing. */
static struct sr_result set_line(struct sr_config *config, char *line)
{
	line = trimmed(line);
	if (!*line || *line == '#') {
		return sr_ok();
	}
	char *equals = strchr(line, '=');
	if (!equals) {
		return sr_fail(SR_INVALID, "expected NAME = VALUE");
	}
	*equals = 0;
	return sr_config_set(config, trimmed(line), trimmed(equals + 1));
}

static struct sr_result set_lines(struct sr_config *config, char *text, const char *source)
{
	unsigned number = 0;
	for (char *line = text; line;) {
		char *end = strchr(line, '\n');
		if (end) {
			*end++ = 0;
		}
		number++;
		SR_CLEANUP(sr_result) struct sr_result set = set_line(config, line);
		if (!sr_is_ok(set)) {
			return sr_fail(SR_INVALID, "%s, line %u: %s", source, number, sr_result_message(set));
		}
		line = end;
	}
	return sr_ok();
}

struct sr_result sr_config_read_file(struct sr_config *config, const char *path)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(CONFIG_FILE_MAX);
	SR_TRY(sr_file_read(path, CONFIG_FILE_MAX, &text));
	if (text.len && memchr(text.data, 0, text.len)) {
		return sr_fail(SR_INVALID, "%s: holds a NUL byte", path);
	}
	(void)sr_buf_text(&text);
	return text.len ? set_lines(config, (char *)text.data, path) : sr_ok();
}

struct sr_result sr_config_read_environment(struct sr_config *config)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		char name[64] = "STRONGROOM_";
		size_t len = strlen(name);
		for (const char *c = rows[i].setting.name; *c && len < sizeof name - 1; c++) {
			name[len++] = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
		}
		name[len] = 0;
		const char *value = getenv(name);
		if (!value) {
			continue;
		}
		SR_CLEANUP(sr_result) struct sr_result set = sr_config_set(config, rows[i].setting.name, value);
		if (!sr_is_ok(set)) {
			return sr_fail(SR_INVALID, "environment variable %s: %s", name, sr_result_message(set));
		}
	}
	return sr_ok();
}

static struct sr_result ports_differ(const struct sr_config *config)
{
	const struct {
		const char *name;
		uint64_t port;
	} ports[] = {
	    {"identity-port", config->identity_port},
	    {"vault-port", config->vault_port},
	    {"blob-port", config->blob_port},
	    {"workspace-port", config->workspace_port},
	    {"identity-internal-port", config->identity_internal_port},
	    {"vault-internal-port", config->vault_internal_port},
	    {"vault-provider-port", config->vault_provider_port},
	};
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
		for (size_t j = 0; j < i; j++) {
			if (ports[i].port == ports[j].port) {
				return sr_fail(SR_INVALID, "%s and %s are both %llu: give each its own port", ports[j].name,
				               ports[i].name, (unsigned long long)ports[i].port);
			}
		}
	}
	return sr_ok();
}

/* The module's settings: all that it needs, and paths that say the same in every process. */
static struct sr_result check_module(const struct sr_config *config)
{
	const struct {
		const char *name, *path;
	} paths[] = {
	    {"pkcs11-module", config->pkcs11_module},
	    {"pkcs11-pin-file", config->pkcs11_pin_file},
	    {"pkcs11-directory", config->pkcs11_directory},
	};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		if (*paths[i].path && *paths[i].path != '/') {
			return sr_fail(SR_INVALID, "%s: '%s' is not an absolute path", paths[i].name, paths[i].path);
		}
	}
	if (*config->pkcs11_config && !strstr(config->pkcs11_config, "=/")) {
		return sr_fail(SR_INVALID, "pkcs11-config: '%s' is not NAME=/PATH/OF/FILE", config->pkcs11_config);
	}
	if (*config->pkcs11_module && (!*config->pkcs11_token || !*config->pkcs11_pin_file)) {
		return sr_fail(SR_INVALID, "pkcs11-module: set pkcs11-token and pkcs11-pin-file too");
	}
	return sr_ok();
}

static struct sr_result check_imds_listen(const struct sr_config *config)
{
	const char *at = config->imds_listen;
	struct sr_near_place place;
	for (bool is_end = false; !is_end;) {
		SR_CLEANUP(sr_result) struct sr_result read = sr_near_place_next(&at, &place, &is_end);
		if (!sr_is_ok(read)) {
			return sr_fail(SR_INVALID, "imds-listen: %s", sr_result_message(read));
		}
	}
	return sr_ok();
}

struct sr_result sr_config_finish(struct sr_config *config)
{
	if (!*config->state) {
		return sr_fail(SR_INVALID, "state: no directory is set; give --state DIR or STRONGROOM_STATE");
	}
	if (!*config->root_key) {
		int len = snprintf(config->root_key, sizeof config->root_key, "%s/root/root.key", config->state);
		if (len < 0 || (size_t)len >= sizeof config->root_key) {
			return sr_fail(SR_INVALID, "state: the directory's name is too long");
		}
	}
	if (config->root_key[0] != '/') {
		return sr_fail(SR_INVALID, "root-key: '%s' is not an absolute path", config->root_key);
	}
	if (*config->root_pin && config->root_pin[0] != '/') {
		return sr_fail(SR_INVALID, "root-pin: '%s' is not an absolute path", config->root_pin);
	}
	if (!*config->authority) {
		snprintf(config->authority, sizeof config->authority, "https://127.0.0.1:%llu",
		         (unsigned long long)config->identity_port);
	}
	size_t len = strlen(config->authority);
	if (strncmp(config->authority, "https://", 8) != 0 || config->authority[len - 1] == '/') {
		return sr_fail(SR_INVALID, "authority: '%s' is not https://HOST[:PORT]", config->authority);
	}
	SR_TRY(check_module(config));
	SR_TRY(check_imds_listen(config));
	return ports_differ(config);
}

void sr_config_write_default(struct sr_buf *text)
{
	sr_buf_append_str(
	    text, "# Strongroom's settings: NAME = VALUE. Each is also a flag (--lease-ttl-ms 2000) and an\n"
	          "# environment variable (STRONGROOM_LEASE_TTL_MS); flags win over those, those over this file.\n");
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct sr_setting *setting = &rows[i].setting;
		sr_buf_printf(text, "\n# %s\n# %s = %s\n", setting->description, setting->name,
		              *setting->default_text ? setting->default_text : setting->argument);
	}
}

void sr_config_export(const struct sr_config *config, struct sr_buf *text)
{
	struct sr_config copy = *config;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const struct row *row = &rows[i];
		if (row->kind == TEXT || row->kind == LOG_LEVEL) {
			sr_buf_printf(text, "%s=%s\n", row->setting.name, text_field(&copy, row));
		} else {
			sr_buf_printf(text, "%s=%llu\n", row->setting.name, (unsigned long long)*number_field(&copy, row));
		}
	}
}

struct sr_result sr_config_import(struct sr_bytes text, struct sr_config *config)
{
	SR_CLEANUP(sr_buf) struct sr_buf copy = SR_BUF(CONFIG_FILE_MAX);
	sr_buf_append(&copy, text);
	SR_TRY(sr_buf_result(&copy));
	(void)sr_buf_text(&copy);
	*config = (struct sr_config){0};
	return copy.len ? set_lines(config, (char *)copy.data, "configuration from the supervisor") : sr_ok();
}
