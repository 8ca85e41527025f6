/* Attempts to unseal, progress and limits. What opening means is root.c's; HTTP is gate_api.c's. */
#include "vault/gate.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seal/file.h"
#include "seal/key_file.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum {
	FREE_ATTEMPTS = 3,    /* wrong ones, before the next has to wait */
	WAIT_FIRST_MS = 1000, /* doubles with each */
	WAIT_MOST_MS = 60000,
	SHARES_KEPT_MS = 15 * 60 * 1000, /* since the last one was given */
	NS_PER_MS = 1000000,
};

enum state { SHUT, OPENING, OPEN, FAILED };

struct sr_gate {
	const struct sr_root_settings *settings;
	const char *path;
	char *order_path;
	atomic_bool is_open;
	struct sr_mutex mutex; /* guards all below */
	struct sr_cond changed;
	enum state state;
	bool is_trying; /* one attempt at a time: a key derivation takes memory and time */
	struct sr_master_file file;
	struct sr_share shares[SR_SHARES_MOST];
	size_t share_count;
	uint64_t share_given_ms;
	unsigned wrong_attempts;
	uint64_t not_before_ms;
	struct sr_vault_master master; /* from OPENING until the main thread takes it */
	bool has_master;
	struct sr_result failure;
};

struct sr_result sr_gate_new(const struct sr_root_settings *settings, const char *path, struct sr_gate **ret_gate)
{
	struct sr_master_file file;
	SR_TRY(sr_master_file_read(path, &file));
	struct sr_gate *gate = sr_alloc(sizeof *gate);
	gate->settings = settings;
	gate->path = path;
	gate->file = file;
	gate->order_path = sr_strdupf("%s/vault/sealed", settings->config->state);
	sr_mutex_init(&gate->mutex, SR_RANK_SERVICE);
	sr_cond_init(&gate->changed);
	*ret_gate = gate;
	return sr_ok();
}

/* With the gate locked. */
static void forget_shares(struct sr_gate *gate)
{
	for (size_t i = 0; i < gate->share_count; i++) {
		sr_share_cleanup(&gate->shares[i]);
	}
	gate->share_count = 0;
}

void sr_gate_free(struct sr_gate *gate)
{
	if (!gate) {
		return;
	}
	forget_shares(gate);
	sr_vault_master_free(&gate->master);
	sr_master_file_cleanup(&gate->file);
	sr_result_free(gate->failure);
	sr_cond_destroy(&gate->changed);
	sr_mutex_destroy(&gate->mutex);
	sr_free(gate->order_path);
	sr_free(gate);
}

static bool is_ordered(const struct sr_gate *gate)
{
	return access(gate->order_path, F_OK) == 0;
}

bool sr_gate_is_shut(struct sr_gate *gate)
{
	SR_LOCKED(&gate->mutex);
	return is_ordered(gate) || gate->file.provider->needs_person(gate->settings, gate->file.descriptor);
}

struct sr_result sr_gate_open_alone(struct sr_gate *gate, struct sr_vault_master *ret_master)
{
	const struct sr_root_input nothing = {0};
	return sr_root_open(&gate->file, gate->settings, &nothing, ret_master);
}

/* ---- attempts ---- */

/* With the gate locked. */
static void count_wrong(struct sr_gate *gate)
{
	gate->wrong_attempts++;
	if (gate->wrong_attempts <= FREE_ATTEMPTS) {
		return;
	}
	const unsigned beyond = gate->wrong_attempts - FREE_ATTEMPTS - 1;
	uint64_t wait_ms = beyond < 6 ? (uint64_t)WAIT_FIRST_MS << beyond : WAIT_MOST_MS;
	gate->not_before_ms = sr_boottime_ms() + (wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS);
}

