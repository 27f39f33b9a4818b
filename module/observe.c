// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a space is mapped, and what the page tables there know: accessed and
 * dirty bits.
 *
 * Page tables are reached through the space's list of mappings. Looking into
 * another mm's needs its mmap_lock, which is only tried for: eviction must not
 * wait for a thread that may be waiting for eviction. What cannot be seen now
 * counts as not accessed.
 *
 * An accessed bit is cleared without flushing all TLBs (no flush is exported),
 * and a page that is still in a TLB is not marked again before it leaves it.
 * So who clears one forgets the translation on his own CPU, and has the other
 * CPUs that may have it forget all of theirs: eviction once for all pages that
 * it asks about, a harvest in the background once a round.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "compat.h"
#include "cow.h"
#include "ptes.h"
#include "shadows.h"

#define WINDOW_PAGES	64		/* looked at in one go */
#define HARVEST_PERIOD	(HZ / 4)

/**
 * vmd_map_add - a space is mapped
 * @space: which
 * @vma: where; its mm is locked for writing
 * @gfp: may contain __GFP_NOFAIL
 */
struct vmd_map *vmd_map_add(struct vmd_space *space,
			    struct vm_area_struct *vma, gfp_t gfp)
{
	struct vmd_map *map = kmalloc(sizeof(*map), gfp);

	if (!map)
		return NULL;
	map->space = space;
	map->vma = vma;
	map->reach = vmd_vma_end(space, vma);
	map->file = NULL;
	map->dead = false;
	spin_lock(&space->maps_lock);
	map->seq = ++space->map_seq;
	list_add_tail(&map->list, &space->maps);
	spin_unlock(&space->maps_lock);
	return map;
}

/**
 * vmd_map_remove - undo vmd_map_add()
 * @map: its VMA is being closed
 */
void vmd_map_remove(struct vmd_map *map)
{
	struct vmd_space *space = map->space;

	spin_lock(&space->maps_lock);
	list_del(&map->list);
	spin_unlock(&space->maps_lock);
	if (map->file)
		fput(map->file);
	kfree(map);
}

/**
 * vmd_maps_reached - the space is being cut off
 * @space: of which
 *
 * What its mappings cover now is no reason to make it longer again.
 */
void vmd_maps_reached(struct vmd_space *space)
{
	struct vmd_map *map;
	pgoff_t end;

	spin_lock(&space->maps_lock);
	list_for_each_entry(map, &space->maps, list) {
		end = vmd_vma_end(space, map->vma);
		WRITE_ONCE(map->reach, max(map->reach, end));
	}
	spin_unlock(&space->maps_lock);
}

/**
 * vmd_unmap_page - take a page out of all page tables
 * @space: of which
 * @index: the page
 * @folio: its memory, or what was that a moment ago
 * @copies: also copies that private mappings have made; those are not told from
 *	its kin's, so they stay where there is such (cow.h)
 */
void vmd_unmap_page(struct vmd_space *space, pgoff_t index,
		    struct folio *folio, bool copies)
{
	int tables = folio ? vmd_space_mapcount(space, folio) : 0;

	unmap_mapping_pages(vmd_mapping(space), vmd_page_pgoff(space, index),
			    vmd_page_pgoff(space, 1),
			    copies && !vmd_cow_forked(space));
	if (tables > 0)
		vmd_count_more(space, tlb_flushes_estimated,
			       vmd_tables_estimated(space, tables));
}

/**
 * vmd_unmap_range - take pages out of all page tables
 * @space: of which
 * @first: first page
 * @n: pages; 0 means all from there on
 * @copies: as vmd_unmap_page()
 *
 * As many flushes as mappings are assumed.
 */
void vmd_unmap_range(struct vmd_space *space, pgoff_t first, pgoff_t n,
		     bool copies)
{
	struct vmd_map *map;
	u32 maps = 0;

	unmap_mapping_pages(vmd_mapping(space), vmd_page_pgoff(space, first),
			    vmd_page_pgoff(space, n),
			    copies && !vmd_cow_forked(space));
	spin_lock(&space->maps_lock);
	list_for_each_entry(map, &space->maps, list)
		maps++;
	spin_unlock(&space->maps_lock);
	vmd_count_more(space, tlb_flushes_estimated, maps);
}

