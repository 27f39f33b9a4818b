// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadows of other policies, and the policy "auto" that goes by them.
 *
 * References are made by read(2) and write(2) where only their order matters:
 * every one of them counts, also of the page that was touched last.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vmd_harness.h"

#define PAGES	64
#define FRAMES	16
#define REFS	240
#define SOME_REFS	120		/* where time is short: all of the mixture */

#define BIG_PAGES	2048
#define BIG_FRAMES	512
#define BIG_SHIFT	2
#define BIG_REFS	12000
#define BIG_SOME	3000
#define BIG_BOUND	15		/* percent: what the sample may be off */

static int at_least(int least, int n)
{
	return n < least ? least : n;
}

static int set_shadows(int fd, __u32 shift, __u32 nr, const char *const *names)
{
	struct vmd_shadow_set set = { .count = nr, .shift = shift };
	__u32 i;

	for (i = 0; i < nr && i < VMD_SHADOWS_MAX; i++)
		snprintf(set.policies[i], VMD_POLICY_LEN, "%s", names[i]);
	return ioctl(fd, VMD_IOC_SET_SHADOWS, &set);
}

static int one_shadow(int fd, __u32 shift, const char *name)
{
	return set_shadows(fd, shift, 1, &name);
}

static int get_shadows(int fd, __u32 flags, struct vmd_shadow_get *get)
{
	memset(get, 0, sizeof(*get));
	get->flags = flags;
	return ioctl(fd, VMD_IOC_GET_SHADOWS, get);
}

/* One reference, whatever the observer. */
static int touch(int fd, unsigned long page, bool write)
{
	char c = 1;

	if (write)
		return pwrite(fd, &c, 1, page * vmd_ps) == 1 ? 0 : -1;
	return pread(fd, &c, 1, page * vmd_ps) == 1 ? 0 : -1;
}

/* A mixture: a few pages again and again, loops, and any page at all. */
static unsigned long mixed(__u64 *seed, int i)
{
	__u64 r = vmd_random(seed) >> 8;

	switch (i / 40 % 3) {
	case 0:
		return r % (FRAMES - 4);
	case 1:
		return i % (FRAMES + 5);
	default:
		return r % PAGES;
	}
}

/*
 * Through a mapping: each touch traps, as the page before is unmapped. Without
 * one, by system calls: that is less work.
 */
static int play(int fd, char *map, int from, int nr)
{
	unsigned long page, last = ~0UL;
	__u64 seed = 7 + from;
	bool write;
	int i;

	for (i = 0; i < nr; i++) {
		page = mixed(&seed, i);
		write = vmd_random(&seed) & 0x400;
		if (map && page == last &&
		    vmd_advise(fd, VMD_ADVICE_UNMAP, page, 1))
			return -1;
		last = page;
		if (!map && touch(fd, page, write))
			return -1;
		if (map && write)
			vmd_store(map + page * vmd_ps, i);
		else if (map)
			vmd_load(map + page * vmd_ps);
	}
	return 0;
}

/* A fresh space, set up and, if that is wanted, mapped. */
static int open_fresh(const char *policy, bool mapped, char **map)
{
	int fd = vmd_open();

	*map = NULL;
	if (fd < 0 || vmd_set(fd, policy, "trap", FRAMES) ||
	    vmd_resize(fd, PAGES))
		return -1;
	if (!mapped)
		return fd;
	*map = vmd_map(fd, PAGES);
	return *map == MAP_FAILED ? -1 : fd;
}

static void close_fresh(int fd, char *map)
{
	if (map)
		munmap(map, PAGES * vmd_ps);
	close(fd);
}

/* A space with this policy plays the string, and more with other budgets. */
static int play_real(const char *policy, bool mapped, int nr, __u64 second,
		     __u64 third, struct vmd_stats *s)
{
	char *map;
	int fd = open_fresh(policy, mapped, &map), ret = -1;

	if (fd < 0)
		return -1;
	if (!play(fd, map, 0, nr) &&
	    (!second || (!vmd_budget(fd, second) && !play(fd, map, 1, nr))) &&
	    (!third || (!vmd_budget(fd, third) && !play(fd, map, 2, nr))))
		ret = vmd_stats(fd, s);
	close_fresh(fd, map);
	return ret;
}

static bool run_is(const struct vmd_shadow_run *run, const struct vmd_stats *s)
{
	return run->references == s->references && run->misses == s->misses &&
	       run->evictions == s->evictions &&
	       run->evictions_dirty == s->evictions_dirty;
}

