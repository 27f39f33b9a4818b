// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private spaces: after fork parent and child share frames and slots until one
 * of them writes. What each sees is checked against a model of its own, which
 * fork copies as the C library's memory is copied: by the kernel.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmd_harness.h"

#define PAGES		256
#define FRAMES		24
#define LEAST		64		/* pages, on a slow kernel */
#define CHILDREN	8
#define FEW		8		/* pages, where all of them are in frames */

/**
 * struct world - a space, and what is in it
 * @fd: stands for it
 * @map: of all pages
 * @tag: of each page's content; 0: zeros
 * @random: for what happens
 * @who: makes tags unlike others'
 */
struct world {
	int fd;
	char *map;
	size_t pages;
	__u64 tag[PAGES];
	__u64 random;
	__u64 who;
};

/* Each look at all of them costs a fault a page. */
static size_t some_pages(void)
{
	unsigned long n = vmd_afford(PAGES);

	return n < LEAST ? LEAST : n < PAGES ? n : PAGES;
}

static bool world_open(struct world *w, const char *observer, __u64 frames,
		       size_t pages, __u64 flags)
{
	memset(w, 0, sizeof(*w));
	w->pages = pages;
	w->random = 4711;
	w->fd = vmd_open();
	if (w->fd < 0 || vmd_set(w->fd, "lru", observer, frames) ||
	    vmd_set_flags(w->fd, VMD_SPACE_PRIVATE | flags))
		return false;
	w->map = vmd_map(w->fd, pages);
	return w->map != MAP_FAILED;
}

static void world_close(struct world *w)
{
	munmap(w->map, w->pages * vmd_ps);
	close(w->fd);
}

static void world_write(struct world *w, size_t page)
{
	w->tag[page] = ++w->who;
	vmd_fill(w->map + page * vmd_ps, w->tag[page]);
}

static bool world_right(struct world *w, size_t page)
{
	char *p = w->map + page * vmd_ps;

	return w->tag[page] ? vmd_check(p, w->tag[page]) : vmd_is_zero(p);
}

static size_t world_wrong(struct world *w)
{
	size_t i, wrong = 0;

	for (i = 0; i < w->pages; i++)
		wrong += !world_right(w, i);
	return wrong;
}

/* Random reads and writes; how many found something else than was written. */
static size_t world_play(struct world *w, unsigned long steps)
{
	size_t wrong = 0;

	while (steps--) {
		__u64 r = vmd_random(&w->random);
		size_t page = (r >> 8) % w->pages;

		if (r & 1)
			world_write(w, page);
		else
			wrong += !world_right(w, page);
	}
	return wrong;
}

/* A child's first step: tags of its own, and other random numbers. */
static void world_inherit(struct world *w, __u64 who)
{
	w->who = who << 32;
	w->random ^= who * 0x9e3779b97f4a7c15ULL;
}

/* The space that is mapped at an address, or 0. */
static __u64 space_at(int fd, const void *address)
{
	struct vmd_walk walk = { .address = (unsigned long)address };

	if (ioctl(fd, VMD_IOC_WALK, &walk) || !(walk.result & VMD_WALK_SPACE))
		return 0;
	return walk.space_id;
}

