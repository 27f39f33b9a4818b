// SPDX-License-Identifier: GPL-2.0-only
/*
 * How what was written gets into the file: by eviction, by each of the calls
 * that ask for it, and when the last user has gone, in whatever way. The file
 * is looked at by read(2) on another descriptor.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmd_harness.h"
#include "vmd_test_file.h"

#define PAGES	24
#define FRAMES	6
#define OLD	1000			/* what the file holds */
#define NEW	2000			/* what is written */

FIXTURE(back)
{
	int file;
	int fd;
	char *map;
};

FIXTURE_SETUP(back)
{
	ASSERT_LE(0, self->file = vmd_make_file(PAGES * vmd_ps, OLD));
	ASSERT_LE(0, self->fd = vmd_open_on(self->file, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(back)
{
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	close(self->file);
}

TEST_F(back, eviction_writes_in_place)
{
	struct vmd_stats s;
	size_t i;

	vmd_fill_all(self->map, PAGES, NEW);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_GE(FRAMES, s.resident);
	EXPECT_LE(PAGES - FRAMES, s.pages_written);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 0));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, PAGES, NEW));
	/* A clean page is not written again. */
	ASSERT_EQ(0, vmd_reset(self->fd));
	for (i = 0; i < PAGES; i++)
		vmd_load(self->map + i * vmd_ps);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 0));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.pages_written);
	EXPECT_EQ(PAGES, s.pages_read);
}

TEST_F(back, only_pages_that_were_written_are)
{
	struct vmd_stats s;

	vmd_touch_all(self->map + 8 * vmd_ps, 1);
	vmd_load(self->map + 9 * vmd_ps);
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(1, s.pages_written);
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(1, s.pages_written);
}

TEST_F(back, fsync_does)
{
	vmd_fill(self->map + 3 * vmd_ps, NEW);
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_page_is(self->file, 3, NEW));
	vmd_fill(self->map + 3 * vmd_ps, NEW + 1);
	ASSERT_EQ(0, fdatasync(self->fd));
	EXPECT_TRUE(vmd_page_is(self->file, 3, NEW + 1));
}

TEST_F(back, msync_does)
{
	vmd_fill(self->map + 5 * vmd_ps, NEW);
	ASSERT_EQ(0, msync(self->map + 5 * vmd_ps, vmd_ps, MS_SYNC));
	EXPECT_TRUE(vmd_page_is(self->file, 5, NEW));
	EXPECT_EQ(0, vmd_count_flag(self->fd, 0, PAGES, VMD_PAGE_DIRTY));
}

TEST_F(back, the_sync_call_does_for_its_range)
{
	vmd_fill(self->map + 1 * vmd_ps, NEW);
	vmd_fill(self->map + 2 * vmd_ps, NEW);
	ASSERT_EQ(0, vmd_sync(self->fd, 2, 1));
	EXPECT_TRUE(vmd_page_is(self->file, 2, NEW));
	EXPECT_TRUE(vmd_page_is(self->file, 1, OLD + 1));
	ASSERT_EQ(0, vmd_sync(self->fd, 0, 0));
	EXPECT_TRUE(vmd_page_is(self->file, 1, NEW));
}

TEST_F(back, what_was_written_by_write)
{
	char *buf = malloc(3 * vmd_ps);

	vmd_fill_all(buf, 3, NEW);
	ASSERT_EQ((ssize_t)(3 * vmd_ps),
		  pwrite(self->fd, buf, 3 * vmd_ps, 4 * vmd_ps));
	EXPECT_TRUE(vmd_check(self->map + 5 * vmd_ps, NEW + 1));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_page_is(self->file, 6, NEW + 2));
	/* A part of a page leaves the rest of it. */
	ASSERT_EQ(5, pwrite(self->fd, "abcde", 5, 9 * vmd_ps + 10));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(10, pread(self->file, buf, 10, 9 * vmd_ps));
	EXPECT_EQ(0, memcmp(buf, self->map + 9 * vmd_ps, 10));
	EXPECT_TRUE(vmd_bytes_are(self->file, 9 * vmd_ps + 10, 1, 'a'));
	free(buf);
}

TEST_F(back, read_sees_the_mapping_and_the_mapping_sees_write)
{
	char c;

	memset(self->map + vmd_ps, 'm', 10);
	ASSERT_EQ(1, pread(self->fd, &c, 1, vmd_ps + 9));
	EXPECT_EQ('m', c);
	ASSERT_EQ(1, pwrite(self->fd, "w", 1, vmd_ps + 9));
	EXPECT_EQ('w', vmd_load(self->map + vmd_ps + 9));
	EXPECT_EQ('m', vmd_load(self->map + vmd_ps + 8));
}

/* The last user goes. What it wrote follows, perhaps a moment later. */
TEST_F(back, the_last_close_does)
{
	vmd_fill_all(self->map, PAGES, NEW);
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	EXPECT_TRUE(vmd_becomes(self->file, PAGES - 1, NEW + PAGES - 1));
	EXPECT_TRUE(vmd_becomes(self->file, 0, NEW));
	/* And the file is free for another space then. */
	ASSERT_LE(0, self->fd = vmd_open_again(self->file, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, NEW));
}

