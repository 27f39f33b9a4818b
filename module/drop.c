// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that go, content and all: past a new end, in a hole, at the end of the
 * space.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "cow.h"
#include "shadows.h"

/*
 * Drop a resident page. @folio is locked, and unlocked if this was still the
 * page in it.
 */
static bool drop_locked(struct vmd_space *space, struct vmd_frame *f,
			struct folio *folio, pgoff_t index)
{
	u32 place = f->place;

	if (f->folio != folio || f->index != index ||
	    vmd_frame_state(f) != VMD_PAGE_RESIDENT)
		return false;
	/*
	 * A fault that had it locked before us may have mapped it. Copies that
	 * private mappings have made go where the space has become shorter.
	 */
	if (!space->group || !list_empty(&space->maps))
		vmd_unmap_page(space, index, folio,
			       index >= READ_ONCE(space->nr_pages));
	vmd_decide_removed(space, f, VMD_REMOVED_DROPPED);
	if (vmd_frame_test(f, VMD_FRAME_PINNED))
		vmd_placed_pin(space, f, false);
	vmd_ahead_wasted(space, f);
	if (vmd_folio_sharers(folio) == 1)
		vmd_folio_clean(space, folio);
	xa_store(&space->pages, index, NULL, GFP_NOWAIT);
	vmd_user_uncharge_slot(space);
	if (!vmd_cow_let_go(space, f))
		vmd_folio_release(f);
	vmd_frame_uncharge(space);
	vmd_frame_return(space, f);
	vmd_space_free_place(space, place);
	return true;
}

/* Drop a page that is not resident. False if it is not that any more. */
static bool drop_entry(struct vmd_space *space, pgoff_t index, void *entry)
{
	u32 place = vmd_entry_place(entry);

	if (xa_cmpxchg(&space->pages, index, entry, NULL, GFP_NOWAIT) != entry)
		return false;
	vmd_user_uncharge_slot(space);
	/* A page that was never written has none, nor one reserved. */
	if (place != VMD_NO_PLACE)
		vmd_space_free_place(space, place);
	return true;
}

/* Wait for a page on its way in or out; look again now and then. */
static void drop_wait(struct vmd_frame *f)
{
	u32 state = vmd_frame_state(f);

	if (state == VMD_PAGE_FILLING || state == VMD_PAGE_EVICTING)
		wait_var_event_timeout(&f->word, vmd_frame_state(f) != state,
				       HZ / 10);
}

/* Lock the folio in a frame. NULL: look the page up again. */
static struct folio *drop_lock(struct vmd_frame *f)
{
	struct folio *folio = READ_ONCE(f->folio);

	if (!folio || !folio_try_get(folio))
		return NULL;
	/* Ours, and so worth waiting for? */
	if (READ_ONCE(f->folio) == folio) {
		if (folio_trylock(folio)) {
			if (!vmd_frame_held(f))
				return folio;
			folio_unlock(folio);
		}
		/* Under I/O: and perhaps never done; or being mapped around. */
		schedule_timeout_uninterruptible(1);
	}
	folio_put(folio);
	return NULL;
}

static int drop_page(struct vmd_space *space, pgoff_t index, bool killable)
{
	struct folio *folio;
	struct vmd_frame *f;
	void *entry;
	bool done;

	while ((entry = xa_load(&space->pages, index))) {
		if (killable && fatal_signal_pending(current))
			return -EINTR;
		if (!vmd_entry_is_frame(entry)) {
			if (drop_entry(space, index, entry))
				return 0;
			continue;
		}
		f = entry;
		drop_wait(f);
		folio = drop_lock(f);
		if (!folio)
			continue;
		done = drop_locked(space, f, folio, index);
		if (!done)
			folio_unlock(folio);
		folio_put(folio);
		if (done)
			return 0;
	}
	return 0;
}

/**
 * vmd_drop_range - drop pages, content and all
 * @space: of which; nothing new comes in there
 * @first: the first page to drop
 * @end: the page after the last one
 * @killable: give up when the thread is killed
 *
 * Returns how many there were, or -EINTR: some may be left.
 */
