/*
 * What the server remembers between the pages of one sign-in, under a random id that the browser keeps in a cookie of
 * its own session; and the token that forms carry, so that no other site can send them. In memory, bounded, ten
 * minutes. Thread-safe.
 */
#ifndef SR_IDENTITY_PAGE_SESSION_H
#define SR_IDENTITY_PAGE_SESSION_H

#include "base/arena.h"
#include "identity/device_flow.h"
#include "identity/person.h"

enum { SR_PAGE_ID_LEN = 44, SR_PAGE_SESSION_S = 600, SR_PAGE_SESSIONS_MAX = 512 };

struct sr_page_session {
	char user_code[SR_USER_CODE_LEN];
	char person[SR_GUID_TEXT_LEN]; /* "" before the person has signed in */
	char user_name[SR_USER_NAME_MAX + 1];
	bool must_change; /* the password first */
};

struct sr_page_sessions;
SR_MUST struct sr_result sr_page_sessions_new(struct sr_page_sessions **ret_sessions);
void sr_page_sessions_free(struct sr_page_sessions *sessions);

/* A fresh id. */
SR_MUST struct sr_result sr_page_id_new(char ret_id[static SR_PAGE_ID_LEN]);
/* The id in a Cookie header (NULL: none); false where there is none of the right form. */
bool sr_page_id_of_cookie(const char *cookie, char ret_id[static SR_PAGE_ID_LEN]);
/* The value of a Set-Cookie header for the id, in the arena; `id` NULL ends the cookie. */
const char *sr_page_cookie(struct sr_arena *arena, const char *id);
/* The token of forms on pages of this id; in the arena. */
SR_MUST struct sr_result sr_page_form_token(struct sr_page_sessions *sessions, struct sr_arena *arena, const char *id,
                                            const char **ret_token);
/* True if `token` is the one of this id; constant time. */
bool sr_page_form_token_matches(struct sr_page_sessions *sessions, const char *id, const char *token);

/* Keeps a session under an id; the oldest makes room. */
void sr_page_session_put(struct sr_page_sessions *sessions, const char *id, const struct sr_page_session *session,
                         uint64_t now_ms);
bool sr_page_session_get(struct sr_page_sessions *sessions, const char *id, uint64_t now_ms,
                         struct sr_page_session *ret_session);
void sr_page_session_drop(struct sr_page_sessions *sessions, const char *id);
/* Drops all in which the person (object id) signed in. */
void sr_page_sessions_drop_person(struct sr_page_sessions *sessions, const char *person);

#endif
