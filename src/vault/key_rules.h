/*
 * What may be done with a key in which state (Key Vault, "Key attributes" and "Key operations"): pure functions of a
 * version's attributes and the time. Permissions of principals are access's; SQL is key_store's.
 */
#ifndef SR_VAULT_KEY_RULES_H
#define SR_VAULT_KEY_RULES_H

#include "base/arena.h"
#include "seal/keypair.h"

/* Operations by their names in a JWK's key_ops; bits, so that a set of them is one number. */
enum sr_key_operation {
	SR_KEY_ENCRYPT = 1,
	SR_KEY_DECRYPT = 2,
	SR_KEY_SIGN = 4,
	SR_KEY_VERIFY = 8,
	SR_KEY_WRAP = 16,
	SR_KEY_UNWRAP = 32,
	SR_KEY_IMPORT = 64,
	SR_KEY_EXPORT = 128
};
/* The name of one bit ("wrapKey"). */
const char *sr_key_operation_name(enum sr_key_operation operation);
/* A bit by its name; SR_INVALID. */
SR_MUST struct sr_result sr_key_operation_by_name(const char *name, enum sr_key_operation *ret_operation);
/* Operations by position in the order of the specification; 0 past the end. */
unsigned sr_key_operation_at(size_t index);

/* No time set (nbf, exp, deleted_at). */
#define SR_NO_TIME INT64_MIN

/* A version's state, as far as rules ask. */
struct sr_key_state {
	bool is_enabled;
	bool is_deleted;     /* the key as a whole */
	int64_t nbf, exp;    /* Unix seconds or SR_NO_TIME */
	unsigned operations; /* bits */
	struct sr_key_spec spec;
};

/*
 * May a client do `operation` now? SR_DENIED with "KeyDisabled" (nothing at all is done with a disabled key),
 * "KeyNotYetValid" and "KeyExpired" (for what makes new ciphertexts and signatures; what exists can still be decrypted,
 * unwrapped and verified), "KeyOperationForbidden" (not among key_ops).
 */
SR_MUST struct sr_result sr_key_check_use(const struct sr_key_state *state, enum sr_key_operation operation,
                                          int64_t now);
/*
 * May a data service hold a KEK that this version wraps? SR_REVOKED with a reason of keyring.h's list: "KeyNotFound",
 * "KeyDisabled", "KeyNotYetValid", "KeyExpired", "KeyForbidden" (wrapKey or unwrapKey taken from key_ops). Stricter
 * than the above: an expired key stops the data under it.
 */
SR_MUST struct sr_result sr_key_check_lease(const struct sr_key_state *state, int64_t now);
/* May KEKs be moved away from this version to a newer one? Not if it is disabled or deleted: that would undo a
 * revocation. */
bool sr_key_may_leave(const struct sr_key_state *state);
/* Could it wrap KEKs, by its kind? RSA and 256-bit oct. */
bool sr_key_can_wrap_secrets(const struct sr_key_spec *spec);

/* The operations that a new key of this type has where none are named, and the most that it can have. */
unsigned sr_key_default_operations(enum sr_key_type type);
unsigned sr_key_possible_operations(enum sr_key_type type);

/* Key and vault names: 1 to 127 letters, digits, hyphens. */
bool sr_is_key_name(const char *name);
/* Versions: 32 lowercase hex digits. */
bool sr_is_key_version(const char *version);

/* kty and crv to a spec: "RSA" with 0 (2048), 2048, 3072, 4096; "EC" with a curve ("P-256" where NULL); "oct" with 0
 * (256), 128, 192, 256; each with "-HSM" behind it for a key in the token. */
SR_MUST struct sr_result sr_key_spec_of(const char *kty, int64_t key_size, const char *crv,
                                        struct sr_key_spec *ret_spec);
/* A new key of an -HSM type where there is no module is refused ("KeyTypeNotSupported"): a key in software must not be
 * passed off as anything else. */
SR_MUST struct sr_result sr_key_check_hardware(const struct sr_key_spec *spec, bool has_hardware);
/* "RSA", or "RSA-HSM" for a key in the token. */
const char *sr_key_kty(const struct sr_key_spec *spec);
const char *sr_key_curve_name(enum sr_curve curve);
SR_MUST struct sr_result sr_key_curve_by_name(const char *name, enum sr_curve *ret_curve);

/* The recovery level that a vault's settings amount to ("Recoverable+Purgeable"). */
const char *sr_recovery_level(int64_t retention_days, bool is_purge_protected);

#endif
