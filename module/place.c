// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of frames in a living space: which frames are in use.
 *
 * What sets are, and who goes of a full one, is in policy/place.c. Here a frame
 * of the page's set is taken before a unit of the budget is (frame.c), and
 * given back with the frame structure, so that there are never more pages of a
 * set in frames, coming or going, than it has; but for those lent to an
 * instruction that needs several of them, which are as many as may be lent of
 * the budget. As sets are what the budget is divided into, whoever has a frame
 * of a set finds one of the budget, too, unless memory or a cap is short.
 *
 * VMD_FRAME_PLACED says that a frame counts. It changes under policy_lock, and
 * is set for every frame in use when there are sets from now on: a page that was
 * coming in just then finds that it has its frame already.
 */
#include "space.h"

/**
 * vmd_placed_take - take one of the frames that a page may use
 * @space: of which
 * @f: the page's frame structure, filling
 * @extra: frames that sets may use beyond what they have, all sets together
 *
 * Returns false if all are in use. Without sets, there is one.
 */
bool vmd_placed_take(struct vmd_space *space, struct vmd_frame *f, u32 extra)
{
	const struct vmd_place *p;
	bool taken = true;

	/* Filling first, then this: whoever makes sets now counts the frame. */
	if (!READ_ONCE(space->ways))
		return true;
	spin_lock(&space->policy_lock);
	p = space->policy_state;
	if (space->ways && !vmd_frame_test(f, VMD_FRAME_PLACED)) {
		taken = vmd_place_set(p, f->index)->used < space->ways ||
			vmd_place_over(p) < extra;
		if (taken) {
			vmd_place_use(space->policy_state, f->index);
			vmd_frame_set(f, VMD_FRAME_PLACED);
		}
	}
	spin_unlock(&space->policy_lock);
	return taken;
}

/**
 * vmd_placed_free - give it back
 * @space: of which
 * @f: nobody's page is in it any more, but its index still tells whose was
 */
void vmd_placed_free(struct vmd_space *space, struct vmd_frame *f)
{
	spin_lock(&space->policy_lock);
	vmd_frame_clear(f, VMD_FRAME_PLACED);
	if (space->ways)
		vmd_place_unuse(space->policy_state, f->index);
	spin_unlock(&space->policy_lock);
}

/**
 * vmd_placed_room - might vmd_placed_take() take a frame?
 * @space: of which
 * @index: for this page
 */
bool vmd_placed_room(struct vmd_space *space, pgoff_t index)
{
	bool room;

	spin_lock(&space->policy_lock);
	room = !space->ways ||
	       vmd_place_set(space->policy_state, index)->used < space->ways;
	spin_unlock(&space->policy_lock);
	return room;
}

/**
 * vmd_placed_over - frames in use beyond what their sets have
 * @space: of which
 */
u32 vmd_placed_over(struct vmd_space *space)
{
	u32 over;

	if (!READ_ONCE(space->ways))
		return 0;
	spin_lock(&space->policy_lock);
	over = space->ways ? vmd_place_over(space->policy_state) : 0;
	spin_unlock(&space->policy_lock);
	return over;
}

/**
 * vmd_placed_from - where victims are to come from, for vmd_decide_victims()
 * @a: the access that needs a frame, or NULL
 */
u64 vmd_placed_from(const struct vmd_access *a)
{
	if (!a || !a->crowded)
		return VMD_PLACE_ANY;
	return a->reclaim ? VMD_PLACE_OVER : a->index;
}

/**
 * vmd_placed_pin - a resident page is pinned from now on, or no more
 * @space: config_lock is held, or nobody uses it any more
 * @f: its frame
 * @pin: whether it is
 */
void vmd_placed_pin(struct vmd_space *space, struct vmd_frame *f, bool pin)
{
	spin_lock(&space->policy_lock);
	if (pin)
		vmd_frame_set(f, VMD_FRAME_PINNED);
	else
		vmd_frame_clear(f, VMD_FRAME_PINNED);
	if (space->ways)
		vmd_place_set(space->policy_state, f->index)->pinned +=
			pin ? 1 : -1;
	spin_unlock(&space->policy_lock);
	if (pin)
		atomic_long_inc(&space->pinned);
	else
		atomic_long_dec(&space->pinned);
}

static bool placed_is_pinned(struct vmd_space *space, pgoff_t index)
{
	void *entry = xa_load(&space->pages, index);

	return vmd_entry_is_frame(entry) &&
	       vmd_frame_test(entry, VMD_FRAME_PINNED);
}

/* Count one more page as pinned, unless its set has too few others left. */
static bool placed_try_pin(struct vmd_space *space, pgoff_t index, u32 most)
{
	struct vmd_place_set *set;
	bool fits;

	spin_lock(&space->policy_lock);
	set = vmd_place_set(space->policy_state, index);
	fits = set->pinned < most;
	set->pinned += fits;
	spin_unlock(&space->policy_lock);
	return fits;
}

