// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VMD_IOC_SET_FILE refuses, what a read-only space refuses, and which
 * spaces may be on one file together.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmd_harness.h"
#include "vmd_test_file.h"

#define PAGES	12
#define FRAMES	4
#define TAG	1000

FIXTURE(rules)
{
	int file;
	int fd;				/* a space of no file yet */
	__u64 id;
};

FIXTURE_SETUP(rules)
{
	ASSERT_LE(0, self->file = vmd_make_file(PAGES * vmd_ps, TAG));
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "fault", 77));
	self->id = vmd_id(self->fd);
}

FIXTURE_TEARDOWN(rules)
{
	close(self->fd);
	close(self->file);
}

/* Refused, and the descriptor stands for the space it stood for. */
#define EXPECT_REFUSED(error, file) do {				\
	EXPECT_ERRNO(error, vmd_set_file(self->fd, file));		\
	EXPECT_EQ(self->id, vmd_id(self->fd));				\
} while (0)

TEST_F(rules, the_new_space_has_its_own_id_and_the_old_ones_settings)
{
	struct vmd_config c;

	ASSERT_EQ(0, vmd_set_file(self->fd, self->file));
	EXPECT_NE(self->id, vmd_id(self->fd));
	EXPECT_NE(0, vmd_id(self->fd));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_STREQ("lru", c.policy);
	EXPECT_STREQ("fault", c.observer);
	EXPECT_EQ(77, c.budget);
	EXPECT_EQ(PAGES * vmd_ps, c.size);
}

TEST_F(rules, the_callers_descriptor_may_go)
{
	char *map;

	ASSERT_EQ(0, vmd_set_file(self->fd, self->file));
	close(self->file);
	self->file = -1;
	ASSERT_MAP(map, self->fd, PAGES);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, TAG));
	vmd_fill(map, TAG);
	EXPECT_EQ(0, fsync(self->fd));
	munmap(map, PAGES * vmd_ps);
}

TEST_F(rules, a_bad_argument_is_refused)
{
	struct vmd_set_file s = { .fd = self->file, .flags = 1 };

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_FILE, &s));
	s.flags = 0;
	s.reserved[2] = 1;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_FILE, &s));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_SET_FILE, 8));
	EXPECT_EQ(self->id, vmd_id(self->fd));
}

TEST_F(rules, a_descriptor_that_is_not_open)
{
	EXPECT_REFUSED(EBADF, -1);
	EXPECT_REFUSED(EBADF, 12345);
}

TEST_F(rules, a_file_open_for_writing_only)
{
	int file = vmd_reopen(self->file, O_WRONLY);

	ASSERT_LE(0, file);
	EXPECT_REFUSED(EBADF, file);
	close(file);
}

TEST_F(rules, a_path_descriptor)
{
	int file = vmd_reopen(self->file, O_PATH);

	ASSERT_LE(0, file);
	EXPECT_REFUSED(EBADF, file);
	close(file);
}

TEST_F(rules, a_file_open_for_appending)
{
	int file = vmd_reopen(self->file, O_RDWR | O_APPEND);

	ASSERT_LE(0, file);
	EXPECT_REFUSED(EINVAL, file);
	close(file);
}

TEST_F(rules, a_directory)
{
	int file = open(vmd_test_dir(), O_RDONLY | O_DIRECTORY);

	ASSERT_LE(0, file);
	EXPECT_REFUSED(EINVAL, file);
	close(file);
}

TEST_F(rules, a_pipe)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	EXPECT_REFUSED(EINVAL, p[0]);
	close(p[0]);
	close(p[1]);
}

TEST_F(rules, a_socket)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	ASSERT_LE(0, s);
	EXPECT_REFUSED(EINVAL, s);
	close(s);
}

TEST_F(rules, a_character_device)
{
	int file = open("/dev/null", O_RDWR);

	ASSERT_LE(0, file);
	EXPECT_REFUSED(EINVAL, file);
	close(file);
	ASSERT_LE(0, file = open("/dev/zero", O_RDWR));
	EXPECT_REFUSED(EINVAL, file);
	close(file);
}

