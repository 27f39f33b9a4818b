// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing a page in: absent or swapped -> filling -> resident.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "entries.h"
#include "fill.h"

/* Take a filling frame out of the page table again. */
static void fill_unclaim(struct vmd_space *space, struct vmd_frame *f,
			 void *entry)
{
	/* Replaces an entry that is there: nothing is allocated. */
	xa_store(&space->pages, f->index, entry, GFP_NOWAIT);
	vmd_frame_return(space, f);
	vmd_space_progress(space);
}

/* The page does not come in: everything as it was. */
static void fill_undo(struct vmd_space *space, struct vmd_frame *f,
		      void *entry)
{
	fill_unclaim(space, f, entry);
	if (!entry)
		vmd_user_uncharge_slot(space);
}

/**
 * vmd_fill_publish - a page is there: let the policy and others know
 * @space: of which
 * @f: its frame, filling
 * @folio: its memory
 * @flags: VMD_REF_*, VMD_DECIDE_REFERENCE and FILL_ACCESS
 * @pin: pin it
 *
 * The folio stays locked: nobody can take it away before the caller has mapped
 * it.
 */
void vmd_fill_publish(struct vmd_space *space, struct vmd_frame *f,
		      struct folio *folio, u32 flags, bool pin)
{
	folio->mapping = vmd_mapping(space);
	folio->index = f->index;
	/*
	 * What unmaps it leaves the mark "referenced" where the page table said
	 * accessed (evict.c); on an active folio that mark is never taken back.
	 */
	folio_set_active(folio);
	WRITE_ONCE(f->folio, folio);
	vmd_space_progress(space);
	if (flags & FILL_ACCESS &&
	    READ_ONCE(space->observer) == VMD_OBSERVER_ACCESSED) {
		flags |= VMD_REF_DEFERRED;
		vmd_frame_set(f, VMD_FRAME_FRESH);
	}
	if (pin)
		vmd_placed_pin(space, f, true);
	else
		vmd_decide_inserted(space, f, flags & ~FILL_ACCESS);
	vmd_frame_set_state(f, VMD_PAGE_RESIDENT);
}

static void fill_discard(struct vmd_space *space, struct folio *folio)
{
	folio->private = NULL;
	folio_unlock(folio);
	folio_put(folio);
	vmd_frame_uncharge(space);
}

/**
 * vmd_fill_give_up - a page does not come in after all
 * @space: of which
 * @page: claimed, with its memory
 */
void vmd_fill_give_up(struct vmd_space *space, const struct vmd_filling *page)
{
	fill_discard(space, page->folio);
	fill_undo(space, page->f, page->entry);
}

/* Every miss of a fault is one; advice is none. */
static bool fill_is_reference(const struct vmd_access *a)
{
	return a->vmf || a->reference;
}

static u32 fill_flags(const struct vmd_access *a)
{
	return (a->vmf ? FILL_ACCESS : 0) |
	       (fill_is_reference(a) ? VMD_DECIDE_REFERENCE : 0) |
	       (a->write ? VMD_REF_WRITE : 0);
}

/* Get a frame's memory within the budget. */
static int fill_memory(struct vmd_access *a, struct vmd_frame *f,
		       struct folio **folio)
{
	bool zero = f->place == VMD_NO_PLACE;
	int err;

	/* A page that is pinned never gets into the policy's hands. */
	if (!a->pin)
		vmd_decide_missed(a->space, a->index, fill_is_reference(a));
	err = vmd_frame_charge(a, f, folio);
	if (err)
		return err;
	if (*folio && zero)
		clear_highpage(folio_page(*folio, 0));
	if (!*folio)
		*folio = vmd_folio_alloc(a, zero);
	if (*folio)
		return 0;
	vmd_frame_uncharge(a->space);
	return -ENOMEM;
}

/* Likewise, with a place for the page where it has none yet. */
static int fill_reserve(struct vmd_access *a, struct vmd_frame *f,
			struct folio **folio)
{
	struct vmd_store *store = a->space->store;
	int err;

	if (f->place != VMD_NO_PLACE)
		return fill_memory(a, f, folio);
	err = store->ops->reserve(store, a);
	if (err)
		return err;
	err = fill_memory(a, f, folio);
	if (err)
		store->ops->unreserve(store);
	return err;
}