/* With the gate locked: whether an attempt may begin. */
static struct sr_result admit(struct sr_gate *gate)
{
	if (gate->state == FAILED) {
		return sr_fail(SR_UNAVAILABLE, "the vault is starting again: try again in a moment");
	}
	if (gate->state != SHUT) {
		return sr_fail(SR_CONFLICT, "the vault is not sealed");
	}
	const uint64_t now_ms = sr_boottime_ms();
	if (gate->is_trying || now_ms < gate->not_before_ms) {
		return sr_fail_as(SR_CONFLICT, "TooManyRequests",
		                  "too many attempts to unseal the vault were wrong: try again in %llu seconds",
		                  gate->is_trying ? 1ULL : (unsigned long long)(gate->not_before_ms - now_ms) / 1000 + 1);
	}
	gate->is_trying = true;
	return sr_ok();
}

static bool has_share(const struct sr_gate *gate, uint8_t number)
{
	for (size_t i = 0; i < gate->share_count; i++) {
		if (gate->shares[i].number == number) {
			return true;
		}
	}
	return false;
}

/* With the gate locked: adds shares that are right; one that is there already changes nothing. */
static struct sr_result add_shares(struct sr_gate *gate, struct sr_root_answer *answer)
{
	if (gate->share_count && sr_boottime_ms() - gate->share_given_ms > SHARES_KEPT_MS) {
		forget_shares(gate);
	}
	for (size_t i = 0; i < answer->input.share_count; i++) {
		struct sr_share *share = &answer->shares[i];
		SR_TRY(sr_root_check_share(gate->file.descriptor, share));
		if (!has_share(gate, share->number)) {
			gate->shares[gate->share_count++] = *share;
			*share = (struct sr_share){0};
		}
	}
	gate->share_given_ms = sr_boottime_ms();
	return sr_ok();
}

/* With the gate locked: joins what was given now to what was given before. */
static struct sr_result gather(struct sr_gate *gate, struct sr_root_answer *answer, struct sr_root_input *ret_input,
                               bool *ret_is_enough)
{
	*ret_input = answer->input;
	const unsigned needed = gate->file.provider->pieces_needed(gate->file.descriptor);
	if (gate->file.provider == &sr_root_shares) {
		SR_TRY(add_shares(gate, answer));
		*ret_input = (struct sr_root_input){.shares = gate->shares, .share_count = gate->share_count};
		*ret_is_enough = gate->share_count >= needed;
		return sr_ok();
	}
	if (needed && !answer->word && gate->file.provider->needs_person(gate->settings, gate->file.descriptor)) {
		return sr_fail(SR_INVALID, "nothing was given");
	}
	*ret_is_enough = true;
	return sr_ok();
}

/* With the gate locked by the caller before and after; the opening itself takes long. */
static struct sr_result try_open(struct sr_gate *gate, const struct sr_root_input *input)
{
	struct sr_vault_master master;
	sr_mutex_unlock(&gate->mutex);
	struct sr_result opened = sr_root_open(&gate->file, gate->settings, input, &master);
	sr_mutex_lock(&gate->mutex);
	if (!sr_is_ok(opened)) {
		forget_shares(gate); /* each was right by itself, and yet they are of no use */
		return opened;
	}
	forget_shares(gate);
	gate->master = master;
	gate->has_master = true;
	gate->state = OPENING;
	sr_cond_broadcast(&gate->changed);
	return sr_ok();
}

static void wait_for_outcome(struct sr_gate *gate)
{
	while (gate->state == OPENING) {
		sr_cond_wait(&gate->changed, &gate->mutex);
	}
}

/* With the gate locked. */
static struct sr_result attempt(struct sr_gate *gate, struct sr_root_answer *answer)
{
	struct sr_root_input input;
	bool is_enough = false;
	SR_TRY(gather(gate, answer, &input, &is_enough));
	if (!is_enough) {
		return sr_ok();
	}
	SR_TRY(try_open(gate, &input));
	wait_for_outcome(gate);
	return gate->state == OPEN ? sr_ok()
	                           : sr_fail(SR_UNAVAILABLE, "the vault is unsealed but cannot start: %s",
	                                     sr_result_message(gate->failure));
}

