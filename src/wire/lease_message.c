/*
 * The lease protocol's messages. Each kind's members stand in one table, which writing and reading
 * both follow, so that they cannot differ. No I/O, no clock.
 */
#include "wire/lease_message.h"

#include <string.h>

static const struct sr_bytes magic = {(const uint8_t *)"SRlease", 8};

enum field {
	END,
	MAGIC,
	VERSIONS,
	INSTANCE,
	PUBLIC_KEY,
	VERSION,
	TTL,
	REQUEST,
	RESOURCE,
	LEASE,
	REVOCATION_EPOCH,
	KEK_EPOCH,
	ANCHOR,
	SEALED_KEK,
	REASON,
	ITEMS,
	VERDICT,
	RESOURCE_KIND,
	LABEL,
	KEY
};

enum { FIELD_MAX = 9, KEY_IS_SERVICE_MANAGED = 1, KEY_FOLLOWS_LATEST = 2, KEY_FLAGS = 3 };

static const struct {
	const char *name;
	enum field fields[FIELD_MAX];
	uint8_t item_len;
} shapes[SR_LEASE_KIND_END] = {
    [SR_LEASE_HELLO] = {"lease hello", {MAGIC, VERSIONS, INSTANCE, PUBLIC_KEY}, 0},
    [SR_LEASE_WELCOME] = {"lease welcome", {MAGIC, VERSION, INSTANCE, TTL}, 0},
    [SR_LEASE_OPEN] = {"lease open", {REQUEST, RESOURCE}, 0},
    [SR_LEASE_GRANT] = {"lease grant",
                        {REQUEST, RESOURCE, LEASE, REVOCATION_EPOCH, KEK_EPOCH, ANCHOR, TTL, SEALED_KEK},
                        0},
    [SR_LEASE_RENEW] = {"lease renew", {REQUEST, ITEMS}, 2 * SR_ID_LEN},
    [SR_LEASE_RENEWED] = {"lease renewed", {REQUEST, TTL, ITEMS}, 2 * SR_ID_LEN + 2},
    [SR_LEASE_RECALL] = {"lease recall", {REVOCATION_EPOCH, REASON, ITEMS}, SR_ID_LEN},
    [SR_LEASE_RECALLED] = {"lease recalled", {RESOURCE, REVOCATION_EPOCH}, 0},
    [SR_LEASE_RELEASE] = {"lease release", {RESOURCE, LEASE}, 0},
    [SR_LEASE_CREATE] = {"lease create", {REQUEST, RESOURCE, RESOURCE_KIND, LABEL, KEY}, 0},
    [SR_LEASE_REKEY] = {"lease rekey", {REQUEST, RESOURCE, KEY}, 0},
    [SR_LEASE_DESTROY] = {"lease destroy", {REQUEST, RESOURCE}, 0},
    [SR_LEASE_DESCRIBE] = {"lease describe", {REQUEST, RESOURCE}, 0},
    [SR_LEASE_NOTE] = {"lease note", {REQUEST, RESOURCE, ANCHOR}, 0},
    [SR_LEASE_ANSWER] = {"lease answer", {REQUEST, RESOURCE, VERDICT, KEY}, 0},
};

static const char *const reason_names[SR_LEASE_REASON_END] = {
    [SR_LEASE_KEY_DISABLED] = "KeyDisabled",         [SR_LEASE_KEY_EXPIRED] = "KeyExpired",
    [SR_LEASE_KEY_NOT_YET_VALID] = "KeyNotYetValid", [SR_LEASE_KEY_NOT_FOUND] = "KeyNotFound",
    [SR_LEASE_KEY_FORBIDDEN] = "KeyForbidden",       [SR_LEASE_VAULT_UNREACHABLE] = "VaultUnreachable",
};

