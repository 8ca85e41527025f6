/* Certificates and signing requests from plans: subject, names, usages, validity, signature. */
#include "seal/x509_parts.h"

#include "seal/context.h"
#include "seal/openssl_error.h"

#include "base/random.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum { SERIAL_LEN = 16, BACKDATED_S = 600, DAY_S = 86400, NAME_MAX_LEN = 255 };

static void req_cleanup(X509_REQ **request)
{
	X509_REQ_free(*request);
}

static void extensions_cleanup(STACK_OF(X509_EXTENSION) * *extensions)
{
	sk_X509_EXTENSION_pop_free(*extensions, X509_EXTENSION_free);
}

static void ekus_cleanup(EXTENDED_KEY_USAGE **ekus)
{
	EXTENDED_KEY_USAGE_free(*ekus);
}

static void bits_cleanup(ASN1_BIT_STRING **bits)
{
	ASN1_BIT_STRING_free(*bits);
}

static void constraints_cleanup(BASIC_CONSTRAINTS **constraints)
{
	BASIC_CONSTRAINTS_free(*constraints);
}

static void octets_cleanup(ASN1_OCTET_STRING **octets)
{
	ASN1_OCTET_STRING_free(*octets);
}

static const char *const usage_names[] = {
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly",
};
enum { USAGE_COUNT = sizeof usage_names / sizeof *usage_names };

const char *sr_key_usage_name(unsigned bit)
{
	for (unsigned i = 0; i < USAGE_COUNT; i++) {
		if (bit == 1U << i) {
			return usage_names[i];
		}
	}
	return NULL;
}

unsigned sr_key_usage_by_name(const char *name)
{
	for (unsigned i = 0; i < USAGE_COUNT; i++) {
		if (strcmp(usage_names[i], name) == 0) {
			return 1U << i;
		}
	}
	return 0;
}

/* Printable, without spaces, of a length that a name has. */
static struct sr_result check_text(const char *kind, const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~') {
			return sr_fail(SR_INVALID, "sans.%s: '%.64s' is not printable ASCII", kind, text);
		}
	}
	return len && len <= NAME_MAX_LEN
	           ? sr_ok()
	           : sr_fail(SR_INVALID, "sans.%s: a name has 1 to %d characters", kind, NAME_MAX_LEN);
}

/* Takes over `value`, which may be NULL when its making failed. */
static struct sr_result add_string(GENERAL_NAMES *names, int type, const char *text)
{
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	if (!value || !name || ASN1_STRING_set(value, text, (int)strlen(text)) != 1 ||
	    sk_GENERAL_NAME_push(names, name) == 0) {
		ASN1_IA5STRING_free(value);
		GENERAL_NAME_free(name);
		return sr_fail_openssl(SR_CRYPTO, "add a name to a certificate");
	}
	GENERAL_NAME_set0_value(name, type, value);
	return sr_ok();
}

/* A user principal name: an otherName of Microsoft's kind, in UTF-8. */
static struct sr_result add_upn(GENERAL_NAMES *names, const char *text)
{
	ASN1_UTF8STRING *value = ASN1_UTF8STRING_new();
	ASN1_TYPE *any = ASN1_TYPE_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	if (!value || !any || !name || ASN1_STRING_set(value, text, (int)strlen(text)) != 1) {
		ASN1_UTF8STRING_free(value);
		ASN1_TYPE_free(any);
		GENERAL_NAME_free(name);
		return sr_fail_openssl(SR_CRYPTO, "add a name to a certificate");
	}
	ASN1_TYPE_set(any, V_ASN1_UTF8STRING, value);
	if (GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_ms_upn), any) != 1) {
		ASN1_TYPE_free(any);
		GENERAL_NAME_free(name);
		return sr_fail_openssl(SR_CRYPTO, "add a name to a certificate");
	}
	if (sk_GENERAL_NAME_push(names, name) == 0) {
		GENERAL_NAME_free(name);
		return sr_fail_openssl(SR_CRYPTO, "add a name to a certificate");
	}
	return sr_ok();
}

