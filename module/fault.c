// SPDX-License-Identifier: GPL-2.0-only
/*
 * One fault, from the access to the mapped page.
 *
 *   vmd_fault          what observer "trap" has to know first (thread.c)
 *     fault_serve      is there such a page?      no: SIGBUS
 *                      is it resident?
 *     fault_soft         yes: map it, and its resident neighbours
 *     fault_miss         no: bring it in (fill.c), which needs
 *                            a unit of the budget (frame.c), if need be by
 *                            evicting what the policy proposes (evict.c),
 *                            memory, and the content from the store
 *                        then map it
 *
 * The core maps what is returned locked; the lock keeps the page in its frame
 * until that is done.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "cow.h"
#include "ptes.h"
#include "record.h"
#include "shadows.h"
#include "step.h"
#include "trace.h"

/*
 * Pages mapped with one soft fault: a few; where all of them are there, many;
 * and where all of those are, and more of the table is in use, all of that.
 */
#define AROUND_FEW	16
#define AROUND_MANY	64

/* vmd_access.vmf->flags & FAULT_FLAG_TRIED: we have counted this one before. */
static bool fault_is_retry(const struct vmd_access *a)
{
	return a->vmf->flags & FAULT_FLAG_TRIED;
}

/**
 * struct around - resident neighbours to be mapped with the page that faulted
 * @first: page of pages[0]
 * @pages: the memory of each of @n; NULL where there is none
 * @held: frames that are held
 * @nr_held: how many
 * @n: pages
 * @missing: how many are neither among these nor mapped, but for the one that faulted
 */
struct around {
	pgoff_t first;
	u32 missing;
	u32 nr_held;
	u32 n;
	struct page *pages[AROUND_MANY];
	struct vmd_frame *held[AROUND_MANY];
};

static vm_fault_t fault_error(struct vmd_access *a, int err)
{
	if (unlikely(a->step))
		vmd_step_failed(a, err);
	/* To be tried again for ever, where no large page can be had, is no use. */
	return err == -ENOMEM && !vmd_space_order(a->space) ? VM_FAULT_OOM :
							      VM_FAULT_SIGBUS;
}

static void fault_count(struct vmd_access *a)
{
	if (a->write)
		vmd_count(a->space, faults_write);
	if (a->evicted)
		vmd_count(a->space, stalls);
	a->counted = true;
}

/*
 * Which of @n entries from that of page @first on are in use? They need not be
 * looked at any closer. Others may become so meanwhile.
 */
static u64 around_mapped(struct vm_area_struct *vma, pgoff_t first, u32 n)
{
	unsigned long flags;
	u64 mapped = 0;
	pte_t *ptep;
	u32 i;

	BUILD_BUG_ON(AROUND_MANY > 64);
	local_irq_save(flags);
	ptep = vmd_pte_find(vma->vm_mm, vma->vm_start +
			    ((first - vma->vm_pgoff) << PAGE_SHIFT));
	for (i = 0; ptep && i < n; i++)
		if (!pte_none(READ_ONCE(ptep[i])))
			mapped |= BIT_ULL(i);
	local_irq_restore(flags);
	return mapped;
}

static void around_let_go(struct vmd_frame *f)
{
	atomic_andnot(VMD_FRAME_HELD, &f->word);
	/* That first, then who waits: frame_not_held() has it the other way. */
	smp_mb__after_atomic();
	if (unlikely(vmd_frame_test(f, VMD_FRAME_AWAITED))) {
		vmd_frame_clear(f, VMD_FRAME_AWAITED);
		wake_up_var(&f->word);
	}
}

/*
 * Hold a resident page in its frame; its memory, if that can be had at once.
 *
 * Whoever locks the folio after the frame is held lets go of it again, so once it
 * was seen not locked, all that was done under the lock before is seen, too, and
 * nothing changes until the frame is let go of.
 */
