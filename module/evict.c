// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking pages out: which ones. How is in batch.c.
 *
 * The policy proposes; a proposal is looked at closely (was it accessed, is it
 * pinned, is it part of an unfinished instruction) and then taken out of the
 * policy's hands, or reported as touched or kept, and the policy is asked
 * again. That happens under evict_lock, so that two threads do not choose the
 * same page; unmapping and writing happen outside it.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "batch.h"
#include "compat.h"
#include "trace.h"

/*
 * A reference to a proposed frame's folio, which is locked without waiting:
 * whoever has it locked is about to map it, or writes it.
 */
static struct folio *evict_trylock(struct vmd_frame *f)
{
	struct folio *folio = READ_ONCE(f->folio);

	if (!folio || !folio_try_get(folio))
		return NULL;
	if (READ_ONCE(f->folio) == folio && folio_trylock(folio)) {
		if (f->folio == folio &&
		    vmd_frame_state(f) == VMD_PAGE_RESIDENT)
			return folio;
		folio_unlock(folio);
	}
	folio_put(folio);
	return NULL;
}

/* References that are neither ours nor a page table's: GUP, a fault under way. */
static bool evict_in_use(struct folio *folio)
{
	return folio_ref_count(folio) > 2 + vmd_folio_mapcount(folio);
}

/* Was the page referenced since it was last asked? Then tell the policy. */
static bool evict_was_touched(struct vmd_space *space, struct vmd_frame *f)
{
	if (READ_ONCE(space->observer) != VMD_OBSERVER_ACCESSED ||
	    !vmd_harvest_frame(space, f))
		return false;
	vmd_observed(space, f);
	return true;
}

/* Take a page out of the policy's hands and into the batch. */
static void evict_add(struct vmd_batch *batch, struct vmd_frame *f,
		      struct folio *folio)
{
	vmd_frame_set_state(f, VMD_PAGE_EVICTING);
	vmd_decide_removed(batch->space, f, VMD_REMOVED_EVICTED);
	batch->frames[batch->n++] = f;
	/* The lock and the frame's own reference keep it from here on. */
	folio_put(folio);
}

static void evict_consider(struct vmd_batch *batch, struct vmd_frame *f)
{
	struct vmd_space *space = batch->space;
	struct folio *folio;

	if (evict_was_touched(space, f))
		return;
	if (vmd_frame_test(f, VMD_FRAME_GUARDED)) {
		batch->guarded = true;
		vmd_decide_kept(space, f);
		return;
	}
	folio = evict_trylock(f);
	if (folio && !evict_in_use(folio) &&
	    vmd_frame_test(f, VMD_FRAME_QUEUED)) {
		evict_add(batch, f, folio);
		return;
	}
	if (folio) {
		folio_unlock(folio);
		folio_put(folio);
	}
	vmd_decide_kept(space, f);
}

/*
 * Ask the policy until there are @want pages. Each page is asked for twice at
 * most: once it was touched, once it was not.
 */
static void evict_choose(struct vmd_batch *batch, u32 want)
{
	struct vmd_space *space = batch->space;
	long patience = 2 * atomic_long_read(&space->resident) + 2 * want;
	u32 proposed[VMD_BATCH_MAX];
	u32 i, n;

	while (batch->n < want && patience > 0 &&
	       !fatal_signal_pending(current)) {
		n = vmd_decide_victims(space, proposed, want - batch->n);
		if (!n)
			break;
		for (i = 0; i < n; i++)
			evict_consider(batch, vmd_frame_by_id(space,
							      proposed[i]));
		patience -= n;
		cond_resched();
	}
	if (batch->guarded && !batch->n)
		vmd_threads_expire(space);
}

/* Has somebody else made room while we waited for the lock? */
static bool evict_not_needed(struct vmd_space *space)
{
	return atomic_long_read(&space->resident) < READ_ONCE(space->limit) &&
	       vmd_frames_total() < vmd_max_frames();
}

/**
 * vmd_evict - take pages out as the policy proposes
 * @space: of which
 * @want: how many, up to VMD_BATCH_MAX
 * @a: the access that needs a frame, or NULL to evict in any case
 *
 * Returns how many frames became free, at least 1; -EAGAIN if no page can go
 * just now; -EINTR; -EIO or -ENOSPC if the store would not take them.
 */
