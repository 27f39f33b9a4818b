// SPDX-License-Identifier: GPL-2.0-only
/*
 * LIRS from its paper and the authors' program. naive_page.list is LIR or HIR,
 * bit is set while the page is in the stack S, stamp is its place there, past
 * that in the queue Q; a ghost's used tells when it went.
 */
#include "naive_kind.h"

enum { HIR, LIR };

enum { P_HIR, P_HIST, P_REPEAT };

static u32 most_lir(const struct naive *n)
{
	u64 hir = n->frames * n->params[P_HIR] / 100;

	hir = hir < 2 ? 2 : hir;
	return n->frames < hir ? 0 : (u32)(n->frames - hir);
}

static u32 most_ghosts(const struct naive *n)
{
	return (u32)(n->frames * n->params[P_HIST] / 100);
}

/* The lowest LIR page that is not parked, or of all; naive.nr: none. */
static u32 lowest(const struct naive *n, bool all)
{
	u32 i, best = n->nr;

	for (i = 0; i < n->nr; i++) {
		const struct naive_page *p = n->page + i;

		if (p->list == LIR && (all || !p->parked) &&
		    (best == n->nr || p->stamp < n->page[best].stamp))
			best = i;
	}
	return best;
}

static u32 lirs_victim(struct naive *n)
{
	u32 i, best = n->nr;

	for (i = 0; i < n->nr; i++) {
		const struct naive_page *p = n->page + i;

		if (p->list == HIR && !p->parked &&
		    (best == n->nr || p->past < n->page[best].past))
			best = i;
	}
	if (best == n->nr)
		best = lowest(n, false);
	return best < n->nr ? best : naive_parked(n);
}

static void prune(struct naive *n)
{
	u32 low = lowest(n, true), i;
	u64 limit = low < n->nr ? n->page[low].stamp : ~0ULL;

	for (i = 0; i < n->nr; i++) {
		if (n->page[i].stamp < limit)
			n->page[i].bit = false;
	}
	for (i = 0; i < n->nr_ghosts;) {
		if (n->ghost[i].stamp < limit)
			naive_ghost_drop(n, n->ghost + i);
		else
			i++;
	}
}

static void trim(struct naive *n, u32 most)
{
	struct naive_page *g, *best;

	while (n->nr_ghosts > most) {
		best = n->ghost;
		for (g = n->ghost; g < n->ghost + n->nr_ghosts; g++)
			best = g->used < best->used ? g : best;
		naive_ghost_drop(n, best);
	}
}

static void reference(struct naive *n, u32 i, bool inside)
{
	struct naive_page *p = n->page + i;

	n->key = p->page;
	n->key_known = true;
	p->parked = 0;
	p->bit = true;
	p->stamp = naive_stamp(n);
	if (p->list == HIR) {
		p->past = naive_stamp(n);
		if (inside || naive_count_all(n, LIR) < most_lir(n))
			p->list = LIR;
	}
	prune(n);
	while (naive_count_all(n, LIR) > most_lir(n)) {
		p = n->page + lowest(n, true);
		p->list = HIR;
		p->bit = false;
		p->past = naive_stamp(n);
		prune(n);
	}
}

static void unpark(struct naive *n)
{
	u32 i;

	while ((i = naive_parked(n)) < n->nr) {
		n->page[i].parked = 0;
		n->page[i].past = naive_stamp(n);
	}
}

static void lirs_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i, *g = naive_ghost(n, p->page);
	bool inside = g;

	p->list = HIR;
	if (g) {
		p->bit = true;
		p->stamp = g->stamp;
		naive_ghost_drop(n, g);
	}
	if (flags & VMD_REF_RESTORED) {
		naive_park(n, i);
		return;
	}
	unpark(n);
	p->await = flags & VMD_REF_DEFERRED;
	reference(n, i, inside);
	trim(n, most_ghosts(n));
}

static void lirs_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	if (p->await) {
		p->await = false;
		return;
	}
	if (!n->params[P_REPEAT] && n->key_known && n->key == p->page)
		return;
	reference(n, i, p->bit);
}

static void lirs_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	naive_delete(n, i);
	if (n->why == VMD_REMOVED_EVICTED && p.bit && most_ghosts(n)) {
		p.list = HIR;
		p.used = (long long)naive_stamp(n);
		n->ghost[n->nr_ghosts++] = p;
		trim(n, most_ghosts(n) + 1);
	}
	prune(n);
}

static void lirs_kept(struct naive *n, u32 i)
{
	naive_park(n, i);
	if (n->page[i].list == LIR) {
		n->page[i].stamp = naive_stamp(n);
		prune(n);
	}
}

static void lirs_resized(struct naive *n)
{
	trim(n, most_ghosts(n));
}

const struct naive_kind naive_lirs = {
	.name = "lirs",
	.victim = lirs_victim,
	.inserted = lirs_inserted,
	.touched = lirs_touched,
	.kept = lirs_kept,
	.removed = lirs_removed,
	.resized = lirs_resized,
};
