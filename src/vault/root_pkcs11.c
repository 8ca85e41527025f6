/*
 * The root key wrapped by an RSA key that lives in a PKCS#11 token (seal/hsm.h) and cannot leave it. Descriptor: block
 * with the token's label, the RSA key's CKA_ID (16), block with its public part, block with the root key under
 * RSA-OAEP-256. The public part has the form at rest of a token's key, sealed under a key that is no secret: it is
 * public, and the master file's MAC holds it.
 */
#include "base/random.h"
#include "base/text.h"
#include "vault/hardware.h"
#include "vault/root_provider.h"

#include <string.h>

enum { PART_MAX = 4096, RSA_BITS = 3072 };
#define LABEL_AAD SR_LITERAL("root/pkcs11")

struct parts {
	struct sr_bytes label, id, public_part, wrapped;
};

static struct sr_result parse(struct sr_bytes descriptor, struct parts *ret_parts)
{
	struct sr_reader reader = sr_reader_of(descriptor);
	struct parts parts = {.label = sr_reader_block(&reader, SR_HSM_LABEL_MAX)};
	parts.id = sr_reader_bytes(&reader, SR_HSM_ID_LEN);
	parts.public_part = sr_reader_block(&reader, PART_MAX);
	parts.wrapped = sr_reader_block(&reader, PART_MAX);
	SR_CLEANUP(sr_result) struct sr_result whole = sr_reader_finish(&reader, "descriptor");
	if (!sr_is_ok(whole) || !parts.label.len) {
		return sr_fail(SR_CORRUPT, "the master file describes no key in a PKCS#11 token");
	}
	*ret_parts = parts;
	return sr_ok();
}

/* The PIN is in a file (the module's keys need it at any time), so nobody is asked. */
static bool needs_person(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	(void)settings;
	(void)descriptor;
	return false;
}

static unsigned pieces_needed(struct sr_bytes descriptor)
{
	(void)descriptor;
	return 0;
}

static struct sr_result reach_token(const struct sr_root_settings *settings)
{
	if (!*settings->config->pkcs11_module) {
		return sr_fail(SR_UNAVAILABLE,
		               "no PKCS#11 module is configured: set pkcs11-module, pkcs11-token and pkcs11-pin-file");
	}
	SR_TRY(sr_hardware_attach(settings->config));
	return sr_hsm_check();
}

/* Seals and opens the public part; the key is known to everybody. */
static struct sr_result public_aead(struct sr_aead **ret_aead)
{
	static const uint8_t known[SR_KEY_LEN] = "strongroom/root/pkcs11/public";
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_secret_from_bytes(sr_bytes_of(known, sizeof known), &key));
	return sr_aead_new(key, ret_aead);
}

static struct sr_result wrap_root(const struct sr_root_settings *settings, const struct sr_keypair *keypair,
                                  const uint8_t id[static SR_HSM_ID_LEN], const struct sr_secret *root,
                                  struct sr_buf *descriptor)
{
	SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf public_part = SR_BUF(PART_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf wrapped = SR_BUF(PART_MAX);
	SR_TRY(public_aead(&aead));
	SR_TRY(sr_keypair_seal(keypair, aead, LABEL_AAD, &public_part));
	SR_TRY(sr_keypair_wrap_secret(keypair, root, &wrapped));
	sr_buf_append_block(descriptor, sr_bytes_str(settings->config->pkcs11_token));
	sr_buf_append(descriptor, sr_bytes_of(id, SR_HSM_ID_LEN));
	sr_buf_append_block(descriptor, sr_buf_bytes(&public_part));
	sr_buf_append_block(descriptor, sr_buf_bytes(&wrapped));
	return sr_buf_result(descriptor);
}

static struct sr_result create(const struct sr_root_settings *settings, const struct sr_root_input *input,
                               struct sr_buf *descriptor, struct sr_buf *handout, struct sr_secret **ret_root)
{
	(void)input;
	(void)handout;
	const struct sr_key_spec spec = {.type = SR_KEY_RSA, .bits = RSA_BITS, .is_in_token = true};
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	uint8_t id[SR_HSM_ID_LEN];
	sr_random(id, sizeof id);
	SR_TRY(reach_token(settings));
	SR_TRY(sr_secret_random(SR_KEY_LEN, &root));
	SR_TRY(sr_keypair_make_in_token(&spec, id, &keypair));
	struct sr_result wrapped = wrap_root(settings, keypair, id, root, descriptor);
	if (!sr_is_ok(wrapped)) {
		sr_ignore(sr_hsm_destroy(id));
		return wrapped;
	}
	*ret_root = SR_TAKE(root);
	return sr_ok();
}

static struct sr_result open_root(const struct sr_root_settings *settings, struct sr_bytes descriptor,
                                  const struct sr_root_input *input, struct sr_secret **ret_root)
{
	(void)input;
	struct parts parts;
	SR_CLEANUP(sr_aead) struct sr_aead *aead = NULL;
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(parse(descriptor, &parts));
	SR_TRY(reach_token(settings));
	SR_TRY(public_aead(&aead));
	SR_TRY(sr_keypair_open(aead, LABEL_AAD, parts.public_part, &keypair));
	bool is_there = false;
	SR_TRY(sr_hsm_has(parts.id.data, &is_there));
	if (!is_there) {
		return sr_fail(SR_UNAVAILABLE,
		               "the token does not hold the key that the root key is wrapped by (it was '%.*s')",
		               (int)parts.label.len, (const char *)parts.label.data);
	}
	struct sr_result opened = sr_keypair_unwrap_secret(keypair, parts.wrapped, ret_root);
	if (sr_result_code(opened) == SR_INVALID) {
		sr_result_free(opened);
		return sr_fail(SR_CORRUPT, "the token does not open the root key: the master file is damaged");
	}
	return opened;
}

static struct sr_result retire(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	struct parts parts;
	SR_TRY(parse(descriptor, &parts));
	SR_TRY(reach_token(settings));
	return sr_hsm_destroy(parts.id.data);
}

static void describe(struct sr_bytes descriptor, struct sr_buf *text)
{
	struct parts parts;
	SR_CLEANUP(sr_result) struct sr_result parsed = parse(descriptor, &parts);
	if (sr_is_ok(parsed)) {
		char id[2 * SR_HSM_ID_LEN + 1];
		sr_hex_encode(parts.id, id);
		sr_buf_printf(text, "key %s in the PKCS#11 token '%.*s'", id, (int)parts.label.len,
		              (const char *)parts.label.data);
	}
}

const struct sr_root_provider sr_root_pkcs11 = {
    .name = "pkcs11",
    .number = 5,
    .needs_person = needs_person,
    .pieces_needed = pieces_needed,
    .create = create,
    .open = open_root,
    .retire = retire,
    .describe = describe,
};
