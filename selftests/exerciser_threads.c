// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exerciser with many threads: each owns stripes of one space, many to a
 * page, writes them by mapping and by descriptor, and sees that they stay as
 * they were written, while another thread changes all that can be changed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exerciser.h"

#define THREADS		4
#define STRIPE		56		/* bytes: some lie across pages */
#define MOST_STRIPES	48		/* of one operation */
#define CHECKED_PAGES	120
#define SPARE_PAGES	16		/* behind those: come and go */

struct party {
	struct ex x;			/* each has its own of most of it */
	size_t stripes;			/* of all threads */
	unsigned int number;
	unsigned long ops;
	bool *stop;
	pthread_t thread;
};

static unsigned int kind(const char *name)
{
	unsigned int i = 0;

	while (strcmp(ex_ops[i].name, name))
		i++;
	return i;
}

static void by_descriptor(struct party *p, size_t at, bool write)
{
	struct ex *x = &p->x;
	char data[STRIPE];

	if (write) {
		ex_expect(x, "pwrite", pwrite(x->fd[0], x->shadow + at, STRIPE,
					      at), STRIPE);
		return;
	}
	ex_expect(x, "pread", pread(x->fd[0], data, STRIPE, at), STRIPE);
	ex_compare(x, "pread", data, x->shadow + at, at, STRIPE);
}

static void by_mapping(struct party *p, size_t at, bool write)
{
	struct ex *x = &p->x;

	if (write)
		memcpy(x->map[0].addr + at, x->shadow + at, STRIPE);
	else
		ex_compare(x, "mapping", x->map[0].addr + at, x->shadow + at,
			   at, STRIPE);
}

/* Stripes that follow each other, of this thread: every THREADS-th there is */
static void one_operation(struct party *p)
{
	static const char *const names[] = { "load", "store", "pread", "pwrite" };
	struct ex *x = &p->x;
	unsigned int what = ex_below(x, 4);
	size_t n = 1 + ex_below(x, MOST_STRIPES), at;
	size_t i = ex_below(x, p->stripes / THREADS);

	for (; n && i < p->stripes / THREADS; i++, n--) {
		at = (i * THREADS + p->number) * STRIPE;
		if (what & 1)
			ex_noise(x, x->shadow + at, STRIPE);
		if (what & 2)
			by_descriptor(p, at, what & 1);
		else
			by_mapping(p, at, what & 1);
	}
	__atomic_fetch_add(&x->report->done[kind(names[what])], 1,
			   __ATOMIC_RELAXED);
}

static void *checker(void *arg)
{
	struct party *p = arg;
	unsigned long i;

	for (i = 0; i < p->ops; i++)
		one_operation(p);
	return NULL;
}

/* What may be refused while others use the space, and no other error */
static void tolerate(struct ex *x, const char *what, int ret, int error)
{
	if (ret && errno != error)
		ex_fail(x, "%s: %s", what, strerror(errno));
}

static void disturb_config(struct ex *x)
{
	unsigned int n = 0, choice = ex_below(x, 4);
	struct vmd_config c = { .mask = VMD_CONFIG_SIZE };

	while (ex_policies[n])
		n++;
	n = ex_below(x, n);
	switch (choice) {
	case 0:
		ex_log(x, "policy %s", ex_policies[n]);
		tolerate(x, "policy",
			 ex_set_policy(x, x->fd[0], ex_policies[n]), 0);
		break;
	case 1:
		n = 1 + ex_below(x, ex_one_in(x, 2) ? 8 : EX_MAX_BUDGET);
		ex_log(x, "budget %u", n);
		tolerate(x, "budget", vmd_budget(x->fd[0], n), EBUSY);
		break;
	case 2:
		n = ex_below(x, 3);
		ex_log(x, "observer %s", vmd_observer_names[n]);
		tolerate(x, "observer",
			 vmd_observer(x->fd[0], vmd_observer_names[n]), 0);
		break;
	default:
		c.size = (CHECKED_PAGES + ex_below(x, SPARE_PAGES)) * vmd_ps;
		ex_log(x, "size %llu", (unsigned long long)c.size);
		tolerate(x, "size", ioctl(x->fd[0], VMD_IOC_SET_CONFIG, &c), 0);
	}
}

static void disturb_advice(struct ex *x)
{
	__u32 advice = VMD_ADVICE_WILLNEED + ex_below(x, 7);
	size_t first = ex_below(x, CHECKED_PAGES);
	size_t n = 1 + ex_below(x, CHECKED_PAGES - first);
	static const int errors[] = {
		[VMD_ADVICE_PIN] = ENOSPC, [VMD_ADVICE_EVICT] = EBUSY,
		[VMD_ADVICE_UNMAP] = 0, [VMD_ADVICE_WRITE] = 0,
	};

	if (advice == VMD_ADVICE_PIN)
		n = 1;
	ex_log(x, "advise %u %zu+%zu", advice, first, n);
	tolerate(x, "advice", vmd_advise(x->fd[0], advice, first, n),
		 errors[advice]);
	if (ex_one_in(x, 4))
		tolerate(x, "unpin", vmd_advise(x->fd[0], VMD_ADVICE_UNPIN, 0,
						0), 0);
}

