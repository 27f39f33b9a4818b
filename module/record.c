// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recording: what happens in a space, packed into a ring that user space maps.
 *
 * The ring is a stream of bytes in the format of uapi/vmdemo_trace.h. Only the
 * kernel packs records, from a state of its own: what the reader writes into
 * the shared pages changes what the reader sees, nothing else. Of these pages
 * the kernel reads the tail alone, and takes it only if it lies between the
 * last good one and the head.
 *
 * A record is put in where the thing happens, mostly with the page's folio
 * locked: nobody can wait for the reader there. With VMD_RECORD_WAIT a thread
 * waits before it has locked anything, and goes on with room for a record of
 * its own, and those of the pages that have to leave for it: it is a *holder*.
 * The others' room is out of bounds for a record that no holder makes.
 *
 * The space has the lock and the queue of who waits for room, so that both are
 * there as long as the space, however suddenly the recorder goes.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/log2.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../uapi/vmdemo_trace.h"
#include "compat.h"
#include "record.h"

#define RECORD_LOST	11		/* most bytes of VMD_TRACE_LOST */
#define RECORD_EVICT	21		/* and of an eviction: page and time */
#define RECORD_TOUCH	(VMD_TRACE_RECORD + RECORD_LOST)
/* A reader that moves the tail need not tell us: we look now and then. */
#define RECORD_LOOK	(HZ / 20 + 1)

/**
 * struct vmd_recorder - one recording; all of it under vmd_space.record_lock
 *	but for what never changes
 * @space: of which; a reference
 * @id: of this recording, never 0
 * @events: VMD_RECORD_*
 * @wait: VMD_RECORD_WAIT
 * @bytes: of the ring
 * @wake: bytes at which the reader is woken
 * @ring: the first page, shared with the reader
 * @data: the others
 * @pages: all of them
 * @nr_pages: how many
 * @charged: how many of them count as frames
 * @mm: the reader's memory, only compared
 * @pids: threads' ids are those of this namespace
 * @uid: the reader; of other users' threads it sees no instruction pointers
 * @sees_all: unless it was allowed to
 * @begin: ktime_get_ns() at the records' time 0
 * @head: bytes written
 * @tail: the last good one the reader gave
 * @drops: as in struct vmd_ring
 * @told: likewise
 * @records: likewise
 * @waits: likewise
 * @last: the record before, what the next one is packed against
 * @holders: threads that have room of their own
 * @share: bytes of that room
 * @hungry: somebody waits for room
 * @ended: there will be no more records
 * @poll: who waits for records
 */
struct vmd_recorder {
	struct vmd_space *space;
	u64 id;
	u32 events;
	bool wait;
	u64 bytes;
	u64 wake;
	struct vmd_ring *ring;
	u8 *data;
	struct page **pages;
	u32 nr_pages;
	u32 charged;
	struct mm_struct *mm;
	struct pid_namespace *pids;
	kuid_t uid;
	bool sees_all;
	u64 begin;
	u64 head;
	u64 tail;
	u64 drops;
	u64 told;
	u64 records;
	u64 waits;
	struct vmd_trace_record last;
	u32 holders;
	u32 share;
	bool hungry;
	bool ended;
	wait_queue_head_t poll;
};

static atomic64_t record_last_id;

/* Bytes that the reader is not done with. Any nonsense leaves all as it was. */
static u64 record_used(struct vmd_recorder *rec)
{
	/* What is overwritten has been read: pairs with the reader's release. */
	u64 tail = smp_load_acquire(&rec->ring->tail);

	if (tail - rec->tail <= rec->head - rec->tail)
		rec->tail = tail;
	return rec->head - rec->tail;
}

/* Is there room for one holder more? */
static bool record_has_room(struct vmd_recorder *rec)
{
	return record_used(rec) + (u64)(rec->holders + 1) * rec->share <=
	       rec->bytes;
}

static void record_copy(struct vmd_recorder *rec, const u8 *from, u32 n)
{
	u32 at = rec->head & (rec->bytes - 1);
	u32 first = min_t(u64, n, rec->bytes - at);

	memcpy(rec->data + at, from, first);
	memcpy(rec->data, from + first, n - first);
	rec->head += n;
}

/* Tell the reader how it stands; the head last, as it says that all is there. */
static void record_publish(struct vmd_recorder *rec)
{
	WRITE_ONCE(rec->ring->records, rec->records);
	WRITE_ONCE(rec->ring->drops, rec->drops);
	WRITE_ONCE(rec->ring->told, rec->told);
	/* Pairs with the acquire of the reader, which then reads the data. */
	smp_store_release(&rec->ring->head, rec->head);
}

