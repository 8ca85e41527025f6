/* XML: trees keep their limits, and every text that is read can be written and read again. */
#include "wire/xml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Walks the tree; gives the number of nodes. */
static size_t check_node(const struct sr_xml_node *node, size_t depth)
{
	size_t count = 1;
	if (depth > SR_XML_DEPTH_MAX || node->text.data[node->text.len] != 0 || !sr_xml_can_carry(node->text)) {
		abort();
	}
	for (const struct sr_xml_node *child = node->children; child; child = child->next) {
		count += check_node(child, depth + 1);
	}
	return count;
}

static void check_round_trip(struct sr_arena *arena, struct sr_bytes text)
{
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(64 << 20);
	const struct sr_xml_node *root = NULL;
	sr_xml_declaration(&xml);
	sr_xml_element(&xml, "a", text);
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_xml_parse(arena, sr_buf_bytes(&xml), &root);
	if (!sr_is_ok(outcome) || !sr_equal_public(root->text, text)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_xml_node *root = NULL;
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_xml_parse(arena, sr_bytes_of(data, len), &root);
	if (sr_is_ok(outcome) && check_node(root, 1) > SR_XML_NODES_MAX) {
		abort();
	}
	if (sr_xml_can_carry(sr_bytes_of(data, len))) {
		check_round_trip(arena, sr_bytes_of(data, len));
	}
	return 0;
}
