/*
 * Makes certificates: a self-signed CA, signing requests (PKCS#10) and the CA's signature on them.
 * The CA decides all that a certificate says (RFC 5280); of a request it takes the key alone.
 */
#include "seal/certificate_parts.h"

#include "seal/context.h"
#include "seal/openssl_error.h"

#include "base/memory.h"
#include "base/random.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <string.h>

enum { SERIAL_LEN = 16, BACKDATED_S = 300, DAY_S = 86400, REQUEST_MAX = 8192 };

struct sr_certificate_request {
	EVP_PKEY *key;
	struct sr_buf der;
};

static void request_cleanup(X509_REQ **request)
{
	X509_REQ_free(*request);
}

static void names_cleanup(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

static void extension_cleanup(X509_EXTENSION **extension)
{
	X509_EXTENSION_free(*extension);
}

static struct sr_result set_common_name(X509_NAME *name, const char *common_name)
{
	if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)common_name, -1, -1, 0) != 1) {
		return sr_fail_openssl(SR_INVALID, "name a certificate (1 to 64 characters)");
	}
	return sr_ok();
}

/* Serial number, validity and key; clocks of peers may be a little behind, so it begins in the past. */
static struct sr_result set_basics(X509 *x509, EVP_PKEY *key, unsigned days)
{
	uint8_t serial[SERIAL_LEN];
	sr_random(serial, sizeof serial);
	serial[0] = (uint8_t)((serial[0] & 0x7F) | 0x40); /* positive, and of one length */
	BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
	bool is_set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) &&
	              X509_set_version(x509, X509_VERSION_3) == 1 &&
	              X509_gmtime_adj(X509_getm_notBefore(x509), -BACKDATED_S) &&
	              X509_gmtime_adj(X509_getm_notAfter(x509), (long)days * DAY_S) && X509_set_pubkey(x509, key) == 1;
	BN_free(number);
	return is_set ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "fill in a certificate");
}

/* `value` in the syntax of OpenSSL's configuration; only literals of ours go in, never a name from outside. */
static struct sr_result add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	SR_CLEANUP(extension) X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (!extension || X509_add_ext(x509, extension, -1) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "add %s to a certificate", OBJ_nid2sn(nid));
	}
	return sr_ok();
}

struct extension {
	int nid;
	const char *value;
};

static struct sr_result add_extensions(X509 *x509, X509 *issuer, const struct extension *extensions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		SR_TRY(add_extension(x509, issuer, extensions[i].nid, extensions[i].value));
	}
	return sr_ok();
}

static struct sr_result sign(X509 *x509, EVP_PKEY *key)
{
	return X509_sign(x509, key, sr_md_sha256()) > 0 ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "sign a certificate");
}

static struct sr_result new_key(EVP_PKEY **ret_key)
{
	*ret_key = EVP_EC_gen("P-256");
	return *ret_key ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "make a P-256 key");
}

struct sr_result sr_certificate_new_ca(const char *common_name, unsigned days, struct sr_certificate **ret_ca)
{
	static const struct extension extensions[] = {
	    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
	    {NID_key_usage, "critical,keyCertSign,cRLSign"},
	    {NID_subject_key_identifier, "hash"},
	    {NID_authority_key_identifier, "keyid:always"},
	};
	SR_CLEANUP(pkey) EVP_PKEY *key = NULL;
	SR_CLEANUP(x509) X509 *x509 = X509_new();
	if (!x509) {
		return sr_fail_openssl(SR_CRYPTO, "make a certificate");
	}
	SR_TRY(new_key(&key));
	SR_TRY(set_basics(x509, key, days));
	SR_TRY(set_common_name(X509_get_subject_name(x509), common_name));
	if (X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "name a CA");
	}
	SR_TRY(add_extensions(x509, x509, extensions, sizeof extensions / sizeof *extensions));
	SR_TRY(sign(x509, key));
	return sr_certificate_make(x509, NULL, key, ret_ca);
}

