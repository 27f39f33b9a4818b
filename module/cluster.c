// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages larger than the kernel's: how they come into page tables, and what is
 * found there.
 *
 * A page of 64 KiB is mapped entry by entry, all that lie in the mapping at one
 * fault. One of 2 MiB the core maps by a single entry, when it is handed the
 * locked folio, if that lies as a whole in the mapping and as it should; else it
 * maps the one entry that was touched. Where only part of a huge entry is to go
 * (munmap, mprotect and mremap of a part, a private copy), the core takes it out
 * as a whole, and the next touches map what is left entry by entry.
 */
#include <linux/highmem.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>

#include "compat.h"
#include "space.h"

static const u32 cluster_orders[] = { 0, VMD_CLUSTER_ORDER, VMD_HUGE_ORDER };

/**
 * vmd_page_order - the order of a page size, or -EINVAL
 * @bytes: as the user gave it
 */
int vmd_page_order(u64 bytes)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cluster_orders); i++)
		if (bytes == PAGE_SIZE << cluster_orders[i])
			return cluster_orders[i];
	return -EINVAL;
}

/**
 * vmd_folio_zero - fill a page's memory with zeros
 * @space: of which
 * @folio: the memory; may sleep
 */
void vmd_folio_zero(struct vmd_space *space, struct folio *folio)
{
	u32 i, n = 1U << vmd_space_order(space);

	for (i = 0; i < n; i++) {
		clear_highpage(folio_page(folio, i));
		if (i % 64 == 63)
			cond_resched();
	}
}

/* Will the core map the page by one entry? As do_set_pmd() sees it. */
static bool cluster_fits_huge(const struct vm_fault *vmf)
{
	const struct vm_area_struct *vma = vmf->vma;
	unsigned long start = vmf->address & PMD_MASK;

	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
	       !(vma->vm_flags & VM_NOHUGEPAGE) &&
	       IS_ALIGNED((vma->vm_start >> PAGE_SHIFT) - vma->vm_pgoff,
			  PMD_SIZE >> PAGE_SHIFT) &&
	       start >= vma->vm_start && start + PMD_SIZE <= vma->vm_end &&
	       pmd_none(READ_ONCE(*vmf->pmd));
}

/*
 * Map the parts from @from to before @to, at @address the first of them; what is
 * mapped already is stepped over.
 */
static void cluster_insert(struct vm_area_struct *vma, unsigned long address,
			   struct folio *folio, u32 from, u32 to)
{
	struct page *pages[1 << VMD_CLUSTER_ORDER];
	unsigned long left;
	u32 i, n = to - from;
	int err;

	for (i = 0; i < n; i++)
		pages[i] = folio_page(folio, from + i);
	for (i = 0; i < n; i += !!err) {
		left = n - i;
		err = vm_insert_pages(vma, address + i * PAGE_SIZE, pages + i,
				      &left);
		i = n - left;
		if (err && err != -EBUSY)
			return;
	}
}

/* Map what lies in the mapping, but for the part that the core is going to. */
static void cluster_around(struct vm_fault *vmf, struct folio *folio, u32 nr)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long address = vmf->address & PAGE_MASK;
	u32 part = vmf->pgoff & (nr - 1);
	unsigned long before = (address - vma->vm_start) >> PAGE_SHIFT;
	unsigned long after = (vma->vm_end - address) >> PAGE_SHIFT;
	u32 from = part - min_t(unsigned long, part, before);
	u32 to = part + min_t(unsigned long, nr - part, after);

	vmd_vma_make_old(vma);
	if (from < part)
		cluster_insert(vma, address - (part - from) * PAGE_SIZE, folio,
			       from, part);
	if (part + 1 < to)
		cluster_insert(vma, address + PAGE_SIZE, folio, part + 1, to);
}

/**
 * vmd_cluster_map - a large page is about to be mapped: map more of it, or count
 * @a: the fault; its lock is held
 * @folio: the page's memory, locked
 */
void vmd_cluster_map(struct vmd_access *a, struct folio *folio)
{
	u32 order = vmd_space_order(a->space);

	if (a->vmf->cow_page)
		return;
	if (order == VMD_HUGE_ORDER && cluster_fits_huge(a->vmf)) {
		vmd_count_more(a->space, mapped_huge, 1);
		return;
	}
	vmd_count_more(a->space, mapped_parts, 1);
	if (order == VMD_CLUSTER_ORDER && !(a->vmf->vma->vm_flags & VM_RAND_READ))
		cluster_around(a->vmf, folio, 1U << order);
}

/**
 * struct cluster_look - looking for one page in the page tables of a mapping
 * @mm: whose, locked
 * @address: of the part that is looked at
 * @end: where the page, or the mapping, ends
 * @pfn: where the part at @address is
 * @clear: take accessed bits away
 * @seen: VMD_PAGE_* bits found
 */