TEST_F(rules, a_space_is_no_file_of_another_nor_of_itself)
{
	int other;

	ASSERT_OPEN(other);
	EXPECT_REFUSED(EINVAL, other);
	EXPECT_REFUSED(EINVAL, self->fd);
	ASSERT_EQ(0, vmd_set_file(other, self->file));
	EXPECT_REFUSED(EINVAL, other);
	close(other);
}

TEST_F(rules, files_that_are_made_up_as_they_are_read)
{
	int file = open("/proc/self/status", O_RDONLY);

	/* A regular file to stat(2), without content that can be paged. */
	ASSERT_LE(0, file);
	if (!vmd_set_file(self->fd, file)) {
		char *map = vmd_map_as(self->fd, 1, PROT_READ, MAP_SHARED);

		EXPECT_EQ(0, vmd_device_size(self->fd));
		EXPECT_EQ(0, pread(self->fd, &(char){ 0 }, 1, 0));
		if (map != MAP_FAILED)
			EXPECT_NE(0, vmd_read_signal(map));
	}
	close(file);
}

TEST_F(rules, a_file_too_long)
{
	struct vmd_info i;
	int file = vmd_make_file(0, 0);

	ASSERT_LE(0, file);
	ASSERT_EQ(0, vmd_info(self->fd, &i));
	if (ftruncate(file, i.max_size + 1))
		SKIP(return, "the file system has no files so long");
	EXPECT_REFUSED(EFBIG, file);
	ASSERT_EQ(0, ftruncate(file, i.max_size));
	EXPECT_EQ(0, vmd_set_file(self->fd, file));
	close(file);
}

TEST_F(rules, a_descriptor_that_was_mapped)
{
	char *map;

	ASSERT_MAP(map, self->fd, 1);
	munmap(map, vmd_ps);
	EXPECT_REFUSED(EBUSY, self->file);
}

TEST_F(rules, a_descriptor_of_the_device_open_for_reading_only)
{
	int fd = open(VMD_DEVICE, O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EBADF, vmd_set_file(fd, self->file));
	close(fd);
}

/* Two spaces on one file, each opened for reading or for writing. */
static int second_error(int file, int first_flags, int second_flags)
{
	int one = vmd_reopen(file, first_flags);
	int two = vmd_reopen(file, second_flags);
	int a = vmd_open_on(one, FRAMES), b = vmd_open();
	int error = a < 0 ? -1 : vmd_error(vmd_set_file(b, two));

	close(a);
	close(b);
	close(one);
	close(two);
	return error;
}

TEST_F(rules, two_readers_of_one_file)
{
	EXPECT_EQ(0, second_error(self->file, O_RDONLY, O_RDONLY));
}

TEST_F(rules, a_reader_and_a_writer)
{
	EXPECT_EQ(EBUSY, second_error(self->file, O_RDONLY, O_RDWR));
}

TEST_F(rules, a_writer_and_a_reader)
{
	EXPECT_EQ(EBUSY, second_error(self->file, O_RDWR, O_RDONLY));
}

TEST_F(rules, two_writers)
{
	EXPECT_EQ(EBUSY, second_error(self->file, O_RDWR, O_RDWR));
}

TEST_F(rules, one_descriptor_from_file_to_file)
{
	int other = vmd_make_file(3 * vmd_ps, TAG + 500);
	char *map;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, vmd_set_file(self->fd, self->file));
	/* Its own file is behind its own space. */
	EXPECT_ERRNO(EBUSY, vmd_set_file(self->fd, self->file));
	ASSERT_EQ(0, vmd_set_file(self->fd, other));
	EXPECT_EQ(3 * (__s64)vmd_ps, vmd_device_size(self->fd));
	ASSERT_MAP(map, self->fd, 3);
	EXPECT_EQ(0, vmd_bad_pages(map, 3, TAG + 500));
	munmap(map, 3 * vmd_ps);
	close(other);
}

FIXTURE(readonly)
{
	int rw;
	int file;
	int fd;
};

