/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Placement: a memory in which a page may use some frames only.
 *
 * A memory of B frames is B / N sets of N frames; page p belongs to set p mod
 * (B / N) and may use its frames. N of 1 is direct mapping, N of B one set:
 * what is called full, and needs none of this. Each set has an instance of the
 * policy, for N frames, which chooses the victim of a miss in the full set.
 * All instances have the same parameters, a seed among them.
 *
 * Beside it runs the directory of a fully associative LRU memory of B frames,
 * which tells what kind of miss one is. M. D. Hill, A. J. Smith, "Evaluating
 * associativity in CPU caches", IEEE Transactions on Computers 38(12), 1989:
 *
 *   compulsory  the page was never referenced before
 *   capacity    that other memory would have missed, too
 *   conflict    the rest: the page would have been there if it could have been
 *               anywhere (and LRU had decided: with another policy some of
 *               these are the policy's)
 *
 * As with a policy: one caller at a time, who supplies the memory, zeroed; the
 * kernel and the simulator share this file, and so their decisions. The state
 * may be copied to another place. Memory: what the policy needs for N frames
 * (rounded up to 64 bytes) and 24 bytes for each set; 40 to 44 bytes for each
 * frame; 24 for each slot.
 *
 * A page that comes into a full set (of a frame that was lent, or when sets have
 * become others) *waits*: it is resident, but in nobody's hands until another
 * one of its set leaves. How many frames a set has in use, whether the policy
 * knows of the pages or not, is counted for the engine (vmd_place_set.used).
 */
#ifndef _VMD_POLICY_PLACE_H
#define _VMD_POLICY_PLACE_H

#include "policy.h"

/* What vmd_place_parse() and vmd_place_format() read and write. */
#define VMD_PLACE_LEN		16	/* "set:1073741824" */
#define VMD_PLACE_FULL		0
#define VMD_PLACE_DIRECT	1

/**
 * struct vmd_place_set - a set
 * @n: pages in the policy's hands, at most vmd_place.ways
 * @used: frames in use; counted by vmd_place_use() and vmd_place_unuse()
 * @pinned: of these, pages that may not leave; the engine's
 * @free: first free number for the policy, VMD_NO_SLOT if none
 * @first: first page that waits, VMD_NO_SLOT if none
 * @last: last one
 */
struct vmd_place_set {
	u32 n;
	u32 used;
	u32 pinned;
	u32 free;
	u32 first;
	u32 last;
};

struct vmd_place;

/* Which sets a victim is to come from. */
#define VMD_PLACE_ANY	((u64)~0ULL)		/* any, in turn */
#define VMD_PLACE_OVER	((u64)~0ULL - 1)	/* those with too many frames */

/**
 * vmd_place_size - bytes of state
 * @ops: the policy
 * @ways: frames of a set; divides @frames
 * @slots: slots are numbered 0 to @slots - 1
 * @frames: frames
 */
size_t vmd_place_size(const struct vmd_policy_ops *ops, u32 ways, u32 slots,
		      u32 frames);

/**
 * vmd_place_init - make an empty state in zeroed memory, aligned to 64
 * @p: the memory
 * @choice: policy and parameters
 * @ways: as vmd_place_size(), and so are @slots and @frames
 * @slots: see there
 * @frames: see there
 */
void vmd_place_init(struct vmd_place *p, const struct vmd_policy_choice *choice,
		    u32 ways, u32 slots, u32 frames);

/**
 * vmd_place_grow - serve more slots
 * @p: a copy in memory of vmd_place_size() for @slots, zero behind the copy
 * @slots: how many
 */
void vmd_place_grow(struct vmd_place *p, u32 slots);

/* As the calls of a policy; @key also tells which set is meant. */
void vmd_place_missed(struct vmd_place *p, u64 key);
void vmd_place_future(struct vmd_place *p, u64 key, u64 next);
void vmd_place_inserted(struct vmd_place *p, u32 slot, u64 key, u32 flags);
void vmd_place_touched(struct vmd_place *p, u32 slot, u32 flags);
void vmd_place_removed(struct vmd_place *p, u32 slot, enum vmd_removal why);
void vmd_place_kept(struct vmd_place *p, u32 slot);
void vmd_place_explain(const struct vmd_place *p, u32 slot,
		       struct vmd_reason *why);
void vmd_place_walk(const struct vmd_place *p, vmd_policy_visit_t visit,
		    void *arg);
/* A queue for each set, in walk's order; @most: of so many sets. */
void vmd_place_queues(const struct vmd_place *p, u32 most,
		      struct vmd_queue_view *view);

/**
 * vmd_place_victim - propose resident pages, as a policy does
 * @p: the state
 * @key: a page of the set they shall come from; or VMD_PLACE_*
 * @out: their slots
 * @max: how many at most, 1 or more
 */
u32 vmd_place_victim(struct vmd_place *p, u64 key, u32 *out, u32 max);

/**
 * vmd_place_full - has the policy of this page's set as many as it can have?
 * @p: the state
 * @key: the page
 */
bool vmd_place_full(const struct vmd_place *p, u64 key);

/* The set of page @key. */
struct vmd_place_set *vmd_place_set(const struct vmd_place *p, u64 key);

/**
 * vmd_place_use - a frame more is in use for page @key
 * @p: the state
 * @key: the page
 */
void vmd_place_use(struct vmd_place *p, u64 key);

/**
 * vmd_place_unuse - and one fewer
 * @p: the state
 * @key: the page
 */
void vmd_place_unuse(struct vmd_place *p, u64 key);

/* Frames in use beyond what their sets have. */
u32 vmd_place_over(const struct vmd_place *p);

/**
 * vmd_place_reference - tell the LRU memory of a reference
 * @p: the state
 * @key: the page
 *
 * Returns whether it was there.
 */
bool vmd_place_reference(struct vmd_place *p, u64 key);

/**
 * vmd_place_remember - begin with what another LRU memory has
 * @p: the state; nothing was referenced yet
 * @from: where it is
 */
void vmd_place_remember(struct vmd_place *p, const struct vmd_place *from);

/**
 * vmd_place_parse - read "full", "direct" or "set:N"
 * @text: what the user wrote
 * @ways: set to the frames of a set, or VMD_PLACE_FULL
 *
 * Returns 0 or -EINVAL.
 */
int vmd_place_parse(const char *text, u32 *ways);

/**
 * vmd_place_format - write it
 * @ways: frames of a set
 * @buf: where to
 */
void vmd_place_format(u32 ways, char buf[VMD_PLACE_LEN]);

/* May a memory of @frames have sets of @ways? */
static inline bool vmd_place_fits(u64 ways, u64 frames)
{
	return !ways || (ways <= frames && !vmd_mod64(frames, ways));
}

#endif /* _VMD_POLICY_PLACE_H */
