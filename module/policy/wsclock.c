// SPDX-License-Identifier: GPL-2.0-only
/*
 * WSClock: the pages stand in a circle, each with a reference bit, a modified
 * bit and the time it was last seen in use. A hand goes round. A page whose bit
 * is set was in use just now: it loses the bit and that is noted. One without
 * is old if that was more than "tau" ago: out of the working set. The first
 * page that is old and not modified goes.
 *
 * R. W. Carr, J. L. Hennessy, "WSClock - a simple and effective algorithm for
 * virtual memory management", SOSP 1981; told in detail by A. S. Tanenbaum,
 * "Modern Operating Systems", Prentice Hall. Their time is the process's own,
 * here it is counted in references that the policy hears of.
 *
 * Their hand has an old page that is modified written, and goes on; when it
 * comes round again the page is written. A policy cannot ask for that, so here
 * the page is only marked, and goes when the hand comes round, if it was not
 * used again: it is written then. If the hand finds nobody in a whole round,
 * theirs waits for the first page whose write is done; here that is the one not
 * used for longest. If no page is old, all of them are the working set, and
 * memory is overcommitted: the paper stops a process, which is not for a
 * policy; Tanenbaum takes any page that is not modified, else one that is. Here
 * it is the one of these not used for longest.
 *
 * The modified bit is set by references that are known to be writes
 * (VMD_REF_WRITE). A policy does not see the hardware's dirty bit, so a write
 * to a page that is mapped already is not known, unless observer "trap" tells
 * of it; nor does it hear that a page was written back: what was written once
 * counts as modified until it leaves. A live switch brings all pages
 * unmodified.
 *
 * Beside the circle, each page is in one of five lists, by its bits and the
 * mark; those not referenced are in order of time. So it is known without a
 * round whether one would find anybody, and all bits are cleared without
 * looking at the other pages. O(1) amortised, but for the pages of the working
 * set that the hand passes by on its way to an old one: at most all of them
 * once, as in the paper, and many only if nearly all are in it. 25 bytes per
 * slot. In a victim() of several, those after the first are a guess: as if
 * nothing were cleared or marked on the way; the search for old pages ends
 * after WS_LOOK slots for each one wanted, and there may be fewer.
 *
 * A page that was kept is out of the circle until the next page comes, and is
 * proposed when there is no other; then it is put behind the hand, referenced.
 * So is one that was restored, which counts as modified: most are, as they
 * could not be written.
 */
#include "lists.h"
#include "queues.h"
#include "table.h"

#define WS_LOOK		8

/* What is known of a page. */
#define WS_MODIFIED	1
#define WS_REFERENCED	2
#define WS_MARKED	4	/* would have been written by now */
#define WS_PARKED	8

/* The lists: of the pages with the same bits, then those of two kinds more. */
enum { WS_LIST_MARKED = 4, WS_LIST_PARKED };

struct wsclock {
	u64 param;			/* tau; 0: frames */
	u64 now;
	u32 slots;
	u32 frames;
	struct vmd_link link[];		/* slots + 1, the lists, the pages */
};

static const struct vmd_policy_param wsclock_params[] = {
	{
		.name = "tau",
		.text = "the working set's window, in references, 0: as many as frames",
		.min = 0,
		.max = 1000000000,
		.def = 0,
	},
};

static struct vmd_link *ws_lists(const struct wsclock *w)
{
	return (struct vmd_link *)(w->link + w->slots + 1);
}

/* When each was last seen in use. */
static u64 *ws_used(const struct wsclock *w)
{
	return (u64 *)(ws_lists(w) + w->slots + VMD_LISTS);
}

static u8 *ws_bits(const struct wsclock *w)
{
	return (u8 *)(ws_used(w) + w->slots);
}

static size_t ws_state_size(u32 slots, u32 frames)
{
	return sizeof(struct wsclock) + vmd_list_size(slots) +
	       vmd_lists_size(slots) + (size_t)slots * (sizeof(u64) + 1);
}

static void ws_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct wsclock *w = state;

	w->slots = slots;
	w->frames = frames;
	w->param = params[0];
	vmd_lists_init(ws_lists(w));
}

/* Put @slot, which is in no list, where @bits say. */
static void ws_list(struct wsclock *w, u32 slot, u8 bits)
{
	u32 list = bits;

	if (bits & WS_PARKED)
		list = WS_LIST_PARKED;
	else if (bits & WS_MARKED)
		list = WS_LIST_MARKED;
	ws_bits(w)[slot] = bits;
	vmd_lists_add_last(ws_lists(w), list, slot);
}

static void ws_move(struct wsclock *w, u32 slot, u8 bits)
{
	vmd_lists_del(ws_lists(w), slot);
	ws_list(w, slot, bits);
}

/* Put @slot just behind the hand. */
static void ws_join(struct wsclock *w, u32 slot, u8 bits)
{
	ws_used(w)[slot] = w->now;
	ws_list(w, slot, bits);
	vmd_list_add_last(w->link, slot);
}

