// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing a page in: absent or swapped -> filling -> resident.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "compat.h"
#include "space.h"
#include "trace.h"

/* Besides VMD_REF_*: an access waits for the page, it is not mere advice. */
#define FILL_ACCESS	BIT(31)

/**
 * struct fill - a page being read; outlives the thread that asked if need be
 * @group: of the one request
 * @io: the request
 * @bvec: its memory
 * @refs: one of the thread's, one of the request's
 * @space: a reference
 * @f: filling
 * @folio: locked
 * @entry: what stood in the page table
 * @flags: for the policy
 * @pin: pin it when it is there
 */
struct fill {
	struct vmd_io_group group;
	struct vmd_io io;
	struct bio_vec bvec;
	atomic_t refs;
	struct vmd_space *space;
	struct vmd_frame *f;
	struct folio *folio;
	void *entry;
	u32 flags;
	bool pin;
};

static void fill_put(struct fill *fill)
{
	if (!atomic_dec_and_test(&fill->refs))
		return;
	vmd_space_put(fill->space);
	kfree(fill);
}

/* The page does not come in: everything as it was. */
static void fill_undo(struct vmd_space *space, struct vmd_frame *f,
		      void *entry)
{
	/* Replaces an entry that is there: nothing is allocated. */
	xa_store(&space->pages, f->index, entry, GFP_NOWAIT);
	vmd_frame_return(space, f);
	vmd_space_progress(space);
}

/*
 * The page is there: hand it to the policy and let others see it. The folio
 * stays locked: nobody can take it away before the caller has mapped it.
 */
static void fill_publish(struct vmd_space *space, struct vmd_frame *f,
			 struct folio *folio, u32 flags, bool pin)
{
	folio->mapping = vmd_mapping(space);
	folio->index = f->index;
	WRITE_ONCE(f->folio, folio);
	vmd_space_progress(space);
	if (flags & FILL_ACCESS &&
	    READ_ONCE(space->observer) == VMD_OBSERVER_ACCESSED) {
		flags |= VMD_REF_DEFERRED;
		vmd_frame_set(f, VMD_FRAME_FRESH);
	}
	if (pin) {
		vmd_frame_set(f, VMD_FRAME_PINNED);
		atomic_long_inc(&space->pinned);
	} else {
		vmd_decide_inserted(space, f, flags & ~FILL_ACCESS);
	}
	vmd_frame_set_state(f, VMD_PAGE_RESIDENT);
}

static void fill_discard(struct vmd_space *space, struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
	vmd_frame_uncharge(space);
}

static void fill_publish_read(struct fill *fill)
{
	struct folio *folio = fill->folio;

	if (!vmd_io_abandoned(&fill->group)) {
		fill_publish(fill->space, fill->f, folio, fill->flags,
			     fill->pin);
		return;
	}
	/*
	 * Nobody is left to map it, or to answer for a pin. Once unlocked it
	 * may go before the last waiter is woken.
	 */
	folio_get(folio);
	fill_publish(fill->space, fill->f, folio, 0, false);
	folio_unlock(folio);
	folio_put(folio);
}

/* The read has ended, well or not. */
static void fill_finish(struct vmd_io_group *group)
{
	struct fill *fill = container_of(group, struct fill, group);
	struct vmd_space *space = fill->space;
	struct vmd_frame *f = fill->f;

	trace_vmdemo_read(space->id, f->index, fill->io.place, 1,
			  fill->io.error);
	if (fill->io.error) {
		vmd_count(space, io_errors);
		fill_discard(space, fill->folio);
		fill_undo(space, f, fill->entry);
	} else {
		vmd_count(space, pages_read);
		fill_publish_read(fill);
	}
	atomic_dec(&space->under_way);
	fill_put(fill);
}

static u32 fill_flags(const struct vmd_access *a)
{
	return (a->vmf ? FILL_ACCESS : 0) | (a->write ? VMD_REF_WRITE : 0);
}

static int fill_read(struct vmd_access *a, struct vmd_frame *f,
		     struct folio *folio, void *entry)
{
	struct vmd_space *space = a->space;
	struct fill *fill = kzalloc(sizeof(*fill), GFP_KERNEL);
	int err;

