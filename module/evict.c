// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking pages out: which ones. How is in batch.c.
 *
 * The policy proposes; a proposal is looked at closely (was it accessed, is it
 * pinned, is it part of an unfinished instruction) and then taken out of the
 * policy's hands, or reported as touched or kept, and the policy is asked
 * again. That happens under evict_lock, so that two threads do not choose the
 * same page; so does unmapping, which tells whether it was accessed. Writing
 * happens outside it.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "batch.h"
#include "compat.h"
#include "cow.h"
#include "crypt.h"
#include "step.h"
#include "trace.h"

/* How long nothing may move: a guest's clock goes on while its host has no time. */
#define EVICT_PATIENCE	(2 * HZ)
#define EVICT_LOOKS	100

/*
 * A reference to a proposed frame's folio, which is locked without waiting:
 * whoever has it locked is about to map it, or writes it.
 */
static struct folio *evict_trylock(struct vmd_frame *f)
{
	struct folio *folio = READ_ONCE(f->folio);

	if (!folio || !folio_try_get(folio))
		return NULL;
	if (READ_ONCE(f->folio) == folio && folio_trylock(folio)) {
		if (f->folio == folio && !vmd_frame_held(f) &&
		    vmd_frame_state(f) == VMD_PAGE_RESIDENT)
			return folio;
		folio_unlock(folio);
	}
	folio_put(folio);
	return NULL;
}

/* It may be locked already, as a neighbour of one proposed before. */
static struct folio *evict_lock(struct vmd_batch *batch, struct vmd_frame *f)
{
	if (likely(!vmd_frame_test(f, VMD_FRAME_EARLY)) ||
	    !vmd_near_take(batch, f))
		return evict_trylock(f);
	folio_get(f->folio);
	return f->folio;
}

/* References that are neither ours nor a page table's: GUP, a fault under way. */
static bool evict_in_use(struct vmd_space *space, struct folio *folio)
{
	return folio_ref_count(folio) > vmd_folio_sharers(folio) + 1 +
					vmd_space_mapcount(space, folio);
}

/* Take a page, locked, into the batch; evict_tell() has to follow. */
static void evict_add(struct vmd_batch *batch, struct vmd_frame *f)
{
	vmd_frame_set_state(f, VMD_PAGE_EVICTING);
	batch->frames[batch->n++] = f;
}

/* Take those from @first on out of the policy's hands; returns the next one. */
static u32 evict_tell(struct vmd_batch *batch, u32 first)
{
	vmd_decide_evicted(batch->space, batch->frames + first,
			   batch->n - first);
	return batch->n;
}

/* Pages that the policy is asked for at a time. */
#define ASK_MAX		BITS_PER_LONG

/**
 * struct evict_round - pages the policy proposed
 * @frames: in its order; NULL: nothing is to be done about this one any more
 * @n: how many
 * @young: those that were accessed; the folios of the others are locked
 */
struct evict_round {
	struct vmd_frame *frames[ASK_MAX];
	u32 n;
	unsigned long young;
};

/*
 * How many to ask for where @want shall go: as many as it took last time, or of
 * each round half would stay, having been accessed, and a round costs a look at
 * all mappings, and calls to unmap what is left of runs. What is proposed and not
 * needed stays where it is, but for what was accessed. One where it is to be one,
 * as that decision shall be exact.
 */
static u32 evict_ask(const struct vmd_batch *batch, bool asks, u32 want)
{
	struct vmd_space *space = batch->space;
	u32 n = want * space->asked / VMD_BATCH_MAX;

	if (!asks || want == 1 || READ_ONCE(space->ways) || batch->step)
		return want;
	/* A round more for the last of them costs more than some more looks. */
	if (n > want)
		n += 2 + n / 8;
	return clamp(n, want, (u32)ASK_MAX);
}

