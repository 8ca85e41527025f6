/*
 * The back end of keys in the token. RSA is decrypted without padding inside (CKM_RSA_X_509) and the padding taken off
 * here in constant time, wherever the token can: it is then one code for all tokens, SHA-256 included, and none of
 * their own checks of paddings answers an attacker. Signatures are the token's own mechanisms. AES key wrap works on
 * session objects, since PKCS#11 wraps objects only.
 */
#include "seal/keypair_form.h"
#include "seal/pkcs11_parts.h"
#include "seal/wrap.h"

#include "base/memory.h"
#include "base/random.h"

#include <string.h>

enum { RSA_MODULUS_MAX = 512, GCM_IV_LEN = 12, GCM_TAG_LEN = 16, BLOCK_LEN = 16, PLAINTEXT_MAX = 1 << 20 };

struct sr_result sr_keypair_in_token(const struct sr_key_public *parts, struct sr_bytes label,
                                     const uint8_t id[static SR_HSM_ID_LEN], struct sr_keypair **ret_keypair)
{
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	if (parts->spec.type == SR_KEY_OCT) {
		keypair = sr_alloc(sizeof *keypair);
		keypair->public_parts.spec = keypair->spec = parts->spec;
	} else {
		SR_TRY(sr_keypair_from_public(parts, &keypair));
	}
	keypair->spec.is_in_token = keypair->public_parts.spec.is_in_token = true;
	keypair->is_private = true;
	keypair->backend = &sr_keypair_token;
	struct sr_hsm_object *object = sr_alloc(sizeof *object);
	sr_mutex_init(&object->mutex, SR_RANK_LEAF);
	memcpy(object->label, label.data, label.len);
	memcpy(object->id, id, sizeof object->id);
	object->class = parts->spec.type == SR_KEY_OCT ? CKO_SECRET_KEY : CKO_PRIVATE_KEY;
	keypair->object = object;
	*ret_keypair = SR_TAKE(keypair);
	return sr_ok();
}

void sr_hsm_object_free(struct sr_hsm_object *object)
{
	if (object) {
		sr_mutex_destroy(&object->mutex);
		sr_free(object);
	}
}

struct sr_bytes sr_keypair_token_id(const struct sr_keypair *keypair)
{
	return keypair->object ? sr_bytes_of(keypair->object->id, SR_HSM_ID_LEN) : (struct sr_bytes){0};
}

/* One call of the token: bytes in, bytes out. */
struct operation {
	CK_MECHANISM mechanism;
	struct sr_bytes in;
	uint8_t *out;
	CK_ULONG room, out_len;
};

static CK_BYTE_PTR input(const struct operation *operation)
{
	static CK_BYTE nothing[1]; /* some modules take a NULL of no bytes for a mistake */
	return operation->in.data ? (CK_BYTE_PTR)(uintptr_t)operation->in.data : nothing;
}

static CK_RV encrypt(const struct sr_hsm_use *use, void *context)
{
	struct operation *operation = context;
	operation->out_len = operation->room;
	CK_RV value = use->call->C_EncryptInit(use->session, &operation->mechanism, use->object);
	return value == CKR_OK ? use->call->C_Encrypt(use->session, input(operation), operation->in.len, operation->out,
	                                              &operation->out_len)
	                       : value;
}

static CK_RV decrypt(const struct sr_hsm_use *use, void *context)
{
	struct operation *operation = context;
	operation->out_len = operation->room;
	CK_RV value = use->call->C_DecryptInit(use->session, &operation->mechanism, use->object);
	return value == CKR_OK ? use->call->C_Decrypt(use->session, input(operation), operation->in.len, operation->out,
	                                              &operation->out_len)
	                       : value;
}

static CK_RV sign_digest(const struct sr_hsm_use *use, void *context)
{
	struct operation *operation = context;
	operation->out_len = operation->room;
	CK_RV value = use->call->C_SignInit(use->session, &operation->mechanism, use->object);
	return value == CKR_OK ? use->call->C_Sign(use->session, input(operation), operation->in.len, operation->out,
	                                           &operation->out_len)
	                       : value;
}

