// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of Linux's multi-generational LRU: pages are in generations, of which
 * the youngest gets those that come and those that are found used. Aging begins
 * a new youngest one; eviction takes from the oldest, first in first out, and
 * when that is empty the next one is the oldest.
 *
 * Yu Zhao, "mm: multi-gen LRU", Linux 6.1, 2022; Documentation/mm/multigen_lru.rst
 * and Documentation/admin-guide/mm/multigen_lru.rst there. What is modelled:
 *
 *  - A used page gets the number of the youngest generation and stays where it
 *    stands; the eviction, when it meets it, puts it last in the generation
 *    whose number it has. A use costs one byte written, and each move is paid
 *    for by a use. (There, the number is set by aging, which walks the page
 *    tables, and by what the eviction finds around an accessed page; here every
 *    use is seen at once.)
 *  - The two youngest generations are not evicted from. With fewer than one
 *    below them, eviction has to age. With one, and as long as there may be
 *    more, it ages as well if more than half of the pages are in the youngest
 *    generation, or fewer than a quarter in the third youngest.
 *
 * Not modelled: the two types of pages and swappiness between them, tiers of
 * pages used through file descriptors and the feedback of their refaults, the
 * Bloom filters and the walks (they find out what touched() tells), a working
 * set kept for a time. "new" 1 is for pages that were mapped: they begin in the
 * youngest generation; 0 for pages that were read: they begin in the oldest, and
 * nothing but a use takes them out of it.
 *
 * The state is a list of each generation, two bytes and 8 of links: 10 bytes per
 * slot; no ghosts. A page that was kept or restored is parked: it is in no
 * generation and goes when there is nobody else; the next page that comes sends
 * all back to the youngest. O(1) amortised. victim() of several is exact as far
 * as MGLRU_LOOK slots of each generation for each one wanted tell; there may be
 * fewer than wanted.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

#define MGLRU_MOST	8		/* generations */
#define MGLRU_PARKED	MGLRU_MOST	/* the list behind theirs */
#define MGLRU_LISTS	(MGLRU_MOST + 1)
#define MGLRU_SAFE	2		/* the youngest, which nothing leaves */
#define MGLRU_LOOK	4

enum { MGLRU_P_GENS, MGLRU_P_NEW };

struct mglru_page {
	u8 gen;		/* the list of its generation, or MGLRU_PARKED */
	u8 await;	/* the reference that brought it is to be reported */
};

/* A list's head is the link of its number, a slot's is MGLRU_LISTS above. */
struct mglru {
	u32 slots;
	u32 gens;			/* most there may be */
	u32 have;			/* how many there are */
	u32 oldest;			/* its list; the next one's is behind */
	u32 youngest;			/* its list */
	u32 fresh;			/* new pages begin in the youngest */
	u32 total;			/* pages in all generations */
	u32 nr[MGLRU_MOST];		/* pages that have the number */
	struct vmd_link link[];		/* then a struct mglru_page per slot */
};

static const struct vmd_policy_param mglru_params[] = {
	{
		.name = "gens",
		.text = "most generations",
		.min = MGLRU_SAFE + 1,
		.max = MGLRU_MOST,
		.def = 4,
	}, {
		.name = "new",
		.text = "a new page is in the 1: youngest, 0: oldest generation",
		.min = 0,
		.max = 1,
		.def = 1,
	},
};

static struct mglru_page *mglru_pages(const struct mglru *m)
{
	return (struct mglru_page *)(m->link + m->slots + MGLRU_LISTS);
}

static size_t mglru_state_size(u32 slots, u32 frames)
{
	return sizeof(struct mglru) +
	       ((size_t)slots + MGLRU_LISTS) * sizeof(struct vmd_link) +
	       (size_t)slots * sizeof(struct mglru_page);
}

static void mglru_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct mglru *m = state;
	u32 list;

	m->slots = slots;
	m->gens = (u32)params[MGLRU_P_GENS];
	m->fresh = (u32)params[MGLRU_P_NEW];
	m->have = MGLRU_SAFE + 1;
	m->youngest = MGLRU_SAFE;
	for (list = 0; list < MGLRU_LISTS; list++)
		m->link[list] = (struct vmd_link){ list, list };
}

/* The list of the generation that is @nr younger than the oldest. */
static u32 mglru_list(const struct mglru *m, u32 nr)
{
	u32 list = m->oldest + nr;

	return list < m->gens ? list : list - m->gens;
}

