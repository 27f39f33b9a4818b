// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at the hardware's page tables: VMD_IOC_WALK.
 *
 * Who may look: whoever may ptrace the process for reading, as the kernel's own
 * /proc/PID/maps has it. ptrace_may_access() is not exported, and a copy of it
 * would know nothing of security modules. So that very file is opened with the
 * caller's credentials, in a mount of procfs that is the module's own: in the
 * caller's, anything could have been mounted over /proc or over a directory in
 * it. The file is only opened and closed again. What was allowed is a look at
 * the mm that the task had just then; as an mm never comes back once a task has
 * left it, the one that the task has before and after is the one. A process id
 * that went to another process meanwhile is noticed in the same way: the task
 * has no mm then.
 *
 * Why tables do not go away under the walk:
 *  - munmap() and exit take VMAs away with the mmap_lock held for writing, but
 *    may free the tables after they have gone over to reading. So tables are
 *    looked at under the lock for reading where there is a VMA, and for writing
 *    where there is a hole. The reference to the mm keeps exit away;
 *  - some free a page's table with neither: collapsing a file's pages into a
 *    huge one (6.6 and later), zapping a whole table (6.14), giving up a
 *    table that huge pages share. These wait for RCU, or interrupt every CPU
 *    first, because get_user_pages_fast() walks without a lock: it has
 *    interrupts disabled, and so have we.
 *
 * Each entry is read once, and the next table is found from what was read.
 */
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "compat.h"
#include "space.h"

/* Of an entry that is not present, the bits that are no swap entry's. */
#define WALK_ABSENT_FLAGS	GENMASK_ULL(8, 0)
/* Of one that is, where the frame's address is. */
#define WALK_ADDRESS		GENMASK_ULL(51, PAGE_SHIFT)

static struct vfsmount *walk_proc;

/* Does the caller's right to ptrace @task reach to its memory? */
static int walk_allowed(struct task_struct *task, struct pid *pid)
{
	struct pid_namespace *ns = proc_pid_ns(walk_proc->mnt_sb);
	char name[24];
	struct file *file;

	snprintf(name, sizeof(name), "%d/maps", pid_nr_ns(pid, ns));
	file = file_open_root_mnt(walk_proc, name, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOENT ? -ESRCH : PTR_ERR(file);
	fput(file);
	return 0;
}

static struct mm_struct *walk_get_mm(struct task_struct *task, struct pid *pid)
{
	struct mm_struct *mm = get_task_mm(task), *after;
	int err;

	if (!mm)
		return ERR_PTR(-ESRCH);
	if (mm == current->mm)
		return mm;
	err = walk_allowed(task, pid);
	after = get_task_mm(task);
	if (after)
		mmput(after);
	if (!err && after != mm)
		err = -ESRCH;
	if (!err)
		return mm;
	mmput(mm);
	return ERR_PTR(err);
}

/* The memory of a process or thread of this number, or the caller's own. */
static struct mm_struct *walk_find_mm(u32 nr)
{
	struct mm_struct *mm = ERR_PTR(-ESRCH);
	struct task_struct *task;
	struct pid *pid;

	if (!nr) {
		mmget(current->mm);
		return current->mm;
	}
	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_PID);
	if (task) {
		mm = walk_get_mm(task, pid);
		put_task_struct(task);
	}
	put_pid(pid);
	return mm;
}

/*
 * An entry that was read; @shift: of what it maps if it is a page's, or else 0.
 * Returns whether the hardware goes on from here to another table.
 */
static bool walk_note(struct vmd_walk *w, u64 entry, u32 shift)
{
	w->entry[w->nr++] = entry;
	if (!(entry & _PAGE_PRESENT))
		return false;
	if (!shift)
		return true;
	w->result |= VMD_WALK_PRESENT;
	w->page_shift = shift;
	w->frame = (entry & PTE_PFN_MASK & ~(BIT_ULL(shift) - 1)) |
		   (w->address & (BIT_ULL(shift) - 1));
	w->frame >>= PAGE_SHIFT;
	return false;
}

static u32 walk_leaf(u64 entry, u32 shift)
{
	return entry & _PAGE_PSE ? shift : 0;
}

static void walk_from_p4d(struct vmd_walk *w, p4d_t *p4dp)
{
	unsigned long address = w->address;
	p4d_t p4d = READ_ONCE(*p4dp);
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;
	pte_t *ptep, pte;

	if (!walk_note(w, p4d_val(p4d), 0))
		return;
	pudp = pud_offset_lockless(p4dp, p4d, address);
	pud = READ_ONCE(*pudp);
	if (!walk_note(w, pud_val(pud), walk_leaf(pud_val(pud), PUD_SHIFT)))
		return;
	pmdp = pmd_offset_lockless(pudp, pud, address);
	pmd = READ_ONCE(*pmdp);
	if (!walk_note(w, pmd_val(pmd), walk_leaf(pmd_val(pmd), PMD_SHIFT)))
		return;
	/* Tables are never in high memory here: nothing to map or unmap. */
	ptep = pte_offset_kernel(&pmd, address);
	pte = READ_ONCE(*ptep);
	walk_note(w, pte_val(pte), PAGE_SHIFT);
}

