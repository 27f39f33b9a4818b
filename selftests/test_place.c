// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placement: which frames a page may use. Misses and their kinds are exactly
 * those of a model that is as plain as the definition; sets never have more
 * pages than frames; changes of sets, budget and policy lose nothing; and an
 * instruction whose pages collide goes on.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/ioctl.h>

#include "vmd_harness.h"

#define PAGES	48
#define NR	300		/* references of a string */
#define FRAMES	16

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

static int set_ways(int fd, __u64 ways)
{
	struct vmd_config c = { .mask = VMD_CONFIG_PLACEMENT, .ways = ways };

	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

static int set_both(int fd, __u64 budget, __u64 ways)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_PLACEMENT | VMD_CONFIG_BUDGET,
		.budget = budget, .ways = ways,
	};

	return ioctl(fd, VMD_IOC_SET_CONFIG, &c);
}

static __u64 get_ways(int fd)
{
	struct vmd_config c;

	return vmd_get(fd, &c) ? ~0ULL : c.ways;
}

/* The most pages that any set has in frames. */
static unsigned int most_of_a_set(int fd, unsigned int sets)
{
	unsigned int n[PAGES] = { 0 }, i, most = 0;
	struct vmd_page page[PAGES];
	int nr = vmd_pages(fd, 0, PAGES, page);

	for (i = 0; (int)i < nr; i++) {
		n[i % sets] += page[i].state == VMD_PAGE_RESIDENT;
		if (n[i % sets] > most)
			most = n[i % sets];
	}
	return nr < 0 ? ~0U : most;
}

/* The model: one line for each thing that the textbooks say of sets. */

struct model_page {
	int page;
	unsigned long came;
	unsigned long used;
	bool bit;
};

struct model {
	struct model_page page[FRAMES];	/* set by set */
	unsigned int used[FRAMES];	/* of each set */
	unsigned int hand[FRAMES];
	unsigned int ways;
	unsigned int frames;
	char policy;
	int ref[NR];
	unsigned int nr;
	__u64 misses, compulsory, capacity, conflict, evictions;
};

static unsigned int model_victim(struct model *m, unsigned int set)
{
	struct model_page *p = m->page + set * m->ways;
	unsigned int i, best = 0;

	while (m->policy == 'c') {
		best = m->hand[set];
		m->hand[set] = (best + 1) % m->ways;
		if (!p[best].bit)
			return best;
		p[best].bit = false;
	}
	for (i = 1; i < m->ways; i++)
		if (m->policy == 'f' ? p[i].came < p[best].came :
				       p[i].used < p[best].used)
			best = i;
	return best;
}

/* What LRU with all frames for all pages would make of it. */
static void model_classify(struct model *m, int page)
{
	bool seen[PAGES] = { false };
	unsigned int i, others = 0;

	m->misses++;
	for (i = m->nr; i--;) {
		if (m->ref[i] == page)
			break;
		others += !seen[m->ref[i]];
		seen[m->ref[i]] = true;
	}
	if (i == ~0U)
		m->compulsory++;
	else if (others >= m->frames)
		m->capacity++;
	else
		m->conflict++;
}

static void model_reference(struct model *m, int page)
{
	unsigned int set = page % (m->frames / m->ways), i;
	struct model_page *p = m->page + set * m->ways;

	for (i = 0; i < m->used[set] && p[i].page != page; i++)
		;
	if (i == m->used[set]) {
		model_classify(m, page);
		if (i == m->ways) {
			i = model_victim(m, set);
			m->evictions++;
		} else {
			m->used[set]++;
		}
		p[i] = (struct model_page){ .page = page, .came = m->nr };
	} else {
		p[i].bit = true;
	}
	p[i].used = m->nr;
	m->ref[m->nr++] = page;
}

/* Loops with some pages used more often, and strides that collide. */
static int next_page(__u64 *seed, unsigned int i, unsigned int frames)
{
	__u64 r = vmd_random(seed) >> 20;

	if (i / 50 % 3 == 0)
		return i % (frames + 3) % PAGES;
	if (i / 50 % 3 == 1)
		return r % 4 * frames % PAGES;
	return r % (1 + (r >> 8) % PAGES);
}

