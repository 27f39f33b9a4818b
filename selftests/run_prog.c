// SPDX-License-Identifier: GPL-2.0-only
/*
 * run_prog WHAT [N]: a program for "vmdemoctl run", whose output depends on
 * nothing but its arguments. It ends with 1 where memory is not what it has to be.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/types.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define THREADS	16
#define MIB	1048576UL

#define fatal(...)	errx(1, __VA_ARGS__)

static __u64 next(__u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* Blocks of many sizes come and go; each is full of its own number. */
static __u64 churn(__u64 seed, int steps)
{
	enum { BLOCKS = 2000 };
	struct { __u64 *at; size_t words; } block[BLOCKS] = { 0 };
	__u64 sum = 0;
	size_t i, w;

	while (steps--) {
		i = next(&seed) % BLOCKS;
		for (w = 0; w < block[i].words; w++)
			if (block[i].at[w] != (i ^ w))
				fatal("block %zu, word %zu: %llx", i, w,
				      (unsigned long long)block[i].at[w]);
		sum += block[i].words;
		block[i].words = 1 + next(&seed) % (next(&seed) % 16 ? 200 : 4000);
		block[i].at = realloc(block[i].at, block[i].words * 8);
		for (w = 0; block[i].at && w < block[i].words; w++)
			block[i].at[w] = i ^ w;
		if (!block[i].at)
			fatal("no memory");
	}
	for (i = 0; i < BLOCKS; i++)
		free(block[i].at);
	return sum;
}

struct job {
	pthread_t thread;
	__u64 seed;
	int steps;
	__u64 result;
};

static void *job_run(void *data)
{
	struct job *job = data;

	job->result = churn(job->seed, job->steps);
	return NULL;
}

static void do_threads(int steps)
{
	struct job *job = calloc(THREADS, sizeof(*job));
	int i;

	for (i = 0; i < THREADS; i++) {
		job[i].seed = i;
		job[i].steps = steps;
		if (pthread_create(&job[i].thread, NULL, job_run, &job[i]))
			fatal("no thread");
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(job[i].thread, NULL);
		printf("thread %d: %llu\n", i, (unsigned long long)job[i].result);
	}
}

/* Words that all know who wrote them last. */
static void fill(__u64 *words, size_t n, __u64 who)
{
	size_t i;

	for (i = 0; i < n; i++)
		words[i] = who * 1000003 + i;
}

static void expect(const __u64 *words, size_t n, __u64 who, const char *when)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (words[i] != who * 1000003 + i)
			fatal("%s: word %zu is %llu, not of %llu", when, i,
			      (unsigned long long)words[i], (unsigned long long)who);
}

static int reap(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		fatal("no child: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Each generation writes over what it got, makes the next, and looks again. */
static int generation(__u64 *words, size_t n, int depth, int deepest)
{
	pid_t child[2];
	int i, failed = 0;

	expect(words, n, depth - 1, "inherited");
	fill(words, n, depth);
	free(malloc(3 * MIB));
	for (i = 0; i < 2 && depth < deepest; i++) {
		child[i] = fork();
		if (!child[i])
			_exit(generation(words, n, depth + 1, deepest));
	}
	fill(words, n, depth + 100);
	churn(depth, 300);
	/* In another order than they came: the elder ends last, often enough. */
	for (i = 1; i >= 0 && depth < deepest; i--)
		failed |= reap(child[i]);
	expect(words, n, depth + 100, "after the children");
	return failed;
}

static void do_fork(int kib)
{
	size_t n = kib * 1024 / 8;
	__u64 *words = malloc(n * 8);

	fill(words, n, 0);
	printf("generations: %d\n", generation(words, n, 1, 4));
}

/* What the child says to its grandparent when all went well. */
static int orphan(__u64 *words, size_t n, int to)
{
	int tries, said = 42;

	for (tries = 0; getppid() != 1 && tries < 1000; tries++)
		usleep(1000);
	expect(words, n, 7, "a grandchild");
	fill(words, n, 8);
	expect(words, n, 8, "a grandchild wrote");
	return write(to, &said, sizeof(said)) != sizeof(said);
}

/* The parent is gone long before the child is done with what it inherited. */
static void do_orphan(int kib)
{
	size_t n = kib * 1024 / 8;
	__u64 *words = malloc(n * 8);
	int ends[2], said = -1;
	pid_t child;

	fill(words, n, 7);
	if (pipe(ends))
		fatal("pipe");
	child = fork();
	if (!child)
		_exit(fork() ? 0 : orphan(words, n, ends[1]));
	if (reap(child))
		fatal("a child failed");
	fill(words, n, 9);
	close(ends[1]);
	if (read(ends[0], &said, sizeof(said)) != sizeof(said) || said != 42)
		fatal("the orphan failed");
	expect(words, n, 9, "parent of an orphan");
	puts("orphan: 42");
}

/* A pair that is always equal under its lock, and streams that are locked. */
static struct shared {
	pthread_mutex_t lock;
	__u64 *one;
	__u64 *other;
	size_t n;
	FILE *stream;
	__u64 *count;		/* two words of it, far from each other */
	int stop;
} *shared;

#define FAR	(4 * MIB / 8 - 1)

/* The first word is never behind the other, nor more than one before it. */
static void *counter(void *data)
{
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		__atomic_fetch_add(&shared->count[0], 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&shared->count[FAR], 1, __ATOMIC_SEQ_CST);
	}
	return data;
}

static void *writer(void *data)
{
	__u64 who = (uintptr_t)data;

	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&shared->lock);
		fill(shared->one, shared->n, who);
		fill(shared->other, shared->n, who);
		pthread_mutex_unlock(&shared->lock);
		fprintf(shared->stream, "%llu\n", (unsigned long long)who);
		churn(who++, 5);
	}
	return NULL;
}