static void ws_leave(struct wsclock *w, u32 slot)
{
	vmd_lists_del(ws_lists(w), slot);
	if (!(ws_bits(w)[slot] & WS_PARKED))
		vmd_list_del(w->link, slot);
}

static void ws_unpark_all(struct wsclock *w)
{
	u32 slot;

	while ((slot = vmd_lists_first(ws_lists(w), WS_LIST_PARKED)) !=
	       VMD_NO_SLOT) {
		vmd_lists_del(ws_lists(w), slot);
		ws_join(w, slot, (ws_bits(w)[slot] & WS_MODIFIED) |
				 WS_REFERENCED);
	}
}

static void ws_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct wsclock *w = state;
	u8 bits = flags & VMD_REF_WRITE ? WS_MODIFIED : 0;

	if (flags & VMD_REF_RESTORED) {
		ws_list(w, slot, WS_MODIFIED | WS_PARKED);
		return;
	}
	ws_unpark_all(w);
	if (!(flags & VMD_REF_DEFERRED)) {
		w->now++;
		bits |= WS_REFERENCED;
	}
	ws_join(w, slot, bits);
}

static void ws_touched(void *state, u32 slot, u32 flags)
{
	struct wsclock *w = state;
	u8 bits = ws_bits(w)[slot];

	w->now++;
	bits = (bits & ~WS_MARKED) | WS_REFERENCED;
	if (flags & VMD_REF_WRITE)
		bits |= WS_MODIFIED;
	if (bits & WS_PARKED)
		ws_bits(w)[slot] = bits;
	else if (bits != ws_bits(w)[slot])
		ws_move(w, slot, bits);
}

/* Whether @slot, whose bit is clear or VMD_NO_SLOT, is out of the window. */
static bool ws_old(const struct wsclock *w, u32 slot)
{
	return slot != VMD_NO_SLOT &&
	       w->now - ws_used(w)[slot] > (w->param ? w->param : w->frames);
}

static u32 ws_first(const struct wsclock *w, u32 list)
{
	return vmd_lists_first(ws_lists(w), list);
}

/* Whether the hand would stop at @slot. */
static bool ws_goes(const struct wsclock *w, u32 slot)
{
	u8 bits = ws_bits(w)[slot];

	return bits & WS_MARKED || (!bits && ws_old(w, slot));
}

/* Whether it would stop anywhere. */
static bool ws_any_goes(const struct wsclock *w)
{
	return ws_first(w, WS_LIST_MARKED) != VMD_NO_SLOT ||
	       ws_old(w, ws_first(w, 0));
}

/* The hand sees that @slot was in use. */
static void ws_clear(struct wsclock *w, u32 slot)
{
	ws_used(w)[slot] = w->now;
	ws_move(w, slot, ws_bits(w)[slot] & WS_MODIFIED);
}

/* The hand passes by @slot, and on to the next one. */
static u32 ws_pass(struct wsclock *w, u32 slot)
{
	u8 bits = ws_bits(w)[slot];

	if (bits & WS_REFERENCED)
		ws_clear(w, slot);
	else if (bits && ws_old(w, slot))
		ws_move(w, slot, WS_MODIFIED | WS_MARKED);
	return vmd_list_next(w->link, slot);
}

/* On to the first one that goes; there is one. */
static u32 ws_sweep(struct wsclock *w)
{
	u32 slot = vmd_list_first(w->link);

	while (!ws_goes(w, slot))
		slot = ws_pass(w, slot);
	return slot;
}

/* A round that finds nobody: what it clears, and who goes. */
static u32 ws_round(struct wsclock *w)
{
	u32 slot;

	while ((slot = ws_first(w, WS_REFERENCED)) != VMD_NO_SLOT)
		ws_clear(w, slot);
	while ((slot = ws_first(w, WS_REFERENCED | WS_MODIFIED)) != VMD_NO_SLOT)
		ws_clear(w, slot);
	while (ws_old(w, slot = ws_first(w, WS_MODIFIED)))
		ws_move(w, slot, WS_MODIFIED | WS_MARKED);
	if (ws_first(w, WS_LIST_MARKED) != VMD_NO_SLOT)
		return ws_first(w, WS_LIST_MARKED);
	return ws_first(w, 0) != VMD_NO_SLOT ? ws_first(w, 0) : slot;
}

static void ws_turn(struct wsclock *w)
{
	u32 slot;

	if (ws_any_goes(w))
		slot = ws_sweep(w);
	else
		slot = ws_round(w);
	if (slot != VMD_NO_SLOT)
		vmd_list_turn(w->link, slot);
}

struct ws_search {
	vmd_policy_visit_t visit;
	void *arg;
	u64 look;		/* slots that may still be looked at */
};

/* Those at which the hand would stop. */
static bool ws_scan(const struct wsclock *w, struct ws_search *s)
{
	u32 slot = vmd_list_first(w->link);

	if (!ws_any_goes(w))
		return true;
	for (; slot != VMD_NO_SLOT; slot = vmd_list_next(w->link, slot)) {
		if (!s->look--)
			return false;
		if (ws_goes(w, slot) && !s->visit(s->arg, slot))
			return false;
	}
	return true;
}