/* With four levels the table at the top is what is called P4D with five. */
static void walk_tables(struct mm_struct *mm, struct vmd_walk *w)
{
	pgd_t *pgdp = vmd_user_pgd(pgd_offset(mm, w->address)), pgd;
	unsigned long flags;

	w->levels = pgtable_l5_enabled() ? 5 : 4;
	local_irq_save(flags);
	pgd = READ_ONCE(*pgdp);
	if (w->levels == 4 || walk_note(w, pgd_val(pgd), 0))
		walk_from_p4d(w, p4d_offset_lockless(pgdp, pgd, w->address));
	local_irq_restore(flags);
}

static void walk_vma(struct vmd_walk *w, const struct vm_area_struct *vma)
{
	w->result |= VMD_WALK_MAPPED;
	w->start = vma->vm_start;
	w->end = vma->vm_end;
	w->access |= vma->vm_flags & VM_READ ? VMD_WALK_READ : 0;
	w->access |= vma->vm_flags & VM_WRITE ? VMD_WALK_WRITE : 0;
	w->access |= vma->vm_flags & VM_EXEC ? VMD_WALK_EXEC : 0;
	w->access |= vma->vm_flags & VM_SHARED ? VMD_WALK_SHARED : 0;
}

/* The space mapped there, if it is one, with the caller as a user of it. */
static struct vmd_space *walk_space(struct vmd_walk *w,
				    const struct vm_area_struct *vma)
{
	struct vmd_map *map = vma->vm_private_data;

	if (!vmd_vma_ours(vma) || !map || map->dead || !vmd_space_use(map->space))
		return NULL;
	w->result |= VMD_WALK_SPACE;
	w->space_id = map->space->id;
	w->index = vmd_pgoff_page(map->space, vma->vm_pgoff +
				  ((w->address - vma->vm_start) >> PAGE_SHIFT));
	return map->space;
}

static const struct vm_area_struct *walk_find_vma(struct mm_struct *mm,
						  unsigned long address)
{
	const struct vm_area_struct *vma = find_vma(mm, address);

	return vma && vma->vm_start <= address ? vma : NULL;
}

/* False if there is a hole, and nothing was looked at. */
static bool walk_mapped(struct mm_struct *mm, struct vmd_walk *w,
			struct vmd_space **space)
{
	const struct vm_area_struct *vma = walk_find_vma(mm, w->address);

	if (!vma)
		return false;
	walk_vma(w, vma);
	*space = walk_space(w, vma);
	walk_tables(mm, w);
	return true;
}

static int walk_mm(struct mm_struct *mm, struct vmd_walk *w,
		   struct vmd_space **space)
{
	bool mapped;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	mapped = walk_mapped(mm, w, space);
	mmap_read_unlock(mm);
	if (mapped)
		return 0;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	/* There may be something by now. */
	if (!walk_mapped(mm, w, space))
		walk_tables(mm, w);
	mmap_write_unlock(mm);
	return 0;
}

/* The page's frame, as the space numbers them, and what its policy thinks. */
static void walk_frame(struct vmd_walk *w, struct vmd_space *space)
{
	struct vmd_frame *f = xa_load(&space->pages, w->index);
	struct folio *folio;

	if (!vmd_entry_is_frame(f))
		return;
	folio = READ_ONCE(f->folio);
	w->space_frame = f->id;
	w->result |= VMD_WALK_IN_FRAME;
	if (vmd_decide_position(space, f, &w->position, &w->queue))
		w->result |= VMD_WALK_QUEUED;
	/* Only the address of a structure that may be another's is looked at. */
	if (w->result & VMD_WALK_PRESENT && folio &&
	    READ_ONCE(f->index) == w->index &&
	    w->frame - folio_pfn(folio) < 1UL << vmd_space_order(space))
		w->result |= VMD_WALK_SAME;
}

static void walk_ask_space(struct vmd_walk *w, struct vmd_space *space)
{
	if (vmd_pages_look(space, w->index, &w->page, 1))
		walk_frame(w, space);
	vmd_space_unuse(space);
}

/* What /proc/PID/pagemap does not tell everybody either. */
static void walk_hide(struct vmd_walk *w)
{
	u32 i;

	w->frame = 0;
	for (i = 0; i < w->nr; i++)
		w->entry[i] &= w->entry[i] & _PAGE_PRESENT ? ~WALK_ADDRESS :
			       WALK_ABSENT_FLAGS;
}

/**
 * vmd_walk - carry out VMD_IOC_WALK
 * @w: address, process and flags; the rest is filled
 */
int vmd_walk(struct vmd_walk *w)
{
	struct vmd_walk out = { .address = w->address, .pid = w->pid };
	struct vmd_space *space = NULL;
	struct mm_struct *mm;
	int err;

	if (w->flags || w->reserved || w->address >= TASK_SIZE_MAX)
		return -EINVAL;
	mm = walk_find_mm(w->pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	err = walk_mm(mm, &out, &space);
	mmput(mm);
	if (space)
		walk_ask_space(&out, space);
	if (err)
		return err;
	if (capable(CAP_SYS_ADMIN))
		out.result |= VMD_WALK_FRAMES;
	else
		walk_hide(&out);
	*w = out;
	return 0;
}

/**
 * vmd_walk_init - mount procfs for ourselves
 */
int vmd_walk_init(void)
{
	struct file_system_type *type = get_fs_type("proc");

	if (!type)
		return -ENODEV;
	walk_proc = kern_mount(type);
	/* It is built in: there is no module to be kept. */
	module_put(type->owner);
	return PTR_ERR_OR_ZERO(walk_proc);
}

/**
 * vmd_walk_exit - and unmount it
 */
void vmd_walk_exit(void)
{
	kern_unmount(walk_proc);
}
