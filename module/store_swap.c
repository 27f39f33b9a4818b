// SPDX-License-Identifier: GPL-2.0-only
/*
 * The swap store: slots of one backing that all spaces share.
 *
 * A slot is a page of the backing. It belongs to the space that got it until
 * that space gives it back, and a space enters it in its page table only when
 * its own page was written there: nobody ever reads what another left behind.
 *
 * Slots are bits in chunks, searched from where the last search ended (next
 * fit), so that pages evicted together lie together. Other ways to search, for
 * comparison, are in slots.c.
 *
 * Slots given out and slots reserved are never more than there are: the backing
 * is made longer for a reservation, not when a page has to go.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "slots.h"
#include "space.h"

#define GROW_SLOTS	4096				/* 16 MiB at a time */
#define RUNS_LOOKED_AT	16
#define GROW_LEAST	64				/* when space is short */

static DEFINE_MUTEX(swap_open_lock);
static struct vmd_swap *swap_current;

/*
 * Free slots within the chunk of @from, at or after @from: the first run that is
 * long enough, or else the longest of the next few.
 */
static u32 swap_find_run(struct vmd_swap *swap, u32 from, u32 want, u32 *first)
{
	u32 start, nr = vmd_swap_chunk(swap, from, &start);
	unsigned long *bits = xa_load(&swap->chunks, from / VMD_CHUNK_SLOTS);
	u32 bit, end = from - start, best = 0, tries;

	for (tries = 0; tries < RUNS_LOOKED_AT && best < want; tries++) {
		bit = find_next_zero_bit(bits, nr, end);
		if (bit >= nr)
			break;
		end = find_next_bit(bits, min(nr, bit + want), bit);
		if (end - bit <= best)
			continue;
		best = end - bit;
		*first = start + bit;
	}
	bitmap_set(bits, best ? *first - start : 0, best);
	return best;
}

static u32 swap_alloc_locked(struct vmd_swap *swap, u32 want, u32 *first)
{
	u32 from = swap->hint < swap->nr_slots ? swap->hint : 0;
	u32 left = swap->nr_slots / VMD_CHUNK_SLOTS + 2;
	u32 start, got;

	if (swap->nr_used == swap->nr_slots)
		return 0;
	/* The first chunk is visited twice: its head comes last. */
	while (left--) {
		got = swap_find_run(swap, from, want, first);
		if (got) {
			swap->nr_used += got;
			swap->hint = *first + got;
			return got;
		}
		from = vmd_swap_chunk(swap, from, &start) + start;
		if (from >= swap->nr_slots)
			from = 0;
	}
	return 0;
}

/* Bitmaps for slots up to @end. Called under the grow lock, or at the start. */
static int swap_add_chunks(struct vmd_swap *swap, u64 end)
{
	unsigned long i, n = DIV_ROUND_UP_ULL(end, VMD_CHUNK_SLOTS);
	void *bits;
	int err;

	for (i = swap->nr_slots / VMD_CHUNK_SLOTS; i < n; i++) {
		if (xa_load(&swap->chunks, i))
			continue;
		bits = (void *)get_zeroed_page(GFP_NOIO);
		if (!bits)
			return -ENOMEM;
		err = xa_err(xa_store(&swap->chunks, i, bits, GFP_NOIO));
		if (err) {
			free_page((unsigned long)bits);
			return err;
		}
	}
	return 0;
}

static void swap_set_slots(struct vmd_swap *swap, u64 nr)
{
	spin_lock(&swap->lock);
	WRITE_ONCE(swap->nr_slots, nr);
	spin_unlock(&swap->lock);
}

/**
 * vmd_swap_grow - make the backing longer
 * @swap: its grow lock is held
 * @a: on whose behalf; may wait, killably
 *
 * Returns 0, -ENOSPC, -EIO, -ENOMEM or -EINTR.
 */
int vmd_swap_grow(struct vmd_swap *swap, struct vmd_access *a)
{
	u32 step = min_t(u32, GROW_SLOTS, VMD_NO_PLACE - swap->nr_slots);
	int err = -ENOSPC;

	for (; step >= GROW_LEAST; step /= 4) {
		err = swap_add_chunks(swap, (u64)swap->nr_slots + step);
		if (!err)
			err = vmd_backing_grow(&swap->backing, step, a);
		if (!err)
			swap_set_slots(swap, (u64)swap->nr_slots + step);
		if (err != -ENOSPC)
			break;
	}
	return err;
}

static bool swap_try_reserve(struct vmd_swap *swap)
{
	s64 n = atomic64_read(&swap->promised);

	do {
		if (n >= READ_ONCE(swap->nr_slots))
			return false;
	} while (!atomic64_try_cmpxchg(&swap->promised, &n, n + 1));
	return true;
}

static int swap_reserve(struct vmd_store *store, struct vmd_access *a)
{
	struct vmd_swap *swap = vmd_to_swap(store);
	int err = 0;

	if (swap_try_reserve(swap))
		return 0;
	if (!mutex_trylock(&swap->grow_lock)) {
		vmd_may_wait(a);
		if (mutex_lock_killable(&swap->grow_lock))
			return -EINTR;
	}
	/* Somebody else may have made it grow meanwhile, or used it up. */
	while (!err && !swap_try_reserve(swap))
		err = vmd_swap_grow(swap, a);
	mutex_unlock(&swap->grow_lock);
	return err;
}

