/*
 * Sealing and unsealing through ESAPI. Each call connects, makes the storage key (a P-256 primary key follows from the
 * TPM's seed, so it is the same each time and is kept nowhere), works through a session salted with it, and leaves.
 * What tpm2-tss leaves of the secret in its own memory is wiped before it is freed. The form at rest is tpm_object.c's.
 */
#include "seal/tpm.h"

#include "base/memory.h"
#include "seal/crypto.h"
#include "seal/secret_bytes.h"
#include "seal/tpm_object.h"

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <stdlib.h>
#include <string.h>

enum { SECRET_MAX = 128, SCRUB_STEP = 8, SCRUB_MOST = 1032, SCRUB_DEPTH = 32 };
/* TPM 2.0 Library, part 2, 7.5: where handles of loaded objects and of sessions begin. (The library's own names for
 * them are shifts beyond an int.) */
static const UINT32 first_transient = UINT32_C(0x80000000), first_session = UINT32_C(0x02000000);

void sr_tpm_prepare(void)
{
	setenv("TSS2_LOG", "all+NONE", 0); /* NOLINT(concurrency-mt-unsafe): no thread exists yet */
}

struct tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR parent, session, object; /* ESYS_TR_NONE: none */
};

static void flush(struct tpm *tpm, ESYS_TR *handle)
{
	if (*handle != ESYS_TR_NONE) {
		Esys_FlushContext(tpm->esys, *handle);
		*handle = ESYS_TR_NONE;
	}
}

/* tpm2-tss gives back what it has decrypted without wiping it. The allocator hands the places that this thread has just
 * given back to whoever asks next: they are asked for, size by size, and wiped. */
static void scrub_freed(void)
{
	void *blocks[SCRUB_DEPTH];
	for (size_t len = SCRUB_STEP; len <= SCRUB_MOST; len += SCRUB_STEP) {
		for (size_t i = 0; i < SCRUB_DEPTH; i++) {
			blocks[i] = sr_try_alloc(len);
			if (blocks[i]) {
				sr_wipe(blocks[i], len);
			}
		}
		for (size_t i = 0; i < SCRUB_DEPTH; i++) {
			sr_free(blocks[i]);
		}
	}
}

static void tpm_cleanup(struct tpm *tpm)
{
	if (tpm->esys) {
		flush(tpm, &tpm->object);
		flush(tpm, &tpm->session);
		flush(tpm, &tpm->parent);
		TSS2_SYS_CONTEXT *sys = NULL;
		/* The last answers are in there; with a TCTI of the caller's nothing of it is read after. */
		if (Esys_GetSysContext(tpm->esys, &sys) == TSS2_RC_SUCCESS && sys) {
			sr_wipe(sys, Tss2_Sys_GetContextSize(0));
		}
		Esys_Finalize(&tpm->esys);
	}
	if (tpm->tcti) {
		Tss2_TctiLdr_Finalize(&tpm->tcti);
	}
	scrub_freed();
}

/* The format-one codes without the parameter's or session's number; the layer is left out. */
static TSS2_RC plain_code(TSS2_RC code)
{
	code &= 0xffff;
	return code & TPM2_RC_FMT1 ? code & (TPM2_RC_FMT1 | 0x3f) : code;
}

/* A failure of the TPM, translated. */
static struct sr_result failed(TSS2_RC code, const char *doing)
{
	const TSS2_RC plain = plain_code(code);
	if (plain == TPM2_RC_AUTH_FAIL || plain == TPM2_RC_BAD_AUTH) {
		return sr_fail(SR_WRONG_KEY, "%s: the PIN is wrong", doing);
	}
	if (plain == TPM2_RC_LOCKOUT) {
		return sr_fail(SR_DENIED, "%s: the TPM is locked out after too many wrong PINs; it lets go by itself with time",
		               doing);
	}
	if (plain == TPM2_RC_POLICY_FAIL || plain == TPM2_RC_PCR_CHANGED || plain == TPM2_RC_VALUE) {
		return sr_fail(SR_DENIED,
		               "%s: the platform's registers are not what they were when the key was sealed (a changed boot?)",
		               doing);
	}
	if (plain == TPM2_RC_INTEGRITY || plain == TPM2_RC_SIZE) {
		return sr_fail(SR_CORRUPT, "%s: the sealed object is damaged, or of another TPM", doing);
	}
	return sr_fail((code & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER ? SR_UNAVAILABLE : SR_CRYPTO, "%s: %s", doing,
	               Tss2_RC_Decode(code));
}

/* Gives back what a process that died left loaded. A resource manager shows each of its clients its own handles alone;
 * a TPM without one has few places, and one client at a time. */
static struct sr_result sweep(struct tpm *tpm, UINT32 first)
{
	TPMS_CAPABILITY_DATA *data = NULL;
	TSS2_SYS_CONTEXT *sys = NULL;
	TPMI_YES_NO more;
	TSS2_RC code = Esys_GetSysContext(tpm->esys, &sys);
	if (!code) {
		code = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, first,
		                          TPM2_MAX_CAP_HANDLES, &more, &data);
	}
	if (code) {
		return failed(code, "ask the TPM what is loaded");
	}
	for (UINT32 i = 0; i < data->data.handles.count; i++) {
		Tss2_Sys_FlushContext(sys, data->data.handles.handle[i]); /* what stays is in the way later, and told then */
	}
	Esys_Free(data);
	return sr_ok();
}

