/*
 * The chunked transfer coding (RFC 9112, 7.1), decoded in place of any buffering: a state machine that is fed bytes and
 * says which of them are the body's. Strict: CRLF only, no empty sizes, bounded extensions and trailers. No I/O.
 */
#ifndef SR_NET_CHUNKED_H
#define SR_NET_CHUNKED_H

#include "base/bytes.h"

struct sr_chunked {
	uint64_t left;     /* of the chunk's data, or its size while that is read */
	uint32_t line_len; /* of the size line, or of all trailers so far */
	uint8_t state;
};

void sr_chunked_init(struct sr_chunked *chunked);
/*
 * Reads on in `from`: *ret_used says how many bytes were consumed, *ret_data which of them (or none) are body, borrowed
 * from `from`; it returns after each run of data, so call until it uses nothing or the body is done. SR_PROTOCOL.
 */
SR_MUST struct sr_result sr_chunked_next(struct sr_chunked *chunked, struct sr_bytes from, size_t *ret_used,
                                         struct sr_bytes *ret_data);
/* The last chunk and the trailers are over; what follows belongs to the next message. */
bool sr_chunked_is_done(const struct sr_chunked *chunked);
/* Bytes of the present chunk that may be read straight to where they belong; then say so by sr_chunked_skip. */
uint64_t sr_chunked_run(const struct sr_chunked *chunked);
void sr_chunked_skip(struct sr_chunked *chunked, uint64_t len);

#endif
