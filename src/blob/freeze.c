/* Account after account: its database, then links to its extents while nothing that the database refers to is swept. */
#include "blob/freeze.h"

#include "blob/account.h"
#include "blob/control.h"
#include "seal/image.h"

#include <stdio.h>
#include <string.h>

enum { NAME_LEN = 128 };

struct names {
	char folder[NAME_LEN], database[NAME_LEN], extents[NAME_LEN];
};

static struct names names_of(const struct sr_id *account)
{
	char id[SR_ID_TEXT_LEN];
	struct names names;
	sr_id_text(account, id);
	snprintf(names.folder, sizeof names.folder, "accounts/%s", id);
	snprintf(names.database, sizeof names.database, "accounts/%s/main.db", id);
	snprintf(names.extents, sizeof names.extents, "accounts/%s/extents", id);
	return names;
}

static struct sr_result freeze_open(struct sr_image *image, struct sr_volume *volume, const struct names *names)
{
	const unsigned phase =
	    sr_volume_reader_begin(volume); /* what the copy refers to is not swept before it is linked */
	struct sr_result result = sr_image_add_database(image, names->database, volume->database);
	if (sr_is_ok(result)) {
		result = sr_image_add_links(image, names->extents);
	}
	sr_volume_reader_end(volume, phase);
	return result;
}

/* Nobody can open it, so nothing of it changes; should it be given back just now, the copy waits its turn. */
static struct sr_result freeze_closed(struct sr_image *image, const struct names *names)
{
	SR_TRY(sr_image_add_closed_database(image, names->database));
	return sr_image_add_links(image, names->extents);
}

static struct sr_result freeze_account(struct sr_blob_service *service, struct sr_blob_account *account,
                                       struct sr_image *image)
{
	const struct names names = names_of(&account->record.id);
	SR_TRY(sr_image_add_folder(image, names.folder));
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_volume *volume;
	struct sr_result entered = sr_blob_account_enter(service->accounts, account, NULL, NULL, &use, &volume);
	if (sr_is_ok(entered)) {
		return freeze_open(image, volume, &names);
	}
	const enum sr_code code = sr_result_code(entered);
	if (code != SR_REVOKED && code != SR_NOT_FOUND) {
		return entered;
	}
	sr_ignore(entered);
	return freeze_closed(image, &names);
}

/* One look at all accounts; counts those that were not in the image yet. */
static struct sr_result freeze_accounts(struct sr_blob_service *service, struct sr_image *image, size_t *ret_added)
{
	size_t added = 0;
	for (size_t i = 0;; i++) {
		SR_CLEANUP(sr_blob_account) struct sr_blob_account *account = sr_blob_accounts_at(service->accounts, i);
		if (!account) {
			*ret_added = added;
			return sr_ok();
		}
		const struct names names = names_of(&account->record.id);
		if (!sr_image_has(image, names.folder)) {
			SR_TRY(freeze_account(service, account, image));
			added++;
		}
	}
}

struct sr_result sr_blob_freeze(struct sr_blob_service *service, size_t *ret_accounts)
{
	SR_CLEANUP(sr_image) struct sr_image *image = NULL;
	SR_TRY(sr_image_begin(sr_host_state_dir(service->host), &image));
	SR_TRY(sr_blob_control_freeze(service->control, image));
	SR_TRY(sr_image_add_folder(image, "accounts"));
	size_t all = 0, added;
	do { /* accounts that go meanwhile move others to places that were looked at */
		SR_TRY(freeze_accounts(service, image, &added));
		all += added;
	} while (added > 0);
	*ret_accounts = all;
	return sr_ok();
}