/* Codes by their number on the wire, which never changes; what is not here travels as SR_INTERNAL. */
static const enum sr_code codes[] = {SR_OK,        SR_INTERNAL, SR_NOT_FOUND, SR_EXISTS,       SR_INVALID,
                                     SR_DENIED,    SR_CONFLICT, SR_REVOKED,   SR_PRECONDITION, SR_TOO_LARGE,
                                     SR_WRONG_KEY, SR_CORRUPT,  SR_NO_SPACE,  SR_UNAVAILABLE,  SR_NO_MEMORY};
enum { CODE_COUNT = sizeof codes / sizeof *codes, CODE_INTERNAL = 1 };

const char *sr_lease_reason_name(enum sr_lease_reason reason)
{
	return reason < SR_LEASE_REASON_END ? reason_names[reason] : NULL;
}

enum sr_lease_reason sr_lease_reason_of(const char *name)
{
	for (unsigned i = 1; name && i < SR_LEASE_REASON_END; i++) {
		if (strcmp(name, reason_names[i]) == 0) {
			return (enum sr_lease_reason)i;
		}
	}
	return SR_LEASE_NO_REASON;
}

struct sr_lease_verdict sr_lease_verdict_of(struct sr_result result)
{
	struct sr_bytes text = sr_bytes_str(sr_result_message(result));
	text.len = text.len > SR_LEASE_TEXT_MAX ? SR_LEASE_TEXT_MAX : text.len;
	return (struct sr_lease_verdict){
	    .code = sr_result_code(result), .reason = sr_lease_reason_of(sr_result_reason(result)), .text = text};
}

struct sr_result sr_lease_verdict_result(const struct sr_lease_verdict *verdict)
{
	if (verdict->code == SR_OK) {
		return sr_ok();
	}
	const char *text = verdict->text.len ? (const char *)verdict->text.data : "";
	const char *reason = sr_lease_reason_name(verdict->reason);
	if (reason) {
		return sr_fail_as(verdict->code, reason, "%.*s", (int)verdict->text.len, text);
	}
	return sr_fail(verdict->code, "%.*s", (int)verdict->text.len, text);
}

static uint8_t code_to_wire(enum sr_code code)
{
	for (unsigned i = 0; i < CODE_COUNT; i++) {
		if (codes[i] == code) {
			return (uint8_t)i;
		}
	}
	return CODE_INTERNAL;
}

/* A code of a later minor version is an error all the same. */
static enum sr_code code_from_wire(uint8_t number)
{
	return number < CODE_COUNT ? codes[number] : SR_INTERNAL;
}

static enum sr_lease_reason reason_from_wire(uint8_t number)
{
	return number < SR_LEASE_REASON_END ? (enum sr_lease_reason)number : SR_LEASE_NO_REASON;
}

static void put_key(const struct sr_lease_key *key, struct sr_buf *frame)
{
	sr_buf_append_u8(frame, (uint8_t)((key->is_service_managed ? KEY_IS_SERVICE_MANAGED : 0) |
	                                  (key->follows_latest ? KEY_FOLLOWS_LATEST : 0)));
	sr_buf_append_block(frame, key->vault);
	sr_buf_append_block(frame, key->name);
	sr_buf_append_block(frame, key->version);
}

static void take_key(struct sr_reader *reader, struct sr_lease_key *ret_key)
{
	uint8_t flags = sr_reader_u8(reader);
	reader->failed |= (flags & ~KEY_FLAGS) != 0;
	ret_key->is_service_managed = flags & KEY_IS_SERVICE_MANAGED;
	ret_key->follows_latest = flags & KEY_FOLLOWS_LATEST;
	ret_key->vault = sr_reader_block(reader, SR_LEASE_NAME_MAX);
	ret_key->name = sr_reader_block(reader, SR_LEASE_NAME_MAX);
	ret_key->version = sr_reader_block(reader, SR_LEASE_NAME_MAX);
}

static void put_verdict(const struct sr_lease_verdict *verdict, struct sr_buf *frame)
{
	sr_buf_append_u8(frame, code_to_wire(verdict->code));
	sr_buf_append_u8(frame, (uint8_t)verdict->reason);
	sr_buf_append_block(frame, verdict->text);
}