/* Pack a record, behind one that tells of drops; nothing but @last changes. */
static u32 record_pack(const struct vmd_recorder *rec,
		       struct vmd_trace_record *last,
		       const struct vmd_trace_record *record, u8 *out)
{
	struct vmd_trace_record lost = {
		.kind = VMD_TRACE_LOST, .count = rec->drops - rec->told,
	};
	u32 n = lost.count ? vmd_trace_encode(last, &lost, out) : 0;

	return n + vmd_trace_encode(last, record, out + n);
}

/* Put a record in, or count it as dropped. @keep: bytes that are others' room. */
static void record_add(struct vmd_recorder *rec,
		       struct vmd_trace_record *record, u64 keep)
{
	struct vmd_trace_record last = rec->last;
	u8 packed[RECORD_TOUCH];
	u64 used = record_used(rec);
	u32 n;

	record->time = ktime_get_ns() - rec->begin;
	n = record_pack(rec, &last, record, packed);
	if (used + n + keep > rec->bytes) {
		rec->drops++;
		record_publish(rec);
		return;
	}
	record_copy(rec, packed, n);
	rec->last = last;
	rec->told = rec->drops;
	rec->records++;
	record_publish(rec);
	if (used < rec->wake && used + n >= rec->wake)
		wake_up_poll(&rec->poll, EPOLLIN | EPOLLRDNORM);
}

/* The program's own instruction, for those who may know. */
static u64 record_ip(const struct vmd_recorder *rec, const struct vmd_access *a)
{
	if (!a->vmf || !(a->vmf->flags & FAULT_FLAG_USER))
		return 0;
	if (!rec->sees_all && !uid_eq(current_euid(), rec->uid))
		return 0;
	return instruction_pointer(task_pt_regs(current));
}

static void record_touch(struct vmd_recorder *rec, const struct vmd_access *a,
			 bool missed)
{
	bool fault = missed && rec->events & VMD_RECORD_FAULTS;
	struct vmd_trace_record record = {
		.page = a->index,
		.ip = record_ip(rec, a),
		.thread = task_pid_nr_ns(current, rec->pids),
		.kind = fault ? VMD_TRACE_FAULT : VMD_TRACE_REFERENCE,
		.write = a->write ? VMD_TRACE_WRITE : 0,
	};

	if (!fault && !(rec->events & VMD_RECORD_REFERENCES))
		return;
	/* A holder has room: its own. */
	record_add(rec, &record,
		   a->record == rec->id ? 0 : (u64)rec->holders * RECORD_TOUCH);
}

/**
 * vmd_record_touched - a reference was counted
 * @a: the access
 * @missed: its page was not resident
 */
void vmd_record_touched(struct vmd_access *a, bool missed)
{
	struct vmd_space *space = a->space;

	spin_lock(&space->record_lock);
	if (space->recorder)
		record_touch(space->recorder, a, missed);
	spin_unlock(&space->record_lock);
}

/**
 * vmd_record_evicted - a page left its frame
 * @space: of which
 * @index: the page
 * @dirty: it had to be written
 */
void vmd_record_evicted(struct vmd_space *space, pgoff_t index, bool dirty)
{
	struct vmd_recorder *rec;
	struct vmd_trace_record record = {
		.page = index,
		.kind = VMD_TRACE_EVICT,
		.write = dirty ? VMD_TRACE_WRITE : 0,
	};

	spin_lock(&space->record_lock);
	rec = space->recorder;
	if (rec && rec->events & VMD_RECORD_EVICTIONS) {
		/* Whoever does it: it has none of its own, and none is packed. */
		record.thread = rec->last.thread;
		record.ip = rec->last.ip;
		record_add(rec, &record, (u64)rec->holders * RECORD_TOUCH);
	}
	spin_unlock(&space->record_lock);
}

/* Become a holder. True also if there is nothing to wait for. */
static bool record_try(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct vmd_recorder *rec;
	bool done = true;

	spin_lock(&space->record_lock);
	rec = space->recorder;
	if (rec && rec->wait) {
		done = record_has_room(rec);
		if (done) {
			rec->holders++;
			a->record = rec->id;
		} else if (!rec->hungry) {
			rec->hungry = true;
			wake_up_poll(&rec->poll, EPOLLIN | EPOLLRDNORM);
		}
	}
	spin_unlock(&space->record_lock);
	return done;
}

/*
 * May this thread sleep until the reader reads? Not with the lock on memory
 * held that the reader works in, too.
 */
static bool record_may_wait(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct vmd_recorder *rec;
	bool shared;

	vmd_may_wait(a);
	spin_lock(&space->record_lock);
	rec = space->recorder;
	shared = rec && rec->mm == current->mm;
	if (rec)
		WRITE_ONCE(rec->ring->waits, ++rec->waits);
	spin_unlock(&space->record_lock);
	return !a->vmf || a->file || !shared;
}

