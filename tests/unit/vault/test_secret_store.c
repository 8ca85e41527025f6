/* Secrets in the database: versions, deletion, lists that cost their page alone, and values tied to their place. */
#include "rig.h"

#include "seal_init.h"
#include "vault/secret_store.h"

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_end(&rig);
	return 0;
}

static const char *version_of(unsigned number)
{
	return sr_arena_printf(rig.arena, "%032x", number);
}

static struct sr_secret_record record_of(const char *name, unsigned number, const char *value)
{
	return (struct sr_secret_record){.vault = "default",
	                                 .name = name,
	                                 .version = version_of(number),
	                                 .is_enabled = true,
	                                 .nbf = SR_NO_TIME,
	                                 .exp = SR_NO_TIME,
	                                 .created = 1000 + number,
	                                 .updated = 1000 + number,
	                                 .deleted_at = SR_NO_TIME,
	                                 .purge_at = SR_NO_TIME,
	                                 .value = sr_bytes_str(value)};
}

static struct sr_result insert_work(struct sr_connection *connection, void *context)
{
	return sr_vault_secret_insert(connection, rig.vault.state.records, context);
}

static struct sr_result insert(const char *name, unsigned number, const char *value)
{
	struct sr_secret_record secret = record_of(name, number, value);
	return sr_database_write(rig.vault.state.database, insert_work, &secret);
}

struct search {
	const char *name, *version;
	enum sr_secret_presence presence;
	struct sr_secret_record found;
};

static struct sr_result find_work(struct sr_connection *connection, void *context)
{
	struct search *search = context;
	return sr_vault_secret_find(connection, rig.arena, rig.vault.state.records, "default", search->name,
	                            search->version, search->presence, &search->found);
}

static struct sr_result find(struct search *search)
{
	return sr_database_read(rig.vault.state.database, find_work, search);
}

static struct sr_result delete_work(struct sr_connection *connection, void *context)
{
	return sr_vault_secret_mark_deleted(connection, "default", context, 5000, 6000);
}

static struct sr_result recover_work(struct sr_connection *connection, void *context)
{
	return sr_vault_secret_recover(connection, "default", context);
}

static struct sr_result purge_work(struct sr_connection *connection, void *context)
{
	return sr_vault_secret_purge(connection, "default", context);
}

static void write_ok(sr_database_work work, const char *name)
{
	expect_ok(sr_database_write(rig.vault.state.database, work, sr_arena_strdup(rig.arena, name)));
}

static void the_newest_version_is_the_current_one(void **state)
{
	(void)state;
	expect_ok(insert("Name", 1, "first"));
	expect_ok(insert("name", 2, "second"));
	struct search search = {.name = "NAME"};
	expect_ok(find(&search));
	assert_string_equal((const char *)search.found.value.data, "second");
	assert_string_equal(search.found.name, "Name"); /* as it was made */
	assert_int_equal(search.found.number, 2);
	search.version = version_of(1);
	expect_ok(find(&search));
	assert_string_equal((const char *)search.found.value.data, "first");
	assert_int_equal(search.found.created, 1001);
	search.version = version_of(3);
	expect_reason(find(&search), SR_NOT_FOUND, "SecretNotFound");
}

static void a_deleted_secret_blocks_its_name_and_comes_back_whole(void **state)
{
	(void)state;
	expect_ok(insert("a", 1, "one"));
	expect_ok(insert("a", 2, "two"));
	write_ok(delete_work, "A");
	struct search search = {.name = "a"};
	expect_reason(find(&search), SR_NOT_FOUND, "SecretNotFound");
	expect_reason(insert("a", 3, "three"), SR_CONFLICT, "ObjectIsDeletedButRecoverable");
	search.presence = SR_SECRET_DELETED;
	expect_ok(find(&search));
	assert_int_equal(search.found.deleted_at, 5000);
	assert_int_equal(search.found.purge_at, 6000);
	search.presence = SR_SECRET_EITHER;
	search.version = version_of(1);
	expect_ok(find(&search));
	write_ok(recover_work, "a");
	search = (struct search){.name = "a"};
	expect_ok(find(&search));
	assert_string_equal((const char *)search.found.value.data, "two");
	assert_true(search.found.purge_at == SR_NO_TIME);
	write_ok(delete_work, "a");
	write_ok(purge_work, "a");
	search.presence = SR_SECRET_EITHER;
	expect_reason(find(&search), SR_NOT_FOUND, "SecretNotFound");
	expect_ok(insert("a", 1, "anew")); /* even the old version's name is free */
}

