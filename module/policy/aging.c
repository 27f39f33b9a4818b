// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aging, LRU by counters: each page has a counter of a few bits. At each tick
 * all of them are shifted one to the right; a reference sets the highest bit.
 * The page with the lowest counter goes; of several, the one that came first.
 *
 * A. S. Tanenbaum, "Modern Operating Systems", Prentice Hall, section
 * "Simulating LRU in software"; "additional-reference-bits algorithm" in A.
 * Silberschatz, P. B. Galvin, G. Gagne, "Operating System Concepts", Wiley: 8
 * bits, a tick every 20 or 100 ms. Here a tick is after every "period"
 * references that the policy hears of. There a reference sets a bit beside the
 * counter, which is shifted in at the tick; here that bit is the counter's
 * highest one from the start: the order after each tick is theirs (of "bits=9"
 * if they have 8), and between two a page that was just used is not taken for
 * one that never was. The books do not say who goes if counters are equal.
 *
 * The pages are in a tree, by counter and then by number of arrival: O(log n)
 * for the first reference of a period, O(1) for others. A tick halves all
 * counters that are not 0, in order, which leaves the order as it is but for
 * those that have become equal: these are put in again. Each reference makes
 * that happen to one page, and to no more than "bits" times: O(log n)
 * amortised. Numbers of arrival have 39 bits; when they are used up, the order
 * of equals is the one in which they became equal. victim() is exact for every
 * max.
 *
 * 24 bytes per slot. A page that was kept or restored ranks above all counters
 * until the next page comes; it arrives anew then, and as referenced.
 */
#include "list.h"
#include "queues.h"
#include "table.h"
#include "tree.h"

/* A rank: kept or not; the counter, or when it was kept; number of arrival. */
#define AGING_PARKED	((u64)1 << 63)
#define AGING_SHIFT	39
#define AGING_LAST	(((u64)1 << AGING_SHIFT) - 1)

struct aging {
	u32 frames;
	u32 bits;
	u64 param;		/* references in a period; 0: frames */
	u64 seen;		/* of them in this one */
	u64 arrived;		/* pages, and those kept that came back */
	u64 parked;
	struct vmd_leaf leaf[];		/* slots + 1 */
};

enum { AGING_P_BITS, AGING_P_PERIOD };

static const struct vmd_policy_param aging_params[] = {
	{
		.name = "bits",
		.text = "bits of a counter",
		.min = 1,
		.max = 24,
		.def = 8,
	}, {
		.name = "period",
		.text = "references from tick to tick, 0: as many as frames",
		.min = 0,
		.max = 1000000000,
		.def = 0,
	},
};

static size_t aging_state_size(u32 slots, u32 frames)
{
	return sizeof(struct aging) + vmd_tree_size(slots);
}

static void aging_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct aging *a = state;

	a->frames = frames;
	a->bits = (u32)params[AGING_P_BITS];
	a->param = params[AGING_P_PERIOD];
}

static u64 aging_high(const struct aging *a)
{
	return (u64)1 << (AGING_SHIFT + a->bits - 1);
}

static u64 aging_rank(const struct aging *a, u32 slot)
{
	return a->leaf[slot + 1].rank;
}

static void aging_move(struct aging *a, u32 slot, u64 rank)
{
	vmd_tree_del(a->leaf, slot);
	vmd_tree_add(a->leaf, slot, rank);
}

/* A page arrives, with @counter. */
static void aging_join(struct aging *a, u32 slot, u64 counter)
{
	if (a->arrived < AGING_LAST)
		a->arrived++;
	vmd_tree_add(a->leaf, slot, counter | a->arrived);
}

static u64 aging_half(u64 rank)
{
	return (rank >> (AGING_SHIFT + 1) << AGING_SHIFT) | (rank & AGING_LAST);
}

/*
 * All whose counter is not 0, lowest first: what is behind has a higher counter
 * than any half so far, so the tree is in order up to the one that is halved.
 */
