/*
 * XML as the Blob service speaks it: writing by hand, reading through libxml2's SAX interface into a small tree.
 * Not here: what the elements mean. A document type, and so every entity of a client's own, is refused.
 */
#include "wire/xml.h"

#include "base/text.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

void sr_xml_declaration(struct sr_buf *xml)
{
	sr_buf_append_str(xml, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
}

void sr_xml_open(struct sr_buf *xml, const char *name)
{
	sr_buf_append_str(xml, "<");
	sr_buf_append_str(xml, name);
	sr_buf_append_str(xml, ">");
}

void sr_xml_close(struct sr_buf *xml, const char *name)
{
	sr_buf_append_str(xml, "</");
	sr_buf_append_str(xml, name);
	sr_buf_append_str(xml, ">");
}

void sr_xml_element(struct sr_buf *xml, const char *name, struct sr_bytes text)
{
	if (text.len == 0) {
		sr_buf_append_str(xml, "<");
		sr_buf_append_str(xml, name);
		sr_buf_append_str(xml, " />");
		return;
	}
	sr_xml_open(xml, name);
	sr_xml_text(xml, text);
	sr_xml_close(xml, name);
}

void sr_xml_element_str(struct sr_buf *xml, const char *name, const char *text)
{
	sr_xml_element(xml, name, sr_bytes_str(text));
}

void sr_xml_element_int(struct sr_buf *xml, const char *name, int64_t value)
{
	sr_buf_printf(xml, "<%s>%lld</%s>", name, (long long)value, name);
}

/* What stands for a character that cannot stand for itself; white space would be normalised in an attribute. */
static const char *escape_of(uint8_t character)
{
	switch (character) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

void sr_xml_text(struct sr_buf *xml, struct sr_bytes text)
{
	size_t plain_from = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char *escape = escape_of(text.data[i]);
		if (escape) {
			sr_buf_append(xml, sr_bytes_of(text.data + plain_from, i - plain_from));
			sr_buf_append_str(xml, escape);
			plain_from = i + 1;
		}
	}
	if (text.len > plain_from) {
		sr_buf_append(xml, sr_bytes_of(text.data + plain_from, text.len - plain_from));
	}
}

/* XML 1.0 2.2: UTF-8 without control characters but tab, LF and CR, and without U+FFFE and U+FFFF. */
bool sr_xml_can_carry(struct sr_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t at = text.data[i];
		bool is_control = at < 0x20 && at != '\t' && at != '\n' && at != '\r';
		bool is_noncharacter = at == 0xef && text.len - i > 2 && text.data[i + 1] == 0xbf && text.data[i + 2] >= 0xbe;
		if (is_control || is_noncharacter) {
			return false;
		}
	}
	return sr_is_utf8(text);
}

enum { DOCUMENT_MAX = 64 << 20, ATTRIBUTES_MAX = 4096 };

/* An element that is still open; its text comes in pieces. */
struct open_element {
	struct sr_xml_node *node;
	struct sr_xml_node *last_child;
	struct sr_buf text;
};

struct reading {
	struct sr_arena *arena;
	xmlParserCtxt *parser; /* owned */
	struct sr_xml_node *root;
	struct open_element open[SR_XML_DEPTH_MAX];
	size_t depth;
	size_t node_count;
	int error_line;
	struct sr_result refused; /* owned; why we stopped the parser, if we did */
};

static void reading_cleanup(struct reading *reading)
{
	for (size_t i = 0; i < SR_XML_DEPTH_MAX; i++) {
		sr_buf_free(&reading->open[i].text);
	}
	xmlFreeParserCtxt(reading->parser);
	sr_result_free(reading->refused);
}

static void refuse(struct reading *reading, struct sr_result why)
{
	reading->refused = sr_first_error(reading->refused, why);
	xmlStopParser(reading->parser);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                     const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **attributes)
{
	(void)prefix, (void)uri, (void)namespace_count, (void)namespaces;
	(void)attribute_count, (void)defaulted_count, (void)attributes;
	struct reading *reading = context;
	if (reading->depth == SR_XML_DEPTH_MAX) {
		refuse(reading, sr_fail(SR_TOO_LARGE, "XML nests deeper than %d", SR_XML_DEPTH_MAX));
		return;
	}
	if (reading->node_count++ == SR_XML_NODES_MAX) {
		refuse(reading, sr_fail(SR_TOO_LARGE, "XML has more than %d elements", SR_XML_NODES_MAX));
		return;
	}
	struct sr_xml_node *node = sr_arena_alloc(reading->arena, sizeof *node);
	node->name = sr_arena_strdup(reading->arena, (const char *)name);
	if (reading->depth == 0) {
		reading->root = node;
	} else {
		struct open_element *parent = &reading->open[reading->depth - 1];
		*(parent->last_child ? &parent->last_child->next : &parent->node->children) = node;
		parent->last_child = node;
	}
	struct open_element *element = &reading->open[reading->depth++];
	element->node = node;
	element->last_child = NULL;
	sr_buf_reset(&element->text);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	(void)name, (void)prefix, (void)uri;
	struct reading *reading = context;
	if (reading->depth == 0) {
		return;
	}
	struct open_element *element = &reading->open[--reading->depth];
	element->node->text = sr_arena_copy(reading->arena, sr_buf_bytes(&element->text));
	if (element->text.failed) {
		refuse(reading, sr_fail(SR_NO_MEMORY, "no memory for an XML element's text"));
	}
}

