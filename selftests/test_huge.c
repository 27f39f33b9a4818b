// SPDX-License-Identifier: GPL-2.0-only
/* Spaces with pages of 64 KiB and of 2 MiB: content by every way, and what got mapped huge. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "huge.h"
#include "vmd_harness.h"
#include "vmd_test_file.h"

#define PAGES	8U			/* of the space */
#define FRAMES	3U
#define HUGE	(2UL << 20)

FIXTURE(huge) {
	int fd;
	char *map;
	size_t page;			/* bytes of a page of the space */
	size_t parts;			/* pages of the kernel's in it */
	size_t all;			/* parts of the whole space */
	struct vmd_stats s;
};

FIXTURE_VARIANT(huge) {
	size_t page;
};

FIXTURE_VARIANT_ADD(huge, of_64k) { .page = 65536 };
FIXTURE_VARIANT_ADD(huge, of_2m) { .page = HUGE };

FIXTURE_SETUP(huge)
{
	self->page = variant->page;
	self->parts = self->page / vmd_ps;
	self->all = PAGES * self->parts;
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, huge_set(self->fd, self->page, FRAMES));
	ASSERT_MAP(self->map, self->fd, self->all);
}

FIXTURE_TEARDOWN(huge)
{
	munmap(self->map, PAGES * self->page);
	close(self->fd);
}

#define ASSERT_STATS() ASSERT_EQ(0, vmd_stats(self->fd, &self->s))
#define PART(i)		(self->map + (i) * vmd_ps)
#define PAGE(i)		(self->map + (i) * self->page)

/* The first and the last part of each page, and one between */
static void fill_some(char *map, size_t parts, size_t step, __u64 tag)
{
	size_t i;

	for (i = 0; i < parts; i += step) {
		vmd_fill(map + i * vmd_ps, tag + i);
		vmd_fill(map + (i + step / 3) * vmd_ps, tag + i + step / 3);
		vmd_fill(map + (i + step - 1) * vmd_ps, tag + i + step - 1);
	}
}

static size_t bad_some(const char *map, size_t parts, size_t step, __u64 tag)
{
	size_t i, bad = 0;

	for (i = 0; i < parts; i += step) {
		bad += !vmd_check(map + i * vmd_ps, tag + i);
		bad += !vmd_check(map + (i + step / 3) * vmd_ps,
				  tag + i + step / 3);
		bad += !vmd_check(map + (i + step - 1) * vmd_ps,
				  tag + i + step - 1);
		bad += !vmd_is_zero(map + (i + 1) * vmd_ps);
	}
	return bad;
}

/* Bytes that /proc says are mapped by huge entries at @map */
static size_t mapped_huge(const void *map)
{
	char *line = NULL, start[32];
	FILE *file = fopen("/proc/self/smaps", "r");
	size_t size = 0, kib = 0, sum = 0;
	bool in = false;

	snprintf(start, sizeof(start), "%lx-", (unsigned long)map);
	while (file && getline(&line, &size, file) > 0) {
		if (!strncmp(line, start, strlen(start)))
			in = true;
		else if (in && !strncmp(line, "VmFlags", 7))
			break;
		else if (in && sscanf(line, "FilePmdMapped: %zu", &kib) == 1)
			sum = kib << 10;
	}
	free(line);
	if (file)
		fclose(file);
	return sum;
}

TEST_F(huge, content_outlives_eviction)
{
	fill_some(self->map, self->all, self->parts, 100);
	EXPECT_EQ(0, bad_some(self->map, self->all, self->parts, 100));
	EXPECT_EQ(0, bad_some(self->map, self->all, self->parts, 100));
	ASSERT_STATS();
	EXPECT_EQ(3 * PAGES, self->s.misses);
	EXPECT_LE(self->s.resident, FRAMES);
	EXPECT_EQ(PAGES, self->s.evictions_dirty);
	EXPECT_EQ(PAGES, self->s.pages_written);
	EXPECT_EQ(2 * PAGES, self->s.pages_read);
}

