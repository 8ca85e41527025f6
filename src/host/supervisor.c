/* Child processes, their control channels, restarts and stop. Signals arrive through a signalfd in the one poll loop.
 */
#include "host/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "host/control.h"
#include "host/notify.h"
#include "seal/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHILDREN_MAX = 16,
	BACK_OFF_FIRST_MS = 100,
	BACK_OFF_MOST_MS = 10000,
	HEALTHY_AFTER_MS = 60000, /* a service that served this long starts with the first back-off again */
	SILENT_MOST_MS = 30000,   /* without a sign of life this long a service is killed */
	STOP_GRACE_MS = 15000,
	FIRST_STARTS_MOST = 5, /* a service that never served is given up after this many starts */
};

struct child {
	const char *service;
	pid_t pid; /* 0: not running */
	int fd;    /* control channel, -1 where it is closed */
	bool is_serving, has_served, is_told_to_stop, is_sealed, is_restarting;
	unsigned starts;
	uint64_t started_ms, heard_ms, start_at_ms, back_off_ms;
	int64_t started_unix_s;
};

/* A signing request on its way to the vault. */
struct pending {
	uint32_t number; /* 0: free */
	struct child *from;
	struct sr_buf request, receiver;
};

struct sr_supervisor {
	const struct sr_config *config;
	struct child children[CHILDREN_MAX];
	size_t child_count;
	struct pending pending[CHILDREN_MAX];
	uint32_t last_number;
	int signals, lock;
	bool is_stopping, all_served, was_sealed;
	struct sr_result failure;
	struct sr_buf buf;
	uint64_t stop_deadline_ms;
};

void sr_supervisor_status_path(const struct sr_config *config, char *ret_path, size_t len)
{
	snprintf(ret_path, len, "%s/run/services.json", config->state);
}

static struct child *find_child(struct sr_supervisor *supervisor, const char *service)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		if (strcmp(supervisor->children[i].service, service) == 0) {
			return &supervisor->children[i];
		}
	}
	return NULL;
}

/* Tells the status command and systemd how things stand. */
static void publish(struct sr_supervisor *supervisor)
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(8192);
	sr_buf_printf(&text, "{\"supervisor\":%d,\"services\":[", (int)getpid());
	size_t serving = 0;
	for (size_t i = 0; i < supervisor->child_count; i++) {
		const struct child *child = &supervisor->children[i];
		serving += child->is_serving;
		char pid[16];
		snprintf(pid, sizeof pid, "%d", (int)child->pid);
		sr_buf_printf(&text, "%s{\"service\":\"%s\",\"pid\":%s,\"state\":\"%s\",\"restarts\":%u,\"since\":%lld}",
		              i ? "," : "", child->service, child->pid ? pid : "null",
		              child->is_serving                   ? "serving"
		              : child->is_sealed                  ? "sealed"
		              : !child->pid && !child->has_served ? "waiting"
		              : child->pid                        ? "starting"
		                                                  : "down",
		              child->starts ? child->starts - 1 : 0, (long long)child->started_unix_s);
	}
	sr_buf_append_str(&text, "]}\n");
	char path[SR_CONFIG_TEXT_LEN + 32];
	sr_supervisor_status_path(supervisor->config, path, sizeof path);
	SR_CLEANUP(sr_result) struct sr_result written = sr_file_write_durable(path, sr_buf_bytes(&text));
	if (!sr_is_ok(written)) {
		sr_log(SR_LOG_WARNING, "write status: %s", sr_result_message(written));
	}
	const struct child *vault = find_child(supervisor, "vault");
	if (vault && vault->is_sealed) {
		sr_notify_status("the vault is sealed and waits for: strongroom unseal");
		return;
	}
	sr_notify_status("%zu of %zu services serve", serving, supervisor->child_count);
}

