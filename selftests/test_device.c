// SPDX-License-Identifier: GPL-2.0-only
/* The device: opening, mapping without any ioctl, growing, the end of a space. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "vmd_harness.h"

#define PAGES	16

FIXTURE(device) {
	int fd;
};

FIXTURE_SETUP(device)
{
	ASSERT_OPEN(self->fd);
}

FIXTURE_TEARDOWN(device)
{
	close(self->fd);
}

TEST(node_is_a_character_device_of_the_module)
{
	struct stat st;
	char path[64];

	ASSERT_EQ(0, stat(VMD_DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u",
		 major(st.st_rdev), minor(st.st_rdev));
	EXPECT_EQ(0, access(path, F_OK));
}

TEST(node_is_not_world_writable_by_default)
{
	struct stat st;

	ASSERT_EQ(0, stat(VMD_DEVICE, &st));
	EXPECT_EQ(0, st.st_mode & 0002);
}

static int cannot_open(void *arg)
{
	(void)arg;
	return vmd_open() >= 0 || errno != EACCES;
}

TEST(another_user_cannot_open_the_node_by_default)
{
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, cannot_open, NULL));
}

TEST_F(device, every_open_has_an_id_never_zero_and_never_used_twice)
{
	__u64 first = vmd_id(self->fd), last = first;
	int i, fd;

	EXPECT_NE(0, first);
	for (i = 0; i < 20; i++) {
		ASSERT_OPEN(fd);
		EXPECT_NE(first, vmd_id(fd));
		EXPECT_NE(last, vmd_id(fd));
		last = vmd_id(fd);
		close(fd);
	}
}

TEST_F(device, info_tells_the_truth)
{
	struct vmd_info i;
	__u64 value;

	ASSERT_EQ(0, vmd_info(self->fd, &i));
	EXPECT_EQ(VMD_ABI_VERSION, i.abi_version);
	EXPECT_EQ(vmd_ps, i.page_size);
	EXPECT_EQ(geteuid(), i.owner_uid);
	EXPECT_EQ(0, i.reserved);
	EXPECT_NE(0, i.version[0]);
	EXPECT_NE(NULL, memchr(i.version, 0, sizeof(i.version)));
	ASSERT_TRUE(vmd_param("max_size", &value));
	EXPECT_EQ(value, i.max_size);
	ASSERT_TRUE(vmd_param("max_frames", &value));
	EXPECT_EQ(value, i.max_frames);
}

TEST_F(device, metadata_is_64_bytes_a_resident_page_and_9_an_evicted_one_at_most)
{
	struct vmd_info i;

	ASSERT_EQ(0, vmd_info(self->fd, &i));
	EXPECT_LT(0, i.frame_bytes);
	EXPECT_GE(64, i.frame_bytes);
	EXPECT_LT(0, i.page_bytes);
	EXPECT_GE(9, i.page_bytes);
}

TEST_F(device, a_space_starts_at_the_modules_default_size_and_budget)
{
	__u64 size, budget;
	struct vmd_config c;

	ASSERT_TRUE(vmd_param("size", &size));
	ASSERT_TRUE(vmd_param("budget", &budget));
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(size, c.size);
	EXPECT_EQ(budget, c.budget);
	EXPECT_EQ(VMD_CONFIG_ALL, c.mask);
	EXPECT_STREQ("accessed", c.observer);
	EXPECT_STREQ("swap", c.store);
}

TEST_F(device, mmap_works_with_no_ioctl_at_all)
{
	char *map;

	ASSERT_MAP(map, self->fd, PAGES);
	EXPECT_TRUE(vmd_is_zero(map));
	vmd_fill_all(map, PAGES, 1);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
}

TEST_F(device, two_shared_mappings_of_one_space_show_the_same_bytes)
{
	char *a, *b;

	ASSERT_MAP(a, self->fd, PAGES);
	ASSERT_MAP(b, self->fd, PAGES);
	EXPECT_NE((void *)a, (void *)b);
	vmd_fill_all(a, PAGES, 7);
	EXPECT_EQ(0, vmd_bad_pages(b, PAGES, 7));
}

TEST_F(device, a_private_mapping_is_copied_on_write)
{
	char *shared, *private;

	ASSERT_MAP(shared, self->fd, PAGES);
	vmd_fill_all(shared, PAGES, 1);
	private = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, (void *)private);
	vmd_fill_all(private, PAGES, 100);
	EXPECT_EQ(0, vmd_bad_pages(shared, PAGES, 1));
	EXPECT_EQ(0, vmd_bad_pages(private, PAGES, 100));
}

TEST_F(device, a_mapping_at_an_odd_offset_shows_those_pages)
{
	char *all, *part;

	ASSERT_MAP(all, self->fd, PAGES);
	vmd_fill_all(all, PAGES, 1);
	part = mmap(NULL, 3 * vmd_ps, PROT_READ, MAP_SHARED, self->fd,
		    5 * vmd_ps);
	ASSERT_NE(MAP_FAILED, (void *)part);
	EXPECT_EQ(0, vmd_bad_pages(part, 3, 1 + 5));
}

TEST_F(device, a_length_that_is_no_multiple_of_a_page_maps_the_whole_page)
{
	char *map = mmap(NULL, vmd_ps + 123, VMD_RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, (void *)map);
	vmd_fill_all(map, 2, 9);
	EXPECT_EQ(0, vmd_bad_pages(map, 2, 9));
}

TEST_F(device, a_space_grows_when_a_mapping_reaches_past_its_end)
{
	struct vmd_config c;
	size_t pages;
	char *map;

	ASSERT_EQ(0, vmd_get(self->fd, &c));
	pages = c.size / vmd_ps + 5;
	ASSERT_MAP(map, self->fd, pages);
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(pages * vmd_ps, c.size);
	EXPECT_EQ(0, vmd_write_signal(map + pages * vmd_ps - 1));
}

TEST_F(device, a_mapping_within_the_space_does_not_change_its_size)
{
	struct vmd_config c;
	char *map;

	ASSERT_EQ(0, vmd_resize(self->fd, 100));
	ASSERT_MAP(map, self->fd, 50);
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(100 * vmd_ps, c.size);
}

TEST_F(device, a_space_whose_size_was_set_still_grows_by_a_later_mmap)
{
	struct vmd_config c;
	char *map;

	ASSERT_EQ(0, vmd_resize(self->fd, 4));
	ASSERT_MAP(map, self->fd, PAGES);
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(PAGES * vmd_ps, c.size);
	EXPECT_EQ(0, vmd_write_signal(map + PAGES * vmd_ps - 1));
}

/* Two mapped pages: the last one that a space may have and the one past it. */
TEST_F(device, growth_ends_at_max_size_and_a_touch_past_it_is_sigbus)
{
	struct vmd_config c;
	struct vmd_info i;
	char *map;

	ASSERT_EQ(0, vmd_info(self->fd, &i));
	map = mmap(NULL, 2 * vmd_ps, VMD_RW, MAP_SHARED, self->fd,
		   i.max_size - vmd_ps);
	ASSERT_NE(MAP_FAILED, (void *)map);
	ASSERT_EQ(0, vmd_get(self->fd, &c));
	EXPECT_EQ(i.max_size, c.size);
	EXPECT_EQ(0, vmd_write_signal(map));
	EXPECT_EQ(SIGBUS, vmd_write_signal(map + vmd_ps));
}

