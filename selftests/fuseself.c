// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuseself DIR THREADS WHAT: serves a FUSE file system on DIR, with one file
 * "data" kept in memory, straight from /dev/fuse. WHAT the server then does to
 * a space on that very file:
 *
 *	serve	nothing: others use it
 *	dirty	makes pages of it dirty, prints "ready" and waits to be killed
 *	exit	the same, and exits by itself
 *	touch	touches it while it answers a request, which it so can never
 *		answer; prints "ready" before
 *
 * Runs as root; DIR is unmounted by whoever started it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmd_test_file.h"

#define PAGES		64
#define FRAMES		8
#define DATA_NODE	2
#define MAX_WRITE	(128 * 1024)

static char data[PAGES * 4096];
static __u64 data_size = sizeof(data);
static int device;
static char *touch_in_handler;

static void reply(__u64 unique, int error, const void *body, size_t n)
{
	struct fuse_out_header h = {
		.len = sizeof(h) + n, .error = -error, .unique = unique,
	};
	char *buf = malloc(h.len);

	memcpy(buf, &h, sizeof(h));
	if (n)
		memcpy(buf + sizeof(h), body, n);
	/* The request may have been given up. */
	if (write(device, buf, h.len) < 0 && errno != ENOENT)
		perror("fuseself: cannot answer");
	free(buf);
}

static struct fuse_attr attributes(__u64 node)
{
	struct fuse_attr a = {
		.ino = node, .nlink = 1, .mode = S_IFREG | 0600,
		.size = data_size, .blocks = data_size / 512,
		.blksize = 4096,
	};

	if (node == DATA_NODE)
		return a;
	a.mode = S_IFDIR | 0755;
	a.size = 0;
	return a;
}

static void do_init(const struct fuse_in_header *in, const void *arg)
{
	const struct fuse_init_in *i = arg;
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = i->minor < FUSE_KERNEL_MINOR_VERSION ? i->minor :
			 FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = i->max_readahead,
		.flags = i->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES),
		.max_background = 16, .congestion_threshold = 12,
		.max_write = MAX_WRITE,
	};

	reply(in->unique, 0, &out, sizeof(out));
}

static void do_lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = {
		.nodeid = DATA_NODE, .attr = attributes(DATA_NODE),
	};

	if (strcmp(name, "data"))
		reply(in->unique, ENOENT, NULL, 0);
	else
		reply(in->unique, 0, &out, sizeof(out));
}

static void do_attr(const struct fuse_in_header *in, const void *arg)
{
	const struct fuse_setattr_in *set = arg;
	struct fuse_attr_out out = { 0 };

	if (in->opcode == FUSE_SETATTR && set->valid & FATTR_SIZE &&
	    set->size <= sizeof(data))
		data_size = set->size;
	out.attr = attributes(in->nodeid);
	reply(in->unique, 0, &out, sizeof(out));
}

static void do_read(const struct fuse_in_header *in, const void *arg)
{
	const struct fuse_read_in *r = arg;
	size_t n = r->offset < data_size ? data_size - r->offset : 0;

	reply(in->unique, 0, data + r->offset, n < r->size ? n : r->size);
}

static void do_write(const struct fuse_in_header *in, const void *arg)
{
	const struct fuse_write_in *w = arg;
	struct fuse_write_out out = { .size = w->size };

	if (w->offset + w->size > sizeof(data)) {
		reply(in->unique, ENOSPC, NULL, 0);
		return;
	}
	memcpy(data + w->offset, w + 1, w->size);
	if (w->offset + w->size > data_size)
		data_size = w->offset + w->size;
	reply(in->unique, 0, &out, sizeof(out));
}

static void touch_own(void)
{
	char *p = __atomic_load_n(&touch_in_handler, __ATOMIC_ACQUIRE);

	if (p)
		vmd_store(p, 1);
}

static void handle(const struct fuse_in_header *in)
{
	const void *arg = in + 1;
	struct fuse_open_out opened = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		do_init(in, arg);
		break;
	case FUSE_LOOKUP:
		do_lookup(in, arg);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		do_attr(in, arg);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
	case FUSE_WRITE:
		touch_own();
		if (in->opcode == FUSE_READ)
			do_read(in, arg);
		else
			do_write(in, arg);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FSYNC:
		reply(in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(in->unique, EOPNOTSUPP, NULL, 0);
	}
}

static void *serve(void *arg)
{
	const size_t room = MAX_WRITE + 8192;
	char *buf = malloc(room);

	for (;;) {
		ssize_t n = read(device, buf, room);

		if (n < 0 && errno != EINTR && errno != ENOENT &&
		    errno != EAGAIN)
			break;
		if (n > 0)
			handle((void *)buf);
	}
	free(buf);
	return arg;
}

static int start(const char *dir, int threads)
{
	char options[128];
	pthread_t thread;

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (device < 0 || mount("fuseself", dir, "fuse", 0, options))
		return -1;
	while (threads--)
		if (pthread_create(&thread, NULL, serve, NULL))
			return -1;
	return 0;
}

/* A mapping of a space on our own file. */
static char *map_own(const char *dir)
{
	char path[256];
	int file, fd;
	char *map;

	snprintf(path, sizeof(path), "%s/data", dir);
	file = open(path, O_RDWR | O_CLOEXEC);
	fd = file < 0 ? -1 : vmd_open_on(file, FRAMES);
	map = fd < 0 ? MAP_FAILED : vmd_map(fd, PAGES);
	/*
	 * A server that dies with a file of its own open waits for itself to
	 * answer that it is closed, for ever: FUSE's own trap, not looked for.
	 */
	close(file);
	return map == MAP_FAILED ? NULL : map;
}

static void announce(void)
{
	printf("ready\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *map;

	if (argc != 4 || start(argv[1], atoi(argv[2]))) {
		perror("fuseself");
		return 2;
	}
	if (!strcmp(argv[3], "serve")) {
		announce();
		pause();
	}
	map = map_own(argv[1]);
	if (!map) {
		perror("fuseself: space");
		return 2;
	}
	vmd_touch_all(map, FRAMES / 2);
	if (!strcmp(argv[3], "touch"))
		__atomic_store_n(&touch_in_handler, map + (PAGES - 1) * vmd_ps,
				 __ATOMIC_RELEASE);
	announce();
	if (!strcmp(argv[3], "touch"))
		vmd_touch_all(map, PAGES);
	if (!strcmp(argv[3], "exit"))
		exit(0);
	for (;;)
		pause();
}