static struct sr_result collect_names(const struct sr_x509_plan *plan, GENERAL_NAMES *names)
{
	for (const char *const *name = plan->dns_names; name && *name; name++) {
		SR_TRY(check_text("dns_names", *name));
		SR_TRY(add_string(names, GEN_DNS, *name));
	}
	for (const char *const *name = plan->emails; name && *name; name++) {
		SR_TRY(check_text("emails", *name));
		SR_TRY(add_string(names, GEN_EMAIL, *name));
	}
	for (const char *const *name = plan->upns; name && *name; name++) {
		if (!**name || strlen(*name) > NAME_MAX_LEN || !sr_is_utf8(sr_bytes_str(*name))) {
			return sr_fail(SR_INVALID, "sans.upns: a name has 1 to %d characters", NAME_MAX_LEN);
		}
		SR_TRY(add_upn(names, *name));
	}
	return sk_GENERAL_NAME_num(names) <= SR_X509_NAMES_MAX
	           ? sr_ok()
	           : sr_fail(SR_INVALID, "sans: more than %d names", SR_X509_NAMES_MAX);
}

/* Adds an extension made of `value`. */
static struct sr_result add(STACK_OF(X509_EXTENSION) * *extensions, int nid, void *value, bool is_critical)
{
	return X509V3_add1_i2d(extensions, nid, value, is_critical, X509V3_ADD_APPEND) == 1
	           ? sr_ok()
	           : sr_fail_openssl(SR_CRYPTO, "add %s to a certificate", OBJ_nid2sn(nid));
}

static struct sr_result add_ekus(STACK_OF(X509_EXTENSION) * *extensions, const char *const *oids)
{
	SR_CLEANUP(ekus) EXTENDED_KEY_USAGE *ekus = sk_ASN1_OBJECT_new_null();
	for (const char *const *oid = oids; oid && *oid; oid++) {
		ASN1_OBJECT *object = isdigit((unsigned char)**oid) ? OBJ_txt2obj(*oid, 1) : NULL;
		if (!object || !ekus || sk_ASN1_OBJECT_num(ekus) >= SR_X509_NAMES_MAX) {
			ASN1_OBJECT_free(object);
			sr_forget_openssl_errors();
			return sr_fail(SR_INVALID, "ekus: '%.64s' is no object identifier", *oid);
		}
		if (sk_ASN1_OBJECT_push(ekus, object) == 0) {
			ASN1_OBJECT_free(object);
			return sr_fail_openssl(SR_CRYPTO, "add a usage to a certificate");
		}
	}
	return ekus && sk_ASN1_OBJECT_num(ekus) > 0 ? add(extensions, NID_ext_key_usage, ekus, false) : sr_ok();
}

static struct sr_result add_key_usage(STACK_OF(X509_EXTENSION) * *extensions, unsigned usage)
{
	if (!usage) {
		return sr_ok();
	}
	SR_CLEANUP(bits) ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	for (int i = 0; i < USAGE_COUNT; i++) {
		if ((usage & 1U << i) && (!bits || ASN1_BIT_STRING_set_bit(bits, i, 1) != 1)) {
			return sr_fail_openssl(SR_CRYPTO, "add a usage to a certificate");
		}
	}
	return add(extensions, NID_key_usage, bits, true);
}

static struct sr_result add_constraints(STACK_OF(X509_EXTENSION) * *extensions, bool is_ca)
{
	SR_CLEANUP(constraints) BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
	if (!constraints) {
		return sr_fail_openssl(SR_CRYPTO, "make a certificate");
	}
	constraints->ca = is_ca ? 0xFF : 0;
	return add(extensions, NID_basic_constraints, constraints, true);
}

/* What the plan says beside subject and validity; the caller frees. */
static struct sr_result extensions_of(const struct sr_x509_plan *plan, bool is_ca, bool has_subject,
                                      STACK_OF(X509_EXTENSION) * *ret_extensions)
{
	SR_CLEANUP(extensions) STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
	SR_CLEANUP(general_names) GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	if (!extensions || !names) {
		return sr_fail_openssl(SR_CRYPTO, "make a certificate");
	}
	SR_TRY(add_constraints(&extensions, is_ca));
	SR_TRY(add_key_usage(&extensions, plan->key_usage));
	SR_TRY(add_ekus(&extensions, plan->ekus));
	SR_TRY(collect_names(plan, names));
	if (sk_GENERAL_NAME_num(names) > 0) {
		SR_TRY(add(&extensions, NID_subject_alt_name, names, !has_subject)); /* RFC 5280, 4.2.1.6 */
	} else if (!has_subject) {
		return sr_fail(SR_INVALID, "x509_props: a subject or alternative names (sans) are needed");
	}
	*ret_extensions = SR_TAKE(extensions);
	return sr_ok();
}

