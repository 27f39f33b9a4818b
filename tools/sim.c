// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine in miniature; see sim.h. What the kernel's engine does around
 * these steps (locks, I/O, page tables) is not here; the steps and their order
 * are the same.
 */
#include <stdlib.h>

#include "sim.h"

static size_t sim_state_size(const struct vmd_policy_choice *choice, u32 slots,
			     u32 frames)
{
	return choice->ops->state_size(slots, frames);
}

/* The calls of the policy, or of that of the page's set. */

static void sim_missed(struct vmd_sim *sim, u64 key)
{
	if (sim->ways)
		vmd_place_missed(sim->state, key);
	else
		vmd_policy_missed(sim->choice.ops, sim->state, key);
}

static void sim_future(struct vmd_sim *sim, u64 key, u64 next)
{
	if (sim->ways)
		vmd_place_future(sim->state, key, next);
	else
		vmd_policy_future(sim->choice.ops, sim->state, next);
}

static void sim_inserted(struct vmd_sim *sim, u32 slot, u64 key, u32 flags)
{
	if (sim->ways)
		vmd_place_inserted(sim->state, slot, key, flags);
	else
		sim->choice.ops->inserted(sim->state, slot, key, flags);
}

static void sim_touched(struct vmd_sim *sim, u32 slot, u32 flags)
{
	if (sim->ways)
		vmd_place_touched(sim->state, slot, flags);
	else
		vmd_policy_touched(sim->choice.ops, sim->state, slot, flags);
}

static void sim_removed(struct vmd_sim *sim, u32 slot, enum vmd_removal why)
{
	if (sim->ways)
		vmd_place_removed(sim->state, slot, why);
	else
		sim->choice.ops->removed(sim->state, slot, why);
}

static void sim_kept(struct vmd_sim *sim, u32 slot)
{
	if (sim->ways)
		vmd_place_kept(sim->state, slot);
	else
		sim->choice.ops->kept(sim->state, slot);
}

/* A victim for page @key, or for no page in particular. */
static bool sim_victim(struct vmd_sim *sim, u64 key, u32 *slot)
{
	if (sim->ways)
		return vmd_place_victim(sim->state, key, slot, 1);
	return sim->choice.ops->victim(sim->state, slot, 1);
}

static void sim_walk(const struct vmd_sim *sim, vmd_policy_visit_t visit,
		     void *arg)
{
	if (sim->ways)
		vmd_place_walk(sim->state, visit, arg);
	else
		sim->choice.ops->walk(sim->state, visit, arg);
}

/* Zeroed and aligned as the policy contract wants it, and not a byte more. */
static void *sim_alloc_state(size_t size)
{
	void *state;

	if (posix_memalign(&state, 64, size))
		return NULL;
	return memset(state, 0, size);
}

/* An empty state, or NULL. */
static void *sim_new_state(const struct vmd_policy_choice *choice, u32 slots,
			   u32 frames)
{
	void *state = sim_alloc_state(sim_state_size(choice, slots, frames));

	if (state)
		choice->ops->init(state, slots, frames, choice->params);
	return state;
}

/* Likewise, with placement. */
static void *sim_new_place(const struct vmd_policy_choice *choice, u32 ways,
			   u32 slots, u32 frames)
{
	void *state = sim_alloc_state(vmd_place_size(choice->ops, ways, slots,
						     frames));

	if (state)
		vmd_place_init(state, choice, ways, slots, frames);
	return state;
}

/* Make the arrays that go by slot long enough. */
static int sim_grow(struct vmd_sim *sim, u32 slots)
{
	u64 *page_of;
	u32 *list;

	page_of = realloc(sim->page_of, (size_t)slots * sizeof(*page_of));
	if (!page_of)
		return -ENOMEM;
	sim->page_of = page_of;
	list = realloc(sim->free, (size_t)slots * sizeof(*list));
	if (!list)
		return -ENOMEM;
	sim->free = list;
	return 0;
}

