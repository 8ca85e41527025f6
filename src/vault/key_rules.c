/* States, operations and kinds of keys as tables. No SQL, no HTTP, no clock of its own. */
#include "vault/key_rules.h"

#include <string.h>

static const struct {
	const char *name;
	enum sr_key_operation operation;
	bool makes_new; /* refused outside nbf..exp */
} operations[] = {
    {"encrypt", SR_KEY_ENCRYPT, true}, {"decrypt", SR_KEY_DECRYPT, false}, {"sign", SR_KEY_SIGN, true},
    {"verify", SR_KEY_VERIFY, false},  {"wrapKey", SR_KEY_WRAP, true},     {"unwrapKey", SR_KEY_UNWRAP, false},
    {"import", SR_KEY_IMPORT, false},  {"export", SR_KEY_EXPORT, false},
};
enum { OPERATION_COUNT = sizeof operations / sizeof operations[0] };

enum {
	CIPHER_OPERATIONS = SR_KEY_ENCRYPT | SR_KEY_DECRYPT | SR_KEY_WRAP | SR_KEY_UNWRAP,
	SIGN_OPERATIONS = SR_KEY_SIGN | SR_KEY_VERIFY
};
static const struct {
	enum sr_key_type type;
	const char *name, *hardware_name;
	unsigned usual, possible;
} types[] = {
    {SR_KEY_RSA, "RSA", "RSA-HSM", CIPHER_OPERATIONS | SIGN_OPERATIONS,
     CIPHER_OPERATIONS | SIGN_OPERATIONS | SR_KEY_IMPORT},
    {SR_KEY_EC, "EC", "EC-HSM", SIGN_OPERATIONS, SIGN_OPERATIONS},
    {SR_KEY_OCT, "oct", "oct-HSM", CIPHER_OPERATIONS, CIPHER_OPERATIONS},
};
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

static const struct {
	enum sr_curve curve;
	const char *name;
} curves[] = {
    {SR_CURVE_P256, "P-256"},
    {SR_CURVE_P384, "P-384"},
    {SR_CURVE_P521, "P-521"},
    {SR_CURVE_P256K, "P-256K"},
};
enum { CURVE_COUNT = sizeof curves / sizeof curves[0] };

static const struct {
	enum sr_key_type type;
	unsigned bits;
} sizes[] = {
    {SR_KEY_RSA, 2048}, {SR_KEY_RSA, 3072}, {SR_KEY_RSA, 4096}, {SR_KEY_OCT, 256}, {SR_KEY_OCT, 192}, {SR_KEY_OCT, 128},
};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

const char *sr_key_operation_name(enum sr_key_operation operation)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (operations[i].operation == operation) {
			return operations[i].name;
		}
	}
	return "";
}

struct sr_result sr_key_operation_by_name(const char *name, enum sr_key_operation *ret_operation)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (strcmp(operations[i].name, name) == 0) {
			*ret_operation = operations[i].operation;
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID, "key_ops: '%.64s' is no key operation", name);
}

unsigned sr_key_operation_at(size_t index)
{
	return index < OPERATION_COUNT ? (unsigned)operations[index].operation : 0;
}

static bool makes_new(enum sr_key_operation operation)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (operations[i].operation == operation) {
			return operations[i].makes_new;
		}
	}
	return true;
}

struct sr_result sr_key_check_use(const struct sr_key_state *state, enum sr_key_operation operation, int64_t now)
{
	const char *name = sr_key_operation_name(operation);
	if (!state->is_enabled) {
		return sr_fail_as(SR_DENIED, "KeyDisabled", "Operation %s is not allowed on a disabled key.", name);
	}
	if (makes_new(operation) && state->nbf != SR_NO_TIME && now < state->nbf) {
		return sr_fail_as(SR_DENIED, "KeyNotYetValid", "Operation %s is not allowed on a key that is not yet valid.",
		                  name);
	}
	if (makes_new(operation) && state->exp != SR_NO_TIME && now >= state->exp) {
		return sr_fail_as(SR_DENIED, "KeyExpired", "Operation %s is not allowed on an expired key.", name);
	}
	if (!(state->operations & operation)) {
		return sr_fail_as(SR_DENIED, "KeyOperationForbidden", "Operation %s is not permitted on this key.", name);
	}
	return sr_ok();
}

