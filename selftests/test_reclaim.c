// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames kept free and pages written in the background: what that saves the
 * faults, where it must not happen, and that nothing is lost by it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmd_harness.h"

#define FRAMES		1024
#define PAGES		(3 * FRAMES)
#define THREADS		3
#define WRITES		1500		/* of each thread; times VMD_TEST_SCALE */
#define WRITES_LEAST	600		/* where that takes minutes */
#define RESERVE_MS	1000		/* how long a reserve is kept in vain */

FIXTURE(reclaim) {
	char *reserve;
	int fd;
	char *map;
};

static int set_reserve(const char *percent)
{
	return vmd_write_file(VMD_PARAMS "reserve", percent);
}

/* A space with these settings, and a reserve of so much. */
static int make(const char *reserve, const char *observer, __u64 frames)
{
	int fd;

	if (set_reserve(reserve))
		return -1;
	fd = vmd_open();
	if (fd >= 0 && (vmd_set(fd, "clock", observer, frames) ||
			vmd_resize(fd, PAGES)))
		return -1;
	return fd;
}

FIXTURE_SETUP(reclaim)
{
	self->reserve = vmd_read_file(VMD_PARAMS "reserve");
	ASSERT_NE(NULL, self->reserve);
}

FIXTURE_TEARDOWN(reclaim)
{
	vmd_write_file(VMD_PARAMS "reserve", self->reserve);
}

/**
 * struct load - random writes by several threads
 * @map: where
 * @pages: to that many pages
 * @writes: of each thread
 * @stop: before that
 * @seed: the next thread's
 */
struct load {
	char *map;
	unsigned long pages;
	unsigned long writes;
	bool stop;
	__u64 seed;
};

static void *load_thread(void *arg)
{
	struct load *load = arg;
	__u64 random = __atomic_add_fetch(&load->seed, 1, __ATOMIC_RELAXED);
	unsigned long i;

	for (i = 0; i < load->writes && !vmd_is_set(&load->stop); i++)
		vmd_store(load->map +
			  vmd_random(&random) % load->pages * vmd_ps, i);
	return NULL;
}

static void load_run(char *map, unsigned long pages, unsigned long writes)
{
	struct load load = { .map = map, .pages = pages, .writes = writes };
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, load_thread, &load);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* The time, as a bucket of the histogram, that 99 % of the faults took at most:
 * to be looked at, as it depends on what else the machine does.
 */
static int p99(const struct vmd_stats *s)
{
	__u64 sum = 0, n = 0;
	int i;

	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		sum += s->latency[i];
	for (i = 0; i < VMD_LATENCY_BUCKETS; i++) {
		n += s->latency[i];
		if (n * 100 >= sum * 99)
			return i;
	}
	return i;
}

static unsigned long writes(void)
{
	unsigned long n = vmd_afford(WRITES);

	return n < WRITES_LEAST ? WRITES_LEAST : n;
}

/* Steady random writes with a reserve of so much; what was counted. */
static int steady(const char *reserve, struct vmd_stats *s)
{
	int fd = make(reserve, "accessed", FRAMES);
	char *map = fd < 0 ? MAP_FAILED : vmd_map(fd, PAGES);

	if (map == MAP_FAILED)
		return -1;
	vmd_touch_all(map, PAGES);
	load_run(map, PAGES, WRITES / 4);
	if (vmd_reset(fd))
		return -1;
	load_run(map, PAGES, writes());
	if (vmd_stats(fd, s))
		return -1;
	printf("# reserve %s: misses %llu stalls %llu evictions %llu background %llu p99 2^%d ns\n",
	       reserve, s->misses, s->stalls, s->evictions,
	       s->background_evictions, p99(s));
	munmap(map, PAGES * vmd_ps);
	return close(fd);
}

/* With a disk and several CPUs the reclaimer is ahead of the faults. */
TEST_F(reclaim, with_a_reserve_few_faults_of_a_steady_load_evict)
{
	struct vmd_stats without, with;

	ASSERT_EQ(0, steady("0", &without));
	ASSERT_EQ(0, steady("10", &with));
	EXPECT_EQ(0, without.background_evictions);
	EXPECT_LT(with.evictions / 2, with.background_evictions);
	EXPECT_LE(with.background_evictions, with.evictions);
	EXPECT_EQ(with.evictions, with.evictions_clean + with.evictions_dirty);
	/* One CPU has either the program or the reclaimer. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	/* Half, though other programs may keep the reclaimer from its CPU. */
	EXPECT_LT(with.stalls * without.misses * 2,
		  without.stalls * with.misses);
}

