// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of requests: submit, wait killably, finish exactly once.
 *
 * Who finishes a group is decided by one exchange on its state: the waiter, if
 * the requests end while it waits; the workqueue, if the waiter gave up first.
 */
#include "store.h"

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
	io_group_put(io->group);
}

/**
 * vmd_io_done - would vmd_io_wait() return without sleeping?
 * @group: all its requests are submitted
 */
bool vmd_io_done(struct vmd_io_group *group)
{
	return atomic_read(&group->pending) == 1;
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
 * vmd_io_wait - wait for all requests of a group and finish it
 * @group: all its requests are submitted; gone when this returns
 *
 * Returns 0 after finish() was called, or -EINTR if this thread is being
 * killed: then finish() is called later by somebody else.
 */
int vmd_io_wait(struct vmd_io_group *group)
{
	io_group_put(group);
	if (wait_for_completion_killable(&group->done)) {
		if (atomic_cmpxchg(&group->state, GROUP_WAITED,
				   GROUP_ABANDONED) == GROUP_WAITED)
			return -EINTR;
		/* It ended meanwhile; complete() is about to be called. */
		wait_for_completion(&group->done);
	}
	group->finish(group);
	return 0;
}
