// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a batch of pages: unmap, write what is dirty, let go.
 *
 *   vmd_batch_run:  unmap runs of neighbours, one call each
 *                   a page that is pinned after all goes back
 *                   clean pages go at once
 *                   dirty ones get places, are written in runs of neighbours
 *   batch_finish:   those that were written go; the others stay, dirty
 */
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "batch.h"
#include "compat.h"
#include "trace.h"

/**
 * vmd_batch_alloc - an empty batch
 * @space: of which
 * @most: pages it shall hold at most, up to VMD_BATCH_MAX
 * @evict: as vmd_batch.evict
 *
 * Does not fail: eviction is what makes room when memory is short. It may
 * wait for memory, but not for memory of this module's.
 */
struct vmd_batch *vmd_batch_alloc(struct vmd_space *space, u32 most,
				  bool evict)
{
	struct vmd_batch *batch;

	batch = kmalloc(struct_size(batch, ios, most), GFP_NOIO | __GFP_NOFAIL);
	memset(batch, 0, offsetof(struct vmd_batch, frames));
	vmd_space_get(space);
	batch->space = space;
	batch->evict = evict;
	atomic_set(&batch->refs, 2);
	return batch;
}

/**
 * vmd_batch_put - give a reference to a batch back
 * @batch: one not run has its second reference to be given back, too
 */
void vmd_batch_put(struct vmd_batch *batch)
{
	if (!atomic_dec_and_test(&batch->refs))
		return;
	vmd_space_put(batch->space);
	kfree(batch);
}

static int batch_by_index(const void *a, const void *b)
{
	const struct vmd_frame *f = *(const struct vmd_frame **)a;
	const struct vmd_frame *g = *(const struct vmd_frame **)b;

	return f->index < g->index ? -1 : f->index > g->index;
}

static int batch_by_place(const void *a, const void *b)
{
	const struct vmd_frame *f = *(const struct vmd_frame **)a;
	const struct vmd_frame *g = *(const struct vmd_frame **)b;

	return f->place < g->place ? -1 : f->place > g->place;
}

/* One call, hence one TLB flush, for each run of neighbouring pages. */
static void batch_unmap(struct vmd_batch *batch)
{
	struct vmd_frame **f = batch->frames;
	u32 i, from = 0;

	if (batch->n > 1)
		sort(f, batch->n, sizeof(*f), batch_by_index, NULL);
	for (i = 1; i <= batch->n; i++) {
		if (i < batch->n && f[i]->index == f[i - 1]->index + 1)
			continue;
		unmap_mapping_pages(vmd_mapping(batch->space), f[from]->index,
				    i - from, false);
		from = i;
	}
}

/* The page is in its frame as before. Its folio is locked by us. */
static void batch_stay(struct vmd_batch *batch, struct vmd_frame *f)
{
	struct folio *folio = f->folio;

	/* Once unlocked it may go before the last waiter is woken. */
	folio_get(folio);
	if (batch->evict) {
		vmd_decide_inserted(batch->space, f, VMD_REF_RESTORED);
		vmd_frame_set_state(f, VMD_PAGE_RESIDENT);
	}
	vmd_space_progress(batch->space);
	folio_unlock(folio);
	folio_put(folio);
}

/* The page leaves its frame. */
static void batch_leave(struct vmd_batch *batch, struct vmd_frame *f,
			bool written)
{
	struct vmd_space *space = batch->space;
	void *entry = vmd_entry_make(f->place, f->faults);

	vmd_count(space, evictions);
	if (written)
		vmd_count(space, evictions_dirty);
	else
		vmd_count(space, evictions_clean);
	trace_vmdemo_evict(space->id, f->index, f->place, written);
	/* Replaces an entry that is there: nothing is allocated. */
	xa_store(&space->pages, f->index, entry, GFP_NOWAIT);
	vmd_folio_release(f);
	vmd_frame_uncharge(space);
	vmd_frame_return(space, f);
	vmd_space_progress(space);
	batch->done++;
}

/*
 * Unmapped and locked, a folio with no reference but the frame's own can be
 * found by nobody any more. The freeze makes that a fact: a speculative
 * reference (lockless GUP) either came first and is seen here, or fails.
 */
static bool batch_pinned(struct folio *folio)
{
	if (!folio_ref_freeze(folio, 1))
		return true;
	folio_ref_unfreeze(folio, 1);
	return false;
}

/* After unmapping: who stays, who goes at once, who has to be written. */
static void batch_sort_out(struct vmd_batch *batch)
{
	struct vmd_frame *f;
	u32 i;

	for (i = 0; i < batch->n; i++) {
		f = batch->frames[i];
		if (batch->evict && batch_pinned(f->folio)) {
			batch->error = -EBUSY;
			batch_stay(batch, f);
			continue;
		}
		/* Not before: whoever had it pinned may have written to it. */
		if (folio_test_dirty(f->folio))
			batch->writes[batch->nr_writes++] = f;
		else if (batch->evict)
			batch_leave(batch, f, false);
		else
			batch_stay(batch, f);
	}
}

