// SPDX-License-Identifier: GPL-2.0-only
/*
 * Content survives any order of touching, with 8 threads and with 4 processes
 * at 4 and 64 times the budget, under every policy and observer; and at no
 * sampled instant does the space hold more frames than its budget.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "vmd_harness.h"

#define FRAMES		32		/* at most */
#define FRAMES_LEAST	8
#define PAGES_64X	(64 * FRAMES)
#define WORKERS		8
#define PROCESSES	4
#define OPS_4X		60		/* of each worker, times VMD_TEST_SCALE */
#define OPS_LEAST	20
#define OPS_64X		30
#define SAMPLE_MS	2
#define SAMPLES		20		/* at least */

/*
 * A page begins with its index, which never changes, and a count that all
 * workers add to; its last word is its owner's alone.
 */
enum { WORD_INDEX, WORD_COUNT };

#define WORD_OWNER	(vmd_ps / sizeof(__u64) - 1)

/* Shared by all processes of a run */
struct run {
	int fd;
	char *map;
	unsigned long pages;
	unsigned long ops;
	unsigned long workers;
	unsigned long errors;
	__u64 owned[PAGES_64X];	/* what WORD_OWNER of each page must be */
};

struct worker {
	struct run *run;
	unsigned long number;
};

/* The budget: small where a fault takes long. */
static unsigned long frames(void)
{
	unsigned long n = vmd_afford(FRAMES);

	return n < FRAMES_LEAST ? FRAMES_LEAST : n > FRAMES ? FRAMES : n;
}

static __u64 *page_word(struct run *run, unsigned long page, size_t word)
{
	return (__u64 *)(run->map + page * vmd_ps) + word;
}

static void found_error(struct run *run)
{
	__atomic_fetch_add(&run->errors, 1, __ATOMIC_RELAXED);
}

static void own_page(struct run *run, unsigned long page)
{
	__u64 *word = page_word(run, page, WORD_OWNER);

	if (__atomic_load_n(word, __ATOMIC_RELAXED) != run->owned[page])
		found_error(run);
	run->owned[page] += page + 1;
	__atomic_store_n(word, run->owned[page], __ATOMIC_RELAXED);
}

static void visit_page(struct worker *w, unsigned long page)
{
	struct run *run = w->run;
	__u64 *index = page_word(run, page, WORD_INDEX);

	if (__atomic_load_n(index, __ATOMIC_RELAXED) != page)
		found_error(run);
	__atomic_fetch_add(page_word(run, page, WORD_COUNT), 1,
			   __ATOMIC_RELAXED);
	if (page % run->workers == w->number)
		own_page(run, page);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	__u64 seed = w->number + 1;
	unsigned long i;

	for (i = 0; i < w->run->ops; i++)
		visit_page(w, vmd_random(&seed) % w->run->pages);
	return NULL;
}

