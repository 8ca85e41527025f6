/* IP addresses as text: their one form, and which of them are this machine's or its link's. Pure functions. */
#ifndef SR_NET_NEAR_ADDRESS_H
#define SR_NET_NEAR_ADDRESS_H

#include "base/result.h"

enum { SR_IP_TEXT_LEN = 48 };

enum sr_reach {
	SR_REACH_LOOPBACK, /* 127.0.0.0/8, ::1: processes of this machine */
	SR_REACH_LINK,     /* 169.254.0.0/16, fe80::/10: never routed (RFC 3927, RFC 4291 2.5.6) */
	SR_REACH_FAR
};

/* Writes the address as a server tells a peer's ("127.0.0.1", "fe80::1") and tells how far it reaches. SR_INVALID: no
 * IP address. */
SR_MUST struct sr_result sr_address_read(const char *text, char ret_text[static SR_IP_TEXT_LEN],
                                         enum sr_reach *ret_reach);

#endif
