// SPDX-License-Identifier: GPL-2.0-only
/*
 * W-TinyLFU: a new page is in a small window, an LRU list. When it has to leave
 * that, it has to have been referenced more often than the page that would go
 * for it from the main part, a segmented LRU: else it goes itself. Who was
 * referenced how often is told by a sketch of all recent references, those of
 * pages that are gone as well.
 *
 * G. Einziger, R. Friedman, B. Manes, "TinyLFU: a highly efficient cache
 * admission policy", ACM Transactions on Storage 13(4), 2017. The window has 1 %
 * of the frames, at least one; 80 % of the rest are protected. The sketch is a
 * count-min sketch of four rows of 4-bit counters (G. Cormode, S. Muthukrishnan,
 * "An improved data stream summary", Journal of Algorithms 55(1), 2005): a
 * reference adds one to its page's counter in each row and the lowest of the
 * four is the estimate. After "sample" references for each frame all counters are
 * halved, and the number of references as well. With "door" 1 a page's first
 * reference only passes the doorkeeper, a Bloom filter of one bit in four rows
 * (the same ones), which counts for one and is emptied when counters are halved.
 *
 * The sketch has as many columns as four times the frames, rounded up to a power
 * of two. A page's column in row r is h + r * (H | 1) modulo that, h being the
 * lower and H the upper half of the last number that SplitMix64 makes of the
 * page's key (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom
 * number generators", OOPSLA 2014). When the frames get so many that the columns
 * double, they are copied; where they are halved, the higher of two counters
 * stays. The page that is wanted is counted when it came, after it was decided
 * who goes for it.
 *
 * The state is ghost.h's without ghosts and the sketch: 36 bytes per slot, and
 * 12 to 24 per frame. No ghosts. A page that was kept is parked; one that was
 * restored too, among the protected. O(1) amortised: halving takes O(frames)
 * once in as many references, and more, at a time. victim() is exact for every
 * max.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

enum { TINY_WINDOW = 1, TINY_PROBATION, TINY_PROTECTED };

enum { TINY_P_WINDOW, TINY_P_PROTECTED, TINY_P_SAMPLE, TINY_P_DOOR };

#define TINY_ROWS	4
#define TINY_WIDE	4		/* columns for each frame */
#define TINY_FULL	15		/* what a counter stops at */
#define TINY_MOST_BITS	30		/* of the number of columns */

struct tiny {
	struct vmd_known known;
	u32 window;		/* percent */
	u32 protected;		/* percent of the rest */
	u32 sample;		/* references for each frame */
	u32 door;
	u64 counted;		/* references since it was halved, and half */
	u32 bits;		/* binary logarithm of the number of columns */
	u32 room;		/* that of those there is memory for */
};

static const struct vmd_policy_param tiny_params[] = {
	{
		.name = "window",
		.text = "share of the window of new pages, % of frames",
		.min = 0,
		.max = 100,
		.def = 1,
	}, {
		.name = "protected",
		.text = "share of the protected segment, % of the main part",
		.min = 0,
		.max = 100,
		.def = 80,
	}, {
		.name = "sample",
		.text = "references for each frame until counters are halved",
		.min = 1,
		.max = 1000,
		.def = 10,
	}, {
		.name = "door",
		.text = "1: a page's first reference passes a doorkeeper only",
		.min = 0,
		.max = 1,
		.def = 0,
	},
};

static u32 tiny_bits(u32 frames)
{
	u32 bits = 0;

	while (((u64)1 << bits) < (u64)frames * TINY_WIDE &&
	       bits < TINY_MOST_BITS)
		bits++;
	return bits;
}

static u32 tiny_room(u32 slots, u32 frames)
{
	return tiny_bits(slots > frames ? slots : frames);
}

static size_t tiny_known_size(u32 slots)
{
	return (vmd_known_size(sizeof(struct tiny), slots, 0) + 7) & ~(size_t)7;
}

