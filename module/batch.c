// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a batch of pages: unmap, write what is dirty, let go.
 *
 *   vmd_batch_run:  unmap runs of neighbours, one call each
 *                   a page that is pinned after all goes back
 *                   clean pages go at once
 *                   dirty ones get places, are written in runs of neighbours
 *   batch_finish:   those that were written go; the others stay, dirty
 *
 * vmd_batch_send: likewise, and the writes end with nobody waiting for them.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "batch.h"
#include "compat.h"
#include "cow.h"
#include "crypt.h"
#include "entries.h"
#include "record.h"
#include "step.h"
#include "trace.h"

/* Memory of a full batch, for the next one on this CPU: the kernel zeroes all. */
static DEFINE_PER_CPU(struct vmd_batch *, batch_spare);

static struct vmd_batch *batch_take_spare(u32 room)
{
	struct vmd_batch *batch;

	if (room < VMD_BATCH_MAX)
		return NULL;
	batch = this_cpu_xchg(batch_spare, NULL);
	if (!batch || batch->room >= room)
		return batch;
	kvfree(batch);
	return NULL;
}

/**
 * vmd_batch_exit - free what was kept for batches to come
 *
 * No space is left.
 */
void vmd_batch_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(per_cpu(batch_spare, cpu));
}

static void batch_init(struct vmd_batch *batch, struct vmd_space *space,
		       u32 room, bool evict)
{
	memset(batch, 0, offsetof(struct vmd_batch, frames));
	vmd_space_get(space);
	batch->space = space;
	batch->room = room;
	batch->evict = evict;
	atomic_set(&batch->refs, 2);
}

/**
 * vmd_batch_alloc - an empty batch
 * @space: of which
 * @most: pages it shall hold at most, up to VMD_BATCH_MAX
 * @evict: as vmd_batch.evict
 *
 * Does not fail: eviction is what makes room when memory is short. It may
 * wait for memory, but not for memory of this module's. Nor has it to be in one
 * piece: with locks that are checked it is more than two pages.
 */
struct vmd_batch *vmd_batch_alloc(struct vmd_space *space, u32 most,
				  bool evict)
{
	struct vmd_batch *batch;

	/* As many neighbours, none of which has to lie beside another. */
	if (evict && space->store->homes)
		most *= 2;
	batch = batch_take_spare(most);
	if (batch)
		most = batch->room;
	else
		batch = kvmalloc(struct_size(batch, ios, most),
				 GFP_NOIO | __GFP_NOFAIL);
	batch_init(batch, space, most, evict);
	return batch;
}

/**
 * vmd_batch_alloc_clean - an empty batch for pages that leave if they are clean
 * @space: of which; the caller keeps a reference until the batch has run
 *
 * For the kernel's reclaim: waits for nothing and leaves the last reserves of
 * memory alone. Returns NULL where there is no memory.
 */
struct vmd_batch *vmd_batch_alloc_clean(struct vmd_space *space)
{
	struct vmd_batch *batch;

	batch = kmalloc(sizeof(*batch),
			GFP_NOWAIT | __GFP_NOWARN | __GFP_NOMEMALLOC);
	if (!batch)
		return NULL;
	batch_init(batch, space, 0, true);
	batch->only_clean = true;
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
	if (batch->room >= VMD_BATCH_MAX)
		batch = this_cpu_xchg(batch_spare, batch);
	kvfree(batch);
}

/**
 * vmd_batch_add_idle - add a page that stays, if it can be had at once
 * @batch: only to write
 * @a: a->index is the page, dirty or not
 */
void vmd_batch_add_idle(struct vmd_batch *batch, struct vmd_access *a)
{
	void *entry = xa_load(&batch->space->pages, a->index);
	struct folio *folio;
	int err;

	if (!vmd_entry_is_frame(entry) || !vmd_frame_idle(entry))
		return;
	folio = vmd_frame_lock_folio(a, entry, &err);
	if (!folio)
		return;
	batch->frames[batch->n++] = entry;
	/* The lock and the frame's own reference keep it from here on. */
	folio_put(folio);
}

/* What a frame is sorted by, and where it was, in one number. */
static u64 sort_key(const struct vmd_frame *f, u32 at, bool by_place)
{
	return (by_place ? f->place : (u64)f->index) << 8 | at;
}

