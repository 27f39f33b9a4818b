// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls whose buffer is a mapping of the device: read, write, O_DIRECT,
 * pipes, vmsplice. The files are in /tmp and in VMD_TEST_DIR.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/uio.h>

#include "vmd_harness.h"

#define PAGES	48
#define FRAMES	16
#define BYTES	(PAGES * vmd_ps)

FIXTURE(transfer) {
	int fd;
	int file;
	char *map;
};

FIXTURE_VARIANT(transfer) {
	const char *dir;		/* NULL: VMD_TEST_DIR */
	const char *observer;
};

FIXTURE_VARIANT_ADD(transfer, tmp_accessed) {
	.dir = "/tmp", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(transfer, tmp_trap) {
	.dir = "/tmp", .observer = "trap"
};

FIXTURE_VARIANT_ADD(transfer, disk_accessed) {
	.dir = NULL, .observer = "accessed"
};

FIXTURE_VARIANT_ADD(transfer, disk_trap) {
	.dir = NULL, .observer = "trap"
};

FIXTURE_SETUP(transfer)
{
	self->file = vmd_temp_file(variant->dir ?: vmd_test_dir(), 0);
	ASSERT_LE(0, self->file);
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", variant->observer, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, 1);
}

FIXTURE_TEARDOWN(transfer)
{
	close(self->fd);
	close(self->file);
}

/* All of it, however short the single calls are. */
static bool write_all(int file, const char *from, size_t len)
{
	ssize_t n;

	for (; len; from += n, len -= n) {
		n = write(file, from, len);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool read_all(int file, char *to, size_t len)
{
	ssize_t n;

	for (; len; to += n, len -= n) {
		n = read(file, to, len);
		if (n <= 0)
			return false;
	}
	return true;
}

TEST_F(transfer, write_takes_its_bytes_from_the_mapping)
{
	char *copy = malloc(BYTES);

	ASSERT_TRUE(write_all(self->file, self->map, BYTES));
	ASSERT_EQ((ssize_t)BYTES, pread(self->file, copy, BYTES, 0));
	EXPECT_EQ(0, vmd_bad_pages(copy, PAGES, 1));
}

TEST_F(transfer, read_puts_its_bytes_into_the_mapping)
{
	char *copy = malloc(BYTES);

	vmd_fill_all(copy, PAGES, 77);
	ASSERT_EQ((ssize_t)BYTES, pwrite(self->file, copy, BYTES, 0));
	ASSERT_TRUE(read_all(self->file, self->map, BYTES));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 77));
}

/* The page cache writes into the frame through the kernel's own mapping. */
TEST_F(transfer, bytes_read_into_the_mapping_survive_eviction)
{
	char *copy = malloc(BYTES);

	vmd_fill_all(copy, PAGES, 88);
	ASSERT_EQ((ssize_t)BYTES, pwrite(self->file, copy, BYTES, 0));
	ASSERT_EQ(0, vmd_sync(self->fd, 0, PAGES));
	ASSERT_TRUE(read_all(self->file, self->map, BYTES));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 88));
}

TEST_F(transfer, read_into_a_read_only_mapping_is_efault)
{
	char *map = vmd_map_as(self->fd, 1, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(4, pwrite(self->file, "abcd", 4, 0));
	EXPECT_ERRNO(EFAULT, pread(self->file, map, 4, 0));
}

TEST_F(transfer, write_from_past_the_end_is_efault)
{
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES / 2));
	EXPECT_ERRNO(EFAULT, write(self->file, self->map + BYTES / 2, 1));
}

/* A second file descriptor of the test file, for direct I/O, or -1. */
static int reopen_direct(int file)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
}

TEST_F(transfer, direct_io_reads_into_the_mapping)
{
	int direct = reopen_direct(self->file);
	char *copy = malloc(BYTES);
	size_t i;

	if (direct < 0)
		SKIP(return, "no O_DIRECT here; set VMD_TEST_DIR");
	vmd_fill_all(copy, PAGES, 55);
	ASSERT_EQ((ssize_t)BYTES, pwrite(self->file, copy, BYTES, 0));
	ASSERT_EQ(0, fsync(self->file));
	for (i = 0; i < PAGES; i += 4)
		ASSERT_EQ((ssize_t)(4 * vmd_ps),
			  pread(direct, self->map + i * vmd_ps, 4 * vmd_ps,
				i * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 55));
	close(direct);
}

