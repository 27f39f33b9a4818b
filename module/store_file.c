// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file store: one space is a window on one file that the user opened. Page
 * i of the space is page i of the file, so there are no places to manage.
 *
 * Two who write to a file behind each other's back would lose what the other
 * wrote, so a file is claimed: by one store that writes, or by several that
 * read. Who opens the file by other ways sees what was written out.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/xarray.h>

#include "space.h"
#include "store.h"

/**
 * struct vmd_file_store - a file store
 * @store: what others see
 * @backing: the file
 */
struct vmd_file_store {
	struct vmd_store store;
	struct vmd_backing backing;
};

/* By inode: how many read it, or CLAIM_WRITE. */
#define CLAIM_WRITE	(ULONG_MAX >> 1)
static DEFINE_XARRAY(claims);
static DEFINE_MUTEX(claims_lock);	/* claims */

static struct vmd_backing *to_backing(struct vmd_store *store)
{
	return &container_of(store, struct vmd_file_store, store)->backing;
}

static int claim_change(struct inode *inode, unsigned long n)
{
	void *entry = n ? xa_mk_value(n) : NULL;

	return xa_err(xa_store(&claims, (unsigned long)inode, entry,
			       GFP_KERNEL));
}

static unsigned long claim_get(struct inode *inode)
{
	void *entry = xa_load(&claims, (unsigned long)inode);

	return entry ? xa_to_value(entry) : 0;
}

/**
 * vmd_file_claim - nobody else shall write to a file, or use it at all
 * @inode: the file's
 * @write: we write to it
 *
 * Returns 0; -EBUSY if it is claimed already, and one of both writes; -ENOMEM.
 */
int vmd_file_claim(struct inode *inode, bool write)
{
	unsigned long n;
	int err = -EBUSY;

	mutex_lock(&claims_lock);
	n = claim_get(inode);
	if (!n || (!write && n != CLAIM_WRITE))
		err = claim_change(inode, write ? CLAIM_WRITE : n + 1);
	mutex_unlock(&claims_lock);
	return err;
}

/**
 * vmd_file_unclaim - undo vmd_file_claim()
 * @inode: as there
 * @write: as there
 */
void vmd_file_unclaim(struct inode *inode, bool write)
{
	mutex_lock(&claims_lock);
	/* Not more than before: nothing is allocated. */
	claim_change(inode, write ? 0 : claim_get(inode) - 1);
	mutex_unlock(&claims_lock);
}

static void file_submit(struct vmd_store *store, struct vmd_io *io)
{
	vmd_backing_submit(to_backing(store), io);
}

/* Others that read or write directly share the file's lock, and so do we. */
static bool file_busy(struct vmd_store *store)
{
	struct inode *inode = to_backing(store)->inode;

	if (!inode_trylock_shared(inode))
		return true;
	inode_unlock_shared(inode);
	return false;
}

static int file_sync(struct vmd_store *store)
{
	/* What a reader waits for is not his to write. */
	return store->readonly ? 0 : vmd_backing_sync(to_backing(store));
}

static int file_resize(struct vmd_store *store, u64 bytes)
{
	struct vmd_backing *backing = to_backing(store);
	u64 was = backing->bytes;
	int err;

	if (!S_ISREG(backing->inode->i_mode))
		return bytes == was ? 0 : -EINVAL;
	/* What is written meanwhile must not reach behind the new end. */
	if (bytes < was)
		WRITE_ONCE(backing->bytes, bytes);
	err = vmd_backing_resize(backing, bytes);
	if (err == -EINTR)
		bytes = min(bytes, was);
	else if (err)
		bytes = was;
	WRITE_ONCE(backing->bytes, bytes);
	return err;
}

static int file_punch(struct vmd_store *store, u64 first, u64 end,
		      void (*ended)(void *arg), void *arg)
{
	struct vmd_backing *backing = to_backing(store);

	u32 shift = PAGE_SHIFT + store->order;

	return vmd_backing_punch(backing, first << shift,
				 min(end << shift, backing->bytes),
				 ended, arg);
}

