// SPDX-License-Identifier: GPL-2.0-only
/*
 * Budgets: of a space, of all spaces together, and of a memory cgroup. That
 * nothing exceeds them while many touch at once is in test_overcommit.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include "vmd_harness.h"

#define FRAMES	64
#define PAGES	128
#define CGROUP	"/sys/fs/cgroup/"

FIXTURE(budget) {
	int fd;
	char *map;
};

FIXTURE_VARIANT(budget) {
	const char *observer;
};

FIXTURE_VARIANT_ADD(budget, fault) { .observer = "fault" };
FIXTURE_VARIANT_ADD(budget, accessed) { .observer = "accessed" };
FIXTURE_VARIANT_ADD(budget, trap) { .observer = "trap" };

FIXTURE_SETUP(budget)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", variant->observer, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, 1);
}

FIXTURE_TEARDOWN(budget)
{
	close(self->fd);
}

static __u64 resident(int fd)
{
	struct vmd_stats s;

	return vmd_stats(fd, &s) ? UINT64_MAX : s.resident;
}

TEST_F(budget, all_of_the_budget_is_used)
{
	EXPECT_EQ(FRAMES, resident(self->fd));
	EXPECT_EQ(FRAMES, vmd_count_state(self->fd, 0, PAGES,
					  VMD_PAGE_RESIDENT));
}

TEST_F(budget, shrinking_evicts_at_once_and_loses_nothing)
{
	struct vmd_stats s;
	int frames;

	for (frames = FRAMES / 2; frames; frames /= 2) {
		ASSERT_EQ(0, vmd_budget(self->fd, frames));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(frames, s.budget);
		EXPECT_GE(frames, s.resident);
	}
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_F(budget, shrinking_evicts_what_the_policy_says)
{
	int i;

	ASSERT_EQ(0, vmd_policy(self->fd, "fifo"));
	ASSERT_EQ(0, madvise(self->map, PAGES * vmd_ps, MADV_RANDOM));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	for (i = 0; i < FRAMES; i++)
		ASSERT_EQ(0, vmd_read_signal(self->map + i * vmd_ps));
	ASSERT_EQ(0, vmd_budget(self->fd, 16));
	EXPECT_EQ(0, vmd_count_state(self->fd, 0, FRAMES - 16,
				     VMD_PAGE_RESIDENT));
	EXPECT_EQ(16, vmd_count_state(self->fd, FRAMES - 16, 16,
				      VMD_PAGE_RESIDENT));
}

TEST_F(budget, growing_makes_room_without_evicting)
{
	struct vmd_stats before, after;

	ASSERT_EQ(0, vmd_budget(self->fd, PAGES));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.evictions, after.evictions);
	EXPECT_EQ(PAGES, after.resident);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	EXPECT_EQ(after.misses, before.misses);
}

TEST_F(budget, a_budget_of_one_frame_works)
{
	ASSERT_EQ(0, vmd_budget(self->fd, 1));
	EXPECT_EQ(0, vmd_bad_pages(self->map, 20, 1));
	vmd_fill_all(self->map, 20, 500);
	EXPECT_EQ(0, vmd_bad_pages(self->map, 20, 500));
	EXPECT_GE(1, resident(self->fd));
}

TEST_F(budget, pinned_pages_refuse_a_shrink_below_them_and_nothing_changes)
{
	struct vmd_config before, after;

	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, 8));
	ASSERT_EQ(0, vmd_get(self->fd, &before));
	EXPECT_ERRNO(EBUSY, vmd_budget(self->fd, 4));
	ASSERT_EQ(0, vmd_get(self->fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(8, vmd_count_flag(self->fd, 0, 8, VMD_PAGE_PINNED));
	EXPECT_EQ(8, vmd_count_state(self->fd, 0, 8, VMD_PAGE_RESIDENT));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

struct runner {
	char *map;
	unsigned long errors;
	bool stop;
};

static void *run_through(void *arg)
{
	struct runner *r = arg;

	while (!vmd_is_set(&r->stop))
		r->errors += vmd_bad_pages(r->map, PAGES, 1);
	return NULL;
}

/* EBUSY is allowed while pages are under I/O, but not for long. */
static int set_budget(int fd, __u64 frames)
{
	__u64 end = vmd_now_ms() + 10000;
	int ret;

	do {
		ret = vmd_budget(fd, frames);
	} while (ret && errno == EBUSY && vmd_now_ms() < end);
	return ret;
}

