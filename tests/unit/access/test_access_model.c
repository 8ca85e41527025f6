/*
 * A property test: random worlds of groups, scopes, roles and denials, and each answer of a snapshot held against a
 * model that does everything the slow way: recursion over names, lists of whole scopes, no tables.
 */
#include "check.h"
#include "seal_init.h"

#include "access/directory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WORLDS = 300,
	QUESTIONS = 200,
	PRINCIPALS = 5,
	GROUPS = 5,
	SUBJECTS = PRINCIPALS + GROUPS,
	MANAGEMENT_GROUPS = 5, /* the root first */
	SUBSCRIPTIONS = 3,
	ROLES = 4,
	LIST_MAX = 3,
	ASSIGNMENTS = 14,
	DENIALS = 2,
	TEXT = 160
};

#define TENANT     "11111111-1111-4111-8111-111111111111"
#define MANAGEMENT "/providers/Microsoft.Management/managementGroups/"

struct permission {
	char lists[4][LIST_MAX][TEXT]; /* actions, notActions, dataActions, notDataActions; "" ends one */
};

struct world {
	bool is_in[SUBJECTS][GROUPS]; /* directly */
	int parents[MANAGEMENT_GROUPS];
	int placed[SUBSCRIPTIONS]; /* -1: nowhere */
	struct permission roles[ROLES];
	struct {
		int subject, role;
		char scope[TEXT];
	} assignments[ASSIGNMENTS];
	struct {
		struct permission denied;
		char scope[TEXT];
		bool is_for_everyone, is_alone;
		bool principals[SUBJECTS], excluded[SUBJECTS];
	} denials[DENIALS];
};

static uint64_t seed;

static unsigned roll(unsigned sides)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % sides;
}

static const char *subject_id(int subject)
{
	static char texts[SUBJECTS][37];
	snprintf(texts[subject], sizeof texts[subject], "%08x-0000-4000-8000-000000000000", (unsigned)subject + 1);
	return texts[subject];
}

static const char *management_name(int group)
{
	static const char *const names[MANAGEMENT_GROUPS] = {TENANT, "Alpha", "Beta", "Gamma", "Delta"};
	return names[group];
}

/* Letters in either case, since nothing depends on them. */
static void vary_case(char *text)
{
	for (; *text; text++) {
		*text = (char)(roll(3) ? *text : roll(2) ? toupper((unsigned char)*text) : tolower((unsigned char)*text));
	}
}

static void random_scope(char *to)
{
	unsigned depth = roll(6);
	if (depth == 0) {
		snprintf(to, TEXT, "/");
	} else if (depth == 1) {
		snprintf(to, TEXT, MANAGEMENT "%s", management_name((int)roll(MANAGEMENT_GROUPS)));
	} else {
		size_t len = (size_t)snprintf(to, TEXT, "/subscriptions/s%u", roll(SUBSCRIPTIONS + 1));
		static const char *const more[] = {"/resourceGroups/g", "/providers/p/t/n", "/keys/k"};
		for (unsigned i = 0; i + 2 < depth; i++) {
			len += (size_t)snprintf(to + len, TEXT - len, "%s%u", more[i], roll(2));
		}
	}
	vary_case(to);
}

static void random_action(char *to, bool is_pattern)
{
	static const char *const parts[] = {"a", "b", "read", "write", "*", "r*", "*d"};
	unsigned count = 1 + roll(3);
	size_t len = 0;
	for (unsigned i = 0; i < count; i++) {
		len += (size_t)snprintf(to + len, TEXT - len, "%s%s", i ? "/" : "", parts[roll(is_pattern ? 7 : 4)]);
	}
	vary_case(to);
}

static void random_permission(struct permission *permission)
{
	for (int list = 0; list < 4; list++) {
		unsigned count = roll(list % 2 ? 2 : LIST_MAX);
		for (unsigned i = 0; i < LIST_MAX; i++) {
			permission->lists[list][i][0] = 0;
			if (i < count) {
				random_action(permission->lists[list][i], true);
			}
		}
	}
}

