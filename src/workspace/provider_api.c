/* Providers and their registration: nothing of a provider works before it is registered. */
#include "workspace/api.h"

#include "workspace/provider.h"

struct provider_work {
	struct sr_arm_call *call;
	const struct sr_provider *provider;
	bool is_registered;
	json_t *list;
};

static json_t *types_json(const struct sr_provider *provider)
{
	json_t *types = json_array();
	for (const struct sr_provider_type *type = provider->types; type->name; type++) {
		json_t *item = json_object();
		sr_json_set_string(item, "resourceType", type->name);
		sr_json_set(item, "locations", json_pack("[s]", "Local"));
		sr_json_set(item, "apiVersions", json_pack("[s]", type->api_version));
		sr_json_set_string(item, "defaultApiVersion", type->api_version);
		sr_json_set_string(item, "capabilities", "None");
		json_array_append_new(types, item);
	}
	return types;
}

static json_t *provider_json(const struct sr_arm_call *call, const struct sr_provider *provider, bool is_registered)
{
	json_t *body = json_object();
	sr_json_set_string(body, "id",
	                   sr_arena_printf(call->arena, "/subscriptions/%s/providers/%s", call->installation.subscription,
	                                   provider->namespace));
	sr_json_set_string(body, "namespace", provider->namespace);
	sr_json_set_string(body, "registrationPolicy",
	                   provider->is_always_registered ? "RegistrationFree" : "RegistrationRequired");
	sr_json_set_string(body, "registrationState", is_registered ? "Registered" : "NotRegistered");
	sr_json_set(body, "resourceTypes", types_json(provider));
	return body;
}

static struct sr_result list_work(struct sr_connection *connection, void *context)
{
	struct provider_work *work = context;
	for (size_t i = 0; (work->provider = sr_provider_at(i)); i++) {
		bool is_registered;
		SR_TRY(sr_provider_is_registered(connection, work->provider, &is_registered));
		json_array_append_new(work->list, provider_json(work->call, work->provider, is_registered));
	}
	return sr_ok();
}

struct sr_result sr_providers_list(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct provider_work work = {.call = call, .list = json_array()};
	answer->body = json_object();
	sr_json_set(answer->body, "value", work.list);
	return sr_workspace_read(call->workspace, list_work, &work);
}

static struct sr_result get_work(struct sr_connection *connection, void *context)
{
	struct provider_work *work = context;
	return sr_provider_is_registered(connection, work->provider, &work->is_registered);
}

struct sr_result sr_provider_get(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	struct provider_work work = {.call = call};
	SR_TRY(sr_provider_find(call->parts[1], &work.provider));
	SR_TRY(sr_workspace_read(call->workspace, get_work, &work));
	answer->body = provider_json(call, work.provider, work.is_registered);
	return sr_ok();
}

static struct sr_result set_work(struct sr_connection *connection, void *context)
{
	const struct provider_work *work = context;
	return sr_provider_set_registered(connection, work->provider, work->is_registered);
}

static struct sr_result set_registered(struct sr_arm_call *call, bool is_registered, struct sr_arm_answer *answer)
{
	struct provider_work work = {.call = call, .is_registered = is_registered};
	SR_TRY(sr_provider_find(call->parts[1], &work.provider));
	const char *scope = sr_arena_printf(call->arena, "/subscriptions/%s", call->installation.subscription);
	const char *action = sr_arena_printf(call->arena, "%s/%s/action", work.provider->namespace,
	                                     is_registered ? "register" : "unregister");
	SR_TRY(sr_arm_authorise(call, action, scope));
	if (work.provider->is_always_registered) {
		work.is_registered = true;
	} else {
		SR_TRY(sr_workspace_write(call->workspace, set_work, &work));
	}
	answer->body = provider_json(call, work.provider, work.is_registered);
	return sr_ok();
}

struct sr_result sr_provider_register(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	return set_registered(call, true, answer);
}

struct sr_result sr_provider_unregister(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	return set_registered(call, false, answer);
}
