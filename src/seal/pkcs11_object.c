/* Objects of the token: found, made, put in and destroyed. The public half of a pair is a session's object that is read
 * and dropped, so that the token keeps one object a key. */
#include "seal/pkcs11_parts.h"

#include "seal/keypair_numbers.h"
#include "seal/secret_bytes.h"

#include <openssl/core_names.h>

#include <string.h>

enum { FOUND_MAX = 16, ATTRIBUTES_MAX = 24, NUMBER_MAX = 512, RSA_NUMBERS = 8 };
/* The same for each key: names of keys are not to lie in clear in a token's files. */
#define OBJECT_LABEL "strongroom"

/* A template under construction. The pointers are borrowed until the call. */
struct attributes {
	CK_ATTRIBUTE items[ATTRIBUTES_MAX];
	CK_ULONG count;
};

static void add(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	attributes->items[attributes->count++] = (CK_ATTRIBUTE){type, (void *)(uintptr_t)value, len};
}

static void add_bool(struct attributes *attributes, CK_ATTRIBUTE_TYPE type, bool value)
{
	static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	add(attributes, type, value ? &yes : &no, sizeof yes);
}

CK_RV sr_hsm_find(const struct sr_hsm_use *use, CK_OBJECT_CLASS class, const uint8_t id[static SR_HSM_ID_LEN],
                  CK_OBJECT_HANDLE *ret_handle)
{
	struct attributes sought = {0};
	add(&sought, CKA_CLASS, &class, sizeof class);
	add(&sought, CKA_ID, id, SR_HSM_ID_LEN);
	CK_OBJECT_HANDLE found = 0;
	CK_ULONG count = 0;
	CK_RV value = use->call->C_FindObjectsInit(use->session, sought.items, sought.count);
	if (value != CKR_OK) {
		return value;
	}
	value = use->call->C_FindObjects(use->session, &found, 1, &count);
	CK_RV ended = use->call->C_FindObjectsFinal(use->session);
	*ret_handle = count ? found : 0;
	return value == CKR_OK ? ended : value;
}

/* All objects with the id, of whatever class. */
static CK_RV destroy(const struct sr_hsm_use *use, void *context)
{
	static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_PUBLIC_KEY};
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		for (size_t n = 0; n < FOUND_MAX; n++) {
			CK_OBJECT_HANDLE handle = 0;
			CK_RV value = sr_hsm_find(use, classes[i], context, &handle);
			value = value == CKR_OK && handle ? use->call->C_DestroyObject(use->session, handle) : value;
			if (value != CKR_OK) {
				return value;
			}
			if (!handle) {
				break;
			}
		}
	}
	return CKR_OK;
}

struct sr_result sr_hsm_destroy(const uint8_t id[static SR_HSM_ID_LEN])
{
	uint8_t copy[SR_HSM_ID_LEN];
	memcpy(copy, id, sizeof copy);
	return sr_hsm_run(NULL, destroy, copy, "destroy a key of the token");
}

struct search {
	const uint8_t *id;
	bool has;
};

static CK_RV look(const struct sr_hsm_use *use, void *context)
{
	struct search *search = context;
	CK_OBJECT_HANDLE private_key = 0, secret_key = 0;
	CK_RV value = sr_hsm_find(use, CKO_PRIVATE_KEY, search->id, &private_key);
	value = value == CKR_OK && !private_key ? sr_hsm_find(use, CKO_SECRET_KEY, search->id, &secret_key) : value;
	search->has = private_key || secret_key;
	return value;
}

struct sr_result sr_hsm_has(const uint8_t id[static SR_HSM_ID_LEN], bool *ret_has)
{
	struct search search = {.id = id};
	SR_TRY(sr_hsm_run(NULL, look, &search, "look for a key of the token"));
	*ret_has = search.has;
	return sr_ok();
}

/* Curves as DER object identifiers, which is what CKA_EC_PARAMS holds. */
static struct sr_bytes curve_oid(enum sr_curve curve)
{
	static const uint8_t oids[][10] = {
	    [SR_CURVE_P256] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7},
	    [SR_CURVE_P384] = {6, 5, 0x2b, 0x81, 4, 0, 0x22},
	    [SR_CURVE_P521] = {6, 5, 0x2b, 0x81, 4, 0, 0x23},
	    [SR_CURVE_P256K] = {6, 5, 0x2b, 0x81, 4, 0, 0x0a},
	};
	return sr_bytes_of(oids[curve], 2U + oids[curve][1]);
}

/* What every key of ours is in the token: kept, secret, never to leave. */
static void add_protection(struct attributes *attributes, const uint8_t *id)
{
	add_bool(attributes, CKA_TOKEN, true);
	add_bool(attributes, CKA_PRIVATE, true);
	add_bool(attributes, CKA_SENSITIVE, true);
	add_bool(attributes, CKA_EXTRACTABLE, false);
	add(attributes, CKA_ID, id, SR_HSM_ID_LEN);
	add(attributes, CKA_LABEL, OBJECT_LABEL, sizeof OBJECT_LABEL - 1);
}

