// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing a backing: a block device by bios, a file through direct
 * I/O where its file system can.
 *
 * What has to wait for a lock is done by a worker: the thread which happens to
 * fault may have taken it itself.
 *
 * Where a file ends within a page, what is behind its end is neither written
 * nor shown: such a page is written through the page cache, byte by byte.
 */
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "space.h"
#include "store.h"

static void backing_bio_end(struct bio *bio)
{
	struct vmd_io *io = container_of(bio, struct vmd_io, bio);
	int error = blk_status_to_errno(bio->bi_status);

	bio_uninit(bio);
	vmd_io_end(io, error);
}

/* Nothing is allocated: the request has room for a bio, and the vectors. */
static void backing_submit_bio(struct vmd_backing *backing, struct vmd_io *io)
{
	struct bio *bio = &io->bio;

	bio_init(bio, backing->bdev.bdev, io->bvec, io->nr,
		 io->write ? REQ_OP_WRITE : REQ_OP_READ);
	bio->bi_vcnt = io->nr;
	bio->bi_iter.bi_size = io->nr << PAGE_SHIFT;
	bio->bi_iter.bi_sector = (sector_t)io->place << (PAGE_SHIFT - 9);
	bio->bi_end_io = backing_bio_end;
	submit_bio(bio);
}

static loff_t backing_pos(const struct vmd_io *io)
{
	return (loff_t)io->place << PAGE_SHIFT;
}

/* How much of a request lies before the file's end; at least a byte. */
static u32 backing_bytes(struct vmd_backing *backing, struct vmd_io *io)
{
	u64 end = READ_ONCE(backing->bytes);
	u64 all = (u64)io->nr << PAGE_SHIFT;

	return end > backing_pos(io) ? min(all, end - backing_pos(io)) : all;
}

/*
 * The file was found shorter than the request: if we made it so, only since the
 * request was made, what is left of it is all there is to be had.
 */
static void backing_shorten(struct vmd_io *io)
{
	/* The file's size before ours, which file_resize() wrote first. */
	smp_rmb();
	io->bytes = min(io->bytes, backing_bytes(io->backing, io));
}

/* What the file's end cuts off reads as zeros. Perhaps in an interrupt. */
static void backing_zero_tail(struct vmd_io *io)
{
	u32 i = io->bytes >> PAGE_SHIFT;
	size_t from = offset_in_page(io->bytes);

	for (; i < io->nr; i++, from = 0)
		memzero_page(io->bvec[i].bv_page, from, PAGE_SIZE - from);
}

/* Anything but all of it is an error. */
static void backing_file_end(struct vmd_io *io, ssize_t ret)
{
	if (!io->write && ret >= 0 && ret < io->bytes)
		backing_shorten(io);
	if (ret >= 0)
		ret = ret < io->bytes ? -EIO : 0;
	if (!ret && !io->write)
		backing_zero_tail(io);
	vmd_io_end(io, ret);
}

/* The flags of the open file (O_APPEND among them) do not matter. */
static void backing_init_iocb(struct vmd_backing *backing, struct vmd_io *io,
			      bool direct)
{
	init_sync_kiocb(&io->iocb, backing->file);
	io->iocb.ki_flags = direct ? IOCB_DIRECT : 0;
	io->iocb.ki_pos = backing_pos(io);
	iov_iter_bvec(&io->iter, io->write ? ITER_SOURCE : ITER_DEST, io->bvec,
		      io->nr, io->bytes);
}

static ssize_t backing_rw(struct vmd_backing *backing, struct vmd_io *io,
			  bool direct)
{
	struct file *file = backing->file;
	ssize_t ret;

	backing_init_iocb(backing, io, direct);
	if (!io->write)
		return vfs_iocb_iter_read(file, &io->iocb, &io->iter);
	vmd_start_write(file);
	ret = vfs_iocb_iter_write(file, &io->iocb, &io->iter);
	vmd_end_write(file);
	return ret;
}

/* Through the page cache; what comes of writing that out is waited for. */
static ssize_t backing_rw_cached(struct vmd_backing *backing,
				 struct vmd_io *io)
{
	struct address_space *mapping = backing->file->f_mapping;
	errseq_t since = filemap_sample_wb_err(mapping);
	loff_t pos = backing_pos(io);
	ssize_t ret = backing_rw(backing, io, false);
	int err;

	if (ret < 0 || !io->write)
		return ret;
	err = filemap_write_and_wait_range(mapping, pos, pos + ret - 1);
	/* Somebody else may have taken the error, or his be taken for ours. */
	if (!err)
		err = filemap_check_wb_err(mapping, since);
	return err ? err : ret;
}

