// SPDX-License-Identifier: GPL-2.0-only
/*
 * read(2), write(2) and lseek(2) on the device: the space as a file, coherent
 * with its mappings, also under eviction and with buffers in the space itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "vmd_harness.h"

#define PAGES	64
#define FRAMES	8
#define OPS	4000			/* times VMD_TEST_SCALE */

FIXTURE(rw)
{
	int fd;
	char *map;
	size_t size;
};

FIXTURE_SETUP(rw)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_EQ(0, vmd_budget(self->fd, FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	self->size = PAGES * vmd_ps;
}

FIXTURE_TEARDOWN(rw)
{
	munmap(self->map, self->size);
	close(self->fd);
}

TEST_F(rw, what_is_written_is_seen_in_the_mapping)
{
	char text[100];

	memset(text, 'x', sizeof(text));
	/* Across a page boundary. */
	ASSERT_EQ(100, pwrite(self->fd, text, 100, vmd_ps - 50));
	EXPECT_EQ(0, memcmp(self->map + vmd_ps - 50, text, 100));
	EXPECT_EQ(0, self->map[vmd_ps - 51]);
	EXPECT_EQ(0, self->map[vmd_ps + 50]);
}

TEST_F(rw, what_the_mapping_holds_is_read_also_when_evicted)
{
	char *buf = malloc(self->size);

	vmd_fill_all(self->map, PAGES, 7);
	ASSERT_EQ((ssize_t)self->size, pread(self->fd, buf, self->size, 0));
	EXPECT_EQ(0, vmd_bad_pages(buf, PAGES, 7));
	free(buf);
}

TEST_F(rw, a_page_never_touched_reads_as_zeros_and_gets_no_frame)
{
	char buf[64];
	struct vmd_stats s;

	memset(buf, 1, sizeof(buf));
	ASSERT_EQ(64, pread(self->fd, buf, 64, 10 * vmd_ps));
	EXPECT_EQ(0, buf[0] | buf[63]);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.resident);
}

TEST_F(rw, reading_ends_at_the_end)
{
	char buf[64];

	EXPECT_EQ(0, pread(self->fd, buf, 64, self->size));
	EXPECT_EQ(0, pread(self->fd, buf, 64, self->size + vmd_ps));
	EXPECT_EQ(10, pread(self->fd, buf, 64, self->size - 10));
}

TEST_F(rw, writing_past_the_end_makes_the_space_grow)
{
	struct vmd_config c;

	ASSERT_EQ(4, pwrite(self->fd, "abcd", 4, self->size + 3 * vmd_ps));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(self->size + 4 * vmd_ps, c.size);
}

TEST_F(rw, writing_stops_at_max_size)
{
	struct vmd_info i;

	ASSERT_EQ(0, vmd_info(self->fd, &i));
	EXPECT_ERRNO(ENOSPC, pwrite(self->fd, "a", 1, i.max_size));
	EXPECT_EQ(2, pwrite(self->fd, "abcd", 4, i.max_size - 2));
}

TEST_F(rw, lseek_knows_the_end)
{
	char c = 'e';

	EXPECT_EQ((off_t)self->size, lseek(self->fd, 0, SEEK_END));
	EXPECT_EQ((off_t)self->size - 1, lseek(self->fd, -1, SEEK_END));
	EXPECT_EQ(1, write(self->fd, &c, 1));
	EXPECT_EQ('e', self->map[self->size - 1]);
	EXPECT_EQ((off_t)self->size, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(5, lseek(self->fd, 5, SEEK_SET));
	EXPECT_ERRNO(EINVAL, lseek(self->fd, -1, SEEK_SET));
}

TEST_F(rw, buffers_may_lie_in_the_space_itself_at_any_budget)
{
	int budget;

	vmd_fill_all(self->map, 16, 3);
	for (budget = 1; budget <= 4; budget++) {
		ASSERT_EQ(0, vmd_budget(self->fd, budget));
		/* From the mapping into the space, and back, unaligned. */
		ASSERT_EQ((ssize_t)(8 * vmd_ps),
			  pwrite(self->fd, self->map, 8 * vmd_ps,
				 32 * vmd_ps + 100));
		EXPECT_EQ(0, memcmp(self->map + 32 * vmd_ps + 100, self->map,
				    8 * vmd_ps));
		ASSERT_EQ((ssize_t)(8 * vmd_ps),
			  pread(self->fd, self->map + 48 * vmd_ps + 5,
				8 * vmd_ps, 0));
		EXPECT_EQ(0, memcmp(self->map + 48 * vmd_ps + 5, self->map,
				    8 * vmd_ps));
	}
}

/* All of @n bytes, from one end to the other; either may be a pipe. */
static bool spliced(int from, int to, size_t n)
{
	ssize_t got = 1;

	while (n && got > 0) {
		got = splice(from, NULL, to, NULL, n, 0);
		n -= got > 0 ? got : 0;
	}
	return !n;
}

TEST_F(rw, pipes_and_other_files_take_it_without_a_buffer)
{
	off_t from = 0;
	int to = vmd_open(), p[2];
	char *map;

	vmd_fill_all(self->map, PAGES, 5);
	ASSERT_LE(0, to);
	ASSERT_EQ(0, vmd_resize(to, PAGES));
	ASSERT_MAP(map, to, PAGES);
	while (from < (off_t)self->size)
		ASSERT_LT(0, sendfile(to, self->fd, &from, self->size - from));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 5));
	EXPECT_EQ(0, sendfile(to, self->fd, &from, 1));

	/* As many as a pipe holds, and not from the beginning of a page */
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	ASSERT_EQ(100, lseek(self->fd, 100, SEEK_SET));
	ASSERT_EQ(3, lseek(to, 3, SEEK_SET));
	ASSERT_TRUE(spliced(self->fd, p[1], 8 * vmd_ps));
	ASSERT_TRUE(spliced(p[0], to, 8 * vmd_ps));
	EXPECT_EQ(0, memcmp(map + 3, self->map + 100, 8 * vmd_ps));
	close(p[0]);
	close(p[1]);
	munmap(map, self->size);
	close(to);
}

