// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segmented LRU: new pages are on probation; one that is used again moves up
 * into the protected segment, and the one used there longest ago moves down to
 * make room, as if it had just been used below. The page on probation that was
 * used longest ago goes. With more than two segments each use is one step up.
 *
 * R. Karedla, J. S. Love, B. G. Wherry, "Caching strategies to improve disk
 * system performance", IEEE Computer 27(3), 1994: two segments, the share of
 * the protected one to be tuned. The protected segments have equal shares,
 * rounded down; the first one has all that is left of the frames.
 *
 * libCacheSim's is "segments=4,protected=75,fill=1": with "fill" a new page goes
 * into the lowest segment that has room, so that the upper ones are filled at
 * the start; with 0, the default, as in the paper, always into the first. Where
 * 4 does not divide the frames libCacheSim's segments do not add up to all of
 * them, and it may evict on a hit; that is not done here.
 *
 * The state is ghost.h's without ghosts: 36 bytes per slot. A page that was kept
 * is parked; one that was restored too, in the highest segment. O(segments);
 * victim() is exact for every max.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

#define SLRU_FIRST	1
#define SLRU_MOST	(VMD_KNOWN_LISTS - SLRU_FIRST)

struct slru {
	struct vmd_known known;
	u32 last;		/* the highest segment's list */
	u32 protected;		/* percent, of all but the first together */
	u32 fill;
	u32 pad;
};

static const struct vmd_policy_param slru_params[] = {
	{
		.name = "segments",
		.text = "number of segments",
		.min = 2,
		.max = SLRU_MOST,
		.def = 2,
	}, {
		.name = "protected",
		.text = "share of all segments but the first, % of frames",
		.min = 0,
		.max = 100,
		.def = 75,
	}, {
		.name = "fill",
		.text = "1: a new page goes into the lowest segment that has room",
		.min = 0,
		.max = 1,
		.def = 0,
	},
};

static size_t slru_state_size(u32 slots, u32 frames)
{
	return vmd_known_size(sizeof(struct slru), slots, 0);
}

static void slru_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct slru *s = state;

	vmd_known_init(&s->known, sizeof(*s), slots, frames, 0);
	s->last = SLRU_FIRST + (u32)params[0] - 1;
	s->protected = (u32)params[1];
	s->fill = (u32)params[2];
}

/* What a protected segment may have. */
static u32 slru_share(const struct slru *s)
{
	u64 all = (u64)s->known.frames * s->protected;

	return (u32)vmd_div64(all, 100 * (s->last - SLRU_FIRST));
}

/* Let those move down that are too many, from the highest segment on. */
static void slru_cool(struct slru *s)
{
	struct vmd_known *k = &s->known;
	u32 share = slru_share(s), list;

	for (list = s->last; list > SLRU_FIRST; list--) {
		while (k->nr[list] > share)
			vmd_known_settle(k, vmd_known_first(k, list), list - 1);
	}
}

/* Where a new page goes. */
static u32 slru_new_list(const struct slru *s)
{
	u32 share = slru_share(s), list = SLRU_FIRST;
	u32 first = s->known.frames - share * (s->last - SLRU_FIRST);

	if (!s->fill || s->known.nr[list] < first)
		return SLRU_FIRST;
	while (++list <= s->last) {
		if (s->known.nr[list] < share)
			return list;
	}
	return SLRU_FIRST;
}

static void slru_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct slru *s = state;
	struct vmd_known *k = &s->known;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		vmd_known_restore(k, slot, key, s->last);
		return;
	}
	vmd_known_unpark_all(k);
	slru_cool(s);
	at = vmd_known_add(k, slot, key, slru_new_list(s));
	vmd_known_nodes(k)[at].await = flags & VMD_REF_DEFERRED;
}

static void slru_touched(void *state, u32 slot, u32 flags)
{
	struct slru *s = state;
	u32 at = vmd_known_node(&s->known, slot), up;
	struct vmd_node *node = vmd_known_nodes(&s->known) + at;

	if (vmd_known_awaited(node))
		return;
	up = node->home;
	vmd_known_settle(&s->known, at, up < s->last ? up + 1 : up);
	slru_cool(s);
}

static void slru_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct slru *s = state;
	u32 list;

	for (list = SLRU_FIRST; list <= s->last; list++) {
		if (!vmd_known_walk(&s->known, list, visit, arg))
			return;
	}
	vmd_known_walk(&s->known, VMD_KNOWN_PARKED, visit, arg);
}

static u32 slru_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	slru_walk(state, vmd_found_visit, &found);
	return found.nr;
}

static void slru_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct slru *s = state;

	vmd_known_forget(&s->known, vmd_known_node(&s->known, slot));
}

static void slru_kept(void *state, u32 slot)
{
	struct slru *s = state;

	vmd_known_park(&s->known, vmd_known_node(&s->known, slot));
}

static void slru_resize(void *state, u32 slots, u32 frames)
{
	struct slru *s = state;

	vmd_known_resize(&s->known, slots, frames, 0);
}

static void slru_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct slru *s = state;
	const struct vmd_known *k = &s->known;
	u32 list = vmd_known_nodes(k)[vmd_known_node(k, slot)].list;

	if (list == VMD_KNOWN_PARKED) {
		why->code = VMD_WHY_LAST_RESORT;
	} else if (list == SLRU_FIRST) {
		why->code = VMD_WHY_PROBATION;
		why->nr[0] = k->nr[list];
	} else {
		why->code = VMD_WHY_SEGMENT;
		why->nr[0] = list - SLRU_FIRST + 1;
		why->nr[1] = k->nr[list];
	}
}

static void slru_queues(const void *state, struct vmd_queue_view *view)
{
	static const char * const names[SLRU_MOST] = {
		"probation", "protected", "protected 2", "protected 3",
		"protected 4",
	};
	const struct slru *s = state;
	const struct vmd_known *k = &s->known;
	u32 list;

	for (list = SLRU_FIRST; list <= s->last; list++)
		vmd_queue_known(view, k, list, names[list - SLRU_FIRST],
				list == SLRU_FIRST ? VMD_QUEUE_UNTOLD :
						     slru_share(s), 0);
	vmd_queue_parked(view, k);
}

const struct vmd_policy_ops vmd_policy_slru = {
	.name = "slru",
	.text = "segmented LRU: on probation, then protected",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(slru_params),
	.params = slru_params,
	.state_size = slru_state_size,
	.init = slru_init,
	.inserted = slru_inserted,
	.touched = slru_touched,
	.victim = slru_victim,
	.explain = slru_explain,
	.removed = slru_removed,
	.kept = slru_kept,
	.walk = slru_walk,
	.queues = slru_queues,
	.resize = slru_resize,
};