FIXTURE(shrunk) {
	int fd;
	char *map;
};

/* 16 pages with content, of which the last 8 were cut off */
FIXTURE_SETUP(shrunk)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, PAGES, 1);
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES / 2));
}

FIXTURE_TEARDOWN(shrunk)
{
	close(self->fd);
}

TEST_F(shrunk, a_touch_past_the_end_is_sigbus)
{
	EXPECT_EQ(SIGBUS, vmd_read_signal(self->map + PAGES / 2 * vmd_ps));
	EXPECT_EQ(SIGBUS, vmd_write_signal(self->map + PAGES * vmd_ps - 1));
	EXPECT_EQ(0, vmd_read_signal(self->map + PAGES / 2 * vmd_ps - 1));
}

TEST_F(shrunk, a_private_copy_past_the_end_is_gone_as_with_a_file)
{
	char *map;

	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	map = vmd_map_as(self->fd, PAGES, VMD_RW, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, (void *)map);
	vmd_fill_all(map, PAGES, 50);
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES / 2));
	EXPECT_EQ(SIGBUS, vmd_read_signal(map + PAGES / 2 * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES / 2, 50));
}

TEST_F(shrunk, the_pages_kept_are_intact)
{
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES / 2, 1));
}

TEST_F(shrunk, pages_that_grow_again_are_zero)
{
	int i;

	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	for (i = PAGES / 2; i < PAGES; i++)
		EXPECT_TRUE(vmd_is_zero(self->map + i * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(self->map, PAGES / 2, 1));
}

TEST_F(shrunk, pages_cut_off_while_evicted_are_zero_when_they_grow_again)
{
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	vmd_fill_all(self->map, PAGES, 30);
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
	ASSERT_EQ(0, vmd_resize(self->fd, 1));
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	EXPECT_TRUE(vmd_is_zero(self->map + vmd_ps));
	EXPECT_TRUE(vmd_is_zero(self->map + (PAGES - 1) * vmd_ps));
	EXPECT_TRUE(vmd_check(self->map, 30));
}

TEST_F(shrunk, a_space_of_size_zero_has_no_page_and_works_again_afterwards)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_resize(self->fd, 0));
	EXPECT_EQ(SIGBUS, vmd_read_signal(self->map));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, s.resident);
	EXPECT_EQ(0, s.dirty);
	ASSERT_EQ(0, vmd_resize(self->fd, 1));
	EXPECT_TRUE(vmd_is_zero(self->map));
}

