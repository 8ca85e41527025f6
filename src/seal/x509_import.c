/* PKCS#12 and PEM that customers bring: bags and blocks are walked one by one, so that whatever costs time (rounds of
 * key derivation) or has no place here is refused before it is done. */
#include "seal/x509_parts.h"

#include "seal/openssl_error.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits.h>
#include <string.h>

enum { ROUNDS_MAX = 1000000, SAFES_MAX = 8, BAGS_MAX = 32, BLOCKS_MAX = 64, SALT_MAX = 1024 };

/* Collects what an import finds, whatever its form. */
struct findings {
	struct sr_arena *arena;
	EVP_PKEY *key;
	struct sr_bytes certificates[SR_X509_CHAIN_MAX + 1];
	size_t count;
};

static void pkcs12_cleanup(PKCS12 **pfx)
{
	PKCS12_free(*pfx);
}

static void safes_cleanup(STACK_OF(PKCS7) * *safes)
{
	sk_PKCS7_pop_free(*safes, PKCS7_free);
}

static void bags_cleanup(STACK_OF(PKCS12_SAFEBAG) * *bags)
{
	sk_PKCS12_SAFEBAG_pop_free(*bags, PKCS12_SAFEBAG_free);
}

static void key_info_cleanup(PKCS8_PRIV_KEY_INFO **info)
{
	PKCS8_PRIV_KEY_INFO_free(*info);
}

static void encrypted_cleanup(X509_SIG **encrypted)
{
	X509_SIG_free(*encrypted);
}

static struct sr_result found_certificate(struct findings *findings, X509 *x509)
{
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(SR_X509_MAX);
	if (findings->count == SR_X509_CHAIN_MAX + 1) {
		return sr_fail(SR_INVALID, "value: more than %d certificates", SR_X509_CHAIN_MAX + 1);
	}
	SR_TRY(sr_x509_append_der(x509, &der));
	for (size_t i = 0; i < findings->count; i++) {
		if (sr_equal_public(findings->certificates[i], sr_buf_bytes(&der))) {
			return sr_ok();
		}
	}
	findings->certificates[findings->count++] = sr_arena_copy(findings->arena, sr_buf_bytes(&der));
	return sr_ok();
}

/* Takes the key over in any case. */
static struct sr_result found_key(struct findings *findings, EVP_PKEY *key)
{
	if (findings->key) {
		EVP_PKEY_free(key);
		return sr_fail(SR_INVALID, "value: more than one private key");
	}
	findings->key = key;
	return sr_ok();
}

static struct sr_result check_count(const ASN1_INTEGER *rounds)
{
	int64_t count = 0;
	return rounds && ASN1_INTEGER_get_int64(&count, rounds) == 1 && count >= 1 && count <= ROUNDS_MAX
	           ? sr_ok()
	           : sr_fail(SR_INVALID, "value: the password's key derivation has more than %d rounds", ROUNDS_MAX);
}

static struct sr_result check_pbkdf2(const ASN1_TYPE *parameter)
{
	PBKDF2PARAM *derivation = parameter ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), parameter) : NULL;
	struct sr_result checked =
	    derivation ? check_count(derivation->iter) : sr_fail(SR_INVALID, "value: a key derivation does not read");
	PBKDF2PARAM_free(derivation);
	return checked;
}

static struct sr_result check_pbes2(const ASN1_TYPE *parameter)
{
	PBE2PARAM *scheme = parameter ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter) : NULL;
	struct sr_result checked = scheme && OBJ_obj2nid(scheme->keyfunc->algorithm) == NID_id_pbkdf2
	                               ? check_pbkdf2(scheme->keyfunc->parameter)
	                               : sr_fail(SR_INVALID, "value: encrypted with a key derivation other than PBKDF2");
	PBE2PARAM_free(scheme);
	return checked;
}

/* SR_INVALID for an algorithm of password-based encryption that is not known or takes too many rounds. */
static struct sr_result check_rounds(const X509_ALGOR *algorithm)
{
	if (!algorithm) {
		return sr_fail(SR_INVALID, "value: encrypted in a way that does not read");
	}
	if (OBJ_obj2nid(algorithm->algorithm) == NID_pbes2) {
		return check_pbes2(algorithm->parameter);
	}
	PBEPARAM *scheme =
	    algorithm->parameter ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter) : NULL;
	struct sr_result checked =
	    scheme ? check_count(scheme->iter) : sr_fail(SR_INVALID, "value: encrypted in a way that is not known");
	PBEPARAM_free(scheme);
	return checked;
}

/* One answer for a wrong password and for an algorithm that OpenSSL has given up (RC2, single DES). */
static struct sr_result fail_to_open(void)
{
	sr_forget_openssl_errors();
	return sr_fail(SR_INVALID, "value: does not open with this password (pwd). If the password is right, the file may "
	                           "be encrypted as old programs did (RC2): export it again with AES or 3DES.");
}

