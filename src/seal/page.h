/*
 * How one page, log frame or log header of a sealed database is sealed, and to which place it is tied.
 * Knows layouts and AAD; not files, not SQLite. Private to the room.
 */
#ifndef SR_SEAL_PAGE_H
#define SR_SEAL_PAGE_H

#include "seal/crypto.h"

/* What a sealed piece is; a piece of one kind never opens as another. The numbers are part of the format. */
enum sr_page_kind {
	SR_PAGE_MAIN = 1,         /* a page in the main file */
	SR_PAGE_LOG_HEADER = 2,   /* the log's header */
	SR_PAGE_FRAME_HEADER = 3, /* the header of a frame in the log */
	SR_PAGE_FRAME = 4         /* the page in a frame of the log */
};

enum { SR_PAGE_SALT_LEN = 8 };

/* Where a sealed piece belongs: bound into it, so that it opens nowhere else. Members that a kind lacks are 0. */
struct sr_page_place {
	enum sr_page_kind kind;
	uint32_t page;                  /* from 1 */
	uint32_t frame;                 /* from 1 */
	uint8_t salt[SR_PAGE_SALT_LEN]; /* of the log's generation */
};

/* The key and identity of one database; may be used by many threads. */
struct sr_page_seal {
	struct sr_aead *aead;
	struct sr_id id;
};

/* The page key is derived from the database's DEK and its identity. */
SR_MUST struct sr_result sr_page_seal_init(struct sr_page_seal *seal, const struct sr_id *id,
                                           const struct sr_secret *dek);
/* Wipes the key. */
void sr_page_seal_clear(struct sr_page_seal *seal);

/* Writes nonce ‖ ciphertext ‖ tag to `to`: SR_AEAD_OVERHEAD more than `plaintext`. */
SR_MUST struct sr_result sr_page_close(const struct sr_page_seal *seal, const struct sr_page_place *place,
                                       struct sr_bytes plaintext, uint8_t *to);
/* Writes the plaintext, SR_AEAD_OVERHEAD less than `sealed`, to `to`; SR_CORRUPT if it does not open at this place. */
SR_MUST struct sr_result sr_page_open(const struct sr_page_seal *seal, const struct sr_page_place *place,
                                      struct sr_bytes sealed, uint8_t *to);

#endif
