// SPDX-License-Identifier: GPL-2.0-only
/*
 * Short memory: what the kernel asks back, what a memory cgroup allows, and
 * what is left when somebody is killed for it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "vmd_harness.h"

#define FRAMES	256
#define FLOOR	(FRAMES / 4)
#define PAGES	512
#define DROPS	200			/* times the kernel asks, at most */

/* Shrinkers are asked, page caches are left alone. */
static int drop_slab(void)
{
	/* Without a line in the kernel's log for each. */
	vmd_write_file("/proc/sys/vm/drop_caches", "4");
	return vmd_write_file("/proc/sys/vm/drop_caches", "2");
}

static __u64 resident(int fd)
{
	struct vmd_stats s;

	return vmd_stats(fd, &s) ? UINT64_MAX : s.resident;
}

static __u64 reclaimed(int fd)
{
	struct vmd_stats s;

	return vmd_stats(fd, &s) ? UINT64_MAX : s.reclaimed;
}

static __u64 module_resident(void)
{
	struct vmd_stats s;

	return vmd_module_stats(&s) ? UINT64_MAX : s.resident;
}

/* Until no more than @frames are resident, or for as long as makes sense. */
static __u64 drop_down_to(int fd, __u64 frames)
{
	int i;

	for (i = 0; i < DROPS && resident(fd) > frames; i++)
		drop_slab();
	return resident(fd);
}

FIXTURE(shrinker) {
	int fd;
	char *map;
	char *floor;
};

FIXTURE_VARIANT(shrinker) {
	const char *observer;
	const char *policy;
};

FIXTURE_VARIANT_ADD(shrinker, fault) { "fault", "fifo" };
FIXTURE_VARIANT_ADD(shrinker, accessed) { "accessed", "clock" };
FIXTURE_VARIANT_ADD(shrinker, trap) { "trap", "lru" };

FIXTURE_SETUP(shrinker)
{
	self->floor = vmd_read_file(VMD_PARAMS "floor");
	ASSERT_NE(NULL, self->floor);
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, variant->policy, variant->observer,
			     FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	vmd_fill_all(self->map, FRAMES, 1);
}

FIXTURE_TEARDOWN(shrinker)
{
	vmd_write_file(VMD_PARAMS "floor", self->floor);
	close(self->fd);
}

/* All resident pages clean, and in page tables again. */
static bool make_clean(int fd, char *map)
{
	return !vmd_sync(fd, 0, FRAMES) && !vmd_bad_pages(map, FRAMES, 1) &&
	       resident(fd) == FRAMES;
}

TEST_F(shrinker, clean_frames_above_the_floor_go)
{
	struct vmd_stats s;

	ASSERT_TRUE(make_clean(self->fd, self->map));
	ASSERT_EQ(0, vmd_reset(self->fd));
	EXPECT_EQ(FLOOR, drop_down_to(self->fd, FLOOR));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(FRAMES - FLOOR, s.reclaimed);
	EXPECT_EQ(FRAMES - FLOOR, s.evictions_clean);
	EXPECT_EQ(0, s.evictions_dirty);
	EXPECT_EQ(0, s.pages_written);
	/* However often it asks. */
	drop_slab();
	drop_slab();
	EXPECT_EQ(FLOOR, resident(self->fd));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES, 1));
	EXPECT_EQ(FRAMES, resident(self->fd));
}

TEST_F(shrinker, dirty_frames_stay)
{
	struct vmd_stats s;
	int i;

	ASSERT_EQ(0, vmd_reset(self->fd));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, drop_slab());
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(FRAMES, s.resident);
	EXPECT_EQ(0, s.reclaimed);
	EXPECT_EQ(0, s.evictions);
	EXPECT_EQ(0, s.pages_written);
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES, 1));
}

TEST_F(shrinker, dirty_frames_among_clean_ones_stay_and_are_not_lost)
{
	int i;

	ASSERT_TRUE(make_clean(self->fd, self->map));
	for (i = 0; i < FRAMES; i += 2)
		vmd_fill(self->map + i * vmd_ps, 1000 + i);
	EXPECT_EQ(FRAMES / 2, drop_down_to(self->fd, FRAMES / 2));
	for (i = 0; i < FRAMES; i++)
		EXPECT_TRUE(vmd_check(self->map + i * vmd_ps,
				      i % 2 ? 1 + i : 1000 + i));
}

