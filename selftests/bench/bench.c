// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an access costs, in nanoseconds in which the CPU was not idle:
 * instructions, where the clock counts those (vm/run.sh --icount).
 *
 *	bench soft WHAT ORDER ACCESS
 *		touch resident pages that are not mapped
 *	bench miss WHAT ORDER ACCESS [BUDGET [POLICY]]
 *		touch 128 MiB with less memory; per miss for order "uniform"
 *	bench zero
 *		read anonymous memory that was never written
 *	bench direct FILE ACCESS
 *		read or write 4 KiB of FILE at a time with O_DIRECT
 *
 * WHAT is "vmdemo", memory; "vmdemo/64K" and "vmdemo/2M", memory in such pages;
 * "vmdemo:FILE", a space on that file; "uffd:FILE", what a pager by userfaultfd
 * reads of it, with a BUDGET as well; "anon", memory without the module; or a file
 * to be mapped. The limit of the last two is the memory cgroup's, which the caller
 * sets up. ORDER is "sequential",
 * "random", each page once, or "uniform", any page each time; ACCESS is "read"
 * or "write".
 *
 * Prints the figure. The commands BENCH_BEFORE and BENCH_AFTER of the environment
 * are run around the pass that is measured. What takes several threads is in threads.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <vmdemo.h>

#include "bench.h"

#define SOFT_PAGES	(32UL << 20 >> 12)
#define DIRECT_COUNT	4096UL

void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

unsigned long long bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/*
 * How long the CPUs have been idle: a peer that is made to sleep until its
 * dirty pages are fewer does not compute meanwhile.
 */
static unsigned long long idle_time(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned long long ns, sum = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " .idle_sleeptime : %llu", &ns) == 1 ||
		    sscanf(line, " .iowait_sleeptime : %llu", &ns) == 1)
			sum += ns;
	if (!f || fclose(f))
		bench_die("/proc/timer_list");
	return sum;
}

unsigned int *bench_order(unsigned long n, const char *how)
{
	unsigned int *order = calloc(n, sizeof(*order));
	unsigned long long seed = 12345;
	unsigned long i, j;

	/* The limit of the memory cgroup is for what is touched. */
	if (!order || mlock(order, n * sizeof(*order)))
		bench_die("memory for the order");
	for (i = 0; i < n; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		if (!strcmp(how, "uniform")) {
			order[i] = (seed >> 33) % n;
			continue;
		}
		j = strcmp(how, "random") ? i : (seed >> 33) % (i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	return order;
}

static int open_space(unsigned long pages, const struct bench_target *t)
{
	struct vmd_config config = {
		.mask = VMD_CONFIG_SIZE | VMD_CONFIG_BUDGET,
		.size = pages * BENCH_PAGE,
		.budget = t->budget ? t->budget : pages,
	};
	unsigned long parts = t->page_size / BENCH_PAGE;
	int fd = open("/dev/vmdemo", O_RDWR);

	if (t->policy) {
		config.mask |= VMD_CONFIG_POLICY;
		snprintf(config.policy, sizeof(config.policy), "%s", t->policy);
	}
	if (parts) {
		config.mask |= VMD_CONFIG_PAGE_SIZE;
		config.page_size = t->page_size;
		config.budget /= parts;
	}
	if (fd < 0 || ioctl(fd, VMD_IOC_SET_CONFIG, &config))
		bench_die("/dev/vmdemo");
	return fd;
}

/* The space on a file takes its size from that; the budget is handed on. */
static int open_space_on(unsigned long pages, const struct bench_target *t)
{
	struct vmd_set_file arg = { };
	int fd = open_space(pages, t);

	arg.fd = open(t->file, O_RDWR);
	if (arg.fd < 0 || ioctl(fd, VMD_IOC_SET_FILE, &arg))
		bench_die(t->file);
	close(arg.fd);
	return fd;
}

static int open_file(const char *path, unsigned long pages)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		bench_die(path);
	if (st.st_size < (off_t)(pages * BENCH_PAGE) &&
	    ftruncate(fd, pages * BENCH_PAGE))
		bench_die(path);
	return fd;
}

void bench_target(struct bench_target *t, const char *what)
{
	memset(t, 0, sizeof(*t));
	if (!strcmp(what, "anon"))
		return;
	t->space = !strncmp(what, "vmdemo", 6);
	t->uffd = !strncmp(what, "uffd:", 5);
	if (t->uffd)
		t->file = what + 5;
	else if (!t->space)
		t->file = what;
	else if (what[6] == ':')
		t->file = what + 7;
	else if (!strcmp(what + 6, "/64K"))
		t->page_size = 64UL << 10;
	else if (!strcmp(what + 6, "/2M"))
		t->page_size = 2UL << 20;
}

int bench_open(const struct bench_target *t, unsigned long pages)
{
	if (t->space)
		return t->file ? open_space_on(pages, t) : open_space(pages, t);
	return t->file ? open_file(t->file, pages) : -1;
}

char *bench_map(int fd, unsigned long pages)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	char *p = mmap(NULL, pages * BENCH_PAGE, PROT_READ | PROT_WRITE, flags,
		       fd, 0);

	if (p == MAP_FAILED)
		bench_die("mmap");
	/* Pages of 4 KiB for all. */
	if (fd < 0)
		madvise(p, pages * BENCH_PAGE, MADV_NOHUGEPAGE);
	return p;
}