static void a_certificates_secret_changes_with_the_certificate_alone(void **state)
{
	(void)state;
	struct sr_secret_record managed = record_of("c", 1, "pem");
	managed.is_managed = true;
	expect_ok(sr_database_write(rig.vault.state.database, insert_work, &managed));
	expect_reason(insert("c", 2, "mine"), SR_CONFLICT, "ObjectIsManaged");
	expect_ok(insert("d", 1, "mine"));
	managed = record_of("d", 2, "pem");
	managed.is_managed = true;
	expect_reason(sr_database_write(rig.vault.state.database, insert_work, &managed), SR_CONFLICT, "ObjectIsManaged");
}

static void a_value_opens_in_its_own_place_alone(void **state)
{
	(void)state;
	expect_ok(insert("a", 1, "a's"));
	expect_ok(insert("b", 2, "b's"));
	rig_sql(&rig, "UPDATE secret_version SET sealed = (SELECT sealed FROM secret_version WHERE secret = 1) "
	              "WHERE secret = 2");
	struct search search = {.name = "b"};
	expect_code(find(&search), SR_CORRUPT);
	search.name = "a";
	expect_ok(find(&search));
}

static void a_value_past_the_limit_is_refused(void **state)
{
	(void)state;
	char *value = sr_arena_alloc(rig.arena, SR_SECRET_VALUE_MAX + 2);
	memset(value, 'x', SR_SECRET_VALUE_MAX + 1);
	expect_code(insert("a", 1, value), SR_TOO_LARGE);
	value[SR_SECRET_VALUE_MAX] = '\0';
	expect_ok(insert("a", 1, value));
	struct search search = {.name = "a"};
	expect_ok(find(&search));
	assert_int_equal(search.found.value.len, SR_SECRET_VALUE_MAX);
}

struct listing {
	const char *after;
	enum sr_secret_presence presence;
	size_t limit;
	struct sr_secret_page page;
};

static struct sr_result list_work(struct sr_connection *connection, void *context)
{
	struct listing *listing = context;
	return sr_vault_secret_list(connection, rig.arena, "default", listing->after, listing->presence, listing->limit,
	                            &listing->page);
}

static void lists_go_by_name_and_keep_the_deleted_apart(void **state)
{
	(void)state;
	const char *const names[] = {"d", "B", "a", "c", "e"};
	for (unsigned i = 0; i < 5; i++) {
		expect_ok(insert(names[i], i + 1, "v"));
	}
	write_ok(delete_work, "c");
	struct listing listing = {.after = "", .limit = 2};
	expect_ok(sr_database_read(rig.vault.state.database, list_work, &listing));
	assert_int_equal(listing.page.count, 2);
	assert_true(listing.page.has_more);
	assert_string_equal(listing.page.items[0].name, "a");
	assert_string_equal(listing.page.items[1].name, "B");
	assert_null(listing.page.items[0].value.data);
	listing.after = "b";
	expect_ok(sr_database_read(rig.vault.state.database, list_work, &listing));
	assert_string_equal(listing.page.items[0].name, "d");
	assert_false(listing.page.has_more);
	listing = (struct listing){.after = "", .presence = SR_SECRET_DELETED, .limit = 2};
	expect_ok(sr_database_read(rig.vault.state.database, list_work, &listing));
	assert_int_equal(listing.page.count, 1);
	assert_string_equal(listing.page.items[0].name, "c");
}

static struct sr_result list_all_work(struct sr_connection *connection, void *context)
{
	struct sr_secret_page *all = context, page = {.has_more = true};
	struct sr_secret_record after = {.vault = "", .name = "", .deleted_at = SR_NO_TIME};
	all->items = sr_arena_alloc(rig.arena, 16 * sizeof *all->items);
	while (page.has_more) {
		SR_TRY(sr_vault_secret_list_all(connection, rig.arena, &after, 2, &page));
		for (size_t i = 0; i < page.count; i++) {
			after = all->items[all->count++] = page.items[i];
		}
	}
	return sr_ok();
}

