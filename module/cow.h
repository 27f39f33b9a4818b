/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private spaces: copy-on-write at fork by the module's own pager.
 *
 * A private space is one whose mappings are not shared with a child that is
 * forked: when the core copies such a mapping (vm_operations.open, with an mm
 * that is not the old one's), the child's gets a space of its own. It begins as
 * a snapshot: for each page of the parent's that is in a frame, a frame
 * structure of its own with the same folio; for each that is not, the same
 * place in the store. Nothing is copied until one of them writes.
 *
 * Spaces that came from one another like this are kin: a struct vmd_group, with
 * one inode for all of them. It has to be one: the core enters the child's VMA
 * after open() into the tree of its file's address_space as the neighbour of the
 * parent's VMA, so a file with another address_space would corrupt that tree. So
 * open() gives the VMA another file, of the child's space, with the same
 * address_space. What unmaps a page of one space unmaps that page of its kin:
 * a soft fault more, and never less than was to go.
 *
 * What is shared, and what holds for it:
 *
 *  - A folio, by as many frames as vmd_folio_sharers() says, at most one of a
 *    space, all for the page with the same index. Each is a reference to the
 *    folio, a unit of its space's budget, and its policy's affair. The folio's
 *    lock is the lock of all of them: who shares it changes under it. It is in
 *    page tables for reading only, and nobody but readers has it pinned: one
 *    that is pinned at fork is copied at once.
 *  - That it is dirty is counted by every space that has it. Whoever writes it
 *    to the store first gives all the others the place, too.
 *  - A place, by as many spaces as vmd_group.slots says beyond one. It was
 *    written before it was shared and is never written again: who is to write
 *    to such a page gives the place up first, for a reservation. So the place
 *    of a dirty page is nobody else's.
 *
 * A page that is shared either way becomes its space's own in vmd_cow_break():
 * from the fault handler, page_mkwrite() and write(2), before anything is
 * written. Mappings of private spaces have page_mkwrite(), so that the core maps
 * for reading what is only read.
 */
#ifndef _VMD_COW_H
#define _VMD_COW_H

#include "space.h"

/**
 * struct vmd_group - private spaces that came from one another
 * @ref: the spaces
 * @lock: @spaces. Also where frames of several spaces are changed together, with
 *	the folio they share locked. Inside folio locks and page-table locks;
 *	places_lock, the store's lock and the lock of @slots come inside it
 * @spaces: by vmd_space.kin
 * @slots: by place: how many spaces have it beyond the first; no entry: none
 * @forked: there is, or was, more than one space
 */
struct vmd_group {
	struct kref ref;
	spinlock_t lock;		/* spaces; shared folios' frames */
	struct list_head spaces;
	struct xarray slots;
	bool forked;
};

/* An inode's i_private: a space, or a group with this bit set. */
#define VMD_COW_GROUP		1UL

/* How many frames a folio has. Changes under its lock. */
static inline u32 vmd_folio_sharers(const struct folio *folio)
{
	unsigned long shared = (unsigned long)READ_ONCE(folio->private);

	return shared & 1 ? shared >> 1 : 1;
}

/* Has the space, or had it, kin? */
static inline bool vmd_cow_forked(const struct vmd_space *space)
{
	const struct vmd_group *group = READ_ONCE(space->group);

	return group && READ_ONCE(group->forked);
}

/* Does the access write to the space, and may the page be shared? */
static inline bool vmd_cow_writes(const struct vmd_access *a)
{
	return a->write && unlikely(READ_ONCE(a->space->group)) &&
	       !(a->vmf && a->vmf->cow_page);
}

/* cow.c: groups, and pages that are shared */
struct vmd_group *vmd_group_alloc(void);
void vmd_group_put(struct vmd_group *group);
void vmd_group_enter(struct vmd_group *group, struct vmd_space *space);
void vmd_group_leave(struct vmd_space *space);
void vmd_cow_mark(struct vmd_space *space, struct vmd_group *group);
int vmd_cow_place_get(struct vmd_group *group, u32 place, gfp_t gfp);
bool vmd_cow_place_put(struct vmd_group *group, u32 place);
void vmd_cow_join(struct vmd_frame *f, struct folio *folio);
bool vmd_cow_let_go(struct vmd_space *space, struct vmd_frame *f);
void vmd_cow_count_dirty(struct vmd_group *group, struct folio *folio,
			 int delta);
void vmd_cow_saved(struct vmd_space *space, struct vmd_frame *f);
bool vmd_cow_shared(struct vmd_space *space, const struct vmd_frame *f,
		    const struct folio *folio);
struct folio *vmd_cow_break(struct vmd_access *a, struct vmd_frame *f,
			    struct folio *folio, int *err);
int vmd_cow_foresee(struct vmd_access *a, const void *entry);
void vmd_cow_filled(struct vmd_access *a, struct folio *folio);
void vmd_cow_done(struct vmd_access *a);
u32 vmd_cow_sharers(struct vmd_space *space, pgoff_t index);

/* cow_fork.c: a child's space */
void vmd_cow_fork(struct vmd_map *old, struct vm_area_struct *vma);
void vmd_cow_adopt(struct vmd_space *space);

/* space.c */
struct vmd_space *vmd_space_fork(struct vmd_space *parent);
int vmd_space_publish(struct vmd_space *space);
struct file *vmd_space_file(struct vmd_space *space, const char *name,
			    const struct file_operations *fops);

/* chardev.c */
struct file *vmd_file_make(struct vmd_space *space);

/* crypt.c */
struct vmd_crypt *vmd_crypt_get(struct vmd_crypt *crypt);

#endif /* _VMD_COW_H */
