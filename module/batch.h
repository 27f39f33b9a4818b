/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A batch: pages taken together, to be evicted or only written.
 */
#ifndef _VMD_BATCH_H
#define _VMD_BATCH_H

#include "space.h"

/* Pages that are written with victims, and pages of a batch all in all. */
#define VMD_BATCH_NEAR	32
#define VMD_BATCH_PAGES	(VMD_BATCH_MAX + VMD_BATCH_NEAR)

/**
 * struct vmd_batch - up to VMD_BATCH_MAX pages, their folios locked by us
 * @group: their writes
 * @refs: one of the thread's, one of the writes'
 * @space: a reference
 * @evict: they leave their frames, those that are EVICTING; else they stay, and are
 *	only written
 * @refill: what they leave is kept ready for the next fault
 * @ahead: evicted by the reclaimer, and counted in vmd_space.leaving
 * @sent: nobody waits for it; counted in vmd_space.sent
 * @only_clean: those found dirty stay, too: nothing is written
 * @guarded: a page was passed over as it is part of an unfinished instruction
 * @step: the fault on whose behalf, if it is to be told of; for who runs it only
 * @error: first error there was
 * @done: pages evicted, or written
 * @room: entries that there is room for in @ios
 * @n: entries of @frames
 * @nr_near: entries of @near
 * @most_near: how many there may be: with @n no more than there are @ios
 * @nr_writes: entries of @writes and of @bvec
 * @nr_ios: entries of @ios
 * @frames: the pages, in the order of their index once they are unmapped
 * @near: neighbours to be written, locked, until they are among @frames
 * @writes: those that are dirty, in the order of their places
 * @bvec: the memory of @writes
 * @ios: runs of @writes whose places are neighbours
 */
struct vmd_batch {
	struct vmd_io_group group;
	atomic_t refs;
	struct vmd_space *space;
	bool evict;
	bool refill;
	bool ahead;
	bool sent;
	bool only_clean;
	bool guarded;
	struct vmd_stepped *step;
	int error;
	u32 done;
	u32 room;
	u32 n;
	u32 nr_near;
	u32 most_near;
	u32 nr_writes;
	u32 nr_ios;
	struct vmd_frame *frames[VMD_BATCH_PAGES];
	struct vmd_frame *near[VMD_BATCH_NEAR];
	struct vmd_frame *writes[VMD_BATCH_PAGES];
	struct bio_vec bvec[VMD_BATCH_PAGES];
	struct vmd_io ios[];
};

struct vmd_batch *vmd_batch_alloc(struct vmd_space *space, u32 most,
				  bool evict);
struct vmd_batch *vmd_batch_alloc_clean(struct vmd_space *space);
void vmd_batch_add_idle(struct vmd_batch *batch, struct vmd_access *a);
void vmd_batch_put(struct vmd_batch *batch);
void vmd_batch_exit(void);
void vmd_frames_sort(struct vmd_frame **f, u32 n, bool by_place);
void vmd_frames_unmap(struct vmd_space *space, struct vmd_frame **f, u32 n);
int vmd_batch_run(struct vmd_batch *batch, struct vmd_access *a);
void vmd_batch_send(struct vmd_batch *batch);

/* near.c: dirty neighbours */
void vmd_near_init(struct vmd_batch *batch, u32 most);
void vmd_near_gather(struct vmd_batch *batch, struct vmd_frame **f, u32 n);
bool vmd_near_take(struct vmd_batch *batch, struct vmd_frame *f);
void vmd_near_join(struct vmd_batch *batch);

#endif /* _VMD_BATCH_H */
