// SPDX-License-Identifier: GPL-2.0-only
/* A reader of recordings: byte by byte, as a stream. */
#define _GNU_SOURCE
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "record_reader.h"

int record_open(int fd, __u32 events, __u32 flags, __u64 bytes, __u64 wake)
{
	struct vmd_record how = {
		.events = events, .flags = flags, .bytes = bytes, .wake = wake,
	};

	return ioctl(fd, VMD_IOC_RECORD, &how);
}

/**
 * reader_begin - begin to record, and map the ring
 */
int reader_begin(struct reader *r, int space, __u32 events, __u32 flags,
		 __u64 bytes)
{
	memset(r, 0, offsetof(struct reader, got));
	r->fd = record_open(space, events, flags, bytes, 0);
	if (r->fd < 0)
		return -1;
	r->ring = mmap(NULL, vmd_ps + bytes, VMD_RW, MAP_SHARED, r->fd, 0);
	return r->ring == MAP_FAILED ? -1 : 0;
}

void reader_end(struct reader *r)
{
	munmap(r->ring, vmd_ps + r->ring->bytes);
	close(r->fd);
}

static void reader_keep(struct reader *r)
{
	if (r->last.kind == VMD_TRACE_LOST)
		r->lost += r->last.count;
	else if (r->last.kind == VMD_TRACE_END || r->nr == READER_MOST)
		r->bad = true;
	else
		r->got[r->nr++] = r->last;
}

/* One byte more; is it the last of a record? */
static void reader_byte(struct reader *r, __u8 byte)
{
	struct vmd_trace_record last = r->last;
	int used;

	r->part[r->nr_part++] = byte;
	used = vmd_trace_decode(&last, r->part, r->nr_part);
	if (used < 0 || (!used && r->nr_part == VMD_TRACE_RECORD))
		r->bad = true;
	if (used > 0) {
		r->last = last;
		reader_keep(r);
	}
	if (used || r->bad)
		r->nr_part = 0;
}

/**
 * reader_take - read what there is; the kernel is not told yet
 */
void reader_take(struct reader *r)
{
	__u64 head = __atomic_load_n(&r->ring->head, __ATOMIC_ACQUIRE);
	const __u8 *data = (__u8 *)r->ring + r->ring->data;

	if (head - r->at > r->ring->bytes)
		r->bad = true;
	for (; !r->bad && r->at < head; r->at++)
		reader_byte(r, data[r->at % r->ring->bytes]);
}

/**
 * reader_pass - read what there is, and let it be overwritten
 */
void reader_pass(struct reader *r)
{
	reader_take(r);
	__atomic_store_n(&r->ring->tail, r->at, __ATOMIC_RELEASE);
}

int reader_poll(struct reader *r, int timeout_ms)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) < 0 ? -1 : p.revents;
}

/**
 * reader_stop - end the recording, and read all of it
 */
void reader_stop(struct reader *r)
{
	ioctl(r->fd, VMD_IOC_RECORD_STOP);
	reader_pass(r);
	/* What was dropped at the very end nobody has told. */
	r->lost += r->ring->drops - r->ring->told;
	r->bad |= r->nr_part;
}

size_t reader_count(const struct reader *r, int kind)
{
	size_t i, n = 0;

	for (i = 0; i < r->nr; i++)
		n += r->got[i].kind == kind;
	return n;
}