static void fork_lock(void)
{
	pthread_mutex_lock(&shared->lock);
}

static void fork_unlock(void)
{
	pthread_mutex_unlock(&shared->lock);
}

/* What a child has to find: one moment of what threads write all the time. */
static int thread_child(int i)
{
	if (memcmp(shared->one, shared->other, shared->n * 8) ||
	    shared->count[0] - shared->count[FAR] > 1)
		return 2;
	expect(shared->one, shared->n, shared->one[0] / 1000003, "of a thread");
	fill(shared->one, shared->n, i);
	churn(i, 100);
	expect(shared->one, shared->n, i, "of the child");
	return 0;
}

static void do_threads_fork(int forks)
{
	pthread_t thread[4], count;
	uintptr_t i;

	shared = calloc(1, sizeof(*shared));
	pthread_mutex_init(&shared->lock, NULL);
	pthread_atfork(fork_lock, fork_unlock, fork_unlock);
	shared->n = 20000;
	shared->one = calloc(shared->n, 8);
	shared->other = calloc(shared->n, 8);
	shared->stream = fopen("/dev/null", "w");
	fill(shared->one, shared->n, 0);
	fill(shared->other, shared->n, 0);
	shared->count = calloc(FAR + 1, 8);
	pthread_create(&count, NULL, counter, NULL);
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, writer, (void *)(i * 100000));
	while (forks--) {
		pid_t child = fork();

		if (!child)
			_exit(thread_child(forks));
		if (reap(child))
			fatal("a child of a program with threads failed");
	}
	shared->stop = 1;
	pthread_join(count, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	if (memcmp(shared->one, shared->other, shared->n * 8))
		fatal("the parent's own pair differs");
	puts("threads and fork: same");
}

/* Writes to @at in a child: how that ends. */
static int child_writes(char *at, char value)
{
	pid_t child = fork();

	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		__atomic_store_n(at, value, __ATOMIC_RELAXED);
		_exit(0);
	}
	return reap(child);
}

static void check_zero(const __u64 *words, size_t n, const char *when)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (words[i])
			fatal("%s: not zero", when);
}

/* A page that is protected, a hole, something else in its place. */
static void check_hole(char *at)
{
	if (mprotect(at, 4096, PROT_READ) || munmap(at + 65536, 65536))
		fatal("mprotect, munmap: %s", strerror(errno));
	if (!child_writes(at, 1))
		fatal("a child may write to what its parent has protected");
	if (!child_writes(at + 65536, 1))
		fatal("a child may write to what its parent has unmapped");
	if (mmap(at, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) != at || *at)
		fatal("MAP_FIXED");
	*at = 5;
	if (child_writes(at, 6) || *at != 5)
		fatal("a child writes to what was mapped over it");
}

/* All that mmap() and its kin promise of private anonymous memory. */
static void do_mmap(int mib)
{
	size_t length = mib * MIB, n = length / 8;
	__u64 *words = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *hole;

	if (words == MAP_FAILED)
		fatal("mmap: %s", strerror(errno));
	check_zero(words, n, "at first");
	fill(words, n, 3);
	words = mremap(words, length, 2 * length, MREMAP_MAYMOVE);
	expect(words, n, 3, "mremap");
	check_zero(words + n, n, "where it grew");
	hole = (char *)words + length / 2;
	if (madvise(hole, MIB / 2, MADV_DONTNEED) || !hole[MIB / 2 + 8])
		fatal("MADV_DONTNEED");
	check_zero((__u64 *)hole, MIB / 16, "MADV_DONTNEED");
	check_hole(hole);
	munmap(words, 2 * length);
	puts("mmap: same");
}

/* More than there is: malloc() says so, and what there was is still good. */
static void do_exhaust(int mib)
{
	size_t n = MIB / 8, blocks = 0;
	__u64 *block[4096];

	while (blocks < 4096 && blocks < (size_t)mib) {
		block[blocks] = malloc(MIB);
		if (!block[blocks])
			break;
		fill(block[blocks], n, blocks);
		blocks++;
	}
	printf("%s\n", blocks == (size_t)mib ? "all" : errno == ENOMEM ? "ENOMEM" : "?");
	while (blocks--)
		expect(block[blocks], n, blocks, "when full");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(int n);
	} what[] = {
		{ "threads", do_threads }, { "fork", do_fork }, { "orphan", do_orphan },
		{ "threads-fork", do_threads_fork }, { "mmap", do_mmap },
		{ "exhaust", do_exhaust },
	};
	size_t i;

	for (i = 0; argc == 3 && i < ARRAY_SIZE(what); i++) {
		if (strcmp(argv[1], what[i].name))
			continue;
		/* Children must not print what waits in the parent's buffer. */
		setvbuf(stdout, NULL, _IOLBF, 0);
		what[i].run(atoi(argv[2]));
		return 0;
	}
	fatal("usage: run_prog threads|fork|orphan|threads-fork|mmap|exhaust N");
}