/* Shell's sort: of some dozens the quickest that is as short as this. */
static void sort_keys(u64 *key, u32 n)
{
	static const u32 gaps[] = { 10, 4, 1 };
	u32 g, gap, i, at;
	u64 this;

	for (g = 0; g < ARRAY_SIZE(gaps); g++) {
		gap = gaps[g];
		for (i = gap; i < n; i++) {
			this = key[i];
			for (at = i; at >= gap && key[at - gap] > this; at -= gap)
				key[at] = key[at - gap];
			key[at] = this;
		}
	}
}

/**
 * vmd_frames_sort - put frames in order
 * @f: the frames
 * @n: how many, up to VMD_BATCH_PAGES
 * @by_place: by their places; else by their pages
 */
void vmd_frames_sort(struct vmd_frame **f, u32 n, bool by_place)
{
	struct vmd_frame *was[VMD_BATCH_PAGES];
	u64 key[VMD_BATCH_PAGES];
	bool sorted = true;
	u32 i;

	for (i = 0; i < n; i++) {
		was[i] = f[i];
		key[i] = sort_key(f[i], i, by_place);
		sorted &= !i || key[i - 1] < key[i];
	}
	if (sorted)
		return;
	sort_keys(key, n);
	for (i = 0; i < n; i++)
		f[i] = was[key[i] & 0xff];
}

/**
 * vmd_frames_unmap - take pages out of all page tables
 * @space: of which
 * @f: frames in the order of their pages, their folios locked
 * @n: how many
 *
 * One call, hence one TLB flush, for each run of neighbours that are mapped.
 */
void vmd_frames_unmap(struct vmd_space *space, struct vmd_frame **f, u32 n)
{
	u32 i, run;
	int tables, here;

	for (i = 0; i < n; i = run) {
		run = i + 1;
		tables = vmd_space_mapcount(space, f[i]->folio);
		if (!tables)
			continue;
		while (run < n && f[run]->index == f[run - 1]->index + 1 &&
		       (here = vmd_space_mapcount(space, f[run]->folio))) {
			tables = max(tables, here);
			run++;
		}
		unmap_mapping_pages(vmd_mapping(space),
				    vmd_page_pgoff(space, f[i]->index),
				    vmd_page_pgoff(space, run - i), false);
		vmd_count_more(space, unmap_calls, 1);
		vmd_count_more(space, tlb_flushes_estimated,
			       vmd_tables_estimated(space, tables));
	}
}

/* Is it to leave its frame? Not if it is only to be written, or a neighbour. */
static bool batch_evicts(const struct vmd_frame *f)
{
	return vmd_frame_state(f) == VMD_PAGE_EVICTING;
}

/* The page is in its frame as before. Its folio is locked by us. */
static void batch_stay(struct vmd_batch *batch, struct vmd_frame *f)
{
	bool evicts = batch_evicts(f);
	struct folio *folio = f->folio;

	if (batch->ahead && evicts)
		atomic_dec(&batch->space->leaving);

	/* Once unlocked it may go before the last waiter is woken. */
	folio_get(folio);
	if (evicts) {
		vmd_decide_inserted(batch->space, f, VMD_REF_RESTORED);
		vmd_frame_set_state(f, VMD_PAGE_RESIDENT);
	}
	vmd_space_progress(batch->space);
	folio_unlock(folio);
	folio_put(folio);
}

/* The frame is free: ready for another page, or given back. */
static void batch_vacate(struct vmd_batch *batch, struct vmd_frame *f)
{
	struct vmd_space *space = batch->space;
	struct folio *folio;

	if (vmd_cow_let_go(space, f)) {
		vmd_frame_uncharge(space);
		return;
	}
	if (!batch->refill) {
		vmd_folio_release(f);
		vmd_frame_uncharge(space);
		return;
	}
	folio = vmd_folio_part(f);
	if (vmd_ready_put(space, folio))
		return;
	folio->private = NULL;
	folio_put(folio);
	vmd_frame_uncharge(space);
}

static void batch_count_left(struct vmd_batch *batch, bool written)
{
	struct vmd_space *space = batch->space;

	vmd_count(space, evictions);
	if (written)
		vmd_count(space, evictions_dirty);
	else
		vmd_count(space, evictions_clean);
	if (batch->ahead)
		vmd_count_more(space, background_evictions, 1);
}

