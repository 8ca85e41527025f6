/* A person's user name and password, judged: rate, lock, hash, and what is noted of it. */
#ifndef SR_IDENTITY_PERSON_SIGN_IN_H
#define SR_IDENTITY_PERSON_SIGN_IN_H

#include "identity/person.h"
#include "identity/request.h"

/*
 * SR_UNAUTHENTICATED: the name, the password, or a lock, and which of them is not told, in the same time (0.2 s; the
 * lease is not held meanwhile). SR_DENIED: the password is right, but the person is disabled. SR_UNAVAILABLE: too many
 * failures from this address; `answer->retry_after_s`.
 */
SR_MUST struct sr_result sr_person_sign_in(const struct sr_identity_request *request, const char *user_name,
                                           const char *password, struct sr_identity_answer *answer,
                                           struct sr_person *ret_person);
/* Sets a password of the person's own choice and ends their other sign-ins. SR_INVALID says what it lacks. */
SR_MUST struct sr_result sr_person_change_password(const struct sr_identity_request *request, const char *object_id,
                                                   const char *user_name, const char *password);
/* Forgets where the person (object id) is signed in on pages, and what they approved that no device has fetched yet:
 * for when their sign-ins end. */
void sr_person_forget_visits(struct sr_identity *identity, const char *object_id);
/* The hash of a password, made by one thread at a time: each takes 32 MiB. */
SR_MUST struct sr_result sr_person_hash(struct sr_identity *identity, const char *password,
                                        uint8_t ret_hash[static SR_PASSWORD_HASH_LEN]);

#endif