TEST_F(shrinker, pinned_frames_stay)
{
	ASSERT_TRUE(make_clean(self->fd, self->map));
	ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_PIN, 0, FRAMES / 2));
	EXPECT_EQ(FRAMES / 2, drop_down_to(self->fd, FLOOR));
	EXPECT_EQ(FRAMES / 2, vmd_count_state(self->fd, 0, FRAMES / 2,
					      VMD_PAGE_RESIDENT));
}

/* A page in a pipe is in use by somebody who is not in any page table. */
TEST_F(shrinker, frames_in_use_by_io_stay)
{
	struct iovec io = { self->map, vmd_ps };
	char *page = malloc(vmd_ps);
	int pipes[2];

	ASSERT_TRUE(make_clean(self->fd, self->map));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ((ssize_t)vmd_ps, vmsplice(pipes[1], &io, 1, 0));
	EXPECT_EQ(FLOOR, drop_down_to(self->fd, FLOOR));
	EXPECT_EQ(1, vmd_count_state(self->fd, 0, 1, VMD_PAGE_RESIDENT));
	ASSERT_EQ((ssize_t)vmd_ps, read(pipes[0], page, vmd_ps));
	EXPECT_TRUE(vmd_check(page, 1));
	close(pipes[0]);
	close(pipes[1]);
	free(page);
}

TEST_F(shrinker, the_floor_can_be_moved)
{
	int i;

	ASSERT_TRUE(make_clean(self->fd, self->map));
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "floor", "100"));
	for (i = 0; i < 10; i++)
		drop_slab();
	EXPECT_EQ(FRAMES, resident(self->fd));
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "floor", "50"));
	EXPECT_EQ(FRAMES / 2, drop_down_to(self->fd, 0));
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "floor", "0"));
	EXPECT_EQ(16, drop_down_to(self->fd, 0));
	EXPECT_EQ(0, vmd_bad_pages(self->map, FRAMES, 1));
}

TEST(a_floor_that_is_no_percentage_is_refused)
{
	static const char *const bad[] = {
		"101", "-1", "much", "\n", "5%", NULL
	};
	char *before = vmd_read_file(VMD_PARAMS "floor"), *after;
	int i;

	for (i = 0; bad[i]; i++)
		EXPECT_ERRNO(EINVAL, vmd_write_file(VMD_PARAMS "floor",
						    bad[i]));
	after = vmd_read_file(VMD_PARAMS "floor");
	EXPECT_STREQ(before, after);
	free(before);
	free(after);
}

TEST(every_space_is_asked)
{
	char *map[3];
	int fd[3], i;

	for (i = 0; i < 3; i++) {
		ASSERT_OPEN(fd[i]);
		ASSERT_EQ(0, vmd_set(fd[i], "clock", "accessed", FRAMES));
		ASSERT_MAP(map[i], fd[i], PAGES);
		vmd_fill_all(map[i], FRAMES, 1);
		ASSERT_TRUE(make_clean(fd[i], map[i]));
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(FLOOR, drop_down_to(fd[i], FLOOR));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, vmd_bad_pages(map[i], FRAMES, 1));
		close(fd[i]);
	}
}

/* A thread that reads and writes pages of its own, as fast as it can */
struct worker {
	pthread_t thread;
	char *map;
	size_t pages;
	bool write;
	bool stop;
	unsigned long rounds;
	size_t errors;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!vmd_is_set(&w->stop)) {
		if (w->write)
			vmd_fill_all(w->map, w->pages, w->rounds + 1);
		w->errors += vmd_bad_pages(w->map, w->pages,
					   w->write ? w->rounds + 1 : 1);
		w->rounds++;
	}
	return NULL;
}

static void work_end(struct worker *w)
{
	vmd_set_flag(&w->stop);
	pthread_join(w->thread, NULL);
}

