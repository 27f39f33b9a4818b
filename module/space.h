/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The space: one pageable object, and everything the module's files share.
 *
 * A page of a space has one entry in the space's page table (an xarray):
 *
 *   NULL		absent, never touched
 *   a value		not resident: its place in the store, if it has one,
 *			and how often it missed (vmd_entry_*)
 *   a pointer		a struct vmd_frame: filling, resident or evicting
 *
 *   absent or swapped -> filling -> resident -> evicting -> absent or swapped
 *
 * A filling frame is put in place by a compare-and-exchange. Whoever finds a
 * frame filling or evicting waits for it killably and looks the page up anew.
 * Frame structures are never freed while their space lives, so one found in
 * the page table may be looked at without a lock; what is seen there holds
 * only once the folio in it is locked and the frame was found still resident
 * with that folio and that index (vmd_frame_lock_folio).
 *
 * Lock order, outermost first:
 *
 *   mmap_lock or VMA lock of the faulting mm
 *     vmd_space.config_lock	configuration changes, one at a time
 *       vmd_space.trap_lock	threads' current pages in observer "trap"
 *       vmd_space.evict_lock	choosing victims, one thread at a time
 *         folio lock		a frame's state, while resident or evicting;
 *				under evict_lock only by trylock
 *           vmd_space.grow_lock  frames and policy memory get more
 *             i_mmap_rwsem, page-table locks (unmap_mapping_pages)
 *             vmd_space.policy_lock   (spin) every call of the policy
 *             vmd_space.pool_lock     (spin) free frame structures
 *             vmd_space.threads_lock  (spin) the table of threads
 *             vmd_space.maps_lock     (spin) the list of mappings
 *
 * The mmap_lock of any mm, the faulting thread's own included, is only tried
 * for under these (observe.c). None of them is held during I/O except the lock
 * of the very folio that is read or written, nor while user memory is copied:
 * that may fault on this same space.
 */
#ifndef _VMD_SPACE_H
#define _VMD_SPACE_H

#undef pr_fmt
#define pr_fmt(fmt)	"vmdemo: " fmt

#include <linux/file.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../uapi/vmdemo.h"
#include "policy/policy.h"
#include "stats.h"
#include "store.h"

/* Frames lent beyond the budget where one instruction needs more at once. */
#define VMD_RESERVE_FRAMES	16
/* Frame structures beyond those: pages being filled while others are evicted. */
#define VMD_FILLING_FRAMES	64
#define VMD_CHUNK_FRAMES	128	/* frame structures allocated at a time */
#define VMD_BATCH_MAX		32	/* pages evicted in one round */
#define VMD_CHAIN_MAX		8	/* pages one instruction may need */

enum vmd_observer {
	VMD_OBSERVER_FAULT,
	VMD_OBSERVER_ACCESSED,
	VMD_OBSERVER_TRAP,
};

/*
 * vmd_frame.word: the state in its low bits (VMD_FRAME_FREE or one of enum
 * vmd_page_state), then these flags.
 */
#define VMD_FRAME_FREE		0
#define VMD_FRAME_STATE		7
#define VMD_FRAME_PINNED	BIT(3)	/* VMD_ADVICE_PIN: not in the policy */
#define VMD_FRAME_GUARDED	BIT(4)	/* a page of an unfinished instruction */
#define VMD_FRAME_FRESH		BIT(5)	/* accessed bit is the insertion's own */
#define VMD_FRAME_QUEUED	BIT(6)	/* in the policy's hands */

/**
 * struct vmd_frame - a frame and the page in it
 * @folio: the memory; NULL unless resident or evicting
 * @index: the page, as its index in the space; next free frame while free
 * @word: state and VMD_FRAME_* flags
 * @place: place in the store that holds, or held, a copy; or VMD_NO_PLACE
 * @faults: how often the page missed
 * @id: the frame's number, the policy's slot; never changes
 */
struct vmd_frame {
	struct folio *folio;
	pgoff_t index;
	atomic_t word;
	u32 place;
	u32 faults;
	u32 id;
};

/**
 * struct vmd_map - a mapping of a space: what vm_private_data points to
 * @space: of which
 * @list: in vmd_space.maps
 * @vma: valid while on the list; its range only under its mm's mmap_lock
 * @seq: grows along the list
 * @reach: end of the pages it covered when it was made: an access at or past
 *	that means it was made longer since (mremap), and the space grows
 */
