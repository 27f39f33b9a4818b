/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exchanging an entry of a space's page table.
 */
#ifndef _VMD_ENTRIES_H
#define _VMD_ENTRIES_H

#include "space.h"

/*
 * One entry for another where @xas is, none of them NULL. xas_store() would make
 * sure of the way down to it once more, and look after marks and the number of
 * entries; but nothing is allocated or freed for this, there are no marks, and
 * the number stays. Of what a node knows of its entries, how many of them are
 * values is all that changes. Called under the array's lock.
 */
static inline void vmd_entry_put(struct xa_state *xas, void *old, void *new)
{
	struct xa_node *node = xas->xa_node;

	/* The only entry of all may be in no node. */
	if (unlikely(!xas_is_node(xas))) {
		xas_store(xas, new);
		return;
	}
	node->nr_values += xa_is_value(new) - xa_is_value(old);
	rcu_assign_pointer(node->slots[xas->xa_offset], new);
}

/*
 * Put @new in place of @old, both not NULL, if that stands there. Returns what
 * stood there, as xa_cmpxchg() does.
 */
static inline void *vmd_entry_cmpxchg(struct xarray *pages, pgoff_t index,
				      void *old, void *new)
{
	XA_STATE(xas, pages, index);
	void *was;

	xas_lock(&xas);
	was = xas_load(&xas);
	if (was == old)
		vmd_entry_put(&xas, old, new);
	xas_unlock(&xas);
	return was;
}

#endif /* _VMD_ENTRIES_H */
