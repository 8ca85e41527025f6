/*
 * OpenSSL's algorithms, fetched once, and cipher contexts that threads reuse: fetching and
 * allocating cost more than re-keying. A spare context is keyed with zeros, so that no key outlives its use.
 * Private to the room. Thread-safe; a context belongs to one thread at a time.
 */
#ifndef SR_SEAL_CONTEXT_H
#define SR_SEAL_CONTEXT_H

#include "base/result.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

enum sr_cipher {
	SR_CIPHER_AES256_ECB,
	SR_CIPHER_AES128_GCM,
	SR_CIPHER_AES192_GCM,
	SR_CIPHER_AES256_GCM,
	SR_CIPHER_AES128_CBC,
	SR_CIPHER_AES192_CBC,
	SR_CIPHER_AES256_CBC,
	SR_CIPHER_AES128_KW,
	SR_CIPHER_AES192_KW,
	SR_CIPHER_AES256_KW,
	SR_CIPHER_AES128_KWP,
	SR_CIPHER_AES192_KWP,
	SR_CIPHER_AES256_KWP,
	SR_CIPHER_COUNT
};

/* Fetches all algorithms; once, from sr_seal_init. */
SR_MUST struct sr_result sr_context_init(void);

/* A context set to a cipher, without a key, to be given back or freed (EVP_CIPHER_CTX_free wipes). */
SR_MUST struct sr_result sr_cipher_context_take(enum sr_cipher cipher, EVP_CIPHER_CTX **ret_context);
/* Overwrites the context's key and keeps it for the calling thread's next use. NULL is allowed. */
void sr_cipher_context_give(enum sr_cipher cipher, EVP_CIPHER_CTX *context);

/* The calling thread's contexts for HMAC-SHA-256 and HKDF-SHA-256; NULL when memory is gone. */
EVP_MAC_CTX *sr_hmac_context(void);
EVP_KDF_CTX *sr_hkdf_context(void);

/* SHA-1, SHA-256, SHA-384, SHA-512 and MD5, by the names that OpenSSL knows; fetched once. */
const EVP_MD *sr_md_sha1(void);
const EVP_MD *sr_md_sha256(void);
const EVP_MD *sr_md_sha384(void);
const EVP_MD *sr_md_sha512(void);
const EVP_MD *sr_md_md5(void);

#endif
