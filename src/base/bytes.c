/* Buffers and readers over bytes. */
#include "base/bytes.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct sr_bytes sr_bytes_str(const char *text)
{
	return (struct sr_bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

bool sr_equal_public(struct sr_bytes a, struct sr_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool sr_equal_nocase(struct sr_bytes a, struct sr_bytes b)
{
	if (a.len != b.len) {
		return false;
	}
	for (size_t i = 0; i < a.len; i++) {
		uint8_t x = a.data[i];
		uint8_t y = b.data[i];
		x = x >= 'A' && x <= 'Z' ? (uint8_t)(x | 0x20) : x;
		y = y >= 'A' && y <= 'Z' ? (uint8_t)(y | 0x20) : y;
		if (x != y) {
			return false;
		}
	}
	return true;
}

bool sr_bytes_start_with(struct sr_bytes bytes, struct sr_bytes prefix)
{
	return bytes.len >= prefix.len && sr_equal_public((struct sr_bytes){bytes.data, prefix.len}, prefix);
}

bool sr_bytes_are_zero(struct sr_bytes bytes)
{
	return bytes.len == 0 || (bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, bytes.len - 1) == 0);
}

/* What customers gave goes through buffers: it is not left to the heap. */
static void wipe(struct sr_buf *buf)
{
	if (buf->data) { /* it may have been taken */
		explicit_bzero(buf->data, buf->len);
	}
}

void sr_buf_free(struct sr_buf *buf)
{
	wipe(buf);
	sr_free(buf->data);
	*buf = (struct sr_buf){.max = buf->max};
}

void sr_buf_cleanup(struct sr_buf *buf)
{
	sr_buf_free(buf);
}

void sr_buf_reset(struct sr_buf *buf)
{
	wipe(buf);
	buf->len = 0;
	buf->failed = false;
}

/* Makes room for `more` bytes past the length, within the maximum. */
static bool make_room(struct sr_buf *buf, size_t more)
{
	size_t need;
	if (buf->failed || !sr_add_size(buf->len, more, &need) || need > buf->max) {
		buf->failed = true;
		return false;
	}
	if (need <= buf->cap && buf->data) { /* also an empty buffer gets memory: NULL means failure and nothing else */
		return true;
	}
	size_t cap = buf->cap < 256 ? 256 : buf->cap + buf->cap / 2;
	if (cap < need) {
		cap = need;
	}
	if (cap > buf->max) {
		cap = buf->max;
	}
	uint8_t *data = sr_try_alloc(cap + 1); /* one more for sr_buf_text's NUL */
	if (!data) {
		buf->failed = true;
		return false;
	}
	if (buf->data) {
		memcpy(data, buf->data, buf->len);
	}
	wipe(buf);
	sr_free(buf->data);
	buf->data = data;
	buf->cap = cap;
	return true;
}

uint8_t *sr_buf_extend(struct sr_buf *buf, size_t len)
{
	if (!make_room(buf, len)) {
		return NULL;
	}
	uint8_t *space = buf->data + buf->len;
	buf->len += len;
	return space;
}

void sr_buf_append(struct sr_buf *buf, struct sr_bytes bytes)
{
	if (bytes.len == 0) {
		return;
	}
	uint8_t *space = sr_buf_extend(buf, bytes.len);
	if (space) {
		memcpy(space, bytes.data, bytes.len);
	}
}

void sr_buf_append_str(struct sr_buf *buf, const char *text)
{
	sr_buf_append(buf, sr_bytes_str(text));
}

void sr_buf_printf(struct sr_buf *buf, const char *format, ...)
{
	char small[256];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	if ((size_t)len < sizeof small) {
		sr_buf_append(buf, sr_bytes_of(small, (size_t)len));
		return;
	}
	if (!make_room(buf, (size_t)len)) {
		return;
	}
	va_start(args, format);
	vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void sr_buf_append_u8(struct sr_buf *buf, uint8_t value)
{
	sr_buf_append(buf, sr_bytes_of(&value, 1));
}

void sr_buf_append_u16(struct sr_buf *buf, uint16_t value)
{
	uint8_t bytes[2];
	sr_store_u16(bytes, value);
	sr_buf_append(buf, sr_bytes_of(bytes, sizeof bytes));
}

void sr_buf_append_u32(struct sr_buf *buf, uint32_t value)
{
	uint8_t bytes[4];
	sr_store_u32(bytes, value);
	sr_buf_append(buf, sr_bytes_of(bytes, sizeof bytes));
}

void sr_buf_append_u64(struct sr_buf *buf, uint64_t value)
{
	uint8_t bytes[8];
	sr_store_u64(bytes, value);
	sr_buf_append(buf, sr_bytes_of(bytes, sizeof bytes));
}

void sr_buf_append_block(struct sr_buf *buf, struct sr_bytes bytes)
{
	if (bytes.len > UINT32_MAX) {
		buf->failed = true;
		return;
	}
	sr_buf_append_u32(buf, (uint32_t)bytes.len);
	sr_buf_append(buf, bytes);
}

struct sr_result sr_buf_result(const struct sr_buf *buf)
{
	return buf->failed ? sr_fail(SR_TOO_LARGE, "buffer would pass its limit of %zu bytes", buf->max) : sr_ok();
}

const char *sr_buf_text(struct sr_buf *buf)
{
	if (buf->failed || !make_room(buf, 0) || !buf->data) {
		return "";
	}
	buf->data[buf->len] = 0;
	return (const char *)buf->data;
}

struct sr_reader sr_reader_of(struct sr_bytes bytes)
{
	return (struct sr_reader){.next = bytes.data, .left = bytes.len};
}

struct sr_bytes sr_reader_bytes(struct sr_reader *reader, size_t len)
{
	if (reader->failed || len > reader->left) {
		reader->failed = true;
		return (struct sr_bytes){0};
	}
	struct sr_bytes bytes = {reader->next, len};
	reader->next += len;
	reader->left -= len;
	return bytes;
}

void sr_reader_copy(struct sr_reader *reader, uint8_t *to, size_t len)
{
	struct sr_bytes bytes = sr_reader_bytes(reader, len);
	memset(to, 0, len);
	if (bytes.len) {
		memcpy(to, bytes.data, bytes.len);
	}
}

uint8_t sr_reader_u8(struct sr_reader *reader)
{
	uint8_t value;
	sr_reader_copy(reader, &value, 1);
	return value;
}

uint16_t sr_reader_u16(struct sr_reader *reader)
{
	uint8_t bytes[2];
	sr_reader_copy(reader, bytes, sizeof bytes);
	return sr_load_u16(bytes);
}

uint32_t sr_reader_u32(struct sr_reader *reader)
{
	uint8_t bytes[4];
	sr_reader_copy(reader, bytes, sizeof bytes);
	return sr_load_u32(bytes);
}

uint64_t sr_reader_u64(struct sr_reader *reader)
{
	uint8_t bytes[8];
	sr_reader_copy(reader, bytes, sizeof bytes);
	return sr_load_u64(bytes);
}

struct sr_bytes sr_reader_block(struct sr_reader *reader, size_t max)
{
	uint32_t len = sr_reader_u32(reader);
	if (len > max) {
		reader->failed = true;
	}
	return sr_reader_bytes(reader, len);
}

struct sr_result sr_reader_finish(const struct sr_reader *reader, const char *what)
{
	if (reader->failed) {
		return sr_fail(SR_PROTOCOL, "%s ends too early or holds a length past its limit", what);
	}
	if (reader->left) {
		return sr_fail(SR_PROTOCOL, "%s has %zu bytes too many", what, reader->left);
	}
	return sr_ok();
}
