/*
 * Certificate policies (Key Vault, CertificatePolicy): what the next version of a certificate is made of and when it is
 * made. Read from clients' JSON with defaults filled in, kept as normalized JSON. Pure.
 */
#ifndef SR_VAULT_CERTIFICATE_POLICY_H
#define SR_VAULT_CERTIFICATE_POLICY_H

#include "seal/x509.h"
#include "vault/key_rules.h"
#include "wire/json.h"

/* Issuers that every vault has. Any other name is one that its owner has set: its CA is asked by hand, with the signing
 * request. */
#define SR_ISSUER_SELF       "Self"       /* the certificate's own key */
#define SR_ISSUER_UNKNOWN    "Unknown"    /* a CA elsewhere */
#define SR_ISSUER_STRONGROOM "Strongroom" /* the vault's issuing CA */

/* When an action of the policy is due. */
struct sr_certificate_trigger {
	bool is_set;
	int64_t percentage;  /* of the lifetime, 1 to 99; 0: by days */
	int64_t days_before; /* the end */
};

struct sr_certificate_policy {
	const char *json; /* normalized */
	struct sr_key_spec key;
	bool is_exportable, reuses_key;
	bool is_pem; /* the secret's form; otherwise PKCS#12 */
	struct sr_x509_plan plan;
	const char *issuer;
	struct sr_certificate_trigger renew, notice;
};

/* From a client's policy; what it leaves out gets its default. SR_INVALID names the member that is wrong. Texts live in
 * the arena. */
SR_MUST struct sr_result sr_certificate_policy_read(struct sr_arena *arena, const json_t *given,
                                                    struct sr_certificate_policy *ret_policy);
/* From normalized JSON; SR_CORRUPT. */
SR_MUST struct sr_result sr_certificate_policy_open(struct sr_arena *arena, const char *json,
                                                    struct sr_certificate_policy *ret_policy);
/* The standing policy with what `changes` has laid over it. */
SR_MUST struct sr_result sr_certificate_policy_change(struct sr_arena *arena, const char *standing,
                                                      const json_t *changes, struct sr_certificate_policy *ret_policy);
/* The policy of a certificate that came from outside: what it says itself, and what `given` (may be NULL) says of the
 * rest. */
SR_MUST struct sr_result sr_certificate_policy_imported(struct sr_arena *arena, const json_t *given,
                                                        const struct sr_x509_facts *facts,
                                                        const struct sr_key_spec *spec, bool is_pem,
                                                        struct sr_certificate_policy *ret_policy);
/* True where the vault itself signs. */
bool sr_certificate_policy_signs(const struct sr_certificate_policy *policy);
/* The Unix second at which a trigger's action is due for a certificate of these dates; SR_NO_TIME where it is not set.
 */
int64_t sr_certificate_trigger_time(const struct sr_certificate_trigger *trigger, int64_t nbf, int64_t exp);

/* "application/x-pem-file" or "application/x-pkcs12". */
const char *sr_certificate_content_type(const struct sr_certificate_policy *policy);

#endif
