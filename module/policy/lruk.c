// SPDX-License-Identifier: GPL-2.0-only
/*
 * LRU-K, K = 2: the page goes whose last reference but one is longest ago. Of
 * pages with only one, which go before all others, the one used longest ago.
 *
 * E. J. O'Neil, P. E. O'Neil, G. Weikum, "The LRU-K page replacement algorithm
 * for database disk buffering", SIGMOD 1993, figure 2.1. Time is counted in
 * references. References no more than "crp" after the page's last one (the
 * paper's correlated reference period) belong together with it: they make no
 * history, and the page does not go so soon, unless all others are as young.
 * What is known of a page that went is kept for as many pages as "hist" says,
 * first out first forgotten, instead of for a time.
 *
 * The resident pages are in a search tree (tree.h): as the paper has it, O(log n)
 * for an event. victim() is exact for every max; with crp it passes by as many as
 * are too young, once more for each call.
 *
 * The state is ghost.h's with 24 bytes more for each page and 24 per slot for
 * the tree: 84 bytes per slot, at most 64 per ghost, of which there are at
 * most as many as slots. A page that was kept is parked; one that was restored
 * too, and if nothing is known of it, it has its two references just now.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"
#include "tree.h"

enum { LRUK_PAGES = 1, LRUK_GHOSTS };

enum { LRUK_P_HIST, LRUK_P_CRP };

#define LRUK_TWICE	((u64)1 << 63)

/* When a page was referenced, in references; 0: never. */
struct lruk_hist {
	u64 one;	/* the paper's HIST(p, 1) */
	u64 two;	/* HIST(p, 2) */
	u64 last;	/* LAST(p) */
};

struct lruk {
	struct vmd_known known;
	u64 now;
	u64 crp;
	u32 hist;		/* percent */
	u32 pad;
};

static const struct vmd_policy_param lruk_params[] = {
	{
		.name = "hist",
		.text = "most pages remembered that are gone, % of frames",
		.min = 0,
		.max = 100,
		.def = 100,
	}, {
		.name = "crp",
		.text = "correlated reference period, in references",
		.min = 0,
		.max = 1000000000,
		.def = 0,
	},
};

static size_t lruk_known_size(u32 slots)
{
	return (vmd_known_size(sizeof(struct lruk), slots, slots) + 7) & ~7UL;
}

/* Behind what ghost.h has: the tree, then each node's history. */
static struct vmd_leaf *lruk_leaves(const struct lruk *l)
{
	return vmd_known_behind(&l->known);
}

static struct lruk_hist *lruk_hist(const struct lruk *l, u32 node)
{
	char *leaves = (char *)lruk_leaves(l);

	return (struct lruk_hist *)(leaves + vmd_tree_size(l->known.slots)) +
	       node;
}

static size_t lruk_state_size(u32 slots, u32 frames)
{
	return lruk_known_size(slots) + vmd_tree_size(slots) +
	       vmd_known_nr_nodes(slots, slots) * sizeof(struct lruk_hist);
}

static void lruk_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct lruk *l = state;

	vmd_known_init(&l->known, sizeof(*l), slots, frames, slots);
	l->hist = (u32)params[LRUK_P_HIST];
	l->crp = params[LRUK_P_CRP];
}

static u32 lruk_ghosts(const struct lruk *l)
{
	u64 frames = vmd_known_frames(&l->known);

	return (u32)vmd_div64(frames * l->hist, 100);
}

/* Put the page, which is not in the tree, where its history says. */
static void lruk_join(struct lruk *l, u32 node)
{
	const struct vmd_node *n = vmd_known_nodes(&l->known) + node;
	const struct lruk_hist *h = lruk_hist(l, node);

	vmd_tree_add(lruk_leaves(l), n->slot,
		     h->two ? LRUK_TWICE | h->two : h->last);
}