struct sr_result sr_x509_check_plan(const struct sr_x509_plan *plan)
{
	SR_CLEANUP(x509_name) X509_NAME *subject = NULL;
	SR_TRY(sr_x509_name_parse(plan->subject ? plan->subject : "", &subject));
	SR_CLEANUP(extensions) STACK_OF(X509_EXTENSION) *extensions = NULL;
	SR_TRY(extensions_of(plan, false, X509_NAME_entry_count(subject) > 0, &extensions));
	if (plan->months < 1 || plan->months > SR_X509_MONTHS_MAX) {
		return sr_fail(SR_INVALID, "validity_months: 1 to %d", SR_X509_MONTHS_MAX);
	}
	return sr_ok();
}

/* The digest that goes with a key's strength. */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) <= 256) {
		return sr_md_sha256();
	}
	return EVP_PKEY_get_bits(key) <= 384 ? sr_md_sha384() : sr_md_sha512();
}

static struct sr_result set_serial(X509 *x509)
{
	uint8_t serial[SERIAL_LEN];
	sr_random(serial, sizeof serial);
	serial[0] = (uint8_t)((serial[0] & 0x7F) | 0x40); /* positive, and of one length */
	BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
	bool is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
	BN_free(number);
	return is_set ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "number a certificate");
}

/* From a little before now, for clocks that are behind, to the same day of a later month (or that month's last day). */
static struct sr_result set_validity(X509 *x509, unsigned months)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	time_t now = time(NULL);
	struct tm end;
	gmtime_r(&now, &end);
	unsigned month = (unsigned)end.tm_mon + months;
	end.tm_year += (int)(month / 12);
	end.tm_mon = (int)(month % 12);
	int year = end.tm_year + 1900;
	int last = days[end.tm_mon] + (end.tm_mon == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
	end.tm_mday = end.tm_mday < last ? end.tm_mday : last;
	time_t until = timegm(&end);
	return ASN1_TIME_set(X509_getm_notBefore(x509), now - BACKDATED_S) && ASN1_TIME_set(X509_getm_notAfter(x509), until)
	           ? sr_ok()
	           : sr_fail_openssl(SR_CRYPTO, "set a certificate's validity");
}

static struct sr_result add_identifier(X509 *x509)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	SR_CLEANUP(octets) ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	if (!octets || X509_pubkey_digest(x509, sr_md_sha1(), digest, &len) != 1 ||
	    ASN1_OCTET_STRING_set(octets, digest, (int)len) != 1 ||
	    X509_add1_ext_i2d(x509, NID_subject_key_identifier, octets, 0, X509V3_ADD_APPEND) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "identify a certificate's key");
	}
	return sr_ok();
}

static struct sr_result add_issuer_identifier(X509 *x509, X509 *issuer)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
	bool is_added = extension && X509_add_ext(x509, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return is_added ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "identify a certificate's issuer");
}

/* All but issuer and signature. */
static struct sr_result fill_in(X509 *x509, EVP_PKEY *key, const struct sr_x509_plan *plan, bool is_ca)
{
	SR_CLEANUP(x509_name) X509_NAME *subject = NULL;
	SR_CLEANUP(extensions) STACK_OF(X509_EXTENSION) *extensions = NULL;
	SR_TRY(sr_x509_name_parse(plan->subject ? plan->subject : "", &subject));
	SR_TRY(extensions_of(plan, is_ca, X509_NAME_entry_count(subject) > 0, &extensions));
	SR_TRY(set_serial(x509));
	SR_TRY(set_validity(x509, plan->months));
	if (X509_set_version(x509, X509_VERSION_3) != 1 || X509_set_subject_name(x509, subject) != 1 ||
	    X509_set_pubkey(x509, key) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "fill in a certificate");
	}
	for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
		if (X509_add_ext(x509, sk_X509_EXTENSION_value(extensions, i), -1) != 1) {
			return sr_fail_openssl(SR_CRYPTO, "fill in a certificate");
		}
	}
	return add_identifier(x509);
}

