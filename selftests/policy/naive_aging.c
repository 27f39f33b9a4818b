// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aging: .count is the counter, naive.p counts references to the next tick.
 */
#include "naive_kind.h"

enum { P_BITS, P_PERIOD };

static bool lower(const struct naive_page *a, const struct naive_page *b)
{
	if (!a->parked != !b->parked)
		return !a->parked;
	if (a->parked)
		return a->parked < b->parked;
	return a->count < b->count ||
	       (a->count == b->count && a->stamp < b->stamp);
}

static u32 aging_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		if (lower(n->page + i, n->page + best))
			best = i;
	}
	return best;
}

static void heard(struct naive *n)
{
	u64 period = n->params[P_PERIOD] ? n->params[P_PERIOD] : n->frames;
	u32 i;

	n->p++;
	if ((u64)n->p < period)
		return;
	n->p = 0;
	for (i = 0; i < n->nr; i++)
		n->page[i].count >>= 1;
}

static void refer(struct naive *n, u32 i)
{
	n->page[i].count |= 1ULL << (n->params[P_BITS] - 1);
}

static void aging_inserted(struct naive *n, u32 i, u32 flags)
{
	u32 k;

	if (flags & VMD_REF_RESTORED) {
		naive_park(n, i);
		return;
	}
	/* Those kept come back as if they were new: nothing but the top bit. */
	for (k = 0; k < n->nr; k++) {
		if (n->page[k].parked) {
			n->page[k].count = 0;
			refer(n, k);
		}
	}
	naive_unpark_all(n);
	n->page[i].stamp = naive_stamp(n);
	if (!(flags & VMD_REF_DEFERRED)) {
		refer(n, i);
		heard(n);
	}
}

static void aging_touched(struct naive *n, u32 i)
{
	refer(n, i);
	heard(n);
}

const struct naive_kind naive_aging = {
	.name = "aging",
	.victim = aging_victim,
	.inserted = aging_inserted,
	.touched = aging_touched,
	.kept = naive_park,
};