static void make_world(struct world *world)
{
	memset(world, 0, sizeof *world);
	for (int subject = 0; subject < SUBJECTS; subject++) {
		for (int group = 0; group < GROUPS; group++) {
			world->is_in[subject][group] = roll(5) == 0 && subject != PRINCIPALS + group; /* rings happen */
		}
	}
	for (int group = 1; group < MANAGEMENT_GROUPS; group++) {
		world->parents[group] = (int)roll((unsigned)group);
	}
	for (int i = 0; i < SUBSCRIPTIONS; i++) {
		world->placed[i] = (int)roll(MANAGEMENT_GROUPS + 1) - 1;
	}
	for (int i = 0; i < ROLES; i++) {
		random_permission(&world->roles[i]);
	}
	for (int i = 0; i < ASSIGNMENTS; i++) {
		world->assignments[i].subject = (int)roll(SUBJECTS);
		world->assignments[i].role = (int)roll(ROLES);
		random_scope(world->assignments[i].scope);
	}
	for (int i = 0; i < DENIALS; i++) {
		random_permission(&world->denials[i].denied);
		random_scope(world->denials[i].scope);
		world->denials[i].is_for_everyone = roll(4) == 0;
		world->denials[i].is_alone = roll(3) == 0;
		for (int subject = 0; subject < SUBJECTS; subject++) {
			world->denials[i].principals[subject] = roll(4) == 0;
			world->denials[i].excluded[subject] = roll(6) == 0;
		}
	}
}

/* The world as identity's document. */

static void write_permission(struct sr_buf *text, const struct permission *permission)
{
	static const char *const names[] = {"actions", "notActions", "dataActions", "notDataActions"};
	for (int list = 0; list < 4; list++) {
		sr_buf_printf(text, ",\"%s\":[", names[list]);
		for (int i = 0; i < LIST_MAX && permission->lists[list][i][0]; i++) {
			sr_buf_printf(text, "%s\"%s\"", i ? "," : "", permission->lists[list][i]);
		}
		sr_buf_append_str(text, "]");
	}
}

static void write_subjects(struct sr_buf *text, const struct world *world)
{
	sr_buf_append_str(text, ",\"principals\":[");
	for (int i = 0; i < PRINCIPALS; i++) {
		sr_buf_printf(text, "%s{\"oid\":\"%s\",\"appId\":\"%s\",\"enabled\":true}", i ? "," : "", subject_id(i),
		              subject_id(i));
	}
	sr_buf_append_str(text, "],\"groups\":[");
	for (int group = 0; group < GROUPS; group++) {
		sr_buf_printf(text, "%s{\"id\":\"%s\",\"members\":[", group ? "," : "", subject_id(PRINCIPALS + group));
		const char *comma = "";
		for (int subject = 0; subject < SUBJECTS; subject++) {
			if (world->is_in[subject][group]) {
				sr_buf_printf(text, "%s\"%s\"", comma, subject_id(subject));
				comma = ",";
			}
		}
		sr_buf_append_str(text, "]}");
	}
	sr_buf_append_str(text, "]");
}

static void write_scopes(struct sr_buf *text, const struct world *world)
{
	sr_buf_append_str(text, ",\"managementGroups\":[{\"name\":\"" TENANT "\"}");
	for (int group = 1; group < MANAGEMENT_GROUPS; group++) {
		sr_buf_printf(text, ",{\"name\":\"%s\",\"parent\":\"%s\"}", management_name(group),
		              management_name(world->parents[group]));
	}
	sr_buf_append_str(text, "],\"subscriptions\":[");
	const char *comma = "";
	for (int i = 0; i < SUBSCRIPTIONS; i++) {
		if (world->placed[i] >= 0) {
			sr_buf_printf(text, "%s{\"id\":\"S%d\",\"managementGroup\":\"%s\"}", comma, i,
			              management_name(world->placed[i]));
			comma = ",";
		}
	}
	sr_buf_append_str(text, "]");
}

static void write_ids(struct sr_buf *text, const char *name, const bool *is_in, bool is_everyone)
{
	sr_buf_printf(text, ",\"%s\":[", name);
	const char *comma = "";
	for (int subject = 0; subject < SUBJECTS; subject++) {
		if (is_in[subject]) {
			sr_buf_printf(text, "%s\"%s\"", comma, subject_id(subject));
			comma = ",";
		}
	}
	if (is_everyone) {
		sr_buf_printf(text, "%s\"00000000-0000-0000-0000-000000000000\"", comma);
	}
	sr_buf_append_str(text, "]");
}

