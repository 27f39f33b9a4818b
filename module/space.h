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
 * In a space on a file every page is at home in the file: one that was never
 * touched is as good as swapped (vmd_space_place).
 *
 * A filling frame is put in place by a compare-and-exchange. Whoever finds a
 * frame filling or evicting waits for it killably and looks the page up anew.
 * Frame structures are never freed while their space lives, so one found in
 * the page table may be looked at without a lock; what is seen there holds
 * only once the folio in it is locked and the frame was found still resident
 * with that folio and that index (vmd_frame_lock_folio).
 *
 * A page that is mapped because its neighbour faulted is not locked for that, but
 * held (VMD_FRAME_HELD), which is less to do for each of many. Whoever locks the
 * folio of a frame and finds it held lets go of the lock, and looks again later.
 *
 * Lock order, outermost first:
 *
 *   vmd_space.future_lock	loading a string; user memory is copied under it,
 *				and no fault takes it
 *   mmap_lock or VMA lock of the faulting mm
 *     vmd_space.config_lock	configuration changes, one at a time
 *       vmd_space.trap_lock	threads' current pages in observer "trap"
 *       vmd_space.evict_lock	choosing victims, one thread at a time
 *         folio lock		a frame's state, while resident or evicting;
 *				under evict_lock only by trylock
 *           vmd_space.grow_lock  frames and policy memory get more
 *             i_mmap_rwsem, page-table locks (unmap_mapping_pages)
 *             vmd_space.policy_lock   (spin) every call of the policy
 *             vmd_pool.lock           (spin) free frames; a second one by
 *                                     trylock only
 *             vmd_threads.lock        (spin) some of the threads, by hash
 *             vmd_space.maps_lock     (spin) the list of mappings
 *             vmd_space.places_lock   (spin) places held, and the key
 *             vmd_space.record_lock   (spin) the recorder and its ring
 *             vmd_space.shadow_lock   (spin) shadows of policies
 *             vmd_space.step_lock     (spin) the stepper and who is halted
 *             vmd_group.lock          (spin) kin of a private space (cow.h); inside
 *				page-table locks, outside maps_lock, places_lock
 *				and the store's locks
 *
 * Fork of a private space (cow_fork.c) holds both mms' mmap_lock for writing,
 * the parent's config_lock inside them, and then one folio lock at a time.
 *
 * The mmap_lock of any mm, the faulting thread's own included, is only tried
 * for under these (observe.c). None of them is held during I/O except the lock
 * of the very folio that is read or written, nor while user memory is copied:
 * that may fault on this same space.
 *
 * The kernel's reclaim (shrink.c) may come in wherever memory is allocated:
 * under any of these that sleep, and in the midst of a fault on the space it
 * comes to. So in reclaim evict_lock and folio locks are only tried for; no
 * memory is waited for; and the last reference to a space is not given back
 * (vmd_space_put_later). What it does wait for is what the kernel's own reclaim
 * waits for, too, and nobody allocates under: i_mmap_rwsem, page-table locks
 * and the spinlocks above. Allocations that must not come in again, as those
 * made for eviction itself, say GFP_NOIO for the sake of file systems; they
 * may come here all the same, and find evict_lock taken.
 */
#ifndef _VMD_SPACE_H
#define _VMD_SPACE_H

#undef pr_fmt
#define pr_fmt(fmt)	"vmdemo: " fmt

#include <linux/file.h>
#include <linux/jiffies.h>
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
#include "compat.h"
#include "policy/place.h"
#include "policy/policy.h"
#include "stats.h"
#include "store.h"

/* Frames lent beyond the budget where one instruction needs more at once. */
#define VMD_RESERVE_FRAMES	16
/* Frame structures beyond those: pages being filled while others are evicted. */
#define VMD_FILLING_FRAMES	64
#define VMD_CHUNK_FRAMES	128	/* frame structures allocated at a time */
/* Pages evicted in one round; three quarters will do (evict.c), so 32 and more. */
#define VMD_BATCH_MAX		44
#define VMD_CHAIN_MAX		8	/* pages one instruction may need */
#define VMD_AHEAD_MAX		32	/* pages read ahead of a fault */
#define VMD_READY_MAX		256	/* frames kept ready */

