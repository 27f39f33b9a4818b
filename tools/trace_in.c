// SPDX-License-Identifier: GPL-2.0-only
/* Reference strings that are read: the buffer, the format, the end. */
#include "trace.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "parse.h"

#define TRACE_BUFFER	((size_t)1 << 18)

/* How far into a file is looked for what it is. */
#define TRACE_LOOK	4096

static const struct trace_format *const trace_formats[] = {
	&trace_text, &trace_csv, &trace_lackey, &trace_oracle, &trace_vmd,
};

const struct trace_format *trace_find_format(const char *name)
{
	char list[128] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(trace_formats); i++) {
		if (!strcmp(trace_formats[i]->name, name))
			return trace_formats[i];
		strcat(list, i ? ", " : "");
		strcat(list, trace_formats[i]->name);
	}
	ctl_usage("unknown format '%s': one of %s", name, list);
	return NULL;
}

const struct trace_format *trace_format_of_name(const char *path)
{
	size_t i, length = strlen(path);

	/* They are often called x.oracleGeneral.bin. */
	if (strcasestr(path, trace_oracle.suffix))
		return &trace_oracle;
	for (i = 0; i < ARRAY_SIZE(trace_formats); i++) {
		const char *suffix = trace_formats[i]->suffix;
		size_t tail = strlen(suffix);

		if (length > tail && !strcasecmp(path + length - tail, suffix))
			return trace_formats[i];
	}
	return NULL;
}

static error_t trace_page_size(struct argp_state *state, const char *arg, u64 *size)
{
	bool suffix;
	const char *why = ctl_parse_size(arg, size, &suffix);

	if (why)
		argp_error(state, "page size '%s': %s", arg, why);
	if (!*size || *size & (*size - 1) || *size >> 31)
		argp_error(state, "page size '%s': not a power of two below 2G", arg);
	return 0;
}

static error_t trace_option(int key, char *arg, struct argp_state *state)
{
	struct trace_options *options = state->input;

	switch (key) {
	case 'F':
		options->format = trace_find_format(arg);
		if (!options->format)
			exit(CTL_USAGE);
		return 0;
	case 'P':
		return trace_page_size(state, arg, &options->page_size);
	case 'd':
		options->data_only = true;
		return 0;
	case 'u':
		options->partial = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option trace_argp_options[] = {
	{ "format", 'F', "FORMAT", 0,
	  "What TRACE is in: text, csv, lackey, oracle or vmd (default: found out)", 2 },
	{ "page-size", 'P', "BYTES", 0,
	  "Make pages of so many bytes of addresses (default: 4K)", 2 },
	{ "data", 'd', NULL, 0, "Pass over instruction fetches of lackey", 2 },
	{ "partial", 'u', NULL, 0, "Take a binary trace that was cut off for what it is", 2 },
	{ 0 },
};

static const struct argp trace_argp = {
	.options = trace_argp_options,
	.parser = trace_option,
	.children = ctl_common,
};

const struct argp trace_argp_alone = {
	.options = trace_argp_options,
	.parser = trace_option,
};

const struct argp_child trace_common[] = {
	{ &trace_argp, 0, NULL, 0 },
	{ 0 },
};

int trace_bad(const struct trace_in *in, const char *text, const char *why)
{
	char shown[64];

	return ctl_usage("%s:%llu: '%s': %s", in->name, (__u64)in->line,
			 ctl_printable(text, shown, sizeof(shown)), why);
}

int trace_bad_byte(const struct trace_in *in, const char *why)
{
	return ctl_usage("%s: record %llu, at byte %llu: %s", in->name, (__u64)in->line + 1,
			 (__u64)(in->taken + in->at), why);
}

int trace_fill(struct trace_in *in, size_t wanted, size_t *got)
{
	while (in->end - in->at < wanted && !in->eof) {
		ssize_t nr;

		if (in->at) {
			memmove(in->buf, in->buf + in->at, in->end - in->at);
			in->taken += in->at;
			in->end -= in->at;
			in->at = 0;
		}
		nr = read(in->fd, in->buf + in->end, TRACE_BUFFER - in->end);
		if (nr < 0 && errno == EINTR)
			continue;
		if (nr < 0)
			return ctl_fail("%s: %s", in->name, strerror(errno));
		in->eof = !nr;
		in->end += nr;
	}
	*got = in->end - in->at;
	return CTL_OK;
}

/* Lines end with \n or \r\n, the last one perhaps with nothing. */
static char *trace_cut_line(struct trace_in *in, char *end)
{
	char *line = in->buf + in->at;

	in->at = end - in->buf + 1;
	if (end > line && end[-1] == '\r')
		end[-1] = 0;
	*end = 0;
	return line;
}

char *trace_line(struct trace_in *in, int *status)
{
	char *line, *end;
	size_t got = in->end - in->at;

	line = in->buf + in->at;
	end = memchr(line, '\n', got);
	if (!end) {
		*status = trace_fill(in, TRACE_LINE, &got);
		line = in->buf + in->at;
		end = memchr(line, '\n', got);
	}
	if (*status || (!got && in->eof))
		return NULL;
	in->line++;
	/* There is always room for the 0 behind the end. */
	if (!end && got < TRACE_LINE)
		end = line + got;
	if (end && end - line < TRACE_LINE && !memchr(line, 0, end - line)) {
		line = trace_cut_line(in, end);
		in->at = in->at > in->end ? in->end : in->at;
		return line;
	}
	*status = ctl_usage("%s:%llu: not text, or longer than %d characters", in->name,
			    (__u64)in->line, TRACE_LINE - 2);
	return NULL;
}

const char *trace_number(const char **text, u64 *value)
{
	const char *at = *text;
	u64 number = 0;

	if (at[0] == '0' && (at[1] | 0x20) == 'x')
		return ctl_scan_number(at, text, value);
	if (*at < '0' || *at > '9')
		return "not a number (decimal, or hex with 0x)";
	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (u64)(*at - '0'), &number))
			return "the number is too large";
	}
	*text = at;
	*value = number;
	return NULL;
}