/*
 * Does the mapping cover any of these pages? Its range may change while we
 * look; it is looked at again under the lock.
 */
static bool map_covers(const struct vm_area_struct *vma, pgoff_t first,
		       pgoff_t n)
{
	pgoff_t start = READ_ONCE(vma->vm_pgoff);
	pgoff_t pages = (READ_ONCE(vma->vm_end) - READ_ONCE(vma->vm_start)) >>
			PAGE_SHIFT;

	return first < start + pages && first + n > start;
}

/*
 * Lock the mm of a mapping, if that can be had at once, and see that the VMA is
 * still part of it: munmap() takes a VMA out under the lock for writing, but
 * tears it down, and closes it, under the lock for reading. On the list, the
 * VMA exists; found in the mm with the lock held, it stays.
 */
static bool map_trylock(const struct vm_area_struct *vma, pgoff_t first,
			pgoff_t n)
{
	struct mm_struct *mm = vma->vm_mm;

	/* With no user left it is being torn down. */
	if (!mmget_not_zero(mm))
		return false;
	if (mmap_read_trylock(mm)) {
		if (find_vma(mm, vma->vm_start) == vma &&
		    map_covers(vma, first, n))
			return true;
		mmap_read_unlock(mm);
	}
	mmput_async(mm);
	return false;
}

/*
 * The next mapping after *@seq that covers any of these pages (@first and @n are
 * the kernel's, as in map_covers() and map_trylock()), its mm locked. A
 * mapping that cannot be had is passed over.
 */
static struct vm_area_struct *map_next(struct vmd_space *space, u64 *seq,
				       pgoff_t first, pgoff_t n)
{
	struct vm_area_struct *found = NULL;
	struct vmd_map *map;

	spin_lock(&space->maps_lock);
	list_for_each_entry(map, &space->maps, list) {
		if (map->seq <= *seq || !map_covers(map->vma, first, n) ||
		    !map_trylock(map->vma, first, n))
			continue;
		*seq = map->seq;
		found = map->vma;
		break;
	}
	spin_unlock(&space->maps_lock);
	return found;
}

/* Undo map_next(). The last user of an mm must not tear it down in here. */
static void map_done(struct mm_struct *mm)
{
	mmap_read_unlock(mm);
	mmput_async(mm);
}

/**
 * struct window - neighbouring pages being looked at
 * @pfn: where they are; 0: not resident
 * @young: whose accessed bit is set in some page table
 * @dirty: whose dirty bit is
 * @huge: which one entry maps as a whole
 * @shared: of pages that two or more mappings have in their page tables
 * @clear: take the accessed bits away
 * @loaded: the mm being looked at is the one this CPU runs
 * @cpus: where the mms that were looked at have run, or NULL
 * @first: first page
 * @n: pages
 */
struct window {
	unsigned long pfn[WINDOW_PAGES];
	DECLARE_BITMAP(young, WINDOW_PAGES);
	DECLARE_BITMAP(dirty, WINDOW_PAGES);
	DECLARE_BITMAP(huge, WINDOW_PAGES);
	DECLARE_BITMAP(shared, WINDOW_PAGES);
	bool clear;
	bool loaded;
	struct cpumask *cpus;
	pgoff_t first;
	u32 n;
};

/*
 * Take the accessed bit of an entry for page frame @pfn away. No lock is held:
 * an entry that is changed meanwhile, by a thread or by the hardware, is looked
 * at anew.
 */
static bool pte_take_young(pte_t *ptep, unsigned long pfn)
{
	pte_t pte = READ_ONCE(*ptep);

	do {
		if (!pte_present(pte) || pte_pfn(pte) != pfn || !pte_young(pte))
			return false;
	} while (!try_cmpxchg(&ptep->pte, &pte.pte,
			      pte.pte & ~(pteval_t)_PAGE_ACCESSED));
	return true;
}

