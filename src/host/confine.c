/* Landlock (landlock(7)), seccomp(2) by libseccomp, user and dump settings of one service process. */
#include "host/confine.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sanitizers look at their own process with ptrace and a forked helper; only such builds keep both. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

/* Debian 12's headers know Landlock's second ABI; the numbers of later ones are here (include/uapi/linux/landlock.h).
 */
enum { LANDLOCK_CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };
#define FS_EXECUTE   (1ULL << 0)
#define FS_WRITE     (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR  (1ULL << 3)
#define FS_REFER     (1ULL << 13)
#define FS_TRUNCATE  (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define FS_ABI_1     ((1ULL << 13) - 1)
#define FS_FILE_ONLY (FS_EXECUTE | FS_WRITE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_BIND     (1ULL << 0)
#define NET_CONNECT  (1ULL << 1)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
};
struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));
struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

static struct sr_result allow_path(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT ? sr_ok() : sr_fail_errno(errno, "confine: open %s", path);
	}
	struct stat status;
	if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) {
		access &= FS_FILE_ONLY;
	}
	struct path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
	long added = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
	int error_number = errno;
	close(fd);
	return added ? sr_fail_errno(error_number, "confine: Landlock rule for %s", path) : sr_ok();
}

static struct sr_result allow_port(int ruleset, uint16_t port, uint64_t access)
{
	struct net_port_attr rule = {.allowed_access = access, .port = port};
	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0)
	           ? sr_fail_errno(errno, "confine: Landlock rule for port %u", port)
	           : sr_ok();
}

static struct sr_result allow_all(int ruleset, const struct sr_confinement *confinement, uint64_t fs, bool has_net)
{
	SR_TRY(allow_path(ruleset, confinement->write_dir, fs & ~(FS_EXECUTE | FS_IOCTL_DEV)));
	if (confinement->own_dir) {
		SR_TRY(allow_path(ruleset, confinement->own_dir, fs & ~(FS_EXECUTE | FS_IOCTL_DEV)));
	}
	if (confinement->device) {
		SR_TRY(allow_path(ruleset, confinement->device, (FS_READ_FILE | FS_WRITE | FS_IOCTL_DEV) & fs));
	}
	if (confinement->more_dir && *confinement->more_dir) {
		SR_TRY(allow_path(ruleset, confinement->more_dir, fs & ~(FS_EXECUTE | FS_IOCTL_DEV)));
	}
	for (size_t i = 0; confinement->read_paths[i]; i++) {
		SR_TRY(allow_path(ruleset, confinement->read_paths[i], FS_READ_FILE | FS_READ_DIR));
	}
	for (size_t i = 0; has_net && confinement->bind_ports[i]; i++) {
		SR_TRY(allow_port(ruleset, confinement->bind_ports[i], NET_BIND));
	}
	for (size_t i = 0; has_net && confinement->connect_ports[i]; i++) {
		SR_TRY(allow_port(ruleset, confinement->connect_ports[i], NET_CONNECT));
	}
	return sr_ok();
}

static struct sr_result landlock(const struct sr_confinement *confinement)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1) {
		sr_log(SR_LOG_WARNING,
		       "this kernel has no Landlock: files outside the state directory are guarded by permissions alone");
		return sr_ok();
	}
	uint64_t fs = FS_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
	struct ruleset_attr attr = {.handled_access_fs = fs, .handled_access_net = abi >= 4 ? NET_BIND | NET_CONNECT : 0};
	size_t attr_len = abi >= 4 ? sizeof attr : sizeof attr.handled_access_fs;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, attr_len, 0);
	if (ruleset < 0) {
		return sr_fail_errno(errno, "confine: create Landlock ruleset");
	}
	struct sr_result allowed = allow_all(ruleset, confinement, fs, abi >= 4);
	if (sr_is_ok(allowed) && syscall(SYS_landlock_restrict_self, ruleset, 0)) {
		allowed = sr_fail_errno(errno, "confine: enter Landlock ruleset");
	}
	close(ruleset);
	return allowed;
}

/* System calls that no service of ours ever makes; one that does has been taken over and is killed. */
static const int forbidden[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(acct),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(sethostname),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(personality),
};

static int add_rules(scmp_filter_ctx filter)
{
	int failed = 0;
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		failed |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, forbidden[i], 0);
	}
	if (!IS_SANITIZED) {
		failed |= seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(ptrace), 0);
		failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fork), 0);
		failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(vfork), 0);
		/* threads share memory; a process would not */
		failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
		                           SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_VM, 0));
		/* clone3's flags lie in memory, out of a filter's sight: glibc falls back to clone */
		failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	}
	/* TCP over IPv4 and IPv6, and Unix sockets; nothing raw, no packet or netlink sockets */
	failed |=
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_INET6));
	failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
	                           SCMP_A1(SCMP_CMP_MASKED_EQ, SOCK_RAW, SOCK_RAW));
	return failed;
}

