// SPDX-License-Identifier: GPL-2.0-only
/*
 * LRU-2 from figure 2.1 of its paper. naive_page.used is HIST(p, 1), past is
 * HIST(p, 2) and count is LAST(p); naive.p is the time.
 */
#include "naive_kind.h"

enum { P_HIST, P_CRP };

static u32 most(const struct naive *n)
{
	return (u32)(n->frames * n->params[P_HIST] / 100);
}

static bool old(const struct naive *n, const struct naive_page *p)
{
	return (u64)n->p + 1 - p->count > n->params[P_CRP];
}

/* Whether @a is to go rather than @b. */
static bool before(const struct naive *n, const struct naive_page *a,
		   const struct naive_page *b)
{
	if (old(n, a) != old(n, b))
		return old(n, a);
	if (a->past || b->past)
		return a->past < b->past;
	return a->count < b->count;
}

static u32 lruk_victim(struct naive *n)
{
	u32 i, best = n->nr;

	for (i = 0; i < n->nr; i++) {
		if (n->page[i].parked)
			continue;
		if (best == n->nr || before(n, n->page + i, n->page + best))
			best = i;
	}
	return best < n->nr ? best : naive_parked(n);
}

static void lruk_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i, *g = naive_ghost(n, p->page);

	if (flags & VMD_REF_RESTORED) {
		if (!g) {
			p->used = ++n->p;
			p->past = (u64)n->p;
			p->count = (u64)n->p;
		}
		naive_restore(n, i, 0);
		return;
	}
	naive_unpark_all(n);
	p->past = 0;
	if (g) {
		p->past = (u64)g->used;
		naive_ghost_drop(n, g);
	}
	p->used = ++n->p;
	p->count = (u64)n->p;
	p->await = flags & VMD_REF_DEFERRED;
	naive_ghost_trim(n, 0, most(n));
}

static void lruk_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;
	u64 period;

	if (p->await) {
		p->await = false;
		return;
	}
	p->parked = 0;
	n->p++;
	if ((u64)n->p - p->count > n->params[P_CRP]) {
		period = p->count - (u64)p->used;
		p->past = (u64)p->used + period;
		p->used = n->p;
	}
	p->count = (u64)n->p;
}

static void lruk_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	naive_delete(n, i);
	if (n->why != VMD_REMOVED_EVICTED || !most(n))
		return;
	naive_ghost_add(n, p);
	naive_ghost_trim(n, 0, most(n) + 1);
}

static void lruk_resized(struct naive *n)
{
	naive_ghost_trim(n, 0, most(n));
}

const struct naive_kind naive_lruk = {
	.name = "lru-k",
	.victim = lruk_victim,
	.inserted = lruk_inserted,
	.touched = lruk_touched,
	.kept = naive_park,
	.removed = lruk_removed,
	.resized = lruk_resized,
};
