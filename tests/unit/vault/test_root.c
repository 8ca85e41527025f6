/*
 * Root keys by every provider: made, opened by the right people alone, put in one another's place, and never lost:
 * a change of the root key is killed before each of its system calls (which are wrapped at the link), and what is there
 * then opens.
 */
#include "root_house.h"

#include "base/memory.h"
#include "seal/file.h"
#include "seal/key_file.h"
#include "vault/root_key.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct house house;
static const struct sr_root_provider *const providers[] = {&sr_root_file, &sr_root_shares, &sr_root_tpm,
                                                           &sr_root_passphrase};
enum { PROVIDERS = 4, QUICK_PROVIDERS = 3, STEPS_MOST = 64 };

/* ---- death before the n-th call ---- */

static int calls_left = -1; /* -1: immortal */

static void step(void)
{
	if (calls_left >= 0 && calls_left-- == 0) {
		raise(SIGKILL);
	}
}

int __real_rename(const char *from, const char *to);
int __real_fsync(int fd);
int __real_unlink(const char *path);
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __wrap_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
int __wrap_unlink(const char *path);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);

int __wrap_rename(const char *from, const char *to)
{
	step();
	return __real_rename(from, to);
}

int __wrap_fsync(int fd)
{
	step();
	return __real_fsync(fd);
}

int __wrap_unlink(const char *path)
{
	step();
	return __real_unlink(path);
}

/* Death in the middle of a write leaves half of it. */
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	if (calls_left == 0) {
		ssize_t half = __real_write(fd, bytes, len / 2);
		(void)half;
	}
	step();
	return __real_write(fd, bytes, len);
}

/* In another process: the change to `to`, which dies before its n-th call. Gives 0 where it lived. */
static int mortal_change(const char *folder, const char *tpm, const char *to, const char *calls)
{
	struct house other;
	const struct sr_root_provider *provider;
	house_open(&other, folder);
	expect_ok(sr_config_set(&other.config, "tpm", tpm));
	expect_ok(sr_root_provider_named(to, &provider));
	calls_left = atoi(calls);
	struct sr_result changed = house_change(&other, provider);
	calls_left = -1;
	sr_buf_free(&other.shares);
	const bool is_changed = sr_is_ok(changed);
	if (!is_changed) {
		fprintf(stderr, "change to %s: %s\n", to, sr_result_message(changed));
	}
	sr_result_free(changed);
	return is_changed ? 0 : 1;
}

