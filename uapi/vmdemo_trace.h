/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vmdemo - the compact format of recorded references ("vmd").
 *
 * A recording is a header and a stream of records without gaps, each as long
 * as it needs to be. It can be written through a pipe and read while it is
 * written. All fixed numbers are little endian.
 *
 * The header, VMD_TRACE_HEADER bytes:
 *
 *	 0  8 bytes  "VMDTRACE"
 *	 8  u16      version, VMD_TRACE_VERSION; a reader refuses others
 *	10  u16      length of the header; a reader skips what it does not know
 *	12  u32      size of a page in bytes, 0 if it is not known
 *	16  u32      VMD_TRACE_HAS_*, VMD_TRACE_EVENTS; unknown ones are refused
 *	20  u32      0
 *	24  u64      when the records' time was 0, in ns since 1970, or 0
 *
 * A record begins with a byte:
 *
 *	bit 0-2  what it is: VMD_TRACE_REFERENCE to VMD_TRACE_END
 *	bit 3    VMD_TRACE_WRITE: a write; of an eviction: the page was dirty
 *	bit 4    VMD_TRACE_TIME: a time follows
 *	bit 5    VMD_TRACE_THREAD: a thread follows
 *	bit 6    VMD_TRACE_IP: an instruction pointer follows
 *	bit 7    0
 *
 * REFERENCE, FAULT and EVICT go on with the page, then time, thread and
 * instruction pointer, in this order, as far as the bits tell. What is missing
 * is as in the record before. Page, time and instruction pointer are the
 * difference to the record before (0 before the first), modulo 2^64, as a
 * signed number, "zigzag": 0, -1, 1, -2, ... is 0, 1, 2, 3, ... The thread is
 * its number itself (u32). Time is in ns, from any CPU: it may go back. An
 * EVICT has neither thread nor instruction pointer: what is kept from the
 * record before is not its own.
 *
 * LOST goes on with a count: so many records are missing here. END goes on
 * with the count of all REFERENCE, FAULT and EVICT records before it, and
 * nothing follows it; a recording without END was cut off. Neither has any of
 * the bits 3 to 6.
 *
 * Every number in a record is a "varint": seven bits a byte, the lowest first,
 * bit 7 set in all but the last; at most 10 bytes, at most 2^64 - 1.
 *
 * In a loop over neighbouring pages a record is 2 bytes.
 */
#ifndef _VMDEMO_TRACE_H
#define _VMDEMO_TRACE_H

#include <linux/types.h>

#define VMD_TRACE_MAGIC		"VMDTRACE"
#define VMD_TRACE_VERSION	1
#define VMD_TRACE_HEADER	32

/* Flags of the header: what records tell at all. */
#define VMD_TRACE_HAS_TIME	0x1
#define VMD_TRACE_HAS_THREAD	0x2
#define VMD_TRACE_HAS_IP	0x4
/* Faults and evictions were recorded, not every reference. */
#define VMD_TRACE_EVENTS	0x8
#define VMD_TRACE_FLAGS		0xf

/* Kinds of records, bits 0-2. */
#define VMD_TRACE_REFERENCE	0	/* the page was referenced */
#define VMD_TRACE_FAULT		1	/* a reference that missed */
#define VMD_TRACE_EVICT		2	/* the page left its frame */
#define VMD_TRACE_LOST		3	/* records are missing */
#define VMD_TRACE_END		4	/* no more will come */
#define VMD_TRACE_KIND		0x7

/* Bits 3-6. */
#define VMD_TRACE_WRITE		0x08
#define VMD_TRACE_TIME		0x10
#define VMD_TRACE_THREAD	0x20
#define VMD_TRACE_IP		0x40

/* A record is never longer: the first byte and four varints. */
#define VMD_TRACE_RECORD	(1 + 4 * 10)

/**
 * struct vmd_trace_record - a record, unpacked
 * @page: the index of the page
 * @time: ns since the recording began
 * @ip: the instruction that made the reference
 * @count: of LOST and END
 * @thread: its id
 * @kind: VMD_TRACE_REFERENCE to VMD_TRACE_END
 * @write: VMD_TRACE_WRITE or 0
 *
 * One that is kept from record to record, zero at first, is also the state of
 * the functions below.
 */
struct vmd_trace_record {
	__u64 page;
	__u64 time;
	__u64 ip;
	__u64 count;
	__u32 thread;
	__u8 kind;
	__u8 write;
	__u8 pad[2];
};

