/* The Authorization header's scheme (RFC 9110 11.6.2). What follows it is read by whoever knows the scheme. */
#ifndef SR_WIRE_CREDENTIALS_H
#define SR_WIRE_CREDENTIALS_H

/* The credentials behind `scheme` (in either case) and a space; NULL where the header is missing or of another scheme.
 */
const char *sr_credentials(const char *authorization, const char *scheme);

#endif