/* Takes a PKCS#8 key. */
static struct sr_result found_key_info(struct findings *findings, const PKCS8_PRIV_KEY_INFO *info)
{
	EVP_PKEY *key = info ? EVP_PKCS82PKEY(info) : NULL;
	if (!key) {
		return sr_fail_openssl(SR_INVALID, "value: read the private key");
	}
	return found_key(findings, key);
}

/* A PKCS#8 key under a password. */
static struct sr_result found_encrypted_key(struct findings *findings, const X509_SIG *encrypted, const char *password)
{
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OCTET_STRING *bytes = NULL;
	X509_SIG_get0(encrypted, &algorithm, &bytes);
	SR_TRY(check_rounds(algorithm));
	SR_CLEANUP(key_info) PKCS8_PRIV_KEY_INFO *info = PKCS8_decrypt(encrypted, password, (int)strlen(password));
	return info ? found_key_info(findings, info) : fail_to_open();
}

static struct sr_result walk_bag(struct findings *findings, const PKCS12_SAFEBAG *bag, const char *password)
{
	switch (PKCS12_SAFEBAG_get_nid(bag)) {
	case NID_keyBag:
		return found_key_info(findings, PKCS12_SAFEBAG_get0_p8inf(bag));
	case NID_pkcs8ShroudedKeyBag:
		return found_encrypted_key(findings, PKCS12_SAFEBAG_get0_pkcs8(bag), password);
	case NID_certBag: {
		if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) {
			return sr_ok();
		}
		SR_CLEANUP(x509) X509 *x509 = PKCS12_SAFEBAG_get1_cert(bag);
		return x509 ? found_certificate(findings, x509) : sr_fail_openssl(SR_INVALID, "value: read a certificate");
	}
	default: /* revocation lists and secrets have no place in a certificate of the vault's */
		return sr_ok();
	}
}

/* One safe of the file: plain, or encrypted with the password. */
static struct sr_result open_safe(PKCS7 *safe, const char *password, STACK_OF(PKCS12_SAFEBAG) * *ret_bags)
{
	if (PKCS7_type_is_data(safe)) {
		*ret_bags = safe->d.data ? PKCS12_unpack_p7data(safe) : NULL;
	} else if (PKCS7_type_is_encrypted(safe)) {
		if (!safe->d.encrypted || !safe->d.encrypted->enc_data) {
			return sr_fail(SR_INVALID, "value: a part of the file does not read");
		}
		SR_TRY(check_rounds(safe->d.encrypted->enc_data->algorithm));
		*ret_bags = PKCS12_unpack_p7encdata(safe, password, (int)strlen(password));
	} else {
		return sr_fail(SR_INVALID, "value: a part of the file is encrypted with a key, not a password");
	}
	return *ret_bags ? sr_ok() : fail_to_open();
}

static struct sr_result walk_safe(struct findings *findings, PKCS7 *safe, const char *password)
{
	SR_CLEANUP(bags) STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	SR_TRY(open_safe(safe, password, &bags));
	if (sk_PKCS12_SAFEBAG_num(bags) > BAGS_MAX) {
		return sr_fail(SR_INVALID, "value: more than %d parts", BAGS_MAX);
	}
	for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		SR_TRY(walk_bag(findings, sk_PKCS12_SAFEBAG_value(bags, i), password));
	}
	return sr_ok();
}

/* The file's MAC. An empty password has two encodings; OpenSSL's own callers try both. */
static struct sr_result check_mac(PKCS12 *pfx, const char **password)
{
	if (!PKCS12_mac_present(pfx)) {
		return sr_fail(SR_INVALID, "value: the file has no MAC under a password");
	}
	const ASN1_INTEGER *rounds = NULL;
	const ASN1_OCTET_STRING *salt = NULL;
	PKCS12_get0_mac(NULL, NULL, &salt, &rounds, pfx);
	if (rounds) { /* absent: one */
		SR_TRY(check_count(rounds));
	}
	if (!salt || ASN1_STRING_length(salt) > SALT_MAX) {
		return sr_fail(SR_INVALID, "value: the file's MAC does not read");
	}
	if (PKCS12_verify_mac(pfx, *password, (int)strlen(*password)) == 1) {
		return sr_ok();
	}
	return fail_to_open();
}

static struct sr_result walk_pfx(struct findings *findings, PKCS12 *pfx, const char *password)
{
	SR_TRY(check_mac(pfx, &password));
	SR_CLEANUP(safes) STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(pfx);
	if (!safes || sk_PKCS7_num(safes) > SAFES_MAX) {
		return sr_fail_openssl(SR_INVALID, "value: read the file's parts");
	}
	for (int i = 0; i < sk_PKCS7_num(safes); i++) {
		SR_TRY(walk_safe(findings, sk_PKCS7_value(safes, i), password));
	}
	return sr_ok();
}

