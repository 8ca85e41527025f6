/* The text of entries, written by hand: tens of thousands a second go through here. */
#include "audit/event.h"

#include "base/text.h"
#include "wire/time.h"

#include <string.h>

enum { TEXT_MAX = 1024 };

/* At most TEXT_MAX bytes of a text, cut between characters. */
static struct sr_bytes cut(const char *text)
{
	size_t len = strnlen(text, TEXT_MAX + 1);
	if (len > TEXT_MAX) {
		len = TEXT_MAX;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80) {
			len--;
		}
	}
	return sr_bytes_of(text, len);
}

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

static void append_escaped(struct sr_buf *to, uint8_t byte)
{
	if (byte == '"' || byte == '\\') {
		sr_buf_append_u8(to, '\\');
		sr_buf_append_u8(to, byte);
	} else {
		sr_buf_printf(to, "\\u%04x", byte);
	}
}

/* A JSON string (RFC 8259, section 7). */
static void append_string(struct sr_buf *to, const char *text)
{
	const struct sr_bytes bytes = cut(text);
	const bool is_utf8 = sr_is_utf8(bytes);
	sr_buf_append_u8(to, '"');
	for (size_t i = 0; i < bytes.len;) {
		size_t run = i;
		while (run < bytes.len && is_plain(bytes.data[run]) && (is_utf8 || bytes.data[run] < 0x80)) {
			run++;
		}
		sr_buf_append(to, sr_bytes_of(bytes.data + i, run - i));
		i = run;
		if (i < bytes.len) {
			const uint8_t byte = bytes.data[i++];
			if (byte < 0x80) {
				append_escaped(to, byte);
			} else {
				sr_buf_append_u8(to, '?');
			}
		}
	}
	sr_buf_append_u8(to, '"');
}

/* A member with its comma; nothing where there is no text. */
static void append_member(struct sr_buf *to, const char *name, const char *text)
{
	if (!text) {
		return;
	}
	if (to->data && to->len && to->data[to->len - 1] != '{') {
		sr_buf_append_u8(to, ',');
	}
	sr_buf_append_u8(to, '"');
	sr_buf_append_str(to, name);
	sr_buf_append(to, SR_LITERAL("\":"));
	append_string(to, text);
}

void sr_audit_event_write(const struct sr_audit_event *event, int64_t time_us, struct sr_buf *text)
{
	char time[SR_ISO_TIME_LEN];
	sr_iso_time_us(time_us, time);
	sr_buf_append_u8(text, '{');
	append_member(text, "time", time);
	sr_buf_append(text, SR_LITERAL(",\"who\":{"));
	append_member(text, "oid", event->object_id);
	append_member(text, "appid", event->app_id);
	append_member(text, "name", event->name);
	append_member(text, "service", event->service);
	sr_buf_append_u8(text, '}');
	append_member(text, "from", event->from);
	append_member(text, "operation", event->operation);
	append_member(text, "object", event->object);
	if (event->status) {
		sr_buf_printf(text, ",\"status\":%d", event->status);
	}
	append_member(text, "outcome", event->outcome ? event->outcome : "ok");
	append_member(text, "detail", event->detail);
	append_member(text, "request", event->request_id);
	sr_buf_append_u8(text, '}');
}