FIXTURE(shadow) {
	int fd;
	char *map;
	struct vmd_shadow_get get;
};

FIXTURE_SETUP(shadow)
{
	struct vmd_info info;

	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_info(self->fd, &info));
	if (!(info.features & VMD_FEATURE_SHADOW))
		SKIP(return, "no shadows");
	ASSERT_EQ(0, vmd_set(self->fd, "fifo", "trap", FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(shadow)
{
	close(self->fd);
}

/* The first few through mappings. */
TEST_F(shadow, at_rate_1_misses_what_a_space_with_that_policy_misses)
{
	const char *const *names = vmd_policy_names;
	int nr = at_least(SOME_REFS, vmd_afford(REFS)), fd, n, i;
	bool mapped = true;
	struct vmd_stats s;
	char *map;

	for (; *names; names += n, mapped = false) {
		for (n = 0; n < VMD_SHADOWS_MAX && names[n]; n++)
			;
		ASSERT_LE(0, fd = open_fresh("fifo", mapped, &map));
		ASSERT_EQ(0, set_shadows(fd, 0, n, names));
		ASSERT_EQ(0, play(fd, map, 0, nr));
		ASSERT_EQ(0, get_shadows(fd, 0, &self->get));
		EXPECT_EQ(n, self->get.count);
		EXPECT_EQ(FRAMES, self->get.frames);
		EXPECT_STREQ("fifo", self->get.live);
		for (i = 0; i < n; i++) {
			ASSERT_EQ(0, play_real(names[i], mapped, nr, 0, 0, &s));
			EXPECT_LT(FRAMES, s.misses);
			EXPECT_TRUE(run_is(&self->get.runs[i], &s)) {
				TH_LOG("%s: %llu misses, %llu in a space",
				       names[i], self->get.runs[i].misses,
				       s.misses);
			}
			EXPECT_STREQ(names[i], self->get.runs[i].policy);
		}
		close_fresh(fd, map);
	}
}

TEST_F(shadow, live_counts_stand_beside_theirs)
{
	struct vmd_stats s;

	ASSERT_EQ(0, play(self->fd, NULL, 0, 100));
	ASSERT_EQ(0, one_shadow(self->fd, 0, "fifo"));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	ASSERT_EQ(0, play(self->fd, NULL, 1, 200));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	/* It began with what was resident, in that order: so it is the same. */
	EXPECT_EQ(self->get.misses, self->get.runs[0].misses);
	EXPECT_EQ(self->get.evictions, self->get.runs[0].evictions);
	EXPECT_EQ(self->get.references, self->get.runs[0].references);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_LT(self->get.misses, s.misses);
	EXPECT_LT(0, self->get.bytes);
}

TEST_F(shadow, frames_follow_the_budget)
{
	static const char *const names[] = { "lru", "fifo", "mru" };
	struct vmd_stats s;
	__u32 i;

	ASSERT_EQ(0, set_shadows(self->fd, 0, 3, names));
	ASSERT_EQ(0, play(self->fd, NULL, 0, 200));
	ASSERT_EQ(0, vmd_budget(self->fd, 24));
	ASSERT_EQ(0, play(self->fd, NULL, 1, 200));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(24, self->get.frames);
	ASSERT_EQ(0, vmd_budget(self->fd, 9));
	ASSERT_EQ(0, play(self->fd, NULL, 2, 200));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(9, self->get.frames);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, play_real(names[i], false, 200, 24, 9, &s));
		EXPECT_TRUE(run_is(&self->get.runs[i], &s)) {
			TH_LOG("%s: %llu misses, %llu in a space", names[i],
			       self->get.runs[i].misses, s.misses);
		}
	}
}

TEST_F(shadow, a_change_of_policy_leaves_them_as_they_are)
{
	struct vmd_stats s;

	ASSERT_EQ(0, one_shadow(self->fd, 0, "lru"));
	ASSERT_EQ(0, play(self->fd, NULL, 0, 200));
	ASSERT_EQ(0, vmd_policy(self->fd, "mru"));
	ASSERT_EQ(0, vmd_budget(self->fd, 24));
	ASSERT_EQ(0, play(self->fd, NULL, 1, 200));
	ASSERT_EQ(0, play_real("lru", false, 200, 24, 0, &s));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_TRUE(run_is(&self->get.runs[0], &s));
	EXPECT_STREQ("mru", self->get.live);
}