struct sr_result sr_certificate_request_new(const char *common_name, struct sr_certificate_request **ret_request)
{
	SR_CLEANUP(pkey) EVP_PKEY *key = NULL;
	SR_CLEANUP(request) X509_REQ *native = X509_REQ_new();
	if (!native) {
		return sr_fail_openssl(SR_CRYPTO, "make a signing request");
	}
	SR_TRY(new_key(&key));
	SR_TRY(set_common_name(X509_REQ_get_subject_name(native), common_name));
	uint8_t *der = NULL;
	if (X509_REQ_set_pubkey(native, key) != 1 || X509_REQ_sign(native, key, sr_md_sha256()) <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "sign a signing request");
	}
	int len = i2d_X509_REQ(native, &der);
	if (len <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "encode a signing request");
	}
	struct sr_certificate_request *request = sr_alloc(sizeof *request);
	request->key = SR_TAKE(key);
	request->der = SR_BUF(REQUEST_MAX);
	sr_buf_append(&request->der, sr_bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	*ret_request = request;
	return sr_ok();
}

struct sr_bytes sr_certificate_request_der(const struct sr_certificate_request *request)
{
	return sr_buf_bytes(&request->der);
}

void sr_certificate_request_free(struct sr_certificate_request *request)
{
	if (request) {
		EVP_PKEY_free(request->key);
		sr_buf_free(&request->der);
		sr_free(request);
	}
}

void sr_certificate_request_cleanup(struct sr_certificate_request **request)
{
	sr_certificate_request_free(*request);
	*request = NULL;
}

/* The key that a request asks a certificate for, if its holder signed the request. The caller frees. */
static struct sr_result key_of_request(struct sr_bytes der, EVP_PKEY **ret_key)
{
	const uint8_t *at = der.data;
	SR_CLEANUP(request) X509_REQ *request = der.len <= REQUEST_MAX ? d2i_X509_REQ(NULL, &at, (long)der.len) : NULL;
	if (!request || at != der.data + der.len) {
		return sr_fail_openssl(SR_INVALID, "parse a signing request of %zu bytes", der.len);
	}
	SR_CLEANUP(pkey) EVP_PKEY *key = X509_REQ_get_pubkey(request);
	char group[32];
	if (!key || EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1 || strcmp(group, "prime256v1") != 0) {
		return sr_fail_openssl(SR_INVALID, "take the key of a signing request: it is not on P-256");
	}
	if (X509_REQ_verify(request, key) != 1) {
		return sr_fail_openssl(SR_INVALID, "check a signing request's own signature");
	}
	*ret_key = SR_TAKE(key);
	return sr_ok();
}

/* Takes over `value`, which may be NULL when its making failed. */
static struct sr_result add_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
	GENERAL_NAME *name = value ? GENERAL_NAME_new() : NULL;
	if (!name || sk_GENERAL_NAME_push(names, name) == 0) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return sr_fail_openssl(SR_CRYPTO, "add a name to a certificate");
	}
	GENERAL_NAME_set0_value(name, type, value);
	return sr_ok();
}

static ASN1_STRING *string_of(int type, const void *bytes, size_t len)
{
	ASN1_STRING *string = ASN1_STRING_type_new(type);
	if (string && ASN1_STRING_set(string, bytes, (int)len) != 1) {
		ASN1_STRING_free(string);
		return NULL;
	}
	return string;
}

static struct sr_result add_text_name(GENERAL_NAMES *names, int type, const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~') {
			return sr_fail(SR_INVALID, "name in a certificate is not printable ASCII");
		}
	}
	return add_name(names, type, string_of(V_ASN1_IA5STRING, text, len));
}