/* Lock the folio of one that is to go; or tell that it cannot. */
static bool evict_hold(struct vmd_batch *batch, struct vmd_frame *f)
{
	struct vmd_space *space = batch->space;
	struct folio *folio;

	if (vmd_frame_test(f, VMD_FRAME_GUARDED)) {
		batch->guarded = true;
		vmd_decide_kept(space, f);
		return false;
	}
	folio = evict_lock(batch, f);
	if (folio && !evict_in_use(space, folio) &&
	    !(batch->only_clean && folio_test_dirty(folio)) &&
	    vmd_frame_test(f, VMD_FRAME_QUEUED)) {
		/* The lock and the frame's own reference keep it from here. */
		folio_put(folio);
		return true;
	}
	if (folio) {
		folio_unlock(folio);
		folio_put(folio);
	}
	vmd_decide_kept(space, f);
	return false;
}

/*
 * Hold those that were not accessed, up to @most; returns how many were proposed
 * for these.
 */
static u32 evict_consider(struct vmd_batch *batch, struct evict_round *round,
			  u32 most)
{
	u32 i, seen = 0, held = 0;

	for (i = 0; i < round->n; i++) {
		if (round->young & BIT(i))
			continue;
		if (held < most) {
			seen = i + 1;
			if (evict_hold(batch, round->frames[i])) {
				held++;
				continue;
			}
		}
		round->frames[i] = NULL;
	}
	return held < most ? round->n : seen;
}

/* It was accessed: the policy is told, and it stays. */
static void evict_spare(struct vmd_space *space, struct vmd_frame *f)
{
	struct folio *folio = f->folio;

	folio_clear_referenced(folio);
	vmd_observed(space, f);
	folio_get(folio);
	folio_unlock(folio);
	folio_put(folio);
}

/* Unmap those of the round that are held, and who is written with them. */
static void evict_unmap(struct vmd_batch *batch, struct evict_round *round)
{
	struct vmd_frame *sorted[VMD_BATCH_PAGES];
	u32 i, had = batch->nr_near, n = 0;

	for (i = 0; i < round->n; i++)
		if (round->frames[i] && !(round->young & BIT(i)))
			sorted[n++] = round->frames[i];
	vmd_near_gather(batch, sorted, n);
	for (i = had; i < batch->nr_near; i++)
		sorted[n++] = batch->near[i];
	vmd_frames_sort(sorted, n, false);
	vmd_frames_unmap(batch->space, sorted, n);
}

/*
 * Pages that were accessed stay as they are, mapped: to unmap them only to
 * learn that would cost as much as to evict them, and a soft fault besides.
 * The others are unmapped, which tells once more: the core takes the accessed
 * bit over into the folio, also from page tables that could not be looked at.
 */
static void evict_decide(struct vmd_batch *batch, struct evict_round *round,
			 bool asks)
{
	struct vmd_space *space = batch->space;
	u32 i, told = batch->n;
	struct vmd_frame *f;

	evict_unmap(batch, round);
	for (i = 0; i < round->n; i++) {
		f = round->frames[i];
		if (!f)
			continue;
		if (!(round->young & BIT(i)) &&
		    !(asks && folio_test_referenced(f->folio))) {
			evict_add(batch, f);
			continue;
		}
		/* The policy is told all in the order in which it proposed. */
		told = evict_tell(batch, told);
		if (round->young & BIT(i))
			vmd_observed(space, f);
		else
			evict_spare(space, f);
	}
	evict_tell(batch, told);
}

/*
 * Ask the policy once for pages to add to the batch, until there are @want in it;
 * with placement those of the sets that @from means (vmd_place_victim). Returns
 * how many it proposed.
 */
static u32 evict_ask_once(struct vmd_batch *batch, u32 want, u64 from,
			  u32 *seen)
{
	struct vmd_space *space = batch->space;
	bool asks = READ_ONCE(space->observer) == VMD_OBSERVER_ACCESSED;
	u32 i, had = batch->n, proposed[ASK_MAX];
	struct evict_round round;

	round.young = 0;
	round.n = vmd_step_victims(batch->step, space, from, proposed,
				   evict_ask(batch, asks, want - had));
	if (!round.n)
		return 0;
	for (i = 0; i < round.n; i++)
		round.frames[i] = vmd_frame_by_id(space, proposed[i]);
	if (asks)
		round.young = vmd_harvest_frames(space, round.frames, round.n);
	*seen += evict_consider(batch, &round, want - had);
	evict_decide(batch, &round, asks);
	if (unlikely(batch->step))
		vmd_step_chose(batch->step, batch->n > had ?
			       batch->frames[had] : NULL, proposed[0], round.n);
	return round.n;
}

