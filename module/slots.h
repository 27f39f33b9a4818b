/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots of the swap store: who gets which (slots.c), for store_swap.c.
 *
 * Slots are bits in chunks of a page each; a set bit is a slot in use.
 */
#ifndef _VMD_SLOTS_H
#define _VMD_SLOTS_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "../uapi/vmdemo.h"
#include "store.h"

#define VMD_CHUNK_SLOTS	(PAGE_SIZE * BITS_PER_BYTE)	/* one page of bits */

/**
 * enum vmd_fit - how free slots are chosen
 * @VMD_FIT_CLUSTERED: next fit that settles for less: the longest of the next
 *	few runs, where none of them is long enough
 * @VMD_FIT_FIRST: the first run from the beginning that is long enough
 * @VMD_FIT_NEXT: the same from where the last search ended
 * @VMD_FIT_BEST: the shortest run that is long enough
 */
enum vmd_fit {
	VMD_FIT_CLUSTERED,
	VMD_FIT_FIRST,
	VMD_FIT_NEXT,
	VMD_FIT_BEST,
};

/**
 * struct vmd_swap - the swap store
 * @store: what others see
 * @backing: file or device
 * @grow_lock: one thread enlarges the backing; outside @lock
 * @lock: the bits, @nr_slots, @nr_used and @hint
 * @chunks: bitmaps of VMD_CHUNK_SLOTS slots each; none goes while there is a store
 * @last_chunk: the one that a slot was last given back to; under @lock
 * @last_bits: its bitmap, or NULL
 * @nr_slots: slots there are; grows only
 * @nr_used: slots given out
 * @promised: slots given out or reserved, up to @nr_slots
 * @hint: where the next search begins
 * @nr_writes: writes begun so far
 * @writes: the last of them, place and pages in one word
 */
struct vmd_swap {
	struct vmd_store store;
	struct vmd_backing backing;
	struct mutex grow_lock;		/* one enlarges the backing */
	spinlock_t lock;		/* the bits */
	struct xarray chunks;
	u32 last_chunk;
	unsigned long *last_bits;
	u32 nr_slots;
	u32 nr_used;
	atomic64_t promised;
	u32 hint;
	atomic_t nr_writes;
	u64 writes[VMD_SLOT_WRITES];
};

/* Also of a store whose pages lie in it. */
static inline struct vmd_swap *vmd_to_swap(struct vmd_store *store)
{
	return container_of(store->under ?: store, struct vmd_swap, store);
}

/* Slots of the chunk that @slot lies in, and where it starts. */
static inline u32 vmd_swap_chunk(struct vmd_swap *swap, u32 slot, u32 *start)
{
	*start = slot - slot % VMD_CHUNK_SLOTS;
	return min_t(u32, VMD_CHUNK_SLOTS, swap->nr_slots - *start);
}

/*
 * A write begins. Others may write down theirs at the same time: what is read
 * there is for people.
 */
static inline void vmd_slots_wrote(struct vmd_swap *swap, u32 place, u32 nr)
{
	u32 i = atomic_inc_return(&swap->nr_writes) - 1;

	WRITE_ONCE(swap->writes[i % VMD_SLOT_WRITES], (u64)place << 32 | nr);
}

/* store_swap.c: for store_huge.c */
int vmd_swap_grow(struct vmd_swap *swap, struct vmd_access *a);

enum vmd_fit vmd_slots_fit(void);
u32 vmd_slots_search(struct vmd_swap *swap, enum vmd_fit fit, u32 want,
		     u32 *first);

#endif /* _VMD_SLOTS_H */