static struct sr_result add_address(GENERAL_NAMES *names, const char *text)
{
	uint8_t address[16];
	size_t len = inet_pton(AF_INET, text, address) == 1 ? 4 : inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
	if (!len) {
		return sr_fail(SR_INVALID, "%s is no IP address", text);
	}
	return add_name(names, GEN_IPADD, string_of(V_ASN1_OCTET_STRING, address, len));
}

static struct sr_result add_alternative_names(X509 *x509, const struct sr_certificate_profile *profile)
{
	SR_CLEANUP(names) GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	if (!names) {
		return sr_fail_openssl(SR_CRYPTO, "name a certificate");
	}
	if (profile->service) {
		SR_CLEANUP(sr_string) char *uri = sr_strdupf("strongroom://service/%s", profile->service);
		SR_TRY(add_text_name(names, GEN_URI, uri));
	}
	for (const char *const *name = profile->dns_names; name && *name; name++) {
		SR_TRY(add_text_name(names, GEN_DNS, *name));
	}
	for (const char *const *address = profile->addresses; address && *address; address++) {
		SR_TRY(add_address(names, *address));
	}
	if (sk_GENERAL_NAME_num(names) > 0 && X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "add names to a certificate");
	}
	return sr_ok();
}

/* A certificate that outlives its CA would only look valid. */
static struct sr_result end_with_ca(X509 *x509, X509 *ca)
{
	if (ASN1_TIME_compare(X509_get0_notAfter(x509), X509_get0_notAfter(ca)) > 0 &&
	    X509_set1_notAfter(x509, X509_get0_notAfter(ca)) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "end a certificate with its CA");
	}
	return sr_ok();
}

struct sr_result sr_certificate_sign(const struct sr_certificate *ca, struct sr_bytes request_der,
                                     const struct sr_certificate_profile *profile, struct sr_buf *certificate_der)
{
	static const struct extension extensions[] = {
	    {NID_basic_constraints, "critical,CA:FALSE"},   {NID_key_usage, "critical,digitalSignature"},
	    {NID_ext_key_usage, "serverAuth,clientAuth"},   {NID_subject_key_identifier, "hash"},
	    {NID_authority_key_identifier, "keyid:always"},
	};
	if (!sr_certificate_key(ca)) {
		return sr_fail(SR_INVALID, "sign a certificate without the CA's private key");
	}
	SR_CLEANUP(pkey) EVP_PKEY *key = NULL;
	SR_TRY(key_of_request(request_der, &key));
	SR_CLEANUP(x509) X509 *x509 = X509_new();
	X509 *issuer = sr_certificate_x509(ca);
	if (!x509 || X509_set_issuer_name(x509, X509_get_subject_name(issuer)) != 1) {
		return sr_fail_openssl(SR_CRYPTO, "make a certificate");
	}
	SR_TRY(set_basics(x509, key, profile->days));
	SR_TRY(end_with_ca(x509, issuer));
	SR_TRY(set_common_name(X509_get_subject_name(x509), profile->common_name));
	SR_TRY(add_extensions(x509, issuer, extensions, sizeof extensions / sizeof *extensions));
	SR_TRY(add_alternative_names(x509, profile));
	SR_TRY(sign(x509, sr_certificate_key(ca)));
	return sr_x509_append_der(x509, certificate_der);
}

struct sr_result sr_certificate_join(const struct sr_certificate_request *request, struct sr_bytes certificate_der,
                                     struct sr_bytes ca_der, struct sr_certificate **ret_certificate)
{
	SR_CLEANUP(x509) X509 *own = NULL;
	SR_CLEANUP(x509) X509 *ca = NULL;
	SR_TRY(sr_x509_parse(certificate_der, &own));
	SR_TRY(sr_x509_parse(ca_der, &ca));
	if (X509_verify(own, X509_get0_pubkey(ca)) != 1) {
		return sr_fail_openssl(SR_INVALID, "join a certificate with its CA: it is not the CA's");
	}
	return sr_certificate_make(own, ca, request->key, ret_certificate);
}