struct cluster_look {
	struct mm_struct *mm;
	unsigned long address;
	unsigned long end;
	unsigned long pfn;
	bool clear;
	u32 seen;
};

static void look_forget(struct cluster_look *look)
{
	if (look->mm == current->mm)
		vmd_forget_translation(look->address);
}

static void look_pte(struct cluster_look *look, pte_t *ptep)
{
	pte_t pte = *ptep;

	/* A private copy is none of ours. */
	if (!pte_present(pte) || pte_pfn(pte) != look->pfn)
		return;
	if (pte_dirty(pte))
		look->seen |= VMD_PAGE_DIRTY;
	if (!pte_young(pte))
		return;
	look->seen |= VMD_PAGE_ACCESSED;
	if (look->clear && vmd_pte_test_and_clear_young(ptep))
		look_forget(look);
}

static void look_huge(struct cluster_look *look, pmd_t *pmdp)
{
	pmd_t pmd = *pmdp;

	if (pmd_pfn(pmd) != look->pfn -
	    ((look->address & ~PMD_MASK) >> PAGE_SHIFT))
		return;
	look->seen |= VMD_PAGE_HUGE;
	if (pmd_dirty(pmd))
		look->seen |= VMD_PAGE_DIRTY;
	if (!pmd_young(pmd))
		return;
	look->seen |= VMD_PAGE_ACCESSED;
	if (look->clear && vmd_pmd_test_and_clear_young(pmdp))
		look_forget(look);
}

/* Entry by entry up to @next, in the table that @pmdp leads to. */
static void look_table(struct cluster_look *look, pmd_t *pmdp,
		       unsigned long next)
{
	spinlock_t *ptl = pte_lockptr(look->mm, pmdp);
	pte_t *ptep = pte_offset_kernel(pmdp, look->address);

	/* Inside the lock of the table above, as the core nests them (pt_reclaim). */
	spin_lock_nested(ptl, SINGLE_DEPTH_NESTING);
	for (; look->address < next; look->address += PAGE_SIZE, look->pfn++)
		look_pte(look, ptep++);
	spin_unlock(ptl);
}

static pmd_t *look_find_pmd(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgd = pgd_offset(mm, address);
	p4d_t *p4d;
	pud_t *pud;

	if (!pgd_present(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, address);
	if (!p4d_present(*p4d))
		return NULL;
	pud = pud_offset(p4d, address);
	return pud_present(*pud) ? pmd_offset(pud, address) : NULL;
}

/*
 * One entry of the level at which huge pages are mapped. Its lock keeps it what
 * it is: tables come and go under it, too.
 */
static void look_pmd(struct cluster_look *look, unsigned long next)
{
	pmd_t *pmdp = look_find_pmd(look->mm, look->address);
	spinlock_t *ptl;	/* of that entry, or of the table it is in */

	if (!pmdp)
		return;
	ptl = pmd_lock(look->mm, pmdp);
	if (pmd_trans_huge(*pmdp)) {
		if (pmd_present(*pmdp))
			look_huge(look, pmdp);
	} else if (pmd_present(*pmdp)) {
		look_table(look, pmdp, next);
	}
	spin_unlock(ptl);
}

/**
 * vmd_cluster_look - what the page tables of a mapping say about a large page
 * @space: of which
 * @vma: the mapping, its mm locked; shows at least a part of the page
 * @index: the page
 * @pfn: where its memory is
 * @clear: take accessed bits away
 *
 * Returns VMD_PAGE_DIRTY, VMD_PAGE_ACCESSED and VMD_PAGE_HUGE as they apply.
 */
u32 vmd_cluster_look(struct vmd_space *space, struct vm_area_struct *vma,
		     pgoff_t index, unsigned long pfn, bool clear)
{
	pgoff_t first = vmd_page_pgoff(space, index);
	pgoff_t start = max(first, vma->vm_pgoff);
	pgoff_t end = min(vmd_page_pgoff(space, index + 1),
			  vma->vm_pgoff + vma_pages(vma));
	struct cluster_look look = {
		.mm = vma->vm_mm, .pfn = pfn + (start - first), .clear = clear,
	};
	unsigned long next;

	look.address = vma->vm_start + ((start - vma->vm_pgoff) << PAGE_SHIFT);
	look.end = look.address + ((end - start) << PAGE_SHIFT);
	while (look.address < look.end) {
		next = pmd_addr_end(look.address, look.end);
		look_pmd(&look, next);
		look.pfn += (next - look.address) >> PAGE_SHIFT;
		look.address = next;
	}
	return look.seen;
}
