/*
 * The PKCS#11 module: loading, connecting and login, and the sessions that threads take turns in. The token's login
 * lasts as long as a session is open, so one is kept that nobody uses. A connection that is lost is made anew by the
 * next one who needs it, once nobody uses the old one; attempts are apart by a while, so that callers fail fast.
 */
#include "seal/pkcs11_parts.h"

#include "seal/file.h"
#include "seal/secret_bytes.h"

#include "base/clock.h"
#include "base/memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	SESSIONS_MAX = 64,
	MECHANISMS_MAX = 512,
	SLOTS_MAX = 256,
	PIN_MAX = 255,
	RETRY_MS = 300,
	STALE_MS = 2000,
	ATTEMPTS = 2
};

static struct {
	/* written by attach and detach alone */
	void *library;
	CK_FUNCTION_LIST *call;
	struct sr_secret *pin;
	char label[SR_HSM_LABEL_MAX + 1];

	struct sr_mutex mutex; /* guards what follows, but is not held while the module is called */
	struct sr_cond changed;
	bool is_connected, is_connecting, is_initialised;
	bool is_pin_wrong; /* not tried again: tokens lock themselves */
	uint64_t retry_at_ms, stale_at_ms, generation;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE idle[SESSIONS_MAX];
	unsigned idle_count, used_count;
	CK_RV last_error;

	/* written by the one who connects, while nobody uses the token */
	CK_SESSION_HANDLE anchor;
	CK_MECHANISM_TYPE mechanisms[MECHANISMS_MAX];
	CK_ULONG mechanism_count;
} token = {.mutex = SR_MUTEX(SR_RANK_LEAF)};

bool sr_hsm_is_attached(void)
{
	return token.call;
}

const char *sr_hsm_label(void)
{
	return token.label;
}

bool sr_hsm_can(CK_MECHANISM_TYPE mechanism)
{
	for (CK_ULONG i = 0; i < token.mechanism_count; i++) {
		if (token.mechanisms[i] == mechanism) {
			return true;
		}
	}
	return false;
}

/* A buffer that held the PIN. */
static void pin_text_cleanup(struct sr_buf *text)
{
	if (text->data) {
		sr_wipe(text->data, text->cap);
	}
	sr_buf_free(text);
}

static struct sr_result read_pin(const char *path, struct sr_secret **ret_pin)
{
	struct stat status;
	if (stat(path, &status)) {
		return sr_fail_errno(errno, "pkcs11-pin-file: look at %s", path);
	}
	if (status.st_mode & (S_IRWXG | S_IRWXO)) {
		return sr_fail(SR_DENIED, "pkcs11-pin-file: others may read %s: chmod 0600 it", path);
	}
	SR_CLEANUP(pin_text) struct sr_buf text = SR_BUF(PIN_MAX + 1);
	SR_TRY(sr_file_read(path, PIN_MAX, &text));
	struct sr_bytes pin = sr_buf_bytes(&text);
	while (pin.len && (pin.data[pin.len - 1] == '\n' || pin.data[pin.len - 1] == '\r')) {
		pin.len--;
	}
	return pin.len ? sr_secret_from_bytes(pin, ret_pin) : sr_fail(SR_INVALID, "pkcs11-pin-file: %s is empty", path);
}

/* "NAME=VALUE" into the environment of this process, where the module reads it. */
static struct sr_result pass_environment(const char *setting)
{
	const char *equals = strchr(setting, '=');
	if (!*setting) {
		return sr_ok();
	}
	char name[64];
	if (!equals || equals == setting || (size_t)(equals - setting) >= sizeof name) {
		return sr_fail(SR_INVALID, "pkcs11-config: '%s' is not NAME=VALUE (SOFTHSM2_CONF=/etc/softhsm2.conf)", setting);
	}
	memcpy(name, setting, (size_t)(equals - setting));
	name[equals - setting] = 0;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): at the start, when no other thread reads the environment */
	return setenv(name, equals + 1, 1) ? sr_fail_errno(errno, "pkcs11-config: set %s", name) : sr_ok();
}

