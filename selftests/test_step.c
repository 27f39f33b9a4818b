// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stepping: each fault halts and is told of, one after the other; whoever steps
 * may leave or die, whoever is halted may be killed, and nobody waits for ever.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../uapi/vmdemo_why.h"
#include "vmd_harness.h"

#define PAGES		32
#define FRAMES		3
#define THREADS		4
#define EACH		6		/* pages of a thread */
#define PATIENCE	60000

/* What the processes of a test share besides the space */
static struct shared {
	unsigned long done;		/* accesses that have been made */
	unsigned long signals;
} *shared;

FIXTURE(step) {
	int fd;
	int st;
	char *map;
};

static int step_open(int fd)
{
	struct vmd_step how = { 0 };

	return ioctl(fd, VMD_IOC_STEP, &how);
}

static int go(int st, __u64 number)
{
	struct vmd_step_next next = { .number = number };

	return ioctl(st, VMD_IOC_STEP_NEXT, &next);
}

/* The next fault; false if there is none for so long */
static bool told(int st, struct vmd_step_fault *f, int patience)
{
	struct pollfd p = { .fd = st, .events = POLLIN };

	return poll(&p, 1, patience) == 1 && read(st, f, sizeof(*f)) == sizeof(*f);
}

static unsigned long done(void)
{
	return __atomic_load_n(&shared->done, __ATOMIC_ACQUIRE);
}

static void touch(char *map, unsigned long page, bool write)
{
	if (write)
		vmd_store(map + page * vmd_ps, 1);
	else
		vmd_load(map + page * vmd_ps);
	__atomic_fetch_add(&shared->done, 1, __ATOMIC_RELEASE);
}

/* A program that touches one page and is through */
static pid_t toucher(char *map, unsigned long page)
{
	pid_t pid = vmd_fork();

	if (pid)
		return pid;
	touch(map, page, true);
	_exit(0);
}

FIXTURE_SETUP(step)
{
	shared = mmap(NULL, sizeof(*shared), VMD_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)shared);
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "fifo", "fault", FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
	self->st = step_open(self->fd);
	ASSERT_LE(0, self->st);
}

FIXTURE_TEARDOWN(step)
{
	close(self->st);
	if (self->fd >= 0)
		close(self->fd);
	munmap(shared, sizeof(*shared));
}

/* Accesses of fifo with three frames, and what there is to tell of them */
static const struct access {
	unsigned int page;
	bool write;
	unsigned int kind;
	int victim;			/* -1: none has to go */
	bool dirty;
} story[] = {
	{ 0, false, VMD_STEP_ZERO, -1, false },
	{ 1, true, VMD_STEP_ZERO, -1, false },
	{ 2, true, VMD_STEP_ZERO, -1, false },
	{ 3, false, VMD_STEP_ZERO, 0, false },
	{ 0, false, VMD_STEP_ZERO, 1, true },
	{ 1, false, VMD_STEP_READ, 2, true },
	{ 2, true, VMD_STEP_READ, 3, false },
};

#define STORY	(sizeof(story) / sizeof(*story))

static void teller(char *map)
{
	size_t i;

	for (i = 0; i < STORY; i++)
		touch(map, story[i].page, story[i].write);
	_exit(0);
}

