// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl report: what the page shows, as JSON. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#define REPORT_COLUMNS	240
#define REPORT_ROWS	120

/* The page map: states at so many moments, of so many cells. */
#define REPORT_MOMENTS	120
#define REPORT_CELLS	1024

/* Of a page, from what matters least on. */
enum report_state {
	REPORT_ABSENT,
	REPORT_SWAPPED,
	REPORT_CLEAN,
	REPORT_DIRTY,
};

static const char report_letters[] = { '.', 's', 'r', 'd' };

static struct json_object *report_cells(const struct view_grid *grid, enum view_kind kind)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < (size_t)grid->rows * grid->columns; i++)
		json_object_array_add(array, json_object_new_uint64(grid->count[kind][i]));
	return array;
}

static struct json_object *report_pages(const struct view *view, u32 rows)
{
	struct json_object *array = json_object_new_array();
	u32 i;

	for (i = 0; i < rows; i++) {
		u64 page = view_page(view, (u64)i * view->rows / rows);

		json_object_array_add(array, json_object_new_uint64(page));
	}
	return array;
}

static struct json_object *report_heat(const struct view *view)
{
	struct json_object *object;
	struct view_grid grid;

	if (view_count(view, REPORT_COLUMNS, REPORT_ROWS, &grid))
		return NULL;
	object = json_object_new_object();
	ctl_json_add_u64(object, "columns", grid.columns);
	ctl_json_add_u64(object, "rows", grid.rows);
	ctl_json_add(object, "pages", report_pages(view, grid.rows));
	ctl_json_add(object, "references", report_cells(&grid, VIEW_HIT));
	ctl_json_add(object, "faults", report_cells(&grid, VIEW_FAULT));
	ctl_json_add(object, "evictions", report_cells(&grid, VIEW_EVICT));
	view_grid_free(&grid);
	return object;
}

static void report_apply(u8 *states, const struct view_event *event)
{
	u8 *state = &states[event->row];

	if (event->kind == VIEW_EVICT)
		*state = REPORT_SWAPPED;
	else if (event->write)
		*state = REPORT_DIRTY;
	else if (event->kind == VIEW_FAULT || *state < REPORT_CLEAN)
		*state = REPORT_CLEAN;
}

static struct json_object *report_moment(const struct view *view, const u8 *states, u32 cells,
					 u64 time)
{
	struct json_object *object = json_object_new_object();
	u64 resident = 0, dirty = 0;
	char map[REPORT_CELLS + 1];
	u8 most[REPORT_CELLS] = { 0 };
	u32 i;

	for (i = 0; i < view->rows; i++) {
		u8 *cell = &most[(u64)i * cells / view->rows];

		resident += states[i] >= REPORT_CLEAN;
		dirty += states[i] == REPORT_DIRTY;
		if (states[i] > *cell)
			*cell = states[i];
	}
	for (i = 0; i < cells; i++)
		map[i] = report_letters[most[i]];
	map[cells] = 0;
	ctl_json_add_u64(object, "time", time);
	ctl_json_add_u64(object, "resident", resident);
	ctl_json_add_u64(object, "dirty", dirty);
	ctl_json_add(object, "map", json_object_new_string(map));
	return object;
}

/* The state before the first reference and after each of the others shown. */
static struct json_object *report_moments(const struct view *view, u8 *states, u32 cells)
{
	u64 moments = view->times < REPORT_MOMENTS ? view->times : REPORT_MOMENTS;
	struct json_object *array = json_object_new_array();
	u64 time = 0, next = 0;
	size_t i;

	json_object_array_add(array, report_moment(view, states, cells, 0));
	for (i = 0; i < view->nr; i++) {
		report_apply(states, &view->events[i]);
		if (view->events[i].kind == VIEW_EVICT)
			continue;
		if (++time * moments / view->times == next)
			continue;
		next = time * moments / view->times;
		json_object_array_add(array, report_moment(view, states, cells, time));
	}
	return array;
}