static struct sr_result load(const char *path, void **ret_library, CK_FUNCTION_LIST **ret_call)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		return sr_fail(SR_INVALID, "pkcs11-module: load %s: %s", path, dlerror());
	}
	CK_C_GetFunctionList get = NULL;
	void *symbol = dlsym(library, "C_GetFunctionList");
	memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from data to function */
	if (!get || get(ret_call) != CKR_OK || !*ret_call) {
		dlclose(library);
		return sr_fail(SR_INVALID, "pkcs11-module: %s is no PKCS#11 module", path);
	}
	*ret_library = library;
	return sr_ok();
}

struct sr_result sr_hsm_attach(const struct sr_hsm_options *options)
{
	if (token.call) {
		return sr_fail(SR_EXISTS, "a PKCS#11 token is attached already");
	}
	if (options->module[0] != '/') {
		return sr_fail(SR_INVALID, "pkcs11-module: '%s' is not an absolute path", options->module);
	}
	if (!*options->label || strlen(options->label) > SR_HSM_LABEL_MAX) {
		return sr_fail(SR_INVALID, "pkcs11-token: the token's label has 1 to %d characters", SR_HSM_LABEL_MAX);
	}
	SR_CLEANUP(sr_secret) struct sr_secret *pin = NULL;
	SR_TRY(read_pin(options->pin_file, &pin));
	SR_TRY(pass_environment(options->environment));
	SR_TRY(load(options->module, &token.library, &token.call));
	token.pin = SR_TAKE(pin);
	snprintf(token.label, sizeof token.label, "%s", options->label);
	sr_cond_init(&token.changed);
	return sr_ok();
}

void sr_hsm_detach(void)
{
	if (!token.call) {
		return;
	}
	if (token.is_initialised) {
		token.call->C_Finalize(NULL);
	}
	dlclose(token.library);
	sr_secret_free(token.pin);
	sr_cond_destroy(&token.changed);
	token.call = NULL;
	token.library = NULL;
	token.pin = NULL;
	token.label[0] = 0;
	token.is_connected = token.is_initialised = token.is_pin_wrong = false;
	token.idle_count = token.used_count = 0;
	token.retry_at_ms = 0;
}

/* Labels are padded with blanks to their field's 32 bytes. */
static bool has_label(const CK_TOKEN_INFO *info)
{
	size_t len = strlen(token.label);
	for (size_t i = 0; i < sizeof info->label; i++) {
		if (info->label[i] != (i < len ? (unsigned char)token.label[i] : ' ')) {
			return false;
		}
	}
	return true;
}

static CK_RV find_slot(CK_SLOT_ID *ret_slot)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	CK_RV value = token.call->C_GetSlotList(CK_TRUE, slots, &count);
	for (CK_ULONG i = 0; value == CKR_OK && i < count; i++) {
		CK_TOKEN_INFO info;
		if (token.call->C_GetTokenInfo(slots[i], &info) == CKR_OK && has_label(&info)) {
			*ret_slot = slots[i];
			return CKR_OK;
		}
	}
	return value == CKR_OK ? CKR_TOKEN_NOT_PRESENT : value;
}

static CK_RV initialise(void)
{
	CK_C_INITIALIZE_ARGS threads = {.flags = CKF_OS_LOCKING_OK};
	if (token.is_initialised) { /* only so does every module look at its tokens again */
		token.call->C_Finalize(NULL);
	}
	CK_RV value = token.call->C_Initialize(&threads);
	token.is_initialised = value == CKR_OK;
	return value;
}

/* The token's sessions start here, with the one that holds the login. The caller is the only one at the token. */
static CK_RV connect_token(void)
{
	CK_RV value = initialise();
	value = value == CKR_OK ? find_slot(&token.slot) : value;
	if (value != CKR_OK) {
		return value;
	}
	value = token.call->C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &token.anchor);
	if (value != CKR_OK) {
		return value;
	}
	struct sr_bytes pin = sr_secret_bytes(token.pin);
	value = token.call->C_Login(token.anchor, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)pin.data, pin.len);
	token.mechanism_count = MECHANISMS_MAX;
	if ((value == CKR_OK || value == CKR_USER_ALREADY_LOGGED_IN) &&
	    token.call->C_GetMechanismList(token.slot, token.mechanisms, &token.mechanism_count) == CKR_OK) {
		return CKR_OK;
	}
	token.mechanism_count = 0;
	return value == CKR_OK ? CKR_DEVICE_ERROR : value;
}