static void add_uses(struct attributes *attributes, enum sr_key_type type)
{
	if (type != SR_KEY_OCT) {
		add_bool(attributes, CKA_SIGN, true);
	}
	if (type != SR_KEY_EC) {
		add_bool(attributes, CKA_DECRYPT, true);
	}
	if (type == SR_KEY_OCT) {
		add_bool(attributes, CKA_ENCRYPT, true);
		add_bool(attributes, CKA_WRAP, true);
		add_bool(attributes, CKA_UNWRAP, true);
	}
}

/* A key on its way into the token. */
struct making {
	const struct sr_key_spec *spec;
	const uint8_t *id;
	struct sr_key_public parts; /* of what was made */
};

static CK_RV get(const struct sr_hsm_use *use, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, uint8_t *to, size_t max,
                 size_t *ret_len)
{
	CK_ATTRIBUTE attribute = {type, to, max};
	CK_RV value = use->call->C_GetAttributeValue(use->session, object, &attribute, 1);
	*ret_len = value == CKR_OK ? attribute.ulValueLen : 0;
	return value;
}

/* The modulus and exponent without leading zeros, or the point's coordinates, from the public half. */
static CK_RV read_public(const struct sr_hsm_use *use, CK_OBJECT_HANDLE object, struct making *making)
{
	struct sr_key_public *parts = &making->parts;
	if (making->spec->type == SR_KEY_RSA) {
		CK_RV value = get(use, object, CKA_MODULUS, parts->n, sizeof parts->n, &parts->n_len);
		return value == CKR_OK ? get(use, object, CKA_PUBLIC_EXPONENT, parts->e, sizeof parts->e, &parts->e_len)
		                       : value;
	}
	uint8_t point[160];
	size_t len = 0, field_len = sr_curve_field_len(making->spec->curve);
	CK_RV value = get(use, object, CKA_EC_POINT, point, sizeof point, &len);
	if (value != CKR_OK) {
		return value;
	}
	/* a DER octet string around the point, which some modules leave away: the point is at the end in any case */
	if (len < 1 + 2 * field_len || point[len - 1 - 2 * field_len] != 4) {
		return CKR_DEVICE_ERROR;
	}
	memcpy(parts->x, point + len - 2 * field_len, field_len);
	memcpy(parts->y, point + len - field_len, field_len);
	parts->xy_len = field_len;
	return CKR_OK;
}

