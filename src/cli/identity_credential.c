/* identity principal …, identity federation …: what proves an application besides client secrets. */
#include "cli/command.h"

#include "base/text.h"
#include "seal/file.h"

#include <stdio.h>

enum { FILE_MAX = 60000 };

static const char *principal_target(struct sr_cli *cli, const char *rest)
{
	return sr_arena_printf(cli->arena, "/_strongroom/principals/%s%s", sr_cli_escaped(cli, cli->arguments[0]), rest);
}

/* The second argument as a last segment behind `rest`. */
static const char *item_target(struct sr_cli *cli, const char *rest)
{
	return sr_arena_printf(cli->arena, "%s/%s", principal_target(cli, rest), sr_cli_escaped(cli, cli->arguments[1]));
}

/* A call whose answer is empty. */
static struct sr_result tell(struct sr_cli *cli, const char *method, const char *target, const json_t *body)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	return sr_cli_call(cli, "identity", method, target, body, &answer);
}

static struct sr_result remove_item(struct sr_cli *cli, const char *target)
{
	SR_TRY(tell(cli, "DELETE", target, NULL));
	printf("removed; tokens that were got by it are refused\n");
	return sr_ok();
}

static struct sr_result add_certificate(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(FILE_MAX);
	SR_TRY(sr_file_read(cli->arguments[1], FILE_MAX, &file));
	if (!sr_is_utf8(sr_buf_bytes(&file))) {
		return sr_fail(SR_INVALID, "%s is no PEM file: openssl x509 -inform der -in FILE makes one", cli->arguments[1]);
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set(body, "certificate", json_stringn((const char *)file.data, file.len));
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", principal_target(cli, "/certificates"), body, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
		return sr_ok();
	}
	printf("certificate  %s\nthumbprint   %s\nclient id    %s\n", sr_cli_text(answer, "certificateId"),
	       sr_cli_text(answer, "thumbprint"), sr_cli_text(answer, "clientId"));
	return sr_ok();
}

static struct sr_result remove_certificate(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return remove_item(cli, item_target(cli, "/certificates"));
}

static struct sr_result remove_secret(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return remove_item(cli, item_target(cli, "/secrets"));
}

static struct sr_result add_secret(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	uint64_t days;
	SR_TRY(sr_cli_number(cli, "days", 0, &days));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_int(body, "expires_s", (int64_t)(days % 100000 * 86400));
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", principal_target(cli, "/secrets"), body, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
		return sr_ok();
	}
	printf("secret id  %s\nsecret     %s\n\nThe secret is shown this once.\n", sr_cli_text(answer, "secretId"),
	       sr_cli_text(answer, "secret"));
	return sr_ok();
}

static struct sr_result add_federated(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *issuer = sr_cli_option(cli, "issuer");
	const char *subject = sr_cli_option(cli, "subject");
	if (!issuer || !subject) {
		return sr_fail(SR_INVALID, "--issuer and --subject say whose tokens are taken");
	}
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "issuer", issuer);
	sr_json_set_string(body, "subject", subject);
	sr_json_set_string(body, "audience", sr_cli_option(cli, "audience"));
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "POST", principal_target(cli, "/federated"), body, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
		return sr_ok();
	}
	printf("credential  %s\nclient id   %s\n", sr_cli_text(answer, "credentialId"), sr_cli_text(answer, "clientId"));
	return sr_ok();
}

static struct sr_result remove_federated(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	return remove_item(cli, item_target(cli, "/federated"));
}

static void list_rows(struct sr_cli_table *table, const json_t *items, const char *kind, const char *id,
                      const char *detail)
{
	size_t at;
	json_t *item;
	json_array_foreach(items, at, item)
	{
		const char *expires = sr_cli_text(item, "expires");
		const char *const cells[] = {kind, sr_cli_text(item, id), sr_cli_text(item, "created"),
		                             *expires ? expires : "-", sr_cli_text(item, detail)};
		sr_cli_table_row(table, cells);
	}
}

static struct sr_result run_credentials(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", principal_target(cli, ""), NULL, &answer));
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
		return sr_ok();
	}
	const char *const headings[] = {"KIND", "ID", "SINCE", "EXPIRES", "WHAT"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 5);
	list_rows(table, json_object_get(answer, "secrets"), "secret", "secretId", "");
	list_rows(table, json_object_get(answer, "certificates"), "certificate", "certificateId", "thumbprint");
	list_rows(table, json_object_get(answer, "federated"), "federated", "credentialId", "subject");
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result federation_set(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *path = sr_cli_option(cli, "jwks");
	if (!path) {
		return sr_fail(SR_INVALID, "--jwks FILE has the issuer's keys: what it publishes as its jwks_uri");
	}
	SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(FILE_MAX);
	SR_CLEANUP(sr_json) json_t *keys = NULL;
	SR_TRY(sr_file_read(path, FILE_MAX, &file));
	SR_TRY(sr_json_parse(sr_buf_bytes(&file), &keys));
	SR_CLEANUP(sr_json) json_t *body = json_object();
	sr_json_set_string(body, "issuer", cli->arguments[0]);
	sr_json_set(body, "jwks", SR_TAKE(keys));
	SR_TRY(tell(cli, "PUT", "/_strongroom/federation", body));
	printf("tokens of %s are checked with these keys from now on\n", cli->arguments[0]);
	return sr_ok();
}

