// SPDX-License-Identifier: GPL-2.0-only
/*
 * A space on the block device $VMD_TEST_DEVICE, whose content is lost. Its size
 * is the device's and stays; all else is as on a file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmd_harness.h"
#include "vmd_test_file.h"

#define PAGES	48			/* those that are used */
#define FRAMES	8
#define OLD	1000
#define NEW	2000

FIXTURE(block)
{
	int file;
	int fd;
	char *map;
	__u64 size;
};

FIXTURE_SETUP(block)
{
	/* Not skipped: a run that lacks it is no run. */
	ASSERT_NE(NULL, getenv("VMD_TEST_DEVICE"));
	ASSERT_LE(0, self->file = vmd_make_file(PAGES * vmd_ps, OLD));
	ASSERT_EQ(0, fsync(self->file));
	self->size = vmd_device_size(self->file);
	ASSERT_LE(PAGES * vmd_ps, self->size);
	/* The test before may not be written back yet. */
	ASSERT_LE(0, self->fd = vmd_open_again(self->file, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(block)
{
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	close(self->file);
}

TEST_F(block, shows_the_device)
{
	struct vmd_config c;

	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, OLD));
	EXPECT_EQ((__s64)self->size, vmd_device_size(self->fd));
	EXPECT_EQ((off_t)self->size, lseek(self->fd, 0, SEEK_END));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(self->size, c.size);
	EXPECT_STREQ("file", c.store);
}

TEST_F(block, what_is_evicted_is_in_place)
{
	struct vmd_stats s;

	vmd_fill_all(self->map, PAGES, NEW);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_LE(PAGES - FRAMES, s.pages_written);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, NEW));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, PAGES, NEW));
}

TEST_F(block, read_and_write_do)
{
	char *buf = malloc(vmd_ps);

	vmd_fill(buf, NEW);
	ASSERT_EQ((ssize_t)vmd_ps, pwrite(self->fd, buf, vmd_ps, 7 * vmd_ps));
	EXPECT_TRUE(vmd_check(self->map + 7 * vmd_ps, NEW));
	EXPECT_TRUE(vmd_page_is(self->fd, 8, OLD + 8));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_page_is(self->file, 7, NEW));
	free(buf);
}

TEST_F(block, the_size_stays)
{
	char c;

	EXPECT_ERRNO(EINVAL, vmd_set_size(self->fd, self->size - vmd_ps));
	EXPECT_ERRNO(EINVAL, vmd_set_size(self->fd, self->size + vmd_ps));
	EXPECT_EQ(0, vmd_set_size(self->fd, self->size));
	EXPECT_ERRNO(ENOSPC, pwrite(self->fd, "x", 1, self->size));
	EXPECT_EQ(0, pread(self->fd, &c, 1, self->size));
	EXPECT_EQ((__s64)self->size, vmd_device_size(self->fd));
}

/* Devices whose size is no multiple of the page's have a tail as files do. */
TEST_F(block, the_last_bytes_of_the_device)
{
	__u64 last = self->size - 512;
	__u64 page = last / vmd_ps;
	char *map = mmap(NULL, vmd_ps, VMD_RW, MAP_SHARED, self->fd,
			 page * vmd_ps);
	size_t tail = self->size - page * vmd_ps, i;

	ASSERT_NE(MAP_FAILED, (void *)map);
	memset(map, 't', vmd_ps);
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_bytes_are(self->file, last, 512, 't'));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, page, 1));
	for (i = 0; i < vmd_ps; i++)
		ASSERT_EQ(i < tail ? 't' : 0, vmd_load(map + i));
	munmap(map, vmd_ps);
}

TEST_F(block, the_last_close_writes_back)
{
	vmd_fill_all(self->map, PAGES, NEW + 100);
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	EXPECT_TRUE(vmd_becomes(self->file, PAGES - 1, NEW + 100 + PAGES - 1));
	EXPECT_TRUE(vmd_becomes(self->file, 0, NEW + 100));
	self->fd = -1;
	self->map = mmap(NULL, PAGES * vmd_ps, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_F(block, a_second_space_on_it_is_refused)
{
	int other = vmd_open();

	EXPECT_ERRNO(EBUSY, vmd_set_file(other, self->file));
	close(other);
}

TEST_F(block, punching_gives_zeros_or_says_it_cannot)
{
	vmd_fill_all(self->map, PAGES, NEW);
	if (vmd_punch(self->fd, 10, 20)) {
		EXPECT_EQ(EOPNOTSUPP, errno);
		EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, NEW));
		SKIP(return, "the device cannot");
	}
	EXPECT_TRUE(vmd_is_zero(self->map + 10 * vmd_ps));
	EXPECT_TRUE(vmd_is_zero(self->map + 29 * vmd_ps));
	EXPECT_TRUE(vmd_check(self->map + 9 * vmd_ps, NEW + 9));
	EXPECT_TRUE(vmd_check(self->map + 30 * vmd_ps, NEW + 30));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_page_is_zero(self->file, 20));
	EXPECT_TRUE(vmd_page_is(self->file, 30, NEW + 30));
}

TEST_F(block, open_for_reading_only)
{
	int file = vmd_reopen(self->file, O_RDONLY), fd;
	char *map;

	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	ASSERT_LE(0, fd = vmd_open_again(file, FRAMES));
	EXPECT_ERRNO(EROFS, pwrite(fd, "x", 1, 0));
	map = vmd_map_as(fd, PAGES, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, OLD));
	EXPECT_ERRNO(EACCES, mprotect(map, vmd_ps, VMD_RW));
	close(file);
	self->fd = fd;
	self->map = map;
}

TEST_HARNESS_MAIN
