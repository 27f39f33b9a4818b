// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each thread is at: the pages of the instruction it is executing.
 *
 * One instruction may need several pages at once: a copy whose source and
 * destination both straddle a page boundary needs four. It faults on them one
 * by one and starts anew each time, so as long as a thread faults with the very
 * same registers it has not moved on, and its earlier pages have to stay: a
 * *chain*. (The registers decide which addresses an instruction touches; those
 * of a string instruction change as it moves on.)
 *
 * Two things rest on that:
 *
 *  - progress: the pages of a chain are guarded from eviction. Otherwise a
 *    budget below what the instruction needs, or a policy that evicts what
 *    came last (MRU), would go round for ever. Where all frames are guarded,
 *    frames are lent (frame.c). A guard lapses when its thread moves on, or
 *    GUARD_TIME after the thread's last fault: it may never fault again.
 *
 *  - observer "trap": when a thread moves on, the pages it was at are
 *    unmapped, so that its next touch of them traps again. They stay resident.
 *
 * Inside a system call the registers are those the thread entered it with,
 * however many pages the kernel touches for it; it needs no more than two at
 * once, and no more are kept.
 */
#include <linux/hash.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "space.h"

#define THREAD_BITS	6
#define THREADS_MAX	1024			/* a space */
#define GUARD_TIME	(HZ / 5)
#define KERNEL_CHAIN	2

/**
 * struct vmd_thread - what one thread is at
 * @list: in its bucket of vmd_space.threads
 * @task: which; only compared, never followed
 * @born: the task's start, as addresses are used again
 * @stamp: jiffies of its last fault
 * @regs: its registers then
 * @user: that fault was in user mode
 * @guarded: its pages are guarded
 * @n: entries of @pages
 * @pages: the pages of its instruction, the last touched last
 * @stream: where its misses are going
 */
struct vmd_thread {
	struct hlist_node list;
	struct task_struct *task;
	u64 born;
	unsigned long stamp;
	struct pt_regs regs;
	bool user;
	bool guarded;
	u32 n;
	pgoff_t pages[VMD_CHAIN_MAX];
	struct vmd_stream stream;
};

/**
 * struct vmd_threads - some of the threads: those that hash to one bucket
 * @lock: the entries and what is in them; no two of these are held at a time
 * @list: the entries
 */
struct vmd_threads {
	spinlock_t lock;		/* the list and what is in its entries */
	struct hlist_head list;
};

/* Pages that a thread is no longer at: to be unmapped. */
struct thread_left {
	u32 n;
	pgoff_t pages[VMD_CHAIN_MAX + 1];
};

/**
 * vmd_threads_init - an empty table
 * @space: not yet visible
 */
int vmd_threads_init(struct vmd_space *space)
{
	u32 i;

	space->threads = kcalloc(1 << THREAD_BITS, sizeof(*space->threads),
				 GFP_KERNEL_ACCOUNT);
	if (!space->threads)
		return -ENOMEM;
	for (i = 0; i < 1 << THREAD_BITS; i++)
		spin_lock_init(&space->threads[i].lock);
	return 0;
}

/* Set or clear the guard of a page, if it is resident. */
static void thread_guard(struct vmd_space *space, pgoff_t index, bool guard)
{
	struct vmd_frame *f = xa_load(&space->pages, index);

	if (!vmd_entry_is_frame(f) || READ_ONCE(f->index) != index)
		return;
	if (guard)
		vmd_frame_set(f, VMD_FRAME_GUARDED);
	else if (vmd_frame_test(f, VMD_FRAME_GUARDED))
		vmd_frame_clear(f, VMD_FRAME_GUARDED);
}

static void thread_guard_all(struct vmd_space *space, struct vmd_thread *t,
			     bool guard)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		thread_guard(space, t->pages[i], guard);
	t->guarded = guard;
}

static void threads_clear(struct vmd_space *space)
{
	struct vmd_threads *bucket;
	struct vmd_thread *t;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i < 1 << THREAD_BITS; i++) {
		bucket = &space->threads[i];
		spin_lock(&bucket->lock);
		hlist_for_each_entry_safe(t, next, &bucket->list, list) {
			if (t->guarded)
				thread_guard_all(space, t, false);
			hlist_del(&t->list);
			kfree(t);
			atomic_dec(&space->nr_threads);
		}
		spin_unlock(&bucket->lock);
	}
}

