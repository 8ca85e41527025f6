/*
 * Storage accounts in memory: found by name without touching a database, each with its shared keys and the
 * way into its volume. Thread-safe. Their records are control.c's, their data volume.c's.
 */
#ifndef SR_BLOB_ACCOUNT_H
#define SR_BLOB_ACCOUNT_H

#include "access/access.h"
#include "blob/control.h"
#include "blob/volume.h"

/* Both shared keys; counted references, immutable. */
struct sr_blob_shared_keys {
	atomic_uint reference_count;
	struct sr_secret *key[2];
};

/* Counted references; all but `keys` and `figures` are immutable while it can be found. */
struct sr_blob_account {
	atomic_uint reference_count;
	struct sr_blob_account_record record;
	struct sr_volume_figures figures;
	atomic_bool is_swept; /* orphaned extents were looked for since the process started */
	struct sr_mutex mutex;
	struct sr_blob_shared_keys *keys; /* under mutex */
	struct sr_blob_account *next;     /* the table's own */
};

struct sr_blob_accounts;

/* Loads all accounts. Borrows everything. `state_dir` is the service's. Ends what a crash left half deleted. */
SR_MUST struct sr_result sr_blob_accounts_open(struct sr_keyring *keyring, struct sr_blob_control *control,
                                               const char *state_dir, struct sr_blob_accounts **ret_accounts);
/* Nobody uses an account any more. */
void sr_blob_accounts_free(struct sr_blob_accounts *accounts);

/* An account that is ready, by its name; NULL if there is none. The caller releases it. */
struct sr_blob_account *sr_blob_accounts_find(struct sr_blob_accounts *accounts, const char *name);
void sr_blob_account_release(struct sr_blob_account *account);
void sr_blob_account_cleanup(struct sr_blob_account **account);
/* Accounts by position, in no order, so that each can be looked at without holding the table; NULL past the end. */
struct sr_blob_account *sr_blob_accounts_at(struct sr_blob_accounts *accounts, size_t index);

struct sr_blob_shared_keys *sr_blob_account_keys(struct sr_blob_account *account);
void sr_blob_shared_keys_release(struct sr_blob_shared_keys *keys);
void sr_blob_shared_keys_cleanup(struct sr_blob_shared_keys **keys);

/*
 * Enters the account's lease and gives its open volume; `use` is left by the caller. `abort` may be NULL. Errors are
 * sr_lease_enter's and those of opening: SR_CORRUPT, SR_WRONG_KEY.
 */
SR_MUST struct sr_result sr_blob_account_enter(struct sr_blob_accounts *accounts, struct sr_blob_account *account,
                                               void (*abort)(void *context), void *context, struct sr_lease_use *use,
                                               struct sr_volume **ret_volume);

/* Makes an account under a key (NULL: service-managed). SR_EXISTS; the keyring's errors. */
SR_MUST struct sr_result sr_blob_accounts_create(struct sr_blob_accounts *accounts, const char *name,
                                                 const char *resource_group, const struct sr_key_reference *key);
/* Puts the account under another key. */
SR_MUST struct sr_result sr_blob_accounts_rekey(struct sr_blob_accounts *accounts, const char *name,
                                                const struct sr_key_reference *key);
/* Destroys the account's KEK, then removes its files and its record. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_blob_accounts_delete(struct sr_blob_accounts *accounts, const char *name);
/* Makes shared key 0 or 1 anew; the old one is refused from now on. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_blob_accounts_renew_key(struct sr_blob_accounts *accounts, const char *name,
                                                    unsigned which);

#endif