static struct page *around_hold(struct vmd_frame *f, pgoff_t index)
{
	int old = atomic_read(&f->word);
	struct folio *folio;

	do {
		if ((old & (VMD_FRAME_STATE | VMD_FRAME_HELD)) !=
		    VMD_PAGE_RESIDENT)
			return NULL;
	} while (!atomic_try_cmpxchg(&f->word, &old, old | VMD_FRAME_HELD));
	folio = READ_ONCE(f->folio);
	if (likely(folio && !vmd_folio_peek(folio, PG_locked))) {
		/* What is seen of the frame is from after that. */
		smp_rmb();
		if (likely(READ_ONCE(f->folio) == folio && f->index == index &&
			   vmd_frame_state(f) == VMD_PAGE_RESIDENT))
			return folio_page(folio, 0);
	}
	around_let_go(f);
	return NULL;
}

/*
 * Hold the resident neighbours from @low to @high, in one page-table page, that are
 * not mapped. Nothing that is said of the page that faulted counts: the core maps
 * that.
 */
static void around_collect(struct vmd_access *a, struct around *around,
			   unsigned long low, unsigned long high)
{
	struct vm_area_struct *vma = a->vmf->vma;
	pgoff_t first = vma->vm_pgoff + ((low - vma->vm_start) >> PAGE_SHIFT);
	pgoff_t end = first + ((high - low) >> PAGE_SHIFT);
	XA_STATE(xas, &a->space->pages, first);
	void *entry;
	u32 i, n;
	u64 done;

	end = min(end, READ_ONCE(a->space->nr_pages));
	n = end > first ? end - first : 0;
	done = around_mapped(vma, first, n);
	if (a->index - first < n)
		done |= BIT_ULL(a->index - first);
	around->first = first;
	around->n = n;
	around->nr_held = 0;
	rcu_read_lock();
	entry = xas_load(&xas);
	for (i = 0; i < n; i++, entry = xas_next(&xas)) {
		around->pages[i] = NULL;
		/* A frame is a pointer, and nothing else is. */
		if (done >> i & 1 || !entry || (unsigned long)entry & 3)
			continue;
		around->pages[i] = around_hold(entry, first + i);
		if (around->pages[i])
			around->held[around->nr_held++] = entry;
	}
	rcu_read_unlock();
	/* Behind the end all of them are. */
	around->missing = n ? n - hweight64(done) - around->nr_held : 1;
}

/* Map runs of pages; what is mapped already is stepped over. */
static void around_insert(struct vm_area_struct *vma, struct around *around)
{
	unsigned long address = vma->vm_start +
				((around->first - vma->vm_pgoff) << PAGE_SHIFT);
	unsigned long left;
	u32 i, run;
	int err;

	for (i = 0; i < around->n; i = run + 1) {
		for (run = i; run < around->n && around->pages[run]; run++)
			;
		while (i < run) {
			left = run - i;
			err = vm_insert_pages(vma, address + i * PAGE_SIZE,
					      around->pages + i, &left);
			i = run - left;
			if (err && err != -EBUSY)
				return;
			i += !!err;
		}
	}
}

/* Map those from @low to @high; returns whether none was missing. */
static bool around_map_range(struct vmd_access *a, unsigned long low,
			     unsigned long high)
{
	struct around around;
	u32 i;

	around_collect(a, &around, low, high);
	if (around.nr_held)
		around_insert(a->vmf->vma, &around);
	for (i = 0; i < around.nr_held; i++)
		around_let_go(around.held[i]);
	return !around.missing;
}

/* Likewise, those of a window around @address. */
static bool around_map(struct vmd_access *a, unsigned long address, u32 window)
{
	struct vm_area_struct *vma = a->vmf->vma;
	unsigned long from = round_down(address, window * PAGE_SIZE);

	return around_map_range(a, max(vma->vm_start, from),
				min(vma->vm_end, from + window * PAGE_SIZE));
}

