// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fork of a private space: the child's space begins as a snapshot: see cow.h.
 *
 * The parent's mmap_lock is held for writing, and so is the VMA's own: nothing
 * comes into its page tables while the core copies them, and what was there has
 * been taken out. Others may use the space meanwhile: read(2) and write(2),
 * another process that is attached, the reclaimer. Each page is shared with its
 * folio locked, or by its place while the parent has it.
 *
 * This cannot fail in the core's eyes. If it does, for want of memory or room in
 * the store, beyond a cap, or as the thread is being killed, the child has a
 * mapping where every touch is SIGBUS; the parent is as it was.
 */
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "batch.h"
#include "chardev.h"
#include "compat.h"
#include "cow.h"
#include "crypt.h"

/* How often a page is written that is dirty again when it was. */
#define FORK_WRITES	8

/**
 * struct fork - a snapshot being made
 * @from: the parent's space; its config_lock is held
 * @to: the child's, which nobody knows yet
 * @reserved: a place in the store is reserved for the next page
 * @buf: a page, or NULL as long as none was needed
 * @writes: how often the page had to be written
 */
struct fork {
	struct vmd_space *from;
	struct vmd_space *to;
	bool reserved;
	void *buf;
	u32 writes;
};

static int fork_reserve(struct fork *fork)
{
	struct vmd_access a = { .space = fork->to };
	struct vmd_store *store = fork->to->store;
	int err = fork->reserved ? 0 : store->ops->reserve(store, &a);

	fork->reserved = !err;
	return err;
}

/* The child gets @place, too; undone by vmd_place_free(). */
static int fork_get_place(struct fork *fork, u32 place)
{
	int err = vmd_cow_place_get(fork->to->group, place,
				    GFP_KERNEL_ACCOUNT);

	if (!err)
		vmd_places_hold(fork->to, 1);
	return err;
}

/* Enter a page that is not resident in the child; its place is held. */
static int fork_enter(struct fork *fork, pgoff_t index, u32 place)
{
	int err = -EDQUOT;

	if (vmd_user_charge_slot(fork->to)) {
		err = xa_err(xa_store(&fork->to->pages, index,
				      vmd_entry_make(place, 0),
				      GFP_KERNEL_ACCOUNT));
		if (!err)
			return 0;
		vmd_user_uncharge_slot(fork->to);
	}
	if (place != VMD_NO_PLACE)
		vmd_place_free(fork->to, place);
	return err;
}

/*
 * A page that is not resident. It may come in, be written to and give its place
 * up at any moment: only if it is as it was after we have the place, we have it.
 */
static int fork_share_place(struct fork *fork, pgoff_t index, void *entry)
{
	u32 place = vmd_entry_place(entry);
	int err;

	if (place != VMD_NO_PLACE) {
		err = fork_get_place(fork, place);
		if (err)
			return err;
		/*
		 * Who brings it in claims the entry first and looks whether the
		 * place is shared later, with the folio locked.
		 */
		smp_mb();
		if (xa_load(&fork->from->pages, index) != entry) {
			vmd_place_free(fork->to, place);
			return -EAGAIN;
		}
	}
	return fork_enter(fork, index, place);
}

/* A frame of the child's with @folio, which is locked, in it. */
static int fork_join(struct fork *fork, struct vmd_frame *g,
		     const struct vmd_frame *f, struct folio *folio)
{
	struct vmd_space *to = fork->to;
	bool dirty = folio_test_dirty(folio);
	int err = 0;

	if (!dirty && f->place != VMD_NO_PLACE)
		err = fork_get_place(fork, f->place);
	if (err)
		return err;
	err = xa_err(xa_store(&to->pages, g->index, g, GFP_KERNEL_ACCOUNT));
	if (err) {
		if (!dirty && f->place != VMD_NO_PLACE)
			vmd_place_free(to, f->place);
		return err;
	}
	if (dirty || f->place == VMD_NO_PLACE)
		fork->reserved = false;
	else
		g->place = f->place;
	if (dirty)
		atomic_long_inc(&to->dirty);
	vmd_cow_join(g, folio);
	vmd_decide_inserted(to, g, 0);
	vmd_frame_set_state(g, VMD_PAGE_RESIDENT);
	return 0;
}

/* -ENOBUFS: the child may have no frame more. */
static int fork_share_folio(struct fork *fork, const struct vmd_frame *f,
			    struct folio *folio)
{
	struct vmd_access a = { .space = fork->to, .index = f->index };
	struct vmd_frame *g = vmd_frame_take(&a);
	int err = -ENOBUFS;

