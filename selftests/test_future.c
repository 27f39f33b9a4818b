// SPDX-License-Identifier: GPL-2.0-only
/*
 * A space that follows a reference string, and policy "opt" that goes by it: as
 * exact as the optimum itself while all goes by the string, and sensible when it
 * does not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmd_harness.h"

#define PAGES	64
#define REFS	1500
#define FRAMES	3

static const __u32 belady[] = { 1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5 };
static const __u32 textbook[] = {
	7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1
};

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static int ask(int fd, struct vmd_future *f)
{
	memset(f, 0, sizeof(*f));
	return ioctl(fd, VMD_IOC_FUTURE, f);
}

static int drop(int fd)
{
	struct vmd_future f = { .flags = VMD_FUTURE_DROP };

	return ioctl(fd, VMD_IOC_FUTURE, &f);
}

/* Some of a string. */
static int load(int fd, const __u32 *refs, __u64 first, __u64 count,
		__u64 total)
{
	struct vmd_future f = {
		.pages = (uintptr_t)(refs + first), .first = first,
		.count = count, .total = total,
	};

	return ioctl(fd, VMD_IOC_FUTURE, &f);
}

/* References, each one seen by observer "trap"; every third one writes. */
static int play(int fd, char *map, const __u32 *refs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (vmd_advise(fd, VMD_ADVICE_UNMAP, refs[i], 1))
			return -1;
		if (i % 3)
			vmd_load(map + refs[i] * vmd_ps);
		else
			vmd_store(map + refs[i] * vmd_ps, refs[i]);
	}
	return 0;
}

/* Some pages often, others now and then */
static void make_refs(__u32 *refs, size_t n, __u64 seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		refs[i] = vmd_random(&seed) % 4 ? vmd_random(&seed) % 16 :
						  vmd_random(&seed) % PAGES;
}

/* The fewest misses there can be: who is used last goes, by looking for it. */
static unsigned long fewest(const __u32 *refs, size_t n, unsigned int frames)
{
	unsigned long misses = 0;
	bool in[PAGES] = { };
	unsigned int used = 0;
	size_t i, j;

	for (i = 0; i < n; i++) {
		size_t last = 0, victim = PAGES, page;

		if (in[refs[i]])
			continue;
		misses++;
		for (page = 0; used == frames && page < PAGES; page++) {
			if (!in[page])
				continue;
			for (j = i; j < n && refs[j] != page; j++)
				;
			if (j >= last) {
				last = j;
				victim = page;
			}
		}
		if (victim < PAGES)
			in[victim] = false;
		else
			used++;
		in[refs[i]] = true;
	}
	return misses;
}

/* A space of its own that follows the string under opt. */
static int open_following(const __u32 *refs, size_t n, const char *observer,
			  unsigned int frames, char **map)
{
	int fd = vmd_open();

	if (fd < 0)
		return -1;
	*map = vmd_map(fd, PAGES);
	if (*map != MAP_FAILED && !vmd_set(fd, "lru", observer, frames) &&
	    !load(fd, refs, 0, n, n) && !vmd_policy(fd, "opt"))
		return fd;
	close(fd);
	return -1;
}

FIXTURE(future) {
	__u32 refs[REFS];
	char *map;
	int fd;
};

FIXTURE_SETUP(future)
{
	make_refs(self->refs, REFS, 1);
	ASSERT_OPEN(self->fd);
	ASSERT_MAP(self->map, self->fd, PAGES);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
}

FIXTURE_TEARDOWN(future)
{
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
}

