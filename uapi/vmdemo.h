/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vmdemo - memory that you page yourself: the interface of /dev/vmdemo.
 *
 * open("/dev/vmdemo") makes a fresh space, mmap() maps it, and every fault in
 * the mapping is served by the module under the space's own budget, policy
 * and observer. Nothing below is needed for that; these calls look at a space
 * and change it.
 *
 * Rules that hold for every call:
 *  - a call that changes something wants the file open for writing, else
 *    EBADF (SET_*, RESET_STATS, ADVISE, PUNCH, RECORD, FUTURE unless it asks, STEP);
 *  - an unknown command gives ENOTTY; an unknown flag, an unknown name or a
 *    reserved field that is not zero gives EINVAL; a bad pointer gives EFAULT;
 *    a call that fails has changed nothing, unless told otherwise below;
 *  - structures may grow at their end. The size is part of the command: a
 *    shorter (older) structure is taken as if the rest were zero, a longer
 *    (newer) one is refused with E2BIG unless what it adds is zero, and gets
 *    zeros there where the call answers;
 *  - sizes and offsets are bytes and multiples of the page size; frames and
 *    pages are counted in units of vmd_info.page_size bytes;
 *  - strings are NUL-terminated within their array.
 */
#ifndef _UAPI_VMDEMO_H
#define _UAPI_VMDEMO_H

#include <linux/const.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#define VMD_ABI_VERSION		1

#define VMD_NAME_LEN		16	/* an observer's or a store's name */
#define VMD_POLICY_LEN		64	/* "name" or "name:key=value,..." */

/* vmd_info.features */
#define VMD_FEATURE_ACCESSED	_BITULL(0)	/* hardware accessed bits are read */
#define VMD_FEATURE_TRAP	_BITULL(1)	/* observer "trap" */
#define VMD_FEATURE_PIN		_BITULL(2)	/* VMD_ADVICE_PIN, VMD_ADVICE_UNPIN */
#define VMD_FEATURE_ATTACH	_BITULL(3)	/* VMD_IOC_ATTACH */
#define VMD_FEATURE_FILE	_BITULL(4)	/* VMD_IOC_SET_FILE */
#define VMD_FEATURE_PUNCH	_BITULL(5)	/* VMD_IOC_PUNCH */
#define VMD_FEATURE_ENCRYPT	_BITULL(6)	/* VMD_SPACE_ENCRYPT */
#define VMD_FEATURE_RECORD	_BITULL(7)	/* VMD_IOC_RECORD */
#define VMD_FEATURE_WRITE	_BITULL(8)	/* VMD_ADVICE_WRITE */
#define VMD_FEATURE_SHADOW	_BITULL(11)	/* VMD_IOC_SET_SHADOWS, policy "auto" */
#define VMD_FEATURE_FUTURE	_BITULL(9)	/* VMD_IOC_FUTURE, policy "opt" */
#define VMD_FEATURE_PLACEMENT	_BITULL(10)	/* VMD_CONFIG_PLACEMENT */
#define VMD_FEATURE_WALK	_BITULL(12)	/* VMD_IOC_WALK */
#define VMD_FEATURE_STEP	_BITULL(14)	/* VMD_IOC_STEP */
#define VMD_FEATURE_HUGE	_BITULL(15)	/* VMD_CONFIG_PAGE_SIZE */
#define VMD_FEATURE_SLOTS	_BITULL(13)	/* VMD_IOC_SLOTS */
#define VMD_FEATURE_PRIVATE	_BITULL(16)	/* VMD_SPACE_PRIVATE, vmd_page.sharers */
#define VMD_FEATURE_SHARED	_BITULL(17)	/* VMD_PAGE_SHARED */
#define VMD_FEATURE_QUEUES	_BITULL(18)	/* VMD_IOC_QUEUES */
#define VMD_FEATURE_STEP_PHASES	_BITULL(19)	/* VMD_STEP_EACH_PHASE */

/**
 * struct vmd_info - what this module is and what the open file stands for
 * @abi_version: VMD_ABI_VERSION of the module
 * @page_size: bytes in a page and in a frame
 * @features: VMD_FEATURE_* bits
 * @space_id: id of the file's space, never 0, never used twice
 * @max_size: most bytes a space may have (module parameter max_size)
 * @max_frames: most frames of all spaces together (module parameter)
 * @reserve_frames: most frames a space may hold beyond its budget while one
 *	instruction needs more pages at once than the budget has frames
 * @owner_uid: user who made the space, as seen in the caller's user namespace
 * @frame_bytes: bytes of metadata for a resident page, the policy's included
 * @page_bytes: bytes of metadata for a page that is not resident
 * @reserved: 0
 * @version: the module's version
 * @user_spaces: most spaces one user may have (module parameter)
 * @user_frames: most frames all spaces of one user may hold together (module
 *	parameter)
 * @user_slots: most pages of all spaces of one user that may have content,
 *	in a frame or in the store (module parameter)
 *
 * Caps on a user do not bind spaces made with CAP_SYS_RESOURCE (in the initial
 * user namespace). Past user_spaces, open() and SET_FILE say EDQUOT; past
 * user_frames, a space evicts though its budget is not used up; past
 * user_slots, a page that has no content yet cannot get any: a touch is SIGBUS,
 * write(2) says EDQUOT.
 *
 * VMD_IOC_INFO fills it; nothing is read from the caller.
 */
struct vmd_info {
	__u32 abi_version;
	__u32 page_size;
	__u64 features;
	__u64 space_id;
	__u64 max_size;
	__u64 max_frames;
	__u32 reserve_frames;
	__u32 owner_uid;
	__u32 frame_bytes;
	__u32 page_bytes;
	__u64 reserved;
	char version[VMD_NAME_LEN];
	__u64 user_spaces;
	__u64 user_frames;
	__u64 user_slots;
};

/* vmd_config.mask: the fields to change */
#define VMD_CONFIG_SIZE		_BITULL(0)
#define VMD_CONFIG_BUDGET	_BITULL(1)
#define VMD_CONFIG_POLICY	_BITULL(2)
#define VMD_CONFIG_OBSERVER	_BITULL(3)
#define VMD_CONFIG_FLAGS	_BITULL(4)
#define VMD_CONFIG_PLACEMENT	_BITULL(5)	/* vmd_config.ways */
#define VMD_CONFIG_PAGE_SIZE	_BITULL(6)	/* vmd_config.page_size */
#define VMD_CONFIG_ALL		(_BITULL(7) - 1)

/* vmd_config.flags */
#define VMD_SPACE_ENCRYPT	_BITULL(0)	/* what is evicted is encrypted */
#define VMD_SPACE_READONLY	_BITULL(1)	/* set by VMD_IOC_SET_FILE only */
#define VMD_SPACE_PRIVATE	_BITULL(2)	/* a child has its own after fork */

