/*
 * Whole calls of the vault's API, and blobs of backups behind their seal. The input: a line "METHOD PATH", then the
 * body. Paths "/keys/restore", "/secrets/restore" and "/certificates/restore" take the body as what their seal holds,
 * which is how far somebody would come who had the vault's key. Every failure has a row in the table of errors and says
 * something, and none is one of ours.
 */
#include "ground.h"

#include "seal/crypto.h"
#include "vault/api_error.h"

#include "../unit/vault/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct rig rig;

static const char *restore_aad(const char *path)
{
	static const char *const kinds[][2] = {{"/keys/restore", "key-backup"},
	                                       {"/secrets/restore", "secret-backup"},
	                                       {"/certificates/restore", "certificate-backup"}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i][0], path) == 0) {
			return kinds[i][1];
		}
	}
	return NULL;
}

static const char *seal_body(const char *aad, struct sr_bytes blob)
{
	SR_CLEANUP(sr_buf) struct sr_buf sealed = SR_BUF(1 << 20);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 21);
	require_ok(sr_aead_seal(rig.vault.state.records, sr_bytes_str(aad), blob, &sealed));
	sr_buf_append_str(&text, "{\"value\":\"");
	sr_base64url_encode(&text, sr_buf_bytes(&sealed));
	sr_buf_append_str(&text, "\"}");
	return sr_arena_text(rig.arena, sr_buf_bytes(&text));
}

/* What came of earlier inputs is taken away. */
static void clear(void)
{
	static const char *const tables[] = {"certificate_operation",
	                                     "certificate_version",
	                                     "certificate",
	                                     "certificate_issuer",
	                                     "certificate_contacts",
	                                     "secret_version",
	                                     "secret",
	                                     "key_version",
	                                     "key"};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		rig_sql(&rig, sr_arena_printf(rig.arena, "DELETE FROM %s", tables[i]));
	}
}

/* Making RSA keys takes its time; what is asked of it is fuzz_key_wishes' and fuzz_certificate_policy's. */
static bool makes_keys(const char *path)
{
	return strstr(path, "/create") || strstr(path, "/rotate");
}

/* Of what is sealed twice the inner seal may be broken. */
static void check_told(struct sr_result failure, bool is_restore)
{
	if (is_restore && sr_result_code(failure) == SR_CORRUPT) {
		return;
	}
	const struct sr_vault_error error = sr_vault_error_of(failure);
	if (error.status < 400 || error.is_ours || !*sr_result_message(failure)) {
		fprintf(stderr, "%d %s: %s\n", error.status, error.code, sr_result_message(failure));
		abort();
	}
}

static void call(struct sr_bytes input)
{
	const uint8_t *end = input.len ? memchr(input.data, '\n', input.len) : NULL;
	const char *line = sr_arena_text(rig.arena, sr_bytes_of(input.data, end ? (size_t)(end - input.data) : input.len));
	char *path = strchr(line, ' ');
	if (!path || path[1] != '/' || makes_keys(path)) {
		return;
	}
	*path++ = 0;
	const struct sr_bytes rest =
	    end ? sr_bytes_of(end + 1, (size_t)(input.data + input.len - end - 1)) : SR_LITERAL("");
	const char *aad = restore_aad(path);
	const char *body = aad ? seal_body(aad, rest) : rest.len ? sr_arena_text(rig.arena, rest) : NULL;
	SR_CLEANUP(sr_result) struct sr_result result = rig_call(&rig, line, path, body);
	if (!sr_is_ok(result)) {
		check_told(result, aad != NULL);
	} else if (strcmp(line, "GET") != 0) {
		clear();
	}
}

static void end(void)
{
	rig_end(&rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!rig.arena) {
		setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 0);
		require_ok(sr_seal_init());
		rig_open(&rig);
		atexit(end);
	}
	struct sr_arena *kept = rig.arena;
	rig.arena = sr_arena_new();
	call(sr_bytes_of(data, len));
	sr_arena_free(rig.arena);
	rig.arena = kept;
	return 0;
}