/* Free the slots from sim->slots up to @slots, the lowest to be used first. */
static void sim_free_slots(struct vmd_sim *sim, u32 slots)
{
	u32 slot = slots;

	while (slot > sim->slots)
		sim->free[sim->nr_free++] = --slot;
	sim->slots = slots;
}

int vmd_sim_init(struct vmd_sim *sim, const struct vmd_policy_choice *choice,
		 u64 pages, u32 frames)
{
	return vmd_sim_init_placed(sim, choice, pages, frames, VMD_PLACE_FULL);
}

int vmd_sim_init_placed(struct vmd_sim *sim,
			const struct vmd_policy_choice *choice, u64 pages,
			u32 frames, u32 ways)
{
	u64 page;

	*sim = (struct vmd_sim){ .choice = *choice, .pages = pages };
	if (!frames || frames > VMD_POLICY_MAX_SLOTS || !pages ||
	    !vmd_place_fits(ways, frames))
		return -EINVAL;
	sim->frames = frames;
	sim->ways = ways;
	sim->slot_of = calloc(pages, sizeof(*sim->slot_of));
	sim->page_flags = calloc(pages, sizeof(*sim->page_flags));
	sim->state = ways ? sim_new_place(choice, ways, frames, frames) :
			    sim_new_state(choice, frames, frames);
	if (!sim->slot_of || !sim->page_flags || !sim->state ||
	    sim_grow(sim, frames))
		return -ENOMEM;
	for (page = 0; page < pages; page++)
		sim->slot_of[page] = VMD_NO_SLOT;
	sim_free_slots(sim, frames);
	return 0;
}

void vmd_sim_exit(struct vmd_sim *sim)
{
	free(sim->state);
	free(sim->slot_of);
	free(sim->page_of);
	free(sim->page_flags);
	free(sim->free);
	free(sim->next);
	*sim = (struct vmd_sim){ };
}

void vmd_sim_remove(struct vmd_sim *sim, u64 page, enum vmd_removal why)
{
	u32 slot = sim->slot_of[page];

	sim_removed(sim, slot, why);
	sim->slot_of[page] = VMD_NO_SLOT;
	sim->page_flags[page] &= (u8)~VMD_SIM_DIRTY;
	sim->free[sim->nr_free++] = slot;
	sim->resident--;
}

static void sim_decided(const struct vmd_sim *sim, enum vmd_sim_decision what,
			u64 page)
{
	if (sim->decided)
		sim->decided(sim->arg, what, page);
}

static u64 sim_key(const struct vmd_sim *sim, u64 page)
{
	return sim->keys ? sim->keys[page] : page;
}

/* Its write failed when it had already been taken from the policy. */
static void sim_restore(struct vmd_sim *sim, u32 slot, u64 page)
{
	sim_removed(sim, slot, VMD_REMOVED_EVICTED);
	sim_inserted(sim, slot, sim_key(sim, page), VMD_REF_RESTORED);
	sim_decided(sim, VMD_SIM_RESTORED, page);
}

/* Carry out a proposal; false if the page could not go. */
static bool sim_try_evict(struct vmd_sim *sim, u32 slot)
{
	u64 page = sim->page_of[slot];
	u8 flags = sim->page_flags[page];

	if (flags & VMD_SIM_PINNED) {
		sim_kept(sim, slot);
		sim_decided(sim, VMD_SIM_KEPT, page);
		return false;
	}
	if (flags & VMD_SIM_DIRTY && flags & VMD_SIM_STUCK) {
		sim_restore(sim, slot, page);
		return false;
	}
	if (flags & VMD_SIM_DIRTY) {
		sim->totals.evictions_dirty++;
		sim->totals.pages_written++;
	}
	sim->totals.evictions++;
	vmd_sim_remove(sim, page, VMD_REMOVED_EVICTED);
	sim_decided(sim, VMD_SIM_EVICTED, page);
	return true;
}

/*
 * Free one frame, after as many tries as there are pages: one that page @key
 * may use, if there are several sets.
 */