/**
 * struct vmd_config - how a space is set up
 * @mask: VMD_CONFIG_* bits. VMD_IOC_SET_CONFIG changes the fields named here
 *	and looks at no other; VMD_IOC_GET_CONFIG sets all bits.
 * @size: bytes, a multiple of the page size, 0 up to vmd_info.max_size. A
 *	smaller size drops the pages past it; touching those is SIGBUS. Of a
 *	space on a regular file: any number of bytes; the file is made as long.
 *	EROFS if the space is read-only, EINVAL if a block device is behind it
 *	and the size is not the one it has.
 * @budget: frames, from 1 up to vmd_info.max_frames. A smaller budget evicts.
 *	EBUSY where pages that are pinned, or under I/O, leave it no way; EIO or
 *	ENOSPC where the backing store would not take the pages.
 * @policy: name of a policy, with or without parameters. ENODATA: it has to know
 *	the future ("opt"), and the space follows no string (VMD_IOC_FUTURE)
 * @observer: "fault", "accessed" or "trap"
 * @store: set by VMD_IOC_GET_CONFIG only: "swap" or "file"
 * @flags: VMD_SPACE_* bits. VMD_SPACE_ENCRYPT: pages are encrypted (AES-256-XTS)
 *	on their way to the swap store, with a key that is made for the space and
 *	dies with it. It can be changed while no page has been evicted, nor has to
 *	be for a smaller budget in the same call, else EBUSY; EINVAL on a file;
 *	EOPNOTSUPP if the kernel has no "xts(aes)". VMD_SPACE_PRIVATE: at fork the
 *	child's mappings become those of a space of its own, see below. To be set
 *	before the space is mapped for the first time; EBUSY if it is mapped, or if
 *	it was set and is to be no more; EINVAL on a file; EOPNOTSUPP with pages
 *	larger than 4096 bytes, and on a 6.1 before 6.1.190.
 * @ways: which frames a page may use. 0: all ("full"). N: page p those of set
 *	p mod (@budget / N), which has N frames and a policy of its own; 1 is
 *	direct mapping. EINVAL unless @budget, new or as it is, is a multiple of
 *	it. Pages stay resident as far as their new sets have room, as they do
 *	when the budget changes with sets; the others are evicted. EBUSY where
 *	pinned pages would leave a set no frame, and where @flags
 *	change in the same call while pages are resident; else as for @budget.
 *	(Called reserved, and 0, before VMD_FEATURE_PLACEMENT.)
 * @page_size: bytes of a page and of a frame: 4096, 65536 or 2097152; 0: as it
 *	is. Another one than it is makes a new space and lets the descriptor stand
 *	for it, as VMD_IOC_ATTACH does (VMD_IOC_INFO tells the new id), set up as
 *	the old one was, with as many bytes in @budget and @size as these had, if
 *	they are not given, too. EINVAL while the old one has sets (@ways); EBUSY
 *	if it has a page with content or is on a file (give the page size first,
 *	then the file), or the descriptor was ever mapped or attached too often;
 *	EOPNOTSUPP with pages larger than 4096 bytes for observer "trap",
 *	VMD_SPACE_ENCRYPT and VMD_SPACE_PRIVATE, also where the old space has
 *	them; EDQUOT past vmd_info.user_spaces. (VMD_FEATURE_HUGE)
 *
 * Several fields change together: all are checked before the first is changed.
 *
 * A child that is forked while a private space is mapped gets another space,
 * with an id of its own: as large, with the same budget, policy, observer and
 * key, and with all that the parent's holds; its mappings are of that one. The
 * two share frames and slots until one of them writes to a page
 * (vmd_stats.faults_cow, vmd_page.sharers). It is a private space, too, and ends
 * with its last mapping, unless a file is attached to it (VMD_IOC_WALK tells its
 * id). An inherited descriptor stands for the parent's space still. A policy that
 * follows a string ("opt") becomes the module's default one in the child. Frames
 * that are shared count in each space that has them, against budget and caps.
 * Pins (VMD_ADVICE_PIN) are not inherited. Without memory, without room in the
 * store or past a cap the child's mapping is there and each touch is SIGBUS; the
 * parent's is as it was. Kin (spaces that came from one another by fork) are told
 * of each other's errors of write-out, and the key cannot be changed any more. A
 * smaller size leaves copies that MAP_PRIVATE mappings have made past the end.
 */
struct vmd_config {
	__u64 mask;
	__u64 size;
	__u64 budget;
	char policy[VMD_POLICY_LEN];
	char observer[VMD_NAME_LEN];
	char store[VMD_NAME_LEN];
	__u64 flags;
	__u64 ways;
	__u64 page_size;
};

/**
 * struct vmd_policy - argument of VMD_IOC_SET_POLICY
 * @flags: 0
 * @reserved: 0
 * @name: name of a policy, with or without parameters: "lru", "random:seed=7"
 */
struct vmd_policy {
	__u32 flags;
	__u32 reserved;
	char name[VMD_POLICY_LEN];
};

#define VMD_SHADOWS_MAX		8		/* of a space, at a time */
#define VMD_SHADOW_SHIFT_MAX	16

/**
 * struct vmd_shadow_set - argument of VMD_IOC_SET_SHADOWS
 * @count: shadows there shall be from now on, up to VMD_SHADOWS_MAX; 0: none
 * @shift: they look at one page in 2^@shift, up to VMD_SHADOW_SHIFT_MAX; 0: at
 *	all pages
 * @flags: 0
 * @reserved: 0
 * @policies: a policy each, as in vmd_policy.name; zeros past @count
 *
 * A shadow is a policy that runs beside the space's own, on metadata alone: it
 * hears of every reference that vmd_stats.references counts, has as many frames
 * as the budget, divided by 2^@shift, and counts what it would have missed.
 * With observer "trap" that is all references, in order: at @shift 0, of a space
 * where nothing has been touched yet, its misses are those that the space would
 * have had with that policy, exactly. With "fault" it hears of faults alone,
 * with "accessed" of misses at once and of hits when the accessed bits are
 * read, perhaps much later and never as writes.
 *
 * Shadows begin with the pages that are resident then, as a live switch to
 * that policy would, and with all counts at 0 (so VMD_IOC_RESET_STATS sets
 * them, too). Shadows that there were are gone. A budget that changes takes
 * their frames along, where there is memory for that; a page whose content is
 * dropped leaves them; a change of policy or observer leaves them as they are.
 * They know nothing of pins, of advice and of reading ahead. They go with the
 * space; a space that a file is attached to has its own.
 *
 * EOPNOTSUPP for a policy that has to know the future; ENOMEM; EDQUOT: each
 * page of their memory counts as a frame of the space's owner, and at most half
 * of vmd_info.user_frames may go there.
 */
struct vmd_shadow_set {
	__u32 count;
	__u32 shift;
	__u32 flags;
	__u32 reserved;
	char policies[VMD_SHADOWS_MAX][VMD_POLICY_LEN];
};

/**
 * struct vmd_shadow_run - what one shadow has counted
 * @policy: which
 * @references: to the pages it looks at
 * @misses: those it would have missed
 * @evictions: pages it would have evicted
 * @evictions_dirty: those it knows to have been written since they came in
 */
