/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the two halves of stepping: step.c is the stepper and who is halted,
 * step_fault.c what is told of a fault.
 */
#ifndef _VMD_STEPPED_H
#define _VMD_STEPPED_H

#include "step.h"

/**
 * struct vmd_stepped - a fault that is told of
 * @list: in vmd_stepper.queue or .told; empty: in neither
 * @stepper: number of the stepper it was begun under: no other one is told
 * @phases: that one wants to be told as it goes, not only at the end
 * @fault: what is told
 * @why: of the last proposal of the policy
 * @policy: that made it
 * @told: it was read
 * @go: the thread may go on
 *
 * A halted one is its thread's, which frees it when it is in no list; another
 * one is the queue's.
 */
struct vmd_stepped {
	struct list_head list;
	u64 stepper;
	bool phases;
	struct vmd_step_fault fault;
	struct vmd_reason why;
	char policy[VMD_NAME_LEN];
	bool told;
	bool go;
};

/* step.c */
bool vmd_stepped_begin(struct vmd_stepped *s, const struct vmd_access *a);
void vmd_stepped_lost(struct vmd_space *space);
int vmd_stepped_tell(struct vmd_access *a);

#endif /* _VMD_STEPPED_H */
