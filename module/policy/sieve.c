// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIEVE: the pages stand in the order in which they came, and a hand goes from
 * the oldest to the youngest and begins anew. A page whose bit is set loses it
 * and stays where it is; the first one without goes. Unlike CLOCK's, the new
 * page stands at the young end, not where the hand is: those that the hand has
 * passed by are old and proven, and it sifts the young ones.
 *
 * Y. Zhang, J. Yang, Y. Yue, Y. Vigfusson, K. V. Rashmi, "SIEVE is simpler
 * than LRU: an efficient turn-key eviction algorithm for web caches", NSDI
 * 2024. A new page's bit is 0 in "sieve", as in the paper and in libCacheSim,
 * and 1 in "sieve-a", as in hardware, where the access that brought the page
 * is a reference itself.
 *
 * The state is one list, oldest first, a bitmap and the hand: 8 bytes and a
 * bit per slot, and no ghosts. The hand is the slot that it will look at next,
 * VMD_NO_SLOT at the start and behind the youngest: the oldest is next then,
 * also if a page came in between.
 *
 * victim() of one is the paper's, O(1) amortised by the bits it clears. The
 * further ones are what the hand would find next, exactly; the search clears
 * no bits, so it ends after SIEVE_LOOK slots for each one wanted, and there may
 * be fewer than wanted. A page that was kept or restored stands just behind the
 * hand, a round away, and has its bit if it was kept.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

#define SIEVE_LOOK	8

struct sieve {
	u32 slots;
	u32 hand;
	u32 passed;			/* by it since the last one went */
	u32 pad;
	struct vmd_link link[];		/* slots + 1, then the bitmap */
};

static size_t sieve_bitmap_size(u32 slots)
{
	return ((size_t)slots + 31) / 32 * sizeof(u32);
}

static const u32 *sieve_bitmap(const struct sieve *s)
{
	return (const u32 *)(s->link + s->slots + 1);
}

static bool sieve_bit(const struct sieve *s, u32 slot)
{
	return sieve_bitmap(s)[slot / 32] >> slot % 32 & 1;
}

static void sieve_set_bit(struct sieve *s, u32 slot, bool on)
{
	u32 *word = (u32 *)(s->link + s->slots + 1) + slot / 32;
	u32 mask = (u32)1 << slot % 32;

	*word = on ? *word | mask : *word & ~mask;
}

static size_t sieve_state_size(u32 slots, u32 frames)
{
	return sizeof(struct sieve) + vmd_list_size(slots) +
	       sieve_bitmap_size(slots);
}

static void sieve_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct sieve *s = state;

	s->slots = slots;
	s->hand = VMD_NO_SLOT;
}

/* Just behind the hand; a hand behind the youngest has that one behind it. */
static void sieve_add_behind(struct sieve *s, u32 slot)
{
	vmd_list_add(s->link, vmd_list_prev(s->link, s->hand), slot);
}

static void sieve_insert(struct sieve *s, u32 slot, u32 flags, bool bit)
{
	if (flags & VMD_REF_RESTORED)
		sieve_add_behind(s, slot);
	else
		vmd_list_add_last(s->link, slot);
	sieve_set_bit(s, slot, bit && !(flags & VMD_REF_RESTORED));
}

static void sieve_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	sieve_insert(state, slot, flags, false);
}

static void sieve_a_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	sieve_insert(state, slot, flags, !(flags & VMD_REF_DEFERRED));
}

static void sieve_touched(void *state, u32 slot, u32 flags)
{
	sieve_set_bit(state, slot, true);
}

/* Where the hand looks next. */
static u32 sieve_at(const struct sieve *s)
{
	return s->hand == VMD_NO_SLOT ? vmd_list_first(s->link) : s->hand;
}

/* Move the hand to the first slot without its bit, clearing on the way. */
static void sieve_turn(struct sieve *s)
{
	s->hand = sieve_at(s);
	while (s->hand != VMD_NO_SLOT && sieve_bit(s, s->hand)) {
		sieve_set_bit(s, s->hand, false);
		s->passed++;
		s->hand = vmd_list_next(s->link, s->hand);
		s->hand = sieve_at(s);
	}
}

/* Who is looked for: slots whose bit is @bit, and who shall hear of them. */
struct sieve_search {
	bool bit;
	vmd_policy_visit_t visit;
	void *arg;
};

/* From slot @from up to, but not including, @to; false: the visitor stops. */
static bool sieve_scan(const struct sieve *s, u32 from, u32 to,
		       const struct sieve_search *search, u64 *look)
{
	for (; from != to; from = vmd_list_next(s->link, from)) {
		if (!(*look)--)
			return false;
		if (sieve_bit(s, from) == search->bit &&
		    !search->visit(search->arg, from))
			return false;
	}
	return true;
}

