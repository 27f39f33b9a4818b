// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flusher: writes dirty pages in the background. They stay in their frames,
 * and are clean when those are needed, or the program ends.
 *
 * It writes what has been dirty for longer than vmd_space.dirty_age, and, while
 * more than vmd_space.dirty_limit percent of the budget are dirty, whatever is,
 * down to three quarters of that. Nobody who makes a page dirty waits for it.
 *
 * How old a page's dirt is, is told by two looks dirty_age apart: the first
 * marks its frame (VMD_FRAME_OLD), the second writes it if the mark is still
 * there; writing takes the mark away. So a page is written when it has been
 * dirty for once to twice that time, and one that is written to over and over
 * goes out once in two looks. A look also reads the dirty bits of page tables,
 * as a page that was read first is made dirty without a fault.
 *
 * Pages are looked at in their order and written in batches, so that neighbours
 * go out together; the swap store gives them places side by side (batch.c).
 *
 * Faults and write(2) wake it, hence users of the space; it wakes itself only
 * while something may be dirty. Only in observer "accessed": writing a page
 * unmaps it, and the others count the fault that follows.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "batch.h"
#include "compat.h"

#define FLUSH_WINDOW	64	/* pages looked at in one go */
#define FLUSH_REST	HZ	/* after the store would not take pages */
#define FLUSH_AGAIN	(HZ / 20 + 1)	/* after others were quicker */

/**
 * struct flush - one walk through the pages
 * @space: of which
 * @a: of the pages that are written
 * @by_age: mark, and write those marked; else write down to @target
 * @target: dirty pages that may stay
 * @more: there is something dirty, or mapped, left
 * @error: the first there was: no more is written
 * @n: entries of @picked
 * @picked: pages to be written
 * @look: what a window's pages are like
 */
struct flush {
	struct vmd_space *space;
	struct vmd_access a;
	bool by_age;
	u64 target;
	bool more;
	int error;
	u32 n;
	pgoff_t picked[VMD_BATCH_MAX];
	struct vmd_page look[FLUSH_WINDOW];
};

static bool flush_wanted(struct vmd_space *space)
{
	return READ_ONCE(space->observer) == VMD_OBSERVER_ACCESSED &&
	       !space->store->readonly && atomic_read(&space->users);
}

/* Pages that may be dirty; U64_MAX without a limit. */
static u64 flush_limit(struct vmd_space *space)
{
	if (!space->dirty_limit)
		return U64_MAX;
	return div_u64((u64)READ_ONCE(space->budget) * space->dirty_limit, 100);
}

/* Write what was picked. */
static void flush_write(struct flush *flush)
{
	struct vmd_batch *batch;
	u32 i;
	int n;

	if (!flush->n)
		return;
	batch = vmd_batch_alloc(flush->space, flush->n, false);
	for (i = 0; i < flush->n; i++) {
		flush->a.index = flush->picked[i];
		vmd_batch_add_idle(batch, &flush->a);
	}
	flush->n = 0;
	n = vmd_batch_run(batch, &flush->a);
	if (n > 0)
		vmd_count_more(flush->space, background_writes, n);
	else if (n != -EAGAIN)
		flush->error = n;
}

/* Is it this page's turn? */
static bool flush_due(struct flush *flush, pgoff_t index)
{
	struct vmd_frame *f;

	if (!flush->by_age)
		return true;
	f = xa_load(&flush->space->pages, index);
	if (!vmd_entry_is_frame(f))
		return false;
	if (vmd_frame_test(f, VMD_FRAME_OLD))
		return true;
	/* Of a frame that is another page's by now: that one goes early. */
	vmd_frame_set(f, VMD_FRAME_OLD);
	return false;
}

static void flush_window(struct flush *flush, pgoff_t first)
{
	u32 i, n = vmd_pages_look(flush->space, first, flush->look,
				  FLUSH_WINDOW);
	const struct vmd_page *page;

	for (i = 0; i < n && !flush->error; i++) {
		page = &flush->look[i];
		if (page->state != VMD_PAGE_RESIDENT)
			continue;
		flush->more |= page->flags & (VMD_PAGE_DIRTY | VMD_PAGE_MAPPED);
		if (!(page->flags & VMD_PAGE_DIRTY) ||
		    !flush_due(flush, first + i))
			continue;
		flush->picked[flush->n++] = first + i;
		if (flush->n == VMD_BATCH_MAX)
			flush_write(flush);
	}
}