TEST_F(shadow, counts_are_reset_with_those_of_the_space)
{
	ASSERT_EQ(0, one_shadow(self->fd, 0, "lru"));
	ASSERT_EQ(0, play(self->fd, NULL, 0, 100));
	ASSERT_EQ(0, vmd_reset(self->fd));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(0, self->get.references);
	EXPECT_EQ(0, self->get.misses);
	EXPECT_EQ(0, self->get.runs[0].references);
	/* The page that was touched last is still in its frame. */
	ASSERT_EQ(0, touch(self->fd, 0, true));
	ASSERT_EQ(0, touch(self->fd, 0, true));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(2, self->get.references);
	EXPECT_EQ(2, self->get.runs[0].references);
	EXPECT_GE(1, self->get.runs[0].misses);
}

TEST_F(shadow, a_page_without_content_leaves_them)
{
	struct vmd_punch punch = { .length = vmd_ps };

	ASSERT_EQ(0, one_shadow(self->fd, 0, "lru"));
	ASSERT_EQ(0, touch(self->fd, 0, true));
	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_PUNCH, &punch));
	ASSERT_EQ(0, touch(self->fd, 0, true));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(2, self->get.runs[0].misses);
	EXPECT_EQ(0, self->get.runs[0].evictions);
}

TEST_F(shadow, none_are_left_when_they_are_turned_off)
{
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(0, self->get.count);
	ASSERT_EQ(0, one_shadow(self->fd, 0, "lru"));
	ASSERT_EQ(0, set_shadows(self->fd, 0, 0, NULL));
	ASSERT_EQ(0, touch(self->fd, 0, true));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(0, self->get.count);
	EXPECT_EQ(0, self->get.references);
	EXPECT_EQ(0, self->get.bytes);
	EXPECT_STREQ("fifo", self->get.live);
}

TEST_F(shadow, what_is_wrong_is_refused_and_changes_nothing)
{
	struct vmd_shadow_set set = { .count = 1, .policies = { "lru" } };
	int fd = self->fd, reader;

	ASSERT_EQ(0, one_shadow(fd, 0, "arc"));
	EXPECT_ERRNO(EOPNOTSUPP, one_shadow(fd, 0, "opt"));
	EXPECT_ERRNO(EINVAL, one_shadow(fd, 0, "nonesuch"));
	EXPECT_ERRNO(EINVAL, one_shadow(fd, 0, ""));
	EXPECT_ERRNO(EINVAL, one_shadow(fd, 0, "auto"));
	EXPECT_ERRNO(EINVAL, one_shadow(fd, 0, "random:seed=x"));
	EXPECT_ERRNO(EINVAL, one_shadow(fd, VMD_SHADOW_SHIFT_MAX + 1, "lru"));
	EXPECT_ERRNO(EINVAL, set_shadows(fd, 1, 0, NULL));
	set.count = VMD_SHADOWS_MAX + 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_SET_SHADOWS, &set));
	set.count = 0;
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_SET_SHADOWS, &set));
	set.count = 1;
	set.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_SET_SHADOWS, &set));
	set.flags = 0;
	set.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_SET_SHADOWS, &set));
	set.reserved = 0;
	memset(set.policies[0], 'l', VMD_POLICY_LEN);
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_SET_SHADOWS, &set));
	EXPECT_ERRNO(EFAULT, ioctl(fd, VMD_IOC_SET_SHADOWS, NULL));
	EXPECT_ERRNO(EINVAL, get_shadows(fd, 2, &self->get));
	self->get.flags = 0;
	self->get.misses = 1;
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_GET_SHADOWS, &self->get));
	ASSERT_EQ(0, get_shadows(fd, 0, &self->get));
	EXPECT_EQ(1, self->get.count);
	EXPECT_STREQ("arc", self->get.runs[0].policy);

	reader = open(VMD_DEVICE, O_RDONLY);
	ASSERT_LE(0, reader);
	EXPECT_ERRNO(EBADF, one_shadow(reader, 0, "lru"));
	EXPECT_EQ(0, get_shadows(reader, 0, &self->get));
	close(reader);
}

/* As another user: 0 if a big shadow is refused and a small one is not. */
static int try_quota(void *arg)
{
	int fd = vmd_open();

	(void)arg;
	if (fd < 0 || vmd_set(fd, "lru", "trap", 4096))
		return 1;
	/* 4096 frames of 24 bytes and more are beyond half of 32 pages. */
	if (!one_shadow(fd, 0, "lru") || errno != EDQUOT)
		return 2;
	return one_shadow(fd, 6, "lru") ? 3 : 0;
}

