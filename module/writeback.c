// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing dirty pages that stay in their frames: sync.
 *
 * The pages are unmapped, as that is how dirty bits come out of page tables,
 * and their folios are locked while they are written: a touch meanwhile waits.
 */
#include <linux/pagemap.h>

#include "batch.h"
#include "compat.h"

/* Might differ from the store: known dirty, or mapped and hence not known. */
static bool write_wanted(struct vmd_frame *f)
{
	struct folio *folio = READ_ONCE(f->folio);

	/* The frame in the page table may be gone: then it was written. */
	return folio && (folio_test_dirty(folio) || vmd_folio_mapcount(folio));
}

/* Is there anything to be done about page @entry? */
static bool write_needed(void *entry)
{
	if (!vmd_entry_is_frame(entry))
		return false;
	switch (vmd_frame_state(entry)) {
	case VMD_PAGE_EVICTING:
		return true;
	case VMD_PAGE_RESIDENT:
		return write_wanted(entry);
	}
	/* What is filling equals its copy in the store, or is zeros. */
	return false;
}

/*
 * Lock page @index and add it, if it is resident and might be dirty. Returns
 * -EAGAIN instead of waiting while others are locked: whoever is waited for may
 * need one of those to go.
 */
static int write_add(struct vmd_batch *batch, pgoff_t index)
{
	struct vmd_access a = { .space = batch->space, .index = index };
	struct folio *folio;
	void *entry;
	int err;

	for (;;) {
		entry = xa_load(&batch->space->pages, index);
		if (!write_needed(entry))
			return 0;
		if (batch->n && !vmd_frame_idle(entry))
			return -EAGAIN;
		folio = vmd_frame_lock_folio(&a, entry, &err);
		if (err)
			return err;
		if (folio)
			break;
		cond_resched();
	}
	batch->frames[batch->n++] = entry;
	/* The lock and the frame's own reference keep it from here on. */
	folio_put(folio);
	return 0;
}

/* Write the next pages from *@index on; moves *@index behind them. */
static int write_some(struct vmd_space *space, unsigned long *index,
		      pgoff_t last)
{
	struct vmd_batch *batch = vmd_batch_alloc(space, VMD_BATCH_MAX, false);
	unsigned long at = *index;
	int err = 0, written;

	while (!err && batch->n < VMD_BATCH_MAX && at <= last &&
	       xa_find(&space->pages, &at, last, XA_PRESENT)) {
		err = write_add(batch, at);
		*index = err ? at : ++at;
	}
	if (!err && batch->n < VMD_BATCH_MAX)
		*index = last + 1;
	written = vmd_batch_run(batch, NULL);
	if (err && err != -EAGAIN)
		return err;
	return written < 0 && written != -EAGAIN ? written : 0;
}

/**
 * vmd_write_range - write the dirty pages of a range and wait
 * @space: of which
 * @first: first page
 * @end: the page after the last one
 *
 * Every page is tried, whatever becomes of the others. Returns 0, -EINTR, or
 * the first error; the pages it concerns are resident and dirty.
 */
int vmd_write_range(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	unsigned long index = first;
	int err = 0, this;

	while (index < end) {
		this = write_some(space, &index, end - 1);
		if (!err)
			err = this;
		if (this == -EINTR)
			return this;
		cond_resched();
	}
	this = space->store->ops->sync(space->store);
	return err ? err : this;
}
