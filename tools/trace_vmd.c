// SPDX-License-Identifier: GPL-2.0-only
/* "vmd": the compact format of recordings, see uapi/vmdemo_trace.h. */
#include "trace.h"

#include <string.h>

#define VMD_CUT_OFF	"cut off: there is no END record (--partial takes what is there)"

static int vmd_check_head(struct trace_in *in, const u8 *head, size_t got)
{
	u64 page = trace_load_le(head + 12, 4);

	if (got < VMD_TRACE_HEADER || memcmp(head, VMD_TRACE_MAGIC, 8))
		return ctl_usage("%s: not in format vmd: it does not begin with its header",
				 in->name);
	if (trace_load_le(head + 8, 2) != VMD_TRACE_VERSION)
		return ctl_usage("%s: version %llu of format vmd: this tool knows %d", in->name,
				 (__u64)trace_load_le(head + 8, 2), VMD_TRACE_VERSION);
	if (trace_load_le(head + 10, 2) < VMD_TRACE_HEADER ||
	    trace_load_le(head + 16, 4) & ~(u64)VMD_TRACE_FLAGS || page & (page - 1))
		return ctl_usage("%s: the header of format vmd is damaged", in->name);
	in->has = (u32)trace_load_le(head + 16, 4);
	if (page)
		in->page_size = page;
	return CTL_OK;
}

static int vmd_begin(struct trace_in *in)
{
	size_t got, length;
	int status = trace_fill(in, VMD_TRACE_HEADER, &got);

	/* A short file is compared as well: the buffer is longer than it. */
	if (!status)
		status = vmd_check_head(in, (const u8 *)in->buf + in->at, got);
	if (status)
		return status;
	length = trace_load_le(in->buf + in->at + 10, 2);
	status = trace_fill(in, length, &got);
	if (!status && got < length)
		status = ctl_usage("%s: cut off in its header", in->name);
	in->at += length;
	return status;
}

static int vmd_cut_off(struct trace_in *in)
{
	if (in->partial)
		return TRACE_END;
	return trace_bad_byte(in, VMD_CUT_OFF);
}

/* Returns 0 with a record in in->last, TRACE_END, or an exit status. */
static int vmd_take(struct trace_in *in)
{
	size_t got = in->end - in->at;
	int used, status;

	if (got < VMD_TRACE_RECORD) {
		status = trace_fill(in, VMD_TRACE_RECORD, &got);
		if (status)
			return status;
	}
	used = vmd_trace_decode(&in->last, (const u8 *)in->buf + in->at,
				(u32)(got < VMD_TRACE_RECORD ? got : VMD_TRACE_RECORD));
	if (used < 0)
		return trace_bad_byte(in, "not a record of format vmd: the file is damaged");
	if (!used)
		return vmd_cut_off(in);
	in->at += used;
	in->line++;
	return CTL_OK;
}

static int vmd_end(struct trace_in *in)
{
	size_t got;
	int status = trace_fill(in, 1, &got);

	if (status)
		return status;
	if (in->last.count != in->records)
		return ctl_usage("%s: %llu records where its END tells of %llu: it is damaged",
				 in->name, (__u64)in->records, in->last.count);
	if (got)
		return trace_bad_byte(in, "something follows the END record");
	return TRACE_END;
}

static int vmd_next(struct trace_in *in)
{
	int status;

	for (;;) {
		status = vmd_take(in);
		if (status)
			return status;
		if (in->last.kind == VMD_TRACE_END)
			return vmd_end(in);
		if (in->last.kind != VMD_TRACE_LOST)
			break;
		in->lost += in->last.count;
	}
	in->ref = in->last;
	return CTL_OK;
}

static int vmd_start(struct trace_out *out)
{
	u8 head[VMD_TRACE_HEADER] = VMD_TRACE_MAGIC;

	trace_store_le(head + 8, VMD_TRACE_VERSION, 2);
	trace_store_le(head + 10, VMD_TRACE_HEADER, 2);
	trace_store_le(head + 12, out->page_size, 4);
	trace_store_le(head + 16, out->has, 4);
	fwrite(head, sizeof(head), 1, out->file);
	return CTL_OK;
}

static int vmd_put(struct trace_out *out, const struct vmd_trace_record *ref)
{
	u8 record[VMD_TRACE_RECORD];

	fwrite(record, vmd_trace_encode(&out->last, ref, record), 1, out->file);
	return CTL_OK;
}

static int vmd_finish(struct trace_out *out)
{
	struct vmd_trace_record end = { .kind = VMD_TRACE_END, .count = out->records };

	return vmd_put(out, &end);
}

const struct trace_format trace_vmd = {
	.name = "vmd",
	.text = "vmdemo's own, compact",
	.suffix = ".vmd",
	.has = VMD_TRACE_FLAGS,
	.begin = vmd_begin,
	.next = vmd_next,
	.start = vmd_start,
	.put = vmd_put,
	.finish = vmd_finish,
};