/* In the forked child: keeps standard streams and the control channel, becomes the service. */
static void become_service(const char *service, int fd)
{
	sigset_t none;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	if (fd == SR_CONTROL_FD) {
		fcntl(fd, F_SETFD, 0);
	} else if (dup2(fd, SR_CONTROL_FD) < 0) {
		_exit(127);
	}
	char name[32];
	char program[] = "strongroom";
	char word[] = "service";
	snprintf(name, sizeof name, "%s", service);
	char *arguments[] = {program, word, name, NULL};
	execv("/proc/self/exe", arguments);
	_exit(127);
}

static struct sr_result start(struct sr_supervisor *supervisor, struct child *child)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		return sr_fail_errno(errno, "make a control channel");
	}
	pid_t pid = fork();
	if (pid == 0) {
		become_service(child->service, pair[1]);
	}
	int error_number = errno;
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return sr_fail_errno(error_number, "start %s", child->service);
	}
	child->pid = pid;
	child->fd = pair[0];
	child->is_serving = child->is_told_to_stop = child->is_sealed = child->is_restarting = false;
	child->starts++;
	child->started_ms = child->heard_ms = sr_boottime_ms();
	child->started_unix_s = sr_unix_s();
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_CONTROL_MAX / 2);
	sr_config_export(supervisor->config, &text);
	SR_TRY(sr_buf_result(&text));
	const struct sr_control_message configuration = {.kind = SR_CONTROL_CONFIG, .text = sr_buf_bytes(&text)};
	return sr_control_send(child->fd, &configuration);
}

/* Starts what is due: a service waits for those before it to have served once, and for its back-off. */
static void start_due(struct sr_supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->child_count && !supervisor->is_stopping; i++) {
		struct child *child = &supervisor->children[i];
		if (!child->pid && sr_boottime_ms() >= child->start_at_ms) {
			SR_CLEANUP(sr_result) struct sr_result started = start(supervisor, child);
			if (!sr_is_ok(started)) {
				sr_log(SR_LOG_ERROR, "%s", sr_result_message(started));
				child->start_at_ms = sr_boottime_ms() + BACK_OFF_MOST_MS;
			}
			publish(supervisor);
		}
		if (!child->has_served) {
			return;
		}
	}
}

static void close_channel(struct child *child)
{
	if (child->fd >= 0) {
		close(child->fd);
		child->fd = -1;
	}
}

/* Hands a request to the vault, or keeps it until the vault serves. */
static void relay(struct sr_supervisor *supervisor, struct pending *pending)
{
	struct child *vault = find_child(supervisor, "vault");
	if (!vault || !vault->is_serving) {
		return;
	}
	const struct sr_control_message sign = {
	    .kind = SR_CONTROL_SIGN,
	    .number = pending->number,
	    .text = sr_bytes_str(pending->from->service),
	    .first = sr_buf_bytes(&pending->request),
	    .second = sr_buf_bytes(&pending->receiver),
	};
	sr_ignore(sr_control_send(vault->fd, &sign)); /* a vault that just died is asked again when it serves */
}

static void on_want(struct sr_supervisor *supervisor, struct child *child, const struct sr_control_message *message)
{
	struct pending *pending = &supervisor->pending[child - supervisor->children];
	pending->number = ++supervisor->last_number;
	pending->from = child;
	sr_buf_reset(&pending->request);
	pending->request.max = SR_CONTROL_MAX / 2;
	sr_buf_append(&pending->request, message->first);
	sr_buf_reset(&pending->receiver);
	pending->receiver.max = SR_CONTROL_MAX / 2;
	sr_buf_append(&pending->receiver, message->second);
	relay(supervisor, pending);
}

static void on_signed(struct sr_supervisor *supervisor, const struct child *child,
                      const struct sr_control_message *message)
{
	if (strcmp(child->service, "vault") != 0) {
		return;
	}
	for (size_t i = 0; i < supervisor->child_count; i++) {
		struct pending *pending = &supervisor->pending[i];
		if (pending->number && pending->number == message->number) {
			pending->number = 0;
			struct sr_control_message answer = *message;
			answer.kind = SR_CONTROL_CERTIFICATE;
			sr_ignore(sr_control_send(pending->from->fd, &answer));
		}
	}
}

