// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ready frames: memory and a unit of the budget, with no page in it.
 *
 * What an eviction on behalf of a fault frees, or the reclaimer (reserve.c), is
 * kept for the faults to come: neither the budget nor the page allocator nor the
 * memory cgroup is asked again, and a page that is read in need not be zeroed
 * before. They count as resident against the budget and the caps, and go first
 * when those shrink.
 *
 * Memory stays charged to the cgroup of who first faulted it in, so it is only
 * handed on to a thread of the same one.
 */
#include <linux/cgroup.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "space.h"

/* What tells memory cgroups apart; compared, never followed. */
static void *ready_cgroup(void)
{
	void *css = NULL;

#ifdef CONFIG_MEMCG
	rcu_read_lock();
	css = task_css(current, memory_cgrp_id);
	rcu_read_unlock();
#endif
	return css;
}

/**
 * vmd_ready_mark - remember whom memory is charged to
 * @folio: just allocated by the current thread
 */
void vmd_ready_mark(struct folio *folio)
{
	folio->private = ready_cgroup();
}

/* Neither marks of the page that was there nor of its content. */
static void ready_wipe(struct folio *folio)
{
	folio_clear_referenced(folio);
	folio_clear_workingset(folio);
}

/**
 * vmd_ready_put - keep a frame's memory and its unit of the budget
 * @space: of which
 * @folio: clean, in no page table, unlocked; with the frame's reference
 *
 * Returns false if it is not to be kept.
 */
bool vmd_ready_put(struct vmd_space *space, struct folio *folio)
{
	u32 most = max_t(unsigned long, VMD_BATCH_MAX, READ_ONCE(space->high));

	if (atomic_long_read(&space->resident) > (long)vmd_space_limit(space) ||
	    vmd_space_ready(space) >= most)
		return false;
	ready_wipe(folio);
	vmd_pools_keep(space, folio);
	if (wq_has_sleeper(&space->frame_wait))
		wake_up(&space->frame_wait);
	return true;
}

static struct folio *ready_pop(struct vmd_space *space)
{
	return vmd_space_ready(space) ? vmd_pools_take(space) : NULL;
}

/* Parted from its memory, a unit of the budget is left. */
static void ready_free(struct folio *folio)
{
	folio->private = NULL;
	folio_put(folio);
}

/**
 * vmd_ready_take - take a ready frame
 * @space: of which
 * @folio: set to its memory, locked, or to NULL: the caller has to allocate it
 *
 * Returns false if there is none.
 */
bool vmd_ready_take(struct vmd_space *space, struct folio **folio)
{
	*folio = ready_pop(space);
	if (!*folio)
		return false;
	/*
	 * Who looked its old page up may have it locked for a moment, to find
	 * that it is not there any more.
	 */
	if ((*folio)->private == ready_cgroup() && folio_trylock(*folio))
		return true;
	ready_free(*folio);
	*folio = NULL;
	return true;
}

/**
 * vmd_ready_drain - give ready frames back
 * @space: of which
 * @most: how many at most
 *
 * Returns how many there were.
 */
unsigned long vmd_ready_drain(struct vmd_space *space, unsigned long most)
{
	struct folio *folio;
	unsigned long n;

	for (n = 0; n < most && (folio = ready_pop(space)); n++) {
		ready_free(folio);
		vmd_frame_uncharge(space);
	}
	return n;
}
