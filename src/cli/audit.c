/* audit: the vault's log of who did what. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

struct sr_result sr_cli_audit_show(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	uint64_t after, limit;
	SR_TRY(sr_cli_number(cli, "after", 0, &after));
	SR_TRY(sr_cli_number(cli, "limit", 50, &limit));
	const char *target = sr_arena_printf(cli->arena, "/_strongroom/audit?after=%llu&limit=%llu",
	                                     (unsigned long long)after, (unsigned long long)limit);
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "GET", target, NULL, &answer));
	const json_t *values = json_object_get(answer, "value");
	size_t at;
	json_t *entry;
	json_array_foreach(values, at, entry)
	{
		json_dumpf(entry, stdout, JSON_COMPACT);
		putchar('\n');
	}
	return sr_ok();
}

struct sr_result sr_cli_audit_verify(struct sr_cli *cli, int *ret_status)
{
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "POST", "/_strongroom/audit/verify", NULL, &answer));
	bool is_whole = strcmp(sr_cli_text(answer, "result"), "ok") == 0;
	*ret_status = is_whole ? 0 : 1;
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(answer);
	} else if (is_whole) {
		printf("the audit log is whole: %lld entries\n", (long long)sr_cli_int(answer, "entries"));
	} else {
		printf("the audit log is broken at entry %lld\n", (long long)sr_cli_int(answer, "at"));
	}
	return sr_ok();
}
