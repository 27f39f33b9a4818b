// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMD_IOC_PUNCH: content goes, and what it took is given back; on spaces
 * without a file and on files.
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
#include "vmd_test_file.h"

#define PAGES	64
#define FRAMES	16
#define TAG	1000
#define FIRST	8			/* what is punched */
#define COUNT	40

FIXTURE(punch)
{
	int file;			/* -1: none */
	int fd;
	char *map;
};

FIXTURE_VARIANT(punch)
{
	bool file;
};

FIXTURE_VARIANT_ADD(punch, anonymous) { .file = false, };
FIXTURE_VARIANT_ADD(punch, file) { .file = true, };

FIXTURE_SETUP(punch)
{
	self->file = -1;
	if (variant->file) {
		self->file = vmd_make_file(PAGES * vmd_ps, 0);
		ASSERT_LE(0, self->file);
		ASSERT_LE(0, self->fd = vmd_open_on(self->file, FRAMES));
	} else {
		ASSERT_OPEN(self->fd);
		ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
		ASSERT_EQ(0, vmd_budget(self->fd, FRAMES));
	}
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, TAG);
}

FIXTURE_TEARDOWN(punch)
{
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	close(self->file);
}

#define NO_HOLES	"the file cannot have holes"

/* Only a file may be unable to; any other failure is for the test to see. */
static bool cannot_punch(int fd, int file, __u64 first, __u64 count)
{
	return vmd_punch(fd, first, count) && file >= 0 &&
	       errno == EOPNOTSUPP;
}

static size_t count_zero(const char *map, size_t pages)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++)
		n += vmd_is_zero(map + i * vmd_ps);
	return n;
}

TEST_F(punch, what_is_punched_reads_as_zeros_and_nothing_else_does)
{
	if (cannot_punch(self->fd, self->file, FIRST, COUNT))
		SKIP(return, NO_HOLES);
	EXPECT_EQ(COUNT, count_zero(self->map + FIRST * vmd_ps, COUNT));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FIRST, TAG));
	EXPECT_EQ(0, vmd_bad_pages(self->map + (FIRST + COUNT) * vmd_ps,
				   PAGES - FIRST - COUNT, TAG + FIRST + COUNT));
	EXPECT_TRUE(vmd_page_is_zero(self->fd, FIRST + 1));
}

TEST_F(punch, frames_and_slots_are_given_back)
{
	struct vmd_stats s;
	__u64 resident;

	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	resident = s.resident;
	if (cannot_punch(self->fd, self->file, 0, PAGES))
		SKIP(return, NO_HOLES);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_LT(0, resident);
	EXPECT_EQ(0, s.resident);
	EXPECT_EQ(0, s.dirty);
	/* In a file, each page has its place for ever. */
	if (self->file < 0) {
		EXPECT_EQ(0, vmd_count_flag(self->fd, 0, PAGES, VMD_PAGE_SLOT));
		EXPECT_EQ(PAGES, vmd_count_state(self->fd, 0, PAGES,
						 VMD_PAGE_ABSENT));
	}
}

TEST_F(punch, the_counter_counts_pages_that_had_content)
{
	struct vmd_stats s;

	if (cannot_punch(self->fd, self->file, FIRST, COUNT))
		SKIP(return, NO_HOLES);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	/* Of a file, pages never touched are not looked at. */
	EXPECT_GE(COUNT, s.punched);
	EXPECT_LT(self->file < 0 ? COUNT - 1 : 0, s.punched);
}

TEST_F(punch, a_punched_page_can_be_written_again)
{
	if (cannot_punch(self->fd, self->file, FIRST, COUNT))
		SKIP(return, NO_HOLES);
	vmd_fill(self->map + FIRST * vmd_ps, 7);
	vmd_touch_all(self->map, PAGES);
	EXPECT_TRUE(vmd_check(self->map + FIRST * vmd_ps, 7));
	EXPECT_TRUE(vmd_is_zero(self->map + (FIRST + 1) * vmd_ps));
}

TEST_F(punch, length_0_is_up_to_the_end)
{
	if (cannot_punch(self->fd, self->file, FIRST, 0))
		SKIP(return, NO_HOLES);
	EXPECT_EQ(PAGES - FIRST, count_zero(self->map + FIRST * vmd_ps,
					    PAGES - FIRST));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FIRST, TAG));
}

TEST_F(punch, pinned_pages_keep_all_of_it)
{
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, FIRST + 3, 1));
	EXPECT_ERRNO(EBUSY, vmd_punch(self->fd, FIRST, COUNT));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, TAG));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_UNPIN, 0, 0));
	if (cannot_punch(self->fd, self->file, FIRST, COUNT))
		SKIP(return, NO_HOLES);
	EXPECT_TRUE(vmd_is_zero(self->map + (FIRST + 3) * vmd_ps));
}

TEST_F(punch, private_copies_stay)
{
	char *private = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, (void *)private);
	vmd_fill(private + FIRST * vmd_ps, 5);
	vmd_load(private + (FIRST + 1) * vmd_ps);
	if (cannot_punch(self->fd, self->file, FIRST, COUNT))
		SKIP(return, NO_HOLES);
	EXPECT_TRUE(vmd_check(private + FIRST * vmd_ps, 5));
	EXPECT_TRUE(vmd_is_zero(private + (FIRST + 1) * vmd_ps));
	munmap(private, PAGES * vmd_ps);
}

