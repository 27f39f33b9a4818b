/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A few doubly linked lists of slots in one array of links: each slot is in one
 * of them or in none. As in list.h, links are indices: 8 bytes per slot.
 *
 * link[0] to link[VMD_LISTS - 1] are the lists' heads, the others belong to the
 * slots, so nothing has to be changed when the array gets longer.
 */
#ifndef _VMD_POLICY_LISTS_H
#define _VMD_POLICY_LISTS_H

#include "list.h"

#define VMD_LISTS	6

/* Bytes of the links for slots numbered 0 to @slots - 1. */
static inline size_t vmd_lists_size(u32 slots)
{
	return ((size_t)slots + VMD_LISTS) * sizeof(struct vmd_link);
}

/* Zeroed memory is not enough: an empty list's head is linked to itself. */
static inline void vmd_lists_init(struct vmd_link *link)
{
	u32 list;

	for (list = 0; list < VMD_LISTS; list++)
		link[list] = (struct vmd_link){ .prev = list, .next = list };
}

/* The slot that a link stands for, VMD_NO_SLOT for a head. */
static inline u32 vmd_lists_slot(u32 at)
{
	return at < VMD_LISTS ? VMD_NO_SLOT : at - VMD_LISTS;
}

static inline u32 vmd_lists_first(const struct vmd_link *link, u32 list)
{
	return vmd_lists_slot(link[list].next);
}

static inline u32 vmd_lists_last(const struct vmd_link *link, u32 list)
{
	return vmd_lists_slot(link[list].prev);
}

/* The slot after @slot in its list, VMD_NO_SLOT after the last. */
static inline u32 vmd_lists_next(const struct vmd_link *link, u32 slot)
{
	return vmd_lists_slot(link[slot + VMD_LISTS].next);
}

static inline u32 vmd_lists_prev(const struct vmd_link *link, u32 slot)
{
	return vmd_lists_slot(link[slot + VMD_LISTS].prev);
}

/* Put @slot, which is in no list, at the end of @list. */
static inline void vmd_lists_add_last(struct vmd_link *link, u32 list, u32 slot)
{
	u32 me = slot + VMD_LISTS, prev = link[list].prev;

	link[me].prev = prev;
	link[me].next = list;
	link[prev].next = me;
	link[list].prev = me;
}

static inline void vmd_lists_del(struct vmd_link *link, u32 slot)
{
	u32 prev = link[slot + VMD_LISTS].prev;
	u32 next = link[slot + VMD_LISTS].next;

	link[prev].next = next;
	link[next].prev = prev;
}

static inline void vmd_lists_move_last(struct vmd_link *link, u32 list,
				       u32 slot)
{
	vmd_lists_del(link, slot);
	vmd_lists_add_last(link, list, slot);
}

/* From first to last; false if the visitor has enough. */
static inline bool vmd_lists_walk(const struct vmd_link *link, u32 list,
				  vmd_policy_visit_t visit, void *arg)
{
	u32 slot = vmd_lists_first(link, list);

	for (; slot != VMD_NO_SLOT; slot = vmd_lists_next(link, slot)) {
		if (!visit(arg, slot))
			return false;
	}
	return true;
}

#endif /* _VMD_POLICY_LISTS_H */
