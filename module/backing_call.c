// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a worker does to a backing while others wait: make it longer or shorter,
 * punch a hole, sync it.
 *
 * Not by the thread that wants it: its limits (RLIMIT_FSIZE) are none of the
 * backing's business, and it can be killed while a worker, which may have to
 * wait for locks and for a medium that hangs, cannot. The call goes on then.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "space.h"
#include "store.h"

/**
 * struct backing_call - a call; may outlive who made it
 * @work: the worker's
 * @done: @error is valid
 * @refs: one of who calls, one of the worker
 * @backing: of which; its store has a reference
 * @run: what is done
 * @ended: called when it was, with @arg, or NULL
 * @arg: for @ended
 * @changes: no other one that changes the file runs meanwhile
 * @from: first byte
 * @to: the byte after the last one
 * @error: what came of it
 */
struct backing_call {
	struct work_struct work;
	struct completion done;
	atomic_t refs;
	struct vmd_backing *backing;
	int (*run)(struct backing_call *call);
	void (*ended)(void *arg);
	void *arg;
	bool changes;
	u64 from;
	u64 to;
	int error;
};

static void call_put(struct backing_call *call)
{
	if (!atomic_dec_and_test(&call->refs))
		return;
	/* Perhaps by the worker, for which the store would wait. */
	vmd_store_put_later(call->backing->store);
	kfree(call);
}

static void call_work(struct work_struct *work)
{
	struct backing_call *call;
	unsigned int noio = memalloc_noio_save();

	call = container_of(work, struct backing_call, work);
	call->error = call->run(call);
	memalloc_noio_restore(noio);
	if (call->ended)
		call->ended(call->arg);
	if (call->changes) {
		WRITE_ONCE(call->backing->changing, 0);
		/* Fully ordered, as wake_up_var() wants it. */
		smp_mb();
		wake_up_var(&call->backing->changing);
	}
	complete(&call->done);
	call_put(call);
}

/* Does not fail: where memory is short, what was written shall be safe. */
static struct backing_call *call_alloc(struct vmd_backing *backing,
				       int (*run)(struct backing_call *call),
				       u64 from, u64 to)
{
	struct backing_call *call;

	call = kzalloc(sizeof(*call), GFP_NOIO | __GFP_NOFAIL);
	INIT_WORK(&call->work, call_work);
	init_completion(&call->done);
	atomic_set(&call->refs, 2);
	kref_get(&backing->store->ref);
	call->backing = backing;
	call->run = run;
	call->from = from;
	call->to = to;
	return call;
}

/* Returns what came of it, or -EINTR if this thread is being killed. */
static int call_start(struct backing_call *call, struct vmd_access *a)
{
	int err;

	queue_work(call->backing->wq, &call->work);
	if (a)
		vmd_may_wait(a);
	err = wait_for_completion_killable(&call->done) ? -EINTR : call->error;
	call_put(call);
	return err;
}

static int call_run(struct vmd_backing *backing,
		    int (*run)(struct backing_call *call), u64 from, u64 to,
		    struct vmd_access *a)
{
	return call_start(call_alloc(backing, run, from, to), a);
}

/*
 * One that changes the file. Who made the one before may have been killed: two
 * at once could come in any order. The caller lets only one of these begin.
 */
static int call_change(struct vmd_backing *backing,
		       int (*run)(struct backing_call *call), u64 from, u64 to,
		       void (*ended)(void *arg), void *arg)
{
	struct backing_call *call;

	if (wait_var_event_killable(&backing->changing,
				    !READ_ONCE(backing->changing))) {
		if (ended)
			ended(arg);
		return -EINTR;
	}
	call = call_alloc(backing, run, from, to);
	call->ended = ended;
	call->arg = arg;
	call->changes = true;
	WRITE_ONCE(backing->changing, 1);
	return call_start(call, NULL);
}

static int call_grow(struct backing_call *call)
{
	int err = vfs_fallocate(call->backing->file, 0, call->from,
				call->to - call->from);

	/* Without preallocation a write finds out that there is no space. */
	return err == -EOPNOTSUPP ? 0 : err;
}

/**
 * vmd_backing_grow - make a backing longer, its blocks allocated
 * @backing: the caller keeps two of these calls apart
 * @pages: by how much
 * @a: on whose behalf, or NULL
 *
 * Returns 0; -ENOSPC where it cannot grow, or has no room to; -EINTR if the
 * thread is being killed: what is preallocated after that is so once more.
 */
int vmd_backing_grow(struct vmd_backing *backing, u64 pages,
		     struct vmd_access *a)
{
	int err;

	if (!backing->grows)
		return -ENOSPC;
	err = call_run(backing, call_grow, backing->pages << PAGE_SHIFT,
		       (backing->pages + pages) << PAGE_SHIFT, a);
	if (!err)
		backing->pages += pages;
	return err;
}

static int call_sync(struct backing_call *call)
{
	struct vmd_backing *backing = call->backing;

	if (backing->file)
		return vfs_fsync(backing->file, 1);
	return blkdev_issue_flush(backing->bdev.bdev);
}

/**
 * vmd_backing_sync - make what was written durable
 * @backing: of which
 *
 * Returns 0, -EINTR or the error of the file or device.
 */
int vmd_backing_sync(struct vmd_backing *backing)
{
	return call_run(backing, call_sync, 0, 0, NULL);
}

static int call_resize(struct backing_call *call)
{
	return vfs_truncate(&call->backing->file->f_path, call->to);
}

/**
 * vmd_backing_resize - make a file that is open for writing longer or shorter
 * @backing: of which
 * @bytes: how long
 *
 * Returns 0; -EINTR: it will be, but this thread is being killed; -EINVAL if it
 * is a block device; or the error of the file system.
 */
int vmd_backing_resize(struct vmd_backing *backing, u64 bytes)
{
	return call_change(backing, call_resize, 0, bytes, NULL, NULL);
}

static int call_punch(struct backing_call *call)
{
	return vfs_fallocate(call->backing->file,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     call->from, call->to - call->from);
}

/**
 * vmd_backing_punch - give the blocks of a part of a file back
 * @backing: of which; open for writing
 * @from: first byte
 * @to: the byte after the last one
 * @ended: called once, with @arg, when it was done or could not be
 * @arg: for @ended
 *
 * Returns 0; -EINTR: it will be, but this thread is being killed; -EOPNOTSUPP
 * or another error of the file system.
 */
int vmd_backing_punch(struct vmd_backing *backing, u64 from, u64 to,
		      void (*ended)(void *arg), void *arg)
{
	return call_change(backing, call_punch, from, to, ended, arg);
}
