/* Matching of actions and scopes, as Azure's access control has them. The definitions are in role_table.c. */
#include "access/role.h"

#include "access/role_table.h"

#include <string.h>

static uint8_t lower(char character)
{
	return (uint8_t)(character >= 'A' && character <= 'Z' ? character | 0x20 : character);
}

/* '*' stands for any run of characters. On a mismatch the last star takes one character more, so the time is at most
 * the product of the lengths. */
static bool matches(const char *pattern, const char *action)
{
	const char *behind_star = NULL;
	const char *retry = NULL;
	while (*action) {
		if (*pattern == '*') {
			behind_star = ++pattern;
			retry = action;
		} else if (*pattern && lower(*pattern) == lower(*action)) {
			pattern++;
			action++;
		} else if (behind_star) {
			pattern = behind_star;
			action = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*') {
		pattern++;
	}
	return *pattern == 0;
}

static bool any_matches(const char *const *patterns, const char *action)
{
	for (; *patterns; patterns++) {
		if (matches(*patterns, action)) {
			return true;
		}
	}
	return false;
}

#define ASSIGNMENT_WRITE  "Microsoft.Authorization/roleAssignments/write"
#define ASSIGNMENT_DELETE "Microsoft.Authorization/roleAssignments/delete"

static bool allows(const struct sr_role *role, const char *action, bool is_data)
{
	const char *const *granted = is_data ? role->data_actions : role->actions;
	const char *const *taken_away = is_data ? role->not_data_actions : role->not_actions;
	return any_matches(granted, action) && !any_matches(taken_away, action);
}

bool sr_role_allows(const struct sr_role *role, const char *action, bool is_data)
{
	if (role->assignable && (matches(ASSIGNMENT_WRITE, action) || matches(ASSIGNMENT_DELETE, action))) {
		return false;
	}
	return allows(role, action, is_data);
}

bool sr_role_may_assign(const struct sr_role *role, const char *role_id, bool is_taken)
{
	if (!allows(role, is_taken ? ASSIGNMENT_DELETE : ASSIGNMENT_WRITE, false)) {
		return false;
	}
	return !role->assignable || any_matches(role->assignable, role_id);
}

bool sr_scope_covers(const char *assigned, const char *scope)
{
	size_t len = strlen(assigned);
	if (len == 0 || assigned[0] != '/') {
		return false; /* no scope at all must not cover everything */
	}
	while (len > 0 && assigned[len - 1] == '/') {
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		if (lower(assigned[i]) != lower(scope[i])) { /* the end of `scope` differs too */
			return false;
		}
	}
	return scope[len] == '/' || (scope[len] == 0 && len > 0);
}

const struct sr_role *sr_role_find(const char *id_or_name)
{
	struct sr_bytes wanted = sr_bytes_str(id_or_name);
	const struct sr_role *role;
	for (size_t i = 0; (role = sr_role_at(i)); i++) {
		if (sr_equal_nocase(sr_bytes_str(role->id), wanted) || sr_equal_nocase(sr_bytes_str(role->name), wanted)) {
			return role;
		}
	}
	return NULL;
}

const struct sr_role *sr_role_at(size_t index)
{
	return index < sr_role_table_count ? &sr_role_table[index] : NULL;
}
