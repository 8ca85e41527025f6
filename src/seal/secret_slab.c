/*
 * Protected pages and the slots cut from them. Pages come from memfd_secret(2) where the kernel has
 * it (then not even the kernel maps them), else they are anonymous and mlock'ed; both lie between guard
 * pages and outside core dumps. What is kept in a slot is not known here.
 */
#include "seal/secret_slab.h"

#include "base/memory.h"
#include "base/thread.h"
#include "seal/secret.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A page's worth of small slots, so that a process with few keys locks few pages. */
static const size_t slot_lens[] = {64, 512, SR_SECRET_MAX};
enum { CLASS_COUNT = 3 };

struct sr_slab {
	struct sr_slab *next, *previous; /* among the slabs of its class that have room */
	uint8_t *pages;
	size_t pages_len;
	unsigned class_index;
	unsigned slot_count;
	uint64_t taken; /* a bit a slot */
};

/* Guards all slabs, and the lists of those with room. */
static struct {
	struct sr_mutex mutex;
	struct sr_slab *with_room[CLASS_COUNT];
	size_t page_len;
	bool has_memfd_secret;
	unsigned fork_count;
} store = {.mutex = SR_MUTEX(SR_RANK_SECRET)};

static struct sr_result fail_to_lock(int error_number, size_t len)
{
	struct rlimit limit = {0};
	getrlimit(RLIMIT_MEMLOCK, &limit);
	return sr_fail(SR_NO_MEMORY,
	               "lock %zu bytes of memory for secrets: error %d; the limit on locked memory is %llu bytes: raise it "
	               "(LimitMEMLOCK= in the systemd unit, memlock in limits.conf, ulimit -l)",
	               len, error_number, (unsigned long long)limit.rlim_cur);
}

/* Puts secret pages in place of `at`; false where the kernel has none to give. */
static bool map_memfd_secret(uint8_t *at, size_t len)
{
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	bool is_mapped =
	    ftruncate(fd, (off_t)len) == 0 && mmap(at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == at;
	int error_number = errno;
	close(fd);
	/* The pages are shared, so a child would see them: it gets no mapping at all. */
	if (is_mapped && madvise(at, len, MADV_DONTFORK) != 0) {
		error_number = errno;
		is_mapped = false;
	}
	errno = error_number;
	return is_mapped;
}

static bool map_locked(uint8_t *at, size_t len)
{
	return mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at &&
	       mlock(at, len) == 0 && madvise(at, len, MADV_DONTDUMP) == 0 && madvise(at, len, MADV_WIPEONFORK) == 0;
}

/* `len` protected bytes between guard pages. */
static struct sr_result map_pages(size_t len, bool is_secret, uint8_t **ret_pages)
{
	size_t all_len = len + 2 * store.page_len;
	uint8_t *all = mmap(NULL, all_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all == MAP_FAILED) {
		return fail_to_lock(errno, len);
	}
	uint8_t *pages = all + store.page_len;
	if (!(is_secret ? map_memfd_secret(pages, len) : map_locked(pages, len))) {
		int error_number = errno;
		munmap(all, all_len);
		return fail_to_lock(error_number, len);
	}
	*ret_pages = pages;
	return sr_ok();
}

static void unmap_pages(uint8_t *pages, size_t len)
{
	munmap(pages - store.page_len, len + 2 * store.page_len);
}

static void list_add(struct sr_slab *slab)
{
	struct sr_slab **head = &store.with_room[slab->class_index];
	slab->previous = NULL;
	slab->next = *head;
	if (*head) {
		(*head)->previous = slab;
	}
	*head = slab;
}

static void list_remove(struct sr_slab *slab)
{
	if (slab->next) {
		slab->next->previous = slab->previous;
	}
	*(slab->previous ? &slab->previous->next : &store.with_room[slab->class_index]) = slab->next;
}

static struct sr_result add_slab(unsigned class_index)
{
	size_t slot_len = slot_lens[class_index];
	size_t len = slot_len > store.page_len ? slot_len : store.page_len;
	size_t slot_count = len / slot_len;
	uint8_t *pages;
	SR_TRY(map_pages(len, store.has_memfd_secret, &pages));
	struct sr_slab *slab = sr_alloc(sizeof *slab);
	slab->pages = pages;
	slab->pages_len = len;
	slab->class_index = class_index;
	slab->slot_count = slot_count < 64 ? (unsigned)slot_count : 64;
	list_add(slab);
	return sr_ok();
}

static uint64_t all_taken(const struct sr_slab *slab)
{
	return slab->slot_count == 64 ? UINT64_MAX : (1ULL << slab->slot_count) - 1;
}

/* A fork may come while another thread holds the lock; the child must find it free and the lists whole. */
static void before_fork(void)
{
	pthread_mutex_lock(&store.mutex.native);
}

static void after_fork_in_parent(void)
{
	pthread_mutex_unlock(&store.mutex.native);
}

/* The parent's slabs are not mapped, or not locked, here. */
static void after_fork_in_child(void)
{
	for (unsigned i = 0; i < CLASS_COUNT; i++) {
		store.with_room[i] = NULL;
	}
	store.fork_count++;
	pthread_mutex_unlock(&store.mutex.native);
}

struct sr_result sr_slab_init(void)
{
	store.page_len = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *probe = NULL;
	struct sr_result tried = map_pages(store.page_len, true, &probe);
	store.has_memfd_secret = sr_is_ok(tried);
	sr_result_free(tried);
	if (!store.has_memfd_secret) {
		SR_TRY(map_pages(store.page_len, false, &probe));
	}
	unmap_pages(probe, store.page_len);
	int error_number = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	return error_number ? sr_fail_errno(error_number, "watch for forks") : sr_ok();
}

struct sr_result sr_slot_take(size_t len, struct sr_slot *ret_slot)
{
	unsigned class_index = 0;
	while (class_index < CLASS_COUNT && slot_lens[class_index] < len) {
		class_index++;
	}
	if (class_index == CLASS_COUNT) {
		return sr_fail(SR_TOO_LARGE, "secret of %zu bytes is longer than %d", len, SR_SECRET_MAX);
	}
	SR_LOCKED(&store.mutex);
	if (!store.with_room[class_index]) {
		SR_TRY(add_slab(class_index));
	}
	struct sr_slab *slab = store.with_room[class_index];
	unsigned slot = (unsigned)__builtin_ctzll(~slab->taken);
	slab->taken |= 1ULL << slot;
	if (slab->taken == all_taken(slab)) {
		list_remove(slab);
	}
	*ret_slot = (struct sr_slot){slab->pages + slot * slot_lens[class_index], slab, store.fork_count};
	return sr_ok();
}

void sr_slot_give(struct sr_slot *slot)
{
	struct sr_slab *slab = slot->slab;
	size_t slot_len = slot_lens[slab->class_index];
	SR_LOCKED(&store.mutex);
	if (slot->fork_count != store.fork_count) {
		return;
	}
	OPENSSL_cleanse(slot->bytes, slot_len);
	if (slab->taken == all_taken(slab)) {
		list_add(slab);
	}
	slab->taken &= ~(1ULL << (size_t)(slot->bytes - slab->pages) / slot_len);
	/* The last slab of its class stays, so that one key that comes and goes does not remap pages. */
	if (!slab->taken && (slab->next || slab->previous)) {
		list_remove(slab);
		unmap_pages(slab->pages, slab->pages_len);
		sr_free(slab);
	}
}
