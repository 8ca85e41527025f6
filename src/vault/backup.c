/* Digests and seals; the files of a backup are the command line's. */
#include "vault/backup.h"

#include "base/memory.h"
#include "seal/file.h"
#include "seal/image.h"
#include "vault/audit.h"
#include "vault/kek_anchor.h"

#include <errno.h>
#include <unistd.h>

static const char manifest_aad[] = "backup-manifest";

struct sr_result sr_vault_freeze(struct sr_vault *vault)
{
	SR_CLEANUP(sr_image) struct sr_image *image = NULL;
	SR_TRY(sr_image_begin(sr_host_state_dir(vault->host), &image));
	SR_TRY(sr_image_add_file(image, "master"));
	return sr_image_add_database(image, "vault.db", vault->state.database);
}

struct sr_result sr_vault_manifest_seal(struct sr_vault *vault, struct sr_bytes sha256, struct sr_buf *seal)
{
	if (sha256.len != SR_MANIFEST_DIGEST_LEN) {
		return sr_fail(SR_INVALID, "a manifest's digest has %d bytes", SR_MANIFEST_DIGEST_LEN);
	}
	return sr_aead_seal(vault->state.records, sr_bytes_str(manifest_aad), sha256, seal);
}

static struct sr_result audit_restore(struct sr_connection *connection, void *context)
{
	(void)context;
	/* The services froze before the vault did, so that it knows of later anchors than their files have. */
	SR_TRY(sr_kek_forget_anchors(connection));
	const struct sr_audit_event event = {.service = "vault", .operation = "InstallationRestore"};
	return sr_audit_append(connection, &event);
}

/* The file: the digest, then the seal. */
static struct sr_result check(struct sr_vault *vault, struct sr_bytes restored)
{
	SR_CLEANUP(sr_buf) struct sr_buf opened = SR_BUF(SR_MANIFEST_SEAL_MAX);
	if (restored.len > SR_MANIFEST_DIGEST_LEN) {
		const struct sr_bytes seal =
		    sr_bytes_of(restored.data + SR_MANIFEST_DIGEST_LEN, restored.len - SR_MANIFEST_DIGEST_LEN);
		SR_CLEANUP(sr_result)
		struct sr_result result = sr_aead_open(vault->state.records, sr_bytes_str(manifest_aad), seal, &opened);
		if (sr_is_ok(result) &&
		    sr_equal_public(sr_buf_bytes(&opened), sr_bytes_of(restored.data, SR_MANIFEST_DIGEST_LEN))) {
			return sr_ok();
		}
	}
	return sr_fail(
	    SR_CORRUPT,
	    "what was restored is not what this installation backed up: its manifest was altered, parts of "
	    "different backups were mixed, or restoring did not come to its end; restore again into an empty folder");
}

struct sr_result sr_vault_check_restored(struct sr_vault *vault)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/restored", sr_host_state_dir(vault->host));
	SR_CLEANUP(sr_buf) struct sr_buf restored = SR_BUF(SR_MANIFEST_DIGEST_LEN + SR_MANIFEST_SEAL_MAX);
	struct sr_result read = sr_file_read(path, SR_MANIFEST_DIGEST_LEN + SR_MANIFEST_SEAL_MAX, &restored);
	if (sr_result_code(read) == SR_NOT_FOUND) {
		sr_ignore(read);
		return sr_ok();
	}
	SR_TRY(read);
	SR_TRY(check(vault, sr_buf_bytes(&restored)));
	SR_TRY(sr_database_write(vault->state.database, audit_restore, NULL));
	if (unlink(path)) {
		return sr_fail_errno(errno, "remove %s", path);
	}
	return sr_file_sync_name(path);
}
