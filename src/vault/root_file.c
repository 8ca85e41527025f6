/*
 * The root key in a file. Descriptor: the key's commitment, 32 bytes; empty for a master file of version 1. A new key
 * is written beside the old one, as "FILE.next", and takes its place once the master file names it: whenever the
 * process ends in between, one of the two fits.
 */
#include "vault/root_provider.h"

#include "base/memory.h"
#include "seal/crypto.h"
#include "seal/key_file.h"
#include "vault/root_key.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct sr_result sr_root_key_read(const char *path, struct sr_secret **ret_key)
{
	return sr_key_file_read(path, ret_key);
}

struct sr_result sr_root_key_create(const char *path)
{
	if (access(path, F_OK) == 0) {
		return sr_fail(SR_EXISTS, "%s is there already, and a root key is never overwritten", path);
	}
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &key));
	return sr_key_file_write(path, key);
}

static struct sr_result commit(const struct sr_secret *root, uint8_t ret_commitment[static SR_SHA256_LEN])
{
	return sr_key_commitment(root, SR_LITERAL("root/file"), ret_commitment);
}

struct sr_result sr_root_key_describe(const struct sr_secret *root, struct sr_buf *descriptor)
{
	uint8_t commitment[SR_SHA256_LEN];
	SR_TRY(commit(root, commitment));
	sr_buf_append(descriptor, sr_bytes_of(commitment, sizeof commitment));
	return sr_buf_result(descriptor);
}

static char *next_path(const struct sr_root_settings *settings)
{
	return sr_strdupf("%s.next", settings->config->root_key);
}

static bool needs_person(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	(void)settings;
	(void)descriptor;
	return false;
}

static unsigned pieces_needed(struct sr_bytes descriptor)
{
	(void)descriptor;
	return 0;
}

static struct sr_result create(const struct sr_root_settings *settings, const struct sr_root_input *input,
                               struct sr_buf *descriptor, struct sr_buf *handout, struct sr_secret **ret_root)
{
	(void)input;
	(void)handout;
	SR_CLEANUP(sr_string) char *path = next_path(settings);
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &root));
	SR_TRY(sr_root_key_describe(root, descriptor));
	struct sr_result written = sr_key_file_write(path, root);
	if (sr_result_code(written) == SR_DENIED) {
		sr_result_free(written);
		return sr_fail(SR_DENIED,
		               "the vault may write no root key beside %s: it may only in a folder of its own below the state "
		               "directory (setting root-key)",
		               settings->config->root_key);
	}
	SR_TRY(written);
	*ret_root = SR_TAKE(root);
	return sr_ok();
}

/* The key of a file, if the descriptor is of it. */
static struct sr_result read_fitting(const char *path, struct sr_bytes descriptor, struct sr_secret **ret_root)
{
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	SR_TRY(sr_key_file_read(path, &root));
	uint8_t commitment[SR_SHA256_LEN];
	SR_TRY(commit(root, commitment));
	if (descriptor.len && !sr_equal_public(descriptor, sr_bytes_of(commitment, sizeof commitment))) {
		return sr_fail(SR_WRONG_KEY,
		               "%s is not this installation's root key, or its master file is damaged: put the file back from "
		               "your copy",
		               path);
	}
	*ret_root = SR_TAKE(root);
	return sr_ok();
}

static struct sr_result open_root(const struct sr_root_settings *settings, struct sr_bytes descriptor,
                                  const struct sr_root_input *input, struct sr_secret **ret_root)
{
	(void)input;
	if (descriptor.len && descriptor.len != SR_SHA256_LEN) {
		return sr_fail(SR_CORRUPT, "the master file describes no root key file");
	}
	struct sr_result current = read_fitting(settings->config->root_key, descriptor, ret_root);
	if (sr_is_ok(current) || !descriptor.len) {
		return current;
	}
	SR_CLEANUP(sr_string) char *path = next_path(settings);
	struct sr_result next = read_fitting(path, descriptor, ret_root);
	if (sr_is_ok(next)) {
		sr_result_free(current);
		return next;
	}
	sr_result_free(next);
	return current;
}

/* FILE.next takes its place where it is the one described, and goes where it is a left-over of a change that never was.
 */
static struct sr_result settle(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	SR_CLEANUP(sr_string) char *path = next_path(settings);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		return sr_ok();
	}
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	struct sr_result fits = read_fitting(path, descriptor, &root);
	if (sr_is_ok(fits) && descriptor.len) {
		return sr_key_file_rename(path, settings->config->root_key);
	}
	const enum sr_code code = sr_result_code(fits);
	if (code != SR_OK && code != SR_WRONG_KEY && code != SR_INVALID) {
		return fits; /* what cannot be read now may be the only copy of the root key */
	}
	sr_result_free(fits);
	return sr_key_file_remove(path);
}

static struct sr_result retire(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	struct sr_result fits = read_fitting(settings->config->root_key, descriptor, &root);
	const enum sr_code code = sr_result_code(fits);
	if (code == SR_WRONG_KEY || code == SR_INVALID || code == SR_NOT_FOUND) {
		sr_result_free(fits); /* the new key has taken its place already, or it is none of ours */
		return sr_ok();
	}
	SR_TRY(fits);
	return sr_key_file_remove(settings->config->root_key);
}

static void describe(struct sr_bytes descriptor, struct sr_buf *text)
{
	(void)descriptor;
	sr_buf_append_str(text, "a file");
}

const struct sr_root_provider sr_root_file = {
    .name = "file",
    .number = 1,
    .needs_person = needs_person,
    .pieces_needed = pieces_needed,
    .create = create,
    .open = open_root,
    .settle = settle,
    .retire = retire,
    .describe = describe,
};