static struct sr_result federation_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "identity", "GET", "/_strongroom/federation", NULL, &answer));
	const json_t *values = json_object_get(answer, "value");
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(values);
		return sr_ok();
	}
	const char *const headings[] = {"ISSUER", "KEYS", "CHANGED"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 3);
	size_t at;
	json_t *item;
	json_array_foreach(values, at, item)
	{
		const char *const cells[] = {sr_cli_text(item, "issuer"),
		                             sr_arena_printf(cli->arena, "%lld", (long long)sr_cli_int(item, "keys")),
		                             sr_cli_text(item, "changed")};
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
	return sr_ok();
}

static struct sr_result federation_remove(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	const char *target =
	    sr_arena_printf(cli->arena, "/_strongroom/federation?issuer=%s", sr_cli_escaped(cli, cli->arguments[0]));
	SR_TRY(tell(cli, "DELETE", target, NULL));
	printf("tokens of %s are refused from now on\n", cli->arguments[0]);
	return sr_ok();
}

const struct sr_command sr_identity_credential_commands[] = {
    {
        .words = "identity principal credentials",
        .synopsis = "PRINCIPAL",
        .summary = "list what proves a client",
        .text = "Lists a principal's secrets, certificates and federated credentials, with their ids and times.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = run_credentials,
    },
    {
        .words = "identity principal add-secret",
        .synopsis = "PRINCIPAL [--days DAYS]",
        .summary = "give a client one more secret",
        .text = "The secret is shown once. So that a secret can be exchanged: add one, change the client, remove\n"
                "the old one.",
        .options = {SR_CLI_FORMAT, {"days", "DAYS", "how long it is good for (default: without end)"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = add_secret,
    },
    {
        .words = "identity principal remove-secret",
        .synopsis = "PRINCIPAL SECRET-ID",
        .summary = "take a secret back",
        .text = "Tokens that were got by it are refused within a second.",
        .least_arguments = 2,
        .most_arguments = 2,
        .run = remove_secret,
    },
    {
        .words = "identity principal add-certificate",
        .synopsis = "PRINCIPAL FILE",
        .summary = "let a client prove itself by a certificate",
        .text = "Registers the first certificate of a PEM file (RSA of 2048 to 4096 bits, or EC P-256). The client\n"
                "signs its assertions with the private key, which stays with it.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 2,
        .most_arguments = 2,
        .run = add_certificate,
    },
    {
        .words = "identity principal remove-certificate",
        .synopsis = "PRINCIPAL CERTIFICATE",
        .summary = "take a certificate back",
        .text = "By its id or thumbprint. Tokens that were got by it are refused within a second.",
        .least_arguments = 2,
        .most_arguments = 2,
        .run = remove_certificate,
    },
    {
        .words = "identity principal add-federated",
        .synopsis = "PRINCIPAL --issuer URL --subject SUBJECT [--audience AUDIENCE]",
        .summary = "let a client prove itself by another issuer's token",
        .text = "Takes tokens (of Kubernetes, say) whose issuer, subject and audience are exactly these. The\n"
                "issuer's keys are registered by identity federation set.",
        .options = {SR_CLI_FORMAT,
                    {"issuer", "URL", "the token's iss"},
                    {"subject", "SUBJECT", "the token's sub, such as system:serviceaccount:NAMESPACE:NAME"},
                    {"audience", "AUDIENCE", "the token's aud (default api://AzureADTokenExchange)"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = add_federated,
    },
    {
        .words = "identity principal remove-federated",
        .synopsis = "PRINCIPAL CREDENTIAL-ID",
        .summary = "take a federated credential back",
        .text = "Tokens that were got by it are refused within a second.",
        .least_arguments = 2,
        .most_arguments = 2,
        .run = remove_federated,
    },
    {
        .words = "identity federation set",
        .synopsis = "ISSUER --jwks FILE",
        .summary = "register an outside issuer's keys",
        .text = "FILE is the issuer's JWKS: what it publishes as its jwks_uri (for Kubernetes: kubectl get --raw\n"
                "/openid/v1/jwks). Set it again when the issuer changes its keys.",
        .options = {{"jwks", "FILE", "the keys"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = federation_set,
    },
    {
        .words = "identity federation list",
        .synopsis = "",
        .summary = "list outside issuers",
        .text = "Lists issuers with the number of their keys.",
        .options = {SR_CLI_FORMAT},
        .run = federation_list,
    },
    {
        .words = "identity federation remove",
        .synopsis = "ISSUER",
        .summary = "forget an outside issuer's keys",
        .text = "Its tokens are refused from then on.",
        .least_arguments = 1,
        .most_arguments = 1,
        .run = federation_remove,
    },
    {0},
};
