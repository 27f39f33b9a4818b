/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file that knows that kernels differ: 6.1, 6.12 and 7.2 are
 * supported. What can be asked of the headers is asked of them, as
 * distributions backport; the version is the last resort.
 */
#ifndef _VMD_COMPAT_H
#define _VMD_COMPAT_H

#include <linux/blkdev.h>
#include <linux/device/class.h>
#include <linux/fs.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/namei.h>
#include <linux/ptrace.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>

/* VMA flags became write-protected by wrappers in 6.3. */
static inline void vmd_vm_flags_set(struct vm_area_struct *vma,
				    unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags |= flags;
#else
	vm_flags_set(vma, flags);
#endif
}

static inline void vmd_vm_flags_clear(struct vm_area_struct *vma,
				      unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags &= ~flags;
#else
	vm_flags_clear(vma, flags);
#endif
}

/* Where a mapping goes: as if the file had no say in it. */
static inline unsigned long
vmd_mm_get_unmapped_area(struct file *file, unsigned long addr,
			 unsigned long len, unsigned long pgoff,
			 unsigned long flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return current->mm->get_unmapped_area(file, addr, len, pgoff, flags);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
#else
	return mm_get_unmapped_area(file, addr, len, pgoff, flags);
#endif
}

/*
 * Let go of the lock under which a fault runs: the VMA's own (6.4 and later),
 * or the mm's. The caller has pinned vma->vm_file and returns VM_FAULT_RETRY.
 */
static inline void vmd_release_fault_lock(struct vm_fault *vmf)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	if (vmf->flags & FAULT_FLAG_VMA_LOCK) {
		vma_end_read(vmf->vma);
		return;
	}
#endif
	mmap_read_unlock(vmf->vma->vm_mm);
}

/*
 * Kernels with VMA locks serve a fault under them only if the file offers
 * map_pages; older ones would just call it in vain before every read fault.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define VMD_WANT_MAP_PAGES
#endif

/*
 * A flag (PG_*) of a folio that one has no reference to. It may be anything by
 * now, a part of a larger one too, with which the core's own functions do not
 * put up where they check (CONFIG_DEBUG_VM_PGFLAGS). To take a reference would
 * keep it where it is, which is not for who only looks.
 */
static inline bool vmd_folio_peek(const struct folio *folio, int flag)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
	return test_bit(flag, &folio->flags);
#else
	return test_bit(flag, &folio->flags.f);
#endif
}

/*
 * How often a folio of 2^@order pages is in page tables, of whatever level: not
 * exported in 6.1, which counts each page of a large one for itself, and adds
 * to each how often an entry maps all of them.
 */
static inline int vmd_folio_mapcount(struct folio *folio, u32 order)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	int i, whole, n = 0;

	if (!order)
		return atomic_read(&folio->_mapcount) + 1;
	whole = atomic_read(folio_mapcount_ptr(folio)) + 1;
	for (i = 0; i < 1 << order; i++)
		n += atomic_read(&folio_page(folio, i)->_mapcount) + 1 - whole;
	return n + whole;
#else
	return atomic_read(order ? &folio->_large_mapcount :
				   &folio->_mapcount) + 1;
#endif
}

/* Where a mapping goes whose pages one entry may map: aligned, if it can be. */
static inline unsigned long
vmd_huge_get_unmapped_area(struct file *file, unsigned long addr,
			   unsigned long len, unsigned long pgoff,
			   unsigned long flags)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	return thp_get_unmapped_area(file, addr, len, pgoff, flags);
#else
	return vmd_mm_get_unmapped_area(file, addr, len, pgoff, flags);
#endif
}

#ifdef CONFIG_X86
#include <asm/invpcid.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

/*
 * The entry of the topmost table that the hardware uses while user code runs:
 * with page-table isolation there are two such tables, side by side. The
 * option changed its name in 6.9.
 */