static void touch(int fd, char *map, int page, int *last)
{
	if (page == *last)
		vmd_advise(fd, VMD_ADVICE_UNMAP, page, 1);
	*last = page;
	vmd_load(map + page * vmd_ps);
}

/* The kernel and the model play the same string. */
static bool play_both(const char *policy, unsigned int frames, unsigned int ways,
		      struct model *m, struct vmd_stats *s)
{
	__u64 seed = frames * 100 + ways + *policy;
	int fd = vmd_open(), last = -1, page;
	unsigned int i;
	bool good;
	char *map;

	*m = (struct model){ .frames = frames, .ways = ways, .policy = *policy };
	map = vmd_map(fd, PAGES);
	good = map != MAP_FAILED && !vmd_set(fd, policy, "trap", frames) &&
	       !set_ways(fd, ways);
	for (i = 0; good && i < NR; i++) {
		page = next_page(&seed, i, frames);
		touch(fd, map, page, &last);
		model_reference(m, page);
	}
	good = good && !vmd_stats(fd, s) &&
	       most_of_a_set(fd, frames / ways) <= ways;
	close(fd);
	munmap(map, PAGES * vmd_ps);
	return good;
}

FIXTURE(exact) {
	int unused;
};

FIXTURE_VARIANT(exact) {
	const char *policy;
	unsigned int ways;
};

FIXTURE_VARIANT_ADD(exact, lru_direct) { .policy = "lru", .ways = 1 };
FIXTURE_VARIANT_ADD(exact, lru_set_2) { .policy = "lru", .ways = 2 };
FIXTURE_VARIANT_ADD(exact, lru_set_4) { .policy = "lru", .ways = 4 };
FIXTURE_VARIANT_ADD(exact, fifo_direct) { .policy = "fifo", .ways = 1 };
FIXTURE_VARIANT_ADD(exact, fifo_set_2) { .policy = "fifo", .ways = 2 };
FIXTURE_VARIANT_ADD(exact, fifo_set_4) { .policy = "fifo", .ways = 4 };
FIXTURE_VARIANT_ADD(exact, clock_direct) { .policy = "clock", .ways = 1 };
FIXTURE_VARIANT_ADD(exact, clock_set_2) { .policy = "clock", .ways = 2 };
FIXTURE_VARIANT_ADD(exact, clock_set_4) { .policy = "clock", .ways = 4 };

FIXTURE_SETUP(exact)
{
	self->unused = 0;
}

FIXTURE_TEARDOWN(exact)
{
}

TEST_F(exact, misses_and_their_kinds_are_those_of_the_model)
{
	static const unsigned int sizes[] = { 4, 12, 16 };
	struct vmd_stats s;
	struct model m;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_TRUE(play_both(variant->policy, sizes[i], variant->ways,
				      &m, &s));
		EXPECT_EQ(NR, s.references);
		EXPECT_EQ(m.misses, s.misses);
		EXPECT_EQ(m.evictions, s.evictions);
		EXPECT_EQ(m.compulsory, s.misses_compulsory);
		EXPECT_EQ(m.capacity, s.misses_capacity);
		EXPECT_EQ(m.conflict, s.misses_conflict);
		if (variant->ways < sizes[i])
			EXPECT_LT(0, s.misses_conflict);
	}
}

FIXTURE(place) {
	int fd;
	char *map;
};

FIXTURE_SETUP(place)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(place)
{
	close(self->fd);
}

TEST_F(place, it_is_full_at_first_and_what_was_set_later)
{
	struct vmd_info info;

	ASSERT_EQ(0, vmd_info(self->fd, &info));
	EXPECT_TRUE(info.features & VMD_FEATURE_PLACEMENT);
	EXPECT_EQ(0, get_ways(self->fd));
	EXPECT_EQ(0, set_ways(self->fd, 4));
	EXPECT_EQ(4, get_ways(self->fd));
	EXPECT_EQ(0, set_ways(self->fd, 16));
	EXPECT_EQ(16, get_ways(self->fd));
	EXPECT_EQ(0, set_ways(self->fd, 0));
	EXPECT_EQ(0, get_ways(self->fd));
}

