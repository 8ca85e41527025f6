/* Reading and applying. The texts of refusals are Azure's where people look for them. */
#include "vault/vault_wishes.h"

#include <ctype.h>
#include <string.h>

enum { TAGS_MAX = 50, TAG_NAME_MAX = 512, TAG_VALUE_MAX = 256, RULES_MAX = 1000, TEXT_MAX = 1 << 20 };

bool sr_is_vault_name(const char *name)
{
	const size_t len = strlen(name);
	if (len < 3 || len > 24 || !isalpha((unsigned char)name[0]) || name[len - 1] == '-' || strstr(name, "--")) {
		return false;
	}
	for (const char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && *c != '-') {
			return false;
		}
	}
	return true;
}

static bool is_word(const char *text, const char *word)
{
	return sr_equal_nocase(sr_bytes_str(text), sr_bytes_str(word));
}

static enum sr_wish wish_of(bool is_on)
{
	return is_on ? SR_WISH_ON : SR_WISH_OFF;
}

/* A boolean member that may be absent. */
static struct sr_result read_wish(const json_t *properties, const char *name, enum sr_wish *ret_wish)
{
	const json_t *member = json_object_get(properties, name);
	if (!member || json_is_null(member)) {
		return sr_ok();
	}
	bool is_on = false;
	SR_TRY(sr_json_get_bool(properties, name, &is_on));
	*ret_wish = wish_of(is_on);
	return sr_ok();
}

/* A member that is one of two words, in either case. */
static struct sr_result read_choice(const json_t *object, const char *name, const char *off, const char *on,
                                    enum sr_wish *ret_wish)
{
	const char *text = NULL;
	SR_TRY(sr_json_get_string(object, name, &text));
	if (!text) {
		return sr_ok();
	}
	if (!is_word(text, off) && !is_word(text, on)) {
		return sr_fail(SR_INVALID, "%s: \"%.32s\" is neither %s nor %s", name, text, off, on);
	}
	*ret_wish = wish_of(is_word(text, on));
	return sr_ok();
}

static const char *text_of(struct sr_arena *arena, const json_t *value)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(TEXT_MAX);
	SR_CLEANUP(sr_result) struct sr_result written = sr_json_write(value, &text);
	return sr_is_ok(written) ? sr_arena_strdup(arena, sr_buf_text(&text)) : NULL;
}

static struct sr_result read_tags(struct sr_arena *arena, const json_t *body, const char **ret_tags)
{
	const json_t *tags = NULL;
	SR_TRY(sr_json_get_object(body, "tags", &tags));
	if (!tags) {
		return sr_ok();
	}
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)tags, name, value) /* jansson's macro only reads */
	{
		if (!json_is_string(value) || strlen(name) > TAG_NAME_MAX || json_string_length(value) > TAG_VALUE_MAX) {
			return sr_fail(SR_INVALID, "tags: names of up to %d and texts of up to %d bytes are taken", TAG_NAME_MAX,
			               TAG_VALUE_MAX);
		}
	}
	if (json_object_size(tags) > TAGS_MAX) {
		return sr_fail(SR_INVALID, "tags: at most %d are taken", TAGS_MAX);
	}
	*ret_tags = text_of(arena, tags);
	return sr_ok();
}

static struct sr_result read_rules(struct sr_arena *arena, const json_t *acls, struct sr_vault_wishes *wishes)
{
	const json_t *list = NULL;
	SR_TRY(sr_json_get_array(acls, "ipRules", &list));
	const size_t count = json_array_size(list);
	if (count > RULES_MAX) {
		return sr_fail(SR_INVALID, "networkAcls.ipRules: at most %d are taken", RULES_MAX);
	}
	wishes->rules = sr_arena_alloc(arena, (count + 1) * sizeof *wishes->rules);
	for (size_t i = 0; i < count; i++) {
		const char *value = json_string_value(json_object_get(json_array_get(list, i), "value"));
		if (!value) {
			return sr_fail(SR_INVALID, "networkAcls.ipRules: each rule is {\"value\": \"ADDRESS or CIDR\"}");
		}
		SR_TRY(sr_network_range_parse(value, &wishes->rules[i]));
	}
	wishes->rule_count = count;
	wishes->has_rules = true;
	return sr_ok();
}