TEST_F(step, each_fault_halts_and_is_told_as_it_was)
{
	__u64 slot[PAGES] = { 0 };
	struct vmd_step_fault f;
	pid_t pid = vmd_fork();
	size_t i;

	if (!pid)
		teller(self->map);
	for (i = 0; i < STORY; i++) {
		const struct access *a = story + i;

		ASSERT_TRUE(told(self->st, &f, PATIENCE));
		EXPECT_EQ(i + 1, f.number);
		EXPECT_EQ(a->page, f.page);
		EXPECT_EQ((uintptr_t)self->map + a->page * vmd_ps, f.address);
		EXPECT_EQ((__u32)pid, f.thread);
		EXPECT_NE(0, f.ip);
		EXPECT_EQ(VMD_STEP_HALTED | (a->write ? VMD_STEP_WRITE : 0) |
			  (a->victim < 0 ? 0 : VMD_STEP_EVICTED), f.flags);
		EXPECT_EQ(a->kind, f.kind);
		EXPECT_EQ(i < FRAMES ? i : FRAMES, f.used);
		EXPECT_EQ(FRAMES, f.frames);
		EXPECT_EQ(a->kind == VMD_STEP_READ ? VMD_PAGE_SWAPPED : VMD_PAGE_ABSENT,
			  f.before.state);
		EXPECT_EQ(VMD_PAGE_RESIDENT, f.after.state);
		if (a->kind == VMD_STEP_READ)
			EXPECT_EQ(slot[a->page], f.before.slot);
		EXPECT_EQ(a->victim >= 0, f.evicted);
		if (a->victim >= 0) {
			EXPECT_EQ(a->victim, f.victim);
			EXPECT_STREQ("fifo", f.policy);
			EXPECT_EQ(VMD_WHY_FIRST_IN, f.why);
			EXPECT_EQ(a->dirty, !!(f.victim_entry.flags & VMD_PAGE_DIRTY));
			EXPECT_EQ(a->dirty, f.victim_slot != ~0ULL);
			slot[f.victim] = f.victim_slot;
		}
		/* It is halted: no access more than were let go, nothing else told. */
		EXPECT_FALSE(told(self->st, &f, 20));
		EXPECT_EQ(i, done());
		EXPECT_EQ(0, go(self->st, i + 1));
	}
	EXPECT_CHILD(pid);
	EXPECT_ERRNO(ENOENT, go(self->st, STORY));
}

/* From now on each phase halts. */
static int each_phase(int fd, int st)
{
	struct vmd_step how = { .flags = VMD_STEP_EACH_PHASE };

	close(st);
	return ioctl(fd, VMD_IOC_STEP, &how);
}

/* The next one told is a halt in this phase */
static bool halts(int st, struct vmd_step_fault *f, unsigned int phase)
{
	return told(st, f, PATIENCE) && f->phase == phase && f->flags & VMD_STEP_HALTED;
}

static int state(int fd, __u64 index)
{
	struct vmd_page page = { .state = 0xff };

	vmd_pages(fd, index, 1, &page);
	return page.state;
}

static __u64 misses(int fd)
{
	struct vmd_stats s = { 0 };

	vmd_stats(fd, &s);
	return s.misses;
}

TEST_F(step, each_phase_halts_before_it_is_done)
{
	struct vmd_step_fault f;
	pid_t pid;
	size_t i;

	self->st = each_phase(self->fd, self->st);
	ASSERT_LE(0, self->st);
	pid = vmd_fork();
	if (!pid)
		teller(self->map);
	for (i = 0; i < STORY; i++) {
		const struct access *a = story + i;
		int before = a->kind == VMD_STEP_READ ? VMD_PAGE_SWAPPED : VMD_PAGE_ABSENT;

		ASSERT_TRUE(halts(self->st, &f, VMD_STEP_BEGIN));
		EXPECT_EQ(i + 1, f.number);
		EXPECT_EQ(a->page, f.page);
		EXPECT_EQ(VMD_STEP_HALTED | (a->write ? VMD_STEP_WRITE : 0), f.flags);
		EXPECT_EQ(a->kind, f.kind);
		EXPECT_EQ(before, f.before.state);
		EXPECT_EQ(i < FRAMES ? i : FRAMES, f.used);
		EXPECT_FALSE(told(self->st, &f, 5));
		EXPECT_EQ(before, state(self->fd, a->page));
		EXPECT_EQ(i, misses(self->fd));
		EXPECT_EQ(0, go(self->st, i + 1));
		if (a->victim >= 0) {
			ASSERT_TRUE(halts(self->st, &f, VMD_STEP_VICTIM));
			EXPECT_EQ(i + 1, f.number);
			EXPECT_EQ(a->victim, f.victim);
			EXPECT_EQ(VMD_PAGE_RESIDENT, f.victim_entry.state);
			EXPECT_EQ(a->dirty, !!(f.victim_entry.flags & VMD_PAGE_DIRTY));
			EXPECT_STREQ("fifo", f.policy);
			EXPECT_EQ(VMD_WHY_FIRST_IN, f.why);
			EXPECT_FALSE(told(self->st, &f, 5));
			EXPECT_EQ(VMD_PAGE_RESIDENT, state(self->fd, a->victim));
			EXPECT_EQ(before, state(self->fd, a->page));
			EXPECT_EQ(0, go(self->st, i + 1));
		}
		ASSERT_TRUE(halts(self->st, &f, VMD_STEP_END));
		EXPECT_EQ(i + 1, f.number);
		EXPECT_EQ(a->kind, f.kind);
		EXPECT_EQ(a->victim >= 0, !!(f.flags & VMD_STEP_EVICTED));
		if (a->victim >= 0)
			EXPECT_EQ(a->victim, f.victim);
		EXPECT_EQ(i, done());
		EXPECT_EQ(0, go(self->st, i + 1));
	}
	EXPECT_CHILD(pid);
}