TEST_F(place, the_budget_is_a_multiple_of_the_ways)
{
	struct vmd_config c;

	EXPECT_ERRNO(EINVAL, set_ways(self->fd, 3));
	EXPECT_ERRNO(EINVAL, set_ways(self->fd, 32));
	EXPECT_ERRNO(EINVAL, set_ways(self->fd, ~0ULL));
	EXPECT_ERRNO(EINVAL, set_ways(self->fd, (1ULL << 32) + 1));
	EXPECT_EQ(0, get_ways(self->fd));
	ASSERT_EQ(0, set_ways(self->fd, 4));
	EXPECT_ERRNO(EINVAL, vmd_budget(self->fd, 18));
	EXPECT_ERRNO(EINVAL, vmd_budget(self->fd, 2));
	EXPECT_ERRNO(EINVAL, set_both(self->fd, 16, 5));
	EXPECT_EQ(0, set_both(self->fd, 15, 5));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(15, c.budget);
	EXPECT_EQ(5, c.ways);
	/* What is not named is not looked at. */
	c.mask = VMD_CONFIG_BUDGET;
	c.ways = 7;
	c.budget = 20;
	EXPECT_EQ(0, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	EXPECT_EQ(5, get_ways(self->fd));
}

TEST_F(place, pages_that_collide_push_each_other_out)
{
	struct vmd_stats s;
	int i, last = -1;

	ASSERT_EQ(0, set_ways(self->fd, 1));
	for (i = 0; i < 20; i++)
		touch(self->fd, self->map, i % 2 * FRAMES, &last);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(20, s.misses);
	EXPECT_EQ(2, s.misses_compulsory);
	EXPECT_EQ(18, s.misses_conflict);
	EXPECT_EQ(1, s.resident);
	ASSERT_EQ(0, set_ways(self->fd, 2));
	ASSERT_EQ(0, vmd_reset(self->fd));
	for (i = 0; i < 20; i++)
		touch(self->fd, self->map, i % 2 * FRAMES, &last);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(1, s.misses);
}

/* Without sets there are no conflicts, whatever the policy is. */
TEST_F(place, a_full_space_has_no_conflicts)
{
	struct vmd_stats s;
	int i, last = -1;

	ASSERT_EQ(0, vmd_policy(self->fd, "fifo"));
	for (i = 0; i < 3 * PAGES; i++)
		touch(self->fd, self->map, i * 7 % PAGES, &last);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(PAGES, s.misses_compulsory);
	EXPECT_EQ(0, s.misses_conflict);
	EXPECT_EQ(s.misses, s.misses_compulsory + s.misses_capacity);
}

TEST_F(place, what_fits_in_its_new_set_stays_and_nothing_is_lost)
{
	static const unsigned int ways[] = { 1, 4, 2, 16, 8, 1, 0 };
	struct vmd_stats s;
	size_t i;
	int last = -1, k;

	vmd_fill_all(self->map, PAGES, 1);
	for (k = 0; k < FRAMES; k++)
		touch(self->fd, self->map, k, &last);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		ASSERT_EQ(0, set_ways(self->fd, ways[i]));
		/* As many neighbours as there are frames fit always. */
		EXPECT_EQ(FRAMES, vmd_count_state(self->fd, 0, FRAMES,
						  VMD_PAGE_RESIDENT));
	}
	/* In sets of two, of 0, 8, 16 and 24 the last two stay. */
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	for (k = 0; k < 4; k++)
		touch(self->fd, self->map, 8 * k, &last);
	ASSERT_EQ(0, set_ways(self->fd, 2));
	EXPECT_EQ(0, vmd_count_state(self->fd, 0, 9, VMD_PAGE_RESIDENT));
	EXPECT_EQ(1, vmd_count_state(self->fd, 16, 1, VMD_PAGE_RESIDENT));
	EXPECT_EQ(1, vmd_count_state(self->fd, 24, 1, VMD_PAGE_RESIDENT));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(2, s.resident);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	EXPECT_GE(2, most_of_a_set(self->fd, FRAMES / 2));
}

