/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recording, as the files see it that a reference passes through. Where nobody
 * records, each of these is one test of a pointer.
 */
#ifndef _VMD_RECORD_H
#define _VMD_RECORD_H

#include "space.h"

int vmd_record_open(struct vmd_space *space, const struct vmd_record *how);
void vmd_record_space_ended(struct vmd_space *space);
int vmd_record_enter(struct vmd_access *a);
void vmd_record_leave(struct vmd_access *a);
void vmd_record_touched(struct vmd_access *a, bool missed);
void vmd_record_evicted(struct vmd_space *space, pgoff_t index, bool dirty);

static inline bool vmd_recording(const struct vmd_space *space)
{
	return unlikely(READ_ONCE(space->recorder));
}

/* An access is about to begin, nothing is locked. */
static inline int vmd_record_begin(struct vmd_access *a)
{
	return vmd_recording(a->space) ? vmd_record_enter(a) : 0;
}

/* It is over: as many times as vmd_record_begin(). */
static inline void vmd_record_done(struct vmd_access *a)
{
	if (unlikely(a->record))
		vmd_record_leave(a);
}

/* A reference was counted. */
static inline void vmd_record_reference(struct vmd_access *a, bool missed)
{
	if (vmd_recording(a->space))
		vmd_record_touched(a, missed);
}

/* A page left its frame. */
static inline void vmd_record_eviction(struct vmd_space *space, pgoff_t index,
				       bool dirty)
{
	if (vmd_recording(space))
		vmd_record_evicted(space, index, dirty);
}

#endif /* _VMD_RECORD_H */
