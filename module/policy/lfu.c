// SPDX-License-Identifier: GPL-2.0-only
/*
 * LFU: the page referenced least often since it came goes; of several, the
 * least recently used. The count begins anew when a page comes back
 * ("in-cache" LFU); the reference that brings a page counts.
 *
 * Textbook (Coffman, Denning, "Operating Systems Theory", 1973); in O(1) by
 * runs of equal count: K. Shah, A. Mitra, D. Matani, "An O(1) algorithm for
 * implementing the LFU cache eviction scheme", 2010.
 *
 * The state is one list, first to go first, so by count and then by last use.
 * Slots of one count are neighbours, a *run*, and share a record that knows
 * the count and the run's last slot: a slot whose count grows moves behind the
 * next run if that has the count, else behind its own. There are never more
 * runs than slots. 8 bytes per slot for the list and 12 for run and record.
 *
 * A count stops at 2^32 - 1. A page that was kept or restored goes to the far
 * end and takes the highest count with it, or it would be proposed for ever.
 * victim() is exact for every max.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

struct lfu_cell {
	u32 run;	/* of the slot with this number: its run */
	u32 count;	/* of the run with this number */
	u32 last;	/* of that run; if it is free: the next free one + 1 */
};

struct lfu {
	u32 slots;
	u32 free;			/* first free run + 1, 0: none */
	u32 fresh;			/* runs from here on were never used */
	u32 pad;
	struct vmd_link link[];		/* slots + 1, then slots cells */
};

static struct lfu_cell *lfu_cells(struct lfu *l)
{
	return (struct lfu_cell *)(l->link + l->slots + 1);
}

static size_t lfu_state_size(u32 slots, u32 frames)
{
	return sizeof(struct lfu) + vmd_list_size(slots) +
	       (size_t)slots * sizeof(struct lfu_cell);
}

static void lfu_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct lfu *l = state;

	l->slots = slots;
}

static u32 lfu_new_run(struct lfu *l)
{
	u32 run;

	if (!l->free)
		return l->fresh++;
	run = l->free - 1;
	l->free = lfu_cells(l)[run].last;
	return run;
}

static u32 lfu_count(struct lfu *l, u32 slot)
{
	struct lfu_cell *cell = lfu_cells(l);

	return cell[cell[slot].run].count;
}

/*
 * The end of the last run whose count is @count or less, looking from @at on,
 * which is the end of such a run or VMD_NO_SLOT. Two steps at most: callers
 * begin right before the count they look for, but for counts of 0.
 */
static u32 lfu_find(struct lfu *l, u32 at, u32 count)
{
	struct lfu_cell *cell = lfu_cells(l);
	u32 next = vmd_list_next(l->link, at);

	while (next != VMD_NO_SLOT && lfu_count(l, next) <= count) {
		at = cell[cell[next].run].last;
		next = vmd_list_next(l->link, at);
	}
	return at;
}

/* Put @slot behind @at, the end of a run: that run gets longer or a new one. */
static void lfu_join(struct lfu *l, u32 slot, u32 at, u32 count)
{
	struct lfu_cell *cell = lfu_cells(l);
	u32 run;

	if (at != VMD_NO_SLOT && lfu_count(l, at) == count)
		run = cell[at].run;
	else
		run = lfu_new_run(l);
	cell[slot].run = run;
	cell[run].count = count;
	cell[run].last = slot;
	vmd_list_add(l->link, at, slot);
}

/* Take @slot out of list and run; a run that is empty now is free. */
static void lfu_leave(struct lfu *l, u32 slot)
{
	struct lfu_cell *cell = lfu_cells(l);
	u32 run = cell[slot].run, prev = vmd_list_prev(l->link, slot);

	vmd_list_del(l->link, slot);
	if (cell[run].last != slot)
		return;
	if (prev != VMD_NO_SLOT && cell[prev].run == run) {
		cell[run].last = prev;
	} else {
		cell[run].last = l->free;
		l->free = run + 1;
	}
}

/* Put @slot, which is in no run, last of all. */
static void lfu_join_last(struct lfu *l, u32 slot)
{
	u32 last = vmd_list_last(l->link);

	lfu_join(l, slot, last, last == VMD_NO_SLOT ? 1 : lfu_count(l, last));
}

static void lfu_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct lfu *l = state;
	u32 count = flags & VMD_REF_DEFERRED ? 0 : 1;

	if (flags & VMD_REF_RESTORED)
		lfu_join_last(l, slot);
	else
		lfu_join(l, slot, lfu_find(l, VMD_NO_SLOT, count), count);
}

static void lfu_touched(void *state, u32 slot, u32 flags)
{
	struct lfu *l = state;
	struct lfu_cell *cell = lfu_cells(l);
	u32 count = lfu_count(l, slot), at;

	if (count != (u32)~0)
		count++;
	at = lfu_find(l, cell[cell[slot].run].last, count);
	if (at == slot)
		at = vmd_list_prev(l->link, slot);
	lfu_leave(l, slot);
	lfu_join(l, slot, at, count);
}

static u32 lfu_victim(void *state, u32 *out, u32 max)
{
	struct lfu *l = state;

	return vmd_list_peek(l->link, out, max);
}

static void lfu_removed(void *state, u32 slot, enum vmd_removal why)
{
	lfu_leave(state, slot);
}

static void lfu_kept(void *state, u32 slot)
{
	struct lfu *l = state;

	/* The last one alone in its run would lose the count it is to keep. */
	if (vmd_list_last(l->link) == slot)
		return;
	lfu_leave(l, slot);
	lfu_join_last(l, slot);
}

static void lfu_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct lfu *l = state;

	vmd_list_walk(l->link, visit, arg);
}

/* The links grow into where the cells were. */
static void lfu_resize(void *state, u32 slots, u32 frames)
{
	struct lfu *l = state;
	const struct lfu_cell *from = lfu_cells(l);
	size_t bytes = (size_t)l->slots * sizeof(*from);

	memmove(l->link + slots + 1, from, bytes);
	l->slots = slots;
}

static void lfu_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	why->code = VMD_WHY_COUNT;
	why->nr[0] = lfu_count((struct lfu *)state, slot);
}

static u32 lfu_look(const void *state, u32 slot, u64 *number)
{
	*number = lfu_count((struct lfu *)state, slot);
	return VMD_QUEUED_NUMBER;
}

static void lfu_queues(const void *state, struct vmd_queue_view *view)
{
	const struct lfu *l = state;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = l,
		.look = lfu_look,
		.hand = VMD_NO_SLOT,
	};

	vmd_queue_begin(view, "order", "uses");
	vmd_list_walk(l->link, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_lfu = {
	.name = "lfu",
	.text = "least frequently used since it came, then least recently",
	.flags = VMD_POLICY_HARVEST,
	.state_size = lfu_state_size,
	.init = lfu_init,
	.inserted = lfu_inserted,
	.touched = lfu_touched,
	.victim = lfu_victim,
	.explain = lfu_explain,
	.removed = lfu_removed,
	.kept = lfu_kept,
	.walk = lfu_walk,
	.queues = lfu_queues,
	.resize = lfu_resize,
};