TEST_F(budget, budget_grows_and_shrinks_while_programs_run)
{
	struct runner r[3] = { 0 };
	pthread_t thread[3];
	__u64 seed = 3, frames;
	unsigned long i;

	for (i = 0; i < 3; i++) {
		r[i].map = self->map;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, run_through,
					    &r[i]));
	}
	for (i = 0; i < vmd_scaled(40); i++) {
		frames = 12 + vmd_random(&seed) % FRAMES;
		EXPECT_EQ(0, set_budget(self->fd, frames));
		EXPECT_GE(frames, resident(self->fd));
	}
	for (i = 0; i < 3; i++)
		vmd_set_flag(&r[i].stop);
	for (i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, r[i].errors);
	}
}

FIXTURE(cap) {
	int fd[3];
	char *map[3];
	char *saved;
};

#define CAP	96

/* Three spaces that could hold twice the module's cap together */
FIXTURE_SETUP(cap)
{
	int i;

	self->saved = vmd_read_file(VMD_PARAMS "max_frames");
	ASSERT_NE(NULL, self->saved);
	for (i = 0; i < 3; i++) {
		ASSERT_OPEN(self->fd[i]);
		ASSERT_EQ(0, vmd_set(self->fd[i], "lru", "accessed", FRAMES));
		ASSERT_MAP(self->map[i], self->fd[i], PAGES);
		vmd_fill_all(self->map[i], PAGES, i * 1000);
	}
}

FIXTURE_TEARDOWN(cap)
{
	int i;

	vmd_write_file(VMD_PARAMS "max_frames", self->saved);
	for (i = 0; i < 3; i++)
		close(self->fd[i]);
}

static __u64 all_resident(const int *fd)
{
	return resident(fd[0]) + resident(fd[1]) + resident(fd[2]);
}

/* Waits up to 5 s: the parameter is written by somebody else than the owners. */
static __u64 await_cap(const int *fd)
{
	__u64 end = vmd_now_ms() + 5000, sum;

	do {
		sum = all_resident(fd);
	} while (sum > CAP && vmd_now_ms() < end);
	return sum;
}

TEST_F(cap, lowering_the_cap_evicts_from_spaces_that_exist)
{
	int i;

	ASSERT_EQ(3 * FRAMES, all_resident(self->fd));
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "max_frames", "96"));
	EXPECT_GE(CAP, await_cap(self->fd));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, vmd_bad_pages(self->map[i], PAGES, i * 1000));
}

struct cap_runner {
	pthread_t thread;
	char *map;
	int number;
	size_t errors;
};

static void *run_capped(void *arg)
{
	struct cap_runner *r = arg;
	unsigned long i;

	for (i = 0; i < vmd_scaled(3); i++)
		r->errors += vmd_bad_pages(r->map, PAGES, r->number * 1000);
	return NULL;
}

/* Each value is of another instant, but none of the sums may exceed the cap. */
TEST_F(cap, the_cap_bounds_all_spaces_together_and_each_makes_progress)
{
	struct cap_runner r[3] = { 0 };
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "max_frames", "96"));
	ASSERT_GE(CAP, await_cap(self->fd));
	for (i = 0; i < 3; i++) {
		r[i].map = self->map[i];
		r[i].number = i;
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, run_capped,
					    &r[i]));
	}
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, vmd_module_stats(&s));
		EXPECT_GE(CAP, s.resident);
		vmd_sleep_ms(5);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(0, r[i].errors);
	}
}

