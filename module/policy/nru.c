// SPDX-License-Identifier: GPL-2.0-only
/*
 * NRU, not recently used: a page has a reference bit and a modified bit; every
 * now and then all reference bits are cleared. A page of the lowest class goes:
 *
 *	0. not referenced, not modified;
 *	1. not referenced, modified;
 *	2. referenced, not modified;
 *	3. referenced, modified.
 *
 * A. S. Tanenbaum, "Modern Operating Systems", Prentice Hall, chapter "Memory
 * management". There a clock clears the bits, every 20 ms or so; here it is
 * after every "period" references the policy hears of. There one of the class
 * is drawn; here it is the one that has been unmodified, or modified, for
 * longest: the oldest of those not modified, the first to be written of the
 * others.
 *
 * The modified bit is set by references that are known to be writes
 * (VMD_REF_WRITE). A policy does not see the hardware's dirty bit, so a write
 * to a page that is mapped already is not known, unless observer "trap" tells
 * of it; nor does it hear that a page was written back: what was written once
 * counts as modified until it leaves. A live switch brings all pages
 * unmodified.
 *
 * The state is a queue of the unmodified and one of the modified, and for each
 * slot in which period it was referenced last: clearing all bits is counting
 * the period. 16 bytes per slot. In each queue all up to "done" are referenced,
 * so the search for one that is not begins there: O(1) amortised, as each one
 * passed by was referenced in this period. In a victim() of several, all are
 * what would go next, exactly; the search ends after NRU_LOOK slots for each
 * one wanted, and there may be fewer.
 *
 * A page that was kept is in no queue until the next page comes, and is
 * proposed when there is no other; then it goes to the end of its queue,
 * referenced. So does one that was restored, which counts as modified: most
 * are, as they could not be written.
 */
#include "lists.h"
#include "queues.h"
#include "table.h"

#define NRU_LOOK	8

enum { NRU_CLEAN, NRU_DIRTY, NRU_PARKED };

/* A slot's word: the list it is in; whether it is modified; the period + 1. */
#define NRU_PARK	1
#define NRU_MODIFIED	2
#define NRU_SHIFT	2

struct nru {
	u32 slots;
	u32 frames;
	u64 param;			/* references in a period; 0: frames */
	u64 seen;			/* of them in this one */
	u64 now;			/* the period */
	u32 done[2];			/* of a queue; VMD_NO_SLOT: none */
	struct vmd_link link[];		/* the lists, then a word per slot */
};

static const struct vmd_policy_param nru_params[] = {
	{
		.name = "period",
		.text = "references after which bits are cleared, 0: as many as frames",
		.min = 0,
		.max = 1000000000,
		.def = 0,
	},
};

static u64 *nru_words(const struct nru *n)
{
	return (u64 *)(n->link + n->slots + VMD_LISTS);
}

static bool nru_referenced(const struct nru *n, u32 slot)
{
	return nru_words(n)[slot] >> NRU_SHIFT == n->now;
}

static size_t nru_state_size(u32 slots, u32 frames)
{
	return sizeof(struct nru) + vmd_lists_size(slots) +
	       (size_t)slots * sizeof(u64);
}

/* All reference bits are 0. */
static void nru_clear(struct nru *n)
{
	n->now++;
	n->seen = 0;
	n->done[NRU_CLEAN] = VMD_NO_SLOT;
	n->done[NRU_DIRTY] = VMD_NO_SLOT;
}

static void nru_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct nru *n = state;

	n->slots = slots;
	n->frames = frames;
	n->param = params[0];
	vmd_lists_init(n->link);
	nru_clear(n);
}

/* Put @slot, with the bits in @word, where it belongs. */
static void nru_join(struct nru *n, u32 slot, u64 word)
{
	u32 list = word & NRU_MODIFIED ? NRU_DIRTY : NRU_CLEAN;

	nru_words(n)[slot] = word;
	vmd_lists_add_last(n->link, word & NRU_PARK ? NRU_PARKED : list, slot);
}

static void nru_leave(struct nru *n, u32 slot)
{
	u32 list;

	for (list = 0; list < ARRAY_SIZE(n->done); list++) {
		if (n->done[list] == slot)
			n->done[list] = vmd_lists_prev(n->link, slot);
	}
	vmd_lists_del(n->link, slot);
}

/* A reference was heard of. */
static void nru_count(struct nru *n)
{
	if (++n->seen >= (n->param ? n->param : n->frames))
		nru_clear(n);
}

static void nru_unpark_all(struct nru *n)
{
	u32 slot;
	u64 word;

	while ((slot = vmd_lists_first(n->link, NRU_PARKED)) != VMD_NO_SLOT) {
		vmd_lists_del(n->link, slot);
		word = nru_words(n)[slot] & NRU_MODIFIED;
		nru_join(n, slot, word | n->now << NRU_SHIFT);
	}
}

static void nru_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct nru *n = state;
	u64 word = flags & VMD_REF_WRITE ? NRU_MODIFIED : 0;

	if (flags & VMD_REF_RESTORED) {
		nru_join(n, slot, NRU_MODIFIED | NRU_PARK);
		return;
	}
	nru_unpark_all(n);
	if (flags & VMD_REF_DEFERRED) {
		nru_join(n, slot, word);
		return;
	}
	nru_join(n, slot, word | n->now << NRU_SHIFT);
	nru_count(n);
}

