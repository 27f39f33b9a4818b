/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bringing pages in: what fill.c and read.c know of each other.
 */
#ifndef _VMD_FILL_H
#define _VMD_FILL_H

#include "space.h"

/* Besides VMD_REF_*: an access waits for the page, it is not mere advice. */
#define FILL_ACCESS	BIT(31)

/* Most pages that one fault reads. */
#define FILL_MAX	(1 + VMD_AHEAD_MAX)

/**
 * struct vmd_filling - a page on its way in
 * @f: its frame, filling, in the page table
 * @folio: its memory, locked
 * @entry: what stood in the page table
 */
struct vmd_filling {
	struct vmd_frame *f;
	struct folio *folio;
	void *entry;
};

/* fill.c */
void vmd_fill_publish(struct vmd_space *space, struct vmd_frame *f,
		      struct folio *folio, u32 flags, bool pin);
void vmd_fill_give_up(struct vmd_space *space, const struct vmd_filling *page);
bool vmd_fill_spare(struct vmd_space *space, pgoff_t index,
		    struct vmd_filling *page);

/* read.c */
void vmd_read_exit(void);
int vmd_read(struct vmd_access *a, const struct vmd_filling *page, u32 flags);

#endif /* _VMD_FILL_H */
