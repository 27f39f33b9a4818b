// SPDX-License-Identifier: GPL-2.0-only
/*
 * fileloop HOW FILE: moves data between a file and the mapping of the space
 * that the file is behind, so that the kernel faults on the space while it
 * holds the file's locks. It must come to an end; what is printed is how.
 *
 *	write, write-direct	write(2) of the mapping to the file
 *	read, read-direct	read(2) of the file into the mapping
 *	same			write(2) of each page to its own place
 *	vmsplice		the mapping into a pipe, that to the file
 *	sendfile		the device to the file
 *	splice			the file to a pipe, that to the device
 *	threads			write, and a thread that makes pages dirty
 *	churn			write and check all pages, for ten seconds
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vmd_test_file.h"

#define FRAMES		16
#define CHUNK		(32 * vmd_ps)	/* more than fits at once */
#define CHURN_MS	10000

static int file, fd;
static char *map;
static size_t pages;

/* Each half of the space to the other half's place in the file, and back. */
static ssize_t transfer(bool write, int flags)
{
	size_t half = pages / 2 * vmd_ps, at;
	int target = vmd_reopen(file, O_RDWR | flags);
	ssize_t n = 0;

	for (at = 0; n >= 0 && at + CHUNK <= half; at += CHUNK)
		n = write ? pwrite(target, map + at, CHUNK, half + at) :
			    pread(target, map + at, CHUNK, half + at);
	close(target);
	return n;
}

static ssize_t write_same(void)
{
	size_t at;
	ssize_t n = 0;

	for (at = 0; n >= 0 && at < pages * vmd_ps; at += vmd_ps)
		n = pwrite(file, map + at, vmd_ps, at);
	return n;
}

static ssize_t through_pipe(bool from_map)
{
	struct iovec io = { map, 8 * vmd_ps };
	loff_t at = pages / 2 * vmd_ps;
	int p[2], i;
	ssize_t n = 0;

	if (pipe(p))
		return -1;
	for (i = 0; n >= 0 && i < 8; i++) {
		n = from_map ? vmsplice(p[1], &io, 1, 0) :
			       splice(file, &at, p[1], NULL, io.iov_len, 0);
		if (n > 0)
			n = splice(p[0], NULL, from_map ? file : fd, &at, n, 0);
	}
	return n;
}

static ssize_t send_file(void)
{
	off_t at = 0;

	lseek(file, pages / 2 * vmd_ps, SEEK_SET);
	return sendfile(file, fd, &at, 64 * vmd_ps);
}

static void *make_dirty(void *arg)
{
	for (;;)
		vmd_touch_all(map, pages);
	return arg;
}

static ssize_t beside_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, make_dirty, NULL))
		return -1;
	return transfer(true, 0);
}

static ssize_t churn(void)
{
	__u64 end = vmd_now_ms() + CHURN_MS, tag = 0;

	do {
		vmd_fill_all(map, pages, ++tag << 20);
		if (vmd_bad_pages(map, pages, tag << 20)) {
			printf("content lost\n");
			exit(3);
		}
	} while (vmd_now_ms() < end);
	return fsync(fd);
}

static ssize_t run(const char *how)
{
	if (!strcmp(how, "write"))
		return transfer(true, 0);
	if (!strcmp(how, "write-direct"))
		return transfer(true, O_DIRECT);
	if (!strcmp(how, "read"))
		return transfer(false, 0);
	if (!strcmp(how, "read-direct"))
		return transfer(false, O_DIRECT);
	if (!strcmp(how, "same"))
		return write_same();
	if (!strcmp(how, "vmsplice"))
		return through_pipe(true);
	if (!strcmp(how, "splice"))
		return through_pipe(false);
	if (!strcmp(how, "sendfile"))
		return send_file();
	if (!strcmp(how, "threads"))
		return beside_a_thread();
	if (!strcmp(how, "churn"))
		return churn();
	exit(2);
}

int main(int argc, char **argv)
{
	const char *frames = getenv("FRAMES");
	ssize_t n;

	if (argc != 3)
		return 2;
	file = open(argv[2], O_RDWR);
	fd = vmd_open_again(file, frames ? atol(frames) : FRAMES);
	if (fd < 0) {
		perror("fileloop");
		return 2;
	}
	pages = vmd_device_size(fd) / vmd_ps;
	map = vmd_map(fd, pages);
	if (map == MAP_FAILED)
		return 2;
	vmd_fill_all(map, pages, 1);
	n = run(argv[1]);
	printf("%s\n", n < 0 ? strerrorname_np(errno) : "ok");
	return 0;
}