/* Places for the dirty pages that have none; those without any stay. */
static void batch_place(struct vmd_batch *batch, struct vmd_access *a)
{
	struct vmd_store *store = batch->space->store;
	u32 i, n = 0, first = 0, want = 0;
	struct vmd_frame *f;
	int got = 0;

	for (i = 0; i < batch->nr_writes; i++)
		want += batch->writes[i]->place == VMD_NO_PLACE;
	for (i = 0; i < batch->nr_writes; i++) {
		f = batch->writes[i];
		if (f->place == VMD_NO_PLACE) {
			if (!got)
				got = store->ops->alloc(store, want, &first, a);
			if (got < 0) {
				batch->error = got;
				batch_stay(batch, f);
				continue;
			}
			f->place = first++;
			got--;
			want--;
		}
		batch->writes[n++] = f;
	}
	batch->nr_writes = n;
}

/* Requests: one for each run of neighbouring places. */
static void batch_make_ios(struct vmd_batch *batch)
{
	struct vmd_frame **f = batch->writes;
	struct vmd_io *io = NULL;
	u32 i;

	if (batch->nr_writes > 1)
		sort(f, batch->nr_writes, sizeof(*f), batch_by_place, NULL);
	for (i = 0; i < batch->nr_writes; i++) {
		bvec_set_page(&batch->bvec[i], folio_page(f[i]->folio, 0),
			      PAGE_SIZE, 0);
		vmd_folio_clean(batch->space, f[i]->folio);
		if (!io || f[i]->place != f[i - 1]->place + 1) {
			io = &batch->ios[batch->nr_ios++];
			memset(io, 0, sizeof(*io));
			io->write = true;
			io->place = f[i]->place;
			io->bvec = &batch->bvec[i];
		}
		io->nr++;
	}
}

static void batch_io_failed(struct vmd_batch *batch, struct vmd_frame **f,
			    struct vmd_io *io)
{
	u32 i;

	batch->error = io->error;
	vmd_count(batch->space, io_errors);
	for (i = 0; i < io->nr; i++) {
		/* Nothing is lost: the page stays, and dirty. */
		folio_mark_dirty(f[i]->folio);
		batch_stay(batch, f[i]);
	}
}

static void batch_io_ended(struct vmd_batch *batch, struct vmd_frame **f,
			   struct vmd_io *io)
{
	struct vmd_space *space = batch->space;
	u32 i;

	trace_vmdemo_write(space->id, f[0]->index, io->place, io->nr,
			   io->error);
	if (io->error) {
		batch_io_failed(batch, f, io);
		return;
	}
	vmd_count_add(space, pages_written, io->nr);
	for (i = 0; i < io->nr; i++) {
		if (batch->evict) {
			batch_leave(batch, f[i], true);
		} else {
			batch_stay(batch, f[i]);
			batch->done++;
		}
	}
}

/* All writes have ended, well or not. */
static void batch_finish(struct vmd_io_group *group)
{
	struct vmd_batch *batch = container_of(group, struct vmd_batch, group);
	u32 i, at = 0;

	for (i = 0; i < batch->nr_ios; i++) {
		batch_io_ended(batch, &batch->writes[at], &batch->ios[i]);
		at += batch->ios[i].nr;
	}
	atomic_dec(&batch->space->under_way);
	vmd_batch_put(batch);
}

/* One page that went is room made; one page not written is data not safe. */
static int batch_result(const struct vmd_batch *batch)
{
	if (batch->done && (batch->evict || !batch->error))
		return batch->done;
	return batch->error ? batch->error : -EAGAIN;
}

/**
 * vmd_batch_run - evict or write the pages of a batch
 * @batch: its pages' folios are locked, and EVICTING if they are to leave; a
 *	reference to it is used up
 * @a: the access on whose behalf, or NULL; may wait, killably
 *
 * Returns how many pages went or were written; the error if none went, or one
 * could not be written; -EAGAIN if there was none to take. -EINTR if the thread
 * is being killed; the writes end without it.
 */
int vmd_batch_run(struct vmd_batch *batch, struct vmd_access *a)
{
	int err;
	u32 i;

	atomic_inc(&batch->space->under_way);
	batch_unmap(batch);
	batch_sort_out(batch);
	batch_place(batch, a);
	batch_make_ios(batch);
	vmd_io_group_init(&batch->group, batch_finish);
	for (i = 0; i < batch->nr_ios; i++)
		vmd_io_submit(batch->space->store, &batch->group,
			      &batch->ios[i]);
	if (a && !vmd_io_done(&batch->group))
		vmd_may_wait(a);
	err = vmd_io_wait(&batch->group);
	if (!err)
		err = batch_result(batch);
	vmd_batch_put(batch);
	return err;
}
