/* Put Block List's document through the service's own reader: every element becomes one wanted block, in order. */
#include "blob/block_list.h"
#include "blob/name.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_xml_node *root = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_xml_parse(arena, sr_bytes_of(data, len), &root);
	if (!sr_is_ok(parsed)) {
		return 0;
	}
	struct sr_block_wanted *wanted = NULL;
	size_t count = 0;
	SR_CLEANUP(sr_result) struct sr_result read = sr_block_list_read(arena, root, &wanted, &count);
	if (!sr_is_ok(read)) {
		return 0;
	}
	const struct sr_xml_node *node = root->children;
	for (size_t i = 0; i < count; i++, node = node->next) {
		SR_CLEANUP(sr_result) struct sr_result checked = sr_blob_check_block_id(wanted[i].id);
		if (!node || wanted[i].id.data != node->text.data || wanted[i].source > SR_BLOCK_LATEST ||
		    (sr_is_ok(checked) && (wanted[i].id.len < 4 || wanted[i].id.len > 88))) {
			abort();
		}
	}
	if (node) {
		abort();
	}
	return 0;
}
