/* XML as the Blob service speaks it: an escaping writer of our own, and reading through libxml2 without entities, DTDs
 * or network. */
#ifndef SR_WIRE_XML_H
#define SR_WIRE_XML_H

#include "base/arena.h"
#include "base/bytes.h"

/* Writing. Names are literals of ours. Text that XML 1.0 cannot carry (control characters) is written percent-encoded
 * by the caller, who asks first. */
void sr_xml_declaration(struct sr_buf *xml);
void sr_xml_open(struct sr_buf *xml, const char *name);
void sr_xml_close(struct sr_buf *xml, const char *name);
/* <name>text</name>, escaped; an empty text gives <name />. */
void sr_xml_element(struct sr_buf *xml, const char *name, struct sr_bytes text);
void sr_xml_element_str(struct sr_buf *xml, const char *name, const char *text);
void sr_xml_element_int(struct sr_buf *xml, const char *name, int64_t value);
/* Escaped text, also right inside a double-quoted attribute. */
void sr_xml_text(struct sr_buf *xml, struct sr_bytes text);
/* True if XML 1.0 can carry the text. */
bool sr_xml_can_carry(struct sr_bytes text);

/* Reading: a document as a tree of elements in an arena, attributes left out. SR_INVALID for what is no well-formed
 * XML; SR_TOO_LARGE past the limits. */
struct sr_xml_node {
	const char *name;             /* without namespace prefix */
	struct sr_bytes text;         /* its own text, NUL behind it */
	struct sr_xml_node *children; /* first child */
	struct sr_xml_node *next;     /* next sibling */
};
enum { SR_XML_DEPTH_MAX = 16, SR_XML_NODES_MAX = 200000 };
SR_MUST struct sr_result sr_xml_parse(struct sr_arena *arena, struct sr_bytes document,
                                      const struct sr_xml_node **ret_root);
/* The first child of a name, or NULL. */
const struct sr_xml_node *sr_xml_child(const struct sr_xml_node *node, const char *name);

#endif