/* What does not open is an answer, not an error. */
static struct sr_result opens_or_not(struct sr_result result, bool *ret_opens)
{
	*ret_opens = sr_is_ok(result);
	if (sr_result_code(result) == SR_INVALID) {
		sr_ignore(result);
		return sr_ok();
	}
	return result;
}

struct rsa_operation {
	struct operation operation;
	const struct sr_alg_traits *alg;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
	bool is_raw;
};

/* Which mechanism serves is known only once the token is connected. */
static CK_RV decrypt_rsa(const struct sr_hsm_use *use, void *context)
{
	struct rsa_operation *rsa = context;
	rsa->is_raw = sr_hsm_can(CKM_RSA_X_509);
	if (rsa->is_raw) {
		rsa->operation.mechanism = (CK_MECHANISM){CKM_RSA_X_509, NULL, 0};
	} else if (rsa->alg->kind == SR_ALG_KIND_RSA_PKCS1) {
		rsa->operation.mechanism = (CK_MECHANISM){CKM_RSA_PKCS, NULL, 0};
	} else {
		const bool is_sha1 = rsa->alg->md == sr_md_sha1;
		rsa->oaep = (CK_RSA_PKCS_OAEP_PARAMS){.hashAlg = is_sha1 ? CKM_SHA_1 : CKM_SHA256,
		                                      .mgf = is_sha1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256,
		                                      .source = CKZ_DATA_SPECIFIED};
		rsa->operation.mechanism = (CK_MECHANISM){CKM_RSA_PKCS_OAEP, &rsa->oaep, sizeof rsa->oaep};
	}
	return decrypt(use, &rsa->operation);
}

/* As a number under the modulus, as RSA wants it; both are public. */
static bool is_below_modulus(const struct sr_key_public *parts, struct sr_bytes ciphertext)
{
	for (size_t i = 0; i < parts->n_len; i++) {
		if (ciphertext.data[i] != parts->n[i]) {
			return ciphertext.data[i] < parts->n[i];
		}
	}
	return false;
}

static struct sr_result rsa_decrypt(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
                                    struct sr_bytes ciphertext, uint8_t *to, size_t *ret_len, bool *ret_opens)
{
	const size_t len = keypair->public_parts.n_len;
	*ret_opens = false;
	if (ciphertext.len != len || !is_below_modulus(&keypair->public_parts, ciphertext)) {
		return sr_ok();
	}
	uint8_t block[RSA_MODULUS_MAX] = {0};
	struct rsa_operation rsa = {.operation = {.in = ciphertext, .out = block, .room = sizeof block}, .alg = alg};
	struct sr_result result =
	    opens_or_not(sr_hsm_run(keypair->object, decrypt_rsa, &rsa, "decrypt with a key of the token"), ret_opens);
	if (sr_is_ok(result) && *ret_opens && rsa.is_raw && rsa.operation.out_len == len) {
		result = sr_rsa_unpad(alg, sr_bytes_of(block, len), to, ret_len, ret_opens);
	} else if (sr_is_ok(result) && *ret_opens && !rsa.is_raw && rsa.operation.out_len <= len) {
		*ret_len = rsa.operation.out_len;
		memcpy(to, block, *ret_len);
	} else {
		*ret_opens = false;
	}
	sr_wipe(block, sizeof block);
	return result;
}

/* Runs a signature and appends what comes of it. */
static struct sr_result run_signature(const struct sr_keypair *keypair, CK_MECHANISM mechanism, struct sr_bytes in,
                                      size_t len, struct sr_buf *signature)
{
	const size_t before = signature->len;
	uint8_t *to = sr_buf_extend(signature, len);
	if (!to) {
		return sr_buf_result(signature);
	}
	struct operation operation = {.mechanism = mechanism, .in = in, .out = to, .room = len};
	struct sr_result result = sr_hsm_run(keypair->object, sign_digest, &operation, "sign with a key of the token");
	if (sr_is_ok(result) && operation.out_len != len) {
		result = sr_fail(SR_CRYPTO, "the token's signature has %lu bytes, not %zu", operation.out_len, len);
	}
	if (!sr_is_ok(result)) {
		signature->len = before;
	}
	return result;
}

