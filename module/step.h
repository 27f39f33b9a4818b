/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stepping, as the files see it that a fault passes through. Where nobody
 * steps, each place is one test of a pointer.
 */
#ifndef _VMD_STEP_H
#define _VMD_STEP_H

#include "space.h"

/* step.c */
int vmd_step_open(struct vmd_space *space, const struct vmd_step *how);
void vmd_step_space_ended(struct vmd_space *space);

/* step_fault.c */
int vmd_step_enter(struct vmd_access *a);
void vmd_step_leave(struct vmd_access *a);
u32 vmd_step_victims(struct vmd_stepped *s, struct vmd_space *space, u64 from,
		     u32 *out, u32 max);
void vmd_step_chose(struct vmd_stepped *s, const struct vmd_frame *f,
		    u32 first, u32 n);
void vmd_step_writes(struct vmd_stepped *s, u32 place);
void vmd_step_evicted(struct vmd_stepped *s, int ret);
void vmd_step_served(struct vmd_access *a, u32 kind);
void vmd_step_failed(struct vmd_access *a, int err);

#endif /* _VMD_STEP_H */
