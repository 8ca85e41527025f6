/* The lease states and what each action makes of them (documentation of Lease Blob; Azurite's state classes). */
#include "blob/lease.h"

#include <string.h>
#include <strings.h>

struct sr_blob_lease sr_blob_lease_at(const struct sr_blob_lease *lease, int64_t now_ms)
{
	struct sr_blob_lease now = *lease;
	bool is_fixed = lease->duration_s != SR_BLOB_LEASE_INFINITE;
	if (lease->state == SR_BLOB_LEASE_LEASED && is_fixed && now_ms >= lease->until_ms) {
		now.state = SR_BLOB_LEASE_EXPIRED;
	}
	if (lease->state == SR_BLOB_LEASE_BREAKING && now_ms >= lease->until_ms) {
		now.state = SR_BLOB_LEASE_BROKEN;
	}
	return now;
}

struct sr_bytes sr_blob_lease_pack(struct sr_arena *arena, const struct sr_blob_lease *lease)
{
	if (lease->state == SR_BLOB_LEASE_AVAILABLE) {
		return (struct sr_bytes){0};
	}
	SR_CLEANUP(sr_buf) struct sr_buf packed = SR_BUF(128);
	sr_buf_append_u8(&packed, (uint8_t)lease->state);
	sr_buf_append_u32(&packed, (uint32_t)lease->duration_s);
	sr_buf_append_u64(&packed, (uint64_t)lease->until_ms);
	sr_buf_append_block(&packed, sr_bytes_str(lease->id));
	return sr_arena_copy(arena, sr_buf_bytes(&packed));
}

struct sr_result sr_blob_lease_unpack(struct sr_bytes packed, struct sr_blob_lease *ret_lease)
{
	struct sr_blob_lease lease = {0};
	if (packed.len == 0) {
		*ret_lease = lease;
		return sr_ok();
	}
	struct sr_reader reader = sr_reader_of(packed);
	lease.state = (enum sr_blob_lease_state)sr_reader_u8(&reader);
	lease.duration_s = (int32_t)sr_reader_u32(&reader);
	lease.until_ms = (int64_t)sr_reader_u64(&reader);
	struct sr_bytes id = sr_reader_block(&reader, sizeof lease.id - 1);
	SR_TRY(sr_reader_finish(&reader, "a row's lease"));
	if (lease.state > SR_BLOB_LEASE_BROKEN) {
		return sr_fail(SR_CORRUPT, "a row's lease has an unknown state");
	}
	memcpy(lease.id, id.data, id.len);
	*ret_lease = lease;
	return sr_ok();
}

static bool is_id(const struct sr_blob_lease *lease, const char *id)
{
	return id && strcasecmp(lease->id, id) == 0;
}

static void set_id(struct sr_blob_lease *lease, const char *id)
{
	size_t len = strnlen(id, sizeof lease->id - 1);
	memset(lease->id, 0, sizeof lease->id);
	memcpy(lease->id, id, len);
}

static struct sr_result mismatch(void)
{
	return sr_fail_as(SR_CONFLICT, "LeaseIdMismatchWithLeaseOperation", "the lease's id is another");
}

static struct sr_result acquire(struct sr_blob_lease *lease, int64_t now_ms,
                                const struct sr_blob_lease_request *request)
{
	bool is_same = is_id(lease, request->proposed_id);
	if (lease->state == SR_BLOB_LEASE_LEASED && !is_same) {
		return sr_fail_as(SR_CONFLICT, "LeaseAlreadyPresent", "there is a lease");
	}
	if (lease->state == SR_BLOB_LEASE_BREAKING) {
		return is_same ? sr_fail_as(SR_CONFLICT, "LeaseIsBreakingAndCannotBeAcquired", "the lease is being broken")
		               : sr_fail_as(SR_CONFLICT, "LeaseAlreadyPresent", "there is a lease");
	}
	if (request->proposed_id) {
		set_id(lease, request->proposed_id);
	} else {
		struct sr_id fresh = sr_id_random();
		sr_guid_text(&fresh, lease->id);
	}
	lease->state = SR_BLOB_LEASE_LEASED;
	lease->duration_s = request->duration_s;
	lease->until_ms = now_ms + (int64_t)request->duration_s * 1000;
	return sr_ok();
}

static struct sr_result renew(struct sr_blob_lease *lease, int64_t now_ms, const struct sr_blob_lease_request *request)
{
	if (lease->state == SR_BLOB_LEASE_AVAILABLE || !is_id(lease, request->id)) {
		return mismatch();
	}
	if (lease->state == SR_BLOB_LEASE_BREAKING || lease->state == SR_BLOB_LEASE_BROKEN) {
		return sr_fail_as(SR_CONFLICT, "LeaseIsBrokenAndCannotBeRenewed", "the lease was broken");
	}
	lease->state = SR_BLOB_LEASE_LEASED;
	lease->until_ms = now_ms + (int64_t)lease->duration_s * 1000;
	return sr_ok();
}

static struct sr_result change(struct sr_blob_lease *lease, const struct sr_blob_lease_request *request)
{
	if (lease->state != SR_BLOB_LEASE_LEASED && lease->state != SR_BLOB_LEASE_BREAKING) {
		return sr_fail_as(SR_CONFLICT, "LeaseNotPresentWithLeaseOperation", "there is no lease");
	}
	if (!is_id(lease, request->id) && !is_id(lease, request->proposed_id)) {
		return mismatch();
	}
	if (lease->state == SR_BLOB_LEASE_BREAKING) {
		return sr_fail_as(SR_CONFLICT, "LeaseIsBreakingAndCannotBeChanged", "the lease is being broken");
	}
	set_id(lease, request->proposed_id);
	return sr_ok();
}

