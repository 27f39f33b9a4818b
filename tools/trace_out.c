// SPDX-License-Identifier: GPL-2.0-only
/* Reference strings that are written. */
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opening the file that is being read would empty it first. */
static int trace_not_same(const char *path, const struct trace_in *in)
{
	struct stat from, to;

	if (fstat(in->fd, &from) || stat(path, &to))
		return CTL_OK;
	if (!S_ISREG(to.st_mode) || from.st_dev != to.st_dev || from.st_ino != to.st_ino)
		return CTL_OK;
	return ctl_usage("%s: is what is read: give another file", path);
}

int trace_create(struct trace_out *out, const char *path, const struct trace_format *format,
		 const struct trace_in *in)
{
	bool is_stdout = !strcmp(path, "-");
	int status = is_stdout ? CTL_OK : trace_not_same(path, in);

	*out = (struct trace_out){
		.name = is_stdout ? "standard output" : path,
		.format = format,
		.page_size = in->page_size,
		.has = in->has,
	};
	if (status)
		return status;
	out->file = is_stdout ? stdout : fopen(path, "we");
	if (!out->file)
		return ctl_fail("%s: %s", path, strerror(errno));
	return format->start ? format->start(out) : CTL_OK;
}

int trace_put(struct trace_out *out, const struct vmd_trace_record *ref)
{
	int status;

	if (ref->kind == VMD_TRACE_EVICT && !(out->format->has & VMD_TRACE_EVENTS)) {
		out->left_out++;
		return CTL_OK;
	}
	status = out->format->put(out, ref);
	out->records++;
	if (!status && ferror(out->file))
		status = ctl_fail("%s: %s", out->name, strerror(errno));
	return status;
}

/* What is half written would be taken for all of it. */
static void trace_discard(const struct trace_out *out)
{
	struct stat st;

	if (out->file != stdout && !stat(out->name, &st) && S_ISREG(st.st_mode))
		unlink(out->name);
}

static int trace_flush(struct trace_out *out)
{
	int bad = fflush(out->file) || ferror(out->file);

	if (out->file != stdout)
		bad |= fclose(out->file);
	return bad ? ctl_fail("%s: %s", out->name, strerror(errno)) : CTL_OK;
}

int trace_finish(struct trace_out *out, int status)
{
	if (!out->file)
		return status;
	if (!status && out->format->finish)
		status = out->format->finish(out);
	if (!status)
		status = trace_flush(out);
	else if (out->file != stdout)
		fclose(out->file);
	if (status)
		trace_discard(out);
	free(out->kept);
	out->kept = NULL;
	return status;
}