void bench_touch(char *p, const unsigned int *order, unsigned long n,
		 bool write)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		char *at = p + order[i] * BENCH_PAGE;

		if (write)
			__atomic_store_n(at, i, __ATOMIC_RELAXED);
		else
			__atomic_load_n(at, __ATOMIC_RELAXED);
	}
}

/* What the caller wants done around that which is measured. */
static void hook(const char *name)
{
	const char *command = getenv(name);

	if (command && system(command))
		bench_die(command);
}

/* The time a pass takes, the CPU's idle time taken off. */
static unsigned long long timed(char *p, const unsigned int *order,
				unsigned long n, bool write)
{
	unsigned long long idle, start;

	hook("BENCH_BEFORE");
	idle = idle_time();
	start = bench_now();
	bench_touch(p, order, n, write);
	start = bench_now() - start;
	idle = idle_time() - idle;
	hook("BENCH_AFTER");
	if (idle > start / 100)
		fprintf(stderr, "# idle: %llu of %llu us, not counted\n",
			idle / 1000, start / 1000);
	return start - idle;
}

/* The last of three passes over fresh mappings of pages that are resident. */
static double soft(struct bench_target *t, const char *order_name, bool write)
{
	unsigned int *order = bench_order(SOFT_PAGES, order_name);
	int pass, fd = bench_open(t, SOFT_PAGES);
	unsigned long long ns = 0;

	for (pass = 0; pass < 3; pass++) {
		char *p = bench_map(fd, SOFT_PAGES);

		ns = timed(p, order, SOFT_PAGES, write);
		munmap(p, SOFT_PAGES * BENCH_PAGE);
	}
	return (double)ns / SOFT_PAGES;
}

static unsigned long long misses(int fd)
{
	struct vmd_stats stats = { };

	if (ioctl(fd, VMD_IOC_GET_STATS, &stats))
		bench_die("VMD_IOC_GET_STATS");
	return stats.misses;
}

/* Memory gets its content first; then comes the warm pass, then the one. */
static double miss(struct bench_target *t, const char *order_name, bool write)
{
	unsigned int *order = bench_order(BENCH_PAGES, order_name);
	bool per_miss = t->space && !strcmp(order_name, "uniform");
	int fd = bench_open(t, BENCH_PAGES);
	char *p = t->uffd ? bench_uffd(t, BENCH_PAGES) :
			    bench_map(fd, BENCH_PAGES);
	unsigned long long ns, n = 0;
	unsigned long i;

	/* Else a peer reads 31 pages around each that is wanted, in vain. */
	if (!t->space && !t->uffd && t->file && strcmp(order_name, "sequential"))
		madvise(p, BENCH_PAGES * BENCH_PAGE, MADV_RANDOM);
	for (i = 0; !t->file && i < BENCH_PAGES; i++)
		p[i * BENCH_PAGE] = i;
	bench_touch(p, order, BENCH_PAGES, write);
	if (per_miss)
		n = misses(fd);
	ns = timed(p, order, BENCH_PAGES, write);
	n = per_miss ? misses(fd) - n : BENCH_PAGES;
	return (double)ns / n;
}