static CK_RV make_pair(const struct sr_hsm_use *use, struct making *making)
{
	static const uint8_t exponent[] = {1, 0, 1};
	const bool is_rsa = making->spec->type == SR_KEY_RSA;
	const CK_ULONG bits = making->spec->bits;
	struct attributes open = {0}, secret = {0};
	add_bool(&open, CKA_TOKEN, false);
	add_bool(&open, CKA_VERIFY, true);
	if (is_rsa) {
		add(&open, CKA_MODULUS_BITS, &bits, sizeof bits);
		add(&open, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
	} else {
		struct sr_bytes oid = curve_oid(making->spec->curve);
		add(&open, CKA_EC_PARAMS, oid.data, oid.len);
	}
	add_protection(&secret, making->id);
	add_uses(&secret, making->spec->type);
	CK_MECHANISM mechanism = {is_rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE public_key = 0, private_key = 0;
	CK_RV value = use->call->C_GenerateKeyPair(use->session, &mechanism, open.items, open.count, secret.items,
	                                           secret.count, &public_key, &private_key);
	if (value != CKR_OK) {
		return value;
	}
	value = read_public(use, public_key, making);
	use->call->C_DestroyObject(use->session, public_key);
	return value;
}

static CK_RV make_oct(const struct sr_hsm_use *use, struct making *making)
{
	const CK_ULONG len = making->spec->bits / 8;
	struct attributes secret = {0};
	add(&secret, CKA_VALUE_LEN, &len, sizeof len);
	add_protection(&secret, making->id);
	add_uses(&secret, SR_KEY_OCT);
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	CK_OBJECT_HANDLE key = 0;
	return use->call->C_GenerateKey(use->session, &mechanism, secret.items, secret.count, &key);
}

static CK_RV make(const struct sr_hsm_use *use, void *context)
{
	struct making *making = context;
	uint8_t id[SR_HSM_ID_LEN];
	memcpy(id, making->id, sizeof id);
	CK_RV value = destroy(use, id); /* of an attempt that the token broke off */
	if (value != CKR_OK) {
		return value;
	}
	return making->spec->type == SR_KEY_OCT ? make_oct(use, making) : make_pair(use, making);
}

/* Says that it is the token that lacks what is asked for, where the request itself was sound. */
static struct sr_result explain(struct sr_result made)
{
	if (sr_result_code(made) != SR_INVALID) {
		return made;
	}
	SR_CLEANUP(sr_result) struct sr_result why = made;
	return sr_fail_as(SR_INVALID, "KeyTypeNotSupported", "The hardware module has no such key: %s.",
	                  sr_result_message(why));
}

struct sr_result sr_keypair_make_in_token(const struct sr_key_spec *spec, const uint8_t id[static SR_HSM_ID_LEN],
                                          struct sr_keypair **ret_keypair)
{
	if (!sr_key_spec_exists(spec)) {
		return sr_fail(SR_INVALID, "make a key: there is no such type, size or curve");
	}
	struct making making = {.spec = spec, .id = id, .parts.spec = *spec};
	SR_TRY(explain(sr_hsm_run(NULL, make, &making, "make a key in the token")));
	return sr_keypair_in_token(&making.parts, sr_bytes_str(sr_hsm_label()), id, ret_keypair);
}

/* Private numbers outside secret memory for as long as the call takes. */
struct numbers {
	uint8_t bytes[RSA_NUMBERS][NUMBER_MAX];
	size_t lens[RSA_NUMBERS];
};

static void numbers_cleanup(struct numbers *numbers)
{
	sr_wipe(numbers, sizeof *numbers);
}

struct moving {
	const struct sr_keypair *keypair;
	struct making making;
	struct attributes secret;
};

static CK_RV put(const struct sr_hsm_use *use, void *context)
{
	struct moving *moving = context;
	uint8_t id[SR_HSM_ID_LEN];
	memcpy(id, moving->making.id, sizeof id);
	CK_RV value = destroy(use, id);
	CK_OBJECT_HANDLE key = 0;
	return value == CKR_OK ? use->call->C_CreateObject(use->session, moving->secret.items, moving->secret.count, &key)
	                       : value;
}

static struct sr_result add_rsa(struct moving *moving, struct numbers *numbers)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		const char *name;
	} members[RSA_NUMBERS] = {
	    {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
	    {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
	    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
	    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
	    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
	    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
	    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
	    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
	};
	for (size_t i = 0; i < RSA_NUMBERS; i++) {
		SR_TRY(sr_key_number_get(moving->keypair->pkey, members[i].name, NUMBER_MAX, numbers->bytes[i],
		                         &numbers->lens[i]));
		add(&moving->secret, members[i].type, numbers->bytes[i], numbers->lens[i]);
	}
	return sr_ok();
}

static struct sr_result add_ec(struct moving *moving, struct numbers *numbers)
{
	struct sr_bytes oid = curve_oid(moving->keypair->spec.curve);
	add(&moving->secret, CKA_EC_PARAMS, oid.data, oid.len);
	SR_TRY(sr_key_number_get(moving->keypair->pkey, OSSL_PKEY_PARAM_PRIV_KEY, NUMBER_MAX, numbers->bytes[0],
	                         &numbers->lens[0]));
	add(&moving->secret, CKA_VALUE, numbers->bytes[0], numbers->lens[0]);
	return sr_ok();
}

struct sr_result sr_keypair_move_into_token(const struct sr_keypair *keypair, const uint8_t id[static SR_HSM_ID_LEN],
                                            struct sr_keypair **ret_keypair)
{
	static const CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY, secret_key = CKO_SECRET_KEY;
	static const CK_KEY_TYPE kinds[] = {[SR_KEY_RSA] = CKK_RSA, [SR_KEY_EC] = CKK_EC, [SR_KEY_OCT] = CKK_AES};
	if (!keypair->is_private || keypair->object) {
		return sr_fail(SR_INVALID, "move a key into the token: it has no private part in software");
	}
	const enum sr_key_type type = keypair->spec.type;
	SR_CLEANUP(numbers) struct numbers numbers = {0};
	struct moving moving = {.keypair = keypair, .making = {.spec = &keypair->spec, .id = id}};
	add(&moving.secret, CKA_CLASS, type == SR_KEY_OCT ? &secret_key : &private_key, sizeof private_key);
	add(&moving.secret, CKA_KEY_TYPE, &kinds[type], sizeof kinds[type]);
	add_protection(&moving.secret, id);
	add_uses(&moving.secret, type);
	if (type == SR_KEY_OCT) {
		struct sr_bytes oct = sr_secret_bytes(keypair->oct);
		add(&moving.secret, CKA_VALUE, oct.data, oct.len);
	} else {
		SR_TRY(type == SR_KEY_RSA ? add_rsa(&moving, &numbers) : add_ec(&moving, &numbers));
	}
	SR_TRY(explain(sr_hsm_run(NULL, put, &moving, "put a key into the token")));
	return sr_keypair_in_token(&keypair->public_parts, sr_bytes_str(sr_hsm_label()), id, ret_keypair);
}
