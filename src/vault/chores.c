/* The table of chores. They run in its order, so what takes keys away comes first. */
#include "vault/chore.h"

#include "vault/certificate_chores.h"
#include "vault/checkpoint.h"
#include "vault/hardware.h"
#include "vault/key_chores.h"
#include "vault/public_certificate.h"
#include "vault/secret_handlers.h"
#include "vault/tending.h"
#include "vault/vault_removal.h"

static const struct sr_chore chores[] = {
    {"expire-keys", sr_expire_keys_next, sr_expire_keys_run},
    {"tend-keys", sr_tend_keys_next, sr_tend_keys_run},
    {"tend-certificates", sr_tend_certificates_next, sr_tend_certificates_run},
    {"purge-certificates", sr_purge_certificates_next, sr_purge_certificates_run},
    {"purge-keys", sr_purge_keys_next, sr_purge_keys_run},
    {"sign-checkpoint", sr_sign_checkpoint_next, sr_sign_checkpoint_run},
    {"purge-secrets", sr_vault_secret_next_purge, sr_purge_secrets_run},
    {"purge-vaults", sr_purge_vaults_next, sr_purge_vaults_run},
    {"show-public-certificate", NULL, sr_show_public_certificate},
    {"sweep-token", sr_sweep_token_next, sr_sweep_token_run},
    {"renew-vault-certificate", NULL, sr_renew_vault_certificate},
};

const struct sr_chore *sr_chore_at(size_t index)
{
	return index < sizeof chores / sizeof chores[0] ? &chores[index] : NULL;
}
