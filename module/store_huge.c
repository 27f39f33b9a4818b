// SPDX-License-Identifier: GPL-2.0-only
/*
 * Larger pages in the swap store: a store of its own for each space that has
 * them, whose place i is a run of 2^order slots from slot i * 2^order on.
 *
 * A page that has to go must find its run, and free slots do not make a free
 * run. So a reservation here takes the slots at once. They wait on a list until
 * the page is first written out; all runs are alike, so which page gets which
 * does not matter.
 *
 * Where no run is free, though slots are, the backing is made longer. One that
 * cannot grow may be too scattered: then there is no space.
 */
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "slots.h"
#include "space.h"

/**
 * struct vmd_huge_store - larger pages in the swap store
 * @store: what others see
 * @reserved: runs that are reserved; under the swap store's lock
 */
struct vmd_huge_store {
	struct vmd_store store;
	struct list_head reserved;
};

/* A run of slots that waits to be used. */
struct huge_run {
	struct list_head list;
	u32 place;
};

static struct vmd_huge_store *to_huge(struct vmd_store *store)
{
	return container_of(store, struct vmd_huge_store, store);
}

/* Slots for one more page, as far as their number goes. */
static bool huge_promise(struct vmd_swap *swap, u32 slots)
{
	s64 n = atomic64_read(&swap->promised);

	do {
		if (n + slots > READ_ONCE(swap->nr_slots))
			return false;
	} while (!atomic64_try_cmpxchg(&swap->promised, &n, n + slots));
	return true;
}

/* A free run in one chunk. Called under the swap store's lock. */
static bool huge_find_in(struct vmd_swap *swap, u32 from, u32 slots, u32 *slot)
{
	u32 start, nr = vmd_swap_chunk(swap, from, &start);
	unsigned long *bits = xa_load(&swap->chunks, from / VMD_CHUNK_SLOTS);
	unsigned long bit;

	bit = bitmap_find_next_zero_area(bits, nr, from - start, slots,
					 slots - 1);
	if (bit >= nr)
		return false;
	bitmap_set(bits, bit, slots);
	*slot = start + bit;
	return true;
}

/* Likewise, in any: from where the last search ended, then from the start. */
static bool huge_find(struct vmd_swap *swap, u32 slots, u32 *slot)
{
	u32 from = swap->hint < swap->nr_slots ? swap->hint : 0;
	u32 left = swap->nr_slots / VMD_CHUNK_SLOTS + 2;
	u32 start;

	if (!swap->nr_slots)
		return false;
	while (left--) {
		if (huge_find_in(swap, from, slots, slot)) {
			swap->nr_used += slots;
			swap->hint = *slot + slots;
			return true;
		}
		from = vmd_swap_chunk(swap, from, &start) + start;
		if (from >= swap->nr_slots)
			from = 0;
	}
	return false;
}

static bool huge_try_reserve(struct vmd_huge_store *huge, struct huge_run *run)
{
	struct vmd_swap *swap = vmd_to_swap(&huge->store);
	u32 slots = 1U << huge->store.order, slot;
	bool found;

	if (!huge_promise(swap, slots))
		return false;
	spin_lock(&swap->lock);
	found = huge_find(swap, slots, &slot);
	if (found) {
		run->place = slot >> huge->store.order;
		list_add(&run->list, &huge->reserved);
	}
	spin_unlock(&swap->lock);
	if (!found)
		atomic64_sub(slots, &swap->promised);
	return found;
}

static int huge_reserve(struct vmd_store *store, struct vmd_access *a)
{
	struct vmd_huge_store *huge = to_huge(store);
	struct vmd_swap *swap = vmd_to_swap(store);
	struct huge_run *run = kmalloc(sizeof(*run), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!run)
		return -ENOMEM;
	if (huge_try_reserve(huge, run))
		return 0;
	if (!mutex_trylock(&swap->grow_lock)) {
		vmd_may_wait(a);
		if (mutex_lock_killable(&swap->grow_lock)) {
			kfree(run);
			return -EINTR;
		}
	}
	while (!err && !huge_try_reserve(huge, run))
		err = vmd_swap_grow(swap, a);
	mutex_unlock(&swap->grow_lock);
	if (err)
		kfree(run);
	return err;
}