static void write_rules(struct sr_buf *text, const struct world *world)
{
	sr_buf_append_str(text, ",\"roles\":[");
	for (int i = 0; i < ROLES; i++) {
		sr_buf_printf(text, "%s{\"id\":\"%08x-0000-4000-8000-00000000000f\",\"name\":\"r\"", i ? "," : "", (unsigned)i);
		write_permission(text, &world->roles[i]);
		sr_buf_append_str(text, "}");
	}
	sr_buf_append_str(text, "],\"assignments\":[");
	for (int i = 0; i < ASSIGNMENTS; i++) {
		sr_buf_printf(text,
		              "%s{\"id\":\"%08x-0000-4000-8000-00000000000a\",\"principal\":\"%s\","
		              "\"role\":\"%08x-0000-4000-8000-00000000000f\",\"scope\":\"%s\"}",
		              i ? "," : "", (unsigned)i, subject_id(world->assignments[i].subject),
		              (unsigned)world->assignments[i].role, world->assignments[i].scope);
	}
	sr_buf_append_str(text, "],\"denyAssignments\":[");
	for (int i = 0; i < DENIALS; i++) {
		sr_buf_printf(text, "%s{\"id\":\"%08x-0000-4000-8000-00000000000d\",\"scope\":\"%s\",", i ? "," : "",
		              (unsigned)i, world->denials[i].scope);
		sr_buf_printf(text, "\"doNotApplyToChildScopes\":%s", world->denials[i].is_alone ? "true" : "false");
		write_ids(text, "principals", world->denials[i].principals, world->denials[i].is_for_everyone);
		write_ids(text, "excludePrincipals", world->denials[i].excluded, false);
		write_permission(text, &world->denials[i].denied);
		sr_buf_append_str(text, "}");
	}
	sr_buf_append_str(text, "]}");
}

static struct sr_directory *snapshot_of(const struct world *world)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(1 << 20);
	sr_buf_append_str(&text, "{\"revision\":1,\"tenant\":\"" TENANT "\",\"subscription\":\"" TENANT "\",\"keys\":[]");
	write_subjects(&text, world);
	write_scopes(&text, world);
	write_rules(&text, world);
	struct sr_directory *directory = NULL;
	expect_ok(sr_directory_parse(sr_buf_bytes(&text), &directory));
	return directory;
}

/* The model. */

static bool model_is_member(const struct world *world, int subject, int group, int steps)
{
	bool is_in = false;
	for (int through = 0; through < GROUPS && steps && !is_in; through++) {
		is_in = world->is_in[subject][through] &&
		        (through == group || model_is_member(world, PRINCIPALS + through, group, steps - 1));
	}
	return is_in;
}

static bool model_is_among(const struct world *world, int subject, const bool *is_in)
{
	bool is_among = is_in[subject];
	for (int group = 0; group < GROUPS; group++) {
		is_among = is_among || (is_in[PRINCIPALS + group] && model_is_member(world, subject, group, GROUPS + 1));
	}
	return is_among;
}

static bool model_matches(const char *pattern, const char *action)
{
	if (*pattern == '*') {
		return model_matches(pattern + 1, action) || (*action && model_matches(pattern, action + 1));
	}
	if (!*pattern || !*action) {
		return *pattern == *action;
	}
	return tolower((unsigned char)*pattern) == tolower((unsigned char)*action) &&
	       model_matches(pattern + 1, action + 1);
}

static bool model_any(const char (*list)[TEXT], const char *action)
{
	bool is_any = false;
	for (int i = 0; i < LIST_MAX && list[i][0]; i++) {
		is_any = is_any || model_matches(list[i], action);
	}
	return is_any;
}

static bool model_permits(const struct permission *permission, const char *action, bool is_data)
{
	return model_any(permission->lists[is_data ? 2 : 0], action) &&
	       !model_any(permission->lists[is_data ? 3 : 1], action);
}

static bool is_same(const char *a, const char *b)
{
	return sr_equal_nocase(sr_bytes_str(a), sr_bytes_str(b));
}

