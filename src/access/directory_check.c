/* Which role assignment of a snapshot allows an action: the principal's own, or one of a group that it is in. */
#include "access/directory.h"

static const struct sr_assignment_entry *find_among(const struct sr_directory *directory,
                                                    const struct sr_principal_entry *holder, const char *action,
                                                    bool is_data, const struct sr_scope_place *place)
{
	for (size_t i = 0; i < holder->assignment_count; i++) {
		const struct sr_assignment_entry *assignment = &holder->assignments[i];
		if (sr_directory_covers(directory, &assignment->scope, place) &&
		    sr_role_allows(assignment->role, action, is_data)) {
			return assignment;
		}
	}
	return NULL;
}

const struct sr_assignment_entry *sr_directory_allowing(const struct sr_directory *directory,
                                                        const struct sr_principal_entry *principal, const char *action,
                                                        bool is_data, const struct sr_scope_place *place)
{
	const struct sr_assignment_entry *found = find_among(directory, principal, action, is_data, place);
	for (size_t i = 0; i < principal->group_count && !found; i++) {
		found = find_among(directory, sr_directory_at(directory, principal->groups[i]), action, is_data, place);
	}
	return found;
}

static struct sr_result each_among(const struct sr_directory *directory, const struct sr_principal_entry *holder,
                                   const struct sr_scope_place *place,
                                   struct sr_result (*each)(const struct sr_role *role, void *context), void *context)
{
	for (size_t i = 0; i < holder->assignment_count; i++) {
		if (sr_directory_covers(directory, &holder->assignments[i].scope, place)) {
			SR_TRY(each(holder->assignments[i].role, context));
		}
	}
	return sr_ok();
}

struct sr_result sr_directory_each_role(const struct sr_directory *directory,
                                        const struct sr_principal_entry *principal, const struct sr_scope_place *place,
                                        struct sr_result (*each)(const struct sr_role *role, void *context),
                                        void *context)
{
	SR_TRY(each_among(directory, principal, place, each, context));
	for (size_t i = 0; i < principal->group_count; i++) {
		SR_TRY(each_among(directory, sr_directory_at(directory, principal->groups[i]), place, each, context));
	}
	return sr_ok();
}
