// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of a recording, or, of a string that has no evictions, those of a
 * simulation; see view.h.
 */
#include "view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"
#include "trace_map.h"

/* Where less than that part of the pages between has references, leave them out. */
#define VIEW_SPARSE	4
#define VIEW_MOST	((size_t)1 << 28)
#define VIEW_SECONDS	5

#define VIEW_OPTION_SPACE	0x200
#define VIEW_OPTION_SECONDS	0x201

/* While it is read: pages have small numbers in the order of their first use. */
struct view_load {
	struct view *view;
	struct trace_map map;
	u64 *pages;
	u32 nr;
	size_t room;
};

static error_t view_option(int key, char *arg, struct argp_state *state)
{
	struct view_how *how = state->input;
	char *end;

	switch (key) {
	case 'p':
		how->policy = arg;
		return 0;
	case 'f':
		how->frames = arg;
		return 0;
	case VIEW_OPTION_SPACE:
		how->space = arg;
		return 0;
	case VIEW_OPTION_SECONDS:
		how->seconds = strtod(arg, &end);
		if (*end || !(how->seconds >= 0.05 && how->seconds <= 86400))
			argp_error(state, "seconds '%s': want 0.05 to 86400", arg);
		return 0;
	case ARGP_KEY_INIT:
		how->seconds = VIEW_SECONDS;
		state->child_inputs[0] = &how->options;
		return 0;
	case ARGP_KEY_ARG:
		if (how->path)
			argp_error(state, "'%s' is one argument too many", arg);
		how->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!how->path == !how->space)
			argp_error(state, "give either TRACE or --space ID");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option view_options[] = {
	{ "policy", 'p', "POLICY", 0,
	  "Who evicts, where evictions were not recorded, or opt (default: lru)", 1 },
	{ "frames", 'f', "N", 0,
	  "In how many frames, then; or N% of the pages (default: 50%)", 1 },
	{ "space", VIEW_OPTION_SPACE, "ID", 0, "Record this space now, in place of TRACE", 1 },
	{ "seconds", VIEW_OPTION_SECONDS, "N", 0, "For so long (default: 5)", 1 },
	{ 0 },
};

static const struct argp view_argp = {
	.options = view_options,
	.parser = view_option,
	.children = trace_common,
};

const struct argp_child view_common[] = {
	{ &view_argp, 0, NULL, 0 },
	{ 0 },
};

static int view_add(struct view *view, u32 row, enum view_kind kind, bool write)
{
	struct view_event *more;

	if (view->nr == VIEW_MOST)
		return ctl_fail("%s: more than %zu events", view->name, VIEW_MOST);
	if (view->nr == view->room) {
		view->room = view->room ? view->room * 2 : 4096;
		more = realloc(view->events, view->room * sizeof(*more));
		if (!more)
			return ctl_fail("out of memory after %zu events", view->nr);
		view->events = more;
	}
	view->events[view->nr++] = (struct view_event){ row, kind, write };
	view->totals[kind]++;
	view->times += kind != VIEW_EVICT;
	return CTL_OK;
}

static int view_number(struct view_load *load, u64 page, u32 *number)
{
	u64 *value = trace_map_value(&load->map, page), *more;

	*number = 0;
	if (value && !*value) {
		if (load->nr == load->room) {
			load->room = load->room ? load->room * 2 : 1024;
			more = realloc(load->pages, load->room * sizeof(*more));
			if (!more)
				return ctl_fail("out of memory after %u pages", load->nr);
			load->pages = more;
		}
		load->pages[load->nr++] = page;
		*value = load->nr;
	}
	if (!value)
		return ctl_fail("out of memory after %u pages", load->nr);
	*number = *value - 1;
	return CTL_OK;
}

static int view_read(struct view_load *load, struct trace_in *in)
{
	int status;
	u32 page = 0;

	while (!(status = trace_next(in))) {
		enum view_kind kind = in->ref.kind == VMD_TRACE_EVICT ? VIEW_EVICT :
				      in->ref.kind == VMD_TRACE_FAULT ? VIEW_FAULT : VIEW_HIT;

		load->view->real |= kind != VIEW_HIT;
		status = view_number(load, in->ref.page, &page);
		if (!status)
			status = view_add(load->view, page, kind, in->ref.write);
		if (status)
			return status;
	}
	return status == TRACE_END ? CTL_OK : status;
}

static int view_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

/* Rows in the order of pages, in place of that of their first use. */
static int view_make_rows(struct view_load *load)
{
	struct view *view = load->view;
	u64 *sorted = malloc(load->nr * sizeof(*sorted));
	u64 range;
	u32 i;

	if (!sorted)
		return ctl_fail("out of memory");
	memcpy(sorted, load->pages, load->nr * sizeof(*sorted));
	qsort(sorted, load->nr, sizeof(*sorted), view_compare);
	range = sorted[load->nr - 1] - sorted[0];
	view->first = sorted[0];
	if (range / VIEW_SPARSE < load->nr) {
		view->rows = range + 1;
		for (i = 0; i < view->nr; i++)
			view->events[i].row = load->pages[view->events[i].row] - view->first;
		free(sorted);
		return CTL_OK;
	}
	for (i = 0; i < load->nr; i++)
		*trace_map_value(&load->map, sorted[i]) = i + 1;
	for (i = 0; i < view->nr; i++)
		view->events[i].row =
			*trace_map_value(&load->map, load->pages[view->events[i].row]) - 1;
	view->rows = load->nr;
	view->keys = sorted;
	return CTL_OK;
}

static int view_load(struct view *view, const char *path, const struct trace_options *options)
{
	struct view_load load = { .view = view };
	struct trace_in in;
	int status = trace_open(&in, path, options);

	if (!*view->name)
		ctl_printable(in.name, view->name, sizeof(view->name));
	if (!status)
		status = view_read(&load, &in);
	if (!status && !load.nr)
		status = ctl_usage("%s: no references in it", view->name);
	if (!status && in.lost)
		ctl_fail("warning: %s: %llu records were lost when it was made", view->name,
			 (__u64)in.lost);
	view->lost = in.lost;
	if (!status)
		status = view_make_rows(&load);
	trace_close(&in);
	free(load.map.entries);
	free(load.pages);
	return status;
}

static int view_take_policy(struct view *view, const char *text)
{
	const char *bad = NULL;

	if (vmd_policy_parse(text, &view->policy.choice, &bad))
		return ctl_usage("policy '%s': '%s' is wrong (%s)", text, bad ? bad : text,
				 "'vmdemoctl policies -v' tells what is right");
	vmd_policy_format(&view->policy.choice, view->policy.name, sizeof(view->policy.name));
	return CTL_OK;
}

/* @used: pages that there are references to. */
static int view_take_frames(struct view *view, const char *text, u32 used)
{
	double percent;
	__u64 frames;
	char *end;

	if (!ctl_parse_number(text, &frames)) {
		if (!frames || frames > VMD_POLICY_MAX_SLOTS)
			return ctl_usage("frames '%s': want 1 to %lu", text,
					 (unsigned long)VMD_POLICY_MAX_SLOTS);
		view->frames = frames;
		return CTL_OK;
	}
	percent = strtod(text, &end);
	if (strcmp(end, "%") || !(percent > 0) || percent > 1000)
		return ctl_usage("frames '%s': want a number, or N%% of the pages", text);
	percent = floor(used * percent / 100);
	view->frames = percent < 1 ? 1 : percent;
	return CTL_OK;
}

/* A simulation's events take the place of the references it is made from. */
struct view_sim {
	struct view *view;
	const u8 *dirty;
	int status;
};

static void view_decided(void *arg, enum vmd_sim_decision what, u64 page)
{
	struct view_sim *to = arg;

	if (what == VMD_SIM_EVICTED && !to->status)
		to->status = view_add(to->view, page, VIEW_EVICT, to->dirty[page]);
}

static u32 view_used(const struct view *view, u8 *seen)
{
	u32 used = 0;
	size_t i;

	for (i = 0; i < view->nr; i++) {
		used += !seen[view->events[i].row];
		seen[view->events[i].row] = 1;
	}
	memset(seen, 0, view->rows);
	return used;
}

static int view_run(struct view *view, struct vmd_sim *sim, const struct view_event *refs,
		    size_t nr, u8 *dirty)
{
	struct view_sim to = { .view = view, .dirty = dirty };
	size_t i;
	int hit;

	sim->decided = view_decided;
	sim->arg = &to;
	for (i = 0; !to.status && i < nr; i++) {
		bool was = sim->slot_of[refs[i].row] != VMD_NO_SLOT;

		hit = vmd_sim_reference(sim, refs[i].row, refs[i].write);
		if (hit < 0) {
			to.status = ctl_fail("%s: the policy proposed no page to evict",
					     view->policy.name);
			break;
		}
		dirty[refs[i].row] = (was ? dirty[refs[i].row] : 0) | refs[i].write;
		if (!to.status)
			to.status = view_add(view, refs[i].row, hit ? VIEW_HIT : VIEW_FAULT,
					     refs[i].write);
	}
	sim->decided = NULL;
	sim->arg = NULL;
	return to.status;
}

static int view_tell_future(struct vmd_sim *sim, const struct view_event *refs, size_t nr)
{
	u32 *packed = malloc(nr * sizeof(*packed));
	size_t i;
	int error;

	if (!packed)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		packed[i] = VMD_SIM_REF(refs[i].row, refs[i].write);
	error = vmd_sim_future(sim, packed, nr);
	free(packed);
	return error;
}

static int view_simulate_in(struct view *view, const struct view_event *refs, size_t nr,
			    u8 *dirty)
{
	struct vmd_sim sim;
	int status = CTL_OK;
	u64 *keys = malloc(view->rows * sizeof(*keys));
	int error;
	u32 i;

	error = vmd_sim_init(&sim, &view->policy.choice, view->rows, view->frames);
	for (i = 0; keys && i < view->rows; i++)
		keys[i] = view_page(view, i);
	sim.keys = keys;
	if (!error && view->policy.choice.ops->flags & VMD_POLICY_FUTURE)
		error = view_tell_future(&sim, refs, nr);
	if (error || !keys)
		status = ctl_fail("out of memory");
	if (!status)
		status = view_run(view, &sim, refs, nr, dirty);
	vmd_sim_exit(&sim);
	free(keys);
	return status;
}

static int view_simulate(struct view *view, const struct view_how *how)
{
	struct view_event *refs = view->events;
	u8 *dirty = calloc(view->rows, 1);
	size_t nr = view->nr;
	int status = dirty ? view_take_policy(view, how->policy ? how->policy : VIEW_POLICY) :
			     ctl_fail("out of memory");

	if (!status)
		status = view_take_frames(view, how->frames ? how->frames : "50%",
					  view_used(view, dirty));
	if (!status) {
		view->events = NULL;
		view->nr = 0;
		view->room = 0;
		view->times = 0;
		memset(view->totals, 0, sizeof(view->totals));
		status = view_simulate_in(view, refs, nr, dirty);
		free(refs);
	}
	free(dirty);
	return status;
}

int view_make(struct view *view, const struct view_how *how)
{
	char path[64];
	int status = CTL_OK;

	*view = (struct view){ 0 };
	if (how->space)
		status = view_record(how, path, sizeof(path), view->name, sizeof(view->name));
	if (!status)
		status = view_load(view, how->space ? path : how->path, &how->options);
	if (how->space && view->name[0])
		unlink(path);
	if (status)
		return status;
	if (view->real && (how->policy || how->frames))
		return ctl_usage("%s: faults and evictions were recorded: nothing is simulated",
				 view->name);
	return view->real ? CTL_OK : view_simulate(view, how);
}

void view_free(struct view *view)
{
	free(view->events);
	free(view->keys);
	*view = (struct view){ 0 };
}

void view_source(const struct view *view, char *buf, size_t size)
{
	if (view->real)
		snprintf(buf, size, "recorded");
	else
		snprintf(buf, size, "simulated: %s, %u frame%s", view->policy.name, view->frames,
			 view->frames == 1 ? "" : "s");
}
