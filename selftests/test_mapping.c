// SPDX-License-Identifier: GPL-2.0-only
/* What a program may do to a mapping, as with ordinary shared memory. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "vmd_harness.h"

#define PAGES	32
#define FRAMES	8		/* fewer than PAGES: every test also evicts */

FIXTURE(mapping) {
	int fd;
	char *map;
};

FIXTURE_VARIANT(mapping) {
	const char *observer;
};

FIXTURE_VARIANT_ADD(mapping, fault) { .observer = "fault" };
FIXTURE_VARIANT_ADD(mapping, accessed) { .observer = "accessed" };
FIXTURE_VARIANT_ADD(mapping, trap) { .observer = "trap" };

FIXTURE_SETUP(mapping)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", variant->observer, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, 1);
}

FIXTURE_TEARDOWN(mapping)
{
	close(self->fd);
}

TEST_F(mapping, a_write_to_a_read_only_page_is_sigsegv)
{
	ASSERT_EQ(0, mprotect(self->map, 4 * vmd_ps, PROT_READ));
	EXPECT_EQ(SIGSEGV, vmd_write_signal(self->map));
	EXPECT_EQ(SIGSEGV, vmd_write_signal(self->map + 4 * vmd_ps - 1));
	EXPECT_EQ(0, vmd_write_signal(self->map + 4 * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(self->map, 4, 1));
}

TEST_F(mapping, a_page_without_access_is_sigsegv_and_keeps_its_content)
{
	ASSERT_EQ(0, mprotect(self->map, vmd_ps, PROT_NONE));
	EXPECT_EQ(SIGSEGV, vmd_read_signal(self->map));
	ASSERT_EQ(0, mprotect(self->map, vmd_ps, VMD_RW));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_F(mapping, a_page_made_writable_again_takes_writes)
{
	ASSERT_EQ(0, mprotect(self->map, PAGES * vmd_ps, PROT_READ));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	ASSERT_EQ(0, mprotect(self->map, PAGES * vmd_ps, VMD_RW));
	vmd_fill_all(self->map, PAGES, 90);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 90));
}

TEST_F(mapping, a_read_only_mapping_of_the_space_refuses_writes)
{
	char *map = vmd_map_as(self->fd, PAGES, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(SIGSEGV, vmd_write_signal(map));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
}

TEST_F(mapping, a_partial_munmap_leaves_the_rest)
{
	ASSERT_EQ(0, munmap(self->map + 4 * vmd_ps, 8 * vmd_ps));
	EXPECT_EQ(SIGSEGV, vmd_read_signal(self->map + 4 * vmd_ps));
	EXPECT_EQ(SIGSEGV, vmd_read_signal(self->map + 12 * vmd_ps - 1));
	EXPECT_EQ(0, vmd_bad_pages(self->map, 4, 1));
	EXPECT_EQ(0, vmd_bad_pages(self->map + 12 * vmd_ps, PAGES - 12, 13));
}

TEST_F(mapping, pages_unmapped_keep_their_content_in_the_space)
{
	char *map;

	ASSERT_EQ(0, munmap(self->map, PAGES * vmd_ps));
	ASSERT_MAP(map, self->fd, PAGES);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
}

TEST_F(mapping, mremap_moves_the_content)
{
	char *to = mmap(NULL, PAGES * vmd_ps, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *map = mremap(self->map, PAGES * vmd_ps, PAGES * vmd_ps,
			   MREMAP_MAYMOVE | MREMAP_FIXED, to);

	ASSERT_EQ((void *)to, (void *)map);
	EXPECT_EQ(SIGSEGV, vmd_read_signal(self->map));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	vmd_fill_all(map, PAGES, 70);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 70));
}

TEST_F(mapping, mremap_shrinks)
{
	char *map = mremap(self->map, PAGES * vmd_ps, 4 * vmd_ps, 0);

	ASSERT_EQ((void *)self->map, (void *)map);
	EXPECT_EQ(0, vmd_bad_pages(map, 4, 1));
	EXPECT_EQ(SIGSEGV, vmd_read_signal(map + 4 * vmd_ps));
}