/* The page leaves its frame. */
static void batch_leave(struct vmd_batch *batch, struct vmd_frame *f,
			bool written)
{
	struct vmd_space *space = batch->space;
	void *entry = NULL;

	/* Of a page at home only the number of its faults would be lost. */
	if (!space->store->homes || !vmd_user_crowded(space))
		entry = vmd_entry_make(f->place, f->faults);
	batch_count_left(batch, written);
	vmd_ahead_wasted(space, f);
	trace_vmdemo_evict(space->id, f->index, f->place, written);
	vmd_record_eviction(space, f->index, written);
	/* Replaces an entry that is there: nothing is allocated. */
	if (entry) {
		vmd_entry_cmpxchg(&space->pages, f->index, f, entry);
	} else {
		xa_store(&space->pages, f->index, NULL, GFP_NOWAIT);
		vmd_user_uncharge_slot(space);
	}
	if (f->place == VMD_NO_PLACE)
		vmd_space_free_place(space, f->place);
	batch_vacate(batch, f);
	/* Not before it counts as free, or more would be sent after it. */
	if (batch->ahead)
		atomic_dec(&space->leaving);
	vmd_frame_return(space, f);
	vmd_space_progress(space);
	batch->done++;
}

/*
 * Unmapped and locked, a folio with no reference but its frames' own can be
 * found by nobody any more. The freeze makes that a fact: a speculative
 * reference (lockless GUP) either came first and is seen here, or fails.
 */
static bool batch_pinned(struct folio *folio)
{
	u32 refs = vmd_folio_sharers(folio);

	if (!folio_ref_freeze(folio, refs))
		return true;
	folio_ref_unfreeze(folio, refs);
	return false;
}

/* After unmapping: who stays, who goes at once, who has to be written. */
static void batch_sort_out(struct vmd_batch *batch)
{
	struct vmd_frame *f;
	u32 i;

	for (i = 0; i < batch->n; i++) {
		f = batch->frames[i];
		if (batch_evicts(f) && batch_pinned(f->folio)) {
			batch->error = -EBUSY;
			batch_stay(batch, f);
			continue;
		}
		/* Not before: whoever had it pinned may have written to it. */
		if (folio_test_dirty(f->folio) && batch->only_clean)
			batch_stay(batch, f);
		else if (folio_test_dirty(f->folio))
			batch->writes[batch->nr_writes++] = f;
		else if (batch_evicts(f))
			batch_leave(batch, f, false);
		else
			batch_stay(batch, f);
	}
}

/* Into how many requests would the pages go where they are? */
static u32 batch_runs(struct vmd_batch *batch)
{
	struct vmd_frame **f = batch->writes;
	u32 i, runs = !!batch->nr_writes;

	for (i = 1; i < batch->nr_writes; i++)
		runs += f[i]->place != f[i - 1]->place + 1;
	return runs;
}

/*
 * Pages that lie apart in the swap store get places anew, side by side: what
 * their old ones hold is of no use any more.
 */
static void batch_unplace(struct vmd_batch *batch)
{
	struct vmd_space *space = batch->space;
	struct vmd_frame *f;
	u32 i, n = 0;

	if (space->store->homes || space->store->under || batch_runs(batch) * 4 <= batch->nr_writes)
		return;
	for (i = 0; i < batch->nr_writes; i++) {
		f = batch->writes[i];
		if (f->place == VMD_NO_PLACE)
			continue;
		space->store->ops->unplace(space->store, f->place);
		f->place = VMD_NO_PLACE;
		n++;
	}
	vmd_places_let_go(space, n);
}

/* Places for the dirty pages that have none: they were reserved. */
static void batch_place(struct vmd_batch *batch)
{
	struct vmd_store *store = batch->space->store;
	u32 i, first = 0, want = 0, got = 0;
	struct vmd_frame *f;

	batch_unplace(batch);
	for (i = 0; i < batch->nr_writes; i++)
		want += batch->writes[i]->place == VMD_NO_PLACE;
	vmd_places_hold(batch->space, want);
	for (i = 0; i < batch->nr_writes; i++) {
		f = batch->writes[i];
		if (f->place != VMD_NO_PLACE)
			continue;
		if (!got)
			got = store->ops->alloc(store, want, &first);
		f->place = first++;
		got--;
		want--;
	}
}

/* Requests: one for each run of neighbouring places. */
static void batch_make_ios(struct vmd_batch *batch)
{
	struct vmd_frame **f = batch->writes;
	struct vmd_io *io = NULL;
	u32 i;

	vmd_frames_sort(f, batch->nr_writes, true);
	for (i = 0; i < batch->nr_writes; i++) {
		bvec_set_page(&batch->bvec[i], folio_page(f[i]->folio, 0),
			      vmd_page_bytes(batch->space), 0);
		vmd_folio_clean(batch->space, f[i]->folio);
		if (vmd_frame_test(f[i], VMD_FRAME_OLD))
			vmd_frame_clear(f[i], VMD_FRAME_OLD);
		if (!io || f[i]->place != f[i - 1]->place + 1) {
			io = &batch->ios[batch->nr_ios++];
			vmd_io_init(io, true, f[i]->place, &batch->bvec[i]);
		}
		io->nr++;
	}
}

