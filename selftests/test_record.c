// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recording: every reference once, in order, with who and where; what does not
 * fit is waited for or counted; readers that lie, leave or die do no harm.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record_reader.h"
#include "vmd_harness.h"

#define PAGES		64
#define FRAMES		16
#define RING		65536
#define SMALL		4096
#define MOST_ROUNDS	3000
#define FEWEST_ROUNDS	800		/* more than a small ring holds */
#define THREADS		4

static struct reader r;			/* too large for a stack */

/* References of a test: as many as this kernel can do in a few seconds */
static unsigned int rounds(void)
{
	unsigned long n = vmd_afford(MOST_ROUNDS);

	return n > FEWEST_ROUNDS ? n : FEWEST_ROUNDS;
}

FIXTURE(record) {
	int fd;
	char *map;
};

FIXTURE_SETUP(record)
{
	ASSERT_OPEN(self->fd);
	ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", FRAMES));
	ASSERT_MAP(self->map, self->fd, PAGES);
}

FIXTURE_TEARDOWN(record)
{
	if (self->fd >= 0)
		close(self->fd);
}

static void touch(char *map, unsigned long page, bool write)
{
	if (write)
		vmd_store(map + page * vmd_ps, 1);
	else
		vmd_load(map + page * vmd_ps);
}

/* A page other than the one before, and whether it is written */
static unsigned long next_page(__u64 *seed, unsigned long page, bool *write)
{
	__u64 random = vmd_random(seed) >> 16;

	*write = random & 1;
	/* Near pages more often: else no policy has anything to do. */
	return (page + 1 + (random >> 1) % ((random >> 8) % (PAGES - 1) + 1)) %
	       PAGES;
}

static void wander(char *map, int n, __u64 seed)
{
	unsigned long page = 0;
	bool write;

	while (n--) {
		page = next_page(&seed, page, &write);
		touch(map, page, write);
	}
}

/* Is that what wander() did, from the @first of the records on? */
static bool wandered(const struct reader *reader, size_t first, int n,
		     __u64 seed)
{
	unsigned long page = 0;
	size_t i;
	bool write;

	for (i = first; n--; i++) {
		page = next_page(&seed, page, &write);
		if (i >= reader->nr || reader->got[i].page != page ||
		    !!reader->got[i].write != write)
			return false;
	}
	return true;
}

TEST_F(record, every_reference_is_there_in_order)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_reset(self->fd));
	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, RING));
	wander(self->map, rounds(), 1);
	reader_stop(&r);
	EXPECT_FALSE(r.bad);
	EXPECT_EQ(0, r.lost);
	EXPECT_EQ(rounds(), r.nr);
	EXPECT_EQ(rounds(), r.ring->records);
	EXPECT_EQ(rounds(), reader_count(&r, VMD_TRACE_REFERENCE));
	EXPECT_TRUE(wandered(&r, 0, rounds(), 1));
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(rounds(), s.references);
	reader_end(&r);
}

extern char __executable_start, etext;

TEST_F(record, a_record_tells_thread_time_and_instruction)
{
	__u64 begin = vmd_now_ms(), before = 0;
	size_t i;

	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, RING));
	EXPECT_LT(1600000000ULL * 1000000000, r.ring->start);
	wander(self->map, 100, 2);
	vmd_sleep_ms(20);
	touch(self->map, 0, false);
	touch(self->map, 1, false);
	reader_stop(&r);
	ASSERT_EQ(102, r.nr);
	for (i = 0; i < r.nr; i++) {
		EXPECT_EQ(syscall(SYS_gettid), r.got[i].thread);
		EXPECT_LE((uintptr_t)&__executable_start, r.got[i].ip);
		EXPECT_GT((uintptr_t)&etext, r.got[i].ip);
		EXPECT_LE(before, r.got[i].time);
		before = r.got[i].time;
	}
	EXPECT_LE(20000000, r.got[100].time - r.got[99].time);
	EXPECT_GE((vmd_now_ms() - begin + 1) * 1000000, before);
	reader_end(&r);
}

/* The textbook's LRU, in the simplest way: pages by the time of last use. */
static __u64 lru_misses(const struct reader *reader, __u32 frames)
{
	size_t used[PAGES] = { 0 }, i, j, oldest;
	__u32 resident = 0;
	__u64 misses = 0;

	for (i = 0; i < reader->nr; i++) {
		if (!used[reader->got[i].page]) {
			misses++;
			for (j = 0, oldest = PAGES; j < PAGES; j++)
				if (used[j] && (oldest == PAGES ||
						used[j] < used[oldest]))
					oldest = j;
			if (resident == frames)
				used[oldest] = 0;
			else
				resident++;
		}
		used[reader->got[i].page] = i + 1;
	}
	return misses;
}

