/*
 * The root key in shares, k of n. Descriptor: set 4, threshold 1, count 1, then each share's fingerprint of 16 bytes in
 * order of their numbers, so that a false share is known as it is given and not when all are together.
 */
#include "base/memory.h"
#include "vault/root_provider.h"

#include <string.h>

enum { HEAD_LEN = SR_SHARE_SET_LEN + 2 };

struct plan {
	struct sr_bytes set, fingerprints;
	unsigned threshold, count;
};

static struct sr_result parse(struct sr_bytes descriptor, struct plan *ret_plan)
{
	struct sr_reader reader = sr_reader_of(descriptor);
	struct plan plan = {.set = sr_reader_bytes(&reader, SR_SHARE_SET_LEN)};
	plan.threshold = sr_reader_u8(&reader);
	plan.count = sr_reader_u8(&reader);
	plan.fingerprints = sr_reader_bytes(&reader, (size_t)plan.count * SR_SHARE_FINGERPRINT_LEN);
	SR_CLEANUP(sr_result) struct sr_result whole = sr_reader_finish(&reader, "descriptor");
	if (!sr_is_ok(whole) || plan.threshold < 2 || plan.threshold > plan.count || plan.count > SR_SHARES_MOST) {
		return sr_fail(SR_CORRUPT, "the master file describes no shares");
	}
	*ret_plan = plan;
	return sr_ok();
}

static bool needs_person(const struct sr_root_settings *settings, struct sr_bytes descriptor)
{
	(void)settings;
	struct plan plan;
	SR_CLEANUP(sr_result) struct sr_result parsed = parse(descriptor, &plan);
	return sr_is_ok(parsed);
}

static unsigned pieces_needed(struct sr_bytes descriptor)
{
	struct plan plan;
	SR_CLEANUP(sr_result) struct sr_result parsed = parse(descriptor, &plan);
	return sr_is_ok(parsed) ? plan.threshold : 0;
}

static unsigned pieces_made(struct sr_bytes descriptor)
{
	struct plan plan;
	SR_CLEANUP(sr_result) struct sr_result parsed = parse(descriptor, &plan);
	return sr_is_ok(parsed) ? plan.count : 0;
}

static void shares_cleanup(struct sr_share (*shares)[SR_SHARES_MOST])
{
	for (unsigned i = 0; i < SR_SHARES_MOST; i++) {
		sr_share_cleanup(&(*shares)[i]);
	}
}

static struct sr_result create(const struct sr_root_settings *settings, const struct sr_root_input *input,
                               struct sr_buf *descriptor, struct sr_buf *handout, struct sr_secret **ret_root)
{
	(void)input;
	__attribute__((cleanup(shares_cleanup))) struct sr_share shares[SR_SHARES_MOST] = {0};
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &root));
	SR_TRY(sr_share_split(root, settings->threshold, settings->share_count, shares));
	sr_buf_append(descriptor, sr_bytes_of(shares[0].set, SR_SHARE_SET_LEN));
	sr_buf_append_u8(descriptor, (uint8_t)settings->threshold);
	sr_buf_append_u8(descriptor, (uint8_t)settings->share_count);
	for (unsigned i = 0; i < settings->share_count; i++) {
		uint8_t fingerprint[SR_SHARE_FINGERPRINT_LEN];
		SR_TRY(sr_share_fingerprint(&shares[i], fingerprint));
		sr_buf_append(descriptor, sr_bytes_of(fingerprint, sizeof fingerprint));
		sr_share_write(&shares[i], handout);
		sr_buf_append_str(handout, "\n");
	}
	SR_TRY(sr_buf_result(descriptor));
	SR_TRY(sr_buf_result(handout));
	*ret_root = SR_TAKE(root);
	return sr_ok();
}

struct sr_result sr_root_check_share(struct sr_bytes descriptor, const struct sr_share *share)
{
	struct plan plan;
	SR_TRY(parse(descriptor, &plan));
	if (!sr_equal_public(plan.set, sr_bytes_of(share->set, SR_SHARE_SET_LEN))) {
		return sr_fail(SR_WRONG_KEY,
		               "this share is of another set (%02x%02x%02x%02x) than the one that opens this vault "
		               "(%02x%02x%02x%02x)",
		               share->set[0], share->set[1], share->set[2], share->set[3], plan.set.data[0], plan.set.data[1],
		               plan.set.data[2], plan.set.data[3]);
	}
	uint8_t fingerprint[SR_SHARE_FINGERPRINT_LEN];
	SR_TRY(sr_share_fingerprint(share, fingerprint));
	if (share->number > plan.count || share->threshold != plan.threshold ||
	    !sr_equal_ct(sr_bytes_of(fingerprint, sizeof fingerprint),
	                 sr_bytes_of(plan.fingerprints.data + (size_t)(share->number - 1) * SR_SHARE_FINGERPRINT_LEN,
	                             SR_SHARE_FINGERPRINT_LEN))) {
		return sr_fail(SR_WRONG_KEY, "this is not share %d of the set that opens this vault", (int)share->number);
	}
	return sr_ok();
}

static struct sr_result open_root(const struct sr_root_settings *settings, struct sr_bytes descriptor,
                                  const struct sr_root_input *input, struct sr_secret **ret_root)
{
	(void)settings;
	struct plan plan;
	SR_TRY(parse(descriptor, &plan));
	if (input->share_count < plan.threshold) {
		return sr_fail(SR_INVALID, "%u shares are needed, and %zu were given", plan.threshold, input->share_count);
	}
	for (size_t i = 0; i < input->share_count; i++) {
		SR_TRY(sr_root_check_share(descriptor, &input->shares[i]));
	}
	return sr_share_join(input->shares, input->share_count, ret_root);
}

static void describe(struct sr_bytes descriptor, struct sr_buf *text)
{
	struct plan plan;
	SR_CLEANUP(sr_result) struct sr_result parsed = parse(descriptor, &plan);
	if (sr_is_ok(parsed)) {
		sr_buf_printf(text, "%u of %u shares of set %02x%02x%02x%02x", plan.threshold, plan.count, plan.set.data[0],
		              plan.set.data[1], plan.set.data[2], plan.set.data[3]);
	}
}

const struct sr_root_provider sr_root_shares = {
    .name = "shares",
    .number = 3,
    .needs_person = needs_person,
    .pieces_needed = pieces_needed,
    .pieces_made = pieces_made,
    .create = create,
    .open = open_root,
    .describe = describe,
};
