// SPDX-License-Identifier: GPL-2.0-only
/*
 * LD_PRELOAD=paged.so PROGRAM: large allocations of an unmodified program come
 * from a mapping of /dev/vmdemo, small ones from the C library as ever.
 *
 * One space serves the whole program: a fresh one or, in vmdemoctl exec, the one
 * that was made there. An allocation is a mapping of its own at an offset never
 * used before, so it begins as zeros and ends with munmap().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libc.h"

#define LARGE	1048576UL
#define PAGE	4096UL
#define MANY	256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int device = -1;
static off_t next;			/* first offset not yet used */
static struct {
	char *start;
	size_t size;
} area[MANY];				/* by lock */

static size_t round_up(size_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

/* The area that begins at @start; with NULL, a free one. By lock. */
static int find(const void *start)
{
	int i;

	for (i = 0; i < MANY; i++)
		if (area[i].start == start)
			return i;
	return -1;
}

static int open_space(void)
{
	const char *given = getenv("VMDEMO_FD");

	return given ? atoi(given) : open("/dev/vmdemo", O_RDWR | O_CLOEXEC);
}

static void *map_locked(size_t size)
{
	int i = find(NULL);
	void *p;

	if (device < 0)
		device = open_space();
	if (device < 0 || i < 0)
		return NULL;
	p = mmap(NULL, round_up(size), PROT_READ | PROT_WRITE, MAP_SHARED,
		 device, next);
	if (p == MAP_FAILED)
		return NULL;
	next += round_up(size);
	area[i].start = p;
	area[i].size = size;
	return p;
}

static void *map(size_t size)
{
	void *p = NULL;

	pthread_mutex_lock(&lock);
	if (size < (size_t)-1 / 2)
		p = map_locked(size);
	pthread_mutex_unlock(&lock);
	if (!p)
		errno = ENOMEM;
	return p;
}

/* Size of the area at @p, 0 if it is not one of ours; forgotten if @forget. */
static size_t look(const void *p, int forget)
{
	size_t size = 0;
	int i;

	/* Ours begin on a page, which very few of the C library's do. */
	if (!p || (unsigned long)p % PAGE)
		return 0;
	pthread_mutex_lock(&lock);
	i = find(p);
	if (i >= 0)
		size = area[i].size;
	if (i >= 0 && forget)
		area[i].start = NULL;
	pthread_mutex_unlock(&lock);
	return size;
}

void *malloc(size_t size)
{
	return size >= LARGE ? map(size) : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes < LARGE)
		return __libc_calloc(n, size);
	return map(bytes);
}

void free(void *p)
{
	int error = errno;
	size_t size = look(p, 1);

	if (size)
		munmap(p, round_up(size));
	else
		__libc_free(p);
	errno = error;
}

void *realloc(void *old, size_t size)
{
	size_t had = look(old, 0);
	void *p;

	/* What the C library allocated stays there, however large it grows. */
	if (!had)
		return old ? __libc_realloc(old, size) : malloc(size);
	if (!size) {
		free(old);
		return NULL;
	}
	p = malloc(size);
	if (!p)
		return NULL;
	memcpy(p, old, had < size ? had : size);
	free(old);
	return p;
}

void *reallocarray(void *old, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}
