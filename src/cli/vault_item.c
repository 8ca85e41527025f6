/* Keys, secrets and certificates are addressed and listed in one way. */
#include "cli/vault_item.h"

#include <string.h>

const char *sr_cli_item_vault(const struct sr_cli *cli)
{
	const char *vault = sr_cli_option(cli, "vault");
	return vault ? vault : "default";
}

static const char *with_vault(struct sr_cli *cli, const char *target)
{
	return sr_arena_printf(cli->arena, "%s&vault=%s", target, sr_cli_escaped(cli, sr_cli_item_vault(cli)));
}

const char *sr_cli_item_target(struct sr_cli *cli, const char *path)
{
	return with_vault(cli, sr_arena_printf(cli->arena, "%s?api-version=7.4", path));
}

/* What follows the host in an absolute URL; NULL where there is none. */
static const char *path_of(const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;
	return host ? strchr(host + 3, '/') : NULL;
}

struct sr_result sr_cli_item_all(struct sr_cli *cli, const char *target, json_t **ret_values)
{
	SR_CLEANUP(sr_json) json_t *values = json_array();
	while (target) {
		SR_CLEANUP(sr_json) json_t *page = NULL;
		SR_TRY(sr_cli_call(cli, "vault", "GET", target, NULL, &page));
		json_array_extend(values, json_object_get(page, "value"));
		const char *path = path_of(json_string_value(json_object_get(page, "nextLink")));
		target = path ? with_vault(cli, path) : NULL;
	}
	*ret_values = SR_TAKE(values);
	return sr_ok();
}

const char *sr_cli_item_last_segment(const char *id)
{
	const char *slash = strrchr(id, '/');
	return slash ? slash + 1 : id;
}