TEST_F(huge, one_fault_brings_in_and_maps_a_whole_page)
{
	size_t i;

	for (i = 0; i < FRAMES * self->parts; i++)
		vmd_store(PART(i), 1);
	ASSERT_STATS();
	EXPECT_EQ(FRAMES, self->s.misses);
	EXPECT_EQ(0, self->s.faults_soft);
	if (self->page != HUGE)
		return;
	EXPECT_EQ(FRAMES, self->s.mapped_huge);
	EXPECT_EQ(FRAMES * HUGE, mapped_huge(self->map));
	EXPECT_EQ(FRAMES, vmd_count_flag(self->fd, 0, PAGES, VMD_PAGE_HUGE));
}

TEST_F(huge, what_is_only_read_and_written_later_is_dirty)
{
	size_t i;

	for (i = 0; i < FRAMES; i++)
		EXPECT_EQ(0, vmd_load(PAGE(i)));
	for (i = 0; i < FRAMES; i++)
		vmd_fill(PAGE(i) + self->page - vmd_ps, i + 1);
	ASSERT_EQ(0, huge_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES, self->page));
	for (i = 0; i < FRAMES; i++)
		EXPECT_TRUE(vmd_check(PAGE(i) + self->page - vmd_ps, i + 1));
	ASSERT_STATS();
	EXPECT_EQ(FRAMES, self->s.evictions_dirty);
}

TEST_F(huge, sizes_are_counted_in_its_pages)
{
	struct vmd_config c;
	struct vmd_info info;

	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(self->page, c.page_size);
	EXPECT_LE(PAGES * self->page, c.size);
	EXPECT_EQ(0, c.size % self->page);
	ASSERT_EQ(0, vmd_info(self->fd, &info));
	EXPECT_EQ(self->page, info.page_size);
	EXPECT_TRUE(info.features & VMD_FEATURE_HUGE);
	EXPECT_ERRNO(EINVAL, vmd_set_size(self->fd, vmd_ps));
	EXPECT_ERRNO(EINVAL, vmd_advise(self->fd, VMD_ADVICE_EVICT, 1, 1));
	EXPECT_ERRNO(EINVAL, vmd_budget(self->fd, info.max_frames / self->parts + 1));
	EXPECT_ERRNO(EOPNOTSUPP, vmd_observer(self->fd, "trap"));
	EXPECT_ERRNO(EOPNOTSUPP, vmd_set_flags(self->fd, VMD_SPACE_ENCRYPT));
	EXPECT_ERRNO(EBUSY, huge_set_only(self->fd, 4096));
}

TEST_F(huge, read_and_write_see_what_is_mapped)
{
	char *buf = malloc(2 * self->page);
	off_t at = self->page - 3 * vmd_ps;
	size_t i;

	ASSERT_NE(NULL, buf);
	for (i = 0; i < 6; i++)
		vmd_fill(buf + i * vmd_ps, 500 + i);
	ASSERT_EQ((ssize_t)(6 * vmd_ps), pwrite(self->fd, buf, 6 * vmd_ps, at));
	for (i = 0; i < 6; i++)
		EXPECT_TRUE(vmd_check(self->map + at + i * vmd_ps, 500 + i));
	vmd_fill(PAGE(5), 9);
	ASSERT_EQ(0, huge_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES, self->page));
	ASSERT_EQ((ssize_t)self->page + 100,
		  pread(self->fd, buf, self->page + 100, 5 * self->page));
	EXPECT_TRUE(vmd_check(buf, 9));
	EXPECT_TRUE(vmd_is_zero(buf + self->page - vmd_ps));
	free(buf);
}

TEST_F(huge, mappings_that_do_not_fit_show_the_same)
{
	char *odd = mmap(NULL, 3 * self->page, VMD_RW, MAP_SHARED, self->fd,
			 self->page - vmd_ps);
	char *small = mmap(NULL, 2 * vmd_ps, VMD_RW, MAP_SHARED, self->fd,
			   2 * self->page);

	ASSERT_NE(MAP_FAILED, (void *)odd);
	ASSERT_NE(MAP_FAILED, (void *)small);
	vmd_fill(odd, 1);
	vmd_fill(odd + vmd_ps, 2);
	vmd_fill(odd + self->page, 3);
	vmd_fill(small + vmd_ps, 4);
	EXPECT_TRUE(vmd_check(PAGE(1) - vmd_ps, 1));
	EXPECT_TRUE(vmd_check(PAGE(1), 2));
	EXPECT_TRUE(vmd_check(PAGE(2) - vmd_ps, 3));
	EXPECT_TRUE(vmd_check(PAGE(2) + vmd_ps, 4));
	vmd_fill(PAGE(2) + vmd_ps, 5);
	ASSERT_EQ(0, huge_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES, self->page));
	EXPECT_TRUE(vmd_check(small + vmd_ps, 5));
	EXPECT_TRUE(vmd_check(odd + self->page, 3));
	munmap(odd, 3 * self->page);
	munmap(small, 2 * vmd_ps);
}

