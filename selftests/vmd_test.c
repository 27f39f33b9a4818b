// SPDX-License-Identifier: GPL-2.0-only
/* Spaces, mappings and page contents for the kselftest programs of vmdemo. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "vmd_test.h"

size_t vmd_ps = 4096;

/* " references hits ...", cut into names before main() */
#define X(name, text) " " #name
static char counter_names[] = VMD_COUNTERS(X) VMD_MORE_COUNTERS(X);
#undef X

const char *vmd_counter_names[VMD_NR_COUNTERS];

const char *const vmd_policy_names[] = {
	"fifo", "lru", "clock", "clock-a", "lfu", "mru", "random", "sieve",
	"second-chance", "clock-e", "nru", "aging", "wsclock",
	"sieve-a", "s3fifo", "2q", "arc", "slru", "car", "lru-k", "lirs",
	"clock-pro", "lfuda", "mglru", "linux", "w-tinylfu", NULL
};

const char *const vmd_observer_names[] = { "fault", "accessed", "trap", NULL };

static void __attribute__((constructor)) vmd_init(void)
{
	char *name = counter_names, *next = NULL;
	int i;

	for (i = 0; i < VMD_NR_COUNTERS; i++, name = NULL)
		vmd_counter_names[i] = strtok_r(name, " ", &next);
	vmd_ps = sysconf(_SC_PAGESIZE);
}

/* A test whose harness was killed must not go on with the device open. */
int vmd_open(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return open(VMD_DEVICE, O_RDWR | O_CLOEXEC);
}

int vmd_set(int fd, const char *policy, const char *observer, __u64 frames)
{
	struct vmd_config c = { 0 };

	if (policy) {
		c.mask |= VMD_CONFIG_POLICY;
		strncpy(c.policy, policy, sizeof(c.policy) - 1);
	}
	if (observer) {
		c.mask |= VMD_CONFIG_OBSERVER;
		strncpy(c.observer, observer, sizeof(c.observer) - 1);
	}
	if (frames) {
		c.mask |= VMD_CONFIG_BUDGET;
		c.budget = frames;
	}
	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

int vmd_resize(int fd, __u64 pages)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_SIZE,
		.size = pages * vmd_ps,
	};

	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

int vmd_budget(int fd, __u64 frames)
{
	struct vmd_budget b = { .frames = frames };

	return ioctl(fd, VMD_IOC_SET_BUDGET, &b);
}

int vmd_policy(int fd, const char *name)
{
	struct vmd_policy p = { 0 };

	strncpy(p.name, name, sizeof(p.name) - 1);
	return ioctl(fd, VMD_IOC_SET_POLICY, &p);
}

int vmd_observer(int fd, const char *name)
{
	return vmd_set(fd, NULL, name, 0);
}