TEST_F(cap, a_new_space_works_when_the_others_hold_all_frames)
{
	char *map;
	int fd;

	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "max_frames", "96"));
	ASSERT_GE(CAP, await_cap(self->fd));
	vmd_bad_pages(self->map[0], PAGES, 0);
	vmd_bad_pages(self->map[1], PAGES, 0);
	ASSERT_OPEN(fd);
	ASSERT_MAP(map, fd, 20);
	vmd_fill_all(map, 20, 7);
	EXPECT_EQ(0, vmd_bad_pages(map, 20, 7));
	EXPECT_GE(CAP, all_resident(self->fd) + resident(fd));
	close(fd);
}

TEST_F(cap, a_budget_above_the_cap_is_refused)
{
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "max_frames", "96"));
	EXPECT_ERRNO(EINVAL, vmd_budget(self->fd[0], CAP + 1));
	EXPECT_EQ(0, vmd_budget(self->fd[0], 10));
}

TEST_F(cap, a_cap_that_is_no_number_is_refused)
{
	char *now;

	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "max_frames", "many"));
	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "max_frames", "-5"));
	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "max_frames", "0"));
	now = vmd_read_file(VMD_PARAMS "max_frames");
	EXPECT_STREQ(self->saved, now);
}

#define MEMCG_FRAMES	2048		/* 8 MiB: well above the kernel's batches */

FIXTURE(memcg) {
	char dir[64];
	bool usable;
	int fd;
	char *map;
};

static __u64 memcg_current(const char *dir)
{
	char path[PATH_MAX];
	char *text;
	__u64 value;

	snprintf(path, sizeof(path), "%s/memory.current", dir);
	text = vmd_read_file(path);
	value = text ? strtoull(text, NULL, 10) : UINT64_MAX;
	free(text);
	return value;
}

static int memcg_enter(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	return vmd_write_file(path, "0");
}

FIXTURE_SETUP(memcg)
{
	snprintf(self->dir, sizeof(self->dir), CGROUP "vmdemo-test-%d",
		 getpid());
	self->usable = !mkdir(self->dir, 0755) &&
		       memcg_current(self->dir) != UINT64_MAX;
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_budget(self->fd, MEMCG_FRAMES));
	ASSERT_MAP(self->map, self->fd, MEMCG_FRAMES);
}

FIXTURE_TEARDOWN(memcg)
{
	close(self->fd);
	rmdir(self->dir);
}

/* The maker of the space is outside, the child that touches it inside. */
TEST_F(memcg, frames_are_charged_to_the_cgroup_of_the_faulting_task)
{
	__u64 bytes = MEMCG_FRAMES * vmd_ps;
	__u64 before, after;
	pid_t pid;

	if (!self->usable)
		SKIP(return, "no cgroup2 memory controller at " CGROUP);
	pid = vmd_fork();
	if (!pid) {
		if (memcg_enter(self->dir))
			_exit(2);
		before = memcg_current(self->dir);
		vmd_touch_all(self->map, MEMCG_FRAMES);
		after = memcg_current(self->dir);
		_exit(after - before < bytes - bytes / 8 ||
		      after - before > bytes + bytes / 4);
	}
	EXPECT_CHILD(pid);
	ASSERT_EQ(MEMCG_FRAMES, resident(self->fd));
}

TEST_F(memcg, evicted_frames_are_uncharged)
{
	__u64 full, empty, bytes = MEMCG_FRAMES * vmd_ps;
	pid_t pid;

	if (!self->usable)
		SKIP(return, "no cgroup2 memory controller at " CGROUP);
	pid = vmd_fork();
	if (!pid) {
		if (memcg_enter(self->dir))
			_exit(2);
		vmd_touch_all(self->map, MEMCG_FRAMES);
		_exit(0);
	}
	EXPECT_CHILD(pid);
	full = memcg_current(self->dir);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, MEMCG_FRAMES));
	empty = memcg_current(self->dir);
	EXPECT_LE(bytes - bytes / 4, full - empty);
}

TEST_HARNESS_MAIN