static void on_text(void *context, const xmlChar *text, int len)
{
	struct reading *reading = context;
	if (reading->depth && len > 0) {
		sr_buf_append(&reading->open[reading->depth - 1].text, sr_bytes_of(text, (size_t)len));
	}
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	(void)name, (void)public_id, (void)system_id;
	refuse(context, sr_fail(SR_INVALID, "XML with a document type is not taken"));
}

/* libxml2 reports warnings and recoverable errors too; only the first line is kept. */
static void on_error(void *context, xmlErrorPtr error)
{
	struct reading *reading = context;
	if (!reading->error_line) {
		reading->error_line = error->line;
	}
}

static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC,
    .internalSubset = on_document_type,
    .characters = on_text,
    .cdataBlock = on_text,
    .ignorableWhitespace = on_text,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .serror = on_error,
};

/*
 * True unless there may be more than ATTRIBUTES_MAX attributes: '=' with a quote behind it, anywhere. libxml2 compares
 * each attribute of an element with all others, which takes minutes for a few hundred thousand of them.
 */
static bool has_few_attributes(struct sr_bytes document)
{
	size_t count = 0;
	bool behind_equals = false;
	for (size_t i = 0; i < document.len; i++) {
		uint8_t at = document.data[i];
		count += behind_equals && (at == '"' || at == '\'');
		bool is_space = at == ' ' || at == '\t' || at == '\n' || at == '\r';
		behind_equals = at == '=' || (behind_equals && is_space);
	}
	return count <= ATTRIBUTES_MAX;
}

static pthread_once_t libxml2_once = PTHREAD_ONCE_INIT;

/* Runs the parser over the document; true if it was well-formed. UTF-8 whatever the declaration says. */
static bool run_parser(struct reading *reading, struct sr_bytes document)
{
	const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC;
	xmlDoc *none =
	    xmlCtxtReadMemory(reading->parser, (const char *)document.data, (int)document.len, NULL, "UTF-8", options);
	xmlFreeDoc(none); /* our handlers build none */
	return reading->parser->wellFormed && reading->root && reading->depth == 0;
}

struct sr_result sr_xml_parse(struct sr_arena *arena, struct sr_bytes document, const struct sr_xml_node **ret_root)
{
	if (document.len > DOCUMENT_MAX || !has_few_attributes(document)) {
		return sr_fail(SR_TOO_LARGE, "XML is over %d bytes or has more than %d attributes", DOCUMENT_MAX,
		               ATTRIBUTES_MAX);
	}
	/* libxml2 takes a NUL for the end and would not see what is behind it. */
	if (document.len == 0 || memchr(document.data, 0, document.len)) {
		return sr_fail(SR_INVALID, "XML is empty or holds a NUL");
	}
	pthread_once(&libxml2_once, xmlInitParser);
	SR_CLEANUP(reading) struct reading reading = {.arena = arena};
	for (size_t i = 0; i < SR_XML_DEPTH_MAX; i++) {
		reading.open[i].text = SR_BUF(DOCUMENT_MAX);
	}
	reading.parser = xmlNewParserCtxt();
	if (!reading.parser) {
		return sr_fail(SR_NO_MEMORY, "no memory for an XML parser");
	}
	*reading.parser->sax = handlers;
	reading.parser->userData = &reading;
	bool is_well_formed = run_parser(&reading, document);
	if (!sr_is_ok(reading.refused)) {
		return sr_result_take(&reading.refused);
	}
	if (reading.parser->errNo == XML_ERR_NO_MEMORY) {
		return sr_fail(SR_NO_MEMORY, "no memory for XML of %zu bytes", document.len);
	}
	if (!is_well_formed) {
		return sr_fail(SR_INVALID, "not well-formed XML at line %d", reading.error_line);
	}
	*ret_root = reading.root;
	return sr_ok();
}

const struct sr_xml_node *sr_xml_child(const struct sr_xml_node *node, const char *name)
{
	for (const struct sr_xml_node *child = node->children; child; child = child->next) {
		if (strcmp(child->name, name) == 0) {
			return child;
		}
	}
	return NULL;
}
