/* Base64, base64url and hex: only the canonical form decodes, so encoding again gives the input back. */
#include "base/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_base64(struct sr_bytes input)
{
	SR_CLEANUP(sr_buf) struct sr_buf decoded = SR_BUF(64 << 20);
	SR_CLEANUP(sr_buf) struct sr_buf encoded = SR_BUF(64 << 20);
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_base64_decode(input, &decoded);
	if (sr_is_ok(outcome)) {
		sr_base64_encode(&encoded, sr_buf_bytes(&decoded));
		if (!sr_equal_public(sr_buf_bytes(&encoded), input)) {
			abort();
		}
	}
}

/* Padding may be there or not, so the input may be longer by it. */
static void check_base64url(struct sr_bytes input)
{
	SR_CLEANUP(sr_buf) struct sr_buf decoded = SR_BUF(64 << 20);
	SR_CLEANUP(sr_buf) struct sr_buf encoded = SR_BUF(64 << 20);
	SR_CLEANUP(sr_result) struct sr_result outcome = sr_base64url_decode(input, &decoded);
	if (sr_is_ok(outcome)) {
		sr_base64url_encode(&encoded, sr_buf_bytes(&decoded));
		if (!sr_bytes_start_with(input, sr_buf_bytes(&encoded)) || input.len - encoded.len > 2) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sr_bytes input = sr_bytes_of(data, len);
	uint8_t id[SR_ID_LEN];
	uint64_t number;
	check_base64(input);
	check_base64url(input);
	sr_ignore(sr_hex_decode(input, id, sizeof id));
	sr_ignore(sr_parse_u64(input, UINT64_MAX, &number));
	if (sr_is_guid(input) && input.len != SR_GUID_TEXT_LEN - 1) {
		abort();
	}
	return 0;
}
