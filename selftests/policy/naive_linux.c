// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two lists and shadow entries, as linux.c's head tells. naive_page.bit is
 * "referenced"; naive.p the age; .past of a ghost the age when it went.
 */
#include "naive_kind.h"

enum { INACTIVE, ACTIVE, NOWHERE };

enum { P_RATIO, P_SHADOW };

static u32 shadows(const struct naive *n)
{
	return (u32)(n->frames * n->params[P_SHADOW] / 100);
}

/* Shadow entries go oldest first, whatever list their pages were in. */
static void forget(struct naive *n, u32 most)
{
	struct naive_page *g, *oldest;

	while (n->nr_ghosts > most) {
		oldest = n->ghost;
		for (g = n->ghost; g < n->ghost + n->nr_ghosts; g++) {
			if (g->stamp < oldest->stamp)
				oldest = g;
		}
		naive_ghost_drop(n, oldest);
	}
}

static void settle(struct naive *n, u32 i, u32 list)
{
	n->page[i].list = list;
	n->page[i].stamp = naive_stamp(n);
	n->page[i].parked = 0;
}

static u32 linux_victim(struct naive *n)
{
	u32 i;

	while (naive_count(n, ACTIVE) >
	       naive_count(n, INACTIVE) * n->params[P_RATIO])
		settle(n, naive_oldest(n, ACTIVE), INACTIVE);
	i = naive_oldest(n, INACTIVE);
	return i < n->nr ? i : naive_parked(n);
}

static void linux_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	if (p->list == INACTIVE && p->bit) {
		p->bit = false;
		settle(n, i, ACTIVE);
		n->p++;
	} else {
		p->bit = true;
	}
}

static void restored(struct naive *n, u32 i)
{
	struct naive_page *g = naive_ghost(n, n->page[i].page);

	n->page[i].bit = g && g->bit;
	n->page[i].stamp = naive_stamp(n);
	naive_restore(n, i, INACTIVE);
}

static void linux_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *g;
	u32 list = INACTIVE;

	n->page[i].list = NOWHERE;
	if (flags & VMD_REF_RESTORED) {
		restored(n, i);
		return;
	}
	naive_unpark_all(n);
	g = naive_ghost(n, n->page[i].page);
	if (g && (u64)n->p - g->past <= naive_count(n, ACTIVE)) {
		list = ACTIVE;
		n->p++;
	}
	if (g)
		naive_ghost_drop(n, g);
	settle(n, i, list);
	if (!(flags & VMD_REF_DEFERRED))
		linux_touched(n, i);
	forget(n, shadows(n));
}

static void linux_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	naive_delete(n, i);
	if (n->why != VMD_REMOVED_EVICTED)
		return;
	p.past = (u64)n->p++;
	if (!shadows(n))
		return;
	naive_ghost_add(n, p);
	/* The page that is to come may be the oldest. */
	forget(n, shadows(n) + 1);
}

static void linux_resized(struct naive *n)
{
	forget(n, shadows(n));
}

const struct naive_kind naive_linux = {
	.name = "linux",
	.victim = linux_victim,
	.inserted = linux_inserted,
	.touched = linux_touched,
	.kept = naive_park,
	.removed = linux_removed,
	.resized = linux_resized,
};
