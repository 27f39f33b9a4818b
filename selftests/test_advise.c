// SPDX-License-Identifier: GPL-2.0-only
/* Advice and sync: the states of the pages before and after each of them. */
#define _GNU_SOURCE

#include "vmd_harness.h"

#define PAGES	64
#define FRAMES	16
#define MAY_PIN	12		/* a quarter of the budget is left to the others */

FIXTURE(advise) {
	int fd;
	char *map;
};

FIXTURE_VARIANT(advise) {
	const char *policy;
	const char *observer;
};

FIXTURE_VARIANT_ADD(advise, lru_accessed) {
	.policy = "lru", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(advise, mru_fault) {
	.policy = "mru", .observer = "fault"
};

FIXTURE_VARIANT_ADD(advise, clock_trap) {
	.policy = "clock", .observer = "trap"
};

FIXTURE_SETUP(advise)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, variant->policy, variant->observer,
			     FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	ASSERT_EQ(0, madvise(self->map, PAGES * vmd_ps, MADV_RANDOM));
	vmd_fill_all(self->map, PAGES, 1);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
}

FIXTURE_TEARDOWN(advise)
{
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	close(self->fd);
}

#define COUNT(first, n, what) \
	vmd_count_state(self->fd, first, n, VMD_PAGE_##what)
#define FLAGGED(first, n, what) \
	vmd_count_flag(self->fd, first, n, VMD_PAGE_##what)

static void make_dirty(char *map, int first, int n)
{
	vmd_touch_all(map + first * vmd_ps, n);
}

TEST_F(advise, evict_takes_all_pages_out_of_their_frames_now)
{
	struct vmd_stats s;

	EXPECT_EQ(PAGES, COUNT(0, PAGES, SWAPPED));
	EXPECT_EQ(PAGES, FLAGGED(0, PAGES, SLOT));
	EXPECT_EQ(0, FLAGGED(0, PAGES, MAPPED));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.resident);
	EXPECT_EQ(0, s.dirty);
	EXPECT_LE(PAGES, s.evictions);
}

TEST_F(advise, evict_of_clean_pages_writes_nothing)
{
	struct vmd_stats before, after;

	ASSERT_EQ(0, vmd_bad_pages(self->map, 8, 1));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 8));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.pages_written, after.pages_written);
	EXPECT_EQ(before.evictions_clean + 8, after.evictions_clean);
	EXPECT_EQ(8, COUNT(0, 8, SWAPPED));
}

TEST_F(advise, evict_writes_the_dirty_pages)
{
	struct vmd_stats before, after;

	make_dirty(self->map, 0, 8);
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 8));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.pages_written + 8, after.pages_written);
	EXPECT_EQ(before.evictions_dirty + 8, after.evictions_dirty);
}

TEST_F(advise, evict_leaves_pages_outside_the_range_alone)
{
	make_dirty(self->map, 0, 8);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 2, 3));
	EXPECT_EQ(2, COUNT(0, 2, RESIDENT));
	EXPECT_EQ(0, COUNT(2, 3, RESIDENT));
	EXPECT_EQ(3, COUNT(5, 3, RESIDENT));
}

TEST_F(advise, evict_with_a_pinned_page_is_ebusy_and_the_others_went)
{
	make_dirty(self->map, 0, 8);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 3, 1));
	EXPECT_ERRNO(EBUSY, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 8));
	EXPECT_EQ(1, COUNT(0, 8, RESIDENT));
	EXPECT_EQ(1, COUNT(3, 1, RESIDENT));
}

TEST_F(advise, evict_of_pages_without_content_does_nothing)
{
	ASSERT_EQ(0, vmd_resize(self->fd, 2 * PAGES));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, PAGES, PAGES));
	EXPECT_EQ(PAGES, COUNT(PAGES, PAGES, ABSENT));
}

TEST_F(advise, a_length_of_zero_means_up_to_the_end)
{
	make_dirty(self->map, PAGES - 8, 8);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, PAGES - 4, 0));
	EXPECT_EQ(4, COUNT(PAGES - 8, 4, RESIDENT));
	EXPECT_EQ(0, COUNT(PAGES - 4, 4, RESIDENT));
}