/**
 * vmd_threads_destroy - free the table
 * @space: nobody uses it any more
 */
void vmd_threads_destroy(struct vmd_space *space)
{
	if (space->threads)
		threads_clear(space);
	kfree(space->threads);
}

static struct vmd_threads *thread_bucket(struct vmd_space *space)
{
	return &space->threads[hash_ptr(current, THREAD_BITS)];
}

/* The current thread's entry, or NULL. Called under its bucket's lock. */
static struct vmd_thread *thread_find(struct vmd_threads *bucket)
{
	struct vmd_thread *t;

	hlist_for_each_entry(t, &bucket->list, list)
		if (t->task == current && t->born == current->start_time)
			return t;
	return NULL;
}

static bool thread_at(const struct vmd_thread *t, pgoff_t index)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		if (t->pages[i] == index)
			return true;
	return false;
}

/* Drop the oldest pages until no more than @most are left. */
static void thread_shed(struct vmd_thread *t, u32 most,
			struct thread_left *left)
{
	u32 i, n = t->n - most;

	if (t->n <= most)
		return;
	for (i = 0; i < n; i++)
		left->pages[left->n++] = t->pages[i];
	t->n -= n;
	memmove(t->pages, t->pages + n, t->n * sizeof(t->pages[0]));
}

/* All pages but @index, which stays if the thread is at it. */
static void thread_move_on(struct vmd_thread *t, pgoff_t index,
			   struct thread_left *left)
{
	bool stays = thread_at(t, index);
	u32 i;

	for (i = 0; i < t->n; i++)
		if (t->pages[i] != index)
			left->pages[left->n++] = t->pages[i];
	t->n = stays;
	t->pages[0] = index;
}

/**
 * thread_step - bring a thread's entry up to date with its present fault
 * @t: the current thread's
 * @a: the access: chained, several and reference are set
 * @left: set to the pages that it is not at any more
 *
 * Guards follow the thread; a frame that another one guards, too, loses it.
 */
static void thread_step(struct vmd_thread *t, struct vmd_access *a,
			struct thread_left *left)
{
	struct vmd_space *space = a->space;
	struct pt_regs *regs = task_pt_regs(current);
	bool user = a->vmf->flags & FAULT_FLAG_USER;
	bool last = t->n && t->pages[t->n - 1] == a->index;
	bool same = t->n && t->user == user && vmd_regs_same(&t->regs, regs);
	bool again = same && thread_at(t, a->index);

	a->reference = !again && !last;
	a->chained = same;
	if (t->guarded)
		thread_guard_all(space, t, false);
	if (!same) {
		thread_move_on(t, a->index, left);
		t->regs = *regs;
		t->user = user;
	}
	if (!thread_at(t, a->index)) {
		thread_shed(t, (user ? VMD_CHAIN_MAX : KERNEL_CHAIN) - 1,
			    left);
		t->pages[t->n++] = a->index;
	}
	a->several = same && t->n > 1;
	vmd_ahead_guess(a, &t->stream);
	t->stamp = jiffies;
	if (same)
		thread_guard_all(space, t, true);
}

/* thread_step() on the current thread's entry; false if it has none. */
static bool thread_step_known(struct vmd_access *a, struct thread_left *left)
{
	struct vmd_threads *bucket = thread_bucket(a->space);
	struct vmd_thread *t;

	spin_lock(&bucket->lock);
	t = thread_find(bucket);
	if (t)
		thread_step(t, a, left);
	spin_unlock(&bucket->lock);
	return t;
}

/*
 * The same; an entry is made if there is none. Returns -ENOMEM if not. With too
 * many, all start anew: chains are cut short, no more.
 */
static int thread_fault(struct vmd_access *a, struct thread_left *left)
{
	struct vmd_threads *bucket = thread_bucket(a->space);
	struct vmd_space *space = a->space;
	struct vmd_thread *t;

	if (thread_step_known(a, left))
		return 0;
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	t->task = current;
	t->born = current->start_time;
	if (atomic_inc_return(&space->nr_threads) > THREADS_MAX)
		threads_clear(space);
	/* Nobody else makes an entry for this thread. */
	spin_lock(&bucket->lock);
	hlist_add_head(&t->list, &bucket->list);
	thread_step(t, a, left);
	spin_unlock(&bucket->lock);
	return 0;
}