/* A descriptor of the space mapped there: a child's is its own. */
static int open_own(struct world *w)
{
	__u64 id = space_at(w->fd, w->map);
	int fd = id ? vmd_open() : -1;

	if (fd >= 0 && vmd_attach(fd, id)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Slots of the swap store that are in use: everybody's. */
static __u64 slots_used(int fd)
{
	struct vmd_slots slots = { };

	return ioctl(fd, VMD_IOC_SLOTS, &slots) ? ~0ULL : slots.used;
}

/* What was closed may be put away a moment later. */
static bool slots_come_back(int fd, __u64 before)
{
	__u64 end = vmd_now_ms() + 10000;

	while (slots_used(fd) != before && vmd_now_ms() < end)
		vmd_sleep_ms(5);
	return slots_used(fd) == before;
}

static __u64 faults_cow(int fd)
{
	struct vmd_stats s;

	return vmd_stats(fd, &s) ? ~0ULL : s.faults_cow;
}

static int sharers(int fd, __u64 page)
{
	struct vmd_page p;

	return vmd_pages(fd, page, 1, &p) == 1 ? p.sharers : -1;
}

/* Two processes in turn: one waits for the other's byte. */
struct turns {
	int to_child[2];
	int to_parent[2];
};

static bool turns_open(struct turns *t)
{
	return !pipe(t->to_child) && !pipe(t->to_parent);
}

static void turns_close(struct turns *t)
{
	close(t->to_child[0]);
	close(t->to_child[1]);
	close(t->to_parent[0]);
	close(t->to_parent[1]);
}

static bool turn_take(const int *pipe)
{
	char c;

	return read(pipe[0], &c, 1) == 1;
}

static bool turn_give(const int *pipe)
{
	return write(pipe[1], "x", 1) == 1;
}

FIXTURE(cow) {
	struct world w;
	int look;
	__u64 slots;
};

FIXTURE_VARIANT(cow) {
	const char *observer;
	__u64 flags;
};

FIXTURE_VARIANT_ADD(cow, fault) { .observer = "fault" };
FIXTURE_VARIANT_ADD(cow, accessed) { .observer = "accessed" };
FIXTURE_VARIANT_ADD(cow, trap) { .observer = "trap" };
FIXTURE_VARIANT_ADD(cow, encrypted) {
	.observer = "accessed", .flags = VMD_SPACE_ENCRYPT
};

FIXTURE_SETUP(cow)
{
	ASSERT_OPEN(self->look);
	self->slots = slots_used(self->look);
	ASSERT_TRUE(world_open(&self->w, variant->observer, FRAMES, some_pages(),
			       variant->flags));
}

FIXTURE_TEARDOWN(cow)
{
	world_close(&self->w);
	EXPECT_TRUE(slots_come_back(self->look, self->slots));
	close(self->look);
}

static int play_and_look(struct world *w, __u64 who, unsigned long steps)
{
	world_inherit(w, who);
	return world_play(w, steps) || world_wrong(w);
}

TEST_F(cow, child_and_parent_part)
{
	unsigned long steps = vmd_afford(150);
	pid_t pid;

	world_play(&self->w, steps);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(play_and_look(&self->w, 1, steps));
	EXPECT_EQ(0, world_play(&self->w, steps));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, world_wrong(&self->w));
}

/* Each generation has one more, checks all, and leaves in another order. */
static int generation(struct world *w, int left, bool wait_first)
{
	unsigned long steps = vmd_afford(60);
	pid_t pid;
	int bad;

	bad = play_and_look(w, left, steps);
	if (!left)
		return bad;
	pid = vmd_fork();
	if (!pid)
		_exit(generation(w, left - 1, wait_first));
	if (pid < 0)
		return 1;
	if (wait_first)
		bad |= vmd_wait(pid, VMD_CHILD_MS);
	bad |= world_play(w, steps) || world_wrong(w);
	if (!wait_first)
		bad |= vmd_wait(pid, VMD_CHILD_MS);
	return bad;
}

TEST_F(cow, generations)
{
	pid_t pid;
	int first;

	world_play(&self->w, vmd_afford(60));
	for (first = 0; first < 2; first++) {
		pid = vmd_fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(generation(&self->w, 3, first));
		EXPECT_EQ(0, world_play(&self->w, vmd_afford(60)));
		EXPECT_CHILD(pid);
	}
	EXPECT_EQ(0, world_wrong(&self->w));
}

TEST_F(cow, eight_children_at_once)
{
	unsigned long steps = vmd_afford(60);
	pid_t pid[CHILDREN];
	int i;

	world_play(&self->w, 2 * steps);
	for (i = 0; i < CHILDREN; i++) {
		pid[i] = vmd_fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			_exit(play_and_look(&self->w, i + 1, steps));
		/* Each inherits something else. */
		EXPECT_EQ(0, world_play(&self->w, steps / 8));
	}
	for (i = 0; i < CHILDREN; i++)
		EXPECT_CHILD(pid[i]);
	EXPECT_EQ(0, world_wrong(&self->w));
}

TEST_F(cow, killed_in_the_middle)
{
	pid_t pid;
	int i;

	world_play(&self->w, vmd_afford(60));
	for (i = 0; i < 4; i++) {
		pid = vmd_fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			world_inherit(&self->w, i + 1);
			for (;;)
				world_play(&self->w, 100);
		}
		EXPECT_EQ(0, world_play(&self->w, vmd_afford(50 * i)));
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, VMD_CHILD_MS));
	}
	EXPECT_EQ(0, world_wrong(&self->w));
}

