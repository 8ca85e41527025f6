/* The root key from a passphrase, by scrypt. Descriptor: log2 of the cost 1, salt 32. Nothing here tells whether a
 * passphrase is right: the master file does. */
#include "base/random.h"
#include "seal/passphrase.h"
#include "vault/root_provider.h"

enum { LEAST_LEN = 12, DESCRIPTOR_LEN = 1 + SR_PASSPHRASE_SALT_LEN };

static bool needs_person(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	(void)settings;
	(void)descriptor;
	return true;
}

static unsigned pieces_needed(struct sr_bytes descriptor)
{
	(void)descriptor;
	return 1;
}

static struct sr_result open_root(const struct sr_root_settings *settings, struct sr_bytes descriptor,
                                  const struct sr_root_input *input, struct sr_secret **ret_root)
{
	(void)settings;
	if (descriptor.len != DESCRIPTOR_LEN || descriptor.data[0] > SR_PASSPHRASE_LOG_N_MOST) {
		return sr_fail(SR_CORRUPT, "the master file describes no passphrase");
	}
	if (!input->word) {
		return sr_fail(SR_INVALID, "a passphrase is needed");
	}
	return sr_passphrase_key(input->word, descriptor.data + 1, descriptor.data[0], ret_root);
}

static struct sr_result create(const struct sr_root_settings *settings, const struct sr_root_input *input,
                               struct sr_buf *descriptor, struct sr_buf *handout, struct sr_secret **ret_root)
{
	(void)handout;
	if (!input->word || sr_secret_len(input->word) < LEAST_LEN) {
		return sr_fail(SR_INVALID,
		               "a passphrase has at least %d characters: take six words that have nothing to do with "
		               "one another",
		               LEAST_LEN);
	}
	uint8_t salt[SR_PASSPHRASE_SALT_LEN];
	sr_random(salt, sizeof salt);
	const size_t before = descriptor->len;
	sr_buf_append_u8(descriptor, SR_PASSPHRASE_LOG_N);
	sr_buf_append(descriptor, sr_bytes_of(salt, sizeof salt));
	SR_TRY(sr_buf_result(descriptor));
	return open_root(settings, sr_bytes_of(descriptor->data + before, descriptor->len - before), input, ret_root);
}

static void describe(struct sr_bytes descriptor, struct sr_buf *text)
{
	sr_buf_printf(text, "a passphrase (scrypt, N = 2^%d)", descriptor.len ? (int)descriptor.data[0] : 0);
}

const struct sr_root_provider sr_root_passphrase = {
    .name = "passphrase",
    .number = 2,
    .needs_person = needs_person,
    .pieces_needed = pieces_needed,
    .create = create,
    .open = open_root,
    .describe = describe,
};
