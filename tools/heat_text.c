// SPDX-License-Identifier: GPL-2.0-only
/* Heat maps in a terminal: letters say what colours could. */
#include <stdio.h>

#include "view.h"

/* References of a cell without faults or evictions, from few to the most. */
static const char heat_ramp[] = ".:+#";

static char heat_density(const struct view_grid *grid, enum view_kind kind, size_t cell)
{
	u32 count = grid->count[kind][cell];

	if (!count)
		return ' ';
	return heat_ramp[(u64)(count - 1) * (sizeof(heat_ramp) - 1) / grid->most[kind]];
}

static char heat_letter(const struct view_grid *grid, enum view_kind show, size_t cell)
{
	bool fault = grid->count[VIEW_FAULT][cell], evict = grid->count[VIEW_EVICT][cell];

	if (show < VIEW_KINDS)
		return heat_density(grid, show, cell);
	if (fault && evict)
		return '&';
	if (fault || evict)
		return fault ? 'f' : 'e';
	return heat_density(grid, VIEW_HIT, cell);
}

static void heat_legend(const struct view_grid *grid, enum view_kind show)
{
	static const char *const names[] = { "references", "faults", "evictions" };

	if (show == VIEW_KINDS)
		printf("f fault  e eviction  & both  . : + # references only, at most %u a cell\n",
		       grid->most[VIEW_HIT]);
	else
		printf(". : + # %s, at most %u a cell\n", names[show], grid->most[show]);
}

void heat_print(const struct view *view, u32 columns, u32 rows, enum view_kind show)
{
	struct view_grid grid;
	char source[LAB_NAME + 64];
	u32 row, column;

	if (view_count(view, columns, rows, &grid))
		return;
	view_source(view, source, sizeof(source));
	printf("%s: %llu references to %u rows of pages; faults %llu, evictions %llu (%s)\n",
	       view->name, (__u64)view->times, view->rows, (__u64)view->totals[VIEW_FAULT],
	       (__u64)view->totals[VIEW_EVICT], source);
	heat_legend(&grid, show);
	for (row = grid.rows; row--;) {
		printf("%10llu |", view_page(view, view_grid_row(view, &grid, row)));
		for (column = 0; column < grid.columns; column++)
			putchar(heat_letter(&grid, show, (size_t)row * grid.columns + column));
		putchar('\n');
	}
	printf("%10s +", "page");
	for (column = 0; column < grid.columns; column++)
		putchar('-');
	printf("\n%10s  0%*llu references\n", "", (int)grid.columns - 1, (__u64)view->times);
	view_grid_free(&grid);
}