static struct json_object *report_timeline(const struct view *view)
{
	u32 cells = view->rows < REPORT_CELLS ? view->rows : REPORT_CELLS;
	u8 *states = calloc(view->rows, 1);
	struct json_object *object;

	if (!states) {
		ctl_fail("out of memory");
		return NULL;
	}
	object = json_object_new_object();
	ctl_json_add(object, "pages", report_pages(view, cells));
	ctl_json_add(object, "moments", report_moments(view, states, cells));
	free(states);
	return object;
}

static struct json_object *report_point(double x, double y)
{
	struct json_object *point = json_object_new_array();

	json_object_array_add(point, json_object_new_double(x));
	json_object_array_add(point, json_object_new_double(y));
	return point;
}

static struct json_object *report_curves(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	const struct lab_args *args = &report->args;
	size_t p, i;

	for (p = 0; p < args->nr_policies; p++) {
		struct json_object *curve = json_object_new_object();
		struct json_object *points = json_object_new_array();

		for (i = 0; i < args->nr_frames; i++) {
			const struct lab_run *run = &report->runs[p * args->nr_frames + i];
			double ratio = lab_ratio(run->totals.misses, run->totals.references);

			json_object_array_add(points, report_point(run->frames, ratio));
		}
		ctl_json_add_text(curve, "policy", args->policies[p].name);
		ctl_json_add(curve, "points", points);
		json_object_array_add(array, curve);
	}
	return array;
}

static struct json_object *report_table(const struct report *report)
{
	struct json_object *array = json_object_new_array();
	size_t p, nr = report->args.nr_policies;
	double best = report->at[nr - 1].totals.misses;

	for (p = 0; p < nr; p++) {
		struct json_object *row = json_object_new_object();
		double more = report->at[p].totals.misses - best;

		lab_json_run(row, &report->at[p]);
		/* Two reports of the same string are to be the same. */
		json_object_object_del(row, "references_per_second");
		ctl_json_add(row, "regret_percent",
			     json_object_new_double(100 * more / best));
		json_object_array_add(array, row);
	}
	return array;
}

static struct json_object *report_ws(const struct lab_ws *ws)
{
	struct json_object *object = json_object_new_object();
	struct json_object *samples = json_object_new_array();
	size_t i;

	for (i = 0; i < ws->nr; i++)
		json_object_array_add(samples, report_point(ws->at[i], ws->size[i]));
	ctl_json_add_u64(object, "window", ws->window);
	ctl_json_add(object, "mean", json_object_new_double(ws->mean));
	ctl_json_add_u64(object, "max", ws->most);
	ctl_json_add(object, "samples", samples);
	return object;
}

struct json_object *report_json(const struct report *report)
{
	struct json_object *object = json_object_new_object();
	struct json_object *heat = report_heat(&report->view);
	struct json_object *timeline = report_timeline(&report->view);
	char source[LAB_NAME + 64];

	view_source(&report->view, source, sizeof(source));
	lab_json_head(object, &report->trace);
	ctl_json_add_text(object, "trace", report->view.name);
	ctl_json_add_u64(object, "faults", report->view.totals[VIEW_FAULT]);
	ctl_json_add_u64(object, "evictions", report->view.totals[VIEW_EVICT]);
	ctl_json_add(object, "recorded", json_object_new_boolean(report->view.real));
	ctl_json_add_text(object, "source", source);
	ctl_json_add_u64(object, "frames", report->frames);
	ctl_json_add_text(object, "command", report->command);
	ctl_json_add_text(object, "version", CTL_VERSION);
	ctl_json_add(object, "heat", heat);
	ctl_json_add(object, "timeline", timeline);
	ctl_json_add(object, "curves", report_curves(report));
	ctl_json_add(object, "table", report_table(report));
	ctl_json_add(object, "working_set", report_ws(&report->ws));
	ctl_json_add(object, "measured", json_object_get(report->measured));
	if (heat && timeline)
		return object;
	json_object_put(object);
	return NULL;
}