TEST(their_memory_counts_as_frames_of_the_user)
{
	char *saved = vmd_read_file(VMD_PARAMS "user_frames");
	struct stat node;
	int got;

	ASSERT_NE(NULL, saved);
	ASSERT_EQ(0, stat(VMD_DEVICE, &node));
	ASSERT_EQ(0, chmod(VMD_DEVICE, 0666));
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "user_frames", "32"));
	got = vmd_as_user(VMD_NOBODY, try_quota, NULL);
	vmd_write_file(VMD_PARAMS "user_frames", saved);
	chmod(VMD_DEVICE, node.st_mode & 07777);
	free(saved);
	EXPECT_EQ(0, got);
}

/* The smaller of two: lower pages are wanted more often. */
static unsigned long skewed(__u64 *seed)
{
	unsigned long a = (vmd_random(seed) >> 8) % BIG_PAGES;
	unsigned long b = (vmd_random(seed) >> 8) % BIG_PAGES;

	return a < b ? a : b;
}

TEST_F(shadow, a_sample_is_near_the_whole)
{
	int nr = at_least(BIG_SOME, vmd_afford(BIG_REFS)), i;
	__u64 seed = 11, guess, error;

	ASSERT_EQ(0, vmd_resize(self->fd, BIG_PAGES));
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", BIG_FRAMES));
	ASSERT_EQ(0, one_shadow(self->fd, BIG_SHIFT, "lru"));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, touch(self->fd, skewed(&seed), true));
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(BIG_FRAMES >> BIG_SHIFT, self->get.frames);
	EXPECT_EQ(nr, self->get.references);
	/* Some are not looked at, and not too few either. */
	EXPECT_GT(nr / 2, self->get.runs[0].references);
	EXPECT_LT(nr / 8, self->get.runs[0].references);
	guess = self->get.runs[0].misses << BIG_SHIFT;
	error = guess > self->get.misses ? guess - self->get.misses :
					   self->get.misses - guess;
	EXPECT_GE(self->get.misses * BIG_BOUND, error * 100);
	TH_LOG("%llu misses, by a sample of 1/4: %llu", self->get.misses, guess);
}

#define LOOP	24			/* pages: more than FRAMES */
#define PASSES	400			/* of a loop, at most */

/* Go round until "auto" has chosen; -1 if it does not. */
static int loop_until(int fd, const char *live, struct vmd_shadow_get *get)
{
	int pass, page;

	for (pass = 0; pass < PASSES; pass++) {
		for (page = 0; page < LOOP; page++)
			if (touch(fd, page, true))
				return -1;
		if (get_shadows(fd, VMD_SHADOW_AUTO, get))
			return -1;
		if (!strcmp(get->live, live))
			return 0;
		/* A worker does it. */
		vmd_sleep_ms(1);
	}
	return -1;
}

/* Each page a few times, a while apart, and then no more: for LRU. */
static int drift_until(int fd, const char *live, struct vmd_shadow_get *get)
{
	unsigned long at;
	int i;

	for (at = 0; at < PASSES * LOOP; at++) {
		for (i = 0; i < 4; i++)
			if (touch(fd, (at + i * 3) % PAGES, true))
				return -1;
		if (at % LOOP)
			continue;
		if (get_shadows(fd, VMD_SHADOW_AUTO, get))
			return -1;
		if (!strcmp(get->live, live))
			return 0;
		vmd_sleep_ms(1);
	}
	return -1;
}

TEST_F(shadow, auto_moves_to_the_better_policy_and_stays)
{
	struct vmd_config config;
	int page, pass;

	ASSERT_EQ(0, vmd_policy(self->fd, "lru"));
	ASSERT_EQ(0, vmd_policy(self->fd, "auto:of=lru+fifo+mru,interval=200"));
	ASSERT_EQ(0, get_shadows(self->fd, VMD_SHADOW_AUTO, &self->get));
	EXPECT_STREQ("lru", self->get.live);
	EXPECT_EQ(3, self->get.count);
	ASSERT_EQ(0, loop_until(self->fd, "mru", &self->get));
	EXPECT_EQ(1, self->get.switches);
	for (pass = 0; pass < 50; pass++)
		for (page = 0; page < LOOP; page++)
			ASSERT_EQ(0, touch(self->fd, page, true));
	vmd_sleep_ms(20);
	ASSERT_EQ(0, get_shadows(self->fd, VMD_SHADOW_AUTO, &self->get));
	EXPECT_STREQ("mru", self->get.live);
	EXPECT_EQ(1, self->get.switches);
	ASSERT_EQ(0, vmd_get(self->fd, &config));
	EXPECT_STREQ("auto:of=lru+fifo+mru,interval=200", config.policy);
	/* And back, as the program changes; FIFO is as good then, and comes second. */
	ASSERT_EQ(0, drift_until(self->fd, "lru", &self->get)) {
		TH_LOG("live %s, misses %llu %llu %llu", self->get.live,
		       self->get.runs[0].misses, self->get.runs[1].misses,
		       self->get.runs[2].misses);
	}
	EXPECT_EQ(2, self->get.switches);
}