TEST_F(device, fork_shares_a_shared_mapping_both_ways)
{
	char *map;
	pid_t pid;

	ASSERT_MAP(map, self->fd, PAGES);
	vmd_fill_all(map, PAGES, 1);
	pid = vmd_fork();
	if (!pid) {
		bool good = !vmd_bad_pages(map, PAGES, 1);

		vmd_fill_all(map, PAGES, 40);
		_exit(!good);
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 40));
}

TEST_F(device, a_childs_mapping_outlives_its_parents_fd_and_mapping)
{
	char *map;
	pid_t pid;

	ASSERT_MAP(map, self->fd, PAGES);
	ASSERT_EQ(0, vmd_budget(self->fd, 4));
	vmd_fill_all(map, PAGES, 1);
	pid = vmd_fork();
	if (!pid) {
		close(self->fd);
		vmd_sleep_ms(200);
		_exit(vmd_bad_pages(map, PAGES, 1) != 0);
	}
	munmap(map, PAGES * vmd_ps);
	close(self->fd);
	EXPECT_CHILD(pid);
}

TEST_F(device, the_mapping_works_after_close_of_its_fd)
{
	char *map;

	ASSERT_MAP(map, self->fd, PAGES);
	ASSERT_EQ(0, vmd_budget(self->fd, 2));
	close(self->fd);
	vmd_fill_all(map, PAGES, 3);
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 3));
}

TEST_F(device, dup_and_inherited_fds_are_the_same_space)
{
	int fd = dup(self->fd);
	pid_t pid;

	EXPECT_EQ(vmd_id(self->fd), vmd_id(fd));
	close(fd);
	pid = vmd_fork();
	if (!pid)
		_exit(vmd_resize(self->fd, 77) != 0);
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, vmd_read_signal(vmd_map(self->fd, 77)));
}

/* A traced child that sleeps with a mapping; what a debugger does to it. */
struct tracee {
	pid_t pid;
	char *map;
};

static int start_tracee(int fd, struct tracee *t)
{
	t->map = vmd_map(fd, PAGES);
	if (t->map == MAP_FAILED)
		return -1;
	vmd_fill_all(t->map, PAGES, 1);
	if (vmd_advise(fd, VMD_ADVICE_EVICT, 0, PAGES / 2))
		return -1;
	t->pid = vmd_fork();
	if (!t->pid) {
		pause();
		_exit(0);
	}
	return t->pid < 0 ? -1 : 0;
}

static void end_tracee(struct tracee *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
}

TEST_F(device, a_debugger_reads_and_writes_with_ptrace)
{
	struct tracee t;
	long word;

	ASSERT_EQ(0, start_tracee(self->fd, &t));
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, t.pid, 0, 0));
	ASSERT_EQ(t.pid, waitpid(t.pid, NULL, 0));
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, t.pid, t.map + vmd_ps, 0);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, memcmp(&word, t.map + vmd_ps, sizeof(word)));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, t.pid, t.map + 8, 0x1234567L));
	memcpy(&word, t.map + 8, sizeof(word));
	EXPECT_EQ(0x1234567L, word);
	EXPECT_EQ(0, ptrace(PTRACE_DETACH, t.pid, 0, 0));
	end_tracee(&t);
}

TEST_F(device, another_process_reads_and_writes_with_process_vm_calls)
{
	struct iovec here, there;
	struct tracee t;
	char *copy = malloc(PAGES * vmd_ps);

	ASSERT_EQ(0, start_tracee(self->fd, &t));
	here.iov_base = copy;
	there.iov_base = t.map;
	here.iov_len = PAGES * vmd_ps;
	there.iov_len = PAGES * vmd_ps;
	EXPECT_EQ((ssize_t)(PAGES * vmd_ps),
		  process_vm_readv(t.pid, &here, 1, &there, 1, 0));
	EXPECT_EQ(0, vmd_bad_pages(copy, PAGES, 1));
	vmd_fill_all(copy, PAGES, 500);
	EXPECT_EQ((ssize_t)(PAGES * vmd_ps),
		  process_vm_writev(t.pid, &here, 1, &there, 1, 0));
	EXPECT_EQ(0, vmd_bad_pages(t.map, PAGES, 500));
	end_tracee(&t);
}

TEST_F(device, the_last_close_ends_the_space)
{
	__u64 id = vmd_id(self->fd);
	char *line = vmd_space_line(id);

	ASSERT_NE(NULL, line);
	close(self->fd);
	EXPECT_EQ(NULL, vmd_space_line(id));
}

TEST_HARNESS_MAIN