/* Each column is 16 bits: 4 for each row. The doorkeeper's bits are behind. */
static u16 *tiny_columns(const struct tiny *t)
{
	return (u16 *)((char *)t + tiny_known_size(t->known.slots));
}

static u8 *tiny_doors(const struct tiny *t)
{
	return (u8 *)(tiny_columns(t) + ((size_t)1 << t->room));
}

static size_t tiny_sketch_size(u32 room)
{
	return ((size_t)1 << room) * (sizeof(u16) + sizeof(u8));
}

static size_t tiny_state_size(u32 slots, u32 frames)
{
	return tiny_known_size(slots) +
	       tiny_sketch_size(tiny_room(slots, frames));
}

static void tiny_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct tiny *t = state;

	vmd_known_init(&t->known, sizeof(*t), slots, frames, 0);
	t->window = (u32)params[TINY_P_WINDOW];
	t->protected = (u32)params[TINY_P_PROTECTED];
	t->sample = (u32)params[TINY_P_SAMPLE];
	t->door = (u32)params[TINY_P_DOOR];
	t->bits = tiny_bits(frames);
	t->room = tiny_room(slots, frames);
}

static u64 tiny_hash(u64 key)
{
	u64 z = key + 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static u32 tiny_column(const struct tiny *t, u64 hash, u32 row)
{
	u32 column = (u32)hash + row * ((u32)(hash >> 32) | 1);

	return column & (((u32)1 << t->bits) - 1);
}

static u32 tiny_counter(u16 column, u32 row)
{
	return column >> 4 * row & TINY_FULL;
}

/* Whether the page has passed the doorkeeper before; it has now, if @pass. */
static bool tiny_passed(const struct tiny *t, u64 hash, bool pass)
{
	u8 *door = tiny_doors(t);
	bool passed = true;
	u32 row, at;

	for (row = 0; row < TINY_ROWS; row++) {
		at = tiny_column(t, hash, row);
		passed &= door[at] >> row & 1;
		if (pass)
			door[at] |= (u8)(1 << row);
	}
	return passed;
}

static void tiny_halve(struct tiny *t)
{
	size_t nr = (size_t)1 << t->bits, i;
	u16 *column = tiny_columns(t);

	for (i = 0; i < nr; i++)
		column[i] = column[i] >> 1 & 0x7777;
	memset(tiny_doors(t), 0, nr);
	t->counted /= 2;
}

/* One reference of the page. */
static void tiny_count(struct tiny *t, u64 key)
{
	u64 hash = tiny_hash(key);
	u16 *column;
	u32 row;

	if (!t->door || tiny_passed(t, hash, true)) {
		for (row = 0; row < TINY_ROWS; row++) {
			column = tiny_columns(t) + tiny_column(t, hash, row);
			if (tiny_counter(*column, row) < TINY_FULL)
				*column += (u16)(1 << 4 * row);
		}
	}
	if (++t->counted >= (u64)t->sample * t->known.frames)
		tiny_halve(t);
}

/* How often the page was referenced, as far as is known. */
static u32 tiny_estimate(const struct tiny *t, u32 at)
{
	u64 hash = tiny_hash(vmd_known_nodes(&t->known)[at].key);
	u32 least = TINY_FULL, row, count;

	for (row = 0; row < TINY_ROWS; row++) {
		count = tiny_counter(tiny_columns(t)[tiny_column(t, hash, row)],
				     row);
		least = count < least ? count : least;
	}
	if (t->door && tiny_passed(t, hash, false))
		least++;
	return least;
}

static u32 tiny_window(const struct tiny *t)
{
	u64 share = vmd_div64((u64)t->known.frames * t->window, 100);

	return share ? (u32)share : 1;
}

static u32 tiny_protected(const struct tiny *t)
{
	u64 rest = t->known.frames - tiny_window(t);

	return (u32)vmd_div64(rest * t->protected, 100);
}

/* Let those move down that are too many. */
static void tiny_cool(struct tiny *t)
{
	struct vmd_known *k = &t->known;

	while (k->nr[TINY_PROTECTED] > tiny_protected(t))
		vmd_known_settle(k, vmd_known_first(k, TINY_PROTECTED),
				 TINY_PROBATION);
}

static void tiny_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct tiny *t = state;
	struct vmd_known *k = &t->known;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		vmd_known_restore(k, slot, key, TINY_PROTECTED);
		return;
	}
	vmd_known_unpark_all(k);
	at = vmd_known_add(k, slot, key, TINY_WINDOW);
	vmd_known_nodes(k)[at].await = flags & VMD_REF_DEFERRED;
	if (!(flags & VMD_REF_DEFERRED))
		tiny_count(t, key);
	/* What is too much has been let into the main part. */
	while (k->nr[TINY_WINDOW] > tiny_window(t))
		vmd_known_settle(k, vmd_known_first(k, TINY_WINDOW),
				 TINY_PROBATION);
	tiny_cool(t);
}

