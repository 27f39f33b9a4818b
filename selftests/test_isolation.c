// SPDX-License-Identifier: GPL-2.0-only
/* One opener never sees another's bytes, neither in frames nor in slots. */
#define _GNU_SOURCE
#include <pthread.h>

#include "vmd_harness.h"

#define PAGES		96
#define FRAMES		16
#define GENERATIONS	4

struct space {
	int fd;
	char *map;
};

static bool space_open(struct space *s, const char *observer)
{
	s->fd = vmd_open();
	if (s->fd < 0 || vmd_set(s->fd, "lru", observer, FRAMES))
		return false;
	s->map = vmd_map(s->fd, PAGES);
	return s->map != MAP_FAILED;
}

static void space_close(struct space *s)
{
	munmap(s->map, PAGES * vmd_ps);
	close(s->fd);
}

static size_t not_zero(const char *map, size_t pages)
{
	size_t i, bad = 0;

	for (i = 0; i < pages; i++)
		bad += !vmd_is_zero(map + i * vmd_ps);
	return bad;
}

/* All bytes but the first of every page, which must hold @first. */
static size_t not_zero_behind(const char *map, size_t pages, char first)
{
	char *want = calloc(1, vmd_ps);
	size_t i, bad = 0;

	want[0] = first;
	for (i = 0; i < pages; i++, map += vmd_ps)
		bad += memcmp(map, want, vmd_ps) != 0;
	free(want);
	return bad;
}

FIXTURE(isolation) {
	struct space a, b;
};

FIXTURE_VARIANT(isolation) {
	const char *observer;
};

FIXTURE_VARIANT_ADD(isolation, fault) { .observer = "fault" };
FIXTURE_VARIANT_ADD(isolation, accessed) { .observer = "accessed" };
FIXTURE_VARIANT_ADD(isolation, trap) { .observer = "trap" };

FIXTURE_SETUP(isolation)
{
	ASSERT_TRUE(space_open(&self->a, variant->observer));
	ASSERT_TRUE(space_open(&self->b, variant->observer));
}

FIXTURE_TEARDOWN(isolation)
{
	space_close(&self->a);
	space_close(&self->b);
}

TEST_F(isolation, two_opens_are_two_spaces)
{
	EXPECT_NE(vmd_id(self->a.fd), vmd_id(self->b.fd));
	vmd_fill_all(self->a.map, PAGES, 1);
	EXPECT_EQ(0, not_zero(self->b.map, PAGES));
	EXPECT_EQ(0, vmd_bad_pages(self->a.map, PAGES, 1));
}

TEST_F(isolation, two_opens_keep_their_own_content_under_overcommit)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		vmd_fill(self->a.map + i * vmd_ps, 1000 + i);
		vmd_fill(self->b.map + i * vmd_ps, 5000 + i);
	}
	EXPECT_EQ(0, vmd_bad_pages(self->a.map, PAGES, 1000));
	EXPECT_EQ(0, vmd_bad_pages(self->b.map, PAGES, 5000));
}

TEST_F(isolation, what_is_done_to_one_space_does_not_touch_the_other)
{
	vmd_fill_all(self->a.map, PAGES, 1000);
	vmd_fill_all(self->b.map, PAGES, 5000);
	ASSERT_EQ(0, vmd_resize(self->a.fd, 0));
	ASSERT_EQ(0, vmd_policy(self->a.fd, "mru"));
	EXPECT_EQ(0, vmd_bad_pages(self->b.map, PAGES, 5000));
	ASSERT_EQ(0, vmd_resize(self->a.fd, PAGES));
	EXPECT_EQ(0, not_zero(self->a.map, PAGES));
}

