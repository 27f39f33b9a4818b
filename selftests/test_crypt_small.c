// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encryption on a small backing that takes the first of its pages only:
 * run_tests.sh gives the module one. Slots are soon used again, and writes fail.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmd_harness.h"

#define PAGES		256
#define ROUNDS		4096

static bool read_slot(int medium, __u64 slot, void *to)
{
	return pread(medium, to, vmd_ps, slot * vmd_ps) == (ssize_t)vmd_ps;
}

/* A new space, and its two pages evicted; false if that failed. */
static bool evict_two(int *fd, __u64 *slot)
{
	struct vmd_page page[2];
	bool good = false;
	char *map;

	*fd = vmd_open();
	if (*fd < 0 || vmd_set_flags(*fd, VMD_SPACE_ENCRYPT))
		return false;
	map = vmd_map(*fd, 2);
	if (map == MAP_FAILED)
		return false;
	memset(map, 0x55, 2 * vmd_ps);
	if (!vmd_advise(*fd, VMD_ADVICE_EVICT, 0, 2) &&
	    vmd_pages(*fd, 0, 2, page) == 2) {
		good = page[0].flags & page[1].flags & VMD_PAGE_SLOT;
		slot[0] = page[0].slot;
		slot[1] = page[1].slot;
	}
	munmap(map, 2 * vmd_ps);
	return good;
}

TEST(equal_pages_differ_on_the_medium)
{
	int medium = vmd_open_backing(), fd, round, again = 0;
	int wanted = vmd_brief(2);
	__u64 first[2], slot[2];
	char one[4096], two[4096];

	ASSERT_LE(0, medium);
	ASSERT_TRUE(evict_two(&fd, first));
	close(fd);
	ASSERT_TRUE(read_slot(medium, first[0], one));
	ASSERT_TRUE(read_slot(medium, first[1], two));
	/* Neighbours, by the same key: the place is the tweak. */
	EXPECT_NE(0, memcmp(one, two, vmd_ps));
	/* Not even two blocks of one are equal, nor what they were. */
	EXPECT_NE(0, memcmp(one, one + 16, 16));
	memset(two, 0x55, vmd_ps);
	EXPECT_NE(0, memcmp(one, two, vmd_ps));
	/* Other spaces in the same slot: the key is their own. */
	for (round = 0; round < ROUNDS && again < wanted; round++) {
		if (evict_two(&fd, slot) && slot[0] == first[0]) {
			again++;
			EXPECT_TRUE(read_slot(medium, first[0], two));
			EXPECT_NE(0, memcmp(one, two, vmd_ps));
		}
		close(fd);
	}
	EXPECT_EQ(wanted, again);
	TH_LOG("%d spaces until the slot came %d times", round, again);
	close(medium);
}

TEST(a_write_that_fails_leaves_the_page_plain_and_resident)
{
	struct vmd_stats stats;
	int fd, error, round;
	char *map;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_set(fd, "lru", NULL, 4 * PAGES));
	ASSERT_EQ(0, vmd_set_flags(fd, VMD_SPACE_ENCRYPT));
	ASSERT_MAP(map, fd, 4 * PAGES);
	/* The second time, some have a place where nothing could be put. */
	for (round = 0; round < 2; round++) {
		vmd_fill_all(map, 4 * PAGES, round);
		error = vmd_error(vmd_advise(fd, VMD_ADVICE_EVICT, 0,
					     4 * PAGES));
		EXPECT_TRUE(error == ENOSPC || error == EIO);
		ASSERT_EQ(0, vmd_stats(fd, &stats));
		EXPECT_LT(0, stats.io_errors);
		EXPECT_LT(0, stats.evictions);
		EXPECT_LT(0, stats.resident);
		EXPECT_EQ(0, vmd_bad_pages(map, 4 * PAGES, round));
	}
	TH_LOG("error %d, %llu evicted, %llu errors", error, stats.evictions,
	       stats.io_errors);
	munmap(map, 4 * PAGES * vmd_ps);
	close(fd);
}

TEST_HARNESS_MAIN
