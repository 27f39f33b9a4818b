// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that private spaces share, and how they come to be one's own: see cow.h.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "crypt.h"
#include "cow.h"

/**
 * vmd_group_alloc - a group without spaces, with one reference
 */
struct vmd_group *vmd_group_alloc(void)
{
	struct vmd_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;
	kref_init(&group->ref);
	spin_lock_init(&group->lock);
	INIT_LIST_HEAD(&group->spaces);
	xa_init_flags(&group->slots, XA_FLAGS_ACCOUNT);
	return group;
}

static void group_release(struct kref *ref)
{
	struct vmd_group *group = container_of(ref, struct vmd_group, ref);

	WARN_ON(!xa_empty(&group->slots));
	xa_destroy(&group->slots);
	kfree(group);
}

/**
 * vmd_group_put - give a reference back
 * @group: of which, or NULL
 */
void vmd_group_put(struct vmd_group *group)
{
	if (group)
		kref_put(&group->ref, group_release);
}

/**
 * vmd_group_enter - a space belongs to a group from now on
 * @group: a reference is used up
 * @space: has no page yet that it shares
 */
void vmd_group_enter(struct vmd_group *group, struct vmd_space *space)
{
	spin_lock(&group->lock);
	if (!list_empty(&group->spaces))
		WRITE_ONCE(group->forked, true);
	list_add_tail(&space->kin, &group->spaces);
	spin_unlock(&group->lock);
	WRITE_ONCE(space->group, group);
}

/**
 * vmd_group_leave - undo vmd_group_enter()
 * @space: has no pages any more; may be of no group
 */
void vmd_group_leave(struct vmd_space *space)
{
	struct vmd_group *group = space->group;

	if (!group)
		return;
	spin_lock(&group->lock);
	list_del(&space->kin);
	spin_unlock(&group->lock);
	vmd_group_put(group);
}

/**
 * vmd_cow_mark - make a space private
 * @space: config_lock is held, and it has no mappings
 * @group: a fresh one, used up
 */
void vmd_cow_mark(struct vmd_space *space, struct vmd_group *group)
{
	vmd_group_enter(group, space);
	/* Read by vmd_dirty_folio(): one word tells all. */
	WRITE_ONCE(space->inode->i_private,
		   (void *)((unsigned long)group | VMD_COW_GROUP));
}

/**
 * vmd_cow_place_get - one more space has a place
 * @group: of the space
 * @place: which
 * @gfp: may contain __GFP_NOFAIL
 *
 * Returns 0 or -ENOMEM.
 */
int vmd_cow_place_get(struct vmd_group *group, u32 place, gfp_t gfp)
{
	void *entry;
	int err;

	for (;;) {
		err = xa_insert(&group->slots, place, xa_mk_value(1), gfp);
		if (err != -EBUSY)
			return err;
		xa_lock(&group->slots);
		entry = xa_load(&group->slots, place);
		/* Replaces an entry that is there: nothing is allocated. */
		if (entry)
			__xa_store(&group->slots, place,
				   xa_mk_value(xa_to_value(entry) + 1), 0);
		xa_unlock(&group->slots);
		if (entry)
			return 0;
	}
}

/**
 * vmd_cow_place_put - a space has a place no more
 * @group: of the space
 * @place: which
 *
 * Returns whether another one has it still.
 */
bool vmd_cow_place_put(struct vmd_group *group, u32 place)
{
	unsigned long others = 0;
	void *entry;

	xa_lock(&group->slots);
	entry = xa_load(&group->slots, place);
	if (entry)
		others = xa_to_value(entry);
	if (others > 1)
		__xa_store(&group->slots, place, xa_mk_value(others - 1), 0);
	else if (others)
		__xa_erase(&group->slots, place);
	xa_unlock(&group->slots);
	return others;
}

static void cow_set_sharers(struct folio *folio, u32 n)
{
	WRITE_ONCE(folio->private, n > 1 ? (void *)((unsigned long)n << 1 | 1) :
					   NULL);
}

/**
 * vmd_cow_join - one more frame with a folio that has one
 * @f: the frame
 * @folio: locked, clean or counted as dirty by the caller
 */
void vmd_cow_join(struct vmd_frame *f, struct folio *folio)
{
	folio_get(folio);
	cow_set_sharers(folio, vmd_folio_sharers(folio) + 1);
	WRITE_ONCE(f->folio, folio);
}

/* One frame less: @f has something else in it from now on, or nothing. */
static void cow_part(struct vmd_space *space, struct vmd_frame *f,
		     struct folio *to)
{
	struct folio *folio = f->folio;

	if (folio_test_dirty(folio))
		atomic_long_dec(&space->dirty);
	/* In this order: vmd_cow_count_dirty() may look for its frames. */
	WRITE_ONCE(f->folio, to);
	cow_set_sharers(folio, vmd_folio_sharers(folio) - 1);
}