/* One page-table entry, of page @i of the window. */
static void window_pte(struct window *w, u32 i, pte_t *ptep,
		       unsigned long address)
{
	pte_t pte = READ_ONCE(*ptep);

	/* A private copy is none of ours. */
	if (!pte_present(pte) || pte_pfn(pte) != w->pfn[i])
		return;
	if (pte_dirty(pte))
		__set_bit(i, w->dirty);
	if (!pte_young(pte))
		return;
	__set_bit(i, w->young);
	if (w->clear && pte_take_young(ptep, w->pfn[i]) && w->loaded)
		vmd_forget_translation(address);
}

/* Page @i of the window, if it is larger than the kernel's. */
static void window_cluster(struct vmd_space *space, struct window *w,
			   struct vm_area_struct *vma, u32 i)
{
	u32 seen;

	if (!w->pfn[i])
		return;
	seen = vmd_cluster_look(space, vma, w->first + i, w->pfn[i], w->clear);
	if (seen & VMD_PAGE_DIRTY)
		__set_bit(i, w->dirty);
	if (seen & VMD_PAGE_ACCESSED)
		__set_bit(i, w->young);
	if (seen & VMD_PAGE_HUGE)
		__set_bit(i, w->huge);
}

/* Look at the resident pages of the window that @vma maps. */
static void window_scan_vma(struct vmd_space *space, struct window *w,
			    struct vm_area_struct *vma)
{
	pgoff_t i = max(w->first, vmd_pgoff_page(space, vma->vm_pgoff));
	pgoff_t end = min(w->first + w->n, vmd_vma_end(space, vma));
	unsigned long address, flags;
	pte_t *ptep;

	if (w->cpus)
		cpumask_or(w->cpus, w->cpus, mm_cpumask(vma->vm_mm));
	if (vmd_space_order(space)) {
		for (; i < end; i++)
			window_cluster(space, w, vma, i - w->first);
		return;
	}
	w->loaded = vma->vm_mm == current->mm;
	address = vma->vm_start + ((i - vma->vm_pgoff) << PAGE_SHIFT);
	local_irq_save(flags);
	ptep = vmd_pte_find(vma->vm_mm, address);
	while (i < end) {
		if (ptep && w->pfn[i - w->first])
			window_pte(w, i - w->first, ptep, address);
		i++;
		address += PAGE_SIZE;
		/* A window may go on in another table. */
		if (!(address & ~PMD_MASK))
			ptep = vmd_pte_find(vma->vm_mm, address);
		else if (ptep)
			ptep++;
	}
	local_irq_restore(flags);
}

static void window_scan(struct vmd_space *space, struct window *w)
{
	struct vm_area_struct *vma;
	struct mm_struct *mm;
	u64 seq = 0;

	while ((vma = map_next(space, &seq, vmd_page_pgoff(space, w->first),
			       vmd_page_pgoff(space, w->n)))) {
		mm = vma->vm_mm;
		window_scan_vma(space, w, vma);
		map_done(mm);
	}
}

static void window_init(struct window *w, pgoff_t first, u32 n, bool clear)
{
	memset(w, 0, sizeof(*w));
	w->first = first;
	w->n = n;
	w->clear = clear;
}

/* Page @index was found in @f: if it is mapped somewhere, note where it is. */
static bool window_add(struct vmd_space *space, struct window *w,
		       struct vmd_frame *f, pgoff_t index)
{
	struct folio *folio = READ_ONCE(f->folio);
	int entries = folio ? vmd_space_mapcount(space, folio) : 0;

	if (entries <= 0)
		return false;
	w->pfn[index - w->first] = folio_pfn(folio);
	if (vmd_tables_estimated(space, entries) > 1)
		__set_bit(index - w->first, w->shared);
	return true;
}

/**
 * vmd_observed - an accessed bit was found set: count, and tell the policy
 * @space: of which
 * @f: the page's frame
 *
 * The bit that the access left which brought the page in is no hit.
 */
void vmd_observed(struct vmd_space *space, struct vmd_frame *f)
{
	vmd_ahead_hit(space, f);
	if (vmd_frame_test(f, VMD_FRAME_FRESH)) {
		vmd_frame_clear(f, VMD_FRAME_FRESH);
	} else {
		vmd_count(space, references);
		vmd_count(space, hits);
		vmd_shadows_reference(space, READ_ONCE(f->index), false);
	}
	vmd_decide_touched(space, f, 0);
}

