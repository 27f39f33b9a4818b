// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pager by userfaultfd, to compare with: what is read of a file by direct I/O
 * comes into anonymous memory page by page, and the pages that came first leave,
 * 32 at a time. A thread does that; the one that touches the memory sleeps
 * meanwhile. Read only: what is written would be lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define UFFD_BATCH	32

/**
 * struct pager - what the thread knows
 * @uffd: where it is told of faults
 * @file: what it reads
 * @map: the memory
 * @buf: a page, aligned for direct I/O
 * @budget: pages that there may be
 * @queue: their numbers, a ring of @budget
 * @came: pages so far
 * @gone: and how many of them are not there any more
 */
struct pager {
	int uffd;
	int file;
	char *map;
	char *buf;
	unsigned long budget;
	unsigned int *queue;
	unsigned long came;
	unsigned long gone;
};

/* Neighbours that came one after the other leave with one call. */
static void uffd_evict(struct pager *p)
{
	unsigned long end = p->gone + UFFD_BATCH, n;

	while (p->gone < end) {
		unsigned int first = p->queue[p->gone % p->budget];

		for (n = 1; p->gone + n < end; n++)
			if (p->queue[(p->gone + n) % p->budget] != first + n)
				break;
		if (madvise(p->map + first * BENCH_PAGE, n * BENCH_PAGE,
			    MADV_DONTNEED))
			bench_die("madvise");
		p->gone += n;
	}
}

static void uffd_serve(struct pager *p, unsigned long page)
{
	struct uffdio_copy copy = {
		.dst = (unsigned long)p->map + page * BENCH_PAGE,
		.src = (unsigned long)p->buf,
		.len = BENCH_PAGE,
	};

	if (p->came - p->gone == p->budget)
		uffd_evict(p);
	if (pread(p->file, p->buf, BENCH_PAGE, page * BENCH_PAGE) !=
	    (ssize_t)BENCH_PAGE)
		bench_die("pread");
	if (ioctl(p->uffd, UFFDIO_COPY, &copy))
		bench_die("UFFDIO_COPY");
	p->queue[p->came++ % p->budget] = page;
}

static void *uffd_thread(void *arg)
{
	struct pager *p = arg;
	struct uffd_msg msg;

	while (read(p->uffd, &msg, sizeof(msg)) == (ssize_t)sizeof(msg))
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			uffd_serve(p, (msg.arg.pagefault.address -
				       (unsigned long)p->map) / BENCH_PAGE);
	bench_die("userfaultfd");
	return NULL;
}

static void uffd_register(struct pager *p, unsigned long pages)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = {
			.start = (unsigned long)p->map,
			.len = pages * BENCH_PAGE,
		},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	p->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (p->uffd < 0 || ioctl(p->uffd, UFFDIO_API, &api) ||
	    ioctl(p->uffd, UFFDIO_REGISTER, &reg))
		bench_die("userfaultfd");
}

/**
 * bench_uffd - memory with the content of a file, as much of it as may be
 * @t: the file, and a budget of at least 32 pages
 * @pages: of the file
 */
char *bench_uffd(const struct bench_target *t, unsigned long pages)
{
	struct pager *p = calloc(1, sizeof(*p));
	pthread_t thread;

	if (!p)
		bench_die("memory for the pager");
	if (t->budget < UFFD_BATCH) {
		errno = EINVAL;
		bench_die("uffd: a budget below 32");
	}
	p->budget = t->budget;
	p->queue = calloc(p->budget, sizeof(*p->queue));
	p->buf = aligned_alloc(BENCH_PAGE, BENCH_PAGE);
	p->file = open(t->file, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (!p->queue || !p->buf || p->file < 0)
		bench_die(t->file);
	p->map = bench_map(-1, pages);
	uffd_register(p, pages);
	if (pthread_create(&thread, NULL, uffd_thread, p))
		bench_die("thread");
	return p->map;
}
