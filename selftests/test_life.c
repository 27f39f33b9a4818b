// SPDX-License-Identifier: GPL-2.0-only
/* Unloading refused, and kill -9 in the middle of eviction storms. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "vmd_harness.h"

#define PAGES		128
#define FRAMES		16
#define ROUNDS		30
#define CHILDREN	3
#define DIE_MS		2000

static bool unload_refused(void)
{
	return syscall(SYS_delete_module, "vmdemo", O_NONBLOCK) == -1 &&
	       (errno == EWOULDBLOCK || errno == EBUSY);
}

static __u64 spaces(void)
{
	char *text = vmd_read_file(VMD_PROC "stats");
	__u64 n = UINT64_MAX;

	vmd_value(text, "spaces", &n);
	free(text);
	return n;
}

static bool works(int fd)
{
	char *map = vmd_map(fd, PAGES);
	bool good;

	if (map == MAP_FAILED)
		return false;
	vmd_fill_all(map, PAGES, 1);
	good = !vmd_bad_pages(map, PAGES, 1);
	munmap(map, PAGES * vmd_ps);
	return good;
}

TEST(unload_is_refused_while_open)
{
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_TRUE(unload_refused());
	EXPECT_TRUE(works(fd));
	close(fd);
	ASSERT_OPEN(fd);
	EXPECT_TRUE(works(fd));
	close(fd);
}

TEST(unload_is_refused_while_mapped)
{
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_budget(fd, FRAMES));
	ASSERT_MAP(map, fd, PAGES);
	vmd_fill_all(map, PAGES, 1);
	close(fd);
	ASSERT_TRUE(unload_refused());
	EXPECT_EQ(0, vmd_bad_pages(map, PAGES, 1));
	munmap(map, PAGES * vmd_ps);
}

TEST(unload_is_refused_while_an_fd_is_in_a_message)
{
	int pair[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_send_fd(pair[0], fd));
	close(fd);
	ASSERT_TRUE(unload_refused());
	fd = vmd_receive_fd(pair[1]);
	EXPECT_TRUE(works(fd));
	close(fd);
}

TEST(many_spaces_at_once_come_and_go)
{
	__u64 before = spaces();
	int fd[200], i;

	for (i = 0; i < 200; i++)
		ASSERT_OPEN(fd[i]);
	EXPECT_EQ(before + 200, spaces());
	for (i = 0; i < 200; i++)
		close(fd[i]);
	EXPECT_EQ(before, spaces());
}

static void *thrash(void *arg)
{
	char *map = arg;
	__u64 seed = (uintptr_t)&seed ^ getpid();

	for (;;)
		map[vmd_random(&seed) % PAGES * vmd_ps]++;
	return NULL;
}

/* A child that only faults: two threads on a space of its own or a shared one */
static pid_t start_storm(int shared, int round)
{
	pid_t pid = vmd_fork();
	pthread_t thread;
	char *map;
	int fd;

	if (pid)
		return pid;
	fd = round % 2 ? shared : vmd_open();
	vmd_set(fd, vmd_policy_names[round % 7], vmd_observer_names[round % 3],
		FRAMES);
	map = vmd_map(fd, PAGES);
	if (map == MAP_FAILED || pthread_create(&thread, NULL, thrash, map))
		_exit(1);
	thrash(map);
	_exit(0);
}

/* True if it ended in time, and by our signal. */
static bool killed_in_time(pid_t pid)
{
	return vmd_wait(pid, DIE_MS) == 128 + SIGKILL;
}

TEST(kill_9_in_the_middle_of_eviction_storms)
{
	__u64 before = spaces(), seed = 5;
	pid_t pid[CHILDREN];
	unsigned int i, round;
	int fd;

	ASSERT_OPEN(fd);
	for (round = 0; round < vmd_scaled(ROUNDS); round++) {
		for (i = 0; i < CHILDREN; i++)
			pid[i] = start_storm(fd, round);
		vmd_sleep_ms(20 + vmd_random(&seed) % 60);
		for (i = 0; i < CHILDREN; i++)
			kill(pid[i], SIGKILL);
		for (i = 0; i < CHILDREN; i++)
			EXPECT_TRUE(killed_in_time(pid[i]));
	}
	EXPECT_EQ(before + 1, spaces());
	EXPECT_TRUE(works(fd));
	close(fd);
	EXPECT_EQ(before, spaces());
}

/* One of two processes on a space dies; the other's content is as it was. */
TEST(kill_9_of_one_sharer_harms_no_other)
{
	pid_t pid;
	char *map;
	int fd, i;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_budget(fd, FRAMES));
	ASSERT_MAP(map, fd, 2 * PAGES);
	vmd_fill_all(map + PAGES * vmd_ps, PAGES, 1);
	for (i = 0; i < 5; i++) {
		pid = vmd_fork();
		if (!pid)
			thrash(map);
		vmd_sleep_ms(30);
		kill(pid, SIGKILL);
		EXPECT_EQ(0, vmd_bad_pages(map + PAGES * vmd_ps, PAGES, 1));
		EXPECT_TRUE(killed_in_time(pid));
	}
	close(fd);
}

TEST(nothing_is_left_after_the_killed)
{
	struct vmd_stats s;
	__u64 end = vmd_now_ms() + 3000;

	do {
		ASSERT_EQ(0, vmd_module_stats(&s));
	} while (s.resident && vmd_now_ms() < end);
	EXPECT_EQ(0, s.resident);
	EXPECT_EQ(0, s.dirty);
	EXPECT_EQ(0, spaces());
}

TEST_HARNESS_MAIN
