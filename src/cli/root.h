/* What init and the commands on the root key share: the choice of a provider, and what people give for it. */
#ifndef SR_CLI_ROOT_H
#define SR_CLI_ROOT_H

#include "cli/command.h"
#include "vault/root_provider.h"

/* "passphrase", "tpm", "pkcs11", "file" or "shares=3/5". */
struct sr_cli_root {
	const struct sr_root_provider *provider;
	unsigned threshold, share_count;
	bool wants_word; /* a passphrase or PIN is to be asked for */
};
/* SR_NOT_FOUND, SR_INVALID. `has_pin`: a PIN is wanted, where the provider can have one. */
SR_MUST struct sr_result sr_cli_root_parse(struct sr_cli *cli, const char *text, bool has_pin,
                                           struct sr_cli_root *ret_root);
/* Asks for the new passphrase or PIN, as far as the provider wants one. */
SR_MUST struct sr_result sr_cli_root_ask(const struct sr_cli_root *root, struct sr_buf *text);
/* One call to the vault with a body of secret text; what it answers is appended. */
SR_MUST struct sr_result sr_cli_call_secret(struct sr_cli *cli, const char *method, const char *target,
                                            struct sr_bytes body, struct sr_buf *answer);
/* Prints shares, and what to do with them; as a JSON list where `shares` is given. */
void sr_cli_print_shares(struct sr_bytes handout, unsigned threshold);
void sr_cli_shares_json(struct sr_bytes handout, json_t *object);

#endif