TEST_F(future, opt_without_a_string_is_enodata_and_changes_nothing)
{
	struct vmd_config c = { .mask = VMD_CONFIG_POLICY | VMD_CONFIG_BUDGET,
				.budget = 9, .policy = "opt" }, now;

	EXPECT_ERRNO(ENODATA, vmd_policy(self->fd, "opt"));
	EXPECT_ERRNO(ENODATA, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_EQ(0, vmd_get(self->fd, &now));
	EXPECT_STREQ("lru", now.policy);
	EXPECT_EQ(FRAMES, now.budget);
}

TEST_F(future, info_and_the_lists_tell_that_it_is_there)
{
	char *text = vmd_read_file(VMD_PROC "policies");
	struct vmd_info i;

	ASSERT_EQ(0, vmd_info(self->fd, &i));
	EXPECT_TRUE(i.features & VMD_FEATURE_FUTURE);
	ASSERT_NE(NULL, text);
	EXPECT_NE(NULL, strstr(text, "\nopt "));
	free(text);
}

TEST_F(future, a_space_follows_none_at_first)
{
	struct vmd_future f;

	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(0, f.length);
	EXPECT_EQ(0, f.loaded);
	EXPECT_EQ(0, f.bytes);
	EXPECT_EQ(0, f.departures);
	EXPECT_EQ(VMD_FUTURE_NONE, f.first_position);
	EXPECT_EQ(VMD_FUTURE_NONE, f.first_expected);
	EXPECT_EQ(VMD_FUTURE_NONE, f.first_page);
	EXPECT_EQ(0, drop(self->fd));
}

/* Misses, and that the whole string was followed with no departure. */
static int exact(const __u32 *refs, size_t n, unsigned int frames,
		 unsigned long *misses)
{
	struct vmd_future f;
	struct vmd_stats s;
	int ret = -1;
	char *map;
	int fd = open_following(refs, n, "trap", frames, &map);

	if (fd < 0)
		return -1;
	if (!play(fd, map, refs, n) && !vmd_stats(fd, &s) && !ask(fd, &f)) {
		*misses = s.misses;
		ret = f.position != n || f.followed != n || f.departures ||
		      f.skipped || f.strayed || s.references != n;
	}
	munmap(map, PAGES * vmd_ps);
	close(fd);
	return ret;
}

TEST(what_everybody_knows_is_exact)
{
	unsigned long misses;

	ASSERT_EQ(0, exact(belady, COUNT(belady), 3, &misses));
	EXPECT_EQ(7, misses);
	ASSERT_EQ(0, exact(belady, COUNT(belady), 4, &misses));
	EXPECT_EQ(6, misses);
	ASSERT_EQ(0, exact(textbook, COUNT(textbook), 3, &misses));
	EXPECT_EQ(9, misses);
}

TEST_F(future, misses_are_the_fewest_possible_at_every_size)
{
	static const unsigned int frames[] = { 1, 2, 5, 12, 30, 63, 64 };
	unsigned long misses;
	size_t i;

	for (i = 0; i < COUNT(frames); i++) {
		ASSERT_EQ(0, exact(self->refs, REFS, frames[i], &misses));
		EXPECT_EQ(fewest(self->refs, REFS, frames[i]), misses) {
			TH_LOG("%u frames", frames[i]);
		}
	}
}

/* Misses are seen in order by all of them; batches of evictions may cost some. */
TEST_F(future, other_observers_find_the_place_at_each_miss)
{
	static const char *const observers[] = { "fault", "accessed" };
	struct vmd_future f;
	struct vmd_stats s;
	int i, fd;
	char *map;

	/* A page that comes in for the first time is missed in any case. */
	for (i = 0; i < REFS; i++)
		self->refs[i] %= PAGES - 1;
	self->refs[REFS - 1] = PAGES - 1;
	for (i = 0; i < 2; i++) {
		fd = open_following(self->refs, REFS, observers[i], 12, &map);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, play(fd, map, self->refs, REFS));
		ASSERT_EQ(0, ask(fd, &f));
		ASSERT_EQ(0, vmd_stats(fd, &s));
		EXPECT_EQ(REFS, f.position);
		EXPECT_EQ(0, f.strayed);
		EXPECT_EQ(0, f.departures);
		EXPECT_EQ(REFS, f.followed + f.skipped);
		EXPECT_LE(fewest(self->refs, REFS, 12), s.misses);
		munmap(map, PAGES * vmd_ps);
		close(fd);
	}
}