/* Take the accessed bit of page @index away in @vma, which may not show it. */
static bool harvest_page(struct vm_area_struct *vma,
			 struct vmd_pte_tables *tables, pgoff_t index,
			 unsigned long pfn)
{
	unsigned long address;
	pte_t *ptep;

	if (index - vma->vm_pgoff >= vma_pages(vma))
		return false;
	address = vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT);
	ptep = vmd_pte_find_next(tables, vma->vm_mm, address);
	if (!ptep || !pte_take_young(ptep, pfn))
		return false;
	if (vma->vm_mm == current->mm)
		vmd_forget_translation(address);
	return true;
}

/* The same for a page larger than the kernel's. */
static bool harvest_cluster(struct vmd_space *space, struct vm_area_struct *vma,
			    pgoff_t index, unsigned long pfn)
{
	return index >= vmd_pgoff_page(space, vma->vm_pgoff) &&
	       index < vmd_vma_end(space, vma) &&
	       vmd_cluster_look(space, vma, index, pfn, true) &
	       VMD_PAGE_ACCESSED;
}

/* Which of the frames' pages were accessed by way of @vma? */
static unsigned long harvest_vma(struct vmd_space *space,
				 struct vm_area_struct *vma,
				 struct vmd_frame **f, u32 n)
{
	struct vmd_pte_tables tables = VMD_PTE_TABLES_NONE;
	bool large = vmd_space_order(space);
	unsigned long pfn, young = 0;
	struct folio *folio;
	pgoff_t index;
	u32 i;

	for (i = 0; i < n; i++) {
		folio = READ_ONCE(f[i]->folio);
		if (!folio || !vmd_space_mapcount(space, folio))
			continue;
		index = READ_ONCE(f[i]->index);
		pfn = folio_pfn(folio);
		if (large ? harvest_cluster(space, vma, index, pfn) :
			    harvest_page(vma, &tables, index, pfn))
			young |= BIT(i);
	}
	return young;
}

/* All other CPUs forget their translations, and this one if @mm is not loaded. */
static void harvest_forget(struct vmd_space *space, struct mm_struct *mm)
{
	const struct cpumask *cpus = mm_cpumask(mm);

	if (mm != current->mm)
		on_each_cpu_mask(cpus, vmd_forget_translations, NULL, true);
	else if (cpumask_any_but(cpus, smp_processor_id()) < nr_cpu_ids)
		smp_call_function_many(cpus, vmd_forget_translations, NULL,
				       true);
	vmd_count_more(space, tlb_flushes_estimated, 1);
}

/**
 * vmd_harvest_frames - which pages were accessed since this was last asked?
 * @space: of which
 * @f: their frames; what is in them may change meanwhile: an entry that does not
 *	show the folio of the page is left alone
 * @n: how many, up to BITS_PER_LONG
 *
 * Clears the bits it finds, and no CPU goes on with a translation from before.
 * Does not wait for anybody's mmap_lock: who is asked after in vain is unmapped
 * instead, which tells it, too. Returns a bit for each frame.
 */
unsigned long vmd_harvest_frames(struct vmd_space *space, struct vmd_frame **f,
				 u32 n)
{
	unsigned long young = 0, here, flags;
	struct vm_area_struct *vma;
	struct mm_struct *mm;
	u64 seq = 0;

	while ((vma = map_next(space, &seq, 0, U32_MAX))) {
		mm = vma->vm_mm;
		/* What this CPU forgets, the others need not make it forget. */
		preempt_disable();
		local_irq_save(flags);
		here = harvest_vma(space, vma, f, n);
		local_irq_restore(flags);
		if (here)
			harvest_forget(space, mm);
		preempt_enable();
		young |= here;
		map_done(mm);
	}
	return young;
}

