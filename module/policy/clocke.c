// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enhanced CLOCK: a page has a reference bit and a modified bit, and what is
 * neither referenced nor modified goes first, as it need not be written. The
 * hand goes round up to four times, each time from where it stands:
 *
 *	1. the first page with (0, 0) goes; no bit is changed;
 *	2. else the first one with (0, 1) goes; the pages passed by lose their
 *	   reference bit;
 *	3. else, all reference bits being 0 now, as 1.;
 *	4. else as 2., which finds one.
 *
 * W. Stallings, "Operating Systems: Internals and Design Principles", Prentice
 * Hall, section on the clock policy, after the virtual memory of Apple's
 * Macintosh; "enhanced second-chance algorithm" in A. Silberschatz, P. B.
 * Galvin, G. Gagne, "Operating System Concepts", Wiley. CLOCK itself: F. J.
 * Corbató, "A paging experiment with the Multics system", in: In Honor of P. M.
 * Morse, MIT Press, 1969. A new page's bit is 1, as Stallings has it; with
 * "bit=0" it is 0 until the page is used again.
 *
 * The modified bit is set by references that are known to be writes
 * (VMD_REF_WRITE). A policy does not see the hardware's dirty bit, so a write
 * to a page that is mapped already is not known, unless observer "trap" tells
 * of it; nor does it hear that a page was written back: what was written once
 * counts as modified until it leaves. A live switch brings all pages
 * unmodified.
 *
 * Pages with (0, 0) come into being only where the hand has just been: passed
 * by in round 2, or new without the bit. So a list of them, the last one at the
 * end, is in the order in which the hand would meet them, and rounds 1 and 3
 * need not look at the others: O(1) amortised by the bits that round 2 clears.
 * What was proposed stays so until it is touched, kept or removed, or until a
 * page comes: asked again, round 1 would prefer pages that round 2 just
 * cleared.
 *
 * A page that was kept is out of the circle until the next page comes, and is
 * proposed when there is no other; then it is put behind the hand, referenced.
 * So is one that was restored, which counts as modified: most are, as they
 * could not be written.
 *
 * The state is the circle, the lists of the (0, 0) and of the kept, and a byte
 * per slot: 17 bytes per slot. In a victim() of several, those after the first
 * are a guess, by class and then as the hand stands; the search ends after
 * CLOCKE_LOOK slots for each one wanted, and there may be fewer.
 */
#include "lists.h"
#include "queues.h"
#include "table.h"

#define CLOCKE_LOOK	12

enum { CLOCKE_BEST, CLOCKE_PARKED };

/* What is known of a page; the first two together are its class. */
#define CLOCKE_MODIFIED		1
#define CLOCKE_REFERENCED	2
#define CLOCKE_CLASS		(CLOCKE_MODIFIED | CLOCKE_REFERENCED)
#define CLOCKE_OUT		4	/* in the list of the kept */

struct clocke {
	u32 slots;
	u32 bit;			/* of a new page */
	u32 chosen;			/* slot + 1 that was proposed, 0: none */
	u32 passed;			/* whose bit was cleared since one went */
	struct vmd_link link[];		/* slots + 1, the lists, the bytes */
};

static const struct vmd_policy_param clocke_params[] = {
	{
		.name = "bit",
		.text = "reference bit of a new page",
		.min = 0,
		.max = 1,
		.def = 1,
	},
};

static struct vmd_link *clocke_lists(const struct clocke *c)
{
	return (struct vmd_link *)(c->link + c->slots + 1);
}

static u8 *clocke_bits(const struct clocke *c)
{
	return (u8 *)(clocke_lists(c) + c->slots + VMD_LISTS);
}

static size_t clocke_state_size(u32 slots, u32 frames)
{
	return sizeof(struct clocke) + vmd_list_size(slots) +
	       vmd_lists_size(slots) + slots;
}

static void clocke_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct clocke *c = state;

	c->slots = slots;
	c->bit = (u32)params[0];
	vmd_lists_init(clocke_lists(c));
}

