// SPDX-License-Identifier: GPL-2.0-only
/*
 * LFU with dynamic aging: each page has a key, the number of its references
 * since it came plus the age of the memory when it was last referenced. The
 * page with the lowest key goes, of several the least recently used; its key is
 * the memory's age from then on. So old fame is overtaken by new pages, sooner
 * or later, and there is nothing to tune.
 *
 * M. Arlitt, L. Cherkasova, J. Dilley, R. Friedrich, T. Jin, "Evaluating content
 * management techniques for web proxy caches", ACM SIGMETRICS Performance
 * Evaluation Review 27(4), 2000: K = C * F + L, the cost C being 1 here. The
 * reference that brings a page counts.
 *
 * The state is LFU's (lfu.c): one list, first to go first, whose slots of one
 * key are neighbours, a *run*. A page whose count grows may have to pass by many
 * runs, as the age may have grown as well: where a few steps do not find its
 * place, a search tree of the runs does. O(1) for most events, O(log n) for any,
 * n being the number of different keys. 8 bytes per slot for the list, 12 for run
 * and record, 24 for the tree: 44 in all.
 *
 * A count stops at 2^32 - 1. The age never falls, also when a page goes that was
 * not the one to go. A page that was kept or restored goes to the far end and
 * has the highest key until its next reference. victim() is exact for every max.
 */
#include "list.h"
#include "queues.h"
#include "table.h"
#include "tree.h"

/* Runs passed by on foot before the tree is asked. */
#define LFUDA_STEPS	4

struct lfuda_cell {
	u32 run;	/* of the slot with this number: its run */
	u32 count;	/* of that slot: references */
	u32 last;	/* of the run with this number: its last slot; or */
			/* if it is free: the next free one + 1 */
};

struct lfuda {
	u64 age;
	u32 slots;
	u32 free;			/* first free run + 1, 0: none */
	u32 fresh;			/* runs from here on were never used */
	u32 pad;
	struct vmd_link link[];		/* slots + 1, then the tree, the cells */
};

/* The run's rank in it is its key. */
static struct vmd_leaf *lfuda_leaves(struct lfuda *l)
{
	return (struct vmd_leaf *)(l->link + l->slots + 1);
}

static struct lfuda_cell *lfuda_cells(struct lfuda *l)
{
	return (struct lfuda_cell *)(lfuda_leaves(l) + l->slots + 1);
}

static size_t lfuda_state_size(u32 slots, u32 frames)
{
	return sizeof(struct lfuda) + vmd_list_size(slots) +
	       vmd_tree_size(slots) +
	       (size_t)slots * sizeof(struct lfuda_cell);
}

static void lfuda_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct lfuda *l = state;

	l->slots = slots;
}

static u64 lfuda_key(struct lfuda *l, u32 slot)
{
	return lfuda_leaves(l)[lfuda_cells(l)[slot].run + 1].rank;
}

static u32 lfuda_new_run(struct lfuda *l, u64 key)
{
	u32 run = l->free - 1;

	if (l->free)
		l->free = lfuda_cells(l)[run].last;
	else
		run = l->fresh++;
	vmd_tree_add(lfuda_leaves(l), run, key);
	return run;
}

static void lfuda_free_run(struct lfuda *l, u32 run)
{
	vmd_tree_del(lfuda_leaves(l), run);
	lfuda_cells(l)[run].last = l->free;
	l->free = run + 1;
}

/*
 * The end of the last run whose key is @key or less. It is looked for from @at
 * on, the end of such a run or VMD_NO_SLOT, as most keys grow by little.
 */
static u32 lfuda_find(struct lfuda *l, u32 at, u64 key)
{
	struct lfuda_cell *cell = lfuda_cells(l);
	u32 steps, next;

	for (steps = 0; steps < LFUDA_STEPS; steps++) {
		next = vmd_list_next(l->link, at);
		if (next == VMD_NO_SLOT || lfuda_key(l, next) > key)
			return at;
		at = cell[cell[next].run].last;
	}
	return cell[vmd_tree_floor(lfuda_leaves(l), key)].last;
}

/* Put @slot behind @at, the end of a run: that run gets longer or a new one. */
static void lfuda_join(struct lfuda *l, u32 slot, u32 at, u64 key)
{
	struct lfuda_cell *cell = lfuda_cells(l);
	u32 run;

	if (at != VMD_NO_SLOT && lfuda_key(l, at) == key)
		run = cell[at].run;
	else
		run = lfuda_new_run(l, key);
	cell[slot].run = run;
	cell[run].last = slot;
	vmd_list_add(l->link, at, slot);
}

