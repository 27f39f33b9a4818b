// SPDX-License-Identifier: GPL-2.0-only
/*
 * CLOCK-Pro: LIRS with reference bits only. Hot and cold pages and the cold ones
 * that are gone but still in their test period stand in one circle with three
 * hands. HAND_cold looks for a cold page to go; a cold page referenced in its
 * test period becomes hot, and HAND_hot finds a hot one to become cold instead;
 * it takes HAND_test along, which ends test periods.
 *
 * S. Jiang, F. Chen, X. Zhang, "CLOCK-Pro: an effective improvement of the CLOCK
 * replacement", USENIX 2005, and the program that the authors gave out
 * ("clock-pro.c", 2005), which is followed where the paper leaves a choice: at
 * the start all pages are hot but for "cold", 5 % of the frames, rounded down
 * and at least 2; as many pages that are gone are in the circle as there are
 * frames; a hot page that HAND_hot passes goes to the circle's head; another
 * reference of the page referenced last means nothing ("repeat" 0).
 *
 * With "adaptive" 1 a page that comes back in its test period makes for more
 * cold pages, up to "max", and one that does not for fewer, down to "cold". The
 * program then sets the bit of the page behind one that stays cold, not of that
 * page itself; that is so here, too.
 *
 * The circle is a list of ghost.h's, its head last: hands go to the next one,
 * and from the last to the first. 36 bytes per slot and at most 40 per ghost, at
 * most as many as slots. A page that was kept is parked; one that was restored
 * too, hot if it is not remembered.
 *
 * victim() of one moves the hands, O(1) amortised as the paper counts it. The
 * further ones, and walk(), are a guess: cold pages from HAND_cold on, those
 * that would not become hot first, then hot ones from HAND_hot on; walk() has
 * the right one first only if victim() was asked before. The search of the circle
 * ends after PRO_LOOK nodes for each one wanted.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

#define PRO_LOOK	32
#define PRO_LEAST	2		/* cold pages */
#define PRO_RING	1

/* vmd_node.flag */
#define PRO_HOT		1
#define PRO_TEST	2
#define PRO_REF		4

enum { PRO_P_COLD, PRO_P_ADAPTIVE, PRO_P_MAX, PRO_P_REPEAT };

/* What HAND_hot did: 0 or PRO_MET, or both. */
#define PRO_MET		1		/* passed the page it runs for */
#define PRO_DEMOTED	2

enum { PRO_HAND_HOT, PRO_HAND_COLD, PRO_HAND_TEST, PRO_HANDS };

struct clockpro {
	struct vmd_known known;
	u64 last;			/* key of the page referenced last */
	u32 cold;			/* percent */
	u32 max;			/* percent */
	u32 adaptive;
	u32 repeat;
	u32 begun;			/* there is a last */
	u32 hand[PRO_HANDS];		/* nodes; 0: nowhere yet */
	u32 nr_hot;			/* in the circle, as the next two */
	u32 nr_cold;
	u32 nr_ghosts;
	int credits;			/* cold pages wanted more, below 0 fewer */
	u32 pad;
};

static const struct vmd_policy_param pro_params[] = {
	{
		.name = "cold",
		.text = "share of cold pages, the least if adaptive, % of frames",
		.min = 1,
		.max = 100,
		.def = 5,
	}, {
		.name = "adaptive",
		.text = "1: the share of cold pages adapts",
		.min = 0,
		.max = 1,
		.def = 0,
	}, {
		.name = "max",
		.text = "greatest share of cold pages if adaptive, % of frames",
		.min = 1,
		.max = 100,
		.def = 100,
	}, {
		.name = "repeat",
		.text = "1: another reference of the same page counts, too",
		.min = 0,
		.max = 1,
		.def = 0,
	},
};

static size_t pro_state_size(u32 slots, u32 frames)
{
	return vmd_known_size(sizeof(struct clockpro), slots, slots);
}

