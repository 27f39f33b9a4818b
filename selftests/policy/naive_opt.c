// SPDX-License-Identifier: GPL-2.0-only
/*
 * Belady's MIN. naive_page.past is when the page is used next, 0 for never;
 * .bit whether it was written, .used when it was used last.
 */
#include "naive_kind.h"

/* Of two pages, whether the first one goes first. */
static bool before(const struct naive_page *a, const struct naive_page *b)
{
	if (a->parked || b->parked)
		return b->parked && (!a->parked || a->parked < b->parked);
	if (a->past && b->past)
		return a->past > b->past;
	if (a->past || b->past)
		return b->past;
	if (a->bit != b->bit)
		return b->bit;
	return a->used < b->used;
}

static u32 opt_victim(struct naive *n)
{
	u32 i, best = 0;

	for (i = 1; i < n->nr; i++) {
		if (before(n->page + i, n->page + best))
			best = i;
	}
	return best;
}

static void used(struct naive *n, u32 i)
{
	n->page[i].past = n->told;
	n->page[i].parked = 0;
	n->page[i].used = (long long)naive_stamp(n);
	n->told = 0;
}

static void opt_touched(struct naive *n, u32 i)
{
	n->page[i].bit |= n->write;
	used(n, i);
}

static void opt_inserted(struct naive *n, u32 i, u32 flags)
{
	u32 k;

	if (flags & VMD_REF_RESTORED) {
		n->page[i].bit = true;
		n->page[i].past = 0;
		n->page[i].used = (long long)naive_stamp(n);
		naive_park(n, i);
		return;
	}
	for (k = 0; k < n->nr; k++)
		n->page[k].parked = 0;
	n->page[i].bit = n->write;
	used(n, i);
}

const struct naive_kind naive_opt = {
	.name = "opt",
	.victim = opt_victim,
	.inserted = opt_inserted,
	.touched = opt_touched,
	.kept = naive_park,
};
