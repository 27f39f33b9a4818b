// SPDX-License-Identifier: GPL-2.0-only
/*
 * The space's instance of its policy: all calls of the policy are here.
 *
 * Whether a frame is in the policy's hands is VMD_FRAME_QUEUED, which changes
 * only under the policy lock. Reports of frames that are not are dropped here:
 * a page may have been pinned, evicted or truncated since the caller looked.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "future.h"
#include "trace.h"

#define OVERDUE_AT_ONCE	64

/* With placement, the policy's memory is part of struct vmd_place. */
static size_t decide_size(const struct vmd_policy_ops *ops, u32 ways, u32 slots,
			  u32 frames)
{
	return ways ? vmd_place_size(ops, ways, slots, frames) :
		      ops->state_size(slots, frames);
}

static void *decide_alloc(const struct vmd_policy_ops *ops, u32 ways, u32 slots,
			  u32 frames)
{
	size_t size = max_t(size_t, decide_size(ops, ways, slots, frames), 64);

	/* Powers of two, and whole pages, are aligned as the contract says. */
	if (size < PAGE_SIZE)
		size = roundup_pow_of_two(size);
	return kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static void decide_init(void *state, const struct vmd_policy_choice *choice,
			u32 ways, u32 slots, u32 frames)
{
	if (ways)
		vmd_place_init(state, choice, ways, slots, frames);
	else
		choice->ops->init(state, slots, frames, choice->params);
}

/* Frames as the policy counts them. */
static u32 decide_frames(unsigned long budget)
{
	return min_t(unsigned long, budget, VMD_POLICY_MAX_SLOTS);
}

/**
 * vmd_policy_start - give a new space its first policy
 * @space: not yet visible
 * @choice: which
 */
int vmd_policy_start(struct vmd_space *space,
		     const struct vmd_policy_choice *choice)
{
	u32 frames = decide_frames(space->budget);
	u32 slots = VMD_CHUNK_FRAMES;

	space->policy_state = decide_alloc(choice->ops, space->ways, slots,
					   frames);
	if (!space->policy_state)
		return -ENOMEM;
	space->policy = *choice;
	space->policy_slots = slots;
	space->policy_frames = frames;
	decide_init(space->policy_state, choice, space->ways, slots, frames);
	return 0;
}

/**
 * vmd_policy_stop - free the policy's memory
 * @space: nobody uses it any more
 */
void vmd_policy_stop(struct vmd_space *space)
{
	kvfree(space->policy_state);
}

/**
 * vmd_space_frame_bytes - bytes of metadata for a resident page
 * @space: of which; what the policy needs is its own share for each slot
 */
u32 vmd_space_frame_bytes(struct vmd_space *space)
{
	const struct vmd_policy_ops *ops = space->policy.ops;
	u32 many = 1 << 20;
	u32 ways = min(READ_ONCE(space->ways), many);

	many -= ways ? many % ways : 0;
	return sizeof(struct vmd_frame) + VMD_ENTRY_BYTES +
	       DIV_ROUND_UP(decide_size(ops, ways, many, many), many);
}

struct decide_move {
	struct vmd_space *space;
	const struct vmd_policy_ops *ops;
	u32 ways;
	void *state;
	struct vmd_string *string;
};

/* Who knows the future may as well know what is dirty. */
static bool decide_move_one(void *arg, u32 slot)
{
	struct decide_move *to = arg;
	struct vmd_frame *f = vmd_frame_by_id(to->space, slot);
	u32 flags = 0;

	if (to->string && to->ops->flags & VMD_POLICY_FUTURE) {
		vmd_policy_future(to->ops, to->state,
				  vmd_string_look(to->string, f->index));
		flags = folio_test_dirty(f->folio) ? VMD_REF_WRITE : 0;
	}
	if (to->ways)
		vmd_place_inserted(to->state, slot, f->index, 0);
	else
		to->ops->inserted(to->state, slot, f->index, flags);
	return true;
}

/**
 * vmd_decide_walk - all pages in the policy's hands, who is to go next first
 * @space: policy_lock is held
 * @visit: told of each
 * @arg: its first argument
 */
void vmd_decide_walk(struct vmd_space *space, vmd_policy_visit_t visit,
		     void *arg)
{
	if (space->ways)
		vmd_place_walk(space->policy_state, visit, arg);
	else
		space->policy.ops->walk(space->policy_state, visit, arg);
}

/* The slots of the old state go into the new one, in the old one's order. */
static void decide_move_all(struct vmd_space *space,
			    const struct vmd_policy_ops *ops, u32 ways,
			    void *state, struct vmd_string *string)
{
	struct decide_move to = {
		.space = space, .ops = ops, .ways = ways, .state = state,
		.string = string,
	};

	vmd_decide_walk(space, decide_move_one, &to);
}

/*
 * Put a new state, @choice's and of sets of @ways, in the place of the present
 * one, and follow @string from now on. Pins that leave a set no frame are in the
 * way of sets. The spinlock is held while every resident page is moved: some
 * 20 ns a page, and with sets some 100 ns more for each frame.
 */
static int decide_replace_locked(struct vmd_space *space, void **state,
				 const struct vmd_policy_choice *choice,
				 u32 ways, u32 frames,
				 struct vmd_string *string)
{
	int err = ways ? vmd_place_repin(space, *state, ways) : 0;
	u32 was = space->ways;

	if (err)
		return err;
	if (ways)
		vmd_place_recall(space, *state);
	decide_move_all(space, choice->ops, ways, *state, string);
	swap(*state, space->policy_state);
	if (choice != &space->policy)
		trace_vmdemo_policy(space->id, space->policy.ops->name,
				    choice->ops->name,
				    atomic_long_read(&space->resident));
	space->policy = *choice;
	space->policy_frames = frames;
	WRITE_ONCE(space->ways, ways);
	WRITE_ONCE(space->string, string);
	if (ways)
		vmd_place_recount(space, was);
	return 0;
}

static int decide_replace(struct vmd_space *space,
			  const struct vmd_policy_choice *choice, u32 ways,
			  unsigned long budget, struct vmd_string *string)
{
	u32 frames = budget ? decide_frames(budget) : space->policy_frames;
	void *state;
	int err;

	/* Of which set the future would be is not what a policy is told. */
	if (ways && choice->ops->flags & VMD_POLICY_FUTURE)
		return -EINVAL;
	mutex_lock(&space->grow_lock);
	state = decide_alloc(choice->ops, ways, space->policy_slots, frames);
	if (!state) {
		mutex_unlock(&space->grow_lock);
		return -ENOMEM;
	}
	decide_init(state, choice, ways, space->policy_slots, frames);
	spin_lock(&space->policy_lock);
	err = decide_replace_locked(space, &state, choice, ways, frames,
				    string);
	spin_unlock(&space->policy_lock);
	mutex_unlock(&space->grow_lock);
	kvfree(state);
	return err;
}

/**
 * vmd_policy_switch - change the policy of a living space
 * @space: config_lock is held
 * @choice: to which; one that has to know the future only where there is a string
 *
 * Returns 0, -ENOMEM, or -EINVAL for one that has to know it, with sets.
 */
int vmd_policy_switch(struct vmd_space *space,
		      const struct vmd_policy_choice *choice)
{
	return decide_replace(space, choice, space->ways, 0, space->string);
}

/**
 * vmd_policy_place - change the sets of frames, or their number
 * @space: config_lock is held
 * @ways: frames of a set, or VMD_PLACE_FULL
 * @budget: of which it is a divisor
 *
 * Some sets may have more than @ways frames in use afterwards. Returns -EBUSY
 * where pinned pages would leave a set no frame, -ENOMEM, -EINVAL as
 * vmd_policy_switch().
 */
int vmd_policy_place(struct vmd_space *space, u32 ways, unsigned long budget)
{
	return decide_replace(space, &space->policy, ways, budget,
			      space->string);
}

/**
 * vmd_policy_follow - follow another reference string
 * @space: config_lock is held
 * @string: the string, or NULL; it is exchanged with the one before
 *
 * A policy that goes by it starts anew. Returns 0, -EBUSY or -ENOMEM.
 */
int vmd_policy_follow(struct vmd_space *space, struct vmd_string **string)
{
	struct vmd_policy_choice now = space->policy;
	struct vmd_string *was = space->string;
	int err;

	if (now.ops->flags & VMD_POLICY_FUTURE) {
		err = *string ? decide_replace(space, &now, space->ways, 0,
					       *string) : -EBUSY;
		if (err)
			return err;
	} else {
		spin_lock(&space->policy_lock);
		WRITE_ONCE(space->string, *string);
		spin_unlock(&space->policy_lock);
	}
	*string = was;
	return 0;
}

/* Move the state into @state; it has room for @slots and @frames. */
static void decide_reshape_locked(struct vmd_space *space, void *state,
				  u32 slots, u32 frames, size_t old_size)
{
	const struct vmd_policy_ops *ops = space->policy.ops;

	if (space->ways) {
		memcpy(state, space->policy_state, old_size);
		vmd_place_grow(state, slots);
	} else if (ops->resize) {
		memcpy(state, space->policy_state, old_size);
		ops->resize(state, slots, frames);
	} else {
		ops->init(state, slots, frames, space->policy.params);
		decide_move_all(space, ops, VMD_PLACE_FULL, state, space->string);
	}
}

/**
 * vmd_policy_reshape - tell the policy of more slots or another budget
 * @space: grow_lock is held
 * @slots: frame numbers it has to serve; may be fewer than it does already
 * @budget: the new budget, or 0 for the present one
 *
 * A smaller budget may be told only when no more than that are resident. With
 * placement a budget is told by vmd_policy_place().
 */
int vmd_policy_reshape(struct vmd_space *space, u32 slots, unsigned long budget)
{
	const struct vmd_policy_ops *ops = space->policy.ops;
	u32 was = space->policy_frames;
	u32 frames = budget ? decide_frames(budget) : was;
	size_t old_size = decide_size(ops, space->ways, space->policy_slots,
				      was);
	void *state, *old;

	if (slots <= space->policy_slots && frames == was)
		return 0;
	/* Twice as many as before, so that growing stays cheap. */
	if (slots > space->policy_slots)
		slots = max(slots, min(2 * space->policy_slots,
				       VMD_POLICY_MAX_SLOTS));
	else
		slots = space->policy_slots;
	state = decide_alloc(ops, space->ways, slots, max(frames, was));
	if (!state)
		return -ENOMEM;
	spin_lock(&space->policy_lock);
	decide_reshape_locked(space, state, slots, frames, old_size);
	old = space->policy_state;
	space->policy_state = state;
	space->policy_slots = slots;
	space->policy_frames = frames;
	spin_unlock(&space->policy_lock);
	kvfree(old);
	return 0;
}

static bool decide_in_order(const struct vmd_space *space)
{
	return READ_ONCE(space->observer) == VMD_OBSERVER_TRAP;
}

/**
 * vmd_decide_missed - a page is wanted that is not resident
 * @space: of which
 * @index: the page; room may have to be made for it
 * @reference: and that is a reference
 */
void vmd_decide_missed(struct vmd_space *space, pgoff_t index, bool reference)
{
	if (!READ_ONCE(space->policy.ops)->missed && !READ_ONCE(space->string))
		return;
	spin_lock(&space->policy_lock);
	/* What goes for it is to be chosen by what comes after it. */
	if (space->string && reference)
		vmd_string_expect(space->string, index, decide_in_order(space));
	if (space->ways)
		vmd_place_missed(space->policy_state, index);
	else
		vmd_policy_missed(space->policy.ops, space->policy_state,
				  index);
	spin_unlock(&space->policy_lock);
}

/*
 * The page is referenced, or only came in: tell the policy when it is used next.
 * Called under policy_lock.
 */
static void decide_foresee(struct vmd_space *space, pgoff_t index,
			   bool reference)
{
	u64 next;

	if (likely(!space->string))
		return;
	next = reference ? vmd_string_take(space->string, index,
					   decide_in_order(space)) :
			   vmd_string_look(space->string, index);
	vmd_policy_future(space->policy.ops, space->policy_state, next);
}

/**
 * vmd_decide_inserted - a page is in its frame now
 * @space: of which
 * @f: the frame
 * @flags: VMD_REF_* and VMD_DECIDE_REFERENCE
 */
void vmd_decide_inserted(struct vmd_space *space, struct vmd_frame *f,
			 u32 flags)
{
	spin_lock(&space->policy_lock);
	vmd_frame_set(f, VMD_FRAME_QUEUED);
	decide_foresee(space, f->index, flags & VMD_DECIDE_REFERENCE);
	flags &= ~VMD_DECIDE_REFERENCE;
	if (space->ways)
		vmd_place_inserted(space->policy_state, f->id, f->index, flags);
	else
		space->policy.ops->inserted(space->policy_state, f->id,
					    f->index, flags);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_decide_touched - a resident page was referenced
 * @space: of which
 * @f: its frame
 * @flags: VMD_REF_WRITE and VMD_DECIDE_REFERENCE
 *
 * What observer "accessed" finds out tells nothing of when it was.
 */
void vmd_decide_touched(struct vmd_space *space, struct vmd_frame *f,
			u32 flags)
{
	bool reference = flags & VMD_DECIDE_REFERENCE &&
			 READ_ONCE(space->observer) != VMD_OBSERVER_ACCESSED;

	spin_lock(&space->policy_lock);
	decide_foresee(space, READ_ONCE(f->index), reference);
	flags &= ~VMD_DECIDE_REFERENCE;
	if (!vmd_frame_test(f, VMD_FRAME_QUEUED))
		goto unlock;
	if (space->ways)
		vmd_place_touched(space->policy_state, f->id, flags);
	else
		vmd_policy_touched(space->policy.ops, space->policy_state,
				   f->id, flags);
unlock:
	/* Of a frame in other hands the number is none of a page's. */
	if (space->ways &&
	    vmd_frame_test(f, VMD_FRAME_QUEUED | VMD_FRAME_PINNED))
		vmd_place_reference(space->policy_state, f->index);
	spin_unlock(&space->policy_lock);
}

/* Called under policy_lock. */
static void decide_remove(struct vmd_space *space, struct vmd_frame *f,
			  enum vmd_removal why)
{
	if (!vmd_frame_test(f, VMD_FRAME_QUEUED))
		return;
	vmd_frame_clear(f, VMD_FRAME_QUEUED);
	if (space->ways)
		vmd_place_removed(space->policy_state, f->id, why);
	else
		space->policy.ops->removed(space->policy_state, f->id, why);
}

/**
 * vmd_decide_removed - a page leaves the policy's hands
 * @space: of which
 * @f: its frame
 * @why: for good or not
 */
void vmd_decide_removed(struct vmd_space *space, struct vmd_frame *f,
			enum vmd_removal why)
{
	spin_lock(&space->policy_lock);
	decide_remove(space, f, why);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_decide_evicted - pages leave the policy's hands for good, one by one
 * @space: of which
 * @f: their frames
 * @n: how many, up to VMD_BATCH_MAX
 *
 * Under one holding of the lock: eviction takes it as often as it asks, not as
 * often as pages leave.
 */
void vmd_decide_evicted(struct vmd_space *space, struct vmd_frame **f, u32 n)
{
	u32 i;

	if (!n)
		return;
	spin_lock(&space->policy_lock);
	for (i = 0; i < n; i++)
		decide_remove(space, f[i], VMD_REMOVED_EVICTED);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_decide_kept - a proposed page could not go
 * @space: of which
 * @f: its frame
 */
void vmd_decide_kept(struct vmd_space *space, struct vmd_frame *f)
{
	spin_lock(&space->policy_lock);
	if (!vmd_frame_test(f, VMD_FRAME_QUEUED))
		goto unlock;
	if (space->ways)
		vmd_place_kept(space->policy_state, f->id);
	else
		space->policy.ops->kept(space->policy_state, f->id);
unlock:
	spin_unlock(&space->policy_lock);
}

/*
 * Where references were skipped, pages are due that were not used: tell when they
 * are used next, some at a time. Returns false when there are none left.
 * Called under policy_lock.
 */
static bool decide_catch_up(struct vmd_space *space)
{
	const struct vmd_policy_ops *ops = space->policy.ops;
	u64 now = vmd_string_position(space->string);
	u32 slot, n;
	u64 next;

	for (n = 0; n < OVERDUE_AT_ONCE; n++) {
		slot = vmd_policy_overdue(ops, space->policy_state, now);
		if (slot == VMD_NO_SLOT)
			return false;
		next = vmd_string_look(space->string,
				       vmd_frame_by_id(space, slot)->index);
		vmd_policy_due(ops, space->policy_state, slot, next);
	}
	return true;
}

struct decide_search {
	u32 slot;
	u32 seen;
	u32 at;
	bool found;
};

static bool decide_search_one(void *arg, u32 slot)
{
	struct decide_search *search = arg;

	if (slot == search->slot) {
		search->at = search->seen;
		search->found = true;
	}
	search->seen++;
	return true;
}

/**
 * vmd_decide_position - when a page would go, as the policy sees it now
 * @space: of which
 * @f: its frame
 * @position: how many pages would go before it
 * @queued: how many pages the policy has
 *
 * Returns false if the policy does not have it. Nothing changes.
 */
bool vmd_decide_position(struct vmd_space *space, const struct vmd_frame *f,
			 u32 *position, u32 *queued)
{
	struct decide_search search = { .slot = f->id };

	spin_lock(&space->policy_lock);
	if (vmd_frame_test(f, VMD_FRAME_QUEUED))
		vmd_decide_walk(space, decide_search_one, &search);
	spin_unlock(&space->policy_lock);
	*position = search.at;
	*queued = search.seen;
	return search.found;
}

static void decide_explain(struct vmd_space *space, u32 slot,
			   struct vmd_reason *why)
{
	if (space->ways)
		vmd_place_explain(space->policy_state, slot, why);
	else
		vmd_policy_explain(space->policy.ops, space->policy_state,
				   slot, why);
}

/**
 * vmd_decide_victims - who should go
 * @space: of which
 * @from: with placement, a page of the set they shall come from, or VMD_PLACE_*
 * @out: frame numbers, in order
 * @max: how many at most
 * @why: set to why the first of them, or NULL
 * @policy: with it: set to who said so, of VMD_NAME_LEN
 *
 * Returns how many were proposed.
 */
u32 vmd_decide_victims(struct vmd_space *space, u64 from, u32 *out, u32 max,
		       struct vmd_reason *why, char *policy)
{
	const struct vmd_policy_ops *ops;
	u32 n;

	spin_lock(&space->policy_lock);
	while (unlikely(space->string) && decide_catch_up(space)) {
		spin_unlock(&space->policy_lock);
		cond_resched();
		spin_lock(&space->policy_lock);
	}
	ops = space->policy.ops;
	if (space->ways)
		n = vmd_place_victim(space->policy_state, from, out, max);
	else
		n = ops->victim(space->policy_state, out, max);
	if (unlikely(why) && n) {
		decide_explain(space, out[0], why);
		strscpy(policy, ops->name, VMD_NAME_LEN);
	}
	spin_unlock(&space->policy_lock);
	return n;
}