static struct sr_result load_filter(int (*rules)(scmp_filter_ctx))
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter) {
		return sr_fail(SR_INTERNAL, "confine: no seccomp filter can be made");
	}
	int failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	failed |= rules(filter);
	failed = failed ? failed : seccomp_load(filter);
	seccomp_release(filter);
	return failed ? sr_fail(SR_INTERNAL, "confine: the seccomp filter was refused (%d)", failed) : sr_ok();
}

static int no_listening(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bind), 0) |
	       seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(listen), 0);
}

struct sr_result sr_confine_listening(void)
{
	return load_filter(no_listening);
}

/* Gives a directory and all below it to the user; the directory itself last, so that a half-done walk is done again. */
static struct sr_result give_tree(const char *path, const struct passwd *user)
{
	struct stat status;
	if (stat(path, &status)) {
		return sr_fail_errno(errno, "confine: look at %s", path);
	}
	if (status.st_uid == user->pw_uid) {
		return sr_ok();
	}
	char *const roots[] = {(char *)(uintptr_t)path, NULL}; /* fts only reads them */
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk) {
		return sr_fail_errno(errno, "confine: walk through %s", path);
	}
	struct sr_result given = sr_ok();
	for (FTSENT *entry; sr_is_ok(given) && (entry = fts_read(walk));) {
		if (entry->fts_info != FTS_D && lchown(entry->fts_path, user->pw_uid, user->pw_gid)) {
			given = sr_fail_errno(errno, "confine: give %s to %s", entry->fts_path, user->pw_name);
		}
	}
	fts_close(walk);
	return given;
}

/* Lets others pass through a directory, not look into it. */
static struct sr_result open_way(const char *path)
{
	struct stat status;
	if (stat(path, &status) || (!(status.st_mode & S_IXOTH) && chmod(path, (status.st_mode & 07777) | S_IXOTH))) {
		return sr_fail_errno(errno, "confine: let services pass through %s", path);
	}
	return sr_ok();
}

/* What the service's user needs of files that root made. */
static struct sr_result give_files(const struct sr_confinement *confinement, const struct passwd *user)
{
	SR_TRY(open_way(confinement->state_dir));
	SR_TRY(give_tree(confinement->write_dir, user));
	if (confinement->own_dir) {
		return give_tree(confinement->own_dir, user);
	}
	if (!confinement->own_file) {
		return sr_ok();
	}
	char folder[PATH_MAX];
	snprintf(folder, sizeof folder, "%s", confinement->own_file);
	char *slash = strrchr(folder, '/');
	*(slash ? slash : folder) = 0;
	SR_TRY(open_way(folder));
	return give_tree(confinement->own_file, user);
}

/* Where root started us and the package made a user for this service, becomes that user. */
static struct sr_result become_own_user(const struct sr_confinement *confinement)
{
	if (geteuid() != 0) {
		return sr_ok();
	}
	char name[64];
	snprintf(name, sizeof name, "strongroom-%s", confinement->service);
	const struct passwd *user = getpwnam(name); /* NOLINT(concurrency-mt-unsafe): no thread exists yet */
	if (!user) {
		sr_log(SR_LOG_NOTICE, "there is no user %s: this service runs as root, confined", name);
		/* the directory's owner says whose all below it is: what root makes now must be handed over later */
		return chown(confinement->write_dir, 0, 0) ? sr_fail_errno(errno, "confine: take %s", confinement->write_dir)
		                                           : sr_ok();
	}
	SR_TRY(give_files(confinement, user));
	struct stat device;
	gid_t group = 0; /* the device's, where it is given to a group as TPMs are */
	const bool has_device = confinement->device && stat(confinement->device, &device) == 0 && device.st_gid;
	group = has_device ? device.st_gid : group;
	if (setgroups(has_device, has_device ? &group : NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid)) {
		return sr_fail_errno(errno, "confine: become user %s", name);
	}
	return sr_ok();
}

struct sr_result sr_confine_start(const struct sr_confinement *confinement)
{
	SR_TRY(become_own_user(confinement));
	const struct rlimit none = {0, 0};
	if (setrlimit(RLIMIT_CORE, &none)) {
		return sr_fail_errno(errno, "confine: forbid core dumps");
	}
	if (!IS_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		return sr_fail_errno(errno, "confine: forbid dumps of memory");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		return sr_fail_errno(errno, "confine: forbid new privileges");
	}
	SR_TRY(landlock(confinement));
	return load_filter(add_rules);
}
