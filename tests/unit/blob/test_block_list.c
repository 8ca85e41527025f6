/* Put Block List's document: every element is one block, in order; anything else is refused by its name. */
#include "blob/block_list.h"

#include "check.h"

static struct sr_result read_text(struct sr_arena *arena, struct sr_bytes text, struct sr_block_wanted **ret_wanted,
                                  size_t *ret_count)
{
	const struct sr_xml_node *root = NULL;
	expect_ok(sr_xml_parse(arena, text, &root));
	return sr_block_list_read(arena, root, ret_wanted, ret_count);
}

static void elements_are_read_in_order_with_their_source(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_block_wanted *wanted = NULL;
	size_t count = 0;
	expect_ok(read_text(arena,
	                    SR_LITERAL("<BlockList><Latest>AA==</Latest><Committed>AQ==</Committed>"
	                               "<Uncommitted>Ag==</Uncommitted><Latest>AA==</Latest></BlockList>"),
	                    &wanted, &count));
	static const struct {
		enum sr_block_source source;
		const char *id;
	} expected[] = {{SR_BLOCK_LATEST, "AA=="},
	                {SR_BLOCK_COMMITTED, "AQ=="},
	                {SR_BLOCK_UNCOMMITTED, "Ag=="},
	                {SR_BLOCK_LATEST, "AA=="}};
	assert_int_equal(count, sizeof expected / sizeof expected[0]);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(wanted[i].source, expected[i].source);
		assert_true(sr_equal_public(wanted[i].id, sr_bytes_str(expected[i].id)));
	}
}

static void an_empty_list_asks_for_nothing(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_block_wanted *wanted = NULL;
	size_t count = 7;
	expect_ok(read_text(arena, SR_LITERAL("<BlockList />"), &wanted, &count));
	assert_int_equal(count, 0);
}

static void other_documents_and_elements_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"<Blocklist/>", "<Other><Latest>AA==</Latest></Other>",
	                                    "<BlockList><Latest>AA==</Latest><latest>AA==</latest></BlockList>"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
		struct sr_block_wanted *wanted = NULL;
		size_t count = 7;
		expect_reason(read_text(arena, sr_bytes_str(texts[i]), &wanted, &count), SR_INVALID, "InvalidXmlDocument");
		assert_int_equal(count, 7);
	}
}

static void more_blocks_than_a_blob_may_have_are_refused(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
		SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(8 << 20);
		struct sr_block_wanted *wanted = NULL;
		size_t count = 0;
		sr_xml_open(&text, "BlockList");
		for (size_t i = 0; i < SR_BLOCKS_COMMITTED_MAX + more; i++) {
			sr_xml_element_str(&text, "Latest", "AA==");
		}
		sr_xml_close(&text, "BlockList");
		struct sr_result read = read_text(arena, sr_buf_bytes(&text), &wanted, &count);
		if (more) {
			expect_reason(read, SR_INVALID, "BlockListTooLong");
		} else {
			expect_ok(read);
			assert_int_equal(count, SR_BLOCKS_COMMITTED_MAX);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(elements_are_read_in_order_with_their_source),
	    cmocka_unit_test(an_empty_list_asks_for_nothing),
	    cmocka_unit_test(other_documents_and_elements_are_refused),
	    cmocka_unit_test(more_blocks_than_a_blob_may_have_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