/*
 * Is more of the page's table in use than the many around it? A page touched
 * here and there shall not bring all that are between into the table, as each
 * has to be taken out again before it can leave.
 */
static bool around_used(struct vmd_access *a)
{
	struct vm_area_struct *vma = a->vmf->vma;
	unsigned long at = a->vmf->address & PMD_MASK, flags;
	unsigned long here = round_down(a->vmf->address,
					AROUND_MANY * PAGE_SIZE);
	bool used = false;
	pte_t *ptep;
	u32 i;

	if (at < vma->vm_start || at + PMD_SIZE > vma->vm_end)
		return false;
	local_irq_save(flags);
	ptep = vmd_pte_find(vma->vm_mm, at);
	for (i = 0; ptep && !used && i < PTRS_PER_PTE; i += AROUND_MANY)
		used = at + i * PAGE_SIZE != here &&
		       !pte_none(READ_ONCE(ptep[i]));
	local_irq_restore(flags);
	return used;
}

/* The rest of the table, up to where something is missing. */
static void around_map_table(struct vmd_access *a)
{
	unsigned long at = a->vmf->address & PMD_MASK;
	unsigned long end = at + PMD_SIZE;

	for (; at < end; at += AROUND_MANY * PAGE_SIZE)
		if (a->vmf->address - at >= AROUND_MANY * PAGE_SIZE &&
		    !around_map(a, at, AROUND_MANY))
			return;
}

/*
 * Neighbours come into the page table old: only what is touched shall look
 * touched. Observer "trap" wants every touch to trap, so it maps one page.
 */
static bool around_wanted(struct vmd_access *a)
{
	struct vm_area_struct *vma = a->vmf->vma;

	if (READ_ONCE(a->space->observer) == VMD_OBSERVER_TRAP ||
	    vmd_space_order(a->space) || vma->vm_flags & VM_RAND_READ)
		return false;
	vmd_vma_make_old(vma);
	return true;
}

static void fault_around(struct vmd_access *a)
{
	if (around_wanted(a) &&
	    around_map(a, a->vmf->address, AROUND_FEW) &&
	    around_map(a, a->vmf->address, AROUND_MANY) && around_used(a))
		around_map_table(a);
}

/*
 * What was read ahead is there by now: no faults on it later. That is all there is
 * to be mapped: what is before it is, and what is behind it is not resident.
 */
static void fault_around_ahead(struct vmd_access *a)
{
	unsigned long low = a->vmf->address & PAGE_MASK;
	unsigned long table = (low & PMD_MASK) + PMD_SIZE;

	BUILD_BUG_ON(VMD_AHEAD_MAX >= AROUND_MANY);
	if (a->stride != 1)
		fault_around(a);
	else if (around_wanted(a))
		around_map_range(a, low, min3(table, a->vmf->vma->vm_end, low +
					      (1 + a->ahead) * PAGE_SIZE));
}

/* Hand a locked folio to the core, or, if the lock was given up, to nobody. */
static vm_fault_t fault_map(struct vmd_access *a, struct folio *folio,
			    vm_fault_t ret, const char *reason)
{
	if (a->file) {
		folio_unlock(folio);
		folio_put(folio);
		return 0;
	}
	/* The core does so when we are gone: too late for vmd_flush_check(). */
	if (a->write && !a->vmf->cow_page && !a->shared)
		folio_mark_dirty(folio);
	trace_vmdemo_map(a->space->id, a->index, a->write, reason);
	a->vmf->page = folio_page(folio, vmd_pgoff_part(a->space,
							a->vmf->pgoff));
	if (vmd_space_order(a->space))
		vmd_cluster_map(a, folio);
	return ret | VM_FAULT_LOCKED;
}

/*
 * Did the observer see a reference? "accessed" will read it from the bit that
 * the retried access sets; "fault" sees every fault; "trap" has told before.
 */
static bool fault_is_reference(struct vmd_access *a)
{
	switch (READ_ONCE(a->space->observer)) {
	case VMD_OBSERVER_FAULT:
		return true;
	case VMD_OBSERVER_TRAP:
		return a->reference;
	default:
		return false;
	}
}

