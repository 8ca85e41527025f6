/* What the vault remembers of how new databases are: the newest that was told, by its own service alone, until the
 * administrator says otherwise or all of it was restored. */
#include "rig.h"

#include "vault/kek_anchor.h"

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

static struct sr_result note(const struct sr_id *resource, uint64_t anchor)
{
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig.vault.state);
	return store.note_anchor(store.context, "blob", resource, anchor);
}

static uint64_t least(const struct sr_id *resource)
{
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig.vault.state);
	uint64_t anchor = 99;
	expect_ok(store.least_anchor(store.context, "blob", resource, &anchor));
	return anchor;
}

static void the_newest_is_kept_across_openings(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random(), other = sr_id_random(), unknown = sr_id_random();
	expect_ok(rig_kek_create(&rig, &resource, NULL, NULL));
	expect_ok(rig_kek_create(&rig, &other, NULL, NULL));
	assert_int_equal(least(&resource), 0);
	expect_ok(note(&resource, 5));
	expect_ok(note(&resource, 3)); /* late, and of no effect */
	rig_close(&rig);
	rig_open(&rig);
	assert_int_equal(least(&resource), 5);
	assert_int_equal(least(&other), 0);
	expect_code(note(&unknown, 1), SR_NOT_FOUND);
	expect_code(note(&resource, UINT64_MAX), SR_INVALID);
	const struct sr_grantor_store store = sr_kek_grantor_store(&rig.vault.state);
	uint64_t anchor;
	expect_code(store.note_anchor(store.context, "identity", &resource, 9), SR_NOT_FOUND);
	expect_code(store.least_anchor(store.context, "identity", &resource, &anchor), SR_NOT_FOUND);
	assert_int_equal(least(&resource), 5);
}

static void the_administrator_accepts_one_and_it_counts_as_a_revocation(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random(), other = sr_id_random();
	expect_ok(rig_kek_create(&rig, &resource, NULL, NULL));
	expect_ok(rig_kek_create(&rig, &other, NULL, NULL)); /* with the same label */
	SR_CLEANUP(sr_secret) struct sr_secret *kek = NULL, *again = NULL;
	uint64_t before, after;
	expect_ok(rig_kek_open(&rig, &resource, &kek, &before));
	expect_reason(sr_kek_accept_rollback(&rig.vault.state, "blob", "label", "r"), SR_NOT_FOUND, "NotFound");
	expect_ok(note(&resource, 5));
	expect_ok(note(&other, 6));
	expect_code(sr_kek_accept_rollback(&rig.vault.state, "blob", "label", "r"), SR_CONFLICT);
	char id[SR_ID_TEXT_LEN];
	sr_id_text(&resource, id);
	expect_code(sr_kek_accept_rollback(&rig.vault.state, "identity", id, "r"), SR_NOT_FOUND);
	expect_ok(sr_kek_accept_rollback(&rig.vault.state, "blob", id, "r"));
	assert_int_equal(least(&resource), 0);
	assert_int_equal(least(&other), 6);
	expect_ok(rig_kek_open(&rig, &resource, &again, &after));
	assert_true(after > before);
	assert_true(sr_secret_equal(kek, again));
}

static struct sr_result forget(struct sr_connection *connection, void *context)
{
	(void)context;
	return sr_kek_forget_anchors(connection);
}

static void a_restored_vault_expects_nothing(void **state)
{
	(void)state;
	const struct sr_id resource = sr_id_random();
	expect_ok(rig_kek_create(&rig, &resource, NULL, NULL));
	expect_ok(note(&resource, 5));
	expect_ok(sr_database_write(rig.vault.state.database, forget, NULL));
	assert_int_equal(least(&resource), 0);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_newest_is_kept_across_openings),
	    TEST(the_administrator_accepts_one_and_it_counts_as_a_revocation),
	    TEST(a_restored_vault_expects_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