/* Spaces that end while the shrinker looks at them are part of it. */
TEST_F(shrinker, programs_run_on_while_it_asks_without_end)
{
	struct worker w[3] = {
		{ .map = self->map, .pages = FRAMES },
		{ .map = self->map, .pages = FRAMES },
		{ .map = self->map + FRAMES * vmd_ps, .pages = PAGES - FRAMES,
		  .write = true },
	};
	__u64 end;
	char *map;
	int i, fd;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, work, &w[i]));
	end = vmd_now_ms() + vmd_scaled(vmd_brief(3000));
	while (vmd_now_ms() < end) {
		ASSERT_EQ(0, drop_slab());
		ASSERT_OPEN(fd);
		ASSERT_MAP(map, fd, 40);
		EXPECT_EQ(0, vmd_read_signal(map));
		vmd_touch_all(map, 40);
		munmap(map, 40 * vmd_ps);
		close(fd);
	}
	for (i = 0; i < 3; i++) {
		work_end(&w[i]);
		EXPECT_EQ(0, w[i].errors);
		EXPECT_LT(0, w[i].rounds);
	}
}

/* Somebody who takes all memory there is, and is the first to be killed for it */
struct hog {
	pid_t pid;
	bool *stop;
	bool *full;
};

#define HOG_MANY	4096
/* Most time that takes: seconds, but for a kernel that checks every page. */
#define FILL_MS		300000
#define HOG_BIG		(16UL << 20)	/* bytes taken at a time, far from the end */
#define HOG_SMALL	(1024UL << 10)

static __u64 available_kib(void)
{
	char *text = vmd_read_file("/proc/meminfo");
	char *at = text ? strstr(text, "MemAvailable:") : NULL;
	__u64 kib = at ? strtoull(at + 13, NULL, 10) : 0;

	free(text);
	return kib;
}

/* Objects that the kernel has asked shrinkers to look at, all together */
static __u64 slabs_scanned(void)
{
	char *text = vmd_read_file("/proc/vmstat");
	__u64 n = 0;

	vmd_value(text, "slabs_scanned", &n);
	free(text);
	return n;
}

static void *hog_take(size_t bytes)
{
	char *p = mmap(NULL, bytes, VMD_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_HUGEPAGE);
	memset(p, 1, bytes);
	return p;
}

/*
 * Takes memory until the kernel has to look for some, gives a little back, and
 * goes on: at the edge, but not over it.
 */
static void hog_run(struct hog *h)
{
	static void *small[HOG_MANY];
	__u64 before;
	int n = 0;

	vmd_write_file("/proc/self/oom_score_adj", "1000");
	while (!vmd_is_set(h->stop)) {
		if (!n && available_kib() > 128 << 10) {
			hog_take(HOG_BIG);
			continue;
		}
		before = slabs_scanned();
		if (n < HOG_MANY)
			small[n++] = hog_take(HOG_SMALL);
		if (slabs_scanned() == before)
			continue;
		vmd_set_flag(h->full);
		munmap(small[--n], HOG_SMALL);
		if (n)
			munmap(small[--n], HOG_SMALL);
		vmd_sleep_ms(10);
	}
}

static bool hog_start(struct hog *h)
{
	bool *shared = mmap(NULL, vmd_ps, VMD_RW, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);

	if (shared == MAP_FAILED)
		return false;
	h->stop = shared;
	h->full = shared + 1;
	h->pid = vmd_fork();
	if (!h->pid) {
		hog_run(h);
		_exit(0);
	}
	return h->pid > 0;
}

/* False if it was killed, for want of memory. */
static bool hog_lives(struct hog *h)
{
	return h->pid && waitpid(h->pid, NULL, WNOHANG) != h->pid;
}

static void hog_end(struct hog *h)
{
	vmd_set_flag(h->stop);
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	munmap(h->stop, vmd_ps);
}

#define MANY	8192			/* 32 MiB */

