// SPDX-License-Identifier: GPL-2.0-only
/*
 * The optimum, MIN: the page that will not be used for the longest time goes.
 *
 * L. A. Belady, "A study of replacement algorithms for a virtual-storage
 * computer", IBM Systems Journal 5(2), 1966; that it is optimal: R. L. Mattson
 * et al., "Evaluation techniques for storage hierarchies", IBM Systems Journal
 * 9(2), 1970.
 *
 * Who runs it has to know the future: future() tells, before each reference is
 * reported, the number of the reference at which the same page is used next. A
 * page of which that was not told is as one that is never used again. So it is
 * for reference strings that were recorded, in the simulator and in spaces that
 * follow one (VMD_IOC_FUTURE).
 *
 * Of pages that are never used again any may go, with the same number of
 * misses. Here those that are clean go first, which saves writes, then those
 * used least recently. "Clean" goes by VMD_REF_WRITE, and a page that was
 * restored is dirty; a write behind the policy's back is not known.
 *
 * The pages are in a search tree (tree.h), the one to go first of all: O(log n)
 * for an event. The state is 24 bytes per slot for it, and 9 more. A page that
 * was kept is parked behind all others until the next page comes; one that was
 * restored too, and is dirty after that. victim() is exact for every max.
 */
#include "queues.h"
#include "table.h"
#include "tree.h"

/* Ranks, in their upper bits: who goes before whom. */
#define OPT_CLEAN	((u64)0 << 62)	/* never used again; then by last use */
#define OPT_DIRTY	((u64)1 << 62)	/* likewise */
#define OPT_USED	((u64)2 << 62)	/* later uses first */
#define OPT_PARKED	((u64)3 << 62)	/* by time */
#define OPT_LAST	(((u64)1 << 62) - 1)

struct opt {
	u64 now;		/* events so far */
	u64 next;		/* what future() told of the event to come */
	u32 slots;
	u32 pad;
	struct vmd_leaf leaf[];	/* then a u64 and a u8 per slot */
};

/* The rank of the slot when it is not parked. */
static u64 *opt_home(const struct opt *o)
{
	return (u64 *)(o->leaf + o->slots + 1);
}

static u8 *opt_dirty(const struct opt *o)
{
	return (u8 *)(opt_home(o) + o->slots);
}

static size_t opt_state_size(u32 slots, u32 frames)
{
	return sizeof(struct opt) + vmd_tree_size(slots) +
	       (size_t)slots * (sizeof(u64) + sizeof(u8));
}

static void opt_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct opt *o = state;

	o->slots = slots;
	o->next = VMD_NEVER;
}

static void opt_future(void *state, u64 next)
{
	struct opt *o = state;

	o->next = next;
}

/* The rank of the slot, used now, with its next use at @next. */
static u64 opt_rank(const struct opt *o, u32 slot, u64 next)
{
	if (next <= OPT_LAST)
		return OPT_USED | (OPT_LAST - next);
	return (opt_dirty(o)[slot] ? OPT_DIRTY : OPT_CLEAN) | o->now;
}

/* Likewise, of the event to come; what was told of it is used up. */
static u64 opt_rank_told(struct opt *o, u32 slot)
{
	u64 next = o->next;

	o->now++;
	o->next = VMD_NEVER;
	return opt_rank(o, slot, next);
}

/* The slot, not in the tree, was used: what was told is about it. */
static void opt_use(struct opt *o, u32 slot)
{
	opt_home(o)[slot] = opt_rank_told(o, slot);
	vmd_tree_add(o->leaf, slot, opt_home(o)[slot]);
}

static void opt_park(struct opt *o, u32 slot)
{
	vmd_tree_add(o->leaf, slot, OPT_PARKED | ++o->now);
}

static void opt_unpark_all(struct opt *o)
{
	u32 slot = vmd_tree_floor(o->leaf, ~(u64)0);

	while (slot != VMD_NO_SLOT && o->leaf[slot + 1].rank >= OPT_PARKED) {
		vmd_tree_del(o->leaf, slot);
		vmd_tree_add(o->leaf, slot, opt_home(o)[slot]);
		slot = vmd_tree_floor(o->leaf, ~(u64)0);
	}
}

static void opt_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct opt *o = state;

	if (flags & VMD_REF_RESTORED) {
		opt_dirty(o)[slot] = true;
		opt_home(o)[slot] = opt_rank_told(o, slot);
		opt_park(o, slot);
		return;
	}
	opt_unpark_all(o);
	opt_dirty(o)[slot] = !!(flags & VMD_REF_WRITE);
	opt_use(o, slot);
}