static bool fill_barred(struct vmd_space *space, pgoff_t index)
{
	return index >= READ_ONCE(space->punch_first) &&
	       index < READ_ONCE(space->punch_end);
}

/*
 * May the page that was claimed come in? This is after the claim is visible:
 * whoever makes the space shorter, or punches a hole, says so first and then
 * waits for what is filling there. (Pairs with the barriers in config_shrink()
 * and vmd_punch().)
 */
static int fill_allowed(struct vmd_space *space, pgoff_t index)
{
	/* The claim before what says whether it may stand: see above. */
	smp_mb();
	if (index >= READ_ONCE(space->nr_pages))
		return -EFAULT;
	return fill_barred(space, index) ? -EAGAIN : 0;
}

/* A hole is being punched there: look again when that is done. */
static int fill_wait_barred(struct vmd_access *a)
{
	struct vmd_space *space = a->space;

	if (!fill_barred(space, a->index))
		return -EAGAIN;
	vmd_may_wait(a);
	if (a->stuck.haste != VMD_PATIENT)
		return vmd_nap(a) ?: -EAGAIN;
	return wait_event_killable(space->frame_wait,
				   !fill_barred(space, a->index)) ? -EINTR :
								    -EAGAIN;
}

/*
 * Put a filling frame in place of @entry. Returns what stood there. Pages of
 * ours go before anybody is killed for the memory of a node.
 */
static void *fill_replace(struct vmd_access *a, void *entry,
			  struct vmd_frame *f)
{
	struct xarray *pages = &a->space->pages;
	void *was;

	if (entry)
		return vmd_entry_cmpxchg(pages, a->index, entry, f);
	was = xa_cmpxchg(pages, a->index, entry, f, GFP_KERNEL_ACCOUNT |
			 __GFP_NORETRY | __GFP_NOWARN);
	if (xa_err(was) != -ENOMEM)
		return was;
	vmd_frames_shed(a);
	return xa_cmpxchg(pages, a->index, entry, f, GFP_KERNEL_ACCOUNT);
}

static void fill_prepare(struct vmd_space *space, struct vmd_frame *f,
			 pgoff_t index, void *entry)
{
	WRITE_ONCE(f->index, index);
	f->place = vmd_space_place(space, index, entry);
	f->faults = vmd_entry_faults(entry);
	vmd_frame_set_state(f, VMD_PAGE_FILLING);
}

/* Claim the page: put a filling frame in place of @entry. */
static struct vmd_frame *fill_claim(struct vmd_access *a, void *entry)
{
	struct vmd_space *space = a->space;
	struct vmd_frame *f = vmd_frame_take(a);
	void *was;

	if (IS_ERR(f))
		return f;
	fill_prepare(space, f, a->index, entry);
	/* Advice is no fault. */
	f->faults = min(f->faults + !!a->vmf, VMD_FAULTS_MAX);
	was = fill_replace(a, entry, f);
	if (was != entry) {
		vmd_frame_return(space, f);
		return ERR_PTR(xa_is_err(was) ? xa_err(was) : -EAGAIN);
	}
	/*
	 * Only now: of two threads that touch the page for the first time, one
	 * counts it, and the other is not refused for that.
	 */
	if (!entry && !vmd_user_charge_slot(space)) {
		fill_unclaim(space, f, NULL);
		return ERR_PTR(-EDQUOT);
	}
	return f;
}