TEST_F(shadow, auto_makes_the_space_miss_less)
{
	struct vmd_stats bad, good;
	int page, pass;

	ASSERT_EQ(0, vmd_policy(self->fd, "lru"));
	for (pass = 0; pass < 30; pass++)
		for (page = 0; page < LOOP; page++)
			ASSERT_EQ(0, touch(self->fd, page, true));
	ASSERT_EQ(0, vmd_stats(self->fd, &bad));
	ASSERT_EQ(0, vmd_policy(self->fd, "auto:of=lru+mru,interval=200"));
	ASSERT_EQ(0, loop_until(self->fd, "mru", &self->get));
	ASSERT_EQ(0, vmd_reset(self->fd));
	for (pass = 0; pass < 30; pass++)
		for (page = 0; page < LOOP; page++)
			ASSERT_EQ(0, touch(self->fd, page, true));
	ASSERT_EQ(0, vmd_stats(self->fd, &good));
	EXPECT_EQ(30 * LOOP, bad.misses);
	EXPECT_LT(good.misses * 2, bad.misses);
}

TEST_F(shadow, auto_does_not_flap_among_equals)
{
	int nr = vmd_afford(12000), i;
	__u64 seed = 5;

	ASSERT_EQ(0, vmd_policy(self->fd,
				"auto:of=lru+fifo+clock+random,interval=1000"));
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, touch(self->fd, (vmd_random(&seed) >> 8) % PAGES,
				   true));
	vmd_sleep_ms(20);
	ASSERT_EQ(0, get_shadows(self->fd, VMD_SHADOW_AUTO, &self->get));
	EXPECT_EQ(0, self->get.switches);
	EXPECT_EQ(nr, self->get.runs[0].references);
}

TEST_F(shadow, auto_ends_with_any_other_policy)
{
	struct vmd_config config;

	ASSERT_EQ(0, vmd_policy(self->fd, "auto"));
	ASSERT_EQ(0, vmd_get(self->fd, &config));
	EXPECT_STREQ("auto", config.policy);
	/* As it was read. */
	config.mask = VMD_CONFIG_POLICY;
	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &config));
	ASSERT_EQ(0, one_shadow(self->fd, 0, "fifo"));
	ASSERT_EQ(0, vmd_policy(self->fd, "arc"));
	ASSERT_EQ(0, get_shadows(self->fd, VMD_SHADOW_AUTO, &self->get));
	EXPECT_EQ(0, self->get.count);
	EXPECT_STREQ("arc", self->get.live);
	/* Those that were asked for are others. */
	ASSERT_EQ(0, get_shadows(self->fd, 0, &self->get));
	EXPECT_EQ(1, self->get.count);
}

TEST_F(shadow, auto_refuses_what_is_wrong)
{
	static const char *const wrong[] = {
		"auto:", "autox", "auto:of=lru", "auto:of=lru+lru",
		"auto:of=lru+nonesuch", "auto:margin=91", "auto:interval=99",
		"auto:sample=3", "auto:x=1", "auto:margin=5,margin=5",
		"auto:of=lru+mru+", "auto:margin=05", NULL
	};
	int i;

	for (i = 0; wrong[i]; i++)
		EXPECT_ERRNO(EINVAL, vmd_policy(self->fd, wrong[i])) {
			TH_LOG("case %d", i);
		}
	EXPECT_ERRNO(EOPNOTSUPP, vmd_policy(self->fd, "auto:of=lru+opt"));
	ASSERT_EQ(0, get_shadows(self->fd, VMD_SHADOW_AUTO, &self->get));
	EXPECT_EQ(0, self->get.count);
	EXPECT_STREQ("fifo", self->get.live);
}

