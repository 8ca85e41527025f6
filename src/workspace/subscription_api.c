/* Tenants, subscriptions and locations: this installation has one tenant and one subscription, and takes any region's
 * name, so that scripts that name one go on working. */
#include "workspace/api.h"

static json_t *subscription_json(const struct sr_arm_call *call)
{
	const struct sr_installation *own = &call->installation;
	json_t *body = json_object(), *policies = json_object();
	sr_json_set_string(body, "id", sr_arena_printf(call->arena, "/subscriptions/%s", own->subscription));
	sr_json_set_string(body, "subscriptionId", own->subscription);
	sr_json_set_string(body, "tenantId", own->tenant);
	sr_json_set_string(body, "displayName", "Strongroom");
	sr_json_set_string(body, "state", "Enabled");
	sr_json_set_string(body, "authorizationSource", "RoleBased");
	sr_json_set_string(policies, "locationPlacementId", "Public_2014-09-01");
	sr_json_set_string(policies, "quotaId", "Strongroom_2026-01-01");
	sr_json_set_string(policies, "spendingLimit", "Off");
	sr_json_set(body, "subscriptionPolicies", policies);
	sr_json_set(body, "managedByTenants", json_array());
	return body;
}

static json_t *list_of(json_t *item)
{
	json_t *body = json_object(), *value = json_array();
	if (item) {
		json_array_append_new(value, item);
	}
	sr_json_set(body, "value", value);
	return body;
}

struct sr_result sr_tenants_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *tenant = call->installation.tenant;
	json_t *item = json_object();
	sr_json_set_string(item, "id", sr_arena_printf(call->arena, "/tenants/%s", tenant));
	sr_json_set_string(item, "tenantId", tenant);
	sr_json_set_string(item, "displayName", "Strongroom");
	sr_json_set_string(item, "tenantCategory", "Home");
	answer->body = list_of(item);
	return sr_ok();
}

/* Who may see nothing of the subscription is not shown it, as in the service: an empty list and no error. */
struct sr_result sr_subscriptions_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const char *scope = sr_arena_printf(call->arena, "/subscriptions/%s", call->installation.subscription);
	struct sr_result allowed = sr_arm_authorise(call, "Microsoft.Resources/subscriptions/read", scope);
	const bool is_denied = sr_result_code(allowed) == SR_DENIED;
	if (is_denied) {
		sr_ignore(allowed);
	} else {
		SR_TRY(allowed);
	}
	answer->body = list_of(is_denied ? NULL : subscription_json(call));
	return sr_ok();
}

struct sr_result sr_subscription_get(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	answer->body = subscription_json(call);
	return sr_ok();
}

struct sr_result sr_locations_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	json_t *item = json_object();
	sr_json_set_string(
	    item, "id", sr_arena_printf(call->arena, "/subscriptions/%s/locations/local", call->installation.subscription));
	sr_json_set_string(item, "name", "local");
	sr_json_set_string(item, "displayName", "Local");
	sr_json_set_string(item, "regionalDisplayName", "Local");
	sr_json_set_string(item, "type", "Region");
	answer->body = list_of(item);
	return sr_ok();
}
