/*
 * The exported form of an audit log: lines of JSON in a fixed form, each as long as it must be and no longer, which
 * verify without the installation:
 *
 *   {"type":"strongroom-audit-export","version":1,"service":"vault","log":"32 hex"}
 *   {"key":"32 hex","public":"Base64 of the SubjectPublicKeyInfo"}            every key that the log had
 *   {"seq":1,"hash":"64 hex","entry":{…}}                                     the entries, each followed by
 *   {"checkpoint":1,"signature":"Base64","statement":{…}}                     the checkpoints that cover it
 *   {"end":true,"entries":N,"checkpoints":M}
 *
 * Pure; a reader takes the lines one by one.
 */
#ifndef SR_AUDIT_LINE_H
#define SR_AUDIT_LINE_H

#include "audit/verifier.h"

enum { SR_AUDIT_LINE_MAX = SR_AUDIT_ENTRY_MAX + 1024 };

/* Each appends a line with its end. */
void sr_audit_line_head(const char *service, const struct sr_id *log, struct sr_buf *line);
void sr_audit_line_key(const struct sr_audit_key *key, struct sr_buf *line);
void sr_audit_line_entry(uint64_t seq, struct sr_bytes entry, struct sr_bytes hash, struct sr_buf *line);
void sr_audit_line_checkpoint(uint64_t number, struct sr_bytes statement, struct sr_bytes signature,
                              struct sr_buf *line);
void sr_audit_line_end(uint64_t entries, uint64_t checkpoints, struct sr_buf *line);

/* What an anchor file holds: one checkpoint's line, its end may be missing. Text is borrowed from the file's. */
struct sr_audit_anchor {
	struct sr_bytes text; /* the statement */
	struct sr_audit_statement statement;
};
SR_MUST struct sr_result sr_audit_anchor_read(struct sr_bytes file, struct sr_audit_anchor *ret_anchor);

/* Feeds an export to a verifier, line by line (without their ends). */
struct sr_audit_reader {
	struct sr_audit_verifier *verifier; /* borrowed */
	enum { SR_AUDIT_AT_HEAD, SR_AUDIT_AT_KEYS, SR_AUDIT_AT_ENTRIES, SR_AUDIT_AT_END } place;
	uint64_t checkpoints;
};
SR_MUST struct sr_result sr_audit_reader_line(struct sr_audit_reader *reader, struct sr_bytes line);
/* All lines were fed; `has_tail`: the file's last line had no end. An export whose entries are not all covered by a
 * checkpoint, or that has no end, is broken. */
SR_MUST struct sr_result sr_audit_reader_finish(struct sr_audit_reader *reader, bool has_tail,
                                                struct sr_audit_verdict *ret_verdict);

#endif