/* Fill a window from the page table; returns how many pages are in it. */
static u32 window_load(struct vmd_space *space, struct window *w)
{
	XA_STATE(xas, &space->pages, w->first);
	void *entry;
	u32 n = 0;

	rcu_read_lock();
	xas_for_each(&xas, entry, w->first + w->n - 1) {
		if (xas_retry(&xas, entry) || !vmd_entry_is_frame(entry))
			continue;
		/* Its index tells whether the frame is this page's still. */
		if (READ_ONCE(((struct vmd_frame *)entry)->index) ==
		    xas.xa_index)
			n += window_add(space, w, entry, xas.xa_index);
	}
	rcu_read_unlock();
	return n;
}

/* Report the pages of the window that were accessed. */
static void harvest_report(struct vmd_space *space, struct window *w)
{
	void *entry;
	u32 i;

	for_each_set_bit(i, w->young, w->n) {
		entry = xa_load(&space->pages, w->first + i);
		if (vmd_entry_is_frame(entry))
			vmd_observed(space, entry);
	}
}

static bool harvest_wanted(struct vmd_space *space)
{
	return READ_ONCE(space->observer) == VMD_OBSERVER_ACCESSED &&
	       (READ_ONCE(space->policy.ops)->flags & VMD_POLICY_HARVEST ||
		READ_ONCE(space->shadow_rate));
}

/**
 * vmd_harvest_kick - a page came in: have accessed bits harvested soon
 * @space: of which
 */
void vmd_harvest_kick(struct vmd_space *space)
{
	if (!delayed_work_pending(&space->harvest) && harvest_wanted(space))
		queue_delayed_work(vmd_idle_wq, &space->harvest,
				   HARVEST_PERIOD);
}

/* Look at all resident pages; @cpus is set to where they may be cached. */
static void harvest_all(struct vmd_space *space, struct cpumask *cpus)
{
	unsigned long index = 0;
	struct window w;

	while (xa_find(&space->pages, &index, ULONG_MAX, XA_PRESENT)) {
		window_init(&w, round_down(index, WINDOW_PAGES), WINDOW_PAGES,
			    true);
		w.cpus = cpus;
		if (window_load(space, &w)) {
			window_scan(space, &w);
			harvest_report(space, &w);
		}
		index = w.first + WINDOW_PAGES;
		cond_resched();
	}
}

/**
 * vmd_harvest_work - harvest the accessed bits of all resident pages
 * @work: vmd_space.harvest
 *
 * Runs once after each time something came in: a space that does not fault is
 * left alone.
 */
void vmd_harvest_work(struct work_struct *work)
{
	struct vmd_space *space = container_of(to_delayed_work(work),
					       struct vmd_space, harvest);
	cpumask_var_t cpus;

	if (!harvest_wanted(space) || !zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return;
	harvest_all(space, cpus);
	on_each_cpu_mask(cpus, vmd_forget_translations, NULL, true);
	vmd_count_more(space, tlb_flushes_estimated, 1);
	free_cpumask_var(cpus);
}

static void observe_window(struct vmd_space *space, pgoff_t first,
			   struct vmd_page *pages, u32 n)
{
	struct window w;
	u32 i;

	window_init(&w, first, n, false);
	if (!window_load(space, &w))
		return;
	window_scan(space, &w);
	for (i = 0; i < n; i++) {
		if (!w.pfn[i])
			continue;
		pages[i].flags |= VMD_PAGE_MAPPED;
		if (test_bit(i, w.young))
			pages[i].flags |= VMD_PAGE_ACCESSED;
		if (test_bit(i, w.dirty))
			pages[i].flags |= VMD_PAGE_DIRTY;
		if (test_bit(i, w.huge))
			pages[i].flags |= VMD_PAGE_HUGE;
		if (test_bit(i, w.shared))
			pages[i].flags |= VMD_PAGE_SHARED;
	}
}

/**
 * vmd_observe_pages - add what the page tables know to a view of pages
 * @space: of which
 * @first: first page
 * @pages: flags are added
 * @n: pages
 */
void vmd_observe_pages(struct vmd_space *space, pgoff_t first,
		       struct vmd_page *pages, u32 n)
{
	u32 i;

	for (i = 0; i < n; i += WINDOW_PAGES)
		observe_window(space, first + i, pages + i,
			       min_t(u32, n - i, WINDOW_PAGES));
}