/* Take the page out, if it is in: the parked are not. */
static void lruk_leave(struct lruk *l, u32 node)
{
	const struct vmd_node *n = vmd_known_nodes(&l->known) + node;

	if (n->list == LRUK_PAGES)
		vmd_tree_del(lruk_leaves(l), n->slot);
}

static void lruk_restored(struct lruk *l, u32 slot, u64 key)
{
	bool known = vmd_known_ghost(&l->known, key);
	struct lruk_hist *h;

	vmd_known_restore(&l->known, slot, key, LRUK_PAGES);
	if (known)
		return;
	h = lruk_hist(l, vmd_known_node(&l->known, slot));
	h->one = ++l->now;
	h->two = h->one;
	h->last = h->one;
}

static void lruk_unpark_all(struct lruk *l)
{
	u32 at;

	while ((at = vmd_known_first(&l->known, VMD_KNOWN_PARKED))) {
		vmd_known_settle(&l->known, at, LRUK_PAGES);
		lruk_join(l, at);
	}
}

static void lruk_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct lruk *l = state;
	struct vmd_known *k = &l->known;
	struct lruk_hist *h;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		lruk_restored(l, slot, key);
		return;
	}
	lruk_unpark_all(l);
	at = vmd_known_ghost(k, key);
	if (at) {
		vmd_known_revive(k, at, slot, LRUK_PAGES);
		h = lruk_hist(l, at);
		h->two = h->one;
	} else {
		at = vmd_known_add(k, slot, key, LRUK_PAGES);
		h = lruk_hist(l, at);
		h->two = 0;
	}
	h->one = ++l->now;
	h->last = h->one;
	vmd_known_nodes(k)[at].await = flags & VMD_REF_DEFERRED;
	lruk_join(l, at);
	/* Only now: the page may have been the oldest ghost of all. */
	vmd_known_trim(k, LRUK_GHOSTS, lruk_ghosts(l));
}

static void lruk_touched(void *state, u32 slot, u32 flags)
{
	struct lruk *l = state;
	u32 at = vmd_known_node(&l->known, slot);
	struct lruk_hist *h = lruk_hist(l, at);

	if (vmd_known_awaited(vmd_known_nodes(&l->known) + at))
		return;
	lruk_leave(l, at);
	l->now++;
	if (l->now - h->last > l->crp) {
		/* HIST(p, 1) and the length of what belongs to it. */
		h->two = h->last;
		h->one = l->now;
	}
	h->last = l->now;
	vmd_known_settle(&l->known, at, LRUK_PAGES);
	lruk_join(l, at);
}

/* Whether a reference that comes now leaves the page's last one alone. */
static bool lruk_old(const struct lruk *l, u32 slot)
{
	const struct lruk_hist *h;

	h = lruk_hist(l, vmd_known_node(&l->known, slot));
	return l->now + 1 - h->last > l->crp;
}

/* In order, those that are old enough, or those that are not. */
static bool lruk_visit(const struct lruk *l, bool old,
		       vmd_policy_visit_t visit, void *arg)
{
	const struct vmd_leaf *leaf = lruk_leaves(l);
	u32 slot = vmd_tree_next(leaf, VMD_NO_SLOT);

	/* Without a period all are. */
	for (; !l->crp && slot != VMD_NO_SLOT; slot = vmd_tree_next(leaf, slot))
		if (!visit(arg, slot))
			return false;
	for (; slot != VMD_NO_SLOT; slot = vmd_tree_next(leaf, slot)) {
		if (lruk_old(l, slot) == old && !visit(arg, slot))
			return false;
	}
	return true;
}

static void lruk_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct lruk *l = state;

	if (!lruk_visit(l, true, visit, arg))
		return;
	if (!l->crp || lruk_visit(l, false, visit, arg))
		vmd_known_walk(&l->known, VMD_KNOWN_PARKED, visit, arg);
}

static u32 lruk_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	lruk_walk(state, vmd_found_visit, &found);
	return found.nr;
}