/* The page is resident, @folio locked: it only has to be mapped. */
static vm_fault_t fault_soft(struct vmd_access *a, struct vmd_frame *f,
			     struct folio *folio)
{
	struct vmd_space *space = a->space;

	if (!fault_is_retry(a)) {
		fault_count(a);
		vmd_count(space, faults_soft);
		if (fault_is_reference(a)) {
			vmd_count(space, references);
			vmd_count(space, hits);
			vmd_record_reference(a, false);
			vmd_shadows_reference(space, a->index, a->write);
			vmd_decide_touched(space, f, VMD_DECIDE_REFERENCE |
					   (a->write ? VMD_REF_WRITE : 0));
		}
	}
	if (!a->file && !a->vmf->cow_page)
		fault_around(a);
	if (unlikely(a->step) && !fault_is_retry(a))
		vmd_step_served(a, VMD_STEP_SOFT);
	return fault_map(a, folio, 0, fault_is_retry(a) ? "retry" : "soft");
}

/* The page was not resident and is now, @folio locked. */
static vm_fault_t fault_missed(struct vmd_access *a, void *entry,
			       struct folio *folio)
{
	struct vmd_space *space = a->space;
	bool major = vmd_space_place(space, a->index, entry) != VMD_NO_PLACE;

	/* Brought in before, and gone again: another fault after all. */
	if (fault_is_retry(a))
		trace_vmdemo_fault(space->id, a->index, a->write,
				   a->vmf->flags);
	fault_count(a);
	vmd_count(space, references);
	vmd_count(space, misses);
	vmd_placed_missed(space, a->index, !entry);
	vmd_record_reference(a, true);
	vmd_shadows_reference(space, a->index, a->write);
	if (major)
		vmd_count(space, faults_major);
	else
		vmd_count(space, zero_fills);
	vmd_harvest_kick(space);
	if (unlikely(a->step))
		vmd_step_served(a, major ? VMD_STEP_READ : VMD_STEP_ZERO);
	if (a->ahead && !a->file && !a->vmf->cow_page)
		fault_around_ahead(a);
	return major ? fault_map(a, folio, VM_FAULT_MAJOR, "major") :
		       fault_map(a, folio, 0, "zero");
}

/*
 * Past the end. A mapping that was made longer after it was made (mremap) lets
 * the space grow, as mmap() does; one that was cut off stays cut off.
 */
static bool fault_may_grow(struct vmd_access *a)
{
	struct vm_area_struct *vma;
	struct vmd_map *map;
	pgoff_t end;

	if (a->file)
		return false;
	vma = a->vmf->vma;
	map = vma->vm_private_data;
	if (a->index < READ_ONCE(map->reach))
		return false;
	end = vmd_vma_end(a->space, vma);
	vmd_space_reach(a->space, end);
	WRITE_ONCE(map->reach, end);
	return a->index < READ_ONCE(a->space->nr_pages);
}

static vm_fault_t fault_serve(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	bool told = READ_ONCE(space->observer) == VMD_OBSERVER_TRAP;
	int err = vmd_record_begin(a);
	struct folio *folio;
	void *entry;

	if (!err && told)
		err = vmd_thread_trap(a);
	while (!err) {
		if (a->index >= READ_ONCE(space->nr_pages) &&
		    !fault_may_grow(a)) {
			if (unlikely(a->step) && !fault_is_retry(a))
				vmd_step_served(a, VMD_STEP_ILLEGAL);
			return VM_FAULT_SIGBUS;
		}
		entry = xa_load(&space->pages, a->index);
		if (vmd_entry_is_frame(entry)) {
			folio = vmd_frame_lock_folio(a, entry, &err);
			if (folio && vmd_cow_writes(a))
				folio = vmd_cow_break(a, entry, folio, &err);
			if (folio)
				return fault_soft(a, entry, folio);
			cond_resched();
			continue;
		}
		if (!told)
			vmd_thread_miss(a);
		told = true;
		err = vmd_cow_writes(a) ? vmd_cow_foresee(a, entry) : 0;
		if (!err)
			err = vmd_fill(a, entry, &folio);
		if (!err && vmd_cow_writes(a))
			vmd_cow_filled(a, folio);
		if (!err)
			return fault_missed(a, entry, folio);
		if (err == -EAGAIN)
			err = 0;
	}
	return fault_error(a, err);
}