struct vmd_map {
	struct vmd_space *space;
	struct list_head list;
	struct vm_area_struct *vma;
	u64 seq;
	pgoff_t reach;
};

/**
 * struct vmd_space - a space
 * @ref: references: one of all users together, requests under way, views
 * @users: open files
 * @id: never 0, never used twice
 * @owner: user who made it
 * @pid: process that made it
 * @comm: its name
 * @inode: a private inode, so that unmapping concerns this space alone
 * @store: where pages live when not resident
 * @pages: the page table
 * @nr_pages: size in pages; READ_ONCE outside config_lock
 * @resident: frames in use, the lent ones included
 * @limit: most frames that may be taken; below @budget only while a smaller
 *	budget is being enforced
 * @budget: what is reported
 * @pinned: frames pinned by advice
 * @dirty: resident pages known to be dirty
 * @frame_wait: woken when a frame or a frame structure becomes free
 * @pool_lock: @free, @nr_frames
 * @free: first free frame structure, VMD_NO_SLOT if there is none
 * @nr_frames: frame structures there are
 * @chunks: the frame structures, VMD_CHUNK_FRAMES at a time
 * @policy_lock: @policy, @policy_state, @policy_slots and what is behind them
 * @policy: name and parameters
 * @policy_state: the policy's memory
 * @policy_slots: frame numbers it is made for
 * @policy_frames: budget it was told of
 * @observer: enum vmd_observer; READ_ONCE outside config_lock
 * @maps_lock: @maps, @map_seq
 * @maps: mappings, in the order of their seq
 * @map_seq: last seq given
 * @trap_lock: threads' current pages change one at a time
 * @threads_lock: @threads
 * @threads: struct vmd_thread by task (thread.c)
 * @nr_threads: entries of @threads
 * @evict_lock: see the lock order
 * @config_lock: see the lock order
 * @grow_lock: see the lock order
 * @harvest: background harvest of accessed bits
 * @trim: takes lent frames back
 * @under_way: reads, and batches of pages on their way out
 * @progress: changes when a page comes in, goes, or could not
 * @stats: counters of each CPU
 * @reset: what was subtracted from them by VMD_IOC_RESET_STATS
 * @reset_lock: @reset
 * @debugfs: the space's directory
 */
struct vmd_space {
	struct kref ref;
	atomic_t users;
	u64 id;
	kuid_t owner;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct inode *inode;
	struct vmd_store *store;

	struct xarray pages;
	pgoff_t nr_pages;

	atomic_long_t resident;
	unsigned long limit;
	unsigned long budget;
	atomic_long_t pinned;
	atomic_long_t dirty;
	wait_queue_head_t frame_wait;
	spinlock_t pool_lock;		/* free frame structures */
	u32 free;
	u32 nr_frames;
	struct xarray chunks;

	spinlock_t policy_lock;		/* every call of the policy */
	struct vmd_policy_choice policy;
	void *policy_state;
	u32 policy_slots;
	u32 policy_frames;

	enum vmd_observer observer;
	spinlock_t maps_lock;		/* the list of mappings */
	struct list_head maps;
	u64 map_seq;
	struct mutex trap_lock;		/* threads move on one by one */
	spinlock_t threads_lock;	/* the table of threads */
	struct hlist_head *threads;
	u32 nr_threads;

	struct mutex evict_lock;	/* choosing victims */
	struct mutex config_lock;	/* configuration changes */
	struct mutex grow_lock;		/* more frames, more policy memory */
	struct delayed_work harvest;
	struct delayed_work trim;
	atomic_t under_way;
	unsigned long progress;

	struct vmd_counters __percpu *stats;
	struct vmd_counters reset;
	spinlock_t reset_lock;		/* what was reset */
	struct dentry *debugfs;
};

/**
 * struct vmd_access - one access being served, as it passes through the files
 * @space: of which
 * @vmf: the fault, or NULL for advice
 * @index: page
 * @write: the access writes
 * @pin: the page is to be pinned when it is in (VMD_ADVICE_PIN)
 * @chained: of an instruction that has faulted before
 * @several: and that needs other pages besides: frames may be lent for it
 * @reference: a reference, as far as the observer can tell
 * @evicted: had to evict to get a frame
 * @counted: is in the counters
 * @file: pinned because the fault's lock was given up to wait
 */