/* The parent dies first; its child goes on, and tells the grandparent. */
TEST_F(cow, parent_goes_first)
{
	unsigned long steps = vmd_afford(80);
	struct turns t;
	pid_t pid;
	char bad = 1;

	ASSERT_TRUE(turns_open(&t));
	world_play(&self->w, steps);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		world_inherit(&self->w, 1);
		world_play(&self->w, steps);
		if (fork())
			_exit(0);
		if (!turn_take(t.to_child))
			_exit(1);
		bad = play_and_look(&self->w, 2, steps);
		_exit(write(t.to_parent[1], &bad, 1) != 1);
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, world_play(&self->w, steps));
	ASSERT_TRUE(turn_give(t.to_child));
	ASSERT_EQ(1, read(t.to_parent[0], &bad, 1));
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, world_wrong(&self->w));
	turns_close(&t);
}

/* read(2) and write(2) of the parent's descriptor, as its mapping. */
TEST_F(cow, read_and_write)
{
	char *page = malloc(vmd_ps);
	pid_t pid;
	size_t i;

	world_play(&self->w, vmd_afford(60));
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(play_and_look(&self->w, 1, vmd_afford(60)));
	for (i = 0; i < self->w.pages; i += 3) {
		self->w.tag[i] = ++self->w.who;
		vmd_fill(page, self->w.tag[i]);
		ASSERT_EQ((ssize_t)vmd_ps,
			  pwrite(self->w.fd, page, vmd_ps, i * vmd_ps));
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, world_wrong(&self->w));
	free(page);
}

/* Other threads write while the process forks: each page is whole. */
static void *scribble(void *arg)
{
	struct world *w = arg;
	size_t page = w->pages - 1;

	while (!vmd_is_set((bool *)&w->random))
		vmd_fill(w->map + page * vmd_ps, ++w->who);
	return NULL;
}

TEST_F(cow, threads_write_meanwhile)
{
	struct world other = self->w;
	char *last = self->w.map + (self->w.pages - 1) * vmd_ps;
	pthread_t thread;
	pid_t pid;
	int i;

	other.random = 0;
	world_play(&self->w, vmd_afford(60));
	self->w.pages--;
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &other));
	for (i = 0; i < 3; i++) {
		pid = vmd_fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			char was[64], is[64];

			memcpy(was, last, sizeof(was));
			i = play_and_look(&self->w, 1, vmd_afford(50));
			memcpy(is, last, sizeof(is));
			_exit(i || memcmp(was, is, sizeof(was)));
		}
		EXPECT_CHILD(pid);
	}
	vmd_set_flag((bool *)&other.random);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, world_wrong(&self->w));
	self->w.pages++;
}

/* All pages in frames: everything can be counted. */
static int count_in_child(struct world *w, const struct turns *t)
{
	int fd = open_own(w), bad;

	if (fd < 0)
		return 1;
	bad = sharers(fd, 0) != 2 || sharers(fd, FEW - 1) != 2 ||
	      sharers(fd, FEW) != 0 || faults_cow(fd);
	bad |= world_wrong(w) ? 2 : 0;
	bad |= faults_cow(fd) ? 4 : 0;
	world_inherit(w, 1);
	world_write(w, 0);
	world_write(w, 1);
	world_write(w, 1);
	bad |= faults_cow(fd) != 2 ? 8 : 0;
	bad |= sharers(fd, 0) != 1 || sharers(fd, 2) != 2 ? 16 : 0;
	/* No content yet: a first touch is not a copy. */
	world_write(w, FEW);
	bad |= faults_cow(fd) != 2 ? 32 : 0;
	if (!turn_give(t->to_parent) || !turn_take(t->to_child))
		return 1;
	bad |= world_wrong(w) ? 64 : 0;
	return bad;
}