static int sim_evict(struct vmd_sim *sim, u64 key)
{
	u32 tries = sim->resident, slot;

	while (tries--) {
		if (!sim_victim(sim, key, &slot))
			break;
		if (sim->why)
			vmd_policy_explain(sim->choice.ops, sim->state, slot, sim->why);
		if (sim_try_evict(sim, slot))
			return 0;
	}
	return -EBUSY;
}

/* The reference that is about to be reported: when is its page used next? */
static void sim_tell(struct vmd_sim *sim, u64 page)
{
	u64 at = sim->totals.references - sim->next_from;
	u64 next = VMD_NEVER;

	if (at < sim->next_nr && sim->next[at] != VMD_SIM_NEVER)
		next = sim->next[at];
	sim_future(sim, sim_key(sim, page), next);
}

static void sim_insert(struct vmd_sim *sim, u64 page, u32 flags)
{
	u32 slot = sim->free[--sim->nr_free];

	sim->slot_of[page] = slot;
	sim->page_of[slot] = page;
	sim->resident++;
	if (sim->next)
		sim_tell(sim, page);
	sim_inserted(sim, slot, sim_key(sim, page), flags | sim->insert_flags);
}

static bool sim_full(const struct vmd_sim *sim, u64 page)
{
	if (sim->ways)
		return vmd_place_full(sim->state, sim_key(sim, page));
	return sim->resident == sim->frames;
}

/* Which of the three kinds of misses it was (place.h). */
static void sim_classify(struct vmd_sim *sim, u64 page)
{
	bool there = sim->ways && vmd_place_reference(sim->state,
						      sim_key(sim, page));

	if (!(sim->page_flags[page] & VMD_SIM_SEEN))
		sim->totals.misses_compulsory++;
	else if (there)
		sim->totals.misses_conflict++;
	else
		sim->totals.misses_capacity++;
	sim->page_flags[page] |= VMD_SIM_SEEN;
}

/* Bring the page in; -EBUSY if no other one could go for it. */
static int sim_miss(struct vmd_sim *sim, u64 page, u32 flags)
{
	u64 key = sim_key(sim, page);

	sim_missed(sim, key);
	if (sim_full(sim, page) && sim_evict(sim, key))
		return -EBUSY;
	sim_insert(sim, page, flags);
	sim->totals.misses++;
	sim_classify(sim, page);
	return 0;
}

static inline int sim_reference(struct vmd_sim *sim, u64 page, bool write)
{
	u32 flags = write ? VMD_REF_WRITE : 0;
	u32 slot = sim->slot_of[page];

	if (slot == VMD_NO_SLOT) {
		if (sim_miss(sim, page, flags))
			return -EBUSY;
	} else {
		if (sim->next)
			sim_tell(sim, page);
		sim_touched(sim, slot, flags);
		if (sim->ways)
			vmd_place_reference(sim->state, sim_key(sim, page));
		sim->totals.hits++;
	}
	if (write)
		sim->page_flags[page] |= VMD_SIM_DIRTY;
	sim->totals.references++;
	return slot != VMD_NO_SLOT;
}

int vmd_sim_reference(struct vmd_sim *sim, u64 page, bool write)
{
	return page < sim->pages ? sim_reference(sim, page, write) : -EINVAL;
}

/* How far ahead the memory is told what will be asked of it. */
#define SIM_AHEAD	16

int vmd_sim_run(struct vmd_sim *sim, const u32 *refs, size_t nr)
{
	size_t i;
	int hit;

	for (i = 0; i < nr; i++) {
		u32 page = refs[i] >> 1;

		if (i + SIM_AHEAD < nr && refs[i + SIM_AHEAD] >> 1 < sim->pages)
			__builtin_prefetch(sim->slot_of +
					   (refs[i + SIM_AHEAD] >> 1));
		if (page >= sim->pages)
			return -EINVAL;
		hit = sim_reference(sim, page, refs[i] & 1);
		if (hit < 0)
			return hit;
	}
	return 0;
}

