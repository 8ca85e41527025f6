/* Lists against a naive model: random names, prefixes, delimiters and page sizes; and the price of a skip. */
#include "blob/list_store.h"

#include "base/random.h"
#include "blob/block_store.h"
#include "fixture.h"

enum { NAMES = 300, NAME_MAX_LEN = 32, ENTRIES_MAX = 700 };

struct names {
	char items[NAMES][NAME_MAX_LEN];
	size_t count;
};

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Distinct names of few letters, so that prefixes and delimiters meet often. */
static void make_names(struct names *names)
{
	static const char *const letters[] = {"a", "b", "/", "//", "\xc3\xa9", "-", "~", "\xf0\x9f\x98\x80"};
	while (names->count < NAMES) {
		char *name = names->items[names->count];
		*name = '\0';
		size_t parts = 1 + sr_random_u64() % 6;
		for (size_t i = 0; i < parts; i++) {
			const char *letter = letters[sr_random_u64() % (sizeof letters / sizeof letters[0])];
			snprintf(name + strlen(name), NAME_MAX_LEN - strlen(name), "%s", letter);
		}
		bool is_new = *name != '\0';
		for (size_t i = 0; is_new && i < names->count; i++) {
			is_new = strcmp(names->items[i], name) != 0;
		}
		names->count += is_new;
	}
	qsort(names->items, names->count, NAME_MAX_LEN, compare);
}

/* Entries as text: prefixes end in a mark that no name has. */
struct entries {
	char items[ENTRIES_MAX][NAME_MAX_LEN + 1];
	size_t count;
};

static void add_entry(struct entries *entries, struct sr_bytes name, bool is_prefix)
{
	assert_true(entries->count < ENTRIES_MAX);
	snprintf(entries->items[entries->count++], NAME_MAX_LEN + 1, "%.*s%s", (int)name.len, (const char *)name.data,
	         is_prefix ? "\x01" : "");
}

static void model(const struct names *names, const char *prefix, const char *delimiter, struct entries *entries)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];
		if (strncmp(name, prefix, strlen(prefix)) != 0) {
			continue;
		}
		const char *cut = *delimiter ? strstr(name + strlen(prefix), delimiter) : NULL;
		if (!cut) {
			add_entry(entries, sr_bytes_str(name), false);
			continue;
		}
		struct sr_bytes common = sr_bytes_of(name, (size_t)(cut - name) + strlen(delimiter));
		char text[NAME_MAX_LEN + 1];
		snprintf(text, sizeof text, "%.*s\x01", (int)common.len, name);
		if (entries->count == 0 || strcmp(entries->items[entries->count - 1], text) != 0) {
			add_entry(entries, common, true);
		}
	}
}

static struct sr_result on_blob(const struct sr_blob_row *row, void *context)
{
	add_entry(context, row->name, false);
	return sr_ok();
}

static struct sr_result on_prefix(struct sr_bytes prefix, void *context)
{
	add_entry(context, prefix, true);
	return sr_ok();
}

struct page {
	struct fixture *fixture;
	struct sr_list_query query;
	struct entries *entries;
	struct sr_bytes next;
};

static struct sr_result page_work(struct sr_connection *connection, void *context)
{
	struct page *page = context;
	const struct sr_list_visitor visitor = {on_blob, on_prefix, page->entries};
	return sr_list_walk(connection, page->fixture->arena, &page->query, &visitor, &page->next);
}

/* All pages; each must be full but the last. */
static void walk(struct fixture *fixture, int64_t container, const char *prefix, const char *delimiter, unsigned max,
                 struct entries *entries)
{
	struct page page = {
	    .fixture = fixture,
	    .query = {.container = container,
	              .prefix = sr_bytes_str(prefix),
	              .delimiter = sr_bytes_str(delimiter),
	              .max = max},
	    .entries = entries,
	};
	do {
		size_t before = entries->count;
		in_read(fixture, page_work, &page);
		assert_true(entries->count - before == max || page.next.len == 0);
		page.query.from = page.next;
	} while (page.next.len);
}

/* Not in the order in which they are listed: 7 and the count have no common divisor. */
static const char *shuffled_name(size_t index, void *context)
{
	const struct names *names = context;
	return names->items[index * 7 % names->count];
}

static void lists_agree_with_a_naive_model(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	int64_t other = make_container(fixture, "other");
	struct names names = {0};
	make_names(&names);
	struct many many = {fixture, container, names.count, shuffled_name, &names};
	in_write(fixture, put_many_work, &many);
	many.container = other;
	in_write(fixture, put_many_work, &many);
	static const char *const prefixes[] = {"", "a", "a/", "b", "/", "\xc3\xa9", "~", "zz"};
	static const char *const delimiters[] = {"", "/", "//", "a", "\xc3\xa9"};
	static const unsigned sizes[] = {1, 7, 5000};
	for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
		for (size_t d = 0; d < sizeof delimiters / sizeof delimiters[0]; d++) {
			struct entries wanted = {0};
			model(&names, prefixes[p], delimiters[d], &wanted);
			for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
				struct entries got = {0};
				walk(fixture, container, prefixes[p], delimiters[d], sizes[s], &got);
				assert_int_equal(got.count, wanted.count);
				for (size_t i = 0; i < got.count; i++) {
					assert_string_equal(got.items[i], wanted.items[i]);
				}
			}
		}
	}
}

static struct sr_result stage_work(struct sr_connection *connection, void *context)
{
	struct blob_work *work = context;
	work->piece = (struct sr_piece){.length = 1, .bytes = SR_LITERAL("x")};
	SR_TRY(sr_piece_insert(connection, &work->piece));
	return sr_block_stage(connection, work->container, work->name, SR_LITERAL("AAAA"), &work->piece);
}

static void names_with_only_uncommitted_blocks_are_listed_where_asked_for(void **state)
{
	struct fixture *fixture = *state;
	int64_t container = make_container(fixture, "cont");
	put_blob(fixture, container, "a", "x");
	put_blob(fixture, container, "c", "x");
	static const char *const staged[] = {"b", "c", "d/e"};
	for (size_t i = 0; i < 3; i++) {
		struct blob_work work = {.fixture = fixture, .container = container, .name = sr_bytes_str(staged[i])};
		in_write(fixture, stage_work, &work);
	}
	struct entries entries = {0};
	struct page page = {.fixture = fixture, .query = {.container = container, .max = 10}, .entries = &entries};
	in_read(fixture, page_work, &page);
	assert_int_equal(entries.count, 2);
	entries.count = 0;
	page.query.with_uncommitted = true;
	page.query.delimiter = SR_LITERAL("/");
	in_read(fixture, page_work, &page);
	assert_int_equal(entries.count, 4);
	assert_string_equal(entries.items[1], "b");
	assert_string_equal(entries.items[3], "d/\x01");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(lists_agree_with_a_naive_model),
	    TEST(names_with_only_uncommitted_blocks_are_listed_where_asked_for),
	};
	return cmocka_run_group_tests(tests, group_set_up, NULL);
}
