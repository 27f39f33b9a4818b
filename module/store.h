/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store contract: where pages live when they are not resident.
 *
 * A store offers places for pages. A place is a number; what it means is the
 * store's own affair: a slot of the swap backing (store_swap.c). A store knows
 * nothing of spaces, policies or page tables.
 *
 * Input and output goes by struct vmd_io: one request for neighbouring places.
 * Requests that belong together are collected in a struct vmd_io_group, which
 * is waited for as a whole and finished exactly once, in task context:
 *
 *	group_init(finish) -> add requests, submit each -> vmd_io_wait()
 *
 * The waiter may be killed. Then the group finishes without it, on the
 * module's workqueue, so what the group's requests point to must not belong
 * to the waiter.
 */
#ifndef _VMD_STORE_H
#define _VMD_STORE_H

#include <linux/atomic.h>
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include "compat.h"

struct vmd_access;
struct vmd_io_group;
struct vmd_store;

#define VMD_NO_PLACE	((u32)~0)

/**
 * struct vmd_io - one request: @nr pages from place @place on
 * @group: the group it belongs to, set by vmd_io_submit()
 * @write: direction
 * @error: 0 or a negative errno once it has ended
 * @place: first place
 * @nr: pages
 * @bvec: the pages' memory, @nr entries, alive until the group has finished
 * @iocb: for backings that are files
 * @iter: for backings that are files
 * @work: for backings whose writes another thread has to do
 * @store: for @work
 */
struct vmd_io {
	struct vmd_io_group *group;
	bool write;
	int error;
	u32 place;
	u32 nr;
	struct bio_vec *bvec;
	struct kiocb iocb;
	struct iov_iter iter;
	struct work_struct work;
	struct vmd_store *store;
};

/**
 * struct vmd_io_group - requests that are waited for together
 * @pending: requests under way, plus one while they are being submitted
 * @state: who finishes: see io.c
 * @done: completed when @pending drops to 0
 * @finish: called exactly once, may sleep; the last user of the group
 * @work: for groups whose waiter was killed
 */
struct vmd_io_group {
	atomic_t pending;
	atomic_t state;
	struct completion done;
	void (*finish)(struct vmd_io_group *group);
	struct work_struct work;
};

/**
 * struct vmd_store_ops - a kind of store
 * @name: for lists
 *
 * All may be called from many threads at once.
 */
struct vmd_store_ops {
	const char *name;

	/*
	 * Get up to @want neighbouring places. May wait, killably, for the
	 * backing to be enlarged, on behalf of @a if that is not NULL.
	 * Returns how many (1 to @want, the first in *@first), or -ENOSPC,
	 * -EIO or -EINTR.
	 */
	int (*alloc)(struct vmd_store *store, u32 want, u32 *first,
		     struct vmd_access *a);

	/* Give places back. Does not sleep; not from interrupts. */
	void (*free)(struct vmd_store *store, u32 first, u32 nr);

	/*
	 * Begin @io; vmd_io_end() is called when it has ended, perhaps before
	 * this returns, perhaps from an interrupt. Allocates only what cannot
	 * recurse into write-out (GFP_NOIO). May sleep.
	 */
	void (*submit)(struct vmd_store *store, struct vmd_io *io);

	/* Everything written is on the medium when this returns 0. */
	int (*sync)(struct vmd_store *store);

	/* The last reference is gone. */
	void (*release)(struct vmd_store *store);
};

/**
 * struct vmd_store - an open store
 * @ops: its kind
 * @ref: references: one of the module's and one for each space
 * @used: places given out
 */
struct vmd_store {
	const struct vmd_store_ops *ops;
	struct kref ref;
	atomic64_t used;
};

void vmd_io_group_init(struct vmd_io_group *group,
		       void (*finish)(struct vmd_io_group *group));
void vmd_io_submit(struct vmd_store *store, struct vmd_io_group *group,
		   struct vmd_io *io);
void vmd_io_end(struct vmd_io *io, int error);
bool vmd_io_done(struct vmd_io_group *group);
bool vmd_io_abandoned(struct vmd_io_group *group);
int vmd_io_wait(struct vmd_io_group *group);

void vmd_store_put(struct vmd_store *store);

/* store_swap.c: the swap store, one for all spaces. */
struct vmd_store *vmd_swap_get(void);
void vmd_swap_exit(void);

/**
 * struct vmd_backing - the file or block device under a store (backing.c)
 * @file: the file, or NULL
 * @bdev: the block device, if @file is NULL
 * @direct: the file does direct I/O
 * @grows: the file may be made longer
 * @pages: whole pages there are now
 */
struct vmd_backing {
	struct file *file;
	struct vmd_bdev bdev;
	bool direct;
	bool grows;
	u64 pages;
};

int vmd_backing_open(struct vmd_backing *backing, const char *path);
void vmd_backing_close(struct vmd_backing *backing);
int vmd_backing_grow(struct vmd_backing *backing, u64 pages,
		     struct vmd_access *a);
void vmd_backing_submit(struct vmd_backing *backing, struct vmd_io *io);
int vmd_backing_sync(struct vmd_backing *backing);

/* The module's workqueue (main.c): for what must go on without its task. */
extern struct workqueue_struct *vmd_wq;
/* Another, for what may wait for the first one. */
extern struct workqueue_struct *vmd_idle_wq;

#endif /* _VMD_STORE_H */
