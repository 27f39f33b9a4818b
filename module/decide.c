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

#include "space.h"
#include "trace.h"

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
};

static bool decide_move_one(void *arg, u32 slot)
{
	struct decide_move *to = arg;
	struct vmd_frame *f = vmd_frame_by_id(to->space, slot);

	to->ops->inserted(to->state, slot, f->index, 0);
	return true;
}

/* The slots of the old state go into the new one, in the old one's order. */
static void decide_move_all(struct vmd_space *space,
			    const struct vmd_policy_ops *ops, void *state)
{
	struct decide_move to = { .space = space, .ops = ops, .state = state };

	space->policy.ops->walk(space->policy_state, decide_move_one, &to);
}

/**
 * vmd_policy_switch - change the policy of a living space
 * @space: config_lock is held
 * @choice: to which
 *
 * The spinlock is held while every resident page is moved: some 20 ns a page.
 */
int vmd_policy_switch(struct vmd_space *space,
		      const struct vmd_policy_choice *choice)
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
	decide_move_all(space, choice->ops, state);
	old = space->policy_state;
	space->policy_state = state;
	trace_vmdemo_policy(space->id, space->policy.ops->name,
			    choice->ops->name,
			    atomic_long_read(&space->resident));
	space->policy = *choice;
	spin_unlock(&space->policy_lock);
	mutex_unlock(&space->grow_lock);
	kvfree(old);
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
		decide_move_all(space, ops, state);
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

/**
 * vmd_decide_missed - a page is wanted that is not resident
 * @space: of which
 * @index: the page; room may have to be made for it
 */
void vmd_decide_missed(struct vmd_space *space, pgoff_t index)
{
	if (!READ_ONCE(space->policy.ops)->missed)
		return;
	spin_lock(&space->policy_lock);
	vmd_policy_missed(space->policy.ops, space->policy_state, index);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_decide_inserted - a page is in its frame now
 * @space: of which
 * @f: the frame
 * @flags: VMD_REF_*
 */
void vmd_decide_inserted(struct vmd_space *space, struct vmd_frame *f,
			 u32 flags)
{
	spin_lock(&space->policy_lock);
	vmd_frame_set(f, VMD_FRAME_QUEUED);
	space->policy.ops->inserted(space->policy_state, f->id, f->index,
				    flags);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_decide_touched - a resident page was referenced
 * @space: of which
 * @f: its frame
 * @flags: VMD_REF_WRITE or 0
 */
void vmd_decide_touched(struct vmd_space *space, struct vmd_frame *f,
			u32 flags)
{
	spin_lock(&space->policy_lock);
	if (vmd_frame_test(f, VMD_FRAME_QUEUED))
		vmd_policy_touched(space->policy.ops, space->policy_state,
				   f->id, flags);
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

/**
 * vmd_decide_victims - who should go
 * @space: of which
 * @out: frame numbers, in order
 * @max: how many at most
 * @why: set to why the first of them, or NULL
 * @policy: with it: set to who said so, of VMD_NAME_LEN
 *
 * Returns how many were proposed.
 */
u32 vmd_decide_victims(struct vmd_space *space, u32 *out, u32 max,
		       struct vmd_reason *why, char *policy)
{
	const struct vmd_policy_ops *ops;
	u32 n;

	spin_lock(&space->policy_lock);
	ops = space->policy.ops;
	n = ops->victim(space->policy_state, out, max);
	if (unlikely(why) && n) {
		vmd_policy_explain(ops, space->policy_state, out[0], why);
		strscpy(policy, ops->name, VMD_NAME_LEN);
	}
	spin_unlock(&space->policy_lock);
	return n;
}