/* The driver does not hear of it, so the space's end stays where it was. */
TEST_F(mapping, mremap_grows_within_the_space)
{
	char *map;

	ASSERT_EQ(0, vmd_resize(self->fd, 2 * PAGES));
	map = mremap(self->map, PAGES * vmd_ps, 2 * PAGES * vmd_ps,
		     MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	EXPECT_TRUE(vmd_is_zero(map + PAGES * vmd_ps));
	vmd_fill_all(map, 2 * PAGES, 5);
	EXPECT_EQ(0, vmd_bad_pages(map, 2 * PAGES, 5));
}

TEST_F(mapping, dontneed_keeps_the_content_of_a_shared_mapping)
{
	ASSERT_EQ(0, madvise(self->map, PAGES * vmd_ps, MADV_DONTNEED));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_F(mapping, dontneed_drops_the_copies_of_a_private_mapping)
{
	char *map = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, (void *)map);
	vmd_fill_all(map, PAGES, 300);
	ASSERT_EQ(0, vmd_bad_pages(map, PAGES, 300));
	ASSERT_EQ(0, madvise(map, PAGES * vmd_ps, MADV_DONTNEED));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
}

/* Waits, since readahead may be done by somebody else in the meantime. */
static int await_resident(int fd, __u64 first, int pages)
{
	__u64 end = vmd_now_ms() + 5000;
	int n;

	do {
		n = vmd_count_state(fd, first, pages, VMD_PAGE_RESIDENT);
	} while (n < pages && vmd_now_ms() < end);
	return n;
}

TEST_F(mapping, willneed_brings_the_pages_in)
{
	struct vmd_stats before, after;

	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	ASSERT_EQ(0, before.resident);
	ASSERT_EQ(0, madvise(self->map, 4 * vmd_ps, MADV_WILLNEED));
	EXPECT_EQ(4, await_resident(self->fd, 0, 4));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_LE(before.pages_read + 4, after.pages_read);
	EXPECT_EQ(0, vmd_bad_pages(self->map, 4, 1));
}

TEST_F(mapping, a_page_that_willneed_brought_in_is_no_miss_when_touched)
{
	struct vmd_stats before, after;

	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	ASSERT_EQ(0, madvise(self->map, 4 * vmd_ps, MADV_WILLNEED));
	ASSERT_EQ(4, await_resident(self->fd, 0, 4));
	ASSERT_EQ(0, vmd_stats(self->fd, &before));
	EXPECT_EQ(0, vmd_bad_pages(self->map, 4, 1));
	ASSERT_EQ(0, vmd_stats(self->fd, &after));
	EXPECT_EQ(before.misses, after.misses);
	EXPECT_EQ(before.faults_major, after.faults_major);
	EXPECT_EQ(before.pages_read, after.pages_read);
}

TEST_F(mapping, willneed_for_more_than_the_budget_stays_within_it)
{
	struct vmd_stats s;

	ASSERT_EQ(0, madvise(self->map, PAGES * vmd_ps, MADV_WILLNEED));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_GE(FRAMES, s.resident);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_F(mapping, random_sequential_and_normal_are_accepted_and_harmless)
{
	static const int advice[] = {
		MADV_RANDOM, MADV_SEQUENTIAL, MADV_NORMAL
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		EXPECT_EQ(0, madvise(self->map, PAGES * vmd_ps, advice[i]));
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	}
}

TEST_F(mapping, mlock_brings_pages_in_and_munlock_lets_go)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &all);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	ASSERT_EQ(0, mlock(self->map, 2 * vmd_ps));
	EXPECT_EQ(2, vmd_count_state(self->fd, 0, 2, VMD_PAGE_RESIDENT));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	EXPECT_EQ(0, munlock(self->map, 2 * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_F(mapping, mlock_of_more_than_the_budget_loses_nothing)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct vmd_stats s;

	setrlimit(RLIMIT_MEMLOCK, &all);
	ASSERT_EQ(0, mlock(self->map, PAGES * vmd_ps));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_GE(FRAMES, s.resident);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	EXPECT_EQ(0, munlock(self->map, PAGES * vmd_ps));
}

TEST_F(mapping, map_populate_brings_pages_in)
{
	char *map;

	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	map = vmd_map_as(self->fd, 4, VMD_RW, MAP_SHARED | MAP_POPULATE);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(4, vmd_count_state(self->fd, 0, 4, VMD_PAGE_RESIDENT));
	EXPECT_EQ(0, vmd_bad_pages(map, 4, 1));
}

TEST_F(mapping, map_populate_of_more_than_the_budget_ends_and_loses_nothing)
{
	char *map = vmd_map_as(self->fd, PAGES, VMD_RW,
			       MAP_SHARED | MAP_POPULATE);

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
}

TEST_F(mapping, a_private_mapping_follows_the_shared_one_until_it_is_written)
{
	char *map = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	vmd_fill_all(self->map, PAGES, 200);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 200));
	vmd_fill(map, 999);
	vmd_fill_all(self->map, PAGES, 400);
	EXPECT_TRUE(vmd_check(map, 999));
	EXPECT_EQ(0, vmd_bad_pages(map + vmd_ps, PAGES - 1, 401));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 400));
}