/* The vault wants a service to have a new certificate; only the vault is heard. */
static void on_renew(struct sr_supervisor *supervisor, const struct child *child,
                     const struct sr_control_message *message)
{
	for (size_t i = 0; strcmp(child->service, "vault") == 0 && i < supervisor->child_count; i++) {
		const struct child *other = &supervisor->children[i];
		if (other->is_serving && sr_equal_public(sr_bytes_str(other->service), message->text)) {
			const struct sr_control_message renew = {.kind = SR_CONTROL_RENEW};
			sr_ignore(sr_control_send(other->fd, &renew));
		}
	}
}

static void on_ready(struct sr_supervisor *supervisor, struct child *child)
{
	child->is_serving = child->has_served = true;
	child->is_sealed = false;
	sr_log(SR_LOG_INFO, "%s serves (process %d, after %llu ms)", child->service, (int)child->pid,
	       (unsigned long long)(sr_boottime_ms() - child->started_ms));
	for (size_t i = 0; strcmp(child->service, "vault") == 0 && i < supervisor->child_count; i++) {
		if (supervisor->pending[i].number) {
			relay(supervisor, &supervisor->pending[i]);
		}
	}
	publish(supervisor);
}

static void on_sealed(struct sr_supervisor *supervisor, struct child *child)
{
	child->is_sealed = true;
	sr_log(SR_LOG_NOTICE, "sealed: the vault waits for what opens its root key: strongroom unseal --state %s",
	       supervisor->config->state);
	publish(supervisor);
}

static void hear(struct sr_supervisor *supervisor, struct child *child)
{
	struct sr_control_message message;
	SR_CLEANUP(sr_result) struct sr_result received = sr_control_receive(child->fd, 0, &supervisor->buf, &message);
	if (!sr_is_ok(received)) {
		if (sr_result_code(received) != SR_TIMEOUT) {
			close_channel(child);
		}
		return;
	}
	child->heard_ms = sr_boottime_ms();
	if (message.kind == SR_CONTROL_READY) {
		on_ready(supervisor, child);
	} else if (message.kind == SR_CONTROL_WANT) {
		on_want(supervisor, child, &message);
	} else if (message.kind == SR_CONTROL_SIGNED) {
		on_signed(supervisor, child, &message);
	} else if (message.kind == SR_CONTROL_RENEW) {
		on_renew(supervisor, child, &message);
	} else if (message.kind == SR_CONTROL_SEALED) {
		on_sealed(supervisor, child);
	} else if (message.kind == SR_CONTROL_RESTART) {
		child->is_restarting = true;
	}
}

static void begin_stop(struct sr_supervisor *supervisor)
{
	if (!supervisor->is_stopping) {
		supervisor->is_stopping = true;
		supervisor->stop_deadline_ms = sr_boottime_ms() + STOP_GRACE_MS;
		sr_notify("STOPPING=1");
	}
}

/* How a process ended, for people. */
static const char *end_kind(int status)
{
	return WIFSIGNALED(status) ? "signal" : "status";
}