/* PKCS#1 v1.5 in the token pads only: what is before the digest is ours (RFC 8017, 9.2, note 1). */
static struct sr_result sign_pkcs1(const struct sr_keypair *keypair, struct sr_bytes digest, unsigned digest_len,
                                   struct sr_buf *signature)
{
	static const uint8_t prefix[] = {0x30, 0, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 0, 5, 0, 4, 0};
	enum { AT_LEN = 1, AT_HASH = 14, AT_DIGEST_LEN = 18, OVERHEAD = 11 };
	const size_t modulus_len = keypair->public_parts.n_len;
	uint8_t info[sizeof prefix + SR_DIGEST_MAX];
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	if (!digest_len) { /* RSNULL: the client's own block */
		return digest.len + OVERHEAD <= modulus_len
		           ? run_signature(keypair, mechanism, digest, modulus_len, signature)
		           : sr_fail(SR_INVALID, "sign %zu bytes with RSNULL: too long for the key", digest.len);
	}
	memcpy(info, prefix, sizeof prefix);
	memcpy(info + sizeof prefix, digest.data, digest.len);
	info[AT_LEN] = (uint8_t)(sizeof prefix - 2 + digest.len);
	info[AT_HASH] = digest.len == 32 ? 1 : digest.len == 48 ? 2 : 3;
	info[AT_DIGEST_LEN] = (uint8_t)digest.len;
	return run_signature(keypair, mechanism, sr_bytes_of(info, sizeof prefix + digest.len), modulus_len, signature);
}

static struct sr_result sign_pss(const struct sr_keypair *keypair, struct sr_bytes digest, struct sr_buf *signature)
{
	CK_RSA_PKCS_PSS_PARAMS params = {
	    .hashAlg = digest.len == 32   ? CKM_SHA256
	               : digest.len == 48 ? CKM_SHA384
	                                  : CKM_SHA512,
	    .mgf = digest.len == 32   ? CKG_MGF1_SHA256
	           : digest.len == 48 ? CKG_MGF1_SHA384
	                              : CKG_MGF1_SHA512,
	    .sLen = digest.len,
	};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &params, sizeof params};
	return run_signature(keypair, mechanism, digest, keypair->public_parts.n_len, signature);
}

static struct sr_result sign(const struct sr_keypair *keypair, const struct sr_alg_traits *alg, struct sr_bytes digest,
                             struct sr_buf *signature)
{
	if (alg->kind == SR_ALG_KIND_SIGN_EC) {
		CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
		return run_signature(keypair, mechanism, digest, 2 * keypair->public_parts.xy_len, signature);
	}
	return alg->kind == SR_ALG_KIND_SIGN_PSS ? sign_pss(keypair, digest, signature)
	                                         : sign_pkcs1(keypair, digest, alg->digest_len, signature);
}

/* A mechanism of AES with its parameters, which it points into. */
struct aes {
	CK_MECHANISM mechanism;
	CK_GCM_PARAMS gcm;
	uint8_t iv[BLOCK_LEN];
};

static void set_aes(struct aes *aes, const struct sr_alg_traits *alg, struct sr_bytes aad)
{
	if (alg->kind == SR_ALG_KIND_GCM) {
		aes->gcm = (CK_GCM_PARAMS){.pIv = aes->iv,
		                           .ulIvLen = GCM_IV_LEN,
		                           .ulIvBits = GCM_IV_LEN * 8UL,
		                           .pAAD = (CK_BYTE_PTR)(uintptr_t)aad.data,
		                           .ulAADLen = aad.len,
		                           .ulTagBits = GCM_TAG_LEN * 8UL};
		aes->mechanism = (CK_MECHANISM){CKM_AES_GCM, &aes->gcm, sizeof aes->gcm};
	} else {
		CK_MECHANISM_TYPE type = alg->kind == SR_ALG_KIND_CBC ? CKM_AES_CBC : CKM_AES_CBC_PAD;
		aes->mechanism = (CK_MECHANISM){type, aes->iv, BLOCK_LEN};
	}
}

