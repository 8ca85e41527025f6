/* certificate: the vault's certificates, and those that Strongroom's own services show. Private keys come from files
 * and go to nowhere: who may have one reads the secret of the same name. */
#include "cli/commands.h"

#include "base/text.h"
#include "seal/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define API          "api-version=7.4"
#define SYSTEM_VAULT "strongroom"

enum { FILE_MAX = 512 * 1024, VALUE_MAX = 2 * FILE_MAX, LINE = 64 };

static const char *vault_of(const struct sr_cli *cli)
{
	const char *vault = sr_cli_option(cli, "vault");
	return vault ? vault : "default";
}

static const char *target_in(struct sr_cli *cli, const char *path, const char *vault)
{
	return sr_arena_printf(cli->arena, "%s?" API "&vault=%s", path, sr_cli_escaped(cli, vault));
}

/* "/COLLECTION/NAME/TAIL" of the certificate that the line names, in the vault that it names. */
static const char *target_of(struct sr_cli *cli, const char *collection, const char *tail)
{
	return target_in(cli,
	                 sr_arena_printf(cli->arena, "/%s/%s%s%s", collection, sr_cli_escaped(cli, cli->arguments[0]),
	                                 tail ? "/" : "", tail ? tail : ""),
	                 vault_of(cli));
}

static const char *last_segment(const char *id)
{
	const char *slash = strrchr(id, '/');
	return slash ? slash + 1 : id;
}

static struct sr_result read_file(const char *path, struct sr_buf *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return sr_fail_errno(errno, "open %s", path);
	}
	uint8_t part[4096];
	ssize_t got;
	while ((got = read(fd, part, sizeof part)) > 0) {
		sr_buf_append(bytes, sr_bytes_of(part, (size_t)got));
	}
	int error_number = errno;
	close(fd);
	sr_wipe(part, sizeof part);
	SR_TRY(sr_buf_result(bytes));
	return got < 0 ? sr_fail_errno(error_number, "read %s", path) : sr_ok();
}

/* DER in Base64 as PEM. */
static void print_pem(const char *label, const char *base64)
{
	printf("-----BEGIN %s-----\n", label);
	for (size_t len = strlen(base64), at = 0; at < len; at += LINE) {
		printf("%.*s\n", LINE, base64 + at);
	}
	printf("-----END %s-----\n", label);
}

static const char *thumbprint(struct sr_cli *cli, const json_t *item)
{
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(64);
	struct sr_result decoded = sr_base64url_decode(sr_bytes_str(sr_cli_text(item, "x5t")), &bytes);
	bool is_whole = sr_is_ok(decoded) && bytes.len == 20;
	sr_ignore(decoded);
	char *text = sr_arena_alloc(cli->arena, 2 * 20 + 1);
	if (is_whole) {
		sr_hex_encode(sr_buf_bytes(&bytes), text);
	}
	return is_whole ? text : "-";
}

static void print_items(struct sr_cli *cli, const json_t *values, const char *heading)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return;
	}
	const char *const headings[] = {heading, "STATE", "VALID FROM", "EXPIRES", "THUMBPRINT"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const json_t *attributes = json_object_get(item, "attributes");
		const bool is_pending = !json_object_get(item, "x5t");
		const char *const cells[] = {
		    last_segment(sr_cli_text(item, "id")),
		    is_pending                                              ? "pending"
		    : json_is_false(json_object_get(attributes, "enabled")) ? "disabled"
		                                                            : "enabled",
		    sr_cli_time(cli, sr_cli_int(attributes, "nbf")),
		    sr_cli_time(cli, sr_cli_int(attributes, "exp")),
		    thumbprint(cli, item),
		};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
}

/* Follows a list's pages and joins their values; the caller owns the array. */
static struct sr_result all_pages(struct sr_cli *cli, const char *target, json_t **ret_values)
{
	SR_CLEANUP(sr_json) json_t *values = json_array();
	while (target) {
		SR_CLEANUP(sr_json) json_t *page = NULL;
		SR_TRY(sr_cli_call(cli, "vault", "GET", target, NULL, &page));
		json_array_extend(values, json_object_get(page, "value"));
		const char *next = json_string_value(json_object_get(page, "nextLink"));
		const char *path = next ? strstr(next, "/certificates") : NULL;
		target = path ? sr_arena_printf(cli->arena, "%s&vault=%s", path, sr_cli_escaped(cli, vault_of(cli))) : NULL;
	}
	*ret_values = SR_TAKE(values);
	return sr_ok();
}

struct sr_result sr_cli_certificate_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *values = NULL;
	const char *target = target_in(cli, "/certificates", vault_of(cli));
	SR_TRY(all_pages(cli, sr_arena_printf(cli->arena, "%s&includePending=true", target), &values));
	print_items(cli, values, "CERTIFICATE");
	return sr_ok();
}

