/* The vault's master key: the file STATE/vault/master, opened with the root key, and the keys that hang from it.
 * Renewing the root key or the master key rewrites this one file, in one durable rename. */
#ifndef SR_VAULT_MASTER_H
#define SR_VAULT_MASTER_H

#include "base/text.h"
#include "seal/crypto.h"
#include "vault/root_provider.h"

/* What the master key opens. */
struct sr_vault_master {
	struct sr_id database_id;
	struct sr_secret *database_key; /* DEK of vault.db */
	struct sr_secret *records_key;
	struct sr_aead *records; /* under it: seals keys, service-managed KEKs, the CA and backups */
};
/* New keys for a new installation. */
SR_MUST struct sr_result sr_vault_master_new(struct sr_vault_master *ret_master);
void sr_vault_master_free(struct sr_vault_master *master);
void sr_vault_master_cleanup(struct sr_vault_master *master);

/* The file as it lies there, before a root key opens it: who gives the root key. */
struct sr_master_file {
	struct sr_buf bytes; /* all of it */
	unsigned version;
	const struct sr_root_provider *provider;
	struct sr_bytes descriptor; /* of `bytes`; empty in version 1 */
};
void sr_master_file_cleanup(struct sr_master_file *file);
/* Reads it. SR_NOT_FOUND; SR_CORRUPT where a byte of it was flipped, lost or added by accident. */
SR_MUST struct sr_result sr_master_file_read(const char *path, struct sr_master_file *ret_file);
/* Opens it. SR_WRONG_KEY: another root key made it, or somebody has altered it; SR_CORRUPT. */
SR_MUST struct sr_result sr_master_file_open(const struct sr_master_file *file, const struct sr_secret *root,
                                             struct sr_vault_master *ret_master);
/* Puts a new file of the current version in the place of `path`: the same keys under a new master key under `root`. */
SR_MUST struct sr_result sr_master_file_write(const char *path, const struct sr_root_provider *provider,
                                              struct sr_bytes descriptor, const struct sr_secret *root,
                                              const struct sr_vault_master *master);

/*
 * Opens `path` with a root key that is there, or makes it (for the file provider) where there is none and `may_create`.
 * SR_WRONG_KEY, SR_CORRUPT, SR_NOT_FOUND. The caller ends it with sr_vault_master_free.
 */
SR_MUST struct sr_result sr_vault_master_open(const char *path, const struct sr_secret *root, bool may_create,
                                              struct sr_vault_master *ret_master);

#endif
