// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lies under a store: a regular file, through direct I/O where its file
 * system can, or a block device, by bios.
 *
 * Opening, enlarging and writing a file is done by the module's workqueue and
 * not by the thread that happens to fault: its limits (RLIMIT_FSIZE), its
 * credentials and its mount namespace are none of the backing's business, and
 * it can be killed while a worker cannot.
 */
#include <linux/file.h>
#include <linux/fcntl.h>
#include <linux/sched/mm.h>

#include "space.h"
#include "store.h"

/* A call made by a worker on behalf of a thread that waits for it. */
struct backing_call {
	struct work_struct work;
	struct vmd_backing *backing;
	const char *path;
	u64 pages;
	int (*call)(struct backing_call *call);
	int error;
};

static void backing_call_work(struct work_struct *work)
{
	struct backing_call *call;
	unsigned int noio = memalloc_noio_save();

	call = container_of(work, struct backing_call, work);
	call->error = call->call(call);
	memalloc_noio_restore(noio);
}

static int backing_call(struct backing_call *call)
{
	INIT_WORK_ONSTACK(&call->work, backing_call_work);
	queue_work(vmd_wq, &call->work);
	flush_work(&call->work);
	destroy_work_on_stack(&call->work);
	return call->error;
}

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
	struct inode *inode = file_inode(file);

	if (IS_ERR(file))
		return PTR_ERR(file);
	backing->file = file;
	backing->direct = file->f_flags & O_DIRECT;
	backing->pages = i_size_read(inode) >> PAGE_SHIFT;
	backing->grows = !backing->pages;
	return 0;
}

static int backing_use_bdev(struct vmd_backing *backing, const char *path)
{
	int err = vmd_bdev_open(&backing->bdev, path, backing);

	if (err)
		return err;
	backing->pages = bdev_nr_bytes(backing->bdev.bdev) >> PAGE_SHIFT;
	if (backing->pages)
		return 0;
	vmd_bdev_close(&backing->bdev, backing);
	return -ENOSPC;
}