TEST_F(record, the_string_has_exactly_the_misses_that_were_counted)
{
	const __u32 frames[] = { 3, 8, FRAMES, 40 };
	struct vmd_stats s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
		ASSERT_EQ(0, vmd_set(self->fd, "lru", "trap", frames[i]));
		ASSERT_EQ(0, vmd_reset(self->fd));
		ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES,
					  VMD_RECORD_WAIT, RING));
		wander(self->map, rounds(), 3 + i);
		reader_stop(&r);
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_EQ(0, r.lost);
		EXPECT_EQ(s.references, r.nr);
		EXPECT_EQ(s.misses, lru_misses(&r, frames[i]));
		reader_end(&r);
	}
}

static size_t count_dirty(const struct reader *reader)
{
	size_t i, n = 0;

	for (i = 0; i < reader->nr; i++)
		n += reader->got[i].kind == VMD_TRACE_EVICT &&
		     reader->got[i].write;
	return n;
}

TEST_F(record, faults_and_evictions_are_those_counted_with_any_observer)
{
	const char *const *o;
	struct vmd_stats s;

	for (o = vmd_observer_names; *o; o++) {
		ASSERT_EQ(0, vmd_observer(self->fd, *o));
		ASSERT_EQ(0, vmd_reset(self->fd));
		ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_FAULTS |
					  VMD_RECORD_EVICTIONS, 0, RING));
		wander(self->map, rounds(), 5);
		ASSERT_EQ(0, vmd_advise(self->fd, VMD_ADVICE_EVICT, 0, PAGES));
		reader_stop(&r);
		ASSERT_EQ(0, vmd_stats(self->fd, &s));
		EXPECT_FALSE(r.bad);
		EXPECT_LT(0, s.evictions_dirty);
		EXPECT_EQ(s.misses, reader_count(&r, VMD_TRACE_FAULT));
		EXPECT_EQ(s.evictions, reader_count(&r, VMD_TRACE_EVICT));
		EXPECT_EQ(s.evictions_dirty, count_dirty(&r));
		EXPECT_EQ(0, reader_count(&r, VMD_TRACE_REFERENCE));
		reader_end(&r);
	}
}

TEST_F(record, hits_and_misses_can_be_told_apart)
{
	struct vmd_stats s;

	ASSERT_EQ(0, vmd_reset(self->fd));
	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES |
				  VMD_RECORD_FAULTS, 0, RING));
	wander(self->map, rounds(), 6);
	reader_stop(&r);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_EQ(s.misses, reader_count(&r, VMD_TRACE_FAULT));
	EXPECT_EQ(s.hits, reader_count(&r, VMD_TRACE_REFERENCE));
	reader_end(&r);
}

TEST_F(record, what_the_kernel_touches_has_no_instruction)
{
	char buf[64] = "";
	int null;

	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, RING));
	null = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(64, read(null, self->map + 3 * vmd_ps, 64));
	ASSERT_EQ(64, pwrite(self->fd, buf, 64, 4 * vmd_ps));
	ASSERT_EQ(64, pread(self->fd, buf, 64, 3 * vmd_ps));
	/* Never touched: it reads as zeros and is no reference. */
	ASSERT_EQ(64, pread(self->fd, buf, 64, 5 * vmd_ps));
	close(null);
	reader_stop(&r);
	ASSERT_EQ(3, r.nr);
	EXPECT_EQ(3, r.got[0].page);
	EXPECT_NE(0, r.got[0].write);
	EXPECT_EQ(4, r.got[1].page);
	EXPECT_NE(0, r.got[1].write);
	EXPECT_EQ(3, r.got[2].page);
	EXPECT_EQ(0, r.got[2].write);
	EXPECT_EQ(0, r.got[0].ip);
	EXPECT_EQ(0, r.got[1].ip);
	EXPECT_EQ(0, r.got[2].ip);
	reader_end(&r);
}

TEST_F(record, the_instructions_of_other_users_are_not_told)
{
	ASSERT_EQ(0, seteuid(VMD_NOBODY));
	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, RING));
	touch(self->map, 1, false);
	ASSERT_EQ(0, seteuid(0));
	touch(self->map, 2, false);
	reader_stop(&r);
	ASSERT_EQ(2, r.nr);
	EXPECT_NE(0, r.got[0].ip);
	EXPECT_EQ(0, r.got[1].ip);
	reader_end(&r);
}