struct vmd_access {
	struct vmd_space *space;
	struct vm_fault *vmf;
	pgoff_t index;
	bool write;
	bool pin;
	bool chained;
	bool several;
	bool reference;
	bool evicted;
	bool counted;
	struct file *file;
};

static inline u32 vmd_frame_state(const struct vmd_frame *f)
{
	return atomic_read_acquire((atomic_t *)&f->word) & VMD_FRAME_STATE;
}

static inline bool vmd_frame_test(const struct vmd_frame *f, u32 flag)
{
	return atomic_read(&f->word) & flag;
}

/* The flag of a folio changes before the count does: not below 0 meanwhile. */
static inline u64 vmd_space_dirty(struct vmd_space *space)
{
	return max(atomic_long_read(&space->dirty), 0L);
}

/* Something moved: who waits for a frame may go on hoping. */
static inline void vmd_space_progress(struct vmd_space *space)
{
	/* Races lose a step, but never all of them. */
	WRITE_ONCE(space->progress, READ_ONCE(space->progress) + 1);
}

/* Space-wide views of one fact. */
static inline struct address_space *vmd_mapping(struct vmd_space *space)
{
	return space->inode->i_mapping;
}

static inline u64 vmd_space_size(const struct vmd_space *space)
{
	return (u64)READ_ONCE(space->nr_pages) << PAGE_SHIFT;
}

/*
 * Entries of the page table that are values: bits 0-31 the place, the rest how
 * often the page missed (30 bits are left on 64-bit machines).
 */
#define VMD_FAULTS_MAX		((1U << 30) - 1)

static inline void *vmd_entry_make(u32 place, u32 faults)
{
	return xa_mk_value((u64)faults << 32 | place);
}

static inline u32 vmd_entry_place(const void *entry)
{
	return entry ? lower_32_bits(xa_to_value(entry)) : VMD_NO_PLACE;
}

static inline u32 vmd_entry_faults(const void *entry)
{
	return entry ? (u64)xa_to_value(entry) >> 32 : 0;
}

/* The entry is a frame. */
static inline bool vmd_entry_is_frame(const void *entry)
{
	return entry && !xa_is_value(entry);
}

/* space.c: life and configuration */
/* Held while a space's counters go over to those of spaces that are gone. */
extern struct mutex vmd_spaces_lock;
struct vmd_space *vmd_space_create(void);
bool vmd_space_use(struct vmd_space *space);
void vmd_space_unuse(struct vmd_space *space);
void vmd_space_get(struct vmd_space *space);
void vmd_space_put(struct vmd_space *space);
struct vmd_space *vmd_space_find(u64 id);
struct vmd_space *vmd_space_next(u64 after);
struct vmd_space *vmd_space_largest(void);
unsigned long vmd_space_count(void);
void vmd_space_reach(struct vmd_space *space, pgoff_t end);

/* config.c: configuration */
int vmd_space_configure(struct vmd_space *space, const struct vmd_config *cfg);
void vmd_space_config(struct vmd_space *space, struct vmd_config *cfg);
int vmd_observer_parse(const char *name);
const char *vmd_observer_name(enum vmd_observer observer);

/* frame.c: frames, budget, state changes */
struct vmd_frame *vmd_frame_take(struct vmd_access *a);
void vmd_frame_return(struct vmd_space *space, struct vmd_frame *f);
struct vmd_frame *vmd_frame_by_id(struct vmd_space *space, u32 id);
void vmd_frame_set_state(struct vmd_frame *f, u32 state);
void vmd_frame_set(struct vmd_frame *f, u32 flag);
void vmd_frame_clear(struct vmd_frame *f, u32 flag);
int vmd_frame_wait(struct vmd_access *a, struct vmd_frame *f);
bool vmd_frame_idle(const struct vmd_frame *f);
struct folio *vmd_frame_lock_folio(struct vmd_access *a, struct vmd_frame *f,
				   int *err);
int vmd_frame_charge(struct vmd_access *a);
void vmd_frame_uncharge(struct vmd_space *space);
struct folio *vmd_folio_alloc(struct vmd_access *a, bool zero);
void vmd_folio_release(struct vmd_frame *f);
void vmd_folio_clean(struct vmd_space *space, struct folio *folio);
void vmd_frames_destroy(struct vmd_space *space);
void vmd_may_wait(struct vmd_access *a);
unsigned long vmd_frames_total(void);

