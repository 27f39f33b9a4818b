// SPDX-License-Identifier: GPL-2.0-only
/* The server of holdfs.h, straight from /dev/fuse. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holdfs.h"

#define DATA_NODE	2
#define MAX_WRITE	(HOLDFS_PAGES * 4096)
/* More than are ever held at once: somebody is left to answer the others. */
#define THREADS		12
#define WAIT_MS		20000

struct server {
	struct holdfs *fs;
	int device;
};

static void reply(struct server *s, __u64 unique, int error, const void *body,
		  size_t n)
{
	struct fuse_out_header h = {
		.len = sizeof(h) + n, .error = -error, .unique = unique,
	};
	char *buf = malloc(h.len);

	memcpy(buf, &h, sizeof(h));
	if (n)
		memcpy(buf + sizeof(h), body, n);
	/* The request may have been given up. */
	if (write(s->device, buf, h.len) < 0 && errno != ENOENT)
		perror("holdfs: cannot answer");
	free(buf);
}

static struct fuse_attr attributes(struct holdfs *fs, __u64 node)
{
	struct fuse_attr a = {
		.ino = node, .nlink = 1, .mode = S_IFDIR | 0755,
		.blksize = 4096,
	};

	if (node == DATA_NODE) {
		a.mode = S_IFREG | 0600;
		a.size = holdfs_size(fs);
		a.blocks = a.size / 512;
	}
	return a;
}

static void do_init(struct server *s, const struct fuse_in_header *in,
		    const void *arg)
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

	reply(s, in->unique, 0, &out, sizeof(out));
}

static void do_lookup(struct server *s, const struct fuse_in_header *in,
		      const char *name)
{
	struct fuse_entry_out out = {
		.nodeid = DATA_NODE, .attr = attributes(s->fs, DATA_NODE),
	};

	if (strcmp(name, "data"))
		reply(s, in->unique, ENOENT, NULL, 0);
	else
		reply(s, in->unique, 0, &out, sizeof(out));
}

static void set_size(struct holdfs *fs, __u64 size)
{
	if (size < fs->size)
		memset(fs->data + size, 0, sizeof(fs->data) - size);
	__atomic_store_n(&fs->size, size, __ATOMIC_RELEASE);
}

static void do_attr(struct server *s, const struct fuse_in_header *in,
		    const void *arg)
{
	const struct fuse_setattr_in *set = arg;
	struct fuse_attr_out out = { 0 };

	if (in->opcode == FUSE_SETATTR && set->valid & FATTR_SIZE &&
	    set->size <= sizeof(s->fs->data))
		set_size(s->fs, set->size);
	out.attr = attributes(s->fs, in->nodeid);
	reply(s, in->unique, 0, &out, sizeof(out));
}

static void do_read(struct server *s, const struct fuse_in_header *in,
		    const void *arg)
{
	const struct fuse_read_in *r = arg;
	struct holdfs *fs = s->fs;
	size_t n = r->offset < fs->size ? fs->size - r->offset : 0;

	n = n < r->size ? n : r->size;
	if (n && (r->offset + n - 1) / 4096 >= fs->bad) {
		__atomic_fetch_add(&fs->failed, 1, __ATOMIC_RELEASE);
		reply(s, in->unique, EIO, NULL, 0);
	} else {
		reply(s, in->unique, 0, fs->data + r->offset, n);
	}
}

static void do_write(struct server *s, const struct fuse_in_header *in,
		     const void *arg)
{
	const struct fuse_write_in *w = arg;
	struct fuse_write_out out = { .size = w->size };

	if (w->offset + w->size > sizeof(s->fs->data)) {
		reply(s, in->unique, ENOSPC, NULL, 0);
		return;
	}
	memcpy(s->fs->data + w->offset, w + 1, w->size);
	if (w->offset + w->size > s->fs->size)
		set_size(s->fs, w->offset + w->size);
	reply(s, in->unique, 0, &out, sizeof(out));
}

static void do_punch(struct server *s, const struct fuse_in_header *in,
		     const void *arg)
{
	const struct fuse_fallocate_in *f = arg;

	memset(s->fs->data + f->offset, 0, f->length);
	reply(s, in->unique, 0, NULL, 0);
}

