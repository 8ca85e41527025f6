/*
 * Who may use managed identities' tokens: callers at an address (bindings of the metadata endpoint), and jobs that were
 * given a header (the IDENTITY_ENDPOINT pair). Rows of identity's database; functions run on a connection, within the
 * caller's transaction.
 */
#ifndef SR_IDENTITY_IDENTITY_HOLDER_H
#define SR_IDENTITY_IDENTITY_HOLDER_H

#include "base/arena.h"
#include "base/text.h"
#include "net/near_address.h"
#include "seal/database.h"

enum {
	SR_HELD_IDENTITIES_MAX = 64,
	SR_HEADER_LABEL_MAX = 256,
	SR_HEADER_LIFETIME_MAX_S = 31 * 86400,
	SR_HEADER_TEXT_MAX = 128
};

#define SR_ANY_UID (-1)

struct sr_imds_binding {
	char id[SR_GUID_TEXT_LEN];
	char address[SR_IP_TEXT_LEN]; /* as sr_address_read gives it */
	int64_t uid;                  /* SR_ANY_UID, or the user whose processes are meant */
	int64_t created_s;
};

/*
 * Binds an address, or a user at a loopback one, or gives the binding that is there. A loopback address alone would
 * mean every process of this machine, so it needs a uid; an address that is not near must not have one, since nobody
 * could check it.
 * SR_INVALID says so.
 */
SR_MUST struct sr_result sr_imds_binding_make(struct sr_connection *connection, const char *address, int64_t uid,
                                              int64_t now_s, struct sr_imds_binding *ret_binding);
/* Removes it with what it held; tokens that were got by it end. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_imds_binding_remove(struct sr_connection *connection, const char *id, int64_t now_s);
/* By address and uid. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_imds_binding_find(struct sr_connection *connection, const char *address, int64_t uid,
                                              struct sr_imds_binding *ret_binding);
SR_MUST struct sr_result
sr_imds_binding_each(struct sr_connection *connection,
                     struct sr_result (*each)(const struct sr_imds_binding *binding, void *context), void *context);

/* Lets a holder (a binding's or a header's id) use an identity, or no more. */
SR_MUST struct sr_result sr_holder_give(struct sr_connection *connection, const char *holder, const char *object_id);
/* SR_NOT_FOUND if it could not. */
SR_MUST struct sr_result sr_holder_take_back(struct sr_connection *connection, const char *holder,
                                             const char *object_id);

/*
 * A header for a job: appended to `text` in clear, for the one answer that shows it; kept as a hash. Headers that have
 * ended are swept. SR_INVALID: no fit label or lifetime (1 second to 31 days).
 */
SR_MUST struct sr_result sr_identity_header_make(struct sr_connection *connection, const char *label,
                                                 int64_t lifetime_s, int64_t now_s,
                                                 char ret_id[static SR_GUID_TEXT_LEN], struct sr_buf *text);
/* Takes it back; tokens that were got by it end. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_identity_header_revoke(struct sr_connection *connection, const char *id, int64_t now_s);
/* The holder of a header that a job presents; SR_UNAUTHENTICATED if it is none, or has ended. Constant time in the
 * secret. */
SR_MUST struct sr_result sr_identity_header_check(struct sr_connection *connection, const char *presented,
                                                  int64_t now_s, char ret_id[static SR_GUID_TEXT_LEN]);

#endif