/* The slot behind the link @at; VMD_NO_SLOT where that is the last one. */
static u32 mglru_next(const struct mglru *m, u32 at)
{
	u32 next = m->link[at].next;

	return next < MGLRU_LISTS ? VMD_NO_SLOT : next - MGLRU_LISTS;
}

static void mglru_unlink(struct mglru *m, u32 slot)
{
	struct vmd_link me = m->link[slot + MGLRU_LISTS];

	m->link[me.prev].next = me.next;
	m->link[me.next].prev = me.prev;
}

/* Put @slot, which is in no list, last in @list. */
static void mglru_link(struct mglru *m, u32 slot, u32 list)
{
	u32 me = slot + MGLRU_LISTS, last = m->link[list].prev;

	m->link[me] = (struct vmd_link){ .prev = last, .next = list };
	m->link[last].next = me;
	m->link[list].prev = me;
}

/* Into a generation as its last, or among the parked. */
static void mglru_enter(struct mglru *m, u32 slot, u32 list)
{
	mglru_pages(m)[slot].gen = (u8)list;
	mglru_link(m, slot, list);
	if (list == MGLRU_PARKED)
		return;
	m->nr[list]++;
	m->total++;
}

static void mglru_leave(struct mglru *m, u32 slot)
{
	u32 list = mglru_pages(m)[slot].gen;

	mglru_unlink(m, slot);
	if (list == MGLRU_PARKED)
		return;
	m->nr[list]--;
	m->total--;
}

static void mglru_unpark_all(struct mglru *m)
{
	u32 slot;

	while ((slot = mglru_next(m, MGLRU_PARKED)) != VMD_NO_SLOT) {
		mglru_leave(m, slot);
		mglru_enter(m, slot, m->youngest);
	}
}

static void mglru_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct mglru *m = state;

	mglru_pages(m)[slot].await = !!(flags & VMD_REF_DEFERRED);
	if (flags & VMD_REF_RESTORED) {
		mglru_pages(m)[slot].await = false;
		mglru_enter(m, slot, MGLRU_PARKED);
		return;
	}
	mglru_unpark_all(m);
	mglru_enter(m, slot, m->fresh ? m->youngest : m->oldest);
}

static void mglru_touched(void *state, u32 slot, u32 flags)
{
	struct mglru *m = state;
	struct mglru_page *page = mglru_pages(m) + slot;

	if (page->await) {
		page->await = false;
		return;
	}
	if (page->gen == m->youngest)
		return;
	if (page->gen == MGLRU_PARKED) {
		mglru_leave(m, slot);
		mglru_enter(m, slot, m->youngest);
		return;
	}
	m->nr[page->gen]--;
	m->nr[m->youngest]++;
	page->gen = (u8)m->youngest;
}

/* Whether there is to be a new generation before one is evicted from. */
static bool mglru_must_age(const struct mglru *m)
{
	u64 young, old;

	if (m->have <= MGLRU_SAFE)
		return true;
	if (m->have == m->gens)
		return false;
	young = m->nr[m->youngest];
	old = m->nr[mglru_list(m, m->have - 1 - MGLRU_SAFE)];
	return 2 * young > m->total || 4 * old < m->total;
}

/* Until the first one of the oldest generation is one to go. */
static void mglru_turn(struct mglru *m)
{
	u32 slot;

	while (m->total) {
		if (mglru_must_age(m)) {
			m->youngest = mglru_list(m, m->have++);
			continue;
		}
		slot = mglru_next(m, m->oldest);
		if (slot == VMD_NO_SLOT) {
			m->oldest = mglru_list(m, 1);
			m->have--;
			continue;
		}
		if (mglru_pages(m)[slot].gen == m->oldest)
			return;
		mglru_unlink(m, slot);
		mglru_link(m, slot, mglru_pages(m)[slot].gen);
	}
}

/* What a look at the slots has found, and how many more it may look at. */
struct mglru_look {
	u64 left;
	vmd_policy_visit_t visit;
	void *arg;
};

/* Those in list @from that belong to @gen; false if this was all. */
static bool mglru_visit(const struct mglru *m, u32 from, u32 gen,
			struct mglru_look *look)
{
	u32 slot = mglru_next(m, from);

	for (; slot != VMD_NO_SLOT; slot = mglru_next(m, slot + MGLRU_LISTS)) {
		if (!look->left--)
			return false;
		if (mglru_pages(m)[slot].gen == gen &&
		    !look->visit(look->arg, slot))
			return false;
	}
	return true;
}