/*
 * Somebody halts each fault; only now may it still be seen to be legal. Returns
 * false if it is not to be served: a signal came.
 */
static bool fault_step(struct vmd_access *a)
{
	if (a->index >= READ_ONCE(a->space->nr_pages))
		fault_may_grow(a);
	return !vmd_step_enter(a);
}

static vm_fault_t vmd_fault(struct vm_fault *vmf)
{
	struct vmd_map *map = vmf->vma->vm_private_data;
	struct vmd_access a = {
		.space = map->space,
		.vmf = vmf,
		.index = vmd_pgoff_page(map->space, vmf->pgoff),
		.write = vmf->flags & FAULT_FLAG_WRITE,
	};
	u64 begin = vmd_clock_ns();
	vm_fault_t ret = 0;
	bool serve = true;

	if (unlikely(map->dead))
		return VM_FAULT_SIGBUS;
	if (unlikely(a.space->orphan) && vmf->vma->vm_mm == current->mm)
		vmd_cow_adopt(a.space);
	/* A system call may hold the file's own lock, as write(2) to it does. */
	if (a.space->store->homes && !(vmf->flags & FAULT_FLAG_USER))
		a.stuck.haste = VMD_IN_KERNEL;
	if (!fault_is_retry(&a))
		trace_vmdemo_fault(a.space->id, a.index, a.write, vmf->flags);
	if (vmd_stepping(a.space)) {
		serve = fault_step(&a);
		/* How long it was halted is not how long it takes. */
		begin = vmd_clock_ns();
	}
	if (likely(serve))
		ret = fault_serve(&a);
	if (unlikely(a.space->group))
		vmd_cow_done(&a);
	vmd_record_done(&a);
	vmd_flush_check(a.space);
	if (a.counted)
		vmd_stats_latency(a.space, vmd_clock_ns() - begin);
	if (unlikely(a.step))
		vmd_step_leave(&a);
	if (a.file) {
		/*
		 * The lock is gone, so the core has to come again, also to be
		 * told of an error. MAJOR makes it say then that it has tried.
		 */
		fput(a.file);
		return VM_FAULT_RETRY | VM_FAULT_MAJOR;
	}
	return ret;
}

#ifdef VMD_WANT_MAP_PAGES
/*
 * Maps nothing: that it is there makes the core call fault() under the VMA's
 * own lock, instead of taking mmap_lock first.
 */
static vm_fault_t vmd_map_pages(struct vm_fault *vmf, pgoff_t start,
				pgoff_t end)
{
	return 0;
}
#endif

/* Write to page @a->index, whose folio is @was. See vmd_page_mkwrite(). */
static vm_fault_t mkwrite_serve(struct vmd_access *a, struct folio *was)
{
	struct folio *folio;
	struct vmd_frame *f;
	int err;

	do {
		folio = vmd_frame_find(a, &f, &err);
		if (!folio)
			return err ? fault_error(a, err) : VM_FAULT_NOPAGE;
		if (folio == was)
			folio = vmd_cow_break(a, f, folio, &err);
		if (err)
			return fault_error(a, err);
		cond_resched();
	} while (!folio);
	/* The core has a reference, and wants it locked. */
	folio_put(folio);
	if (folio == was)
		return VM_FAULT_LOCKED;
	folio_unlock(folio);
	return VM_FAULT_NOPAGE;
}

