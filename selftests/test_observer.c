// SPDX-License-Identifier: GPL-2.0-only
/* What each observer sees, what it does not, and switching between them. */
#define _GNU_SOURCE
#include <pthread.h>

#include "vmd_harness.h"

#define FRAMES	16
#define SCAN	256		/* pages of a scan that goes through */

FIXTURE(observer) {
	int fd;
	char *map;
};

FIXTURE_SETUP(observer)
{
	ASSERT_OPEN(self->fd);
	ASSERT_MAP(self->map, self->fd, SCAN);
	/* No reading ahead: what is resident is what was touched. */
	ASSERT_EQ(0, madvise(self->map, SCAN * vmd_ps, MADV_RANDOM));
}

FIXTURE_TEARDOWN(observer)
{
	close(self->fd);
}

static void touch(char *map, unsigned long page)
{
	vmd_load(map + page * vmd_ps);
}

static void touch_string(char *map, const char *refs)
{
	for (; *refs; refs++)
		if (*refs != ' ')
			touch(map, *refs - '0');
}

struct known {
	const char *refs;
	unsigned long fifo;
	unsigned long lru;
};

static const struct known known[] = {
	{ "1 2 3 4 1 2 5 1 2 3 4 5", 9, 10 },
	{ "7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1", 15, 12 },
	{ "0 1 2 0 1 3 0 3 1 2 1", 7, 5 },
};

TEST_F(observer, fault_makes_lru_fifo)
{
	struct vmd_stats s;
	size_t i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "fault", 3));
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 0));
		ASSERT_EQ(0, vmd_reset(self->fd));
		touch_string(self->map, known[i].refs);
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(known[i].fifo, s.misses);
	}
}

TEST_F(observer, fault_sees_no_touch_of_a_mapped_page)
{
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "fault", FRAMES));
	for (i = 0; i < 100; i++)
		touch(self->map, i % 4);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(4, s.references);
	EXPECT_EQ(4, s.misses);
	EXPECT_EQ(0, s.hits);
}

/* What the parent has mapped is not mapped in the child. */
TEST_F(observer, trap_sees_the_first_touch_of_a_child)
{
	struct vmd_stats s;
	int status;
	pid_t pid;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	touch(self->map, 0);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		touch(self->map, 0);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	/* The parent's own page is still the one it touched last. */
	touch(self->map, 0);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(2, s.references);
	EXPECT_EQ(1, s.misses);
	EXPECT_EQ(1, s.hits);
}

TEST_F(observer, trap_makes_lru_lru)
{
	struct vmd_stats s;
	size_t i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", 3));
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 0));
		ASSERT_EQ(0, vmd_reset(self->fd));
		touch_string(self->map, known[i].refs);
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(known[i].lru, s.misses);
	}
}

/* Unmapping this many pages drops the whole TLB, as other work would. */
static void disturb_tlb(void)
{
	size_t len = 64 * vmd_ps;
	void *p = mmap(NULL, len, VMD_RW,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p != MAP_FAILED)
		munmap(p, len);
}

/* Faults of page 0, touched between the pages of a scan. */
static long hot_page_misses(int fd, char *map)
{
	struct vmd_page page;
	int i;

	for (i = 1; i < SCAN; i++) {
		touch(map, 0);
		touch(map, i);
		if (i % 4 == 0)
			disturb_tlb();
	}
	return vmd_pages(fd, 0, 1, &page) == 1 ? (long)page.faults : -1;
}

static long hot_misses_of(const char *policy, const char *observer)
{
	int fd = vmd_open();
	char *map = vmd_map(fd, SCAN);
	long misses = -1;

	if (map != MAP_FAILED && !madvise(map, SCAN * vmd_ps, MADV_RANDOM) &&
	    !vmd_set(fd, policy, observer, FRAMES))
		misses = hot_page_misses(fd, map);
	munmap(map, SCAN * vmd_ps);
	close(fd);
	return misses;
}

/*
 * Pages of the scan come with their accessed bits set, too, so now and then a
 * whole round finds every bit set, and the hot page may be the one to go.
 */
TEST(accessed_lets_a_hot_page_survive_a_scan_that_fault_loses_it_to)
{
	static const char *const policies[] = { "lru", "clock" };
	long blind, seeing;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		blind = hot_misses_of(policies[i], "fault");
		seeing = hot_misses_of(policies[i], "accessed");
		EXPECT_LE(SCAN / FRAMES / 2, blind);
		EXPECT_LE(1, seeing);
		EXPECT_LE(2 * seeing, blind) {
			TH_LOG("policy %s", policies[i]);
		}
	}
}

TEST(trap_never_loses_a_hot_page_to_a_scan_under_lru)
{
	EXPECT_EQ(1, hot_misses_of("lru", "trap"));
}

TEST_F(observer, accessed_causes_no_faults_on_pages_that_stay)
{
	struct vmd_stats before, after;
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "accessed", FRAMES));
	for (i = 0; i < FRAMES; i++)
		touch(self->map, i);
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	for (i = 0; i < 100 * FRAMES; i++)
		touch(self->map, i % FRAMES);
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(vmd_faults(&before), vmd_faults(&after));
}

TEST_F(observer, accessed_counts_the_touches_of_mapped_pages_it_finds)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_set(self->fd, "clock", "accessed", FRAMES));
	ASSERT_LE(0, hot_page_misses(self->fd, self->map));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_LT(0, s.hits);
	EXPECT_EQ(s.references, s.hits + s.misses);
}

