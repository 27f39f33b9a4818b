// SPDX-License-Identifier: GPL-2.0-only
/*
 * S3-FIFO: a small queue for new pages, a main one for those that were used
 * again while there, and a queue of ghosts of those that were not. A page that
 * comes while its ghost is remembered goes into the main queue at once. Each
 * queue is first in, first out; what is referenced counts its references, up to
 * a few, and pays with them for staying when its turn comes.
 *
 * J. Yang, Y. Zhang, Z. Qiu, Y. Yue, K. V. Rashmi, "FIFO queues are all you
 * need for cache eviction", SOSP 2023: "small" 10 %, "ghost" as many as the
 * main queue has pages, promotion at the 2nd reference ("threshold"), 2 bits
 * for the count ("cap" 3), cleared on promotion.
 *
 * The paper leaves open what follows when a promotion overfills the main queue;
 * as in libCacheSim, no page goes for that: the search for the one victim goes
 * on in the small queue, to its end if need be, and then in the main one.
 * libCacheSim (since 2024) puts new pages into the main queue once the small
 * one is full and until the first eviction. That is "fill" 1, the default;
 * with 0 all new pages start in the small queue, as in the paper. Both have the
 * paper's 10 % as frames * small / 100, rounded down; here it is at least 1.
 *
 * The state is ghost.h's: 36 bytes per slot and at most 40 per ghost, of which
 * there are at most as many as slots. A page that was kept is parked; one that
 * was restored too, in the main queue if its ghost is not remembered.
 *
 * victim() of one moves pages and takes references away: O(1) amortised. The
 * further ones are a guess, nearly what would go next: whoever of the queue
 * whose turn it is has no references to pay with, then the other queue. The
 * search takes none away; it ends after S3_LOOK pages for each one wanted.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

#define S3_LOOK		32

enum { S3_SMALL = 1, S3_MAIN, S3_GHOST };

enum { S3_P_SMALL, S3_P_GHOST, S3_P_THRESHOLD, S3_P_CAP, S3_P_FILL };

struct s3fifo {
	struct vmd_known known;
	u32 small;		/* percent */
	u32 ghost;		/* percent */
	u32 threshold;
	u32 cap;
	u32 fill;		/* 1 until the first eviction, if wanted */
	u32 begun;		/* an eviction from the small queue is under way */
	u32 passed;		/* who paid for staying since the last one went */
	u32 pad;
};

static const struct vmd_policy_param s3_params[] = {
	{
		.name = "small",
		.text = "the small queue's share, % of frames",
		.min = 1,
		.max = 99,
		.def = 10,
	}, {
		.name = "ghost",
		.text = "most ghosts, % of frames",
		.min = 0,
		.max = 100,
		.def = 90,
	}, {
		.name = "threshold",
		.text = "references in the small queue that promote a page",
		.min = 1,
		.max = 15,
		.def = 2,
	}, {
		.name = "cap",
		.text = "most references that count in the main queue",
		.min = 1,
		.max = 15,
		.def = 3,
	}, {
		.name = "fill",
		.text = "1: before any eviction, new pages overflow into the main queue",
		.min = 0,
		.max = 1,
		.def = 1,
	},
};

static u32 s3_small(const struct s3fifo *s)
{
	u32 small = (u32)vmd_div64((u64)s->known.frames * s->small, 100);

	return small ? small : 1;
}

static u32 s3_ghosts(const struct s3fifo *s)
{
	return (u32)vmd_div64((u64)vmd_known_frames(&s->known) * s->ghost, 100);
}

static size_t s3_state_size(u32 slots, u32 frames)
{
	return vmd_known_size(sizeof(struct s3fifo), slots, slots);
}

static void s3_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct s3fifo *s = state;

	vmd_known_init(&s->known, sizeof(*s), slots, frames, slots);
	s->small = (u32)params[S3_P_SMALL];
	s->ghost = (u32)params[S3_P_GHOST];
	s->threshold = (u32)params[S3_P_THRESHOLD];
	s->cap = (u32)params[S3_P_CAP];
	s->fill = (u32)params[S3_P_FILL];
}

