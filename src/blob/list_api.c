/* List Containers and List Blobs: parameters in, XML out. */
#include "blob/container_api.h"
#include "blob/container_store.h"
#include "blob/list_store.h"

#include "base/clock.h"
#include "base/text.h"
#include "wire/time.h"
#include "wire/xml.h"

#include <string.h>

enum { PAGE_MAX = 5000 };
static const size_t xml_max = (size_t)128 * 1024 * 1024;

/* What a list may include. */
enum include {
	INCLUDE_METADATA = 1,
	INCLUDE_UNCOMMITTED = 2,
	INCLUDE_NOTHING = 0 /* known, and there is never anything of it here */
};
struct include_name {
	const char *name;
	enum include bit;
};
static const struct include_name includes[] = {
    {"metadata", INCLUDE_METADATA},
    {"uncommittedblobs", INCLUDE_UNCOMMITTED},
    {"snapshots", INCLUDE_NOTHING},
    {"copy", INCLUDE_NOTHING},
    {"deleted", INCLUDE_NOTHING},
    {"tags", INCLUDE_NOTHING},
    {"versions", INCLUDE_NOTHING},
    {"deletedwithversions", INCLUDE_NOTHING},
    {"immutabilitypolicy", INCLUDE_NOTHING},
    {"legalhold", INCLUDE_NOTHING},
    {"permissions", INCLUDE_NOTHING},
    {"system", INCLUDE_NOTHING},
};

/* A list's parameters and the document in the making. */
struct list {
	struct sr_blob_request *request;
	struct sr_bytes prefix, marker, delimiter;
	struct sr_bytes from; /* the marker, opened */
	uint64_t max;
	bool has_max;
	unsigned include;
	struct sr_bytes next;
	struct sr_buf *xml;
};

static struct sr_result add_include(struct list *list, struct sr_bytes name)
{
	for (size_t i = 0; i < sizeof includes / sizeof includes[0]; i++) {
		if (sr_equal_nocase(name, sr_bytes_str(includes[i].name))) {
			list->include |= (unsigned)includes[i].bit;
			return sr_ok();
		}
	}
	return sr_fail_as(SR_INVALID, "InvalidQueryParameterValue", "include names what no list includes");
}

static struct sr_result parse_include(struct list *list, const char *text)
{
	for (const char *at = text; at && *at;) {
		const char *comma = strchr(at, ',');
		SR_TRY(add_include(list, sr_bytes_of(at, comma ? (size_t)(comma - at) : strlen(at))));
		at = comma ? comma + 1 : NULL;
	}
	return sr_ok();
}

/* A marker is the name that the next page starts with, in base64url; clients pass it back as they got it. */
static struct sr_result open_marker(struct list *list)
{
	SR_CLEANUP(sr_buf) struct sr_buf name = SR_BUF(8192);
	SR_CLEANUP(sr_result) struct sr_result opened = sr_base64url_decode(list->marker, &name);
	if (!sr_is_ok(opened) || name.failed) {
		return sr_fail_as(SR_INVALID, "InvalidQueryParameterValue", "the marker is none of this service's");
	}
	list->from = sr_arena_copy(list->request->arena, sr_buf_bytes(&name));
	return sr_ok();
}

static struct sr_result parse(struct sr_blob_request *request, struct list *list)
{
	list->request = request;
	list->prefix = sr_bytes_str(sr_blob_query(request, "prefix"));
	list->marker = sr_bytes_str(sr_blob_query(request, "marker"));
	list->delimiter = sr_bytes_str(sr_blob_query(request, "delimiter"));
	list->has_max = sr_blob_query(request, "maxresults");
	SR_TRY(sr_blob_query_number(request, "maxresults", 1, UINT64_MAX, PAGE_MAX, &list->max));
	list->max = list->max > PAGE_MAX ? PAGE_MAX : list->max;
	SR_TRY(parse_include(list, sr_blob_query(request, "include")));
	return list->marker.len ? open_marker(list) : sr_ok();
}

/* A name, percent-encoded and marked so where XML cannot carry it. */
static void write_name(struct sr_buf *xml, const char *element, struct sr_bytes name)
{
	if (sr_xml_can_carry(name)) {
		sr_xml_element(xml, element, name);
		return;
	}
	sr_buf_printf(xml, "<%s Encoded=\"true\">", element);
	sr_url_encode(xml, name, "");
	sr_xml_close(xml, element);
}

