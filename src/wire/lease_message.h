/*
 * The lease protocol's messages (docs/leases.md has the table): one frame, one message, binary, big-endian.
 * Pure functions; who sends what when, and the clocks, are keyring's and vault's.
 */
#ifndef SR_WIRE_LEASE_MESSAGE_H
#define SR_WIRE_LEASE_MESSAGE_H

#include "base/text.h"

enum {
	SR_LEASE_VERSION = 2,
	SR_LEASE_FRAME_MAX = 1 << 20,
	SR_LEASE_ITEM_MAX = 16384, /* leases or resources in one message; more go in several */
	SR_LEASE_SEALED_MAX = 512,
	SR_LEASE_TEXT_MAX = 512,
	SR_LEASE_NAME_MAX = 127, /* a key's, a vault's, a version's, a kind's */
	SR_LEASE_PUBLIC_LEN = 32 /* the holder's ephemeral handover key */
};

enum sr_lease_kind {
	SR_LEASE_HELLO = 1,
	SR_LEASE_WELCOME = 2,
	SR_LEASE_OPEN = 3,
	SR_LEASE_GRANT = 4,
	SR_LEASE_RENEW = 5,
	SR_LEASE_RENEWED = 6,
	SR_LEASE_RECALL = 7,
	SR_LEASE_RECALLED = 8,
	SR_LEASE_RELEASE = 9,
	SR_LEASE_CREATE = 10,
	SR_LEASE_REKEY = 11,
	SR_LEASE_DESTROY = 12,
	SR_LEASE_DESCRIBE = 13,
	SR_LEASE_ANSWER = 14,
	SR_LEASE_NOTE = 15,
	SR_LEASE_KIND_END
};

/* Why a key may not be used; the names are keyring.h's. */
enum sr_lease_reason {
	SR_LEASE_NO_REASON,
	SR_LEASE_KEY_DISABLED,
	SR_LEASE_KEY_EXPIRED,
	SR_LEASE_KEY_NOT_YET_VALID,
	SR_LEASE_KEY_NOT_FOUND,
	SR_LEASE_KEY_FORBIDDEN,
	SR_LEASE_VAULT_UNREACHABLE,
	SR_LEASE_REASON_END
};
/* "KeyDisabled" and so on; NULL for SR_LEASE_NO_REASON. Static. */
const char *sr_lease_reason_name(enum sr_lease_reason reason);
/* By name; SR_LEASE_NO_REASON for NULL and for names that are not in the list. */
enum sr_lease_reason sr_lease_reason_of(const char *name);

/* How a request ended; code SR_OK: well. Only codes of the protocol's table travel; others become SR_INTERNAL. */
struct sr_lease_verdict {
	enum sr_code code;
	enum sr_lease_reason reason;
	struct sr_bytes text;
};
/* The verdict of a result, its text borrowed from it. */
struct sr_lease_verdict sr_lease_verdict_of(struct sr_result result);
/* The result of a verdict: sr_ok, or an error of its code, reason and text. */
SR_MUST struct sr_result sr_lease_verdict_result(const struct sr_lease_verdict *verdict);

/* The key that a KEK is under. */
struct sr_lease_key {
	bool is_service_managed;
	bool follows_latest;
	struct sr_bytes vault, name, version;
};

/* One message. A kind uses the members that docs/leases.md names; the rest stay zero. Bytes are borrowed. */
struct sr_lease_message {
	enum sr_lease_kind kind;
	uint16_t lowest_version, highest_version; /* HELLO */
	uint16_t version;                         /* WELCOME */
	struct sr_id instance;                    /* HELLO, WELCOME: of the process that speaks */
	uint8_t public_key[SR_LEASE_PUBLIC_LEN];  /* HELLO */
	uint32_t ttl_ms;
	uint64_t request; /* counts up within a holder's life; its answer bears it */
	struct sr_id resource;
	struct sr_id lease;
	uint64_t revocation_epoch;
	uint32_t kek_epoch;
	uint64_t anchor; /* GRANT: the least that the resource's database may have; NOTE: what it has now */
	struct sr_bytes sealed_kek;
	enum sr_lease_reason reason;
	struct sr_bytes items; /* RENEW, RENEWED, RECALL: see below */
	struct sr_lease_verdict verdict;
	struct sr_bytes resource_kind, label;
	struct sr_lease_key key;
};

/* Appends the message's frame to `frame`; what does not fit fails the buffer. */
void sr_lease_message_write(const struct sr_lease_message *message, struct sr_buf *frame);
/* Takes one frame apart; SR_PROTOCOL for anything but exactly one whole message. */
SR_MUST struct sr_result sr_lease_message_read(struct sr_bytes frame, struct sr_lease_message *ret_message);

/*
 * Lists: RENEW has a resource and a lease an item; RENEWED those and a verdict's code and reason (without text);
 * RECALL a resource. The same struct serves all; a kind leaves the rest zero.
 */
struct sr_lease_item {
	struct sr_id resource;
	struct sr_id lease;
	enum sr_code code;
	enum sr_lease_reason reason;
};
/* Appends one item of a `kind` list, for sr_lease_message.items. */
void sr_lease_item_append(struct sr_buf *items, enum sr_lease_kind kind, const struct sr_lease_item *item);
size_t sr_lease_item_count(const struct sr_lease_message *message);
/* The item at `index` < count of a message that was read. */
struct sr_lease_item sr_lease_item_at(const struct sr_lease_message *message, size_t index);

/* Appends what the KEK's handover is tied to: instance ‖ lease ‖ resource ‖ both epochs (of a GRANT). */
void sr_lease_handover_aad(const struct sr_id *instance, const struct sr_lease_message *grant, struct sr_buf *aad);

#endif
