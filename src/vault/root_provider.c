/* The table of providers, and what several of them share. */
#include "vault/root_provider.h"

#include "seal/key_file.h"

#include <string.h>

static const struct sr_root_provider *const providers[] = {&sr_root_file, &sr_root_passphrase, &sr_root_shares,
                                                           &sr_root_tpm, &sr_root_pkcs11};
enum { PROVIDER_COUNT = sizeof providers / sizeof providers[0] };

const struct sr_root_provider *sr_root_provider_at(size_t index)
{
	return index < PROVIDER_COUNT ? providers[index] : NULL;
}

struct sr_result sr_root_provider_named(const char *name, const struct sr_root_provider **ret_provider)
{
	SR_CLEANUP(sr_buf) struct sr_buf names = SR_BUF(256);
	for (size_t i = 0; i < PROVIDER_COUNT; i++) {
		if (strcmp(providers[i]->name, name) == 0) {
			*ret_provider = providers[i];
			return sr_ok();
		}
		sr_buf_printf(&names, "%s%s", i ? ", " : "", providers[i]->name);
	}
	return sr_fail(SR_NOT_FOUND, "'%.32s' is no provider of root keys: there are %s", name, sr_buf_text(&names));
}

const struct sr_root_provider *sr_root_provider_numbered(uint16_t number)
{
	for (size_t i = 0; i < PROVIDER_COUNT; i++) {
		if (providers[i]->number == number) {
			return providers[i];
		}
	}
	return NULL;
}

struct sr_result sr_root_pin(const struct sr_root_settings *settings, const struct sr_root_input *input,
                             struct sr_secret **ret_pin)
{
	if (input->word) {
		return sr_secret_copy(input->word, ret_pin);
	}
	if (!*settings->config->root_pin) {
		return sr_fail(SR_INVALID, "a PIN is needed");
	}
	return sr_key_file_read_word(settings->config->root_pin, ret_pin);
}