static int backing_do_open(struct backing_call *call)
{
	struct path path;
	umode_t mode;
	int err = kern_path(call->path, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	mode = d_inode(path.dentry)->i_mode;
	path_put(&path);
	if (S_ISDIR(mode))
		return backing_use_file(call->backing,
					backing_open_dir(call->path));
	if (S_ISREG(mode))
		return backing_use_file(call->backing,
					backing_open_file(call->path, 0));
	if (S_ISBLK(mode))
		return backing_use_bdev(call->backing, call->path);
	return -EINVAL;
}

/**
 * vmd_backing_open - open what a path names
 * @backing: zeroed
 * @path: a directory (a file without a name is made in it), a regular file
 *	(an empty one grows, another is used up to its length, and overwritten)
 *	or a block device (held exclusively, and overwritten)
 *
 * Returns 0; -EINVAL if @path is none of these, or the error of opening it.
 */
int vmd_backing_open(struct vmd_backing *backing, const char *path)
{
	struct backing_call call = {
		.backing = backing, .path = path, .call = backing_do_open,
	};

	return backing_call(&call);
}

/**
 * vmd_backing_close - undo vmd_backing_open()
 * @backing: no request is under way
 */
void vmd_backing_close(struct vmd_backing *backing)
{
	if (backing->file)
		fput(backing->file);
	else
		vmd_bdev_close(&backing->bdev, backing);
}

static int backing_do_grow(struct backing_call *call)
{
	struct vmd_backing *backing = call->backing;
	loff_t from = (loff_t)backing->pages << PAGE_SHIFT;
	loff_t length = (loff_t)call->pages << PAGE_SHIFT;
	int err = vfs_fallocate(backing->file, 0, from, length);

	/* Without preallocation a write finds out that there is no space. */
	if (err == -EOPNOTSUPP)
		err = 0;
	return err;
}

/**
 * vmd_backing_grow - make a backing longer
 * @backing: the caller keeps two of these calls apart
 * @pages: by how much
 *
 * Returns 0 or -ENOSPC where it cannot grow, or has no room to.
 */
int vmd_backing_grow(struct vmd_backing *backing, u64 pages)
{
	struct backing_call call = {
		.backing = backing, .pages = pages, .call = backing_do_grow,
	};
	int err;

	if (!backing->grows)
		return -ENOSPC;
	err = backing_call(&call);
	if (!err)
		backing->pages += pages;
	return err;
}

static void backing_bio_end(struct bio *bio)
{
	struct vmd_io *io = bio->bi_private;
	int error = blk_status_to_errno(bio->bi_status);

	bio_put(bio);
	vmd_io_end(io, error);
}

static void backing_submit_bio(struct vmd_backing *backing, struct vmd_io *io)
{
	struct bio *bio;
	u32 i;

	bio = bio_alloc(backing->bdev.bdev, io->nr,
			io->write ? REQ_OP_WRITE : REQ_OP_READ, GFP_NOIO);
	bio->bi_iter.bi_sector = (sector_t)io->place << (PAGE_SHIFT - 9);
	bio->bi_private = io;
	bio->bi_end_io = backing_bio_end;
	for (i = 0; i < io->nr; i++)
		__bio_add_page(bio, io->bvec[i].bv_page, PAGE_SIZE, 0);
	submit_bio(bio);
}

/* Anything but all of it is an error: places hold whole pages. */
static void backing_iocb_end(struct kiocb *iocb, long ret)
{
	struct vmd_io *io = container_of(iocb, struct vmd_io, iocb);

	if (ret >= 0)
		ret = ret == (long)io->nr << PAGE_SHIFT ? 0 : -EIO;
	vmd_io_end(io, ret);
}

static void backing_init_iocb(struct vmd_io *io, struct file *file)
{
	init_sync_kiocb(&io->iocb, file);
	io->iocb.ki_pos = (loff_t)io->place << PAGE_SHIFT;
	iov_iter_bvec(&io->iter, io->write ? ITER_SOURCE : ITER_DEST, io->bvec,
		      io->nr, (size_t)io->nr << PAGE_SHIFT);
}

static void backing_read_file(struct vmd_backing *backing, struct vmd_io *io)
{
	ssize_t ret;

	backing_init_iocb(io, backing->file);
	io->iocb.ki_complete = backing_iocb_end;
	ret = vfs_iocb_iter_read(backing->file, &io->iocb, &io->iter);
	if (ret != -EIOCBQUEUED)
		backing_iocb_end(&io->iocb, ret);
}

static void backing_write_work(struct work_struct *work)
{
	struct vmd_io *io = container_of(work, struct vmd_io, work);
	struct file *file = io->iocb.ki_filp;
	unsigned int noio = memalloc_noio_save();
	ssize_t ret;

	file_start_write(file);
	ret = vfs_iocb_iter_write(file, &io->iocb, &io->iter);
	file_end_write(file);
	memalloc_noio_restore(noio);
	backing_iocb_end(&io->iocb, ret);
}

/**
 * vmd_backing_submit - begin a request, as vmd_store_ops.submit
 * @backing: where to
 * @io: the request; its place is a page number of the backing
 */
void vmd_backing_submit(struct vmd_backing *backing, struct vmd_io *io)
{
	unsigned int noio = memalloc_noio_save();

	if (!backing->file) {
		backing_submit_bio(backing, io);
	} else if (!io->write) {
		backing_read_file(backing, io);
	} else {
		backing_init_iocb(io, backing->file);
		INIT_WORK(&io->work, backing_write_work);
		queue_work(vmd_wq, &io->work);
	}
	memalloc_noio_restore(noio);
}

/**
 * vmd_backing_sync - make what was written durable
 * @backing: of which
 */
int vmd_backing_sync(struct vmd_backing *backing)
{
	if (backing->file)
		return vfs_fsync(backing->file, 1);
	return blkdev_issue_flush(backing->bdev.bdev);
}