static void every_version_is_found_for_verification(void **state)
{
	(void)state;
	expect_ok(insert("b", 1, "v"));
	expect_ok(insert("b", 2, "v"));
	expect_ok(insert("b", 3, "v"));
	expect_ok(insert("a", 4, "v"));
	expect_ok(insert("c", 5, "v"));
	write_ok(delete_work, "a");
	struct sr_secret_page all = {0};
	expect_ok(sr_database_read(rig.vault.state.database, list_all_work, &all));
	assert_int_equal(all.count, 5);
	assert_string_equal(all.items[2].version, version_of(3));
	assert_string_equal(all.items[3].name, "c");
	assert_string_equal(all.items[4].name, "a"); /* deleted ones last */
}

struct plan {
	const char *sql;
	bool has_scan, has_sort, has_name;
};

static struct sr_result explain_work(struct sr_connection *connection, void *context)
{
	struct plan *plan = context;
	SR_CLEANUP(sr_statement) struct sr_statement *statement = NULL;
	SR_TRY(sr_prepare(connection, plan->sql, &statement));
	for (bool is_row = true; is_row;) {
		SR_TRY(sr_step(statement, &is_row));
		const char *step = is_row ? sr_arena_text(rig.arena, sr_column_text(statement, 3)) : "";
		plan->has_scan |= strstr(step, "SCAN") != NULL;
		plan->has_name |= strstr(step, "deleted=? AND name") != NULL || strstr(step, "(vault,deleted,name)") != NULL;
		plan->has_sort |= strstr(step, "TEMP B-TREE") != NULL;
	}
	return sr_ok();
}

/* The shapes of the store's statements: none may cost more in a larger vault. */
static void statements_neither_scan_nor_sort(void **state)
{
	(void)state;
	const char *const statements[] = {
	    "EXPLAIN QUERY PLAN SELECT v.sealed FROM secret AS s CROSS JOIN secret_version AS v ON v.id = s.latest "
	    "WHERE s.vault = ?1 AND s.name = ?2 AND s.deleted IN ((?3 = 1), (?3 > 0))",
	    "EXPLAIN QUERY PLAN SELECT v.sealed FROM secret AS s CROSS JOIN secret_version AS v ON v.secret = s.id "
	    "WHERE v.version = ?4 AND s.vault = ?1 AND s.name = ?2 AND s.deleted IN ((?3 = 1), (?3 > 0))",
	    "EXPLAIN QUERY PLAN SELECT s.name FROM secret AS s CROSS JOIN secret_version AS v ON v.id = s.latest "
	    "WHERE s.vault = ?1 AND s.deleted = ?2 AND s.name > ?3 ORDER BY s.name LIMIT ?4",
	    "EXPLAIN QUERY PLAN SELECT s.name FROM secret AS s CROSS JOIN secret_version AS v ON v.secret = s.id "
	    "WHERE (s.vault, s.deleted, s.name) >= (?1, ?2, ?3) AND ((s.vault, s.deleted, s.name) > (?1, ?2, ?3) OR "
	    "v.number > ?4) ORDER BY s.vault, s.deleted, s.name, v.number LIMIT ?5",
	};
	for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
		struct plan plan = {.sql = statements[i]};
		expect_ok(sr_database_read(rig.vault.state.database, explain_work, &plan));
		assert_false(plan.has_scan);
		assert_true(plan.has_name); /* sought by name, not only by vault */
		assert_false(plan.has_sort);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_newest_version_is_the_current_one),
	    TEST(a_deleted_secret_blocks_its_name_and_comes_back_whole),
	    TEST(a_certificates_secret_changes_with_the_certificate_alone),
	    TEST(a_value_opens_in_its_own_place_alone),
	    TEST(a_value_past_the_limit_is_refused),
	    TEST(lists_go_by_name_and_keep_the_deleted_apart),
	    TEST(every_version_is_found_for_verification),
	    TEST(statements_neither_scan_nor_sort),
	};
	return cmocka_run_group_tests(tests, init_seal, NULL);
}