/* Where a page goes that has no ghost. */
static u32 s3_new_list(const struct s3fifo *s)
{
	if (s->fill && s->known.nr[S3_SMALL] >= s3_small(s))
		return S3_MAIN;
	return S3_SMALL;
}

static void s3_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct s3fifo *s = state;
	struct vmd_known *k = &s->known;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		vmd_known_restore(k, slot, key, S3_MAIN);
		return;
	}
	vmd_known_unpark_all(k);
	s->begun = false;
	at = vmd_known_ghost(k, key);
	if (at)
		vmd_known_revive(k, at, slot, S3_MAIN);
	else
		at = vmd_known_add(k, slot, key, s3_new_list(s));
	vmd_known_nodes(k)[at].count = 0;
	vmd_known_nodes(k)[at].await = flags & VMD_REF_DEFERRED;
	/* Only now: the page may have been the oldest ghost of all. */
	vmd_known_trim(k, S3_GHOST, s3_ghosts(s));
}

static void s3_touched(void *state, u32 slot, u32 flags)
{
	struct s3fifo *s = state;
	struct vmd_node *node = vmd_known_nodes(&s->known) +
				vmd_known_node(&s->known, slot);

	if (vmd_known_awaited(node))
		return;
	if (node->count < s->threshold || node->count < s->cap)
		node->count++;
}

/* Whose turn it is. */
static bool s3_small_goes(const struct s3fifo *s)
{
	const u32 *nr = s->known.nr;

	return nr[S3_SMALL] && (s->begun || nr[S3_SMALL] >= s3_small(s) ||
				!nr[S3_MAIN]);
}

/* Promote until the small queue's first may go; false: it is empty. */
static bool s3_turn_small(struct s3fifo *s)
{
	struct vmd_known *k = &s->known;
	struct vmd_node *node = vmd_known_nodes(k);
	u32 at;

	s->begun = true;
	while ((at = vmd_known_first(k, S3_SMALL))) {
		if (node[at].count < s->threshold)
			return true;
		node[at].count = 0;
		s->passed++;
		vmd_known_settle(k, at, S3_MAIN);
	}
	return false;
}

/* What a page of the main queue can still pay with. */
static u32 s3_credit(const struct s3fifo *s, const struct vmd_node *node)
{
	return node->count < s->cap ? node->count : s->cap;
}

static void s3_turn_main(struct s3fifo *s)
{
	struct vmd_known *k = &s->known;
	struct vmd_node *node = vmd_known_nodes(k);
	u32 at;

	while ((at = vmd_known_first(k, S3_MAIN)) && node[at].count) {
		node[at].count = s3_credit(s, node + at) - 1;
		s->passed++;
		vmd_known_move(k, at, S3_MAIN);
	}
}

/* Move the queues on until the one to go is the first of its queue. */
static void s3_turn(struct s3fifo *s)
{
	if (!s3_small_goes(s) || !s3_turn_small(s))
		s3_turn_main(s);
}

struct s3_search {
	vmd_policy_visit_t visit;
	void *arg;
	u64 look;		/* pages that may still be looked at */
};

/* The pages of @list that have @low to @high references left. */
static bool s3_scan(const struct s3fifo *s, u32 list, u32 low, u32 high,
		    struct s3_search *search)
{
	const struct vmd_node *node = vmd_known_nodes(&s->known);
	u32 at = node[list].next, left;

	for (; at != list; at = node[at].next) {
		if (!search->look--)
			return false;
		left = list == S3_MAIN ? s3_credit(s, node + at) :
					 node[at].count;
		if (left >= low && left <= high &&
		    !search->visit(search->arg, node[at].slot))
			return false;
	}
	return true;
}

/* The main queue's rounds, from those with @low left on. */
static bool s3_scan_main(const struct s3fifo *s, u32 low,
			 struct s3_search *search)
{
	for (; low <= s->cap; low++) {
		if (!s3_scan(s, S3_MAIN, low, low, search))
			return false;
	}
	return true;
}