/* Orders of pages: 64 KiB and 2 MiB, which one entry may map. */
#define VMD_CLUSTER_ORDER	4
#define VMD_HUGE_ORDER		9

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
#define VMD_FRAME_AHEAD		BIT(7)	/* read ahead, not touched since */
#define VMD_FRAME_OLD		BIT(8)	/* was dirty when last looked at (flush.c) */
#define VMD_FRAME_PLACED	BIT(9)	/* counts among its set's (place.c) */
#define VMD_FRAME_EARLY		BIT(10)	/* was written before its turn (near.c) */
#define VMD_FRAME_HELD		BIT(11)	/* being mapped around (fault.c): it stays */
#define VMD_FRAME_AWAITED	BIT(12)	/* somebody waits until it is not */

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
 * @reach: end of the space's pages it covered when it was made: an access at or past
 *	that means it was made longer since (mremap), and the space grows
 * @file: what vma->vm_file became at fork, with a reference, or NULL (cow_fork.c)
 * @dead: there should be a space of its own, but there was no way to make it
 */
struct vmd_map {
	struct vmd_space *space;
	struct list_head list;
	struct vm_area_struct *vma;
	u64 seq;
	pgoff_t reach;
	struct file *file;
	bool dead;
};

struct vmd_user;
struct vmd_recorder;
struct vmd_shadows;
struct vmd_string;
struct vmd_stepper;
struct vmd_stepped;
struct vmd_group;
struct vmd_threads;

#define VMD_POOLS	8

/**
 * struct vmd_pool - some of the free frames (pool.c)
 * @lock: the rest
 * @free: first free frame structure, VMD_NO_SLOT if there is none
 * @ready: memory of frames without a page, ready for the next fault (ready.c)
 * @nr_ready: how many
 */
struct vmd_pool {
	spinlock_t lock;		/* what is free in here */
	u32 free;
	struct list_head ready;
	u32 nr_ready;
} ____cacheline_aligned_in_smp;

/**
 * struct vmd_space - a space
 * @ref: references: one of all users together, requests under way, views
 * @last_put: gives the last of them back where that may not be done
 * @users: open files
 * @id: never 0, never used twice
 * @owner: user who made it
 * @user: what that user has (limits.c)
 * @exempt: made with CAP_SYS_RESOURCE: caps on a user do not bind it
 * @pid: process that made it
 * @comm: its name
 * @inode: a private inode, so that unmapping concerns this space alone
 * @store: where pages live when not resident
 * @places_lock: @places, @crypt
 * @places: places in the store it holds, or is about to be given
 * @crypt: the key, or NULL; does not change while there are @places
 * @pages: the page table
 * @nr_pages: size in pages, the last one perhaps in part; READ_ONCE outside
 *	config_lock
 * @bytes: size in bytes, likewise
 * @punch_first: pages whose content is being dropped and that may not come in
 *	until that is done: first
 * @punch_end: and behind the last; equal if there are none
 * @punching: what is not done yet of that
 * @resident: frames in use, the lent ones and the ready ones included
 * @limit: most frames that may be taken; below @budget only while a smaller
 *	budget is being enforced
 * @budget: what is reported
 * @short_limit: as @limit, while memory is short
 * @short_until: when that ends, in jiffies; 0 if it is not short
 * @pinned: frames pinned by advice
 * @dirty: resident pages known to be dirty
 * @frame_wait: woken when a frame or a frame structure becomes free
 * @pools: free frames
 * @ready: how many of them have memory, and a unit of the budget
 * @nr_frames: frame structures there are; they grow under @grow_lock
 * @chunks: the frame structures, VMD_CHUNK_FRAMES at a time
 * @table: the same, to be found quickly (vmd_frame_by_id)
 * @table_size: chunks that @table has room for; under grow_lock
 * @policy_lock: @policy, @policy_state, @policy_slots, @string, @ways and what is behind
 *	them
 * @policy: name and parameters
 * @policy_state: the policy's memory; with @ways a struct vmd_place
 * @policy_slots: frame numbers it is made for
 * @policy_frames: budget it was told of
 * @string: the reference string it follows, or NULL (future.c); READ_ONCE outside
 *	policy_lock to see whether there is one
 * @future_lock: see the lock order; @loading
 * @loading: a string that is not whole yet, or NULL
 * @ways: frames of a set, or VMD_PLACE_FULL; changes under config_lock and
 *	policy_lock, READ_ONCE outside both
 * @observer: enum vmd_observer; READ_ONCE outside config_lock
 * @maps_lock: @maps, @map_seq
 * @maps: mappings, in the order of their seq
 * @map_seq: last seq given
 * @trap_lock: threads' current pages change one at a time
 * @threads: by task, what each thread is at; a lock for each bucket (thread.c)
 * @nr_threads: entries of @threads
 * @evict_lock: see the lock order
 * @asked: pages that the policy had to propose for VMD_BATCH_MAX of them to go,
 *	of late; under evict_lock
 * @config_lock: see the lock order
 * @grow_lock: see the lock order
 * @harvest: background harvest of accessed bits
 * @trim: takes lent frames back
 * @reserve: percent of the budget to be kept free (reserve.c)
 * @low: free frames below which the reclaimer is woken, 0: never; READ_ONCE
 *	outside config_lock
 * @high: free frames up to which it evicts; likewise
 * @reserve_until: until when there is a reserve, in jiffies; 0 if there is none
 * @reclaim: the reclaimer
 * @reclaiming: it was woken and is not through
 * @leaving: pages it has sent on their way out
 * @sent: batches that nobody waits for, and that have not finished
 * @dirty_age: milliseconds after which dirty pages are written, or 0 (flush.c)
 * @dirty_limit: percent of the budget that may be dirty, or 0: any number
 * @flush: the flusher
 * @flushing: it was woken by the limit, and is not through
 * @flush_due: when it looks for old pages again, in jiffies
 * @flush_at: page at which it goes on when there are too many
 * @under_way: reads, and batches of pages on their way out
 * @ahead_most: most pages to be read ahead: grows by hits, shrinks by waste
 * @progress: changes when a page comes in, goes, or could not
 * @error_wait: who polls for an error of write-out
 * @record_lock: @recorder and what is behind it
 * @recorder: who records what happens, or NULL (record.c); READ_ONCE outside
 *	record_lock to see whether there is one
 * @record_wait: who waits for room in its ring
 * @shadow_lock: @shadows, @shadow_rate and what is behind them
 * @shadows: of VMD_IOC_SET_SHADOWS and of the policy "auto", or NULL; they
 *	change under config_lock, too (shadows.c)
 * @shadow_rate: 0: there are none; else 1 more than the least shift of them;
 *	READ_ONCE outside shadow_lock to see whether a page is of interest
 * @follow: switches to the policy that "auto" has found to be better
 * @step_lock: @stepper and what is behind it
 * @stepper: who halts each fault, or NULL (step.c); READ_ONCE outside step_lock
 *	to see whether there is one
 * @step_wait: threads that are halted
 * @stats: counters of each CPU
 * @reset: what was subtracted from them by VMD_IOC_RESET_STATS
 * @reset_lock: @reset
 * @debugfs: the space's directory
 * @group: its kin, if it is private, or NULL (cow.h); set once, while the space
 *	has no mappings
 * @kin: in vmd_group.spaces
 * @parent: id of the space it was forked from, or 0
 * @orphan: the process it was made for has not been seen yet
 * @announce: makes @debugfs of a space that was made where that cannot be
 */
