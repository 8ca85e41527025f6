/* The token where PKCS#11 was left out of the build: nothing is attached, and what lives in a token is away. */
#include "seal/pkcs11_parts.h"

static struct sr_result absent(void)
{
	return sr_fail(SR_UNAVAILABLE, "this build has no PKCS#11: build it where the headers of libp11-kit-dev are");
}

struct sr_result sr_hsm_attach(const struct sr_hsm_options *options)
{
	(void)options;
	return absent();
}

void sr_hsm_detach(void)
{
}

bool sr_hsm_is_attached(void)
{
	return false;
}

struct sr_result sr_hsm_check(void)
{
	return absent();
}

struct sr_result sr_keypair_make_in_token(const struct sr_key_spec *spec, const uint8_t id[static SR_HSM_ID_LEN],
                                          struct sr_keypair **ret_keypair)
{
	(void)spec, (void)id, (void)ret_keypair;
	return absent();
}

struct sr_result sr_keypair_move_into_token(const struct sr_keypair *keypair, const uint8_t id[static SR_HSM_ID_LEN],
                                            struct sr_keypair **ret_keypair)
{
	(void)keypair, (void)id, (void)ret_keypair;
	return absent();
}

struct sr_result sr_keypair_in_token(const struct sr_key_public *parts, struct sr_bytes label,
                                     const uint8_t id[static SR_HSM_ID_LEN], struct sr_keypair **ret_keypair)
{
	(void)parts, (void)label, (void)id, (void)ret_keypair;
	return absent();
}

struct sr_bytes sr_keypair_token_id(const struct sr_keypair *keypair)
{
	(void)keypair;
	return (struct sr_bytes){0};
}

void sr_hsm_object_free(struct sr_hsm_object *object)
{
	(void)object;
}

struct sr_result sr_hsm_has(const uint8_t id[static SR_HSM_ID_LEN], bool *ret_has)
{
	(void)id, (void)ret_has;
	return absent();
}

struct sr_result sr_hsm_destroy(const uint8_t id[static SR_HSM_ID_LEN])
{
	(void)id;
	return absent();
}