struct sr_result sr_key_check_lease(const struct sr_key_state *state, int64_t now)
{
	const unsigned needed = SR_KEY_WRAP | SR_KEY_UNWRAP;
	if (state->is_deleted) {
		return sr_fail_as(SR_REVOKED, "KeyNotFound", "the key is deleted");
	}
	if (!state->is_enabled) {
		return sr_fail_as(SR_REVOKED, "KeyDisabled", "the key is disabled");
	}
	if (state->nbf != SR_NO_TIME && now < state->nbf) {
		return sr_fail_as(SR_REVOKED, "KeyNotYetValid", "the key is not yet valid");
	}
	if (state->exp != SR_NO_TIME && now >= state->exp) {
		return sr_fail_as(SR_REVOKED, "KeyExpired", "the key is expired");
	}
	if ((state->operations & needed) != needed) {
		return sr_fail_as(SR_REVOKED, "KeyForbidden", "the key's key_ops lack wrapKey or unwrapKey");
	}
	return sr_ok();
}

bool sr_key_may_leave(const struct sr_key_state *state)
{
	return state->is_enabled && !state->is_deleted && (state->operations & SR_KEY_UNWRAP);
}

bool sr_key_can_wrap_secrets(const struct sr_key_spec *spec)
{
	return spec->type == SR_KEY_RSA || (spec->type == SR_KEY_OCT && spec->bits == 256);
}

unsigned sr_key_default_operations(enum sr_key_type type)
{
	return types[type].usual;
}

unsigned sr_key_possible_operations(enum sr_key_type type)
{
	return types[type].possible;
}

bool sr_is_key_name(const char *name)
{
	size_t len = strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
	return len >= 1 && len <= 127 && name[len] == '\0';
}

bool sr_is_key_version(const char *version)
{
	return strspn(version, "0123456789abcdef") == 32 && version[32] == '\0';
}

static struct sr_result size_of(enum sr_key_type type, int64_t key_size, unsigned *ret_bits)
{
	for (size_t i = 0; i < SIZE_COUNT; i++) { /* the first of a type is what it gets where no size is named */
		if (sizes[i].type == type && (key_size == 0 || key_size == sizes[i].bits)) {
			*ret_bits = sizes[i].bits;
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID, "key_size: there are no %s keys of this size", types[type].name);
}

struct sr_result sr_key_spec_of(const char *kty, int64_t key_size, const char *crv, struct sr_key_spec *ret_spec)
{
	if (!kty) {
		return sr_fail(SR_INVALID, "Property 'kty' is required.");
	}
	const char *suffix = strchr(kty, '-');
	size_t len = suffix ? (size_t)(suffix - kty) : strlen(kty);
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (strlen(types[i].name) != len || strncmp(types[i].name, kty, len) != 0) {
			continue;
		}
		if (suffix && strcmp(suffix, "-HSM") != 0) {
			break;
		}
		struct sr_key_spec spec = {.type = types[i].type, .is_in_token = suffix};
		if (spec.type == SR_KEY_EC) {
			SR_TRY(sr_key_curve_by_name(crv ? crv : "P-256", &spec.curve));
		} else {
			SR_TRY(size_of(spec.type, key_size, &spec.bits));
		}
		*ret_spec = spec;
		return sr_ok();
	}
	return sr_fail(SR_INVALID, "kty: '%.64s' is no key type", kty);
}

struct sr_result sr_key_check_hardware(const struct sr_key_spec *spec, bool has_hardware)
{
	if (!spec->is_in_token || has_hardware) {
		return sr_ok();
	}
	return sr_fail_as(SR_INVALID, "KeyTypeNotSupported",
	                  "Keys of type %s need a hardware module, and this vault has none: use %s.", sr_key_kty(spec),
	                  types[spec->type].name);
}

const char *sr_key_kty(const struct sr_key_spec *spec)
{
	return spec->is_in_token ? types[spec->type].hardware_name : types[spec->type].name;
}

const char *sr_key_curve_name(enum sr_curve curve)
{
	for (size_t i = 0; i < CURVE_COUNT; i++) {
		if (curves[i].curve == curve) {
			return curves[i].name;
		}
	}
	return NULL;
}

struct sr_result sr_key_curve_by_name(const char *name, enum sr_curve *ret_curve)
{
	for (size_t i = 0; i < CURVE_COUNT; i++) {
		if (strcmp(curves[i].name, name) == 0) {
			*ret_curve = curves[i].curve;
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID, "crv: '%.64s' is no curve", name);
}

const char *sr_recovery_level(int64_t retention_days, bool is_purge_protected)
{
	if (retention_days >= 90) {
		return is_purge_protected ? "Recoverable" : "Recoverable+Purgeable";
	}
	return is_purge_protected ? "CustomizedRecoverable" : "CustomizedRecoverable+Purgeable";
}
