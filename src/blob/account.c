/* The table of accounts, and the steps of making, re-keying and deleting one so that a crash at any point is mended. */
#include "blob/account.h"

#include "base/clock.h"
#include "base/memory.h"
#include "blob/folder.h"

#include <stdio.h>
#include <string.h>

enum { BUCKETS = 1024, FOLDER_LEN = 960, PATH_LEN = 1024 };

struct sr_blob_accounts {
	struct sr_keyring *keyring;
	struct sr_blob_control *control;
	char folder[FOLDER_LEN];  /* STATE/blob/accounts */
	struct sr_mutex changing; /* one change of an account at a time; rank below the table's */
	struct sr_mutex mutex;    /* guards the table */
	struct sr_blob_account *buckets[BUCKETS];
};

static size_t bucket_of(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a: names are the administrator's, nobody floods them */
	for (const char *c = name; *c; c++) {
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	}
	return hash % BUCKETS;
}

static struct sr_result keys_new(const struct sr_secret *key1, const struct sr_secret *key2,
                                 struct sr_blob_shared_keys **ret_keys)
{
	SR_CLEANUP(sr_blob_shared_keys) struct sr_blob_shared_keys *keys = sr_alloc(sizeof *keys);
	atomic_init(&keys->reference_count, 1);
	SR_TRY(sr_secret_copy(key1, &keys->key[0]));
	SR_TRY(sr_secret_copy(key2, &keys->key[1]));
	*ret_keys = SR_TAKE(keys);
	return sr_ok();
}

void sr_blob_shared_keys_release(struct sr_blob_shared_keys *keys)
{
	if (keys && atomic_fetch_sub(&keys->reference_count, 1) == 1) {
		sr_secret_free(keys->key[0]);
		sr_secret_free(keys->key[1]);
		sr_free(keys);
	}
}

void sr_blob_shared_keys_cleanup(struct sr_blob_shared_keys **keys)
{
	sr_blob_shared_keys_release(*keys);
}

struct sr_blob_shared_keys *sr_blob_account_keys(struct sr_blob_account *account)
{
	SR_LOCKED(&account->mutex);
	atomic_fetch_add(&account->keys->reference_count, 1);
	return account->keys;
}

void sr_blob_account_release(struct sr_blob_account *account)
{
	if (account && atomic_fetch_sub(&account->reference_count, 1) == 1) {
		sr_blob_shared_keys_release(account->keys);
		sr_mutex_destroy(&account->mutex);
		sr_free(account);
	}
}

void sr_blob_account_cleanup(struct sr_blob_account **account)
{
	sr_blob_account_release(*account);
}

/* The place of an account in its bucket; it holds NULL where there is none. The table is locked. */
static struct sr_blob_account **slot_of(struct sr_blob_accounts *accounts, const char *name)
{
	struct sr_blob_account **slot = &accounts->buckets[bucket_of(name)];
	while (*slot && strcmp((*slot)->record.name, name) != 0) {
		slot = &(*slot)->next;
	}
	return slot;
}

struct sr_blob_account *sr_blob_accounts_find(struct sr_blob_accounts *accounts, const char *name)
{
	SR_LOCKED(&accounts->mutex);
	struct sr_blob_account *account = *slot_of(accounts, name);
	if (account) {
		atomic_fetch_add(&account->reference_count, 1);
	}
	return account;
}

struct sr_blob_account *sr_blob_accounts_at(struct sr_blob_accounts *accounts, size_t index)
{
	SR_LOCKED(&accounts->mutex);
	for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
		for (struct sr_blob_account *account = accounts->buckets[bucket]; account; account = account->next) {
			if (index-- == 0) {
				atomic_fetch_add(&account->reference_count, 1);
				return account;
			}
		}
	}
	return NULL;
}

/* The account of a record, made and put into the table where it is new. The table is locked. */
static struct sr_blob_account *find_or_add(struct sr_blob_accounts *accounts,
                                           const struct sr_blob_account_record *record)
{
	struct sr_blob_account **slot = slot_of(accounts, record->name);
	if (!*slot) {
		struct sr_blob_account *account = sr_alloc(sizeof *account);
		atomic_init(&account->reference_count, 1);
		sr_mutex_init(&account->mutex, SR_RANK_LEAF);
		account->record = *record;
		*slot = account;
	}
	return *slot;
}

static struct sr_blob_shared_keys *exchange_keys(struct sr_blob_account *account, struct sr_blob_shared_keys *keys)
{
	SR_LOCKED(&account->mutex);
	struct sr_blob_shared_keys *old = account->keys;
	account->keys = keys;
	return old;
}