/* Every scope that is above, written out: what the text is cut down to, then the management groups. */
static bool model_covers(const struct world *world, const char *assigned, const char *scope)
{
	char cut[TEXT];
	snprintf(cut, sizeof cut, "%s", scope);
	bool covers = is_same(assigned, "/") || is_same(assigned, scope);
	for (char *slash; (slash = strrchr(cut, '/'));) {
		*slash = 0;
		covers = covers || (cut[0] && is_same(assigned, cut));
	}
	int group = -1;
	for (int i = 0; i < MANAGEMENT_GROUPS; i++) {
		char own[TEXT];
		snprintf(own, sizeof own, MANAGEMENT "%s", management_name(i));
		group = is_same(own, scope) ? i : group;
	}
	for (int i = 0; i <= SUBSCRIPTIONS; i++) {
		char own[TEXT];
		int len = snprintf(own, sizeof own, "/subscriptions/s%d", i);
		snprintf(cut, sizeof cut, "%.*s", len, scope);
		if (is_same(cut, own)) {
			group = i < SUBSCRIPTIONS && world->placed[i] >= 0 ? world->placed[i] : 0;
		}
	}
	for (; group >= 0; group = group ? world->parents[group] : -1) {
		char own[TEXT];
		snprintf(own, sizeof own, MANAGEMENT "%s", management_name(group));
		covers = covers || is_same(own, assigned);
	}
	return covers;
}

static bool model_allows(const struct world *world, int subject, const char *action, bool is_data, const char *scope)
{
	for (int i = 0; i < DENIALS; i++) {
		bool is_at = world->denials[i].is_alone ? is_same(world->denials[i].scope, scope)
		                                        : model_covers(world, world->denials[i].scope, scope);
		bool is_meant =
		    world->denials[i].is_for_everyone || model_is_among(world, subject, world->denials[i].principals);
		if (is_at && is_meant && !model_is_among(world, subject, world->denials[i].excluded) &&
		    model_permits(&world->denials[i].denied, action, is_data)) {
			return false;
		}
	}
	for (int i = 0; i < ASSIGNMENTS; i++) {
		int holder = world->assignments[i].subject;
		bool is_theirs = holder == subject ||
		                 (holder >= PRINCIPALS && model_is_member(world, subject, holder - PRINCIPALS, GROUPS + 1));
		if (is_theirs && model_covers(world, world->assignments[i].scope, scope) &&
		    model_permits(&world->roles[world->assignments[i].role], action, is_data)) {
			return true;
		}
	}
	return false;
}

static void check_memberships(const struct world *world, const struct sr_directory *directory)
{
	for (int subject = 0; subject < SUBJECTS; subject++) {
		const struct sr_principal_entry *entry = subject < PRINCIPALS
		                                             ? sr_directory_principal(directory, subject_id(subject))
		                                             : sr_directory_group(directory, subject_id(subject));
		for (int group = 0; group < GROUPS; group++) {
			const struct sr_principal_entry *of = sr_directory_group(directory, subject_id(PRINCIPALS + group));
			assert_int_equal(sr_directory_is_member(directory, entry, of),
			                 model_is_member(world, subject, group, GROUPS + 1));
		}
	}
}

static bool snapshot_allows(const struct sr_directory *directory, int subject, const char *action, bool is_data,
                            const char *scope)
{
	const struct sr_principal_entry *entry = sr_directory_principal(directory, subject_id(subject));
	struct sr_scope_place place = sr_directory_place(directory, scope);
	return !sr_directory_denying(directory, entry, action, is_data, &place) &&
	       sr_directory_allowing(directory, entry, action, is_data, &place);
}

static void each_answer_is_the_models(void **state)
{
	(void)state;
	unsigned allowed = 0;
	for (unsigned number = 0; number < WORLDS; number++) {
		seed = number;
		struct world world;
		make_world(&world);
		SR_CLEANUP(sr_directory) struct sr_directory *directory = snapshot_of(&world);
		check_memberships(&world, directory);
		for (int question = 0; question < QUESTIONS; question++) {
			char scope[TEXT];
			char action[TEXT];
			int subject = (int)roll(PRINCIPALS);
			bool is_data = roll(2);
			random_scope(scope);
			random_action(action, false);
			bool expected = model_allows(&world, subject, action, is_data, scope);
			allowed += expected;
			if (snapshot_allows(directory, subject, action, is_data, scope) != expected) {
				fail_msg("world %u: principal %d, %s%s at %s: expected %s", number, subject, is_data ? "data " : "",
				         action, scope, expected ? "allowed" : "refused");
			}
		}
	}
	/* Both answers must have been put to the test. */
	assert_in_range(allowed, WORLDS * QUESTIONS / 20, WORLDS * QUESTIONS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_answer_is_the_models),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