/* fill.c: bringing a page in */
int vmd_fill(struct vmd_access *a, void *entry, struct folio **folio);
int vmd_bring_in(struct vmd_space *space, pgoff_t index, bool pin);

/* evict.c: taking pages out */
int vmd_evict(struct vmd_space *space, unsigned long want,
	      struct vmd_access *a);
int vmd_evict_page(struct vmd_space *space, pgoff_t index, bool only_clean);
int vmd_evict_down(struct vmd_space *space, unsigned long limit);
void vmd_drop_from(struct vmd_space *space, pgoff_t first);

/* writeback.c: writing pages that stay */
int vmd_write_range(struct vmd_space *space, pgoff_t first, pgoff_t end);
void vmd_trim_work(struct work_struct *work);
int vmd_reclaim_total(void);

/* decide.c: the space's instance of its policy */
int vmd_policy_start(struct vmd_space *space,
		     const struct vmd_policy_choice *choice);
int vmd_policy_switch(struct vmd_space *space,
		      const struct vmd_policy_choice *choice);
int vmd_policy_reshape(struct vmd_space *space, u32 slots,
		       unsigned long budget);
void vmd_policy_stop(struct vmd_space *space);
void vmd_decide_inserted(struct vmd_space *space, struct vmd_frame *f,
			 u32 flags);
void vmd_decide_touched(struct vmd_space *space, struct vmd_frame *f,
			u32 flags);
void vmd_decide_removed(struct vmd_space *space, struct vmd_frame *f,
			enum vmd_removal why);
void vmd_decide_kept(struct vmd_space *space, struct vmd_frame *f);
u32 vmd_decide_victims(struct vmd_space *space, u32 *out, u32 max);

/* observe.c: mappings, accessed bits */
struct vmd_map *vmd_map_add(struct vmd_space *space,
			    struct vm_area_struct *vma, gfp_t gfp);
void vmd_map_remove(struct vmd_map *map);
void vmd_observed(struct vmd_space *space, struct vmd_frame *f);
bool vmd_harvest_frame(struct vmd_space *space, struct vmd_frame *f);
void vmd_harvest_kick(struct vmd_space *space);
void vmd_harvest_work(struct work_struct *work);
void vmd_observe_pages(struct vmd_space *space, pgoff_t first,
		       struct vmd_page *pages, u32 n);

/* thread.c: what each thread is at */
int vmd_threads_init(struct vmd_space *space);
void vmd_threads_destroy(struct vmd_space *space);
void vmd_thread_miss(struct vmd_access *a);
int vmd_thread_trap(struct vmd_access *a);
void vmd_threads_forget(struct vmd_space *space, pgoff_t first, pgoff_t end);
void vmd_threads_expire(struct vmd_space *space);

/*
 * Metadata of a page that is not resident: its share of an xarray node (64
 * entries in 576 bytes). Of a resident one: that, its frame structure, and
 * what the policy needs.
 */
#define VMD_ENTRY_BYTES		9
u32 vmd_space_frame_bytes(struct vmd_space *space);

/* pages.c: what the pages of a space are like */
u32 vmd_pages_look(struct vmd_space *space, pgoff_t first,
		   struct vmd_page *pages, u32 n);
int vmd_advise(struct vmd_space *space, pgoff_t first, pgoff_t end, u32 advice);

/* fault.c */
extern const struct vm_operations_struct vmd_vm_ops;
extern const struct address_space_operations vmd_aops;

/* chardev.c */
int vmd_chardev_init(void);
void vmd_chardev_exit(void);
long vmd_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* debugfs.c, procfs.c */
void vmd_debugfs_init(void);
void vmd_debugfs_exit(void);
void vmd_debugfs_add(struct vmd_space *space);
void vmd_debugfs_remove(struct vmd_space *space);
int vmd_procfs_init(void);
void vmd_procfs_exit(void);

/* param.c: module parameters */
const char *vmd_backing_path(void);
umode_t vmd_node_mode(void);
u64 vmd_max_size(void);
u64 vmd_max_frames(void);
void vmd_default_config(struct vmd_config *cfg,
			struct vmd_policy_choice *policy);
int vmd_params_init(void);

#endif /* _VMD_SPACE_H */
