/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmdemoctl record: what happens in a space, written to a file.
 *
 *	cmd_record.c	options, the space or the program
 *	record_ring.c	the ring, the file
 */
#ifndef _CTL_RECORD_H
#define _CTL_RECORD_H

#include <pthread.h>

#include "device.h"

/**
 * struct record - a recording
 * @path: where it goes, "-" is standard output
 * @events: faults and evictions, instead of references
 * @drop: lose what the ring has no room for, rather than let the program wait
 * @bytes: of the ring, 0 for the default
 * @space_id: the space
 * @page_size: its pages' size
 * @fd: the recorder, -1 if there is none
 * @out: the file
 * @ring: the recorder's mapping
 * @length: its bytes
 * @tail: bytes of the stream that are written
 * @written: bytes of the file
 * @error: errno of what failed in writing
 * @enough: set by a signal: end it
 * @thread: who writes, beside a program that runs
 */
struct record {
	const char *path;
	bool events;
	bool drop;
	__u64 bytes;
	__u64 space_id;
	__u32 page_size;
	int fd;
	int out;
	struct vmd_ring *ring;
	size_t length;
	__u64 tail;
	__u64 written;
	int error;
	bool enough;
	pthread_t thread;
};

/* Begin to record what happens in @space, which may be closed then. */
int record_begin(struct record *record, struct ctl_space *space);

/* Write until the recording ends, by itself or by a signal. */
void record_write(struct record *record);

/* The same beside us: until record_join(), which ends it. */
int record_start(struct record *record);
void record_join(struct record *record);

/* Write what belongs behind all; tell what failed. record_close() in any case. */
int record_finish(struct record *record);
void record_close(struct record *record);

#endif /* _CTL_RECORD_H */
