/*
 * Who is in which groups, through others too: computed once as a snapshot is read, so that a check only looks. A ring
 * of groups (identity refuses one) is walked once round.
 */
#include "access/directory_parts.h"

#include <stdlib.h>
#include <string.h>

/* Memberships of everyone together; past it the document is refused rather than memory filled. */
enum { MEMBERSHIPS_MAX = 1 << 25 };

/* The groups that each is in directly: those of place P are groups[starts[P]] up to groups[starts[P + 1]]. */
struct graph {
	const struct sr_directory *directory;
	struct sr_arena *arena;
	uint32_t *starts, *groups;
};

/* What one walk needs, reused for all. */
struct walk {
	uint32_t *seen;  /* by place: the number of the walk that saw it last */
	uint32_t *found; /* groups in the order of their finding */
	size_t found_count;
	size_t all_count;
};

/* The member's place + 1; 0: it is not in the directory (an object that has gone). */
static struct sr_result member_at(const struct sr_directory *directory, const json_t *members, size_t index,
                                  uint32_t *ret_number)
{
	const char *text = json_string_value(json_array_get(members, index));
	struct sr_id id;
	if (!text || !sr_guid_read(text, &id)) {
		return sr_fail(SR_INVALID, "a group's member is no GUID");
	}
	*ret_number = directory->slots[sr_directory_slot(directory, &id)];
	return sr_ok();
}

/* Visits each (member, group): the first time `counts` counts the groups of each member; the second time, it says where
 * the next goes, and each is put there. */
static struct sr_result visit(const struct graph *graph, const json_t *groups, uint32_t *counts, bool puts)
{
	size_t group_count = json_array_size(groups);
	size_t first = graph->directory->principal_count - group_count;
	for (size_t i = 0; i < group_count; i++) {
		const json_t *members;
		size_t count;
		SR_TRY(sr_document_array(json_array_get(groups, i), "members", &members, &count));
		for (size_t at = 0; at < count; at++) {
			uint32_t number;
			SR_TRY(member_at(graph->directory, members, at, &number));
			if (number && puts) {
				graph->groups[counts[number - 1]] = (uint32_t)(first + i);
			}
			if (number) {
				counts[number - 1]++;
			}
		}
	}
	return sr_ok();
}

static struct sr_result build(struct graph *graph, const json_t *groups)
{
	size_t count = graph->directory->principal_count;
	uint32_t *counts = sr_arena_alloc(graph->arena, (count + 1) * sizeof *counts);
	graph->starts = sr_arena_alloc(graph->arena, (count + 1) * sizeof *graph->starts);
	SR_TRY(visit(graph, groups, counts, false));
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		graph->starts[i] = (uint32_t)sum;
		sum += counts[i];
		counts[i] = graph->starts[i];
	}
	if (sum > MEMBERSHIPS_MAX) {
		return sr_fail(SR_INVALID, "%llu memberships", (unsigned long long)sum);
	}
	graph->starts[count] = (uint32_t)sum;
	graph->groups = sr_arena_alloc(graph->arena, (size_t)sum * sizeof *graph->groups);
	return visit(graph, groups, counts, true);
}

static void find_above(const struct graph *graph, struct walk *walk, uint32_t place, uint32_t walk_number)
{
	for (uint32_t at = graph->starts[place]; at < graph->starts[place + 1]; at++) {
		uint32_t group = graph->groups[at];
		if (walk->seen[group] != walk_number) {
			walk->seen[group] = walk_number;
			walk->found[walk->found_count++] = group;
		}
	}
}

static int by_place(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;
	return left < right ? -1 : left > right;
}

static struct sr_result walk_from(const struct graph *graph, struct walk *walk, uint32_t place)
{
	walk->found_count = 0;
	find_above(graph, walk, place, place + 1);
	for (size_t at = 0; at < walk->found_count; at++) {
		find_above(graph, walk, walk->found[at], place + 1);
	}
	walk->all_count += walk->found_count;
	if (walk->all_count > MEMBERSHIPS_MAX) {
		return sr_fail(SR_INVALID, "more than %d memberships", (int)MEMBERSHIPS_MAX);
	}
	struct sr_principal_entry *entry = &graph->directory->principals[place];
	entry->group_count = walk->found_count;
	if (walk->found_count) {
		size_t len = walk->found_count * sizeof *entry->groups;
		entry->groups = sr_arena_alloc(graph->directory->arena, len);
		memcpy(entry->groups, walk->found, len);
		qsort(entry->groups, entry->group_count, sizeof *entry->groups, by_place);
	}
	return sr_ok();
}

struct sr_result sr_document_memberships(struct sr_directory *directory, const json_t *groups)
{
	if (!json_array_size(groups)) {
		return sr_ok();
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct graph graph = {.directory = directory, .arena = arena};
	SR_TRY(build(&graph, groups));
	size_t count = directory->principal_count;
	struct walk walk = {
	    .seen = sr_arena_alloc(arena, count * sizeof *walk.seen),
	    .found = sr_arena_alloc(arena, count * sizeof *walk.found),
	};
	for (size_t place = 0; place < count; place++) {
		SR_TRY(walk_from(&graph, &walk, (uint32_t)place));
	}
	return sr_ok();
}

bool sr_directory_is_member(const struct sr_directory *directory, const struct sr_principal_entry *principal,
                            const struct sr_principal_entry *group)
{
	uint32_t place = (uint32_t)(group - directory->principals);
	return principal->group_count &&
	       bsearch(&place, principal->groups, principal->group_count, sizeof place, by_place) != NULL;
}
