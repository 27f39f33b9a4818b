// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls themselves: what they do when they are right, structures of other
 * sizes, 32-bit callers, and 10^5 random calls. Refusals are in test_refusals.
 */
#define _GNU_SOURCE
#include <libgen.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <time.h>

#include "vmd_harness.h"

#define PAGES	32
#define FRAMES	8

FIXTURE(call) {
	int fd;
	char *map;
};

FIXTURE_SETUP(call)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "accessed", FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(call)
{
	close(self->fd);
}

TEST_F(call, get_config_gives_back_what_set_config_took)
{
	const char *const *policy, *const *observer;
	struct vmd_config c;

	for (policy = vmd_policy_names; *policy; policy++) {
		for (observer = vmd_observer_names; *observer; observer++) {
			ASSERT_EQ(0, vmd_set(self->fd, *policy, *observer, 5));
			ASSERT_EQ(0, vmd_get(self->fd, &c));
			EXPECT_EQ(0, strncmp(*policy, c.policy,
					     strlen(*policy)));
			EXPECT_STREQ(*observer, c.observer);
			EXPECT_EQ(5, c.budget);
		}
	}
}

/* What GET_CONFIG gives may be given to SET_CONFIG as it is. */
TEST_F(call, a_configuration_can_be_saved_and_restored)
{
	struct vmd_config saved, now;

	ASSERT_EQ(0, vmd_policy(self->fd, "random:seed=11"));
	ASSERT_EQ(0, vmd_get(self->fd, &saved));
	ASSERT_EQ(0, vmd_set(self->fd, "mru", "trap", 3));
	ASSERT_EQ(0, vmd_resize(self->fd, 2 * PAGES));
	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &saved));
	ASSERT_EQ(0, vmd_get(self->fd, &now));
	EXPECT_EQ(0, memcmp(&saved, &now, sizeof(now)));
}

TEST_F(call, only_the_fields_named_change)
{
	struct vmd_config before, after;

	ASSERT_EQ(0, vmd_get(self->fd, &before));
	ASSERT_EQ(0, vmd_budget(self->fd, 6));
	ASSERT_EQ(0, vmd_get(self->fd, &after));
	before.budget = 6;
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	ASSERT_EQ(0, vmd_observer(self->fd, "trap"));
	ASSERT_EQ(0, vmd_get(self->fd, &after));
	memset(before.observer, 0, sizeof(before.observer));
	strcpy(before.observer, "trap");
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
}

TEST_F(call, pages_describes_fewer_where_the_space_ends)
{
	struct vmd_page page[PAGES];

	EXPECT_EQ(PAGES, vmd_pages(self->fd, 0, PAGES, page));
	EXPECT_EQ(4, vmd_pages(self->fd, PAGES - 4, PAGES, page));
}

TEST_F(call, pages_writes_no_further_than_it_says)
{
	struct vmd_page page[PAGES];

	memset(page, 0xa5, sizeof(page));
	EXPECT_EQ(4, vmd_pages(self->fd, PAGES - 4, 10, page));
	EXPECT_EQ(0xa5, page[4].state);
	EXPECT_EQ(0xa5, page[9].flags);
	EXPECT_EQ(0, page[3].sharers);
}

TEST_F(call, reset_takes_no_argument_and_levels_stay)
{
	struct vmd_stats s;

	vmd_fill_all(self->map, PAGES, 1);
	EXPECT_EQ(0, ioctl(self->fd, VMD_IOC_RESET_STATS, 0x1234UL));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.misses);
	EXPECT_EQ(FRAMES, s.resident);
	EXPECT_EQ(FRAMES, s.budget);
	EXPECT_EQ(PAGES * vmd_ps, s.size);
}

/* A command with a structure of another size, from a page's very end. */
static int sized(int fd, unsigned long command, size_t size, void *data)
{
	char *page = mmap(NULL, 2 * vmd_ps, VMD_RW,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = page + vmd_ps - size;
	int ret, error;

	munmap(page + vmd_ps, vmd_ps);
	memcpy(at, data, size);
	ret = ioctl(fd, _IOC(_IOC_DIR(command), VMD_IOC_TYPE,
			     _IOC_NR(command), size), at);
	error = errno;
	memcpy(data, at, size);
	munmap(page, vmd_ps);
	errno = error;
	return ret;
}

TEST_F(call, a_shorter_structure_is_taken_as_if_the_rest_were_zero)
{
	struct vmd_budget b = { .frames = 5 };
	struct vmd_advise a = { .advice = VMD_ADVICE_WILLNEED };
	struct vmd_config c = { .mask = VMD_CONFIG_BUDGET, .budget = 6 };
	struct vmd_policy p = { .name = "mru" };

	EXPECT_EQ(0, sized(self->fd, VMD_IOC_SET_BUDGET, 8, &b));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(5, c.budget);
	c = (struct vmd_config){ .mask = VMD_CONFIG_BUDGET, .budget = 6 };
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_SET_CONFIG, 24, &c));
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_SET_POLICY, 16, &p));
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_ADVISE, 20, &a));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(6, c.budget);
	EXPECT_STREQ("mru", c.policy);
}

