/* Role definitions as customers bring them: what is taken is what is shown, and is taken again. */
#include "identity/role_definition.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* No scope that a custom role may not have, no pattern that is none. */
static void check_rules(const struct sr_role_definition *definition)
{
	if (!*definition->role.name || !definition->assignable_scopes[0]) {
		abort();
	}
	for (const char *const *scope = definition->assignable_scopes; *scope; scope++) {
		if (**scope != '/' || strcmp(*scope, "/") == 0 || strstr(*scope, "//")) {
			abort();
		}
	}
	for (const char *const *action = definition->role.actions; *action; action++) {
		if (strcmp(*action, "*") != 0 && !strchr(*action, '/')) {
			abort();
		}
	}
}

/* What is shown of a definition reads as the same. */
static void check_shown(struct sr_arena *arena, struct sr_role_definition definition)
{
	definition.role.id = "11111111-1111-4111-8111-111111111111";
	SR_CLEANUP(sr_json) json_t *shown = sr_role_definition_json(&definition);
	struct sr_role_definition again;
	SR_CLEANUP(sr_result) struct sr_result read = sr_role_definition_read(arena, shown, &again);
	if (!sr_is_ok(read) || strcmp(again.role.name, definition.role.name) != 0 ||
	    strcmp(again.description, definition.description) != 0) {
		abort();
	}
	SR_CLEANUP(sr_json) json_t *shown_again = NULL;
	again.role.id = definition.role.id;
	shown_again = sr_role_definition_json(&again);
	if (!json_equal(shown, shown_again)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_json) json_t *document = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_bytes_of(data, len), &document);
	if (!sr_is_ok(parsed)) {
		return 0;
	}
	struct sr_role_definition definition;
	SR_CLEANUP(sr_result) struct sr_result read = sr_role_definition_read(arena, document, &definition);
	if (!sr_is_ok(read)) {
		return 0;
	}
	SR_CLEANUP(sr_result) struct sr_result checked = sr_role_definition_check(&definition);
	if (sr_is_ok(checked)) {
		check_rules(&definition);
		check_shown(arena, definition);
	}
	return 0;
}
