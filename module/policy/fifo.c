// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIFO: the page that came first goes first, used or not.
 *
 * L. A. Belady, "A study of replacement algorithms for a virtual-storage
 * computer", IBM Systems Journal 5(2), 1966. That more frames may mean more
 * misses: Belady, Nelson, Shedler, "An anomaly in space-time characteristics
 * of certain programs running in a paging machine", CACM 12(6), 1969.
 *
 * The state is one list, oldest first: 8 bytes per slot. A page that was kept
 * or restored counts as just arrived. victim() is exact for every max.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

static size_t fifo_state_size(u32 slots, u32 frames)
{
	return vmd_list_size(slots);
}

static void fifo_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	/* Zeroed memory is an empty list. */
}

static void fifo_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	vmd_list_add_last(state, slot);
}

static u32 fifo_victim(void *state, u32 *out, u32 max)
{
	return vmd_list_peek(state, out, max);
}

static void fifo_removed(void *state, u32 slot, enum vmd_removal why)
{
	vmd_list_del(state, slot);
}

static void fifo_kept(void *state, u32 slot)
{
	vmd_list_move_last(state, slot);
}

static void fifo_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	vmd_list_walk(state, visit, arg);
}

static void fifo_resize(void *state, u32 slots, u32 frames)
{
	/* The links of new slots lie behind the old ones and need no start. */
}

static void fifo_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	why->code = VMD_WHY_FIRST_IN;
}

static void fifo_queues(const void *state, struct vmd_queue_view *view)
{
	vmd_queue_begin(view, "queue", NULL);
	vmd_list_walk(state, vmd_policy_show_slot, view);
}

const struct vmd_policy_ops vmd_policy_fifo = {
	.name = "fifo",
	.text = "first in, first out",
	.state_size = fifo_state_size,
	.init = fifo_init,
	.inserted = fifo_inserted,
	.victim = fifo_victim,
	.explain = fifo_explain,
	.removed = fifo_removed,
	.kept = fifo_kept,
	.walk = fifo_walk,
	.queues = fifo_queues,
	.resize = fifo_resize,
};