/*
 * Ask it until there are @want pages, for @patience pages at most. For the last few
 * of many it is not asked again: a round has its price, however few it is for.
 */
static void evict_choose(struct vmd_batch *batch, u32 want, long patience,
			 u64 from)
{
	struct vmd_space *space = batch->space;
	u32 n, seen = 0;

	vmd_near_init(batch, want);
	while (batch->n < want - want / 4 && patience > 0 &&
	       !fatal_signal_pending(current)) {
		n = evict_ask_once(batch, want, from, &seen);
		if (!n)
			break;
		patience -= n;
		cond_resched();
	}
	if (want > 1 && batch->n)
		space->asked = seen * VMD_BATCH_MAX / batch->n;
	if (batch->guarded && !batch->n)
		vmd_threads_expire(space);
}

/* Has somebody else made room while we waited for the lock? */
static bool evict_not_needed(struct vmd_access *a)
{
	struct vmd_space *space = a->space;

	if (a->crowded)
		return vmd_placed_room(space, a->index);
	return vmd_space_ready(space) ||
	       (atomic_long_read(&space->resident) < vmd_space_limit(space) &&
		vmd_user_may_charge(space) && vmd_frames_left(space));
}

/**
 * vmd_evict - take pages out as the policy proposes
 * @space: of which
 * @want: how many, up to VMD_BATCH_MAX
 * @a: the access that needs a frame; NULL, or with reclaim set, to evict in any
 *	case
 *
 * Returns how many frames became free, at least 1: ready for the next fault if
 * there is one, else given back; -EAGAIN if no page can go just now; -EINTR;
 * -EIO or -ENOSPC if the store would not take them.
 */
int vmd_evict(struct vmd_space *space, unsigned long want,
	      struct vmd_access *a)
{
	bool fault = a && !a->reclaim;
	struct vmd_batch *batch;
	long patience;
	int err;

	want = min_t(unsigned long, want, VMD_BATCH_MAX);
	/* A set that has too many is not helped by frames without a page. */
	if (!fault && !(a && a->crowded)) {
		unsigned long drained = vmd_ready_drain(space, want);

		if (drained)
			return drained;
	}
	if (!mutex_trylock(&space->evict_lock)) {
		if (a)
			vmd_may_wait(a);
		if (mutex_lock_killable(&space->evict_lock))
			return -EINTR;
	}
	if (fault && evict_not_needed(a)) {
		mutex_unlock(&space->evict_lock);
		return 1;
	}
	batch = vmd_batch_alloc(space, want, true);
	batch->refill = fault;
	batch->step = fault ? a->step : NULL;
	/* Each page is asked for twice: once touched, once not. */
	patience = 2 * atomic_long_read(&space->resident) + 2 * want;
	if (fault && a->crowded)
		patience = 2 * READ_ONCE(space->ways) + 2 * want;
	evict_choose(batch, want, patience, vmd_placed_from(a));
	mutex_unlock(&space->evict_lock);
	err = vmd_batch_run(batch, a);
	if (fault && unlikely(a->step))
		vmd_step_evicted(a->step, err);
	if (err == -EAGAIN && fatal_signal_pending(current))
		err = -EINTR;
	return err == -EBUSY ? -EAGAIN : err;
}

/**
 * vmd_evict_ahead - send pages on their way out before their frames are needed
 * @space: of which
 * @want: how many, at most a batch of them
 *
 * For the reclaimer: waits for no I/O. Returns how many were found, all of them
 * counted in vmd_space.leaving until they have left, or stay after all.
 */
u32 vmd_evict_ahead(struct vmd_space *space, unsigned long want)
{
	struct vmd_batch *batch;
	long patience;
	u32 n;

	want = min_t(unsigned long, want, VMD_BATCH_MAX);
	mutex_lock(&space->evict_lock);
	batch = vmd_batch_alloc(space, want, true);
	batch->refill = true;
	batch->ahead = true;
	patience = 2 * atomic_long_read(&space->resident) + 2 * want;
	evict_choose(batch, want, patience, VMD_PLACE_ANY);
	n = batch->n;
	atomic_add(n, &space->leaving);
	mutex_unlock(&space->evict_lock);
	vmd_batch_send(batch);
	return n;
}

