// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caps on what one user may have: spaces, frames, pages with content; and what
 * a touched page of a very sparse mapping costs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vmd_harness.h"

#define PAGES	128
#define FRAMES	64
#define OTHER	12345U		/* a user that is neither root nor nobody */
#define AWAIT	5000		/* ms in which what was closed is given back */

static const char *const params[] = {
	"user_spaces", "user_frames", "user_slots", "max_size"
};

#define NR_PARAMS	((int)ARRAY_SIZE(params))

static int set_param(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), VMD_PARAMS "%s", name);
	return vmd_write_file(path, value);
}

FIXTURE(limits) {
	char *saved[NR_PARAMS];
	struct stat node;
};

/* Other users may open the node while these tests run. */
FIXTURE_SETUP(limits)
{
	char path[128];
	int i;

	ASSERT_EQ(0, stat(VMD_DEVICE, &self->node));
	ASSERT_EQ(0, chmod(VMD_DEVICE, 0666));
	for (i = 0; i < NR_PARAMS; i++) {
		snprintf(path, sizeof(path), VMD_PARAMS "%s", params[i]);
		self->saved[i] = vmd_read_file(path);
		ASSERT_NE(NULL, self->saved[i]);
	}
}

FIXTURE_TEARDOWN(limits)
{
	int i;

	for (i = 0; i < NR_PARAMS; i++)
		set_param(params[i], self->saved[i]);
	chmod(VMD_DEVICE, self->node.st_mode & 07777);
}

/* A space made by @uid without privileges, used by us. */
static int open_as(uid_t uid)
{
	int fd, error;

	if (seteuid(uid))
		return -1;
	fd = vmd_open();
	error = errno;
	if (seteuid(0))
		return -1;
	/* A change of user undoes it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	errno = error;
	return fd;
}

/* The same; waits a little for what was just closed. */
static int await_open_as(uid_t uid)
{
	__u64 end = vmd_now_ms() + AWAIT;
	int fd;

	while ((fd = open_as(uid)) < 0 && errno == EDQUOT && vmd_now_ms() < end)
		vmd_sleep_ms(10);
	return fd;
}

static __u64 resident(int fd)
{
	struct vmd_stats s;

	return vmd_stats(fd, &s) ? UINT64_MAX : s.resident;
}

static __u64 module_resident(void)
{
	struct vmd_stats s;

	return vmd_module_stats(&s) ? UINT64_MAX : s.resident;
}

TEST_F(limits, info_tells_what_is_in_force)
{
	struct vmd_info i;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_info(fd, &i));
	EXPECT_EQ(1024, i.user_spaces);
	EXPECT_EQ(i.max_frames, i.user_frames);
	EXPECT_EQ(4 * i.max_frames, i.user_slots);
	ASSERT_EQ(0, set_param("user_spaces", "7"));
	ASSERT_EQ(0, set_param("user_frames", "77"));
	ASSERT_EQ(0, set_param("user_slots", "777"));
	ASSERT_EQ(0, vmd_info(fd, &i));
	EXPECT_EQ(7, i.user_spaces);
	EXPECT_EQ(77, i.user_frames);
	EXPECT_EQ(777, i.user_slots);
	close(fd);
}

/* How many values that are no numbers the parameter took */
static int wrongly_taken(const char *name)
{
	static const char *const bad[] = {
		"many", "-5", "\n", "1.5", "1x", NULL
	};
	int i, n = 0;

	for (i = 0; bad[i]; i++)
		n += !set_param(name, bad[i]) || errno != EINVAL;
	return n;
}

