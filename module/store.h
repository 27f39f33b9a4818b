/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store contract: where pages live when they are not resident.
 *
 * A store offers places for pages. A place is a number; what it means is the
 * store's own affair: a slot of the swap backing that all spaces share
 * (store_swap.c), or a page of the file that one space is a window on
 * (store_file.c). A store knows nothing of spaces, policies or page tables.
 *
 * In the swap store a page gets a place when it is first written out. That must
 * not fail for want of room, so one is reserved before the page comes in: a
 * frame in use whose place is VMD_NO_PLACE has a reservation. In a store with
 * homes page i has place i, always, and nothing is reserved, got or given back.
 *
 * Input and output goes by struct vmd_io: one request for neighbouring places.
 * Requests that belong together are collected in a struct vmd_io_group, which
 * is waited for as a whole and finished exactly once, in task context:
 *
 *	group_init(finish) -> add requests, submit each -> vmd_io_wait()
 *
 * The waiter may be killed, or give up where nothing moves (enum vmd_haste), or
 * there is none from the start (vmd_io_leave() instead of vmd_io_wait()).
 * Then the group finishes without it, on the module's workqueue, so what the
 * group's requests point to must not belong to the waiter.
 */
#ifndef _VMD_STORE_H
#define _VMD_STORE_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include "compat.h"

struct vmd_access;
struct vmd_backing;
struct vmd_io_group;
struct vmd_store;

#define VMD_NO_PLACE	((u32)~0)

/**
 * enum vmd_haste - how long somebody waits for a store
 * @VMD_PATIENT: until it is done, or he is killed
 * @VMD_IN_KERNEL: not when nothing has moved for seconds: a fault in the kernel
 *	may hold the very lock that the store's file needs
 * @VMD_CLOSING: likewise: who is exiting cannot be killed any more, and may be
 *	the one who serves the file (FUSE, nbd)
 */
enum vmd_haste {
	VMD_PATIENT,
	VMD_IN_KERNEL,
	VMD_CLOSING,
};

/**
 * struct vmd_stuck - since when nothing has moved
 * @haste: how long is waited
 * @ended: vmd_store.ended when it was last looked at
 * @since: jiffies then; 0 before the first look
 */
struct vmd_stuck {
	enum vmd_haste haste;
	long ended;
	unsigned long since;
};

/**
 * struct vmd_io - one request: @nr pages from place @place on
 * @group: the group it belongs to, set by vmd_io_submit()
 * @write: direction
 * @error: 0 or a negative errno once it has ended
 * @place: first place
 * @nr: pages
 * @bvec: the pages' memory, @nr entries, alive until the group has finished
 * @bytes: of them that belong to the backing: less where a file ends
 * @bio: for backings that are block devices; its vectors are @bvec
 * @iocb: for backings that are files
 * @iter: for backings that are files
 * @work: for backings whose writes another thread has to do
 * @backing: for @work
 * @store: where it was submitted
 * @shift: bytes of a page, as a power of 2, set by vmd_io_submit()
 */
struct vmd_io {
	struct vmd_io_group *group;
	bool write;
	int error;
	u32 place;
	u32 nr;
	u32 bytes;
	struct bio_vec *bvec;
	union {
		struct bio bio;
		struct {
			struct kiocb iocb;
			struct iov_iter iter;
			struct work_struct work;
		};
	};
	struct vmd_backing *backing;
	struct vmd_store *store;
	u32 shift;
};

/* A request for no page yet, from @place on; the rest is for who submits it. */
static inline void vmd_io_init(struct vmd_io *io, bool write, u32 place,
			       struct bio_vec *bvec)
{
	io->group = NULL;
	io->write = write;
	io->error = 0;
	io->place = place;
	io->nr = 0;
	io->bvec = bvec;
}

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
 * @encrypts: its places are the module's own, what is there may be encrypted
 *
 * All may be called from many threads at once.
 */
struct vmd_store_ops {
	const char *name;
	bool encrypts;

	/*
	 * Reserve a place. May wait, killably, for the backing to be enlarged,
	 * on behalf of @a. Returns 0, -ENOSPC, -EIO, -ENOMEM or -EINTR.
	 */
	int (*reserve)(struct vmd_store *store, struct vmd_access *a);

	/* Give a reservation back that has not become a place. */
	void (*unreserve)(struct vmd_store *store);

	/*
	 * Turn up to @want reservations into neighbouring places. Does not
	 * sleep. Returns how many, at least 1, the first in *@first.
	 */
	u32 (*alloc)(struct vmd_store *store, u32 want, u32 *first);

	/* Turn a place back into a reservation; what it holds is lost. */
	void (*unplace)(struct vmd_store *store, u32 place);

	/* Give places back. Does not sleep; not from interrupts. */
	void (*free)(struct vmd_store *store, u32 first, u32 nr);

	/*
	 * Begin @io; vmd_io_end() is called when it has ended, perhaps before
	 * this returns, perhaps from an interrupt. Allocates only what cannot
	 * recurse into write-out (GFP_NOIO). May sleep.
	 */
	void (*submit)(struct vmd_store *store, struct vmd_io *io);