/**
 * vmd_evict_clean_most - how many frames vmd_evict_clean() might free
 * @space: of which
 * @floor: frames that stay
 *
 * That a page is dirty may not be known before it is unmapped.
 */
unsigned long vmd_evict_clean_most(struct vmd_space *space, unsigned long floor)
{
	long resident = atomic_long_read(&space->resident);
	long clean = resident - atomic_long_read(&space->pinned) -
		     (long)vmd_space_dirty(space);

	return max(min(resident - (long)floor, clean), 0L);
}

/**
 * vmd_evict_clean - have clean pages leave, from within the kernel's reclaim
 * @space: the caller has a reference, and gives it back later
 * @want: how many, up to VMD_BATCH_MAX
 * @floor: frames that stay
 *
 * Waits neither for locks, nor for I/O, nor for memory. The policy is not asked
 * for long: what it proposes may be dirty page after dirty page. With no I/O in
 * it, all is done under evict_lock, so that no two go below the floor together.
 *
 * Returns how many frames became free; -EAGAIN if it was in vain to ask.
 */
int vmd_evict_clean(struct vmd_space *space, unsigned long want,
		    unsigned long floor)
{
	struct vmd_batch *batch;
	int n = vmd_ready_drain(space, want);

	if (n)
		return n;
	n = -EAGAIN;
	if (!mutex_trylock(&space->evict_lock))
		return -EAGAIN;
	want = min3(want, (unsigned long)VMD_BATCH_MAX,
		    vmd_evict_clean_most(space, floor));
	batch = want ? vmd_batch_alloc_clean(space) : NULL;
	if (batch) {
		evict_choose(batch, want, 4 * want, VMD_PLACE_ANY);
		/* Pages that were touched, or dirty, have been seen: no error. */
		n = max(vmd_batch_run(batch, NULL), 0);
	}
	mutex_unlock(&space->evict_lock);
	return n;
}

/* Frames too many: of sets that have too many, or of all beyond @limit. */
static long evict_over(struct vmd_space *space, unsigned long limit, bool sets)
{
	return sets ? vmd_placed_over(space) :
		      atomic_long_read(&space->resident) - (long)limit;
}

