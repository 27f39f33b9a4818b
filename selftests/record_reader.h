/* SPDX-License-Identifier: GPL-2.0-only */
/* A reader of recordings (VMD_IOC_RECORD) for tests. */
#ifndef _RECORD_READER_H
#define _RECORD_READER_H

#include "vmd_test.h"
#include "../uapi/vmdemo_trace.h"

#define READER_MOST	65536		/* records kept */

/**
 * struct reader - a recorder's descriptor, its ring, and what was read of it
 * @fd: the recorder
 * @ring: its mapping, read and written
 * @last: the record before, for the decoder
 * @at: bytes taken
 * @part: the beginning of a record whose end is not there yet
 * @nr_part: bytes of that
 * @nr: records in @got
 * @lost: sum of all that VMD_TRACE_LOST told
 * @bad: something that was no record
 * @got: references, faults and evictions in order
 */
struct reader {
	int fd;
	struct vmd_ring *ring;
	struct vmd_trace_record last;
	__u64 at;
	__u8 part[VMD_TRACE_RECORD];
	__u32 nr_part;
	size_t nr;
	__u64 lost;
	bool bad;
	struct vmd_trace_record got[READER_MOST];
};

int record_open(int fd, __u32 events, __u32 flags, __u64 bytes, __u64 wake);
int reader_begin(struct reader *r, int space, __u32 events, __u32 flags,
		 __u64 bytes);
void reader_end(struct reader *r);
void reader_take(struct reader *r);
void reader_pass(struct reader *r);
int reader_poll(struct reader *r, int timeout_ms);
void reader_stop(struct reader *r);
size_t reader_count(const struct reader *r, int kind);

#endif /* _RECORD_READER_H */