TEST_F(rw, a_bad_buffer_is_refused)
{
	char *bad = self->map + self->size;

	/* Nothing is mapped behind the mapping for sure only then. */
	munmap(bad - vmd_ps, vmd_ps);
	bad -= vmd_ps;
	EXPECT_ERRNO(EFAULT, pread(self->fd, bad, 10, 0));
	EXPECT_ERRNO(EFAULT, pwrite(self->fd, bad, 10, 0));
}

TEST(a_descriptor_open_for_reading_only_cannot_write)
{
	int fd = open(VMD_DEVICE, O_RDONLY);
	char c = 0;

	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EBADF, write(fd, &c, 1));
	EXPECT_EQ(1, read(fd, &c, 1));
	close(fd);
}

/* Against a model in memory: reads, writes, mapped accesses, and all advice. */
struct model {
	int fd;
	char *map;
	char *shadow;
	char *buf;
	size_t size;
	__u64 random;
};

static size_t model_range(struct model *m, size_t *offset)
{
	size_t n;

	*offset = vmd_random(&m->random) % m->size;
	n = 1 + vmd_random(&m->random) % (3 * vmd_ps);
	return n < m->size - *offset ? n : m->size - *offset;
}

static void model_noise(struct model *m, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		m->buf[i] = vmd_random(&m->random) >> 7;
}

static bool model_step(struct model *m)
{
	size_t offset, n = model_range(m, &offset);

	switch (vmd_random(&m->random) % 6) {
	case 0:
		return pread(m->fd, m->buf, n, offset) == (ssize_t)n &&
		       !memcmp(m->buf, m->shadow + offset, n);
	case 1:
		model_noise(m, n);
		memcpy(m->shadow + offset, m->buf, n);
		return pwrite(m->fd, m->buf, n, offset) == (ssize_t)n;
	case 2:
		return !memcmp(m->map + offset, m->shadow + offset, n);
	case 3:
		model_noise(m, n);
		memcpy(m->shadow + offset, m->buf, n);
		memcpy(m->map + offset, m->buf, n);
		return true;
	case 4:
		vmd_advise(m->fd, offset % 2 ? VMD_ADVICE_EVICT :
			   VMD_ADVICE_WILLNEED, offset / vmd_ps, 1);
		return true;
	default:
		return offset % 8 || !vmd_sync(m->fd, 0, 0);
	}
}

TEST_F(rw, a_model_agrees_after_any_order_of_operations)
{
	const char *seed = getenv("VMD_SEED");
	struct model m = {
		.fd = self->fd, .map = self->map, .size = self->size,
		.random = seed ? strtoull(seed, NULL, 0) : vmd_now_ms(),
	};
	unsigned long i, ops = vmd_scaled(OPS);

	TH_LOG("VMD_SEED=%llu", m.random);
	m.shadow = calloc(1, m.size);
	m.buf = malloc(4 * vmd_ps);
	for (i = 0; i < ops; i++) {
		ASSERT_TRUE(model_step(&m)) {
			TH_LOG("operation %lu", i);
		}
	}
	EXPECT_EQ(0, memcmp(m.map, m.shadow, m.size));
	free(m.shadow);
	free(m.buf);
}

TEST_HARNESS_MAIN
