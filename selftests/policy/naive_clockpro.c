// SPDX-License-Identifier: GPL-2.0-only
/*
 * CLOCK-Pro from its paper and the authors' program. The circle is all pages
 * that are not parked and all ghosts, by stamp. naive_page.list is 1 for a hot
 * page, past is 1 in the test period, bit is the reference bit; naive.p are the
 * program's ColdIncreaseCredits.
 */
#include "naive_kind.h"

enum { P_COLD, P_ADAPTIVE, P_MAX, P_REPEAT };
enum { HOT, COLD, TEST };	/* hands */

#define MATCHED	1
#define DEMOTED	2

/* The @i'th of all there is; NULL: it is not in the circle. */
static struct naive_page *nth(struct naive *n, u32 i)
{
	if (i >= n->nr)
		return n->ghost + (i - n->nr);
	return n->page[i].parked ? NULL : n->page + i;
}

static bool gone(const struct naive *n, const struct naive_page *p)
{
	return p >= n->ghost && p < n->ghost + n->nr_ghosts;
}

/* The one with the lowest stamp above @after, or with the highest below. */
static struct naive_page *step(struct naive *n, u64 from, bool up)
{
	struct naive_page *best = NULL, *p;
	u32 i;

	for (i = 0; i < n->nr + n->nr_ghosts; i++) {
		p = nth(n, i);
		if (!p || (up ? p->stamp <= from : p->stamp >= from))
			continue;
		if (!best || (up ? p->stamp < best->stamp :
				   p->stamp > best->stamp))
			best = p;
	}
	return best;
}

static struct naive_page *next(struct naive *n, const struct naive_page *p)
{
	struct naive_page *other = step(n, p->stamp, true);

	return other ? other : step(n, 0, true);
}

static struct naive_page *prev(struct naive *n, const struct naive_page *p)
{
	struct naive_page *other = step(n, p->stamp, false);

	return other ? other : step(n, ~0ULL, false);
}

static struct naive_page *hand(struct naive *n, u32 which)
{
	struct naive_page *p;
	u32 i;

	for (i = 0; i < n->nr + n->nr_ghosts; i++) {
		p = nth(n, i);
		if (p && p->page + 1 == n->hands[which])
			return p;
	}
	return NULL;
}

static void point(struct naive *n, u32 which, const struct naive_page *p)
{
	n->hands[which] = p ? p->page + 1 : 0;
}

static u32 share(const struct naive *n, u32 percent)
{
	u32 k = (u32)((u64)n->frames * percent / 100);

	return k < 2 ? 2 : k;
}

static bool resident_cold(const struct naive *n, const struct naive_page *p)
{
	return !p->list && !p->parked && !gone(n, p);
}

static u32 count(struct naive *n, u32 list)
{
	return naive_count(n, list);
}

static void seek(struct naive *n)
{
	if (!count(n, 0))
		return;
	while (!resident_cold(n, hand(n, COLD)))
		point(n, COLD, next(n, hand(n, COLD)));
}

static void joined(struct naive *n, struct naive_page *p)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		if (!n->hands[i])
			point(n, i, p);
	}
	if (resident_cold(n, p) && count(n, 0) == 1)
		point(n, COLD, p);
}

static void leave(struct naive *n, struct naive_page *p)
{
	struct naive_page *other = next(n, p);
	u32 i;

	for (i = 0; i < 3; i++) {
		if (n->hands[i] == p->page + 1)
			point(n, i, other == p ? NULL : other);
	}
}

static void move(struct naive *n, struct naive_page *p, u32 list, u64 test)
{
	leave(n, p);
	p->list = list;
	p->past = test;
	p->bit = false;
	p->stamp = naive_stamp(n);
	joined(n, p);
	seek(n);
}

static void drop_ghost(struct naive *n, struct naive_page *g)
{
	leave(n, g);
	naive_ghost_drop(n, g);
	seek(n);
}

static void step_test(struct naive *n)
{
	struct naive_page *p = hand(n, TEST);

	point(n, TEST, next(n, p));
	if (p->list)
		return;
	p->past = 0;
	p->bit = false;
	if (gone(n, p)) {
		n->p -= n->params[P_ADAPTIVE];
		drop_ghost(n, p);
	}
}

static void limit(struct naive *n)
{
	while (n->nr_ghosts > n->frames)
		step_test(n);
}

/* @target is a page + 1; 0: none. */
static u32 run_hot(struct naive *n, u64 target)
{
	bool done = false;
	u32 did = 0;

	while (count(n, 1) && (!done || !hand(n, HOT)->list)) {
		struct naive_page *p = hand(n, HOT);

		if (!p->list) {
			if (p->page + 1 == target) {
				done = true;
				did |= MATCHED;
			}
			point(n, HOT, next(n, p));
		} else if (p->bit) {
			move(n, p, 1, 0);
		} else {
			done = true;
			did |= DEMOTED;
			move(n, p, 0, 0);
		}
		if (prev(n, hand(n, HOT)) == hand(n, TEST)) {
			step_test(n);
			limit(n);
		}
	}
	return did;
}

