// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an access costs, in nanoseconds of CLOCK_MONOTONIC: instructions, where
 * the clock counts those (vm/run.sh --icount).
 *
 *	bench soft vmdemo|FILE		touch resident pages that are not mapped
 *	bench miss vmdemo|anon BUDGET	touch 128 MiB with BUDGET frames allowed
 *
 * Prints "order kind nanoseconds-per-access" lines. The limit of "anon" is the
 * memory cgroup's, which the caller sets up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <vmdemo.h>

#define PAGE		4096UL
#define SOFT_PAGES	(32UL << 20 >> 12)
#define MISS_PAGES	(128UL << 20 >> 12)
#define WARM_UP		20000UL

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* A permutation of 0 to @n - 1, @n a power of two, in a fixed random order. */
static unsigned int *make_order(unsigned long n, int random)
{
	unsigned int *order = malloc(n * sizeof(*order));
	unsigned long long seed = 12345;
	unsigned long i, j;
	unsigned int swap;

	if (!order)
		die("malloc");
	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n - 1; random && i; i--) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		j = (seed >> 33) % (i + 1);
		swap = order[i];
		order[i] = order[j];
		order[j] = swap;
	}
	return order;
}

static int open_space(unsigned long pages, unsigned long budget)
{
	struct vmd_config config = {
		.mask = VMD_CONFIG_SIZE | VMD_CONFIG_BUDGET,
		.size = pages * PAGE,
		.budget = budget,
	};
	int fd = open("/dev/vmdemo", O_RDWR);

	if (fd < 0 || ioctl(fd, VMD_IOC_SET_CONFIG, &config))
		die("/dev/vmdemo");
	return fd;
}

static int open_file(const char *path, unsigned long pages)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, pages * PAGE))
		die(path);
	return fd;
}

static char *map_fd(int fd, unsigned long pages)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static unsigned long long touch(char *p, const unsigned int *order,
				unsigned long n, int write)
{
	unsigned long long start = now();
	unsigned long i;

	for (i = 0; i < n; i++) {
		char *at = p + order[i] * PAGE;

		if (write)
			__atomic_store_n(at, i, __ATOMIC_RELAXED);
		else
			__atomic_load_n(at, __ATOMIC_RELAXED);
	}
	return now() - start;
}

/* The second of two passes over a fresh mapping of pages that are resident. */
static void soft_once(int fd, int random, int write)
{
	unsigned int *order = make_order(SOFT_PAGES, random);
	unsigned long long ns = 0;
	int pass;

	for (pass = 0; pass < 3; pass++) {
		char *p = map_fd(fd, SOFT_PAGES);

		ns = touch(p, order, SOFT_PAGES, write);
		munmap(p, SOFT_PAGES * PAGE);
	}
	printf("soft_%s_%s %llu\n", random ? "random" : "sequential",
	       write ? "write" : "read", ns / SOFT_PAGES);
	free(order);
}

static void soft(const char *what)
{
	int random, write, fd;

	if (!strcmp(what, "vmdemo"))
		fd = open_space(SOFT_PAGES, SOFT_PAGES);
	else
		fd = open_file(what, SOFT_PAGES);
	for (write = 0; write < 2; write++)
		for (random = 0; random < 2; random++)
			soft_once(fd, random, write);
	close(fd);
}

/* Filled once, then touched in another order: every page had to go out. */
static void miss_once(int fd, int random, int write)
{
	unsigned int *order = make_order(MISS_PAGES, random);
	char *p = map_fd(fd, MISS_PAGES);
	unsigned long long ns;
	unsigned long i;

	madvise(p, MISS_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < MISS_PAGES; i++)
		p[i * PAGE] = i;
	touch(p, order, WARM_UP, write);
	ns = touch(p, order, MISS_PAGES, write);
	printf("miss_%s_%s %llu\n", random ? "random" : "sequential",
	       write ? "write" : "read", ns / MISS_PAGES);
	munmap(p, MISS_PAGES * PAGE);
	free(order);
}

static void show_metadata(int fd)
{
	struct vmd_info info;

	if (ioctl(fd, VMD_IOC_INFO, &info))
		die("VMD_IOC_INFO");
	printf("bytes_per_resident_page %u\nbytes_per_evicted_page %u\n",
	       info.frame_bytes, info.page_bytes);
}

static void show_counters(int fd)
{
	struct vmd_stats stats;

	if (ioctl(fd, VMD_IOC_GET_STATS, memset(&stats, 0, sizeof(stats))))
		die("VMD_IOC_GET_STATS");
	fprintf(stderr, "# misses %llu soft %llu read %llu written %llu\n",
		stats.misses, stats.faults_soft, stats.pages_read,
		stats.pages_written);
}

static void miss(const char *what, unsigned long budget)
{
	int random, write;

	for (write = 1; write >= 0; write--) {
		for (random = 1; random >= 0; random--) {
			int fd = -1;

			if (!strcmp(what, "vmdemo"))
				fd = open_space(MISS_PAGES, budget);
			miss_once(fd, random, write);
			if (fd < 0)
				continue;
			if (!write && !random)
				show_metadata(fd);
			show_counters(fd);
			close(fd);
		}
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "soft")) {
		soft(argv[2]);
	} else if (argc == 4 && !strcmp(argv[1], "miss")) {
		miss(argv[2], strtoul(argv[3], NULL, 0));
	} else {
		fprintf(stderr, "usage: bench soft vmdemo|FILE | miss vmdemo|anon BUDGET\n");
		return 2;
	}
	return 0;
}