TEST_F(huge, a_split_loses_nothing)
{
	char *moved;

	fill_some(self->map, 3 * self->parts, self->parts, 10);
	/* A part read-only, a part gone, a part elsewhere */
	ASSERT_EQ(0, mprotect(PART(self->parts / 3), vmd_ps, PROT_READ));
	EXPECT_EQ(SIGSEGV, vmd_write_signal(PART(self->parts / 3)));
	EXPECT_TRUE(vmd_check(PART(self->parts / 3), 10 + self->parts / 3));
	ASSERT_EQ(0, mprotect(PART(self->parts / 3), vmd_ps, VMD_RW));
	ASSERT_EQ(0, munmap(PAGE(1) + vmd_ps, vmd_ps));
	moved = mremap(PAGE(2), self->page / 2, self->page / 2,
		       MREMAP_MAYMOVE | MREMAP_FIXED, PAGE(6));
	ASSERT_EQ((void *)PAGE(6), (void *)moved);
	EXPECT_TRUE(vmd_check(moved, 10 + 2 * self->parts));
	vmd_fill(moved, 77);
	vmd_fill(PART(self->parts / 3), 78);
	ASSERT_EQ(0, huge_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES, self->page));
	EXPECT_TRUE(vmd_check(moved, 77));
	EXPECT_TRUE(vmd_check(PART(self->parts / 3), 78));
	EXPECT_TRUE(vmd_check(PAGE(1), 10 + self->parts));
	EXPECT_TRUE(vmd_check(PAGE(3) - vmd_ps, 10 + 3 * self->parts - 1));
	EXPECT_TRUE(vmd_check(PART(0), 10));
}

TEST_F(huge, a_private_mapping_copies_parts_only)
{
	char *copy = vmd_map_as(self->fd, self->all, VMD_RW, MAP_PRIVATE);
	size_t last = self->parts - 1;

	ASSERT_NE(MAP_FAILED, (void *)copy);
	fill_some(self->map, self->parts, self->parts, 20);
	EXPECT_TRUE(vmd_check(copy, 20));
	vmd_fill(copy, 99);
	ASSERT_EQ(0, huge_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES, self->page));
	EXPECT_TRUE(vmd_check(copy, 99));
	EXPECT_TRUE(vmd_check(copy + last * vmd_ps, 20 + last));
	EXPECT_TRUE(vmd_check(PART(0), 20));
	munmap(copy, self->all * vmd_ps);
}

TEST_F(huge, a_child_shares_what_is_mapped)
{
	pid_t pid;

	fill_some(self->map, self->all, self->parts, 30);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		size_t bad = bad_some(self->map, self->all, self->parts, 30);

		vmd_fill(PAGE(4) + vmd_ps, 31);
		_exit(bad ? 1 : 0);
	}
	EXPECT_CHILD(pid);
	EXPECT_TRUE(vmd_check(PAGE(4) + vmd_ps, 31));
}

TEST_F(huge, the_kernel_reads_and_writes_through_it)
{
	int file = vmd_temp_file(vmd_test_dir(), 0), direct;
	struct iovec to, from;
	char buf[100];
	size_t i;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, vmd_fill_file(file, 8 * vmd_ps, 40));
	direct = vmd_reopen(file, O_RDONLY | O_DIRECT);
	if (direct < 0)
		direct = vmd_reopen(file, O_RDONLY);
	/* Across the end of a page */
	ASSERT_EQ((ssize_t)(8 * vmd_ps),
		  pread(direct, PAGE(2) - 4 * vmd_ps, 8 * vmd_ps, 0));
	ASSERT_EQ(0, huge_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES, self->page));
	for (i = 0; i < 8; i++)
		EXPECT_TRUE(vmd_check(PAGE(2) + (i - 4) * vmd_ps, 40 + i));
	to = (struct iovec){ buf, sizeof(buf) };
	from = (struct iovec){ PAGE(2) - 50, sizeof(buf) };
	ASSERT_EQ((ssize_t)sizeof(buf),
		  process_vm_readv(getpid(), &to, 1, &from, 1, 0));
	EXPECT_EQ(0, memcmp(buf, PAGE(2) - 50, sizeof(buf)));
	close(direct);
	close(file);
}

