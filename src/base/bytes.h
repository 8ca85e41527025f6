/*
 * Bytes: borrowed (struct sr_bytes, by value), owned and growable with a hard maximum
 * (struct sr_buf), and a reader that cannot overrun (struct sr_reader). Integers are big-endian.
 */
#ifndef SR_BASE_BYTES_H
#define SR_BASE_BYTES_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; whoever made them says how long they live. {NULL, 0} is empty. */
struct sr_bytes {
	const uint8_t *data;
	size_t len;
};

/* The bytes of a string literal, without its NUL. */
#define SR_LITERAL(text) ((struct sr_bytes){(const uint8_t *)("" text), sizeof(text) - 1})

static inline struct sr_bytes sr_bytes_of(const void *data, size_t len)
{
	return (struct sr_bytes){(const uint8_t *)data, len};
}

/* The bytes of a NUL-terminated string (NULL is empty), without its NUL. */
struct sr_bytes sr_bytes_str(const char *text);
/* Equality of public bytes. Secrets are compared by sr_equal_ct (seal/secret.h). */
bool sr_equal_public(struct sr_bytes a, struct sr_bytes b);
/* The same, ASCII letters in either case. */
bool sr_equal_nocase(struct sr_bytes a, struct sr_bytes b);
bool sr_bytes_start_with(struct sr_bytes bytes, struct sr_bytes prefix);
/* Whether every byte is zero; true for none. */
bool sr_bytes_are_zero(struct sr_bytes bytes);

/*
 * An owned, growable buffer that never grows past `max`. Appending past it (or out of
 * memory) marks the buffer as failed and drops what is appended; sr_buf_result tells once at the end.
 */
struct sr_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
	bool failed;
};

#define SR_BUF(max_len) ((struct sr_buf){.max = (max_len)})

/* Wipes it and gives its memory back; growing wipes what is left behind too. */
void sr_buf_free(struct sr_buf *buf);
void sr_buf_cleanup(struct sr_buf *buf);
/* Wipes and empties it and forgives a failure; keeps the memory. */
void sr_buf_reset(struct sr_buf *buf);
void sr_buf_append(struct sr_buf *buf, struct sr_bytes bytes);
void sr_buf_append_str(struct sr_buf *buf, const char *text);
void sr_buf_printf(struct sr_buf *buf, const char *format, ...) SR_PRINTF(2, 3);
void sr_buf_append_u8(struct sr_buf *buf, uint8_t value);
void sr_buf_append_u16(struct sr_buf *buf, uint16_t value);
void sr_buf_append_u32(struct sr_buf *buf, uint32_t value);
void sr_buf_append_u64(struct sr_buf *buf, uint64_t value);
/* u32 length, then the bytes; what sr_reader_block reads. */
void sr_buf_append_block(struct sr_buf *buf, struct sr_bytes bytes);
/* Room for `len` more bytes, counted as appended; NULL when the buffer has failed. Valid until the next append. */
uint8_t *sr_buf_extend(struct sr_buf *buf, size_t len);
/* SR_TOO_LARGE if an append failed. */
SR_MUST struct sr_result sr_buf_result(const struct sr_buf *buf);
static inline struct sr_bytes sr_buf_bytes(const struct sr_buf *buf)
{
	return (struct sr_bytes){buf->data, buf->len};
}
/* NUL-terminates (the NUL is not counted) and gives the text, "" when it failed. Borrowed. */
const char *sr_buf_text(struct sr_buf *buf);

/* Reads from borrowed bytes. Past the end it yields zeros and fails for good; sr_reader_finish tells. */
struct sr_reader {
	const uint8_t *next;
	size_t left;
	bool failed;
};

struct sr_reader sr_reader_of(struct sr_bytes bytes);
uint8_t sr_reader_u8(struct sr_reader *reader);
uint16_t sr_reader_u16(struct sr_reader *reader);
uint32_t sr_reader_u32(struct sr_reader *reader);
uint64_t sr_reader_u64(struct sr_reader *reader);
/* `len` bytes, borrowed from the source; empty when it failed. */
struct sr_bytes sr_reader_bytes(struct sr_reader *reader, size_t len);
/* What sr_buf_append_block wrote; a length over `max` fails. */
struct sr_bytes sr_reader_block(struct sr_reader *reader, size_t max);
/* Copies exactly `len` bytes to `to`, zeros when it failed. */
void sr_reader_copy(struct sr_reader *reader, uint8_t *to, size_t len);
/* SR_PROTOCOL if something was missing or bytes are left over; `what` names the message. */
SR_MUST struct sr_result sr_reader_finish(const struct sr_reader *reader, const char *what);

/* Big-endian stores and loads for fixed formats. */
static inline void sr_store_u16(uint8_t to[static 2], uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}
static inline void sr_store_u32(uint8_t to[static 4], uint32_t value)
{
	sr_store_u16(to, (uint16_t)(value >> 16));
	sr_store_u16(to + 2, (uint16_t)value);
}
static inline void sr_store_u64(uint8_t to[static 8], uint64_t value)
{
	sr_store_u32(to, (uint32_t)(value >> 32));
	sr_store_u32(to + 4, (uint32_t)value);
}
static inline uint16_t sr_load_u16(const uint8_t from[static 2])
{
	return (uint16_t)((uint16_t)from[0] << 8 | from[1]);
}
static inline uint32_t sr_load_u32(const uint8_t from[static 4])
{
	return (uint32_t)sr_load_u16(from) << 16 | sr_load_u16(from + 2);
}
static inline uint64_t sr_load_u64(const uint8_t from[static 8])
{
	return (uint64_t)sr_load_u32(from) << 32 | sr_load_u32(from + 4);
}

/* True and the sum, or false on overflow with *ret untouched. */
static inline bool sr_add_size(size_t a, size_t b, size_t *ret)
{
	size_t sum;
	return !__builtin_add_overflow(a, b, &sum) && ((*ret = sum), true);
}

#endif