struct vmd_space {
	struct kref ref;
	struct work_struct last_put;
	atomic_t users;
	u64 id;
	kuid_t owner;
	struct vmd_user *user;
	bool exempt;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct inode *inode;
	struct vmd_store *store;
	spinlock_t places_lock;		/* places and the key they go with */
	unsigned long places;
	struct vmd_crypt *crypt;

	struct xarray pages;
	pgoff_t nr_pages;
	u64 bytes;
	pgoff_t punch_first;
	pgoff_t punch_end;
	atomic_t punching;

	atomic_long_t resident;
	unsigned long limit;
	unsigned long budget;
	unsigned long short_limit;
	unsigned long short_until;
	atomic_long_t pinned;
	atomic_long_t dirty;
	wait_queue_head_t frame_wait;
	struct vmd_pool pools[VMD_POOLS];
	atomic_t ready;
	u32 nr_frames;
	struct xarray chunks;
	struct vmd_frame **table;
	u32 table_size;

	spinlock_t policy_lock;		/* every call of the policy, the sets */
	struct vmd_policy_choice policy;
	void *policy_state;
	u32 policy_slots;
	u32 policy_frames;
	struct vmd_string *string;
	struct mutex future_lock;	/* loading a string */
	struct vmd_string *loading;
	u32 ways;

	enum vmd_observer observer;
	spinlock_t maps_lock;		/* the list of mappings */
	struct list_head maps;
	u64 map_seq;
	struct mutex trap_lock;		/* threads move on one by one */
	struct vmd_threads *threads;
	atomic_t nr_threads;

	struct mutex evict_lock;	/* choosing victims */
	u32 asked;
	struct mutex config_lock;	/* configuration changes */
	struct mutex grow_lock;		/* more frames, more policy memory */
	struct delayed_work harvest;
	struct delayed_work trim;
	u32 reserve;
	unsigned long low;
	unsigned long high;
	unsigned long reserve_until;
	struct work_struct reclaim;
	atomic_t reclaiming;
	atomic_t leaving;
	atomic_t sent;
	u32 dirty_age;
	u32 dirty_limit;
	struct delayed_work flush;
	atomic_t flushing;
	unsigned long flush_due;
	unsigned long flush_at;
	atomic_t under_way;
	u32 ahead_most;
	unsigned long progress;
	wait_queue_head_t error_wait;