/* 0 1 2, then 0 and 1 very often and unseen; of 0, 1 and 2 it is 2 that goes. */
TEST_F(future, many_hits_that_are_not_seen_are_passed_over)
{
	static __u32 refs[3 + 60000 + 4];
	struct vmd_future f;
	struct vmd_stats s;
	size_t n = COUNT(refs), i;

	for (i = 0; i < n; i++)
		refs[i] = i < 3 ? i : (i - 3) % 2;
	refs[n - 4] = 3;
	refs[n - 3] = 0;
	refs[n - 2] = 1;
	refs[n - 1] = 2;
	ASSERT_EQ(0, vmd_set(self->fd, NULL, "fault", 3));
	ASSERT_EQ(0, load(self->fd, refs, 0, n, n));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	for (i = 0; i < n; i++)
		vmd_load(self->map + refs[i] * vmd_ps);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(5, s.misses);
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(n, f.position);
	EXPECT_EQ(0, f.departures);
}

TEST_F(future, a_string_in_many_calls_is_one_string)
{
	struct vmd_future f;
	__u64 n, done;

	for (done = 0; done < REFS; done += n) {
		n = done % 7 + 1 < REFS - done ? done % 7 + 1 : REFS - done;
		ASSERT_EQ(0, ask(self->fd, &f));
		EXPECT_EQ(done, f.loaded);
		EXPECT_EQ(0, f.length);
		EXPECT_ERRNO(ENODATA, vmd_policy(self->fd, "opt"));
		ASSERT_EQ(0, load(self->fd, self->refs, done, n, REFS));
	}
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs, REFS));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(REFS, f.length);
	EXPECT_EQ(0, f.loaded);
	EXPECT_EQ(REFS, f.followed);
	/* As documented: 8 bytes a reference, 16 a page at most. */
	EXPECT_LE(8 * REFS, f.bytes);
	EXPECT_GE(8 * REFS + 16 * PAGES, f.bytes);
}

TEST_F(future, a_new_string_begun_forgets_the_one_begun_before)
{
	struct vmd_future f;

	ASSERT_EQ(0, load(self->fd, self->refs, 0, 10, REFS));
	ASSERT_EQ(0, load(self->fd, self->refs, 0, 20, 100));
	EXPECT_ERRNO(EINVAL, load(self->fd, self->refs, 10, 10, REFS));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(20, f.loaded);
	ASSERT_EQ(0, load(self->fd, self->refs, 20, 80, 100));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(100, f.length);
	ASSERT_EQ(0, load(self->fd, self->refs, 0, 10, REFS));
	ASSERT_EQ(0, drop(self->fd));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(0, f.loaded);
	EXPECT_EQ(0, f.length);
}

TEST_F(future, what_makes_no_sense_is_einval)
{
	struct vmd_future good = { .pages = (uintptr_t)self->refs, .count = 9,
				   .total = 9 }, f;

#define REFUSED(change) do {						\
	f = good;							\
	change;								\
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_FUTURE, &f));	\
} while (0)
	REFUSED(f.flags = 2);
	REFUSED(f.reserved = 1);
	REFUSED(f.flags = VMD_FUTURE_DROP);
	REFUSED(f.first = 1);
	REFUSED(f.total = 8);
	REFUSED(f.total = VMD_FUTURE_MAX + 1);
	REFUSED(f.count = ~0ULL);
	REFUSED(f.first = ~0ULL);
	REFUSED(f.first = 5; f.count = 4);
	REFUSED(f.count = 0);
#undef REFUSED
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(0, f.length + f.loaded);
}

TEST_F(future, a_bad_address_is_efault_and_changes_nothing)
{
	char *gone = mmap(NULL, 2 * vmd_ps, VMD_RW, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	__u32 *half = (void *)(gone + vmd_ps - 4 * sizeof(*half));
	struct vmd_future f;

	munmap(gone + vmd_ps, vmd_ps);
	ASSERT_EQ(0, load(self->fd, self->refs, 0, 5, 13));
	EXPECT_ERRNO(EFAULT, load(self->fd, half, 0, 8, 8));
	EXPECT_ERRNO(EFAULT, load(self->fd, half - 5, 5, 8, 13));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(5, f.loaded);
	ASSERT_EQ(0, load(self->fd, self->refs, 5, 8, 13));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(13, f.length);
	munmap(gone, vmd_ps);
}

TEST_F(future, who_may_only_read_may_only_ask)
{
	int fd = open(VMD_DEVICE, O_RDONLY | O_CLOEXEC);
	struct vmd_future f;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vmd_attach(fd, vmd_id(self->fd)));
	EXPECT_ERRNO(EBADF, load(fd, self->refs, 0, 5, 5));
	EXPECT_ERRNO(EBADF, drop(fd));
	ASSERT_EQ(0, load(self->fd, self->refs, 0, 5, 5));
	ASSERT_EQ(0, ask(fd, &f));
	EXPECT_EQ(5, f.length);
	close(fd);
}