TEST_F(record, drops_are_counted_and_told)
{
	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, SMALL));
	wander(self->map, rounds(), 7);
	EXPECT_EQ(rounds(), r.ring->records + r.ring->drops);
	EXPECT_LT(0, r.ring->drops);
	EXPECT_EQ(0, r.ring->told);
	reader_pass(&r);
	EXPECT_FALSE(r.bad);
	EXPECT_TRUE(wandered(&r, 0, r.nr, 7));
	EXPECT_EQ(0, r.lost);
	/* There is room again: what comes first is how many are missing. */
	wander(self->map, 100, 8);
	reader_take(&r);
	EXPECT_FALSE(r.bad);
	EXPECT_EQ(rounds() + 100, r.nr + r.lost);
	EXPECT_EQ(r.ring->told, r.lost);
	EXPECT_TRUE(wandered(&r, r.nr - 100, 100, 8));
	reader_end(&r);
}

/* Does somebody wait for room in the ring? */
static bool awaited_within(int ms)
{
	for (; ms > 0; ms -= 10) {
		if (__atomic_load_n(&r.ring->waits, __ATOMIC_RELAXED))
			return true;
		vmd_sleep_ms(10);
	}
	return false;
}

/* Ends the recording once somebody waits, but keeps what it has. */
static int stop_when_awaited(void)
{
	if (!awaited_within(30000))
		return 1;
	reader_stop(&r);
	vmd_sleep_ms(300);
	return r.bad || reader_poll(&r, 0) != POLLHUP;
}

/* A reader that does not read, in a process of its own */
static void lazy_reader(int space, int ready, bool stops)
{
	if (reader_begin(&r, space, VMD_RECORD_REFERENCES, VMD_RECORD_WAIT,
			 SMALL))
		_exit(2);
	if (write(ready, "", 1) != 1)
		_exit(3);
	if (stops)
		_exit(stop_when_awaited());
	for (;;)
		pause();
}

static pid_t start_lazy_reader(int space, bool stops)
{
	int pipes[2];
	pid_t pid;
	char c;

	if (pipe(pipes))
		return -1;
	pid = vmd_fork();
	if (!pid)
		lazy_reader(space, pipes[1], stops);
	close(pipes[1]);
	if (read(pipes[0], &c, 1) != 1)
		pid = -1;
	close(pipes[0]);
	return pid;
}

struct wanderer {
	char *map;
	__u64 seed;
	int rounds;
	bool done;
	pid_t tid;
};

static void *wander_thread(void *arg)
{
	struct wanderer *w = arg;

	w->tid = syscall(SYS_gettid);
	wander(w->map, w->rounds, w->seed);
	vmd_set_flag(&w->done);
	return NULL;
}

static bool done_within(struct wanderer *w, int ms)
{
	for (; ms > 0 && !vmd_is_set(&w->done); ms -= 10)
		vmd_sleep_ms(10);
	return vmd_is_set(&w->done);
}

TEST_F(record, a_killed_reader_lets_the_program_go_on)
{
	struct wanderer w = { .map = self->map, .seed = 9, .rounds = rounds() };
	pid_t reader = start_lazy_reader(self->fd, false);
	pthread_t thread;

	ASSERT_LT(0, reader);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wander_thread, &w));
	EXPECT_FALSE(done_within(&w, 500));
	kill(reader, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(reader, 5000));
	EXPECT_TRUE(done_within(&w, 20000));
	pthread_join(thread, NULL);
	/* And all is as if there had never been one. */
	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, SMALL));
	reader_end(&r);
}

TEST_F(record, a_waiting_program_can_be_killed)
{
	pid_t program;

	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES,
				  VMD_RECORD_WAIT, SMALL));
	program = vmd_fork();
	if (!program) {
		wander(self->map, rounds(), 10);
		_exit(0);
	}
	EXPECT_LT(0, reader_poll(&r, 10000));
	EXPECT_TRUE(awaited_within(10000));
	kill(program, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, vmd_wait(program, 5000));
	reader_end(&r);
}