static struct sr_result connect_tpm(const char *name, struct tpm *tpm)
{
	*tpm = (struct tpm){.parent = ESYS_TR_NONE, .session = ESYS_TR_NONE, .object = ESYS_TR_NONE};
	TSS2_RC code = Tss2_TctiLdr_Initialize(name, &tpm->tcti);
	if (code) {
		return sr_fail(SR_UNAVAILABLE, "no TPM is reached by '%s': %s", name, Tss2_RC_Decode(code));
	}
	code = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
	if (code) {
		return failed(code, "speak with the TPM");
	}
	SR_TRY(sweep(tpm, first_transient));
	return sweep(tpm, first_session);
}

static const TPMT_SYM_DEF_OBJECT storage_cipher = {
    .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};

/* The storage key; its name tells one TPM from another. */
static struct sr_result make_parent(struct tpm *tpm, TPM2B_NAME *ret_name)
{
	const TPM2B_SENSITIVE_CREATE nothing = {0};
	const TPM2B_DATA outside = {0};
	const TPML_PCR_SELECTION none = {0};
	const TPM2B_PUBLIC template = {
	    .publicArea = {.type = TPM2_ALG_ECC,
	                   .nameAlg = TPM2_ALG_SHA256,
	                   .objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
	                                       TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
	                                       TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA,
	                   .parameters = {.eccDetail = {.symmetric = storage_cipher,
	                                                .scheme = {.scheme = TPM2_ALG_NULL},
	                                                .curveID = TPM2_ECC_NIST_P256,
	                                                .kdf = {.scheme = TPM2_ALG_NULL}}}}};
	TSS2_RC code = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
	                                  &nothing, &template, &outside, &none, &tpm->parent, NULL, NULL, NULL, NULL);
	if (code) {
		tpm->parent = ESYS_TR_NONE;
		return failed(code, "make the TPM's storage key");
	}
	TPM2B_NAME *name = NULL;
	code = Esys_TR_GetName(tpm->esys, tpm->parent, &name);
	if (code) {
		return failed(code, "name the TPM's storage key");
	}
	*ret_name = *name;
	Esys_Free(name);
	return sr_ok();
}

/* A session of the kind, salted with the storage key, that encrypts the first parameter either way. */
static struct sr_result start_session(struct tpm *tpm, TPM2_SE kind)
{
	const TPMT_SYM_DEF cipher = {.algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};
	TSS2_RC code = Esys_StartAuthSession(tpm->esys, tpm->parent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
	                                     NULL, kind, &cipher, TPM2_ALG_SHA256, &tpm->session);
	if (code) {
		tpm->session = ESYS_TR_NONE;
		return failed(code, "begin a session with the TPM");
	}
	const TPMA_SESSION all = TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
	code = Esys_TRSess_SetAttributes(tpm->esys, tpm->session, all, all);
	return code ? failed(code, "encrypt the session with the TPM") : sr_ok();
}

static TPML_PCR_SELECTION selection_of(uint16_t bank, uint32_t pcrs)
{
	TPML_PCR_SELECTION selection = {.count = 1, .pcrSelections = {{.hash = bank, .sizeofSelect = 3}}};
	for (size_t i = 0; i < 3; i++) {
		selection.pcrSelections[0].pcrSelect[i] = (BYTE)(pcrs >> 8 * i);
	}
	return selection;
}

/* What the policy session must have seen: the registers, and the PIN where there is one. */
static struct sr_result state_policy(struct tpm *tpm, const struct sr_tpm_object *object)
{
	const TPM2B_DIGEST as_they_are = {0};
	const TPML_PCR_SELECTION selection = selection_of(object->bank, object->pcrs);
	TSS2_RC code =
	    Esys_PolicyPCR(tpm->esys, tpm->session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &as_they_are, &selection);
	if (!code && object->has_pin) {
		code = Esys_PolicyAuthValue(tpm->esys, tpm->session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE);
	}
	return code ? failed(code, "state the policy to the TPM") : sr_ok();
}