TEST_F(limits, values_that_make_no_sense_are_refused)
{
	struct vmd_info before, after;
	int i, fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_info(fd, &before));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, wrongly_taken(params[i]));
	EXPECT_ERRNO(EINVAL, set_param("user_spaces", "0"));
	EXPECT_ERRNO(EINVAL, set_param("user_frames", "15"));
	EXPECT_ERRNO(EINVAL, set_param("user_slots", "15"));
	ASSERT_EQ(0, vmd_info(fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	close(fd);
}

TEST_F(limits, spaces_past_the_cap_are_edquot_and_closing_gives_back)
{
	int fd[4], i;

	ASSERT_EQ(0, set_param("user_spaces", "4"));
	for (i = 0; i < 4; i++)
		ASSERT_LE(0, fd[i] = open_as(VMD_NOBODY));
	EXPECT_ERRNO(EDQUOT, open_as(VMD_NOBODY));
	close(fd[0]);
	ASSERT_LE(0, fd[0] = await_open_as(VMD_NOBODY));
	EXPECT_ERRNO(EDQUOT, open_as(VMD_NOBODY));
	for (i = 0; i < 4; i++)
		close(fd[i]);
}

TEST_F(limits, every_user_has_caps_of_his_own)
{
	int nobody, other;

	ASSERT_EQ(0, set_param("user_spaces", "1"));
	ASSERT_LE(0, nobody = open_as(VMD_NOBODY));
	ASSERT_LE(0, other = open_as(OTHER));
	EXPECT_ERRNO(EDQUOT, open_as(VMD_NOBODY));
	EXPECT_ERRNO(EDQUOT, open_as(OTHER));
	close(nobody);
	close(other);
}

TEST_F(limits, a_space_counts_while_another_process_has_it)
{
	int fd;
	pid_t pid;

	ASSERT_EQ(0, set_param("user_spaces", "1"));
	ASSERT_LE(0, fd = open_as(VMD_NOBODY));
	pid = vmd_fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	close(fd);
	EXPECT_ERRNO(EDQUOT, open_as(VMD_NOBODY));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
	EXPECT_LE(0, fd = await_open_as(VMD_NOBODY));
	close(fd);
}

static bool raise_cap(int cap, bool on)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return false;
	if (on)
		data[0].effective |= 1U << cap;
	else
		data[0].effective &= ~(1U << cap);
	return !syscall(SYS_capset, &head, data);
}

TEST_F(limits, cap_sys_resource_is_exempt_and_root_without_it_is_not)
{
	char *map;
	int fd[3], i;

	ASSERT_EQ(0, set_param("user_spaces", "1"));
	ASSERT_EQ(0, set_param("user_frames", "16"));
	ASSERT_EQ(0, set_param("user_slots", "16"));
	for (i = 0; i < 3; i++)
		ASSERT_OPEN(fd[i]);
	ASSERT_EQ(0, vmd_budget(fd[0], FRAMES));
	ASSERT_MAP(map, fd[0], PAGES);
	vmd_fill_all(map, PAGES, 1);
	EXPECT_EQ(FRAMES, resident(fd[0]));
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	ASSERT_TRUE(raise_cap(CAP_SYS_RESOURCE, false));
	/* The exempt ones do not count against the one that is not. */
	close(fd[1]);
	ASSERT_OPEN(fd[1]);
	EXPECT_ERRNO(EDQUOT, vmd_open());
	ASSERT_TRUE(raise_cap(CAP_SYS_RESOURCE, true));
	/* Whether a space counts is settled when it is made. */
	ASSERT_MAP(map, fd[1], PAGES);
	vmd_fill_all(map, 16, 1);
	EXPECT_EQ(SIGBUS, vmd_write_signal(map + 16 * vmd_ps));
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

/* All that the caps allow, as nobody; then waits to be killed. */
static int take_all(void *arg)
{
	int *ready = arg, i, fd;
	char *map;

	for (i = 0; i < 3; i++) {
		fd = vmd_open();
		if (fd < 0)
			return 1;
		map = vmd_map(fd, PAGES);
		if (map == MAP_FAILED)
			return 2;
		vmd_fill_all(map, 32, i);
	}
	if (vmd_open() >= 0 || errno != EDQUOT)
		return 3;
	if (vmd_write_signal(map + 32 * vmd_ps) != SIGBUS)
		return 4;
	if (!ready)
		return 0;
	if (write(ready[1], "r", 1) != 1)
		return 5;
	pause();
	return 6;
}

TEST_F(limits, all_is_given_back_after_kill_9)
{
	__u64 before = module_resident(), end;
	int ready[2], i, got = -1;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, set_param("user_spaces", "3"));
	ASSERT_EQ(0, set_param("user_frames", "64"));
	ASSERT_EQ(0, set_param("user_slots", "96"));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, pipe(ready));
		pid = vmd_fork();
		if (!pid) {
			if (vmd_become(VMD_NOBODY))
				_exit(9);
			_exit(take_all(ready));
		}
		close(ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1)) {
			TH_LOG("child: %d", vmd_wait(pid, 1000));
		}
		close(ready[0]);
		EXPECT_EQ(before + 64, module_resident());
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
		end = vmd_now_ms() + AWAIT;
		while (module_resident() != before && vmd_now_ms() < end)
			vmd_sleep_ms(10);
		EXPECT_EQ(before, module_resident());
	}
	end = vmd_now_ms() + AWAIT;
	while (got && vmd_now_ms() < end)
		got = vmd_as_user(VMD_NOBODY, take_all, NULL);
	EXPECT_EQ(0, got);
}