/* The same for a page that is read ahead: no memory to speak of is taken. */
static void *fill_replace_spare(struct xarray *pages, pgoff_t index,
				void *entry, struct vmd_frame *f)
{
	if (entry)
		return vmd_entry_cmpxchg(pages, index, entry, f);
	return xa_cmpxchg(pages, index, NULL, f,
			  GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
}

/* Claim page @index for reading ahead, if that takes no memory to speak of. */
static bool fill_claim_spare(struct vmd_space *space, pgoff_t index,
			     struct vmd_filling *page)
{
	struct vmd_frame *f = vmd_frame_take_spare(space);

	if (!f)
		return false;
	fill_prepare(space, f, index, page->entry);
	if (fill_replace_spare(&space->pages, index, page->entry, f) !=
	    page->entry) {
		vmd_frame_return(space, f);
		return false;
	}
	page->f = f;
	if (page->entry || vmd_user_charge_slot(space))
		return true;
	fill_unclaim(space, f, NULL);
	return false;
}

/**
 * vmd_fill_spare - claim a page that may be wanted soon
 * @space: of which
 * @index: the page
 * @page: filled
 *
 * Waits for nothing, and nothing has to leave for it. Returns false if that
 * cannot be had, or the page is there, or has no content.
 */
bool vmd_fill_spare(struct vmd_space *space, pgoff_t index,
		    struct vmd_filling *page)
{
	if (index >= READ_ONCE(space->nr_pages))
		return false;
	page->entry = xa_load(&space->pages, index);
	if (vmd_entry_is_frame(page->entry) ||
	    vmd_space_place(space, index, page->entry) == VMD_NO_PLACE)
		return false;
	if (!fill_claim_spare(space, index, page))
		return false;
	if (!fill_allowed(space, index) &&
	    vmd_frame_charge_spare(space, page->f, &page->folio))
		return true;
	fill_undo(space, page->f, page->entry);
	return false;
}

/**
 * vmd_fill - bring a page in
 * @a: the access; may wait, killably
 * @entry: what stood in the page table: nothing or a value
 * @out: set to the folio, locked and with a reference for the caller
 *
 * Returns 0; -EAGAIN if somebody else was first: look again; -EFAULT if the
 * space has become shorter; -EDQUOT if the page would be its user's first too
 * many; -EINTR, -ENOMEM, -EBUSY, -EIO, -ENOSPC as vmd_frame_charge() and the
 * store say; -EDEADLK as vmd_io_wait().
 */
int vmd_fill(struct vmd_access *a, void *entry, struct folio **out)
{
	struct vmd_space *space = a->space;
	struct vmd_frame *f = fill_claim(a, entry);
	struct folio *folio;
	int err;

	if (IS_ERR(f))
		return PTR_ERR(f);
	err = fill_allowed(space, a->index);
	if (!err)
		err = fill_reserve(a, f, &folio);
	if (err) {
		fill_undo(space, f, entry);
		return err == -EAGAIN ? fill_wait_barred(a) : err;
	}
	if (a->chained)
		vmd_frame_set(f, VMD_FRAME_GUARDED);
	folio_get(folio);
	if (f->place == VMD_NO_PLACE)
		vmd_fill_publish(space, f, folio, fill_flags(a), a->pin);
	else
		err = vmd_read(a, &(struct vmd_filling){ f, folio, entry },
			       fill_flags(a));
	if (err)
		folio_put(folio);
	else
		*out = folio;
	return err;
}

/* Pin a resident page whose folio the caller has locked. */
static int fill_pin(struct vmd_space *space, struct vmd_frame *f)
{
	if (vmd_frame_test(f, VMD_FRAME_PINNED))
		return 0;
	vmd_decide_removed(space, f, VMD_REMOVED_ASIDE);
	vmd_placed_pin(space, f, true);
	return 1;
}

/**
 * vmd_bring_in - bring a page in on advice
 * @space: of which
 * @index: the page
 * @pin: and pin it; the caller has checked that it may
 *
 * Returns 1 if the page had to be brought in, or pinned; 0 if there was
 * nothing to do; or an error of vmd_fill().
 */
int vmd_bring_in(struct vmd_space *space, pgoff_t index, bool pin)
{
	struct vmd_access a = { .space = space, .index = index, .pin = pin };
	struct vmd_frame *f;
	struct folio *folio;
	void *entry;
	int err;

	for (;;) {
		entry = xa_load(&space->pages, index);
		if (!vmd_entry_is_frame(entry)) {
			/* Nothing to read ahead of a page without content. */
			if (!pin && vmd_space_place(space, index, entry) ==
				    VMD_NO_PLACE)
				return 0;
			err = vmd_fill(&a, entry, &folio);
			if (err == -EAGAIN)
				continue;
			if (err)
				return err;
			break;
		}
		f = entry;
		if (!pin && vmd_frame_state(f) == VMD_PAGE_RESIDENT)
			return 0;
		folio = vmd_frame_lock_folio(&a, f, &err);
		if (err)
			return err;
		if (!folio)
			continue;
		err = pin ? fill_pin(space, f) : 0;
		folio_unlock(folio);
		folio_put(folio);
		return err;
	}
	folio_unlock(folio);
	folio_put(folio);
	return 1;
}
