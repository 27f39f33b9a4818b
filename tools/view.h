/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pictures of paging: what happened to which page when.
 *
 *	view_load.c	events of a recording, or of a simulation of a string
 *	view_live.c	events of a space, recorded for a while
 *	view_grid.c	counted by time and page
 *	heat_text.c	heat maps in a terminal
 *	heat_gnuplot.c	and as pictures
 *	cmd_heatmap.c	options
 *	report_json.c	all that a report shows
 *	report.html	the page that shows it
 *	cmd_report.c	options, what is put where in the page
 */
#ifndef _CTL_VIEW_H
#define _CTL_VIEW_H

#include "lab.h"

enum view_kind {
	VIEW_HIT,			/* a reference to a page in a frame */
	VIEW_FAULT,			/* one that missed */
	VIEW_EVICT,			/* a page left its frame */
	VIEW_KINDS,
};

struct view_event {
	u32 row;			/* of its page */
	u8 kind;
	u8 write;			/* of VIEW_EVICT: it was dirty */
};

/**
 * struct view - what happened
 * @name: of the file, or "space N"
 * @events: in their order
 * @nr: how many
 * @room: see @events
 * @totals: events by kind
 * @rows: places for pages: all from the first to the last, or, where most of
 *	these have no references, only the pages that have
 * @keys: if not NULL, the page of each row
 * @first: else the first row's page
 * @times: how many references there are: time is counted in them
 * @lost: that the recorder had to drop
 * @real: faults and evictions were recorded; else they were simulated
 * @policy: who decided, if simulated
 * @frames: in how many frames, if simulated
 */
struct view {
	char name[160];
	struct view_event *events;
	size_t nr;
	size_t room;
	u64 totals[VIEW_KINDS];
	u32 rows;
	u64 *keys;
	u64 first;
	u64 times;
	u64 lost;
	bool real;
	struct lab_policy policy;
	u32 frames;
};

/* The policy that decides where nothing was recorded. */
#define VIEW_POLICY	"lru"

/**
 * struct view_how - how to get them
 * @options: how to read the trace
 * @path: of the trace, or NULL
 * @space: the id of a space to record, or NULL
 * @seconds: how long
 * @policy: who decides in the simulation, NULL: VIEW_POLICY
 * @frames: "12" or "30%", NULL: half of the pages
 */
struct view_how {
	struct trace_options options;
	const char *path;
	const char *space;
	double seconds;
	const char *policy;
	const char *frames;
};

/* Options of both verbs; child_inputs[0] is a struct view_how. */
extern const struct argp_child view_common[];

int view_make(struct view *view, const struct view_how *how);
void view_free(struct view *view);

static inline __u64 view_page(const struct view *view, u32 row)
{
	return view->keys ? view->keys[row] : view->first + row;
}

/* "recorded" or "simulated: lru, 12 frames". */
void view_source(const struct view *view, char *buf, size_t size);

/* Record what happens in a space for a while, into a file that has no name. */
int view_record(const struct view_how *how, char *path, size_t size, char *name, size_t name_size);

/**
 * struct view_grid - events counted
 * @columns: of time
 * @rows: of pages
 * @count: by kind, then row by row; VIEW_HIT: of all references
 * @most: the largest of each kind
 */
struct view_grid {
	u32 columns;
	u32 rows;
	u32 *count[VIEW_KINDS];
	u32 most[VIEW_KINDS];
};

/* At most so many columns and rows; fewer where there is less. */
int view_count(const struct view *view, u32 columns, u32 rows, struct view_grid *grid);
void view_grid_free(struct view_grid *grid);

/* Of the first page of a row, and the first reference of a column. */
u32 view_grid_row(const struct view *view, const struct view_grid *grid, u32 row);
u64 view_grid_time(const struct view *view, const struct view_grid *grid, u32 column);

/* @show: of one kind, or VIEW_KINDS: all of them. */
void heat_print(const struct view *view, u32 columns, u32 rows, enum view_kind show);
int heat_picture(const struct view *view, const char *path);

#endif /* _CTL_VIEW_H */