static void s3_search(const struct s3fifo *s, vmd_policy_visit_t visit,
		      void *arg, u64 look)
{
	struct s3_search search = { .visit = visit, .arg = arg, .look = look };
	u32 below = s->threshold - 1;

	if (s3_small_goes(s)) {
		if (!s3_scan(s, S3_SMALL, 0, below, &search) ||
		    !s3_scan(s, S3_MAIN, 0, 0, &search) ||
		    !s3_scan(s, S3_SMALL, below + 1, ~0U, &search) ||
		    !s3_scan_main(s, 1, &search))
			return;
	} else {
		if (!s3_scan_main(s, 0, &search) ||
		    !s3_scan(s, S3_SMALL, 0, ~0U, &search))
			return;
	}
	s3_scan(s, VMD_KNOWN_PARKED, 0, ~0U, &search);
}

static u32 s3_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	s3_turn(state);
	s3_search(state, vmd_found_visit, &found, (u64)max * S3_LOOK);
	return found.nr;
}

static void s3_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct s3fifo *s = state;
	struct vmd_known *k = &s->known;
	u32 at = vmd_known_node(k, slot), most = s3_ghosts(s);

	if (why == VMD_REMOVED_EVICTED) {
		s->fill = false;
		s->begun = false;
		s->passed = 0;
	}
	if (why == VMD_REMOVED_EVICTED && most &&
	    vmd_known_nodes(k)[at].home == S3_SMALL) {
		vmd_known_bury(k, at, S3_GHOST);
		vmd_known_trim(k, S3_GHOST, most + 1);
	} else {
		vmd_known_forget(k, at);
	}
}

static void s3_kept(void *state, u32 slot)
{
	struct s3fifo *s = state;

	vmd_known_park(&s->known, vmd_known_node(&s->known, slot));
}

static void s3_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	s3_search(state, visit, arg, ~0ULL);
}

static void s3_resize(void *state, u32 slots, u32 frames)
{
	struct s3fifo *s = state;

	vmd_known_resize(&s->known, slots, frames, slots);
	vmd_known_trim(&s->known, S3_GHOST, s3_ghosts(s));
}

static void s3_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct s3fifo *s = state;
	const struct vmd_known *k = &s->known;
	const struct vmd_node *node;

	node = vmd_known_nodes(k) + vmd_known_node(k, slot);
	why->nr[0] = k->nr[S3_SMALL];
	why->nr[1] = s3_small(s);
	switch (node->list) {
	case S3_SMALL:
		why->code = VMD_WHY_S3_SMALL;
		why->nr[2] = node->count;
		why->nr[3] = s->passed;
		break;
	case S3_MAIN:
		why->code = VMD_WHY_S3_MAIN;
		why->nr[2] = s->passed;
		break;
	default:
		why->code = VMD_WHY_LAST_RESORT;
	}
}

static void s3_queues(const void *state, struct vmd_queue_view *view)
{
	const struct s3fifo *s = state;
	const struct vmd_known *k = &s->known;

	vmd_queue_counted(view, k, S3_SMALL, "small", s3_small(s), "uses");
	vmd_queue_counted(view, k, S3_MAIN, "main", VMD_QUEUE_UNTOLD, "uses");
	vmd_queue_parked(view, k);
	vmd_queue_known(view, k, S3_GHOST, "ghost", s3_ghosts(s), 0);
}

const struct vmd_policy_ops vmd_policy_s3fifo = {
	.name = "s3fifo",
	.text = "S3-FIFO: a small, a main and a ghost queue",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(s3_params),
	.params = s3_params,
	.state_size = s3_state_size,
	.init = s3_init,
	.inserted = s3_inserted,
	.touched = s3_touched,
	.victim = s3_victim,
	.explain = s3_explain,
	.removed = s3_removed,
	.kept = s3_kept,
	.walk = s3_walk,
	.queues = s3_queues,
	.resize = s3_resize,
};
