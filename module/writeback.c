// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing dirty pages that stay in their frames, on demand: sync.
 *
 * The pages are unmapped, as that is how dirty bits come out of page tables,
 * and their folios are locked while they are written: a touch meanwhile waits.
 */
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "batch.h"
#include "compat.h"

/* Might differ from the store: known dirty, or mapped and hence not known. */
static bool write_wanted(struct vmd_space *space, struct vmd_frame *f)
{
	struct folio *folio = READ_ONCE(f->folio);

	/* The frame in the page table may be gone: then it was written. */
	return folio && (vmd_folio_peek(folio, PG_dirty) ||
			 vmd_space_mapcount(space, folio));
}

/* Is there anything to be done about page @entry? */
static bool write_needed(struct vmd_space *space, void *entry)
{
	if (!vmd_entry_is_frame(entry))
		return false;
	switch (vmd_frame_state(entry)) {
	case VMD_PAGE_EVICTING:
		return true;
	case VMD_PAGE_RESIDENT:
		return write_wanted(space, entry);
	}
	/* What is filling equals its copy in the store, or is zeros. */
	return false;
}

/*
 * Lock page @a->index and add it, if it is resident and might be dirty. Returns
 * -EAGAIN instead of waiting while others are locked: whoever is waited for may
 * need one of those to go.
 */
static int write_add(struct vmd_batch *batch, struct vmd_access *a)
{
	struct folio *folio;
	void *entry;
	int err;

	for (;;) {
		entry = xa_load(&batch->space->pages, a->index);
		if (!write_needed(batch->space, entry))
			return 0;
		if (batch->n && !vmd_frame_idle(entry))
			return -EAGAIN;
		folio = vmd_frame_lock_folio(a, entry, &err);
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

/*
 * Write the next pages from @a->index on; moves that behind them. A page that
 * is not to be waited for is stepped over.
 */
static int write_some(struct vmd_access *a, pgoff_t last)
{
	struct vmd_space *space = a->space;
	struct vmd_batch *batch = vmd_batch_alloc(space, VMD_BATCH_MAX, false);
	unsigned long at = a->index;
	int err = 0, written;

	while (!err && batch->n < VMD_BATCH_MAX && at <= last &&
	       xa_find(&space->pages, &at, last, XA_PRESENT)) {
		a->index = at;
		err = write_add(batch, a);
		if (!err || err == -EDEADLK)
			a->index = ++at;
	}
	if (!err && batch->n < VMD_BATCH_MAX)
		a->index = last + 1;
	written = vmd_batch_run(batch, a);
	if (err && err != -EAGAIN)
		return err;
	return written < 0 && written != -EAGAIN ? written : 0;
}

/* Every page is tried, whatever becomes of the others. */
static int write_pages(struct vmd_access *a, pgoff_t end)
{
	int err = 0, this;

	while (a->index < end) {
		this = write_some(a, end - 1);
		if (!err)
			err = this;
		if (this == -EINTR)
			return this;
		cond_resched();
	}
	return err;
}

/**
 * vmd_sync - write the dirty pages of a range and wait until they are safe
 * @space: of which
 * @first: first page
 * @end: the page after the last one
 *
 * Every page is tried, whatever becomes of the others. Returns 0, -EINTR, or
 * the first error; the pages it concerns are resident and dirty.
 */
int vmd_sync(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	struct vmd_access a = { .space = space, .index = first };
	int err = write_pages(&a, end), flush;

	if (err == -EINTR)
		return err;
	flush = space->store->ops->sync(space->store);
	if (flush && flush != -EINTR)
		errseq_set(&vmd_mapping(space)->wb_err, flush);
	return err ? err : flush;
}

/* Send the next pages on their way to the store. */
static void write_begin_some(struct vmd_access *a, pgoff_t last)
{
	struct vmd_space *space = a->space;
	struct vmd_batch *batch = vmd_batch_alloc(space, VMD_BATCH_MAX, false);
	unsigned long at = a->index;
	void *entry;

	while (batch->n < VMD_BATCH_MAX && at <= last &&
	       (entry = xa_find(&space->pages, &at, last, XA_PRESENT))) {
		a->index = at++;
		if (write_needed(space, entry))
			vmd_batch_add_idle(batch, a);
	}
	a->index = batch->n < VMD_BATCH_MAX ? last + 1 : at;
	vmd_batch_send(batch);
}

/**
 * vmd_write_begin - begin to write the dirty pages of a range
 * @space: of which
 * @first: first page
 * @end: the page after the last one
 *
 * Does not wait until they are written; pages in use just now are passed over.
 * Returns 0 or -EINTR.
 */
int vmd_write_begin(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	struct vmd_access a = { .space = space, .index = first };

	while (a.index < end) {
		write_begin_some(&a, end - 1);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* What a thread that is being killed cannot wait for. */
struct write_last {
	struct work_struct work;
	struct vmd_access a;
};

static void write_last_work(struct work_struct *work)
{
	struct write_last *last = container_of(work, struct write_last, work);

	write_pages(&last->a, last->a.space->nr_pages);
}

/**
 * vmd_write_last - write what is dirty to the file; the last user has gone
 * @space: on a file
 *
 * Waits, but not for ever: what is under way then ends without us.
 */
void vmd_write_last(struct vmd_space *space)
{
	struct write_last last = {
		.a = { .space = space, .stuck.haste = VMD_CLOSING },
	};

	if (write_pages(&last.a, space->nr_pages) != -EINTR)
		return;
	last.a.index = 0;
	INIT_WORK_ONSTACK(&last.work, write_last_work);
	queue_work(vmd_idle_wq, &last.work);
	flush_work(&last.work);
	destroy_work_on_stack(&last.work);
}