/* Spaces of one user that could hold more than the user's cap together */
FIXTURE(frames) {
	char *saved;
	struct stat node;
	int fd[3];
	char *map[3];
};

FIXTURE_SETUP(frames)
{
	int i;

	ASSERT_EQ(0, stat(VMD_DEVICE, &self->node));
	ASSERT_EQ(0, chmod(VMD_DEVICE, 0666));
	self->saved = vmd_read_file(VMD_PARAMS "user_frames");
	ASSERT_NE(NULL, self->saved);
	for (i = 0; i < 3; i++) {
		ASSERT_LE(0, self->fd[i] = open_as(VMD_NOBODY));
		ASSERT_EQ(0, vmd_set(self->fd[i], "lru", "accessed", FRAMES));
		ASSERT_MAP(self->map[i], self->fd[i], PAGES);
	}
}

FIXTURE_TEARDOWN(frames)
{
	int i;

	set_param("user_frames", self->saved);
	for (i = 0; i < 3; i++)
		close(self->fd[i]);
	chmod(VMD_DEVICE, self->node.st_mode & 07777);
}

static __u64 all_resident(const int *fd)
{
	return resident(fd[0]) + resident(fd[1]) + resident(fd[2]);
}

TEST_F(frames, without_a_cap_each_has_its_budget)
{
	int i;

	for (i = 0; i < 3; i++)
		vmd_fill_all(self->map[i], PAGES, i * 1000);
	EXPECT_EQ(3 * FRAMES, all_resident(self->fd));
}

TEST_F(frames, past_the_cap_a_space_evicts_though_its_budget_is_not_used_up)
{
	struct vmd_stats s;

	ASSERT_EQ(0, set_param("user_frames", "24"));
	vmd_fill_all(self->map[0], PAGES, 1);
	ASSERT_EQ(0, vmd_stats(self->fd[0], &s));
	EXPECT_GE(24, s.resident);
	EXPECT_LE(16, s.resident);
	EXPECT_EQ(FRAMES, s.budget);
	EXPECT_LE(PAGES - 24, s.evictions);
	EXPECT_EQ(0, vmd_bad_pages(self->map[0], PAGES, 1));
}

TEST_F(frames, a_space_with_nothing_to_give_gets_from_another_of_the_user)
{
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_MAP(map, fd, 32);
	vmd_fill_all(map, 32, 5000);
	ASSERT_EQ(0, set_param("user_frames", "64"));
	vmd_fill_all(self->map[0], PAGES, 1);
	ASSERT_EQ(64, resident(self->fd[0]));
	vmd_fill_all(self->map[1], PAGES, 2000);
	EXPECT_GE(64, all_resident(self->fd));
	EXPECT_EQ(0, vmd_bad_pages(self->map[0], PAGES, 1));
	EXPECT_EQ(0, vmd_bad_pages(self->map[1], PAGES, 2000));
	/* Nobody else's were taken. */
	EXPECT_EQ(32, resident(fd));
	close(fd);
}

