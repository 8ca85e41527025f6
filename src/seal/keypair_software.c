/* The back end of keys in software: OpenSSL on the private part in secret memory. */
#include "seal/keypair_form.h"
#include "seal/secret_bytes.h"
#include "seal/wrap.h"

static struct sr_result rsa_decrypt(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
                                    struct sr_bytes ciphertext, uint8_t *to, size_t *ret_len, bool *ret_opens)
{
	return sr_rsa_decrypt(keypair->pkey, alg, ciphertext, to, ret_len, ret_opens);
}

static struct sr_result sign(const struct sr_keypair *keypair, const struct sr_alg_traits *alg, struct sr_bytes digest,
                             struct sr_buf *signature)
{
	return keypair->spec.type == SR_KEY_RSA ? sr_rsa_sign(keypair->pkey, alg, digest, signature)
	                                        : sr_ec_sign(keypair->pkey, keypair->spec.curve, digest, signature);
}

static struct sr_result oct_encrypt(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
                                    struct sr_bytes plaintext, const struct sr_cipher_parts *parts,
                                    struct sr_buf *ciphertext, struct sr_buf *ret_iv, struct sr_buf *ret_tag)
{
	return sr_oct_encrypt(keypair->oct, alg, plaintext, parts, ciphertext, ret_iv, ret_tag);
}

static struct sr_result oct_decrypt(const struct sr_keypair *keypair, const struct sr_alg_traits *alg,
                                    struct sr_bytes ciphertext, const struct sr_cipher_parts *parts,
                                    struct sr_buf *plaintext)
{
	return sr_oct_decrypt(keypair->oct, alg, ciphertext, parts, plaintext);
}

/* AES-KWP under an oct key of this size. */
static enum sr_cipher kwp_of(const struct sr_keypair *keypair)
{
	return keypair->spec.bits == 128   ? SR_CIPHER_AES128_KWP
	       : keypair->spec.bits == 192 ? SR_CIPHER_AES192_KWP
	                                   : SR_CIPHER_AES256_KWP;
}

static struct sr_result oct_wrap(const struct sr_keypair *keypair, struct sr_bytes plaintext, uint8_t *to,
                                 size_t *ret_len)
{
	return sr_aes_wrap(kwp_of(keypair), sr_secret_bytes(keypair->oct).data, plaintext, to, ret_len);
}

static struct sr_result oct_unwrap(const struct sr_keypair *keypair, struct sr_bytes wrapped, uint8_t *to,
                                   size_t *ret_len, bool *ret_opens)
{
	return sr_aes_unwrap(kwp_of(keypair), sr_secret_bytes(keypair->oct).data, wrapped, to, ret_len, ret_opens);
}

const struct sr_keypair_backend sr_keypair_software = {
    .rsa_decrypt = rsa_decrypt,
    .sign = sign,
    .oct_encrypt = oct_encrypt,
    .oct_decrypt = oct_decrypt,
    .oct_wrap = oct_wrap,
    .oct_unwrap = oct_unwrap,
    .form = sr_keypair_software_form,
};
