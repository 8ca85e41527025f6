/* The vault's part in backups of the whole installation: its own image, the seal on a backup's manifest, and the check
 * of that seal when an installation starts for the first time after it was restored. */
#ifndef SR_VAULT_BACKUP_H
#define SR_VAULT_BACKUP_H

#include "vault/service.h"

enum { SR_MANIFEST_DIGEST_LEN = 32, SR_MANIFEST_SEAL_MAX = 256 };

/* Makes the image (seal/image.h) of the vault's files. */
SR_MUST struct sr_result sr_vault_freeze(struct sr_vault *vault);
/* Appends a seal on a manifest's SHA-256: only this installation's vault, here or restored elsewhere, makes and opens
 * it. */
SR_MUST struct sr_result sr_vault_manifest_seal(struct sr_vault *vault, struct sr_bytes sha256, struct sr_buf *seal);
/*
 * Looks for STATE/vault/restored (`strongroom restore` leaves the digest of what it read, and the seal, there): where
 * it is, the seal must open to that digest, or parts of different backups were mixed: SR_CORRUPT, and nothing is
 * served. A restore is recorded in the audit log, and the file goes.
 */
SR_MUST struct sr_result sr_vault_check_restored(struct sr_vault *vault);

#endif