/*
 * A page of a private space, mapped or about to be, is to be written to. If it
 * is shared, and not any more after this, what was mapped is not the page: the
 * thread faults anew.
 */
static vm_fault_t vmd_page_mkwrite(struct vm_fault *vmf)
{
	struct vmd_map *map = vmf->vma->vm_private_data;
	struct vmd_access a = {
		.space = map->space, .index = vmf->pgoff, .write = true,
	};
	vm_fault_t ret = mkwrite_serve(&a, page_folio(vmf->page));

	vmd_cow_done(&a);
	return ret;
}

/* A VMA was copied: by fork, a split or mremap. This cannot fail. */
static void vmd_vma_open(struct vm_area_struct *vma)
{
	struct vmd_map *old = vma->vm_private_data;
	struct vmd_map *map;

	if (old->space->group && old->vma->vm_mm != vma->vm_mm) {
		vmd_cow_fork(old, vma);
		return;
	}
	map = vmd_map_add(old->space, vma, GFP_KERNEL | __GFP_NOFAIL);
	map->reach = READ_ONCE(old->reach);
	map->dead = old->dead;
	if (old->file)
		map->file = get_file(old->file);
	vma->vm_private_data = map;
	/*
	 * Fork copies what is mapped after this. The child's first touch shall
	 * trap, too, so with observer "trap" there is to be nothing to copy.
	 */
	if (vma->vm_mm != current->mm &&
	    READ_ONCE(map->space->observer) == VMD_OBSERVER_TRAP)
		vmd_unmap_range(map->space, vma->vm_pgoff, vma_pages(vma),
				false);
}

static void vmd_vma_close(struct vm_area_struct *vma)
{
	vmd_map_remove(vma->vm_private_data);
}

const struct vm_operations_struct vmd_vm_ops = {
	.open	   = vmd_vma_open,
	.close	   = vmd_vma_close,
	.fault	   = vmd_fault,
#ifdef VMD_WANT_MAP_PAGES
	.map_pages = vmd_map_pages,
#endif
};

static vm_fault_t vmd_huge_pfn_mkwrite(struct vm_fault *vmf)
{
	return 0;
}

/*
 * Where one entry may map a whole page. That there is pfn_mkwrite, which is for
 * memory without a struct page and not called for ours, makes the core map what
 * is only read as not writable: older ones forget that a huge page is dirty
 * when they unmap it, so it has to be known before.
 */
const struct vm_operations_struct vmd_huge_vm_ops = {
	.open	   = vmd_vma_open,
	.close	   = vmd_vma_close,
	.fault	   = vmd_fault,
	.pfn_mkwrite = vmd_huge_pfn_mkwrite,
#ifdef VMD_WANT_MAP_PAGES
	.map_pages = vmd_map_pages,
#endif
};

const struct vm_operations_struct vmd_private_vm_ops = {
	.open	      = vmd_vma_open,
	.close	      = vmd_vma_close,
	.fault	      = vmd_fault,
	.page_mkwrite = vmd_page_mkwrite,
#ifdef VMD_WANT_MAP_PAGES
	.map_pages    = vmd_map_pages,
#endif
};

/*
 * A page was written: a write fault, a dirty bit found when it was unmapped, a
 * device that wrote to it. Called with page-table locks held.
 */
static bool vmd_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	unsigned long owner = (unsigned long)READ_ONCE(mapping->host->i_private);
	struct vmd_space *space = (struct vmd_space *)owner;

	if (folio_test_set_dirty(folio))
		return false;
	if (owner & VMD_COW_GROUP) {
		vmd_cow_count_dirty((struct vmd_group *)(owner & ~VMD_COW_GROUP),
				    folio, 1);
		return true;
	}
	atomic_long_inc(&space->dirty);
	vmd_count_more(space, pages_dirtied, 1);
	return true;
}

const struct address_space_operations vmd_aops = {
	.dirty_folio = vmd_dirty_folio,
};
