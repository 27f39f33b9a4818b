// SPDX-License-Identifier: GPL-2.0-only
/*
 * MRU: the page used last goes. The best there is for loops over more pages
 * than there are frames, and bad for nearly everything else.
 *
 * H.-T. Chou, D. J. DeWitt, "An evaluation of buffer management strategies for
 * relational database systems", VLDB 1985.
 *
 * The state is one list, most recently used first: 8 bytes per slot. A page
 * that was kept or restored goes to the far end, as if least recently used.
 * victim() is exact for every max.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

static size_t mru_state_size(u32 slots, u32 frames)
{
	return vmd_list_size(slots);
}

static void mru_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	/* Zeroed memory is an empty list. */
}

static void mru_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	/* In front, what could not go a moment ago would be next again. */
	if (flags & VMD_REF_RESTORED)
		vmd_list_add_last(state, slot);
	else
		vmd_list_add_first(state, slot);
}

static void mru_touched(void *state, u32 slot, u32 flags)
{
	vmd_list_move_first(state, slot);
}

static u32 mru_victim(void *state, u32 *out, u32 max)
{
	return vmd_list_peek(state, out, max);
}

static void mru_removed(void *state, u32 slot, enum vmd_removal why)
{
	vmd_list_del(state, slot);
}

static void mru_kept(void *state, u32 slot)
{
	vmd_list_move_last(state, slot);
}

static void mru_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	vmd_list_walk(state, visit, arg);
}

static void mru_resize(void *state, u32 slots, u32 frames)
{
	/* The links of new slots lie behind the old ones and need no start. */
}

static void mru_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	why->code = VMD_WHY_MOST_RECENT;
}

static void mru_queues(const void *state, struct vmd_queue_view *view)
{
	vmd_queue_begin(view, "recency", NULL);
	vmd_list_walk(state, vmd_policy_show_slot, view);
}

const struct vmd_policy_ops vmd_policy_mru = {
	.name = "mru",
	.text = "most recently used",
	.flags = VMD_POLICY_HARVEST,
	.state_size = mru_state_size,
	.init = mru_init,
	.inserted = mru_inserted,
	.touched = mru_touched,
	.victim = mru_victim,
	.explain = mru_explain,
	.removed = mru_removed,
	.kept = mru_kept,
	.walk = mru_walk,
	.queues = mru_queues,
	.resize = mru_resize,
};