int trace_take_address(struct trace_in *in, u64 address, u64 size, const char *line)
{
	u64 last;

	if (!size || size >> 20)
		return trace_bad(in, line, "an access is 1 byte to 1 MiB long");
	if (__builtin_add_overflow(address, size - 1, &last))
		return trace_bad(in, line, "the access goes past the last address");
	in->ref.page = address / in->page_size;
	in->more = last / in->page_size - in->ref.page;
	return CTL_OK;
}

int trace_next(struct trace_in *in)
{
	int status;

	if (in->more) {
		in->more--;
		in->ref.page++;
	} else {
		status = in->format->next(in);
		if (status)
			return status;
	}
	in->records++;
	if (in->ref.kind != VMD_TRACE_REFERENCE)
		in->has |= VMD_TRACE_EVENTS;
	return CTL_OK;
}

/* Compressed files have to be told from binary ones, or they would be read. */
static const char *trace_compressed(const u8 *head, size_t length)
{
	if (length > 3 && trace_load_le(head, 4) == 0xfd2fb528)
		return "zstd -dc";
	if (length > 1 && head[0] == 0x1f && head[1] == 0x8b)
		return "gzip -dc";
	if (length > 5 && trace_load_le(head, 6) == 0x005a587a37fd)
		return "xz -dc";
	return NULL;
}

/* The first line that is neither empty nor a comment. */
static const char *trace_first_line(const char *text, const char *end)
{
	while (text < end) {
		const char *line = text + strspn(text, " \t\r");
		const char *next = memchr(line, '\n', end - line);

		if (*line && !strchr("\n#", *line))
			return text;
		text = next ? next + 1 : end;
	}
	return end;
}

static bool trace_is_lackey(const char *line)
{
	line += strspn(line, " ");
	if (!strncmp(line, "==", 2) || !strncmp(line, "--", 2))
		return true;
	return *line && strchr("ILSM", *line) && line[1] == ' ' &&
	       isxdigit((unsigned char)line[1 + strspn(line + 1, " ")]);
}

/* @head is text with a 0 behind it. */
static const struct trace_format *trace_guess_text(const char *head, size_t length)
{
	const char *line = trace_first_line(head, head + length);
	size_t cut = strcspn(line, "\n#");

	if (trace_is_lackey(line))
		return &trace_lackey;
	line += strspn(line, " \t");
	/* A head: "page" and the like. */
	if (isalpha((unsigned char)*line) || *line == '"' || *line == '_')
		return &trace_csv;
	return memchr(line, ',', cut) ? &trace_csv : &trace_text;
}

static const struct trace_format *trace_guess(const char *head, size_t length)
{
	char text[TRACE_LOOK + 1];

	if (length >= 8 && !memcmp(head, VMD_TRACE_MAGIC, 8))
		return &trace_vmd;
	if (memchr(head, 0, length))
		return &trace_oracle;
	memcpy(text, head, length);
	text[length] = 0;
	return trace_guess_text(text, length);
}

static int trace_detect(struct trace_in *in, const char *path)
{
	const char *tool;
	size_t got;
	int status = trace_fill(in, TRACE_LOOK, &got);

	if (status)
		return status;
	tool = trace_compressed((const u8 *)in->buf, got);
	if (tool)
		return ctl_usage("%s: is compressed: use '%s FILE | vmdemoctl ... -'", in->name,
				 tool);
	if (in->format)
		return CTL_OK;
	in->format = trace_guess(in->buf, got < TRACE_LOOK ? got : TRACE_LOOK);
	in->guessed = in->format != trace_format_of_name(path);
	/* Only text can be mistaken: a name tells better. */
	if (in->format == &trace_text && trace_format_of_name(path))
		in->format = trace_format_of_name(path);
	return CTL_OK;
}

int trace_open(struct trace_in *in, const char *path, const struct trace_options *options)
{
	bool is_stdin = !strcmp(path, "-");
	int status;

	*in = (struct trace_in){
		.name = is_stdin ? "standard input" : path,
		.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC),
		.format = options->format,
		.page_size = options->page_size ? options->page_size : TRACE_PAGE_SIZE,
		.data_only = options->data_only,
		.partial = options->partial,
	};
	if (in->fd < 0)
		return ctl_fail("%s: %s", path, strerror(errno));
	in->buf = malloc(TRACE_BUFFER + 1);
	if (!in->buf)
		return ctl_fail("out of memory");
	status = trace_detect(in, path);
	if (!status && in->format->begin)
		status = in->format->begin(in);
	return status;
}

void trace_close(struct trace_in *in)
{
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	free(in->buf);
	in->buf = NULL;
	in->fd = -1;
}

void trace_warn(const struct trace_in *in)
{
	if (in->lost)
		ctl_fail("warning: %s: %llu references were lost in recording: counts are too low",
			 in->name, (__u64)in->lost);
	if (in->has & VMD_TRACE_EVENTS)
		ctl_fail("warning: %s: faults were recorded, not all references (observer trap)",
			 in->name);
}
