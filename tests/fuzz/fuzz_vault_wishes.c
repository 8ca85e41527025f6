/* What clients of the resource manager say of a vault. What is taken keeps the rules, and its policies read the same
 * again. */
#include "vault/vault_wishes.h"

#include <stdlib.h>

#define TENANT "11111111-1111-4111-8111-111111111111"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void check_policies(struct sr_arena *arena, const struct sr_vault_wishes *wishes)
{
	SR_CLEANUP(sr_json) json_t *list = json_array();
	struct sr_access_policy *again;
	size_t count;
	for (size_t i = 0; i < wishes->policy_count; i++) {
		json_array_append_new(list, sr_access_policy_json(&wishes->policies[i], TENANT));
	}
	SR_CLEANUP(sr_result) struct sr_result read = sr_access_policies_read(arena, list, TENANT, &again, &count);
	require(sr_is_ok(read) && count == wishes->policy_count);
	for (size_t i = 0; i < count; i++) {
		require(sr_access_policy_same_identity(&again[i], &wishes->policies[i]));
		for (int k = 0; k < SR_POLICY_COLLECTIONS; k++) {
			require(again[i].permissions[k] == wishes->policies[i].permissions[k]);
		}
	}
}

/* A protected vault of thirty days, changed. */
static void check_change(struct sr_arena *arena, const struct sr_vault_wishes *wishes, bool is_whole)
{
	struct sr_vault_record vault = {.name = "v", .retention_days = 30, .is_purge_protected = true, .denies = true};
	SR_CLEANUP(sr_result) struct sr_result applied = sr_vault_wishes_apply(arena, wishes, is_whole, &vault);
	require(!sr_is_ok(applied) || (vault.is_purge_protected && vault.retention_days == 30));
	require(!sr_is_ok(applied) || vault.denies || wishes->denies == SR_WISH_OFF);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SR_CLEANUP(sr_json) json_t *body = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_json_parse(sr_bytes_of(data, len), &body);
	if (!sr_is_ok(parsed)) {
		return 0;
	}
	SR_CLEANUP(sr_arena) struct sr_arena *arena = sr_arena_new();
	struct sr_vault_wishes wishes = {0};
	SR_CLEANUP(sr_result) struct sr_result read = sr_vault_wishes_read(arena, body, TENANT, &wishes);
	if (!sr_is_ok(read)) {
		return 0;
	}
	struct sr_vault_record fresh = {.name = "v"};
	SR_CLEANUP(sr_result) struct sr_result begun = sr_vault_wishes_begin(arena, &wishes, "2023-07-01", &fresh);
	require(!sr_is_ok(begun) || (fresh.retention_days >= 7 && fresh.retention_days <= 90 && fresh.location));
	check_policies(arena, &wishes);
	check_change(arena, &wishes, true);
	check_change(arena, &wishes, false);
	sr_vault_wishes_cleanup(&wishes);
	return 0;
}
