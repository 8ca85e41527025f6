/* Client assertions and key sets of outside issuers: whole values or errors that have a row; nothing unsigned is
 * believed. */
#include "identity/assertion.h"
#include "identity/jwks.h"
#include "identity/oauth_error.h"
#include "seal/secret.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct sr_keypair *key; /* whose private half nobody has */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	const struct sr_key_spec spec = {SR_KEY_EC, 0, SR_CURVE_P256};
	if (!sr_is_ok(sr_seal_init()) || !sr_is_ok(sr_keypair_generate(&spec, &key))) {
		abort();
	}
	return 0;
}

static void check_failure(struct sr_result failure)
{
	const struct sr_oauth_error *row = sr_oauth_error_of(failure);
	if (sr_result_code(failure) != SR_UNAUTHENTICATED || row->status != 401 || !*sr_result_message(failure)) {
		abort();
	}
}

static void read_assertion(struct sr_arena *arena, const char *text)
{
	SR_CLEANUP(sr_assertion) struct sr_assertion assertion = {0};
	SR_CLEANUP(sr_result) struct sr_result read = sr_assertion_read(arena, text, &assertion);
	if (!sr_is_ok(read)) {
		check_failure(read);
		return;
	}
	bool is_valid = false;
	SR_CLEANUP(sr_result) struct sr_result verified = sr_assertion_verify(&assertion, key, &is_valid);
	if (!sr_is_ok(verified) || is_valid || assertion.audience_count > SR_ASSERTION_AUDIENCES_MAX) {
		abort();
	}
	SR_CLEANUP(sr_result)
	struct sr_result timely = sr_assertion_check_times(&assertion, 1795521600, SR_ASSERTION_LIFE_MAX_S);
	if (!sr_is_ok(timely)) {
		check_failure(timely);
	} else if (assertion.expires_s > 1795521600 + SR_ASSERTION_SKEW_S + SR_ASSERTION_LIFE_MAX_S) {
		abort();
	}
}

static void read_keys(struct sr_arena *arena, struct sr_bytes text)
{
	size_t count = 0;
	SR_CLEANUP(sr_keypair) struct sr_keypair *found = NULL;
	SR_CLEANUP(sr_result) struct sr_result checked = sr_jwks_check(arena, text, &count);
	if (sr_is_ok(checked) && (count == 0 || count > SR_JWKS_KEYS_MAX)) {
		abort();
	}
	SR_CLEANUP(sr_result) struct sr_result sought = sr_jwks_find(arena, text, "k", SR_ALG_RS256, &found);
	if (sr_is_ok(sought) != (found != NULL)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sr_arena *arena = sr_arena_new();
	if (len && data[0] == '{') {
		read_keys(arena, sr_bytes_of(data, len));
	} else if (!len || !memchr(data, 0, len)) {
		read_assertion(arena, sr_arena_text(arena, sr_bytes_of(data, len)));
	}
	sr_arena_free(arena);
	return 0;
}
