/* The vault service: keys of customers, wrapped KEKs of resources, the internal CA, the audit log. What the supervisor
 * and the command line call; everything else in this folder is the room's own. */
#ifndef SR_VAULT_VAULT_H
#define SR_VAULT_VAULT_H

#include "host/host.h"
#include "vault/root_provider.h"

/* Runs the vault until the supervisor says stop; the process is confined before the first client is served. */
SR_MUST struct sr_result sr_vault_serve(struct sr_host *host);

/* Makes a new root key in the file `root_key_path` (mode 0600, durable). SR_EXISTS if there is a file already: a root
 * key is never overwritten. */
SR_MUST struct sr_result sr_vault_create_root(const char *root_key_path);
/* Makes the root key of a new installation by any provider, and STATE/vault/master under it; `handout` gets what people
 * must keep. The folder exists. SR_EXISTS if there is a master file already. */
SR_MUST struct sr_result sr_vault_begin(const struct sr_root_settings *settings,
                                        const struct sr_root_provider *provider, const struct sr_root_input *input,
                                        struct sr_buf *handout);

#endif
