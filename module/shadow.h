/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A shadow: a policy that runs on metadata alone.
 *
 * It is given the references that a space's observer sees, has so many frames
 * that hold nothing, and counts what it would have missed. Any policy of the
 * table runs in it, through the same calls and in the same order as in the
 * space itself: at rate 1, with as many frames, from the same beginning, it
 * misses exactly what a space with that policy misses.
 *
 * A shadow may look at a sample of the pages only: at those whose hash begins
 * with so many zero bits, one in 2^shift, in a memory of as many times fewer
 * frames. What it counts, times 2^shift, estimates the whole (C. A. Waldspurger,
 * N. Park, A. Garthwaite, I. Ahmad, "Efficient MRC Construction with SHARDS",
 * FAST 2015; for policies other than LRU: C. A. Waldspurger, T. Saemundsson,
 * I. Ahmad, N. Park, "Cache Modeling and Optimization using Miniature
 * Simulations", USENIX ATC 2017).
 *
 * Memory is taken when a shadow is made or changes its frames and never in
 * between: for each frame what the policy needs, VMD_SHADOW_SLOT_BYTES and up
 * to 8 bytes more; vmd_shadow_bytes() tells how much it is.
 *
 * Locks: none in here. All calls on one shadow are made under one lock of the
 * caller's, which may be a spinlock, except vmd_shadow_make(),
 * vmd_shadow_make_like() and vmd_shadow_free(), which may sleep. Such a lock may
 * nest inside any lock of a space, as policy_lock does: nothing is locked here.
 */
#ifndef _VMD_SHADOW_H
#define _VMD_SHADOW_H

#include "policy/policy.h"

#define VMD_SHADOW_SLOT_BYTES	16

/**
 * enum vmd_shadow_ref - what became of a reference
 * @VMD_SHADOW_PASSED: not in the sample, nothing is known of it
 * @VMD_SHADOW_HIT: the page was in a frame
 * @VMD_SHADOW_MISS: it was not, and is now
 */
enum vmd_shadow_ref {
	VMD_SHADOW_PASSED,
	VMD_SHADOW_HIT,
	VMD_SHADOW_MISS,
};

/**
 * struct vmd_shadow_counts - what a shadow has counted, of its sample
 * @references: references given to it: hits and misses
 * @misses: those that did not find their page
 * @evictions: pages that had to go, the dirty ones included
 * @evictions_dirty: those that had been written since they came in
 */
struct vmd_shadow_counts {
	u64 references;
	u64 misses;
	u64 evictions;
	u64 evictions_dirty;
};

struct vmd_shadow;

struct vmd_shadow *vmd_shadow_make(const struct vmd_policy_choice *choice,
				   u64 frames, u32 shift);
void vmd_shadow_free(struct vmd_shadow *s);
struct vmd_shadow *vmd_shadow_make_like(const struct vmd_shadow *from,
					u64 frames);
void vmd_shadow_inherit(struct vmd_shadow *s, struct vmd_shadow *from);
void vmd_shadow_seed(struct vmd_shadow *s, u64 page);
enum vmd_shadow_ref vmd_shadow_reference(struct vmd_shadow *s, u64 page,
					 bool write);
bool vmd_shadow_has(const struct vmd_shadow *s, u64 page);
void vmd_shadow_drop(struct vmd_shadow *s, u64 page);
void vmd_shadow_counts(const struct vmd_shadow *s,
		       struct vmd_shadow_counts *out);
void vmd_shadow_reset(struct vmd_shadow *s);
const struct vmd_policy_choice *vmd_shadow_policy(const struct vmd_shadow *s);
u32 vmd_shadow_frames(const struct vmd_shadow *s);
size_t vmd_shadow_bytes(const struct vmd_shadow *s);

/* Frames of a shadow that looks at one page in 2^@shift. */
static inline u32 vmd_shadow_frames_for(u64 frames, u32 shift)
{
	u64 scaled = (frames + ((1ULL << shift) >> 1)) >> shift;

	if (scaled > VMD_POLICY_MAX_SLOTS)
		return VMD_POLICY_MAX_SLOTS;
	return scaled ? scaled : 1;
}

/*
 * Neighbouring pages, and those any stride apart, are to be sampled as if by
 * chance: every bit of the page's number goes into every bit of this one.
 */
static inline u64 vmd_shadow_hash(u64 page)
{
	page += 0x9e3779b97f4a7c15ULL;
	page = (page ^ page >> 30) * 0xbf58476d1ce4e5b9ULL;
	page = (page ^ page >> 27) * 0x94d049bb133111ebULL;
	return page ^ page >> 31;
}

/* Is the page in a sample of one in 2^@shift? Then it is in any bigger one. */
static inline bool vmd_shadow_sampled(u64 page, u32 shift)
{
	return !shift || !(vmd_shadow_hash(page) >> (64 - shift));
}

#endif /* _VMD_SHADOW_H */
