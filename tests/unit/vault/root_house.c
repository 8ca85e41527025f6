/* The tests' root: files, the emulator, answers. */
#include "root_house.h"

#include "base/clock.h"
#include "base/memory.h"
#include "seal/file.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THRESHOLD = 2, COUNT = 3, TPM_START_MS = 10000 };

static void make_folder(struct house *house, const char *name)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/%s", house->folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void read_shares(struct house *house)
{
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/shares", house->folder);
	house->shares = SR_BUF(SR_ROOT_HANDOUT_MAX);
	struct sr_result read = sr_file_read(path, SR_ROOT_HANDOUT_MAX, &house->shares);
	assert_true(sr_is_ok(read) || sr_result_code(read) == SR_NOT_FOUND);
	sr_result_free(read);
}

void house_open(struct house *house, const char *folder)
{
	*house = (struct house){0};
	snprintf(house->folder, sizeof house->folder, "%s", folder ? folder : "/tmp/root-test-XXXXXX");
	if (!folder) {
		assert_non_null(mkdtemp(house->folder));
		make_folder(house, "root");
		make_folder(house, "vault");
		make_folder(house, "tpm");
	}
	sr_config_defaults(&house->config);
	expect_ok(sr_config_set(&house->config, "state", house->folder));
	expect_ok(sr_config_finish(&house->config));
	house->settings = (struct sr_root_settings){.config = &house->config, .threshold = THRESHOLD, .share_count = COUNT};
	sr_root_master_path(&house->config, house->path);
	read_shares(house);
}

void house_close(struct house *house)
{
	house_stop_tpm(house);
	sr_buf_free(&house->shares);
	SR_CLEANUP(sr_string) char *command = sr_strdupf("rm -rf '%s'", house->folder);
	assert_int_equal(system(command), 0);
}

static int try_port(uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (bind(fd, (const struct sockaddr *)&address, len) || getsockname(fd, (struct sockaddr *)&address, &len)) {
		close(fd);
		return -1;
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* Two neighbours that nobody uses now. */
static uint16_t free_ports(void)
{
	for (;;) {
		uint16_t first, second;
		int one = try_port(0, &first);
		int two = first < 65535 ? try_port((uint16_t)(first + 1), &second) : -1;
		close(one);
		if (two >= 0) {
			close(two);
			return first;
		}
	}
}

static bool answers(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return is_there;
}

void house_start_tpm(struct house *house)
{
	house->tpm_port = free_ports();
	char server[64], control[64], state[128], tcti[64];
	snprintf(server, sizeof server, "type=tcp,port=%u", house->tpm_port);
	snprintf(control, sizeof control, "type=tcp,port=%u", house->tpm_port + 1);
	snprintf(state, sizeof state, "dir=%s/tpm", house->folder);
	snprintf(tcti, sizeof tcti, "swtpm:host=127.0.0.1,port=%u", house->tpm_port);
	expect_ok(sr_config_set(&house->config, "tpm", tcti));
	house->tpm = fork();
	if (house->tpm == 0) {
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--server", server, "--ctrl", control, "--tpmstate", state,
		       "--flags", "startup-clear", (char *)NULL);
		fprintf(stderr, "swtpm is not installed: scripts/setup check\n");
		_exit(127);
	}
	const uint64_t deadline_ms = sr_boottime_ms() + TPM_START_MS;
	while (!answers((uint16_t)(house->tpm_port + 1))) {
		assert_true(sr_boottime_ms() < deadline_ms);
		assert_int_equal(waitpid(house->tpm, NULL, WNOHANG), 0);
		sr_sleep_ms(10);
	}
}

void house_stop_tpm(struct house *house)
{
	if (house->tpm > 0) {
		kill(house->tpm, SIGTERM);
		waitpid(house->tpm, NULL, 0);
		house->tpm = 0;
	}
}

struct sr_result house_answer(struct house *house, const struct sr_root_provider *provider,
                              struct sr_root_answer *ret_answer)
{
	struct sr_bytes text = {0};
	if (provider == &sr_root_passphrase) {
		text = SR_LITERAL(HOUSE_PASSPHRASE "\n");
	} else if (provider == &sr_root_tpm) {
		text = SR_LITERAL(HOUSE_PIN "\n");
	} else if (provider == &sr_root_shares) {
		/* the last two of the three */
		const uint8_t *end = house->shares.len ? memchr(house->shares.data, '\n', house->shares.len) : NULL;
		const size_t first = end ? (size_t)(end - house->shares.data) + 1 : house->shares.len;
		text = sr_bytes_of(house->shares.data + first, house->shares.len - first);
	}
	return sr_root_answer_read(provider, text, ret_answer);
}

static struct sr_result keep_shares(struct house *house, struct sr_buf *handout)
{
	if (!handout->len) {
		return sr_ok();
	}
	SR_CLEANUP(sr_string) char *path = sr_strdupf("%s/shares", house->folder);
	SR_TRY(sr_file_write_durable(path, sr_buf_bytes(handout)));
	sr_buf_reset(&house->shares);
	sr_buf_append(&house->shares, sr_buf_bytes(handout));
	return sr_buf_result(&house->shares);
}

struct sr_result house_begin(struct house *house, const struct sr_root_provider *provider)
{
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	SR_CLEANUP(sr_buf) struct sr_buf handout = SR_BUF(SR_ROOT_HANDOUT_MAX);
	SR_TRY(house_answer(house, provider, &answer));
	SR_TRY(sr_root_begin(house->path, &house->settings, provider, &answer.input, &handout));
	return keep_shares(house, &handout);
}

struct sr_result house_enter(struct house *house, struct sr_vault_master *ret_master)
{
	SR_CLEANUP(sr_master_file) struct sr_master_file file = {0};
	SR_CLEANUP(sr_root_answer) struct sr_root_answer answer = {0};
	SR_TRY(sr_master_file_read(house->path, &file));
	SR_TRY(house_answer(house, file.provider, &answer));
	return sr_root_open(&file, &house->settings, &answer.input, ret_master);
}

struct sr_result house_change(struct house *house, const struct sr_root_provider *to)
{
	SR_CLEANUP(sr_vault_master) struct sr_vault_master master = {0};
	SR_CLEANUP(sr_root_change) struct sr_root_change change = {0};
	SR_CLEANUP(sr_root_answer) struct sr_root_answer given = {0};
	SR_CLEANUP(sr_root_answer) struct sr_root_answer proof = {0};
	SR_CLEANUP(sr_buf) struct sr_buf handout = SR_BUF(SR_ROOT_HANDOUT_MAX);
	SR_CLEANUP(sr_buf) struct sr_buf left = SR_BUF(1024);
	SR_TRY(house_enter(house, &master));
	SR_TRY(house_answer(house, to == &sr_root_shares ? &sr_root_file : to, &given));
	SR_TRY(sr_root_change_new(&house->settings, to, &given.input, &handout, &change));
	SR_TRY(keep_shares(house, &handout));
	SR_TRY(house_answer(house, to, &proof));
	SR_TRY(sr_root_change_commit(house->path, &house->settings, &change, &proof.input, &master, &left));
	return left.len ? sr_fail(SR_INTERNAL, "left: %s", sr_buf_text(&left)) : sr_ok();
}

void house_fingerprint(const struct sr_vault_master *master, uint8_t ret[static 2 * SR_SHA256_LEN])
{
	const struct sr_bytes id = sr_id_bytes(&master->database_id);
	expect_ok(sr_key_commitment(master->database_key, id, ret));
	expect_ok(sr_key_commitment(master->records_key, id, ret + SR_SHA256_LEN));
}
