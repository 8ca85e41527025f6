/* Stored access policies: XML on the wire, packed blocks in the row. */
#include "blob/policy.h"

#include "wire/time.h"
#include "wire/xml.h"

#include <string.h>

enum { ID_MAX = 64, PACKED_MAX = 16384 };

static struct sr_bytes child_text(const struct sr_xml_node *node, const char *name)
{
	const struct sr_xml_node *child = node ? sr_xml_child(node, name) : NULL;
	return child ? child->text : (struct sr_bytes){0};
}

static struct sr_result bad_value(const char *what)
{
	return sr_fail_as(SR_INVALID, "InvalidXmlNodeValue", "a stored access policy's %s is not right", what);
}

static struct sr_result check_time(struct sr_bytes text, const char *what)
{
	int64_t unix_us;
	SR_CLEANUP(sr_result) struct sr_result parsed = text.len ? sr_iso_time_parse(text, &unix_us) : sr_ok();
	return sr_is_ok(parsed) ? sr_ok() : bad_value(what);
}

static struct sr_result read_one(const struct sr_xml_node *node, struct sr_blob_policy *ret_policy)
{
	const struct sr_xml_node *policy = sr_xml_child(node, "AccessPolicy");
	struct sr_blob_policy read = {
	    .id = child_text(node, "Id"),
	    .start = child_text(policy, "Start"),
	    .expiry = child_text(policy, "Expiry"),
	    .permission = child_text(policy, "Permission"),
	};
	if (read.id.len == 0 || read.id.len > ID_MAX) {
		return bad_value("id");
	}
	SR_TRY(check_time(read.start, "start"));
	SR_TRY(check_time(read.expiry, "expiry"));
	*ret_policy = read;
	return sr_ok();
}

static struct sr_result read_root(struct sr_arena *arena, struct sr_bytes document, const struct sr_xml_node **ret_root)
{
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_xml_parse(arena, document, ret_root);
	if (!sr_is_ok(parsed) || strcmp((*ret_root)->name, "SignedIdentifiers") != 0) {
		return sr_fail_as(SR_INVALID, "InvalidXmlDocument", "the document holds no stored access policies");
	}
	return sr_ok();
}

struct sr_result sr_blob_policies_read(struct sr_arena *arena, struct sr_bytes document, struct sr_bytes *ret_packed)
{
	*ret_packed = (struct sr_bytes){0};
	if (document.len == 0) {
		return sr_ok();
	}
	const struct sr_xml_node *root = NULL;
	SR_TRY(read_root(arena, document, &root));
	SR_CLEANUP(sr_buf) struct sr_buf packed = SR_BUF(PACKED_MAX);
	size_t count = 0;
	for (const struct sr_xml_node *node = root->children; node; node = node->next) {
		struct sr_blob_policy policy;
		SR_TRY(read_one(node, &policy));
		if (++count > SR_BLOB_POLICY_MAX) {
			return sr_fail_as(SR_INVALID, "InvalidXmlDocument", "a container has at most five stored access policies");
		}
		sr_buf_append_block(&packed, policy.id);
		sr_buf_append_block(&packed, policy.start);
		sr_buf_append_block(&packed, policy.expiry);
		sr_buf_append_block(&packed, policy.permission);
	}
	SR_TRY(sr_buf_result(&packed));
	*ret_packed = packed.len ? sr_arena_copy(arena, sr_buf_bytes(&packed)) : (struct sr_bytes){0};
	return sr_ok();
}

struct sr_result sr_blob_policies_unpack(struct sr_bytes packed,
                                         struct sr_blob_policy ret_policies[static SR_BLOB_POLICY_MAX],
                                         size_t *ret_count)
{
	struct sr_reader reader = sr_reader_of(packed);
	size_t count = 0;
	while (reader.left > 0 && !reader.failed && count < SR_BLOB_POLICY_MAX) {
		struct sr_blob_policy *policy = &ret_policies[count++];
		policy->id = sr_reader_block(&reader, PACKED_MAX);
		policy->start = sr_reader_block(&reader, PACKED_MAX);
		policy->expiry = sr_reader_block(&reader, PACKED_MAX);
		policy->permission = sr_reader_block(&reader, PACKED_MAX);
	}
	SR_TRY(sr_reader_finish(&reader, "a container's stored access policies"));
	*ret_count = count;
	return sr_ok();
}

static void element_if_set(struct sr_buf *xml, const char *name, struct sr_bytes text)
{
	if (text.len) {
		sr_xml_element(xml, name, text);
	}
}

struct sr_result sr_blob_policies_write(struct sr_bytes packed, struct sr_buf *xml)
{
	struct sr_blob_policy policies[SR_BLOB_POLICY_MAX];
	size_t count = 0;
	SR_TRY(sr_blob_policies_unpack(packed, policies, &count));
	sr_xml_declaration(xml);
	sr_xml_open(xml, "SignedIdentifiers");
	for (size_t i = 0; i < count; i++) {
		sr_xml_open(xml, "SignedIdentifier");
		sr_xml_element(xml, "Id", policies[i].id);
		sr_xml_open(xml, "AccessPolicy");
		element_if_set(xml, "Start", policies[i].start);
		element_if_set(xml, "Expiry", policies[i].expiry);
		element_if_set(xml, "Permission", policies[i].permission);
		sr_xml_close(xml, "AccessPolicy");
		sr_xml_close(xml, "SignedIdentifier");
	}
	sr_xml_close(xml, "SignedIdentifiers");
	return sr_ok();
}
