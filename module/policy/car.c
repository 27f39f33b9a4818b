// SPDX-License-Identifier: GPL-2.0-only
/*
 * CAR: ARC with clocks for its lists of pages. T1 has pages used once, T2 those
 * used again; a reference sets a bit and moves nothing. When T1's turn comes,
 * a page with the bit goes on to T2, one without goes; T2 is a second-chance
 * queue. What T1 may have, p, adapts to the misses on ghosts, B1 and B2.
 *
 * S. Bansal, D. S. Modha, "CAR: clock with adaptive replacement", FAST 2004,
 * figure 2. p and what it changes by are whole numbers here, the quotient of
 * the ghosts' numbers rounded down.
 *
 * The paper forgets a ghost before the new page comes; here that is done right
 * after, with the same result.
 *
 * The state is ghost.h's: 36 bytes per slot and at most 40 per ghost; pages and
 * ghosts together are never more than two per slot. A page that was kept is
 * parked; one that was restored too, in T2 if its ghost is not remembered, and
 * neither changes p. victim() moves pages and clears bits, O(1) amortised. The
 * further ones are exact; the search for them clears no bits, so it ends after
 * CAR_LOOK pages for each one wanted, and there may be fewer than wanted.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

#define CAR_LOOK	32

enum { CAR_T1 = 1, CAR_T2, CAR_B1, CAR_B2 };

struct car {
	struct vmd_known known;
	u32 p;
	u32 passed;		/* whose bit was cleared since the last one went */
};

static size_t car_state_size(u32 slots, u32 frames)
{
	return vmd_known_size(sizeof(struct car), slots, slots);
}

static void car_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct car *c = state;

	vmd_known_init(&c->known, sizeof(*c), slots, frames, slots);
}

/* A ghost of @list is wanted again. */
static void car_adapt(struct car *c, u32 list)
{
	const u32 *nr = c->known.nr;
	u32 other = list == CAR_B1 ? CAR_B2 : CAR_B1, by = 1;

	if (nr[other] > nr[list])
		by = nr[other] / nr[list];
	if (list == CAR_B1)
		c->p += by;
	else
		c->p -= by < c->p ? by : c->p;
	if (c->p > c->known.frames)
		c->p = c->known.frames;
}

/* The ghosts of T1 and T2 fill up what its pages leave of frames. */
static void car_trim(struct car *c)
{
	struct vmd_known *k = &c->known;
	u32 frames = vmd_known_frames(k), parked = k->nr[VMD_KNOWN_PARKED];
	u32 t1 = k->nr[CAR_T1], t2 = k->nr[CAR_T2] + parked, all;

	vmd_known_trim(k, CAR_B1, frames > t1 ? frames - t1 : 0);
	all = t1 + t2 + k->nr[CAR_B1];
	vmd_known_trim(k, CAR_B2, 2 * frames > all ? 2 * frames - all : 0);
}

static void car_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct car *c = state;
	struct vmd_known *k = &c->known;
	struct vmd_node *node = vmd_known_nodes(k);
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		vmd_known_restore(k, slot, key, CAR_T2);
		car_trim(c);
		return;
	}
	vmd_known_unpark_all(k);
	at = vmd_known_ghost(k, key);
	if (at) {
		car_adapt(c, node[at].list);
		vmd_known_revive(k, at, slot, CAR_T2);
	} else {
		at = vmd_known_add(k, slot, key, CAR_T1);
	}
	node[at].flag = false;
	node[at].await = flags & VMD_REF_DEFERRED;
	car_trim(c);
}

static void car_touched(void *state, u32 slot, u32 flags)
{
	struct car *c = state;
	struct vmd_node *node = vmd_known_nodes(&c->known) +
				vmd_known_node(&c->known, slot);

	if (!vmd_known_awaited(node))
		node->flag = true;
}

/* How many T1 has to give, by going or going on, before it is T2's turn. */
static u32 car_over(const struct car *c)
{
	u32 t1 = c->known.nr[CAR_T1], least = c->p ? c->p : 1;

	return t1 >= least ? t1 - least + 1 : 0;
}

/* Move the hands until the page to go is the first of its list. */
static void car_turn(struct car *c)
{
	struct vmd_known *k = &c->known;
	struct vmd_node *node = vmd_known_nodes(k);
	u32 at;

	for (;;) {
		if (car_over(c) || !k->nr[CAR_T2])
			at = vmd_known_first(k, CAR_T1);
		else
			at = vmd_known_first(k, CAR_T2);
		if (!at || !node[at].flag)
			return;
		node[at].flag = false;
		c->passed++;
		vmd_known_settle(k, at, CAR_T2);
	}
}

struct car_search {
	vmd_policy_visit_t visit;
	void *arg;
	u64 look;		/* pages that may still be looked at */
};

