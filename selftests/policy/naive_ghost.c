// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the naive models with several lists and with ghosts share: everything
 * is found by looking at all there is.
 */
#include <stdlib.h>

#include "naive_kind.h"

u64 naive_stamp(struct naive *n)
{
	n->now++;
	return (u64)n->now;
}

u32 naive_count(const struct naive *n, u32 list)
{
	u32 i, nr = 0;

	for (i = 0; i < n->nr; i++)
		nr += n->page[i].list == list && !n->page[i].parked;
	return nr;
}

u32 naive_count_all(const struct naive *n, u32 list)
{
	u32 i, nr = 0;

	for (i = 0; i < n->nr; i++)
		nr += n->page[i].list == list;
	return nr;
}

u32 naive_oldest(const struct naive *n, u32 list)
{
	u32 i, best = n->nr;

	for (i = 0; i < n->nr; i++) {
		if (n->page[i].list != list || n->page[i].parked)
			continue;
		if (best == n->nr || n->page[i].stamp < n->page[best].stamp)
			best = i;
	}
	return best;
}

u32 naive_parked(const struct naive *n)
{
	u32 i, best = n->nr;

	for (i = 0; i < n->nr; i++) {
		if (!n->page[i].parked)
			continue;
		if (best == n->nr || n->page[i].parked < n->page[best].parked)
			best = i;
	}
	return best;
}

void naive_park(struct naive *n, u32 i)
{
	n->page[i].parked = naive_stamp(n);
}

void naive_unpark_all(struct naive *n)
{
	u32 i;

	while ((i = naive_parked(n)) < n->nr) {
		n->page[i].parked = 0;
		n->page[i].stamp = naive_stamp(n);
	}
}

struct naive_page *naive_ghost(struct naive *n, u64 page)
{
	u32 i;

	for (i = 0; i < n->nr_ghosts; i++) {
		if (n->ghost[i].page == page)
			return n->ghost + i;
	}
	return NULL;
}

void naive_ghost_add(struct naive *n, struct naive_page p)
{
	if (n->nr_ghosts == NAIVE_GHOSTS(n->cap))
		abort();
	p.stamp = naive_stamp(n);
	p.parked = 0;
	n->ghost[n->nr_ghosts++] = p;
}

void naive_ghost_drop(struct naive *n, struct naive_page *g)
{
	*g = n->ghost[--n->nr_ghosts];
}

u32 naive_ghosts(const struct naive *n, u32 list)
{
	u32 i, nr = 0;

	for (i = 0; i < n->nr_ghosts; i++)
		nr += n->ghost[i].list == list;
	return nr;
}

void naive_ghost_trim(struct naive *n, u32 list, u32 most)
{
	struct naive_page *g, *best;

	while (naive_ghosts(n, list) > most) {
		best = NULL;
		for (g = n->ghost; g < n->ghost + n->nr_ghosts; g++) {
			if (g->list == list && (!best || g->stamp < best->stamp))
				best = g;
		}
		naive_ghost_drop(n, best);
	}
}

void naive_restore(struct naive *n, u32 i, u32 list)
{
	struct naive_page *g = naive_ghost(n, n->page[i].page);

	n->page[i].list = g ? g->list : list;
	if (g) {
		n->page[i].past = g->past;
		n->page[i].used = g->used;
		n->page[i].count = g->count;
		naive_ghost_drop(n, g);
	}
	naive_park(n, i);
}
