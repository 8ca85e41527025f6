/*
 * The hardware module (PKCS#11 2.40) and the keys in its token. A process has one token at most; what is here works on
 * it. Keys are made inside, cannot be extracted, and are used inside; an object is known by its CKA_ID alone, for
 * labels lie in clear on many tokens. If the token goes away, functions give SR_UNAVAILABLE; the next call after it is
 * back finds it again. Thread-safe.
 */
#ifndef SR_SEAL_HSM_H
#define SR_SEAL_HSM_H

#include "seal/keypair.h"

enum { SR_HSM_LABEL_MAX = 32, SR_HSM_ID_LEN = 16 };

/* Text is borrowed for the call. */
struct sr_hsm_options {
	const char *module;      /* absolute path of the shared library */
	const char *label;       /* of the token */
	const char *pin_file;    /* mode 0600: the user's PIN in one line */
	const char *environment; /* "NAME=VALUE" that the module reads ("SOFTHSM2_CONF=/…"), or "" */
};
/*
 * Loads the module and reads the PIN: what fails here is wrong configuration, and says what to do. The token itself is
 * asked when it is first needed. Once, while no other thread reads the environment; SR_EXISTS if a token is attached.
 */
SR_MUST struct sr_result sr_hsm_attach(const struct sr_hsm_options *options);
/* Logs out and unloads; nothing where none is attached. No key of the token may be in use. */
void sr_hsm_detach(void);
bool sr_hsm_is_attached(void);
/* Reaches the token and logs in: SR_UNAVAILABLE says why it cannot be. */
SR_MUST struct sr_result sr_hsm_check(void);

/*
 * Makes a key of the spec (whose is_in_token need not be set) in the token under this id, which the caller has recorded
 * durably before. SR_INVALID "KeyTypeNotSupported" if the token lacks the mechanism.
 */
SR_MUST struct sr_result sr_keypair_make_in_token(const struct sr_key_spec *spec,
                                                  const uint8_t id[static SR_HSM_ID_LEN],
                                                  struct sr_keypair **ret_keypair);
/* Puts a key that was made or imported in software into the token; the caller frees the one in software. */
SR_MUST struct sr_result sr_keypair_move_into_token(const struct sr_keypair *keypair,
                                                    const uint8_t id[static SR_HSM_ID_LEN],
                                                    struct sr_keypair **ret_keypair);
/* The CKA_ID of a token's key, SR_HSM_ID_LEN bytes borrowed from it; empty for one in software. */
struct sr_bytes sr_keypair_token_id(const struct sr_keypair *keypair);
/* The label of the token that it is in; "" for one in software. Borrowed. */
const char *sr_keypair_token_label(const struct sr_keypair *keypair);
/* Is the private object there? SR_UNAVAILABLE if that cannot be told. */
SR_MUST struct sr_result sr_hsm_has(const uint8_t id[static SR_HSM_ID_LEN], bool *ret_has);
/* Destroys all objects with this id; none is as good. */
SR_MUST struct sr_result sr_hsm_destroy(const uint8_t id[static SR_HSM_ID_LEN]);

#endif
