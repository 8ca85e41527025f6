/*
 * People who sign in by user name and password: rows of identity's database. Functions run on a connection, within the
 * caller's transaction; hashing (0.2 s) is done outside of it.
 */
#ifndef SR_IDENTITY_PERSON_H
#define SR_IDENTITY_PERSON_H

#include "base/text.h"
#include "seal/database.h"
#include "seal/password.h"

enum {
	SR_USER_NAME_MAX = 113, /* as Entra's */
	SR_DISPLAY_NAME_MAX = 120,
	SR_PASSWORD_LEAST = 10,
	SR_PASSWORD_MAX = 256,
	SR_FAILURES_FREE = 5,    /* wrong passwords in a row before the first lock */
	SR_LOCK_FIRST_S = 30,    /* which doubles with each further one, */
	SR_LOCK_LONGEST_S = 3600 /* up to this */
};

struct sr_person {
	char object_id[SR_GUID_TEXT_LEN];
	char user_name[SR_USER_NAME_MAX + 1];
	char display_name[SR_DISPLAY_NAME_MAX + 1];
	bool is_enabled;
	bool must_change; /* the password, at the next sign-in */
	int64_t created_s;
	int64_t failure_count, locked_until_s;
};

/* Makes a person with a fresh object id. SR_INVALID says what is wrong with a name; SR_EXISTS. */
SR_MUST struct sr_result sr_person_make(struct sr_connection *connection, const char *user_name,
                                        const char *display_name, const uint8_t hash[static SR_PASSWORD_HASH_LEN],
                                        bool must_change, int64_t now_s, struct sr_person *ret_person);
/* By object id or user name (case ignored). SR_NOT_FOUND. */
SR_MUST struct sr_result sr_person_find(struct sr_connection *connection, const char *id_or_name,
                                        struct sr_person *ret_person);
/* The same by user name alone, with the password's hash. */
SR_MUST struct sr_result sr_person_password(struct sr_connection *connection, const char *user_name,
                                            struct sr_person *ret_person,
                                            uint8_t ret_hash[static SR_PASSWORD_HASH_LEN]);
SR_MUST struct sr_result sr_person_each(struct sr_connection *connection,
                                        struct sr_result (*each)(const struct sr_person *person, void *context),
                                        void *context);
/* What follows: SR_NOT_FOUND if there is no such object id. Ending sign-ins is the caller's (sign_in.h). */
SR_MUST struct sr_result sr_person_enable(struct sr_connection *connection, const char *object_id, bool is_enabled);
SR_MUST struct sr_result sr_person_remove(struct sr_connection *connection, const char *object_id);
/* Sets a password and lifts the lock. */
SR_MUST struct sr_result sr_person_set_password(struct sr_connection *connection, const char *object_id,
                                                const uint8_t hash[static SR_PASSWORD_HASH_LEN], bool must_change);
/* Forgets failures and lifts the lock: after a right password, or by the administrator. */
SR_MUST struct sr_result sr_person_unlock(struct sr_connection *connection, const char *object_id);
/* Counts a wrong password; from SR_FAILURES_FREE on each locks for longer. */
SR_MUST struct sr_result sr_person_note_failure(struct sr_connection *connection, const char *object_id, int64_t now_s);

/* SR_INVALID says what a password of a person's own choice lacks. */
SR_MUST struct sr_result sr_password_check(const char *password, const char *user_name);

#endif