struct sr_result sr_x509_self_sign(const struct sr_keypair *keypair, const struct sr_x509_plan *plan,
                                   struct sr_buf *der)
{
	SR_TRY(sr_x509_check_plan(plan));
	SR_CLEANUP(x509) X509 *x509 = X509_new();
	if (!x509 || !keypair->pkey || !keypair->is_private) {
		return sr_fail(SR_INVALID, "sign a certificate without a private key");
	}
	SR_TRY(fill_in(x509, keypair->pkey, plan, plan->key_usage & SR_USAGE_CERT_SIGN));
	if (X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "name a certificate's issuer");
	}
	SR_TRY(add_issuer_identifier(x509, x509));
	if (X509_sign(x509, keypair->pkey, digest_for(keypair->pkey)) <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "sign a certificate");
	}
	return sr_x509_append_der(x509, der);
}

struct sr_result sr_x509_issue(const struct sr_certificate *ca, const struct sr_keypair *keypair,
                               const struct sr_x509_plan *plan, struct sr_buf *der)
{
	SR_TRY(sr_x509_check_plan(plan));
	if (plan->key_usage & (SR_USAGE_CERT_SIGN | SR_USAGE_CRL_SIGN)) {
		return sr_fail(SR_INVALID, "key_usage: this issuer signs no other CA (keyCertSign, cRLSign)");
	}
	X509 *issuer = sr_certificate_x509(ca);
	EVP_PKEY *ca_key = sr_certificate_key(ca);
	SR_CLEANUP(x509) X509 *x509 = X509_new();
	if (!x509 || !ca_key || !keypair->pkey) {
		return sr_fail(SR_INVALID, "sign a certificate without a key");
	}
	SR_TRY(fill_in(x509, keypair->pkey, plan, false));
	if (X509_set_issuer_name(x509, X509_get_subject_name(issuer)) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "name a certificate's issuer");
	}
	if (ASN1_TIME_compare(X509_get0_notAfter(x509), X509_get0_notAfter(issuer)) > 0 &&
	    X509_set1_notAfter(x509, X509_get0_notAfter(issuer)) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "end a certificate with its CA");
	}
	SR_TRY(add_issuer_identifier(x509, issuer));
	if (X509_sign(x509, ca_key, digest_for(ca_key)) <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "sign a certificate");
	}
	return sr_x509_append_der(x509, der);
}

static struct sr_result append_request(X509_REQ *request, struct sr_buf *der)
{
	uint8_t *bytes = NULL;
	int len = i2d_X509_REQ(request, &bytes);
	if (len <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "encode a signing request");
	}
	sr_buf_append(der, sr_bytes_of(bytes, (size_t)len));
	OPENSSL_free(bytes);
	return sr_buf_result(der);
}

struct sr_result sr_x509_request(const struct sr_keypair *keypair, const struct sr_x509_plan *plan, struct sr_buf *der)
{
	SR_TRY(sr_x509_check_plan(plan));
	SR_CLEANUP(req) X509_REQ *request = X509_REQ_new();
	SR_CLEANUP(x509_name) X509_NAME *subject = NULL;
	SR_CLEANUP(extensions) STACK_OF(X509_EXTENSION) *extensions = NULL;
	SR_TRY(sr_x509_name_parse(plan->subject ? plan->subject : "", &subject));
	SR_TRY(extensions_of(plan, plan->key_usage & SR_USAGE_CERT_SIGN, X509_NAME_entry_count(subject) > 0, &extensions));
	if (!request || !keypair->pkey || !keypair->is_private || X509_REQ_set_version(request, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_subject_name(request, subject) != 1 || X509_REQ_set_pubkey(request, keypair->pkey) != 1 ||
	    X509_REQ_add_extensions(request, extensions) != 1 ||
	    X509_REQ_sign(request, keypair->pkey, digest_for(keypair->pkey)) <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "make a signing request");
	}
	return append_request(request, der);
}
