// SPDX-License-Identifier: GPL-2.0-only
/* vmdemoctl heatmap: which pages are used when, and where that faults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "view.h"

#define HEATMAP_OPTION_SIZE	0x100
#define HEATMAP_OPTION_SHOW	0x101
#define HEATMAP_MOST		2000

struct heatmap_args {
	struct view_how how;
	const char *picture;
	unsigned int columns;
	unsigned int rows;
	enum view_kind show;
};

static const char *const heatmap_kinds[] = { "references", "faults", "evictions", "all" };

static void heatmap_take_kind(struct heatmap_args *args, struct argp_state *state,
			      const char *name)
{
	for (args->show = 0; args->show <= VIEW_KINDS; args->show++)
		if (!strcmp(heatmap_kinds[args->show], name))
			return;
	argp_error(state, "show '%s': one of references, faults, evictions, all", name);
}

static error_t heatmap_option(int key, char *arg, struct argp_state *state)
{
	struct heatmap_args *args = state->input;
	char behind;

	switch (key) {
	case 'o':
		args->picture = arg;
		if (lab_check_picture(arg))
			exit(CTL_USAGE);
		return 0;
	case HEATMAP_OPTION_SHOW:
		heatmap_take_kind(args, state, arg);
		return 0;
	case HEATMAP_OPTION_SIZE:
		if (sscanf(arg, "%ux%u%c", &args->columns, &args->rows, &behind) != 2 ||
		    !args->columns || !args->rows || args->columns > HEATMAP_MOST ||
		    args->rows > HEATMAP_MOST)
			argp_error(state, "size '%s': want COLUMNSxROWS, up to %dx%d", arg,
				   HEATMAP_MOST, HEATMAP_MOST);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->how;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option heatmap_options[] = {
	{ "output", 'o', "FILE", 0, "Draw a picture instead, FILE.svg or FILE.png (gnuplot)", 0 },
	{ "size", HEATMAP_OPTION_SIZE, "CxR", 0,
	  "At most so many columns and rows (default: 64x32)", 0 },
	{ "show", HEATMAP_OPTION_SHOW, "WHAT", 0,
	  "In text: references, faults, evictions, or all on top of each other (default)", 0 },
	{ 0 },
};

static const struct argp heatmap_argp = {
	.options = heatmap_options,
	.parser = heatmap_option,
	.args_doc = "TRACE\n--space ID",
	.doc = "Draw which pages are used when: time from left to right, counted in\n"
	       "references, pages from below to above, with faults and evictions on top.\n"
	       "\vA recording of events ('record --events', or --space) has faults and\n"
	       "evictions as they were, and no other references; of other strings they are\n"
	       "simulated, with --policy and --frames.\n"
	       "\n"
	       "Examples:\n"
	       "  vmdemoctl heatmap --policy clock --frames 10% ls.vmd\n"
	       "  vmdemoctl heatmap --space 3 --seconds 10 -o now.svg",
	.children = view_common,
};

static struct json_object *heatmap_cells(const struct view_grid *grid, enum view_kind kind)
{
	struct json_object *array = json_object_new_array();
	u32 row, column;

	for (row = 0; row < grid->rows; row++) {
		struct json_object *line = json_object_new_array();

		for (column = 0; column < grid->columns; column++) {
			u32 count = grid->count[kind][(size_t)row * grid->columns + column];

			json_object_array_add(line, json_object_new_uint64(count));
		}
		json_object_array_add(array, line);
	}
	return array;
}

static int heatmap_json(const struct view *view, const struct heatmap_args *args)
{
	struct json_object *object, *pages;
	char source[LAB_NAME + 64];
	struct view_grid grid;
	int status = view_count(view, args->columns, args->rows, &grid);
	u32 row;

	if (status)
		return status;
	object = json_object_new_object();
	pages = json_object_new_array();
	view_source(view, source, sizeof(source));
	for (row = 0; row < grid.rows; row++) {
		__u64 page = view_page(view, view_grid_row(view, &grid, row));

		json_object_array_add(pages, json_object_new_uint64(page));
	}
	ctl_json_add_text(object, "trace", view->name);
	ctl_json_add_u64(object, "references", view->times);
	ctl_json_add_u64(object, "faults", view->totals[VIEW_FAULT]);
	ctl_json_add_u64(object, "evictions", view->totals[VIEW_EVICT]);
	ctl_json_add_u64(object, "lost", view->lost);
	ctl_json_add_text(object, "source", source);
	ctl_json_add(object, "first_page_of_row", pages);
	ctl_json_add(object, "references_by_row", heatmap_cells(&grid, VIEW_HIT));
	ctl_json_add(object, "faults_by_row", heatmap_cells(&grid, VIEW_FAULT));
	ctl_json_add(object, "evictions_by_row", heatmap_cells(&grid, VIEW_EVICT));
	ctl_json_free(object, true);
	view_grid_free(&grid);
	return CTL_OK;
}

int cmd_heatmap(int argc, char **argv)
{
	struct heatmap_args args = { .columns = 64, .rows = 32, .show = VIEW_KINDS };
	struct view view = { 0 };
	int status;

	ctl_parse_args(&heatmap_argp, argc, argv, &args);
	status = view_make(&view, &args.how);
	if (!status && args.picture)
		status = heat_picture(&view, args.picture);
	if (!status && ctl_options.json)
		status = heatmap_json(&view, &args);
	else if (!status && !args.picture)
		heat_print(&view, args.columns, args.rows, args.show);
	view_free(&view);
	return status;
}