TEST(counts)
{
	struct turns t;
	struct world w;
	size_t i;
	pid_t pid;

	ASSERT_TRUE(turns_open(&t));
	ASSERT_TRUE(world_open(&w, "accessed", 64, FEW + 1, 0));
	for (i = 0; i < FEW; i++)
		world_write(&w, i);
	EXPECT_EQ(1, sharers(w.fd, 0));
	EXPECT_EQ(0, sharers(w.fd, FEW));
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(count_in_child(&w, &t));
	ASSERT_TRUE(turn_take(t.to_parent));
	EXPECT_EQ(1, sharers(w.fd, 0));
	EXPECT_EQ(2, sharers(w.fd, 2));
	EXPECT_EQ(0, faults_cow(w.fd));
	/* The child has left these two: they are ours without a copy. */
	world_write(&w, 0);
	EXPECT_EQ(0, faults_cow(w.fd));
	world_write(&w, 2);
	EXPECT_EQ(1, faults_cow(w.fd));
	EXPECT_EQ(1, sharers(w.fd, 2));
	ASSERT_TRUE(turn_give(t.to_child));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, world_wrong(&w));
	world_close(&w);
	turns_close(&t);
}

/* The child's policy goes on where the parent's was. */
TEST(order_is_inherited)
{
	static const size_t order[FEW] = { 5, 2, 7, 0, 3, 6, 1, 4 };
	struct vmd_page page[FEW];
	struct world w;
	pid_t pid;
	size_t i;

	ASSERT_TRUE(world_open(&w, "trap", FEW, FEW + 4, 0));
	for (i = 0; i < FEW; i++)
		world_write(&w, i);
	for (i = 0; i < FEW; i++)
		vmd_load(w.map + order[i] * vmd_ps);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = open_own(&w), bad = fd < 0;

		world_inherit(&w, 1);
		for (i = 0; i < 4; i++)
			world_write(&w, FEW + i);
		bad |= vmd_pages(fd, 0, FEW, page) != FEW;
		for (i = 0; i < FEW; i++)
			bad |= page[order[i]].state != (i < 4 ? VMD_PAGE_SWAPPED :
							VMD_PAGE_RESIDENT) ?
			       2 : 0;
		_exit(bad | (world_wrong(&w) ? 4 : 0));
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(FEW, vmd_count_state(w.fd, 0, FEW, VMD_PAGE_RESIDENT));
	EXPECT_EQ(0, world_wrong(&w));
	world_close(&w);
}

/* What a pipe has pinned may change at any time: it is copied at once. */
TEST(pinned_pages_are_copied)
{
	struct turns t;
	struct world w;
	struct iovec part;
	int pipes[2];
	pid_t pid;
	size_t i;

	ASSERT_TRUE(turns_open(&t));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_TRUE(world_open(&w, "accessed", 64, FEW, 0));
	for (i = 0; i < FEW; i++)
		world_write(&w, i);
	part = (struct iovec){ w.map, 2 * vmd_ps };
	ASSERT_EQ((ssize_t)part.iov_len, vmsplice(pipes[1], &part, 1, 0));
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = open_own(&w), bad = fd < 0;

		bad |= !turn_take(t.to_child);
		bad |= sharers(fd, 1) != 1 || sharers(fd, 2) != 2 ? 2 : 0;
		_exit(bad | (world_wrong(&w) ? 4 : 0));
	}
	world_write(&w, 0);
	/* Nobody has it but the parent and the pipe. */
	EXPECT_EQ(0, faults_cow(w.fd));
	ASSERT_TRUE(turn_give(t.to_child));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, world_wrong(&w));
	close(pipes[0]);
	close(pipes[1]);
	world_close(&w);
	turns_close(&t);
}