TEST_F(place, another_budget_makes_other_sets)
{
	static const unsigned int budgets[] = { 8, 12, 48, 4, 16 };
	struct vmd_stats s;
	size_t i;

	ASSERT_EQ(0, set_ways(self->fd, 4));
	vmd_fill_all(self->map, PAGES, 2);
	for (i = 0; i < ARRAY_SIZE(budgets); i++) {
		ASSERT_EQ(0, vmd_budget(self->fd, budgets[i]));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_GE(budgets[i], s.resident);
		EXPECT_GE(4, most_of_a_set(self->fd, budgets[i] / 4));
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 2));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(budgets[i], s.resident);
		EXPECT_EQ(4, most_of_a_set(self->fd, budgets[i] / 4));
	}
}

TEST_F(place, a_policy_is_switched_live_in_sets)
{
	const char *const *p;
	struct vmd_stats s;

	ASSERT_EQ(0, set_ways(self->fd, 4));
	vmd_fill_all(self->map, PAGES, 3);
	for (p = vmd_policy_names; *p; p++) {
		ASSERT_EQ(0, vmd_policy(self->fd, *p));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(FRAMES, s.resident);
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 3));
		EXPECT_EQ(4, most_of_a_set(self->fd, FRAMES / 4));
	}
}

TEST_F(place, a_quarter_of_each_set_cannot_be_pinned)
{
	struct vmd_config c;
	int i;

	vmd_fill_all(self->map, PAGES, 4);
	ASSERT_EQ(0, set_ways(self->fd, 1));
	EXPECT_ERRNO(ENOSPC, vmd_advise(self->fd, VMD_ADVICE_PIN, 5, 1));
	ASSERT_EQ(0, set_ways(self->fd, 4));
	/* Set 1 has 1, 5, 9, 13, ... */
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 1 + 4 * i, 1));
	EXPECT_ERRNO(ENOSPC, vmd_advise(self->fd, VMD_ADVICE_PIN, 13, 1));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 9, 1));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 2, 2));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 4));
	EXPECT_EQ(5, vmd_count_flag(self->fd, 0, PAGES, VMD_PAGE_PINNED));
	EXPECT_EQ(5, vmd_count_state(self->fd, 1, 3, VMD_PAGE_RESIDENT) +
		     vmd_count_state(self->fd, 5, 1, VMD_PAGE_RESIDENT) +
		     vmd_count_state(self->fd, 9, 1, VMD_PAGE_RESIDENT));
	/* Sets that pins would fill are not made; nothing changes then. */
	EXPECT_ERRNO(EBUSY, set_ways(self->fd, 1));
	EXPECT_ERRNO(EBUSY, set_both(self->fd, 12, 2));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(4, c.ways);
	EXPECT_EQ(FRAMES, c.budget);
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNPIN, 0, PAGES));
	EXPECT_EQ(0, set_ways(self->fd, 1));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 4));
	EXPECT_EQ(1, most_of_a_set(self->fd, FRAMES));
}

TEST_F(place, what_is_read_ahead_or_by_read_finds_room_in_its_set)
{
	char buf[64];
	int i;

	ASSERT_EQ(0, vmd_observer(self->fd, "accessed"));
	vmd_fill_all(self->map, PAGES, 5);
	ASSERT_EQ(0, set_ways(self->fd, 2));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 5));
		EXPECT_GE(2, most_of_a_set(self->fd, FRAMES / 2));
		EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_WILLNEED, 8, 20));
		EXPECT_GE(2, most_of_a_set(self->fd, FRAMES / 2));
	}
	for (i = 0; i < PAGES; i += 8)
		EXPECT_EQ(sizeof(buf), pread(self->fd, buf, sizeof(buf),
					     i * vmd_ps));
	EXPECT_GE(2, most_of_a_set(self->fd, FRAMES / 2));
}

/* One instruction, two pages or four, and all of them of one set. */

static void copy_8(char *to, const char *from)
{
#ifdef __x86_64__
	asm volatile("movsq" : "+D" (to), "+S" (from) : : "memory");
#else
	memcpy(to, from, 8);
#endif
}

static bool copy_once(char *map, unsigned int apart, unsigned int seed)
{
	char *from = map + vmd_ps - 4;
	char *to = map + (1 + apart) * vmd_ps - 4;
	unsigned int i;

	for (i = 0; i < 8; i++)
		from[i] = seed + i * 7;
	copy_8(to, from);
	for (i = 0; i < 8; i++)
		if (to[i] != (char)(seed + i * 7))
			return false;
	return true;
}

