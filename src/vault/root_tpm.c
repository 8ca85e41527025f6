/* The root key as a sealed object of a TPM 2.0; the TPM itself is seal/tpm.h's. Descriptor: the object. */
#include "seal/tpm.h"
#include "vault/root_provider.h"

static bool needs_person(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	return sr_tpm_needs_pin(descriptor) && !*settings->config->root_pin;
}

static unsigned pieces_needed(struct sr_bytes descriptor)
{
	return sr_tpm_needs_pin(descriptor) ? 1 : 0;
}

static struct sr_result open_root(const struct sr_root_settings *settings, struct sr_bytes descriptor,
                                  const struct sr_root_input *input, struct sr_secret **ret_root)
{
	SR_CLEANUP(sr_secret) struct sr_secret *pin = NULL;
	if (sr_tpm_needs_pin(descriptor)) {
		SR_TRY(sr_root_pin(settings, input, &pin));
	}
	return sr_tpm_unseal(settings->config->tpm, descriptor, pin, ret_root);
}

static struct sr_result create(const struct sr_root_settings *settings, const struct sr_root_input *input,
                               struct sr_buf *descriptor, struct sr_buf *handout, struct sr_secret **ret_root)
{
	(void)handout;
	SR_CLEANUP(sr_secret) struct sr_secret *pin = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	if (input->word || *settings->config->root_pin) {
		SR_TRY(sr_root_pin(settings, input, &pin));
	}
	SR_TRY(sr_secret_random(SR_KEY_LEN, &root));
	SR_TRY(sr_tpm_seal(settings->config->tpm, settings->config->tpm_pcrs, pin, root, descriptor));
	*ret_root = SR_TAKE(root);
	return sr_ok();
}

static void describe(struct sr_bytes descriptor, struct sr_buf *text)
{
	sr_buf_append_str(text, "a TPM's sealed object");
	sr_tpm_describe(descriptor, text);
}

const struct sr_root_provider sr_root_tpm = {
    .name = "tpm",
    .number = 4,
    .needs_person = needs_person,
    .pieces_needed = pieces_needed,
    .create = create,
    .open = open_root,
    .describe = describe,
};