/* A page that is nowhere but in a slot: one slot, however many have it. */
TEST(slots_are_shared)
{
	struct turns t;
	struct world w;
	__u64 before, look;
	pid_t pid;
	size_t i;

	ASSERT_TRUE(turns_open(&t));
	ASSERT_TRUE(world_open(&w, "accessed", 64, FEW, 0));
	for (i = 0; i < FEW; i++)
		world_write(&w, i);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = open_own(&w), bad;

		if (!turn_take(t.to_child))
			_exit(1);
		bad = vmd_advise(fd, VMD_ADVICE_EVICT, 0, FEW);
		bad |= sharers(fd, 3) != 2 ? 2 : 0;
		bad |= !turn_give(t.to_parent) || !turn_take(t.to_child);
		bad |= world_wrong(&w) ? 4 : 0;
		world_inherit(&w, 1);
		world_write(&w, 3);
		bad |= faults_cow(fd) != 1 || sharers(fd, 3) != 1 ? 8 : 0;
		_exit(bad | (world_wrong(&w) ? 16 : 0));
	}
	before = slots_used(w.fd);
	ASSERT_EQ(0, vmd_advise(w.fd, VMD_ADVICE_EVICT, 0, FEW));
	look = slots_used(w.fd);
	EXPECT_EQ(before + FEW, look);
	ASSERT_TRUE(turn_give(t.to_child));
	ASSERT_TRUE(turn_take(t.to_parent));
	EXPECT_EQ(look, slots_used(w.fd));
	EXPECT_EQ(2, sharers(w.fd, 3));
	ASSERT_TRUE(turn_give(t.to_child));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, world_wrong(&w));
	world_close(&w);
	turns_close(&t);
}

/* A mapping cut in two, and one more of a part: still one space. */
TEST(one_space_for_all_mappings)
{
	struct world w;
	char *more;
	pid_t pid;

	ASSERT_TRUE(world_open(&w, "accessed", FRAMES, PAGES, 0));
	world_play(&w, 300);
	more = mmap(NULL, 8 * vmd_ps, VMD_RW, MAP_SHARED, w.fd, 16 * vmd_ps);
	ASSERT_NE(MAP_FAILED, (void *)more);
	ASSERT_EQ(0, mprotect(w.map + 64 * vmd_ps, 64 * vmd_ps, PROT_READ));
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		__u64 id = space_at(w.fd, w.map);
		int bad = !id || id == vmd_id(w.fd);

		bad |= space_at(w.fd, w.map + 200 * vmd_ps) != id ? 2 : 0;
		bad |= space_at(w.fd, more) != id ? 4 : 0;
		world_inherit(&w, 1);
		world_write(&w, 17);
		bad |= !vmd_check(more + vmd_ps, w.tag[17]) ? 8 : 0;
		_exit(bad | (world_wrong(&w) ? 16 : 0));
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(vmd_id(w.fd), space_at(w.fd, w.map));
	EXPECT_EQ(0, world_wrong(&w));
	munmap(more, 8 * vmd_ps);
	world_close(&w);
}

/* Copies that the core made of a MAP_PRIVATE mapping are copied by the core. */
TEST(private_mapping)
{
	struct world w;
	char *map;
	pid_t pid;

	ASSERT_TRUE(world_open(&w, "accessed", 4, FEW, 0));
	map = vmd_map_as(w.fd, FEW, VMD_RW, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, (void *)map);
	vmd_fill_all(w.map, FEW, 100);
	vmd_fill(map, 7);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int bad = !vmd_check(map, 7) || vmd_bad_pages(w.map, FEW, 100);

		vmd_fill(map, 8);
		vmd_fill(w.map + 2 * vmd_ps, 9);
		bad |= !vmd_check(map + 2 * vmd_ps, 9) ? 2 : 0;
		_exit(bad | (!vmd_check(map, 8) ? 4 : 0));
	}
	EXPECT_CHILD(pid);
	EXPECT_TRUE(vmd_check(map, 7));
	EXPECT_EQ(0, vmd_bad_pages(w.map, FEW, 100));
	munmap(map, FEW * vmd_ps);
	world_close(&w);
}

