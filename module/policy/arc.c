// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARC: an LRU list T1 of pages used once and an LRU list T2 of those used
 * again, each with its ghosts, B1 and B2. What T1 may have, p, grows with each
 * miss on a ghost in B1 and shrinks with each one in B2.
 *
 * N. Megiddo, D. S. Modha, "ARC: a self-tuning, low overhead replacement
 * cache", FAST 2003, figure 4. There p and what it grows by, max(1, |B2| / |B1|)
 * or the inverse, are not said to be whole or real numbers. Both are here: whole
 * ones, the quotient rounded down ("real" 0, the default), and real ones as in
 * libCacheSim, where they are doubles ("real" 1): each sum, difference and
 * quotient is rounded to the nearest number of 53 bits, to even from halfway,
 * so the decisions are the same to the last one.
 *
 * The paper forgets a ghost (its case IV) before REPLACE, for a page that is in
 * none of the lists; here that is done after the page came, with the same
 * result: when T1 alone fills the memory, its victim's ghost is the one to go.
 *
 * REPLACE has to know the page that is to come: whether it is in B2 decides
 * when |T1| is p, and p is adapted first. missed() tells. A caller that does
 * not know is served by p as it is, adapted when the page comes.
 *
 * The state is ghost.h's: 36 bytes per slot and at most 40 per ghost; pages and
 * ghosts together are never more than two per slot. A page that was kept is
 * parked; one that was restored too, in T2 if its ghost is not remembered, and
 * neither changes p. O(1); victim() is exact for every max.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

enum { ARC_T1 = 1, ARC_T2, ARC_B1, ARC_B2 };

#define ARC_FRACTION	52		/* bits */
#define ARC_ONE		((u64)1 << ARC_FRACTION)

/* What a double can be that is 0 or a sum of numbers from 1 to 2^31. */
struct arc_real {
	u64 part;			/* in units of 2^-ARC_FRACTION, below 1 */
	u32 whole;
	u32 pad;
};

struct arc {
	struct vmd_known known;
	struct arc_real p;
	u32 real;
	u32 in_b2;			/* the page that is to come is in B2 */
};

static const struct vmd_policy_param arc_params[] = {
	{
		.name = "real",
		.text = "1: p is a real number, 0: a whole one",
		.min = 0,
		.max = 1,
		.def = 0,
	},
};

static size_t arc_state_size(u32 slots, u32 frames)
{
	return vmd_known_size(sizeof(struct arc), slots, slots);
}

static void arc_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct arc *a = state;

	vmd_known_init(&a->known, sizeof(*a), slots, frames, slots);
	a->real = (u32)params[0];
}

/*
 * Round to 53 bits, of which the whole part takes some; @below are the bits
 * beyond the fraction: 0, 1 for less than half a unit, 2 for half, 3 for more.
 */
static struct arc_real arc_round(struct arc_real x, u32 below)
{
	u64 unit = 1, low;

	while (x.whole >> 1 >= unit)
		unit <<= 1;
	low = x.part & (unit - 1);
	x.part -= low;
	low = low << 2 | below;
	if (low > 2 * unit || (low == 2 * unit && x.part & unit))
		x.part += unit;
	x.whole += (u32)(x.part >> ARC_FRACTION);
	x.part &= ARC_ONE - 1;
	return x;
}

/* The quotient, at least 1. */
static struct arc_real arc_quotient(const struct arc *a, u32 over, u32 under)
{
	struct arc_real x = { .whole = 1 };
	u64 rest, half;

	if (over <= under)
		return x;
	x.whole = over / under;
	if (!a->real)
		return x;
	rest = (u64)(over % under) << ARC_FRACTION / 2;
	x.part = vmd_div64(rest, under) << ARC_FRACTION / 2;
	rest = vmd_mod64(rest, under) << ARC_FRACTION / 2;
	x.part += vmd_div64(rest, under);
	rest = vmd_mod64(rest, under);
	half = rest * 2;
	return arc_round(x, !rest ? 0 : half < under ? 1 : half > under ? 3 : 2);
}

/* p grows by @d, up to the number of frames. */
static void arc_grow(struct arc *a, struct arc_real d)
{
	struct arc_real p = a->p;

	p.whole += d.whole;
	p.part += d.part;
	p.whole += (u32)(p.part >> ARC_FRACTION);
	p.part &= ARC_ONE - 1;
	a->p = arc_round(p, 0);
	if (a->p.whole >= a->known.frames)
		a->p = (struct arc_real){ .whole = a->known.frames };
}

/* p shrinks by @d, down to 0. */
static void arc_shrink(struct arc *a, struct arc_real d)
{
	struct arc_real p = a->p;

	if (p.whole < d.whole || (p.whole == d.whole && p.part < d.part)) {
		a->p = (struct arc_real){ };
		return;
	}
	if (p.part < d.part) {
		p.whole--;
		p.part += ARC_ONE;
	}
	p.whole -= d.whole;
	p.part -= d.part;
	a->p = arc_round(p, 0);
}

/* A ghost's page is wanted: cases II and III. Once for each time it comes. */
static void arc_adapt(struct arc *a, struct vmd_node *ghost)
{
	const u32 *nr = a->known.nr;

	if (ghost->flag)
		return;
	ghost->flag = true;
	if (ghost->list == ARC_B1)
		arc_grow(a, arc_quotient(a, nr[ARC_B2], nr[ARC_B1]));
	else
		arc_shrink(a, arc_quotient(a, nr[ARC_B1], nr[ARC_B2]));
}

