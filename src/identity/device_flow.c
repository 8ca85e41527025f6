/* The table of waiting device authorizations. */
#include "identity/device_flow.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"
#include "seal/crypto.h"

#include <string.h>

enum { CODE_ENTROPY_LEN = 32, CODE_LETTERS = 8, POLL_SLACK_MS = 1000, REMEMBERED_MS = 600 * 1000 };

/* Consonants, so that no word appears, and none that is taken for another or for a digit. */
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
enum { LETTER_COUNT = sizeof letters - 1 };

struct flow {
	bool is_used;
	bool is_expired; /* remembered for a while, so that the device is told why */
	uint8_t device_hash[SR_SHA256_LEN];
	char user_code[CODE_LETTERS + 1];
	uint64_t expires_ms;
	uint64_t next_poll_ms;
	enum sr_device_state state;
	char person[SR_GUID_TEXT_LEN];
	struct sr_device_ask ask;
};

struct sr_device_flows {
	struct sr_mutex mutex; /* guards the rest */
	struct flow flows[SR_DEVICE_FLOWS_MAX];
};

struct sr_device_flows *sr_device_flows_new(void)
{
	struct sr_device_flows *flows = sr_alloc(sizeof *flows);
	sr_mutex_init(&flows->mutex, SR_RANK_LEAF);
	return flows;
}

void sr_device_flows_free(struct sr_device_flows *flows)
{
	if (flows) {
		sr_mutex_destroy(&flows->mutex);
		sr_free(flows);
	}
}

/* Expired ones are kept a while as expired, then their places are free. */
static void age(struct sr_device_flows *flows, uint64_t now_ms)
{
	for (size_t i = 0; i < SR_DEVICE_FLOWS_MAX; i++) {
		struct flow *flow = &flows->flows[i];
		if (flow->is_used && flow->expires_ms <= now_ms) {
			flow->is_expired = true;
			flow->is_used = flow->expires_ms + REMEMBERED_MS > now_ms;
		}
	}
}

/* A free place, else one that is only remembered; NULL: all wait, or too many from this address. */
static struct flow *make_room(struct sr_device_flows *flows, const char *address)
{
	struct flow *place = NULL;
	size_t from_address = 0;
	for (size_t i = 0; i < SR_DEVICE_FLOWS_MAX; i++) {
		struct flow *flow = &flows->flows[i];
		bool is_waiting = flow->is_used && !flow->is_expired;
		from_address += is_waiting && strcmp(flow->ask.address, address) == 0;
		if (!is_waiting && (!place || !flow->is_used)) {
			place = flow;
		}
	}
	return from_address < SR_DEVICE_FLOWS_OF_ADDRESS_MAX ? place : NULL;
}

/* What a person typed, as it is kept; false where it cannot be a code. */
static bool normal_code(const char *typed, char ret_code[static CODE_LETTERS + 1])
{
	size_t len = 0;
	for (; *typed; typed++) {
		char letter = (char)(*typed >= 'a' && *typed <= 'z' ? *typed - 'a' + 'A' : *typed);
		if (letter == '-' || letter == ' ') {
			continue;
		}
		if (len == CODE_LETTERS || !strchr(letters, letter)) {
			return false;
		}
		ret_code[len++] = letter;
	}
	ret_code[len] = 0;
	return len == CODE_LETTERS;
}

static struct flow *find_by_user_code(struct sr_device_flows *flows, const char *code)
{
	for (size_t i = 0; i < SR_DEVICE_FLOWS_MAX; i++) {
		struct flow *flow = &flows->flows[i];
		if (flow->is_used && !flow->is_expired && flow->state == SR_DEVICE_PENDING &&
		    strcmp(flow->user_code, code) == 0) {
			return flow;
		}
	}
	return NULL;
}

/* Evenly spread letters: bytes past the largest multiple are drawn again. */
static char random_letter(void)
{
	uint8_t byte;
	do {
		sr_random(&byte, sizeof byte);
	} while (byte >= 256 / LETTER_COUNT * LETTER_COUNT);
	return letters[byte % LETTER_COUNT];
}

static void new_user_code(struct sr_device_flows *flows, char ret_code[static CODE_LETTERS + 1])
{
	do {
		for (size_t i = 0; i < CODE_LETTERS; i++) {
			ret_code[i] = random_letter();
		}
		ret_code[CODE_LETTERS] = 0;
	} while (find_by_user_code(flows, ret_code));
}

static void hash_of(struct sr_bytes code, uint8_t ret_hash[static SR_SHA256_LEN])
{
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, code, digest);
	memcpy(ret_hash, digest, SR_SHA256_LEN);
}