static int evict_until(struct vmd_space *space, unsigned long limit, bool sets)
{
	struct vmd_access a = {
		.space = space, .reclaim = true, .crowded = sets,
	};
	unsigned long deadline = jiffies + EVICT_PATIENCE;
	unsigned long progress = READ_ONCE(space->progress);
	u32 looks = 0;
	long over;
	int err;

	while ((over = evict_over(space, limit, sets)) > 0) {
		err = vmd_evict(space, over, sets ? &a : NULL);
		if (err > 0)
			continue;
		if (err != -EAGAIN && err != -EBUSY)
			return err;
		if (progress != READ_ONCE(space->progress)) {
			progress = READ_ONCE(space->progress);
			deadline = jiffies + EVICT_PATIENCE;
			looks = 0;
		}
		if (++looks > EVICT_LOOKS && time_after(jiffies, deadline))
			return -EBUSY;
		/* Filling, or in use by I/O: that ends. */
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * vmd_evict_down - evict until no more than a number of frames are in use
 * @space: of which; nothing may be charged beyond @limit meanwhile
 * @limit: frames that may stay
 *
 * Returns 0; -EBUSY if pages in use leave no way; -EINTR, -EIO or -ENOSPC as
 * vmd_evict().
 */
int vmd_evict_down(struct vmd_space *space, unsigned long limit)
{
	return evict_until(space, limit, false);
}

/**
 * vmd_evict_crowd - evict until no set uses more frames than it has
 * @space: of which
 *
 * Returns as vmd_evict_down().
 */
int vmd_evict_crowd(struct vmd_space *space)
{
	return evict_until(space, 0, true);
}

/**
 * vmd_trim_work - take lent frames back
 * @work: vmd_space.trim
 */
void vmd_trim_work(struct work_struct *work)
{
	struct vmd_space *space = container_of(to_delayed_work(work),
					       struct vmd_space, trim);
	/* Who ends the space waits for this. */
	struct vmd_access a = {
		.space = space, .reclaim = true, .stuck.haste = VMD_CLOSING,
	};
	unsigned long limit = READ_ONCE(space->limit);
	long over = evict_over(space, limit, false);

	while (over-- > 0 && vmd_evict(space, 1, &a) > 0)
		;
	a.crowded = true;
	over = evict_over(space, limit, true);
	while (over-- > 0 && vmd_evict(space, 1, &a) > 0)
		;
	limit = READ_ONCE(space->limit);
	if (evict_over(space, limit, false) > 0 ||
	    evict_over(space, limit, true) > 0)
		queue_delayed_work(vmd_idle_wq, &space->trim, HZ / 10);
}

static int reclaim_from(struct vmd_space *space, enum vmd_haste haste)
{
	struct vmd_access a = {
		.space = space, .reclaim = true, .stuck.haste = haste,
	};

	return vmd_evict(space, VMD_BATCH_MAX, &a);
}

/* Take frames from any space, of @user's, that can give some up. */
static int reclaim_from_any(const struct vmd_user *user, enum vmd_haste haste)
{
	struct vmd_space *space;
	int err = -EAGAIN;
	u64 id = 0;

	while (err <= 0 && err != -EINTR && (space = vmd_space_next(id))) {
		id = space->id;
		if (vmd_user_has(user, space))
			err = reclaim_from(space, haste);
		vmd_space_put(space);
	}
	return err;
}

/**
 * vmd_reclaim_user - make room below the cap on a user's spaces
 * @user: which, or NULL for all spaces together
 * @haste: how long it may take
 *
 * The space with the most frames gives some up; where it cannot, any other.
 * Returns as vmd_evict().
 */
int vmd_reclaim_user(const struct vmd_user *user, enum vmd_haste haste)
{
	struct vmd_space *space = vmd_space_largest(user);
	int err;

	if (!space)
		return -EAGAIN;
	err = reclaim_from(space, haste);
	vmd_space_put(space);
	return err > 0 || err == -EINTR ? err : reclaim_from_any(user, haste);
}

/**
 * vmd_reclaim_total - make room below the cap on all spaces together
 * @haste: how long it may take
 */
int vmd_reclaim_total(enum vmd_haste haste)
{
	return vmd_reclaim_user(NULL, haste);
}

/* May this page not go? An error, or 1 if it is dirty and may stay so. */
static int evict_veto(struct vmd_space *space, struct vmd_frame *f,
		      bool only_clean)
{
	if (vmd_frame_test(f, VMD_FRAME_PINNED))
		return only_clean ? 1 : -EBUSY;
	if (!only_clean)
		return 0;
	/* Whether it is dirty is known once it is unmapped. */
	vmd_unmap_page(space, f->index, f->folio, false);
	return folio_test_dirty(f->folio);
}

/**
 * vmd_evict_page - take one page out
 * @space: of which
 * @index: the page
 * @only_clean: not if it is dirty: then only unmap it
 *
 * Returns 0, also if it was not resident or stayed as it is dirty; -EBUSY if
 * it is pinned or in use by I/O; -EINTR, -EIO or -ENOSPC.
 */
int vmd_evict_page(struct vmd_space *space, pgoff_t index, bool only_clean)
{
	struct vmd_access a = { .space = space, .index = index };
	struct vmd_batch *batch;
	struct vmd_frame *f;
	struct folio *folio;
	int err;

	folio = vmd_frame_find(&a, &f, &err);
	if (!folio)
		return err;
	err = evict_veto(space, f, only_clean);
	if (err) {
		folio_unlock(folio);
		folio_put(folio);
		return min(err, 0);
	}
	batch = vmd_batch_alloc(space, 1, true);
	evict_add(batch, f);
	evict_tell(batch, 0);
	/* The lock and the frame's own reference keep it from here on. */
	folio_put(folio);
	return min(vmd_batch_run(batch, NULL), 0);
}
