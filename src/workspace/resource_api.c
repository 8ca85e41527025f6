/* Resources belong to their providers' services: here it is decided whether the caller may, whether the provider is
 * registered and the group there; then the call goes on. And lists of resources of every kind. */
#include "workspace/api.h"

#include "workspace/filter.h"
#include "workspace/forward.h"
#include "workspace/managed_identity_api.h"
#include "workspace/provider.h"
#include "workspace/resource_group.h"
#include "workspace/resource_name.h"

#include <string.h>

#define LIST_VERSION "2023-07-01"

struct preconditions {
	struct sr_arm_call *call;
	const struct sr_provider *provider;
	const char *group; /* NULL: the call is about no group */
	bool is_registered;
};

static struct sr_result look_up(struct sr_connection *connection, void *context)
{
	struct preconditions *asked = context;
	SR_TRY(sr_provider_is_registered(connection, asked->provider, &asked->is_registered));
	if (!asked->group) {
		return sr_ok();
	}
	struct sr_resource_group group;
	SR_TRY(sr_resource_group_find(connection, asked->call->arena, asked->group, &group));
	if (group.is_deleting && strcmp(asked->call->method, "PUT") == 0) {
		return sr_fail_as(SR_CONFLICT, "ResourceGroupBeingDeleted",
		                  "The resource group '%s' is being deleted: nothing can be put into it.", group.name);
	}
	return sr_ok();
}

static struct sr_result check(struct sr_arm_call *call, const char *rest, const char *group,
                              const struct sr_provider **ret_provider)
{
	struct sr_resource_name name;
	SR_TRY(sr_resource_name_parse(call->arena, rest, &name));
	struct preconditions asked = {.call = call, .group = group};
	SR_TRY(sr_provider_find(name.namespace, &asked.provider));
	const char *action;
	SR_TRY(sr_resource_action(call->arena, &name, call->method, &action));
	SR_TRY(sr_arm_authorise(call, action, call->path));
	SR_TRY(sr_workspace_read(call->workspace, look_up, &asked));
	if (!asked.is_registered) {
		return sr_fail_as(SR_CONFLICT, "MissingSubscriptionRegistration",
		                  "The subscription is not registered to use namespace '%s'. Register it first: az provider "
		                  "register --namespace %s",
		                  asked.provider->namespace, asked.provider->namespace);
	}
	if (!asked.provider->service) {
		return sr_fail_as(SR_NOT_FOUND, "InvalidResourceType", "The resource type '%s' could not be found in '%s'.",
		                  name.type, asked.provider->namespace);
	}
	*ret_provider = asked.provider;
	return sr_ok();
}

/* Managed identities are identity's, which knows nothing of resources; whatever else there is is its service's. */
static struct sr_result hand_on(struct sr_arm_call *call, const struct sr_provider *provider, const char *rest,
                                struct sr_arm_answer *answer)
{
	const bool is_identity = strcmp(provider->service, "identity") == 0;
	SR_TRY(is_identity ? sr_managed_identity_call(call, rest, answer) : sr_forward(call, provider->service, answer));
	if (strcmp(call->method, "HEAD") == 0 && answer->status < 300) {
		sr_json_cleanup(&answer->body); /* 204: it is there */
		answer->body = NULL;
		answer->status = 204;
	}
	return sr_ok();
}

struct sr_result sr_resource_in_group(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const struct sr_provider *provider;
	SR_TRY(check(call, call->parts[2], call->parts[1], &provider));
	return hand_on(call, provider, call->parts[2], answer);
}

struct sr_result sr_resource_in_subscription(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	const struct sr_provider *provider;
	SR_TRY(check(call, call->parts[1], NULL, &provider));
	return hand_on(call, provider, call->parts[1], answer);
}

/* What a list shows of a resource. */
static json_t *brief(json_t *resource)
{
	static const char *const shown[] = {"id",  "name", "type",      "location", "tags",
	                                    "sku", "kind", "managedBy", "identity"};
	json_t *item = json_object();
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		json_t *member = json_object_get(resource, shown[i]);
		if (member) {
			json_object_set(item, shown[i], member);
		}
	}
	return item;
}

