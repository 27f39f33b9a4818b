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

static void backing_open_work(struct work_struct *work)
{
	struct backing_call *call;

	call = container_of(work, struct backing_call, work);
	call->error = backing_do_open(call->backing, call->path);
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
	struct backing_call call = { .backing = backing, .path = path };

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
	if (backing->file)
		fput(backing->file);
	else
		vmd_bdev_close(&backing->bdev, backing);
}

/**
 * struct backing_grow - a file being made longer; may outlive who asked for it
 * @work: the worker's
 * @done: @error is valid
 * @refs: one of who asked, one of the worker
 * @file: a reference
 * @pages: pages it has
 * @more: pages it shall get
 * @error: what came of it
 */
struct backing_grow {
	struct work_struct work;
	struct completion done;
	atomic_t refs;
	struct file *file;
	u64 pages;
	u64 more;
	int error;
};

static void backing_grow_put(struct backing_grow *grow)
{
	if (!atomic_dec_and_test(&grow->refs))
		return;
	fput(grow->file);
	kfree(grow);
}

static void backing_grow_work(struct work_struct *work)
{
	struct backing_grow *grow;
	unsigned int noio = memalloc_noio_save();

	grow = container_of(work, struct backing_grow, work);
	grow->error = vfs_fallocate(grow->file, 0,
				    (loff_t)grow->pages << PAGE_SHIFT,
				    (loff_t)grow->more << PAGE_SHIFT);
	/* Without preallocation a write finds out that there is no space. */
	if (grow->error == -EOPNOTSUPP)
		grow->error = 0;
	memalloc_noio_restore(noio);
	complete(&grow->done);
	backing_grow_put(grow);
}

static struct backing_grow *backing_grow_start(struct vmd_backing *backing,
					       u64 more)
{
	struct backing_grow *grow = kzalloc(sizeof(*grow), GFP_NOIO);

	if (!grow)
		return NULL;
	INIT_WORK(&grow->work, backing_grow_work);
	init_completion(&grow->done);
	atomic_set(&grow->refs, 2);
	grow->file = get_file(backing->file);
	grow->pages = backing->pages;
	grow->more = more;
	queue_work(vmd_wq, &grow->work);
	return grow;
}

/**
 * vmd_backing_grow - make a backing longer
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
	struct backing_grow *grow;
	int err;

	if (!backing->grows)
		return -ENOSPC;
	grow = backing_grow_start(backing, pages);
	if (!grow)
		return -ENOMEM;
	if (a)
		vmd_may_wait(a);
	err = wait_for_completion_killable(&grow->done) ? -EINTR : grow->error;
	if (!err)
		backing->pages += pages;
	backing_grow_put(grow);
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

static ssize_t backing_write_file(struct vmd_io *io)
{
	struct file *file = io->iocb.ki_filp;
	ssize_t ret;

	vmd_start_write(file);
	ret = vfs_iocb_iter_write(file, &io->iocb, &io->iter);
	vmd_end_write(file);
	return ret;
}

static void backing_file_work(struct work_struct *work)
{
	struct vmd_io *io = container_of(work, struct vmd_io, work);
	unsigned int noio = memalloc_noio_save();
	ssize_t ret;

	if (io->write)
		ret = backing_write_file(io);
	else
		ret = vfs_iocb_iter_read(io->iocb.ki_filp, &io->iocb,
					 &io->iter);
	memalloc_noio_restore(noio);
	backing_iocb_end(&io->iocb, ret);
}

/* Let a worker do it. */
static void backing_queue_file(struct vmd_io *io, struct file *file)
{
	backing_init_iocb(io, file);
	INIT_WORK(&io->work, backing_file_work);
	queue_work(vmd_wq, &io->work);
}

/* It would have had to wait after all. Perhaps from an interrupt. */
static void backing_nowait_end(struct kiocb *iocb, long ret)
{
	struct vmd_io *io = container_of(iocb, struct vmd_io, iocb);

	if (ret == -EAGAIN)
		backing_queue_file(io, iocb->ki_filp);
	else
		backing_iocb_end(iocb, ret);
}

/*
 * A read that need not wait for a lock is begun here: whoever faults may be
 * writing to this very file, and hold its lock.
 */
static bool backing_read_nowait(struct vmd_backing *backing, struct vmd_io *io)
{
	ssize_t ret;

	if (!backing->direct || !(backing->file->f_mode & FMODE_NOWAIT))
		return false;
	backing_init_iocb(io, backing->file);
	io->iocb.ki_flags |= IOCB_NOWAIT;
	io->iocb.ki_complete = backing_nowait_end;
	ret = vfs_iocb_iter_read(backing->file, &io->iocb, &io->iter);
	if (ret == -EAGAIN)
		return false;
	if (ret != -EIOCBQUEUED)
		backing_iocb_end(&io->iocb, ret);
	return true;
}

static void backing_submit_file(struct vmd_backing *backing, struct vmd_io *io)
{
	if (io->write || !backing_read_nowait(backing, io))
		backing_queue_file(io, backing->file);
}

/**
 * vmd_backing_submit - begin a request, as vmd_store_ops.submit
 * @backing: where to
 * @io: the request; its place is a page number of the backing
 */
void vmd_backing_submit(struct vmd_backing *backing, struct vmd_io *io)
{
	unsigned int noio = memalloc_noio_save();

	if (backing->file)
		backing_submit_file(backing, io);
	else
		backing_submit_bio(backing, io);
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