static inline __u32 vmd_trace_put(__u8 *out, __u64 value)
{
	__u32 n = 0;

	for (; value > 0x7f; value >>= 7)
		out[n++] = (__u8)(value | 0x80);
	out[n++] = (__u8)value;
	return n;
}

static inline __u32 vmd_trace_put_delta(__u8 *out, __u64 from, __u64 to)
{
	__u64 delta = to - from;

	return vmd_trace_put(out, delta << 1 ^ (delta >> 63 ? ~(__u64)0 : 0));
}

/**
 * vmd_trace_encode - pack a record
 * @last: the record before; this one afterwards
 * @record: what to pack
 * @out: where to, VMD_TRACE_RECORD bytes
 *
 * Returns how many bytes of @out were used.
 */
static inline __u32 vmd_trace_encode(struct vmd_trace_record *last,
				     const struct vmd_trace_record *record,
				     __u8 *out)
{
	__u8 head = record->kind;
	__u32 n = 1;

	if (record->kind >= VMD_TRACE_LOST) {
		out[0] = head;
		return n + vmd_trace_put(out + n, record->count);
	}
	n += vmd_trace_put_delta(out + n, last->page, record->page);
	if (record->time != last->time) {
		head |= VMD_TRACE_TIME;
		n += vmd_trace_put_delta(out + n, last->time, record->time);
	}
	if (record->thread != last->thread) {
		head |= VMD_TRACE_THREAD;
		n += vmd_trace_put(out + n, record->thread);
	}
	if (record->ip != last->ip) {
		head |= VMD_TRACE_IP;
		n += vmd_trace_put_delta(out + n, last->ip, record->ip);
	}
	out[0] = record->write ? head | VMD_TRACE_WRITE : head;
	*last = *record;
	return n;
}

/* Returns the bytes used, 0 if @len is too short, -1 if it is no varint. */
static inline int vmd_trace_get(const __u8 *in, __u32 len, __u64 *value)
{
	__u64 sum = 0;
	__u32 n = 0;

	while (n < len && n < 10) {
		if (n == 9 && in[n] > 1)
			return -1;
		sum |= (__u64)(in[n] & 0x7f) << 7 * n;
		if (!(in[n++] & 0x80)) {
			*value = sum;
			return (int)n;
		}
	}
	return n == 10 ? -1 : 0;
}

static inline __u64 vmd_trace_apply(__u64 from, __u64 delta)
{
	return from + (delta >> 1 ^ (delta & 1 ? ~(__u64)0 : 0));
}

/**
 * vmd_trace_decode - unpack a record
 * @last: the record before; this one afterwards
 * @in: the bytes there are
 * @len: how many
 *
 * Returns how many were used, 0 if the record is longer than @len, and -1 if
 * it is none; @last is of no use after that.
 */
static inline int vmd_trace_decode(struct vmd_trace_record *last,
				   const __u8 *in, __u32 len)
{
	__u64 number[4] = { 0 };
	__u32 at = 1, i = 0, wanted;
	__u8 head;

	if (!len)
		return 0;
	head = in[0];
	last->kind = head & VMD_TRACE_KIND;
	last->write = head & VMD_TRACE_WRITE;
	if (last->kind > VMD_TRACE_END || head & 0x80 ||
	    (last->kind >= VMD_TRACE_LOST && head & ~VMD_TRACE_KIND))
		return -1;
	/* Page or count, then what bits 4 to 6 tell. */
	wanted = 1 + (head >> 4 & 1) + (head >> 5 & 1) + (head >> 6 & 1);
	for (i = 0; i < wanted; i++) {
		int used = vmd_trace_get(in + at, len - at, &number[i]);

		if (used <= 0)
			return used;
		at += (__u32)used;
	}
	if (last->kind >= VMD_TRACE_LOST) {
		last->count = number[0];
		return (int)at;
	}
	i = 1;
	last->page = vmd_trace_apply(last->page, number[0]);
	if (head & VMD_TRACE_TIME)
		last->time = vmd_trace_apply(last->time, number[i++]);
	if (head & VMD_TRACE_THREAD) {
		if (number[i] >> 32)
			return -1;
		last->thread = (__u32)number[i++];
	}
	if (head & VMD_TRACE_IP)
		last->ip = vmd_trace_apply(last->ip, number[i]);
	return (int)at;
}

#endif /* _VMDEMO_TRACE_H */
