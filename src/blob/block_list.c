/* BlockList: Committed, Uncommitted and Latest elements in any order. Pure. */
#include "blob/block_list.h"

#include <string.h>

static struct sr_result read_wanted(const struct sr_xml_node *node, struct sr_block_wanted *ret_wanted)
{
	static const struct {
		const char *name;
		enum sr_block_source source;
	} sources[] = {
	    {"Committed", SR_BLOCK_COMMITTED}, {"Uncommitted", SR_BLOCK_UNCOMMITTED}, {"Latest", SR_BLOCK_LATEST}};
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		if (strcmp(node->name, sources[i].name) == 0) {
			*ret_wanted = (struct sr_block_wanted){sources[i].source, node->text};
			return sr_ok();
		}
	}
	return sr_fail_as(SR_INVALID, "InvalidXmlDocument", "a block list has no such element");
}

struct sr_result sr_block_list_read(struct sr_arena *arena, const struct sr_xml_node *root,
                                    struct sr_block_wanted **ret_wanted, size_t *ret_count)
{
	if (strcmp(root->name, "BlockList") != 0) {
		return sr_fail_as(SR_INVALID, "InvalidXmlDocument", "the document is no block list");
	}
	size_t count = 0;
	for (const struct sr_xml_node *node = root->children; node; node = node->next) {
		count++;
	}
	if (count > SR_BLOCKS_COMMITTED_MAX) {
		return sr_fail_as(SR_INVALID, "BlockListTooLong", "a block list has at most 50,000 blocks");
	}
	struct sr_block_wanted *wanted = sr_arena_alloc(arena, (count + 1) * sizeof *wanted);
	size_t at = 0;
	for (const struct sr_xml_node *node = root->children; node; node = node->next) {
		SR_TRY(read_wanted(node, &wanted[at++]));
	}
	*ret_wanted = wanted;
	*ret_count = count;
	return sr_ok();
}