	/*
	 * NULL, or: would a request just now have to wait for somebody else?
	 */
	bool (*busy)(struct vmd_store *store);

	/*
	 * Everything written is on the medium when this returns 0. Waits
	 * killably, as do the next two.
	 */
	int (*sync)(struct vmd_store *store);

	/*
	 * With homes: make the file @bytes long. -EINTR: it will be. -EINVAL
	 * where it cannot.
	 */
	int (*resize)(struct vmd_store *store, u64 bytes);

	/*
	 * With homes: pages from @first to before @end are to read as zeros.
	 * @ended(@arg) is called once when that is so, or has failed, also if
	 * this returned -EINTR before.
	 */
	int (*punch)(struct vmd_store *store, u64 first, u64 end,
		     void (*ended)(void *arg), void *arg);

	/* The last reference is gone. */
	void (*release)(struct vmd_store *store);
};

/**
 * struct vmd_store - an open store
 * @ops: its kind
 * @ref: references: one of the module's, one for each space, one for each call
 *	that goes on without who made it
 * @homes: page i has place i
 * @readonly: nothing may be written
 * @order: its pages are 2^@order of the kernel's; never changes
 * @under: the swap store whose slots its pages lie in, if that is another one
 * @ended: counts requests that have ended
 * @put_work: for the last reference, where it cannot be given back directly
 */
struct vmd_store {
	const struct vmd_store_ops *ops;
	struct kref ref;
	bool homes;
	bool readonly;
	u32 order;
	struct vmd_store *under;
	atomic_long_t ended;
	struct work_struct put_work;
};

void vmd_io_group_init(struct vmd_io_group *group,
		       void (*finish)(struct vmd_io_group *group));
void vmd_io_submit(struct vmd_store *store, struct vmd_io_group *group,
		   struct vmd_io *io);
void vmd_io_end(struct vmd_io *io, int error);
void vmd_io_leave(struct vmd_io_group *group);
bool vmd_io_done(struct vmd_io_group *group);
bool vmd_io_abandoned(struct vmd_io_group *group);
int vmd_io_wait(struct vmd_io_group *group, struct vmd_store *store,
		struct vmd_stuck *stuck);
bool vmd_stuck(struct vmd_stuck *stuck, struct vmd_store *store);

/* store.c */
void vmd_store_init(struct vmd_store *store, const struct vmd_store_ops *ops);
void vmd_store_put(struct vmd_store *store);
void vmd_store_put_later(struct vmd_store *store);

/* store_swap.c: the swap store, one for all spaces. */
struct vmd_store *vmd_swap_get(void);
void vmd_swap_exit(void);

/* store_huge.c: larger pages in the swap store, for one space. */
struct vmd_store *vmd_huge_store_open(u32 order);

/* store_file.c: a file store, of one space. */
struct vmd_store *vmd_file_store_open(int fd, u32 order);
u64 vmd_file_store_bytes(struct vmd_store *store);
int vmd_file_claim(struct inode *inode, bool write);
void vmd_file_unclaim(struct inode *inode, bool write);

/**
 * struct vmd_backing - the file or block device under a store
 * @store: which
 * @wq: where what may wait for locks is done
 * @file: the file, or NULL
 * @bdev: the block device, if @file is NULL
 * @inode: of whichever it is, claimed
 * @write: claimed for writing
 * @direct: the file does direct I/O
 * @grows: the file may be made longer
 * @pages: whole pages there are now
 * @changing: a call that changes the file's length or blocks is under way
 * @bytes: where the file ends, if not at the end of a page, and nothing behind
 *	it may be written; U64_MAX if all pages are whole
 */
struct vmd_backing {
	struct vmd_store *store;
	struct workqueue_struct *wq;
	struct file *file;
	struct vmd_bdev bdev;
	struct inode *inode;
	bool write;
	bool direct;
	bool grows;
	u64 pages;
	int changing;
	u64 bytes;
};

/* backing.c: opening, closing, making longer */
int vmd_backing_open(struct vmd_backing *backing, const char *path);
void vmd_backing_close(struct vmd_backing *backing);

/* backing_call.c: what a worker does while others wait */
int vmd_backing_grow(struct vmd_backing *backing, u64 pages,
		     struct vmd_access *a);
int vmd_backing_sync(struct vmd_backing *backing);
int vmd_backing_resize(struct vmd_backing *backing, u64 bytes);
int vmd_backing_punch(struct vmd_backing *backing, u64 from, u64 to,
		      void (*ended)(void *arg), void *arg);

/* backing_io.c: reading and writing */
void vmd_backing_submit(struct vmd_backing *backing, struct vmd_io *io);

/* The module's workqueue (main.c): for what must go on without its task. */
extern struct workqueue_struct *vmd_wq;
/* Another, for what may wait for the first one. */
extern struct workqueue_struct *vmd_idle_wq;

#endif /* _VMD_STORE_H */