	spinlock_t record_lock;		/* the recorder and its ring */
	struct vmd_recorder *recorder;
	wait_queue_head_t record_wait;

	spinlock_t shadow_lock;		/* shadows of policies */
	struct vmd_shadows *shadows[2];
	u32 shadow_rate;
	struct work_struct follow;

	spinlock_t step_lock;		/* the stepper and who is halted */
	struct vmd_stepper *stepper;
	wait_queue_head_t step_wait;

	struct vmd_counters __percpu *stats;
	struct vmd_counters reset;
	spinlock_t reset_lock;		/* what was reset */
	struct dentry *debugfs;

	struct vmd_group *group;
	struct list_head kin;
	u64 parent;
	bool orphan;
	struct work_struct announce;
};

/**
 * struct vmd_stream - where a thread's misses are going (ahead.c)
 * @last: page of the last one
 * @next: where the next one is due, if it goes on like that
 * @stride: from one to the next
 * @window: pages read ahead of the last one
 */
struct vmd_stream {
	pgoff_t last;
	pgoff_t next;
	long stride;
	u32 window;
};

/**
 * struct vmd_access - one access being served, as it passes through the files
 * @space: of which
 * @vmf: the fault, or NULL for advice
 * @index: page
 * @reclaim: no page is wanted: frames are to be given back
 * @write: the access writes
 * @pin: the page is to be pinned when it is in (VMD_ADVICE_PIN)
 * @chained: of an instruction that has faulted before
 * @several: and that needs other pages besides: frames may be lent for it
 * @reference: a reference, as far as the observer can tell
 * @evicted: had to evict to get a frame
 * @crowded: all frames of the page's set are in use; with @reclaim: frames are
 *	to be given back by sets that use more than they have
 * @counted: is in the counters
 * @ahead: pages to be read ahead of it
 * @stride: how far apart
 * @record: the recording in which it has room for its records; 0: none
 * @step: what is to be told of it, or NULL (step_fault.c)
 * @own: memory for a copy of a page that is shared (cow.c), locked, or NULL
 * @reserved: a place in the store is reserved for it
 * @shared: the page may not be written to as it is
 * @file: pinned because the fault's lock was given up to wait
 * @stuck: how long it waits
 */
struct vmd_access {
	struct vmd_space *space;
	struct vm_fault *vmf;
	pgoff_t index;
	bool reclaim;
	bool write;
	bool pin;
	bool chained;
	bool several;
	bool reference;
	bool evicted;
	bool crowded;
	bool counted;
	u32 ahead;
	long stride;
	u64 record;
	struct vmd_stepped *step;
	struct folio *own;
	bool reserved;
	bool shared;
	struct file *file;
	struct vmd_stuck stuck;
};

static inline u32 vmd_frame_state(const struct vmd_frame *f)
{
	return atomic_read_acquire((atomic_t *)&f->word) & VMD_FRAME_STATE;
}

static inline bool vmd_frame_test(const struct vmd_frame *f, u32 flag)
{
	return atomic_read(&f->word) & flag;
}

/* Its folio was locked by us: is the page being mapped around nevertheless? */
static inline bool vmd_frame_held(const struct vmd_frame *f)
{
	/* The lock, then the flag: around_hold() does it the other way round. */
	smp_mb();
	return vmd_frame_test(f, VMD_FRAME_HELD);
}

/* The flag of a folio changes before the count does: not below 0 meanwhile. */
static inline u64 vmd_space_dirty(struct vmd_space *space)
{
	return max(atomic_long_read(&space->dirty), 0L);
}

/* Most frames that may be taken just now. */
static inline unsigned long vmd_space_limit(struct vmd_space *space)
{
	unsigned long limit = READ_ONCE(space->limit);
	unsigned long until = READ_ONCE(space->short_until);

	if (likely(!until))
		return limit;
	if (time_before(jiffies, until))
		return min(limit, READ_ONCE(space->short_limit));
	WRITE_ONCE(space->short_until, 0);
	return limit;
}

/* Does somebody halt each fault (step.c)? */
static inline bool vmd_stepping(const struct vmd_space *space)
{
	return unlikely(READ_ONCE(space->stepper));
}

/* Frames that are ready for the next fault (ready.c). */
static inline u32 vmd_space_ready(const struct vmd_space *space)
{
	return atomic_read(&space->ready);
}

