/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine in miniature: frames, pages and a policy, without memory.
 *
 * It calls the policy the way the kernel's engine does when every reference
 * is seen, so it has the same hits, misses and evictions to the last one. A
 * page written to is dirty until it is evicted, which writes it to the store.
 */
#ifndef _VMD_SIM_H
#define _VMD_SIM_H

#include "../module/policy/place.h"
#include "../module/policy/policy.h"

/* What became of a proposed victim. */
enum vmd_sim_decision {
	VMD_SIM_EVICTED,	/* its frame is free */
	VMD_SIM_KEPT,		/* it is pinned: kept() */
	VMD_SIM_RESTORED,	/* its write failed: removed(), inserted() */
};

/* Of a page; PINNED and STUCK are the caller's to set and clear at any time. */
#define VMD_SIM_DIRTY	BIT(0)	/* differs from the store */
#define VMD_SIM_PINNED	BIT(1)	/* cannot leave its frame */
#define VMD_SIM_STUCK	BIT(2)	/* cannot be written: leaves clean only */
#define VMD_SIM_SEEN	BIT(3)	/* was referenced before; the simulator's own */

/* The names are those of the module's counters. */
struct vmd_sim_totals {
	u64 references;
	u64 hits;
	u64 misses;
	u64 evictions;
	u64 evictions_dirty;
	u64 pages_written;
	u64 misses_compulsory;
	u64 misses_capacity;
	u64 misses_conflict;
};

/**
 * struct vmd_sim - one simulated space
 * @choice: its policy and parameters
 * @state: the policy's memory, or, if @ways, struct vmd_place with it
 * @ways: frames of a set; VMD_PLACE_FULL: a page may be in any frame
 * @pages: pages are numbered 0 to @pages - 1
 * @frames: most resident pages
 * @slots: slots are numbered 0 to @slots - 1; the largest @frames so far
 * @resident: resident pages now
 * @slot_of: the slot of a page, VMD_NO_SLOT if it is not resident
 * @page_of: the page in a slot, if there is one
 * @page_flags: VMD_SIM_* of a page
 * @free: the free slots, the one to use next last
 * @nr_free: how many there are
 * @next: by reference, the index of the one that uses its page next, or
 *	VMD_SIM_NEVER; NULL if vmd_sim_future() was not called
 * @next_nr: how many references are in @next
 * @next_from: the value of @totals.references when they began
 * @keys: if not NULL, what the policy is told in place of each page's number
 * @insert_flags: VMD_REF_* for inserted() besides VMD_REF_WRITE
 * @decided: if not NULL, told of every decision, after it was carried out
 * @arg: first argument of @decided
 * @why: if not NULL, set to why the policy proposed the page decided on last
 * @totals: what happened so far
 */
struct vmd_sim {
	struct vmd_policy_choice choice;
	void *state;
	u32 ways;
	u64 pages;
	u32 frames;
	u32 slots;
	u32 resident;
	u32 *slot_of;
	u64 *page_of;
	u8 *page_flags;
	u32 *free;
	u32 nr_free;
	u32 *next;
	size_t next_nr;
	u64 next_from;
	const u64 *keys;
	u32 insert_flags;
	void (*decided)(void *arg, enum vmd_sim_decision what, u64 page);
	void *arg;
	struct vmd_reason *why;
	struct vmd_sim_totals totals;
};

/**
 * vmd_sim_init - make a space with nothing resident
 * @sim: filled; vmd_sim_exit() ends it, also after an error
 * @choice: policy and parameters
 * @pages: how many pages there are
 * @frames: the budget, 1 to VMD_POLICY_MAX_SLOTS
 *
 * Returns 0, -EINVAL or -ENOMEM.
 */
int vmd_sim_init(struct vmd_sim *sim, const struct vmd_policy_choice *choice,
		 u64 pages, u32 frames);

/**
 * vmd_sim_init_placed - likewise, with placement
 * @sim: as above, and so are @choice, @pages and @frames
 * @choice: see there
 * @pages: see there
 * @frames: see there
 * @ways: frames of a set, a divisor of @frames; or VMD_PLACE_FULL
 *
 * Without sets all misses but the compulsory ones are capacity misses.
 */
int vmd_sim_init_placed(struct vmd_sim *sim,
			const struct vmd_policy_choice *choice, u64 pages,
			u32 frames, u32 ways);

/**
 * vmd_sim_exit - give back what vmd_sim_init() took
 * @sim: the space
 */
void vmd_sim_exit(struct vmd_sim *sim);

/**
 * vmd_sim_reference - one access of a page
 * @sim: the space
 * @page: which
 * @write: whether it is written
 *
 * Returns 1 for a hit and 0 for a miss. -EBUSY: the miss found no page that
 * could leave; it is not counted. -EINVAL: there is no such page.
 */
int vmd_sim_reference(struct vmd_sim *sim, u64 page, bool write);

/*
 * References in a row, packed: the page, and in the lowest bit whether it is
 * written.
 */
#define VMD_SIM_REF(page, write)	((u32)(page) << 1 | (write))

/**
 * vmd_sim_run - many accesses, faster
 * @sim: the space, of less than 2^31 pages
 * @refs: VMD_SIM_REF()s
 * @nr: how many
 *
 * The same as vmd_sim_reference() for each of them, until one fails. Returns
 * 0, -EBUSY or -EINVAL.
 */
int vmd_sim_run(struct vmd_sim *sim, const u32 *refs, size_t nr);

/* There is no further reference to the page. */
#define VMD_SIM_NEVER	(~(u32)0)

/**
 * vmd_sim_future - tell what references will come
 * @sim: the space, of less than 2^31 pages
 * @refs: VMD_SIM_REF()s, not needed after the call
 * @nr: how many, less than 2^32 - 1
 *
 * From now on the policy is told, before each reference, when its page is used
 * next. The caller has to make these references, in this order. Returns 0,
 * -EINVAL or -ENOMEM.
 */
int vmd_sim_future(struct vmd_sim *sim, const u32 *refs, size_t nr);

/**
 * vmd_sim_remove - take a resident page from the policy and free its frame
 * @sim: the space
 * @page: which
 * @why: what the policy is told; nothing is counted, nothing is written
 */
void vmd_sim_remove(struct vmd_sim *sim, u64 page, enum vmd_removal why);

/**
 * vmd_sim_set_frames - change the budget
 * @sim: the space
 * @frames: as for vmd_sim_init(); fewer than are resident evicts some
 *
 * The policy's state moves to new memory, whether it has to grow or not.
 * Returns 0, -EINVAL, -ENOMEM or -EBUSY; the budget is the old one then. With
 * placement, -EOPNOTSUPP: sets would become others.
 */
int vmd_sim_set_frames(struct vmd_sim *sim, u32 frames);

/**
 * vmd_sim_set_policy - change the policy; the resident pages stay
 * @sim: the space
 * @choice: policy and parameters
 *
 * Returns 0, or -ENOMEM and the policy is the old one.
 */
int vmd_sim_set_policy(struct vmd_sim *sim,
		       const struct vmd_policy_choice *choice);

#endif /* _VMD_SIM_H */
