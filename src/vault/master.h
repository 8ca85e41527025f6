/* The vault's master key: the file STATE/vault/master, opened with the root key, and the keys that hang from it.
 * Renewing the root key or the master key rewrites this one file. */
#ifndef SR_VAULT_MASTER_H
#define SR_VAULT_MASTER_H

#include "base/text.h"
#include "seal/crypto.h"

/* What the master key opens. */
struct sr_vault_master {
	struct sr_id database_id;
	struct sr_secret *database_key; /* DEK of vault.db */
	struct sr_aead *records;        /* seals keys, service-managed KEKs, the CA and backups */
};

/*
 * Opens `path`, or makes it where there is none and `may_create`. SR_WRONG_KEY: another root key made it; SR_CORRUPT;
 * SR_NOT_FOUND. The caller ends it with sr_vault_master_free.
 */
SR_MUST struct sr_result sr_vault_master_open(const char *path, const struct sr_secret *root, bool may_create,
                                              struct sr_vault_master *ret_master);
void sr_vault_master_free(struct sr_vault_master *master);

#endif
