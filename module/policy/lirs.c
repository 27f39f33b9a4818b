// SPDX-License-Identifier: GPL-2.0-only
/*
 * LIRS: pages that were used again soon, by the number of other pages between,
 * are LIR and stay; the others, HIR, have a small share of the memory, go in
 * the order of their last use and are remembered. Who is used again while still
 * in the stack, that is, sooner than some LIR page, takes that one's place.
 *
 * S. Jiang, X. Zhang, "LIRS: an efficient low inter-reference recency set
 * replacement policy to improve buffer cache performance", SIGMETRICS 2002, and
 * the program that the authors gave out ("lirs.c", 2002): HIR pages have "hir",
 * 1 % of the frames, rounded down, and at least 2; the first pages are LIR until
 * there are as many as may be; a reference of the page that was referenced last
 * means nothing. With "repeat" 1 it is one like the others.
 *
 * The program's stack has no bound to speak of. Here the pages that are gone but
 * in the stack are "hist" % of the frames at most, first out first forgotten.
 *
 * The stack S is a list of ghost.h's, its top last, with pages and ghosts; HIR
 * pages below the lowest LIR one fall out of it and are in another list. Second
 * links put the resident HIR pages in the queue Q and the ghosts in one of
 * their own. 36 bytes per slot and at most 40 per ghost, of which there are at
 * most LIRS_HIST per slot, and 8 for the second links of each.
 *
 * A page that was kept is parked, and at the top of S if it is LIR; one that was
 * restored is parked, where its ghost was, or a HIR page not in S. O(1)
 * amortised; victim() is exact for every max: Q, then LIR pages from the
 * bottom. The search ends after LIRS_LOOK pages of S for each one wanted, so
 * there may be fewer than wanted.
 */
#include "ghost.h"
#include "list.h"
#include "queues.h"
#include "table.h"

#define LIRS_HIST	5		/* ghosts per slot */
#define LIRS_LOOK	32
#define LIRS_LEAST	2		/* HIR pages, if there are frames */

enum { LIRS_S = 1, LIRS_OUT };

/* Second lists, vmd_node.home: their heads have the numbers of heads. */
enum { LIRS_Q, LIRS_GHOSTS, LIRS_PARKED, LIRS_NONE };

enum { LIRS_P_HIR, LIRS_P_HIST, LIRS_P_REPEAT };

struct lirs {
	struct vmd_known known;
	u64 links;		/* where the second links are: too dear to work out */
	u64 last;		/* key of the page referenced last */
	u32 hir;		/* percent */
	u32 hist;		/* percent */
	u32 repeat;
	u32 begun;		/* there is a last */
	u32 nr_lir;
	u32 nr_ghosts;
};

static const struct vmd_policy_param lirs_params[] = {
	{
		.name = "hir",
		.text = "share of HIR pages, % of frames, at least 2 pages",
		.min = 1,
		.max = 100,
		.def = 1,
	}, {
		.name = "hist",
		.text = "most pages remembered that are gone, % of frames",
		.min = 0,
		.max = 100 * LIRS_HIST,
		.def = 100 * LIRS_HIST,
	}, {
		.name = "repeat",
		.text = "1: another reference of the same page counts, too",
		.min = 0,
		.max = 1,
		.def = 0,
	},
};

/* Room for ghosts. */
static u32 lirs_room(u32 slots)
{
	u64 most = (u64)slots * LIRS_HIST, limit = (u32)~0 - 2 * (u64)slots;

	return (u32)(most < limit ? most : limit);
}

static size_t lirs_known_size(u32 slots)
{
	return vmd_known_size(sizeof(struct lirs), slots, lirs_room(slots));
}

static struct vmd_link *lirs_links(const struct lirs *l)
{
	return (struct vmd_link *)((char *)l + l->links);
}

static size_t lirs_links_size(u32 slots)
{
	return vmd_known_nr_nodes(slots, lirs_room(slots)) *
	       sizeof(struct vmd_link);
}

static size_t lirs_state_size(u32 slots, u32 frames)
{
	return lirs_known_size(slots) + lirs_links_size(slots);
}

static void lirs_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct lirs *l = state;
	u32 list;

	vmd_known_init(&l->known, sizeof(*l), slots, frames, lirs_room(slots));
	l->links = lirs_known_size(slots);
	l->hir = (u32)params[LIRS_P_HIR];
	l->hist = (u32)params[LIRS_P_HIST];
	l->repeat = (u32)params[LIRS_P_REPEAT];
	for (list = 0; list < LIRS_NONE; list++)
		lirs_links(l)[list] = (struct vmd_link){ list, list };
}

/* How many LIR pages there may be. */
static u32 lirs_most(const struct lirs *l)
{
	u32 frames = l->known.frames;
	u32 hir = (u32)vmd_div64((u64)frames * l->hir, 100);

	if (hir < LIRS_LEAST)
		hir = LIRS_LEAST;
	return frames > hir ? frames - hir : 0;
}

static u32 lirs_ghosts(const struct lirs *l)
{
	u64 most = (u64)vmd_known_frames(&l->known) * l->hist;

	most = vmd_div64(most, 100);
	return (u32)(most < l->known.ghosts ? most : l->known.ghosts);
}

