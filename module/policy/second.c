// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second chance: a FIFO queue whose pages have a reference bit. If the oldest
 * page's bit is 0 it goes; if it is 1, the bit is cleared and the page goes to
 * the end of the queue, as if it had just arrived, and the next one is looked
 * at. CLOCK (clock.c) is the same without moving anything.
 *
 * A. S. Tanenbaum, "Modern Operating Systems", Prentice Hall, and
 * A. Silberschatz, P. B. Galvin, G. Gagne, "Operating System Concepts", Wiley,
 * under this name. In both it is the hardware that sets the bit, at each access
 * and so at the one that brought the page, too: a new page's bit is 1 ("bit=1",
 * the default), as in "clock-a". Exercises often begin with 0: "bit=0", as in
 * "clock". With "bit=1" a page that comes with VMD_REF_DEFERRED has 0 until
 * that access is reported.
 *
 * The state is one list, oldest first, and a byte for each slot: 9 bytes per
 * slot.
 *
 * victim() of one is O(1) amortised by the bits it clears. The further ones are
 * what the queue would give next, exactly; the search clears no bits, so it
 * ends after SECOND_LOOK slots for each one wanted, and there may be fewer. A
 * page that was kept goes to the end with its bit set, or it might come round
 * before those whose bit is still to be cleared; one that was restored,
 * without.
 */
#include "list.h"
#include "queues.h"
#include "table.h"

#define SECOND_LOOK	8

struct second {
	u32 slots;
	u32 bit;			/* of a new page */
	u32 passed;			/* sent to the end since the last one went */
	u32 pad;
	struct vmd_link link[];		/* slots + 1, then a byte per slot */
};

static const struct vmd_policy_param second_params[] = {
	{
		.name = "bit",
		.text = "reference bit of a new page",
		.min = 0,
		.max = 1,
		.def = 1,
	},
};

static u8 *second_bits(struct second *s)
{
	return (u8 *)(s->link + s->slots + 1);
}

static u8 second_bit(const struct second *s, u32 slot)
{
	return ((const u8 *)(s->link + s->slots + 1))[slot];
}

static size_t second_state_size(u32 slots, u32 frames)
{
	return sizeof(struct second) + vmd_list_size(slots) + slots;
}

static void second_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct second *s = state;

	s->slots = slots;
	s->bit = (u32)params[0];
}

static void second_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct second *s = state;
	bool later = flags & (VMD_REF_DEFERRED | VMD_REF_RESTORED);

	vmd_list_add_last(s->link, slot);
	second_bits(s)[slot] = later ? 0 : (u8)s->bit;
}

static void second_touched(void *state, u32 slot, u32 flags)
{
	second_bits(state)[slot] = 1;
}

/* Give second chances until the oldest one has had his. */
static void second_turn(struct second *s)
{
	u32 slot = vmd_list_first(s->link);

	while (slot != VMD_NO_SLOT && second_bit(s, slot)) {
		second_bits(s)[slot] = 0;
		s->passed++;
		vmd_list_move_last(s->link, slot);
		slot = vmd_list_first(s->link);
	}
}

/*
 * Visit in the order in which they would go, looking at @look slots at most:
 * those without the bit, then the others, who are without it by then.
 */
static void second_search(const struct second *s, vmd_policy_visit_t visit,
			  void *arg, u64 look)
{
	u32 slot;
	u8 bit;

	for (bit = 0; bit < 2; bit++) {
		slot = vmd_list_first(s->link);
		for (; slot != VMD_NO_SLOT; slot = vmd_list_next(s->link, slot)) {
			if (!look--)
				return;
			if (second_bit(s, slot) == bit && !visit(arg, slot))
				return;
		}
	}
}

static u32 second_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	second_turn(state);
	second_search(state, vmd_found_visit, &found, (u64)max * SECOND_LOOK);
	return found.nr;
}

static void second_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct second *s = state;

	vmd_list_del(s->link, slot);
	if (why == VMD_REMOVED_EVICTED)
		s->passed = 0;
}

static void second_kept(void *state, u32 slot)
{
	struct second *s = state;

	vmd_list_move_last(s->link, slot);
	second_bits(s)[slot] = 1;
}

static void second_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	second_search(state, visit, arg, ~0ULL);
}

/* The links grow into where the bits were. */
static void second_resize(void *state, u32 slots, u32 frames)
{
	struct second *s = state;

	memmove(s->link + slots + 1, second_bits(s), s->slots);
	s->slots = slots;
}

static void second_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct second *s = state;

	why->code = VMD_WHY_SECOND_CHANCE;
	why->nr[0] = s->passed;
}

static u32 second_look(const void *state, u32 slot, u64 *number)
{
	return second_bit(state, slot) ? VMD_QUEUED_REFERENCED : 0;
}

static void second_queues(const void *state, struct vmd_queue_view *view)
{
	const struct second *s = state;
	struct vmd_queue_slots slots = {
		.view = view,
		.state = s,
		.look = second_look,
		.hand = VMD_NO_SLOT,
	};

	vmd_queue_begin(view, "queue", NULL);
	vmd_list_walk(s->link, vmd_queue_slot, &slots);
}

const struct vmd_policy_ops vmd_policy_second = {
	.name = "second-chance",
	.text = "FIFO, but who was referenced goes to the end once",
	.nr_params = ARRAY_SIZE(second_params),
	.params = second_params,
	.state_size = second_state_size,
	.init = second_init,
	.inserted = second_inserted,
	.touched = second_touched,
	.victim = second_victim,
	.explain = second_explain,
	.removed = second_removed,
	.kept = second_kept,
	.walk = second_walk,
	.queues = second_queues,
	.resize = second_resize,
};
