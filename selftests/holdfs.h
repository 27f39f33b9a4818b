/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file system that can stand still: FUSE, with one file "data", kept in
 * memory that the test shares with the process that serves it. Requests of one
 * kind are not answered for as long as the test wants.
 *
 * The server is a child, killed with who started it; then all requests fail.
 */
#ifndef _HOLDFS_H
#define _HOLDFS_H

#include <linux/fuse.h>
#include <stdbool.h>
#include <sys/types.h>

#include "vmd_test.h"

#define HOLDFS_PAGES	64

/**
 * struct holdfs - the file system
 * @hold: requests of this kind (enum fuse_opcode) wait; 0: none do
 * @held: how many do
 * @failed: reads that were answered with an error
 * @bad: pages from this one on cannot be read
 * @size: the file's
 * @data: its content
 * @server: the process that serves it
 * @dir: where it is mounted
 */
struct holdfs {
	int hold;
	int held;
	int failed;
	size_t bad;
	__u64 size;
	char data[HOLDFS_PAGES * 4096];
	pid_t server;
	char dir[64];
};

/* Page i of the file has content @tag + i. NULL if there is no FUSE. */
struct holdfs *holdfs_start(__u64 tag);
void holdfs_stop(struct holdfs *fs);
int holdfs_open(struct holdfs *fs);		/* to be read and written */

/* From now on; until one is waiting; no more */
void holdfs_hold(struct holdfs *fs, int opcode);
bool holdfs_wait(struct holdfs *fs);
void holdfs_release(struct holdfs *fs);

/* What the server has, which takes no request; what it has before long */
bool holdfs_is(struct holdfs *fs, size_t page, __u64 tag);
bool holdfs_becomes(struct holdfs *fs, size_t page, __u64 tag);
__u64 holdfs_size(struct holdfs *fs);

#endif /* _HOLDFS_H */