static struct vmd_node *lirs_node(const struct lirs *l, u32 at)
{
	return vmd_known_nodes(&l->known) + at;
}

/* Put the node, which is in no second list, last in @list. */
static void lirs_link(struct lirs *l, u32 at, u32 list)
{
	struct vmd_link *link = lirs_links(l);
	u32 last = link[list].prev;

	lirs_node(l, at)->home = (u8)list;
	l->nr_ghosts += list == LIRS_GHOSTS;
	link[at] = (struct vmd_link){ .prev = last, .next = list };
	link[last].next = at;
	link[list].prev = at;
}

/* Take the node out of its second list, if it is in one. */
static void lirs_unlink(struct lirs *l, u32 at)
{
	struct vmd_link *link = lirs_links(l);
	struct vmd_node *node = lirs_node(l, at);

	if (node->home == LIRS_NONE)
		return;
	l->nr_ghosts -= node->home == LIRS_GHOSTS;
	node->home = LIRS_NONE;
	link[link[at].prev].next = link[at].next;
	link[link[at].next].prev = link[at].prev;
}

static void lirs_forget(struct lirs *l, u32 at)
{
	lirs_unlink(l, at);
	vmd_known_forget(&l->known, at);
}

static void lirs_trim(struct lirs *l, u32 most)
{
	while (l->nr_ghosts > most)
		lirs_forget(l, lirs_links(l)[LIRS_GHOSTS].next);
}

/* vmd_node.flag: the page is LIR. */
static void lirs_set(struct lirs *l, u32 at, bool lir)
{
	struct vmd_node *node = lirs_node(l, at);

	if (node->flag != lir)
		l->nr_lir += lir ? 1 : -1;
	node->flag = lir;
}

/* The lowest in the stack is LIR. */
static void lirs_prune(struct lirs *l)
{
	struct vmd_known *k = &l->known;
	u32 at;

	while ((at = vmd_known_first(k, LIRS_S)) && !lirs_node(l, at)->flag) {
		if (lirs_node(l, at)->slot == VMD_NO_SLOT)
			lirs_forget(l, at);
		else
			vmd_known_move(k, at, LIRS_OUT);
	}
}

/* As long as there are too many LIR pages, the lowest becomes HIR. */
static void lirs_demote(struct lirs *l)
{
	u32 most = lirs_most(l), at;

	while (l->nr_lir > most) {
		at = vmd_known_first(&l->known, LIRS_S);
		lirs_set(l, at, false);
		vmd_known_move(&l->known, at, LIRS_OUT);
		if (lirs_node(l, at)->home != LIRS_PARKED)
			lirs_link(l, at, LIRS_Q);
		lirs_prune(l);
	}
}

/* The page, resident by now, is referenced. */
static void lirs_reference(struct lirs *l, u32 at)
{
	struct vmd_node *node = lirs_node(l, at);
	bool inside = node->list == LIRS_S;

	l->last = node->key;
	l->begun = true;
	lirs_unlink(l, at);
	vmd_known_move(&l->known, at, LIRS_S);
	if (!node->flag) {
		if (inside || l->nr_lir < lirs_most(l))
			lirs_set(l, at, true);
		else
			lirs_link(l, at, LIRS_Q);
	}
	lirs_prune(l);
	lirs_demote(l);
}

static void lirs_unpark_all(struct lirs *l)
{
	u32 at;

	while ((at = lirs_links(l)[LIRS_PARKED].next) != LIRS_PARKED) {
		lirs_unlink(l, at);
		if (!lirs_node(l, at)->flag)
			lirs_link(l, at, LIRS_Q);
	}
}

/* A node for the page, resident and in no second list. */
static u32 lirs_enter(struct lirs *l, u32 slot, u64 key)
{
	struct vmd_known *k = &l->known;
	u32 at = vmd_known_ghost(k, key);

	if (at) {
		lirs_unlink(l, at);
		vmd_known_unhash(k, at);
		lirs_node(l, at)->slot = slot;
		lirs_node(l, at)->await = false;
		vmd_known_map(k)[slot] = at;
	} else {
		at = vmd_known_add(k, slot, key, LIRS_OUT);
		lirs_node(l, at)->home = LIRS_NONE;
	}
	return at;
}

static void lirs_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct lirs *l = state;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		lirs_link(l, lirs_enter(l, slot, key), LIRS_PARKED);
		return;
	}
	lirs_unpark_all(l);
	at = lirs_enter(l, slot, key);
	lirs_node(l, at)->await = flags & VMD_REF_DEFERRED;
	lirs_reference(l, at);
	/* Only now: the page may have been the oldest ghost of all. */
	lirs_trim(l, lirs_ghosts(l));
}

static void lirs_touched(void *state, u32 slot, u32 flags)
{
	struct lirs *l = state;
	u32 at = vmd_known_node(&l->known, slot);
	struct vmd_node *node = lirs_node(l, at);

	if (vmd_known_awaited(node))
		return;
	if (!l->repeat && l->begun && l->last == node->key)
		return;
	lirs_reference(l, at);
}