static void file_release(struct vmd_store *store)
{
	struct vmd_backing *backing = to_backing(store);

	destroy_workqueue(backing->wq);
	vmd_file_unclaim(backing->inode, backing->write);
	fput(backing->file);
	/* Who is exiting leaves that to a worker: the file system is busy. */
	if (current->flags & (PF_EXITING | PF_KTHREAD))
		flush_delayed_fput();
	kfree(container_of(store, struct vmd_file_store, store));
	module_put(THIS_MODULE);
}

static const struct vmd_store_ops file_ops = {
	.name	 = "file",
	.submit	 = file_submit,
	.busy	 = file_busy,
	.sync	 = file_sync,
	.resize	 = file_resize,
	.punch	 = file_punch,
	.release = file_release,
};

/* May this be what is behind a space? */
static int file_check(struct file *file)
{
	struct inode *inode = file->f_mapping->host;
	loff_t size = i_size_read(inode);

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	/* Not a space: that is a character device. */
	if (!S_ISREG(file_inode(file)->i_mode) &&
	    !S_ISBLK(file_inode(file)->i_mode))
		return -EINVAL;
	if (file->f_flags & O_APPEND || (!S_ISREG(inode->i_mode) && !size))
		return -EINVAL;
	if (!file->f_op->read_iter ||
	    (file->f_mode & FMODE_WRITE && !file->f_op->write_iter))
		return -EINVAL;
	if (IS_SWAPFILE(inode))
		return -ETXTBSY;
	/* The last number of a page stands for none. */
	if (size > vmd_max_size() || size > (u64)VMD_NO_PLACE << PAGE_SHIFT)
		return -EFBIG;
	return 0;
}

static void file_use(struct vmd_backing *backing, struct file *file)
{
	backing->file = file;
	backing->inode = file->f_mapping->host;
	backing->write = file->f_mode & FMODE_WRITE;
	backing->direct = file->f_mode & FMODE_CAN_ODIRECT;
	backing->bytes = i_size_read(backing->inode);
}

/*
 * A queue of its own: a file whose medium hangs (a FUSE server that does not
 * answer) shall not keep the workers of others.
 */
static int file_store_init(struct vmd_file_store *fs, struct file *file)
{
	struct vmd_backing *backing = &fs->backing;
	int err;

	vmd_store_init(&fs->store, &file_ops);
	fs->store.homes = true;
	file_use(backing, file);
	fs->store.readonly = !backing->write;
	backing->store = &fs->store;
	err = vmd_file_claim(backing->inode, backing->write);
	if (err)
		return err;
	backing->wq = alloc_workqueue("vmdemo-file",
				      VMD_WQ_PERCPU | WQ_MEM_RECLAIM, 0);
	if (backing->wq) {
		/* A call may go on when nobody has the device open any more. */
		__module_get(THIS_MODULE);
		return 0;
	}
	vmd_file_unclaim(backing->inode, backing->write);
	return -ENOMEM;
}

/**
 * vmd_file_store_open - a store on a file that is open
 * @fd: the caller's descriptor of it
 * @order: of its pages
 *
 * Returns it or the errors of VMD_IOC_SET_FILE.
 */
struct vmd_store *vmd_file_store_open(int fd, u32 order)
{
	struct vmd_file_store *fs;
	struct file *file = fget(fd);
	int err;

	if (!file)
		return ERR_PTR(-EBADF);
	fs = kzalloc(sizeof(*fs), GFP_KERNEL_ACCOUNT);
	err = fs ? file_check(file) : -ENOMEM;
	if (!err)
		err = file_store_init(fs, file);
	if (!err) {
		fs->store.order = order;
		return &fs->store;
	}
	kfree(fs);
	fput(file);
	return ERR_PTR(err);
}

/**
 * vmd_file_store_bytes - how long the file is
 * @store: a file store
 */
u64 vmd_file_store_bytes(struct vmd_store *store)
{
	return READ_ONCE(to_backing(store)->bytes);
}