/**
 * vmd_cow_let_go - leave a folio to those who share it
 * @space: of which
 * @f: its folio is locked, and unlocked if it is shared
 *
 * Returns false, and has done nothing, if it is not: the folio is to go.
 */
bool vmd_cow_let_go(struct vmd_space *space, struct vmd_frame *f)
{
	struct folio *folio = f->folio;

	if (vmd_folio_sharers(folio) == 1)
		return false;
	cow_part(space, f, NULL);
	folio_unlock(folio);
	folio_put(folio);
	return true;
}

/* The frame that a space has for this folio, or NULL. Under the group's lock. */
static struct vmd_frame *cow_frame(struct vmd_space *space,
				   const struct folio *folio)
{
	struct vmd_frame *f = xa_load(&space->pages, folio->index);

	return vmd_entry_is_frame(f) && READ_ONCE(f->folio) == folio ? f : NULL;
}

/**
 * vmd_cow_count_dirty - a folio has become dirty, or clean
 * @group: of the spaces that have it
 * @folio: which
 * @delta: 1 or -1
 */
void vmd_cow_count_dirty(struct vmd_group *group, struct folio *folio,
			 int delta)
{
	struct vmd_space *space;

	spin_lock(&group->lock);
	list_for_each_entry(space, &group->spaces, kin) {
		if (!cow_frame(space, folio))
			continue;
		atomic_long_add(delta, &space->dirty);
		if (delta > 0)
			vmd_count_more(space, pages_dirtied, 1);
	}
	spin_unlock(&group->lock);
}

/**
 * vmd_cow_saved - a folio was written: whoever shares it has its place, too
 * @space: which wrote it
 * @f: its frame, with the place; the folio is locked and clean
 */
void vmd_cow_saved(struct vmd_space *space, struct vmd_frame *f)
{
	u32 others = vmd_folio_sharers(f->folio) - 1;
	struct vmd_group *group = space->group;
	struct vmd_frame *g;
	u32 was;

	if (!others)
		return;
	while (others--)
		vmd_cow_place_get(group, f->place, GFP_NOIO | __GFP_NOFAIL);
	spin_lock(&group->lock);
	list_for_each_entry(space, &group->spaces, kin) {
		g = cow_frame(space, f->folio);
		if (!g || g == f)
			continue;
		was = g->place;
		vmd_places_hold(space, 1);
		WRITE_ONCE(g->place, f->place);
		vmd_space_free_place(space, was);
	}
	spin_unlock(&group->lock);
}

static bool cow_place_shared(struct vmd_space *space, u32 place)
{
	return place != VMD_NO_PLACE && xa_load(&space->group->slots, place);
}

/**
 * vmd_cow_shared - may a page not be written to as it is?
 * @space: of which
 * @f: its frame
 * @folio: in it, locked
 */
bool vmd_cow_shared(struct vmd_space *space, const struct vmd_frame *f,
		    const struct folio *folio)
{
	return vmd_folio_sharers(folio) > 1 ||
	       cow_place_shared(space, f->place);
}

static int cow_reserve(struct vmd_access *a)
{
	struct vmd_store *store = a->space->store;
	int err = a->reserved ? 0 : store->ops->reserve(store, a);

	a->reserved = !err;
	return err;
}

/* With nothing locked: what a page of one's own takes. */
static int cow_prepare(struct vmd_access *a, bool copy)
{
	int err = cow_reserve(a);

	if (err || !copy || a->own)
		return err;
	a->own = vmd_folio_alloc(a, false);
	return a->own ? 0 : -ENOMEM;
}

/* The place goes to those who share it; a reservation comes instead. */
static void cow_leave_place(struct vmd_access *a, struct vmd_frame *f)
{
	u32 place = f->place;

	if (place == VMD_NO_PLACE)
		return;
	WRITE_ONCE(f->place, VMD_NO_PLACE);
	a->reserved = false;
	vmd_place_free(a->space, place);
}

/*
 * The page is its space's own from here on. It is dirty: a clean one without a
 * place would be one of zeros.
 */
static void cow_owned(struct vmd_access *a, struct vmd_frame *f,
		      struct folio *folio)
{
	folio_mark_dirty(folio);
	cow_leave_place(a, f);
	vmd_count_more(a->space, faults_cow, 1);
}

/* Put a copy into the frame. Returns it, with a reference. */
static struct folio *cow_copy(struct vmd_access *a, struct vmd_frame *f,
			      struct folio *folio)
{
	struct vmd_space *space = a->space;
	struct folio *own = a->own;