/* Called under the swap store's lock. */
static void huge_clear(struct vmd_swap *swap, u32 order, u32 place)
{
	u32 slot = place << order;
	unsigned long *bits = xa_load(&swap->chunks, slot / VMD_CHUNK_SLOTS);

	bitmap_clear(bits, slot % VMD_CHUNK_SLOTS, 1U << order);
	swap->nr_used -= 1U << order;
}

/* One of the runs that are reserved. Called under the swap store's lock. */
static struct huge_run *huge_pop(struct vmd_huge_store *huge)
{
	struct huge_run *run = list_first_entry(&huge->reserved,
						struct huge_run, list);

	list_del(&run->list);
	return run;
}

static void huge_unreserve(struct vmd_store *store)
{
	struct vmd_swap *swap = vmd_to_swap(store);
	struct huge_run *run;

	spin_lock(&swap->lock);
	run = huge_pop(to_huge(store));
	huge_clear(swap, store->order, run->place);
	spin_unlock(&swap->lock);
	atomic64_sub(1U << store->order, &swap->promised);
	kfree(run);
}

static u32 huge_alloc(struct vmd_store *store, u32 want, u32 *first)
{
	struct vmd_swap *swap = vmd_to_swap(store);
	struct huge_run *run;

	spin_lock(&swap->lock);
	run = huge_pop(to_huge(store));
	spin_unlock(&swap->lock);
	*first = run->place;
	kfree(run);
	return 1;
}

static void huge_free(struct vmd_store *store, u32 first, u32 nr)
{
	struct vmd_swap *swap = vmd_to_swap(store);
	u32 i;

	spin_lock(&swap->lock);
	for (i = 0; i < nr; i++)
		huge_clear(swap, store->order, first + i);
	spin_unlock(&swap->lock);
	/* Not before they are free: who reserves some finds them. */
	atomic64_sub((s64)nr << store->order, &swap->promised);
}

static void huge_submit(struct vmd_store *store, struct vmd_io *io)
{
	struct vmd_swap *swap = vmd_to_swap(store);

	if (io->write)
		vmd_slots_wrote(swap, io->place << store->order,
				io->nr << store->order);
	vmd_backing_submit(&swap->backing, io);
}

static int huge_sync(struct vmd_store *store)
{
	return store->under->ops->sync(store->under);
}

static void huge_release(struct vmd_store *store)
{
	WARN_ON(!list_empty(&to_huge(store)->reserved));
	vmd_store_put(store->under);
	kfree(to_huge(store));
}

static const struct vmd_store_ops huge_ops = {
	.name	 = "swap",
	.reserve = huge_reserve,
	.unreserve = huge_unreserve,
	.alloc	 = huge_alloc,
	.free	 = huge_free,
	.submit	 = huge_submit,
	.sync	 = huge_sync,
	.release = huge_release,
};

/**
 * vmd_huge_store_open - a store for larger pages in the swap store
 * @order: of these pages, above 0
 *
 * Returns it, -ENOMEM, or the error of opening the backing.
 */
struct vmd_store *vmd_huge_store_open(u32 order)
{
	struct vmd_huge_store *huge;
	struct vmd_store *under;

	huge = kzalloc(sizeof(*huge), GFP_KERNEL_ACCOUNT);
	if (!huge)
		return ERR_PTR(-ENOMEM);
	under = vmd_swap_get();
	if (IS_ERR(under)) {
		kfree(huge);
		return under;
	}
	vmd_store_init(&huge->store, &huge_ops);
	huge->store.order = order;
	huge->store.under = under;
	INIT_LIST_HEAD(&huge->reserved);
	return &huge->store;
}