/* Put @slot just behind the hand, with @bits. */
static void clocke_join(struct clocke *c, u32 slot, u8 bits)
{
	clocke_bits(c)[slot] = bits;
	vmd_list_add_last(c->link, slot);
	if (!bits)
		vmd_lists_add_last(clocke_lists(c), CLOCKE_BEST, slot);
}

static void clocke_leave(struct clocke *c, u32 slot)
{
	u8 bits = clocke_bits(c)[slot];

	if (c->chosen == slot + 1)
		c->chosen = 0;
	if (bits & CLOCKE_OUT || !bits)
		vmd_lists_del(clocke_lists(c), slot);
	if (!(bits & CLOCKE_OUT))
		vmd_list_del(c->link, slot);
}

static void clocke_park(struct clocke *c, u32 slot, u8 bits)
{
	clocke_bits(c)[slot] = bits | CLOCKE_OUT;
	vmd_lists_add_last(clocke_lists(c), CLOCKE_PARKED, slot);
}

static void clocke_unpark_all(struct clocke *c)
{
	u32 slot;
	u8 bits;

	while ((slot = vmd_lists_first(clocke_lists(c), CLOCKE_PARKED)) !=
	       VMD_NO_SLOT) {
		vmd_lists_del(clocke_lists(c), slot);
		bits = clocke_bits(c)[slot] & CLOCKE_MODIFIED;
		clocke_join(c, slot, bits | CLOCKE_REFERENCED);
	}
}

static void clocke_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct clocke *c = state;
	u8 bits = flags & VMD_REF_WRITE ? CLOCKE_MODIFIED : 0;

	c->chosen = 0;
	if (flags & VMD_REF_RESTORED) {
		clocke_park(c, slot, CLOCKE_MODIFIED);
		return;
	}
	clocke_unpark_all(c);
	if (c->bit && !(flags & VMD_REF_DEFERRED))
		bits |= CLOCKE_REFERENCED;
	clocke_join(c, slot, bits);
}

static void clocke_touched(void *state, u32 slot, u32 flags)
{
	struct clocke *c = state;
	u8 *bits = clocke_bits(c) + slot;

	if (!*bits)
		vmd_lists_del(clocke_lists(c), slot);
	if (c->chosen == slot + 1)
		c->chosen = 0;
	*bits |= CLOCKE_REFERENCED;
	if (flags & VMD_REF_WRITE)
		*bits |= CLOCKE_MODIFIED;
}

/*
 * Round 2: whom it finds, or VMD_NO_SLOT when the hand is back where it was. It
 * is called when there is nobody with (0, 0).
 */
static u32 clocke_clear(struct clocke *c)
{
	u32 slot = vmd_list_first(c->link);
	u8 *bits = clocke_bits(c);

	while (slot != VMD_NO_SLOT && bits[slot] & CLOCKE_REFERENCED) {
		bits[slot] &= CLOCKE_MODIFIED;
		c->passed++;
		if (!bits[slot])
			vmd_lists_add_last(clocke_lists(c), CLOCKE_BEST, slot);
		slot = vmd_list_next(c->link, slot);
	}
	return slot;
}

/* Choose, moving the hand; the circle may be empty. */
static void clocke_choose(struct clocke *c)
{
	u32 slot = vmd_lists_first(clocke_lists(c), CLOCKE_BEST);

	if (slot == VMD_NO_SLOT)
		slot = clocke_clear(c);
	if (slot == VMD_NO_SLOT)
		slot = vmd_lists_first(clocke_lists(c), CLOCKE_BEST);
	if (slot == VMD_NO_SLOT)
		slot = vmd_list_first(c->link);
	if (slot != VMD_NO_SLOT)
		vmd_list_turn(c->link, slot);
	c->chosen = slot + 1;
}

/* Who hears of those found, but for the one chosen, who did first. */
struct clocke_search {
	u32 chosen;
	vmd_policy_visit_t visit;
	void *arg;
};

static bool clocke_found(void *arg, u32 slot)
{
	const struct clocke_search *s = arg;

	return slot + 1 == s->chosen || s->visit(s->arg, slot);
}

/* Those of one class, as the hand would meet them. */
static bool clocke_scan(const struct clocke *c, u8 class,
			struct clocke_search *s, u64 *look)
{
	u32 slot = vmd_list_first(c->link);

