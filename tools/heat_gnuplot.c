// SPDX-License-Identifier: GPL-2.0-only
/* Heat maps as pictures: what gnuplot is told. */
#include <stdio.h>

#include "view.h"

#define HEAT_COLUMNS	200
#define HEAT_ROWS	100

/* How gnuplot's x and y come from a cell: its middle. */
static double heat_x(const struct view *view, const struct view_grid *grid, u32 column)
{
	return (column + 0.5) * view->times / grid->columns;
}

static double heat_y(const struct view *view, const struct view_grid *grid, u32 row)
{
	return (row + 0.5) * view->rows / grid->rows + (view->keys ? 0 : view->first) - 0.5;
}

static void heat_data(FILE *to, const struct view *view, const struct view_grid *grid)
{
	u32 row, column;

	fputs("$refs << EOD\n", to);
	for (row = 0; row < grid->rows; row++) {
		for (column = 0; column < grid->columns; column++)
			fprintf(to, "%.10g %.10g %u\n", heat_x(view, grid, column),
				heat_y(view, grid, row),
				grid->count[VIEW_HIT][(size_t)row * grid->columns + column]);
		fputc('\n', to);
	}
	fputs("EOD\n", to);
}

/* Faults to the left of the cell's middle, evictions to the right: both show. */
static void heat_points(FILE *to, const struct view *view, const struct view_grid *grid,
			enum view_kind kind, const char *name)
{
	double aside = (kind == VIEW_FAULT ? -0.2 : 0.2) * view->times / grid->columns;
	u32 row, column;

	fprintf(to, "$%s << EOD\n", name);
	for (row = 0; row < grid->rows; row++)
		for (column = 0; column < grid->columns; column++)
			if (grid->count[kind][(size_t)row * grid->columns + column])
				fprintf(to, "%.10g %.10g\n", heat_x(view, grid, column) + aside,
					heat_y(view, grid, row));
	/* A plot of nothing is an error: a point where nobody sees it. */
	fputs("NaN NaN\nEOD\n", to);
}

static void heat_plot(FILE *to, const struct view *view, const struct view_grid *grid)
{
	/* Where there are many they may not hide what is below. */
	bool many = grid->columns > 100 || grid->rows > 60;
	double size = many ? 0.25 : 0.7, half = 0.5 * view->rows / grid->rows;
	const char *alpha = many ? "80" : "00";

	fprintf(to, "set xrange [0:%llu]\n", (__u64)view->times);
	fprintf(to, "set yrange [%.10g:%.10g]\n", heat_y(view, grid, 0) - half,
		heat_y(view, grid, grid->rows - 1) + half);
	fprintf(to, "set xlabel 'references'\nset ylabel '%s'\nset tics out nomirror\n"
		"set cblabel 'references a cell'\nset cbrange [0:%u]\n"
		"set palette defined (0 '#ffffff', 0.01 '#e3edf7', 1 '#1f4e79')\n"
		"set key outside below horizontal samplen 1\nset bmargin 6\n",
		view->keys ? "pages that are used, in order" : "page", grid->most[VIEW_HIT]);
	fputs("plot $refs using 1:2:3 with image notitle, ", to);
	fprintf(to, "$faults using 1:2 with points pt 7 ps %.2f lc rgb '#%sd55e00' title 'fault', ",
		size, alpha);
	fprintf(to, "$evicts using 1:2 with points pt 5 ps %.2f lc rgb '#%se69f00' title ", size,
		alpha);
	fputs("'eviction'\nunset output\n", to);
}

int heat_picture(const struct view *view, const char *path)
{
	char title[LAB_NAME + 256], source[LAB_NAME + 64];
	struct view_grid grid;
	FILE *to;
	int status = view_count(view, HEAT_COLUMNS, HEAT_ROWS, &grid);

	if (status)
		return status;
	to = lab_gnuplot_start(path, 1200, 700);
	if (!to) {
		view_grid_free(&grid);
		return CTL_FAILED;
	}
	view_source(view, source, sizeof(source));
	snprintf(title, sizeof(title), "%s: faults and evictions %s", view->name, source);
	fputs("set title ", to);
	lab_gnuplot_quote(to, title);
	fputs(" noenhanced\n", to);
	heat_data(to, view, &grid);
	heat_points(to, view, &grid, VIEW_FAULT, "faults");
	heat_points(to, view, &grid, VIEW_EVICT, "evicts");
	heat_plot(to, view, &grid);
	view_grid_free(&grid);
	return lab_gnuplot_end(to, path);
}
