/* SPDX-License-Identifier: GPL-2.0-only */
/* Showing queues: what the policies share. */
#ifndef _VMD_POLICY_QUEUES_H
#define _VMD_POLICY_QUEUES_H

#include "ghost.h"

/**
 * struct vmd_queue_slots - visitor of a list of slots, with what is known of each
 * @view: who is shown them
 * @state: the policy's
 * @look: VMD_QUEUED_* of a slot, and its number; NULL: there is nothing to tell
 * @hand: the slot that the hand points at, VMD_NO_SLOT: there is no hand
 */
struct vmd_queue_slots {
	struct vmd_queue_view *view;
	const void *state;
	u32 (*look)(const void *state, u32 slot, u64 *number);
	u32 hand;
};

static inline bool vmd_queue_slot(void *arg, u32 slot)
{
	const struct vmd_queue_slots *s = arg;
	u64 number = 0;
	u32 flags = s->look ? s->look(s->state, slot, &number) : 0;

	if (slot == s->hand)
		flags |= VMD_QUEUED_HAND;
	return s->view->page(s->view, slot, 0, flags, number);
}

/* A queue of which only the name is told. */
static inline void vmd_queue_begin(struct vmd_queue_view *view,
				   const char *name, const char *number)
{
	view->queue(view, name, number, VMD_QUEUE_UNTOLD, VMD_QUEUE_UNTOLD);
}

/* @flag: what vmd_node.flag stands for, if it is set; or 0. */
static inline bool vmd_queue_node(struct vmd_queue_view *view,
				  const struct vmd_node *node, u32 flag,
				  bool counts)
{
	u32 flags = node->flag ? flag : 0;

	if (node->slot == VMD_NO_SLOT)
		flags = VMD_QUEUED_GHOST;
	else if (counts)
		flags |= VMD_QUEUED_NUMBER;
	return view->page(view, node->slot, node->key, flags, node->count);
}

/* A list of ghost.h's; its ghosts have no flags but that one. */
static inline void vmd_queue_known(struct vmd_queue_view *view,
				   const struct vmd_known *k, u32 list,
				   const char *name, u32 share, u32 flag)
{
	const struct vmd_node *node = vmd_known_nodes(k);
	u32 at = vmd_known_first(k, list);

	view->queue(view, name, NULL, k->nr[list], share);
	while (at && vmd_queue_node(view, node + at, flag, false))
		at = vmd_known_next(k, list, at);
}

/* The same, with vmd_node.count as @number. */
static inline void vmd_queue_counted(struct vmd_queue_view *view,
				     const struct vmd_known *k, u32 list,
				     const char *name, u32 share,
				     const char *number)
{
	const struct vmd_node *node = vmd_known_nodes(k);
	u32 at = vmd_known_first(k, list);

	view->queue(view, name, number, k->nr[list], share);
	while (at && vmd_queue_node(view, node + at, 0, true))
		at = vmd_known_next(k, list, at);
}

/* Those that could not go, if there are any. */
static inline void vmd_queue_parked(struct vmd_queue_view *view,
				    const struct vmd_known *k)
{
	if (k->nr[VMD_KNOWN_PARKED])
		vmd_queue_known(view, k, VMD_KNOWN_PARKED, "kept",
				VMD_QUEUE_UNTOLD, 0);
}

#endif /* _VMD_POLICY_QUEUES_H */