int vmd_sim_future(struct vmd_sim *sim, const u32 *refs, size_t nr)
{
	u32 *next, *first;
	size_t i = nr;
	u64 page;

	if (nr >= VMD_SIM_NEVER)
		return -EINVAL;
	next = calloc(nr + 1, sizeof(*next));
	first = calloc(sim->pages, sizeof(*first));
	if (!next || !first) {
		free(next);
		free(first);
		return -ENOMEM;
	}
	memset(first, 0xff, sim->pages * sizeof(*first));
	while (i--) {
		page = refs[i] >> 1;
		next[i] = page < sim->pages ? first[page] : VMD_SIM_NEVER;
		if (page < sim->pages)
			first[page] = (u32)i;
	}
	free(first);
	free(sim->next);
	sim->next = next;
	sim->next_nr = nr;
	sim->next_from = sim->totals.references;
	return 0;
}

/* Where the pages of an old state go, one by one. */
struct sim_heir {
	const struct vmd_sim *sim;
	const struct vmd_policy_ops *ops;
	void *state;
};

static bool sim_inherit_placed(void *arg, u32 slot)
{
	const struct sim_heir *heir = arg;

	vmd_place_inserted(heir->state, slot,
			   sim_key(heir->sim, heir->sim->page_of[slot]), 0);
	return true;
}

static bool sim_inherit(void *arg, u32 slot)
{
	const struct sim_heir *heir = arg;

	heir->ops->inserted(heir->state, slot,
			    sim_key(heir->sim, heir->sim->page_of[slot]), 0);
	return true;
}

/* Put @state, of @choice, in the place of the present one. */
static void sim_replace(struct vmd_sim *sim, void *state,
			const struct vmd_policy_choice *choice)
{
	struct sim_heir heir = {
		.sim = sim,
		.ops = choice->ops,
		.state = state,
	};

	sim_walk(sim, sim->ways ? sim_inherit_placed : sim_inherit, &heir);
	if (sim->ways)
		vmd_place_remember(state, sim->state);
	free(sim->state);
	sim->state = state;
	sim->choice = *choice;
}

int vmd_sim_set_policy(struct vmd_sim *sim,
		       const struct vmd_policy_choice *choice)
{
	void *state = sim->ways ? sim_new_place(choice, sim->ways, sim->slots,
						sim->frames) :
				  sim_new_state(choice, sim->slots, sim->frames);

	if (!state)
		return -ENOMEM;
	sim_replace(sim, state, choice);
	return 0;
}

/* Let the state serve @slots and @frames, in other memory. */
static int sim_move_state(struct vmd_sim *sim, u32 slots, u32 frames)
{
	const struct vmd_policy_choice choice = sim->choice;
	size_t from = sim_state_size(&choice, sim->slots, sim->frames);
	size_t to = sim_state_size(&choice, slots, frames);
	void *state = sim_alloc_state(to);

	if (!state)
		return -ENOMEM;
	memcpy(state, sim->state, from < to ? from : to);
	if (vmd_policy_resize(choice.ops, state, slots, frames)) {
		free(sim->state);
		sim->state = state;
		return 0;
	}
	memset(state, 0, to);
	choice.ops->init(state, slots, frames, choice.params);
	sim_replace(sim, state, &choice);
	return 0;
}

int vmd_sim_set_frames(struct vmd_sim *sim, u32 frames)
{
	u32 slots = frames > sim->slots ? frames : sim->slots;

	if (!frames || frames > VMD_POLICY_MAX_SLOTS)
		return -EINVAL;
	if (sim->ways)
		return -EOPNOTSUPP;
	while (sim->resident > frames) {
		if (sim_evict(sim, 0))
			return -EBUSY;
	}
	if (sim_grow(sim, slots) || sim_move_state(sim, slots, frames))
		return -ENOMEM;
	sim_free_slots(sim, slots);
	sim->frames = frames;
	return 0;
}