static inline pgd_t *vmd_user_pgd(pgd_t *pgd)
{
#if defined(CONFIG_PAGE_TABLE_ISOLATION) || \
	defined(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION)
	if (boot_cpu_has(X86_FEATURE_PTI))
		return kernel_to_user_pgdp(pgd);
#endif
	return pgd;
}

/* ptep_test_and_clear_young() is not exported. */
static inline bool vmd_pte_test_and_clear_young(pte_t *ptep)
{
	return test_and_clear_bit(_PAGE_BIT_ACCESSED,
				  (unsigned long *)&ptep->pte);
}

static inline bool vmd_pmd_test_and_clear_young(pmd_t *pmdp)
{
	return test_and_clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)pmdp);
}

/*
 * Forget the translation of @address on this CPU, in the mm loaded now, so that
 * the next access sets the accessed bit again. The kernel's own flushes are not
 * exported. With page-table isolation the user's translations are tagged with
 * a number of their own: bit 11 of it, as the kernel has it in CR3.
 */
static inline void vmd_forget_translation(unsigned long address)
{
	asm volatile("invlpg (%0)" : : "r" (address) : "memory");
#ifdef X86_CR3_PTI_PCID_USER_BIT
	if (boot_cpu_has(X86_FEATURE_PTI) && boot_cpu_has(X86_FEATURE_INVPCID))
		invpcid_flush_one((__read_cr3() & X86_CR3_PCID_MASK) |
				  BIT(X86_CR3_PTI_PCID_USER_BIT), address);
#endif
}

/*
 * Forget all translations of user memory on this CPU. Without INVPCID but with
 * PCID it is only those of the mm loaded now, and of the kernel's view of it.
 */
static inline void vmd_forget_translations(void *unused)
{
	if (boot_cpu_has(X86_FEATURE_XENPV))
		return;
	if (boot_cpu_has(X86_FEATURE_INVPCID))
		invpcid_flush_all_nonglobals();
	else
		native_write_cr3(__native_read_cr3());
}

/*
 * Page-table entries made from this protection shall start out old. mprotect()
 * brings the bit back, so a fault looks again. The write races with nothing
 * but other faults writing the same value: who changes a VMA has it locked for
 * writing.
 */
static inline void vmd_vma_make_old(struct vm_area_struct *vma)
{
	pgprot_t prot = vma->vm_page_prot;

	if (unlikely(pgprot_val(prot) & _PAGE_ACCESSED))
		WRITE_ONCE(vma->vm_page_prot,
			   __pgprot(pgprot_val(prot) & ~_PAGE_ACCESSED));
}

/*
 * Do @a and @b show one and the same instruction about to be restarted? The
 * error code (orig_ax) and RF differ between two faults of one instruction,
 * the other registers do not.
 */
static inline bool vmd_regs_same(const struct pt_regs *a,
				 const struct pt_regs *b)
{
	/* First what addresses are made of: mostly one of these has changed. */
	return a->ip == b->ip && a->sp == b->sp && a->ax == b->ax &&
	       a->cx == b->cx && a->dx == b->dx && a->di == b->di &&
	       !memcmp(a, b, offsetof(struct pt_regs, orig_ax));
}
#else
#error "vmdemo reads accessed bits and registers: x86-64 only so far"
#endif

/* A cheap clock; differences in one thread are all that is asked of it. */
static inline u64 vmd_clock_ns(void)
{
	return sched_clock();
}

/* A block device, held exclusively, and what closes it again. */
struct vmd_bdev {
	struct block_device *bdev;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct file *file;
#endif
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
static inline int vmd_bdev_open(struct vmd_bdev *b, const char *path,
				void *holder)
{
	b->file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE,
					 holder, NULL);
	if (IS_ERR(b->file))
		return PTR_ERR(b->file);
	b->bdev = file_bdev(b->file);
	return 0;
}

static inline void vmd_bdev_close(struct vmd_bdev *b, void *holder)
{
	bdev_fput(b->file);
}
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline int vmd_bdev_open(struct vmd_bdev *b, const char *path,
				void *holder)
{
	b->bdev = blkdev_get_by_path(path, FMODE_READ | FMODE_WRITE | FMODE_EXCL,
				     holder);
	return PTR_ERR_OR_ZERO(b->bdev);
}

