// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty neighbours: in a space on a file a page has its place, so victims, which
 * the policy chooses, lie anywhere in the file, and each would be a request of
 * its own. A dirty page next to a victim will have to be written, too: it is
 * written with it, in the same request, and stays. When its turn comes it is
 * clean, and most likely in no page table any more.
 *
 * If it becomes dirty again it has been written in vain. That happens once at
 * most for each time a page comes in (VMD_FRAME_EARLY).
 *
 * Only in observer "accessed": a page that is unmapped faults again, and the
 * others see faults.
 */
#include <linux/pagemap.h>

#include "batch.h"
#include "compat.h"

/*
 * While somebody has the file's lock, who may be writing to it from pages of the
 * space, only what has to go is locked until that is done.
 */
static bool near_wanted(const struct vmd_batch *batch)
{
	struct vmd_space *space = batch->space;
	struct vmd_store *store = space->store;

	return store->homes && !store->readonly && !batch->only_clean &&
	       !batch->step && !space->group &&
	       READ_ONCE(space->observer) == VMD_OBSERVER_ACCESSED &&
	       !(store->ops->busy && store->ops->busy(store));
}

/**
 * vmd_near_init - are there to be neighbours with a batch?
 * @batch: of no victims yet
 * @most: how many there will be
 */
void vmd_near_init(struct vmd_batch *batch, u32 most)
{
	if (near_wanted(batch))
		batch->most_near = min_t(u32, most, VMD_BATCH_NEAR);
}

/* Is it the page's frame, and would the page have to be written some time? */
static bool near_suits(const struct vmd_frame *f, pgoff_t index)
{
	return f->index == index && vmd_frame_state(f) == VMD_PAGE_RESIDENT &&
	       vmd_frame_test(f, VMD_FRAME_QUEUED) &&
	       !vmd_frame_test(f, VMD_FRAME_EARLY | VMD_FRAME_GUARDED) &&
	       folio_test_dirty(f->folio);
}

/* Under RCU. Whoever has it locked is about to map it, or it is in the batch. */
static bool near_add(struct vmd_batch *batch, struct vmd_frame *f,
		     pgoff_t index)
{
	struct folio *folio = READ_ONCE(f->folio);
	bool added = false;

	/* Only a flag of memory that may be another's by now is read. */
	if (!folio || !vmd_folio_peek(folio, PG_dirty) || !folio_try_get(folio))
		return false;
	if (READ_ONCE(f->folio) == folio && folio_trylock(folio)) {
		added = f->folio == folio && !vmd_frame_held(f) &&
			near_suits(f, index);
		if (added) {
			vmd_frame_set(f, VMD_FRAME_EARLY);
			batch->near[batch->nr_near++] = f;
		} else {
			folio_unlock(folio);
		}
	}
	/* The lock and the frame's own reference keep it from here on. */
	folio_put(folio);
	return added;
}

/* Those behind @index, or before it, up to the first that does not suit. */
static void near_side(struct vmd_batch *batch, pgoff_t index, bool before)
{
	XA_STATE(xas, &batch->space->pages, index);
	/* What the file's end cuts off is not written like the others. */
	pgoff_t last = READ_ONCE(batch->space->nr_pages) - 1;
	void *entry;

	rcu_read_lock();
	xas_load(&xas);
	while (batch->nr_near < batch->most_near) {
		if (before ? !xas.xa_index : xas.xa_index + 1 >= last)
			break;
		entry = before ? xas_prev(&xas) : xas_next(&xas);
		if (xas_retry(&xas, entry) || !vmd_entry_is_frame(entry) ||
		    !near_add(batch, entry, xas.xa_index))
			break;
	}
	rcu_read_unlock();
}

/**
 * vmd_near_gather - lock the dirty neighbours of victims
 * @batch: they are added to its near ones, still mapped
 * @f: the victims' frames, their folios locked
 * @n: how many
 */
void vmd_near_gather(struct vmd_batch *batch, struct vmd_frame **f, u32 n)
{
	u32 i;

	for (i = 0; i < n && batch->nr_near < batch->most_near; i++) {
		if (!folio_test_dirty(f[i]->folio))
			continue;
		near_side(batch, f[i]->index, true);
		near_side(batch, f[i]->index, false);
	}
}

/**
 * vmd_near_take - a page that is proposed may be a neighbour of one before
 * @batch: of victims
 * @f: its frame
 *
 * Returns true if it was, and is not any more: its folio is locked by us.
 */
bool vmd_near_take(struct vmd_batch *batch, struct vmd_frame *f)
{
	u32 i;

	for (i = 0; i < batch->nr_near; i++) {
		if (batch->near[i] != f)
			continue;
		batch->near[i] = batch->near[--batch->nr_near];
		return true;
	}
	return false;
}

/**
 * vmd_near_join - neighbours are pages of the batch from now on
 * @batch: its victims are chosen
 */
void vmd_near_join(struct vmd_batch *batch)
{
	while (batch->nr_near)
		batch->frames[batch->n++] = batch->near[--batch->nr_near];
}