static struct sr_result fail_away(CK_RV value)
{
	SR_CLEANUP(sr_result) struct sr_result why = sr_fail_hsm(value, "reach the token");
	return sr_fail(SR_UNAVAILABLE, "the PKCS#11 token '%s' cannot be used now: %s", token.label,
	               sr_result_message(why));
}

/* With the mutex, which is released meanwhile. */
static struct sr_result reconnect(void)
{
	if (token.is_pin_wrong || sr_boottime_ms() < token.retry_at_ms) {
		return fail_away(token.last_error);
	}
	token.is_connecting = true;
	while (token.used_count) {
		sr_cond_wait(&token.changed, &token.mutex);
	}
	token.idle_count = 0;
	sr_mutex_unlock(&token.mutex);
	CK_RV value = connect_token();
	sr_mutex_lock(&token.mutex);
	token.is_connecting = false;
	token.is_connected = value == CKR_OK;
	token.last_error = value;
	token.generation++;
	token.is_pin_wrong = value == CKR_PIN_INCORRECT || value == CKR_PIN_LOCKED;
	token.retry_at_ms = sr_boottime_ms() + RETRY_MS;
	sr_cond_broadcast(&token.changed);
	return value == CKR_OK ? sr_ok() : fail_away(value);
}

/* A session of the connection that there is, with the mutex; false if that takes waiting or asking the module. */
static bool take_idle(CK_SESSION_HANDLE *ret_session, uint64_t *ret_generation)
{
	if (!token.is_connected || token.is_connecting || !token.idle_count) {
		return false;
	}
	*ret_session = token.idle[--token.idle_count];
	*ret_generation = token.generation;
	token.used_count++;
	return true;
}

/* Counts the caller in as a user of the connection, made if need be; then either with a session or one to be opened. */
static struct sr_result enter(CK_SESSION_HANDLE *ret_session, uint64_t *ret_generation, bool *ret_must_open)
{
	SR_LOCKED(&token.mutex);
	for (;;) {
		*ret_must_open = false;
		if (take_idle(ret_session, ret_generation)) {
			return sr_ok();
		}
		if (!token.is_connecting && !token.is_connected) {
			SR_TRY(reconnect());
		} else if (token.is_connecting || token.used_count >= SESSIONS_MAX) {
			sr_cond_wait(&token.changed, &token.mutex);
		} else {
			token.used_count++;
			*ret_generation = token.generation;
			*ret_must_open = true;
			return sr_ok();
		}
	}
}

/* The session goes back, or ends: after a failure it may be in the middle of something. */
static void leave(CK_SESSION_HANDLE session, uint64_t generation, CK_RV value)
{
	if (session && value != CKR_OK && sr_hsm_fault_of(value) != SR_HSM_LOST) {
		token.call->C_CloseSession(session);
	}
	SR_LOCKED(&token.mutex);
	token.used_count--;
	if (session && value == CKR_OK && token.is_connected && token.generation == generation) {
		token.idle[token.idle_count++] = session;
	}
	if (sr_hsm_fault_of(value) == SR_HSM_LOST && token.generation == generation && token.is_connected) {
		token.is_connected = false;
		token.last_error = value;
		token.retry_at_ms = 0;
	}
	sr_cond_broadcast(&token.changed);
}

static struct sr_result take_session(CK_SESSION_HANDLE *ret_session, uint64_t *ret_generation)
{
	{
		SR_LOCKED(&token.mutex);
		if (take_idle(ret_session, ret_generation)) {
			return sr_ok();
		}
	}
	bool must_open;
	sr_blocking_begin();
	struct sr_result entered = enter(ret_session, ret_generation, &must_open);
	sr_blocking_end();
	SR_TRY(entered);
	if (!must_open) {
		return sr_ok();
	}
	CK_RV value = token.call->C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, ret_session);
	if (value != CKR_OK) {
		leave(0, *ret_generation, value);
		return fail_away(value);
	}
	return sr_ok();
}