static void disturb_mapping(struct ex *x)
{
	size_t first = ex_below(x, CHECKED_PAGES);
	size_t n = 1 + ex_below(x, CHECKED_PAGES - first), i;
	bool private = ex_one_in(x, 2);
	char *map = mmap(NULL, n * vmd_ps, VMD_RW, private ? MAP_PRIVATE :
			 MAP_SHARED, x->fd[0], first * vmd_ps);

	ex_log(x, "mapping %zu+%zu%s", first, n, private ? " private" : "");
	if (map == MAP_FAILED)
		ex_fail(x, "mmap: %s", strerror(errno));
	for (i = 0; i < n; i++) {
		if (private && ex_one_in(x, 2))
			vmd_fill(map + i * vmd_ps, i);
		else
			vmd_load(map + i * vmd_ps);
	}
	madvise(x->map[0].addr + first * vmd_ps, n * vmd_ps,
		ex_one_in(x, 2) ? MADV_DONTNEED : MADV_WILLNEED);
	munmap(map, n * vmd_ps);
}

static void disturb_sync(struct ex *x)
{
	size_t first = ex_below(x, CHECKED_PAGES);
	bool all = ex_one_in(x, 2);

	ex_log(x, all ? "fsync" : "sync of page %zu", first);
	tolerate(x, "sync", all ? fsync(x->fd[0]) :
		 vmd_sync(x->fd[0], first, 1), 0);
}

/* A child is a second address space to unmap from, and dies as it likes. */
static void disturb_fork(struct ex *x)
{
	pid_t pid;
	int i;

	if (!ex_one_in(x, 8))
		return;
	ex_log(x, "fork");
	pid = fork();
	if (!pid) {
		for (i = 0; i < 32; i++)
			vmd_load(x->map[0].addr +
				 ex_below(x, CHECKED_PAGES) * vmd_ps);
		_exit(0);
	}
	if (pid > 0 && vmd_wait(pid, 60000))
		ex_fail(x, "the child failed");
}

static void *disturber(void *arg)
{
	static void (*const deeds[])(struct ex *x) = {
		disturb_config, disturb_config, disturb_advice, disturb_advice,
		disturb_mapping, disturb_sync, disturb_fork,
	};
	struct party *p = arg;
	unsigned int n = sizeof(deeds) / sizeof(*deeds);

	while (!vmd_is_set(p->stop)) {
		p->x.report->ops++;
		deeds[ex_below(&p->x, n)](&p->x);
	}
	return NULL;
}

/* The space of all, as it is at first: zeros, or a file of them */
static void make_space(struct ex *x, bool on_file)
{
	struct vmd_set_file f = { 0 };
	char path[64];

	x->fd[0] = vmd_open();
	x->file = -1;
	x->size = CHECKED_PAGES * vmd_ps;
	if (on_file) {
		f.fd = vmd_temp_file(vmd_test_dir(), 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", f.fd);
		x->file = open(path, O_RDONLY | O_CLOEXEC);
		ex_expect(x, "ftruncate", ftruncate(f.fd, x->size), 0);
		ex_expect(x, "VMD_IOC_SET_FILE",
			  ioctl(x->fd[0], VMD_IOC_SET_FILE, &f), 0);
		close(f.fd);
	} else {
		ex_expect(x, "size", vmd_resize(x->fd[0], CHECKED_PAGES), 0);
	}
	ex_expect(x, "budget", vmd_budget(x->fd[0], 30), 0);
	x->map[0].addr = vmd_map(x->fd[0], CHECKED_PAGES);
	x->map[0].pages = CHECKED_PAGES;
	x->shadow = calloc(1, x->size);
	x->data = malloc(EX_SPAN);
}

static void start_parties(struct party *p, struct ex *x, bool *stop,
			  unsigned long ops)
{
	int i;

	for (i = 0; i <= THREADS; i++) {
		p[i].x = *x;
		p[i].x.random = ex_mix(x->random, i);
		p[i].stripes = x->size / STRIPE;
		p[i].number = i;
		p[i].ops = ops / THREADS;
		p[i].stop = stop;
		if (pthread_create(&p[i].thread, NULL,
				   i < THREADS ? checker : disturber, &p[i]))
			ex_fail(x, "no thread");
	}
}

static void check_all(struct ex *x, bool on_file)
{
	struct vmd_config c = { .mask = VMD_CONFIG_SIZE, .size = x->size };

	ex_expect(x, "size", ioctl(x->fd[0], VMD_IOC_SET_CONFIG, &c), 0);
	x->fds = 1;
	x->fd[1] = -1;
	x->fd[2] = -1;
	x->fd[3] = -1;
	ex_verify(x);
	ex_check_map(x, &x->map[0], 0, x->size);
	if (!on_file)
		return;
	ex_expect(x, "fsync", fsync(x->fd[0]), 0);
	ex_check_file(x);
}

int ex_threads(__u64 seed, bool on_file, unsigned long ops,
	       struct ex_report *report)
{
	struct party *p = calloc(THREADS + 1, sizeof(*p));
	struct ex *x = calloc(1, sizeof(*x));
	bool stop = false;
	int i;

	x->random = seed;
	x->report = report;
	make_space(x, on_file);
	start_parties(p, x, &stop, ops);
	for (i = 0; i < THREADS; i++)
		pthread_join(p[i].thread, NULL);
	vmd_set_flag(&stop);
	pthread_join(p[THREADS].thread, NULL);
	check_all(x, on_file);
	printf("# %lu disturbances\n", report->ops);
	fflush(stdout);
	report->ops = ops;
	return 0;
}
