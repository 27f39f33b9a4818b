// SPDX-License-Identifier: GPL-2.0-only
/*
 * All of a reference string in memory, 4 bytes a reference: the pages get
 * small numbers in the order of their first use, so that what is kept per page
 * can be an array, however far apart they are. Policies are told the true ones.
 */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

#include "trace_map.h"

/* With the write bit they are to fit in 32 bits; indices are to, as well. */
#define LAB_MOST_PAGES	((u32)1 << 31)
#define LAB_MOST_REFS	((size_t)LAB_NEVER)

/* What loading needs besides the result. */
struct load {
	struct lab_trace *trace;
	struct trace_map map;
	size_t room;
	size_t page_room;
	struct lab_progress progress;
};

static int load_add_page(struct load *load, u64 page, u64 *number)
{
	struct lab_trace *trace = load->trace;
	u64 *keys;

	if (trace->pages == LAB_MOST_PAGES)
		return ctl_fail("%s: more than %u different pages", trace->name, LAB_MOST_PAGES);
	if (trace->pages == load->page_room) {
		load->page_room = load->page_room ? load->page_room * 2 : 1024;
		keys = realloc(trace->keys, load->page_room * sizeof(*keys));
		if (!keys)
			return ctl_fail("out of memory after %u pages", trace->pages);
		trace->keys = keys;
	}
	trace->keys[trace->pages++] = page;
	*number = trace->pages;
	return CTL_OK;
}

static int load_make_room(struct load *load)
{
	struct lab_trace *trace = load->trace;
	u32 *refs;

	if (trace->nr == LAB_MOST_REFS)
		return ctl_fail("%s: more than %zu references", trace->name, LAB_MOST_REFS);
	load->room = load->room ? load->room * 2 : 4096;
	refs = realloc(trace->refs, load->room * sizeof(*refs));
	if (!refs)
		return ctl_fail("out of memory after %zu references", trace->nr);
	trace->refs = refs;
	return CTL_OK;
}

static int load_add(struct load *load, u64 page, bool write)
{
	struct lab_trace *trace = load->trace;
	u64 *number = trace_map_value(&load->map, page);
	int status = CTL_OK;

	if (!number)
		return ctl_fail("out of memory after %u pages", trace->pages);
	if (!*number)
		status = load_add_page(load, page, number);
	if (!status && trace->nr == load->room)
		status = load_make_room(load);
	if (status)
		return status;
	trace->refs[trace->nr++] = VMD_SIM_REF(*number - 1, write);
	trace->writes += write;
	return CTL_OK;
}

static int load_all(struct load *load, struct trace_in *in)
{
	int status;

	while (!(status = trace_next(in))) {
		if (in->ref.kind == VMD_TRACE_EVICT)
			continue;
		status = load_add(load, in->ref.page, in->ref.write);
		if (status)
			return status;
		if (!(load->trace->nr % LAB_CHUNK) && lab_progress_due(&load->progress))
			fprintf(stderr, "\rreading: %zu references ", load->trace->nr);
	}
	return status == TRACE_END ? CTL_OK : status;
}

int lab_load(struct lab_trace *trace, const char *path, const struct trace_options *options,
	     bool progress)
{
	struct load load = { .trace = trace };
	struct trace_in in;
	int status = trace_open(&in, path, options);

	*trace = (struct lab_trace){ .name = in.name };
	lab_progress_init(&load.progress, progress);
	if (!status)
		status = load_all(&load, &in);
	lab_progress_end(&load.progress);
	if (!status && !trace->nr)
		status = ctl_usage("%s: no references in it", trace->name);
	if (!status)
		trace_warn(&in);
	trace->lost = in.lost;
	trace_close(&in);
	free(load.map.entries);
	return status;
}

void lab_unload(struct lab_trace *trace)
{
	free(trace->refs);
	free(trace->keys);
	free(trace->next);
	*trace = (struct lab_trace){ 0 };
}

int lab_look_ahead(struct lab_trace *trace)
{
	u32 *last, *next;
	size_t i = trace->nr;

	if (trace->next)
		return CTL_OK;
	next = malloc(trace->nr * sizeof(*next));
	last = malloc(trace->pages * sizeof(*last));
	if (!next || !last) {
		free(next);
		free(last);
		return ctl_fail("out of memory");
	}
	memset(last, 0xff, trace->pages * sizeof(*last));
	while (i--) {
		u32 page = trace->refs[i] >> 1;

		next[i] = last[page];
		last[page] = (u32)i;
	}
	free(last);
	trace->next = next;
	return CTL_OK;
}