int vmd_evict(struct vmd_space *space, unsigned long want,
	      struct vmd_access *a)
{
	struct vmd_batch *batch;
	int err;

	want = min_t(unsigned long, want, VMD_BATCH_MAX);
	if (!mutex_trylock(&space->evict_lock)) {
		if (a)
			vmd_may_wait(a);
		if (mutex_lock_killable(&space->evict_lock))
			return -EINTR;
	}
	if (a && evict_not_needed(space)) {
		mutex_unlock(&space->evict_lock);
		return 1;
	}
	batch = vmd_batch_alloc(space, want, true);
	evict_choose(batch, want);
	mutex_unlock(&space->evict_lock);
	err = vmd_batch_run(batch, a);
	if (err == -EAGAIN && fatal_signal_pending(current))
		err = -EINTR;
	return err == -EBUSY ? -EAGAIN : err;
}

/**
 * vmd_evict_down - evict until no more than a number of frames are in use
 * @space: of which; nothing may be charged beyond @limit meanwhile
 * @limit: frames that may stay
 *
 * Returns 0; -EBUSY if pages in use leave no way; -EINTR, -EIO or -ENOSPC as
 * vmd_evict().
 */
int vmd_evict_down(struct vmd_space *space, unsigned long limit)
{
	unsigned long deadline = jiffies + 2 * HZ;
	long over;
	int err;

	while ((over = atomic_long_read(&space->resident) - (long)limit) > 0) {
		err = vmd_evict(space, over, NULL);
		if (err > 0)
			continue;
		if (err != -EAGAIN && err != -EBUSY)
			return err;
		if (time_after(jiffies, deadline))
			return -EBUSY;
		/* Filling, or in use by I/O: that ends. */
		if (schedule_timeout_killable(1) || fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * vmd_trim_work - take lent frames back
 * @work: vmd_space.trim
 */
void vmd_trim_work(struct work_struct *work)
{
	struct vmd_space *space = container_of(to_delayed_work(work),
					       struct vmd_space, trim);
	long over = atomic_long_read(&space->resident) -
		    (long)READ_ONCE(space->limit);

	while (over-- > 0 && vmd_evict(space, 1, NULL) > 0)
		;
	if (atomic_long_read(&space->resident) > READ_ONCE(space->limit))
		queue_delayed_work(vmd_idle_wq, &space->trim, HZ / 10);
}

/* Take frames from any space that can give some up. */
static int reclaim_from_any(void)
{
	struct vmd_space *space;
	int err = -EAGAIN;
	u64 id = 0;

	while (err <= 0 && err != -EINTR && (space = vmd_space_next(id))) {
		id = space->id;
		err = vmd_evict(space, VMD_BATCH_MAX, NULL);
		vmd_space_put(space);
	}
	return err;
}

/**
 * vmd_reclaim_total - make room below the cap on all spaces together
 *
 * The space with the most frames gives some up; where it cannot, any other.
 * Returns as vmd_evict().
 */
int vmd_reclaim_total(void)
{
	struct vmd_space *space = vmd_space_largest();
	int err;

	if (!space)
		return -EAGAIN;
	err = vmd_evict(space, VMD_BATCH_MAX, NULL);
	vmd_space_put(space);
	return err > 0 || err == -EINTR ? err : reclaim_from_any();
}

/* The resident page @index, its folio locked; NULL if it is not resident. */
static struct folio *evict_find(struct vmd_space *space, pgoff_t index,
				struct vmd_frame **f, int *err)
{
	struct vmd_access a = { .space = space, .index = index };
	struct folio *folio;
	void *entry;

	for (;;) {
		*err = 0;
		entry = xa_load(&space->pages, index);
		if (!vmd_entry_is_frame(entry))
			return NULL;
		*f = entry;
		folio = vmd_frame_lock_folio(&a, entry, err);
		if (folio || *err)
			return folio;
		cond_resched();
	}
}

/* May this page not go? An error, or 1 if it is dirty and may stay so. */
static int evict_veto(struct vmd_space *space, struct vmd_frame *f,
		      bool only_clean)
{
	if (vmd_frame_test(f, VMD_FRAME_PINNED))
		return only_clean ? 1 : -EBUSY;
	if (!only_clean)
		return 0;
	/* Whether it is dirty is known once it is unmapped. */
	unmap_mapping_pages(vmd_mapping(space), f->index, 1, false);
	return folio_test_dirty(f->folio);
}

/**
 * vmd_evict_page - take one page out
 * @space: of which
 * @index: the page
 * @only_clean: not if it is dirty: then only unmap it
 *
 * Returns 0, also if it was not resident or stayed as it is dirty; -EBUSY if
 * it is pinned or in use by I/O; -EINTR, -EIO or -ENOSPC.
 */
int vmd_evict_page(struct vmd_space *space, pgoff_t index, bool only_clean)
{
	struct vmd_batch *batch;
	struct vmd_frame *f;
	struct folio *folio;
	int err;

	folio = evict_find(space, index, &f, &err);
	if (!folio)
		return err;
	err = evict_veto(space, f, only_clean);
	if (err) {
		folio_unlock(folio);
		folio_put(folio);
		return min(err, 0);
	}
	batch = vmd_batch_alloc(space, 1, true);
	evict_add(batch, f, folio);
	return min(vmd_batch_run(batch, NULL), 0);
}

/*
 * Drop a resident page, content and all. @folio is locked, and unlocked if
 * this was still the page in it.
 */
static bool drop_locked(struct vmd_space *space, struct vmd_frame *f,
			struct folio *folio, pgoff_t index)
{
	u32 place = f->place;

	if (f->folio != folio || f->index != index ||
	    vmd_frame_state(f) != VMD_PAGE_RESIDENT)
		return false;
	/* A fault that had it locked before us may have mapped it. */
	unmap_mapping_pages(vmd_mapping(space), index, 1, true);
	vmd_decide_removed(space, f, VMD_REMOVED_DROPPED);
	if (vmd_frame_test(f, VMD_FRAME_PINNED))
		atomic_long_dec(&space->pinned);
	vmd_folio_clean(space, f->folio);
	xa_store(&space->pages, index, NULL, GFP_NOWAIT);
	vmd_folio_release(f);
	vmd_frame_uncharge(space);
	vmd_frame_return(space, f);
	if (place != VMD_NO_PLACE)
		space->store->ops->free(space->store, place, 1);
	return true;
}

/* Drop a page that is not resident. False if it is not that any more. */
static bool drop_entry(struct vmd_space *space, pgoff_t index, void *entry)
{
	u32 place = vmd_entry_place(entry);

	if (xa_cmpxchg(&space->pages, index, entry, NULL, GFP_NOWAIT) != entry)
		return false;
	if (place != VMD_NO_PLACE)
		space->store->ops->free(space->store, place, 1);
	return true;
}

/* Wait, not to be interrupted, for a page on its way in or out. */
static void drop_wait(struct vmd_frame *f)
{
	u32 state = vmd_frame_state(f);

	if (state == VMD_PAGE_FILLING || state == VMD_PAGE_EVICTING)
		wait_var_event_timeout(&f->word, vmd_frame_state(f) != state,
				       HZ);
}

static void drop_page(struct vmd_space *space, pgoff_t index)
{
	struct folio *folio;
	struct vmd_frame *f;
	void *entry;

	while ((entry = xa_load(&space->pages, index))) {
		if (!vmd_entry_is_frame(entry)) {
			if (drop_entry(space, index, entry))
				return;
			continue;
		}
		f = entry;
		drop_wait(f);
		folio = READ_ONCE(f->folio);
		if (!folio || !folio_try_get(folio))
			continue;
		/* Ours, and so worth waiting for? */
		if (READ_ONCE(f->folio) == folio) {
			folio_lock(folio);
			if (drop_locked(space, f, folio, index)) {
				folio_put(folio);
				return;
			}
			folio_unlock(folio);
		}
		folio_put(folio);
	}
}

/**
 * vmd_drop_from - drop every page from one on, content and all
 * @space: of which; its size was set before, so nothing new comes in there
 * @first: the first page to drop
 */
void vmd_drop_from(struct vmd_space *space, pgoff_t first)
{
	unsigned long index = first;
	void *entry;

	for (entry = xa_find(&space->pages, &index, ULONG_MAX, XA_PRESENT);
	     entry;
	     entry = xa_find_after(&space->pages, &index, ULONG_MAX,
				   XA_PRESENT)) {
		drop_page(space, index);
		cond_resched();
	}
}