TEST_F(advise, willneed_reads_the_pages_in_now)
{
	struct vmd_stats before, after;

	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_WILLNEED, 4, 8));
	EXPECT_EQ(8, COUNT(4, 8, RESIDENT));
	EXPECT_EQ(0, FLAGGED(4, 8, DIRTY));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.pages_read + 8, after.pages_read);
	EXPECT_EQ(before.misses, after.misses);
}

TEST_F(advise, willneed_goes_as_far_as_the_budget)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_WILLNEED, 0, PAGES));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_GE(FRAMES, s.resident);
	EXPECT_LE(FRAMES / 2, s.resident);
}

TEST_F(advise, dontneed_drops_clean_pages_and_only_unmaps_dirty_ones)
{
	ASSERT_EQ(0, vmd_bad_pages(self->map, 4, 1));
	make_dirty(self->map, 4, 4);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_DONTNEED, 0, 8));
	EXPECT_EQ(0, COUNT(0, 4, RESIDENT));
	EXPECT_EQ(4, COUNT(4, 4, RESIDENT));
	EXPECT_EQ(4, FLAGGED(4, 4, DIRTY));
	EXPECT_EQ(0, FLAGGED(4, 4, MAPPED));
}

TEST_F(advise, unmap_leaves_pages_in_their_frames)
{
	struct vmd_stats before, after;

	make_dirty(self->map, 0, 8);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNMAP, 0, 8));
	EXPECT_EQ(8, COUNT(0, 8, RESIDENT));
	EXPECT_EQ(0, FLAGGED(0, 8, MAPPED));
	EXPECT_EQ(8, FLAGGED(0, 8, DIRTY));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	ASSERT_EQ(0, vmd_read_signal(self->map));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.faults_soft + 1, after.faults_soft);
	EXPECT_EQ(before.misses, after.misses);
	EXPECT_EQ(1, FLAGGED(0, 1, MAPPED));
}

static long miss_count(int fd, int first, int n)
{
	struct vmd_page page[PAGES];
	long sum = 0;
	int i;

	if (vmd_pages(fd, first, n, page) != n)
		return -1;
	for (i = 0; i < n; i++)
		sum += page[i].faults;
	return sum;
}

TEST_F(advise, pinned_pages_survive_eviction_storms)
{
	long before;
	int round;

	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 10, 6));
	EXPECT_EQ(6, COUNT(10, 6, RESIDENT));
	EXPECT_EQ(6, FLAGGED(10, 6, PINNED));
	before = miss_count(self->fd, 10, 6);
	for (round = 0; round < 5; round++) {
		vmd_touch_all(self->map, PAGES);
		EXPECT_EQ(6, COUNT(10, 6, RESIDENT));
	}
	EXPECT_EQ(before, miss_count(self->fd, 10, 6));
}

TEST_F(advise, pin_leaves_a_quarter_of_the_budget_to_the_others)
{
	EXPECT_ERRNO(ENOSPC, vmd_advise(self->fd, VMD_ADVICE_PIN, 0,
					MAY_PIN + 1));
	EXPECT_EQ(0, FLAGGED(0, PAGES, PINNED));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, MAY_PIN));
	EXPECT_EQ(MAY_PIN, FLAGGED(0, PAGES, PINNED));
	EXPECT_ERRNO(ENOSPC, vmd_advise(self->fd, VMD_ADVICE_PIN, 40, 1));
	EXPECT_EQ(MAY_PIN, FLAGGED(0, PAGES, PINNED));
}

TEST_F(advise, a_page_pinned_twice_counts_once)
{
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, MAY_PIN));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, MAY_PIN));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNPIN, 0, MAY_PIN));
	EXPECT_EQ(0, FLAGGED(0, PAGES, PINNED));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, MAY_PIN));
}

TEST_F(advise, unpin_passes_over_pages_that_are_not_pinned)
{
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 5, 3));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNPIN, 0, PAGES));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNPIN, 0, PAGES));
	EXPECT_EQ(0, FLAGGED(0, PAGES, PINNED));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 20, MAY_PIN));
}

TEST_F(advise, unpinned_pages_are_evicted_again)
{
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, 4));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNPIN, 0, 4));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	EXPECT_EQ(0, COUNT(0, PAGES, RESIDENT));
}