TEST_F(frames, lowering_the_cap_evicts_from_spaces_that_exist)
{
	__u64 end = vmd_now_ms() + AWAIT;
	int i;

	for (i = 0; i < 3; i++)
		vmd_fill_all(self->map[i], PAGES, i * 1000);
	ASSERT_EQ(0, set_param("user_frames", "16"));
	while (all_resident(self->fd) > 16 && vmd_now_ms() < end)
		vmd_sleep_ms(10);
	EXPECT_GE(16, all_resident(self->fd));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, vmd_bad_pages(self->map[i], PAGES, i * 1000));
	EXPECT_GE(16, all_resident(self->fd));
}

TEST_F(frames, pinned_pages_of_one_space_leave_the_rest_to_another)
{
	ASSERT_EQ(0, set_param("user_frames", "64"));
	ASSERT_EQ(0, vmd_advise(self->fd[0], VMD_ADVICE_PIN, 0, 48));
	vmd_fill_all(self->map[1], PAGES, 1);
	EXPECT_EQ(0, vmd_bad_pages(self->map[1], PAGES, 1));
	EXPECT_EQ(48, vmd_count_flag(self->fd[0], 0, 48, VMD_PAGE_PINNED));
	EXPECT_GE(64, all_resident(self->fd));
}

/* All frames pinned: a touch ends in SIGBUS, soon, and unpinning heals it. */
TEST_F(frames, with_all_frames_pinned_a_touch_ends)
{
	__u64 begin;

	ASSERT_EQ(0, set_param("user_frames", "64"));
	ASSERT_EQ(0, vmd_advise(self->fd[0], VMD_ADVICE_PIN, 0, 32));
	ASSERT_EQ(0, vmd_advise(self->fd[1], VMD_ADVICE_PIN, 0, 32));
	begin = vmd_now_ms();
	EXPECT_EQ(SIGBUS, vmd_write_signal(self->map[2]));
	EXPECT_GT(begin + 20000, vmd_now_ms());
	ASSERT_EQ(0, vmd_advise(self->fd[0], VMD_ADVICE_UNPIN, 0, 32));
	EXPECT_EQ(0, vmd_write_signal(self->map[2]));
}

struct runner {
	pthread_t thread;
	char *map;
	int number;
	size_t errors;
};

static void *run(void *arg)
{
	struct runner *r = arg;
	unsigned long i;

	for (i = 0; i < vmd_scaled(3); i++) {
		vmd_fill_all(r->map, PAGES, r->number * 1000 + i);
		r->errors += vmd_bad_pages(r->map, PAGES,
					   r->number * 1000 + i);
	}
	return NULL;
}

TEST_F(frames, the_cap_holds_at_every_instant_and_each_space_gets_on)
{
	struct runner r[3] = { 0 };
	int i;

	ASSERT_EQ(0, set_param("user_frames", "48"));
	for (i = 0; i < 3; i++) {
		r[i].map = self->map[i];
		r[i].number = i;
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, run, &r[i]));
	}
	/* Each value is of another instant: up to a batch moves meanwhile. */
	for (i = 0; i < 50; i++) {
		EXPECT_GE(48, module_resident());
		vmd_sleep_ms(5);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(0, r[i].errors);
	}
}

/* One user with 64 pages that may have content */
FIXTURE(slots) {
	char *saved;
	struct stat node;
	int fd;
	char *map;
};

#define SLOTS	64