/* Where it must not happen: what was counted after a load that evicts. */
static int load_in(const char *reserve, const char *observer, __u64 frames,
		   struct vmd_stats *s)
{
	int fd = make(reserve, observer, frames);
	char *map = fd < 0 ? MAP_FAILED : vmd_map(fd, PAGES);

	if (map == MAP_FAILED)
		return -1;
	load_run(map, PAGES, FRAMES);
	if (vmd_stats(fd, s))
		return -1;
	munmap(map, PAGES * vmd_ps);
	return close(fd);
}

TEST_F(reclaim, only_a_fault_evicts_without_a_reserve)
{
	struct vmd_stats s;

	ASSERT_EQ(0, load_in("0", "accessed", FRAMES, &s));
	EXPECT_LT(0, s.evictions);
	EXPECT_LT(0, s.stalls);
	EXPECT_EQ(0, s.background_evictions);
}

TEST_F(reclaim, only_a_fault_evicts_in_observers_that_promise_order)
{
	static const char *const observers[] = { "fault", "trap" };
	struct vmd_stats s;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, load_in("25", observers[i], FRAMES, &s));
		EXPECT_LT(0, s.evictions);
		EXPECT_EQ(0, s.background_evictions);
		/* Each thread may leave one frame ready, and no more. */
		EXPECT_LE(FRAMES - THREADS, s.resident);
	}
}

TEST_F(reclaim, only_a_fault_evicts_where_the_budget_is_tiny)
{
	struct vmd_stats s;

	ASSERT_EQ(0, load_in("25", "accessed", 255, &s));
	EXPECT_LT(0, s.evictions);
	EXPECT_EQ(0, s.background_evictions);
	ASSERT_EQ(0, load_in("25", "accessed", 256, &s));
	EXPECT_LT(0, s.background_evictions);
}

TEST_F(reclaim, a_program_that_fits_has_the_whole_budget)
{
	struct vmd_stats s;
	int i;

	self->fd = make("25", "accessed", FRAMES);
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	for (i = 0; i < 20; i++) {
		vmd_touch_all(self->map, FRAMES);
		vmd_sleep_ms(10);
	}
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(FRAMES, s.resident);
	EXPECT_EQ(0, s.evictions);
	EXPECT_EQ(0, s.stalls);
}

/* When the pages of now fit, they get all frames after a while. */
TEST_F(reclaim, a_reserve_that_nobody_needs_goes)
{
	struct vmd_stats s;

	self->fd = make("10", "accessed", FRAMES);
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	load_run(self->map, PAGES, 2 * FRAMES);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	ASSERT_LT(0, s.background_evictions);
	EXPECT_GT(FRAMES, s.resident);
	vmd_sleep_ms(2 * RESERVE_MS);
	ASSERT_EQ(0, vmd_reset(self->fd));
	/* What is not resident by now gets the frames that are free. */
	vmd_touch_all(self->map, FRAMES - s.resident);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.background_evictions);
}

static __u64 background(int fd)
{
	struct vmd_stats s;

	return vmd_stats(fd, &s) ? UINT64_MAX : s.background_evictions;
}

TEST_F(reclaim, nothing_leaves_by_itself_after_a_switch_to_another_observer)
{
	struct load load = { .pages = PAGES, .writes = ULONG_MAX };
	__u64 before, resident;
	struct vmd_stats s;
	pthread_t thread;
	int i;

	self->fd = make("25", "accessed", FRAMES);
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(load.map, self->fd, PAGES);
	pthread_create(&thread, NULL, load_thread, &load);
	for (i = 0; i < 10; i++) {
		before = background(self->fd);
		while (background(self->fd) == before)
			vmd_sleep_ms(1);
		ASSERT_EQ(0, vmd_observer(self->fd, "fault"));
		before = background(self->fd);
		vmd_sleep_ms(20);
		EXPECT_EQ(before, background(self->fd));
		ASSERT_EQ(0, vmd_observer(self->fd, "accessed"));
	}
	vmd_set_flag(&load.stop);
	pthread_join(thread, NULL);
	ASSERT_EQ(0, vmd_observer(self->fd, "fault"));
	vmd_touch_all(load.map, PAGES);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	resident = s.resident;
	EXPECT_EQ(FRAMES, resident);
}

