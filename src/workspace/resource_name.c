/* Taking ids apart, and what is done with methods. */
#include "workspace/resource_name.h"

#include <string.h>

struct sr_result sr_resource_name_parse(struct sr_arena *arena, const char *rest, struct sr_resource_name *ret_name)
{
	struct sr_resource_name name = {0};
	size_t index = 0;
	for (const char *at = rest; *at; index++) {
		const size_t len = strcspn(at, "/");
		const char *segment = sr_arena_text(arena, sr_bytes_of(at, len));
		if (index == 0) {
			name.namespace = segment;
		} else if (index % 2 == 1) {
			name.type = name.type ? sr_arena_printf(arena, "%s/%s", name.type, segment) : segment;
			name.last = segment;
		} else {
			name.last = NULL;
		}
		at += len;
		at += *at == '/';
	}
	if (!name.type) {
		return sr_fail_as(SR_NOT_FOUND, "InvalidResourceType", "The resource type is missing behind '%.64s'.", rest);
	}
	*ret_name = name;
	return sr_ok();
}

struct sr_result sr_resource_action(struct sr_arena *arena, const struct sr_resource_name *name, const char *method,
                                    const char **ret_action)
{
	static const struct {
		const char *method, *verb;
	} verbs[] = {{"GET", "read"},    {"HEAD", "read"},     {"PUT", "write"},
	             {"PATCH", "write"}, {"DELETE", "delete"}, {"POST", "action"}};
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(verbs[i].method, method) == 0) {
			*ret_action = sr_arena_printf(arena, "%s/%s/%s", name->namespace, name->type, verbs[i].verb);
			return sr_ok();
		}
	}
	return sr_fail_as(SR_INVALID, "MethodNotAllowed", "The requested resource does not support http method '%.16s'.",
	                  method);
}
