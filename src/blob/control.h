/*
 * The service's own records: which storage accounts exist, under which ids and keys. They lie in a sealed
 * control database under a service-managed KEK; a small file beside it holds the resource's id and the wrapped DEK.
 * Thread-safe. What runs accounts is account.c.
 */
#ifndef SR_BLOB_CONTROL_H
#define SR_BLOB_CONTROL_H

#include "keyring/keyring.h"
#include "seal/image.h"

struct sr_blob_control;

enum sr_blob_account_state { SR_ACCOUNT_MAKING = 0, SR_ACCOUNT_READY = 1, SR_ACCOUNT_DELETING = 2 };
enum { SR_ACCOUNT_NAME_LEN = 25, SR_RESOURCE_GROUP_LEN = 91, SR_SHARED_KEY_LEN = 64 };

/* One account as it is kept, but for its shared keys. */
struct sr_blob_account_record {
	char name[SR_ACCOUNT_NAME_LEN];
	char resource_group[SR_RESOURCE_GROUP_LEN];
	struct sr_id id;
	struct sr_id resource;
	int64_t created;
	enum sr_blob_account_state state;
	uint32_t kek_epoch;
	uint8_t dek[SR_WRAPPED_KEY_LEN]; /* wrapped; meaningless while it is being made */
};

/*
 * Makes (at the first start) or finds the control resource in `state_dir` and opens the database, which needs the
 * vault: SR_UNAVAILABLE, SR_REVOKED. Borrows `keyring`.
 */
SR_MUST struct sr_result sr_blob_control_open(struct sr_keyring *keyring, const char *state_dir,
                                              struct sr_blob_control **ret_control);
void sr_blob_control_free(struct sr_blob_control *control);

/* Calls `each` for every account with its two shared keys (borrowed). */
typedef struct sr_result (*sr_blob_account_visit)(const struct sr_blob_account_record *record,
                                                  const struct sr_secret *key1, const struct sr_secret *key2,
                                                  void *context);
SR_MUST struct sr_result sr_blob_control_each(struct sr_blob_control *control, sr_blob_account_visit each,
                                              void *context);
/* A new account with new shared keys. SR_EXISTS. */
SR_MUST struct sr_result sr_blob_control_insert(struct sr_blob_control *control,
                                                const struct sr_blob_account_record *record);
/* Writes state, kek_epoch and dek of the record's account. */
SR_MUST struct sr_result sr_blob_control_update(struct sr_blob_control *control,
                                                const struct sr_blob_account_record *record);
/* Makes shared key 0 or 1 of an account anew. */
SR_MUST struct sr_result sr_blob_control_renew_key(struct sr_blob_control *control, const char *name, unsigned which);
SR_MUST struct sr_result sr_blob_control_remove(struct sr_blob_control *control, const char *name);
/* Visits one account. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_blob_control_find(struct sr_blob_control *control, const char *name,
                                              sr_blob_account_visit each, void *context);
/* Appends both shared keys in Base64, for their owner to see. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_blob_control_keys(struct sr_blob_control *control, const char *name, struct sr_buf *key1,
                                              struct sr_buf *key2);
/* Adds the control database and the file beside it to an image. */
SR_MUST struct sr_result sr_blob_control_freeze(struct sr_blob_control *control, struct sr_image *image);
/* Checks every page of the control database. */
SR_MUST struct sr_result sr_blob_control_verify(struct sr_blob_control *control);

#endif
