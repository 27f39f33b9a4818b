/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmdemo

#if !defined(_VMD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VMD_TRACE_H

#include <linux/tracepoint.h>

#include "compat.h"

/* An access trapped. flags: FAULT_FLAG_* of the kernel. */
TRACE_EVENT(vmdemo_fault,
	TP_PROTO(u64 space, u64 page, bool write, u32 flags),
	TP_ARGS(space, page, write, flags),
	TP_STRUCT__entry(
		__field(u64, space)
		__field(u64, page)
		__field(u32, flags)
		__field(bool, write)
	),
	TP_fast_assign(
		__entry->space = space;
		__entry->page = page;
		__entry->flags = flags;
		__entry->write = write;
	),
	TP_printk("space=%llu page=%llu reason=%s flags=0x%x", __entry->space,
		  __entry->page, __entry->write ? "write" : "read",
		  __entry->flags)
);

/* A page goes into a page table. reason: what kind of fault that was. */
TRACE_EVENT(vmdemo_map,
	TP_PROTO(u64 space, u64 page, bool write, const char *reason),
	TP_ARGS(space, page, write, reason),
	TP_STRUCT__entry(
		__field(u64, space)
		__field(u64, page)
		__field(bool, write)
		__string(reason, reason)
	),
	TP_fast_assign(
		__entry->space = space;
		__entry->page = page;
		__entry->write = write;
		vmd_assign_str(reason, reason);
	),
	TP_printk("space=%llu page=%llu write=%d reason=%s", __entry->space,
		  __entry->page, __entry->write, __get_str(reason))
);

/* A page left its frame. */
TRACE_EVENT(vmdemo_evict,
	TP_PROTO(u64 space, u64 page, u32 slot, bool dirty),
	TP_ARGS(space, page, slot, dirty),
	TP_STRUCT__entry(
		__field(u64, space)
		__field(u64, page)
		__field(s64, slot)
		__field(bool, dirty)
	),
	TP_fast_assign(
		__entry->space = space;
		__entry->page = page;
		/* No arithmetic in TP_printk: trace-cmd has to parse it. */
		__entry->slot = slot == U32_MAX ? -1 : (s64)slot;
		__entry->dirty = dirty;
	),
	TP_printk("space=%llu page=%llu reason=%s slot=%lld", __entry->space,
		  __entry->page, __entry->dirty ? "dirty" : "clean",
		  __entry->slot)
);

DECLARE_EVENT_CLASS(vmdemo_io,
	TP_PROTO(u64 space, u64 page, u32 slot, u32 pages, int error),
	TP_ARGS(space, page, slot, pages, error),
	TP_STRUCT__entry(
		__field(u64, space)
		__field(u64, page)
		__field(u32, slot)
		__field(u32, pages)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->space = space;
		__entry->page = page;
		__entry->slot = slot;
		__entry->pages = pages;
		__entry->error = error;
	),
	TP_printk("space=%llu page=%llu slot=%u pages=%u reason=%s error=%d",
		  __entry->space, __entry->page, __entry->slot, __entry->pages,
		  __entry->error ? "failed" : "done", __entry->error)
);

/* Pages were read from, or written to, neighbouring slots. */
DEFINE_EVENT(vmdemo_io, vmdemo_read,
	TP_PROTO(u64 space, u64 page, u32 slot, u32 pages, int error),
	TP_ARGS(space, page, slot, pages, error)
);

DEFINE_EVENT(vmdemo_io, vmdemo_write,
	TP_PROTO(u64 space, u64 page, u32 slot, u32 pages, int error),
	TP_ARGS(space, page, slot, pages, error)
);

/* The policy was switched; pages: how many it was handed. */
TRACE_EVENT(vmdemo_policy,
	TP_PROTO(u64 space, const char *from, const char *to, u64 pages),
	TP_ARGS(space, from, to, pages),
	TP_STRUCT__entry(
		__field(u64, space)
		__field(u64, pages)
		__string(from, from)
		__string(to, to)
	),
	TP_fast_assign(
		__entry->space = space;
		__entry->pages = pages;
		vmd_assign_str(from, from);
		vmd_assign_str(to, to);
	),
	TP_printk("space=%llu from=%s to=%s pages=%llu reason=switch",
		  __entry->space, __get_str(from), __get_str(to),
		  __entry->pages)
);

/* The budget was changed, or, with an error, was not. */
TRACE_EVENT(vmdemo_budget,
	TP_PROTO(u64 space, u64 from, u64 to, int error),
	TP_ARGS(space, from, to, error),
	TP_STRUCT__entry(
		__field(u64, space)
		__field(u64, from)
		__field(u64, to)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->space = space;
		__entry->from = from;
		__entry->to = to;
		__entry->error = error;
	),
	TP_printk("space=%llu from=%llu to=%llu reason=%s error=%d",
		  __entry->space, __entry->from, __entry->to,
		  __entry->to < __entry->from ? "shrink" : "grow",
		  __entry->error)
);

#endif /* _VMD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