static void nru_touched(void *state, u32 slot, u32 flags)
{
	struct nru *n = state;
	u64 old = nru_words(n)[slot], word = old;

	word &= NRU_PARK | NRU_MODIFIED;
	word |= n->now << NRU_SHIFT;
	if (flags & VMD_REF_WRITE)
		word |= NRU_MODIFIED;
	if ((word ^ old) & NRU_MODIFIED && !(word & NRU_PARK)) {
		nru_leave(n, slot);
		nru_join(n, slot, word);
	} else {
		nru_words(n)[slot] = word;
	}
	nru_count(n);
}

/* The first one of the queue that may not be referenced. */
static u32 nru_start(const struct nru *n, u32 list)
{
	if (n->done[list] == VMD_NO_SLOT)
		return vmd_lists_first(n->link, list);
	return vmd_lists_next(n->link, n->done[list]);
}

/* Pass by those that are referenced. */
static void nru_pass(struct nru *n, u32 list)
{
	u32 slot = nru_start(n, list);

	while (slot != VMD_NO_SLOT && nru_referenced(n, slot)) {
		n->done[list] = slot;
		slot = vmd_lists_next(n->link, slot);
	}
}

struct nru_search {
	vmd_policy_visit_t visit;
	void *arg;
	u64 look;		/* slots that may still be looked at */
};

/* Those of one class. */
static bool nru_scan(const struct nru *n, u32 list, bool referenced,
		     struct nru_search *s)
{
	u32 slot = referenced ? vmd_lists_first(n->link, list) :
				nru_start(n, list);

	for (; slot != VMD_NO_SLOT; slot = vmd_lists_next(n->link, slot)) {
		if (!s->look--)
			return false;
		if (nru_referenced(n, slot) == referenced &&
		    !s->visit(s->arg, slot))
			return false;
	}
	return true;
}

static void nru_search(const struct nru *n, vmd_policy_visit_t visit,
		       void *arg, u64 look)
{
	struct nru_search s = { .visit = visit, .arg = arg, .look = look };

	if (nru_scan(n, NRU_CLEAN, false, &s) &&
	    nru_scan(n, NRU_DIRTY, false, &s) &&
	    nru_scan(n, NRU_CLEAN, true, &s) &&
	    nru_scan(n, NRU_DIRTY, true, &s))
		vmd_lists_walk(n->link, NRU_PARKED, visit, arg);
}

static u32 nru_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };
	struct nru *n = state;

	nru_pass(n, NRU_CLEAN);
	nru_pass(n, NRU_DIRTY);
	nru_search(n, vmd_found_visit, &found, (u64)max * NRU_LOOK);
	return found.nr;
}

static void nru_removed(void *state, u32 slot, enum vmd_removal why)
{
	nru_leave(state, slot);
}

static void nru_kept(void *state, u32 slot)
{
	struct nru *n = state;

	nru_leave(n, slot);
	nru_join(n, slot, (nru_words(n)[slot] & NRU_MODIFIED) | NRU_PARK);
}

static void nru_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	nru_search(state, visit, arg, ~0ULL);
}

/* The links grow into where the words were. */
static void nru_resize(void *state, u32 slots, u32 frames)
{
	struct nru *n = state;
	const u64 *words = nru_words(n);
	u32 old = n->slots;

	n->slots = slots;
	n->frames = frames;
	memmove(nru_words(n), words, (size_t)old * sizeof(*words));
}

static void nru_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct nru *n = state;
	u64 word = nru_words(n)[slot];

	why->code = word & NRU_PARK ? VMD_WHY_LAST_RESORT : VMD_WHY_CLASS;
	why->nr[0] = nru_referenced(n, slot);
	why->nr[1] = !!(word & NRU_MODIFIED);
}

static u32 nru_look(const void *state, u32 slot, u64 *number)
{
	return (nru_referenced(state, slot) ? VMD_QUEUED_REFERENCED : 0) |
	       (nru_words(state)[slot] & NRU_MODIFIED ? VMD_QUEUED_MODIFIED : 0);
}

static void nru_queues(const void *state, struct vmd_queue_view *view)
{
	static const char * const names[] = {
		[NRU_CLEAN] = "unmodified",
		[NRU_DIRTY] = "modified",
		[NRU_PARKED] = "kept",
	};
	const struct nru *n = state;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = n,
		.look = nru_look,
		.hand = VMD_NO_SLOT,
	};
	u32 list;

	for (list = 0; list < ARRAY_SIZE(names); list++) {
		vmd_queue_begin(view, names[list], NULL);
		vmd_lists_walk(n->link, list, vmd_queue_slot, &slots);
	}
}

const struct vmd_policy_ops vmd_policy_nru = {
	.name = "nru",
	.text = "not recently used: by class, referenced and modified",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(nru_params),
	.params = nru_params,
	.state_size = nru_state_size,
	.init = nru_init,
	.inserted = nru_inserted,
	.touched = nru_touched,
	.victim = nru_victim,
	.explain = nru_explain,
	.removed = nru_removed,
	.kept = nru_kept,
	.walk = nru_walk,
	.queues = nru_queues,
	.resize = nru_resize,
};