/* Pages in a frame. */
static inline unsigned long vmd_space_resident(struct vmd_space *space)
{
	return max(atomic_long_read(&space->resident) -
		   (long)vmd_space_ready(space), 0L);
}

/* Frames that hold no page; below 0 where some are lent. */
static inline long vmd_space_free(struct vmd_space *space)
{
	return (long)vmd_space_limit(space) -
	       atomic_long_read(&space->resident) +
	       (long)vmd_space_ready(space);
}

/* Something moved: who waits for a frame may go on hoping. */
static inline void vmd_space_progress(struct vmd_space *space)
{
	/* Races lose a step, but never all of them. */
	WRITE_ONCE(space->progress, READ_ONCE(space->progress) + 1);
}

/*
 * The page size: 2^order of the kernel's pages, for the life of the space. A
 * page of the space has one index, one frame, one folio and one place; these
 * are where its index meets the kernel's offsets (vm_pgoff) and bytes.
 */
static inline u32 vmd_space_order(const struct vmd_space *space)
{
	return space->store->order;
}

static inline u32 vmd_page_shift(const struct vmd_space *space)
{
	return PAGE_SHIFT + vmd_space_order(space);
}

static inline u64 vmd_page_bytes(const struct vmd_space *space)
{
	return 1ULL << vmd_page_shift(space);
}

/* How many pages @bytes take, the last one perhaps in part. */
static inline u64 vmd_bytes_pages(const struct vmd_space *space, u64 bytes)
{
	u32 shift = vmd_page_shift(space);

	return (bytes >> shift) + !!(bytes & ((1ULL << shift) - 1));
}

/* The page that a kernel's page of a mapping belongs to, and which part it is. */
static inline pgoff_t vmd_pgoff_page(const struct vmd_space *space,
				     pgoff_t pgoff)
{
	return pgoff >> vmd_space_order(space);
}

static inline u32 vmd_pgoff_part(const struct vmd_space *space, pgoff_t pgoff)
{
	return pgoff & ((1UL << vmd_space_order(space)) - 1);
}

static inline pgoff_t vmd_page_pgoff(const struct vmd_space *space,
				     pgoff_t index)
{
	return index << vmd_space_order(space);
}

/* The page after the last one that a mapping shows. */
static inline pgoff_t vmd_vma_end(const struct vmd_space *space,
				  const struct vm_area_struct *vma)
{
	pgoff_t end = READ_ONCE(vma->vm_pgoff) +
		      ((READ_ONCE(vma->vm_end) - READ_ONCE(vma->vm_start)) >>
		       PAGE_SHIFT);
	u32 order = vmd_space_order(space);

	return (end + (1UL << order) - 1) >> order;
}

/* How often a folio of the space is in page tables. */
static inline int vmd_space_mapcount(const struct vmd_space *space,
				     struct folio *folio)
{
	return vmd_folio_mapcount(folio, vmd_space_order(space));
}

/* From that, in how many mappings: many entries of a large one are one flush. */
static inline int vmd_tables_estimated(const struct vmd_space *space, int count)
{
	return DIV_ROUND_UP(count, 1 << vmd_space_order(space));
}

/* A huge page that is mapped whole does not tell what was accessed. */
static inline bool vmd_space_maps_huge(const struct vmd_space *space)
{
	return vmd_space_order(space) == VMD_HUGE_ORDER;
}

/* Space-wide views of one fact. */
static inline struct address_space *vmd_mapping(struct vmd_space *space)
{
	return space->inode->i_mapping;
}

