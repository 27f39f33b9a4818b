// SPDX-License-Identifier: GPL-2.0-only
/*
 * "csv": a reference a line, columns with commas between them. The first line
 * may name the columns, in any order; unknown ones are passed over:
 *
 *	page (obj_id, id, key)	its number
 *	address (addr)		in place of page; size bytes from there on
 *	size (obj_size)		of the access, only with an address
 *	op			r, w: read, write (also "read", "write", 0, 1);
 *				fr, fw: the same, which missed;
 *				e, ew: an eviction, of a dirty page
 *	thread (tid)		a number
 *	time			in ns
 *	ip (pc)			the instruction
 *
 * Without such a line the columns are page, op, thread, time, ip, the last
 * ones left out or empty if need be. # begins a comment at a line's start.
 */
#include "trace.h"

#include <ctype.h>
#include <string.h>

enum csv_column {
	CSV_NOTHING, CSV_PAGE, CSV_ADDRESS, CSV_SIZE, CSV_OP, CSV_THREAD, CSV_TIME, CSV_IP,
	CSV_COLUMNS,
};

static const struct csv_name {
	const char *name;
	u8 column;
} csv_names[] = {
	{ "page", CSV_PAGE }, { "obj_id", CSV_PAGE }, { "id", CSV_PAGE }, { "key", CSV_PAGE },
	{ "address", CSV_ADDRESS }, { "addr", CSV_ADDRESS },
	{ "size", CSV_SIZE }, { "obj_size", CSV_SIZE },
	{ "op", CSV_OP }, { "thread", CSV_THREAD }, { "tid", CSV_THREAD },
	{ "time", CSV_TIME }, { "ip", CSV_IP }, { "pc", CSV_IP },
};

static const u8 csv_default[] = { CSV_PAGE, CSV_OP, CSV_THREAD, CSV_TIME, CSV_IP };

static const struct csv_op {
	const char *name;
	u8 kind;
	bool write;
} csv_ops[] = {
	{ "r", VMD_TRACE_REFERENCE, false }, { "w", VMD_TRACE_REFERENCE, true },
	{ "read", VMD_TRACE_REFERENCE, false }, { "write", VMD_TRACE_REFERENCE, true },
	{ "0", VMD_TRACE_REFERENCE, false }, { "1", VMD_TRACE_REFERENCE, true },
	{ "fr", VMD_TRACE_FAULT, false }, { "fw", VMD_TRACE_FAULT, true },
	{ "e", VMD_TRACE_EVICT, false }, { "ew", VMD_TRACE_EVICT, true },
};

/* Cut the next field off *@line, without blanks and quotes; NULL: no more. */
static char *csv_field(char **line)
{
	char *field = *line, *end;

	if (!field)
		return NULL;
	end = field + strcspn(field, ",");
	*line = *end ? end + 1 : NULL;
	field += strspn(field, " \t\"");
	while (end > field && strchr(" \t\"", end[-1]))
		end--;
	*end = 0;
	return field;
}

static u8 csv_column_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(csv_names); i++)
		if (!strcasecmp(csv_names[i].name, name))
			return csv_names[i].column;
	return CSV_NOTHING;
}

static int csv_check_columns(const struct trace_in *in, const char *line)
{
	u32 seen[CSV_COLUMNS] = { 0 }, i;

	for (i = 0; i < in->columns; i++)
		if (in->column[i] && seen[in->column[i]]++)
			return trace_bad(in, line, "two columns mean the same");
	if (seen[CSV_PAGE] + seen[CSV_ADDRESS] != 1)
		return trace_bad(in, line, "want one column named page, or address");
	return CTL_OK;
}

static int csv_take_head(struct trace_in *in, char *line)
{
	char copy[TRACE_LINE], *rest = copy;
	const char *name;

	strcpy(copy, line);
	for (in->columns = 0; (name = csv_field(&rest)); in->columns++) {
		if (in->columns == ARRAY_SIZE(in->column))
			return trace_bad(in, line, "more than 16 columns");
		in->column[in->columns] = csv_column_of(name);
	}
	return csv_check_columns(in, line);
}

static void csv_note_columns(struct trace_in *in)
{
	u32 i;

	for (i = 0; i < in->columns; i++) {
		in->has |= in->column[i] == CSV_TIME ? VMD_TRACE_HAS_TIME : 0;
		in->has |= in->column[i] == CSV_THREAD ? VMD_TRACE_HAS_THREAD : 0;
		in->has |= in->column[i] == CSV_IP ? VMD_TRACE_HAS_IP : 0;
	}
}

