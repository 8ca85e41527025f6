/* XML: what is written reads back; what is hostile is refused, quickly. */
#include "check.h"

#include "wire/xml.h"

#include "base/clock.h"
#include "base/thread.h"

static enum sr_code parse_code(struct sr_bytes document)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_xml_node *root = NULL;
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_xml_parse(arena, document, &root);
	assert_true(sr_is_ok(outcome) == (root != NULL));
	return sr_result_code(outcome);
}

static void writes_as_the_service_does(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(1000);
	sr_xml_declaration(&xml);
	sr_xml_open(&xml, "Blob");
	sr_xml_element_str(&xml, "Name", "a<b>&\"c'\r\n\t\xc3\xa9");
	sr_xml_element_str(&xml, "NextMarker", "");
	sr_xml_element_str(&xml, "Prefix", NULL);
	sr_xml_element_int(&xml, "Content-Length", -1);
	sr_xml_close(&xml, "Blob");
	assert_string_equal(
	    sr_buf_text(&xml),
	    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Blob><Name>a&lt;b&gt;&amp;&quot;c'&#13;&#10;&#9;\xc3\xa9"
	    "</Name><NextMarker /><Prefix /><Content-Length>-1</Content-Length></Blob>");
}

static void knows_what_xml_can_carry(void **state)
{
	(void)state;
	assert_true(sr_xml_can_carry(SR_LITERAL("a\t\r\n\x7f\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd")));
	assert_true(sr_xml_can_carry((struct sr_bytes){0}));
	static const char *const broken[] = {"\1",   "a\x1f",        "\xef\xbf\xbe", "\xef\xbf\xbf",
	                                     "\xff", "\xed\xa0\x80", "\xef\xbf"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		assert_false(sr_xml_can_carry(sr_bytes_str(broken[i])));
	}
	assert_false(sr_xml_can_carry(sr_bytes_of("a\0", 2)));
}

static void all_text_that_xml_can_carry_survives_a_round_trip(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_bytes text = SR_LITERAL(" <>&'\"]]> \r\n\t\x7f\xc2\x80\xe2\x80\xa8\xf4\x8f\xbf\xbf&amp; ");
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(1000);
	sr_xml_element(&xml, "a", text);
	const struct sr_xml_node *root;
	expect_ok(sr_xml_parse(arena, sr_buf_bytes(&xml), &root));
	assert_true(sr_equal_public(root->text, text));
	assert_int_equal(root->text.data[root->text.len], 0);
}

static void reads_a_block_list_in_order(void **state)
{
	(void)state;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_xml_node *root;
	assert_true(
	    sr_is_ok(sr_xml_parse(arena,
	                          SR_LITERAL("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
	                                     "<!-- c --><x:BlockList xmlns:x=\"urn:x\" a='b'>\n  <Latest>QQ==</Latest>"
	                                     "<Committed><![CDATA[Q<Q]]>&#x3d;=</Committed><?pi?><Latest/></x:BlockList>"),
	                          &root)));
	assert_string_equal(root->name, "BlockList");
	const struct sr_xml_node *first = root->children;
	assert_string_equal(first->name, "Latest");
	assert_string_equal((const char *)first->text.data, "QQ==");
	assert_string_equal(first->next->name, "Committed");
	assert_string_equal((const char *)first->next->text.data, "Q<Q==");
	assert_string_equal(first->next->next->name, "Latest");
	assert_int_equal(first->next->next->text.len, 0);
	assert_null(first->next->next->next);
	assert_ptr_equal(sr_xml_child(root, "Committed"), first->next);
	assert_ptr_equal(sr_xml_child(root, "Latest"), first);
	assert_null(sr_xml_child(root, "latest"));
}

static void refuses_what_is_not_well_formed(void **state)
{
	(void)state;
	static const char *const broken[] = {"",
	                                     " ",
	                                     "text",
	                                     "<a>",
	                                     "<a></b>",
	                                     "<a/><b/>",
	                                     "<a/>x",
	                                     "<a>&nbsp;</a>",
	                                     "<a>&amp</a>",
	                                     "<a>&#0;</a>",
	                                     "<a>&#xD800;</a>",
	                                     "<a>\x01</a>",
	                                     "<a>\xff</a>",
	                                     "<a b=\"1\" b=\"2\"/>",
	                                     "<a b=1/>",
	                                     "<a><![CDATA[x</a>",
	                                     "<a><!-- -- --></a>",
	                                     "{\"a\":1}"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		if (parse_code(sr_bytes_str(broken[i])) != SR_INVALID) {
			fail_msg("taken: %s", broken[i]);
		}
	}
	assert_int_equal(parse_code(sr_bytes_of("<a/>\0", 5)), SR_INVALID);
	assert_int_equal(parse_code(sr_bytes_of("<a>\0</a>", 8)), SR_INVALID);
}