static inline u64 vmd_space_size(const struct vmd_space *space)
{
	return READ_ONCE(space->bytes);
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

/* Where page @index, whose entry is no frame, has its content, if any. */
static inline u32 vmd_space_place(struct vmd_space *space, pgoff_t index,
				  const void *entry)
{
	return space->store->homes ? index : vmd_entry_place(entry);
}

/* crypt.c */
void vmd_place_free(struct vmd_space *space, u32 place);

/* A page with this place is gone, or was never written and needs none. */
static inline void vmd_space_free_place(struct vmd_space *space, u32 place)
{
	struct vmd_store *store = space->store;

	if (store->homes)
		return;
	if (place == VMD_NO_PLACE)
		store->ops->unreserve(store);
	else
		vmd_place_free(space, place);
}

/* space.c: life and configuration */
/* Held while a space's counters go over to those of spaces that are gone. */
extern struct mutex vmd_spaces_lock;
struct vmd_space *vmd_space_create(struct vmd_store *store,
				   struct vmd_space *like);
void vmd_space_set_bytes(struct vmd_space *space, u64 bytes);
bool vmd_space_use(struct vmd_space *space);
void vmd_space_unuse(struct vmd_space *space);
void vmd_space_get(struct vmd_space *space);
void vmd_space_put(struct vmd_space *space);
void vmd_space_put_later(struct vmd_space *space);
struct vmd_space *vmd_space_find(u64 id);
struct vmd_space *vmd_space_next(u64 after);
struct vmd_space *vmd_space_largest(const struct vmd_user *user);
unsigned long vmd_space_count(void);
void vmd_space_reach(struct vmd_space *space, pgoff_t end);

/* config.c: configuration */
int vmd_space_configure(struct vmd_space *space, const struct vmd_config *cfg);
void vmd_space_config(struct vmd_space *space, struct vmd_config *cfg);
void vmd_space_live(struct vmd_space *space, char *buf);
int vmd_observer_parse(const char *name);
const char *vmd_observer_name(enum vmd_observer observer);

/* frame.c: frames, budget, state changes */
struct vmd_frame *vmd_frame_take(struct vmd_access *a);
struct vmd_frame *vmd_frame_take_spare(struct vmd_space *space);
void vmd_frame_return(struct vmd_space *space, struct vmd_frame *f);
struct vmd_frame *vmd_frame_by_id(struct vmd_space *space, u32 id);
void vmd_frame_set_state(struct vmd_frame *f, u32 state);
void vmd_frame_set(struct vmd_frame *f, u32 flag);
void vmd_frame_clear(struct vmd_frame *f, u32 flag);
int vmd_frame_wait(struct vmd_access *a, struct vmd_frame *f);
bool vmd_frame_idle(const struct vmd_frame *f);
struct folio *vmd_frame_lock_folio(struct vmd_access *a, struct vmd_frame *f,
				   int *err);
struct folio *vmd_frame_find(struct vmd_access *a, struct vmd_frame **f,
			     int *err);
bool vmd_frame_may_charge(struct vmd_access *a);
int vmd_frame_charge(struct vmd_access *a, struct vmd_frame *f,
		     struct folio **folio);
bool vmd_frame_charge_spare(struct vmd_space *space, struct vmd_frame *f,
			    struct folio **folio);
bool vmd_frame_charge_only(struct vmd_space *space, struct vmd_frame *f);
void vmd_frame_uncharge(struct vmd_space *space);
int vmd_frames_shed(struct vmd_access *a);
int vmd_nap(struct vmd_access *a);
struct folio *vmd_folio_alloc(struct vmd_access *a, bool zero);
struct folio *vmd_folio_part(struct vmd_frame *f);
void vmd_folio_release(struct vmd_frame *f);
void vmd_folio_clean(struct vmd_space *space, struct folio *folio);
void vmd_frames_destroy(struct vmd_space *space);
void vmd_may_wait(struct vmd_access *a);
unsigned long vmd_frames_total(void);
bool vmd_frames_left(const struct vmd_space *space);

/* pool.c: where free frames are */
void vmd_pools_init(struct vmd_space *space);
bool vmd_pools_spare(struct vmd_space *space);
void vmd_pools_push(struct vmd_space *space, struct vmd_frame *f);
struct vmd_frame *vmd_pools_pop(struct vmd_space *space);
void vmd_pools_keep(struct vmd_space *space, struct folio *folio);
struct folio *vmd_pools_take(struct vmd_space *space);

/* ready.c: free frames */
void vmd_ready_mark(struct folio *folio);
bool vmd_ready_put(struct vmd_space *space, struct folio *folio);
bool vmd_ready_take(struct vmd_space *space, struct folio **folio);
unsigned long vmd_ready_drain(struct vmd_space *space, unsigned long most);

/* reserve.c: frames kept free */
void vmd_reserve_update(struct vmd_space *space);
void vmd_reserve_ran_out(struct vmd_space *space);
void vmd_reserve_wake(struct vmd_space *space);
void vmd_reserve_failed(struct vmd_space *space);
void vmd_reserve_stop(struct vmd_space *space);
void vmd_reclaim_work(struct work_struct *work);

/* A frame was taken: are there enough left? */
static inline void vmd_reserve_check(struct vmd_space *space)
{
	if (unlikely(vmd_space_free(space) < (long)READ_ONCE(space->low)))
		vmd_reserve_wake(space);
}

/* ahead.c: reading ahead */
void vmd_ahead_guess(struct vmd_access *a, struct vmd_stream *s);
void vmd_ahead_hit(struct vmd_space *space, struct vmd_frame *f);
void vmd_ahead_wasted(struct vmd_space *space, struct vmd_frame *f);

/* fill.c: bringing a page in */
int vmd_fill(struct vmd_access *a, void *entry, struct folio **folio);
int vmd_bring_in(struct vmd_space *space, pgoff_t index, bool pin);

/* evict.c: taking pages out */
int vmd_evict(struct vmd_space *space, unsigned long want,
	      struct vmd_access *a);
u32 vmd_evict_ahead(struct vmd_space *space, unsigned long want);
int vmd_evict_page(struct vmd_space *space, pgoff_t index, bool only_clean);
int vmd_evict_down(struct vmd_space *space, unsigned long limit);
int vmd_evict_crowd(struct vmd_space *space);
unsigned long vmd_evict_clean_most(struct vmd_space *space,
				   unsigned long floor);
int vmd_evict_clean(struct vmd_space *space, unsigned long want,
		    unsigned long floor);
void vmd_trim_work(struct work_struct *work);
int vmd_reclaim_total(enum vmd_haste haste);
int vmd_reclaim_user(const struct vmd_user *user, enum vmd_haste haste);

/* limits.c: caps on a user */
int vmd_user_attach(struct vmd_space *space);
void vmd_user_detach(struct vmd_space *space);
bool vmd_user_has(const struct vmd_user *user, const struct vmd_space *space);
bool vmd_user_charge_frame(struct vmd_space *space);
void vmd_user_uncharge_frame(struct vmd_space *space);
bool vmd_user_charge_page(struct vmd_space *space);
void vmd_user_uncharge_page(struct vmd_space *space);
bool vmd_user_may_charge(const struct vmd_space *space);
bool vmd_user_charge_slot(struct vmd_space *space);
void vmd_user_uncharge_slot(struct vmd_space *space);
bool vmd_user_crowded(const struct vmd_space *space);
void vmd_users_enforce(void);

/* shrink.c: giving frames back when memory is short */
int vmd_shrink_init(void);
void vmd_shrink_exit(void);

/* drop.c: pages go, content and all */
int vmd_drop_range(struct vmd_space *space, pgoff_t first, pgoff_t end,
		   bool killable);
int vmd_zero_tail(struct vmd_space *space, u64 bytes);
int vmd_punch(struct vmd_space *space, pgoff_t first, pgoff_t end);

/* writeback.c: writing pages that stay */
int vmd_sync(struct vmd_space *space, pgoff_t first, pgoff_t end);
void vmd_write_last(struct vmd_space *space);

int vmd_write_begin(struct vmd_space *space, pgoff_t first, pgoff_t end);

/* flush.c: writing them in the background */
void vmd_flush_work(struct work_struct *work);
void vmd_flush_kick(struct vmd_space *space);
void vmd_flush_stop(struct vmd_space *space);

/* There was a fault, or a write: is there anything to be flushed? */
static inline void vmd_flush_check(struct vmd_space *space)
{
	if (unlikely(space->dirty_age | space->dirty_limit))
		vmd_flush_kick(space);
}

/*
 * Besides VMD_REF_*, to decide.c: the event is a reference, and not the second
 * report of one, nor a page that came in by itself.
 */
#define VMD_DECIDE_REFERENCE	BIT(30)

/* decide.c: the space's instance of its policy */
int vmd_policy_start(struct vmd_space *space,
		     const struct vmd_policy_choice *choice);
int vmd_policy_switch(struct vmd_space *space,
		      const struct vmd_policy_choice *choice);
int vmd_policy_reshape(struct vmd_space *space, u32 slots,
		       unsigned long budget);
int vmd_policy_follow(struct vmd_space *space, struct vmd_string **string);
int vmd_policy_place(struct vmd_space *space, u32 ways, unsigned long budget);
void vmd_policy_stop(struct vmd_space *space);
void vmd_decide_missed(struct vmd_space *space, pgoff_t index, bool reference);
void vmd_decide_inserted(struct vmd_space *space, struct vmd_frame *f,
			 u32 flags);
void vmd_decide_touched(struct vmd_space *space, struct vmd_frame *f,
			u32 flags);
void vmd_decide_removed(struct vmd_space *space, struct vmd_frame *f,
			enum vmd_removal why);
void vmd_decide_evicted(struct vmd_space *space, struct vmd_frame **f, u32 n);
void vmd_decide_kept(struct vmd_space *space, struct vmd_frame *f);
u32 vmd_decide_victims(struct vmd_space *space, u64 from, u32 *out, u32 max,
		       struct vmd_reason *why, char *policy);
void vmd_decide_walk(struct vmd_space *space, vmd_policy_visit_t visit,
		     void *arg);

/* place.c: sets of frames */
bool vmd_placed_take(struct vmd_space *space, struct vmd_frame *f, u32 extra);
void vmd_placed_free(struct vmd_space *space, struct vmd_frame *f);
bool vmd_placed_room(struct vmd_space *space, pgoff_t index);
u32 vmd_placed_over(struct vmd_space *space);
u64 vmd_placed_from(const struct vmd_access *a);
void vmd_placed_pin(struct vmd_space *space, struct vmd_frame *f, bool pin);
bool vmd_placed_pins_fit(struct vmd_space *space, pgoff_t first, pgoff_t end);
void vmd_placed_missed(struct vmd_space *space, pgoff_t index, bool first);
int vmd_place_repin(struct vmd_space *space, struct vmd_place *to, u32 ways);
void vmd_place_recount(struct vmd_space *space, bool had_sets);
void vmd_place_recall(struct vmd_space *space, struct vmd_place *to);
bool vmd_decide_position(struct vmd_space *space, const struct vmd_frame *f,
			 u32 *position, u32 *queued);

/* queues.c: the policy's queues */
int vmd_queues_look(struct vmd_space *space, struct vmd_queues *q);

/* observe.c: mappings, accessed bits */
struct vmd_map *vmd_map_add(struct vmd_space *space,
			    struct vm_area_struct *vma, gfp_t gfp);
void vmd_map_remove(struct vmd_map *map);
void vmd_maps_reached(struct vmd_space *space);
void vmd_observed(struct vmd_space *space, struct vmd_frame *f);
void vmd_unmap_page(struct vmd_space *space, pgoff_t index,
		    struct folio *folio, bool copies);
void vmd_unmap_range(struct vmd_space *space, pgoff_t first, pgoff_t n,
		     bool copies);
unsigned long vmd_harvest_frames(struct vmd_space *space, struct vmd_frame **f,
				 u32 n);
void vmd_harvest_kick(struct vmd_space *space);
void vmd_harvest_work(struct work_struct *work);
void vmd_observe_pages(struct vmd_space *space, pgoff_t first,
		       struct vmd_page *pages, u32 n);

/* thread.c: what each thread is at */
int vmd_threads_init(struct vmd_space *space);
void vmd_threads_destroy(struct vmd_space *space);
void vmd_thread_miss(struct vmd_access *a);
int vmd_thread_trap(struct vmd_access *a);
void vmd_thread_rest(struct vmd_space *space);
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
void vmd_page_look(struct vmd_space *space, pgoff_t index,
		   struct vmd_page *page);
int vmd_advise(struct vmd_space *space, pgoff_t first, pgoff_t end, u32 advice);

/* cluster.c: pages larger than the kernel's */
int vmd_page_order(u64 bytes);
void vmd_folio_zero(struct vmd_space *space, struct folio *folio);
void vmd_cluster_map(struct vmd_access *a, struct folio *folio);
u32 vmd_cluster_look(struct vmd_space *space, struct vm_area_struct *vma,
		     pgoff_t index, unsigned long pfn, bool clear);

/* walk.c: looking at page tables */
int vmd_walk(struct vmd_walk *w);
int vmd_walk_init(void);
void vmd_walk_exit(void);

/* slots.c: looking at the swap store's slots */
int vmd_slots_look(struct vmd_store *store, struct vmd_slots *out);

/* fault.c */
extern const struct vm_operations_struct vmd_vm_ops;
extern const struct vm_operations_struct vmd_huge_vm_ops;
extern const struct vm_operations_struct vmd_private_vm_ops;

/* Is it a mapping of a space? */
static inline bool vmd_vma_ours(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &vmd_vm_ops || vma->vm_ops == &vmd_huge_vm_ops ||
	       vma->vm_ops == &vmd_private_vm_ops;
}

extern const struct address_space_operations vmd_aops;

/* chardev.c */
int vmd_chardev_init(void);
void vmd_chardev_exit(void);
long vmd_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* rw.c */
int vmd_rw_whole(struct vmd_space *space, pgoff_t index, void *buf);

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
u32 vmd_readahead(void);
u32 vmd_reserve_percent(void);
u32 vmd_dirty_age(void);
u32 vmd_dirty_limit(void);
u64 vmd_max_size(void);
u64 vmd_max_frames(void);
u64 vmd_user_spaces(void);
u64 vmd_user_frames(void);
u64 vmd_user_slots(void);
u32 vmd_floor(void);
void vmd_default_config(struct vmd_config *cfg,
			struct vmd_policy_choice *policy);
void vmd_default_policy(struct vmd_policy_choice *start, char *text);
int vmd_params_init(void);

#endif /* _VMD_SPACE_H */