static bool flush_done(struct flush *flush)
{
	return flush->error || !flush_wanted(flush->space) ||
	       (!flush->by_age &&
		vmd_space_dirty(flush->space) <= flush->target + flush->n);
}

/* From @index up to before @end. */
static unsigned long flush_walk(struct flush *flush, unsigned long index,
				unsigned long end)
{
	while (!flush_done(flush) && index < end &&
	       xa_find(&flush->space->pages, &index, end - 1, XA_PRESENT)) {
		index = round_down(index, FLUSH_WINDOW);
		flush_window(flush, index);
		index += FLUSH_WINDOW;
		cond_resched();
	}
	flush_write(flush);
	return index;
}

static void flush_old(struct flush *flush)
{
	struct vmd_space *space = flush->space;

	flush->by_age = true;
	flush->more = false;
	flush_walk(flush, 0, ULONG_MAX);
	space->flush_due = jiffies + msecs_to_jiffies(space->dirty_age);
}

/* Go on where it was left the last time, round once. */
static void flush_many(struct flush *flush)
{
	struct vmd_space *space = flush->space;
	unsigned long from = space->flush_at;

	flush->by_age = false;
	flush->target = flush_limit(space) / 4 * 3;
	space->flush_at = flush_walk(flush, from, ULONG_MAX);
	if (!flush_done(flush))
		space->flush_at = flush_walk(flush, 0, from);
}

/* Returns after how long to look again, or 0. */
static unsigned long flush_run(struct flush *flush)
{
	struct vmd_space *space = flush->space;

	if (vmd_space_dirty(space) > flush_limit(space))
		flush_many(flush);
	if (!flush->error && space->dirty_age &&
	    time_after_eq(jiffies, space->flush_due))
		flush_old(flush);
	if (flush->error)
		return FLUSH_REST;
	if (!space->dirty_age || !flush->more)
		return 0;
	return max_t(long, space->flush_due - jiffies, 1);
}

/**
 * vmd_flush_work - write what is too old, or too much
 * @work: vmd_space.flush
 */
void vmd_flush_work(struct work_struct *work)
{
	struct vmd_space *space = container_of(to_delayed_work(work),
					       struct vmd_space, flush);
	struct flush *flush = flush_wanted(space) ?
			      kzalloc(sizeof(*flush), GFP_KERNEL) : NULL;
	unsigned long wait = 0;
	bool failed = false;

	if (flush) {
		flush->space = space;
		flush->more = true;
		flush->a.space = space;
		/* Who ends the space waits for this. */
		flush->a.stuck.haste = VMD_CLOSING;
		wait = flush_run(flush);
		failed = flush->error;
		kfree(flush);
	}
	if (wait)
		queue_delayed_work(vmd_idle_wq, &space->flush, wait);
	/* Where it was in vain, that is for later. */
	if (failed)
		return;
	atomic_set(&space->flushing, 0);
	/* Who made pages dirty meanwhile did not wake us: see vmd_flush_kick(). */
	smp_mb();
	if (flush_wanted(space) && vmd_space_dirty(space) > flush_limit(space))
		mod_delayed_work(vmd_idle_wq, &space->flush, FLUSH_AGAIN);
}

/**
 * vmd_flush_kick - a page may have become dirty: have it written some time
 * @space: has an age or a limit; the caller is a user of it
 */
void vmd_flush_kick(struct vmd_space *space)
{
	if (!flush_wanted(space))
		return;
	if (vmd_space_dirty(space) > flush_limit(space)) {
		if (!atomic_read(&space->flushing) &&
		    !atomic_cmpxchg(&space->flushing, 0, 1))
			mod_delayed_work(vmd_idle_wq, &space->flush, 0);
	} else if (space->dirty_age && !delayed_work_pending(&space->flush)) {
		queue_delayed_work(vmd_idle_wq, &space->flush,
				   msecs_to_jiffies(space->dirty_age));
	}
}

/**
 * vmd_flush_stop - let the flusher end
 * @space: with no user left, or an observer that wants none
 */
void vmd_flush_stop(struct vmd_space *space)
{
	cancel_delayed_work_sync(&space->flush);
	atomic_set(&space->flushing, 0);
}
