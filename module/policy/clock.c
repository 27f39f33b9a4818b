// SPDX-License-Identifier: GPL-2.0-only
/*
 * CLOCK, or second chance: the pages stand in a circle, a hand goes round. A
 * page whose reference bit is set loses the bit and is passed by; the first
 * one found without it goes, and the new page takes its place, just behind
 * the hand.
 *
 * F. J. Corbató, "A paging experiment with the Multics system", in: In Honor
 * of P. M. Morse, MIT Press, 1969. A new page's bit is 0 in "clock", as in
 * most simulators, and 1 in "clock-a", as in hardware, where the access that
 * brought the page is a reference itself (Tanenbaum's "Modern Operating
 * Systems" tells it so).
 *
 * The state is one list and a bitmap: 8 bytes and a bit per slot. The head of
 * the list *is* the hand: the first slot is what it points at, the last one
 * what lies just behind it, and to move the hand on is to make the first the
 * last.
 *
 * victim() of one is the textbook's, O(1) amortised by the bits it clears.
 * The further ones are what the hand would find next, exactly; the search
 * clears no bits, so it ends after CLOCK_LOOK slots for each one wanted, and
 * there may be fewer than wanted.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

#define CLOCK_LOOK	8

struct clock {
	u32 slots;
	u32 passed;			/* by the hand since the last one went */
	struct vmd_link link[];		/* slots + 1, then the bitmap */
};

static size_t clock_bitmap_size(u32 slots)
{
	return ((size_t)slots + 31) / 32 * sizeof(u32);
}

static const u32 *clock_bitmap(const struct clock *c)
{
	return (const u32 *)(c->link + c->slots + 1);
}

static bool clock_bit(const struct clock *c, u32 slot)
{
	return clock_bitmap(c)[slot / 32] >> slot % 32 & 1;
}

static void clock_set_bit(struct clock *c, u32 slot, bool on)
{
	u32 *word = (u32 *)(c->link + c->slots + 1) + slot / 32;
	u32 mask = (u32)1 << slot % 32;

	*word = on ? *word | mask : *word & ~mask;
}

static size_t clock_state_size(u32 slots, u32 frames)
{
	return sizeof(struct clock) + vmd_list_size(slots) +
	       clock_bitmap_size(slots);
}

static void clock_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct clock *c = state;

	c->slots = slots;
}

static void clock_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct clock *c = state;

	vmd_list_add_last(c->link, slot);
	clock_set_bit(c, slot, false);
}

static void clock_a_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct clock *c = state;

	vmd_list_add_last(c->link, slot);
	clock_set_bit(c, slot,
		      !(flags & (VMD_REF_DEFERRED | VMD_REF_RESTORED)));
}

static void clock_touched(void *state, u32 slot, u32 flags)
{
	clock_set_bit(state, slot, true);
}

/* Move the hand to the first slot without its bit, clearing on the way. */
static void clock_turn(struct clock *c)
{
	u32 slot = vmd_list_first(c->link);

	while (slot != VMD_NO_SLOT && clock_bit(c, slot)) {
		clock_set_bit(c, slot, false);
		c->passed++;
		vmd_list_move_last(c->link, slot);
		slot = vmd_list_first(c->link);
	}
}

/* What a search for several slots has found so far. */
struct clock_search {
	u32 *out;
	u32 nr;
	u32 max;
	u64 look;	/* slots that may still be looked at */
};

/*
 * Add the slots whose bit is @bit, in the hand's order. Returns whether the
 * hand's whole round was seen.
 */
static bool clock_search(const struct clock *c, bool bit,
			 struct clock_search *s)
{
	u32 slot = vmd_list_first(c->link);

	while (slot != VMD_NO_SLOT && s->nr < s->max && s->look) {
		if (clock_bit(c, slot) == bit)
			s->out[s->nr++] = slot;
		slot = vmd_list_next(c->link, slot);
		s->look--;
	}
	return slot == VMD_NO_SLOT;
}

/*
 * The hand takes those without the bit in its first round and all others,
 * cleared by then, in its second.
 */
static u32 clock_victim(void *state, u32 *out, u32 max)
{
	struct clock_search s = {
		.out = out,
		.max = max,
		.look = (u64)max * CLOCK_LOOK,
	};

	clock_turn(state);
	if (clock_search(state, false, &s))
		clock_search(state, true, &s);
	return s.nr;
}

static void clock_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct clock *c = state;

	vmd_list_del(c->link, slot);
	if (why == VMD_REMOVED_EVICTED)
		c->passed = 0;
}

/*
 * Behind the hand it is a round away. It needs the bit as well: in a round of
 * kept() after kept(), those that had theirs at the start are proposed in the
 * second round only, and this one must not be before.
 */
static void clock_kept(void *state, u32 slot)
{
	struct clock *c = state;

	vmd_list_move_last(c->link, slot);
	clock_set_bit(c, slot, true);
}

/* Visit the slots whose bit is @bit; false if the visitor has enough. */
static bool clock_visit(const struct clock *c, bool bit,
			vmd_policy_visit_t visit, void *arg)
{
	u32 slot = vmd_list_first(c->link);

	for (; slot != VMD_NO_SLOT; slot = vmd_list_next(c->link, slot)) {
		if (clock_bit(c, slot) == bit && !visit(arg, slot))
			return false;
	}
	return true;
}

static void clock_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	if (clock_visit(state, false, visit, arg))
		clock_visit(state, true, visit, arg);
}

/* The links grow into where the bitmap was. */
static void clock_resize(void *state, u32 slots, u32 frames)
{
	struct clock *c = state;
	const u32 *from = clock_bitmap(c);
	size_t bytes = clock_bitmap_size(c->slots);

	memmove(c->link + slots + 1, from, bytes);
	c->slots = slots;
}

static void clock_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct clock *c = state;

	why->code = VMD_WHY_HAND;
	why->nr[0] = c->passed;
}

static u32 clock_look(const void *state, u32 slot, u64 *number)
{
	return clock_bit(state, slot) ? VMD_QUEUED_REFERENCED : 0;
}

static void clock_queues(const void *state, struct vmd_queue_view *view)
{
	const struct clock *c = state;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = c,
		.look = clock_look,
		.hand = vmd_list_first(c->link),
	};

	vmd_queue_begin(view, "circle", NULL);
	vmd_list_walk(c->link, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_clock = {
	.name = "clock",
	.text = "second chance, a new page unreferenced",
	.state_size = clock_state_size,
	.init = clock_init,
	.inserted = clock_inserted,
	.touched = clock_touched,
	.victim = clock_victim,
	.explain = clock_explain,
	.removed = clock_removed,
	.kept = clock_kept,
	.walk = clock_walk,
	.queues = clock_queues,
	.resize = clock_resize,
};

const struct vmd_policy_ops vmd_policy_clock_a = {
	.name = "clock-a",
	.text = "second chance, a new page referenced",
	.state_size = clock_state_size,
	.init = clock_init,
	.inserted = clock_a_inserted,
	.touched = clock_touched,
	.victim = clock_victim,
	.explain = clock_explain,
	.removed = clock_removed,
	.kept = clock_kept,
	.walk = clock_walk,
	.queues = clock_queues,
	.resize = clock_resize,
};