static void pro_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct clockpro *c = state;

	vmd_known_init(&c->known, sizeof(*c), slots, frames, slots);
	c->cold = (u32)params[PRO_P_COLD];
	c->adaptive = (u32)params[PRO_P_ADAPTIVE];
	c->max = (u32)params[PRO_P_MAX];
	c->repeat = (u32)params[PRO_P_REPEAT];
}

static u32 pro_share(const struct clockpro *c, u32 percent)
{
	u32 share = (u32)vmd_div64((u64)c->known.frames * percent, 100);

	return share < PRO_LEAST ? PRO_LEAST : share;
}

static struct vmd_node *pro_node(const struct clockpro *c, u32 at)
{
	return vmd_known_nodes(&c->known) + at;
}

static bool pro_hot(const struct clockpro *c, u32 at)
{
	return pro_node(c, at)->flag & PRO_HOT;
}

static bool pro_gone(const struct clockpro *c, u32 at)
{
	return pro_node(c, at)->slot == VMD_NO_SLOT;
}

static u32 pro_next(const struct clockpro *c, u32 at)
{
	u32 next = pro_node(c, at)->next;

	return next == PRO_RING ? pro_node(c, PRO_RING)->next : next;
}

static u32 pro_prev(const struct clockpro *c, u32 at)
{
	u32 prev = pro_node(c, at)->prev;

	return prev == PRO_RING ? pro_node(c, PRO_RING)->prev : prev;
}

/* One more or one less, of what the node is. */
static void pro_count(struct clockpro *c, u32 at, int by)
{
	if (pro_gone(c, at))
		c->nr_ghosts += by;
	else if (pro_hot(c, at))
		c->nr_hot += by;
	else
		c->nr_cold += by;
}

/* HAND_cold stands on a cold page that is resident, if there is any. */
static void pro_seek(struct clockpro *c)
{
	u32 *hand = c->hand + PRO_HAND_COLD;

	while (c->nr_cold && (pro_hot(c, *hand) || pro_gone(c, *hand)))
		*hand = pro_next(c, *hand);
}

/* The node is in the circle now; the first one of all has all the hands. */
static void pro_joined(struct clockpro *c, u32 at)
{
	u32 i;

	for (i = 0; i < PRO_HANDS; i++) {
		if (!c->hand[i])
			c->hand[i] = at;
	}
	pro_count(c, at, 1);
	if (c->nr_cold == 1 && !pro_hot(c, at) && !pro_gone(c, at))
		c->hand[PRO_HAND_COLD] = at;
}

/* The node is about to leave its place: no hand stays there. */
static void pro_leave(struct clockpro *c, u32 at)
{
	u32 next = pro_next(c, at), i;

	pro_count(c, at, -1);
	for (i = 0; i < PRO_HANDS; i++) {
		if (c->hand[i] == at)
			c->hand[i] = next == at ? 0 : next;
	}
}

static void pro_forget(struct clockpro *c, u32 at)
{
	if (pro_node(c, at)->list == PRO_RING)
		pro_leave(c, at);
	vmd_known_forget(&c->known, at);
	pro_seek(c);
}

/* To the head of the circle, as what @flag says. */
static void pro_move(struct clockpro *c, u32 at, u32 flag)
{
	pro_leave(c, at);
	vmd_known_move(&c->known, at, PRO_RING);
	pro_node(c, at)->flag = (u8)flag;
	pro_joined(c, at);
	pro_seek(c);
}

static void pro_credit(struct clockpro *c, int by)
{
	if (c->adaptive)
		c->credits += by;
}

/* HAND_test goes on by one; what is gone has not come back in time. */
static void pro_step_test(struct clockpro *c)
{
	u32 at = c->hand[PRO_HAND_TEST];

	c->hand[PRO_HAND_TEST] = pro_next(c, at);
	if (pro_hot(c, at))
		return;
	pro_node(c, at)->flag = 0;
	if (pro_gone(c, at)) {
		pro_credit(c, -1);
		pro_forget(c, at);
	}
}

