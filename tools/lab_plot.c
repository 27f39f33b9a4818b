// SPDX-License-Identifier: GPL-2.0-only
/* Curves in a terminal: a letter a curve. */
#include "lab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLOT_COLUMNS	64
#define PLOT_ROWS	17

/* Marks of the first curves; the ones behind have the last. */
static const char plot_marks[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*";

struct plot {
	char cell[PLOT_ROWS][PLOT_COLUMNS];
	double x_min;
	double x_max;
	double y_max;
	bool log_x;
};

static void plot_bounds(struct plot *plot, const struct lab_curve *curves, size_t nr)
{
	size_t c, i;

	plot->x_min = INFINITY;
	plot->x_max = -INFINITY;
	for (c = 0; c < nr; c++) {
		for (i = 0; i < curves[c].nr; i++) {
			plot->x_min = fmin(plot->x_min, curves[c].x[i]);
			plot->x_max = fmax(plot->x_max, curves[c].x[i]);
			plot->y_max = fmax(plot->y_max, curves[c].y[i]);
		}
	}
}

/* 0 to 1, from left to right. */
static double plot_place(const struct plot *plot, double x)
{
	if (plot->x_max <= plot->x_min)
		return 0;
	if (plot->log_x)
		return log(x / plot->x_min) / log(plot->x_max / plot->x_min);
	return (x - plot->x_min) / (plot->x_max - plot->x_min);
}

/* The curve's height at @place, a straight line between two points. */
static double plot_height(const struct plot *plot, const struct lab_curve *curve, double place)
{
	double left, right = 0;
	size_t i;

	for (i = 0; i < curve->nr; i++) {
		left = right;
		right = plot_place(plot, curve->x[i]);
		if (right >= place)
			break;
	}
	if (i == curve->nr)
		return curve->y[i - 1];
	if (!i || right <= left)
		return curve->y[i];
	return curve->y[i - 1] +
	       (curve->y[i] - curve->y[i - 1]) * (place - left) / (right - left);
}

/* What is under another curve's mark cannot be seen. */
static void plot_draw(struct plot *plot, const struct lab_curve *curve, char mark)
{
	int column, row;

	for (column = 0; column < PLOT_COLUMNS; column++) {
		double y = plot_height(plot, curve, (double)column / (PLOT_COLUMNS - 1));

		row = plot->y_max > 0 ? lround(y / plot->y_max * (PLOT_ROWS - 1)) : 0;
		if (!plot->cell[row][column])
			plot->cell[row][column] = mark;
	}
}

static char plot_mark(size_t curve)
{
	size_t last = sizeof(plot_marks) - 2;

	return plot_marks[curve < last ? curve : last];
}

static void plot_print_rows(const struct plot *plot)
{
	int row, column;

	for (row = PLOT_ROWS - 1; row >= 0; row--) {
		if (row % 4)
			printf("%10s |", "");
		else
			printf("%10.4g +", plot->y_max * row / (PLOT_ROWS - 1));
		for (column = 0; column < PLOT_COLUMNS; column++)
			putchar(plot->cell[row][column] ? plot->cell[row][column] : ' ');
		putchar('\n');
	}
}

static void plot_print_axis(const struct plot *plot, const char *x_name)
{
	double middle = plot->log_x ? sqrt(plot->x_min * plot->x_max) :
			(plot->x_min + plot->x_max) / 2;
	int half = PLOT_COLUMNS / 2, i;

	printf("%10s +", "");
	for (i = 0; i < PLOT_COLUMNS; i++)
		putchar('-');
	printf("\n%10s  %-*.6g%-*.6g%*.6g\n", "", half - 4, plot->x_min, half - 12, middle, 16,
	       plot->x_max);
	printf("%10s  %s%s\n", "", x_name, plot->log_x ? ", logarithmic" : "");
}

void lab_plot(const struct lab_curve *curves, size_t nr, const char *x_name,
	      const char *y_name, bool log_x)
{
	struct plot plot = { .log_x = log_x };
	size_t i;

	plot_bounds(&plot, curves, nr);
	for (i = 0; i < nr; i++)
		plot_draw(&plot, &curves[i], plot_mark(i));
	printf("%s\n", y_name);
	plot_print_rows(&plot);
	plot_print_axis(&plot, x_name);
	for (i = 0; nr > 1 && i < nr; i++)
		printf("%s%c %s", i % 8 ? "  " : i ? "\n            " : "            ",
		       plot_mark(i), curves[i].name);
	if (nr > 1)
		putchar('\n');
}
