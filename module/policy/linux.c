// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of Linux's two lists: a new page is in the inactive list and goes
 * from its end, unless it is used again there: then it is active. When the
 * inactive list gets too short, the active one's oldest are put into it. For a
 * page that went its time is kept, a shadow entry: when it comes back after so
 * few evictions and activations that it would have stayed, had the active pages
 * not taken the room, it is active at once.
 *
 * J. Weiner, "mm: thrash detection-based file cache sizing", Linux 3.15, 2014
 * (mm/workingset.c), and since; mark_page_accessed() and shrink_active_list() of
 * Linux 6.1. What is modelled:
 *
 *  - The first use of an inactive page marks it referenced, the second one
 *    activates it; the reference that brings a page is its first use. A use of
 *    an active page marks it referenced, which counts only when it is inactive
 *    again: active pages are put into the inactive list as they are, in the
 *    order in which they became active.
 *  - That happens before an eviction while the inactive list has fewer pages than
 *    the active one divided by "ratio". (There, ratio is 1 for less than a
 *    gigabyte of pages and grows with the square root of the size: 3 for one
 *    gigabyte, 10 for ten.)
 *  - The memory's age counts evictions and activations. The distance of a page
 *    that comes back is what the age has grown by since it went. If there are
 *    as many active pages, it is active.
 *
 * Not modelled: anonymous pages and pages of files in lists of their own, bits
 * in page tables that are looked at when the page is to go (touched() tells at
 * once), executable mappings that stay active, batches of 32, groups.
 *
 * The state is ghost.h's: 36 bytes per slot and at most 40 per shadow entry,
 * of which there are at most as many as slots. Ages are kept in 32 bits. A page
 * that was kept is parked; one that was restored too, in the inactive list if its
 * shadow entry is gone. O(1) amortised; victim() is exact for every max.
 */
#include "ghost.h"
#include "queues.h"
#include "table.h"

enum { LINUX_INACTIVE = 1, LINUX_ACTIVE, LINUX_SHADOW };

enum { LINUX_P_RATIO, LINUX_P_SHADOW };

/* vmd_node.flag: referenced; vmd_node.count of a ghost: the age when it went. */
struct linux_lists {
	struct vmd_known known;
	u32 ratio;
	u32 shadow;		/* percent */
	u32 age;
	u32 pad;
};

static const struct vmd_policy_param linux_params[] = {
	{
		.name = "ratio",
		.text = "active pages wanted at most for each inactive one",
		.min = 1,
		.max = 1000,
		.def = 1,
	}, {
		.name = "shadow",
		.text = "most pages remembered that are gone, % of frames",
		.min = 0,
		.max = 100,
		.def = 100,
	},
};

static size_t linux_state_size(u32 slots, u32 frames)
{
	return vmd_known_size(sizeof(struct linux_lists), slots, slots);
}

static void linux_init(void *state, u32 slots, u32 frames, const u64 *params)
{
	struct linux_lists *l = state;

	vmd_known_init(&l->known, sizeof(*l), slots, frames, slots);
	l->ratio = (u32)params[LINUX_P_RATIO];
	l->shadow = (u32)params[LINUX_P_SHADOW];
}

static u32 linux_shadows(const struct linux_lists *l)
{
	u64 frames = vmd_known_frames(&l->known);

	return (u32)vmd_div64(frames * l->shadow, 100);
}

/* One use of the page. */
static void linux_use(struct linux_lists *l, u32 at)
{
	struct vmd_node *node = vmd_known_nodes(&l->known) + at;

	if (node->home == LINUX_ACTIVE || !node->flag) {
		node->flag = true;
		return;
	}
	node->flag = false;
	vmd_known_settle(&l->known, at, LINUX_ACTIVE);
	l->age++;
}

/* The page is back, and active if it would have stayed among the active. */
static void linux_refault(struct linux_lists *l, u32 at, u32 slot)
{
	struct vmd_known *k = &l->known;
	u32 distance = l->age - vmd_known_nodes(k)[at].count;

	if (distance <= k->nr[LINUX_ACTIVE]) {
		vmd_known_revive(k, at, slot, LINUX_ACTIVE);
		l->age++;
	} else {
		vmd_known_revive(k, at, slot, LINUX_INACTIVE);
	}
	vmd_known_nodes(k)[at].flag = false;
}

