/* Reading and writing key files. Knows nothing of what the key wraps. */
#include "seal/key_file.h"

#include "base/text.h"
#include "seal/file.h"
#include "seal/secret_bytes.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "strongroom-root-key-v1 "
enum { PREFIX_LEN = sizeof PREFIX - 1, HEX_LEN = 2 * SR_KEY_LEN, FILE_LEN = PREFIX_LEN + HEX_LEN + 1, FILE_MAX = 4096 };

/* A buffer that held key bytes: wiped before its memory goes back. */
static void key_text_cleanup(struct sr_buf *text)
{
	if (text->data) {
		sr_wipe(text->data, text->cap);
	}
	sr_buf_free(text);
}

static struct sr_result check_file(const char *path, const char *what)
{
	struct stat status;
	if (stat(path, &status) < 0) {
		if (errno == ENOENT) {
			return sr_fail(SR_NOT_FOUND, "there is no %s at %s: put it back from your copy", what, path);
		}
		return sr_fail_errno(errno, "looking at the %s %s", what, path);
	}
	if (status.st_mode & (S_IRWXG | S_IRWXO)) {
		return sr_fail(SR_DENIED, "others may read the %s %s: chmod 0600 it", what, path);
	}
	return sr_ok();
}

static struct sr_result no_key(const char *path)
{
	return sr_fail(SR_INVALID, "%s holds no whole root key: put it back from your copy", path);
}

static struct sr_result parse(const char *path, struct sr_bytes text, struct sr_secret **ret_key)
{
	if (text.len == FILE_LEN && text.data[FILE_LEN - 1] == '\n') {
		text.len--; /* an editor or printer may have dropped the line's end */
	}
	if (text.len != FILE_LEN - 1 || !sr_bytes_start_with(text, SR_LITERAL(PREFIX))) {
		return no_key(path);
	}
	uint8_t bytes[SR_KEY_LEN];
	struct sr_result result = sr_hex_decode(sr_bytes_of(text.data + PREFIX_LEN, HEX_LEN), bytes, sizeof bytes);
	if (!sr_is_ok(result)) {
		sr_result_free(result);
		result = no_key(path);
	} else {
		result = sr_secret_from_bytes(sr_bytes_of(bytes, sizeof bytes), ret_key);
	}
	sr_wipe(bytes, sizeof bytes);
	return result;
}

struct sr_result sr_key_file_read(const char *path, struct sr_secret **ret_key)
{
	SR_TRY(check_file(path, "root key"));
	SR_CLEANUP(key_text) struct sr_buf text = SR_BUF(FILE_MAX);
	SR_TRY(sr_file_read(path, FILE_MAX, &text));
	return parse(path, sr_buf_bytes(&text), ret_key);
}

struct sr_result sr_key_file_read_word(const char *path, struct sr_secret **ret_word)
{
	SR_TRY(check_file(path, "PIN"));
	SR_CLEANUP(key_text) struct sr_buf text = SR_BUF(FILE_MAX);
	SR_TRY(sr_file_read(path, FILE_MAX, &text));
	size_t len = 0;
	while (len < text.len && text.data[len] != '\n' && text.data[len] != '\r') {
		len++;
	}
	if (!len) {
		return sr_fail(SR_INVALID, "the PIN %s is empty", path);
	}
	return sr_secret_from_bytes(sr_bytes_of(text.data, len), ret_word);
}

struct sr_result sr_key_file_write(const char *path, const struct sr_secret *key)
{
	if (sr_secret_len(key) != SR_KEY_LEN) {
		return sr_fail(SR_INVALID, "write a key file: the key has %zu bytes", sr_secret_len(key));
	}
	char hex[HEX_LEN + 1];
	sr_hex_encode(sr_secret_bytes(key), hex);
	SR_CLEANUP(key_text) struct sr_buf text = SR_BUF(FILE_MAX);
	sr_buf_append_str(&text, PREFIX);
	sr_buf_append_str(&text, hex);
	sr_buf_append_str(&text, "\n");
	sr_wipe(hex, sizeof hex);
	SR_TRY(sr_buf_result(&text));
	return sr_file_write_durable(path, sr_buf_bytes(&text));
}

struct sr_result sr_key_file_rename(const char *from, const char *to)
{
	if (rename(from, to)) {
		return sr_fail_errno(errno, "rename %s to %s", from, to);
	}
	return sr_file_sync_name(to);
}

struct sr_result sr_key_file_remove(const char *path)
{
	if (unlink(path)) {
		return errno == ENOENT ? sr_ok() : sr_fail_errno(errno, "remove %s", path);
	}
	return sr_file_sync_name(path);
}
