// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of requests: submit, wait killably, finish exactly once.
 *
 * Who finishes a group is decided by one exchange on its state: the waiter, if
 * the requests end while it waits; the workqueue, if the waiter gave up first.
 */
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "store.h"

/* Who is in haste gives up when no request has ended for so long. */
#define STUCK_TIME	(4 * HZ)
/* And looks that often. */
#define STUCK_LOOK	(HZ / 4)

enum {
	GROUP_WAITED,		/* somebody waits, or is going to */
	GROUP_ENDED,		/* all requests have ended */
	GROUP_ABANDONED,	/* the waiter was killed before that */
};

static void io_group_work(struct work_struct *work)
{
	struct vmd_io_group *group;

	group = container_of(work, struct vmd_io_group, work);
	group->finish(group);
}

/* One request less, or the submitter is through. Any context. */
static void io_group_put(struct vmd_io_group *group)
{
	if (!atomic_dec_and_test(&group->pending))
		return;
	/* That it was abandoned stays to be seen by finish(). */
	if (atomic_cmpxchg(&group->state, GROUP_WAITED, GROUP_ENDED) ==
	    GROUP_ABANDONED)
		queue_work(vmd_wq, &group->work);
	else
		complete(&group->done);
}

/**
 * vmd_io_group_init - begin a group
 * @group: embedded in what @finish finds by container_of()
 * @finish: called once when all requests have ended, in task context
 */
void vmd_io_group_init(struct vmd_io_group *group,
		       void (*finish)(struct vmd_io_group *group))
{
	atomic_set(&group->pending, 1);
	atomic_set(&group->state, GROUP_WAITED);
	init_completion(&group->done);
	INIT_WORK(&group->work, io_group_work);
	group->finish = finish;
}

/**
 * vmd_io_submit - begin a request as part of a group
 * @store: where to
 * @group: initialised, not yet waited for
 * @io: place, nr, bvec and write are set
 */
void vmd_io_submit(struct vmd_store *store, struct vmd_io_group *group,
		   struct vmd_io *io)
{
	io->group = group;
	io->store = store;
	io->shift = PAGE_SHIFT + store->order;
	io->error = 0;
	atomic_inc(&group->pending);
	store->ops->submit(store, io);
}

/**
 * vmd_io_end - a store's word that a request has ended
 * @io: the request
 * @error: 0 or a negative errno
 */
void vmd_io_end(struct vmd_io *io, int error)
{
	io->error = error;
	atomic_long_inc(&io->store->ended);
	io_group_put(io->group);
}

/**
 * vmd_io_done - would vmd_io_wait() return without sleeping?
 * @group: all its requests are submitted
 */
bool vmd_io_done(struct vmd_io_group *group)
{
	/* What came of the requests was written before they were counted. */
	return atomic_read_acquire(&group->pending) == 1;
}

/**
 * vmd_io_abandoned - for finish(): was the thread that waited killed?
 * @group: the group
 */
bool vmd_io_abandoned(struct vmd_io_group *group)
{
	return atomic_read(&group->state) == GROUP_ABANDONED;
}

/**
 * vmd_stuck - has nothing moved for so long that waiting makes no sense?
 * @stuck: who waits, and what was seen so far
 * @store: where it is waited for
 */
bool vmd_stuck(struct vmd_stuck *stuck, struct vmd_store *store)
{
	long ended = atomic_long_read(&store->ended);

	if (stuck->haste == VMD_PATIENT)
		return false;
	if (!stuck->since || ended != stuck->ended) {
		stuck->since = jiffies | 1;
		stuck->ended = ended;
	}
	return time_after(jiffies, stuck->since + STUCK_TIME);
}

/* Returns true when the group has ended, false if it is not waited for. */
static bool io_group_wait(struct vmd_io_group *group, struct vmd_store *store,
			  struct vmd_stuck *stuck)
{
	long ret;

	if (!stuck || stuck->haste == VMD_PATIENT)
		return !wait_for_completion_killable(&group->done);
	do {
		/* Where nothing moved before, not long again. */
		ret = vmd_stuck(stuck, store) ? 1 : STUCK_LOOK;
		ret = wait_for_completion_killable_timeout(&group->done, ret);
	} while (!ret && !vmd_stuck(stuck, store));
	return ret > 0;
}

/**
 * vmd_io_wait - wait for all requests of a group and finish it
 * @group: all its requests are submitted; gone when this returns
 * @store: where they were submitted
 * @stuck: how long is waited; NULL: until the thread is killed
 *
 * Returns 0 after finish() was called; -EINTR if this thread is being killed,
 * -EDEADLK if nothing moves: then finish() is called later by somebody else.
 */
int vmd_io_wait(struct vmd_io_group *group, struct vmd_store *store,
		struct vmd_stuck *stuck)
{
	if (vmd_io_done(group)) {
		group->finish(group);
		return 0;
	}
	io_group_put(group);
	if (!io_group_wait(group, store, stuck)) {
		if (atomic_cmpxchg(&group->state, GROUP_WAITED,
				   GROUP_ABANDONED) == GROUP_WAITED)
			return fatal_signal_pending(current) ? -EINTR :
							       -EDEADLK;
		/* It ended meanwhile; complete() is about to be called. */
		wait_for_completion(&group->done);
	}
	group->finish(group);
	return 0;
}

/**
 * vmd_io_leave - do not wait for a group: it finishes by itself
 * @group: all its requests are submitted; gone when this returns
 *
 * finish() is called in here if all have ended, else on the module's workqueue.
 */
void vmd_io_leave(struct vmd_io_group *group)
{
	if (vmd_io_done(group)) {
		group->finish(group);
		return;
	}
	/* Ours is still pending: nobody else has looked at the state yet. */
	atomic_set(&group->state, GROUP_ABANDONED);
	io_group_put(group);
}