static void linux_inserted(void *state, u32 slot, u64 key, u32 flags)
{
	struct linux_lists *l = state;
	struct vmd_known *k = &l->known;
	u32 at;

	if (flags & VMD_REF_RESTORED) {
		vmd_known_restore(k, slot, key, LINUX_INACTIVE);
		return;
	}
	vmd_known_unpark_all(k);
	at = vmd_known_ghost(k, key);
	if (at)
		linux_refault(l, at, slot);
	else
		at = vmd_known_add(k, slot, key, LINUX_INACTIVE);
	if (!(flags & VMD_REF_DEFERRED))
		linux_use(l, at);
	/* Only now: the page may have been the oldest ghost of all. */
	vmd_known_trim(k, LINUX_SHADOW, linux_shadows(l));
}

static void linux_touched(void *state, u32 slot, u32 flags)
{
	struct linux_lists *l = state;

	linux_use(l, vmd_known_node(&l->known, slot));
}

/* Put active pages into the inactive list until that is long enough. */
static void linux_balance(struct linux_lists *l)
{
	struct vmd_known *k = &l->known;

	while ((u64)k->nr[LINUX_INACTIVE] * l->ratio < k->nr[LINUX_ACTIVE])
		vmd_known_settle(k, vmd_known_first(k, LINUX_ACTIVE),
				 LINUX_INACTIVE);
}

/* Active pages go through the whole inactive list, so they are behind it. */
static void linux_walk(const void *state, vmd_policy_visit_t visit, void *arg)
{
	const struct linux_lists *l = state;

	if (vmd_known_walk(&l->known, LINUX_INACTIVE, visit, arg) &&
	    vmd_known_walk(&l->known, LINUX_ACTIVE, visit, arg))
		vmd_known_walk(&l->known, VMD_KNOWN_PARKED, visit, arg);
}

static u32 linux_victim(void *state, u32 *out, u32 max)
{
	struct vmd_found found = { .out = out, .max = max };

	linux_balance(state);
	linux_walk(state, vmd_found_visit, &found);
	return found.nr;
}

static void linux_removed(void *state, u32 slot, enum vmd_removal why)
{
	struct linux_lists *l = state;
	struct vmd_known *k = &l->known;
	u32 at = vmd_known_node(k, slot), most = linux_shadows(l);

	if (why == VMD_REMOVED_EVICTED && most) {
		vmd_known_nodes(k)[at].count = l->age;
		vmd_known_bury(k, at, LINUX_SHADOW);
		vmd_known_trim(k, LINUX_SHADOW, most + 1);
	} else {
		vmd_known_forget(k, at);
	}
	if (why == VMD_REMOVED_EVICTED)
		l->age++;
}

static void linux_kept(void *state, u32 slot)
{
	struct linux_lists *l = state;

	vmd_known_park(&l->known, vmd_known_node(&l->known, slot));
}

static void linux_resize(void *state, u32 slots, u32 frames)
{
	struct linux_lists *l = state;

	vmd_known_resize(&l->known, slots, frames, slots);
	vmd_known_trim(&l->known, LINUX_SHADOW, linux_shadows(l));
}

static void linux_explain(const void *state, u32 slot, struct vmd_reason *why)
{
	const struct linux_lists *l = state;
	const struct vmd_known *k = &l->known;
	const struct vmd_node *node;

	node = vmd_known_nodes(k) + vmd_known_node(k, slot);
	why->code = VMD_WHY_INACTIVE;
	if (node->list == VMD_KNOWN_PARKED)
		why->code = VMD_WHY_LAST_RESORT;
	why->nr[0] = k->nr[LINUX_INACTIVE];
	why->nr[1] = k->nr[LINUX_ACTIVE];
	why->nr[2] = node->flag;
}

static void linux_queues(const void *state, struct vmd_queue_view *view)
{
	const struct linux_lists *l = state;
	const struct vmd_known *k = &l->known;

	vmd_queue_known(view, k, LINUX_INACTIVE, "inactive", VMD_QUEUE_UNTOLD,
			VMD_QUEUED_REFERENCED);
	vmd_queue_known(view, k, LINUX_ACTIVE, "active", VMD_QUEUE_UNTOLD,
			VMD_QUEUED_REFERENCED);
	vmd_queue_parked(view, k);
	vmd_queue_known(view, k, LINUX_SHADOW, "shadow", linux_shadows(l), 0);
}

const struct vmd_policy_ops vmd_policy_linux = {
	.name = "linux",
	.text = "a model of Linux's active and inactive lists, with refaults",
	.flags = VMD_POLICY_HARVEST,
	.nr_params = ARRAY_SIZE(linux_params),
	.params = linux_params,
	.state_size = linux_state_size,
	.init = linux_init,
	.inserted = linux_inserted,
	.touched = linux_touched,
	.victim = linux_victim,
	.explain = linux_explain,
	.removed = linux_removed,
	.kept = linux_kept,
	.walk = linux_walk,
	.queues = linux_queues,
	.resize = linux_resize,
};