TEST_F(huge, an_accessed_page_gets_its_second_chance)
{
	size_t i;

	ASSERT_EQ(0, vmd_set(self->fd, "clock", "accessed", FRAMES));
	for (i = 0; i < 2 * PAGES; i++) {
		vmd_store(PAGE(0) + vmd_ps, i);
		vmd_store(PAGE(1 + i % (PAGES - 1)), i);
	}
	ASSERT_STATS();
	/* Page 0 may go once at the very start, when all were touched. */
	EXPECT_LE(self->s.misses, 2 * PAGES + 3);
	EXPECT_LT(0, self->s.hits);
	vmd_store(PAGE(0), 1);
	EXPECT_EQ(1, vmd_count_flag(self->fd, 0, 1, VMD_PAGE_ACCESSED));
}

TEST_F(huge, punched_and_cut_off_pages_read_as_zeros)
{
	fill_some(self->map, self->all, self->parts, 50);
	ASSERT_EQ(0, huge_punch(self->fd, 2, 3, self->page));
	EXPECT_TRUE(vmd_is_zero(PAGE(2)));
	EXPECT_TRUE(vmd_is_zero(PAGE(5) - vmd_ps));
	EXPECT_TRUE(vmd_check(PAGE(5), 50 + 5 * self->parts));
	ASSERT_EQ(0, vmd_set_size(self->fd, 6 * self->page));
	EXPECT_EQ(SIGBUS, vmd_read_signal(PAGE(6)));
	ASSERT_EQ(0, vmd_set_size(self->fd, PAGES * self->page));
	EXPECT_TRUE(vmd_is_zero(PAGE(6)));
	EXPECT_TRUE(vmd_check(PAGE(6) - vmd_ps, 50 + 6 * self->parts - 1));
}

TEST_F(huge, a_file_ends_where_it_did)
{
	/* One page, and of the second a part that ends within a sector */
	size_t bytes = self->page + 2 * vmd_ps + 700;
	int file = vmd_temp_file(vmd_test_dir(), 0), fd;
	char *map;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, bytes));
	ASSERT_EQ(0, vmd_fill_file(file, self->page + 2 * vmd_ps, 60));
	ASSERT_EQ(0, ftruncate(file, bytes));
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, huge_set(fd, self->page, 1));
	ASSERT_EQ(0, vmd_set_file(fd, file));
	map = vmd_map(fd, 2 * self->parts);
	ASSERT_NE(MAP_FAILED, (void *)map);
	EXPECT_EQ(0, vmd_bad_pages(map, self->parts + 2, 60));
	EXPECT_TRUE(vmd_is_zero(map + self->page + 2 * vmd_ps));
	vmd_fill(map + self->page, 1);
	memset(map + self->page + 2 * vmd_ps, 'e', 1000);
	vmd_fill(map, 2);
	EXPECT_EQ(0, msync(map, 2 * self->page, MS_SYNC));
	EXPECT_EQ((__s64)bytes, vmd_file_size(file));
	EXPECT_TRUE(vmd_page_is(file, self->parts, 1));
	EXPECT_TRUE(vmd_page_is(file, 0, 2));
	EXPECT_TRUE(vmd_bytes_are(file, self->page + 2 * vmd_ps, 700, 'e'));
	/* What was written behind the end does not come back. */
	ASSERT_EQ(0, vmd_set_size(fd, 3 * self->page));
	EXPECT_EQ((__s64)(3 * self->page), vmd_file_size(file));
	EXPECT_EQ('e', vmd_load(map + self->page + 2 * vmd_ps + 699));
	EXPECT_EQ(0, vmd_load(map + self->page + 2 * vmd_ps + 700));
	ASSERT_EQ(0, huge_punch(fd, 1, 1, self->page));
	EXPECT_TRUE(vmd_is_zero(map + self->page));
	EXPECT_TRUE(vmd_page_is_zero(file, self->parts));
	munmap(map, 2 * self->page);
	close(fd);
	close(file);
}