/* Take @slot out of list and run; a run that is empty now is free. */
static void lfuda_leave(struct lfuda *l, u32 slot)
{
	struct lfuda_cell *cell = lfuda_cells(l);
	u32 run = cell[slot].run, prev = vmd_list_prev(l->link, slot);

	vmd_list_del(l->link, slot);
	if (cell[run].last != slot)
		return;
	if (prev != VMD_NO_SLOT && cell[prev].run == run)
		cell[run].last = prev;
	else
		lfuda_free_run(l, run);
}

/* Put @slot, which is in no run, last of all. */
static void lfuda_join_last(struct lfuda *l, u32 slot)
{
	u32 last = vmd_list_last(l->link);

	lfuda_join(l, slot, last,
		   last == VMD_NO_SLOT ? l->age + 1 : lfuda_key(l, last));
}

static void lfuda_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct lfuda *l = state;
	u32 count = flags & VMD_REF_DEFERRED ? 0 : 1, at;

	lfuda_cells(l)[slot].count = count;
	if (flags & VMD_REF_RESTORED) {
		lfuda_join_last(l, slot);
		return;
	}
	at = lfuda_find(l, VMD_NO_SLOT, l->age + count);
	lfuda_join(l, slot, at, l->age + count);
}

static void lfuda_touched(void *state, u32 slot, u32 flags)
{
	struct lfuda *l = state;
	struct lfuda_cell *cell = lfuda_cells(l);
	u32 at = cell[cell[slot].run].last;
	u64 key;

	if (cell[slot].count != (u32)~0)
		cell[slot].count++;
	key = l->age + cell[slot].count;
	/* It was kept, and has a key that was not its own. */
	if (lfuda_key(l, slot) > key)
		at = VMD_NO_SLOT;
	at = lfuda_find(l, at, key);
	if (at == slot)
		at = vmd_list_prev(l->link, slot);
	lfuda_leave(l, slot);
	lfuda_join(l, slot, at, key);
}

static u32 lfuda_victim(void *state, u32 *out, u32 max)
{
	struct lfuda *l = state;

	return vmd_list_peek(l->link, out, max);
}

static void lfuda_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct lfuda *l = state;
	u64 key = lfuda_key(l, slot);

	if (why == VMD_REMOVED_EVICTED && key > l->age)
		l->age = key;
	lfuda_leave(l, slot);
}

static void lfuda_kept(void *state, u32 slot)
{
	struct lfuda *l = state;

	/* The last one alone in its run would lose the key it is to keep. */
	if (vmd_list_last(l->link) == slot)
		return;
	lfuda_leave(l, slot);
	lfuda_join_last(l, slot);
}

static void lfuda_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct lfuda *l = state;

	vmd_list_walk(l->link, visit, arg);
}

/* The links grow into where the tree was, and the tree to where the cells were. */
static void lfuda_resize(void *state, u32 slots, u32 frames)
{
	struct lfuda *l = state;
	u32 old = l->slots;
	const struct lfuda_cell *cells = lfuda_cells(l);
	const struct vmd_leaf *leaves = lfuda_leaves(l);

	l->slots = slots;
	memmove(lfuda_cells(l), cells, (size_t)old * sizeof(*cells));
	memmove(lfuda_leaves(l), leaves, vmd_tree_size(old));
}

static void lfuda_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	struct lfuda *l = (struct lfuda *)state;

	why->code = VMD_WHY_AGED_COUNT;
	why->nr[0] = lfuda_key(l, slot);
	why->nr[1] = l->age;
	why->nr[2] = lfuda_cells(l)[slot].count;
}

static u32 lfuda_look(const void *state, u32 slot, u64 *number)
{
	*number = lfuda_key((struct lfuda *)state, slot);
	return VMD_QUEUED_NUMBER;
}

static void lfuda_queues(const void *state, struct vmd_queue_view *view)
{
	const struct lfuda *l = state;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = l,
		.look = lfuda_look,
		.hand = VMD_NO_SLOT,
	};

	vmd_queue_begin(view, "order", "key");
	vmd_list_walk(l->link, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_lfuda = {
	.name = "lfuda",
	.text = "LFU with dynamic aging: by references plus the last victim's key",
	.flags = VMD_POLICY_HARVEST,
	.state_size = lfuda_state_size,
	.init = lfuda_init,
	.inserted = lfuda_inserted,
	.touched = lfuda_touched,
	.victim = lfuda_victim,
	.explain = lfuda_explain,
	.removed = lfuda_removed,
	.kept = lfuda_kept,
	.walk = lfuda_walk,
	.queues = lfuda_queues,
	.resize = lfuda_resize,
};