static void tiny_touched(void *state, u32 slot, u32 flags)
{
	struct tiny *t = state;
	u32 at = vmd_known_node(&t->known, slot);
	struct vmd_node *node = vmd_known_nodes(&t->known) + at;

	tiny_count(t, node->key);
	if (vmd_known_awaited(node))
		return;
	if (node->home == TINY_WINDOW) {
		vmd_known_move(&t->known, at, TINY_WINDOW);
		return;
	}
	vmd_known_settle(&t->known, at, TINY_PROTECTED);
	tiny_cool(t);
}

/* How many pages of the window have to stand the comparison. */
static u32 tiny_over(const struct tiny *t)
{
	u32 nr = t->known.nr[TINY_WINDOW], may = tiny_window(t);

	return nr < may ? 0 : nr - may + 1;
}

/*
 * Who would go of the main part, and in between them those of the window that
 * are not better than the next of these.
 */
static void tiny_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct tiny *t = state;
	const struct vmd_known *k = &t->known;
	u32 list = TINY_PROBATION, over = tiny_over(t), goes;
	u32 new = vmd_known_first(k, TINY_WINDOW);
	u32 at = vmd_known_first(k, list);

	while (at || list < TINY_PROTECTED || new) {
		if (!at && list < TINY_PROTECTED) {
			at = vmd_known_first(k, ++list);
			continue;
		}
		if (!at || (over && new && tiny_estimate(t, new) <=
					   tiny_estimate(t, at))) {
			goes = new;
			new = vmd_known_next(k, TINY_WINDOW, new);
			over -= over != 0;
		} else {
			goes = at;
			at = vmd_known_next(k, list, at);
		}
		if (!visit(arg, vmd_known_nodes(k)[goes].slot))
			return;
	}
	vmd_known_walk(k, VMD_KNOWN_PARKED, visit, arg);
}

static u32 tiny_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	tiny_walk(state, vmd_found_visit, &found);
	return found.nr;
}

static void tiny_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct tiny *t = state;

	vmd_known_forget(&t->known, vmd_known_node(&t->known, slot));
}

static void tiny_kept(void *state, u32 slot)
{
	struct tiny *t = state;

	vmd_known_park(&t->known, vmd_known_node(&t->known, slot));
}

static void tiny_double(struct tiny *t)
{
	size_t nr = (size_t)1 << t->bits++;
	u16 *column = tiny_columns(t);
	u8 *door = tiny_doors(t);

	memcpy(column + nr, column, nr * sizeof(*column));
	memcpy(door + nr, door, nr);
}

/* Half as many columns. */
static void tiny_fold(struct tiny *t)
{
	size_t nr = (size_t)1 << --t->bits, i;
	u16 *column = tiny_columns(t), both;
	u8 *door = tiny_doors(t);
	u32 row;

	for (i = 0; i < nr; i++) {
		both = 0;
		for (row = 0; row < TINY_ROWS; row++) {
			u32 a = tiny_counter(column[i], row);
			u32 b = tiny_counter(column[i + nr], row);

			both |= (u16)((a > b ? a : b) << 4 * row);
		}
		column[i] = both;
		door[i] |= door[i + nr];
	}
}