	if (IS_ERR(g))
		return PTR_ERR(g);
	WRITE_ONCE(g->index, f->index);
	g->place = VMD_NO_PLACE;
	vmd_frame_set_state(g, VMD_PAGE_FILLING);
	if (!vmd_frame_charge_only(fork->to, g))
		goto give_back;
	err = -EDQUOT;
	if (!vmd_user_charge_slot(fork->to))
		goto uncharge;
	err = fork_join(fork, g, f, folio);
	if (!err)
		return 0;
	vmd_user_uncharge_slot(fork->to);
uncharge:
	vmd_frame_uncharge(fork->to);
give_back:
	vmd_frame_return(fork->to, g);
	return err;
}

static void fork_unlock(struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
}

/* Write a dirty page, so that it can be shared by its place: -EAGAIN. */
static int fork_write(struct fork *fork, struct vmd_frame *f,
		      struct folio *folio)
{
	struct vmd_batch *batch = vmd_batch_alloc(fork->from, 1, false);
	int err;

	batch->frames[batch->n++] = f;
	/* The lock and the frame's own reference keep it from here on. */
	folio_put(folio);
	err = vmd_batch_run(batch, NULL);
	if (err < 0 && err != -EAGAIN)
		return err;
	return ++fork->writes < FORK_WRITES ? -EAGAIN : -EBUSY;
}

/* The child has no frame for it: it gets what is in the store. */
static int fork_share_copy(struct fork *fork, struct vmd_frame *f,
			   struct folio *folio)
{
	pgoff_t index = f->index;
	u32 place = f->place;
	int err = 0;

	if (folio_test_dirty(folio))
		return fork_write(fork, f, folio);
	if (place != VMD_NO_PLACE)
		err = fork_get_place(fork, place);
	if (!err)
		err = fork_enter(fork, index, place);
	fork_unlock(folio);
	return err;
}

/*
 * Somebody, a device perhaps, has the page pinned and may write to it at any
 * time: it stays the parent's own.
 */
static int fork_copy(struct fork *fork, const struct vmd_frame *f,
		     struct folio *folio)
{
	pgoff_t index = f->index;

	if (!fork->buf)
		fork->buf = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (fork->buf)
		memcpy_from_page(fork->buf, folio_page(folio, 0), 0, PAGE_SIZE);
	fork_unlock(folio);
	return fork->buf ? vmd_rw_whole(fork->to, index, fork->buf) : -ENOMEM;
}

/* References that are neither a frame's nor ours. It is in no page table. */
static bool fork_pinned(struct folio *folio)
{
	u32 refs = vmd_folio_sharers(folio) + 1;

	if (!folio_ref_freeze(folio, refs))
		return true;
	folio_ref_unfreeze(folio, refs);
	return false;
}

/* A resident page, its folio locked and with a reference, both given back. */
static int fork_share_frame(struct fork *fork, struct vmd_frame *f,
			    struct folio *folio)
{
	int err;

	if (vmd_space_mapcount(fork->from, folio))
		vmd_unmap_page(fork->from, f->index, folio, false);
	if (fork_pinned(folio))
		return fork_copy(fork, f, folio);
	err = fork_share_folio(fork, f, folio);
	if (err == -ENOBUFS)
		return fork_share_copy(fork, f, folio);
	fork_unlock(folio);
	return err;
}

static int fork_share_once(struct fork *fork, pgoff_t index)
{
	struct vmd_access a = { .space = fork->from, .index = index };
	void *entry = xa_load(&fork->from->pages, index);
	struct folio *folio;
	int err;

	if (!entry || xa_load(&fork->to->pages, index))
		return 0;
	if (!vmd_entry_is_frame(entry))
		return fork_share_place(fork, index, entry);
	/* Before anything is locked: the store may have to grow for it. */
	err = fork_reserve(fork);
	if (err)
		return err;
	folio = vmd_frame_lock_folio(&a, entry, &err);
	if (!folio)
		return err ? err : -EAGAIN;
	return fork_share_frame(fork, entry, folio);
}

static int fork_share(struct fork *fork, pgoff_t index)
{
	int err;

	fork->writes = 0;
	while ((err = fork_share_once(fork, index)) == -EAGAIN) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return err;
}

/**
 * struct order - the parent's resident pages in its policy's order
 * @n: entries of @frame
 * @most: room in it
 * @frame: their frames' numbers
 */
struct order {
	u32 n;
	u32 most;
	u32 frame[];
};

static bool fork_note(void *arg, u32 slot)
{
	struct order *order = arg;

	if (order->n == order->most)
		return false;
	order->frame[order->n++] = slot;
	return true;
}

/*
 * The child's policy shall evict first what the parent's would: it is told of
 * the pages in that order. Which page is in a frame by now is looked up again.
 * Without memory for it the order is that of the pages.
 */