static void write_head(struct list *list)
{
	struct sr_blob_request *request = list->request;
	struct sr_buf *xml = list->xml;
	sr_xml_declaration(xml);
	sr_buf_append_str(xml, "<EnumerationResults ServiceEndpoint=\"https://");
	sr_xml_text(xml, sr_bytes_str(sr_exchange_authority(request->exchange)));
	sr_buf_append_str(xml, "/");
	if (request->target.is_path_style) {
		sr_buf_printf(xml, "%s/", request->target.account);
	}
	if (request->target.container.len) {
		sr_buf_append_str(xml, "\" ContainerName=\"");
		sr_xml_text(xml, request->target.container);
	}
	sr_buf_append_str(xml, "\">");
	if (list->prefix.len) {
		write_name(xml, "Prefix", list->prefix);
	}
	if (list->marker.len) {
		sr_xml_element(xml, "Marker", list->marker);
	}
	if (list->has_max) {
		sr_xml_element_int(xml, "MaxResults", (int64_t)list->max);
	}
	if (list->delimiter.len) {
		write_name(xml, "Delimiter", list->delimiter);
	}
}

static void write_tail(struct list *list)
{
	SR_CLEANUP(sr_buf) struct sr_buf marker = SR_BUF(16384);
	sr_base64url_encode(&marker, list->next);
	sr_xml_element(list->xml, "NextMarker", sr_buf_bytes(&marker));
	sr_xml_close(list->xml, "EnumerationResults");
}

static void write_date(struct sr_buf *xml, const char *element, int64_t unix_s)
{
	char date[SR_HTTP_DATE_LEN];
	sr_http_date(unix_s, date);
	sr_xml_element_str(xml, element, date);
}

static void write_etag(struct sr_buf *xml, uint64_t etag)
{
	sr_buf_printf(xml, "<Etag>0x%llX</Etag>", (unsigned long long)etag);
}

static void write_lease(struct sr_buf *xml, const struct sr_blob_lease *stored)
{
	struct sr_blob_lease lease = sr_blob_lease_at(stored, sr_unix_us() / 1000);
	sr_xml_element_str(xml, "LeaseStatus", sr_blob_lease_status_text(&lease));
	sr_xml_element_str(xml, "LeaseState", sr_blob_lease_state_text(&lease));
	if (sr_blob_lease_duration_text(&lease)) {
		sr_xml_element_str(xml, "LeaseDuration", sr_blob_lease_duration_text(&lease));
	}
}

static void write_metadata(struct list *list, struct sr_bytes packed)
{
	if (!(list->include & INCLUDE_METADATA) || packed.len == 0) {
		return;
	}
	struct sr_reader reader = sr_reader_of(packed);
	struct sr_bytes name;
	struct sr_bytes value;
	sr_xml_open(list->xml, "Metadata");
	while (sr_blob_metadata_next(&reader, &name, &value)) {
		/* a metadata name is an identifier, so it is an element's name as it stands */
		sr_buf_printf(list->xml, "<%.*s>", (int)name.len, (const char *)name.data);
		sr_xml_text(list->xml, value);
		sr_buf_printf(list->xml, "</%.*s>", (int)name.len, (const char *)name.data);
	}
	sr_xml_close(list->xml, "Metadata");
}

static struct sr_result write_container(const struct sr_container_row *row, void *context)
{
	struct list *list = context;
	struct sr_buf *xml = list->xml;
	if (list->max-- == 0) {
		list->next = sr_arena_copy(list->request->arena, row->name);
		return sr_ok();
	}
	sr_xml_open(xml, "Container");
	sr_xml_element(xml, "Name", row->name);
	sr_xml_open(xml, "Properties");
	write_date(xml, "Last-Modified", row->modified);
	write_etag(xml, row->etag);
	write_lease(xml, &row->lease);
	sr_xml_element_str(xml, "HasImmutabilityPolicy", "false");
	sr_xml_element_str(xml, "HasLegalHold", "false");
	sr_xml_close(xml, "Properties");
	write_metadata(list, row->metadata);
	sr_xml_close(xml, "Container");
	return sr_ok();
}

