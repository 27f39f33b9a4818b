// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames: their structures, their memory, and the budget.
 *
 * Three things are needed before a page can come in, each taken and given back
 * on its own: a frame structure (vmd_frame_take), a unit of the budget
 * (vmd_frame_charge), and memory (vmd_folio_alloc).
 */
#include <linux/gfp.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "compat.h"
#include "cow.h"

/* How long a fault waits for pinned frames before it gives up. */
#define CHARGE_PATIENCE		(HZ / 2)
/* And looks: a virtual machine whose host is busy loses time, not turns. */
#define CHARGE_LOOKS		100
/* How long a space stays small for want of memory: less than that. */
#define SHORT_TIME		(HZ / 4)
/* Evictions that fail by I/O before a fault reports the error. */
#define CHARGE_FAILURES		64

/*
 * Frames of all spaces, in pages of the kernel's; never above the module
 * parameter max_frames.
 */
static atomic_long_t frames_total;

/**
 * vmd_frames_total - pages of the kernel's that all spaces hold together
 */
unsigned long vmd_frames_total(void)
{
	return atomic_long_read(&frames_total);
}

/**
 * vmd_frames_left - could a space have one more, as far as max_frames goes?
 * @space: which
 */
bool vmd_frames_left(const struct vmd_space *space)
{
	return vmd_frames_total() + (1UL << vmd_space_order(space)) <=
	       vmd_max_frames();
}

/**
 * vmd_may_wait - about to sleep: give up the fault's lock if that is allowed
 * @a: the access; a->vmf->vma is off limits if a->file is set afterwards
 *
 * The fault has to end with VM_FAULT_RETRY then, whatever comes of it.
 */
