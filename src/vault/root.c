/* Making, opening and changing the root key, whoever provides it. */
#include "vault/root.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void sr_root_master_path(const struct sr_config *config, char ret_path[static SR_MASTER_PATH_LEN])
{
	snprintf(ret_path, SR_MASTER_PATH_LEN, "%s/vault/master", config->state);
}

void sr_root_change_cleanup(struct sr_root_change *change)
{
	sr_buf_free(&change->descriptor);
	sr_secret_free(change->root);
	*change = (struct sr_root_change){0};
}

struct sr_result sr_root_change_new(const struct sr_root_settings *settings, const struct sr_root_provider *provider,
                                    const struct sr_root_input *input, struct sr_buf *handout,
                                    struct sr_root_change *ret_change)
{
	SR_CLEANUP(sr_root_change)
	struct sr_root_change change = {.provider = provider, .descriptor = SR_BUF(SR_ROOT_DESCRIPTOR_MAX)};
	SR_TRY(provider->create(settings, input, &change.descriptor, handout, &change.root));
	*ret_change = change;
	change = (struct sr_root_change){0};
	return sr_ok();
}

static struct sr_result settle(const struct sr_root_provider *provider, const struct sr_root_settings *settings,
                               struct sr_bytes descriptor)
{
	return provider->settle ? provider->settle(settings, descriptor) : sr_ok();
}

static struct sr_result retire(const struct sr_root_provider *provider, const struct sr_root_settings *settings,
                               struct sr_bytes descriptor)
{
	return provider->retire ? provider->retire(settings, descriptor) : sr_ok();
}

struct sr_result sr_root_begin(const char *path, const struct sr_root_settings *settings,
                               const struct sr_root_provider *provider, const struct sr_root_input *input,
                               struct sr_buf *handout)
{
	if (access(path, F_OK) == 0) {
		return sr_fail(SR_EXISTS, "%s is there already, and a root key is never overwritten", path);
	}
	SR_CLEANUP(sr_root_change) struct sr_root_change change = {0};
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	SR_TRY(sr_root_change_new(settings, provider, input, handout, &change));
	SR_TRY(sr_vault_master_new(&master));
	const struct sr_bytes descriptor = sr_buf_bytes(&change.descriptor);
	SR_TRY(sr_master_file_write(path, provider, descriptor, change.root, &master));
	return settle(provider, settings, descriptor);
}

struct sr_result sr_root_open(const struct sr_master_file *file, const struct sr_root_settings *settings,
                              const struct sr_root_input *input, struct sr_vault_master *ret_master)
{
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	SR_TRY(file->provider->open(settings, file->descriptor, input, &root));
	struct sr_result opened = sr_master_file_open(file, root, &master);
	if (sr_result_code(opened) == SR_WRONG_KEY && file->provider == &sr_root_passphrase) {
		sr_result_free(opened);
		return sr_fail(SR_WRONG_KEY, "this passphrase does not open the vault");
	}
	SR_TRY(opened);
	SR_TRY(settle(file->provider, settings, file->descriptor));
	*ret_master = master;
	master = (struct sr_vault_master){0};
	return sr_ok();
}

/* The provider opens anew what it made, by what people gave back. */
static struct sr_result prove(const struct sr_root_settings *settings, const struct sr_root_change *change,
                              const struct sr_root_input *input)
{
	SR_CLEANUP(sr_secret) struct sr_secret *again = NULL;
	SR_TRY(change->provider->open(settings, sr_buf_bytes(&change->descriptor), input, &again));
	return sr_secret_equal(again, change->root)
	           ? sr_ok()
	           : sr_fail(SR_WRONG_KEY, "what was given does not open the new root key; the old one stays");
}

static void note_left(struct sr_buf *left, struct sr_result result)
{
	if (!sr_is_ok(result)) {
		sr_buf_printf(left, "%s%s", left->len ? "; " : "", sr_result_message(result));
	}
	sr_result_free(result);
}

struct sr_result sr_root_change_commit(const char *path, const struct sr_root_settings *settings,
                                       struct sr_root_change *change, const struct sr_root_input *input,
                                       const struct sr_vault_master *master, struct sr_buf *left)
{
	SR_CLEANUP(sr_master_file) struct sr_master_file old = {0};
	SR_TRY(sr_master_file_read(path, &old));
	SR_TRY(prove(settings, change, input));
	const struct sr_bytes descriptor = sr_buf_bytes(&change->descriptor);
	SR_TRY(sr_master_file_write(path, change->provider, descriptor, change->root, master));
	/* From here on the new root key opens the installation. */
	note_left(left, settle(change->provider, settings, descriptor));
	if (old.provider != change->provider || old.version > 1) { /* version 1 does not tell one key file from another */
		note_left(left, retire(old.provider, settings, old.descriptor));
	}
	return sr_ok();
}

/* ---- what people gave ---- */

void sr_root_answer_cleanup(struct sr_root_answer *answer)
{
	sr_secret_free(answer->word);
	for (size_t i = 0; i < answer->input.share_count; i++) {
		sr_share_cleanup(&answer->shares[i]);
	}
	*answer = (struct sr_root_answer){0};
}

/* The next line, without its end; false where nothing is left. */
static bool next_line(struct sr_bytes *text, struct sr_bytes *ret_line)
{
	if (!text->len) {
		return false;
	}
	const uint8_t *end = memchr(text->data, '\n', text->len);
	const size_t len = end ? (size_t)(end - text->data) : text->len;
	*ret_line = sr_bytes_of(text->data, len);
	const size_t used = end ? len + 1 : len;
	*text = sr_bytes_of(text->data + used, text->len - used);
	if (ret_line->len && ret_line->data[ret_line->len - 1] == '\r') {
		ret_line->len--;
	}
	return true;
}

static struct sr_result read_shares(struct sr_bytes text, struct sr_root_answer *answer)
{
	struct sr_bytes line;
	while (next_line(&text, &line)) {
		if (!line.len) {
			continue;
		}
		if (answer->input.share_count == SR_SHARES_MOST) {
			return sr_fail(SR_INVALID, "there are more shares than any set has");
		}
		SR_TRY(sr_share_read(line, &answer->shares[answer->input.share_count]));
		answer->input.share_count++;
	}
	return sr_ok();
}

struct sr_result sr_root_answer_read(const struct sr_root_provider *provider, struct sr_bytes text,
                                     struct sr_root_answer *ret_answer)
{
	*ret_answer = (struct sr_root_answer){0};
	ret_answer->input.shares = ret_answer->shares;
	if (provider == &sr_root_shares) {
		return read_shares(text, ret_answer);
	}
	struct sr_bytes line;
	if (!next_line(&text, &line) || !line.len) {
		return sr_ok();
	}
	if (line.len > SR_SECRET_MAX) {
		return sr_fail(SR_INVALID, "that is longer than any passphrase");
	}
	SR_TRY(sr_secret_from_bytes(line, &ret_answer->word));
	ret_answer->input.word = ret_answer->word;
	return sr_ok();
}
