// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARC from figure 4 of its paper, p a double, which also holds whole numbers.
 * Ghosts beyond the paper's bounds (its case IV) are forgotten one by one after
 * each page that came.
 * naive_page.bit is set in a ghost for which p was adapted already.
 */
#include "naive_kind.h"

enum { T1, T2, NOWHERE };	/* a ghost's list is where it came from: B1, B2 */

static u32 count_l1(const struct naive *n)
{
	return naive_count(n, T1) + naive_ghosts(n, T1);
}

static double delta(const struct naive *n, u32 over, u32 under)
{
	double d = n->params[0] ? (double)over / under : (double)(over / under);

	return d > 1 ? d : 1;
}

static void adapt(struct naive *n, struct naive_page *g)
{
	u32 b1 = naive_ghosts(n, T1), b2 = naive_ghosts(n, T2);

	if (g->bit)
		return;
	g->bit = true;
	if (g->list == T1) {
		n->real += delta(n, b2, b1);
		if (n->real > n->frames)
			n->real = n->frames;
	} else {
		n->real -= delta(n, b1, b2);
		if (n->real < 0)
			n->real = 0;
	}
}

static void arc_missed(struct naive *n, u64 key)
{
	struct naive_page *g = naive_ghost(n, key);

	if (g)
		adapt(n, g);
	n->key_known = g && g->list == T2;
}

static u32 arc_victim(struct naive *n)
{
	u32 t1 = naive_count(n, T1), a = naive_oldest(n, T1);
	u32 b = naive_oldest(n, T2);
	bool from_t1 = t1 > n->real || (n->key_known && t1 == n->real);

	if (t1 && (from_t1 || b == n->nr))
		return a;
	return b < n->nr ? b : naive_parked(n);
}

static void trim(struct naive *n)
{
	while (count_l1(n) > n->frames && naive_ghosts(n, T1))
		naive_ghost_trim(n, T1, naive_ghosts(n, T1) - 1);
	while (n->nr + n->nr_ghosts > 2 * n->frames && naive_ghosts(n, T2))
		naive_ghost_trim(n, T2, naive_ghosts(n, T2) - 1);
}

static void arc_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i, *g;

	p->list = NOWHERE;
	if (flags & VMD_REF_RESTORED) {
		p->stamp = naive_stamp(n);
		naive_restore(n, i, T2);
		trim(n);
		return;
	}
	naive_unpark_all(n);
	n->key_known = false;
	p->stamp = naive_stamp(n);
	p->await = flags & VMD_REF_DEFERRED;
	g = naive_ghost(n, p->page);
	if (g) {
		adapt(n, g);
		naive_ghost_drop(n, g);
		p->list = T2;
	} else {
		p->list = T1;
	}
	trim(n);
}

static void arc_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	if (!p->await) {
		p->list = T2;
		p->stamp = naive_stamp(n);
		p->parked = 0;
	}
	p->await = false;
}

static void arc_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	naive_delete(n, i);
	p.bit = false;
	if (n->why == VMD_REMOVED_EVICTED)
		naive_ghost_add(n, p);
}

static void arc_resized(struct naive *n)
{
	if (n->real > n->frames)
		n->real = n->frames;
	trim(n);
}

const struct naive_kind naive_arc = {
	.name = "arc",
	.victim = arc_victim,
	.missed = arc_missed,
	.inserted = arc_inserted,
	.touched = arc_touched,
	.kept = naive_park,
	.removed = arc_removed,
	.resized = arc_resized,
};