static size_t iv_len_of(const struct sr_alg_traits *alg)
{
	return alg->kind == SR_ALG_KIND_GCM ? GCM_IV_LEN : BLOCK_LEN;
}

/* AES key wrap of bytes: they become a session's object for as long as it takes. */
static CK_RV wrap(const struct sr_hsm_use *use, void *context)
{
	struct operation *operation = context;
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_KEY_TYPE kind = CKK_GENERIC_SECRET;
	static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE template[] = {
	    {CKA_CLASS, &class, sizeof class},   {CKA_KEY_TYPE, &kind, sizeof kind},
	    {CKA_TOKEN, &no, sizeof no},         {CKA_SENSITIVE, &no, sizeof no},
	    {CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_VALUE, input(operation), operation->in.len},
	};
	CK_OBJECT_HANDLE subject = 0;
	CK_RV value = use->call->C_CreateObject(use->session, template, sizeof template / sizeof *template, &subject);
	if (value != CKR_OK) {
		return value;
	}
	operation->out_len = operation->room;
	value = use->call->C_WrapKey(use->session, &operation->mechanism, use->object, subject, operation->out,
	                             &operation->out_len);
	CK_RV ended = use->call->C_DestroyObject(use->session, subject);
	return value == CKR_OK ? ended : value;
}

static CK_RV unwrap(const struct sr_hsm_use *use, void *context)
{
	struct operation *operation = context;
	static CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static CK_KEY_TYPE kind = CKK_GENERIC_SECRET;
	static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE template[] = {
	    {CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &kind, sizeof kind},  {CKA_TOKEN, &no, sizeof no},
	    {CKA_SENSITIVE, &no, sizeof no},   {CKA_EXTRACTABLE, &yes, sizeof yes},
	};
	CK_OBJECT_HANDLE subject = 0;
	CK_RV value = use->call->C_UnwrapKey(use->session, &operation->mechanism, use->object, input(operation),
	                                     operation->in.len, template, sizeof template / sizeof *template, &subject);
	if (value != CKR_OK) {
		return value;
	}
	CK_ATTRIBUTE bytes = {CKA_VALUE, operation->out, operation->room};
	value = use->call->C_GetAttributeValue(use->session, subject, &bytes, 1);
	operation->out_len = value == CKR_OK ? bytes.ulValueLen : 0;
	CK_RV ended = use->call->C_DestroyObject(use->session, subject);
	return value == CKR_OK ? ended : value;
}

static struct sr_result run_wrap(const struct sr_keypair *keypair, CK_MECHANISM_TYPE mechanism,
                                 struct sr_bytes plaintext, uint8_t *to, size_t *ret_len)
{
	struct operation operation = {
	    .mechanism = {mechanism, NULL, 0}, .in = plaintext, .out = to, .room = sr_aes_wrap_room(plaintext.len)};
	SR_TRY(sr_hsm_run(keypair->object, wrap, &operation, "wrap with a key of the token"));
	*ret_len = operation.out_len;
	return sr_ok();
}

static struct sr_result run_unwrap(const struct sr_keypair *keypair, CK_MECHANISM_TYPE mechanism,
                                   struct sr_bytes wrapped, uint8_t *to, size_t *ret_len, bool *ret_opens)
{
	struct operation operation = {.mechanism = {mechanism, NULL, 0}, .in = wrapped, .out = to, .room = wrapped.len};
	SR_TRY(opens_or_not(sr_hsm_run(keypair->object, unwrap, &operation, "unwrap with a key of the token"), ret_opens));
	*ret_len = operation.out_len;
	return sr_ok();
}

