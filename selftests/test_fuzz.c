// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl fuzzer (fuzz.h): arguments that are nearly right and arguments at
 * random, by root and by a user, alone and by several threads on one
 * descriptor, also one that cannot write. Only errors that uapi/vmdemo.h knows
 * may come, a call that fails changes nothing, and after each batch the space
 * works.
 *
 * environment: VMD_SEED, VMD_TEST_SCALE; VMD_OPS: calls (default 1000000);
 * VMD_PARTS: one of so many runs that share them; VMD_ONLY: the runs whose name has this in it
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kselftest.h>

#include "fuzz.h"

#define CALLS		1000000UL	/* times VMD_TEST_SCALE */
#define BATCH		2000		/* calls on one descriptor */
#define THREADS		3
#define PAGES		32		/* of the space that must work */
#define FRAMES		8
#define RUN_MS		900000

struct run {
	const char *name;
	bool structured;
	bool user;
	bool threads;
	bool readonly;
	pid_t pid;
	struct fuzz_report *report;
};

static struct run runs[] = {
	{ .name = "nearly_right_calls_of_root", .structured = true },
	{ .name = "nearly_right_calls_of_a_user", .structured = true, .user = true },
	{ .name = "random_calls_of_root" },
	{ .name = "random_calls_of_a_user", .user = true },
	{ .name = "several_threads_on_one_descriptor", .structured = true,
	  .threads = true },
	{ .name = "a_descriptor_that_cannot_write", .structured = true,
	  .readonly = true },
};

#define RUNS	(sizeof(runs) / sizeof(*runs))

static __u64 base_seed;
static unsigned long calls_each;

/* Written, evicted, and read back, as if nothing had happened to it. */
static void works(struct fuzz *f)
{
	struct vmd_config c;
	char *map;

	if (vmd_get(f->fd, &c))
		fuzz_fail(f, "GET_CONFIG: %s", strerror(errno));
	if (f->readonly || c.flags & VMD_SPACE_READONLY)
		return;
	if (c.size && vmd_advise(f->fd, VMD_ADVICE_UNPIN, 0, 0))
		fuzz_fail(f, "UNPIN: %s", strerror(errno));
	c.mask = VMD_CONFIG_PLACEMENT;
	c.ways = 0;
	if (ioctl(f->fd, VMD_IOC_SET_CONFIG, &c) ||
	    vmd_set(f->fd, "lru", "accessed", FRAMES) ||
	    vmd_resize(f->fd, PAGES))
		fuzz_fail(f, "SET_CONFIG: %s", strerror(errno));
	map = vmd_map(f->fd, PAGES);
	if (map == MAP_FAILED)
		fuzz_fail(f, "mmap: %s", strerror(errno));
	vmd_fill_all(map, PAGES, f->random);
	if (vmd_advise(f->fd, VMD_ADVICE_EVICT, 0, 0))
		fuzz_fail(f, "EVICT: %s", strerror(errno));
	if (vmd_bad_pages(map, PAGES, f->random))
		fuzz_fail(f, "content was lost");
	munmap(map, PAGES * vmd_ps);
}

static void *fuzz_thread(void *arg)
{
	struct fuzz *f = arg;
	int i;

	for (i = 0; i < BATCH / THREADS; i++)
		fuzz_call(f);
	fuzz_end_recorder(f);
	return NULL;
}

static void many_threads(struct fuzz *f)
{
	static struct fuzz own[THREADS];
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		own[i] = *f;
		own[i].random = vmd_random(&f->random);
		fuzz_memory(&own[i]);
		pthread_create(&thread[i], NULL, fuzz_thread, &own[i]);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < THREADS; i++) {
		munmap(own[i].plain, 8192);
		munmap(own[i].constant, vmd_ps);
		munmap(own[i].fence, 65536 + (64UL << 20));
	}
}