/* Give the slots of a second list to @visit; false if it has enough. */
static bool lirs_walk_list(const struct lirs *l, u32 list,
			   vmd_policy_visit_t visit, void *arg)
{
	const struct vmd_link *link = lirs_links(l);
	u32 at = link[list].next;

	for (; at != list; at = link[at].next) {
		if (!visit(arg, lirs_node(l, at)->slot))
			return false;
	}
	return true;
}

static void lirs_search(const struct lirs *l, vmd_policy_visit_t visit,
			void *arg, u64 look)
{
	const struct vmd_node *node = vmd_known_nodes(&l->known);
	u32 at = node[LIRS_S].next;

	if (!lirs_walk_list(l, LIRS_Q, visit, arg))
		return;
	for (; at != LIRS_S; at = node[at].next) {
		if (!look--)
			return;
		if (node[at].flag && node[at].home != LIRS_PARKED &&
		    !visit(arg, node[at].slot))
			return;
	}
	lirs_walk_list(l, LIRS_PARKED, visit, arg);
}

static u32 lirs_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };
	const struct lirs *l = state;

	lirs_search(l, vmd_found_visit, &found, (u64)max * LIRS_LOOK);
	/* Beyond many who are parked. */
	if (!found.nr)
		lirs_search(l, vmd_found_visit, &found, ~0ULL);
	return found.nr;
}

static void lirs_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct lirs *l = state;
	u32 at = vmd_known_node(&l->known, slot), most = lirs_ghosts(l);
	struct vmd_node *node = lirs_node(l, at);

	lirs_unlink(l, at);
	lirs_set(l, at, false);
	if (why == VMD_REMOVED_EVICTED && node->list == LIRS_S && most) {
		node->slot = VMD_NO_SLOT;
		vmd_known_hash(&l->known, at);
		lirs_link(l, at, LIRS_GHOSTS);
		lirs_trim(l, most + 1);
	} else {
		vmd_known_forget(&l->known, at);
	}
	lirs_prune(l);
}

/* A LIR page goes to the top, or those above would be looked for beyond it. */
static void lirs_kept(void *state, u32 slot)
{
	struct lirs *l = state;
	u32 at = vmd_known_node(&l->known, slot);

	lirs_unlink(l, at);
	lirs_link(l, at, LIRS_PARKED);
	if (lirs_node(l, at)->flag) {
		vmd_known_move(&l->known, at, LIRS_S);
		lirs_prune(l);
	}
}

static void lirs_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	lirs_search(state, visit, arg, ~0ULL);
}

/* The second links move first: the rest grows into where they were. */
static void lirs_resize(void *state, u32 slots, u32 frames)
{
	struct lirs *l = state;
	u32 old = l->known.slots;

	memmove((char *)l + lirs_known_size(slots), lirs_links(l),
		lirs_links_size(old));
	l->links = lirs_known_size(slots);
	vmd_known_resize(&l->known, slots, frames, lirs_room(slots));
	lirs_trim(l, lirs_ghosts(l));
}

static void lirs_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct lirs *l = state;
	const struct vmd_node *node;

	node = lirs_node(l, vmd_known_node(&l->known, slot));
	why->nr[0] = l->nr_lir;
	why->nr[1] = lirs_most(l);
	if (node->home == LIRS_PARKED)
		why->code = VMD_WHY_LAST_RESORT;
	else
		why->code = node->flag ? VMD_WHY_LIRS_LIR : VMD_WHY_LIRS_HIR;
}

/* A second list, in which each has the flags of its node. */
static void lirs_queue(const struct lirs *l, struct vmd_queue_view *view,
		       u32 list)
{
	const struct vmd_link *link = lirs_links(l);
	u32 at = link[list].next;

	while (at != list && vmd_queue_node(view, lirs_node(l, at),
					    VMD_QUEUED_HOT, false))
		at = link[at].next;
}

/* The stack is shown from its lowest page; HIR pages may be in Q as well. */
static void lirs_queues(const void *state, struct vmd_queue_view *view)
{
	const struct lirs *l = state;

	vmd_queue_begin(view, "Q", NULL);
	lirs_queue(l, view, LIRS_Q);
	vmd_queue_known(view, &l->known, LIRS_S, "S", VMD_QUEUE_UNTOLD,
			VMD_QUEUED_HOT);
	if (lirs_links(l)[LIRS_PARKED].next == LIRS_PARKED)
		return;
	vmd_queue_begin(view, "kept", NULL);
	lirs_queue(l, view, LIRS_PARKED);
}

const struct vmd_policy_ops vmd_policy_lirs = {
	.name = "lirs",
	.text = "LIRS: by the pages between a page's last two references",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(lirs_params),
	.params = lirs_params,
	.state_size = lirs_state_size,
	.init = lirs_init,
	.inserted = lirs_inserted,
	.touched = lirs_touched,
	.victim = lirs_victim,
	.explain = lirs_explain,
	.removed = lirs_removed,
	.kept = lirs_kept,
	.walk = lirs_walk,
	.queues = lirs_queues,
	.resize = lirs_resize,
};
