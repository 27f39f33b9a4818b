// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exact counts that everyone knows, in the real kernel with observer
 * "trap", and switching policies live. VMD_VECTORS names a file with more
 * vectors (default vectors.txt), a line each:
 *
 *	policy[:params] frames misses evictions writes : references
 */
#define _GNU_SOURCE
#include <ctype.h>

#include "vmd_harness.h"

#define PAGES	64
#define FRAMES	16
#define SOME	5			/* where time is short: one vector in so many */

/* Touch one page after the other as "1 2 3w" says; the number of references. */
static long play(int fd, char *map, const char *refs)
{
	unsigned long page, last = ~0UL;
	long n = 0;
	char *end;

	for (;; refs = end, n++) {
		page = strtoul(refs, &end, 10);
		if (end == refs)
			return n;
		if (page == last &&
		    vmd_advise(fd, VMD_ADVICE_UNMAP, page, 1))
			return -1;
		last = page;
		if (*end == 'w' || *end == 'W') {
			end++;
			vmd_store(map + page * vmd_ps, page);
		} else {
			vmd_load(map + page * vmd_ps);
		}
	}
}

static unsigned long highest_page(const char *refs)
{
	unsigned long page, most = 0;
	char *end;

	for (;; refs = *end && !isspace(*end) ? end + 1 : end) {
		page = strtoul(refs, &end, 10);
		if (end == refs)
			return most;
		if (page > most)
			most = page;
	}
}

/* A fresh space plays the references; its counters, or an error. */
static int play_fresh(const char *policy, const char *observer,
		      unsigned long frames, const char *refs,
		      struct vmd_stats *s)
{
	unsigned long pages = highest_page(refs) + 1;
	int fd = vmd_open(), ret = -1;
	char *map;

	if (fd < 0)
		return -1;
	map = vmd_map(fd, pages);
	if (map != MAP_FAILED && !vmd_set(fd, policy, observer, frames) &&
	    play(fd, map, refs) >= 0)
		ret = vmd_stats(fd, s);
	if (map != MAP_FAILED)
		munmap(map, pages * vmd_ps);
	close(fd);
	return ret;
}

#define BELADY		"1 2 3 4 1 2 5 1 2 3 4 5"
#define TEXTBOOK	"7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1"
#define SHORT		"0 1 2 0 1 3 0 3 1 2 1"

FIXTURE(vector) {
	struct vmd_stats s;
};

FIXTURE_VARIANT(vector) {
	const char *refs;
	const char *policy;
	unsigned long frames;
	unsigned long length;
	unsigned long misses;
};

FIXTURE_VARIANT_ADD(vector, belady_fifo_3) {
	.refs = BELADY, .length = 12,
	.policy = "fifo", .frames = 3, .misses = 9
};

FIXTURE_VARIANT_ADD(vector, belady_lru_3) {
	.refs = BELADY, .length = 12,
	.policy = "lru", .frames = 3, .misses = 10
};

FIXTURE_VARIANT_ADD(vector, belady_clock_3) {
	.refs = BELADY, .length = 12,
	.policy = "clock", .frames = 3, .misses = 10
};

FIXTURE_VARIANT_ADD(vector, belady_clock_a_3) {
	.refs = BELADY, .length = 12,
	.policy = "clock-a", .frames = 3, .misses = 9
};

FIXTURE_VARIANT_ADD(vector, belady_fifo_4) {
	.refs = BELADY, .length = 12,
	.policy = "fifo", .frames = 4, .misses = 10
};

FIXTURE_VARIANT_ADD(vector, belady_lru_4) {
	.refs = BELADY, .length = 12,
	.policy = "lru", .frames = 4, .misses = 8
};

FIXTURE_VARIANT_ADD(vector, belady_clock_4) {
	.refs = BELADY, .length = 12,
	.policy = "clock", .frames = 4, .misses = 8
};

FIXTURE_VARIANT_ADD(vector, belady_clock_a_4) {
	.refs = BELADY, .length = 12,
	.policy = "clock-a", .frames = 4, .misses = 10
};

FIXTURE_VARIANT_ADD(vector, textbook_fifo_3) {
	.refs = TEXTBOOK, .length = 20,
	.policy = "fifo", .frames = 3, .misses = 15
};

FIXTURE_VARIANT_ADD(vector, textbook_lru_3) {
	.refs = TEXTBOOK, .length = 20,
	.policy = "lru", .frames = 3, .misses = 12
};

FIXTURE_VARIANT_ADD(vector, textbook_clock_3) {
	.refs = TEXTBOOK, .length = 20,
	.policy = "clock", .frames = 3, .misses = 11
};

