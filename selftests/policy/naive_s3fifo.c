// SPDX-License-Identifier: GPL-2.0-only
/*
 * S3-FIFO from its paper's algorithm 1, with libCacheSim's choices where
 * module/policy/s3fifo.c says so. naive_page.count is the paper's freq.
 */
#include "naive_kind.h"

enum { SMALL, MAIN, NOWHERE };

enum { P_SMALL, P_GHOST, P_THRESHOLD, P_CAP, P_FILL };

/* naive.p: what has happened. */
#define EVICTED		1	/* a page has been, ever */
#define SEARCHING	2	/* the small queue is being emptied for one */

static u32 small_size(const struct naive *n)
{
	u64 size = n->frames * n->params[P_SMALL] / 100;

	return size < 1 ? 1 : (u32)size;
}

static u32 ghost_size(const struct naive *n)
{
	return (u32)(n->frames * n->params[P_GHOST] / 100);
}

static bool small_turn(const struct naive *n)
{
	u32 small = naive_count(n, SMALL);

	if (!small)
		return false;
	if (!naive_count(n, MAIN) || n->p & SEARCHING)
		return true;
	return small >= small_size(n);
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* evictS of the paper: the page that goes, or naive.nr. */
static u32 evict_small(struct naive *n)
{
	u32 t;

	n->p |= SEARCHING;
	for (;;) {
		t = naive_oldest(n, SMALL);
		if (t == n->nr || n->page[t].count < n->params[P_THRESHOLD])
			return t;
		n->page[t].list = MAIN;
		n->page[t].stamp = naive_stamp(n);
		n->page[t].count = 0;
	}
}

/* evictM of the paper. */
static u32 evict_main(struct naive *n)
{
	u32 t;

	for (;;) {
		t = naive_oldest(n, MAIN);
		if (t == n->nr || !n->page[t].count)
			return t;
		n->page[t].count = least(n->page[t].count, n->params[P_CAP]) - 1;
		n->page[t].stamp = naive_stamp(n);
	}
}

static u32 s3_victim(struct naive *n)
{
	u32 i = n->nr;

	if (small_turn(n))
		i = evict_small(n);
	if (i == n->nr)
		i = evict_main(n);
	if (i == n->nr)
		i = naive_parked(n);
	return i;
}

static void s3_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i, *g;

	p->list = NOWHERE;
	p->stamp = naive_stamp(n);
	if (flags & VMD_REF_RESTORED) {
		naive_restore(n, i, MAIN);
		return;
	}
	naive_unpark_all(n);
	p->stamp = naive_stamp(n);
	n->p &= ~SEARCHING;
	p->await = flags & VMD_REF_DEFERRED;
	g = naive_ghost(n, p->page);
	if (g) {
		naive_ghost_drop(n, g);
		p->list = MAIN;
	} else if (n->params[P_FILL] && !(n->p & EVICTED) &&
		   naive_count(n, SMALL) >= small_size(n)) {
		p->list = MAIN;
	} else {
		p->list = SMALL;
	}
	naive_ghost_trim(n, SMALL, ghost_size(n));
}

static void s3_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	if (p->await)
		p->await = false;
	else
		p->count++;
}

static void s3_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	naive_delete(n, i);
	if (n->why != VMD_REMOVED_EVICTED)
		return;
	n->p = EVICTED;
	if (p.list == SMALL && ghost_size(n)) {
		naive_ghost_add(n, p);
		naive_ghost_trim(n, SMALL, ghost_size(n) + 1);
	}
}

/* Those of @list with @low to @high references left, first in first. */
static void put(const struct naive *n, u32 list, u64 low, u64 high, u64 **out)
{
	u64 after = 0, count;
	u32 i, best;

	for (;;) {
		best = n->nr;
		for (i = 0; i < n->nr; i++) {
			const struct naive_page *p = n->page + i;

			count = p->count;
			if (list == MAIN)
				count = least(count, n->params[P_CAP]);
			if (p->list == list && !p->parked &&
			    p->stamp > after && count >= low && count <= high &&
			    (best == n->nr || p->stamp < n->page[best].stamp))
				best = i;
		}
		if (best == n->nr)
			return;
		after = n->page[best].stamp;
		*(*out)++ = n->page[best].page;
	}
}

/* The guess that module/policy/s3fifo.c tells of. */
static void s3_order(struct naive *n, u64 *out)
{
	u64 promoted = n->params[P_THRESHOLD], round = 0;
	u32 i;

	if (small_turn(n)) {
		put(n, SMALL, 0, promoted - 1, &out);
		put(n, MAIN, 0, 0, &out);
		put(n, SMALL, promoted, ~0ULL, &out);
		round = 1;
	}
	for (; round <= n->params[P_CAP]; round++)
		put(n, MAIN, round, round, &out);
	if (!small_turn(n))
		put(n, SMALL, 0, ~0ULL, &out);
	while ((i = naive_parked(n)) < n->nr) {
		*out++ = n->page[i].page;
		n->page[i].parked = 0;
		n->page[i].list = NOWHERE;
	}
}

static void s3_resized(struct naive *n)
{
	naive_ghost_trim(n, SMALL, ghost_size(n));
}

const struct naive_kind naive_s3fifo = {
	.name = "s3fifo",
	.victim = s3_victim,
	.inserted = s3_inserted,
	.touched = s3_touched,
	.kept = naive_park,
	.removed = s3_removed,
	.order = s3_order,
	.resized = s3_resized,
};
