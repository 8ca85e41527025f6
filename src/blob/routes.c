/*
 * The table of operations: what is not in it does not exist. Actions are those of Azure's role definitions, letters
 * those of shared access signatures ("" where none allows it).
 */
#include "blob/api.h"
#include "blob/blob_api.h"
#include "blob/container_api.h"

#include <string.h>
#include <strings.h>

#define READ   "containers/blobs/read", true
#define WRITE  "containers/blobs/write", true
#define DELETE "containers/blobs/delete", true

static const struct sr_blob_operation operations[] = {
    /* one blob; the most frequent first */
    {"GET", SR_BLOB_BLOB, NULL, NULL, READ, "r", "r", sr_blob_get},
    {"HEAD", SR_BLOB_BLOB, NULL, NULL, READ, "r", "r", sr_blob_get_properties},
    {"PUT", SR_BLOB_BLOB, NULL, NULL, WRITE, "cw", "cw", sr_blob_put_whole},
    {"PUT", SR_BLOB_BLOB, NULL, "block", WRITE, "cw", "cw", sr_blob_put_block},
    {"PUT", SR_BLOB_BLOB, NULL, "blocklist", WRITE, "cw", "cw", sr_blob_put_block_list},
    {"GET", SR_BLOB_BLOB, NULL, "blocklist", READ, "r", "r", sr_blob_get_block_list},
    {"DELETE", SR_BLOB_BLOB, NULL, NULL, DELETE, "d", "d", sr_blob_delete_one},
    {"PUT", SR_BLOB_BLOB, NULL, "properties", WRITE, "w", "w", sr_blob_set_properties},
    {"PUT", SR_BLOB_BLOB, NULL, "metadata", WRITE, "w", "w", sr_blob_set_metadata},
    {"GET", SR_BLOB_BLOB, NULL, "metadata", READ, "r", "r", sr_blob_get_metadata},
    {"HEAD", SR_BLOB_BLOB, NULL, "metadata", READ, "r", "r", sr_blob_get_metadata},
    {"PUT", SR_BLOB_BLOB, NULL, "tier", WRITE, "w", "w", sr_blob_set_tier},
    {"PUT", SR_BLOB_BLOB, NULL, "lease", WRITE, "w", "w", sr_blob_lease_operation},
    {"GET", SR_BLOB_BLOB, "account", "properties", "containers/read", false, "racwdl", "rwdlacup",
     sr_service_get_account},
    {"HEAD", SR_BLOB_BLOB, "account", "properties", "containers/read", false, "racwdl", "rwdlacup",
     sr_service_get_account},
    /* one container */
    {"GET", SR_BLOB_CONTAINER, "container", "list", READ, "l", "l", sr_list_blobs},
    {"PUT", SR_BLOB_CONTAINER, "container", NULL, "containers/write", false, "", "cw", sr_container_create},
    {"GET", SR_BLOB_CONTAINER, "container", NULL, "containers/read", false, "", "r", sr_container_get_properties},
    {"HEAD", SR_BLOB_CONTAINER, "container", NULL, "containers/read", false, "", "r", sr_container_get_properties},
    {"DELETE", SR_BLOB_CONTAINER, "container", NULL, "containers/delete", false, "", "d", sr_container_remove},
    {"GET", SR_BLOB_CONTAINER, "container", "metadata", "containers/read", false, "", "r", sr_container_get_properties},
    {"HEAD", SR_BLOB_CONTAINER, "container", "metadata", "containers/read", false, "", "r",
     sr_container_get_properties},
    {"PUT", SR_BLOB_CONTAINER, "container", "metadata", "containers/write", false, "", "w", sr_container_set_metadata},
    {"GET", SR_BLOB_CONTAINER, "container", "acl", "containers/getAcl/action", false, "", "", sr_container_get_acl},
    {"HEAD", SR_BLOB_CONTAINER, "container", "acl", "containers/getAcl/action", false, "", "", sr_container_get_acl},
    {"PUT", SR_BLOB_CONTAINER, "container", "acl", "containers/setAcl/action", false, "", "", sr_container_set_acl},
    {"PUT", SR_BLOB_CONTAINER, "container", "lease", "containers/write", false, "", "w", sr_container_lease_operation},
    {"GET", SR_BLOB_CONTAINER, "account", "properties", "containers/read", false, "racwdl", "rwdlacup",
     sr_service_get_account},
    {"HEAD", SR_BLOB_CONTAINER, "account", "properties", "containers/read", false, "racwdl", "rwdlacup",
     sr_service_get_account},
    /* the service */
    {"GET", SR_BLOB_SERVICE, NULL, "list", "containers/read", false, "", "l", sr_list_containers},
    {"GET", SR_BLOB_SERVICE, "service", "properties", "read", false, "", "r", sr_service_get_properties},
    {"PUT", SR_BLOB_SERVICE, "service", "properties", "write", false, "", "w", sr_service_set_properties},
    {"GET", SR_BLOB_SERVICE, "service", "stats", "read", false, "", "r", sr_service_get_stats},
    {"GET", SR_BLOB_SERVICE, "account", "properties", "containers/read", false, "", "rwdlacup", sr_service_get_account},
    {"HEAD", SR_BLOB_SERVICE, "account", "properties", "containers/read", false, "", "rwdlacup",
     sr_service_get_account},
};

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcasecmp(a, b) == 0);
}

struct sr_result sr_blob_route(const char *method, enum sr_blob_resource resource, const char *restype,
                               const char *comp, const struct sr_blob_operation **ret_operation)
{
	bool is_known = false;
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		const struct sr_blob_operation *operation = &operations[i];
		if (operation->resource != resource || !same(operation->restype, restype) || !same(operation->comp, comp)) {
			continue;
		}
		if (strcmp(operation->method, method) == 0) {
			*ret_operation = operation;
			return sr_ok();
		}
		is_known = true;
	}
	return is_known ? sr_fail_as(SR_INVALID, "UnsupportedHttpVerb", "no operation here has this method")
	                : sr_fail_as(SR_INVALID, "InvalidQueryParameterValue", "restype and comp name no operation here");
}
