// SPDX-License-Identifier: GPL-2.0-only
/*
 * "oracle": libCacheSim's oracleGeneral, records of 24 bytes, little endian:
 *
 *	 0  u32  time in seconds
 *	 4  u64  object, here the page
 *	12  u32  bytes of the object
 *	16  s64  the number of the next record of this object, the first record
 *		 being number 1; -1 if there is none
 *
 * There is no telling reads from writes: what is read are reads. The future is
 * not believed when read (it is computed where it is needed). But where nothing
 * else tells that this is such a file, it has to be in the future.
 */
#include "trace.h"

#include <string.h>

#include "trace_map.h"

#define ORACLE_RECORD	24
#define ORACLE_SECOND	1000000000ULL

#define ORACLE_NOT	"the next access is not after this one: not oracleGeneral; give --format"
#define ORACLE_CUT_OFF	"cut off: a record has 24 bytes (--partial takes what is there)"

static int oracle_take(struct trace_in *in, const u8 *record)
{
	__s64 next = (__s64)trace_load_le(record + 16, 8);

	if (in->guessed && next != -1 && next != INT64_MAX && (next < 0 || (u64)next <= in->line))
		return trace_bad_byte(in, ORACLE_NOT);
	in->ref.time = trace_load_le(record, 4) * ORACLE_SECOND;
	in->ref.page = trace_load_le(record + 4, 8);
	return CTL_OK;
}

static int oracle_next(struct trace_in *in)
{
	size_t got = in->end - in->at;
	int status = CTL_OK;

	if (got < ORACLE_RECORD)
		status = trace_fill(in, ORACLE_RECORD, &got);
	if (status)
		return status;
	if (got && got < ORACLE_RECORD && !in->partial)
		return trace_bad_byte(in, ORACLE_CUT_OFF);
	if (got < ORACLE_RECORD)
		return TRACE_END;
	status = oracle_take(in, (const u8 *)in->buf + in->at);
	in->at += ORACLE_RECORD;
	in->line++;
	return status;
}

static int oracle_begin(struct trace_in *in)
{
	in->has = VMD_TRACE_HAS_TIME;
	return CTL_OK;
}

/* The next use is known at the end only. */
static int oracle_put(struct trace_out *out, const struct vmd_trace_record *ref)
{
	struct vmd_trace_record *more;

	if (out->records == out->room) {
		out->room = out->room ? out->room * 2 : 4096;
		more = realloc(out->kept, out->room * sizeof(*more));
		if (!more)
			return ctl_fail("out of memory: oracle needs all of the trace in it");
		out->kept = more;
	}
	out->kept[out->records] = *ref;
	return CTL_OK;
}

/* From the last to the first: count becomes the number of the next record. */
static int oracle_look_ahead(struct trace_out *out)
{
	struct trace_map map = { 0 };
	u64 i = out->records, *next;

	while (i--) {
		next = trace_map_value(&map, out->kept[i].page);
		if (!next)
			break;
		out->kept[i].count = *next ? *next : ~(u64)0;
		*next = i + 1;
	}
	free(map.entries);
	return i + 1 ? ctl_fail("out of memory") : CTL_OK;
}

static int oracle_finish(struct trace_out *out)
{
	u8 record[ORACLE_RECORD];
	u64 i;

	if (oracle_look_ahead(out))
		return CTL_FAILED;
	for (i = 0; i < out->records; i++) {
		const struct vmd_trace_record *ref = &out->kept[i];

		trace_store_le(record, ref->time / ORACLE_SECOND, 4);
		trace_store_le(record + 4, ref->page, 8);
		trace_store_le(record + 12, out->page_size, 4);
		trace_store_le(record + 16, ref->count, 8);
		fwrite(record, sizeof(record), 1, out->file);
	}
	return CTL_OK;
}

const struct trace_format trace_oracle = {
	.name = "oracle",
	.text = "libCacheSim's oracleGeneral",
	.suffix = ".oracleGeneral",
	.begin = oracle_begin,
	.next = oracle_next,
	.put = oracle_put,
	.finish = oracle_finish,
};