struct vmd_shadow_run {
	char policy[VMD_POLICY_LEN];
	__u64 references;
	__u64 misses;
	__u64 evictions;
	__u64 evictions_dirty;
};

/* vmd_shadow_get.flags */
#define VMD_SHADOW_AUTO		_BITUL(0)	/* those that "auto" goes by */

/**
 * struct vmd_shadow_get - argument of VMD_IOC_GET_SHADOWS
 * @flags: in: 0 for those of VMD_IOC_SET_SHADOWS, or VMD_SHADOW_AUTO for those
 *	of the policy "auto"
 * @count: out, as all that follows: how many there are; perhaps none
 * @shift: as it was set
 * @frames: that each of them has: the budget divided by 2^@shift, 1 at least
 * @references: of the space, to all pages, since they began
 * @misses: of these
 * @evictions: of the space, since they began
 * @evictions_dirty: of these
 * @bytes: memory they take
 * @switches: how often "auto" changed the policy since it was set
 * @live: the policy that runs in the space now, also with "auto"
 * @runs: the shadows, in the order in which they were set
 *
 * misses * 2^@shift of a shadow stands against the @misses of the space.
 */
struct vmd_shadow_get {
	__u32 flags;
	__u32 count;
	__u32 shift;
	__u32 frames;
	__u64 references;
	__u64 misses;
	__u64 evictions;
	__u64 evictions_dirty;
	__u64 bytes;
	__u64 switches;
	char live[VMD_POLICY_LEN];
	struct vmd_shadow_run runs[VMD_SHADOWS_MAX];
};

/**
 * struct vmd_budget - argument of VMD_IOC_SET_BUDGET
 * @frames: as vmd_config.budget
 * @flags: 0
 * @reserved: 0
 */
struct vmd_budget {
	__u64 frames;
	__u32 flags;
	__u32 reserved;
};

/*
 * Every counter there is: X(name, "what it counts"). The ioctl, procfs,
 * debugfs and the tools use these very names. All but the last four only grow
 * (until VMD_IOC_RESET_STATS); the last four are levels. The list is closed: it
 * lies in the middle of struct vmd_stats, which grows at its end: counters that
 * came later are in VMD_MORE_COUNTERS, and only grow.
 */
#define VMD_COUNTERS(X)							\
	X(references,	   "references the observer saw: hits + misses")	\
	X(hits,		   "references that found their page resident")	\
	X(misses,	   "references that did not")				\
	X(faults_major,	   "faults that read their page from the store")	\
	X(faults_soft,	   "faults on a resident page: only mapped")		\
	X(faults_write,	   "faults, of any kind, of a write access")		\
	X(zero_fills,	   "faults on a page that had no content yet")		\
	X(pages_read,	   "pages read from the store")				\
	X(pages_written,   "pages written to the store")			\
	X(evictions,	   "pages evicted: clean + dirty")			\
	X(evictions_clean, "pages evicted without a write")			\
	X(evictions_dirty, "pages evicted after a write")			\
	X(stalls,	   "faults that had to evict before they had a frame")	\
	X(io_errors,	   "reads and writes of the store that failed")		\
	X(resident,	   "pages in a frame now")				\
	X(dirty,	   "resident pages known to be dirty now")		\
	X(budget,	   "most frames the space may hold")			\
	X(size,		   "bytes of the space")

#define VMD_MORE_COUNTERS(X)						\
	X(unmap_calls,	   "calls that took pages out of page tables, run by run") \
	X(reclaimed,	   "pages given back because memory was short")	\
	X(punched,	   "pages whose content was dropped on demand")	\
	X(prefetched,	   "pages read ahead of the fault that may want them") \
	X(prefetch_hits,   "pages read ahead that were touched")	\
	X(prefetch_wasted, "pages read ahead that left untouched")		\
	X(tlb_flushes_estimated, "TLB flushes for pages unmapped, as far as known") \
	X(background_evictions, "pages evicted before a fault needed the frame") \
	X(pages_dirtied,   "times that a clean page became known to be dirty")	\
	X(background_writes, "pages written by the flusher, and not evicted") \
	X(misses_compulsory, "first misses of a page: there is no way around them") \
	X(misses_capacity, "misses that frames usable by all pages would have, too") \
	X(misses_conflict, "misses for want of a frame in the page's set")	\
	X(mapped_huge,	   "faults that mapped a page of 2 MiB by one entry")	\
	X(mapped_parts,	   "faults that mapped parts of a page above 4 KiB") \
	X(faults_cow,	   "writes that made a page the space's own which others had, too")

#define VMD_LATENCY_BUCKETS	32

/**
 * struct vmd_stats - every counter, and the latency of faults
 * @flags: in: 0 for the file's space, VMD_STATS_MODULE for all spaces there
 *	are and have been: the levels, budget and size among them, are sums over
 *	those there are then, and VMD_IOC_RESET_STATS does not show
 * @latency: faults by the time they took: bucket i counts those of 2^i up to
 *	2^(i+1) - 1 ns; bucket 0 also 0 ns; the last one all that took longer
 *
 * The fields between are VMD_COUNTERS, those behind VMD_MORE_COUNTERS, in that
 * order.
 */
struct vmd_stats {
	__u64 flags;
#define X(name, text) __u64 name;
	VMD_COUNTERS(X)
	__u64 latency[VMD_LATENCY_BUCKETS];

	VMD_MORE_COUNTERS(X)
#undef X
};

#define VMD_STATS_MODULE	_BITULL(0)

/**
 * enum vmd_advice - values of vmd_advise.advice
 * @VMD_ADVICE_WILLNEED: read the pages in now, as far as the budget goes; those
 *	without content are passed over
 * @VMD_ADVICE_DONTNEED: not needed soon: clean pages leave their frames now,
 *	dirty ones are unmapped and leave when their turn comes. Content stays,
 *	and so do pinned pages.
 * @VMD_ADVICE_PIN: read the pages in, those without content as zeros, and never
 *	evict them: all or none. ENOSPC if that would leave fewer than a quarter
 *	of the budget, or of a set (vmd_config.ways), to the others.
 * @VMD_ADVICE_UNPIN: undo VMD_ADVICE_PIN; pages not pinned are passed over
 * @VMD_ADVICE_EVICT: write the dirty ones and take all pages out of their
 *	frames now. EBUSY if a page is pinned or in use by I/O, EIO or ENOSPC if
 *	one could not be written; the others went.
 * @VMD_ADVICE_UNMAP: take the pages out of every page table, leave them in
 *	their frames: the next touch is a soft fault and, with observer "trap",
 *	a reference even of the page the thread touched last
 * @VMD_ADVICE_WRITE: begin to write the dirty ones to the store, and do not wait
 *	for it; pages in use just now are passed over. They stay in their frames
 *	but leave the page tables. Whether it worked out is told by VMD_IOC_SYNC.
 */
enum vmd_advice {
	VMD_ADVICE_WILLNEED = 1,
	VMD_ADVICE_DONTNEED = 2,
	VMD_ADVICE_PIN	    = 3,
	VMD_ADVICE_UNPIN    = 4,
	VMD_ADVICE_EVICT    = 5,
	VMD_ADVICE_UNMAP    = 6,
	VMD_ADVICE_WRITE    = 7,
};

