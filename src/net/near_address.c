/* Reading addresses. */
#include "net/near_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static enum sr_reach reach_of_v4(const struct in_addr *address)
{
	uint32_t number = ntohl(address->s_addr);
	if (number >> 24 == 127) {
		return SR_REACH_LOOPBACK;
	}
	return number >> 16 == 0xa9fe ? SR_REACH_LINK : SR_REACH_FAR;
}

static enum sr_reach reach_of_v6(const struct in6_addr *address)
{
	if (IN6_IS_ADDR_LOOPBACK(address)) {
		return SR_REACH_LOOPBACK;
	}
	return IN6_IS_ADDR_LINKLOCAL(address) ? SR_REACH_LINK : SR_REACH_FAR;
}

struct sr_result sr_address_read(const char *text, char ret_text[static SR_IP_TEXT_LEN], enum sr_reach *ret_reach)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, text, &v4) == 1) {
		inet_ntop(AF_INET, &v4, ret_text, SR_IP_TEXT_LEN);
		*ret_reach = reach_of_v4(&v4);
		return sr_ok();
	}
	if (inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_V4MAPPED(&v6)) { /* the same address in another dress */
		memcpy(&v4, &v6.s6_addr[12], sizeof v4);
		inet_ntop(AF_INET, &v4, ret_text, SR_IP_TEXT_LEN);
		*ret_reach = reach_of_v4(&v4);
		return sr_ok();
	}
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		inet_ntop(AF_INET6, &v6, ret_text, SR_IP_TEXT_LEN);
		*ret_reach = reach_of_v6(&v6);
		return sr_ok();
	}
	return sr_fail(SR_INVALID, "'%.64s' is no IP address", text);
}