TEST_F(punch, bad_arguments)
{
	struct vmd_punch p = { .length = vmd_ps, .flags = 1 };
	int fd;

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PUNCH, &p));
	p.flags = 0;
	p.reserved = 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PUNCH, &p));
	p.reserved = 0;
	p.offset = 100;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PUNCH, &p));
	p.offset = 0;
	p.length = 100;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_PUNCH, &p));
	EXPECT_ERRNO(EINVAL, vmd_punch(self->fd, PAGES, 1));
	EXPECT_ERRNO(EINVAL, vmd_punch(self->fd, 1, PAGES));
	EXPECT_ERRNO(EINVAL, vmd_punch(self->fd, UINT64_MAX / vmd_ps, 2));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, TAG));
	ASSERT_LE(0, fd = open(VMD_DEVICE, O_RDONLY));
	EXPECT_ERRNO(EBADF, vmd_punch(fd, 0, 0));
	close(fd);
}

TEST_F(punch, a_page_of_a_waiting_pipe_is_no_obstacle)
{
	char *buf = malloc(vmd_ps);
	int p[2];
	struct iovec io = { self->map + FIRST * vmd_ps, vmd_ps };

	ASSERT_EQ(0, pipe(p));
	/* Spliced in, the page is in the pipe's hands: punched all the same. */
	ASSERT_EQ((ssize_t)vmd_ps, vmsplice(p[1], &io, 1, 0));
	if (vmd_punch(self->fd, FIRST, COUNT)) {
		EXPECT_TRUE(errno == EBUSY || errno == EOPNOTSUPP);
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, TAG));
	} else {
		EXPECT_TRUE(vmd_is_zero(self->map + FIRST * vmd_ps));
	}
	EXPECT_EQ((ssize_t)vmd_ps, read(p[0], buf, vmd_ps));
	close(p[0]);
	close(p[1]);
	free(buf);
}

/* The file's own blocks: only where it has a regular file. */
static __s64 blocks(int file)
{
	struct stat st;

	return fstat(file, &st) ? -1 : st.st_blocks;
}

TEST(the_files_blocks_are_given_back)
{
	int file = vmd_make_file(PAGES * vmd_ps, TAG), fd;
	__s64 before;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, fsync(file));
	before = blocks(file);
	ASSERT_LE(0, fd = vmd_open_on(file, FRAMES));
	if (vmd_punch(fd, FIRST, COUNT)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, NO_HOLES);
	}
	ASSERT_EQ(0, fsync(fd));
	fsync(file);
	EXPECT_EQ(before - COUNT * (__s64)vmd_ps / 512, blocks(file));
	EXPECT_EQ(PAGES * (__s64)vmd_ps, vmd_file_size(file));
	EXPECT_TRUE(vmd_page_is_zero(file, FIRST));
	EXPECT_TRUE(vmd_page_is_zero(file, FIRST + COUNT - 1));
	EXPECT_TRUE(vmd_page_is(file, FIRST - 1, TAG + FIRST - 1));
	EXPECT_TRUE(vmd_page_is(file, FIRST + COUNT, TAG + FIRST + COUNT));
	close(fd);
	close(file);
}

TEST(what_was_dirty_when_punched_does_not_come_back)
{
	int file = vmd_make_file(PAGES * vmd_ps, TAG), fd;
	char *map;

	ASSERT_LE(0, file);
	ASSERT_LE(0, fd = vmd_open_on(file, 2 * PAGES));
	ASSERT_MAP(map, fd, PAGES);
	vmd_fill_all(map, PAGES, 9000);
	if (vmd_punch(fd, FIRST, COUNT)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, NO_HOLES);
	}
	ASSERT_EQ(0, vmd_advise(fd, VMD_ADVICE_EVICT, 0, 0));
	EXPECT_TRUE(vmd_page_is_zero(file, FIRST));
	EXPECT_TRUE(vmd_is_zero(map + (FIRST + COUNT - 1) * vmd_ps));
	EXPECT_TRUE(vmd_page_is(file, 0, 9000));
	munmap(map, PAGES * vmd_ps);
	close(fd);
	close(file);
}

TEST(punching_the_tail_leaves_the_size)
{
	int file = vmd_make_file(3 * vmd_ps + 9, TAG), fd;

	ASSERT_LE(0, file);
	ASSERT_LE(0, fd = vmd_open_on(file, FRAMES));
	/* The end of a range may be the space's, rounded up to a page. */
	if (vmd_punch(fd, 3, 0)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, NO_HOLES);
	}
	EXPECT_EQ(3 * (__s64)vmd_ps + 9, vmd_file_size(file));
	EXPECT_TRUE(vmd_bytes_are(file, 3 * vmd_ps, 9, 0));
	EXPECT_TRUE(vmd_page_is(file, 2, TAG + 2));
	close(fd);
	close(file);
}

TEST_HARNESS_MAIN
