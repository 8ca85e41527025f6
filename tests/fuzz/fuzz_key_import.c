/* Private JWKs that a client imports: no numbers make a key that does not work, or take long to refuse. */
#include "vault/key_json.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool is_ready;
	if (!is_ready && !sr_is_ok(sr_seal_init())) {
		abort();
	}
	is_ready = true;
	SR_CLEANUP(sr_json) json_t *jwk = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_bytes_of(data, len), &jwk);
	if (!sr_is_ok(parsed)) {
		return 0;
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	bool is_hardware;
	SR_CLEANUP(sr_result) struct sr_result imported = sr_key_import_jwk(arena, jwk, &keypair, &is_hardware);
	const char *public_jwk = NULL;
	SR_CLEANUP(sr_result)
	struct sr_result shown = sr_is_ok(imported) ? sr_key_public_jwk(arena, keypair, &public_jwk) : sr_ok();
	if (!sr_is_ok(shown)) {
		abort();
	}
	return 0;
}
