// SPDX-License-Identifier: GPL-2.0-only
/* VMD_IOC_QUEUES: the policy's queues, as far as was asked for. */
#define _GNU_SOURCE
#include <sys/ioctl.h>

#include "../uapi/vmdemo_queues.h"
#include "vmd_harness.h"

#define PAGES	32
#define FRAMES	8

FIXTURE(queues) {
	int fd;
	char *map;
	struct vmd_queues q;
	struct vmd_queued queued[VMD_QUEUED_MAX];
};

FIXTURE_SETUP(queues)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "fifo", "trap", FRAMES));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	ASSERT_EQ(0, madvise(self->map, PAGES * vmd_ps, MADV_RANDOM));
}

FIXTURE_TEARDOWN(queues)
{
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
}

/* Reads the pages in turn, which are all zero. */
static int touch(const char *map, const int *pages, int nr)
{
	int i, sum = 0;

	for (i = 0; i < nr; i++)
		sum += vmd_load(map + pages[i] * vmd_ps);
	return sum;
}

static int look(int fd, struct vmd_queues *q, struct vmd_queued *queued,
		__u32 count, __u32 each)
{
	*q = (struct vmd_queues){
		.queued = (__u64)(unsigned long)queued,
		.count = count,
		.each = each,
	};
	return ioctl(fd, VMD_IOC_QUEUES, q) ? errno : 0;
}

/* Whether the queue has these pages, and no others. */
static bool has(const struct vmd_queues *q, const struct vmd_queued *queued,
		__u32 queue, const char *name, const int *pages, __u32 nr)
{
	__u32 i;

	if (queue >= q->nr || strcmp(q->queues[queue].name, name) ||
	    q->queues[queue].shown != nr)
		return false;
	queued += q->queues[queue].first;
	for (i = 0; i < nr && queued[i].page == (__u64)pages[i]; i++)
		;
	return i == nr;
}

static const int string[] = { 1, 2, 3, 1, 4, 5, 2, 6, 7, 8 };

TEST_F(queues, in_the_order_in_which_they_go)
{
	static const int fifo[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static const int lru[] = { 3, 1, 4, 5, 2, 6, 7, 8 };

	ASSERT_EQ(0, touch(self->map, string, 10));
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 100, 50));
	EXPECT_EQ(1, self->q.nr);
	EXPECT_EQ(8, self->q.count);
	EXPECT_STREQ("fifo", self->q.policy);
	EXPECT_TRUE(has(&self->q, self->queued, 0, "queue", fifo, 8));

	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	ASSERT_EQ(0, touch(self->map, string, 10));
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 100, 50));
	EXPECT_STREQ("lru", self->q.policy);
	EXPECT_TRUE(has(&self->q, self->queued, 0, "recency", lru, 8));
}

TEST_F(queues, hand_bits_and_ghosts)
{
	static const int more[] = { 9, 10 };
	__u32 i, hands = 0, marked = 0;

	ASSERT_EQ(0, vmd_set(self->fd, "clock", "trap", FRAMES));
	ASSERT_EQ(0, touch(self->map, string, 10));
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 100, 50));
	ASSERT_EQ(8, self->q.count);
	EXPECT_EQ(VMD_QUEUED_HAND | VMD_QUEUED_REFERENCED,
		  self->queued[0].flags);
	for (i = 0; i < self->q.count; i++) {
		hands += !!(self->queued[i].flags & VMD_QUEUED_HAND);
		marked += !!(self->queued[i].flags & VMD_QUEUED_REFERENCED);
	}
	EXPECT_EQ(1, hands);
	/* Pages 1 and 2 were used twice. */
	EXPECT_EQ(2, marked);

	ASSERT_EQ(0, vmd_set(self->fd, "2q", "trap", FRAMES));
	ASSERT_EQ(0, touch(self->map, more, 2));
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 100, 50));
	ASSERT_EQ(3, self->q.nr);
	EXPECT_STREQ("A1out", self->q.queues[2].name);
	EXPECT_EQ(2, self->q.queues[2].pages);
	EXPECT_EQ(FRAMES / 2, self->q.queues[2].share);
	EXPECT_EQ(2, self->q.queues[2].shown);
	for (i = 0; i < self->q.queues[2].shown; i++)
		EXPECT_EQ(VMD_QUEUED_GHOST,
			  self->queued[self->q.queues[2].first + i].flags);
}

