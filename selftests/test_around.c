// SPDX-License-Identifier: GPL-2.0-only
/*
 * What observer "accessed" costs the program that is observed: pages in use stay
 * mapped while they are asked about, and a soft fault maps many pages at once,
 * none of which looks touched for that.
 */
#include "vmd_harness.h"

#define PAGES	256
#define HOT	8
#define SCAN	1024

FIXTURE(around) {
	int fd;
	char *map;
};

FIXTURE_SETUP(around)
{
	ASSERT_OPEN(self->fd);
	ASSERT_MAP(self->map, self->fd, SCAN);
}

FIXTURE_TEARDOWN(around)
{
	close(self->fd);
}

static void touch(const char *map, unsigned long page)
{
	vmd_load(map + page * vmd_ps);
}

/* To unmap them would make a soft fault of each, once for every 56 pages read. */
TEST_F(around, hot_pages_stay_mapped_while_others_come_and_go)
{
	unsigned long i, hot;
	struct vmd_stats s;

	/* No reading ahead, and nothing mapped around. */
	ASSERT_EQ(0, madvise(self->map, SCAN * vmd_ps, MADV_RANDOM));
	ASSERT_EQ(0, vmd_set(self->fd, "clock", "accessed", HOT + 56));
	for (hot = 0; hot < HOT; hot++)
		touch(self->map, hot);
	ASSERT_EQ(0, vmd_reset(self->fd));
	for (i = HOT; i < SCAN; i++) {
		touch(self->map, i);
		for (hot = 0; hot < HOT; hot++)
			touch(self->map, hot);
	}
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_LE(SCAN - HOT, s.misses);
	EXPECT_GE(SCAN - HOT + HOT, s.misses);
	EXPECT_GE(2 * HOT, s.faults_soft);
	/* They were asked about all the same. */
	EXPECT_LE(HOT, s.hits);
}

/* Resident, in no page table. */
static int bring_in_unmapped(int fd, char *map)
{
	vmd_touch_all(map, PAGES);
	return vmd_advise(fd, VMD_ADVICE_UNMAP, 0, 0) || vmd_reset(fd);
}

TEST_F(around, where_all_is_resident_one_fault_maps_many)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_set(self->fd, "clock", "accessed", PAGES));
	ASSERT_EQ(0, bring_in_unmapped(self->fd, self->map));
	vmd_touch_all(self->map, PAGES);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.misses);
	/* A window may begin before the mapping, or end behind the last page. */
	EXPECT_GE(PAGES / 64 + 4, s.faults_soft);
}

TEST_F(around, what_is_mapped_around_does_not_look_touched)
{
	unsigned long i;

	ASSERT_EQ(0, vmd_set(self->fd, "clock", "accessed", PAGES));
	ASSERT_EQ(0, bring_in_unmapped(self->fd, self->map));
	for (i = 32; i < PAGES; i += 64)
		touch(self->map, i);
	EXPECT_LE(PAGES / 2, vmd_count_flag(self->fd, 0, PAGES,
					    VMD_PAGE_MAPPED));
	EXPECT_EQ(PAGES / 64, vmd_count_flag(self->fd, 0, PAGES,
					     VMD_PAGE_ACCESSED));
}

/* Where a neighbour is missing, mapped already or not, content is what counts. */
TEST_F(around, windows_with_gaps_map_the_right_pages)
{
	unsigned long i;

	ASSERT_EQ(0, vmd_set(self->fd, "clock", "accessed", PAGES));
	vmd_fill_all(self->map, PAGES, 1);
	for (i = 0; i < PAGES; i += 7)
		ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, i, 1));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNMAP, 0, 0));
	for (i = 0; i < PAGES; i += 5)
		touch(self->map, i);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_HARNESS_MAIN