struct sr_result sr_cli_certificate_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_CLEANUP(sr_json) json_t *versions = NULL;
	SR_TRY(
	    sr_cli_call(cli, "vault", "GET", target_of(cli, "certificates", sr_cli_option(cli, "version")), NULL, &bundle));
	if (sr_cli_option(cli, "pem")) {
		print_pem("CERTIFICATE", sr_cli_text(bundle, "cer"));
		return sr_ok();
	}
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bundle);
		return sr_ok();
	}
	const json_t *policy = json_object_get(bundle, "policy");
	const json_t *x509 = json_object_get(policy, "x509_props");
	printf("subject  %s\nissuer   %s\n", sr_cli_text(x509, "subject"),
	       sr_cli_text(json_object_get(policy, "issuer"), "name"));
	size_t at;
	json_t *name;
	json_array_foreach(json_object_get(json_object_get(x509, "sans"), "dns_names"), at, name)
	{
		printf("name     %s\n", json_string_value(name));
	}
	putchar('\n');
	SR_TRY(all_pages(cli, target_of(cli, "certificates", "versions"), &versions));
	print_items(cli, versions, "VERSION");
	return sr_ok();
}

/* The words between commas, as an array. */
static json_t *words_of(struct sr_cli *cli, const char *text)
{
	json_t *array = json_array();
	char *rest = NULL;
	for (char *word = strtok_r(sr_arena_strdup(cli->arena, text), ", ", &rest); word;
	     word = strtok_r(NULL, ", ", &rest)) {
		json_array_append_new(array, json_string(word));
	}
	return array;
}

static json_t *key_properties(struct sr_cli *cli, uint64_t bits)
{
	json_t *key = json_object();
	sr_json_set_string(key, "kty", sr_cli_option(cli, "curve") ? "EC" : sr_cli_option(cli, "type"));
	sr_json_set_string(key, "crv", sr_cli_option(cli, "curve"));
	if (bits) {
		sr_json_set_int(key, "key_size", (int64_t)bits);
	}
	if (sr_cli_option(cli, "no-export")) {
		sr_json_set_bool(key, "exportable", false);
	}
	return key;
}

/* A policy from the line's options. */
static struct sr_result policy_of(struct sr_cli *cli, json_t **ret_policy)
{
	uint64_t bits, months;
	SR_TRY(sr_cli_number(cli, "size", 0, &bits));
	SR_TRY(sr_cli_number(cli, "months", 12, &months));
	const char *subject = sr_cli_option(cli, "subject"), *dns = sr_cli_option(cli, "dns");
	const char *issuer = sr_cli_option(cli, "issuer");
	SR_CLEANUP(sr_json) json_t *policy = json_object();
	json_t *x509 = json_object(), *sans = json_object();
	sr_json_set(policy, "key_props", key_properties(cli, bits));
	sr_json_set(policy, "x509_props", x509);
	sr_json_set_string(x509, "subject", subject ? subject : sr_arena_printf(cli->arena, "CN=%s", cli->arguments[0]));
	sr_json_set_int(x509, "validity_months", (int64_t)months);
	sr_json_set(x509, "sans", sans);
	if (dns) {
		sr_json_set(sans, "dns_names", words_of(cli, dns));
	}
	if (sr_cli_option(cli, "pem")) {
		sr_json_set(policy, "secret_props", json_pack("{s:s}", "contentType", "application/x-pem-file"));
	}
	sr_json_set(policy, "issuer", json_pack("{s:s}", "name", issuer ? issuer : "Self"));
	*ret_policy = SR_TAKE(policy);
	return sr_ok();
}

/* How the creation that has just begun came out. */
static struct sr_result print_created(struct sr_cli *cli)
{
	SR_CLEANUP(sr_json) json_t *operation = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", target_of(cli, "certificates", "pending"), NULL, &operation));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(operation);
		return sr_ok();
	}
	if (strcmp(sr_cli_text(operation, "status"), "completed") != 0) {
		print_pem("CERTIFICATE REQUEST", sr_cli_text(operation, "csr"));
		fprintf(stderr, "Have this request signed by %s, then: strongroom certificate merge %s --file SIGNED.pem\n",
		        sr_cli_text(json_object_get(operation, "issuer"), "name"), cli->arguments[0]);
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", target_of(cli, "certificates", NULL), NULL, &bundle));
	printf("%s\nthumbprint %s, expires %s\n", sr_cli_text(bundle, "id"), thumbprint(cli, bundle),
	       sr_cli_time(cli, sr_cli_int(json_object_get(bundle, "attributes"), "exp")));
	return sr_ok();
}

struct sr_result sr_cli_certificate_create(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	json_t *policy;
	SR_TRY(policy_of(cli, &policy));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set(body, "policy", policy);
	SR_CLEANUP(sr_json) json_t *begun = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "POST", target_of(cli, "certificates", "create"), body, &begun));
	return print_created(cli);
}

/* One of our services, or a certificate of a vault by its own policy. */
static bool names_service(const struct sr_cli *cli)
{
	const char *vault = sr_cli_option(cli, "vault");
	if (vault) {
		return strcasecmp(vault, SYSTEM_VAULT) == 0;
	}
	for (size_t i = 0; sr_cli_services[i]; i++) {
		if (strcmp(sr_cli_services[i], cli->arguments[0]) == 0) {
			return true;
		}
	}
	return false;
}