/* The digest of that policy with the registers as they are now. */
static struct sr_result policy_digest(struct tpm *tpm, const struct sr_tpm_object *object, TPM2B_DIGEST *ret_digest)
{
	SR_TRY(start_session(tpm, TPM2_SE_TRIAL));
	SR_TRY(state_policy(tpm, object));
	TPM2B_DIGEST *digest = NULL;
	TSS2_RC code = Esys_PolicyGetDigest(tpm->esys, tpm->session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest);
	if (code) {
		return failed(code, "compute the policy");
	}
	*ret_digest = *digest;
	Esys_Free(digest);
	flush(tpm, &tpm->session);
	return sr_ok();
}

/* A PIN of any length as the TPM takes it: a digest, and no trailing zero, which TPMs cut off. */
static struct sr_result auth_of(const struct sr_secret *pin, TPM2B_AUTH *ret_auth)
{
	uint8_t mac[SR_SHA256_LEN];
	SR_TRY(sr_hmac_sha256(pin, SR_LITERAL("strongroom/v1/tpm-pin"), mac));
	ret_auth->size = sizeof mac;
	memcpy(ret_auth->buffer, mac, sizeof mac);
	ret_auth->buffer[sizeof mac - 1] |= 1;
	sr_wipe(mac, sizeof mac);
	return sr_ok();
}

/* Room for marshalled parts and what goes into the TPM; wiped. */
struct parcel {
	TPM2B_SENSITIVE_CREATE sensitive;
	TPM2B_AUTH auth;
	TPM2B_PUBLIC public_part;
	TPM2B_PRIVATE private_part;
	TPM2B_NAME parent_name;
};

static void parcel_cleanup(struct parcel **parcel)
{
	if (*parcel) {
		sr_wipe(*parcel, sizeof **parcel);
		sr_free(*parcel);
	}
}

static struct sr_result create_object(struct tpm *tpm, struct parcel *parcel)
{
	const TPM2B_DATA outside = {0};
	const TPML_PCR_SELECTION none = {0};
	TPM2B_PRIVATE *private_part = NULL;
	TPM2B_PUBLIC *public_part = NULL;
	SR_TRY(start_session(tpm, TPM2_SE_HMAC));
	TSS2_RC code = Esys_Create(tpm->esys, tpm->parent, tpm->session, ESYS_TR_NONE, ESYS_TR_NONE, &parcel->sensitive,
	                           &parcel->public_part, &outside, &none, &private_part, &public_part, NULL, NULL, NULL);
	flush(tpm, &tpm->session);
	if (code) {
		return failed(code, "seal the key in the TPM");
	}
	parcel->private_part = *private_part;
	parcel->public_part = *public_part;
	Esys_Free(private_part);
	Esys_Free(public_part);
	return sr_ok();
}

static struct sr_result write_object(const struct sr_tpm_object *description, const struct parcel *parcel,
                                     struct sr_buf *object)
{
	uint8_t public_part[SR_TPM_PUBLIC_MAX], private_part[SR_TPM_PRIVATE_MAX];
	size_t public_len = 0, private_len = 0;
	TSS2_RC code = Tss2_MU_TPM2B_PUBLIC_Marshal(&parcel->public_part, public_part, sizeof public_part, &public_len);
	if (!code) {
		code = Tss2_MU_TPM2B_PRIVATE_Marshal(&parcel->private_part, private_part, sizeof private_part, &private_len);
	}
	if (code) {
		return failed(code, "write the sealed object");
	}
	struct sr_tpm_object whole = *description;
	whole.parent_name = sr_bytes_of(parcel->parent_name.name, parcel->parent_name.size);
	whole.public_part = sr_bytes_of(public_part, public_len);
	whole.private_part = sr_bytes_of(private_part, private_len);
	sr_tpm_object_write(&whole, object);
	return sr_buf_result(object);
}

