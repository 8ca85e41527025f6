/*
 * A person's sign-in to one application, and the refresh tokens that belong to it (RFC 6749 6, RFC 9700 4.14): opaque,
 * kept as hashes, each good for one use, which gives the next. One that is used twice has been stolen: the sign-in
 * ends, and with it every token that was got in it. Rows of identity's database; functions run on a connection, within
 * the caller's transaction.
 */
#ifndef SR_IDENTITY_SIGN_IN_H
#define SR_IDENTITY_SIGN_IN_H

#include "base/text.h"
#include "identity/public_client.h"
#include "seal/database.h"

enum {
	SR_SIGN_IN_LIFE_S = 90 * 24 * 3600,      /* in all */
	SR_REFRESH_IDLE_LIFE_S = 14 * 24 * 3600, /* of a refresh token that is not used */
	/* A client whose answer was lost, or that refreshes on two threads at once, uses a token again within moments. */
	SR_REFRESH_LEEWAY_S = 5
};

struct sr_sign_in {
	char id[SR_GUID_TEXT_LEN]; /* in access tokens as SR_CREDENTIAL_CLAIM */
	char person[SR_GUID_TEXT_LEN];
	char client_id[SR_GUID_TEXT_LEN];
	char resources[SR_CLIENT_RESOURCES_MAX + 1]; /* that tokens may be got for */
	int64_t created_s, expires_s;
};

SR_MUST struct sr_result sr_sign_in_make(struct sr_connection *connection, const char *person, const char *client_id,
                                         const char *resources, int64_t now_s, struct sr_sign_in *ret_sign_in);
/* A refresh token of the sign-in, in clear, for the answer that gives it; the caller wipes it. */
SR_MUST struct sr_result sr_refresh_token_make(struct sr_connection *connection, const struct sr_sign_in *sign_in,
                                               int64_t now_s, struct sr_buf *ret_text);

enum sr_refresh_verdict { SR_REFRESH_GOOD, SR_REFRESH_UNKNOWN, SR_REFRESH_EXPIRED, SR_REFRESH_REUSED };
/*
 * Uses a refresh token up. It must be the client's own (SR_REFRESH_UNKNOWN otherwise, and it stays good). After
 * SR_REFRESH_REUSED the sign-in has ended: commit, tell the directory's followers, and refuse.
 */
SR_MUST struct sr_result sr_refresh_token_use(struct sr_connection *connection, const char *text, const char *client_id,
                                              int64_t now_s, struct sr_sign_in *ret_sign_in,
                                              enum sr_refresh_verdict *ret_verdict);

/* End sign-ins: of a person, in a client, or one. Tokens that were got in them are refused from the next revision of
 * the directory on. */
SR_MUST struct sr_result sr_sign_in_end_of_person(struct sr_connection *connection, const char *person, int64_t now_s);
SR_MUST struct sr_result sr_sign_in_end_of_client(struct sr_connection *connection, const char *client_id,
                                                  int64_t now_s);
SR_MUST struct sr_result sr_sign_in_count(struct sr_connection *connection, const char *person, int64_t now_s,
                                          int64_t *ret_count);

#endif