/**
 * vmd_thread_miss - a page has to be brought in for the current thread
 * @a: the access: chained and several are set
 */
void vmd_thread_miss(struct vmd_access *a)
{
	struct thread_left left;

	left.n = 0;
	/* Without memory for it, a chain goes unnoticed. */
	thread_fault(a, &left);
}

/**
 * vmd_thread_rest - the current thread needs none of its pages just now
 * @space: of which
 *
 * For a system call that has copied from them, and now needs a frame: it would
 * wait for its own guards to lapse. If it faults again they are set anew.
 */
void vmd_thread_rest(struct vmd_space *space)
{
	struct vmd_threads *bucket = thread_bucket(space);
	struct vmd_thread *t;

	spin_lock(&bucket->lock);
	t = thread_find(bucket);
	if (t && t->guarded)
		thread_guard_all(space, t, false);
	spin_unlock(&bucket->lock);
}

/* Pages another thread's unfinished instruction needs stay mapped. */
static void thread_unmap(struct vmd_space *space, pgoff_t index)
{
	struct vmd_frame *f = xa_load(&space->pages, index);

	if (!vmd_entry_is_frame(f) || vmd_frame_test(f, VMD_FRAME_GUARDED))
		return;
	vmd_unmap_page(space, index, READ_ONCE(f->folio), false);
}

/**
 * vmd_thread_trap - the current thread faulted, observer "trap"
 * @a: the access: chained and reference are set
 *
 * Unmaps the pages the thread was at, unless it is still at them. Returns 0,
 * -EINTR or -ENOMEM.
 */
int vmd_thread_trap(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct thread_left left;
	int err;
	u32 i;

	left.n = 0;
	if (mutex_lock_killable(&space->trap_lock))
		return -EINTR;
	err = thread_fault(a, &left);
	for (i = 0; i < left.n; i++)
		thread_unmap(space, left.pages[i]);
	mutex_unlock(&space->trap_lock);
	return err;
}

/**
 * vmd_threads_forget - threads are no longer at any page of a range
 * @space: of which
 * @first: first page
 * @end: the page after the last one
 *
 * Their next touch there is a reference, even of the page they were at.
 */
void vmd_threads_forget(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	struct vmd_threads *bucket;
	struct vmd_thread *t;
	u32 i, j;

	for (i = 0; i < 1 << THREAD_BITS; i++) {
		bucket = &space->threads[i];
		spin_lock(&bucket->lock);
		hlist_for_each_entry(t, &bucket->list, list) {
			for (j = 0; j < t->n; j++)
				if (t->pages[j] >= first && t->pages[j] < end)
					break;
			if (j == t->n)
				continue;
			if (t->guarded)
				thread_guard_all(space, t, false);
			t->n = 0;
		}
		spin_unlock(&bucket->lock);
	}
}

/**
 * vmd_threads_expire - take guards away that have lapsed
 * @space: all its frames are guarded, or cannot go for other reasons
 *
 * All are taken away and those in force set again: a guard set without a lock
 * on the frame may have come to stand on another page, where no thread knows
 * of it. A thread that faults meanwhile may have set its own just before: it is
 * set again in its turn.
 */
void vmd_threads_expire(struct vmd_space *space)
{
	struct vmd_threads *bucket;
	struct vmd_thread *t;
	u32 i;

	for (i = 0; i < READ_ONCE(space->nr_frames); i++)
		vmd_frame_clear(vmd_frame_by_id(space, i), VMD_FRAME_GUARDED);
	for (i = 0; i < 1 << THREAD_BITS; i++) {
		bucket = &space->threads[i];
		spin_lock(&bucket->lock);
		hlist_for_each_entry(t, &bucket->list, list) {
			if (t->guarded)
				thread_guard_all(space, t,
						 time_before(jiffies, t->stamp +
							     GUARD_TIME));
		}
		spin_unlock(&bucket->lock);
	}
}
