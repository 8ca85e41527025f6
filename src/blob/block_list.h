/* The document of Put Block List. Which of its blocks exist is block_store's to find out. */
#ifndef SR_BLOB_BLOCK_LIST_H
#define SR_BLOB_BLOCK_LIST_H

#include "base/arena.h"
#include "blob/block_store.h"
#include "wire/xml.h"

/*
 * The blocks that a document asks for, in its order: the array is the arena's, the ids are the document's text.
 * SR_INVALID "InvalidXmlDocument" for another document, "BlockListTooLong" for more than SR_BLOCKS_COMMITTED_MAX.
 */
SR_MUST struct sr_result sr_block_list_read(struct sr_arena *arena, const struct sr_xml_node *root,
                                            struct sr_block_wanted **ret_wanted, size_t *ret_count);

#endif
