/* What customers bring as certificates: names, PKCS#12, PEM, DER. The first byte chooses the kind; for PKCS#12 and PEM
 * the password is "p". Nothing crashes or takes long, and what is taken in can be written out again. */
#include "seal/x509_parts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A name that parses is written so that it parses again to the same name. */
static void try_name(struct sr_arena *arena, const char *text)
{
	SR_CLEANUP(x509_name) X509_NAME *name = NULL;
	SR_CLEANUP(x509_name) X509_NAME *second = NULL;
	const char *once = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_x509_name_parse(text, &name);
	if (!sr_is_ok(parsed)) {
		return;
	}
	SR_CLEANUP(sr_result) struct sr_result written = sr_x509_name_text(arena, name, &once);
	if (!sr_is_ok(written) || strchr(once, '#') || strlen(once) > 1024) {
		return; /* of a type that has no text */
	}
	SR_CLEANUP(sr_result) struct sr_result again = sr_x509_name_parse(once, &second);
	if (sr_is_ok(again) && X509_NAME_cmp(name, second) != 0) {
		abort();
	}
}

static void try_import(struct sr_arena *arena, struct sr_bytes bytes, bool is_pem)
{
	struct sr_x509_import import = {0};
	SR_CLEANUP(sr_result)
	struct sr_result read =
	    is_pem ? sr_x509_from_pem(arena, bytes, "p", &import) : sr_x509_from_pkcs12(arena, bytes, "p", &import);
	if (!sr_is_ok(read)) {
		return;
	}
	SR_CLEANUP(sr_buf) struct sr_buf out = SR_BUF(1 << 20);
	SR_CLEANUP(sr_result)
	struct sr_result written =
	    is_pem ? sr_x509_pkcs12(import.keypair, &import.chain, &out) : sr_x509_pem(import.keypair, &import.chain, &out);
	if (!sr_is_ok(written) && sr_result_code(written) != SR_INVALID) {
		abort();
	}
	sr_keypair_free(import.keypair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool is_ready;
	if (!is_ready && !sr_is_ok(sr_seal_init())) {
		abort();
	}
	is_ready = true;
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	const struct sr_bytes rest = sr_bytes_of(data + (len > 0), len - (len > 0));
	switch (len ? data[0] : 0) {
	case 'n':
		try_name(arena, sr_arena_text(arena, rest));
		break;
	case 'p':
		try_import(arena, rest, true);
		break;
	case 'k':
		try_import(arena, rest, false);
		break;
	default: {
		struct sr_x509_facts facts;
		sr_ignore(sr_x509_read(arena, rest, &facts));
	}
	}
	return 0;
}