FIXTURE(straddle) {
	int fd;
	char *map;
};

FIXTURE_VARIANT(straddle) {
	const char *observer;
};

FIXTURE_VARIANT_ADD(straddle, fault) { .observer = "fault" };
FIXTURE_VARIANT_ADD(straddle, accessed) { .observer = "accessed" };
FIXTURE_VARIANT_ADD(straddle, trap) { .observer = "trap" };

FIXTURE_SETUP(straddle)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", variant->observer, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(straddle)
{
	close(self->fd);
}

/* What was lent goes back: when the set is short again, or after a while. */
#define SETTLE_LOOKS	3000	/* 20 ms apart */

static bool sets_settle(int fd, unsigned int sets)
{
	__u64 begin = vmd_now_ms();
	struct vmd_stats s = { 0 };
	unsigned int looks = 0;

	while (most_of_a_set(fd, sets) > 1 && looks++ < SETTLE_LOOKS)
		vmd_sleep_ms(20);
	/* Not to stdout: what is in its buffer is lost where a test ends. */
	if (looks > SETTLE_LOOKS / 30 && !vmd_stats(fd, &s))
		fprintf(stderr, "# sets: %u looks, %llu ms, %llu resident, %llu evictions\n",
			looks, vmd_now_ms() - begin, s.resident, s.evictions);
	return looks <= SETTLE_LOOKS;
}

TEST_F(straddle, an_instruction_whose_pages_collide_goes_on)
{
	static const unsigned int budgets[] = { 1, 2, 4 };
	struct vmd_stats s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(budgets); i++) {
		ASSERT_EQ(0, set_both(self->fd, budgets[i], 1));
		EXPECT_TRUE(copy_once(self->map, budgets[i] < 2 ? 2 : budgets[i],
				      i));
		EXPECT_TRUE(copy_once(self->map, 4, i + 1));
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_GE(budgets[i] + 16, s.resident);
		EXPECT_TRUE(sets_settle(self->fd, budgets[i]));
	}
}

struct churner {
	pthread_t thread;
	char *map;
	unsigned int number;
	unsigned long errors;
	bool stop;
};

/* Words that nobody else writes, in pages that all use; copies that collide. */
static void *churn(void *arg)
{
	struct churner *c = arg;
	__u64 seed = c->number + 1, n[PAGES] = { 0 }, i;
	__u64 *word;

	for (i = 0; !vmd_is_set(&c->stop); i++) {
		unsigned int page = vmd_random(&seed) % PAGES;

		word = (__u64 *)(c->map + page * vmd_ps + 64) + c->number;
		c->errors += __atomic_load_n(word, __ATOMIC_RELAXED) != n[page];
		__atomic_store_n(word, ++n[page], __ATOMIC_RELAXED);
		if (!c->number && i % 16 == 0)
			c->errors += !copy_once(c->map, FRAMES, i);
	}
	return NULL;
}

/* Sets, budget and policy change under threads that use all pages. */
TEST_F(straddle, sets_change_under_threads_that_use_them)
{
	static const unsigned int how[][2] = {
		{ 16, 1 }, { 16, 4 }, { 8, 2 }, { 24, 0 }, { 32, 8 }, { 4, 1 },
		{ 12, 0 }, { 12, 12 },
	};
	static const char *const policy[] = { "fifo", "arc", "clock", "lru" };
	struct churner c[2];
	unsigned long i;

	for (i = 0; i < 2; i++) {
		c[i] = (struct churner){ .map = self->map, .number = i };
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, churn, &c[i]));
	}
	for (i = 0; i < vmd_afford(16); i++) {
		EXPECT_EQ(0, set_both(self->fd, how[i % 8][0], how[i % 8][1]));
		EXPECT_EQ(0, vmd_policy(self->fd, policy[i % 4]));
		vmd_sleep_ms(5);
	}
	EXPECT_EQ(0, set_both(self->fd, FRAMES, 1));
	for (i = 0; i < 2; i++) {
		vmd_set_flag(&c[i].stop);
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(0, c[i].errors);
	}
	EXPECT_TRUE(sets_settle(self->fd, FRAMES));
}

TEST_HARNESS_MAIN