/**
 * vmd_record_enter - an access is about to begin: wait for room for its records
 * @a: the access; nothing is locked but what vmd_may_wait() can give up
 *
 * Returns 0, or -EINTR if the thread is being killed. Undone by
 * vmd_record_leave().
 */
int vmd_record_enter(struct vmd_access *a)
{
	long ret;

	if (record_try(a) || !record_may_wait(a))
		return 0;
	do {
		ret = wait_event_killable_timeout(a->space->record_wait,
						  record_try(a), RECORD_LOOK);
	} while (!ret);
	return ret > 0 ? 0 : -EINTR;
}

/**
 * vmd_record_leave - the access is over
 * @a: its record is not 0
 */
void vmd_record_leave(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct vmd_recorder *rec;

	spin_lock(&space->record_lock);
	rec = space->recorder;
	if (rec && rec->id == a->record) {
		rec->holders--;
		/* Its room may be what the next one waits for. */
		if (rec->hungry)
			wake_up(&space->record_wait);
	}
	spin_unlock(&space->record_lock);
	a->record = 0;
}

/* No more records. Called under record_lock, so that neither queue goes away. */
static void record_end(struct vmd_recorder *rec)
{
	struct vmd_space *space = rec->space;

	if (space->recorder != rec)
		return;
	WRITE_ONCE(space->recorder, NULL);
	rec->ended = true;
	wake_up_all(&space->record_wait);
	wake_up_poll(&rec->poll, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

/**
 * vmd_record_space_ended - the space has no users left
 * @space: the caller has a reference
 *
 * A recorder keeps the space's structure, but not what it holds.
 */
void vmd_record_space_ended(struct vmd_space *space)
{
	spin_lock(&space->record_lock);
	if (space->recorder)
		record_end(space->recorder);
	spin_unlock(&space->record_lock);
	/* Pages the file would not take are told of when the space is freed. */
	if (!space->store->homes || !vmd_space_dirty(space))
		vmd_drop_range(space, 0, ULONG_MAX, false);
}

static void record_stop(struct vmd_recorder *rec)
{
	spin_lock(&rec->space->record_lock);
	record_end(rec);
	spin_unlock(&rec->space->record_lock);
}

static __poll_t record_poll(struct file *file, poll_table *wait)
{
	struct vmd_recorder *rec = file->private_data;
	struct vmd_space *space = rec->space;
	__poll_t mask = 0;
	u64 used;

	poll_wait(file, &rec->poll, wait);
	spin_lock(&space->record_lock);
	used = record_used(rec);
	if (rec->hungry && record_has_room(rec)) {
		rec->hungry = false;
		wake_up_all(&space->record_wait);
	}
	if (used && (used >= rec->wake || rec->hungry || rec->ended))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (rec->ended)
		mask |= EPOLLHUP;
	spin_unlock(&space->record_lock);
	return mask;
}

static int record_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vmd_recorder *rec = file->private_data;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* A child that the reader makes is not to keep the recording going. */
	vmd_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	return vm_map_pages(vma, rec->pages, rec->nr_pages);
}

static long record_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != VMD_IOC_RECORD_STOP)
		return -ENOTTY;
	record_stop(file->private_data);
	return 0;
}

/* What was made of it so far. */
static void record_free(struct vmd_recorder *rec)
{
	u32 i;

	if (rec->ring)
		vunmap(rec->ring);
	for (i = 0; rec->pages && i < rec->nr_pages && rec->pages[i]; i++)
		__free_page(rec->pages[i]);
	kvfree(rec->pages);
	while (rec->charged--)
		vmd_user_uncharge_frame(rec->space);
	put_pid_ns(rec->pids);
	mmdrop(rec->mm);
	vmd_space_put(rec->space);
	kfree(rec);
}

static int record_release(struct inode *inode, struct file *file)
{
	record_stop(file->private_data);
	record_free(file->private_data);
	return 0;
}