static void opt_touched(void *state, u32 slot, u32 flags)
{
	struct opt *o = state;

	opt_dirty(o)[slot] |= !!(flags & VMD_REF_WRITE);
	vmd_tree_del(o->leaf, slot);
	opt_use(o, slot);
}

/* Later uses come first: the last one that is not parked is used soonest. */
static u32 opt_overdue(const void *state, u64 now)
{
	const struct opt *o = state;
	u32 slot = vmd_tree_floor(o->leaf, OPT_PARKED - 1);
	u64 rank;

	if (slot == VMD_NO_SLOT)
		return VMD_NO_SLOT;
	rank = o->leaf[slot + 1].rank;
	return rank >= OPT_USED && OPT_LAST - (rank - OPT_USED) < now ?
	       slot : VMD_NO_SLOT;
}

static void opt_due(void *state, u32 slot, u64 next)
{
	struct opt *o = state;

	vmd_tree_del(o->leaf, slot);
	opt_home(o)[slot] = opt_rank(o, slot, next);
	vmd_tree_add(o->leaf, slot, opt_home(o)[slot]);
}

static void opt_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct opt *o = state;
	u32 slot = vmd_tree_next(o->leaf, VMD_NO_SLOT);

	while (slot != VMD_NO_SLOT && visit(arg, slot))
		slot = vmd_tree_next(o->leaf, slot);
}

static u32 opt_victim(void *state, u32 *out, u32 max)
{
	const struct opt *o = state;
	u32 slot = vmd_tree_next(o->leaf, VMD_NO_SLOT), nr = 0;

	while (slot != VMD_NO_SLOT && nr < max) {
		out[nr++] = slot;
		slot = vmd_tree_next(o->leaf, slot);
	}
	return nr;
}

static void opt_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct opt *o = state;

	vmd_tree_del(o->leaf, slot);
}

static void opt_kept(void *state, u32 slot)
{
	struct opt *o = state;

	vmd_tree_del(o->leaf, slot);
	opt_park(o, slot);
}

/* What lies behind the tree moves away from where it grows. */
static void opt_resize(void *state, u32 slots, u32 frames)
{
	struct opt *o = state;
	const u64 *home = opt_home(o);
	const u8 *dirty = opt_dirty(o);
	u32 old = o->slots;

	o->slots = slots;
	memmove(opt_dirty(o), dirty, old);
	memmove(opt_home(o), home, (size_t)old * sizeof(*home));
}

static void opt_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct opt *o = state;
	u64 rank = o->leaf[slot + 1].rank;

	if (rank >= OPT_PARKED) {
		why->code = VMD_WHY_LAST_RESORT;
	} else if (rank >= OPT_USED) {
		why->code = VMD_WHY_FUTURE;
		why->nr[0] = OPT_LAST - (rank & OPT_LAST);
	} else {
		why->code = VMD_WHY_NEVER_AGAIN;
		why->nr[0] = rank >= OPT_DIRTY;
	}
}

static u32 opt_look(const void *state, u32 slot, u64 *number)
{
	const struct opt *o = state;
	u64 rank = o->leaf[slot + 1].rank;

	if (rank < OPT_USED || rank >= OPT_PARKED)
		return opt_dirty(o)[slot] ? VMD_QUEUED_MODIFIED : 0;
	*number = OPT_LAST - (rank & OPT_LAST);
	return VMD_QUEUED_NUMBER |
	       (opt_dirty(o)[slot] ? VMD_QUEUED_MODIFIED : 0);
}

static void opt_queues(const void *state, struct vmd_queue_view *view)
{
	struct vmd_queue_slots slots = {
		.view = view,
		.state = state,
		.look = opt_look,
		.hand = VMD_NO_SLOT,
	};

	vmd_queue_begin(view, "order", "next use");
	opt_walk(state, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_opt = {
	.name = "opt",
	.text = "Belady's MIN, the fewest misses possible, of a known reference string",
	.flags = VMD_POLICY_FUTURE,
	.state_size = opt_state_size,
	.init = opt_init,
	.future = opt_future,
	.overdue = opt_overdue,
	.due = opt_due,
	.inserted = opt_inserted,
	.touched = opt_touched,
	.victim = opt_victim,
	.explain = opt_explain,
	.removed = opt_removed,
	.kept = opt_kept,
	.walk = opt_walk,
	.queues = opt_queues,
	.resize = opt_resize,
};