/* The key's own certificate first, the others in their order. */
static struct sr_result order(const struct findings *findings, const struct sr_keypair *keypair,
                              struct sr_x509_chain *ret_chain)
{
	struct sr_x509_chain chain = {0};
	for (size_t i = 0; i < findings->count; i++) {
		SR_CLEANUP(sr_result) struct sr_result checked = sr_x509_check_key(findings->certificates[i], keypair);
		if (!chain.own.len && sr_is_ok(checked)) {
			chain.own = findings->certificates[i];
		} else if (chain.count < SR_X509_CHAIN_MAX) {
			chain.issuers[chain.count++] = findings->certificates[i];
		}
	}
	if (!chain.own.len) {
		return sr_fail(SR_INVALID, "value: there is no certificate of the private key in it");
	}
	*ret_chain = chain;
	return sr_ok();
}

/* Finds the key's certificate among them; ends the findings in any case. */
static struct sr_result end_findings(struct findings *findings, struct sr_x509_import *ret_import)
{
	if (!findings->key) {
		return sr_fail(SR_INVALID, "value: there is no private key in it");
	}
	SR_CLEANUP(sr_keypair) struct sr_keypair *keypair = NULL;
	SR_TRY(sr_keypair_adopt(SR_TAKE(findings->key), &keypair));
	struct sr_x509_import import = {0};
	SR_TRY(order(findings, keypair, &import.chain));
	import.keypair = SR_TAKE(keypair);
	*ret_import = import;
	return sr_ok();
}

struct sr_result sr_x509_from_pkcs12(struct sr_arena *arena, struct sr_bytes pfx, const char *password,
                                     struct sr_x509_import *ret_import)
{
	const uint8_t *at = pfx.data;
	SR_CLEANUP(pkcs12) PKCS12 *native = pfx.len && pfx.len <= LONG_MAX ? d2i_PKCS12(NULL, &at, (long)pfx.len) : NULL;
	if (!native || at != pfx.data + pfx.len) {
		sr_forget_openssl_errors();
		return sr_fail(SR_INVALID, "value: neither PKCS#12 in Base64 nor PEM");
	}
	struct findings findings = {.arena = arena};
	struct sr_result walked = walk_pfx(&findings, native, password);
	if (!sr_is_ok(walked)) {
		EVP_PKEY_free(findings.key);
		return walked;
	}
	return end_findings(&findings, ret_import);
}

/* One block of PEM. */
struct block {
	char *name, *header;
	uint8_t *data;
	long len;
};

static void block_cleanup(struct block *block)
{
	OPENSSL_free(block->name);
	OPENSSL_free(block->header);
	OPENSSL_clear_free(block->data, block->len > 0 ? (size_t)block->len : 0);
}

static struct sr_result walk_block(struct findings *findings, const struct block *block, const char *password)
{
	const uint8_t *at = block->data;
	if (block->header && *block->header) {
		return sr_fail(SR_INVALID,
		               "value: a PEM block is encrypted the old way: convert it with `openssl pkcs8 -topk8`");
	}
	if (strcmp(block->name, PEM_STRING_X509) == 0) {
		SR_CLEANUP(x509) X509 *x509 = NULL;
		SR_TRY(sr_x509_parse(sr_bytes_of(block->data, (size_t)block->len), &x509));
		return found_certificate(findings, x509);
	}
	if (strcmp(block->name, PEM_STRING_PKCS8) == 0) {
		SR_CLEANUP(encrypted) X509_SIG *encrypted = d2i_X509_SIG(NULL, &at, block->len);
		return encrypted ? found_encrypted_key(findings, encrypted, password)
		                 : sr_fail_openssl(SR_INVALID, "value: read the private key");
	}
	if (strcmp(block->name, PEM_STRING_PKCS8INF) == 0 || strcmp(block->name, PEM_STRING_RSA) == 0 ||
	    strcmp(block->name, PEM_STRING_ECPRIVATEKEY) == 0) {
		EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, block->len);
		return key ? found_key(findings, key) : sr_fail_openssl(SR_INVALID, "value: read the private key");
	}
	return sr_ok(); /* parameters of curves, comments */
}

static struct sr_result walk_pem(struct findings *findings, BIO *bio, const char *password)
{
	for (int i = 0; i < BLOCKS_MAX; i++) {
		SR_CLEANUP(block) struct block block = {0};
		if (PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.len) != 1) {
			bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
			block = (struct block){0};
			sr_forget_openssl_errors();
			return is_end ? sr_ok() : sr_fail(SR_INVALID, "value: a PEM block does not read");
		}
		SR_TRY(walk_block(findings, &block, password));
	}
	return sr_fail(SR_INVALID, "value: more than %d PEM blocks", BLOCKS_MAX);
}

struct sr_result sr_x509_from_pem(struct sr_arena *arena, struct sr_bytes pem, const char *password,
                                  struct sr_x509_import *ret_import)
{
	SR_CLEANUP(bio) BIO *bio = pem.len && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
	if (!bio) {
		return sr_fail(SR_INVALID, "value: the PEM is empty");
	}
	struct findings findings = {.arena = arena};
	struct sr_result walked = walk_pem(&findings, bio, password);
	if (!sr_is_ok(walked)) {
		EVP_PKEY_free(findings.key);
		return walked;
	}
	return end_findings(&findings, ret_import);
}
