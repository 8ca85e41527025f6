/* Reading places. */
#include "net/near_place.h"

#include "base/text.h"

#include <string.h>

enum { PLACE_MAX = 80, HTTP_PORT = 80 };

/* "[ADDRESS]:PORT", "ADDRESS:PORT", "[ADDRESS]" or "ADDRESS"; an address with colons and no brackets has no port. */
static struct sr_result split(char *text, const char **ret_address, const char **ret_port)
{
	*ret_port = NULL;
	char *end = text;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':')) {
			return sr_fail(SR_INVALID, "'%s' is no ADDRESS[:PORT]", text);
		}
		*ret_address = text + 1;
		*ret_port = end[1] ? end + 2 : NULL;
		*end = 0;
		return sr_ok();
	}
	*ret_address = text;
	char *colon = strchr(text, ':');
	if (colon && !strchr(colon + 1, ':')) {
		*colon = 0;
		*ret_port = colon + 1;
	}
	return sr_ok();
}

static struct sr_result read_place(char *text, struct sr_near_place *ret_place)
{
	const char *address = NULL;
	const char *port_text = NULL;
	uint64_t port = HTTP_PORT;
	struct sr_near_place place;
	SR_TRY(split(text, &address, &port_text));
	SR_TRY(sr_address_read(address, place.address, &place.reach));
	SR_CLEANUP(sr_result)
	struct sr_result parsed = port_text ? sr_parse_u64(sr_bytes_str(port_text), UINT16_MAX, &port) : sr_ok();
	if (!sr_is_ok(parsed) || !port) {
		return sr_fail(SR_INVALID, "'%s' is no port", port_text ? port_text : "");
	}
	if (place.reach == SR_REACH_FAR) {
		return sr_fail(SR_INVALID,
		               "%s is neither a loopback address (127.0.0.1, ::1) nor a link-local one "
		               "(169.254.169.254); the metadata endpoint is plain HTTP and goes no further",
		               place.address);
	}
	place.port = (uint16_t)port;
	*ret_place = place;
	return sr_ok();
}

struct sr_result sr_near_place_next(const char **at, struct sr_near_place *ret_place, bool *ret_is_end)
{
	*at += strspn(*at, ", ");
	size_t len = strcspn(*at, ", ");
	char text[PLACE_MAX];
	if (len >= sizeof text) {
		return sr_fail(SR_INVALID, "an address is too long");
	}
	if (len) {
		memcpy(text, *at, len);
		text[len] = 0;
		SR_TRY(read_place(text, ret_place));
	}
	*at += len;
	*ret_is_end = len == 0;
	return sr_ok();
}