FIXTURE_VARIANT_ADD(vector, textbook_clock_a_3) {
	.refs = TEXTBOOK, .length = 20,
	.policy = "clock-a", .frames = 3, .misses = 14
};

FIXTURE_VARIANT_ADD(vector, short_fifo_3) {
	.refs = SHORT, .length = 11,
	.policy = "fifo", .frames = 3, .misses = 7
};

FIXTURE_VARIANT_ADD(vector, short_lru_3) {
	.refs = SHORT, .length = 11,
	.policy = "lru", .frames = 3, .misses = 5
};

FIXTURE_SETUP(vector)
{
	ASSERT_EQ(0, play_fresh(variant->policy, "trap", variant->frames,
				variant->refs, &self->s));
}

FIXTURE_TEARDOWN(vector)
{
}

TEST_F(vector, misses_are_exact_in_trap_mode)
{
	EXPECT_EQ(variant->misses, self->s.misses);
	EXPECT_EQ(variant->misses - variant->frames, self->s.evictions);
}

TEST_F(vector, counters_are_consistent)
{
	struct vmd_stats *s = &self->s;

	EXPECT_EQ(variant->length, s->references);
	EXPECT_EQ(s->references, s->hits + s->misses);
	EXPECT_EQ(s->misses, s->zero_fills + s->faults_major);
	EXPECT_EQ(s->hits, s->faults_soft);
	EXPECT_EQ(s->evictions, s->evictions_clean + s->evictions_dirty);
	EXPECT_EQ(0, s->faults_write);
	EXPECT_EQ(0, s->evictions_dirty);
	EXPECT_EQ(0, s->pages_written);
	EXPECT_EQ(variant->frames, s->resident);
	EXPECT_EQ(variant->frames, s->budget);
	EXPECT_EQ(0, s->dirty);
	EXPECT_EQ(0, s->io_errors);
}

/* 4 frames, FIFO: 1 and 3 are written, leave dirty, and come back clean. */
TEST(writes_are_exact_in_trap_mode)
{
	struct vmd_stats s;

	ASSERT_EQ(0, play_fresh("fifo", "trap", 4,
				"1w 2 3w 4 5 6 7 8 1 2 3 4 5 6 7 8", &s));
	EXPECT_EQ(16, s.references);
	EXPECT_EQ(16, s.misses);
	EXPECT_EQ(2, s.faults_write);
	EXPECT_EQ(12, s.evictions);
	EXPECT_EQ(2, s.evictions_dirty);
	EXPECT_EQ(10, s.evictions_clean);
	EXPECT_EQ(2, s.pages_written);
	EXPECT_EQ(2, s.faults_major);
	EXPECT_EQ(2, s.pages_read);
	EXPECT_EQ(14, s.zero_fills);
	EXPECT_EQ(0, s.dirty);
}

TEST(a_page_written_once_and_read_back_is_dropped_without_io)
{
	struct vmd_stats s;

	ASSERT_EQ(0, play_fresh("fifo", "trap", 1, "1w 2w 1 2 1 2 1 2", &s));
	EXPECT_EQ(8, s.misses);
	EXPECT_EQ(2, s.pages_written);
	EXPECT_EQ(2, s.evictions_dirty);
	EXPECT_EQ(5, s.evictions_clean);
	EXPECT_EQ(6, s.pages_read);
}

static char *read_vectors(void)
{
	const char *path = getenv("VMD_VECTORS");

	return vmd_read_file(path && *path ? path : "vectors.txt");
}

/* One line of the file: 1 if it holds, 0 if not, -1 if it is none. */
static int check_vector(char *line)
{
	unsigned long frames, misses, evictions, writes;
	struct vmd_stats s;
	char policy[64];
	char *refs;
	int used = 0;

	line[strcspn(line, "#")] = 0;
	if (sscanf(line, "%63s %lu %lu %lu %lu :%n", policy, &frames, &misses,
		   &evictions, &writes, &used) < 5 || !used)
		return -1;
	refs = line + used;
	if (play_fresh(policy, "trap", frames, refs, &s))
		return 0;
	return s.misses == misses && s.evictions == evictions &&
	       s.evictions_dirty == writes &&
	       s.references == s.hits + s.misses &&
	       s.misses == s.zero_fills + s.faults_major;
}