TEST_F(back, a_mapping_counts_as_a_user)
{
	close(self->fd);
	vmd_fill_all(self->map, PAGES, NEW);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, NEW));
	ASSERT_EQ(0, msync(self->map, PAGES * vmd_ps, MS_SYNC));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, PAGES, NEW));
	vmd_fill(self->map, NEW + 500);
	munmap(self->map, PAGES * vmd_ps);
	EXPECT_TRUE(vmd_becomes(self->file, 0, NEW + 500));
}

/* A child that has the only space on the file, writes and ends in some way. */
static pid_t start_writer(int file, int ready)
{
	pid_t pid = vmd_fork();
	char *map;
	int fd;

	if (pid)
		return pid;
	fd = vmd_open_on(file, FRAMES);
	map = fd < 0 ? MAP_FAILED : vmd_map(fd, PAGES);
	if (map == MAP_FAILED)
		_exit(1);
	vmd_fill_all(map, PAGES, NEW);
	if (ready < 0)
		_exit(0);
	if (write(ready, "r", 1) != 1)
		_exit(2);
	for (;;)
		pause();
}

TEST(exit_without_close_does)
{
	int file = vmd_make_file(PAGES * vmd_ps, OLD);
	size_t i;

	ASSERT_LE(0, file);
	EXPECT_CHILD(start_writer(file, -1));
	for (i = 0; i < PAGES; i++)
		EXPECT_TRUE(vmd_becomes(file, i, NEW + i));
	close(file);
}

TEST(kill_9_does)
{
	int file = vmd_make_file(PAGES * vmd_ps, OLD), ready[2];
	size_t i;
	pid_t pid;
	char c;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, pipe(ready));
	pid = start_writer(file, ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
	for (i = 0; i < PAGES; i++)
		EXPECT_TRUE(vmd_becomes(file, i, NEW + i));
	close(file);
}

TEST_F(back, fork_shares_it)
{
	pid_t pid = vmd_fork();

	if (!pid) {
		vmd_fill_all(self->map, PAGES, NEW);
		_exit(0);
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, NEW));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, PAGES, NEW));
}

TEST_F(back, two_descriptors_stand_for_one_space)
{
	char *map;
	int other;

	ASSERT_OPEN(other);
	ASSERT_EQ(0, vmd_attach(other, vmd_id(self->fd)));
	EXPECT_EQ(PAGES * (__s64)vmd_ps, vmd_device_size(other));
	ASSERT_MAP(map, other, PAGES);
	vmd_fill(map + 2 * vmd_ps, NEW);
	EXPECT_TRUE(vmd_check(self->map + 2 * vmd_ps, NEW));
	vmd_fill(self->map + 3 * vmd_ps, NEW + 1);
	ASSERT_EQ(0, fsync(other));
	EXPECT_TRUE(vmd_page_is(self->file, 2, NEW));
	EXPECT_TRUE(vmd_page_is(self->file, 3, NEW + 1));
	/* The first one going is not the last. */
	munmap(map, PAGES * vmd_ps);
	close(other);
	vmd_fill(self->map + 4 * vmd_ps, NEW + 2);
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_page_is(self->file, 4, NEW + 2));
}

TEST_F(back, the_pages_stay_resident_when_they_are_written)
{
	vmd_fill_all(self->map, FRAMES - 1, NEW);
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(FRAMES - 1, vmd_count_state(self->fd, 0, FRAMES - 1,
					      VMD_PAGE_RESIDENT));
	/* And are seen to be written to once more. */
	vmd_fill_all(self->map, FRAMES - 1, NEW + 100);
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, FRAMES - 1, NEW + 100));
}

/* All policies under all observers: nothing depends on who chooses victims. */
static bool combination_works(int file, const char *policy,
			      const char *observer, __u64 tag)
{
	int fd = vmd_open_again(file, FRAMES);
	char *map = vmd_map(fd, PAGES);
	bool good;
	__u64 r = 5;
	int i;

	if (map == MAP_FAILED)
		return false;
	good = !vmd_set(fd, policy, observer, 0);
	vmd_fill_all(map, PAGES, tag);
	for (i = 0; i < 4 * PAGES; i++) {
		__u64 page = vmd_random(&r) % PAGES;

		good = good && vmd_check(map + page * vmd_ps, tag + page);
	}
	good = good && !fsync(fd) && !vmd_bad_in_file(file, PAGES, tag);
	munmap(map, PAGES * vmd_ps);
	close(fd);
	return good;
}

/* With VMD_TEST_QUICK, each policy under one observer: the next one in turn. */
TEST(every_policy_and_observer)
{
	bool quick = getenv("VMD_TEST_QUICK");
	int file = vmd_make_file(PAGES * vmd_ps, OLD);
	const char *const *p, *const *o;
	__u64 tag = NEW;

	ASSERT_LE(0, file);
	for (p = vmd_policy_names; *p; p++)
		for (o = vmd_observer_names; *o; o++, tag += 100) {
			if (quick && (p - vmd_policy_names) % 3 !=
				     o - vmd_observer_names)
				continue;
			EXPECT_TRUE(combination_works(file, *p, *o, tag)) {
				TH_LOG("policy %ld observer %ld",
				       (long)(p - vmd_policy_names),
				       (long)(o - vmd_observer_names));
			}
		}
	close(file);
}

TEST_HARNESS_MAIN