static int end_number(int status)
{
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* What an ended child means: expected, or a restart with back-off. */
static void on_end(struct sr_supervisor *supervisor, struct child *child, int status)
{
	uint64_t lived_ms = sr_boottime_ms() - child->started_ms;
	const bool is_meant = child->is_restarting && status == 0;
	if (is_meant && !supervisor->is_stopping) {
		child->back_off_ms = 0;
		sr_log(SR_LOG_INFO, "%s starts again", child->service);
	}
	if (!supervisor->is_stopping && !is_meant) {
		child->back_off_ms =
		    lived_ms > HEALTHY_AFTER_MS || !child->back_off_ms ? BACK_OFF_FIRST_MS : 2 * child->back_off_ms;
		if (child->back_off_ms > BACK_OFF_MOST_MS) {
			child->back_off_ms = BACK_OFF_MOST_MS;
		}
		sr_log(SR_LOG_ERROR, "%s ended (%s %d) after %llu ms; starting it again in %llu ms", child->service,
		       end_kind(status), end_number(status), (unsigned long long)lived_ms,
		       (unsigned long long)child->back_off_ms);
		if (!child->has_served && child->starts >= FIRST_STARTS_MOST) {
			supervisor->failure =
			    sr_first_error(supervisor->failure,
			                   sr_fail(SR_UNAVAILABLE, "%s cannot start; its log lines above say why", child->service));
			begin_stop(supervisor);
		}
	}
	if (supervisor->is_stopping && status != 0) {
		sr_log(SR_LOG_WARNING, "%s did not end well (%s %d)", child->service, end_kind(status), end_number(status));
	}
	close_channel(child);
	supervisor->pending[child - supervisor->children].number = 0;
	child->pid = 0;
	child->is_serving = child->is_sealed = false;
	child->start_at_ms = sr_boottime_ms() + child->back_off_ms;
	publish(supervisor);
}

static void reap(struct sr_supervisor *supervisor)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0) {
			return;
		}
		for (size_t i = 0; i < supervisor->child_count; i++) {
			if (supervisor->children[i].pid == pid) {
				on_end(supervisor, &supervisor->children[i], status);
			}
		}
	}
}

static void on_signal(struct sr_supervisor *supervisor)
{
	struct signalfd_siginfo info;
	while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD) {
			reap(supervisor);
		} else {
			begin_stop(supervisor);
		}
	}
}

/* Stops the last service that still runs; the vault, first in the list, outlives all that lease from it. */
static void stop_next(struct sr_supervisor *supervisor)
{
	for (size_t i = supervisor->child_count; i-- > 0;) {
		struct child *child = &supervisor->children[i];
		if (!child->pid) {
			continue;
		}
		if (!child->is_told_to_stop) {
			child->is_told_to_stop = true;
			const struct sr_control_message stop = {.kind = SR_CONTROL_STOP};
			sr_ignore(sr_control_send(child->fd, &stop));
		}
		if (sr_boottime_ms() >= supervisor->stop_deadline_ms) {
			sr_log(SR_LOG_WARNING, "%s does not stop: ending it", child->service);
			kill(child->pid, SIGKILL);
		}
		return;
	}
}

static bool any_runs(const struct sr_supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->child_count; i++) {
		if (supervisor->children[i].pid) {
			return true;
		}
	}
	return false;
}

/* True if all serve; kills those that give no sign of life. */
static bool look_after(struct sr_supervisor *supervisor)
{
	bool all_serve = true;
	for (size_t i = 0; i < supervisor->child_count; i++) {
		struct child *child = &supervisor->children[i];
		all_serve = all_serve && child->is_serving;
		if (child->pid && sr_boottime_ms() - child->heard_ms > SILENT_MOST_MS && !supervisor->is_stopping) {
			sr_log(SR_LOG_ERROR, "%s gives no sign of life: ending it", child->service);
			child->heard_ms = sr_boottime_ms();
			kill(child->pid, SIGKILL);
		}
	}
	return all_serve;
}

static void wait_for_news(struct sr_supervisor *supervisor)
{
	struct pollfd waits[CHILDREN_MAX + 1] = {{.fd = supervisor->signals, .events = POLLIN}};
	for (size_t i = 0; i < supervisor->child_count; i++) {
		waits[i + 1] = (struct pollfd){.fd = supervisor->children[i].fd, .events = POLLIN};
	}
	if (poll(waits, supervisor->child_count + 1, 100) <= 0) {
		return;
	}
	for (size_t i = 0; i < supervisor->child_count; i++) {
		if (waits[i + 1].revents && supervisor->children[i].fd >= 0) {
			hear(supervisor, &supervisor->children[i]);
		}
	}
	if (waits[0].revents) {
		on_signal(supervisor);
	}
}