/* Past a cap the child has a mapping without content; the parent loses none. */
static int fork_without_room(void *arg)
{
	struct world w;
	pid_t pid;
	int bad;

	(void)arg;
	if (!world_open(&w, "accessed", FRAMES, 64, 0))
		return 1;
	world_play(&w, 100);
	pid = fork();
	if (!pid)
		_exit(vmd_read_signal(w.map) != SIGBUS ||
		      vmd_write_signal(w.map) != SIGBUS);
	bad = pid < 0 || vmd_wait(pid, VMD_CHILD_MS);
	bad |= world_wrong(&w) ? 2 : 0;
	world_close(&w);
	return bad;
}

TEST(no_room_for_the_child)
{
	struct stat node;
	__u64 spaces;
	char was[24];

	ASSERT_EQ(0, stat(VMD_DEVICE, &node));
	ASSERT_EQ(0, chmod(VMD_DEVICE, 0666));
	ASSERT_TRUE(vmd_param("user_spaces", &spaces));
	snprintf(was, sizeof(was), "%llu", spaces);
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "user_spaces", "1"));
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, fork_without_room, NULL));
	EXPECT_EQ(0, vmd_write_file(VMD_PARAMS "user_spaces", was));
	chmod(VMD_DEVICE, node.st_mode & 07777);
}

TEST(flag)
{
	int fd, file = vmd_temp_file(vmd_test_dir(), 0);
	struct vmd_set_file set = { .fd = file };
	struct vmd_info info;
	char *map;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_info(fd, &info));
	EXPECT_TRUE(info.features & VMD_FEATURE_PRIVATE);
	EXPECT_EQ(0, vmd_flags(fd) & VMD_SPACE_PRIVATE);
	ASSERT_MAP(map, fd, 4);
	EXPECT_ERRNO(EBUSY, vmd_set_flags(fd, VMD_SPACE_PRIVATE));
	munmap(map, 4 * vmd_ps);
	ASSERT_EQ(0, vmd_set_flags(fd, VMD_SPACE_PRIVATE));
	EXPECT_EQ(VMD_SPACE_PRIVATE, vmd_flags(fd) & VMD_SPACE_PRIVATE);
	EXPECT_ERRNO(EBUSY, vmd_set_flags(fd, 0));
	EXPECT_EQ(VMD_SPACE_PRIVATE, vmd_flags(fd) & VMD_SPACE_PRIVATE);
	EXPECT_EQ(0, vmd_set_flags(fd, VMD_SPACE_PRIVATE));
	close(fd);
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, ftruncate(file, 4 * vmd_ps));
	ASSERT_EQ(0, ioctl(fd, VMD_IOC_SET_FILE, &set));
	EXPECT_ERRNO(EINVAL, vmd_set_flags(fd, VMD_SPACE_PRIVATE));
	close(fd);
	close(file);
}

/* Without the flag a child shares the space, as it always did. */
TEST(not_private)
{
	char *map;
	pid_t pid;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_MAP(map, fd, 4);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		vmd_store(map, 42);
		_exit(space_at(fd, map) != vmd_id(fd));
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(42, vmd_load(map));
	munmap(map, 4 * vmd_ps);
	close(fd);
}

/* Kin have one key: none of them can take another. */
/* Large pages are nobody's but one space's. */
TEST(neither_of_both)
{
	struct vmd_config cfg = {
		.mask = VMD_CONFIG_PAGE_SIZE, .page_size = 65536,
	};
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_set_flags(fd, VMD_SPACE_PRIVATE));
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(fd, VMD_IOC_SET_CONFIG, &cfg));
	close(fd);
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, ioctl(fd, VMD_IOC_SET_CONFIG, &cfg));
	EXPECT_ERRNO(EOPNOTSUPP, vmd_set_flags(fd, VMD_SPACE_PRIVATE));
	close(fd);
}

TEST(key_stays)
{
	struct world w;
	pid_t pid;

	ASSERT_TRUE(world_open(&w, "accessed", 64, FEW, VMD_SPACE_ENCRYPT));
	world_write(&w, 0);
	pid = vmd_fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(vmd_set_flags(open_own(&w), VMD_SPACE_PRIVATE) != -1 ||
		      errno != EBUSY);
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, world_wrong(&w));
	world_close(&w);
}

TEST_HARNESS_MAIN
