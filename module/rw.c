// SPDX-License-Identifier: GPL-2.0-only
/*
 * read(2) and write(2) on the device: the space as a file.
 *
 * They see what every mapping sees, as they work on the very frames. A page
 * that was never touched reads as zeros and gets no frame for it; writing past
 * the end makes the space grow, as a mapping does, unless it is on a file.
 *
 * User memory is copied by way of a page of our own: it may lie in this same
 * space, and its fault may need the very frame that is being copied to go.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "chardev.h"
#include "compat.h"
#include "cow.h"
#include "record.h"
#include "shadows.h"

/* A reference that no observer has to look for. */
static void rw_count(struct vmd_space *space, struct vmd_frame *f, bool missed,
		     bool write)
{
	vmd_count(space, references);
	if (!missed) {
		vmd_count(space, hits);
		vmd_ahead_hit(space, f);
		vmd_decide_touched(space, f, VMD_DECIDE_REFERENCE |
				   (write ? VMD_REF_WRITE : 0));
		return;
	}
	vmd_count(space, misses);
	vmd_harvest_kick(space);
}

/* Bring page @a->index in. Returns its folio locked, or an error to retry on. */
static struct folio *rw_fill(struct vmd_access *a, void *entry)
{
	struct vmd_space *space = a->space;
	bool zero = vmd_space_place(space, a->index, entry) == VMD_NO_PLACE;
	struct folio *folio;
	int err;

	/* Of the user's memory nothing is needed at the same time. */
	vmd_thread_rest(space);
	err = vmd_cow_writes(a) ? vmd_cow_foresee(a, entry) : 0;
	if (!err)
		err = vmd_fill(a, entry, &folio);
	if (err)
		return ERR_PTR(err);
	if (vmd_cow_writes(a))
		vmd_cow_filled(a, folio);
	rw_count(space, NULL, true, a->write);
	vmd_placed_missed(space, a->index, !entry);
	vmd_record_reference(a, true);
	vmd_shadows_reference(space, a->index, a->write);
	if (zero)
		vmd_count(space, zero_fills);
	if (!a->shared)
		return folio;
	/* It became shared just now: once more, as of one that is resident. */
	a->shared = false;
	folio_unlock(folio);
	folio_put(folio);
	return ERR_PTR(-EAGAIN);
}

/* Look page @a->index up until it is there; returns as rw_get(). */
static struct folio *rw_find(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct folio *folio;
	void *entry;
	int err;

	for (;;) {
		entry = xa_load(&space->pages, a->index);
		if (vmd_entry_is_frame(entry)) {
			folio = vmd_frame_lock_folio(a, entry, &err);
			if (folio && vmd_cow_writes(a))
				folio = vmd_cow_break(a, entry, folio, &err);
			if (err)
				return ERR_PTR(err);
			if (folio) {
				rw_count(space, entry, false, a->write);
				vmd_record_reference(a, false);
				vmd_shadows_reference(space, a->index,
						      a->write);
				return folio;
			}
			cond_resched();
			continue;
		}
		if (!a->write && vmd_space_place(space, a->index, entry) ==
				 VMD_NO_PLACE)
			return NULL;
		folio = rw_fill(a, entry);
		if (PTR_ERR_OR_ZERO(folio) != -EAGAIN)
			return folio;
	}
}

/*
 * The folio of page @index, locked and with a reference; NULL if it has no
 * content and is only to be read.
 */
static struct folio *rw_get(struct vmd_space *space, pgoff_t index, bool write)
{
	struct vmd_access a = {
		.space = space, .index = index, .write = write,
		.reference = true,
	};
	int err = vmd_record_begin(&a);
	struct folio *folio = err ? ERR_PTR(err) : rw_find(&a);

	vmd_cow_done(&a);
	vmd_record_done(&a);
	return folio;
}

/*
 * Copy between page @index and @buf, which is not user memory; within one of the
 * kernel's pages.
 */