static bool csv_is_nothing(const char *line)
{
	line += strspn(line, " \t");
	return !*line || *line == '#';
}

/* The first line with something in it, which stays there if it is no head. */
static int csv_begin(struct trace_in *in)
{
	size_t got, at;
	int status;
	char *line;

	memcpy(in->column, csv_default, sizeof(csv_default));
	in->columns = ARRAY_SIZE(csv_default);
	for (;;) {
		status = trace_fill(in, TRACE_LINE, &got);
		if (status || !got)
			return status;
		at = in->at + strspn(in->buf + in->at, " \t");
		if (isdigit((unsigned char)in->buf[at]))
			return CTL_OK;
		line = trace_line(in, &status);
		if (!line)
			return status;
		if (csv_is_nothing(line))
			continue;
		status = csv_take_head(in, line);
		csv_note_columns(in);
		return status;
	}
}

static const char *csv_take_op(struct trace_in *in, const char *field)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(csv_ops); i++) {
		if (strcasecmp(csv_ops[i].name, field))
			continue;
		in->ref.kind = csv_ops[i].kind;
		in->ref.write = csv_ops[i].write;
		return NULL;
	}
	return "want r or w (fr, fw: that missed; e, ew: evictions)";
}

struct csv_place {
	u64 address;
	u64 size;
	bool page;
	bool addressed;
};

static const char *csv_take_number(struct trace_in *in, u8 column, u64 value,
				   struct csv_place *place)
{
	switch (column) {
	case CSV_PAGE:
		in->ref.page = value;
		place->page = true;
		break;
	case CSV_ADDRESS:
		place->address = value;
		place->addressed = true;
		break;
	case CSV_SIZE:
		place->size = value;
		break;
	case CSV_THREAD:
		if (value >> 32)
			return "the number of the thread is too large";
		in->ref.thread = (u32)value;
		break;
	case CSV_TIME:
		in->ref.time = value;
		break;
	default:
		in->ref.ip = value;
		break;
	}
	return NULL;
}

static const char *csv_take(struct trace_in *in, u8 column, const char *field,
			    struct csv_place *place)
{
	const char *at = field, *why;
	u64 value;

	if (column == CSV_NOTHING || (!*field && column != CSV_PAGE && column != CSV_ADDRESS))
		return NULL;
	if (column == CSV_OP)
		return csv_take_op(in, field);
	why = trace_number(&at, &value);
	if (why || *at)
		return why ? why : "not a number (decimal, or hex with 0x)";
	return csv_take_number(in, column, value, place);
}

static int csv_take_line(struct trace_in *in, char *line)
{
	struct csv_place place = { .size = 1 };
	const char *field, *why;
	char *rest = line;
	u32 i;

	in->ref = (struct vmd_trace_record){ 0 };
	for (i = 0; (field = csv_field(&rest)); i++) {
		if (i == in->columns)
			return trace_bad(in, field, "more fields than there are columns");
		why = csv_take(in, in->column[i], field, &place);
		if (why)
			return trace_bad(in, field, why);
	}
	if (place.addressed)
		return trace_take_address(in, place.address, place.size, line);
	return place.page ? CTL_OK : trace_bad(in, line, "the line has no page");
}

static int csv_next(struct trace_in *in)
{
	int status = CTL_OK;
	char *line;

	do {
		line = trace_line(in, &status);
		if (!line)
			return status ? status : TRACE_END;
	} while (csv_is_nothing(line));
	return csv_take_line(in, line);
}

static int csv_start(struct trace_out *out)
{
	fputs("page,op,thread,time,ip\n", out->file);
	return CTL_OK;
}

static int csv_put(struct trace_out *out, const struct vmd_trace_record *ref)
{
	static const char *const ops[][2] = { { "r", "w" }, { "fr", "fw" }, { "e", "ew" } };

	fprintf(out->file, "%llu,%s,%u,%llu,%llu\n", (__u64)ref->page,
		ops[ref->kind][!!ref->write], ref->thread, (__u64)ref->time, (__u64)ref->ip);
	return CTL_OK;
}

const struct trace_format trace_csv = {
	.name = "csv",
	.text = "columns page, op, thread, time, ip",
	.suffix = ".csv",
	.has = VMD_TRACE_FLAGS,
	.begin = csv_begin,
	.next = csv_next,
	.start = csv_start,
	.put = csv_put,
};