/* The string lies in the very space that is to follow it. */
TEST_F(future, the_string_may_lie_in_the_space)
{
	__u32 *in = (void *)(self->map + 40 * vmd_ps);
	struct vmd_future f;

	memcpy(in, self->refs, sizeof(self->refs));
	ASSERT_EQ(0, load(self->fd, in, 0, REFS, REFS));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, load(self->fd, in, 0, REFS, REFS));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs, 100));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(100, f.followed);
}

TEST_F(future, a_reference_too_many_is_a_departure_and_no_more)
{
	static const __u32 extra[] = { 50 };
	struct vmd_future f;

	self->refs[100] = 7;
	ASSERT_EQ(0, load(self->fd, self->refs, 0, 200, 200));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs, 100));
	ASSERT_EQ(0, play(self->fd, self->map, extra, 1));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(100, f.position);
	EXPECT_EQ(1, f.departures);
	EXPECT_EQ(1, f.strayed);
	EXPECT_EQ(100, f.first_position);
	EXPECT_EQ(7, f.first_expected);
	EXPECT_EQ(50, f.first_page);
	ASSERT_EQ(0, play(self->fd, self->map, self->refs + 100, 100));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(200, f.position);
	EXPECT_EQ(200, f.followed);
	EXPECT_EQ(0, f.skipped);
	EXPECT_EQ(1, f.departures);
}

/* 0 to 63 twice, of which 10 to 39 are left out the first time. */
TEST_F(future, what_is_left_out_is_skipped_and_opt_goes_on)
{
	__u32 refs[2 * PAGES], real[2 * PAGES - 30];
	struct vmd_future f;
	struct vmd_stats s;
	unsigned int i;

	for (i = 0; i < 2 * PAGES; i++) {
		refs[i] = i % PAGES;
		if (i < 10 || i >= 40)
			real[i < 10 ? i : i - 30] = refs[i];
	}
	ASSERT_EQ(0, vmd_budget(self->fd, 20));
	ASSERT_EQ(0, load(self->fd, refs, 0, 2 * PAGES, 2 * PAGES));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, real, COUNT(real)));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(2 * PAGES, f.position);
	EXPECT_EQ(1, f.departures);
	EXPECT_EQ(1, f.strayed);
	EXPECT_EQ(31, f.skipped);
	EXPECT_EQ(10, f.first_position);
	EXPECT_EQ(10, f.first_expected);
	EXPECT_EQ(40, f.first_page);
	/* What it knew all along and what it was told of again make it exact. */
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(fewest(real, COUNT(real), 20), s.misses);
}

TEST_F(future, behind_the_end_opt_is_as_lru_and_nothing_is_lost)
{
	struct vmd_future f;

	ASSERT_EQ(0, load(self->fd, self->refs, 0, 50, 50));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs, 50));
	vmd_fill_all(self->map, PAGES, 3);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 3));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(50, f.position);
	EXPECT_EQ(50, f.first_position);
	EXPECT_EQ(VMD_FUTURE_NONE, f.first_expected);
	EXPECT_EQ(1, f.departures);
	EXPECT_LE(2 * PAGES, f.strayed);
	/* All of them are dirty: the three used last are there. */
	EXPECT_EQ(3, vmd_count_state(self->fd, PAGES - 3, 3,
				     VMD_PAGE_RESIDENT));
}

