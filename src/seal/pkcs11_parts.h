/*
 * The token as the files of PKCS#11 share it: pkcs11.c (module, login, sessions), pkcs11_object.c (finding, making and
 * destroying), pkcs11_keypair.c (using), pkcs11_error.c (return values to results). Private to the room. Without
 * PKCS#11 in the build, hsm_absent.c stands for all of them.
 */
#ifndef SR_SEAL_PKCS11_PARTS_H
#define SR_SEAL_PKCS11_PARTS_H

#include "seal/hsm.h"
#include "seal/keypair_parts.h"

#include "base/thread.h"

#ifdef SR_WITH_PKCS11
#include <p11-kit/pkcs11.h>
#endif

/* A key of the token by its public parts (spec included), the token's label and the CKA_ID. Asks the token nothing. */
SR_MUST struct sr_result sr_keypair_in_token(const struct sr_key_public *parts, struct sr_bytes label,
                                             const uint8_t id[static SR_HSM_ID_LEN], struct sr_keypair **ret_keypair);
void sr_hsm_object_free(struct sr_hsm_object *object);

/* An object of the token, by its id; the handle is looked up again whenever the token was lost meanwhile. */
struct sr_hsm_object {
	char label[SR_HSM_LABEL_MAX + 1]; /* of the token that it is in */
	uint8_t id[SR_HSM_ID_LEN];
	unsigned long class;   /* CKO_PRIVATE_KEY or CKO_SECRET_KEY */
	struct sr_mutex mutex; /* guards what follows */
	unsigned long handle;  /* CK_OBJECT_HANDLE */
	uint64_t generation;   /* of the connection in which the handle holds; 0: none */
};

#ifdef SR_WITH_PKCS11
/* One session in use, and the object that the work is on (0 where there is none). */
struct sr_hsm_use {
	CK_FUNCTION_LIST *call;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE object;
};
typedef CK_RV (*sr_hsm_work)(const struct sr_hsm_use *use, void *context);

/*
 * Runs `work` in a session that no other thread uses, logged in. If the token turns out to be lost, connects again and
 * runs it once more. `object` may be NULL. Errors: SR_UNAVAILABLE (the token, or the object in it, is away),
 * SR_INVALID (the token takes the input for malformed, or has not the mechanism), SR_CRYPTO. `doing` says what was
 * tried: "sign with a key of the token".
 */
SR_MUST struct sr_result sr_hsm_run(struct sr_hsm_object *object, sr_hsm_work work, void *context, const char *doing);
/* True if the token, as last seen, has a mechanism. */
bool sr_hsm_can(CK_MECHANISM_TYPE mechanism);
/* The label of the attached token; "" if none is. */
const char *sr_hsm_label(void);

/* What a return value means. */
enum sr_hsm_fault {
	SR_HSM_FINE,
	SR_HSM_LOST,     /* the connection to the token is over: reconnecting may help */
	SR_HSM_DOUBTFUL, /* modules give it for broken tokens and for bad input alike */
	SR_HSM_STALE,    /* the object's handle is not good any more */
	SR_HSM_REFUSED   /* this request failed, the token is well */
};
enum sr_hsm_fault sr_hsm_fault_of(CK_RV value);
SR_MUST struct sr_result sr_fail_hsm(CK_RV value, const char *doing);

/* Finds the object with this id and class; 0 in `ret_handle` if there is none. */
CK_RV sr_hsm_find(const struct sr_hsm_use *use, CK_OBJECT_CLASS class, const uint8_t id[static SR_HSM_ID_LEN],
                  CK_OBJECT_HANDLE *ret_handle);
#endif

extern const struct sr_keypair_backend sr_keypair_token;

#endif
