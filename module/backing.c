// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lies under the swap store: a regular file, through direct I/O where its
 * file system can, or a block device, by bios. Opened here; made longer in
 * backing_call.c; read and written in backing_io.c.
 *
 * A file is opened by a worker and not by the thread that happens to be the
 * first: its credentials and its mount namespace are none of the backing's
 * business.
 */
#include <linux/file.h>
#include <linux/fcntl.h>
#include <linux/slab.h>

#include "space.h"
#include "store.h"

/* Opening: made by a worker on behalf of a thread that waits for it. */
struct backing_call {
	struct work_struct work;
	struct vmd_backing *backing;
	const char *path;
	int error;
};

/* Opened with O_DIRECT if the file system can, else without. */
static struct file *backing_open_file(const char *path, int flags)
{
	struct file *file;

	flags |= O_RDWR | O_LARGEFILE | O_CLOEXEC;
	file = filp_open(path, flags | O_DIRECT, 0600);
	/* The refusal comes after a new file was made: it is there now. */
	if (PTR_ERR_OR_ZERO(file) == -EINVAL)
		file = filp_open(path, flags & ~(O_CREAT | O_EXCL), 0600);
	return file;
}

/* Take the name of a file that was just made away again. */
static int backing_unlink(struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;
	struct dentry *parent = dget_parent(dentry);
	int err = -ENOENT;

	inode_lock_nested(d_inode(parent), I_MUTEX_PARENT);
	if (dentry->d_parent == parent && !d_unhashed(dentry))
		err = vmd_unlink(file->f_path.mnt, d_inode(parent), dentry);
	inode_unlock(d_inode(parent));
	dput(parent);
	return err;
}

/*
 * A file without a name in directory @path. Where the file system has no
 * O_TMPFILE, one with a name that is taken away at once.
 */
static struct file *backing_open_dir(const char *path)
{
	struct file *file;
	char *name;
	int err;

	file = backing_open_file(path, __O_TMPFILE | O_DIRECTORY);
	if (PTR_ERR_OR_ZERO(file) != -EOPNOTSUPP &&
	    PTR_ERR_OR_ZERO(file) != -EISDIR)
		return file;

	name = kasprintf(GFP_KERNEL, "%s/.vmdemo-%016llx", path,
			 get_random_u64());
	if (!name)
		return ERR_PTR(-ENOMEM);
	file = backing_open_file(name, O_CREAT | O_EXCL | O_NOFOLLOW);
	kfree(name);
	if (IS_ERR(file))
		return file;
	err = mnt_want_write_file(file);
	if (!err) {
		err = backing_unlink(file);
		mnt_drop_write_file(file);
	}
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

static int backing_use_file(struct vmd_backing *backing, struct file *file)
{
	struct inode *inode;

	if (IS_ERR(file))
		return PTR_ERR(file);
	inode = file_inode(file);
	backing->grows = !i_size_read(inode);
	backing->pages = i_size_read(inode) >> PAGE_SHIFT;
	/* By name it was a file a moment ago; too short for a page is no use. */
	if (!S_ISREG(inode->i_mode) || (!backing->grows && !backing->pages)) {
		fput(file);
		return backing->pages ? -EINVAL : -ENOSPC;
	}
	if (inode->i_mode & 077)
		pr_warn("backing: mode %04o lets others read what is evicted\n",
			inode->i_mode & 07777);
	backing->file = file;
	backing->direct = file->f_flags & O_DIRECT;
	backing->inode = inode;
	return 0;
}

static int backing_use_bdev(struct vmd_backing *backing, const char *path)
{
	int err = vmd_bdev_open(&backing->bdev, path, backing);

	if (err)
		return err;
	backing->pages = bdev_nr_bytes(backing->bdev.bdev) >> PAGE_SHIFT;
	backing->inode = vmd_bdev_inode(backing->bdev.bdev);
	if (backing->pages)
		return 0;
	vmd_bdev_close(&backing->bdev, backing);
	return -ENOSPC;
}

static int backing_do_open(struct vmd_backing *backing, const char *name)
{
	struct path path;
	umode_t mode;
	int err;

	/* A worker has a working directory of its own. */
	if (*name != '/')
		return -EINVAL;
	err = kern_path(name, LOOKUP_FOLLOW, &path);
	if (err)
		return err;
	mode = d_inode(path.dentry)->i_mode;
	path_put(&path);
	if (S_ISDIR(mode))
		return backing_use_file(backing, backing_open_dir(name));
	if (S_ISREG(mode))
		return backing_use_file(backing, backing_open_file(name, 0));
	if (S_ISBLK(mode))
		return backing_use_bdev(backing, name);
	return -EINVAL;
}

static void backing_drop(struct vmd_backing *backing)
{
	if (backing->file)
		fput(backing->file);
	else
		vmd_bdev_close(&backing->bdev, backing);
}

static void backing_open_work(struct work_struct *work)
{
	struct backing_call *call;

	call = container_of(work, struct backing_call, work);
	call->error = backing_do_open(call->backing, call->path);
	if (call->error)
		return;
	/* Spaces on files keep away from it, and it from theirs. */
	call->error = vmd_file_claim(call->backing->inode, true);
	if (call->error)
		backing_drop(call->backing);
}

/**
 * vmd_backing_open - open what a path names
 * @backing: zeroed but for its store
 * @path: a directory (a file without a name is made in it), a regular file
 *	(an empty one grows, another is used up to its length, and overwritten)
 *	or a block device (held exclusively, and overwritten)
 *
 * Returns 0; -EINVAL if @path is none of these; -EBUSY if a space is a window on
 * it; or the error of opening it.
 */
int vmd_backing_open(struct vmd_backing *backing, const char *path)
{
	struct backing_call call = { .backing = backing, .path = path };

	backing->wq = vmd_wq;
	backing->write = true;
	backing->bytes = U64_MAX;
	INIT_WORK_ONSTACK(&call.work, backing_open_work);
	queue_work(vmd_wq, &call.work);
	flush_work(&call.work);
	destroy_work_on_stack(&call.work);
	return call.error;
}

/**
 * vmd_backing_close - undo vmd_backing_open()
 * @backing: no request is under way
 */
void vmd_backing_close(struct vmd_backing *backing)
{
	vmd_file_unclaim(backing->inode, backing->write);
	backing_drop(backing);
}