	for (; slot != VMD_NO_SLOT; slot = vmd_list_next(c->link, slot)) {
		if (!(*look)--)
			return false;
		if (clocke_bits(c)[slot] == class && !clocke_found(s, slot))
			return false;
	}
	return true;
}

static void clocke_search(const struct clocke *c, vmd_policy_visit_t visit,
			  void *arg, u64 look)
{
	struct clocke_search s = {
		.chosen = c->chosen,
		.visit = visit,
		.arg = arg,
	};
	const struct vmd_link *lists = clocke_lists(c);
	u8 class;

	if (c->chosen && !visit(arg, c->chosen - 1))
		return;
	if (!vmd_lists_walk(lists, CLOCKE_BEST, clocke_found, &s))
		return;
	for (class = 1; class <= CLOCKE_CLASS; class++) {
		if (!clocke_scan(c, class, &s, &look))
			return;
	}
	vmd_lists_walk(lists, CLOCKE_PARKED, visit, arg);
}

static u32 clocke_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };
	struct clocke *c = state;

	if (!c->chosen)
		clocke_choose(c);
	clocke_search(c, vmd_found_visit, &found, (u64)max * CLOCKE_LOOK);
	return found.nr;
}

static void clocke_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct clocke *c = state;

	clocke_leave(c, slot);
	if (why == VMD_REMOVED_EVICTED)
		c->passed = 0;
}

static void clocke_kept(void *state, u32 slot)
{
	struct clocke *c = state;

	clocke_leave(c, slot);
	clocke_park(c, slot, clocke_bits(c)[slot] & CLOCKE_MODIFIED);
}

static void clocke_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	clocke_search(state, visit, arg, ~0ULL);
}

/* What is last moves first: each part grows into where the next one was. */
static void clocke_resize(void *state, u32 slots, u32 frames)
{
	struct clocke *c = state;
	const struct vmd_link *lists = clocke_lists(c);
	const u8 *bits = clocke_bits(c);
	u32 old = c->slots;

	c->slots = slots;
	memmove(clocke_bits(c), bits, old);
	memmove(clocke_lists(c), lists, vmd_lists_size(old));
}

static void clocke_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct clocke *c = state;
	u8 bits = clocke_bits(c)[slot];

	why->code = bits & CLOCKE_OUT ? VMD_WHY_LAST_RESORT :
						VMD_WHY_HAND_CLASS;
	why->nr[0] = !!(bits & CLOCKE_REFERENCED);
	why->nr[1] = !!(bits & CLOCKE_MODIFIED);
	why->nr[2] = c->passed;
}

static u32 clocke_look(const void *state, u32 slot, u64 *number)
{
	u8 bits = clocke_bits(state)[slot];

	return (bits & CLOCKE_REFERENCED ? VMD_QUEUED_REFERENCED : 0) |
	       (bits & CLOCKE_MODIFIED ? VMD_QUEUED_MODIFIED : 0);
}

static void clocke_queues(const void *state, struct vmd_queue_view *view)
{
	const struct clocke *c = state;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = c,
		.look = clocke_look,
		.hand = vmd_list_first(c->link),
	};

	vmd_queue_begin(view, "circle", NULL);
	vmd_list_walk(c->link, vmd_queue_slot, &slots);
	if (vmd_lists_first(clocke_lists(c), CLOCKE_PARKED) == VMD_NO_SLOT)
		return;
	vmd_queue_begin(view, "kept", NULL);
	vmd_lists_walk(clocke_lists(c), CLOCKE_PARKED, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_clocke = {
	.name = "clock-e",
	.text = "enhanced CLOCK: unmodified pages first",
	.nr_params = ARRAY_SIZE(clocke_params),
	.params = clocke_params,
	.state_size = clocke_state_size,
	.init = clocke_init,
	.inserted = clocke_inserted,
	.touched = clocke_touched,
	.victim = clocke_victim,
	.explain = clocke_explain,
	.removed = clocke_removed,
	.kept = clocke_kept,
	.walk = clocke_walk,
	.queues = clocke_queues,
	.resize = clocke_resize,
};
