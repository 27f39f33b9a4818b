// SPDX-License-Identifier: GPL-2.0-only
/*
 * LFU with dynamic aging: K = F + L. naive_page.past is K, .count is F; L is
 * naive.p.
 */
#include "naive_kind.h"

static u32 lfuda_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		const struct naive_page *p = n->page + i, *b = n->page + best;

		if (p->past < b->past ||
		    (p->past == b->past && p->used < b->used))
			best = i;
	}
	return best;
}

static void lfuda_touched(struct naive *n, u32 i)
{
	n->page[i].count++;
	n->page[i].past = n->page[i].count + (u64)n->p;
	n->page[i].used = n->now;
}

/* The highest key of all there are. */
static void lfuda_kept(struct naive *n, u32 i)
{
	u32 k;

	n->page[i].used = n->now;
	for (k = 0; k < n->nr; k++) {
		if (n->page[k].past > n->page[i].past)
			n->page[i].past = n->page[k].past;
	}
}

static void lfuda_inserted(struct naive *n, u32 i, u32 flags)
{
	n->page[i].count = flags & VMD_REF_DEFERRED ? 0 : 1;
	n->page[i].past = n->page[i].count + (u64)n->p;
	if (!(flags & VMD_REF_RESTORED))
		return;
	n->page[i].count = 1;
	n->page[i].past = n->nr == 1 ? 1 + (u64)n->p : 0;
	lfuda_kept(n, i);
}

static void lfuda_removed(struct naive *n, u32 i)
{
	if (n->why == VMD_REMOVED_EVICTED && n->page[i].past > (u64)n->p)
		n->p = (long long)n->page[i].past;
	naive_delete(n, i);
}

const struct naive_kind naive_lfuda = {
	.name = "lfuda",
	.victim = lfuda_victim,
	.inserted = lfuda_inserted,
	.touched = lfuda_touched,
	.kept = lfuda_kept,
	.removed = lfuda_removed,
};
