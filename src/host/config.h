/* Configuration: defaults, then the file, then environment variables, then flags; the same table serves all four. A bad
 * setting is named with its line. */
#ifndef SR_HOST_CONFIG_H
#define SR_HOST_CONFIG_H

#include "base/bytes.h"

#include <stdint.h>

enum { SR_CONFIG_TEXT_LEN = 512 };

struct sr_config {
	char state[SR_CONFIG_TEXT_LEN];    /* state directory */
	char root_key[SR_CONFIG_TEXT_LEN]; /* file of the root key; default STATE/root/root.key */
	char root_pin[SR_CONFIG_TEXT_LEN]; /* file of the PIN of a TPM's object; empty: a person gives it */
	char tpm[SR_CONFIG_TEXT_LEN];      /* how the TPM is reached: "device:/dev/tpmrm0" */
	char tpm_pcrs[64];                 /* "sha256:0,2,7": what a new sealed object is bound to; empty: nothing */
	char listen[SR_CONFIG_TEXT_LEN];   /* addresses that clients reach, comma-separated: "127.0.0.1,::1" */
	char names[SR_CONFIG_TEXT_LEN];    /* DNS names and addresses for certificates, comma-separated */
	char internal[SR_CONFIG_TEXT_LEN]; /* address of the services' internal listeners: "127.0.0.1" */
	char public_certificate[SR_CONFIG_TEXT_LEN]; /* "VAULT/NAME": what clients are shown; "": one of the internal CA */
	char authority[SR_CONFIG_TEXT_LEN];          /* "https://127.0.0.1:8441" */
	char pkcs11_module[SR_CONFIG_TEXT_LEN];      /* the hardware module's library; "": none */
	char pkcs11_token[64];                       /* label of its token */
	char pkcs11_pin_file[SR_CONFIG_TEXT_LEN];    /* its user's PIN, mode 0600 */
	char pkcs11_config[SR_CONFIG_TEXT_LEN];      /* NAME=FILE for the module's environment, or "" */
	char pkcs11_directory[SR_CONFIG_TEXT_LEN];   /* where the module keeps files, or "" */
	char imds_listen[SR_CONFIG_TEXT_LEN];        /* "ADDRESS:PORT,…" of the metadata endpoint; "": none */
	char log_level[16];
	uint64_t identity_port, vault_port, blob_port, workspace_port; /* for clients */
	uint64_t identity_internal_port, vault_internal_port;          /* mutual TLS */
	uint64_t vault_provider_port;                                  /* mutual TLS: where the workspace asks for vaults */
	uint64_t lease_ttl_ms;
	uint64_t token_lifetime_s;
	uint64_t workers; /* per service; 0: cores */
	uint64_t max_connections;
};

/* One setting, as the documentation and the help show it. */
struct sr_setting {
	const char
	    *name; /* "lease-ttl-ms": in the file and as --lease-ttl-ms; STRONGROOM_LEASE_TTL_MS in the environment */
	const char *argument; /* "MILLISECONDS" */
	const char *description;
	const char *default_text;
};
const struct sr_setting *sr_setting_at(size_t index);

/* Fills in the defaults. */
void sr_config_defaults(struct sr_config *config);
/* One setting by its name; SR_INVALID says what is wrong with the value, SR_NOT_FOUND that there is no such setting. */
SR_MUST struct sr_result sr_config_set(struct sr_config *config, const char *name, const char *value);
/* Reads `path` ("name = value" lines, '#' comments). A bad setting is named with its line. */
SR_MUST struct sr_result sr_config_read_file(struct sr_config *config, const char *path);
SR_MUST struct sr_result sr_config_read_environment(struct sr_config *config);
/* Fills what follows from other settings (root key's place, authority) and checks that they fit together. */
SR_MUST struct sr_result sr_config_finish(struct sr_config *config);
/* The commented file with the defaults. */
void sr_config_write_default(struct sr_buf *text);
/* Serialised for a child process, and back. */
void sr_config_export(const struct sr_config *config, struct sr_buf *text);
SR_MUST struct sr_result sr_config_import(struct sr_bytes text, struct sr_config *config);

#endif
