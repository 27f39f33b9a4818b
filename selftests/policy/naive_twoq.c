// SPDX-License-Identifier: GPL-2.0-only
/*
 * 2Q, full version, as the paper's "reclaimfor" tells it.
 */
#include "naive_kind.h"

enum { A1IN, AM, NOWHERE };

static u32 kin(const struct naive *n)
{
	return (u32)(n->frames * n->params[0] / 100);
}

static u32 kout(const struct naive *n)
{
	return (u32)(n->frames * n->params[1] / 100);
}

static u32 twoq_victim(struct naive *n)
{
	u32 in = naive_oldest(n, A1IN), am = naive_oldest(n, AM);

	if (in < n->nr && (naive_count(n, A1IN) > kin(n) || am == n->nr))
		return in;
	return am < n->nr ? am : naive_parked(n);
}

static void twoq_inserted(struct naive *n, u32 i, u32 flags)
{
	struct naive_page *p = n->page + i, *g;

	p->list = NOWHERE;
	if (flags & VMD_REF_RESTORED) {
		p->stamp = naive_stamp(n);
		naive_restore(n, i, AM);
		return;
	}
	naive_unpark_all(n);
	p->stamp = naive_stamp(n);
	p->await = flags & VMD_REF_DEFERRED;
	g = naive_ghost(n, p->page);
	p->list = g ? AM : A1IN;
	if (g)
		naive_ghost_drop(n, g);
	naive_ghost_trim(n, A1IN, kout(n));
}

static void twoq_touched(struct naive *n, u32 i)
{
	struct naive_page *p = n->page + i;

	if (!p->await && p->list == AM) {
		p->stamp = naive_stamp(n);
		p->parked = 0;
	}
	p->await = false;
}

static void twoq_removed(struct naive *n, u32 i)
{
	struct naive_page p = n->page[i];

	naive_delete(n, i);
	if (n->why != VMD_REMOVED_EVICTED || p.list != A1IN || !kout(n))
		return;
	naive_ghost_add(n, p);
	naive_ghost_trim(n, A1IN, kout(n) + 1);
}

static void twoq_resized(struct naive *n)
{
	naive_ghost_trim(n, A1IN, kout(n));
}

const struct naive_kind naive_twoq = {
	.name = "2q",
	.victim = twoq_victim,
	.inserted = twoq_inserted,
	.touched = twoq_touched,
	.kept = naive_park,
	.removed = twoq_removed,
	.resized = twoq_resized,
};