TEST_F(call, a_shorter_answer_is_the_beginning_of_the_whole)
{
	struct vmd_config whole, c = { 0 };
	struct vmd_info all, i = { 0 };

	ASSERT_EQ(0, vmd_get(self->fd, &whole));
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_GET_CONFIG, 24, &c));
	EXPECT_EQ(0, memcmp(&whole, &c, 24));
	EXPECT_EQ(0, c.policy[0]);
	ASSERT_EQ(0, vmd_info(self->fd, &all));
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_INFO, 24, &i));
	EXPECT_EQ(0, memcmp(&all, &i, 24));
	EXPECT_EQ(0, i.max_size);
}

TEST_F(call, a_longer_structure_with_zeros_in_what_it_adds_is_taken)
{
	char buffer[2048] = { 0 };
	struct vmd_budget *b = (void *)buffer;
	struct vmd_stats *s = (void *)buffer;
	struct vmd_config c;

	b->frames = 4;
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_SET_BUDGET, 1000, buffer));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(4, c.budget);
	memset(buffer, 0, sizeof(buffer));
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_GET_STATS, 1000, buffer));
	EXPECT_EQ(4, s->budget);
	EXPECT_EQ(0, buffer[999]);
}

TEST_F(call, an_answer_longer_than_the_module_knows_ends_in_zeros)
{
	unsigned char buffer[1000];

	memset(buffer, 0, sizeof(buffer));
	EXPECT_EQ(0, sized(self->fd, VMD_IOC_GET_CONFIG, sizeof(buffer),
			   buffer));
	EXPECT_EQ(0, buffer[sizeof(struct vmd_config)]);
	EXPECT_EQ(0, buffer[sizeof(buffer) - 1]);
}

/* Answers carry nothing of the kernel's memory behind their strings. */
TEST_F(call, strings_are_filled_up_with_zeros)
{
	struct vmd_config c;
	size_t i;

	memset(&c, 0xff, sizeof(c));
	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_GET_CONFIG, &c));
	for (i = strlen(c.policy); i < sizeof(c.policy); i++)
		EXPECT_EQ(0, c.policy[i]);
	for (i = strlen(c.observer); i < sizeof(c.observer); i++)
		EXPECT_EQ(0, c.observer[i]);
	for (i = strlen(c.store); i < sizeof(c.store); i++)
		EXPECT_EQ(0, c.store[i]);
	EXPECT_EQ(0, c.flags);
	EXPECT_EQ(0, c.ways);
}

TEST_F(call, a_32_bit_caller_is_served)
{
	char self_path[PATH_MAX] = "", path[PATH_MAX + 16];
	pid_t pid;

	ASSERT_LT(0, readlink("/proc/self/exe", self_path,
			      sizeof(self_path) - 1));
	snprintf(path, sizeof(path), "%s/compat32", dirname(self_path));
	if (access(path, X_OK))
		SKIP(return, "compat32 was not built: no gcc -m32");
	pid = vmd_fork();
	if (!pid) {
		execl(path, path, NULL);
		_exit(errno == ENOEXEC ? 100 : 101);
	}
	int status = vmd_wait(pid, VMD_CHILD_MS);

	if (status == 100)
		SKIP(return, "this kernel runs no 32-bit programs");
	EXPECT_EQ(0, status) {
		TH_LOG("compat32 failed at its step %d", status);
	}
}

#define FUZZ_CALLS	100000
#define FUZZ_PAGES	64
#define ARENA		1048576UL

struct fuzz {
	__u64 seed;
	int fd;
	char *arena;		/* unmapped memory follows it */
	unsigned long bad_errors;
	int last_bad;
	unsigned long last_command;
};

static __u64 below(struct fuzz *f, __u64 n)
{
	return vmd_random(&f->seed) % n;
}

/* Numbers that are likely to matter: small, near powers of two, anything. */
static __u64 number(struct fuzz *f)
{
	switch (below(f, 8)) {
	case 0:
		return 0;
	case 1:
		return below(f, 16);
	case 2:
		return below(f, FUZZ_PAGES) * vmd_ps;
	case 3:
		return (1ULL << below(f, 64)) - below(f, 3);
	case 4:
		return -below(f, 3 * vmd_ps);
	case 5:
		return vmd_random(&f->seed);
	default:
		return below(f, FUZZ_PAGES);
	}
}

/* A structure of numbers, now and then with names where names go. */
static void fill_struct(struct fuzz *f, char *data, size_t size)
{
	static const char *const names[] = {
		"lru", "fifo", "random:seed=3", "clock-a", "trap", "accessed",
		"fault", "mru", "random:seed=", "nonsense",
	};
	__u64 word;
	size_t i;

	for (i = 0; i + 8 <= size; i += 8) {
		word = below(f, 3) ? 0 : number(f);
		if (!below(f, 4))
			word = number(f);
		memcpy(data + i, &word, 8);
	}
	if (below(f, 2) && size > 48)
		strcpy(data + 8, names[below(f, ARRAY_SIZE(names))]);
	if (below(f, 2) && size > 120) {
		strcpy(data + 24, names[below(f, ARRAY_SIZE(names))]);
		strcpy(data + 88, names[below(f, ARRAY_SIZE(names))]);
	}
}