/**
 * vmd_placed_pins_fit - may all of these pages be pinned?
 * @space: config_lock is held
 * @first: first page
 * @end: the page after the last one
 *
 * As of the budget, a quarter of each set has to be left to other pages: none
 * can be pinned where a page has but one frame that it may use.
 */
bool vmd_placed_pins_fit(struct vmd_space *space, pgoff_t first, pgoff_t end)
{
	u32 most = space->ways - DIV_ROUND_UP(space->ways, 4);
	pgoff_t index;
	bool fits = true;

	if (!space->ways)
		return true;
	for (index = first; fits && index < end; index++)
		fits = placed_is_pinned(space, index) ||
		       placed_try_pin(space, index, most);
	/* The last one was not counted if it did not fit. */
	for (index -= !fits; index-- > first;) {
		if (placed_is_pinned(space, index))
			continue;
		spin_lock(&space->policy_lock);
		vmd_place_set(space->policy_state, index)->pinned--;
		spin_unlock(&space->policy_lock);
	}
	return fits;
}

/**
 * vmd_placed_missed - a reference found its page not resident: which kind is it?
 * @space: of which
 * @index: the page
 * @first: it was in no frame before
 */
void vmd_placed_missed(struct vmd_space *space, pgoff_t index, bool first)
{
	bool there = false;

	if (READ_ONCE(space->ways)) {
		spin_lock(&space->policy_lock);
		there = space->ways &&
			vmd_place_reference(space->policy_state, index);
		spin_unlock(&space->policy_lock);
	}
	if (first)
		vmd_count_more(space, misses_compulsory, 1);
	else if (there)
		vmd_count_more(space, misses_conflict, 1);
	else
		vmd_count_more(space, misses_capacity, 1);
}

/* Pinned pages stay where they are: do they leave each set a frame? */
static bool recount_pin(struct vmd_place *to, const struct vmd_frame *f,
			u32 ways)
{
	return !vmd_frame_test(f, VMD_FRAME_PINNED) ||
	       ++vmd_place_set(to, f->index)->pinned < ways;
}

/**
 * vmd_place_repin - count the pinned pages for other sets
 * @space: config_lock, grow_lock and policy_lock are held
 * @to: the new sets; nothing was counted yet
 * @ways: frames of each
 *
 * Returns 0, or -EBUSY if they would leave a set no frame.
 */
int vmd_place_repin(struct vmd_space *space, struct vmd_place *to, u32 ways)
{
	struct vmd_frame *chunk;
	unsigned long i;
	u32 k;

	xa_for_each(&space->chunks, i, chunk) {
		for (k = 0; k < VMD_CHUNK_FRAMES; k++)
			if (!recount_pin(to, &chunk[k], ways))
				return -EBUSY;
	}
	return 0;
}

/* Unless it is free by now, the frame counts. */
static void recount_use(struct vmd_place *to, struct vmd_frame *f)
{
	int word = atomic_read(&f->word);

	do {
		if ((word & VMD_FRAME_STATE) == VMD_FRAME_FREE)
			return;
	} while (!atomic_try_cmpxchg(&f->word, &word, word | VMD_FRAME_PLACED));
	vmd_place_use(to, f->index);
}

/**
 * vmd_place_recount - count the frames in use for other sets
 * @space: its sets are the new ones already, and nothing was counted yet;
 *	config_lock, grow_lock and policy_lock are held
 * @had_sets: it had others before
 *
 * Who waits for a frame of a set has none, and still has to take one. Where there
 * were no sets nobody has waited: all that is on its way counts.
 */
void vmd_place_recount(struct vmd_space *space, bool had_sets)
{
	struct vmd_frame *chunk;
	unsigned long i;
	u32 k;

	/* That there are sets first, then who came in without; vmd_placed_take(). */
	smp_mb();
	xa_for_each(&space->chunks, i, chunk) {
		for (k = 0; k < VMD_CHUNK_FRAMES; k++)
			if (!had_sets ||
			    vmd_frame_test(&chunk[k], VMD_FRAME_PLACED))
				recount_use(space->policy_state, &chunk[k]);
	}
}

struct place_recall {
	struct vmd_space *space;
	struct vmd_place *to;
};

static bool place_recall_one(void *arg, u32 slot)
{
	struct place_recall *recall = arg;

	vmd_place_reference(recall->to,
			    vmd_frame_by_id(recall->space, slot)->index);
	return true;
}

/**
 * vmd_place_recall - new sets begin with what was referenced last
 * @space: grow_lock and policy_lock are held
 * @to: the new sets
 *
 * Where there were no sets, that is known of the resident pages only, and as
 * the policy has them.
 */
void vmd_place_recall(struct vmd_space *space, struct vmd_place *to)
{
	struct place_recall recall = { .space = space, .to = to };

	if (space->ways)
		vmd_place_remember(to, space->policy_state);
	else
		vmd_decide_walk(space, place_recall_one, &recall);
}