static struct sr_result oct_wrap(const struct sr_keypair *keypair, struct sr_bytes plaintext, uint8_t *to,
                                 size_t *ret_len)
{
	return run_wrap(keypair, CKM_AES_KEY_WRAP_PAD, plaintext, to, ret_len);
}

static struct sr_result oct_unwrap(const struct sr_keypair *keypair, struct sr_bytes wrapped, uint8_t *to,
                                   size_t *ret_len, bool *ret_opens)
{
	*ret_opens = false;
	if (wrapped.len < 16 || wrapped.len % 8) {
		return sr_ok();
	}
	return run_unwrap(keypair, CKM_AES_KEY_WRAP_PAD, wrapped, to, ret_len, ret_opens);
}

static struct sr_result encrypt_kw(const struct sr_keypair *keypair, struct sr_bytes plaintext,
                                   struct sr_buf *ciphertext)
{
	if (plaintext.len < 16 || plaintext.len % 8 || plaintext.len > SR_SECRET_MAX) {
		return sr_fail(SR_INVALID, "AES key wrap cannot wrap %zu bytes", plaintext.len);
	}
	const size_t before = ciphertext->len;
	size_t len = 0;
	uint8_t *to = sr_buf_extend(ciphertext, sr_aes_wrap_room(plaintext.len));
	if (!to) {
		return sr_buf_result(ciphertext);
	}
	struct sr_result result = run_wrap(keypair, CKM_AES_KEY_WRAP, plaintext, to, &len);
	ciphertext->len = before + len;
	return result;
}

/* Lengths, and the IV: the caller's, or a new one, which is returned. */
static struct sr_result prepare_encryption(const struct sr_alg_traits *alg, struct sr_bytes plaintext,
                                           const struct sr_cipher_parts *parts, struct aes *aes, struct sr_buf *ret_iv)
{
	const size_t iv_len = iv_len_of(alg);
	if (alg->kind == SR_ALG_KIND_CBC && plaintext.len % BLOCK_LEN) {
		return sr_fail(SR_INVALID, "%zu bytes are not whole blocks, and this algorithm does not pad", plaintext.len);
	}
	if (parts->iv.len && parts->iv.len != iv_len) {
		return sr_fail(SR_INVALID, "initialisation vector of %zu bytes, not %zu", parts->iv.len, iv_len);
	}
	if (parts->iv.len) {
		memcpy(aes->iv, parts->iv.data, iv_len);
	} else {
		sr_random(aes->iv, iv_len);
	}
	sr_buf_append(ret_iv, sr_bytes_of(aes->iv, iv_len));
	set_aes(aes, alg, parts->aad);
	return sr_buf_result(ret_iv);
}

static struct sr_result oct_encrypt(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
                                    struct sr_bytes plaintext, const struct sr_cipher_parts *parts,
                                    struct sr_buf *ciphertext, struct sr_buf *ret_iv, struct sr_buf *ret_tag)
{
	if (plaintext.len > PLAINTEXT_MAX) {
		return sr_fail(SR_INVALID, "encrypt %zu bytes: more than %d", plaintext.len, PLAINTEXT_MAX);
	}
	if (alg->kind == SR_ALG_KIND_KW) {
		return encrypt_kw(keypair, plaintext, ciphertext);
	}
	struct aes aes = {0};
	SR_TRY(prepare_encryption(alg, plaintext, parts, &aes, ret_iv));
	const size_t before = ciphertext->len, room = plaintext.len + BLOCK_LEN;
	uint8_t *to = sr_buf_extend(ciphertext, room);
	if (!to) {
		return sr_buf_result(ciphertext);
	}
	struct operation operation = {.mechanism = aes.mechanism, .in = plaintext, .out = to, .room = room};
	struct sr_result result = sr_hsm_run(keypair->object, encrypt, &operation, "encrypt with a key of the token");
	if (sr_is_ok(result) && alg->kind == SR_ALG_KIND_GCM) {
		operation.out_len -= GCM_TAG_LEN; /* it is room, or the token failed */
		sr_buf_append(ret_tag, sr_bytes_of(to + plaintext.len, GCM_TAG_LEN));
		result = sr_buf_result(ret_tag);
	}
	ciphertext->len = before + (sr_is_ok(result) ? operation.out_len : 0);
	return result;
}