TEST(when_memory_is_really_short_clean_frames_go)
{
	__u64 end = vmd_now_ms() + FILL_MS;
	struct hog h = { 0 };
	struct vmd_stats s;
	char *map;
	int fd;

	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_set(fd, "clock", "accessed", MANY));
	ASSERT_MAP(map, fd, MANY);
	vmd_fill_all(map, MANY, 1);
	ASSERT_EQ(0, vmd_sync(fd, 0, MANY));
	ASSERT_EQ(MANY, resident(fd));
	ASSERT_TRUE(hog_start(&h));
	while (vmd_now_ms() < end && reclaimed(fd) < MANY / 8) {
		if (!hog_lives(&h)) {
			hog_end(&h);
			ASSERT_TRUE(hog_start(&h));
		}
		vmd_sleep_ms(20);
	}
	hog_end(&h);
	ASSERT_EQ(0, vmd_stats(fd, &s));
	TH_LOG("reclaimed %llu of %d frames", s.reclaimed, MANY);
	EXPECT_LE(MANY / 8, s.reclaimed);
	EXPECT_LE(MANY / 4, s.resident);
	EXPECT_EQ(0, vmd_bad_pages(map, MANY, 1));
	close(fd);
}

/*
 * Threads write more than fits, so evicting and reading never end, while the
 * memory that takes is being fought for: reclaim comes in from our own faults.
 */
TEST(pages_are_written_while_memory_is_really_short)
{
	struct worker w[3] = { 0 };
	struct hog h = { 0 };
	__u64 end;
	char *map;
	int fd, i, killed = 0;

	/* What is fought for is other memory than this program's text. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_ONFAULT));
	ASSERT_OPEN(fd);
	ASSERT_EQ(0, vmd_set(fd, "clock", "accessed", 2048));
	ASSERT_MAP(map, fd, 3 * 2048);
	ASSERT_TRUE(hog_start(&h));
	/* Alone, it is there sooner. */
	end = vmd_now_ms() + FILL_MS;
	while (!vmd_is_set(h.full) && hog_lives(&h) && vmd_now_ms() < end)
		vmd_sleep_ms(20);
	for (i = 0; i < 3; i++) {
		w[i].map = map + i * 2048 * vmd_ps;
		w[i].pages = 2048;
		w[i].write = true;
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, work, &w[i]));
	}
	end = vmd_now_ms() + vmd_scaled(vmd_brief(8000));
	while (vmd_now_ms() < end) {
		if (!hog_lives(&h)) {
			killed++;
			hog_end(&h);
			ASSERT_TRUE(hog_start(&h));
		}
		vmd_sleep_ms(20);
	}
	hog_end(&h);
	for (i = 0; i < 3; i++) {
		work_end(&w[i]);
		EXPECT_EQ(0, w[i].errors);
		EXPECT_LT(0, w[i].rounds);
	}
	TH_LOG("rounds %lu %lu %lu, the other was killed %d times",
	       w[0].rounds, w[1].rounds, w[2].rounds, killed);
	close(fd);
}

/* A memory cgroup of 32 MiB: less, and the program itself would not stay in it */
FIXTURE(cgroup) {
	bool there;
	bool mounted;
	char root[64];
	char dir[128];
};

#define LIMIT	(32UL << 20)

static int cgroup_write(const char *dir, const char *name, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return vmd_write_file(path, text);
}

static char *cgroup_read(const char *dir, const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return vmd_read_file(path);
}

static __u64 cgroup_current(const char *dir)
{
	char *text = cgroup_read(dir, "memory.current");
	__u64 bytes = text ? strtoull(text, NULL, 10) : UINT64_MAX;

	free(text);
	return bytes;
}

static __u64 cgroup_kills(const char *dir)
{
	char *text = cgroup_read(dir, "memory.events");
	__u64 n = UINT64_MAX;

	vmd_value(text, "oom_kill", &n);
	free(text);
	return n;
}

/* Where it is mounted, or a mount of our own. */
FIXTURE_SETUP(cgroup)
{
	char limit[24];

	strcpy(self->root, "/sys/fs/cgroup");
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK)) {
		strcpy(self->root, "/tmp/vmdemo-cgroup");
		mkdir(self->root, 0755);
		self->mounted = !mount("cgroup2", self->root, "cgroup2", 0,
				       NULL);
	}
	cgroup_write(self->root, "cgroup.subtree_control", "+memory");
	snprintf(self->dir, sizeof(self->dir), "%s/vmdemo-%d", self->root,
		 getpid());
	if (mkdir(self->dir, 0755))
		return;
	snprintf(limit, sizeof(limit), "%lu", LIMIT);
	self->there = !cgroup_write(self->dir, "memory.max", limit);
}