/* HAND_test goes on until there are not too many that are gone. */
static void pro_limit(struct clockpro *c)
{
	u32 most = vmd_known_frames(&c->known);

	while (c->nr_ghosts > most)
		pro_step_test(c);
}

/* HAND_hot looks for a hot page to become cold, on behalf of @target. */
static u32 pro_run_hot(struct clockpro *c, u32 target)
{
	u32 *hand = c->hand + PRO_HAND_HOT, at, did = 0;
	bool done = false;

	while (c->nr_hot && (!done || !pro_hot(c, *hand))) {
		at = *hand;
		if (!pro_hot(c, at)) {
			if (at == target) {
				done = true;
				did |= PRO_MET;
			}
			*hand = pro_next(c, at);
		} else if (pro_node(c, at)->flag & PRO_REF) {
			pro_move(c, at, PRO_HOT);
		} else {
			done = true;
			did |= PRO_DEMOTED;
			pro_move(c, at, 0);
		}
		if (pro_prev(c, *hand) == c->hand[PRO_HAND_TEST]) {
			pro_step_test(c);
			pro_limit(c);
		}
	}
	return did;
}

/* There are as many cold pages as there may be, or as few. */
static void pro_bound(struct clockpro *c)
{
	u32 frames = c->known.frames;
	u32 cold = frames > c->nr_hot ? frames - c->nr_hot : 0;
	u32 least = pro_share(c, c->cold), most = pro_share(c, c->max);

	if (most < least)
		most = least;
	if ((c->credits > 0 && cold >= most) ||
	    (c->credits < 0 && cold <= least))
		c->credits = 0;
}

/* The cold page at HAND_cold was referenced in its test period. */
static void pro_accessed(struct clockpro *c, u32 at)
{
	bool more;
	u32 did;

	pro_bound(c);
	if (c->credits < 0) {
		c->credits++;
		pro_move(c, at, PRO_HOT);
		return;
	}
	more = c->credits > 0;
	did = pro_run_hot(c, at);
	if (!more) {
		if (did != PRO_MET)
			pro_move(c, at, PRO_HOT);
	} else if (!(did & PRO_MET)) {
		u32 next = pro_next(c, at);

		c->credits--;
		pro_node(c, next)->flag |= PRO_REF;
		pro_move(c, at, PRO_TEST);
	} else {
		c->credits -= did & PRO_DEMOTED ? 1 : 0;
		pro_node(c, at)->flag &= ~PRO_REF;
	}
}

/* Whether a cold page goes when HAND_cold comes. */
static bool pro_goes(const struct vmd_node *node)
{
	return !(node->flag & PRO_TEST) || !(node->flag & PRO_REF);
}

/* Move the hands until HAND_cold stands on the page to go. */
static void pro_turn(struct clockpro *c)
{
	while (c->nr_cold || c->nr_hot) {
		if (!c->nr_cold) {
			pro_run_hot(c, 0);
			continue;
		}
		if (pro_goes(pro_node(c, c->hand[PRO_HAND_COLD])))
			return;
		pro_accessed(c, c->hand[PRO_HAND_COLD]);
	}
}

static void pro_unpark_all(struct clockpro *c)
{
	u32 at;

	while ((at = vmd_known_first(&c->known, VMD_KNOWN_PARKED))) {
		vmd_known_move(&c->known, at, PRO_RING);
		pro_joined(c, at);
	}
}

static void pro_restored(struct clockpro *c, u32 slot, u64 key)
{
	struct vmd_known *k = &c->known;
	u32 at = vmd_known_ghost(k, key);

	if (at) {
		pro_leave(c, at);
		vmd_known_restore(k, slot, key, PRO_RING);
		pro_seek(c);
	} else {
		vmd_known_restore(k, slot, key, PRO_RING);
		pro_node(c, vmd_known_node(k, slot))->flag = PRO_HOT;
	}
}

/*
 * What the page is that comes: hot while the memory fills, or if it is back in
 * its test period still after HAND_hot has run for it; else cold, in test.
 */