/* Puts a ready account into the table, or new shared keys into one that is there. */
static struct sr_result show(const struct sr_blob_account_record *record, const struct sr_secret *key1,
                             const struct sr_secret *key2, void *context)
{
	struct sr_blob_accounts *accounts = context;
	if (record->state != SR_ACCOUNT_READY) {
		return sr_ok();
	}
	struct sr_blob_shared_keys *keys = NULL;
	SR_TRY(keys_new(key1, key2, &keys));
	SR_LOCKED(&accounts->mutex);
	sr_blob_shared_keys_release(exchange_keys(find_or_add(accounts, record), keys));
	return sr_ok();
}

static void hide(struct sr_blob_accounts *accounts, const char *name)
{
	struct sr_blob_account *account = NULL;
	{
		SR_LOCKED(&accounts->mutex);
		struct sr_blob_account **slot = slot_of(accounts, name);
		account = *slot;
		if (account) {
			*slot = account->next;
		}
	}
	sr_blob_account_release(account);
}

static void folder_of(const struct sr_blob_accounts *accounts, const struct sr_id *id, char path[static PATH_LEN])
{
	char text[SR_ID_TEXT_LEN];
	sr_id_text(id, text);
	snprintf(path, PATH_LEN, "%.*s/%s", (int)(PATH_LEN - sizeof text - 2), accounts->folder, text);
}

struct opening {
	struct sr_blob_accounts *accounts;
	struct sr_blob_account *account;
};

static uint64_t volume_anchor(void *thing)
{
	const struct sr_volume *volume = thing;
	return sr_database_anchor_now(volume->database).counter;
}

static struct sr_result open_volume(struct sr_lease_use *use, void *context, void **ret_volume)
{
	struct opening *opening = context;
	const struct sr_blob_account_record *record = &opening->account->record;
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_TRY(sr_lease_unwrap(use, record->kek_epoch, sr_bytes_of(record->dek, sizeof record->dek), &dek));
	char path[PATH_LEN];
	folder_of(opening->accounts, &record->id, path);
	struct sr_volume *volume = NULL;
	SR_TRY(sr_volume_open(path, &record->id, dek, record->kek_epoch, sr_lease_least_anchor(use),
	                      &opening->account->figures, &volume));
	sr_lease_tell_anchors(use, volume_anchor);
	*ret_volume = volume;
	return sr_ok();
}

static void close_volume(void *volume)
{
	sr_volume_close(volume);
}

struct sr_result sr_blob_account_enter(struct sr_blob_accounts *accounts, struct sr_blob_account *account,
                                       void (*abort)(void *context), void *context, struct sr_lease_use *use,
                                       struct sr_volume **ret_volume)
{
	SR_TRY(sr_lease_enter(accounts->keyring, &account->record.resource, abort, context, use));
	void *volume = sr_lease_attached(use);
	if (!volume) {
		struct opening opening = {accounts, account};
		SR_TRY(sr_lease_attach_once(use, open_volume, close_volume, &opening, &volume));
	}
	*ret_volume = volume;
	return sr_ok();
}

/* Gives the account its DEK and its folder. Repeating it after a crash makes both anew: nothing was written yet. */
static struct sr_result finish(struct sr_blob_accounts *accounts, struct sr_blob_account_record *record)
{
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	SR_TRY(sr_lease_enter(accounts->keyring, &record->resource, NULL, NULL, &use));
	SR_CLEANUP(sr_secret) struct sr_secret *dek = NULL;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &dek));
	SR_TRY(sr_lease_wrap(&use, dek, record->dek));
	record->kek_epoch = sr_lease_kek_epoch(&use);
	char path[PATH_LEN];
	folder_of(accounts, &record->id, path);
	SR_TRY(sr_blob_folder_make(path));
	record->state = SR_ACCOUNT_READY;
	SR_TRY(sr_blob_control_update(accounts->control, record));
	return sr_blob_control_find(accounts->control, record->name, show, accounts);
}

static struct sr_result remember(const struct sr_blob_account_record *record, const struct sr_secret *key1,
                                 const struct sr_secret *key2, void *context)
{
	(void)key1;
	(void)key2;
	struct sr_blob_account_record *to = context;
	*to = *record;
	return sr_ok();
}

/* Takes away everything of an account, in the order that makes its data unreadable first. */
static struct sr_result erase(struct sr_blob_accounts *accounts, struct sr_blob_account_record *record)
{
	record->state = SR_ACCOUNT_DELETING;
	SR_TRY(sr_blob_control_update(accounts->control, record));
	/* held until its volume is closed, which still counts in the account's figures */
	struct sr_blob_account *account = sr_blob_accounts_find(accounts, record->name);
	hide(accounts, record->name);
	struct sr_result destroyed = sr_keyring_destroy(accounts->keyring, &record->resource);
	sr_blob_account_release(account);
	SR_TRY(destroyed);
	char path[PATH_LEN];
	folder_of(accounts, &record->id, path);
	SR_TRY(sr_blob_folder_remove(path));
	return sr_blob_control_remove(accounts->control, record->name);
}

