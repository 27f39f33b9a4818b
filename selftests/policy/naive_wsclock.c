// SPDX-License-Identifier: GPL-2.0-only
/*
 * WSClock. The circle is the order of stamps, and the hand points at the
 * lowest. naive.p is the time, .past when the page was last seen in use, .count
 * when its bits last changed; .await: the hand had it written.
 */
#include "naive_kind.h"

static bool old(const struct naive *n, const struct naive_page *p)
{
	u64 tau = n->params[0] ? n->params[0] : n->frames;

	return !p->parked && !p->bit && (u64)n->p - p->past > tau;
}

static bool goes(const struct naive *n, const struct naive_page *p)
{
	return !p->parked && (p->await || (old(n, p) && !p->dirty));
}

/* What the hand does to a page that was in use. */
static void see(struct naive *n, struct naive_page *p)
{
	p->bit = false;
	p->past = (u64)n->p;
	p->count = naive_stamp(n);
}

/* Who of those with these bits has had them longest; naive.nr: nobody. */
static u32 longest(const struct naive *n, bool bit, bool dirty)
{
	u32 i, best = n->nr;

	for (i = 0; i < n->nr; i++) {
		const struct naive_page *p = n->page + i;

		if (p->parked || p->bit != bit || p->dirty != dirty)
			continue;
		if (best == n->nr || p->count < n->page[best].count)
			best = i;
	}
	return best;
}

/* A round of the hand that stops at who goes. */
static bool go_round(struct naive *n)
{
	struct naive_page *p;
	u32 steps;

	for (steps = naive_count(n, 0); steps; steps--) {
		p = n->page + naive_oldest(n, 0);
		if (goes(n, p))
			return true;
		if (p->bit)
			see(n, p);
		else
			p->await = old(n, p);
		p->stamp = naive_stamp(n);
	}
	return false;
}

static bool anyone_goes(const struct naive *n)
{
	u32 i;

	for (i = 0; i < n->nr; i++) {
		if (goes(n, n->page + i))
			return true;
	}
	return false;
}

/*
 * What a round that finds nobody does to the bits: the order in which it does
 * so is that of the first references, first those that are clean.
 */
static void see_all(struct naive *n)
{
	u32 i;

	while ((i = longest(n, true, false)) < n->nr)
		see(n, n->page + i);
	while ((i = longest(n, true, true)) < n->nr)
		see(n, n->page + i);
}

/* The hand goes on to page @i. */
static void go_to(struct naive *n, u32 i)
{
	while (naive_oldest(n, 0) != i)
		n->page[naive_oldest(n, 0)].stamp = naive_stamp(n);
}

static u32 wsclock_victim(struct naive *n)
{
	u32 clean, dirty, i;

	if (!naive_count(n, 0))
		return naive_parked(n);
	if (anyone_goes(n)) {
		go_round(n);
		return naive_oldest(n, 0);
	}
	see_all(n);
	clean = longest(n, false, false);
	dirty = longest(n, false, true);
	i = clean;
	if (clean == n->nr || (dirty < n->nr && old(n, n->page + dirty)))
		i = dirty;
	for (clean = 0; clean < n->nr; clean++)
		n->page[clean].await = old(n, n->page + clean);
	go_to(n, i);
	return i;
}

static void wsclock_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i;
	u32 k;

	if (flags & VMD_REF_RESTORED) {
		p->dirty = true;
		naive_park(n, i);
		return;
	}
	while ((k = naive_parked(n)) < n->nr) {
		n->page[k].parked = 0;
		n->page[k].bit = true;
		n->page[k].stamp = naive_stamp(n);
		n->page[k].count = naive_stamp(n);
	}
	p->bit = !(flags & VMD_REF_DEFERRED);
	p->dirty = flags & VMD_REF_WRITE;
	n->p += p->bit;
	p->past = (u64)n->p;
	p->stamp = naive_stamp(n);
	p->count = naive_stamp(n);
}

static void wsclock_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	n->p++;
	if (!p->bit || (n->write && !p->dirty))
		p->count = naive_stamp(n);
	p->bit = true;
	p->await = false;
	p->dirty |= n->write;
}

/* In which part of the order a page comes. */
static u32 part_of(const struct naive *n, const struct naive_page *p)
{
	if (p->parked)
		return 6;
	if (goes(n, p))
		return 0;
	if (old(n, p))
		return 1;
	return 2 + 2 * p->dirty + p->bit;
}

/* By parts; those that go as they stand, others by age. */
static bool before(const struct naive *n, const struct naive_page *a,
		   const struct naive_page *b)
{
	u32 part = part_of(n, a);

	if (part != part_of(n, b))
		return part < part_of(n, b);
	if (part == 0)
		return a->stamp < b->stamp;
	return part == 6 ? a->parked < b->parked : a->count < b->count;
}

static void wsclock_order(struct naive *n, u64 *out)
{
	u32 i, best;

	while (n->nr) {
		for (best = 0, i = 1; i < n->nr; i++) {
			if (before(n, n->page + i, n->page + best))
				best = i;
		}
		*out++ = n->page[best].page;
		naive_delete(n, best);
	}
}

static void wsclock_kept(struct naive *n, u32 i)
{
	n->page[i].await = false;
	naive_park(n, i);
}

const struct naive_kind naive_wsclock = {
	.name = "wsclock",
	.victim = wsclock_victim,
	.inserted = wsclock_inserted,
	.touched = wsclock_touched,
	.kept = wsclock_kept,
	.order = wsclock_order,
};