static void take_verdict(struct sr_reader *reader, struct sr_lease_verdict *ret_verdict)
{
	ret_verdict->code = code_from_wire(sr_reader_u8(reader));
	ret_verdict->reason = reason_from_wire(sr_reader_u8(reader));
	ret_verdict->text = sr_reader_block(reader, SR_LEASE_TEXT_MAX);
}

static void put_field(const struct sr_lease_message *message, enum field field, struct sr_buf *frame)
{
	switch (field) {
	case END:
		break;
	case MAGIC:
		sr_buf_append(frame, magic);
		break;
	case VERSIONS:
		sr_buf_append_u16(frame, message->lowest_version);
		sr_buf_append_u16(frame, message->highest_version);
		break;
	case INSTANCE:
		sr_buf_append(frame, sr_id_bytes(&message->instance));
		break;
	case PUBLIC_KEY:
		sr_buf_append(frame, sr_bytes_of(message->public_key, SR_LEASE_PUBLIC_LEN));
		break;
	case VERSION:
		sr_buf_append_u16(frame, message->version);
		break;
	case TTL:
		sr_buf_append_u32(frame, message->ttl_ms);
		break;
	case REQUEST:
		sr_buf_append_u64(frame, message->request);
		break;
	case RESOURCE:
		sr_buf_append(frame, sr_id_bytes(&message->resource));
		break;
	case LEASE:
		sr_buf_append(frame, sr_id_bytes(&message->lease));
		break;
	case REVOCATION_EPOCH:
		sr_buf_append_u64(frame, message->revocation_epoch);
		break;
	case KEK_EPOCH:
		sr_buf_append_u32(frame, message->kek_epoch);
		break;
	case ANCHOR:
		sr_buf_append_u64(frame, message->anchor);
		break;
	case SEALED_KEK:
		sr_buf_append_block(frame, message->sealed_kek);
		break;
	case REASON:
		sr_buf_append_u8(frame, (uint8_t)message->reason);
		break;
	case ITEMS:
		sr_buf_append_block(frame, message->items);
		break;
	case VERDICT:
		put_verdict(&message->verdict, frame);
		break;
	case RESOURCE_KIND:
		sr_buf_append_block(frame, message->resource_kind);
		break;
	case LABEL:
		sr_buf_append_block(frame, message->label);
		break;
	case KEY:
		put_key(&message->key, frame);
		break;
	}
}

static void take_field(struct sr_reader *reader, enum field field, struct sr_lease_message *ret_message)
{
	switch (field) {
	case END:
		break;
	case MAGIC:
		reader->failed |= !sr_equal_public(sr_reader_bytes(reader, magic.len), magic);
		break;
	case VERSIONS:
		ret_message->lowest_version = sr_reader_u16(reader);
		ret_message->highest_version = sr_reader_u16(reader);
		reader->failed |= ret_message->lowest_version > ret_message->highest_version;
		break;
	case INSTANCE:
		sr_reader_copy(reader, ret_message->instance.bytes, SR_ID_LEN);
		break;
	case PUBLIC_KEY:
		sr_reader_copy(reader, ret_message->public_key, SR_LEASE_PUBLIC_LEN);
		break;
	case VERSION:
		ret_message->version = sr_reader_u16(reader);
		break;
	case TTL:
		ret_message->ttl_ms = sr_reader_u32(reader);
		reader->failed |= ret_message->ttl_ms == 0;
		break;
	case REQUEST:
		ret_message->request = sr_reader_u64(reader);
		break;
	case RESOURCE:
		sr_reader_copy(reader, ret_message->resource.bytes, SR_ID_LEN);
		break;
	case LEASE:
		sr_reader_copy(reader, ret_message->lease.bytes, SR_ID_LEN);
		break;
	case REVOCATION_EPOCH:
		ret_message->revocation_epoch = sr_reader_u64(reader);
		break;
	case KEK_EPOCH:
		ret_message->kek_epoch = sr_reader_u32(reader);
		break;
	case ANCHOR:
		ret_message->anchor = sr_reader_u64(reader);
		break;
	case SEALED_KEK:
		ret_message->sealed_kek = sr_reader_block(reader, SR_LEASE_SEALED_MAX);
		break;
	case REASON:
		ret_message->reason = reason_from_wire(sr_reader_u8(reader));
		break;
	case ITEMS: {
		size_t item_len = shapes[ret_message->kind].item_len;
		ret_message->items = sr_reader_block(reader, item_len * SR_LEASE_ITEM_MAX);
		reader->failed |= ret_message->items.len % item_len != 0;
		break;
	}
	case VERDICT:
		take_verdict(reader, &ret_message->verdict);
		break;
	case RESOURCE_KIND:
		ret_message->resource_kind = sr_reader_block(reader, SR_LEASE_NAME_MAX);
		break;
	case LABEL:
		ret_message->label = sr_reader_block(reader, SR_LEASE_TEXT_MAX);
		break;
	case KEY:
		take_key(reader, &ret_message->key);
		break;
	}
}

