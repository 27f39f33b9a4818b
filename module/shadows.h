/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadows of a space, as the files see them that a reference passes
 * through. Where there are none, each of these is one test of a word.
 */
#ifndef _VMD_SHADOWS_H
#define _VMD_SHADOWS_H

#include "shadow.h"
#include "space.h"

/* Whose they are: index of vmd_space.shadows. */
enum vmd_shadows_owner {
	VMD_SHADOWS_USER,	/* VMD_IOC_SET_SHADOWS */
	VMD_SHADOWS_AUTO,	/* the policy "auto" */
	VMD_SHADOWS_OWNERS,
};

void vmd_shadows_init(struct vmd_space *space);
void vmd_shadows_stop(struct vmd_space *space);
long vmd_shadows_set(struct vmd_space *space, const struct vmd_shadow_set *set);
long vmd_shadows_get(struct vmd_space *space, struct vmd_shadow_get *get);
void vmd_shadows_reset(struct vmd_space *space);
void vmd_shadows_resize(struct vmd_space *space);
void vmd_shadows_feed(struct vmd_space *space, pgoff_t index, bool write);
void vmd_shadows_drop(struct vmd_space *space, pgoff_t index);

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