FIXTURE_SETUP(readonly)
{
	ASSERT_LE(0, self->rw = vmd_make_file(PAGES * vmd_ps, TAG));
	ASSERT_LE(0, self->file = vmd_reopen(self->rw, O_RDONLY));
	ASSERT_LE(0, self->fd = vmd_open_on(self->file, FRAMES));
}

FIXTURE_TEARDOWN(readonly)
{
	close(self->fd);
	close(self->file);
	close(self->rw);
}

TEST_F(readonly, can_be_read)
{
	struct vmd_config c;
	char *map = vmd_map_as(self->fd, PAGES, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, TAG));
	EXPECT_TRUE(vmd_page_is(self->fd, 3, TAG + 3));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 0));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, TAG));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(VMD_SPACE_READONLY, c.flags & VMD_SPACE_READONLY);
	munmap(map, PAGES * vmd_ps);
}

TEST_F(readonly, shared_mappings_cannot_be_written)
{
	char *map;

	EXPECT_ERRNO(EACCES, (long)mmap(NULL, vmd_ps, VMD_RW, MAP_SHARED,
					self->fd, 0));
	map = vmd_map_as(self->fd, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_ERRNO(EACCES, mprotect(map, vmd_ps, VMD_RW));
	EXPECT_NE(0, vmd_write_signal(map));
	munmap(map, vmd_ps);
}

TEST_F(readonly, private_mappings_can)
{
	char *map = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, (void *)map);
	vmd_fill_all(map, PAGES, TAG + 700);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, TAG + 700));
	EXPECT_EQ(0, vmd_bad_in_file(self->file, PAGES, TAG));
	munmap(map, PAGES * vmd_ps);
	/* Also one that was mapped for reading at first. */
	map = vmd_map_as(self->fd, 1, PROT_READ, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, mprotect(map, vmd_ps, VMD_RW));
	EXPECT_EQ(0, vmd_write_signal(map));
	munmap(map, vmd_ps);
}

TEST_F(readonly, calls_that_would_write_are_refused)
{
	EXPECT_ERRNO(EROFS, pwrite(self->fd, "x", 1, 0));
	EXPECT_ERRNO(EROFS, vmd_punch(self->fd, 0, 1));
	EXPECT_ERRNO(EROFS, vmd_set_size(self->fd, vmd_ps));
	EXPECT_ERRNO(EROFS, vmd_set_size(self->fd, 2 * PAGES * vmd_ps));
	EXPECT_EQ(0, vmd_budget(self->fd, 9));
	EXPECT_EQ(PAGES * (__s64)vmd_ps, vmd_file_size(self->rw));
	EXPECT_EQ(0, vmd_bad_in_file(self->rw, PAGES, TAG));
}

TEST_F(readonly, an_attached_descriptor_cannot_write_either)
{
	int other;

	ASSERT_OPEN(other);
	ASSERT_EQ(0, vmd_attach(other, vmd_id(self->fd)));
	EXPECT_ERRNO(EROFS, pwrite(other, "x", 1, 0));
	EXPECT_ERRNO(EACCES, (long)mmap(NULL, vmd_ps, VMD_RW, MAP_SHARED,
					other, 0));
	close(other);
}

TEST_F(rules, poll_says_ready_and_no_error)
{
	EXPECT_EQ(POLLIN | POLLOUT, vmd_poll(self->fd));
	ASSERT_EQ(0, vmd_set_file(self->fd, self->file));
	EXPECT_EQ(POLLIN | POLLOUT, vmd_poll(self->fd));
	ASSERT_EQ(1, pwrite(self->fd, "x", 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, vmd_poll(self->fd));
}

TEST_F(rules, encryption_is_not_for_files)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_FLAGS, .flags = VMD_SPACE_ENCRYPT,
	};

	ASSERT_EQ(0, vmd_set_file(self->fd, self->file));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
	c.flags = VMD_SPACE_READONLY;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_SET_CONFIG, &c));
}

TEST_HARNESS_MAIN