static struct sr_result release(struct sr_blob_lease *lease, const struct sr_blob_lease_request *request)
{
	if (lease->state == SR_BLOB_LEASE_AVAILABLE || !is_id(lease, request->id)) {
		return mismatch();
	}
	*lease = (struct sr_blob_lease){0};
	return sr_ok();
}

/* How long a lease that is held or breaking would still last if nobody shortened it; an infinite one ends at once. */
static int64_t remaining_ms(const struct sr_blob_lease *lease, int64_t now_ms)
{
	bool is_endless = lease->state == SR_BLOB_LEASE_LEASED && lease->duration_s == SR_BLOB_LEASE_INFINITE;
	return is_endless ? 0 : lease->until_ms - now_ms;
}

static struct sr_result break_it(struct sr_blob_lease *lease, int64_t now_ms,
                                 const struct sr_blob_lease_request *request)
{
	if (lease->state == SR_BLOB_LEASE_AVAILABLE) {
		return sr_fail_as(SR_CONFLICT, "LeaseNotPresentWithLeaseOperation", "there is no lease");
	}
	if (lease->state == SR_BLOB_LEASE_BROKEN || lease->state == SR_BLOB_LEASE_EXPIRED) {
		lease->state = SR_BLOB_LEASE_BROKEN;
		return sr_ok();
	}
	int64_t left_ms = remaining_ms(lease, now_ms);
	int64_t asked_ms = (int64_t)request->break_period_s * 1000;
	bool is_endless = lease->state == SR_BLOB_LEASE_LEASED && lease->duration_s == SR_BLOB_LEASE_INFINITE;
	if (request->break_period_s >= 0 && (is_endless || asked_ms < left_ms)) {
		left_ms = asked_ms;
	}
	lease->state = left_ms > 0 ? SR_BLOB_LEASE_BREAKING : SR_BLOB_LEASE_BROKEN;
	lease->until_ms = now_ms + left_ms;
	return sr_ok();
}

struct sr_result sr_blob_lease_apply(const struct sr_blob_lease *lease, int64_t now_ms,
                                     const struct sr_blob_lease_request *request, struct sr_blob_lease *ret_lease,
                                     int32_t *ret_left_s)
{
	struct sr_blob_lease next = sr_blob_lease_at(lease, now_ms);
	switch (request->action) {
	case SR_BLOB_LEASE_ACQUIRE:
		SR_TRY(acquire(&next, now_ms, request));
		break;
	case SR_BLOB_LEASE_RENEW:
		SR_TRY(renew(&next, now_ms, request));
		break;
	case SR_BLOB_LEASE_CHANGE:
		SR_TRY(change(&next, request));
		break;
	case SR_BLOB_LEASE_RELEASE:
		SR_TRY(release(&next, request));
		break;
	case SR_BLOB_LEASE_BREAK:
		SR_TRY(break_it(&next, now_ms, request));
		break;
	}
	*ret_left_s = next.state == SR_BLOB_LEASE_BREAKING ? (int32_t)((next.until_ms - now_ms + 999) / 1000) : 0;
	*ret_lease = next;
	return sr_ok();
}

static bool is_locked(const struct sr_blob_lease *lease)
{
	return lease->state == SR_BLOB_LEASE_LEASED || lease->state == SR_BLOB_LEASE_BREAKING;
}

static struct sr_result check_given_id(const struct sr_blob_lease *now, const char *id, bool is_container)
{
	if (!is_locked(now)) {
		return is_container ? sr_fail_as(SR_PRECONDITION, "LeaseNotPresentWithContainerOperation", "there is no lease")
		                    : sr_fail_as(SR_PRECONDITION, "LeaseNotPresentWithBlobOperation", "there is no lease");
	}
	if (!is_id(now, id)) {
		return is_container
		           ? sr_fail_as(SR_PRECONDITION, "LeaseIdMismatchWithContainerOperation", "the lease's id is another")
		           : sr_fail_as(SR_PRECONDITION, "LeaseIdMismatchWithBlobOperation", "the lease's id is another");
	}
	return sr_ok();
}

struct sr_result sr_blob_lease_allows_write(const struct sr_blob_lease *lease, int64_t now_ms, const char *id,
                                            bool is_container)
{
	struct sr_blob_lease now = sr_blob_lease_at(lease, now_ms);
	if (id) {
		return check_given_id(&now, id, is_container);
	}
	return is_locked(&now) ? sr_fail_as(SR_PRECONDITION, "LeaseIdMissing", "there is a lease and no id was given")
	                       : sr_ok();
}

struct sr_result sr_blob_lease_allows_read(const struct sr_blob_lease *lease, int64_t now_ms, const char *id,
                                           bool is_container)
{
	struct sr_blob_lease now = sr_blob_lease_at(lease, now_ms);
	return id ? check_given_id(&now, id, is_container) : sr_ok();
}

const char *sr_blob_lease_state_text(const struct sr_blob_lease *lease)
{
	static const char *const texts[] = {"available", "leased", "expired", "breaking", "broken"};
	return texts[lease->state];
}

const char *sr_blob_lease_status_text(const struct sr_blob_lease *lease)
{
	return is_locked(lease) ? "locked" : "unlocked";
}

const char *sr_blob_lease_duration_text(const struct sr_blob_lease *lease)
{
	if (lease->state != SR_BLOB_LEASE_LEASED) {
		return NULL;
	}
	return lease->duration_s == SR_BLOB_LEASE_INFINITE ? "infinite" : "fixed";
}
