/* An exported audit log line by line, and an anchor file: whatever comes, there is a verdict, and nothing but a log
 * that somebody signed is whole. */
#include "audit/line.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool is_ready;
	if (!is_ready && !sr_is_ok(sr_seal_init())) {
		abort();
	}
	is_ready = true;
	struct sr_audit_anchor anchor;
	sr_ignore(sr_audit_anchor_read(sr_bytes_of(data, len), &anchor));
	struct sr_audit_key key;
	sr_ignore(sr_audit_key_from_pem(sr_bytes_of(data, len), &key));

	SR_CLEANUP(sr_audit_verifier) struct sr_audit_verifier *verifier = sr_audit_verifier_new(NULL);
	struct sr_audit_reader reader = {.verifier = verifier};
	struct sr_audit_verdict verdict;
	while (len) {
		const uint8_t *end = memchr(data, '\n', len);
		const size_t line_len = end ? (size_t)(end - data) : len;
		sr_ignore(sr_audit_reader_line(&reader, sr_bytes_of(data, line_len)));
		data += line_len + (end != NULL);
		len -= line_len + (end != NULL);
	}
	if (!sr_is_ok(sr_audit_reader_finish(&reader, false, &verdict)) ||
	    (!verdict.broken_at && verdict.covered != verdict.entries)) {
		abort();
	}
	return 0;
}