static void lruk_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct lruk *l = state;
	struct vmd_known *k = &l->known;
	u32 at = vmd_known_node(k, slot), most = lruk_ghosts(l);

	lruk_leave(l, at);
	if (why == VMD_REMOVED_EVICTED && most) {
		vmd_known_bury(k, at, LRUK_GHOSTS);
		vmd_known_trim(k, LRUK_GHOSTS, most + 1);
	} else {
		vmd_known_forget(k, at);
	}
}

static void lruk_kept(void *state, u32 slot)
{
	struct lruk *l = state;
	u32 at = vmd_known_node(&l->known, slot);

	lruk_leave(l, at);
	vmd_known_park(&l->known, at);
}

/* What is last moves first: each part grows into where the next one was. */
static void lruk_resize(void *state, u32 slots, u32 frames)
{
	struct lruk *l = state;
	u32 old = l->known.slots;
	const struct vmd_leaf *leaves = lruk_leaves(l);
	const struct lruk_hist *hist = lruk_hist(l, 0);
	char *to = (char *)l + lruk_known_size(slots);

	memmove(to + vmd_tree_size(slots), hist,
		vmd_known_nr_nodes(old, old) * sizeof(*hist));
	memmove(to, leaves, vmd_tree_size(old));
	vmd_known_resize(&l->known, slots, frames, slots);
	vmd_known_trim(&l->known, LRUK_GHOSTS, lruk_ghosts(l));
}

static void lruk_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct lruk *l = state;
	u32 at = vmd_known_node(&l->known, slot);
	const struct lruk_hist *h = lruk_hist(l, at);

	if (vmd_known_nodes(&l->known)[at].list == VMD_KNOWN_PARKED) {
		why->code = VMD_WHY_LAST_RESORT;
	} else if (h->two) {
		why->code = VMD_WHY_LRUK_TWICE;
		why->nr[0] = l->now - h->two;
	} else {
		why->code = VMD_WHY_LRUK_ONCE;
		why->nr[0] = l->now - h->last;
	}
}

static u32 lruk_look(const void *state, u32 slot, u64 *number)
{
	const struct lruk *l = state;
	const struct lruk_hist *h;

	h = lruk_hist(l, vmd_known_node(&l->known, slot));
	if (!h->two)
		return 0;
	*number = l->now - h->two;
	return VMD_QUEUED_NUMBER;
}

/* With a period of correlated references some that stand first are too young. */
static void lruk_queues(const void *state, struct vmd_queue_view *view)
{
	const struct lruk *l = state;
	const struct vmd_leaf *leaf = lruk_leaves(l);
	struct vmd_queue_slots slots = {
		.view = view,
		.state = l,
		.look = lruk_look,
		.hand = VMD_NO_SLOT,
	};
	u32 slot = vmd_tree_next(leaf, VMD_NO_SLOT);

	view->queue(view, "order", "last but one", l->known.nr[LRUK_PAGES],
		    VMD_QUEUE_UNTOLD);
	while (slot != VMD_NO_SLOT && vmd_queue_slot(&slots, slot))
		slot = vmd_tree_next(leaf, slot);
	vmd_queue_parked(view, &l->known);
	vmd_queue_known(view, &l->known, LRUK_GHOSTS, "history",
			lruk_ghosts(l), 0);
}

const struct vmd_policy_ops vmd_policy_lruk = {
	.name = "lru-k",
	.text = "LRU-2: by the last reference but one",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(lruk_params),
	.params = lruk_params,
	.state_size = lruk_state_size,
	.init = lruk_init,
	.inserted = lruk_inserted,
	.touched = lruk_touched,
	.victim = lruk_victim,
	.explain = lruk_explain,
	.removed = lruk_removed,
	.kept = lruk_kept,
	.walk = lruk_walk,
	.queues = lruk_queues,
	.resize = lruk_resize,
};