struct sr_result sr_gate_unseal(struct sr_gate *gate, struct sr_bytes text)
{
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	sr_blocking_begin();
	sr_mutex_lock(&gate->mutex);
	struct sr_result result = admit(gate);
	if (sr_is_ok(result)) {
		result = sr_root_answer_read(gate->file.provider, text, &answer);
		result = sr_is_ok(result) ? attempt(gate, &answer) : result;
		gate->is_trying = false;
		if (sr_result_code(result) == SR_WRONG_KEY) {
			count_wrong(gate);
		}
	}
	sr_mutex_unlock(&gate->mutex);
	sr_blocking_end();
	return result;
}

unsigned sr_gate_wrong_attempts(struct sr_gate *gate)
{
	SR_LOCKED(&gate->mutex);
	return gate->wrong_attempts;
}

void sr_gate_forget(struct sr_gate *gate)
{
	SR_LOCKED(&gate->mutex);
	if (!gate->is_trying) {
		forget_shares(gate);
	}
}

/* ---- the main thread ---- */

bool sr_gate_wait(struct sr_gate *gate, uint64_t timeout_ms, struct sr_vault_master *ret_master)
{
	const uint64_t deadline_ns = sr_boottime_ns() + timeout_ms * NS_PER_MS;
	SR_LOCKED(&gate->mutex);
	while (!gate->has_master && sr_cond_wait_until(&gate->changed, &gate->mutex, deadline_ns)) {
	}
	if (!gate->has_master) {
		return false;
	}
	*ret_master = gate->master;
	gate->master = (struct sr_vault_master){0};
	gate->has_master = false;
	return true;
}

void sr_gate_opened(struct sr_gate *gate)
{
	SR_LOCKED(&gate->mutex);
	sr_ignore(sr_key_file_remove(gate->order_path)); /* if it stays, the next start asks once more */
	gate->state = OPEN;
	atomic_store(&gate->is_open, true);
	sr_cond_broadcast(&gate->changed);
}

void sr_gate_failed(struct sr_gate *gate, struct sr_result why)
{
	SR_LOCKED(&gate->mutex);
	gate->state = FAILED;
	sr_result_free(gate->failure);
	gate->failure = sr_fail(sr_result_code(why), "%s", sr_result_message(why));
	sr_cond_broadcast(&gate->changed);
}

bool sr_gate_is_open(const struct sr_gate *gate)
{
	return atomic_load_explicit(&gate->is_open, memory_order_acquire);
}

struct sr_result sr_gate_shut(struct sr_gate *gate)
{
	SR_LOCKED(&gate->mutex);
	if (gate->state != OPEN) {
		return sr_fail(SR_CONFLICT, "the vault is sealed already");
	}
	SR_TRY(sr_file_write_durable(gate->order_path, SR_LITERAL("sealed by order: strongroom unseal\n")));
	atomic_store(&gate->is_open, false);
	gate->state = FAILED; /* this process opens no more; the next one does */
	return sr_ok();
}

/* ---- telling ---- */

void sr_gate_report(struct sr_gate *gate, json_t *object)
{
	SR_LOCKED(&gate->mutex);
	const bool is_person_needed = gate->file.provider->needs_person(gate->settings, gate->file.descriptor);
	sr_json_set_bool(object, "sealed", !atomic_load(&gate->is_open));
	sr_json_set_string(object, "root", gate->file.provider->name);
	sr_json_set_int(object, "given", (int64_t)gate->share_count);
	if (gate->file.provider->pieces_made) {
		sr_json_set_int(object, "total", gate->file.provider->pieces_made(gate->file.descriptor));
	}
	sr_json_set_int(object, "needed", is_person_needed ? gate->file.provider->pieces_needed(gate->file.descriptor) : 0);
}

struct sr_result sr_gate_reread(struct sr_gate *gate)
{
	struct sr_master_file file;
	SR_TRY(sr_master_file_read(gate->path, &file));
	SR_LOCKED(&gate->mutex);
	sr_master_file_cleanup(&gate->file);
	gate->file = file;
	return sr_ok();
}

void sr_gate_describe(struct sr_gate *gate, struct sr_buf *text)
{
	SR_LOCKED(&gate->mutex);
	gate->file.provider->describe(gate->file.descriptor, text);
}
