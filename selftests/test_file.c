// SPDX-License-Identifier: GPL-2.0-only
/*
 * A space on a regular file shows the file: its content, its holes, its size to
 * the byte, and what lies behind its end.
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

#define PAGES	20			/* whole ones; then the tail */
#define TAIL	1234
#define FRAMES	4
#define TAG	1000
#define GIB	(1024 * 1024 * 1024ULL)

FIXTURE(file)
{
	int file;
	int fd;
	char *map;
	char *tail;			/* the page that the end is in */
	__u64 size;
};

FIXTURE_SETUP(file)
{
	self->size = PAGES * vmd_ps + TAIL;
	ASSERT_LE(0, self->file = vmd_make_file(self->size, TAG));
	ASSERT_LE(0, self->fd = vmd_open_on(self->file, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES + 1);
	self->tail = self->map + PAGES * vmd_ps;
}

FIXTURE_TEARDOWN(file)
{
	munmap(self->map, (PAGES + 1) * vmd_ps);
	close(self->fd);
	close(self->file);
}

/* All bytes of [@p, @p + @n) are @c. */
static bool all_are(const char *p, size_t n, char c)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (vmd_load(p + i) != c)
			return false;
	return true;
}

TEST_F(file, content_is_the_files_through_the_mapping)
{
	struct vmd_stats s;

	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, TAG));
	/* And again: most of them were evicted since. */
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, TAG));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_GE(FRAMES, s.resident);
	EXPECT_LE(2 * PAGES - FRAMES, s.pages_read);
	EXPECT_EQ(0, s.pages_written);
	EXPECT_EQ(0, s.zero_fills);
}

TEST_F(file, content_is_the_files_through_read)
{
	char *buf = malloc(self->size + vmd_ps);
	char *page = malloc(vmd_ps);

	/* Stops at the end, to the byte. */
	ASSERT_EQ((ssize_t)self->size,
		  pread(self->fd, buf, self->size + vmd_ps, 0));
	EXPECT_EQ(0, vmd_bad_pages(buf, PAGES, TAG));
	vmd_fill(page, TAG + PAGES);
	EXPECT_EQ(0, memcmp(buf + PAGES * vmd_ps, page, TAIL));
	EXPECT_EQ(1, pread(self->fd, buf, 99, self->size - 1));
	EXPECT_EQ(0, pread(self->fd, buf, 99, self->size));
	EXPECT_EQ(0, pread(self->fd, buf, 99, self->size + vmd_ps));
	free(page);
	free(buf);
}

TEST_F(file, the_size_is_the_files_to_the_byte)
{
	struct vmd_config c;
	struct vmd_stats s;

	EXPECT_EQ((__s64)self->size, vmd_device_size(self->fd));
	EXPECT_EQ((off_t)self->size, lseek(self->fd, 0, SEEK_END));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(self->size, c.size);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(self->size, s.size);
}

TEST_F(file, the_configuration_tells_of_the_store)
{
	struct vmd_config c;

	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_STREQ("file", c.store);
	EXPECT_EQ(FRAMES, c.budget);
	EXPECT_EQ(0, c.flags & VMD_SPACE_READONLY);
}

TEST_F(file, a_page_never_touched_is_in_the_store)
{
	/* The tail's as well; the one touched is not. */
	EXPECT_EQ(PAGES + 1, vmd_count_state(self->fd, 0, PAGES + 1,
					     VMD_PAGE_SWAPPED));
	vmd_load(self->map + 3 * vmd_ps);
	EXPECT_EQ(PAGES, vmd_count_state(self->fd, 0, PAGES + 1,
					 VMD_PAGE_SWAPPED));
}

TEST_F(file, the_tail_reads_as_zeros_behind_the_end)
{
	EXPECT_TRUE(all_are(self->tail + TAIL, vmd_ps - TAIL, 0));
	EXPECT_FALSE(all_are(self->tail, TAIL, 0));
}

TEST_F(file, what_is_put_behind_the_end_never_gets_into_the_file)
{
	memset(self->tail, 't', vmd_ps);
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ((__s64)self->size, vmd_file_size(self->file));
	EXPECT_TRUE(vmd_bytes_are(self->file, PAGES * vmd_ps, TAIL, 't'));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, PAGES, 1));
	EXPECT_EQ((__s64)self->size, vmd_file_size(self->file));
	EXPECT_TRUE(all_are(self->tail, TAIL, 't'));
	EXPECT_TRUE(all_are(self->tail + TAIL, vmd_ps - TAIL, 0));
}

