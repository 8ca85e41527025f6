/* Reads and makes the root key's file. The only place of the vault where key bytes are outside secret memory, for as
 * long as it takes to copy them, and wiped after. Knows nothing of what the root key wraps. */
#include "vault/root_key.h"

#include "base/random.h"
#include "base/text.h"
#include "seal/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

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

static struct sr_result check_file(const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0) {
		if (errno == ENOENT) {
			return sr_fail(
			    SR_NOT_FOUND,
			    "there is no root key at %s: put it back from your copy, or make a new installation (strongroom init)",
			    path);
		}
		return sr_fail_errno(errno, "looking at the root key %s", path);
	}
	if (status.st_mode & (S_IRWXG | S_IRWXO)) {
		return sr_fail(SR_DENIED, "others may read the root key %s: chmod 0600 it", path);
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

struct sr_result sr_root_key_read(const char *path, struct sr_secret **ret_key)
{
	SR_TRY(check_file(path));
	SR_CLEANUP(key_text) struct sr_buf text = SR_BUF(FILE_MAX);
	SR_TRY(sr_file_read(path, FILE_MAX, &text));
	return parse(path, sr_buf_bytes(&text), ret_key);
}

struct sr_result sr_root_key_create(const char *path)
{
	struct stat status;
	if (lstat(path, &status) == 0) {
		return sr_fail(SR_EXISTS, "%s is there already, and a root key is never overwritten", path);
	}
	uint8_t bytes[SR_KEY_LEN];
	char hex[HEX_LEN + 1];
	sr_random(bytes, sizeof bytes);
	sr_hex_encode(sr_bytes_of(bytes, sizeof bytes), hex);
	SR_CLEANUP(key_text) struct sr_buf text = SR_BUF(FILE_MAX);
	sr_buf_append_str(&text, PREFIX);
	sr_buf_append_str(&text, hex);
	sr_buf_append_str(&text, "\n");
	sr_wipe(bytes, sizeof bytes);
	sr_wipe(hex, sizeof hex);
	SR_TRY(sr_buf_result(&text));
	return sr_file_write_durable(path, sr_buf_bytes(&text));
}
