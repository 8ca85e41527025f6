/*
 * Keys at rest, before sealing (integers big-endian, blocks are u32 length and bytes):
 *   in software:  u8 version 1 · u8 type · u16 bits · u8 curve · DER private key, or the bytes of an oct key
 *   in the token: u8 version 2 · u8 type · u16 bits · u8 curve · block token label · 16 bytes CKA_ID ·
 *                 block n · block e (RSA) or block x · block y (EC); oct has none
 */
#include "seal/keypair_form.h"

#include "seal/openssl_error.h"
#include "seal/pkcs11_parts.h"
#include "seal/secret_bytes.h"

#include <string.h>

enum { VERSION_SOFTWARE = 1, VERSION_TOKEN = 2, HEADER_LEN = 5, TOKEN_FORM_MAX = 2048 };

/* A form with room for `body_len` bytes behind its header. */
static struct sr_result new_form(uint8_t version, const struct sr_key_spec *spec, size_t body_len,
                                 struct sr_secret **ret_form)
{
	SR_TRY(sr_secret_new(HEADER_LEN + body_len, ret_form));
	uint8_t *at = sr_secret_fill(*ret_form);
	at[0] = version;
	at[1] = (uint8_t)spec->type;
	sr_store_u16(at + 2, (uint16_t)spec->bits);
	at[4] = (uint8_t)spec->curve;
	return sr_ok();
}

struct sr_result sr_keypair_software_form(const struct sr_keypair *keypair, struct sr_secret **ret_form)
{
	if (keypair->oct) {
		struct sr_bytes oct = sr_secret_bytes(keypair->oct);
		SR_TRY(new_form(VERSION_SOFTWARE, &keypair->spec, oct.len, ret_form));
		memcpy(sr_secret_fill(*ret_form) + HEADER_LEN, oct.data, oct.len);
		return sr_ok();
	}
	int len = i2d_PrivateKey(keypair->pkey, NULL);
	if (len <= 0) {
		return sr_fail_openssl(SR_CRYPTO, "encode a private key");
	}
	SR_TRY(new_form(VERSION_SOFTWARE, &keypair->spec, (size_t)len, ret_form));
	uint8_t *at = sr_secret_fill(*ret_form) + HEADER_LEN;
	return i2d_PrivateKey(keypair->pkey, &at) == len ? sr_ok() : sr_fail_openssl(SR_CRYPTO, "encode a private key");
}

struct sr_result sr_keypair_token_form(const struct sr_keypair *keypair, struct sr_secret **ret_form)
{
	const struct sr_key_public *parts = &keypair->public_parts;
	SR_CLEANUP(sr_buf) struct sr_buf body = SR_BUF(TOKEN_FORM_MAX);
	sr_buf_append_block(&body, sr_bytes_str(keypair->object->label));
	sr_buf_append(&body, sr_bytes_of(keypair->object->id, SR_HSM_ID_LEN));
	if (parts->spec.type == SR_KEY_RSA) {
		sr_buf_append_block(&body, sr_bytes_of(parts->n, parts->n_len));
		sr_buf_append_block(&body, sr_bytes_of(parts->e, parts->e_len));
	} else if (parts->spec.type == SR_KEY_EC) {
		sr_buf_append_block(&body, sr_bytes_of(parts->x, parts->xy_len));
		sr_buf_append_block(&body, sr_bytes_of(parts->y, parts->xy_len));
	}
	SR_TRY(sr_buf_result(&body));
	SR_TRY(new_form(VERSION_TOKEN, &keypair->spec, body.len, ret_form));
	memcpy(sr_secret_fill(*ret_form) + HEADER_LEN, body.data, body.len);
	return sr_ok();
}

const char *sr_keypair_token_label(const struct sr_keypair *keypair)
{
	return keypair->object ? keypair->object->label : "";
}

static struct sr_result fail_form(void)
{
	return sr_fail(SR_CORRUPT, "sealed key is of no known form");
}

static struct sr_result read_software(struct sr_reader *reader, const struct sr_key_spec *spec,
                                      struct sr_keypair **ret_keypair)
{
	if (spec->type == SR_KEY_OCT) {
		struct sr_secret *oct;
		SR_TRY(sr_secret_from_bytes(sr_bytes_of(reader->next, reader->left), &oct));
		return sr_keypair_of_oct(oct, ret_keypair);
	}
	const uint8_t *at = reader->next;
	EVP_PKEY *pkey =
	    d2i_PrivateKey(spec->type == SR_KEY_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL, &at, (long)reader->left);
	return pkey ? sr_keypair_of_pkey(spec, pkey, true, ret_keypair)
	            : sr_fail_openssl(SR_CORRUPT, "decode a sealed key");
}

static void read_number(struct sr_reader *reader, uint8_t *to, size_t max, size_t *ret_len)
{
	struct sr_bytes block = sr_reader_block(reader, max);
	if (block.len) {
		memcpy(to, block.data, block.len);
	}
	*ret_len = block.len;
}

static struct sr_result read_token(struct sr_reader *reader, const struct sr_key_spec *spec,
                                   struct sr_keypair **ret_keypair)
{
	struct sr_key_public parts = {.spec = *spec};
	struct sr_bytes label = sr_reader_block(reader, SR_HSM_LABEL_MAX);
	struct sr_bytes id = sr_reader_bytes(reader, SR_HSM_ID_LEN);
	size_t y_len = 0;
	if (spec->type == SR_KEY_RSA) {
		read_number(reader, parts.n, sizeof parts.n, &parts.n_len);
		read_number(reader, parts.e, sizeof parts.e, &parts.e_len);
	} else if (spec->type == SR_KEY_EC) {
		read_number(reader, parts.x, sizeof parts.x, &parts.xy_len);
		read_number(reader, parts.y, sizeof parts.y, &y_len);
	}
	if (reader->failed || reader->left || y_len != parts.xy_len) {
		return fail_form();
	}
	return sr_keypair_in_token(&parts, label, id.data, ret_keypair);
}

struct sr_result sr_keypair_from_form(const struct sr_secret *form, struct sr_keypair **ret_keypair)
{
	struct sr_reader reader = sr_reader_of(sr_secret_bytes(form));
	uint8_t version = sr_reader_u8(&reader);
	struct sr_key_spec spec = {.type = (enum sr_key_type)sr_reader_u8(&reader), .bits = sr_reader_u16(&reader)};
	spec.curve = (enum sr_curve)sr_reader_u8(&reader);
	if (reader.failed || !sr_key_spec_exists(&spec)) {
		return fail_form();
	}
	if (version == VERSION_TOKEN) {
		spec.is_in_token = true;
		return read_token(&reader, &spec, ret_keypair);
	}
	return version == VERSION_SOFTWARE ? read_software(&reader, &spec, ret_keypair) : fail_form();
}