/* Unmapping page 5 of one space must leave page 5 of the other mapped. */
TEST_F(isolation, eviction_in_one_space_unmaps_nothing_in_the_other)
{
	struct vmd_stats before, after;

	vmd_fill_all(self->a.map, FRAMES, 1);
	vmd_fill_all(self->b.map, FRAMES, 1);
	ASSERT_EQ(0, vmd_observer(self->b.fd, "fault"));
	vmd_touch_all(self->b.map, FRAMES);
	ASSERT_EQ(0, vmd_stats(self->b.fd, &before));
	ASSERT_EQ(0, vmd_advise(self->a.fd, VMD_ADVICE_EVICT, 0, PAGES));
	vmd_touch_all(self->b.map, FRAMES);
	ASSERT_EQ(0, vmd_stats(self->b.fd, &after));
	EXPECT_EQ(vmd_faults(&before), vmd_faults(&after));
}

TEST_F(isolation, recycled_frames_are_zero_over_generations)
{
	struct space s;
	int i;

	for (i = 0; i < GENERATIONS; i++) {
		ASSERT_TRUE(space_open(&s, variant->observer));
		EXPECT_EQ(0, not_zero(s.map, FRAMES));
		vmd_fill_all(s.map, FRAMES, 77 * i);
		space_close(&s);
	}
}

TEST_F(isolation, recycled_slots_are_zero_over_generations)
{
	struct space s;
	int i;

	for (i = 0; i < GENERATIONS; i++) {
		ASSERT_TRUE(space_open(&s, variant->observer));
		EXPECT_EQ(0, not_zero(s.map, PAGES));
		vmd_fill_all(s.map, PAGES, 77 * i);
		ASSERT_EQ(0, vmd_advise(s.fd, VMD_ADVICE_EVICT, 0, PAGES));
		EXPECT_EQ(0, vmd_bad_pages(s.map, PAGES, 77 * i));
		space_close(&s);
	}
}

/* Pages written only in part go out to slots that held another's bytes. */
TEST_F(isolation, the_rest_of_a_page_written_in_part_is_zero)
{
	struct space s;
	int i, page;

	for (i = 1; i <= GENERATIONS; i++) {
		ASSERT_TRUE(space_open(&s, variant->observer));
		for (page = 0; page < PAGES; page++)
			s.map[page * vmd_ps] = i;
		EXPECT_EQ(0, not_zero_behind(s.map, PAGES, i));
		vmd_fill_all(s.map, PAGES, 99 * i);
		space_close(&s);
	}
}

struct generations {
	pthread_t thread;
	unsigned int number;
	size_t bad;
};

static void *live_and_die(void *arg)
{
	struct generations *g = arg;
	struct space s;
	int i;

	for (i = 0; i < GENERATIONS; i++) {
		if (!space_open(&s, vmd_observer_names[i % 3])) {
			g->bad++;
			break;
		}
		g->bad += not_zero(s.map, PAGES);
		vmd_fill_all(s.map, PAGES, g->number * 10000 + i);
		g->bad += vmd_bad_pages(s.map, PAGES, g->number * 10000 + i);
		space_close(&s);
	}
	return NULL;
}

TEST(spaces_that_come_and_go_at_the_same_time_see_only_their_own)
{
	struct generations g[4] = { 0 };
	int i;

	for (i = 0; i < 4; i++) {
		g[i].number = i;
		ASSERT_EQ(0, pthread_create(&g[i].thread, NULL, live_and_die,
					    &g[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(g[i].thread, NULL);
		EXPECT_EQ(0, g[i].bad);
	}
}

TEST(frames_are_given_back_when_a_space_ends)
{
	struct vmd_stats before, with, after;
	struct space s;

	ASSERT_EQ(0, vmd_module_stats(&before));
	ASSERT_TRUE(space_open(&s, "accessed"));
	vmd_fill_all(s.map, PAGES, 1);
	ASSERT_EQ(0, vmd_module_stats(&with));
	EXPECT_EQ(before.resident + FRAMES, with.resident);
	space_close(&s);
	ASSERT_EQ(0, vmd_module_stats(&after));
	EXPECT_EQ(before.resident, after.resident);
	EXPECT_EQ(before.dirty, after.dirty);
}

TEST_HARNESS_MAIN
