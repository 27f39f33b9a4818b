// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: frames kept free, so that a fault finds one without evicting.
 *
 * A space that has run out of frames keeps some free from then on, between two
 * marks: when fewer than vmd_space.low are, a worker (the reclaimer) evicts, in
 * the policy's order, until vmd_space.high are free or about to be. What it
 * frees is kept ready (ready.c). It waits for no I/O: it sends one batch of
 * pages after the other on its way and is through; each batch finishes by
 * itself (vmd_batch_send). A fault evicts by itself only where the reclaimer
 * is too slow; that is what the counter "stalls" counts.
 *
 * Above the low mark a fault pays one comparison; below it, the worker is woken
 * once, and not again before it is through.
 *
 * The reserve is frames that hold no page. So it is not kept where it would be
 * in vain: not before a fault has run out of frames, and not when nothing came
 * below the low mark for RESERVE_TIME. A program whose pages fit in the budget
 * has all of it. Nor where a page may leave only when another one needs its
 * frame: observers "fault" and "trap", and very small budgets. Nor with sets of
 * frames: which set will be short of one, nobody knows.
 *
 * Who may wake the worker is a user of the space, through a fault or a system
 * call, so there is no waking once the last user has gone; vmd_reserve_stop()
 * is final then. Otherwise (a change of the observer) the worker may be woken
 * once more by a fault that saw the old marks: it looks at them anew, and does
 * nothing.
 *
 * Who changes the budget or the observer changes the marks after it, under
 * config_lock. The reclaimer only takes evict_lock, and never makes the space
 * larger: what it frees while more frames are in use than there may be is given
 * back at once (vmd_ready_put), also while memory is short.
 */
#include <linux/sched/signal.h>

#include "compat.h"
#include "space.h"

/* Spaces with smaller budgets keep no reserve. */
#define RESERVE_BUDGET		256
/* How long a reserve is kept after it was last needed. */
#define RESERVE_TIME		HZ

/**
 * vmd_reserve_update - set the marks
 * @space: its limit or its observer has changed, under config_lock, or is new
 */
void vmd_reserve_update(struct vmd_space *space)
{
	unsigned long limit = READ_ONCE(space->limit);
	unsigned long high = 0;

	if (READ_ONCE(space->observer) == VMD_OBSERVER_ACCESSED &&
	    limit >= RESERVE_BUDGET && !READ_ONCE(space->ways))
		high = min_t(u64, div_u64((u64)limit * space->reserve, 100),
			     VMD_READY_MAX);
	/* Low first where it falls, or it would be above the high one. */
	if (high < READ_ONCE(space->high))
		WRITE_ONCE(space->low, high / 2);
	WRITE_ONCE(space->high, high);
	WRITE_ONCE(space->low, high / 2);
}

/* Frames that are free, or about to be. */
static long reserve_coming(struct vmd_space *space)
{
	return vmd_space_free(space) + atomic_read(&space->leaving);
}

static bool reserve_kept(struct vmd_space *space)
{
	unsigned long until = READ_ONCE(space->reserve_until);

	return until && time_before(jiffies, until);
}

/* Never 0: that is the word for no reserve. */
static void reserve_keep(struct vmd_space *space)
{
	unsigned long until = (jiffies + RESERVE_TIME) | 1;

	if (READ_ONCE(space->reserve_until) != until)
		WRITE_ONCE(space->reserve_until, until);
}

/* In vain: no more of it before a fault runs out of frames again. */
static void reserve_drop(struct vmd_space *space)
{
	WRITE_ONCE(space->reserve_until, 0);
}

/**
 * vmd_reserve_ran_out - a fault has to evict: keep a reserve from now on
 * @space: of which
 */
void vmd_reserve_ran_out(struct vmd_space *space)
{
	if (READ_ONCE(space->low))
		reserve_keep(space);
}

/**
 * vmd_reserve_wake - a frame was taken, and fewer are free than should be
 * @space: the caller is a user of it
 */
void vmd_reserve_wake(struct vmd_space *space)
{
	long low = READ_ONCE(space->low);

	/* Whoever records sees which access it was that a page left for. */
	if (!low || !reserve_kept(space) || READ_ONCE(space->recorder) ||
	    vmd_stepping(space))
		return;
	reserve_keep(space);
	if (reserve_coming(space) >= low || atomic_read(&space->reclaiming) ||
	    atomic_cmpxchg(&space->reclaiming, 0, 1))
		return;
	queue_work(vmd_idle_wq, &space->reclaim);
}

/* Pages to be evicted now: none if there is nobody left to do it for. */
static long reserve_missing(struct vmd_space *space)
{
	if (!atomic_read(&space->users))
		return 0;
	return (long)READ_ONCE(space->high) - reserve_coming(space);
}

/**
 * vmd_reclaim_work - evict until the high mark is reached
 * @work: vmd_space.reclaim
 */
void vmd_reclaim_work(struct work_struct *work)
{
	struct vmd_space *space = container_of(work, struct vmd_space, reclaim);
	/* Pages that turn out to be in use stay: not for ever. */
	long patience = 2 * VMD_READY_MAX;
	long want;
	u32 n;

	while (patience > 0 && (want = reserve_missing(space)) > 0) {
		n = vmd_evict_ahead(space, want);
		if (!n) {
			reserve_drop(space);
			break;
		}
		patience -= n;
		cond_resched();
	}
	/* Whoever sees this may wake us again. */
	atomic_set_release(&space->reclaiming, 0);
}

/**
 * vmd_reserve_failed - a page on its way out could not be written
 * @space: of which
 *
 * Who needs a frame shall be told: that is left to the faults.
 */
void vmd_reserve_failed(struct vmd_space *space)
{
	reserve_drop(space);
}

/**
 * vmd_reserve_stop - let the reclaimer end, and all that was sent on its way
 * @space: with no user left, or marks of 0: nothing new is begun
 *
 * Waits, but not for ever, and not for what a thread that is being killed
 * cannot wait for: what is under way then ends without us. It is looked for
 * every moment and nobody wakes us, so that who ended it is through by then.
 */
void vmd_reserve_stop(struct vmd_space *space)
{
	struct vmd_stuck stuck = { .haste = VMD_CLOSING };

	cancel_work_sync(&space->reclaim);
	atomic_set(&space->reclaiming, 0);
	reserve_drop(space);
	while (atomic_read(&space->sent) && !vmd_stuck(&stuck, space->store))
		schedule_timeout_uninterruptible(1);
}
