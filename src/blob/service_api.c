/* Service properties (kept as they were set), statistics, account information. */
#include "blob/container_api.h"
#include "blob/container_store.h"

#include "base/clock.h"
#include "blob/header.h"
#include "wire/time.h"
#include "wire/xml.h"

#include <string.h>

enum { PROPERTIES_MAX = 65536 };

/* The members of StorageServiceProperties, with what each is where nobody set it; each may be set by itself. */
static const struct {
	const char *name;
	const char *initial;
} members[] = {
    {"Logging", "<Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write>"
                "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy>"},
    {"HourMetrics", "<Version>1.0</Version><Enabled>false</Enabled>"
                    "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy>"},
    {"MinuteMetrics", "<Version>1.0</Version><Enabled>false</Enabled>"
                      "<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy>"},
    {"Cors", ""},
    {"DefaultServiceVersion", NULL},
    {"DeleteRetentionPolicy", "<Enabled>false</Enabled>"},
    {"StaticWebsite", "<Enabled>false</Enabled>"},
};
enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

struct settings {
	struct sr_blob_request *request;
	struct sr_bytes value[MEMBER_COUNT]; /* the member's inner XML; empty and not `is_set`: as it is */
	bool is_set[MEMBER_COUNT];
};

static struct sr_result read_settings(struct sr_connection *connection, void *context)
{
	struct settings *settings = context;
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		SR_TRY(sr_setting_read(connection, settings->request->arena, members[i].name, &settings->value[i]));
	}
	return sr_ok();
}

struct sr_result sr_service_get_properties(struct sr_blob_request *request)
{
	struct settings settings = {.request = request};
	SR_TRY(sr_database_read(request->volume->database, read_settings, &settings));
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF((size_t)MEMBER_COUNT * PROPERTIES_MAX);
	sr_xml_declaration(&xml);
	sr_xml_open(&xml, "StorageServiceProperties");
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (!settings.value[i].len && !members[i].initial) {
			continue;
		}
		sr_xml_open(&xml, members[i].name);
		if (settings.value[i].len) {
			sr_buf_append(&xml, settings.value[i]); /* written by write_inner below */
		} else {
			sr_buf_append_str(&xml, members[i].initial);
		}
		sr_xml_close(&xml, members[i].name);
	}
	sr_xml_close(&xml, "StorageServiceProperties");
	return sr_blob_respond_xml(request, &xml);
}

static bool is_element_name(const char *name)
{
	for (const char *c = name; *c; c++) {
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'))) {
			return false;
		}
	}
	return *name != '\0';
}

/* An element's inside as XML again. Depth is bounded by the parser. */
static struct sr_result write_inner(const struct sr_xml_node *node, struct sr_buf *xml)
{
	if (!node->children) {
		sr_xml_text(xml, node->text);
	}
	for (const struct sr_xml_node *child = node->children; child; child = child->next) {
		if (!is_element_name(child->name)) {
			return sr_fail_as(SR_INVALID, "InvalidXmlDocument", "an element's name is none of the service's");
		}
		sr_xml_open(xml, child->name);
		SR_TRY(write_inner(child, xml));
		sr_xml_close(xml, child->name);
	}
	return sr_ok();
}

/* Settings that would promise something that is not done here are refused rather than kept. */
static struct sr_result refuse_promises(const struct sr_xml_node *member)
{
	static const char *const promises[] = {"DeleteRetentionPolicy", "StaticWebsite"};
	const struct sr_xml_node *enabled = sr_xml_child(member, "Enabled");
	for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++) {
		if (strcmp(member->name, promises[i]) == 0 && enabled && sr_equal_nocase(enabled->text, SR_LITERAL("true"))) {
			return sr_fail_as(SR_INVALID, "InvalidXmlNodeValue", "%s cannot be enabled here", member->name);
		}
	}
	return sr_ok();
}

static struct sr_result take_member(struct settings *settings, const struct sr_xml_node *member)
{
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (strcmp(member->name, members[i].name) == 0) {
			SR_TRY(refuse_promises(member));
			SR_CLEANUP(sr_buf) struct sr_buf inner = SR_BUF(PROPERTIES_MAX);
			SR_TRY(write_inner(member, &inner));
			SR_TRY(sr_buf_result(&inner));
			settings->value[i] = sr_arena_copy(settings->request->arena, sr_buf_bytes(&inner));
			settings->is_set[i] = true;
			return sr_ok();
		}
	}
	return sr_fail_as(SR_INVALID, "InvalidXmlDocument", "service properties have no such member");
}

static struct sr_result write_settings(struct sr_connection *connection, void *context)
{
	const struct settings *settings = context;
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (settings->is_set[i]) {
			SR_TRY(sr_setting_write(connection, members[i].name, settings->value[i]));
		}
	}
	return sr_ok();
}

struct sr_result sr_service_set_properties(struct sr_blob_request *request)
{
	struct settings settings = {.request = request};
	const struct sr_xml_node *root = NULL;
	struct sr_bytes body;
	SR_TRY(sr_blob_request_xml(request, PROPERTIES_MAX, &body, &root));
	for (const struct sr_xml_node *member = root->children; member; member = member->next) {
		SR_TRY(take_member(&settings, member));
	}
	SR_TRY(sr_database_write(request->volume->database, write_settings, &settings));
	return sr_blob_respond(request, 202);
}

/* There is one place where data lies: its secondary is always up to date with itself. */
struct sr_result sr_service_get_stats(struct sr_blob_request *request)
{
	char now[SR_HTTP_DATE_LEN];
	sr_http_date(sr_unix_s(), now);
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(4096);
	sr_xml_declaration(&xml);
	sr_xml_open(&xml, "StorageServiceStats");
	sr_xml_open(&xml, "GeoReplication");
	sr_xml_element_str(&xml, "Status", "unavailable");
	sr_xml_element_str(&xml, "LastSyncTime", now);
	sr_xml_close(&xml, "GeoReplication");
	sr_xml_close(&xml, "StorageServiceStats");
	return sr_blob_respond_xml(request, &xml);
}

struct sr_result sr_service_get_account(struct sr_blob_request *request)
{
	sr_exchange_add_header(request->exchange, "x-ms-sku-name", "Standard_LRS");
	sr_exchange_add_header(request->exchange, "x-ms-account-kind", "StorageV2");
	sr_exchange_add_header(request->exchange, "x-ms-is-hns-enabled", "false");
	return sr_blob_respond(request, 200);
}