	a->own = NULL;
	/* Everybody is a reader: the content stays as it is meanwhile. */
	copy_highpage(folio_page(own, 0), folio_page(folio, 0));
	if (vmd_space_mapcount(space, folio))
		vmd_unmap_page(space, a->index, folio, false);
	own->mapping = vmd_mapping(space);
	own->index = a->index;
	folio_set_active(own);
	folio_get(own);
	cow_part(space, f, own);
	folio_unlock(folio);
	/* The caller's, and the frame's. */
	folio_put(folio);
	folio_put(folio);
	return own;
}

/**
 * vmd_cow_break - make a page the space's own, before it is written to
 * @a: the access; what it has prepared is given back by vmd_cow_done()
 * @f: the page's frame, resident
 * @folio: in it, locked and with a reference
 * @err: set to the error, else to 0
 *
 * Returns the folio to write to, locked and with a reference: @folio, or a copy
 * that has taken its place. NULL: an error, or look the page up again; @folio is
 * unlocked then.
 */
struct folio *vmd_cow_break(struct vmd_access *a, struct vmd_frame *f,
			    struct folio *folio, int *err)
{
	bool copy = vmd_folio_sharers(folio) > 1;

	*err = 0;
	if (!vmd_cow_shared(a->space, f, folio))
		return folio;
	/* Memory may come from pages that leave: not with one locked. */
	if (!a->reserved || (copy && !a->own)) {
		folio_unlock(folio);
		folio_put(folio);
		*err = cow_prepare(a, copy);
		return NULL;
	}
	if (copy)
		folio = cow_copy(a, f, folio);
	cow_owned(a, f, folio);
	return folio;
}

/**
 * vmd_cow_foresee - a page is to be brought in, and written to
 * @a: the access
 * @entry: what stands in the page table
 *
 * Returns 0 or an error of the store's.
 */
int vmd_cow_foresee(struct vmd_access *a, const void *entry)
{
	return cow_place_shared(a->space, vmd_entry_place(entry)) ?
	       cow_reserve(a) : 0;
}

/**
 * vmd_cow_filled - the page has come in
 * @a: the access
 * @folio: locked, since it was there
 *
 * Sets a->shared if it may not be written to still: who wanted to has to come
 * again, by way of page_mkwrite().
 */
void vmd_cow_filled(struct vmd_access *a, struct folio *folio)
{
	struct vmd_frame *f = xa_load(&a->space->pages, a->index);

	a->shared = vmd_cow_shared(a->space, f, folio);
	if (!a->shared || !a->reserved)
		return;
	cow_owned(a, f, folio);
	a->shared = false;
}

/**
 * vmd_cow_done - give back what was prepared and not needed
 * @a: the access, at its end
 */
void vmd_cow_done(struct vmd_access *a)
{
	struct vmd_store *store = a->space->store;

	if (a->reserved)
		store->ops->unreserve(store);
	a->reserved = false;
	if (!a->own)
		return;
	a->own->private = NULL;
	folio_unlock(a->own);
	folio_put(a->own);
	a->own = NULL;
}

/* Does the space have this place for the page, in a frame or not? */
static bool cow_has_place(struct vmd_space *space, pgoff_t index, u32 place)
{
	struct vmd_frame *f = xa_load(&space->pages, index);

	if (place == VMD_NO_PLACE)
		return false;
	return place == (vmd_entry_is_frame(f) ? READ_ONCE(f->place) :
						 vmd_entry_place(f));
}

static u32 cow_count(struct vmd_group *group, pgoff_t index, void *entry)
{
	struct folio *folio = NULL;
	struct vmd_space *space;
	struct vmd_frame *f;
	u32 n = 0, place;

	if (vmd_entry_is_frame(entry)) {
		f = entry;
		folio = READ_ONCE(f->folio);
		place = READ_ONCE(f->place);
	} else {
		place = vmd_entry_place(entry);
	}
	list_for_each_entry(space, &group->spaces, kin) {
		f = xa_load(&space->pages, index);
		n += (folio && vmd_entry_is_frame(f) &&
		      READ_ONCE(f->folio) == folio) ||
		     cow_has_place(space, index, place);
	}
	/* Its own: with neither, it shares nothing with anybody. */
	return max(n, 1U);
}

/**
 * vmd_cow_sharers - how many spaces have a page's frame, or its place
 * @space: of which
 * @index: the page
 *
 * True for an instant. 0 if the space is not private, or the page has no
 * content.
 */
u32 vmd_cow_sharers(struct vmd_space *space, pgoff_t index)
{
	struct vmd_group *group = READ_ONCE(space->group);
	void *entry;
	u32 n = 0;

	if (!group)
		return 0;
	spin_lock(&group->lock);
	entry = xa_load(&space->pages, index);
	if (entry)
		n = cow_count(group, index, entry);
	spin_unlock(&group->lock);
	return min_t(u32, n, U16_MAX);
}
