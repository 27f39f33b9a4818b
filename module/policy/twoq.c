// SPDX-License-Identifier: GPL-2.0-only
/*
 * 2Q, full version: new pages in a FIFO queue, A1in; those that leave it are
 * remembered in another, A1out; a page that comes while it is remembered there
 * goes into an LRU queue, Am. References of a page in A1in mean nothing: they
 * are thought to belong together with the first.
 *
 * T. Johnson, D. Shasha, "2Q: a low overhead high performance buffer management
 * replacement algorithm", VLDB 1994. Kin, 25 % of the frames, and Kout, 50 %,
 * are rounded down, as in libCacheSim, and may be 0. A1in gives a page while it
 * has more than Kin, else Am, else A1in. Pages that leave Am are not
 * remembered. The paper does not say that a page's ghost goes when it comes
 * back; here and in libCacheSim it does, before another ghost is forgotten for
 * the page that made room.
 *
 * The state is ghost.h's: 36 bytes per slot and at most 40 per ghost, of which
 * there are at most as many as slots. A page that was kept is parked; one that
 * was restored too, in Am if its ghost is not remembered. O(1); victim() is
 * exact for every max.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

enum { TWOQ_IN = 1, TWOQ_AM, TWOQ_OUT };

struct twoq {
	struct vmd_known known;
	u32 kin;		/* percent */
	u32 kout;		/* percent */
};

static const struct vmd_policy_param twoq_params[] = {
	{
		.name = "kin",
		.text = "share of the queue of new pages, % of frames",
		.min = 0,
		.max = 100,
		.def = 25,
	}, {
		.name = "kout",
		.text = "most pages remembered that left it, % of frames",
		.min = 0,
		.max = 100,
		.def = 50,
	},
};

static size_t twoq_state_size(u32 slots, u32 frames)
{
	return vmd_known_size(sizeof(struct twoq), slots, slots);
}

static void twoq_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct twoq *q = state;

	vmd_known_init(&q->known, sizeof(*q), slots, frames, slots);
	q->kin = (u32)params[0];
	q->kout = (u32)params[1];
}

static u32 twoq_share(u32 frames, u32 percent)
{
	return (u32)vmd_div64((u64)frames * percent, 100);
}

static u32 twoq_kout(const struct twoq *q)
{
	return twoq_share(vmd_known_frames(&q->known), q->kout);
}

/* How many more there are in A1in than it may have. */
static u32 twoq_over(const struct twoq *q)
{
	u32 kin = twoq_share(q->known.frames, q->kin), in = q->known.nr[TWOQ_IN];

	return in > kin ? in - kin : 0;
}

static void twoq_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct twoq *q = state;
	struct vmd_known *k = &q->known;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		vmd_known_restore(k, slot, key, TWOQ_AM);
		return;
	}
	vmd_known_unpark_all(k);
	at = vmd_known_ghost(k, key);
	if (at)
		vmd_known_revive(k, at, slot, TWOQ_AM);
	else
		at = vmd_known_add(k, slot, key, TWOQ_IN);
	vmd_known_nodes(k)[at].await = flags & VMD_REF_DEFERRED;
	/* Only now: the page may have been the oldest ghost of all. */
	vmd_known_trim(k, TWOQ_OUT, twoq_kout(q));
}

static void twoq_touched(void *state, u32 slot, u32 flags)
{
	struct twoq *q = state;
	u32 at = vmd_known_node(&q->known, slot);
	struct vmd_node *node = vmd_known_nodes(&q->known) + at;

	if (!vmd_known_awaited(node) && node->home == TWOQ_AM)
		vmd_known_move(&q->known, at, TWOQ_AM);
}

static void twoq_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct twoq *q = state;

	vmd_known_walk_two(&q->known, TWOQ_IN, twoq_over(q), TWOQ_AM, visit,
			   arg);
}

static u32 twoq_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	twoq_walk(state, vmd_found_visit, &found);
	return found.nr;
}

static void twoq_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct twoq *q = state;
	struct vmd_known *k = &q->known;
	u32 at = vmd_known_node(k, slot), most = twoq_kout(q);

	if (why == VMD_REMOVED_EVICTED && most &&
	    vmd_known_nodes(k)[at].home == TWOQ_IN) {
		vmd_known_bury(k, at, TWOQ_OUT);
		vmd_known_trim(k, TWOQ_OUT, most + 1);
	} else {
		vmd_known_forget(k, at);
	}
}

static void twoq_kept(void *state, u32 slot)
{
	struct twoq *q = state;

	vmd_known_park(&q->known, vmd_known_node(&q->known, slot));
}

static void twoq_resize(void *state, u32 slots, u32 frames)
{
	struct twoq *q = state;

	vmd_known_resize(&q->known, slots, frames, slots);
	vmd_known_trim(&q->known, TWOQ_OUT, twoq_kout(q));
}

static void twoq_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct twoq *q = state;
	const struct vmd_known *k = &q->known;

	why->nr[0] = k->nr[TWOQ_IN];
	why->nr[1] = twoq_share(k->frames, q->kin);
	switch (vmd_known_nodes(k)[vmd_known_node(k, slot)].list) {
	case TWOQ_IN:
		why->code = twoq_over(q) ? VMD_WHY_2Q_IN : VMD_WHY_2Q_IN_ONLY;
		break;
	case TWOQ_AM:
		why->code = VMD_WHY_2Q_AM;
		break;
	default:
		why->code = VMD_WHY_LAST_RESORT;
	}
}

static void twoq_queues(const void *state, struct vmd_queue_view *view)
{
	const struct twoq *q = state;
	const struct vmd_known *k = &q->known;

	vmd_queue_known(view, k, TWOQ_IN, "A1in",
			twoq_share(k->frames, q->kin), 0);
	vmd_queue_known(view, k, TWOQ_AM, "Am", VMD_QUEUE_UNTOLD, 0);
	vmd_queue_parked(view, k);
	vmd_queue_known(view, k, TWOQ_OUT, "A1out", twoq_kout(q), 0);
}

const struct vmd_policy_ops vmd_policy_twoq = {
	.name = "2q",
	.text = "2Q, full version: FIFO for new pages, LRU for those that return",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(twoq_params),
	.params = twoq_params,
	.state_size = twoq_state_size,
	.init = twoq_init,
	.inserted = twoq_inserted,
	.touched = twoq_touched,
	.victim = twoq_victim,
	.explain = twoq_explain,
	.removed = twoq_removed,
	.kept = twoq_kept,
	.walk = twoq_walk,
	.queues = twoq_queues,
	.resize = twoq_resize,
};