static void refuses_document_types_and_entities(void **state)
{
	(void)state;
	static const char *const hostile[] = {
	    "<!DOCTYPE a><a/>",
	    "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
	    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
	    "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:9/\">%x;]><a/>",
	    "<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c "
	    "\"&b;&b;&b;&b;&b;&b;&b;&b;\">"
	    "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\">]><l>&e;</l>",
	    "<a>&x;</a>",
	};
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		assert_int_equal(parse_code(sr_bytes_str(hostile[i])), SR_INVALID);
	}
}

static void bounds_depth_and_number_of_elements(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(10 << 20);
	for (int depth = 0; depth < SR_XML_DEPTH_MAX; depth++) {
		sr_xml_open(&xml, "a");
	}
	size_t opened = xml.len;
	for (int depth = 0; depth < SR_XML_DEPTH_MAX; depth++) {
		sr_xml_close(&xml, "a");
	}
	assert_int_equal(parse_code(sr_buf_bytes(&xml)), SR_OK);
	xml.len = opened;
	sr_buf_append_str(&xml, "<a>");
	assert_int_equal(parse_code(sr_buf_bytes(&xml)), SR_TOO_LARGE);

	sr_buf_reset(&xml);
	sr_xml_open(&xml, "a");
	for (int i = 1; i < SR_XML_NODES_MAX; i++) {
		sr_buf_append_str(&xml, "<b/>");
	}
	opened = xml.len;
	sr_xml_close(&xml, "a");
	assert_int_equal(parse_code(sr_buf_bytes(&xml)), SR_OK);
	xml.len = opened;
	sr_buf_append_str(&xml, "<b/></a>");
	assert_int_equal(parse_code(sr_buf_bytes(&xml)), SR_TOO_LARGE);
}

static void a_flood_of_attributes_costs_little(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(10 << 20);
	sr_buf_append_str(&xml, "<a");
	for (int i = 0; i < 300000; i++) {
		sr_buf_printf(&xml, " a%d = '>'", i);
	}
	sr_buf_append_str(&xml, "/>");
	uint64_t before_ms = sr_boottime_ms();
	assert_int_equal(parse_code(sr_buf_bytes(&xml)), SR_TOO_LARGE);
	assert_true(sr_boottime_ms() - before_ms < 1000);
}

/* 50,000 blocks with ids of the greatest length: about 5 MB. */
static void append_long_block_list(struct sr_buf *xml)
{
	sr_xml_declaration(xml);
	sr_xml_open(xml, "BlockList");
	for (int i = 0; i < 50000; i++) {
		sr_buf_printf(xml, "<Uncommitted>%086d==</Uncommitted>", i);
	}
	sr_xml_close(xml, "BlockList");
}

static void reads_the_longest_block_list_quickly(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(10 << 20);
	append_long_block_list(&xml);
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_xml_node *root;
	uint64_t before_ms = sr_boottime_ms();
	expect_ok(sr_xml_parse(arena, sr_buf_bytes(&xml), &root));
	uint64_t took_ms = sr_boottime_ms() - before_ms;
	print_message("%zu bytes of block list in %llu ms\n", xml.len, (unsigned long long)took_ms);
	assert_true(took_ms < 2000);
	size_t count = 0;
	for (const struct sr_xml_node *node = root->children; node; node = node->next) {
		assert_int_equal(node->text.len, 88);
		count++;
	}
	assert_int_equal(count, 50000);
}

static void read_often(void *context)
{
	bool *is_right = context;
	for (int i = 0; i < 300 && *is_right; i++) {
		*is_right =
		    parse_code(SR_LITERAL("<a><b>1</b></a>")) == SR_OK && parse_code(SR_LITERAL("<a><b>")) == SR_INVALID;
	}
}

static void many_threads_read_at_once(void **state)
{
	(void)state;
	enum { THREADS = 8 };
	struct sr_thread threads[THREADS];
	bool is_right[THREADS];
	for (int i = 0; i < THREADS; i++) {
		is_right[i] = true;
		expect_ok(sr_thread_start("xml", 0, read_often, &is_right[i], &threads[i]));
	}
	for (int i = 0; i < THREADS; i++) {
		sr_thread_join(threads[i]);
		assert_true(is_right[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_as_the_service_does),
	    cmocka_unit_test(knows_what_xml_can_carry),
	    cmocka_unit_test(all_text_that_xml_can_carry_survives_a_round_trip),
	    cmocka_unit_test(reads_a_block_list_in_order),
	    cmocka_unit_test(refuses_what_is_not_well_formed),
	    cmocka_unit_test(refuses_document_types_and_entities),
	    cmocka_unit_test(bounds_depth_and_number_of_elements),
	    cmocka_unit_test(a_flood_of_attributes_costs_little),
	    cmocka_unit_test(reads_the_longest_block_list_quickly),
	    cmocka_unit_test(many_threads_read_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