static void swap_unreserve(struct vmd_store *store)
{
	atomic64_dec(&vmd_to_swap(store)->promised);
}

static u32 swap_alloc(struct vmd_store *store, u32 want, u32 *first)
{
	struct vmd_swap *swap = vmd_to_swap(store);
	enum vmd_fit fit = vmd_slots_fit();
	u32 got;

	spin_lock(&swap->lock);
	if (likely(fit == VMD_FIT_CLUSTERED))
		got = swap_alloc_locked(swap, want, first);
	else
		got = vmd_slots_search(swap, fit, want, first);
	spin_unlock(&swap->lock);
	return got;
}

/* A slot is free. Called under the lock. */
static void swap_clear(struct vmd_swap *swap, u32 slot)
{
	u32 chunk = slot / VMD_CHUNK_SLOTS;

	/* One by one they come back, and there are few chunks. */
	if (swap->last_chunk != chunk || !swap->last_bits) {
		swap->last_chunk = chunk;
		swap->last_bits = xa_load(&swap->chunks, chunk);
	}
	WARN_ON_ONCE(!__test_and_clear_bit(slot % VMD_CHUNK_SLOTS,
					   swap->last_bits));
	swap->nr_used--;
}

static void swap_unplace(struct vmd_store *store, u32 place)
{
	struct vmd_swap *swap = vmd_to_swap(store);

	spin_lock(&swap->lock);
	swap_clear(swap, place);
	spin_unlock(&swap->lock);
}

static void swap_free(struct vmd_store *store, u32 first, u32 nr)
{
	struct vmd_swap *swap = vmd_to_swap(store);
	u32 i;

	spin_lock(&swap->lock);
	for (i = first; i < first + nr; i++)
		swap_clear(swap, i);
	spin_unlock(&swap->lock);
	/* Not before they are free: who reserves one finds one. */
	atomic64_sub(nr, &swap->promised);
}

static void swap_submit(struct vmd_store *store, struct vmd_io *io)
{
	if (io->write)
		vmd_slots_wrote(vmd_to_swap(store), io->place, io->nr);
	vmd_backing_submit(&vmd_to_swap(store)->backing, io);
}

static int swap_sync(struct vmd_store *store)
{
	return vmd_backing_sync(&vmd_to_swap(store)->backing);
}

static void swap_destroy(struct vmd_swap *swap)
{
	unsigned long i;
	void *bits;

	xa_for_each(&swap->chunks, i, bits)
		free_page((unsigned long)bits);
	xa_destroy(&swap->chunks);
	kfree(swap);
}

static void swap_release(struct vmd_store *store)
{
	struct vmd_swap *swap = vmd_to_swap(store);

	WARN_ON(swap->nr_used || atomic64_read(&swap->promised));
	vmd_backing_close(&swap->backing);
	swap_destroy(swap);
}

static const struct vmd_store_ops swap_ops = {
	.name	 = "swap",
	.reserve = swap_reserve,
	.unreserve = swap_unreserve,
	.encrypts = true,
	.alloc	 = swap_alloc,
	.unplace = swap_unplace,
	.free	 = swap_free,
	.submit	 = swap_submit,
	.sync	 = swap_sync,
	.release = swap_release,
};

static int swap_init_slots(struct vmd_swap *swap)
{
	u64 nr = min_t(u64, swap->backing.pages, VMD_NO_PLACE);
	int err;

	if (swap->backing.grows)
		return 0;
	err = swap_add_chunks(swap, nr);
	if (!err)
		swap_set_slots(swap, nr);
	return err;
}

static struct vmd_swap *swap_open(const char *path)
{
	struct vmd_swap *swap = kzalloc(sizeof(*swap), GFP_KERNEL);
	int err;

	if (!swap)
		return ERR_PTR(-ENOMEM);
	vmd_store_init(&swap->store, &swap_ops);
	swap->backing.store = &swap->store;
	mutex_init(&swap->grow_lock);
	spin_lock_init(&swap->lock);
	xa_init(&swap->chunks);
	err = vmd_backing_open(&swap->backing, path);
	if (!err) {
		err = swap_init_slots(swap);
		if (err)
			vmd_backing_close(&swap->backing);
	}
	if (err) {
		pr_err_ratelimited("backing '%s': error %d: give the absolute path of a directory, a file or a block device that can be written\n",
				   path, err);
		swap_destroy(swap);
		return ERR_PTR(err);
	}
	return swap;
}

/**
 * vmd_swap_get - a reference to the swap store, opened if it was not yet
 *
 * Returns the store or the error of opening the backing.
 */
struct vmd_store *vmd_swap_get(void)
{
	struct vmd_swap *swap;

	mutex_lock(&swap_open_lock);
	swap = swap_current;
	if (!swap) {
		swap = swap_open(vmd_backing_path());
		if (!IS_ERR(swap))
			swap_current = swap;
	}
	if (!IS_ERR(swap))
		kref_get(&swap->store.ref);
	mutex_unlock(&swap_open_lock);
	return IS_ERR(swap) ? ERR_CAST(swap) : &swap->store;
}

/**
 * vmd_swap_exit - close the swap store; no space is left
 */
void vmd_swap_exit(void)
{
	if (swap_current)
		vmd_store_put(&swap_current->store);
	swap_current = NULL;
}