static void bound(struct naive *n)
{
	long long cold = (long long)n->frames - count(n, 1);
	u32 most = share(n, (u32)n->params[P_MAX]);
	u32 least = share(n, (u32)n->params[P_COLD]);

	if (most < least)
		most = least;
	if (n->p > 0 && cold >= most)
		n->p = 0;
	if (n->p < 0 && cold <= least)
		n->p = 0;
}

static void accessed(struct naive *n)
{
	u64 target = n->hands[COLD];
	u32 did;

	bound(n);
	if (n->p < 0) {
		n->p++;
		move(n, hand(n, COLD), 1, 0);
	} else if (n->p > 0) {
		did = run_hot(n, target);
		if (did & MATCHED) {
			hand(n, COLD)->bit = false;
			n->p -= did == (MATCHED | DEMOTED);
		} else {
			struct naive_page *p = hand(n, COLD);

			n->p--;
			next(n, p)->bit = true;
			move(n, p, 0, 1);
		}
	} else {
		did = run_hot(n, target);
		if (did != MATCHED)
			move(n, hand(n, COLD), 1, 0);
	}
}

static u32 pro_victim(struct naive *n)
{
	struct naive_page *p;

	for (;;) {
		if (!count(n, 0) && !count(n, 1))
			return naive_parked(n);
		if (!count(n, 0)) {
			run_hot(n, 0);
			continue;
		}
		p = hand(n, COLD);
		if (!p->bit || !p->past)
			return (u32)(p - n->page);
		accessed(n);
	}
}

/* Make the page at index @i part of nothing while the circle is worked on. */
static u64 hide(struct naive *n, u32 i)
{
	n->page[i].parked = ~0ULL;
	return n->page[i].page;
}

static void pro_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i, *g;
	u64 page = hide(n, i);
	u32 list = 0, k;

	g = naive_ghost(n, page);
	if (flags & VMD_REF_RESTORED) {
		p->list = g ? 0 : 1;
		p->past = g ? g->past : 0;
		if (g)
			drop_ghost(n, g);
		naive_park(n, i);
		return;
	}
	for (;;) {
		k = naive_parked(n);
		if (k == n->nr || k == i)
			break;
		n->page[k].parked = 0;
		n->page[k].stamp = naive_stamp(n);
		joined(n, n->page + k);
	}
	if (count(n, 0) + count(n, 1) + share(n, (u32)n->params[P_COLD]) <
	    n->frames) {
		list = 1;
	} else if (g && run_hot(n, page + 1) != MATCHED) {
		list = 1;
		n->p += n->params[P_ADAPTIVE];
	}
	g = naive_ghost(n, page);
	if (g)
		drop_ghost(n, g);
	p->parked = 0;
	p->stamp = naive_stamp(n);
	p->list = list;
	p->past = !list;
	p->await = flags & VMD_REF_DEFERRED;
	joined(n, p);
	n->key = page;
	n->key_known = true;
}

static void pro_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;
	bool again = n->key_known && n->key == p->page && !n->params[P_REPEAT];

	if (!p->await && !again) {
		p->bit = true;
		n->key = p->page;
		n->key_known = true;
	}
	p->await = false;
}

static void pro_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];
	bool stays = n->why == VMD_REMOVED_EVICTED && !p.list && p.past;
	bool at_hand = n->hands[COLD] == p.page + 1 && !p.parked;

	if (!stays && !p.parked)
		leave(n, n->page + i);
	naive_delete(n, i);
	if (stays) {
		p.bit = false;
		p.past = 1;
		if (p.parked)
			p.stamp = naive_stamp(n);
		n->ghost[n->nr_ghosts++] = p;
		n->ghost[n->nr_ghosts - 1].parked = 0;
		if (p.parked)
			joined(n, n->ghost + n->nr_ghosts - 1);
		if (at_hand)
			point(n, COLD, next(n, hand(n, COLD)));
	}
	seek(n);
	limit(n);
}

static void pro_kept(struct naive *n, u32 i)
{
	if (!n->page[i].parked)
		leave(n, n->page + i);
	naive_park(n, i);
	seek(n);
}

static void put(struct naive *n, u32 from, u32 list, bool stays, u64 **out)
{
	struct naive_page *first = hand(n, from), *p = first;
	bool is;

	if (!p)
		return;
	do {
		is = list ? p->bit : p->bit && p->past;
		if (!gone(n, p) && p->list == list && is == stays)
			*(*out)++ = p->page;
		p = next(n, p);
	} while (p != first);
}

/* The guess that module/policy/clockpro.c tells of. */
static void pro_order(struct naive *n, u64 *out)
{
	u32 i;

	put(n, COLD, 0, false, &out);
	put(n, COLD, 0, true, &out);
	put(n, HOT, 1, false, &out);
	put(n, HOT, 1, true, &out);
	while ((i = naive_parked(n)) < n->nr) {
		*out++ = n->page[i].page;
		naive_delete(n, i);
	}
}

const struct naive_kind naive_clockpro = {
	.name = "clock-pro",
	.victim = pro_victim,
	.inserted = pro_inserted,
	.touched = pro_touched,
	.kept = pro_kept,
	.removed = pro_removed,
	.order = pro_order,
	.resized = limit,
};