static double zero(void)
{
	unsigned int *order = bench_order(SOFT_PAGES, "sequential");
	char *p = bench_map(-1, SOFT_PAGES);

	return (double)timed(p, order, SOFT_PAGES, false) / SOFT_PAGES;
}

static double direct(const char *file, bool write)
{
	int fd = open(file, O_RDWR | O_DIRECT);
	unsigned long long start = 0;
	unsigned long pass, i;
	ssize_t ret;
	char *p = bench_map(-1, 1);

	memset(p, 1, BENCH_PAGE);
	for (pass = 0; pass < 2; pass++) {
		start = bench_now();
		for (i = 0; i < DIRECT_COUNT; i++) {
			off_t at = i * BENCH_PAGE;

			ret = write ? pwrite(fd, p, BENCH_PAGE, at) :
				      pread(fd, p, BENCH_PAGE, at);
			if (ret != (ssize_t)BENCH_PAGE)
				bench_die(file);
		}
		start = bench_now() - start;
	}
	return (double)start / DIRECT_COUNT;
}

static int show_usage(void)
{
	fprintf(stderr, "usage: bench soft WHAT ORDER ACCESS\n"
		"       bench miss WHAT ORDER ACCESS [BUDGET [POLICY]]\n"
		"       bench zero | direct FILE ACCESS\n"
		"       bench bytes | mark | threads WHAT BUDGET N | latency WHAT BUDGET SECONDS\n"
		"       bench locks WHAT soft|read|write THREADS MS\n");
	return 2;
}

/* What a page costs in metadata. */
static void show_bytes(void)
{
	struct bench_target t = { .space = true };
	struct vmd_info info;

	if (ioctl(bench_open(&t, 1), VMD_IOC_INFO, &info))
		bench_die("VMD_IOC_INFO");
	printf("%u %u\n", info.frame_bytes, info.page_bytes);
}

/* Is it "read" or "write"? Exits if it is neither. */
static bool is_write(const char *access)
{
	if (strcmp(access, "read") && strcmp(access, "write"))
		exit(show_usage());
	return *access == 'w';
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct bench_target t;
	double value;

	bench_target(&t, argc > 2 ? argv[2] : "anon");
	if (!strcmp(verb, "soft") && argc == 5) {
		value = soft(&t, argv[3], is_write(argv[4]));
	} else if (!strcmp(verb, "miss") && argc >= 5 && argc <= 7) {
		t.budget = argc > 5 ? strtoul(argv[5], NULL, 0) : 0;
		t.policy = argc > 6 ? argv[6] : NULL;
		/* The pager only reads. */
		if (t.uffd && is_write(argv[4]))
			return show_usage();
		value = miss(&t, argv[3], is_write(argv[4]));
	} else if (!strcmp(verb, "zero") && argc == 2) {
		value = zero();
	} else if (!strcmp(verb, "direct") && argc == 4) {
		value = direct(argv[2], is_write(argv[3]));
	} else if (!strcmp(verb, "bytes") && argc == 2) {
		show_bytes();
		return 0;
	} else if (!strcmp(verb, "mark") && argc == 2) {
		/* Changes nothing; calls.c knows it. */
		asm volatile(".byte 0x66, 0x87, 0xdb");
		return 0;
	} else if (!strcmp(verb, "threads") && argc == 5) {
		t.budget = strtoul(argv[3], NULL, 0);
		return bench_threads(&t, strtoul(argv[4], NULL, 0));
	} else if (!strcmp(verb, "latency") && argc == 5) {
		t.budget = strtoul(argv[3], NULL, 0);
		return bench_latency(&t, strtoul(argv[4], NULL, 0));
	} else if (!strcmp(verb, "locks") && argc == 6) {
		return bench_locks(&t, argv[3], strtoul(argv[4], NULL, 0),
				   strtoul(argv[5], NULL, 0));
	} else {
		return show_usage();
	}
	printf("%.0f\n", value);
	return 0;
}