/* All, where there is time for that; some of each policy in any case. */
TEST(every_vector_of_the_file_is_exact_in_trap_mode)
{
	unsigned long step = SOME / vmd_afford(SOME) ?: 1, n = 0;
	char *text = read_vectors(), *line, *next = NULL;
	int good = 0, result;

	if (!text)
		SKIP(return, "no vectors file: set VMD_VECTORS");
	for (line = strtok_r(text, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next)) {
		if (*line == '#' || n++ % step)
			continue;
		result = check_vector(line);
		EXPECT_NE(0, result) {
			TH_LOG("vector: %s", line);
		}
		good += result > 0;
	}
	EXPECT_LT(0, good);
}

TEST(random_with_one_seed_decides_the_same_every_time)
{
	static const char refs[] = TEXTBOOK " " BELADY " " SHORT " " TEXTBOOK;
	struct vmd_stats a, b;

	ASSERT_EQ(0, play_fresh("random:seed=7", "trap", 3, refs, &a));
	ASSERT_EQ(0, play_fresh("random:seed=7", "trap", 3, refs, &b));
	EXPECT_EQ(a.misses, b.misses);
	EXPECT_EQ(a.hits, b.hits);
}

FIXTURE(live) {
	int fd;
	char *map;
};

FIXTURE_VARIANT(live) {
	const char *observer;
};

FIXTURE_VARIANT_ADD(live, fault) { .observer = "fault" };
FIXTURE_VARIANT_ADD(live, accessed) { .observer = "accessed" };
FIXTURE_VARIANT_ADD(live, trap) { .observer = "trap" };

FIXTURE_SETUP(live)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", variant->observer, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, 1);
}

FIXTURE_TEARDOWN(live)
{
	close(self->fd);
}

static void page_states(int fd, __u8 *state)
{
	struct vmd_page page[PAGES];
	int i;

	memset(state, 255, PAGES);
	if (vmd_pages(fd, 0, PAGES, page) != PAGES)
		return;
	for (i = 0; i < PAGES; i++)
		state[i] = page[i].state;
}

TEST_F(live, a_policy_is_switched_live_without_losing_a_page)
{
	__u8 before[PAGES], after[PAGES];
	const char *const *p;
	struct vmd_stats s;

	for (p = vmd_policy_names; *p; p++) {
		page_states(self->fd, before);
		ASSERT_EQ(0, vmd_policy(self->fd, *p));
		page_states(self->fd, after);
		EXPECT_EQ(0, memcmp(before, after, PAGES));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(FRAMES, s.resident);
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	}
}

TEST_F(live, the_policy_that_get_config_names_is_the_one_set)
{
	const char *const *p;
	struct vmd_config c;

	for (p = vmd_policy_names; *p; p++) {
		ASSERT_EQ(0, vmd_policy(self->fd, *p));
		ASSERT_EQ(0, vmd_get(self->fd, &c));
		EXPECT_EQ(0, strncmp(*p, c.policy, strlen(*p)));
	}
	ASSERT_EQ(0, vmd_policy(self->fd, "random:seed=7"));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_STREQ("random:seed=7", c.policy);
}

/* LRU leaves the order 2 3 1 behind; FIFO goes on from there. */
TEST(a_switch_keeps_the_old_policys_order)
{
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_set(fd, "lru", "trap", 3));
	ASSERT_MAP(map, fd, 8);
	ASSERT_EQ(4, play(fd, map, "1 2 3 1"));
	ASSERT_EQ(0, vmd_policy(fd, "fifo"));
	ASSERT_EQ(1, play(fd, map, "4"));
	EXPECT_EQ(1, vmd_count_state(fd, 1, 1, VMD_PAGE_RESIDENT));
	EXPECT_EQ(0, vmd_count_state(fd, 2, 1, VMD_PAGE_RESIDENT));
	EXPECT_EQ(1, vmd_count_state(fd, 3, 1, VMD_PAGE_RESIDENT));
	close(fd);
}

TEST(a_switch_with_the_counters_of_both_policies_is_exact)
{
	struct vmd_stats s;
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_set(fd, "fifo", "trap", 3));
	ASSERT_MAP(map, fd, 16);
	ASSERT_EQ(12, play(fd, map, BELADY));
	ASSERT_EQ(0, vmd_advise(fd, VMD_ADVICE_EVICT, 0, 16));
	ASSERT_EQ(0, vmd_policy(fd, "lru"));
	ASSERT_EQ(0, vmd_reset(fd));
	ASSERT_EQ(12, play(fd, map, BELADY));
	ASSERT_EQ(0, vmd_stats(fd, &s));
	EXPECT_EQ(10, s.misses);
	close(fd);
}

TEST_HARNESS_MAIN