static struct sr_result renew_service(struct sr_cli *cli)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const char *target = sr_arena_printf(cli->arena, "/_strongroom/certificates/renew?service=%s",
	                                     sr_cli_escaped(cli, cli->arguments[0]));
	SR_TRY(sr_cli_call(cli, "vault", "POST", target, NULL, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
	} else {
		printf("%s has a new certificate, and every open connection goes on\nthumbprint %s, expires %s\n",
		       sr_cli_text(answer, "service"), sr_cli_text(answer, "thumbprint"),
		       sr_cli_time(cli, sr_cli_int(answer, "exp")));
	}
	return sr_ok();
}

struct sr_result sr_cli_certificate_renew(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	if (names_service(cli)) {
		return renew_service(cli);
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	SR_CLEANUP(sr_json) json_t *begun = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "POST", target_of(cli, "certificates", "create"), body, &begun));
	return print_created(cli);
}

struct sr_result sr_cli_certificate_request(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *operation = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", target_of(cli, "certificates", "pending"), NULL, &operation));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(operation);
	} else {
		print_pem("CERTIFICATE REQUEST", sr_cli_text(operation, "csr"));
	}
	return sr_ok();
}

/* The file that --file names, in Base64; PEM stays text where it may. */
static struct sr_result file_value(struct sr_cli *cli, bool is_text_allowed, struct sr_buf *value)
{
	const char *path = sr_cli_option(cli, "file");
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(FILE_MAX);
	if (!path) {
		return sr_fail(SR_INVALID, "--file names the file to read");
	}
	SR_TRY(read_file(path, &bytes));
	if (is_text_allowed && strstr(sr_buf_text(&bytes), "-----BEGIN ")) {
		sr_buf_append(value, sr_buf_bytes(&bytes));
	} else {
		sr_base64_encode(value, sr_buf_bytes(&bytes));
	}
	return sr_buf_result(value);
}

static void print_bundle(struct sr_cli *cli, const json_t *bundle)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bundle);
	} else {
		printf("%s\nthumbprint %s\n", sr_cli_text(bundle, "id"), thumbprint(cli, bundle));
	}
}

/* The first line of the file with the password. */
static struct sr_result read_password(struct sr_cli *cli, struct sr_buf *password)
{
	const char *path = sr_cli_option(cli, "password-file");
	if (!path) {
		return sr_ok();
	}
	SR_TRY(read_file(path, password));
	password->len = strcspn(sr_buf_text(password), "\r\n");
	return sr_ok();
}

struct sr_result sr_cli_certificate_import(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_buf) struct sr_buf value = SR_BUF(VALUE_MAX), password = SR_BUF(4096);
	SR_TRY(file_value(cli, true, &value));
	SR_TRY(read_password(cli, &password));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "value", sr_buf_text(&value));
	sr_json_set_string(body, "pwd", sr_buf_text(&password));
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "POST", target_of(cli, "certificates", "import"), body, &bundle));
	print_bundle(cli, bundle);
	return sr_ok();
}

struct sr_result sr_cli_certificate_merge(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_buf) struct sr_buf value = SR_BUF(VALUE_MAX);
	SR_TRY(file_value(cli, false, &value));
	SR_CLEANUP(sr_json) json_t *body = json_pack("{s:[s]}", "x5c", sr_buf_text(&value));
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "POST", target_of(cli, "certificates", "pending/merge"), body, &bundle));
	print_bundle(cli, bundle);
	return sr_ok();
}

struct sr_result sr_cli_certificate_delete(struct sr_cli *cli, int *ret_status)
{
	const char *question =
	    sr_arena_printf(cli->arena, "Delete certificate %s with its key and secret?", cli->arguments[0]);
	if (!sr_cli_option(cli, "yes") && !sr_cli_confirm(question)) {
		fprintf(stderr, "Nothing was changed. (Without a terminal, say --yes.)\n");
		*ret_status = 1;
		return sr_ok();
	}
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "DELETE", target_of(cli, "certificates", NULL), NULL, &bundle));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(bundle);
	} else {
		printf("%s is deleted; it can be recovered until %s\n", cli->arguments[0],
		       sr_cli_time(cli, sr_cli_int(bundle, "scheduledPurgeDate")));
	}
	return sr_ok();
}

struct sr_result sr_cli_certificate_recover(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *bundle = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "POST", target_of(cli, "deletedcertificates", "recover"), NULL, &bundle));
	print_bundle(cli, bundle);
	return sr_ok();
}

struct sr_result sr_cli_certificate_ca(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *issuer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", target_in(cli, "/certificates/issuers/Strongroom", vault_of(cli)), NULL,
	                   &issuer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(issuer);
		return sr_ok();
	}
	const char *der = json_string_value(json_array_get(json_object_get(issuer, "x5c"), 0));
	print_pem("CERTIFICATE", der ? der : "");
	return sr_ok();
}
