/*
 * Device authorizations (RFC 8628) that wait for a person: what a device asked, under which codes, and how it was
 * decided. In memory alone and bounded: they live for fifteen minutes, and after a restart the device begins anew.
 * Thread-safe.
 */
#ifndef SR_IDENTITY_DEVICE_FLOW_H
#define SR_IDENTITY_DEVICE_FLOW_H

#include "base/text.h"

enum {
	SR_DEVICE_CODE_LIFE_S = 900,
	SR_DEVICE_INTERVAL_S = 5,
	SR_DEVICE_FLOWS_MAX = 1024,
	SR_DEVICE_FLOWS_OF_ADDRESS_MAX = 64,
	SR_USER_CODE_LEN = 10, /* "BCDF-GHJK" and a NUL */
	SR_DEVICE_SCOPE_MAX = 1024,
	SR_DEVICE_ADDRESS_MAX = 48
};

/* What a device asks for. */
struct sr_device_ask {
	char client_id[SR_GUID_TEXT_LEN];
	char resource[SR_DEVICE_SCOPE_MAX];
	char scope[SR_DEVICE_SCOPE_MAX]; /* as asked, for the answer */
	bool wants_id_token, wants_refresh_token;
	char address[SR_DEVICE_ADDRESS_MAX]; /* of the device */
	int64_t asked_s;                     /* Unix time */
};
enum sr_device_state {
	SR_DEVICE_PENDING,
	SR_DEVICE_APPROVED,
	SR_DEVICE_DENIED,
	SR_DEVICE_TOO_OFTEN,
	SR_DEVICE_UNKNOWN
};

struct sr_device_flows;
struct sr_device_flows *sr_device_flows_new(void);
void sr_device_flows_free(struct sr_device_flows *flows);

/* Begins one. `device_code` gets the device's secret, which the caller wipes. SR_TOO_LARGE: too many wait, in all or
 * from this address. `now_ms` is sr_boottime_ms. */
SR_MUST struct sr_result sr_device_flow_start(struct sr_device_flows *flows, const struct sr_device_ask *ask,
                                              uint64_t now_ms, struct sr_buf *device_code,
                                              char ret_user_code[static SR_USER_CODE_LEN]);
/* What waits under a code that a person typed (case, hyphens and spaces do not matter); false: nothing, or it is
 * decided.
 */
bool sr_device_flow_find(struct sr_device_flows *flows, const char *user_code, uint64_t now_ms,
                         struct sr_device_ask *ret_ask);
/* Decides one that waits: for a person (object id), or NULL to deny. False: nothing waits under this code any more. */
bool sr_device_flow_decide(struct sr_device_flows *flows, const char *user_code, const char *person, uint64_t now_ms);
/* Forgets what the person (object id) approved and no device has fetched yet: what they let in before they were signed
 * out must not come in after. */
void sr_device_flows_drop_person(struct sr_device_flows *flows, const char *person);
/*
 * The device asks how it stands. Approved: *ret_ask and `ret_person` are set, and the code is used up. Denied: used up.
 * Unknown: never given, used up, or expired (*ret_was_expired).
 */
enum sr_device_state sr_device_flow_poll(struct sr_device_flows *flows, const char *device_code, const char *client_id,
                                         uint64_t now_ms, struct sr_device_ask *ret_ask,
                                         char ret_person[static SR_GUID_TEXT_LEN], bool *ret_was_expired);

#endif