FIXTURE_SETUP(slots)
{
	ASSERT_EQ(0, stat(VMD_DEVICE, &self->node));
	ASSERT_EQ(0, chmod(VMD_DEVICE, 0666));
	self->saved = vmd_read_file(VMD_PARAMS "user_slots");
	ASSERT_NE(NULL, self->saved);
	ASSERT_EQ(0, set_param("user_slots", "64"));
	ASSERT_LE(0, self->fd = open_as(VMD_NOBODY));
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "accessed", 16));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, SLOTS, 1);
}

FIXTURE_TEARDOWN(slots)
{
	set_param("user_slots", self->saved);
	close(self->fd);
	chmod(VMD_DEVICE, self->node.st_mode & 07777);
}

TEST_F(slots, a_touch_past_the_cap_is_sigbus)
{
	EXPECT_EQ(SIGBUS, vmd_write_signal(self->map + SLOTS * vmd_ps));
	EXPECT_EQ(SIGBUS, vmd_read_signal(self->map + (PAGES - 1) * vmd_ps));
	/* What has content is as usable as ever. */
	EXPECT_EQ(0, vmd_bad_pages(self->map, SLOTS, 1));
	vmd_fill_all(self->map, SLOTS, 100);
	EXPECT_EQ(0, vmd_bad_pages(self->map, SLOTS, 100));
	EXPECT_EQ(SLOTS, PAGES - vmd_count_state(self->fd, 0, PAGES,
						 VMD_PAGE_ABSENT));
}

TEST_F(slots, write_past_the_cap_is_edquot_and_read_sees_zeros)
{
	char buf[8] = "content";
	off_t at = SLOTS * vmd_ps;

	EXPECT_ERRNO(EDQUOT, pwrite(self->fd, buf, 8, at));
	EXPECT_EQ(4, pwrite(self->fd, buf, 8, at - 4));
	EXPECT_EQ(8, pread(self->fd, buf, 8, at));
	EXPECT_EQ(0, memcmp(buf, "\0\0\0\0\0\0\0", 8));
	EXPECT_EQ(8, pread(self->fd, buf, 8, 0));
}

TEST_F(slots, pinning_past_the_cap_is_edquot_and_pins_nothing)
{
	EXPECT_ERRNO(EDQUOT, vmd_advise(self->fd, VMD_ADVICE_PIN, SLOTS - 2,
					4));
	EXPECT_EQ(0, vmd_count_flag(self->fd, 0, PAGES, VMD_PAGE_PINNED));
}

TEST_F(slots, a_smaller_size_and_a_closed_space_give_back)
{
	char *map;
	int fd;

	ASSERT_LE(0, fd = open_as(VMD_NOBODY));
	ASSERT_MAP(map, fd, PAGES);
	EXPECT_EQ(SIGBUS, vmd_write_signal(map));
	ASSERT_EQ(0, vmd_resize(self->fd, SLOTS / 2));
	vmd_fill_all(map, SLOTS / 2, 7);
	EXPECT_EQ(SIGBUS, vmd_write_signal(map + SLOTS / 2 * vmd_ps));
	EXPECT_EQ(0, vmd_bad_pages(map, SLOTS / 2, 7));
	EXPECT_EQ(0, vmd_bad_pages(self->map, SLOTS / 2, 1));
	ASSERT_EQ(0, munmap(map, PAGES * vmd_ps));
	close(fd);
	ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
	vmd_fill_all(self->map, SLOTS, 9);
	EXPECT_EQ(0, vmd_bad_pages(self->map, SLOTS, 9));
}

/* At the cap, too, a page counts once, and who comes second is not refused. */
static void *touch_all(void *arg)
{
	vmd_touch_all(arg, SLOTS);
	return NULL;
}

