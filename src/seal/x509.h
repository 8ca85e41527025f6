/*
 * X.509 certificates of customers (RFC 5280) over Key Vault's keys: made from a plan (self-signed, as a signing
 * request, signed by a CA of ours), read for what they say, joined with their private key as PKCS#12 and PEM, and taken
 * apart from those. The certificates of our own services are seal/certificate.h. Pure functions, thread-safe.
 */
#ifndef SR_SEAL_X509_H
#define SR_SEAL_X509_H

#include "base/arena.h"
#include "seal/certificate.h"
#include "seal/handover.h"
#include "seal/keypair.h"

enum { SR_X509_MAX = 65536, SR_X509_CHAIN_MAX = 16, SR_X509_NAMES_MAX = 100, SR_X509_MONTHS_MAX = 1200 };

/* keyUsage, by position in the extension's bits; sets of them are one number. */
enum sr_key_usage {
	SR_USAGE_DIGITAL_SIGNATURE = 1,
	SR_USAGE_NON_REPUDIATION = 2,
	SR_USAGE_KEY_ENCIPHERMENT = 4,
	SR_USAGE_DATA_ENCIPHERMENT = 8,
	SR_USAGE_KEY_AGREEMENT = 16,
	SR_USAGE_CERT_SIGN = 32,
	SR_USAGE_CRL_SIGN = 64,
	SR_USAGE_ENCIPHER_ONLY = 128,
	SR_USAGE_DECIPHER_ONLY = 256
};
/* "digitalSignature" for a bit; NULL for none. */
const char *sr_key_usage_name(unsigned bit);
/* The bit of a name; 0 for none. */
unsigned sr_key_usage_by_name(const char *name);

/* What a certificate is to say. Lists are ended by NULL and may be NULL. */
struct sr_x509_plan {
	const char *subject; /* a distinguished name as RFC 4514 writes it; may be empty where there are other names */
	const char *const *dns_names, *const *emails, *const *upns;
	const char *const *ekus; /* object identifiers, dotted */
	unsigned key_usage;
	unsigned months; /* of validity, from now */
};
/* SR_INVALID names the part of the plan of which no certificate can be made. */
SR_MUST struct sr_result sr_x509_check_plan(const struct sr_x509_plan *plan);
/* A certificate that the key signs itself (a CA's where key_usage has keyCertSign), and a signing request (PKCS#10).
 * DER is appended. */
SR_MUST struct sr_result sr_x509_self_sign(const struct sr_keypair *keypair, const struct sr_x509_plan *plan,
                                           struct sr_buf *der);
SR_MUST struct sr_result sr_x509_request(const struct sr_keypair *keypair, const struct sr_x509_plan *plan,
                                         struct sr_buf *der);
/* A certificate for the key, signed by `ca` (which has its private key) and ending with it at the latest. SR_INVALID
 * where the plan wants another CA. */
SR_MUST struct sr_result sr_x509_issue(const struct sr_certificate *ca, const struct sr_keypair *keypair,
                                       const struct sr_x509_plan *plan, struct sr_buf *der);

/* What a certificate says. Texts live in the arena. */
struct sr_x509_facts {
	struct sr_x509_plan plan; /* months: its length, rounded */
	int64_t not_before, not_after;
	uint8_t thumbprint[20]; /* SHA-1 of the DER: x5t */
};
/* SR_INVALID: `der` is no certificate, or says what cannot be read. */
SR_MUST struct sr_result sr_x509_read(struct sr_arena *arena, struct sr_bytes der, struct sr_x509_facts *ret_facts);
/* SR_INVALID where the certificate is another key's. */
SR_MUST struct sr_result sr_x509_check_key(struct sr_bytes der, const struct sr_keypair *keypair);

/* A certificate with those that lead to its root, each in DER. */
struct sr_x509_chain {
	struct sr_bytes own;
	struct sr_bytes issuers[SR_X509_CHAIN_MAX];
	size_t count;
};
/* Appends PKCS#12 without a password, as Key Vault gives it out; without a private key where `keypair` is NULL. The
 * caller keeps the buffer from the disk and wipes it. */
SR_MUST struct sr_result sr_x509_pkcs12(const struct sr_keypair *keypair, const struct sr_x509_chain *chain,
                                        struct sr_buf *pfx);
/* Appends PEM: PKCS#8 private key (where there is one), certificate, issuers. */
SR_MUST struct sr_result sr_x509_pem(const struct sr_keypair *keypair, const struct sr_x509_chain *chain,
                                     struct sr_buf *pem);

/* The same as an object for TLS. The caller frees. */
SR_MUST struct sr_result sr_x509_join(const struct sr_keypair *keypair, const struct sr_x509_chain *chain,
                                      struct sr_certificate **ret_certificate);
/* A certificate on its way to one of our services, its private key sealed to that receiver alone (handover.h): appends
 * the parcel. */
SR_MUST struct sr_result sr_x509_hand_over(const struct sr_keypair *keypair, const struct sr_x509_chain *chain,
                                           const uint8_t receiver[static SR_HANDOVER_PUBLIC_LEN],
                                           struct sr_buf *parcel);
/* Opens one; the caller frees. SR_CORRUPT where it was not sealed for this receiver. */
SR_MUST struct sr_result sr_x509_receive(const struct sr_handover *handover, struct sr_bytes parcel,
                                         struct sr_certificate **ret_certificate);

/* What PKCS#12 or PEM held: one private key of a kind that the vault has, its certificate, and others. DER lives in the
 * arena. */
struct sr_x509_import {
	struct sr_keypair *keypair; /* the caller's */
	struct sr_x509_chain chain;
};
/* SR_INVALID says what is missing, does not fit, or does not open with the password; key derivations of more than a
 * million rounds are refused. `password` may be empty. */
SR_MUST struct sr_result sr_x509_from_pkcs12(struct sr_arena *arena, struct sr_bytes pfx, const char *password,
                                             struct sr_x509_import *ret_import);
SR_MUST struct sr_result sr_x509_from_pem(struct sr_arena *arena, struct sr_bytes pem, const char *password,
                                          struct sr_x509_import *ret_import);

#endif
