/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding entries of page tables in mappings of a space.
 */
#ifndef _VMD_PTES_H
#define _VMD_PTES_H

#include <linux/mm.h>

/*
 * The entry of the second lowest table for an address within a VMA of a space's,
 * or NULL if there is no such table. That VMA stays, and interrupts are disabled:
 * that keeps the tables from being freed (walk.c).
 */
static inline pmd_t *vmd_pmd_find(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgdp = pgd_offset(mm, address), pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;

	if (pgd_none(pgd))
		return NULL;
	p4dp = p4d_offset_lockless(pgdp, pgd, address);
	p4d = READ_ONCE(*p4dp);
	if (!p4d_present(p4d))
		return NULL;
	pudp = pud_offset_lockless(p4dp, p4d, address);
	pud = READ_ONCE(*pudp);
	if (!pud_present(pud) || pud_val(pud) & _PAGE_PSE)
		return NULL;
	return pmd_offset_lockless(pudp, pud, address);
}

/* The entry of the lowest table, below that. The pages are mapped one by one. */
static inline pte_t *vmd_pte_below(pmd_t *pmdp, unsigned long address)
{
	pmd_t pmd = READ_ONCE(*pmdp);

	if (!pmd_present(pmd) || pmd_val(pmd) & _PAGE_PSE)
		return NULL;
	return pte_offset_kernel(&pmd, address);
}

/* Both, as vmd_pmd_find(). */
static inline pte_t *vmd_pte_find(struct mm_struct *mm, unsigned long address)
{
	pmd_t *pmdp = vmd_pmd_find(mm, address);

	return pmdp ? vmd_pte_below(pmdp, address) : NULL;
}

/**
 * struct vmd_pte_tables - where the last entry was, to find the next one
 * @start: address of the first entry of its table; 1: none has been looked for
 * @ptes: that table, or NULL if there is none
 * @upper: address of the first entry of the table above; 1: likewise
 * @pmds: that table, or NULL
 */
struct vmd_pte_tables {
	unsigned long start;
	pte_t *ptes;
	unsigned long upper;
	pmd_t *pmds;
};

#define VMD_PTE_TABLES_NONE	{ .start = 1, .upper = 1 }

static inline pte_t *vmd_ptes_below(struct vmd_pte_tables *tables,
				    struct mm_struct *mm, unsigned long start)
{
	unsigned long upper = start & PUD_MASK;

	if (tables->upper != upper) {
		tables->upper = upper;
		tables->pmds = vmd_pmd_find(mm, upper);
	}
	return tables->pmds ? vmd_pte_below(tables->pmds + pmd_index(start),
					    start) : NULL;
}

/*
 * As vmd_pte_find(), for addresses most of which lie in the same tables as the one
 * before; with interrupts disabled all the while.
 */
static inline pte_t *vmd_pte_find_next(struct vmd_pte_tables *tables,
				       struct mm_struct *mm,
				       unsigned long address)
{
	unsigned long start = address & PMD_MASK;

	if (tables->start != start) {
		tables->start = start;
		tables->ptes = vmd_ptes_below(tables, mm, start);
	}
	return tables->ptes ? tables->ptes + pte_index(address) : NULL;
}

#endif /* _VMD_PTES_H */
