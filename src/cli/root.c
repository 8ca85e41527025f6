/* unseal, seal, root show, root migrate, root rekey. */
#include "cli/root.h"

#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/prompt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { GIVEN_MAX = 32768, ANSWER_MAX = 1 << 20 };

static struct sr_result parse_shares(const char *text, struct sr_cli_root *root)
{
	const char *equals = strchr(text, '=');
	const char *slash = equals ? strchr(equals, '/') : NULL;
	uint64_t threshold = 0, count = 0;
	SR_CLEANUP(sr_result)
	struct sr_result parsed = slash ? sr_first_error(sr_parse_u64(sr_bytes_of(equals + 1, (size_t)(slash - equals - 1)),
	                                                              SR_SHARES_MOST, &threshold),
	                                                 sr_parse_u64(sr_bytes_str(slash + 1), SR_SHARES_MOST, &count))
	                                : sr_ok();
	if (!sr_is_ok(parsed) || threshold < 2 || threshold > count) {
		return sr_fail(SR_INVALID, "'%.64s': say how many shares are needed, of how many: shares=3/5", text);
	}
	root->threshold = (unsigned)threshold;
	root->share_count = (unsigned)count;
	return sr_ok();
}

struct sr_result sr_cli_root_parse(struct sr_cli *cli, const char *text, bool has_pin, struct sr_cli_root *ret_root)
{
	struct sr_cli_root root = {0};
	char *name = sr_arena_strdup(cli->arena, text);
	name[strcspn(name, "=")] = 0;
	SR_TRY(sr_root_provider_named(name, &root.provider));
	if (strcmp(name, "shares") == 0) {
		SR_TRY(parse_shares(text, &root));
	} else if (strchr(text, '=')) {
		return sr_fail(SR_INVALID, "'%.64s': only shares have numbers", text);
	}
	const bool is_device = strcmp(name, "tpm") == 0 || strcmp(name, "pkcs11") == 0;
	root.wants_word = strcmp(name, "passphrase") == 0 || (is_device && has_pin && !*cli->config.root_pin);
	*ret_root = root;
	return sr_ok();
}

struct sr_result sr_cli_root_ask(const struct sr_cli_root *root, struct sr_buf *text)
{
	if (!root->wants_word) {
		return sr_ok();
	}
	return sr_cli_read_new_secret(strcmp(root->provider->name, "passphrase") == 0 ? "New passphrase" : "PIN", text);
}

/* ---- shares on paper ---- */

static struct sr_bytes take_line(struct sr_bytes *text)
{
	const uint8_t *end = text->len ? memchr(text->data, '\n', text->len) : NULL;
	const size_t len = end ? (size_t)(end - text->data) : text->len;
	const struct sr_bytes line = sr_bytes_of(text->data, len);
	const size_t used = end ? len + 1 : len;
	*text = sr_bytes_of(text->data + used, text->len - used);
	return line;
}

void sr_cli_print_shares(struct sr_bytes handout, unsigned threshold)
{
	if (!handout.len) {
		return;
	}
	printf("Shares, shown this once. Give each to another person; any %u of them open the vault\n"
	       "(strongroom unseal), and fewer tell nothing:\n\n",
	       threshold);
	while (handout.len) {
		const struct sr_bytes line = take_line(&handout);
		printf("  %.*s\n", (int)line.len, (const char *)line.data);
	}
	putchar('\n');
	fflush(stdout);
}

void sr_cli_shares_json(struct sr_bytes handout, json_t *object)
{
	json_t *shares = json_array();
	while (handout.len) {
		const struct sr_bytes line = take_line(&handout);
		json_array_append_new(shares, json_stringn((const char *)line.data, line.len));
	}
	sr_json_set(object, "shares", shares);
}

/* ---- unseal and seal ---- */

static struct sr_result gate_status(struct sr_cli *cli, json_t **ret_status)
{
	return sr_cli_call(cli, "vault", "GET", "/_strongroom/status", NULL, ret_status);
}

