/*
 * Encodings of bytes as text (hex; Base64 and base64url, RFC 4648) and strict numbers.
 * Decoders accept exactly the canonical form and nothing else.
 */
#ifndef SR_BASE_TEXT_H
#define SR_BASE_TEXT_H

#include "base/bytes.h"

enum { SR_ID_LEN = 16, SR_ID_TEXT_LEN = 33, SR_GUID_TEXT_LEN = 37 };

/* A random identifier: of an account, an extent, a database, a lease, a request. */
struct sr_id {
	uint8_t bytes[SR_ID_LEN];
};

/* A new random identifier. */
struct sr_id sr_id_random(void);
static inline struct sr_bytes sr_id_bytes(const struct sr_id *id)
{
	return (struct sr_bytes){id->bytes, SR_ID_LEN};
}
static inline bool sr_id_equal(const struct sr_id *a, const struct sr_id *b)
{
	return sr_equal_public(sr_id_bytes(a), sr_id_bytes(b));
}
/* 32 lowercase hex digits and a NUL. */
void sr_id_text(const struct sr_id *id, char ret_text[static SR_ID_TEXT_LEN]);
/* From 32 lowercase hex digits; SR_INVALID otherwise. */
SR_MUST struct sr_result sr_id_parse(struct sr_bytes text, struct sr_id *ret_id);
/* RFC 4122 text of a version-4 GUID made from the identifier (its version and variant bits are set). */
void sr_guid_text(const struct sr_id *id, char ret_text[static SR_GUID_TEXT_LEN]);
/* True for 8-4-4-4-12 hex digits. */
bool sr_is_guid(struct sr_bytes text);

/* Lowercase hex; `to` has 2·len+1 bytes. */
void sr_hex_encode(struct sr_bytes bytes, char *to);
/* Exactly 2·len hex digits of either case into `to`; SR_INVALID otherwise. */
SR_MUST struct sr_result sr_hex_decode(struct sr_bytes text, uint8_t *to, size_t len);

/* Appends Base64 with padding; base64url without. */
void sr_base64_encode(struct sr_buf *buf, struct sr_bytes bytes);
void sr_base64url_encode(struct sr_buf *buf, struct sr_bytes bytes);
/* Appends the decoded bytes; SR_INVALID for anything but the canonical form (padding required, no white space). */
SR_MUST struct sr_result sr_base64_decode(struct sr_bytes text, struct sr_buf *ret_bytes);
/* The same for base64url; padding may be missing but, where present, must be right. */
SR_MUST struct sr_result sr_base64url_decode(struct sr_bytes text, struct sr_buf *ret_bytes);

/* A decimal number without sign or white space, at most `max`; SR_INVALID otherwise. */
SR_MUST struct sr_result sr_parse_u64(struct sr_bytes text, uint64_t max, uint64_t *ret_value);

/* True for well-formed UTF-8 (RFC 3629) without NUL. */
bool sr_is_utf8(struct sr_bytes text);

#endif