/* Each generation: who stands there, then who will be put there, in turn. */
static void mglru_order(const struct mglru *m, struct mglru_look *look)
{
	u32 nr, from, gen;

	for (nr = 0; nr < m->have; nr++) {
		gen = mglru_list(m, nr);
		if (!mglru_visit(m, gen, gen, look))
			return;
		for (from = 0; from < nr; from++) {
			if (!mglru_visit(m, mglru_list(m, from), gen, look))
				return;
		}
	}
	mglru_visit(m, MGLRU_PARKED, MGLRU_PARKED, look);
}

/* A visitor that fills an array. */
struct mglru_found {
	u32 *out;
	u32 nr;
	u32 max;
};

static bool mglru_found_visit(void *arg, u32 slot)
{
	struct mglru_found *found = arg;

	found->out[found->nr++] = slot;
	return found->nr < found->max;
}

static u32 mglru_victim(void *state, u32 *out, u32 max)
{
	struct mglru_found found = { .out = out, .max = max };
	struct mglru *m = state;
	struct mglru_look look = {
		.left = (u64)max * MGLRU_LOOK * m->gens,
		.visit = mglru_found_visit,
		.arg = &found,
	};

	mglru_turn(m);
	mglru_order(m, &look);
	return found.nr;
}

static void mglru_removed(void *state, u32 slot, enum vmd_removal why)
{
	mglru_leave(state, slot);
}

static void mglru_kept(void *state, u32 slot)
{
	mglru_leave(state, slot);
	mglru_enter(state, slot, MGLRU_PARKED);
}

static void mglru_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	struct mglru_look look = {
		.left = ~0ULL,
		.visit = visit,
		.arg = arg,
	};

	mglru_order(state, &look);
}

/* The links grow into where the pages were. */
static void mglru_resize(void *state, u32 slots, u32 frames)
{
	struct mglru *m = state;
	const struct mglru_page *from = mglru_pages(m);
	size_t bytes = (size_t)m->slots * sizeof(*from);

	m->slots = slots;
	memmove(mglru_pages(m), from, bytes);
}

static void mglru_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct mglru *m = state;
	u32 gen = mglru_pages(m)[slot].gen;

	if (gen == MGLRU_PARKED) {
		why->code = VMD_WHY_LAST_RESORT;
		return;
	}
	why->code = VMD_WHY_GENERATION;
	why->nr[0] = m->have;
	why->nr[1] = m->nr[gen];
}

/* Who was used is in a younger generation already, and stands here still. */
static void mglru_show(const struct mglru *m, u32 list,
		       struct vmd_queue_view *view)
{
	u32 slot = mglru_next(m, list), flags;

	for (; slot != VMD_NO_SLOT; slot = mglru_next(m, slot + MGLRU_LISTS)) {
		flags = mglru_pages(m)[slot].gen == list ? 0 :
							   VMD_QUEUED_REFERENCED;
		if (!view->page(view, slot, 0, flags, 0))
			return;
	}
}

static void mglru_queues(const void *state, struct vmd_queue_view *view)
{
	static const char * const names[MGLRU_MOST] = {
		"oldest", "second oldest", "third oldest", "fourth oldest",
		"fifth oldest", "sixth oldest", "seventh oldest", "eighth",
	};
	const struct mglru *m = state;
	u32 nr;

	for (nr = 0; nr < m->have; nr++) {
		vmd_queue_begin(view, names[nr], NULL);
		mglru_show(m, mglru_list(m, nr), view);
	}
	if (mglru_next(m, MGLRU_PARKED) == VMD_NO_SLOT)
		return;
	vmd_queue_begin(view, "kept", NULL);
	mglru_show(m, MGLRU_PARKED, view);
}

const struct vmd_policy_ops vmd_policy_mglru = {
	.name = "mglru",
	.text = "a model of Linux's multi-generational LRU",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(mglru_params),
	.params = mglru_params,
	.state_size = mglru_state_size,
	.init = mglru_init,
	.inserted = mglru_inserted,
	.touched = mglru_touched,
	.victim = mglru_victim,
	.explain = mglru_explain,
	.removed = mglru_removed,
	.kept = mglru_kept,
	.walk = mglru_walk,
	.queues = mglru_queues,
	.resize = mglru_resize,
};