static int fork_share_in_order(struct fork *fork)
{
	struct vmd_space *from = fork->from;
	u32 most = READ_ONCE(from->nr_frames), i;
	struct order *order;
	struct vmd_frame *f;
	int err = 0;

	order = kvmalloc(struct_size(order, frame, most),
			 GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!order)
		return 0;
	order->n = 0;
	order->most = most;
	spin_lock(&from->policy_lock);
	vmd_decide_walk(from, fork_note, order);
	spin_unlock(&from->policy_lock);
	for (i = 0; !err && i < order->n; i++) {
		f = vmd_frame_by_id(from, order->frame[i]);
		err = fork_share(fork, READ_ONCE(f->index));
		cond_resched();
	}
	kvfree(order);
	return err;
}

/* All pages that the parent has. Called under its config_lock. */
static int fork_snapshot(struct fork *fork)
{
	unsigned long index;
	void *entry;
	int err;

	/* One call, mostly, instead of one for each page. */
	vmd_unmap_range(fork->from, 0, 0, false);
	vmd_space_set_bytes(fork->to, fork->from->bytes);
	err = fork_share_in_order(fork);
	xa_for_each(&fork->from->pages, index, entry) {
		if (err)
			break;
		err = fork_share(fork, index);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	if (fork->reserved)
		fork->to->store->ops->unreserve(fork->to->store);
	free_page((unsigned long)fork->buf);
	return err;
}

static int fork_fill(struct vmd_space *parent, struct vmd_space *child)
{
	struct fork fork = { .from = parent, .to = child };
	int err;

	if (mutex_lock_killable(&parent->config_lock))
		return -EINTR;
	/* As the parent has kin now, it keeps the key. */
	child->crypt = vmd_crypt_get(parent->crypt);
	err = fork_snapshot(&fork);
	mutex_unlock(&parent->config_lock);
	return err ? err : vmd_space_publish(child);
}

/* A file of a new space with all that the parent has. */
static struct file *fork_make(struct vmd_space *parent)
{
	struct vmd_space *child = vmd_space_fork(parent);
	struct file *file;
	int err;

	if (IS_ERR(child))
		return ERR_CAST(child);
	file = vmd_file_make(child);
	if (IS_ERR(file)) {
		vmd_space_unuse(child);
		return file;
	}
	err = fork_fill(parent, child);
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}

/* The file of a mapping that this mm has of the space, with a reference. */
static struct file *fork_file_in(struct vmd_space *space,
				 const struct mm_struct *mm)
{
	struct file *file = NULL;
	struct vmd_map *map;

	spin_lock(&space->maps_lock);
	list_for_each_entry(map, &space->maps, list) {
		if (map->vma->vm_mm == mm && map->file) {
			file = get_file(map->file);
			break;
		}
	}
	spin_unlock(&space->maps_lock);
	return file;
}

/* Has another mapping of the parent's been copied in this same fork? */
static struct file *fork_find(struct vmd_space *parent,
			      const struct mm_struct *mm)
{
	struct vmd_group *group = parent->group;
	struct file *file = NULL;
	struct vmd_space *space;

	spin_lock(&group->lock);
	list_for_each_entry(space, &group->spaces, kin) {
		if (space->parent == parent->id)
			file = fork_file_in(space, mm);
		if (file)
			break;
	}
	spin_unlock(&group->lock);
	return file;
}

/**
 * vmd_cow_fork - a mapping of a private space was copied to a child
 * @old: of the parent
 * @vma: of the child, not in the address_space's tree yet; both mms are locked
 *	for writing
 */
void vmd_cow_fork(struct vmd_map *old, struct vm_area_struct *vma)
{
	struct vmd_space *parent = old->space;
	struct file *file = ERR_PTR(-EBUSY);
	struct vmd_map *map;

	if (!old->dead)
		file = fork_find(parent, vma->vm_mm) ?: fork_make(parent);
	map = vmd_map_add(IS_ERR(file) ? parent : vmd_file_owner(file), vma,
			  GFP_KERNEL | __GFP_NOFAIL);
	map->reach = READ_ONCE(old->reach);
	map->dead = IS_ERR(file);
	if (!map->dead) {
		/* The core takes its own reference when we return. */
		map->file = file;
		vma->vm_file = file;
	}
	vma->vm_private_data = map;
	/*
	 * Fork copies what is mapped after this: there is to be nothing. Another
	 * VMA of the space may have mapped pages since the snapshot was made.
	 */
	vmd_unmap_range(parent, vma->vm_pgoff, vma_pages(vma), false);
}

/**
 * vmd_cow_adopt - the first fault of a child: now it is known whose the space is
 * @space: the child's
 */
void vmd_cow_adopt(struct vmd_space *space)
{
	WRITE_ONCE(space->orphan, false);
	space->pid = task_tgid_nr(current);
	get_task_comm(space->comm, current->group_leader);
}