static struct sr_result decrypt_kw(const struct sr_keypair *keypair, struct sr_bytes ciphertext,
                                   struct sr_buf *plaintext)
{
	if (ciphertext.len < 24 || ciphertext.len % 8 || ciphertext.len > SR_SECRET_MAX + 8) {
		return sr_fail_decrypt();
	}
	const size_t before = plaintext->len;
	size_t len = 0;
	bool opens = false;
	uint8_t *to = sr_buf_extend(plaintext, ciphertext.len);
	if (!to) {
		return sr_buf_result(plaintext);
	}
	struct sr_result result = run_unwrap(keypair, CKM_AES_KEY_WRAP, ciphertext, to, &len, &opens);
	plaintext->len = before + (opens ? len : 0);
	return sr_is_ok(result) && !opens ? sr_fail_decrypt() : result;
}

/* For the token a GCM ciphertext ends with its tag. */
static struct sr_result join_tag(const struct sr_alg_traits *alg, struct sr_bytes ciphertext, struct sr_bytes tag,
                                 struct sr_buf *joined)
{
	sr_buf_append(joined, ciphertext);
	if (alg->kind == SR_ALG_KIND_GCM) {
		sr_buf_append(joined, tag);
	}
	return sr_buf_result(joined);
}

static struct sr_result oct_decrypt(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
                                    struct sr_bytes ciphertext, const struct sr_cipher_parts *parts,
                                    struct sr_buf *plaintext)
{
	if (alg->kind == SR_ALG_KIND_KW) {
		return decrypt_kw(keypair, ciphertext, plaintext);
	}
	const bool is_gcm = alg->kind == SR_ALG_KIND_GCM;
	if (ciphertext.len > PLAINTEXT_MAX + BLOCK_LEN || parts->iv.len != iv_len_of(alg) ||
	    (is_gcm ? parts->tag.len != GCM_TAG_LEN : ciphertext.len % BLOCK_LEN)) {
		return sr_fail_decrypt();
	}
	struct aes aes = {0};
	memcpy(aes.iv, parts->iv.data, parts->iv.len);
	set_aes(&aes, alg, parts->aad);
	SR_CLEANUP(sr_buf) struct sr_buf joined = SR_BUF(PLAINTEXT_MAX + 2 * BLOCK_LEN);
	SR_TRY(join_tag(alg, ciphertext, parts->tag, &joined));
	const size_t before = plaintext->len, room = joined.len + BLOCK_LEN;
	uint8_t *to = sr_buf_extend(plaintext, room);
	if (!to) {
		return sr_buf_result(plaintext);
	}
	bool opens;
	struct operation operation = {.mechanism = aes.mechanism, .in = sr_buf_bytes(&joined), .out = to, .room = room};
	struct sr_result result =
	    opens_or_not(sr_hsm_run(keypair->object, decrypt, &operation, "decrypt with a key of the token"), &opens);
	if (!opens) {
		sr_wipe(to, room);
	}
	plaintext->len = before + (opens ? operation.out_len : 0);
	return sr_is_ok(result) && !opens ? sr_fail_decrypt() : result;
}

const struct sr_keypair_backend sr_keypair_token = {
    .rsa_decrypt = rsa_decrypt,
    .sign = sign,
    .oct_encrypt = oct_encrypt,
    .oct_decrypt = oct_decrypt,
    .oct_wrap = oct_wrap,
    .oct_unwrap = oct_unwrap,
    .form = sr_keypair_token_form,
};