TEST_F(future, it_is_followed_whatever_the_policy)
{
	struct vmd_future f;

	ASSERT_EQ(0, load(self->fd, self->refs, 0, REFS, REFS));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs, 400));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs + 400, 400));
	ASSERT_EQ(0, vmd_policy(self->fd, "arc"));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs + 800, 400));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs + 1200, REFS - 1200));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(REFS, f.position);
	EXPECT_EQ(REFS, f.followed);
	EXPECT_EQ(0, f.departures);
}

/* FIFO brings three pages in; which one opt lets go is what the string says. */
TEST_F(future, a_switch_to_opt_knows_when_what_is_there_is_used_next)
{
	static const __u32 refs[] = { 1, 2, 3, 4, 3, 1, 4, 2 };

	ASSERT_EQ(0, load(self->fd, refs, 0, COUNT(refs), COUNT(refs)));
	ASSERT_EQ(0, play(self->fd, self->map, refs, 3));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, refs + 3, 1));
	EXPECT_EQ(1, vmd_count_state(self->fd, 1, 1, VMD_PAGE_RESIDENT));
	EXPECT_EQ(0, vmd_count_state(self->fd, 2, 1, VMD_PAGE_RESIDENT));
	EXPECT_EQ(1, vmd_count_state(self->fd, 3, 1, VMD_PAGE_RESIDENT));
}

TEST_F(future, a_string_loaded_under_opt_judges_what_is_there)
{
	static const __u32 first[] = { 1, 2, 3, 1, 2, 3 };
	static const __u32 second[] = { 4, 2, 3, 1 };
	struct vmd_future f;

	ASSERT_EQ(0, load(self->fd, first, 0, COUNT(first), COUNT(first)));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, first, 3));
	ASSERT_EQ(0, load(self->fd, second, 0, COUNT(second), COUNT(second)));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(0, f.position);
	EXPECT_EQ(0, f.followed);
	ASSERT_EQ(0, play(self->fd, self->map, second, 1));
	EXPECT_EQ(0, vmd_count_state(self->fd, 1, 1, VMD_PAGE_RESIDENT));
	EXPECT_EQ(2, vmd_count_state(self->fd, 2, 2, VMD_PAGE_RESIDENT));
}

TEST_F(future, what_opt_goes_by_cannot_be_dropped)
{
	struct vmd_future f;

	ASSERT_EQ(0, load(self->fd, self->refs, 0, 9, 9));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	EXPECT_ERRNO(EBUSY, drop(self->fd));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(9, f.length);
	ASSERT_EQ(0, vmd_policy(self->fd, "clock"));
	EXPECT_EQ(0, drop(self->fd));
	EXPECT_ERRNO(ENODATA, vmd_policy(self->fd, "opt"));
}

TEST_F(future, sizes_and_budgets_may_change_under_it)
{
	struct vmd_future f;

	vmd_fill_all(self->map, PAGES, 1);
	ASSERT_EQ(0, load(self->fd, self->refs, 0, REFS, REFS));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, vmd_budget(self->fd, 40));
	ASSERT_EQ(0, vmd_resize(self->fd, 8));
	ASSERT_EQ(0, vmd_budget(self->fd, 300));
	ASSERT_EQ(0, vmd_budget(self->fd, 2));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs, REFS));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(REFS, f.followed);
	EXPECT_EQ(0, f.departures);
}

/* Half of the references are made through another file's mapping. */
TEST_F(future, it_belongs_to_the_space_and_not_to_the_file)
{
	struct vmd_future f;
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_attach(fd, vmd_id(self->fd)));
	ASSERT_MAP(map, fd, PAGES);
	ASSERT_EQ(0, load(self->fd, self->refs, 0, 200, 200));
	ASSERT_EQ(0, vmd_policy(fd, "opt"));
	ASSERT_EQ(0, play(self->fd, self->map, self->refs, 100));
	ASSERT_EQ(0, play(fd, map, self->refs + 100, 100));
	ASSERT_EQ(0, ask(fd, &f));
	EXPECT_EQ(200, f.followed);
	EXPECT_EQ(0, f.departures);
	munmap(map, PAGES * vmd_ps);
	close(fd);
}

