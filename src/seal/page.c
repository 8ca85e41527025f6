/* Seals and opens one page, frame or header of a database; the AAD says which, and where it belongs. */
#include "seal/page.h"

#include "seal/aead.h"

#include <string.h>

enum { AAD_LEN = SR_ID_LEN + 1 + 4 + 4 + SR_PAGE_SALT_LEN };

struct sr_result sr_page_seal_init(struct sr_page_seal *seal, const struct sr_id *id, const struct sr_secret *dek)
{
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_TRY(sr_derive(dek, sr_id_bytes(id), "database", SR_KEY_LEN, &key));
	SR_TRY(sr_aead_new(key, &seal->aead));
	seal->id = *id;
	return sr_ok();
}

void sr_page_seal_clear(struct sr_page_seal *seal)
{
	sr_aead_cleanup(&seal->aead);
}

static struct sr_bytes aad_of(const struct sr_page_seal *seal, const struct sr_page_place *place,
                              uint8_t aad[static AAD_LEN])
{
	uint8_t *next = aad;
	memcpy(next, seal->id.bytes, SR_ID_LEN);
	next += SR_ID_LEN;
	*next++ = (uint8_t)place->kind;
	sr_store_u32(next, place->page);
	sr_store_u32(next + 4, place->frame);
	memcpy(next + 8, place->salt, SR_PAGE_SALT_LEN);
	return sr_bytes_of(aad, AAD_LEN);
}

struct sr_result sr_page_close(const struct sr_page_seal *seal, const struct sr_page_place *place,
                               struct sr_bytes plaintext, uint8_t *to)
{
	uint8_t aad[AAD_LEN];
	uint8_t *ciphertext = to + SR_AEAD_NONCE_LEN;
	return sr_aead_seal_at(seal->aead, aad_of(seal, place, aad), plaintext, ciphertext, to, ciphertext + plaintext.len);
}

struct sr_result sr_page_open(const struct sr_page_seal *seal, const struct sr_page_place *place,
                              struct sr_bytes sealed, uint8_t *to)
{
	uint8_t aad[AAD_LEN];
	struct sr_bytes ciphertext = sr_bytes_of(sealed.data + SR_AEAD_NONCE_LEN, sealed.len - SR_AEAD_OVERHEAD);
	return sr_aead_open_at(seal->aead, aad_of(seal, place, aad), sealed.data, ciphertext,
	                       ciphertext.data + ciphertext.len, to);
}
