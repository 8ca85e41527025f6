/* PKCS#11's return values to results, in one table. What is not in it counts as refused. */
#include "seal/pkcs11_parts.h"

static const struct {
	CK_RV value;
	enum sr_hsm_fault fault;
	enum sr_code code;
	const char *text;
} table[] = {
    {CKR_DEVICE_REMOVED, SR_HSM_LOST, SR_UNAVAILABLE, "the device was removed"},
    {CKR_DEVICE_ERROR, SR_HSM_LOST, SR_UNAVAILABLE, "the device reports an error"},
    {CKR_TOKEN_NOT_PRESENT, SR_HSM_LOST, SR_UNAVAILABLE, "the token is not present"},
    {CKR_TOKEN_NOT_RECOGNIZED, SR_HSM_LOST, SR_UNAVAILABLE, "the token is not recognised"},
    {CKR_SLOT_ID_INVALID, SR_HSM_LOST, SR_UNAVAILABLE, "the slot is gone"},
    {CKR_SESSION_CLOSED, SR_HSM_LOST, SR_UNAVAILABLE, "the session was closed"},
    {CKR_SESSION_HANDLE_INVALID, SR_HSM_LOST, SR_UNAVAILABLE, "the session is gone"},
    {CKR_SESSION_COUNT, SR_HSM_REFUSED, SR_UNAVAILABLE, "the token has no session left"},
    {CKR_USER_NOT_LOGGED_IN, SR_HSM_LOST, SR_UNAVAILABLE, "the login is over"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, SR_HSM_LOST, SR_UNAVAILABLE, "the module is not initialised"},
    {CKR_HOST_MEMORY, SR_HSM_REFUSED, SR_UNAVAILABLE, "memory ran out"},
    {CKR_DEVICE_MEMORY, SR_HSM_REFUSED, SR_UNAVAILABLE, "the device's memory is full"},
    {CKR_PIN_INCORRECT, SR_HSM_REFUSED, SR_UNAVAILABLE, "the PIN is wrong"},
    {CKR_PIN_LOCKED, SR_HSM_REFUSED, SR_UNAVAILABLE, "the PIN is locked after too many wrong ones"},
    {CKR_PIN_EXPIRED, SR_HSM_REFUSED, SR_UNAVAILABLE, "the PIN has expired"},
    {CKR_USER_PIN_NOT_INITIALIZED, SR_HSM_REFUSED, SR_UNAVAILABLE, "the token has no user PIN yet"},
    {CKR_TOKEN_WRITE_PROTECTED, SR_HSM_REFUSED, SR_UNAVAILABLE, "the token is write-protected"},
    {CKR_GENERAL_ERROR, SR_HSM_DOUBTFUL, SR_INVALID, "the token refused it"},
    {CKR_FUNCTION_FAILED, SR_HSM_DOUBTFUL, SR_INVALID, "the token failed at it"},
    {CKR_OBJECT_HANDLE_INVALID, SR_HSM_STALE, SR_UNAVAILABLE, "the object is gone"},
    {CKR_KEY_HANDLE_INVALID, SR_HSM_STALE, SR_UNAVAILABLE, "the key is gone"},
    {CKR_UNWRAPPING_KEY_HANDLE_INVALID, SR_HSM_STALE, SR_UNAVAILABLE, "the key is gone"},
    {CKR_WRAPPING_KEY_HANDLE_INVALID, SR_HSM_STALE, SR_UNAVAILABLE, "the key is gone"},
    {CKR_MECHANISM_INVALID, SR_HSM_REFUSED, SR_INVALID, "the token has no such mechanism"},
    {CKR_MECHANISM_PARAM_INVALID, SR_HSM_REFUSED, SR_INVALID, "the token does not take these parameters"},
    {CKR_CURVE_NOT_SUPPORTED, SR_HSM_REFUSED, SR_INVALID, "the token does not know the curve"},
    {CKR_DOMAIN_PARAMS_INVALID, SR_HSM_REFUSED, SR_INVALID, "the token does not know the curve"},
    {CKR_KEY_SIZE_RANGE, SR_HSM_REFUSED, SR_INVALID, "the token has no keys of this size"},
    {CKR_DATA_INVALID, SR_HSM_REFUSED, SR_INVALID, "the data are malformed"},
    {CKR_DATA_LEN_RANGE, SR_HSM_REFUSED, SR_INVALID, "the data have a wrong length"},
    {CKR_ENCRYPTED_DATA_INVALID, SR_HSM_REFUSED, SR_INVALID, "the ciphertext does not open"},
    {CKR_ENCRYPTED_DATA_LEN_RANGE, SR_HSM_REFUSED, SR_INVALID, "the ciphertext has a wrong length"},
    {CKR_WRAPPED_KEY_INVALID, SR_HSM_REFUSED, SR_INVALID, "the wrapped key does not open"},
    {CKR_WRAPPED_KEY_LEN_RANGE, SR_HSM_REFUSED, SR_INVALID, "the wrapped key has a wrong length"},
    {CKR_ATTRIBUTE_VALUE_INVALID, SR_HSM_REFUSED, SR_INVALID, "the token refuses the key's attributes"},
    {CKR_TEMPLATE_INCONSISTENT, SR_HSM_REFUSED, SR_INVALID, "the token refuses the key's attributes"},
};
enum { COUNT = sizeof table / sizeof *table };

enum sr_hsm_fault sr_hsm_fault_of(CK_RV value)
{
	if (value == CKR_OK) {
		return SR_HSM_FINE;
	}
	for (size_t i = 0; i < COUNT; i++) {
		if (table[i].value == value) {
			return table[i].fault;
		}
	}
	return SR_HSM_REFUSED;
}

struct sr_result sr_fail_hsm(CK_RV value, const char *doing)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (table[i].value == value) {
			return sr_fail(table[i].code, "%s: %s", doing, table[i].text);
		}
	}
	return sr_fail(SR_CRYPTO, "%s: PKCS#11 error 0x%lx", doing, (unsigned long)value);
}