/* Half of the descriptors are mapped: the others can be attached. */
static void batch(struct fuzz *f)
{
	int i;

	f->fd = open(VMD_DEVICE, (f->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (f->fd < 0)
		fuzz_fail(f, "open: %s", strerror(errno));
	vmd_info(f->fd, &f->info);
	f->map = NULL;
	if (!f->readonly && fuzz_below(f, 2)) {
		vmd_set(f->fd, NULL, NULL, FRAMES);
		vmd_resize(f->fd, FUZZ_PAGES);
		f->map = vmd_map(f->fd, FUZZ_PAGES);
		if (f->map == MAP_FAILED)
			fuzz_fail(f, "mmap: %s", strerror(errno));
	}
	if (!f->alone)
		many_threads(f);
	for (i = 0; f->alone && i < BATCH; i++)
		fuzz_call(f);
	fuzz_end_recorder(f);
	works(f);
	if (f->map)
		munmap(f->map, FUZZ_PAGES * vmd_ps);
	close(f->fd);
	f->report->batches++;
}

static int worker(struct run *r, unsigned int number)
{
	static struct fuzz f;
	int other;

	if (r->user && vmd_become(VMD_NOBODY))
		return 2;
	f.random = base_seed * 31 + number * 0x9e3779b97f4a7c15ULL + 1;
	f.report = r->report;
	f.structured = r->structured;
	f.alone = !r->threads;
	f.readonly = r->readonly;
	fuzz_memory(&f);
	fuzz_files(&f);
	other = vmd_open();
	f.other = vmd_id(other);
	while (f.report->calls < calls_each)
		batch(&f);
	close(other);
	return 0;
}

static void start(struct run *r, unsigned int number)
{
	r->report = mmap(NULL, sizeof(*r->report), VMD_RW,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(stdout);
	r->pid = vmd_fork();
	if (!r->pid) {
		int status = worker(r, number);

		fflush(stdout);
		_exit(status);
	}
}

static void show_log(const struct run *r, int status)
{
	unsigned long i, n = r->report->calls, first = 1;

	printf("# %s: status %d; the last calls:\n", r->name, status);
	if (n > FUZZ_LOG)
		first = n - FUZZ_LOG + 1;
	for (i = first; i <= n; i++)
		printf("#   %s\n", r->report->log[i % FUZZ_LOG]);
	printf("# again: VMD_SEED=%llu VMD_OPS=%lu VMD_ONLY=%s ./test_fuzz\n",
	       (unsigned long long)base_seed, (calls_each - 1) * RUNS, r->name);
}

static void finish(struct run *r)
{
	int status = vmd_wait(r->pid, RUN_MS);

	if (status)
		show_log(r, status);
	printf("# %s: %lu calls, %lu done, %lu that failed compared, %lu batches\n",
	       r->name, r->report->calls, r->report->good,
	       r->report->compared, r->report->batches);
	ksft_test_result(!status && r->report->calls >= calls_each, "%s\n",
			 r->name);
}

static bool chosen(const struct run *r)
{
	const char *only = getenv("VMD_ONLY");

	return !only || strstr(r->name, only);
}

int main(void)
{
	const char *seed = getenv("VMD_SEED"), *ops = getenv("VMD_OPS");
	unsigned long calls;
	unsigned int i, plan = 0;
	struct stat node;

	base_seed = seed ? strtoull(seed, NULL, 0) : vmd_now_ms();
	calls = ops ? strtoul(ops, NULL, 0) : vmd_share(CALLS);
	calls_each = calls / RUNS + 1;
	ksft_print_header();
	printf("# VMD_SEED=%llu\n", (unsigned long long)base_seed);
	for (i = 0; i < RUNS; i++)
		plan += chosen(&runs[i]);
	ksft_set_plan(plan);
	/* The user may open the node while this runs. */
	if (stat(VMD_DEVICE, &node) || chmod(VMD_DEVICE, 0666))
		ksft_exit_fail_msg("no %s\n", VMD_DEVICE);
	if (chmod(vmd_test_dir(), 01777))
		ksft_exit_fail_msg("no %s\n", vmd_test_dir());
	for (i = 0; i < RUNS; i++)
		if (chosen(&runs[i]))
			start(&runs[i], i);
	for (i = 0; i < RUNS; i++)
		if (chosen(&runs[i]))
			finish(&runs[i]);
	chmod(VMD_DEVICE, node.st_mode & 07777);
	ksft_finished();
}