TEST(auto_as_the_module_parameter_is_what_spaces_start_with)
{
	char *saved = vmd_read_file(VMD_PARAMS "policy");
	struct vmd_shadow_get get;
	struct vmd_config config;
	char *line, live[64] = "";
	int fd;

	ASSERT_NE(NULL, saved);
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "policy", "auto:of=sieve+lru"));
	fd = vmd_open();
	vmd_write_file(VMD_PARAMS "policy", saved);
	free(saved);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vmd_get(fd, &config));
	EXPECT_STREQ("auto:of=sieve+lru", config.policy);
	ASSERT_EQ(0, get_shadows(fd, VMD_SHADOW_AUTO, &get));
	EXPECT_EQ(2, get.count);
	EXPECT_STREQ("sieve", get.live);
	line = vmd_space_line(vmd_id(fd));
	ASSERT_NE(NULL, line);
	EXPECT_NE(NULL, strstr(line, " policy=auto:of=sieve+lru "));
	EXPECT_NE(NULL, strstr(line, " live=sieve ")) {
		TH_LOG("%s %s", line, live);
	}
	free(line);
	close(fd);
	EXPECT_ERRNO(EINVAL, vmd_write_file(VMD_PARAMS "policy", "auto:of=lru"));
}

/* Nanoseconds of one read of a resident page, the best of some. */
static long touch_ns(int fd)
{
	struct timespec a, b;
	long best = 0, ns;
	int round, i;

	for (round = 0; round < 3; round++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		for (i = 0; i < 1000; i++)
			if (touch(fd, i % FRAMES, false))
				return -1;
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
		if (!best || ns < best)
			best = ns;
	}
	return best / 1000;
}

/* To be read, in a guest whose clock counts instructions; nothing is asked. */
TEST_F(shadow, what_a_reference_costs_is_told)
{
	static const char *const names[] = {
		"lru", "clock", "arc", "sieve", "mru", "s3fifo", "lirs", "2q"
	};
	long none, one, eight, sample;
	int i;

	for (i = 0; i < FRAMES; i++)
		ASSERT_EQ(0, touch(self->fd, i, true));
	none = touch_ns(self->fd);
	ASSERT_EQ(0, set_shadows(self->fd, 0, 1, names));
	one = touch_ns(self->fd);
	ASSERT_EQ(0, set_shadows(self->fd, 0, 8, names));
	eight = touch_ns(self->fd);
	/* None of these few pages is likely to be in it. */
	ASSERT_EQ(0, set_shadows(self->fd, VMD_SHADOW_SHIFT_MAX, 8, names));
	sample = touch_ns(self->fd);
	EXPECT_LT(0, none);
	TH_LOG("a read(2) that hits: %ld ns; with lru beside it %ld, with eight policies %ld",
	       none, one, eight);
	TH_LOG("with eight that do not look at the page: %ld ns", sample);
}

struct toucher {
	char *map;
	bool stop;
};

static void *touch_on(void *arg)
{
	struct toucher *t = arg;
	__u64 seed = 3;

	while (!vmd_is_set(&t->stop))
		vmd_store(t->map + (vmd_random(&seed) >> 8) % PAGES * vmd_ps, 1);
	return NULL;
}

TEST_F(shadow, come_and_go_while_the_space_is_in_use)
{
	static const char *const names[] = { "lru", "arc", "w-tinylfu" };
	struct toucher t = { .map = self->map };
	int rounds = vmd_afford(40), i;
	pthread_t thread;

	ASSERT_EQ(0, vmd_observer(self->fd, "accessed"));
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch_on, &t));
	for (i = 0; i < rounds; i++) {
		EXPECT_EQ(0, set_shadows(self->fd, i % 3, 3, names));
		EXPECT_EQ(0, vmd_policy(self->fd, i & 1 ?
					"auto:of=lru+mru,interval=100,margin=0" :
					"fifo"));
		EXPECT_EQ(0, vmd_budget(self->fd, FRAMES + i % 5 * 3));
		EXPECT_EQ(0, vmd_reset(self->fd));
		EXPECT_EQ(0, get_shadows(self->fd, 0, &self->get));
		EXPECT_EQ(3, self->get.count);
		EXPECT_EQ(0, vmd_observer(self->fd, i & 2 ? "trap" : "accessed"));
		EXPECT_EQ(0, set_shadows(self->fd, 0, 0, NULL));
	}
	vmd_set_flag(&t.stop);
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