static u32 pro_welcome(struct clockpro *c, u64 key)
{
	u32 used = c->nr_hot + c->nr_cold, at, flag = PRO_TEST;

	at = vmd_known_ghost(&c->known, key);
	if (used + pro_share(c, c->cold) < c->known.frames) {
		flag = PRO_HOT;
	} else if (at && pro_run_hot(c, at) != PRO_MET) {
		flag = PRO_HOT;
		pro_credit(c, 1);
	}
	at = vmd_known_ghost(&c->known, key);
	if (at)
		pro_forget(c, at);
	return flag;
}

static void pro_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct clockpro *c = state;
	u32 at, flag;

	if (flags & VMD_REF_RESTORED) {
		pro_restored(c, slot, key);
		return;
	}
	pro_unpark_all(c);
	flag = pro_welcome(c, key);
	at = vmd_known_add(&c->known, slot, key, PRO_RING);
	pro_node(c, at)->flag = (u8)flag;
	pro_node(c, at)->await = flags & VMD_REF_DEFERRED;
	pro_joined(c, at);
	c->last = key;
	c->begun = true;
}

static void pro_touched(void *state, u32 slot, u32 flags)
{
	struct clockpro *c = state;
	struct vmd_node *node = pro_node(c, vmd_known_node(&c->known, slot));

	if (vmd_known_awaited(node))
		return;
	if (!c->repeat && c->begun && c->last == node->key)
		return;
	c->last = node->key;
	c->begun = true;
	node->flag |= PRO_REF;
}

/* In the order of the guess. */
enum { PRO_COLD_GOES, PRO_COLD_STAYS, PRO_HOT_GOES, PRO_HOT_STAYS };

static u32 pro_class(const struct vmd_node *node)
{
	if (node->flag & PRO_HOT)
		return node->flag & PRO_REF ? PRO_HOT_STAYS : PRO_HOT_GOES;
	return pro_goes(node) ? PRO_COLD_GOES : PRO_COLD_STAYS;
}

struct pro_look {
	vmd_policy_visit_t visit;
	void *arg;
	u64 left;		/* nodes that may still be looked at */
};

/* Once round from @first, the resident pages of @class. */
static bool pro_scan(const struct clockpro *c, u32 first, u32 class,
		     struct pro_look *look)
{
	const struct vmd_node *node;
	u32 at = first;

	if (!first)
		return true;
	do {
		node = pro_node(c, at);
		if (!look->left--)
			return false;
		if (!pro_gone(c, at) && pro_class(node) == class &&
		    !look->visit(look->arg, node->slot))
			return false;
		at = pro_next(c, at);
	} while (at != first);
	return true;
}

static void pro_search(const struct clockpro *c, vmd_policy_visit_t visit,
		       void *arg, u64 left)
{
	struct pro_look look = { .visit = visit, .arg = arg, .left = left };
	u32 cold = c->hand[PRO_HAND_COLD], hot = c->hand[PRO_HAND_HOT];

	if (pro_scan(c, cold, PRO_COLD_GOES, &look) &&
	    pro_scan(c, cold, PRO_COLD_STAYS, &look) &&
	    pro_scan(c, hot, PRO_HOT_GOES, &look) &&
	    pro_scan(c, hot, PRO_HOT_STAYS, &look))
		vmd_known_walk(&c->known, VMD_KNOWN_PARKED, visit, arg);
}

static void pro_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	pro_search(state, visit, arg, ~0ULL);
}

static u32 pro_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };
	const struct clockpro *c = state;

	pro_turn(state);
	pro_search(c, vmd_found_visit, &found, (u64)max * PRO_LOOK);
	/* Nothing in the circle but those that are gone, and they are many. */
	if (!found.nr)
		vmd_known_walk(&c->known, VMD_KNOWN_PARKED, vmd_found_visit,
			       &found);
	return found.nr;
}