static void run_threads(struct run *run, unsigned long first,
			unsigned long count)
{
	struct worker worker[WORKERS];
	pthread_t thread[WORKERS];
	unsigned long i;

	for (i = 0; i < count; i++) {
		worker[i] = (struct worker){ run, first + i };
		if (pthread_create(&thread[i], NULL, work, &worker[i]))
			found_error(run);
	}
	for (i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
}

static void run_processes(struct run *run)
{
	unsigned long i, each = run->workers / PROCESSES;
	pid_t pid[PROCESSES];

	for (i = 0; i < PROCESSES; i++) {
		pid[i] = vmd_fork();
		if (!pid[i]) {
			run_threads(run, i * each, each);
			_exit(0);
		}
	}
	for (i = 0; i < PROCESSES; i++)
		if (vmd_wait(pid[i], 100000))
			found_error(run);
}

static void number_pages(struct run *run)
{
	unsigned long i;

	for (i = 0; i < run->pages; i++)
		*page_word(run, i, WORD_INDEX) = i;
}

/* Every addition arrived, and every owner's last word is there. */
static void check_pages(struct run *run)
{
	__u64 count = 0;
	unsigned long i;

	for (i = 0; i < run->pages; i++) {
		if (*page_word(run, i, WORD_INDEX) != i ||
		    *page_word(run, i, WORD_OWNER) != run->owned[i])
			found_error(run);
		count += *page_word(run, i, WORD_COUNT);
	}
	if (count != run->workers * run->ops)
		found_error(run);
}

/* Looks at a space through all of its views while the others work. */
struct sampler {
	int fd;
	__u64 id;
	__u64 most;
	unsigned long samples;
	bool stop;
	pthread_t thread;
};

static void sample(struct sampler *s, __u64 resident)
{
	if (resident > s->most)
		s->most = resident;
	s->samples++;
}

static void sample_text(struct sampler *s)
{
	char *debugfs = vmd_space_file(s->id, "stats");
	char *line = vmd_space_line(s->id);
	char *at = line ? strstr(line, " resident=") : NULL;
	__u64 value;

	if (debugfs && vmd_value(debugfs, "resident", &value))
		sample(s, value);
	if (at)
		sample(s, strtoull(at + strlen(" resident="), NULL, 10));
	free(debugfs);
	free(line);
}

static void *sampler_run(void *arg)
{
	struct sampler *s = arg;
	struct vmd_stats stats;

	while (!vmd_is_set(&s->stop)) {
		if (!vmd_stats(s->fd, &stats))
			sample(s, stats.resident);
		if (s->samples % 8 == 0)
			sample_text(s);
		vmd_sleep_ms(SAMPLE_MS);
	}
	return NULL;
}

FIXTURE(overcommit) {
	struct run *run;
	struct sampler sampler;
};

FIXTURE_VARIANT(overcommit) {
	const char *policy;
	const char *observer;
};

FIXTURE_VARIANT_ADD(overcommit, fifo_fault) {
	.policy = "fifo", .observer = "fault"
};

FIXTURE_VARIANT_ADD(overcommit, fifo_accessed) {
	.policy = "fifo", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(overcommit, fifo_trap) {
	.policy = "fifo", .observer = "trap"
};

FIXTURE_VARIANT_ADD(overcommit, lru_fault) {
	.policy = "lru", .observer = "fault"
};

FIXTURE_VARIANT_ADD(overcommit, lru_accessed) {
	.policy = "lru", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(overcommit, lru_trap) {
	.policy = "lru", .observer = "trap"
};

FIXTURE_VARIANT_ADD(overcommit, clock_fault) {
	.policy = "clock", .observer = "fault"
};

FIXTURE_VARIANT_ADD(overcommit, clock_accessed) {
	.policy = "clock", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(overcommit, clock_trap) {
	.policy = "clock", .observer = "trap"
};

FIXTURE_VARIANT_ADD(overcommit, clock_a_fault) {
	.policy = "clock-a", .observer = "fault"
};

FIXTURE_VARIANT_ADD(overcommit, clock_a_accessed) {
	.policy = "clock-a", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(overcommit, clock_a_trap) {
	.policy = "clock-a", .observer = "trap"
};

FIXTURE_VARIANT_ADD(overcommit, lfu_fault) {
	.policy = "lfu", .observer = "fault"
};

FIXTURE_VARIANT_ADD(overcommit, lfu_accessed) {
	.policy = "lfu", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(overcommit, lfu_trap) {
	.policy = "lfu", .observer = "trap"
};

FIXTURE_VARIANT_ADD(overcommit, mru_fault) {
	.policy = "mru", .observer = "fault"
};

FIXTURE_VARIANT_ADD(overcommit, mru_accessed) {
	.policy = "mru", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(overcommit, mru_trap) {
	.policy = "mru", .observer = "trap"
};

FIXTURE_VARIANT_ADD(overcommit, random_fault) {
	.policy = "random", .observer = "fault"
};

FIXTURE_VARIANT_ADD(overcommit, random_accessed) {
	.policy = "random", .observer = "accessed"
};

FIXTURE_VARIANT_ADD(overcommit, random_trap) {
	.policy = "random", .observer = "trap"
};

FIXTURE_SETUP(overcommit)
{
	struct run *run = mmap(NULL, sizeof(*run), VMD_RW,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)run);
	self->run = run;
	ASSERT_OPEN(run->fd);
	ASSERT_EQ(0, vmd_set(run->fd, variant->policy, variant->observer,
			     frames()));
	self->sampler.fd = run->fd;
	self->sampler.id = vmd_id(run->fd);
}

FIXTURE_TEARDOWN(overcommit)
{
	close(self->run->fd);
	munmap(self->run, sizeof(*self->run));
}

static bool prepare(struct run *run, struct sampler *s, unsigned long pages,
		    unsigned long ops)
{
	run->pages = pages;
	run->ops = vmd_afford(ops) > OPS_LEAST ? vmd_afford(ops) : OPS_LEAST;
	run->workers = WORKERS;
	run->map = vmd_map(run->fd, pages);
	if (run->map == MAP_FAILED)
		return false;
	if (pthread_create(&s->thread, NULL, sampler_run, s))
		return false;
	number_pages(run);
	return true;
}

/* Reading everything evicts, too: go on until enough samples were taken. */
static void finish(struct run *run, struct sampler *s)
{
	__u64 end = vmd_now_ms() + 60000;

	do {
		check_pages(run);
	} while (__atomic_load_n(&s->samples, __ATOMIC_RELAXED) < SAMPLES &&
		 vmd_now_ms() < end);
	vmd_set_flag(&s->stop);
	pthread_join(s->thread, NULL);
}

static bool really_evicted(struct run *run)
{
	struct vmd_stats stats;

	return !vmd_stats(run->fd, &stats) &&
	       stats.evictions >= run->pages - frames() && !stats.io_errors;
}

TEST_F(overcommit, content_at_4_times_the_budget_with_8_threads)
{
	struct run *run = self->run;

	ASSERT_TRUE(prepare(run, &self->sampler, 4 * frames(), OPS_4X));
	run_threads(run, 0, WORKERS);
	finish(run, &self->sampler);
	EXPECT_EQ(0, run->errors);
	EXPECT_TRUE(really_evicted(run));
	EXPECT_LE(SAMPLES, self->sampler.samples);
	EXPECT_GE(frames(), self->sampler.most);
}

TEST_F(overcommit, content_at_4_times_the_budget_with_4_processes)
{
	struct run *run = self->run;

	ASSERT_TRUE(prepare(run, &self->sampler, 4 * frames(), OPS_4X));
	run_processes(run);
	finish(run, &self->sampler);
	EXPECT_EQ(0, run->errors);
	EXPECT_TRUE(really_evicted(run));
	EXPECT_LE(SAMPLES, self->sampler.samples);
	EXPECT_GE(frames(), self->sampler.most);
}

TEST_F(overcommit, content_at_64_times_the_budget_with_8_threads_of_4_processes)
{
	struct run *run = self->run;

	ASSERT_TRUE(prepare(run, &self->sampler, 64 * frames(),
			    OPS_64X));
	run_processes(run);
	finish(run, &self->sampler);
	EXPECT_EQ(0, run->errors);
	EXPECT_TRUE(really_evicted(run));
	EXPECT_LE(SAMPLES, self->sampler.samples);
	EXPECT_GE(frames(), self->sampler.most);
}

#define test_harness_run(argc, argv) \
	(vmd_thin_out(&_overcommit_fixture_object, 3), test_harness_run(argc, argv))
TEST_HARNESS_MAIN
