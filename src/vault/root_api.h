/* The endpoints of the gate and of the root key: health for everybody, unsealing, sealing and changes of the root key
 * on the Unix socket. While the vault is sealed there is nothing else. */
#ifndef SR_VAULT_ROOT_API_H
#define SR_VAULT_ROOT_API_H

#include "net/server.h"
#include "wire/url.h"

struct sr_vault;
struct sr_root_desk;

struct sr_root_desk *sr_root_desk_new(void);
void sr_root_desk_free(struct sr_root_desk *desk);

/* GET /healthstatus, without a token: 200 {"status": "Healthy"}, or 503 {"status": "Sealed"} with an error in Key
 * Vault's shape, how many shares were given and how many are needed. */
bool sr_root_api_is_health(const struct sr_exchange *exchange);
SR_MUST struct sr_result sr_root_api_health(struct sr_exchange *exchange, struct sr_vault *vault);

/* Anything that comes while the vault is sealed: 503 "VaultSealed" but for health, and for status and unseal on the
 * Unix socket. */
SR_MUST struct sr_result sr_root_api_handle_sealed(struct sr_exchange *exchange, struct sr_vault *vault);

/* Of an open vault, on the Unix socket; `path` is what follows /_strongroom/:
 * GET root; POST root/prepare?to=PROVIDER[&threshold=K&count=N] with the new passphrase or PIN as its body: answers
 * with what people must keep, as text; POST root/commit with what opens the new root key as its body; DELETE
 * root/prepare; POST unseal; POST seal. */
bool sr_root_api_is_for(struct sr_bytes path);
SR_MUST struct sr_result sr_root_api_handle(struct sr_exchange *exchange, struct sr_vault *vault, struct sr_bytes path,
                                            const struct sr_parameters *query);

#endif