/* Whoever asks next is told, unless the page is being cut off. */
static void batch_tell(struct vmd_space *space, pgoff_t index, int error)
{
	vmd_count(space, io_errors);
	if (index >= READ_ONCE(space->nr_pages))
		return;
	errseq_set(&vmd_mapping(space)->wb_err, error);
	wake_up(&space->error_wait);
}

static void batch_io_failed(struct vmd_batch *batch, struct vmd_frame **f,
			    struct vmd_io *io)
{
	struct vmd_space *space = batch->space;
	u32 i;

	batch->error = io->error;
	if (batch->ahead)
		vmd_reserve_failed(space);
	/* Not of one that was never begun, as its thread is being killed. */
	if (io->group || io->error != -EINTR)
		batch_tell(space, f[0]->index, io->error);
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
		vmd_cow_saved(space, f[i]);
		if (batch_evicts(f[i])) {
			batch_leave(batch, f[i], true);
		} else {
			batch_stay(batch, f[i]);
			batch->done += !batch->evict;
		}
	}
}

/* All writes have ended, well or not. */
static void batch_finish(struct vmd_io_group *group)
{
	struct vmd_batch *batch = container_of(group, struct vmd_batch, group);
	u32 i, at = 0;

	vmd_crypt_written(batch->space, batch->bvec, batch->nr_writes);
	for (i = 0; i < batch->nr_ios; i++) {
		batch_io_ended(batch, &batch->writes[at], &batch->ios[i]);
		at += batch->ios[i].nr;
	}
	atomic_dec(&batch->space->under_way);
	if (batch->sent)
		atomic_dec(&batch->space->sent);
	vmd_batch_put(batch);
}

/* One page that went is room made; one page not written is data not safe. */
static int batch_result(const struct vmd_batch *batch)
{
	if (batch->done && (batch->evict || !batch->error))
		return batch->done;
	return batch->error ? batch->error : -EAGAIN;
}

/* Up to where the writes are under way. */
static void batch_submit(struct vmd_batch *batch)
{
	u32 i;

	atomic_inc(&batch->space->under_way);
	vmd_near_join(batch);
	vmd_frames_sort(batch->frames, batch->n, false);
	vmd_frames_unmap(batch->space, batch->frames, batch->n);
	batch_sort_out(batch);
	batch_place(batch);
	batch_make_ios(batch);
	vmd_io_group_init(&batch->group, batch_finish);
	vmd_crypt_write(batch->space, batch->ios, batch->nr_ios);
	for (i = 0; i < batch->nr_ios; i++)
		if (!batch->ios[i].error)
			vmd_io_submit(batch->space->store, &batch->group,
				      &batch->ios[i]);
}

/**
 * vmd_batch_run - evict or write the pages of a batch
 * @batch: its pages' folios are locked, and EVICTING if they are to leave; a
 *	reference to it is used up
 * @a: the access on whose behalf, or NULL; may wait, killably
 *
 * Returns how many pages went or were written; the error if none went, or one
 * could not be written; -EAGAIN if there was none to take. -EINTR if the thread
 * is being killed, -EDEADLK as vmd_io_wait(); the writes end without it.
 */
int vmd_batch_run(struct vmd_batch *batch, struct vmd_access *a)
{
	int err;

	batch_submit(batch);
	if (unlikely(batch->step) && batch->nr_ios)
		vmd_step_writes(batch->step, batch->ios[0].place);
	if (a && !vmd_io_done(&batch->group))
		vmd_may_wait(a);
	err = vmd_io_wait(&batch->group, batch->space->store,
			  a ? &a->stuck : NULL);
	if (!err)
		err = batch_result(batch);
	vmd_batch_put(batch);
	return err;
}

/**
 * vmd_batch_send - likewise, but let the writes end by themselves
 * @batch: as there
 *
 * Waits for no I/O. What comes of it shows in the pages, in the space's
 * counters and in its errseq.
 */
void vmd_batch_send(struct vmd_batch *batch)
{
	batch->sent = true;
	atomic_inc(&batch->space->sent);
	batch_submit(batch);
	vmd_io_leave(&batch->group);
	vmd_batch_put(batch);
}