static struct sr_result read_acls(struct sr_arena *arena, const json_t *properties, struct sr_vault_wishes *wishes)
{
	const json_t *acls = NULL;
	const json_t *subnets = NULL;
	SR_TRY(sr_json_get_object(properties, "networkAcls", &acls));
	if (!acls) {
		return sr_ok();
	}
	SR_TRY(read_choice(acls, "defaultAction", "Allow", "Deny", &wishes->denies));
	SR_TRY(read_choice(acls, "bypass", "AzureServices", "None", &wishes->no_bypass));
	SR_TRY(sr_json_get_array(acls, "virtualNetworkRules", &subnets));
	if (subnets) {
		sr_json_set(wishes->extras, "virtualNetworkRules", json_deep_copy(subnets));
	}
	return read_rules(arena, acls, wishes);
}

static struct sr_result read_sku(const json_t *properties, const char **ret_sku)
{
	const json_t *sku = NULL;
	const char *family = "A";
	const char *name = NULL;
	SR_TRY(sr_json_get_object(properties, "sku", &sku));
	if (!sku) {
		return sr_ok();
	}
	SR_TRY(sr_json_get_string(sku, "family", &family));
	SR_TRY(sr_json_get_string(sku, "name", &name));
	if (!name || !is_word(family, "A") || (!is_word(name, "standard") && !is_word(name, "premium"))) {
		return sr_fail(SR_INVALID, "sku: {\"family\": \"A\", \"name\": \"standard\" or \"premium\"} is expected");
	}
	*ret_sku = is_word(name, "premium") ? "premium" : "standard";
	return sr_ok();
}

static struct sr_result read_deletion(const json_t *properties, struct sr_vault_wishes *wishes)
{
	enum sr_wish soft_delete = SR_WISH_NONE;
	SR_TRY(read_wish(properties, "enableSoftDelete", &soft_delete));
	if (soft_delete == SR_WISH_OFF) {
		return sr_fail(SR_INVALID, "The property \"enableSoftDelete\" cannot be set to false: what is deleted can "
		                           "always be recovered for a while.");
	}
	SR_TRY(read_wish(properties, "enablePurgeProtection", &wishes->purge_protection));
	if (wishes->purge_protection == SR_WISH_OFF) {
		return sr_fail(SR_INVALID, "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge "
		                           "protection for a vault is an irreversible action.");
	}
	SR_TRY(sr_json_get_int(properties, "softDeleteRetentionInDays", &wishes->retention_days));
	if (wishes->retention_days &&
	    (wishes->retention_days < SR_RETENTION_DAYS_LEAST || wishes->retention_days > SR_RETENTION_DAYS)) {
		return sr_fail(SR_INVALID, "The property \"softDeleteRetentionInDays\" must be from 7 to 90.");
	}
	return sr_ok();
}

static struct sr_result read_extras(const json_t *properties, struct sr_vault_wishes *wishes)
{
	static const char *const switches[] = {"enabledForDeployment", "enabledForDiskEncryption",
	                                       "enabledForTemplateDeployment"};
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		enum sr_wish wish = SR_WISH_NONE;
		SR_TRY(read_wish(properties, switches[i], &wish));
		if (wish != SR_WISH_NONE) {
			sr_json_set_bool(wishes->extras, switches[i], wish == SR_WISH_ON);
		}
	}
	return sr_ok();
}

static struct sr_result read_properties(struct sr_arena *arena, const json_t *properties, const char *tenant,
                                        struct sr_vault_wishes *wishes)
{
	const char *of_tenant = NULL;
	const char *mode = NULL;
	const json_t *policies = NULL;
	SR_TRY(sr_json_get_string(properties, "tenantId", &of_tenant));
	if (of_tenant && !is_word(of_tenant, tenant)) {
		return sr_fail(SR_INVALID, "tenantId: \"%.64s\" is not this installation's, %s", of_tenant, tenant);
	}
	wishes->has_tenant = of_tenant != NULL;
	SR_TRY(sr_json_get_string(properties, "createMode", &mode));
	if (mode && !is_word(mode, "recover") && !is_word(mode, "default")) {
		return sr_fail(SR_INVALID, "createMode: \"%.32s\" is neither default nor recover", mode);
	}
	wishes->is_recovery = mode && is_word(mode, "recover");
	SR_TRY(read_sku(properties, &wishes->sku));
	SR_TRY(read_wish(properties, "enableRbacAuthorization", &wishes->by_roles));
	SR_TRY(read_choice(properties, "publicNetworkAccess", "Enabled", "Disabled", &wishes->closed));
	SR_TRY(read_deletion(properties, wishes));
	SR_TRY(read_extras(properties, wishes));
	SR_TRY(read_acls(arena, properties, wishes));
	SR_TRY(sr_json_get_array(properties, "accessPolicies", &policies));
	wishes->has_policies = policies != NULL;
	return sr_access_policies_read(arena, policies, tenant, &wishes->policies, &wishes->policy_count);
}

