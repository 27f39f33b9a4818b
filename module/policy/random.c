// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random: any page goes, each with the same chance. What a policy has to beat.
 *
 * L. A. Belady, "A study of replacement algorithms for a virtual-storage
 * computer", IBM Systems Journal 5(2), 1966. The numbers are SplitMix64's
 * (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014): a counter and a mixing function, so that drawing
 * ahead changes nothing. Several are drawn by R. Durstenfeld's "Algorithm 235:
 * Random permutation", CACM 7(7), 1964. Taking the remainder favours small
 * places by less than one in 2^33.
 *
 * The state is an array of the resident slots without gaps, and the place of
 * each slot in it: 8 bytes per slot.
 *
 *	0 ... free - 1		who may be drawn
 *	free ... nr - 1		who was drawn, but kept: the first one at the end
 *
 * When all were kept they are proposed once more in the order of before, so
 * that any nr proposals in a row are different; the next page that comes or
 * goes puts everyone into the draw again. victim() is exact for every max and
 * leaves the state as it was.
 */
#include "table.h"

#define RANDOM_GAMMA	0x9e3779b97f4a7c15ULL

struct random_cell {
	u32 slot;	/* of the place with this number */
	u32 place;	/* of the slot with this number */
};

struct random {
	u64 seed;
	u32 nr;
	u32 free;
	u32 turn;	/* with free 0: how many had their second proposal */
	u32 pad;
	struct random_cell cell[];
};

static const struct vmd_policy_param random_params[] = {
	{
		.name = "seed",
		.text = "where the random numbers start",
		.min = 0,
		.max = ~0ULL,
		.def = 1,
	},
};

/* SplitMix64: its @ahead'th number from now, below @below. */
static u32 random_draw(const struct random *r, u32 ahead, u32 below)
{
	u64 z = r->seed + ((u64)ahead + 1) * RANDOM_GAMMA;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return (u32)vmd_mod64(z, below);
}

static size_t random_state_size(u32 slots, u32 frames)
{
	return sizeof(struct random) +
	       (size_t)slots * sizeof(struct random_cell);
}

static void random_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct random *r = state;

	r->seed = params[0];
}

static void random_put(struct random *r, u32 place, u32 slot)
{
	r->cell[place].slot = slot;
	r->cell[slot].place = place;
}

static void random_swap(struct random *r, u32 a, u32 b)
{
	u32 slot = r->cell[a].slot;

	random_put(r, a, r->cell[b].slot);
	random_put(r, b, slot);
}

static void random_free_all(struct random *r)
{
	r->free = r->nr;
	r->turn = 0;
}

/* Take the place out of the draw; it is the last one of those before. */
static void random_park(struct random *r, u32 place)
{
	random_swap(r, place, --r->free);
}

static void random_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct random *r = state;

	random_put(r, r->nr++, slot);
	random_free_all(r);
	if (flags & VMD_REF_RESTORED)
		random_park(r, r->cell[slot].place);
}

/* Who is proposed @ahead'th, if @ahead is not in the draw any more. */
static u32 random_parked(const struct random *r, u32 ahead)
{
	return r->cell[r->nr - 1 - (ahead + r->turn) % r->nr].slot;
}

/* Draw, moving who was drawn out of the draw's way, then move all back. */
static u32 random_victim(void *state, u32 *out, u32 max)
{
	struct random *r = state;
	u32 nr = max < r->nr ? max : r->nr, drawn, i;

	drawn = nr < r->free ? nr : r->free;
	for (i = 0; i < drawn; i++) {
		random_swap(r, random_draw(r, i, r->free - i), r->free - i - 1);
		out[i] = r->cell[r->free - i - 1].slot;
	}
	for (; i < nr; i++)
		out[i] = random_parked(r, i - r->free);
	while (drawn--)
		random_swap(r, random_draw(r, drawn, r->free - drawn),
			    r->free - drawn - 1);
	return nr;
}

/*
 * The last in the draw takes its place, as in the draw of several: what
 * victim() said of those after the first stays true.
 */
static void random_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct random *r = state;
	u32 place = r->cell[slot].place;

	if (place < r->free) {
		random_park(r, place);
		place = r->free;
	}
	random_put(r, place, r->cell[--r->nr].slot);
	random_free_all(r);
	r->seed += RANDOM_GAMMA;
}

static void random_kept(void *state, u32 slot)
{
	struct random *r = state;
	u32 place = r->cell[slot].place;

	if (place < r->free) {
		random_park(r, place);
		r->seed += RANDOM_GAMMA;
	} else if (!r->free) {
		random_swap(r, place, r->nr - 1 - r->turn);
		r->turn = (r->turn + 1) % r->nr;
	}
}

/* The next to go is known, the others are visited by place. */
static void random_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct random *r = state;
	u32 first, i;

	if (!r->nr)
		return;
	if (r->free)
		first = r->cell[random_draw(r, 0, r->free)].slot;
	else
		first = random_parked(r, 0);
	if (!visit(arg, first))
		return;
	for (i = 0; i < r->nr; i++) {
		if (r->cell[i].slot != first && !visit(arg, r->cell[i].slot))
			return;
	}
}

static void random_resize(void *state, u32 slots, u32 frames)
{
	/* The cells of new slots lie behind the old ones and need no start. */
}

static void random_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct random *r = state;

	why->code = r->free ? VMD_WHY_DRAWN : VMD_WHY_LAST_RESORT;
	why->nr[0] = r->free;
}

const struct vmd_policy_ops vmd_policy_random = {
	.name = "random",
	.text = "any page, by a seeded generator",
	.nr_params = ARRAY_SIZE(random_params),
	.params = random_params,
	.state_size = random_state_size,
	.init = random_init,
	.inserted = random_inserted,
	.victim = random_victim,
	.explain = random_explain,
	.removed = random_removed,
	.kept = random_kept,
	.walk = random_walk,
	.resize = random_resize,
};
