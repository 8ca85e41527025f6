/* JSON (RFC 8259) by jansson, with limits: depth 64, no duplicate names, valid UTF-8. Typed reading with errors that
 * name the member. */
#ifndef SR_WIRE_JSON_H
#define SR_WIRE_JSON_H

#include "base/arena.h"
#include "base/bytes.h"

#include <jansson.h>

/* For SR_CLEANUP(sr_json) json_t *value. */
void sr_json_cleanup(json_t **value);
/* Parses a whole document; the caller owns it. SR_INVALID says where it breaks. */
SR_MUST struct sr_result sr_json_parse(struct sr_bytes text, json_t **ret_value);
/* Appends compact text. */
SR_MUST struct sr_result sr_json_write(const json_t *value, struct sr_buf *text);

/* Members of an object: absent or null leaves *ret untouched; a wrong type is SR_INVALID and names the member. Strings
 * are borrowed from the document. */
SR_MUST struct sr_result sr_json_get_string(const json_t *object, const char *name, const char **ret_text);
SR_MUST struct sr_result sr_json_get_int(const json_t *object, const char *name, int64_t *ret_value);
SR_MUST struct sr_result sr_json_get_bool(const json_t *object, const char *name, bool *ret_value);
/* Object and array members, borrowed. */
SR_MUST struct sr_result sr_json_get_object(const json_t *object, const char *name, const json_t **ret_value);
SR_MUST struct sr_result sr_json_get_array(const json_t *object, const char *name, const json_t **ret_value);
/* A base64url member, decoded into the arena; *ret_bytes untouched where it is absent. */
SR_MUST struct sr_result sr_json_get_base64url(struct sr_arena *arena, const json_t *object, const char *name,
                                               struct sr_bytes *ret_bytes);

/* Setting members; a NULL text is left out. Bytes become base64url. */
void sr_json_set_string(json_t *object, const char *name, const char *text);
void sr_json_set_int(json_t *object, const char *name, int64_t value);
void sr_json_set_bool(json_t *object, const char *name, bool value);
void sr_json_set_base64url(json_t *object, const char *name, struct sr_bytes bytes);
/* Takes `value`. */
void sr_json_set(json_t *object, const char *name, json_t *value);

#endif