/* A cold page in its test period is evicted: it stays where it is. */
static void pro_bury(struct clockpro *c, u32 at)
{
	struct vmd_known *k = &c->known;
	struct vmd_node *node = pro_node(c, at);
	u32 *hand = c->hand + PRO_HAND_COLD;

	node->flag = PRO_TEST;
	if (node->list == PRO_RING) {
		pro_count(c, at, -1);
		node->slot = VMD_NO_SLOT;
		vmd_known_hash(k, at);
		pro_count(c, at, 1);
		if (*hand == at)
			*hand = pro_next(c, at);
		pro_seek(c);
	} else {
		vmd_known_bury(k, at, PRO_RING);
		pro_joined(c, at);
	}
}

static void pro_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct clockpro *c = state;
	u32 at = vmd_known_node(&c->known, slot);
	u32 flag = pro_node(c, at)->flag & (PRO_HOT | PRO_TEST);

	if (why == VMD_REMOVED_EVICTED && flag == PRO_TEST)
		pro_bury(c, at);
	else
		pro_forget(c, at);
	pro_limit(c);
}

static void pro_kept(void *state, u32 slot)
{
	struct clockpro *c = state;
	u32 at = vmd_known_node(&c->known, slot);

	if (pro_node(c, at)->list == PRO_RING)
		pro_leave(c, at);
	vmd_known_park(&c->known, at);
	pro_seek(c);
}

static void pro_resize(void *state, u32 slots, u32 frames)
{
	struct clockpro *c = state;

	vmd_known_resize(&c->known, slots, frames, slots);
	pro_limit(c);
}

static void pro_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct clockpro *c = state;
	const struct vmd_node *node = pro_node(c, vmd_known_node(&c->known,
								 slot));

	why->code = VMD_WHY_PRO_COLD;
	if (node->list == VMD_KNOWN_PARKED)
		why->code = VMD_WHY_LAST_RESORT;
	why->nr[0] = !!(node->flag & PRO_TEST);
	why->nr[1] = !!(node->flag & PRO_REF);
	why->nr[2] = c->nr_cold;
	why->nr[3] = c->nr_hot;
}

static u32 pro_look(const struct clockpro *c, u32 at)
{
	u32 flag = pro_node(c, at)->flag;

	return (flag & PRO_HOT ? VMD_QUEUED_HOT : 0) |
	       (flag & PRO_TEST ? VMD_QUEUED_TEST : 0) |
	       (flag & PRO_REF ? VMD_QUEUED_REFERENCED : 0) |
	       (pro_gone(c, at) ? VMD_QUEUED_GHOST : 0) |
	       (at == c->hand[PRO_HAND_COLD] ? VMD_QUEUED_HAND : 0) |
	       (at == c->hand[PRO_HAND_HOT] ? VMD_QUEUED_HAND_HOT : 0) |
	       (at == c->hand[PRO_HAND_TEST] ? VMD_QUEUED_HAND_TEST : 0);
}

static void pro_queues(const void *state, struct vmd_queue_view *view)
{
	const struct clockpro *c = state;
	u32 first = c->hand[PRO_HAND_COLD], at = first;
	const struct vmd_node *node;

	view->queue(view, "circle", NULL, c->known.nr[PRO_RING],
		    VMD_QUEUE_UNTOLD);
	while (at) {
		node = pro_node(c, at);
		if (!view->page(view, node->slot, node->key, pro_look(c, at),
				0))
			break;
		at = pro_next(c, at);
		if (at == first)
			break;
	}
	vmd_queue_parked(view, &c->known);
}

const struct vmd_policy_ops vmd_policy_clockpro = {
	.name = "clock-pro",
	.text = "CLOCK-Pro: hot, cold and test pages in one circle",
	.nr_params = ARRAY_SIZE(pro_params),
	.params = pro_params,
	.state_size = pro_state_size,
	.init = pro_init,
	.inserted = pro_inserted,
	.touched = pro_touched,
	.victim = pro_victim,
	.explain = pro_explain,
	.removed = pro_removed,
	.kept = pro_kept,
	.walk = pro_walk,
	.queues = pro_queues,
	.resize = pro_resize,
};