int vmd_drop_range(struct vmd_space *space, pgoff_t first, pgoff_t end,
		   bool killable)
{
	unsigned long index = first;
	int n = 0, err;
	void *entry;

	if (first >= end)
		return 0;
	for (entry = xa_find(&space->pages, &index, end - 1, XA_PRESENT);
	     entry;
	     entry = xa_find_after(&space->pages, &index, end - 1,
				   XA_PRESENT)) {
		err = drop_page(space, index, killable);
		if (err)
			return err;
		vmd_shadows_dropped(space, index);
		n++;
		cond_resched();
	}
	return n;
}

/**
 * vmd_zero_tail - zero what is behind a space's end in its last page
 * @space: of which
 * @bytes: its size: where it ends, is going to, or did
 *
 * Whoever has it mapped can write there; it must not show when the space grows.
 * Also waits for a write of that page. Returns 0 or -EINTR.
 */
int vmd_zero_tail(struct vmd_space *space, u64 bytes)
{
	struct vmd_access a = {
		.space = space, .index = bytes >> vmd_page_shift(space),
	};
	size_t from = bytes & (vmd_page_bytes(space) - 1);
	struct vmd_frame *f;
	struct folio *folio;
	int err;

	if (!from)
		return 0;
	folio = vmd_frame_find(&a, &f, &err);
	if (!folio)
		return err;
	folio_zero_segment(folio, from, vmd_page_bytes(space));
	/* It may have been written with more of it than is to be. */
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static bool punch_any_pinned(struct vmd_space *space, pgoff_t first,
			     pgoff_t end)
{
	unsigned long index;
	void *entry;

	xa_for_each_range(&space->pages, index, entry, first, end - 1)
		if (vmd_entry_is_frame(entry) &&
		    vmd_frame_test(entry, VMD_FRAME_PINNED))
			return true;
	return false;
}

/* Nothing comes in there while the file has its hole made. */
static void punch_bar(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	WRITE_ONCE(space->punch_first, first);
	WRITE_ONCE(space->punch_end, end);
	/* Pairs with fill_allowed(): what comes in nevertheless is seen. */
	smp_mb();
}

/* One reason less: ours, or a call that may go on without us. */
static void punch_unbar(void *arg)
{
	struct vmd_space *space = arg;

	if (atomic_dec_and_test(&space->punching)) {
		WRITE_ONCE(space->punch_end, 0);
		WRITE_ONCE(space->punch_first, 0);
		wake_up_all(&space->frame_wait);
	}
	vmd_space_put_later(space);
}

static int punch_file(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	struct vmd_store *store = space->store;

	if (!store->homes)
		return 0;
	vmd_space_get(space);
	atomic_inc(&space->punching);
	return store->ops->punch(store, first, end, punch_unbar, space);
}

/* Called under config_lock. */
static int punch_locked(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	int ret, err;

	end = min(end, space->nr_pages);
	if (first >= end)
		return 0;
	if (punch_any_pinned(space, first, end))
		return -EBUSY;
	/* Somebody was killed, and his hole is still being made. */
	if (wait_event_killable(space->frame_wait,
				!atomic_read(&space->punching)))
		return -EINTR;
	vmd_space_get(space);
	atomic_inc(&space->punching);
	punch_bar(space, first, end);
	vmd_unmap_range(space, first, end - first, false);
	/* Whether the file can have holes is known before anything is lost. */
	err = punch_file(space, first, end);
	ret = err ? err : vmd_drop_range(space, first, end, true);
	/* A write that was under way has ended now, perhaps after the first. */
	if (ret >= 0)
		err = punch_file(space, first, end);
	punch_unbar(space);
	if (ret > 0)
		vmd_count_more(space, punched, ret);
	return err ? err : min(ret, 0);
}

/**
 * vmd_punch - carry out VMD_IOC_PUNCH
 * @space: of which
 * @first: first page
 * @end: the page after the last one
 */
int vmd_punch(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	int err;

	if (space->store->readonly)
		return -EROFS;
	if (mutex_lock_killable(&space->config_lock))
		return -EINTR;
	err = punch_locked(space, first, end);
	mutex_unlock(&space->config_lock);
	return err;
}
