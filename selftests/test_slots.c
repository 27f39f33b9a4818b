// SPDX-License-Identifier: GPL-2.0-only
/* Which slots of the swap store pages get, and VMD_IOC_SLOTS. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmd_harness.h"

#define PAGES		64
#define FRAMES		32
#define LAID_OUT	16	/* pages evicted one by one to begin with */
#define MAP_SLOTS	65536

FIXTURE(slots) {
	int fd;
	char *map;
	__u64 slot[LAID_OUT];
};

FIXTURE_VARIANT(slots) {
	const char *name;
	int place;		/* index in slot[] that the next page gets */
	int more;		/* and so many behind it */
};

/* There are holes at 2 to 4 and at 8; the last slot given out was the 15th. */
FIXTURE_VARIANT_ADD(slots, clustered) {
	.name = "clustered", .place = 15, .more = 1
};

FIXTURE_VARIANT_ADD(slots, first) { .name = "first", .place = 2 };
FIXTURE_VARIANT_ADD(slots, next) { .name = "next", .place = 15, .more = 1 };
FIXTURE_VARIANT_ADD(slots, best) { .name = "best", .place = 8 };

static int choose(const char *name)
{
	return vmd_write_file(VMD_PARAMS "slots", name);
}

static __u64 slot_of(int fd, int page)
{
	struct vmd_page p;

	if (vmd_pages(fd, page, 1, &p) < 0 || !(p.flags & VMD_PAGE_SLOT))
		return ~0ULL;
	return p.slot;
}

/* Give a page content, and make it go, alone. */
static int write_out(int fd, char *map, int page)
{
	vmd_fill(map + page * vmd_ps, 1);
	return vmd_advise(fd, VMD_ADVICE_EVICT, page, 1);
}

static int punch(int fd, int page, int n)
{
	struct vmd_punch arg = {
		.offset = page * vmd_ps, .length = n * vmd_ps,
	};

	return ioctl(fd, VMD_IOC_PUNCH, &arg);
}

/* The slots of the test before may come back a moment after its end. */
static __u64 slots_in_use(int fd)
{
	struct vmd_slots s = { 0 };

	return ioctl(fd, VMD_IOC_SLOTS, &s) ? ~0ULL : s.used;
}

/* The lowest free slots, one after the other. */
FIXTURE_SETUP(slots)
{
	__u64 end = vmd_now_ms() + 30000;
	int i;

	ASSERT_EQ(0, choose("first"));
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "fault", FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	while (slots_in_use(self->fd) && vmd_now_ms() < end)
		vmd_sleep_ms(10);
	ASSERT_EQ(0, slots_in_use(self->fd));
	for (i = 0; i < LAID_OUT; i++) {
		ASSERT_EQ(0, write_out(self->fd, self->map, i));
		self->slot[i] = slot_of(self->fd, i);
		ASSERT_NE(~0ULL, self->slot[i]);
	}
	ASSERT_EQ(0, choose(variant->name));
}

FIXTURE_TEARDOWN(slots)
{
	EXPECT_EQ(0, choose("clustered"));
	close(self->fd);
}

TEST_F(slots, the_hole_is_chosen_as_the_name_says)
{
	int i;

	/* Nobody else has slots here. */
	for (i = 1; i < LAID_OUT; i++)
		ASSERT_EQ(self->slot[0] + i, self->slot[i]);
	ASSERT_EQ(0, punch(self->fd, 2, 3));
	ASSERT_EQ(0, punch(self->fd, 8, 1));
	ASSERT_EQ(0, write_out(self->fd, self->map, 20));
	EXPECT_EQ(self->slot[variant->place] + variant->more,
		  slot_of(self->fd, 20));
}

TEST_F(slots, content_survives_holes_and_no_slot_is_given_twice)
{
	static struct vmd_page pages[PAGES];
	int i, j, round, twice = 0;

	for (round = 1; round < 6; round++) {
		vmd_fill_all(self->map, PAGES, round);
		ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, round));
		for (i = round; i < PAGES; i += 2 + round % 3)
			ASSERT_EQ(0, punch(self->fd, i, 1));
		ASSERT_EQ(PAGES, vmd_pages(self->fd, 0, PAGES, pages));
		for (i = 0; i < PAGES; i++)
			for (j = 0; j < i; j++)
				twice += pages[i].flags & pages[j].flags &
					 VMD_PAGE_SLOT &&
					 pages[i].slot == pages[j].slot;
	}
	EXPECT_EQ(0, twice);
}

static int bits_set(const __u8 *map, __u64 n)
{
	int set = 0;
	__u64 i;

	for (i = 0; i < n; i++)
		set += map[i / 8] >> i % 8 & 1;
	return set;
}

TEST_F(slots, the_report_agrees_with_itself_and_with_the_pages)
{
	static __u8 map[MAP_SLOTS / 8];
	struct vmd_slot_write writes[VMD_SLOT_WRITES];
	struct vmd_slots s = {
		.count = MAP_SLOTS, .map = (uintptr_t)map,
		.writes = (uintptr_t)writes, .nr_writes = VMD_SLOT_WRITES,
	};
	__u64 runs = 0;
	int i;

	ASSERT_EQ(0, punch(self->fd, 2, 3));
	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_SLOTS, &s));
	EXPECT_STREQ(variant->name, s.allocator);
	EXPECT_EQ(LAID_OUT - 3, s.used);
	EXPECT_LE(s.count, s.slots);
	EXPECT_EQ(LAID_OUT - 3, bits_set(map, s.count));
	for (i = 0; i < LAID_OUT; i++)
		EXPECT_EQ(i < 2 || i > 4, map[self->slot[i] / 8] >>
			  self->slot[i] % 8 & 1);
	for (i = 0; i < VMD_SLOT_BUCKETS; i++)
		runs += s.runs[i];
	EXPECT_EQ(2, runs);
	EXPECT_EQ(runs, s.free_runs);
	EXPECT_EQ(1, s.runs[1]);
	EXPECT_EQ(s.slots - LAID_OUT, s.longest_free);
	ASSERT_LE(1, s.nr_writes);
	EXPECT_EQ(self->slot[15], writes[s.nr_writes - 1].slot);
	EXPECT_EQ(1, writes[s.nr_writes - 1].pages);
}

/* 0 if the totals are told and the rest is not */
static int look(void *arg)
{
	int fd = *(int *)arg;
	struct vmd_slots s = { .count = 8 };

	if (vmd_error(ioctl(fd, VMD_IOC_SLOTS, &s)) != EPERM)
		return 1;
	s = (struct vmd_slots){ .nr_writes = 1 };
	if (vmd_error(ioctl(fd, VMD_IOC_SLOTS, &s)) != EPERM)
		return 2;
	s = (struct vmd_slots){ 0 };
	if (ioctl(fd, VMD_IOC_SLOTS, &s))
		return 3;
	return s.used != LAID_OUT;
}

TEST_F(slots, bad_requests_are_refused)
{
	struct vmd_slots s = { .flags = 1 };

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SLOTS, &s));
	s = (struct vmd_slots){ .first = 1 };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SLOTS, &s));
	s = (struct vmd_slots){ .count = 4 };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SLOTS, &s));
	s = (struct vmd_slots){ .first = 1ULL << 40 };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SLOTS, &s));
	s = (struct vmd_slots){ .count = 64, .map = 8 };
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_SLOTS, &s));
	s = (struct vmd_slots){ .nr_writes = 8, .writes = 8 };
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_SLOTS, &s));
	EXPECT_NE(0, choose("worst"));
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, look, &self->fd));
}

TEST_HARNESS_MAIN
