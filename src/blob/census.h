/* Counting: an account's objects and bytes, and how much lies under each epoch of its KEK. */
#ifndef SR_BLOB_CENSUS_H
#define SR_BLOB_CENSUS_H

#include "blob/account.h"
#include "wire/json.h"

/* Reads the account's totals into its figures, at constant cost. SR_REVOKED (and all of sr_blob_account_enter's) leaves
 * them as they were last known. */
SR_MUST struct sr_result sr_blob_refresh_figures(struct sr_blob_accounts *accounts, struct sr_blob_account *account);
/* {"containers", "objects", "bytes", "by_kek_epoch": [{"kek_epoch", "objects", "bytes"}]}: walks the account's pieces.
 * The caller owns it. */
SR_MUST struct sr_result sr_blob_census(struct sr_blob_accounts *accounts, struct sr_blob_account *account,
                                        json_t **ret_census);

#endif
