// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enhanced CLOCK with all its rounds. The circle is the order of stamps, and
 * the hand points at the lowest: moving it on is giving that page a new one.
 *
 * naive.p is the page + 1 that was chosen and not yet answered for.
 */
#include "naive_kind.h"

/* The page the hand points at; naive.nr: all are parked. */
static u32 at_hand(const struct naive *n)
{
	return naive_oldest(n, 0);
}

static void hand_on(struct naive *n)
{
	n->page[at_hand(n)].stamp = naive_stamp(n);
}

/* Rounds 1 and 3: whether there is one, the hand at it. */
static bool round_one(struct naive *n)
{
	u32 steps = naive_count(n, 0), i;

	while (steps--) {
		i = at_hand(n);
		if (!n->page[i].bit && !n->page[i].dirty)
			return true;
		hand_on(n);
	}
	return false;
}

/* Rounds 2 and 4. */
static bool round_two(struct naive *n)
{
	u32 steps = naive_count(n, 0), i;

	while (steps--) {
		i = at_hand(n);
		if (!n->page[i].bit && n->page[i].dirty)
			return true;
		n->page[i].bit = false;
		hand_on(n);
	}
	return false;
}

static u32 clocke_victim(struct naive *n)
{
	if (n->p)
		return naive_find(n, (u64)n->p - 1);
	if (!naive_count(n, 0))
		return naive_parked(n);
	if (!round_one(n) && !round_two(n) && !round_one(n))
		round_two(n);
	n->p = (long long)n->page[at_hand(n)].page + 1;
	return at_hand(n);
}

/* The choice falls with its page. */
static void answered(struct naive *n, u32 i)
{
	if (n->p == (long long)n->page[i].page + 1)
		n->p = 0;
}

static void clocke_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i;
	u32 k;

	n->p = 0;
	p->stamp = 0;
	if (flags & VMD_REF_RESTORED) {
		p->dirty = true;
		naive_park(n, i);
		return;
	}
	for (k = 0; k < n->nr; k++)
		n->page[k].bit |= n->page[k].parked != 0;
	naive_unpark_all(n);
	p->bit = n->params[0] && !(flags & VMD_REF_DEFERRED);
	p->dirty = flags & VMD_REF_WRITE;
	p->stamp = naive_stamp(n);
}

static void clocke_touched(struct naive *n, u32 i)
{
	answered(n, i);
	n->page[i].bit = true;
	n->page[i].dirty |= n->write;
}

static void clocke_kept(struct naive *n, u32 i)
{
	answered(n, i);
	naive_park(n, i);
}

static void clocke_removed(struct naive *n, u32 i)
{
	answered(n, i);
	naive_delete(n, i);
}

static u32 class_of(const struct naive_page *p)
{
	return p->parked ? 4 : 2 * p->bit + p->dirty;
}

/* Whether @a is to be named before @b. */
static bool before(const struct naive_page *a, const struct naive_page *b)
{
	if (class_of(a) != class_of(b))
		return class_of(a) < class_of(b);
	return a->parked ? a->parked < b->parked : a->stamp < b->stamp;
}

/* The one chosen, then by class; a copy of the model that may be spoiled. */
static void clocke_order(struct naive *n, u64 *out)
{
	u32 i, best;

	while (n->nr) {
		for (best = 0, i = 1; i < n->nr; i++) {
			if (before(n->page + i, n->page + best))
				best = i;
		}
		if (n->p)
			best = naive_find(n, (u64)n->p - 1);
		*out++ = n->page[best].page;
		clocke_removed(n, best);
	}
}

const struct naive_kind naive_clocke = {
	.name = "clock-e",
	.victim = clocke_victim,
	.inserted = clocke_inserted,
	.touched = clocke_touched,
	.kept = clocke_kept,
	.removed = clocke_removed,
	.order = clocke_order,
};