/* True if the change was killed. */
static bool kill_at(const struct sr_root_provider *to, int call)
{
	char calls[16];
	snprintf(calls, sizeof calls, "%d", call);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "test_vault_root", house.folder, house.config.tpm, to->name, calls, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void start_over(const struct sr_root_provider *provider)
{
	SR_CLEANUP(sr_string) char *next = sr_strdupf("%s.next", house.config.root_key);
	unlink(house.path);
	unlink(house.config.root_key);
	unlink(next);
	sr_buf_reset(&house.shares);
	expect_ok(house_begin(&house, provider));
}

/* Shares that were handed out in a change that never was do not open what is there: people keep the old ones until the
 * change is done. */
static void keep_both_shares(const struct sr_buf *old)
{
	SR_CLEANUP(sr_master_file) struct sr_master_file file = {0};
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/shares", house.folder);
	expect_ok(sr_master_file_read(house.path, &file));
	sr_buf_reset(&house.shares);
	expect_ok(sr_file_read(path, SR_ROOT_HANDOUT_MAX, &house.shares));
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	expect_ok(house_answer(&house, &sr_root_shares, &answer));
	struct sr_result is_new = sr_root_check_share(file.descriptor, &answer.shares[0]);
	if (!sr_is_ok(is_new)) {
		sr_buf_reset(&house.shares);
		sr_buf_append(&house.shares, sr_buf_bytes(old));
		expect_ok(sr_file_write_durable(path, sr_buf_bytes(old)));
	}
	sr_result_free(is_new);
}

static void die_at_each_call(const struct sr_root_provider *from, const struct sr_root_provider *to)
{
	uint8_t before[2 * SR_SHA256_LEN], after[2 * SR_SHA256_LEN];
	bool was_killed = true;
	for (int call = 0; was_killed; call++) {
		assert_true(call < STEPS_MOST);
		start_over(from);
		SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
		SR_CLEANUP(sr_vault_master) struct sr_vault_master again = {0};
		SR_CLEANUP(sr_vault_master) struct sr_vault_master third = {0};
		SR_CLEANUP(sr_buf) struct sr_buf old = SR_BUF(SR_ROOT_HANDOUT_MAX);
		expect_ok(house_enter(&house, &master));
		house_fingerprint(&master, before);
		sr_buf_append(&old, sr_buf_bytes(&house.shares));
		was_killed = kill_at(to, call);
		SR_CLEANUP(sr_master_file) struct sr_master_file file = {0};
		expect_ok(sr_master_file_read(house.path, &file));
		assert_true(file.provider == from || file.provider == to);
		if (file.provider == &sr_root_shares) {
			keep_both_shares(&old);
		}
		expect_ok(house_enter(&house, &again));
		house_fingerprint(&again, after);
		assert_memory_equal(before, after, sizeof after);
		expect_ok(house_change(&house, to)); /* what is left over does not stand in the way */
		expect_ok(house_enter(&house, &third));
	}
}

static void a_change_that_is_killed_at_any_call_leaves_the_old_or_the_new_root(void **state)
{
	(void)state;
	for (size_t from = 0; from < QUICK_PROVIDERS; from++) {
		for (size_t to = 0; to < QUICK_PROVIDERS; to++) {
			die_at_each_call(providers[from], providers[to]);
		}
	}
}

/* scrypt is slow on purpose: one direction is enough. */
static void a_change_to_a_passphrase_that_is_killed_loses_nothing(void **state)
{
	(void)state;
	die_at_each_call(&sr_root_file, &sr_root_passphrase);
}

/* ---- every pair ---- */

static void every_provider_gives_way_to_every_other_and_to_itself(void **state)
{
	(void)state;
	uint8_t before[2 * SR_SHA256_LEN], after[2 * SR_SHA256_LEN];
	for (size_t from = 0; from < PROVIDERS; from++) {
		for (size_t to = 0; to < PROVIDERS; to++) {
			SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
			SR_CLEANUP(sr_vault_master) struct sr_vault_master changed = {0};
			SR_CLEANUP(sr_master_file) struct sr_master_file old = {0};
			SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
			start_over(providers[from]);
			expect_ok(sr_master_file_read(house.path, &old));
			expect_ok(house_answer(&house, providers[from], &answer));
			expect_ok(house_enter(&house, &master));
			house_fingerprint(&master, before);
			expect_ok(house_change(&house, providers[to]));
			expect_ok(house_enter(&house, &changed));
			house_fingerprint(&changed, after);
			assert_memory_equal(before, after, sizeof after);
			assert_int_equal(access(house.config.root_key, F_OK) == 0, providers[to] == &sr_root_file);
			/* the old root key does not open the new file */
			SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
			if (providers[from] != &sr_root_file) {
				struct sr_vault_master none;
				SR_CLEANUP(sr_master_file) struct sr_master_file new = {0};
				expect_ok(old.provider->open(&house.settings, old.descriptor, &answer.input, &root));
				expect_ok(sr_master_file_read(house.path, &new));
				expect_code(sr_master_file_open(&new, root, &none), SR_WRONG_KEY);
			}
		}
	}
}

static void a_file_of_version_1_opens_and_gives_way(void **state)
{
	(void)state;
	/* STATE/vault/master of version 1 and its root key, as the first release made them (computed by other code) */
	static const char root_text[] =
	    "strongroom-root-key-v1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n";
	static const char file_hex[] = "53526d617374657200010000000000006465666768696a6b6c6d6e6f70717273f76bfbc2505cb3686be"
	                               "9343697d321e7358c353427f5c282c1984812f11c7551a749952c1b2d2dc18c059a06017d497a3b5ba0"
	                               "a73e7a57a58a6e66f1004c60f8a23e9cdcd726cc4f3cf58e36c4bc53dc";
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	SR_CLEANUP(sr_vault_master) struct sr_vault_master changed = {0};
	SR_CLEANUP(sr_master_file) struct sr_master_file file = {0};
	uint8_t before[2 * SR_SHA256_LEN], after[2 * SR_SHA256_LEN], bytes[sizeof file_hex / 2];
	expect_ok(sr_hex_decode(sr_bytes_str(file_hex), bytes, sizeof bytes));
	for (size_t to = 0; to < PROVIDERS; to++) {
		expect_ok(sr_file_write_durable(house.config.root_key, sr_bytes_str(root_text)));
		expect_ok(sr_file_write_durable(house.path, sr_bytes_of(bytes, sizeof bytes)));
		sr_vault_master_free(&master);
		sr_vault_master_free(&changed);
		expect_ok(house_enter(&house, &master));
		house_fingerprint(&master, before);
		expect_ok(house_change(&house, providers[to]));
		expect_ok(house_enter(&house, &changed));
		house_fingerprint(&changed, after);
		assert_memory_equal(before, after, sizeof after);
		sr_master_file_cleanup(&file);
		expect_ok(sr_master_file_read(house.path, &file));
		assert_int_equal(file.version, 2);
	}
}

/* ---- what is not right ---- */

static struct sr_result enter_with(const char *text)
{
	SR_CLEANUP(sr_master_file) struct sr_master_file file = {0};
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	struct sr_vault_master master;
	SR_TRY(sr_master_file_read(house.path, &file));
	SR_TRY(sr_root_answer_read(file.provider, sr_bytes_str(text), &answer));
	SR_TRY(sr_root_open(&file, &house.settings, &answer.input, &master));
	sr_vault_master_free(&master);
	return sr_ok();
}

static void what_is_wrong_opens_nothing(void **state)
{
	(void)state;
	start_over(&sr_root_passphrase);
	expect_code(enter_with("correct horse battery stable"), SR_WRONG_KEY);
	expect_code(enter_with(""), SR_INVALID);
	start_over(&sr_root_tpm);
	expect_code(enter_with("1357"), SR_WRONG_KEY);
	expect_code(enter_with(""), SR_INVALID);
	expect_ok(enter_with(HOUSE_PIN));
	start_over(&sr_root_shares);
	SR_CLEANUP(sr_buf) struct sr_buf old = SR_BUF(SR_ROOT_HANDOUT_MAX);
	sr_buf_append(&old, sr_buf_bytes(&house.shares));
	start_over(&sr_root_shares);
	expect_code(enter_with(sr_buf_text(&old)), SR_WRONG_KEY);
	expect_code(enter_with(""), SR_INVALID);
	const char *end = strchr(sr_buf_text(&house.shares), '\n');
	SR_CLEANUP(sr_buf) struct sr_buf one = SR_BUF(SR_SHARE_TEXT_MAX);
	sr_buf_append(&one, sr_bytes_of(house.shares.data, (size_t)(end - (const char *)house.shares.data)));
	expect_code(enter_with(sr_buf_text(&one)), SR_INVALID);
	expect_ok(enter_with(sr_buf_text(&house.shares)));
}

/* It may be the only copy of the root key that the master file names. */
static void a_new_root_key_that_cannot_be_read_now_is_not_removed(void **state)
{
	(void)state;
	SR_CLEANUP(sr_string) char *next = sr_strdupf("%s.next", house.config.root_key);
	SR_CLEANUP(sr_secret) struct sr_secret *key = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf descriptor = SR_BUF(SR_ROOT_DESCRIPTOR_MAX);
	expect_ok(sr_secret_random(SR_KEY_LEN, &key));
	expect_ok(sr_root_key_describe(key, &descriptor));
	expect_ok(sr_key_file_write(next, key));
	assert_int_equal(chmod(next, 0644), 0);
	expect_code(sr_root_file.settle(&house.settings, sr_buf_bytes(&descriptor)), SR_DENIED);
	assert_int_equal(access(next, F_OK), 0);
	assert_int_equal(chmod(next, 0600), 0);
	expect_ok(sr_root_file.settle(&house.settings, sr_buf_bytes(&descriptor)));
	assert_int_equal(access(next, F_OK), -1);
}

static void weak_and_missing_inputs_make_no_root(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf descriptor = SR_BUF(SR_ROOT_DESCRIPTOR_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf handout = SR_BUF(SR_ROOT_HANDOUT_MAX);
	SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	struct sr_root_settings settings = house.settings;
	const struct sr_root_input nothing = {0};
	expect_code(sr_root_passphrase.create(&settings, &nothing, &descriptor, &handout, &root), SR_INVALID);
	expect_ok(sr_root_answer_read(&sr_root_passphrase, SR_LITERAL("too short\n"), &answer));
	expect_code(sr_root_passphrase.create(&settings, &answer.input, &descriptor, &handout, &root), SR_INVALID);
	settings.threshold = 4;
	expect_code(sr_root_shares.create(&settings, &nothing, &descriptor, &handout, &root), SR_INVALID);
	assert_int_equal(handout.len, 0);
	struct sr_config config = house.config;
	expect_ok(sr_config_set(&config, "tpm-pcrs", "sha256:99"));
	settings.config = &config;
	expect_code(sr_root_tpm.create(&settings, &nothing, &descriptor, &handout, &root), SR_INVALID);
	expect_ok(sr_config_set(&config, "tpm", "swtpm:host=127.0.0.1,port=1"));
	expect_ok(sr_config_set(&config, "tpm-pcrs", ""));
	expect_code(sr_root_tpm.create(&settings, &nothing, &descriptor, &handout, &root), SR_UNAVAILABLE);
	const struct sr_root_provider *none;
	expect_code(sr_root_provider_named("paper", &none), SR_NOT_FOUND);
}

/* ---- damage ---- */

/* Not durable, and so quick. */
static void put_master(struct sr_bytes bytes)
{
	FILE *file = fopen(house.path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
}

static void refused_as_damage(struct sr_bytes bytes)
{
	struct sr_vault_master master;
	put_master(bytes);
	struct sr_result entered = house_enter(&house, &master);
	if (sr_result_code(entered) != SR_CORRUPT) {
		fail_msg("damage gave %d: %s", (int)sr_result_code(entered), sr_result_message(entered));
	}
	sr_result_free(entered);
}

static void every_flipped_cut_or_added_byte_is_told_before_anybody_is_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROVIDERS; i++) {
		start_over(providers[i]);
		SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(65536);
		expect_ok(sr_file_read(house.path, 65536, &file));
		for (size_t at = 0; at < file.len; at++) {
			file.data[at] ^= 0x40;
			refused_as_damage(sr_buf_bytes(&file));
			file.data[at] ^= 0x40;
			refused_as_damage(sr_bytes_of(file.data, at));
		}
		sr_buf_append_u8(&file, 0);
		refused_as_damage(sr_buf_bytes(&file));
		expect_ok(sr_file_write_durable(house.path, sr_bytes_of(file.data, file.len - 1)));
		SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
		expect_ok(house_enter(&house, &master));
	}
}

/* Somebody who writes to the disk makes the outer hash fit again. */
static void no_byte_altered_on_purpose_opens(void **state)
{
	(void)state;
	for (size_t i = 0; i < QUICK_PROVIDERS; i++) {
		start_over(providers[i]);
		SR_CLEANUP(sr_buf) struct sr_buf file = SR_BUF(65536);
		expect_ok(sr_file_read(house.path, 65536, &file));
		const size_t hashed_len = file.len - SR_SHA256_LEN;
		for (size_t at = 0; at < hashed_len; at += i == 2 ? 7 : 1) {
			uint8_t digest[SR_DIGEST_MAX];
			struct sr_vault_master master;
			file.data[at] ^= 0x01;
			sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(file.data, hashed_len), digest);
			memcpy(file.data + hashed_len, digest, SR_SHA256_LEN);
			put_master(sr_buf_bytes(&file));
			struct sr_result entered = house_enter(&house, &master);
			assert_false(sr_is_ok(entered));
			sr_result_free(entered);
			file.data[at] ^= 0x01;
		}
	}
}

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

