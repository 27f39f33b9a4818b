// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at pages, and advice about them.
 */
#include <linux/bitmap.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "compat.h"
#include "cow.h"

/* False if the frame is another page's by now. */
static bool page_look_frame(struct vmd_page *page, struct vmd_frame *f,
			    pgoff_t index)
{
	struct folio *folio = READ_ONCE(f->folio);
	u32 state = vmd_frame_state(f);
	u32 place = READ_ONCE(f->place);

	page->state = state;
	page->faults = READ_ONCE(f->faults);
	if (vmd_frame_test(f, VMD_FRAME_PINNED))
		page->flags |= VMD_PAGE_PINNED;
	/* Only a flag of memory that may be another's by now is read. */
	if (folio && vmd_folio_peek(folio, PG_dirty))
		page->flags |= VMD_PAGE_DIRTY;
	if (place != VMD_NO_PLACE) {
		page->flags |= VMD_PAGE_SLOT;
		page->slot = place;
	}
	/* What was read is this page's if the frame still is after it. */
	smp_rmb();
	return READ_ONCE(f->index) == index && state != VMD_FRAME_FREE;
}

/**
 * vmd_page_look - what a page is like, but for what page tables say
 * @space: of which
 * @index: the page
 * @page: filled
 */
void vmd_page_look(struct vmd_space *space, pgoff_t index,
		   struct vmd_page *page)
{
	void *entry = xa_load(&space->pages, index);
	u32 place;

	while (vmd_entry_is_frame(entry)) {
		memset(page, 0, sizeof(*page));
		if (page_look_frame(page, entry, index))
			return;
		cpu_relax();
		entry = xa_load(&space->pages, index);
	}
	memset(page, 0, sizeof(*page));
	place = vmd_space_place(space, index, entry);
	page->faults = vmd_entry_faults(entry);
	page->state = VMD_PAGE_ABSENT;
	if (place != VMD_NO_PLACE) {
		page->state = VMD_PAGE_SWAPPED;
		page->flags = VMD_PAGE_SLOT;
		page->slot = place;
	}
}

/**
 * vmd_pages_look - what neighbouring pages are like
 * @space: of which
 * @first: first page
 * @pages: filled
 * @n: pages
 *
 * Returns how many: fewer where the space ends before.
 */
u32 vmd_pages_look(struct vmd_space *space, pgoff_t first,
		   struct vmd_page *pages, u32 n)
{
	pgoff_t size = READ_ONCE(space->nr_pages);
	u32 i;

	if (first >= size)
		return 0;
	n = min_t(pgoff_t, n, size - first);
	for (i = 0; i < n; i++) {
		vmd_page_look(space, first + i, &pages[i]);
		pages[i].sharers = vmd_cow_sharers(space, first + i);
	}
	vmd_observe_pages(space, first, pages, n);
	return n;
}

/* As many as the budget goes, and not to the loss of what came before. */
static int advise_willneed(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	unsigned long left = READ_ONCE(space->limit);
	unsigned long index = first;
	int ret = 0;

	while (left && index < end &&
	       xa_find(&space->pages, &index, end - 1, XA_PRESENT)) {
		ret = vmd_bring_in(space, index++, false);
		if (ret < 0)
			return ret;
		left -= ret;
		cond_resched();
	}
	return 0;
}