static const char *question_for(const json_t *status)
{
	const char *root = sr_cli_text(status, "root");
	return strcmp(root, "passphrase") == 0 ? "Passphrase" : strcmp(root, "shares") == 0 ? "Share" : "PIN";
}

static bool is_sealed(const json_t *status)
{
	return json_is_true(json_object_get(status, "sealed"));
}

static struct sr_result give(struct sr_cli *cli, const json_t *before, json_t **ret_after)
{
	SR_CLEANUP(sr_buf) struct sr_buf given = SR_BUF(GIVEN_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf answer = SR_BUF(ANSWER_MAX);
	if (sr_cli_int(before, "needed") > 0) {
		SR_TRY(sr_cli_read_secrets(question_for(before), &given));
	}
	SR_TRY(sr_cli_call_secret(cli, "POST", "/_strongroom/unseal", sr_buf_bytes(&given), &answer));
	return sr_json_parse(sr_buf_bytes(&answer), ret_after);
}

static void print_gate(const json_t *status)
{
	if (!is_sealed(status)) {
		puts("The vault is open.");
	} else if (strcmp(sr_cli_text(status, "root"), "shares") == 0) {
		printf("The vault is sealed: %lld of %lld shares were given.\n", (long long)sr_cli_int(status, "given"),
		       (long long)sr_cli_int(status, "needed"));
	} else {
		puts("The vault is sealed.");
	}
}

struct sr_result sr_cli_unseal(struct sr_cli *cli, int *ret_status)
{
	SR_CLEANUP(sr_json) json_t *status = NULL;
	SR_TRY(gate_status(cli, &status));
	if (sr_cli_option(cli, "reset") && is_sealed(status)) {
		SR_TRY(sr_cli_call(cli, "vault", "DELETE", "/_strongroom/unseal", NULL, &status));
	} else if (is_sealed(status)) {
		json_t *after = NULL;
		SR_TRY(give(cli, status, &after));
		json_decref(status);
		status = after;
	}
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(status);
	} else {
		print_gate(status);
	}
	*ret_status = is_sealed(status) && !sr_cli_int(status, "given") && !sr_cli_option(cli, "reset") ? 1 : 0;
	return sr_ok();
}

struct sr_result sr_cli_seal(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	if (!sr_cli_option(cli, "yes") &&
	    !sr_cli_confirm("Every service stops serving until somebody runs strongroom unseal. Seal the vault?")) {
		return sr_fail(SR_INVALID, "not confirmed; --yes does not ask");
	}
	SR_TRY(sr_cli_call(cli, "vault", "POST", "/_strongroom/seal", NULL, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
	} else {
		printf("The vault is sealed: its keys are gone from memory, and no service holds one (%lld ms).\n",
		       (long long)sr_cli_int(answer, "took_us") / 1000);
	}
	return sr_ok();
}

/* ---- the root key ---- */

struct sr_result sr_cli_root_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *status = NULL;
	SR_CLEANUP(sr_json) json_t *root = NULL;
	SR_TRY(gate_status(cli, &status));
	if (!is_sealed(status)) {
		SR_TRY(sr_cli_call(cli, "vault", "GET", "/_strongroom/root", NULL, &root));
	}
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(root ? root : status);
		return sr_ok();
	}
	printf("provider  %s\n", sr_cli_text(status, "root"));
	if (root) {
		printf("root key  %s\n", sr_cli_text(root, "description"));
	}
	print_gate(status);
	return sr_ok();
}

/* What proves to the vault that the new root key can be had again: the word, or as many shares as are needed. */
static struct sr_bytes proof_of(const struct sr_cli_root *root, struct sr_bytes word, struct sr_bytes handout)
{
	struct sr_bytes rest = handout;
	for (unsigned i = 0; i < root->threshold; i++) {
		(void)take_line(&rest);
	}
	return root->threshold ? sr_bytes_of(handout.data, handout.len - rest.len) : word;
}

