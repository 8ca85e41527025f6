/* Identity's directory document as the services read it: whole or refused. */
#include "access/directory.h"
#include "seal/crypto.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool is_ready;
	if (!is_ready && !sr_is_ok(sr_seal_init())) {
		abort();
	}
	is_ready = true;
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_directory_parse(sr_bytes_of(data, len), &directory);
	if (sr_is_ok(parsed)) {
		enum sr_alg alg;
		(void)sr_directory_key(directory, "kid", &alg);
		(void)sr_directory_principal(directory, "00000000-0000-0000-0000-000000000001");
		if (!sr_directory_tenant(directory) || sr_directory_revision(directory) < 0) {
			abort();
		}
	}
	return 0;
}