/*
 * From @at on, the @most next ones of @list, those whose bit is @bit or, if that
 * is 2, all. Returns where it ended; VMD_NO_SLOT: no more is wanted.
 */
static u32 car_scan(const struct car *c, u32 list, u32 at, u32 most, u8 bit,
		    struct car_search *search)
{
	const struct vmd_node *node = vmd_known_nodes(&c->known);

	for (; most-- && at != list; at = node[at].next) {
		if (!search->look--)
			return VMD_NO_SLOT;
		if ((bit == 2 || node[at].flag == bit) &&
		    !search->visit(search->arg, node[at].slot))
			return VMD_NO_SLOT;
	}
	return at;
}

/* All of @list. */
static bool car_scan_list(const struct car *c, u32 list, u8 bit,
			  struct car_search *search)
{
	u32 first = vmd_known_nodes(&c->known)[list].next;

	return car_scan(c, list, first, ~0U, bit, search) != VMD_NO_SLOT;
}

/*
 * What T1 gives goes at once or, with the bit, stands behind all of T2. Once T2
 * is empty T1 gives the rest in its order: what goes on to T2 is alone there.
 */
static void car_search(const struct car *c, vmd_policy_visit_t visit,
		       void *arg, u64 look)
{
	struct car_search search = { .visit = visit, .arg = arg, .look = look };
	u32 first = vmd_known_nodes(&c->known)[CAR_T1].next, rest;
	u32 over = car_over(c);

	if (car_scan(c, CAR_T1, first, over, 0, &search) == VMD_NO_SLOT ||
	    !car_scan_list(c, CAR_T2, 0, &search))
		return;
	rest = car_scan(c, CAR_T1, first, over, 1, &search);
	if (rest == VMD_NO_SLOT || !car_scan_list(c, CAR_T2, 1, &search) ||
	    car_scan(c, CAR_T1, rest, ~0U, 2, &search) == VMD_NO_SLOT)
		return;
	car_scan_list(c, VMD_KNOWN_PARKED, 2, &search);
}

static u32 car_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	car_turn(state);
	car_search(state, vmd_found_visit, &found, (u64)max * CAR_LOOK);
	return found.nr;
}

static void car_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct car *c = state;
	struct vmd_known *k = &c->known;
	u32 at = vmd_known_node(k, slot);
	bool once = vmd_known_nodes(k)[at].home == CAR_T1;

	if (why == VMD_REMOVED_EVICTED) {
		c->passed = 0;
		vmd_known_bury(k, at, once ? CAR_B1 : CAR_B2);
	} else {
		vmd_known_forget(k, at);
	}
}

static void car_kept(void *state, u32 slot)
{
	struct car *c = state;

	vmd_known_park(&c->known, vmd_known_node(&c->known, slot));
}

static void car_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	car_search(state, visit, arg, ~0ULL);
}

static void car_resize(void *state, u32 slots, u32 frames)
{
	struct car *c = state;

	vmd_known_resize(&c->known, slots, frames, slots);
	if (c->p > frames)
		c->p = frames;
	car_trim(c);
}

static void car_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct car *c = state;
	const struct vmd_known *k = &c->known;

	why->nr[0] = k->nr[CAR_T1];
	why->nr[1] = c->p;
	why->nr[2] = c->passed;
	switch (vmd_known_nodes(k)[vmd_known_node(k, slot)].list) {
	case CAR_T1:
		why->code = car_over(c) ? VMD_WHY_CAR_T1 : VMD_WHY_CAR_T1_ONLY;
		break;
	case CAR_T2:
		why->code = VMD_WHY_CAR_T2;
		break;
	default:
		why->code = VMD_WHY_LAST_RESORT;
	}
}

static void car_queues(const void *state, struct vmd_queue_view *view)
{
	const struct car *c = state;
	const struct vmd_known *k = &c->known;

	vmd_queue_known(view, k, CAR_T1, "T1", c->p, VMD_QUEUED_REFERENCED);
	vmd_queue_known(view, k, CAR_T2, "T2", VMD_QUEUE_UNTOLD,
			VMD_QUEUED_REFERENCED);
	vmd_queue_parked(view, k);
	vmd_queue_known(view, k, CAR_B1, "B1", VMD_QUEUE_UNTOLD, 0);
	vmd_queue_known(view, k, CAR_B2, "B2", VMD_QUEUE_UNTOLD, 0);
}

const struct vmd_policy_ops vmd_policy_car = {
	.name = "car",
	.text = "CAR: ARC with clocks",
	.state_size = car_state_size,
	.init = car_init,
	.inserted = car_inserted,
	.touched = car_touched,
	.victim = car_victim,
	.explain = car_explain,
	.removed = car_removed,
	.kept = car_kept,
	.walk = car_walk,
	.queues = car_queues,
	.resize = car_resize,
};