struct sr_result sr_tpm_seal(const char *tcti, const char *pcrs, const struct sr_secret *pin,
                             const struct sr_secret *secret, struct sr_buf *object)
{
	const struct sr_bytes bytes = sr_secret_bytes(secret);
	if (bytes.len > SECRET_MAX) {
		return sr_fail(SR_INVALID, "a TPM seals at most %d bytes", SECRET_MAX);
	}
	struct sr_tpm_object description = {.has_pin = pin != NULL};
	SR_TRY(sr_tpm_pcrs_parse(pcrs, &description.bank, &description.pcrs));
	SR_CLEANUP(tpm) struct tpm tpm;
	SR_CLEANUP(parcel) struct parcel *parcel = sr_alloc(sizeof *parcel);
	SR_TRY(connect_tpm(tcti, &tpm));
	SR_TRY(make_parent(&tpm, &parcel->parent_name));
	TPMT_PUBLIC *area = &parcel->public_part.publicArea;
	*area = (TPMT_PUBLIC){.type = TPM2_ALG_KEYEDHASH,
	                      .nameAlg = TPM2_ALG_SHA256,
	                      .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
	                                          (pin ? 0 : TPMA_OBJECT_NODA) |
	                                          (description.pcrs ? 0 : TPMA_OBJECT_USERWITHAUTH),
	                      .parameters = {.keyedHashDetail = {.scheme = {.scheme = TPM2_ALG_NULL}}}};
	if (description.pcrs) {
		SR_TRY(policy_digest(&tpm, &description, &area->authPolicy));
	}
	if (pin) {
		SR_TRY(auth_of(pin, &parcel->sensitive.sensitive.userAuth));
	}
	parcel->sensitive.sensitive.data.size = (UINT16)bytes.len;
	memcpy(parcel->sensitive.sensitive.data.buffer, bytes.data, bytes.len);
	SR_TRY(create_object(&tpm, parcel));
	return write_object(&description, parcel, object);
}

static struct sr_result load_object(struct tpm *tpm, const struct sr_tpm_object *object, struct parcel *parcel)
{
	size_t public_at = 0, private_at = 0;
	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(object->public_part.data, object->public_part.len, &public_at,
	                                   &parcel->public_part) ||
	    Tss2_MU_TPM2B_PRIVATE_Unmarshal(object->private_part.data, object->private_part.len, &private_at,
	                                    &parcel->private_part) ||
	    public_at != object->public_part.len || private_at != object->private_part.len) {
		return sr_fail(SR_CORRUPT, "this is no sealed object of a TPM");
	}
	SR_TRY(make_parent(tpm, &parcel->parent_name));
	if (!sr_equal_public(object->parent_name, sr_bytes_of(parcel->parent_name.name, parcel->parent_name.size))) {
		return sr_fail(SR_CORRUPT, "the root key was sealed by another TPM, or this one was cleared since, or the "
		                           "sealed object is damaged");
	}
	TSS2_RC code = Esys_Load(tpm->esys, tpm->parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
	                         &parcel->private_part, &parcel->public_part, &tpm->object);
	if (code) {
		tpm->object = ESYS_TR_NONE;
		return sr_fail(SR_CORRUPT, "load the sealed object: it is damaged, or of another TPM (%s)",
		               Tss2_RC_Decode(code));
	}
	return sr_ok();
}

static struct sr_result authorise(struct tpm *tpm, const struct sr_tpm_object *object, const struct sr_secret *pin,
                                  struct parcel *parcel)
{
	if (pin) {
		SR_TRY(auth_of(pin, &parcel->auth));
		TSS2_RC code = Esys_TR_SetAuth(tpm->esys, tpm->object, &parcel->auth);
		if (code) {
			return failed(code, "give the TPM the PIN");
		}
	}
	SR_TRY(start_session(tpm, object->pcrs ? TPM2_SE_POLICY : TPM2_SE_HMAC));
	return object->pcrs ? state_policy(tpm, object) : sr_ok();
}

struct sr_result sr_tpm_unseal(const char *tcti, struct sr_bytes bytes, const struct sr_secret *pin,
                               struct sr_secret **ret_secret)
{
	struct sr_tpm_object object;
	SR_TRY(sr_tpm_object_read(bytes, &object));
	if (object.has_pin && !pin) {
		return sr_fail(SR_INVALID, "the root key in the TPM opens with a PIN");
	}
	SR_CLEANUP(tpm) struct tpm tpm;
	SR_CLEANUP(parcel) struct parcel *parcel = sr_alloc(sizeof *parcel);
	SR_TRY(connect_tpm(tcti, &tpm));
	SR_TRY(load_object(&tpm, &object, parcel));
	SR_TRY(authorise(&tpm, &object, object.has_pin ? pin : NULL, parcel));
	TPM2B_SENSITIVE_DATA *data = NULL;
	TSS2_RC code = Esys_Unseal(tpm.esys, tpm.object, tpm.session, ESYS_TR_NONE, ESYS_TR_NONE, &data);
	if (code) {
		return failed(code, "unseal the root key");
	}
	struct sr_result kept = sr_secret_from_bytes(sr_bytes_of(data->buffer, data->size), ret_secret);
	sr_wipe(data, sizeof *data);
	Esys_Free(data);
	return kept;
}
