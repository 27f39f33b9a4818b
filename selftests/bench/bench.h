/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmark's files know of each other. */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>

#define BENCH_PAGE	4096UL
#define BENCH_PAGES	(128UL << 20 >> 12)

/**
 * struct bench_target - what is mapped
 * @space: one of vmdemo's, on @file if there is one; else that file, or memory
 * @uffd: by a pager of our own, which reads @file
 * @file: its name, or NULL
 * @page_size: of the space, if it is not the usual one
 * @budget: frames of the space, or as many bytes in larger ones; 0: enough for all
 * @policy: the space's, or NULL
 */
struct bench_target {
	bool space;
	bool uffd;
	const char *file;
	unsigned long page_size;
	unsigned long budget;
	const char *policy;
};

/* bench.c */
void bench_die(const char *what);
unsigned long long bench_now(void);
/* Numbers of pages from 0 to @n - 1, in an order that is the same each time. */
unsigned int *bench_order(unsigned long n, const char *how);
void bench_target(struct bench_target *t, const char *what);
int bench_open(const struct bench_target *t, unsigned long pages);
char *bench_map(int fd, unsigned long pages);
void bench_touch(char *p, const unsigned int *order, unsigned long n,
		 bool write);

/* threads.c */
int bench_threads(struct bench_target *t, unsigned long threads);
int bench_latency(struct bench_target *t, unsigned long seconds);

/* uffd.c */
char *bench_uffd(const struct bench_target *t, unsigned long pages);

/* locks.c */
int bench_locks(struct bench_target *t, const char *load, unsigned long threads,
		unsigned long ms);

#endif /* _BENCH_H */