/* Pages mapped ahead with a neighbour must not look as if they were used. */
TEST_F(observer, accessed_takes_only_pages_really_touched_for_accessed)
{
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "accessed", 64));
	ASSERT_EQ(0, madvise(self->map, SCAN * vmd_ps, MADV_NORMAL));
	for (i = 0; i < 64; i++)
		touch(self->map, i);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNMAP, 0, 64));
	EXPECT_EQ(0, vmd_count_flag(self->fd, 0, 64, VMD_PAGE_ACCESSED));
	touch(self->map, 5);
	touch(self->map, 40);
	EXPECT_EQ(2, vmd_count_flag(self->fd, 0, 64, VMD_PAGE_ACCESSED));
	EXPECT_EQ(1, vmd_count_flag(self->fd, 5, 1, VMD_PAGE_ACCESSED));
	EXPECT_EQ(1, vmd_count_flag(self->fd, 40, 1, VMD_PAGE_ACCESSED));
}

TEST_F(observer, trap_takes_touches_of_one_page_in_a_row_for_one_reference)
{
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	for (i = 0; i < 100; i++)
		touch(self->map, 3);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(1, s.references);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNMAP, 3, 1));
	for (i = 0; i < 100; i++)
		touch(self->map, 3);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(2, s.references);
	EXPECT_EQ(1, s.hits);
}

/* A read and then a write of one page: one reference, and the page is dirty. */
TEST_F(observer, trap_takes_a_read_and_a_write_of_one_page_for_one_reference)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	touch(self->map, 3);
	self->map[3 * vmd_ps] = 1;
	touch(self->map, 4);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(2, s.references);
	EXPECT_EQ(1, vmd_count_flag(self->fd, 3, 1, VMD_PAGE_DIRTY));
	EXPECT_EQ(0, vmd_count_flag(self->fd, 4, 1, VMD_PAGE_DIRTY));
}

TEST_F(observer, trap_sees_every_reference_to_another_page)
{
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	for (i = 0; i < 300; i++)
		touch(self->map, i % 3);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(300, s.references);
	EXPECT_EQ(3, s.misses);
	EXPECT_EQ(297, s.hits);
	EXPECT_EQ(297, s.faults_soft);
}

#define THREADS		4
#define OWN_PAGES	5
#define ROUNDS		60

struct walker {
	pthread_t thread;
	char *map;
};

static void *walk_own_pages(void *arg)
{
	struct walker *w = arg;
	int i;

	for (i = 0; i < ROUNDS * OWN_PAGES; i++)
		touch(w->map, i % OWN_PAGES);
	return NULL;
}

TEST_F(observer, trap_is_exact_for_several_threads_each_on_its_own_pages)
{
	struct walker w[THREADS];
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", THREADS * OWN_PAGES));
	for (i = 0; i < THREADS; i++) {
		w[i].map = self->map + i * OWN_PAGES * vmd_ps;
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, walk_own_pages,
					    &w[i]));
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(THREADS * OWN_PAGES * ROUNDS, s.references);
	EXPECT_EQ(THREADS * OWN_PAGES, s.misses);
	EXPECT_EQ(0, s.evictions);
}

TEST_F(observer, switching_to_trap_live_is_exact_from_then_on)
{
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "fault", FRAMES));
	for (i = 0; i < 8; i++)
		touch(self->map, i);
	ASSERT_EQ(0, vmd_observer(self->fd, "trap"));
	ASSERT_EQ(0, vmd_reset(self->fd));
	for (i = 0; i < 8; i++)
		touch(self->map, i);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(8, s.references);
	EXPECT_EQ(8, s.hits);
}

TEST_F(observer, switching_from_trap_live_ends_the_trapping)
{
	struct vmd_stats before, after;
	int i;

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	for (i = 0; i < 8; i++)
		touch(self->map, i);
	ASSERT_EQ(0, vmd_observer(self->fd, "accessed"));
	for (i = 0; i < 8; i++)
		touch(self->map, i);
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	for (i = 0; i < 100; i++)
		touch(self->map, i % 8);
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(vmd_faults(&before), vmd_faults(&after));
}

struct checker {
	pthread_t thread;
	char *map;
	size_t errors;
	bool stop;
};

static void *check_on(void *arg)
{
	struct checker *c = arg;

	while (!vmd_is_set(&c->stop))
		c->errors += vmd_bad_pages(c->map, 40, 1);
	return NULL;
}

TEST_F(observer, observers_are_switched_live_under_load_without_harm)
{
	struct checker c[2] = { 0 };
	unsigned long i;

	ASSERT_EQ(0, vmd_set(self->fd, "clock", "accessed", FRAMES));
	vmd_fill_all(self->map, 40, 1);
	for (i = 0; i < 2; i++) {
		c[i].map = self->map;
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, check_on,
					    &c[i]));
	}
	for (i = 0; i < vmd_scaled(60); i++) {
		EXPECT_EQ(0, vmd_observer(self->fd, vmd_observer_names[i % 3]));
		vmd_sleep_ms(5);
	}
	for (i = 0; i < 2; i++) {
		vmd_set_flag(&c[i].stop);
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(0, c[i].errors);
	}
}

TEST_HARNESS_MAIN