/* Up to the choice of a victim, with pages 0 to 2 in the frames */
static pid_t up_to_victim(int st, char *map, unsigned long page, struct vmd_step_fault *f)
{
	pid_t pid;
	int i;

	for (i = 0; i < FRAMES; i++)
		touch(map, i, true);
	while (told(st, f, 0))
		;
	pid = toucher(map, page);
	if (halts(st, f, VMD_STEP_BEGIN) && !go(st, f->number) &&
	    halts(st, f, VMD_STEP_VICTIM))
		return pid;
	return -1;
}

TEST_F(step, the_choice_is_told_before_and_what_came_of_it_after)
{
	struct vmd_step_fault f;
	pid_t pid;

	self->st = each_phase(self->fd, self->st);
	ASSERT_LE(0, self->st);
	pid = up_to_victim(self->st, self->map, 9, &f);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, f.victim);
	EXPECT_EQ(0, vmd_policy(self->fd, "mru"));
	EXPECT_EQ(0, go(self->st, f.number));
	ASSERT_TRUE(halts(self->st, &f, VMD_STEP_END));
	EXPECT_STREQ("mru", f.policy);
	EXPECT_EQ(2, f.victim);
	EXPECT_EQ(0, go(self->st, f.number));
	EXPECT_CHILD(pid);
}

TEST_F(step, a_choice_that_is_not_needed_any_more_is_forgotten)
{
	struct vmd_step_fault f;
	char *map;
	pid_t pid;

	self->st = each_phase(self->fd, self->st);
	ASSERT_LE(0, self->st);
	pid = up_to_victim(self->st, self->map, 9, &f);
	ASSERT_LT(0, pid);
	/* Nothing is held that any of these would wait for. */
	EXPECT_EQ(0, vmd_resize(self->fd, PAGES + 8));
	EXPECT_EQ(0, vmd_resize(self->fd, PAGES));
	EXPECT_EQ(0, vmd_sync(self->fd, 0, 0));
	EXPECT_EQ(0, vmd_observer(self->fd, "accessed"));
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 0));
	EXPECT_EQ(0, vmd_observer(self->fd, "trap"));
	EXPECT_EQ(0, vmd_budget(self->fd, FRAMES + 1));
	ASSERT_MAP(map, self->fd, PAGES);
	munmap(map, PAGES * vmd_ps);
	EXPECT_EQ(0, go(self->st, f.number));
	ASSERT_TRUE(halts(self->st, &f, VMD_STEP_END));
	EXPECT_EQ(VMD_STEP_HALTED | VMD_STEP_WRITE, f.flags);
	EXPECT_EQ(0, f.evicted);
	EXPECT_EQ(0, f.victim_entry.state);
	EXPECT_EQ(0, f.used);
	EXPECT_EQ(0, go(self->st, f.number));
	EXPECT_CHILD(pid);
}

TEST_F(step, a_phase_ends_when_the_stepper_goes_or_the_program_is_killed)
{
	struct vmd_step_fault f;
	pid_t pid;

	self->st = each_phase(self->fd, self->st);
	ASSERT_LE(0, self->st);
	pid = toucher(self->map, 5);
	ASSERT_TRUE(halts(self->st, &f, VMD_STEP_BEGIN));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, PATIENCE));
	EXPECT_EQ(VMD_PAGE_ABSENT, state(self->fd, 5));
	pid = up_to_victim(self->st, self->map, 9, &f);
	ASSERT_LT(0, pid);
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, PATIENCE));
	EXPECT_EQ(VMD_PAGE_RESIDENT, state(self->fd, f.victim));
	EXPECT_EQ(VMD_PAGE_ABSENT, state(self->fd, 9));
	EXPECT_FALSE(told(self->st, &f, 5));
	pid = up_to_victim(self->st, self->map, 10, &f);
	ASSERT_LT(0, pid);
	close(self->st);
	EXPECT_CHILD(pid);
	self->st = step_open(self->fd);
	EXPECT_LE(0, self->st);
	/* And the next stepper, who wants no phases, is told none of that. */
	EXPECT_FALSE(told(self->st, &f, 5));
}

