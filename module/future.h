/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference string that a space follows (VMD_IOC_FUTURE): what decide.c
 * asks of it. All of this is called under policy_lock.
 */
#ifndef _VMD_FUTURE_H
#define _VMD_FUTURE_H

#include "space.h"

u64 vmd_string_look(struct vmd_string *s, pgoff_t page);
void vmd_string_expect(struct vmd_string *s, pgoff_t page, bool ordered);
u64 vmd_string_take(struct vmd_string *s, pgoff_t page, bool ordered);
u64 vmd_string_position(const struct vmd_string *s);

/* The rest is for whoever holds no such lock. */
long vmd_future_call(struct vmd_space *space, struct vmd_future *call,
		     bool may_change);
void vmd_string_free(struct vmd_space *space, struct vmd_string *s);

#endif /* _VMD_FUTURE_H */