/* Those in @list that are old, or not: the old are in front. */
static bool ws_part(const struct wsclock *w, u32 list, bool old,
		    const struct ws_search *s)
{
	u32 slot = ws_first(w, list);

	while (!old && ws_old(w, slot))
		slot = vmd_lists_next(ws_lists(w), slot);
	for (; slot != VMD_NO_SLOT && ws_old(w, slot) == old;
	     slot = vmd_lists_next(ws_lists(w), slot)) {
		if (!s->visit(s->arg, slot))
			return false;
	}
	return true;
}

static void ws_search(const struct wsclock *w, vmd_policy_visit_t visit,
		      void *arg, u64 look)
{
	const struct vmd_link *lists = ws_lists(w);
	struct ws_search s = { .visit = visit, .arg = arg, .look = look };

	if (ws_scan(w, &s) &&
	    ws_part(w, WS_MODIFIED, true, &s) &&
	    ws_part(w, 0, false, &s) &&
	    vmd_lists_walk(lists, WS_REFERENCED, visit, arg) &&
	    ws_part(w, WS_MODIFIED, false, &s) &&
	    vmd_lists_walk(lists, WS_REFERENCED | WS_MODIFIED, visit, arg))
		vmd_lists_walk(lists, WS_LIST_PARKED, visit, arg);
}

static u32 ws_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };
	struct wsclock *w = state;

	ws_turn(w);
	ws_search(w, vmd_found_visit, &found, (u64)max * WS_LOOK);
	return found.nr;
}

static void ws_removed(void *state, u32 slot, enum vmd_removal why)
{
	ws_leave(state, slot);
}

static void ws_kept(void *state, u32 slot)
{
	struct wsclock *w = state;

	ws_leave(w, slot);
	ws_list(w, slot, (ws_bits(w)[slot] & WS_MODIFIED) | WS_PARKED);
}

static void ws_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	ws_search(state, visit, arg, ~0ULL);
}

/* What is last moves first: each part grows into where the next one was. */
static void ws_resize(void *state, u32 slots, u32 frames)
{
	struct wsclock *w = state;
	const struct vmd_link *lists = ws_lists(w);
	const u64 *used = ws_used(w);
	const u8 *bits = ws_bits(w);
	u32 old = w->slots;

	w->slots = slots;
	w->frames = frames;
	memmove(ws_bits(w), bits, old);
	memmove(ws_used(w), used, (size_t)old * sizeof(*used));
	memmove(ws_lists(w), lists, vmd_lists_size(old));
}

static void ws_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct wsclock *w = state;
	u8 bits = ws_bits(w)[slot];

	why->nr[0] = w->now - ws_used(w)[slot];
	why->nr[1] = w->param ? w->param : w->frames;
	why->nr[2] = !!(bits & WS_MODIFIED);
	if (bits & WS_PARKED)
		why->code = VMD_WHY_LAST_RESORT;
	else if (bits & WS_MARKED)
		why->code = VMD_WHY_OUT_OF_WS_DIRTY;
	else
		why->code = ws_goes(w, slot) ? VMD_WHY_OUT_OF_WS :
					       VMD_WHY_IN_WS;
}

static u32 ws_look(const void *state, u32 slot, u64 *number)
{
	const struct wsclock *w = state;
	u8 bits = ws_bits(w)[slot];

	*number = w->now - ws_used(w)[slot];
	return (bits & WS_REFERENCED ? VMD_QUEUED_REFERENCED : 0) |
	       (bits & WS_MODIFIED ? VMD_QUEUED_MODIFIED : 0) |
	       (bits & WS_PARKED ? 0 : VMD_QUEUED_NUMBER);
}

static void ws_queues(const void *state, struct vmd_queue_view *view)
{
	const struct wsclock *w = state;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = w,
		.look = ws_look,
		.hand = vmd_list_first(w->link),
	};

	vmd_queue_begin(view, "circle", "age");
	vmd_list_walk(w->link, vmd_queue_slot, &slots);
	if (ws_first(w, WS_LIST_PARKED) == VMD_NO_SLOT)
		return;
	vmd_queue_begin(view, "kept", NULL);
	vmd_lists_walk(ws_lists(w), WS_LIST_PARKED, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_wsclock = {
	.name = "wsclock",
	.text = "WSClock: the first one out of the working set",
	.nr_params = ARRAY_SIZE(wsclock_params),
	.params = wsclock_params,
	.state_size = ws_state_size,
	.init = ws_init,
	.inserted = ws_inserted,
	.touched = ws_touched,
	.victim = ws_victim,
	.explain = ws_explain,
	.removed = ws_removed,
	.kept = ws_kept,
	.walk = ws_walk,
	.queues = ws_queues,
	.resize = ws_resize,
};
