// SPDX-License-Identifier: GPL-2.0-only
/*
 * "text": numbers of pages, decimal or 0x, separated by blanks, commas or ends
 * of lines; w right behind a number or after blanks on its line makes it a
 * write, r a read, which it is anyway; # begins a comment. What the verb play
 * reads is such a text, and what is written here can be played.
 */
#include "trace.h"

#include <ctype.h>
#include <string.h>

#define TEXT_WANTED	"want a page number, with w for a write: 12 or 12w"

/* Longer than any number and what stands behind it. */
#define TEXT_AHEAD	4096

/* As much of a word is told. */
#define TEXT_WORD	64

static bool text_is_gap(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

/*
 * Pass over gaps and comments. Returns TRACE_END, an exit status, or 0: then
 * TEXT_AHEAD bytes lie in the buffer, or all there are.
 */
static int text_skip(struct trace_in *in)
{
	bool comment = false;
	size_t got;
	int status;

	for (;;) {
		for (; in->at < in->end; in->at++) {
			char c = in->buf[in->at];

			if (c == '\n') {
				in->line++;
				comment = false;
			} else if (c == '#') {
				comment = true;
			} else if (!comment && !text_is_gap(c)) {
				return trace_fill(in, TEXT_AHEAD, &got);
			}
		}
		status = trace_fill(in, 1, &got);
		if (status || !got)
			return status ? status : TRACE_END;
	}
}

/* The word that begins here, for people. */
static int text_bad(struct trace_in *in, const char *why)
{
	char word[TEXT_WORD];
	size_t n = 0;

	while (n < sizeof(word) - 1 && in->at + n < in->end &&
	       !text_is_gap(in->buf[in->at + n])) {
		word[n] = in->buf[in->at + n];
		if (!word[n])
			return ctl_usage("%s:%llu: not text", in->name, (__u64)in->line + 1);
		n++;
	}
	word[n] = 0;
	in->line++;
	return trace_bad(in, word, why);
}

static char text_mark(char c)
{
	return c == 'w' || c == 'W' ? 'w' : c == 'r' || c == 'R' ? 'r' : 0;
}

static bool text_ends(const char *at)
{
	return !*at || text_is_gap(*at) || *at == '#';
}

/* The mark behind a number, whether blanks come before it or not. */
static const char *text_take_mark(const char *at, bool *write)
{
	const char *mark = at + strspn(at, " \t");

	if (text_mark(*mark) && text_ends(mark + 1)) {
		*write = text_mark(*mark) == 'w';
		return mark + 1;
	}
	return at;
}

static int text_next(struct trace_in *in)
{
	const char *word, *at, *why;
	bool write = false;
	int status = text_skip(in);

	if (status)
		return status;
	/* There is a byte behind the buffer for this. */
	in->buf[in->end] = 0;
	word = in->buf + in->at;
	at = word;
	why = trace_number(&at, &in->ref.page);
	if (why)
		return text_bad(in, isdigit((unsigned char)*word) ? why : TEXT_WANTED);
	at = text_take_mark(at, &write);
	if (!text_ends(at) || (!*at && at != in->buf + in->end))
		return text_bad(in, TEXT_WANTED);
	in->ref.write = write;
	in->at += at - word;
	return CTL_OK;
}

static int text_put(struct trace_out *out, const struct vmd_trace_record *ref)
{
	char line[24];
	char *at = line + sizeof(line);
	u64 page = ref->page;

	*--at = '\n';
	if (ref->write)
		*--at = 'w';
	do {
		*--at = (char)('0' + page % 10);
	} while (page /= 10);
	fwrite(at, line + sizeof(line) - at, 1, out->file);
	return CTL_OK;
}

const struct trace_format trace_text = {
	.name = "text",
	.text = "page numbers, w for a write",
	.suffix = ".txt",
	.next = text_next,
	.put = text_put,
};