/*
 * As the hand would find them, looking at @look slots at most: those without
 * the bit in its first round, all others, cleared by then, in its second.
 */
static void sieve_search(const struct sieve *s, vmd_policy_visit_t visit,
			 void *arg, u64 look)
{
	struct sieve_search search = { .visit = visit, .arg = arg };
	u32 at = sieve_at(s), round;

	for (round = 0; round < 2; round++) {
		search.bit = round;
		if (!sieve_scan(s, at, VMD_NO_SLOT, &search, &look) ||
		    !sieve_scan(s, vmd_list_first(s->link), at, &search, &look))
			return;
	}
}

/* Where victim() puts what it finds. */
struct sieve_found {
	u32 *out;
	u32 nr;
	u32 max;
};

static bool sieve_found(void *arg, u32 slot)
{
	struct sieve_found *found = arg;

	found->out[found->nr++] = slot;
	return found->nr < found->max;
}

static u32 sieve_victim(void *state, u32 *out, u32 max)
{
	struct sieve_found found = { .out = out, .max = max };

	sieve_turn(state);
	sieve_search(state, sieve_found, &found, (u64)max * SIEVE_LOOK);
	return found.nr;
}

/* The hand must not stay on a slot that leaves its place. */
static void sieve_leave(struct sieve *s, u32 slot)
{
	if (s->hand == slot)
		s->hand = vmd_list_next(s->link, slot);
	vmd_list_del(s->link, slot);
}

static void sieve_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct sieve *s = state;

	sieve_leave(s, slot);
	if (why == VMD_REMOVED_EVICTED)
		s->passed = 0;
}

/*
 * Behind the hand it is a round away. It needs the bit as well: in a round of
 * kept() after kept(), those that had theirs at the start are proposed in the
 * second round only, and this one must not be before.
 */
static void sieve_kept(void *state, u32 slot)
{
	struct sieve *s = state;

	sieve_leave(s, slot);
	sieve_add_behind(s, slot);
	sieve_set_bit(s, slot, true);
}

static void sieve_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	sieve_search(state, visit, arg, ~0ULL);
}

/* The links grow into where the bitmap was. */
static void sieve_resize(void *state, u32 slots, u32 frames)
{
	struct sieve *s = state;
	const u32 *from = sieve_bitmap(s);
	size_t bytes = sieve_bitmap_size(s->slots);

	memmove(s->link + slots + 1, from, bytes);
	s->slots = slots;
}

static void sieve_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct sieve *s = state;

	why->code = VMD_WHY_SIEVE;
	why->nr[0] = s->passed;
}

static u32 sieve_look(const void *state, u32 slot, u64 *number)
{
	return sieve_bit(state, slot) ? VMD_QUEUED_REFERENCED : 0;
}

/* From the hand to the youngest, then from the oldest to the hand. */
static void sieve_queues(const void *state, struct vmd_queue_view *view)
{
	const struct sieve *s = state;
	u32 hand = sieve_at(s), slot = hand;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = s,
		.look = sieve_look,
		.hand = hand,
	};

	vmd_queue_begin(view, "queue", NULL);
	while (slot != VMD_NO_SLOT && vmd_queue_slot(&slots, slot)) {
		slot = vmd_list_next(s->link, slot);
		if (slot == VMD_NO_SLOT)
			slot = vmd_list_first(s->link);
		if (slot == hand)
			break;
	}
}

const struct vmd_policy_ops vmd_policy_sieve = {
	.name = "sieve",
	.text = "SIEVE, a new page unreferenced",
	.state_size = sieve_state_size,
	.init = sieve_init,
	.inserted = sieve_inserted,
	.touched = sieve_touched,
	.victim = sieve_victim,
	.explain = sieve_explain,
	.removed = sieve_removed,
	.kept = sieve_kept,
	.walk = sieve_walk,
	.queues = sieve_queues,
	.resize = sieve_resize,
};

const struct vmd_policy_ops vmd_policy_sieve_a = {
	.name = "sieve-a",
	.text = "SIEVE, a new page referenced",
	.state_size = sieve_state_size,
	.init = sieve_init,
	.inserted = sieve_a_inserted,
	.touched = sieve_touched,
	.victim = sieve_victim,
	.explain = sieve_explain,
	.removed = sieve_removed,
	.kept = sieve_kept,
	.walk = sieve_walk,
	.queues = sieve_queues,
	.resize = sieve_resize,
};