TEST_F(record, a_program_that_waits_loses_nothing)
{
	pid_t program;
	int turns = 0;

	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES |
				  VMD_RECORD_EVICTIONS, VMD_RECORD_WAIT, SMALL));
	program = vmd_fork();
	if (!program) {
		wander(self->map, rounds(), 11);
		_exit(0);
	}
	/* Late: all of it is more than the ring. */
	EXPECT_TRUE(awaited_within(30000));
	while (r.nr - reader_count(&r, VMD_TRACE_EVICT) < rounds() &&
	       turns++ < 5000 && !r.bad) {
		reader_poll(&r, 100);
		reader_pass(&r);
	}
	EXPECT_CHILD(program);
	reader_stop(&r);
	EXPECT_FALSE(r.bad);
	EXPECT_EQ(0, r.lost);
	EXPECT_EQ(rounds(), reader_count(&r, VMD_TRACE_REFERENCE));
	EXPECT_LT(0, r.ring->waits);
	EXPECT_LT(0, reader_count(&r, VMD_TRACE_EVICT));
	reader_end(&r);
}

TEST_F(record, stop_lets_the_program_go_on)
{
	struct wanderer w = { .map = self->map, .seed = 12, .rounds = rounds() };
	pid_t reader = start_lazy_reader(self->fd, true);
	pthread_t thread;

	ASSERT_LT(0, reader);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wander_thread, &w));
	EXPECT_TRUE(done_within(&w, 20000));
	pthread_join(thread, NULL);
	EXPECT_CHILD(reader);
}

static size_t count_thread(const struct reader *reader, __u32 tid)
{
	size_t i, n = 0;

	for (i = 0; i < reader->nr; i++)
		n += reader->got[i].thread == tid;
	return n;
}

TEST_F(record, threads_are_recorded_side_by_side)
{
	struct wanderer w[THREADS] = { 0 };
	pthread_t thread[THREADS];
	struct vmd_stats s;
	size_t sum = 0;
	int i;

	ASSERT_EQ(0, vmd_reset(self->fd));
	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0,
				  1 << 20));
	for (i = 0; i < THREADS; i++) {
		w[i].map = self->map;
		w[i].seed = i;
		w[i].rounds = rounds();
		pthread_create(&thread[i], NULL, wander_thread, &w[i]);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	reader_stop(&r);
	ASSERT_EQ(0, vmd_stats(self->fd, &s));
	EXPECT_FALSE(r.bad);
	EXPECT_EQ(s.references, r.nr);
	for (i = 0; i < THREADS; i++) {
		EXPECT_LT(rounds() / 2, count_thread(&r, w[i].tid));
		sum += count_thread(&r, w[i].tid);
	}
	EXPECT_EQ(sum, r.nr);
	reader_end(&r);
}

TEST_F(record, poll_says_when_there_is_enough)
{
	int fd = record_open(self->fd, VMD_RECORD_REFERENCES, 0, SMALL, 200);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, poll(&p, 1, 0));
	wander(self->map, 2, 13);
	EXPECT_EQ(0, poll(&p, 1, 0));
	wander(self->map, 200, 13);
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLIN, p.revents);
	close(fd);
}

TEST_F(record, it_ends_with_the_space)
{
	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, SMALL));
	touch(self->map, 1, true);
	munmap(self->map, PAGES * vmd_ps);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(POLLIN | POLLHUP, reader_poll(&r, 5000));
	reader_stop(&r);
	EXPECT_EQ(1, r.nr);
	EXPECT_EQ(POLLHUP, reader_poll(&r, 0));
	reader_end(&r);
}