static struct sr_result drop(struct sr_cli *cli, const char *why)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	sr_ignore(sr_cli_call(cli, "vault", "DELETE", "/_strongroom/root/prepare", NULL, &answer));
	return sr_fail(SR_INVALID, "%s; the root key is what it was", why);
}

/* Shares are of no use if nobody has them: they are shown before the old root key is given up. */
static struct sr_result show_handout(struct sr_cli *cli, const struct sr_cli_root *root, struct sr_bytes handout)
{
	if (!handout.len) {
		return sr_ok();
	}
	if (sr_cli_wants_json(cli)) {
		SR_CLEANUP(sr_json) json_t *object = json_object();
		sr_cli_shares_json(handout, object);
		sr_cli_print_json(object);
		return fflush(stdout) ? sr_fail(SR_IO, "the shares could not be printed; the root key is what it was")
		                      : sr_ok();
	}
	sr_cli_print_shares(handout, root->threshold);
	if (isatty(STDIN_FILENO) && !sr_cli_option(cli, "yes") &&
	    !sr_cli_confirm("Are the shares written down? From now on they open the vault, and nothing else does.")) {
		return drop(cli, "not confirmed");
	}
	return sr_ok();
}

static struct sr_result change(struct sr_cli *cli, const struct sr_cli_root *root)
{
	SR_CLEANUP(sr_buf) struct sr_buf word = SR_BUF(GIVEN_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf handout = SR_BUF(ANSWER_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf answer = SR_BUF(ANSWER_MAX);
	SR_CLEANUP(sr_json) json_t *result = NULL;
	SR_TRY(sr_cli_root_ask(root, &word));
	const char *target = sr_arena_printf(cli->arena, "/_strongroom/root/prepare?to=%s&threshold=%u&count=%u",
	                                     root->provider->name, root->threshold, root->share_count);
	SR_TRY(sr_cli_call_secret(cli, "POST", target, sr_buf_bytes(&word), &handout));
	SR_TRY(show_handout(cli, root, sr_buf_bytes(&handout)));
	SR_TRY(sr_cli_call_secret(cli, "POST", "/_strongroom/root/commit",
	                          proof_of(root, sr_buf_bytes(&word), sr_buf_bytes(&handout)), &answer));
	SR_TRY(sr_json_parse(sr_buf_bytes(&answer), &result));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(result);
		return sr_ok();
	}
	printf("The root key is now %s.\n", sr_cli_text(result, "description"));
	if (*sr_cli_text(result, "left")) {
		printf("What is left of the old one could not be removed: %s\n", sr_cli_text(result, "left"));
	}
	return sr_ok();
}

struct sr_result sr_cli_root_migrate(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	struct sr_cli_root root;
	SR_TRY(sr_cli_root_parse(cli, cli->arguments[0], sr_cli_option(cli, "pin") != NULL, &root));
	return change(cli, &root);
}

struct sr_result sr_cli_root_rekey(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *now = NULL;
	struct sr_cli_root root;
	SR_TRY(sr_cli_call(cli, "vault", "GET", "/_strongroom/root", NULL, &now));
	const char *name = sr_cli_text(now, "root");
	const char *shares = cli->arguments[0];
	if (strcmp(name, "shares") == 0 && !shares) {
		const int64_t total = sr_cli_int(now, "total");
		shares = sr_arena_printf(cli->arena, "%lld/%lld", (long long)sr_cli_int(now, "needed"), (long long)total);
	}
	const char *text = strcmp(name, "shares") == 0 ? sr_arena_printf(cli->arena, "shares=%s", shares) : name;
	SR_TRY(sr_cli_root_parse(cli, text, sr_cli_option(cli, "pin") != NULL || sr_cli_int(now, "needed") > 0, &root));
	return change(cli, &root);
}
