// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of several threads at a time, for a while: what bench_locks.sh counts
 * the contended locks of.
 *
 *	soft	all is resident; each thread maps its part and lets go of it
 *	read	any page of all, with frames for three in eight: clean pages leave
 *	write	likewise, and all that leaves is dirty
 *
 * Or the same by the kernel's own: soft on a file in tmpfs, the others on memory
 * with swap, in a memory cgroup that the caller has set up.
 *
 * Few pages, and one thread to warm them: where few CPUs emulate many without
 * taking turns, it takes milliseconds until all have forgotten a translation.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vmdemo.h>

#include "bench.h"

#define SOFT_PART	512UL		/* pages: one page-table page */
#define MAX_THREADS	16
#define PAGES		(MAX_THREADS * SOFT_PART)
#define MISS_PAGES	4096UL

static atomic_bool over;

struct faulter {
	pthread_t thread;
	char *p;
	unsigned long number;
	bool write;
};

static void *faulter_soft(void *arg)
{
	struct faulter *f = arg;
	char *part = f->p + f->number * SOFT_PART * BENCH_PAGE;
	unsigned long i;

	do {
		for (i = 0; i < SOFT_PART; i++)
			__atomic_load_n(part + i * BENCH_PAGE,
					__ATOMIC_RELAXED);
		if (madvise(part, SOFT_PART * BENCH_PAGE, MADV_DONTNEED))
			bench_die("madvise");
	} while (!over);
	return NULL;
}

static void miss(char *p, unsigned long long *seed, bool write)
{
	char *at;

	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	at = p + (*seed >> 33) % MISS_PAGES * BENCH_PAGE;
	if (write)
		__atomic_store_n(at, 1, __ATOMIC_RELAXED);
	else
		__atomic_load_n(at, __ATOMIC_RELAXED);
}

static void *faulter_miss(void *arg)
{
	struct faulter *f = arg;
	unsigned long long seed = f->number + 1;

	while (!over)
		miss(f->p, &seed, f->write);
	return NULL;
}

/* All pages get content, and then the state that the load leads to. */
static void warm(char *p, bool soft, bool write)
{
	unsigned long long seed = 0;
	unsigned long i;

	memset(p, 1, (soft ? PAGES : MISS_PAGES) * BENCH_PAGE);
	for (i = 0; !soft && i < MISS_PAGES; i++)
		miss(p, &seed, write);
}

static void start(struct faulter *faulters, unsigned long threads, char *p,
		  const char *load)
{
	unsigned long i;

	for (i = 0; i < threads; i++) {
		faulters[i] = (struct faulter){
			.p = p, .number = i, .write = !strcmp(load, "write"),
		};
		if (pthread_create(&faulters[i].thread, NULL,
				   strcmp(load, "soft") ? faulter_miss :
							  faulter_soft,
				   &faulters[i]))
			bench_die("pthread_create");
	}
}

static void join(struct faulter *faulters, unsigned long threads)
{
	unsigned long i;

	for (i = 0; i < threads; i++)
		pthread_join(faulters[i].thread, NULL);
}

static void hook(const char *name)
{
	const char *command = getenv(name);

	if (command && system(command))
		bench_die(command);
}

/* What the kernel's own does is told by the process alone. */
static void read_usage(struct vmd_stats *stats)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		bench_die("getrusage");
	stats->faults_soft = usage.ru_minflt;
	stats->misses = usage.ru_majflt;
}

static void read_stats(const struct bench_target *t, int fd,
		       struct vmd_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (!t->space)
		read_usage(stats);
	else if (ioctl(fd, VMD_IOC_GET_STATS, stats))
		bench_die("VMD_IOC_GET_STATS");
}

/*
 * Let all of them run for a while. They begin and end between the hooks: what
 * those count is of the very faults that are counted here.
 */
static void measure(const struct bench_target *t, int fd, char *p,
		    const char *load, unsigned long threads, unsigned long ms)
{
	struct faulter faulters[MAX_THREADS];
	struct vmd_stats before, after;
	unsigned long long begin;

	hook("BENCH_BEFORE");
	read_stats(t, fd, &before);
	begin = bench_now();
	start(faulters, threads, p, load);
	usleep(ms * 1000);
	over = true;
	join(faulters, threads);
	begin = bench_now() - begin;
	read_stats(t, fd, &after);
	hook("BENCH_AFTER");
	printf("%llu %llu %llu %llu\n", begin / 1000,
	       after.faults_soft - before.faults_soft,
	       after.misses - before.misses, after.stalls - before.stalls);
}

/* No two threads' parts share a page-table page, nor its lock. */
static char *map_aligned(int fd)
{
	unsigned long align = SOFT_PART * BENCH_PAGE;
	char *area = bench_map(-1, PAGES + SOFT_PART);

	area = (char *)(((unsigned long)area + align - 1) & -align);
	if (fd >= 0 && mmap(area, PAGES * BENCH_PAGE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		bench_die("mmap");
	return area;
}

/**
 * bench_locks - have threads fault, and count their faults
 * @t: a space, a file in tmpfs, or memory
 * @load: "soft", "read" or "write"
 * @threads: how many fault at a time
 * @ms: how long, in milliseconds
 *
 * Prints microseconds, soft faults, misses, and misses that had to evict.
 */
int bench_locks(struct bench_target *t, const char *load, unsigned long threads,
		unsigned long ms)
{
	bool soft = !strcmp(load, "soft");
	int fd;
	char *p;

	if (!threads || threads > MAX_THREADS ||
	    (!soft && strcmp(load, "read") && strcmp(load, "write"))) {
		fprintf(stderr, "bench: locks: soft, read or write; 1 to %d threads\n",
			MAX_THREADS);
		return 2;
	}
	t->budget = soft ? PAGES : MISS_PAGES * 3 / 8;
	fd = bench_open(t, PAGES);
	p = map_aligned(fd);
	warm(p, soft, !strcmp(load, "write"));
	measure(t, fd, p, load, threads, ms);
	return 0;
}