void sr_vault_wishes_cleanup(struct sr_vault_wishes *wishes)
{
	json_decref(wishes->extras);
	wishes->extras = NULL;
}

struct sr_result sr_vault_wishes_read(struct sr_arena *arena, const json_t *body, const char *tenant,
                                      struct sr_vault_wishes *ret_wishes)
{
	SR_CLEANUP(sr_vault_wishes) struct sr_vault_wishes wishes = {.extras = json_object()};
	const json_t *properties = NULL;
	SR_TRY(sr_json_get_string(body, "location", &wishes.location));
	SR_TRY(read_tags(arena, body, &wishes.tags));
	SR_TRY(sr_json_get_object(body, "properties", &properties));
	if (properties) {
		SR_TRY(read_properties(arena, properties, tenant, &wishes));
	}
	*ret_wishes = wishes;
	wishes.extras = NULL;
	return sr_ok();
}

static bool is_on(enum sr_wish wish, bool otherwise)
{
	return wish == SR_WISH_NONE ? otherwise : wish == SR_WISH_ON;
}

/* What may change at any time. */
static void apply_settings(const struct sr_vault_wishes *wishes, struct sr_vault_record *vault)
{
	vault->sku = wishes->sku ? wishes->sku : vault->sku;
	vault->tags = wishes->tags ? wishes->tags : vault->tags;
	vault->is_by_roles = is_on(wishes->by_roles, vault->is_by_roles);
	vault->is_closed = is_on(wishes->closed, vault->is_closed);
	vault->denies = is_on(wishes->denies, vault->denies);
	vault->has_no_bypass = is_on(wishes->no_bypass, vault->has_no_bypass);
	vault->is_purge_protected = is_on(wishes->purge_protection, vault->is_purge_protected);
}

struct sr_result sr_vault_wishes_begin(struct sr_arena *arena, const struct sr_vault_wishes *wishes,
                                       const char *api_version, struct sr_vault_record *vault)
{
	if (!wishes->location || !*wishes->location) {
		return sr_fail(SR_INVALID, "location: a new vault needs one; any word will do, such as \"local\"");
	}
	if (!wishes->has_tenant || !wishes->sku) {
		return sr_fail(SR_INVALID, "properties: a new vault needs tenantId and sku");
	}
	vault->location = wishes->location;
	vault->is_by_roles = strncmp(api_version, "2026-02-01", 10) >= 0;
	vault->retention_days = wishes->retention_days ? wishes->retention_days : SR_RETENTION_DAYS;
	apply_settings(wishes, vault);
	vault->extras = text_of(arena, wishes->extras);
	if (!vault->is_by_roles && !wishes->has_policies) {
		return sr_fail(SR_INVALID, "accessPolicies: needed, if only empty, where enableRbacAuthorization is not true");
	}
	return sr_ok();
}

struct sr_result sr_vault_wishes_apply(struct sr_arena *arena, const struct sr_vault_wishes *wishes, bool is_whole,
                                       struct sr_vault_record *vault)
{
	if (wishes->retention_days && wishes->retention_days != vault->retention_days) {
		return sr_fail(SR_INVALID,
		               "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.");
	}
	if (wishes->location && vault->location && !is_word(wishes->location, vault->location)) {
		return sr_fail_as(SR_CONFLICT, "ConflictError", "The vault is in location '%s', and a vault does not move.",
		                  vault->location);
	}
	if (is_whole) {
		vault->tags = NULL;
	}
	apply_settings(wishes, vault);
	SR_CLEANUP(sr_json) json_t *extras = NULL;
	if (vault->extras && !is_whole) {
		SR_TRY(sr_json_parse(sr_bytes_str(vault->extras), &extras));
	} else {
		extras = json_object();
	}
	json_object_update(extras, wishes->extras);
	vault->extras = text_of(arena, extras);
	return sr_ok();
}
