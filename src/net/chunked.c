/* The chunked coding's decoder: one state a place in the grammar, one function a byte outside of data. */
#include "net/chunked.h"

enum { LINE_MAX_LEN = 256, TRAILERS_MAX_LEN = 8192 };

enum state {
	SIZE_START, /* before the first digit */
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START, /* at the start of a trailer line, or of the empty line that ends all */
	TRAILER,
	TRAILER_LF,
	LAST_LF,
	DONE
};

void sr_chunked_init(struct sr_chunked *chunked)
{
	*chunked = (struct sr_chunked){.state = SIZE_START};
}

bool sr_chunked_is_done(const struct sr_chunked *chunked)
{
	return chunked->state == DONE;
}

uint64_t sr_chunked_run(const struct sr_chunked *chunked)
{
	return chunked->state == DATA ? chunked->left : 0;
}

void sr_chunked_skip(struct sr_chunked *chunked, uint64_t len)
{
	chunked->left -= len;
	if (chunked->left == 0) {
		chunked->state = DATA_CR;
	}
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	uint8_t lower = (uint8_t)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_text(uint8_t c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* The line of the chunk's size and its extensions, which nobody here understands. */
static bool step_size(struct sr_chunked *chunked, uint8_t c)
{
	if (++chunked->line_len > LINE_MAX_LEN) {
		return false;
	}
	int digit = hex_digit(c);
	if (chunked->state != EXTENSION && digit >= 0) {
		if (chunked->left >> 58) { /* the body's length must stay a signed 64-bit number */
			return false;
		}
		chunked->left = chunked->left << 4 | (uint64_t)digit;
		chunked->state = SIZE;
		return true;
	}
	if (chunked->state == SIZE_START) {
		return false;
	}
	if (c == '\r') {
		chunked->state = SIZE_LF;
		return true;
	}
	if (chunked->state == SIZE && c != ';') {
		return false;
	}
	chunked->state = EXTENSION;
	return is_text(c);
}

static bool step_trailer(struct sr_chunked *chunked, uint8_t c)
{
	if (++chunked->line_len > TRAILERS_MAX_LEN) {
		return false;
	}
	if (c == '\r') {
		chunked->state = chunked->state == TRAILER_START ? LAST_LF : TRAILER_LF;
		return true;
	}
	chunked->state = TRAILER;
	return is_text(c);
}

static bool expect(struct sr_chunked *chunked, uint8_t c, char wanted, enum state next)
{
	chunked->state = (uint8_t)next;
	return c == (uint8_t)wanted;
}

static bool step(struct sr_chunked *chunked, uint8_t c)
{
	switch ((enum state)chunked->state) {
	case SIZE_START:
	case SIZE:
	case EXTENSION:
		return step_size(chunked, c);
	case SIZE_LF:
		chunked->line_len = 0;
		return expect(chunked, c, '\n', chunked->left > 0 ? DATA : TRAILER_START);
	case DATA_CR:
		return expect(chunked, c, '\r', DATA_LF);
	case DATA_LF:
		return expect(chunked, c, '\n', SIZE_START);
	case TRAILER_START:
	case TRAILER:
		return step_trailer(chunked, c);
	case TRAILER_LF:
		return expect(chunked, c, '\n', TRAILER_START);
	case LAST_LF:
		return expect(chunked, c, '\n', DONE);
	case DATA:
	case DONE:
		break;
	}
	return false;
}

struct sr_result sr_chunked_next(struct sr_chunked *chunked, struct sr_bytes from, size_t *ret_used,
                                 struct sr_bytes *ret_data)
{
	size_t used = 0;
	struct sr_bytes data = {0};
	while (used < from.len && chunked->state != DONE && data.len == 0) {
		if (chunked->state == DATA) {
			size_t left = from.len - used;
			size_t len = chunked->left < left ? (size_t)chunked->left : left;
			data = sr_bytes_of(from.data + used, len);
			sr_chunked_skip(chunked, len);
			used += len;
		} else if (!step(chunked, from.data[used++])) {
			return sr_fail(SR_PROTOCOL, "read chunked body: malformed framing");
		}
	}
	*ret_used = used;
	*ret_data = data;
	return sr_ok();
}