struct sr_result sr_device_flow_start(struct sr_device_flows *flows, const struct sr_device_ask *ask, uint64_t now_ms,
                                      struct sr_buf *device_code, char ret_user_code[static SR_USER_CODE_LEN])
{
	uint8_t hash[SR_SHA256_LEN];
	SR_TRY(sr_secret_text_new(CODE_ENTROPY_LEN, device_code));
	hash_of(sr_buf_bytes(device_code), hash);
	SR_LOCKED(&flows->mutex);
	age(flows, now_ms);
	struct flow *flow = make_room(flows, ask->address);
	if (!flow) {
		return sr_fail(SR_TOO_LARGE, "too many sign-ins wait to be approved: try again in some minutes");
	}
	char code[CODE_LETTERS + 1];
	new_user_code(flows, code);
	*flow = (struct flow){.is_used = true,
	                      .expires_ms = now_ms + SR_DEVICE_CODE_LIFE_S * UINT64_C(1000),
	                      .state = SR_DEVICE_PENDING,
	                      .ask = *ask};
	memcpy(flow->device_hash, hash, sizeof hash);
	memcpy(flow->user_code, code, sizeof code);
	memcpy(ret_user_code, code, CODE_LETTERS / 2);
	ret_user_code[CODE_LETTERS / 2] = '-';
	memcpy(ret_user_code + CODE_LETTERS / 2 + 1, code + CODE_LETTERS / 2, CODE_LETTERS / 2 + 1);
	return sr_ok();
}

bool sr_device_flow_find(struct sr_device_flows *flows, const char *user_code, uint64_t now_ms,
                         struct sr_device_ask *ret_ask)
{
	char code[CODE_LETTERS + 1];
	if (!normal_code(user_code, code)) {
		return false;
	}
	SR_LOCKED(&flows->mutex);
	age(flows, now_ms);
	const struct flow *flow = find_by_user_code(flows, code);
	if (flow) {
		*ret_ask = flow->ask;
	}
	return flow != NULL;
}

bool sr_device_flow_decide(struct sr_device_flows *flows, const char *user_code, const char *person, uint64_t now_ms)
{
	char code[CODE_LETTERS + 1];
	if (!normal_code(user_code, code) || (person && strlen(person) >= SR_GUID_TEXT_LEN)) {
		return false;
	}
	SR_LOCKED(&flows->mutex);
	age(flows, now_ms);
	struct flow *flow = find_by_user_code(flows, code);
	if (!flow) {
		return false;
	}
	flow->state = person ? SR_DEVICE_APPROVED : SR_DEVICE_DENIED;
	if (person) {
		memcpy(flow->person, person, strlen(person) + 1);
	}
	return true;
}

void sr_device_flows_drop_person(struct sr_device_flows *flows, const char *person)
{
	SR_LOCKED(&flows->mutex);
	for (size_t i = 0; i < SR_DEVICE_FLOWS_MAX; i++) {
		struct flow *flow = &flows->flows[i];
		if (flow->is_used && flow->state == SR_DEVICE_APPROVED && strcmp(flow->person, person) == 0) {
			flow->is_used = false;
		}
	}
}

/* How the flow stands for its device; a decided one is used up. */
static enum sr_device_state answer(struct flow *flow, uint64_t now_ms, struct sr_device_ask *ret_ask,
                                   char ret_person[static SR_GUID_TEXT_LEN])
{
	if (flow->state == SR_DEVICE_PENDING) {
		bool is_early = now_ms + POLL_SLACK_MS < flow->next_poll_ms;
		flow->next_poll_ms = now_ms + SR_DEVICE_INTERVAL_S * UINT64_C(1000);
		return is_early ? SR_DEVICE_TOO_OFTEN : SR_DEVICE_PENDING;
	}
	*ret_ask = flow->ask;
	memcpy(ret_person, flow->person, sizeof flow->person);
	flow->is_used = false;
	return flow->state;
}

enum sr_device_state sr_device_flow_poll(struct sr_device_flows *flows, const char *device_code, const char *client_id,
                                         uint64_t now_ms, struct sr_device_ask *ret_ask,
                                         char ret_person[static SR_GUID_TEXT_LEN], bool *ret_was_expired)
{
	uint8_t hash[SR_SHA256_LEN];
	hash_of(sr_bytes_str(device_code), hash);
	*ret_was_expired = false;
	SR_LOCKED(&flows->mutex);
	age(flows, now_ms);
	for (size_t i = 0; i < SR_DEVICE_FLOWS_MAX; i++) {
		struct flow *flow = &flows->flows[i];
		if (!flow->is_used ||
		    !sr_equal_ct(sr_bytes_of(flow->device_hash, sizeof hash), sr_bytes_of(hash, sizeof hash)) ||
		    !sr_equal_nocase(sr_bytes_str(flow->ask.client_id), sr_bytes_str(client_id))) {
			continue;
		}
		*ret_was_expired = flow->is_expired;
		return flow->is_expired ? SR_DEVICE_UNKNOWN : answer(flow, now_ms, ret_ask, ret_person);
	}
	return SR_DEVICE_UNKNOWN;
}