static int rw_page(struct vmd_space *space, pgoff_t index, size_t offset,
		   void *buf, size_t n, bool write)
{
	struct folio *folio = rw_get(space, index, write);
	struct page *page;

	if (IS_ERR(folio))
		return PTR_ERR(folio);
	if (!folio) {
		memset(buf, 0, n);
		return 0;
	}
	page = folio_page(folio, offset >> PAGE_SHIFT);
	if (write) {
		memcpy_to_page(page, offset_in_page(offset), buf, n);
		folio_mark_dirty(folio);
		vmd_flush_check(space);
	} else {
		memcpy_from_page(buf, page, offset_in_page(offset), n);
	}
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/**
 * vmd_rw_whole - write a page of a space
 * @space: of which
 * @index: the page
 * @buf: what shall be in it; not user memory
 *
 * Returns 0 or an error of vmd_fill().
 */
int vmd_rw_whole(struct vmd_space *space, pgoff_t index, void *buf)
{
	return rw_page(space, index, 0, buf, PAGE_SIZE, true);
}

/* What is left of the space, the page and the request at this position. */
static size_t rw_step(struct vmd_space *space, const struct kiocb *iocb,
		      const struct iov_iter *iter)
{
	u64 size = vmd_space_size(space);
	size_t n = PAGE_SIZE - offset_in_page(iocb->ki_pos);

	if (iocb->ki_pos >= size)
		return 0;
	n = min_t(u64, n, size - iocb->ki_pos);
	return min(n, iov_iter_count(iter));
}

/* One page's worth, or less. Returns how much, 0 at the end, or an error. */
static ssize_t rw_some(struct vmd_space *space, struct kiocb *iocb,
		       struct iov_iter *iter, void *buf, bool write)
{
	size_t n = rw_step(space, iocb, iter), done = n;
	int err;

	if (!n)
		return 0;
	if (fatal_signal_pending(current))
		return -EINTR;
	if (write && copy_from_iter(buf, n, iter) != n)
		return -EFAULT;
	err = rw_page(space, iocb->ki_pos >> vmd_page_shift(space),
		      iocb->ki_pos & (vmd_page_bytes(space) - 1), buf, n,
		      write);
	/* Past the end: somebody has made the space shorter. */
	if (err)
		return err == -EFAULT ? 0 : err;
	if (!write)
		done = copy_to_iter(buf, n, iter);
	iocb->ki_pos += done;
	return done ? done : -EFAULT;
}

static ssize_t rw_all(struct kiocb *iocb, struct iov_iter *iter,
		      struct vmd_space *space, bool write)
{
	void *buf = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	ssize_t ret, total = 0;

	if (!buf)
		return -ENOMEM;
	do {
		ret = rw_some(space, iocb, iter, buf, write);
		if (ret > 0)
			total += ret;
		cond_resched();
	} while (ret > 0 && iov_iter_count(iter));
	free_page((unsigned long)buf);
	return total ? total : ret;
}

/**
 * vmd_read_iter - file_operations.read_iter
 * @iocb: position
 * @iter: where to
 */
ssize_t vmd_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct vmd_space *space = vmd_file_space(iocb->ki_filp);
	ssize_t ret = iov_iter_count(iter) ?
		      rw_all(iocb, iter, space, false) : 0;

	vmd_space_unuse(space);
	return ret;
}

/**
 * vmd_write_iter - file_operations.write_iter
 * @iocb: position; with O_APPEND the end
 * @iter: where from
 *
 * Returns what was written; -ENOSPC at the module parameter max_size, or at the
 * end of the file behind the space; -EROFS.
 */
ssize_t vmd_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct vmd_space *space = vmd_file_space(iocb->ki_filp);
	size_t n = iov_iter_count(iter);
	ssize_t ret = 0;
	loff_t end;

	if (iocb->ki_flags & IOCB_APPEND)
		iocb->ki_pos = vmd_space_size(space);
	if (check_add_overflow(iocb->ki_pos, (loff_t)n, &end))
		end = LLONG_MAX;
	if (space->store->readonly) {
		ret = -EROFS;
	} else if (n) {
		vmd_space_reach(space, vmd_bytes_pages(space, end));
		ret = rw_all(iocb, iter, space, true);
		if (!ret)
			ret = -ENOSPC;
	}
	vmd_space_unuse(space);
	return ret;
}

/**
 * vmd_llseek - file_operations.llseek
 * @file: of the device
 * @offset: as lseek(2)
 * @whence: SEEK_SET, SEEK_CUR or SEEK_END
 */
loff_t vmd_llseek(struct file *file, loff_t offset, int whence)
{
	struct vmd_space *space = vmd_file_space(file);
	loff_t size = vmd_space_size(space);

	vmd_space_unuse(space);
	return generic_file_llseek_size(file, offset, whence,
					vmd_max_size(), size);
}