static const struct file_operations record_fops = {
	.owner		= THIS_MODULE,
	.release	= record_release,
	.mmap		= record_mmap,
	.poll		= record_poll,
	.unlocked_ioctl	= record_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

/* The ring counts as frames; pages of the same user's spaces make room. */
static int record_charge(struct vmd_recorder *rec)
{
	struct vmd_space *space = rec->space;
	int ret;

	if (!space->exempt && rec->nr_pages > vmd_user_frames() / 2)
		return -EDQUOT;
	while (rec->charged < rec->nr_pages) {
		if (vmd_user_charge_frame(space)) {
			rec->charged++;
			continue;
		}
		ret = vmd_reclaim_user(space->user, VMD_PATIENT);
		if (ret <= 0)
			return ret == -EINTR ? ret : -EDQUOT;
	}
	return 0;
}

static int record_alloc(struct vmd_recorder *rec)
{
	u32 i;

	rec->pages = kvcalloc(rec->nr_pages, sizeof(*rec->pages),
			      GFP_KERNEL_ACCOUNT);
	if (!rec->pages)
		return -ENOMEM;
	for (i = 0; i < rec->nr_pages; i++) {
		rec->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					   __GFP_NOWARN);
		if (!rec->pages[i])
			return -ENOMEM;
	}
	rec->ring = vmap(rec->pages, rec->nr_pages, VM_MAP, PAGE_KERNEL);
	if (!rec->ring)
		return -ENOMEM;
	rec->data = (u8 *)rec->ring + PAGE_SIZE;
	rec->ring->data = PAGE_SIZE;
	rec->ring->bytes = rec->bytes;
	return 0;
}

static void record_init(struct vmd_recorder *rec, struct vmd_space *space,
			const struct vmd_record *how)
{
	vmd_space_get(space);
	rec->space = space;
	rec->id = atomic64_inc_return(&record_last_id);
	rec->events = how->events;
	rec->wait = how->flags & VMD_RECORD_WAIT;
	rec->bytes = how->bytes ? how->bytes : VMD_RECORD_BYTES;
	rec->wake = how->wake ? how->wake : rec->bytes / 2;
	rec->nr_pages = 1 + (rec->bytes >> PAGE_SHIFT);
	rec->share = RECORD_TOUCH;
	if (rec->events & VMD_RECORD_EVICTIONS)
		rec->share += VMD_BATCH_MAX * RECORD_EVICT;
	mmgrab(current->mm);
	rec->mm = current->mm;
	rec->pids = get_pid_ns(task_active_pid_ns(current));
	rec->uid = current_euid();
	rec->sees_all = ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE);
	init_waitqueue_head(&rec->poll);
}

static struct vmd_recorder *record_make(struct vmd_space *space,
					const struct vmd_record *how)
{
	struct vmd_recorder *rec = kzalloc(sizeof(*rec), GFP_KERNEL_ACCOUNT);
	int err;

	if (!rec)
		return ERR_PTR(-ENOMEM);
	record_init(rec, space, how);
	err = record_charge(rec);
	if (!err)
		err = record_alloc(rec);
	if (!err)
		return rec;
	record_free(rec);
	return ERR_PTR(err);
}

/* From here on there are records, unless another one was first. */
static int record_begin(struct vmd_recorder *rec)
{
	struct vmd_space *space = rec->space;
	int err = -EBUSY;

	spin_lock(&space->record_lock);
	if (!space->recorder) {
		rec->begin = ktime_get_ns();
		rec->ring->start = ktime_get_real_ns();
		WRITE_ONCE(space->recorder, rec);
		err = 0;
	}
	spin_unlock(&space->record_lock);
	return err;
}

static bool record_valid(const struct vmd_record *how)
{
	u64 bytes = how->bytes ? how->bytes : VMD_RECORD_BYTES;

	return how->events && !(how->events & ~VMD_RECORD_EVENTS) &&
	       !(how->flags & ~VMD_RECORD_WAIT) && !how->reserved &&
	       is_power_of_2(bytes) && bytes >= VMD_RECORD_MIN &&
	       bytes >= PAGE_SIZE && bytes <= VMD_RECORD_MAX &&
	       how->wake <= bytes;
}

/* A file of its own; the recorder goes with it. */
static struct file *record_file(struct vmd_space *space,
				const struct vmd_record *how)
{
	struct vmd_recorder *rec = record_make(space, how);
	struct file *file;
	int err;

	if (IS_ERR(rec))
		return ERR_CAST(rec);
	file = anon_inode_getfile("[vmdemo-record]", &record_fops, rec, O_RDWR);
	if (IS_ERR(file)) {
		record_free(rec);
		return file;
	}
	err = record_begin(rec);
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}

/**
 * vmd_record_open - begin to record
 * @space: the caller is a user of it
 * @how: as the caller gave it
 *
 * Returns a descriptor, or an error as VMD_IOC_RECORD tells.
 */
int vmd_record_open(struct vmd_space *space, const struct vmd_record *how)
{
	struct file *file;
	int fd;

	if (!record_valid(how))
		return -EINVAL;
	/* Ask before memory is taken for it; what counts is asked again. */
	if (READ_ONCE(space->recorder))
		return -EBUSY;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = record_file(space, how);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