static bool backing_past_end(struct vmd_backing *backing, struct vmd_io *io)
{
	return i_size_read(backing->file->f_mapping->host) <
	       backing_pos(io) + io->bytes;
}

/* A file that was made shorter under us is not made longer again. */
static bool backing_cut_off(struct vmd_backing *backing, struct vmd_io *io)
{
	if (!backing_past_end(backing, io))
		return false;
	backing_shorten(io);
	return backing_past_end(backing, io);
}

static void backing_file_work(struct work_struct *work)
{
	struct vmd_io *io = container_of(work, struct vmd_io, work);
	struct vmd_backing *backing = io->backing;
	unsigned int noio = memalloc_noio_save();
	ssize_t ret = -EIO;

	if (backing_cut_off(backing, io))
		goto end;
	ret = -EINVAL;
	if (READ_ONCE(backing->direct) && !offset_in_page(io->bytes))
		ret = backing_rw(backing, io, true);
	if (ret == -EINVAL) {
		/* It said that it could: overlayfs, for what lies under it. */
		if (!offset_in_page(io->bytes))
			WRITE_ONCE(backing->direct, false);
		ret = backing_rw_cached(backing, io);
	}
end:
	memalloc_noio_restore(noio);
	backing_file_end(io, ret);
}

/* Let a worker do it. */
static void backing_queue_file(struct vmd_backing *backing, struct vmd_io *io)
{
	INIT_WORK(&io->work, backing_file_work);
	queue_work(backing->wq, &io->work);
}

/*
 * It would have had to wait; or what is below cannot do without, perhaps only
 * of late: a device-mapper's table may change at any time.
 */
static bool backing_nowait_refused(const struct vmd_io *io, ssize_t ret)
{
	return ret == -EAGAIN || ret == -EINVAL || ret == -EOPNOTSUPP ||
	       ret == -ENOMEM || (ret >= 0 && ret < io->bytes);
}

/*
 * Freezing is kept away from the file system until the write has ended, perhaps
 * in another thread or an interrupt: to lockdep nobody holds it meanwhile.
 */
static bool backing_no_freeze(struct super_block *sb)
{
	if (!sb_start_write_trylock(sb))
		return false;
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

static void backing_may_freeze(struct super_block *sb)
{
	__sb_writers_acquired(sb, SB_FREEZE_WRITE);
	sb_end_write(sb);
}

/* Perhaps from an interrupt. */
static void backing_nowait_end(struct kiocb *iocb, long ret)
{
	struct vmd_io *io = container_of(iocb, struct vmd_io, iocb);

	if (io->write)
		backing_may_freeze(file_inode(iocb->ki_filp)->i_sb);
	if (backing_nowait_refused(io, ret))
		backing_queue_file(io->backing, io);
	else
		backing_file_end(io, ret);
}

/*
 * Not by vfs_iocb_iter_write(): that one waits until a frozen file system thaws,
 * before 6.8 by way of what its callers have to do.
 */
static ssize_t backing_write_nowait(struct file *file, struct vmd_io *io)
{
	struct super_block *sb = file_inode(file)->i_sb;
	ssize_t ret;

	if (backing_past_end(io->backing, io) || !backing_no_freeze(sb))
		return -EAGAIN;
	io->iocb.ki_flags |= IOCB_WRITE;
	ret = file->f_op->write_iter(&io->iocb, &io->iter);
	if (ret != -EIOCBQUEUED)
		backing_may_freeze(sb);
	return ret;
}

/*
 * What need not wait for a lock is begun here: whoever faults may be writing to
 * this very file, and hold its lock.
 */
static bool backing_try_nowait(struct vmd_backing *backing, struct vmd_io *io)
{
	struct file *file = backing->file;
	ssize_t ret;

	if (!READ_ONCE(backing->direct) || offset_in_page(io->bytes) ||
	    !(file->f_mode & FMODE_NOWAIT))
		return false;
	backing_init_iocb(backing, io, true);
	io->iocb.ki_flags |= IOCB_NOWAIT;
	io->iocb.ki_complete = backing_nowait_end;
	ret = io->write ? backing_write_nowait(file, io) :
			  vfs_iocb_iter_read(file, &io->iocb, &io->iter);
	if (ret == -EIOCBQUEUED)
		return true;
	if (backing_nowait_refused(io, ret))
		return false;
	backing_file_end(io, ret);
	return true;
}

static void backing_submit_file(struct vmd_backing *backing, struct vmd_io *io)
{
	io->backing = backing;
	io->bytes = backing_bytes(backing, io);
	if (!backing_try_nowait(backing, io))
		backing_queue_file(backing, io);
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