TEST_F(huge, whatever_is_done_content_is_as_the_model_says)
{
	struct huge_model m;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, huge_set(fd, self->page, 3));
	ASSERT_TRUE(huge_model_open(&m, fd, self->page));
	EXPECT_EQ(0, huge_model_run(&m, vmd_afford(HUGE_STEPS)));
	huge_model_close(&m);
	close(fd);
}

TEST_F(huge, likewise_on_a_file)
{
	int file = vmd_temp_file(vmd_test_dir(), 0), fd;
	struct huge_model m;
	char buf[4096];
	size_t i;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, 6 * self->page));
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, huge_set(fd, self->page, 3));
	ASSERT_EQ(0, vmd_set_file(fd, file));
	ASSERT_TRUE(huge_model_open(&m, fd, self->page));
	EXPECT_EQ(0, huge_model_run(&m, vmd_afford(HUGE_STEPS)));
	ASSERT_EQ(0, huge_sync(fd));
	for (i = 0; i < m.nr; i++) {
		ASSERT_EQ((ssize_t)vmd_ps, pread(file, buf, vmd_ps, i * vmd_ps));
		EXPECT_TRUE(huge_part_is(buf, m.tags[i]));
	}
	huge_model_close(&m);
	close(fd);
	close(file);
}

TEST(a_page_size_is_chosen_while_the_space_is_empty)
{
	struct vmd_config c;
	__u64 id;
	int fd;

	ASSERT_OPEN(fd);
	id = vmd_id(fd);
	EXPECT_ERRNO(EINVAL, huge_set_only(fd, 8192));
	EXPECT_EQ(0, huge_set_only(fd, 4096));
	EXPECT_EQ(0, huge_set_only(fd, 0));
	EXPECT_EQ(id, vmd_id(fd));
	ASSERT_EQ(0, vmd_set(fd, "sieve", "accessed", 1024));
	ASSERT_EQ(0, vmd_set_size(fd, HUGE + 4096));
	EXPECT_EQ(0, huge_set_only(fd, HUGE));
	EXPECT_NE(id, vmd_id(fd));
	ASSERT_EQ(0, vmd_get(fd, &c));
	EXPECT_EQ(HUGE, c.page_size);
	EXPECT_EQ(2, c.budget);
	EXPECT_EQ(2 * HUGE, c.size);
	EXPECT_STREQ("sieve", c.policy);
	EXPECT_STREQ("accessed", c.observer);
	ASSERT_EQ(1, pwrite(fd, "x", 1, 0));
	EXPECT_ERRNO(EBUSY, huge_set_only(fd, 4096));
	close(fd);
}

TEST(what_large_pages_cannot_do_is_refused)
{
	struct vmd_config c = {
		.mask = VMD_CONFIG_PLACEMENT | VMD_CONFIG_BUDGET,
		.ways = 2, .budget = 64,
	};
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, ioctl(fd, VMD_IOC_SET_CONFIG, &c));
	EXPECT_ERRNO(EINVAL, huge_set_only(fd, HUGE));
	c.ways = 0;
	ASSERT_EQ(0, ioctl(fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_EQ(0, vmd_observer(fd, "trap"));
	EXPECT_ERRNO(EOPNOTSUPP, huge_set_only(fd, HUGE));
	/* A call that is wrong in itself is told so, whatever the space is. */
	c.mask = VMD_CONFIG_PAGE_SIZE | (VMD_CONFIG_ALL + 1);
	c.page_size = HUGE;
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_SET_CONFIG, &c));
	ASSERT_EQ(0, vmd_observer(fd, "fault"));
	EXPECT_EQ(0, huge_set_only(fd, HUGE));
	/* And back, while it is empty */
	EXPECT_EQ(0, huge_set_only(fd, 4096));
	close(fd);
}

TEST(a_budget_counts_by_its_bytes_among_all)
{
	__u64 was;
	int fd;

	ASSERT_TRUE(vmd_param("max_frames", &was));
	ASSERT_OPEN(fd);
	EXPECT_ERRNO(EINVAL, huge_set(fd, HUGE, was / 512 + 1));
	EXPECT_EQ(0, huge_set(fd, HUGE, 1));
	close(fd);
}

TEST_HARNESS_MAIN