static void handle(struct server *s, const struct fuse_in_header *in)
{
	const void *arg = in + 1;
	struct fuse_open_out opened = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		do_init(s, in, arg);
		break;
	case FUSE_LOOKUP:
		do_lookup(s, in, arg);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		do_attr(s, in, arg);
		break;
	case FUSE_OPEN:
		reply(s, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		do_read(s, in, arg);
		break;
	case FUSE_WRITE:
		do_write(s, in, arg);
		break;
	case FUSE_FALLOCATE:
		do_punch(s, in, arg);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_FSYNC:
		reply(s, in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(s, in->unique, EOPNOTSUPP, NULL, 0);
	}
}

static bool is_held(struct holdfs *fs, int opcode)
{
	return __atomic_load_n(&fs->hold, __ATOMIC_ACQUIRE) == opcode;
}

static void hold(struct holdfs *fs, int opcode)
{
	if (!is_held(fs, opcode))
		return;
	__atomic_fetch_add(&fs->held, 1, __ATOMIC_RELEASE);
	while (is_held(fs, opcode))
		vmd_sleep_ms(1);
	__atomic_fetch_sub(&fs->held, 1, __ATOMIC_RELEASE);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	const size_t room = MAX_WRITE + 8192;
	struct fuse_in_header *in = malloc(room);

	for (;;) {
		ssize_t n = read(s->device, in, room);

		if (n < 0 && errno != EINTR && errno != ENOENT &&
		    errno != EAGAIN)
			break;
		if (n > 0) {
			hold(s->fs, in->opcode);
			handle(s, in);
		}
	}
	free(in);
	return NULL;
}

static void run_server(struct holdfs *fs, int device)
{
	struct server s = { fs, device };
	pthread_t thread;
	int i;

	for (i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, serve, &s))
			_exit(1);
	serve(&s);
	_exit(0);
}

static int mount_fs(struct holdfs *fs)
{
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	strcpy(fs->dir, "/tmp/vmd-holdfs.XXXXXX");
	if (device < 0 || !mkdtemp(fs->dir))
		return -1;
	return mount("holdfs", fs->dir, "fuse", 0, options) ? -1 : device;
}

struct holdfs *holdfs_start(__u64 tag)
{
	struct holdfs *fs = mmap(NULL, sizeof(*fs), VMD_RW,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int device;
	pid_t pid;

	if (fs == MAP_FAILED)
		return NULL;
	fs->size = sizeof(fs->data);
	fs->bad = HOLDFS_PAGES;
	vmd_fill_all(fs->data, HOLDFS_PAGES, tag);
	device = mount_fs(fs);
	if (device < 0)
		return NULL;
	pid = vmd_fork();
	if (!pid)
		run_server(fs, device);
	/* Shared: only the parent knows it. */
	fs->server = pid;
	/* The server's alone: when it is gone, so is the file system. */
	close(device);
	return fs;
}

void holdfs_stop(struct holdfs *fs)
{
	holdfs_release(fs);
	kill(fs->server, SIGKILL);
	vmd_wait(fs->server, WAIT_MS);
	umount2(fs->dir, MNT_DETACH);
	rmdir(fs->dir);
	munmap(fs, sizeof(*fs));
}

int holdfs_open(struct holdfs *fs)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/data", fs->dir);
	return open(path, O_RDWR | O_CLOEXEC);
}

void holdfs_hold(struct holdfs *fs, int opcode)
{
	__atomic_store_n(&fs->hold, opcode, __ATOMIC_RELEASE);
}

bool holdfs_wait(struct holdfs *fs)
{
	__u64 end = vmd_now_ms() + WAIT_MS;

	while (!__atomic_load_n(&fs->held, __ATOMIC_ACQUIRE)) {
		if (vmd_now_ms() > end)
			return false;
		vmd_sleep_ms(1);
	}
	return true;
}

void holdfs_release(struct holdfs *fs)
{
	__atomic_store_n(&fs->hold, 0, __ATOMIC_RELEASE);
}

bool holdfs_is(struct holdfs *fs, size_t page, __u64 tag)
{
	return vmd_check(fs->data + page * 4096, tag);
}

bool holdfs_becomes(struct holdfs *fs, size_t page, __u64 tag)
{
	__u64 end = vmd_now_ms() + WAIT_MS / 4;

	while (!holdfs_is(fs, page, tag)) {
		if (vmd_now_ms() > end)
			return false;
		vmd_sleep_ms(5);
	}
	return true;
}

__u64 holdfs_size(struct holdfs *fs)
{
	return __atomic_load_n(&fs->size, __ATOMIC_ACQUIRE);
}
