// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is measured with the clock on the wall, on several CPUs: random reads by
 * several threads, and how long faults take while pages are written out.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <vmdemo.h>

#include "bench.h"

#define READS		4096UL		/* of all threads together */
#define MAX_THREADS	64

struct reader {
	pthread_t thread;
	pthread_barrier_t *begin;
	char *p;
	const unsigned int *order;
	unsigned long n;
};

static void *reader_main(void *arg)
{
	struct reader *r = arg;

	pthread_barrier_wait(r->begin);
	bench_touch(r->p, r->order, r->n, false);
	return NULL;
}

/* Each thread has a part of the order, so that no two want the same page. */
static unsigned long long read_all(char *p, const unsigned int *order,
				   unsigned long threads)
{
	struct reader readers[MAX_THREADS];
	unsigned long i, n = READS / threads;
	pthread_barrier_t begin;
	unsigned long long start;

	pthread_barrier_init(&begin, NULL, threads + 1);
	for (i = 0; i < threads; i++) {
		readers[i] = (struct reader){
			.begin = &begin, .p = p, .order = order + i * n, .n = n,
		};
		if (pthread_create(&readers[i].thread, NULL, reader_main,
				   &readers[i]))
			bench_die("pthread_create");
	}
	start = bench_now();
	pthread_barrier_wait(&begin);
	for (i = 0; i < threads; i++)
		pthread_join(readers[i].thread, NULL);
	return bench_now() - start;
}

/**
 * bench_threads - print the microseconds that a read takes, of all threads
 * @t: what to read
 * @threads: how many read at a time
 */
int bench_threads(struct bench_target *t, unsigned long threads)
{
	unsigned int *order = bench_order(BENCH_PAGES, "random");
	char *p = bench_map(bench_open(t, BENCH_PAGES), BENCH_PAGES);

	if (!threads || threads > MAX_THREADS) {
		fprintf(stderr, "bench: threads: 1 to %d\n", MAX_THREADS);
		return 2;
	}
	read_all(p, order, threads);
	printf("%.2f\n", read_all(p, order, threads) / 1000.0 / READS);
	return 0;
}

/* Below which time @part of the faults were, as far as the buckets tell. */
static double percentile(const struct vmd_stats *stats, double part)
{
	unsigned long long all = 0, sum = 0;
	int i;

	for (i = 0; i < VMD_LATENCY_BUCKETS; i++)
		all += stats->latency[i];
	for (i = 0; i < VMD_LATENCY_BUCKETS - 1; i++) {
		sum += stats->latency[i];
		if (sum >= part * all)
			break;
	}
	return (2ULL << i) / 1000.0;
}

/**
 * bench_latency - write random pages, and print what vmdemo's histogram says
 * @t: a space
 * @seconds: how long
 *
 * Prints faults, and the microseconds that half, 99 % and 99.9 % of them took
 * less than.
 */
int bench_latency(struct bench_target *t, unsigned long seconds)
{
	unsigned int *order = bench_order(BENCH_PAGES, "random");
	int fd = bench_open(t, BENCH_PAGES);
	char *p = bench_map(fd, BENCH_PAGES);
	struct vmd_stats stats = { };
	unsigned long i, warm = 4 * t->budget;
	unsigned long long end;

	bench_touch(p, order, warm < BENCH_PAGES ? warm : BENCH_PAGES, true);
	if (ioctl(fd, VMD_IOC_RESET_STATS))
		bench_die("VMD_IOC_RESET_STATS");
	end = bench_now() + seconds * 1000000000ULL;
	for (i = 0; bench_now() < end; i++)
		bench_touch(p, order + i % BENCH_PAGES, 1, true);
	if (ioctl(fd, VMD_IOC_GET_STATS, &stats))
		bench_die("VMD_IOC_GET_STATS");
	printf("%llu %.1f %.1f %.1f\n", stats.misses, percentile(&stats, 0.5),
	       percentile(&stats, 0.99), percentile(&stats, 0.999));
	return 0;
}