TEST_F(advise, pinned_pages_stay_through_dontneed_sync_and_policy_switch)
{
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, 4));
	vmd_advise(self->fd, VMD_ADVICE_DONTNEED, 0, PAGES);
	ASSERT_EQ(0, vmd_sync(self->fd, 0, PAGES));
	ASSERT_EQ(0, vmd_policy(self->fd, "fifo"));
	vmd_touch_all(self->map, PAGES);
	EXPECT_EQ(4, COUNT(0, 4, RESIDENT));
	EXPECT_EQ(4, FLAGGED(0, 4, PINNED));
}

TEST_F(advise, pages_cut_off_are_no_longer_pinned)
{
	ASSERT_EQ(0, vmd_resize(self->fd, 2 * PAGES));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, PAGES, MAY_PIN));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, MAY_PIN));
}

/* Each way to sync, on the first four of eight dirty pages */
static int sync_by(int fd, char *map, int way)
{
	switch (way) {
	case 0:
		return vmd_sync(fd, 0, 4);
	case 1:
		return msync(map, 4 * vmd_ps, MS_SYNC);
	case 2:
		return fsync(fd);
	default:
		return fdatasync(fd);
	}
}

TEST_F(advise, sync_msync_fsync_and_fdatasync_write_and_leave_pages_resident)
{
	struct vmd_stats before, after;
	int way;

	for (way = 0; way < 4; way++) {
		make_dirty(self->map, 0, 8);
		ASSERT_EQ(0, vmd_stats(self->fd, &before));
		ASSERT_EQ(0, sync_by(self->fd, self->map, way));
		ASSERT_EQ(0, vmd_stats(self->fd, &after));
		EXPECT_LE(before.pages_written + (way < 2 ? 4 : 8),
			  after.pages_written);
		EXPECT_EQ(0, FLAGGED(0, way < 2 ? 4 : 8, DIRTY));
		EXPECT_EQ(4, FLAGGED(0, 4, SLOT));
		EXPECT_EQ(8, COUNT(0, 8, RESIDENT));
		EXPECT_EQ(before.evictions, after.evictions);
	}
}

TEST_F(advise, sync_of_a_range_leaves_the_rest_dirty)
{
	make_dirty(self->map, 0, 8);
	ASSERT_EQ(0, vmd_sync(self->fd, 2, 3));
	EXPECT_EQ(0, FLAGGED(2, 3, DIRTY));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNMAP, 0, 8));
	EXPECT_EQ(5, FLAGGED(0, 8, DIRTY));
}

TEST_F(advise, a_second_sync_writes_nothing)
{
	struct vmd_stats before, after;

	make_dirty(self->map, 0, 8);
	ASSERT_EQ(0, vmd_sync(self->fd, 0, 0));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	EXPECT_EQ(0, before.dirty);
	ASSERT_EQ(0, vmd_sync(self->fd, 0, 0));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.pages_written, after.pages_written);
}

/* A write after a sync must be seen, or eviction would drop it as clean. */
TEST_F(advise, a_write_after_a_sync_makes_the_page_dirty_again)
{
	int way;

	for (way = 0; way < 4; way++) {
		vmd_fill(self->map, 1000 + way);
		ASSERT_EQ(0, sync_by(self->fd, self->map, way));
		vmd_fill(self->map, 2000 + way);
		ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 1));
		EXPECT_TRUE(vmd_check(self->map, 2000 + way));
	}
	vmd_fill(self->map, 1);
}

TEST_F(advise, pages_never_written_are_dropped_without_io_and_stay_zero)
{
	struct vmd_stats before, after;
	int i;

	ASSERT_EQ(0, vmd_resize(self->fd, 2 * PAGES));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	char *map = vmd_map(self->fd, 2 * PAGES);

	for (i = 0; i < 8; i++)
		EXPECT_TRUE(vmd_is_zero(map + (PAGES + i) * vmd_ps));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, PAGES, 8));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.pages_written, after.pages_written);
	for (i = 0; i < 8; i++)
		EXPECT_TRUE(vmd_is_zero(map + (PAGES + i) * vmd_ps));
}

TEST_HARNESS_MAIN