static void arc_missed(void *state, u64 key)
{
	struct arc *a = state;
	struct vmd_node *node = vmd_known_nodes(&a->known);
	u32 at = vmd_known_ghost(&a->known, key);

	if (at)
		arc_adapt(a, node + at);
	a->in_b2 = at && node[at].list == ARC_B2;
}

/* The ghosts of T1 and T2 fill up what its pages leave of frames. */
static void arc_trim(struct arc *a)
{
	struct vmd_known *k = &a->known;
	u32 frames = vmd_known_frames(k), parked = k->nr[VMD_KNOWN_PARKED];
	u32 t1 = k->nr[ARC_T1], t2 = k->nr[ARC_T2] + parked, all;

	vmd_known_trim(k, ARC_B1, frames > t1 ? frames - t1 : 0);
	all = t1 + t2 + k->nr[ARC_B1];
	vmd_known_trim(k, ARC_B2, 2 * frames > all ? 2 * frames - all : 0);
}

static void arc_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct arc *a = state;
	struct vmd_known *k = &a->known;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		vmd_known_restore(k, slot, key, ARC_T2);
		arc_trim(a);
		return;
	}
	vmd_known_unpark_all(k);
	a->in_b2 = false;
	at = vmd_known_ghost(k, key);
	if (at) {
		arc_adapt(a, vmd_known_nodes(k) + at);
		vmd_known_revive(k, at, slot, ARC_T2);
	} else {
		at = vmd_known_add(k, slot, key, ARC_T1);
	}
	vmd_known_nodes(k)[at].await = flags & VMD_REF_DEFERRED;
	arc_trim(a);
}

static void arc_touched(void *state, u32 slot, u32 flags)
{
	struct arc *a = state;
	u32 at = vmd_known_node(&a->known, slot);

	if (!vmd_known_awaited(vmd_known_nodes(&a->known) + at))
		vmd_known_settle(&a->known, at, ARC_T2);
}

/* How many more there are in T1 than it may have. */
static u32 arc_over(const struct arc *a)
{
	u32 t1 = a->known.nr[ARC_T1], may = a->p.whole;

	if (a->in_b2 && may && !a->p.part)
		may--;
	return t1 > may ? t1 - may : 0;
}

/* REPLACE, again and again. */
static void arc_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct arc *a = state;

	vmd_known_walk_two(&a->known, ARC_T1, arc_over(a), ARC_T2, visit, arg);
}

static u32 arc_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	arc_walk(state, vmd_found_visit, &found);
	return found.nr;
}

static void arc_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct arc *a = state;
	struct vmd_known *k = &a->known;
	u32 at = vmd_known_node(k, slot);
	struct vmd_node *node = vmd_known_nodes(k) + at;

	if (why == VMD_REMOVED_EVICTED) {
		node->flag = false;
		vmd_known_bury(k, at, node->home == ARC_T1 ? ARC_B1 : ARC_B2);
	} else {
		vmd_known_forget(k, at);
	}
}

static void arc_kept(void *state, u32 slot)
{
	struct arc *a = state;

	vmd_known_park(&a->known, vmd_known_node(&a->known, slot));
}

static void arc_resize(void *state, u32 slots, u32 frames)
{
	struct arc *a = state;

	vmd_known_resize(&a->known, slots, frames, slots);
	if (a->p.whole >= frames)
		a->p = (struct arc_real){ .whole = frames };
	arc_trim(a);
}

static void arc_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct arc *a = state;
	const struct vmd_known *k = &a->known;
	bool over = k->nr[ARC_T1] > a->p.whole;

	why->nr[0] = k->nr[ARC_T1];
	why->nr[1] = (u64)a->p.whole * 1000 + (a->p.part * 1000 >> ARC_FRACTION);
	switch (vmd_known_nodes(k)[vmd_known_node(k, slot)].list) {
	case ARC_T1:
		/* A T1 of one more than a p that is not whole is beyond it. */
		if (!arc_over(a))
			why->code = VMD_WHY_ARC_T1_ONLY;
		else
			why->code = over ? VMD_WHY_ARC_T1 : VMD_WHY_ARC_T1_GHOST;
		break;
	case ARC_T2:
		why->code = VMD_WHY_ARC_T2;
		why->nr[2] = k->nr[ARC_T2];
		break;
	default:
		why->code = VMD_WHY_LAST_RESORT;
	}
}

static void arc_queues(const void *state, struct vmd_queue_view *view)
{
	const struct arc *a = state;
	const struct vmd_known *k = &a->known;

	vmd_queue_known(view, k, ARC_T1, "T1", a->p.whole, 0);
	vmd_queue_known(view, k, ARC_T2, "T2", VMD_QUEUE_UNTOLD, 0);
	vmd_queue_parked(view, k);
	vmd_queue_known(view, k, ARC_B1, "B1", VMD_QUEUE_UNTOLD, 0);
	vmd_queue_known(view, k, ARC_B2, "B2", VMD_QUEUE_UNTOLD, 0);
}

const struct vmd_policy_ops vmd_policy_arc = {
	.name = "arc",
	.text = "ARC: used once and used again, balanced by their ghosts",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(arc_params),
	.params = arc_params,
	.state_size = arc_state_size,
	.init = arc_init,
	.missed = arc_missed,
	.inserted = arc_inserted,
	.touched = arc_touched,
	.victim = arc_victim,
	.explain = arc_explain,
	.removed = arc_removed,
	.kept = arc_kept,
	.walk = arc_walk,
	.queues = arc_queues,
	.resize = arc_resize,
};