int vmd_set_flags(int fd, __u64 flags)
{
	struct vmd_config c = { .mask = VMD_CONFIG_FLAGS, .flags = flags };

	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

__u64 vmd_flags(int fd)
{
	struct vmd_config c;

	return vmd_get(fd, &c) ? UINT64_MAX : c.flags;
}

int vmd_attach(int fd, __u64 id)
{
	struct vmd_attach a = { .space_id = id };

	return ioctl(fd, VMD_IOC_ATTACH, &a);
}

int vmd_get(int fd, struct vmd_config *c)
{
	memset(c, 0, sizeof(*c));
	return ioctl(fd, VMD_IOC_GET_CONFIG, c);
}

int vmd_info(int fd, struct vmd_info *i)
{
	memset(i, 0, sizeof(*i));
	return ioctl(fd, VMD_IOC_INFO, i);
}

__u64 vmd_id(int fd)
{
	struct vmd_info i;

	return vmd_info(fd, &i) ? 0 : i.space_id;
}

int vmd_advise(int fd, __u32 advice, __u64 first, __u64 pages)
{
	struct vmd_advise a = {
		.offset = first * vmd_ps,
		.length = pages * vmd_ps,
		.advice = advice,
	};

	return ioctl(fd, VMD_IOC_ADVISE, &a);
}

int vmd_sync(int fd, __u64 first, __u64 pages)
{
	struct vmd_sync s = {
		.offset = first * vmd_ps,
		.length = pages * vmd_ps,
	};

	return ioctl(fd, VMD_IOC_SYNC, &s);
}

/* The number of pages described, or -1. */
int vmd_pages(int fd, __u64 first, __u64 count, struct vmd_page *out)
{
	struct vmd_pages p = {
		.first = first,
		.count = count,
		.pages = (uintptr_t)out,
	};

	return ioctl(fd, VMD_IOC_PAGES, &p) ? -1 : (int)p.count;
}

static int count_pages(int fd, __u64 first, __u64 count, int state,
		       int flag)
{
	struct vmd_page *page = calloc(count, sizeof(*page));
	int n = vmd_pages(fd, first, count, page);
	int i, found = 0;

	for (i = 0; i < n; i++)
		found += flag ? !!(page[i].flags & flag) :
				page[i].state == state;
	free(page);
	return n < 0 ? -1 : found;
}

int vmd_count_state(int fd, __u64 first, __u64 count, int state)
{
	return count_pages(fd, first, count, state, 0);
}

int vmd_count_flag(int fd, __u64 first, __u64 count, int flag)
{
	return count_pages(fd, first, count, 0, flag);
}

int vmd_stats(int fd, struct vmd_stats *s)
{
	memset(s, 0, sizeof(*s));
	return ioctl(fd, VMD_IOC_GET_STATS, s);
}

/* Opens a space of its own for the question: one that holds nothing. */
int vmd_module_stats(struct vmd_stats *s)
{
	int ret, fd = vmd_open();

	if (fd < 0)
		return -1;
	memset(s, 0, sizeof(*s));
	s->flags = VMD_STATS_MODULE;
	ret = ioctl(fd, VMD_IOC_GET_STATS, s);
	close(fd);
	return ret;
}

int vmd_reset(int fd)
{
	return ioctl(fd, VMD_IOC_RESET_STATS);
}

__u64 vmd_counter(const struct vmd_stats *s, const char *name)
{
	/* Those that came later lie behind the latencies. */
	const int first = (s->latency - &s->references);
	int i;

	for (i = 0; i < VMD_NR_COUNTERS; i++)
		if (!strcmp(vmd_counter_names[i], name))
			return (&s->references)[i < first ? i :
						i + VMD_LATENCY_BUCKETS];
	return UINT64_MAX;
}

__u64 vmd_faults(const struct vmd_stats *s)
{
	return s->faults_major + s->faults_soft + s->zero_fills;
}

void *vmd_map_as(int fd, size_t pages, int prot, int flags)
{
	return mmap(NULL, pages * vmd_ps, prot, flags, fd, 0);
}

void *vmd_map(int fd, size_t pages)
{
	return vmd_map_as(fd, pages, VMD_RW, MAP_SHARED);
}

static __u64 content(__u64 tag, size_t word)
{
	return (tag + 1) * 0x9e3779b97f4a7c15ULL + word * 0xff51afd7ed558ccdULL;
}

void vmd_fill(void *page, __u64 tag)
{
	__u64 *word = page;
	size_t i;

	for (i = 0; i < vmd_ps / sizeof(*word); i++)
		__atomic_store_n(&word[i], content(tag, i), __ATOMIC_RELAXED);
}

bool vmd_check(const void *page, __u64 tag)
{
	const __u64 *word = page;
	size_t i;

	for (i = 0; i < vmd_ps / sizeof(*word); i++)
		if (__atomic_load_n(&word[i], __ATOMIC_RELAXED) != content(tag, i))
			return false;
	return true;
}

bool vmd_is_zero(const void *page)
{
	const __u64 *word = page;
	size_t i;

	for (i = 0; i < vmd_ps / sizeof(*word); i++)
		if (__atomic_load_n(&word[i], __ATOMIC_RELAXED))
			return false;
	return true;
}

void vmd_fill_all(char *map, size_t pages, __u64 tag)
{
	size_t i;

	for (i = 0; i < pages; i++)
		vmd_fill(map + i * vmd_ps, tag + i);
}

size_t vmd_bad_pages(const char *map, size_t pages, __u64 tag)
{
	size_t i, bad = 0;

	for (i = 0; i < pages; i++)
		bad += !vmd_check(map + i * vmd_ps, tag + i);
	return bad;
}

/* Makes every page dirty and changes none. */
void vmd_touch_all(char *map, size_t pages)
{
	char *p = map;

	for (; pages; pages--, p += vmd_ps)
		vmd_store(p, vmd_load(p));
}

static __thread sigjmp_buf access_env;

static void access_caught(int sig)
{
	siglongjmp(access_env, sig);
}

static int access_signal(char *p, bool write)
{
	struct sigaction sa = { .sa_handler = access_caught }, bus, segv;
	int sig;

	sigaction(SIGBUS, &sa, &bus);
	sigaction(SIGSEGV, &sa, &segv);
	sig = sigsetjmp(access_env, 1);
	if (!sig && write)
		vmd_store(p, 1);
	else if (!sig)
		vmd_load(p);
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

int vmd_read_signal(const void *p)
{
	return access_signal((char *)p, false);
}

int vmd_write_signal(void *p)
{
	return access_signal(p, true);
}
