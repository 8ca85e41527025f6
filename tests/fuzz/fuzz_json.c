/* JSON: what is taken is written and read again as the same value, within the depth that is promised. */
#include "wire/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_json) json_t *value = NULL;
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_json_parse(sr_bytes_of(data, len), &value);
	if (!sr_is_ok(outcome)) {
		return 0;
	}
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(64 << 20);
	SR_CLEANUP(sr_result) struct sr_result written = sr_json_write(value, &text);
	SR_CLEANUP(sr_json) json_t *again = NULL;
	SR_CLEANUP(sr_result) struct sr_result reread = sr_json_parse(sr_buf_bytes(&text), &again);
	if (!sr_is_ok(written) || !sr_is_ok(reread) || !json_equal(value, again)) {
		abort();
	}
	return 0;
}