static void tiny_resize(void *state, u32 slots, u32 frames)
{
	struct tiny *t = state;
	const u16 *column = tiny_columns(t);
	const u8 *door = tiny_doors(t);
	u32 room = tiny_room(slots, frames), old = t->known.slots;

	/* Less room than before: what lay behind it is gone. */
	if (t->bits > room)
		t->bits = room;
	t->room = room;
	t->known.slots = slots;
	if (tiny_doors(t) > door)
		memmove(tiny_doors(t), door, (size_t)1 << t->bits);
	memmove(tiny_columns(t), column, sizeof(*column) << t->bits);
	if (tiny_doors(t) < door)
		memset(tiny_doors(t), 0, (size_t)1 << t->bits);
	t->known.slots = old;
	vmd_known_resize(&t->known, slots, frames, 0);
	while (t->bits < tiny_bits(frames))
		tiny_double(t);
	while (t->bits > tiny_bits(frames))
		tiny_fold(t);
}

static void tiny_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct tiny *t = state;
	const struct vmd_known *k = &t->known;
	u32 at = vmd_known_node(k, slot), list = vmd_known_nodes(k)[at].list;
	u32 new = vmd_known_first(k, TINY_WINDOW);
	u32 old = vmd_known_first(k, TINY_PROBATION);

	old = old ? old : vmd_known_first(k, TINY_PROTECTED);
	why->nr[0] = tiny_estimate(t, at);
	if (list == VMD_KNOWN_PARKED) {
		why->code = VMD_WHY_LAST_RESORT;
	} else if (list != TINY_WINDOW && tiny_over(t)) {
		why->code = VMD_WHY_TINY_MAIN;
		why->nr[1] = tiny_estimate(t, new);
	} else if (list != TINY_WINDOW) {
		why->code = VMD_WHY_TINY_ROOM;
		why->nr[0] = k->nr[TINY_WINDOW];
		why->nr[1] = tiny_window(t);
	} else if (old) {
		why->code = VMD_WHY_TINY_WINDOW;
		why->nr[1] = tiny_estimate(t, old);
	} else {
		why->code = VMD_WHY_TINY_ALONE;
		why->nr[0] = k->nr[TINY_WINDOW];
	}
}

static void tiny_queue(const struct tiny *t, struct vmd_queue_view *view,
		       u32 list, const char *name, u32 share)
{
	const struct vmd_known *k = &t->known;
	u32 at = vmd_known_first(k, list);

	view->queue(view, name, "estimate", k->nr[list], share);
	while (at && view->page(view, vmd_known_nodes(k)[at].slot, 0,
				VMD_QUEUED_NUMBER, tiny_estimate(t, at)))
		at = vmd_known_next(k, list, at);
}

static void tiny_queues(const void *state, struct vmd_queue_view *view)
{
	const struct tiny *t = state;

	tiny_queue(t, view, TINY_WINDOW, "window", tiny_window(t));
	tiny_queue(t, view, TINY_PROBATION, "probation", VMD_QUEUE_UNTOLD);
	tiny_queue(t, view, TINY_PROTECTED, "protected", tiny_protected(t));
	vmd_queue_parked(view, &t->known);
}

const struct vmd_policy_ops vmd_policy_tinylfu = {
	.name = "w-tinylfu",
	.text = "W-TinyLFU: only pages used more often get beyond a window",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(tiny_params),
	.params = tiny_params,
	.state_size = tiny_state_size,
	.init = tiny_init,
	.inserted = tiny_inserted,
	.touched = tiny_touched,
	.victim = tiny_victim,
	.explain = tiny_explain,
	.removed = tiny_removed,
	.kept = tiny_kept,
	.walk = tiny_walk,
	.queues = tiny_queues,
	.resize = tiny_resize,
};
