/* A SoftHSM token of the test's own in a directory that is removed at the end, attached to this process. */
#ifndef SR_TEST_SEAL_HSM_FIXTURE_H
#define SR_TEST_SEAL_HSM_FIXTURE_H

#include "seal_init.h"

#include "seal/hsm.h"

#include "base/random.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_LABEL "strongroom-test"
#define TOKEN_PIN   "123456"

static struct {
	char folder[64], tokens[96], pin_file[96], setting[128];
	const char *module;
} token_place;

static inline void write_text(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, mode);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline struct sr_hsm_options token_options(void)
{
	return (struct sr_hsm_options){.module = token_place.module,
	                               .label = TOKEN_LABEL,
	                               .pin_file = token_place.pin_file,
	                               .environment = token_place.setting};
}

/* The module's path comes from meson; a build with PKCS#11 is tested with SoftHSM or not at all. */
static inline int make_token(void **state)
{
	if (init_seal(state) != 0) {
		return -1;
	}
	token_place.module = getenv("SR_TOKEN_MODULE");
	if (!token_place.module) {
		fail_msg("SR_TOKEN_MODULE is not set: run the tests through meson");
	}
	strcpy(token_place.folder, "/tmp/sr-token-XXXXXX");
	assert_non_null(mkdtemp(token_place.folder));
	snprintf(token_place.tokens, sizeof token_place.tokens, "%s/tokens", token_place.folder);
	snprintf(token_place.pin_file, sizeof token_place.pin_file, "%s/pin", token_place.folder);
	snprintf(token_place.setting, sizeof token_place.setting, "SOFTHSM2_CONF=%s/conf", token_place.folder);
	assert_int_equal(mkdir(token_place.tokens, 0700), 0);
	write_text(token_place.pin_file, TOKEN_PIN "\n", 0600);
	char text[256];
	snprintf(text, sizeof text, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
	         token_place.tokens);
	write_text(strchr(token_place.setting, '=') + 1, text, 0600);
	snprintf(text, sizeof text,
	         "%s softhsm2-util --init-token --free --label " TOKEN_LABEL " --so-pin 87654321 --pin " TOKEN_PIN
	         " >/dev/null",
	         token_place.setting);
	assert_int_equal(system(text), 0); /* NOLINT: the words are this file's own */
	return 0;
}

static inline int remove_token(void **state)
{
	(void)state;
	sr_hsm_detach();
	char text[96];
	snprintf(text, sizeof text, "rm -rf %s", token_place.folder);
	return system(text); /* NOLINT: as above */
}

static inline int attach_token(void **state)
{
	if (make_token(state) != 0) {
		return -1;
	}
	const struct sr_hsm_options options = token_options();
	expect_ok(sr_hsm_attach(&options));
	return 0;
}

#endif