TEST_F(reclaim, never_above_the_budget)
{
	struct load load = { .pages = PAGES, .writes = ULONG_MAX };
	__u64 budget, end = vmd_now_ms() + 2000;
	struct vmd_stats s;
	pthread_t thread;
	int i;

	self->fd = make("25", "accessed", FRAMES);
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(load.map, self->fd, PAGES);
	pthread_create(&thread, NULL, load_thread, &load);
	for (i = 0; vmd_now_ms() < end; i++) {
		budget = i % 2 ? FRAMES : FRAMES / 2;
		ASSERT_EQ(0, vmd_budget(self->fd, budget));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_GE(budget, s.resident);
		vmd_sleep_ms(5);
	}
	EXPECT_LT(0, background(self->fd));
	vmd_set_flag(&load.stop);
	pthread_join(thread, NULL);
}

/* A page's owner knows what is in it, whatever goes on around it. */
struct owner {
	char *map;
	__u64 random;
	bool *stop;
	unsigned long bad;
	pthread_t thread;
};

static void *owner_thread(void *arg)
{
	struct owner *o = arg;
	unsigned long i, n = PAGES / THREADS;
	__u64 *tag = calloc(n, sizeof(*tag));

	while (!vmd_is_set(o->stop)) {
		char *page;

		i = vmd_random(&o->random) % n;
		page = o->map + i * vmd_ps;
		o->bad += tag[i] ? !vmd_check(page, tag[i]) :
				   !vmd_is_zero(page);
		if (vmd_random(&o->random) % 2) {
			tag[i] = vmd_random(&o->random) | 1;
			vmd_fill(page, tag[i]);
		}
	}
	free(tag);
	return NULL;
}

/* What may come in the reclaimer's way; whether it works out is not asked. */
static void disturb(int fd, char *map, __u64 n)
{
	static const unsigned long budgets[] = { 200, 300, 700, FRAMES };

	switch (n % 8) {
	case 0:
		vmd_budget(fd, budgets[n / 8 % 4]);
		break;
	case 1:
		vmd_observer(fd, vmd_observer_names[n / 8 % 3]);
		break;
	case 2:
		vmd_policy(fd, vmd_policy_names[n / 8 % 5]);
		break;
	case 3:
		vmd_sync(fd, n / 8 % PAGES, PAGES - n / 8 % PAGES);
		break;
	case 4:
		vmd_advise(fd, n / 8 % 2 ? VMD_ADVICE_EVICT : VMD_ADVICE_WRITE,
			   n / 16 % (PAGES - 64), 64);
		break;
	case 5:
		/* Behind what the owners have: comes, and is cut off again. */
		if (!vmd_resize(fd, PAGES + 64) &&
		    !vmd_advise(fd, VMD_ADVICE_PIN, PAGES, 64))
			vmd_resize(fd, PAGES);
		break;
	case 6:
		vmd_write_file("/proc/sys/vm/drop_caches", "2");
		break;
	default:
		vmd_observer(fd, "accessed");
		madvise(map, PAGES * vmd_ps, n / 8 % 2 ? MADV_RANDOM :
							 MADV_NORMAL);
		vmd_sleep_ms(50);
	}
}

TEST_F(reclaim, no_page_is_lost_whatever_comes_in_its_way)
{
	struct owner owners[THREADS] = { };
	__u64 random = 7, end, last;
	bool stop = false;
	int i;

	vmd_write_file("/proc/sys/vm/drop_caches", "4");
	vmd_write_file(VMD_PARAMS "dirty_age", "20");
	vmd_write_file(VMD_PARAMS "dirty_limit", "40");
	self->fd = make("25", "accessed", FRAMES);
	vmd_write_file(VMD_PARAMS "dirty_age", "0");
	vmd_write_file(VMD_PARAMS "dirty_limit", "0");
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	for (i = 0; i < THREADS; i++) {
		owners[i] = (struct owner){
			.map = self->map + i * (PAGES / THREADS) * vmd_ps,
			.random = i + 1, .stop = &stop,
		};
		pthread_create(&owners[i].thread, NULL, owner_thread,
			       &owners[i]);
	}
	end = vmd_now_ms() + vmd_scaled(vmd_brief(6000));
	/* On a slow kernel the reclaimer may not have had a chance by then. */
	last = end + 60000;
	while (vmd_now_ms() < end ||
	       (!background(self->fd) && vmd_now_ms() < last)) {
		disturb(self->fd, self->map, vmd_random(&random) >> 8);
		vmd_sleep_ms(2);
	}
	vmd_set_flag(&stop);
	for (i = 0; i < THREADS; i++) {
		pthread_join(owners[i].thread, NULL);
		EXPECT_EQ(0, owners[i].bad);
	}
	EXPECT_LT(0, background(self->fd));
}

static void child_load(int fd)
{
	char *map = vmd_map(fd, PAGES);

	if (map == MAP_FAILED)
		_exit(1);
	load_run(map, PAGES, ULONG_MAX);
	_exit(0);
}

