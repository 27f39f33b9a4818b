// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading pages from the store: the one that is wanted, and in observer
 * "accessed" those that its thread is going to want next, with one request for
 * each run of neighbouring places.
 *
 * Pages are read ahead into frames that nobody has to leave for them, so that
 * a wrong guess costs I/O and no more. Guesses are made in thread.c.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "crypt.h"
#include "fill.h"
#include "trace.h"

/**
 * struct read - pages being read; outlives the thread that asked if need be
 * @group: of the requests
 * @refs: one of the thread's, one of the requests'
 * @space: a reference
 * @flags: for the policy, of the page that is wanted
 * @pin: pin that when it is there
 * @most: entries that there is room for
 * @n: entries of @pages
 * @nr_ios: entries of @ios
 * @ios: requests
 * @bvec: the pages' memory
 * @pages: the first is the one that is wanted
 */
struct read {
	struct vmd_io_group group;
	atomic_t refs;
	struct vmd_space *space;
	u32 flags;
	bool pin;
	u32 most;
	u32 n;
	u32 nr_ios;
	struct vmd_io *ios;
	struct bio_vec *bvec;
	struct vmd_filling pages[];
};

/*
 * Memory for reading one page, and for as many as there ever are, for the next to
 * do so on this CPU: the kernel zeroes all that it allocates. Most reads at random
 * are of one page, and that is less for many that wait at the same time.
 */
static DEFINE_PER_CPU(struct read *, read_one);
static DEFINE_PER_CPU(struct read *, read_many);

/* Two names, as what per_cpu() makes of an array is not in every kernel one. */
static struct read *read_spare_xchg(bool many, struct read *read)
{
	return many ? this_cpu_xchg(read_many, read) :
		      this_cpu_xchg(read_one, read);
}

static void read_put(struct read *read)
{
	if (!atomic_dec_and_test(&read->refs))
		return;
	vmd_space_put(read->space);
	kfree(read_spare_xchg(read->most > 1, read));
}

/**
 * vmd_read_exit - free what was kept for reads to come
 *
 * No space is left.
 */
void vmd_read_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree(per_cpu(read_one, cpu));
		kfree(per_cpu(read_many, cpu));
	}
}

/* Nobody waits for this one: once unlocked it may go again. */
static void read_publish_alone(struct vmd_space *space,
			       const struct vmd_filling *page)
{
	struct folio *folio = page->folio;

	folio_get(folio);
	vmd_fill_publish(space, page->f, folio, 0, false);
	folio_unlock(folio);
	folio_put(folio);
}

static void read_page_ended(struct read *read, u32 i, int error)
{
	struct vmd_space *space = read->space;
	const struct vmd_filling *page = &read->pages[i];

	if (error) {
		vmd_fill_give_up(space, page);
		return;
	}
	vmd_count(space, pages_read);
	if (i) {
		vmd_frame_set(page->f, VMD_FRAME_AHEAD);
		vmd_count_more(space, prefetched, 1);
	}
	/* Nobody is left to map it, or to answer for a pin? */
	if (i || vmd_io_abandoned(&read->group))
		read_publish_alone(space, page);
	else
		vmd_fill_publish(space, page->f, page->folio, read->flags,
				 read->pin);
}

/* All has ended, well or not. */
static void read_finish(struct vmd_io_group *group)
{
	struct read *read = container_of(group, struct read, group);
	struct vmd_space *space = read->space;
	struct vmd_io *io;
	u32 i, j, at = 0;

	for (i = 0; i < read->nr_ios; i++) {
		io = &read->ios[i];
		if (!io->error)
			io->error = vmd_crypt_read(space, io);
		trace_vmdemo_read(space->id, read->pages[at].f->index,
				  io->place, io->nr, io->error);
		if (io->error)
			vmd_count(space, io_errors);
		for (j = 0; j < io->nr; j++)
			read_page_ended(read, at++, io->error);
	}
	atomic_dec(&space->under_way);
	read_put(read);
}

/* Room for one page, or for FILL_MAX, each with a request of its own at worst. */
static struct read *read_alloc(struct vmd_access *a, bool many, u32 flags)
{
	u32 n = many ? FILL_MAX : 1;
	size_t pages = struct_size_t(struct read, pages, n);
	struct read *read = read_spare_xchg(many, NULL);

	if (!read)
		read = kmalloc(pages + n * (sizeof(*read->bvec) +
					    sizeof(*read->ios)),
			       GFP_KERNEL | (many ? __GFP_NORETRY |
						    __GFP_NOWARN : 0));
	/* Nobody shall fail for what was not asked for. */
	if (!read)
		return many ? read_alloc(a, false, flags) : NULL;
	read->most = n;
	read->bvec = (void *)read + pages;
	read->ios = (void *)(read->bvec + n);
	atomic_set(&read->refs, 2);
	vmd_space_get(a->space);
	read->space = a->space;
	read->flags = flags;
	read->pin = a->pin;
	read->n = 0;
	read->nr_ios = 0;
	return read;
}

/* One more page; to the last request where it continues that. */
static void read_add(struct read *read, const struct vmd_filling *page)
{
	u32 i = read->n++, place = page->f->place;
	struct vmd_io *io = read->nr_ios ? &read->ios[read->nr_ios - 1] : NULL;

	read->pages[i] = *page;
	bvec_set_page(&read->bvec[i], folio_page(page->folio, 0),
		      vmd_page_bytes(read->space), 0);
	if (!io || io->place + io->nr != place) {
		io = &read->ios[read->nr_ios++];
		vmd_io_init(io, false, place, &read->bvec[i]);
	}
	io->nr++;
}

/* As far as there are frames, and up to the first page that is there. */
static void read_add_ahead(struct read *read, struct vmd_access *a)
{
	struct vmd_filling page;
	u32 i;

	for (i = 1; i <= a->ahead && i < read->most; i++) {
		if (!vmd_fill_spare(a->space, a->index + i * a->stride, &page))
			return;
		read_add(read, &page);
	}
}

/**
 * vmd_read - read a page, and what is likely to be wanted next
 * @a: the access; may wait, killably
 * @page: the page
 * @flags: VMD_REF_*, VMD_DECIDE_REFERENCE and FILL_ACCESS
 *
 * Returns 0: it is resident, its folio still locked; or an error of the store
 * or of vmd_io_wait(): then it is not, or nobody waits for it; -EAGAIN: once
 * more, and nothing is read ahead then.
 */
int vmd_read(struct vmd_access *a, const struct vmd_filling *page, u32 flags)
{
	struct vmd_space *space = a->space;
	struct read *read = read_alloc(a, a->ahead, flags);
	int err;
	u32 i;

	if (!read) {
		vmd_fill_give_up(space, page);
		return -ENOMEM;
	}
	read_add(read, page);
	read_add_ahead(read, a);
	atomic_inc(&space->under_way);
	vmd_io_group_init(&read->group, read_finish);
	for (i = 0; i < read->nr_ios; i++)
		vmd_io_submit(space->store, &read->group, &read->ios[i]);
	if (!vmd_io_done(&read->group))
		vmd_may_wait(a);
	err = vmd_io_wait(&read->group, space->store, &a->stuck);
	if (!err)
		err = read->ios[0].error;
	/* Perhaps one of those that were not asked for: once more without. */
	if (err && err == read->ios[0].error && read->ios[0].nr > 1) {
		a->ahead = 0;
		err = -EAGAIN;
	}
	read_put(read);
	return err;
}