/* Calls a listener; false from it begins the stop. */
static void tell(struct sr_supervisor *supervisor, bool (*listener)(void *context), void *context)
{
	if (listener && !listener(context)) {
		begin_stop(supervisor);
	}
}

/* What is told once: that all serve, or that the vault waits for a person. To systemd either is a start. */
static void tell_news(struct sr_supervisor *supervisor, bool all_serve, const struct sr_supervision *supervision)
{
	const struct child *vault = find_child(supervisor, "vault");
	if (supervisor->is_stopping) {
		return;
	}
	if (vault && vault->is_sealed && !supervisor->was_sealed) {
		supervisor->was_sealed = true;
		sr_notify("READY=1");
		tell(supervisor, supervision->on_sealed, supervision->context);
	}
	if (all_serve && !supervisor->all_served) {
		supervisor->all_served = true;
		sr_notify("READY=1");
		tell(supervisor, supervision->on_serving, supervision->context);
	}
}

static void loop(struct sr_supervisor *supervisor, const struct sr_supervision *supervision)
{
	while (!supervisor->is_stopping || any_runs(supervisor)) {
		if (supervisor->is_stopping) {
			stop_next(supervisor);
		} else {
			start_due(supervisor);
		}
		wait_for_news(supervisor);
		bool all_serve = look_after(supervisor);
		const struct child *vault = find_child(supervisor, "vault");
		if (all_serve || (vault && vault->is_sealed)) {
			sr_notify_alive();
		}
		tell_news(supervisor, all_serve, supervision);
	}
}

/* Makes a directory of mode 0700 where it is missing. */
static struct sr_result ensure_dir(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? sr_fail_errno(errno, "make %s", path) : sr_ok();
}

static struct sr_result lock_state(struct sr_supervisor *supervisor)
{
	char path[SR_CONFIG_TEXT_LEN + 32];
	snprintf(path, sizeof path, "%s/run", supervisor->config->state);
	SR_TRY(ensure_dir(path));
	supervisor->lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (supervisor->lock < 0) {
		return sr_fail_errno(errno, "open %s", path);
	}
	if (flock(supervisor->lock, LOCK_EX | LOCK_NB)) {
		return errno == EWOULDBLOCK
		           ? sr_fail(SR_CONFLICT, "another strongroom serves %s; stop it first, or give --state",
		                     supervisor->config->state)
		           : sr_fail_errno(errno, "lock %s", path);
	}
	for (size_t i = 0; i < supervisor->child_count; i++) {
		snprintf(path, sizeof path, "%s/%s", supervisor->config->state, supervisor->children[i].service);
		SR_TRY(ensure_dir(path));
	}
	return sr_file_sync_name(path); /* theirs and the others' */
}

static struct sr_result take_signals(struct sr_supervisor *supervisor)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return supervisor->signals < 0 ? sr_fail_errno(errno, "take signals") : sr_ok();
}

struct sr_result sr_supervise(const struct sr_config *config, const char *const *services,
                              const struct sr_supervision *supervision)
{
	struct sr_supervisor supervisor = {.config = config, .signals = -1, .lock = -1, .buf = SR_BUF(SR_CONTROL_MAX)};
	for (size_t i = 0; i < CHILDREN_MAX && services[i]; i++) {
		supervisor.children[i] = (struct child){.service = services[i], .fd = -1};
		supervisor.child_count++;
	}
	struct sr_result prepared = lock_state(&supervisor);
	prepared = sr_is_ok(prepared) ? take_signals(&supervisor) : prepared;
	if (sr_is_ok(prepared)) {
		loop(&supervisor, supervision);
	}
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		sr_buf_free(&supervisor.pending[i].request);
		sr_buf_free(&supervisor.pending[i].receiver);
	}
	sr_buf_free(&supervisor.buf);
	if (supervisor.signals >= 0) {
		close(supervisor.signals);
	}
	if (supervisor.lock >= 0) {
		close(supervisor.lock);
	}
	return sr_first_error(prepared, supervisor.failure);
}