static int advise_unpin_page(struct vmd_space *space, pgoff_t index)
{
	struct vmd_access a = { .space = space, .index = index };
	struct vmd_frame *f;
	struct folio *folio;
	int err;

	folio = vmd_frame_find(&a, &f, &err);
	if (!folio)
		return err;
	if (vmd_frame_test(f, VMD_FRAME_PINNED)) {
		vmd_placed_pin(space, f, false);
		vmd_decide_inserted(space, f, VMD_REF_RESTORED);
	}
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

static int advise_unpin(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	unsigned long index = first;
	int err = 0;

	while (!err && index < end &&
	       xa_find(&space->pages, &index, end - 1, XA_PRESENT))
		err = advise_unpin_page(space, index++);
	return err;
}

/* Pages of the range that are pinned already. */
static unsigned long advise_count_pinned(struct vmd_space *space,
					 pgoff_t first, pgoff_t end)
{
	unsigned long index, n = 0;
	void *entry;

	xa_for_each_range(&space->pages, index, entry, first, end - 1)
		n += vmd_entry_is_frame(entry) &&
		     vmd_frame_test(entry, VMD_FRAME_PINNED);
	return n;
}

/* Pin them; @done notes those that were not pinned before. */
static int advise_pin_pages(struct vmd_space *space, pgoff_t first,
			    pgoff_t end, unsigned long *done)
{
	pgoff_t index;
	int ret;

	for (index = first; index < end; index++) {
		ret = vmd_bring_in(space, index, true);
		if (ret < 0)
			return ret;
		if (ret)
			__set_bit(index - first, done);
		cond_resched();
	}
	return 0;
}

/*
 * All or none. config_lock keeps other pins, and smaller budgets, away while
 * this one is counted and carried out.
 */
static int advise_pin(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	unsigned long most = space->limit - DIV_ROUND_UP(space->limit, 4);
	unsigned long n = end - first, pinned, *done, i;
	int err;

	pinned = atomic_long_read(&space->pinned);
	if (n > most || pinned - advise_count_pinned(space, first, end) + n >
	    most || !vmd_placed_pins_fit(space, first, end))
		return -ENOSPC;
	done = kvcalloc(BITS_TO_LONGS(n), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!done)
		return -ENOMEM;
	err = advise_pin_pages(space, first, end, done);
	if (err)
		for_each_set_bit(i, done, n)
			advise_unpin_page(space, first + i);
	kvfree(done);
	return err;
}

static int advise_evict(struct vmd_space *space, pgoff_t first, pgoff_t end,
			bool only_clean)
{
	unsigned long index = first;
	int err = 0, this;

	while (index < end &&
	       xa_find(&space->pages, &index, end - 1, XA_PRESENT)) {
		this = vmd_evict_page(space, index++, only_clean);
		if (this == -EINTR)
			return this;
		/* What is in use just now may stay: it was only advice. */
		if (only_clean && this == -EBUSY)
			this = 0;
		if (!err)
			err = this;
		cond_resched();
	}
	return err;
}

static int advise_unmap(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	vmd_unmap_range(space, first, end - first, false);
	vmd_threads_forget(space, first, end);
	return 0;
}

/**
 * vmd_advise - carry out VMD_IOC_ADVISE
 * @space: of which
 * @first: first page
 * @end: the page after the last one; the range lies within the space
 * @advice: enum vmd_advice
 */
int vmd_advise(struct vmd_space *space, pgoff_t first, pgoff_t end, u32 advice)
{
	int err;

	if (first >= end)
		return 0;
	switch (advice) {
	case VMD_ADVICE_WILLNEED:
		return advise_willneed(space, first, end);
	case VMD_ADVICE_DONTNEED:
		return advise_evict(space, first, end, true);
	case VMD_ADVICE_EVICT:
		return advise_evict(space, first, end, false);
	case VMD_ADVICE_WRITE:
		return vmd_write_begin(space, first, end);
	case VMD_ADVICE_UNMAP:
		return advise_unmap(space, first, end);
	case VMD_ADVICE_PIN:
	case VMD_ADVICE_UNPIN:
		if (mutex_lock_killable(&space->config_lock))
			return -EINTR;
		err = advice == VMD_ADVICE_PIN ?
		      advise_pin(space, first, end) :
		      advise_unpin(space, first, end);
		mutex_unlock(&space->config_lock);
		/* The space was made shorter meanwhile. */
		return err == -EFAULT ? -EINVAL : err;
	}
	return -EINVAL;
}