TEST_F(mapping, private_copies_survive_eviction_of_what_they_were_copied_from)
{
	char *map = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, (void *)map);
	vmd_fill_all(map, PAGES, 600);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 600));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_F(mapping, fork_copies_a_private_mapping_on_write)
{
	char *map = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)map);
	vmd_fill_all(map, PAGES / 2, 800);
	pid = vmd_fork();
	if (!pid) {
		if (vmd_bad_pages(map, PAGES / 2, 800) ||
		    vmd_bad_pages(map + PAGES / 2 * vmd_ps, PAGES / 2,
				  1 + PAGES / 2))
			_exit(1);
		vmd_fill_all(map, PAGES, 900);
		_exit(vmd_bad_pages(map, PAGES, 900) != 0);
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES / 2, 800));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

static int wait_for(__u32 *word, __u32 value)
{
	struct timespec limit = { 20, 0 };

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
		if (syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, 0, 0) &&
		    errno != EAGAIN && errno != EINTR)
			return -1;
	return 0;
}

static void set_and_wake(__u32 *word, __u32 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, 0, 0, 0);
}

/* Two processes, each with a mapping of its own, take turns. */
TEST_F(mapping, a_futex_in_the_mapping_works_between_processes)
{
	__u32 *word = (__u32 *)self->map, i;
	pid_t pid;

	*word = 0;
	pid = vmd_fork();
	if (!pid) {
		word = vmd_map(self->fd, PAGES);
		for (i = 0; i < 40; i += 2) {
			if (wait_for(word, i))
				_exit(1);
			set_and_wake(word, i + 2);
		}
		_exit(0);
	}
	for (i = 0; i < 40; i += 2) {
		set_and_wake(word, i + 1);
		ASSERT_EQ(0, wait_for(word, i + 1));
	}
	EXPECT_CHILD(pid);
}

/* The waiter sleeps in the kernel while the futex's page leaves its frame. */
TEST_F(mapping, a_futex_waiter_is_woken_after_its_page_was_evicted)
{
	__u32 *word = (__u32 *)self->map;
	pid_t pid;

	*word = 5;
	pid = vmd_fork();
	if (!pid)
		_exit(wait_for(word, 5) != 0);
	vmd_sleep_ms(100);
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 1));
	vmd_touch_all(self->map + vmd_ps, PAGES - 1);
	EXPECT_EQ(5, *word);
	set_and_wake(word, 6);
	EXPECT_CHILD(pid);
}

TEST_F(mapping, mincore_and_msync_are_answered)
{
	unsigned char vec[PAGES];

	EXPECT_EQ(0, mincore(self->map, PAGES * vmd_ps, vec));
	EXPECT_EQ(0, msync(self->map, PAGES * vmd_ps, MS_SYNC));
	EXPECT_EQ(0, msync(self->map, PAGES * vmd_ps, MS_ASYNC));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
}

TEST_HARNESS_MAIN
