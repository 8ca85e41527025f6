/* HKDF-SHA-256 (RFC 5869) and Strongroom's named derivations. */
#include "seal/kdf.h"

#include "seal/context.h"
#include "seal/openssl_error.h"
#include "seal/secret_bytes.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <stdio.h>

/* A parameter that OpenSSL only reads, although its constructor takes no const. */
static OSSL_PARAM octets(const char *name, struct sr_bytes bytes)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes.data, bytes.len);
}

struct sr_result sr_hkdf_sha256(struct sr_bytes key, struct sr_bytes salt, struct sr_bytes info, size_t len,
                                struct sr_secret **ret_key)
{
	SR_CLEANUP(sr_secret) struct sr_secret *derived = NULL;
	SR_TRY(sr_secret_new(len, &derived));
	char digest[] = "SHA2-256";
	OSSL_PARAM params[5] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
	    octets(OSSL_KDF_PARAM_KEY, key),
	    octets(OSSL_KDF_PARAM_INFO, info),
	};
	params[3] = salt.len ? octets(OSSL_KDF_PARAM_SALT, salt) : OSSL_PARAM_construct_end();
	params[4] = OSSL_PARAM_construct_end();
	EVP_KDF_CTX *context = sr_hkdf_context();
	bool is_derived = context && EVP_KDF_derive(context, sr_secret_fill(derived), len, params) == 1;
	if (context) {
		EVP_KDF_CTX_reset(context);
	}
	if (!is_derived) {
		return sr_fail_openssl(SR_CRYPTO, "derive a key of %zu bytes", len);
	}
	*ret_key = SR_TAKE(derived);
	return sr_ok();
}

struct sr_result sr_derive(const struct sr_secret *from, struct sr_bytes salt, const char *purpose, size_t len,
                           struct sr_secret **ret_key)
{
	char info[128];
	int info_len = snprintf(info, sizeof info, "strongroom/v1/%s", purpose);
	if (info_len < 0 || (size_t)info_len >= sizeof info) {
		return sr_fail(SR_INVALID, "derive a key: its purpose is longer than %zu characters", sizeof info);
	}
	return sr_hkdf_sha256(sr_secret_bytes(from), salt, sr_bytes_of(info, (size_t)info_len), len, ret_key);
}
