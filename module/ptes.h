/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding entries of page tables in mappings of a space.
 */
#ifndef _VMD_PTES_H
#define _VMD_PTES_H

#include <linux/mm.h>

/*
 * The entry of the lowest table for an address within a VMA of a space's, or
 * NULL if there is no such table. That VMA stays, and interrupts are disabled:
 * that keeps the tables from being freed (walk.c). The pages of a space are
 * mapped one by one.
 */
static inline pte_t *vmd_pte_find(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgdp = pgd_offset(mm, address), pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;

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
	pmdp = pmd_offset_lockless(pudp, pud, address);
	pmd = READ_ONCE(*pmdp);
	if (!pmd_present(pmd) || pmd_val(pmd) & _PAGE_PSE)
		return NULL;
	return pte_offset_kernel(&pmd, address);
}

/**
 * struct vmd_pte_table - a lowest table, to find one entry after the other in
 * @start: address of its first entry; 1: none has been looked for
 * @ptes: the entries, or NULL if there is no such table
 */
struct vmd_pte_table {
	unsigned long start;
	pte_t *ptes;
};

#define VMD_PTE_TABLE_NONE	{ .start = 1 }

/*
 * As vmd_pte_find(), for addresses most of which lie in the same table as the one
 * before; with interrupts disabled all the while.
 */
static inline pte_t *vmd_pte_find_next(struct vmd_pte_table *table,
				       struct mm_struct *mm,
				       unsigned long address)
{
	unsigned long start = address & PMD_MASK;

	if (table->start != start) {
		table->start = start;
		table->ptes = vmd_pte_find(mm, start);
	}
	return table->ptes ? table->ptes + pte_index(address) : NULL;
}

#endif /* _VMD_PTES_H */
