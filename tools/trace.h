/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reference strings in files: read and written one by one, in several formats.
 *
 *	trace_in.c	the input: its buffer, which format it is, its end
 *	trace_out.c	the output
 *	trace_text.c	"text": page numbers, w for a write
 *	trace_csv.c	"csv": columns by name
 *	trace_lackey.c	"lackey": addresses, of valgrind --tool=lackey
 *	trace_oracle.c	"oracle": libCacheSim's oracleGeneral
 *	trace_vmd.c	"vmd": uapi/vmdemo_trace.h
 *	trace_load.c	all of a string at once, for simulations (lab.h)
 */
#ifndef _CTL_TRACE_H
#define _CTL_TRACE_H

#include <stdio.h>

#include "vmdemoctl.h"
#include "../uapi/vmdemo_trace.h"

/* What trace_next() returns besides 0 and an exit status. */
#define TRACE_END	(-1)

#define TRACE_PAGE_SIZE	4096

/* The longest line of the formats that have lines. */
#define TRACE_LINE	4096

struct trace_format;

/**
 * struct trace_in - a string that is read
 * @name: of the file, for people
 * @fd: the file
 * @format: what it is in
 * @page_size: bytes of a page
 * @data_only: pass over instruction fetches
 * @guessed: nothing but its bytes tell the format
 * @partial: a recording that was cut off is none the worse for it
 * @buf: what was read and not yet taken: from @at to @end
 * @at: see @buf
 * @end: see @buf
 * @taken: bytes that were taken before buf[0]
 * @eof: there is nothing behind @end
 * @line: lines or records taken so far
 * @more: references left of an access that goes over several pages
 * @ref: the last of these
 * @last: what the format remembers of the record before
 * @has: VMD_TRACE_HAS_*, and VMD_TRACE_EVENTS
 * @records: REFERENCE, FAULT and EVICT so far
 * @lost: references that the recorder had to drop
 * @column: csv: what each column is; @columns of them
 * @columns: see @column
 */
struct trace_in {
	const char *name;
	int fd;
	const struct trace_format *format;
	u64 page_size;
	bool data_only;
	bool guessed;
	bool partial;
	char *buf;
	size_t at;
	size_t end;
	u64 taken;
	bool eof;
	u64 line;
	u64 more;
	struct vmd_trace_record ref;
	struct vmd_trace_record last;
	u32 has;
	u64 records;
	u64 lost;
	u8 column[16];
	u32 columns;
};

/* A string that is written. */
struct trace_out {
	const char *name;
	FILE *file;
	const struct trace_format *format;
	u64 page_size;
	u32 has;
	struct vmd_trace_record last;
	u64 records;
	u64 left_out;			/* evictions, where they have no place */
	struct vmd_trace_record *kept;	/* oracle: all of it */
	size_t room;
};

/**
 * struct trace_format - a format
 * @name: as the user writes it
 * @text: what it is, in a phrase
 * @suffix: what the names of such files end with
 * @has: which of VMD_TRACE_HAS_* survive in it
 * @begin: take the header; optional
 * @next: take a reference into in->ref: 0, TRACE_END or an exit status
 * @start: write the header; optional
 * @put: write a reference
 * @finish: write what goes behind all; optional
 */
struct trace_format {
	const char *name;
	const char *text;
	const char *suffix;
	u32 has;
	int (*begin)(struct trace_in *in);
	int (*next)(struct trace_in *in);
	int (*start)(struct trace_out *out);
	int (*put)(struct trace_out *out, const struct vmd_trace_record *ref);
	int (*finish)(struct trace_out *out);
};

extern const struct trace_format trace_text, trace_csv, trace_lackey, trace_oracle, trace_vmd;

/* How to read, as the user tells; zero is the default. */
struct trace_options {
	const struct trace_format *format;
	u64 page_size;
	bool data_only;
	bool partial;
};

/*
 * The parser of these, with the common options, as the children of a verb's
 * own. child_inputs[0] is a struct trace_options.
 */
extern const struct argp_child trace_common[];

/* The same without the common options. */
extern const struct argp trace_argp_alone;

/* NULL, after having told, if there is no such format. */
const struct trace_format *trace_find_format(const char *name);

/* The one that the name of a file tells, or NULL. */
const struct trace_format *trace_format_of_name(const char *path);

/* "-" is standard input. trace_close() ends it, also after an error. */
int trace_open(struct trace_in *in, const char *path, const struct trace_options *options);
void trace_close(struct trace_in *in);

/* The next reference is in->ref then; 0, TRACE_END or an exit status. */
int trace_next(struct trace_in *in);

/* Tell on stderr what makes counts inexact: losses, evictions. */
void trace_warn(const struct trace_in *in);

/* For formats: make @wanted bytes lie in the buffer; fewer only at the end. */
int trace_fill(struct trace_in *in, size_t wanted, size_t *got);

/* The next line, without its end, or NULL with *@status 0 at the end. */
char *trace_line(struct trace_in *in, int *status);

/* "file:line: 'text': why", with what is not printable made so. */
int trace_bad(const struct trace_in *in, const char *text, const char *why);

/* "file: byte N: why". */
int trace_bad_byte(const struct trace_in *in, const char *why);

/* All pages that @size bytes from @address touch, one reference each. */
int trace_take_address(struct trace_in *in, u64 address, u64 size, const char *line);

/* Take a decimal or 0x number: NULL, or what is wrong. */
const char *trace_number(const char **text, u64 *value);

/* "-" is standard output. */
int trace_create(struct trace_out *out, const char *path, const struct trace_format *format,
		 const struct trace_in *in);
int trace_put(struct trace_out *out, const struct vmd_trace_record *ref);

/* Be done, and delete what there is if @status is not 0. Returns the status. */
int trace_finish(struct trace_out *out, int status);

static inline void trace_store_le(u8 *to, u64 value, int bytes)
{
	for (; bytes--; value >>= 8)
		*to++ = (u8)value;
}

static inline u64 trace_load_le(const void *from, int bytes)
{
	const u8 *at = from;
	u64 value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

#endif /* _CTL_TRACE_H */