void vmd_may_wait(struct vmd_access *a)
{
	struct vm_fault *vmf = a->vmf;

	if (!vmf || a->file || !fault_flag_allow_retry_first(vmf->flags) ||
	    vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return;
	a->file = get_file(vmf->vma->vm_file);
	vmd_release_fault_lock(vmf);
}

/**
 * vmd_frame_set - set flags of a frame
 * @f: the frame
 * @flag: VMD_FRAME_* flags
 */
void vmd_frame_set(struct vmd_frame *f, u32 flag)
{
	atomic_or(flag, &f->word);
}

/**
 * vmd_frame_clear - clear flags of a frame
 * @f: the frame
 * @flag: VMD_FRAME_* flags
 */
void vmd_frame_clear(struct vmd_frame *f, u32 flag)
{
	atomic_andnot(flag, &f->word);
}

static bool frame_busy(const struct vmd_frame *f)
{
	u32 state = vmd_frame_state(f);

	return state == VMD_PAGE_FILLING || state == VMD_PAGE_EVICTING;
}

/**
 * vmd_frame_set_state - move a frame on, and wake who waits for that
 * @f: the frame; the caller alone may change its state now
 * @state: VMD_FRAME_FREE or enum vmd_page_state
 *
 * Everything written before is seen by whoever sees the new state.
 */
void vmd_frame_set_state(struct vmd_frame *f, u32 state)
{
	int old = atomic_read(&f->word);

	/* Fully ordered on success, as wake_up_var() wants it. */
	while (!atomic_try_cmpxchg(&f->word, &old,
				   (old & ~VMD_FRAME_STATE) | state))
		;
	if (state == VMD_FRAME_FREE || state == VMD_PAGE_RESIDENT)
		wake_up_var(&f->word);
}

static bool frame_moved(struct vmd_access *a, struct vmd_frame *f)
{
	return !frame_busy(f) || READ_ONCE(f->index) != a->index;
}

/**
 * vmd_nap - wait a moment in haste
 * @a: the access
 *
 * Returns 0 if waiting makes sense still, -EINTR or -EDEADLK.
 */
int vmd_nap(struct vmd_access *a)
{
	/* Woken early is not killed: a wake-up may come late. */
	schedule_timeout_killable(1);
	if (fatal_signal_pending(current))
		return -EINTR;
	return vmd_stuck(&a->stuck, a->space->store) ? -EDEADLK : 0;
}

static int frame_wait_hasty(struct vmd_access *a, struct vmd_frame *f)
{
	int err = 0;

	while (!err && !frame_moved(a, f))
		err = vmd_nap(a);
	return err;
}

static int frame_lock(struct vmd_access *a, struct folio *folio)
{
	int err = 0;

	if (folio_trylock(folio))
		return 0;
	vmd_may_wait(a);
	if (a->stuck.haste == VMD_PATIENT)
		return folio_lock_killable(folio) ? -EINTR : 0;
	while (!err && !folio_trylock(folio))
		err = vmd_nap(a);
	return err;
}

/**
 * vmd_frame_wait - wait while a frame is filling or evicting
 * @a: the access that found it
 * @f: the frame
 *
 * Returns 0, -EINTR if the thread is being killed, or -EDEADLK if nothing
 * moves. The frame may hold anything then: look the page up again.
 */
int vmd_frame_wait(struct vmd_access *a, struct vmd_frame *f)
{
	if (!frame_busy(f))
		return 0;
	vmd_may_wait(a);
	if (a->stuck.haste != VMD_PATIENT)
		return frame_wait_hasty(a, f);
	if (wait_var_event_killable(&f->word, frame_moved(a, f)))
		return -EINTR;
	return 0;
}

/**
 * vmd_frame_idle - can its folio be locked without waiting, as far as one sees?
 * @f: the frame
 */
bool vmd_frame_idle(const struct vmd_frame *f)
{
	struct folio *folio = READ_ONCE(f->folio);

	return vmd_frame_state(f) == VMD_PAGE_RESIDENT && folio &&
	       !vmd_frame_test(f, VMD_FRAME_HELD) &&
	       !vmd_folio_peek(folio, PG_locked);
}

static bool frame_holds(const struct vmd_frame *f, const struct folio *folio,
			pgoff_t index)
{
	return vmd_frame_state(f) == VMD_PAGE_RESIDENT &&
	       READ_ONCE(f->folio) == folio && READ_ONCE(f->index) == index;
}

/* Who lets go of the frame sees that somebody waits, or that is seen here. */
static bool frame_not_held(struct vmd_frame *f)
{
	vmd_frame_set(f, VMD_FRAME_AWAITED);
	/* That first, then whether it is held: around_let_go() is the other side. */
	smp_mb__after_atomic();
	return !vmd_frame_test(f, VMD_FRAME_HELD);
}

static int frame_wait_held(struct vmd_access *a, struct vmd_frame *f)
{
	vmd_may_wait(a);
	if (a->stuck.haste != VMD_PATIENT)
		return vmd_nap(a);
	return wait_var_event_killable(&f->word, frame_not_held(f)) ? -EINTR :
								      0;
}

/**
 * vmd_frame_lock_folio - get a resident page's folio, locked
 * @a: the access; a->index is the page
 * @f: the frame found in the page table
 * @err: set to the error of a wait (vmd_frame_wait), else to 0
 *
 * As in the page cache, a reference is taken of what may already be another's
 * page, and only what is found still in place afterwards is ours.
 *
 * Returns the folio, locked and with a reference: it stays in this frame until
 * it is unlocked. NULL with *@err 0: look the page up again.
 */
struct folio *vmd_frame_lock_folio(struct vmd_access *a, struct vmd_frame *f,
				   int *err)
{
	struct folio *folio = READ_ONCE(f->folio);
	bool held = false;

	*err = 0;
	if (!folio || vmd_frame_state(f) != VMD_PAGE_RESIDENT) {
		*err = vmd_frame_wait(a, f);
		return NULL;
	}
	if (!folio_try_get(folio))
		return NULL;
	if (!frame_holds(f, folio, a->index))
		goto put;
	*err = frame_lock(a, folio);
	if (*err)
		goto put;
	if (frame_holds(f, folio, a->index)) {
		held = vmd_frame_held(f);
		if (likely(!held))
			return folio;
	}
	folio_unlock(folio);
put:
	folio_put(folio);
	if (held)
		*err = frame_wait_held(a, f);
	return NULL;
}

/**
 * vmd_frame_find - the folio of a page, if it is resident, locked
 * @a: the access; a->index is the page
 * @f: set to its frame
 * @err: set to the error of a wait, else to 0
 *
 * Returns the folio with a reference, or NULL: there is none now, or an error.
 */
struct folio *vmd_frame_find(struct vmd_access *a, struct vmd_frame **f,
			     int *err)
{
	struct folio *folio;
	void *entry;

	for (;;) {
		*err = 0;
		entry = xa_load(&a->space->pages, a->index);
		if (!vmd_entry_is_frame(entry))
			return NULL;
		*f = entry;
		folio = vmd_frame_lock_folio(a, entry, err);
		if (folio || *err)
			return folio;
		cond_resched();
	}
}

/**
 * vmd_frame_by_id - the frame with a number the policy gave
 * @space: of which
 * @id: the number
 */
struct vmd_frame *vmd_frame_by_id(struct vmd_space *space, u32 id)
{
	/* Who has the number came to it after its chunk was entered. */
	struct vmd_frame **table = READ_ONCE(space->table);

	return &table[1 + id / VMD_CHUNK_FRAMES][id % VMD_CHUNK_FRAMES];
}

/*
 * Room for chunk @at in the table. Somebody may be looking into one that is
 * replaced, so they are all kept, each leading to the one before: together
 * they are less than the last one. Called under the grow lock.
 */
static int table_grow(struct vmd_space *space, u32 at)
{
	u32 size = max(8U, 2 * space->table_size);
	struct vmd_frame **table;

	if (at < space->table_size)
		return 0;
	table = kvcalloc(1 + size, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	if (space->table)
		memcpy(table + 1, space->table + 1,
		       space->table_size * sizeof(*table));
	table[0] = (struct vmd_frame *)space->table;
	space->table_size = size;
	/* What it leads to before that it leads there. */
	smp_store_release(&space->table, table);
	return 0;
}

static void tables_free(struct vmd_space *space)
{
	struct vmd_frame **table = space->table, **before;

	for (; table; table = before) {
		before = (struct vmd_frame **)table[0];
		kvfree(table);
	}
}

/* One more chunk of frame structures. Called under the grow lock. */
static int pool_add_chunk(struct vmd_space *space)
{
	u32 i, first = space->nr_frames;
	struct vmd_frame *chunk;
	int err;

	err = vmd_policy_reshape(space, first + VMD_CHUNK_FRAMES, 0);
	if (!err)
		err = table_grow(space, first / VMD_CHUNK_FRAMES);
	if (err)
		return err;
	chunk = kvcalloc(VMD_CHUNK_FRAMES, sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	err = xa_err(xa_store(&space->chunks, first / VMD_CHUNK_FRAMES, chunk,
			      GFP_KERNEL_ACCOUNT));
	if (err) {
		kvfree(chunk);
		return err;
	}
	WRITE_ONCE(space->table[1 + first / VMD_CHUNK_FRAMES], chunk);
	for (i = VMD_CHUNK_FRAMES; i--;) {
		chunk[i].id = first + i;
		chunk[i].place = VMD_NO_PLACE;
		vmd_pools_push(space, &chunk[i]);
	}
	WRITE_ONCE(space->nr_frames, first + VMD_CHUNK_FRAMES);
	return 0;
}

static bool pool_may_grow(struct vmd_space *space)
{
	return READ_ONCE(space->nr_frames) < READ_ONCE(space->limit) +
	       VMD_RESERVE_FRAMES + VMD_FILLING_FRAMES;
}

/* Returns -EAGAIN if there are as many structures as there may be. */
static int pool_grow(struct vmd_space *space)
{
	int err = 0;

	if (mutex_lock_killable(&space->grow_lock))
		return -EINTR;
	if (!vmd_pools_spare(space))
		err = pool_may_grow(space) ? pool_add_chunk(space) : -EAGAIN;
	mutex_unlock(&space->grow_lock);
	return err;
}

static int frame_await_free(struct vmd_access *a)
{
	struct vmd_space *space = a->space;

	if (a->stuck.haste != VMD_PATIENT)
		return vmd_nap(a);
	return wait_event_killable(space->frame_wait,
				   vmd_pools_spare(space) ||
				   pool_may_grow(space)) ? -EINTR : 0;
}

/**
 * vmd_frame_take - get a frame structure
 * @a: the access; may wait, killably
 *
 * Returns it or -ENOMEM or -EINTR. It has no memory and no place in the page
 * table yet.
 */
struct vmd_frame *vmd_frame_take(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct vmd_frame *f;
	int err;

	while (!(f = vmd_pools_pop(space))) {
		err = pool_grow(space);
		if (err == -EAGAIN) {
			vmd_may_wait(a);
			err = frame_await_free(a);
		}
		if (err)
			return ERR_PTR(err);
	}
	return f;
}

/**
 * vmd_frame_take_spare - likewise, if one is free
 * @space: of which
 */
struct vmd_frame *vmd_frame_take_spare(struct vmd_space *space)
{
	return vmd_pools_pop(space);
}

/*
 * Free, in no set's count, and whoever waits is woken. Who counts anew which
 * frames are in use (vmd_place_recount) may come in between.
 */
static void frame_set_free(struct vmd_space *space, struct vmd_frame *f)
{
	int old;

	do {
		if (vmd_frame_test(f, VMD_FRAME_PLACED))
			vmd_placed_free(space, f);
		old = atomic_read(&f->word) & ~VMD_FRAME_PLACED;
	} while (!atomic_try_cmpxchg(&f->word, &old,
				     (old & ~VMD_FRAME_STATE) |
				     VMD_FRAME_FREE));
	wake_up_var(&f->word);
}

/**
 * vmd_frame_return - give a frame structure back
 * @space: of which
 * @f: not in the page table any more; who waits for it is woken
 */
void vmd_frame_return(struct vmd_space *space, struct vmd_frame *f)
{
	f->place = VMD_NO_PLACE;
	f->faults = 0;
	/* Not FREE before the flags are gone: a waiter looks at the state. */
	/* Who holds it for a moment, to see that it is gone, lets go of it. */
	vmd_frame_clear(f, (u32)~(VMD_FRAME_STATE | VMD_FRAME_PLACED |
				  VMD_FRAME_HELD | VMD_FRAME_AWAITED));
	frame_set_free(space, f);
	vmd_pools_push(space, f);
	if (wq_has_sleeper(&space->frame_wait))
		wake_up(&space->frame_wait);
}

/**
 * vmd_frames_destroy - free all frame structures; no page is in one
 * @space: of which
 */
void vmd_frames_destroy(struct vmd_space *space)
{
	struct vmd_frame *chunk;
	unsigned long i;

	xa_for_each(&space->chunks, i, chunk)
		kvfree(chunk);
	xa_destroy(&space->chunks);
	tables_free(space);
}

/* Take back what was added beyond what is allowed now. */
static int charge_undo(struct vmd_space *space, int err)
{
	atomic_long_dec(&space->resident);
	return err;
}

/*
 * One unit of the budget and of the caps, with @extra frames beyond the budget.
 * Returns 0, -EDQUOT where the space has that many already, -EXFULL where those
 * of its user together have user_frames, -EUSERS where all spaces together have
 * max_frames.
 */
static int charge_try(struct vmd_space *space, long extra)
{
	long total = atomic_long_read(&frames_total);
	long n = atomic_long_read(&space->resident);
	long units = 1L << vmd_space_order(space);

	do {
		if (n >= (long)vmd_space_limit(space) + extra)
			return -EDQUOT;
	} while (!atomic_long_try_cmpxchg(&space->resident, &n, n + 1));
	/*
	 * Fully ordered: either whoever lowers the limit counts this frame, or
	 * the new limit is seen here.
	 */
	if (n >= (long)vmd_space_limit(space) + extra)
		return charge_undo(space, -EDQUOT);
	if (!vmd_user_charge_page(space))
		return charge_undo(space, -EXFULL);
	do {
		if (total + units > (long)vmd_max_frames()) {
			vmd_user_uncharge_page(space);
			return charge_undo(space, -EUSERS);
		}
	} while (!atomic_long_try_cmpxchg(&frames_total, &total,
					  total + units));
	return 0;
}

/**
 * vmd_frame_may_charge - might vmd_frame_charge() succeed without an eviction?
 * @a: the access; crowded: all frames of the page's set were found in use
 */
bool vmd_frame_may_charge(struct vmd_access *a)
{
	struct vmd_space *space = a->space;

	if (a->crowded)
		return vmd_placed_room(space, a->index);
	return vmd_space_ready(space) ||
	       (atomic_long_read(&space->resident) < vmd_space_limit(space) &&
		vmd_user_may_charge(space) && vmd_frames_left(space));
}

/**
 * struct patience - how long a fault has been waiting for nothing at all
 * @progress: vmd_space.progress when something last moved
 * @deadline: when it gives up if nothing moves until then
 * @looks: how often nothing had moved
 */
struct patience {
	unsigned long progress;
	unsigned long deadline;
	u32 looks;
};

/*
 * Only where all frames are resident and not one can go for a while is there
 * no hope: slow I/O, and other threads that are quicker, only take time.
 */
static bool patience_ended(struct patience *p, struct vmd_space *space)
{
	unsigned long progress = READ_ONCE(space->progress);

	if (progress != p->progress || atomic_read(&space->under_way)) {
		p->progress = progress;
		p->deadline = jiffies + CHARGE_PATIENCE;
		p->looks = 0;
	}
	return ++p->looks > CHARGE_LOOKS && time_after(jiffies, p->deadline);
}

/* At a cap that others share, they give some up. */
static int charge_from_others(struct vmd_access *a, int why)
{
	if (why == -EUSERS)
		return vmd_reclaim_total(a->stuck.haste);
	if (why == -EXFULL)
		return vmd_reclaim_user(a->space->user, a->stuck.haste);
	return -EAGAIN;
}

/*
 * A frame beyond what there is, where one instruction needs several pages.
 * Returns -EAGAIN if it was one of the page's set: the rest may be free.
 */
static int charge_lend(struct vmd_access *a, struct vmd_frame *f)
{
	struct vmd_space *space = a->space;
	int err = -EDQUOT;

	if (!a->several)
		return err;
	if (!a->crowded)
		err = charge_try(space, VMD_RESERVE_FRAMES);
	else if (vmd_placed_take(space, f, VMD_RESERVE_FRAMES))
		err = -EAGAIN;
	if (!err || err == -EAGAIN)
		queue_delayed_work(vmd_idle_wq, &space->trim, HZ / 5);
	return err;
}

/* No frame can go just now: lend one, or wait a moment. */
static int charge_wait(struct vmd_access *a, struct vmd_frame *f,
		       struct patience *patience)
{
	struct vmd_space *space = a->space;
	int err = charge_lend(a, f);

	if (!err || err == -EAGAIN)
		return err;
	if (charge_from_others(a, err) > 0)
		return -EAGAIN;
	if (patience_ended(patience, space))
		return -EBUSY;
	if (vmd_stuck(&a->stuck, space->store))
		return -EDEADLK;
	vmd_may_wait(a);
	if (wait_event_killable_timeout(space->frame_wait,
					vmd_frame_may_charge(a),
					msecs_to_jiffies(4)) < 0)
		return -EINTR;
	return -EAGAIN;
}

/*
 * Pages to evict at a time. Modes that promise exact decisions evict one for
 * one, and so does a set, which is small; elsewhere a batch saves calls at the
 * price of a slightly smaller working memory.
 */
static unsigned long charge_batch(struct vmd_space *space)
{
	if (READ_ONCE(space->observer) != VMD_OBSERVER_ACCESSED ||
	    READ_ONCE(space->ways) ||
	    vmd_stepping(space))
		return 1;
	return clamp(READ_ONCE(space->limit) / 128, 1UL,
		     (unsigned long)VMD_BATCH_MAX);
}

/* Make room: of one's own, or, at a cap, of the largest that it binds. */
static int charge_make_room(struct vmd_access *a, int why)
{
	struct vmd_space *space = a->space;
	int err = -EAGAIN;

	a->evicted = true;
	if (why == -EDQUOT)
		vmd_reserve_ran_out(space);
	if (atomic_long_read(&space->resident))
		err = vmd_evict(space, charge_batch(space), a);
	return err == -EAGAIN ? charge_from_others(a, why) : err;
}

/*
 * One of the frames that the page may use, and a unit of the budget. Returns as
 * charge_try(), or -EADDRINUSE where all frames of the page's set are in use.
 */
static int charge_one(struct vmd_access *a, struct vmd_frame *f,
		      struct folio **folio)
{
	a->crowded = !vmd_placed_take(a->space, f, 0);
	if (a->crowded)
		return -EADDRINUSE;
	return vmd_ready_take(a->space, folio) ? 0 : charge_try(a->space, 0);
}

static int charge_get(struct vmd_access *a, struct vmd_frame *f,
		      struct folio **folio)
{
	struct patience patience = { .deadline = jiffies + CHARGE_PATIENCE };
	int failures = 0;
	int err;

	*folio = NULL;
	for (;;) {
		err = charge_one(a, f, folio);
		if (!err)
			return 0;
		err = charge_make_room(a, err);
		if (err > 0)
			continue;
		if (err == -EINTR)
			return err;
		if (err != -EAGAIN) {
			if (++failures > CHARGE_FAILURES)
				return err;
			continue;
		}
		err = charge_wait(a, f, &patience);
		if (err != -EAGAIN)
			return err;
	}
}

/**
 * vmd_frame_charge - take a unit of the budget, evicting where there is none
 * @a: the access; may wait, killably
 * @f: the frame it is for, filling; counts among its set's, if there are sets
 * @folio: set to memory that comes with it, locked, or to NULL
 *
 * Returns 0; -EINTR; -EBUSY if every frame is pinned; -EIO or -ENOSPC if the
 * store would not take the pages that have to go.
 */
int vmd_frame_charge(struct vmd_access *a, struct vmd_frame *f,
		     struct folio **folio)
{
	int err = charge_get(a, f, folio);

	if (!err)
		vmd_reserve_check(a->space);
	return err;
}

/**
 * vmd_frame_charge_spare - likewise, with memory, if there is some to spare
 * @space: of which
 * @f: as vmd_frame_charge()
 * @folio: set to the memory, locked
 *
 * Waits for nothing and evicts nothing.
 */
bool vmd_frame_charge_spare(struct vmd_space *space, struct vmd_frame *f,
			    struct folio **folio)
{
	if (!vmd_placed_take(space, f, 0))
		return false;
	if (!vmd_ready_take(space, folio) && charge_try(space, 0))
		return false;
	vmd_reserve_check(space);
	if (*folio)
		return true;
	*folio = folio_alloc((GFP_HIGHUSER | __GFP_ACCOUNT | __GFP_NOWARN) &
			     ~__GFP_DIRECT_RECLAIM, vmd_space_order(space));
	if (*folio) {
		vmd_ready_mark(*folio);
		__folio_set_locked(*folio);
		return true;
	}
	vmd_frame_uncharge(space);
	return false;
}

/**
 * vmd_frame_charge_only - likewise, without memory
 * @space: of which
 * @f: as vmd_frame_charge()
 */
bool vmd_frame_charge_only(struct vmd_space *space, struct vmd_frame *f)
{
	return vmd_placed_take(space, f, 0) && !charge_try(space, 0);
}

/**
 * vmd_frame_uncharge - give a unit of the budget back
 * @space: of which
 */
void vmd_frame_uncharge(struct vmd_space *space)
{
	atomic_long_sub(1L << vmd_space_order(space), &frames_total);
	vmd_user_uncharge_page(space);
	atomic_long_dec(&space->resident);
	if (wq_has_sleeper(&space->frame_wait))
		wake_up(&space->frame_wait);
}

/**
 * vmd_frames_shed - memory is short: have pages leave, and others not come
 * @a: the fault that found out
 *
 * At the limit of a memory cgroup the core's own page for a page table, or a
 * node of ours, would have somebody killed. So the space stays as far below it
 * for a while as a batch of pages goes, and only then tries whether there is
 * more memory by now. Returns as vmd_evict().
 */
int vmd_frames_shed(struct vmd_access *a)
{
	struct vmd_space *space = a->space;
	struct vmd_access reclaim = {
		.space = space, .reclaim = true, .stuck = a->stuck,
	};
	long batch = max(VMD_BATCH_MAX >> vmd_space_order(space), 1);
	long limit = atomic_long_read(&space->resident) - batch;
	/* What is pinned cannot go, and others need some frames besides. */
	long least = atomic_long_read(&space->pinned) +
		     (vmd_space_order(space) ? VMD_CHAIN_MAX :
					       VMD_RESERVE_FRAMES);

	WRITE_ONCE(space->short_limit, max(limit, least));
	/* Never 0: that is the word for not short. */
	WRITE_ONCE(space->short_until, (jiffies + SHORT_TIME) | 1);
	return vmd_evict(space, batch, &reclaim);
}

/*
 * The last word of the allocator. Nobody is killed for a large page, nor does a
 * message help: memory that is scattered stays so.
 */
static gfp_t folio_gfp_last(gfp_t gfp, u32 order)
{
	return order ? gfp | __GFP_RETRY_MAYFAIL | __GFP_NOWARN : gfp;
}

/**
 * vmd_folio_alloc - memory for a page, charged to the caller's memory cgroup
 * @a: the access; a unit of the budget is held for it
 * @zero: fill it with zeros
 *
 * Where memory is short, the space's own pages go before anybody is killed.
 * Returns the folio, locked, or NULL.
 */
struct folio *vmd_folio_alloc(struct vmd_access *a, bool zero)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ACCOUNT | (zero ? __GFP_ZERO : 0);
	u32 order = vmd_space_order(a->space);
	struct folio *folio;
	int tries;

	for (tries = 0; tries < 4; tries++) {
		folio = folio_alloc(gfp | __GFP_NORETRY | __GFP_NOWARN, order);
		if (folio)
			goto found;
		if (vmd_frames_shed(a) <= 0)
			break;
	}
	folio = folio_alloc(folio_gfp_last(gfp, order), order);
	if (!folio)
		return NULL;
found:
	vmd_ready_mark(folio);
	__folio_set_locked(folio);
	return folio;
}

/**
 * vmd_folio_clean - a folio equals its copy in the store, or matters no more
 * @space: of which
 * @folio: locked
 */
void vmd_folio_clean(struct vmd_space *space, struct folio *folio)
{
	if (folio_test_dirty(folio)) {
		folio_clear_dirty(folio);
		if (unlikely(vmd_folio_sharers(folio) > 1))
			vmd_cow_count_dirty(space->group, folio, -1);
		else
			atomic_long_dec(&space->dirty);
	}
}

/**
 * vmd_folio_part - part a frame from its memory
 * @f: its folio is locked, clean, and in no page table; it is unlocked
 *
 * Somebody else may still hold the folio (a pin that outlives the mapping); it
 * must not lead back to the space then. Returns it, with a reference.
 */
struct folio *vmd_folio_part(struct vmd_frame *f)
{
	struct folio *folio = f->folio;

	WRITE_ONCE(f->folio, NULL);
	folio->mapping = NULL;
	folio_clear_active(folio);
	folio_unlock(folio);
	return folio;
}

/**
 * vmd_folio_release - likewise, and give the memory back
 * @f: as there
 */
void vmd_folio_release(struct vmd_frame *f)
{
	struct folio *folio = vmd_folio_part(f);

	folio->private = NULL;
	folio_put(folio);
}
