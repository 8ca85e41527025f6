/* Keys from and to their numbers, through OpenSSL's parameters. Which numbers a type has is its own file's. */
#include "seal/keypair_numbers.h"

#include "seal/openssl_error.h"

#include <openssl/bn.h>

struct sr_key_numbers sr_key_numbers_new(void)
{
	struct sr_key_numbers numbers = {.builder = OSSL_PARAM_BLD_new()};
	numbers.has_failed = !numbers.builder;
	return numbers;
}

void sr_key_numbers_cleanup(struct sr_key_numbers *numbers)
{
	OSSL_PARAM_BLD_free(numbers->builder);
	for (int i = 0; i < numbers->count; i++) {
		BN_clear_free(numbers->numbers[i]);
	}
}

void sr_key_numbers_add(struct sr_key_numbers *numbers, const char *name, struct sr_bytes value)
{
	BIGNUM *number = numbers->count < SR_KEY_NUMBERS_MAX && value.len && value.len <= 512
	                     ? BN_bin2bn(value.data, (int)value.len, NULL)
	                     : NULL;
	if (!number) {
		numbers->has_failed = true;
		return;
	}
	numbers->numbers[numbers->count++] = number;
	if (numbers->has_failed || OSSL_PARAM_BLD_push_BN(numbers->builder, name, number) != 1) {
		numbers->has_failed = true;
	}
}

void sr_key_numbers_add_text(struct sr_key_numbers *numbers, const char *name, const char *value)
{
	if (numbers->has_failed || !value || OSSL_PARAM_BLD_push_utf8_string(numbers->builder, name, value, 0) != 1) {
		numbers->has_failed = true;
	}
}

void sr_key_numbers_add_octets(struct sr_key_numbers *numbers, const char *name, struct sr_bytes value)
{
	if (numbers->has_failed || OSSL_PARAM_BLD_push_octet_string(numbers->builder, name, value.data, value.len) != 1) {
		numbers->has_failed = true;
	}
}

struct sr_result sr_key_numbers_build(struct sr_key_numbers *numbers, const char *type, int selection,
                                      EVP_PKEY **ret_key)
{
	OSSL_PARAM *params = numbers->has_failed ? NULL : OSSL_PARAM_BLD_to_param(numbers->builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;
	bool is_built = params && context && EVP_PKEY_fromdata_init(context) == 1 &&
	                EVP_PKEY_fromdata(context, &key, selection, params) == 1;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	if (!is_built) {
		EVP_PKEY_free(key);
		return sr_fail_openssl(SR_INVALID, "make an %s key of its numbers", type);
	}
	*ret_key = key;
	return sr_ok();
}

struct sr_result sr_key_number_get(EVP_PKEY *key, const char *name, size_t max, uint8_t *to, size_t *ret_len)
{
	BIGNUM *number = NULL;
	if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "read a number of a key");
	}
	int len = BN_num_bytes(number);
	bool fits = (size_t)len <= max;
	if (fits) {
		*ret_len = (size_t)BN_bn2bin(number, to);
	}
	BN_clear_free(number);
	return fits ? sr_ok() : sr_fail(SR_INVALID, "number of %d bytes in a key", len);
}