TEST_F(transfer, direct_io_writes_from_the_mapping)
{
	int direct = reopen_direct(self->file);
	char *copy = malloc(BYTES);
	size_t i;

	if (direct < 0)
		SKIP(return, "no O_DIRECT here; set VMD_TEST_DIR");
	for (i = 0; i < PAGES; i += 4)
		ASSERT_EQ((ssize_t)(4 * vmd_ps),
			  pwrite(direct, self->map + i * vmd_ps, 4 * vmd_ps,
				 i * vmd_ps));
	ASSERT_EQ((ssize_t)BYTES, pread(self->file, copy, BYTES, 0));
	EXPECT_EQ(0, vmd_bad_pages(copy, PAGES, 1));
	close(direct);
}

/*
 * One call that pins more pages than there are frames may be short or fail,
 * as the budget has no room for it, but it must come back and nothing be lost.
 */
TEST_F(transfer, direct_io_of_more_than_the_budget_ends)
{
	int direct = reopen_direct(self->file);
	ssize_t n;

	if (direct < 0)
		SKIP(return, "no O_DIRECT here; set VMD_TEST_DIR");
	n = pwrite(direct, self->map, BYTES, 0);
	EXPECT_LE(-1, n);
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES, 1));
	close(direct);
}

struct storm {
	char *map;
	bool stop;
};

static void *evict_storm(void *arg)
{
	struct storm *s = arg;

	while (!vmd_is_set(&s->stop))
		vmd_touch_all(s->map + PAGES / 2 * vmd_ps, PAGES / 2);
	return NULL;
}

/* A frame that is the target of I/O must not be given away meanwhile. */
TEST_F(transfer, direct_io_under_an_eviction_storm_hits_the_right_page)
{
	struct storm storm = { .map = self->map };
	int direct = reopen_direct(self->file), round;
	char *copy = malloc(4 * vmd_ps);
	pthread_t thread;

	if (direct < 0)
		SKIP(return, "no O_DIRECT here; set VMD_TEST_DIR");
	ASSERT_EQ(0, pthread_create(&thread, NULL, evict_storm, &storm));
	for (round = 0; round < 30; round++) {
		vmd_fill_all(copy, 4, 1000 + round);
		EXPECT_EQ((ssize_t)(4 * vmd_ps),
			  pwrite(self->file, copy, 4 * vmd_ps, 0));
		EXPECT_EQ(0, fdatasync(self->file));
		EXPECT_EQ((ssize_t)(4 * vmd_ps),
			  pread(direct, self->map, 4 * vmd_ps, 0));
		EXPECT_EQ(0, vmd_bad_pages(self->map, 4, 1000 + round));
	}
	vmd_set_flag(&storm.stop);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, vmd_bad_pages(self->map + PAGES / 2 * vmd_ps, PAGES / 2,
				   1 + PAGES / 2));
	close(direct);
}

TEST_F(transfer, a_pipe_carries_pages_from_mapping_to_mapping)
{
	int pipes[2];
	char *map;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, pipe(pipes));
	pid = vmd_fork();
	if (!pid)
		_exit(!write_all(pipes[1], self->map, BYTES));
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_budget(fd, 4));
	ASSERT_MAP(map, fd, PAGES);
	EXPECT_TRUE(read_all(pipes[0], map, BYTES));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	close(fd);
}

/* The pipe holds the frames themselves; they outlive eviction and the space. */
TEST_F(transfer, pages_in_a_pipe_by_vmsplice_outlive_the_mapping)
{
	struct iovec io = { self->map, 4 * vmd_ps };
	char *copy = malloc(4 * vmd_ps);
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)(4 * vmd_ps), vmsplice(pipes[1], &io, 1, 0));
	vmd_touch_all(self->map + 4 * vmd_ps, PAGES - 4);
	munmap(self->map, BYTES);
	close(self->fd);
	EXPECT_TRUE(read_all(pipes[0], copy, 4 * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(copy, 4, 1));
}

TEST_F(transfer, readv_and_writev_over_scattered_pages)
{
	struct iovec io[PAGES / 2];
	char *copy = malloc(BYTES);
	int i;

	for (i = 0; i < PAGES / 2; i++) {
		io[i].iov_base = self->map + 2 * i * vmd_ps;
		io[i].iov_len = vmd_ps;
	}
	ASSERT_EQ((ssize_t)(BYTES / 2),
		  pwritev(self->file, io, PAGES / 2, 0));
	ASSERT_EQ((ssize_t)(BYTES / 2),
		  pread(self->file, copy, BYTES / 2, 0));
	for (i = 0; i < PAGES / 2; i++)
		EXPECT_TRUE(vmd_check(copy + i * vmd_ps, 1 + 2 * i));
}

TEST_HARNESS_MAIN