TEST_F(slots, threads_that_touch_the_same_pages_count_them_once)
{
	pthread_t thread[4];
	unsigned long i, j;

	for (i = 0; i < vmd_scaled(20); i++) {
		ASSERT_EQ(0, vmd_resize(self->fd, 0));
		ASSERT_EQ(0, vmd_resize(self->fd, PAGES));
		for (j = 0; j < 4; j++)
			ASSERT_EQ(0, pthread_create(&thread[j], NULL,
						    touch_all, self->map));
		for (j = 0; j < 4; j++)
			pthread_join(thread[j], NULL);
		ASSERT_EQ(SIGBUS, vmd_write_signal(self->map +
						   SLOTS * vmd_ps));
		ASSERT_EQ(0, set_param("user_slots", "65"));
		ASSERT_EQ(0, vmd_write_signal(self->map + SLOTS * vmd_ps));
		ASSERT_EQ(0, set_param("user_slots", "64"));
	}
}

/* Another user's space: neither attached to, nor reached with what is refused. */
static int cannot_attach(void *arg)
{
	int fd = vmd_open();
	__u64 own;

	if (fd < 0)
		return 1;
	own = vmd_id(fd);
	if (!vmd_attach(fd, *(__u64 *)arg) || errno != EPERM)
		return 2;
	return vmd_id(fd) != own;
}

TEST_F(limits, the_space_of_another_user_cannot_be_attached)
{
	int fd;
	__u64 id;

	ASSERT_LE(0, fd = open_as(OTHER));
	id = vmd_id(fd);
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, cannot_attach, &id));
	/* Its own user may. */
	EXPECT_EQ(2, vmd_as_user(OTHER, cannot_attach, &id));
	close(fd);
}

/* KiB of page tables of this process */
static __u64 page_tables(void)
{
	char *text = vmd_read_file("/proc/self/status");
	char *at = text ? strstr(text, "VmPTE:") : NULL;
	__u64 kib = at ? strtoull(at + 6, NULL, 10) : UINT64_MAX;

	free(text);
	return kib;
}

/* Nodes that the kernel's radix trees and xarrays have, all together */
static long xarray_nodes(void)
{
	char *text = vmd_read_file("/proc/slabinfo");
	char *at = text ? strstr(text, "radix_tree_node") : NULL;
	long n = at ? strtol(at + strlen("radix_tree_node"), NULL, 10) : -1;

	free(text);
	return n;
}

#define SPARSE_BITS	44		/* 16 TiB */
#define SPARSE_PAGES	1000

TEST_F(limits, a_touched_page_of_a_sparse_16_tib_mapping_costs_bounded_memory)
{
	size_t step = (1UL << SPARSE_BITS) / SPARSE_PAGES / vmd_ps * vmd_ps;
	__u64 none, one, all;
	long nodes, i;
	char *map;
	int fd;

	ASSERT_EQ(0, set_param("max_size", "16T"));
	ASSERT_EQ(0, set_param("user_slots", "1000"));
	ASSERT_LE(0, fd = open_as(VMD_NOBODY));
	ASSERT_MAP(map, fd, (1UL << SPARSE_BITS) / vmd_ps);
	none = page_tables();
	nodes = xarray_nodes();
	vmd_store(map, 1);
	one = page_tables() - none;
	for (i = 0; i < SPARSE_PAGES; i++)
		vmd_store(map + i * step, i);
	all = page_tables() - none;
	nodes = xarray_nodes() - nodes;
	TH_LOG("KiB of page tables: %llu for 1 page, %llu for %d", one, all,
	       SPARSE_PAGES);
	TH_LOG("nodes of xarrays for %d pages, others' included: %ld",
	       SPARSE_PAGES, nodes);
	/* At each of three levels (with five: four) one page of entries. */
	EXPECT_GE(16, one);
	EXPECT_GE(3 * 4 * SPARSE_PAGES, all);
	/* Six bits of the page's 32 at each level, the root shared. */
	EXPECT_GE(6 * SPARSE_PAGES + 500, nodes);
	EXPECT_EQ(SIGBUS, vmd_write_signal(map + step / 2));
	for (i = 0; i < SPARSE_PAGES; i++)
		ASSERT_EQ((char)i, vmd_load(map + i * step));
	ASSERT_EQ(0, munmap(map, 1UL << SPARSE_BITS));
	close(fd);
}

TEST_HARNESS_MAIN
