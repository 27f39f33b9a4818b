// SPDX-License-Identifier: GPL-2.0-only
/*
 * One instruction, many pages: copies whose source and destination both
 * straddle a page boundary, with fewer frames than that needs. They must end,
 * the bytes must be right, and what was borrowed is given back.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "vmd_harness.h"

#define MAX_BUDGET	4
#define THREADS		4
#define AREA		6	/* pages of a thread: 2 to copy from, 2 to, 2 more */
#define LEN		160	/* bytes of the long copies */

FIXTURE(straddle) {
	int fd;
	char *map;
	__u64 reserve;
};

FIXTURE_VARIANT(straddle) {
	const char *policy;
	const char *observer;
};

FIXTURE_VARIANT_ADD(straddle, fifo_fault) {
	.policy = "fifo", .observer = "fault"
};

FIXTURE_VARIANT_ADD(straddle, fifo_accessed) {
	.policy = "fifo", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(straddle, fifo_trap) {
	.policy = "fifo", .observer = "trap"
};

FIXTURE_VARIANT_ADD(straddle, lru_fault) {
	.policy = "lru", .observer = "fault"
};

FIXTURE_VARIANT_ADD(straddle, lru_accessed) {
	.policy = "lru", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(straddle, lru_trap) {
	.policy = "lru", .observer = "trap"
};

FIXTURE_VARIANT_ADD(straddle, clock_fault) {
	.policy = "clock", .observer = "fault"
};

FIXTURE_VARIANT_ADD(straddle, clock_accessed) {
	.policy = "clock", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(straddle, clock_trap) {
	.policy = "clock", .observer = "trap"
};

FIXTURE_VARIANT_ADD(straddle, clock_a_fault) {
	.policy = "clock-a", .observer = "fault"
};

FIXTURE_VARIANT_ADD(straddle, clock_a_accessed) {
	.policy = "clock-a", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(straddle, clock_a_trap) {
	.policy = "clock-a", .observer = "trap"
};

FIXTURE_VARIANT_ADD(straddle, lfu_fault) {
	.policy = "lfu", .observer = "fault"
};

FIXTURE_VARIANT_ADD(straddle, lfu_accessed) {
	.policy = "lfu", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(straddle, lfu_trap) {
	.policy = "lfu", .observer = "trap"
};

FIXTURE_VARIANT_ADD(straddle, mru_fault) {
	.policy = "mru", .observer = "fault"
};

FIXTURE_VARIANT_ADD(straddle, mru_accessed) {
	.policy = "mru", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(straddle, mru_trap) {
	.policy = "mru", .observer = "trap"
};

FIXTURE_VARIANT_ADD(straddle, random_fault) {
	.policy = "random", .observer = "fault"
};

FIXTURE_VARIANT_ADD(straddle, random_accessed) {
	.policy = "random", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(straddle, random_trap) {
	.policy = "random", .observer = "trap"
};

FIXTURE_SETUP(straddle)
{
	struct vmd_info info;

	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_info(self->fd, &info));
	self->reserve = info.reserve_frames;
	ASSERT_EQ(0, vmd_set(self->fd, variant->policy, variant->observer,
			     MAX_BUDGET));
	ASSERT_MAP(self->map, self->fd, THREADS * AREA);
}

FIXTURE_TEARDOWN(straddle)
{
	close(self->fd);
}

typedef void (*copy_fn)(char *to, const char *from, size_t len);

#ifdef __x86_64__
static void copy_rep_movsb(char *to, const char *from, size_t len)
{
	asm volatile("rep movsb"
		     : "+D" (to), "+S" (from), "+c" (len) : : "memory");
}

/* A single instruction that reads across one boundary and writes across one */
static void copy_movsq(char *to, const char *from, size_t len)
{
	(void)len;
	asm volatile("movsq" : "+D" (to), "+S" (from) : : "memory");
}

static void copy_mov_8(char *to, const char *from, size_t len)
{
	__u64 word;

	(void)len;
	asm volatile("movq (%1), %0" : "=r" (word) : "r" (from) : "memory");
	asm volatile("movq %0, (%1)" : : "r" (word), "r" (to) : "memory");
}
#else
#define copy_rep_movsb	copy_memcpy
#define copy_movsq	copy_memcpy
#define copy_mov_8	copy_memcpy
#endif

static void copy_memcpy(char *to, const char *from, size_t len)
{
	memcpy(to, from, len);
}

/* Copy around the boundary of pages 0|1 to the one of pages 2|3. */
static bool copy_once(char *area, copy_fn copy, size_t len, unsigned int seed)
{
	char *from = area + vmd_ps - len / 2;
	char *to = area + 3 * vmd_ps - len / 2 + 1;
	bool good = true;
	size_t i;

	for (i = 0; i < len; i++)
		from[i] = seed + i * 7;
	to[-1] = 'a';
	to[len] = 'z';
	memset(to, 0, len);
	copy(to, from, len);
	for (i = 0; i < len; i++)
		good &= to[i] == (char)(seed + i * 7);
	return good && to[-1] == 'a' && to[len] == 'z';
}

/* Borrowed frames go back when the thread has moved on. */
static __u64 settled_resident(int fd, char *map, __u64 budget)
{
	__u64 end = vmd_now_ms() + 3000;
	struct vmd_stats s;

	do {
		vmd_load(map + 5 * vmd_ps);
		vmd_load(map + 4 * vmd_ps);
		if (vmd_stats(fd, &s))
			return UINT64_MAX;
	} while (s.resident > budget && vmd_now_ms() < end);
	return s.resident;
}

static void try_budgets(struct __test_metadata *_metadata,
			struct _test_data_straddle *self, copy_fn copy, size_t len)
{
	struct vmd_stats s;
	int budget, i;

	for (budget = 1; budget <= MAX_BUDGET; budget++) {
		ASSERT_EQ(0, vmd_budget(self->fd, budget));
		for (i = 0; i < 2; i++)
			EXPECT_TRUE(copy_once(self->map, copy, len, 17 * i + 1));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_GE(budget + self->reserve, s.resident);
		EXPECT_GE(budget,
			  settled_resident(self->fd, self->map, budget));
	}
}

TEST_F(straddle, rep_movsb_across_boundaries_ends_and_is_right)
{
	try_budgets(_metadata, self, copy_rep_movsb, LEN);
}

TEST_F(straddle, movsq_across_boundaries_ends_and_is_right)
{
	try_budgets(_metadata, self, copy_movsq, 8);
}

TEST_F(straddle, unaligned_mov_across_boundaries_ends_and_is_right)
{
	try_budgets(_metadata, self, copy_mov_8, 8);
}

TEST_F(straddle, memcpy_across_boundaries_ends_and_is_right)
{
	try_budgets(_metadata, self, copy_memcpy, LEN);
}

struct copier {
	pthread_t thread;
	char *area;
	unsigned int number;
	unsigned long errors;
};

static void *copy_often(void *arg)
{
	struct copier *c = arg;
	unsigned long i;

	for (i = 0; i < vmd_scaled(2); i++) {
		c->errors += !copy_once(c->area, copy_movsq, 8, i + c->number);
		c->errors += !copy_once(c->area, copy_rep_movsb, LEN, i);
		c->errors += !copy_once(c->area, copy_memcpy, LEN, ~i);
	}
	return NULL;
}

/* Threads that all need more than there is must not starve one another. */
TEST_F(straddle, several_threads_end_and_are_right_at_every_budget)
{
	struct copier c[THREADS];
	int budget, i;

	for (budget = 1; budget <= MAX_BUDGET; budget++) {
		ASSERT_EQ(0, vmd_budget(self->fd, budget));
		for (i = 0; i < THREADS; i++) {
			c[i] = (struct copier){ .number = 31 * i };
			c[i].area = self->map + i * AREA * vmd_ps;
			ASSERT_EQ(0, pthread_create(&c[i].thread, NULL,
						    copy_often, &c[i]));
		}
		for (i = 0; i < THREADS; i++) {
			pthread_join(c[i].thread, NULL);
			EXPECT_EQ(0, c[i].errors);
		}
	}
}

#define test_harness_run(argc, argv) \
	(vmd_thin_out(&_straddle_fixture_object, 3), test_harness_run(argc, argv))
TEST_HARNESS_MAIN