	if (!fill) {
		fill_discard(space, folio);
		fill_undo(space, f, entry);
		return -ENOMEM;
	}
	vmd_space_get(space);
	fill->space = space;
	fill->f = f;
	fill->folio = folio;
	fill->entry = entry;
	fill->flags = fill_flags(a);
	fill->pin = a->pin;
	atomic_set(&fill->refs, 2);
	bvec_set_page(&fill->bvec, folio_page(folio, 0), PAGE_SIZE, 0);
	fill->io.bvec = &fill->bvec;
	fill->io.nr = 1;
	fill->io.place = f->place;
	atomic_inc(&space->under_way);
	vmd_io_group_init(&fill->group, fill_finish);
	vmd_io_submit(space->store, &fill->group, &fill->io);
	if (!vmd_io_done(&fill->group))
		vmd_may_wait(a);
	err = vmd_io_wait(&fill->group);
	if (!err)
		err = fill->io.error;
	fill_put(fill);
	return err;
}

/* Get a frame's memory within the budget. */
static int fill_memory(struct vmd_access *a, struct vmd_frame *f,
		       struct folio **folio)
{
	int err = vmd_frame_charge(a);

	if (err)
		return err;
	*folio = vmd_folio_alloc(a, f->place == VMD_NO_PLACE);
	if (*folio)
		return 0;
	vmd_frame_uncharge(a->space);
	return -ENOMEM;
}

/* Claim the page: put a filling frame in place of @entry. */
static struct vmd_frame *fill_claim(struct vmd_access *a, void *entry)
{
	struct vmd_space *space = a->space;
	struct vmd_frame *f = vmd_frame_take(a);
	void *was;

	if (IS_ERR(f))
		return f;
	WRITE_ONCE(f->index, a->index);
	f->place = vmd_entry_place(entry);
	/* Advice is no fault. */
	f->faults = min(vmd_entry_faults(entry) + !!a->vmf, VMD_FAULTS_MAX);
	vmd_frame_set_state(f, VMD_PAGE_FILLING);
	was = xa_cmpxchg(&space->pages, a->index, entry, f,
			 GFP_KERNEL_ACCOUNT);
	if (was == entry)
		return f;
	vmd_frame_return(space, f);
	return ERR_PTR(xa_is_err(was) ? xa_err(was) : -EAGAIN);
}

/**
 * vmd_fill - bring a page in
 * @a: the access; may wait, killably
 * @entry: what stood in the page table: nothing or a value
 * @out: set to the folio, locked and with a reference for the caller
 *
 * Returns 0; -EAGAIN if somebody else was first: look again; -EFAULT if the
 * space has become shorter; -EINTR, -ENOMEM, -EBUSY, -EIO, -ENOSPC as
 * vmd_frame_charge() and the store say.
 */
int vmd_fill(struct vmd_access *a, void *entry, struct folio **out)
{
	struct vmd_space *space = a->space;
	struct vmd_frame *f = fill_claim(a, entry);
	struct folio *folio;
	int err;

	if (IS_ERR(f))
		return PTR_ERR(f);
	/*
	 * After the claim is visible: whoever makes the space shorter sets the
	 * size first and then waits for what is filling past it. (Pairs with
	 * the barrier in config_size().)
	 */
	smp_mb();
	err = a->index < READ_ONCE(space->nr_pages) ? 0 : -EFAULT;
	if (!err)
		err = fill_memory(a, f, &folio);
	if (err) {
		fill_undo(space, f, entry);
		return err;
	}
	if (a->chained)
		vmd_frame_set(f, VMD_FRAME_GUARDED);
	folio_get(folio);
	if (f->place == VMD_NO_PLACE)
		fill_publish(space, f, folio, fill_flags(a), a->pin);
	else
		err = fill_read(a, f, folio, entry);
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
	vmd_frame_set(f, VMD_FRAME_PINNED);
	atomic_long_inc(&space->pinned);
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
			if (!pin && vmd_entry_place(entry) == VMD_NO_PLACE)
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
