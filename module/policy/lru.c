// SPDX-License-Identifier: GPL-2.0-only
/*
 * LRU: the page that has not been used for the longest time goes.
 *
 * R. L. Mattson, J. Gecsei, D. R. Slutz, I. L. Traiger, "Evaluation techniques
 * for storage hierarchies", IBM Systems Journal 9(2), 1970: a stack algorithm,
 * so more frames never mean more misses.
 *
 * The state is one list, least recently used first: 8 bytes per slot. A page
 * that was kept or restored counts as just used, or it would be proposed for
 * ever. victim() is exact for every max.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

static size_t lru_state_size(u32 slots, u32 frames)
{
	return vmd_list_size(slots);
}

static void lru_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	/* Zeroed memory is an empty list. */
}

static void lru_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	vmd_list_add_last(state, slot);
}

static void lru_touched(void *state, u32 slot, u32 flags)
{
	vmd_list_move_last(state, slot);
}

static u32 lru_victim(void *state, u32 *out, u32 max)
{
	return vmd_list_peek(state, out, max);
}

static void lru_removed(void *state, u32 slot, enum vmd_removal why)
{
	vmd_list_del(state, slot);
}

static void lru_kept(void *state, u32 slot)
{
	vmd_list_move_last(state, slot);
}

static void lru_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	vmd_list_walk(state, visit, arg);
}

static void lru_resize(void *state, u32 slots, u32 frames)
{
	/* The links of new slots lie behind the old ones and need no start. */
}

static void lru_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	why->code = VMD_WHY_LEAST_RECENT;
}

static void lru_queues(const void *state, struct vmd_queue_view *view)
{
	vmd_queue_begin(view, "recency", NULL);
	vmd_list_walk(state, vmd_policy_show_slot, view);
}

const struct vmd_policy_ops vmd_policy_lru = {
	.name = "lru",
	.text = "least recently used",
	.flags = VMD_POLICY_HARVEST,
	.state_size = lru_state_size,
	.init = lru_init,
	.inserted = lru_inserted,
	.touched = lru_touched,
	.victim = lru_victim,
	.explain = lru_explain,
	.removed = lru_removed,
	.kept = lru_kept,
	.walk = lru_walk,
	.queues = lru_queues,
	.resize = lru_resize,
};