enum { VEIL = 0xa5 };

/* How often 32 bytes, which are given veiled so that the search does not find itself, lie in this process's memory. */
static unsigned find_in_memory(const uint8_t veiled[static SR_KEY_LEN])
{
	unsigned found = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	assert_true(maps && memory >= 0);
	char line[512];
	static uint8_t piece[1 << 20];
	while (fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		char access[5] = "";
		assert_int_equal(sscanf(line, "%lx-%lx %4s", &from, &to, access), 3);
		if (to - from > 1UL << 32) {
			continue; /* a sanitizer's shadow, which holds no bytes of ours */
		}
		for (unsigned long at = from; access[1] == 'w' && at < to; at += sizeof piece - SR_KEY_LEN) {
			const size_t wanted = to - at < sizeof piece ? to - at : sizeof piece;
			ssize_t got = at <= (unsigned long)piece && (unsigned long)piece < at + wanted
			                  ? 0
			                  : pread(memory, piece, wanted, (off_t)at);
			for (ssize_t i = 0; i + SR_KEY_LEN <= got; i++) {
				size_t same = 0;
				while (same < SR_KEY_LEN && (piece[i + same] ^ VEIL) == veiled[same]) {
					same++;
				}
				found += same == SR_KEY_LEN;
			}
		}
		memset(piece, 0, sizeof piece);
	}
	close(memory);
	fclose(maps);
	return found;
}