/* Nothing may be written to where the test itself lives. */
static void tame_pages(struct fuzz *f, struct vmd_pages *p)
{
	p->pages = below(f, 4) ? (uintptr_t)f->arena + below(f, ARENA) :
				 below(f, 65536);
}

/* A space of gigabytes is right, but walking it takes this test's time. */
static void tame_config(struct vmd_config *c)
{
	if ((c->mask & VMD_CONFIG_SIZE) && c->size < 1ULL << 48)
		c->size %= FUZZ_PAGES * vmd_ps * 2;
	if ((c->mask & VMD_CONFIG_BUDGET) && c->budget < 1ULL << 31)
		c->budget %= FUZZ_PAGES;
}

static void note_error(struct fuzz *f, unsigned long command, int error)
{
	static const int allowed[] = {
		ENOTTY, EINVAL, EFAULT, E2BIG, EBUSY, ENOSPC, ENOENT, EPERM,
	};
	size_t i;

	/* Large pages for a space that traps, and the like */
	if (error == EOPNOTSUPP && _IOC_NR(command) == _IOC_NR(VMD_IOC_SET_CONFIG))
		return;
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		if (error == allowed[i])
			return;
	f->bad_errors++;
	f->last_bad = error;
	f->last_command = command;
}

static const unsigned long commands[] = {
	VMD_IOC_INFO, VMD_IOC_GET_CONFIG, VMD_IOC_SET_CONFIG,
	VMD_IOC_SET_POLICY, VMD_IOC_SET_BUDGET, VMD_IOC_GET_STATS,
	VMD_IOC_RESET_STATS, VMD_IOC_ADVISE, VMD_IOC_PAGES, VMD_IOC_ATTACH,
	VMD_IOC_SYNC,
};

static unsigned long random_command(struct fuzz *f)
{
	unsigned long known = commands[below(f, ARRAY_SIZE(commands))];
	unsigned int size = _IOC_SIZE(known);

	switch (below(f, 8)) {
	case 0:
		size = below(f, 4096) & ~7UL;
		break;
	case 1:
		return vmd_random(&f->seed) & 0xffffffff;
	}
	return _IOC(_IOC_DIR(known), VMD_IOC_TYPE, _IOC_NR(known), size);
}

static void fuzz_once(struct fuzz *f)
{
	static char data[1 << 14];
	unsigned long command = random_command(f);
	size_t size = _IOC_SIZE(command);
	void *arg = data;

	memset(data, 0, size);
	fill_struct(f, data, size);
	if (_IOC_NR(command) == _IOC_NR(VMD_IOC_PAGES))
		tame_pages(f, (void *)data);
	if (_IOC_NR(command) == _IOC_NR(VMD_IOC_SET_CONFIG))
		tame_config((void *)data);
	if (!below(f, 64))
		arg = (void *)(uintptr_t)below(f, 65536);
	if (ioctl(f->fd, command, arg) < 0)
		note_error(f, command, errno);
}

static void make_arena(struct fuzz *f)
{
	f->arena = mmap(NULL, ARENA + (64UL << 20), PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	mprotect(f->arena, ARENA, VMD_RW);
}

TEST_F(call, a_hundred_thousand_random_calls_do_no_harm)
{
	const char *seed = getenv("VMD_SEED");
	struct fuzz f = { .fd = self->fd };
	struct vmd_config again = {
		.mask = VMD_CONFIG_SIZE | VMD_CONFIG_BUDGET | VMD_CONFIG_POLICY |
			VMD_CONFIG_OBSERVER | VMD_CONFIG_PLACEMENT,
		.budget = FRAMES, .policy = "lru", .observer = "accessed",
	};
	__u64 first;
	unsigned long i;

	first = seed ? strtoull(seed, NULL, 0) : (__u64)time(NULL);
	f.seed = first;
	TH_LOG("VMD_SEED=%llu", (unsigned long long)first);
	make_arena(&f);
	ASSERT_EQ(0, vmd_resize(self->fd, FUZZ_PAGES));
	for (i = 0; i < FUZZ_CALLS; i++)
		fuzz_once(&f);
	EXPECT_EQ(0, f.bad_errors) {
		TH_LOG("the last one was: %s, of command %lx",
		       strerror(f.last_bad), f.last_command);
	}
	vmd_advise(self->fd, VMD_ADVICE_UNPIN, 0, 0);
	again.size = PAGES * vmd_ps;
	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &again));
	vmd_fill_all(self->map, PAGES, 9);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 9));
}

TEST_HARNESS_MAIN
