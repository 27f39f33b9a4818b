/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadows of a space, as the files see them that a reference passes
 * through. Where there are none, each of these is one test of a word.
 */
#ifndef _VMD_SHADOWS_H
#define _VMD_SHADOWS_H

#include "policy/auto.h"
#include "shadow.h"
#include "space.h"

/* Whose they are: index of vmd_space.shadows. */
enum vmd_shadows_owner {
	VMD_SHADOWS_USER,	/* VMD_IOC_SET_SHADOWS */
	VMD_SHADOWS_AUTO,	/* the policy "auto" */
	VMD_SHADOWS_OWNERS,
};

/**
 * struct vmd_follow - what "auto" goes by
 * @how: its parameters
 * @state: scores
 * @last: misses of each shadow at the last look
 * @seen: references of the sample since
 * @live: which of the policies is live; changes under config_lock, too
 * @wanted: which should be
 * @switches: how often it has changed
 */
struct vmd_follow {
	struct vmd_auto_choice how;
	struct vmd_auto_state state;
	u64 last[VMD_AUTO_MAX];
	u64 seen;
	u32 live;
	u32 wanted;
	u64 switches;
};

/**
 * struct vmd_shadows - shadows that were set together
 * @nr: how many
 * @shift: they look at one page in 2^@shift
 * @charged: frames of the space's owner that they count as
 * @start: what the space had counted when they began
 * @follow: for what they are there, or NULL: to be looked at
 * @run: the shadows
 */
struct vmd_shadows {
	u32 nr;
	u32 shift;
	u32 charged;
	struct vmd_stats start;
	struct vmd_follow *follow;
	struct vmd_shadow *run[VMD_SHADOWS_MAX];
};

/* shadows.c */
struct vmd_shadows *vmd_shadows_make(struct vmd_space *space,
				     const struct vmd_policy_choice *choice,
				     u32 nr, u32 shift);
void vmd_shadows_free(struct vmd_space *space, struct vmd_shadows *set);
struct vmd_shadows *vmd_shadows_swap(struct vmd_space *space,
				     enum vmd_shadows_owner owner,
				     struct vmd_shadows *set);
void vmd_shadows_init(struct vmd_space *space);
void vmd_shadows_stop(struct vmd_space *space);
long vmd_shadows_set(struct vmd_space *space, const struct vmd_shadow_set *set);
long vmd_shadows_get(struct vmd_space *space, struct vmd_shadow_get *get);
void vmd_shadows_reset(struct vmd_space *space);
void vmd_shadows_resize(struct vmd_space *space);
void vmd_shadows_feed(struct vmd_space *space, pgoff_t index, bool write);
void vmd_shadows_drop(struct vmd_space *space, pgoff_t index);

/* follow.c: the policy "auto" */
struct vmd_shadows *vmd_follow_make(struct vmd_space *space,
				    const struct vmd_auto_choice *how);
const struct vmd_policy_choice *
vmd_follow_policy(const struct vmd_shadows *set);
int vmd_follow_start(struct vmd_space *space, const char *text);
bool vmd_follow_format(struct vmd_space *space, char *buf, size_t len);
void vmd_follow_look(struct vmd_space *space, struct vmd_shadows *set);
void vmd_follow_reset(struct vmd_shadows *set);
void vmd_follow_work(struct work_struct *work);

/* Is there a shadow that looks at this page? */
static inline bool vmd_shadows_want(struct vmd_space *space, pgoff_t index)
{
	u32 rate = READ_ONCE(space->shadow_rate);

	return unlikely(rate) && vmd_shadow_sampled(index, rate - 1);
}

/* A reference was counted: the caller holds neither policy nor shadow lock. */
static inline void vmd_shadows_reference(struct vmd_space *space, pgoff_t index,
					 bool write)
{
	if (vmd_shadows_want(space, index))
		vmd_shadows_feed(space, index, write);
}

/* A page's content was dropped. */
static inline void vmd_shadows_dropped(struct vmd_space *space, pgoff_t index)
{
	if (vmd_shadows_want(space, index))
		vmd_shadows_drop(space, index);
}

#endif /* _VMD_SHADOWS_H */