static struct sr_result containers_in_transaction(struct sr_connection *connection, void *context)
{
	struct list *list = context;
	return sr_container_each(connection, list->request->arena, list->prefix, list->from, (unsigned)list->max + 1,
	                         write_container, list);
}

struct sr_result sr_list_containers(struct sr_blob_request *request)
{
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(xml_max);
	struct list list = {.xml = &xml};
	SR_TRY(parse(request, &list));
	write_head(&list);
	sr_xml_open(&xml, "Containers");
	SR_TRY(sr_database_read(request->volume->database, containers_in_transaction, &list));
	sr_xml_close(&xml, "Containers");
	write_tail(&list);
	return sr_blob_respond_xml(request, &xml);
}

static void element_if_set(struct sr_buf *xml, const char *name, const char *text)
{
	if (text) {
		sr_xml_element_str(xml, name, text);
	} else {
		sr_xml_element(xml, name, (struct sr_bytes){0});
	}
}

static void write_content_headers(struct sr_buf *xml, const struct sr_blob_content_headers *headers)
{
	element_if_set(xml, "Content-Type", headers->content_type);
	element_if_set(xml, "Content-Encoding", headers->content_encoding);
	element_if_set(xml, "Content-Language", headers->content_language);
	sr_xml_open(xml, "Content-MD5");
	sr_base64_encode(xml, headers->content_md5);
	sr_xml_close(xml, "Content-MD5");
	element_if_set(xml, "Cache-Control", headers->cache_control);
	element_if_set(xml, "Content-Disposition", headers->content_disposition);
}

static struct sr_result write_blob(const struct sr_blob_row *row, void *context)
{
	struct list *list = context;
	struct sr_buf *xml = list->xml;
	sr_xml_open(xml, "Blob");
	write_name(xml, "Name", row->name);
	sr_xml_open(xml, "Properties");
	write_date(xml, "Creation-Time", row->created);
	write_date(xml, "Last-Modified", row->modified);
	write_etag(xml, row->etag);
	sr_xml_element_int(xml, "Content-Length", (int64_t)row->length);
	write_content_headers(xml, &row->headers);
	sr_xml_element_str(xml, "BlobType", sr_blob_kind_text(row->kind));
	sr_xml_element_str(xml, "AccessTier", sr_blob_tier_text(row->tier));
	if (row->tier_changed) {
		write_date(xml, "AccessTierChangeTime", row->tier_changed);
	} else {
		sr_xml_element_str(xml, "AccessTierInferred", "true");
	}
	write_lease(xml, &row->lease);
	sr_xml_element_str(xml, "ServerEncrypted", "true");
	sr_xml_close(xml, "Properties");
	write_metadata(list, row->metadata);
	sr_xml_close(xml, "Blob");
	return sr_ok();
}

static struct sr_result write_prefix(struct sr_bytes prefix, void *context)
{
	struct list *list = context;
	sr_xml_open(list->xml, "BlobPrefix");
	write_name(list->xml, "Name", prefix);
	sr_xml_close(list->xml, "BlobPrefix");
	return sr_ok();
}

static struct sr_result blobs_in_transaction(struct sr_connection *connection, void *context)
{
	struct list *list = context;
	struct sr_list_query query = {
	    .prefix = list->prefix,
	    .delimiter = list->delimiter,
	    .from = list->from,
	    .max = (unsigned)list->max,
	    .with_uncommitted = list->include & INCLUDE_UNCOMMITTED,
	};
	const struct sr_list_visitor visitor = {write_blob, write_prefix, list};
	SR_TRY(sr_container_number(connection, list->request->target.container, &query.container));
	return sr_list_walk(connection, list->request->arena, &query, &visitor, &list->next);
}

struct sr_result sr_list_blobs(struct sr_blob_request *request)
{
	SR_CLEANUP(sr_buf) struct sr_buf xml = SR_BUF(xml_max);
	struct list list = {.xml = &xml};
	SR_TRY(parse(request, &list));
	const char *start = sr_blob_query(request, "startfrom");
	if (start && !list.marker.len) {
		list.from = sr_bytes_str(start);
	}
	write_head(&list);
	sr_xml_open(&xml, "Blobs");
	SR_TRY(sr_database_read(request->volume->database, blobs_in_transaction, &list));
	sr_xml_close(&xml, "Blobs");
	write_tail(&list);
	return sr_blob_respond_xml(request, &xml);
}