/**
 * struct vmd_advise - argument of VMD_IOC_ADVISE
 * @offset: first byte, a multiple of the page size
 * @length: bytes, a multiple of the page size; 0 means up to the space's end
 * @advice: enum vmd_advice
 * @flags: 0
 *
 * EINVAL if the range does not lie within the space.
 */
struct vmd_advise {
	__u64 offset;
	__u64 length;
	__u32 advice;
	__u32 flags;
};

/**
 * enum vmd_page_state - values of vmd_page.state
 * @VMD_PAGE_ABSENT: has no content yet: the next touch fills it with zeros
 * @VMD_PAGE_FILLING: getting a frame and its content
 * @VMD_PAGE_RESIDENT: in a frame
 * @VMD_PAGE_EVICTING: leaving its frame
 * @VMD_PAGE_SWAPPED: in the store only; of a space on a file also a page that
 *	was never touched
 */
enum vmd_page_state {
	VMD_PAGE_ABSENT	  = 0,
	VMD_PAGE_FILLING  = 1,
	VMD_PAGE_RESIDENT = 2,
	VMD_PAGE_EVICTING = 3,
	VMD_PAGE_SWAPPED  = 4,
};

/* vmd_page.flags */
#define VMD_PAGE_DIRTY		_BITUL(0)	/* differs from the store */
#define VMD_PAGE_ACCESSED	_BITUL(1)	/* accessed bit set in a page table */
#define VMD_PAGE_MAPPED		_BITUL(2)	/* in some page table */
#define VMD_PAGE_PINNED		_BITUL(3)	/* by VMD_ADVICE_PIN */
#define VMD_PAGE_SLOT		_BITUL(4)	/* vmd_page.slot holds a copy, if clean */
#define VMD_PAGE_HUGE		_BITUL(5)	/* one entry maps it: 2 MiB */
#define VMD_PAGE_SHARED		_BITUL(6)	/* in two or more mappings' page tables */

/**
 * struct vmd_page - one page of a space
 * @state: enum vmd_page_state
 * @flags: VMD_PAGE_* bits
 * @sharers: of a private space: how many spaces have the page's frame, or its
 *	slot: 1 if only this one, 0 if it has no content; else 0. (Called reserved,
 *	and 0, before VMD_FEATURE_PRIVATE.)
 * @faults: misses of this page since the space was made, at most 2^30 - 1
 * @slot: place in the store, valid with VMD_PAGE_SLOT
 */
struct vmd_page {
	__u8 state;
	__u8 flags;
	__u16 sharers;
	__u32 faults;
	__u64 slot;
};

/**
 * struct vmd_pages - argument of VMD_IOC_PAGES
 * @first: in: index of the first page
 * @count: in: pages wanted, up to VMD_PAGES_MAX; out: pages described: fewer
 *	where the space ends before
 * @pages: in: address of an array of @count struct vmd_page
 * @flags: 0
 * @reserved: 0
 *
 * EINVAL if @first is past the end; at the end, no page is described. Pages
 * change while they are looked at: each one is true for an instant, the whole
 * is not.
 */
struct vmd_pages {
	__u64 first;
	__u64 count;
	__u64 pages;
	__u32 flags;
	__u32 reserved;
};

#define VMD_PAGES_MAX	_BITULL(20)

/**
 * struct vmd_attach - argument of VMD_IOC_ATTACH
 * @space_id: the space that this file shall stand for from now on
 * @flags: 0
 * @reserved: 0
 *
 * The file's own space is given up. ENOENT if there is no such space; EPERM
 * unless the caller's effective user made that space or has CAP_SYS_ADMIN in
 * the initial user namespace; EBUSY if this file was ever mapped, or attached
 * 256 times.
 */
