/* Takes the scheme off an Authorization header. */
#include "wire/credentials.h"

#include <string.h>
#include <strings.h>

const char *sr_credentials(const char *authorization, const char *scheme)
{
	size_t len = strlen(scheme);
	if (!authorization || strncasecmp(authorization, scheme, len) != 0 || authorization[len] != ' ') {
		return NULL;
	}
	return authorization + len + 1;
}
