/* Deny assignments in a snapshot: what nobody's role gives. */
#include "access/directory_parts.h"

#include <stdlib.h>
#include <string.h>

/* Azure's name for "all principals". */
static const char everyone[] = "00000000-0000-0000-0000-000000000000";

static int by_place(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;
	return left < right ? -1 : left > right;
}

/* Ids as places, ascending; who has gone from the directory is left out. */
static struct sr_result read_places(const struct sr_directory *directory, const json_t *item, const char *name,
                                    uint32_t **ret_places, size_t *ret_count, bool *ret_is_everyone)
{
	const json_t *array;
	size_t count;
	SR_TRY(sr_document_array(item, name, &array, &count));
	uint32_t *places = sr_arena_alloc(directory->arena, count * sizeof *places);
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(array, i));
		struct sr_id id;
		if (!text || !sr_guid_read(text, &id)) {
			return sr_fail(SR_INVALID, "'%s' holds what is no GUID", name);
		}
		*ret_is_everyone = *ret_is_everyone || strcmp(text, everyone) == 0;
		uint32_t number = directory->slots[sr_directory_slot(directory, &id)];
		if (number) {
			places[found++] = number - 1;
		}
	}
	qsort(places, found, sizeof *places, by_place);
	*ret_places = places;
	*ret_count = found;
	return sr_ok();
}

static struct sr_result read_denial(struct sr_directory *directory, const json_t *item, struct sr_denial *denial)
{
	const char *id;
	const char *scope;
	const char *name = "";
	bool is_nobody = false; /* nobody means "everyone but everyone" */
	SR_TRY(sr_document_guid(item, "id", &id, &denial->id));
	SR_TRY(sr_document_string(item, "scope", &scope));
	SR_TRY(sr_json_get_string(item, "name", &name));
	SR_TRY(sr_json_get_bool(item, "doNotApplyToChildScopes", &denial->is_for_scope_alone));
	SR_TRY(read_places(directory, item, "principals", &denial->principals, &denial->principal_count,
	                   &denial->is_for_everyone));
	SR_TRY(read_places(directory, item, "excludePrincipals", &denial->excluded, &denial->excluded_count, &is_nobody));
	if (is_nobody) {
		return sr_fail(SR_INVALID, "a deny assignment that excludes everyone");
	}
	denial->name = sr_arena_strdup(directory->arena, name);
	denial->scope = sr_document_scope(directory, scope);
	return sr_document_permission(directory->arena, item, &denial->denied);
}

struct sr_result sr_document_denials(struct sr_directory *directory, const json_t *document)
{
	const json_t *denials;
	size_t count;
	SR_TRY(sr_document_array(document, "denyAssignments", &denials, &count));
	directory->denials = sr_arena_alloc(directory->arena, count * sizeof *directory->denials);
	for (size_t i = 0; i < count; i++) {
		SR_TRY(read_denial(directory, json_array_get(denials, i), &directory->denials[i]));
	}
	directory->denial_count = count;
	return sr_ok();
}

/* True if the principal, or a group that it is in, is among them. */
static bool is_among(const struct sr_directory *directory, const struct sr_principal_entry *principal,
                     const uint32_t *places, size_t count)
{
	if (!count) {
		return false;
	}
	uint32_t own = (uint32_t)(principal - directory->principals);
	bool is_found = bsearch(&own, places, count, sizeof own, by_place) != NULL;
	for (size_t i = 0; i < principal->group_count && !is_found; i++) {
		is_found = bsearch(&principal->groups[i], places, count, sizeof own, by_place) != NULL;
	}
	return is_found;
}

static bool is_denied_at(const struct sr_directory *directory, const struct sr_denial *denial,
                         const struct sr_scope_place *place)
{
	if (denial->is_for_scope_alone) {
		return sr_scope_covers(denial->scope.text, place->text) && sr_scope_covers(place->text, denial->scope.text);
	}
	return sr_directory_covers(directory, &denial->scope, place);
}

const struct sr_denial *sr_directory_denying(const struct sr_directory *directory,
                                             const struct sr_principal_entry *principal, const char *action,
                                             bool is_data, const struct sr_scope_place *place)
{
	for (size_t i = 0; i < directory->denial_count; i++) {
		const struct sr_denial *denial = &directory->denials[i];
		if (is_denied_at(directory, denial, place) && sr_role_allows(&denial->denied, action, is_data) &&
		    (denial->is_for_everyone || is_among(directory, principal, denial->principals, denial->principal_count)) &&
		    !is_among(directory, principal, denial->excluded, denial->excluded_count)) {
			return denial;
		}
	}
	return NULL;
}