struct sr_result sr_blob_accounts_create(struct sr_blob_accounts *accounts, const char *name,
                                         const char *resource_group, const struct sr_key_reference *key)
{
	SR_LOCKED(&accounts->changing);
	struct sr_blob_account_record record = {
	    .id = sr_id_random(),
	    .resource = sr_id_random(),
	    .created = sr_unix_s(),
	    .state = SR_ACCOUNT_MAKING,
	};
	snprintf(record.name, sizeof record.name, "%s", name);
	snprintf(record.resource_group, sizeof record.resource_group, "%s", resource_group);
	SR_TRY(sr_blob_control_insert(accounts->control, &record));
	struct sr_result result = sr_keyring_create(accounts->keyring, &record.resource, "storage", name, key);
	if (sr_is_ok(result)) {
		result = finish(accounts, &record);
	}
	if (!sr_is_ok(result)) {
		sr_ignore(erase(accounts, &record)); /* what cannot be undone now is undone at the next start */
	}
	return result;
}

struct sr_result sr_blob_accounts_rekey(struct sr_blob_accounts *accounts, const char *name,
                                        const struct sr_key_reference *key)
{
	SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = sr_blob_accounts_find(accounts, name);
	if (!account) {
		return sr_fail_as(SR_NOT_FOUND, "ResourceNotFound", "no such storage account");
	}
	return sr_keyring_rekey(accounts->keyring, &account->record.resource, key);
}

struct sr_result sr_blob_accounts_delete(struct sr_blob_accounts *accounts, const char *name)
{
	SR_LOCKED(&accounts->changing);
	struct sr_blob_account_record record;
	SR_TRY(sr_blob_control_find(accounts->control, name, remember, &record));
	return erase(accounts, &record);
}

struct sr_result sr_blob_accounts_renew_key(struct sr_blob_accounts *accounts, const char *name, unsigned which)
{
	SR_LOCKED(&accounts->changing);
	SR_TRY(sr_blob_control_renew_key(accounts->control, name, which));
	return sr_blob_control_find(accounts->control, name, show, accounts);
}

struct leftovers {
	struct sr_blob_account_record *records;
	size_t count, capacity;
};

static struct sr_result collect_leftover(const struct sr_blob_account_record *record, const struct sr_secret *key1,
                                         const struct sr_secret *key2, void *context)
{
	(void)key1;
	(void)key2;
	struct leftovers *leftovers = context;
	if (record->state != SR_ACCOUNT_READY && leftovers->count < leftovers->capacity) {
		leftovers->records[leftovers->count++] = *record;
	}
	return sr_ok();
}

/* An account that was being made was never acknowledged, one that was being deleted is gone for its owner. */
static struct sr_result erase_leftovers(struct sr_blob_accounts *accounts)
{
	struct sr_blob_account_record records[64];
	struct leftovers leftovers = {records, 0, sizeof records / sizeof records[0]};
	SR_TRY(sr_blob_control_each(accounts->control, collect_leftover, &leftovers));
	for (size_t i = 0; i < leftovers.count; i++) {
		SR_TRY(erase(accounts, &records[i]));
	}
	return sr_ok();
}

struct sr_result sr_blob_accounts_open(struct sr_keyring *keyring, struct sr_blob_control *control,
                                       const char *state_dir, struct sr_blob_accounts **ret_accounts)
{
	struct sr_blob_accounts *accounts = sr_alloc(sizeof *accounts);
	accounts->keyring = keyring;
	accounts->control = control;
	snprintf(accounts->folder, sizeof accounts->folder, "%s/accounts", state_dir);
	sr_mutex_init(&accounts->changing, SR_RANK_SUPERVISOR);
	sr_mutex_init(&accounts->mutex, SR_RANK_SERVICE);
	struct sr_result result = sr_blob_folder_make(accounts->folder);
	if (sr_is_ok(result)) {
		result = erase_leftovers(accounts);
	}
	if (sr_is_ok(result)) {
		result = sr_blob_control_each(control, show, accounts);
	}
	if (!sr_is_ok(result)) {
		sr_blob_accounts_free(accounts);
		return result;
	}
	*ret_accounts = accounts;
	return sr_ok();
}

void sr_blob_accounts_free(struct sr_blob_accounts *accounts)
{
	for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
		while (accounts->buckets[bucket]) {
			struct sr_blob_account *account = accounts->buckets[bucket];
			accounts->buckets[bucket] = account->next;
			sr_blob_account_release(account);
		}
	}
	sr_mutex_destroy(&accounts->mutex);
	sr_mutex_destroy(&accounts->changing);
	sr_free(accounts);
}