TEST_F(step, to_close_lets_all_go)
{
	pid_t a = toucher(self->map, 1), b = toucher(self->map, 2);
	struct vmd_step_fault f;

	/* One that was told of, and one that was not */
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(0, done());
	close(self->st);
	EXPECT_CHILD(a);
	EXPECT_CHILD(b);
	self->st = step_open(self->fd);
	EXPECT_LE(0, self->st);
}

/* Steps, has a child that has the descriptor, too, and waits to be killed. */
static void stepper(int fd, int ready)
{
	struct vmd_step_fault f;
	int st = step_open(fd);

	if (st < 0 || !vmd_fork())
		pause();
	if (write(ready, "o", 1) != 1 || !told(st, &f, PATIENCE) ||
	    write(ready, "t", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

TEST_F(step, a_stepper_that_is_killed_lets_all_go)
{
	int ready[2];
	pid_t st, pid;
	char c;

	close(self->st);
	ASSERT_EQ(0, pipe(ready));
	st = vmd_fork();
	if (!st)
		stepper(self->fd, ready[1]);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	pid = toucher(self->map, 1);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(0, done());
	kill(st, SIGKILL);
	EXPECT_CHILD(pid);
	EXPECT_EQ(1, done());
	EXPECT_EQ(128 + SIGKILL, vmd_wait(st, PATIENCE));
}

TEST_F(step, a_halted_program_can_be_killed)
{
	pid_t pid = toucher(self->map, 1);
	struct vmd_step_fault f;

	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, PATIENCE));
	EXPECT_EQ(0, done());
	EXPECT_ERRNO(ENOENT, go(self->st, f.number));
	/* What was not read yet is told still. */
	pid = toucher(self->map, 2);
	ASSERT_EQ(1, poll(&(struct pollfd){ self->st, POLLIN, 0 }, 1, PATIENCE));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(pid, PATIENCE));
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(2, f.page);
	EXPECT_EQ(VMD_STEP_SIGNAL, f.flags & (VMD_STEP_SIGNAL | VMD_STEP_HALTED));
	EXPECT_EQ(0, done());
}

static void handler(int number)
{
	(void)number;
	__atomic_fetch_add(&shared->signals, 1, __ATOMIC_RELEASE);
}