/* The object's handle in this connection. */
static CK_RV resolve(struct sr_hsm_object *object, uint64_t generation, struct sr_hsm_use *use)
{
	{
		SR_LOCKED(&object->mutex);
		if (object->generation == generation) {
			use->object = object->handle;
			return CKR_OK;
		}
	}
	CK_RV value = sr_hsm_find(use, object->class, object->id, &use->object);
	if (value == CKR_OK && !use->object) {
		return CKR_OBJECT_HANDLE_INVALID;
	}
	if (value == CKR_OK) {
		SR_LOCKED(&object->mutex);
		object->handle = use->object;
		object->generation = generation;
	}
	return value;
}

/*
 * The object was not where it should be: its handle is looked up again, and if that was in vain the token is connected
 * anew, since a module may have missed that its token was changed. Now and then only: an object that somebody destroyed
 * must not keep others from theirs.
 */
static void forget_handle(struct sr_hsm_object *object, bool is_in_vain)
{
	if (object) {
		SR_LOCKED(&object->mutex);
		object->generation = 0;
	}
	SR_LOCKED(&token.mutex);
	if (is_in_vain && token.is_connected && sr_boottime_ms() >= token.stale_at_ms) {
		token.is_connected = false;
		token.retry_at_ms = 0;
		token.stale_at_ms = sr_boottime_ms() + STALE_MS;
	}
}

/* Is the token still there, and the object in it? A file of a software token may be gone without an error that says so.
 */
static CK_RV probe(const struct sr_hsm_use *use, const struct sr_hsm_object *object)
{
	CK_TOKEN_INFO info;
	CK_OBJECT_HANDLE found = 1;
	CK_RV value = token.call->C_GetTokenInfo(token.slot, &info);
	if (value == CKR_OK && !has_label(&info)) {
		value = CKR_TOKEN_NOT_PRESENT;
	}
	if (value == CKR_OK && object) {
		value = sr_hsm_find(use, object->class, object->id, &found);
	}
	return value != CKR_OK ? CKR_DEVICE_ERROR : found ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

/* One attempt in a session. */
static CK_RV attempt(struct sr_hsm_object *object, uint64_t generation, struct sr_hsm_use *use, sr_hsm_work work,
                     void *context)
{
	CK_RV value = object ? resolve(object, generation, use) : CKR_OK;
	value = value == CKR_OK ? work(use, context) : value;
	if (sr_hsm_fault_of(value) == SR_HSM_DOUBTFUL) {
		/* the session may be in the middle of what failed: the question is put in another one */
		struct sr_hsm_use fresh = {.call = use->call};
		CK_RV opened = token.call->C_OpenSession(token.slot, CKF_SERIAL_SESSION, NULL, NULL, &fresh.session);
		CK_RV probed = opened == CKR_OK ? probe(&fresh, object) : CKR_DEVICE_ERROR;
		if (opened == CKR_OK) {
			token.call->C_CloseSession(fresh.session);
		}
		value = probed == CKR_OK ? value : probed;
	}
	return value;
}

struct sr_result sr_hsm_run(struct sr_hsm_object *object, sr_hsm_work work, void *context, const char *doing)
{
	if (!token.call || (object && strcmp(object->label, token.label) != 0)) {
		return sr_fail(
		    SR_UNAVAILABLE,
		    "the key lives in the PKCS#11 token '%s', which this vault is not set up for: set pkcs11-module, "
		    "pkcs11-token and pkcs11-pin-file",
		    object ? object->label : "");
	}
	CK_RV value = CKR_OK;
	for (int i = 0; i < ATTEMPTS; i++) {
		struct sr_hsm_use use = {.call = token.call};
		uint64_t generation;
		SR_TRY(take_session(&use.session, &generation));
		value = attempt(object, generation, &use, work, context);
		enum sr_hsm_fault fault = sr_hsm_fault_of(value);
		leave(use.session, generation, value);
		if (fault == SR_HSM_STALE) {
			forget_handle(object, i > 0);
		} else if (fault != SR_HSM_LOST) {
			break;
		}
	}
	return value == CKR_OK ? sr_ok() : sr_fail_hsm(value, doing);
}

static CK_RV ask(const struct sr_hsm_use *use, void *context)
{
	(void)context;
	return probe(use, NULL);
}

struct sr_result sr_hsm_check(void)
{
	return sr_hsm_run(NULL, ask, NULL, "reach the token");
}
