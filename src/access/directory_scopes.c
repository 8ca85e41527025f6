/*
 * Scopes in a snapshot: what lies below a management group is no matter of text, since subscriptions and groups are
 * put under one another. The root, which is named like the tenant, is above every subscription.
 */
#include "access/directory_parts.h"

#include <string.h>

static const char management_groups_prefix[] = "/providers/Microsoft.Management/managementGroups/";
static const char subscriptions_prefix[] = "/subscriptions/";

/* What follows the prefix, up to the next '/'; empty where the text does not start so. */
static struct sr_bytes segment_after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	if (strlen(text) < len || !sr_equal_nocase(sr_bytes_of(text, len), sr_bytes_str(prefix))) {
		return (struct sr_bytes){0};
	}
	return sr_bytes_of(text + len, strcspn(text + len, "/"));
}

static int32_t find_group(const struct sr_directory *directory, struct sr_bytes name)
{
	for (size_t i = 0; name.len && i < directory->management_group_count; i++) {
		if (sr_equal_nocase(sr_bytes_str(directory->management_groups[i].name), name)) {
			return (int32_t)i;
		}
	}
	return SR_NO_MANAGEMENT_GROUP;
}

static int32_t root_of(const struct sr_directory *directory)
{
	return directory->management_group_count ? 0 : SR_NO_MANAGEMENT_GROUP;
}

/* Each group stands after its parent, so there are no rings. */
static struct sr_result read_group(struct sr_directory *directory, const json_t *item)
{
	const char *name;
	const char *parent = NULL;
	SR_TRY(sr_document_string(item, "name", &name));
	SR_TRY(sr_json_get_string(item, "parent", &parent));
	int32_t above = parent ? find_group(directory, sr_bytes_str(parent)) : root_of(directory);
	if (parent && above == SR_NO_MANAGEMENT_GROUP) {
		return sr_fail(SR_INVALID, "a management group stands before its parent");
	}
	directory->management_groups[directory->management_group_count++] =
	    (struct sr_management_group){sr_arena_strdup(directory->arena, name), above};
	return sr_ok();
}

static struct sr_result read_subscription(struct sr_directory *directory, const json_t *item)
{
	const char *id;
	const char *group;
	SR_TRY(sr_document_string(item, "id", &id));
	SR_TRY(sr_document_string(item, "managementGroup", &group));
	int32_t above = find_group(directory, sr_bytes_str(group));
	directory->subscriptions[directory->subscription_count++] =
	    (struct sr_placed_subscription){sr_arena_strdup(directory->arena, id), above};
	return sr_ok();
}

struct sr_result sr_document_scopes(struct sr_directory *directory, const json_t *document)
{
	const json_t *groups;
	const json_t *subscriptions;
	size_t group_count;
	size_t subscription_count;
	SR_TRY(sr_document_array(document, "managementGroups", &groups, &group_count));
	SR_TRY(sr_document_array(document, "subscriptions", &subscriptions, &subscription_count));
	if (group_count >= INT32_MAX || subscription_count >= INT32_MAX) {
		return sr_fail(SR_INVALID, "%zu management groups", group_count);
	}
	directory->management_groups = sr_arena_alloc(directory->arena, group_count * sizeof *directory->management_groups);
	directory->subscriptions = sr_arena_alloc(directory->arena, subscription_count * sizeof *directory->subscriptions);
	for (size_t i = 0; i < group_count; i++) {
		SR_TRY(read_group(directory, json_array_get(groups, i)));
	}
	for (size_t i = 0; i < subscription_count; i++) {
		SR_TRY(read_subscription(directory, json_array_get(subscriptions, i)));
	}
	return sr_ok();
}

struct sr_scope_entry sr_document_scope(const struct sr_directory *directory, const char *scope)
{
	struct sr_bytes name = segment_after(scope, management_groups_prefix);
	bool is_whole = name.len && strlen(scope) == sizeof management_groups_prefix - 1 + name.len;
	return (struct sr_scope_entry){
	    .text = sr_arena_strdup(directory->arena, scope),
	    .management_group = is_whole ? find_group(directory, name) : SR_NO_MANAGEMENT_GROUP,
	};
}

bool sr_directory_is_above(const struct sr_directory *directory, const char *scope, const struct sr_scope_place *place)
{
	struct sr_bytes name = segment_after(scope, management_groups_prefix);
	const bool is_whole = name.len && strlen(scope) == sizeof management_groups_prefix - 1 + name.len;
	const struct sr_scope_entry entry = {scope, is_whole ? find_group(directory, name) : SR_NO_MANAGEMENT_GROUP};
	return sr_directory_covers(directory, &entry, place);
}

static int32_t group_of_subscription(const struct sr_directory *directory, struct sr_bytes id)
{
	for (size_t i = 0; i < directory->subscription_count; i++) {
		if (sr_equal_nocase(sr_bytes_str(directory->subscriptions[i].id), id)) {
			return directory->subscriptions[i].management_group;
		}
	}
	return root_of(directory);
}

struct sr_scope_place sr_directory_place(const struct sr_directory *directory, const char *scope)
{
	struct sr_scope_place place = {scope, SR_NO_MANAGEMENT_GROUP};
	struct sr_bytes subscription = segment_after(scope, subscriptions_prefix);
	if (subscription.len) {
		place.management_group = group_of_subscription(directory, subscription);
	} else {
		place.management_group = find_group(directory, segment_after(scope, management_groups_prefix));
	}
	return place;
}

bool sr_directory_covers(const struct sr_directory *directory, const struct sr_scope_entry *entry,
                         const struct sr_scope_place *place)
{
	if (entry->management_group != SR_NO_MANAGEMENT_GROUP) {
		for (int32_t at = place->management_group; at >= 0; at = directory->management_groups[at].parent) {
			if (at == entry->management_group) {
				return true;
			}
		}
	}
	return sr_scope_covers(entry->text, place->text);
}
