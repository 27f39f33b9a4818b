/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A doubly linked list of slots, by index instead of by pointer: it may be
 * copied to another place and is half the size. 8 bytes per slot.
 *
 * link[0] is the head and link[slot + 1] belongs to the slot; the numbers in
 * the links are such indices too. So VMD_NO_SLOT, one below slot 0, stands for
 * the head: what follows it is the first slot and what precedes it the last;
 * no end needs an if, and zeroed memory is an empty list.
 */
#ifndef _VMD_POLICY_LIST_H
#define _VMD_POLICY_LIST_H

#include "policy.h"

struct vmd_link {
	u32 prev;
	u32 next;
};

/* Bytes of a list for slots numbered 0 to @slots - 1. */
static inline size_t vmd_list_size(u32 slots)
{
	return ((size_t)slots + 1) * sizeof(struct vmd_link);
}

/* The slot after @slot, VMD_NO_SLOT after the last. */
static inline u32 vmd_list_next(const struct vmd_link *link, u32 slot)
{
	return link[slot + 1].next - 1;
}

/* The slot before @slot, VMD_NO_SLOT before the first. */
static inline u32 vmd_list_prev(const struct vmd_link *link, u32 slot)
{
	return link[slot + 1].prev - 1;
}

static inline u32 vmd_list_first(const struct vmd_link *link)
{
	return vmd_list_next(link, VMD_NO_SLOT);
}

static inline u32 vmd_list_last(const struct vmd_link *link)
{
	return vmd_list_prev(link, VMD_NO_SLOT);
}

/* Put @slot, which is in no list, behind @at; VMD_NO_SLOT: in front of all. */
static inline void vmd_list_add(struct vmd_link *link, u32 at, u32 slot)
{
	u32 me = slot + 1, prev = at + 1, next = link[prev].next;

	link[me].prev = prev;
	link[me].next = next;
	link[prev].next = me;
	link[next].prev = me;
}

static inline void vmd_list_add_first(struct vmd_link *link, u32 slot)
{
	vmd_list_add(link, VMD_NO_SLOT, slot);
}

static inline void vmd_list_add_last(struct vmd_link *link, u32 slot)
{
	vmd_list_add(link, vmd_list_last(link), slot);
}

static inline void vmd_list_del(struct vmd_link *link, u32 slot)
{
	u32 prev = link[slot + 1].prev, next = link[slot + 1].next;

	link[prev].next = next;
	link[next].prev = prev;
}

static inline void vmd_list_move_first(struct vmd_link *link, u32 slot)
{
	vmd_list_del(link, slot);
	vmd_list_add_first(link, slot);
}

static inline void vmd_list_move_last(struct vmd_link *link, u32 slot)
{
	vmd_list_del(link, slot);
	vmd_list_add_last(link, slot);
}

/*
 * Make @slot the first; those that were before it are the last then, in their
 * order. Seen as a circle, it is the head that moves: the hand of a CLOCK.
 */
static inline void vmd_list_turn(struct vmd_link *link, u32 slot)
{
	u32 prev = vmd_list_prev(link, slot);

	if (prev == VMD_NO_SLOT)
		return;
	vmd_list_del(link, VMD_NO_SLOT);
	vmd_list_add(link, prev, VMD_NO_SLOT);
}

/* The first @max slots: victim() of a policy that evicts from the front. */
static inline u32 vmd_list_peek(const struct vmd_link *link, u32 *out, u32 max)
{
	u32 slot = vmd_list_first(link), nr = 0;

	while (slot != VMD_NO_SLOT && nr < max) {
		out[nr++] = slot;
		slot = vmd_list_next(link, slot);
	}
	return nr;
}

/* From first to last: walk() of a policy that evicts from the front. */
static inline void vmd_list_walk(const struct vmd_link *link,
				 vmd_policy_visit_t visit, void *arg)
{
	u32 slot = vmd_list_first(link);

	while (slot != VMD_NO_SLOT && visit(arg, slot))
		slot = vmd_list_next(link, slot);
}

/* A visitor that fills an array: victim() of several by way of walk(). */
struct vmd_found {
	u32 *out;
	u32 nr;
	u32 max;
};

static inline bool vmd_found_visit(void *arg, u32 slot)
{
	struct vmd_found *found = arg;

	found->out[found->nr++] = slot;
	return found->nr < found->max;
}

#endif /* _VMD_POLICY_LIST_H */