TEST_F(step, a_signal_is_taken_and_the_access_halts_again)
{
	struct vmd_step_fault f;
	pid_t pid;
	int i;

	signal(SIGUSR1, handler);
	pid = toucher(self->map, 1);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(VMD_STEP_ZERO, f.kind);
	kill(pid, SIGUSR1);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(VMD_STEP_SOFT, f.kind);
	EXPECT_EQ(1, __atomic_load_n(&shared->signals, __ATOMIC_ACQUIRE));
	/* Stopped and continued, as a debugger does. */
	kill(pid, SIGSTOP);
	ASSERT_EQ(pid, waitpid(pid, &i, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(i));
	kill(pid, SIGCONT);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(0, done());
	EXPECT_EQ(0, go(self->st, f.number));
	EXPECT_CHILD(pid);
}

TEST_F(step, a_signal_is_taken_before_anything_is_done)
{
	struct vmd_step_fault f;
	pid_t pid;

	self->st = each_phase(self->fd, self->st);
	ASSERT_LE(0, self->st);
	signal(SIGUSR1, handler);
	pid = toucher(self->map, 1);
	ASSERT_TRUE(halts(self->st, &f, VMD_STEP_BEGIN));
	EXPECT_EQ(1, f.number);
	kill(pid, SIGUSR1);
	/* Told from the beginning again, as another fault */
	ASSERT_TRUE(halts(self->st, &f, VMD_STEP_BEGIN));
	EXPECT_EQ(2, f.number);
	EXPECT_EQ(VMD_STEP_ZERO, f.kind);
	EXPECT_EQ(1, __atomic_load_n(&shared->signals, __ATOMIC_ACQUIRE));
	EXPECT_EQ(0, misses(self->fd));
	EXPECT_ERRNO(ENOENT, go(self->st, 1));
	EXPECT_EQ(0, go(self->st, 2));
	ASSERT_TRUE(halts(self->st, &f, VMD_STEP_END));
	EXPECT_EQ(1, misses(self->fd));
	EXPECT_EQ(0, go(self->st, 0));
	EXPECT_CHILD(pid);
}

static char *threads_map;

static void *thread(void *arg)
{
	size_t i;

	for (i = 0; i < EACH; i++)
		touch(threads_map, (uintptr_t)arg * EACH + i, true);
	return NULL;
}

static void many(char *map)
{
	pthread_t threads[THREADS];
	size_t i;

	threads_map = map;
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread, (void *)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* All halt at the same time, are told one by one, and let go together. */
TEST_F(step, many_threads_are_told_one_after_the_other)
{
	bool seen[THREADS * EACH] = { false };
	struct vmd_step_fault f = { 0 };
	__u64 last = 0;
	pid_t pid = vmd_fork();
	size_t i, all = 0;

	if (!pid)
		many(self->map);
	for (i = 0; i < THREADS; i++) {
		ASSERT_TRUE(told(self->st, &f, PATIENCE));
		EXPECT_EQ(++last, f.number);
		EXPECT_TRUE(f.flags & VMD_STEP_HALTED);
		EXPECT_EQ(0, f.page % EACH);
		all += !seen[f.page];
		seen[f.page] = true;
	}
	EXPECT_EQ(THREADS, all);
	EXPECT_EQ(0, done());
	EXPECT_EQ(0, go(self->st, 0));
	/* A page may go before its thread does: then it is told of again. */
	while (done() < THREADS * EACH) {
		if (!told(self->st, &f, 100))
			continue;
		EXPECT_EQ(++last, f.number);
		all += !seen[f.page];
		seen[f.page] = true;
		if (f.flags & VMD_STEP_HALTED)
			EXPECT_EQ(0, go(self->st, f.number));
	}
	EXPECT_EQ(THREADS * EACH, all);
	EXPECT_EQ(0, f.lost);
	EXPECT_CHILD(pid);
}

/* Whoever steps himself would wait for ever. */
TEST_F(step, ones_own_faults_are_told_of_only)
{
	struct vmd_step_fault f;

	touch(self->map, 1, true);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(VMD_STEP_OWN | VMD_STEP_WRITE, f.flags);
	EXPECT_EQ(VMD_STEP_ZERO, f.kind);
	EXPECT_ERRNO(ENOENT, go(self->st, f.number));
}

/* It may hold what others wait for: a terminal, a pipe. */
TEST_F(step, a_system_call_is_told_of_only)
{
	struct vmd_step_fault f;
	int fds[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = vmd_fork();
	if (!pid)
		_exit(write(fds[1], self->map + 2 * vmd_ps, 1) != 1);
	EXPECT_CHILD(pid);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(VMD_STEP_KERNEL, f.flags);
	EXPECT_EQ(2, f.page);
}

/* Faults that nobody reads are lost beyond a number of them, and counted. */
TEST_F(step, what_is_lost_is_counted)
{
	struct vmd_step_fault f;
	unsigned long i, n = 0;

	for (i = 0; i < 600; i++)
		touch(self->map, i % PAGES, false);
	while (told(self->st, &f, 0))
		n++;
	EXPECT_LT(0, n);
	EXPECT_EQ(0, f.lost);
	touch(self->map, i % PAGES, false);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(600, n + f.lost);
}

TEST_F(step, all_can_change_while_one_is_halted)
{
	struct vmd_step_fault f;
	struct vmd_stats s;
	pid_t pid = toucher(self->map, 1);
	char *map;

	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(0, vmd_policy(self->fd, "lru"));
	EXPECT_EQ(0, vmd_observer(self->fd, "trap"));
	EXPECT_EQ(0, vmd_observer(self->fd, "accessed"));
	EXPECT_EQ(0, vmd_budget(self->fd, 2));
	EXPECT_EQ(0, vmd_resize(self->fd, PAGES + 8));
	EXPECT_EQ(0, vmd_resize(self->fd, PAGES));
	EXPECT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(0, vmd_sync(self->fd, 0, 0));
	ASSERT_MAP(map, self->fd, PAGES);
	munmap(map, PAGES * vmd_ps);
	EXPECT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, 0));
	EXPECT_EQ(0, done());
	EXPECT_EQ(0, go(self->st, f.number));
	/* The page has gone again: that may not be tried again, only told. */
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(1, f.page);
	if (f.flags & VMD_STEP_HALTED)
		go(self->st, f.number);
	else
		EXPECT_TRUE(f.flags & VMD_STEP_TRIED);
	EXPECT_CHILD(pid);
	EXPECT_EQ(1, self->map[vmd_ps]);
}

TEST_F(step, an_access_past_the_end_is_told_as_illegal)
{
	struct vmd_step_fault f;
	pid_t pid;

	ASSERT_EQ(0, vmd_resize(self->fd, PAGES / 2));
	pid = toucher(self->map, PAGES - 1);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	EXPECT_EQ(VMD_STEP_ILLEGAL, f.kind);
	EXPECT_EQ(PAGES - 1, f.page);
	EXPECT_EQ(0, go(self->st, f.number));
	EXPECT_EQ(128 + SIGBUS, vmd_wait(pid, PATIENCE));
	EXPECT_FALSE(told(self->st, &f, 20));
}

TEST_F(step, the_end_of_the_space_is_told)
{
	struct pollfd p = { .fd = self->st, .events = POLLIN };
	struct vmd_step_fault f;

	touch(self->map, 1, true);
	ASSERT_TRUE(told(self->st, &f, PATIENCE));
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(1, poll(&p, 1, PATIENCE));
	EXPECT_TRUE(p.revents & POLLHUP);
	EXPECT_EQ(0, read(self->st, &f, sizeof(f)));
}

TEST_F(step, what_is_wrong_is_refused)
{
	struct vmd_step how = { .flags = 2 };
	struct vmd_step_next next = { .flags = 1 };
	char *nowhere;
	struct vmd_step_fault f;
	struct vmd_info info;
	int fd;

	nowhere = mmap(NULL, vmd_ps, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)nowhere);
	EXPECT_EQ(0, vmd_info(self->fd, &info));
	EXPECT_TRUE(info.features & VMD_FEATURE_STEP);
	EXPECT_TRUE(info.features & VMD_FEATURE_STEP_PHASES);
	EXPECT_ERRNO(EBUSY, step_open(self->fd));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_STEP, &how));
	how = (struct vmd_step){ .reserved = { 0, 0, 1 } };
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, VMD_IOC_STEP, &how));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, VMD_IOC_STEP, NULL));
	EXPECT_ERRNO(ENOTTY, ioctl(self->fd, VMD_IOC_STEP_NEXT, &next));
	EXPECT_ERRNO(EINVAL, ioctl(self->st, VMD_IOC_STEP_NEXT, &next));
	EXPECT_ERRNO(EFAULT, ioctl(self->st, VMD_IOC_STEP_NEXT, NULL));
	EXPECT_ERRNO(ENOTTY, ioctl(self->st, VMD_IOC_STEP, &how));
	EXPECT_ERRNO(ENOENT, go(self->st, 1));
	EXPECT_EQ(0, go(self->st, 0));
	EXPECT_ERRNO(EINVAL, read(self->st, &f, sizeof(f) - 1));
	EXPECT_EQ(0, fcntl(self->st, F_SETFL, O_NONBLOCK));
	EXPECT_ERRNO(EAGAIN, read(self->st, &f, sizeof(f)));
	touch(self->map, 1, true);
	EXPECT_ERRNO(EFAULT, read(self->st, nowhere, sizeof(f)));
	fd = open(VMD_DEVICE, O_RDONLY);
	EXPECT_ERRNO(EBADF, step_open(fd));
	close(fd);
}

TEST_HARNESS_MAIN