/* The group in "/subscriptions/S/resourceGroups/G/…". */
static const char *group_of(struct sr_arena *arena, const char *id)
{
	for (int i = 0; i < 4 && id; i++) {
		id = strchr(id + 1, '/');
	}
	return id ? sr_arena_text(arena, sr_bytes_of(id + 1, strcspn(id + 1, "/"))) : "";
}

static bool fits(struct sr_arm_call *call, const struct sr_filter *filter, json_t *resource)
{
	const char *id = json_string_value(json_object_get(resource, "id"));
	const char *name = json_string_value(json_object_get(resource, "name"));
	const char *type = json_string_value(json_object_get(resource, "type"));
	const char *location = json_string_value(json_object_get(resource, "location"));
	return sr_filter_fits(filter, "name", name ? name : "") &&
	       sr_filter_fits(filter, "resourceType", type ? type : "") &&
	       sr_filter_fits(filter, "location", location ? location : "") &&
	       sr_filter_fits(filter, "resourceGroup", group_of(call->arena, id ? id : ""));
}

/* Appends all pages of a service's list. */
static struct sr_result collect(struct sr_arm_call *call, const char *service, const char *target,
                                const struct sr_filter *filter, json_t *list)
{
	const struct sr_forward_caller caller = {call->who.object_id, call->who.app_id, call->request_id};
	while (target) {
		SR_CLEANUP(sr_json) json_t *page = NULL;
		int status;
		SR_TRY(sr_forward_request(call->workspace, service, "GET", target, NULL, &caller, &status, &page));
		if (status != 200) {
			return sr_fail(SR_UNAVAILABLE, "the service '%s' cannot list its resources now", service);
		}
		size_t index;
		json_t *resource;
		json_array_foreach(json_object_get(page, "value"), index, resource)
		{
			if (fits(call, filter, resource)) {
				json_array_append_new(list, brief(resource));
			}
		}
		const char *next = json_string_value(json_object_get(page, "nextLink"));
		target = next && *next == '/' ? sr_arena_strdup(call->arena, next) : NULL;
	}
	return sr_ok();
}

static struct sr_result collect_identities(struct sr_arm_call *call, const char *scope, const struct sr_filter *filter,
                                           json_t *list)
{
	SR_CLEANUP(sr_json) json_t *all = json_array();
	SR_TRY(sr_managed_identities_collect(call, scope, all));
	size_t index;
	json_t *resource;
	json_array_foreach(all, index, resource)
	{
		if (fits(call, filter, resource)) {
			json_array_append_new(list, brief(resource));
		}
	}
	return sr_ok();
}

/* Of one group where `group` is its name, else of the subscription. */
static struct sr_result list(struct sr_arm_call *call, const char *group, struct sr_arm_answer *answer)
{
	struct sr_filter filter;
	SR_TRY(sr_filter_parse(call->arena, sr_parameter_get(&call->query, "$filter"), &filter));
	const char *scope = sr_arena_printf(call->arena, "/subscriptions/%s%s%s", call->installation.subscription,
	                                    group ? "/resourceGroups/" : "", group ? group : "");
	json_t *found = json_array();
	answer->body = json_object();
	sr_json_set(answer->body, "value", found);
	SR_TRY(collect_identities(call, scope, &filter, found));
	return collect(
	    call, "vault",
	    sr_arena_printf(call->arena, "%s/providers/Microsoft.KeyVault/vaults?api-version=" LIST_VERSION, scope),
	    &filter, found);
}

struct sr_result sr_resources_of_subscription(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	return list(call, NULL, answer);
}

static struct sr_result find_group(struct sr_connection *connection, void *context)
{
	const struct sr_arm_call *call = context;
	struct sr_resource_group group;
	return sr_resource_group_find(connection, call->arena, call->parts[1], &group);
}

struct sr_result sr_resources_of_group(struct sr_arm_call *call, struct sr_arm_answer *answer)
{
	SR_TRY(sr_workspace_read(call->workspace, find_group, call));
	return list(call, call->parts[1], answer);
}