void sr_lease_message_write(const struct sr_lease_message *message, struct sr_buf *frame)
{
	sr_buf_append_u8(frame, (uint8_t)message->kind);
	for (unsigned i = 0; i < FIELD_MAX; i++) {
		put_field(message, shapes[message->kind].fields[i], frame);
	}
}

struct sr_result sr_lease_message_read(struct sr_bytes frame, struct sr_lease_message *ret_message)
{
	struct sr_reader reader = sr_reader_of(frame);
	uint8_t kind = sr_reader_u8(&reader);
	if (kind == 0 || kind >= SR_LEASE_KIND_END) {
		return sr_fail(SR_PROTOCOL, "read a lease message: there is no kind %u", kind);
	}
	struct sr_lease_message message = {.kind = (enum sr_lease_kind)kind};
	for (unsigned i = 0; i < FIELD_MAX; i++) {
		take_field(&reader, shapes[kind].fields[i], &message);
	}
	SR_TRY(sr_reader_finish(&reader, shapes[kind].name));
	*ret_message = message;
	return sr_ok();
}

void sr_lease_item_append(struct sr_buf *items, enum sr_lease_kind kind, const struct sr_lease_item *item)
{
	sr_buf_append(items, sr_id_bytes(&item->resource));
	if (kind == SR_LEASE_RECALL) {
		return;
	}
	sr_buf_append(items, sr_id_bytes(&item->lease));
	if (kind == SR_LEASE_RENEWED) {
		sr_buf_append_u8(items, code_to_wire(item->code));
		sr_buf_append_u8(items, (uint8_t)item->reason);
	}
}

size_t sr_lease_item_count(const struct sr_lease_message *message)
{
	size_t item_len = shapes[message->kind].item_len;
	return item_len ? message->items.len / item_len : 0;
}

struct sr_lease_item sr_lease_item_at(const struct sr_lease_message *message, size_t index)
{
	size_t item_len = shapes[message->kind].item_len;
	struct sr_reader reader = sr_reader_of(sr_bytes_of(message->items.data + index * item_len, item_len));
	struct sr_lease_item item = {0};
	sr_reader_copy(&reader, item.resource.bytes, SR_ID_LEN);
	if (message->kind != SR_LEASE_RECALL) {
		sr_reader_copy(&reader, item.lease.bytes, SR_ID_LEN);
	}
	if (message->kind == SR_LEASE_RENEWED) {
		item.code = code_from_wire(sr_reader_u8(&reader));
		item.reason = reason_from_wire(sr_reader_u8(&reader));
	}
	return item;
}

void sr_lease_handover_aad(const struct sr_id *instance, const struct sr_lease_message *grant, struct sr_buf *aad)
{
	sr_buf_append(aad, sr_id_bytes(instance));
	sr_buf_append(aad, sr_id_bytes(&grant->lease));
	sr_buf_append(aad, sr_id_bytes(&grant->resource));
	sr_buf_append_u64(aad, grant->revocation_epoch);
	sr_buf_append_u32(aad, grant->kek_epoch);
}
