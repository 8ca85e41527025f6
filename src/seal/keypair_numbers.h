/* Builds OpenSSL keys from big-endian numbers; private to the room. */
#ifndef SR_SEAL_KEYPAIR_NUMBERS_H
#define SR_SEAL_KEYPAIR_NUMBERS_H

#include "base/bytes.h"

#include <openssl/evp.h>
#include <openssl/param_build.h>

enum { SR_KEY_NUMBERS_MAX = 8 };

/* Collects a key's parts. A failure is remembered and told by sr_key_numbers_build. */
struct sr_key_numbers {
	OSSL_PARAM_BLD *builder;
	BIGNUM *numbers[SR_KEY_NUMBERS_MAX]; /* wiped as they are freed */
	int count;
	bool has_failed;
};

struct sr_key_numbers sr_key_numbers_new(void);
void sr_key_numbers_cleanup(struct sr_key_numbers *numbers);
void sr_key_numbers_add(struct sr_key_numbers *numbers, const char *name, struct sr_bytes value);
void sr_key_numbers_add_text(struct sr_key_numbers *numbers, const char *name, const char *value);
void sr_key_numbers_add_octets(struct sr_key_numbers *numbers, const char *name, struct sr_bytes value);
/* `type` is "RSA" or "EC", `selection` EVP_PKEY_PUBLIC_KEY or EVP_PKEY_KEYPAIR. SR_INVALID if they make no key. */
SR_MUST struct sr_result sr_key_numbers_build(struct sr_key_numbers *numbers, const char *type, int selection,
                                              EVP_PKEY **ret_key);
/* One number of a key, big-endian, without leading zeros; at most `max` bytes. */
SR_MUST struct sr_result sr_key_number_get(EVP_PKEY *key, const char *name, size_t max, uint8_t *to, size_t *ret_len);

#endif
