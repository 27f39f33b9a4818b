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

static void *decide_alloc(const struct vmd_policy_ops *ops, u32 slots,
			  u32 frames)
{
	size_t size = max_t(size_t, ops->state_size(slots, frames), 64);

	/* Powers of two, and whole pages, are aligned as the contract says. */
	if (size < PAGE_SIZE)
		size = roundup_pow_of_two(size);
	return kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
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

	space->policy_state = decide_alloc(choice->ops, slots, frames);
	if (!space->policy_state)
		return -ENOMEM;
	space->policy = *choice;
	space->policy_slots = slots;
	space->policy_frames = frames;
	choice->ops->init(space->policy_state, slots, frames, choice->params);
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

	return sizeof(struct vmd_frame) + VMD_ENTRY_BYTES +
	       DIV_ROUND_UP(ops->state_size(many, many), many);
}

struct decide_move {
	struct vmd_space *space;
	const struct vmd_policy_ops *ops;
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
	to->ops->inserted(to->state, slot, f->index, flags);
	return true;
}

/* The slots of the old state go into the new one, in the old one's order. */
static void decide_move_all(struct vmd_space *space,
			    const struct vmd_policy_ops *ops, void *state,
			    struct vmd_string *string)
{
	struct decide_move to = {
		.space = space, .ops = ops, .state = state, .string = string,
	};

	space->policy.ops->walk(space->policy_state, decide_move_one, &to);
}

/* Put a policy in the place of the present one, and follow @string from now on. */
static int decide_replace(struct vmd_space *space,
			  const struct vmd_policy_choice *choice,
			  struct vmd_string *string)
{
	u32 frames, slots;
	void *state, *old;

	mutex_lock(&space->grow_lock);
	frames = space->policy_frames;
	slots = space->policy_slots;
	state = decide_alloc(choice->ops, slots, frames);
	if (!state) {
		mutex_unlock(&space->grow_lock);
		return -ENOMEM;
	}
	choice->ops->init(state, slots, frames, choice->params);
	spin_lock(&space->policy_lock);
	decide_move_all(space, choice->ops, state, string);
	old = space->policy_state;
	space->policy_state = state;
	trace_vmdemo_policy(space->id, space->policy.ops->name,
			    choice->ops->name,
			    atomic_long_read(&space->resident));
	space->policy = *choice;
	WRITE_ONCE(space->string, string);
	spin_unlock(&space->policy_lock);
	mutex_unlock(&space->grow_lock);
	kvfree(old);
	return 0;
}

/**
 * vmd_policy_switch - change the policy of a living space
 * @space: config_lock is held
 * @choice: to which; one that has to know the future only where there is a string
 *
 * The spinlock is held while every resident page is moved: some 20 ns a page.
 */
int vmd_policy_switch(struct vmd_space *space,
		      const struct vmd_policy_choice *choice)
{
	return decide_replace(space, choice, space->string);
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
		err = *string ? decide_replace(space, &now, *string) : -EBUSY;
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

	if (ops->resize) {
		memcpy(state, space->policy_state, old_size);
		ops->resize(state, slots, frames);
	} else {
		ops->init(state, slots, frames, space->policy.params);
		decide_move_all(space, ops, state, space->string);
	}
}

/**
 * vmd_policy_reshape - tell the policy of more slots or another budget
 * @space: grow_lock is held
 * @slots: frame numbers it has to serve; may be fewer than it does already
 * @budget: the new budget, or 0 for the present one
 *
 * A smaller budget may be told only when no more than that are resident.
 */
int vmd_policy_reshape(struct vmd_space *space, u32 slots, unsigned long budget)
{
	const struct vmd_policy_ops *ops = space->policy.ops;
	u32 was = space->policy_frames;
	u32 frames = budget ? decide_frames(budget) : was;
	size_t old_size = ops->state_size(space->policy_slots, was);
	void *state, *old;

	if (slots <= space->policy_slots && frames == was)
		return 0;
	/* Twice as many as before, so that growing stays cheap. */
	if (slots > space->policy_slots)
		slots = max(slots, min(2 * space->policy_slots,
				       VMD_POLICY_MAX_SLOTS));
	else
		slots = space->policy_slots;
	state = decide_alloc(ops, slots, max(frames, was));
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
	vmd_policy_missed(space->policy.ops, space->policy_state, index);
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
	space->policy.ops->inserted(space->policy_state, f->id, f->index,
				    flags & ~VMD_DECIDE_REFERENCE);
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
	if (vmd_frame_test(f, VMD_FRAME_QUEUED))
		vmd_policy_touched(space->policy.ops, space->policy_state,
				   f->id, flags & ~VMD_DECIDE_REFERENCE);
	spin_unlock(&space->policy_lock);
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
	if (vmd_frame_test(f, VMD_FRAME_QUEUED)) {
		vmd_frame_clear(f, VMD_FRAME_QUEUED);
		space->policy.ops->removed(space->policy_state, f->id, why);
	}
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
	if (vmd_frame_test(f, VMD_FRAME_QUEUED))
		space->policy.ops->kept(space->policy_state, f->id);
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

/**
 * vmd_decide_victims - who should go
 * @space: of which
 * @out: frame numbers, in order
 * @max: how many at most
 *
 * Returns how many were proposed.
 */
u32 vmd_decide_victims(struct vmd_space *space, u32 *out, u32 max)
{
	u32 n;

	spin_lock(&space->policy_lock);
	while (unlikely(space->string) && decide_catch_up(space)) {
		spin_unlock(&space->policy_lock);
		cond_resched();
		spin_lock(&space->policy_lock);
	}
	n = space->policy.ops->victim(space->policy_state, out, max);
	spin_unlock(&space->policy_lock);
	return n;
}
