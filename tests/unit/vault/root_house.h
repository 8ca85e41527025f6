/* An installation's root for tests: a folder with its master file and root key, a TPM emulator, and what people know.
 */
#ifndef TEST_VAULT_ROOT_HOUSE_H
#define TEST_VAULT_ROOT_HOUSE_H

#include "vault/root.h"

#include "check.h"

#include <sys/types.h>

#define HOUSE_PASSPHRASE "correct horse battery staple"
#define HOUSE_PIN        "2468"

struct house {
	char folder[64], path[SR_MASTER_PATH_LEN];
	struct sr_config config;
	struct sr_root_settings settings;
	struct sr_buf shares; /* lines, of the last change to shares */
	pid_t tpm;            /* 0: none runs */
	uint16_t tpm_port;
};

/* Makes the folder, or takes the one given (another process's). */
void house_open(struct house *house, const char *folder);
void house_close(struct house *house);
/* Starts swtpm, which every test machine has, and waits for it. */
void house_start_tpm(struct house *house);
void house_stop_tpm(struct house *house);

/* What opens this provider: the passphrase, the PIN, the shares that were made last. */
struct sr_result house_answer(struct house *house, const struct sr_root_provider *provider,
                              struct sr_root_answer *ret_answer);
/* A new master file under a new root key. */
struct sr_result house_begin(struct house *house, const struct sr_root_provider *provider);
/* Opens what is there with what people know. */
struct sr_result house_enter(struct house *house, struct sr_vault_master *ret_master);
/* Prepares and commits a change, as the vault does. */
struct sr_result house_change(struct house *house, const struct sr_root_provider *to);
/* What tells the keys under the master key from others. */
void house_fingerprint(const struct sr_vault_master *master, uint8_t ret[static 2 * SR_SHA256_LEN]);

#endif