/* What was put behind the end must not become content when the end moves. */
TEST_F(file, growth_shows_zeros_where_the_tail_had_been_written)
{
	memset(self->tail, 't', vmd_ps);
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, vmd_set_size(self->fd, (PAGES + 1) * vmd_ps));
	EXPECT_TRUE(vmd_bytes_are(self->fd, self->size, vmd_ps - TAIL, 0));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_bytes_are(self->file, PAGES * vmd_ps, TAIL, 't'));
	EXPECT_TRUE(vmd_bytes_are(self->file, self->size, vmd_ps - TAIL, 0));
}

TEST_F(file, nothing_but_the_call_makes_it_grow)
{
	char *far = vmd_map(self->fd, 2 * PAGES);
	char buf[10] = "0123456789";

	ASSERT_NE(MAP_FAILED, (void *)far);
	EXPECT_EQ(SIGBUS, vmd_read_signal(far + (PAGES + 1) * vmd_ps));
	EXPECT_EQ(SIGBUS, vmd_write_signal(far + (2 * PAGES - 1) * vmd_ps));
	EXPECT_ERRNO(ENOSPC, pwrite(self->fd, buf, 10, self->size));
	EXPECT_ERRNO(ENOSPC, pwrite(self->fd, buf, 10, self->size + vmd_ps));
	EXPECT_EQ(4, pwrite(self->fd, buf, 10, self->size - 4));
	EXPECT_EQ((__s64)self->size, vmd_device_size(self->fd));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ((__s64)self->size, vmd_file_size(self->file));
	EXPECT_TRUE(vmd_bytes_are(self->file, self->size - 1, 1, '3'));
	munmap(far, 2 * PAGES * vmd_ps);
}

TEST_F(file, growth_by_the_call_makes_the_file_as_long)
{
	__u64 size = 2 * PAGES * vmd_ps + 77;
	char *far;

	ASSERT_EQ(0, vmd_set_size(self->fd, size));
	EXPECT_EQ((__s64)size, vmd_file_size(self->file));
	EXPECT_EQ((__s64)size, vmd_device_size(self->fd));
	ASSERT_MAP(far, self->fd, 2 * PAGES + 1);
	EXPECT_TRUE(vmd_is_zero(far + 30 * vmd_ps));
	vmd_fill(far + 30 * vmd_ps, 30);
	EXPECT_EQ(1, pwrite(self->fd, "e", 1, size - 1));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(vmd_page_is(self->file, 30, 30));
	EXPECT_TRUE(vmd_bytes_are(self->file, size - 1, 1, 'e'));
	EXPECT_EQ((__s64)size, vmd_file_size(self->file));
	munmap(far, (2 * PAGES + 1) * vmd_ps);
}

TEST_F(file, shrinking_makes_the_file_as_short_and_drops_what_was_there)
{
	__u64 size = 10 * vmd_ps + 5;

	vmd_fill_all(self->map, PAGES, 5000);
	ASSERT_EQ(0, vmd_set_size(self->fd, size));
	EXPECT_EQ((__s64)size, vmd_file_size(self->file));
	EXPECT_EQ(SIGBUS, vmd_read_signal(self->map + 11 * vmd_ps));
	EXPECT_EQ(SIGBUS, vmd_write_signal(self->map + 15 * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(self->map, 10, 5000));
	EXPECT_TRUE(all_are(self->map + size, vmd_ps - 5, 0));
	/* Grown again, the old content must not come back. */
	ASSERT_EQ(0, vmd_set_size(self->fd, PAGES * vmd_ps));
	EXPECT_TRUE(all_are(self->map + size, vmd_ps - 5, 0));
	EXPECT_TRUE(vmd_is_zero(self->map + 15 * vmd_ps));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, 10, 5000));
	EXPECT_TRUE(vmd_bytes_are(self->file, size, vmd_ps - 5, 0));
	EXPECT_TRUE(vmd_page_is_zero(self->file, 15));
}

TEST_F(file, to_nothing_and_back)
{
	ASSERT_EQ(0, vmd_set_size(self->fd, 0));
	EXPECT_EQ(0, vmd_file_size(self->file));
	EXPECT_EQ(SIGBUS, vmd_read_signal(self->map));
	EXPECT_EQ(0, pread(self->fd, &(char){ 0 }, 1, 0));
	ASSERT_EQ(0, vmd_set_size(self->fd, vmd_ps));
	EXPECT_TRUE(vmd_is_zero(self->map));
}