TEST_F(queues, no_more_than_asked_for)
{
	static const int first[] = { 1, 2, 3 };

	ASSERT_EQ(0, touch(self->map, string, 10));
	self->queued[3].page = 77;
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 100, 3));
	EXPECT_EQ(3, self->q.count);
	EXPECT_TRUE(has(&self->q, self->queued, 0, "queue", first, 3));
	EXPECT_EQ(77, self->queued[3].page);
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 2, 50));
	EXPECT_TRUE(has(&self->q, self->queued, 0, "queue", first, 2));
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 0, 1));
	EXPECT_EQ(0, self->q.count);
	EXPECT_EQ(1, self->q.nr);
}

/* Every policy tells of each page that is resident. */
TEST_F(queues, all_policies)
{
	static const char *const policies[] = {
		"lru", "clock", "clock-a", "second-chance", "clock-e", "nru",
		"aging", "wsclock", "lfu", "mru", "random", "sieve", "s3fifo",
		"2q", "arc", "slru", "car", "lru-k", "lirs", "clock-pro",
		"lfuda", "w-tinylfu", "mglru", "linux", "fifo",
	};
	size_t policy;
	__u32 i, j, seen;

	for (policy = 0; policy < sizeof(policies) / sizeof(*policies); policy++) {
		ASSERT_EQ(0, vmd_set(self->fd, policies[policy], "trap", FRAMES));
		ASSERT_EQ(0, touch(self->map, string, 10));
		ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 200, 50));
		EXPECT_LT(0, self->q.nr);
		for (i = 1, seen = 0; i <= 8; i++)
			for (j = 0; j < self->q.count; j++)
				if (self->queued[j].page == i &&
				    !(self->queued[j].flags & VMD_QUEUED_GHOST)) {
					seen++;
					break;
				}
		EXPECT_EQ(8, seen) TH_LOG("%s: %u of 8", policies[policy], seen);
	}
}

TEST_F(queues, sets_are_queues)
{
	struct vmd_config c = { .mask = VMD_CONFIG_PLACEMENT, .ways = 2 };
	static const int third[] = { 2, 6 };

	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_EQ(0, touch(self->map, string, 10));
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 100, 50));
	ASSERT_EQ(FRAMES / 2, self->q.nr);
	EXPECT_EQ(2, self->q.queues[2].share);
	EXPECT_TRUE(has(&self->q, self->queued, 2, "set 2", third, 2));
	/* Of many sets, the first ones. */
	c.ways = 1;
	ASSERT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", 32));
	ASSERT_EQ(0, look(self->fd, &self->q, self->queued, 100, 50));
	EXPECT_EQ(VMD_QUEUES_MAX, self->q.nr);
}

TEST_F(queues, refusals)
{
	ASSERT_EQ(0, touch(self->map, string, 10));
	EXPECT_EQ(EINVAL, look(self->fd, &self->q, self->queued, 100, 0));
	EXPECT_EQ(EINVAL, look(self->fd, &self->q, self->queued,
			       VMD_QUEUED_MAX + 1, 50));
	EXPECT_EQ(EFAULT, look(self->fd, &self->q, (void *)8, 100, 50));
	self->q = (struct vmd_queues){ .each = 1, .flags = 1 };
	EXPECT_EQ(-1, ioctl(self->fd, VMD_IOC_QUEUES, &self->q));
	EXPECT_EQ(EINVAL, errno);
	/* The buffer may be in the space itself. */
	EXPECT_EQ(0, look(self->fd, &self->q, (void *)(self->map + 20 * vmd_ps),
			  100, 50));
}

TEST_HARNESS_MAIN