static void no_provider_leaves_the_root_key_in_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROVIDERS; i++) {
		uint8_t veiled[SR_KEY_LEN];
		start_over(providers[i]);
		{
			SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
			SR_CLEANUP(sr_master_file) struct sr_master_file file = {0};
			SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
			SR_CLEANUP(sr_secret) struct sr_secret *root = NULL;
			SR_CLEANUP(sr_secret) struct sr_secret *shown = NULL;
			SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(4096);
			SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/shown", house.folder);
			expect_ok(house_enter(&house, &master));
			expect_ok(sr_master_file_read(house.path, &file));
			expect_ok(house_answer(&house, file.provider, &answer));
			expect_ok(file.provider->open(&house.settings, file.descriptor, &answer.input, &root));
			expect_ok(sr_key_file_write(path, root));
			expect_ok(sr_file_read(path, 4096, &text));
			expect_ok(sr_hex_decode(sr_bytes_of(text.data + text.len - 65, 64), veiled, sizeof veiled));
			for (size_t at = 0; at < SR_KEY_LEN; at++) {
				veiled[at] ^= VEIL;
			}
			unlink(path);
		}
		const unsigned found = find_in_memory(veiled);
		/* A sanitizer keeps freed memory aside, what tpm2-tss has freed too, out of the reach of tpm.c's scrubbing. */
		if (found && !(IS_SANITIZED && providers[i] == &sr_root_tpm)) {
			fail_msg("%s leaves the root key %u times", providers[i]->name, found);
		}
	}
	/* the search finds what is there */
	uint8_t planted[SR_KEY_LEN], veiled[SR_KEY_LEN];
	for (size_t at = 0; at < SR_KEY_LEN; at++) {
		planted[at] = (uint8_t)(17 * at + 3);
		veiled[at] = planted[at] ^ VEIL;
	}
	assert_true(find_in_memory(veiled) >= 1);
	sr_wipe(planted, sizeof planted);
}

int main(int count, char **words)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
	if (count == 5) {
		return mortal_change(words[1], words[2], words[3], words[4]);
	}
	house_open(&house, NULL);
	house_start_tpm(&house);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_provider_gives_way_to_every_other_and_to_itself),
	    cmocka_unit_test(a_file_of_version_1_opens_and_gives_way),
	    cmocka_unit_test(what_is_wrong_opens_nothing),
	    cmocka_unit_test(weak_and_missing_inputs_make_no_root),
	    cmocka_unit_test(a_new_root_key_that_cannot_be_read_now_is_not_removed),
	    cmocka_unit_test(every_flipped_cut_or_added_byte_is_told_before_anybody_is_asked),
	    cmocka_unit_test(no_byte_altered_on_purpose_opens),
	    cmocka_unit_test(no_provider_leaves_the_root_key_in_memory),
	    cmocka_unit_test(a_change_that_is_killed_at_any_call_leaves_the_old_or_the_new_root),
	    cmocka_unit_test(a_change_to_a_passphrase_that_is_killed_loses_nothing),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	house_close(&house);
	return failed;
}