TEST_F(file, a_private_mapping_changes_nothing_but_itself)
{
	char *private = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, (void *)private);
	vmd_fill_all(private, PAGES, 9000);
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, PAGES, TAG));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, TAG));
	EXPECT_EQ(0, vmd_bad_pages(private, PAGES, 9000));
	munmap(private, PAGES * vmd_ps);
}

TEST(holes_read_as_zeros)
{
	int file = vmd_make_file(0, 0), fd;
	char *map;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, PAGES * vmd_ps));
	ASSERT_EQ(1, pwrite(file, "x", 1, 7 * vmd_ps + 100));
	ASSERT_LE(0, fd = vmd_open_on(file, FRAMES));
	ASSERT_MAP(map, fd, PAGES);
	EXPECT_TRUE(vmd_is_zero(map));
	EXPECT_TRUE(vmd_is_zero(map + (PAGES - 1) * vmd_ps));
	EXPECT_TRUE(all_are(map + 7 * vmd_ps, 100, 0));
	EXPECT_EQ('x', map[7 * vmd_ps + 100]);
	EXPECT_TRUE(all_are(map + 7 * vmd_ps + 101, vmd_ps - 101, 0));
	EXPECT_TRUE(vmd_page_is_zero(fd, 3));
	/* One of them filled, its neighbours stay what they are. */
	vmd_fill(map + 12 * vmd_ps, 12);
	ASSERT_EQ(0, vmd_advise(fd, VMD_ADVICE_EVICT, 0, 0));
	EXPECT_TRUE(vmd_page_is(file, 12, 12));
	EXPECT_TRUE(vmd_page_is_zero(file, 11));
	EXPECT_TRUE(vmd_page_is_zero(file, 13));
	munmap(map, PAGES * vmd_ps);
	close(fd);
	close(file);
}

TEST(an_empty_file_is_a_space_of_no_bytes_that_can_grow)
{
	int file = vmd_make_file(0, 0), fd;
	char *map;

	ASSERT_LE(0, file);
	ASSERT_LE(0, fd = vmd_open_on(file, FRAMES));
	EXPECT_EQ(0, vmd_device_size(fd));
	EXPECT_EQ(0, pread(fd, &(char){ 0 }, 1, 0));
	EXPECT_ERRNO(ENOSPC, pwrite(fd, "x", 1, 0));
	ASSERT_EQ(0, vmd_set_size(fd, 3));
	EXPECT_EQ(3, vmd_file_size(file));
	ASSERT_MAP(map, fd, 1);
	map[2] = '2';
	map[3] = '3';
	ASSERT_EQ(0, fsync(fd));
	EXPECT_EQ(3, vmd_file_size(file));
	EXPECT_TRUE(vmd_bytes_are(file, 2, 1, '2'));
	munmap(map, vmd_ps);
	close(fd);
	close(file);
}

/* Offsets that do not fit in 32 bits, in bytes. */
TEST(pages_beyond_4_gib)
{
	const __u64 size = 5 * GIB, at[] = { 0, 4 * GIB, 4 * GIB + 4096 * 777,
					     5 * GIB - 4096 };
	int file = vmd_make_file(0, 0), fd, round;
	char *map, *page;
	size_t i;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, size));
	ASSERT_LE(0, fd = vmd_open_on(file, 2));
	EXPECT_EQ((__s64)size, vmd_device_size(fd));
	ASSERT_MAP(map, fd, size / vmd_ps);
	for (round = 0; round < 2; round++)
		for (i = 0; i < 4; i++) {
			page = map + at[i];
			EXPECT_TRUE(round ? vmd_check(page, 50 + i) :
					    vmd_is_zero(page));
			vmd_fill(page, 50 + i);
		}
	ASSERT_EQ(0, fsync(fd));
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(vmd_page_is(file, at[i] / vmd_ps, 50 + i));
	/* What 32 bits would have made of them. */
	EXPECT_TRUE(vmd_page_is_zero(file, 777));
	EXPECT_TRUE(vmd_page_is_zero(file, GIB / vmd_ps - 1));
	munmap(map, size);
	close(fd);
	close(file);
}

TEST_HARNESS_MAIN