static void aging_tick(struct aging *a)
{
	u32 before = vmd_tree_floor(a->leaf, AGING_LAST), slot, next;
	u64 highest = before == VMD_NO_SLOT ? 0 : aging_rank(a, before), rank;

	a->seen = 0;
	slot = vmd_tree_next(a->leaf, before);
	for (; slot != VMD_NO_SLOT; slot = next) {
		rank = aging_rank(a, slot);
		if (rank & AGING_PARKED)
			return;
		next = vmd_tree_next(a->leaf, slot);
		rank = aging_half(rank);
		if (rank < highest) {
			aging_move(a, slot, rank);
		} else {
			a->leaf[slot + 1].rank = rank;
			highest = rank;
		}
	}
}

/* A reference was heard of. */
static void aging_count(struct aging *a)
{
	if (++a->seen >= (a->param ? a->param : a->frames))
		aging_tick(a);
}

static void aging_unpark_all(struct aging *a)
{
	u32 before = vmd_tree_floor(a->leaf, AGING_PARKED - 1), slot;

	if (!a->parked)
		return;
	while ((slot = vmd_tree_next(a->leaf, before)) != VMD_NO_SLOT &&
	       aging_rank(a, slot) & AGING_PARKED) {
		vmd_tree_del(a->leaf, slot);
		aging_join(a, slot, aging_high(a));
		before = vmd_tree_floor(a->leaf, AGING_PARKED - 1);
	}
	a->parked = 0;
}

static void aging_park(struct aging *a, u32 slot)
{
	vmd_tree_add(a->leaf, slot, AGING_PARKED | a->parked++);
}

static void aging_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct aging *a = state;

	if (flags & VMD_REF_RESTORED) {
		aging_park(a, slot);
		return;
	}
	aging_unpark_all(a);
	if (flags & VMD_REF_DEFERRED) {
		aging_join(a, slot, 0);
		return;
	}
	aging_join(a, slot, aging_high(a));
	aging_count(a);
}

static void aging_touched(void *state, u32 slot, u32 flags)
{
	struct aging *a = state;
	u64 rank = aging_rank(a, slot);

	if (!(rank & (AGING_PARKED | aging_high(a))))
		aging_move(a, slot, rank | aging_high(a));
	aging_count(a);
}

static void aging_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct aging *a = state;
	u32 slot = vmd_tree_next(a->leaf, VMD_NO_SLOT);

	while (slot != VMD_NO_SLOT && visit(arg, slot))
		slot = vmd_tree_next(a->leaf, slot);
}

static u32 aging_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	aging_walk(state, vmd_found_visit, &found);
	return found.nr;
}

static void aging_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct aging *a = state;

	vmd_tree_del(a->leaf, slot);
}

static void aging_kept(void *state, u32 slot)
{
	struct aging *a = state;

	vmd_tree_del(a->leaf, slot);
	aging_park(a, slot);
}

static void aging_resize(void *state, u32 slots, u32 frames)
{
	struct aging *a = state;

	/* The leaves of new slots lie behind the old ones and need no start. */
	a->frames = frames;
}

static void aging_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct aging *a = state;
	u64 rank = aging_rank(a, slot);

	why->code = rank & AGING_PARKED ? VMD_WHY_LAST_RESORT : VMD_WHY_AGING;
	why->nr[0] = (rank & ~AGING_PARKED) >> AGING_SHIFT;
	why->nr[1] = a->bits;
}

static u32 aging_look(const void *state, u32 slot, u64 *number)
{
	u64 rank = aging_rank(state, slot);

	*number = (rank & ~AGING_PARKED) >> AGING_SHIFT;
	return rank & AGING_PARKED ? 0 : VMD_QUEUED_NUMBER;
}

static void aging_queues(const void *state, struct vmd_queue_view *view)
{
	struct vmd_queue_slots slots = {
		.view = view,
		.state = state,
		.look = aging_look,
		.hand = VMD_NO_SLOT,
	};

	vmd_queue_begin(view, "order", "counter");
	aging_walk(state, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_aging = {
	.name = "aging",
	.text = "LRU by counters that are shifted at each tick",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(aging_params),
	.params = aging_params,
	.state_size = aging_state_size,
	.init = aging_init,
	.inserted = aging_inserted,
	.touched = aging_touched,
	.victim = aging_victim,
	.explain = aging_explain,
	.removed = aging_removed,
	.kept = aging_kept,
	.walk = aging_walk,
	.queues = aging_queues,
	.resize = aging_resize,
};
