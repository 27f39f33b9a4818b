// SPDX-License-Identifier: GPL-2.0-only
/*
 * CAR from figure 2 of its paper. Ghosts beyond the paper's bounds are forgotten
 * one by one after each page that came.
 */
#include "naive_kind.h"

enum { T1, T2, NOWHERE };	/* a ghost's list is where it came from: B1, B2 */

static long long most(long long a, long long b)
{
	return a > b ? a : b;
}

static u32 car_victim(struct naive *n)
{
	u32 a, b, i;

	for (;;) {
		a = naive_oldest(n, T1);
		b = naive_oldest(n, T2);
		if (a == n->nr && b == n->nr)
			return naive_parked(n);
		i = b;
		if (naive_count(n, T1) >= most(1, n->p) || b == n->nr)
			i = a;
		if (!n->page[i].bit)
			return i;
		n->page[i].bit = false;
		n->page[i].list = T2;
		n->page[i].stamp = naive_stamp(n);
	}
}

static void trim(struct naive *n)
{
	while (naive_count(n, T1) + naive_ghosts(n, T1) > n->frames &&
	       naive_ghosts(n, T1))
		naive_ghost_trim(n, T1, naive_ghosts(n, T1) - 1);
	while (n->nr + n->nr_ghosts > 2 * n->frames && naive_ghosts(n, T2))
		naive_ghost_trim(n, T2, naive_ghosts(n, T2) - 1);
}

static void adapt(struct naive *n, u32 list)
{
	long long b1 = naive_ghosts(n, T1), b2 = naive_ghosts(n, T2);

	if (list == T1)
		n->p += most(1, b2 / b1);
	else
		n->p -= most(1, b1 / b2);
	n->p = most(n->p, 0);
	if (n->p > n->frames)
		n->p = n->frames;
}

static void car_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i, *g;

	p->list = NOWHERE;
	if (flags & VMD_REF_RESTORED) {
		g = naive_ghost(n, p->page);
		p->bit = g && g->bit;
		p->stamp = naive_stamp(n);
		naive_restore(n, i, T2);
		trim(n);
		return;
	}
	naive_unpark_all(n);
	p->stamp = naive_stamp(n);
	p->await = flags & VMD_REF_DEFERRED;
	p->list = T1;
	g = naive_ghost(n, p->page);
	if (g) {
		p->list = NOWHERE;
		adapt(n, g->list);
		naive_ghost_drop(n, g);
		p->list = T2;
	}
	trim(n);
}

static void car_touched(struct naive *n, u32 i)
{
	if (!n->page[i].await)
		n->page[i].bit = true;
	n->page[i].await = false;
}

static void car_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	naive_delete(n, i);
	if (n->why == VMD_REMOVED_EVICTED)
		naive_ghost_add(n, p);
}

static void car_resized(struct naive *n)
{
	if (n->p > n->frames)
		n->p = n->frames;
	trim(n);
}

const struct naive_kind naive_car = {
	.name = "car",
	.victim = car_victim,
	.inserted = car_inserted,
	.touched = car_touched,
	.kept = naive_park,
	.removed = car_removed,
	.resized = car_resized,
};