static inline void vmd_bdev_close(struct vmd_bdev *b, void *holder)
{
	blkdev_put(b->bdev, FMODE_READ | FMODE_WRITE | FMODE_EXCL);
}
#else
#error "6.5 to 6.8 open block devices in ways of their own: not supported"
#endif

/* The inode that holds a block device's page cache. */
static inline struct inode *vmd_bdev_inode(struct block_device *bdev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return bdev->bd_inode;
#else
	return bdev->bd_mapping->host;
#endif
}

/* Unlink @dentry in its locked parent @dir of the mount @mnt. */
static inline int vmd_unlink(struct vfsmount *mnt, struct inode *dir,
			     struct dentry *dentry)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	return vfs_unlink(mnt_user_ns(mnt), dir, dentry, NULL);
#else
	return vfs_unlink(mnt_idmap(mnt), dir, dentry, NULL);
#endif
}

/* Since 6.8 vfs_iocb_iter_write() keeps freezing away itself. */
static inline void vmd_start_write(struct file *file)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	file_start_write(file);
#endif
}

static inline void vmd_end_write(struct file *file)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	file_end_write(file);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define vmd_class_create(name)		class_create(THIS_MODULE, name)
#else
#define vmd_class_create(name)		class_create(name)
#endif

/* Class callbacks got a const device in 6.2. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define vmd_const_device		struct device
#else
#define vmd_const_device		const struct device
#endif

/* __assign_str() lost its second argument in 6.10. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vmd_assign_str(dst, src)	__assign_str(dst, src)
#else
#define vmd_assign_str(dst, src)	__assign_str(dst)
#endif

/* Reading into a pipe by way of read_iter: another name since 6.5. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define vmd_splice_read		generic_file_splice_read
#else
#define vmd_splice_read		copy_splice_read
#endif

/* Workqueues that stay on a CPU have to say so since 6.18. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define VMD_WQ_PERCPU			0
#else
#define VMD_WQ_PERCPU			WQ_PERCPU
#endif

typedef unsigned long (*vmd_shrink_fn)(struct shrinker *shrinker,
				       struct shrink_control *sc);

static inline void vmd_shrinker_set(struct shrinker *shrinker,
				    vmd_shrink_fn count, vmd_shrink_fn scan,
				    long batch)
{
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->batch = batch;
	shrinker->seeks = DEFAULT_SEEKS;
}

/* Shrinkers are the core's to allocate since 6.7. Returns NULL if it failed. */
static inline struct shrinker *vmd_shrinker_register(vmd_shrink_fn count,
						     vmd_shrink_fn scan,
						     long batch)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	struct shrinker *shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);

	if (!shrinker)
		return NULL;
	vmd_shrinker_set(shrinker, count, scan, batch);
	if (!register_shrinker(shrinker, "vmdemo"))
		return shrinker;
	kfree(shrinker);
	return NULL;
#else
	struct shrinker *shrinker = shrinker_alloc(0, "vmdemo");

	if (!shrinker)
		return NULL;
	vmd_shrinker_set(shrinker, count, scan, batch);
	shrinker_register(shrinker);
	return shrinker;
#endif
}

static inline void vmd_shrinker_unregister(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	unregister_shrinker(shrinker);
	kfree(shrinker);
#else
	shrinker_free(shrinker);
#endif
}

/*
 * Does fork call open() of a mapping's copy before it enters that into its file's
 * address_space, and takes the reference to its file? Only then may open() give
 * it another file (cow.h). No header tells; it came in 6.10, and in 6.1 by an
 * update, of which this is no earlier than what was looked at.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 190) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#define VMD_FORK_OPENS_FIRST	1
#else
#define VMD_FORK_OPENS_FIRST	0
#endif

#endif /* _VMD_COMPAT_H */
