// SPDX-License-Identifier: GPL-2.0-only
/* Events counted by time and page; see view.h. */
#include "view.h"

#include <stdlib.h>

u32 view_grid_row(const struct view *view, const struct view_grid *grid, u32 row)
{
	return (u64)row * view->rows / grid->rows;
}

u64 view_grid_time(const struct view *view, const struct view_grid *grid, u32 column)
{
	return (u64)((double)column * view->times / grid->columns);
}

void view_grid_free(struct view_grid *grid)
{
	int kind;

	for (kind = 0; kind < VIEW_KINDS; kind++)
		free(grid->count[kind]);
	*grid = (struct view_grid){ 0 };
}

static void grid_add(struct view_grid *grid, int kind, size_t cell)
{
	if (++grid->count[kind][cell] > grid->most[kind])
		grid->most[kind] = grid->count[kind][cell];
}

/* An eviction belongs to the reference that it makes room for. */
static void grid_fill(const struct view *view, struct view_grid *grid)
{
	u64 time = 0;
	size_t i;

	for (i = 0; i < view->nr; i++) {
		const struct view_event *event = &view->events[i];
		u64 at = time < view->times ? time : view->times - 1;
		u32 column = view->times ? (u64)((double)at * grid->columns / view->times) : 0;
		size_t row = (u64)event->row * grid->rows / view->rows;

		if (event->kind != VIEW_HIT)
			grid_add(grid, event->kind, row * grid->columns + column);
		if (event->kind != VIEW_EVICT) {
			grid_add(grid, VIEW_HIT, row * grid->columns + column);
			time++;
		}
	}
}

int view_count(const struct view *view, u32 columns, u32 rows, struct view_grid *grid)
{
	int kind;

	*grid = (struct view_grid){
		.columns = view->times < columns ? view->times + !view->times : columns,
		.rows = view->rows < rows ? view->rows : rows,
	};
	for (kind = 0; kind < VIEW_KINDS; kind++) {
		grid->count[kind] = calloc((size_t)grid->columns * grid->rows, sizeof(u32));
		if (!grid->count[kind]) {
			view_grid_free(grid);
			return ctl_fail("out of memory");
		}
	}
	grid_fill(view, grid);
	return CTL_OK;
}