TEST_F(record, a_space_has_one_recorder)
{
	int fd = record_open(self->fd, VMD_RECORD_FAULTS, 0, SMALL, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_ERRNO(EBUSY, record_open(self->fd, VMD_RECORD_FAULTS, 0, 0, 0));
	EXPECT_EQ(0, ioctl(fd, VMD_IOC_RECORD_STOP));
	EXPECT_EQ(0, ioctl(fd, VMD_IOC_RECORD_STOP));
	close(fd);
	fd = record_open(self->fd, VMD_RECORD_FAULTS, 0, 0, 0);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(record, nonsense_is_refused)
{
	struct vmd_record how = { .events = 1, .reserved = 1 };
	int fd = self->fd;

	EXPECT_ERRNO(EINVAL, record_open(fd, 0, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, record_open(fd, 8, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, record_open(fd, 1, 2, 0, 0));
	EXPECT_ERRNO(EINVAL, record_open(fd, 1, 0, 2048, 0));
	EXPECT_ERRNO(EINVAL, record_open(fd, 1, 0, 12288, 0));
	EXPECT_ERRNO(EINVAL, record_open(fd, 1, 0, 2 * VMD_RECORD_MAX, 0));
	EXPECT_ERRNO(EINVAL, record_open(fd, 1, 0, 1ULL << 63, 0));
	EXPECT_ERRNO(EINVAL, record_open(fd, 1, 0, SMALL, SMALL + 1));
	EXPECT_ERRNO(EINVAL, ioctl(fd, VMD_IOC_RECORD, &how));
	EXPECT_ERRNO(EFAULT, ioctl(fd, VMD_IOC_RECORD, NULL));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, VMD_IOC_RECORD_STOP));
	fd = open(VMD_DEVICE, O_RDONLY | O_CLOEXEC);
	EXPECT_ERRNO(EBADF, record_open(fd, 1, 0, 0, 0));
	close(fd);
}

TEST_F(record, a_recorder_is_nothing_but_that)
{
	int fd = record_open(self->fd, 1, 0, SMALL, 0);
	struct vmd_info info;
	char c = 0;

	ASSERT_LE(0, fd);
	EXPECT_ERRNO(EINVAL, read(fd, &c, 1));
	EXPECT_ERRNO(EINVAL, write(fd, &c, 1));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, VMD_IOC_INFO, &info));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, vmd_ps, VMD_RW, MAP_PRIVATE, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 3 * vmd_ps, VMD_RW, MAP_SHARED, fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, vmd_ps, VMD_RW, MAP_SHARED, fd,
				   2 * vmd_ps));
	EXPECT_NE(MAP_FAILED, mmap(NULL, 2 * vmd_ps, VMD_RW, MAP_SHARED, fd, 0));
	close(fd);
}

/* A reader that overwrites all it can, again and again */
TEST_F(record, a_reader_that_lies_does_no_harm)
{
	__u64 seed = 14, *words;
	int i;

	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_EVENTS, 0, SMALL));
	words = (__u64 *)r.ring;
	for (i = 0; i < 300; i++) {
		wander(self->map, 20, i);
		words[vmd_random(&seed) % 1024] = vmd_random(&seed);
		r.ring->tail = i & 1 ? vmd_random(&seed) : r.ring->head - i;
		reader_poll(&r, 0);
	}
	memset(r.ring, 0xff, vmd_ps + SMALL);
	wander(self->map, 20, 1);
	munmap(r.ring, vmd_ps + SMALL);
	close(r.fd);
}

/* A tail past the head, or back again, must not open the way for an overrun. */
TEST_F(record, a_tail_that_is_wrong_is_passed_over)
{
	__u64 head;

	ASSERT_EQ(0, reader_begin(&r, self->fd, VMD_RECORD_REFERENCES, 0, SMALL));
	r.ring->tail = 1ULL << 40;
	wander(self->map, rounds(), 15);
	head = r.ring->head;
	EXPECT_GE(SMALL, head);
	EXPECT_EQ(rounds(), r.ring->records + r.ring->drops);
	r.ring->tail = head + 1;
	wander(self->map, 100, 16);
	EXPECT_GE(SMALL, r.ring->head);
	r.ring->tail = r.ring->head;
	wander(self->map, 10, 17);
	EXPECT_LT(head, r.ring->head);
	/* What was given back once is not taken back. */
	r.ring->tail = 0;
	wander(self->map, rounds(), 18);
	EXPECT_LT(SMALL, r.ring->head);
	EXPECT_GE(head + 2 * SMALL, r.ring->head);
	reader_end(&r);
}

/* As a user, whose caps count */
static int open_rings(void *arg)
{
	int fd = vmd_open(), ring;

	(void)arg;
	if (fd < 0)
		return 1;
	ring = record_open(fd, 1, 0, 256 * 4096, 0);
	if (ring >= 0 || errno != EDQUOT)
		return 2;
	ring = record_open(fd, 1, 0, SMALL, 0);
	return ring < 0 ? 3 : 0;
}

TEST_F(record, a_ring_counts_against_the_owners_frames)
{
	struct stat node;
	char was[32];
	__u64 frames;

	ASSERT_TRUE(vmd_param("user_frames", &frames));
	ASSERT_EQ(0, stat(VMD_DEVICE, &node));
	ASSERT_EQ(0, chmod(VMD_DEVICE, 0666));
	ASSERT_EQ(0, vmd_write_file(VMD_PARAMS "user_frames", "300"));
	EXPECT_EQ(0, vmd_as_user(VMD_NOBODY, open_rings, NULL));
	snprintf(was, sizeof(was), "%llu", (unsigned long long)frames);
	EXPECT_EQ(0, vmd_write_file(VMD_PARAMS "user_frames", was));
	chmod(VMD_DEVICE, node.st_mode & 07777);
}

TEST_HARNESS_MAIN
