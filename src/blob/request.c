/* Small steps that most handlers take. */
#include "blob/request.h"

#include "base/text.h"
#include "wire/xml.h"

struct sr_result sr_blob_respond(struct sr_blob_request *request, int status)
{
	SR_TRY(sr_lease_check(&request->use));
	return sr_exchange_send(request->exchange, status, (struct sr_bytes){0});
}

struct sr_result sr_blob_respond_xml(struct sr_blob_request *request, struct sr_buf *xml)
{
	SR_TRY(sr_buf_result(xml));
	SR_TRY(sr_lease_check(&request->use));
	sr_exchange_add_header(request->exchange, "Content-Type", "application/xml");
	return sr_exchange_send(request->exchange, 200, sr_buf_bytes(xml));
}

struct sr_result sr_blob_request_xml(struct sr_blob_request *request, size_t max, struct sr_bytes *ret_body,
                                     const struct sr_xml_node **ret_root)
{
	SR_TRY(sr_exchange_read_all(request->exchange, max, ret_body));
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_xml_parse(request->arena, *ret_body, ret_root);
	if (!sr_is_ok(parsed)) {
		return sr_fail_as(SR_INVALID, "InvalidXmlDocument", "%s", sr_result_message(parsed));
	}
	return sr_ok();
}

struct sr_result sr_blob_query_number(const struct sr_blob_request *request, const char *name, uint64_t min,
                                      uint64_t max, uint64_t absent, uint64_t *ret_value)
{
	const char *text = sr_blob_query(request, name);
	if (!text || !*text) {
		*ret_value = absent;
		return sr_ok();
	}
	bool is_negative = text[0] == '-';
	SR_CLEANUP(sr_result)
	struct sr_result parsed = sr_parse_u64(sr_bytes_str(text + is_negative), UINT64_MAX, ret_value);
	if (!sr_is_ok(parsed)) {
		return sr_fail_as(SR_INVALID, "InvalidQueryParameterValue", "%s is no number", name);
	}
	if (is_negative || *ret_value < min || *ret_value > max) {
		return sr_fail_as(SR_INVALID, "OutOfRangeQueryParameterValue", "%s is out of range", name);
	}
	return sr_ok();
}