struct vmd_attach {
	__u64 space_id;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct vmd_sync - argument of VMD_IOC_SYNC
 * @offset: first byte, a multiple of the page size
 * @length: bytes, a multiple of the page size; 0 means up to the space's end
 * @flags: 0
 * @reserved: 0
 *
 * Writes the dirty pages of the range to the store and waits until they are on
 * its medium, as fsync() and msync(MS_SYNC) do. They stay in their frames but
 * leave the page tables, from where it is learnt that they are dirty: the next
 * touch is a soft fault. EIO or ENOSPC if one could not be written: it stays
 * resident and dirty; the others were written. An error of a write that nobody
 * waited for (an eviction's) is told once to each open file, by whichever of
 * these calls comes next.
 */
struct vmd_sync {
	__u64 offset;
	__u64 length;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct vmd_set_file - argument of VMD_IOC_SET_FILE
 * @fd: a regular file (of any file system) or a block device, open for reading
 *	or for reading and writing
 * @flags: 0
 * @reserved: 0
 *
 * Makes a space whose page i is the file's page i, and lets the descriptor
 * stand for it as VMD_IOC_ATTACH does (VMD_IOC_INFO tells the new id); budget,
 * policy and observer are those of the space it stood for, which is given up.
 *
 * The size is the file's, to the byte: what a mapping shows of the last page
 * behind it reads as zeros and is never written to the file. Holes read as
 * zeros. Nothing but VMD_IOC_SET_CONFIG makes the file longer or shorter: a
 * touch past the end is SIGBUS, write(2) there says ENOSPC. Dirty pages are
 * written in place when they are evicted, by fsync(), msync(), VMD_IOC_SYNC and
 * when the last descriptor and mapping have gone.
 *
 * If @fd is not open for writing the space is read-only: shared mappings cannot
 * be writable (EACCES), write(2), VMD_IOC_PUNCH and a new size say EROFS.
 *
 * EBADF if @fd is not open, or not for reading; EINVAL if it is neither a
 * regular file nor a block device (a space cannot be another's file), is open
 * for appending, or is empty and a block device; EFBIG if it is longer than
 * vmd_info.max_size; ENODATA if the policy is one that follows a string, which
 * the new space would not have (VMD_IOC_FUTURE); EBUSY if the descriptor was ever
 * mapped or attached too often (see VMD_IOC_ATTACH), if the file is behind
 * another space and either of them writes, or if it is the backing of the swap
 * store; ETXTBSY if the kernel swaps to it; EDQUOT past vmd_info.user_spaces.
 */
struct vmd_set_file {
	__s32 fd;
	__u32 flags;
	__u64 reserved[3];
};

/**
 * struct vmd_punch - argument of VMD_IOC_PUNCH
 * @offset: first byte, a multiple of the page size
 * @length: bytes, a multiple of the page size; 0 means up to the space's end
 * @flags: 0
 * @reserved: 0
 *
 * Drops the content of the pages: they read as zeros, and what they held is
 * given back: their frames, their slots, the file's blocks. Copies that private
 * mappings have made of them stay. EBUSY, and nothing is changed, if a page of
 * the range is pinned by VMD_ADVICE_PIN; EOPNOTSUPP if the file cannot have
 * holes; EROFS.
 */
struct vmd_punch {
	__u64 offset;
	__u64 length;
	__u32 flags;
	__u32 reserved;
};

/* vmd_record.events: what is recorded */
#define VMD_RECORD_REFERENCES	_BITUL(0)	/* each reference, hit or miss */
#define VMD_RECORD_FAULTS	_BITUL(1)	/* each miss */
#define VMD_RECORD_EVICTIONS	_BITUL(2)	/* each page that left its frame */
#define VMD_RECORD_EVENTS	(_BITUL(3) - 1)

/* vmd_record.flags */
#define VMD_RECORD_WAIT		_BITUL(0)	/* threads wait rather than lose */

#define VMD_RECORD_MIN		_BITULL(12)	/* least and most of vmd_record.bytes */
#define VMD_RECORD_MAX		_BITULL(24)
#define VMD_RECORD_BYTES	_BITULL(18)	/* where it is 0 */

/**
 * struct vmd_record - argument of VMD_IOC_RECORD
 * @events: VMD_RECORD_REFERENCES, _FAULTS and _EVICTIONS, one at least
 * @flags: VMD_RECORD_WAIT or 0
 * @bytes: room for records: a power of two, VMD_RECORD_MIN to VMD_RECORD_MAX,
 *	or 0 for VMD_RECORD_BYTES
 * @wake: bytes of records at which poll(2) says POLLIN, at most @bytes; 0: half
 * @reserved: 0
 *
 * Begins to record what happens in the space and returns a new descriptor, with
 * close-on-exec set: the recorder. One byte after the other, the records are
 * put into a ring that its mmap() shows (struct vmd_ring), as the stream that
 * vmdemo_trace.h describes behind the header. It is an error to record
 * nothing; a space has one recorder at a time: EBUSY. ENOMEM; EMFILE, ENFILE;
 * EDQUOT: each page of the ring counts as a frame of the space's owner, and at
 * most half of vmd_info.user_frames may go there.
 *
 * References are those that vmd_stats.references counts when they are made: all
 * with observer "trap" (a change of page), every fault with "fault", and only
 * the misses, reads and writes of files with "accessed". A miss is recorded
 * once: as VMD_TRACE_FAULT with VMD_RECORD_FAULTS, else as
 * VMD_TRACE_REFERENCE. The evictions that made room for a page come before it.
 * The thread is its id as the caller's PID namespace knows it, or 0. The
 * instruction pointer is the program's own; 0 where the kernel touched the page
 * for it, and where the thread's effective user is neither the caller's nor was
 * the caller capable of CAP_SYS_PTRACE in the initial user namespace.
 *
 * Where there is no room, a record is dropped and counted; before the next one
 * there is room for, a record VMD_TRACE_LOST tells how many. With
 * VMD_RECORD_WAIT a thread that touches a page waits for room before it does,
 * until the reader has made some, the recording ends or the thread is killed.
 * Lost are then only: evictions for other reasons than a fault (advice, a new
 * budget, memory pressure) that find the ring full; and what a thread that
 * shares the caller's memory does where it could not wait without holding the
 * lock on that memory.
 *
 * poll(2) says POLLIN when @wake bytes can be read, or any while a thread waits
 * for room; POLLIN and POLLHUP when the recording has ended: by
 * VMD_IOC_RECORD_STOP, or as the space has no users left. It lets threads go on
 * for which the reader has made room: after moving vmd_ring.tail, poll. (One
 * that does not is noticed a little later.) The recorder does not keep the
 * space alive. With its last descriptor and mapping, or its process, the
 * recording ends.
 */
struct vmd_record {
	__u32 events;
	__u32 flags;
	__u64 bytes;
	__u64 wake;
	__u64 reserved;
};

/* vmd_walk.result */
#define VMD_WALK_MAPPED		_BITUL(0)	/* a mapping is there: @start, @end */
#define VMD_WALK_PRESENT	_BITUL(1)	/* arrived: @page_shift, @frame */
#define VMD_WALK_FRAMES		_BITUL(2)	/* addresses and @frame are shown */
#define VMD_WALK_SPACE		_BITUL(3)	/* of a space: @space_id, @index, @page */
#define VMD_WALK_IN_FRAME	_BITUL(4)	/* the space's page has @space_frame */
#define VMD_WALK_QUEUED		_BITUL(5)	/* the policy has it: @position, @queue */
#define VMD_WALK_SAME		_BITUL(6)	/* the walk arrived at that very frame */

/* vmd_walk.access */
#define VMD_WALK_READ		_BITUL(0)
#define VMD_WALK_WRITE		_BITUL(1)
#define VMD_WALK_EXEC		_BITUL(2)
#define VMD_WALK_SHARED		_BITUL(3)

#define VMD_WALK_LEVELS		5

/**
 * struct vmd_walk - argument of VMD_IOC_WALK
 * @address: in: what is to be translated, in the user's half of the addresses
 * @pid: in: whose: a process or a thread, as the caller's PID namespace knows
 *	it, or 0: the caller
 * @flags: in: 0
 * @levels: out: 4 or 5: tables there are from the top to a small page
 * @nr: out: entries that were read: all of them, or fewer where one is a huge
 *	page's or is not present
 * @page_shift: out: 12, 21 or 30: the page's size, as a power of two
 * @access: out: VMD_WALK_READ, _WRITE, _EXEC, _SHARED: what the mapping allows
 * @entry: out: the entries, from the top, as the hardware has them
 * @start: out: first address of the mapping
 * @end: out: and the one behind the last
 * @frame: out: number of the physical 4 KiB frame
 * @space_id: out: the space that is mapped there
 * @index: out: the page of it
 * @page: out: what it is like, as VMD_IOC_PAGES tells
 * @space_frame: out: its frame, as the space numbers those it has
 * @position: out: pages that the policy would evict before it, as it is now
 * @queue: out: pages that the policy has
 * @reserved: in: 0
 * @result: out: VMD_WALK_* bits: which of these are meant
 *
 * Follows the page tables as the hardware would while the program runs. Nothing
 * is changed, no page is brought in. Of a private mapping the frame may be a
 * copy that is not the space's: then VMD_WALK_SAME is missing. What is told of
 * the space is from a moment later.
 *
 * Without CAP_SYS_ADMIN in the initial user namespace, addresses in the entries
 * and @frame are 0, and of an entry that is not present only bits 0 to 8 are
 * shown. EINVAL if the address is in the kernel's half; ESRCH if there is no
 * such process, or it has no memory of its own; EACCES unless the caller may
 * read that process's memory map (/proc/PID/maps).
 */
struct vmd_walk {
	__u64 address;
	__u32 pid;
	__u32 flags;
	__u8 levels;
	__u8 nr;
	__u8 page_shift;
	__u8 access;
	__u32 result;
	__u64 entry[VMD_WALK_LEVELS];
	__u64 start;
	__u64 end;
	__u64 frame;
	__u64 space_id;
	__u64 index;
	struct vmd_page page;
	__u32 space_frame;
	__u32 position;
	__u32 queue;
	__u32 reserved;
};

/**
 * struct vmd_queued - a page in a queue of the policy
 * @page: its index in the space
 * @flags: VMD_QUEUED_* (vmdemo_queues.h)
 * @number: with VMD_QUEUED_NUMBER, what vmd_queue.number says; at most 2^32 - 1
 */
struct vmd_queued {
	__u64 page;
	__u32 flags;
	__u32 number;
};

#define VMD_QUEUE_UNKNOWN	(~0U)	/* vmd_queue.pages, vmd_queue.share */

/**
 * struct vmd_queue - a queue
 * @name: as the paper has it, where there is one
 * @number: what the numbers of its pages are: "uses", "age"; empty: they have none
 * @pages: how many pages and ghosts are in it, or VMD_QUEUE_UNKNOWN
 * @share: how many it may have, or VMD_QUEUE_UNKNOWN
 * @first: where in vmd_queues.queued those are that are shown
 * @shown: how many are
 */
struct vmd_queue {
	char name[VMD_NAME_LEN];
	char number[VMD_NAME_LEN];
	__u32 pages;
	__u32 share;
	__u32 first;
	__u32 shown;
};

#define VMD_QUEUES_MAX		16	/* queues that are shown */
#define VMD_QUEUED_MAX		4096	/* most of vmd_queues.count */

/**
 * struct vmd_queues - argument of VMD_IOC_QUEUES
 * @queued: in: address of an array of @count struct vmd_queued
 * @count: in: room there is, up to VMD_QUEUED_MAX; out: how many are shown
 * @each: in: most to be shown of a queue, 1 or more
 * @flags: 0
 * @nr: out: how many queues there are in @queues
 * @policy: out: the policy, which with "auto" is the one it follows now
 * @queues: out: its queues: pages and ghosts from the end at which they go, a
 *	circle from its hand on. If frames are divided into sets (vmd_config.ways)
 *	a queue is what one of the first VMD_QUEUES_MAX sets has, in the order in
 *	which they would go.
 *
 * All is as it was at one instant. Pages that are pinned are in no queue.
 */
struct vmd_queues {
	__u64 queued;
	__u32 count;
	__u32 each;
	__u32 flags;
	__u32 nr;
	char policy[VMD_POLICY_LEN];
	struct vmd_queue queues[VMD_QUEUES_MAX];
};

/**
 * struct vmd_slot_write - a write to the swap store
 * @slot: first slot
 * @pages: slots from there on
 */
struct vmd_slot_write {
	__u64 slot;
	__u64 pages;
};

#define VMD_SLOTS_MAX		_BITULL(32)	/* most of vmd_slots.count */
#define VMD_SLOT_WRITES		256		/* that are remembered */
#define VMD_SLOT_BUCKETS	32

/**
 * struct vmd_slots - argument of VMD_IOC_SLOTS
 * @first: in: first slot of the map, a multiple of 8
 * @count: in: slots wanted in the map, a multiple of 8, up to VMD_SLOTS_MAX, or
 *	0; out: how many are in it: fewer where there are no more
 * @map: in: address of @count / 8 bytes: bit 0 of byte 0 is set if slot @first
 *	is in use, by whatever space
 * @writes: in: address of an array of @nr_writes struct vmd_slot_write
 * @nr_writes: in: room there is; out: how many are in it, the latest one last;
 *	at most VMD_SLOT_WRITES
 * @flags: 0
 * @allocator: out: how slots are chosen: "clustered", "first", "next", "best"
 *	(module parameter slots)
 * @slots: out: slots there are
 * @used: out: those in use
 * @free_runs: out: runs of free neighbours
 * @longest_free: out: slots in the longest of them
 * @runs: out: runs by length: runs[i] those of 2^i to 2^(i+1) - 1 slots
 *
 * The swap store is one for all spaces. With room for a map or writes: EPERM
 * without CAP_SYS_ADMIN in the initial user namespace. EOPNOTSUPP if the space
 * is on a file. Slots change while they are looked at: the whole is not true
 * for any instant.
 */
struct vmd_slots {
	__u64 first;
	__u64 count;
	__u64 map;
	__u64 writes;
	__u32 nr_writes;
	__u32 flags;
	char allocator[VMD_NAME_LEN];
	__u64 slots;
	__u64 used;
	__u64 free_runs;
	__u64 longest_free;
	__u64 runs[VMD_SLOT_BUCKETS];
};

/**
 * struct vmd_ring - the first page of a recorder's mapping
 * @head: bytes of records so far; written with release semantics
 * @records: records of a reference, fault or eviction among them
 * @drops: records that were dropped so far
 * @told: how many of these VMD_TRACE_LOST records have told
 * @start: the records' time 0, in ns since 1970 (vmdemo_trace.h)
 * @waits: how often a thread had to wait for room
 * @data: where in the mapping the data begin
 * @bytes: how many there are: byte i of the stream is at @data + i % @bytes
 * @reserved: 0
 * @tail: bytes that the reader is done with, to be written by the reader, with
 *	release semantics; grows up to @head. Any other value is passed over: the
 *	kernel goes on with the last good one.
 *
 * mmap() has to be shared and can begin at any page. The kernel reads nothing
 * of it but @tail. After the end, @records + @drops - @told are final: a reader
 * that found @drops above @told has a VMD_TRACE_LOST record to add.
 */
struct vmd_ring {
	__u64 head;
	__u64 records;
	__u64 drops;
	__u64 told;
	__u64 start;
	__u64 waits;
	__u64 data;
	__u64 bytes;
	__u64 reserved[8];
	__u64 tail;
};

/* vmd_future.flags */
#define VMD_FUTURE_DROP		_BITUL(0)	/* follow no string any more */

#define VMD_FUTURE_MAX		_BITULL(26)	/* most references of a string */
#define VMD_FUTURE_NONE		(~0ULL)		/* there is no such page or position */

/**
 * struct vmd_future - argument of VMD_IOC_FUTURE
 * @flags: in: 0 or VMD_FUTURE_DROP
 * @reserved: 0
 * @pages: in: address of an array of @count __u32: the pages of the references
 *	from number @first on. They need not lie within the space.
 * @first: in: see @pages; 0 begins a new string, else what is loaded already
 * @count: in: see @pages; 0: nothing is loaded, the call only tells
 * @total: in: references of the whole string, the same in each call for it; up
 *	to VMD_FUTURE_MAX
 * @loaded: out: references that are loaded of a string that is not whole yet
 * @length: out: references of the string that the space follows; 0: of none
 * @bytes: out: memory that this string takes
 * @position: out: number of the reference that is expected next; @length: the
 *	string is at its end
 * @followed: out: references that were those expected
 * @skipped: out: references of the string that were passed over
 * @strayed: out: references that were not those expected
 * @departures: out: how often that began: a reference strayed, and the one
 *	before had not
 * @first_position: out: @position at the first departure, or VMD_FUTURE_NONE
 * @first_expected: out: the page that was expected there; VMD_FUTURE_NONE if the
 *	string was at its end
 * @first_page: out: the page that was referenced instead
 *
 * Loads a reference string for the space to follow, in one call or in several;
 * with the last of its references it takes the place of the one before, at
 * position 0, and whatever is resident is judged by it. It belongs to the space:
 * it is followed whoever references a page, through whichever mapping, whatever
 * the policy, and is gone with the space or VMD_FUTURE_DROP. A new size changes
 * nothing about it. A new string begun forgets one that is not whole.
 *
 * References are those that vmd_stats.references counts. Observer "trap" sees all
 * of them (a change of page), so all have to be in the string, and policy "opt"
 * is exact. Where a reference departs from the string, the position stays until
 * either what is expected comes after all, or two references that strayed in a
 * row stand side by side further on in the string: it goes on there. Until then, and
 * behind the end, "opt" goes by what it knows: pages not used again in the
 * string go first, of these clean ones, of these the least recently used.
 * Observer "fault" does not see references to mapped pages, and of "accessed"
 * only misses move the position: at each the string is taken up at the next
 * reference to that page. What is between counts as skipped and is no departure.
 *
 * The memory is 8 bytes a reference and at most 16 a page that is referenced,
 * rounded up to whole pages, each of which counts as a frame of the space's
 * owner (vmd_info.user_frames), and in the memory cgroup. EDQUOT past half of
 * that cap; ENOMEM; EINTR if the thread is killed; EINVAL if @first is not what
 * is loaded already or @total not what it was; EBUSY: the policy needs the
 * string that was to be dropped. A call with the last references that fails,
 * but for EFAULT, has forgotten those before.
 */
struct vmd_future {
	__u32 flags;
	__u32 reserved;
	__u64 pages;
	__u64 first;
	__u64 count;
	__u64 total;
	__u64 loaded;
	__u64 length;
	__u64 bytes;
	__u64 position;
	__u64 followed;
	__u64 skipped;
	__u64 strayed;
	__u64 departures;
	__u64 first_position;
	__u64 first_expected;
	__u64 first_page;
};

/* vmd_step.flags */
#define VMD_STEP_EACH_PHASE	_BITUL(0)	/* halt as the fault goes, too */

/**
 * struct vmd_step - argument of VMD_IOC_STEP
 * @flags: 0 or VMD_STEP_EACH_PHASE
 * @reserved: 0
 *
 * Returns the descriptor of a *stepper*: from now on each fault in the space
 * halts its thread when all is done for it and before the instruction is
 * restarted, and is told: read(2) of the descriptor gives one struct
 * vmd_step_fault at a time, in the order in which they were told.
 * VMD_IOC_STEP_NEXT lets a thread that was told of go on. EBUSY if the space has
 * a stepper.
 *
 * With VMD_STEP_EACH_PHASE (VMD_FEATURE_STEP_PHASES) a fault that halts is told,
 * and halts its thread, in each of its phases: enum vmd_step_phase. They have the
 * same number. Those before the last are told before anything was done; one that
 * a signal ended there is not told of any further.
 *
 * A thread that is halted holds no lock. Any signal to it ends the halt, too: it
 * goes on to take the signal and, back at the same instruction, faults anew if
 * it has to. Faults that are told of but do not halt (VMD_STEP_KERNEL,
 * VMD_STEP_OWN, VMD_STEP_TRIED) wait for the reader in a queue of some hundred;
 * beyond that they are lost, and counted.
 *
 * While there is a stepper pages are evicted one at a time, when a fault needs
 * the frame, and none is read ahead. poll(2) says POLLIN when there is
 * something to be read, and POLLHUP when the space has no users left: read(2)
 * says 0 then. All threads go on at once when the process that made the stepper
 * closes a descriptor of it or ends, however it ends. The stepper does not keep
 * the space alive.
 */
struct vmd_step {
	__u32 flags;
	__u32 reserved[3];
};

/**
 * struct vmd_step_next - argument of VMD_IOC_STEP_NEXT, of a stepper's descriptor
 * @number: vmd_step_fault.number of the thread that shall go on; 0: of all that
 *	were told of
 * @flags: 0
 * @reserved: 0
 *
 * ENOENT if no thread is halted there (any more).
 */
struct vmd_step_next {
	__u64 number;
	__u32 flags;
	__u32 reserved;
};

/**
 * enum vmd_step_kind - values of vmd_step_fault.kind
 * @VMD_STEP_SOFT: the page was in a frame: it only has to be mapped
 * @VMD_STEP_ZERO: it had no content yet: a frame was filled with zeros
 * @VMD_STEP_READ: it was read from the store
 * @VMD_STEP_ILLEGAL: there is no such page: SIGBUS
 * @VMD_STEP_FAILED: it could not be brought in
 */
enum vmd_step_kind {
	VMD_STEP_SOFT	 = 1,
	VMD_STEP_ZERO	 = 2,
	VMD_STEP_READ	 = 3,
	VMD_STEP_ILLEGAL = 4,
	VMD_STEP_FAILED	 = 5,
};

/**
 * enum vmd_step_phase - values of vmd_step_fault.phase
 * @VMD_STEP_END: all was done; the only one without VMD_STEP_EACH_PHASE
 * @VMD_STEP_BEGIN: nothing was done. Told are the access, @before, @used and
 *	@frames; @kind is what will come of it if nothing happens meanwhile.
 * @VMD_STEP_VICTIM: no frame is free, and the policy was asked who should go;
 *	nothing has gone. @victim and what follows tell of that page as it is:
 *	@victim_slot where its content is, ~0 if it is dirty or has none. It is
 *	that page that goes, unless it is found accessed or in use, or others fault
 *	meanwhile: VMD_STEP_END tells.
 */
enum vmd_step_phase {
	VMD_STEP_END	= 0,
	VMD_STEP_BEGIN	= 1,
	VMD_STEP_VICTIM	= 2,
};

/* vmd_step_fault.flags */
#define VMD_STEP_WRITE		_BITUL(0)	/* the access writes */
#define VMD_STEP_HALTED		_BITUL(1)	/* the thread waits to be let go */
#define VMD_STEP_KERNEL		_BITUL(2)	/* not halted: in a system call */
#define VMD_STEP_OWN		_BITUL(3)	/* not halted: the stepper's process */
#define VMD_STEP_TRIED		_BITUL(4)	/* not halted: has been before, or */
						/* the kernel does not allow it */
#define VMD_STEP_SIGNAL		_BITUL(5)	/* not halted any more: a signal */
#define VMD_STEP_EVICTED	_BITUL(6)	/* a page left for it: victim */

/**
 * struct vmd_step_fault - a fault, and what was done about it
 * @number: of the fault, from 1 on
 * @time: ns since the stepper was made, when it was told
 * @address: that was accessed
 * @page: index of its page in the space
 * @ip: the instruction, 0 if it is unknown (as in a recording)
 * @thread: its id, in the pid namespace of who made the stepper
 * @flags: VMD_STEP_*
 * @kind: enum vmd_step_kind
 * @error: with VMD_STEP_FAILED: errno
 * @before: the page's entry as the fault found it
 * @after: and when it was served
 * @used: frames with a page in them, as the fault found it
 * @frames: most there may be
 * @frame: number of the frame the page is in
 * @evicted: pages that left for it; the next ones are about the last of them
 * @victim: index of the page
 * @victim_entry: its entry before it left; VMD_PAGE_DIRTY: it had to be written
 * @victim_slot: where its content is now; ~0: it never had any but zeros
 * @victim_frame: the frame it was in
 * @why: enum vmd_why (vmdemo_why.h)
 * @numbers: that belong to @why
 * @policy: name of the policy that chose it, without parameters
 * @passed: pages that it chose first but that stayed, as they were accessed,
 *	are part of an unfinished instruction, or are in use by I/O
 * @phase: enum vmd_step_phase. (Called reserved, and 0, before
 *	VMD_FEATURE_STEP_PHASES.)
 * @lost: faults that were not told of so far
 */
struct vmd_step_fault {
	__u64 number;
	__u64 time;
	__u64 address;
	__u64 page;
	__u64 ip;
	__u32 thread;
	__u32 flags;
	__u32 kind;
	__s32 error;
	struct vmd_page before;
	struct vmd_page after;
	__u64 used;
	__u64 frames;
	__u32 frame;
	__u32 evicted;
	__u64 victim;
	struct vmd_page victim_entry;
	__u64 victim_slot;
	__u32 victim_frame;
	__u32 why;
	__u64 numbers[4];
	char policy[VMD_NAME_LEN];
	__u32 passed;
	__u32 phase;
	__u64 lost;
};

/*
 * Besides these calls the device answers BLKGETSIZE64 (linux/fs.h) with the
 * space's size in bytes, read(2), write(2), lseek(2), fsync(2), poll(2) (always
 * ready; POLLERR while there is an error that fsync() would tell).
 */
#define VMD_IOC_TYPE		0xD5
#define VMD_IOC_INFO		_IOR(VMD_IOC_TYPE, 0x20, struct vmd_info)
#define VMD_IOC_GET_CONFIG	_IOR(VMD_IOC_TYPE, 0x21, struct vmd_config)
#define VMD_IOC_SET_CONFIG	_IOW(VMD_IOC_TYPE, 0x22, struct vmd_config)
#define VMD_IOC_SET_POLICY	_IOW(VMD_IOC_TYPE, 0x23, struct vmd_policy)
#define VMD_IOC_SET_BUDGET	_IOW(VMD_IOC_TYPE, 0x24, struct vmd_budget)
#define VMD_IOC_GET_STATS	_IOWR(VMD_IOC_TYPE, 0x25, struct vmd_stats)
#define VMD_IOC_RESET_STATS	_IO(VMD_IOC_TYPE, 0x26)
#define VMD_IOC_ADVISE		_IOW(VMD_IOC_TYPE, 0x27, struct vmd_advise)
#define VMD_IOC_PAGES		_IOWR(VMD_IOC_TYPE, 0x28, struct vmd_pages)
#define VMD_IOC_ATTACH		_IOW(VMD_IOC_TYPE, 0x29, struct vmd_attach)
#define VMD_IOC_SYNC		_IOW(VMD_IOC_TYPE, 0x2A, struct vmd_sync)
#define VMD_IOC_SET_FILE	_IOW(VMD_IOC_TYPE, 0x2B, struct vmd_set_file)
#define VMD_IOC_PUNCH		_IOW(VMD_IOC_TYPE, 0x2C, struct vmd_punch)
#define VMD_IOC_RECORD		_IOW(VMD_IOC_TYPE, 0x2D, struct vmd_record)
#define VMD_IOC_SET_SHADOWS	_IOW(VMD_IOC_TYPE, 0x30, struct vmd_shadow_set)
#define VMD_IOC_GET_SHADOWS	_IOWR(VMD_IOC_TYPE, 0x31, struct vmd_shadow_get)
#define VMD_IOC_FUTURE		_IOWR(VMD_IOC_TYPE, 0x2E, struct vmd_future)
#define VMD_IOC_QUEUES		_IOWR(VMD_IOC_TYPE, 0x32, struct vmd_queues)
#define VMD_IOC_WALK		_IOWR(VMD_IOC_TYPE, 0x33, struct vmd_walk)
#define VMD_IOC_STEP		_IOW(VMD_IOC_TYPE, 0x35, struct vmd_step)
#define VMD_IOC_SLOTS		_IOWR(VMD_IOC_TYPE, 0x34, struct vmd_slots)

/* Of a recorder's descriptor: end the recording. What is in the ring stays. */
#define VMD_IOC_RECORD_STOP	_IO(VMD_IOC_TYPE, 0x40)

/* Of a stepper's descriptor: let a thread go on. */
#define VMD_IOC_STEP_NEXT	_IOW(VMD_IOC_TYPE, 0x36, struct vmd_step_next)

/* Part of the ABI: a change here breaks programs that were built before. */
#ifdef __cplusplus
#define VMD_ASSERT_SIZE(type, bytes) \
	static_assert(sizeof(struct type) == (bytes), "ABI of struct " #type)
#else
#define VMD_ASSERT_SIZE(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), "ABI of struct " #type)
#endif
VMD_ASSERT_SIZE(vmd_info, 104);
VMD_ASSERT_SIZE(vmd_config, 144);
VMD_ASSERT_SIZE(vmd_policy, 72);
VMD_ASSERT_SIZE(vmd_budget, 16);
VMD_ASSERT_SIZE(vmd_stats, 8 + 18 * 8 + VMD_LATENCY_BUCKETS * 8 + 16 * 8);
VMD_ASSERT_SIZE(vmd_advise, 24);
VMD_ASSERT_SIZE(vmd_page, 16);
VMD_ASSERT_SIZE(vmd_pages, 32);
VMD_ASSERT_SIZE(vmd_attach, 16);
VMD_ASSERT_SIZE(vmd_sync, 24);
VMD_ASSERT_SIZE(vmd_set_file, 32);
VMD_ASSERT_SIZE(vmd_punch, 24);
VMD_ASSERT_SIZE(vmd_record, 32);
VMD_ASSERT_SIZE(vmd_future, 128);
VMD_ASSERT_SIZE(vmd_walk, 136);
VMD_ASSERT_SIZE(vmd_queued, 16);
VMD_ASSERT_SIZE(vmd_queue, 48);
VMD_ASSERT_SIZE(vmd_queues, 88 + VMD_QUEUES_MAX * 48);
VMD_ASSERT_SIZE(vmd_slot_write, 16);
VMD_ASSERT_SIZE(vmd_slots, 344);
VMD_ASSERT_SIZE(vmd_ring, 17 * 8);
VMD_ASSERT_SIZE(vmd_shadow_set, 16 + 8 * 64);
VMD_ASSERT_SIZE(vmd_shadow_run, 96);
VMD_ASSERT_SIZE(vmd_shadow_get, 128 + 8 * 96);
VMD_ASSERT_SIZE(vmd_step, 16);
VMD_ASSERT_SIZE(vmd_step_next, 16);
VMD_ASSERT_SIZE(vmd_step_fault, 216);
#undef VMD_ASSERT_SIZE

#endif /* _UAPI_VMDEMO_H */