static int references(void)
{
	char *text = vmd_read_file("/sys/module/vmdemo/refcnt");
	int n = text ? atoi(text) : -1;

	free(text);
	return n;
}

/* Of others: what the test before had may be gone a moment later, too. */
static int settled_references(void)
{
	int i;

	for (i = 0; i < 100 && references(); i++)
		vmd_sleep_ms(10);
	return references();
}

/* Whoever is killed in the midst of it is gone at once, and so is the space. */
TEST_F(reclaim, a_program_that_is_killed_leaves_nothing_behind)
{
	int before = settled_references(), i, fd;
	pid_t pid;

	for (i = 0; i < 10; i++) {
		fd = make("25", "accessed", FRAMES);
		ASSERT_LE(0, fd);
		pid = vmd_fork();
		if (!pid)
			child_load(fd);
		while (!background(fd))
			vmd_sleep_ms(1);
		vmd_sleep_ms(i);
		kill(pid, SIGKILL);
		close(fd);
		EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, 5000));
	}
	for (i = 0; i < 100 && references() != before; i++)
		vmd_sleep_ms(10);
	EXPECT_EQ(before, references());
}

/* Nobody was killed: then the module can be unloaded at once. */
TEST_F(reclaim, a_space_that_is_closed_is_gone)
{
	struct load load = { .pages = PAGES, .writes = 2500 };
	int before = settled_references(), rounds = vmd_afford(8), tries, i;

	for (i = 0; i < rounds; i++) {
		self->fd = make("25", "accessed", FRAMES);
		ASSERT_LE(0, self->fd);
		ASSERT_MAP(load.map, self->fd, PAGES);
		load_thread(&load);
		EXPECT_LT(0, background(self->fd));
		munmap(load.map, PAGES * vmd_ps);
		close(self->fd);
		/* Who ended the last write may be a moment behind. */
		for (tries = 0; tries < 100 && references() != before; tries++)
			vmd_sleep_ms(10);
		EXPECT_EQ(before, references());
	}
}

TEST_F(reclaim, a_reserve_that_makes_no_sense_is_refused)
{
	static const char *const bad[] = { "26", "-1", "x", "1%" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-1, set_reserve(bad[i]));
	EXPECT_EQ(0, set_reserve("25"));
	EXPECT_EQ(0, set_reserve("0"));
}

/* One page table or two. */
TEST_F(reclaim, a_flush_is_counted_for_each_page_table)
{
	struct vmd_stats s;
	char *other;

	self->fd = make("0", "fault", FRAMES);
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, 8);
	ASSERT_MAP(other, self->fd, 8);
	vmd_touch_all(self->map, 4);
	ASSERT_EQ(0, vmd_reset(self->fd));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 4));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(4, s.tlb_flushes_estimated);
	vmd_touch_all(self->map, 4);
	vmd_touch_all(other, 4);
	ASSERT_EQ(0, vmd_reset(self->fd));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 4));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(8, s.tlb_flushes_estimated);
}

/* Dirty pages are written while they stay. */
FIXTURE(flush) {
	char *age;
	char *limit;
	int fd;
	char *map;
};

FIXTURE_SETUP(flush)
{
	self->age = vmd_read_file(VMD_PARAMS "dirty_age");
	self->limit = vmd_read_file(VMD_PARAMS "dirty_limit");
	ASSERT_NE(NULL, self->age);
	ASSERT_NE(NULL, self->limit);
}

FIXTURE_TEARDOWN(flush)
{
	vmd_write_file(VMD_PARAMS "dirty_age", self->age);
	vmd_write_file(VMD_PARAMS "dirty_limit", self->limit);
}

static int make_flushed(const char *age, const char *limit,
			const char *observer)
{
	if (vmd_write_file(VMD_PARAMS "dirty_age", age) ||
	    vmd_write_file(VMD_PARAMS "dirty_limit", limit))
		return -1;
	return make("0", observer, FRAMES);
}

static __u64 background_writes(int fd)
{
	struct vmd_stats s;

	return vmd_stats(fd, &s) ? UINT64_MAX : s.background_writes;
}

/* Until so many are dirty at most, in so many ms. */
static bool dirty_falls(int fd, __u64 most, unsigned int ms)
{
	__u64 end = vmd_now_ms() + ms;
	struct vmd_stats s;

	do {
		vmd_sleep_ms(5);
		if (vmd_stats(fd, &s))
			return false;
	} while (s.dirty > most && vmd_now_ms() < end);
	return s.dirty <= most;
}