/* read(2) and write(2) are references, advice is none. */
TEST_F(future, all_that_counts_as_a_reference_is_followed)
{
	static const __u32 refs[] = { 5, 6, 5, 9, 6 };
	struct vmd_future f;
	char byte = 1;
	size_t i;

	vmd_fill_all(self->map, 16, 1);
	ASSERT_EQ(0, load(self->fd, refs, 0, COUNT(refs), COUNT(refs)));
	ASSERT_EQ(0, vmd_policy(self->fd, "opt"));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_WILLNEED, 7, 2));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 7, 2));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(0, f.position + f.strayed);
	for (i = 0; i < COUNT(refs); i++)
		ASSERT_EQ(1, i % 2 ?
			  pread(self->fd, &byte, 1, refs[i] * vmd_ps) :
			  pwrite(self->fd, &byte, 1, refs[i] * vmd_ps));
	ASSERT_EQ(0, ask(self->fd, &f));
	EXPECT_EQ(COUNT(refs), f.followed);
	EXPECT_EQ(0, f.departures);
}

TEST_F(future, a_space_on_a_file_gets_no_string_with_its_policy)
{
	int file = vmd_temp_file(vmd_test_dir(), 0), fd;
	struct vmd_set_file set = { .fd = file };

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, PAGES * vmd_ps));
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, load(fd, self->refs, 0, 9, 9));
	ASSERT_EQ(0, vmd_policy(fd, "opt"));
	EXPECT_ERRNO(ENODATA, ioctl(fd, VMD_IOC_SET_FILE, &set));
	ASSERT_EQ(0, vmd_policy(fd, "fifo"));
	ASSERT_EQ(0, ioctl(fd, VMD_IOC_SET_FILE, &set));
	EXPECT_ERRNO(ENODATA, vmd_policy(fd, "opt"));
	ASSERT_EQ(0, load(fd, self->refs, 0, 9, 9));
	EXPECT_EQ(0, vmd_policy(fd, "opt"));
	close(fd);
	close(file);
}

/* As a user who may have 16 frames: half of them for a string, and no more. */
static int load_capped(void *arg)
{
	static __u32 refs[8 * 4096 / 8];
	int fd = vmd_open();

	(void)arg;
	if (fd < 0)
		return 1;
	if (!load(fd, refs, 0, COUNT(refs), COUNT(refs)) || errno != EDQUOT)
		return 2;
	if (!load(fd, refs, 0, 1, VMD_FUTURE_MAX) || errno != EDQUOT)
		return 3;
	if (load(fd, refs, 0, 3000, 3000))
		return 4;
	/* The one before goes when the new one is there. */
	if (load(fd, refs, 0, 3000, 3000) || drop(fd))
		return 5;
	close(fd);
	return 0;
}

TEST(its_memory_counts_as_frames_of_the_user)
{
	char *was = vmd_read_file(VMD_PARAMS "user_frames");
	struct stat node;

	ASSERT_NE(NULL, was);
	ASSERT_EQ(0, stat(VMD_DEVICE, &node));
	chmod(VMD_DEVICE, 0666);
	EXPECT_EQ(0, vmd_write_file(VMD_PARAMS "user_frames", "16"));
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, load_capped, NULL));
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, load_capped, NULL));
	EXPECT_EQ(0, vmd_write_file(VMD_PARAMS "user_frames", was));
	chmod(VMD_DEVICE, node.st_mode & 07777);
	free(was);
}

/* Long enough that the table of pages has to grow, and more than once. */
TEST(a_long_string_over_many_pages_is_linked)
{
	size_t n = 20 * vmd_afford(10000), i;
	__u32 *refs = malloc(n * sizeof(*refs));
	struct vmd_future f;
	__u64 seed = 7;
	int fd;

	ASSERT_NE(NULL, refs);
	for (i = 0; i < n; i++)
		refs[i] = vmd_random(&seed);
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, load(fd, refs, 0, n / 2, n));
	ASSERT_EQ(0, load(fd, refs, n / 2, n - n / 2, n));
	ASSERT_EQ(0, ask(fd, &f));
	EXPECT_EQ(n, f.length);
	EXPECT_LE(8 * n, f.bytes);
	EXPECT_GE(8 * n + 16 * n, f.bytes);
	close(fd);
	free(refs);
}

TEST_HARNESS_MAIN
