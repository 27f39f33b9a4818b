// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generations of the model in mglru.c's head, with numbers that only grow:
 * naive_page.list is the one in whose list it stands, .count the one it has.
 * naive.p is the youngest, naive.hand the oldest.
 */
#include "naive_kind.h"

enum { P_GENS, P_NEW };

static u32 having(const struct naive *n, long long generation)
{
	u32 i, nr = 0;

	for (i = 0; i < n->nr; i++)
		nr += !n->page[i].parked && n->page[i].count == (u64)generation;
	return nr;
}

static u32 in_generations(const struct naive *n)
{
	u32 i, nr = 0;

	for (i = 0; i < n->nr; i++)
		nr += !n->page[i].parked;
	return nr;
}

/* At first there are three. */
static void begin(struct naive *n)
{
	if (n->p < 2)
		n->p = 2;
}

static bool time_to_age(const struct naive *n)
{
	u32 all = in_generations(n), generations = (u32)n->p - n->hand + 1;

	if (generations < 3)
		return true;
	if (generations == n->params[P_GENS])
		return false;
	return having(n, n->p) > all / 2.0 || having(n, n->p - 2) < all / 4.0;
}

static void put(struct naive *n, u32 i, u64 generation)
{
	n->page[i].count = generation;
	n->page[i].list = (u32)generation;
	n->page[i].stamp = naive_stamp(n);
	n->page[i].parked = 0;
}

static u32 mglru_victim(struct naive *n)
{
	u32 i;

	begin(n);
	if (!in_generations(n))
		return naive_parked(n);
	for (;;) {
		while (time_to_age(n))
			n->p++;
		i = naive_oldest(n, n->hand);
		if (i < n->nr && n->page[i].count == n->hand)
			return i;
		if (i < n->nr)
			put(n, i, n->page[i].count);
		else
			n->hand++;
	}
}

static void unpark(struct naive *n)
{
	u32 i;

	while ((i = naive_parked(n)) < n->nr)
		put(n, i, (u64)n->p);
}

static void mglru_inserted(struct naive *n, u32 i, u32 flags)
{
	begin(n);
	if (flags & VMD_REF_RESTORED) {
		naive_park(n, i);
		return;
	}
	unpark(n);
	put(n, i, n->params[P_NEW] ? (u64)n->p : n->hand);
	n->page[i].await = flags & VMD_REF_DEFERRED;
}

static void mglru_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	if (!p->await && p->parked)
		put(n, i, (u64)n->p);
	else if (!p->await)
		p->count = (u64)n->p;
	p->await = false;
}

const struct naive_kind naive_mglru = {
	.name = "mglru",
	.victim = mglru_victim,
	.inserted = mglru_inserted,
	.touched = mglru_touched,
	.kept = naive_park,
};