/* A page counts as clean when its write begins, and as written when it ends. */
static bool all_written(int fd, __u64 pages, unsigned int ms)
{
	__u64 end = vmd_now_ms() + ms;

	while (background_writes(fd) != pages && vmd_now_ms() < end)
		vmd_sleep_ms(5);
	return background_writes(fd) == pages;
}

TEST_F(flush, what_has_been_dirty_for_long_is_written_and_stays)
{
	struct vmd_stats s;

	self->fd = make_flushed("2000", "0", "accessed");
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, 300, 1);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.pages_written);
	EXPECT_EQ(300, s.pages_dirtied);
	EXPECT_TRUE(all_written(self->fd, 300, 30000));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.dirty);
	EXPECT_EQ(300, s.pages_written);
	EXPECT_EQ(300, s.resident);
	EXPECT_EQ(0, s.evictions);
	/* They are clean: no more is written. */
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 300));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(300, s.pages_written);
	EXPECT_EQ(300, s.evictions_clean);
	EXPECT_EQ(0, vmd_bad_pages(self->map, 300, 1));
}

/* The fault is a read's: only the page table knows of the write. */
TEST_F(flush, a_page_that_was_read_first_is_written_too)
{
	struct vmd_stats s;
	int tries;

	self->fd = make_flushed("100", "0", "accessed");
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_load(self->map);
	vmd_sleep_ms(300);
	vmd_store(self->map, 1);
	for (tries = 0; tries < 1000 && !background_writes(self->fd); tries++)
		vmd_sleep_ms(10);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(1, s.pages_written);
	EXPECT_EQ(1, s.background_writes);
}

TEST_F(flush, a_page_written_to_all_the_time_goes_out_once_in_a_while)
{
	__u64 end = vmd_now_ms() + 2000;
	struct vmd_stats s;
	char c = 0;

	self->fd = make_flushed("200", "0", "accessed");
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	while (vmd_now_ms() < end)
		vmd_store(self->map, c++);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_LT(1, s.pages_written);
	EXPECT_GE(10, s.pages_written);
}

TEST_F(flush, more_dirty_pages_than_the_limit_are_written)
{
	struct vmd_stats s;

	self->fd = make_flushed("0", "25", "accessed");
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, FRAMES / 4, 1);
	vmd_sleep_ms(300);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(FRAMES / 4, s.dirty);
	EXPECT_EQ(0, s.pages_written);
	/* One more, and no fault after it */
	vmd_store(self->map + FRAMES / 4 * vmd_ps, 1);
	EXPECT_TRUE(dirty_falls(self->fd, FRAMES / 4, 30000));
	vmd_fill_all(self->map, FRAMES / 2, 2);
	EXPECT_TRUE(dirty_falls(self->fd, FRAMES / 4, 30000));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_LT(0, s.pages_written);
	/* Nobody else writes. */
	EXPECT_TRUE(all_written(self->fd, s.pages_written, 30000));
	EXPECT_EQ(0, s.evictions);
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES / 2, 2));
}

TEST_F(flush, nothing_is_written_in_observers_that_promise_order)
{
	static const char *const observers[] = { "fault", "trap" };
	struct vmd_stats s;
	int i;

	for (i = 0; i < 2; i++) {
		self->fd = make_flushed("50", "10", observers[i]);
		ASSERT_LE(0, self->fd);
		ASSERT_MAP(self->map, self->fd, PAGES);
		vmd_fill_all(self->map, FRAMES / 2, 1);
		vmd_sleep_ms(300);
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(0, s.pages_written);
		munmap(self->map, PAGES * vmd_ps);
		close(self->fd);
	}
}

TEST_F(flush, advice_begins_to_write)
{
	struct vmd_stats s;

	self->fd = make_flushed("0", "0", "fault");
	ASSERT_LE(0, self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, 500, 1);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_WRITE, 0, 400));
	EXPECT_TRUE(dirty_falls(self->fd, 100, 5000));
	ASSERT_EQ(0, vmd_sync(self->fd, 0, 400));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(400, s.pages_written);
	EXPECT_EQ(100, s.dirty);
	EXPECT_EQ(500, s.resident);
	EXPECT_EQ(0, vmd_bad_pages(self->map, 500, 1));
}

TEST_F(flush, ages_and_limits_that_make_no_sense_are_refused)
{
	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "dirty_age", "9"));
	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "dirty_age", "86400001"));
	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "dirty_age", "5s"));
	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "dirty_limit", "101"));
	EXPECT_EQ(-1, vmd_write_file(VMD_PARAMS "dirty_limit", "-1"));
}

TEST_HARNESS_MAIN