FIXTURE_TEARDOWN(cgroup)
{
	int i;

	for (i = 0; i < 50 && rmdir(self->dir) && errno == EBUSY; i++)
		vmd_sleep_ms(100);
	if (self->mounted)
		umount2(self->root, MNT_DETACH);
}

/* A child in the cgroup; its exit status is what @fn returns. */
static pid_t cgroup_fork(const char *dir, int (*fn)(const char *dir))
{
	pid_t pid = vmd_fork();

	if (pid)
		return pid;
	_exit(cgroup_write(dir, "cgroup.procs", "0") ? 99 : fn(dir));
}

static int charge_child(const char *dir)
{
	const size_t pages = 4096;	/* 16 MiB */
	__u64 before, bytes = pages * vmd_ps, with;
	char *map;
	int fd = vmd_open();

	if (fd < 0 || vmd_budget(fd, pages))
		return 1;
	map = vmd_map(fd, pages);
	before = cgroup_current(dir);
	vmd_fill_all(map, pages, 1);
	with = cgroup_current(dir);
	if (with < before + bytes - bytes / 8)
		return 2;
	if (with > before + bytes + bytes / 4)
		return 3;
	return vmd_bad_pages(map, pages, 1) ? 4 : 0;
}

TEST_F(cgroup, frames_show_in_memory_current_and_go_from_it)
{
	__u64 before, end = vmd_now_ms() + 10000;

	if (!self->there)
		SKIP(return, "no cgroup2 with a memory controller");
	before = cgroup_current(self->dir);
	EXPECT_CHILD(cgroup_fork(self->dir, charge_child));
	while (cgroup_current(self->dir) > before + (4 << 20) &&
	       vmd_now_ms() < end)
		vmd_sleep_ms(20);
	EXPECT_GE(before + (4 << 20), cgroup_current(self->dir));
}

/* A budget of more than the cgroup may have: it evicts instead of dying. */
static int limit_child(const char *dir)
{
	const size_t pages = (LIMIT + LIMIT / 2) / vmd_ps;
	char *map;
	int fd = vmd_open();

	if (fd < 0 || vmd_budget(fd, pages))
		return 1;
	map = vmd_map(fd, pages);
	vmd_fill_all(map, pages, 1);
	if (cgroup_current(dir) > LIMIT)
		return 2;
	return vmd_bad_pages(map, pages, 1) ? 3 : 0;
}

TEST_F(cgroup, at_its_limit_a_space_evicts_its_own_pages)
{
	if (!self->there)
		SKIP(return, "no cgroup2 with a memory controller");
	/* Every page goes out, and comes in again: a sanitizing kernel is slow. */
	EXPECT_EQ(0, vmd_wait(cgroup_fork(self->dir, limit_child), 350000));
	EXPECT_EQ(0, cgroup_kills(self->dir));
}

/* Frames, and more memory of its own than the cgroup may have. */
static int oom_child(const char *dir)
{
	const size_t pages = 4096;
	int fd = vmd_open();
	char *map, *p;
	size_t i;

	(void)dir;
	if (fd < 0 || vmd_budget(fd, pages))
		return 1;
	map = vmd_map(fd, pages);
	vmd_fill_all(map, pages, 1);
	p = mmap(NULL, 2 * LIMIT, VMD_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 2 * LIMIT; i += vmd_ps)
		vmd_store(p + i, 1);
	return 2;
}

TEST_F(cgroup, an_oom_kill_frees_all_frames)
{
	int i, rounds = vmd_brief(3);
	__u64 before = module_resident(), end;

	if (!self->there)
		SKIP(return, "no cgroup2 with a memory controller");
	for (i = 1; i <= rounds; i++) {
		EXPECT_EQ(128 + SIGKILL,
			  vmd_wait(cgroup_fork(self->dir, oom_child),
				   VMD_CHILD_MS));
		EXPECT_EQ(i, cgroup_kills(self->dir));
		end = vmd_now_ms() + 10000;
		while (module_resident() != before && vmd_now_ms() < end)
			vmd_sleep_ms(10);
		EXPECT_EQ(before, module_resident());
	}
}

TEST_HARNESS_MAIN
